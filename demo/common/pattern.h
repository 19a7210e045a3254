/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The secret of the demo, as it follows from a seed: SHA-512 in counter mode. The guest keeps it,
 * the scanner derives it again to look for it. Words are what a 64-bit load finds in the byte
 * stream.
 */
#ifndef DEMO_PATTERN_H
#define DEMO_PATTERN_H

#include <stdint.h>

#define PATTERN_SEED_BYTES 32
#define PATTERN_BLOCK_BYTES 64
#define PATTERN_BLOCK_WORDS (PATTERN_BLOCK_BYTES / 8)

/* What is kept in memory, and what is kept in registers only: different streams, so that a hit says
 * where it came from. */
enum pattern_stream {
	PATTERN_MEMORY = 1,
	PATTERN_REGISTERS = 2,
};
#define PATTERN_MEMORY_PAGES 16
#define PATTERN_MEMORY_BLOCKS (PATTERN_MEMORY_PAGES * 4096 / PATTERN_BLOCK_BYTES)
#define PATTERN_GP_WORDS 10 /* x19-x28 */
#define PATTERN_FP_WORDS (31 * 2) /* v0-v30, among them the callee-saved v8-v15 */
#define PATTERN_REGISTER_WORDS (PATTERN_GP_WORDS + PATTERN_FP_WORDS)
#define PATTERN_REGISTER_BLOCKS                                                                    \
	((PATTERN_REGISTER_WORDS + PATTERN_BLOCK_WORDS - 1) / PATTERN_BLOCK_WORDS)

/*
 * Block `number` of a stream: SHA-512("ravelin demo 1" || stream (1 byte) || seed || number (8
 * bytes, little endian)). Leaves nothing of it behind but in `out`.
 */
void pattern_block(const uint8_t seed[PATTERN_SEED_BYTES], enum pattern_stream stream,
		   uint64_t number, uint64_t out[PATTERN_BLOCK_WORDS]);

/* Overwrites memory, also where the compiler thinks that nobody looks any more. */
void pattern_wipe(void *at, unsigned long bytes);
/* Clears v0-v31, which memcpy and hash code use. */
void pattern_wipe_vectors(void);

#endif
