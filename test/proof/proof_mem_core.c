/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Proof: pages of the host become the corevisor's and come back: mem_host_take_core(),
 * mem_pool_topup(), mem_host_untake_core(), mem_core_return_host(), and run pages:
 * mem_host_share_core(), mem_host_unshare_core(). These are the contracts that pages.h gives to the
 * calls above. EL2's map is a stub: a ghost bit says whether it holds the page.
 *
 * Proof-args: --unwind 9
 * Proof-args: --unwindset place_find.0:4,s2_split.0:3,region_of.0:3,ledger_init.0:3,ledger_init.1:6
 * Proof-args: corevisor/core/ledger.c corevisor/core/s2.c corevisor/core/mem.c
 * Proof-entry: proof_mem_take
 * Proof-entry: proof_pool_topup
 * Proof-entry: proof_mem_return_whole
 * Proof-entry: proof_mem_return_region quick
 * Proof-entry: proof_mem_untake
 * Proof-entry: proof_mem_run_page_share quick
 * Proof-entry: proof_mem_run_page_unshare quick
 */
#define EL2_MAP_IS_STUBBED
#include "small_machine.h"

static bool is_at_el2;
static u32 hyp_tables;

u32 hyp_tables_needed(pfn_t pfn)
{
	(void)pfn;
	return hyp_tables;
}

void hyp_map_page(pfn_t pfn, struct pool *reserved)
{
	claim(pfn.v == the_pfn && !is_at_el2, "mapped once");
	claim(reserved->free_count >= hyp_tables, "its tables were reserved");
	reserved->free_count -= hyp_tables;
	reserved->free.v -= hyp_tables;
	is_at_el2 = true;
}

void hyp_unmap_page(pfn_t pfn)
{
	claim(pfn.v == the_pfn && is_at_el2, "what is unmapped was mapped");
	is_at_el2 = false;
}

static u32 entry;
static u64 entry_before;
static u64 other_pfn;
static struct s2_leaf other_before;
static u32 core_free;

static void begin(void)
{
	any_state();
	hyp_tables = (u32)any_below(2);
	entry = (u32)any_below(RAM_PAGES);
	entry_before = entries[entry];
	other_pfn = any_below(GFN_LIMIT);
	assume(other_pfn != the_pfn);
	other_before = s2_walk(host_map_s2(), gfn_make(other_pfn));
	core_free = mem_core_pool()->free_count;
}

static void claim_rest_stays(void)
{
	claim(entries[entry] == entry_before || pfn_of_entry(entry) == the_pfn,
	      "other entries stay");
	claim(same_host_translation(other_pfn, &other_before), "the host's other pages stay");
	claim(foreign_count_is_right(), "the block's count agrees with its entries");
	claim(locks_held == 0 && !is_host_stale && !is_vm_stale && !is_unpublished,
	      "no lock is left held, no stale TLB entry");
	claim_other_vm_stays();
}

static bool is_whole(void)
{
	return the_pfn - WHOLE_BLOCK < TABLE_ENTRIES && ledger_block_is_host(pfn_make(the_pfn));
}

static enum cv_status status;
static bool splits;

/* For the pool itself even the last tables may go; whatever else is taken leaves the floor. */
static void core_takes(bool is_for_pool)
{
	const u32 floor = is_for_pool ? 0 : CORE_POOL_FLOOR;
	enum cv_status expected = CV_OK;

	splits = false;
	the_gfn = GFN_LIMIT - 1; /* no VM has anything there */
	the_pfn = nondet_u64();
	assume(the_pfn < RAM_B + RAM_B_PAGES + 2 || the_pfn > ~0ull - 2);
	begin();
	if (!is_ram(the_pfn)) {
		expected = CV_E_RANGE;
	} else if (!ledger_is(pfn_make(the_pfn), OWNER_HOST, PAGE_EXCLUSIVE)) {
		expected = CV_E_STATE;
	} else {
		splits = is_whole();
		if (splits + hyp_tables > 0 && core_free < floor + splits + hyp_tables) {
			expected = CV_E_NOMEM;
		}
	}
	status = is_for_pool ? mem_pool_topup(the_pfn) : mem_host_take_core(the_pfn);

	claim(status == expected, "the status is the specified one");
	claim(is_scrubbed == (is_for_pool && status == CV_OK),
	      "the content is still there, or gone");
	claim_rest_stays();
	if (status != CV_OK) {
		claim(entries[entry] == entry_before && mem_core_pool()->free_count == core_free &&
			      !is_at_el2 && !is_cleaned,
		      "a refusal changes nothing");
	} else {
		struct page page = ledger_get(pfn_make(the_pfn));

		claim(page.owner == OWNER_CORE && page.state == PAGE_EXCLUSIVE && page.gfn == 0 &&
			      page.count == 0,
		      "the ledger entry");
		claim(!host_maps(the_pfn) && is_at_el2 && is_cleaned,
		      "the host lost it, EL2 has it");
		claim(core_free + is_for_pool - mem_core_pool()->free_count == splits + hyp_tables,
		      "exactly the tables that are needed are gone");
	}
}

void proof_mem_take(void)
{
	core_takes(false);
	reach(status == CV_E_RANGE, "RANGE");
	reach(status == CV_E_STATE, "STATE");
	reach(status == CV_E_NOMEM && core_free > 0, "NOMEM");
	reach(status == CV_OK && splits, "OK, a block is split");
	reach(status == CV_OK && the_pfn >= RAM_B, "OK, of the second region");
}

void proof_pool_topup(void)
{
	core_takes(true);
	reach(status == CV_E_RANGE, "RANGE");
	reach(status == CV_E_STATE, "STATE");
	reach(status == CV_E_NOMEM && core_free == 1, "NOMEM");
	reach(status == CV_OK && splits && core_free == 1, "OK, with the last table");
	reach(status == CV_OK && the_pfn >= RAM_B, "OK, of the second region");
}

/* Back to the host: with content if the call was not to be, else scrubbed. */
static void core_returns(u64 pfn, bool is_untaken)
{
	struct page page;

	the_pfn = pfn;
	the_gfn = GFN_LIMIT - 1; /* no VM has anything there */
	begin();
	assume(ledger_get(pfn_make(the_pfn)).owner == OWNER_CORE);
	is_at_el2 = true;
	if (is_untaken) {
		mem_host_untake_core(pfn_make(the_pfn));
	} else {
		leaves_vm = true; /* a record's or a table's content counts as a VM's */
		mem_core_return_host(pfn_make(the_pfn));
	}

	page = ledger_get(pfn_make(the_pfn));
	reach(!is_whole(), "returned");
	claim_rest_stays();
	claim(page.owner == OWNER_HOST && page.state == PAGE_EXCLUSIVE && page.count == 0 &&
		      page.gfn == 0,
	      "the ledger entry");
	claim(host_maps(the_pfn) && !is_at_el2, "the host has it, EL2 has not");
	claim(is_scrubbed == !is_untaken && !is_icache_stale, "the content is gone unless undone");
	claim(mem_core_pool()->free_count == core_free + is_whole(),
	      "a joined block's table is back");
}

/* The page is a constant: a symbolic one costs a hundredfold. */
void proof_mem_return_whole(void)
{
	core_returns(WHOLE_BLOCK + 1, false);
	reach(is_whole(), "a block is whole again");
}

void proof_mem_return_region(void)
{
	core_returns(RAM_B + 1, false);
}

void proof_mem_untake(void)
{
	core_returns(WHOLE_BLOCK + 1, true);
	reach(is_whole(), "a block is whole again");
}

static void run_page(u64 pfn, bool is_unshared)
{
	struct page before;
	struct page page;
	enum cv_status status = CV_OK;

	the_pfn = pfn;
	begin();
	before = ledger_get(pfn_make(the_pfn));
	if (is_unshared) {
		is_at_el2 = true;
		assume(before.owner == OWNER_HOST && before.count > 0);
		mem_host_unshare_core(pfn_make(the_pfn));
	} else {
		status = mem_host_share_core(the_pfn);
		claim(status == (before.owner != OWNER_HOST || before.state != PAGE_EXCLUSIVE
					 ? CV_E_STATE
				 : hyp_tables > 0 && core_free < CORE_POOL_FLOOR + hyp_tables
					 ? CV_E_NOMEM
					 : CV_OK),
		      "the status is the specified one");
	}
	page = ledger_get(pfn_make(the_pfn));
	reach(status == CV_OK && page.count > 0, "in use");
	reach(is_unshared ? page.count == 0 : status == CV_E_NOMEM, "NOMEM, or back");
	claim_rest_stays();
	claim(!is_scrubbed && host_maps(the_pfn) == (before.owner == OWNER_HOST ||
						     (before.owner >= OWNER_VM_FIRST &&
						      before.state == PAGE_SHARED)),
	      "the host keeps it, content and all");
	if (status == CV_OK) {
		claim(is_at_el2 == !is_unshared && page.owner == OWNER_HOST &&
			      page.count == (is_unshared ? before.count - 1 : 1) &&
			      page.state == (page.count > 0 ? PAGE_SHARED : PAGE_EXCLUSIVE),
		      "pinned once more, or once less");
	} else {
		claim(entries[entry] == entry_before && !is_at_el2 &&
			      mem_core_pool()->free_count == core_free,
		      "a refusal changes nothing");
	}
}

void proof_mem_run_page_share(void)
{
	run_page(WHOLE_BLOCK + 1, false);
}

void proof_mem_run_page_unshare(void)
{
	run_page(WHOLE_BLOCK + 1, true);
}
