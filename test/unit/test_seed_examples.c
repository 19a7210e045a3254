/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The worked examples T1 to T24 of the seeds' primitives (reference 16.5), but for T11 to T18,
 * which test_dma.c has. Each quotes what the seed expects and asserts what ours does; where that is
 * not the same, docs/spec-decisions.md has the row that is named. HALT of the seeds is a status
 * here, and nothing changed, locks included: after_each() looks.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "../../arch-fake/fake.h"
#include "../../arch-fake/fake_vcpu.h"
#include "owner.h"

#include <cv/arch.h>
#include <cv/exception.h>
#include <cv/host_psci.h>
#include <cv/image.h>
#include <cv/psci.h>
#include <cv/run.h>
#include <cv/vcpu.h>

#define PAGE(n) ((0x40200000ull >> PAGE_SHIFT) + (n))
#define RAM_GFN 0x40000ull
#define RAM_PAGES 4096ull
#define GPA(offset) ((RAM_GFN << PAGE_SHIFT) + (offset))
#define ENTRY GPA(0x80000)
#define UART 0x09000000ull

enum { VM = 0, VCPU = 30, LAUNCH = 40, IMAGE = 50, SPARE = 60 };

static struct owner owner;
static u64 vm;
static struct rv_run *run;

bool host_psci_is_stopping(void)
{
	return false;
}

static u64 make_vm(u64 page)
{
	u64 handle;

	assert_int_equal(
		vm_create(PAGE(page), PAGE(page + 2), RV_VM_PROTECTED, owner.words, &handle),
		CV_OK);
	return handle;
}

static int set_up(void **state)
{
	(void)state;
	fake_boot(&fake_small_machine);
	fake_vcpu_reset();
	owner_make(&owner, RV_CURVE_P256, 1);
	vm = make_vm(VM);
	for (u32 i = 4; i < 12; i++) {
		assert_int_equal(vm_topup(vm, PAGE(VM + i)), CV_OK);
	}
	assert_int_equal(vm_add_ram(vm, RAM_GFN, RAM_PAGES), CV_OK);
	assert_int_equal(vm_create_vcpu(vm, 0, PAGE(VCPU), PAGE(VCPU + 1)), CV_OK);
	run = arch_core_va(pfn_pa(pfn_make(PAGE(VCPU + 1))));
	return 0;
}

static int after_each(void **state)
{
	(void)state;
	assert_int_equal(fake_locks_held(), 0);
	fake_halt();
	return 0;
}

static struct vm *record(void)
{
	return arch_core_va(pfn_pa(pfn_make(PAGE(VM))));
}

static struct vcpu *vcpu(void)
{
	return arch_core_va(pfn_pa(pfn_make(PAGE(VCPU))));
}

/* One page of image at ENTRY, signed. */
static void make_verified(void)
{
	static const u8 image[PAGE_SIZE];
	struct rv_launch launch;
	u64 index, value;

	owner_sign(&owner, &(struct owner_policy){ .entry = ENTRY },
		   &(struct owner_image){ ENTRY, PAGE_SIZE, image }, 1, &launch);
	for (u64 i = 0; i < PAGE_SIZE / sizeof(u64); i++) {
		fake_poke(PAGE(LAUNCH), i * sizeof(u64), ((const u64 *)&launch)[i]);
	}
	assert_int_equal(image_add(vm, ENTRY, PAGE_SIZE, &index), CV_OK);
	assert_int_equal(image_map(vm, index, PAGE(IMAGE), 1, &value), CV_OK);
	assert_int_equal(image_verify(vm, PAGE(LAUNCH), &value), CV_OK);
	assert_int_equal(value, 0);
}

/* Seed: results 1..15; the 16th call HALTs holding CORE. Ours: as many handles as there are owner
 * numbers, all different; the next one is BUSY, changes nothing, and a number comes free again
 * (D12, W18). */
static void test_T1(void **state)
{
	static u64 handles[VM_SLOTS];
	u64 other = 0;

	(void)state;
	handles[0] = vm;
	for (u32 i = 1; i < VM_SLOTS; i++) {
		handles[i] = make_vm(100 + 4 * i);
		for (u32 j = 0; j < i; j++) {
			assert_int_not_equal(handles[i], handles[j]);
		}
	}
	assert_int_equal(vm_create(PAGE(64), PAGE(66), RV_VM_PROTECTED, owner.words, &other),
			 CV_E_BUSY);
	assert_int_equal(other, 0);
	assert_true(ledger_is(pfn_make(PAGE(64)), OWNER_HOST, PAGE_EXCLUSIVE));
	assert_int_equal(vm_kill(handles[7]), CV_OK);
	assert_int_equal(vm_destroy(handles[7], &other), CV_OK);
	other = make_vm(64);
	assert_int_equal(vm_handle_owner(other), vm_handle_owner(handles[7]));
	assert_int_not_equal(other, handles[7]);
}

/* Seed: VM 3 READY, set_boot_info(3, 0x4008_0000, 1): index 0; one page of window; slot 0 filled,
 * nothing mapped. Ours: the same, without a window (D15). */
static void test_T2(void **state)
{
	u64 index = 77;

	(void)state;
	assert_int_equal(image_add(vm, 0x40080000, 1, &index), CV_OK);
	assert_int_equal(index, 0);
	assert_int_equal(record()->images.count, 1);
	assert_int_equal(record()->images.image[0].first.v, 0x40080);
	assert_int_equal(record()->images.image[0].bytes, 1);
	assert_int_equal(record()->images.image[0].pages_mapped, 0);
}

/* Seed: the window is full: HALT, with next_load_info advanced and the slot stale. Ours: there is
 * no window to be full; what cannot be placed, because it is not all RAM, is RANGE and leaves no
 * trace (D15). */
static void test_T3(void **state)
{
	u64 index = 77;

	(void)state;
	assert_int_equal(image_add(vm, GPA((RAM_PAGES - 1) << PAGE_SHIFT), PAGE_SIZE + 1, &index),
			 CV_E_RANGE);
	assert_int_equal(record()->images.count, 0);
	assert_int_equal(index, 77);
}

/* Seed: next_load_info 5: returns 5, nothing changed. Ours: BUSY, not an index (D68). */
static void test_T4(void **state)
{
	u64 index = 77;

	(void)state;
	for (u64 i = 0; i < RV_IMAGES_MAX; i++) {
		assert_int_equal(image_add(vm, GPA(i << PAGE_SHIFT), 1, &index), CV_OK);
		assert_int_equal(index, i);
	}
	assert_int_equal(image_add(vm, GPA(64 << PAGE_SHIFT), 1, &index), CV_E_BUSY);
	assert_int_equal(index, RV_IMAGES_MAX - 1);
	assert_int_equal(record()->images.count, RV_IMAGES_MAX);
}

/* Seed: VM 3 UNUSED: HALT holding VM(3), result 0. Ours: NOENT (D1). */
static void test_T5(void **state)
{
	u64 index = 77;

	(void)state;
	assert_int_equal(image_add(vm + 1, GPA(0), 1, &index), CV_E_NOENT);
	assert_int_equal(index, 77);
}

/* Seed: image of one page, mapped 1: remap_vm_image is a no-op. Ours: STATE, and the page stays the
 * host's (B7). */
static void test_T6(void **state)
{
	u64 index, done = 77;

	(void)state;
	assert_int_equal(image_add(vm, GPA(0), 1, &index), CV_OK);
	assert_int_equal(image_map(vm, index, PAGE(IMAGE), 1, &done), CV_OK);
	done = 77;
	assert_int_equal(image_map(vm, index, PAGE(SPARE), 1, &done), CV_E_STATE);
	assert_int_equal(done, 77);
	assert_true(ledger_is(pfn_make(PAGE(SPARE)), OWNER_HOST, PAGE_EXCLUSIVE));
}

/* Seed: next_load_info 1, remap_vm_image(3, p, 1): no-op. Ours: NOENT (B7). */
static void test_T7(void **state)
{
	u64 index, done = 77;

	(void)state;
	assert_int_equal(image_add(vm, GPA(0), 1, &index), CV_OK);
	assert_int_equal(image_map(vm, 1, PAGE(SPARE), 1, &done), CV_E_NOENT);
	assert_true(ledger_is(pfn_make(PAGE(SPARE)), OWNER_HOST, PAGE_EXCLUSIVE));
}

/* Seed: VM READY, no images: VERIFIED. Ours: so an open VM; a protected one is refused, since
 * nobody signed anything (D66). */
static void test_T8(void **state)
{
	u64 open, left = 77;

	(void)state;
	assert_int_equal(vm_create(PAGE(64), PAGE(66), 0, fake_no_owner, &open), CV_OK);
	assert_int_equal(image_verify(open, ~0ull, &left), CV_OK);
	assert_int_equal(left, 0);
	assert_int_equal(image_verify(vm, PAGE(LAUNCH), &left), CV_E_STATE);
	assert_int_equal(record()->state, VM_READY);
}

/* Seed: VM VERIFIED: HALT holding VM. Ours: STATE (D1). */
static void test_T9(void **state)
{
	u64 left = 77;

	(void)state;
	make_verified();
	assert_int_equal(image_verify(vm, PAGE(LAUNCH), &left), CV_E_STATE);
	assert_int_equal(record()->state, VM_VERIFIED);
}

/* Seed: images A=[0x1000,+0x1000), B=[0x1800,+0x1000): search_load_info(0x1900) finds B, the last
 * match. Ours: images are page aligned and never overlap, so no address lies in two (D68); and
 * nothing is searched for, since the owner's entry alone is an answer, which T23 asserts (B1). */
static void test_T10(void **state)
{
	u64 index = 77;

	(void)state;
	assert_int_equal(image_add(vm, GPA(0x1000), 0x1000, &index), CV_OK);
	assert_int_equal(image_add(vm, GPA(0x1800), 0x1000, &index), CV_E_INVALID);
	assert_int_equal(image_add(vm, GPA(0x1000), 1, &index), CV_E_BUSY);
	assert_int_equal(record()->images.count, 1);
}

/* Seed: vCPU ACTIVE: set_vcpu_active HALTs holding VM. Ours: BUSY (D1); who claimed it releases it
 * (D44). */
static void test_T19(void **state)
{
	struct vcpu *claimed, *again = NULL;

	(void)state;
	make_verified();
	assert_int_equal(vcpu_boot(vm, 0, ENTRY, 0), CV_OK);
	assert_int_equal(vcpu_claim(vm, 0, &claimed), CV_OK);
	assert_int_equal(vcpu_claim(vm, 0, &again), CV_E_BUSY);
	assert_null(again);
	assert_int_equal(claimed->run_state, VCPU_ACTIVE);
	vcpu_release(claimed);
	assert_int_equal(claimed->run_state, VCPU_READY);
}

static void start(void)
{
	make_verified();
	assert_int_equal(vcpu_boot(vm, 0, ENTRY, 0), CV_OK);
}

static u64 run_step(struct fake_step step)
{
	u64 exit = ~0ull;

	fake_vcpu.next = fake_vcpu.step_count = 0;
	fake_vcpu_add(step);
	assert_int_equal(run_vcpu(vm, 0, &exit), CV_OK);
	return exit;
}

static void system_off(struct vcpu *of)
{
	of->ctx.x[0] = PSCI_SYSTEM_OFF;
}

/* Seed: HVC with X0 = 0x8400_0008: POWEROFF, DIRTY = 1. Ours: POWEROFF, a state (D11);
 * nothing is accepted any more, since the VM never runs again. */
static void test_T20(void **state)
{
	const u64 esr = EC_HVC64 << ESR_EC_SHIFT | ESR_IL;
	u64 exit = 77;

	(void)state;
	start();
	assert_int_equal(run_step((struct fake_step){ ARCH_EVENT_SYNC, esr, 0, 0, system_off }),
			 RV_EXIT_SYSTEM_OFF);
	assert_int_equal(record()->state, VM_POWEROFF);
	assert_int_equal(run_vcpu(vm, 0, &exit), CV_E_STATE);
	assert_int_equal(exit, 77);
}

static void read_to_x5(void)
{
	/* LDR X5 of 8 bytes */
	const u64 esr = EC_DABT_LOWER << ESR_EC_SHIFT | ESR_IL | ESR_ISV | 3ull << 22 | 5ull << 16 |
			1ull << 15 | 0x07;

	assert_int_equal(run_step((struct fake_step){ ARCH_EVENT_SYNC, esr, 0,
						      UART >> PAGE_SHIFT << 4, NULL }),
			 RV_EXIT_MMIO);
}

/* Seed: DABT read at 0x0900_0000, Rd 5: DIRTY = 1<<5 OR 1<<32 (intended). Ours: the pending access
 * says the same: X5 and the PC, nothing else (D48). */
static void test_T21(void **state)
{
	(void)state;
	start();
	read_to_x5();
	assert_true(vcpu()->pending.is_mmio);
	assert_false(vcpu()->pending.is_write);
	assert_int_equal(vcpu()->pending.reg, 5);
	assert_int_equal(run->ipa, UART);
}

/* Seed: host supplies X5 = 7, X6 = 9: X5 = 7, X6 unchanged, PC + 4, DIRTY 0. Ours: the
 * pending access says which register (D48), one value is for it alone (D55), and there is no place
 * to supply an X6. */
static void test_T22(void **state)
{
	(void)state;
	start();
	read_to_x5();
	run->in_flags = RV_IN_RESULT;
	run->in_data = 7;
	assert_int_equal(run_step((struct fake_step){ ARCH_EVENT_IRQ, 0, 0, 0, NULL }),
			 RV_EXIT_IRQ);
	assert_int_equal(vcpu()->ctx.x[5], 7);
	for (u32 i = 0; i < 31; i++) {
		assert_int_equal(vcpu()->ctx.x[i], i == 5 ? 7 : 0);
	}
	assert_int_equal(vcpu()->ctx.pc, ENTRY + 4);
	assert_false(vcpu()->pending.is_mmio);
}

/* Seed: never ran, host's PC outside every image: HALT, VM lock free. Ours: PERM for every PC but
 * the owner's entry, inside an image or not (B1, W13). */
static void test_T23(void **state)
{
	u64 exit;

	(void)state;
	make_verified();
	assert_int_equal(vcpu_boot(vm, 0, GPA(0), 0), CV_E_PERM);
	assert_int_equal(vcpu_boot(vm, 0, ENTRY + 8, 0), CV_E_PERM);
	assert_int_equal(vcpu()->power, VCPU_OFF);
	assert_int_equal(run_vcpu(vm, 0, &exit), CV_E_STATE);
}

/* Seed: never ran, host's PC inside: X0-30 = 0, PC set, DIRTY 0. Ours: so, with x0 the host's word
 * (the arm64 boot protocol's device tree address), and PSTATE and system registers from a table
 * (D53, W13). */
static void test_T24(void **state)
{
	(void)state;
	make_verified();
	memset(&vcpu()->ctx, 0xff, sizeof(vcpu()->ctx));
	assert_int_equal(vcpu_boot(vm, 0, ENTRY, 0x1234), CV_OK);
	assert_int_equal(run_step((struct fake_step){ ARCH_EVENT_IRQ, 0, 0, 0, NULL }),
			 RV_EXIT_IRQ);
	assert_int_equal(vcpu()->ctx.pc, ENTRY);
	assert_int_equal(vcpu()->ctx.pstate, 0x3c5);
	assert_int_equal(vcpu()->ctx.x[0], 0x1234);
	for (u32 i = 1; i < 31; i++) {
		assert_int_equal(vcpu()->ctx.x[i], 0);
	}
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, after_each)
	const struct CMUnitTest tests[] = {
		TEST(test_T1),	TEST(test_T2),	TEST(test_T3),	TEST(test_T4),
		TEST(test_T5),	TEST(test_T6),	TEST(test_T7),	TEST(test_T8),
		TEST(test_T9),	TEST(test_T10), TEST(test_T19), TEST(test_T20),
		TEST(test_T21), TEST(test_T22), TEST(test_T23), TEST(test_T24),
	};

	return cmocka_run_group_tests_name("the seeds' worked examples", tests, NULL, NULL);
}
