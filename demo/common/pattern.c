// SPDX-License-Identifier: BSD-3-Clause
#include "pattern.h"

#include <bearssl.h>
#include <string.h>

void pattern_wipe(void *at, unsigned long bytes)
{
	memset(at, 0, bytes);
	__asm__ volatile("" : : "r"(at) : "memory");
}

void pattern_wipe_vectors(void)
{
#ifdef __aarch64__
	__asm__ volatile("movi v0.2d, #0\n movi v1.2d, #0\n movi v2.2d, #0\n movi v3.2d, #0\n"
			 "movi v4.2d, #0\n movi v5.2d, #0\n movi v6.2d, #0\n movi v7.2d, #0\n"
			 "movi v8.2d, #0\n movi v9.2d, #0\n movi v10.2d, #0\n movi v11.2d, #0\n"
			 "movi v12.2d, #0\n movi v13.2d, #0\n movi v14.2d, #0\n movi v15.2d, #0\n"
			 "movi v16.2d, #0\n movi v17.2d, #0\n movi v18.2d, #0\n movi v19.2d, #0\n"
			 "movi v20.2d, #0\n movi v21.2d, #0\n movi v22.2d, #0\n movi v23.2d, #0\n"
			 "movi v24.2d, #0\n movi v25.2d, #0\n movi v26.2d, #0\n movi v27.2d, #0\n"
			 "movi v28.2d, #0\n movi v29.2d, #0\n movi v30.2d, #0\n movi v31.2d, #0\n"
			 :
			 :
			 : "v0", "v1", "v2", "v3", "v4", "v5", "v6", "v7", "v8", "v9", "v10", "v11",
			   "v12", "v13", "v14", "v15", "v16", "v17", "v18", "v19", "v20", "v21",
			   "v22", "v23", "v24", "v25", "v26", "v27", "v28", "v29", "v30", "v31");
#endif
}

/* The hash needs less than this below its caller; what it leaves there goes. */
__attribute__((noinline)) static void wipe_stack_below(void)
{
	uint8_t below[8192];

	pattern_wipe(below, sizeof(below));
}

void pattern_block(const uint8_t seed[PATTERN_SEED_BYTES], enum pattern_stream stream,
		   uint64_t number, uint64_t out[PATTERN_BLOCK_WORDS])
{
	const uint8_t stream_byte = (uint8_t)stream;
	uint8_t number_bytes[8];
	br_sha512_context hash;

	for (unsigned int i = 0; i < sizeof(number_bytes); i++) {
		number_bytes[i] = (uint8_t)(number >> (8 * i));
	}
	br_sha512_init(&hash);
	br_sha512_update(&hash, "ravelin demo 1", 14);
	br_sha512_update(&hash, &stream_byte, 1);
	br_sha512_update(&hash, seed, PATTERN_SEED_BYTES);
	br_sha512_update(&hash, number_bytes, sizeof(number_bytes));
	br_sha512_out(&hash, out);
	pattern_wipe(&hash, sizeof(hash));
	wipe_stack_below();
	pattern_wipe_vectors();
}
