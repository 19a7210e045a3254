/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The weaknesses of the published system (docs/weaknesses.md) that a host can try by calls alone,
 * tried at EL2. Each must be refused, and leave nothing behind.
 */
#include "guest_hello.h"
#include "tiny.h"

const char image_name[] = "weak";

TINY_PAYLOAD(payload, "guest_hello");

#define GFN (TINY_RAM_BASE / PAGE_BYTES)
#define BLOCK_PAGES 512ul

static struct tiny_vm vm, other;

/* A VM at its guest's first question, so that it lives and is not on a CPU. */
static void build(struct tiny_vm *of)
{
	u64 exit;

	tiny_build(of, "protected", true, &payload, 1, "protected checkpoint");
	exit = tiny_run(of, 0);
	if (exit != RV_EXIT_MMIO) {
		fail("the guest does not come to its device: exit %lu", exit);
	}
}

/* W2: scrub and reclaim, and donate again, while the guest is alive. */
static void reclaim_of_the_living(void)
{
	u64 taken = vm.backing[(TINY_IMAGE_GPA - TINY_RAM_BASE) / PAGE_BYTES];

	rv_expect("MEM_RECLAIM of a living VM", RV_E_STATE, RV_MEM_RECLAIM, vm.handle, GFN,
		  TINY_RAM_PAGES, 0, 0);
	rv_expect("VM_DESTROY of a living VM", RV_E_STATE, RV_VM_DESTROY, vm.handle, 0, 0, 0, 0);
	rv_expect("MEM_MAP of its page for another VM", RV_E_STATE, RV_MEM_MAP, other.handle,
		  GFN + 100, taken, 1, 0);
	rv_expect("VM_TOPUP with its page", RV_E_STATE, RV_VM_TOPUP, other.handle, taken, 0, 0, 0);
	rv_expect("VCPU_CREATE with its page", RV_E_STATE, RV_VCPU_CREATE, other.handle, 3,
		  tiny_pages(1, 1), taken, 0);
	rv_expect("IMAGE_MAP of its page", RV_E_NOENT, RV_IMAGE_MAP, other.handle, 0, taken, 1, 0);
	if (tiny_is_readable(taken)) {
		fail("a living VM's page is readable");
	}
}

/* W5: blocks whose ends do not match, or that have somebody else's page in them. */
static void crooked_blocks(void)
{
	u64 pfn = tiny_pages(3 * BLOCK_PAGES, BLOCK_PAGES), gfn = GFN + 10 * BLOCK_PAGES, i;
	struct smccc out;
	s64 status;

	/* pfn beside the boundary: the pages that were named go, and no others */
	status = rv_call(&out, RV_MEM_MAP, vm.handle, gfn, pfn + 1, BLOCK_PAGES, 0);
	if (status != RV_OK || out.x[1] == 0 || out.x[1] > BLOCK_PAGES) {
		fail("MEM_MAP of a crooked block: status %ld, %lu pages", status, out.x[1]);
	}
	for (i = 0; i < 2 * BLOCK_PAGES; i++) {
		bool is_given = i >= 1 && i < 1 + out.x[1];

		if (tiny_is_readable(pfn + i) == is_given) {
			fail("a crooked block: page %lu is%s readable", i, is_given ? "" : " not");
		}
	}
	for (i = 0; i < out.x[1]; i++) {
		vm.backing[gfn - GFN + i] = (u32)(pfn + 1 + i);
	}
	/* one page of the block is the corevisor's: it does not go along */
	pfn += 2 * BLOCK_PAGES;
	rv_expect("POOL_TOPUP", RV_OK, RV_POOL_TOPUP, pfn + 7, 0, 0, 0, 0);
	status = rv_call(&out, RV_MEM_MAP, vm.handle, gfn + 2 * BLOCK_PAGES, pfn, BLOCK_PAGES, 0);
	if (status != RV_OK || out.x[1] != 7) {
		fail("MEM_MAP over the corevisor's page: status %ld, %lu pages", status, out.x[1]);
	}
	for (i = 0; i < 7; i++) {
		vm.backing[gfn + 2 * BLOCK_PAGES - GFN + i] = (u32)(pfn + i);
	}
}

/* W8: frames that no VM may have: GIC, UART, SMMU, fw_cfg, virtio; RAM as a device. */
static void devices_not_for_vms(void)
{
	static const u64 frames[] = { 0x08000000, 0x08010000, 0x08080000,  0x080a0000, 0x09000000,
				      0x09010000, 0x09020000, 0x09030000,  0x09050000, 0x0a000000,
				      0x0,	  0x3f000000, 0x4010000000 };
	u32 i;

	for (i = 0; i < ARRAY_SIZE(frames); i++) {
		rv_expect("VM_MAP_IO of a frame of the machine", RV_E_PERM, RV_VM_MAP_IO,
			  other.handle, 0x10000, frames[i] / PAGE_BYTES, 0, 0);
	}
	rv_expect("VM_MAP_IO of RAM", RV_E_PERM, RV_VM_MAP_IO, other.handle, 0x10000,
		  tiny_pages(1, 1), 0, 0);
	rv_expect("VM_MAP_IO of the corevisor", RV_E_PERM, RV_VM_MAP_IO, other.handle, 0x10000,
		  machine.core[0].base / PAGE_BYTES, 0, 0);
	rv_expect("VM_MAP_IO into RAM", RV_E_RANGE, RV_VM_MAP_IO, other.handle, GFN,
		  0x10000000 / PAGE_BYTES, 0, 0);
}

/* W4, W7: a page for DMA before the guest runs: the host loses it at once; a context that maps
 * something does not go. */
static void preassigned_page(void)
{
	u64 pfn = tiny_pages(1, 1), root = tiny_pages(2, 2), gfn = GFN + 64;
	struct smccc out;
	int tries;
	s64 status;

	rv_expect("DMA_ALLOC for the host's root", RV_E_STATE, RV_DMA_ALLOC, 3, other.handle,
		  machine.core[0].base / PAGE_BYTES, 0, 0);
	rv_expect("DMA_ALLOC", RV_OK, RV_DMA_ALLOC, 3, other.handle, root, 0, 0);
	rv_expect("DMA_ALLOC again", RV_E_BUSY, RV_DMA_ALLOC, 3, other.handle, tiny_pages(2, 2), 0,
		  0);
	rv_expect("DMA_MAP of the host's page", RV_E_STATE, RV_DMA_MAP, 3, gfn, pfn, 1, 0);
	if (tiny_map(&other, gfn * PAGE_BYTES, pfn) != RV_OK) {
		fail("a page for DMA does not get into the VM");
	}
	if (tiny_is_readable(pfn)) {
		fail("a page for DMA is readable");
	}
	rv_expect("DMA_MAP elsewhere", RV_E_STATE, RV_DMA_MAP, 3, gfn + 1, pfn, 1, 0);
	for (tries = 0; tries < 3; tries++) {
		status = rv_call(&out, RV_DMA_MAP, 3, gfn, pfn, 1, 0);
		if (status != RV_E_NOMEM) {
			break;
		}
		rv_expect("DMA_TOPUP", RV_OK, RV_DMA_TOPUP, 3, tiny_pages(1, 1), 0, 0, 0);
	}
	if (status != RV_OK) {
		fail("DMA_MAP: status %ld", status);
	}
	rv_expect("DMA_MAP again", RV_E_BUSY, RV_DMA_MAP, 3, gfn, pfn, 1, 0);
	rv_expect("DMA_FREE of a context in use", RV_E_BUSY, RV_DMA_FREE, 3, 0, 0, 0, 0);
	rv_expect("VM_KILL", RV_OK, RV_VM_KILL, other.handle, 0, 0, 0, 0);
	rv_expect("MEM_RECLAIM under DMA", RV_E_BUSY, RV_MEM_RECLAIM, other.handle, gfn, 1, 0, 0);
	rv_expect("DMA_UNMAP", RV_OK, RV_DMA_UNMAP, 3, gfn, 1, 0, 0);
	do {
		status = rv_call(&out, RV_DMA_FREE, 3, 0, 0, 0, 0);
	} while (status == RV_OK && out.x[1] != 0);
	if (status != RV_OK || !tiny_is_readable(root) || !tiny_is_zero(root)) {
		fail("DMA_FREE: status %ld", status);
	}
	rv_expect("DMA_MAP without an owner", RV_E_NOENT, RV_DMA_MAP, 3, gfn, pfn, 1, 0);
}

/* W18: numbers, images and pages come back as often as one likes. */
static void many_lives(void)
{
	u32 i;

	for (i = 0; i < 300; i++) {
		tiny_create(&other, "one of many", &tiny_nobody);
		tiny_load(&other, TINY_RAM_BASE, "content", 8);
		tiny_destroy(&other);
		tiny_rewind();
	}
}

_Noreturn void image_main(void)
{
	ready();
	tiny_begin();
	if (!(tiny_facts.features & RV_FEAT_ENTROPY)) {
		skip("no entropy: no protected VMs here");
	}
	build(&vm);
	tiny_create(&other, "other", &tiny_nobody);
	reclaim_of_the_living();
	crooked_blocks();
	devices_not_for_vms();
	preassigned_page();
	tiny_destroy(&other);
	tiny_destroy(&vm);
	many_lives();
	pass();
}
