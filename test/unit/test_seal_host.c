/* SPDX-License-Identifier: BSD-3-Clause */
/* The host while a VM is saved or loaded: what it sees, what it may do meanwhile, and what is left
 * if it gives up half way. */
#include "seal_fixture.h"

#include <pthread.h>

static u64 touched; /* how often the host tried */

static void host_writes(void)
{
	assert_true(fake_host_write(1, (PAGE(IO) << PAGE_SHIFT) + 8, ODD));
	touched++;
}

static void host_cannot_write(void)
{
	assert_false(fake_host_write(1, (PAGE(LOADED_2) << PAGE_SHIFT) + 8, ODD));
	touched++;
}

static void a_record_is_read_once(void **state)
{
	(void)state;
	touched = 0;
	assert_int_equal(snapshot_load_begin(&snap, target, PAGE(IO)), RV_OK);
	for (u32 i = 0; i < snap.count; i++) {
		bool is_page = snap.record[i].kind == SNAPSHOT_PAGE;

		before_open = !is_page ? host_writes : NULL;
		assert_int_equal(step(i), RV_OK);
	}
	assert_int_equal(touched, 4);
	assert_int_equal(run(target, 0), RV_OK);
}

static void a_page_leaves_the_host_before_it_is_opened(void **state)
{
	u64 gfns[] = { R + 5, R + 600 }, value;

	(void)state;
	for (u32 n = 0; n < 2; n++) {
		u32 i = first_of(SNAPSHOT_PAGE, gfns[n]);

		touched = 0;
		steps(i);
		before_open = host_cannot_write;
		/* And who writes until the last moment is noticed. */
		assert_true(fake_host_read(2, PAGE(LOADED_2) << PAGE_SHIFT, &value));
		fake_hostile_writer(2, OWNER_HOST, PAGE(LOADED_2) << PAGE_SHIFT, 3);
		assert_int_equal(snapshot_load_record(&snap.record[i], target, PAGE(LOADED_2)),
				 RV_E_AUTH);
		fake_calm();
		before_open = NULL;
		assert_int_equal(touched, 1);
		goes_on_with(i);
	}
}

/* The page under a record cannot be given away, and is free again afterwards. */
static void host_gives_the_page_away(void)
{
	fake_cpu_set(1);
	assert_int_equal(mem_host_take_core(PAGE(IO)), CV_E_STATE);
	fake_cpu_set(0);
	touched++;
}

static void the_page_of_a_record_is_pinned(void **state)
{
	(void)state;
	touched = 0;
	steps(0);
	/* Ranks: the VM's lock is held by CPU 0; CPU 1 takes the block's. */
	before_open = host_gives_the_page_away;
	assert_int_equal(step(0), RV_OK);
	assert_int_equal(touched, 1);
	assert_true(ledger_is(pfn_make(PAGE(IO)), OWNER_HOST, PAGE_EXCLUSIVE));
	assert_int_equal(mem_host_take_core(PAGE(IO)), CV_OK);
	mem_host_untake_core(pfn_make(PAGE(IO)));
}

static bool page_holds(u64 pfn, const void *what, u64 bytes)
{
	static u8 page[PAGE_SIZE];

	snapshot_get(pfn, page, PAGE_SIZE);
	return memmem(page, PAGE_SIZE, what, bytes) != NULL;
}

/* No 16 bytes of a private page or of a vCPU are in what the host got. */
static void the_host_sees_no_plaintext(void **state)
{
	static u8 plain[PAGE_SIZE];

	(void)state;
	for (u64 at = 0; at < PAGE_SIZE; at += 8) {
		u64 word = word_of(R + 5, at);

		memcpy(plain + at, &word, 8);
	}
	for (u32 i = 0; i < snap.count; i++) {
		for (u64 at = 0; at < PAGE_SIZE; at += 16) {
			assert_null(memmem(snap.record[i].page, PAGE_SIZE, plain + at, 16));
		}
		for (u64 at = 0; at + 16 <= sizeof(struct context); at += 16) {
			assert_null(memmem(snap.record[i].page, PAGE_SIZE,
					   (u8 *)&vcpu_at(SOURCE, 0)->ctx + at, 16));
		}
	}
	assert_false(page_holds(PAGE(IO), plain, 16));
}

/* What the host had in its page is not mixed into what it gets. */
static void a_header_fills_its_page(void **state)
{
	static u8 page[PAGE_SIZE];

	(void)state;
	memset(page, 0xa5, sizeof(page));
	snapshot_put(PAGE(IO), page, sizeof(page));
	expect(RV_OK, RV_SEAL_SAVE_BEGIN, source, PAGE(IO));
	snapshot_get(PAGE(IO), page, sizeof(page));
	for (u64 i = sizeof(struct rv_seal_header); i < PAGE_SIZE; i++) {
		assert_int_equal(page[i], 0);
	}
}

/* ---- frozen ---- */

static void a_vm_that_is_saved_is_frozen(void **state)
{
	(void)state;
	expect(RV_OK, RV_SEAL_SAVE_BEGIN, source, PAGE(IO));
	assert_int_equal(run(source, 0), RV_E_BUSY);
	expect(RV_E_BUSY, RV_MEM_MAP, source, R + 9, PAGE(SPARE + 9), 1);
	expect(RV_E_STATE, RV_MEM_RECLAIM, source, R, 1);
	expect(RV_E_BUSY, RV_SEAL_SAVE_BEGIN, source, PAGE(IO));
	expect(RV_E_STATE, RV_SEAL_LOAD_BEGIN, source, PAGE(IO));
	expect(RV_OK, RV_VM_TOPUP, source, PAGE(POOL)); /* harmless */
	snapshot_get(PAGE(IO), &snap.header, sizeof(snap.header));
	assert_int_equal(snapshot_save_rest(&snap, source, PAGE(IO)), RV_OK);
	assert_int_equal(run(source, 0), RV_OK);
	expect(RV_OK, RV_MEM_MAP, source, R + 9, PAGE(SPARE + 9), 1);
	/* A snapshot of a VM that has not started yet is none of its start. */
	vcpu_at(SOURCE, 0)->has_run = false;
	expect(RV_OK, RV_SEAL_SAVE_BEGIN, source, PAGE(IO));
	expect(RV_E_BUSY, RV_VCPU_BOOT, source, 0, R << PAGE_SHIFT, 0);
	must_load();
}

static void a_vm_that_is_loaded_changes_by_its_records_alone(void **state)
{
	(void)state;
	for (u32 i = 0; i <= snap.count - 1; i++) {
		steps(i);
		assert_int_equal(run(target, 0), RV_E_STATE);
		expect(RV_E_STATE, RV_VCPU_BOOT, target, 0, R << PAGE_SHIFT, 0);
		expect(RV_E_STATE, RV_MEM_MAP, target, R + 9, PAGE(SPARE + 9), 1);
		expect(RV_E_STATE, RV_VM_ADD_RAM, target, 0x10000, 1);
		expect(RV_E_STATE, RV_VCPU_CREATE, target, 7, PAGE(SPARE + 9), PAGE(SPARE + 10));
		expect(RV_E_STATE, RV_IMAGE_ADD, target, R << PAGE_SHIFT, PAGE_SIZE);
		expect(RV_E_STATE, RV_VM_VERIFY, target, PAGE(LAUNCH));
		expect(RV_E_STATE, RV_SEAL_LOAD_BEGIN, target, PAGE(IO));
		expect(RV_E_STATE, RV_SEAL_SAVE_BEGIN, target, PAGE(IO));
		goes_on_with(i);
	}
}

static struct {
	bool is_inside, is_frozen;
	u64 runs;
} race;

static void *run_until_frozen(void *argument)
{
	struct vcpu *vcpu;

	(void)argument;
	fake_cpu_set(1);
	while (vcpu_claim(source, 0, &vcpu) == CV_OK) {
		__atomic_store_n(&race.is_inside, true, __ATOMIC_SEQ_CST);
		if (__atomic_load_n(&race.is_frozen, __ATOMIC_SEQ_CST)) {
			fake_fail("a vCPU runs in a frozen VM");
		}
		vcpu->ctx.x[0]++;
		__atomic_fetch_add(&race.runs, 1, __ATOMIC_RELAXED);
		__atomic_store_n(&race.is_inside, false, __ATOMIC_SEQ_CST);
		vcpu_release(vcpu);
	}
	return NULL;
}

static void nobody_runs_when_saving_begins(void **state)
{
	pthread_t thread;
	s64 status;

	(void)state;
	memset(&race, 0, sizeof(race));
	pthread_create(&thread, NULL, run_until_frozen, NULL);
	while (__atomic_load_n(&race.runs, __ATOMIC_RELAXED) < 1000) {
	}
	do {
		status = CALL(RV_SEAL_SAVE_BEGIN, source, PAGE(IO));
	} while (status == RV_E_BUSY);
	__atomic_store_n(&race.is_frozen, true, __ATOMIC_SEQ_CST);
	assert_int_equal(status, RV_OK);
	assert_false(__atomic_load_n(&race.is_inside, __ATOMIC_SEQ_CST));
	pthread_join(thread, NULL);
}

/* ---- given up ---- */

static void host_has_back(u64 page, u64 count)
{
	for (u64 i = 0; i < count; i++) {
		assert_true(ledger_is(pfn_make(PAGE(page) + i), OWNER_HOST, PAGE_EXCLUSIVE));
		assert_true(fake_page_is_zero(PAGE(page) + i));
	}
}

static void saving_can_be_given_up(void **state)
{
	(void)state;
	expect(RV_OK, RV_SEAL_SAVE_BEGIN, source, PAGE(IO));
	expect(RV_OK, RV_SEAL_SAVE_VCPU, source, 0, PAGE(IO));
	expect(RV_OK, RV_SEAL_ABORT, source);
	expect(RV_E_STATE, RV_SEAL_SAVE_VCPU, source, 2, PAGE(IO));
	assert_int_equal(run(source, 0), RV_OK);
	assert_int_equal(pool_count(&vm_at(SOURCE)->tables), TABLES - 6);
	/* The next one is another one: no nonce comes again (__wrap_crypto_seal looks). */
	assert_int_equal(snapshot_save(&snap, source, PAGE(IO)), RV_OK);
	must_load();
}

/* Half a snapshot must not be completed by images. */
static void a_load_that_is_given_up_ends_the_vm(void **state)
{
	(void)state;
	for (u32 i = 0; i < snap.count; i++) {
		static const u8 zero[sizeof(struct seal)];

		steps(i);
		assert_int_equal(
			i % 2 == 0 ? CALL(RV_SEAL_ABORT, target) : CALL(RV_VM_KILL, target), RV_OK);
		assert_int_equal(vm_at(TARGET)->state, VM_POWEROFF);
		assert_memory_equal(&vm_at(TARGET)->seal, zero, sizeof(zero));
		assert_int_equal(i < snap.count - 1 ? step(i) : RV_E_STATE, RV_E_STATE);
		end_vm(target);
		for (u32 page = 0; page < i; page++) {
			if ((snap.record[page].what & RV_SEAL_BACKED) != 0) {
				host_has_back(LOADED + page, 1);
			}
		}
		host_has_back(TARGET, 4 + TABLES);
		target = build(TARGET);
	}
}

static void a_vm_killed_while_it_is_saved_leaves_nothing(void **state)
{
	u64 core = ledger_count(RV_PAGES_CORE);

	(void)state;
	end_vm(target);
	core = ledger_count(RV_PAGES_CORE);
	expect(RV_OK, RV_SEAL_SAVE_BEGIN, source, PAGE(IO));
	expect(RV_OK, RV_SEAL_SAVE_VCPU, source, 0, PAGE(IO));
	end_vm(source);
	host_has_back(SOURCE, 4 + TABLES);
	assert_int_equal(ledger_count(RV_PAGES_VM), 0);
	assert_int_equal(ledger_count(RV_PAGES_CORE), core - 3 - TABLES - 3);
	assert_int_equal(ledger_count(RV_PAGES_HOST_SHARED), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_record_is_read_once),
		TEST(a_page_leaves_the_host_before_it_is_opened),
		TEST(the_page_of_a_record_is_pinned),
		TEST(the_host_sees_no_plaintext),
		TEST(a_header_fills_its_page),
		TEST(a_vm_that_is_saved_is_frozen),
		TEST(a_vm_that_is_loaded_changes_by_its_records_alone),
		TEST(nobody_runs_when_saving_begins),
		TEST(saving_can_be_given_up),
		TEST(a_load_that_is_given_up_ends_the_vm),
		TEST(a_vm_killed_while_it_is_saved_leaves_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
