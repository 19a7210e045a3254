/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Proof: trapped system registers of guests: what the host is told of each, which register of the
 * guest changes, and that two guests whose registers differ in all but the value that is written
 * tell it the same. ID registers are left out: a read changes one register of the guest and tells
 * the host nothing, but its 35 registers of 16 fields make a proof of their own; test_guest_regs.c
 * holds them against the architecture.
 * Seed: SYS64 (reference 11.4).
 *
 * Proof-args: --unwind 40 --unwindset guest_sysreg_id.0:1,limited.0:1
 * Proof-args: --no-array-field-sensitivity
 * Proof-args: corevisor/core/guest_sysreg.c corevisor/core/guest_inject.c
 * Proof-args: corevisor/core/exception.c corevisor/core/vtimer.c spec/spec_exit.c
 * Proof-entry: proof_save_sysreg quick
 * Proof-entry: proof_disclose_sysreg quick
 */
#include "exits.h"

#include <cv/guest_sysreg.h>

static void any_access(void)
{
	any_run();
	assume(((world.exit.esr >> 26) & 0x3f) == 0x18);
	/* op0 = 3, op1 = 0, CRn = 0: ID registers */
	assume((world.exit.esr >> 20 & 3) != 3 || (world.exit.esr >> 10 & 15) != 0 ||
	       (world.exit.esr >> 14 & 7) != 0);
}

void proof_save_sysreg(void)
{
	struct vcpu *vcpu = &vcpu_a0;
	struct run_exit out = { 0 };
	u32 x = (u32)any_below(31);
	struct spec_exit exit;
	struct spec_told told;
	bool goes_on;

	any_access();
	left = nondet_context();
	leave(vcpu);
	exit = facts();
	told = spec_exit_sysreg(&exit);
	goes_on = guest_sysreg_handle(vcpu, &out);

	reach(told.reason == RV_EXIT_SGI && !goes_on, "SGI");
	reach(told.reason == RV_EXIT_IRQ && !goes_on, "a timer was set");
	reach(goes_on && injected == 1, "undefined");
	reach(goes_on && injected == 0 && vcpu->ctx.x[x] != left.x[x], "a read");
	claim_told(goes_on, &out, &told);
	claim(held == NULL && !vcpu->pending.is_mmio, "nothing is left open");
	claim(injected <= 1 && (injected == 1 || vcpu->ctx.pc - left.pc <= 4),
	      "the next instruction, or the vector");
	claim(vcpu->ctx.x[x] == left.x[x] ||
		      (x == ((world.exit.esr >> 5) & 31) && (world.exit.esr & 1) != 0 && goes_on),
	      "only the register that is read into changes");
}

void proof_disclose_sysreg(void)
{
	struct vcpu *vcpu = &vcpu_a0;
	struct run_exit one = { 0 };
	struct run_exit two = { 0 };
	struct vtimer_state timer;
	struct vtimer_state timer_one;
	u64 value;
	u64 x7;
	u32 rt;
	bool one_goes_on;
	bool two_goes_on;

	any_access();
	timer = vcpu->timer;
	left = nondet_context();
	leave(vcpu);
	rt = (world.exit.esr >> 5) & 31;
	value = vcpu_get_x(vcpu, rt);
	x7 = vcpu->ctx.x[7];
	one_goes_on = guest_sysreg_handle(vcpu, &one);
	timer_one = vcpu->timer;

	vcpu->timer = timer;
	left = nondet_context();
	leave(vcpu);
	assume((world.exit.esr & 1) != 0 || vcpu_get_x(vcpu, rt) == value);
	reach(x7 != vcpu->ctx.x[7] && one_goes_on, "it goes on");
	reach(x7 != vcpu->ctx.x[7] && !one_goes_on, "an exit");
	two_goes_on = guest_sysreg_handle(vcpu, &two);

	claim(one_goes_on == two_goes_on, "the same end");
	claim(one.reason == two.reason && one.bytes == two.bytes && one.is_write == two.is_write &&
		      one.ipa == two.ipa && one.data == two.data,
	      "the host is told the same");
	claim(timer_one.cntp_ctl == vcpu->timer.cntp_ctl &&
		      timer_one.cntp_cval == vcpu->timer.cntp_cval,
	      "the same timers");
}
