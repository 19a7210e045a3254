/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The guest's part of host_worlds.c. Bootargs: "fresh": stores what a new VM finds at GPA
 * WORLDS_RESULT; "seed=N": writes its pattern everywhere. Then it leaves by a write to WORLDS_DOOR;
 * when it is run again it looks whether its registers are as it left them, and ends.
 */
#include "worlds.h"

#include "worlds_gpa.h"

const char image_name[] = "guest worlds";

static struct world before, after;

static void leave(void)
{
	*(volatile u32 *)WORLDS_DOOR = 1;
}

_Noreturn void image_main(void)
{
	struct world *result = (struct world *)WORLDS_RESULT;

	if (has_bootarg("fresh")) {
		world_read(result);
		leave();
		pass();
	}
	if (world_write(bootarg("seed", 0)) < 16) {
		fail("hardly a register can be written");
	}
	world_read(&before);
	world_read(&before); /* once more: now the exceptions of reading are in it */
	leave();
	world_read(&after);
	if (world_compare("before, after another world", &before, &after) != 0) {
		fail("registers changed while the vCPU was away");
	}
	pass();
}
