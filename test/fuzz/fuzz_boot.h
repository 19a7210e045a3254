/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the fuzzers of boot code share: the end of a refusal, and doubles of what the core asks of
 * the machine.
 */
#ifndef FUZZ_BOOT_H
#define FUZZ_BOOT_H

#include <cv/boot.h>

#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define FUZZ_CHECK(condition)                                                                     \
	do {                                                                                      \
		if (!(condition)) {                                                               \
			fprintf(stderr, "%s:%d: not true: %s\n", __FILE__, __LINE__, #condition); \
			abort();                                                                  \
		}                                                                                 \
	} while (0)

extern jmp_buf fuzz_jump; /* where boot_refuse() goes */

/* A copy of exactly these bytes, 8-byte aligned, so that the sanitiser sees every step outside. */
uint8_t *fuzz_copy(const uint8_t *data, size_t bytes);
/* Reads every byte. */
void fuzz_touch(const void *data, size_t bytes);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

#endif
