/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * DMA contexts: tables that say what a device may reach, one engine (s2.h) with the CPUs' ones. A
 * context belongs to the host (pages at their own address, pinned) or to a VM (its own pages at
 * their gfn). Guarantees: what a context maps is its owner's and counted, exactly, in the ledger; a
 * page that is counted changes no owner. Streams and the SMMU itself come with the DMA work. Seed:
 * BootOps alloc/assign/map/clear_smmu, MmioOps (reference 16.2 B9-B12, 8).
 */
#ifndef CV_DMA_H
#define CV_DMA_H

#include <cv/status.h>
#include <cv/types.h>

/* Boot only. */
void dma_init(void);

/* The calls of abi.h, arguments unchecked. vm 0: the host. */
CV_MUST_USE enum cv_status dma_alloc(u64 context, u64 vm, u64 root_pfn);
CV_MUST_USE enum cv_status dma_topup(u64 context, u64 pfn);
CV_MUST_USE enum cv_status dma_map(u64 context, u64 iova_gfn, u64 pfn, u64 pages, u64 *done);
CV_MUST_USE enum cv_status dma_unmap(u64 context, u64 iova_gfn, u64 pages, u64 *next);
CV_MUST_USE enum cv_status dma_free(u64 context, u64 *left);

#endif
