/* SPDX-License-Identifier: BSD-3-Clause */
/* Registers of guests: trapped system registers, ID registers, list registers, timers. */
#include "guest_fixture.h"

#include <cv/guest_sysreg.h>
#include <cv/vgic.h>
#include <cv/vtimer.h>
#include <stdlib.h>
#include <string.h>

#define READ 1ull
#define ISS(op0, op1, crn, crm, op2, rt)                                             \
	((u64)(op0) << 20 | (u64)(op2) << 17 | (u64)(op1) << 14 | (u64)(crn) << 10 | \
	 (u64)(rt) << 5 | (u64)(crm) << 1)
#define SYSREG(iss) ((EC_SYSREG << ESR_EC_SHIFT) | ESR_IL | (iss))
#define SECRET 0xfedcba9876543210ull

static void set_registers(struct vcpu *vcpu)
{
	for (u32 i = 0; i < 31; i++) {
		vcpu->ctx.x[i] = SECRET + i;
	}
}

static u64 trap(u64 iss)
{
	fake_vcpu.next = fake_vcpu.step_count = 0;
	fake_vcpu_add((struct fake_step){ ARCH_EVENT_SYNC, SYSREG(iss), 0, 0, set_registers });
	return fix_run();
}

static u64 read_reg(u64 iss)
{
	const u64 pc = fix.vcpu[0].power == VCPU_ON ? fix.vcpu[0].ctx.pc : FIX_ENTRY;

	assert_int_equal(trap(iss | READ), RV_EXIT_IRQ);
	assert_int_equal(fix.vcpu[0].ctx.pc, pc + 4);
	return vcpu_get_x(&fix.vcpu[0], iss >> 5 & 31);
}

/* ---- traps ---- */

static void sgi_is_told_with_its_value(void **state)
{
	(void)state;
	assert_int_equal(trap(ISS(3, 0, 12, 11, 5, 7)), RV_EXIT_SGI);
	/* RES0 bits of the guest's register stay with the guest */
	fix_assert_record(fix.run[0], RV_EXIT_SGI, 0, 0, 0, 0x00dcb09806543217ull);
	assert_int_equal(fix.vcpu[0].ctx.pc, FIX_ENTRY + 4);
	assert_int_equal(trap(ISS(3, 0, 12, 11, 5, 31)), RV_EXIT_SGI);
	assert_int_equal(fix.run[0]->data, 0);
	/* groups that do not exist: nothing happens; reading is undefined */
	assert_int_equal(trap(ISS(3, 0, 12, 11, 6, 7)), RV_EXIT_IRQ);
	assert_int_equal(trap(ISS(3, 0, 12, 11, 7, 7)), RV_EXIT_IRQ);
	fix_assert_record(fix.run[0], RV_EXIT_IRQ, 0, 0, 0, 0);
	fix_setup(state);
	trap(ISS(3, 0, 12, 11, 5, 7) | READ);
	fix_assert_injected(ESR_IL, FIX_ENTRY);
}

static void id_registers_are_read_only(void **state)
{
	(void)state;
	trap(ISS(3, 0, 0, 4, 0, 7));
	fix_assert_injected(ESR_IL, FIX_ENTRY);
}

static void debug_registers_do_nothing(void **state)
{
	(void)state;
	for (u32 n = 0; n < 16; n++) {
		for (u32 op2 = 4; op2 < 8; op2++) {
			assert_int_equal(trap(ISS(2, 0, 0, n, op2, 3)), RV_EXIT_IRQ);
			assert_int_equal(read_reg(ISS(2, 0, 0, n, op2, 3)), 0);
		}
	}
	assert_int_equal(trap(ISS(2, 0, 0, 2, 2, 3)), RV_EXIT_IRQ);
	assert_int_equal(read_reg(ISS(2, 0, 0, 2, 2, 3)), 0);
	assert_int_equal(read_reg(ISS(2, 0, 1, 1, 4, 3)), 8);
	assert_int_equal(read_reg(ISS(3, 0, 12, 12, 5, 3)), 7);
	assert_int_equal(read_reg(ISS(3, 0, 1, 0, 1, 3)), 0);
	/* xzr stays zero and no other register changes */
	read_reg(ISS(2, 0, 0, 2, 2, 31));
	for (u32 i = 0; i < 31; i++) {
		assert_int_equal(fix.vcpu[0].ctx.x[i], SECRET + i);
	}
}

/* PMU, trace, profiling, SVE, pointer authentication, MTE, implementation defined: none is shown,
 * none is there. */
static void hidden_registers_are_undefined(void **state)
{
	static const u64 hidden[] = {
		ISS(3, 3, 9, 12, 0, 1), ISS(3, 3, 9, 13, 0, 1), ISS(3, 3, 14, 15, 7, 1),
		ISS(3, 0, 9, 9, 0, 1),	ISS(3, 0, 9, 10, 0, 1), ISS(3, 0, 9, 11, 0, 1),
		ISS(2, 1, 0, 0, 0, 1),	ISS(3, 0, 1, 2, 0, 1),	ISS(3, 0, 1, 2, 6, 1),
		ISS(3, 0, 2, 1, 0, 1),	ISS(3, 0, 1, 0, 5, 1),	ISS(3, 0, 5, 6, 0, 1),
		ISS(3, 0, 10, 4, 3, 1), ISS(3, 0, 5, 3, 0, 1),	ISS(3, 0, 13, 0, 7, 1),
		ISS(3, 3, 13, 0, 7, 1), ISS(3, 0, 2, 0, 3, 1),	ISS(3, 0, 10, 2, 3, 1),
		ISS(3, 0, 11, 0, 0, 1), ISS(3, 0, 15, 0, 0, 1), ISS(3, 7, 15, 15, 7, 1),
		ISS(1, 0, 11, 0, 0, 1), ISS(3, 3, 13, 2, 0, 1), ISS(3, 4, 1, 1, 0, 1),
		ISS(3, 6, 1, 0, 0, 1),
	};

	for (u32 i = 0; i < 2 * ARRAY_SIZE(hidden); i++) {
		fix_setup(state);
		assert_int_equal(trap(hidden[i / 2] | (i & 1)), RV_EXIT_IRQ);
		fix_assert_injected(ESR_IL, FIX_ENTRY);
		fix_assert_record(fix.run[0], RV_EXIT_IRQ, 0, 0, 0, 0);
		for (u32 r = 0; r < 31; r++) {
			assert_int_equal(fix.vcpu[0].ctx.x[r], SECRET + r);
		}
	}
}

/* All 2^16 encodings, both directions: only the three classes of exit, and only an SGI's data. */
static void every_encoding_is_contained(void **state)
{
	for (u32 n = 0; n < 1u << 17; n++) {
		const u64 iss =
			ISS(n >> 14 & 3, n >> 11 & 7, n >> 7 & 15, n >> 3 & 15, n & 7, 5) | n >> 16;
		u64 exit;

		if (n % 4096 == 0) {
			fix_setup(state);
		}
		exit = trap(iss);
		assert_true(exit == RV_EXIT_IRQ || exit == RV_EXIT_SGI);
		if (exit == RV_EXIT_IRQ) {
			assert_int_equal(fix.run[0]->data, 0);
		}
	}
}

/* ---- ID registers ---- */

static u64 field(u64 value, u32 shift)
{
	return value >> shift & 15;
}

static u64 shown(u32 crm, u32 op2, u64 hardware)
{
	return guest_sysreg_id(crm, op2, hardware, 2);
}

/* No field above the hardware's, whatever the hardware says (0xf in a signed field is "absent";
 * DoubleLock is fixed). */
static void id_never_shows_more_than_there_is(void **state)
{
	(void)state;
	srand(1);
	for (u32 n = 0; n < 200000; n++) {
		const u32 crm = 1 + n % 7, op2 = n / 7 % 8;
		const u64 hardware = (u64)rand() << 62 ^ (u64)rand() << 31 ^ (u64)rand();
		const u64 value = shown(crm, op2, hardware);

		for (u32 shift = 0; shift < 64; shift += 4) {
			if (crm == 5 && op2 == 0 && shift == 36) {
				assert_int_equal(field(value, shift), 15);
			} else {
				assert_in_range(field(value, shift), 0, field(hardware, shift));
			}
		}
	}
}

static void id_hides(void **state)
{
	static const struct {
		u32 crm, op2, shift;
		const char *what;
	} hidden[] = {
		{ 4, 0, 8, "EL2" },	    { 4, 0, 12, "EL3" },  { 4, 0, 28, "RAS" },
		{ 4, 0, 32, "SVE" },	    { 4, 0, 36, "SEL2" }, { 4, 0, 40, "MPAM" },
		{ 4, 0, 44, "AMU" },	    { 4, 0, 52, "RME" },  { 4, 1, 8, "MTE" },
		{ 4, 1, 24, "SME" },	    { 4, 1, 36, "NMI" },  { 4, 1, 44, "GCS" },
		{ 4, 1, 32, "CSV2_frac" },  { 4, 1, 48, "THE" },  { 5, 0, 4, "trace" },
		{ 5, 0, 8, "PMU" },	    { 5, 0, 32, "SPE" },  { 5, 0, 40, "trace filter" },
		{ 5, 0, 44, "TRBE" },	    { 5, 0, 52, "BRBE" }, { 6, 0, 24, "TME" },
		{ 6, 1, 4, "APA" },	    { 6, 1, 8, "API" },	  { 6, 1, 24, "GPA" },
		{ 6, 1, 28, "GPI" },	    { 6, 1, 60, "LS64" }, { 6, 2, 0, "WFxT" },
		{ 6, 2, 8, "GPA3" },	    { 6, 2, 12, "APA3" }, { 6, 2, 16, "MOPS" },
		{ 6, 2, 32, "SYSREG_128" }, { 7, 0, 56, "FGT" },  { 7, 0, 60, "ECV" },
		{ 7, 1, 8, "VH" },	    { 7, 1, 16, "LOR" },  { 7, 1, 40, "HCX" },
		{ 7, 2, 24, "NV" },	    { 7, 2, 56, "EVT" },
	};

	(void)state;
	for (u32 i = 0; i < ARRAY_SIZE(hidden); i++) {
		if (field(shown(hidden[i].crm, hidden[i].op2, ~0ull), hidden[i].shift) != 0) {
			fail_msg("%s is shown", hidden[i].what);
		}
	}
	assert_int_equal(shown(4, 2, ~0ull), 0);
	assert_int_equal(shown(4, 4, ~0ull), 0);
	assert_int_equal(shown(4, 5, ~0ull), 0);
	assert_int_equal(shown(4, 7, ~0ull), 0);
	assert_int_equal(shown(7, 3, ~0ull), 0);
	assert_int_equal(shown(7, 4, ~0ull), 0);
	assert_int_equal(shown(5, 1, ~0ull), 0);
	/* limits */
	assert_int_equal(field(shown(7, 0, 5), 0), 2);
	assert_int_equal(field(shown(7, 0, 1ull << 28), 28), 0);
	assert_int_equal(field(shown(7, 0, 15ull << 28), 28), 15);
	assert_int_equal(field(shown(4, 0, 2ull << 56), 56), 1);
	assert_int_equal(field(shown(4, 0, 2ull << 4), 4), 1);
}

/* What Linux needs and may have: as the hardware says. */
static void id_passes(void **state)
{
	(void)state;
	assert_int_equal(field(shown(6, 0, 2ull << 20), 20), 2);
	assert_int_equal(field(shown(6, 0, 1ull << 60), 60), 1);
	assert_int_equal(field(shown(7, 1, 3ull << 20), 20), 3);
	assert_int_equal(field(shown(4, 0, 1ull << 60), 60), 1);
	assert_int_equal(field(shown(4, 0, 15ull << 16), 16), 15);
	assert_int_equal(field(shown(4, 0, 1ull << 24), 24), 1);
	assert_int_equal(field(shown(4, 1, 1), 0), 1);
	/* AArch32 registers only where EL0 has AArch32 */
	assert_int_equal(guest_sysreg_id(2, 0, 0x02101110, 2), 0x02101110);
	assert_int_equal(guest_sysreg_id(2, 0, 0x02101110, 1), 0);
	fake_vcpu.id[4][0] = 0x1100000010111112ull;
	fake_vcpu.id[7][0] = 0x1125;
	assert_int_equal(read_reg(ISS(3, 0, 0, 4, 0, 9)), 0x1100000000110012ull);
	assert_int_equal(read_reg(ISS(3, 0, 0, 7, 0, 9)), 0x0122);
}

/* ---- list registers ---- */

static u64 random_word(void)
{
	return (u64)rand() << 62 ^ (u64)rand() << 31 ^ (u64)rand();
}

/* Each bit alone; the timer's interrupt with anything around; anything, mostly with an interrupt
 * number that is valid. */
static u64 some_lr(u32 n)
{
	if (n < 64) {
		return 1ull << n;
	}
	if (n % 64 == 0) {
		return (random_word() & ~0xffffffffull) | 27;
	}
	return random_word() & (n % 3 == 0 ? ~0ull : ~0xfffffc00ull);
}

static void lr_sanitising(void **state)
{
	const u64 keep = 3ull << 62 | 0xffull << 48 | 1ull << 41 | 0xffffffff;

	(void)state;
	srand(2);
	for (u32 n = 0; n < 300000; n++) {
		const u64 lr = some_lr(n);
		struct vgic_state vgic = { .lr = { SECRET } };
		u64 out;

		vgic_take_lrs(&vgic, &lr, 1, 4);
		out = vgic.lr[0];
		assert_int_equal(vgic.lr_count, 4);
		if ((lr >> 62) == 0 || (lr & 0xffffffff) >= 1020) {
			assert_int_equal(out, 0);
		} else if ((lr & 0xffffffff) == 27) {
			/* pending and active at once does not exist with the physical link */
			const u64 lr_state = lr >> 62 == 3 ? 2 : lr >> 62;

			assert_int_equal(out, lr_state << 62 | (lr & 0xffull << 48) | 1ull << 61 |
						      1ull << 60 | 27ull << 32 | 27);
			assert_int_equal(vgic_show_lr(out), out & ~(1ull << 61 | 0x1fffull << 32));
			assert_true(vgic_holds_vtimer(&vgic));
		} else {
			assert_int_equal(out, (lr & keep) | 1ull << 60);
			assert_int_equal(vgic_show_lr(out), out);
			assert_false(vgic_holds_vtimer(&vgic));
		}
		for (u32 i = 1; i < RV_MAX_LRS; i++) {
			assert_int_equal(vgic.lr[i], 0);
		}
	}
}

static void lr_one_interrupt_is_in_one_register(void **state)
{
	const u64 lr[4] = { 1ull << 62 | 27, 2ull << 62 | 27, 1ull << 62 | 40, 3ull << 62 | 40 };
	struct vgic_state vgic = { .lr_count = 0 };

	(void)state;
	vgic_take_lrs(&vgic, lr, 4, 16);
	assert_int_equal(vgic.lr[0] & 0xffffffff, 27);
	assert_int_equal(vgic.lr[1], 0);
	assert_int_equal(vgic.lr[2], lr[2] | 1ull << 60);
	assert_int_equal(vgic.lr[3], 0);
	/* Without the first, the second counts; an empty first does not. */
	vgic_take_lrs(&vgic, (u64[]){ 27, lr[1] }, 2, 16);
	assert_int_equal(vgic.lr[0], 0);
	assert_int_equal(vgic.lr[1] & 0xffffffff, 27);
	/* An empty register holds no interrupt 0. */
	vgic_take_lrs(&vgic, (u64[]){ 0, 1ull << 62 }, 2, 16);
	assert_int_equal(vgic.lr[1], 1ull << 62 | 1ull << 60);
}

static void lr_of_the_last_run_are_gone(void **state)
{
	(void)state;
	fix.run[0]->in_lr[0] = 1ull << 62 | 40;
	fix.run[0]->in_lr_count = 1;
	fix_run();
	fix.run[0]->in_lr_count = 0;
	fix_run();
	assert_int_equal(fake_vcpu.lr[0], 0);
	assert_int_equal(fix.run[0]->lr[0], 0);
}

static void lr_are_shown_without_the_physical_link(void **state)
{
	(void)state;
	fix.run[0]->in_lr[0] = 1ull << 62 | 0xa0ull << 48 | 27;
	fix.run[0]->in_lr[1] = 1ull << 62 | 1ull << 61 | 30ull << 32 | 33;
	fix.run[0]->in_lr_count = 2;
	fix_run();
	assert_int_equal(fake_vcpu.lr[0],
			 1ull << 62 | 1ull << 61 | 1ull << 60 | 0xa0ull << 48 | 27ull << 32 | 27);
	assert_int_equal(fake_vcpu.lr[1], 1ull << 62 | 1ull << 60 | 33);
	assert_int_equal(fix.run[0]->lr[0], 1ull << 62 | 1ull << 60 | 0xa0ull << 48 | 27);
	assert_int_equal(fix.run[0]->lr[1], 1ull << 62 | 1ull << 60 | 33);
}

/* ---- timers ---- */

#define CNTP(op2) ISS(3, 3, 14, 2, op2, 2)

/* The host learns of it at once: it may have to wake the vCPU earlier. */
static void write_reg(u64 iss, u64 value)
{
	const u32 enters = fake_vcpu.enters;

	fake_vcpu.next = fake_vcpu.step_count = 0;
	fix.vcpu[0].ctx.x[2] = value;
	fake_vcpu_add((struct fake_step){ ARCH_EVENT_SYNC, SYSREG(iss), 0, 0, NULL });
	assert_int_equal(fix_run(), RV_EXIT_IRQ);
	assert_int_equal(fake_vcpu.enters, enters + 1);
}

static void the_physical_timer_is_emulated(void **state)
{
	(void)state;
	fix_run();
	fix.counter += 500;
	assert_int_equal(read_reg(ISS(3, 3, 14, 0, 1, 2)), 500);
	assert_int_equal(read_reg(ISS(3, 3, 14, 0, 5, 2)), 500);
	write_reg(CNTP(2), 700);
	write_reg(CNTP(1), 0xff);
	assert_int_equal(read_reg(CNTP(1)), 3);
	assert_int_equal(fix.run[0]->ptimer_deadline, ~0ull);
	write_reg(CNTP(1), 1);
	assert_int_equal(fix.run[0]->ptimer_deadline, fix.vm.cntvoff + 700);
	assert_int_equal(fix.run[0]->ptimer_pending, 0);
	assert_int_equal(read_reg(CNTP(0)), 200);
	fix.counter += 200;
	fix_run();
	assert_int_equal(fix.run[0]->ptimer_pending, 1);
	assert_int_equal(read_reg(CNTP(1)), 5);
	write_reg(CNTP(1), 3);
	assert_int_equal(fix.run[0]->ptimer_pending, 0);
	assert_int_equal(read_reg(CNTP(1)), 7);
	/* TVAL is signed: 5 ticks ago */
	write_reg(CNTP(0), 0xfffffffb);
	assert_int_equal(read_reg(CNTP(2)), 695);
	assert_int_equal(read_reg(CNTP(0)), 0xfffffffb);
	/* counting is read-only */
	trap(ISS(3, 3, 14, 0, 1, 2));
	assert_int_equal(fix.vcpu[0].ctx.sysreg[CTX_ESR_EL1], ESR_IL);
}

static void the_virtual_timer_is_reported(void **state)
{
	(void)state;
	fix_run();
	fix.vcpu[0].timer.cntv_cval = 1000;
	fix.vcpu[0].timer.cntv_ctl = 1;
	fix_run();
	assert_int_equal(fix.run[0]->vtimer_pending, 0);
	assert_int_equal(fix.run[0]->vtimer_deadline, fix.vm.cntvoff + 1000);
	fix.counter += 1000;
	fix_run();
	assert_int_equal(fix.run[0]->vtimer_pending, 1);
	fix.vcpu[0].timer.cntv_ctl = 3;
	fix_run();
	assert_int_equal(fix.run[0]->vtimer_pending, 0);
	assert_int_equal(fix.run[0]->vtimer_deadline, ~0ull);
	assert_int_equal(vtimer_deadline(1, ~0ull - 5, 10), VTIMER_NEVER);
	assert_int_equal(vtimer_deadline(5, 7, 10), 17);
	assert_false(vtimer_fires(0, 0, 1));
	assert_true(vtimer_fires(1, 1, 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(sgi_is_told_with_its_value, fix_setup_protected),
		cmocka_unit_test_setup(id_registers_are_read_only, fix_setup_protected),
		cmocka_unit_test_setup(debug_registers_do_nothing, fix_setup_protected),
		cmocka_unit_test_setup(hidden_registers_are_undefined, fix_setup_protected),
		cmocka_unit_test_setup(every_encoding_is_contained, fix_setup_protected),
		cmocka_unit_test_setup(id_never_shows_more_than_there_is, fix_setup),
		cmocka_unit_test_setup(id_hides, fix_setup),
		cmocka_unit_test_setup(id_passes, fix_setup),
		cmocka_unit_test_setup(lr_sanitising, fix_setup),
		cmocka_unit_test_setup(lr_one_interrupt_is_in_one_register, fix_setup),
		cmocka_unit_test_setup(lr_of_the_last_run_are_gone, fix_setup),
		cmocka_unit_test_setup(lr_are_shown_without_the_physical_link, fix_setup),
		cmocka_unit_test_setup(the_physical_timer_is_emulated, fix_setup),
		cmocka_unit_test_setup(the_virtual_timer_is_reported, fix_setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
