/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Proof: one exit of a guest, of every kind, and the run page. Who handles it, what the host is
 * told (proof_save_shadow_kvm_regs), that two guests whose handlers told the same leave the same
 * page (proof_disclose_run), and that what is used of the host's page is what was checked, however
 * often the host changes it (proof_run_page: each read of volatile memory is another value). The
 * handlers of calls, system registers and aborts are stubs here that may tell the host anything;
 * proof_exit_call.c, proof_exit_sysreg.c and proof_exit_fault.c say what they do tell.
 * Seed: save_shadow_kvm_regs (V1), vm_exit_dispatcher.
 *
 * Proof-args: --unwind 18 --no-array-field-sensitivity spec/spec_exit.c
 * Proof-args: corevisor/core/guest_inject.c corevisor/core/exception.c
 * Proof-args: corevisor/core/vgic.c corevisor/core/vtimer.c
 * Proof-entry: proof_save_shadow_kvm_regs quick
 * Proof-entry: proof_disclose_run quick
 */
#include "exits.h"

#include <cv/guest_fault.h>
#include <cv/host_psci.h>

#include "corevisor/core/run.c"

bool guest_sysreg_is_32_possible(void)
{
	return world.has_32;
}

/* ---- the handlers ---- */

static struct spec_told handled;
static u32 handlers;

static bool handler(struct run_exit *out)
{
	handlers++;
	if (!handled.goes_on) {
		*out = (struct run_exit){ .reason = handled.reason,
					  .bytes = handled.bytes,
					  .is_write = handled.is_write,
					  .ipa = handled.ipa,
					  .data = handled.data };
	}
	return handled.goes_on;
}

bool guest_smccc_handle(struct vcpu *vcpu, struct run_exit *out)
{
	claim((vcpu->exit.esr >> 27 & 0x1f) == 0x0b, "HVC or SMC");
	return handler(out);
}

bool guest_sysreg_handle(struct vcpu *vcpu, struct run_exit *out)
{
	claim((vcpu->exit.esr >> 26 & 0x3f) == 0x18, "MSR or MRS");
	return handler(out);
}

bool guest_fault_handle(struct vcpu *vcpu, struct run_exit *out)
{
	claim((vcpu->exit.esr >> 26 & 0x3b) == 0x20, "an abort");
	return handler(out);
}

void vcpu_stop_vm(struct vcpu *vcpu)
{
	vm_set_state(vcpu->vm, VM_POWEROFF);
}

static void any_exit(void)
{
	any_run();
	handlers = 0;
	handled = (struct spec_told){
		.goes_on = nondet_bool(),
		.reason = (enum rv_exit)any_below(RV_EXIT_CRASH),
		.bytes = nondet_u32(),
		.is_write = nondet_bool(),
		.ipa = nondet_u64(),
		.data = nondet_u64(),
	};
	if (handled.goes_on) {
		handled = (struct spec_told){ .goes_on = true };
	}
}

void proof_save_shadow_kvm_regs(void)
{
	struct vcpu *vcpu = &vcpu_a0;
	struct run_exit out = { 0 };
	u32 x = (u32)any_below(31);
	enum vm_state state;
	struct spec_exit exit;
	struct spec_told told;
	bool goes_on;

	any_exit();
	left = nondet_context();
	state = vm_a.state;
	exit = facts();
	told = spec_exit_other(&exit, handled);
	goes_on = run_once(vcpu, &out);

	reach(goes_on && injected == 1, "undefined");
	reach(goes_on && handlers == 1, "handled");
	reach(goes_on && handlers == 0 && injected == 0, "WFE");
	reach(!goes_on && out.reason == RV_EXIT_IRQ && world.event == ARCH_EVENT_SYNC,
	      "IRQ, later");
	reach(!goes_on && out.reason == RV_EXIT_IRQ && world.event == ARCH_EVENT_IRQ, "IRQ");
	reach(!goes_on && out.reason == RV_EXIT_SERROR, "SERROR");
	reach(!goes_on && out.reason == RV_EXIT_WFI && handlers == 0, "WFI");
	reach(!goes_on && out.reason == RV_EXIT_DYING && entered == 0, "DYING");
	reach(!goes_on && out.reason == RV_EXIT_CRASH && out.data == 1 && entered == 1,
	      "CRASH: mode");
	reach(!goes_on && out.reason == RV_EXIT_CRASH && entered == 0, "CRASH: no AArch32 here");
	reach(!goes_on && out.reason == RV_EXIT_CRASH && out.data == 2, "CRASH: syndrome");
	claim_told(goes_on, &out, &told);
	claim(vm_a.state == (told.is_off ? VM_POWEROFF : state), "the VM's state");
	claim(entered <= 1 && handlers + injected <= 1, "entered once, handled once");
	claim(entered == (!exit.is_over && spec_is_enterable(&exit)),
	      "a VM that is off is not entered, nor one in a state that this CPU has not");
	claim(entered == 0 || vcpu->ctx.x[x] == left.x[x], "no register changes here");
	claim(entered == 0 || injected == 1 || vcpu->ctx.pc - left.pc <= 4, "nor pc, but for WFx");
}

/* ---- the page ---- */

void proof_disclose_run(void)
{
	struct vcpu *vcpu = &vcpu_a0;
	struct run_exit one = { 0 };
	struct run_exit two = { 0 };
	struct rv_run page;
	bool one_goes_on;
	bool two_goes_on;
	u64 mode;
	u32 counted_one;
	enum vm_state state = VM_VERIFIED;
	struct spec_exit entry;
	struct spec_exit entry_two;

	any_exit();
	run_a0 = nondet_run();
	vm_a.state = state;
	left = nondet_context();
	mode = left.pstate;
	entry = facts();
	one_goes_on = run_once(vcpu, &one);
	write_record(vcpu, &one);
	page = run_a0;
	counted_one = counted;
	state = vm_a.state;

	/* The second guest: of its registers no more is known than that it may be in the mode it is
	 * in, or may not, before the entry and after it. */
	vm_a.state = VM_VERIFIED;
	counted = 0;
	vcpu->ctx = nondet_context();
	entry_two = facts();
	assume(spec_is_enterable(&entry_two) == spec_is_enterable(&entry));
	left = nondet_context();
	assume(spec_is_guest_mode(left.pstate) == spec_is_guest_mode(mode));
	two_goes_on = run_once(vcpu, &two);
	write_record(vcpu, &two);

	reach(one_goes_on, "it goes on");
	reach(!one_goes_on && one.reason == RV_EXIT_MMIO, "an exit");
	claim(one_goes_on == two_goes_on && state == vm_a.state, "the same end");
	claim(counted_one == counted, "the same counters in rv_info");
	claim(__CPROVER_equal(page, run_a0), "the same page, to the last byte");
	claim(run_a0.exit == one.reason && run_a0.bytes == one.bytes && run_a0.ipa == one.ipa &&
		      run_a0.is_write == one.is_write && run_a0.data == one.data,
	      "the exit is what the page says");
}
