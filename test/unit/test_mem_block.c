/* SPDX-License-Identifier: BSD-3-Clause */
/* Blocks of 2 MiB: what a donation costs and locks, what is left when one gets smaller, the first
 * block of a GiB. Statuses and states are the matrix's part. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <cv/host_map.h>
#include <cv/lock.h>
#include <cv/pool.h>

#include "mem_fixture.h"

#define BLOCK(n) PAGE((n)*PAGES_PER_BLOCK) /* block 0 has the VMs' records and tables */
#define SECRET 0x5ec2e7ull

static void map(u64 handle, u64 gfn, u64 pfn, u64 pages, u64 expected)
{
	u64 done = 0;

	assert_int_equal(mem_map(handle, gfn, pfn, pages, &done), CV_OK);
	assert_int_equal(done, expected);
}

static enum cv_status wish(u64 handle, u64 first, u64 end, enum s2_wish to,
			   u64 *reached) CV_NO_LOCK_ANALYSIS
{
	struct vm *vm = vm_lock(handle);
	gfn_t gfn = gfn_make(first);
	enum cv_status status = mem_vm_set_wish(vm, &gfn, gfn_make(end), to, false);

	*reached = gfn.v;
	vm_unlock(vm);
	return status;
}

static bool vm_has_tables(u64 handle, u64 gfn) CV_NO_LOCK_ANALYSIS
{
	struct vm *vm = vm_lock(handle);
	bool has = mem_vm_has_tables(vm, gfn_make(gfn), 3);

	vm_unlock(vm);
	return has;
}

static u32 vm_tables(u64 handle) CV_NO_LOCK_ANALYSIS
{
	struct vm *vm = vm_lock(handle);
	u32 count = pool_count(&vm->tables);

	vm_unlock(vm);
	return count;
}

static u32 host_level(u64 pfn)
{
	return s2_walk(mem_host_s2(), gfn_make(pfn)).level;
}

static bool host_reads(u64 pfn)
{
	u64 value;

	return fake_host_read(0, pfn << PAGE_SHIFT, &value);
}

static u64 make_protected(void)
{
	fake_boot(&fake_small_machine);
	return make_vm(RV_VM_PROTECTED, PAGE(0), 3);
}

/* One entry, one invalidate, one table at most: not 512 of anything but of scrubs. */
static void test_donation_and_return(void **state)
{
	u64 vm = make_protected();
	u32 core_free = pool_count(mem_core_pool());
	struct fake_counts before;
	u64 next;
	u64 value;

	(void)state;
	assert_true(fake_host_write(1, (BLOCK(1) + 300) << PAGE_SHIFT, SECRET));
	fake_watch(OWNER_HOST, (BLOCK(1) + 511) << PAGE_SHIFT);
	fake_check_tlbs();
	before = fake_counts;
	map(vm, 512, BLOCK(1), 512, 512);
	assert_int_equal(fake_counts.scrubs - before.scrubs, 512);
	assert_int_equal(fake_counts.tlb_ipa - before.tlb_ipa, 1);
	assert_int_equal(fake_counts.tlb_vmid, before.tlb_vmid);
	assert_int_equal(fake_counts.icache - before.icache, 1);
	assert_int_equal(vm_tables(vm), 2); /* the level-2 table */
	assert_int_equal(pool_count(mem_core_pool()), core_free);
	assert_int_equal(ledger_count(RV_PAGES_VM), 512);
	fake_check_tlbs();
	for (u64 i = 0; i < 512; i++) {
		struct page page = ledger_get(pfn_make(BLOCK(1) + i));

		assert_int_equal(page.owner, vm & 0xff);
		assert_int_equal(page.gfn, 512 + i);
		assert_false(host_reads(BLOCK(1) + i));
	}
	assert_true(fake_read(2, vm & 0xff, (512 + 300) << PAGE_SHIFT, &value, FAKE_CACHED));
	assert_int_equal(value, 0);
	assert_true(fake_write(2, vm & 0xff, (512 + 300) << PAGE_SHIFT, SECRET, FAKE_CACHED));
	assert_int_equal(fake_peek(BLOCK(1) + 300, 0), SECRET);
	assert_true(host_reads(BLOCK(1) - 1) && host_reads(BLOCK(2)));

	assert_int_equal(vm_kill(vm), CV_OK);
	before = fake_counts;
	assert_int_equal(mem_reclaim(vm, 0, 4096, &next), CV_OK);
	assert_int_equal(fake_counts.scrubs - before.scrubs, 512);
	assert_int_equal(fake_counts.tlb_ipa - before.tlb_ipa, 1); /* the VM's; the host had none */
	assert_int_equal(fake_counts.icache - before.icache, 1);
	assert_int_equal(ledger_count(RV_PAGES_VM), 0);
	assert_int_equal(pool_count(mem_core_pool()), core_free);
	assert_int_equal(host_level(BLOCK(1)), 2);
	for (u64 i = 0; i < 512; i++) {
		assert_true(ledger_is(pfn_make(BLOCK(1) + i), OWNER_HOST, PAGE_EXCLUSIVE));
		assert_true(fake_host_read(3, (BLOCK(1) + i) << PAGE_SHIFT, &value));
		assert_int_equal(value, 0);
	}
	assert_true(ledger_block_is_host_alone(pfn_make(BLOCK(1))));
	fake_check_tlbs();
	fake_halt();
}

/* The VM's RAM ends inside what would be the block: page by page, and no further. */
static void test_edge_of_ram(void **state)
{
	u64 vm = make_protected();

	(void)state;
	assert_int_equal(vm_add_ram(vm, 8192, 300), CV_OK);
	map(vm, 8192, BLOCK(1), 512, 300);
	assert_false(ledger_block_is_whole(pfn_make(BLOCK(1))));
	assert_true(host_reads(BLOCK(1) + 300));
	assert_int_equal(vm_kill(vm), CV_OK);
	assert_int_equal(mem_reclaim(vm, 8192, 300, &(u64){ 0 }), CV_OK);
	end_vm(vm);
	fake_halt();
}

/* What the guest has declared shared, be it 2 MiB at once, arrives page by page. */
static void test_declared(void **state)
{
	u64 vm = make_protected();
	u64 reached;

	(void)state;
	assert_int_equal(wish(vm, 512, 1024, S2_WISH_SHARED, &reached), CV_OK);
	map(vm, 512, BLOCK(1), 512, 512);
	assert_int_equal(ledger_count(RV_PAGES_VM_SHARED), 512);
	assert_int_equal(host_level(BLOCK(1)), 3);
	assert_true(host_reads(BLOCK(1) + 5));
	fake_check_tlbs();
	end_vm(vm);
	fake_halt();
}

/* A page that the host has lent stays out: what is before it comes page by page. */
static void test_lent_page(void **state)
{
	u64 vm = make_protected();

	(void)state;
	assert_int_equal(mem_host_pin(BLOCK(1) + 9), CV_OK);
	map(vm, 512, BLOCK(1), 512, 9);
	mem_host_unpin(pfn_make(BLOCK(1) + 9));
	end_vm(vm);
	fake_halt();
}

/* A block that is no RAM, or whose gfns the VM does not have: one refusal. */
static void test_no_ram(void **state)
{
	u64 vm = make_protected();
	u64 done;

	(void)state;
	assert_int_equal(mem_map(vm, 512, 0x80000000 >> PAGE_SHIFT, 512, &done), CV_E_RANGE);
	assert_int_equal(mem_map(vm, 8192, BLOCK(1), 512, &done), CV_E_RANGE);
	assert_int_equal(vm_kill(vm), CV_OK);
	assert_int_equal(mem_map(vm, 512, BLOCK(1), 512, &done), CV_E_STATE);
	assert_true(host_reads(BLOCK(1)));
	end_vm(vm);
	fake_halt();
}

/* EL2 finds a page inside a block. */
static void test_write_inside(void **state) CV_NO_LOCK_ANALYSIS
{
	u64 handle = make_protected();
	u64 word = SECRET;
	struct vm *vm;

	(void)state;
	map(handle, 0, BLOCK(1), 512, 512);
	vm = vm_lock(handle);
	assert_int_equal(mem_vm_write(vm, ipa_make(77 * PAGE_SIZE + 8), &word, sizeof(word)),
			 CV_OK);
	vm_unlock(vm);
	assert_int_equal(fake_peek(BLOCK(1) + 77, 8), SECRET);
	assert_int_equal(fake_peek(BLOCK(1), 8), 0);
	end_vm(handle);
	fake_halt();
}

/* A page of the block becomes shared: both sides get a leaf table, and each page goes its own way
 * from then on, home too. */
static void test_part_is_shared(void **state)
{
	u64 vm = make_protected();
	u32 core_free = pool_count(mem_core_pool());
	u64 reached;
	u64 value;

	(void)state;
	map(vm, 512, BLOCK(1), 512, 512);
	assert_true(fake_write(2, vm & 0xff, (512 + 6) << PAGE_SHIFT, SECRET, FAKE_CACHED));
	assert_true(fake_write(2, vm & 0xff, (512 + 7) << PAGE_SHIFT, SECRET, FAKE_CACHED));
	for (u64 i = 6; i < 9; i++) {
		fake_watch(vm & 0xff, (512 + i) << PAGE_SHIFT);
		fake_watch(OWNER_HOST, (BLOCK(1) + i) << PAGE_SHIFT);
	}
	fake_check_tlbs();
	assert_int_equal(wish(vm, 512 + 7, 512 + 8, S2_WISH_SHARED, &reached), CV_OK);
	assert_int_equal(vm_tables(vm), 1);
	assert_int_equal(pool_count(mem_core_pool()), core_free - 1);
	assert_int_equal(ledger_count(RV_PAGES_VM), 511);
	assert_int_equal(ledger_count(RV_PAGES_VM_SHARED), 1);
	assert_false(ledger_block_is_whole(pfn_make(BLOCK(1))));
	assert_true(fake_host_read(0, (BLOCK(1) + 7) << PAGE_SHIFT, &value) && value == 0);
	assert_false(host_reads(BLOCK(1) + 6) || host_reads(BLOCK(1) + 8));
	assert_true(fake_read(1, vm & 0xff, (512 + 6) << PAGE_SHIFT, &value, FAKE_CACHED));
	assert_int_equal(value, SECRET);
	fake_check_tlbs();
	end_vm(vm);
	assert_int_equal(pool_count(mem_core_pool()), core_free + 1); /* and the VM's block */
	assert_int_equal(host_level(BLOCK(1)), 2);
	assert_int_equal(fake_peek(BLOCK(1) + 6, 0), 0);
	fake_check_tlbs();
	fake_halt();
}

/* The first call that lacks a table names whose; nothing changed; with it the same call succeeds.
 */
static void test_part_needs_tables(void **state)
{
	struct pool drained;
	u64 reached;
	u64 vm;

	(void)state;
	fake_boot(&fake_small_machine);
	vm = make_vm(RV_VM_PROTECTED, PAGE(0), 1);
	map(vm, 512, BLOCK(1), 512, 512);
	assert_true(pool_reserve(mem_core_pool(), &drained,
				 pool_count(mem_core_pool()) - CORE_POOL_FLOOR, 0));
	assert_int_equal(wish(vm, 512 + 7, 512 + 8, S2_WISH_SHARED, &reached), CV_E_NOMEM);
	assert_false(vm_has_tables(vm, 512 + 7));
	assert_int_equal(vm_topup(vm, PAGE(8)), CV_OK);
	assert_int_equal(wish(vm, 512 + 7, 512 + 8, S2_WISH_SHARED, &reached), CV_E_NOMEM);
	assert_true(vm_has_tables(vm, 512 + 7));
	assert_int_equal(vm_tables(vm), 1);
	assert_true(ledger_block_is_whole(pfn_make(BLOCK(1))));
	assert_int_equal(host_level(BLOCK(1)), 2);
	assert_false(host_reads(BLOCK(1) + 7));
	assert_int_equal(mem_pool_topup(PAGE(9)), CV_OK);
	assert_int_equal(wish(vm, 512 + 7, 512 + 8, S2_WISH_SHARED, &reached), CV_OK);
	assert_true(host_reads(BLOCK(1) + 7));
	pool_return(mem_core_pool(), &drained);
	end_vm(vm);
	fake_halt();
}

/* All of it changes in one step, without a table, and at most one block a call. */
static void test_whole_is_shared(void **state)
{
	u64 vm = make_protected();
	u32 core_free = pool_count(mem_core_pool());
	struct fake_counts before;
	u64 reached;

	(void)state;
	map(vm, 512, BLOCK(1), 512, 512);
	map(vm, 1024, BLOCK(2), 512, 512);
	before = fake_counts;
	assert_int_equal(wish(vm, 512, 1536, S2_WISH_SHARED, &reached), CV_OK);
	assert_int_equal(reached, 1024);
	assert_int_equal(fake_counts.scrubs - before.scrubs, 512);
	assert_int_equal(ledger_count(RV_PAGES_VM_SHARED), 512);
	assert_true(ledger_block_is_whole(pfn_make(BLOCK(1))));
	assert_true(host_reads(BLOCK(1)) && host_reads(BLOCK(1) + 511));
	assert_false(host_reads(BLOCK(2)));
	assert_int_equal(pool_count(mem_core_pool()), core_free);
	assert_int_equal(vm_tables(vm), 2);
	/* A page before it, so that the batch is not enough for the block: it waits. */
	map(vm, 511, BLOCK(3), 1, 1);
	assert_int_equal(wish(vm, 510, 1024, S2_WISH_PRIVATE, &reached), CV_OK);
	assert_int_equal(reached, 512);
	assert_int_equal(ledger_count(RV_PAGES_VM_SHARED), 512);
	assert_int_equal(wish(vm, 512, 1024, S2_WISH_PRIVATE, &reached), CV_OK);
	assert_int_equal(ledger_count(RV_PAGES_VM_SHARED), 0);
	assert_false(host_reads(BLOCK(1)));
	fake_check_tlbs();
	end_vm(vm);
	fake_halt();
}

/* A page that a device of the VM's uses is counted in its entry: whoever changes the page's state
 * leaves the count, and the block can still go home as one. */
static void test_count_stays(void **state)
{
	u64 vm = make_protected();
	pfn_t pfn = pfn_make(BLOCK(1) + 9);
	struct page page;
	u64 reached;

	(void)state;
	map(vm, 512, BLOCK(1), 512, 512);
	page = ledger_get(pfn);
	page.count = 2;
	ledger_set(pfn, page);
	assert_false(ledger_block_is_whole(pfn));
	assert_int_equal(wish(vm, 512, 1024, S2_WISH_SHARED, &reached), CV_OK);
	assert_int_equal(reached, 1024);
	page = ledger_get(pfn);
	assert_true(page.count == 2 && page.state == PAGE_SHARED && page.gfn == 512 + 9);
	assert_int_equal(ledger_count(RV_PAGES_VM_SHARED), 512);
	assert_true(host_reads(BLOCK(1) + 8) && host_reads(BLOCK(1) + 9));
	assert_int_equal(wish(vm, 512 + 9, 512 + 10, S2_WISH_PRIVATE, &reached), CV_OK);
	page = ledger_get(pfn);
	assert_true(page.count == 2 && page.state == PAGE_EXCLUSIVE && page.gfn == 512 + 9);
	page.count = 0;
	ledger_set(pfn, page);
	end_vm(vm);
	fake_check_tlbs();

	vm = make_vm(RV_VM_PROTECTED, PAGE(0), 3);
	map(vm, 512, BLOCK(1), 512, 512);
	page = ledger_get(pfn);
	page.count = 1;
	ledger_set(pfn, page);
	page.count = 0;
	ledger_set(pfn, page);
	end_vm(vm);
	assert_true(ledger_block_is_host_alone(pfn));
	assert_int_equal(ledger_count(RV_PAGES_VM), 0);
	fake_halt();
}

/* Pages before a block end the call, so that the next one begins with the block. */
static void test_pages_before(void **state)
{
	u64 vm = make_protected();

	(void)state;
	map(vm, 1024 - 12, BLOCK(2) - 12, 12 + 512, 12);
	map(vm, 1024, BLOCK(2), 512, 512);
	assert_true(ledger_block_is_whole(pfn_make(BLOCK(2))));
	end_vm(vm);
	fake_halt();
}

/* A batch is 512 pages: a block behind pages waits for the next call; a range that names a part of
 * a block gives all of it back. */
static void test_return_in_batches(void **state)
{
	u64 vm = make_protected();
	u64 next;

	(void)state;
	map(vm, 500, BLOCK(3), 3, 3);
	map(vm, 512, BLOCK(1), 512, 512);
	map(vm, 1024, BLOCK(2), 512, 512);
	assert_int_equal(mem_map(vm, 512, BLOCK(4), 512, &next), CV_E_BUSY);
	assert_int_equal(vm_kill(vm), CV_OK);
	assert_int_equal(mem_reclaim(vm, 0, 4096, &next), CV_OK);
	assert_int_equal(next, 512);
	assert_int_equal(ledger_count(RV_PAGES_VM), 1024);
	assert_int_equal(mem_reclaim(vm, 512 + 40, 1, &next), CV_OK);
	assert_int_equal(next, 512 + 41);
	assert_int_equal(ledger_count(RV_PAGES_VM), 512);
	assert_true(host_reads(BLOCK(1)));
	assert_int_equal(mem_reclaim(vm, 0, 4096, &next), CV_OK);
	assert_int_equal(next, 1536);
	assert_int_equal(ledger_count(RV_PAGES_VM), 0);
	end_vm(vm);
	fake_halt();
}

/* The first block, or page, that leaves a GiB: the host's one leaf for it becomes a table. */
static void test_first_of_a_gib(void **state)
{
	static const struct fake_machine machine = {
		.regions = {
			{ .base = { 0x40000000 }, .pages = 2 * PAGES_PER_BLOCK },
			{ .base = { 0x80000000 }, .pages = 1ull << 18 },
			{ .base = { 0xc0000000 }, .pages = 1ull << 18 },
		},
		.region_count = 3,
		.core_base = 0x40000000,
		.core_tables = 60,
	};
	const u64 second = 0x80000000 >> PAGE_SHIFT;
	const u64 third = 0xc0000000 >> PAGE_SHIFT;
	struct pool drained;
	u32 core_free;
	u64 done;
	u64 vm;

	(void)state;
	fake_boot(&machine);
	vm = make_vm(RV_VM_PROTECTED, PAGE(0), 3);
	core_free = pool_count(mem_core_pool());
	assert_int_equal(host_level(second + 512), 1);
	fake_watch(OWNER_HOST, second << PAGE_SHIFT);
	fake_watch(OWNER_HOST, (second + 512) << PAGE_SHIFT);
	fake_check_tlbs();
	/* Not with the tables that are kept back. */
	assert_true(pool_reserve(mem_core_pool(), &drained, core_free - CORE_POOL_FLOOR, 0));
	assert_int_equal(mem_map(vm, 512, second + 512, 512, &done), CV_E_NOMEM);
	pool_return(mem_core_pool(), &drained);
	map(vm, 512, second + 512, 512, 512);
	assert_int_equal(pool_count(mem_core_pool()), core_free - 1);
	assert_false(host_reads(second + 512));
	assert_true(host_reads(second) && host_reads(second + 1024));
	map(vm, 3, third + 512, 1, 1);
	assert_int_equal(pool_count(mem_core_pool()), core_free - 3);
	assert_false(host_reads(third + 512));
	assert_true(host_reads(third) && host_reads(third + 513));
	fake_check_tlbs();
	end_vm(vm);
	assert_int_equal(host_level(second + 512), 2); /* a GiB's table stays */
	fake_halt();
}

/* ---- locks ---- */

struct lock_list {
	u32 count;
	const struct lock *lock[FAKE_LOCK_LOG];
};

static struct lock_list locks_of_map(u32 cpu, u64 vm, u64 gfn, u64 pfn, u64 pages)
{
	struct lock_list list;

	fake_cpu_set(cpu);
	fake_lock_log_begin();
	map(vm, gfn, pfn, pages, pages);
	list.count = fake_lock_log(list.lock);
	fake_cpu_set(0);
	return list;
}

static bool has_rank(const struct lock_list *list, u32 rank)
{
	for (u32 i = 0; i < list->count; i++) {
		if (list->lock[i]->rank == rank) {
			return true;
		}
	}
	return false;
}

static u32 common_locks(const struct lock_list *a, const struct lock_list *b)
{
	u32 common = 0;

	for (u32 i = 0; i < a->count; i++) {
		for (u32 j = 0; j < b->count; j++) {
			common += a->lock[i] == b->lock[j];
		}
	}
	return common;
}

/* Two CPUs that donate to two VMs from two blocks take their VM's lock and their block's lock, and
 * none in common. Who is first in a block to give away a page takes a table from the core's pool,
 * and so its lock. */
static void test_donations_share_no_lock(void **state)
{
	static const struct {
		u64 gfn;
		u64 pfn[2];
		u64 pages;
	} donations[] = {
		{ 1, { BLOCK(1) + 1, BLOCK(2) + 1 }, 1 },
		{ 512, { BLOCK(3), BLOCK(4) }, 512 },
	};
	u64 vm_1 = make_protected();
	u64 vm_2 = make_vm(RV_VM_PROTECTED, PAGE(16), 3);
	struct lock_list list;

	(void)state;
	list = locks_of_map(1, vm_1, 0, BLOCK(1), 1);
	assert_true(has_rank(&list, LOCK_RANK_POOL));
	assert_false(has_rank(&list, LOCK_RANK_HOST_UPPER));
	list = locks_of_map(2, vm_2, 0, BLOCK(2), 1);
	/* A first block, so that the VMs' tables are there. */
	map(vm_1, 1024, BLOCK(5), 512, 512);
	map(vm_2, 1024, BLOCK(6), 512, 512);
	for (u32 i = 0; i < ARRAY_SIZE(donations); i++) {
		struct lock_list a = locks_of_map(1, vm_1, donations[i].gfn, donations[i].pfn[0],
						  donations[i].pages);
		struct lock_list b = locks_of_map(2, vm_2, donations[i].gfn, donations[i].pfn[1],
						  donations[i].pages);

		assert_int_equal(a.count, 2);
		assert_int_equal(b.count, 2);
		assert_int_equal(a.lock[0]->rank, LOCK_RANK_VM);
		assert_int_equal(a.lock[1]->rank, LOCK_RANK_LEDGER);
		/* bench/run reads this. */
		print_message("# donation of %lu pages: %u locks, %u of them another donation's\n",
			      (unsigned long)donations[i].pages, a.count, common_locks(&a, &b));
		assert_int_equal(common_locks(&a, &b), 0);
		assert_int_equal(common_locks(&a, &a), 2);
	}
	end_vm(vm_1);
	end_vm(vm_2);
	fake_halt();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_donation_and_return),
		cmocka_unit_test(test_edge_of_ram),
		cmocka_unit_test(test_declared),
		cmocka_unit_test(test_lent_page),
		cmocka_unit_test(test_no_ram),
		cmocka_unit_test(test_write_inside),
		cmocka_unit_test(test_part_is_shared),
		cmocka_unit_test(test_part_needs_tables),
		cmocka_unit_test(test_whole_is_shared),
		cmocka_unit_test(test_count_stays),
		cmocka_unit_test(test_pages_before),
		cmocka_unit_test(test_return_in_batches),
		cmocka_unit_test(test_first_of_a_gib),
		cmocka_unit_test(test_donations_share_no_lock),
	};

	return cmocka_run_group_tests_name("block", tests, NULL, NULL);
}
