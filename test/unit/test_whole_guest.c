/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A protected VM from its first page to its end, over the whole core and the fake machine: scripted
 * exits above, real ownership, tables, stale TLBs and caches below.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "../../arch-fake/fake.h"
#include "../../arch-fake/fake_vcpu.h"
#include "owner.h"

#include <cv/arch.h>
#include <cv/exception.h>
#include <cv/host_psci.h>
#include <cv/run.h>
#include <cv/vcpu.h>
#include <pthread.h>
#include <sched.h>
#include <string.h>

#define PAGE(n) ((0x40200000ull >> PAGE_SHIFT) + (n))
#define SECRET 0x5ec2e75ec2e7ull
#define GARBAGE 0xa5a5a5a5a5a5a5a5ull
#define ENTRY_GFN 0x40000ull
#define RAM_PAGES 0x2000ull
#define SMC ((EC_SMC64 << ESR_EC_SHIFT) | ESR_IL)
#define RSI_CONFIG 0xc4000196u
#define RSI_SET 0xc4000197u
#define RSI_GET 0xc4000198u
#define RUNNERS 3 /* vCPUs */
#define EMPTY 0ull
#define RAM 1ull

/* Pages of the host and what they become */
enum {
	RECORD = 0,
	ROOT = 2,
	TABLES = 4,
	VCPU = 12, /* with its run page behind it; so are the others */
	RUN = VCPU + 1,
	IMAGE = 40,
	LAUNCH = 50,
	POOL = 100,
	FIRST_FREE = 200
};

static struct owner owner;
static u64 vm;
static struct rv_run *run;
static u64 args[5];

bool host_psci_is_stopping(void)
{
	return false;
}

static void put_args(struct vcpu *vcpu)
{
	memcpy(vcpu->ctx.x, args, sizeof(args));
}

static u64 run_script(struct fake_step step)
{
	u64 exit = ~0ull;

	fake_vcpu.next = fake_vcpu.step_count = 0;
	fake_vcpu_add(step);
	assert_int_equal(run_vcpu(vm, 0, &exit), CV_OK);
	assert_int_equal(fake_locks_held(), 0);
	fake_check_tlbs();
	return exit;
}

static u64 smc(u64 id, u64 x1, u64 x2, u64 x3)
{
	memcpy(args, (u64[]){ id, x1, x2, x3, 0 }, sizeof(args));
	return run_script((struct fake_step){ ARCH_EVENT_SYNC, SMC, 0, 0, put_args });
}

static struct vcpu *record(void)
{
	return arch_core_va(pfn_pa(pfn_make(PAGE(VCPU))));
}

static u64 x(u32 n)
{
	return record()->ctx.x[n];
}

static u64 touch(u64 gfn)
{
	const u64 esr = (EC_DABT_LOWER << ESR_EC_SHIFT) | ESR_IL | 0x07;

	return run_script((struct fake_step){ ARCH_EVENT_SYNC, esr, 0, gfn << 4, NULL });
}

static void give(u64 gfn, u64 page)
{
	u64 done = 0;

	assert_int_equal(mem_map(vm, gfn, PAGE(page), 1, &done), CV_OK);
	assert_int_equal(done, 1);
}

static u64 guest_read(u64 gfn)
{
	u64 value = ~0ull;

	assert_true(fake_read(0, vm & 0xff, gfn << PAGE_SHIFT, &value, FAKE_CACHED));
	return value;
}

/* The VM's one image is a page with the secret in it. */
static void verify(void)
{
	static u64 image[PAGE_SIZE / sizeof(u64)] = { SECRET };
	const u64 gpa = ENTRY_GFN << PAGE_SHIFT;
	u64 index, value;
	struct rv_launch launch;

	owner_sign(&owner, &(struct owner_policy){ .entry = gpa },
		   &(struct owner_image){ gpa, PAGE_SIZE, image }, 1, &launch);
	for (u64 i = 0; i < PAGE_SIZE / sizeof(u64); i++) {
		fake_poke(PAGE(LAUNCH), i * sizeof(u64), ((const u64 *)&launch)[i]);
	}
	assert_int_equal(image_add(vm, gpa, PAGE_SIZE, &index), CV_OK);
	assert_int_equal(image_map(vm, index, PAGE(IMAGE), 1, &value), CV_OK);
	assert_int_equal(image_verify(vm, PAGE(LAUNCH), &value), CV_OK);
	assert_int_equal(value, 0);
}

static int set_up(void **state)
{
	(void)state;
	fake_boot(&fake_small_machine);
	fake_vcpu_reset();
	owner_make(&owner, RV_CURVE_P256, 1);
	assert_int_equal(vm_create(PAGE(RECORD), PAGE(ROOT), RV_VM_PROTECTED, owner.words, &vm),
			 CV_OK);
	/* as many as the first page of RAM needs */
	for (u32 i = 0; i < 2; i++) {
		assert_int_equal(vm_topup(vm, PAGE(TABLES) + i), CV_OK);
	}
	assert_int_equal(vm_add_ram(vm, ENTRY_GFN, RAM_PAGES), CV_OK);
	for (u32 i = 0; i < RUNNERS; i++) {
		const u64 record_pfn = PAGE(VCPU) + 2 * i;

		assert_int_equal(vm_create_vcpu(vm, i, record_pfn, record_pfn + 1), CV_OK);
	}
	run = arch_core_va(pfn_pa(pfn_make(PAGE(RUN))));
	fake_attach(vm & 0xff, pfn_pa(pfn_make(PAGE(ROOT))));
	assert_true(fake_host_write(0, PAGE(IMAGE) << PAGE_SHIFT, SECRET));
	verify();
	assert_int_equal(vcpu_boot(vm, 0, ENTRY_GFN << PAGE_SHIFT, 0), CV_OK);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	fake_halt();
	return 0;
}

static void ram_comes_zeroed_and_leaves_the_host(void **state)
{
	const u64 gfn = ENTRY_GFN + 5, page = FIRST_FREE;
	u64 value;

	(void)state;
	assert_true(fake_host_write(0, PAGE(page) << PAGE_SHIFT, GARBAGE));
	assert_int_equal(touch(gfn), RV_EXIT_RAM);
	assert_int_equal(run->ipa, gfn << PAGE_SHIFT);
	give(gfn, page);
	assert_int_equal(guest_read(gfn), 0);
	assert_false(fake_host_read(0, PAGE(page) << PAGE_SHIFT, &value));
	/* Mapped now: the same fault is only repeated. */
	assert_int_equal(touch(gfn), RV_EXIT_IRQ);
}

static void sharing_zeroes_both_ways(void **state)
{
	const u64 gfn = ENTRY_GFN + 5, page = FIRST_FREE, ipa = gfn << PAGE_SHIFT,
		  pa = PAGE(FIRST_FREE) << PAGE_SHIFT;
	u64 value;

	(void)state;
	touch(gfn);
	give(gfn, page);
	assert_true(fake_write(0, vm & 0xff, ipa, SECRET, FAKE_CACHED));
	assert_int_equal(smc(RSI_SET, ipa, ipa + PAGE_SIZE, EMPTY), RV_EXIT_IRQ);
	assert_int_equal(x(0), 0);
	assert_int_equal(x(1), ipa + PAGE_SIZE);
	assert_int_equal(x(2), 0);
	assert_true(fake_host_read(0, pa, &value));
	assert_int_equal(value, 0);
	assert_true(fake_host_write(0, pa, GARBAGE));
	assert_int_equal(guest_read(gfn), GARBAGE);
	smc(RSI_GET, ipa, ipa + 16 * PAGE_SIZE, 0);
	assert_int_equal(x(1), ipa + PAGE_SIZE);
	assert_int_equal(x(2), EMPTY);
	smc(RSI_SET, ipa, ipa + PAGE_SIZE, RAM);
	assert_int_equal(guest_read(gfn), 0);
	assert_false(fake_host_read(0, pa, &value));
	smc(RSI_GET, ipa, ipa + PAGE_SIZE, 0);
	assert_int_equal(x(2), RAM);
}

/* The whole RAM in batches, with tables that are short: every wish is kept, every page is done
 * once. */
static void large_ranges_go_on_where_they_stopped(void **state)
{
	const u64 top = (ENTRY_GFN + RAM_PAGES) << PAGE_SHIFT;
	const u64 start = (ENTRY_GFN + PAGES_PER_BLOCK + 1)
			  << PAGE_SHIFT; /* inside a block that has no table yet */
	u64 base = start;
	u32 tables = 0, calls = 0;

	(void)state;
	while (base < top) {
		const u64 exit = smc(RSI_SET, base, top, EMPTY);

		assert_in_range(++calls, 1, 1000);
		if (exit == RV_EXIT_TABLES) {
			assert_int_equal(x(0), RSI_SET);
			assert_int_equal(vm_topup(vm, PAGE(POOL) + tables++), CV_OK);
			continue;
		}
		assert_int_equal(exit, RV_EXIT_IRQ);
		assert_int_equal(x(0), 0);
		assert_int_equal(x(2), 0);
		/* One entry of a table may stand for many pages without anything behind them. */
		assert_in_range(x(1), base + 1, top);
		base = x(1);
	}
	assert_int_equal(base, top);
	assert_true(tables > 0);
	smc(RSI_GET, start, top, 0);
	assert_int_equal(x(2), EMPTY);
	/* A page that comes now is shared from the start. */
	assert_int_equal(vm_topup(vm, PAGE(POOL) + tables), CV_OK);
	assert_true(fake_host_write(0, PAGE(FIRST_FREE) << PAGE_SHIFT, GARBAGE));
	assert_int_equal(touch(ENTRY_GFN + 0x1000), RV_EXIT_RAM);
	give(ENTRY_GFN + 0x1000, FIRST_FREE);
	assert_true(fake_host_write(0, PAGE(FIRST_FREE) << PAGE_SHIFT, 7));
	assert_int_equal(guest_read(ENTRY_GFN + 0x1000), 7);
}

static void config_reaches_the_guest_without_caches_too(void **state)
{
	const u64 gfn = ENTRY_GFN + 9, ipa = gfn << PAGE_SHIFT;
	u64 value;

	(void)state;
	assert_int_equal(smc(RSI_CONFIG, ipa, 0, 0), RV_EXIT_RAM);
	assert_int_equal(run->ipa, ipa);
	give(gfn, FIRST_FREE);
	assert_int_equal(smc(RSI_CONFIG, ipa, 0, 0), RV_EXIT_IRQ);
	assert_int_equal(x(0), 0);
	assert_int_equal(guest_read(gfn), 1);
	assert_true(fake_read(1, vm & 0xff, ipa, &value, FAKE_UNCACHED));
	assert_int_equal(value, 1);
	/* Into a shared page it is not written. */
	smc(RSI_SET, ipa, ipa + PAGE_SIZE, EMPTY);
	smc(RSI_CONFIG, ipa, 0, 0);
	assert_int_equal(x(0), 1);
	assert_int_equal(guest_read(gfn), 0);
}

/* The host tries everything while the vCPU is on a CPU. */
static void attack(struct vcpu *vcpu)
{
	u64 value = 0, exit = 0;

	assert_int_equal(vcpu->run_state, VCPU_ACTIVE);
	assert_int_equal(run_vcpu(vm, 0, &exit), CV_E_BUSY);
	assert_int_equal(vcpu_read_regs(vm, 0), CV_E_PERM);
	assert_int_equal(vcpu_boot(vm, 0, ENTRY_GFN << PAGE_SHIFT, 0), CV_E_STATE);
	assert_int_equal(mem_reclaim(vm, ENTRY_GFN, 1, &value), CV_E_STATE);
	assert_int_equal(vm_kill(vm), CV_OK);
	assert_int_equal(mem_reclaim(vm, ENTRY_GFN, 1, &value), CV_E_BUSY);
	assert_int_equal(vm_destroy(vm, &value), CV_E_BUSY);
}

static void a_vm_killed_while_it_runs_ends_cleanly(void **state)
{
	u64 exit, value;

	(void)state;
	assert_int_equal(run_script((struct fake_step){ ARCH_EVENT_SYNC, SMC, 0, 0, attack }),
			 RV_EXIT_DYING);
	assert_int_equal(run_vcpu(vm, 0, &exit), CV_E_STATE);
	assert_int_equal(mem_reclaim(vm, ENTRY_GFN, RAM_PAGES, &value), CV_OK);
	assert_true(fake_page_is_zero(PAGE(IMAGE)));
	assert_true(fake_host_read(0, PAGE(IMAGE) << PAGE_SHIFT, &value));
	do {
		assert_int_equal(vm_destroy(vm, &value), CV_OK);
	} while (value > 0);
	assert_int_equal(run_vcpu(vm, 0, &exit), CV_E_NOENT);
	assert_true(fake_page_is_zero(PAGE(VCPU)));
	assert_int_equal(ledger_count(RV_PAGES_VM), 0);
	assert_int_equal(ledger_count(RV_PAGES_HOST_SHARED), 0);
}

/* ---- several CPUs ---- */

static struct {
	bool is_inside[RUNNERS];
	u64 runs[RUNNERS];
	bool is_over; /* the VM's memory is being taken back: nobody may be inside any more */
} race;

/* Claims, starts and releases its vCPU for ever, as runs do, until the VM is dying. */
static void *run_again_and_again(void *argument)
{
	const u32 index = (u32)(uintptr_t)argument;
	enum cv_status status = CV_OK;

	fake_cpu_set(index);
	while (status == CV_OK) {
		struct vcpu *vcpu;

		status = vcpu_claim(vm, index, &vcpu);
		if (status != CV_OK) {
			break;
		}
		__atomic_store_n(&race.is_inside[index], true, __ATOMIC_SEQ_CST);
		if (__atomic_load_n(&race.is_over, __ATOMIC_SEQ_CST)) {
			fake_fail("vCPU %u was claimed in a VM that is taken apart", index);
		}
		status = vcpu_start(vcpu);
		vcpu->ctx.x[0]++;
		__atomic_fetch_add(&race.runs[index], 1, __ATOMIC_RELAXED);
		__atomic_store_n(&race.is_inside[index], false, __ATOMIC_SEQ_CST);
		vcpu_release(vcpu);
	}
	assert_int_equal(status, CV_E_STATE);
	return NULL;
}

static void nobody_is_inside_when_memory_is_taken_back(void **state)
{
	pthread_t threads[RUNNERS];
	enum cv_status status;
	u64 exit, value;
	u32 index;

	(void)state;
	memset(&race, 0, sizeof(race));
	assert_int_equal(run_vcpu(vm, 0, &exit), CV_OK);
	for (u32 i = 1; i < RUNNERS; i++) {
		assert_int_equal(
			vcpu_psci_cpu_on(record()->vm, i, ENTRY_GFN << PAGE_SHIFT, 0, &index), 0);
	}
	for (u32 i = 0; i < RUNNERS; i++) {
		pthread_create(&threads[i], NULL, run_again_and_again, (void *)(uintptr_t)i);
	}
	fake_cpu_set(FAKE_CPUS - 1);
	/* Every one of them is under way; a busy PC starts the last one first at times. */
	for (u32 i = 0; i < RUNNERS; i++) {
		while (__atomic_load_n(&race.runs[i], __ATOMIC_RELAXED) < 2000) {
			sched_yield();
		}
	}
	assert_int_equal(vm_kill(vm), CV_OK);
	do {
		status = mem_reclaim(vm, ENTRY_GFN, RAM_PAGES, &value);
	} while (status == CV_E_BUSY);
	__atomic_store_n(&race.is_over, true, __ATOMIC_SEQ_CST);
	assert_int_equal(status, CV_OK);
	for (u32 i = 0; i < RUNNERS; i++) {
		assert_false(__atomic_load_n(&race.is_inside[i], __ATOMIC_SEQ_CST));
	}
	for (u32 i = 0; i < RUNNERS; i++) {
		pthread_join(threads[i], NULL);
		/* Nothing that a run did was lost. */
		assert_in_range(race.runs[i], 1, ~0ull);
	}
	do {
		assert_int_equal(vm_destroy(vm, &value), CV_OK);
	} while (value > 0);
	fake_cpu_set(0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(ram_comes_zeroed_and_leaves_the_host, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(sharing_zeroes_both_ways, set_up, tear_down),
		cmocka_unit_test_setup_teardown(large_ranges_go_on_where_they_stopped, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(config_reaches_the_guest_without_caches_too, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(a_vm_killed_while_it_runs_ends_cleanly, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(nobody_is_inside_when_memory_is_taken_back, set_up,
						tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
