/* SPDX-License-Identifier: BSD-3-Clause */
/* Arithmetic of the guest's timers. */
#include <cv/vtimer.h>

#include <cv/arch.h>

u64 vtimer_now(const struct vm *vm)
{
	return arch_counter() - vm->cntvoff;
}

bool vtimer_fires(u64 ctl, u64 cval, u64 now)
{
	return (ctl & (CNT_CTL_ENABLE | CNT_CTL_IMASK)) == CNT_CTL_ENABLE && now >= cval;
}

/* A guest's time may be ahead of the counter (a snapshot from before the last boot): then the
 * offset is negative, and what lies before the counter's zero has fired. */
u64 vtimer_deadline(u64 ctl, u64 cval, u64 cntvoff)
{
	const u64 ahead = -cntvoff;
	const u64 deadline = cval + cntvoff;

	if ((ctl & (CNT_CTL_ENABLE | CNT_CTL_IMASK)) != CNT_CTL_ENABLE) {
		return VTIMER_NEVER;
	}
	if ((s64)cntvoff < 0) {
		return cval > ahead ? deadline : 0;
	}
	return deadline < cval ? VTIMER_NEVER : deadline;
}

u64 vtimer_read_phys(const struct vcpu *vcpu, enum vtimer_reg reg)
{
	const struct vtimer_state *timer = &vcpu->timer;
	u64 now = vtimer_now(vcpu->vm);
	u64 ctl = timer->cntp_ctl;

	switch (reg) {
	case VTIMER_CTL:
		/* ISTATUS does not depend on IMASK; it is 0 while the timer is disabled. */
		return ctl |
		       (vtimer_fires(ctl & CNT_CTL_ENABLE, timer->cntp_cval, now) ? CNT_CTL_ISTATUS
										  : 0);
	case VTIMER_CVAL:
		return timer->cntp_cval;
	case VTIMER_TVAL:
	default:
		return (timer->cntp_cval - now) & 0xffffffff;
	}
}

void vtimer_write_phys(struct vcpu *vcpu, enum vtimer_reg reg, u64 value)
{
	struct vtimer_state *timer = &vcpu->timer;

	switch (reg) {
	case VTIMER_CTL:
		timer->cntp_ctl = value & (CNT_CTL_ENABLE | CNT_CTL_IMASK);
		break;
	case VTIMER_CVAL:
		timer->cntp_cval = value;
		break;
	case VTIMER_TVAL:
		/* TVAL is a signed 32-bit distance from now. */
		timer->cntp_cval = vtimer_now(vcpu->vm) + (u64)(s64)(int32_t)value;
		break;
	}
}
