// SPDX-License-Identifier: GPL-2.0-only
/*
 * The guest's timers. The corevisor runs them and says after each exit whether they fire now or
 * when they will; here their interrupt lines follow, and an hrtimer stands in while the vCPU waits.
 * The physical timer is emulated: its hrtimer also ends a run.
 */
#include "hostvisor.h"
#include "compat.h"

#include <linux/math64.h>
#include <asm/barrier.h>
#include <asm/sysreg.h>

#define NEVER (~0ULL)

/*
 * The corevisor's deadlines are in ticks of the physical counter; the host may read it
 * (docs/el2-registers.md).
 */
u64 hv_counter(void)
{
	isb();
	return read_sysreg(cntpct_el0);
}

/*
 * Maybe too early by the counter: the host's clock is slewed (NTP). Then whoever is kicked finds the
 * line low and arms it again.
 */
static enum hrtimer_restart hv_timer_fires(struct hrtimer *timer)
{
	struct hv_vcpu *vcpu = container_of(timer, struct hv_vcpu, timer);

	WRITE_ONCE(vcpu->timer_deadline, NEVER);
	hv_vcpu_kick(vcpu);
	return HRTIMER_NORESTART;
}

void hv_timer_init(struct hv_vcpu *vcpu)
{
	hv_hrtimer_setup(&vcpu->timer, hv_timer_fires);
	vcpu->timer_deadline = NEVER;
}

void hv_timer_cancel(struct hv_vcpu *vcpu)
{
	hrtimer_cancel(&vcpu->timer);
	vcpu->timer_deadline = NEVER;
}

static void hv_timer_arm(struct hv_vcpu *vcpu, u64 deadline, u64 now)
{
	u64 frequency = read_sysreg(cntfrq_el0);
	u64 ns;

	if (deadline == READ_ONCE(vcpu->timer_deadline))
		return;
	WRITE_ONCE(vcpu->timer_deadline, deadline);
	if (deadline == NEVER || deadline <= now)
		return;
	/* A day is as good as any later time: it only means looking again. */
	ns = mul_u64_u64_div_u64(min(deadline - now, 86400 * frequency), NSEC_PER_SEC, frequency);
	hrtimer_start(&vcpu->timer, ktime_add_ns(ktime_get(), ns), HRTIMER_MODE_ABS_HARD);
}

static void hv_timer_line(struct hv_vcpu *vcpu, u32 intid, bool level)
{
	if (vcpu->vgic.private[intid].line != level)
		vgic_set_private_line(vcpu, intid, level);
}

/*
 * Without a new report from the corevisor a line only rises, by its deadline; or stays where the
 * report left it.
 */
static bool hv_timer_level(struct hv_vcpu *vcpu, u32 intid, u64 deadline, u64 now, u32 pending,
			   bool is_fresh)
{
	if (deadline <= now)
		return true;
	return is_fresh ? pending : deadline == NEVER && vcpu->vgic.private[intid].line;
}

void hv_timer_update(struct hv_vcpu *vcpu, bool is_fresh)
{
	struct rv_run *run = vcpu->run;
	u64 now = run->vtimer_deadline == NEVER && run->ptimer_deadline == NEVER ? 0 : hv_counter();

	hv_timer_line(vcpu, VGIC_VTIMER_INTID,
		      hv_timer_level(vcpu, VGIC_VTIMER_INTID, run->vtimer_deadline, now,
				     run->vtimer_pending, is_fresh));
	hv_timer_line(vcpu, VGIC_PTIMER_INTID,
		      hv_timer_level(vcpu, VGIC_PTIMER_INTID, run->ptimer_deadline, now,
				     run->ptimer_pending, is_fresh));
}

void hv_timer_arm_for_run(struct hv_vcpu *vcpu)
{
	if (vcpu->run->ptimer_deadline != READ_ONCE(vcpu->timer_deadline))
		hv_timer_arm(vcpu, vcpu->run->ptimer_deadline, hv_counter());
}

/* A timer that has fired says so by its line, and hides no later one. */
void hv_timer_arm_for_wait(struct hv_vcpu *vcpu)
{
	u64 vtimer = vcpu->run->vtimer_deadline, ptimer = vcpu->run->ptimer_deadline;
	u64 now = hv_counter();

	hv_timer_arm(vcpu, min(vtimer > now ? vtimer : NEVER, ptimer > now ? ptimer : NEVER), now);
}
