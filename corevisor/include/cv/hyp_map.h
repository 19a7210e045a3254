/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * EL2's own stage-1 map: identity, 4 KiB leaves, W^X. Built at boot from what the image needs and
 * sealed; afterwards only two kinds of change remain, both in this file: one-page windows, and CORE
 * or run pages coming and going.
 */
#ifndef CV_HYP_MAP_H
#define CV_HYP_MAP_H

#include <cv/pool.h>
#include <cv/status.h>
#include <cv/types.h>

enum hyp_prot { HYP_TEXT, HYP_RODATA, HYP_DATA, HYP_DEVICE };

/* Boot. Pre: `root` is a zeroed page, the pool has pages. Start level 0, T0SZ 16. */
void hyp_map_init(pa_t root, struct pool *pool);
/* Boot, until hyp_map_seal(): maps [base, base + bytes) at VA = PA. */
void hyp_map_boot(pa_t base, u64 bytes, enum hyp_prot prot);
/* Boot: prepares the one-page windows of every CPU at HYP_WINDOW_BASE, each between two guard
 * pages. */
void hyp_map_windows(u32 cpus);
void hyp_map_seal(void);

/* How many table pages hyp_map_page() may need for this page; can only shrink until it is called.
 */
u32 hyp_tables_needed(pfn_t pfn);
/* CORE page or pinned run page in, RW never executable. Pre: not mapped; `reserved` has
 * hyp_tables_needed() pages. */
void hyp_map_page(pfn_t pfn, struct pool *reserved);
/* Pre: mapped by hyp_map_page. Ends with the TLB invalidated on all CPUs. */
void hyp_unmap_page(pfn_t pfn);
bool hyp_is_mapped(pfn_t pfn);

/* Window of CPU n: page 2n + 1 from here; the even pages are never mapped. */
#define HYP_WINDOW_BASE (1ull << 47)
/* Pre: this is CPU `cpu` and its window is closed. The caller orders its later accesses (dsb, isb).
 */
void *hyp_window_set(u32 cpu, pfn_t pfn);
void hyp_window_clear(u32 cpu);

#endif
