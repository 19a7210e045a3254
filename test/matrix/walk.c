/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The walk: a long random sequence of calls, each made on the core and on the specification; after
 * every call the two agree, the invariants hold and no TLB is stale. Arguments are drawn from few
 * pages, gfns and VMs, so that calls meet. WALK_SEED repeats a walk, WALK_STEPS makes it longer.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include <cv/dma.h>

#include "observe.h"

#define BLOCK1 (0x40200000ull >> PAGE_SHIFT)
#define BANK2 (0x409f5000ull >> PAGE_SHIFT)
#define STEPS 1500

static struct spec_state spec;
static u64 seed;
static u64 random_state;
static u64 dead_handle = 0x103;
static u32 accepted;
static u32 dma_maps, dma_unmaps, dma_frees, io_maps; /* accepted */
static u32 seen[11];				     /* by status */

static u64 pick(u64 below)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (random_state >> 11) % below;
}

/* A page: mostly one of a few dozen, sometimes one that is no good at all. */
static u64 pick_pfn(void)
{
	switch (pick(16)) {
	case 0:
		return BANK2 - 1 + pick(66);
	case 1:
		return (0x40000000ull >> PAGE_SHIFT) + pick(40);
	case 2:
		return pick(2) ? ~0ull - pick(3) : pick(3);
	case 3:
	case 4:
		return BLOCK1 + 512 + pick(24);
	default:
		return BLOCK1 + pick(48);
	}
}

static u64 pick_vm(void)
{
	u64 handle = spec.vm[pick(SPEC_VMS)].handle;

	for (u32 i = 0; i < SPEC_VMS && handle == 0; i++) {
		handle = spec.vm[i].handle;
	}
	return handle != 0 && pick(20) != 0 ? handle : dead_handle;
}

static u64 pick_gfn(void)
{
	return pick(12) == 0 ? SPEC_GFNS - 3 + pick(6) : pick(3) == 0 ? 512 + pick(8) : pick(24);
}

static u64 pick_pages(void)
{
	return pick(6) == 0 ? pick(700) : pick(5);
}

struct outcome {
	enum cv_status core;
	enum cv_status spec;
	u64 core_value;
	u64 spec_value;
};

static struct outcome step_wish(u64 handle, u64 first, u64 end, enum s2_wish wish,
				bool destroyed) CV_NO_LOCK_ANALYSIS
{
	struct outcome out = { .spec_value = first };
	struct vm *vm = vm_lock(handle);
	gfn_t gfn = gfn_make(first);

	if (vm == NULL) {
		return (struct outcome){ 0 };
	}
	out.core = mem_vm_set_wish(vm, &gfn, gfn_make(end), wish, destroyed);
	vm_unlock(vm);
	out.core_value = gfn.v;
	out.spec = spec_set_wish(&spec, handle, &out.spec_value, end, wish, destroyed);
	return out;
}

/* A check that succeeds: what it does to the VM's state. */
static void step_run(u64 handle) CV_NO_LOCK_ANALYSIS
{
	struct vm *vm = vm_lock(handle);

	if (vm == NULL) {
		return;
	}
	if (vm->state == VM_READY) {
		vm->state = VM_VERIFIED;
		spec_vm(&spec, handle)->state = VM_VERIFIED;
	}
	vm_unlock(vm);
}

#define BOTH(core_call, spec_call)    \
	do {                          \
		out.core = core_call; \
		out.spec = spec_call; \
	} while (0)

/* RAM and tables for a new VM, so that most VMs get somewhere. */
static void furnish(u64 vm)
{
	if (pick(6) != 0 && vm_add_ram(vm, 0, 1024) != spec_vm_add_ram(&spec, vm, 0, 1024)) {
		fake_fail("WALK_SEED=%#lx: RAM for a new VM", seed);
	}
	for (u64 i = pick(6); i > 0; i--) {
		u64 pfn = pick_pfn();

		if (vm_topup(vm, pfn) != spec_vm_topup(&spec, vm, pfn)) {
			fake_fail("WALK_SEED=%#lx: tables for a new VM", seed);
		}
	}
}

static struct outcome step_vm(u64 vm, u64 pfn)
{
	struct outcome out = { 0 };
	u64 other = pick_pfn();
	u64 small = pick(5);
	u64 gfn = pick(4) * 512;

	switch (pick(8)) {
	case 0:
		if (spec.vm_count < SPEC_VMS) {
			u64 flags = pick(9) == 0 ? 2 : pick(2);

			other = pick(4) == 0 ? other : align_down(other, 2);
			BOTH(vm_create(pfn, other, flags, fake_no_owner, &out.core_value),
			     spec_vm_create(&spec, pfn, other, flags, fake_no_owner,
					    &out.spec_value));
			if (out.core == CV_OK) {
				fake_attach(out.core_value & 0xff, pfn_pa(pfn_make(other)));
				furnish(out.core_value);
			}
		}
		break;
	case 1:
		small = pick(40) == 0 ? 64 : small % SPEC_VCPUS;
		BOTH(vm_create_vcpu(vm, small, pfn, other),
		     spec_vm_create_vcpu(&spec, vm, small, pfn, other));
		break;
	case 2:
		if (pick(2) == 0) {
			gfn = pick_gfn();
			small = pick(3) * PAGE_SIZE;
			BOTH(image_add(vm, gfn << PAGE_SHIFT, small, &out.core_value),
			     spec_image_add(&spec, vm, gfn << PAGE_SHIFT, small, &out.spec_value));
			break;
		}
		small = pick(3) * 256;
		BOTH(vm_add_ram(vm, gfn, small), spec_vm_add_ram(&spec, vm, gfn, small));
		break;
	case 3:
		step_run(vm);
		break;
	case 4:
		if (pick(4) == 0) {
			BOTH(vm_kill(vm), spec_vm_kill(&spec, vm));
		}
		break;
	case 5:
		BOTH(vm_destroy(vm, &out.core_value), spec_vm_destroy(&spec, vm, &out.spec_value));
		if (out.core == CV_OK && out.core_value == 0) {
			dead_handle = vm;
			fake_attach(vm & 0xff, pa_make(0));
		}
		break;
	default:
		BOTH(vm_topup(vm, pfn), spec_vm_topup(&spec, vm, pfn));
		break;
	}
	return out;
}

/* An iova, and the page that the context's owner has there if it has one. */
static u64 pick_iova(u64 context, u64 *pfn)
{
	const struct spec_context *c = spec_context(&spec, context);
	struct spec_vm *vm = c != NULL && c->vm != 0 ? spec_vm(&spec, c->vm) : NULL;
	u64 gfn = pick(24);

	if (vm == NULL) {
		return pick(12) == 0 ? gfn : *pfn;
	}
	for (u32 i = 0; i < 24 && vm->gfn[gfn].pfn == 0; i++) {
		gfn = (gfn + 1) % 24;
	}
	if (vm->gfn[gfn].pfn != 0 && pick(8) != 0) {
		*pfn = vm->gfn[gfn].pfn;
	}
	return gfn;
}

/* A device's write gets where the specification says, and nowhere else. */
static void step_device(u64 context, u64 iova)
{
	u64 pfn = iova < GFN_LIMIT ? spec_dma_maps(&spec, context, iova) : 0;

	if (fake_dma_write((u32)context, iova << PAGE_SHIFT, pick(1000)) != (pfn != 0)) {
		fake_fail("WALK_SEED=%#lx: context %lu, iova page %#lx: page %#lx", seed, context,
			  iova, pfn);
	}
	if (pfn != 0) {
		spec_page(&spec, pfn)->token = fake_page_token(pfn);
	}
}

/* A context with tables, most times. */
static struct outcome step_context(u64 context, u64 vm, u64 pfn)
{
	struct outcome out = { 0 };

	for (u32 i = 0; i < 8 && spec_page(&spec, pfn) == NULL; i++) {
		pfn = pick_pfn();
	}
	pfn = pick(6) == 0 ? pfn : align_down(pfn, 2);
	BOTH(dma_alloc(context, vm, pfn), spec_dma_alloc(&spec, context, vm, pfn));
	for (u32 i = 0; out.core == CV_OK && i < 8; i++) {
		u64 table = pick_pfn();

		if (dma_topup(context, table) != spec_dma_topup(&spec, context, table)) {
			fake_fail("WALK_SEED=%#lx: tables for a new context", seed);
		}
	}
	return out;
}

static struct outcome step_dma(u64 vm, u64 pfn)
{
	struct outcome out = { 0 };
	u64 context = pick(SPEC_CONTEXTS);
	u64 other = pick(40) == 0 ? RV_DMA_CONTEXTS + pick(2) : context;
	u64 page = pfn;
	u64 iova = pick_iova(context, &page);
	u64 pages = pick(5);

	switch (pick(12)) {
	case 0:
	case 1:
		return step_context(other, pick(3) == 0 ? 0 : vm, pfn);
	case 2:
		BOTH(dma_topup(other, pfn), spec_dma_topup(&spec, other, pfn));
		break;
	case 3:
	case 4:
	case 5:
	case 6:
		BOTH(dma_map(other, iova, page, pages, &out.core_value),
		     spec_dma_map(&spec, other, iova, page, pages, &out.spec_value));
		dma_maps += out.core == CV_OK;
		break;
	case 7:
		pages = pick(3) == 0 ? pick(1000000) : pages;
		BOTH(dma_unmap(other, iova, pages, &out.core_value),
		     spec_dma_unmap(&spec, other, iova, pages, &out.spec_value));
		dma_unmaps += out.core == CV_OK;
		break;
	case 8:
		if (pick(3) != 0) {
			break;
		}
		BOTH(dma_free(other, &out.core_value),
		     spec_dma_free(&spec, other, &out.spec_value));
		dma_frees += out.core == CV_OK;
		break;
	case 9:
	case 10:
		page = (FAKE_IO_BASE >> PAGE_SHIFT) +
		       (pick(12) == 0 ? FAKE_IO_PAGES : pick(SPEC_IO));
		iova = (pick(3) == 0 ? 0 : 1000) + pick(48);
		BOTH(mem_map_io(vm, iova, page), spec_map_io(&spec, vm, iova, page));
		io_maps += out.core == CV_OK;
		break;
	default:
		step_device(context, iova);
		break;
	}
	return out;
}

static struct outcome step(void)
{
	struct outcome out = { 0 };
	u64 vm = pick_vm();
	u64 pfn = pick_pfn();
	u64 gfn = pick_gfn();
	u64 pages = pick_pages();

	switch (pick(13)) {
	case 0:
	case 1:
	case 2:
		return step_vm(vm, pfn);
	case 10:
	case 11:
	case 12:
		return step_dma(vm, pfn);
	case 3:
	case 4:
	case 5:
		BOTH(mem_map(vm, gfn, pfn, pages, &out.core_value),
		     spec_map(&spec, vm, gfn, pfn, pages, &out.spec_value));
		break;
	case 6:
		BOTH(mem_reclaim(vm, gfn, pages, &out.core_value),
		     spec_reclaim(&spec, vm, gfn, pages, &out.spec_value));
		break;
	case 7:
		if (pick(4) == 0) {
			gfn = pick(3);
			BOTH(image_map(vm, gfn, pfn, pages, &out.core_value),
			     spec_image_map(&spec, vm, gfn, pfn, pages, &out.spec_value));
		} else if (pick(4) == 0) {
			/* Nobody signed anything here: every page of the host is malformed. */
			BOTH(image_verify(vm, pfn, &out.core_value),
			     spec_vm_verify(&spec, vm, pfn, SPEC_MALFORMED, &out.spec_value));
		} else if (pick(6) == 0) {
			BOTH(mem_pool_topup(pfn), spec_pool_topup(&spec, pfn));
		} else {
			u64 value;
			bool expected = spec_page(&spec, pfn) != NULL
						? spec_page(&spec, pfn)->is_host_rw
						: pfn < GFN_LIMIT;

			if (fake_host_write((u32)pick(FAKE_CPUS), pfn << PAGE_SHIFT, pick(1000)) !=
				    expected &&
			    pfn < GFN_LIMIT) {
				fake_fail("the host's write to page %#lx: expected %d", pfn,
					  expected);
			}
			fake_host_read((u32)pick(FAKE_CPUS), pfn << PAGE_SHIFT, &value);
			if (spec_page(&spec, pfn) != NULL && expected) {
				spec_page(&spec, pfn)->token = fake_page_token(pfn);
			}
		}
		break;
	default:
		out = step_wish(vm, gfn, gfn + pages, (enum s2_wish)(pick(30) == 0 ? 2 : pick(2)),
				pick(2) == 0);
		break;
	}
	return out;
}

static void walk(u32 steps)
{
	observe_boot(&spec);
	for (u64 i = 0; i < 48; i++) {
		fake_poke(BLOCK1 + i, 8, i + 1);
		spec_page(&spec, BLOCK1 + i)->token = fake_page_token(BLOCK1 + i);
		if (i % 8 == 0) {
			fake_watch(OWNER_HOST, (BLOCK1 + i) << PAGE_SHIFT);
			fake_watch(OWNER_VM_FIRST + i / 24, (i / 8 % 3) << PAGE_SHIFT);
			fake_watch((u32)(S2_VMID_DMA + i / 16), (BLOCK1 + i) << PAGE_SHIFT);
			fake_watch((u32)(S2_VMID_DMA + i / 16), (i / 8) << PAGE_SHIFT);
		}
	}
	for (u32 i = 0; i < steps; i++) {
		struct outcome out;
		char what[80];

		fake_cpu_set((u32)pick(FAKE_CPUS));
		out = step();
		snprintf(what, sizeof(what), "WALK_SEED=%#lx step %u", seed, i);
		if (out.core != out.spec ||
		    (out.core == CV_OK && out.core_value != out.spec_value)) {
			fake_fail("%s: status %d value %#lx, specified %d %#lx", what, out.core,
				  out.core_value, out.spec, out.spec_value);
		}
		accepted += out.core == CV_OK;
		seen[-out.core]++;
		observe_check(&spec, true, what);
	}
	fake_cpu_set(0);
}

static void test_walk(void **state)
{
	const char *given = getenv("WALK_SEED");
	const char *steps = getenv("WALK_STEPS");

	(void)state;
	seed = given != NULL ? strtoull(given, NULL, 0) : (u64)time(NULL) * 2654435761u;
	print_message("# WALK_SEED=%#lx\n", seed);
	random_state = seed | 1;
	walk(steps != NULL ? (u32)strtoul(steps, NULL, 0) : STEPS);
	fake_halt();
	/* A walk whose calls are nearly all refused tests nothing. */
	assert_true(accepted > (steps == NULL ? STEPS / 8 : 0));
	print_message("# DMA: %u maps, %u unmaps, %u frees; %u device pages\n", dma_maps,
		      dma_unmaps, dma_frees, io_maps);
	print_message("# %u calls accepted; refused by status 2-10: %u %u %u %u %u %u %u %u %u\n",
		      accepted, seen[2], seen[3], seen[4], seen[5], seen[6], seen[7], seen[8],
		      seen[9], seen[10]);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_walk) };

	return cmocka_run_group_tests_name("walk", tests, NULL, NULL);
}
