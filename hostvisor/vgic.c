// SPDX-License-Identifier: GPL-2.0-only
/*
 * The state of a guest's interrupts and their way through the list registers.
 *
 * An interrupt that is active, or pending and enabled, stands in the queue of exactly one vCPU.
 * Before a run the most urgent ones of the queue go into list registers; after it their state comes
 * back. A level interrupt asks for an exit at its end (EOI bit), so that its line is sampled again;
 * when the queue does not fit, all of them do.
 */
#include "hostvisor.h"

#include <linux/mm.h>
#include <linux/slab.h>

#define LR_PENDING BIT_ULL(62)
#define LR_ACTIVE BIT_ULL(63)
#define LR_GROUP1 BIT_ULL(60)
#define LR_EOI BIT_ULL(41)
#define LR_PRIORITY_SHIFT 48

bool vgic_irq_is_pending(const struct vgic_irq *irq)
{
	return irq->is_latched || (irq->is_level && irq->line);
}

struct vgic_irq *vgic_get_irq(struct hv_vcpu *vcpu, u32 intid)
{
	struct hv_vgic *vgic = &vcpu->vm->vgic;

	if (intid < VGIC_PRIVATE)
		return &vcpu->vgic.private[intid];
	if (vgic->spis && intid < vgic->nr_irqs)
		return &vgic->spis[intid - VGIC_PRIVATE];
	return NULL;
}

struct hv_vcpu *vgic_find_vcpu(struct hv_vm *vm, u64 affinity)
{
	unsigned int index = (affinity & 0xf) | (affinity >> 8 & 0xff) << 4;

	if (affinity & 0xff000000f0 || affinity & 0xff0000 || index >= HV_MAX_VCPUS)
		return NULL;
	return READ_ONCE(vm->vcpus[index]);
}

static struct hv_vcpu *vgic_wanted_owner(const struct vgic_irq *irq)
{
	if (irq->is_active)
		return irq->owner ? irq->owner : irq->target;
	return irq->is_enabled && vgic_irq_is_pending(irq) ? irq->target : NULL;
}

void vgic_update(struct vgic_irq *irq)
{
	struct hv_vcpu *wanted;

	if (irq->in_lr) {
		/* Its state is in hardware; a new edge must still get there. */
		if (vgic_irq_is_pending(irq))
			hv_vcpu_kick(irq->owner);
		return;
	}
	wanted = vgic_wanted_owner(irq);
	if (wanted != irq->owner) {
		if (irq->owner)
			list_del(&irq->queued);
		irq->owner = wanted;
		if (wanted)
			list_add_tail(&irq->queued, &wanted->vgic.queue);
	}
	if (wanted)
		hv_vcpu_kick(wanted);
}

static void vgic_reset_irq(struct vgic_irq *irq, u32 intid, struct hv_vcpu *target)
{
	bool line = irq->line;

	memset(irq, 0, sizeof(*irq));
	irq->intid = intid;
	irq->target = target;
	irq->line = line;
	irq->is_level = intid >= VGIC_SGIS;
	irq->is_enabled = intid < VGIC_SGIS;
}

void vgic_init_vm(struct hv_vm *vm)
{
	struct hv_vgic *vgic = &vm->vgic;

	raw_spin_lock_init(&vgic->lock);
	vgic->nr_irqs = 256;
	vgic->dist_base = VGIC_NO_ADDR;
	vgic->redist_base = VGIC_NO_ADDR;
	vgic->its_base = VGIC_NO_ADDR;
}

void vgic_init_vcpu(struct hv_vcpu *vcpu)
{
	unsigned int i;

	INIT_LIST_HEAD(&vcpu->vgic.queue);
	for (i = 0; i < VGIC_PRIVATE; i++)
		vgic_reset_irq(&vcpu->vgic.private[i], i, vcpu);
}

void vgic_reset(struct hv_vm *vm)
{
	struct hv_vgic *vgic = &vm->vgic;
	unsigned long flags;
	unsigned int i;

	raw_spin_lock_irqsave(&vgic->lock, flags);
	vgic->is_on = false;
	for (i = 0; i < HV_MAX_VCPUS; i++) {
		if (!vm->vcpus[i])
			continue;
		vm->vcpus[i]->vgic.lr_count = 0;
		vgic_init_vcpu(vm->vcpus[i]);
	}
	for (i = 0; vgic->spis && i < vgic->nr_irqs - VGIC_PRIVATE; i++)
		vgic_reset_irq(&vgic->spis[i], VGIC_PRIVATE + i, vm->vcpus[0]);
	raw_spin_unlock_irqrestore(&vgic->lock, flags);
}

void vgic_free(struct hv_vm *vm)
{
	kvfree(vm->vgic.spis);
	vm->vgic.spis = NULL;
}

void vgic_kick_all(struct hv_vm *vm)
{
	unsigned int i;

	for (i = 0; i < HV_MAX_VCPUS; i++)
		if (vm->vcpus[i])
			hv_vcpu_kick(vm->vcpus[i]);
}

static void vgic_set_line(struct vgic_irq *irq, bool level)
{
	bool rises = level && !irq->line;

	irq->line = level;
	if (rises && !irq->is_level)
		irq->is_latched = true;
	vgic_update(irq);
}

void vgic_set_private_line(struct hv_vcpu *vcpu, u32 intid, bool level)
{
	struct hv_vgic *vgic = &vcpu->vm->vgic;
	unsigned long flags;

	raw_spin_lock_irqsave(&vgic->lock, flags);
	vgic_set_line(&vcpu->vgic.private[intid], level);
	raw_spin_unlock_irqrestore(&vgic->lock, flags);
}

static struct hv_vcpu *vgic_line_vcpu(struct hv_vm *vm, u32 irq)
{
	u32 index = (irq >> KVM_ARM_IRQ_VCPU_SHIFT & KVM_ARM_IRQ_VCPU_MASK) |
		    (irq >> KVM_ARM_IRQ_VCPU2_SHIFT & KVM_ARM_IRQ_VCPU2_MASK) << 8;

	return index < HV_MAX_VCPUS ? READ_ONCE(vm->vcpus[index]) : NULL;
}

int vgic_irq_line(struct hv_vm *vm, const struct kvm_irq_level *args)
{
	u32 type = args->irq >> KVM_ARM_IRQ_TYPE_SHIFT & KVM_ARM_IRQ_TYPE_MASK;
	u32 intid = args->irq & KVM_ARM_IRQ_NUM_MASK;
	struct hv_vgic *vgic = &vm->vgic;
	unsigned long flags;

	if (!smp_load_acquire(&vgic->is_initialised))
		return -ENXIO;
	if (type == KVM_ARM_IRQ_TYPE_PPI) {
		struct hv_vcpu *vcpu = vgic_line_vcpu(vm, args->irq);

		if (!vcpu || intid < VGIC_SGIS || intid >= VGIC_PRIVATE ||
		    intid == VGIC_VTIMER_INTID || intid == VGIC_PTIMER_INTID)
			return -EINVAL;
		vgic_set_private_line(vcpu, intid, args->level);
		return 0;
	}
	if (type != KVM_ARM_IRQ_TYPE_SPI || intid < VGIC_PRIVATE || intid >= vgic->nr_irqs)
		return -EINVAL;
	raw_spin_lock_irqsave(&vgic->lock, flags);
	vgic_set_line(&vgic->spis[intid - VGIC_PRIVATE], args->level);
	raw_spin_unlock_irqrestore(&vgic->lock, flags);
	return 0;
}

static void vgic_send_sgi_to(struct hv_vcpu *vcpu, u32 intid)
{
	struct vgic_irq *irq = &vcpu->vgic.private[intid];

	irq->is_latched = true;
	vgic_update(irq);
}

/*
 * GICv3 specification, ICC_SGI1R_EL1: IRM 40, RS 47:44, INTID 27:24, affinities 55:48, 39:32 and
 * 23:16, targets 15:0.
 */
void vgic_send_sgi(struct hv_vcpu *from, u64 value)
{
	u64 cluster = (value >> 48 & 0xff) << 32 | (value >> 32 & 0xff) << 16 |
		      (value >> 16 & 0xff) << 8;
	struct hv_vm *vm = from->vm;
	u32 intid = value >> 24 & 0xf;
	struct hv_vcpu *vcpu;
	unsigned long flags;
	unsigned int i;

	raw_spin_lock_irqsave(&vm->vgic.lock, flags);
	if (value & BIT_ULL(40)) {
		for (i = 0; i < HV_MAX_VCPUS; i++)
			if (vm->vcpus[i] && vm->vcpus[i] != from)
				vgic_send_sgi_to(vm->vcpus[i], intid);
	} else if (!(value >> 44 & 0xf)) {
		for (i = 0; i < 16; i++) {
			vcpu = value & BIT(i) ? vgic_find_vcpu(vm, cluster | i) : NULL;
			if (vcpu)
				vgic_send_sgi_to(vcpu, intid);
		}
	}
	raw_spin_unlock_irqrestore(&vm->vgic.lock, flags);
}

/*
 * Active ones first: their end must find them in a list register. Then by priority, lowest value
 * first.
 */
static bool vgic_goes_before(const struct vgic_irq *a, const struct vgic_irq *b)
{
	if (a->is_active != b->is_active)
		return a->is_active;
	return a->priority < b->priority;
}

/* Sorts the best of the queue into lr[]. Returns whether some had to stay outside. */
static bool vgic_pick(struct hv_vcpu *vcpu)
{
	struct vgic_cpu *cpu = &vcpu->vgic;
	struct vgic_irq *irq;
	bool is_short = false;
	unsigned int i;

	list_for_each_entry(irq, &cpu->queue, queued) {
		if (!irq->is_active && !vcpu->vm->vgic.is_on)
			continue;
		i = cpu->lr_count;
		if (i == hv_core.lr_count) {
			is_short = true;
			if (!vgic_goes_before(irq, cpu->lr[--i]))
				continue;
		} else {
			cpu->lr_count++;
		}
		for (; i > 0 && vgic_goes_before(irq, cpu->lr[i - 1]); i--)
			cpu->lr[i] = cpu->lr[i - 1];
		cpu->lr[i] = irq;
	}
	return is_short;
}

static u64 vgic_to_lr(struct vgic_irq *irq, bool want_eoi)
{
	u64 lr = LR_GROUP1 | (u64)irq->priority << LR_PRIORITY_SHIFT | irq->intid;

	if (irq->is_active)
		lr |= LR_ACTIVE;
	/* A level interrupt is not pending again before its end: its line is looked at then. */
	if (irq->is_enabled && vgic_irq_is_pending(irq) && !(irq->is_level && irq->is_active))
		lr |= LR_PENDING;
	if (!irq->is_level && lr & LR_PENDING)
		irq->is_latched = false;
	/*
	 * The virtual timer is linked to the physical one by the corevisor; its end is known there.
	 */
	if (irq->intid != VGIC_VTIMER_INTID && (want_eoi || irq->is_level))
		lr |= LR_EOI;
	return lr;
}

void vgic_load(struct hv_vcpu *vcpu)
{
	struct hv_vgic *vgic = &vcpu->vm->vgic;
	struct vgic_cpu *cpu = &vcpu->vgic;
	struct rv_run *run = vcpu->run;
	unsigned long flags;
	unsigned int i;
	bool is_short;

	cpu->lr_count = 0;
	run->in_lr_count = 0;
	/* Whoever queues something after this look kicks us, since in_run is set. */
	if (list_empty_careful(&cpu->queue))
		return;
	raw_spin_lock_irqsave(&vgic->lock, flags);
	is_short = vgic_pick(vcpu);
	for (i = 0; i < cpu->lr_count; i++) {
		run->in_lr[i] = vgic_to_lr(cpu->lr[i], is_short);
		cpu->lr[i]->in_lr = true;
	}
	run->in_lr_count = cpu->lr_count;
	raw_spin_unlock_irqrestore(&vgic->lock, flags);
}

static void vgic_from_lr(struct vgic_irq *irq, u64 lr)
{
	irq->in_lr = false;
	irq->is_active = lr & LR_ACTIVE;
	if (lr & LR_PENDING)
		irq->is_latched |= !irq->is_level;
	else if (irq->is_level)
		irq->is_latched = false; /* what software had set was taken */
	vgic_update(irq);
}

void vgic_save(struct hv_vcpu *vcpu)
{
	struct hv_vgic *vgic = &vcpu->vm->vgic;
	struct vgic_cpu *cpu = &vcpu->vgic;
	unsigned long flags;
	unsigned int i;

	if (!cpu->lr_count)
		return;
	raw_spin_lock_irqsave(&vgic->lock, flags);
	for (i = 0; i < cpu->lr_count; i++)
		vgic_from_lr(cpu->lr[i], vcpu->run->lr[i]);
	cpu->lr_count = 0;
	raw_spin_unlock_irqrestore(&vgic->lock, flags);
}

bool vgic_has_pending(struct hv_vcpu *vcpu)
{
	struct hv_vgic *vgic = &vcpu->vm->vgic;
	struct vgic_irq *irq;
	unsigned long flags;
	bool found = false;

	if (list_empty_careful(&vcpu->vgic.queue))
		return false;
	raw_spin_lock_irqsave(&vgic->lock, flags);
	list_for_each_entry(irq, &vcpu->vgic.queue, queued) {
		if (vgic->is_on && irq->is_enabled && vgic_irq_is_pending(irq) &&
		    !(irq->is_level && irq->is_active)) {
			found = true;
			break;
		}
	}
	raw_spin_unlock_irqrestore(&vgic->lock, flags);
	return found;
}
