/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Transitions of page ownership, named by who does what to whom. Each is a check (a status, nothing
 * changed) and a commit (cannot fail: table pages were reserved in the check). Revoke before grant:
 * unmap, barrier, TLB invalidate, barrier, caches, only then give. Seed: MemManager, MemoryOps
 * (reference 6, layers 16-17).
 */
#ifndef CV_MEM_H
#define CV_MEM_H

#include <cv/s2.h>
#include <cv/status.h>
#include <cv/types.h>
#include <cv/vm.h>

/* Table entries that a call over many pages looks at, beside the RV_BATCH_PAGES pages it moves: a
 * look is a hundred times cheaper. */
#define MEM_LOOKS_MAX (8 * RV_BATCH_PAGES)

/* ---- boot ---- */
/*
 * Builds the host's stage 2: identity, largest leaves, RAM normal, the rest of the IPA space
 * device; then takes the corevisor's footprint and what the platform hides away from it. Pre:
 * ledger_init, hyp_map and the core pool are ready.
 */
void mem_boot_host_map(pa_t root);
/* At boot: takes host pages for good (the corevisor's own, before the host runs). Parts that are
 * not RAM: only unmapped. */
void mem_boot_take_core(pa_t base, u64 bytes);
/* At boot: the host may read, not write, these CORE pages (rv_info and log). */
void mem_boot_host_read_only(pa_t base, u64 bytes);
/* At boot: device frames the host must not reach. */
void mem_boot_hide_device(pa_t base, u64 bytes);
const struct s2 *mem_host_s2(void);
/* The pool of the corevisor's own tables. */
struct pool *mem_core_pool(void);

/* ---- host -> core and back ---- */
/* Whether the page could be given away just now: what mem_host_take_core() would say but for NOMEM.
 * Errors: RANGE, STATE. */
CV_MUST_USE enum cv_status mem_host_page_check(u64 pfn);
/* One page of the host becomes the corevisor's, mapped at EL2, content still there. Errors: RANGE,
 * STATE, NOMEM (core pool). mem_host_untake_core() undoes it without a trace, for a call that fails
 * later; else mem_core_clear() commits. */
CV_MUST_USE enum cv_status mem_host_take_core(u64 pfn);
void mem_host_untake_core(pfn_t pfn);
void mem_core_clear(pfn_t pfn);
/* For calls that take several pages. Their first error: RANGE of any of them, then STATE (also for
 * a page named twice). */
CV_MUST_USE enum cv_status mem_host_pages_check(const u64 *pfns, u32 count);
/* All or none, as mem_host_take_core(); mem_core_clear_pages() commits. */
CV_MUST_USE enum cv_status mem_host_take_pages(const u64 *pfns, u32 count);
void mem_core_clear_pages(const u64 *pfns, u32 count);
/* take and clear. */
CV_MUST_USE enum cv_status mem_host_donate_core(u64 pfn);
/* The inverse: unmapped at EL2, scrubbed, the host's again. */
void mem_core_return_host(pfn_t pfn);
/* CORE pages of a VM form a list through their ledger entries: `pfn` gets the next one (0: none).
 */
void mem_core_set_next(pfn_t pfn, pfn_t next);
pfn_t mem_core_next(pfn_t pfn);
/* A page of the host that EL2 reads and writes but the host keeps (run pages): pinned. Errors:
 * RANGE, STATE, NOMEM. */
CV_MUST_USE enum cv_status mem_host_share_core(u64 pfn);
void mem_host_unshare_core(pfn_t pfn);
/* A page of the host that the corevisor looks at or writes for one call, through its window, while
 * the host keeps it. Until it is unpinned nobody can be given it. Errors: RANGE, STATE. */
CV_MUST_USE enum cv_status mem_host_pin(u64 pfn);
void mem_host_unpin(pfn_t pfn);
/* Pre: pinned. The host may write meanwhile: what was read is private from then on. What is written
 * is there for all accesses, cached or not, and nothing else of the page stays. */
void mem_pinned_read(pfn_t pfn, void *to, u64 bytes);
void mem_pinned_write(pfn_t pfn, const void *from, u64 bytes);
/* RV_POOL_TOPUP. May use the last pages of the pool. Errors: RANGE, STATE, NOMEM. */
CV_MUST_USE enum cv_status mem_pool_topup(u64 pfn);

/* ---- guest memory; Pre: vm->lock held ---- */
/* RV_MEM_MAP for one page: donate, zeroed (protected), or share (open). Errors: abi.h; STATE too if
 * the guest's wish is destroyed: no page of the host can bring such a gfn back, only the guest
 * itself. */
CV_MUST_USE enum cv_status mem_map_page(struct vm *vm, u64 gfn, u64 pfn) CV_REQUIRES(vm->lock);
/* The same for a protected VM that is READY, and the page keeps its content: images and snapshots.
 */
CV_MUST_USE enum cv_status mem_load_page(struct vm *vm, u64 gfn, u64 pfn) CV_REQUIRES(vm->lock);
/* Gives back what backs [gfn, end), at most RV_BATCH_PAGES pages, a block as a whole even if only
 * part of it is in the range; returns the first gfn not dealt with. Pre: no vCPU can run meanwhile. */
u64 mem_reclaim_run(struct vm *vm, u64 gfn, u64 end) CV_REQUIRES(vm->lock);
/* RV_MEM_MAP and RV_MEM_RECLAIM, whole, arguments unchecked. */
CV_MUST_USE enum cv_status mem_map(u64 handle, u64 gfn, u64 pfn, u64 pages, u64 *done);
CV_MUST_USE enum cv_status mem_reclaim(u64 handle, u64 gfn, u64 pages, u64 *next_gfn);

/*
 * A protected VM's guest declares [*gfn, end) shared or private (RSI IPA_STATE_SET). A page whose
 * wish really changes is zeroed; a destroyed page stays destroyed unless `change_destroyed`. At
 * most RV_BATCH_PAGES pages are zeroed or entries written a call; *gfn tells how far it came.
 * Errors: INVALID (empty), RANGE (outside the VM's RAM), STATE (destroyed page, not changed; or a
 * backed one to be destroyed), NOMEM (VM's tables, or, where a part of a block changes, the
 * corevisor's: mem_vm_has_tables(gfn, 3) tells). An error after progress is reported as CV_OK with
 * *gfn < end, and again at the next call. Open VMs: nothing to do, CV_OK.
 */
CV_MUST_USE enum cv_status mem_vm_set_wish(struct vm *vm, gfn_t *gfn, gfn_t end, enum s2_wish wish,
					   bool change_destroyed) CV_REQUIRES(vm->lock);
/* Whether the VM's pool has the tables that a leaf of `level` at `gfn` may need. */
bool mem_vm_has_tables(struct vm *vm, gfn_t gfn, u32 level) CV_REQUIRES(vm->lock);
/* What the guest asked of `gfn`, and the end (<= end) of the run of gfns with the same wish, as far
 * as a bounded look tells. What is not RAM is the host's to emulate: shared. Pre: gfn < end. */
enum s2_wish mem_vm_get_wish(struct vm *vm, gfn_t gfn, gfn_t end, gfn_t *same_until)
	CV_REQUIRES(vm->lock);
/* Copies between EL2 and one guest page for a guest's call (RSI REALM_CONFIG): the page must be
 * backed and private (protected) or mapped (open). Errors: RANGE (not RAM, or not within one page),
 * NOENT (not backed), STATE (shared). */
CV_MUST_USE enum cv_status mem_vm_write(struct vm *vm, ipa_t ipa, const void *data, u64 bytes)
	CV_REQUIRES(vm->lock);

/* ---- device pages: outside a VM's RAM, in its map instead of the host's ---- */
/* RV_VM_MAP_IO, whole, arguments unchecked. Seed: map_io. */
CV_MUST_USE enum cv_status mem_map_io(u64 handle, u64 gfn, u64 pfn);
/* Gives the host back the device page at `gfn`. Pre: `leaf` is what s2_walk(gfn) says, S2_DEVICE.
 */
void mem_io_reclaim(struct vm *vm, gfn_t gfn, const struct s2_leaf *leaf) CV_REQUIRES(vm->lock);
/* Whether RAM at [gfn, gfn + pages) would meet a device page. The look is bounded: true, too, if it
 * does not come to an end, which takes a host that makes tables there for nothing. */
bool mem_io_overlaps(const struct vm *vm, u64 gfn, u64 pages) CV_REQUIRES(vm->lock);

/* ---- faults ---- */
enum mem_access { MEM_READ, MEM_WRITE, MEM_EXEC };
/* The host touched `ipa` and its stage 2 said no. True: it may after all (split in progress, mapped
 * now): retry. */
bool mem_host_fault_is_spurious(ipa_t ipa, enum mem_access access);
/* Panic, and the end of the machine: nobody may touch memory any more (design.md 2): clears the
 * roots of the host's and all VMs' stage 2 and of all DMA contexts. */
void mem_revoke_everything(void);

#endif
