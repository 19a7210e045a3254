/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Stage-2 tables: 4 KiB granule, 40-bit IPA, start at level 1 with two concatenated 8 KiB-aligned root pages
 * (VTCR_EL2: T0SZ 24, SL0 1). One engine for the host and for VMs. Leaves of 4 KiB, 2 MiB and 1 GiB.
 * An invalid leaf of a VM's table carries the guest's wish for that gfn (bits 63:2 are free to software when bit 0 is 0).
 * Seed: PTAlloc, PTWalk, NPTWalk, NPTOps (reference 4). Arm ARM D8.3 (VMSAv8-64 descriptors), D8.17 (break-before-make).
 */
#ifndef CV_S2_H
#define CV_S2_H

#include <cv/pool.h>
#include <cv/status.h>
#include <cv/types.h>

#define S2_ROOT_PAGES 2
/* Most table pages that one change can need: below the root, a level-2 and a level-3 table. */
#define S2_NEW_TABLES_MAX 2

struct s2 {
	pa_t root;
	vmid_t vmid;
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
static inline u64 s2_leaf_pages(u32 level) { return 1ull << (9 * (3 - level)); }

/* How many table pages must be in the pool so that the change to this one gfn at this level cannot fail. */
u32 s2_tables_needed(const struct s2 *s2, gfn_t gfn, u32 level);

/* Pre: enough tables in the pool; for s2_map the gfn is not mapped. Change exactly one leaf of 1 << (9 * (3 - level))
 * pages, splitting a larger one first. Unmap and every replacement end with the TLB invalidated (revoke before grant). */
void s2_map(struct s2 *s2, gfn_t gfn, pa_t pa, u32 level, enum s2_attr attr, enum s2_wish wish);
void s2_unmap(struct s2 *s2, gfn_t gfn, u32 level, enum s2_wish wish);

#endif
