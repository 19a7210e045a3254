/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * guest_share.c tells host_share.c where it is by writing step | guest address (page aligned) to
 * SHARE_DEVICE.
 */
#ifndef TEST_GUEST_SHARE_STEPS_H
#define TEST_GUEST_SHARE_STEPS_H

#define SHARE_DEVICE 0x0a000100ul

enum share_step {
	STEP_PRIVATE = 1,   /* the page is private and holds GUEST_SECRET */
	STEP_SHARED,	    /* the page is shared and holds GUEST_WORD in its first word only */
	STEP_PRIVATE_AGAIN, /* the page is private again, and holds GUEST_SECRET */
	STEP_UNBACKED,	    /* this address is shared; nothing was behind it before */
	STEP_RANGE, /* the first of RANGE_PAGES shared pages, of which every 16th is backed */
};
#define RANGE_PAGES 1500ul
#define GUEST_SECRET 0x5ec7e75ec7e75ec7ul
#define GUEST_WORD 0x1111222233334444ul
#define HOST_WORD 0x5555666677778888ul

#endif
