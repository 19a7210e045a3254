/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Proof: the check of what a protected VM starts with (image.c). For any VM with up to three
 * images, whatever the host passes and whatever the launch page holds:
 *   - the status is the one that the ABI's order of errors names (spec_*() below, from abi.h); a
 *     refusal leaves the VM as it was, bit by bit; a success changes exactly what is specified; the
 *     other VM stays;
 *   - a VM becomes VERIFIED exactly if the key is its owner's, the signature good, the manifest
 *     well-formed, every image signed or a parameter, every image of the manifest there and the
 *     policy kept; the entry then lies in a signed image;
 *   - a failed check gives back all image pages, RV_BATCH_PAGES a call, and only the last call says
 *     AUTH.
 * By their contracts: memory (mem.h), cryptography (crypto.h), the manifest (manifest.h), locks.
 * Seed: verify_and_load_images (B8).
 * Proof-args: -Itest/proof/few --unwind 5
 * Proof-args: --unwindset is_32.0:33,any_launch.1:33,any_manifest.0:33
 * Proof-args: corevisor/core/image.c
 * Proof-entry: proof_image_verify
 * Proof-entry: proof_image_verify_undo
 * Proof-entry: proof_image_verify_none quick
 */
#include "image_launch.h"

/* Image i is manifest image m, to the last bit. */
static bool spec_is(u32 i, u32 m)
{
	return m < the_manifest.image_count &&
	       vm.images.image[i].first.v << PAGE_SHIFT == the_manifest.image[m].range.gpa &&
	       vm.images.image[i].bytes == the_manifest.image[m].range.bytes &&
	       is_32(image_digest[i], the_manifest.image[m].hash);
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
		if (!is_32(key_hash, vm.owner_key) || !is_signed || !is_manifest ||
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
