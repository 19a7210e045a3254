/* SPDX-License-Identifier: BSD-3-Clause */
/* guest_fault.c: RAM, devices, and everything that is neither; what crosses to the host and back
 * (reference 11.4). */
#include "guest_fixture.h"

#include <string.h>

#define DEVICE 0x09000018ull
#define SECRET 0xfedcba9876543210ull
#define ABORT_SAME ((EC_DABT_SAME << ESR_EC_SHIFT) | ESR_IL | FSC_EXTERNAL)

static void set_registers(struct vcpu *vcpu)
{
	for (u32 i = 0; i < 31; i++) {
		vcpu->ctx.x[i] = SECRET + i;
	}
	vcpu->ctx.pstate |= PSTATE_BTYPE;
	fake_vcpu.el1[CTX_VBAR_EL1] = 0xffff800000080000ull;
}

static u64 access(u64 esr, u64 ipa)
{
	fake_vcpu_add((struct fake_step){ ARCH_EVENT_SYNC, esr,
					  0xffff000000000000ull | (ipa & 0xfff), fix_hpfar(ipa),
					  set_registers });
	return fix_run();
}

static u64 mask(u32 bytes)
{
	return bytes == 8 ? ~0ull : (1ull << bytes * 8) - 1;
}

/* ---- devices ---- */

static void a_write_discloses_its_bytes_and_no_more(void **state)
{
	for (u32 bytes = 1; bytes <= 8; bytes *= 2) {
		for (u32 reg = 0; reg < 32; reg++) {
			const u64 value = reg == 31 ? 0 : SECRET + reg;

			fix_setup(state);
			assert_int_equal(access(fix_dabt((struct fix_access){ bytes, reg, true,
									      false, false }),
						DEVICE),
					 RV_EXIT_MMIO);
			fix_assert_record(fix.run[0], RV_EXIT_MMIO, DEVICE, bytes, 1,
					  value & mask(bytes));
			assert_int_equal(fix.vcpu[0].ctx.pc, FIX_ENTRY);
			fix_run();
			assert_int_equal(fix.vcpu[0].ctx.pc, FIX_ENTRY + 4);
			assert_int_equal(fix.vcpu[0].ctx.pstate & PSTATE_BTYPE, 0);
			/* A write takes nothing from the host. */
			for (u32 i = 0; i < 31; i++) {
				assert_int_equal(fix.vcpu[0].ctx.x[i], SECRET + i);
			}
		}
	}
}

static u64 loaded(u64 data, struct fix_access a)
{
	u64 value = data & mask(a.bytes);

	if (a.is_signed && (value >> (a.bytes * 8 - 1)) != 0) {
		value |= ~mask(a.bytes);
	}
	return a.is_64 ? value : value & 0xffffffff;
}

static void a_read_takes_its_bytes_into_its_register_only(void **state)
{
	static const u64 answers[] = { 0, ~0ull, 0x8080808080808080ull, 0x7f7f7f7f7f7f7f7full,
				       0x123456789abcdef0ull };

	for (u32 n = 0; n < 4 * 2 * 2 * 5 * 32; n++) {
		const struct fix_access a = { 1u << (n & 3), n >> 4 & 31, false, n >> 2 & 1,
					      n >> 3 & 1 };
		const u64 answer = answers[n >> 9];

		fix_setup(state);
		assert_int_equal(access(fix_dabt(a), DEVICE & ~7ull), RV_EXIT_MMIO);
		fix_assert_record(fix.run[0], RV_EXIT_MMIO, DEVICE & ~7ull, a.bytes, 0, 0);
		fix.run[0]->in_flags = RV_IN_RESULT;
		fix.run[0]->in_data = answer;
		fix_run();
		assert_int_equal(fix.vcpu[0].ctx.pc, FIX_ENTRY + 4);
		for (u32 i = 0; i < 31; i++) {
			assert_int_equal(fix.vcpu[0].ctx.x[i],
					 i == a.reg ? loaded(answer, a) : SECRET + i);
		}
	}
}

static void a_read_without_an_answer_gives_zero(void **state)
{
	(void)state;
	access(fix_dabt((struct fix_access){ 8, 3, false, false, true }), DEVICE);
	fix.run[0]->in_data = SECRET;
	fix_run();
	assert_int_equal(fix.vcpu[0].ctx.x[3], 0);
}

/* The host answers what was not asked: after any other exit its data goes nowhere. */
static void answers_nobody_asked_for_are_dropped(void **state)
{
	(void)state;
	access(fix_dabt((struct fix_access){ 4, 5, false, false, false }), DEVICE);
	fix.run[0]->in_flags = RV_IN_RESULT;
	fix.run[0]->in_data = 7;
	fix_run();
	fix.run[0]->in_data = 8;
	fix_run();
	assert_int_equal(fix.vcpu[0].ctx.x[5], 7);
	assert_int_equal(fix.vcpu[0].ctx.pc, FIX_ENTRY + 4);
	fix.run[0]->in_flags = RV_IN_ABORT;
	fix_run();
	assert_int_equal(fix.vcpu[0].ctx.pc, FIX_ENTRY + 4);
}

static void a_refused_run_keeps_the_question_open(void **state)
{
	u64 exit;

	(void)state;
	access(fix_dabt((struct fix_access){ 4, 5, false, false, false }), DEVICE);
	fix.run[0]->in_flags = RV_IN_RESULT | 8;
	assert_int_equal(run_vcpu(FIX_HANDLE, 0, &exit), CV_E_INVALID);
	fix.run[0]->in_flags = RV_IN_RESULT;
	fix.run[0]->in_data = 9;
	fix_run();
	assert_int_equal(fix.vcpu[0].ctx.x[5], 9);
}

static void a_failed_access_is_an_external_abort(void **state)
{
	for (u32 is_write = 0; is_write < 2; is_write++) {
		fix_setup(state);
		access(fix_dabt((struct fix_access){ 4, 5, is_write, false, false }), DEVICE);
		fix.run[0]->in_flags = RV_IN_ABORT;
		fix_run();
		fix_assert_injected(ABORT_SAME | (is_write ? ESR_WNR : 0), FIX_ENTRY);
		assert_int_equal(fix.vcpu[0].ctx.sysreg[CTX_FAR_EL1],
				 0xffff000000000000ull | (DEVICE & 0xfff));
		assert_int_equal(fix.vcpu[0].ctx.x[5], SECRET + 5);
	}
}

static void set_user_mode(struct vcpu *vcpu)
{
	set_registers(vcpu);
	vcpu->ctx.pstate = PSTATE_EL0T;
}

static void set_user_mode_32(struct vcpu *vcpu)
{
	set_registers(vcpu);
	vcpu->ctx.pstate = PSTATE_M32;
}

/* No exit, nothing disclosed, the guest has the abort. */
static void incomplete_accesses_are_aborts(void **state)
{
	const u64 good = fix_dabt((struct fix_access){ 4, 1, true, false, false });
	const struct {
		u64 esr, ipa;
	} bad[] = {
		{ good & ~ESR_ISV, DEVICE },
		{ good | ESR_S1PTW, DEVICE },
		{ good | ESR_CM, DEVICE },
		{ good, DEVICE + 1 },
		{ good, DEVICE + 2 },
		{ fix_dabt((struct fix_access){ 8, 1, true, false, true }), DEVICE + 4 },
		{ good, 1ull << 40 },
		{ good, (1ull << 48) - 8 },
		/* not a translation fault: permission, access flag, address size, external */
		{ (good & ~0x3full) | 0x0f, DEVICE },
		{ (good & ~0x3full) | 0x0b, DEVICE },
		{ (good & ~0x3full) | 0x03, DEVICE },
		{ (good & ~0x3full) | 0x10, DEVICE },
		{ (good & ~0x3full) | 0x0f, FIX_RAM_GPA },
	};

	for (u32 i = 0; i < ARRAY_SIZE(bad); i++) {
		fix_setup(state);
		assert_int_equal(access(bad[i].esr, bad[i].ipa), RV_EXIT_IRQ);
		fix_assert_record(fix.run[0], RV_EXIT_IRQ, 0, 0, 0, 0);
		fix_assert_injected(ABORT_SAME | (bad[i].esr & (ESR_WNR | ESR_CM)), FIX_ENTRY);
	}
}

static void fetches_outside_ram_are_aborts(void **state)
{
	(void)state;
	/* Bit 24 means nothing in the syndrome of a fetch. */
	assert_int_equal(access((EC_IABT_LOWER << ESR_EC_SHIFT) | ESR_IL | ESR_ISV | 0x07, DEVICE),
			 RV_EXIT_IRQ);
	fix_assert_record(fix.run[0], RV_EXIT_IRQ, 0, 0, 0, 0);
	fix_setup(state);
	assert_int_equal(access((EC_IABT_LOWER << ESR_EC_SHIFT) | ESR_IL | 0x07, DEVICE),
			 RV_EXIT_IRQ);
	fix_assert_injected((EC_IABT_SAME << ESR_EC_SHIFT) | ESR_IL | FSC_EXTERNAL, FIX_ENTRY);
}

static void aborts_of_user_mode_say_so(void **state)
{
	(void)state;
	fake_vcpu_add((struct fake_step){
		ARCH_EVENT_SYNC,
		fix_dabt((struct fix_access){ 4, 1, true, false, false }) & ~ESR_ISV, 0,
		fix_hpfar(DEVICE), set_user_mode });
	assert_int_equal(fix_run(), RV_EXIT_IRQ);
	assert_int_equal(fix.vcpu[0].ctx.sysreg[CTX_ESR_EL1],
			 (EC_DABT_LOWER << ESR_EC_SHIFT) | ESR_IL | ESR_WNR | FSC_EXTERNAL);
	assert_int_equal(fix.vcpu[0].ctx.pc, 0xffff800000080400ull);
	/* AArch32 user code never reaches devices, whatever its syndrome says. */
	fix_setup(state);
	fake_vcpu_add((struct fake_step){ ARCH_EVENT_SYNC,
					  fix_dabt((struct fix_access){ 4, 1, true, false, false }),
					  0, fix_hpfar(DEVICE), set_user_mode_32 });
	assert_int_equal(fix_run(), RV_EXIT_IRQ);
	assert_int_equal(fix.vcpu[0].ctx.pc, 0xffff800000080600ull);
}

/* ---- RAM ---- */

static void ram_is_asked_for_by_page_and_nothing_is_told(void **state)
{
	static const u64 ipas[] = { FIX_RAM_GPA, FIX_RAM_GPA + 0x1238,
				    FIX_RAM_GPA + (FIX_RAM_PAGES << PAGE_SHIFT) - 8 };

	for (u32 i = 0; i < ARRAY_SIZE(ipas) * 4; i++) {
		const u64 ipa = ipas[i / 4];
		const bool is_fetch = (i & 1) != 0;
		u64 esr = is_fetch ? (EC_IABT_LOWER << ESR_EC_SHIFT) | ESR_IL | 0x06
				   : fix_dabt((struct fix_access){ 8, 2, true, false, true });

		/* A stage-1 walk that finds no table is the same. */
		esr |= (i & 2) != 0 ? ESR_S1PTW : 0;
		fix_setup(state);
		assert_int_equal(access(esr, ipa), RV_EXIT_RAM);
		fix_assert_record(fix.run[0], RV_EXIT_RAM, ipa & ~0xfffull, 0, 0, 0);
		/* Whatever the host answers, the guest repeats the access. */
		fix.run[0]->in_flags = RV_IN_RESULT;
		fix.run[0]->in_data = 1;
		fix_run();
		assert_int_equal(fix.vcpu[0].ctx.pc, FIX_ENTRY);
		assert_int_equal(fix.vcpu[0].ctx.x[2], SECRET + 2);
	}
}

static void ram_that_has_come_meanwhile_is_retried(void **state)
{
	(void)state;
	fix.leaf.is_mapped = true;
	assert_int_equal(
		access(fix_dabt((struct fix_access){ 8, 2, true, false, true }), FIX_RAM_GPA),
		RV_EXIT_IRQ);
	assert_int_equal(fake_vcpu.enters, 2);
	assert_int_equal(fix.vcpu[0].ctx.pc, FIX_ENTRY);
}

static void shared_ram_is_asked_for_like_private(void **state)
{
	(void)state;
	fix.leaf.wish = S2_WISH_SHARED;
	assert_int_equal(
		access(fix_dabt((struct fix_access){ 8, 2, true, false, true }), FIX_RAM_GPA),
		RV_EXIT_RAM);
}

static void destroyed_ram_is_an_abort(void **state)
{
	(void)state;
	fix.leaf.wish = S2_WISH_DESTROYED;
	assert_int_equal(
		access(fix_dabt((struct fix_access){ 8, 2, false, false, true }), FIX_RAM_GPA),
		RV_EXIT_IRQ);
	fix_assert_injected(ABORT_SAME, FIX_ENTRY);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_write_discloses_its_bytes_and_no_more,
				       fix_setup_protected),
		cmocka_unit_test_setup(a_read_takes_its_bytes_into_its_register_only,
				       fix_setup_protected),
		cmocka_unit_test_setup(a_read_without_an_answer_gives_zero, fix_setup_protected),
		cmocka_unit_test_setup(answers_nobody_asked_for_are_dropped, fix_setup_protected),
		cmocka_unit_test_setup(a_refused_run_keeps_the_question_open, fix_setup_protected),
		cmocka_unit_test_setup(a_failed_access_is_an_external_abort, fix_setup_protected),
		cmocka_unit_test_setup(incomplete_accesses_are_aborts, fix_setup_protected),
		cmocka_unit_test_setup(fetches_outside_ram_are_aborts, fix_setup_protected),
		cmocka_unit_test_setup(aborts_of_user_mode_say_so, fix_setup_protected),
		cmocka_unit_test_setup(ram_is_asked_for_by_page_and_nothing_is_told,
				       fix_setup_protected),
		cmocka_unit_test_setup(ram_that_has_come_meanwhile_is_retried, fix_setup_protected),
		cmocka_unit_test_setup(shared_ram_is_asked_for_like_private, fix_setup_protected),
		cmocka_unit_test_setup(destroyed_ram_is_an_abort, fix_setup_protected),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
