/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Saving. Guarantees: plaintext is only ever in pages of the VM and the corevisor; what is in one
 * record was there at one time, because nothing of the VM runs or changes from BEGIN to END; a
 * refused call encrypts nothing.
 */
#include <cv/seal_record.h>

#include <string.h>

#include <cv/arch.h>
#include <cv/check.h>
#include <cv/mem.h>
#include <cv/rng.h>
#include <cv/vtimer.h>

/* ---- RV_SEAL_SAVE_BEGIN ---- */

static enum cv_status save_begin_check(struct vm *vm) CV_REQUIRES(vm->lock)
{
	if (!vm->is_protected || !vm->may_be_saved || vm->device_pages > 0) {
		return CV_E_PERM;
	}
	if (vm->seal.mode != SEAL_NONE || vm_active(vm) > 0 || vm->dma_contexts > 0) {
		return CV_E_BUSY;
	}
	return seal_begin_check(vm);
}

static void save_begin_commit(struct vm *vm, u64 pfn) CV_REQUIRES(vm->lock)
{
	struct rv_seal_header header;

	seal_header_make(vm, &header);
	header.guest_time = vtimer_now(vm);
	CV_CHECK(rng_bytes(header.epoch, sizeof(header.epoch)));
	seal_begin(vm, SEAL_SAVING, &header);
	mem_pinned_write(pfn_make(pfn), &header, sizeof(header));
}

enum cv_status seal_save_begin(u64 handle, u64 pfn)
{
	const struct seal_place place = { .kind = SEAL_HEADER };
	struct vm *vm;
	enum cv_status status = seal_enter(handle, SEAL_SAVING, &place, pfn, &vm);

	if (status != CV_OK) {
		return status;
	}
	vm_assume_locked(vm);
	status = save_begin_check(vm);
	if (status == CV_OK) {
		save_begin_commit(vm, pfn);
	}
	seal_leave(vm, pfn);
	return status;
}

/* ---- RV_SEAL_SAVE_VCPU ---- */

static void vcpu_save(const struct vcpu *vcpu, struct seal_vcpu *saved)
{
	saved->ctx = vcpu->ctx;
	saved->power = vcpu->power;
	saved->entry_pc = vcpu->entry_pc;
	saved->entry_x0 = vcpu->entry_x0;
	saved->exit = vcpu->exit;
	saved->pending = vcpu->pending;
	saved->vmcr = vcpu->vgic.vmcr;
	memcpy(saved->ap0r, vcpu->vgic.ap0r, sizeof(saved->ap0r));
	memcpy(saved->ap1r, vcpu->vgic.ap1r, sizeof(saved->ap1r));
	saved->timer = vcpu->timer;
}

enum cv_status seal_save_vcpu(u64 handle, u64 index, u64 pfn, u64 tag[2])
{
	const struct seal_place place = { .kind = SEAL_VCPU, .at = index };
	struct vm *vm;
	enum cv_status status = seal_enter(handle, SEAL_SAVING, &place, pfn, &vm);

	if (status != CV_OK) {
		return status;
	}
	vm_assume_locked(vm);
	memset(seal_scratch(vm), 0, PAGE_SIZE);
	vcpu_save(vm->vcpus[index], seal_scratch(vm));
	seal_write(vm, &place, pfn, tag);
	vm->seal.next_vcpu = (u32)index + 1;
	seal_leave(vm, pfn);
	return CV_OK;
}

/* ---- RV_SEAL_SAVE_PAGE ---- */

/* From *gfn on, the next one that is backed or declared. False: none was seen; *gfn tells how far
 * the look went, GFN_LIMIT: to the end. */
static bool find_next(struct vm *vm, u64 *gfn, struct s2_leaf *leaf) CV_REQUIRES(vm->lock)
{
	for (u32 looks = 0; *gfn < GFN_LIMIT && looks < MEM_LOOKS_MAX; looks++) {
		if (!vm_is_ram(vm, gfn_make(*gfn))) {
			*gfn = vm_ram_next(vm, gfn_make(*gfn));
			continue;
		}
		*leaf = s2_walk(&vm->s2, gfn_make(*gfn));
		if (leaf->is_mapped || leaf->wish != S2_WISH_PRIVATE) {
			return true;
		}
		*gfn = s2_leaf_end(leaf, *gfn);
	}
	return false;
}

/* A page, or so many gfns without one that loading can deal with them in one call. */
static u64 record_pages(const struct s2_leaf *leaf)
{
	return leaf->is_mapped || leaf->level == 3 ? 1 : PAGES_PER_BLOCK;
}

static u64 record_what(const struct s2_leaf *leaf)
{
	static const u64 wishes[] = {
		[S2_WISH_PRIVATE] = 0,
		[S2_WISH_SHARED] = RV_SEAL_SHARED,
		[S2_WISH_DESTROYED] = RV_SEAL_DESTROYED,
	};

	return (leaf->is_mapped ? RV_SEAL_BACKED : 0) | wishes[leaf->wish] |
	       record_pages(leaf) << RV_SEAL_PAGES_SHIFT;
}

/* Pre: no vCPU runs. The host may write to a shared page meanwhile; what was read is the content.
 */
static void page_read(u64 gfn, const struct s2_leaf *leaf, void *to)
{
	memcpy(to, arch_window_open(s2_leaf_pfn(leaf, gfn_make(gfn))), PAGE_SIZE);
	arch_window_close();
}

static void save_next(struct vm *vm, u64 pfn, u64 *gfn, u64 *what, u64 tag[2]) CV_REQUIRES(vm->lock)
{
	struct seal *seal = &vm->seal;
	u64 at = seal->next_gfn.v;
	struct s2_leaf leaf;

	if (find_next(vm, &at, &leaf)) {
		const struct seal_place place = { SEAL_PAGE, at, record_what(&leaf) };

		if (leaf.is_mapped) {
			page_read(at, &leaf, seal_scratch(vm));
		}
		seal_write(vm, &place, pfn, tag);
		seal->next_gfn = gfn_make(at + record_pages(&leaf));
		*gfn = at;
		*what = place.what;
		return;
	}
	seal->next_gfn = gfn_make(at);
	seal->is_complete = at == GFN_LIMIT;
	*gfn = seal->is_complete ? RV_SEAL_NO_GFN : at;
	*what = 0;
	tag[0] = 0;
	tag[1] = 0;
}

enum cv_status seal_save_page(u64 handle, u64 pfn, u64 *gfn, u64 *what, u64 tag[2])
{
	const struct seal_place place = { .kind = SEAL_PAGE };
	struct vm *vm;
	enum cv_status status = seal_enter(handle, SEAL_SAVING, &place, pfn, &vm);

	if (status != CV_OK) {
		return status;
	}
	vm_assume_locked(vm);
	save_next(vm, pfn, gfn, what, tag);
	seal_leave(vm, pfn);
	return CV_OK;
}

/* ---- RV_SEAL_SAVE_END, RV_SEAL_ABORT ---- */

enum cv_status seal_save_end(u64 handle, u64 pfn, u64 tag[2])
{
	const struct seal_place place = { .kind = SEAL_END };
	struct vm *vm;
	enum cv_status status = seal_enter(handle, SEAL_SAVING, &place, pfn, &vm);

	if (status != CV_OK) {
		return status;
	}
	vm_assume_locked(vm);
	memset(seal_scratch(vm), 0, PAGE_SIZE);
	seal_end_make(vm, seal_scratch(vm));
	seal_write(vm, &place, pfn, tag);
	seal_finish(vm);
	seal_leave(vm, pfn);
	return CV_OK;
}

enum cv_status seal_abort(u64 handle)
{
	struct vm *vm = vm_lock(handle);
	enum cv_status status = CV_E_STATE;

	if (vm == NULL) {
		return CV_E_NOENT;
	}
	vm_assume_locked(vm);
	if (vm->seal.mode == SEAL_LOADING) {
		vm_set_state(vm, VM_POWEROFF);
	}
	if (vm->seal.mode != SEAL_NONE) {
		seal_finish(vm);
		status = CV_OK;
	}
	vm_unlock(vm);
	return status;
}
