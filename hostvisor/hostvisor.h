/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The objects behind the file descriptors of /dev/kvm, and what each file offers the others.
 *
 * Lifecycle of a VM: HV_SETUP (user space describes it; the corevisor knows nothing of it), HV_LIVE
 * from the first run of the boot vCPU, HV_STOPPED once the guest or user space ended it and every
 * page is the host's again. Initialising the boot vCPU (KVM_ARM_VCPU_INIT, which a VMM's reset
 * does) leads from HV_STOPPED back to HV_SETUP.
 *
 * Locks, outermost first: vcpu->mutex, vm->lock, vm->mem_lock, mmap_lock; then the spin locks
 * vm->io_lock, vm->vgic.lock and last vcpu->task_lock.
 */
#ifndef HOSTVISOR_H
#define HOSTVISOR_H

#include <linux/hrtimer.h>
#include <linux/kref.h>
#include <linux/kvm.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/rcuwait.h>
#include <linux/spinlock.h>
#include <linux/wait.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>

#include "hcall.h"
#include "vgic.h"

#define HV_MAX_VCPUS 64
#define HV_MAX_SLOTS RV_RAM_RANGES

enum hv_state { HV_SETUP, HV_LIVE, HV_STOPPED };

struct hv_slot {
	u64 gfn;
	u64 pages; /* 0: unused */
	unsigned long hva;
};

static inline unsigned long hv_slot_hva(const struct hv_slot *slot, u64 gfn)
{
	return slot->hva + ((gfn - slot->gfn) << PAGE_SHIFT);
}

struct hv_vm {
	struct kref ref; /* one for the VM's file, one for each vCPU and device file */
	struct list_head list;
	struct mm_struct *mm; /* only this process may use the VM */
	bool is_protected;

	struct mutex lock; /* what follows, down to mem_lock */
	enum hv_state state; /* written under lock, read anywhere */
	bool has_crashed;
	struct hv_vcpu *vcpus[HV_MAX_VCPUS]; /* entries only ever appear */
	unsigned int vcpu_count;
	struct list_head donated; /* record and table pages; under mem_lock once live */
	struct delayed_work retry; /* of a teardown that the corevisor could not finish at once */
	unsigned int retries;
	wait_queue_head_t state_wq;

	struct mutex mem_lock; /* the slots while live, and the guest's pages */
	u64 handle; /* the corevisor's name for the VM, 0: none */
	struct hv_slot slots[HV_MAX_SLOTS];
	struct hv_slot ram[HV_MAX_SLOTS]; /* what was declared at the first run */
	struct xarray pages; /* gfn -> pinned struct page */
	struct page **batch; /* RV_BATCH_PAGES entries of scratch */

	spinlock_t io_lock;
	struct list_head ioeventfds;
	unsigned int ioeventfd_count;

	struct hv_vgic vgic;
};

struct hv_vcpu {
	struct hv_vm *vm;
	unsigned int index;
	struct mutex mutex; /* one ioctl at a time */
	struct kvm_run *kvm_run; /* a page user space may write at any time */
	struct rv_run *run; /* the page shared with the corevisor */

	bool is_initialised; /* KVM_ARM_VCPU_INIT seen */
	u32 mp_state; /* as user space set it */
	/*
	 * CPU_ON minus CPU_OFF of the guest, positive: it may run. A count, since the exits that
	 * tell of a CPU_OFF and of the CPU_ON after it reach us in any order.
	 */
	atomic_t power;
	struct kvm_regs shadow; /* what user space set before the first run */
	u64 psci_version;

	bool wants_mmio_data; /* the next KVM_RUN brings the answer to a read */
	u32 mmio_bytes;

	bool in_run; /* in the corevisor, or about to be: RV_VCPU_RUN */
	struct rcuwait wait;
	raw_spinlock_t task_lock;
	struct task_struct *task; /* the thread inside KVM_RUN */

	struct hrtimer timer; /* wakes a waiting vCPU, ends a run when the physical timer is due */
	u64 timer_deadline; /* CNTPCT for which it is set, ~0: not set */
	struct vgic_cpu vgic;
};

/* main.c */
extern bool hv_is_going_down;
extern struct workqueue_struct *hv_workqueue;

/* vm.c */
int hv_vm_open(unsigned long type, bool is_protected);
int hv_check_extension(unsigned long cap);
void hv_vm_put(struct hv_vm *vm);
static inline void hv_vm_get(struct hv_vm *vm)
{
	kref_get(&vm->ref);
}

/* Tells the corevisor about the VM. Pre: vm->lock held, state HV_SETUP. */
int hv_vm_launch(struct hv_vm *vm);
/*
 * Ends the VM: afterwards no vCPU runs and every page is the host's. Idempotent. Pre: vm->lock
 * held. -EBUSY: the corevisor holds something back; call again.
 */
int hv_vm_stop(struct hv_vm *vm);
void hv_vm_stop_all(void);
/* No vCPU goes meanwhile. */
void hv_vm_for_each_vcpu(void (*function)(struct hv_vcpu *vcpu, void *data), void *data);

/* debug.c */
void hv_debugfs_init(void);
void hv_debugfs_exit(void);

/* mem.c */
int hv_mem_set_region(struct hv_vm *vm, const struct kvm_userspace_memory_region *region);
/* Declares the slots. Pre: vm->lock and vm->mem_lock held. */
int hv_mem_declare(struct hv_vm *vm);
/* NULL: no RAM there. Pre: vm->mem_lock held. */
const struct hv_slot *hv_mem_find_slot(const struct hv_vm *vm, u64 gfn);
/*
 * The first gfn in [gfn, end) of `slot` that user space may have put something into, else `end`: a
 * hint. Pre: vm->mem_lock held.
 */
u64 hv_mem_skip_untouched(struct hv_vm *vm, const struct hv_slot *slot, u64 gfn, u64 end);
/* Gives the guest these pages, content and all, as image `index`. Pre: vm->mem_lock held. */
int hv_mem_give_image(struct hv_vm *vm, u64 index, u64 gfn, u64 pages);
/* Answers RV_EXIT_RAM. -EFAULT: nothing there that could be given. */
int hv_mem_fault(struct hv_vm *vm, u64 gfn);
/* Pre: the VM is dead for the corevisor, vm->mem_lock held. */
void hv_mem_release(struct hv_vm *vm);
/*
 * Takes `count` consecutive pages for the corevisor and notes them in vm->donated; NULL: out of
 * memory.
 */
struct page *hv_mem_take(struct hv_vm *vm, unsigned int count);
void hv_mem_give_back(struct page *page);
/* Answers RV_E_NOMEM, the attempt-th time (from 0). -ENOMEM: give up. Pre: vm->mem_lock held. */
int hv_mem_topup(struct hv_vm *vm, unsigned int attempt);
/* Answers RV_EXIT_TABLES: the VM's tables, or the corevisor's pool. */
int hv_mem_tables(struct hv_vm *vm, bool is_pool);

/* launch.c, all with vm->mem_lock held */

/*
 * A copy of what the owner of the images in the VM's memory signed, for free_page(). -ENOKEY: there
 * is none.
 */
struct rv_launch *hv_launch_find(struct hv_vm *vm);
/* Hands the images over, then has them verified. */
int hv_launch_images(struct hv_vm *vm, const struct rv_launch *launch);
int hv_launch_verify(struct hv_vm *vm, const struct rv_launch *launch);

/* vcpu.c */
int hv_vcpu_open(struct hv_vm *vm, unsigned long index);
void hv_vcpu_free(struct hv_vcpu *vcpu);
/* Makes the vCPU look at the world again: wakes it, or ends its run. Any context. */
void hv_vcpu_kick(struct hv_vcpu *vcpu);
u64 hv_vcpu_mpidr(unsigned int index);

/* run.c */
int hv_vcpu_ioctl_run(struct hv_vcpu *vcpu);

/* onereg.c */
void hv_onereg_init(void);
int hv_onereg_get(struct hv_vcpu *vcpu, const struct kvm_one_reg *reg);
int hv_onereg_set(struct hv_vcpu *vcpu, const struct kvm_one_reg *reg);
int hv_onereg_list(struct kvm_reg_list __user *list);

/* timer.c */
u64 hv_counter(void);
void hv_timer_init(struct hv_vcpu *vcpu);
void hv_timer_cancel(struct hv_vcpu *vcpu);
/* Moves the timers' lines. is_fresh: the run page tells of an exit just now. */
void hv_timer_update(struct hv_vcpu *vcpu, bool is_fresh);
/* The physical timer ends the coming run when it is due; IRQs off. */
void hv_timer_arm_for_run(struct hv_vcpu *vcpu);
/* Either timer wakes the waiting vCPU. */
void hv_timer_arm_for_wait(struct hv_vcpu *vcpu);

/* ioeventfd.c */
int hv_ioeventfd(struct hv_vm *vm, const struct kvm_ioeventfd *args);
bool hv_ioeventfd_write(struct hv_vm *vm, u64 gpa, u32 bytes, u64 value);
void hv_ioeventfd_release(struct hv_vm *vm);

#endif
