// SPDX-License-Identifier: GPL-2.0-only
/* vCPU files: creation, state as user space sees it, the page shared with user space. */
#include "hostvisor.h"

#include <linux/anon_inodes.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#define KNOWN_FEATURES (BIT(KVM_ARM_VCPU_POWER_OFF) | BIT(KVM_ARM_VCPU_PSCI_0_2))
#define PSTATE_AT_RESET 0x3c5 /* EL1h, DAIF masked */
#define PSCI_1_1 0x10001

u64 hv_vcpu_mpidr(unsigned int index)
{
	return BIT(31) | (index & 15) | (u64)(index >> 4) << 8;
}

void hv_vcpu_kick(struct hv_vcpu *vcpu)
{
	unsigned long flags;

	rcuwait_wake_up(&vcpu->wait);
	smp_mb(); /* what changed, before in_run; pairs with hv_vcpu_enter() */
	if (!READ_ONCE(vcpu->in_run))
		return;
	raw_spin_lock_irqsave(&vcpu->task_lock, flags);
	if (vcpu->task)
		kick_process(vcpu->task);
	raw_spin_unlock_irqrestore(&vcpu->task_lock, flags);
}

/* ---- ioctls ---- */

/* The boot vCPU's reset is the VM's: what ran so far ends, and the next run starts anew. */
static int hv_vcpu_restart_vm(struct hv_vm *vm)
{
	int ret = 0;

	mutex_lock(&vm->lock);
	if (vm->state != HV_SETUP) {
		ret = hv_vm_stop(vm);
		if (!ret) {
			vm->has_crashed = false;
			WRITE_ONCE(vm->state, HV_SETUP);
		}
	}
	mutex_unlock(&vm->lock);
	return ret;
}

static int hv_vcpu_init(struct hv_vcpu *vcpu, void __user *arg)
{
	struct kvm_vcpu_init init;
	unsigned int i;
	int ret = 0;

	if (copy_from_user(&init, arg, sizeof(init)))
		return -EFAULT;
	if (init.target != KVM_ARM_TARGET_GENERIC_V8 || init.features[0] & ~KNOWN_FEATURES)
		return -EINVAL;
	for (i = 1; i < ARRAY_SIZE(init.features); i++)
		if (init.features[i])
			return -EINVAL;
	if (!vcpu->index)
		ret = hv_vcpu_restart_vm(vcpu->vm);
	if (ret)
		return ret;
	memset(&vcpu->shadow, 0, sizeof(vcpu->shadow));
	vcpu->shadow.regs.pstate = PSTATE_AT_RESET;
	vcpu->mp_state = init.features[0] & BIT(KVM_ARM_VCPU_POWER_OFF) ? KVM_MP_STATE_STOPPED :
									  KVM_MP_STATE_RUNNABLE;
	vcpu->wants_mmio_data = false;
	vcpu->is_initialised = true;
	return 0;
}

static int hv_vcpu_get_mp_state(struct hv_vcpu *vcpu, void __user *arg)
{
	struct kvm_mp_state state = { .mp_state = vcpu->mp_state };

	if (hv_vm_is_fixed(vcpu->vm))
		state.mp_state = atomic_read(&vcpu->power) > 0 ? KVM_MP_STATE_RUNNABLE :
								 KVM_MP_STATE_STOPPED;
	return copy_to_user(arg, &state, sizeof(state)) ? -EFAULT : 0;
}

/* Taken as a wish for the first run; a running guest's power is its own matter. */
static int hv_vcpu_set_mp_state(struct hv_vcpu *vcpu, void __user *arg)
{
	struct kvm_mp_state state;

	if (copy_from_user(&state, arg, sizeof(state)))
		return -EFAULT;
	if (state.mp_state != KVM_MP_STATE_RUNNABLE && state.mp_state != KVM_MP_STATE_STOPPED)
		return -EINVAL;
	vcpu->mp_state = state.mp_state;
	return 0;
}

static int hv_vcpu_one_reg(struct hv_vcpu *vcpu, void __user *arg, bool is_set)
{
	struct kvm_one_reg reg;

	if (!vcpu->is_initialised)
		return -ENOEXEC;
	if (copy_from_user(&reg, arg, sizeof(reg)))
		return -EFAULT;
	return is_set ? hv_onereg_set(vcpu, &reg) : hv_onereg_get(vcpu, &reg);
}

static long hv_vcpu_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct hv_vcpu *vcpu = file->private_data;
	void __user *user = (void __user *)arg;
	long ret;

	if (vcpu->vm->mm != current->mm)
		return -EIO;
	if (mutex_lock_killable(&vcpu->mutex))
		return -EINTR;
	switch (cmd) {
	case KVM_RUN:
		ret = arg ? -EINVAL : hv_vcpu_ioctl_run(vcpu);
		break;
	case KVM_ARM_VCPU_INIT:
		ret = hv_vcpu_init(vcpu, user);
		break;
	case KVM_GET_ONE_REG:
		ret = hv_vcpu_one_reg(vcpu, user, false);
		break;
	case KVM_SET_ONE_REG:
		ret = hv_vcpu_one_reg(vcpu, user, true);
		break;
	case KVM_GET_REG_LIST:
		ret = vcpu->is_initialised ? hv_onereg_list(user) : -ENOEXEC;
		break;
	case KVM_GET_MP_STATE:
		ret = hv_vcpu_get_mp_state(vcpu, user);
		break;
	case KVM_SET_MP_STATE:
		ret = hv_vcpu_set_mp_state(vcpu, user);
		break;
	default:
		ret = -ENOTTY;
	}
	mutex_unlock(&vcpu->mutex);
	return ret;
}

/* ---- the kvm_run page ---- */

static vm_fault_t hv_vcpu_fault(struct vm_fault *vmf)
{
	struct hv_vcpu *vcpu = vmf->vma->vm_file->private_data;

	if (vmf->pgoff)
		return VM_FAULT_SIGBUS;
	vmf->page = virt_to_page(vcpu->kvm_run);
	get_page(vmf->page);
	return 0;
}

static const struct vm_operations_struct hv_vcpu_vm_ops = {
	.fault = hv_vcpu_fault,
};

static int hv_vcpu_mmap(struct file *file, struct vm_area_struct *vma)
{
	if (vma_pages(vma) > 1 || vma->vm_pgoff)
		return -EINVAL;
	vma->vm_ops = &hv_vcpu_vm_ops;
	return 0;
}

static int hv_vcpu_release(struct inode *inode, struct file *file)
{
	struct hv_vcpu *vcpu = file->private_data;

	hv_vm_put(vcpu->vm);
	return 0;
}

static const struct file_operations hv_vcpu_fops = {
	.owner = THIS_MODULE,
	.release = hv_vcpu_release,
	.unlocked_ioctl = hv_vcpu_ioctl,
	.mmap = hv_vcpu_mmap,
	.llseek = noop_llseek,
};

/* ---- creation ---- */

static struct hv_vcpu *hv_vcpu_alloc(struct hv_vm *vm, unsigned int index)
{
	struct hv_vcpu *vcpu = kvzalloc(sizeof(*vcpu), GFP_KERNEL_ACCOUNT);

	if (!vcpu)
		return NULL;
	vcpu->kvm_run = (void *)get_zeroed_page(GFP_KERNEL_ACCOUNT);
	vcpu->run = (void *)get_zeroed_page(GFP_KERNEL_ACCOUNT);
	vcpu->vm = vm;
	vcpu->index = index;
	vcpu->psci_version = PSCI_1_1;
	mutex_init(&vcpu->mutex);
	raw_spin_lock_init(&vcpu->task_lock);
	rcuwait_init(&vcpu->wait);
	hv_timer_init(vcpu);
	vgic_init_vcpu(vcpu);
	if (!vcpu->kvm_run || !vcpu->run) {
		hv_vcpu_free(vcpu);
		return NULL;
	}
	vcpu->run->vtimer_deadline = ~0ULL;
	vcpu->run->ptimer_deadline = ~0ULL;
	return vcpu;
}

/* Pre: nobody can find it any more, and the corevisor does not hold its run page. */
void hv_vcpu_free(struct hv_vcpu *vcpu)
{
	hv_timer_cancel(vcpu);
	free_page((unsigned long)vcpu->kvm_run);
	free_page((unsigned long)vcpu->run);
	kvfree(vcpu);
}

/* Pre: vm->lock held. Published last: nobody finds a vCPU that may go again. */
static int hv_vcpu_create_locked(struct hv_vm *vm, unsigned int index)
{
	struct hv_vcpu *vcpu;
	char name[16];
	int fd;

	if (vm->state != HV_SETUP)
		return -EBUSY;
	if (vm->vcpus[index])
		return -EEXIST;
	vcpu = hv_vcpu_alloc(vm, index);
	if (!vcpu)
		return -ENOMEM;
	hv_vm_get(vm);
	snprintf(name, sizeof(name), "kvm-vcpu:%u", index);
	fd = anon_inode_getfd(name, &hv_vcpu_fops, vcpu, O_RDWR | O_CLOEXEC);
	if (fd < 0) {
		hv_vcpu_free(vcpu);
		hv_vm_put(vm); /* not the last: the caller came through the VM's file */
		return fd;
	}
	smp_store_release(&vm->vcpus[index], vcpu);
	vm->vcpu_count++;
	return fd;
}

int hv_vcpu_open(struct hv_vm *vm, unsigned long index)
{
	int ret;

	if (index >= HV_MAX_VCPUS || index >= hv_core.max_vcpus)
		return -EINVAL;
	mutex_lock(&vm->lock);
	ret = hv_vcpu_create_locked(vm, index);
	mutex_unlock(&vm->lock);
	return ret;
}
