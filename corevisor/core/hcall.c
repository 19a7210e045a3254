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

struct call {
	u64 arg[ARGUMENTS_MAX];	 /* x1.. */
	u64 result[RESULTS_MAX]; /* x1.., */
	u32 result_count;	 /* so many of them */
};

static enum cv_status one_result(struct call *call, enum cv_status status)
{
	call->result_count = 1;
	return status;
}

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
	call->result_count = 7;
	return CV_OK;
}

static enum cv_status hc_pool_topup(struct call *call)
{
	return mem_pool_topup(call->arg[0]);
}

static enum cv_status hc_vm_create(struct call *call)
{
	return one_result(call, vm_create(call->arg[0], call->arg[1], call->arg[2], &call->arg[3],
					  &call->result[0]));
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
	return one_result(call, vm_destroy(call->arg[0], &call->result[0]));
}

static enum cv_status hc_vm_verify(struct call *call)
{
	return one_result(call, image_verify(call->arg[0], call->arg[1], &call->result[0]));
}

static enum cv_status hc_vm_measure(struct call *call)
{
	call->result_count = 4;
	return image_measure(call->arg[0], call->arg[1], call->result);
}

static enum cv_status hc_vm_map_io(struct call *call)
{
	return mem_map_io(call->arg[0], call->arg[1], call->arg[2]);
}

static enum cv_status hc_image_add(struct call *call)
{
	const u64 *a = call->arg;

	return one_result(call, image_add(a[0], a[1], a[2], &call->result[0]));
}

static enum cv_status hc_image_map(struct call *call)
{
	const u64 *a = call->arg;

	return one_result(call, image_map(a[0], a[1], a[2], a[3], &call->result[0]));
}

static enum cv_status hc_mem_map(struct call *call)
{
	const u64 *a = call->arg;

	return one_result(call, mem_map(a[0], a[1], a[2], a[3], &call->result[0]));
}

static enum cv_status hc_mem_reclaim(struct call *call)
{
	return one_result(call,
			  mem_reclaim(call->arg[0], call->arg[1], call->arg[2], &call->result[0]));
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
	return one_result(call, run_vcpu(call->arg[0], call->arg[1], &call->result[0]));
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

	return one_result(call, dma_map(a[0], a[1], a[2], a[3], &call->result[0]));
}

static enum cv_status hc_dma_unmap(struct call *call)
{
	return one_result(call,
			  dma_unmap(call->arg[0], call->arg[1], call->arg[2], &call->result[0]));
}

static enum cv_status hc_dma_free(struct call *call)
{
	return one_result(call, dma_free(call->arg[0], &call->result[0]));
}

static enum cv_status hc_seal_save_begin(struct call *call)
{
	return seal_save_begin(call->arg[0], call->arg[1]);
}

static enum cv_status hc_seal_save_vcpu(struct call *call)
{
	call->result_count = 2;
	return seal_save_vcpu(call->arg[0], call->arg[1], call->arg[2], call->result);
}

static enum cv_status hc_seal_save_page(struct call *call)
{
	u64 *r = call->result;

	call->result_count = 4;
	return seal_save_page(call->arg[0], call->arg[1], &r[0], &r[1], &r[2]);
}

static enum cv_status hc_seal_save_end(struct call *call)
{
	call->result_count = 2;
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

static const struct {
	u64 id;
	enum cv_status (*serve)(struct call *call);
} calls[] = {
	/* the most frequent one first */
	{ RV_VCPU_RUN, hc_vcpu_run },
	{ RV_MEM_MAP, hc_mem_map },
	{ RV_MEM_RECLAIM, hc_mem_reclaim },
	{ RV_VERSION, hc_version },
	{ RV_POOL_TOPUP, hc_pool_topup },
	{ RV_VM_CREATE, hc_vm_create },
	{ RV_VM_TOPUP, hc_vm_topup },
	{ RV_VM_ADD_RAM, hc_vm_add_ram },
	{ RV_VM_KILL, hc_vm_kill },
	{ RV_VM_DESTROY, hc_vm_destroy },
	{ RV_VM_VERIFY, hc_vm_verify },
	{ RV_VM_MEASURE, hc_vm_measure },
	{ RV_VM_MAP_IO, hc_vm_map_io },
	{ RV_IMAGE_ADD, hc_image_add },
	{ RV_IMAGE_MAP, hc_image_map },
	{ RV_VCPU_CREATE, hc_vcpu_create },
	{ RV_VCPU_BOOT, hc_vcpu_boot },
	{ RV_VCPU_READ_REGS, hc_vcpu_read_regs },
	{ RV_DMA_ALLOC, hc_dma_alloc },
	{ RV_DMA_TOPUP, hc_dma_topup },
	{ RV_DMA_MAP, hc_dma_map },
	{ RV_DMA_UNMAP, hc_dma_unmap },
	{ RV_DMA_FREE, hc_dma_free },
	{ RV_SEAL_SAVE_BEGIN, hc_seal_save_begin },
	{ RV_SEAL_SAVE_VCPU, hc_seal_save_vcpu },
	{ RV_SEAL_SAVE_PAGE, hc_seal_save_page },
	{ RV_SEAL_SAVE_END, hc_seal_save_end },
	{ RV_SEAL_ABORT, hc_seal_abort },
	{ RV_SEAL_LOAD_BEGIN, hc_seal_load_begin },
	{ RV_SEAL_LOAD_VCPU, hc_seal_load_vcpu },
	{ RV_SEAL_LOAD_PAGE, hc_seal_load_page },
	{ RV_SEAL_LOAD_END, hc_seal_load_end },
};

static enum cv_status call_serve(u64 id, struct call *call)
{
	for (u32 i = 0; i < ARRAY_SIZE(calls); i++) {
		if (calls[i].id == id) {
			return calls[i].serve(call);
		}
	}
	return CV_E_NOT_SUPPORTED;
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
	enum cv_status status;

	info_count(RV_CLASS_HOST_HVC);
	if (id == RV_HVC_UID) {
		identify(regs);
		return;
	}
	status = call_serve(id, &call);
	regs->x[0] = (u64)(s64)status;
	if (status != CV_OK) {
		info_refusal(id, status, call.arg[0]);
		return;
	}
	for (u32 i = 0; i < call.result_count; i++) {
		regs->x[1 + i] = call.result[i];
	}
	/* Of these two there are many; their counts may lag. */
	if (id != RV_VCPU_RUN && id != RV_MEM_MAP) {
		info_publish();
	}
}
