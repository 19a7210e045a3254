/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The first VM: its stack, its data and memory it has never touched behave as memory does; then it switches off. With
 * "loop" on its command line it spins instead, so that its host can kill it.
 */
#include "env.h"

const char image_name[] = "hello";

#define FAR_PAGES 64

_Noreturn void image_main(void)
{
	volatile u64 *far = (volatile u64 *)((machine.image.base + machine.image.bytes + 0x3fffff) & ~0x1ffffful);
	bool must_be_zero = has_bootarg("protected"); /* an open VM's pages keep the host's content */
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
	if (has_bootarg("loop")) {
		print("LOOPING\n");
		for (;;) {
		}
	}
	pass();
}
