/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The host's calls. Every argument arrives as the host put it into a register and is checked by the
 * function that serves the call; results reach registers only on success. Seed: host_hvc_handler
 * (reference 11.6).
 */
#include <cv/hcall.h>

#include <cv/arch.h>
#include <cv/dma.h>
#include <cv/image.h>
#include <cv/info.h>
#include <cv/mem.h>
#include <cv/psci.h>
#include <cv/rng.h>
#include <cv/run.h>
#include <cv/seal.h>
#include <cv/vcpu.h>
#include <cv/vm.h>
#include <ravelin/abi.h>

#define ARGUMENTS_MAX 7
#define RESULTS_MAX 7

/* Both go through x1 and up. */
struct call {
	u64 arg[ARGUMENTS_MAX];
	u64 result[RESULTS_MAX];
};

static enum cv_status hc_version(struct call *call)
{
	u64 *r = call->result;

	r[0] = (u64)RV_ABI_MAJOR << 16 | RV_ABI_MINOR;
	r[1] = rng_is_ready() ? RV_FEAT_ENTROPY : 0;
	r[2] = arch_lr_count();
	r[3] = IPA_BITS;
	r[4] = VM_VCPUS_MAX;
	r[5] = VCPU_RECORD_PAGES;
	r[6] = VM_RECORD_PAGES;
	return CV_OK;
}

static enum cv_status hc_pool_topup(struct call *call)
{
	return mem_pool_topup(call->arg[0]);
}

static enum cv_status hc_vm_create(struct call *call)
{
	return vm_create(call->arg[0], call->arg[1], call->arg[2], &call->arg[3], &call->result[0]);
}

static enum cv_status hc_vm_topup(struct call *call)
{
	return vm_topup(call->arg[0], call->arg[1]);
}

static enum cv_status hc_vm_add_ram(struct call *call)
{
	return vm_add_ram(call->arg[0], call->arg[1], call->arg[2]);
}

static enum cv_status hc_vm_kill(struct call *call)
{
	return vm_kill(call->arg[0]);
}

static enum cv_status hc_vm_destroy(struct call *call)
{
	return vm_destroy(call->arg[0], &call->result[0]);
}

static enum cv_status hc_vm_verify(struct call *call)
{
	return image_verify(call->arg[0], call->arg[1], &call->result[0]);
}

static enum cv_status hc_vm_measure(struct call *call)
{
	return image_measure(call->arg[0], call->arg[1], call->result);
}

static enum cv_status hc_vm_map_io(struct call *call)
{
	return mem_map_io(call->arg[0], call->arg[1], call->arg[2]);
}

static enum cv_status hc_image_add(struct call *call)
{
	const u64 *a = call->arg;

	return image_add(a[0], a[1], a[2], &call->result[0]);
}

static enum cv_status hc_image_map(struct call *call)
{
	const u64 *a = call->arg;

	return image_map(a[0], a[1], a[2], a[3], &call->result[0]);
}

static enum cv_status hc_mem_map(struct call *call)
{
	const u64 *a = call->arg;

	return mem_map(a[0], a[1], a[2], a[3], &call->result[0]);
}

static enum cv_status hc_mem_reclaim(struct call *call)
{
	return mem_reclaim(call->arg[0], call->arg[1], call->arg[2], &call->result[0]);
}

static enum cv_status hc_vcpu_create(struct call *call)
{
	return vm_create_vcpu(call->arg[0], call->arg[1], call->arg[2], call->arg[3]);
}

static enum cv_status hc_vcpu_boot(struct call *call)
{
	return vcpu_boot(call->arg[0], call->arg[1], call->arg[2], call->arg[3]);
}

static enum cv_status hc_vcpu_run(struct call *call)
{
	return run_vcpu(call->arg[0], call->arg[1], &call->result[0]);
}

static enum cv_status hc_vcpu_read_regs(struct call *call)
{
	return vcpu_read_regs(call->arg[0], call->arg[1]);
}

static enum cv_status hc_dma_alloc(struct call *call)
{
	return dma_alloc(call->arg[0], call->arg[1], call->arg[2]);
}

static enum cv_status hc_dma_topup(struct call *call)
{
	return dma_topup(call->arg[0], call->arg[1]);
}

static enum cv_status hc_dma_map(struct call *call)
{
	const u64 *a = call->arg;

	return dma_map(a[0], a[1], a[2], a[3], &call->result[0]);
}

static enum cv_status hc_dma_unmap(struct call *call)
{
	return dma_unmap(call->arg[0], call->arg[1], call->arg[2], &call->result[0]);
}

static enum cv_status hc_dma_free(struct call *call)
{
	return dma_free(call->arg[0], &call->result[0]);
}

static enum cv_status hc_seal_save_begin(struct call *call)
{
	return seal_save_begin(call->arg[0], call->arg[1]);
}

static enum cv_status hc_seal_save_vcpu(struct call *call)
{
	return seal_save_vcpu(call->arg[0], call->arg[1], call->arg[2], call->result);
}

static enum cv_status hc_seal_save_page(struct call *call)
{
	u64 *r = call->result;

	return seal_save_page(call->arg[0], call->arg[1], &r[0], &r[1], &r[2]);
}

static enum cv_status hc_seal_save_end(struct call *call)
{
	return seal_save_end(call->arg[0], call->arg[1], call->result);
}

static enum cv_status hc_seal_abort(struct call *call)
{
	return seal_abort(call->arg[0]);
}

static enum cv_status hc_seal_load_begin(struct call *call)
{
	return seal_load_begin(call->arg[0], call->arg[1]);
}

static enum cv_status hc_seal_load_vcpu(struct call *call)
{
	const u64 *a = call->arg;

	return seal_load_vcpu(a[0], a[1], a[2], &a[3]);
}

static enum cv_status hc_seal_load_page(struct call *call)
{
	const u64 *a = call->arg;

	return seal_load_page(a[0], a[1], a[2], a[3], &a[4]);
}

static enum cv_status hc_seal_load_end(struct call *call)
{
	return seal_load_end(call->arg[0], call->arg[1], &call->arg[2]);
}

static const struct service {
	u64 id;
	u32 results; /* registers of a success */
	enum cv_status (*serve)(struct call *call);
} services[] = {
	/* the most frequent one first */
	{ RV_VCPU_RUN, 1, hc_vcpu_run },
	{ RV_MEM_MAP, 1, hc_mem_map },
	{ RV_MEM_RECLAIM, 1, hc_mem_reclaim },
	{ RV_VERSION, 7, hc_version },
	{ RV_POOL_TOPUP, 0, hc_pool_topup },
	{ RV_VM_CREATE, 1, hc_vm_create },
	{ RV_VM_TOPUP, 0, hc_vm_topup },
	{ RV_VM_ADD_RAM, 0, hc_vm_add_ram },
	{ RV_VM_KILL, 0, hc_vm_kill },
	{ RV_VM_DESTROY, 1, hc_vm_destroy },
	{ RV_VM_VERIFY, 1, hc_vm_verify },
	{ RV_VM_MEASURE, 4, hc_vm_measure },
	{ RV_VM_MAP_IO, 0, hc_vm_map_io },
	{ RV_IMAGE_ADD, 1, hc_image_add },
	{ RV_IMAGE_MAP, 1, hc_image_map },
	{ RV_VCPU_CREATE, 0, hc_vcpu_create },
	{ RV_VCPU_BOOT, 0, hc_vcpu_boot },
	{ RV_VCPU_READ_REGS, 0, hc_vcpu_read_regs },
	{ RV_DMA_ALLOC, 0, hc_dma_alloc },
	{ RV_DMA_TOPUP, 0, hc_dma_topup },
	{ RV_DMA_MAP, 1, hc_dma_map },
	{ RV_DMA_UNMAP, 1, hc_dma_unmap },
	{ RV_DMA_FREE, 1, hc_dma_free },
	{ RV_SEAL_SAVE_BEGIN, 0, hc_seal_save_begin },
	{ RV_SEAL_SAVE_VCPU, 2, hc_seal_save_vcpu },
	{ RV_SEAL_SAVE_PAGE, 4, hc_seal_save_page },
	{ RV_SEAL_SAVE_END, 2, hc_seal_save_end },
	{ RV_SEAL_ABORT, 0, hc_seal_abort },
	{ RV_SEAL_LOAD_BEGIN, 0, hc_seal_load_begin },
	{ RV_SEAL_LOAD_VCPU, 0, hc_seal_load_vcpu },
	{ RV_SEAL_LOAD_PAGE, 0, hc_seal_load_page },
	{ RV_SEAL_LOAD_END, 0, hc_seal_load_end },
};

static const struct service *find_service(u64 id)
{
	for (u32 i = 0; i < ARRAY_SIZE(services); i++) {
		if (services[i].id == id) {
			return &services[i];
		}
	}
	return NULL;
}

static void identify(struct host_regs *regs)
{
	regs->x[0] = RV_UID_0;
	regs->x[1] = RV_UID_1;
	regs->x[2] = RV_UID_2;
	regs->x[3] = RV_UID_3;
}

void hcall(struct host_regs *regs)
{
	u64 id = regs->x[0] & 0xffffffffull;
	struct call call = { .arg = { regs->x[1], regs->x[2], regs->x[3], regs->x[4], regs->x[5],
				      regs->x[6], regs->x[7] } };
	const struct service *service = find_service(id);
	enum cv_status status;

	info_count(RV_CLASS_HOST_HVC);
	if (id == RV_HVC_UID) {
		identify(regs);
		return;
	}
	status = service == NULL ? CV_E_NOT_SUPPORTED : service->serve(&call);
	regs->x[0] = (u64)(s64)status;
	if (status != CV_OK) {
		info_refusal(id, status, call.arg[0]);
		return;
	}
	for (u32 i = 0; i < service->results; i++) {
		regs->x[1 + i] = call.result[i];
	}
	/* Of these two there are many; their counts may lag. */
	if (id != RV_VCPU_RUN && id != RV_MEM_MAP) {
		info_publish();
	}
}
