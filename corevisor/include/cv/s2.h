/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Stage-2 tables: 4 KiB granule, 40-bit IPA, start at level 1 with two concatenated 8 KiB-aligned
 * root pages (VTCR_EL2: T0SZ 24, SL0 1). One engine for the host, for VMs and for DMA contexts.
 * Leaves of 4 KiB, 2 MiB and 1 GiB. An invalid leaf of a VM's table carries the guest's wish for
 * that gfn (bits 63:2 are free to software when bit 0 is 0). Seed: PTAlloc, PTWalk, NPTWalk, NPTOps
 * (reference 4). Arm ARM D8.3 (VMSAv8-64 descriptors), D8.17 (break-before-make).
 */
#ifndef CV_S2_H
#define CV_S2_H

#include <cv/pool.h>
#include <cv/status.h>
#include <cv/types.h>

/* Most table pages that one change can need: below the root, a level-2 and a level-3 table. */
#define S2_NEW_TABLES_MAX 2

/* A table with this vmid or a larger one is DMA context vmid - S2_VMID_DMA's: no CPU ever walks it,
 * and what there is to forget is in an SMMU. Smaller ones are the CPUs' (8 bits). */
#define S2_VMID_DMA 256

struct s2 {
	pa_t root;
	vmid_t vmid;	   /* whose TLBs hold what is walked from here */
	struct pool *pool; /* where new tables come from */
};

enum s2_attr {
	S2_NORMAL_RWX, /* RAM */
	S2_NORMAL_RO,  /* RAM the host may only read: rv_info and the log */
	S2_DEVICE,     /* nGnRE, never executable; the host's view of what is not RAM */
};

/* What the guest asked of a gfn that is not backed. */
enum s2_wish { S2_WISH_PRIVATE = 0, S2_WISH_SHARED = 1, S2_WISH_DESTROYED = 2 };

struct s2_leaf {
	bool is_mapped;
	u32 level;	   /* 1, 2, 3: size of what this entry covers */
	pa_t pa;	   /* mapped: of the whole leaf */
	enum s2_attr attr; /* mapped */
	enum s2_wish wish; /* VM tables, mapped or not */
};

/* Looks up; writes nothing. */
struct s2_leaf s2_walk(const struct s2 *s2, gfn_t gfn);
static inline u32 s2_leaf_shift(u32 level) { return TABLE_BITS * (3 - level); }
static inline u64 s2_leaf_pages(u32 level) { return 1ull << s2_leaf_shift(level); }
/* The first gfn after the leaf that covers `gfn`. */
static inline u64 s2_leaf_end(const struct s2_leaf *leaf, u64 gfn)
{
	return align_down(gfn, s2_leaf_pages(leaf->level)) + s2_leaf_pages(leaf->level);
}
/* Whether a leaf of `level` can begin at `at` and ends within so many pages. `at`: a page number,
 * or several or-ed. */
static inline bool s2_leaf_fits(u32 level, u64 at, u64 pages)
{
	return is_aligned(at, s2_leaf_pages(level)) && pages >= s2_leaf_pages(level);
}
/* The page behind `gfn` in a mapped leaf of whatever size. */
static inline pfn_t s2_leaf_pfn(const struct s2_leaf *leaf, gfn_t gfn)
{
	return pfn_add(pa_pfn(leaf->pa), gfn.v & (s2_leaf_pages(leaf->level) - 1));
}

/* How many table pages must be in the pool so that the change to this one gfn at this level cannot
 * fail. */
u32 s2_tables_needed(const struct s2 *s2, gfn_t gfn, u32 level);

/*
 * Makes the leaf of `gfn` one of `level` or smaller; what it maps and wishes stays. The new table
 * is filled before it is linked; a block is broken first (invalid, TLB, then the table). Pre:
 * s2_tables_needed() pages in the pool.
 */
void s2_split(struct s2 *s2, gfn_t gfn, u32 level);
/* The inverse, for level 2: the 512 pages become one block of `pa`, their table goes back to the
 * pool. Pre: a level-3 table is there, and all its pages map the block's pages with `attr`, or are
 * invalid and may be mapped so. */
void s2_join(struct s2 *s2, gfn_t gfn, pa_t pa, enum s2_attr attr);

/* Pre: enough tables in the pool; for s2_map the gfn is not mapped; no table stands below `level`
 * there. Change exactly one leaf of s2_leaf_pages(level) pages, splitting a larger one first. Unmap
 * and every replacement end with the TLB invalidated (revoke before grant). */
void s2_map(struct s2 *s2, gfn_t gfn, pa_t pa, u32 level, enum s2_attr attr, enum s2_wish wish);
void s2_unmap(struct s2 *s2, gfn_t gfn, u32 level, enum s2_wish wish);
/* Makes every entry of the root invalid and the TLB forget the VMID: what hung below it is out of
 * reach. Takes no lock. */
void s2_clear_root(const struct s2 *s2);

#endif
