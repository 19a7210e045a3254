/* SPDX-License-Identifier: BSD-3-Clause */
/* What mem_range.c needs of mem.c: the two transitions of one backed guest page that never fail. */
#ifndef CV_MEM_PAGE_H
#define CV_MEM_PAGE_H

#include <cv/s2.h>
#include <cv/vm.h>

/* Takes back what backs `gfn`: out of the VM, scrubbed (protected), the host's. Pre: `leaf` is what
 * s2_walk(gfn) says, and mapped. */
void mem_page_reclaim(struct vm *vm, gfn_t gfn, const struct s2_leaf *leaf) CV_REQUIRES(vm->lock);
/* Private <-> shared for a backed page of a protected VM; zeroes it. Pre: as above; the wish is
 * another one now. */
void mem_page_set_wish(struct vm *vm, gfn_t gfn, const struct s2_leaf *leaf, enum s2_wish wish)
	CV_REQUIRES(vm->lock);

#endif
