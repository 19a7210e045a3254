// SPDX-License-Identifier: BSD-3-Clause
/* The secret, derived and at once masked. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "../common/pattern.h"
#include "scan.h"

static void parse_seed(const char *text, uint8_t seed[PATTERN_SEED_BYTES])
{
	if (strlen(text) != 2 * PATTERN_SEED_BYTES) {
		die("a seed has %d hexadecimal digits", 2 * PATTERN_SEED_BYTES);
	}
	for (unsigned int i = 0; i < PATTERN_SEED_BYTES; i++) {
		unsigned int byte;

		if (sscanf(text + 2 * i, "%2x", &byte) != 1) {
			die("a seed has only hexadecimal digits");
		}
		seed[i] = (uint8_t)byte;
	}
}

static void add_block(struct search *s, const uint8_t *seed, enum pattern_stream stream,
		      uint64_t number)
{
	uint64_t block[PATTERN_BLOCK_WORDS];

	pattern_block(seed, stream, number, block);
	for (unsigned int i = 0; i < PATTERN_BLOCK_WORDS; i++) {
		uint64_t bit = block[i] & ((1u << SEARCH_FILTER_BITS) - 1);

		s->filter[bit / 8] |= (uint8_t)(1u << (bit % 8));
		s->masked[s->count++] = block[i] ^ s->mask;
	}
	pattern_wipe(block, sizeof(block));
}

static int ascending(const void *a, const void *b)
{
	const uint64_t *x = a;
	const uint64_t *y = b;

	return (*x > *y) - (*x < *y);
}

struct search *table_from_seed(const char *text)
{
	struct search *s = calloc(1, sizeof(*s));
	uint8_t seed[PATTERN_SEED_BYTES];

	_Static_assert((PATTERN_MEMORY_BLOCKS + PATTERN_REGISTER_BLOCKS) * PATTERN_BLOCK_WORDS <=
			       SEARCH_WORDS_MAX,
		       "the table is too small");
	if (!s || getrandom(&s->mask, sizeof(s->mask), 0) != (ssize_t)sizeof(s->mask)) {
		die("no memory or no random mask");
	}
	parse_seed(text, seed);
	for (uint64_t i = 0; i < PATTERN_MEMORY_BLOCKS; i++) {
		add_block(s, seed, PATTERN_MEMORY, i);
	}
	for (uint64_t i = 0; i < PATTERN_REGISTER_BLOCKS; i++) {
		add_block(s, seed, PATTERN_REGISTERS, i);
	}
	pattern_wipe_vectors();
	qsort(s->masked, s->count, sizeof(*s->masked), ascending);
	return s;
}
