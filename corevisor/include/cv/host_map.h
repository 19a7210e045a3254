/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The host's stage 2: identity, RAM normal, all else device. It follows the ledger: what is the
 * host's, and what a VM shares with it, is mapped; nothing else of RAM is. A block of RAM has a leaf
 * table unless all of it is the host's, or a VM has it as one block, or the corevisor since boot:
 * then its level-2 entry says it all. mem.c decides, this file maps. Two locks: the ledger block's,
 * for the level-2 entry and the leaf table of those 2 MiB, and an upper one inside this file, for
 * what is above or not RAM (docs/locking.md). Seed: map_page_host, clear_pfn_host (reference 6).
 */
#ifndef CV_HOST_MAP_H
#define CV_HOST_MAP_H

#include <cv/pool.h>
#include <cv/s2.h>
#include <cv/types.h>

/* Boot: see mem_boot_*() in cv/mem.h. */
void host_map_init(pa_t root, struct pool *pool);
/* Boot: unmaps [base, base + bytes), page aligned, and maps it again with *attr unless that is
 * NULL. Tables: pool. */
void host_map_boot_set(pa_t base, u64 bytes, const enum s2_attr *attr);
const struct s2 *host_map_s2(void);

/* Pre for the rest: the page is RAM and its ledger block's lock is held. */
/* Tables that host_map_split() may need: 0 to 2; can only shrink while the lock is held. */
u32 host_map_tables_needed(pfn_t pfn, u32 level);
/* Makes the leaf of the page one of `level` (2 or 3) or smaller, from now on without need of
 * tables. Pre: the tables are in `reserved`. */
void host_map_split(pfn_t pfn, u32 level, struct pool *reserved);
/* Revokes the leaf of `level` at `pfn`: afterwards no CPU reaches its pages through the host's
 * stage 2. Pre: split to just that level. Not mapped: nothing happens. */
void host_map_remove(pfn_t pfn, u32 level);
/* Grants it. Pre: split to just that level and not mapped. */
void host_map_add(pfn_t pfn, u32 level);
/* Rebuilds the 2 MiB block if the ledger says that all of it is the host's; its table goes back to
 * the pool. */
void host_map_join(pfn_t pfn);
/* The same for a page that is not RAM; the upper lock guards those. Tables:
 * host_map_tables_needed(), without its Pre. False: the page is not the host's (any more), nothing
 * has happened. */
CV_MUST_USE bool host_map_take_device(pfn_t pfn, struct pool *reserved);
/* Pre: taken. */
void host_map_give_device(pfn_t pfn);
/* The leaf that covers `ipa`, coherent even while other CPUs split or join. */
struct s2_leaf host_map_walk(ipa_t ipa);

#endif
