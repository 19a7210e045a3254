/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * CPU_ON as an attack: entry points inside the corevisor, CPUs that do not exist, two callers at
 * once for one CPU. What is refused must not run, what is accepted must arrive at EL1.
 */
#include "env.h"

const char image_name[] = "psci";

#define ROUNDS 40
#define AFFINITY_OFF 1

static void check_target_is_off(const char *after, u64 detail)
{
	s64 state = (s64)psci(PSCI_AFFINITY_INFO, cpu_mpidr(1), 0, 0);

	if (arrived_at_el2) {
		fail("%s (%#lx): a CPU arrived at EL2", after, detail);
	}
	if (state != AFFINITY_OFF) {
		fail("%s (%#lx): CPU 1 is no longer off (%ld)", after, detail, state);
	}
}

static void must_refuse_entry(u64 entry)
{
	s64 status = (s64)psci(PSCI_CPU_ON, cpu_mpidr(1), entry, 1);

	if (status != PSCI_INVALID_ADDRESS && status != PSCI_INVALID_PARAMETERS) {
		fail("CPU_ON with entry %#lx in the corevisor: %ld", entry, status);
	}
	status =
		(s64)psci(PSCI_CPU_ON & ~(1ul << 30), cpu_mpidr(1), entry, 1); /* the 32-bit call */
	if (status == PSCI_SUCCESS) {
		fail("32-bit CPU_ON with entry %#lx in the corevisor was done", entry);
	}
	check_target_is_off("refused CPU_ON", entry);
}

static void check_entries(void)
{
	u32 i, n;

	for (i = 0; i < machine.core_count; i++) {
		const struct range *core = &machine.core[i];

		must_refuse_entry(core->base);
		must_refuse_entry(core->base + core->bytes - 4);
		for (n = 0; n < 64; n++) {
			must_refuse_entry(core->base + (random_u64() % core->bytes & ~3ul));
		}
	}
}

static void check_bad_targets(void)
{
	static const u64 targets[] = { 0x0f,	  0x80,		0xff,	   0xff00,
				       0xff0000,  0xff00000000, 1ul << 31, 1ul << 24,
				       1ul << 40, 1ul << 63,	~0ul,	   0xffffffff };
	s64 status;
	u32 i;

	for (i = 0; i < ARRAY_SIZE(targets); i++) {
		status = (s64)psci(PSCI_CPU_ON, targets[i], cpu_entry_address(), 1);
		if (status != PSCI_INVALID_PARAMETERS) {
			fail("CPU_ON of MPIDR %#lx: %ld", targets[i], status);
		}
	}
	status = (s64)psci(PSCI_CPU_ON, cpu_mpidr(0), cpu_entry_address(), 0);
	if (status != PSCI_ALREADY_ON) {
		fail("CPU_ON of the caller itself: %ld", status);
	}
}

/* ---- two at once ---- */

static volatile u32 round_now, rounds_done;
static volatile s64 rival_status;
static volatile u32 arrivals;

static void contested(u32 index)
{
	(void)index;
	__atomic_add_fetch(&arrivals, 1, __ATOMIC_SEQ_CST);
}

static void rival(u32 index)
{
	u32 round;

	(void)index;
	for (round = 1; round <= ROUNDS; round++) {
		while (round_now < round) {
		}
		rival_status = (s64)psci(PSCI_CPU_ON, cpu_mpidr(2), cpu_entry_address(), 2);
		rounds_done = round;
	}
}

static bool is_lost(s64 status)
{
	return status == PSCI_ALREADY_ON || status == PSCI_ON_PENDING;
}

static void check_two_at_once(void)
{
	u32 round;
	s64 own;

	if (cpu_start(1, rival) != PSCI_SUCCESS) {
		fail("CPU 1 does not start");
	}
	for (round = 1; round <= ROUNDS; round++) {
		cpu_prepare(2, contested);
		round_now = round;
		own = (s64)psci(PSCI_CPU_ON, cpu_mpidr(2), cpu_entry_address(), 2);
		while (rounds_done < round) {
		}
		/*
		 * The CPU may have come, gone and been switched on again by the slower caller: then
		 * both succeed.
		 */
		if (own != PSCI_SUCCESS && !is_lost(own)) {
			fail("CPU_ON in a race: %ld", own);
		}
		if (rival_status != PSCI_SUCCESS && !is_lost(rival_status)) {
			fail("CPU_ON in a race, the rival: %ld", rival_status);
		}
		if (is_lost(own) && is_lost(rival_status)) {
			fail("CPU_ON in a race: both lost (%ld, %ld)", own, rival_status);
		}
		if (!cpu_wait_off(2)) {
			fail("the contested CPU does not go off");
		}
		if (arrived_at_el2) {
			fail("a CPU arrived at EL2");
		}
	}
	if (arrivals < ROUNDS || arrivals > 2 * ROUNDS) {
		fail("%u arrivals in %u rounds", arrivals, ROUNDS);
	}
}

_Noreturn void image_main(void)
{
	if (cpu_count() < 3) {
		skip("needs three CPUs");
	}
	if (machine.core_count == 0) {
		fail("the device tree names no memory of a corevisor");
	}
	ready();
	check_entries();
	check_bad_targets();
	check_two_at_once();
	pass();
}
