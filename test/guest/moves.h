/* SPDX-License-Identifier: BSD-3-Clause */
/* Where guest_moves and host_moves meet: a write to the door says which step the vCPU has done. */
#ifndef TEST_GUEST_MOVES_H
#define TEST_GUEST_MOVES_H

#define MOVES_DOOR 0x09100000ul

enum moves_step {
	MOVES_MAPPED = 1,   /* vCPU 0 has read the window: page A */
	MOVES_REMAPPED,	    /* it has put page B there and invalidated locally */
	MOVES_READ_AGAIN,   /* it has read B */
	MOVES_OTHER_READ,   /* vCPU 1 has read its own page C at the same address */
	MOVES_READ_THIRD,   /* vCPU 0 has read B */
	MOVES_TIMER_ACTIVE, /* vCPU 0 has acknowledged its timer's interrupt; the line is still high
			     */
	MOVES_STILL_ACTIVE, /* the same, on whatever CPU it is now */
	MOVES_FIRED_AGAIN,  /* it has ended the interrupt and acknowledged the next */
};

#endif
