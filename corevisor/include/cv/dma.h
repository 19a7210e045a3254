/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * DMA contexts: tables that say what a device may reach, one engine (s2.h) with the CPUs' ones. A
 * context belongs to the host (pages at their own address, pinned) or to a VM (its own pages at
 * their gfn). Guarantees: what a context maps is its owner's and counted, exactly, in the ledger; a
 * page that is counted changes no owner. Streams and the SMMU itself come with the DMA work; until
 * then nothing but arch-fake's devices walks these tables. Seed: BootOps
 * alloc/assign/map/clear_smmu, MmioOps (reference 16.2 B9-B12, 8).
 */
#ifndef CV_DMA_H
#define CV_DMA_H

#include <cv/lock.h>
#include <cv/pool.h>
#include <cv/s2.h>
#include <cv/status.h>
#include <cv/types.h>

struct vm;

struct dma_context {
	struct lock lock; /* rank DMA: everything below; what changes the VM, under its lock too */
	bool is_owned;
	struct vm *vm; /* the owner, which cannot be destroyed before; NULL: the host */
	struct s2 s2;  /* root 0: none */
	struct pool tables;
	pfn_t donated; /* as in struct vm: table pages and, the last two, the roots */
	u64 donated_count;
	u64 pages; /* mapped */
};

/* Boot only. */
void dma_init(void);

/* The calls of abi.h, arguments unchecked. vm 0: the host. */
CV_MUST_USE enum cv_status dma_alloc(u64 context, u64 vm, u64 root_pfn);
CV_MUST_USE enum cv_status dma_topup(u64 context, u64 pfn);
CV_MUST_USE enum cv_status dma_map(u64 context, u64 iova_gfn, u64 pfn, u64 pages, u64 *done);
CV_MUST_USE enum cv_status dma_unmap(u64 context, u64 iova_gfn, u64 pages, u64 *next);
CV_MUST_USE enum cv_status dma_free(u64 context, u64 *left);

/* To look at. Pre: index < RV_DMA_CONTEXTS. */
const struct dma_context *dma_context(u32 index);

/* Panic, and the end of the machine: clears the roots of all contexts. Takes no lock. */
void dma_revoke_all(void);

#endif
