/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The calls of include/ravelin/abi.h. Each returns an enum rv_status; results are valid only on
 * RV_OK.
 */
#ifndef HOSTVISOR_HCALL_H
#define HOSTVISOR_HCALL_H

#include <linux/types.h>
#include <ravelin/abi.h>

/* What RV_VERSION says; filled once at load. */
struct hv_core_info {
	u32 major, minor;
	u64 features;
	u32 lr_count;
	u32 ipa_bits;
	u32 max_vcpus;
	u32 vcpu_record_pages;
	u32 vm_record_pages;
};

extern struct hv_core_info hv_core;

/*
 * Finds the corevisor and checks that we understand it. 0, -ENODEV (none) or -EPROTO (another ABI).
 */
int hv_hcall_init(void);
/* Brings rv_info up to date. */
void hv_publish_figures(void);
/* The errno that stands for a refusal. */
int hv_errno(int status);

int hv_pool_topup(u64 pfn);
int hv_vm_create(u64 record_pfn, u64 root_pfn, u64 flags, const u64 owner[4], u64 *handle);
int hv_vm_topup(u64 vm, u64 pfn);
int hv_vm_add_ram(u64 vm, u64 gfn, u64 pages);
int hv_vm_kill(u64 vm);
int hv_vm_destroy(u64 vm, u64 *left);
int hv_vm_verify(u64 vm, u64 launch_pfn, u64 *left);
int hv_image_add(u64 vm, u64 gpa, u64 bytes, u64 *index);
int hv_image_map(u64 vm, u64 index, u64 pfn, u64 pages, u64 *taken);
int hv_mem_map(u64 vm, u64 gfn, u64 pfn, u64 pages, u64 *taken);
int hv_mem_reclaim(u64 vm, u64 gfn, u64 pages, u64 *next);
int hv_vcpu_create(u64 vm, u64 index, u64 record_pfn, u64 run_pfn);
int hv_vcpu_boot(u64 vm, u64 index, u64 pc, u64 x0);
int hv_vcpu_run(u64 vm, u64 index, u64 *exit);
int hv_vcpu_read_regs(u64 vm, u64 index);

#endif
