/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * CNTV and the traps of CNTP. The physical timer stays the host's all the time: it is what
 * interrupts a guest that does not give the CPU back.
 */
#include <arm64/switch.h>

#include <arm64/sysreg.h>
#include <cv/vcpu.h>

/* CNTHCTL_EL2 for guests: EL1PCTEN and EL1PCEN 0, physical counter and timer trap; nothing of
 * FEAT_ECV. */
#define CNTHCTL_GUEST 0ull

void timer_load(struct timer_host *host, const struct vcpu *vcpu)
{
	host->cnthctl = sysreg_read(cnthctl_el2);
	host->cntv_ctl = sysreg_read(cntv_ctl_el0);
	host->cntv_cval = sysreg_read(cntv_cval_el0);
	sysreg_write(cnthctl_el2, CNTHCTL_GUEST);
	sysreg_write(cntvoff_el2, vcpu->vm->cntvoff);
	sysreg_write(cntv_cval_el0, vcpu->timer.cntv_cval);
	/* The compare value first, or the timer could fire for the old one. */
	isb();
	sysreg_write(cntv_ctl_el0, vcpu->timer.cntv_ctl);
}

void timer_put(const struct timer_host *host, struct vcpu *vcpu)
{
	vcpu->timer.cntv_ctl = sysreg_read(cntv_ctl_el0);
	vcpu->timer.cntv_cval = sysreg_read(cntv_cval_el0);
	/* Off first: the line of PPI 27 drops before the host can take it. */
	sysreg_write(cntv_ctl_el0, 0);
	isb();
	sysreg_write(cntvoff_el2, 0);
	sysreg_write(cntv_cval_el0, host->cntv_cval);
	sysreg_write(cntv_ctl_el0, host->cntv_ctl);
	sysreg_write(cnthctl_el2, host->cnthctl);
}
