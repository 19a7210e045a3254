// SPDX-License-Identifier: BSD-3-Clause
/*
 * The guest's secret: draws a random seed, prints it (and nothing else that matters), derives a
 * pattern from it and keeps it: pages of it in locked memory, more of it in registers only, in a
 * loop that never ends. Every interrupt of the vCPU thus finds the secret in its registers. The
 * loop also checks that no register was changed.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <unistd.h>

#include "../common/pattern.h"

/* secret_loop.S. Wipes `words` once they are in registers. Returns only when a register has changed
 * by itself. */
void secret_hold(uint64_t words[PATTERN_REGISTER_WORDS], const uint64_t sum[3]);

static void fail(const char *what)
{
	fprintf(stderr, "secret: %s: %s\n", what, strerror(errno));
	exit(1);
}

static uint64_t *fill_memory(const uint8_t *seed)
{
	const size_t bytes = PATTERN_MEMORY_BLOCKS * PATTERN_BLOCK_BYTES;
	uint64_t *at =
		mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (at == MAP_FAILED || mlock(at, bytes) != 0) {
		fail("locked memory");
	}
	for (uint64_t i = 0; i < PATTERN_MEMORY_BLOCKS; i++) {
		pattern_block(seed, PATTERN_MEMORY, i, at + i * PATTERN_BLOCK_WORDS);
	}
	return at;
}

/* The XOR of the general words, of the vectors' low and of their high halves: says nothing of the
 * words themselves. */
static void sums(const uint64_t *words, uint64_t sum[3])
{
	memset(sum, 0, 3 * sizeof(*sum));
	for (unsigned int i = 0; i < PATTERN_GP_WORDS; i++) {
		sum[0] ^= words[i];
	}
	for (unsigned int i = 0; i < PATTERN_FP_WORDS; i++) {
		sum[1 + i % 2] ^= words[PATTERN_GP_WORDS + i];
	}
}

int main(void)
{
	uint64_t words[PATTERN_REGISTER_BLOCKS * PATTERN_BLOCK_WORDS];
	uint64_t sum[3];
	uint8_t seed[PATTERN_SEED_BYTES];

	if (getrandom(seed, sizeof(seed), 0) != (ssize_t)sizeof(seed)) {
		fail("random seed");
	}
	if (mlockall(MCL_CURRENT | MCL_FUTURE) != 0) {
		fail("mlockall");
	}
	fill_memory(seed);
	for (uint64_t i = 0; i < PATTERN_REGISTER_BLOCKS; i++) {
		pattern_block(seed, PATTERN_REGISTERS, i, words + i * PATTERN_BLOCK_WORDS);
	}
	/* The words of the last block that no register takes. */
	pattern_wipe(words + PATTERN_REGISTER_WORDS,
		     sizeof(words) - PATTERN_REGISTER_WORDS * sizeof(*words));
	sums(words, sum);
	printf("secret: seed ");
	for (unsigned int i = 0; i < sizeof(seed); i++) {
		printf("%02x", seed[i]);
	}
	printf("\n");
	fflush(stdout);
	secret_hold(words, sum);
	printf("secret: DAMAGED: a register changed while it was held\n");
	return 1;
}
