/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Sealed snapshots: who may do what when, and what becomes of pages. Of cryptography it knows that
 * a record opens, or does not: the caller says which (is_next), and what the host finds in its page
 * afterwards (`token`), because ciphertext is not for a specification to predict.
 */
#include "spec_impl.h"

#include <string.h>

static u64 next_vcpu(const struct spec_vm *vm)
{
	u64 next = vm->seal.next_vcpu;

	while (next < SPEC_VCPUS && vm->vcpu[next].state == SPEC_VCPU_UNUSED) {
		next++;
	}
	return next;
}

static bool has_vcpu(const struct spec_vm *vm, u64 index)
{
	return index < SPEC_VCPUS && vm->vcpu[index].state != SPEC_VCPU_UNUSED;
}

/* RANGE, then STATE: not the time, or not the host's alone. */
static enum cv_status page_check(struct spec_state *state, u64 pfn, bool is_due)
{
	enum cv_status status = spec_page_check(state, pfn);

	return status == CV_E_RANGE || is_due ? status : CV_E_STATE;
}

/* The host's page now holds what was written for it. */
static void written(struct spec_state *state, u64 pfn, u64 token)
{
	spec_page(state, pfn)->token = token;
}

static void finish(struct spec_vm *vm)
{
	vm->tables_free++;
	memset(&vm->seal, 0, sizeof(vm->seal));
}

static enum cv_status begin(struct spec_state *state, struct spec_vm *vm, enum seal_mode mode)
{
	if (!state->has_entropy) {
		return CV_E_NOENTROPY;
	}
	if (vm->tables_free == 0) {
		return CV_E_NOMEM;
	}
	vm->tables_free--;
	vm->seal.mode = mode;
	return CV_OK;
}

/* ---- saving ---- */

enum cv_status spec_seal_save_begin(struct spec_state *state, u64 handle, u64 pfn, u64 token)
{
	struct spec_vm *vm = spec_vm(state, handle);
	enum cv_status status;

	if (vm == NULL) {
		return CV_E_NOENT;
	}
	status = page_check(state, pfn, vm->state == VM_VERIFIED);
	if (status != CV_OK) {
		return status;
	}
	if (!vm->is_protected || !vm->may_be_saved || vm->device_pages > 0) {
		return CV_E_PERM;
	}
	if (vm->seal.mode != SEAL_NONE || vm->active > 0 || vm->dma_contexts > 0) {
		return CV_E_BUSY;
	}
	status = begin(state, vm, SEAL_SAVING);
	if (status == CV_OK) {
		written(state, pfn, token);
	}
	return status;
}

enum cv_status spec_seal_save_vcpu(struct spec_state *state, u64 handle, u64 index, u64 pfn,
				   u64 token)
{
	struct spec_vm *vm = spec_vm(state, handle);
	enum cv_status status;

	if (vm == NULL || !has_vcpu(vm, index)) {
		return CV_E_NOENT;
	}
	status = page_check(state, pfn, vm->seal.mode == SEAL_SAVING && index == next_vcpu(vm));
	if (status == CV_OK) {
		written(state, pfn, token);
		vm->seal.next_vcpu = index + 1;
		vm->seal.records++;
	}
	return status;
}

static bool is_said(const struct spec_vm *vm, u64 gfn)
{
	return vm->gfn[gfn].pfn != 0 || vm->gfn[gfn].wish != S2_WISH_PRIVATE;
}

/* Where the look for the next gfn ends: at it, or after so many entries, or with the RAM. */
static u64 look(const struct spec_vm *vm, u64 gfn, bool *is_found)
{
	*is_found = false;
	for (u32 looks = 0; gfn < GFN_LIMIT && looks < 8 * RV_BATCH_PAGES; looks++) {
		u64 pages;

		if (spec_ram_end(vm, gfn) == 0) {
			gfn = spec_ram_next(vm, gfn);
			continue;
		}
		if (is_said(vm, gfn)) {
			*is_found = true;
			return gfn;
		}
		pages = spec_leaf_pages(vm, gfn);
		gfn = align_down(gfn, pages) + pages;
	}
	return gfn;
}

enum cv_status spec_seal_save_page(struct spec_state *state, u64 handle, u64 pfn, u64 token,
				   u64 *gfn, u64 *what)
{
	static const u64 said[] = { 0, RV_SEAL_SHARED, RV_SEAL_DESTROYED };
	struct spec_vm *vm = spec_vm(state, handle);
	enum cv_status status;
	bool is_found;
	bool is_backed;
	u64 pages;
	u64 at;

	if (vm == NULL) {
		return CV_E_NOENT;
	}
	status =
		page_check(state, pfn, vm->seal.mode == SEAL_SAVING && next_vcpu(vm) == SPEC_VCPUS);
	if (status != CV_OK) {
		return status;
	}
	at = look(vm, vm->seal.next_gfn, &is_found);
	vm->seal.next_gfn = at;
	if (!is_found) {
		vm->seal.is_complete = at == GFN_LIMIT;
		*gfn = vm->seal.is_complete ? RV_SEAL_NO_GFN : at;
		*what = 0;
		return CV_OK;
	}
	is_backed = vm->gfn[at].pfn != 0;
	pages = is_backed ? 1 : min_u64(spec_leaf_pages(vm, at), PAGES_PER_BLOCK);
	*gfn = at;
	*what = (is_backed ? RV_SEAL_BACKED : 0) | said[vm->gfn[at].wish] |
		pages << RV_SEAL_PAGES_SHIFT;
	vm->seal.next_gfn = at + pages;
	vm->seal.records++;
	vm->seal.pages += is_backed;
	if (is_backed) {
		written(state, pfn, token);
	}
	return CV_OK;
}

enum cv_status spec_seal_save_end(struct spec_state *state, u64 handle, u64 pfn, u64 token)
{
	struct spec_vm *vm = spec_vm(state, handle);
	enum cv_status status;

	if (vm == NULL) {
		return CV_E_NOENT;
	}
	status = page_check(state, pfn, vm->seal.mode == SEAL_SAVING && vm->seal.is_complete);
	if (status == CV_OK) {
		written(state, pfn, token);
		finish(vm);
	}
	return status;
}

enum cv_status spec_seal_abort(struct spec_state *state, u64 handle)
{
	struct spec_vm *vm = spec_vm(state, handle);

	if (vm == NULL) {
		return CV_E_NOENT;
	}
	if (vm->seal.mode == SEAL_NONE) {
		return CV_E_STATE;
	}
	if (vm->seal.mode == SEAL_LOADING) {
		vm->state = VM_POWEROFF;
	}
	finish(vm);
	return CV_OK;
}

/* ---- loading ---- */

enum cv_status spec_seal_load_begin(struct spec_state *state, u64 handle, u64 pfn,
				    enum spec_header header)
{
	struct spec_vm *vm = spec_vm(state, handle);
	enum cv_status status;

	if (vm == NULL) {
		return CV_E_NOENT;
	}
	status = page_check(state, pfn,
			    vm->state == VM_READY && vm->seal.mode == SEAL_NONE &&
				    vm->image_count == 0 && vm->guest_pages == 0 &&
				    vm->device_pages == 0 && vm->dma_contexts == 0);
	if (status != CV_OK) {
		return status;
	}
	if (header == SPEC_HEADER_DIFFERS) {
		return CV_E_INVALID;
	}
	if (!vm->is_protected || header == SPEC_HEADER_OF_ANOTHER) {
		return CV_E_PERM;
	}
	return begin(state, vm, SEAL_LOADING);
}

enum cv_status spec_seal_load_vcpu(struct spec_state *state, u64 handle, u64 index, u64 pfn,
				   const struct spec_vcpu *saved)
{
	struct spec_vm *vm = spec_vm(state, handle);
	enum cv_status status;

	if (vm == NULL || !has_vcpu(vm, index)) {
		return CV_E_NOENT;
	}
	status = page_check(state, pfn, vm->seal.mode == SEAL_LOADING && index == next_vcpu(vm));
	if (status != CV_OK) {
		return status;
	}
	if (saved == NULL) {
		return CV_E_AUTH;
	}
	/* It has run, in another life. */
	vm->vcpu[index] = (struct spec_vcpu){
		.state = vm->vcpu[index].state,
		.power = saved->power,
		.has_run = true,
		.run_pfn = vm->vcpu[index].run_pfn,
		.entry_pc = saved->entry_pc,
		.entry_x0 = saved->entry_x0,
		.pc = saved->pc,
		.x0 = saved->x0,
	};
	vm->seal.next_vcpu = index + 1;
	vm->seal.records++;
	return CV_OK;
}

static bool is_what(u64 gfn, u64 what)
{
	u64 pages = what >> RV_SEAL_PAGES_SHIFT;
	u64 flags = what % (1 << RV_SEAL_PAGES_SHIFT);

	if (flags == RV_SEAL_BACKED || flags == (RV_SEAL_BACKED | RV_SEAL_SHARED)) {
		return pages == 1;
	}
	return (flags == RV_SEAL_SHARED || flags == RV_SEAL_DESTROYED) &&
	       (pages == 1 || (pages == PAGES_PER_BLOCK && gfn % PAGES_PER_BLOCK == 0));
}

/* The page is the VM's, or comes back scrubbed. */
static enum cv_status load_content(struct spec_state *state, struct spec_vm *vm, u64 gfn, u64 what,
				   u64 pfn, bool is_next, u64 token)
{
	enum cv_status status = spec_map_page(state, vm, gfn, pfn, true);
	struct spec_page *page = spec_page(state, pfn);

	if (status != CV_OK) {
		return status;
	}
	if (!is_next) {
		spec_reclaim_page(state, vm, gfn);
		return CV_E_AUTH;
	}
	page->token = token;
	if ((what & RV_SEAL_SHARED) != 0) {
		page->is_shared = true;
		page->is_host = true;
		page->is_host_rw = true;
		vm->gfn[gfn].wish = S2_WISH_SHARED;
	}
	vm->seal.pages++;
	return CV_OK;
}

static enum cv_status load_wish(struct spec_vm *vm, u64 gfn, u64 what, bool is_next)
{
	u64 pages = what >> RV_SEAL_PAGES_SHIFT;

	/* Where a leaf table is already, it is used. */
	if (vm->tables_free < spec_vm_tables_for(vm, gfn, pages)) {
		return CV_E_NOMEM;
	}
	if (!is_next) {
		return CV_E_AUTH;
	}
	spec_vm_tables_make(vm, gfn, pages);
	for (u64 i = 0; i < pages; i++) {
		vm->gfn[gfn + i].wish =
			(what & RV_SEAL_SHARED) != 0 ? S2_WISH_SHARED : S2_WISH_DESTROYED;
	}
	return CV_OK;
}

enum cv_status spec_seal_load_page(struct spec_state *state, u64 handle, u64 gfn, u64 what, u64 pfn,
				   bool is_next, u64 token)
{
	struct spec_vm *vm = spec_vm(state, handle);
	bool is_backed = (what & RV_SEAL_BACKED) != 0;
	u64 end = gfn + (what >> RV_SEAL_PAGES_SHIFT);
	enum cv_status status;

	if (!is_what(gfn, what)) {
		return CV_E_INVALID;
	}
	if (vm == NULL) {
		return CV_E_NOENT;
	}
	if (spec_ram_end(vm, gfn) < end || end < gfn ||
	    (is_backed && spec_page(state, pfn) == NULL)) {
		return CV_E_RANGE;
	}
	if (vm->seal.mode != SEAL_LOADING || next_vcpu(vm) < SPEC_VCPUS ||
	    gfn < vm->seal.next_gfn) {
		return CV_E_STATE;
	}
	status = is_backed ? load_content(state, vm, gfn, what, pfn, is_next, token)
			   : load_wish(vm, gfn, what, is_next);
	if (status == CV_OK) {
		vm->seal.next_gfn = end;
		vm->seal.records++;
	}
	return status;
}

enum cv_status spec_seal_load_end(struct spec_state *state, u64 handle, u64 pfn, bool is_next)
{
	struct spec_vm *vm = spec_vm(state, handle);
	enum cv_status status;

	if (vm == NULL) {
		return CV_E_NOENT;
	}
	status = page_check(state, pfn,
			    vm->seal.mode == SEAL_LOADING && next_vcpu(vm) == SPEC_VCPUS);
	if (status != CV_OK) {
		return status;
	}
	if (!is_next) {
		return CV_E_AUTH;
	}
	finish(vm);
	vm->state = VM_VERIFIED;
	vm->may_be_saved = true;
	return CV_OK;
}
