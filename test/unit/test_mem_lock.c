/* SPDX-License-Identifier: BSD-3-Clause */
/* Ticket locks: exclusion and order, with real threads as CPUs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <sched.h>

#include <cv/lock.h>

#include "../../arch-fake/fake.h"

#define ROUNDS 5000

static struct lock lock;
static u64 counter; /* not atomic: only the lock makes the sum right */
static u32 inside;

static void *count_up(void *cpu)
{
	fake_cpu_set((u32)(uintptr_t)cpu);
	for (u32 i = 0; i < ROUNDS; i++) {
		lock_acquire(&lock);
		if (__atomic_add_fetch(&inside, 1, __ATOMIC_SEQ_CST) != 1) {
			fake_fail("two CPUs hold one lock");
		}
		counter++;
		__atomic_sub_fetch(&inside, 1, __ATOMIC_SEQ_CST);
		lock_release(&lock);
	}
	return NULL;
}

static void test_exclusion(void **state)
{
	pthread_t threads[FAKE_CPUS];

	(void)state;
	lock_init(&lock, LOCK_RANK_LEDGER);
	counter = 0;
	for (uintptr_t i = 0; i < FAKE_CPUS; i++) {
		assert_int_equal(pthread_create(&threads[i], NULL, count_up, (void *)i), 0);
	}
	for (u32 i = 0; i < FAKE_CPUS; i++) {
		pthread_join(threads[i], NULL);
	}
	assert_int_equal(counter, FAKE_CPUS * ROUNDS);
}

static u32 order[FAKE_CPUS];
static u32 order_count;

static void *stand_in_line(void *cpu)
{
	fake_cpu_set((u32)(uintptr_t)cpu);
	lock_acquire(&lock);
	order[order_count++] = (u32)(uintptr_t)cpu;
	lock_release(&lock);
	return NULL;
}

/* Who came first is served first. */
static void test_fairness(void **state)
{
	pthread_t threads[FAKE_CPUS];

	(void)state;
	lock_init(&lock, LOCK_RANK_LEDGER);
	order_count = 0;
	fake_cpu_set(0);
	lock_acquire(&lock);
	for (uintptr_t i = 1; i < FAKE_CPUS; i++) {
		assert_int_equal(pthread_create(&threads[i], NULL, stand_in_line, (void *)i), 0);
		while (__atomic_load_n(&lock.next, __ATOMIC_RELAXED) != i + 1) {
			sched_yield();
		}
	}
	lock_release(&lock);
	for (u32 i = 1; i < FAKE_CPUS; i++) {
		pthread_join(threads[i], NULL);
		assert_int_equal(order[i - 1], i);
	}
}

static void test_wraps(void **state)
{
	(void)state;
	lock_init(&lock, LOCK_RANK_LEDGER);
	lock.next = ~0u;
	lock.serving = ~0u;
	for (u32 i = 0; i < 3; i++) {
		lock_acquire(&lock);
		lock_release(&lock);
	}
	assert_int_equal(lock.next, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_exclusion),
		cmocka_unit_test(test_fairness),
		cmocka_unit_test(test_wraps),
	};

	return cmocka_run_group_tests_name("lock", tests, NULL, NULL);
}
