/* SPDX-License-Identifier: BSD-3-Clause */
/* What the matrix cannot say in one page: caches, batches, lists, handles, the end of everything,
 * and several CPUs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <cv/host_map.h>
#include <cv/hyp_map.h>
#include <cv/pool.h>
#include <cv/vcpu.h>

#include "mem_fixture.h"

#define SECRET 0x5ec2e75ec2e7ull

static void map(u64 handle, u64 gfn, u64 pfn)
{
	u64 done = 0;

	assert_int_equal(mem_map(handle, gfn, pfn, 1, &done), CV_OK);
	assert_int_equal(done, 1);
}

/* The page's content comes along: a protected VM's image. */
static void load(u64 handle, u64 gfn, u64 pfn)
{
	u64 index;
	u64 done;

	assert_int_equal(image_add(handle, gfn << PAGE_SHIFT, PAGE_SIZE, &index), CV_OK);
	assert_int_equal(image_map(handle, index, pfn, 1, &done), CV_OK);
}

/* Boot content that the host left dirty in the cache, with something else in DRAM: both views agree
 * afterwards. */
static void test_content_is_cleaned(void **state)
{
	u64 vm;
	u64 value;

	(void)state;
	fake_boot(&fake_small_machine);
	vm = make_vm(RV_VM_PROTECTED, PAGE(0), 2);
	assert_true(fake_host_write(0, PAGE(40) << PAGE_SHIFT, SECRET));
	assert_true(fake_write(1, OWNER_HOST, PAGE(40) << PAGE_SHIFT, 666, FAKE_UNCACHED));
	load(vm, 0, PAGE(40));
	assert_true(fake_read(0, vm & 0xff, 0, &value,
			      FAKE_UNCACHED)); /* a guest starts with its MMU off */
	assert_int_equal(value, SECRET);
	assert_true(fake_read(1, vm & 0xff, 0, &value, FAKE_CACHED));
	assert_int_equal(value, SECRET);
	/* The same for an open VM. */
	vm = make_vm(0, PAGE(20), 2);
	assert_true(fake_host_write(0, PAGE(41) << PAGE_SHIFT, SECRET));
	map(vm, 0, PAGE(41));
	assert_true(fake_read(0, vm & 0xff, 0, &value, FAKE_UNCACHED));
	assert_int_equal(value, SECRET);
	fake_halt();
}

static void test_no_stale_instructions(void **state)
{
	u64 vm;
	u64 value;

	(void)state;
	fake_boot(&fake_small_machine);
	vm = make_vm(RV_VM_PROTECTED, PAGE(0), 2);
	assert_true(fake_host_write(0, PAGE(40) << PAGE_SHIFT, 1));
	assert_true(fake_host_fetch(0, PAGE(40) << PAGE_SHIFT, &value));
	assert_true(fake_host_write(0, PAGE(40) << PAGE_SHIFT, 2));
	load(vm, 0, PAGE(40));
	assert_true(fake_fetch(0, vm & 0xff, 0, &value));
	assert_int_equal(value, 2);
	end_vm(vm);
	assert_true(fake_host_fetch(0, PAGE(40) << PAGE_SHIFT, &value));
	assert_int_equal(value, 0);
	fake_halt();
}

/* What the guest wrote never reaches the host: not by sharing, not by the VM's end, in no cache. */
static void test_secret_stays(void **state) CV_NO_LOCK_ANALYSIS
{
	u64 vm_handle;
	struct vm *vm;
	gfn_t gfn = { 1 };
	u64 value;

	(void)state;
	fake_boot(&fake_small_machine);
	vm_handle = make_vm(RV_VM_PROTECTED, PAGE(0), 2);
	for (u64 i = 0; i < 3; i++) {
		map(vm_handle, i, PAGE(40 + i));
		assert_true(fake_write(1, vm_handle & 0xff, i << PAGE_SHIFT, SECRET, FAKE_CACHED));
		assert_true(fake_write(1, vm_handle & 0xff, (i << PAGE_SHIFT) + 8, SECRET,
				       FAKE_UNCACHED));
		assert_false(fake_host_read(0, PAGE(40 + i) << PAGE_SHIFT, &value));
	}
	vm = vm_lock(vm_handle);
	assert_int_equal(mem_vm_set_wish(vm, &gfn, gfn_make(2), S2_WISH_SHARED, false), CV_OK);
	vm_unlock(vm);
	for (u64 offset = 0; offset < 16; offset += 8) {
		assert_true(fake_host_read(0, (PAGE(41) << PAGE_SHIFT) + offset, &value));
		assert_int_equal(value, 0);
		assert_true(fake_read(0, OWNER_HOST, (PAGE(41) << PAGE_SHIFT) + offset, &value,
				      FAKE_UNCACHED));
		assert_int_equal(value, 0);
	}
	/* Shared for real: each sees what the other writes. */
	assert_true(fake_host_write(0, PAGE(41) << PAGE_SHIFT, 5));
	assert_true(fake_read(1, vm_handle & 0xff, 1 << PAGE_SHIFT, &value, FAKE_CACHED));
	assert_int_equal(value, 5);
	end_vm(vm_handle);
	for (u64 i = 0; i < 60; i++) {
		assert_true(fake_host_read(0, PAGE(i) << PAGE_SHIFT, &value));
		assert_true(fake_page_token(PAGE(i)) == 0);
	}
	assert_int_equal(vm_count(), 0);
	fake_check_tlbs();
	fake_halt();
}

/* Beyond the last gfn, where what is left of the address space is less than nothing. */
static void test_ranges_beyond_the_end(void **state)
{
	static const u64 beyond[] = { GFN_LIMIT, GFN_LIMIT + 1, (1ull << 52) - 1 };
	u64 vm;
	u64 value;

	(void)state;
	fake_boot(&fake_small_machine);
	vm = make_vm(RV_VM_PROTECTED, PAGE(0), 2);
	for (u32 i = 0; i < ARRAY_SIZE(beyond); i++) {
		assert_int_equal(vm_add_ram(vm, beyond[i], 1), CV_E_RANGE);
		assert_int_equal(mem_reclaim(vm, beyond[i], 1, &value), CV_E_INVALID);
		assert_int_equal(mem_map(vm, beyond[i], PAGE(40), 1, &value), CV_E_RANGE);
		assert_int_equal(image_add(vm, beyond[i] << PAGE_SHIFT, PAGE_SIZE, &value),
				 CV_E_RANGE);
	}
	fake_halt();
}

static void test_handles_are_never_used_twice(void **state)
{
	u64 old = 0;

	(void)state;
	fake_boot(&fake_small_machine);
	for (u32 i = 0; i < 10; i++) {
		u64 handle = make_vm(0, PAGE(0), 0);

		assert_int_not_equal(handle, old);
		assert_null(vm_lock(old));
		assert_null(vm_lock(handle + (1u << VM_HANDLE_OWNER_BITS)));
		assert_null(vm_lock(handle + 1));
		end_vm(handle);
		old = handle;
	}
	assert_null(vm_lock(0));
	assert_null(vm_lock(~0ull));
	assert_null(vm_lock(OWNER_VM_LAST + 1));
	assert_null(vm_lock(2));
	fake_halt();
}

/* No two tables share a VMID, with 8 bits for it, and none has the host's. */
static void check_vmids(const u64 *handles) CV_NO_LOCK_ANALYSIS
{
	bool is_used[256] = { false };

	is_used[mem_host_s2()->vmid.v] = true;
	for (u64 i = 0; i < VM_SLOTS; i++) {
		struct vm *vm = vm_lock(handles[i]);

		assert_true(vm->s2.vmid.v < 256);
		assert_false(is_used[vm->s2.vmid.v]);
		is_used[vm->s2.vmid.v] = true;
		vm_unlock(vm);
	}
}

static void test_all_slots(void **state)
{
	u64 handles[VM_SLOTS];
	u64 handle;
	u64 left;

	(void)state;
	fake_boot(&fake_small_machine);
	for (u64 i = 0; i < VM_SLOTS; i++) {
		assert_int_equal(
			vm_create(PAGE(4 * i), PAGE(4 * i + 2), 0, fake_no_owner, &handles[i]),
			CV_OK);
	}
	assert_int_equal(vm_count(), VM_SLOTS);
	check_vmids(handles);
	assert_int_equal(vm_create(PAGE(2000), PAGE(2002), 0, fake_no_owner, &handle), CV_E_BUSY);
	assert_true(ledger_is(pfn_make(PAGE(2000)), OWNER_HOST, PAGE_EXCLUSIVE));
	assert_int_equal(vm_kill(handles[100]), CV_OK);
	assert_int_equal(vm_destroy(handles[100], &left), CV_OK);
	assert_int_equal(vm_create(PAGE(2000), PAGE(2002), 0, fake_no_owner, &handle), CV_OK);
	assert_int_equal(vm_handle_owner(handle), vm_handle_owner(handles[100]));
	fake_halt();
}

static void test_no_entropy(void **state)
{
	u64 handle;

	(void)state;
	fake_boot(&fake_small_machine);
	fake_entropy = false;
	assert_int_equal(vm_create(PAGE(0), PAGE(2), RV_VM_PROTECTED, fake_no_owner, &handle),
			 CV_E_NOENTROPY);
	assert_int_equal(vm_create(PAGE(0), PAGE(2), 0, fake_no_owner, &handle), CV_OK);
	fake_halt();
}

/* While a VM is taken apart its tables are pages like any other, and no pool has them. */
static void check_no_tables(u64 handle) CV_NO_LOCK_ANALYSIS
{
	struct vm *vm = vm_lock(handle);

	assert_int_equal(pool_count(&vm->tables), 0);
	vm_unlock(vm);
}

/* A destroy of more pages than a batch holds. Each call says exactly what is left. */
static void test_destroy_in_batches(void **state)
{
	u64 handle;
	u64 left;
	u64 expected = 3 + 1200 + VCPU_RECORD_PAGES;
	u64 calls = 0;

	(void)state;
	fake_boot(&fake_small_machine);
	handle = make_vm(RV_VM_PROTECTED, PAGE(0), 1200);
	assert_int_equal(vm_create_vcpu(handle, 0, PAGE(1300), PAGE(1301)), CV_OK);
	assert_int_equal(vm_kill(handle), CV_OK);
	do {
		u64 scrubs = fake_counts.scrubs;

		assert_int_equal(vm_destroy(handle, &left), CV_OK);
		assert_true(fake_counts.scrubs - scrubs <= RV_BATCH_PAGES);
		expected -= fake_counts.scrubs - scrubs;
		assert_int_equal(left, expected);
		if (left > 0) {
			check_no_tables(handle);
			assert_int_equal(vm_topup(handle, PAGE(1400)), CV_E_STATE);
		}
		calls++;
	} while (left > 0);
	assert_int_equal(calls, 3);
	assert_int_equal(vm_destroy(handle, &left), CV_E_NOENT);
	assert_int_equal(ledger_count(RV_PAGES_CORE),
			 FAKE_CORE_ROOTS_PAGES + fake_small_machine.core_tables);
	assert_int_equal(ledger_count(RV_PAGES_HOST_SHARED), 0);
	assert_int_equal(vm_vcpu_count(), 0);
	fake_check_tlbs();
	fake_halt();
}

/* No call does more than a batch, and each goes on where the last one stopped. */
static void test_batches(void **state) CV_NO_LOCK_ANALYSIS
{
	u64 handle;
	u64 value;
	struct vm *vm;
	gfn_t gfn = { 0 };

	(void)state;
	fake_boot(&fake_small_machine);
	handle = make_vm(RV_VM_PROTECTED, PAGE(0), 10);
	assert_int_equal(mem_map(handle, 0, PAGE(1024), 1000, &value), CV_OK);
	assert_int_equal(value, RV_BATCH_PAGES);
	assert_int_equal(mem_map(handle, 512, PAGE(1536), 512, &value), CV_OK);
	assert_int_equal(value, 512);
	vm = vm_lock(handle);
	assert_int_equal(mem_vm_set_wish(vm, &gfn, gfn_make(4096), S2_WISH_SHARED, false), CV_OK);
	assert_int_equal(gfn.v, RV_BATCH_PAGES);
	assert_int_equal(mem_vm_set_wish(vm, &gfn, gfn_make(4096), S2_WISH_SHARED, false), CV_OK);
	assert_int_equal(gfn.v, 2 * RV_BATCH_PAGES);
	/* The rest is not backed: six entries of 2 MiB. */
	assert_int_equal(mem_vm_set_wish(vm, &gfn, gfn_make(4096), S2_WISH_SHARED, false), CV_OK);
	assert_int_equal(gfn.v, 4096);
	assert_int_equal(mem_vm_get_wish(vm, gfn_make(0), gfn_make(4096), &gfn), S2_WISH_SHARED);
	assert_int_equal(gfn.v, 4096);
	assert_int_equal(mem_vm_get_wish(vm, gfn_make(4096), gfn_make(GFN_LIMIT), &gfn),
			 S2_WISH_SHARED);
	assert_int_equal(gfn.v, GFN_LIMIT);
	gfn.v = 2000;
	assert_int_equal(mem_vm_set_wish(vm, &gfn, gfn_make(2010), S2_WISH_PRIVATE, false), CV_OK);
	assert_int_equal(mem_vm_get_wish(vm, gfn_make(100), gfn_make(4096), &gfn), S2_WISH_SHARED);
	assert_int_equal(gfn.v, 2000);
	assert_int_equal(mem_vm_get_wish(vm, gfn_make(2000), gfn_make(4096), &gfn),
			 S2_WISH_PRIVATE);
	assert_int_equal(gfn.v, 2010);
	/* What is destroyed changes only where that is meant. */
	gfn.v = 3000;
	assert_int_equal(mem_vm_set_wish(vm, &gfn, gfn_make(3001), S2_WISH_DESTROYED, false),
			 CV_OK);
	gfn.v = 3000;
	assert_int_equal(mem_vm_set_wish(vm, &gfn, gfn_make(3001), S2_WISH_PRIVATE, false),
			 CV_E_STATE);
	assert_int_equal(s2_walk(&vm->s2, gfn).wish, S2_WISH_DESTROYED);
	assert_int_equal(mem_vm_set_wish(vm, &gfn, gfn_make(3001), S2_WISH_PRIVATE, true), CV_OK);
	assert_int_equal(s2_walk(&vm->s2, gfn_make(3000)).wish, S2_WISH_PRIVATE);
	vm_unlock(vm);
	/* RAM that ends inside a 2 MiB entry: nothing behind its end is touched. */
	assert_int_equal(vm_add_ram(handle, 8192, 100), CV_OK);
	vm = vm_lock(handle);
	gfn.v = 8192;
	assert_int_equal(mem_vm_set_wish(vm, &gfn, gfn_make(8192 + 512), S2_WISH_SHARED, false),
			 CV_OK);
	assert_int_equal(gfn.v, 8192 + 100);
	assert_int_equal(mem_vm_set_wish(vm, &gfn, gfn_make(8192 + 512), S2_WISH_SHARED, false),
			 CV_E_RANGE);
	assert_int_equal(s2_walk(&vm->s2, gfn_make(8192 + 100)).wish, S2_WISH_PRIVATE);
	vm_unlock(vm);
	assert_int_equal(vm_kill(handle), CV_OK);
	assert_int_equal(mem_reclaim(handle, 0, 4096, &value), CV_OK);
	assert_int_equal(value, RV_BATCH_PAGES);
	end_vm(handle);
	fake_halt();
}

/* A look that goes on too long says how far it came. */
static void test_looks(void **state) CV_NO_LOCK_ANALYSIS
{
	u64 handle;
	struct vm *vm;
	gfn_t gfn;

	(void)state;
	fake_boot(&fake_small_machine);
	handle = make_vm(RV_VM_PROTECTED, PAGE(0), 10);
	assert_int_equal(vm_add_ram(handle, 4096, 512), CV_OK);
	vm = vm_lock(handle);
	for (u64 i = 0; i < 4096 + 512; i++) {
		gfn = gfn_make(i);
		assert_int_equal(mem_vm_set_wish(vm, &gfn, gfn_make(i + 1), S2_WISH_SHARED, false),
				 CV_OK);
	}
	assert_int_equal(mem_vm_get_wish(vm, gfn_make(0), gfn_make(4096 + 512), &gfn),
			 S2_WISH_SHARED);
	assert_int_equal(gfn.v, 8 * RV_BATCH_PAGES);
	assert_int_equal(mem_vm_get_wish(vm, gfn, gfn_make(4096 + 512), &gfn), S2_WISH_SHARED);
	assert_int_equal(gfn.v, 4096 + 512);
	vm_unlock(vm);
	end_vm(handle);
	fake_halt();
}

static void test_ranges_of_ram(void **state)
{
	u64 handle;

	(void)state;
	fake_boot(&fake_small_machine);
	handle = make_vm(RV_VM_PROTECTED, PAGE(0), 3); /* with one */
	for (u64 i = 1; i < RV_RAM_RANGES; i++) {
		assert_int_equal(vm_add_ram(handle, 4096 + 2 * i, 1), CV_OK);
	}
	assert_int_equal(vm_add_ram(handle, 8192, 1), CV_E_BUSY);
	end_vm(handle);
	fake_halt();
}

/* What the host lends must be the host's alone. */
static void test_lend_what_is_lent(void **state)
{
	u64 handle;

	(void)state;
	fake_boot(&fake_small_machine);
	handle = make_vm(RV_VM_PROTECTED, PAGE(0), 3);
	map(handle, 0, PAGE(40));
	assert_int_equal(mem_host_share_core(PAGE(0)), CV_E_STATE);
	assert_int_equal(mem_host_share_core(PAGE(40)), CV_E_STATE);
	assert_int_equal(mem_host_share_core(PAGE(41)), CV_OK);
	assert_int_equal(mem_host_share_core(PAGE(41)), CV_E_STATE);
	assert_int_equal(mem_host_pin(PAGE(40)), CV_E_STATE);
	assert_int_equal(mem_host_pin(PAGE(41)), CV_E_STATE);
	assert_int_equal(mem_host_share_core(0x30000), CV_E_RANGE); /* no RAM */
	assert_int_equal(mem_host_pin(0x30000), CV_E_RANGE);
	mem_host_unshare_core(pfn_make(PAGE(41)));
	end_vm(handle);
	fake_halt();
}

/* A page that a guest shares stays a leaf of its own, so that taking it back from the host needs no
 * table. */
static void test_shared_page_stays_split(void **state) CV_NO_LOCK_ANALYSIS
{
	struct pool drained;
	u64 handle;
	u64 value;
	struct vm *vm;
	gfn_t gfn = { 0 };

	(void)state;
	fake_boot(&fake_small_machine);
	handle = make_vm(RV_VM_PROTECTED, PAGE(0), 3);
	vm = vm_lock(handle);
	assert_int_equal(mem_vm_set_wish(vm, &gfn, gfn_make(2), S2_WISH_SHARED, false), CV_OK);
	vm_unlock(vm);
	map(handle, 0, PAGE(600));
	/* Its neighbour comes and goes: no reason to join the block. */
	assert_int_equal(mem_host_donate_core(PAGE(700)), CV_OK);
	mem_core_return_host(pfn_make(PAGE(700)));
	assert_true(pool_reserve(mem_core_pool(), &drained, pool_count(mem_core_pool()), 0));
	vm = vm_lock(handle);
	gfn.v = 0;
	assert_int_equal(mem_vm_set_wish(vm, &gfn, gfn_make(1), S2_WISH_PRIVATE, false), CV_OK);
	vm_unlock(vm);
	assert_false(fake_host_read(0, PAGE(600) << PAGE_SHIFT, &value));
	assert_true(fake_host_read(0, PAGE(700) << PAGE_SHIFT, &value));
	fake_check_tlbs();
	fake_halt();
}

/* As a mistake in the tables would leave it: under the block's lock no call ever does. */
static void unmap_from_host(u64 pfn)
{
	struct lock *lock = ledger_lock(pfn_make(pfn));

	lock_acquire(lock);
	host_map_remove(pfn_make(pfn), 3);
	lock_release(lock);
}

/* What the host may reach is the ledger's word: where its table lacks a page, the fault mends it.
 */
static void test_fault_maps_what_is_the_hosts(void **state) CV_NO_LOCK_ANALYSIS
{
	struct vm *vm;
	gfn_t gfn = { 0 };
	u64 handle, value;

	(void)state;
	fake_boot(&fake_small_machine);
	handle = make_vm(RV_VM_PROTECTED, PAGE(0), 3);
	vm = vm_lock(handle);
	assert_int_equal(mem_vm_set_wish(vm, &gfn, gfn_make(1), S2_WISH_SHARED, false), CV_OK);
	vm_unlock(vm);
	map(handle, 0, PAGE(40));
	map(handle, 1, PAGE(41));
	unmap_from_host(PAGE(40));
	unmap_from_host(PAGE(42));
	assert_true(fake_host_write(0, PAGE(40) << PAGE_SHIFT, 1));
	assert_false(fake_host_read(0, PAGE(41) << PAGE_SHIFT, &value));
	assert_true(fake_host_write(0, PAGE(42) << PAGE_SHIFT, 1));
	fake_check_tlbs();
	end_vm(handle);
	fake_halt();
}

static void test_vm_write(void **state) CV_NO_LOCK_ANALYSIS
{
	u64 handle;
	u64 value;
	struct vm *vm;
	gfn_t gfn = { 1 };
	static const u8 data[PAGE_SIZE] = { 1, 2, 3, 4, 5, 6, 7, 8 };

	(void)state;
	fake_boot(&fake_small_machine);
	handle = make_vm(RV_VM_PROTECTED, PAGE(0), 3);
	map(handle, 0, PAGE(40));
	map(handle, 1, PAGE(41));
	vm = vm_lock(handle);
	assert_int_equal(mem_vm_set_wish(vm, &gfn, gfn_make(2), S2_WISH_SHARED, false), CV_OK);
	assert_int_equal(mem_vm_write(vm, ipa_make(8), data, 8), CV_OK);
	assert_true(fake_read(0, handle & 0xff, 8, &value, FAKE_UNCACHED));
	assert_int_equal(value, 0x0807060504030201);
	assert_int_equal(mem_vm_write(vm, ipa_make(0), data, PAGE_SIZE), CV_OK);
	assert_int_equal(mem_vm_write(vm, ipa_make(1), data, PAGE_SIZE), CV_E_RANGE);
	assert_int_equal(mem_vm_write(vm, ipa_make(0), data, ~0ull), CV_E_RANGE);
	assert_int_equal(mem_vm_write(vm, ipa_make(4096ull << PAGE_SHIFT), data, 1), CV_E_RANGE);
	assert_int_equal(mem_vm_write(vm, ipa_make(~0ull), data, 1), CV_E_RANGE);
	assert_int_equal(mem_vm_write(vm, ipa_make(2 * PAGE_SIZE), data, 1), CV_E_NOENT);
	assert_int_equal(mem_vm_write(vm, ipa_make(PAGE_SIZE), data, 1), CV_E_STATE);
	vm_unlock(vm);
	fake_halt();
}

static void test_pin_limit(void **state)
{
	u64 handle;
	struct fake_counts before;
	u64 done;

	(void)state;
	fake_boot(&fake_small_machine);
	handle = make_vm(0, PAGE(0), 12);
	before = fake_counts;
	for (u64 i = 0; i < 4095; i++) {
		map(handle, i, PAGE(40));
	}
	/* Each time the guest may fetch what the host wrote as data. */
	assert_int_equal(fake_counts.icache - before.icache, 4095);
	assert_int_equal(mem_map(handle, 4095, PAGE(40), 1, &done), CV_E_STATE);
	end_vm(handle);
	assert_true(ledger_is(pfn_make(PAGE(40)), OWNER_HOST, PAGE_EXCLUSIVE));
	fake_halt();
}

/* The pool's last pages are for RV_POOL_TOPUP: it works when nothing else does. */
static void test_topup_when_low(void **state)
{
	struct pool drained;

	(void)state;
	fake_boot(&fake_small_machine);
	assert_true(pool_reserve(mem_core_pool(), &drained,
				 pool_count(mem_core_pool()) - CORE_POOL_FLOOR, 0));
	assert_int_equal(mem_host_donate_core(PAGE(0)), CV_E_NOMEM);
	for (u64 i = 0; i < 8; i++) {
		assert_int_equal(mem_pool_topup(PAGE(i)), CV_OK);
	}
	assert_int_equal(pool_count(mem_core_pool()),
			 CORE_POOL_FLOOR + 8 - 2); /* two tables for the region */
	assert_int_equal(mem_host_donate_core(PAGE(9)), CV_OK);
	fake_halt();
}

static void test_scrub_all(void **state)
{
	u64 handle;

	(void)state;
	fake_boot(&fake_small_machine);
	handle = make_vm(RV_VM_PROTECTED, PAGE(0), 3);
	assert_int_equal(vm_create_vcpu(handle, 0, PAGE(30), PAGE(31)), CV_OK);
	fake_poke(PAGE(30), 2000, SECRET); /* a register in the record */
	map(handle, 0, PAGE(40));
	assert_true(fake_write(1, handle & 0xff, 0, SECRET, FAKE_CACHED));
	fake_poke(PAGE(50), 0, SECRET); /* the host's own stays */
	fake_hostile_writer(1, handle & 0xff, 0, SECRET);
	vm_scrub_all();
	for (u64 i = 0; i < 41; i++) {
		if (i != 31) {
			assert_true(fake_page_token(PAGE(i)) == 0);
		}
	}
	assert_int_equal(fake_peek(PAGE(50), 0), SECRET);
	assert_null(vm_lock(handle));
	fake_halt();
}

/* The roots of a VM that is gone are pages of the host's, whose content nobody takes for tables. */
static void test_revoke_leaves_the_host_s(void **state)
{
	const u64 root = PAGE(2);

	(void)state;
	fake_boot(&fake_small_machine);
	end_vm(make_vm(0, PAGE(0), 3));
	fake_poke(root, 0, SECRET);
	vm_revoke_all();
	assert_int_equal(fake_peek(root, 0), SECRET);
	fake_halt();
}

static void test_revoke_everything(void **state)
{
	u64 handle;
	u64 value;

	(void)state;
	fake_boot(&fake_small_machine);
	handle = make_vm(RV_VM_PROTECTED, PAGE(0), 3);
	map(handle, 0, PAGE(40));
	assert_true(fake_read(1, handle & 0xff, 0, &value, FAKE_CACHED));
	assert_true(fake_host_read(1, PAGE(50) << PAGE_SHIFT, &value));
	mem_revoke_everything();
	for (u32 cpu = 0; cpu < FAKE_CPUS; cpu++) {
		assert_false(fake_read(cpu, handle & 0xff, 0, &value, FAKE_CACHED));
		assert_false(
			fake_read(cpu, OWNER_HOST, PAGE(50) << PAGE_SHIFT, &value, FAKE_CACHED));
		assert_false(fake_read(cpu, OWNER_HOST, 0x09000000, &value, FAKE_CACHED));
	}
	fake_check_tlbs();
	fake_halt();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_content_is_cleaned),
		cmocka_unit_test(test_no_stale_instructions),
		cmocka_unit_test(test_secret_stays),
		cmocka_unit_test(test_ranges_beyond_the_end),
		cmocka_unit_test(test_handles_are_never_used_twice),
		cmocka_unit_test(test_all_slots),
		cmocka_unit_test(test_no_entropy),
		cmocka_unit_test(test_destroy_in_batches),
		cmocka_unit_test(test_batches),
		cmocka_unit_test(test_looks),
		cmocka_unit_test(test_ranges_of_ram),
		cmocka_unit_test(test_lend_what_is_lent),
		cmocka_unit_test(test_shared_page_stays_split),
		cmocka_unit_test(test_fault_maps_what_is_the_hosts),
		cmocka_unit_test(test_vm_write),
		cmocka_unit_test(test_pin_limit),
		cmocka_unit_test(test_topup_when_low),
		cmocka_unit_test(test_scrub_all),
		cmocka_unit_test(test_revoke_leaves_the_host_s),
		cmocka_unit_test(test_revoke_everything),
	};

	return cmocka_run_group_tests_name("calls", tests, NULL, NULL);
}
