/* SPDX-License-Identifier: BSD-3-Clause */
/* run.c and vcpu.c: what a run takes from the host, tells the host, and refuses. */
#define _GNU_SOURCE
#include "guest_fixture.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

#define POISON 0xdeadbeefdeadbeefull

static void expect_entry(struct vcpu *vcpu)
{
	assert_int_equal(vcpu->vgic.vmcr | vcpu->vgic.ap0r[0] | vcpu->vgic.ap1r[3], 0);
	assert_int_equal(vcpu->timer.cntv_ctl | vcpu->timer.cntp_ctl, 0);
	assert_int_equal(vcpu->ctx.pc, FIX_ENTRY);
	assert_int_equal(vcpu->ctx.pstate, 0x3c5);
	assert_int_equal(vcpu->ctx.x[0], 0x1234);
	for (u32 i = 1; i < 31; i++) {
		assert_int_equal(vcpu->ctx.x[i], 0);
	}
	for (u32 i = 0; i < CTX_SYSREG_COUNT; i++) {
		assert_int_equal(fake_vcpu.el1[i], i == CTX_SCTLR_EL1 ? 0x30d00980 : 0);
	}
}

static void first_run_starts_at_the_entry(void **state)
{
	(void)state;
	/* Whatever the record holds is gone. */
	memset(&fix.vcpu[0].ctx, 0xff, sizeof(fix.vcpu[0].ctx));
	memset(&fix.vcpu[0].vgic, 0xff, sizeof(fix.vcpu[0].vgic));
	memset(&fix.vcpu[0].timer, 0xff, sizeof(fix.vcpu[0].timer));
	fix.vcpu[0].pending = (struct vcpu_pending){ .is_mmio = true, .reg = 1, .bytes = 8 };
	fake_vcpu_add((struct fake_step){ ARCH_EVENT_IRQ, 0, 0, 0, expect_entry });
	assert_int_equal(fix_run(), RV_EXIT_IRQ);
	assert_int_equal(fix.vm.cntvoff, 1000000);
	fix_assert_record(fix.run[0], RV_EXIT_IRQ, 0, 0, 0, 0);
	fix.counter += 5;
	assert_int_equal(fix_run(), RV_EXIT_IRQ);
	assert_int_equal(fix.vm.cntvoff, 1000000);
}

/* ---- refusals: each with the state unchanged ---- */

static void refused(enum cv_status wanted, u64 handle, u64 index)
{
	static struct vm vm;
	static struct vcpu vcpu[FIX_VCPUS];
	static u8 page[PAGE_SIZE];
	u64 exit = POISON;

	vm = fix.vm;
	memcpy(vcpu, fix.vcpu, sizeof(vcpu));
	memcpy(page, fix.run[0], sizeof(page));
	assert_int_equal(run_vcpu(handle, index, &exit), wanted);
	assert_int_equal(exit, POISON);
	assert_memory_equal(&vm, &fix.vm, sizeof(vm));
	assert_memory_equal(vcpu, fix.vcpu, sizeof(vcpu));
	assert_memory_equal(page, fix.run[0], sizeof(page));
	assert_int_equal(fake_vcpu.loads, 0);
	assert_false(fix.is_locked);
}

static void refuses_what_is_not_there(void **state)
{
	(void)state;
	refused(CV_E_NOENT, FIX_HANDLE + 1, 0);
	refused(CV_E_NOENT, 0, 0);
	refused(CV_E_NOENT, FIX_HANDLE, FIX_VCPUS);
	refused(CV_E_NOENT, FIX_HANDLE, VM_VCPUS_MAX);
	refused(CV_E_NOENT, FIX_HANDLE, ~0ull);
	refused(CV_E_NOENT, FIX_HANDLE, 1ull << 32);
}

static void refuses_states_that_forbid_it(void **state)
{
	(void)state;
	refused(CV_E_STATE, FIX_HANDLE, 1);
	fake_vcpu.is_streaming = true;
	refused(CV_E_STATE, FIX_HANDLE, 0);
	fake_vcpu.is_streaming = false;
	fix.vm.state = VM_POWEROFF;
	refused(CV_E_STATE, FIX_HANDLE, 0);
	fix.vm.state = VM_READY;
	refused(CV_E_STATE, FIX_HANDLE, 0);
	fix.vm.state = VM_VERIFIED;
	fix.vcpu[0].run_state = VCPU_ACTIVE;
	refused(CV_E_BUSY, FIX_HANDLE, 0);
	fix.vcpu[0].run_state = VCPU_READY;
	fix.vm.seal.mode = SEAL_SAVING;
	refused(CV_E_BUSY, FIX_HANDLE, 0);
	/* STATE wins over BUSY. */
	fix.vm.state = VM_POWEROFF;
	refused(CV_E_STATE, FIX_HANDLE, 0);
}

static void refuses_malformed_input(void **state)
{
	struct rv_run *run = fix.run[0];

	(void)state;
	for (u32 bit = 0; bit < 32; bit++) {
		run->in_flags = 1u << bit;
		if (bit > 1) {
			refused(CV_E_INVALID, FIX_HANDLE, 0);
		}
	}
	run->in_flags = RV_IN_RESULT | RV_IN_ABORT;
	refused(CV_E_INVALID, FIX_HANDLE, 0);
	run->in_flags = 0;
	for (u64 count = fake_vcpu.lr_count + 1; count < 1ull << 32; count = count * 2 + 1) {
		run->in_lr_count = (u32)count;
		refused(CV_E_INVALID, FIX_HANDLE, 0);
	}
	run->in_lr_count = 0;
	for (u32 i = 0; i < ARRAY_SIZE(run->in_reserved); i++) {
		run->in_reserved[i] = 1ull << 63;
		refused(CV_E_INVALID, FIX_HANDLE, 0);
		run->in_reserved[i] = 0;
	}
	assert_int_equal(fix_run(), RV_EXIT_IRQ);
}

/* Killed between its claim and its start */
static void a_claimed_vcpu_of_a_killed_vm_does_not_start(void **state)
{
	struct vcpu *vcpu;

	(void)state;
	for (u32 is_second = 0; is_second < 2; is_second++) {
		assert_int_equal(vcpu_claim(FIX_HANDLE, 0, &vcpu), CV_OK);
		fix.vm.state = VM_POWEROFF;
		assert_int_equal(vcpu_start(vcpu), CV_E_STATE);
		vcpu_release(vcpu);
		fix.vm.state = VM_VERIFIED;
		fix_run();
	}
}

/* ---- the run page is hostile ---- */

static void scribble(struct vcpu *vcpu)
{
	(void)vcpu;
	memset(fix.run[0], 0xff, sizeof(*fix.run[0]));
}

/* A host that rewrites the page while the guest runs changes nothing, and what it wrote is gone
 * afterwards. */
static void changes_during_the_run_have_no_effect(void **state)
{
	static const u64 lr = 1ull << 62 | 0x80ull << 48 | 40;

	(void)state;
	fix.run[0]->in_lr[0] = lr;
	fix.run[0]->in_lr_count = 1;
	fake_vcpu_add((struct fake_step){ ARCH_EVENT_SYNC, (EC_WFX << ESR_EC_SHIFT) | ESR_IL, 0, 0,
					  scribble });
	assert_int_equal(fix_run(), RV_EXIT_WFI);
	assert_int_equal(fake_vcpu.lr[0], lr | 1ull << 60);
	for (u32 i = 1; i < RV_MAX_LRS; i++) {
		assert_int_equal(fake_vcpu.lr[i], 0);
	}
	memset(&fix.run[0]->regs, 0, sizeof(fix.run[0]->regs));
	fix_assert_record(fix.run[0], RV_EXIT_WFI, 0, 0, 0, 0);
	for (u32 i = 1; i < RV_MAX_LRS; i++) {
		assert_int_equal(fix.run[0]->lr[i], 0);
	}
	assert_int_equal(fix.run[0]->misr, 0);
	assert_int_equal(fix.run[0]->vtimer_pending, 0);
	assert_int_equal(fix.run[0]->vtimer_deadline, ~0ull);
	assert_int_equal(fix.run[0]->ptimer_deadline, ~0ull);
}

/*
 * Counts every access to the run page: the page is inaccessible, each access faults, is noted, and
 * single-steps with the page open. After the first read of an input word the host turns the word
 * upside down.
 */
static struct {
	u32 reads[PAGE_SIZE / 4];
	u32 writes[PAGE_SIZE / 4];
	u64 at;
} watch;

#define TRAP_FLAG 0x100
#define ERROR_WRITE 2

static void on_fault(int signal, siginfo_t *info, void *context)
{
	ucontext_t *uc = context;
	u64 offset = (u64)(uintptr_t)info->si_addr - (u64)(uintptr_t)fix.run[0];

	(void)signal;
	if (offset >= PAGE_SIZE) {
		abort();
	}
	watch.at = offset / 4;
	if ((uc->uc_mcontext.gregs[REG_ERR] & ERROR_WRITE) != 0) {
		watch.writes[offset / 4]++;
	} else {
		watch.reads[offset / 4]++;
	}
	mprotect(fix.run[0], PAGE_SIZE, PROT_READ | PROT_WRITE);
	uc->uc_mcontext.gregs[REG_EFL] |= TRAP_FLAG;
}

static void on_step(int signal, siginfo_t *info, void *context)
{
	ucontext_t *uc = context;

	(void)signal;
	(void)info;
	if (watch.reads[watch.at] != 0) {
		((u32 *)fix.run[0])[watch.at] ^= ~0u;
	}
	mprotect(fix.run[0], PAGE_SIZE, PROT_NONE);
	uc->uc_mcontext.gregs[REG_EFL] &= ~TRAP_FLAG;
}

static void each_input_is_read_once_and_nothing_else(void **state)
{
	struct sigaction fault = { .sa_sigaction = on_fault, .sa_flags = SA_SIGINFO };
	struct sigaction step = { .sa_sigaction = on_step, .sa_flags = SA_SIGINFO };
	struct sigaction old_fault, old_step;
	const u32 first_output = offsetof(struct rv_run, exit) / 4;
	u64 exit;
	enum cv_status status;

	(void)state;
	memset(&watch, 0, sizeof(watch));
	fix.run[0]->in_lr[0] = 1ull << 62 | 33;
	fix.run[0]->in_lr_count = 1;
	sigaction(SIGSEGV, &fault, &old_fault);
	sigaction(SIGTRAP, &step, &old_step);
	mprotect(fix.run[0], PAGE_SIZE, PROT_NONE);
	status = run_vcpu(FIX_HANDLE, 0, &exit);
	mprotect(fix.run[0], PAGE_SIZE, PROT_READ | PROT_WRITE);
	sigaction(SIGSEGV, &old_fault, NULL);
	sigaction(SIGTRAP, &old_step, NULL);

	assert_int_equal(status, CV_OK);
	assert_int_equal(fake_vcpu.lr[0] & 0xffffffff, 33);
	for (u32 i = 0; i < PAGE_SIZE / 4; i++) {
		assert_in_range(watch.reads[i], 0, i < first_output ? 1 : 0);
		assert_in_range(watch.writes[i], 0, i < first_output ? 0 : 1);
	}
	/* The counting works: these three were read. */
	assert_int_equal(watch.reads[offsetof(struct rv_run, in_flags) / 4], 1);
	assert_int_equal(watch.reads[offsetof(struct rv_run, in_lr_count) / 4], 1);
	assert_int_equal(watch.reads[offsetof(struct rv_run, in_data) / 4], 1);
}

/* ---- ends of a run ---- */

static void die(struct vcpu *vcpu)
{
	vcpu->vm->state = VM_POWEROFF;
}

static void a_killed_vm_leaves_at_its_next_exit(void **state)
{
	(void)state;
	fake_vcpu_add((struct fake_step){ ARCH_EVENT_SYNC, FIX_HVC, 0, 0, die });
	assert_int_equal(fix_run(), RV_EXIT_DYING);
	assert_int_equal(fake_vcpu.enters, 1);
	fix_assert_record(fix.run[0], RV_EXIT_DYING, 0, 0, 0, 0);
}

static void stop_machine(struct vcpu *vcpu)
{
	(void)vcpu;
	fix.is_stopping = true;
}

static void guests_leave_when_the_machine_goes_off(void **state)
{
	(void)state;
	fake_vcpu_add((struct fake_step){ ARCH_EVENT_SYNC, FIX_HVC, 0, 0, stop_machine });
	assert_int_equal(fix_run(), RV_EXIT_DYING);
	assert_int_equal(fake_vcpu.enters, 1);
}

static void an_interrupt_ends_a_guest_that_only_traps(void **state)
{
	(void)state;
	fake_vcpu.irq_pending = true;
	for (u32 i = 0; i < 3; i++) {
		fake_vcpu_add((struct fake_step){ ARCH_EVENT_SYNC, FIX_HVC, 0, 0, NULL });
	}
	assert_int_equal(fix_run(), RV_EXIT_IRQ);
	assert_int_equal(fake_vcpu.enters, 1);
	fix_assert_record(fix.run[0], RV_EXIT_IRQ, 0, 0, 0, 0);
}

static void an_serror_is_the_hosts(void **state)
{
	(void)state;
	fake_vcpu_add((struct fake_step){ ARCH_EVENT_SERROR, 0, 0, 0, NULL });
	assert_int_equal(fix_run(), RV_EXIT_SERROR);
	fix_assert_record(fix.run[0], RV_EXIT_SERROR, 0, 0, 0, 0);
}

static void wfi_is_told_and_skipped_wfe_is_not_told(void **state)
{
	(void)state;
	assert_int_equal(fix_run_one((EC_WFX << ESR_EC_SHIFT) | ESR_IL, 0, 0), RV_EXIT_WFI);
	assert_int_equal(fix.vcpu[0].ctx.pc, FIX_ENTRY + 4);
	fix_assert_record(fix.run[0], RV_EXIT_WFI, 0, 0, 0, 0);
	assert_int_equal(fix_run_one((EC_WFX << ESR_EC_SHIFT) | ESR_IL | 1, 0, 0), RV_EXIT_IRQ);
	assert_int_equal(fix.vcpu[0].ctx.pc, FIX_ENTRY + 8);
	/* The guest goes on at once. */
	fake_vcpu_add((struct fake_step){ ARCH_EVENT_SYNC, (EC_WFX << ESR_EC_SHIFT) | ESR_IL | 1, 0,
					  0, NULL });
	assert_int_equal(fix_run_one((EC_WFX << ESR_EC_SHIFT) | ESR_IL, 0, 0), RV_EXIT_WFI);
	assert_int_equal(fix.vcpu[0].ctx.pc, FIX_ENTRY + 16);
}

/* AArch32 user code in an IT block: two-byte instruction, IT advanced */
static void set_thumb(struct vcpu *vcpu)
{
	/* IT = 0b0101_0100: condition and one more instruction after this one; T, User */
	vcpu->ctx.pstate = 0x5400ull | 1ull << 5 | PSTATE_M32;
}

static void a_short_instruction_is_skipped_by_two_bytes(void **state)
{
	(void)state;
	fake_vcpu.id[4][0] = 2;
	fake_vcpu_add(
		(struct fake_step){ ARCH_EVENT_SYNC, EC_WFX << ESR_EC_SHIFT, 0, 0, set_thumb });
	assert_int_equal(fix_run(), RV_EXIT_WFI);
	assert_int_equal(fix.vcpu[0].ctx.pc, FIX_ENTRY + 2);
	/* 0b0101_0100 -> 0b0100_1000 */
	assert_int_equal(fix.vcpu[0].ctx.pstate, 0x4800ull | 1ull << 5 | PSTATE_M32);
	fake_vcpu_add((struct fake_step){ ARCH_EVENT_SYNC, (EC_WFX << ESR_EC_SHIFT) | ESR_IL, 0, 0,
					  NULL });
	fix_run();
	assert_int_equal(fix.vcpu[0].ctx.pc, FIX_ENTRY + 6);
	assert_int_equal(fix.vcpu[0].ctx.pstate, 1ull << 5 | PSTATE_M32);
}

static void set_user(struct vcpu *vcpu)
{
	vcpu->ctx.pstate = 0;
}

static void an_exception_of_user_mode_goes_to_el1(void **state)
{
	(void)state;
	fake_vcpu_add((struct fake_step){ ARCH_EVENT_SYNC, (EC_SVE << ESR_EC_SHIFT) | ESR_IL, 0, 0,
					  set_user });
	assert_int_equal(fix_run(), RV_EXIT_IRQ);
	assert_int_equal(fix.vcpu[0].ctx.pstate & 0x3df, 0x3c5);
	assert_int_equal(fix.vcpu[0].ctx.pc, 0x400);
	assert_int_equal(fix.vcpu[0].ctx.sysreg[CTX_SPSR_EL1], 0);
}

static void set_mode(struct vcpu *vcpu)
{
	vcpu->ctx.pstate = fix.counter;
}

static void an_impossible_mode_crashes_the_vm_alone(void **state)
{
	(void)state;
	for (u64 mode = 0; mode < 32; mode++) {
		const bool is_possible = mode == 0 || mode == 4 || mode == 5 || mode == 16;

		fix_setup(state);
		fix.counter = 0x3c0 | mode;
		fake_vcpu_add((struct fake_step){ ARCH_EVENT_IRQ, 0, 0, 0, set_mode });
		assert_int_equal(fix_run(), is_possible ? RV_EXIT_IRQ : RV_EXIT_CRASH);
		if (!is_possible) {
			assert_int_equal(fix.vm.state, VM_POWEROFF);
			fix_assert_record(fix.run[0], RV_EXIT_CRASH, 0, 0, 0,
					  RV_CRASH_EXCEPTION_LEVEL);
		}
	}
}

/* Whoever came to AArch32 on another CPU, or in a snapshot of another machine: to return there
 * would be an illegal return, which ends at EL2. */
static void aarch32_is_not_entered_where_there_is_none(void **state)
{
	for (u64 el0 = 1; el0 <= 2; el0++) {
		fix_setup(state);
		fix.counter = PSTATE_M32;
		fake_vcpu_add((struct fake_step){ ARCH_EVENT_IRQ, 0, 0, 0, set_mode });
		assert_int_equal(fix_run(), RV_EXIT_IRQ);
		fake_vcpu.id[4][0] = el0;
		fake_vcpu_add((struct fake_step){ .event = ARCH_EVENT_IRQ });
		assert_int_equal(fix_run(), el0 == 2 ? RV_EXIT_IRQ : RV_EXIT_CRASH);
		assert_int_equal(fix.vm.state, el0 == 2 ? VM_VERIFIED : VM_POWEROFF);
	}
}

/* Every exception class ends in something: a known exit, an injected exception, or the VM's end.
 * None panics. */
static void every_exception_class_is_contained(void **state)
{
	static const u8 undefined[] = { 0x00, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08,
					0x09, 0x0a, 0x0c, 0x14, 0x19, 0x1d };

	for (u64 ec = 0; ec < 64; ec++) {
		const bool is_undefined = memchr(undefined, (int)ec, sizeof(undefined)) != NULL;
		const bool is_served = ec == EC_WFX || ec == EC_HVC64 || ec == EC_SMC64 ||
				       ec == EC_SYSREG || ec == EC_IABT_LOWER ||
				       ec == EC_DABT_LOWER;
		u64 exit;

		fix_setup(state);
		exit = fix_run_one(ec << ESR_EC_SHIFT | ESR_IL, 0, 0);
		if (is_undefined) {
			assert_int_equal(exit, RV_EXIT_IRQ);
			fix_assert_injected(ESR_IL, FIX_ENTRY);
		} else if (!is_served) {
			assert_int_equal(exit, RV_EXIT_CRASH);
			fix_assert_record(fix.run[0], RV_EXIT_CRASH, 0, 0, 0, RV_CRASH_SYNDROME);
		}
	}
}

static void fill_registers(struct vcpu *vcpu)
{
	for (u32 i = 0; i < 31; i++) {
		vcpu->ctx.x[i] = POISON;
	}
	memset(vcpu->ctx.v, 0xde, sizeof(vcpu->ctx.v));
}

/* A guest full of secrets: no byte of them in the page, for any class that discloses nothing. */
static void secrets_stay(void **state)
{
	static const u64 esr[] = { (EC_WFX << ESR_EC_SHIFT) | ESR_IL, FIX_HVC, FIX_SMC,
				   (EC_SVE << ESR_EC_SHIFT) | ESR_IL };

	for (u32 i = 0; i < ARRAY_SIZE(esr); i++) {
		const u64 *word;

		fix_setup(state);
		fake_vcpu_add((struct fake_step){ ARCH_EVENT_SYNC, esr[i], POISON, POISON,
						  fill_registers });
		fix_run();
		word = (const u64 *)fix.run[0];
		for (u32 w = 0; w < PAGE_SIZE / 8; w++) {
			assert_int_not_equal(word[w], POISON);
			assert_int_not_equal(word[w] >> 32, POISON >> 32);
		}
	}
}

/* ---- RV_VCPU_BOOT, RV_VCPU_READ_REGS ---- */

static void boot_checks(void **state)
{
	(void)state;
	assert_int_equal(vcpu_boot(FIX_HANDLE + 1, 0, 0, 0), CV_E_NOENT);
	assert_int_equal(vcpu_boot(FIX_HANDLE, 2, 0, 0), CV_E_NOENT);
	assert_int_equal(vcpu_boot(FIX_HANDLE, 0, FIX_ENTRY + 2, 0), CV_E_INVALID);
	assert_int_equal(vcpu_boot(FIX_HANDLE, 1, FIX_ENTRY, 0), CV_E_INVALID);
	assert_int_equal(fix.vcpu[1].power, VCPU_OFF);
	assert_int_equal(fix.vcpu[0].entry_pc, FIX_ENTRY);
	fix.vm.state = VM_READY;
	assert_int_equal(vcpu_boot(FIX_HANDLE, 0, FIX_ENTRY, 0), CV_E_STATE);
	fix.vm.state = VM_VERIFIED;
	/* A protected VM starts where its owner says, an open one anywhere. */
	assert_int_equal(vcpu_boot(FIX_HANDLE, 0, FIX_ENTRY + 4, 0), CV_OK);
	fix.vm.is_protected = true;
	assert_int_equal(vcpu_boot(FIX_HANDLE, 0, FIX_ENTRY + 4, 0), CV_E_PERM);
	assert_int_equal(vcpu_boot(FIX_HANDLE, 0, FIX_ENTRY, 7), CV_OK);
	assert_int_equal(fix.vcpu[0].entry_x0, 7);
	fix_run();
	assert_int_equal(vcpu_boot(FIX_HANDLE, 0, FIX_ENTRY + 2, 0), CV_E_STATE);
	assert_int_equal(vcpu_boot(FIX_HANDLE, 0, FIX_ENTRY, 0), CV_E_STATE);
	/* Nor after the guest itself switched it off. */
	fix.vcpu[0].power = VCPU_OFF;
	assert_int_equal(vcpu_boot(FIX_HANDLE, 0, FIX_ENTRY, 0), CV_E_STATE);
}

static void registers_of_open_vms_only(void **state)
{
	(void)state;
	fake_vcpu_add((struct fake_step){ ARCH_EVENT_IRQ, 0, 0, 0, fill_registers });
	assert_int_equal(vcpu_read_regs(FIX_HANDLE, 0), CV_OK);
	assert_int_equal(fix.run[0]->regs.pc, FIX_ENTRY);
	assert_int_equal(fix.run[0]->regs.x[0], 0x1234);
	memset(fix.run[0], 0, sizeof(*fix.run[0]));
	fix_run();
	assert_int_equal(vcpu_read_regs(FIX_HANDLE, 0), CV_OK);
	assert_int_equal(fix.run[0]->regs.x[30], POISON);
	assert_int_equal(vcpu_read_regs(FIX_HANDLE, 9), CV_E_NOENT);
	assert_int_equal(vcpu_read_regs(FIX_HANDLE + 1, 0), CV_E_NOENT);
	fix.vcpu[0].run_state = VCPU_ACTIVE;
	assert_int_equal(vcpu_read_regs(FIX_HANDLE, 0), CV_E_BUSY);
	fix.vm.is_protected = true;
	memset(fix.run[0], 0, sizeof(*fix.run[0]));
	assert_int_equal(vcpu_read_regs(FIX_HANDLE, 0), CV_E_PERM);
	fix.vcpu[0].run_state = VCPU_READY;
	assert_int_equal(vcpu_read_regs(FIX_HANDLE, 0), CV_E_PERM);
	assert_int_equal(fix.run[0]->regs.x[30], 0);
	assert_false(fix.is_locked);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(first_run_starts_at_the_entry, fix_setup),
		cmocka_unit_test_setup(refuses_what_is_not_there, fix_setup),
		cmocka_unit_test_setup(refuses_states_that_forbid_it, fix_setup),
		cmocka_unit_test_setup(refuses_malformed_input, fix_setup),
		cmocka_unit_test_setup(a_claimed_vcpu_of_a_killed_vm_does_not_start, fix_setup),
		cmocka_unit_test_setup(changes_during_the_run_have_no_effect, fix_setup),
		cmocka_unit_test_setup(each_input_is_read_once_and_nothing_else, fix_setup),
		cmocka_unit_test_setup(a_killed_vm_leaves_at_its_next_exit, fix_setup),
		cmocka_unit_test_setup(guests_leave_when_the_machine_goes_off, fix_setup),
		cmocka_unit_test_setup(an_interrupt_ends_a_guest_that_only_traps, fix_setup),
		cmocka_unit_test_setup(an_serror_is_the_hosts, fix_setup),
		cmocka_unit_test_setup(wfi_is_told_and_skipped_wfe_is_not_told, fix_setup),
		cmocka_unit_test_setup(a_short_instruction_is_skipped_by_two_bytes, fix_setup),
		cmocka_unit_test_setup(an_exception_of_user_mode_goes_to_el1, fix_setup),
		cmocka_unit_test_setup(an_impossible_mode_crashes_the_vm_alone, fix_setup),
		cmocka_unit_test_setup(aarch32_is_not_entered_where_there_is_none, fix_setup),
		cmocka_unit_test_setup(every_exception_class_is_contained, fix_setup),
		cmocka_unit_test_setup(secrets_stay, fix_setup_protected),
		cmocka_unit_test_setup(boot_checks, fix_setup),
		cmocka_unit_test_setup(registers_of_open_vms_only, fix_setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
