/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The host's calls as registers: each id reaches its function with its arguments in order, results
 * come back on success alone, and a refusal is told. What the functions do has tests of its own.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../arch-fake/fake.h"
#include "../../arch-fake/fake_vcpu.h"
#include "owner.h"

#include <cv/arch.h>
#include <cv/hcall.h>
#include <cv/host_psci.h>
#include <cv/info.h>
#include <string.h>

#define PAGE(n) ((0x40200000ull >> PAGE_SHIFT) + (n))
#define GFN 0x40000ull
#define NOISE 0xabad1deaull

static struct host_regs regs;
static u32 published;
static struct {
	u64 call;
	s64 status;
	u64 argument;
	u32 count;
} refusal;

bool host_psci_is_stopping(void)
{
	return false;
}

void info_publish(void)
{
	published++;
}

void info_refusal(u64 call, s64 status, u64 first_argument)
{
	refusal.call = call;
	refusal.status = status;
	refusal.argument = first_argument;
	refusal.count++;
}

/* Up to seven arguments, noise behind them; x0 afterwards. */
static s64 call(u64 id, u32 count, const u64 *arguments)
{
	for (u32 i = 0; i < 31; i++) {
		regs.x[i] = NOISE + i;
	}
	regs.x[0] = id;
	for (u32 i = 0; i < 7; i++) {
		regs.x[1 + i] = i < count ? arguments[i] : 0;
	}
	hcall(&regs);
	for (u32 i = 8; i < 31; i++) {
		assert_int_equal(regs.x[i], NOISE + i);
	}
	return (s64)regs.x[0];
}
#define CALL(id, ...) \
	call(id, sizeof((u64[]){ __VA_ARGS__ }) / sizeof(u64), (const u64[]){ __VA_ARGS__ })

static int set_up(void **state)
{
	(void)state;
	fake_boot(&fake_small_machine);
	fake_vcpu_reset();
	published = 0;
	memset(&refusal, 0, sizeof(refusal));
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	fake_halt();
	return 0;
}

static void identity_and_version(void **state)
{
	(void)state;
	CALL(RV_HVC_UID, 1, 2, 3);
	assert_int_equal(regs.x[0], RV_UID_0);
	assert_int_equal(regs.x[1], RV_UID_1);
	assert_int_equal(regs.x[2], RV_UID_2);
	assert_int_equal(regs.x[3], RV_UID_3);
	assert_int_equal(CALL(RV_VERSION, 9), RV_OK);
	assert_int_equal(regs.x[1], RV_ABI_MAJOR << 16 | RV_ABI_MINOR);
	assert_int_equal(regs.x[2] & RV_FEAT_ENTROPY, RV_FEAT_ENTROPY);
	assert_int_equal(regs.x[3], 4);
	assert_int_equal(regs.x[4], IPA_BITS);
	assert_int_equal(regs.x[5], VM_VCPUS_MAX);
	assert_int_equal(regs.x[6], VCPU_RECORD_PAGES);
	assert_int_equal(regs.x[7], VM_RECORD_PAGES);
	fake_entropy = false;
	assert_int_equal(CALL(RV_VERSION, 9), RV_OK);
	assert_int_equal(regs.x[2] & RV_FEAT_ENTROPY, 0);
	assert_int_equal(refusal.count, 0);
}

/* The whole range of ids but those that are calls; the upper half of x0 is not part of it. */
static void unknown_calls_are_refused_and_told(void **state)
{
	u32 unknown = 0;

	(void)state;
	for (u64 id = RV_HVC(0); id < RV_HVC(0x200); id++) {
		if (CALL(id, ~0ull, ~0ull) == RV_E_NOT_SUPPORTED) {
			unknown++;
			assert_int_equal(refusal.call, id);
			assert_int_equal(refusal.status, RV_E_NOT_SUPPORTED);
			assert_int_equal(refusal.argument, ~0ull);
			assert_int_equal(regs.x[1], ~0ull);
		}
	}
	assert_true(unknown > 0x100 && unknown < 0x200 - 16);
	assert_int_equal(CALL(0x86000000, 1), RV_E_NOT_SUPPORTED);
	assert_int_equal(CALL(RV_VERSION | 1ull << 32, 0), RV_OK);
}

static u64 create(u64 first, u64 flags, const u64 *owner)
{
	assert_int_equal(CALL(RV_VM_CREATE, PAGE(first), PAGE(first + 2), flags, owner[0], owner[1],
			      owner[2], owner[3]),
			 RV_OK);
	return regs.x[1];
}

/* A refusal leaves every result register as it was. */
static void refused(s64 status, u64 id, u64 a0, u64 a1, u64 a2, u64 a3)
{
	u32 count = refusal.count;

	assert_int_equal(CALL(id, a0, a1, a2, a3), status);
	assert_int_equal(regs.x[1], a0);
	assert_int_equal(regs.x[2], a1);
	assert_int_equal(regs.x[3], a2);
	assert_int_equal(regs.x[4], a3);
	assert_int_equal(refusal.count, count + 1);
	assert_int_equal(refusal.status, status);
	assert_int_equal(refusal.argument, a0);
}

static void an_open_vm_from_its_first_call_to_its_last(void **state)
{
	static const u64 nobody[4];
	struct rv_run *run;
	u64 vm;

	(void)state;
	vm = create(0, 0, nobody);
	assert_int_equal(CALL(RV_VM_TOPUP, vm, PAGE(4)), RV_OK);
	assert_int_equal(CALL(RV_VM_TOPUP, vm, PAGE(5)), RV_OK);
	assert_int_equal(CALL(RV_VM_ADD_RAM, vm, GFN, 16), RV_OK);
	assert_int_equal(CALL(RV_VCPU_CREATE, vm, 0, PAGE(8), PAGE(9)), RV_OK);
	published = 0;
	assert_int_equal(CALL(RV_MEM_MAP, vm, GFN + 1, PAGE(40), 3), RV_OK);
	assert_int_equal(regs.x[1], 3);
	assert_int_equal(regs.x[2], GFN + 1); /* no result, so still the argument */
	assert_int_equal(published, 0);	      /* of these there are many */
	refused(RV_E_BUSY, RV_MEM_MAP, vm, GFN + 3, PAGE(50), 1);
	refused(RV_E_PERM, RV_VM_MEASURE, vm, RV_MEASURE_MANIFEST, 0, 0);
	published = 0;
	assert_int_equal(CALL(RV_VM_VERIFY, vm, 0), RV_OK);
	assert_int_equal(published, 1);
	refused(RV_E_STATE, RV_VM_ADD_RAM, vm, 0, 1, 0);
	refused(RV_E_PERM, RV_VM_MEASURE, vm, RV_MEASURE_OWNER, 0, 0);
	refused(RV_E_INVALID, RV_VCPU_BOOT, vm, 0, (GFN << PAGE_SHIFT) + 2, 0);
	assert_int_equal(CALL(RV_VCPU_BOOT, vm, 0, GFN << PAGE_SHIFT, 0x77), RV_OK);
	assert_int_equal(CALL(RV_VCPU_READ_REGS, vm, 0), RV_OK);
	run = arch_core_va(pfn_pa(pfn_make(PAGE(9))));
	assert_int_equal(run->regs.pc, GFN << PAGE_SHIFT);
	assert_int_equal(run->regs.x[0], 0x77);
	published = 0;
	assert_int_equal(CALL(RV_VCPU_RUN, vm, 0), RV_OK);
	assert_int_equal(regs.x[1], RV_EXIT_IRQ);
	assert_int_equal(published, 0);
	refused(RV_E_NOENT, RV_VCPU_RUN, vm, 1, 0, 0);
	refused(RV_E_STATE, RV_VM_DESTROY, vm, 0, 0, 0);
	assert_int_equal(CALL(RV_VM_KILL, vm), RV_OK);
	assert_int_equal(CALL(RV_MEM_RECLAIM, vm, GFN, 16), RV_OK);
	assert_int_equal(regs.x[1], GFN + 16);
	assert_int_equal(CALL(RV_VM_DESTROY, vm), RV_OK);
	assert_int_equal(regs.x[1], 0);
	refused(RV_E_NOENT, RV_VM_KILL, vm, 0, 0, 0);
	assert_int_equal(CALL(RV_POOL_TOPUP, PAGE(60)), RV_OK);
	refused(RV_E_STATE, RV_POOL_TOPUP, PAGE(60), 0, 0, 0);
}

static void a_protected_vm_is_verified_and_measured(void **state)
{
	static const u64 image[PAGE_SIZE / sizeof(u64)];
	const u64 gpa = GFN << PAGE_SHIFT;
	struct owner owner;
	struct rv_launch launch;
	u64 vm;

	(void)state;
	owner_make(&owner, RV_CURVE_P256, 1);
	owner_sign(&owner, &(struct owner_policy){ .entry = gpa },
		   &(struct owner_image){ gpa, sizeof(image), image }, 1, &launch);
	for (u64 i = 0; i < PAGE_SIZE / sizeof(u64); i++) {
		fake_poke(PAGE(30), i * sizeof(u64), ((const u64 *)&launch)[i]);
	}
	vm = create(0, RV_VM_PROTECTED, owner.words);
	assert_int_equal(CALL(RV_VM_TOPUP, vm, PAGE(4)), RV_OK);
	assert_int_equal(CALL(RV_VM_TOPUP, vm, PAGE(5)), RV_OK);
	assert_int_equal(CALL(RV_VM_ADD_RAM, vm, GFN, 16), RV_OK);
	refused(RV_E_NOENT, RV_IMAGE_MAP, vm, 0, PAGE(40), 1);
	assert_int_equal(CALL(RV_IMAGE_ADD, vm, gpa, sizeof(image)), RV_OK);
	assert_int_equal(regs.x[1], 0);
	for (u64 i = 0; i < PAGE_SIZE / sizeof(u64); i++) {
		fake_poke(PAGE(40), i * sizeof(u64), 0);
	}
	assert_int_equal(CALL(RV_IMAGE_MAP, vm, 0, PAGE(40), 1), RV_OK);
	assert_int_equal(regs.x[1], 1);
	refused(RV_E_STATE, RV_VM_MEASURE, vm, RV_MEASURE_MANIFEST, 0, 0);
	assert_int_equal(CALL(RV_VM_VERIFY, vm, PAGE(30)), RV_OK);
	assert_int_equal(regs.x[1], 0);
	assert_int_equal(CALL(RV_VM_MEASURE, vm, RV_MEASURE_OWNER), RV_OK);
	for (u32 i = 0; i < 4; i++) {
		assert_int_equal(regs.x[1 + i], owner.words[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(identity_and_version, set_up, tear_down),
		cmocka_unit_test_setup_teardown(unknown_calls_are_refused_and_told, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(an_open_vm_from_its_first_call_to_its_last, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(a_protected_vm_is_verified_and_measured, set_up,
						tear_down),
	};

	return cmocka_run_group_tests_name("hcall", tests, NULL, NULL);
}
