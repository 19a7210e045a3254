/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Device pages in VMs: exclusive, of the platform's list, given back. And that list, of the machine
 * that we ship for.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <cv/arch.h>
#include <cv/dma.h>
#include <cv/pool.h>

#include "mem_fixture.h"

/* QEMU virt's list beside the fake machine's, which has the name. */
#define plat_is_assignable qemu_virt_is_assignable
bool qemu_virt_is_assignable(pfn_t pfn);
#include "../../corevisor/plat/qemu_virt/io.c"
#undef plat_is_assignable

#define IO (FAKE_IO_BASE >> PAGE_SHIFT)
#define IO_HIGH (FAKE_IO_HIGH >> PAGE_SHIFT)
#define GFN_IO 8192ull
/* Where things lie in the host's first block. */
enum { VM = 0, VM2 = 20, SPARE = 40 };

static u64 vm; /* protected */
static u64 open;

static int set_up(void **state)
{
	(void)state;
	fake_boot(&fake_small_machine);
	vm = make_vm(RV_VM_PROTECTED, PAGE(VM), 8);
	open = make_vm(0, PAGE(VM2), 8);
	return 0;
}

static bool host_reaches(u64 pfn)
{
	u64 value;

	return fake_host_read(0, pfn << PAGE_SHIFT, &value) &&
	       fake_host_write(1, pfn << PAGE_SHIFT, 1);
}

static bool guest_reaches(u64 handle, u64 gfn)
{
	u64 value;

	return fake_read(2, (u32)(handle & 0xff), gfn << PAGE_SHIFT, &value, FAKE_UNCACHED) &&
	       fake_write(2, (u32)(handle & 0xff), gfn << PAGE_SHIFT, 2, FAKE_UNCACHED);
}

static u64 device_pages(u64 handle) CV_NO_LOCK_ANALYSIS
{
	struct vm *record = vm_lock(handle);
	u64 pages = record->device_pages;

	assert_int_equal(record->guest_pages, 0);
	vm_unlock(record);
	return pages;
}

static void set_state(u64 handle, enum vm_state to, u32 mode) CV_NO_LOCK_ANALYSIS
{
	struct vm *record = vm_lock(handle);

	vm_set_state(record, to);
	record->seal.mode = mode;
	vm_unlock(record);
}

static void drain(u64 handle, u32 left, struct pool *into) CV_NO_LOCK_ANALYSIS
{
	struct pool *pool = mem_core_pool();
	struct vm *record;

	if (handle != 0) {
		record = vm_lock(handle);
		pool = &record->tables;
		vm_unlock(record);
	}
	assert_true(pool_reserve(pool, into, pool_count(pool) - left, 0));
}

static enum cv_status reclaim(u64 handle, u64 gfn)
{
	u64 next = 77;
	enum cv_status status = mem_reclaim(handle, gfn, 1, &next);

	assert_int_equal(next, status == CV_OK ? gfn + 1 : 77);
	return status;
}

/* From the host to one VM, and to nobody else; the host gets a fault, once more its own page after
 * the reclaim. */
static void test_exclusive(void **state)
{
	u64 value;

	(void)state;
	fake_watch(OWNER_HOST, IO << PAGE_SHIFT);
	fake_watch((u32)(vm & 0xff), GFN_IO << PAGE_SHIFT);
	assert_true(host_reaches(IO));
	assert_int_equal(mem_map_io(vm, GFN_IO, IO), CV_OK);
	assert_false(host_reaches(IO));
	assert_true(host_reaches(IO + 1));
	assert_true(guest_reaches(vm, GFN_IO));
	assert_false(guest_reaches(vm, GFN_IO + 1));
	assert_int_equal(device_pages(vm), 1);
	/* as a device: not to be executed */
	assert_false(fake_fetch(2, (u32)(vm & 0xff), GFN_IO << PAGE_SHIFT, &value));
	assert_int_equal(mem_map_io(open, GFN_IO, IO), CV_E_STATE);
	assert_int_equal(mem_map_io(vm, GFN_IO + 1, IO), CV_E_STATE);
	assert_int_equal(mem_map_io(open, GFN_IO, IO + 1), CV_OK);
	assert_true(guest_reaches(open, GFN_IO));
	assert_int_equal(reclaim(open, GFN_IO), CV_OK);
	assert_true(host_reaches(IO + 1));
	assert_false(fake_host_fetch(0, (IO + 1) << PAGE_SHIFT, &value)); /* it comes back as one */
	assert_false(guest_reaches(open, GFN_IO));
	assert_false(host_reaches(IO));
	assert_int_equal(mem_map_io(open, GFN_IO, IO + 1), CV_OK);
}

/* A protected VM keeps its devices until it is off, an open one until the host wants them. */
static void test_reclaim(void **state)
{
	u64 left = 77;

	(void)state;
	assert_int_equal(mem_map_io(vm, GFN_IO, IO), CV_OK);
	assert_int_equal(mem_map_io(open, GFN_IO, IO + 1), CV_OK);
	assert_int_equal(reclaim(vm, GFN_IO), CV_E_STATE);
	set_state(vm, VM_VERIFIED, SEAL_NONE);
	set_state(open, VM_VERIFIED, SEAL_NONE);
	assert_int_equal(reclaim(vm, GFN_IO), CV_E_STATE);
	assert_false(host_reaches(IO));
	assert_int_equal(reclaim(open, GFN_IO), CV_OK);
	assert_true(host_reaches(IO + 1));
	assert_int_equal(vm_kill(vm), CV_OK);
	assert_int_equal(vm_destroy(vm, &left), CV_E_BUSY);
	assert_int_equal(left, 77);
	assert_int_equal(reclaim(vm, GFN_IO), CV_OK);
	assert_int_equal(device_pages(vm), 0);
	assert_true(host_reaches(IO));
	assert_int_equal(vm_destroy(vm, &left), CV_OK);
	fake_attach((u32)(vm & 0xff), pa_make(0));
}

/* RAM and devices go back in one sweep, whatever lies between them. */
static void test_reclaim_all(void **state)
{
	u64 next, done;

	(void)state;
	assert_int_equal(mem_map(vm, 7, PAGE(SPARE), 2, &done), CV_OK);
	assert_int_equal(mem_map_io(vm, GFN_IO, IO), CV_OK);
	assert_int_equal(mem_map_io(vm, GFN_IO + 5000, IO_HIGH), CV_OK);
	assert_int_equal(vm_kill(vm), CV_OK);
	assert_int_equal(mem_reclaim(vm, 0, GFN_LIMIT, &next), CV_OK);
	assert_int_equal(next, GFN_LIMIT);
	assert_int_equal(device_pages(vm), 0);
	assert_true(host_reaches(IO) && host_reaches(IO_HIGH) && host_reaches(PAGE(SPARE)));
	end_vm(vm);
	end_vm(open);
}

static void test_statuses(void **state)
{
	struct pool host_tables, vm_tables;

	(void)state;
	drain(0, CORE_POOL_FLOOR, &host_tables);
	drain(vm, 0, &vm_tables);
	set_state(vm, VM_VERIFIED, SEAL_NONE);
	/* everything is wrong; then one thing less each time */
	assert_int_equal(mem_map_io(0, GFN_LIMIT, PAGE(VM)), CV_E_NOENT);
	assert_int_equal(mem_map_io(vm + 256, GFN_LIMIT, PAGE(VM)), CV_E_NOENT);
	assert_int_equal(mem_map_io(vm, GFN_LIMIT, PAGE(VM)), CV_E_RANGE);
	assert_int_equal(mem_map_io(vm, ~0ull, PAGE(VM)), CV_E_RANGE);
	assert_int_equal(mem_map_io(vm, 4095, PAGE(VM)), CV_E_RANGE); /* its RAM's last page */
	assert_int_equal(mem_map_io(vm, GFN_IO, PAGE(VM)), CV_E_PERM);
	assert_int_equal(mem_map_io(vm, GFN_IO, PAGE(SPARE)), CV_E_PERM);
	assert_int_equal(mem_map_io(vm, GFN_IO, FAKE_HIDDEN_BASE >> PAGE_SHIFT), CV_E_PERM);
	assert_int_equal(mem_map_io(vm, GFN_IO, IO - 1), CV_E_PERM);
	assert_int_equal(mem_map_io(vm, GFN_IO, IO + FAKE_IO_PAGES), CV_E_PERM);
	assert_int_equal(mem_map_io(vm, GFN_IO, ~0ull), CV_E_PERM);
	assert_int_equal(mem_map_io(vm, GFN_IO, IO), CV_E_STATE);
	set_state(vm, VM_POWEROFF, SEAL_NONE);
	assert_int_equal(mem_map_io(vm, GFN_IO, IO), CV_E_STATE);
	set_state(vm, VM_READY, SEAL_LOADING);
	assert_int_equal(mem_map_io(vm, GFN_IO, IO), CV_E_STATE);
	set_state(vm, VM_READY, SEAL_NONE);
	assert_int_equal(mem_map_io(vm, GFN_IO, IO), CV_E_NOMEM); /* the VM's tables */
	assert_true(host_reaches(IO));
	assert_int_equal(device_pages(vm), 0);
}

/* Tables: the VM's, then the corevisor's; a refusal took nothing from either. */
static void test_nomem(void **state)
{
	struct pool tables;
	u32 core_before;

	(void)state;
	drain(vm, 1, &tables);
	core_before = pool_count(mem_core_pool());
	assert_int_equal(mem_map_io(vm, GFN_IO, IO), CV_E_NOMEM);
	assert_int_equal(pool_count(mem_core_pool()), core_before);
	assert_int_equal(vm_topup(vm, PAGE(SPARE)), CV_OK);
	core_before = pool_count(mem_core_pool());
	/* Alone in its GiB: the host needs two tables for it. */
	drain(0, CORE_POOL_FLOOR + 1, &tables);
	assert_int_equal(mem_map_io(vm, GFN_IO, IO_HIGH), CV_E_NOMEM);
	assert_true(host_reaches(IO_HIGH));
	assert_int_equal(device_pages(vm), 0);
	assert_int_equal(pool_count(mem_core_pool()), CORE_POOL_FLOOR + 1);
	pool_return(mem_core_pool(), &tables);
	fake_watch(OWNER_HOST, IO_HIGH << PAGE_SHIFT);
	fake_watch(OWNER_HOST, (IO_HIGH + 1) << PAGE_SHIFT);
	fake_watch(OWNER_HOST, (IO_HIGH + 512) << PAGE_SHIFT);
	assert_int_equal(mem_map_io(vm, GFN_IO, IO_HIGH), CV_OK);
	assert_int_equal(pool_count(mem_core_pool()), core_before - 2);
	assert_false(host_reaches(IO_HIGH));
	assert_true(host_reaches(IO_HIGH + 1) && host_reaches(IO_HIGH + 512));
	/* Its tables stay for the next time. */
	assert_int_equal(vm_kill(vm), CV_OK);
	assert_int_equal(reclaim(vm, GFN_IO), CV_OK);
	assert_true(host_reaches(IO_HIGH));
	assert_int_equal(mem_map_io(open, GFN_IO, IO_HIGH), CV_OK);
	assert_int_equal(pool_count(mem_core_pool()), core_before - 2);
}

static void test_gfn_taken(void **state)
{
	(void)state;
	assert_int_equal(mem_map_io(vm, GFN_IO, IO), CV_OK);
	assert_int_equal(mem_map_io(vm, GFN_IO, IO + 1), CV_E_BUSY);
	assert_true(host_reaches(IO + 1));
	assert_int_equal(device_pages(vm), 1);
}

/* RAM and devices never share a gfn, whoever comes first. */
static void test_ram_and_devices(void **state)
{
	u64 next;

	(void)state;
	assert_int_equal(mem_map_io(open, GFN_IO, IO), CV_OK);
	assert_int_equal(vm_add_ram(open, GFN_IO, 1), CV_E_BUSY);
	assert_int_equal(vm_add_ram(open, 4096, GFN_IO - 4096 + 1), CV_E_BUSY);
	assert_int_equal(vm_add_ram(open, GFN_IO - 1, 2), CV_E_BUSY);
	assert_int_equal(vm_add_ram(open, 4096, GFN_LIMIT - 4096), CV_E_BUSY);
	/* right before, right behind, and all the rest of the space */
	assert_int_equal(vm_add_ram(open, 4096, GFN_IO - 4096), CV_OK);
	assert_int_equal(vm_add_ram(open, GFN_IO + 1, 64), CV_OK);
	assert_int_equal(vm_add_ram(open, GFN_IO + 65, GFN_LIMIT - GFN_IO - 65), CV_OK);
	assert_int_equal(mem_map_io(open, GFN_IO + 1, IO + 1), CV_E_RANGE);
	assert_int_equal(mem_reclaim(open, GFN_IO, 1, &next), CV_OK);
	assert_int_equal(vm_add_ram(open, GFN_IO, 1), CV_OK);
}

/* A VM whose tables make the search for device pages too long gets BUSY, in bounded time. */
static void test_long_search(void **state)
{
	u64 next;

	(void)state;
	for (u32 i = 0; i < 30; i++) {
		assert_int_equal(vm_topup(open, PAGE(SPARE + i)), CV_OK);
	}
	/* Leaf tables without pages, in ten blocks; and one page far behind them. */
	for (u64 i = 0; i < 10; i++) {
		assert_int_equal(mem_map_io(open, GFN_IO + i * 512, IO), CV_OK);
		assert_int_equal(mem_reclaim(open, GFN_IO + i * 512, 1, &next), CV_OK);
	}
	assert_int_equal(mem_map_io(open, 1ull << 20, IO), CV_OK);
	assert_int_equal(vm_add_ram(open, GFN_IO, 9 * 512), CV_E_BUSY);
	/* In pieces it goes, as it does when there is no device page at all. */
	assert_int_equal(vm_add_ram(open, GFN_IO, 8 * 512), CV_OK);
	assert_int_equal(reclaim(open, 1ull << 20), CV_OK);
	assert_int_equal(vm_add_ram(open, GFN_IO + 8 * 512, 1000 * 512), CV_OK);
}

/* No device page is RAM for anything else. */
static void test_not_ram(void **state)
{
	u64 done = 77;

	(void)state;
	assert_int_equal(mem_map_io(vm, GFN_IO, IO), CV_OK);
	assert_int_equal(mem_map(vm, 1, IO, 1, &done), CV_E_RANGE);
	assert_int_equal(mem_host_donate_core(IO), CV_E_RANGE);
	assert_int_equal(vm_topup(vm, IO), CV_E_RANGE);
	assert_int_equal(dma_alloc(0, vm, PAGE(SPARE)), CV_OK);
	assert_int_equal(dma_map(0, GFN_IO, IO, 1, &done), CV_E_RANGE);
	assert_int_equal(done, 77);
}

static void test_revoke_everything(void **state)
{
	(void)state;
	assert_int_equal(mem_map_io(vm, GFN_IO, IO), CV_OK);
	assert_true(guest_reaches(vm, GFN_IO));
	mem_revoke_everything();
	assert_false(guest_reaches(vm, GFN_IO));
}

/* QEMU virt: the two PCIe windows, to their last page, and none of the machine's own frames. */
static void test_qemu_virt(void **state)
{
	static const struct {
		const char *what;
		u64 pa;
	} never[] = {
		{ "flash", 0x00000000 },
		{ "flash, end", 0x07fff000 },
		{ "GIC distributor", 0x08000000 },
		{ "GIC CPU interface", 0x08010000 },
		{ "GICv2m", 0x08020000 },
		{ "GIC hypervisor", 0x08030000 },
		{ "ITS", 0x08080000 },
		{ "GIC redistributor", 0x080a0000 },
		{ "UART", 0x09000000 },
		{ "RTC", 0x09010000 },
		{ "fw_cfg", 0x09020000 },
		{ "GPIO", 0x09030000 },
		{ "secure UART", 0x09040000 },
		{ "SMMU", 0x09050000 },
		{ "SMMU, second page", 0x09060000 },
		{ "ACPI", 0x09080000 },
		{ "virtio-mmio", 0x0a000000 },
		{ "platform bus", 0x0c000000 },
		{ "secure RAM", 0x0e000000 },
		{ "before the window", 0x0ffff000 },
		{ "PCI ports", 0x3eff0000 },
		{ "ECAM", 0x3f000000 },
		{ "RAM", 0x40000000 },
		{ "high redistributors", 0x4000000000 },
		{ "high ECAM", 0x4010000000 },
		{ "before the high window", 0x7ffffff000 },
		{ "beyond 40 bits", 0x10000000000 },
	};
	static const u64 always[] = { 0x10000000, 0x3efef000, 0x8000000000, 0xfffffff000 };

	(void)state;
	for (u32 i = 0; i < ARRAY_SIZE(never); i++) {
		if (qemu_virt_is_assignable(pa_pfn(pa_make(never[i].pa)))) {
			fail_msg("%s at %#lx", never[i].what, never[i].pa);
		}
	}
	for (u32 i = 0; i < ARRAY_SIZE(always); i++) {
		assert_true(qemu_virt_is_assignable(pa_pfn(pa_make(always[i]))));
	}
	assert_false(qemu_virt_is_assignable(pfn_make(~0ull)));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_exclusive),	      TEST(test_reclaim),     TEST(test_reclaim_all),
		TEST(test_statuses),	      TEST(test_nomem),	      TEST(test_gfn_taken),
		TEST(test_ram_and_devices),   TEST(test_long_search), TEST(test_not_ram),
		TEST(test_revoke_everything), TEST(test_qemu_virt),
	};

	return cmocka_run_group_tests_name("mem_io", tests, NULL, NULL);
}
