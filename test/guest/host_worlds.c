/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * World switch, looked at from all sides: every register that EL1 can write gets a pattern in one
 * world and is read in the next. What a fresh VM finds must not depend on what the host or another
 * VM has written; the host and a VM that waits must find their own registers again. On a CPU with
 * SVE the host's long vectors, too.
 */
#include "tiny.h"
#include "worlds.h"
#include "worlds_gpa.h"

const char image_name[] = "worlds";

TINY_PAYLOAD(payload, "guest_worlds");

/* 32 vectors of at most 256 bytes, 17 predicates of an eighth */
#define SVE_BYTES_MAX (32 * 256 + 17 * 32)
#define ID_PFR0_SVE(pfr0) ((pfr0) >> 32 & 0xf)

static struct tiny_vm fresh, writer;
static struct world found[2], before, after;

static void build(struct tiny_vm *vm, const char *name, bool is_protected, const char *bootargs)
{
	tiny_build(vm, name, is_protected, &payload, 1, bootargs);
}

/* A guest that sets its physical timer leaves with the new deadline, as if interrupted: on with it.
 */
static u64 run_on(struct tiny_vm *vm)
{
	u64 exit;

	do {
		exit = tiny_run(vm, 0);
	} while (exit == RV_EXIT_IRQ || exit == RV_EXIT_SGI);
	return exit;
}

static void run_to_door(struct tiny_vm *vm)
{
	u64 exit = run_on(vm);

	if (exit != RV_EXIT_MMIO || vm->run[0]->ipa != WORLDS_DOOR) {
		fail("%s left with exit %lu, ipa %#lx, after \"%s\"", vm->name, exit,
		     vm->run[0]->ipa, vm->last_line);
	}
}

static void run_to_end(struct tiny_vm *vm)
{
	u64 exit = run_on(vm);

	if (exit != RV_EXIT_SYSTEM_OFF || !tiny_ends_with(vm, "PASS guest worlds")) {
		fail("%s ended with exit %lu after \"%s\"", vm->name, exit, vm->last_line);
	}
}

/* What a fresh VM finds, out of its memory: an open VM's is the host's. */
static void look_into_fresh(struct world *world)
{
	u64 done, page = (WORLDS_RESULT - TINY_RAM_BASE) / PAGE_BYTES, part;

	build(&fresh, "fresh", false, "fresh");
	run_to_door(&fresh);
	for (done = 0; done < sizeof(*world); done += part, page++) {
		part = sizeof(*world) - done < PAGE_BYTES ? sizeof(*world) - done : PAGE_BYTES;
		if (fresh.backing[page] == 0) {
			fail("the fresh VM has not written page %lu of its result", page);
		}
		memcpy((u8 *)world + done, (void *)(fresh.backing[page] * PAGE_BYTES), part);
	}
	run_to_end(&fresh);
	tiny_destroy(&fresh);
}

static void expect_equal(const char *what, const struct world *a, const struct world *b)
{
	u32 differences = world_compare(what, a, b);

	if (differences != 0) {
		fail("%s: %u registers differ", what, differences);
	}
}

static void host_to_guest(void)
{
	u32 i, k;

	for (i = 0; i < 2; i++) {
		u32 count = world_write(i);

		if (count < 40) {
			fail("the host could write only %u registers", count);
		}
		print("host writes %u registers\n", count);
		look_into_fresh(&found[i]);
	}
	expect_equal("host to guest", &found[0], &found[1]);
	for (k = 0; k < WORLD_VECTORS; k++) {
		if (found[0].vector[k] != 0) {
			fail("a fresh VM finds %#lx in a vector register", found[0].vector[k]);
		}
	}
}

/* The host's registers while guests with other patterns run, leave, wait and end. */
static void guest_to_host(bool is_protected)
{
	world_write(0);
	world_read(&before);
	world_read(&before);
	build(&writer, "writer", is_protected, "seed=1");
	run_to_door(&writer);
	/* tiny_run() itself causes no exception at EL1 */
	world_read(&after);
	expect_equal("guest to host", &before, &after);
	look_into_fresh(&found[1]);
	world_read(&after);
	expect_equal("two guests to host", &before, &after);
	expect_equal("guest to guest", &found[0], &found[1]);
	run_to_end(&writer);
	tiny_destroy(&writer);
	world_read(&after);
	expect_equal("the end of a guest to host", &before, &after);
}

static void long_vectors(void)
{
	static u8 vectors[2][SVE_BYTES_MAX] __attribute__((aligned(16)));
	u32 i, length;

	if (ID_PFR0_SVE(read_sysreg(id_aa64pfr0_el1)) == 0) {
		return;
	}
	write_sysreg(cpacr_el1, 3ul << 20 | 3ul << 16);
	isb();
	write_sysreg(s3_0_c1_c2_0, 0xf); /* ZCR_EL1 */
	isb();
	length = (u32)vectors_bytes();
	for (i = 0; i < length * 32 + length / 8 * 16; i++) {
		vectors[0][i] = (u8)(i * 37 + 5);
	}
	/* FFR holds ones up to some element. */
	memset(&vectors[0][i], 0xff, length / 16);
	vectors_load_sve(vectors[0], 1);
	build(&writer, "writer", true, "seed=1");
	run_to_door(&writer);
	vectors_store_sve(vectors[1], 1);
	if (memcmp(vectors[0], vectors[1], length * 32 + length / 8 * 17) != 0) {
		fail("the host's SVE registers changed while a guest ran");
	}
	run_to_end(&writer);
	tiny_destroy(&writer);
	print("SVE: vectors of %u bytes kept\n", length);
}

_Noreturn void image_main(void)
{
	ready();
	tiny_begin();
	host_to_guest();
	guest_to_host(false);
	if (!(tiny_facts.features & RV_FEAT_ENTROPY)) {
		skip("no entropy source: no protected VMs here");
	}
	guest_to_host(true);
	long_vectors();
	pass();
}
