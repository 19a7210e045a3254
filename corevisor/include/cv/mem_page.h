/* SPDX-License-Identifier: BSD-3-Clause */
/* What mem_range.c, dma.c and the sealing need of mem.c and mem_block.c: the transitions of one
 * leaf of a table, be it a page or a block of 512. */
#ifndef CV_MEM_PAGE_H
#define CV_MEM_PAGE_H

#include <cv/ledger.h>
#include <cv/s2.h>
#include <cv/vm.h>

/* Takes back the leaf that backs `gfn`, all of it: out of the VM, scrubbed (protected), the host's.
 * Cannot fail. Pre: `leaf` is what s2_walk(gfn) says, and mapped. */
void mem_page_reclaim(struct vm *vm, gfn_t gfn, const struct s2_leaf *leaf) CV_REQUIRES(vm->lock);
/* Private <-> shared for a backed leaf of a protected VM; zeroes it. Cannot fail. Pre: as above, and
 * the leaf begins at `gfn`; the wish is another one now. */
void mem_page_set_wish(struct vm *vm, gfn_t gfn, const struct s2_leaf *leaf, enum s2_wish wish)
	CV_REQUIRES(vm->lock);
/* Gives 512 pages of the host to a protected VM as one block, zeroed. False: not possible as a
 * block, nothing changed, and page by page it goes, or the reason shows. The numbers may be hostile.
 */
bool mem_block_map(struct vm *vm, gfn_t gfn, pfn_t pfn) CV_REQUIRES(vm->lock);
/* A protected VM's block at `gfn` becomes 512 leaves of a page, for the host as well; who may reach
 * them stays. Errors: NOMEM (the VM's tables, or else the corevisor's). Pre: `leaf` as above, a
 * block. */
CV_MUST_USE enum cv_status mem_block_split(struct vm *vm, gfn_t gfn, const struct s2_leaf *leaf)
	CV_REQUIRES(vm->lock);
/* In the ledger, the pages of a leaf: `uses` (1, 0, -1) more of each, and `state`; NULL: a VM's
 * page stays in its state, a page of the host is pinned while it has a use. Whose they are stays.
 * One step if one word stands for all. Pre: the block's lock is held. */
void mem_leaf_update(pfn_t first, u32 level, s64 uses, const enum page_state *state);
/* Zeroes them. Pre: nobody else can reach them. */
void mem_scrub_pages(pfn_t first, u64 pages);
/* Private -> shared for a page of a snapshot, content and all: the snapshot says that the guest had
 * declared it so. Pre: backed and private. */
void mem_page_restore_shared(struct vm *vm, gfn_t gfn) CV_REQUIRES(vm->lock);

#endif
