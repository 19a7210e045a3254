/* SPDX-License-Identifier: BSD-3-Clause */
/* Images of protected VMs. Whether a signature is good is not for this specification to compute:
 * the caller says (enum spec_verdict) what a verifier must find. */
#include "spec_impl.h"

#include <string.h>

static u64 pages_of(u64 bytes)
{
	return bytes / PAGE_SIZE + (bytes % PAGE_SIZE != 0);
}

static bool takes_images(const struct spec_vm *vm)
{
	return vm->state == VM_READY && !vm->is_undone && vm->seal.mode == SEAL_NONE;
}

enum cv_status spec_image_add(struct spec_state *state, u64 handle, u64 gpa, u64 bytes, u64 *index)
{
	struct spec_vm *vm = spec_vm(state, handle);
	u64 first = gpa / PAGE_SIZE;
	u64 end;

	if (bytes == 0 || gpa % PAGE_SIZE != 0) {
		return CV_E_INVALID;
	}
	if (vm == NULL) {
		return CV_E_NOENT;
	}
	if (!vm->is_protected) {
		return CV_E_PERM;
	}
	if (gpa >= GFN_LIMIT * PAGE_SIZE || bytes > GFN_LIMIT * PAGE_SIZE ||
	    first + pages_of(bytes) > spec_ram_end(vm, first)) {
		return CV_E_RANGE;
	}
	if (!takes_images(vm)) {
		return CV_E_STATE;
	}
	end = first + pages_of(bytes);
	for (u32 i = 0; i < vm->image_count; i++) {
		const struct spec_image *other = &vm->image[i];

		if (first < other->first + pages_of(other->bytes) && other->first < end) {
			return CV_E_BUSY;
		}
	}
	if (vm->image_count == RV_IMAGES_MAX) {
		return CV_E_BUSY;
	}
	vm->image[vm->image_count] = (struct spec_image){ .first = first, .bytes = bytes };
	*index = vm->image_count++;
	return CV_OK;
}

static enum cv_status image_page(struct spec_state *state, struct spec_vm *vm, u64 index, u64 pfn)
{
	struct spec_image *image = &vm->image[index];
	enum cv_status status;

	if (spec_page(state, pfn) == NULL) {
		return CV_E_RANGE;
	}
	if (!takes_images(vm) || image->mapped == pages_of(image->bytes)) {
		return CV_E_STATE;
	}
	status = spec_map_page(state, vm, image->first + image->mapped, pfn, true);
	image->mapped += status == CV_OK;
	return status;
}

enum cv_status spec_image_map(struct spec_state *state, u64 handle, u64 index, u64 pfn, u64 pages,
			      u64 *done)
{
	struct spec_vm *vm = spec_vm(state, handle);
	enum cv_status status = CV_OK;
	u64 i = 0;

	if (pages == 0) {
		return CV_E_INVALID;
	}
	if (vm == NULL || index >= vm->image_count) {
		return CV_E_NOENT;
	}
	while (i < pages && i < RV_BATCH_PAGES) {
		status = image_page(state, vm, index, pfn + i);
		if (status != CV_OK) {
			break;
		}
		i++;
	}
	if (i == 0) {
		return status;
	}
	*done = i;
	return CV_OK;
}

static u64 pages_left(const struct spec_vm *vm)
{
	u64 left = 0;

	for (u32 i = 0; i < vm->image_count; i++) {
		left += vm->image[i].mapped;
	}
	return left;
}

/* From the last page back, one batch. An image is gone with its first page. */
static enum cv_status undo(struct spec_state *state, struct spec_vm *vm, u64 *left)
{
	vm->is_undone = true;
	for (u32 i = 0; i < RV_BATCH_PAGES && vm->image_count > 0; i++) {
		struct spec_image *image = &vm->image[vm->image_count - 1];

		image->mapped--;
		spec_reclaim_page(state, vm, image->first + image->mapped);
		if (image->mapped == 0) {
			*image = (struct spec_image){ 0 };
			vm->image_count--;
		}
	}
	*left = pages_left(vm);
	if (*left > 0) {
		return CV_OK;
	}
	vm->is_undone = false;
	return CV_E_AUTH;
}

enum cv_status spec_vm_verify(struct spec_state *state, u64 handle, u64 launch,
			      enum spec_verdict verdict, u64 entry, bool may_be_saved, u64 *left)
{
	static const enum cv_status statuses[] = {
		[SPEC_MALFORMED] = CV_E_INVALID,
		[SPEC_AGAINST_POLICY] = CV_E_PERM,
		[SPEC_SIGNED] = CV_OK,
	};
	struct spec_vm *vm = spec_vm(state, handle);
	enum cv_status status;

	if (vm == NULL) {
		return CV_E_NOENT;
	}
	*left = 0;
	if (!vm->is_protected && vm->state == VM_READY) {
		vm->state = VM_VERIFIED;
		return CV_OK;
	}
	if (!vm->is_protected) {
		return CV_E_STATE;
	}
	if (vm->state == VM_READY && vm->is_undone) {
		return undo(state, vm, left);
	}
	status = spec_page_check(state, launch);
	if (status == CV_E_RANGE) {
		return status;
	}
	if (!takes_images(vm) || vm->image_count == 0 || status != CV_OK) {
		return CV_E_STATE;
	}
	for (u32 i = 0; i < vm->image_count; i++) {
		if (vm->image[i].mapped < pages_of(vm->image[i].bytes)) {
			return CV_E_BUSY;
		}
	}
	/* The core has it while it reads it, and gives it back; EL2's table, once made, stays. */
	status = spec_core_borrow(state, launch);
	if (status != CV_OK) {
		return status;
	}
	if (verdict == SPEC_NOT_SIGNED) {
		return undo(state, vm, left);
	}
	if (statuses[verdict] == CV_OK) {
		vm->state = VM_VERIFIED;
		vm->entry = entry;
		vm->may_be_saved = may_be_saved;
	}
	return statuses[verdict];
}

enum cv_status spec_vm_measure(struct spec_state *state, u64 handle, u64 what)
{
	const struct spec_vm *vm = spec_vm(state, handle);

	if (what != RV_MEASURE_OWNER && what != RV_MEASURE_MANIFEST) {
		return CV_E_INVALID;
	}
	if (vm == NULL) {
		return CV_E_NOENT;
	}
	if (!vm->is_protected) {
		return CV_E_PERM;
	}
	return what == RV_MEASURE_MANIFEST && vm->state != VM_VERIFIED ? CV_E_STATE : CV_OK;
}
