/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The virtual CPU interface, and PPI 27 in the redistributor. While the guest's timer interrupt
 * sits in a list register, PPI 27 is active here: its line is level high, and would otherwise end
 * every run before the guest's first instruction (design.md 4.7). Arm IHI 0069 (GICv3), 12.4 ICH
 * registers, 12.11 GICR registers.
 */
#include <arm64/switch.h>

#include <arm64/cpu.h>
#include <arm64/sysreg.h>
#include <cv/arch.h>
#include <cv/check.h>
#include <cv/vcpu.h>
#include <cv/vgic.h>
#include <cv/vtimer.h>

#define SYS_ICH_VTR_EL2 S3_4_C12_C11_1
#define SYS_ICH_MISR_EL2 S3_4_C12_C11_2
#define SYS_ICH_VMCR_EL2 S3_4_C12_C11_7
#define ICH_HCR_EN 1ull
#define VTR_LIST_REGS(vtr) (((vtr) & 0x1f) + 1)
/* Preemption bits - 1: 4, 5, 6 for 1, 2 or 4 active-priority registers of each group */
#define VTR_PRE_BITS(vtr) ((((vtr) >> 26) & 7) + 1)

/* ICC_SRE_EL2: SRE, DFB, DIB; without Enable, ICC_SRE_EL1 traps: the host's must not be the guest's
 * to write */
#define ICC_SRE_GUEST 7ull
#define ICC_SRE_HOST 0xfull

/* GICR SGI frame, as words */
#define GICR_ISENABLER0 (0x100 / 4)
#define GICR_ISACTIVER0 (0x300 / 4)
#define GICR_ICACTIVER0 (0x380 / 4)
#define PPI_VTIMER (1u << VGIC_VTIMER_INTID)
/* The maintenance interrupt: PPI 25 on every system that follows the base system architecture (Arm
 * DEN0094) */
#define PPI_MAINTENANCE (1u << 25)

#define LIST_REGISTERS(X)                                                                         \
	X(0, S3_4_C12_C12_0)                                                                      \
	X(1, S3_4_C12_C12_1) X(2, S3_4_C12_C12_2) X(3, S3_4_C12_C12_3) X(4, S3_4_C12_C12_4)       \
		X(5, S3_4_C12_C12_5) X(6, S3_4_C12_C12_6) X(7, S3_4_C12_C12_7)                    \
			X(8, S3_4_C12_C13_0) X(9, S3_4_C12_C13_1) X(10, S3_4_C12_C13_2)           \
				X(11, S3_4_C12_C13_3) X(12, S3_4_C12_C13_4) X(13, S3_4_C12_C13_5) \
					X(14, S3_4_C12_C13_6) X(15, S3_4_C12_C13_7)

static u64 lr_read(u32 n)
{
	switch (n) {
#define X(index, reg) \
	case index:   \
		return sysreg_read(reg);
		LIST_REGISTERS(X)
#undef X
	default:
		return 0;
	}
}

static void lr_write(u32 n, u64 value)
{
	switch (n) {
#define X(index, reg)                     \
	case index:                       \
		sysreg_write(reg, value); \
		break;
		LIST_REGISTERS(X)
#undef X
	default:
		break;
	}
}

u32 arch_lr_count(void)
{
	return (u32)min_u64(VTR_LIST_REGS(sysreg_read(SYS_ICH_VTR_EL2)), RV_MAX_LRS);
}

static void apr_load(const struct vgic_state *vgic)
{
	const u64 bits = VTR_PRE_BITS(sysreg_read(SYS_ICH_VTR_EL2));

	sysreg_write(S3_4_C12_C8_0, vgic->ap0r[0]);
	sysreg_write(S3_4_C12_C9_0, vgic->ap1r[0]);
	if (bits >= 6) {
		sysreg_write(S3_4_C12_C8_1, vgic->ap0r[1]);
		sysreg_write(S3_4_C12_C9_1, vgic->ap1r[1]);
	}
	if (bits >= 7) {
		sysreg_write(S3_4_C12_C8_2, vgic->ap0r[2]);
		sysreg_write(S3_4_C12_C8_3, vgic->ap0r[3]);
		sysreg_write(S3_4_C12_C9_2, vgic->ap1r[2]);
		sysreg_write(S3_4_C12_C9_3, vgic->ap1r[3]);
	}
}

static void apr_save(struct vgic_state *vgic)
{
	const u64 bits = VTR_PRE_BITS(sysreg_read(SYS_ICH_VTR_EL2));

	vgic->ap0r[0] = sysreg_read(S3_4_C12_C8_0);
	vgic->ap1r[0] = sysreg_read(S3_4_C12_C9_0);
	if (bits >= 6) {
		vgic->ap0r[1] = sysreg_read(S3_4_C12_C8_1);
		vgic->ap1r[1] = sysreg_read(S3_4_C12_C9_1);
	}
	if (bits >= 7) {
		vgic->ap0r[2] = sysreg_read(S3_4_C12_C8_2);
		vgic->ap0r[3] = sysreg_read(S3_4_C12_C8_3);
		vgic->ap1r[2] = sysreg_read(S3_4_C12_C9_2);
		vgic->ap1r[3] = sysreg_read(S3_4_C12_C9_3);
	}
}

/*
 * PPI 27 is held active while its line would end the run for nothing: the interrupt is in a list
 * register already, or the timer fired when the last run ended, so that the host knows, but the
 * guest has the interrupt switched off (Linux programs a CPU's timer before it enables the
 * interrupt). Switching it on is an exit, after which this is decided anew.
 */
static bool must_hold_vtimer(const struct vcpu *vcpu)
{
	const u64 fired = CNT_CTL_ENABLE | CNT_CTL_ISTATUS;

	return vgic_holds_vtimer(&vcpu->vgic) ||
	       (vcpu->timer.cntv_ctl & (fired | CNT_CTL_IMASK)) == fired;
}

static bool is_held[CPU_MAX]; /* each entry is used by its CPU alone */

/* The host may have switched its PPIs off; what it sees of ours is at most an interrupt that is
 * gone when it looks. */
static void ppi_load(const struct cpu *cpu, const struct vcpu *vcpu)
{
	if (cpu->gicr_sgi == NULL) {
		return;
	}
	is_held[cpu->index] = must_hold_vtimer(vcpu);
	if (is_held[cpu->index]) {
		cpu->gicr_sgi[GICR_ISACTIVER0] = PPI_VTIMER;
	}
	cpu->gicr_sgi[GICR_ISENABLER0] = PPI_VTIMER | PPI_MAINTENANCE;
	dsb(sy);
}

/* The guest may have deactivated it; the state lives on in the list register. */
static void ppi_put(const struct cpu *cpu)
{
	if (cpu->gicr_sgi != NULL && is_held[cpu->index]) {
		cpu->gicr_sgi[GICR_ICACTIVER0] = PPI_VTIMER;
		dsb(sy);
	}
}

void gicv3_load(struct cpu *cpu, const struct vcpu *vcpu)
{
	const struct vgic_state *vgic = &vcpu->vgic;

	ppi_load(cpu, vcpu);
	sysreg_write(SYS_ICC_SRE_EL2, ICC_SRE_GUEST);
	sysreg_write(SYS_ICH_VMCR_EL2, vgic->vmcr);
	apr_load(vgic);
	for (u32 i = 0; i < vgic->lr_count; i++) {
		lr_write(i, vgic->lr[i]);
	}
	sysreg_write(SYS_ICH_HCR_EL2, ICH_HCR_EN);
}

void gicv3_put(struct cpu *cpu, struct vgic_state *vgic)
{
	vgic->misr = (u32)sysreg_read(SYS_ICH_MISR_EL2);
	vgic->vmcr = sysreg_read(SYS_ICH_VMCR_EL2);
	apr_save(vgic);
	for (u32 i = 0; i < vgic->lr_count; i++) {
		vgic->lr[i] = lr_read(i);
		lr_write(i, 0);
	}
	sysreg_write(SYS_ICH_HCR_EL2, 0);
	sysreg_write(SYS_ICC_SRE_EL2, ICC_SRE_HOST);
	isb();
	ppi_put(cpu);
}
