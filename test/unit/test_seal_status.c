/* SPDX-License-Identifier: BSD-3-Clause */
/* Every status of the sealing calls, in the order of abi.h. */
#include "seal_fixture.h"

static void statuses_of_save_begin(void **state)
{
	struct vm *vm = vm_at(SOURCE);
	struct pool taken;

	(void)state;
	expect(RV_E_NOENT, RV_SEAL_SAVE_BEGIN, 77, NO_RAM);
	expect(RV_E_RANGE, RV_SEAL_SAVE_BEGIN, target, NO_RAM);
	expect(RV_E_RANGE, RV_SEAL_SAVE_BEGIN, source, ~0ull);
	expect(RV_E_STATE, RV_SEAL_SAVE_BEGIN, target, PAGE(IO));
	vm->may_be_saved = false;
	expect(RV_E_STATE, RV_SEAL_SAVE_BEGIN, source, PAGE(SOURCE));
	vm->active_count = 1;
	expect(RV_E_PERM, RV_SEAL_SAVE_BEGIN, source, PAGE(IO));
	vm->may_be_saved = true;
	vm->device_pages = 1;
	expect(RV_E_PERM, RV_SEAL_SAVE_BEGIN, source, PAGE(IO));
	vm->device_pages = 0;
	vm->is_protected = false;
	expect(RV_E_PERM, RV_SEAL_SAVE_BEGIN, source, PAGE(IO));
	vm->is_protected = true;
	seal_forget();
	expect(RV_E_BUSY, RV_SEAL_SAVE_BEGIN, source, PAGE(IO));
	vm->active_count = 0;
	vm->dma_contexts = 1;
	expect(RV_E_BUSY, RV_SEAL_SAVE_BEGIN, source, PAGE(IO));
	vm->dma_contexts = 0;
	assert_true(pool_reserve(&vm->tables, &taken, pool_count(&vm->tables), 0));
	expect(RV_E_NOENTROPY, RV_SEAL_SAVE_BEGIN, source, PAGE(IO));
	seal_init(root_secret);
	fake_entropy = false;
	seal_init(NULL);
	fake_entropy = true;
	expect(RV_E_NOENTROPY, RV_SEAL_SAVE_BEGIN, source, PAGE(IO));
	seal_init(root_secret);
	fake_entropy = false;
	expect(RV_E_NOENTROPY, RV_SEAL_SAVE_BEGIN, source, PAGE(IO));
	fake_entropy = true;
	expect(RV_E_NOMEM, RV_SEAL_SAVE_BEGIN, source, PAGE(IO));
	expect(RV_OK, RV_VM_TOPUP, source, PAGE(POOL));
	expect(RV_OK, RV_SEAL_SAVE_BEGIN, source, PAGE(IO));
	assert_int_equal(vm->seal.mode, SEAL_SAVING);
	assert_true(ledger_is(pfn_make(PAGE(IO)), OWNER_HOST, PAGE_EXCLUSIVE));
}

static void statuses_of_saving(void **state)
{
	u64 results[4], pages = 0;

	(void)state;
	expect(RV_E_NOENT, RV_SEAL_SAVE_VCPU, 77, 0, PAGE(IO));
	expect(RV_E_STATE, RV_SEAL_SAVE_VCPU, source, 0, PAGE(IO));
	expect(RV_E_STATE, RV_SEAL_SAVE_PAGE, source, PAGE(IO));
	expect(RV_E_STATE, RV_SEAL_SAVE_END, source, PAGE(IO));
	expect(RV_OK, RV_SEAL_SAVE_BEGIN, source, PAGE(IO));

	expect(RV_E_NOENT, RV_SEAL_SAVE_VCPU, source, 1, NO_RAM);
	expect(RV_E_NOENT, RV_SEAL_SAVE_VCPU, source, ~0ull, NO_RAM);
	expect(RV_E_NOENT, RV_SEAL_SAVE_VCPU, source, 64, NO_RAM);
	expect(RV_E_RANGE, RV_SEAL_SAVE_VCPU, source, 2, NO_RAM);
	expect(RV_E_STATE, RV_SEAL_SAVE_VCPU, source, 2, PAGE(IO));
	expect(RV_E_STATE, RV_SEAL_SAVE_VCPU, source, 0, PAGE(SOURCE));
	expect(RV_E_STATE, RV_SEAL_SAVE_VCPU, source, 0, vcpu_page(SOURCE, 0) + 1);
	for (u32 i = 0; i < 3; i++) {
		expect(RV_E_STATE, RV_SEAL_SAVE_PAGE, source, PAGE(IO));
		expect(RV_E_STATE, RV_SEAL_SAVE_END, source, PAGE(IO));
		expect(RV_OK, RV_SEAL_SAVE_VCPU, source, indices[i], PAGE(IO));
		expect(RV_E_STATE, RV_SEAL_SAVE_VCPU, source, indices[i], PAGE(IO));
	}

	expect(RV_E_NOENT, RV_SEAL_SAVE_PAGE, 77, NO_RAM);
	expect(RV_E_RANGE, RV_SEAL_SAVE_PAGE, source, NO_RAM);
	expect(RV_E_RANGE, RV_SEAL_SAVE_PAGE, target, NO_RAM);
	expect(RV_E_STATE, RV_SEAL_SAVE_PAGE, source, PAGE(IMAGE));
	do {
		expect(RV_E_STATE, RV_SEAL_SAVE_END, source, PAGE(IO));
		assert_int_equal(CALL_FOR(results, RV_SEAL_SAVE_PAGE, source, PAGE(IO)), RV_OK);
		pages++;
	} while (results[0] != RV_SEAL_NO_GFN);
	assert_int_equal(results[1] | results[2] | results[3], 0);
	assert_int_equal(pages, 8);
	/* Again the same answer, and no record. */
	assert_int_equal(CALL_FOR(results, RV_SEAL_SAVE_PAGE, source, PAGE(IO)), RV_OK);
	assert_int_equal(results[0], RV_SEAL_NO_GFN);
	assert_int_equal(vm_at(SOURCE)->seal.records, 3 + 7);

	expect(RV_E_NOENT, RV_SEAL_SAVE_END, 77, NO_RAM);
	expect(RV_E_RANGE, RV_SEAL_SAVE_END, source, NO_RAM);
	expect(RV_E_STATE, RV_SEAL_SAVE_END, source, PAGE(IMAGE));
	expect(RV_OK, RV_SEAL_SAVE_END, source, PAGE(IO));
	expect(RV_E_STATE, RV_SEAL_SAVE_END, source, PAGE(IO));
	expect(RV_E_STATE, RV_SEAL_ABORT, source);
	expect(RV_E_NOENT, RV_SEAL_ABORT, 77);
}

static void statuses_of_load_begin(void **state)
{
	struct vm *vm = vm_at(TARGET);
	struct rv_seal_header bad = snap.header;
	struct pool taken;

	(void)state;
	snapshot_put(PAGE(IO), &snap.header, sizeof(snap.header));
	expect(RV_E_NOENT, RV_SEAL_LOAD_BEGIN, 77, NO_RAM);
	expect(RV_E_RANGE, RV_SEAL_LOAD_BEGIN, source, NO_RAM);
	expect(RV_E_STATE, RV_SEAL_LOAD_BEGIN, source, PAGE(IO));
	expect(RV_E_STATE, RV_SEAL_LOAD_BEGIN, target, PAGE(SOURCE));
	vm->dma_contexts = 1;
	expect(RV_E_STATE, RV_SEAL_LOAD_BEGIN, target, PAGE(IO));
	vm->dma_contexts = 0;
	vm->device_pages = 1;
	expect(RV_E_STATE, RV_SEAL_LOAD_BEGIN, target, PAGE(IO));
	vm->device_pages = 0;
	vm->guest_pages = 1;
	expect(RV_E_STATE, RV_SEAL_LOAD_BEGIN, target, PAGE(IO));
	vm->guest_pages = 0;
	expect(RV_OK, RV_IMAGE_ADD, target, R << PAGE_SHIFT, 1);
	expect(RV_E_STATE, RV_SEAL_LOAD_BEGIN, target, PAGE(IO));
	new_target();
	vm = vm_at(TARGET);
	/* What is asked of a VM without vCPUs is its shape. */
	expect(RV_E_INVALID, RV_SEAL_LOAD_BEGIN, build_with(OTHER, &owner, R_PAGES, 0), PAGE(IO));
	bad.owner[0] ^= 1;
	bad.magic ^= 1;
	assert_int_equal(begin_with(&bad), RV_E_INVALID);
	bad.magic ^= 1;
	seal_forget();
	assert_int_equal(begin_with(&bad), RV_E_PERM);
	vm->is_protected = false;
	assert_int_equal(begin_with(&snap.header), RV_E_PERM);
	vm->is_protected = true;
	assert_true(pool_reserve(&vm->tables, &taken, pool_count(&vm->tables), 0));
	assert_int_equal(begin_with(&snap.header), RV_E_NOENTROPY);
	seal_init(root_secret);
	assert_int_equal(begin_with(&snap.header), RV_E_NOMEM);
	assert_true(ledger_is(pfn_make(PAGE(IO)), OWNER_HOST, PAGE_EXCLUSIVE));
	pool_return(&vm->tables, &taken);
	must_load();
}

static void statuses_of_loading(void **state)
{
	const u64 backed = ONE_PAGE;
	static const u64 malformed[] = {
		0,
		1 << 12,
		RV_SEAL_BACKED,
		RV_SEAL_BACKED | 2 << 12,
		RV_SEAL_BACKED | 512 << 12,
		RV_SEAL_BACKED | RV_SEAL_DESTROYED | 1 << 12,
		RV_SEAL_SHARED | RV_SEAL_DESTROYED | 1 << 12,
		RV_SEAL_SHARED | 0 << 12,
		RV_SEAL_SHARED | 2 << 12,
		RV_SEAL_SHARED | 1ull << 63,
		RV_SEAL_BACKED | 1 << 3 | 1 << 12,
	};

	(void)state;
	expect(RV_E_STATE, RV_SEAL_LOAD_VCPU, target, 0, PAGE(IO), 1, 2);
	expect(RV_E_STATE, RV_SEAL_LOAD_PAGE, target, R, backed, PAGE(IO), 1, 2);
	expect(RV_E_STATE, RV_SEAL_LOAD_END, target, PAGE(IO), 1, 2);
	steps(0);
	expect(RV_E_NOENT, RV_SEAL_LOAD_VCPU, 77, 1, NO_RAM, 1, 2);
	expect(RV_E_NOENT, RV_SEAL_LOAD_VCPU, target, 1, NO_RAM, 1, 2);
	expect(RV_E_NOENT, RV_SEAL_LOAD_VCPU, target, ~0ull, NO_RAM, 1, 2);
	expect(RV_E_RANGE, RV_SEAL_LOAD_VCPU, target, 2, NO_RAM, 1, 2);
	expect(RV_E_STATE, RV_SEAL_LOAD_VCPU, target, 2, PAGE(IO), 1, 2);
	expect(RV_E_STATE, RV_SEAL_LOAD_VCPU, target, 0, PAGE(SOURCE), 1, 2);
	expect(RV_E_AUTH, RV_SEAL_LOAD_VCPU, target, 0, PAGE(IO), 1, 2);
	assert_int_equal(step(0), RV_OK);
	expect(RV_E_STATE, RV_SEAL_LOAD_PAGE, target, R, backed, PAGE(IO), 1, 2);
	expect(RV_E_STATE, RV_SEAL_LOAD_END, target, PAGE(IO), 1, 2);
	assert_int_equal(step(1), RV_OK);
	assert_int_equal(step(2), RV_OK);

	for (u32 i = 0; i < ARRAY_SIZE(malformed); i++) {
		expect(RV_E_INVALID, RV_SEAL_LOAD_PAGE, 77, R, malformed[i], PAGE(IO), 1, 2);
	}
	expect(RV_E_INVALID, RV_SEAL_LOAD_PAGE, target, R + 1, RV_SEAL_SHARED | 512 << 12, PAGE(IO),
	       1, 2);
	expect(RV_E_NOENT, RV_SEAL_LOAD_PAGE, 77, R, backed, NO_RAM, 1, 2);
	expect(RV_E_RANGE, RV_SEAL_LOAD_PAGE, source, R, backed, NO_RAM, 1, 2);
	expect(RV_E_RANGE, RV_SEAL_LOAD_PAGE, source, 0, backed, PAGE(IO), 1, 2);
	expect(RV_E_RANGE, RV_SEAL_LOAD_PAGE, source, ~0ull, backed, PAGE(IO), 1, 2);
	expect(RV_E_RANGE, RV_SEAL_LOAD_PAGE, source, S + S_PAGES, backed, PAGE(IO), 1, 2);
	expect(RV_E_RANGE, RV_SEAL_LOAD_PAGE, source, S + 1024, RV_SEAL_SHARED | 512 << 12, 0, 1,
	       2);
	expect(RV_E_STATE, RV_SEAL_LOAD_PAGE, source, R, backed, PAGE(IO), 1, 2);
	expect(RV_E_STATE, RV_SEAL_LOAD_PAGE, target, R, backed, PAGE(SOURCE), 1, 2);
	assert_int_equal(step(3), RV_OK);
	expect(RV_E_STATE, RV_SEAL_LOAD_PAGE, target, R, backed, PAGE(IO), 1, 2);
	expect(RV_E_AUTH, RV_SEAL_LOAD_PAGE, target, R + 1, backed, PAGE(IO), 1, 2);

	expect(RV_E_NOENT, RV_SEAL_LOAD_END, 77, NO_RAM, 1, 2);
	expect(RV_E_RANGE, RV_SEAL_LOAD_END, source, NO_RAM, 1, 2);
	expect(RV_E_STATE, RV_SEAL_LOAD_END, target, PAGE(SOURCE), 1, 2);
	expect(RV_E_AUTH, RV_SEAL_LOAD_END, target, PAGE(IO), 1, 2);
	goes_on_with(4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(statuses_of_save_begin),
		TEST(statuses_of_saving),
		TEST(statuses_of_load_begin),
		TEST(statuses_of_loading),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
