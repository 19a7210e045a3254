/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Proof: the lock primitives of the seed that guard DMA: spt (a context's table) and smmu (whose a
 * context is). Both are the context's lock here; what is proved, and how: proof_lock.c.
 *
 * Proof-args: --unwind 4 --unwindset dma_init.0:65
 * Proof-entry: proof_lock_spt quick
 * Proof-entry: proof_lock_smmu
 */
#include "lock_model.h"

#include "corevisor/core/dma.c"

#define CONTEXT 5u /* all are alike */

/* acquire_lock_spt, release_lock_spt */
void proof_lock_spt(void)
{
	lock_init(&contexts[CONTEXT].lock, LOCK_RANK_DMA);
	pair(&contexts[CONTEXT].lock, LOCK_RANK_DMA);
}

static void others_own(void)
{
	/* The host's or nobody's: a VM's lock is taken after this one, and has its own proof. */
	contexts[CONTEXT].is_owned = nondet_bool();
}

/* acquire_lock_smmu, release_lock_smmu */
void proof_lock_smmu(void)
{
	u64 index = nondet_bool() ? CONTEXT : RV_DMA_CONTEXTS + any_below(~0ull - RV_DMA_CONTEXTS);
	struct dma_context *context = NULL;
	enum cv_status status;

	dma_init();
	others_have(&contexts[CONTEXT].lock, others_own);
	others_own();
	status = enter(index, &context);

	reach(status == CV_E_INVALID, "no such context");
	reach(status == CV_E_NOENT, "nobody's");
	if (status == CV_OK) {
		is_mine(LOCK_RANK_DMA);
		claim(context == &contexts[CONTEXT] && context->is_owned,
		      "it has an owner, and keeps it while the lock is held");
		leave(context, NULL);
		was_mine();
	} else {
		claim(me == (status == CV_E_NOENT ? PASSED : NOT_THERE) && rank_held == 0,
		      "no lock is left held");
		claim(status == (index == CONTEXT ? CV_E_NOENT : CV_E_INVALID), "the status");
	}
}
