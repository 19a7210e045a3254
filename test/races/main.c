/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Boots machines, lets the CPUs loose on each, looks at it when they have stopped. Prints TAP.
 * RACES_SEED repeats the draws of a run, RACES_MACHINES makes it longer.
 */
#include "races.h"

#include <pthread.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cv/dma.h>
#include <cv/pool.h>

#include "../common/snapshot.h"

#define MACHINES 20
#define ROUNDS 20 /* on one machine */
#define STEPS 30  /* of each CPU in a round */

#define RAM 20ull
#define BANK2 259ull

/* The model test's geometry, and more RAM: all slots can have VMs. */
const struct fake_machine race_machine = {
	.regions = {
		{ .base = { RAM << PAGE_SHIFT }, .pages = 256 - RAM },
		{ .base = { BANK2 << PAGE_SHIFT }, .pages = 12 },
	},
	.region_count = 2,
	.core_base = RAM << PAGE_SHIFT,
	.core_tables = 50,
	.hidden_base = 777ull << PAGE_SHIFT,
	.io_base = 784ull << PAGE_SHIFT,
};

static pthread_barrier_t round_begins, round_ends;
static u64 seed, machine;

/* Software at EL1 and devices touch what they like when they like (fake_tlb.c). */
const char *__tsan_default_suppressions(void);
const char *__tsan_default_suppressions(void)
{
	return "race:^touch$\n";
}

const char *__tsan_default_options(void);
const char *__tsan_default_options(void)
{
	return "halt_on_error=1";
}

static void *be_a_cpu(void *argument)
{
	u32 cpu = (u32)(uintptr_t)argument;

	race_begin(cpu, seed + machine * 0x10001);
	for (u32 i = 0; i < ROUNDS; i++) {
		pthread_barrier_wait(&round_begins);
		for (u32 j = 0; j < STEPS; j++) {
			race_step();
		}
		pthread_barrier_wait(&round_ends);
	}
	return NULL;
}

static void look(u32 round)
{
	static struct spec_state like;
	char what[80];

	snprintf(what, sizeof(what), "RACES_SEED=%#lx machine %lu round %u", seed, machine, round);
	for (u32 i = 0; i < SPEC_VMS; i++) {
		like.vm[i].handle = races.handle[i];
	}
	observe_alone(&like, what);
}

/* All VMs and contexts go, and every page is the host's alone again. */
static void take_down(u64 core_pages)
{
	for (u32 i = 0; i < VM_SLOTS; i++) {
		CALL(RV_VM_KILL, races.handle[i]); /* a VERIFIED one keeps its contexts */
	}
	for (u64 i = 0; i < SPEC_CONTEXTS; i++) {
		race_end_context(i);
	}
	for (u32 i = 0; i < VM_SLOTS; i++) {
		race_end_vm(races.handle[i]);
	}
	look(ROUNDS);
	core_pages += races.pool_pages;
	if (vm_count() != 0 || vm_vcpu_count() != 0 || ledger_count(RV_PAGES_CORE) != core_pages ||
	    ledger_count(RV_PAGES_HOST) + core_pages != ledger_ram_pages()) {
		fake_fail("RACES_SEED=%#lx machine %lu: %u VMs are left, %lu pages are the core's "
			  "and %lu the host's alone",
			  seed, machine, vm_count(), ledger_count(RV_PAGES_CORE),
			  ledger_count(RV_PAGES_HOST));
	}
}

static void run_machine(void)
{
	pthread_t threads[RACES_CPUS];
	struct spec_state *state = calloc(1, sizeof(*state));
	u64 core_pages;

	observe_boot(state, &race_machine);
	free(state);
	seal_init((const u8[CRYPTO_KEY_BYTES]){ 1 });
	core_pages = ledger_count(RV_PAGES_CORE);
	memset(&races, 0, offsetof(struct races, answers));
	for (u64 pfn = RAM; pfn < 256; pfn += 32) {
		fake_watch(OWNER_HOST, pfn << PAGE_SHIFT);
	}
	fake_hostile_writer(0, OWNER_HOST, 83ull << PAGE_SHIFT, 5);
	for (uintptr_t i = 0; i < RACES_CPUS; i++) {
		if (pthread_create(&threads[i], NULL, be_a_cpu, (void *)i) != 0) {
			abort();
		}
	}
	for (u32 i = 0; i < ROUNDS; i++) {
		pthread_barrier_wait(&round_begins);
		pthread_barrier_wait(&round_ends);
		look(i);
	}
	for (u32 i = 0; i < RACES_CPUS; i++) {
		pthread_join(threads[i], NULL);
	}
	race_begin(0, seed);
	take_down(core_pages);
	fake_halt();
}

/* Each call has been accepted and refused: else it was not tested. */
static bool print_answers(void)
{
	bool is_complete = true;

	for (u32 i = 0; i < race_call_count; i++) {
		u64 refused = 0;

		printf("# %-20s accepted %lu, refused", race_calls[i].name, races.answers[i][0]);
		for (u32 status = 1; status < ARRAY_SIZE(races.answers[i]); status++) {
			refused += races.answers[i][status];
			printf(" %lu", races.answers[i][status]);
		}
		printf("\n");
		is_complete = is_complete && races.answers[i][0] > 0 && refused > 0;
	}
	return is_complete;
}

static u64 number_from(const char *name, u64 otherwise)
{
	const char *given = getenv(name);

	return given != NULL && given[0] != '\0' ? strtoull(given, NULL, 0) : otherwise;
}

int main(void)
{
	u64 machines = number_from("RACES_MACHINES", MACHINES);
	bool is_long = machines >= MACHINES, is_complete;

	seed = number_from("RACES_SEED", (u64)time(NULL) * 2654435761u);
	printf("# RACES_SEED=%#lx RACES_MACHINES=%lu\n", seed, machines);
	fflush(stdout);
	pthread_barrier_init(&round_begins, NULL, RACES_CPUS + 1);
	pthread_barrier_init(&round_ends, NULL, RACES_CPUS + 1);
	for (machine = 0; machine < machines; machine++) {
		run_machine();
	}
	is_complete = print_answers();
	printf("ok 1 - invariants hold whenever all CPUs stand still, and all comes back\n");
	if (is_long) {
		printf("%sok 2 - every call was accepted and refused\n", is_complete ? "" : "not ");
	}
	printf("1..%u\n", 1 + is_long);
	return is_complete || !is_long ? 0 : 1;
}
