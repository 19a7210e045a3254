// SPDX-License-Identifier: GPL-2.0-only
/*
 * KVM_CREATE_DEVICE: the vGIC, and an ITS of which only the address exists (QEMU creates one unless
 * told its=off; its registers read as zero, so that a guest finds none). Attributes that are not
 * here make VMMs do without migration.
 */
#include "hostvisor.h"

#include <linux/anon_inodes.h>
#include <linux/fs.h>
#include <linux/slab.h>
#include <linux/uaccess.h>


static int vgic_init(struct hv_vm *vm)
{
	struct hv_vgic *vgic = &vm->vgic;
	struct vgic_irq *spis;

	if (vgic->is_initialised)
		return 0;
	if (hv_vm_is_fixed(vm))
		return -EBUSY;
	spis = kvcalloc(vgic->nr_irqs - VGIC_PRIVATE, sizeof(*spis), GFP_KERNEL_ACCOUNT);
	if (!spis)
		return -ENOMEM;
	vgic->spis = spis;
	vgic_reset(vm);
	smp_store_release(&vgic->is_initialised, true);
	return 0;
}

static int vgic_set_addr(u64 *where, u64 addr, u64 size)
{
	if (*where != VGIC_NO_ADDR)
		return -EEXIST;
	if (!IS_ALIGNED(addr, SZ_64K))
		return -EINVAL;
	if (addr >= 1ULL << hv_core.ipa_bits || size > (1ULL << hv_core.ipa_bits) - addr)
		return -E2BIG;
	*where = addr;
	return 0;
}

static u64 *vgic_addr(struct hv_vm *vm, bool is_its, u64 attr)
{
	if (is_its)
		return attr == KVM_VGIC_ITS_ADDR_TYPE ? &vm->vgic.its_base : NULL;
	switch (attr) {
	case KVM_VGIC_V3_ADDR_TYPE_DIST:
		return &vm->vgic.dist_base;
	case KVM_VGIC_V3_ADDR_TYPE_REDIST:
		return &vm->vgic.redist_base;
	default:
		return NULL;
	}
}

static u64 vgic_addr_size(bool is_its, u64 attr)
{
	if (is_its)
		return VGIC_ITS_BYTES;
	return attr == KVM_VGIC_V3_ADDR_TYPE_DIST ? VGIC_DIST_BYTES : VGIC_REDIST_BYTES;
}

static int device_set_addr(struct hv_vm *vm, bool is_its, const struct kvm_device_attr *attr)
{
	u64 *where = vgic_addr(vm, is_its, attr->attr);
	u64 addr;

	if (!where)
		return -ENXIO;
	if (copy_from_user(&addr, (void __user *)attr->addr, sizeof(addr)))
		return -EFAULT;
	/*
	 * A running vCPU takes its view of the map when it needs it; it is fixed from the first run
	 * on.
	 */
	if (hv_vm_is_fixed(vm))
		return -EBUSY;
	return vgic_set_addr(where, addr, vgic_addr_size(is_its, attr->attr));
}

static int device_get_addr(struct hv_vm *vm, bool is_its, const struct kvm_device_attr *attr)
{
	u64 *where = vgic_addr(vm, is_its, attr->attr);

	if (!where)
		return -ENXIO;
	return copy_to_user((void __user *)attr->addr, where, sizeof(*where)) ? -EFAULT : 0;
}

static int device_set_nr_irqs(struct hv_vm *vm, const struct kvm_device_attr *attr)
{
	u32 count;

	if (attr->attr)
		return -ENXIO;
	if (copy_from_user(&count, (void __user *)attr->addr, sizeof(count)))
		return -EFAULT;
	if (count < 2 * VGIC_PRIVATE || count > 1024 || count % 32)
		return -EINVAL;
	if (vm->vgic.is_initialised)
		return -EBUSY;
	vm->vgic.nr_irqs = count;
	return 0;
}

static int device_get_nr_irqs(struct hv_vm *vm, const struct kvm_device_attr *attr)
{
	if (attr->attr)
		return -ENXIO;
	if (copy_to_user((void __user *)attr->addr, &vm->vgic.nr_irqs, sizeof(vm->vgic.nr_irqs)))
		return -EFAULT;
	return 0;
}

static int device_set(struct hv_vm *vm, bool is_its, const struct kvm_device_attr *attr)
{
	switch (attr->group) {
	case KVM_DEV_ARM_VGIC_GRP_ADDR:
		return device_set_addr(vm, is_its, attr);
	case KVM_DEV_ARM_VGIC_GRP_NR_IRQS:
		return is_its ? -ENXIO : device_set_nr_irqs(vm, attr);
	case KVM_DEV_ARM_VGIC_GRP_CTRL:
		if (attr->attr != KVM_DEV_ARM_VGIC_CTRL_INIT)
			return -ENXIO;
		return is_its ? 0 : vgic_init(vm);
	default:
		return -ENXIO;
	}
}

static int device_get(struct hv_vm *vm, bool is_its, const struct kvm_device_attr *attr)
{
	switch (attr->group) {
	case KVM_DEV_ARM_VGIC_GRP_ADDR:
		return device_get_addr(vm, is_its, attr);
	case KVM_DEV_ARM_VGIC_GRP_NR_IRQS:
		return is_its ? -ENXIO : device_get_nr_irqs(vm, attr);
	default:
		return -ENXIO;
	}
}

static int device_has(struct hv_vm *vm, bool is_its, const struct kvm_device_attr *attr)
{
	switch (attr->group) {
	case KVM_DEV_ARM_VGIC_GRP_ADDR:
		return vgic_addr(vm, is_its, attr->attr) ? 0 : -ENXIO;
	case KVM_DEV_ARM_VGIC_GRP_NR_IRQS:
		return is_its || attr->attr ? -ENXIO : 0;
	case KVM_DEV_ARM_VGIC_GRP_CTRL:
		return attr->attr == KVM_DEV_ARM_VGIC_CTRL_INIT ? 0 : -ENXIO;
	default:
		return -ENXIO;
	}
}

static long device_ioctl(struct hv_vm *vm, bool is_its, unsigned int cmd, void __user *arg)
{
	struct kvm_device_attr attr;
	long ret;

	if (vm->mm != current->mm)
		return -EIO;
	if (cmd != KVM_SET_DEVICE_ATTR && cmd != KVM_GET_DEVICE_ATTR && cmd != KVM_HAS_DEVICE_ATTR)
		return -ENOTTY;
	if (copy_from_user(&attr, arg, sizeof(attr)))
		return -EFAULT;
	if (attr.flags)
		return -EINVAL;
	mutex_lock(&vm->lock);
	if (cmd == KVM_SET_DEVICE_ATTR)
		ret = device_set(vm, is_its, &attr);
	else if (cmd == KVM_GET_DEVICE_ATTR)
		ret = device_get(vm, is_its, &attr);
	else
		ret = device_has(vm, is_its, &attr);
	mutex_unlock(&vm->lock);
	return ret;
}

static long vgic_file_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	return device_ioctl(file->private_data, false, cmd, (void __user *)arg);
}

static long its_file_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	return device_ioctl(file->private_data, true, cmd, (void __user *)arg);
}

static int device_release(struct inode *inode, struct file *file)
{
	hv_vm_put(file->private_data);
	return 0;
}

static const struct file_operations vgic_fops = {
	.owner = THIS_MODULE,
	.release = device_release,
	.unlocked_ioctl = vgic_file_ioctl,
	.llseek = noop_llseek,
};

static const struct file_operations its_fops = {
	.owner = THIS_MODULE,
	.release = device_release,
	.unlocked_ioctl = its_file_ioctl,
	.llseek = noop_llseek,
};

int hv_device_create(struct hv_vm *vm, struct kvm_create_device *args)
{
	bool is_its = args->type == KVM_DEV_TYPE_ARM_VGIC_ITS;
	int fd;

	if (!is_its && args->type != KVM_DEV_TYPE_ARM_VGIC_V3)
		return -ENODEV;
	if (args->flags & ~(u32)KVM_CREATE_DEVICE_TEST)
		return -EINVAL;
	if (args->flags & KVM_CREATE_DEVICE_TEST)
		return 0;
	/*
	 * Again is fine until it is initialised: kvmtool closes and creates anew when it changes
	 * its mind.
	 */
	if (!is_its && vm->vgic.is_initialised)
		return -EEXIST;
	hv_vm_get(vm);
	fd = anon_inode_getfd(is_its ? "kvm-its" : "kvm-vgic", is_its ? &its_fops : &vgic_fops, vm,
			      O_RDWR | O_CLOEXEC);
	if (fd < 0) {
		hv_vm_put(vm);
		return fd;
	}
	args->fd = fd;
	return 0;
}
