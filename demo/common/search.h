/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-3-Clause) */
/*
 * Looking for any of many 64-bit words without holding one of them: the table has each word XORed
 * with a random mask, so that a search through all memory never finds the searcher. Shared by the
 * scanner and the hostile module.
 *
 * Every 8-byte aligned word of what is searched is compared. A chance hit in 1 GiB has a
 * probability of 2^-24 or so.
 */
#ifndef DEMO_SEARCH_H
#define DEMO_SEARCH_H

#ifdef __KERNEL__
#include <linux/types.h>
#else
#include <stdint.h>
typedef uint64_t u64;
typedef uint8_t u8;
#endif

#define SEARCH_WORDS_MAX 16384
#define SEARCH_FILTER_BITS 20 /* one bit for each value of the low 20 bits */

struct search {
	u64 count;
	u64 mask;
	u64 masked[SEARCH_WORDS_MAX]; /* word ^ mask, ascending */
	/* Which low bits occur: keeps all but a few words from the binary search. */
	u8 filter[(1 << SEARCH_FILTER_BITS) / 8];
};

static inline int search_may_hit(const struct search *s, u64 word)
{
	u64 bit = word & ((1u << SEARCH_FILTER_BITS) - 1);

	return s->filter[bit / 8] >> (bit % 8) & 1;
}

/* Is `word` one of those looked for? */
static inline int search_hits(const struct search *s, u64 word)
{
	u64 wanted = word ^ s->mask;
	u64 low = 0;
	u64 high = s->count;

	if (!search_may_hit(s, word)) {
		return 0;
	}
	while (low < high) {
		u64 middle = low + (high - low) / 2;

		if (s->masked[middle] == wanted) {
			return 1;
		}
		if (s->masked[middle] < wanted) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	return 0;
}

/* Words among `words` that are looked for. */
static inline u64 search_count(const struct search *s, const u64 *words, u64 count)
{
	u64 hits = 0;

	for (u64 i = 0; i < count; i++) {
		hits += (u64)search_hits(s, words[i]);
	}
	return hits;
}

#endif
