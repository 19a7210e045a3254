/* SPDX-License-Identifier: BSD-3-Clause */
/* The ledger and the pools. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <cv/pool.h>

#include "../../arch-fake/fake.h"

static u64 *entries;
static struct ledger_block *blocks;

static enum cv_status init(const struct ledger_region *regions, u32 count)
{
	free(entries);
	free(blocks);
	entries = NULL;
	blocks = NULL;
	if (count > 0 && count <= LEDGER_REGIONS_MAX) {
		/* To the byte: the address sanitiser sees every step outside. */
		entries = malloc(ledger_entries_bytes(regions, count));
		blocks = malloc(ledger_blocks_bytes(regions, count));
	}
	return ledger_init(regions, count, entries, blocks);
}

#define REGION(first_page, page_count)                                             \
	{                                                                          \
		.base = { (u64)(first_page) << PAGE_SHIFT }, .pages = (page_count) \
	}

static void test_refuses_bad_regions(void **state)
{
	static const struct ledger_region unsorted[] = { REGION(1024, 10), REGION(10, 10) };
	static const struct ledger_region overlapping[] = { REGION(10, 10), REGION(19, 10) };
	static const struct ledger_region empty[] = { REGION(10, 0) };
	static const struct ledger_region unaligned[] = { { .base = { 0x10001 }, .pages = 1 } };
	static const struct ledger_region beyond[] = { REGION(GFN_LIMIT - 1, 2) };
	static const struct ledger_region far_beyond[] = { REGION(GFN_LIMIT + 512, 2) };
	static const struct ledger_region last[] = { REGION(GFN_LIMIT - 1, 1) };
	struct ledger_region many[LEDGER_REGIONS_MAX + 1];

	(void)state;
	for (u32 i = 0; i < ARRAY_SIZE(many); i++) {
		many[i] = (struct ledger_region)REGION(10 * i, 1);
	}
	assert_int_equal(init(unsorted, 2), CV_E_INVALID);
	assert_int_equal(init(overlapping, 2), CV_E_INVALID);
	assert_int_equal(init(empty, 1), CV_E_INVALID);
	assert_int_equal(init(unaligned, 1), CV_E_INVALID);
	assert_int_equal(init(beyond, 1), CV_E_INVALID);
	assert_int_equal(init(far_beyond, 1), CV_E_INVALID);
	assert_int_equal(init(last, 0), CV_E_INVALID);
	assert_int_equal(init(many, ARRAY_SIZE(many)), CV_E_INVALID);
	assert_int_equal(init(last, 1), CV_OK);
	assert_true(ledger_is_ram(pfn_make(GFN_LIMIT - 1)));
	assert_false(ledger_is_ram(pfn_make(GFN_LIMIT)));
}

static void test_edges(void **state)
{
	static const struct ledger_region regions[] = { REGION(100, 50), REGION(150, 1),
							REGION(2000, 3) };
	static const u64 ram[] = { 100, 149, 150, 2000, 2002 };
	static const u64 other[] = {
		0, 99, 151, 1999, 2003, ~0ull, 1ull << 52, (1ull << 52) + 100
	};

	(void)state;
	assert_int_equal(init(regions, 3), CV_OK);
	assert_int_equal(ledger_ram_pages(), 54);
	for (u32 i = 0; i < ARRAY_SIZE(ram); i++) {
		assert_true(ledger_is_ram(pfn_make(ram[i])));
		assert_true(ledger_is(pfn_make(ram[i]), OWNER_HOST, PAGE_EXCLUSIVE));
	}
	for (u32 i = 0; i < ARRAY_SIZE(other); i++) {
		assert_false(ledger_is_ram(pfn_make(other[i])));
	}
}

/* Each entry is its own: write all, read all. */
static void test_entries_are_distinct(void **state)
{
	static const struct ledger_region regions[] = { REGION(0, 600), REGION(700, 500),
							REGION(5000, 1) };

	(void)state;
	assert_int_equal(init(regions, 3), CV_OK);
	assert_false(ledger_is_ram(pfn_make(0))); /* page 0 ends lists */
	for (u64 pfn = 0; pfn < 5001; pfn++) {
		if (ledger_is_ram(pfn_make(pfn))) {
			ledger_set(pfn_make(pfn),
				   (struct page){
					   .owner = pfn % 2 != 0 ? OWNER_VM_LAST : OWNER_VM_FIRST,
					   .state = pfn % 3 == 0 ? PAGE_SHARED : PAGE_EXCLUSIVE,
					   .gfn = GFN_LIMIT - 1 - pfn,
				   });
		}
	}
	for (u64 pfn = 0; pfn < 5001; pfn++) {
		if (ledger_is_ram(pfn_make(pfn))) {
			struct page page = ledger_get(pfn_make(pfn));

			assert_int_equal(page.gfn, GFN_LIMIT - 1 - pfn);
			assert_int_equal(page.owner, pfn % 2 != 0 ? OWNER_VM_LAST : OWNER_VM_FIRST);
			assert_int_equal(page.state == PAGE_SHARED, pfn % 3 == 0);
		}
	}
	assert_int_equal(ledger_count(RV_PAGES_HOST), 0);
	assert_int_equal(ledger_count(RV_PAGES_VM) + ledger_count(RV_PAGES_VM_SHARED),
			 ledger_ram_pages());
}

static void test_counts_and_blocks(void **state)
{
	static const struct ledger_region regions[] = { REGION(512, 1024), REGION(1600, 100) };
	pfn_t pfn = pfn_make(600);

	(void)state;
	assert_int_equal(init(regions, 2), CV_OK);
	assert_true(ledger_block_is_host(pfn));
	assert_false(ledger_block_is_host(pfn_make(1600))); /* not all of it is RAM */
	ledger_set(pfn, (struct page){ .owner = OWNER_HOST,
				       .state = PAGE_SHARED,
				       .count = LEDGER_COUNT_MAX });
	assert_true(ledger_block_is_host(pfn));
	assert_int_equal(ledger_get(pfn).count, LEDGER_COUNT_MAX);
	assert_int_equal(ledger_count(RV_PAGES_HOST_SHARED), 1);
	ledger_set(pfn, (struct page){ .owner = OWNER_CORE });
	assert_false(ledger_block_is_host(pfn));
	assert_true(ledger_block_is_host(pfn_make(1024)));
	assert_int_equal(ledger_count(RV_PAGES_CORE), 1);
	ledger_set(pfn, (struct page){ .owner = OWNER_HOST });
	assert_true(ledger_block_is_host(pfn));
	assert_int_equal(ledger_count(RV_PAGES_HOST), ledger_ram_pages());
}

static void check_block(u64 first, u32 owner, enum page_state state, u64 gfn)
{
	for (u64 i = 0; i < PAGES_PER_BLOCK; i++) {
		struct page page = ledger_get(pfn_make(first + i));

		assert_int_equal(page.owner, owner);
		assert_int_equal(page.state, state);
		assert_int_equal(page.count, 0);
		assert_int_equal(page.gfn, owner == OWNER_HOST ? 0 : gfn + i);
	}
}

/* One word for a block, also where two banks meet in it; the entries come back as soon as one
 * differs; there and back again from every state. */
static void test_whole_blocks(void **state)
{
	static const struct ledger_region regions[] = { REGION(512, 600), REGION(1112, 424) };
	const u64 first = 1024;
	const u64 gfn = GFN_LIMIT - PAGES_PER_BLOCK;
	struct page page = { .owner = OWNER_VM_LAST, .gfn = gfn };

	(void)state;
	assert_int_equal(init(regions, 2), CV_OK);
	assert_true(ledger_block_is_host_alone(pfn_make(first + 511)));
	ledger_set(pfn_make(first + 200),
		   (struct page){ .owner = OWNER_HOST, .state = PAGE_SHARED, .count = 1 });
	assert_false(ledger_block_is_host_alone(pfn_make(first)));
	assert_true(ledger_block_is_host(pfn_make(first)));
	ledger_set(pfn_make(first + 200), (struct page){ .owner = OWNER_HOST });
	assert_true(ledger_block_is_host_alone(pfn_make(first)));

	ledger_set_block(pfn_make(first), page);
	assert_true(ledger_block_is_whole(pfn_make(first + 300)));
	assert_false(ledger_block_is_whole(pfn_make(first - 1)));
	check_block(first, OWNER_VM_LAST, PAGE_EXCLUSIVE, gfn);
	assert_false(ledger_block_is_host(pfn_make(first)));
	assert_true(ledger_block_is_host_alone(pfn_make(first - 1)));
	assert_int_equal(ledger_count(RV_PAGES_VM), 512);
	assert_int_equal(ledger_count(RV_PAGES_HOST), 512);

	page.state = PAGE_SHARED;
	ledger_set_block(pfn_make(first), page);
	check_block(first, OWNER_VM_LAST, PAGE_SHARED, gfn);
	assert_int_equal(ledger_count(RV_PAGES_VM_SHARED), 512);
	assert_int_equal(ledger_count(RV_PAGES_VM), 0);

	/* All of them with a count, which each keeps until it differs. */
	page.count = LEDGER_COUNT_MAX;
	ledger_set_block(pfn_make(first), page);
	assert_int_equal(ledger_get(pfn_make(first + 511)).count, LEDGER_COUNT_MAX);
	assert_int_equal(ledger_count(RV_PAGES_VM_SHARED), 512);
	page.count = 0;
	ledger_set_block(pfn_make(first), page);

	/* The same again changes nothing, another state of one page concerns that page alone. */
	ledger_set(pfn_make(first + 511), ledger_get(pfn_make(first + 511)));
	assert_true(ledger_block_is_whole(pfn_make(first)));
	page = ledger_get(pfn_make(first + 511));
	assert_int_equal(page.gfn, GFN_LIMIT - 1);
	page.state = PAGE_EXCLUSIVE;
	ledger_set(pfn_make(first + 511), page);
	assert_false(ledger_block_is_whole(pfn_make(first)));
	assert_int_equal(ledger_count(RV_PAGES_VM_SHARED), 511);
	assert_int_equal(ledger_count(RV_PAGES_VM), 1);
	page.state = PAGE_SHARED;
	ledger_set(pfn_make(first + 511), page);
	check_block(first, OWNER_VM_LAST, PAGE_SHARED, gfn);

	for (u32 i = 0; i < 2; i++) { /* from entries, then from one word */
		ledger_set_block(pfn_make(first), (struct page){ .owner = OWNER_HOST });
		check_block(first, OWNER_HOST, PAGE_EXCLUSIVE, 0);
		assert_true(ledger_block_is_host_alone(pfn_make(first)));
		assert_int_equal(ledger_count(RV_PAGES_HOST), 1024);
		assert_int_equal(ledger_count(RV_PAGES_VM_SHARED), 0);
		ledger_set_block(pfn_make(first),
				 (struct page){ .owner = OWNER_VM_FIRST, .gfn = 0 });
		check_block(first, OWNER_VM_FIRST, PAGE_EXCLUSIVE, 0);
	}
}

/* Banks that meet inside a 2 MiB region share its lock; others do not. */
static void test_locks(void **state)
{
	static const struct ledger_region regions[] = { REGION(512, 100), REGION(700, 400),
							REGION(1100, 512) };

	(void)state;
	assert_int_equal(init(regions, 3), CV_OK);
	assert_ptr_equal(ledger_lock(pfn_make(512)), ledger_lock(pfn_make(611)));
	assert_ptr_equal(ledger_lock(pfn_make(611)), ledger_lock(pfn_make(700)));
	assert_ptr_not_equal(ledger_lock(pfn_make(700)), ledger_lock(pfn_make(1024)));
	assert_ptr_equal(ledger_lock(pfn_make(1024)), ledger_lock(pfn_make(1100)));
	assert_ptr_not_equal(ledger_lock(pfn_make(1100)), ledger_lock(pfn_make(1611)));
	assert_int_equal(ledger_lock(pfn_make(1611))->rank, LOCK_RANK_LEDGER);
	assert_int_equal(ledger_blocks_bytes(regions, 3), 3 * sizeof(struct ledger_block));
}

static void test_pool(void **state)
{
	struct pool local;
	struct pool *core = mem_core_pool();
	u32 count;

	(void)state;
	fake_boot(&fake_small_machine);
	count = pool_count(core);
	assert_false(pool_reserve(core, &local, count + 1, 0));
	assert_false(pool_reserve(core, &local, count, 1));
	assert_int_equal(pool_count(core), count);
	assert_true(pool_reserve(core, &local, 3, count - 3));
	assert_int_equal(pool_count(core), count - 3);
	assert_int_equal(pool_count(&local), 3);
	for (u32 i = 0; i < 3; i++) {
		pfn_t pfn = pool_take(&local);

		assert_true(fake_page_is_zero(pfn.v) || fake_page_token(pfn.v) == 0);
		fake_poke(pfn.v, 800, 1);
		pool_put(core, pfn);
	}
	assert_true(pool_reserve(core, &local, 0, count));
	assert_int_equal(pool_count(core), count);
	for (u32 i = 0; i < count; i++) {
		assert_int_equal(fake_page_token(pool_take(core).v), 0);
	}
	fake_halt();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_refuses_bad_regions),
		cmocka_unit_test(test_edges),
		cmocka_unit_test(test_entries_are_distinct),
		cmocka_unit_test(test_counts_and_blocks),
		cmocka_unit_test(test_whole_blocks),
		cmocka_unit_test(test_locks),
		cmocka_unit_test(test_pool),
	};
	int failed = cmocka_run_group_tests_name("ledger", tests, NULL, NULL);

	free(entries);
	free(blocks);
	return failed;
}
