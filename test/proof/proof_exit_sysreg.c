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
 * Proof-args: corevisor/core/exception.c corevisor/core/vtimer.c
 * Proof-entry: proof_save_sysreg quick
 * Proof-entry: proof_disclose_sysreg quick
 */
#include "exits.h"

#include <cv/guest_sysreg.h>

/* MSR of the timer's registers ends the run, MSR ICC_SGI1R_EL1 shows the fields that name targets.
 */
static struct told spec_sysreg(void)
{
	const u64 iss = world.exit.esr & 0x3fffff;
	const u32 rt = (iss >> 5) & 31;
	const u64 reg = iss & ~0x3e1ull;
	struct told told = { .goes_on = true };

	if ((iss & 1) != 0) {
		return told;
	}
	/* op0 21:20, op2 19:17, op1 16:14, CRn 13:10, CRm 4:1 */
	switch (reg) {
	case 3 << 20 | 5 << 17 | 0 << 14 | 12 << 10 | 11 << 1:
		told = (struct told){ .reason = RV_EXIT_SGI,
				      .data = (rt < 31 ? left.x[rt] : 0) & 0xfff1ff0fffffffull };
		break;
	case 3 << 20 | 0 << 17 | 3 << 14 | 14 << 10 | 2 << 1:
	case 3 << 20 | 1 << 17 | 3 << 14 | 14 << 10 | 2 << 1:
	case 3 << 20 | 2 << 17 | 3 << 14 | 14 << 10 | 2 << 1:
		told = (struct told){ .reason = RV_EXIT_IRQ };
		break;
	default:
		break;
	}
	return told;
}

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
	struct told told;
	bool goes_on;

	any_access();
	left = nondet_context();
	leave(vcpu);
	told = spec_sysreg();
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
