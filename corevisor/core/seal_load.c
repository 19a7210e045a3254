/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Loading. Guarantees: each record is the next one of the snapshot that the header names, or
 * nothing changes; a page leaves the host before it is decrypted; the VM runs only after its last
 * record has said that all were there.
 */
#include <cv/seal_record.h>

#include <string.h>

#include <cv/arch.h>
#include <cv/check.h>
#include <cv/exception.h>
#include <cv/ledger.h>
#include <cv/mem.h>
#include <cv/mem_page.h>

/* ---- RV_SEAL_LOAD_BEGIN ---- */

static enum cv_status load_begin_check(struct vm *vm, const struct rv_seal_header *header)
	CV_REQUIRES(vm->lock)
{
	struct rv_seal_header ours;

	/* All else follows from the VM that the host has built. */
	seal_header_make(vm, &ours);
	memcpy(ours.owner, header->owner, sizeof(ours.owner));
	memcpy(ours.manifest, header->manifest, sizeof(ours.manifest));
	memcpy(ours.instance, header->instance, sizeof(ours.instance));
	memcpy(ours.epoch, header->epoch, sizeof(ours.epoch));
	ours.guest_time = header->guest_time;
	if (memcmp(&ours, header, sizeof(ours)) != 0) {
		return CV_E_INVALID;
	}
	if (!vm->is_protected ||
	    !crypto_equal(header->owner, vm->owner_key, sizeof(header->owner))) {
		return CV_E_PERM;
	}
	return seal_begin_check(vm);
}

enum cv_status seal_load_begin(u64 handle, u64 pfn)
{
	const struct seal_place place = { .kind = SEAL_HEADER };
	struct rv_seal_header header;
	struct vm *vm;
	enum cv_status status = seal_enter(handle, SEAL_LOADING, &place, pfn, &vm);

	if (status != CV_OK) {
		return status;
	}
	vm_assume_locked(vm);
	mem_pinned_read(pfn_make(pfn), &header, sizeof(header));
	status = load_begin_check(vm, &header);
	if (status == CV_OK) {
		seal_begin(vm, SEAL_LOADING, &header);
	}
	seal_leave(vm, pfn);
	return status;
}

/* ---- RV_SEAL_LOAD_VCPU ---- */

/* The host's page, copied and opened. */
static bool record_read(struct vm *vm, const struct seal_place *place, u64 pfn, const u64 tag[2])
	CV_REQUIRES(vm->lock)
{
	mem_pinned_read(pfn_make(pfn), seal_scratch(vm), PAGE_SIZE);
	return seal_open(&vm->seal, place, seal_scratch(vm), tag);
}

/* A corevisor wrote it. Still, whoever holds the root secret makes guests, not corevisors: what
 * could reach beyond the guest is looked at. */
static bool is_sane(const struct seal_vcpu *saved)
{
	const u64 bytes = saved->pending.bytes;
	const bool is_width = bytes == 1 || bytes == 2 || bytes == 4 || bytes == 8;

	return saved->power <= VCPU_ON && exception_is_guest_pstate(saved->ctx.pstate) &&
	       (!saved->pending.is_mmio || is_width);
}

static void vcpu_restore(struct vcpu *vcpu, const struct seal_vcpu *saved)
{
	vcpu->ctx = saved->ctx;
	vcpu->power = (enum vcpu_power)saved->power;
	vcpu->entry_pc = saved->entry_pc;
	vcpu->entry_x0 = saved->entry_x0;
	vcpu->exit = saved->exit;
	vcpu->pending = saved->pending;
	vcpu->vgic.vmcr = saved->vmcr;
	memcpy(vcpu->vgic.ap0r, saved->ap0r, sizeof(saved->ap0r));
	memcpy(vcpu->vgic.ap1r, saved->ap1r, sizeof(saved->ap1r));
	vcpu->timer = saved->timer;
	vcpu->has_run = true;
}

enum cv_status seal_load_vcpu(u64 handle, u64 index, u64 pfn, const u64 tag[2])
{
	const struct seal_place place = { .kind = SEAL_VCPU, .at = index };
	struct vm *vm;
	enum cv_status status = seal_enter(handle, SEAL_LOADING, &place, pfn, &vm);

	if (status != CV_OK) {
		return status;
	}
	vm_assume_locked(vm);
	if (record_read(vm, &place, pfn, tag) && is_sane(seal_scratch(vm))) {
		vcpu_restore(vm->vcpus[index], seal_scratch(vm));
		seal_count(&vm->seal, &place, tag);
		vm->seal.next_vcpu = (u32)index + 1;
	} else {
		status = CV_E_AUTH;
	}
	seal_leave(vm, pfn);
	return status;
}

/* ---- RV_SEAL_LOAD_PAGE ---- */

/* What SAVE_PAGE can have said, and nothing else. */
static bool is_what(u64 gfn, u64 what)
{
	const u64 pages = what >> RV_SEAL_PAGES_SHIFT;

	switch (what & ((1u << RV_SEAL_PAGES_SHIFT) - 1)) {
	case RV_SEAL_BACKED:
	case RV_SEAL_BACKED | RV_SEAL_SHARED:
		return pages == 1;
	case RV_SEAL_SHARED:
	case RV_SEAL_DESTROYED:
		return pages == 1 || (pages == PAGES_PER_BLOCK && is_aligned(gfn, pages));
	default:
		return false;
	}
}

static enum cv_status load_page_check(const struct vm *vm, const struct seal_place *place, u64 pfn)
	CV_REQUIRES(vm->lock)
{
	const u64 pages = place->what >> RV_SEAL_PAGES_SHIFT;

	if (place->at >= GFN_LIMIT || place->at + pages > vm_ram_end(vm, gfn_make(place->at)) ||
	    ((place->what & RV_SEAL_BACKED) != 0 && !ledger_is_ram(pfn_make(pfn)))) {
		return CV_E_RANGE;
	}
	return seal_is_turn(vm, SEAL_LOADING, place) && place->at >= vm->seal.next_gfn.v
		       ? CV_OK
		       : CV_E_STATE;
}

/* A page with content. The host has lost it when it is decrypted, a shared one too: between the
 * check of the tag and the last byte nobody else writes. */
static enum cv_status load_content(struct vm *vm, const struct seal_place *place, pfn_t pfn,
				   const u64 tag[2]) CV_REQUIRES(vm->lock)
{
	const gfn_t gfn = gfn_make(place->at);
	enum cv_status status = mem_load_page(vm, gfn.v, pfn.v);
	struct s2_leaf leaf;
	bool is_good;

	if (status != CV_OK) {
		return status;
	}
	is_good = seal_open(&vm->seal, place, arch_window_open(pfn), tag);
	arch_window_close();
	if (!is_good) {
		leaf = s2_walk(&vm->s2, gfn);
		mem_page_reclaim(vm, gfn, &leaf);
		return CV_E_AUTH;
	}
	/* The guest may run with its caches off. Nobody has fetched from the page yet. */
	arch_page_clean_invalidate(pfn);
	if ((place->what & RV_SEAL_SHARED) != 0) {
		mem_page_restore_shared(vm, gfn);
	}
	return CV_OK;
}

/* What the guest had said of gfns without a page. */
static enum cv_status load_wish(struct vm *vm, const struct seal_place *place, const u64 tag[2])
	CV_REQUIRES(vm->lock)
{
	const u64 pages = place->what >> RV_SEAL_PAGES_SHIFT;
	const gfn_t end = gfn_make(place->at + pages);
	gfn_t gfn = gfn_make(place->at);

	if (pool_count(&vm->tables) < s2_tables_needed(&vm->s2, gfn, pages == 1 ? 3 : 2)) {
		return CV_E_NOMEM;
	}
	if (!seal_open(&vm->seal, place, seal_scratch(vm), tag)) {
		return CV_E_AUTH;
	}
	CV_CHECK(mem_vm_set_wish(vm, &gfn, end,
				 (place->what & RV_SEAL_SHARED) != 0 ? S2_WISH_SHARED
								     : S2_WISH_DESTROYED,
				 false) == CV_OK &&
		 gfn.v == end.v);
	return CV_OK;
}

static enum cv_status load_page(struct vm *vm, const struct seal_place *place, u64 pfn,
				const u64 tag[2]) CV_REQUIRES(vm->lock)
{
	enum cv_status status = load_page_check(vm, place, pfn);

	if (status != CV_OK) {
		return status;
	}
	status = (place->what & RV_SEAL_BACKED) != 0 ? load_content(vm, place, pfn_make(pfn), tag)
						     : load_wish(vm, place, tag);
	if (status == CV_OK) {
		seal_count(&vm->seal, place, tag);
		vm->seal.next_gfn = gfn_make(place->at + (place->what >> RV_SEAL_PAGES_SHIFT));
	}
	return status;
}

enum cv_status seal_load_page(u64 handle, u64 gfn, u64 what, u64 pfn, const u64 tag[2])
{
	const struct seal_place place = { SEAL_PAGE, gfn, what };
	struct vm *vm;
	enum cv_status status;

	if (!is_what(gfn, what)) {
		return CV_E_INVALID;
	}
	vm = vm_lock(handle);
	if (vm == NULL) {
		return CV_E_NOENT;
	}
	vm_assume_locked(vm);
	status = load_page(vm, &place, pfn, tag);
	vm_unlock(vm);
	return status;
}

/* ---- RV_SEAL_LOAD_END ---- */

static void load_end_commit(struct vm *vm) CV_REQUIRES(vm->lock)
{
	const u64 guest_time = vm->seal.header.guest_time;

	memcpy(vm->manifest, vm->seal.header.manifest, sizeof(vm->manifest));
	memcpy(vm->instance, vm->seal.header.instance, sizeof(vm->instance));
	vm->may_be_saved = true;
	seal_finish(vm);
	vm_set_verified(vm, guest_time);
}

enum cv_status seal_load_end(u64 handle, u64 pfn, const u64 tag[2])
{
	const struct seal_place place = { .kind = SEAL_END };
	struct seal_end ours;
	struct vm *vm;
	enum cv_status status = seal_enter(handle, SEAL_LOADING, &place, pfn, &vm);

	if (status != CV_OK) {
		return status;
	}
	vm_assume_locked(vm);
	seal_end_make(vm, &ours);
	if (record_read(vm, &place, pfn, tag) &&
	    memcmp(&ours, seal_scratch(vm), sizeof(ours)) == 0) {
		load_end_commit(vm);
	} else {
		status = CV_E_AUTH;
	}
	seal_leave(vm, pfn);
	return status;
}
