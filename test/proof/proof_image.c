/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Proof: what a protected VM starts with (image.c). For any VM with up to three images, whatever
 * the host passes and whatever the launch page holds:
 *   - the status is the one that the ABI's order of errors names (spec_*() below, from abi.h); a
 *     refusal leaves the VM as it was, bit by bit; a success changes exactly what is specified; the
 *     other VM stays;
 *   - a page has left the host and is the VM's before it is looked at, is hashed once, at its place
 *     in the image, and what lies behind the image's end is zeroed and out of the cache;
 *   - a VM becomes VERIFIED exactly if the key is its owner's, the signature good, the manifest
 *     well-formed, every image signed or a parameter, every image of the manifest there and the
 *     policy kept; the entry then lies in a signed image;
 *   - a failed check gives back all image pages, RV_BATCH_PAGES a call, and only the last call says
 *     AUTH.
 * By their contracts: memory (mem.h), cryptography (crypto.h: any answers, but the same digest for
 * the same state), the manifest (manifest.h), locks. Seed: set_boot_info, remap_vm_image,
 * verify_and_load_images (B6-B8).
 * Proof-args: -Itest/proof/few --unwind 5
 * Proof-args: --unwindset hash_is.0:33,any_launch.1:33,any_manifest.0:33
 * Proof-args: corevisor/core/image.c
 * Proof-entry: proof_image_add quick
 * Proof-entry: proof_image_add_more
 * Proof-entry: proof_image_add_full
 * Proof-entry: proof_image_add_far
 * Proof-entry: proof_image_map
 * Proof-entry: proof_image_verify
 * Proof-entry: proof_image_verify_undo
 * Proof-entry: proof_image_verify_none quick
 * Proof-entry: proof_image_measure quick
 */
#include "proof.h"

#include <string.h>

#include <cv/arch.h>
#include <cv/image.h>
#include <cv/ledger.h>
#include <cv/manifest.h>
#include <cv/mem.h>
#include <cv/vm.h>

#define RAM_FIRST 18ull
#define RAM_PAGES 6ull

/* The VM of the call, another one, and how the first must be afterwards. */
static struct vm vm, other, want, other_before;
static struct lock vm_lock_of;
static bool is_locked;

struct vm nondet_vm(void);
struct crypto_hash nondet_hash(void);
struct manifest nondet_manifest(void);
struct rv_launch nondet_launch(void);

/* ---- locks and the VM's RAM, by contract ---- */

struct vm *vm_lock(u64 handle)
{
	claim(!is_locked, "locked once");
	if (handle != vm.handle) {
		return NULL;
	}
	is_locked = true;
	return &vm;
}

void vm_unlock(struct vm *of)
{
	claim(is_locked && of == &vm, "what is unlocked is locked");
	is_locked = false;
}

u64 vm_ram_end(const struct vm *of, gfn_t gfn)
{
	claim(is_locked && of == &vm, "RAM ranges are read under the lock");
	for (u32 i = 0; i < vm.ram_count; i++) {
		if (gfn.v - vm.ram[i].first.v < vm.ram[i].pages) {
			return vm.ram[i].first.v + vm.ram[i].pages;
		}
	}
	return 0;
}

bool ledger_is_ram(pfn_t pfn)
{
	return pfn.v - RAM_FIRST < RAM_PAGES;
}

/* ---- any VM ---- */

static bool is_image_in_ram(const struct image *image)
{
	u64 first = image->first.v;

	for (u32 i = 0; i < vm.ram_count; i++) {
		if (first >= vm.ram[i].first.v &&
		    first + image_pages(image) <= vm.ram[i].first.v + vm.ram[i].pages) {
			return true;
		}
	}
	return false;
}

static bool are_apart(const struct image *a, const struct image *b)
{
	return a->first.v + image_pages(a) <= b->first.v ||
	       b->first.v + image_pages(b) <= a->first.v;
}

/* The invariant of images: RV_IMAGE_ADD keeps it, what the others change cannot break it. */
static bool images_are_sound(void)
{
	bool is_sound = vm.images.count <= RV_IMAGES_MAX &&
			(vm.images.count == 0 || vm.is_protected) &&
			(!vm.images.is_undone ||
			 (vm.images.count > 0 && vm.is_protected && vm.state != VM_VERIFIED));

	for (u32 i = 0; i < RV_IMAGES_MAX; i++) {
		const struct image *image = &vm.images.image[i];

		if (i < vm.images.count) {
			is_sound = is_sound && image->bytes > 0 &&
				   image->bytes <= GFN_LIMIT << PAGE_SHIFT &&
				   image->first.v < GFN_LIMIT && is_image_in_ram(image) &&
				   image->pages_mapped <= image_pages(image);
			for (u32 j = 0; j < i; j++) {
				is_sound = is_sound && are_apart(image, &vm.images.image[j]);
			}
		}
	}
	return is_sound;
}

/* A small number, and its upper bits are constants: the solver never looks at them. */
static u64 any_bits(u32 bits)
{
	return nondet_u64() & ((1ull << bits) - 1);
}

/* Pre: count is a constant. */
static void any_vm(u32 count)
{
	vm = nondet_vm();
	other = nondet_vm();
	other_before = other;
	vm.lock = &vm_lock_of;
	vm.handle = nondet_u64();
	assume(vm.handle != 0);
	vm.is_protected = nondet_bool();
	vm.may_be_saved = nondet_bool();
	vm.seal.is_complete = nondet_bool();
	vm.seal.mode = (enum seal_mode)any_below(SEAL_LOADING + 1);
	vm.state = (enum vm_state)any_below(VM_POWEROFF + 1);
	vm.ram_count = (u32)any_below(RV_RAM_RANGES + 1);
	for (u32 i = 0; i < RV_RAM_RANGES; i++) {
		vm.ram[i].first.v = any_bits(8);
		vm.ram[i].pages = any_bits(8);
		assume(vm.ram[i].first.v < GFN_LIMIT && vm.ram[i].pages > 0 &&
		       vm.ram[i].pages <= GFN_LIMIT - vm.ram[i].first.v);
	}
	assume(vm.ram[0].first.v + vm.ram[0].pages <= vm.ram[1].first.v ||
	       vm.ram[1].first.v + vm.ram[1].pages <= vm.ram[0].first.v);
	for (u32 i = 0; i < RV_IMAGES_MAX; i++) {
		vm.images.image[i].first.v = any_bits(8);
		vm.images.image[i].bytes = any_bits(IPA_BITS + 1);
		vm.images.image[i].pages_mapped = any_bits(8);
	}
	vm.images.count = count;
	vm.images.is_undone = nondet_bool();
	/* A snapshot under way is of a running VM, or of one that is being loaded. */
	assume(vm.seal.mode != SEAL_LOADING || vm.state == VM_READY);
	want = vm;
}

static void claim_as_wanted(void)
{
	claim(__CPROVER_equal(vm, want), "the VM is as specified");
	claim(__CPROVER_equal(other, other_before), "the other VM stays");
	claim(!is_locked, "no lock is left held");
}

/* ---- the architecture, memory and cryptography; what they are asked for is checked ---- */

static u8 window[PAGE_SIZE];
static struct image *the_image; /* image_map()'s */
static u64 pages_before;
static u64 first_pfn; /* of the call */
static enum cv_status load_status[RV_BATCH_PAGES];
static u64 loaded; /* pages that are the VM's since the call began */
static u64 hashed; /* of them */
static bool is_open;
static bool is_tail_zero;
static bool is_tail_cleaned;
static u64 icache_for; /* pages for which instructions were forgotten */
static struct crypto_hash hash_of_page[RV_BATCH_PAGES];

/* How many bytes of the image's page `index` are the image's. */
static u64 spec_bytes(u64 index)
{
	u64 left = the_image->bytes - index * PAGE_SIZE;

	return left < PAGE_SIZE ? left : PAGE_SIZE;
}

/* Any refusal but RANGE, whose conditions are claimed away. */
enum cv_status mem_load_page(struct vm *of, u64 gfn, u64 pfn)
{
	claim(is_locked && of == &vm && vm.is_protected && vm.state == VM_READY, "its Pre");
	claim(pfn == first_pfn + loaded && ledger_is_ram(pfn_make(pfn)), "the next page of RAM");
	claim(gfn == the_image->first.v + pages_before + loaded, "in order, at its place");
	claim(gfn < the_image->first.v + image_pages(the_image), "in the image, so in RAM");
	claim(loaded < RV_BATCH_PAGES && hashed == loaded, "the page before is hashed");
	if (load_status[loaded] != CV_OK) {
		return load_status[loaded];
	}
	vm.guest_pages++;
	loaded++;
	is_tail_zero = false;
	is_tail_cleaned = false;
	return CV_OK;
}

void *arch_window_open(pfn_t pfn)
{
	claim(loaded == hashed + 1 && pfn.v == first_pfn + hashed,
	      "only a page that has left the host is looked at");
	claim(!is_open, "one window");
	is_open = true;
	return window;
}

void arch_window_close(void)
{
	claim(is_open, "it is open");
	claim(is_tail_zero || spec_bytes(pages_before + loaded - 1) == PAGE_SIZE,
	      "what is not the image's is zeroed");
	is_open = false;
}

/* image.c zeroes nothing but tails. */
void *memset(void *at, int value, size_t bytes)
{
	u64 image_bytes = spec_bytes(pages_before + loaded - 1);

	claim(is_open && value == 0 && hashed == loaded, "in the window, after the hash");
	claim(at == window + image_bytes && bytes == PAGE_SIZE - image_bytes, "all of the tail");
	is_tail_zero = true;
	return at;
}

void arch_page_clean_invalidate(pfn_t pfn)
{
	claim(pfn.v == first_pfn + loaded - 1 && is_tail_zero && !is_open, "after it was zeroed");
	is_tail_cleaned = true;
}

void arch_icache_invalidate_all(void)
{
	claim(is_tail_cleaned, "after the data is out");
	icache_for = loaded;
}

/* ---- cryptography ---- */

static struct rv_launch launch;
static bool is_taken; /* the launch page is the corevisor's */
static u64 launch_pfn;
static u8 key_hash[CRYPTO_HASH_BYTES];
static bool is_signed;
static u8 image_digest[RV_IMAGES_MAX][CRYPTO_HASH_BYTES];
static u8 manifest_digest[CRYPTO_HASH_BYTES];
static const struct crypto_hash *manifest_hash; /* the one that is made of the manifest */
static bool is_manifest_hashed;
static bool is_begun;
static struct crypto_hash first_state;

void crypto_hash_begin(struct crypto_hash *hash)
{
	is_begun = true;
	if (is_taken) {
		manifest_hash = hash;
	}
	*hash = first_state;
}

void crypto_hash_add(struct crypto_hash *hash, const void *data, u64 bytes)
{
	if (is_taken) {
		claim(hash == manifest_hash && !is_manifest_hashed && data == launch.manifest &&
			      bytes == launch.manifest_bytes,
		      "the manifest's exact bytes");
		is_manifest_hashed = true;
		return;
	}
	claim(hash == &the_image->hash && data == window && is_open,
	      "the page goes into its image");
	claim(loaded == hashed + 1 && bytes == spec_bytes(pages_before + hashed),
	      "once, all of it");
	*hash = hash_of_page[hashed];
	hashed++;
}

void crypto_hash_end(const struct crypto_hash *hash, u8 out[CRYPTO_HASH_BYTES])
{
	if (hash == manifest_hash) {
		claim(is_manifest_hashed, "not of nothing");
		memcpy(out, manifest_digest, CRYPTO_HASH_BYTES);
		return;
	}
	for (u32 i = 0; i < RV_IMAGES_MAX; i++) {
		if (hash == &vm.images.image[i].hash) {
			claim(i < vm.images.count, "an image that is there");
			memcpy(out, image_digest[i], CRYPTO_HASH_BYTES);
			return;
		}
	}
	claim(false, "no other hash");
}

static bool hash_is(const u8 *a, const u8 *b)
{
	bool is_equal = true;

	for (u32 i = 0; i < CRYPTO_HASH_BYTES; i++) {
		is_equal = is_equal && a[i] == b[i];
	}
	return is_equal;
}

bool crypto_equal(const u8 *a, const u8 *b, u64 bytes)
{
	claim(bytes == CRYPTO_HASH_BYTES, "whole hashes");
	return hash_is(a, b);
}

void crypto_key_hash(u32 curve, const u8 *key, u8 out[CRYPTO_HASH_BYTES])
{
	claim(curve == RV_CURVE_P256 || curve == RV_CURVE_P384, "its Pre");
	claim(is_taken && key == launch.public_key, "the launch page's key");
	memcpy(out, key_hash, CRYPTO_HASH_BYTES);
}

bool crypto_verify(u32 curve, const u8 *key, const u8 *signature, const void *message, u64 bytes)
{
	claim(is_taken && curve == launch.curve && key == launch.public_key &&
		      signature == launch.signature && message == launch.manifest &&
		      bytes == launch.manifest_bytes && bytes <= RV_LAUNCH_MANIFEST_MAX,
	      "the signature over the whole manifest, with the key that was looked at");
	claim(hash_is(key_hash, vm.owner_key), "with the owner's key only");
	return is_signed;
}

/* ---- RV_IMAGE_ADD ---- */

static bool spec_is_in_ram(u64 gpa, u64 bytes)
{
	const u64 limit = GFN_LIMIT << PAGE_SHIFT;

	for (u32 i = 0; i < vm.ram_count; i++) {
		if (gpa < limit && bytes <= limit && gpa >= vm.ram[i].first.v << PAGE_SHIFT &&
		    gpa + bytes <= (vm.ram[i].first.v + vm.ram[i].pages) << PAGE_SHIFT) {
			return true;
		}
	}
	return false;
}

static enum cv_status spec_add(u64 handle, u64 gpa, u64 bytes, u32 count)
{
	struct image *image = &want.images.image[count];

	if (bytes == 0 || (gpa & (PAGE_SIZE - 1)) != 0) {
		return CV_E_INVALID;
	}
	if (handle != vm.handle) {
		return CV_E_NOENT;
	}
	if (!vm.is_protected) {
		return CV_E_PERM;
	}
	if (!spec_is_in_ram(gpa, bytes)) {
		return CV_E_RANGE;
	}
	if (vm.state != VM_READY || vm.images.is_undone || vm.seal.mode != SEAL_NONE) {
		return CV_E_STATE;
	}
	for (u32 i = 0; i < count; i++) {
		struct image new = { .first = { gpa >> PAGE_SHIFT }, .bytes = bytes };

		if (!are_apart(&vm.images.image[i], &new)) {
			return CV_E_BUSY;
		}
	}
	if (count == RV_IMAGES_MAX) {
		return CV_E_BUSY;
	}
	image->first = gfn_make(gpa >> PAGE_SHIFT);
	image->bytes = bytes;
	image->pages_mapped = 0;
	image->hash = first_state;
	want.images.count++;
	return CV_OK;
}

static enum cv_status status; /* the call's */

/* Pre: count is a constant: a symbolic index into records costs a thousandfold. */
static void add_to(u32 count, u64 gpa, u64 bytes)
{
	u64 handle = nondet_u64();
	const u64 no_index = nondet_u64();
	u64 index = no_index;
	enum cv_status expected;

	any_vm(count);
	assume(images_are_sound());
	first_state = nondet_hash();
	expected = spec_add(handle, gpa, bytes, count);

	status = image_add(handle, gpa, bytes, &index);

	claim(status == expected, "the status is the specified one");
	claim(index == (status == CV_OK ? count : no_index), "its index, or nothing");
	claim(status != CV_OK || is_begun, "the hash begins");
	claim(images_are_sound(), "the images are sound");
	claim_as_wanted();
}

/* Up to twice the IPA space. */
#define SOME_BYTES any_bits(IPA_BITS + 1)

/* The first image, of any VM. */
void proof_image_add(void)
{
	u64 bytes = SOME_BYTES;

	add_to(0, SOME_BYTES, bytes);
	reach(status == CV_OK && bytes == 1, "OK");
	reach(status == CV_OK && bytes > PAGE_SIZE && vm.ram_count == 2, "OK, two ranges");
	reach(status == CV_E_INVALID, "INVALID");
	reach(status == CV_E_NOENT, "NOENT");
	reach(status == CV_E_PERM, "PERM");
	reach(status == CV_E_RANGE, "RANGE");
	reach(status == CV_E_STATE && vm.state == VM_VERIFIED, "STATE: VERIFIED");
	reach(status == CV_E_STATE && vm.state == VM_READY, "STATE: being loaded");
}

/* One more. */
void proof_image_add_more(void)
{
	add_to(2, SOME_BYTES, SOME_BYTES);
	reach(status == CV_OK, "OK");
	reach(status == CV_E_STATE && vm.images.is_undone && vm.state == VM_READY, "STATE: undone");
	reach(status == CV_E_BUSY, "BUSY: overlap");
}

void proof_image_add_full(void)
{
	add_to(RV_IMAGES_MAX, SOME_BYTES, SOME_BYTES);
	reach(status == CV_E_BUSY, "BUSY: too many, or overlap");
}

/* All other numbers. */
void proof_image_add_far(void)
{
	u64 gpa = nondet_u64();
	u64 bytes = nondet_u64();

	assume(gpa >= GFN_LIMIT << PAGE_SHIFT || bytes > GFN_LIMIT << PAGE_SHIFT);
	add_to(1, gpa, bytes);
	reach(status == CV_E_RANGE && gpa + bytes < gpa, "RANGE, beyond all numbers");
}

/* ---- RV_IMAGE_MAP ---- */

static enum cv_status any_load_status(void)
{
	switch (any_below(4)) {
	case 0:
		return CV_E_STATE;
	case 1:
		return CV_E_BUSY;
	case 2:
		return CV_E_NOMEM;
	default:
		return CV_OK;
	}
}

#define MINE 1u /* the image of the call; image 0 stays */

static enum cv_status spec_map(u64 handle, u64 pages, u64 *done)
{
	struct image *image = &want.images.image[MINE];

	*done = 0;
	if (pages == 0) {
		return CV_E_INVALID;
	}
	if (handle != vm.handle || vm.images.count <= MINE) {
		return CV_E_NOENT;
	}
	for (u32 i = 0; i < RV_BATCH_PAGES && i < pages; i++) {
		enum cv_status first = load_status[i];

		if (vm.state != VM_READY || vm.images.is_undone || vm.seal.mode != SEAL_NONE ||
		    image->pages_mapped == image_pages(image)) {
			first = CV_E_STATE;
		}
		if (!ledger_is_ram(pfn_make(first_pfn + i))) {
			first = CV_E_RANGE;
		}
		if (first != CV_OK) {
			return i == 0 ? first : CV_OK;
		}
		image->pages_mapped++;
		image->hash = hash_of_page[i];
		want.guest_pages++;
		(*done)++;
	}
	return CV_OK;
}

void proof_image_map(void)
{
	u64 handle = nondet_u64();
	u64 pages = nondet_u64();
	const u64 nothing = nondet_u64();
	u64 done = nothing;
	u64 expected_done;
	enum cv_status expected;

	any_vm(RV_IMAGES_MAX);
	vm.images.count = (u32)any_below(RV_IMAGES_MAX + 1);
	want = vm;
	the_image = &vm.images.image[MINE];
	/* Of the invariant, what matters here. */
	assume((vm.is_protected || vm.images.count == 0) && the_image->bytes > 0 &&
	       the_image->pages_mapped <= image_pages(the_image));
	pages_before = the_image->pages_mapped;
	first_pfn = nondet_bool() ? any_bits(8) : ~any_bits(2);
	for (u32 i = 0; i < RV_BATCH_PAGES; i++) {
		load_status[i] = any_load_status();
		hash_of_page[i] = nondet_hash();
	}
	expected = spec_map(handle, pages, &expected_done);

	status = image_map(handle, MINE, first_pfn, pages, &done);

	reach(status == CV_E_INVALID, "INVALID");
	reach(status == CV_E_NOENT && handle == vm.handle, "NOENT: no such image");
	reach(status == CV_E_RANGE, "RANGE");
	reach(status == CV_E_STATE && load_status[0] == CV_OK, "STATE: the image is complete");
	reach(status == CV_E_NOMEM, "NOMEM");
	reach(status == CV_OK && done == RV_BATCH_PAGES && pages > done, "a whole batch");
	reach(status == CV_OK && done == 1 && pages == 2, "a part");
	reach(status == CV_OK && is_tail_cleaned, "the last page");
	claim(status == expected, "the status is the specified one");
	claim(done == (status == CV_OK ? expected_done : nothing), "so many pages, or nothing");
	claim(hashed == expected_done && loaded == hashed, "every page that left is hashed");
	claim(hashed == 0 || is_tail_zero == is_tail_cleaned ||
		      spec_bytes(pages_before + hashed - 1) == PAGE_SIZE,
	      "a zeroed tail is out of the cache");
	claim(!is_tail_cleaned || icache_for == loaded, "and of the instruction caches");
	claim(!is_open, "the window is closed");
	claim_as_wanted();
}

/* ---- RV_VM_VERIFY ---- */

static enum cv_status page_status; /* what the ledger says of the launch page */
static enum cv_status take_status;
static bool is_manifest;
static struct manifest the_manifest;
static u64 the_cntvoff;
static u64 reclaimed;

/* The host writes what it wants to its page. */
static void host_writes_launch(void)
{
	launch.magic = nondet_bool() ? RV_LAUNCH_MAGIC : nondet_u64();
	launch.version = nondet_u32();
	launch.curve = nondet_u32();
	launch.manifest_bytes = nondet_u32();
	launch.entry = nondet_u64();
}

enum cv_status mem_host_page_check(u64 pfn)
{
	claim(pfn == launch_pfn && !is_taken, "the launch page");
	return page_status;
}

enum cv_status mem_host_take_core(u64 pfn)
{
	claim(pfn == launch_pfn && !is_taken && page_status == CV_OK && is_locked, "once");
	is_taken = take_status == CV_OK;
	return take_status;
}

void mem_host_untake_core(pfn_t pfn)
{
	claim(is_taken && pfn.v == launch_pfn, "what was taken");
	is_taken = false;
	host_writes_launch();
}

void *arch_core_va(pa_t pa)
{
	claim(is_taken && pa.v == launch_pfn << PAGE_SHIFT, "the corevisor's own page");
	return &launch;
}

bool manifest_read(const void *blob, u64 bytes, struct manifest *manifest)
{
	claim(is_taken && is_signed && blob == launch.manifest && bytes == launch.manifest_bytes,
	      "only what is signed is read");
	*manifest = the_manifest;
	return is_manifest;
}

void vm_set_verified(struct vm *of, u64 guest_time)
{
	claim(of == &vm && is_locked && vm.state == VM_READY && guest_time == 0, "its Pre");
	vm.cntvoff = the_cntvoff;
	vm.state = VM_VERIFIED;
}

/* All is given back if it is not more than a batch. */
u64 mem_reclaim_run(struct vm *of, u64 gfn, u64 end)
{
	bool is_images = false;

	claim(of == &vm && is_locked && vm.state == VM_READY, "its Pre: nobody runs");
	claim(!is_taken, "the launch page is the host's again");
	reclaimed += end - gfn;
	claim(gfn < end && reclaimed <= RV_BATCH_PAGES, "no more than a batch a call");
	for (u32 i = 0; i < RV_IMAGES_MAX; i++) {
		const struct image *image = &vm.images.image[i];

		is_images = is_images || (i + 1 == vm.images.count && gfn >= image->first.v &&
					  end == image->first.v + image->pages_mapped);
	}
	claim(is_images, "the last pages of the last image, which are the VM's");
	vm.guest_pages -= end - gfn;
	return end;
}

static bool ranges_are_apart(const struct manifest_range *a, const struct manifest_range *b)
{
	return align_up(a->gpa + a->bytes, PAGE_SIZE) <= b->gpa ||
	       align_up(b->gpa + b->bytes, PAGE_SIZE) <= a->gpa;
}

static struct manifest_range any_range(void)
{
	struct manifest_range range = {
		.gpa = any_bits(IPA_BITS - PAGE_SHIFT) << PAGE_SHIFT,
		.bytes = any_bits(IPA_BITS),
	};

	assume(range.bytes > 0 && range.gpa + range.bytes <= GFN_LIMIT << PAGE_SHIFT);
	return range;
}

/* Any that manifest.h promises, with up to two images and one range of parameters. */
#define SIGNED_MAX 2u

static bool holds_entry(const struct manifest_range *range)
{
	return the_manifest.entry >= range->gpa && the_manifest.entry - range->gpa < range->bytes;
}

static void any_manifest(void)
{
	const struct manifest_image *image = the_manifest.image;

	the_manifest.entry = nondet_u64();
	the_manifest.vcpus_max = 1 + (u32)any_below(VM_VCPUS_MAX);
	the_manifest.may_be_saved = nondet_bool();
	the_manifest.image_count = 1 + (u32)any_below(SIGNED_MAX);
	the_manifest.parameter_count = (u32)any_below(2);
	the_manifest.parameter[0] = any_range();
	for (u32 i = 0; i < SIGNED_MAX; i++) {
		the_manifest.image[i].range = any_range();
		for (u32 j = 0; j < CRYPTO_HASH_BYTES; j++) {
			the_manifest.image[i].hash[j] = nondet_u8();
		}
		assume(the_manifest.parameter_count == 0 ||
		       ranges_are_apart(&image[i].range, &the_manifest.parameter[0]));
	}
	assume(ranges_are_apart(&image[0].range, &image[1].range));
	assume(holds_entry(&image[0].range) ||
	       (the_manifest.image_count == 2 && holds_entry(&image[1].range)));
}

static void any_launch(void)
{
	launch_pfn = any_bits(20);
	page_status = nondet_bool() ? CV_OK : nondet_bool() ? CV_E_RANGE : CV_E_STATE;
	take_status = nondet_bool() ? CV_OK : nondet_bool() ? CV_E_NOMEM : CV_E_STATE;
	is_signed = nondet_bool();
	is_manifest = nondet_bool();
	the_cntvoff = nondet_u64();
	host_writes_launch();
	any_manifest();
	for (u32 i = 0; i < CRYPTO_HASH_BYTES; i++) {
		key_hash[i] = nondet_u8();
		manifest_digest[i] = nondet_u8();
		for (u32 j = 0; j < RV_IMAGES_MAX; j++) {
			image_digest[j][i] = nondet_u8();
		}
	}
}

/* Image i is manifest image m, to the last bit. */
static bool spec_is(u32 i, u32 m)
{
	return m < the_manifest.image_count &&
	       vm.images.image[i].first.v << PAGE_SHIFT == the_manifest.image[m].range.gpa &&
	       vm.images.image[i].bytes == the_manifest.image[m].range.bytes &&
	       hash_is(image_digest[i], the_manifest.image[m].hash);
}

static bool spec_images(u32 count)
{
	const struct manifest_range *parameter = &the_manifest.parameter[0];
	bool is_good = true;

	for (u32 i = 0; i < count; i++) {
		u64 gpa = vm.images.image[i].first.v << PAGE_SHIFT;

		is_good = is_good &&
			  (spec_is(i, 0) || spec_is(i, 1) ||
			   (the_manifest.parameter_count == 1 && gpa >= parameter->gpa &&
			    gpa + vm.images.image[i].bytes <= parameter->gpa + parameter->bytes));
	}
	for (u32 m = 0; m < SIGNED_MAX; m++) {
		bool is_there = m >= the_manifest.image_count;

		for (u32 i = 0; i < count; i++) {
			is_there = is_there || spec_is(i, m);
		}
		is_good = is_good && is_there;
	}
	return is_good;
}

static enum cv_status spec_undo(u32 count, u64 *left)
{
	u64 total = 0;
	u64 back;
	u64 stay;

	for (u32 i = 0; i < count; i++) {
		total += vm.images.image[i].pages_mapped;
	}
	back = total < RV_BATCH_PAGES ? total : RV_BATCH_PAGES;
	stay = total - back;
	*left = stay;
	want.images.is_undone = stay > 0;
	want.images.count = 0;
	want.guest_pages -= back;
	for (u32 i = 0; i < count; i++) {
		struct image *image = &want.images.image[i];

		image->pages_mapped = image->pages_mapped < stay ? image->pages_mapped : stay;
		stay -= image->pages_mapped;
		want.images.count = image->pages_mapped > 0 ? i + 1 : want.images.count;
	}
	return want.images.is_undone ? CV_OK : CV_E_AUTH;
}

static bool spec_is_launch(void)
{
	return launch.magic == RV_LAUNCH_MAGIC && launch.version == RV_LAUNCH_VERSION &&
	       (launch.curve == RV_CURVE_P256 || launch.curve == RV_CURVE_P384) &&
	       launch.manifest_bytes >= 1 && launch.manifest_bytes <= RV_LAUNCH_MANIFEST_MAX;
}

/* Pre: count is a constant. */
static enum cv_status spec_verify(u64 handle, u32 count, u64 *left)
{
	bool is_complete = true;

	*left = 0;
	if (handle != vm.handle) {
		return CV_E_NOENT;
	}
	if (vm.is_protected && vm.state == VM_READY && vm.images.is_undone) {
		return spec_undo(count, left);
	}
	if (vm.is_protected && page_status == CV_E_RANGE) {
		return CV_E_RANGE;
	}
	if (vm.state != VM_READY || (vm.is_protected && (vm.seal.mode != SEAL_NONE || count == 0 ||
							 page_status != CV_OK))) {
		return CV_E_STATE;
	}
	if (vm.is_protected) {
		for (u32 i = 0; i < count; i++) {
			is_complete = is_complete && vm.images.image[i].pages_mapped ==
							     image_pages(&vm.images.image[i]);
		}
		if (!is_complete) {
			return CV_E_BUSY;
		}
		if (take_status != CV_OK) {
			return take_status;
		}
		if (!spec_is_launch()) {
			return CV_E_INVALID;
		}
		if (!hash_is(key_hash, vm.owner_key) || !is_signed || !is_manifest ||
		    !spec_images(count)) {
			return spec_undo(count, left);
		}
		if (vm.vcpu_count > the_manifest.vcpus_max) {
			return CV_E_PERM;
		}
		memcpy(want.manifest, manifest_digest, CRYPTO_HASH_BYTES);
		want.entry = the_manifest.entry;
		want.may_be_saved = the_manifest.may_be_saved;
	}
	want.cntvoff = the_cntvoff;
	want.state = VM_VERIFIED;
	return CV_OK;
}

static u64 left;

/* Pre: count is a constant; the VM is there. */
static void verify(u32 count)
{
	u64 handle = nondet_u64();
	const u64 nothing = nondet_u64();
	bool was_undone = vm.images.is_undone;
	u64 expected_left;
	enum cv_status expected;

	any_launch();
	expected = spec_verify(handle, count, &expected_left);
	left = nothing;

	status = image_verify(handle, launch_pfn, &left);

	claim(status == expected, "the status is the specified one");
	claim(status != CV_OK || left == expected_left, "so many pages are left");
	claim((vm.state == VM_VERIFIED) == (want.state == VM_VERIFIED), "VERIFIED, or not");
	claim(status != CV_E_AUTH || (vm.state == VM_READY && vm.images.count == 0),
	      "AUTH: as before, without images");
	claim(was_undone || status != CV_OK || left > 0 || vm.state == VM_VERIFIED, "OK is OK");
	claim(!is_taken, "the launch page is the host's again");
	claim(!vm.images.is_undone || (vm.images.count > 0 && vm.state != VM_VERIFIED),
	      "whoever is being undone has images, and is not VERIFIED");
	claim_as_wanted();
}

void proof_image_verify(void)
{
	any_vm(2);
	vm.images.is_undone = false;
	assume(images_are_sound());
	want = vm;
	verify(2);
	reach(status == CV_E_NOENT, "NOENT");
	reach(status == CV_E_RANGE, "RANGE");
	reach(status == CV_E_STATE && vm.state == VM_READY && take_status == CV_E_STATE, "STATE");
	reach(status == CV_E_BUSY, "BUSY: not complete");
	reach(status == CV_E_NOMEM, "NOMEM");
	reach(status == CV_E_INVALID, "INVALID");
	reach(status == CV_E_PERM, "PERM");
	reach(status == CV_E_AUTH, "AUTH, at once");
	reach(status == CV_E_AUTH && is_signed && is_manifest, "AUTH: an image");
	reach(status == CV_OK && left > 0, "AUTH, page by page");
	reach(status == CV_OK && left == 0 && the_manifest.image_count == 2, "OK, two signed");
	reach(status == CV_OK && left == 0 && the_manifest.image_count == 1, "OK, a parameter");
}

/* A check has failed; the rest goes. */
void proof_image_verify_undo(void)
{
	any_vm(RV_IMAGES_MAX);
	vm.images.is_undone = true;
	assume(images_are_sound());
	want = vm;
	verify(RV_IMAGES_MAX);
	reach(status == CV_E_STATE, "STATE: the VM is off");
	reach(status == CV_OK && left > 0, "more to come");
	reach(status == CV_E_AUTH && reclaimed == RV_BATCH_PAGES, "the last batch");
}

/* No image, or an open VM. */
void proof_image_verify_none(void)
{
	any_vm(0);
	assume(images_are_sound());
	want = vm;
	verify(0);
	reach(status == CV_E_STATE && vm.is_protected && vm.state == VM_READY, "STATE: no image");
	reach(status == CV_E_STATE && !vm.is_protected, "STATE: not READY");
	reach(status == CV_OK && !vm.is_protected, "OK: an open VM");
	claim(status != CV_OK || !vm.is_protected, "no protected VM without an image");
}

/* ---- RV_VM_MEASURE ---- */

void proof_image_measure(void)
{
	u64 handle = nondet_u64();
	u64 what = nondet_u64();
	u64 out[4] = { nondet_u64(), nondet_u64(), nondet_u64(), nondet_u64() };
	u8 before[CRYPTO_HASH_BYTES];
	enum cv_status expected = CV_OK;

	any_vm(0);
	memcpy(before, out, sizeof(before));
	if (what != RV_MEASURE_OWNER && what != RV_MEASURE_MANIFEST) {
		expected = CV_E_INVALID;
	} else if (handle != vm.handle) {
		expected = CV_E_NOENT;
	} else if (vm.is_protected && what == RV_MEASURE_MANIFEST && vm.state != VM_VERIFIED) {
		expected = CV_E_STATE;
	} else if (!vm.is_protected) {
		expected = CV_E_PERM;
	}

	status = image_measure(handle, what, out);

	reach(status == CV_OK && what == RV_MEASURE_OWNER && vm.state == VM_READY, "the owner");
	reach(status == CV_OK && what == RV_MEASURE_MANIFEST, "the manifest");
	reach(status == CV_E_INVALID, "INVALID");
	reach(status == CV_E_NOENT, "NOENT");
	reach(status == CV_E_STATE, "STATE");
	reach(status == CV_E_PERM, "PERM");
	claim(status == expected, "the status is the specified one");
	claim(hash_is((const u8 *)out, status != CV_OK		  ? before
				       : what == RV_MEASURE_OWNER ? vm.owner_key
								  : vm.manifest),
	      "the hash that was asked for, or nothing");
	claim_as_wanted();
}
