/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Proof: the whole of RV_VCPU_RUN, with a host that changes its page all the time: every read of
 * volatile memory gives another value, so a value that is read twice is not the one that was
 * checked. The status is the specified one; what is refused changes nothing but the vCPU's being
 * READY; the list registers are taken once, of as many as were checked, before the guest is
 * entered, and stay as they were taken (what is taken: proof_vgic.c); the answer to an access is
 * taken only by guest_fault_answer() (proof_exit_fault.c).
 * The guest runs once; what its exits do: proof_exit.c.
 *
 * Proof-args: --unwind 18 --no-array-field-sensitivity
 * Proof-args: corevisor/core/guest_inject.c corevisor/core/exception.c corevisor/core/vtimer.c
 * Proof-volatile: yes
 * Proof-entry: proof_run_page quick
 */
#include "exits.h"

#include <cv/guest_fault.h>
#include <cv/host_psci.h>

#include "corevisor/core/run.c"

bool guest_sysreg_is_32_possible(void)
{
	return world.has_32;
}

static enum cv_status claim_status;
static enum cv_status start_status;
static u32 released;
static u32 answered;

enum cv_status vcpu_claim(u64 handle, u64 index, struct vcpu **vcpu)
{
	(void)handle;
	(void)index;
	if (claim_status == CV_OK) {
		*vcpu = &vcpu_a0;
	}
	return claim_status;
}

enum cv_status vcpu_start(struct vcpu *vcpu)
{
	(void)vcpu;
	return start_status;
}

void vcpu_release(struct vcpu *vcpu)
{
	(void)vcpu;
	released++;
}

void vcpu_stop_vm(struct vcpu *vcpu)
{
	(void)vcpu;
}

void guest_fault_answer(struct vcpu *vcpu, const struct mmio_answer *answer)
{
	(void)vcpu;
	claim(loads == 1 && entered == 0, "before the guest goes on");
	claim(!answer->is_abort || answer->data == 0, "an abort has no value");
	answered++;
}

bool guest_smccc_handle(struct vcpu *vcpu, struct run_exit *out)
{
	(void)vcpu;
	out->reason = RV_EXIT_WFI;
	return false;
}

bool guest_sysreg_handle(struct vcpu *vcpu, struct run_exit *out)
{
	return guest_smccc_handle(vcpu, out);
}

bool guest_fault_handle(struct vcpu *vcpu, struct run_exit *out)
{
	return guest_smccc_handle(vcpu, out);
}

/* Any list registers, as proof_vgic.c says what they may be. */
static u64 taken_lr[RV_MAX_LRS];
static u32 takes;

void vgic_take_lrs(struct vgic_state *vgic, const u64 *proposed, u32 count, u32 limit)
{
	(void)proposed;
	claim(count <= limit && limit == world.lr_count, "what was checked, and what there is");
	claim(entered == 0 && loads == 0, "before the guest goes on");
	for (u32 i = 0; i < RV_MAX_LRS; i++) {
		vgic->lr[i] = taken_lr[i];
	}
	vgic->lr_count = limit;
	takes++;
}

u64 vgic_show_lr(u64 lr)
{
	return lr;
}

void proof_run_page(void)
{
	u32 lr = (u32)any_below(RV_MAX_LRS);
	u64 exit = 77;
	enum cv_status status;

	any_run();
	run_a0 = nondet_run();
	world.irq = true; /* it runs once */
	left = nondet_context();
	takes = 0;
	taken_lr[lr] = nondet_u64();
	claim_status = nondet_bool() ? CV_OK : CV_E_BUSY;
	start_status = nondet_bool() ? CV_OK : CV_E_STATE;
	status = run_vcpu(nondet_u64(), nondet_u64(), &exit);

	reach(status == CV_E_BUSY, "not claimed");
	reach(status == CV_E_INVALID, "INVALID");
	reach(status == CV_E_STATE, "STATE");
	reach(status == CV_OK && vcpu_a0.vgic.lr_count == RV_MAX_LRS, "OK, all list registers");
	claim(status == CV_OK || exit == 77, "no result of a refused call");
	claim(status == CV_OK || (entered == 0 && answered == 0 && takes == 0), "nor any effect");
	claim(loads == 0, "the host has its world again");
	claim(released == (claim_status == CV_OK), "what was claimed is released, once");
	if (status == CV_OK) {
		claim(answered == 1 && exit <= RV_EXIT_CRASH, "the guest was told the answer");
		claim(takes == 1 && vcpu_a0.vgic.lr[lr] == taken_lr[lr] &&
			      vcpu_a0.vgic.lr_count == world.lr_count,
		      "the list registers are what was taken");
	}
}
