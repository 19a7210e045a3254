/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * All CPUs switch each other on and themselves off for a while, without agreement. At the end each
 * one still works.
 */
#include "env.h"

#include <ravelin/abi.h>

const char image_name[] = "storm";

#define ARRIVALS 20 /* of each CPU */
#define SECONDS_MAX 30

static volatile u32 arrivals[ENV_CPUS];
static volatile u32 is_over;

static void visitor(u32 index)
{
	u32 target = (index + 1) % cpu_count();

	__atomic_add_fetch(&arrivals[index], 1, __ATOMIC_SEQ_CST);
	if (!is_over && target != 0) {
		psci(PSCI_CPU_ON, cpu_mpidr(target), cpu_entry_address(), target);
	}
	if (hvc(RV_VERSION, 0, 0, 0) != RV_OK) {
		fail("CPU %u gets no answer", index);
	}
}

static bool is_expected(s64 status)
{
	return status == PSCI_SUCCESS || status == PSCI_ALREADY_ON || status == PSCI_ON_PENDING;
}

static void attempt(u32 target)
{
	s64 status = (s64)psci(PSCI_CPU_ON, cpu_mpidr(target), cpu_entry_address(), target);

	if (!is_expected(status)) {
		fail("CPU_ON of CPU %u: %ld", target, status);
	}
	status = (s64)psci(PSCI_AFFINITY_INFO, cpu_mpidr(1 + random_u64() % (cpu_count() - 1)), 0,
			   0);
	if (status < 0 || status > 2) {
		fail("AFFINITY_INFO: %ld", status);
	}
	if (arrived_at_el2) {
		fail("a CPU arrived at EL2");
	}
}

static u32 fewest_arrivals(void)
{
	u32 fewest = arrivals[1], i;

	for (i = 2; i < cpu_count(); i++) {
		fewest = arrivals[i] < fewest ? arrivals[i] : fewest;
	}
	return fewest;
}

_Noreturn void image_main(void)
{
	u32 i, before;
	s64 status;
	u64 end;

	if (cpu_count() < 2) {
		skip("needs two CPUs");
	}
	ready();
	for (i = 1; i < cpu_count(); i++) {
		cpu_prepare(i, visitor);
	}
	end = counter() + SECONDS_MAX * counter_hz();
	while (fewest_arrivals() < ARRIVALS) {
		attempt(1 + (u32)(random_u64() % (cpu_count() - 1)));
		if (counter() > end) {
			fail("a CPU arrived only %u times in %d seconds", fewest_arrivals(),
			     SECONDS_MAX);
		}
	}
	is_over = 1;
	for (i = 1; i < cpu_count(); i++) {
		if (!cpu_wait_off(i)) {
			fail("CPU %u does not go off", i);
		}
		before = arrivals[i];
		status = cpu_start(i, visitor);
		if (status != PSCI_SUCCESS || !cpu_wait_off(i) || arrivals[i] != before + 1) {
			fail("CPU %u does not work any more: CPU_ON %ld, arrived %u times, before %u",
			     i, status, arrivals[i], before);
		}
		print("CPU %u arrived %u times\n", i, arrivals[i]);
	}
	pass();
}
