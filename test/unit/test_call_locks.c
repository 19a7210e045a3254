/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What locks each of the host's calls takes is what abi.h says: every call succeeds and is refused,
 * and takes each lock that it ever takes. test/common/call_locks.c has the rows, and looks at each
 * call made here, as it does in the model test and the fuzz targets.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../arch-fake/fake.h"
#include "../../arch-fake/fake_vcpu.h"
#include "call_locks.h"
#include "owner.h"
#include "snapshot.h"

#include <cv/exception.h>
#include <cv/host_psci.h>
#include <cv/info.h>
#include <cv/seal.h>
#include <string.h>

#define GIB_PAGES (1ull << 18)
#define GFN 0x40000ull
#define RAM_PAGES 1024ull
#define GFN_IO (GFN + RAM_PAGES)
#define GPA (GFN << PAGE_SHIFT)
#define IO (FAKE_IO_BASE >> PAGE_SHIFT)
#define SMC ((EC_SMC64 << ESR_EC_SHIFT) | ESR_IL)
#define RSI_SET 0xc4000197u
#define TRNG_RND 0xc4000053u
#define HOST_CONTEXT 0
#define VM_CONTEXT 1

#define expect(status, ...) assert_int_equal(CALL(__VA_ARGS__), status)

static u64 next_page, next_gib;
static struct owner owner;
static u64 args[4];

bool host_psci_is_stopping(void)
{
	return false;
}

void info_publish(void)
{
}

void info_refusal(u64 call, s64 status, u64 first_argument)
{
	(void)call, (void)status, (void)first_argument;
}

/* Two pages beside all others. */
static u64 page(void)
{
	next_page += 2;
	return next_page - 2;
}

/* Two pages of a GiB that the host has as one leaf: it becomes a table. */
static u64 page_of_a_gib(void)
{
	next_gib += GIB_PAGES;
	return next_gib - GIB_PAGES;
}

static u64 create(u64 flags)
{
	const u64 *key = flags == RV_VM_PROTECTED ? owner.words : fake_no_owner;
	u64 results[4];

	assert_int_equal(CALL_FOR(results, RV_VM_CREATE, page_of_a_gib(), page(), flags, key[0],
				  key[1], key[2], key[3]),
			 RV_OK);
	for (u32 i = 0; i < 6; i++) {
		expect(RV_OK, RV_VM_TOPUP, results[0], i == 0 ? page_of_a_gib() : page());
	}
	expect(RV_OK, RV_VM_ADD_RAM, results[0], GFN, RAM_PAGES);
	expect(RV_OK, RV_VCPU_CREATE, results[0], 0, page_of_a_gib(), page());
	return results[0];
}

static void verify(u64 vm)
{
	static u8 image[PAGE_SIZE] = { 1 };
	static struct rv_launch launch;
	const u64 content = page_of_a_gib(), launch_pfn = page_of_a_gib();

	owner_sign(&owner, &(struct owner_policy){ .entry = GPA, .may_be_saved = true },
		   &(struct owner_image){ GPA, PAGE_SIZE, image }, 1, &launch);
	snapshot_put(launch_pfn, &launch, sizeof(launch));
	snapshot_put(content, image, sizeof(image));
	expect(RV_OK, RV_IMAGE_ADD, vm, GPA, PAGE_SIZE);
	expect(RV_OK, RV_IMAGE_MAP, vm, 0, content, 1);
	expect(RV_OK, RV_VM_VERIFY, vm, launch_pfn);
	expect(RV_OK, RV_VM_MEASURE, vm, RV_MEASURE_MANIFEST);
	expect(RV_OK, RV_VCPU_BOOT, vm, 0, GPA, 0);
}

static void end_vm(u64 vm)
{
	expect(RV_OK, RV_VM_KILL, vm);
	expect(RV_OK, RV_MEM_RECLAIM, vm, GFN, RAM_PAGES + 1);
	expect(RV_OK, RV_VM_DESTROY, vm);
	expect(RV_E_NOENT, RV_VM_KILL, vm);
}

static void put_args(struct vcpu *vcpu)
{
	memcpy(vcpu->ctx.x, args, sizeof(args));
}

/* The guest makes a call, and is interrupted. */
static void guest_calls(u64 vm, u64 id, u64 x1, u64 x2)
{
	memcpy(args, (u64[]){ id, x1, x2, 0 }, sizeof(args));
	fake_vcpu.next = fake_vcpu.step_count = 0;
	fake_vcpu_add((struct fake_step){ ARCH_EVENT_SYNC, SMC, 0, 0, put_args });
	expect(RV_OK, RV_VCPU_RUN, vm, 0);
}

static int set_up(void **state)
{
	static const struct fake_machine machine = {
		.regions = {
			{ .base = { 0x40000000 }, .pages = 2 * PAGES_PER_BLOCK },
			{ .base = { 0x80000000 }, .pages = 24 * GIB_PAGES },
		},
		.region_count = 2,
		.core_base = 0x40000000,
		.core_tables = 200,
		.hidden_base = FAKE_HIDDEN_BASE,
		.io_base = FAKE_IO_BASE,
	};

	(void)state;
	fake_boot(&machine);
	fake_vcpu_reset();
	seal_init((const u8[CRYPTO_KEY_BYTES]){ 1 });
	owner_make(&owner, RV_CURVE_P256, 1);
	next_page = (0x40000000ull >> PAGE_SHIFT) + PAGES_PER_BLOCK;
	next_gib = 0x80000000ull >> PAGE_SHIFT;
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	fake_halt();
	return 0;
}

/* What no call takes for a page, a VM or a context. */
static void refusals(void **state)
{
	(void)state;
	for (u64 id = RV_HVC(0x101); id < RV_HVC(0x200); id++) {
		assert_int_not_equal(CALL(id, ~0ull, ~0ull, ~0ull, ~0ull, ~0ull, ~0ull, ~0ull),
				     RV_OK);
	}
}

static void the_host_alone(void **state)
{
	(void)state;
	expect(RV_OK, RV_VERSION, 0);
	expect(RV_OK, RV_POOL_TOPUP, page_of_a_gib());
}

static void an_open_vm(void **state)
{
	const u64 vm = create(0);

	(void)state;
	expect(RV_OK, RV_MEM_MAP, vm, GFN, page(), 1);
	expect(RV_OK, RV_VM_VERIFY, vm, 0);
	expect(RV_OK, RV_VCPU_READ_REGS, vm, 0);
	end_vm(vm);
}

static void devices(void **state)
{
	const u64 vm = create(RV_VM_PROTECTED), given = page_of_a_gib(), lent = page();

	(void)state;
	expect(RV_OK, RV_VM_MAP_IO, vm, GFN_IO, IO);
	expect(RV_OK, RV_MEM_MAP, vm, GFN, given, 1);
	expect(RV_OK, RV_DMA_ALLOC, HOST_CONTEXT, 0, page_of_a_gib());
	expect(RV_OK, RV_DMA_ALLOC, VM_CONTEXT, vm, page());
	for (u32 i = 0; i < 4; i++) {
		expect(RV_OK, RV_DMA_TOPUP, HOST_CONTEXT, i == 0 ? page_of_a_gib() : page());
		expect(RV_OK, RV_DMA_TOPUP, VM_CONTEXT, page());
	}
	expect(RV_OK, RV_DMA_MAP, HOST_CONTEXT, lent, lent, 1);
	expect(RV_OK, RV_DMA_MAP, VM_CONTEXT, GFN, given, 1);
	expect(RV_OK, RV_DMA_UNMAP, HOST_CONTEXT, lent, 1);
	expect(RV_OK, RV_DMA_UNMAP, VM_CONTEXT, GFN, 1);
	expect(RV_OK, RV_DMA_FREE, HOST_CONTEXT);
	expect(RV_OK, RV_DMA_FREE, VM_CONTEXT);
	end_vm(vm);
}

/* A part of a block needs a table. */
static void a_block_for_a_device(void **state)
{
	const u64 block = page_of_a_gib();

	(void)state;
	expect(RV_OK, RV_DMA_ALLOC, HOST_CONTEXT, 0, page());
	for (u32 i = 0; i < 4; i++) {
		expect(RV_OK, RV_DMA_TOPUP, HOST_CONTEXT, page());
	}
	expect(RV_OK, RV_DMA_MAP, HOST_CONTEXT, block, block, PAGES_PER_BLOCK);
	expect(RV_OK, RV_DMA_UNMAP, HOST_CONTEXT, block, 1);
	expect(RV_OK, RV_DMA_UNMAP, HOST_CONTEXT, block, PAGES_PER_BLOCK);
	expect(RV_OK, RV_DMA_FREE, HOST_CONTEXT);
}

static void a_guest_that_calls(void **state)
{
	const u64 vm = create(RV_VM_PROTECTED);

	(void)state;
	verify(vm);
	guest_calls(vm, TRNG_RND, 64, 0);
	guest_calls(vm, RSI_SET, GPA, GPA + PAGE_SIZE);
	guest_calls(vm, RSI_SET, GPA + 600 * PAGE_SIZE, GPA + 601 * PAGE_SIZE);
	end_vm(vm);
}

static void a_snapshot(void **state)
{
	static struct snapshot snapshot;
	const u64 source = create(RV_VM_PROTECTED), target = create(RV_VM_PROTECTED), io = page();

	(void)state;
	verify(source);
	/* Shared pages that nothing backs: records without content */
	guest_calls(source, RSI_SET, GPA + 600 * PAGE_SIZE, GPA + 601 * PAGE_SIZE);
	expect(RV_OK, RV_SEAL_SAVE_BEGIN, source, io);
	expect(RV_OK, RV_SEAL_ABORT, source);
	assert_int_equal(snapshot_save(&snapshot, source, io), RV_OK);
	assert_int_equal(snapshot_load_begin(&snapshot, target, io), RV_OK);
	assert_int_equal(
		snapshot_load_records(&snapshot, 0, snapshot.count, target, io, page_of_a_gib()),
		RV_OK);
	end_vm(source);
	end_vm(target);
}

/* Last */
static void nothing_is_missing(void **state)
{
	(void)state;
	assert_true(call_locks_all_seen());
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(refusals),
		TEST(the_host_alone),
		TEST(an_open_vm),
		TEST(devices),
		TEST(a_block_for_a_device),
		TEST(a_guest_that_calls),
		TEST(a_snapshot),
		cmocka_unit_test(nothing_is_missing),
	};

	return cmocka_run_group_tests_name("call_locks", tests, NULL, NULL);
}
