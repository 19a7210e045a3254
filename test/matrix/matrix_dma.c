/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The matrix of DMA contexts and device pages: as matrix.c, over the scenes that those calls care
 * about. Page, contexts and VMs in every state; every DMA and device call, and every other call
 * that a mapping for DMA must stop or survive. Devices and CPUs keep all translations they ever
 * saw, and in the hostile round a device writes to the page whenever it can.
 */
#include "call.h"

#include <cv/dma.h>
#include <stdio.h>

enum scene {
	HOST_PAGE,
	HOST_PAGE_IN_DMA,
	OPEN_PAGE,
	OPEN_PAGE_IN_DMA,
	OPEN_PAGE_LOST, /* in DMA, reclaimed from the VM since */
	VM_PAGE,
	VM_PAGE_IN_DMA,
	VM_SHARED_IN_DMA,
	HOST_BLOCK_IN_DMA,
	VM_BLOCK_IN_DMA,
	TABLE_OF_CONTEXT,
	DEVICE_PAGE,
	DEVICE_OF_A,
	DEVICE_OF_B,
	NOT_RAM,
	SCENES
};
static const char *const scene_names[SCENES] = {
	"host",
	"host, in DMA",
	"open VM's",
	"open VM's, in DMA",
	"open VM's once, in DMA",
	"private",
	"private, in DMA",
	"shared, in DMA",
	"host, in a block in DMA",
	"private, in a block in DMA",
	"context's table",
	"device",
	"VM a's device",
	"VM b's device",
	"not RAM",
};

static void make_context(u32 context, u64 vm)
{
	u64 root = spare_root();

	BOTH(dma_alloc(context, vm, root), spec_dma_alloc(&spec, context, vm, root));
	for (u32 i = 0; i < 2; i++) {
		u64 pfn = spare();

		BOTH(dma_topup(context, pfn), spec_dma_topup(&spec, context, pfn));
	}
}

static void map_dma(u32 context, u64 iova, u64 pfn, u64 pages)
{
	u64 done;

	BOTH(dma_map(context, iova, pfn, pages, &done),
	     spec_dma_map(&spec, context, iova, pfn, pages, &done));
}

static void map_io(u64 vm, u64 gfn, u64 pfn)
{
	BOTH(mem_map_io(vm, gfn, pfn), spec_map_io(&spec, vm, gfn, pfn));
}

static u64 make_scene(enum scene scene)
{
	u64 next;

	switch (scene) {
	case HOST_PAGE_IN_DMA:
		map_dma(OF_HOST, SUBJECT, SUBJECT, 1);
		break;
	case OPEN_PAGE_IN_DMA:
	case OPEN_PAGE_LOST:
	case OPEN_PAGE:
		map(vm_b, GFN_SUBJECT, SUBJECT);
		if (scene != OPEN_PAGE) {
			map_dma(OF_B, GFN_SUBJECT, SUBJECT, 1);
		}
		if (scene == OPEN_PAGE_LOST) {
			BOTH(mem_reclaim(vm_b, GFN_SUBJECT, 1, &next),
			     spec_reclaim(&spec, vm_b, GFN_SUBJECT, 1, &next));
		}
		break;
	case VM_PAGE:
	case VM_PAGE_IN_DMA:
	case VM_SHARED_IN_DMA:
		map(vm_a, GFN_SUBJECT, SUBJECT);
		if (scene != VM_PAGE) {
			map_dma(OF_A, GFN_SUBJECT, SUBJECT, 1);
		}
		if (scene == VM_SHARED_IN_DMA) {
			set_wish(vm_a, GFN_SUBJECT, S2_WISH_SHARED);
		}
		break;
	case HOST_BLOCK_IN_DMA:
		map_dma(OF_HOST, BLOCK1, BLOCK1, 512);
		break;
	case VM_BLOCK_IN_DMA:
		BOTH(mem_map(vm_a, GFN_BLOCK, BLOCK1, 512, &next),
		     spec_map(&spec, vm_a, GFN_BLOCK, BLOCK1, 512, &next));
		map_dma(OF_A, GFN_BLOCK, BLOCK1, 512);
		break;
	case TABLE_OF_CONTEXT:
		BOTH(dma_topup(OF_HOST, SUBJECT), spec_dma_topup(&spec, OF_HOST, SUBJECT));
		break;
	case DEVICE_OF_A:
		map_io(vm_a, GFN_IO, IO);
		return IO;
	case DEVICE_OF_B:
		map_io(vm_b, GFN_IO, IO);
		return IO;
	case DEVICE_PAGE:
		return IO;
	case NOT_RAM:
		return SPARE - 1;
	default:
		break;
	}
	return SUBJECT;
}

static void warm(u64 subject)
{
	for (u32 context = OF_HOST; context <= OF_NOBODY; context++) {
		u64 iova = context == OF_HOST ? subject : GFN_SUBJECT;

		fake_watch(S2_VMID_DMA + context, iova << PAGE_SHIFT);
		fake_watch(S2_VMID_DMA + context, GFN_FREE << PAGE_SHIFT);
		fake_watch(S2_VMID_DMA + context, (GFN_BLOCK + 3) << PAGE_SHIFT);
		fake_dma_write(context, (iova << PAGE_SHIFT) + 64, JUNK);
	}
	fake_watch(OWNER_HOST, subject << PAGE_SHIFT);
	fake_watch(OWNER_HOST, (subject + 1) << PAGE_SHIFT);
	fake_watch(OWNER_HOST, FREE_ROOT << PAGE_SHIFT);
	fake_watch(vm_a & 0xff, GFN_SUBJECT << PAGE_SHIFT);
	fake_watch(vm_b & 0xff, GFN_SUBJECT << PAGE_SHIFT);
	fake_watch(vm_a & 0xff, GFN_IO << PAGE_SHIFT);
	fake_watch(vm_b & 0xff, GFN_IO << PAGE_SHIFT);
	fake_check_tlbs();
}

static u64 set_scene(enum scene scene, enum vm_state state, u32 active, enum pool_scene pool)
{
	u64 subject;

	scene_begin();
	vm_a = make_vm(RV_VM_PROTECTED);
	vm_b = make_vm(0);
	attach_vms();
	make_context(OF_HOST, 0);
	make_context(OF_A, vm_a);
	make_context(OF_B, vm_b);
	make_image(1);
	subject = make_scene(scene);
	set_state(vm_a, state, active);
	set_state(vm_b, state, active);
	warm(subject);
	know(subject);
	drain_pool(pool);
	return subject;
}

/* A device reaches what the specification says its context maps, and nothing else. */
static void check_devices(u64 subject, const char *what)
{
	const u64 iovas[] = {
		subject, subject + 1, GFN_SUBJECT, GFN_FREE, GFN_IMAGE, GFN_BLOCK + 3
	};
	u64 value;

	for (u32 context = OF_HOST; context <= OF_NOBODY; context++) {
		for (u32 i = 0; i < ARRAY_SIZE(iovas); i++) {
			bool is_mapped = spec_dma_maps(&spec, context, iovas[i]) != 0;

			if (fake_dma_read(context, iovas[i] << PAGE_SHIFT, &value) != is_mapped) {
				fake_fail("%s: context %u, iova page %#lx: %s", what, context,
					  iovas[i], is_mapped ? "lost" : "still reached");
			}
		}
	}
}

static void cell(const struct call *call, u64 subject, bool is_hostile, const char *what)
{
	struct spec_page before = { 0 };

	if (spec_page(&spec, subject) != NULL) {
		before = *spec_page(&spec, subject);
	}
	for (u32 context = OF_HOST; is_hostile && context <= OF_B; context++) {
		u64 iova = context == OF_HOST ? subject : GFN_SUBJECT;

		fake_hostile_writer(FAKE_SMMU, S2_VMID_DMA + context, iova << PAGE_SHIFT, JUNK);
	}
	call_both(call, subject, what);
	fake_calm();
	observe_check(&spec, !is_hostile, what);
	check_devices(subject, what);
	if (is_hostile && is_left_dirty(subject, &before)) {
		fake_fail("%s: a device wrote to a page that changed hands", what);
	}
}

static void run_cells(enum vm_state state, u32 active, enum pool_scene pool, bool is_hostile)
{
	u32 cells = 0;

	for (u32 scene = 0; scene < SCENES; scene++) {
		for (const struct call *call = dma_calls; call->name != NULL; call++) {
			u64 subject = set_scene(scene, state, active, pool);
			char what[160];

			snprintf(what, sizeof(what), "page %s, VM state %d, %s: %s",
				 scene_names[scene], state, is_hostile ? "hostile" : "calm",
				 call->name);
			cell(call, subject, is_hostile, what);
			cells++;
		}
	}
	fake_halt();
	print_message("# %u cells\n", cells);
}

static void test_ready(void **state)
{
	(void)state;
	run_cells(VM_READY, 0, POOL_FULL, false);
}

static void test_verified(void **state)
{
	(void)state;
	run_cells(VM_VERIFIED, 0, POOL_FULL, false);
}

static void test_poweroff(void **state)
{
	(void)state;
	run_cells(VM_POWEROFF, 0, POOL_FULL, false);
	run_cells(VM_POWEROFF, 1, POOL_FULL, false);
}

/* The core has no table to give. */
static void test_pool_low(void **state)
{
	(void)state;
	run_cells(VM_READY, 0, POOL_LOW, false);
}

static void test_hostile_devices(void **state)
{
	(void)state;
	run_cells(VM_READY, 0, POOL_FULL, true);
	run_cells(VM_POWEROFF, 0, POOL_FULL, true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ready),		cmocka_unit_test(test_verified),
		cmocka_unit_test(test_poweroff),	cmocka_unit_test(test_pool_low),
		cmocka_unit_test(test_hostile_devices),
	};

	return cmocka_run_group_tests_name("matrix_dma", tests, NULL, NULL);
}
