/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Where a number ends: what takes thousands of calls to reach, so that no cell of the matrix and no
 * random walk comes there. Core and specification side by side, as in matrix.c, at a size of the
 * specification's state of its own (limits/spec_size.h).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <cv/seal.h>

#include "observe.h"
#include "owner.h"

#define BLOCK1 (0x40200000ull >> PAGE_SHIFT)
#define SUBJECT (BLOCK1 + 7)
#define SCRIBE (BLOCK1 + 9) /* where a snapshot's records are written */
#define BUILT_OF (0x409f5000ull >> PAGE_SHIFT)
#define RAM_PAGES ((u64)SPEC_GFNS)
#define LEAF_TABLES (RAM_PAGES / PAGES_PER_BLOCK)

static struct spec_state spec;

static void agree(enum cv_status core, enum cv_status specified)
{
	assert_int_equal(core, specified);
}

/* Record, roots, and tables for all of the RAM. */
static u64 make_vm(u64 flags)
{
	u64 next = BUILT_OF;
	u64 root = align_up(next + 1, 2);
	u64 handle;
	u64 expected;

	observe_boot(&spec, &observe_machine);
	agree(vm_create(next, root, flags, fake_no_owner, &handle),
	      spec_vm_create(&spec, next, root, flags, fake_no_owner, &expected));
	assert_int_equal(handle, expected);
	next = root + 2;
	for (u64 i = 0; i < LEAF_TABLES + 2; i++, next++) {
		agree(vm_topup(handle, next), spec_vm_topup(&spec, handle, next));
	}
	agree(vm_add_ram(handle, 0, RAM_PAGES), spec_vm_add_ram(&spec, handle, 0, RAM_PAGES));
	fake_attach(handle & 0xff, pfn_pa(pfn_make(root)));
	return handle;
}

static enum cv_status map(u64 vm, u64 gfn, u64 pfn, u64 pages, u64 *done)
{
	u64 specified = *done;
	enum cv_status status = mem_map(vm, gfn, pfn, pages, done);

	agree(status, spec_map(&spec, vm, gfn, pfn, pages, &specified));
	assert_int_equal(*done, specified);
	return status;
}

static u64 reclaim(u64 vm, u64 gfn, u64 pages)
{
	u64 next;
	u64 specified;

	agree(mem_reclaim(vm, gfn, pages, &next), spec_reclaim(&spec, vm, gfn, pages, &specified));
	assert_int_equal(next, specified);
	return next;
}

static void set_wish(u64 handle, u64 first, enum s2_wish wish) CV_NO_LOCK_ANALYSIS
{
	struct vm *vm = vm_lock(handle);
	gfn_t gfn = gfn_make(first);

	agree(mem_vm_set_wish(vm, &gfn, gfn_make(first + 1), wish, false),
	      spec_set_wish(&spec, handle, &first, first + 1, wish, false));
	vm_unlock(vm);
}

/* Every leaf table is there, and nothing in it: as many entries to look at as there can be. */
static u64 make_vm_with_tables(void)
{
	u64 vm = make_vm(RV_VM_PROTECTED);

	for (u64 i = 0; i < LEAF_TABLES; i++) {
		set_wish(vm, i * PAGES_PER_BLOCK, S2_WISH_SHARED);
		set_wish(vm, i * PAGES_PER_BLOCK, S2_WISH_PRIVATE);
	}
	observe_check(&spec, true, "leaf tables");
	return vm;
}

static void test_uses_of_a_page(void **state)
{
	u64 vm = make_vm(0);
	u64 done = 0;

	(void)state;
	for (u64 gfn = 0; gfn < LEDGER_COUNT_MAX; gfn++) {
		assert_int_equal(map(vm, gfn, SUBJECT, 1, &done), CV_OK);
	}
	observe_check(&spec, true, "in use as often as can be");
	assert_int_equal(map(vm, LEDGER_COUNT_MAX, SUBJECT, 1, &done), CV_E_STATE);
	observe_check(&spec, true, "one use more");
	reclaim(vm, 100, 1);
	assert_int_equal(map(vm, LEDGER_COUNT_MAX, SUBJECT, 1, &done), CV_OK);
	observe_check(&spec, true, "one use fewer, and one more");
	fake_halt();
}

static void test_pages_of_a_call(void **state)
{
	u64 vm = make_vm(0);
	u64 done = 0;

	(void)state;
	assert_int_equal(map(vm, 5, BLOCK1 + 3, RV_BATCH_PAGES + 1, &done), CV_OK);
	assert_int_equal(done, RV_BATCH_PAGES);
	observe_check(&spec, true, "a batch");
	assert_int_equal(map(vm, 5 + done, BLOCK1 + 3 + done, 1, &done), CV_OK);
	assert_int_equal(reclaim(vm, 0, RAM_PAGES), 5 + RV_BATCH_PAGES);
	observe_check(&spec, true, "a batch back");
	fake_halt();
}

/* A call that finds nothing ends after as many entries, and the next one goes on behind them. */
static void test_looks_for_pages(void **state)
{
	u64 vm = make_vm_with_tables();

	(void)state;
	agree(vm_kill(vm), spec_vm_kill(&spec, vm));
	assert_int_equal(reclaim(vm, 0, GFN_LIMIT), MEM_LOOKS_MAX);
	assert_int_equal(reclaim(vm, MEM_LOOKS_MAX, GFN_LIMIT - MEM_LOOKS_MAX), GFN_LIMIT);
	observe_check(&spec, true, "nothing to reclaim");
	fake_halt();
}

static void add_image(u64 vm, u64 gfn, u64 pfn, u64 pages)
{
	u64 index, done, specified;

	agree(image_add(vm, gfn << PAGE_SHIFT, pages << PAGE_SHIFT, &index),
	      spec_image_add(&spec, vm, gfn << PAGE_SHIFT, pages << PAGE_SHIFT, &specified));
	assert_int_equal(index, specified);
	agree(image_map(vm, index, pfn, pages, &done),
	      spec_image_map(&spec, vm, index, pfn, pages, &specified));
	assert_int_equal(done, pages);
}

/* Somebody signed it, but not the VM's owner, who is nobody. */
static void put_launch(void)
{
	const struct owner_policy policy = { .entry = 0 };
	const struct owner_image image = { .gpa = 0, .bytes = PAGE_SIZE };
	static struct rv_launch launch;
	struct owner somebody;

	owner_make(&somebody, RV_CURVE_P256, 1);
	owner_sign(&somebody, &policy, &image, 1, &launch);
	for (u64 i = 0; i < sizeof(launch); i += sizeof(u64)) {
		fake_poke(SCRIBE, i, ((const u64 *)&launch)[i / sizeof(u64)]);
	}
	spec_page(&spec, SCRIBE)->token = fake_page_token(SCRIBE);
}

static enum cv_status verify_images(u64 vm, u64 *left)
{
	u64 specified = *left;
	enum cv_status status = image_verify(vm, SCRIBE, left);

	agree(status, spec_vm_verify(&spec, vm, SCRIBE, SPEC_NOT_SIGNED, 0, false, &specified));
	observe_check(&spec, true, "images go");
	assert_true(status != CV_OK || *left == specified);
	return status;
}

/* A failed check gives back a batch a call; until all is back, nothing new comes. */
static void undo_images(u64 first, u64 second)
{
	u64 vm = make_vm(RV_VM_PROTECTED);
	u64 total = first + second;
	u64 left = 0;
	u64 index, done;

	add_image(vm, 3, BLOCK1 + 20, first);
	add_image(vm, 1024, BLOCK1 + 40, second);
	put_launch();
	while (total > RV_BATCH_PAGES) {
		assert_int_equal(verify_images(vm, &left), CV_OK);
		total -= RV_BATCH_PAGES;
		assert_int_equal(left, total);
		agree(image_add(vm, 0, 1, &index), spec_image_add(&spec, vm, 0, 1, &index));
		agree(image_map(vm, 0, SUBJECT, 1, &done),
		      spec_image_map(&spec, vm, 0, SUBJECT, 1, &done));
	}
	assert_int_equal(verify_images(vm, &left), CV_E_AUTH);
	add_image(vm, 0, SUBJECT, 1);
	observe_check(&spec, true, "a new image");
	fake_halt();
}

static void test_images_of_a_call(void **state)
{
	(void)state;
	undo_images(3, RV_BATCH_PAGES - 1);
	undo_images(3, RV_BATCH_PAGES);
	undo_images(4, RV_BATCH_PAGES - 4);
}

/* As an owner's manifest would have done. */
static void verify(u64 handle) CV_NO_LOCK_ANALYSIS
{
	struct vm *vm = vm_lock(handle);

	vm->may_be_saved = true;
	vm_set_verified(vm, 0);
	vm_unlock(vm);
	spec_vm(&spec, handle)->state = VM_VERIFIED;
	spec_vm(&spec, handle)->may_be_saved = true;
}

static u64 save_page(u64 vm)
{
	u64 gfn, what, tag[2];
	u64 specified_gfn, specified_what;
	enum cv_status status = seal_save_page(vm, SCRIBE, &gfn, &what, tag);

	agree(status, spec_seal_save_page(&spec, vm, SCRIBE, 0, &specified_gfn, &specified_what));
	assert_int_equal(gfn, specified_gfn);
	assert_int_equal(what, specified_what);
	return gfn;
}

static void test_looks_for_records(void **state)
{
	u64 vm = make_vm_with_tables();

	(void)state;
	verify(vm);
	agree(seal_save_begin(vm, SCRIBE), spec_seal_save_begin(&spec, vm, SCRIBE, 0));
	spec_page(&spec, SCRIBE)->token = fake_page_token(SCRIBE);
	assert_int_equal(save_page(vm), MEM_LOOKS_MAX);
	assert_int_equal(save_page(vm), RV_SEAL_NO_GFN);
	observe_check(&spec, true, "nothing to save");
	fake_halt();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_uses_of_a_page),	  cmocka_unit_test(test_pages_of_a_call),
		cmocka_unit_test(test_images_of_a_call),  cmocka_unit_test(test_looks_for_pages),
		cmocka_unit_test(test_looks_for_records),
	};

	seal_init((const u8[CRYPTO_KEY_BYTES]){ 1 });
	return cmocka_run_group_tests_name("matrix_limits", tests, NULL, NULL);
}
