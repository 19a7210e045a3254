/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Proof: a page leaves a protected VM. mem_page_reclaim() gives it back to the host, and
 * mem_page_set_wish() makes it shared or private. For every ledger, every host and VM table that
 * the invariants allow, and every backed gfn: both TLBs have lost the page, host and VM cannot
 * reach it and it is zeroed before anybody gets a mapping of it; afterwards exactly the specified
 * entries have changed.
 * Proof-args: --unwind 9
 * Proof-args: --unwindset place_find.0:4,s2_split.0:3,region_of.0:3,ledger_init.0:3,ledger_init.1:6
 * Proof-args: corevisor/core/ledger.c corevisor/core/s2.c corevisor/core/mem.c
 */
#include "small_machine.h"

#include <cv/mem_page.h>

static struct s2_leaf host_leaf_of(u64 pfn)
{
	return s2_walk(host_map_s2(), gfn_make(pfn));
}

void proof_mem_page_leave(void)
{
	bool is_reclaim = nondet_bool();
	u64 other_pfn = nondet_u64();
	u64 other_gfn = nondet_u64();
	u32 entry = nondet_u32();
	u64 entry_before;
	u64 guest_pages = nondet_u64();
	struct s2_leaf leaf;
	struct s2_leaf other_host_before;
	struct s2_leaf other_vm_before;
	struct s2_leaf vm_now;
	enum s2_wish wish;
	struct page page;
	bool is_host_now;
	bool is_split;
	u32 core_free;
	u32 dma_count;

	the_gfn = nondet_u64();
	assume(the_gfn < TABLE_ENTRIES && other_gfn < GFN_LIMIT && other_gfn != the_gfn);
	assume(entry < RAM_PAGES && guest_pages > 0);
	any_state();
	vm.guest_pages = guest_pages;
	leaf = s2_walk(&vm.s2, gfn_make(the_gfn));
	assume(leaf.is_mapped);
	the_pfn = leaf.pa.v >> PAGE_SHIFT;
	assume(other_pfn < GFN_LIMIT && other_pfn != the_pfn);
	dma_count = ledger_get(pfn_make(the_pfn)).count;
	/* What its callers see to: nothing of the VM is mapped for DMA. */
	assume(!is_reclaim || dma_count == 0);
	wish = is_reclaim || leaf.wish == S2_WISH_SHARED ? S2_WISH_PRIVATE : S2_WISH_SHARED;
	entry_before = entries[entry];
	other_host_before = host_leaf_of(other_pfn);
	other_vm_before = s2_walk(&vm.s2, gfn_make(other_gfn));
	core_free = mem_core_pool()->free_count;
	is_split = host_leaf_of(the_pfn).level == 3;
	leaves_vm = true;

	if (is_reclaim) {
		mem_page_reclaim(&vm, gfn_make(the_gfn), &leaf);
	} else {
		mem_page_set_wish(&vm, gfn_make(the_gfn), &leaf, wish);
	}

	page = ledger_get(pfn_make(the_pfn));
	vm_now = s2_walk(&vm.s2, gfn_make(the_gfn));
	is_host_now = is_reclaim || wish == S2_WISH_SHARED;
	reach(is_reclaim && leaf.wish == S2_WISH_PRIVATE, "a private page reclaimed");
	reach(is_reclaim && leaf.wish == S2_WISH_SHARED, "a shared page reclaimed");
	reach(is_reclaim && host_leaf_of(the_pfn).level == 2, "the block joined");
	reach(is_reclaim && the_pfn - WHOLE_BLOCK < TABLE_ENTRIES &&
		      host_leaf_of(the_pfn).level == 3,
	      "split");
	reach(!is_reclaim && wish == S2_WISH_SHARED, "private becomes shared");
	reach(!is_reclaim && wish == S2_WISH_PRIVATE, "shared becomes private");
	claim(is_scrubbed && !is_icache_stale, "the content is gone, and its instructions");
	claim(!is_host_stale && !is_vm_stale && !is_unpublished, "no stale TLB entry is left");
	claim(locks_held == 0, "no lock is left held");
	claim_other_vm_stays();
	reach(!is_reclaim && dma_count > 0, "a page that DMA contexts map");
	claim(page.owner == (is_reclaim ? OWNER_HOST : vm.owner) &&
		      page.count == (is_reclaim ? 0 : dma_count) &&
		      page.state == (!is_reclaim && is_host_now ? PAGE_SHARED : PAGE_EXCLUSIVE) &&
		      page.gfn == (is_reclaim ? 0 : the_gfn),
	      "the ledger entry");
	claim(host_maps(the_pfn) == is_host_now, "INV-HOST-ISO, INV-HOST-MAP");
	claim(vm_now.is_mapped == !is_reclaim, "the VM has it exactly if it was not reclaimed");
	claim(vm_now.wish == (is_reclaim ? leaf.wish : wish), "the guest's wish");
	claim(is_reclaim || (vm_now.pa.v == leaf.pa.v && vm_now.attr == S2_NORMAL_RWX), "the page");
	claim(vm.guest_pages == guest_pages - is_reclaim, "the VM's count");
	claim(mem_core_pool()->free_count ==
		      core_free + (is_split && host_leaf_of(the_pfn).level == 2),
	      "the joined block's table comes back");
	claim(foreign_count_is_right(), "the block's count agrees with its entries");
	claim((host_leaf_of(WHOLE_BLOCK).level == 2) == ledger_block_is_host(pfn_make(WHOLE_BLOCK)),
	      "a block that is the host's again is one block");
	claim(entries[entry] == entry_before || pfn_of_entry(entry) == the_pfn,
	      "other entries stay");
	claim(same_host_translation(other_pfn, &other_host_before), "the host's other pages stay");
	claim(same_vm_translation(other_gfn, &other_vm_before),
	      "the VM's other pages and wishes stay");
}
