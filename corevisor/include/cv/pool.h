/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Pools of pages for tables. There is one for the corevisor itself (host stage 2 and EL2's map:
 * boot reserve, then pages the host gives by RV_POOL_TOPUP) and one for each VM (RV_VM_TOPUP). Free
 * pages are zeroed and mapped at EL2. Seed: PTAlloc (reference 4, layer 5), with freeing.
 */
#ifndef CV_POOL_H
#define CV_POOL_H

#include <cv/lock.h>
#include <cv/status.h>
#include <cv/types.h>

struct pool {
	struct lock lock;
	pfn_t free; /* first free page; the next one's pfn stands in its first word; 0 ends the list
		     */
	u32 free_count;
};

void pool_init(struct pool *pool);
void pool_put(struct pool *pool,
	      pfn_t pfn); /* Pre: CORE page, mapped at EL2. Zeroes it (but for the link). */
/*
 * Takes `count` pages out of reach of others, so that a commit cannot fail; false and nothing taken
 * if fewer than `count` + `floor` are there; 0 pages are always there. `into` is the caller's own, usually on its stack.
 */
CV_MUST_USE bool pool_reserve(struct pool *pool, struct pool *into, u32 count, u32 floor);
/* Gives what is left of a reservation back. */
void pool_return(struct pool *pool, struct pool *from);
pfn_t pool_take(struct pool *pool); /* Pre: not empty. The page is all zero. */
u32 pool_count(struct pool *pool);

#endif
