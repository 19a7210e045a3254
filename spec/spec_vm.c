/* SPDX-License-Identifier: BSD-3-Clause */
/* VMs: what they are built of, and how they end. */
#include "spec_impl.h"

#include <string.h>

#define DONATE_MAX 3 /* pages that one call takes for the corevisor */

struct spec_vm *spec_vm(struct spec_state *state, u64 handle)
{
	for (u32 i = 0; i < SPEC_VMS; i++) {
		if (handle != 0 && state->vm[i].handle == handle) {
			return &state->vm[i];
		}
	}
	return NULL;
}

static struct spec_vm *free_slot(struct spec_state *state)
{
	for (u32 i = 0; i < SPEC_VMS; i++) {
		if (state->vm[i].handle == 0) {
			return &state->vm[i];
		}
	}
	return NULL;
}

/* The lowest owner number that no VM has. */
static u32 free_owner(const struct spec_state *state)
{
	u32 owner = OWNER_VM_FIRST;

	for (u32 i = 0; i < SPEC_VMS; i++) {
		if (state->vm[i].handle != 0 && vm_handle_owner(state->vm[i].handle) == owner) {
			owner++;
			i = (u32)-1; /* look again from the first */
		}
	}
	return owner;
}

/* All pages' RANGE, then all pages' STATE, a page named twice too. */
enum cv_status spec_pages_check(struct spec_state *state, const u64 *pfns, u32 count)
{
	enum cv_status result = CV_OK;

	for (u32 i = 0; i < count; i++) {
		if (spec_page_check(state, pfns[i]) == CV_E_RANGE) {
			return CV_E_RANGE;
		}
	}
	for (u32 i = 0; i < count; i++) {
		if (spec_page_check(state, pfns[i]) != CV_OK) {
			result = CV_E_STATE;
		}
		for (u32 j = 0; j < i; j++) {
			if (pfns[i] == pfns[j]) {
				result = CV_E_STATE;
			}
		}
	}
	return result;
}

/* All or none. */
enum cv_status spec_donate_all(struct spec_state *state, const u64 *pfns, u32 count)
{
	u64 tokens[DONATE_MAX];

	for (u32 i = 0; i < count; i++) {
		struct spec_page *page = spec_page(state, pfns[i]);
		u64 token = page->token;
		enum cv_status status = spec_host_donate_core(state, pfns[i]);

		if (status != CV_OK) {
			/* Tables once made, EL2's and the host's of level 2, stay: the only trace,
			 * and nobody below sees it. */
			while (i > 0) {
				i--;
				spec_page_set(state, pfns[i], spec_host_page(tokens[i]));
			}
			return status;
		}
		tokens[i] = token;
	}
	return CV_OK;
}

static void push(struct spec_vm *vm, u64 pfn)
{
	vm->donated[vm->donated_count++] = pfn;
}

static u64 pop(struct spec_vm *vm)
{
	u64 pfn = vm->donated[--vm->donated_count];

	vm->donated[vm->donated_count] = 0;
	return pfn;
}

enum cv_status spec_vm_create(struct spec_state *state, u64 record, u64 root, u64 flags,
			      const u64 owner_key[4], u64 *handle)
{
	const u64 pfns[3] = { record, root, root + 1 };
	u32 owner = free_owner(state);
	struct spec_vm *vm = free_slot(state);
	enum cv_status status;

	if ((flags & ~(u64)RV_VM_PROTECTED) != 0 || root % 2 != 0 ||
	    (flags == 0 && (owner_key[0] | owner_key[1] | owner_key[2] | owner_key[3]) != 0)) {
		return CV_E_INVALID;
	}
	if ((flags & RV_VM_PROTECTED) != 0 && !state->has_entropy) {
		return CV_E_NOENTROPY;
	}
	status = spec_pages_check(state, pfns, 3);
	if (status != CV_OK) {
		return status;
	}
	if (vm == NULL) {
		return CV_E_BUSY;
	}
	status = spec_donate_all(state, pfns, 3);
	if (status != CV_OK) {
		return status;
	}
	memset(vm, 0, sizeof(*vm));
	state->last_generation++;
	vm->handle = state->last_generation << VM_HANDLE_OWNER_BITS | owner;
	vm->is_protected = (flags & RV_VM_PROTECTED) != 0;
	vm->state = VM_READY;
	for (u32 i = 0; i < 3; i++) {
		push(vm, pfns[i]);
	}
	state->vm_count++;
	*handle = vm->handle;
	return CV_OK;
}

enum cv_status spec_vm_topup(struct spec_state *state, u64 handle, u64 pfn)
{
	struct spec_vm *vm = spec_vm(state, handle);
	enum cv_status status;

	if (vm == NULL) {
		return CV_E_NOENT;
	}
	status = spec_page_check(state, pfn);
	if (status == CV_OK && vm->state == VM_POWEROFF) {
		status = CV_E_STATE;
	}
	if (status == CV_OK) {
		status = spec_host_donate_core(state, pfn);
	}
	if (status == CV_OK) {
		push(vm, pfn);
		vm->tables_free++;
	}
	return status;
}

enum cv_status spec_vm_add_ram(struct spec_state *state, u64 handle, u64 gfn, u64 pages)
{
	struct spec_vm *vm = spec_vm(state, handle);

	if (pages == 0) {
		return CV_E_INVALID;
	}
	if (vm == NULL) {
		return CV_E_NOENT;
	}
	if (gfn >= GFN_LIMIT || pages > GFN_LIMIT - gfn) {
		return CV_E_RANGE;
	}
	if (vm->state != VM_READY || vm->seal.mode != SEAL_NONE) {
		return CV_E_STATE;
	}
	for (u32 i = 0; i < vm->ram_count; i++) {
		if (gfn < vm->ram[i].first.v + vm->ram[i].pages &&
		    vm->ram[i].first.v < gfn + pages) {
			return CV_E_BUSY;
		}
	}
	if (vm->ram_count == RV_RAM_RANGES || spec_io_overlaps(state, vm, gfn, pages)) {
		return CV_E_BUSY;
	}
	vm->ram[vm->ram_count].first = gfn_make(gfn);
	vm->ram[vm->ram_count].pages = pages;
	vm->ram_count++;
	return CV_OK;
}

enum cv_status spec_vm_kill(struct spec_state *state, u64 handle)
{
	struct spec_vm *vm = spec_vm(state, handle);

	if (vm == NULL) {
		return CV_E_NOENT;
	}
	vm->state = VM_POWEROFF;
	memset(&vm->seal, 0, sizeof(vm->seal));
	return CV_OK;
}

enum cv_status spec_vm_destroy(struct spec_state *state, u64 handle, u64 *left)
{
	struct spec_vm *vm = spec_vm(state, handle);
	u32 returned = 0;

	if (vm == NULL) {
		return CV_E_NOENT;
	}
	if (vm->state != VM_POWEROFF) {
		return CV_E_STATE;
	}
	if (vm->active > 0 || vm->guest_pages > 0 || vm->device_pages > 0 || vm->dma_contexts > 0) {
		return CV_E_BUSY;
	}
	for (u32 i = 0; i < SPEC_VCPUS; i++) {
		if (vm->vcpu[i].state != SPEC_VCPU_UNUSED) {
			spec_host_unshare_core(state, vm->vcpu[i].run_pfn);
			vm->vcpu[i] = (struct spec_vcpu){ 0 };
		}
	}
	vm->tables_free = 0;
	memset(vm->has_level2, 0, sizeof(vm->has_level2));
	memset(vm->has_level3, 0, sizeof(vm->has_level3));
	memset(vm->gfn, 0, sizeof(vm->gfn)); /* the wishes went with the tables */
	while (vm->donated_count > 3 && returned < RV_BATCH_PAGES - 3) {
		spec_core_return_host(state, pop(vm));
		returned++;
	}
	*left = vm->donated_count > 3 ? vm->donated_count : 0;
	if (*left == 0) {
		while (vm->donated_count > 0) {
			spec_core_return_host(state, pop(vm));
		}
		memset(vm, 0, sizeof(*vm));
		state->vm_count--;
	}
	return CV_OK;
}

enum cv_status spec_vm_create_vcpu(struct spec_state *state, u64 handle, u64 index, u64 record,
				   u64 run)
{
	const u64 pfns[2] = { record, run };
	struct spec_vm *vm = spec_vm(state, handle);
	enum cv_status status;
	u64 token;

	if (index >= VM_VCPUS_MAX) {
		return CV_E_INVALID;
	}
	if (vm == NULL) {
		return CV_E_NOENT;
	}
	status = spec_pages_check(state, pfns, 2);
	if (status == CV_OK && (vm->state != VM_READY || vm->seal.mode != SEAL_NONE)) {
		status = CV_E_STATE;
	}
	if (status == CV_OK && index < SPEC_VCPUS && vm->vcpu[index].state != SPEC_VCPU_UNUSED) {
		status = CV_E_BUSY;
	}
	if (status != CV_OK) {
		return status;
	}
	token = spec_page(state, record)->token;
	status = spec_donate_all(state, pfns, 1);
	if (status != CV_OK) {
		return status;
	}
	status = spec_host_share_core(state, run);
	if (status != CV_OK) {
		spec_page_set(state, record, spec_host_page(token));
		return status;
	}
	push(vm, record);
	vm->vcpu[index] = (struct spec_vcpu){
		.state = SPEC_VCPU_READY,
		.power = VCPU_OFF,
		.run_pfn = run,
	};
	return CV_OK;
}
