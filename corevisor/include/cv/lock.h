/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Fair ticket locks. No interrupt is taken at EL2, so a holder always runs on; spinners wait in WFE
 * and notice a panic. Ranks: a CPU may take a lock only of a rank above every lock it holds;
 * arch_lock_taken() lets hosted builds check it. Two locks of one rank are never held together.
 * Seed: LockOps* (reference 3.1-3.5).
 */
#ifndef CV_LOCK_H
#define CV_LOCK_H

#include <cv/annot.h>
#include <cv/types.h>

enum lock_rank {
	LOCK_RANK_POWER = 1,  /* host PSCI state of the CPUs */
	LOCK_RANK_DMA,	      /* one DMA context: owner and table */
	LOCK_RANK_VM_SLOTS,   /* the table of VM handles */
	LOCK_RANK_VM,	      /* one VM: record, tables, vCPU states */
	LOCK_RANK_LEDGER,     /* one 2 MiB region: its ledger entries and its host leaf table */
	LOCK_RANK_HOST_UPPER, /* the host's tables above the leaf tables */
	LOCK_RANK_HYP_MAP,    /* EL2's own tables */
	LOCK_RANK_POOL,	      /* the corevisor's free pages */
	LOCK_RANK_RNG,
	LOCK_RANK_LOG,
	LOCK_RANK_COUNT
};

struct CV_CAPABILITY lock {
	u32 next;    /* ticket of the next to come */
	u32 serving; /* ticket that holds the lock */
	u32 rank;
};

#define LOCK_INIT(r)        \
	{                   \
		.rank = (r) \
	}

void lock_init(struct lock *lock, enum lock_rank rank);
void lock_acquire(struct lock *lock) CV_ACQUIRE(lock);
void lock_release(struct lock *lock) CV_RELEASE(lock);

#endif
