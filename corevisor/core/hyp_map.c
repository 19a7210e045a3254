/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * EL2's stage 1: levels 0 to 3, identity but for the windows. Guarantees: no leaf is writable and
 * executable; after the seal nothing executable and nothing of the image changes; tables are never
 * freed, so a table that was seen stays.
 */
#include <cv/hyp_map.h>

#include <cv/arch.h>
#include <cv/check.h>
#include <cv/lock.h>
#include <cv/pte.h>

#define LEAF_LEVEL 3

static struct {
	struct lock lock;
	u64 *root;
	struct pool *pool; /* boot only */
	bool is_sealed;
	u64 *windows; /* the table that holds the windows' entries */
	u32 window_cpus;
} hyp = { .lock = LOCK_INIT(LOCK_RANK_HYP_MAP) };

void hyp_map_init(pa_t root, struct pool *pool)
{
	lock_init(&hyp.lock, LOCK_RANK_HYP_MAP);
	hyp.root = arch_core_va(root);
	hyp.pool = pool;
	hyp.is_sealed = false;
	hyp.windows = NULL;
	hyp.window_cpus = 0;
}

static u64 level_index(u64 va, u32 level)
{
	return va >> (PAGE_SHIFT + TABLE_BITS * (LEAF_LEVEL - level)) & (TABLE_ENTRIES - 1);
}

/* The entry of the lowest level that exists for `va`; *level is 3 if the leaf table is there. */
static u64 *slot_find(u64 va, u32 *level)
{
	u64 *slot = &hyp.root[level_index(va, 0)];

	*level = 0;
	while (*level < LEAF_LEVEL) {
		u64 pte = arch_pte_read(slot);
		u64 *table;

		if ((pte & PTE_VALID) == 0) {
			break;
		}
		table = arch_core_va(pa_make(pte & PTE_ADDR));
		(*level)++;
		slot = &table[level_index(va, *level)];
	}
	return slot;
}

/* The leaf entry, with the tables above it taken from `pool` where they are missing. */
static u64 *slot_make(u64 va, struct pool *pool)
{
	u32 level;
	u64 *slot = slot_find(va, &level);

	while (level < LEAF_LEVEL) {
		/* A page of a pool is all zero: the table is whole before it is linked. */
		arch_pte_write(slot, pfn_pa(pool_take(pool)).v | PTE_TABLE | PTE_VALID);
		arch_pte_publish();
		slot = slot_find(va, &level);
	}
	return slot;
}

static void leaf_set(u64 *slot, pa_t pa, u64 bits)
{
	CV_CHECK((arch_pte_read(slot) & PTE_VALID) == 0);
	arch_pte_write(slot, pa.v | bits | PTE_TABLE | PTE_VALID);
	arch_pte_publish();
}

void hyp_map_boot(pa_t base, u64 bytes, enum hyp_prot prot)
{
	static const u64 bits[] = {
		[HYP_TEXT] = S1_BITS_TEXT,
		[HYP_RODATA] = S1_BITS_RODATA,
		[HYP_DATA] = S1_BITS_DATA,
		[HYP_DEVICE] = S1_BITS_DEVICE,
	};

	CV_CHECK(!hyp.is_sealed);
	CV_CHECK(is_aligned(base.v, PAGE_SIZE) && is_aligned(bytes, PAGE_SIZE));
	lock_acquire(&hyp.lock);
	for (u64 at = base.v; at < base.v + bytes; at += PAGE_SIZE) {
		leaf_set(slot_make(at, hyp.pool), pa_make(at), bits[prot]);
	}
	lock_release(&hyp.lock);
}

static u64 window_va(u32 cpu)
{
	return HYP_WINDOW_BASE + (2ull * cpu + 1) * PAGE_SIZE;
}

void hyp_map_windows(u32 cpus)
{
	CV_CHECK(!hyp.is_sealed && cpus <= CPU_MAX);
	_Static_assert(2 * CPU_MAX + 1 <= TABLE_ENTRIES, "one table holds all windows");
	lock_acquire(&hyp.lock);
	hyp.windows = slot_make(HYP_WINDOW_BASE, hyp.pool);
	lock_release(&hyp.lock);
	hyp.window_cpus = cpus;
}

void hyp_map_seal(void)
{
	CV_CHECK(!hyp.is_sealed && hyp.windows != NULL);
	hyp.is_sealed = true;
	hyp.pool = NULL;
}

u32 hyp_tables_needed(pfn_t pfn)
{
	u32 level;

	lock_acquire(&hyp.lock);
	slot_find(pfn_pa(pfn).v, &level);
	lock_release(&hyp.lock);
	return LEAF_LEVEL - level;
}

void hyp_map_page(pfn_t pfn, struct pool *reserved)
{
	lock_acquire(&hyp.lock);
	leaf_set(slot_make(pfn_pa(pfn).v, reserved), pfn_pa(pfn), S1_BITS_DATA);
	lock_release(&hyp.lock);
}

void hyp_unmap_page(pfn_t pfn)
{
	u64 va = pfn_pa(pfn).v;
	u32 level;
	u64 *slot;

	lock_acquire(&hyp.lock);
	slot = slot_find(va, &level);
	CV_CHECK(level == LEAF_LEVEL &&
		 arch_pte_read(slot) == (va | S1_BITS_DATA | PTE_TABLE | PTE_VALID));
	arch_pte_write(slot, 0);
	arch_pte_publish();
	arch_tlb_invalidate_hyp(va);
	lock_release(&hyp.lock);
}

bool hyp_is_mapped(pfn_t pfn)
{
	u32 level;
	u64 pte;

	lock_acquire(&hyp.lock);
	pte = arch_pte_read(slot_find(pfn_pa(pfn).v, &level));
	lock_release(&hyp.lock);
	return level == LEAF_LEVEL && (pte & PTE_VALID) != 0;
}

/* No lock: only CPU `cpu` itself uses its entry. */
void *hyp_window_set(u32 cpu, pfn_t pfn)
{
	u64 *slot;

	CV_CHECK(cpu < hyp.window_cpus);
	slot = &hyp.windows[level_index(window_va(cpu), LEAF_LEVEL)];
	leaf_set(slot, pfn_pa(pfn), S1_BITS_DATA);
	return (void *)(uintptr_t)window_va(cpu);
}

void hyp_window_clear(u32 cpu)
{
	u64 *slot;

	CV_CHECK(cpu < hyp.window_cpus);
	slot = &hyp.windows[level_index(window_va(cpu), LEAF_LEVEL)];
	CV_CHECK((arch_pte_read(slot) & PTE_VALID) != 0);
	arch_pte_write(slot, 0);
	arch_pte_publish();
	arch_tlb_invalidate_window(window_va(cpu));
}
