/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Proof: blocks of a protected VM: given whole (mem_block_map()), made pages (mem_block_split()),
 * reclaimed (mem_page_reclaim()), made shared or private (mem_page_set_wish()). For every ledger,
 * host and VM table that the invariants allow: what is specified happens exactly when it is
 * specified, and nothing else changes. `the_pfn` is any page of the block: it is out of both tables
 * and TLBs before it is zeroed, and zeroed before anybody gets it.
 *
 * A block has 4 pages here. Page numbers of blocks are constants: of those that begin with RAM one
 * is RAM as a whole, one in part; where a block is given, and where it is, gfns are chosen (what
 * allows it: any, proof_mem_block_check).
 *
 * Proof-args: --unwind 9 --unwindset place_find.0:4,s2_split.0:3,region_of.0:3
 * Proof-args: --unwindset ledger_init.0:3,ledger_init.1:6 --unwindset same_words.0:65
 * Proof-args: corevisor/core/ledger.c corevisor/core/s2.c corevisor/core/mem.c
 * Proof-entry: proof_ledger_set_block
 * Proof-entry: proof_ledger_set_in_block
 * Proof-entry: proof_mem_block_check
 * Proof-entry: proof_mem_block_map
 * Proof-entry: proof_mem_block_split
 * Proof-entry: proof_mem_block_reclaim
 * Proof-entry: proof_mem_block_wish
 */
#define RAM_B 24ull /* LAST_BLOCK begins with RAM, and half of it is */
#define FIRST_UNDER_PROOF WHOLE_BLOCK
#define PAGES_UNDER_PROOF TABLE_ENTRIES
#include "small_machine.h"

#include "corevisor/core/mem_block.c" /* block_check() */

#define BLOCK_GFN 4ull /* a VM's block: the second entry of the level-2 table there is */
#define BLOCK_SLOT (T_VM_L2 * TABLE_ENTRIES + BLOCK_GFN / TABLE_ENTRIES)
#define HOST_SLOT (T_HOST_L2 * TABLE_ENTRIES + 1) /* the host's entry for WHOLE_BLOCK */
/* Entries of WHOLE_BLOCK's pages */
#define BLOCK_ENTRY (WHOLE_BLOCK - RAM_A)

/* ---- before and after ---- */

static struct page pages_before[RAM_PAGES];
static u64 words_before[T_COUNT * TABLE_ENTRIES];
static struct vm vm_before;
static u32 core_free;

static void remember(void)
{
	for (u32 i = 0; i < RAM_PAGES; i++) {
		pages_before[i] = ledger_get(pfn_make(pfn_of_entry(i)));
	}
	__CPROVER_array_copy(words_before, words);
	vm_before = vm;
	core_free = mem_core_pool()->free_count;
}

static bool same_page(struct page a, struct page b)
{
	return a.owner == b.owner && a.state == b.state && a.count == b.count && a.gfn == b.gfn;
}

/* Every page, and what is counted of them: in blocks, and by state. */
static void claim_ledger(const struct page *want)
{
	u32 foreign[3] = { 2, 0, 2 }; /* what is not RAM */
	u32 shared[3] = { 0 };
	u64 by_state[RV_PAGES_STATES] = { 0 };

	for (u32 i = 0; i < RAM_PAGES; i++) {
		const u64 pfn = pfn_of_entry(i);
		const u64 block = (pfn - SPLIT_BLOCK) / TABLE_ENTRIES;
		const bool is_shared = want[i].state == PAGE_SHARED;
		const bool is_host = want[i].owner == OWNER_HOST;

		claim(same_page(ledger_get(pfn_make(pfn)), want[i]), "the page is as specified");
		foreign[block] += !is_host;
		shared[block] += is_host && is_shared;
		by_state[RV_PAGES_HOST] += is_host && !is_shared;
		by_state[RV_PAGES_HOST_SHARED] += is_host && is_shared;
		by_state[RV_PAGES_CORE] += want[i].owner == OWNER_CORE;
		by_state[RV_PAGES_VM] += want[i].owner >= OWNER_VM_FIRST && !is_shared;
		by_state[RV_PAGES_VM_SHARED] += want[i].owner >= OWNER_VM_FIRST && is_shared;
	}
	for (u32 i = 0; i < 3; i++) {
		claim(blocks[i].foreign == foreign[i] && blocks[i].shared == shared[i],
		      "what is counted of a block agrees with its pages");
	}
	for (u32 i = 0; i < RV_PAGES_STATES; i++) {
		claim(ledger_count((enum rv_page_state)i) == by_state[i], "so do the numbers told");
	}
}

static struct page want_page[RAM_PAGES];

static void want_same_pages(void)
{
	for (u32 i = 0; i < RAM_PAGES; i++) {
		want_page[i] = pages_before[i];
	}
}

/* All of the block is `page`'s; gfns ascend, if there are. */
static void want_block(struct page page)
{
	for (u32 i = 0; i < TABLE_ENTRIES; i++) {
		want_page[BLOCK_ENTRY + i] = page;
		want_page[BLOCK_ENTRY + i].gfn += page.owner >= OWNER_VM_FIRST ? i : 0;
	}
}

/* The words of [from, to) stay but for one. */
static bool same_words(u32 from, u32 to, u32 but)
{
	bool is_same = true;

	for (u32 i = 0; i < T_COUNT * TABLE_ENTRIES; i++) {
		is_same =
			is_same && (i < from || i >= to || i == but || words[i] == words_before[i]);
	}
	return is_same;
}

static void claim_quiet(void)
{
	claim(locks_held == 0, "no lock is left held");
	claim(!is_host_stale && !is_vm_stale && !is_unpublished, "no stale TLB entry is left");
	claim_other_vm_stays();
}

static void claim_nothing_changed(void)
{
	want_same_pages();
	claim_ledger(want_page);
	claim(same_words(0, T_COUNT * TABLE_ENTRIES, ~0u), "no table changes");
	claim(mem_core_pool()->free_count == core_free &&
		      vm.tables.free_count == vm_before.tables.free_count &&
		      vm.guest_pages == vm_before.guest_pages,
	      "nor a pool, nor a count");
	claim(!is_scrubbed && !is_cleaned, "nor a page");
	claim_quiet();
}

/* What a walk tells of one page, be it in a block or not. */
struct view {
	bool is_mapped;
	enum s2_attr attr;
	enum s2_wish wish;
	u64 pfn;
};

static struct view view_of(const struct s2 *s2, u64 gfn)
{
	const struct s2_leaf leaf = s2_walk(s2, gfn_make(gfn));
	struct view view = { .is_mapped = leaf.is_mapped, .wish = leaf.wish };

	if (leaf.is_mapped) {
		view.attr = leaf.attr;
		view.pfn = s2_leaf_pfn(&leaf, gfn_make(gfn)).v;
	}
	return view;
}

static bool same_view(const struct s2 *s2, u64 gfn, const struct view *before)
{
	const struct view now = view_of(s2, gfn);

	return now.is_mapped == before->is_mapped && now.attr == before->attr &&
	       now.wish == before->wish && now.pfn == before->pfn;
}

/* ---- a VM that has the block ---- */

/* Pre: all constants. `is_whole`: one word of the ledger stands for the block; else its pages have
 * their own. `is_dma`: DMA contexts map it as a whole, or its pages each as often as may be. */
static struct s2_leaf any_state_with_block(bool is_shared, bool is_whole, bool is_dma)
{
	const enum s2_wish wish = is_shared ? S2_WISH_SHARED : S2_WISH_PRIVATE;
	struct page page = { .owner = OWNER_VM_FIRST,
			     .state = is_shared ? PAGE_SHARED : PAGE_EXCLUSIVE,
			     .gfn = BLOCK_GFN };

	is_block_left_out = true;
	any_state_of(true);
	if (is_whole) {
		page.count = is_dma ? (u32)any_below(LEDGER_COUNT_MAX + 1) : 0;
		ledger_set_block(pfn_make(WHOLE_BLOCK), page);
	}
	for (u32 i = 0; !is_whole && i < TABLE_ENTRIES; i++) {
		page.gfn = BLOCK_GFN + i;
		page.count = is_dma ? (u32)any_below(LEDGER_COUNT_MAX + 1) : 0;
		ledger_set(pfn_make(WHOLE_BLOCK + i), page);
	}
	table(T_VM_ROOT0)[0] = table_pa(T_VM_L2) | PTE_TABLE | PTE_VALID;
	words[BLOCK_SLOT] = WHOLE_BLOCK << PAGE_SHIFT | S2_BITS_NORMAL_RWX |
			    (u64)wish << S2_WISH_SHIFT | PTE_VALID;
	words[HOST_SLOT] =
		is_shared ? WHOLE_BLOCK << PAGE_SHIFT | S2_BITS_NORMAL_RWX | PTE_VALID : 0;
	vm.guest_pages = TABLE_ENTRIES + any_below(1000);
	remember();
	want_same_pages();
	return (struct s2_leaf){
		.is_mapped = true,
		.level = 2,
		.pa = { WHOLE_BLOCK << PAGE_SHIFT },
		.attr = S2_NORMAL_RWX,
		.wish = wish,
	};
}

/* Any page of it. */
static u64 choose_page(void)
{
	u64 index = any_below(TABLE_ENTRIES);

	the_pfn = WHOLE_BLOCK + index;
	the_gfn = BLOCK_GFN + index;
	return index;
}

#define for_each_block(body)                                                    \
	do {                                                                    \
		if (nondet_bool()) {                                            \
			nondet_bool() ? body(false, true) : body(false, false); \
		} else {                                                        \
			nondet_bool() ? body(true, true) : body(true, false);   \
		}                                                               \
	} while (0)

/* ---- the ledger ---- */

/* What ledger_set_block() is given: the host's alone, or any VM's. */
static void set_block(bool is_shared, bool is_whole)
{
	struct page page = { .owner = OWNER_HOST };

	if (nondet_bool()) {
		page = (struct page){ .owner = OWNER_VM_FIRST + (u32)any_below(2),
				      .state = nondet_bool() ? PAGE_SHARED : PAGE_EXCLUSIVE,
				      .gfn = any_below(GFN_LIMIT) & ~(TABLE_ENTRIES - 1ull) };
	}
	(void)any_state_with_block(is_shared, is_whole, true);
	ledger_set_block(pfn_make(WHOLE_BLOCK), page);

	reach(page.owner == OWNER_HOST && is_whole, "a whole one becomes the host's");
	reach(page.owner == OWNER_HOST && !is_whole, "one in pieces becomes the host's");
	reach(page.owner != OWNER_HOST && page.state == PAGE_SHARED && is_whole,
	      "one VM's, shared");
	want_block(page);
	claim_ledger(want_page);
	claim(ledger_block_is_whole(pfn_make(WHOLE_BLOCK)) == (page.owner != OWNER_HOST),
	      "one word for all, if they are a VM's");
	claim(ledger_block_is_host_alone(pfn_make(WHOLE_BLOCK)) == (page.owner == OWNER_HOST),
	      "the host's alone, if they are its");
}

void proof_ledger_set_block(void)
{
	for_each_block(set_block);
}

/* One page of it becomes another. */
static void set_in_block(bool is_shared, bool is_whole)
{
	const u64 index = choose_page();
	const struct page page = any_page();

	(void)any_state_with_block(is_shared, is_whole, true);
	ledger_set(pfn_make(the_pfn), page);

	for (u32 i = 0; i < TABLE_ENTRIES; i++) {
		want_page[BLOCK_ENTRY + i] = i == index ? page : want_page[BLOCK_ENTRY + i];
	}
	reach(is_whole && ledger_block_is_whole(pfn_make(WHOLE_BLOCK)), "as it was");
	reach(is_whole && page.owner == OWNER_HOST, "the first that is not the VM's");
	reach(!is_whole && page.owner == OWNER_CORE, "one of several");
	claim_ledger(want_page);
	claim(!ledger_block_is_host_alone(pfn_make(WHOLE_BLOCK)), "the others are the VM's");
}

void proof_ledger_set_in_block(void)
{
	for_each_block(set_in_block);
}

/* ---- given ---- */

/* Whether numbers, VM and its table allow a block at `gfn`. */
static bool spec_vm_allows(u64 gfn, u64 pfn)
{
	const u64 ram = vm.ram[0].first.v;
	struct s2_leaf leaf;

	if (!vm.is_protected || vm.state == VM_POWEROFF || gfn % 4 != 0 || pfn % 4 != 0 ||
	    !is_ram(pfn) || gfn < ram || gfn >= GFN_LIMIT || gfn + 4 > ram + vm.ram[0].pages) {
		return false;
	}
	leaf = s2_walk(&vm.s2, gfn_make(gfn));
	return !leaf.is_mapped && leaf.level < 3 && leaf.wish == S2_WISH_PRIVATE &&
	       (leaf.level == 2 || vm.tables.free_count > 0);
}

/* What is found out before the block is looked at, for all numbers. */
static void check(bool is_protected)
{
	const u64 gfn = nondet_u64();
	const u64 pfn = nondet_u64();
	bool is_allowed;

	the_pfn = WHOLE_BLOCK;
	any_state_of(is_protected);
	remember();
	is_allowed = block_check(&vm, gfn_make(gfn), pfn_make(pfn));

	reach(is_protected == is_allowed && is_ram(pfn), "allowed, if the VM is a protected one");
	claim(is_allowed == spec_vm_allows(gfn, pfn), "exactly if specified");
	claim_nothing_changed();
}

void proof_mem_block_check(void)
{
	nondet_bool() ? check(true) : check(false);
}

/* How many tables a pool has is a constant, too; which pages those are follows from it. */
static void set_pool(struct pool *pool, u32 first, u32 count)
{
	pool->free_count = count;
	pool->free = pfn_make(T_BASE + first + count - 1);
}

/* Pre: block_check() allows it. The VM's entry that becomes the block, or, without a level-2 table,
 * a table, is `slot`. */
static void map(u64 gfn, u64 pfn, u32 slot, bool needs_table)
{
	const u64 link = table_pa(T_VM_POOL) | PTE_TABLE | PTE_VALID;
	const u64 block = WHOLE_BLOCK << PAGE_SHIFT | S2_BITS_NORMAL_RWX | PTE_VALID;
	const u64 index = any_below(TABLE_ENTRIES);
	bool is_specified = pfn == WHOLE_BLOCK;
	bool is_given;

	the_pfn = WHOLE_BLOCK + index;
	the_gfn = gfn + index;
	any_state_of(true);
	if (needs_table) {
		set_pool(&vm.tables, T_VM_POOL, 1);
	} else {
		table(T_VM_ROOT0)[0] = table_pa(T_VM_L2) | PTE_TABLE | PTE_VALID;
	}
	words[slot] = 0; /* private, not backed */
	vm.guest_pages = any_below(1000);
	assume(spec_vm_allows(gfn, WHOLE_BLOCK));
	remember();
	for (u32 i = 0; i < TABLE_ENTRIES; i++) {
		const struct page was = pages_before[BLOCK_ENTRY + i];

		is_specified =
			is_specified && was.owner == OWNER_HOST && was.state == PAGE_EXCLUSIVE;
	}
	leaves_vm = true; /* what the host had in it counts as a VM's */
	is_given = mem_block_map(&vm, gfn_make(gfn), pfn_make(pfn));

	reach(!is_given && pfn == LAST_BLOCK, "half of it is not RAM");
	reach(is_given && !needs_table, "given");
	reach(is_given && needs_table, "given, with a table");
	reach(!is_given && ledger_block_is_host(pfn_make(WHOLE_BLOCK)), "a page of it is lent");
	reach(!is_given && !ledger_block_is_host(pfn_make(WHOLE_BLOCK)), "it is not the host's");
	claim(is_given == is_specified, "given exactly if specified");
	if (!is_given) {
		claim_nothing_changed();
		return;
	}
	want_same_pages();
	want_block((struct page){ .owner = OWNER_VM_FIRST, .gfn = gfn });
	claim_ledger(want_page);
	claim(ledger_block_is_whole(pfn_make(WHOLE_BLOCK)), "one word for all");
	claim(words[HOST_SLOT] == 0 && same_words(0, T_VM_ROOT0 * TABLE_ENTRIES, HOST_SLOT),
	      "the host has lost it, all of it, and nothing else");
	claim(words[slot] == (needs_table ? link : block) &&
		      same_words(T_VM_ROOT0 * TABLE_ENTRIES,
				 (needs_table ? T_VM_POOL : T_COUNT) * TABLE_ENTRIES, slot),
	      "the VM has it, or a table, and nothing else is another");
	for (u32 i = 0; needs_table && i < TABLE_ENTRIES; i++) {
		claim(table(T_VM_POOL)[i] == (i == gfn / TABLE_ENTRIES % TABLE_ENTRIES ? block : 0),
		      "the block in that table, and as it was around it");
	}
	claim(vm.tables.free_count == vm_before.tables.free_count - needs_table &&
		      mem_core_pool()->free_count == core_free,
	      "exactly the tables that are needed are gone");
	claim(vm.guest_pages == vm_before.guest_pages + TABLE_ENTRIES, "counted");
	claim(is_scrubbed && !is_icache_stale, "the content is gone");
	claim_quiet();
}

void proof_mem_block_map(void)
{
	if (nondet_bool()) {
		map(BLOCK_GFN, WHOLE_BLOCK, BLOCK_SLOT, false);
	} else if (nondet_bool()) {
		map(BLOCK_GFN, LAST_BLOCK, BLOCK_SLOT, false);
	} else {
		/* in the last GiB: the last entry of the second page of the root */
		map(GFN_LIMIT - 2 * TABLE_ENTRIES, WHOLE_BLOCK,
		    (T_VM_ROOT1 + 1) * TABLE_ENTRIES - 1, true);
	}
}

/* ---- in pieces ---- */

static void split(bool is_shared, bool is_whole, u32 core_tables, u32 vm_tables)
{
	const u64 other_pfn = any_below(GFN_LIMIT);
	const u64 other_gfn = any_below(GFN_LIMIT);
	const struct s2_leaf leaf = any_state_with_block(is_shared, is_whole, true);
	const bool has_vms = vm_tables >= 1;
	const bool has_cores = core_tables >= CORE_POOL_FLOOR + 1;
	const u64 index = choose_page();
	struct view host_before;
	struct view vm_view_before;
	enum cv_status status;

	set_pool(mem_core_pool(), T_CORE_POOL, core_tables);
	set_pool(&vm.tables, T_VM_POOL, vm_tables);
	remember();
	host_before = view_of(host_map_s2(), other_pfn);
	vm_view_before = view_of(&vm.s2, other_gfn);
	host_never = !is_shared;
	status = mem_block_split(&vm, gfn_make(BLOCK_GFN + 1), &leaf); /* any of its gfns will do */

	reach(status == CV_OK && index == TABLE_ENTRIES - 1, "in pieces");
	reach(status == CV_E_NOMEM && has_cores, "NOMEM for want of the VM's table");
	reach(status == CV_E_NOMEM && core_free > 0 && has_vms,
	      "NOMEM for want of the core's table");
	claim(status == (has_vms && has_cores ? CV_OK : CV_E_NOMEM),
	      "the status is the specified one");
	if (status != CV_OK) {
		claim_nothing_changed();
	} else {
		claim_ledger(want_page);
		claim(ledger_block_is_whole(pfn_make(WHOLE_BLOCK)) == is_whole, "nor its word");
		claim(same_view(host_map_s2(), other_pfn, &host_before),
		      "the host reaches what it did");
		claim(same_view(&vm.s2, other_gfn, &vm_view_before), "so does the VM");
		claim(s2_walk(&vm.s2, gfn_make(the_gfn)).level == 3 &&
			      s2_walk(host_map_s2(), gfn_make(the_pfn)).level == 3,
		      "page by page");
		claim(same_words(0, T_CORE_POOL * TABLE_ENTRIES, HOST_SLOT) &&
			      same_words(T_VM_ROOT0 * TABLE_ENTRIES, T_VM_POOL * TABLE_ENTRIES,
					 BLOCK_SLOT),
		      "nothing else of the tables changes");
		claim(mem_core_pool()->free_count == core_free - 1 &&
			      vm.tables.free_count == vm_before.tables.free_count - 1,
		      "exactly the tables that are needed are gone");
		claim(vm.guest_pages == vm_before.guest_pages && !is_scrubbed, "the content stays");
		claim_quiet();
	}
}

static void split_with(u32 core_tables, u32 vm_tables)
{
	/* What the ledger's word for the block is, nothing here depends on. */
	nondet_bool() ? split(false, true, core_tables, vm_tables)
		      : split(true, false, core_tables, vm_tables);
}

void proof_mem_block_split(void)
{
	if (nondet_bool()) {
		split_with(CORE_POOL_FLOOR, 1);
	} else if (nondet_bool()) {
		split_with(CORE_POOL_FLOOR + 1, 0);
	} else {
		split_with(CORE_POOL_FLOOR + 1, 1);
	}
}

/* ---- back, and shared or private ---- */

static void claim_leaf_changed(u64 vm_word, u64 host_word)
{
	claim(words[BLOCK_SLOT] == vm_word, "the VM's entry");
	claim(words[HOST_SLOT] == host_word, "the host's entry");
	claim(same_words(0, T_VM_ROOT0 * TABLE_ENTRIES, HOST_SLOT) &&
		      same_words(T_VM_ROOT0 * TABLE_ENTRIES, T_COUNT * TABLE_ENTRIES, BLOCK_SLOT),
	      "nothing else of the tables changes");
	claim(mem_core_pool()->free_count == core_free &&
		      vm.tables.free_count == vm_before.tables.free_count,
	      "no table comes or goes");
	claim(is_scrubbed && !is_icache_stale, "the content is gone, and its instructions");
	claim_quiet();
}

static void reclaim(bool is_shared, bool is_whole)
{
	/* What its callers see to: nothing of the VM is mapped for DMA. */
	const struct s2_leaf leaf = any_state_with_block(is_shared, is_whole, false);
	const u64 index = choose_page();

	leaves_vm = true;
	mem_page_reclaim(&vm, gfn_make(BLOCK_GFN + 1), &leaf); /* any of its gfns will do */

	reach(is_shared && index == TABLE_ENTRIES - 1, "a shared block");
	reach(!is_shared && !is_whole, "a private one, in pieces for the ledger");
	want_block((struct page){ .owner = OWNER_HOST });
	claim_ledger(want_page);
	claim(ledger_block_is_host_alone(pfn_make(WHOLE_BLOCK)), "all of it is the host's alone");
	claim_leaf_changed((u64)leaf.wish << S2_WISH_SHIFT,
			   WHOLE_BLOCK << PAGE_SHIFT | S2_BITS_NORMAL_RWX | PTE_VALID);
	claim(vm.guest_pages == vm_before.guest_pages - TABLE_ENTRIES, "the VM's count");
}

void proof_mem_block_reclaim(void)
{
	for_each_block(reclaim);
}

static void set_wish_of(bool is_shared, bool is_whole)
{
	const struct s2_leaf leaf = any_state_with_block(is_shared, is_whole, true);
	const enum s2_wish wish = is_shared ? S2_WISH_PRIVATE : S2_WISH_SHARED;
	const u64 block = WHOLE_BLOCK << PAGE_SHIFT | S2_BITS_NORMAL_RWX | PTE_VALID;

	(void)choose_page();
	leaves_vm = true;
	mem_page_set_wish(&vm, gfn_make(BLOCK_GFN), &leaf, wish);

	reach(is_shared && is_whole, "a shared block becomes private");
	reach(!is_shared && is_whole, "a private block becomes shared");
	reach(!is_shared && !is_whole && pages_before[BLOCK_ENTRY].count > 0,
	      "DMA contexts map it");
	for (u32 i = 0; i < TABLE_ENTRIES; i++) {
		want_page[BLOCK_ENTRY + i].state = is_shared ? PAGE_EXCLUSIVE : PAGE_SHARED;
	}
	claim_ledger(want_page);
	claim(ledger_block_is_whole(pfn_make(WHOLE_BLOCK)) == is_whole, "one word, if it was");
	claim_leaf_changed(block | (u64)wish << S2_WISH_SHIFT, is_shared ? 0 : block);
	claim(vm.guest_pages == vm_before.guest_pages, "the VM's count");
}

void proof_mem_block_wish(void)
{
	for_each_block(set_wish_of);
}
