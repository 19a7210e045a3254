/* SPDX-License-Identifier: BSD-3-Clause */
/* Exceptions into guests: the entry that the hardware would have made, computed by exception.c. */
#include <cv/guest_inject.h>

#include <cv/arch_host.h>
#include <cv/exception.h>

/* PSTATE.IT of AArch32: bits 7:2 of it are bits 15:10 of the SPSR, bits 1:0 are bits 26:25 (Arm ARM
 * C5.2.19, G1.9) */
#define IT_HIGH_SHIFT 8
#define IT_HIGH 0xfcull
#define IT_LOW_SHIFT 25
#define IT_LOW 3ull
#define IT_CONDITION 0xe0ull
#define IT_MASK 0x1full
#define IT_LAST 7ull

/* One instruction less in an IT block (AArch32.ITAdvance). */
static u64 it_advance(u64 pstate)
{
	u64 it = ((pstate >> IT_HIGH_SHIFT) & IT_HIGH) | ((pstate >> IT_LOW_SHIFT) & IT_LOW);

	it = (it & IT_LAST) == 0 ? 0 : (it & IT_CONDITION) | ((it << 1) & IT_MASK);
	pstate &= ~(IT_HIGH << IT_HIGH_SHIFT | IT_LOW << IT_LOW_SHIFT);
	return pstate | (it & IT_HIGH) << IT_HIGH_SHIFT | (it & IT_LOW) << IT_LOW_SHIFT;
}

void guest_skip(struct vcpu *vcpu)
{
	vcpu->ctx.pc += (vcpu->exit.esr & ESR_IL) != 0 ? 4 : 2;
	if ((vcpu->ctx.pstate & PSTATE_M32) != 0) {
		vcpu->ctx.pstate = it_advance(vcpu->ctx.pstate);
	} else {
		/* As after any instruction but an indirect branch (FEAT_BTI). */
		vcpu->ctx.pstate &= ~PSTATE_BTYPE;
	}
}

static void inject(struct vcpu *vcpu, u64 esr, u64 far)
{
	const struct el1_entry el1 = arch_host_el1();
	const struct exception_entry entry = exception_enter(vcpu->ctx.pstate, &el1);

	arch_host_set_exception(esr, far, vcpu->ctx.pc, vcpu->ctx.pstate);
	vcpu->ctx.pc = entry.pc;
	vcpu->ctx.pstate = entry.pstate;
}

void guest_inject_undef(struct vcpu *vcpu)
{
	/* EC 0: ISS is 0, IL is 1 (Arm ARM D19.2.40) */
	inject(vcpu, (EC_UNKNOWN << ESR_EC_SHIFT) | ESR_IL, 0);
}

void guest_inject_abort(struct vcpu *vcpu)
{
	const u64 cause = vcpu->exit.esr;
	const bool is_fetch = ESR_EC(cause) == EC_IABT_LOWER;
	const bool is_el1 = exception_is_from_el1(vcpu->ctx.pstate);
	const u64 ec = is_fetch ? (is_el1 ? EC_IABT_SAME : EC_IABT_LOWER)
				: (is_el1 ? EC_DABT_SAME : EC_DABT_LOWER);
	u64 esr = (ec << ESR_EC_SHIFT) | ESR_IL | FSC_EXTERNAL;

	if (!is_fetch) {
		esr |= cause & (ESR_WNR | ESR_CM);
	}
	inject(vcpu, esr, vcpu->exit.far);
}
