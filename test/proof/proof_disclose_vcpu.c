/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Proof: saying where a vCPU starts discloses nothing of its guest (two_runs.h): vcpu.c. Running
 * it: proof_exit*.c; reading its registers: proof_vcpu_regs.c.
 *
 * Proof-args: -Itest/proof/few --unwind 34 corevisor/core/vcpu.c
 * Proof-entry: proof_disclose_vcpu_boot
 */
#include "two_runs.h"
#include "vm_locks.h"

static void own_first(void)
{
}

static void own_second(void)
{
}

static void claim_own_same(void)
{
}

bool arch_vcpu_may_run(void)
{
	return (ask(0, 0, 0) & 1) != 0;
}

static void boot_at(u64 index)
{
	const u64 pc = nondet_u64();
	const u64 x0 = nondet_u64();

	twice(vcpu_boot(the_handle, index, pc, x0));
	reach(status == CV_OK && index == 0 && vm_a.is_protected, "it will start");
	reach(status == CV_E_STATE && vm_a.state == VM_VERIFIED, "it has run");
	reach(status == CV_E_PERM, "not the owner's entry");
	reach(status == CV_E_NOENT && index == 1, "there is none");
}

void proof_disclose_vcpu_boot(void)
{
	for_any_index(boot_at);
}
