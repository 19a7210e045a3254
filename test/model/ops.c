/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The operations of the model test. A new one is a row here and its three functions, declared in
 * ops.h: draw_x() fills the arguments, core_x() makes the call, expect_x() does the same by the
 * specification.
 */
#include "ops.h"

#include <cv/psci.h>
#include <ravelin/abi.h>

#define OK STATUS(CV_OK)
#define INVALID STATUS(CV_E_INVALID)
#define RANGE STATUS(CV_E_RANGE)
#define NOENT STATUS(CV_E_NOENT)
#define STATE STATUS(CV_E_STATE)
#define BUSY STATUS(CV_E_BUSY)
#define NOMEM STATUS(CV_E_NOMEM)
#define PERM STATUS(CV_E_PERM)
#define NOENTROPY STATUS(CV_E_NOENTROPY)
#define AUTH STATUS(CV_E_AUTH)
/* of PSCI */
#define PARAMETERS STATUS(PSCI_INVALID_PARAMETERS)
#define ADDRESS STATUS(PSCI_INVALID_ADDRESS)
#define ALREADY STATUS(PSCI_ALREADY_ON)
#define PENDING STATUS(PSCI_ON_PENDING)

#define FUNCTIONS(name, applies) draw_##name, applies, core_##name, expect_##name

/* clang-format off */
const struct op_kind model_ops[] = {
	{ "vm_create", RV_VM_CREATE, 12, OK | INVALID | RANGE | STATE | BUSY | NOMEM | NOENTROPY,
	  { "record", "root", "flags", "owner", "entropy" }, FUNCTIONS(vm_create, has_room) },
	{ "vm_topup", RV_VM_TOPUP, 8, OK | NOENT | RANGE | STATE | NOMEM,
	  { "vm", "pfn" }, FUNCTIONS(vm_topup, NULL) },
	{ "vm_add_ram", RV_VM_ADD_RAM, 6, OK | INVALID | NOENT | RANGE | STATE | BUSY,
	  { "vm", "gfn", "pages" }, FUNCTIONS(vm_add_ram, NULL) },
	{ "vm_create_vcpu", RV_VCPU_CREATE, 12, OK | INVALID | NOENT | RANGE | STATE | BUSY | NOMEM,
	  { "vm", "index", "record", "run" }, FUNCTIONS(vm_create_vcpu, NULL) },
	{ "vm_kill", RV_VM_KILL, 2, OK | NOENT, { "vm" }, FUNCTIONS(vm_kill, NULL) },
	{ "vm_destroy", RV_VM_DESTROY, 8, OK | NOENT | STATE | BUSY,
	  { "vm" }, FUNCTIONS(vm_destroy, NULL) },
	{ "pool_topup", RV_POOL_TOPUP, 8, OK | RANGE | STATE | NOMEM,
	  { "pfn" }, FUNCTIONS(pool_topup, NULL) },

	{ "image_add", RV_IMAGE_ADD, 6, OK | INVALID | NOENT | PERM | RANGE | STATE | BUSY,
	  { "vm", "gpa", "bytes" }, FUNCTIONS(image_add, NULL) },
	{ "image_map", RV_IMAGE_MAP, 10, OK | INVALID | NOENT | RANGE | STATE | BUSY | NOMEM,
	  { "vm", "index", "pfn", "pages" }, FUNCTIONS(image_map, NULL) },
	{ "vm_verify", RV_VM_VERIFY, 10,
	  OK | NOENT | RANGE | STATE | BUSY | NOMEM | INVALID | AUTH | PERM,
	  { "vm", "launch", "how", "entry", "parameter", "snapshots" }, FUNCTIONS(vm_verify, NULL) },
	{ "vm_measure", RV_VM_MEASURE, 3, OK | INVALID | NOENT | STATE | PERM,
	  { "vm", "what" }, FUNCTIONS(vm_measure, NULL) },

	{ "mem_map", RV_MEM_MAP, 50, OK | INVALID | NOENT | RANGE | STATE | BUSY | NOMEM,
	  { "vm", "gfn", "pfn", "pages" }, FUNCTIONS(map, NULL) },
	{ "mem_reclaim", RV_MEM_RECLAIM, 14, OK | INVALID | NOENT | STATE | BUSY,
	  { "vm", "gfn", "pages" }, FUNCTIONS(reclaim, NULL) },
	{ "set_wish", RV_VCPU_RUN, 24, OK | INVALID | RANGE | STATE | NOMEM,
	  { "vm", "gfn", "end", "wish", "destroyed" }, FUNCTIONS(set_wish, is_begun_vm) },
	{ "get_wish", RV_VCPU_RUN, 6, OK, { "vm", "gfn", "end" }, FUNCTIONS(get_wish, is_live_vm) },
	{ "vm_write", RV_VCPU_RUN, 6, OK | RANGE | NOENT | STATE,
	  { "vm", "ipa", "bytes", "data" }, FUNCTIONS(vm_write, is_begun_vm) },

	{ "map_io", RV_VM_MAP_IO, 6, OK | NOENT | RANGE | PERM | STATE | BUSY | NOMEM,
	  { "vm", "gfn", "pfn" }, FUNCTIONS(map_io, NULL) },
	{ "dma_alloc", RV_DMA_ALLOC, 10, OK | INVALID | NOENT | RANGE | STATE | BUSY | NOMEM,
	  { "context", "vm", "root" }, FUNCTIONS(dma_alloc, NULL) },
	{ "dma_topup", RV_DMA_TOPUP, 6, OK | INVALID | NOENT | RANGE | STATE | NOMEM,
	  { "context", "pfn" }, FUNCTIONS(dma_topup, NULL) },
	{ "dma_map", RV_DMA_MAP, 20, OK | INVALID | NOENT | RANGE | STATE | BUSY | NOMEM,
	  { "context", "iova", "pfn", "pages" }, FUNCTIONS(dma_map, NULL) },
	{ "dma_unmap", RV_DMA_UNMAP, 6, OK | INVALID | NOENT | STATE | NOMEM,
	  { "context", "iova", "pages" }, FUNCTIONS(dma_unmap, NULL) },
	{ "dma_free", RV_DMA_FREE, 3, OK | INVALID | NOENT | STATE | BUSY,
	  { "context" }, FUNCTIONS(dma_free, NULL) },

	{ "seal_save_begin", RV_SEAL_SAVE_BEGIN, 12,
	  OK | NOENT | RANGE | STATE | PERM | BUSY | NOENTROPY | NOMEM,
	  { "vm", "pfn", "snapshot", "entropy" }, FUNCTIONS(seal_save_begin, NULL) },
	{ "seal_save_vcpu", RV_SEAL_SAVE_VCPU, 6, OK | NOENT | RANGE | STATE,
	  { "vm", "index", "pfn" }, FUNCTIONS(seal_save_vcpu, NULL) },
	{ "seal_save_page", RV_SEAL_SAVE_PAGE, 10, OK | NOENT | RANGE | STATE,
	  { "vm", "pfn" }, FUNCTIONS(seal_save_page, NULL) },
	{ "seal_save_end", RV_SEAL_SAVE_END, 4, OK | NOENT | RANGE | STATE,
	  { "vm", "pfn" }, FUNCTIONS(seal_save_end, NULL) },
	{ "seal_abort", RV_SEAL_ABORT, 3, OK | NOENT | STATE,
	  { "vm" }, FUNCTIONS(seal_abort, NULL) },
	{ "seal_load_begin", RV_SEAL_LOAD_BEGIN, 6,
	  OK | NOENT | RANGE | STATE | INVALID | PERM | NOENTROPY | NOMEM,
	  { "vm", "pfn", "snapshot", "how", "entropy" }, FUNCTIONS(seal_load_begin, NULL) },
	{ "seal_load_vcpu", RV_SEAL_LOAD_VCPU, 6, OK | NOENT | RANGE | STATE | AUTH,
	  { "vm", "index", "pfn", "snapshot", "record", "how" }, FUNCTIONS(seal_load_vcpu, NULL) },
	{ "seal_load_page", RV_SEAL_LOAD_PAGE, 10,
	  OK | INVALID | NOENT | RANGE | STATE | NOMEM | AUTH,
	  { "vm", "gfn", "what", "pfn", "snapshot", "record", "how" },
	  FUNCTIONS(seal_load_page, NULL) },
	{ "seal_load_end", RV_SEAL_LOAD_END, 4, OK | NOENT | RANGE | STATE | AUTH,
	  { "vm", "pfn", "snapshot", "record", "how" }, FUNCTIONS(seal_load_end, NULL) },

	{ "vcpu_boot", RV_VCPU_BOOT, 8, OK | INVALID | NOENT | STATE | PERM | BUSY,
	  { "vm", "index", "pc", "x0" }, FUNCTIONS(boot, NULL) },
	{ "vcpu_claim", RV_VCPU_RUN, 16, OK | NOENT | STATE | BUSY,
	  { "vm", "index", "streaming" }, FUNCTIONS(claim, NULL) },
	{ "vcpu_start", RV_VCPU_RUN, 10, OK | STATE,
	  { "vm", "index" }, FUNCTIONS(start, is_active) },
	{ "vcpu_release", RV_VCPU_RUN, 8, OK, { "vm", "index" }, FUNCTIONS(release, is_active) },
	{ "vcpu_read_regs", RV_VCPU_READ_REGS, 4, OK | NOENT | PERM | BUSY,
	  { "vm", "index" }, FUNCTIONS(read_regs, NULL) },
	{ "psci_cpu_on", RV_VCPU_RUN, 14, OK | PARAMETERS | ADDRESS | ALREADY | PENDING,
	  { "vm", "index", "mpidr", "pc", "x0" }, FUNCTIONS(cpu_on, is_active) },
	{ "psci_cpu_off", RV_VCPU_RUN, 3, OK, { "vm", "index" }, FUNCTIONS(cpu_off, is_active) },
	{ "psci_affinity_info", RV_VCPU_RUN, 4, OK | PARAMETERS,
	  { "vm", "index", "mpidr", "level" }, FUNCTIONS(affinity_info, is_active) },
	{ "psci_system_off", RV_VCPU_RUN, 1, OK, { "vm", "index" }, FUNCTIONS(stop_vm, is_active) },

	/* What software at EL1 does; PERM: a fault. */
	{ "host_access", 0, 20, OK | PERM,
	  { "pfn", "access", "value" }, FUNCTIONS(host_access, NULL) },
	{ "dma_access", 0, 10, OK | PERM,
	  { "context", "iova", "access", "value" }, FUNCTIONS(dma_access, NULL) },
	{ "guest_access", 0, 20, OK | PERM,
	  { "vm", "gfn", "access", "value" }, FUNCTIONS(guest_access, is_begun_vm) },
};
/* clang-format on */

const u32 model_op_count = ARRAY_SIZE(model_ops);
