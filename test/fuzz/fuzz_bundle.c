/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The bundle parser: whatever the bytes, it refuses, or everything that it hands out lies inside of
 * them.
 */
#include "fuzz_boot.h"

#include <string.h>

static void check(const struct bundle *b, const uint8_t *base, size_t bytes)
{
	const uint8_t *kernel = b->kernel;
	const uint8_t *initrd = (const uint8_t *)(uintptr_t)b->initrd.base;

	FUZZ_CHECK(kernel >= base && b->kernel_bytes <= bytes &&
		   (size_t)(kernel - base) <= bytes - b->kernel_bytes);
	FUZZ_CHECK(b->image_bytes >= b->kernel_bytes && b->text_offset % PAGE_SIZE == 0);
	if (b->initrd.bytes > 0) {
		FUZZ_CHECK(initrd >= base && b->initrd.bytes <= bytes &&
			   (size_t)(initrd - base) <= bytes - b->initrd.bytes);
	}
	fuzz_touch(b->kernel, b->kernel_bytes);
	fuzz_touch(initrd, b->initrd.bytes);
	FUZZ_CHECK(strlen(b->bootargs) <= bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	uint8_t *copy = fuzz_copy(data, bytes);
	struct boot_range where = { (u64)(uintptr_t)copy, bytes };
	struct bundle bundle = { 0 };

	if (setjmp(fuzz_jump) == 0) {
		bundle_read(&where, &bundle);
		check(&bundle, copy, bytes);
	}
	free(copy);
	return 0;
}
