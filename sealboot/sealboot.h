/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The C half of the guest loader. Builds for EL1 and, for its tests and the fuzzer, for the PC: no
 * system registers, no other memory than what its arguments name.
 */
#ifndef SEALBOOT_H
#define SEALBOOT_H

#include <stdbool.h>
#include <stdint.h>

/* The arm64 boot protocol allows a DTB this much. */
#define SEAL_DTB_BYTES_MAX (2u << 20)

/*
 * What `ravelin pack --guest` fills in (tools/ravelin/pack_guest.c), at SEAL_AT_SLOTS in the image;
 * head.S has the same. Offsets count from the image's start.
 */
#define SEAL_AT_SLOTS 64
struct seal_slots {
	uint64_t magic;
	uint64_t kernel;
	uint64_t dtb; /* room for the kernel's DTB, then for the copy: 2 * SEAL_DTB_BYTES_MAX */
	uint64_t initrd, initrd_bytes;	 /* 0 bytes: none */
	uint64_t cmdline, cmdline_bytes; /* with its 0; 0 bytes: none */
};

/* What the kernel's /chosen says, whatever the VMM's said. */
struct seal_chosen {
	const char *cmdline;
	uint32_t cmdline_bytes;
	uint64_t initrd_start, initrd_end;
};

/*
 * Copies the DTB at `source` to `copy` and writes it anew to `room` (SEAL_DTB_BYTES_MAX bytes each,
 * 8-byte aligned). The method of every PSCI node becomes "smc", which is where Linux looks for the
 * realm services. /chosen gets what `chosen` says and keeps the console and the seed for address
 * randomisation; all else in it goes: with it a VMM could steer the kernel, from its command line
 * to tables of EFI. A node that is compatible with what seal_knows_device() does not know is left
 * out with all below it. The source is hostile and may change at any time: each word is read once,
 * everything is checked in the copy.
 *
 * Pre:  source is 8-byte aligned or refused; its first page is readable.
 * Post: the number of bytes of the DTB in `room`, which is whole and well-formed; 0 if the source
 * is not, has no PSCI node or not exactly one /chosen, or says what a VMM has no reason to say
 * (docs/launch.md).
 */
uint32_t seal_take_dtb(const void *source, void *copy, void *room,
		       const struct seal_chosen *chosen);
/* The same, where the slots of `image` say; 0 also if the image was never packed. */
uint32_t seal_hand_over(const void *source, uint8_t *image);

/* Whether a string of a `compatible` property names a device that VMMs give; case is ignored. */
bool seal_knows_device(const char *compatible);

/*
 * QEMU enters a kernel through ten words at the start of RAM, 2 MiB below the image; the last four
 * are the DTB's address and ours. Returns the DTB's address, NULL if that is not what lies there.
 */
const void *seal_find_dtb(const void *image);

#endif
