/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Proof: a page of the host is shared with an open VM, content and all (mem_map_page()), and given
 * back (mem_page_reclaim()). For every ledger, host table and table of the VM that the invariants
 * allow: the status is the specified one, a refusal changes nothing; the page stays the host's and
 * mapped for it, pinned once more or once less; exactly the specified entries change.
 *
 * Proof-args: --unwind 9
 * Proof-args: --unwindset place_find.0:4,s2_split.0:3,region_of.0:3,ledger_init.0:3,ledger_init.1:6
 * Proof-args: corevisor/core/ledger.c corevisor/core/s2.c corevisor/core/mem.c
 * Proof-entry: proof_mem_share
 * Proof-entry: proof_mem_unshare
 */
#include "small_machine.h"

#include <cv/mem_page.h>

static enum cv_status spec_share(u64 gfn, u64 pfn)
{
	struct s2_leaf leaf;
	struct page page;

	if (gfn - vm.ram[0].first.v >= vm.ram[0].pages || !is_ram(pfn)) {
		return CV_E_RANGE;
	}
	page = ledger_get(pfn_make(pfn));
	leaf = s2_walk(&vm.s2, gfn_make(gfn));
	if (vm.state == VM_POWEROFF || page.owner != OWNER_HOST || page.count == LEDGER_COUNT_MAX) {
		return CV_E_STATE;
	}
	if (leaf.is_mapped) {
		return CV_E_BUSY;
	}
	return vm.tables.free_count < 3 - leaf.level ? CV_E_NOMEM : CV_OK;
}

/* One arbitrary word of a table, one ledger entry, one gfn: what holds for them holds for all. */
static u32 word, entry;
static u64 word_before, entry_before;
static u64 other_gfn;
static struct s2_leaf other_before;

static void watch(void)
{
	word = (u32)any_below(T_COUNT * TABLE_ENTRIES);
	entry = (u32)any_below(RAM_PAGES);
	other_gfn = any_below(GFN_LIMIT);
	assume(other_gfn != the_gfn);
	word_before = words[word];
	entry_before = entries[entry];
	other_before = s2_walk(&vm.s2, gfn_make(other_gfn));
}

static void claim_rest_stays(void)
{
	claim(word >= T_VM_ROOT0 * TABLE_ENTRIES || words[word] == word_before,
	      "nothing of the host's tables changes");
	claim(entries[entry] == entry_before || pfn_of_entry(entry) == the_pfn,
	      "other entries stay");
	claim(same_vm_translation(other_gfn, &other_before), "the VM's other pages stay");
	claim(locks_held == 0 && !is_host_stale && !is_vm_stale && !is_unpublished,
	      "no lock is left held, no stale TLB entry");
	claim(!is_scrubbed, "the content stays");
	claim_other_vm_stays();
}

void proof_mem_share(void)
{
	u64 guest_pages = any_below(1000);
	struct page before = { 0 };
	u32 vm_free;
	enum cv_status expected;
	enum cv_status status;

	the_gfn = nondet_u64();
	the_pfn = nondet_u64();
	assume(the_pfn < RAM_B + RAM_B_PAGES + 2 || the_pfn > ~0ull - 2);
	assume(the_gfn < GFN_LIMIT + 2 || the_gfn > ~0ull - 2);
	any_state_of(false);
	vm.guest_pages = guest_pages;
	expected = spec_share(the_gfn, the_pfn);
	watch();
	vm_free = vm.tables.free_count;
	if (is_ram(the_pfn)) {
		before = ledger_get(pfn_make(the_pfn));
	}
	status = mem_map_page(&vm, the_gfn, the_pfn);

	reach(status == CV_E_RANGE, "RANGE");
	reach(status == CV_E_STATE && before.owner != OWNER_HOST, "STATE: not the host's");
	reach(status == CV_E_STATE && before.count == LEDGER_COUNT_MAX, "STATE: in use too often");
	reach(status == CV_E_STATE && vm.state == VM_POWEROFF, "STATE: off");
	reach(status == CV_E_BUSY, "BUSY");
	reach(status == CV_E_NOMEM, "NOMEM");
	reach(status == CV_OK && before.count == 0, "OK");
	reach(status == CV_OK && before.count > 0 && the_pfn >= RAM_B, "OK, shared already");
	claim(status == expected, "the status is the specified one");
	claim_rest_stays();
	if (status != CV_OK) {
		claim(words[word] == word_before && entries[entry] == entry_before &&
			      vm.tables.free_count == vm_free && vm.guest_pages == guest_pages,
		      "a refusal changes nothing");
	} else {
		struct page page = ledger_get(pfn_make(the_pfn));
		struct s2_leaf leaf = s2_walk(&vm.s2, gfn_make(the_gfn));

		claim(page.owner == OWNER_HOST && page.state == PAGE_SHARED &&
			      page.count == before.count + 1,
		      "pinned once more");
		claim(leaf.is_mapped && leaf.level == 3 && leaf.pa.v == the_pfn << PAGE_SHIFT &&
			      leaf.attr == S2_NORMAL_RWX,
		      "the VM's leaf");
		claim(host_maps(the_pfn), "the host keeps it");
		claim(is_cleaned && !is_icache_stale, "the guest sees what the host wrote");
		claim(vm.guest_pages == guest_pages + 1, "counted");
	}
}

void proof_mem_unshare(void)
{
	u64 guest_pages = 1 + any_below(1000);
	struct s2_leaf leaf;
	struct page before;
	struct page page;

	the_gfn = any_below(TABLE_ENTRIES);
	any_state_of(false);
	vm.guest_pages = guest_pages;
	leaf = s2_walk(&vm.s2, gfn_make(the_gfn));
	assume(leaf.is_mapped);
	the_pfn = leaf.pa.v >> PAGE_SHIFT;
	before = ledger_get(pfn_make(the_pfn));
	watch();
	mem_page_reclaim(&vm, gfn_make(the_gfn), &leaf);

	page = ledger_get(pfn_make(the_pfn));
	reach(page.count == 0, "the last use");
	reach(page.count == 1, "another VM has it still");
	claim_rest_stays();
	claim(page.owner == OWNER_HOST && page.count == before.count - 1 &&
		      page.state == (page.count > 0 ? PAGE_SHARED : PAGE_EXCLUSIVE),
	      "pinned once less");
	claim(!s2_walk(&vm.s2, gfn_make(the_gfn)).is_mapped, "the VM has it no more");
	claim(host_maps(the_pfn), "the host kept it");
	claim(vm.guest_pages == guest_pages - 1, "counted");
}
