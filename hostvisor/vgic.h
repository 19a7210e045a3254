/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A GICv3 for guests: distributor, redistributors and the order of interrupts here, the CPU
 * interface in hardware through the list registers that the corevisor loads. No LPIs. One lock for
 * the whole GIC of a VM.
 */
#ifndef HOSTVISOR_VGIC_H
#define HOSTVISOR_VGIC_H

#include <linux/kvm.h>
#include <linux/list.h>
#include <linux/spinlock.h>
#include <ravelin/abi.h>

struct hv_vm;
struct hv_vcpu;

#define VGIC_SGIS 16
#define VGIC_PRIVATE 32
#define VGIC_VTIMER_INTID 27
#define VGIC_PTIMER_INTID 30
#define VGIC_DIST_BYTES 0x10000
#define VGIC_REDIST_BYTES 0x20000
#define VGIC_ITS_BYTES 0x20000
#define VGIC_NO_ADDR (~0ULL)

struct vgic_irq {
	struct list_head queued; /* in the owner's queue */
	struct hv_vcpu *owner; /* in whose queue: it is pending and enabled, or active */
	struct hv_vcpu *target; /* where it goes next */
	u64 route; /* GICD_IROUTER as written */
	u16 intid;
	u8 priority;
	bool is_level; /* by GICx_ICFGR; else edge */
	bool is_enabled;
	bool is_latched; /* pending without a line: edge, SGI, written by software */
	bool line; /* input of a level interrupt */
	bool is_active;
	bool in_lr; /* the owner runs with it; state is in the list register until the run ends */
};

struct vgic_cpu {
	struct list_head queue;
	struct vgic_irq private[VGIC_PRIVATE];
	struct vgic_irq *lr[RV_MAX_LRS]; /* what the list registers of this run hold */
	unsigned int lr_count;
};

struct hv_vgic {
	raw_spinlock_t lock;
	bool is_initialised;
	bool is_on; /* GICD_CTLR.EnableGrp1 */
	u32 nr_irqs; /* private ones included */
	u64 dist_base, redist_base, its_base;
	struct vgic_irq *spis;
};

/* vgic.c */
void vgic_init_vm(struct hv_vm *vm);
void vgic_init_vcpu(struct hv_vcpu *vcpu);
/* As after power-on; the devices' lines keep their level. */
void vgic_reset(struct hv_vm *vm);
void vgic_free(struct hv_vm *vm);
int vgic_irq_line(struct hv_vm *vm, const struct kvm_irq_level *args);
void vgic_set_private_line(struct hv_vcpu *vcpu, u32 intid, bool level);
/* The guest wrote ICC_SGI1R_EL1. */
void vgic_send_sgi(struct hv_vcpu *from, u64 value);
/* Fills the run page's list registers, takes them back. IRQs off. */
void vgic_load(struct hv_vcpu *vcpu);
void vgic_save(struct hv_vcpu *vcpu);
/* Is there an interrupt that would wake the vCPU? */
bool vgic_has_pending(struct hv_vcpu *vcpu);
/* Interrupt `intid` as this vCPU sees it; NULL: not implemented. */
struct vgic_irq *vgic_get_irq(struct hv_vcpu *vcpu, u32 intid);
bool vgic_irq_is_pending(const struct vgic_irq *irq);
/* Queues, moves or removes `irq` after its state changed. Pre: lock held. */
void vgic_update(struct vgic_irq *irq);
void vgic_kick_all(struct hv_vm *vm);
struct hv_vcpu *vgic_find_vcpu(struct hv_vm *vm, u64 affinity);

/* vgic_mmio.c: true: the access was the GIC's, *value is the answer to a read */
bool vgic_mmio(struct hv_vcpu *vcpu, u64 gpa, u32 bytes, bool is_write, u64 *value);

/* device.c */
int hv_device_create(struct hv_vm *vm, struct kvm_create_device *args);

#endif
