/* SPDX-License-Identifier: BSD-3-Clause */
/* What guest_hello.c and the host that runs it agree on. */
#ifndef TEST_GUEST_HELLO_H
#define TEST_GUEST_HELLO_H

#define DEVICE_WORD 0x0a000000ul
#define DEVICE_DEAD 0x0a000008ul
#define DEVICE_ANSWER 0x600dcafeu

#endif
