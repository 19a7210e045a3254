/* SPDX-License-Identifier: BSD-3-Clause */
/* Pools of zeroed pages, linked through their first words. A page in a pool is the corevisor's and
 * mapped at EL2. */
#include <cv/pool.h>

#include <string.h>

#include <cv/arch.h>
#include <cv/check.h>

static u64 *link_of(pfn_t pfn)
{
	return arch_core_va(pfn_pa(pfn));
}

void pool_init(struct pool *pool)
{
	lock_init(&pool->lock, LOCK_RANK_POOL);
	pool->free = pfn_make(0);
	pool->free_count = 0;
}

void pool_put(struct pool *pool, pfn_t pfn)
{
	u64 *link = link_of(pfn);

	memset(link, 0, PAGE_SIZE);
	lock_acquire(&pool->lock);
	*link = pool->free.v;
	pool->free = pfn;
	pool->free_count++;
	lock_release(&pool->lock);
}

pfn_t pool_take(struct pool *pool)
{
	pfn_t pfn;
	u64 *link;

	lock_acquire(&pool->lock);
	CV_CHECK(pool->free_count > 0);
	pfn = pool->free;
	link = link_of(pfn);
	pool->free = pfn_make(*link);
	pool->free_count--;
	lock_release(&pool->lock);
	*link = 0;
	return pfn;
}

bool pool_reserve(struct pool *pool, struct pool *into, u32 count, u32 floor)
{
	pfn_t first;
	pfn_t last;
	bool enough;

	pool_init(into);
	if (count == 0) {
		return true; /* who needs no table shares no lock with others, nor their shortage */
	}
	lock_acquire(&pool->lock);
	/* count is a few tables, so the sum does not wrap. */
	enough = pool->free_count >= count + floor;
	if (enough) {
		first = pool->free;
		last = first;
		for (u32 i = 1; i < count; i++) {
			last = pfn_make(*link_of(last));
		}
		pool->free = pfn_make(*link_of(last));
		pool->free_count -= count;
		*link_of(last) = 0;
		into->free = first;
		into->free_count = count;
	}
	lock_release(&pool->lock);
	return enough;
}

void pool_return(struct pool *pool, struct pool *from)
{
	while (from->free_count > 0) {
		pool_put(pool, pool_take(from));
	}
}

u32 pool_count(struct pool *pool)
{
	u32 count;

	lock_acquire(&pool->lock);
	count = pool->free_count;
	lock_release(&pool->lock);
	return count;
}
