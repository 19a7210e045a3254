/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Sealed snapshots, whole: the host's calls above, real memory, real cryptography, the fake machine
 * below. The root secret is the test's, so it can also do what no host can: read and forge records.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "../../arch-fake/fake.h"
#include "../../arch-fake/fake_vcpu.h"

#include <cv/arch.h>
#include <cv/exception.h>
#include <cv/host_psci.h>
#include <cv/image.h>
#include <cv/info.h>
#include <cv/seal_record.h>
#include <cv/vcpu.h>
#include <pthread.h>
#include <string.h>

#include "owner.h"
#include "snapshot.h"

#define PAGE(n) ((0x40200000ull >> PAGE_SHIFT) + (n))
#define NO_RAM (0x30000000ull >> PAGE_SHIFT)
#define R 0x40000ull /* the VM's RAM, at 1 GiB: 16 MiB, */
#define R_PAGES 4096ull
#define S 0x80000ull /* and more at 2 GiB */
#define S_PAGES 1112ull
#define TABLES 12
#define ODD 0x1111111111111111ull
#define WAIT_GFN 0x9000ull /* a device of the VMM's */

/* Pages of the host. A VM is built of the 100 pages from its base on. */
enum {
	SOURCE = 0,
	TARGET = 100,
	OTHER = 200,
	IO = 300,
	LAUNCH,
	IMAGE,
	SPARE = 310,
	POOL = 400,
	LOADED = 600,
	LOADED_2 = 700
};

static const u32 indices[] = { 0, 2, 5 };
static u8 root[32];
static struct owner owner, stranger;
static u64 source, target;
static struct snapshot snap;

/* ---- what the core asks of files that are not here ---- */

static u64 refusals;

bool host_psci_is_stopping(void)
{
	return false;
}
void info_publish(void)
{
}
void info_refusal(u64 id, s64 status, u64 first)
{
	(void)id, (void)status, (void)first;
	refusals++;
}

/* ---- every encryption and decryption ---- */

#define USES_MAX 4096
static struct {
	u8 key[CRYPTO_KEY_BYTES];
	u8 nonce[CRYPTO_NONCE_BYTES];
} uses[USES_MAX];
static u32 use_count;
static u64 watched; /* the host's page that the ciphertext goes to; 0: not watched */
static void (*before_open)(void);

void __real_crypto_seal(const struct crypto_record *record, void *data, u64 bytes, u8 *tag);
void __wrap_crypto_seal(const struct crypto_record *record, void *data, u64 bytes, u8 *tag);
bool __real_crypto_open(const struct crypto_record *record, void *data, u64 bytes, const u8 *tag);
bool __wrap_crypto_open(const struct crypto_record *record, void *data, u64 bytes, const u8 *tag);

static void check_nonce(const struct crypto_record *record)
{
	for (u32 i = 0; i < use_count; i++) {
		if (memcmp(uses[i].key, record->key, CRYPTO_KEY_BYTES) == 0 &&
		    memcmp(uses[i].nonce, record->nonce, CRYPTO_NONCE_BYTES) == 0) {
			fake_fail("a nonce is used twice with one key");
		}
	}
	assert_true(use_count < USES_MAX);
	memcpy(uses[use_count].key, record->key, CRYPTO_KEY_BYTES);
	memcpy(uses[use_count++].nonce, record->nonce, CRYPTO_NONCE_BYTES);
}

void __wrap_crypto_seal(const struct crypto_record *record, void *data, u64 bytes, u8 *tag)
{
	static u8 plain[PAGE_SIZE];
	u64 token = watched != 0 ? fake_page_token(watched) : 0;

	assert_true(bytes <= PAGE_SIZE);
	check_nonce(record);
	memcpy(plain, data, bytes);
	__real_crypto_seal(record, data, bytes, tag);
	for (u64 i = 0; i < bytes; i += 16) {
		assert_memory_not_equal(plain + i, (u8 *)data + i, 16);
	}
	/* Nothing reached the host's page yet: neither plaintext nor a half-done record. */
	assert_true(watched == 0 || fake_page_token(watched) == token);
}

bool __wrap_crypto_open(const struct crypto_record *record, void *data, u64 bytes, const u8 *tag)
{
	if (before_open != NULL) {
		before_open();
	}
	return __real_crypto_open(record, data, bytes, tag);
}

/* ---- VMs ---- */

#define expect(status, ...) assert_int_equal(CALL(__VA_ARGS__), status)

static u64 vcpu_page(u64 base, u32 i)
{
	return PAGE(base + 40 + 2 * i);
}

static struct vcpu *vcpu_at(u64 base, u32 i)
{
	return arch_core_va(pfn_pa(pfn_make(vcpu_page(base, i))));
}

static struct vm *vm_at(u64 base)
{
	return arch_core_va(pfn_pa(pfn_make(PAGE(base))));
}

static u64 build_with(u64 base, const struct owner *of, u64 ram_pages, u32 vcpus)
{
	const u64 *key = of->words;
	u64 results[4], vm;

	assert_int_equal(snapshot_call(RV_VM_CREATE,
				       (u64[]){ PAGE(base), PAGE(base + 2), RV_VM_PROTECTED, key[0],
						key[1], key[2], key[3] },
				       7, results),
			 RV_OK);
	vm = results[0];
	for (u32 i = 0; i < TABLES; i++) {
		expect(RV_OK, RV_VM_TOPUP, vm, PAGE(base + 4) + i);
	}
	expect(RV_OK, RV_VM_ADD_RAM, vm, S, S_PAGES);
	expect(RV_OK, RV_VM_ADD_RAM, vm, R, ram_pages);
	for (u32 i = 0; i < vcpus; i++) {
		u64 page = vcpu_page(base, i);

		expect(RV_OK, RV_VCPU_CREATE, vm, indices[i], page, page + 1);
	}
	fake_attach(vm & 0xff, pfn_pa(pfn_make(PAGE(base + 2))));
	return vm;
}

static u64 build(u64 base)
{
	return build_with(base, &owner, R_PAGES, ARRAY_SIZE(indices));
}

static void verify(u64 vm, u64 page)
{
	static u8 image[PAGE_SIZE] = { 'i', 'm', 'a', 'g', 'e' };
	static struct rv_launch launch;
	u64 gpa = R << PAGE_SHIFT;

	owner_sign(&owner, &(struct owner_policy){ .entry = gpa, .may_be_saved = true },
		   &(struct owner_image){ gpa, PAGE_SIZE, image }, 1, &launch);
	snapshot_put(PAGE(LAUNCH), &launch, sizeof(launch));
	snapshot_put(PAGE(page), image, sizeof(image));
	expect(RV_OK, RV_IMAGE_ADD, vm, gpa, PAGE_SIZE);
	expect(RV_OK, RV_IMAGE_MAP, vm, 0, PAGE(page), 1);
	expect(RV_OK, RV_VM_VERIFY, vm, PAGE(LAUNCH));
}

static s64 run(u64 vm, u64 index)
{
	return CALL(RV_VCPU_RUN, vm, index);
}

static void wish(u64 vm, u64 gfn, u64 pages, enum s2_wish to) CV_NO_LOCK_ANALYSIS
{
	struct vm *record = vm_lock(vm);
	gfn_t at = gfn_make(gfn);

	assert_int_equal(mem_vm_set_wish(record, &at, gfn_make(gfn + pages), to, true), CV_OK);
	assert_int_equal(at.v, gfn + pages);
	vm_unlock(record);
}

static u64 word_of(u64 gfn, u64 offset)
{
	return (gfn * 0x9e3779b97f4a7c15ull) ^ offset;
}

/* The guest fills a page of its own. */
static void back(u64 vm, u64 gfn, u64 page)
{
	expect(RV_OK, RV_MEM_MAP, vm, gfn, PAGE(page), 1);
	for (u64 at = 0; at < PAGE_SIZE; at += 8) {
		assert_true(fake_write(0, vm & 0xff, (gfn << PAGE_SHIFT) + at, word_of(gfn, at),
				       FAKE_CACHED));
	}
}

static void scramble(struct context *ctx, u64 seed)
{
	u64 *words = (u64 *)ctx;

	for (u64 i = 0; i < sizeof(*ctx) / 8; i++) {
		words[i] = word_of(seed, i);
	}
	ctx->pc &= ~3ull;
	ctx->pstate = PSTATE_EL1H;
}

/* What each kind of record is made of: see wishes_of_a_guest(). */
static void live(u64 vm)
{
	verify(vm, IMAGE);
	expect(RV_OK, RV_VCPU_BOOT, vm, 0, R << PAGE_SHIFT, 0);
	assert_int_equal(run(vm, 0), RV_OK);
	back(vm, R + 5, SPARE);
	wish(vm, R + 600, 1, S2_WISH_SHARED);
	back(vm, R + 600, SPARE + 1);
	wish(vm, R + 700, 1, S2_WISH_SHARED);
	wish(vm, R + 1024, 512, S2_WISH_SHARED);
	wish(vm, R + 1539, 1, S2_WISH_DESTROYED);
	back(vm, S + S_PAGES - 1, SPARE + 2);
	for (u32 i = 0; i < 3; i++) {
		struct vcpu *vcpu = vcpu_at(SOURCE, i);

		scramble(&vcpu->ctx, i + 1);
		vcpu->timer = (struct vtimer_state){ 1, 5000 + i, 1, 6000 + i };
		vcpu->vgic.vmcr = ODD + i;
		vcpu->vgic.ap0r[3] = ODD - i;
		vcpu->vgic.ap1r[0] = 7 + i;
	}
	vcpu_at(SOURCE, 1)->power = VCPU_ON_PENDING;
	vcpu_at(SOURCE, 1)->entry_pc = (R + 5) << PAGE_SHIFT;
	vcpu_at(SOURCE, 1)->entry_x0 = 99;
}

static void boot(void)
{
	fake_boot(&fake_small_machine);
	fake_vcpu_reset();
	fake_counter_set(1000000);
	for (u32 i = 0; i < sizeof(root); i++) {
		root[i] = (u8)(i * 5 + 1);
	}
	seal_init(root);
	watched = 0;
	before_open = NULL;
}

/* A VM that has lived, its snapshot, and a VM to load it into. */
static int set_up(void **state)
{
	(void)state;
	boot();
	owner_make(&owner, RV_CURVE_P256, 1);
	owner_make(&stranger, RV_CURVE_P256, 2);
	source = build(SOURCE);
	live(source);
	fake_counter_set(3000000);
	watched = PAGE(IO);
	assert_int_equal(snapshot_save(&snap, source, PAGE(IO)), RV_OK);
	fake_counter_set(9000000);
	target = build(TARGET);
	fake_check_tlbs();
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	fake_check_tlbs();
	fake_halt();
	return 0;
}

static s64 load_all(void)
{
	s64 status = snapshot_load_begin(&snap, target, PAGE(IO));

	return status != RV_OK ? status
			       : snapshot_load_records(&snap, 0, snap.count, target, PAGE(IO),
						       PAGE(LOADED));
}

static void must_load(void)
{
	assert_int_equal(load_all(), RV_OK);
}

static u32 first_of(u64 kind, u64 at)
{
	u32 i = 0;

	while (snap.record[i].kind != kind || snap.record[i].at != at) {
		assert_true(++i < snap.count);
	}
	return i;
}

static s64 step(u32 i)
{
	return snapshot_load_records(&snap, i, i + 1, target, PAGE(IO), PAGE(LOADED));
}

static void steps(u32 count)
{
	assert_int_equal(snapshot_load_begin(&snap, target, PAGE(IO)), RV_OK);
	assert_int_equal(snapshot_load_records(&snap, 0, count, target, PAGE(IO), PAGE(LOADED)),
			 RV_OK);
}

/* The VM is off and gives everything back, scrubbed. */
static void end(u64 vm)
{
	u64 results[4] = { 0 };

	CALL(RV_VM_KILL, vm);
	for (u64 gfn = R; gfn < S + S_PAGES; gfn = results[0]) {
		assert_int_equal(snapshot_call(RV_MEM_RECLAIM,
					       (u64[]){ vm, gfn, S + S_PAGES - gfn }, 3, results),
				 RV_OK);
	}
	do {
		assert_int_equal(snapshot_call(RV_VM_DESTROY, &vm, 1, results), RV_OK);
	} while (results[0] > 0);
	fake_attach(vm & 0xff, pa_make(0));
}

static void host_has_back(u64 page, u64 count)
{
	for (u64 i = 0; i < count; i++) {
		assert_true(ledger_is(pfn_make(PAGE(page) + i), OWNER_HOST, PAGE_EXCLUSIVE));
		assert_true(fake_page_is_zero(PAGE(page) + i));
	}
}

/* ---- the round trip ---- */

static void a_restored_vm_is_the_same(void **state)
{
	u64 value, results[4];

	(void)state;
	must_load();
	assert_int_equal(vm_at(TARGET)->state, VM_VERIFIED);
	for (u32 i = 0; i < 3; i++) {
		struct vcpu *old = vcpu_at(SOURCE, i), *new = vcpu_at(TARGET, i);

		assert_memory_equal(&old->ctx, &new->ctx, sizeof(old->ctx));
		assert_memory_equal(&old->timer, &new->timer, sizeof(old->timer));
		assert_memory_equal(old->vgic.ap0r, new->vgic.ap0r, sizeof(old->vgic.ap0r));
		assert_memory_equal(old->vgic.ap1r, new->vgic.ap1r, sizeof(old->vgic.ap1r));
		assert_int_equal(old->vgic.vmcr, new->vgic.vmcr);
		assert_int_equal(old->power, new->power);
		assert_int_equal(old->entry_pc, new->entry_pc);
		assert_int_equal(old->entry_x0, new->entry_x0);
		assert_true(new->has_run);
	}
	assert_memory_equal(vm_at(SOURCE)->instance, vm_at(TARGET)->instance, 32);
	/* The guest's time goes on where it stopped: 2000000 ticks after its start. */
	assert_int_equal(arch_counter() - vm_at(TARGET)->cntvoff, 2000000);
	for (u64 at = 0; at < PAGE_SIZE; at += 8) {
		static const u64 gfns[] = { R + 5, R + 600, S + S_PAGES - 1 };

		for (u32 i = 0; i < 3; i++) {
			u64 ipa = (gfns[i] << PAGE_SHIFT) + at;

			assert_true(fake_read(0, target & 0xff, ipa, &value, FAKE_UNCACHED));
			assert_int_equal(value, word_of(gfns[i], at));
		}
	}
	assert_int_equal(
		snapshot_call(RV_VM_MEASURE, (u64[]){ target, RV_MEASURE_MANIFEST }, 2, results),
		RV_OK);
	assert_memory_equal(results, vm_at(SOURCE)->manifest, 32);
	assert_int_equal(vm_at(TARGET)->guest_pages, 4);
	/* The host does not say where it goes on. */
	expect(RV_E_STATE, RV_VCPU_BOOT, target, 0, R << PAGE_SHIFT, 0);
	assert_int_equal(run(target, 0), RV_OK);
	assert_int_equal(fake_vcpu.el1[CTX_TPIDR_EL1],
			 vcpu_at(SOURCE, 0)->ctx.sysreg[CTX_TPIDR_EL1]);
	assert_int_equal(run(target, 2), RV_OK);
	assert_int_equal(vcpu_at(TARGET, 1)->ctx.pc, (R + 5) << PAGE_SHIFT);
	assert_int_equal(vcpu_at(TARGET, 1)->ctx.x[0], 99);
	assert_int_equal(run(target, 5), RV_E_STATE);
	end(target);
}

static void wishes_of_a_guest(void **state)
{
	static const struct {
		u64 gfn, what;
	} expected[] = {
		{ R, RV_SEAL_BACKED | 1 << 12 },
		{ R + 5, RV_SEAL_BACKED | 1 << 12 },
		{ R + 600, RV_SEAL_BACKED | RV_SEAL_SHARED | 1 << 12 },
		{ R + 700, RV_SEAL_SHARED | 1 << 12 },
		{ R + 1024, RV_SEAL_SHARED | 512 << 12 },
		{ R + 1539, RV_SEAL_DESTROYED | 1 << 12 },
		{ S + S_PAGES - 1, RV_SEAL_BACKED | 1 << 12 },
	};
	u64 value;

	(void)state;
	assert_int_equal(snap.count, 3 + ARRAY_SIZE(expected) + 1);
	for (u32 i = 0; i < ARRAY_SIZE(expected); i++) {
		assert_int_equal(snap.record[3 + i].kind, SNAPSHOT_PAGE);
		assert_int_equal(snap.record[3 + i].at, expected[i].gfn);
		assert_int_equal(snap.record[3 + i].what, expected[i].what);
	}
	must_load();
	for (u64 gfn = R; gfn < R + R_PAGES; gfn++) {
		struct s2_leaf old = s2_walk(&vm_at(SOURCE)->s2, gfn_make(gfn));
		struct s2_leaf new = s2_walk(&vm_at(TARGET)->s2, gfn_make(gfn));

		assert_int_equal(old.is_mapped, new.is_mapped);
		assert_int_equal(old.wish, new.wish);
	}
	/* Of the pages, the host reaches the shared one. */
	for (u32 i = 3; i < snap.count - 1; i++) {
		bool is_shared = (snap.record[i].what & RV_SEAL_SHARED) != 0;

		if ((snap.record[i].what & RV_SEAL_BACKED) != 0) {
			assert_int_equal(fake_host_read(1, PAGE(LOADED + i) << PAGE_SHIFT, &value),
					 is_shared);
			assert_true(fake_page_is_clean(PAGE(LOADED + i)));
		}
	}
	/* What comes to a declared gfn later is shared from the start. */
	expect(RV_OK, RV_MEM_MAP, target, R + 1030, PAGE(LOADED_2), 1);
	assert_true(fake_host_write(0, PAGE(LOADED_2) << PAGE_SHIFT, 5));
	expect(RV_E_STATE, RV_MEM_MAP, target, R + 1539, PAGE(LOADED_2 + 1), 1);
}

static void a_vcpu_that_waits_for_a_device_goes_on_waiting(void **state)
{
	const u64 esr =
		EC_DABT_LOWER << ESR_EC_SHIFT | ESR_IL | ESR_ISV | 2u << 22 | 3u << 16 | 0x07;
	struct rv_run *page = arch_core_va(pfn_pa(pfn_make(vcpu_page(TARGET, 0) + 1)));
	u64 pc = vcpu_at(SOURCE, 0)->ctx.pc, results[4];

	(void)state;
	fake_vcpu_add((struct fake_step){ ARCH_EVENT_SYNC, esr, 0, WAIT_GFN << 4, NULL });
	assert_int_equal(snapshot_call(RV_VCPU_RUN, (u64[]){ source, 0 }, 2, results), RV_OK);
	assert_int_equal(results[0], RV_EXIT_MMIO);
	assert_int_equal(snapshot_save(&snap, source, PAGE(IO)), RV_OK);
	must_load();
	page->in_flags = RV_IN_RESULT;
	page->in_data = 0x12345678;
	assert_int_equal(run(target, 0), RV_OK);
	assert_int_equal(vcpu_at(TARGET, 0)->ctx.x[3], 0x12345678);
	assert_int_equal(vcpu_at(TARGET, 0)->ctx.pc, pc + 4);
}

static void a_restored_vm_can_be_saved_again(void **state)
{
	static struct snapshot second;
	u64 again;

	(void)state;
	must_load();
	assert_int_equal(snapshot_save(&second, target, PAGE(IO)), RV_OK);
	assert_int_equal(second.count, snap.count);
	assert_memory_equal(second.header.instance, snap.header.instance, 32);
	assert_memory_not_equal(second.header.epoch, snap.header.epoch, 32);
	for (u32 i = 0; i < snap.count; i++) {
		assert_memory_not_equal(second.record[i].tag, snap.record[i].tag, 16);
	}
	snap = second;
	again = build(OTHER);
	assert_int_equal(snapshot_load_begin(&snap, again, PAGE(IO)), RV_OK);
	assert_int_equal(
		snapshot_load_records(&snap, 0, snap.count, again, PAGE(IO), PAGE(LOADED_2)),
		RV_OK);
	assert_int_equal(run(again, 0), RV_OK);
}

/* ---- records at the wrong place ---- */

/* Nothing runs, nothing was taken; and the right record still goes. */
static void goes_on_with(u32 i)
{
	assert_int_equal(run(target, 0), RV_E_STATE);
	assert_int_equal(vm_at(TARGET)->state, VM_READY);
	assert_int_equal(vm_at(TARGET)->seal.records, i);
	assert_int_equal(
		snapshot_load_records(&snap, i, snap.count, target, PAGE(IO), PAGE(LOADED)), RV_OK);
	assert_int_equal(run(target, 0), RV_OK);
	end(target);
	target = build(TARGET);
}

/* A record that is not record i. Content that was taken is given back scrubbed. */
static void refused(const struct snapshot_record *record, u32 i, s64 status)
{
	bool is_page = record->kind == SNAPSHOT_PAGE && (record->what & RV_SEAL_BACKED) != 0;

	steps(i);
	assert_int_equal(snapshot_load_record(record, target, PAGE(LOADED_2)), status);
	assert_true(ledger_is(pfn_make(PAGE(LOADED_2)), OWNER_HOST, PAGE_EXCLUSIVE));
	if (is_page && status == RV_E_AUTH) {
		assert_true(fake_page_is_zero(PAGE(LOADED_2)));
	}
	goes_on_with(i);
}

static void a_missing_record_is_noticed(void **state)
{
	(void)state;
	for (u32 i = 0; i + 1 < snap.count; i++) {
		/* At once, whatever comes instead. */
		bool is_turn = snap.record[i].kind != SNAPSHOT_VCPU;

		refused(&snap.record[i + 1], i, is_turn ? RV_E_AUTH : RV_E_STATE);
	}
}

static void an_early_end_is_noticed(void **state)
{
	(void)state;
	for (u32 i = 0; i + 1 < snap.count; i++) {
		refused(&snap.record[snap.count - 1], i, i < 3 ? RV_E_STATE : RV_E_AUTH);
	}
}

static void a_repeated_record_is_noticed(void **state)
{
	(void)state;
	for (u32 i = 1; i + 1 < snap.count; i++) {
		struct snapshot_record again = snap.record[i - 1];

		refused(&again, i, RV_E_STATE);
		if (again.kind == SNAPSHOT_PAGE && (again.what & RV_SEAL_BACKED) != 0) {
			/* At the next place, as a second page. */
			again.at++;
			refused(&again, i, RV_E_AUTH);
		}
	}
}

static void a_flipped_bit_is_noticed(void **state)
{
	(void)state;
	for (u32 i = 0; i < snap.count; i++) {
		struct snapshot_record bad = snap.record[i];
		bool has_content = bad.kind != SNAPSHOT_PAGE || (bad.what & RV_SEAL_BACKED) != 0;

		bad.tag[i % 2] ^= 1ull << (i * 7 % 64);
		refused(&bad, i, RV_E_AUTH);
		if (has_content) {
			bad = snap.record[i];
			bad.page[i * 401 % PAGE_SIZE] ^= 1;
			refused(&bad, i, RV_E_AUTH);
			bad = snap.record[i];
			bad.page[PAGE_SIZE - 1] ^= 0x80;
			refused(&bad, i, RV_E_AUTH);
		}
	}
}

static void a_record_says_where_it_belongs(void **state)
{
	u32 private = first_of(SNAPSHOT_PAGE, R + 5), shared = first_of(SNAPSHOT_PAGE, R + 600);
	u32 unbacked = first_of(SNAPSHOT_PAGE, R + 700),
	    destroyed = first_of(SNAPSHOT_PAGE, R + 1539);
	struct snapshot_record bad;

	(void)state;
	bad = snap.record[private]; /* at another gfn */
	bad.at++;
	refused(&bad, private, RV_E_AUTH);
	bad = snap.record[private]; /* the host would like to see it */
	bad.what |= RV_SEAL_SHARED;
	refused(&bad, private, RV_E_AUTH);
	bad = snap.record[private]; /* as if it were not backed */
	bad.what = RV_SEAL_SHARED | 1 << RV_SEAL_PAGES_SHIFT;
	refused(&bad, private, RV_E_AUTH);
	bad = snap.record[shared];
	bad.what &= ~RV_SEAL_SHARED;
	refused(&bad, shared, RV_E_AUTH);
	bad = snap.record[unbacked];
	bad.what ^= RV_SEAL_SHARED | RV_SEAL_DESTROYED;
	refused(&bad, unbacked, RV_E_AUTH);
	bad = snap.record[unbacked + 1]; /* fewer of them */
	bad.what = RV_SEAL_SHARED | 1 << RV_SEAL_PAGES_SHIFT;
	refused(&bad, unbacked + 1, RV_E_AUTH);
	bad = snap.record[destroyed];
	bad.what |= RV_SEAL_BACKED;
	refused(&bad, destroyed, RV_E_INVALID);
}

static void swapped_vcpus_are_noticed(void **state)
{
	struct snapshot_record bad = snap.record[0];

	(void)state;
	bad.at = snap.record[1].at;
	refused(&bad, 0, RV_E_STATE);
	bad = snap.record[1];
	bad.at = snap.record[0].at;
	refused(&bad, 0, RV_E_AUTH);
	bad.kind = SNAPSHOT_PAGE;
	bad.what = RV_SEAL_BACKED | 1 << RV_SEAL_PAGES_SHIFT;
	bad.at = R;
	refused(&bad, 3, RV_E_AUTH);
}

/* Records of another snapshot of the same VM, and of another VM with the same owner. */
static void foreign_records_are_noticed(void **state)
{
	static struct snapshot others;
	u64 other = build(OTHER);

	(void)state;
	assert_int_equal(snapshot_save(&others, source, PAGE(IO)), RV_OK);
	for (u32 i = 0; i < others.count; i++) {
		refused(&others.record[i], i, RV_E_AUTH);
	}
	verify(other, IMAGE + 1);
	assert_int_equal(snapshot_save(&others, other, PAGE(IO)), RV_OK);
	for (u32 i = 0; i < 4; i++) {
		refused(&others.record[i], i, RV_E_AUTH);
	}
}

static s64 begin_with(const struct rv_seal_header *header)
{
	snapshot_put(PAGE(IO), header, sizeof(*header));
	return CALL(RV_SEAL_LOAD_BEGIN, target, PAGE(IO));
}

static void every_bit_of_the_header_counts(void **state)
{
	struct rv_seal_header header;

	(void)state;
	for (u64 bit = 0; bit < sizeof(header) * 8; bit += 3) {
		u64 byte = bit / 8;
		s64 expected = RV_E_INVALID, status;

		header = snap.header;
		((u8 *)&header)[byte] ^= (u8)(1u << bit % 8);
		if (byte >= offsetof(struct rv_seal_header, owner) &&
		    byte < offsetof(struct rv_seal_header, manifest)) {
			expected = RV_E_PERM;
		} else if (byte >= offsetof(struct rv_seal_header, manifest) &&
			   byte < offsetof(struct rv_seal_header, ram_count)) {
			expected = RV_OK; /* what it was is not known: the key is another one */
		}
		status = begin_with(&header);
		assert_int_equal(status, expected);
		if (status == RV_OK) {
			assert_int_equal(step(0), RV_E_AUTH);
			end(target);
			target = build(TARGET);
		}
	}
	must_load();
}

static void another_owner_or_shape_is_refused(void **state)
{
	(void)state;
	end(target);
	target = build_with(TARGET, &stranger, R_PAGES, ARRAY_SIZE(indices));
	assert_int_equal(begin_with(&snap.header), RV_E_PERM);
	end(target);
	target = build_with(TARGET, &owner, R_PAGES - 1, ARRAY_SIZE(indices));
	assert_int_equal(begin_with(&snap.header), RV_E_INVALID);
	end(target);
	target = build_with(TARGET, &owner, R_PAGES, 2);
	assert_int_equal(begin_with(&snap.header), RV_E_INVALID);
}

static void another_root_secret_opens_nothing(void **state)
{
	(void)state;
	root[31] ^= 1;
	seal_init(root);
	assert_int_equal(load_all(), RV_E_AUTH);
	end(target);
	target = build(TARGET);
	seal_forget();
	seal_init(NULL); /* random */
	assert_int_equal(load_all(), RV_E_AUTH);
	end(target);
	target = build(TARGET);
	root[31] ^= 1;
	seal_init(root);
	must_load();
}

/* ---- who knows the root secret ---- */

struct bound {
	u64 kind, at, what, number, bytes;
	u8 epoch[32];
};

/* docs/sealing.md, written once more. */
static void address(const struct snapshot_record *record, u64 number, u8 key[32], u8 nonce[12],
		    struct bound *bound)
{
	bool has_content = record->kind != SNAPSHOT_PAGE || (record->what & RV_SEAL_BACKED) != 0;
	u32 kind = (u32)record->kind;

	*bound = (struct bound){
		record->kind, record->at, record->what, number, has_content ? PAGE_SIZE : 0, { 0 }
	};
	memcpy(bound->epoch, snap.header.epoch, 32);
	crypto_derive(root, snap.header.epoch, &snap.header, sizeof(snap.header), key);
	memcpy(nonce, &kind, 4);
	memcpy(nonce + 4, &number, 8);
}

static bool open_record(struct snapshot_record *record, u64 number)
{
	struct bound bound;
	u8 key[32], nonce[12];

	address(record, number, key, nonce, &bound);
	return __real_crypto_open(&(struct crypto_record){ key, nonce, &bound, sizeof(bound) },
				  record->page, bound.bytes, (u8 *)record->tag);
}

static void seal_record(struct snapshot_record *record, u64 number)
{
	struct bound bound;
	u8 key[32], nonce[12];

	address(record, number, key, nonce, &bound);
	__real_crypto_seal(&(struct crypto_record){ key, nonce, &bound, sizeof(bound) },
			   record->page, bound.bytes, (u8 *)record->tag);
}

static void the_format_is_as_documented(void **state)
{
	struct crypto_hash set;
	u64 last[3];
	u8 digest[32];

	(void)state;
	crypto_hash_begin(&set);
	for (u32 i = 0; i + 1 < snap.count; i++) {
		const struct snapshot_record *record = &snap.record[i];
		const u64 entry[] = { record->kind, record->at, record->what, record->tag[0],
				      record->tag[1] };

		crypto_hash_add(&set, entry, sizeof(entry));
		assert_true(open_record(&snap.record[i], i));
	}
	crypto_hash_end(&set, digest);
	assert_true(open_record(&snap.record[snap.count - 1], snap.count - 1));
	memcpy(last, snap.record[snap.count - 1].page, sizeof(last));
	assert_int_equal(last[0], 4); /* pages */
	assert_int_equal(last[1], snap.count - 1);
	assert_int_equal(last[2], 3);
	assert_memory_equal(snap.record[snap.count - 1].page + 24, snap.header.manifest, 32);
	assert_memory_equal(snap.record[snap.count - 1].page + 56, digest, 32);
	/* A page's content is the page; a vCPU's begins with its registers. */
	for (u64 at = 0; at < PAGE_SIZE; at += 8) {
		u64 word;

		memcpy(&word, snap.record[first_of(SNAPSHOT_PAGE, R + 5)].page + at, 8);
		assert_int_equal(word, word_of(R + 5, at));
	}
	assert_memory_equal(snap.record[1].page, &vcpu_at(SOURCE, 1)->ctx, sizeof(struct context));
	for (u64 at = 2048; at < PAGE_SIZE; at++) {
		assert_int_equal(snap.record[1].page[at] | snap.record[snap.count - 1].page[at], 0);
	}
}

static void the_end_record_must_fit_what_was_loaded(void **state)
{
	const u32 i = snap.count - 1;

	(void)state;
	for (u32 byte = 0; byte < 88; byte += 8) {
		struct snapshot_record forged = snap.record[i];

		assert_true(open_record(&forged, i));
		forged.page[byte] ^= 1;
		seal_record(&forged, i);
		refused(&forged, i, RV_E_AUTH);
	}
}

static void a_forged_vcpu_gets_no_further_than_el1(void **state)
{
	static const u8 widths[] = { 0, 3, 16 };
	static const u64 bad[] = { 0x9 /* EL2h */, 0x8, 0xd, 0x13 /* AArch32 SVC */ };
	struct snapshot_record forged;

	(void)state;
	for (u32 i = 0; i < ARRAY_SIZE(bad); i++) {
		forged = snap.record[0];
		assert_true(open_record(&forged, 0));
		memcpy(forged.page + CONTEXT_PSTATE, &bad[i], 8);
		seal_record(&forged, 0);
		refused(&forged, 0, RV_E_AUTH);
		assert_int_not_equal(vcpu_at(TARGET, 0)->ctx.pstate, bad[i]);
	}
	forged = snap.record[0];
	assert_true(open_record(&forged, 0));
	forged.page[sizeof(struct context)] = VCPU_ON + 1;
	seal_record(&forged, 0);
	refused(&forged, 0, RV_E_AUTH);
	/* an access of no width, or of one that no instruction has */
	for (u32 i = 0; i < ARRAY_SIZE(widths); i++) {
		struct vcpu_pending pending = { .is_mmio = true, .bytes = widths[i] };

		forged = snap.record[0];
		assert_true(open_record(&forged, 0));
		memcpy(forged.page + offsetof(struct seal_vcpu, pending), &pending,
		       sizeof(pending));
		seal_record(&forged, 0);
		refused(&forged, 0, RV_E_AUTH);
	}
}

/* ---- the host meanwhile ---- */

static u64 touched;

static void host_writes(void)
{
	assert_true(fake_host_write(1, (PAGE(IO) << PAGE_SHIFT) + 8, ODD));
	touched++;
}

static void host_cannot_write(void)
{
	assert_false(fake_host_write(1, (PAGE(LOADED_2) << PAGE_SHIFT) + 8, ODD));
	touched++;
}

static void a_record_is_read_once(void **state)
{
	(void)state;
	touched = 0;
	assert_int_equal(snapshot_load_begin(&snap, target, PAGE(IO)), RV_OK);
	for (u32 i = 0; i < snap.count; i++) {
		bool is_page = snap.record[i].kind == SNAPSHOT_PAGE;

		before_open = !is_page ? host_writes : NULL;
		assert_int_equal(step(i), RV_OK);
	}
	assert_int_equal(touched, 4);
	assert_int_equal(run(target, 0), RV_OK);
}

static void a_page_leaves_the_host_before_it_is_opened(void **state)
{
	u64 gfns[] = { R + 5, R + 600 }, value;

	(void)state;
	for (u32 n = 0; n < 2; n++) {
		u32 i = first_of(SNAPSHOT_PAGE, gfns[n]);

		touched = 0;
		steps(i);
		before_open = host_cannot_write;
		/* And who writes until the last moment is noticed. */
		assert_true(fake_host_read(2, PAGE(LOADED_2) << PAGE_SHIFT, &value));
		fake_hostile_writer(2, OWNER_HOST, PAGE(LOADED_2) << PAGE_SHIFT, 3);
		assert_int_equal(snapshot_load_record(&snap.record[i], target, PAGE(LOADED_2)),
				 RV_E_AUTH);
		fake_calm();
		before_open = NULL;
		assert_int_equal(touched, 1);
		goes_on_with(i);
	}
}

/* The page under a record cannot be given away, and is free again afterwards. */
static void host_gives_the_page_away(void)
{
	fake_cpu_set(1);
	assert_int_equal(mem_host_take_core(PAGE(IO)), CV_E_STATE);
	fake_cpu_set(0);
	touched++;
}

static void the_page_of_a_record_is_pinned(void **state)
{
	(void)state;
	touched = 0;
	steps(0);
	/* Ranks: the VM's lock is held by CPU 0; CPU 1 takes the block's. */
	before_open = host_gives_the_page_away;
	assert_int_equal(step(0), RV_OK);
	assert_int_equal(touched, 1);
	assert_true(ledger_is(pfn_make(PAGE(IO)), OWNER_HOST, PAGE_EXCLUSIVE));
	assert_int_equal(mem_host_take_core(PAGE(IO)), CV_OK);
	mem_host_untake_core(pfn_make(PAGE(IO)));
}

static bool page_holds(u64 pfn, const void *what, u64 bytes)
{
	static u8 page[PAGE_SIZE];

	snapshot_get(pfn, page, PAGE_SIZE);
	return memmem(page, PAGE_SIZE, what, bytes) != NULL;
}

/* No 16 bytes of a private page or of a vCPU are in what the host got. */
static void the_host_sees_no_plaintext(void **state)
{
	static u8 plain[PAGE_SIZE];

	(void)state;
	for (u64 at = 0; at < PAGE_SIZE; at += 8) {
		u64 word = word_of(R + 5, at);

		memcpy(plain + at, &word, 8);
	}
	for (u32 i = 0; i < snap.count; i++) {
		for (u64 at = 0; at < PAGE_SIZE; at += 16) {
			assert_null(memmem(snap.record[i].page, PAGE_SIZE, plain + at, 16));
		}
		for (u64 at = 0; at + 16 <= sizeof(struct context); at += 16) {
			assert_null(memmem(snap.record[i].page, PAGE_SIZE,
					   (u8 *)&vcpu_at(SOURCE, 0)->ctx + at, 16));
		}
	}
	assert_false(page_holds(PAGE(IO), plain, 16));
}

/* What the host had in its page is not mixed into what it gets. */
static void a_header_fills_its_page(void **state)
{
	static u8 page[PAGE_SIZE];

	(void)state;
	memset(page, 0xa5, sizeof(page));
	snapshot_put(PAGE(IO), page, sizeof(page));
	expect(RV_OK, RV_SEAL_SAVE_BEGIN, source, PAGE(IO));
	snapshot_get(PAGE(IO), page, sizeof(page));
	for (u64 i = sizeof(struct rv_seal_header); i < PAGE_SIZE; i++) {
		assert_int_equal(page[i], 0);
	}
}

/* ---- frozen ---- */

static void a_vm_that_is_saved_is_frozen(void **state)
{
	u64 results[4];

	(void)state;
	expect(RV_OK, RV_SEAL_SAVE_BEGIN, source, PAGE(IO));
	assert_int_equal(run(source, 0), RV_E_BUSY);
	expect(RV_E_BUSY, RV_MEM_MAP, source, R + 9, PAGE(SPARE + 9), 1);
	expect(RV_E_STATE, RV_MEM_RECLAIM, source, R, 1);
	expect(RV_E_BUSY, RV_SEAL_SAVE_BEGIN, source, PAGE(IO));
	expect(RV_E_STATE, RV_SEAL_LOAD_BEGIN, source, PAGE(IO));
	expect(RV_OK, RV_VM_TOPUP, source, PAGE(POOL)); /* harmless */
	snapshot_get(PAGE(IO), &snap.header, sizeof(snap.header));
	assert_int_equal(snapshot_save_rest(&snap, source, PAGE(IO)), RV_OK);
	assert_int_equal(run(source, 0), RV_OK);
	assert_int_equal(
		snapshot_call(RV_MEM_MAP, (u64[]){ source, R + 9, PAGE(SPARE + 9), 1 }, 4, results),
		RV_OK);
	/* A snapshot of a VM that has not started yet is none of its start. */
	vcpu_at(SOURCE, 0)->has_run = false;
	expect(RV_OK, RV_SEAL_SAVE_BEGIN, source, PAGE(IO));
	expect(RV_E_BUSY, RV_VCPU_BOOT, source, 0, R << PAGE_SHIFT, 0);
	must_load();
}

static void a_vm_that_is_loaded_changes_by_its_records_alone(void **state)
{
	(void)state;
	for (u32 i = 0; i <= snap.count - 1; i++) {
		steps(i);
		assert_int_equal(run(target, 0), RV_E_STATE);
		expect(RV_E_STATE, RV_VCPU_BOOT, target, 0, R << PAGE_SHIFT, 0);
		expect(RV_E_STATE, RV_MEM_MAP, target, R + 9, PAGE(SPARE + 9), 1);
		expect(RV_E_STATE, RV_VM_ADD_RAM, target, 0x10000, 1);
		expect(RV_E_STATE, RV_VCPU_CREATE, target, 7, PAGE(SPARE + 9), PAGE(SPARE + 10));
		expect(RV_E_STATE, RV_IMAGE_ADD, target, R << PAGE_SHIFT, PAGE_SIZE);
		expect(RV_E_STATE, RV_VM_VERIFY, target, PAGE(LAUNCH));
		expect(RV_E_STATE, RV_SEAL_LOAD_BEGIN, target, PAGE(IO));
		expect(RV_E_STATE, RV_SEAL_SAVE_BEGIN, target, PAGE(IO));
		goes_on_with(i);
	}
}

static void saving_can_be_given_up(void **state)
{
	(void)state;
	expect(RV_OK, RV_SEAL_SAVE_BEGIN, source, PAGE(IO));
	expect(RV_OK, RV_SEAL_SAVE_VCPU, source, 0, PAGE(IO));
	expect(RV_OK, RV_SEAL_ABORT, source);
	expect(RV_E_STATE, RV_SEAL_SAVE_VCPU, source, 2, PAGE(IO));
	assert_int_equal(run(source, 0), RV_OK);
	assert_int_equal(pool_count(&vm_at(SOURCE)->tables), TABLES - 6);
	/* The next one is another one: no nonce comes again (__wrap_crypto_seal looks). */
	assert_int_equal(snapshot_save(&snap, source, PAGE(IO)), RV_OK);
	must_load();
}

/* Half a snapshot must not be completed by images. */
static void a_load_that_is_given_up_ends_the_vm(void **state)
{
	(void)state;
	for (u32 i = 0; i < snap.count; i++) {
		static const u8 zero[sizeof(struct seal)];

		steps(i);
		assert_int_equal(
			i % 2 == 0 ? CALL(RV_SEAL_ABORT, target) : CALL(RV_VM_KILL, target), RV_OK);
		assert_int_equal(vm_at(TARGET)->state, VM_POWEROFF);
		assert_memory_equal(&vm_at(TARGET)->seal, zero, sizeof(zero));
		assert_int_equal(i < snap.count - 1 ? step(i) : RV_E_STATE, RV_E_STATE);
		end(target);
		for (u32 page = 0; page < i; page++) {
			if ((snap.record[page].what & RV_SEAL_BACKED) != 0) {
				host_has_back(LOADED + page, 1);
			}
		}
		host_has_back(TARGET, 4 + TABLES);
		target = build(TARGET);
	}
}

static void a_vm_killed_while_it_is_saved_leaves_nothing(void **state)
{
	u64 core = ledger_count(RV_PAGES_CORE);

	(void)state;
	end(target);
	core = ledger_count(RV_PAGES_CORE);
	expect(RV_OK, RV_SEAL_SAVE_BEGIN, source, PAGE(IO));
	expect(RV_OK, RV_SEAL_SAVE_VCPU, source, 0, PAGE(IO));
	end(source);
	host_has_back(SOURCE, 4 + TABLES);
	assert_int_equal(ledger_count(RV_PAGES_VM), 0);
	assert_int_equal(ledger_count(RV_PAGES_CORE), core - 3 - TABLES - 3);
	assert_int_equal(ledger_count(RV_PAGES_HOST_SHARED), 0);
}

/* ---- statuses, in the order of abi.h ---- */

static void statuses_of_save_begin(void **state)
{
	struct vm *vm = vm_at(SOURCE);
	struct pool taken;

	(void)state;
	expect(RV_E_NOENT, RV_SEAL_SAVE_BEGIN, 77, NO_RAM);
	expect(RV_E_RANGE, RV_SEAL_SAVE_BEGIN, target, NO_RAM);
	expect(RV_E_RANGE, RV_SEAL_SAVE_BEGIN, source, ~0ull);
	expect(RV_E_STATE, RV_SEAL_SAVE_BEGIN, target, PAGE(IO));
	vm->may_be_saved = false;
	expect(RV_E_STATE, RV_SEAL_SAVE_BEGIN, source, PAGE(SOURCE));
	vm->active_count = 1;
	expect(RV_E_PERM, RV_SEAL_SAVE_BEGIN, source, PAGE(IO));
	vm->may_be_saved = true;
	vm->device_pages = 1;
	expect(RV_E_PERM, RV_SEAL_SAVE_BEGIN, source, PAGE(IO));
	vm->device_pages = 0;
	vm->is_protected = false;
	expect(RV_E_PERM, RV_SEAL_SAVE_BEGIN, source, PAGE(IO));
	vm->is_protected = true;
	seal_forget();
	expect(RV_E_BUSY, RV_SEAL_SAVE_BEGIN, source, PAGE(IO));
	vm->active_count = 0;
	vm->dma_contexts = 1;
	expect(RV_E_BUSY, RV_SEAL_SAVE_BEGIN, source, PAGE(IO));
	vm->dma_contexts = 0;
	assert_true(pool_reserve(&vm->tables, &taken, pool_count(&vm->tables), 0));
	expect(RV_E_NOENTROPY, RV_SEAL_SAVE_BEGIN, source, PAGE(IO));
	seal_init(root);
	fake_entropy = false;
	seal_init(NULL);
	fake_entropy = true;
	expect(RV_E_NOENTROPY, RV_SEAL_SAVE_BEGIN, source, PAGE(IO));
	seal_init(root);
	fake_entropy = false;
	expect(RV_E_NOENTROPY, RV_SEAL_SAVE_BEGIN, source, PAGE(IO));
	fake_entropy = true;
	expect(RV_E_NOMEM, RV_SEAL_SAVE_BEGIN, source, PAGE(IO));
	expect(RV_OK, RV_VM_TOPUP, source, PAGE(POOL));
	expect(RV_OK, RV_SEAL_SAVE_BEGIN, source, PAGE(IO));
	assert_int_equal(vm->seal.mode, SEAL_SAVING);
	assert_true(ledger_is(pfn_make(PAGE(IO)), OWNER_HOST, PAGE_EXCLUSIVE));
}

static void statuses_of_saving(void **state)
{
	u64 results[4], pages = 0;

	(void)state;
	expect(RV_E_NOENT, RV_SEAL_SAVE_VCPU, 77, 0, PAGE(IO));
	expect(RV_E_STATE, RV_SEAL_SAVE_VCPU, source, 0, PAGE(IO));
	expect(RV_E_STATE, RV_SEAL_SAVE_PAGE, source, PAGE(IO));
	expect(RV_E_STATE, RV_SEAL_SAVE_END, source, PAGE(IO));
	expect(RV_OK, RV_SEAL_SAVE_BEGIN, source, PAGE(IO));

	expect(RV_E_NOENT, RV_SEAL_SAVE_VCPU, source, 1, NO_RAM);
	expect(RV_E_NOENT, RV_SEAL_SAVE_VCPU, source, ~0ull, NO_RAM);
	expect(RV_E_NOENT, RV_SEAL_SAVE_VCPU, source, 64, NO_RAM);
	expect(RV_E_RANGE, RV_SEAL_SAVE_VCPU, source, 2, NO_RAM);
	expect(RV_E_STATE, RV_SEAL_SAVE_VCPU, source, 2, PAGE(IO));
	expect(RV_E_STATE, RV_SEAL_SAVE_VCPU, source, 0, PAGE(SOURCE));
	expect(RV_E_STATE, RV_SEAL_SAVE_VCPU, source, 0, vcpu_page(SOURCE, 0) + 1);
	for (u32 i = 0; i < 3; i++) {
		expect(RV_E_STATE, RV_SEAL_SAVE_PAGE, source, PAGE(IO));
		expect(RV_E_STATE, RV_SEAL_SAVE_END, source, PAGE(IO));
		expect(RV_OK, RV_SEAL_SAVE_VCPU, source, indices[i], PAGE(IO));
		expect(RV_E_STATE, RV_SEAL_SAVE_VCPU, source, indices[i], PAGE(IO));
	}

	expect(RV_E_NOENT, RV_SEAL_SAVE_PAGE, 77, NO_RAM);
	expect(RV_E_RANGE, RV_SEAL_SAVE_PAGE, source, NO_RAM);
	expect(RV_E_RANGE, RV_SEAL_SAVE_PAGE, target, NO_RAM);
	expect(RV_E_STATE, RV_SEAL_SAVE_PAGE, source, PAGE(IMAGE));
	do {
		expect(RV_E_STATE, RV_SEAL_SAVE_END, source, PAGE(IO));
		assert_int_equal(
			snapshot_call(RV_SEAL_SAVE_PAGE, (u64[]){ source, PAGE(IO) }, 2, results),
			RV_OK);
		pages++;
	} while (results[0] != RV_SEAL_NO_GFN);
	assert_int_equal(results[1] | results[2] | results[3], 0);
	assert_int_equal(pages, 8);
	/* Again the same answer, and no record. */
	assert_int_equal(snapshot_call(RV_SEAL_SAVE_PAGE, (u64[]){ source, PAGE(IO) }, 2, results),
			 RV_OK);
	assert_int_equal(results[0], RV_SEAL_NO_GFN);
	assert_int_equal(vm_at(SOURCE)->seal.records, 3 + 7);

	expect(RV_E_NOENT, RV_SEAL_SAVE_END, 77, NO_RAM);
	expect(RV_E_RANGE, RV_SEAL_SAVE_END, source, NO_RAM);
	expect(RV_E_STATE, RV_SEAL_SAVE_END, source, PAGE(IMAGE));
	expect(RV_OK, RV_SEAL_SAVE_END, source, PAGE(IO));
	expect(RV_E_STATE, RV_SEAL_SAVE_END, source, PAGE(IO));
	expect(RV_E_STATE, RV_SEAL_ABORT, source);
	expect(RV_E_NOENT, RV_SEAL_ABORT, 77);
}

static void statuses_of_load_begin(void **state)
{
	struct vm *vm = vm_at(TARGET);
	struct rv_seal_header bad = snap.header;
	struct pool taken;

	(void)state;
	snapshot_put(PAGE(IO), &snap.header, sizeof(snap.header));
	expect(RV_E_NOENT, RV_SEAL_LOAD_BEGIN, 77, NO_RAM);
	expect(RV_E_RANGE, RV_SEAL_LOAD_BEGIN, source, NO_RAM);
	expect(RV_E_STATE, RV_SEAL_LOAD_BEGIN, source, PAGE(IO));
	expect(RV_E_STATE, RV_SEAL_LOAD_BEGIN, target, PAGE(SOURCE));
	vm->dma_contexts = 1;
	expect(RV_E_STATE, RV_SEAL_LOAD_BEGIN, target, PAGE(IO));
	vm->dma_contexts = 0;
	vm->device_pages = 1;
	expect(RV_E_STATE, RV_SEAL_LOAD_BEGIN, target, PAGE(IO));
	vm->device_pages = 0;
	vm->guest_pages = 1;
	expect(RV_E_STATE, RV_SEAL_LOAD_BEGIN, target, PAGE(IO));
	vm->guest_pages = 0;
	expect(RV_OK, RV_IMAGE_ADD, target, R << PAGE_SHIFT, 1);
	expect(RV_E_STATE, RV_SEAL_LOAD_BEGIN, target, PAGE(IO));
	end(target);
	target = build(TARGET);
	vm = vm_at(TARGET);
	/* What is asked of a VM without vCPUs is its shape. */
	expect(RV_E_INVALID, RV_SEAL_LOAD_BEGIN, build_with(OTHER, &owner, R_PAGES, 0), PAGE(IO));
	bad.owner[0] ^= 1;
	bad.magic ^= 1;
	assert_int_equal(begin_with(&bad), RV_E_INVALID);
	bad.magic ^= 1;
	seal_forget();
	assert_int_equal(begin_with(&bad), RV_E_PERM);
	vm->is_protected = false;
	assert_int_equal(begin_with(&snap.header), RV_E_PERM);
	vm->is_protected = true;
	assert_true(pool_reserve(&vm->tables, &taken, pool_count(&vm->tables), 0));
	assert_int_equal(begin_with(&snap.header), RV_E_NOENTROPY);
	seal_init(root);
	assert_int_equal(begin_with(&snap.header), RV_E_NOMEM);
	assert_true(ledger_is(pfn_make(PAGE(IO)), OWNER_HOST, PAGE_EXCLUSIVE));
	pool_return(&vm->tables, &taken);
	must_load();
}

static void statuses_of_loading(void **state)
{
	const u64 backed = RV_SEAL_BACKED | 1 << RV_SEAL_PAGES_SHIFT;
	static const u64 malformed[] = {
		0,
		1 << 12,
		RV_SEAL_BACKED,
		RV_SEAL_BACKED | 2 << 12,
		RV_SEAL_BACKED | 512 << 12,
		RV_SEAL_BACKED | RV_SEAL_DESTROYED | 1 << 12,
		RV_SEAL_SHARED | RV_SEAL_DESTROYED | 1 << 12,
		RV_SEAL_SHARED | 0 << 12,
		RV_SEAL_SHARED | 2 << 12,
		RV_SEAL_SHARED | 1ull << 63,
		RV_SEAL_BACKED | 1 << 3 | 1 << 12,
	};

	(void)state;
	expect(RV_E_STATE, RV_SEAL_LOAD_VCPU, target, 0, PAGE(IO), 1, 2);
	expect(RV_E_STATE, RV_SEAL_LOAD_PAGE, target, R, backed, PAGE(IO), 1, 2);
	expect(RV_E_STATE, RV_SEAL_LOAD_END, target, PAGE(IO), 1, 2);
	steps(0);
	expect(RV_E_NOENT, RV_SEAL_LOAD_VCPU, 77, 1, NO_RAM, 1, 2);
	expect(RV_E_NOENT, RV_SEAL_LOAD_VCPU, target, 1, NO_RAM, 1, 2);
	expect(RV_E_NOENT, RV_SEAL_LOAD_VCPU, target, ~0ull, NO_RAM, 1, 2);
	expect(RV_E_RANGE, RV_SEAL_LOAD_VCPU, target, 2, NO_RAM, 1, 2);
	expect(RV_E_STATE, RV_SEAL_LOAD_VCPU, target, 2, PAGE(IO), 1, 2);
	expect(RV_E_STATE, RV_SEAL_LOAD_VCPU, target, 0, PAGE(SOURCE), 1, 2);
	expect(RV_E_AUTH, RV_SEAL_LOAD_VCPU, target, 0, PAGE(IO), 1, 2);
	assert_int_equal(step(0), RV_OK);
	expect(RV_E_STATE, RV_SEAL_LOAD_PAGE, target, R, backed, PAGE(IO), 1, 2);
	expect(RV_E_STATE, RV_SEAL_LOAD_END, target, PAGE(IO), 1, 2);
	assert_int_equal(step(1), RV_OK);
	assert_int_equal(step(2), RV_OK);

	for (u32 i = 0; i < ARRAY_SIZE(malformed); i++) {
		expect(RV_E_INVALID, RV_SEAL_LOAD_PAGE, 77, R, malformed[i], PAGE(IO), 1, 2);
	}
	expect(RV_E_INVALID, RV_SEAL_LOAD_PAGE, target, R + 1, RV_SEAL_SHARED | 512 << 12, PAGE(IO),
	       1, 2);
	expect(RV_E_NOENT, RV_SEAL_LOAD_PAGE, 77, R, backed, NO_RAM, 1, 2);
	expect(RV_E_RANGE, RV_SEAL_LOAD_PAGE, source, R, backed, NO_RAM, 1, 2);
	expect(RV_E_RANGE, RV_SEAL_LOAD_PAGE, source, 0, backed, PAGE(IO), 1, 2);
	expect(RV_E_RANGE, RV_SEAL_LOAD_PAGE, source, ~0ull, backed, PAGE(IO), 1, 2);
	expect(RV_E_RANGE, RV_SEAL_LOAD_PAGE, source, S + S_PAGES, backed, PAGE(IO), 1, 2);
	expect(RV_E_RANGE, RV_SEAL_LOAD_PAGE, source, S + 1024, RV_SEAL_SHARED | 512 << 12, 0, 1,
	       2);
	expect(RV_E_STATE, RV_SEAL_LOAD_PAGE, source, R, backed, PAGE(IO), 1, 2);
	expect(RV_E_STATE, RV_SEAL_LOAD_PAGE, target, R, backed, PAGE(SOURCE), 1, 2);
	assert_int_equal(step(3), RV_OK);
	expect(RV_E_STATE, RV_SEAL_LOAD_PAGE, target, R, backed, PAGE(IO), 1, 2);
	expect(RV_E_AUTH, RV_SEAL_LOAD_PAGE, target, R + 1, backed, PAGE(IO), 1, 2);

	expect(RV_E_NOENT, RV_SEAL_LOAD_END, 77, NO_RAM, 1, 2);
	expect(RV_E_RANGE, RV_SEAL_LOAD_END, source, NO_RAM, 1, 2);
	expect(RV_E_STATE, RV_SEAL_LOAD_END, target, PAGE(SOURCE), 1, 2);
	expect(RV_E_AUTH, RV_SEAL_LOAD_END, target, PAGE(IO), 1, 2);
	goes_on_with(4);
}

/* ---- tables run out ---- */

static void a_load_without_tables_goes_on_after_a_topup(void **state)
{
	struct pool *core = mem_core_pool();
	struct pool taken, core_taken;
	u32 page = first_of(SNAPSHOT_PAGE, R + 600), unbacked = first_of(SNAPSHOT_PAGE, R + 1539);
	u64 word;

	(void)state;
	steps(page);
	assert_true(pool_reserve(&vm_at(TARGET)->tables, &taken, pool_count(&vm_at(TARGET)->tables),
				 0));
	assert_int_equal(step(page), RV_E_NOMEM);
	assert_true(ledger_is(pfn_make(PAGE(LOADED + page)), OWNER_HOST, PAGE_EXCLUSIVE));
	/* What the host keeps was not opened. */
	assert_true(fake_host_read(0, PAGE(LOADED + page) << PAGE_SHIFT, &word));
	assert_memory_equal(&word, snap.record[page].page, sizeof(word));
	expect(RV_OK, RV_VM_TOPUP, target, PAGE(POOL));
	assert_true(pool_reserve(core, &core_taken, pool_count(core) - CORE_POOL_FLOOR, 0));
	/* A page of a block that is whole: the host's map needs a table. */
	assert_int_equal(
		snapshot_load_record(&snap.record[page], target, (0x40800000ull >> PAGE_SHIFT) + 5),
		RV_E_NOMEM);
	pool_return(core, &core_taken);
	for (u32 i = page; i < unbacked; i++) {
		assert_int_equal(step(i), RV_OK);
	}
	/* NOMEM before AUTH: nothing is known of the tag yet. */
	snap.record[unbacked].tag[0] ^= 1;
	assert_int_equal(step(unbacked), RV_E_NOMEM);
	expect(RV_OK, RV_VM_TOPUP, target, PAGE(POOL + 1));
	assert_int_equal(step(unbacked), RV_E_AUTH);
	snap.record[unbacked].tag[0] ^= 1;
	assert_int_equal(step(unbacked), RV_OK);
	pool_return(&vm_at(TARGET)->tables, &taken);
	goes_on_with(unbacked + 1);
}

/* A wrong page record has left a leaf table where the snapshot has one entry for 512 gfns. */
static void a_run_is_loaded_over_a_leaf_table(void **state)
{
	u32 i = first_of(SNAPSHOT_PAGE, R + 1024);

	(void)state;
	steps(i);
	expect(RV_E_AUTH, RV_SEAL_LOAD_PAGE, target, R + 1100,
	       RV_SEAL_BACKED | 1 << RV_SEAL_PAGES_SHIFT, PAGE(LOADED_2), 1, 2);
	assert_int_equal(s2_walk(&vm_at(TARGET)->s2, gfn_make(R + 1100)).level, 3);
	/* It has no content: the page is not looked at. */
	expect(RV_OK, RV_SEAL_LOAD_PAGE, target, R + 1024, snap.record[i].what, NO_RAM,
	       snap.record[i].tag[0], snap.record[i].tag[1]);
	for (u64 gfn = R + 1023; gfn <= R + 1536; gfn++) {
		assert_int_equal(s2_walk(&vm_at(TARGET)->s2, gfn_make(gfn)).wish,
				 gfn >= R + 1024 && gfn < R + 1536 ? S2_WISH_SHARED
								   : S2_WISH_PRIVATE);
	}
	goes_on_with(i + 1);
}

/* Ten leaf tables with little in them: more than one call looks at. */
static void a_long_look_stops_and_goes_on(void **state)
{
	u64 results[4], last = 0;
	u32 looks = 0;

	(void)state;
	for (u64 i = 0; i < 8; i++) {
		expect(RV_OK, RV_VM_TOPUP, source, PAGE(POOL) + i);
		wish(source, R + i * 512 + 10, 1, S2_WISH_SHARED);
		wish(source, R + i * 512 + 10, 1, S2_WISH_PRIVATE);
	}
	for (u64 i = 0; i < 2; i++) {
		wish(source, S + i * 512, 1, S2_WISH_SHARED);
		wish(source, S + i * 512, 1, S2_WISH_PRIVATE);
	}
	wish(source, R + 1024, 512, S2_WISH_PRIVATE);
	wish(source, R + 1539, 1, S2_WISH_PRIVATE);
	expect(RV_OK, RV_SEAL_SAVE_BEGIN, source, PAGE(IO));
	for (u32 i = 0; i < 3; i++) {
		expect(RV_OK, RV_SEAL_SAVE_VCPU, source, indices[i], PAGE(IO));
	}
	do {
		assert_int_equal(
			snapshot_call(RV_SEAL_SAVE_PAGE, (u64[]){ source, PAGE(IO) }, 2, results),
			RV_OK);
		assert_true(results[0] > last || last == 0);
		last = results[0];
		looks += results[1] == 0;
	} while (results[0] != RV_SEAL_NO_GFN);
	assert_int_equal(looks, 1 + 1); /* once in between, once at the end */
	assert_int_equal(vm_at(SOURCE)->seal.records, 3 + 5);
	expect(RV_OK, RV_SEAL_SAVE_END, source, PAGE(IO));
}

/* 2 MiB that the VM has as one block. */
static void a_block_is_saved_page_by_page(void **state)
{
	const u64 pfn = 0x40800000ull >> PAGE_SHIFT, gfn = R + 2048;
	u64 results[4], number = 3 + 6;

	(void)state;
	expect(RV_OK, RV_MEM_MAP, source, gfn, pfn, 512);
	assert_int_equal(s2_walk(&vm_at(SOURCE)->s2, gfn_make(gfn)).level, 2);
	for (u64 i = 0; i < 512; i++) {
		fake_poke(pfn + i, 8, word_of(gfn + i, 8));
	}
	expect(RV_OK, RV_SEAL_SAVE_BEGIN, source, PAGE(IO));
	snapshot_get(PAGE(IO), &snap.header, sizeof(snap.header));
	for (u32 i = 0; i < 3; i++) {
		expect(RV_OK, RV_SEAL_SAVE_VCPU, source, indices[i], PAGE(IO));
	}
	for (u32 i = 0; i < 6; i++) {
		expect(RV_OK, RV_SEAL_SAVE_PAGE, source, PAGE(IO));
	}
	for (u64 i = 0; i < 512; i++) {
		struct snapshot_record record = {
			.kind = SNAPSHOT_PAGE,
			.at = gfn + i,
			.what = RV_SEAL_BACKED | 1 << RV_SEAL_PAGES_SHIFT,
		};
		u64 word;

		assert_int_equal(
			snapshot_call(RV_SEAL_SAVE_PAGE, (u64[]){ source, PAGE(IO) }, 2, results),
			RV_OK);
		assert_int_equal(results[0], record.at);
		assert_int_equal(results[1], record.what);
		memcpy(record.tag, &results[2], sizeof(record.tag));
		snapshot_get(PAGE(IO), record.page, PAGE_SIZE);
		assert_true(open_record(&record, number + i));
		memcpy(&word, record.page + 8, sizeof(word));
		assert_int_equal(word, word_of(record.at, 8));
	}
}

/* ---- several CPUs ---- */

static struct {
	bool is_inside, is_frozen;
	u64 runs;
} race;

static void *run_until_frozen(void *argument)
{
	struct vcpu *vcpu;

	(void)argument;
	fake_cpu_set(1);
	while (vcpu_claim(source, 0, &vcpu) == CV_OK) {
		__atomic_store_n(&race.is_inside, true, __ATOMIC_SEQ_CST);
		if (__atomic_load_n(&race.is_frozen, __ATOMIC_SEQ_CST)) {
			fake_fail("a vCPU runs in a frozen VM");
		}
		vcpu->ctx.x[0]++;
		__atomic_fetch_add(&race.runs, 1, __ATOMIC_RELAXED);
		__atomic_store_n(&race.is_inside, false, __ATOMIC_SEQ_CST);
		vcpu_release(vcpu);
	}
	return NULL;
}

static void nobody_runs_when_saving_begins(void **state)
{
	pthread_t thread;
	s64 status;

	(void)state;
	memset(&race, 0, sizeof(race));
	pthread_create(&thread, NULL, run_until_frozen, NULL);
	while (__atomic_load_n(&race.runs, __ATOMIC_RELAXED) < 1000) {
	}
	do {
		status = CALL(RV_SEAL_SAVE_BEGIN, source, PAGE(IO));
	} while (status == RV_E_BUSY);
	__atomic_store_n(&race.is_frozen, true, __ATOMIC_SEQ_CST);
	assert_int_equal(status, RV_OK);
	assert_false(__atomic_load_n(&race.is_inside, __ATOMIC_SEQ_CST));
	pthread_join(thread, NULL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_restored_vm_is_the_same),
		TEST(wishes_of_a_guest),
		TEST(a_vcpu_that_waits_for_a_device_goes_on_waiting),
		TEST(a_restored_vm_can_be_saved_again),
		TEST(a_missing_record_is_noticed),
		TEST(an_early_end_is_noticed),
		TEST(a_repeated_record_is_noticed),
		TEST(a_flipped_bit_is_noticed),
		TEST(a_record_says_where_it_belongs),
		TEST(swapped_vcpus_are_noticed),
		TEST(foreign_records_are_noticed),
		TEST(every_bit_of_the_header_counts),
		TEST(another_owner_or_shape_is_refused),
		TEST(another_root_secret_opens_nothing),
		TEST(the_format_is_as_documented),
		TEST(the_end_record_must_fit_what_was_loaded),
		TEST(a_forged_vcpu_gets_no_further_than_el1),
		TEST(a_record_is_read_once),
		TEST(a_page_leaves_the_host_before_it_is_opened),
		TEST(the_page_of_a_record_is_pinned),
		TEST(the_host_sees_no_plaintext),
		TEST(a_header_fills_its_page),
		TEST(a_vm_that_is_saved_is_frozen),
		TEST(a_vm_that_is_loaded_changes_by_its_records_alone),
		TEST(saving_can_be_given_up),
		TEST(a_load_that_is_given_up_ends_the_vm),
		TEST(a_vm_killed_while_it_is_saved_leaves_nothing),
		TEST(statuses_of_save_begin),
		TEST(statuses_of_saving),
		TEST(statuses_of_load_begin),
		TEST(statuses_of_loading),
		TEST(a_load_without_tables_goes_on_after_a_topup),
		TEST(a_run_is_loaded_over_a_leaf_table),
		TEST(a_long_look_stops_and_goes_on),
		TEST(a_block_is_saved_page_by_page),
		TEST(nobody_runs_when_saving_begins),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
