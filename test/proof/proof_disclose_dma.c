/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Proof: no call about DMA contexts discloses anything of a guest (two_runs.h): dma.c, over the
 * ledger, the tables and the memory core. Three contexts in any state, each the host's, one of the
 * VMs' or nobody's; the second is the call's (any other number: proof_dma_index).
 * Proof-args: -Itest/proof/few --unwind 7 --unwindset copy_key.0:33,images_hold.0:4
 * Proof-args: --unwindset dma_map.0:3,unmap_run.0:3
 * Proof-entry: proof_disclose_dma_alloc
 * Proof-entry: proof_disclose_dma_topup
 * Proof-entry: proof_disclose_dma_map
 * Proof-entry: proof_disclose_dma_map_block
 * Proof-entry: proof_disclose_dma_unmap
 * Proof-entry: proof_disclose_dma_free
 */
#define STEPS 32u
#include "two_runs.h"
#include "vm_locks.h"

#include "../../corevisor/core/dma.c" /* its static state is quantified over */

#define CALLS 1u /* the call's context */

struct dma_context nondet_context(void);

static struct dma_context before[RV_DMA_CONTEXTS], one[RV_DMA_CONTEXTS];
static u64 arg[3];

void mem_core_clear_pages(const u64 *pfns, u32 count)
{
	(void)ask(pfns[0], pfns[1], count);
}

static void own_first(void)
{
	for (u32 i = 0; i < RV_DMA_CONTEXTS; i++) {
		contexts[i] = nondet_context();
		contexts[i].is_owned = nondet_bool();
		contexts[i].vm = nondet_bool() ? NULL : vms[(i + 1) % VMS];
		contexts[i].s2.vmid.v = S2_VMID_DMA + i;
		contexts[i].s2.pool = &contexts[i].tables;
		if (!contexts[i].is_owned) {
			contexts[i].vm = NULL;
		}
		before[i] = contexts[i];
	}
	for (u32 i = 0; i < 3; i++) {
		arg[i] = nondet_u64();
	}
}

static void own_second(void)
{
	for (u32 i = 0; i < RV_DMA_CONTEXTS; i++) {
		one[i] = contexts[i];
		contexts[i] = before[i];
	}
}

static void claim_own_same(void)
{
	for (u32 i = 0; i < RV_DMA_CONTEXTS; i++) {
		claim(__CPROVER_equal(contexts[i], one[i]), "the same context");
	}
}

/* A handle of 0 stands for the host. */
void proof_disclose_dma_alloc(void)
{
	twice(dma_alloc(CALLS, the_handle, arg[0]));
	reach(status == CV_OK && the_handle == 0, "the host's");
	reach(status == CV_OK && the_handle != 0 && vm_a.is_protected, "a VM's");
	reach(status == CV_E_STATE && steps == 1, "refused");
}

void proof_disclose_dma_topup(void)
{
	twice(dma_topup(CALLS, arg[0]));
	reach(status == CV_OK && contexts[CALLS].vm != NULL, "a VM's");
	reach(status == CV_E_STATE && vm_a.state == VM_VERIFIED, "refused");
}

/* So many pages are a constant, or the solver looks for the block that they cannot be. */
static enum cv_status map(void)
{
	return dma_map(CALLS, arg[0], arg[1], 2, &result);
}

void proof_disclose_dma_map(void)
{
	twice(map());
	reach(status == CV_OK && result == 2 && contexts[CALLS].vm != NULL, "a VM's pages");
	reach(status == CV_E_BUSY && contexts[CALLS].vm != NULL, "refused");
}

/* What dma_map() tries first of 512 aligned pages. */
static enum cv_status map_block(void)
{
	return map_leaf(&contexts[CALLS], gfn_make(arg[0]), pfn_make(arg[1]), 2);
}

void proof_disclose_dma_map_block(void)
{
	twice(map_block());
	reach(status == CV_OK && contexts[CALLS].vm != NULL, "a VM's block");
	reach(status == CV_E_BUSY && contexts[CALLS].vm != NULL, "refused");
}

static enum cv_status unmap(void)
{
	assume(arg[1] <= 2);
	return dma_unmap(CALLS, arg[0], arg[1], &result);
}

/* With more pages, MEM_LOOKS_MAX is the bound, which works as RV_BATCH_PAGES does. */
void proof_disclose_dma_unmap(void)
{
	twice(unmap());
	reach(status == CV_OK && steps == 6 && contexts[CALLS].vm != NULL, "a VM's pages");
	reach(status == CV_E_STATE, "refused");
}

void proof_disclose_dma_free(void)
{
	twice(dma_free(CALLS, &result));
	reach(status == CV_OK && result == 0 && contexts[CALLS].vm == NULL &&
		      before[CALLS].vm != NULL,
	      "gone");
	reach(status == CV_OK && result > 0, "in part");
	reach(status == CV_E_BUSY, "refused");
}
