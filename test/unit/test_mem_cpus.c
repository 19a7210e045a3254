/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Calls from several CPUs at once, with threads as CPUs; built twice, for the address and for the
 * thread sanitiser.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>

#include <cv/dma.h>
#include <cv/pool.h>

#include "mem_fixture.h"

#define THREADS 3
#define ROUNDS 60

/* Each CPU drives a VM of its own through its life with pages that lie beside the others' pages. */
static void *live_and_die(void *argument)
{
	u64 id = (uintptr_t)argument;

	fake_cpu_set((u32)id);
	for (u32 i = 0; i < ROUNDS; i++) {
		u64 base = PAGE(id * 16);
		u64 handle;
		u64 value;

		if (vm_create(base, base + 2, RV_VM_PROTECTED, fake_no_owner, &handle) != CV_OK ||
		    vm_topup(handle, base + 4) != CV_OK || vm_topup(handle, base + 5) != CV_OK ||
		    vm_add_ram(handle, 0, 64) != CV_OK ||
		    mem_map(handle, 1, base + 6, 3, &value) != CV_OK || value != 3) {
			fake_fail("CPU %lu: building a VM failed", id);
		}
		if (fake_host_read((u32)id, (base + 7) << PAGE_SHIFT, &value)) {
			fake_fail("CPU %lu: the host reads a donated page", id);
		}
		if (!fake_host_read((u32)id, PAGE(15 + 16 * ((id + 1) % THREADS)) << PAGE_SHIFT,
				    &value)) {
			fake_fail(
				"CPU %lu: the host may not read its own page beside a donated one",
				id);
		}
		if (vm_kill(handle) != CV_OK || mem_reclaim(handle, 0, 64, &value) != CV_OK ||
		    value != 64 || vm_destroy(handle, &value) != CV_OK || value != 0) {
			fake_fail("CPU %lu: ending a VM failed", id);
		}
	}
	return NULL;
}

static void test_cpus_at_once(void **state)
{
	pthread_t threads[THREADS];
	u32 before;

	(void)state;
	fake_boot(&fake_small_machine);
	before = pool_count(mem_core_pool());
	for (uintptr_t i = 0; i < THREADS; i++) {
		assert_int_equal(pthread_create(&threads[i], NULL, live_and_die, (void *)i), 0);
	}
	for (u32 i = 0; i < THREADS; i++) {
		pthread_join(threads[i], NULL);
	}
	assert_int_equal(vm_count(), 0);
	assert_int_equal(ledger_count(RV_PAGES_HOST) + ledger_count(RV_PAGES_CORE),
			 ledger_ram_pages());
	assert_int_equal(pool_count(mem_core_pool()),
			 before - 1); /* EL2's own table for the region stays */
	assert_int_equal(s2_walk(mem_host_s2(), gfn_make(PAGE(0))).level, 2);
	fake_check_tlbs();
	fake_halt();
}

/* Each CPU moves a block, and a page of the block behind it, out of and into a GiB that the others
 * turn from one leaf into a table at the same time. */
#define GIB_ROUNDS 6
#define GIB(n) ((0x80000000ull >> PAGE_SHIFT) + ((u64)(n) << 18))

static pthread_barrier_t everybody;

static void *move_blocks(void *argument)
{
	u64 id = (uintptr_t)argument;
	u64 base = PAGE(id * 16);
	u64 handle;
	u64 value;

	fake_cpu_set((u32)id);
	if (vm_create(base, base + 2, RV_VM_PROTECTED, fake_no_owner, &handle) != CV_OK ||
	    vm_add_ram(handle, 0, 4096) != CV_OK) {
		fake_fail("CPU %lu: building a VM failed", id);
	}
	for (u64 i = 4; i < 8; i++) {
		if (vm_topup(handle, base + i) != CV_OK) {
			fake_fail("CPU %lu: no tables", id);
		}
	}
	for (u64 i = 0; i < GIB_ROUNDS; i++) {
		u64 pfn = GIB(i) + id * 1024;

		pthread_barrier_wait(&everybody);
		if (mem_map(handle, i * 512, pfn, 512, &value) != CV_OK || value != 512 ||
		    mem_map(handle, 3584 + i, pfn + 512, 1, &value) != CV_OK ||
		    fake_host_read((u32)id, pfn << PAGE_SHIFT, &value) ||
		    fake_host_read((u32)id, (pfn + 512) << PAGE_SHIFT, &value) ||
		    !fake_host_read((u32)id, (pfn + 513) << PAGE_SHIFT, &value)) {
			fake_fail("CPU %lu: round %lu", id, i);
		}
	}
	if (vm_kill(handle) != CV_OK) {
		fake_fail("CPU %lu: kill", id);
	}
	for (u64 next = 0; next < 4096;) {
		if (mem_reclaim(handle, next, 4096 - next, &next) != CV_OK) {
			fake_fail("CPU %lu: reclaim", id);
		}
	}
	if (vm_destroy(handle, &value) != CV_OK || value != 0) {
		fake_fail("CPU %lu: destroy", id);
	}
	return NULL;
}

static void test_blocks_at_once(void **state)
{
	static const struct fake_machine machine = {
		.regions = {
			{ .base = { 0x40000000 }, .pages = 2 * PAGES_PER_BLOCK },
			{ .base = { 0x80000000 }, .pages = GIB_ROUNDS << 18 },
		},
		.region_count = 2,
		.core_base = 0x40000000,
		.core_tables = 80,
	};
	pthread_t threads[THREADS];
	u32 before;

	(void)state;
	fake_boot(&machine);
	before = pool_count(mem_core_pool());
	pthread_barrier_init(&everybody, NULL, THREADS);
	for (uintptr_t i = 0; i < THREADS; i++) {
		assert_int_equal(pthread_create(&threads[i], NULL, move_blocks, (void *)i), 0);
	}
	for (u32 i = 0; i < THREADS; i++) {
		pthread_join(threads[i], NULL);
	}
	pthread_barrier_destroy(&everybody);
	assert_int_equal(ledger_count(RV_PAGES_HOST) + ledger_count(RV_PAGES_CORE),
			 ledger_ram_pages());
	/* EL2's own table for the VMs' records, and one for each GiB. */
	assert_int_equal(pool_count(mem_core_pool()), before - 1 - GIB_ROUNDS);
	assert_true(ledger_block_is_host_alone(pfn_make(GIB(0))));
	assert_int_equal(s2_walk(mem_host_s2(), gfn_make(GIB(0) + 512)).level, 2);
	fake_check_tlbs();
	fake_halt();
}

/* Two CPUs want the same page for the same VM, again and again: one gets it. */
static u64 contested;
static u32 winners;

static void *contend(void *argument)
{
	u64 value;

	fake_cpu_set((u32)(uintptr_t)argument);
	for (u64 i = 0; i < ROUNDS; i++) {
		enum cv_status status = mem_map(contested, (uintptr_t)argument * ROUNDS + i,
						PAGE(100 + i), 1, &value);

		if (status == CV_OK) {
			__atomic_fetch_add(&winners, 1, __ATOMIC_RELAXED);
		} else if (status != CV_E_STATE) {
			fake_fail("status %d for a contested page", status);
		}
	}
	return NULL;
}

static void test_contested_pages(void **state)
{
	pthread_t threads[THREADS];

	(void)state;
	fake_boot(&fake_small_machine);
	contested = make_vm(RV_VM_PROTECTED, PAGE(0), 3);
	winners = 0;
	for (uintptr_t i = 0; i < THREADS; i++) {
		assert_int_equal(pthread_create(&threads[i], NULL, contend, (void *)i), 0);
	}
	for (u32 i = 0; i < THREADS; i++) {
		pthread_join(threads[i], NULL);
	}
	assert_int_equal(winners, ROUNDS);
	assert_int_equal(ledger_count(RV_PAGES_VM), ROUNDS);
	end_vm(contested);
	fake_halt();
}

/* One CPU builds and ends a VM again and again while others call with its handle, at any moment of
 * its life. */
static u64 shared_handle;
static bool is_over;

static void *disturb(void *argument)
{
	u64 id = (uintptr_t)argument;
	u64 value;
	u64 pfn = PAGE(300 + id);

	fake_cpu_set((u32)id);
	while (!__atomic_load_n(&is_over, __ATOMIC_ACQUIRE)) {
		u64 handle = __atomic_load_n(&shared_handle, __ATOMIC_RELAXED);
		/* Whatever they answer: nothing may break. */
		enum cv_status status = mem_map(handle, id, pfn, 1, &value);

		status = status == CV_OK ? vm_kill(handle) : vm_topup(handle, PAGE(310 + id));
		status = mem_reclaim(handle, 0, 64, &value);
		status = vm_add_ram(handle, 100 + id, 1);
		status = vm_create_vcpu(handle, id, PAGE(320 + id), PAGE(330 + id));
		if (status == CV_OK || status == CV_E_NOENT) {
			continue;
		}
	}
	return NULL;
}

static void test_calls_on_a_dying_vm(void **state)
{
	pthread_t threads[2];

	(void)state;
	fake_boot(&fake_small_machine);
	__atomic_store_n(&is_over, false, __ATOMIC_RELEASE);
	for (uintptr_t i = 0; i < 2; i++) {
		assert_int_equal(pthread_create(&threads[i], NULL, disturb, (void *)(i + 1)), 0);
	}
	for (u32 i = 0; i < 200; i++) {
		u64 handle;
		u64 value;

		assert_int_equal(
			vm_create(PAGE(0), PAGE(2), RV_VM_PROTECTED, fake_no_owner, &handle),
			CV_OK);
		assert_int_equal(vm_add_ram(handle, 0, 64), CV_OK);
		__atomic_store_n(&shared_handle, handle, __ATOMIC_RELAXED);
		for (u64 page = 4; page < 8; page++) {
			enum cv_status status = vm_topup(handle, PAGE(page));

			assert_true(status == CV_OK || status == CV_E_STATE);
		}
		assert_int_equal(vm_kill(handle), CV_OK);
		assert_int_equal(mem_reclaim(handle, 0, 64, &value), CV_OK);
		do {
			assert_int_equal(vm_destroy(handle, &value), CV_OK);
		} while (value > 0);
		assert_int_equal(vm_kill(handle), CV_E_NOENT);
	}
	__atomic_store_n(&is_over, true, __ATOMIC_RELEASE);
	for (u32 i = 0; i < 2; i++) {
		pthread_join(threads[i], NULL);
	}
	assert_int_equal(ledger_count(RV_PAGES_HOST) + ledger_count(RV_PAGES_CORE),
			 ledger_ram_pages());
	assert_int_equal(ledger_count(RV_PAGES_CORE),
			 FAKE_CORE_ROOTS_PAGES + fake_small_machine.core_tables);
	fake_check_tlbs();
	fake_halt();
}

/* Two CPUs map and unmap the same pages of the host, each in a context of its own that comes and
 * goes; a third one takes those pages away whenever it can, and no device reaches what it has. */
static void *drive_context(void *argument)
{
	u64 id = (uintptr_t)argument;
	u64 root = PAGE(400 + 16 * id);
	u64 value;

	fake_cpu_set((u32)id);
	for (u32 i = 0; i < ROUNDS; i++) {
		if (dma_alloc(id, 0, root) != CV_OK || dma_topup(id, root + 2) != CV_OK ||
		    dma_topup(id, root + 3) != CV_OK) {
			fake_fail("CPU %lu: building a context failed", id);
		}
		for (u64 page = 0; page < 8; page++) {
			u64 pfn = PAGE(100 + page);
			enum cv_status status = dma_map(id, pfn, pfn, 1, &value);

			if (status != CV_OK && status != CV_E_STATE) {
				fake_fail("CPU %lu: status %d for a page", id, status);
			}
			if (status == CV_OK && !fake_dma_write((u32)id, pfn << PAGE_SHIFT, id)) {
				fake_fail("CPU %lu: the device does not reach its page", id);
			}
		}
		if (dma_unmap(id, PAGE(100), 8, &value) != CV_OK || value != PAGE(108) ||
		    dma_free(id, &value) != CV_OK || value != 0) {
			fake_fail("CPU %lu: ending a context failed", id);
		}
	}
	__atomic_fetch_add(&winners, 1, __ATOMIC_RELEASE);
	return NULL;
}

static void *take_pages(void *argument)
{
	u64 value;

	fake_cpu_set((u32)(uintptr_t)argument);
	while (__atomic_load_n(&winners, __ATOMIC_ACQUIRE) < 2) {
		for (u64 page = 0; page < 8; page++) {
			u64 pfn = PAGE(100 + page);

			if (mem_host_donate_core(pfn) != CV_OK) {
				continue;
			}
			for (u32 context = 0; context < 2; context++) {
				if (fake_dma_read(context, pfn << PAGE_SHIFT, &value)) {
					fake_fail("a device reads the corevisor's page %#lx", pfn);
				}
			}
			mem_core_return_host(pfn_make(pfn));
		}
	}
	return NULL;
}

static void test_dma_and_owners(void **state)
{
	pthread_t threads[THREADS];

	(void)state;
	fake_boot(&fake_small_machine);
	__atomic_store_n(&winners, 0, __ATOMIC_RELEASE);
	for (uintptr_t i = 0; i < 2; i++) {
		assert_int_equal(pthread_create(&threads[i], NULL, drive_context, (void *)i), 0);
	}
	assert_int_equal(pthread_create(&threads[2], NULL, take_pages, (void *)2), 0);
	for (u32 i = 0; i < THREADS; i++) {
		pthread_join(threads[i], NULL);
	}
	assert_int_equal(ledger_count(RV_PAGES_HOST_SHARED), 0);
	assert_int_equal(ledger_count(RV_PAGES_CORE),
			 FAKE_CORE_ROOTS_PAGES + fake_small_machine.core_tables);
	fake_check_tlbs();
	fake_halt();
}

/* Two CPUs want the same device page for different VMs, again and again: one gets it, the other is
 * refused and has changed nothing. */
static u64 device_users;

static void *want_device(void *argument)
{
	u64 id = (uintptr_t)argument;
	u64 pfn = FAKE_IO_BASE >> PAGE_SHIFT;
	u64 handle, value;

	fake_cpu_set((u32)id);
	if (vm_create(PAGE(16 * id), PAGE(16 * id + 2), 0, fake_no_owner, &handle) != CV_OK ||
	    vm_topup(handle, PAGE(16 * id + 4)) != CV_OK ||
	    vm_topup(handle, PAGE(16 * id + 5)) != CV_OK) {
		fake_fail("CPU %lu: building a VM failed", id);
	}
	for (u32 i = 0; i < 5 * ROUNDS; i++) {
		enum cv_status status = mem_map_io(handle, 5, pfn);

		if (status != CV_OK && status != CV_E_STATE) {
			fake_fail("status %d for a contested device page", status);
		}
		if (status == CV_E_STATE) {
			continue;
		}
		if (__atomic_fetch_add(&device_users, 1, __ATOMIC_ACQ_REL) != 0 ||
		    fake_host_read((u32)id, pfn << PAGE_SHIFT, &value)) {
			fake_fail("a device page has two owners");
		}
		__atomic_fetch_sub(&device_users, 1, __ATOMIC_ACQ_REL);
		if (mem_reclaim(handle, 5, 1, &value) != CV_OK || value != 6) {
			fake_fail("CPU %lu: the device page does not come back", id);
		}
	}
	return NULL;
}

static void test_contested_device(void **state)
{
	pthread_t threads[2];
	u64 value;
	u32 before;

	(void)state;
	fake_boot(&fake_small_machine);
	before = pool_count(mem_core_pool());
	for (uintptr_t i = 0; i < 2; i++) {
		assert_int_equal(pthread_create(&threads[i], NULL, want_device, (void *)i), 0);
	}
	for (u32 i = 0; i < 2; i++) {
		pthread_join(threads[i], NULL);
	}
	assert_true(fake_host_read(0, FAKE_IO_BASE, &value));
	/* The region's tables of host and EL2, and the host's leaf table around the device. */
	assert_int_equal(pool_count(mem_core_pool()), before - 3);
	fake_check_tlbs();
	fake_halt();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cpus_at_once),	cmocka_unit_test(test_blocks_at_once),
		cmocka_unit_test(test_contested_pages), cmocka_unit_test(test_calls_on_a_dying_vm),
		cmocka_unit_test(test_dma_and_owners),	cmocka_unit_test(test_contested_device),
	};

	return cmocka_run_group_tests_name("cpus", tests, NULL, NULL);
}
