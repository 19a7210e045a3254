/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Proof: a page of the host becomes a protected VM's: mem_map_page(), zeroed, and mem_load_page(),
 * content and all (images, snapshots). For every ledger, every host and VM table that the
 * invariants allow on the small machine of include/cv/geometry.h, and for all arguments: the status
 * is the specified one; a refusal changes nothing; on CV_OK exactly the specified entries changed;
 * and the page is out of the host's table and TLB before it is zeroed or given.
 * Proof-args: --unwind 9
 * Proof-args: --unwindset place_find.0:4,s2_split.0:3,region_of.0:3,ledger_init.0:3,ledger_init.1:6
 * Proof-args: corevisor/core/ledger.c corevisor/core/s2.c corevisor/core/mem.c
 */
#include "small_machine.h"

/* ---- the specification ---- */

static enum cv_status spec_status(u64 gfn, u64 pfn)
{
	struct s2_leaf leaf;

	if (gfn - vm.ram[0].first.v >= vm.ram[0].pages || !is_ram(pfn)) {
		return CV_E_RANGE;
	}
	leaf = s2_walk(&vm.s2, gfn_make(gfn));
	if (vm.state == VM_POWEROFF || !ledger_is(pfn_make(pfn), OWNER_HOST, PAGE_EXCLUSIVE) ||
	    leaf.wish == S2_WISH_DESTROYED) {
		return CV_E_STATE;
	}
	if (leaf.is_mapped) {
		return CV_E_BUSY;
	}
	if (vm.tables.free_count < 3 - leaf.level) {
		return CV_E_NOMEM;
	}
	if (pfn - WHOLE_BLOCK < TABLE_ENTRIES && ledger_block_is_host(pfn_make(pfn)) &&
	    mem_core_pool()->free_count < CORE_POOL_FLOOR + 1) {
		return CV_E_NOMEM;
	}
	return CV_OK;
}

static void goals(enum cv_status status, bool is_load, const struct s2_leaf *before,
		  bool host_split, u64 core_free, u64 vm_free)
{
	reach(status == CV_E_RANGE, "RANGE");
	reach(status == CV_E_STATE, "STATE");
	reach(status == CV_E_BUSY, "BUSY");
	reach(status == CV_E_NOMEM && vm_free == 3, "NOMEM for want of the core's tables");
	reach(status == CV_E_NOMEM && core_free == 3, "NOMEM for want of the VM's tables");
	reach(status == CV_OK && before->wish == S2_WISH_PRIVATE && is_load, "private, kept");
	reach(status == CV_OK && before->wish == S2_WISH_PRIVATE && !is_load, "zeroed");
	reach(status == CV_OK && before->wish == S2_WISH_SHARED && host_split, "shared, split");
	reach(status == CV_OK && before->level == 1 && host_split, "all tables at once");
	reach(status == CV_OK && before->level == 3 && !host_split, "no table at all");
}

void proof_mem_map_page(void)
{
	u64 gfn = nondet_u64();
	u64 pfn = nondet_u64();
	bool is_load = nondet_bool();
	u64 other_pfn = nondet_u64();
	u64 other_gfn = nondet_u64();
	/* Any word of any table, any ledger entry: what holds for it holds for all. */
	u32 word = nondet_u32();
	u32 entry = nondet_u32();
	u64 word_before;
	u64 entry_before;
	struct s2_leaf vm_before = { 0 };
	struct s2_leaf other_host_before;
	struct s2_leaf other_vm_before;
	u64 core_free;
	bool host_split = false;
	u64 vm_free;
	enum cv_status expected;
	enum cv_status status;

	assume((pfn >= RAM_A - 2 && pfn < RAM_B + RAM_B_PAGES + 2) || pfn > ~0ull - 2);
	assume(gfn < GFN_LIMIT + 2 || gfn > ~0ull - 2);
	assume(other_pfn < GFN_LIMIT && other_pfn != pfn && other_gfn < GFN_LIMIT &&
	       other_gfn != gfn);
	assume(word < T_COUNT * TABLE_ENTRIES && entry < RAM_PAGES);
	any_state();
	/* What its callers see to. */
	assume(!is_load || vm.state == VM_READY);
	the_pfn = pfn;
	the_gfn = gfn;
	expected = spec_status(gfn, pfn);
	entry_before = entries[entry];
	word_before = words[word];
	other_host_before = s2_walk(host_map_s2(), gfn_make(other_pfn));
	other_vm_before = s2_walk(&vm.s2, gfn_make(other_gfn));
	core_free = mem_core_pool()->free_count;
	vm_free = vm.tables.free_count;
	if (expected == CV_OK) {
		host_split =
			pfn - WHOLE_BLOCK < TABLE_ENTRIES && ledger_block_is_host(pfn_make(pfn));
		vm_before = s2_walk(&vm.s2, gfn_make(gfn));
		host_keeps = vm_before.wish == S2_WISH_SHARED;
	}

	status = is_load ? mem_load_page(&vm, gfn, pfn) : mem_map_page(&vm, gfn, pfn);

	goals(status, is_load, &vm_before, host_split, core_free, vm_free);
	claim(status == expected, "the status is the specified one");
	claim(!is_host_stale && !is_vm_stale, "no stale TLB entry is left");
	claim(locks_held == 0, "no lock is left held");
	claim_other_vm_stays();
	claim(foreign_count_is_right(), "the block's count agrees with its entries");
	claim(entries[entry] == entry_before || (status == CV_OK && pfn_of_entry(entry) == pfn),
	      "other entries stay");
	if (status != CV_OK) {
		claim(words[word] == word_before, "a refusal changes no table");
		claim(core_free == mem_core_pool()->free_count && vm_free == vm.tables.free_count,
		      "nor a pool");
		claim(!is_scrubbed && !is_cleaned, "nor the page");
	} else {
		struct page page = ledger_get(pfn_make(pfn));
		struct s2_leaf leaf = s2_walk(&vm.s2, gfn_make(gfn));
		bool is_shared = vm_before.wish == S2_WISH_SHARED;

		claim(page.owner == vm.owner && page.gfn == gfn && page.count == 0 &&
			      page.state == (is_shared ? PAGE_SHARED : PAGE_EXCLUSIVE),
		      "the ledger entry");
		claim(host_maps(pfn) == is_shared, "INV-HOST-ISO");
		claim(leaf.is_mapped && leaf.level == 3 && leaf.pa.v == pfn << PAGE_SHIFT &&
			      leaf.attr == S2_NORMAL_RWX && leaf.wish == vm_before.wish,
		      "the VM's leaf");
		claim(core_free - mem_core_pool()->free_count == host_split &&
			      vm_free - vm.tables.free_count == 3 - vm_before.level,
		      "exactly the tables that are needed are gone");
		claim(!is_icache_stale, "no stale instruction is left");
		claim(is_cleaned && is_scrubbed == !is_load,
		      "cleaned, and zeroed unless its content was wanted");
		claim(same_host_translation(other_pfn, &other_host_before),
		      "the host's other pages stay");
		claim(same_vm_translation(other_gfn, &other_vm_before),
		      "the VM's other pages and wishes stay");
	}
}
