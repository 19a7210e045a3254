/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Random exits of a guest, and random answers of the host, against spec/spec_exit.c: what the run
 * page says afterwards, and which register of the guest changes.
 */
#include "guest_fixture.h"

#include "../../spec/spec_exit.h"
#include "../common/random.h"

#include <stdlib.h>
#include <string.h>

#include <cv/psci.h>

#define EXITS 100000
#define BUFFER_GPA 0x10000000ull

static u64 random_state;

static u64 draw(void)
{
	return random_next(&random_state);
}

static u64 below(u64 limit)
{
	return random_below(&random_state, limit);
}

static bool one_in(u64 n)
{
	return below(n) == 0;
}

#define ANY(array) ((array)[below(ARRAY_SIZE(array))])

/* ---- one exit ---- */

static struct spec_exit facts;
static u64 left_x[31];
static u64 pc_left;

/* What the guest does: it leaves registers. */
static void leave(struct vcpu *vcpu)
{
	memcpy(vcpu->ctx.x, left_x, sizeof(left_x));
	vcpu->ctx.pstate = facts.pstate;
	pc_left = vcpu->ctx.pc;
}

static u64 any_syndrome(void)
{
	static const u8 class[] = { 0x01, 0x16, 0x16, 0x17, 0x18, 0x18, 0x20, 0x24, 0x24, 0x24 };
	/* ICC_SGI1R_EL1; CNTP_TVAL, CTL, CVAL_EL0; ICC_ASGI1R_EL1; PMCR_EL0 */
	static const u32 sysreg[] = { 0x3a3016, 0x30f804, 0x32f804, 0x34f804, 0x3c3016, 0x30f018 };
	const u64 which = one_in(4) ? below(64) : ANY(class);
	const u64 il = one_in(4) ? 0 : ESR_IL;
	u64 iss = draw() & 0x1ffffff;

	if (which == 0x18 && !one_in(4)) {
		iss = ANY(sysreg) | below(32) << 5 | below(2);
	} else if ((which == 0x16 || which == 0x17) && !one_in(8)) {
		iss &= ~0xffffull;
	} else if ((which == 0x20 || which == 0x24) && !one_in(8)) {
		/* a translation fault, and mostly an access like a driver's */
		iss = (iss & ~0x1bfull) | 0x04 | below(4) | (one_in(8) ? 0 : ESR_ISV);
	}
	return which << ESR_EC_SHIFT | il | iss;
}

static void any_call(void)
{
	static const u32 id[] = { PSCI_CPU_ON_32,      PSCI_CPU_ON_64,	      PSCI_CPU_OFF,
				  PSCI_CPU_SUSPEND_32, PSCI_CPU_SUSPEND_64,   PSCI_SYSTEM_OFF,
				  PSCI_SYSTEM_RESET,   PSCI_SYSTEM_RESET2_32, PSCI_SYSTEM_RESET2_64,
				  PSCI_VERSION };

	/* RSI has tests of its own (test_guest_calls.c). */
	left_x[0] = (one_in(8) ? below(0xc4000190) : ANY(id)) | draw() << 32;
	left_x[1] = one_in(2) ? below(3) : draw();
	left_x[2] = one_in(2) ? FIX_ENTRY : draw();
}

static void any_exit(void)
{
	static const u8 mode[] = { 0, 4, 5, 5, 5, 5, 0x10 };
	const u64 ipa = one_in(2)   ? FIX_RAM_GPA + below(FIX_RAM_PAGES << PAGE_SHIFT)
			: one_in(8) ? draw()
				    : BUFFER_GPA + below(64) * 4;

	for (u32 i = 0; i < ARRAY_SIZE(left_x); i++) {
		left_x[i] = draw();
	}
	any_call();
	facts = (struct spec_exit){
		.has_32 = one_in(2),
		.event = one_in(16)   ? SPEC_SERROR
			 : one_in(16) ? SPEC_IRQ
				      : SPEC_EXCEPTION,
		.esr = any_syndrome(),
		.far = (draw() & ~0xfffull) | (ipa & 0xfff),
		.hpfar = (ipa >> 12 << 4 & 0xffffffffff0) | (draw() & ~0xffffffffff0ull),
		.pstate = one_in(32) ? draw() : (draw() & ~0x1full) | ANY(mode),
		.x = left_x,
		.irq = one_in(8),
		.is_over = one_in(32),
		.is_ram = ipa - FIX_RAM_GPA < FIX_RAM_PAGES << PAGE_SHIFT,
	};
	if ((facts.pstate & 0x1f) == 0x10 && !facts.has_32) {
		facts.pstate &= ~0x1full; /* no CPU leaves a guest where it cannot be */
	}
}

/* The machine and the VM as `facts` say. */
static void prepare(void)
{
	struct vcpu *vcpu = &fix.vcpu[0];

	if (one_in(2)) {
		fix_setup_protected(NULL);
	} else {
		fix_setup(NULL);
	}
	fix_run(); /* it has begun */
	fix.is_stopping = facts.is_over;
	fake_vcpu.irq_pending = facts.irq;
	/* ID_AA64PFR0_EL1.EL0 */
	fake_vcpu.id[4][0] = facts.has_32 ? 0x12 : 0x11;
	fix.leaf.is_mapped = one_in(4);
	fix.leaf.wish = (enum s2_wish)below(3);
	facts.is_absent = !fix.leaf.is_mapped && fix.leaf.wish != S2_WISH_DESTROYED;
	facts.is_protected = fix.vm.is_protected;
	vcpu->ctx.pstate = one_in(16) ? 0x10 : 0x3c5;
	facts.entry_state = vcpu->ctx.pstate;
}

/* CPU_ON's outcome: other tests say when it is what. */
static void look_at_cpu_on(const struct vcpu *before)
{
	facts.cpu_on = 1;
	facts.is_cpu_on = before->power == VCPU_OFF && fix.vcpu[1].power == VCPU_ON_PENDING;
}

static void compare_told(const struct spec_told *told)
{
	if (told->goes_on) {
		/* The next thing that the guest did was to be interrupted. */
		fix_assert_record(fix.run[0], RV_EXIT_IRQ, 0, 0, 0, 0);
	} else {
		fix_assert_record(fix.run[0], told->reason, told->ipa, told->bytes, told->is_write,
				  told->data);
	}
	assert_int_equal(fix.vm.state, told->is_off ? VM_POWEROFF : VM_VERIFIED);
}

/* ---- the answer ---- */

static void compare_answer(void)
{
	struct vcpu *vcpu = &fix.vcpu[0];
	struct rv_run *run = fix.run[0];
	const struct vcpu_pending asked = vcpu->pending;
	const bool is_abort = one_in(4);
	struct spec_accepted accepted;
	const u64 pc = vcpu->ctx.pc;
	u64 x[31];

	memcpy(x, vcpu->ctx.x, sizeof(x));
	run->in_data = draw();
	run->in_flags = is_abort ? RV_IN_ABORT : RV_IN_RESULT;
	accepted = spec_restore_shadow_kvm_regs(&asked, vcpu->exit.esr, is_abort, run->in_data);
	if (accepted.reg < 31) {
		x[accepted.reg] = accepted.value;
	}
	fake_vcpu.irq_pending = false;
	assert_int_equal(fix_run(), RV_EXIT_IRQ);
	run->in_flags = 0;
	assert_memory_equal(vcpu->ctx.x, x, sizeof(x));
	if (accepted.is_abort) {
		assert_int_equal(vcpu->ctx.sysreg[CTX_ELR_EL1], pc);
	} else {
		assert_int_equal(vcpu->ctx.pc, pc + accepted.skipped);
	}
}

/* ---- the test ---- */

static u32 seen[RV_EXIT_CRASH + 1];
static u32 answered;
static u64 this_exit;

static void one_exit(void)
{
	static const enum arch_event event[] = { [SPEC_EXCEPTION] = ARCH_EVENT_SYNC,
						 [SPEC_IRQ] = ARCH_EVENT_IRQ,
						 [SPEC_SERROR] = ARCH_EVENT_SERROR };
	struct vcpu before;
	struct spec_told told;
	u32 enters;

	any_exit();
	prepare();
	before = fix.vcpu[1];
	enters = fake_vcpu.enters;
	fake_vcpu_add(
		(struct fake_step){ event[facts.event], facts.esr, facts.far, facts.hpfar, leave });
	fix_run();
	look_at_cpu_on(&before);
	told = spec_save_shadow_kvm_regs(&facts);
	compare_told(&told);
	enters += facts.is_over || !spec_is_enterable(&facts) ? 0 : told.goes_on ? 2 : 1;
	assert_int_equal(fake_vcpu.enters, enters);
	seen[told.goes_on ? RV_EXIT_IRQ : told.reason]++;
	if (told.reason == RV_EXIT_MMIO || told.reason == RV_EXIT_RAM) {
		assert_int_equal(fix.vcpu[0].ctx.pc, pc_left);
		assert_memory_equal(fix.vcpu[0].ctx.x, left_x, sizeof(left_x));
		compare_answer();
		answered++;
	}
}

/* The last one is the one that failed, if one did: it is the first with this seed. */
static int say_seed(void **state)
{
	(void)state;
	print_message("# MODEL_SEED=%#llx\n", (unsigned long long)this_exit);
	return 0;
}

static void random_exits(void **state)
{
	const char *text = getenv("MODEL_SEED");
	u64 first = text != NULL ? strtoull(text, NULL, 0) : 1;

	(void)state;
	for (u32 i = 0; i < EXITS; i++) {
		this_exit = first + i;
		random_state = random_from(this_exit);
		one_exit();
	}
	for (u32 reason = 0; reason < ARRAY_SIZE(seen); reason++) {
		if (reason != RV_EXIT_TABLES && seen[reason] == 0) {
			fail_msg("exit %u was never seen", reason);
		}
	}
	assert_true(answered > EXITS / 50);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test_teardown(random_exits, say_seed) };

	return cmocka_run_group_tests_name("guest exits", tests, NULL, NULL);
}
