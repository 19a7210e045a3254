// SPDX-License-Identifier: BSD-3-Clause
/* The demo's search must find every word of the secret, nothing else, and hold none of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../../demo/common/pattern.h"
#include "../../demo/scan/scan.h"

static const char seed_text[] = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

_Noreturn void die(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	abort();
}

static void block_of(enum pattern_stream stream, uint64_t number, uint64_t *out)
{
	uint8_t seed[PATTERN_SEED_BYTES];

	for (unsigned int i = 0; i < sizeof(seed); i++) {
		seed[i] = (uint8_t)i;
	}
	pattern_block(seed, stream, number, out);
}

/* Both computed with Python's hashlib. */
static void test_pattern_block_known_answer(void **state)
{
	static const uint8_t memory_5[] = { 0x59, 0x89, 0xa2, 0x72, 0x2b, 0xc5,
					    0x3e, 0xdd, 0x9a, 0x91, 0x3e, 0xb5 };
	static const uint8_t registers[] = { 0xf4, 0x1e, 0x81, 0x0e, 0x09, 0x34,
					     0x18, 0x1d, 0x7e, 0x75, 0xae, 0x51 };
	uint64_t block[PATTERN_BLOCK_WORDS];

	(void)state;
	block_of(PATTERN_MEMORY, 5, block);
	assert_memory_equal(block, memory_5, sizeof(memory_5));
	block_of(PATTERN_REGISTERS, 0x0102030405060708, block);
	assert_memory_equal(block, registers, sizeof(registers));
}

static void test_search_finds_every_word(void **state)
{
	struct search *table = table_from_seed(seed_text);
	uint64_t block[PATTERN_BLOCK_WORDS];

	(void)state;
	for (uint64_t i = 0; i < PATTERN_MEMORY_BLOCKS; i++) {
		block_of(PATTERN_MEMORY, i, block);
		assert_int_equal(search_count(table, block, PATTERN_BLOCK_WORDS),
				 PATTERN_BLOCK_WORDS);
	}
	for (uint64_t i = 0; i < PATTERN_REGISTER_BLOCKS; i++) {
		block_of(PATTERN_REGISTERS, i, block);
		assert_int_equal(search_count(table, block, PATTERN_BLOCK_WORDS),
				 PATTERN_BLOCK_WORDS);
	}
	free(table);
}

static void test_search_finds_nothing_else(void **state)
{
	struct search *table = table_from_seed(seed_text);
	uint64_t block[PATTERN_BLOCK_WORDS];
	uint64_t changed;

	(void)state;
	/* What lies behind the secret, and the secret with one bit changed: the filter passes the
	 * latter. */
	block_of(PATTERN_MEMORY, PATTERN_MEMORY_BLOCKS, block);
	assert_int_equal(search_count(table, block, PATTERN_BLOCK_WORDS), 0);
	block_of(PATTERN_MEMORY, 0, block);
	for (unsigned int bit = 0; bit < 64; bit++) {
		changed = block[3] ^ 1ull << bit;
		assert_int_equal(search_hits(table, changed), 0);
	}
	changed = 0;
	assert_int_equal(search_hits(table, changed), 0);
	free(table);
}

static void test_search_does_not_find_itself(void **state)
{
	struct search *table = table_from_seed(seed_text);

	(void)state;
	assert_true(table->mask != 0);
	assert_int_equal(search_count(table, (const uint64_t *)table, sizeof(*table) / 8), 0);
	free(table);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pattern_block_known_answer),
		cmocka_unit_test(test_search_finds_every_word),
		cmocka_unit_test(test_search_finds_nothing_else),
		cmocka_unit_test(test_search_does_not_find_itself),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
