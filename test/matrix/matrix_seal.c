/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The order of a snapshot: each call of sealing at each moment of one, with every record that was
 * ever written, in the core and in the specification. What is not due is refused by both and
 * changes nothing; in the end the new VM is what the old one was. The matrix sees single calls; the
 * model test seldom loads a whole snapshot.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <cv/seal.h>

#include "observe.h"

#define BLOCK1 (0x40200000ull >> PAGE_SHIFT)
#define BUILT_OF (0x409f5000ull >> PAGE_SHIFT)
#define SCRIBE (BLOCK1 + 1)  /* where records are written and read */
#define GIVEN (BLOCK1 + 8)   /* pages of the first VM */
#define LOADED (BLOCK1 + 16) /* and of the second one */

#define RAM_PAGES 1024ull
/* In the order in which they are saved */
#define GFN_PRIVATE 3ull
#define GFN_SHARED 4ull
#define GFN_AWAITED 6ull /* shared, not backed */
#define GFN_DESTROYED 7ull
#define GFN_RUN 512ull /* 2 MiB that are shared and not backed: one record */
#define FIRST_VCPU 0
#define LAST_VCPU 2

enum { RECORD_VCPU, RECORD_PAGE, RECORD_END };

struct record {
	u32 kind;
	u64 at; /* vCPU index or gfn */
	u64 what;
	u64 tag[2];
	u64 page[PAGE_SIZE / sizeof(u64)];
	/* What the specification knows of it */
	struct spec_vcpu vcpu;
	u64 token;
};

static struct spec_state spec;
static u64 next_page;
static u64 old_vm, new_vm;
static struct rv_seal_header header;
static struct record record[16];
static u32 record_count;

/* ---- core and specification side by side ---- */

static enum cv_status agree(const char *call, enum cv_status core, enum cv_status specified)
{
	if (core != specified) {
		fake_fail("%s: status %d, specified %d", call, core, specified);
	}
	observe_check(&spec, true, call);
	return core;
}

static void must(enum cv_status status)
{
	assert_int_equal(status, CV_OK);
}

static void refused(enum cv_status status)
{
	assert_int_not_equal(status, CV_OK);
}

static void set_wish(u64 handle, u64 first, u64 end, enum s2_wish wish) CV_NO_LOCK_ANALYSIS
{
	struct vm *vm = vm_lock(handle);
	gfn_t gfn = gfn_make(first);
	enum cv_status status = mem_vm_set_wish(vm, &gfn, gfn_make(end), wish, false);

	vm_unlock(vm);
	must(agree("wish", status, spec_set_wish(&spec, handle, &first, end, wish, false)));
}

static enum cv_status map(u64 vm, u64 gfn, u64 pfn)
{
	u64 done, specified;

	return agree("map", mem_map(vm, gfn, pfn, 1, &done),
		     spec_map(&spec, vm, gfn, pfn, 1, &specified));
}

static void create_vcpu(u64 vm, u64 index)
{
	must(agree("create_vcpu", vm_create_vcpu(vm, index, next_page, next_page + 1),
		   spec_vm_create_vcpu(&spec, vm, index, next_page, next_page + 1)));
	next_page += 2;
}

static u64 make_vm(const u64 owner[4])
{
	u64 root = align_up(next_page + 1, 2);
	u64 handle, specified;

	must(agree("create", vm_create(next_page, root, RV_VM_PROTECTED, owner, &handle),
		   spec_vm_create(&spec, next_page, root, RV_VM_PROTECTED, owner, &specified)));
	assert_int_equal(handle, specified);
	fake_attach(handle & 0xff, pfn_pa(pfn_make(root)));
	next_page = root + 2;
	for (u32 i = 0; i < 4; i++, next_page++) {
		must(agree("topup", vm_topup(handle, next_page),
			   spec_vm_topup(&spec, handle, next_page)));
	}
	must(agree("add_ram", vm_add_ram(handle, 0, RAM_PAGES),
		   spec_vm_add_ram(&spec, handle, 0, RAM_PAGES)));
	create_vcpu(handle, FIRST_VCPU);
	create_vcpu(handle, LAST_VCPU);
	return handle;
}

/* As its owner's manifest would have said. */
static void verify(u64 handle, bool may_be_saved) CV_NO_LOCK_ANALYSIS
{
	struct vm *vm = vm_lock(handle);

	vm->may_be_saved = may_be_saved;
	vm_set_verified(vm, 0);
	vm_unlock(vm);
	spec_vm(&spec, handle)->state = VM_VERIFIED;
	spec_vm(&spec, handle)->may_be_saved = may_be_saved;
}

/* A VM with something of all that a snapshot can say. */
static void make_old_vm(void)
{
	old_vm = make_vm(fake_no_owner);
	set_wish(old_vm, GFN_SHARED, GFN_SHARED + 1, S2_WISH_SHARED);
	set_wish(old_vm, GFN_AWAITED, GFN_AWAITED + 1, S2_WISH_SHARED);
	set_wish(old_vm, GFN_DESTROYED, GFN_DESTROYED + 1, S2_WISH_DESTROYED);
	set_wish(old_vm, GFN_RUN, RAM_PAGES, S2_WISH_SHARED);
	must(map(old_vm, GFN_PRIVATE, GIVEN));
	must(map(old_vm, GFN_SHARED, GIVEN + 1));
	for (u64 i = 0; i < 2; i++) {
		assert_true(fake_write(1, old_vm & 0xff, (GFN_PRIVATE + i) << PAGE_SHIFT, 77 + i,
				       FAKE_CACHED));
		spec_page(&spec, GIVEN + i)->token = fake_page_token(GIVEN + i);
	}
	verify(old_vm, true);
}

static void put_page(u64 pfn, const void *data, u64 bytes)
{
	const u64 *words = data;

	for (u64 i = 0; i < bytes; i += sizeof(u64)) {
		fake_poke(pfn, i, words[i / sizeof(u64)]);
	}
	spec_page(&spec, pfn)->token = fake_page_token(pfn);
}

/* ---- the calls ---- */

static enum cv_status save_begin(u64 vm)
{
	enum cv_status status = seal_save_begin(vm, SCRIBE);

	return agree("save_begin", status,
		     spec_seal_save_begin(&spec, vm, SCRIBE, fake_page_token(SCRIBE)));
}

static struct record *keep(u32 kind, u64 at, u64 what, const u64 tag[2])
{
	struct record *kept = &record[record_count++];

	assert_true(record_count <= ARRAY_SIZE(record));
	*kept = (struct record){ .kind = kind, .at = at, .what = what };
	memcpy(kept->tag, tag, sizeof(kept->tag));
	for (u64 i = 0; i < ARRAY_SIZE(kept->page); i++) {
		kept->page[i] = fake_peek(SCRIBE, i * sizeof(u64));
	}
	return kept;
}

static enum cv_status save_vcpu(u64 vm, u64 index)
{
	u64 tag[2];
	enum cv_status status = seal_save_vcpu(vm, index, SCRIBE, tag);

	agree("save_vcpu", status,
	      spec_seal_save_vcpu(&spec, vm, index, SCRIBE, fake_page_token(SCRIBE)));
	if (status == CV_OK) {
		keep(RECORD_VCPU, index, 0, tag)->vcpu = *spec_vcpu(&spec, vm, index);
	}
	return status;
}

/* RV_SEAL_NO_GFN is no record. */
static enum cv_status save_page(u64 vm, u64 *gfn)
{
	u64 what, tag[2], specified_gfn, specified_what;
	enum cv_status status = seal_save_page(vm, SCRIBE, gfn, &what, tag);

	agree("save_page", status,
	      spec_seal_save_page(&spec, vm, SCRIBE, fake_page_token(SCRIBE), &specified_gfn,
				  &specified_what));
	if (status == CV_OK) {
		assert_int_equal(*gfn, specified_gfn);
		assert_int_equal(what, specified_what);
	}
	if (status == CV_OK && *gfn != RV_SEAL_NO_GFN) {
		u64 pfn = spec_vm(&spec, vm)->gfn[*gfn].pfn;

		keep(RECORD_PAGE, *gfn, what, tag)->token =
			pfn != 0 ? spec_page(&spec, pfn)->token : 0;
	}
	return status;
}

static enum cv_status save_end(u64 vm)
{
	u64 tag[2];
	enum cv_status status = seal_save_end(vm, SCRIBE, tag);

	agree("save_end", status, spec_seal_save_end(&spec, vm, SCRIBE, fake_page_token(SCRIBE)));
	if (status == CV_OK) {
		keep(RECORD_END, 0, 0, tag);
	}
	return status;
}

static enum cv_status load_begin(u64 vm, enum spec_header is)
{
	put_page(SCRIBE, &header, sizeof(header));
	return agree("load_begin", seal_load_begin(vm, SCRIBE),
		     spec_seal_load_begin(&spec, vm, SCRIBE, is));
}

/* A record as it was written, or with a bit of its tag changed; a page goes to `pfn`. */
static enum cv_status load(u64 vm, const struct record *from, u64 pfn, bool is_changed)
{
	const u64 tag[2] = { from->tag[0] ^ is_changed, from->tag[1] };
	bool is_next = !is_changed && from == &record[spec_vm(&spec, vm)->seal.records];

	switch (from->kind) {
	case RECORD_VCPU:
		put_page(SCRIBE, from->page, PAGE_SIZE);
		return agree("load_vcpu", seal_load_vcpu(vm, from->at, SCRIBE, tag),
			     spec_seal_load_vcpu(&spec, vm, from->at, SCRIBE,
						 is_next ? &from->vcpu : NULL));
	case RECORD_PAGE:
		put_page(pfn, from->page, PAGE_SIZE);
		return agree("load_page", seal_load_page(vm, from->at, from->what, pfn, tag),
			     spec_seal_load_page(&spec, vm, from->at, from->what, pfn, is_next,
						 from->token));
	default:
		put_page(SCRIBE, from->page, PAGE_SIZE);
		return agree("load_end", seal_load_end(vm, SCRIBE, tag),
			     spec_seal_load_end(&spec, vm, SCRIBE, is_next));
	}
}

static enum cv_status abort_seal(u64 vm)
{
	return agree("abort", seal_abort(vm), spec_seal_abort(&spec, vm));
}

/* ---- all that is not due ---- */

static void try_all_of_saving(u64 vm, u64 due_vcpu, bool is_page_due, bool is_end_due)
{
	u64 gfn;

	for (u64 i = 0; i < SPEC_VCPUS; i++) {
		if (i != due_vcpu) {
			refused(save_vcpu(vm, i));
		}
	}
	if (!is_page_due) {
		refused(save_page(vm, &gfn));
	}
	if (!is_end_due) {
		refused(save_end(vm));
	}
}

static void try_all_of_loading(u64 vm, const struct record *due)
{
	refused(load_begin(vm, SPEC_HEADER_FITS));
	for (u32 i = 0; i < record_count; i++) {
		refused(load(vm, &record[i], LOADED, true));
		if (&record[i] != due) {
			refused(load(vm, &record[i], LOADED, false));
		}
	}
}

/* ---- the tests ---- */

#define NO_VCPU ~0ull

static int begin(void **state)
{
	(void)state;
	observe_boot(&spec, &observe_machine);
	next_page = BUILT_OF;
	record_count = 0;
	make_old_vm();
	return 0;
}

static int end(void **state)
{
	(void)state;
	fake_halt();
	return 0;
}

static void begin_to_save(void)
{
	must(save_begin(old_vm));
	for (u64 i = 0; i < sizeof(header); i += sizeof(u64)) {
		((u64 *)&header)[i / sizeof(u64)] = fake_peek(SCRIBE, i);
	}
}

static void save_all(bool with_all_else)
{
	static const u64 vcpus[] = { FIRST_VCPU, LAST_VCPU };
	u64 gfn = 0;

	begin_to_save();
	for (u32 i = 0; i < ARRAY_SIZE(vcpus); i++) {
		if (with_all_else) {
			try_all_of_saving(old_vm, vcpus[i], false, false);
			refused(save_begin(old_vm));
			refused(map(old_vm, 9, GIVEN + 2));
		}
		must(save_vcpu(old_vm, vcpus[i]));
	}
	while (gfn != RV_SEAL_NO_GFN) {
		if (with_all_else) {
			try_all_of_saving(old_vm, NO_VCPU, true, false);
		}
		must(save_page(old_vm, &gfn));
	}
	if (with_all_else) {
		try_all_of_saving(old_vm, NO_VCPU, true, true);
	}
	must(save_end(old_vm));
}

static void test_order(void **state)
{
	static const u64 gfns[] = { GFN_PRIVATE, GFN_SHARED, GFN_AWAITED, GFN_DESTROYED, GFN_RUN };

	(void)state;
	try_all_of_saving(old_vm, NO_VCPU, false, false);
	save_all(true);
	assert_int_equal(record_count, 2 + ARRAY_SIZE(gfns) + 1);
	for (u32 i = 0; i < ARRAY_SIZE(gfns); i++) {
		assert_int_equal(record[2 + i].at, gfns[i]);
	}
	new_vm = make_vm(fake_no_owner);
	must(load_begin(new_vm, SPEC_HEADER_FITS));
	for (u32 i = 0; i < record_count; i++) {
		try_all_of_loading(new_vm, &record[i]);
		try_all_of_saving(new_vm, NO_VCPU, false, false);
		refused(save_begin(new_vm));
		refused(map(new_vm, 9, GIVEN + 2));
		must(load(new_vm, &record[i], LOADED + i, false));
	}
	try_all_of_loading(new_vm, NULL);
	/* It is what the old one was, and goes on: it can be saved as that one could. */
	for (u64 gfn = 0; gfn < RAM_PAGES; gfn++) {
		const struct spec_gfn *was = &spec_vm(&spec, old_vm)->gfn[gfn];
		const struct spec_gfn *is = &spec_vm(&spec, new_vm)->gfn[gfn];

		assert_int_equal(is->wish, was->wish);
		assert_int_equal(is->pfn != 0, was->pfn != 0);
		if (is->pfn != 0) {
			assert_int_equal(fake_page_token(is->pfn), fake_page_token(was->pfn));
		}
	}
	must(save_begin(new_vm));
}

static void test_abort(void **state)
{
	(void)state;
	refused(abort_seal(old_vm));
	begin_to_save();
	must(save_vcpu(old_vm, FIRST_VCPU));
	must(abort_seal(old_vm));
	refused(abort_seal(old_vm));
	record_count = 0;
	save_all(false);
	new_vm = make_vm(fake_no_owner);
	must(load_begin(new_vm, SPEC_HEADER_FITS));
	for (u32 i = 0; i + 1 < record_count; i++) {
		must(load(new_vm, &record[i], LOADED + i, false));
	}
	must(abort_seal(new_vm));
	refused(load(new_vm, &record[record_count - 1], 0, false));
	refused(load_begin(new_vm, SPEC_HEADER_FITS));
}

static void test_where_none_may_begin(void **state)
{
	static const u64 other_owner[4] = { 1 };
	u64 vm;
	u64 index;

	(void)state;
	save_all(false);
	vm = make_vm(other_owner);
	refused(load_begin(vm, SPEC_HEADER_OF_ANOTHER));
	vm = make_vm(fake_no_owner);
	header.magic ^= 1;
	refused(load_begin(vm, SPEC_HEADER_DIFFERS));
	header.magic ^= 1;
	must(map(vm, 9, GIVEN + 2));
	refused(load_begin(vm, SPEC_HEADER_FITS));
	verify(vm, false);
	refused(save_begin(vm));
	vm = make_vm(fake_no_owner);
	must(agree("image_add", image_add(vm, 0, 1, &index),
		   spec_image_add(&spec, vm, 0, 1, &index)));
	refused(load_begin(vm, SPEC_HEADER_FITS));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_order, begin, end),
		cmocka_unit_test_setup_teardown(test_abort, begin, end),
		cmocka_unit_test_setup_teardown(test_where_none_may_begin, begin, end),
	};

	seal_init((const u8[CRYPTO_KEY_BYTES]){ 1 });
	return cmocka_run_group_tests_name("matrix_seal", tests, NULL, NULL);
}
