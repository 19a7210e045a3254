/* SPDX-License-Identifier: BSD-3-Clause */
/* Repeatable noise for tests: xorshift64. */
#ifndef TEST_RANDOM_H
#define TEST_RANDOM_H

#include <cv/types.h>

/* The state that `seed` begins with: by splitmix64, so that neighbouring seeds give unlike streams.
 */
static inline u64 random_from(u64 seed)
{
	seed += 0x9e3779b97f4a7c15ull;
	seed = (seed ^ seed >> 30) * 0xbf58476d1ce4e5b9ull;
	seed = (seed ^ seed >> 27) * 0x94d049bb133111ebull;
	return (seed ^ seed >> 31) | 1;
}

static inline u64 random_next(u64 *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

static inline u64 random_below(u64 *state, u64 limit)
{
	return (random_next(state) >> 11) % limit;
}

#endif
