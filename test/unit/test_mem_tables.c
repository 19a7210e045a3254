/* SPDX-License-Identifier: BSD-3-Clause */
/* The stage-2 engine, the host's map as booted, EL2's map. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <cv/arch.h>
#include <cv/host_map.h>
#include <cv/hyp_map.h>
#include <cv/pool.h>
#include <cv/pte.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../arch-fake/fake.h"

static struct pool pool;
static struct s2 s2;

/* A stage 2 of VMID 9 with empty tables. */
static void make_s2(void)
{
	pfn_t first;
	pfn_t root;

	fake_boot(&fake_small_machine);
	assert_true(pool_reserve(mem_core_pool(), &pool, 20, 0));
	/* The reserve was put in page by page: taken off in falling order. Find two neighbours,
	 * aligned. */
	do {
		first = pool_take(&pool);
		root = pfn_make(first.v & ~1ull);
	} while (root.v == first.v || pool.free.v != root.v);
	pool_take(&pool);
	s2 = (struct s2){ .root = pfn_pa(root), .vmid = { 9 }, .pool = &pool };
	fake_attach(9, s2.root);
}

static void test_descriptors(void **state)
{
	u64 *root;

	(void)state;
	make_s2();
	s2_map(&s2, gfn_make(0), pa_make(0x40000000), 1, S2_NORMAL_RWX, S2_WISH_PRIVATE);
	s2_map(&s2, gfn_make(1ull << 18), pa_make(0x80000000), 1, S2_DEVICE, S2_WISH_PRIVATE);
	s2_map(&s2, gfn_make(GFN_LIMIT - (1ull << 18)), pa_make(0), 1, S2_NORMAL_RO,
	       S2_WISH_PRIVATE);
	root = arch_core_va(s2.root);
	/* Written out by hand from the Arm ARM: RW, WB, inner shareable, AF, executable; then
	 * device, XN; then RO, XN. */
	assert_int_equal(root[0], 0x400007fd);
	assert_int_equal(root[1], 0x00400000800004c5);
	root = arch_core_va(pa_make(s2.root.v + PAGE_SIZE));
	assert_int_equal(root[511], 0x004000000000077d);
	s2_map(&s2, gfn_make((5ull << 18) + 513), pa_make(0x12345000), 3, S2_NORMAL_RWX,
	       S2_WISH_SHARED);
	assert_int_equal(s2_walk(&s2, gfn_make((5ull << 18) + 513)).pa.v, 0x12345000);
	assert_int_equal(s2_walk(&s2, gfn_make((5ull << 18) + 513)).wish, S2_WISH_SHARED);
	assert_int_equal(s2_walk(&s2, gfn_make((5ull << 18) + 512)).is_mapped, false);
	fake_halt();
}

/* Splitting changes nothing that can be seen; it takes exactly the tables that it said. */
static void test_split_keeps_all(void **state)
{
	static const u64 looks[] = { 0, 1, 511, 512, 513, 1024, (1ull << 18) - 1 };

	(void)state;
	make_s2();
	s2_map(&s2, gfn_make(0), pa_make(0x40000000), 1, S2_NORMAL_RWX, S2_WISH_PRIVATE);
	for (u32 i = 0; i < ARRAY_SIZE(looks); i++) {
		fake_watch(9, looks[i] << PAGE_SHIFT);
	}
	fake_check_tlbs();
	assert_int_equal(s2_tables_needed(&s2, gfn_make(513), 3), 2);
	s2_split(&s2, gfn_make(513), 3);
	assert_int_equal(s2_tables_needed(&s2, gfn_make(513), 3), 0);
	assert_int_equal(s2_tables_needed(&s2, gfn_make(0), 3), 1);
	for (u32 i = 0; i < ARRAY_SIZE(looks); i++) {
		struct s2_leaf leaf = s2_walk(&s2, gfn_make(looks[i]));
		u64 inside = looks[i] % s2_leaf_pages(leaf.level);

		assert_true(leaf.is_mapped && leaf.attr == S2_NORMAL_RWX);
		assert_int_equal(leaf.pa.v + (inside << PAGE_SHIFT),
				 0x40000000 + (looks[i] << PAGE_SHIFT));
	}
	fake_check_tlbs();
	s2_unmap(&s2, gfn_make(513), 3, S2_WISH_DESTROYED);
	assert_int_equal(s2_walk(&s2, gfn_make(513)).wish, S2_WISH_DESTROYED);
	assert_true(s2_walk(&s2, gfn_make(512)).is_mapped);
	fake_check_tlbs();
	fake_halt();
}

static void test_join(void **state)
{
	u32 free_before;

	(void)state;
	make_s2();
	free_before = pool_count(&pool);
	s2_map(&s2, gfn_make(512), pa_make(0x40200000), 2, S2_NORMAL_RWX, S2_WISH_PRIVATE);
	fake_watch(9, 0x200000);
	fake_watch(9, 0x3ff000);
	fake_check_tlbs();
	s2_split(&s2, gfn_make(600), 3);
	fake_check_tlbs();
	s2_join(&s2, gfn_make(512), pa_make(0x40200000), S2_NORMAL_RWX);
	fake_check_tlbs();
	assert_int_equal(s2_walk(&s2, gfn_make(1023)).level, 2);
	assert_int_equal(pool_count(&pool), free_before - 1); /* the level-2 table stays */
	fake_halt();
}

/* The wish of an invalid block is inherited by what it is split into. */
static void test_wishes(void **state)
{
	(void)state;
	make_s2();
	s2_unmap(&s2, gfn_make(0), 1, S2_WISH_SHARED);
	assert_int_equal(s2_walk(&s2, gfn_make(77)).wish, S2_WISH_SHARED);
	s2_unmap(&s2, gfn_make(512), 2, S2_WISH_PRIVATE);
	assert_int_equal(s2_walk(&s2, gfn_make(511)).wish, S2_WISH_SHARED);
	assert_int_equal(s2_walk(&s2, gfn_make(700)).wish, S2_WISH_PRIVATE);
	s2_unmap(&s2, gfn_make(700), 3, S2_WISH_DESTROYED);
	assert_int_equal(s2_walk(&s2, gfn_make(701)).wish, S2_WISH_PRIVATE);
	assert_int_equal(s2_walk(&s2, gfn_make(700)).wish, S2_WISH_DESTROYED);
	assert_int_equal(s2_walk(&s2, gfn_make(1024)).wish, S2_WISH_SHARED);
	fake_halt();
}

static void test_clear_root(void **state)
{
	u64 value;

	(void)state;
	make_s2();
	s2_map(&s2, gfn_make(0), pa_make(0x40200000), 3, S2_NORMAL_RWX, S2_WISH_PRIVATE);
	s2_map(&s2, gfn_make(GFN_LIMIT - 1), pa_make(0x40200000), 3, S2_NORMAL_RWX,
	       S2_WISH_PRIVATE);
	assert_true(fake_read(2, 9, 0, &value, FAKE_CACHED));
	assert_true(fake_read(2, 9, (GFN_LIMIT - 1) << PAGE_SHIFT, &value, FAKE_CACHED));
	s2_clear_root(&s2);
	assert_false(fake_read(2, 9, 0, &value, FAKE_CACHED));
	assert_false(fake_read(2, 9, (GFN_LIMIT - 1) << PAGE_SHIFT, &value, FAKE_CACHED));
	fake_check_tlbs();
	fake_halt();
}

/* ---- the host's map ---- */

static void test_host_boot(void **state)
{
	u64 value;

	(void)state;
	fake_boot(&fake_small_machine);
	/* The largest leaves: whole GiB of devices, 2 MiB of RAM, pages where a bank begins inside
	 * a block. */
	assert_int_equal(s2_walk(mem_host_s2(), gfn_make(0x80000000 >> PAGE_SHIFT)).level, 1);
	assert_int_equal(s2_walk(mem_host_s2(), gfn_make(0x40200000 >> PAGE_SHIFT)).level, 2);
	assert_int_equal(s2_walk(mem_host_s2(), gfn_make(0x43200000 >> PAGE_SHIFT)).level, 2);
	assert_int_equal(s2_walk(mem_host_s2(), gfn_make(0x43005000 >> PAGE_SHIFT)).level, 3);
	assert_int_equal(s2_walk(mem_host_s2(), gfn_make(0x43004000 >> PAGE_SHIFT)).attr,
			 S2_DEVICE);
	assert_int_equal(s2_walk(mem_host_s2(), gfn_make(0x43005000 >> PAGE_SHIFT)).attr,
			 S2_NORMAL_RWX);
	/* What is behind a bank is none of it. */
	assert_int_equal(s2_walk(mem_host_s2(), gfn_make(0x42000000 >> PAGE_SHIFT)).level, 2);
	assert_int_equal(s2_walk(mem_host_s2(), gfn_make(0x43407000 >> PAGE_SHIFT)).attr,
			 S2_NORMAL_RWX);
	assert_int_equal(s2_walk(mem_host_s2(), gfn_make(0x43408000 >> PAGE_SHIFT)).attr,
			 S2_DEVICE);
	assert_int_equal(s2_walk(mem_host_s2(), gfn_make(GFN_LIMIT - 1)).attr, S2_DEVICE);
	/* Ten tables or so, for a machine with two banks and a hidden device. */
	assert_true(pool_count(mem_core_pool()) >= fake_small_machine.core_tables - 16);
	assert_true(fake_host_read(0, 0x09000000, &value));
	assert_true(fake_host_write(0, 0xffffffff000, 1) == false); /* beyond 40 bits */
	assert_false(fake_host_fetch(0, 0x09000000, &value));
	assert_false(fake_host_read(0, FAKE_HIDDEN_BASE, &value));
	assert_false(fake_host_write(0, FAKE_HIDDEN_BASE, 1));
	assert_true(fake_host_write(0, FAKE_HIDDEN_BASE - PAGE_SIZE, 1));
	assert_true(fake_host_write(0, FAKE_HIDDEN_BASE + PAGE_SIZE, 1));
	/* The info page: read only; the rest of the core: not at all. */
	assert_true(fake_host_read(0, fake_info_pfn() << PAGE_SHIFT, &value));
	assert_false(fake_host_write(0, fake_info_pfn() << PAGE_SHIFT, 1));
	assert_false(fake_host_fetch(0, fake_info_pfn() << PAGE_SHIFT, &value));
	for (u64 i = 0; i < FAKE_CORE_ROOTS_PAGES + fake_small_machine.core_tables; i++) {
		u64 ipa = fake_small_machine.core_base + i * PAGE_SIZE;

		assert_true(ipa >> PAGE_SHIFT == fake_info_pfn() ||
			    !fake_host_read(0, ipa, &value));
	}
	assert_true(fake_host_write(
		0,
		fake_small_machine.core_base +
			(FAKE_CORE_ROOTS_PAGES + fake_small_machine.core_tables) * PAGE_SIZE,
		1));
	fake_halt();
}

/* A whole block taken at boot needs no leaf table. */
static void test_host_boot_block(void **state)
{
	u32 before;

	(void)state;
	fake_boot(&fake_small_machine);
	before = pool_count(mem_core_pool());
	mem_boot_take_core(pa_make(0x40600000), 2 * BLOCK_SIZE);
	assert_int_equal(pool_count(mem_core_pool()), before);
	assert_false(fake_host_read(0, 0x407ff000, &(u64){ 0 }));
	assert_int_equal(ledger_count(RV_PAGES_CORE),
			 FAKE_CORE_ROOTS_PAGES + fake_small_machine.core_tables + 1024);
	fake_halt();
}

/* ---- EL2's map ---- */

static void test_hyp_windows(void **state)
{
	u64 *window;

	(void)state;
	fake_boot(&fake_small_machine);
	for (u32 cpu = 0; cpu < FAKE_CPUS; cpu++) {
		fake_cpu_set(cpu);
		window = arch_window_open(pfn_make((0x40200000 >> PAGE_SHIFT) + cpu));
		window[3] = cpu + 1;
		assert_false(fake_el2_maps((0x40200000 >> PAGE_SHIFT) +
					   cpu)); /* only through the window */
	}
	for (u32 cpu = 0; cpu < FAKE_CPUS; cpu++) {
		fake_cpu_set(cpu);
		arch_window_close();
		assert_int_equal(fake_peek((0x40200000 >> PAGE_SHIFT) + cpu, 24), cpu + 1);
	}
	fake_halt();
}

static void test_hyp_pages(void **state)
{
	pfn_t pfn = pfn_make(0x40203000 >> PAGE_SHIFT);
	struct pool reserved;

	(void)state;
	fake_boot(&fake_small_machine);
	assert_true(pool_reserve(mem_core_pool(), &reserved, hyp_tables_needed(pfn), 0));
	assert_false(hyp_is_mapped(pfn));
	hyp_map_page(pfn, &reserved);
	assert_true(hyp_is_mapped(pfn) && fake_el2_maps(pfn.v));
	assert_int_equal(pool_count(&reserved), 0);
	assert_int_equal(hyp_tables_needed(pfn_add(pfn, 1)), 0);
	fake_check_tlbs();
	hyp_unmap_page(pfn);
	assert_false(hyp_is_mapped(pfn) || fake_el2_maps(pfn.v));
	fake_check_tlbs();
	fake_halt();
}

/* At boot alone: afterwards, a page comes by hyp_map_page(). */
static void test_hyp_sealed(void **state)
{
	pid_t child;
	int status;

	(void)state;
	fake_boot(&fake_small_machine);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		freopen("/dev/null", "w", stderr); /* the fake machine says why it stops */
		signal(SIGABRT, SIG_DFL);
		hyp_map_boot(pa_make(0x40203000), PAGE_SIZE, HYP_DATA);
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
	fake_halt();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_descriptors),
		cmocka_unit_test(test_split_keeps_all),
		cmocka_unit_test(test_join),
		cmocka_unit_test(test_wishes),
		cmocka_unit_test(test_clear_root),
		cmocka_unit_test(test_host_boot),
		cmocka_unit_test(test_host_boot_block),
		cmocka_unit_test(test_hyp_windows),
		cmocka_unit_test(test_hyp_pages),
		cmocka_unit_test(test_hyp_sealed),
	};

	return cmocka_run_group_tests_name("tables", tests, NULL, NULL);
}
