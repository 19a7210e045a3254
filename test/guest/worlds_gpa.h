/* SPDX-License-Identifier: BSD-3-Clause */
/* Where guest_worlds and host_worlds meet. */
#ifndef TEST_GUEST_WORLDS_GPA_H
#define TEST_GUEST_WORLDS_GPA_H

#define WORLDS_RESULT 0x41800000ul
#define WORLDS_DOOR 0x09100000ul /* no device is there */

#endif
