/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Proof: what DMA contexts (dma.c) are made of, from RV_DMA_ALLOC to RV_DMA_FREE. For three
 * contexts in any state that the invariants allow, one of them the call's, owned by the host or by
 * an open or protected VM, or by nobody, and for whatever the host passes:
 *   - the status is the one that the ABI's order of errors names (spec_*() below, from abi.h); a
 *     refusal changes nothing, a success exactly what is specified; the other contexts stay, and
 *     every other field of the VM;
 *   - tables are returned when no device walks them, each once, at most RV_BATCH_PAGES a call.
 * By their contracts: s2.h, ledger.h, pool.h, mem.h (proved elsewhere). Seed: alloc_smmu (B9),
 * el2_free_smmu_pgd. What contexts map: proof_dma_map.c.
 * Proof-args: -Itest/proof/few -DFEW_BATCH_PAGES=4 --unwind 6
 * Proof-entry: proof_dma_alloc quick
 * Proof-entry: proof_dma_topup quick
 * Proof-entry: proof_dma_free quick
 * Proof-entry: proof_dma_index quick
 */
#include "dma_state.h"

/* ---- RV_DMA_ALLOC ---- */

static enum cv_status any_page_status(void)
{
	return nondet_bool() ? CV_OK : nondet_bool() ? CV_E_RANGE : CV_E_STATE;
}

static enum cv_status spec_alloc(u64 handle)
{
	struct vm *owner = handle == 0 ? NULL : &vm;

	if ((first_pfn & 1) != 0) {
		return CV_E_INVALID;
	}
	if (handle != 0 && handle != vm.handle) {
		return CV_E_NOENT;
	}
	if (check_status != CV_OK) {
		return check_status;
	}
	if (!spec_may_grow(owner)) {
		return CV_E_STATE;
	}
	if (mine->is_owned) {
		return CV_E_BUSY;
	}
	if (take_status != CV_OK) {
		return take_status;
	}
	want.is_owned = true;
	want.vm = owner;
	want.s2 = (struct s2){ .root = { first_pfn << PAGE_SHIFT },
			       .vmid = { S2_VMID_DMA + MINE },
			       .pool = &mine->tables };
	want.tables = (struct pool){ .lock = { .rank = LOCK_RANK_POOL } };
	want.donated.v = first_pfn + 1;
	want.donated_count = 2;
	want_vm.dma_contexts += owner != NULL;
	return CV_OK;
}

void proof_dma_alloc(void)
{
	u64 handle = nondet_u64();
	enum cv_status expected;

	any_state();
	first_pfn = any_bits(IPA_BITS + 1);
	assume(first_pfn > 0);
	check_status = any_page_status();
	take_status = nondet_bool() ? CV_OK : nondet_bool() ? CV_E_NOMEM : CV_E_STATE;
	expected = spec_alloc(handle);

	status = dma_alloc(MINE, handle, first_pfn);

	reach(status == CV_OK && handle == 0, "the host's");
	reach(status == CV_OK && vm.is_protected && handle != 0, "a VM's");
	reach(status == CV_E_INVALID, "INVALID: root");
	reach(status == CV_E_NOENT, "NOENT");
	reach(status == CV_E_RANGE, "RANGE");
	reach(status == CV_E_STATE && check_status == CV_OK && vm.state == VM_VERIFIED, "STATE");
	reach(status == CV_E_BUSY, "BUSY");
	reach(status == CV_E_NOMEM, "NOMEM");
	claim(status == expected, "the status is the specified one");
	claim(is_taken == (status == CV_OK), "a refusal takes nothing");
	claim(root_told == (status == CV_OK ? first_pfn << PAGE_SHIFT : 0), "the SMMU's root");
	claim_as_wanted();
}

/* ---- RV_DMA_TOPUP ---- */

void proof_dma_topup(void)
{
	enum cv_status expected;

	any_state();
	first_pfn = nondet_u64();
	check_status = any_page_status();
	take_status = nondet_bool() ? CV_OK : nondet_bool() ? CV_E_NOMEM : CV_E_STATE;
	expected = spec_enter();
	if (expected == CV_OK && check_status != CV_OK) {
		expected = check_status;
	} else if (expected == CV_OK && !spec_may_grow(mine->vm)) {
		expected = CV_E_STATE;
	} else if (expected == CV_OK) {
		expected = take_status;
	}
	if (expected == CV_OK) {
		want.tables.free.v = first_pfn;
		want.tables.free_count++;
		want.donated.v = first_pfn;
		want.donated_count++;
	}

	status = dma_topup(MINE, first_pfn);

	reach(status == CV_OK && mine->vm == NULL, "the host's");
	reach(status == CV_OK && mine->vm != NULL, "a VM's");
	reach(status == CV_E_NOENT, "NOENT");
	reach(status == CV_E_RANGE, "RANGE");
	reach(status == CV_E_STATE && check_status == CV_OK && take_status == CV_OK, "STATE");
	reach(status == CV_E_NOMEM, "NOMEM");
	claim(status == expected, "the status is the specified one");
	claim(is_taken == (status == CV_OK), "a refusal takes nothing");
	claim_as_wanted();
}

/* ---- RV_DMA_FREE ---- */

#define DONATED_MAX 5u

void proof_dma_free(void)
{
	const u64 nothing = nondet_u64();
	u64 left = nothing;
	enum cv_status expected;

	any_state();
	/* The list: as many pages as were donated, all different, the roots last. */
	assume(mine->donated_count <= DONATED_MAX);
	for (u32 i = 0; i < DONATED_MAX; i++) {
		list[i] = i < mine->donated_count ? 1 + any_bits(20) : 0;
	}
	assume(mine->donated.v == list[0]);
	want = *mine;
	expected = spec_enter();
	if (expected == CV_OK && mine->vm != NULL && vm.state == VM_VERIFIED) {
		expected = CV_E_STATE;
	} else if (expected == CV_OK && mine->pages > 0) {
		expected = CV_E_BUSY;
	}
	if (expected == CV_OK) {
		/* A batch is two pages and the two roots. */
		u64 tables = mine->donated_count - S2_ROOT_PAGES;

		want.tables = (struct pool){ .lock = { .rank = LOCK_RANK_POOL } };
		if (tables > 2) {
			want.donated_count -= 2;
			want.donated.v = list[2];
		} else {
			want.s2 = (struct s2){ .root = { 0 } };
			want.is_owned = false;
			want.donated_count = 0;
			want.donated.v = 0;
			want.vm = NULL;
			want_vm.dma_contexts -= mine->vm != NULL;
		}
	}

	status = dma_free(MINE, &left);

	reach(status == CV_OK && left == 0 && returned == 2, "only the roots");
	reach(status == CV_OK && left == 0 && returned == 3, "the last table and the roots");
	reach(status == CV_OK && left == 0 && returned == 4, "a whole batch");
	reach(status == CV_OK && left == 3, "two of many");
	reach(status == CV_OK && want_vm.dma_contexts == 1 && vm.state == VM_POWEROFF, "a VM's");
	reach(status == CV_E_NOENT, "NOENT");
	reach(status == CV_E_STATE, "STATE");
	reach(status == CV_E_BUSY, "BUSY");
	claim(status == expected, "the status is the specified one");
	claim(left == (status == CV_OK ? want.donated_count : nothing), "so many are left");
	claim(returned == popped && popped == before[MINE].donated_count - mine->donated_count,
	      "all that left the list are the host's");
	claim_as_wanted();
}

/* ---- no context at all ---- */

/* Pre: index is a constant. */
static void call_all(u64 index)
{
	u64 out = 0;

	claim(dma_alloc(index, nondet_u64(), first_pfn) == CV_E_INVALID, "INVALID");
	status = dma_topup(index, first_pfn);
	claim(status == CV_E_INVALID, "INVALID");
	reach(status == CV_E_INVALID, "RV_DMA_TOPUP: INVALID");
	claim(dma_map(index, nondet_u64(), first_pfn, nondet_u64(), &out) == CV_E_INVALID,
	      "INVALID");
	claim(dma_unmap(index, nondet_u64(), nondet_u64(), &out) == CV_E_INVALID, "INVALID");
	status = dma_free(index, &out);
	claim(status == CV_E_INVALID, "INVALID");
	reach(status == CV_E_INVALID, "RV_DMA_FREE: INVALID");
	claim(out == 0 && !is_taken, "a refusal takes nothing");
}

void proof_dma_index(void)
{
	any_state();
	first_pfn = nondet_u64();
	call_all(RV_DMA_CONTEXTS);
	call_all(1ull << 32 | MINE);
	call_all(~0ull);
	reach(mine->is_owned, "beside a context that is there");
	claim_as_wanted();
}
