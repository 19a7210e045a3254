/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Proof: what a protected VM starts with (image.c), but for the check of it (proof_image_verify.c).
 * For any VM with up to three images, and whatever the host passes:
 *   - the status is the one that the ABI's order of errors names (spec_*() below, from abi.h); a
 *     refusal leaves the VM as it was, bit by bit; a success changes exactly what is specified; the
 *     other VM stays;
 *   - a page has left the host and is the VM's before it is looked at, is hashed once, at its place
 *     in the image, and what lies behind the image's end is zeroed and out of the cache.
 * By their contracts: memory (mem.h), cryptography (crypto.h), locks. Seed: set_boot_info,
 * remap_vm_image (B6, B7).
 * Proof-args: -Itest/proof/few --unwind 5 --unwindset is_32.0:33 corevisor/core/image.c
 * Proof-entry: proof_image_add quick
 * Proof-entry: proof_image_add_more
 * Proof-entry: proof_image_add_full
 * Proof-entry: proof_image_add_far
 * Proof-entry: proof_image_map
 * Proof-entry: proof_image_measure quick
 */
#include "image_state.h"

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

/* So it is not the VM why a page is refused. */
static bool takes_pages(void)
{
	return vm.state == VM_READY && !vm.images.is_undone && vm.seal.mode == SEAL_NONE;
}

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

		if (!takes_pages() || image->pages_mapped == image_pages(image)) {
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
	bool is_complete;
	enum cv_status expected;

	any_map();
	is_complete = pages_before == image_pages(the_image);
	expected = spec_map(handle, pages, &expected_done);

	status = image_map(handle, MINE, first_pfn, pages, &done);

	reach(status == CV_E_INVALID, "INVALID");
	reach(status == CV_E_NOENT && handle == vm.handle, "NOENT: no such image");
	reach(status == CV_E_RANGE, "RANGE");
	reach(status == CV_E_STATE && vm.state == VM_VERIFIED, "STATE: not READY");
	reach(status == CV_E_STATE && vm.seal.mode == SEAL_LOADING, "STATE: being loaded");
	reach(status == CV_E_STATE && vm.images.is_undone, "STATE: undone");
	reach(status == CV_E_STATE && takes_pages() && is_complete, "STATE: the image is complete");
	reach(status == CV_E_STATE && takes_pages() && !is_complete, "STATE: not the host's alone");
	reach(status == CV_E_BUSY, "BUSY");
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
	claim(is_32((const u8 *)out, status != CV_OK		? before
				     : what == RV_MEASURE_OWNER ? vm.owner_key
								: vm.manifest),
	      "the hash that was asked for, or nothing");
	claim_as_wanted();
}
