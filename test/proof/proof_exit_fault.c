/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Proof: stage-2 aborts of guests, the one way by which a register's content reaches the host or
 * comes from it (reference 11.4). What the host is told of every abort; what its answer changes;
 * and that two guests whose exits differ in nothing that may be told tell it the same.
 * Seed: prep_abort of save_shadow_kvm_regs (V1), sync_dirty_to_shadow of restore_shadow_kvm_regs
 * (V2), T21, T22.
 *
 * Proof-args: --unwind 5 --no-array-field-sensitivity
 * Proof-args: corevisor/core/guest_fault.c corevisor/core/guest_inject.c
 * Proof-args: corevisor/core/exception.c spec/spec_exit.c
 * Proof-entry: proof_restore_shadow_kvm_regs
 * Proof-entry: proof_restore_nothing quick
 * Proof-entry: proof_save_fault quick
 * Proof-entry: proof_disclose_fault quick
 */
#include "exits.h"

#include <cv/guest_fault.h>

/* ---- what the next entry accepts ---- */

/* `bytes` is a constant: shifts by a variable are dear. */
static void restore(u8 bytes)
{
	struct vcpu *vcpu = &vcpu_a0;
	struct mmio_answer answer = { .is_abort = nondet_bool(), .data = nondet_u64() };
	u32 x = (u32)any_below(31);
	struct vcpu_pending pending;
	struct spec_accepted accepted;
	u64 x_before;
	u64 pc;

	any_vm(MINE);
	any_world();
	vcpu->pending.bytes = bytes;
	pending = vcpu->pending;
	assume(pending.is_mmio);
	x_before = vcpu->ctx.x[x];
	pc = vcpu->ctx.pc;
	accepted = spec_restore_shadow_kvm_regs(&pending, vcpu->exit.esr, answer.is_abort,
						answer.data);
	guest_fault_answer(vcpu, &answer);

	reach(accepted.reg == x && pending.bytes == 1 && pending.is_signed, "signed");
	reach(accepted.reg == x && pending.bytes == 8, "64 bits");
	reach(accepted.skipped != 0 && !pending.is_write && pending.reg == 31, "xzr");
	reach(answer.is_abort, "an abort");
	/* T21, T22: the register that was asked for, and no other. */
	claim(vcpu->ctx.x[x] == (accepted.reg == x ? accepted.value : x_before),
	      "no other register is accepted, ever");
	claim(injected == accepted.is_abort, "an abort is injected exactly if the host says so");
	claim(answer.is_abort || vcpu->ctx.pc == pc + accepted.skipped, "the instruction is over");
	claim(!answer.is_abort || (vcpu->ctx.pc & 0x7f) == 0, "or the vector is next: never both");
	claim(!vcpu->pending.is_mmio, "and the answer is not taken twice");
}

void proof_restore_shadow_kvm_regs(void)
{
	switch (any_below(4)) {
	case 0:
		restore(1);
		break;
	case 1:
		restore(2);
		break;
	case 2:
		restore(4);
		break;
	default:
		restore(8);
	}
}

/* Nothing was asked: whatever the host answers, nothing changes. */
void proof_restore_nothing(void)
{
	struct mmio_answer answer = { .is_abort = nondet_bool(), .data = nondet_u64() };

	any_guests();
	any_world();
	assume(!vcpu_a0.pending.is_mmio);
	want_no_change();
	guest_fault_answer(&vcpu_a0, &answer);

	reach(answer.is_abort, "an abort that nobody asked for");
	claim(injected == 0, "no exception");
	claim_as_wanted();
}

/* ---- what an exit discloses ---- */

void proof_save_fault(void)
{
	struct vcpu *vcpu = &vcpu_a0;
	struct run_exit out = { 0 };
	u32 x = (u32)any_below(31);
	struct spec_exit exit;
	struct spec_told told;
	bool goes_on;

	any_run();
	left = nondet_context();
	leave(vcpu);
	exit = facts();
	told = spec_exit_fault(&exit);
	goes_on = guest_fault_handle(vcpu, &out);

	reach(told.reason == RV_EXIT_RAM && !goes_on, "RAM");
	reach(told.reason == RV_EXIT_MMIO && !goes_on && out.is_write, "MMIO, write");
	reach(told.reason == RV_EXIT_MMIO && !goes_on && !out.is_write, "MMIO, read");
	reach(goes_on && injected == 1, "an abort for the guest");
	reach(goes_on && injected == 0, "it was there already");
	claim_told(goes_on, &out, &told);
	claim(held == NULL, "no lock is left held");
	claim(injected <= 1 && !(injected == 1 && !goes_on), "an exception or an exit: never both");
	claim(vcpu->pending.is_mmio == (!goes_on && told.reason == RV_EXIT_MMIO),
	      "only an access that the host was told of is answered");
	claim(!vcpu->pending.is_mmio ||
		      (vcpu->pending.reg == ((world.exit.esr >> 16) & 31) &&
		       vcpu->pending.is_write == out.is_write && vcpu->pending.bytes == out.bytes),
	      "with the register that its private syndrome names");
	claim(injected == 1 || vcpu->ctx.pc == left.pc, "the instruction is not over yet");
	claim(vcpu->ctx.x[x] == left.x[x], "no register changes");
}

void proof_disclose_fault(void)
{
	struct vcpu *vcpu = &vcpu_a0;
	struct run_exit one = { 0 };
	struct run_exit two = { 0 };
	const u64 bits = 8ull << any_below(4);
	u64 other_x1;
	u64 mode;
	u32 srt;
	bool one_goes_on;
	bool two_goes_on;

	any_run();
	left = nondet_context();
	leave(vcpu);
	srt = (world.exit.esr >> 16) & 31;
	assume(bits == 8ull << ((world.exit.esr >> 22) & 3));
	mode = left.pstate & PSTATE_M32;
	other_x1 = srt < 31 ? left.x[srt] : 0;
	one_goes_on = guest_fault_handle(vcpu, &one);

	/* The second guest: all other registers are its own. */
	vcpu->pending = (struct vcpu_pending){ 0 };
	left = nondet_context();
	leave(vcpu);
	assume((left.pstate & PSTATE_M32) == mode);
	if ((world.exit.esr & ESR_WNR) != 0 && srt < 31) {
		u64 mask = bits == 64 ? ~0ull : (1ull << bits) - 1;

		assume((left.x[srt] & mask) == (other_x1 & mask));
	}
	/* So is the address inside a page of RAM. */
	if (one.reason == RV_EXIT_RAM) {
		vcpu->exit.far = nondet_u64();
	}
	two_goes_on = guest_fault_handle(vcpu, &two);

	reach(one_goes_on, "it goes on");
	reach(!one_goes_on && one.reason == RV_EXIT_RAM, "RAM");
	reach(!one_goes_on && one.reason == RV_EXIT_MMIO && one.is_write, "MMIO");
	claim(one_goes_on == two_goes_on, "the same end");
	claim(one.reason == two.reason && one.bytes == two.bytes && one.is_write == two.is_write &&
		      one.ipa == two.ipa && one.data == two.data,
	      "the host is told the same");
}
