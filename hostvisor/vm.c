// SPDX-License-Identifier: GPL-2.0-only
/*
 * VM files: their ioctls, and a VM's way into the corevisor and out of it. However the user of a VM
 * ends, the last reference brings every page back before it is unpinned or freed.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include "hostvisor.h"

#include <linux/anon_inodes.h>
#include <linux/cpumask.h>
#include <linux/delay.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#define RETRY_DELAY (HZ / 10)
#define RETRIES_MAX 600
#define DESTROY_CALLS_MAX 100000

static LIST_HEAD(hv_vms);
static DEFINE_MUTEX(hv_vms_lock);

/* ---- capabilities ---- */

int hv_check_extension(unsigned long cap)
{
	switch (cap) {
	case KVM_CAP_IRQCHIP:
	case KVM_CAP_USER_MEMORY:
	case KVM_CAP_MP_STATE:
	case KVM_CAP_DESTROY_MEMORY_REGION_WORKS:
	case KVM_CAP_JOIN_MEMORY_REGIONS_WORKS:
	case KVM_CAP_IRQFD: /* QEMU wants it beside IRQCHIP; without MSIs it never calls it */
	case KVM_CAP_IOEVENTFD:
	case KVM_CAP_IOEVENTFD_ANY_LENGTH:
	case KVM_CAP_INTERNAL_ERROR_DATA:
	case KVM_CAP_ONE_REG:
	case KVM_CAP_ARM_PSCI:
	case KVM_CAP_ARM_PSCI_0_2:
	case KVM_CAP_DEVICE_CTRL:
	case KVM_CAP_CHECK_EXTENSION_VM:
	case KVM_CAP_IMMEDIATE_EXIT:
		return 1;
	case KVM_CAP_NR_VCPUS:
		return min3(num_online_cpus(), hv_core.max_vcpus, (u32)HV_MAX_VCPUS);
	case KVM_CAP_MAX_VCPUS:
		return min_t(u32, hv_core.max_vcpus, HV_MAX_VCPUS);
	case KVM_CAP_NR_MEMSLOTS:
		return HV_MAX_SLOTS;
	case KVM_CAP_ARM_VM_IPA_SIZE:
		return hv_core.ipa_bits;
	default:
		return 0;
	}
}

/* ---- into the corevisor ---- */

/* Pre: mem_lock held. */
static int hv_launch_vm(struct hv_vm *vm, const struct rv_launch *launch)
{
	struct page *record = hv_mem_take(vm, hv_core.vm_record_pages);
	struct page *root = hv_mem_take(vm, 2);
	unsigned int attempt = 0;
	u64 owner[4] = { 0 };
	int status, ret;

	if (!record || !root)
		return -ENOMEM;
	if (launch)
		memcpy(owner, launch->owner, sizeof(owner));
	for (;;) {
		status = hv_vm_create(page_to_pfn(record), page_to_pfn(root),
				      vm->is_protected ? RV_VM_PROTECTED : 0, owner, &vm->handle);
		if (status != RV_E_NOMEM)
			return hv_errno(status);
		ret = hv_mem_topup(vm, attempt++);
		if (ret)
			return ret;
	}
}

/* Pre: mem_lock held. */
static int hv_launch_vcpu(struct hv_vcpu *vcpu)
{
	struct page *record = hv_mem_take(vcpu->vm, hv_core.vcpu_record_pages);
	unsigned int attempt = 0;
	int status, ret;

	if (!record)
		return -ENOMEM;
	memset(vcpu->run, 0, sizeof(*vcpu->run));
	vcpu->run->vtimer_deadline = ~0ULL;
	vcpu->run->ptimer_deadline = ~0ULL;
	atomic_set(&vcpu->power, vcpu->index == 0);
	vcpu->wants_mmio_data = false;
	for (;;) {
		status = hv_vcpu_create(vcpu->vm->handle, vcpu->index, page_to_pfn(record),
					page_to_pfn(virt_to_page(vcpu->run)));
		if (status != RV_E_NOMEM)
			return hv_errno(status);
		ret = hv_mem_topup(vcpu->vm, attempt++);
		if (ret)
			return ret;
	}
}

/*
 * A protected VM begins with what its owner signed, at the entry its owner signed. An open VM gets
 * its pages, content and all, as it touches them. Pre: mem_lock held.
 */
static int hv_launch_steps(struct hv_vm *vm, const struct rv_launch *launch)
{
	const struct user_pt_regs *boot = &vm->vcpus[0]->shadow.regs;
	unsigned int i;
	int ret;

	ret = hv_launch_vm(vm, launch);
	if (!ret)
		ret = hv_mem_declare(vm);
	for (i = 0; i < HV_MAX_VCPUS && !ret; i++)
		if (vm->vcpus[i])
			ret = hv_launch_vcpu(vm->vcpus[i]);
	if (!ret && launch)
		ret = hv_launch_images(vm, launch);
	if (!ret)
		ret = hv_launch_verify(vm, launch);
	if (ret)
		return ret;
	return hv_errno(hv_vcpu_boot(vm->handle, 0, launch ? launch->entry : boot->pc,
				     boot->regs[0]));
}

static int hv_launch_all(struct hv_vm *vm)
{
	struct rv_launch *launch = NULL;
	int ret;

	mutex_lock(&vm->mem_lock);
	if (vm->is_protected)
		launch = hv_launch_find(vm);
	ret = IS_ERR(launch) ? PTR_ERR(launch) : hv_launch_steps(vm, launch);
	mutex_unlock(&vm->mem_lock);
	if (!IS_ERR(launch))
		free_page((unsigned long)launch);
	return ret;
}

static void hv_launch_complain(const struct hv_vm *vm, int ret)
{
	const char *why;

	if (ret == -ENOKEY)
		why = "there is no signed image in its memory";
	else if (ret == -EKEYREJECTED)
		why = "its image is not what the owner signed: changed, or another's key";
	else if (ret == -EPERM)
		why = "the image's owner does not allow this entry or so many vCPUs";
	else
		why = NULL;
	if (!why)
		pr_warn("a %s VM could not start: error %d\n",
			vm->is_protected ? "protected" : "open", ret);
	else
		pr_warn("a protected VM is refused, %s; such a VM starts only from an image signed with `ravelin sign`, see docs/launch.md\n",
			why);
}

int hv_vm_launch(struct hv_vm *vm)
{
	int ret;

	if (READ_ONCE(hv_is_going_down))
		return -ESHUTDOWN;
	vgic_reset(vm);
	ret = hv_launch_all(vm);
	if (ret) {
		hv_launch_complain(vm, ret);
		if (!hv_vm_stop(vm))
			WRITE_ONCE(vm->state, HV_SETUP);
		return ret;
	}
	vm->has_crashed = false;
	smp_store_release(&vm->state, HV_LIVE);
	wake_up_all(&vm->state_wq);
	vgic_kick_all(vm);
	return 0;
}

/* ---- out of it ---- */

/* Every vCPU looks at vm->state after it set in_run and before it enters. */
static void hv_chase_vcpus(struct hv_vm *vm)
{
	unsigned int i;

	smp_mb(); /* state before in_run; pairs with hv_vcpu_enter() */
	for (i = 0; i < HV_MAX_VCPUS; i++) {
		while (vm->vcpus[i] && smp_load_acquire(&vm->vcpus[i]->in_run)) {
			hv_vcpu_kick(vm->vcpus[i]);
			usleep_range(20, 100);
		}
	}
}

static int hv_reclaim_slot(struct hv_vm *vm, const struct hv_slot *ram)
{
	u64 gfn = ram->gfn, end = gfn + ram->pages, next;
	int status;

	while (gfn < end) {
		status = hv_mem_reclaim(vm->handle, gfn, end - gfn, &next);
		if (status != RV_OK)
			return hv_errno(status);
		if (next <= gfn || next > end)
			return -EIO;
		gfn = next;
		cond_resched();
	}
	return 0;
}

/* Pre: no vCPU runs, mem_lock held. Post on 0: the corevisor holds nothing of ours. */
static int hv_dissolve(struct hv_vm *vm)
{
	unsigned int i, calls = 0;
	u64 left = 1;
	int status;
	int ret = hv_errno(hv_vm_kill(vm->handle));

	for (i = 0; i < HV_MAX_SLOTS && !ret; i++)
		ret = hv_reclaim_slot(vm, &vm->ram[i]);
	while (!ret && left) {
		status = hv_vm_destroy(vm->handle, &left);
		ret = calls++ < DESTROY_CALLS_MAX ? hv_errno(status) : -EIO;
		cond_resched();
	}
	return ret;
}

int hv_vm_stop(struct hv_vm *vm)
{
	int ret = 0;

	WRITE_ONCE(vm->state, HV_STOPPED);
	hv_chase_vcpus(vm);
	mutex_lock(&vm->mem_lock);
	if (vm->handle) {
		ret = hv_dissolve(vm);
		hv_publish_figures();
	}
	if (!ret) {
		vm->handle = 0;
		hv_mem_release(vm);
	}
	mutex_unlock(&vm->mem_lock);
	wake_up_all(&vm->state_wq);
	vgic_kick_all(vm);
	return ret;
}

void hv_vm_stop_all(void)
{
	unsigned int ended = 0;
	struct hv_vm *vm;
	bool was_live;

	mutex_lock(&hv_vms_lock);
	list_for_each_entry(vm, &hv_vms, list) {
		mutex_lock(&vm->lock);
		was_live = vm->handle != 0;
		if (hv_vm_stop(vm))
			pr_err("a VM does not end before the reboot\n");
		else
			ended += was_live;
		mutex_unlock(&vm->lock);
	}
	mutex_unlock(&hv_vms_lock);
	if (ended)
		pr_info("VMs ended before the reboot: %u\n", ended);
}

void hv_vm_for_each_vcpu(void (*function)(struct hv_vcpu *vcpu, void *data), void *data)
{
	struct hv_vm *vm;
	unsigned int i;

	mutex_lock(&hv_vms_lock);
	list_for_each_entry(vm, &hv_vms, list)
		for (i = 0; i < HV_MAX_VCPUS; i++)
			if (READ_ONCE(vm->vcpus[i]))
				function(vm->vcpus[i], data);
	mutex_unlock(&hv_vms_lock);
}

/* ---- creation and end ---- */

static void hv_vm_free(struct hv_vm *vm)
{
	unsigned int i;

	mutex_lock(&hv_vms_lock);
	list_del(&vm->list);
	mutex_unlock(&hv_vms_lock);
	for (i = 0; i < HV_MAX_VCPUS; i++)
		if (vm->vcpus[i])
			hv_vcpu_free(vm->vcpus[i]);
	hv_ioeventfd_release(vm);
	vgic_free(vm);
	mmdrop(vm->mm);
	kfree(vm->batch);
	kfree(vm);
}

static int hv_vm_try_end(struct hv_vm *vm)
{
	int ret;

	mutex_lock(&vm->lock);
	ret = hv_vm_stop(vm);
	mutex_unlock(&vm->lock);
	if (!ret)
		hv_vm_free(vm);
	return ret;
}

/* Holds a reference on the module; the workqueue is emptied before the module goes. */
static void hv_vm_retry(struct work_struct *work)
{
	struct hv_vm *vm = container_of(to_delayed_work(work), struct hv_vm, retry);

	if (!hv_vm_try_end(vm)) {
		module_put(THIS_MODULE);
	} else if (++vm->retries < RETRIES_MAX) {
		queue_delayed_work(hv_workqueue, &vm->retry, RETRY_DELAY);
	} else {
		/* Pages that the corevisor may hold are never freed; this module stays. */
		pr_err("the corevisor does not let go of a VM; its memory is lost until reboot\n");
	}
}

static void hv_vm_last_put(struct kref *ref)
{
	struct hv_vm *vm = container_of(ref, struct hv_vm, ref);

	__module_get(THIS_MODULE);
	if (hv_vm_try_end(vm))
		queue_delayed_work(hv_workqueue, &vm->retry, RETRY_DELAY);
	else
		module_put(THIS_MODULE); /* not the last one: the file has its own */
}

void hv_vm_put(struct hv_vm *vm)
{
	kref_put(&vm->ref, hv_vm_last_put);
}

static struct hv_vm *hv_vm_alloc(bool is_protected)
{
	struct hv_vm *vm = kzalloc(sizeof(*vm), GFP_KERNEL_ACCOUNT);

	if (!vm)
		return NULL;
	vm->batch = kcalloc(RV_BATCH_PAGES, sizeof(*vm->batch), GFP_KERNEL_ACCOUNT);
	if (!vm->batch) {
		kfree(vm);
		return NULL;
	}
	kref_init(&vm->ref);
	vm->is_protected = is_protected;
	vm->mm = current->mm;
	mmgrab(vm->mm);
	mutex_init(&vm->lock);
	mutex_init(&vm->mem_lock);
	spin_lock_init(&vm->io_lock);
	INIT_LIST_HEAD(&vm->donated);
	INIT_LIST_HEAD(&vm->ioeventfds);
	INIT_DELAYED_WORK(&vm->retry, hv_vm_retry);
	init_waitqueue_head(&vm->state_wq);
	xa_init(&vm->pages);
	vgic_init_vm(vm);
	mutex_lock(&hv_vms_lock);
	list_add(&vm->list, &hv_vms);
	mutex_unlock(&hv_vms_lock);
	return vm;
}

/* ---- ioctls ---- */

static int hv_vm_create_device(struct hv_vm *vm, void __user *arg)
{
	struct kvm_create_device args;
	int ret;

	if (copy_from_user(&args, arg, sizeof(args)))
		return -EFAULT;
	ret = hv_device_create(vm, &args);
	if (!ret && copy_to_user(arg, &args, sizeof(args)))
		return -EFAULT; /* the file is closed with the process, as with KVM */
	return ret;
}

static int hv_vm_irq_line(struct hv_vm *vm, void __user *arg)
{
	struct kvm_irq_level args;

	return copy_from_user(&args, arg, sizeof(args)) ? -EFAULT : vgic_irq_line(vm, &args);
}

static int hv_vm_ioeventfd(struct hv_vm *vm, void __user *arg)
{
	struct kvm_ioeventfd args;

	return copy_from_user(&args, arg, sizeof(args)) ? -EFAULT : hv_ioeventfd(vm, &args);
}

static int hv_vm_set_region(struct hv_vm *vm, void __user *arg)
{
	struct kvm_userspace_memory_region region;

	if (copy_from_user(&region, arg, sizeof(region)))
		return -EFAULT;
	return hv_mem_set_region(vm, &region);
}

static int hv_vm_preferred_target(void __user *arg)
{
	struct kvm_vcpu_init init = { .target = KVM_ARM_TARGET_GENERIC_V8 };

	return copy_to_user(arg, &init, sizeof(init)) ? -EFAULT : 0;
}

static long hv_vm_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct hv_vm *vm = file->private_data;
	void __user *user = (void __user *)arg;

	if (vm->mm != current->mm)
		return -EIO;
	switch (cmd) {
	case KVM_CHECK_EXTENSION:
		return hv_check_extension(arg);
	case KVM_CREATE_VCPU:
		return hv_vcpu_open(vm, arg);
	case KVM_SET_USER_MEMORY_REGION:
		return hv_vm_set_region(vm, user);
	case KVM_IRQ_LINE:
		return hv_vm_irq_line(vm, user);
	case KVM_IOEVENTFD:
		return hv_vm_ioeventfd(vm, user);
	case KVM_CREATE_DEVICE:
		return hv_vm_create_device(vm, user);
	case KVM_ARM_PREFERRED_TARGET:
		return hv_vm_preferred_target(user);
	default:
		return -ENOTTY;
	}
}

static int hv_vm_file_release(struct inode *inode, struct file *file)
{
	hv_vm_put(file->private_data);
	return 0;
}

static const struct file_operations hv_vm_fops = {
	.owner = THIS_MODULE,
	.release = hv_vm_file_release,
	.unlocked_ioctl = hv_vm_ioctl,
	.llseek = noop_llseek,
};

int hv_vm_open(unsigned long type, bool is_protected)
{
	u32 bits = type & KVM_VM_TYPE_ARM_IPA_SIZE_MASK;
	struct hv_vm *vm;
	int fd;

	if (type & ~KVM_VM_TYPE_ARM_IPA_SIZE_MASK || (bits && bits < 32) || bits > hv_core.ipa_bits)
		return -EINVAL;
	if (is_protected && !(hv_core.features & RV_FEAT_ENTROPY))
		return -ENODEV;
	vm = hv_vm_alloc(is_protected);
	if (!vm)
		return -ENOMEM;
	fd = anon_inode_getfd("kvm-vm", &hv_vm_fops, vm, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		hv_vm_put(vm);
	return fd;
}
