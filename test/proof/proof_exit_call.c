/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Proof: calls of guests by HVC and SMC: what the host is told of each, which of the guest's
 * registers change, and that two guests that make the same call, with registers that differ in all
 * but the call's own arguments, tell it the same. vCPU states: proof_vcpu.c. RSI and the generator
 * are stubs here: RSI may ask for RAM at x1 or for tables, both may change x0 to x8.
 * Seed: prep_hvc of save_shadow_kvm_regs (V1), T20.
 *
 * Proof-args: --unwind 10 --no-array-field-sensitivity
 * Proof-args: corevisor/core/guest_smccc.c corevisor/core/guest_psci.c
 * Proof-args: corevisor/core/guest_inject.c corevisor/core/exception.c spec/spec_exit.c
 * Proof-entry: proof_save_call quick
 * Proof-entry: proof_disclose_call quick
 */
#include "exits.h"

#include <cv/rsi.h>
#include <cv/trng.h>

/* ---- vCPU states, by their contract (proof_vcpu.c): the answer is chosen once ---- */

static s64 psci_status;
static bool has_stopped;
static bool is_off;

s64 vcpu_psci_cpu_on(struct vm *vm, u64 mpidr, u64 pc, u64 context_id, u32 *index)
{
	(void)vm;
	(void)pc;
	(void)context_id;
	if (psci_status == PSCI_SUCCESS) {
		*index = (u32)mpidr;
	}
	return psci_status;
}

void vcpu_psci_cpu_off(struct vcpu *vcpu)
{
	(void)vcpu;
	is_off = true;
}

s64 vcpu_psci_affinity_info(struct vm *vm, u64 mpidr, u64 level)
{
	(void)vm;
	(void)mpidr;
	(void)level;
	return psci_status;
}

void vcpu_stop_vm(struct vcpu *vcpu)
{
	(void)vcpu;
	has_stopped = true;
}

/* The generator fills x0 to x3 with what nobody knows. */
bool trng_call(u64 *x)
{
	u32 fn = (u32)x[0];

	if ((fn < TRNG_VERSION || fn > TRNG_RND_32) && fn != TRNG_RND_64) {
		return false;
	}
	for (u32 i = 0; i < 4; i++) {
		x[i] = nondet_u64();
	}
	return true;
}

/* RSI changes the guest's x0 to x8 and its memory; the host may be asked for RAM or tables. */
#define RSI_CALLS 0xc4000190u

bool rsi_is_call(u32 id)
{
	return id - RSI_CALLS < 0x20;
}

enum guest_call rsi_call(struct vcpu *vcpu, u32 id, struct run_exit *out)
{
	(void)id;
	if (world.rsi == GUEST_CALL_RETRY) {
		out->reason = world.rsi_asks;
		out->ipa = out->reason == RV_EXIT_RAM ? vcpu->ctx.x[1] : 0;
	} else {
		for (u32 i = 0; i < 9; i++) {
			vcpu->ctx.x[i] = nondet_u64();
		}
	}
	return world.rsi == GUEST_CALL_EXIT ? GUEST_CALL_DONE : world.rsi;
}

/* Stubs' answers are chosen before: the specification is told of them. */
static struct spec_exit call_facts(void)
{
	struct spec_exit exit = facts();

	exit.is_cpu_on = psci_status == PSCI_SUCCESS;
	exit.cpu_on = (u32)left.x[1]; /* the stub says so */
	exit.rsi = world.rsi != GUEST_CALL_RETRY   ? SPEC_RSI_DONE
		   : world.rsi_asks == RV_EXIT_RAM ? SPEC_RSI_WANTS_RAM
						   : SPEC_RSI_WANTS_TABLES;
	return exit;
}

static bool is_smc(void)
{
	return ((world.exit.esr >> 26) & 0x3f) == 0x17;
}

static void any_call(void)
{
	any_run();
	assume(((world.exit.esr >> 26) & 0x3f) == 0x16 || is_smc());
	psci_status = nondet_bool() ? PSCI_SUCCESS : PSCI_ALREADY_ON;
	has_stopped = false;
	is_off = false;
}

void proof_save_call(void)
{
	struct vcpu *vcpu = &vcpu_a0;
	struct run_exit out = { 0 };
	u32 x = (u32)any_below(31);
	struct spec_exit exit;
	struct spec_told told;
	bool goes_on;

	any_call();
	left = nondet_context();
	leave(vcpu);
	exit = call_facts();
	told = spec_exit_call(&exit);
	goes_on = guest_smccc_handle(vcpu, &out);

	reach(told.reason == RV_EXIT_CPU_ON && !goes_on, "CPU_ON");
	reach(told.reason == RV_EXIT_CPU_OFF && !goes_on, "CPU_OFF");
	reach(told.reason == RV_EXIT_WFI && !goes_on, "CPU_SUSPEND");
	reach(told.reason == RV_EXIT_SYSTEM_OFF && !goes_on, "SYSTEM_OFF (T20)");
	reach(told.reason == RV_EXIT_SYSTEM_RESET && !goes_on, "SYSTEM_RESET");
	reach(told.reason == RV_EXIT_RAM && !goes_on, "RAM for RSI");
	reach(told.reason == RV_EXIT_TABLES && !goes_on, "tables for RSI");
	reach(goes_on, "nothing for the host");
	claim_told(goes_on, &out, &told);
	claim(has_stopped == told.is_off, "the VM stops exactly if its guest says so");
	claim(is_off == (told.reason == RV_EXIT_CPU_OFF && !told.goes_on), "so does the vCPU");
	claim(held == NULL && injected == 0, "no lock is left held, no exception");
	claim(!vcpu->pending.is_mmio, "no answer of the host is waited for");
	claim(vcpu->ctx.pc == left.pc || (is_smc() && vcpu->ctx.pc - left.pc <= 4),
	      "an HVC is over already, an SMC is skipped, or made again");
	claim(vcpu->ctx.x[x] == left.x[x] || (x < 9 && told.goes_on) || x == 0,
	      "a call that the host is told of gives a status and nothing else");
}

/* The arguments that the host learns. */
static bool tells_the_same(const u64 *a, const u64 *b)
{
	if ((u32)a[0] != (u32)b[0]) {
		return false;
	}
	switch ((u32)a[0]) {
	case PSCI_CPU_ON_32:
	case PSCI_CPU_ON_64:
		return a[1] == b[1] && a[2] == b[2];
	case PSCI_SYSTEM_RESET2_32:
	case PSCI_SYSTEM_RESET2_64:
		return a[1] == b[1];
	default:
		return !rsi_is_call((u32)a[0]) || a[1] == b[1];
	}
}

void proof_disclose_call(void)
{
	struct vcpu *vcpu = &vcpu_a0;
	struct run_exit one = { 0 };
	struct run_exit two = { 0 };
	u64 x[3];
	bool one_goes_on;
	bool two_goes_on;
	bool has_stopped_one;

	any_call();
	left = nondet_context();
	leave(vcpu);
	for (u32 i = 0; i < 3; i++) {
		x[i] = left.x[i];
	}
	one_goes_on = guest_smccc_handle(vcpu, &one);
	has_stopped_one = has_stopped;

	has_stopped = false;
	left = nondet_context();
	leave(vcpu);
	assume(tells_the_same(x, left.x));
	two_goes_on = guest_smccc_handle(vcpu, &two);

	reach(one_goes_on && x[1] != left.x[1], "it goes on");
	reach(!one_goes_on && x[1] != left.x[1], "an exit");
	claim(one_goes_on == two_goes_on && has_stopped == has_stopped_one, "the same end");
	claim(one.reason == two.reason && one.bytes == two.bytes && one.is_write == two.is_write &&
		      one.ipa == two.ipa && one.data == two.data,
	      "the host is told the same");
}
