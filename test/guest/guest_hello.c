/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The first VM: its stack, its data and memory it has never touched behave as memory does; then it
 * switches off. With "loop" on its command line it spins instead, so that its host can kill it;
 * with "checkpoint" it talks to a device first.
 */
#include "env.h"
#include "guest_hello.h"

const char image_name[] = "hello";

#define FAR_PAGES 64
#define FSC_EXTERNAL 0x10

/*
 * A device of the host's making: one word that reads as agreed, one that does not answer. host_vm.c
 * plays it.
 */
static void check_device(void)
{
	struct fault fault;
	u32 word = *(volatile u32 *)DEVICE_WORD;

	if (word != DEVICE_ANSWER) {
		fail("the device reads as %#x", word);
	}
	*(volatile u8 *)DEVICE_WORD = 0x7e;
	faults_expect();
	(void)*(volatile u64 *)DEVICE_DEAD;
	fault = faults_taken();
	if (fault.count != 1 || ESR_EC(fault.esr) != EC_DABT_EL1 ||
	    ESR_FSC(fault.esr) != FSC_EXTERNAL || fault.far != DEVICE_DEAD) {
		fail("the dead device: %lu faults, esr %#lx, far %#lx", fault.count, fault.esr,
		     fault.far);
	}
}

_Noreturn void image_main(void)
{
	volatile u64 *far = (volatile u64 *)((machine.image.base + machine.image.bytes + 0x3fffff) &
					     ~0x1ffffful);
	bool must_be_zero =
		has_bootarg("protected"); /* an open VM's pages keep the host's content */
	u64 i;

	ready();
	for (i = 0; i < FAR_PAGES * 512; i += 512) {
		if (must_be_zero && far[i] != 0) {
			fail("page %lu arrived with %#lx", i / 512, far[i]);
		}
		far[i] = ~i;
	}
	for (i = 0; i < FAR_PAGES * 512; i += 512) {
		if (far[i] != ~i) {
			fail("page %lu lost its content: %#lx", i / 512, far[i]);
		}
	}
	if (has_bootarg("checkpoint")) {
		check_device();
	}
	if (has_bootarg("loop")) {
		print("LOOPING\n");
		for (;;) {
		}
	}
	pass();
}
