/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The matrix of DMA contexts and device pages: as matrix.c, over the scenes that those calls care
 * about. Page, contexts and VMs in every state; every DMA and device call, and every other call
 * that a mapping for DMA must stop or survive. Devices and CPUs keep all translations they ever
 * saw, and in the hostile round a device writes to the page whenever it can.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <cv/dma.h>

#include "observe.h"

#define SUBJECT ((0x40200000ull >> PAGE_SHIFT) + 7)
#define FREE_ROOT ((0x40400000ull >> PAGE_SHIFT) + 16)
#define FREE_PAGE (FREE_ROOT + 4)
#define SPARE (0x409f5000ull >> PAGE_SHIFT)
#define JUNK 0x6a756e6b6a756e6bull
#define IO (FAKE_IO_BASE >> PAGE_SHIFT)

#define RAM_PAGES 1024ull
#define GFN_SUBJECT 3ull
#define GFN_FREE 5ull
#define GFN_IMAGE 16ull
#define GFN_IO (RAM_PAGES + 16)
/* Contexts: the host's, VM a's, VM b's, nobody's, and one that calls only name. */
enum { OF_HOST, OF_A, OF_B, OF_NOBODY };

static struct spec_state spec;
static u64 vm_a; /* protected */
static u64 vm_b; /* open */
static u64 image_pfn;
static u64 next_spare;

enum scene {
	HOST_PAGE,
	HOST_PAGE_IN_DMA,
	OPEN_PAGE,
	OPEN_PAGE_IN_DMA,
	OPEN_PAGE_LOST, /* in DMA, reclaimed from the VM since */
	VM_PAGE,
	VM_PAGE_IN_DMA,
	VM_SHARED_IN_DMA,
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
	"context's table",
	"device",
	"VM a's device",
	"VM b's device",
	"not RAM",
};

static void must(enum cv_status status)
{
	if (status != CV_OK) {
		fake_fail("the scene cannot be set: %d", status);
	}
}

#define BOTH(call_core, call_spec) (must(call_core), must(call_spec))

static u64 make_vm(u64 flags)
{
	u64 record = next_spare;
	u64 root = align_up(record + 1, 2);
	u64 handle;
	u64 expected;

	next_spare = root + 2;
	BOTH(vm_create(record, root, flags, fake_no_owner, &handle),
	     spec_vm_create(&spec, record, root, flags, fake_no_owner, &expected));
	assert_int_equal(handle, expected);
	BOTH(vm_add_ram(handle, 0, RAM_PAGES), spec_vm_add_ram(&spec, handle, 0, RAM_PAGES));
	for (u32 i = 0; i < 4; i++, next_spare++) {
		BOTH(vm_topup(handle, next_spare), spec_vm_topup(&spec, handle, next_spare));
	}
	fake_attach(handle & 0xff, pa_make(root << PAGE_SHIFT));
	return handle;
}

static void make_context(u32 context, u64 vm)
{
	u64 root = align_up(next_spare, 2);

	next_spare = root + 2;
	BOTH(dma_alloc(context, vm, root), spec_dma_alloc(&spec, context, vm, root));
	for (u32 i = 0; i < 2; i++, next_spare++) {
		BOTH(dma_topup(context, next_spare), spec_dma_topup(&spec, context, next_spare));
	}
}

static void map(u64 vm, u64 gfn, u64 pfn)
{
	u64 done;

	BOTH(mem_map(vm, gfn, pfn, 1, &done), spec_map(&spec, vm, gfn, pfn, 1, &done));
}

static void map_dma(u32 context, u64 iova, u64 pfn)
{
	u64 done;

	BOTH(dma_map(context, iova, pfn, 1, &done),
	     spec_dma_map(&spec, context, iova, pfn, 1, &done));
}

static void map_io(u64 vm, u64 gfn, u64 pfn)
{
	BOTH(mem_map_io(vm, gfn, pfn), spec_map_io(&spec, vm, gfn, pfn));
}

static void make_image(void)
{
	u64 index;
	u64 done;

	image_pfn = next_spare++;
	BOTH(image_add(vm_a, GFN_IMAGE << PAGE_SHIFT, PAGE_SIZE, &index),
	     spec_image_add(&spec, vm_a, GFN_IMAGE << PAGE_SHIFT, PAGE_SIZE, &index));
	BOTH(image_map(vm_a, index, image_pfn, 1, &done),
	     spec_image_map(&spec, vm_a, index, image_pfn, 1, &done));
}

static void share(u64 first) CV_NO_LOCK_ANALYSIS
{
	struct vm *vm = vm_lock(vm_a);
	gfn_t gfn = gfn_make(first);

	must(mem_vm_set_wish(vm, &gfn, gfn_make(first + 1), S2_WISH_SHARED, true));
	vm_unlock(vm);
	must(spec_set_wish(&spec, vm_a, &first, first + 1, S2_WISH_SHARED, true));
}

static u64 make_scene(enum scene scene)
{
	u64 next;

	switch (scene) {
	case HOST_PAGE_IN_DMA:
		map_dma(OF_HOST, SUBJECT, SUBJECT);
		break;
	case OPEN_PAGE_IN_DMA:
	case OPEN_PAGE_LOST:
	case OPEN_PAGE:
		map(vm_b, GFN_SUBJECT, SUBJECT);
		if (scene != OPEN_PAGE) {
			map_dma(OF_B, GFN_SUBJECT, SUBJECT);
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
			map_dma(OF_A, GFN_SUBJECT, SUBJECT);
		}
		if (scene == VM_SHARED_IN_DMA) {
			share(GFN_SUBJECT);
		}
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

static void set_state(u64 handle, enum vm_state state, u32 active) CV_NO_LOCK_ANALYSIS
{
	struct vm *vm = vm_lock(handle);

	vm->state = state;
	vm->active_count = active;
	vm_unlock(vm);
	spec_vm(&spec, handle)->state = state;
	spec_vm(&spec, handle)->active = active;
}

/* ---- calls ---- */

struct outcome {
	enum cv_status status;
	u64 value;
};

struct call {
	const char *name;
	struct outcome (*core)(u64 p);
	struct outcome (*spec)(u64 p);
};

#define ONE(side, name, expression)                               \
	static struct outcome side##_##name(u64 p)                \
	{                                                         \
		u64 v = 0;                                        \
		enum cv_status s = expression;                    \
		(void)p;                                          \
		return (struct outcome){ s, s == CV_OK ? v : 0 }; \
	}
#define CALL(name, core_expression, spec_expression) \
	ONE(core, name, core_expression)             \
	ONE(spec, name, spec_expression)
#define ALLOC(name, ...) CALL(name, dma_alloc(__VA_ARGS__), spec_dma_alloc(&spec, __VA_ARGS__))
#define TOPUP(name, c) CALL(name, dma_topup(c, p), spec_dma_topup(&spec, c, p))
#define MAP(name, ...) CALL(name, dma_map(__VA_ARGS__, &v), spec_dma_map(&spec, __VA_ARGS__, &v))
#define UNMAP(name, ...) \
	CALL(name, dma_unmap(__VA_ARGS__, &v), spec_dma_unmap(&spec, __VA_ARGS__, &v))
#define FREE(name, c) CALL(name, dma_free(c, &v), spec_dma_free(&spec, c, &v))
#define MAP_IO(name, ...) CALL(name, mem_map_io(__VA_ARGS__), spec_map_io(&spec, __VA_ARGS__))

ALLOC(alloc_host, OF_NOBODY, 0, p & ~1ull)
ALLOC(alloc_a, OF_NOBODY, vm_a, FREE_ROOT)
ALLOC(alloc_b, OF_NOBODY, vm_b, p & ~1ull)
ALLOC(alloc_odd, OF_NOBODY, 0, p | 1)
ALLOC(alloc_huge, OF_NOBODY, 0, ~1ull)
ALLOC(alloc_owned, OF_HOST, 0, FREE_ROOT)
ALLOC(alloc_owned_a, OF_A, vm_a, p & ~1ull)
ALLOC(alloc_no_vm, OF_NOBODY, 0x777, p & ~1ull)
ALLOC(alloc_index, RV_DMA_CONTEXTS, 0, FREE_ROOT)
TOPUP(topup_host, OF_HOST)
TOPUP(topup_a, OF_A)
TOPUP(topup_b, OF_B)
TOPUP(topup_nobody, OF_NOBODY)
TOPUP(topup_index, ~0ull)
MAP(map_host, OF_HOST, p, p, 1)
MAP(map_host_elsewhere, OF_HOST, p + 1, p, 1)
MAP(map_host_many, OF_HOST, p, p, 3)
MAP(map_host_low, OF_HOST, GFN_SUBJECT, p, 1)
MAP(map_a, OF_A, GFN_SUBJECT, p, 1)
MAP(map_a_elsewhere, OF_A, GFN_FREE, p, 1)
MAP(map_a_identity, OF_A, p, p, 1)
MAP(map_a_image, OF_A, GFN_IMAGE, image_pfn, 1)
MAP(map_b, OF_B, GFN_SUBJECT, p, 1)
MAP(map_b_elsewhere, OF_B, GFN_FREE, p, 1)
MAP(map_b_identity, OF_B, p, p, 1)
MAP(map_beyond, OF_HOST, GFN_LIMIT, p, 1)
MAP(map_wrap, OF_HOST, ~0ull, p, 2)
MAP(map_none, OF_HOST, p, p, 0)
MAP(map_nobody, OF_NOBODY, p, p, 1)
MAP(map_index, RV_DMA_CONTEXTS, p, p, 1)
UNMAP(unmap_host, OF_HOST, p, 1)
UNMAP(unmap_host_all, OF_HOST, 0, GFN_LIMIT)
UNMAP(unmap_a, OF_A, GFN_SUBJECT, 1)
UNMAP(unmap_a_all, OF_A, 0, RAM_PAGES)
UNMAP(unmap_b, OF_B, GFN_SUBJECT, 4)
UNMAP(unmap_none, OF_HOST, p, 0)
UNMAP(unmap_beyond, OF_HOST, GFN_LIMIT - 1, 2)
UNMAP(unmap_wrap, OF_HOST, 1, ~0ull)
UNMAP(unmap_nobody, OF_NOBODY, p, 1)
UNMAP(unmap_index, RV_DMA_CONTEXTS, p, 1)
FREE(free_host, OF_HOST)
FREE(free_a, OF_A)
FREE(free_b, OF_B)
FREE(free_nobody, OF_NOBODY)
FREE(free_index, RV_DMA_CONTEXTS)
MAP_IO(io_a, vm_a, GFN_IO, p)
MAP_IO(io_a_next, vm_a, GFN_IO + 1, p)
MAP_IO(io_b, vm_b, GFN_IO, p)
MAP_IO(io_neighbour, vm_a, GFN_IO, p + 1)
MAP_IO(io_in_ram, vm_a, GFN_FREE, p)
MAP_IO(io_beyond, vm_a, GFN_LIMIT, p)
MAP_IO(io_unlisted, vm_a, GFN_IO, IO + FAKE_IO_PAGES)
MAP_IO(io_hidden, vm_b, GFN_IO, FAKE_HIDDEN_BASE >> PAGE_SHIFT)
MAP_IO(io_huge, vm_b, GFN_IO, ~0ull)
MAP_IO(io_no_vm, 0x777, GFN_IO, p)

/* ---- what DMA and device pages must stop, or survive ---- */

static enum cv_status core_wish(enum s2_wish wish) CV_NO_LOCK_ANALYSIS
{
	struct vm *vm = vm_lock(vm_a);
	gfn_t gfn = { GFN_SUBJECT };
	enum cv_status status = mem_vm_set_wish(vm, &gfn, gfn_make(GFN_SUBJECT + 1), wish, true);

	vm_unlock(vm);
	return status;
}

static enum cv_status spec_wish(enum s2_wish wish)
{
	u64 gfn = GFN_SUBJECT;

	return spec_set_wish(&spec, vm_a, &gfn, gfn + 1, wish, true);
}

/* A VM with everything it had for DMA, from RV_VM_KILL to its last page. */
static enum cv_status core_end(u64 vm, u32 context, u64 *v)
{
	enum cv_status status = vm_kill(vm);

	status = status == CV_OK ? dma_unmap(context, 0, RAM_PAGES, v) : status;
	status = status == CV_OK ? dma_free(context, v) : status;
	status = status == CV_OK ? mem_reclaim(vm, 0, RAM_PAGES * 2, v) : status;
	return status == CV_OK ? vm_destroy(vm, v) : status;
}

static enum cv_status spec_end(u64 vm, u32 context, u64 *v)
{
	enum cv_status status = spec_vm_kill(&spec, vm);

	status = status == CV_OK ? spec_dma_unmap(&spec, context, 0, RAM_PAGES, v) : status;
	status = status == CV_OK ? spec_dma_free(&spec, context, v) : status;
	status = status == CV_OK ? spec_reclaim(&spec, vm, 0, RAM_PAGES * 2, v) : status;
	return status == CV_OK ? spec_vm_destroy(&spec, vm, v) : status;
}

CALL(donate_core, mem_host_donate_core(p), spec_host_donate_core(&spec, p))
CALL(share_core, mem_host_share_core(p), spec_host_share_core(&spec, p))
CALL(give_a, mem_map(vm_a, GFN_FREE, p, 1, &v), spec_map(&spec, vm_a, GFN_FREE, p, 1, &v))
CALL(give_b, mem_map(vm_b, GFN_FREE, p, 1, &v), spec_map(&spec, vm_b, GFN_FREE, p, 1, &v))
CALL(reclaim_a, mem_reclaim(vm_a, 0, GFN_LIMIT, &v), spec_reclaim(&spec, vm_a, 0, GFN_LIMIT, &v))
CALL(reclaim_b, mem_reclaim(vm_b, 0, GFN_LIMIT, &v), spec_reclaim(&spec, vm_b, 0, GFN_LIMIT, &v))
CALL(destroy_a, vm_destroy(vm_a, &v), spec_vm_destroy(&spec, vm_a, &v))
CALL(destroy_b, vm_destroy(vm_b, &v), spec_vm_destroy(&spec, vm_b, &v))
CALL(wish_shared, core_wish(S2_WISH_SHARED), spec_wish(S2_WISH_SHARED))
CALL(wish_private, core_wish(S2_WISH_PRIVATE), spec_wish(S2_WISH_PRIVATE))
CALL(add_ram, vm_add_ram(vm_a, RAM_PAGES, 64), spec_vm_add_ram(&spec, vm_a, RAM_PAGES, 64))
CALL(add_ram_behind, vm_add_ram(vm_a, GFN_IO + 1, 64), spec_vm_add_ram(&spec, vm_a, GFN_IO + 1, 64))
CALL(end_a, core_end(vm_a, OF_A, &v), spec_end(vm_a, OF_A, &v))
CALL(end_b, core_end(vm_b, OF_B, &v), spec_end(vm_b, OF_B, &v))

#define ENTRY(name)                             \
	{                                       \
#name, core_##name, spec_##name \
	}
static const struct call calls[] = {
	ENTRY(alloc_host),     ENTRY(alloc_a),
	ENTRY(alloc_b),	       ENTRY(alloc_odd),
	ENTRY(alloc_huge),     ENTRY(alloc_owned),
	ENTRY(alloc_owned_a),  ENTRY(alloc_no_vm),
	ENTRY(alloc_index),    ENTRY(topup_host),
	ENTRY(topup_a),	       ENTRY(topup_b),
	ENTRY(topup_nobody),   ENTRY(topup_index),
	ENTRY(map_host),       ENTRY(map_host_elsewhere),
	ENTRY(map_host_many),  ENTRY(map_host_low),
	ENTRY(map_a),	       ENTRY(map_a_elsewhere),
	ENTRY(map_a_identity), ENTRY(map_a_image),
	ENTRY(map_b),	       ENTRY(map_b_elsewhere),
	ENTRY(map_b_identity), ENTRY(map_beyond),
	ENTRY(map_wrap),       ENTRY(map_none),
	ENTRY(map_nobody),     ENTRY(map_index),
	ENTRY(unmap_host),     ENTRY(unmap_host_all),
	ENTRY(unmap_a),	       ENTRY(unmap_a_all),
	ENTRY(unmap_b),	       ENTRY(unmap_none),
	ENTRY(unmap_beyond),   ENTRY(unmap_wrap),
	ENTRY(unmap_nobody),   ENTRY(unmap_index),
	ENTRY(free_host),      ENTRY(free_a),
	ENTRY(free_b),	       ENTRY(free_nobody),
	ENTRY(free_index),     ENTRY(io_a),
	ENTRY(io_a_next),      ENTRY(io_b),
	ENTRY(io_neighbour),   ENTRY(io_in_ram),
	ENTRY(io_beyond),      ENTRY(io_unlisted),
	ENTRY(io_hidden),      ENTRY(io_huge),
	ENTRY(io_no_vm),       ENTRY(donate_core),
	ENTRY(share_core),     ENTRY(give_a),
	ENTRY(give_b),	       ENTRY(reclaim_a),
	ENTRY(reclaim_b),      ENTRY(destroy_a),
	ENTRY(destroy_b),      ENTRY(wish_shared),
	ENTRY(wish_private),   ENTRY(add_ram),
	ENTRY(add_ram_behind), ENTRY(end_a),
	ENTRY(end_b),
};

/* ---- one cell ---- */

static void warm(u64 subject)
{
	for (u32 context = OF_HOST; context <= OF_NOBODY; context++) {
		u64 iova = context == OF_HOST ? subject : GFN_SUBJECT;

		fake_watch(S2_VMID_DMA + context, iova << PAGE_SHIFT);
		fake_watch(S2_VMID_DMA + context, GFN_FREE << PAGE_SHIFT);
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

static u64 set_scene(enum scene scene, enum vm_state state, u32 active, u32 core_left)
{
	static struct pool drained;
	u64 subject;

	observe_boot(&spec, &observe_machine);
	fake_poke(SUBJECT, 0, 0x1234);
	spec_page(&spec, SUBJECT)->token = fake_page_token(SUBJECT);
	next_spare = SPARE;
	vm_a = make_vm(RV_VM_PROTECTED);
	vm_b = make_vm(0);
	make_context(OF_HOST, 0);
	make_context(OF_A, vm_a);
	make_context(OF_B, vm_b);
	make_image();
	subject = make_scene(scene);
	set_state(vm_a, state, active);
	set_state(vm_b, state, active);
	warm(subject);
	if (spec_page(&spec, subject) != NULL && spec_page(&spec, subject)->owner != OWNER_CORE) {
		spec_page(&spec, subject)->token = fake_page_token(subject);
	}
	if (core_left != 0) {
		assert_true(pool_reserve(mem_core_pool(), &drained, spec.core_free - core_left, 0));
		spec.core_free = core_left;
	}
	return subject;
}

static u64 root_of(u64 handle)
{
	struct spec_vm *vm = spec_vm(&spec, handle);

	return vm == NULL ? 0 : vm->donated[1] << PAGE_SHIFT;
}

/* A device reaches what the specification says its context maps, and nothing else. */
static void check_devices(u64 subject, const char *what)
{
	const u64 iovas[] = { subject, GFN_SUBJECT, GFN_FREE, GFN_IMAGE };
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
	struct outcome expected;
	struct outcome got;

	if (spec_page(&spec, subject) != NULL) {
		before = *spec_page(&spec, subject);
	}
	for (u32 context = OF_HOST; is_hostile && context <= OF_B; context++) {
		u64 iova = context == OF_HOST ? subject : GFN_SUBJECT;

		fake_hostile_writer(FAKE_SMMU, S2_VMID_DMA + context, iova << PAGE_SHIFT, JUNK);
	}
	expected = call->spec(subject);
	got = call->core(subject);
	if (got.status != expected.status || got.value != expected.value) {
		fake_fail("%s: status %d, value %#lx; specified: %d, %#lx", what, got.status,
			  got.value, expected.status, expected.value);
	}
	fake_attach(vm_a & 0xff, pa_make(root_of(vm_a)));
	fake_attach(vm_b & 0xff, pa_make(root_of(vm_b)));
	fake_calm();
	observe_check(&spec, !is_hostile, what);
	check_devices(subject, what);
	if (is_hostile && spec_page(&spec, subject) != NULL &&
	    spec_page(&spec, subject)->owner != before.owner &&
	    spec_page(&spec, subject)->owner != OWNER_CORE &&
	    spec_page(&spec, subject)->token == 0 && !fake_page_is_zero(subject)) {
		fake_fail("%s: a device wrote to a page that changed hands", what);
	}
}

static void run_cells(enum vm_state state, u32 active, u32 core_left, bool is_hostile)
{
	u32 cells = 0;

	for (u32 scene = 0; scene < SCENES; scene++) {
		for (u32 i = 0; i < ARRAY_SIZE(calls); i++) {
			u64 subject = set_scene(scene, state, active, core_left);
			char what[160];

			snprintf(what, sizeof(what), "page %s, VM state %d, %s: %s",
				 scene_names[scene], state, is_hostile ? "hostile" : "calm",
				 calls[i].name);
			cell(&calls[i], subject, is_hostile, what);
			cells++;
		}
	}
	fake_halt();
	print_message("# %u cells\n", cells);
}

static void test_ready(void **state)
{
	(void)state;
	run_cells(VM_READY, 0, 0, false);
}

static void test_verified(void **state)
{
	(void)state;
	run_cells(VM_VERIFIED, 0, 0, false);
}

static void test_poweroff(void **state)
{
	(void)state;
	run_cells(VM_POWEROFF, 0, 0, false);
	run_cells(VM_POWEROFF, 1, 0, false);
}

/* The core has no table to give. */
static void test_pool_low(void **state)
{
	(void)state;
	run_cells(VM_READY, 0, CORE_POOL_FLOOR, false);
}

static void test_hostile_devices(void **state)
{
	(void)state;
	run_cells(VM_READY, 0, 0, true);
	run_cells(VM_POWEROFF, 0, 0, true);
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
