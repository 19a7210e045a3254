/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The stage-2 engine. Guarantees: a table is whole before it is linked; a valid entry is never
 * replaced by another valid one without an invalid entry and a TLB invalidate between them;
 * whatever was mapped and is not any more is out of every TLB when the function returns.
 */
#include <cv/s2.h>

#include <cv/arch.h>
#include <cv/check.h>
#include <cv/pte.h>

#define ROOT_LEVEL 1
#define LEAF_LEVEL 3

/* Where the walk for a gfn ended: an entry that is not a table, or of the level that was asked for.
 */
struct place {
	u64 *slot;
	u64 pte;
	u32 level;
};

static bool is_valid(u64 pte)
{
	return (pte & PTE_VALID) != 0;
}

static bool is_table(u64 pte, u32 level)
{
	return level < LEAF_LEVEL && (pte & (PTE_VALID | PTE_TABLE)) == (PTE_VALID | PTE_TABLE);
}

static u64 *root_slot(const struct s2 *s2, gfn_t gfn)
{
	u64 index = gfn.v >> s2_leaf_shift(ROOT_LEVEL);
	u64 *page;

	CV_CHECK(index < S2_ROOT_PAGES * TABLE_ENTRIES);
	page = arch_core_va(pa_make(s2->root.v + index / TABLE_ENTRIES * PAGE_SIZE));
	return &page[index % TABLE_ENTRIES];
}

static struct place place_find(const struct s2 *s2, gfn_t gfn, u32 level)
{
	struct place at = { .slot = root_slot(s2, gfn), .level = ROOT_LEVEL };

	at.pte = arch_pte_read(at.slot);
	while (at.level < level && is_table(at.pte, at.level)) {
		u64 *table = arch_core_va(pa_make(at.pte & PTE_ADDR));

		at.level++;
		/* Shifts, not divisions: this is the inner loop, of proofs too. */
		at.slot = &table[gfn.v >> s2_leaf_shift(at.level) & (TABLE_ENTRIES - 1)];
		at.pte = arch_pte_read(at.slot);
	}
	return at;
}

static enum s2_attr attr_of(u64 pte)
{
	switch (pte & S2_BITS_MASK) {
	case S2_BITS_NORMAL_RWX:
		return S2_NORMAL_RWX;
	case S2_BITS_NORMAL_RO:
		return S2_NORMAL_RO;
	default:
		CV_CHECK((pte & S2_BITS_MASK) == S2_BITS_DEVICE);
		return S2_DEVICE;
	}
}

static u64 attr_bits(enum s2_attr attr)
{
	static const u64 bits[] = {
		[S2_NORMAL_RWX] = S2_BITS_NORMAL_RWX,
		[S2_NORMAL_RO] = S2_BITS_NORMAL_RO,
		[S2_DEVICE] = S2_BITS_DEVICE,
	};

	return bits[attr];
}

static u64 wish_bits(enum s2_wish wish)
{
	return (u64)wish << S2_WISH_SHIFT;
}

static u64 leaf_make(pa_t pa, u32 level, enum s2_attr attr, enum s2_wish wish)
{
	return pa.v | attr_bits(attr) | wish_bits(wish) | (level == LEAF_LEVEL ? PTE_TABLE : 0) |
	       PTE_VALID;
}

struct s2_leaf s2_walk(const struct s2 *s2, gfn_t gfn)
{
	struct place at = place_find(s2, gfn, LEAF_LEVEL);
	struct s2_leaf leaf = {
		.is_mapped = is_valid(at.pte),
		.level = at.level,
		.wish = (enum s2_wish)((at.pte & S2_WISH_MASK) >> S2_WISH_SHIFT),
	};

	if (leaf.is_mapped) {
		leaf.pa = pa_make(at.pte & PTE_ADDR);
		leaf.attr = attr_of(at.pte);
	}
	return leaf;
}

u32 s2_tables_needed(const struct s2 *s2, gfn_t gfn, u32 level)
{
	return level - place_find(s2, gfn, level).level;
}

static ipa_t leaf_ipa(gfn_t gfn, u32 level)
{
	return gfn_ipa(gfn_make(align_down(gfn.v, s2_leaf_pages(level))));
}

static u64 leaf_bytes(u32 level)
{
	return PAGE_SIZE << s2_leaf_shift(level);
}

static void forget(const struct s2 *s2, ipa_t ipa, u64 bytes)
{
	if (s2->vmid.v >= S2_VMID_DMA) {
		arch_dma_invalidate(s2->vmid.v - S2_VMID_DMA, ipa, bytes);
	} else {
		arch_tlb_invalidate_ipa(s2->vmid, ipa, bytes);
	}
}

static void forget_all(const struct s2 *s2)
{
	if (s2->vmid.v >= S2_VMID_DMA) {
		arch_dma_invalidate(s2->vmid.v - S2_VMID_DMA, ipa_make(0), GFN_LIMIT << PAGE_SHIFT);
	} else {
		arch_tlb_invalidate_vmid(s2->vmid);
	}
}

/* Revoke: the entry goes, then every copy of it that a TLB may hold. */
static void break_entry(const struct s2 *s2, u64 *slot, u64 invalid, gfn_t gfn, u32 level)
{
	arch_pte_write(slot, invalid);
	arch_pte_publish();
	forget(s2, leaf_ipa(gfn, level), leaf_bytes(level));
}

/* What entry `index` of the table below `pte` must hold so that nothing changes; an invalid entry's
 * wish is inherited. */
static u64 child_of(u64 pte, u32 level, u64 index)
{
	u64 child = pte;

	if (is_valid(pte)) {
		child += index << (s2_leaf_shift(level + 1) + PAGE_SHIFT);
		child |= level + 1 == LEAF_LEVEL ? PTE_TABLE : 0;
	}
	return child;
}

static void split_one(struct s2 *s2, struct place at, gfn_t gfn)
{
	pa_t table_pa = pfn_pa(pool_take(s2->pool));
	u64 *table = arch_core_va(table_pa);

	for (u64 i = 0; i < TABLE_ENTRIES; i++) {
		arch_pte_write(&table[i], child_of(at.pte, at.level, i));
	}
	arch_pte_publish();
	if (is_valid(at.pte)) {
		break_entry(s2, at.slot, 0, gfn, at.level);
	}
	arch_pte_write(at.slot, table_pa.v | PTE_TABLE | PTE_VALID);
	arch_pte_publish();
}

void s2_split(struct s2 *s2, gfn_t gfn, u32 level)
{
	struct place at = place_find(s2, gfn, level);

	while (at.level < level) {
		split_one(s2, at, gfn);
		at = place_find(s2, gfn, level);
	}
}

void s2_join(struct s2 *s2, gfn_t gfn, pa_t pa, enum s2_attr attr)
{
	struct place at = place_find(s2, gfn, LEAF_LEVEL - 1);

	CV_CHECK(is_table(at.pte, at.level) && at.level == LEAF_LEVEL - 1);
	CV_CHECK(is_aligned(pa.v, leaf_bytes(at.level)));
	break_entry(s2, at.slot, 0, gfn, at.level);
	arch_pte_write(at.slot, leaf_make(pa, at.level, attr, S2_WISH_PRIVATE));
	arch_pte_publish();
	pool_put(s2->pool, pa_pfn(pa_make(at.pte & PTE_ADDR)));
}

void s2_map(struct s2 *s2, gfn_t gfn, pa_t pa, u32 level, enum s2_attr attr, enum s2_wish wish)
{
	struct place at;

	CV_CHECK(is_aligned(gfn.v, s2_leaf_pages(level)) && is_aligned(pa.v, leaf_bytes(level)));
	s2_split(s2, gfn, level);
	at = place_find(s2, gfn, level);
	CV_CHECK(at.level == level && !is_valid(at.pte));
	arch_pte_write(at.slot, leaf_make(pa, level, attr, wish));
	arch_pte_publish();
}

void s2_unmap(struct s2 *s2, gfn_t gfn, u32 level, enum s2_wish wish)
{
	struct place at;

	CV_CHECK(is_aligned(gfn.v, s2_leaf_pages(level)));
	s2_split(s2, gfn, level);
	at = place_find(s2, gfn, level);
	CV_CHECK(at.level == level && !is_table(at.pte, at.level));
	if (is_valid(at.pte)) {
		break_entry(s2, at.slot, wish_bits(wish), gfn, level);
	} else {
		arch_pte_write(at.slot, wish_bits(wish));
		arch_pte_publish();
	}
}

void s2_clear_root(const struct s2 *s2)
{
	for (u64 i = 0; i < S2_ROOT_PAGES * TABLE_ENTRIES; i++) {
		arch_pte_write(root_slot(s2, gfn_make(i * s2_leaf_pages(ROOT_LEVEL))), 0);
	}
	arch_pte_publish();
	forget_all(s2);
}
