/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Proof: EL2's own map (hyp_map.c), against the contract that the other proofs assume. On the small
 * machine of include/cv/geometry.h, for any page, whatever tables there are on its way and whatever
 * else is in them: hyp_map_page() takes exactly the tables that hyp_tables_needed() said, links
 * them whole and published, and adds one leaf, the identity, writable and never executable;
 * hyp_unmap_page() removes just it, and every CPU forgets it; a window is one entry between two
 * that stay invalid. No other word changes. Seed: the map of KCore (acquire_lock_pt, set_pt).
 * Addresses wrap in tables that small, so the windows' table is one of its own here.
 * Proof-args: --unwind 34 --unwindset slot_find.0:4,slot_make.0:4
 * Proof-entry: proof_hyp_map quick
 * Proof-entry: proof_hyp_unmap quick
 * Proof-entry: proof_hyp_window quick
 */
#include "proof.h"

#include "../../corevisor/core/hyp_map.c" /* its static state is quantified over */

enum { T_ROOT, T_L1, T_L2, T_L3, T_POOL, T_WINDOWS = T_POOL + 3, T_COUNT };
#define T_BASE 0x100ull
#define WORDS (T_COUNT * TABLE_ENTRIES)

/* As in small_machine.h: one flat array, typed indices. */
static u64 words[WORDS];
static u64 before[WORDS];
static u64 the_pfn;
static bool is_locked;
static bool is_unpublished;
static bool is_stale; /* a valid entry went, and not all CPUs have been told */
static bool is_window;
static struct pool reserved;

static u64 table_pa(u32 index)
{
	return (T_BASE + index) << PAGE_SHIFT;
}

static u64 word_of(const u64 *pte)
{
	u64 index = __CPROVER_POINTER_OFFSET(pte) >> 3;

	claim(__CPROVER_same_object(pte, words) && index < WORDS, "only tables are walked");
	return index & (WORDS - 1);
}
_Static_assert((WORDS & (WORDS - 1)) == 0, "a power of two, for the mask above");

void *arch_core_va(pa_t pa)
{
	u64 index = (pa.v >> PAGE_SHIFT) - T_BASE;

	claim(index < T_COUNT, "only table pages are touched");
	return &words[(index & (T_COUNT - 1)) * TABLE_ENTRIES];
}

u64 arch_pte_read(const u64 *pte)
{
	claim(is_locked || is_window, "under the lock");
	return words[word_of(pte)];
}

void arch_pte_write(u64 *pte, u64 value)
{
	u64 index = word_of(pte);
	bool is_leaf = index / TABLE_ENTRIES == T_L3 || index / TABLE_ENTRIES == T_WINDOWS;

	claim(is_locked || is_window, "under the lock");
	claim((words[index] & PTE_VALID) == 0 || (value & PTE_VALID) == 0, "break before make");
	claim(!is_stale, "no change before the TLBs know of the last one");
	claim(!is_unpublished, "a table's words are published before it is linked");
	claim(!is_leaf || (value & PTE_VALID) == 0 || (value & S1_XN) != 0,
	      "nothing executable comes after boot");
	is_stale = (words[index] & PTE_VALID) != 0;
	is_unpublished = true;
	words[index] = value;
}

void arch_pte_publish(void)
{
	is_unpublished = false;
}

void arch_tlb_invalidate_hyp(u64 va)
{
	claim(va == the_pfn << PAGE_SHIFT && !is_unpublished && !is_window, "of the page");
	is_stale = false;
}

void arch_tlb_invalidate_window(u64 va)
{
	claim(va == window_va(0) && !is_unpublished && is_window, "of the window");
	is_stale = false;
}

void lock_init(struct lock *lock, enum lock_rank rank)
{
	(void)lock;
	(void)rank;
}

void lock_acquire(struct lock *lock)
{
	claim(lock == &hyp.lock && !is_locked, "its own lock");
	is_locked = true;
}

void lock_release(struct lock *lock)
{
	claim(lock == &hyp.lock && is_locked && !is_stale && !is_unpublished,
	      "all is done when the lock goes");
	is_locked = false;
}

pfn_t pool_take(struct pool *pool)
{
	claim(pool == &reserved && pool->free_count > 0, "a page was reserved");
	pool->free_count--;
	return pfn_make(T_BASE + T_POOL + pool->free_count);
}

/* The index of the page's entry in its table of this level. */
static u64 index_at(u32 level)
{
	return the_pfn >> (TABLE_BITS * (3 - level)) & (TABLE_ENTRIES - 1);
}

/* The tables on the page's way, as far as they go: `depth` 0 is only the root, 3 all of them. */
static u32 any_tables(void)
{
	u32 depth = (u32)any_below(4);

	the_pfn = any_below(1ull << 4 * TABLE_BITS);
	for (u32 i = 0; i < WORDS; i++) {
		words[i] = i / TABLE_ENTRIES < T_POOL || i / TABLE_ENTRIES == T_WINDOWS
				   ? nondet_u64()
				   : 0;
	}
	for (u32 i = 0; i < 3; i++) {
		words[i * TABLE_ENTRIES + index_at(i)] =
			i < depth ? table_pa(i + 1) | PTE_TABLE | PTE_VALID
				  : nondet_u64() & ~PTE_VALID;
	}
	hyp.root = &words[T_ROOT * TABLE_ENTRIES];
	hyp.windows = &words[T_WINDOWS * TABLE_ENTRIES];
	hyp.window_cpus = CPU_MAX;
	hyp.is_sealed = true;
	return depth;
}

static void keep_before(void)
{
	for (u32 i = 0; i < WORDS; i++) {
		before[i] = words[i];
	}
}

static u64 leaf_word(void)
{
	return the_pfn << PAGE_SHIFT | S1_ATTR_NORMAL | S1_AP1 | PTE_SH_INNER | PTE_AF | S1_XN |
	       PTE_TABLE | PTE_VALID;
}

void proof_hyp_map(void)
{
	u32 depth = any_tables();
	u32 at = (u32)any_below(WORDS); /* any word */
	u32 level = 0;
	u64 table = T_ROOT;
	bool is_on_way = false;
	u32 needed;

	if (depth == 3) {
		words[T_L3 * TABLE_ENTRIES + index_at(3)] = nondet_u64() & ~PTE_VALID;
	}
	keep_before();
	needed = hyp_tables_needed(pfn_make(the_pfn));
	claim(needed == 3 - depth, "the tables that are missing");
	claim(!hyp_is_mapped(pfn_make(the_pfn)), "it is not mapped");
	reserved.free_count = needed;

	hyp_map_page(pfn_make(the_pfn), &reserved);

	reach(depth == 0, "all tables are missing");
	reach(depth == 3, "none is");
	claim(reserved.free_count == 0, "exactly the tables that are needed are gone");
	for (level = 0; level < 3; level++) {
		u64 pte = words[table * TABLE_ENTRIES + index_at(level)];

		is_on_way = is_on_way || at == table * TABLE_ENTRIES + index_at(level);
		claim((pte & (PTE_TABLE | PTE_VALID)) == (PTE_TABLE | PTE_VALID), "a table");
		table = ((pte & PTE_ADDR) >> PAGE_SHIFT) - T_BASE;
		claim(table < T_COUNT, "of ours");
		table &= T_COUNT - 1;
	}
	is_on_way = is_on_way || at == table * TABLE_ENTRIES + index_at(3);
	claim(words[table * TABLE_ENTRIES + index_at(3)] == leaf_word(), "the leaf");
	claim(is_on_way || words[at] == before[at], "no other word changes");
	claim(hyp_is_mapped(pfn_make(the_pfn)) && !is_locked, "it is mapped");
}

void proof_hyp_unmap(void)
{
	u32 depth = any_tables();
	u32 at = (u32)any_below(WORDS);
	u32 leaf;

	assume(depth == 3);
	leaf = T_L3 * TABLE_ENTRIES + (u32)index_at(3);
	words[leaf] = leaf_word();
	keep_before();
	claim(hyp_is_mapped(pfn_make(the_pfn)), "it is mapped");

	hyp_unmap_page(pfn_make(the_pfn));

	reach(the_pfn == 0x77, "any page");
	claim(words[leaf] == 0 && (at == leaf || words[at] == before[at]), "just its leaf is gone");
	claim(!hyp_is_mapped(pfn_make(the_pfn)) && !is_stale && !is_locked, "and forgotten");
}

void proof_hyp_window(void)
{
	u32 at = (u32)any_below(WORDS);
	const u32 window = T_WINDOWS * TABLE_ENTRIES + 1;
	void *va;

	any_tables();
	is_window = true;
	words[window] = 0;
	words[window - 1] = 0;
	words[window + 1] = 0;
	keep_before();

	va = hyp_window_set(0, pfn_make(the_pfn));

	claim((u64)va == HYP_WINDOW_BASE + PAGE_SIZE, "its address");
	claim(words[window] == leaf_word() && (at == window || words[at] == before[at]),
	      "one leaf, between two that are invalid");

	hyp_window_clear(0);

	reach(the_pfn == 0x77, "any page");
	claim(words[at] == before[at] && !is_stale && !is_unpublished, "gone, and forgotten");
}
