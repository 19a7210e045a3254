/* SPDX-License-Identifier: BSD-3-Clause */
/* Images and verified boot, whole: real signatures over real pages, on the fake machine. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <bearssl.h>
#include <cv/arch.h>
#include <cv/image.h>
#include <cv/vcpu.h>

#include "../../arch-fake/fake.h"
#include "owner.h"

#define PAGE(n) ((0x40200000ull >> PAGE_SHIFT) + (n))
/* Of a 2 MiB block that neither the host's map nor EL2's has in pages yet */
#define BLOCK2(n) PAGE(5 * PAGES_PER_BLOCK + (n))

#define RAM_GFN 0x40000ull
#define RAM_PAGES 4096ull
#define GPA(gfn) ((RAM_GFN + (gfn)) << PAGE_SHIFT)
#define KERNEL_GFN 512ull
#define KERNEL_BYTES (5 * PAGE_SIZE + 100)
#define DATA_GFN 1024ull
#define DATA_BYTES PAGE_SIZE
#define PARAMETER_GFN 2048ull

/* Host pages */
enum { VM = 0, VCPU = 30, LAUNCH = 40, KERNEL = 600, DATA = 620, PARAMETER = 640, SPARE = 700 };

static struct owner owner;
static struct rv_launch launch;
static u8 kernel[KERNEL_BYTES];
static u8 data[DATA_BYTES];
static u64 vm;

static const struct owner_image images[] = {
	{ (RAM_GFN + KERNEL_GFN) << PAGE_SHIFT, KERNEL_BYTES, kernel },
	{ (RAM_GFN + DATA_GFN) << PAGE_SHIFT, DATA_BYTES, data },
	{ (RAM_GFN + PARAMETER_GFN) << PAGE_SHIFT, 4 * PAGE_SIZE, NULL },
};

/* The host writes `bytes` to the page and the following ones; what is left of the last one is
 * garbage. */
static void put(u64 page, const void *from, u64 bytes)
{
	const u8 *at = from;

	for (u64 i = 0; i < align_up(bytes, PAGE_SIZE); i += sizeof(u64)) {
		u64 word = 0xa5a5a5a5a5a5a5a5ull;

		if (i < bytes) {
			memcpy(&word, at + i, min_u64(bytes - i, sizeof(word)));
		}
		fake_poke(PAGE(page + i / PAGE_SIZE), i % PAGE_SIZE, word);
	}
}

static void put_all(void)
{
	put(KERNEL, kernel, KERNEL_BYTES);
	put(DATA, data, DATA_BYTES);
	put(LAUNCH, &launch, sizeof(launch));
}

static void make(const u64 owner_key[4])
{
	fake_boot(&fake_small_machine);
	assert_int_equal(vm_create(PAGE(VM), PAGE(VM + 2), RV_VM_PROTECTED, owner_key, &vm), CV_OK);
	for (u32 i = 4; i < 16; i++) {
		assert_int_equal(vm_topup(vm, PAGE(VM + i)), CV_OK);
	}
	assert_int_equal(vm_add_ram(vm, RAM_GFN, RAM_PAGES), CV_OK);
	assert_int_equal(vm_create_vcpu(vm, 0, PAGE(VCPU), PAGE(VCPU + 1)), CV_OK);
	fake_attach(vm & 0xff, pa_make(PAGE(VM + 2) << PAGE_SHIFT));
	put_all();
}

static const struct owner_policy policy = { .entry = GPA(KERNEL_GFN) + 64 };

static int set_up(void **state)
{
	(void)state;
	for (u64 i = 0; i < KERNEL_BYTES; i++) {
		kernel[i] = (u8)(i * 7 + i / 256);
	}
	memset(data, 0x3c, sizeof(data));
	owner_make(&owner, RV_CURVE_P256, 1);
	owner_sign(&owner, &policy, images, ARRAY_SIZE(images), &launch);
	make(owner.words);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	fake_halt();
	return 0;
}

static void feed(u64 gfn, u64 bytes, u64 page)
{
	u64 pages = align_up(bytes, PAGE_SIZE) / PAGE_SIZE;
	u64 index, done;

	assert_int_equal(image_add(vm, GPA(gfn), bytes, &index), CV_OK);
	assert_int_equal(image_map(vm, index, PAGE(page), pages, &done), CV_OK);
	assert_int_equal(done, pages);
}

static void feed_all(void)
{
	feed(KERNEL_GFN, KERNEL_BYTES, KERNEL);
	feed(DATA_GFN, DATA_BYTES, DATA);
}

static enum cv_status verify(u64 *left)
{
	enum cv_status status = image_verify(vm, PAGE(LAUNCH), left);

	assert_int_equal(fake_locks_held(), 0);
	fake_check_tlbs();
	/* The launch page is the host's again, whatever was said. */
	assert_true(ledger_is(pfn_make(PAGE(LAUNCH)), OWNER_HOST, PAGE_EXCLUSIVE));
	return status;
}

static bool host_reads(u64 page)
{
	u64 value;

	return fake_host_read(0, PAGE(page) << PAGE_SHIFT, &value);
}

/* A check that must fail; every page is back, scrubbed, and the same VM starts with good images. */
static void refused(void)
{
	u64 left = 77;

	assert_int_equal(verify(&left), CV_E_AUTH);
	assert_int_equal(left, 77);
	for (u32 i = 0; i < 6; i++) {
		assert_true(host_reads(KERNEL + i));
		assert_true(fake_page_is_zero(PAGE(KERNEL + i)));
	}
	assert_true(host_reads(DATA));
	assert_true(fake_page_is_zero(PAGE(DATA)));
	assert_int_equal(vcpu_boot(vm, 0, policy.entry, 0), CV_E_STATE);
}

static void starts_again(void)
{
	u64 left;

	put_all();
	feed_all();
	assert_int_equal(verify(&left), CV_OK);
	assert_int_equal(left, 0);
}

static void test_signed_images_are_what_the_guest_finds(void **state)
{
	u64 left, value;

	(void)state;
	feed_all();
	assert_false(host_reads(KERNEL)); /* gone before the check */
	fake_counter_set(1000);
	assert_int_equal(verify(&left), CV_OK);
	assert_int_equal(left, 0);
	assert_true(fake_read(0, vm & 0xff, GPA(KERNEL_GFN), &value, FAKE_UNCACHED));
	assert_memory_equal(&value, kernel, sizeof(value));
	/* Behind the image's end, in its last page: nothing of the host's, seen with caches off. */
	for (u64 at = KERNEL_BYTES + 4; at < 6 * PAGE_SIZE; at += 8) {
		assert_true(fake_read(0, vm & 0xff, GPA(KERNEL_GFN) + at, &value, FAKE_UNCACHED));
		assert_int_equal(value, 0);
	}
	assert_true(fake_page_is_clean(PAGE(KERNEL + 5)));
	/* The entry is the owner's word. */
	assert_int_equal(vcpu_boot(vm, 0, policy.entry + 4, 0), CV_E_PERM);
	assert_int_equal(vcpu_boot(vm, 0, GPA(KERNEL_GFN), 0), CV_E_PERM);
	assert_int_equal(vcpu_boot(vm, 0, policy.entry, 5), CV_OK);
	/* Once is enough. */
	assert_int_equal(verify(&left), CV_E_STATE);
}

static void test_384_bits(void **state)
{
	u64 left;

	(void)state;
	owner_make(&owner, RV_CURVE_P384, 3);
	owner_sign(&owner, &policy, images, ARRAY_SIZE(images), &launch);
	make(owner.words);
	feed_all();
	assert_int_equal(verify(&left), CV_OK);
	make(owner.words);
	launch.signature[95] ^= 1;
	put(LAUNCH, &launch, sizeof(launch));
	feed_all();
	refused();
}

static void test_measures(void **state)
{
	br_sha256_context hash;
	u64 left, words[4], wanted[4];

	(void)state;
	assert_int_equal(image_measure(vm, RV_MEASURE_OWNER, words), CV_OK);
	assert_memory_equal(words, owner.words, sizeof(words));
	assert_int_equal(image_measure(vm, RV_MEASURE_MANIFEST, words), CV_E_STATE);
	assert_int_equal(image_measure(vm, 2, words), CV_E_INVALID);
	assert_int_equal(image_measure(vm + 256, RV_MEASURE_OWNER, words), CV_E_NOENT);
	feed_all();
	assert_int_equal(verify(&left), CV_OK);
	br_sha256_init(&hash);
	br_sha256_update(&hash, launch.manifest, launch.manifest_bytes);
	br_sha256_out(&hash, wanted);
	assert_int_equal(image_measure(vm, RV_MEASURE_MANIFEST, words), CV_OK);
	assert_memory_equal(words, wanted, sizeof(words));
}

/* ---- what is not what the owner signed ---- */

static void test_each_byte_counts(void **state)
{
	static const u64 places[] = {
		0, 1, PAGE_SIZE - 1, PAGE_SIZE, 3 * PAGE_SIZE + 5, KERNEL_BYTES - 1
	};

	(void)state;
	for (u32 i = 0; i < ARRAY_SIZE(places); i++) {
		put_all();
		kernel[places[i]] ^= 0x10;
		put(KERNEL, kernel, KERNEL_BYTES);
		kernel[places[i]] ^= 0x10;
		feed_all();
		refused();
	}
	starts_again();
}

static void test_each_byte_of_a_hash_counts(void **state)
{
	u8 one[CRYPTO_HASH_BYTES] = { 1, 2, 3 }, other[CRYPTO_HASH_BYTES] = { 1, 2, 3 };
	u8 wanted[CRYPTO_HASH_BYTES], found[CRYPTO_HASH_BYTES];
	struct crypto_hash hash;

	(void)state;
	assert_true(crypto_equal(one, other, sizeof(one)));
	for (u32 i = 0; i < sizeof(one); i++) {
		other[i] ^= 0x80;
		assert_false(crypto_equal(one, other, sizeof(one)));
		other[i] ^= 0x80;
	}
	/* An image whose hash begins as the signed one's does. */
	crypto_hash_begin(&hash);
	crypto_hash_add(&hash, data, sizeof(data));
	crypto_hash_end(&hash, wanted);
	for (u64 i = 1; i == 1 || found[0] != wanted[0]; i++) {
		memcpy(data, &i, sizeof(i));
		crypto_hash_begin(&hash);
		crypto_hash_add(&hash, data, sizeof(data));
		crypto_hash_end(&hash, found);
	}
	put(DATA, data, DATA_BYTES);
	feed_all();
	refused();
}

static void test_another_owner(void **state)
{
	struct owner other;

	(void)state;
	owner_make(&other, RV_CURVE_P256, 2);
	/* Signed by somebody else, and says so; and says that it was the owner. */
	owner_sign(&other, &policy, images, ARRAY_SIZE(images), &launch);
	put(LAUNCH, &launch, sizeof(launch));
	feed_all();
	refused();
	memcpy(launch.public_key, owner.public_key, sizeof(launch.public_key));
	memcpy(launch.owner, owner.words, sizeof(launch.owner));
	put_all();
	feed_all();
	refused();
}

static void test_each_bit_of_the_launch_page(void **state)
{
	const u64 signed_end = offsetof(struct rv_launch, manifest) + launch.manifest_bytes;

	(void)state;
	for (u64 at = offsetof(struct rv_launch, public_key); at < signed_end; at += 37) {
		u8 *byte = (u8 *)&launch + at;

		/* P-256's key and signature leave the last 32 bytes of their fields unused; the
		 * hints are nobody's business here. */
		if ((at >= offsetof(struct rv_launch, public_key) + 64 &&
		     at < offsetof(struct rv_launch, signature)) ||
		    (at >= offsetof(struct rv_launch, signature) + 64 &&
		     at < offsetof(struct rv_launch, manifest))) {
			continue;
		}
		*byte ^= 0x08;
		put_all();
		feed_all();
		refused();
		*byte ^= 0x08;
	}
	starts_again();
}

/* The host wrote past its cache, where an older line is left that may go at any moment: what is
 * checked is what stays. */
static void test_launch_page_below_a_stale_line(void **state)
{
	u64 left, value;

	(void)state;
	fake_poke(PAGE(LAUNCH), 0, ~launch.magic);
	arch_page_clean_invalidate(pfn_make(PAGE(LAUNCH)));
	assert_true(fake_host_read(0, PAGE(LAUNCH) << PAGE_SHIFT, &value));
	assert_true(
		fake_write(1, OWNER_HOST, PAGE(LAUNCH) << PAGE_SHIFT, launch.magic, FAKE_UNCACHED));
	assert_true(fake_host_read(0, PAGE(LAUNCH) << PAGE_SHIFT, &value));
	assert_int_equal(value, ~launch.magic);
	feed_all();
	assert_int_equal(verify(&left), CV_OK);
	assert_int_equal(left, 0);
}

static void test_missing_extra_and_misplaced_images(void **state)
{
	(void)state;
	/* one is missing */
	put(DATA, (u8[PAGE_SIZE]){ 0 }, PAGE_SIZE);
	feed(KERNEL_GFN, KERNEL_BYTES, KERNEL);
	refused();
	/* one too many */
	put_all();
	feed_all();
	feed(DATA_GFN + 8, 8, SPARE);
	refused();
	/* elsewhere */
	put_all();
	feed(KERNEL_GFN + 1, KERNEL_BYTES, KERNEL);
	feed(DATA_GFN, DATA_BYTES, DATA);
	refused();
	/* longer, and shorter, though the pages are the same */
	put_all();
	feed(KERNEL_GFN, KERNEL_BYTES + 1, KERNEL);
	feed(DATA_GFN, DATA_BYTES, DATA);
	refused();
	put_all();
	feed(KERNEL_GFN, KERNEL_BYTES - 1, KERNEL);
	feed(DATA_GFN, DATA_BYTES, DATA);
	refused();
	starts_again();
}

static void test_parameters_stay_where_the_owner_allows_them(void **state)
{
	static const struct {
		u64 gfn, bytes;
		bool is_allowed;
	} of[] = {
		{ PARAMETER_GFN, 1, true },
		{ PARAMETER_GFN + 1, 3 * PAGE_SIZE, true },
		{ PARAMETER_GFN, 4 * PAGE_SIZE, true },
		{ PARAMETER_GFN, 4 * PAGE_SIZE + 1, false },
		{ PARAMETER_GFN - 1, 2 * PAGE_SIZE, false },
		{ PARAMETER_GFN + 4, 1, false },
		{ PARAMETER_GFN + 8, 1, false },
		{ 0, 1, false },
	};
	u64 left;

	(void)state;
	for (u32 i = 0; i < ARRAY_SIZE(of); i++) {
		make(owner.words);
		feed_all();
		feed(of[i].gfn, of[i].bytes, PARAMETER);
		if (of[i].is_allowed) {
			assert_int_equal(verify(&left), CV_OK);
		} else {
			refused();
			assert_true(fake_page_is_zero(PAGE(PARAMETER)));
		}
	}
}

static void test_policy(void **state)
{
	const struct owner_policy one_vcpu = { .entry = policy.entry, .vcpus_max = 1 };
	u64 left;

	(void)state;
	owner_sign(&owner, &one_vcpu, images, ARRAY_SIZE(images), &launch);
	make(owner.words);
	assert_int_equal(vm_create_vcpu(vm, 7, PAGE(VCPU + 2), PAGE(VCPU + 3)), CV_OK);
	feed_all();
	/* Too many vCPUs: nothing changes, and nothing helps. */
	assert_int_equal(verify(&left), CV_E_PERM);
	assert_false(host_reads(KERNEL));
	assert_int_equal(verify(&left), CV_E_PERM);
	make(owner.words);
	feed_all();
	assert_int_equal(verify(&left), CV_OK);
}

/* ---- manifests that an owner signed and nobody should accept ---- */

static void signed_but_refused(const struct owner_policy *bad_policy,
			       const struct owner_image *bad_images, u32 count)
{
	owner_sign(&owner, bad_policy, bad_images, count, &launch);
	put_all();
	feed_all();
	refused();
}

static void test_unsound_manifests(void **state)
{
	struct owner_image bad[6];

	(void)state;
	memcpy(bad, images, sizeof(images));
	/* no image at all; an entry outside, behind the end, unaligned, in a parameter */
	signed_but_refused(&policy, &images[2], 1);
	signed_but_refused(&(struct owner_policy){ .entry = GPA(0) }, images, 3);
	signed_but_refused(&(struct owner_policy){ .entry = GPA(KERNEL_GFN) + KERNEL_BYTES },
			   images, 3);
	signed_but_refused(&(struct owner_policy){ .entry = policy.entry + 2 }, images, 3);
	signed_but_refused(&(struct owner_policy){ .entry = GPA(PARAMETER_GFN) }, images, 3);
	/* parameters over an image; and only over the rest of its last page */
	bad[2].gpa = GPA(DATA_GFN);
	signed_but_refused(&policy, bad, 3);
	bad[2].gpa = GPA(KERNEL_GFN + 5);
	signed_but_refused(&policy, bad, 3);
	/* images over each other, empty, unaligned, beyond the address space, wrapping */
	memcpy(bad, images, sizeof(images));
	bad[1].gpa = GPA(KERNEL_GFN + 1);
	signed_but_refused(&policy, bad, 3);
	bad[1] = (struct owner_image){ GPA(DATA_GFN), 0, data };
	signed_but_refused(&policy, bad, 3);
	bad[1] = images[1];
	bad[2].gpa = images[2].gpa + 8;
	signed_but_refused(&policy, bad, 3);
	bad[2] = (struct owner_image){ (1ull << 40) - PAGE_SIZE, 2 * PAGE_SIZE, NULL };
	signed_but_refused(&policy, bad, 3);
	bad[2] = (struct owner_image){ GPA(PARAMETER_GFN), ~0ull, NULL };
	signed_but_refused(&policy, bad, 3);
	/* more images than there may be */
	for (u32 i = 0; i < ARRAY_SIZE(bad); i++) {
		bad[i] = (struct owner_image){ GPA(64 + i), 8, data };
	}
	bad[0] = images[0];
	signed_but_refused(&policy, bad, 6);
	signed_but_refused(&(struct owner_policy){ policy.entry, VM_VCPUS_MAX + 1, false }, images,
			   3);
	owner_sign(&owner, &policy, images, ARRAY_SIZE(images), &launch);
	starts_again();
}

/* The blob itself is broken, and signed. */
static void test_broken_blobs(void **state)
{
	const u32 bytes = launch.manifest_bytes;
	u8 whole[RV_LAUNCH_MANIFEST_MAX];

	(void)state;
	memcpy(whole, launch.manifest, sizeof(whole));
	for (u32 cut = 0; cut < bytes; cut += 61) {
		launch.manifest_bytes = cut + 1;
		owner_sign_blob(&owner, &launch);
		put_all();
		feed_all();
		refused();
	}
	launch.manifest_bytes = bytes;
	for (u32 at = 0; at < 40; at += 4) { /* the header */
		if (at == 20 || at == 28) {
			continue; /* a later version that says it is compatible; the boot CPU */
		}
		memcpy(launch.manifest, whole, sizeof(whole));
		memset(launch.manifest + at, 0xff, 4);
		owner_sign_blob(&owner, &launch);
		put_all();
		feed_all();
		refused();
	}
}

/* ---- statuses, and nothing changed ---- */

static void test_malformed_launch_pages(void **state)
{
	u64 left;

	(void)state;
	feed_all();
	for (u32 i = 0; i < 6; i++) {
		struct rv_launch bad = launch;

		switch (i) {
		case 0:
			bad.magic++;
			break;
		case 1:
			bad.version = 2;
			break;
		case 2:
			bad.curve = 255;
			break;
		case 3:
			bad.manifest_bytes = 0;
			break;
		case 4:
			bad.manifest_bytes = RV_LAUNCH_MANIFEST_MAX + 1;
			break;
		default:
			bad.manifest_bytes = ~0u;
			break;
		}
		put(LAUNCH, &bad, sizeof(bad));
		assert_int_equal(verify(&left), CV_E_INVALID);
		assert_false(host_reads(KERNEL));
	}
	put(LAUNCH, &launch, sizeof(launch));
	assert_int_equal(verify(&left), CV_OK);
}

static void test_statuses_of_verify(void **state)
{
	u64 left;

	(void)state;
	assert_int_equal(image_verify(vm + 256, ~0ull, &left), CV_E_NOENT);
	assert_int_equal(image_verify(vm, ~0ull, &left), CV_E_RANGE);
	/* No image at all is not what anybody signed. */
	assert_int_equal(verify(&left), CV_E_STATE);
	assert_int_equal(image_add(vm, GPA(DATA_GFN), DATA_BYTES, &left), CV_OK);
	assert_int_equal(verify(&left), CV_E_BUSY);
	assert_int_equal(image_verify(vm, PAGE(VM), &left), CV_E_STATE);
	assert_int_equal(image_verify(vm, PAGE(VCPU + 1), &left), CV_E_STATE);
	assert_int_equal(vm_kill(vm), CV_OK);
	assert_int_equal(verify(&left), CV_E_STATE);
}

static void test_images_without_end(void **state)
{
	static const u64 bytes[] = { ~0ull, ~0ull - PAGE_SIZE, (GFN_LIMIT << PAGE_SHIFT) + 1,
				     RAM_PAGES * PAGE_SIZE + 1 };
	u64 index;

	(void)state;
	for (u32 i = 0; i < ARRAY_SIZE(bytes); i++) {
		assert_int_equal(image_add(vm, GPA(0), bytes[i], &index), CV_E_RANGE);
	}
}

/* The check needs no page of the pool that is not to spare; nothing is undone for that. */
static void test_verify_without_tables(void **state)
{
	struct pool *core = mem_core_pool();
	struct pool rest;
	u64 left;

	(void)state;
	feed_all();
	assert_true(pool_reserve(core, &rest, pool_count(core), 0));
	assert_int_equal(image_verify(vm, BLOCK2(0), &left), CV_E_NOMEM);
	pool_return(core, &rest);
	assert_int_equal(verify(&left), CV_OK);
}

static void test_images_take_pages_in_order(void **state)
{
	u64 index, done;

	(void)state;
	assert_int_equal(image_add(vm, GPA(KERNEL_GFN), KERNEL_BYTES, &index), CV_OK);
	assert_int_equal(image_map(vm, index, PAGE(KERNEL), 2, &done), CV_OK);
	assert_int_equal(done, 2);
	assert_int_equal(image_map(vm, index, PAGE(KERNEL), 1, &done), CV_E_STATE);
	assert_int_equal(image_map(vm, index, PAGE(KERNEL + 2), 100, &done), CV_OK);
	assert_int_equal(done, 4);
	/* complete */
	assert_int_equal(image_map(vm, index, PAGE(SPARE), 1, &done), CV_E_STATE);
	assert_int_equal(image_map(vm, index, ~0ull, 1, &done), CV_E_RANGE);
	assert_int_equal(image_map(vm, index + 1, PAGE(SPARE), 1, &done), CV_E_NOENT);
	assert_int_equal(image_map(vm, ~0ull, PAGE(SPARE), 1, &done), CV_E_NOENT);
	assert_int_equal(image_map(vm, index, PAGE(SPARE), 0, &done), CV_E_INVALID);
}

/* A large image comes back in batches; meanwhile the VM takes nothing else. */
static void test_failure_in_batches(void **state)
{
	const u64 pages = 2 * RV_BATCH_PAGES + 3;
	u64 index, done, left = 0;

	(void)state;
	assert_int_equal(image_add(vm, GPA(KERNEL_GFN), pages * PAGE_SIZE, &index), CV_OK);
	for (u64 at = 0; at < pages; at += done) {
		assert_int_equal(image_map(vm, index, PAGE(1024 + at), pages - at, &done), CV_OK);
		assert_in_range(done, 1, RV_BATCH_PAGES);
	}
	assert_int_equal(verify(&left), CV_OK);
	assert_int_equal(left, pages - RV_BATCH_PAGES);
	assert_int_equal(image_add(vm, GPA(0), 1, &index), CV_E_STATE);
	assert_int_equal(image_map(vm, 0, PAGE(SPARE), 1, &done), CV_E_STATE);
	assert_int_equal(vcpu_boot(vm, 0, policy.entry, 0), CV_E_STATE);
	assert_int_equal(verify(&left), CV_OK);
	assert_int_equal(left, 3);
	assert_int_equal(verify(&left), CV_E_AUTH);
	for (u64 i = 0; i < pages; i++) {
		assert_true(fake_page_is_zero(PAGE(1024 + i)));
		assert_true(ledger_is(pfn_make(PAGE(1024 + i)), OWNER_HOST, PAGE_EXCLUSIVE));
	}
	starts_again();
}

/* One batch may reach from one image into the one before it. */
static void test_images_share_a_batch(void **state)
{
	const u64 pages = 300;
	u64 left = 0;

	(void)state;
	for (u64 i = 0; i < 3; i++) {
		feed(KERNEL_GFN + i * pages, pages * PAGE_SIZE, 1024 + i * pages);
	}
	assert_int_equal(verify(&left), CV_OK);
	assert_int_equal(left, 3 * pages - RV_BATCH_PAGES);
	assert_int_equal(verify(&left), CV_E_AUTH);
	starts_again();
}

/* Killed in the middle: the rest comes back by the usual way. */
static void test_killed_while_undone(void **state)
{
	const u64 pages = RV_BATCH_PAGES + 1;
	u64 index, done, left;

	(void)state;
	assert_int_equal(image_add(vm, GPA(0), pages * PAGE_SIZE, &index), CV_OK);
	for (u64 at = 0; at < pages; at += done) {
		assert_int_equal(image_map(vm, index, PAGE(1024 + at), pages - at, &done), CV_OK);
	}
	assert_int_equal(verify(&left), CV_OK);
	assert_int_equal(left, 1);
	assert_int_equal(vm_kill(vm), CV_OK);
	assert_int_equal(mem_reclaim(vm, RAM_GFN, RAM_PAGES, &done), CV_OK);
	assert_int_equal(done, RAM_GFN + RAM_PAGES);
	do {
		assert_int_equal(vm_destroy(vm, &left), CV_OK);
	} while (left > 0);
	fake_attach(vm & 0xff, pa_make(0));
	assert_true(ledger_is(pfn_make(PAGE(1024)), OWNER_HOST, PAGE_EXCLUSIVE));
}

/* The host goes on writing to a page that it has handed over; it does not arrive. */
static void test_a_host_that_writes_on(void **state)
{
	u64 left, value;

	(void)state;
	fake_hostile_writer(1, OWNER_HOST, PAGE(DATA) << PAGE_SHIFT, 0x666);
	put_all();
	feed_all();
	fake_calm();
	/* Either it came in time, then it was hashed, or it did not. */
	if (verify(&left) == CV_OK) {
		assert_true(fake_read(0, vm & 0xff, GPA(DATA_GFN), &value, FAKE_UNCACHED));
		assert_memory_equal(&value, data, sizeof(value));
	}
	fake_check_tlbs();
}

static void set_seal(enum seal_mode mode) CV_NO_LOCK_ANALYSIS
{
	struct vm *record = vm_lock(vm);

	record->seal.mode = mode;
	vm_unlock(record);
}

/* A snapshot under way has the VM to itself. */
static void test_a_vm_under_a_snapshot(void **state)
{
	u64 value;

	(void)state;
	feed_all();
	set_seal(SEAL_LOADING);
	assert_int_equal(image_add(vm, GPA(0), PAGE_SIZE, &value), CV_E_STATE);
	assert_int_equal(verify(&value), CV_E_STATE);
	assert_int_equal(mem_map(vm, RAM_GFN, PAGE(SPARE), 1, &value), CV_E_STATE);
	set_seal(SEAL_SAVING);
	assert_int_equal(image_add(vm, GPA(0), PAGE_SIZE, &value), CV_E_STATE);
	assert_int_equal(mem_map(vm, RAM_GFN, PAGE(SPARE), 1, &value), CV_E_BUSY);
	set_seal(SEAL_NONE);
	assert_int_equal(verify(&value), CV_OK);
	assert_int_equal(mem_map(vm, RAM_GFN, PAGE(SPARE), 1, &value), CV_OK);
}

static void test_unknown_curves(void **state)
{
	(void)state;
	assert_true(crypto_verify(owner.curve, launch.public_key, launch.signature, launch.manifest,
				  launch.manifest_bytes));
	for (u32 curve = 0; curve < 1024; curve++) {
		if (curve != RV_CURVE_P256 && curve != RV_CURVE_P384) {
			assert_false(crypto_verify(curve, launch.public_key, launch.signature,
						   launch.manifest, launch.manifest_bytes));
		}
	}
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(test_signed_images_are_what_the_guest_finds),
		TEST(test_384_bits),
		TEST(test_measures),
		TEST(test_each_byte_counts),
		TEST(test_each_byte_of_a_hash_counts),
		TEST(test_another_owner),
		TEST(test_each_bit_of_the_launch_page),
		TEST(test_launch_page_below_a_stale_line),
		TEST(test_missing_extra_and_misplaced_images),
		TEST(test_parameters_stay_where_the_owner_allows_them),
		TEST(test_policy),
		TEST(test_unsound_manifests),
		TEST(test_broken_blobs),
		TEST(test_malformed_launch_pages),
		TEST(test_statuses_of_verify),
		TEST(test_images_without_end),
		TEST(test_verify_without_tables),
		TEST(test_images_take_pages_in_order),
		TEST(test_failure_in_batches),
		TEST(test_images_share_a_batch),
		TEST(test_killed_while_undone),
		TEST(test_a_host_that_writes_on),
		TEST(test_a_vm_under_a_snapshot),
		TEST(test_unknown_curves),
	};

	return cmocka_run_group_tests_name("images", tests, NULL, NULL);
}
