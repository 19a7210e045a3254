/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * VMs that misbehave: the tiny host lets guest_attack.c do its worst, protected and open, and gets
 * everything back.
 */
#include "tiny.h"

const char image_name[] = "guests";

TINY_PAYLOAD(payload, "guest_attack");

static struct tiny_vm vm;

static void build(bool is_protected, const char *bootargs)
{
	tiny_build(&vm, is_protected ? "protected" : "open", is_protected, &payload, 1, bootargs);
}

static void let_it_attack(bool is_protected)
{
	u64 exit;

	build(is_protected, "");
	do {
		exit = tiny_run(&vm, 0); /* a read from no device gives 0 */
	} while (exit == RV_EXIT_MMIO);
	if (exit != RV_EXIT_SYSTEM_OFF || !tiny_ends_with(&vm, "PASS attack")) {
		fail("the %s VM ended with exit %lu (data %lu) after \"%s\"", vm.name, exit,
		     vm.run[0]->data, vm.last_line);
	}
	tiny_destroy(&vm);
}

/* A VM that faults for ever at EL2's expense: the host's interrupt ends its run all the same. */
static void run_until_the_timer(void)
{
	u64 exit;

	timer_arm_us(20000);
	exit = tiny_run(&vm, 0);
	if (exit != RV_EXIT_IRQ) {
		fail("the spinning VM's run ended with exit %lu", exit);
	}
	while (irq_take() < 1020) {
	}
}

static void spin(void)
{
	u64 began;
	u32 i;

	build(true, "spin");
	gic_begin();
	do {
		run_until_the_timer();
	} while (vm.last_line[0] != 'S');
	for (i = 0; i < 20; i++) {
		began = counter();
		run_until_the_timer();
		if (counter() - began > counter_hz()) {
			fail("the spinning VM held the CPU for more than a second");
		}
	}
	tiny_destroy(&vm);
}

_Noreturn void image_main(void)
{
	ready();
	tiny_begin();
	let_it_attack(false);
	if (!(tiny_facts.features & RV_FEAT_ENTROPY)) {
		skip("no entropy: no protected VMs here");
	}
	let_it_attack(true);
	spin();
	pass();
}
