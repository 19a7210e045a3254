/* SPDX-License-Identifier: BSD-3-Clause */
/* DMA contexts and device pages, and the calls that a mapping for DMA must stop or survive. */
#include "call.h"

#include <cv/dma.h>

#define ALLOC(name, ...) SAME(name, dma_alloc, spec_dma_alloc, __VA_ARGS__)
ALLOC(alloc_host, OF_NOBODY, 0, p & ~1ull)
ALLOC(alloc_a, OF_NOBODY, vm_a, FREE_ROOT)
ALLOC(alloc_b, OF_NOBODY, vm_b, p & ~1ull)
ALLOC(alloc_odd, OF_NOBODY, 0, p | 1)
ALLOC(alloc_huge, OF_NOBODY, 0, ~1ull)
ALLOC(alloc_owned, OF_HOST, 0, FREE_ROOT)
ALLOC(alloc_owned_a, OF_A, vm_a, p & ~1ull)
ALLOC(alloc_no_vm, OF_NOBODY, 0x777, p & ~1ull)
ALLOC(alloc_index, RV_DMA_CONTEXTS, 0, FREE_ROOT)

#define TOPUP(name, context) SAME(name, dma_topup, spec_dma_topup, context, p)
TOPUP(topup_host, OF_HOST)
TOPUP(topup_a, OF_A)
TOPUP(topup_b, OF_B)
TOPUP(topup_nobody, OF_NOBODY)
TOPUP(topup_index, ~0ull)

#define MAP(name, ...) SAME(name, dma_map, spec_dma_map, __VA_ARGS__, &v)
MAP(map_host, OF_HOST, p, p, 1)
MAP(map_host_elsewhere, OF_HOST, p + 1, p, 1)
MAP(map_host_many, OF_HOST, p, p, 3)
MAP(map_host_low, OF_HOST, GFN_SUBJECT, p, 1)
MAP(map_a, OF_A, GFN_SUBJECT, p, 1)
MAP(map_a_elsewhere, OF_A, GFN_FREE, p, 1)
MAP(map_a_identity, OF_A, p, p, 1)
MAP(map_a_image, OF_A, GFN_IMAGE, image_pfn, 1)
MAP(map_b, OF_B, GFN_SUBJECT, p, 1)
MAP(map_b_elsewhere, OF_B, GFN_FREE, p, 1)
MAP(map_b_identity, OF_B, p, p, 1)
MAP(map_beyond, OF_HOST, GFN_LIMIT, p, 1)
MAP(map_wrap, OF_HOST, ~0ull, p, 2)
MAP(map_none, OF_HOST, p, p, 0)
MAP(map_nobody, OF_NOBODY, p, p, 1)
MAP(map_index, RV_DMA_CONTEXTS, p, p, 1)

#define UNMAP(name, ...) SAME(name, dma_unmap, spec_dma_unmap, __VA_ARGS__, &v)
UNMAP(unmap_host, OF_HOST, p, 1)
UNMAP(unmap_host_all, OF_HOST, 0, GFN_LIMIT)
UNMAP(unmap_a, OF_A, GFN_SUBJECT, 1)
UNMAP(unmap_a_all, OF_A, 0, RAM_PAGES)
UNMAP(unmap_b, OF_B, GFN_SUBJECT, 4)
UNMAP(unmap_none, OF_HOST, p, 0)
UNMAP(unmap_beyond, OF_HOST, GFN_LIMIT - 1, 2)
UNMAP(unmap_wrap, OF_HOST, 1, ~0ull)
UNMAP(unmap_nobody, OF_NOBODY, p, 1)
UNMAP(unmap_index, RV_DMA_CONTEXTS, p, 1)

#define FREE(name, context) SAME(name, dma_free, spec_dma_free, context, &v)
FREE(free_host, OF_HOST)
FREE(free_a, OF_A)
FREE(free_b, OF_B)
FREE(free_nobody, OF_NOBODY)
FREE(free_index, RV_DMA_CONTEXTS)

#define MAP_IO(name, ...) SAME(name, mem_map_io, spec_map_io, __VA_ARGS__)
MAP_IO(io_a, vm_a, GFN_IO, p)
MAP_IO(io_a_next, vm_a, GFN_IO + 1, p)
MAP_IO(io_b, vm_b, GFN_IO, p)
MAP_IO(io_neighbour, vm_a, GFN_IO, p + 1)
MAP_IO(io_in_ram, vm_a, GFN_FREE, p)
MAP_IO(io_beyond, vm_a, GFN_LIMIT, p)
MAP_IO(io_unlisted, vm_a, GFN_IO, IO + FAKE_IO_PAGES)
MAP_IO(io_hidden, vm_b, GFN_IO, FAKE_HIDDEN_BASE >> PAGE_SHIFT)
MAP_IO(io_huge, vm_b, GFN_IO, ~0ull)
MAP_IO(io_no_vm, 0x777, GFN_IO, p)

/* ---- what DMA and device pages must stop, or survive ---- */

SAME(donate_core, mem_host_donate_core, spec_host_donate_core, p)
SAME(share_core, mem_host_share_core, spec_host_share_core, p)
SAME(give_a, mem_map, spec_map, vm_a, GFN_FREE, p, 1, &v)
SAME(give_b, mem_map, spec_map, vm_b, GFN_FREE, p, 1, &v)
SAME(reclaim_a, mem_reclaim, spec_reclaim, vm_a, 0, GFN_LIMIT, &v)
SAME(reclaim_b, mem_reclaim, spec_reclaim, vm_b, 0, GFN_LIMIT, &v)
SAME(destroy_a, vm_destroy, spec_vm_destroy, vm_a, &v)
SAME(destroy_b, vm_destroy, spec_vm_destroy, vm_b, &v)
SAME(add_ram, vm_add_ram, spec_vm_add_ram, vm_a, RAM_PAGES, 64)
SAME(add_ram_behind, vm_add_ram, spec_vm_add_ram, vm_a, GFN_IO + 1, 64)

#define WISH(name, wish)                                                          \
	CALL(name, wish_core(vm_a, GFN_SUBJECT, GFN_SUBJECT + 1, wish, true, &v), \
	     wish_spec(vm_a, GFN_SUBJECT, GFN_SUBJECT + 1, wish, true, &v))
WISH(wish_shared, S2_WISH_SHARED)
WISH(wish_private, S2_WISH_PRIVATE)

/* A VM with everything it had for DMA, from RV_VM_KILL to its last page. */
static enum cv_status end_core(u64 vm, u32 context, u64 *value)
{
	return vm_kill(vm)
		       ?: dma_unmap(context, 0, RAM_PAGES, value)
		       ?: dma_free(context, value)
		       ?: mem_reclaim(vm, 0, RAM_PAGES * 2, value)
		       ?: vm_destroy(vm, value);
}

static enum cv_status end_spec(u64 vm, u32 context, u64 *value)
{
	return spec_vm_kill(&spec, vm)
		       ?: spec_dma_unmap(&spec, context, 0, RAM_PAGES, value)
		       ?: spec_dma_free(&spec, context, value)
		       ?: spec_reclaim(&spec, vm, 0, RAM_PAGES * 2, value)
		       ?: spec_vm_destroy(&spec, vm, value);
}

CALL(end_a, end_core(vm_a, OF_A, &v), end_spec(vm_a, OF_A, &v))
CALL(end_b, end_core(vm_b, OF_B, &v), end_spec(vm_b, OF_B, &v))

/* ---- blocks: the 2 MiB around the subject ---- */

#define BLOCK_OF(pfn) align_down(pfn, 512)
MAP(map_host_block, OF_HOST, BLOCK_OF(p), BLOCK_OF(p), 512)
MAP(map_host_behind_pages, OF_HOST, BLOCK_OF(p) - 4, BLOCK_OF(p) - 4, 516)
MAP(map_host_crooked, OF_HOST, BLOCK_OF(p), BLOCK_OF(p) + 1, 512)
UNMAP(unmap_host_block, OF_HOST, BLOCK_OF(p), 512)
UNMAP(unmap_host_part, OF_HOST, BLOCK_OF(p) + 5, 512)
UNMAP(unmap_host_up_to_part, OF_HOST, BLOCK_OF(p) - 4, 8)
/* A table may be left of what was mapped there. */
CALL(map_host_block_after_all,
     dma_unmap(OF_HOST, 0, GFN_LIMIT, &v) ?: dma_map(OF_HOST, BLOCK_OF(p), BLOCK_OF(p), 512, &v),
     spec_dma_unmap(&spec, OF_HOST, 0, GFN_LIMIT, &v)
	     ?: spec_dma_map(&spec, OF_HOST, BLOCK_OF(p), BLOCK_OF(p), 512, &v))

/* The VM has the block, or as much of it as goes, and its device gets as much as goes of that. */
#define HAVE(name, vm, context, then_core, then_spec) \
	CALL(name,                                                                        \
	     mem_map(vm, GFN_BLOCK, BLOCK_OF(p), 512, &v)                                 \
		     ?: dma_map(context, GFN_BLOCK, BLOCK_OF(p), 512, &v) ?: then_core,   \
	     spec_map(&spec, vm, GFN_BLOCK, BLOCK_OF(p), 512, &v)                         \
		     ?: spec_dma_map(&spec, context, GFN_BLOCK, BLOCK_OF(p), 512, &v)     \
		     ?: then_spec)
HAVE(block_a, vm_a, OF_A, CV_OK, CV_OK)
HAVE(block_b, vm_b, OF_B, CV_OK, CV_OK)
HAVE(block_a_part, vm_a, OF_A, dma_unmap(OF_A, GFN_BLOCK + 3, 1, &v),
     spec_dma_unmap(&spec, OF_A, GFN_BLOCK + 3, 1, &v))
HAVE(block_a_shared_page, vm_a, OF_A,
     wish_core(vm_a, GFN_BLOCK + 3, GFN_BLOCK + 4, S2_WISH_SHARED, true, &v)
	     ?: dma_unmap(OF_A, 0, RAM_PAGES, &v),
     wish_spec(vm_a, GFN_BLOCK + 3, GFN_BLOCK + 4, S2_WISH_SHARED, true, &v)
	     ?: spec_dma_unmap(&spec, OF_A, 0, RAM_PAGES, &v))
HAVE(block_a_end, vm_a, OF_A, end_core(vm_a, OF_A, &v), end_spec(vm_a, OF_A, &v))
HAVE(block_b_end, vm_b, OF_B, end_core(vm_b, OF_B, &v), end_spec(vm_b, OF_B, &v))

const struct call dma_calls[] = {
	ENTRY(alloc_host),
	ENTRY(alloc_a),
	ENTRY(alloc_b),
	ENTRY(alloc_odd),
	ENTRY(alloc_huge),
	ENTRY(alloc_owned),
	ENTRY(alloc_owned_a),
	ENTRY(alloc_no_vm),
	ENTRY(alloc_index),
	ENTRY(topup_host),
	ENTRY(topup_a),
	ENTRY(topup_b),
	ENTRY(topup_nobody),
	ENTRY(topup_index),
	ENTRY(map_host),
	ENTRY(map_host_elsewhere),
	ENTRY(map_host_many),
	ENTRY(map_host_low),
	ENTRY(map_a),
	ENTRY(map_a_elsewhere),
	ENTRY(map_a_identity),
	ENTRY(map_a_image),
	ENTRY(map_b),
	ENTRY(map_b_elsewhere),
	ENTRY(map_b_identity),
	ENTRY(map_beyond),
	ENTRY(map_wrap),
	ENTRY(map_none),
	ENTRY(map_nobody),
	ENTRY(map_index),
	ENTRY(unmap_host),
	ENTRY(unmap_host_all),
	ENTRY(unmap_a),
	ENTRY(unmap_a_all),
	ENTRY(unmap_b),
	ENTRY(unmap_none),
	ENTRY(unmap_beyond),
	ENTRY(unmap_wrap),
	ENTRY(unmap_nobody),
	ENTRY(unmap_index),
	ENTRY(free_host),
	ENTRY(free_a),
	ENTRY(free_b),
	ENTRY(free_nobody),
	ENTRY(free_index),
	ENTRY(io_a),
	ENTRY(io_a_next),
	ENTRY(io_b),
	ENTRY(io_neighbour),
	ENTRY(io_in_ram),
	ENTRY(io_beyond),
	ENTRY(io_unlisted),
	ENTRY(io_hidden),
	ENTRY(io_huge),
	ENTRY(io_no_vm),
	ENTRY(donate_core),
	ENTRY(share_core),
	ENTRY(give_a),
	ENTRY(give_b),
	ENTRY(reclaim_a),
	ENTRY(reclaim_b),
	ENTRY(destroy_a),
	ENTRY(destroy_b),
	ENTRY(wish_shared),
	ENTRY(wish_private),
	ENTRY(add_ram),
	ENTRY(add_ram_behind),
	ENTRY(end_a),
	ENTRY(end_b),
	ENTRY(map_host_block),
	ENTRY(map_host_behind_pages),
	ENTRY(map_host_crooked),
	ENTRY(unmap_host_block),
	ENTRY(unmap_host_part),
	ENTRY(unmap_host_up_to_part),
	ENTRY(block_a),
	ENTRY(block_b),
	ENTRY(block_a_part),
	ENTRY(block_a_shared_page),
	ENTRY(block_a_end),
	ENTRY(block_b_end),
	ENTRY(map_host_block_after_all),
	{ 0 },
};
