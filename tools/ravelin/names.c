/* SPDX-License-Identifier: BSD-3-Clause */
#include "names.h"

#include <stddef.h>

const char *const page_state_names[RV_PAGES_STATES] = {
	[RV_PAGES_HOST] = "host, its own",
	[RV_PAGES_HOST_SHARED] = "host, mapped in an open VM or run page",
	[RV_PAGES_VM] = "protected VM, private",
	[RV_PAGES_VM_SHARED] = "protected VM, shared with the host",
	[RV_PAGES_CORE] = "corevisor",
};

const char *const exit_class_names[RV_CLASS_COUNT] = {
	[RV_CLASS_HOST_HVC] = "host HVC",
	[RV_CLASS_HOST_SMC] = "host SMC",
	[RV_CLASS_HOST_FAULT] = "host stage-2 fault",
	[RV_CLASS_HOST_SYSREG] = "host system register",
	[RV_CLASS_HOST_OTHER] = "host, other",
	[RV_CLASS_VM_IRQ] = "VM interrupt",
	[RV_CLASS_VM_RAM] = "VM RAM fault",
	[RV_CLASS_VM_MMIO] = "VM MMIO",
	[RV_CLASS_VM_WFX] = "VM WFI/WFE",
	[RV_CLASS_VM_HVC] = "VM HVC/SMC",
	[RV_CLASS_VM_SYSREG] = "VM system register",
	[RV_CLASS_VM_FP] = "VM first FP use",
	[RV_CLASS_VM_OTHER] = "VM, other",
};

static const struct {
	__u64 id;
	const char *name;
} calls[] = {
	{ RV_HVC_UID, "UID" },
	{ RV_VERSION, "VERSION" },
	{ RV_POOL_TOPUP, "POOL_TOPUP" },
	{ RV_VM_CREATE, "VM_CREATE" },
	{ RV_VM_TOPUP, "VM_TOPUP" },
	{ RV_VM_ADD_RAM, "VM_ADD_RAM" },
	{ RV_VM_KILL, "VM_KILL" },
	{ RV_VM_DESTROY, "VM_DESTROY" },
	{ RV_VM_VERIFY, "VM_VERIFY" },
	{ RV_VM_MAP_IO, "VM_MAP_IO" },
	{ RV_VM_MEASURE, "VM_MEASURE" },
	{ RV_IMAGE_ADD, "IMAGE_ADD" },
	{ RV_IMAGE_MAP, "IMAGE_MAP" },
	{ RV_MEM_MAP, "MEM_MAP" },
	{ RV_MEM_RECLAIM, "MEM_RECLAIM" },
	{ RV_VCPU_CREATE, "VCPU_CREATE" },
	{ RV_VCPU_BOOT, "VCPU_BOOT" },
	{ RV_VCPU_RUN, "VCPU_RUN" },
	{ RV_VCPU_READ_REGS, "VCPU_READ_REGS" },
	{ RV_DMA_ALLOC, "DMA_ALLOC" },
	{ RV_DMA_TOPUP, "DMA_TOPUP" },
	{ RV_DMA_MAP, "DMA_MAP" },
	{ RV_DMA_UNMAP, "DMA_UNMAP" },
	{ RV_DMA_FREE, "DMA_FREE" },
	{ RV_SEAL_SAVE_BEGIN, "SEAL_SAVE_BEGIN" },
	{ RV_SEAL_SAVE_VCPU, "SEAL_SAVE_VCPU" },
	{ RV_SEAL_SAVE_PAGE, "SEAL_SAVE_PAGE" },
	{ RV_SEAL_SAVE_END, "SEAL_SAVE_END" },
	{ RV_SEAL_ABORT, "SEAL_ABORT" },
	{ RV_SEAL_LOAD_BEGIN, "SEAL_LOAD_BEGIN" },
	{ RV_SEAL_LOAD_VCPU, "SEAL_LOAD_VCPU" },
	{ RV_SEAL_LOAD_PAGE, "SEAL_LOAD_PAGE" },
	{ RV_SEAL_LOAD_END, "SEAL_LOAD_END" },
};

static const struct {
	const char *name;
	const char *meaning;
} statuses[] = {
	/* by -status */
	{ "OK", "done" },
	{ "NOT_SUPPORTED", "there is no such call" },
	{ "INVALID",
	  "an argument is malformed: unknown flag, misaligned, count 0 or over the limit" },
	{ "RANGE", "an address is not RAM, or lies outside the VM's RAM" },
	{ "NOENT", "there is no such VM, vCPU or mapping" },
	{ "STATE", "the page, VM or vCPU is in a state, or has an owner, that forbids this" },
	{ "BUSY", "in use just now: may succeed later" },
	{ "NOMEM", "a table page was needed" },
	{ "PERM", "this kind of VM, or its owner's policy, does not allow this" },
	{ "NOENTROPY", "there is no entropy source: no protected VMs on this machine" },
	{ "AUTH", "not what the owner signed, or not what the corevisor sealed" },
};
#define STATUS_COUNT (long long)(sizeof(statuses) / sizeof(statuses[0]))
_Static_assert(sizeof(statuses) / sizeof(statuses[0]) == 1 - RV_E_AUTH,
	       "every status has its words");

const char *call_name(__u64 id)
{
	size_t i;

	for (i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		if (calls[i].id == id) {
			return calls[i].name;
		}
	}
	return NULL;
}

const char *status_name(long long status)
{
	return status <= 0 && status > -STATUS_COUNT ? statuses[-status].name : "?";
}

const char *status_meaning(long long status)
{
	return status <= 0 && status > -STATUS_COUNT ? statuses[-status].meaning
						     : "an unknown status";
}
