/* SPDX-License-Identifier: BSD-3-Clause */
#include "call_locks.h"

#include <cv/lock.h>
#include <ravelin/abi.h>
#include <stdio.h>

#include "../../arch-fake/fake.h"

#define R(rank) (1u << LOCK_RANK_##rank)

struct row {
	u64 call;
	u32 always; /* ranks of locks that each success takes, */
	u32 sometimes;
};

/* "Locks:" of abi.h; test/tools/calls.py compares. */
/* clang-format off */
static const struct row rows[] = {
	{ RV_VERSION, 0, 0 },
	{ RV_POOL_TOPUP, R(LEDGER) | R(HYP_MAP) | R(POOL), R(HOST_UPPER) },
	{ RV_VM_CREATE, R(VM_SLOTS) | R(VM) | R(LEDGER) | R(HYP_MAP),
	  R(HOST_UPPER) | R(POOL) | R(RNG) },
	{ RV_VM_TOPUP, R(VM) | R(LEDGER) | R(HYP_MAP) | R(POOL), R(HOST_UPPER) },
	{ RV_VM_ADD_RAM, R(VM), 0 },
	{ RV_VM_KILL, R(VM), 0 },
	{ RV_VM_DESTROY, R(VM) | R(LEDGER) | R(HYP_MAP), R(VM_SLOTS) | R(POOL) },
	{ RV_VM_VERIFY, R(VM), R(LEDGER) | R(HOST_UPPER) | R(HYP_MAP) | R(POOL) },
	{ RV_VM_MAP_IO, R(VM) | R(HOST_UPPER) | R(POOL), 0 },
	{ RV_VM_MEASURE, R(VM), 0 },
	{ RV_IMAGE_ADD, R(VM), 0 },
	{ RV_IMAGE_MAP, R(VM) | R(LEDGER), R(HOST_UPPER) | R(POOL) },
	{ RV_MEM_MAP, R(VM) | R(LEDGER), R(HOST_UPPER) | R(POOL) },
	{ RV_MEM_RECLAIM, R(VM), R(LEDGER) | R(HOST_UPPER) | R(POOL) },
	{ RV_VCPU_CREATE, R(VM) | R(LEDGER) | R(HYP_MAP), R(HOST_UPPER) | R(POOL) },
	{ RV_VCPU_BOOT, R(VM), 0 },
	{ RV_VCPU_RUN, R(VM), R(LEDGER) | R(POOL) | R(RNG) },
	{ RV_VCPU_READ_REGS, R(VM), 0 },
	{ RV_DMA_ALLOC, R(DMA) | R(LEDGER) | R(HYP_MAP), R(VM) | R(HOST_UPPER) | R(POOL) },
	{ RV_DMA_TOPUP, R(DMA) | R(LEDGER) | R(HYP_MAP) | R(POOL), R(VM) | R(HOST_UPPER) },
	{ RV_DMA_MAP, R(DMA) | R(LEDGER) | R(POOL), R(VM) },
	{ RV_DMA_UNMAP, R(DMA), R(VM) | R(LEDGER) | R(POOL) },
	{ RV_DMA_FREE, R(DMA) | R(LEDGER) | R(HYP_MAP), R(VM) | R(POOL) },
	{ RV_SEAL_SAVE_BEGIN, R(VM) | R(LEDGER) | R(POOL) | R(RNG), 0 },
	{ RV_SEAL_SAVE_VCPU, R(VM) | R(LEDGER), 0 },
	{ RV_SEAL_SAVE_PAGE, R(VM) | R(LEDGER), 0 },
	{ RV_SEAL_SAVE_END, R(VM) | R(LEDGER) | R(POOL), 0 },
	{ RV_SEAL_ABORT, R(VM) | R(POOL), 0 },
	{ RV_SEAL_LOAD_BEGIN, R(VM) | R(LEDGER) | R(POOL), 0 },
	{ RV_SEAL_LOAD_VCPU, R(VM) | R(LEDGER), 0 },
	{ RV_SEAL_LOAD_PAGE, R(VM), R(LEDGER) | R(HOST_UPPER) | R(POOL) },
	{ RV_SEAL_LOAD_END, R(VM) | R(LEDGER) | R(POOL), 0 },
};
/* clang-format on */

static _Thread_local struct {
	u32 ranks;
	bool has_succeeded;
	bool was_refused;
} seen[ARRAY_SIZE(rows)];

static void check_row(u32 i, s64 status)
{
	const struct row *row = &rows[i];
	const u32 taken = fake_ranks_taken();

	if ((taken & ~(row->always | row->sometimes)) != 0 ||
	    (status == RV_OK && (row->always & ~taken) != 0)) {
		fake_fail("call %#lx, status %ld, took locks of ranks %#x; documented: %#x, "
			  "sometimes %#x",
			  row->call, status, taken, row->always, row->sometimes);
	}
	seen[i].ranks |= taken;
	seen[i].has_succeeded |= status == RV_OK;
	seen[i].was_refused |= status != RV_OK;
}

void call_locks_check(u64 call, s64 status)
{
	for (u32 i = 0; i < ARRAY_SIZE(rows); i++) {
		if (rows[i].call == call) {
			check_row(i, status);
		}
	}
}

bool call_locks_all_seen(void)
{
	bool all = true;

	for (u32 i = 0; i < ARRAY_SIZE(rows); i++) {
		const u32 missing = (rows[i].always | rows[i].sometimes) & ~seen[i].ranks;
		const bool can_be_refused = rows[i].call != RV_VERSION;

		if (missing != 0 || !seen[i].has_succeeded ||
		    seen[i].was_refused != can_be_refused) {
			printf("# call %#lx: succeeded %d, refused %d, never took ranks %#x\n",
			       rows[i].call, seen[i].has_succeeded, seen[i].was_refused, missing);
			all = false;
		}
	}
	return all;
}
