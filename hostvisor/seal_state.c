// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the module keeps of a VM that runs, as bytes in a snapshot: distributor and redistributors,
 * which vCPUs are on, answers to device reads that are on their way. Nothing protects these bytes,
 * as nothing protects the guest from what the host does with its interrupts; they are checked so
 * that they cannot harm the kernel. Lines are not among them, but for the timers': they are the
 * devices', which the VMM has anew.
 */
#include "hostvisor.h"

#define STATE_VERSION 1

struct hv_state_vm {
	u32 version;
	u32 nr_irqs; /* shared ones; they follow, then the vCPUs, by index */
	u32 vcpu_count;
	u32 is_on;
};

struct hv_state_vcpu {
	u32 power;
	u32 in_flags;
	u64 in_data;
	u64 irqs[VGIC_PRIVATE];
};

/* An interrupt is one word: the route as GICD_IROUTER has it, and this. */
#define IRQ_ROUTE 0xff80ffffffULL
#define IRQ_PRIORITY GENMASK_ULL(47, 43)
#define IRQ_LEVEL BIT_ULL(48)
#define IRQ_ENABLED BIT_ULL(49)
#define IRQ_LATCHED BIT_ULL(50)
#define IRQ_ACTIVE BIT_ULL(51)
#define IRQ_LINE BIT_ULL(52)
#define IRQ_OWNER GENMASK_ULL(63, 56) /* of an active one: index + 1; 0: none */
#define IRQ_PRIORITY_SHIFT 40
#define IRQ_OWNER_SHIFT 56
#define IRQ_KNOWN                                                                        \
	(IRQ_ROUTE | IRQ_PRIORITY | IRQ_LEVEL | IRQ_ENABLED | IRQ_LATCHED | IRQ_ACTIVE | \
	 IRQ_LINE | IRQ_OWNER)

static u32 hv_shared_irqs(const struct hv_vm *vm)
{
	return vm->vgic.spis ? vm->vgic.nr_irqs - VGIC_PRIVATE : 0;
}

static u32 hv_state_bytes(const struct hv_vm *vm)
{
	BUILD_BUG_ON(sizeof(struct hv_state_vm) + (1024 - VGIC_PRIVATE) * sizeof(u64) +
			     HV_MAX_VCPUS * sizeof(struct hv_state_vcpu) >
		     HV_SEAL_STATE_MAX);
	return sizeof(struct hv_state_vm) + hv_shared_irqs(vm) * sizeof(u64) +
	       vm->vcpu_count * sizeof(struct hv_state_vcpu);
}

static bool hv_is_timer(const struct vgic_irq *irq)
{
	return irq->intid == VGIC_VTIMER_INTID || irq->intid == VGIC_PTIMER_INTID;
}

/* ---- out ---- */

static u64 hv_irq_get(const struct vgic_irq *irq)
{
	/* Without an owner: the guest has made active what goes to no vCPU. */
	u64 owner = irq->is_active && irq->owner ? irq->owner->index + 1 : 0;

	return irq->route | (u64)irq->priority << IRQ_PRIORITY_SHIFT |
	       (irq->is_level ? IRQ_LEVEL : 0) | (irq->is_enabled ? IRQ_ENABLED : 0) |
	       (irq->is_latched ? IRQ_LATCHED : 0) | (irq->is_active ? IRQ_ACTIVE : 0) |
	       (hv_is_timer(irq) && irq->line ? IRQ_LINE : 0) | owner << IRQ_OWNER_SHIFT;
}

static void hv_vcpu_state_get(const struct hv_vcpu *vcpu, struct hv_state_vcpu *to)
{
	unsigned int i;

	to->power = atomic_read(&vcpu->power);
	to->in_flags = vcpu->run->in_flags;
	to->in_data = vcpu->run->in_data;
	for (i = 0; i < VGIC_PRIVATE; i++)
		to->irqs[i] = hv_irq_get(&vcpu->vgic.private[i]);
}

u32 hv_seal_state_get(struct hv_vm *vm, void *to)
{
	struct hv_state_vm *state = to;
	u64 *irqs = (u64 *)(state + 1);
	struct hv_state_vcpu *vcpu;
	unsigned long flags;
	unsigned int i;

	raw_spin_lock_irqsave(&vm->vgic.lock, flags);
	*state = (struct hv_state_vm){
		.version = STATE_VERSION,
		.nr_irqs = hv_shared_irqs(vm),
		.vcpu_count = vm->vcpu_count,
		.is_on = vm->vgic.is_on,
	};
	for (i = 0; i < state->nr_irqs; i++)
		irqs[i] = hv_irq_get(&vm->vgic.spis[i]);
	vcpu = (struct hv_state_vcpu *)(irqs + state->nr_irqs);
	for (i = 0; i < HV_MAX_VCPUS; i++)
		if (vm->vcpus[i])
			hv_vcpu_state_get(vm->vcpus[i], vcpu++);
	raw_spin_unlock_irqrestore(&vm->vgic.lock, flags);
	return hv_state_bytes(vm);
}

/* ---- in ---- */

/* The word's vCPU, NULL: it names none. */
static struct hv_vcpu *hv_irq_owner(const struct hv_vm *vm, u64 word)
{
	unsigned int number = word >> IRQ_OWNER_SHIFT;

	return number && number <= HV_MAX_VCPUS ? vm->vcpus[number - 1] : NULL;
}

static bool hv_is_irq(const struct hv_vm *vm, const struct vgic_irq *irq, u64 word)
{
	const struct hv_vcpu *owner = hv_irq_owner(vm, word);

	if (word & ~IRQ_KNOWN || (word & IRQ_LINE && !hv_is_timer(irq)))
		return false;
	if (!(word & IRQ_OWNER))
		return true;
	return owner && word & IRQ_ACTIVE && (irq->intid >= VGIC_PRIVATE || owner == irq->target);
}

/* Pre: as vgic_reset() leaves it, vgic.lock held. */
static int hv_irq_set(struct hv_vm *vm, struct vgic_irq *irq, u64 word)
{
	struct hv_vcpu *target = irq->target;

	if (!hv_is_irq(vm, irq, word))
		return -EINVAL;
	irq->route = word & IRQ_ROUTE;
	if (irq->intid >= VGIC_PRIVATE)
		target = irq->route & BIT(31) ? vm->vcpus[0] : vgic_find_vcpu(vm, irq->route);
	irq->priority = (word & IRQ_PRIORITY) >> IRQ_PRIORITY_SHIFT;
	irq->is_level = word & IRQ_LEVEL;
	irq->is_enabled = word & IRQ_ENABLED;
	irq->is_latched = word & IRQ_LATCHED;
	irq->is_active = word & IRQ_ACTIVE;
	if (hv_is_timer(irq))
		irq->line = word & IRQ_LINE;
	/* An active one is queued where it was taken; the next one may go elsewhere. */
	irq->target = hv_irq_owner(vm, word) ?: target;
	vgic_update(irq);
	irq->target = target;
	vgic_update(irq);
	return 0;
}

static int hv_vcpu_state_set(struct hv_vcpu *vcpu, const struct hv_state_vcpu *from)
{
	unsigned int i;
	int ret = 0;

	if (from->power > 1 || from->in_flags & ~RV_IN_RESULT)
		return -EINVAL;
	atomic_set(&vcpu->power, from->power);
	vcpu->run->in_flags = from->in_flags;
	vcpu->run->in_data = from->in_data;
	for (i = 0; i < VGIC_PRIVATE && !ret; i++)
		ret = hv_irq_set(vcpu->vm, &vcpu->vgic.private[i], from -> irqs[i]);
	return ret;
}

static int hv_state_set(struct hv_vm *vm, const struct hv_state_vm *state)
{
	const u64 *irqs = (const u64 *)(state + 1);
	const struct hv_state_vcpu *vcpu = (const void *)(irqs + state->nr_irqs);
	unsigned int i;
	int ret = 0;

	vm->vgic.is_on = state->is_on;
	for (i = 0; i < state->nr_irqs && !ret; i++)
		ret = hv_irq_set(vm, &vm->vgic.spis[i], irqs[i]);
	for (i = 0; i < HV_MAX_VCPUS && !ret; i++)
		if (vm->vcpus[i])
			ret = hv_vcpu_state_set(vm->vcpus[i], vcpu++);
	return ret;
}

int hv_seal_state_set(struct hv_vm *vm, const void *from, u32 bytes)
{
	const struct hv_state_vm *state = from;
	unsigned long flags;
	int ret = -EINVAL;

	raw_spin_lock_irqsave(&vm->vgic.lock, flags);
	if (bytes == hv_state_bytes(vm) && state->version == STATE_VERSION &&
	    state->nr_irqs == hv_shared_irqs(vm) && state->vcpu_count == vm->vcpu_count &&
	    state->is_on <= 1)
		ret = hv_state_set(vm, state);
	raw_spin_unlock_irqrestore(&vm->vgic.lock, flags);
	return ret;
}
