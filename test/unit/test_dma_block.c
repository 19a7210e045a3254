/* SPDX-License-Identifier: BSD-3-Clause */
/* Blocks of 2 MiB in DMA contexts: when there is one and what it costs, that counts stay exact
 * whatever becomes of the VM's own block, and what taking a part of one needs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <cv/pool.h>

#include "mem_dma.h"

#define BLOCK(n) PAGE((n)*PAGES_PER_BLOCK) /* block 0 has records and tables */
#define GFN 512ull
#define SECRET 0x5ec2e75ec2e7ull

static u64 vm;

static int set_up(void **state)
{
	(void)state;
	fake_boot(&fake_small_machine);
	vm = make_vm(RV_VM_PROTECTED, PAGE(0), 6);
	return 0;
}

static void give(u64 handle, u64 gfn, u64 pfn, u64 pages)
{
	u64 done = 0;

	assert_int_equal(mem_map(handle, gfn, pfn, pages, &done), CV_OK);
	assert_int_equal(done, pages);
}

static void map(u32 context, u64 iova, u64 pfn, u64 pages, u64 expected)
{
	u64 done = 0;

	assert_int_equal(dma_map(context, iova, pfn, pages, &done), CV_OK);
	assert_int_equal(done, expected);
}

static void unmap(u32 context, u64 iova, u64 pages, u64 expected)
{
	u64 next = 0;

	assert_int_equal(dma_unmap(context, iova, pages, &next), CV_OK);
	assert_int_equal(next, expected);
}

static u32 tables(u32 context)
{
	return pool_count((struct pool *)&dma_context(context)->tables);
}

static bool is_leaf(u32 context, u64 iova, u32 level)
{
	struct s2_leaf leaf = s2_walk(&dma_context(context)->s2, gfn_make(iova));

	return leaf.is_mapped && leaf.level == level && leaf.attr == S2_NORMAL_RWX;
}

/* Every page of the block says so. */
static void check_pages(u64 first, u32 owner, enum page_state page_state, u32 count, u64 gfn)
{
	for (u64 i = 0; i < PAGES_PER_BLOCK; i++) {
		struct page page = ledger_get(pfn_make(first + i));

		assert_int_equal(page.owner, owner);
		assert_int_equal(page.state, page_state);
		assert_int_equal(page.count, count);
		assert_int_equal(page.gfn, owner == OWNER_HOST ? 0 : gfn + i);
	}
}

static void guest_wishes(u64 first, u64 pages, enum s2_wish wish) CV_NO_LOCK_ANALYSIS
{
	struct vm *record = vm_lock(vm);
	gfn_t gfn = { first };

	assert_int_equal(mem_vm_set_wish(record, &gfn, gfn_make(first + pages), wish, false),
			 CV_OK);
	assert_int_equal(gfn.v, first + pages);
	vm_unlock(record);
}

/* One leaf, one word, one table: not 512 of anything; and one invalidate when it goes. */
static void test_block_of_a_vm(void **state)
{
	struct fake_counts before;

	(void)state;
	give(vm, GFN, BLOCK(1), 512);
	make_context(0, vm, 3);
	before = fake_counts;
	map(0, GFN, BLOCK(1), 512, 512);
	assert_true(is_leaf(0, GFN, 2) && is_leaf(0, GFN + 511, 2));
	assert_int_equal(tables(0), 2);
	assert_true(ledger_block_is_whole(pfn_make(BLOCK(1))));
	check_pages(BLOCK(1), vm & 0xff, PAGE_EXCLUSIVE, 1, GFN);
	assert_int_equal(dma_context(0)->pages, 512);
	assert_int_equal(fake_counts.tlb_dma, before.tlb_dma);
	assert_true(fake_dma_write(0, (GFN + 300) << PAGE_SHIFT, SECRET));
	assert_int_equal(fake_peek(BLOCK(1) + 300, 0), SECRET);
	assert_true(device_reaches(0, GFN) && device_reaches(0, GFN + 511));
	assert_false(device_reaches(0, GFN - 1) || device_reaches(0, GFN + 512));
	fake_watch(S2_VMID_DMA, (GFN + 77) << PAGE_SHIFT);
	fake_check_tlbs();
	before = fake_counts;
	unmap(0, GFN, 512, GFN + 512);
	assert_int_equal(fake_counts.tlb_dma, before.tlb_dma + 1);
	assert_int_equal(fake_counts.tlb_ipa, before.tlb_ipa);
	assert_int_equal(fake_counts.pte_writes, before.pte_writes + 1);
	assert_false(device_reaches(0, GFN + 300));
	assert_true(ledger_block_is_whole(pfn_make(BLOCK(1))));
	check_pages(BLOCK(1), vm & 0xff, PAGE_EXCLUSIVE, 0, GFN);
	assert_int_equal(dma_context(0)->pages, 0);
	map(0, GFN, BLOCK(1), 512, 512); /* and again, in the same place */
	assert_int_equal(tables(0), 2);
	unmap(0, 0, GFN_LIMIT, GFN + 512);
	free_context(0);
}

/* The host's are pinned, each page as often as contexts map it. */
static void test_block_of_the_host(void **state)
{
	(void)state;
	make_context(0, 0, 1);
	make_context(1, 0, 2);
	map(0, BLOCK(1), BLOCK(1), 700, 512);
	assert_true(is_leaf(0, BLOCK(1), 2));
	assert_int_equal(tables(0), 0);
	check_pages(BLOCK(1), OWNER_HOST, PAGE_SHARED, 1, 0);
	assert_int_equal(ledger_count(RV_PAGES_HOST_SHARED), 512);
	map(1, BLOCK(1), BLOCK(1), 512, 512);
	check_pages(BLOCK(1), OWNER_HOST, PAGE_SHARED, 2, 0);
	assert_int_equal(mem_host_donate_core(BLOCK(1) + 9), CV_E_STATE);
	unmap(0, BLOCK(1), 512, BLOCK(2));
	check_pages(BLOCK(1), OWNER_HOST, PAGE_SHARED, 1, 0);
	assert_true(device_reaches(1, BLOCK(1) + 9) && !device_reaches(0, BLOCK(1) + 9));
	unmap(1, BLOCK(1), 512, BLOCK(2));
	assert_true(ledger_block_is_host_alone(pfn_make(BLOCK(1))));
	give(vm, GFN, BLOCK(1), 512);
	assert_true(ledger_block_is_whole(pfn_make(BLOCK(1))));
}

/* What an open VM maps page by page may be one leaf for its device; its pins stay on their own. */
static void test_block_of_an_open_vm(void **state)
{
	u64 open = make_vm(0, PAGE(20), 4);
	u64 next;

	(void)state;
	make_context(0, open, 1);
	give(open, GFN, BLOCK(1), 512);
	map(0, GFN, BLOCK(1), 512, 512);
	assert_true(is_leaf(0, GFN, 2));
	check_pages(BLOCK(1), OWNER_HOST, PAGE_SHARED, 2, 0);
	assert_int_equal(mem_reclaim(open, GFN, 512, &next), CV_OK);
	check_pages(BLOCK(1), OWNER_HOST, PAGE_SHARED, 1, 0);
	assert_true(device_reaches(0, GFN));
	unmap(0, GFN, 512, GFN + 512);
	check_pages(BLOCK(1), OWNER_HOST, PAGE_EXCLUSIVE, 0, 0);
}

/* Too few pages, numbers that do not fit, a leaf or a table in the way, no table for a block: page
 * by page. */
static void test_page_by_page(void **state)
{
	u64 done = 77;

	(void)state;
	make_context(0, 0, 6);
	map(0, BLOCK(1), BLOCK(1), 511, 511);
	assert_true(is_leaf(0, BLOCK(1), 3));
	map(0, BLOCK(1) + 511, BLOCK(1) + 511, 1, 1);
	assert_int_equal(tables(0), 4);
	unmap(0, BLOCK(1), 512, BLOCK(2));
	/* Its table stays, and so no block can be there again; a batch is one all the same. */
	map(0, BLOCK(1), BLOCK(1), 600, 512);
	assert_true(is_leaf(0, BLOCK(1), 3));
	assert_int_equal(tables(0), 4);
	/* What is mapped is refused. */
	map(0, BLOCK(2), BLOCK(2), 512, 512);
	assert_int_equal(tables(0), 4);
	assert_int_equal(dma_map(0, BLOCK(2), BLOCK(2), 512, &done), CV_E_BUSY);
	assert_int_equal(dma_map(0, BLOCK(2) + 9, BLOCK(2) + 9, 1, &done), CV_E_BUSY);
	assert_int_equal(dma_map(0, BLOCK(3), BLOCK(3) + 1, 512, &done), CV_E_STATE);
	make_context(1, 0, 0);
	assert_int_equal(dma_map(1, BLOCK(2), BLOCK(2), 512, &done), CV_E_NOMEM);
	assert_int_equal(dma_topup(1, PAGE(CONTEXTS + 8 + 2)), CV_OK);
	map(1, BLOCK(2), BLOCK(2), 512, 512);
	assert_int_equal(tables(1), 0);
	assert_int_equal(done, 77);
	/* A device cannot have the VM's block at a gfn that only looks like one. */
	make_context(2, vm, 4);
	give(vm, GFN + 1, BLOCK(4) + 1, 511);
	give(vm, GFN + 512, BLOCK(5), 1);
	assert_int_equal(dma_map(2, GFN, BLOCK(4), 512, &done), CV_E_STATE);
	map(2, GFN + 1, BLOCK(4) + 1, 511, 511);
	assert_true(is_leaf(2, GFN + 1, 3));
}

/* The VM's pages lie crooked: one of the two numbers is aligned. */
static void test_crooked(void **state)
{
	(void)state;
	give(vm, GFN + 1, BLOCK(4), 512);
	give(vm, GFN + 1024, BLOCK(5) + 1, 512);
	make_context(0, vm, 5);
	map(0, GFN + 1, BLOCK(4), 512, 512);
	map(0, GFN + 1024, BLOCK(5) + 1, 512, 512);
	assert_true(is_leaf(0, GFN + 1, 3) && is_leaf(0, GFN + 1024, 3));
}

/* One page that may not go: the run ends before it, as if there were no blocks. */
static void test_one_page_will_not(void **state)
{
	u64 last = 0x43400, left = 0x43005; /* the second bank's whole block ends, and its begin */
	u64 open = make_vm(0, PAGE(20), 12);
	u64 index;

	(void)state;
	make_context(0, 0, 6);
	assert_int_equal(mem_host_donate_core(BLOCK(1) + 511), CV_OK);
	map(0, BLOCK(1), BLOCK(1), 512, 511);
	for (u64 i = 0; i < LEDGER_COUNT_MAX; i++) {
		give(open, i, BLOCK(2) + 511, 1);
	}
	map(0, BLOCK(2), BLOCK(2), 512, 511);
	map(0, last, last, 512, 8); /* RAM ends */
	map(0, left, left, 0x43400 - left, 0x43200 - left);
	map(0, 0x43200, 0x43200, 512, 512);
	assert_true(is_leaf(0, 0x43200, 2));
	/* of an image */
	make_context(1, vm, 3);
	give(vm, GFN, BLOCK(3), 511);
	assert_int_equal(image_add(vm, (GFN + 511) << PAGE_SHIFT, 1, &index), CV_OK);
	assert_int_equal(image_map(vm, index, BLOCK(3) + 511, 1, &index), CV_OK);
	map(1, GFN, BLOCK(3), 512, 511);
	assert_int_equal(ledger_get(pfn_make(BLOCK(3) + 511)).count, 0);
}

/* A batch ends where a block may begin, so that it can be one. */
static void test_batch_before_a_block(void **state)
{
	u64 next = 77;

	(void)state;
	make_context(0, 0, 3);
	map(0, BLOCK(1) - 2, BLOCK(1) - 2, 600, 2);
	map(0, BLOCK(1), BLOCK(1), 598, 512);
	assert_true(is_leaf(0, BLOCK(1), 2));
	map(0, BLOCK(2), BLOCK(2), 86, 86);
	assert_int_equal(dma_context(0)->pages, 600);
	/* What a batch has no room for waits for the next. */
	unmap(0, BLOCK(1) - 2, 600, BLOCK(1));
	unmap(0, BLOCK(1), 598, BLOCK(2));
	assert_int_equal(dma_unmap(0, BLOCK(2), 86, &next), CV_OK);
	assert_int_equal(dma_context(0)->pages, 0);
	free_context(0);
}

/* The guest shares a page of the block, then all of it: each page keeps its count, and loses it
 * with the block. */
static void test_guest_shares_a_page(void **state)
{
	struct page page;

	(void)state;
	give(vm, GFN, BLOCK(1), 512);
	make_context(0, vm, 1);
	map(0, GFN, BLOCK(1), 512, 512);
	guest_wishes(GFN + 9, 1, S2_WISH_SHARED);
	assert_false(ledger_block_is_whole(pfn_make(BLOCK(1))));
	page = ledger_get(pfn_make(BLOCK(1) + 9));
	assert_true(page.count == 1 && page.state == PAGE_SHARED);
	page = ledger_get(pfn_make(BLOCK(1) + 10));
	assert_true(page.count == 1 && page.state == PAGE_EXCLUSIVE);
	assert_true(is_leaf(0, GFN + 9, 2) && device_reaches(0, GFN + 9));
	unmap(0, GFN, 512, GFN + 512);
	assert_false(device_reaches(0, GFN + 9));
	page = ledger_get(pfn_make(BLOCK(1) + 9));
	assert_true(page.count == 0 && page.state == PAGE_SHARED);
	guest_wishes(GFN + 9, 1, S2_WISH_PRIVATE);
	check_pages(BLOCK(1), vm & 0xff, PAGE_EXCLUSIVE, 0, GFN);
	/* Pages of the VM, and still one leaf for the device. */
	map(0, GFN, BLOCK(1), 512, 512);
	assert_true(is_leaf(0, GFN, 2));
	check_pages(BLOCK(1), vm & 0xff, PAGE_EXCLUSIVE, 1, GFN);

	give(vm, GFN + 512, BLOCK(2), 512);
	map(0, GFN + 512, BLOCK(2), 512, 512);
	guest_wishes(GFN + 512, 512, S2_WISH_SHARED);
	assert_true(ledger_block_is_whole(pfn_make(BLOCK(2))));
	check_pages(BLOCK(2), vm & 0xff, PAGE_SHARED, 1, GFN + 512);
}

/* Part of a block becomes pages first: without a table for them nothing happens. */
static void test_unmap_a_part(void **state)
{
	struct fake_counts before;
	u64 next = 77;

	(void)state;
	make_context(0, 0, 2);
	map(0, BLOCK(1) - 1, BLOCK(1) - 1, 1, 1);
	map(0, BLOCK(1), BLOCK(1), 512, 512);
	before = fake_counts;
	assert_int_equal(dma_unmap(0, BLOCK(1) + 5, 1, &next), CV_E_NOMEM);
	assert_int_equal(dma_unmap(0, BLOCK(1), 511, &next), CV_E_NOMEM);
	assert_int_equal(dma_unmap(0, BLOCK(1) + 1, 511, &next), CV_E_NOMEM);
	assert_int_equal(next, 77);
	assert_int_equal(fake_counts.pte_writes, before.pte_writes);
	assert_true(is_leaf(0, BLOCK(1), 2));
	check_pages(BLOCK(1), OWNER_HOST, PAGE_SHARED, 1, 0);
	unmap(0, BLOCK(1) - 1, 3, BLOCK(1)); /* so far it goes */
	assert_int_equal(dma_context(0)->pages, 512);

	assert_int_equal(dma_topup(0, PAGE(400)), CV_OK);
	fake_watch(S2_VMID_DMA, (BLOCK(1) + 5) << PAGE_SHIFT);
	assert_true(device_reaches(0, BLOCK(1) + 5) && device_reaches(0, BLOCK(1) + 6));
	before = fake_counts;
	unmap(0, BLOCK(1) + 5, 1, BLOCK(1) + 6);
	assert_int_equal(fake_counts.tlb_dma, before.tlb_dma + 2); /* the block's, the page's */
	assert_int_equal(tables(0), 0);
	assert_int_equal(dma_context(0)->pages, 511);
	assert_false(device_reaches(0, BLOCK(1) + 5));
	assert_true(device_reaches(0, BLOCK(1) + 4) && device_reaches(0, BLOCK(1) + 6));
	assert_int_equal(ledger_get(pfn_make(BLOCK(1) + 5)).count, 0);
	assert_int_equal(ledger_get(pfn_make(BLOCK(1) + 6)).count, 1);
	assert_int_equal(mem_host_donate_core(BLOCK(1) + 5), CV_OK);
	unmap(0, BLOCK(1), 512, BLOCK(2));
	assert_int_equal(dma_context(0)->pages, 0);
	assert_int_equal(ledger_count(RV_PAGES_HOST_SHARED), 0);
	free_context(0);
}

/* A block in two contexts of a VM that dies: what counts its pages keeps all of it. */
static void test_end(void **state)
{
	u64 next, left;

	(void)state;
	give(vm, GFN, BLOCK(1), 512);
	make_context(0, vm, 2);
	make_context(1, vm, 2);
	map(0, GFN, BLOCK(1), 512, 512);
	map(1, GFN + 5, BLOCK(1) + 5, 1, 1);
	assert_false(ledger_block_is_whole(pfn_make(BLOCK(1))));
	assert_int_equal(ledger_get(pfn_make(BLOCK(1) + 5)).count, 2);
	assert_int_equal(vm_kill(vm), CV_OK);
	unmap(1, GFN, 512, GFN + 512);
	check_pages(BLOCK(1), vm & 0xff, PAGE_EXCLUSIVE, 1, GFN);
	assert_int_equal(mem_reclaim(vm, 0, 4096, &next), CV_E_BUSY);
	assert_int_equal(dma_free(0, &left), CV_E_BUSY);
	unmap(0, GFN, 512, GFN + 512);
	free_context(0);
	free_context(1);
	end_vm(vm);
	assert_true(ledger_block_is_host_alone(pfn_make(BLOCK(1))));
}

/* A block that leaves DMA and goes to a VM: the device, writing all the time, leaves no trace. */
static void test_device_writes_on(void **state)
{
	(void)state;
	make_context(0, 0, 2);
	map(0, BLOCK(1), BLOCK(1), 512, 512);
	assert_true(fake_dma_write(0, (BLOCK(1) + 8) << PAGE_SHIFT, SECRET));
	fake_hostile_writer(FAKE_SMMU, S2_VMID_DMA, (BLOCK(1) + 8) << PAGE_SHIFT, SECRET);
	unmap(0, BLOCK(1), 512, BLOCK(2));
	give(vm, GFN, BLOCK(1), 512);
	fake_calm();
	assert_true(fake_page_is_zero(BLOCK(1) + 8));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_block_of_a_vm),
		TEST(test_block_of_the_host),
		TEST(test_block_of_an_open_vm),
		TEST(test_page_by_page),
		TEST(test_crooked),
		TEST(test_one_page_will_not),
		TEST(test_batch_before_a_block),
		TEST(test_guest_shares_a_page),
		TEST(test_unmap_a_part),
		TEST(test_end),
		TEST(test_device_writes_on),
	};

	return cmocka_run_group_tests_name("dma_block", tests, NULL, NULL);
}
