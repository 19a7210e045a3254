/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Proof: RV_MEM_MAP and RV_MEM_RECLAIM disclose nothing of a guest (two_runs.h): mem_range.c, over
 * the transitions of single leaves (proof_disclose_mem.c).
 * Proof-args: -Itest/proof/few --unwind 7 --unwindset copy_key.0:33,mem_reclaim_run.0:3
 * Proof-entry: proof_disclose_mem_map
 * Proof-entry: proof_disclose_mem_reclaim
 */
#include "two_runs.h"
#include "vm_locks.h"

/* A page more than a block: both come to their ends within one call. */
#undef RV_BATCH_PAGES
#define RV_BATCH_PAGES 5
#include "corevisor/core/mem_range.c"

static u64 arg[3];

u64 vm_ram_end(const struct vm *vm, gfn_t gfn)
{
	return ask(vm->owner, gfn.v, 0);
}

u64 vm_ram_next(const struct vm *vm, gfn_t gfn)
{
	return ask(vm->owner, gfn.v, 0);
}

static void own_first(void)
{
	for (u32 i = 0; i < 3; i++) {
		arg[i] = nondet_u64();
	}
}

static void own_second(void)
{
}

static void claim_own_same(void)
{
}

void proof_disclose_mem_map(void)
{
	twice(mem_map(the_handle, arg[0], arg[1], arg[2], &result));
	reach(status == CV_OK && result == RV_BATCH_PAGES && vm_a.is_protected, "pages");
	reach(status == CV_OK && result == PAGES_PER_BLOCK && steps == 1, "a block");
	reach(status == CV_OK && result == 2 && steps == 3, "in part");
	reach(status == CV_E_BUSY && steps == 0, "refused");
}

static enum cv_status reclaim(void)
{
	assume(arg[1] <= 2);
	return mem_reclaim(the_handle, arg[0], arg[1], &result);
}

void proof_disclose_mem_reclaim(void)
{
	twice(reclaim());
	reach(status == CV_OK && vm_a.is_protected && steps == 4, "pages");
	reach(status == CV_OK && steps == 2 && result > arg[0], "a block");
	reach(status == CV_E_STATE, "refused");
}
