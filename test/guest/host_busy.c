/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * All CPUs count in memory and never call; after the driver's word, one calls the corevisor. For
 * test/system/panic.py, which has broken EL2 by then: nobody may count on. Above a whole corevisor
 * the image passes.
 */
#include "env.h"

#include <ravelin/abi.h>

const char image_name[] = "busy";

static volatile u64 counters[ENV_CPUS];

static void count(u32 index)
{
	for (;;) {
		counters[index]++;
	}
}

_Noreturn void image_main(void)
{
	u32 i;

	if (cpu_count() < 2) {
		skip("needs two CPUs");
	}
	for (i = 1; i < cpu_count(); i++) {
		if (cpu_start(i, count) != PSCI_SUCCESS) {
			fail("CPU_ON of CPU %u", i);
		}
	}
	for (i = 1; i < cpu_count(); i++) {
		while (counters[i] == 0) {
		}
	}
	print("COUNTERS %#lx %u\n", (u64)&counters[1], cpu_count() - 1);
	ready();
	if (hvc(RV_VERSION, 0, 0, 0) != RV_OK) {
		fail("no answer");
	}
	pass();
}
