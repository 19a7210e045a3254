// SPDX-License-Identifier: GPL-2.0-only
/* The calls to the corevisor: one function per call, nothing else. */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include "hcall.h"

#include <linux/arm-smccc.h>
#include <linux/errno.h>
#include <linux/of.h>
#include <linux/printk.h>

struct hv_core_info hv_core;

/*
 * Arguments and results in the same registers, x0 to x17: a call may have more of either than SMCCC
 * 1.1 carries.
 */
static int hv_call(struct arm_smccc_1_2_regs *regs)
{
	arm_smccc_1_2_hvc(regs, regs);
	return (int)regs->a0;
}

static int hv_call_out(u64 *out, u32 id, u64 a1, u64 a2, u64 a3, u64 a4)
{
	struct arm_smccc_1_2_regs regs = { .a0 = id, .a1 = a1, .a2 = a2, .a3 = a3, .a4 = a4 };
	int status = hv_call(&regs);

	if (status == RV_OK)
		*out = regs.a1;
	return status;
}

static int hv_call_plain(u32 id, u64 a1, u64 a2, u64 a3, u64 a4)
{
	struct arm_smccc_1_2_regs regs = { .a0 = id, .a1 = a1, .a2 = a2, .a3 = a3, .a4 = a4 };

	return hv_call(&regs);
}

/*
 * The node is the corevisor's signature; without it the machine may have no EL2 software at all,
 * and an HVC would be an undefined instruction.
 */
static bool hv_is_present(void)
{
	struct device_node *node = of_find_compatible_node(NULL, NULL, "ravelin,corevisor");
	struct arm_smccc_res res;

	if (!node)
		return false;
	of_node_put(node);
	arm_smccc_1_1_hvc(RV_HVC_UID, &res);
	return (u32)res.a0 == RV_UID_0 && (u32)res.a1 == RV_UID_1 && (u32)res.a2 == RV_UID_2 &&
	       (u32)res.a3 == RV_UID_3;
}

/* Any RV_VERSION makes the corevisor publish its figures, which `ravelin status` shows. */
void hv_publish_figures(void)
{
	hv_call_plain(RV_VERSION, 0, 0, 0, 0);
}

int hv_hcall_init(void)
{
	struct arm_smccc_1_2_regs res = { .a0 = RV_VERSION };
	int status;

	if (!hv_is_present()) {
		pr_err("no Ravelin corevisor on this machine\n");
		return -ENODEV;
	}
	status = hv_call(&res);
	if (status != RV_OK || (u32)res.a1 >> 16 != RV_ABI_MAJOR) {
		pr_err("the corevisor speaks ABI %u.%u, this module %u.x\n", (u32)res.a1 >> 16,
		       (u32)res.a1 & 0xffff, RV_ABI_MAJOR);
		return -EPROTO;
	}
	hv_core.major = (u32)res.a1 >> 16;
	hv_core.minor = (u32)res.a1 & 0xffff;
	hv_core.features = res.a2;
	hv_core.lr_count = res.a3;
	hv_core.ipa_bits = res.a4;
	hv_core.max_vcpus = res.a5;
	hv_core.vcpu_record_pages = res.a6;
	hv_core.vm_record_pages = res.a7;
	if (!hv_core.lr_count || hv_core.lr_count > RV_MAX_LRS || !hv_core.vcpu_record_pages ||
	    hv_core.vcpu_record_pages > 64 || !hv_core.vm_record_pages ||
	    hv_core.vm_record_pages > 64 || hv_core.ipa_bits < 32 || hv_core.ipa_bits > 48) {
		pr_err("the corevisor's answers make no sense\n");
		return -EPROTO;
	}
	return 0;
}

int hv_errno(int status)
{
	switch (status) {
	case RV_OK:
		return 0;
	case RV_E_NOT_SUPPORTED:
		return -EOPNOTSUPP;
	case RV_E_INVALID:
		return -EINVAL;
	case RV_E_RANGE:
		return -EFAULT;
	case RV_E_NOENT:
		return -ENOENT;
	case RV_E_BUSY:
		return -EBUSY;
	case RV_E_NOMEM:
		return -ENOMEM;
	case RV_E_PERM:
		return -EPERM;
	case RV_E_NOENTROPY:
		return -ENODEV;
	case RV_E_AUTH:
		return -EKEYREJECTED;
	default:
		return -EIO;
	}
}

int hv_pool_topup(u64 pfn)
{
	return hv_call_plain(RV_POOL_TOPUP, pfn, 0, 0, 0);
}

int hv_vm_create(u64 record_pfn, u64 root_pfn, u64 flags, const u64 owner[4], u64 *handle)
{
	struct arm_smccc_1_2_regs regs = {
		.a0 = RV_VM_CREATE,
		.a1 = record_pfn,
		.a2 = root_pfn,
		.a3 = flags,
		.a4 = owner[0],
		.a5 = owner[1],
		.a6 = owner[2],
		.a7 = owner[3],
	};
	int status = hv_call(&regs);

	if (status == RV_OK)
		*handle = regs.a1;
	return status;
}

int hv_vm_topup(u64 vm, u64 pfn)
{
	return hv_call_plain(RV_VM_TOPUP, vm, pfn, 0, 0);
}

int hv_vm_add_ram(u64 vm, u64 gfn, u64 pages)
{
	return hv_call_plain(RV_VM_ADD_RAM, vm, gfn, pages, 0);
}

int hv_vm_kill(u64 vm)
{
	return hv_call_plain(RV_VM_KILL, vm, 0, 0, 0);
}

int hv_vm_destroy(u64 vm, u64 *left)
{
	return hv_call_out(left, RV_VM_DESTROY, vm, 0, 0, 0);
}

int hv_vm_verify(u64 vm, u64 launch_pfn, u64 *left)
{
	return hv_call_out(left, RV_VM_VERIFY, vm, launch_pfn, 0, 0);
}

int hv_image_add(u64 vm, u64 gpa, u64 bytes, u64 *index)
{
	return hv_call_out(index, RV_IMAGE_ADD, vm, gpa, bytes, 0);
}

int hv_image_map(u64 vm, u64 index, u64 pfn, u64 pages, u64 *taken)
{
	return hv_call_out(taken, RV_IMAGE_MAP, vm, index, pfn, pages);
}

int hv_mem_map(u64 vm, u64 gfn, u64 pfn, u64 pages, u64 *taken)
{
	return hv_call_out(taken, RV_MEM_MAP, vm, gfn, pfn, pages);
}

int hv_mem_reclaim(u64 vm, u64 gfn, u64 pages, u64 *next)
{
	return hv_call_out(next, RV_MEM_RECLAIM, vm, gfn, pages, 0);
}

int hv_vcpu_create(u64 vm, u64 index, u64 record_pfn, u64 run_pfn)
{
	return hv_call_plain(RV_VCPU_CREATE, vm, index, record_pfn, run_pfn);
}

int hv_vcpu_boot(u64 vm, u64 index, u64 pc, u64 x0)
{
	return hv_call_plain(RV_VCPU_BOOT, vm, index, pc, x0);
}

int hv_vcpu_run(u64 vm, u64 index, u64 *exit)
{
	return hv_call_out(exit, RV_VCPU_RUN, vm, index, 0, 0);
}

int hv_vcpu_read_regs(u64 vm, u64 index)
{
	return hv_call_plain(RV_VCPU_READ_REGS, vm, index, 0, 0);
}
