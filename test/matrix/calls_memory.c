/* SPDX-License-Identifier: BSD-3-Clause */
/* The subject given to the core or to a VM, taken back, shared or not, page by page. */
#include "call.h"

SAME(donate_core, mem_host_donate_core, spec_host_donate_core, p)
SAME(share_core, mem_host_share_core, spec_host_share_core, p)
SAME(pool_topup, mem_pool_topup, spec_pool_topup, p)

#define MAP(name, vm, gfn, pages) SAME(name, mem_map, spec_map, vm, gfn, p, pages, &v)
MAP(map_a, vm_a, GFN_FREE, 1)
MAP(map_a_shared, vm_a, GFN_SHARED, 1)
MAP(map_a_destroyed, vm_a, GFN_DESTROYED, 1)
MAP(map_a_backed, vm_a, GFN_BACKED, 1)
MAP(map_a_again, vm_a, GFN_SUBJECT, 1)
MAP(map_a_far, vm_a, GFN_FAR, 1)
MAP(map_a_outside, vm_a, RAM_PAGES, 1)
MAP(map_a_beyond, vm_a, ~0ull, 1)
MAP(map_a_many, vm_a, GFN_FREE, 3)
MAP(map_a_none, vm_a, GFN_FREE, 0)
MAP(map_b, vm_b, GFN_FREE, 1)
MAP(map_b_backed, vm_b, GFN_BACKED, 1)
MAP(map_b_again, vm_b, GFN_SUBJECT, 1)
MAP(map_b_far, vm_b, GFN_FAR, 2)
MAP(map_dead, vm_dead, GFN_FREE, 1)
MAP(map_no_vm, 0, GFN_FREE, 1)

#define RECLAIM(name, vm, gfn, pages) SAME(name, mem_reclaim, spec_reclaim, vm, gfn, pages, &v)
RECLAIM(reclaim_a, vm_a, GFN_SUBJECT, 1)
RECLAIM(reclaim_a_all, vm_a, 0, RAM_PAGES)
RECLAIM(reclaim_a_space, vm_a, 0, GFN_LIMIT)
RECLAIM(reclaim_b, vm_b, GFN_SUBJECT, 1)
RECLAIM(reclaim_b_all, vm_b, 0, RAM_PAGES)
RECLAIM(reclaim_none, vm_b, 0, 0)
RECLAIM(reclaim_wrap, vm_b, 1, ~0ull)
RECLAIM(reclaim_dead, vm_dead, 0, 1)

#define WISH(name, ...) CALL(name, wish_core(__VA_ARGS__, &v), wish_spec(__VA_ARGS__, &v))
WISH(wish_shared, vm_a, GFN_SUBJECT, GFN_SUBJECT + 1, S2_WISH_SHARED, false)
WISH(wish_private, vm_a, GFN_SUBJECT, GFN_SUBJECT + 1, S2_WISH_PRIVATE, false)
WISH(wish_destroyed, vm_a, GFN_SUBJECT, GFN_SUBJECT + 1, S2_WISH_DESTROYED, false)
WISH(wish_undestroy, vm_a, GFN_DESTROYED, GFN_DESTROYED + 1, S2_WISH_PRIVATE, true)
WISH(wish_keep_destroyed, vm_a, 0, 16, S2_WISH_SHARED, false)
WISH(wish_all, vm_a, 0, RAM_PAGES, S2_WISH_SHARED, true)
WISH(wish_block, vm_a, 512, RAM_PAGES, S2_WISH_SHARED, true)
WISH(wish_far, vm_a, GFN_FAR, GFN_FAR + 2, S2_WISH_SHARED, true)
WISH(wish_outside, vm_a, RAM_PAGES, RAM_PAGES + 1, S2_WISH_SHARED, true)
WISH(wish_past_end, vm_a, RAM_PAGES - 1, RAM_PAGES + 1, S2_WISH_SHARED, true)
WISH(wish_empty, vm_a, 5, 5, S2_WISH_SHARED, true)
WISH(wish_open, vm_b, 0, RAM_PAGES, S2_WISH_SHARED, true)

const struct call memory_calls[] = {
	ENTRY(donate_core),    ENTRY(share_core),
	ENTRY(pool_topup),     ENTRY(map_a),
	ENTRY(map_a_shared),   ENTRY(map_a_destroyed),
	ENTRY(map_a_backed),   ENTRY(map_a_again),
	ENTRY(map_a_far),      ENTRY(map_a_outside),
	ENTRY(map_a_beyond),   ENTRY(map_a_many),
	ENTRY(map_a_none),     ENTRY(map_b),
	ENTRY(map_b_backed),   ENTRY(map_b_again),
	ENTRY(map_b_far),      ENTRY(map_dead),
	ENTRY(map_no_vm),      ENTRY(reclaim_a),
	ENTRY(reclaim_a_all),  ENTRY(reclaim_a_space),
	ENTRY(reclaim_b),      ENTRY(reclaim_b_all),
	ENTRY(reclaim_none),   ENTRY(reclaim_wrap),
	ENTRY(reclaim_dead),   ENTRY(wish_shared),
	ENTRY(wish_private),   ENTRY(wish_destroyed),
	ENTRY(wish_undestroy), ENTRY(wish_keep_destroyed),
	ENTRY(wish_all),       ENTRY(wish_block),
	ENTRY(wish_far),       ENTRY(wish_outside),
	ENTRY(wish_past_end),  ENTRY(wish_empty),
	ENTRY(wish_open),      { 0 },
};
