/* SPDX-License-Identifier: BSD-3-Clause */
/* Blocks: the 2 MiB around the subject. Apart from calls_memory.c, because each moves 512 pages. */
#include "call.h"

#define BLOCK_OF(pfn) align_down(pfn, 512)

#define MAP(name, vm, gfn, pfn, pages) SAME(name, mem_map, spec_map, vm, gfn, pfn, pages, &v)
MAP(block, vm_a, GFN_BLOCK, BLOCK_OF(p), 512)
MAP(block_open, vm_b, GFN_BLOCK, BLOCK_OF(p), 512)
MAP(block_short, vm_a, GFN_BLOCK, BLOCK_OF(p), 511)
MAP(block_odd_pfn, vm_a, GFN_BLOCK, BLOCK_OF(p) + 1, 512)
MAP(block_odd_gfn, vm_a, GFN_BLOCK - 1, BLOCK_OF(p), 513)
MAP(block_behind_pages, vm_a, GFN_BLOCK - 4, BLOCK_OF(p) - 4, 516)
MAP(block_with_table, vm_a, 0, BLOCK_OF(p), 512) /* there are wishes of single pages */
MAP(block_outside, vm_a, RAM_PAGES, BLOCK_OF(p), 512)
MAP(block_top, vm_a, ~511ull, BLOCK_OF(p), 512)

/* VM a has the block, as one if it can be. */
static enum cv_status have_core(u64 p)
{
	u64 done = 0;

	return mem_map(vm_a, GFN_BLOCK, BLOCK_OF(p), 512, &done)
		       ?: (done < 512 ? CV_E_STATE : CV_OK);
}

static enum cv_status have_spec(u64 p)
{
	u64 done = 0;

	return spec_map(&spec, vm_a, GFN_BLOCK, BLOCK_OF(p), 512, &done)
		       ?: (done < 512 ? CV_E_STATE : CV_OK);
}

#define THEN(name, core_call, spec_call) \
	CALL(name, have_core(p) ?: core_call, have_spec(p) ?: spec_call)
#define TO_CORE(first, end, wish) wish_core(vm_a, first, end, S2_WISH_##wish, true, &v)
#define TO_SPEC(first, end, wish) wish_spec(vm_a, first, end, S2_WISH_##wish, true, &v)
#define WISH(name, ...) THEN(name, TO_CORE(__VA_ARGS__), TO_SPEC(__VA_ARGS__))
WISH(block_wish_page, GFN_BLOCK + 7, GFN_BLOCK + 8, SHARED)
WISH(block_wish_rest, GFN_BLOCK + 8, RAM_PAGES, SHARED)
WISH(block_wish_whole, GFN_BLOCK, RAM_PAGES, SHARED)
WISH(block_wish_after_page, GFN_BLOCK - 1, RAM_PAGES, SHARED)
WISH(block_wish_same, GFN_BLOCK + 7, GFN_BLOCK + 8, PRIVATE)
WISH(block_wish_destroyed, GFN_BLOCK, RAM_PAGES, DESTROYED)
THEN(block_twice, mem_map(vm_a, GFN_BLOCK + 7, FREE_PAGE, 1, &v),
     spec_map(&spec, vm_a, GFN_BLOCK + 7, FREE_PAGE, 1, &v))

/* A whole block is shared; then it is private again, or a part of it. */
#define UNSHARE(name, first)                                                                    \
	THEN(name, TO_CORE(GFN_BLOCK, RAM_PAGES, SHARED) ?: TO_CORE(first, RAM_PAGES, PRIVATE), \
	     TO_SPEC(GFN_BLOCK, RAM_PAGES, SHARED) ?: TO_SPEC(first, RAM_PAGES, PRIVATE))
UNSHARE(block_unshare, GFN_BLOCK)
UNSHARE(block_unshare_part, GFN_BLOCK + 3)

/* The VM's end with a block in it, from `first` on; then what is left. */
static enum cv_status end_core(u64 first, u64 *next)
{
	return vm_kill(vm_a)
		       ?: mem_reclaim(vm_a, first, RAM_PAGES - first, next)
		       ?: mem_reclaim(vm_a, *next, 1, next);
}

static enum cv_status end_spec(u64 first, u64 *next)
{
	return spec_vm_kill(&spec, vm_a)
		       ?: spec_reclaim(&spec, vm_a, first, RAM_PAGES - first, next)
		       ?: spec_reclaim(&spec, vm_a, *next, 1, next);
}

#define END(name, first) THEN(name, end_core(first, &v), end_spec(first, &v))
END(block_end, GFN_BLOCK)
END(block_end_after_pages, 0)
END(block_end_within, GFN_BLOCK + 9)
THEN(block_end_split, TO_CORE(GFN_BLOCK + 7, GFN_BLOCK + 8, SHARED) ?: end_core(GFN_BLOCK, &v),
     TO_SPEC(GFN_BLOCK + 7, GFN_BLOCK + 8, SHARED) ?: end_spec(GFN_BLOCK, &v))

const struct call block_calls[] = {
	ENTRY(block),
	ENTRY(block_open),
	ENTRY(block_short),
	ENTRY(block_odd_pfn),
	ENTRY(block_odd_gfn),
	ENTRY(block_behind_pages),
	ENTRY(block_with_table),
	ENTRY(block_outside),
	ENTRY(block_top),
	ENTRY(block_wish_page),
	ENTRY(block_wish_rest),
	ENTRY(block_wish_whole),
	ENTRY(block_wish_after_page),
	ENTRY(block_wish_same),
	ENTRY(block_wish_destroyed),
	ENTRY(block_twice),
	ENTRY(block_unshare),
	ENTRY(block_unshare_part),
	ENTRY(block_end),
	ENTRY(block_end_after_pages),
	ENTRY(block_end_within),
	ENTRY(block_end_split),
	{ 0 },
};
