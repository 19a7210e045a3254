/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * As much of the GICv3 as brings this CPU its timer's interrupt and lets CPUs poke each other.
 * Interrupts stay masked in PSTATE: they are polled (irq_take), or end the run of a vCPU.
 */
#include "env.h"

#define GICD 0x08000000ul /* QEMU virt */
#define GICR 0x080a0000ul
#define GICR_STRIDE 0x20000ul
#define GICR_SGI 0x10000ul

enum {
	GICD_CTLR = 0x0,
	GICR_WAKER = 0x14,
	GICR_TYPER = 0x8,
	GICR_IGROUPR0 = 0x80,
	GICR_ISENABLER0 = 0x100,
};

#define CTLR_ARE_GRP1 0x12u
#define WAKER_SLEEP (1u << 1)
#define WAKER_CHILDREN_ASLEEP (1u << 2)
#define PPI_PHYS_TIMER 30

/* ICC_<name>_EL1, by encoding: older assemblers know no names */
#define ICC_PMR S3_0_C4_C6_0
#define ICC_IAR1 S3_0_C12_C12_0
#define ICC_EOIR1 S3_0_C12_C12_1
#define ICC_SGI1R S3_0_C12_C11_5
#define ICC_SRE S3_0_C12_C12_5
#define ICC_IGRPEN1 S3_0_C12_C12_7

static volatile u32 *reg32(u64 address)
{
	return (volatile u32 *)address;
}

/* This CPU's redistributor: GICR_TYPER holds the affinity in its upper half. */
static u64 own_redistributor(void)
{
	u64 mpidr = read_sysreg(mpidr_el1), frame;
	u32 affinity = (u32)(mpidr & 0xffffff) | (u32)(mpidr >> 32 & 0xff) << 24;

	for (frame = GICR;; frame += GICR_STRIDE) {
		u64 typer = *reg32(frame + GICR_TYPER) | (u64)*reg32(frame + GICR_TYPER + 4) << 32;

		if (typer >> 32 == affinity) {
			return frame;
		}
		if (typer & 1 << 4) { /* Last */
			fail("no redistributor for CPU %#lx", mpidr);
		}
	}
}

void gic_begin(void)
{
	u64 frame = own_redistributor();

	*reg32(GICD + GICD_CTLR) = CTLR_ARE_GRP1;
	*reg32(frame + GICR_WAKER) &= ~WAKER_SLEEP;
	while (*reg32(frame + GICR_WAKER) & WAKER_CHILDREN_ASLEEP) {
	}
	*reg32(frame + GICR_SGI + GICR_IGROUPR0) = ~0u;
	*reg32(frame + GICR_SGI + GICR_ISENABLER0) = 1u << PPI_PHYS_TIMER | 0xffff;
	write_sysreg(ICC_SRE, 7);
	isb();
	write_sysreg(ICC_PMR, 0xf0);
	write_sysreg(ICC_IGRPEN1, 1);
	isb();
}

void timer_arm_us(u64 us)
{
	write_sysreg(cntp_cval_el0, counter() + us * counter_hz() / 1000000);
	write_sysreg(cntp_ctl_el0, 1);
	isb();
}

void timer_stop(void)
{
	write_sysreg(cntp_ctl_el0, 0);
	isb();
}

u32 irq_take(void)
{
	u64 intid = read_sysreg(ICC_IAR1) & 0xffffff;

	if (intid == PPI_PHYS_TIMER) {
		timer_stop();
	}
	if (intid < 1020) {
		write_sysreg(ICC_EOIR1, intid);
		isb();
	}
	return (u32)intid;
}

void sgi_send(u32 intid, u64 mpidr)
{
	u64 value = (u64)intid << 24 | 1ul << (mpidr & 0xf) | (mpidr >> 8 & 0xff) << 16;

	dsb();
	write_sysreg(ICC_SGI1R, value);
	isb();
}
