/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * DMA contexts, beyond the matrix: the worked examples T11 to T18 of the seeds' primitives
 * (reference 16.5; each quotes what the seed expects, docs/spec-decisions.md has the row named),
 * which status comes first, batches, the device's TLB, the full count, the end of everything.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <cv/dma.h>
#include <cv/pool.h>
#include <cv/vcpu.h>

#include "mem_dma.h"

/* Where things lie in the host's 2 MiB blocks; CONTEXTS: mem_dma.h. */
enum { VM = 0, VM2 = 20, GUEST = 200, HOST = 300 };
#define SECRET 0x5ec2e75ec2e7ull

static u64 vm;

static int set_up(void **state)
{
	(void)state;
	fake_boot(&fake_small_machine);
	vm = make_vm(RV_VM_PROTECTED, PAGE(VM), 4);
	return 0;
}

static void give(u64 handle, u64 gfn, u64 pfn)
{
	u64 done = 0;

	assert_int_equal(mem_map(handle, gfn, pfn, 1, &done), CV_OK);
}

static enum cv_status map(u32 context, u64 iova, u64 pfn)
{
	u64 done = 77;
	enum cv_status status = dma_map(context, iova, pfn, 1, &done);

	assert_int_equal(done, status == CV_OK ? 1 : 77);
	return status;
}

static enum cv_status unmap(u32 context, u64 iova)
{
	u64 next = 77;
	enum cv_status status = dma_unmap(context, iova, 1, &next);

	assert_int_equal(next, status == CV_OK ? iova + 1 : 77);
	return status;
}

static bool is_page(u64 pfn, u32 owner, enum page_state page_state, u32 count, u64 gfn)
{
	struct page page = ledger_get(pfn_make(pfn));

	return page.owner == owner && page.state == page_state && page.count == count &&
	       page.gfn == gfn;
}

static bool is_guests(u64 pfn, u32 count, u64 gfn)
{
	return is_page(pfn, (u32)(vm & 0xff), PAGE_EXCLUSIVE, count, gfn);
}

static bool is_hosts(u64 pfn, u32 count)
{
	return is_page(pfn, OWNER_HOST, count > 0 ? PAGE_SHARED : PAGE_EXCLUSIVE, count, 0);
}

static void set_state(u64 handle, enum vm_state to) CV_NO_LOCK_ANALYSIS
{
	struct vm *record = vm_lock(handle);

	vm_set_state(record, to);
	vm_unlock(record);
}

static void set_sealing(u64 handle, u32 mode) CV_NO_LOCK_ANALYSIS
{
	struct vm *record = vm_lock(handle);

	record->seal.mode = mode;
	vm_unlock(record);
}

/* ---- the seeds' examples ---- */

/* Seed: page (HOST, 0, -), VM 2 READY: assign_smmu(2, 0x500, 0x80): (2, INVALID, 0x80), host entry
 * gone. Ours: assigning for DMA is donating (RV_MEM_MAP): the page is the VM's, mapped for it, and
 * its count says 0; there is no state "assigned but not there" that the host could use (D41, D65,
 * W4). */
static void test_T11(void **state)
{
	u64 pfn = PAGE(GUEST), value, done;
	u64 other = make_vm(0, PAGE(VM2), 4);

	(void)state;
	give(vm, 0x80, pfn);
	assert_true(is_guests(pfn, 0, 0x80));
	assert_false(fake_host_read(0, pfn << PAGE_SHIFT, &value));
	assert_true(fake_read(1, vm & 0xff, 0x80 << PAGE_SHIFT, &value, FAKE_CACHED));
	/* W4: what the host may not do with it, now or while it is mapped for DMA. */
	make_context(0, vm, 2);
	make_context(1, 0, 2);
	for (u32 i = 0; i < 2; i++) {
		assert_int_equal(mem_map(other, 0, pfn, 1, &done), CV_E_STATE);
		assert_int_equal(mem_host_donate_core(pfn), CV_E_STATE);
		assert_int_equal(map(1, pfn, pfn), CV_E_STATE);
		assert_false(fake_host_read(0, pfn << PAGE_SHIFT, &value));
		assert_true(is_guests(pfn, i, 0x80));
		assert_int_equal(map(0, 0x80, pfn), i == 0 ? CV_OK : CV_E_BUSY);
	}
}

/* Seed: after T11, assign_smmu(2, 0x500, 0x99): no-op, gfn stays 0x80. Ours: STATE (D35). */
static void test_T12(void **state)
{
	u64 done = 77;

	(void)state;
	give(vm, 0x80, PAGE(GUEST));
	assert_int_equal(mem_map(vm, 0x99, PAGE(GUEST), 1, &done), CV_E_STATE);
	assert_int_equal(done, 77);
	assert_true(is_guests(PAGE(GUEST), 0, 0x80));
}

/* Seed: after T12, map_smmu(2, cb, ix, 0x99000, pte of 0x500): HALT holding VM(2), S2PAGE. Ours:
 * STATE, no lock held, nothing changed (D1). */
static void test_T13(void **state)
{
	(void)state;
	give(vm, 0x80, PAGE(GUEST));
	make_context(0, vm, 2);
	assert_int_equal(map(0, 0x99, PAGE(GUEST)), CV_E_STATE);
	assert_int_equal(fake_locks_held(), 0);
	assert_true(is_guests(PAGE(GUEST), 0, 0x80));
	assert_false(device_reaches(0, 0x99));
	assert_int_equal(pool_count((struct pool *)&dma_context(0)->tables), 2);
}

/* Seed: after T11, map_smmu(2, cb, ix, 0x80000, pte of 0x500): mapped, count stays INVALID. Ours:
 * mapped, count 1 (B11). */
static void test_T14(void **state)
{
	(void)state;
	give(vm, 0x80, PAGE(GUEST));
	make_context(0, vm, 2);
	assert_int_equal(map(0, 0x80, PAGE(GUEST)), CV_OK);
	assert_true(is_guests(PAGE(GUEST), 1, 0x80));
	assert_true(device_reaches(0, 0x80));
}

/* Seed: host page mapped by 15 host banks, count 15: map_smmu at the 16th: count 16; the same call
 * again: entry rewritten, count stays 16, no error. Ours: again is BUSY, and a 17th context counts
 * 17: the count has no such bound (D39, B11). */
static void test_T15(void **state)
{
	u64 pfn = PAGE(HOST);

	(void)state;
	for (u32 i = 0; i < 17; i++) {
		make_context(i, 0, 2);
		assert_int_equal(map(i, pfn, pfn), CV_OK);
		assert_true(is_hosts(pfn, i + 1));
		assert_int_equal(map(i, pfn, pfn), CV_E_BUSY);
		assert_true(is_hosts(pfn, i + 1));
	}
	assert_int_equal(mem_host_donate_core(pfn), CV_E_STATE);
}

/* Seed: host page, count 1 (bank A): map_smmu at bank A again: count 2; clear_smmu at A: count 1
 * with no live mapping; clear_smmu at A: nothing changes. Ours: BUSY and count 1; count 0; nothing
 * changes, and the page can be donated again (B11, W21). */
static void test_T16(void **state)
{
	u64 pfn = PAGE(HOST);

	(void)state;
	make_context(0, 0, 2);
	assert_int_equal(map(0, pfn, pfn), CV_OK);
	assert_int_equal(map(0, pfn, pfn), CV_E_BUSY);
	assert_true(is_hosts(pfn, 1));
	assert_int_equal(unmap(0, pfn), CV_OK);
	assert_true(is_hosts(pfn, 0));
	assert_int_equal(unmap(0, pfn), CV_OK);
	assert_true(is_hosts(pfn, 0));
	assert_int_equal(dma_context(0)->pages, 0);
	assert_int_equal(mem_host_donate_core(pfn), CV_OK);
}

/* Seed: empty iova: clear_smmu: no change, all locks returned. Ours: the same, OK (B12). */
static void test_T17(void **state)
{
	u64 writes;

	(void)state;
	make_context(0, vm, 2);
	writes = fake_counts.pte_writes;
	assert_int_equal(unmap(0, 0x80), CV_OK);
	assert_int_equal(fake_locks_held(), 0);
	assert_int_equal(fake_counts.pte_writes, writes);
	assert_int_equal(pool_count((struct pool *)&dma_context(0)->tables), 2);
}

/* Seed: pa in RAM: map_io (VM READY): no-op. Ours: PERM (B13, W22); the page stays whose it was. */
static void test_T18(void **state)
{
	u64 value;

	(void)state;
	give(vm, 0x80, PAGE(GUEST));
	assert_int_equal(mem_map_io(vm, 8192, PAGE(HOST)), CV_E_PERM);
	assert_int_equal(mem_map_io(vm, 8192, PAGE(GUEST)), CV_E_PERM);
	assert_true(is_hosts(PAGE(HOST), 0));
	assert_true(is_guests(PAGE(GUEST), 0, 0x80));
	assert_false(fake_read(1, vm & 0xff, 8192 << PAGE_SHIFT, &value, FAKE_CACHED));
}

/* ---- the device's TLB ---- */

/* What a device once saw it uses until it is told to forget: after an unmap it is, for that page;
 * no CPU is, they never knew. */
static void test_device_tlb(void **state)
{
	struct fake_counts before;

	(void)state;
	make_context(0, 0, 2);
	fake_watch(S2_VMID_DMA, PAGE(HOST) << PAGE_SHIFT);
	assert_int_equal(map(0, PAGE(HOST), PAGE(HOST)), CV_OK);
	assert_int_equal(map(0, PAGE(HOST + 1), PAGE(HOST + 1)), CV_OK);
	assert_true(device_reaches(0, PAGE(HOST)) && device_reaches(0, PAGE(HOST + 1)));
	before = fake_counts;
	assert_int_equal(unmap(0, PAGE(HOST)), CV_OK);
	assert_false(device_reaches(0, PAGE(HOST)));
	assert_true(device_reaches(0, PAGE(HOST + 1)));
	assert_int_equal(fake_counts.tlb_dma, before.tlb_dma + 1);
	assert_int_equal(fake_counts.tlb_ipa, before.tlb_ipa);
	assert_int_equal(fake_counts.tlb_vmid, before.tlb_vmid);
	assert_int_equal(unmap(0, PAGE(HOST + 1)), CV_OK);
	free_context(0);
	assert_int_equal(fake_dma_root(0).v, 0);
}

/* A page that leaves DMA and goes to a VM: the device, writing all the time, leaves no trace. */
static void test_device_writes_on(void **state)
{
	u64 pfn = PAGE(HOST);

	(void)state;
	make_context(0, 0, 2);
	assert_int_equal(map(0, pfn, pfn), CV_OK);
	assert_true(fake_dma_write(0, pfn << PAGE_SHIFT, SECRET));
	fake_hostile_writer(FAKE_SMMU, S2_VMID_DMA, pfn << PAGE_SHIFT, SECRET);
	assert_int_equal(unmap(0, pfn), CV_OK);
	give(vm, 1, pfn);
	fake_calm();
	assert_true(fake_page_is_zero(pfn));
	assert_false(fake_dma_write(0, pfn << PAGE_SHIFT, SECRET));
}

/* ---- who may map what ---- */

static void test_other_owners_pages(void **state)
{
	u64 other = make_vm(RV_VM_PROTECTED, PAGE(VM2), 4);

	(void)state;
	make_context(0, 0, 2);
	make_context(1, vm, 2);
	give(vm, 5, PAGE(GUEST));
	give(other, 5, PAGE(GUEST + 1));
	/* another VM's, at the same gfn; the corevisor's; a free page of the host */
	assert_int_equal(map(1, 5, PAGE(GUEST + 1)), CV_E_STATE);
	assert_int_equal(map(1, 6, PAGE(VM)), CV_E_STATE);
	assert_int_equal(map(1, 6, PAGE(HOST)), CV_E_STATE);
	assert_int_equal(map(0, PAGE(GUEST), PAGE(GUEST)), CV_E_STATE);
	assert_int_equal(map(0, PAGE(VM), PAGE(VM)), CV_E_STATE);
	assert_int_equal(map(0, fake_info_pfn(), fake_info_pfn()), CV_E_STATE);
	/* a device, the last page of RAM's next, page 0 */
	assert_int_equal(map(0, FAKE_IO_BASE >> PAGE_SHIFT, FAKE_IO_BASE >> PAGE_SHIFT),
			 CV_E_RANGE);
	assert_int_equal(map(0, 0, 0), CV_E_RANGE);
	assert_int_equal(map(0, ~0ull, ~0ull), CV_E_RANGE);
	assert_int_equal(dma_context(0)->pages + dma_context(1)->pages, 0);
	assert_true(is_guests(PAGE(GUEST), 0, 5));
	assert_true(is_hosts(PAGE(HOST), 0));
	assert_int_equal(ledger_get(pfn_make(PAGE(VM))).owner, OWNER_CORE);
}

static void test_two_contexts_of_a_vm(void **state)
{
	(void)state;
	give(vm, 5, PAGE(GUEST));
	make_context(3, vm, 2);
	make_context(63, vm, 0);
	assert_int_equal(dma_topup(63, PAGE(900)), CV_OK);
	assert_int_equal(dma_topup(63, PAGE(901)), CV_OK);
	assert_int_equal(map(3, 5, PAGE(GUEST)), CV_OK);
	assert_int_equal(map(63, 5, PAGE(GUEST)), CV_OK);
	assert_true(is_guests(PAGE(GUEST), 2, 5));
	assert_int_equal(unmap(3, 5), CV_OK);
	assert_true(is_guests(PAGE(GUEST), 1, 5));
	assert_true(device_reaches(63, 5) && !device_reaches(3, 5));
	assert_int_equal(unmap(63, 5), CV_OK);
	assert_true(is_guests(PAGE(GUEST), 0, 5));
}

/* An open VM's pages are the host's: its context maps what the VM maps, and pins it; the pin stays
 * when the VM loses the page. */
static void test_open_vm(void **state)
{
	u64 open = make_vm(0, PAGE(VM2), 4);
	u64 next;

	(void)state;
	give(open, 5, PAGE(HOST));
	make_context(0, open, 2);
	assert_int_equal(map(0, 6, PAGE(HOST)), CV_E_STATE);
	assert_int_equal(map(0, 5, PAGE(HOST + 1)), CV_E_STATE);
	assert_int_equal(map(0, 5, PAGE(HOST)), CV_OK);
	assert_true(is_hosts(PAGE(HOST), 2));
	assert_int_equal(mem_reclaim(open, 5, 1, &next), CV_OK);
	assert_true(is_hosts(PAGE(HOST), 1));
	assert_int_equal(mem_host_donate_core(PAGE(HOST)), CV_E_STATE);
	assert_int_equal(unmap(0, 5), CV_OK);
	assert_true(is_hosts(PAGE(HOST), 0));
}

/* What was hashed must be what the guest finds: no device writes to an image before it runs. */
/* RAM that begins low: where nothing is backed, the walk's "address 0" is nobody's page. */
static void test_open_vm_and_low_ram(void **state)
{
	struct fake_machine low = fake_small_machine;

	(void)state;
	memmove(&low.regions[1], &low.regions[0], 2 * sizeof(low.regions[0]));
	low.regions[0] =
		(struct ledger_region){ .base = pa_make(BLOCK_SIZE), .pages = PAGES_PER_BLOCK };
	low.region_count = 3;
	fake_halt();
	fake_boot(&low);
	vm = make_vm(0, PAGE(VM), 4);
	make_context(0, vm, 2);
	assert_int_equal(map(0, PAGES_PER_BLOCK + 1, PAGES_PER_BLOCK + 1), CV_E_STATE);
}

static void test_image_pages(void **state)
{
	u64 index, done;

	(void)state;
	make_context(0, vm, 2);
	give(vm, 8, PAGE(GUEST + 8));
	assert_int_equal(image_add(vm, 5 << PAGE_SHIFT, PAGE_SIZE + 1, &index), CV_OK);
	assert_int_equal(image_map(vm, index, PAGE(GUEST), 2, &done), CV_OK);
	assert_int_equal(map(0, 5, PAGE(GUEST)), CV_E_STATE);
	assert_int_equal(map(0, 6, PAGE(GUEST + 1)), CV_E_STATE);
	assert_true(is_guests(PAGE(GUEST), 0, 5));
	assert_int_equal(map(0, 8, PAGE(GUEST + 8)), CV_OK);
}

/* The guest shares, and takes back, a page that its devices use: count and mapping stay. */
static void test_share_state_does_not_matter(void **state) CV_NO_LOCK_ANALYSIS
{
	struct vm *record;
	gfn_t gfn = { 5 };

	(void)state;
	give(vm, 5, PAGE(GUEST));
	make_context(0, vm, 2);
	assert_int_equal(map(0, 5, PAGE(GUEST)), CV_OK);
	record = vm_lock(vm);
	assert_int_equal(mem_vm_set_wish(record, &gfn, gfn_make(6), S2_WISH_SHARED, false), CV_OK);
	assert_true(is_page(PAGE(GUEST), (u32)(vm & 0xff), PAGE_SHARED, 1, 5));
	gfn.v = 5;
	assert_int_equal(mem_vm_set_wish(record, &gfn, gfn_make(6), S2_WISH_PRIVATE, false), CV_OK);
	vm_unlock(record);
	assert_true(is_guests(PAGE(GUEST), 1, 5));
	assert_true(device_reaches(0, 5));
	assert_int_equal(unmap(0, 5), CV_OK);
}

/* A run page is pinned by the vCPU and by the context: each unpins its own. */
static void test_run_page_in_dma(void **state)
{
	u64 left = 1;

	(void)state;
	make_context(0, 0, 2);
	assert_int_equal(vm_create_vcpu(vm, 0, PAGE(HOST + 1), PAGE(HOST)), CV_OK);
	assert_int_equal(map(0, PAGE(HOST), PAGE(HOST)), CV_OK);
	assert_true(is_hosts(PAGE(HOST), 2));
	assert_int_equal(vm_kill(vm), CV_OK);
	assert_int_equal(vm_destroy(vm, &left), CV_OK);
	assert_true(is_hosts(PAGE(HOST), 1));
	assert_int_equal(unmap(0, PAGE(HOST)), CV_OK);
	assert_true(is_hosts(PAGE(HOST), 0));
	fake_attach((u32)(vm & 0xff), pa_make(0));
}

/* ---- statuses, in their order ---- */

static void test_alloc_statuses(void **state)
{
	u64 nobody = 0x777;

	(void)state;
	make_context(0, 0, 0);
	/* everything is wrong; then one thing less each time */
	assert_int_equal(dma_alloc(RV_DMA_CONTEXTS, nobody, 1), CV_E_INVALID);
	assert_int_equal(dma_alloc(0, nobody, PAGE(VM) + 1), CV_E_INVALID);
	assert_int_equal(dma_alloc(0, nobody, ~1ull), CV_E_NOENT);
	set_state(vm, VM_VERIFIED);
	assert_int_equal(dma_alloc(0, vm, ~1ull), CV_E_RANGE);
	assert_int_equal(dma_alloc(0, vm, PAGE(VM)), CV_E_STATE);
	assert_int_equal(dma_alloc(0, vm, PAGE(HOST)), CV_E_STATE); /* VERIFIED */
	set_state(vm, VM_POWEROFF);
	assert_int_equal(dma_alloc(0, vm, PAGE(HOST)), CV_E_STATE);
	set_state(vm, VM_READY);
	set_sealing(vm, SEAL_LOADING);
	assert_int_equal(dma_alloc(0, vm, PAGE(HOST)), CV_E_STATE);
	set_sealing(vm, SEAL_NONE);
	assert_int_equal(dma_alloc(0, vm, PAGE(HOST)), CV_E_BUSY);
	/* the second root page alone is the trouble */
	assert_int_equal(mem_host_donate_core(PAGE(HOST) + 1), CV_OK);
	assert_int_equal(dma_alloc(1, vm, PAGE(HOST)), CV_E_STATE);
	assert_true(is_hosts(PAGE(HOST), 0));
	assert_false(dma_context(1)->is_owned);
}

/* The core has no table: nothing is taken, and the context has no owner. */
static void test_alloc_nomem(void **state)
{
	struct pool drained;
	u64 far = PAGE(3 * 512);

	(void)state;
	assert_true(pool_reserve(mem_core_pool(), &drained,
				 pool_count(mem_core_pool()) - CORE_POOL_FLOOR, 0));
	assert_int_equal(dma_alloc(0, vm, far), CV_E_NOMEM);
	assert_true(is_hosts(far, 0) && is_hosts(far + 1, 0));
	assert_int_equal(dma_topup(0, far), CV_E_NOENT);
	assert_int_equal(fake_dma_root(0).v, 0);
	pool_return(mem_core_pool(), &drained);
	assert_int_equal(dma_alloc(0, vm, far), CV_OK);
	assert_true(pool_reserve(mem_core_pool(), &drained,
				 pool_count(mem_core_pool()) - CORE_POOL_FLOOR, 0));
	assert_int_equal(dma_topup(0, far + 512), CV_E_NOMEM);
	assert_true(is_hosts(far + 512, 0));
	assert_int_equal(dma_context(0)->donated_count, 2);
}

static void test_topup_statuses(void **state)
{
	(void)state;
	make_context(0, vm, 0);
	set_state(vm, VM_VERIFIED);
	assert_int_equal(dma_topup(RV_DMA_CONTEXTS, ~0ull), CV_E_INVALID);
	assert_int_equal(dma_topup(1, ~0ull), CV_E_NOENT);
	assert_int_equal(dma_topup(0, ~0ull), CV_E_RANGE);
	assert_int_equal(dma_topup(0, PAGE(VM)), CV_E_STATE);
	assert_int_equal(dma_topup(0, PAGE(HOST)), CV_E_STATE);
	assert_true(is_hosts(PAGE(HOST), 0));
	set_state(vm, VM_READY);
	assert_int_equal(dma_topup(0, PAGE(HOST)), CV_OK);
}

static void test_map_statuses(void **state)
{
	u64 done = 77;

	(void)state;
	give(vm, 5, PAGE(GUEST));
	make_context(0, vm, 0);
	set_state(vm, VM_VERIFIED);
	assert_int_equal(dma_map(RV_DMA_CONTEXTS, 5, PAGE(GUEST), 0, &done), CV_E_INVALID);
	assert_int_equal(dma_map(0, GFN_LIMIT, PAGE(HOST), 0, &done), CV_E_INVALID);
	assert_int_equal(map(1, GFN_LIMIT, PAGE(HOST)), CV_E_NOENT);
	assert_int_equal(map(0, GFN_LIMIT, PAGE(HOST)), CV_E_RANGE);
	assert_int_equal(map(0, 5, ~0ull), CV_E_RANGE);
	assert_int_equal(map(0, 5, PAGE(GUEST)), CV_E_STATE); /* VERIFIED */
	set_state(vm, VM_POWEROFF);
	assert_int_equal(map(0, 5, PAGE(GUEST)), CV_E_STATE);
	set_state(vm, VM_READY);
	set_sealing(vm, SEAL_LOADING);
	assert_int_equal(map(0, 5, PAGE(GUEST)), CV_E_STATE);
	set_sealing(vm, SEAL_NONE);
	assert_int_equal(map(0, 6, PAGE(GUEST)), CV_E_STATE);
	assert_int_equal(map(0, 5, PAGE(GUEST)), CV_E_NOMEM);
	assert_int_equal(dma_topup(0, PAGE(HOST)), CV_OK);
	assert_int_equal(map(0, 5, PAGE(GUEST)), CV_E_NOMEM); /* two levels */
	assert_true(is_guests(PAGE(GUEST), 0, 5));
	assert_int_equal(dma_context(0)->pages, 0);
	assert_int_equal(dma_topup(0, PAGE(HOST + 1)), CV_OK);
	assert_int_equal(map(0, 5, PAGE(GUEST)), CV_OK);
	assert_int_equal(map(0, 5, PAGE(GUEST)), CV_E_BUSY);
}

/* VERIFIED: the guest relies on what its devices reach; nothing of it moves until the VM is off. */
static void test_verified(void **state)
{
	u64 next = 77;

	(void)state;
	give(vm, 5, PAGE(GUEST));
	make_context(0, vm, 2);
	assert_int_equal(map(0, 5, PAGE(GUEST)), CV_OK);
	set_state(vm, VM_VERIFIED);
	assert_int_equal(dma_unmap(RV_DMA_CONTEXTS, 5, 0, &next), CV_E_INVALID);
	assert_int_equal(dma_unmap(0, GFN_LIMIT, 1, &next), CV_E_INVALID);
	assert_int_equal(dma_unmap(1, 5, 1, &next), CV_E_NOENT);
	assert_int_equal(unmap(0, 5), CV_E_STATE);
	assert_int_equal(dma_free(0, &next), CV_E_STATE);
	assert_int_equal(dma_free(1, &next), CV_E_NOENT);
	assert_int_equal(dma_free(RV_DMA_CONTEXTS, &next), CV_E_INVALID);
	assert_int_equal(next, 77);
	assert_true(is_guests(PAGE(GUEST), 1, 5));
	assert_true(device_reaches(0, 5));
	assert_int_equal(vm_kill(vm), CV_OK);
	assert_int_equal(dma_free(0, &next), CV_E_BUSY);
	assert_int_equal(unmap(0, 5), CV_OK);
	free_context(0);
}

/* LEDGER_COUNT_MAX uses are all there can be: one more is refused, none goes uncounted. */
static void test_count_is_full(void **state)
{
	u64 open = make_vm(0, PAGE(VM2), 12);
	u64 pfn = PAGE(HOST);

	(void)state;
	make_context(0, 0, 2);
	for (u64 i = 0; i < LEDGER_COUNT_MAX; i++) {
		give(open, i, pfn);
	}
	assert_int_equal(map(0, pfn, pfn), CV_E_BUSY);
	assert_true(is_hosts(pfn, LEDGER_COUNT_MAX));
	end_vm(open);
	assert_int_equal(map(0, pfn, pfn), CV_OK);
	assert_true(is_hosts(pfn, 1));
}

/* ---- many pages, and the end ---- */

static void test_batches(void **state)
{
	u64 done, next;
	u64 first = PAGE(1024);

	(void)state;
	make_context(0, 0, 5);
	assert_int_equal(dma_map(0, first, first, 1000, &done), CV_OK);
	assert_int_equal(done, RV_BATCH_PAGES);
	assert_int_equal(dma_map(0, first + done, first + done, 488, &done), CV_OK);
	assert_int_equal(done, 488);
	/* a run that ends at a page that will not go: what came before is mapped */
	assert_int_equal(mem_host_donate_core(first + 1003), CV_OK);
	assert_int_equal(dma_map(0, first + 1000, first + 1000, 9, &done), CV_OK);
	assert_int_equal(done, 3);
	assert_int_equal(dma_context(0)->pages, 1003);
	/* From the first page of the IPA space to the last, in three calls: each one a batch. */
	assert_int_equal(dma_unmap(0, 0, GFN_LIMIT, &next), CV_OK);
	assert_int_equal(next, first + RV_BATCH_PAGES);
	assert_int_equal(dma_unmap(0, next, GFN_LIMIT - next, &next), CV_OK);
	assert_int_equal(next, GFN_LIMIT);
	assert_int_equal(dma_context(0)->pages, 0);
	for (u64 i = 0; i < 1003; i++) {
		assert_true(is_hosts(first + i, 0));
	}
}

/* More table pages than a batch: between the calls the context is a whole one. */
static void test_free_in_batches(void **state)
{
	u64 left = 0, scrubs;
	u64 pfn = PAGE(2040);

	(void)state;
	assert_int_equal(dma_alloc(0, vm, PAGE(HOST)), CV_OK);
	for (u64 i = 0; i < 700; i++) {
		assert_int_equal(dma_topup(0, PAGE(HOST + 2 + i)), CV_OK);
	}
	give(vm, 5, pfn);
	assert_int_equal(map(0, 5, pfn), CV_OK);
	assert_true(device_reaches(0, 5));
	assert_int_equal(dma_free(0, &left), CV_E_BUSY);
	assert_int_equal(unmap(0, 5), CV_OK);
	scrubs = fake_counts.scrubs;
	assert_int_equal(dma_free(0, &left), CV_OK);
	assert_int_equal(left, 702 - 510);
	assert_true(fake_counts.scrubs - scrubs <= RV_BATCH_PAGES);
	assert_int_equal(map(0, 5, pfn), CV_E_NOMEM);
	assert_int_equal(dma_topup(0, PAGE(1500)), CV_OK);
	assert_int_equal(dma_topup(0, PAGE(1501)), CV_OK);
	assert_int_equal(map(0, 5, pfn), CV_OK);
	assert_true(device_reaches(0, 5));
	assert_int_equal(dma_free(0, &left), CV_E_BUSY);
	assert_int_equal(unmap(0, 5), CV_OK);
	free_context(0);
	assert_int_equal(dma_free(0, &left), CV_E_NOENT);
	for (u64 i = 0; i < 702; i++) {
		assert_true(is_hosts(PAGE(HOST + i), 0) && fake_page_is_zero(PAGE(HOST + i)));
	}
	/* another owner, the same context */
	assert_int_equal(dma_alloc(0, 0, PAGE(HOST)), CV_OK);
}

/* A VM ends in this order and no other: unmap, free, reclaim, destroy. */
static void test_destroy_order(void **state)
{
	u64 next = 77, left = 77;

	(void)state;
	give(vm, 5, PAGE(GUEST));
	make_context(0, vm, 2);
	assert_int_equal(map(0, 5, PAGE(GUEST)), CV_OK);
	assert_int_equal(vm_kill(vm), CV_OK);
	assert_int_equal(mem_reclaim(vm, 0, 4096, &next), CV_E_BUSY);
	assert_int_equal(next, 77);
	assert_int_equal(vm_destroy(vm, &left), CV_E_BUSY);
	assert_true(device_reaches(0, 5));
	assert_int_equal(unmap(0, 5), CV_OK);
	assert_int_equal(mem_reclaim(vm, 0, 4096, &next), CV_OK);
	assert_int_equal(vm_destroy(vm, &left), CV_E_BUSY); /* the context */
	assert_int_equal(left, 77);
	free_context(0);
	assert_int_equal(vm_destroy(vm, &left), CV_OK);
	assert_int_equal(left, 0);
	fake_attach((u32)(vm & 0xff), pa_make(0));
	assert_int_equal(ledger_count(RV_PAGES_CORE),
			 FAKE_CORE_ROOTS_PAGES + fake_small_machine.core_tables);
}

/* Panic, and the end of the machine: devices reach nothing any more, whatever they remember. */
static void test_revoke_everything(void **state)
{
	(void)state;
	give(vm, 5, PAGE(GUEST));
	make_context(0, vm, 2);
	make_context(1, 0, 2);
	assert_int_equal(map(0, 5, PAGE(GUEST)), CV_OK);
	assert_int_equal(map(1, PAGE(HOST), PAGE(HOST)), CV_OK);
	assert_true(device_reaches(0, 5) && device_reaches(1, PAGE(HOST)));
	mem_revoke_everything();
	assert_false(device_reaches(0, 5));
	assert_false(device_reaches(1, PAGE(HOST)));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_T11),
		TEST(test_T12),
		TEST(test_T13),
		TEST(test_T14),
		TEST(test_T15),
		TEST(test_T16),
		TEST(test_T17),
		TEST(test_T18),
		TEST(test_device_tlb),
		TEST(test_device_writes_on),
		TEST(test_other_owners_pages),
		TEST(test_two_contexts_of_a_vm),
		TEST(test_open_vm),
		TEST(test_open_vm_and_low_ram),
		TEST(test_image_pages),
		TEST(test_share_state_does_not_matter),
		TEST(test_run_page_in_dma),
		TEST(test_alloc_statuses),
		TEST(test_alloc_nomem),
		TEST(test_topup_statuses),
		TEST(test_map_statuses),
		TEST(test_verified),
		TEST(test_count_is_full),
		TEST(test_batches),
		TEST(test_free_in_batches),
		TEST(test_destroy_order),
		TEST(test_revoke_everything),
	};

	return cmocka_run_group_tests_name("dma", tests, NULL, NULL);
}
