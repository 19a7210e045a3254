/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The C half of the guest loader. Builds for EL1 and, for its tests and the fuzzer, for the PC: no
 * system registers, no other memory than what its arguments name.
 */
#ifndef SEALBOOT_H
#define SEALBOOT_H

#include <stdbool.h>
#include <stdint.h>

/* The arm64 boot protocol allows a DTB this much; struct room for the copy has it. */
#define SEAL_DTB_BYTES_MAX (2u << 20)

/*
 * Copies the DTB at `source` to `room` (SEAL_DTB_BYTES_MAX bytes, 8-byte aligned) and mends it
 * there: the method of every PSCI node becomes "smc", which is where Linux looks for the realm
 * services. The source is hostile and may change at any time: each word is read once, everything is
 * checked in the copy.
 *
 * Pre:  source is 8-byte aligned or refused; its first page is readable.
 * Post: the number of bytes of the DTB, which is whole and well-formed; 0 if it is not, or has no
 * PSCI node.
 */
uint32_t seal_take_dtb(const void *source, void *room);

/*
 * QEMU enters a kernel through ten words at the start of RAM, 2 MiB below the image; the last four
 * are the DTB's address and ours. Returns the DTB's address, NULL if that is not what lies there.
 */
const void *seal_find_dtb(const void *image);

#endif
