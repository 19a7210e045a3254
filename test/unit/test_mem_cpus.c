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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cpus_at_once),
		cmocka_unit_test(test_contested_pages),
		cmocka_unit_test(test_calls_on_a_dying_vm),
	};

	return cmocka_run_group_tests_name("cpus", tests, NULL, NULL);
}
