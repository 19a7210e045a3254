/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Proof: what a protected VM starts with tells the host nothing of what is private (image.c). Each
 * call is run twice, for states that differ in all of it that could be in reach: the key of a
 * snapshot that the VM is saved to or loaded from, the other VM's record, and, RV_IMAGE_MAP, the
 * content of the page and so the hash of it. vCPU records and the content of other pages are out of
 * reach: the pointers to the former lead nowhere, the window opens for nothing else, and who
 * follows one fails. The status is the same then, as are results, which pages come and go, and the
 * VM's record but for the key (and that hash), so that later calls agree as well; nothing is
 * written to a page of the host.
 *
 * Not private, so the same in both: the images' digests in RV_VM_VERIFY. Their bytes are the
 * host's, from its pages; the VM has none yet of its own, since nothing loaded or run comes before.
 * Proof-args: -Itest/proof/few --unwind 5
 * Proof-args: --unwindset is_32.0:33,any_launch.1:33,any_manifest.0:33,any_key.0:33
 * Proof-args: corevisor/core/image.c
 * Proof-entry: proof_disclose_image_add
 * Proof-entry: proof_disclose_image_map
 * Proof-entry: proof_disclose_vm_verify
 * Proof-entry: proof_disclose_vm_verify_none quick
 * Proof-entry: proof_disclose_vm_measure quick
 */
#include "image_launch.h"

/* What the host sees of a call, and what is left behind. */
struct view {
	enum cv_status status;
	u64 result[4];
	u64 pages_come, pages_go;
	struct vm vm; /* without the key */
};

static struct view one, two;
static bool is_other; /* the second state differs from the first */

static const u8 no_key[CRYPTO_KEY_BYTES];

static void any_key(void)
{
	for (u32 i = 0; i < CRYPTO_KEY_BYTES; i++) {
		vm.seal.key[i] = nondet_u8();
	}
}

/* All is as it was before the first run, but for what is private. */
static void second_state(void)
{
	const u64 byte = any_below(PAGE_SIZE);
	const u8 first_byte = window[byte];

	loaded = hashed = icache_for = reclaimed = 0;
	is_tail_zero = is_tail_cleaned = is_begun = is_manifest_hashed = false;
	manifest_hash = NULL;

	vm = want;
	if (vm.seal.mode != SEAL_NONE) {
		any_key();
	}
	other = nondet_vm();
	other_before = other;
	__CPROVER_havoc_object(window);
	is_other = window[byte] != first_byte && other.entry != want.entry &&
		   (vm.seal.mode == SEAL_NONE || vm.seal.key[0] != want.seal.key[0]);
}

/* The call is over. */
static void see(struct view *view, enum cv_status answer)
{
	view->status = answer;
	view->pages_come = loaded;
	view->pages_go = reclaimed;
	view->vm = vm;
	if (vm.seal.mode != SEAL_NONE) {
		memcpy(view->vm.seal.key, no_key, CRYPTO_KEY_BYTES);
	}
	claim(!is_locked && !is_open && !is_taken, "nothing is left held");
	claim(__CPROVER_equal(other, other_before), "the other VM stays");
}

static void claim_same(void)
{
	claim(one.status == two.status, "the same status");
	for (u32 i = 0; i < 4; i++) {
		claim(one.result[i] == two.result[i], "the same results");
	}
	claim(one.pages_come == two.pages_come && one.pages_go == two.pages_go,
	      "the same pages come and go");
	claim(__CPROVER_equal(one.vm, two.vm), "the same VM for all later calls");
}

void proof_disclose_image_add(void)
{
	const u64 handle = nondet_u64();
	const u64 gpa = any_bits(IPA_BITS + 1);
	const u64 bytes = any_bits(IPA_BITS + 1);

	any_vm(2);
	assume(images_are_sound());
	first_state = nondet_hash();
	see(&one, image_add(handle, gpa, bytes, one.result));
	second_state();
	see(&two, image_add(handle, gpa, bytes, two.result));

	reach(one.status == CV_OK && is_other, "OK");
	reach(one.status == CV_E_BUSY && is_other, "BUSY");
	reach(one.status == CV_E_STATE && vm.seal.mode == SEAL_LOADING && is_other, "STATE");
	claim_same();
}

void proof_disclose_image_map(void)
{
	const u64 handle = nondet_u64();
	const u64 pages = nondet_u64();

	any_map();
	see(&one, image_map(handle, MINE, first_pfn, pages, one.result));
	second_state();
	for (u32 i = 0; i < RV_BATCH_PAGES; i++) {
		hash_of_page[i] = nondet_hash();
	}
	see(&two, image_map(handle, MINE, first_pfn, pages, two.result));
	two.vm.images.image[MINE].hash = one.vm.images.image[MINE].hash;

	reach(one.status == CV_OK && one.result[0] == RV_BATCH_PAGES && is_other, "OK");
	reach(one.status == CV_OK && is_tail_cleaned && is_other, "OK, the last page");
	reach(one.status == CV_E_NOMEM && is_other, "NOMEM");
	reach(one.status == CV_E_STATE && vm.seal.mode == SEAL_LOADING && is_other, "STATE");
	claim_same();
}

/* Pre: count is a constant; the VM is there. */
static void verify_twice(void)
{
	const u64 handle = nondet_u64();
	struct rv_launch before;

	assume(images_are_sound());
	want = vm;
	any_launch();
	before = launch;
	see(&one, image_verify(handle, launch_pfn, one.result));
	second_state();
	launch = before;
	see(&two, image_verify(handle, launch_pfn, two.result));
	claim_same();
}

void proof_disclose_vm_verify(void)
{
	any_vm(2);
	verify_twice();
	reach(one.status == CV_OK && vm.state == VM_VERIFIED && is_other, "OK");
	reach(one.status == CV_OK && one.result[0] > 0 && is_other, "AUTH, page by page");
	reach(one.status == CV_E_AUTH && is_other, "AUTH");
	reach(one.status == CV_E_PERM && is_other, "PERM");
	reach(one.status == CV_E_STATE && vm.seal.mode == SEAL_SAVING && is_other, "STATE");
}

/* No image, as while a snapshot is loaded; or an open VM. */
void proof_disclose_vm_verify_none(void)
{
	any_vm(0);
	verify_twice();
	reach(one.status == CV_OK && is_other, "OK: an open VM");
	reach(one.status == CV_E_STATE && vm.seal.mode == SEAL_LOADING && is_other, "STATE");
}

void proof_disclose_vm_measure(void)
{
	const u64 handle = nondet_u64();
	const u64 what = nondet_u64();

	any_vm(0);
	see(&one, image_measure(handle, what, one.result));
	second_state();
	see(&two, image_measure(handle, what, two.result));

	reach(one.status == CV_OK && vm.seal.mode == SEAL_SAVING && is_other, "OK, being saved");
	reach(one.status == CV_OK && vm.seal.mode == SEAL_LOADING && is_other, "OK, being loaded");
	reach(one.status == CV_E_STATE && is_other, "STATE");
	claim_same();
}
