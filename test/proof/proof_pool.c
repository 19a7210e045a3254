/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Proof: pools (pool.c), against the contracts that the other proofs assume. For any pool of up to
 * PAGES pages, linked in any order: its list stays a list of distinct zero pages of its length; a
 * page that is taken is all zero and in no list; a reservation is all or nothing, and what comes
 * back of it is in the pool again; no page is lost or doubled. Seed: PTAlloc.
 * Proof-args: --unwind 6 corevisor/core/pool.c
 * Proof-entry: proof_pool_take quick
 * Proof-entry: proof_pool_put quick
 * Proof-entry: proof_pool_reserve quick
 * Proof-entry: proof_pool_return quick
 */
#include "proof.h"

#include <cv/arch.h>
#include <cv/pool.h>

#define PAGES 4u /* their numbers are 1 .. PAGES */

static struct pool pool, into;
static u64 first_word[PAGES + 1];
static bool is_rest_zero[PAGES + 1]; /* all words but the first */
static const struct lock *held;
static u64 put_pfn; /* the page that is about to be put, 0: any */

void lock_init(struct lock *lock, enum lock_rank rank)
{
	claim(rank == LOCK_RANK_POOL, "a pool's");
	lock->rank = rank;
}

void lock_acquire(struct lock *lock)
{
	claim(held == NULL && (lock == &pool.lock || lock == &into.lock), "one pool at a time");
	held = lock;
}

void lock_release(struct lock *lock)
{
	claim(held == lock, "what is released is held");
	held = NULL;
}

void *arch_core_va(pa_t pa)
{
	u64 pfn = pa.v >> PAGE_SHIFT;

	claim(pfn >= 1 && pfn <= PAGES, "pages of the pool only");
	for (u32 i = 1; i < PAGES; i++) {
		if (pfn == i) {
			return &first_word[i];
		}
	}
	return &first_word[PAGES];
}

/* pool.c zeroes whole pages, and only before they are in a list. */
void *memset(void *at, int value, size_t bytes)
{
	claim(value == 0 && bytes == PAGE_SIZE && held == NULL, "a whole page");
	for (u32 i = 1; i <= PAGES; i++) {
		if (at == &first_word[i]) {
			claim(put_pfn == 0 || put_pfn == i, "the page that is put");
			first_word[i] = 0;
			is_rest_zero[i] = true;
		}
	}
	return at;
}

/* Which pages are in the list, bit by bit; ~0 if it is none. */
static u32 pages_of(const struct pool *of)
{
	u64 pfn = of->free.v;
	u32 found = 0;

	for (u32 i = 0; i < PAGES; i++) {
		if (i < of->free_count) {
			if (pfn < 1 || pfn > PAGES || (found >> pfn & 1) != 0 ||
			    !is_rest_zero[pfn]) {
				return ~0u;
			}
			found |= 1u << pfn;
			pfn = first_word[pfn];
		}
	}
	return of->free_count > PAGES || (of->free_count < PAGES && pfn != 0) || pfn != 0 ? ~0u
											  : found;
}

static u32 count_of(u32 pages)
{
	u32 count = 0;

	for (u32 i = 1; i <= PAGES; i++) {
		count += pages >> i & 1;
	}
	return count;
}

/* Returns the pages in it. */
static u32 any_pool(void)
{
	u32 pages;

	for (u32 i = 1; i <= PAGES; i++) {
		first_word[i] = nondet_u64();
		is_rest_zero[i] = nondet_bool();
	}
	pool.free.v = nondet_u64();
	pool.free_count = nondet_u32();
	pool.lock.rank = LOCK_RANK_POOL;
	pages = pages_of(&pool);
	assume(pages != ~0u && count_of(pages) == pool.free_count);
	return pages;
}

static bool is_zero(u64 pfn)
{
	bool is_all = false;

	for (u32 i = 1; i <= PAGES; i++) {
		is_all = is_all || (pfn == i && first_word[i] == 0 && is_rest_zero[i]);
	}
	return is_all;
}

void proof_pool_take(void)
{
	u32 pages = any_pool();
	u32 count = pool.free_count;
	pfn_t pfn;

	assume(count > 0);
	claim(pool_count(&pool) == count, "the count");
	pfn = pool_take(&pool);
	reach(count == 1, "the last");
	reach(count == PAGES, "one of many");
	claim((pages >> pfn.v & 1) == 1 && is_zero(pfn.v), "a zero page of the pool");
	claim(pages_of(&pool) == (pages & ~(1u << pfn.v)) && pool.free_count == count - 1,
	      "the others stay");
	claim(held == NULL, "no lock is left held");
}

void proof_pool_put(void)
{
	u32 pages = any_pool();
	u32 count = pool.free_count;

	put_pfn = 1 + any_below(PAGES);
	assume((pages >> put_pfn & 1) == 0);
	reach(count == PAGES - 1, "the last");
	pool_put(&pool, pfn_make(put_pfn));
	claim(pages_of(&pool) == (pages | 1u << put_pfn) && pool.free_count == count + 1,
	      "it is in, zeroed, and the others stay");
	claim(held == NULL, "no lock is left held");
}

void proof_pool_reserve(void)
{
	u32 pages = any_pool();
	u32 count = pool.free_count;
	u32 wanted = (u32)any_below(PAGES + 2);
	u32 floor = (u32)any_below(PAGES + 2);
	u64 first = pool.free.v;
	bool is_enough = pool_reserve(&pool, &into, wanted, floor);
	u32 left = pages_of(&pool);
	u32 taken = pages_of(&into);

	reach(is_enough && wanted == 3 && count == PAGES, "some");
	reach(is_enough && wanted == count && wanted > 0, "all");
	reach(is_enough && wanted == 0 && count < floor, "none, whatever there is");
	reach(!is_enough && wanted <= count && wanted > 0, "the floor");
	claim(is_enough == (wanted == 0 || count >= wanted + floor), "exactly if they are there");
	claim(left != ~0u && taken != ~0u && (left & taken) == 0 && (left | taken) == pages,
	      "no page is lost or doubled");
	claim(into.free_count == (is_enough ? wanted : 0) &&
		      pool.free_count == count - into.free_count,
	      "so many, or none");
	claim(is_enough || pool.free.v == first, "nothing taken");
	claim(held == NULL, "no lock is left held");
}

void proof_pool_return(void)
{
	u32 pages = any_pool();
	u32 count = pool.free_count;
	u32 wanted = (u32)any_below(3);

	assume(pool_reserve(&pool, &into, wanted, 0));
	if (wanted > 0 && nondet_bool()) {
		pages &= ~(1u << pool_take(&into).v);
		count--;
	}
	reach(into.free_count == 2, "two come back");
	reach(into.free_count == 0 && wanted == 1, "all were used");
	pool_return(&pool, &into);
	claim(pages_of(&pool) == pages && pool.free_count == count, "what was not used is back");
	claim(into.free_count == 0 && held == NULL, "the reservation is over");
}
