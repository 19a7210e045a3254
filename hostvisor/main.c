// SPDX-License-Identifier: GPL-2.0-only
/*
 * Ravelin's host module: the KVM interface on top of the corevisor. Two device files tell the two
 * kinds of VM apart: /dev/kvm makes open VMs, /dev/kvm-protected protected ones; in all else they
 * answer alike.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include "hostvisor.h"

#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/mod_devicetable.h>
#include <linux/module.h>
#include <linux/reboot.h>

#define KVM_MINOR_PROTECTED MISC_DYNAMIC_MINOR

bool hv_is_going_down;
struct workqueue_struct *hv_workqueue;

static long hv_dev_ioctl(unsigned int cmd, unsigned long arg, bool is_protected)
{
	switch (cmd) {
	case KVM_GET_API_VERSION:
		return arg ? -EINVAL : KVM_API_VERSION;
	case KVM_CREATE_VM:
		return hv_vm_open(arg, is_protected);
	case KVM_CHECK_EXTENSION:
		return hv_check_extension(arg);
	case KVM_GET_VCPU_MMAP_SIZE:
		return arg ? -EINVAL : PAGE_SIZE;
	default:
		return -ENOTTY;
	}
}

static long hv_open_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	return hv_dev_ioctl(cmd, arg, false);
}

static long hv_protected_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	return hv_dev_ioctl(cmd, arg, true);
}

static const struct file_operations hv_open_fops = {
	.owner = THIS_MODULE,
	.unlocked_ioctl = hv_open_ioctl,
	.llseek = noop_llseek,
};

static const struct file_operations hv_protected_fops = {
	.owner = THIS_MODULE,
	.unlocked_ioctl = hv_protected_ioctl,
	.llseek = noop_llseek,
};

static struct miscdevice hv_open_dev = {
	.minor = KVM_MINOR,
	.name = "kvm",
	.fops = &hv_open_fops,
};

static struct miscdevice hv_protected_dev = {
	.minor = KVM_MINOR_PROTECTED,
	.name = "kvm-protected",
	.fops = &hv_protected_fops,
};

/* Pages of a VM that survived into the next kernel would be unreadable there. */
static int hv_reboot(struct notifier_block *nb, unsigned long action, void *data)
{
	WRITE_ONCE(hv_is_going_down, true);
	hv_vm_stop_all();
	return NOTIFY_DONE;
}

static struct notifier_block hv_reboot_nb = {
	.notifier_call = hv_reboot,
};

static int __init hv_init(void)
{
	int ret;

	BUILD_BUG_ON(PAGE_SIZE != RV_PAGE_SIZE);
	BUILD_BUG_ON(sizeof(struct rv_run) > PAGE_SIZE);
	BUILD_BUG_ON(sizeof(struct kvm_run) > PAGE_SIZE);
	ret = hv_hcall_init();
	if (ret)
		return ret;
	hv_onereg_init();
	hv_workqueue = alloc_workqueue("hostvisor", WQ_UNBOUND, 0);
	if (!hv_workqueue)
		return -ENOMEM;
	ret = register_reboot_notifier(&hv_reboot_nb);
	if (ret)
		goto free_workqueue;
	ret = misc_register(&hv_open_dev);
	if (ret)
		goto unregister_notifier;
	ret = misc_register(&hv_protected_dev);
	if (ret)
		goto deregister_open;
	hv_debugfs_init();
	pr_info("corevisor ABI %u.%u, %u-bit guests, %u list registers%s\n", hv_core.major,
		hv_core.minor, hv_core.ipa_bits, hv_core.lr_count,
		hv_core.features & RV_FEAT_ENTROPY ? "" : "; no entropy: open VMs only");
	return 0;

deregister_open:
	misc_deregister(&hv_open_dev);
unregister_notifier:
	unregister_reboot_notifier(&hv_reboot_nb);
free_workqueue:
	destroy_workqueue(hv_workqueue);
	return ret;
}

/*
 * Every VM, vCPU and device file, and a teardown that is not done, hold the module: there are no
 * VMs left here.
 */
static void __exit hv_exit(void)
{
	hv_debugfs_exit();
	misc_deregister(&hv_protected_dev);
	misc_deregister(&hv_open_dev);
	unregister_reboot_notifier(&hv_reboot_nb);
	destroy_workqueue(hv_workqueue);
}

module_init(hv_init);
module_exit(hv_exit);

static const struct of_device_id hv_of_match[] = {
	{ .compatible = "ravelin,corevisor" },
	{}
};
MODULE_DEVICE_TABLE(of, hv_of_match);
MODULE_ALIAS("devname:kvm");
MODULE_ALIAS_MISCDEV(KVM_MINOR);
MODULE_DESCRIPTION("Ravelin: VMs on top of the corevisor, through the KVM interface");
MODULE_LICENSE("GPL");
