// SPDX-License-Identifier: GPL-2.0-only
/*
 * The registers of the distributor and the redistributors (Arm IHI 0069, chapter 12), with DS = 1
 * and ARE = 1.
 */
#include "hostvisor.h"

#define GICD_CTLR 0x0000
#define GICD_TYPER 0x0004
#define GICD_IIDR 0x0008
#define GICD_IROUTER 0x6000
#define GICD_IROUTER_END 0x8000
#define GICR_CTLR 0x0000
#define GICR_IIDR 0x0004
#define GICR_TYPER 0x0008
#define GICR_SGI_FRAME 0x10000
#define GIC_PIDR2 0xffe8
/* The same in both frames. */
#define GIC_IGROUPR 0x080
#define GIC_ISENABLER 0x100
#define GIC_ICENABLER 0x180
#define GIC_ISPENDR 0x200
#define GIC_ICPENDR 0x280
#define GIC_ISACTIVER 0x300
#define GIC_ICACTIVER 0x380
#define GIC_IPRIORITYR 0x400
#define GIC_IPRIORITYR_END 0x800
#define GIC_ICFGR 0xc00
#define GIC_ICFGR_END 0xd00

#define CTLR_ENABLE_G1 BIT(1)
#define CTLR_ARE BIT(4)
#define CTLR_DS BIT(6)
#define ARCH_GICV3 0x3b
#define IIDR_VALUE ((u32)'R' << 24)
#define TYPER_ID_BITS ((10 - 1) << 19)

/*
 * The interrupts of one frame: the distributor has the shared ones only, a redistributor its vCPU's
 * private ones.
 */
static struct vgic_irq *frame_irq(struct hv_vcpu *vcpu, bool is_redist, u32 intid)
{
	if (is_redist != (intid < VGIC_PRIVATE))
		return NULL;
	return vgic_get_irq(vcpu, intid);
}

static bool bit_read(const struct vgic_irq *irq, u32 reg)
{
	switch (reg) {
	case GIC_IGROUPR:
		return true; /* all of group 1: the corevisor lets nothing else through */
	case GIC_ISENABLER:
	case GIC_ICENABLER:
		return irq->is_enabled;
	case GIC_ISPENDR:
	case GIC_ICPENDR:
		return vgic_irq_is_pending(irq);
	default:
		return irq->is_active;
	}
}

static void bit_write(struct vgic_irq *irq, u32 reg)
{
	switch (reg) {
	case GIC_ISENABLER:
	case GIC_ICENABLER:
		irq->is_enabled = reg == GIC_ISENABLER;
		break;
	case GIC_ISPENDR:
	case GIC_ICPENDR:
		irq->is_latched = reg == GIC_ISPENDR;
		break;
	case GIC_ISACTIVER:
	case GIC_ICACTIVER:
		irq->is_active = reg == GIC_ISACTIVER;
		break;
	default:
		return;
	}
	vgic_update(irq);
}

/* One bit an interrupt: 0x80 bytes a register file. */
static u64 bits_access(struct hv_vcpu *vcpu, bool is_redist, u32 offset, u32 bytes, bool is_write,
		       u64 value)
{
	u32 first = (offset & 0x7f) * 8;
	u32 reg = offset & ~0x7f;
	struct vgic_irq *irq;
	u64 result = 0;
	u32 i;

	for (i = 0; i < bytes * 8; i++) {
		irq = frame_irq(vcpu, is_redist, first + i);
		if (!irq)
			continue;
		if (!is_write)
			result |= (u64)bit_read(irq, reg) << i;
		else if (value >> i & 1)
			bit_write(irq, reg);
	}
	return result;
}

static u64 priority_access(struct hv_vcpu *vcpu, bool is_redist, u32 offset, u32 bytes,
			   bool is_write, u64 value)
{
	struct vgic_irq *irq;
	u64 result = 0;
	u32 i;

	for (i = 0; i < bytes; i++) {
		irq = frame_irq(vcpu, is_redist, offset - GIC_IPRIORITYR + i);
		if (!irq)
			continue;
		if (is_write)
			irq->priority = (value >> i * 8) & 0xf8; /* the CPU interface's 5 bits */
		else
			result |= (u64)irq->priority << i * 8;
	}
	return result;
}

static u64 config_access(struct hv_vcpu *vcpu, bool is_redist, u32 offset, u32 bytes, bool is_write,
			 u64 value)
{
	struct vgic_irq *irq;
	u64 result = 0;
	u32 i;

	for (i = 0; i < bytes * 4; i++) {
		irq = frame_irq(vcpu, is_redist, (offset - GIC_ICFGR) * 4 + i);
		if (!irq)
			continue;
		if (!is_write) {
			result |= (irq->is_level ? 0ULL : 2ULL) << i * 2;
		} else if (irq->intid >= VGIC_SGIS) {
			irq->is_level = !(value >> i * 2 & 2);
			vgic_update(irq);
		}
	}
	return result;
}

/* 8 bytes, or either half of them. */
static u64 router_access(struct hv_vcpu *vcpu, u32 offset, u32 bytes, bool is_write, u64 value)
{
	struct vgic_irq *irq = frame_irq(vcpu, false, (offset - GICD_IROUTER) / 8);
	u32 shift = (offset & 4) * 8;
	u64 mask = bytes == 8 ? ~0ULL : 0xffffffffULL << shift;

	if (!irq || bytes < 4)
		return 0;
	if (!is_write)
		return (irq->route & mask) >> shift;
	irq->route = ((irq->route & ~mask) | (value << shift & mask)) & 0xff80ffffffULL;
	/* "Any vCPU" is the first one. */
	irq->target = irq->route & BIT(31) ? vcpu->vm->vcpus[0] :
					     vgic_find_vcpu(vcpu->vm, irq->route);
	vgic_update(irq);
	return 0;
}

/* What both frames have. */
static u64 irqs_access(struct hv_vcpu *vcpu, bool is_redist, u32 offset, u32 bytes, bool is_write,
		       u64 value)
{
	if (offset >= GIC_IGROUPR && offset < GIC_IPRIORITYR)
		return bits_access(vcpu, is_redist, offset, bytes, is_write, value);
	if (offset >= GIC_IPRIORITYR && offset < GIC_IPRIORITYR_END)
		return priority_access(vcpu, is_redist, offset, bytes, is_write, value);
	if (offset >= GIC_ICFGR && offset < GIC_ICFGR_END)
		return config_access(vcpu, is_redist, offset, bytes, is_write, value);
	return 0;
}

static u64 dist_access(struct hv_vcpu *vcpu, u32 offset, u32 bytes, bool is_write, u64 value)
{
	struct hv_vgic *vgic = &vcpu->vm->vgic;

	switch (offset) {
	case GICD_CTLR:
		if (is_write) {
			vgic->is_on = value & CTLR_ENABLE_G1;
			vgic_kick_all(vcpu->vm);
		}
		return CTLR_DS | CTLR_ARE | (vgic->is_on ? CTLR_ENABLE_G1 : 0);
	case GICD_TYPER:
		return TYPER_ID_BITS | (vgic->nr_irqs / 32 - 1);
	case GICD_IIDR:
		return IIDR_VALUE;
	case GIC_PIDR2:
		return ARCH_GICV3;
	}
	if (offset >= GICD_IROUTER && offset < GICD_IROUTER_END)
		return router_access(vcpu, offset, bytes, is_write, value);
	return irqs_access(vcpu, false, offset, bytes, is_write, value);
}

static u64 redist_typer(const struct hv_vcpu *owner)
{
	u64 affinity = hv_vcpu_mpidr(owner->index) & 0xffffff;
	bool is_last = owner->index + 1 >= HV_MAX_VCPUS || !owner->vm->vcpus[owner->index + 1];

	return affinity << 32 | (u64)owner->index << 8 | (is_last ? BIT(4) : 0);
}

/*
 * `owner`: whose redistributor it is. Waking up is immediate, LPIs there are none: CTLR and WAKER
 * read as 0.
 */
static u64 redist_access(struct hv_vcpu *owner, u32 offset, u32 bytes, bool is_write, u64 value)
{
	if (offset >= GICR_SGI_FRAME)
		return irqs_access(owner, true, offset - GICR_SGI_FRAME, bytes, is_write, value);
	switch (offset) {
	case GICR_IIDR:
		return IIDR_VALUE;
	case GICR_TYPER:
		return bytes == 8 ? redist_typer(owner) : (u32)redist_typer(owner);
	case GICR_TYPER + 4:
		return redist_typer(owner) >> 32;
	case GIC_PIDR2:
		return ARCH_GICV3;
	default:
		return 0;
	}
}

static bool is_within(u64 gpa, u32 bytes, u64 base, u64 size)
{
	return base != VGIC_NO_ADDR && gpa >= base && gpa - base <= size - bytes;
}

static struct hv_vcpu *redist_owner(struct hv_vm *vm, u64 gpa, u32 bytes)
{
	u64 base = vm->vgic.redist_base;

	if (!is_within(gpa, bytes, base, (u64)HV_MAX_VCPUS * VGIC_REDIST_BYTES))
		return NULL;
	return vm->vcpus[(gpa - base) / VGIC_REDIST_BYTES];
}

bool vgic_mmio(struct hv_vcpu *vcpu, u64 gpa, u32 bytes, bool is_write, u64 *value)
{
	struct hv_vgic *vgic = &vcpu->vm->vgic;
	struct hv_vcpu *owner;
	unsigned long flags;
	bool is_ours = true;
	u64 result = 0;

	if (!vgic->is_initialised)
		return false;
	raw_spin_lock_irqsave(&vgic->lock, flags);
	owner = redist_owner(vcpu->vm, gpa, bytes);
	if (is_within(gpa, bytes, vgic->dist_base, VGIC_DIST_BYTES))
		result = dist_access(vcpu, gpa - vgic->dist_base, bytes, is_write, *value);
	else if (owner)
		result = redist_access(owner, (gpa - vgic->redist_base) % VGIC_REDIST_BYTES, bytes,
				       is_write, *value);
	else
		/* The ITS is a stub that reads as zero: no ITS there, says the guest. */
		is_ours = is_within(gpa, bytes, vgic->its_base, VGIC_ITS_BYTES);
	raw_spin_unlock_irqrestore(&vgic->lock, flags);
	if (is_ours && !is_write)
		*value = result;
	return is_ours;
}
