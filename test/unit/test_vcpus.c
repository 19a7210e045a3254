/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A VM with all the vCPUs that there may be, over the whole core and the fake machine. Sixteen fill
 * the lowest affinity level of MPIDR; the others differ in the next one.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "../../arch-fake/fake.h"
#include "../../arch-fake/fake_vcpu.h"

#include <cv/arch.h>
#include <cv/exception.h>
#include <cv/host_psci.h>
#include <cv/psci.h>
#include <cv/run.h>
#include <cv/vcpu.h>
#include <string.h>

#define PAGE(n) ((0x40200000ull >> PAGE_SHIFT) + (n))
#define VCPUS 64ull /* not VM_VCPUS_MAX: the number is the test's */
#define RAM_GFN 0x40000ull
#define RAM_PAGES 512ull
#define ENTRY (RAM_GFN << PAGE_SHIFT)
#define HVC ((EC_HVC64 << ESR_EC_SHIFT) | ESR_IL)
#define OFF 1 /* AFFINITY_INFO's answers */
#define ON_PENDING 2
#define ON 0

/* Pages of the host and what they become */
enum {
	RECORD = 0,
	ROOT = 2,
	VCPU = 10, /* each with its run page behind it */
	SPARE = VCPU + 2 * VCPUS
};

static u64 vm;
static u64 args[5];
static struct vcpu *expected; /* who enters the guest next */

bool host_psci_is_stopping(void)
{
	return false;
}

static u64 vcpu_pfn(u64 index)
{
	return PAGE(VCPU) + 2 * index;
}

static struct vcpu *record(u64 index)
{
	return arch_core_va(pfn_pa(pfn_make(vcpu_pfn(index))));
}

static const struct rv_run *run_page(u64 index)
{
	return arch_core_va(pfn_pa(pfn_make(vcpu_pfn(index) + 1)));
}

static u64 affinity(u64 index)
{
	return index % 16 + index / 16 * 256;
}

/* ---- calls of a guest ---- */

static void put_args(struct vcpu *vcpu)
{
	assert_ptr_equal(vcpu, expected);
	memcpy(vcpu->ctx.x, args, sizeof(args));
}

/* One PSCI call of vCPU `index`; returns the exit. */
static u64 psci(u64 index, u64 id, u64 x1, u64 x2, u64 x3)
{
	u64 exit = ~0ull;

	expected = record(index);
	memcpy(args, (u64[]){ id, x1, x2, x3, 0 }, sizeof(args));
	fake_vcpu.next = fake_vcpu.step_count = 0;
	fake_vcpu_add((struct fake_step){ ARCH_EVENT_SYNC, HVC, 0, 0, put_args });
	assert_int_equal(run_vcpu(vm, index, &exit), CV_OK);
	return exit;
}

static s64 cpu_on(u64 caller, u64 mpidr, u64 context)
{
	psci(caller, PSCI_CPU_ON_64, mpidr, ENTRY, context);
	return (s64)record(caller)->ctx.x[0];
}

static s64 affinity_info(u64 mpidr)
{
	assert_int_equal(psci(0, PSCI_AFFINITY_INFO_64, mpidr, 0, 0), RV_EXIT_IRQ);
	return (s64)record(0)->ctx.x[0];
}

/* ---- the VM ---- */

static int set_up(void **state)
{
	(void)state;
	fake_boot(&fake_small_machine);
	fake_vcpu_reset();
	assert_int_equal(vm_create(PAGE(RECORD), PAGE(ROOT), 0, fake_no_owner, &vm), CV_OK);
	assert_int_equal(vm_add_ram(vm, RAM_GFN, RAM_PAGES), CV_OK);
	/* In any order: 29 and 64 have no common divisor. */
	for (u64 i = 0; i < VCPUS; i++) {
		const u64 index = i * 29 % VCPUS;

		assert_int_equal(vm_create_vcpu(vm, index, vcpu_pfn(index), vcpu_pfn(index) + 1),
				 CV_OK);
	}
	return 0;
}

static int set_up_running(void **state)
{
	u64 left;

	set_up(state);
	assert_int_equal(image_verify(vm, 0, &left), CV_OK);
	assert_int_equal(vcpu_boot(vm, 0, ENTRY, 0), CV_OK);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	assert_int_equal(fake_locks_held(), 0);
	fake_check_tlbs();
	fake_halt();
	return 0;
}

static void each_index_is_one_vcpu(void **state)
{
	static const u64 too_high[] = { VCPUS, VCPUS + 1, 1ull << 32, ~0ull };
	u64 exit;

	(void)state;
	for (u64 i = 0; i < VCPUS; i++) {
		assert_int_equal(record(i)->index, i);
		assert_int_equal(record(i)->mpidr, 1ull << 31 | affinity(i));
		assert_int_equal(vm_create_vcpu(vm, i, PAGE(SPARE), PAGE(SPARE + 1)), CV_E_BUSY);
	}
	for (u32 i = 0; i < ARRAY_SIZE(too_high); i++) {
		assert_int_equal(vm_create_vcpu(vm, too_high[i], PAGE(SPARE), PAGE(SPARE + 1)),
				 CV_E_INVALID);
		assert_int_equal(run_vcpu(vm, too_high[i], &exit), CV_E_NOENT);
	}
	assert_true(ledger_is(pfn_make(PAGE(SPARE)), OWNER_HOST, PAGE_EXCLUSIVE));
	assert_true(ledger_is(pfn_make(PAGE(SPARE + 1)), OWNER_HOST, PAGE_EXCLUSIVE));
}

/* Each by its affinity, by the one before it, while all above stay off. */
static void each_is_turned_on_by_its_affinity(void **state)
{
	u64 exit;

	(void)state;
	for (u64 i = 1; i < VCPUS; i++) {
		assert_int_equal(affinity_info(affinity(i)), OFF);
		assert_int_equal(run_vcpu(vm, i, &exit), CV_E_STATE);
		assert_int_equal(cpu_on(i - 1, affinity(i), 0xc0de + i), PSCI_SUCCESS);
		assert_int_equal(run_page(i - 1)->exit, RV_EXIT_CPU_ON);
		assert_int_equal(run_page(i - 1)->data, i);
		assert_int_equal(affinity_info(affinity(i)), ON_PENDING);
		assert_int_equal(cpu_on(i - 1, affinity(i), 0), PSCI_ON_PENDING);
		fake_vcpu.next = fake_vcpu.step_count = 0;
		assert_int_equal(run_vcpu(vm, i, &exit), CV_OK);
		assert_int_equal(record(i)->ctx.pc, ENTRY);
		assert_int_equal(record(i)->ctx.x[0], 0xc0de + i);
		assert_int_equal(cpu_on(i - 1, affinity(i), 0), PSCI_ALREADY_ON);
		for (u64 other = 0; other < VCPUS; other++) {
			assert_int_equal(affinity_info(affinity(other)), other <= i ? ON : OFF);
		}
	}
	/* Off again, from the top. */
	assert_int_equal(psci(VCPUS - 1, PSCI_CPU_OFF, 0, 0, 0), RV_EXIT_CPU_OFF);
	assert_int_equal(affinity_info(affinity(VCPUS - 1)), OFF);
	assert_int_equal(affinity_info(affinity(VCPUS - 17)), ON);
}

static void expect_nobody(u64 mpidr)
{
	assert_int_equal(affinity_info(mpidr), PSCI_INVALID_PARAMETERS);
	assert_int_equal(cpu_on(0, mpidr, 0), PSCI_INVALID_PARAMETERS);
	assert_int_equal(run_page(0)->exit, RV_EXIT_IRQ);
}

static void other_affinities_are_nobodys(void **state)
{
	static struct vcpu before[VCPUS];

	(void)state;
	for (u64 i = 1; i < VCPUS; i++) {
		before[i] = *record(i);
	}
	/* Aff1 and Aff0, past their last values too; the lowest of them are indices. */
	for (u64 aff1 = 0; aff1 < 6; aff1++) {
		for (u64 aff0 = aff1 < 4 ? 16 : 0; aff0 < 256; aff0++) {
			expect_nobody(aff1 << 8 | aff0);
		}
	}
	/* One bit more than what names somebody: the rest of Aff0 and Aff1, Aff2, Aff3, what is no
	 * affinity */
	for (u64 bit = 0; bit < 64; bit++) {
		const bool is_index = bit < 4 || bit == 8 || bit == 9;

		if (!is_index) {
			expect_nobody(affinity(17) | 1ull << bit);
			expect_nobody(affinity(VCPUS - 1) | 1ull << bit);
		}
	}
	for (u64 i = 1; i < VCPUS; i++) {
		assert_memory_equal(&before[i], record(i), sizeof(before[i]));
	}
}

/* A call of the 32-bit convention has 32-bit arguments. */
static void a_short_call_names_the_same_vcpus(void **state)
{
	(void)state;
	assert_int_equal(psci(0, PSCI_CPU_ON_32, 1ull << 32 | affinity(63), ENTRY, 0),
			 RV_EXIT_CPU_ON);
	assert_int_equal(run_page(0)->data, 63);
	psci(0, PSCI_AFFINITY_INFO_32, 1ull << 32 | affinity(63), 0, 0);
	assert_int_equal(record(0)->ctx.x[0], ON_PENDING);
}

/* Half of them on: everything comes back, scrubbed and the host's alone. */
static void the_end_gives_every_page_back(void **state)
{
	u64 value;

	(void)state;
	assert_int_equal(ledger_count(RV_PAGES_HOST_SHARED), VCPUS);
	for (u64 i = 1; i < VCPUS; i += 2) {
		assert_int_equal(cpu_on(0, affinity(i), 0), PSCI_SUCCESS);
		fake_vcpu.next = fake_vcpu.step_count = 0;
		assert_int_equal(run_vcpu(vm, i, &value), CV_OK);
	}
	assert_int_equal(vm_kill(vm), CV_OK);
	do {
		assert_int_equal(vm_destroy(vm, &value), CV_OK);
	} while (value > 0);
	for (u64 n = RECORD; n < SPARE; n++) {
		assert_true(ledger_is(pfn_make(PAGE(n)), OWNER_HOST, PAGE_EXCLUSIVE));
		assert_true(fake_host_read(0, PAGE(n) << PAGE_SHIFT, &value));
	}
	for (u64 i = 0; i < VCPUS; i++) {
		assert_true(fake_page_is_zero(vcpu_pfn(i)));
		assert_int_equal(run_vcpu(vm, i, &value), CV_E_NOENT);
	}
	assert_int_equal(ledger_count(RV_PAGES_VM), 0);
	assert_int_equal(ledger_count(RV_PAGES_HOST_SHARED), 0);
}

#define TEST(name, up) cmocka_unit_test_setup_teardown(name, up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(each_index_is_one_vcpu, set_up),
		TEST(each_is_turned_on_by_its_affinity, set_up_running),
		TEST(other_affinities_are_nobodys, set_up_running),
		TEST(a_short_call_names_the_same_vcpus, set_up_running),
		TEST(the_end_gives_every_page_back, set_up_running),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
