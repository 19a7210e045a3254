/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A VM's blocks of 2 MiB: how they come to be, and how one becomes pages. Guarantees: as mem.c.
 * While a VM has a block, the host has no leaf table there, and needs none to get it back.
 */
#include <cv/mem_page.h>

#include <cv/arch.h>
#include <cv/host_map.h>
#include <cv/ledger.h>
#include <cv/mem.h>

#define BLOCK_LEVEL 2
#define PAGE_LEVEL 3

static bool block_check(struct vm *vm, gfn_t gfn, pfn_t pfn) CV_REQUIRES(vm->lock)
{
	struct s2_leaf leaf;

	if (!vm->is_protected || vm->state == VM_POWEROFF ||
	    !is_aligned(gfn.v | pfn.v, PAGES_PER_BLOCK) || !ledger_is_ram(pfn) ||
	    !vm_is_ram(vm, gfn) || vm_ram_end(vm, gfn) < gfn.v + PAGES_PER_BLOCK) {
		return false;
	}
	leaf = s2_walk(&vm->s2, gfn);
	return !leaf.is_mapped && leaf.level <= BLOCK_LEVEL && leaf.wish == S2_WISH_PRIVATE &&
	       mem_vm_has_tables(vm, gfn, BLOCK_LEVEL);
}

/* Pre: the block's lock is held, too. */
static void block_commit(struct vm *vm, gfn_t gfn, pfn_t pfn, struct pool *reserved)
	CV_REQUIRES(vm->lock)
{
	host_map_split(pfn, BLOCK_LEVEL, reserved);
	host_map_remove(pfn, BLOCK_LEVEL);
	mem_scrub_pages(pfn, PAGES_PER_BLOCK);
	arch_icache_invalidate_all();
	ledger_set_block(pfn, (struct page){ .owner = vm->owner, .gfn = gfn.v });
	s2_map(&vm->s2, gfn, pfn_pa(pfn), BLOCK_LEVEL, S2_NORMAL_RWX, S2_WISH_PRIVATE);
	vm->guest_pages += PAGES_PER_BLOCK;
}

bool mem_block_map(struct vm *vm, gfn_t gfn, pfn_t pfn)
{
	struct pool reserved;
	struct lock *lock;
	bool is_possible;

	if (!block_check(vm, gfn, pfn)) {
		return false;
	}
	lock = ledger_lock(pfn);
	lock_acquire(lock);
	is_possible = ledger_block_is_host_alone(pfn) &&
		      pool_reserve(mem_core_pool(), &reserved,
				   host_map_tables_needed(pfn, BLOCK_LEVEL), CORE_POOL_FLOOR);
	if (is_possible) {
		block_commit(vm, gfn, pfn, &reserved);
		pool_return(mem_core_pool(), &reserved);
	}
	lock_release(lock);
	return is_possible;
}

enum cv_status mem_block_split(struct vm *vm, gfn_t gfn, const struct s2_leaf *leaf)
{
	pfn_t pfn = pa_pfn(leaf->pa);
	struct lock *lock = ledger_lock(pfn);
	struct pool reserved;
	enum cv_status status = CV_E_NOMEM;

	lock_acquire(lock);
	if (mem_vm_has_tables(vm, gfn, PAGE_LEVEL) &&
	    pool_reserve(mem_core_pool(), &reserved, host_map_tables_needed(pfn, PAGE_LEVEL),
			 CORE_POOL_FLOOR)) {
		host_map_split(pfn, PAGE_LEVEL, &reserved);
		pool_return(mem_core_pool(), &reserved);
		s2_split(&vm->s2, gfn, PAGE_LEVEL);
		status = CV_OK;
	}
	lock_release(lock);
	return status;
}
