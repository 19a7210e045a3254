/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Proof: RV_VCPU_READ_REGS shows an idle vCPU of an open VM, whole, and of a protected VM nothing,
 * neither by its result nor by its page. Arrays are expanded here, unlike in proof_vcpu.c: each
 * register is copied by a constant index, and a chain of such stores is what solvers' arrays are
 * bad at.
 * Proof-args: --unwind 34 --arrays-uf-never
 * Proof-args: corevisor/core/vcpu.c
 * Proof-entry: proof_vcpu_read_regs
 * Proof-entry: proof_vcpu_read_regs_new
 * Proof-entry: proof_vcpu_read_no_regs
 * Proof-entry: proof_vcpu_read_no_vcpu quick
 * Proof-entry: proof_disclose_vcpu_read_regs
 */
#include "vm_locks.h"

static struct vm *const vm = &vm_a;

bool arch_vcpu_may_run(void)
{
	return nondet_bool();
}

/* Pre: index is a constant. */
static enum cv_status spec_read_regs(u64 handle, u64 index)
{
	const struct vcpu *vcpu =
		handle == vm->handle && index < VM_VCPUS_MAX ? vm->vcpus[index] : NULL;

	if (vcpu == NULL) {
		return CV_E_NOENT;
	}
	if (vm->is_protected) {
		return CV_E_PERM;
	}
	return vcpu->run_state == VCPU_ACTIVE ? CV_E_BUSY : CV_OK;
}

static void claim_shown(const struct context *ctx, const struct rv_regs *regs)
{
	for (u32 i = 0; i < 31; i++) {
		claim(regs->x[i] == ctx->x[i], "x0 to x30");
	}
	for (u32 i = 0; i < 32; i++) {
		claim(regs->v[i][0] == ctx->v[i][0] && regs->v[i][1] == ctx->v[i][1], "v0 to v31");
	}
	claim(regs->pc == ctx->pc && regs->pstate == ctx->pstate && regs->fpsr == (u32)ctx->fpsr &&
		      regs->fpcr == (u32)ctx->fpcr,
	      "pc, pstate, fpsr, fpcr");
	claim(regs->sp_el0 == ctx->sysreg[CTX_SP_EL0] && regs->sp_el1 == ctx->sysreg[CTX_SP_EL1] &&
		      regs->elr_el1 == ctx->sysreg[CTX_ELR_EL1] &&
		      regs->spsr_el1 == ctx->sysreg[CTX_SPSR_EL1] &&
		      regs->sctlr_el1 == ctx->sysreg[CTX_SCTLR_EL1] &&
		      regs->vbar_el1 == ctx->sysreg[CTX_VBAR_EL1] &&
		      regs->ttbr0_el1 == ctx->sysreg[CTX_TTBR0_EL1] &&
		      regs->ttbr1_el1 == ctx->sysreg[CTX_TTBR1_EL1] &&
		      regs->tcr_el1 == ctx->sysreg[CTX_TCR_EL1] &&
		      regs->esr_el1 == ctx->sysreg[CTX_ESR_EL1] &&
		      regs->far_el1 == ctx->sysreg[CTX_FAR_EL1],
	      "system registers");
}

static struct vcpu was;
static struct rv_run run_was;
static enum vm_state state_was;

/* This call's world is one VM with one vCPU: what else there is, it is handed no way to. */
static void begin(void)
{
	lock_a = (struct lock){ 0 };
	vm_a = (struct vm){
		.lock = &lock_a,
		.handle = nondet_u64(),
		.is_protected = nondet_bool(),
		.state = (enum vm_state)any_below(VM_POWEROFF + 1),
	};
	assume(vm_a.handle != 0);
	any_vcpu(0, 0);
	vm_a.vcpus[0] = &vcpu_a0;
	run_a0 = nondet_run();
	was = vcpu_a0;
	run_was = run_a0;
	state_was = vm_a.state;
}

static void claim_rest_stays(void)
{
	claim(vcpu_a0.run_state == was.run_state && vcpu_a0.power == was.power &&
		      vcpu_a0.has_run == was.has_run && vcpu_a0.entry_pc == was.entry_pc &&
		      vcpu_a0.entry_x0 == was.entry_x0,
	      "it is as ready, and as much on, as before");
	claim(vm_a.state == state_was, "so is the VM");
	claim(run_a0.exit == run_was.exit && run_a0.ipa == run_was.ipa &&
		      run_a0.data == run_was.data && run_a0.in_data == run_was.in_data &&
		      run_a0.in_flags == run_was.in_flags && run_a0.misr == run_was.misr &&
		      run_a0.cntvoff == run_was.cntvoff && run_a0.lr[15] == run_was.lr[15] &&
		      run_a0.reserved2[6] == run_was.reserved2[6],
	      "and the rest of the page");
}

/* The vCPU has run or never will: its registers are shown as they are, and stay. */
void proof_vcpu_read_regs(void)
{
	struct context before;
	enum cv_status status;

	begin();
	assume(spec_read_regs(vm->handle, 0) == CV_OK && vcpu_a0.power != VCPU_ON_PENDING);
	before = vcpu_a0.ctx;
	status = vcpu_read_regs(vm->handle, 0);

	reach(vcpu_a0.power == VCPU_ON, "where it is");
	reach(vcpu_a0.power == VCPU_OFF, "off");
	claim(status == CV_OK && held == NULL, "nothing is in its way");
	claim_shown(&before, &run_a0.regs);
	claim_shown(&vcpu_a0.ctx, &run_a0.regs);
	claim_rest_stays();
}

/* It is to start at its next run: what is shown is its reset (proof_vcpu_start_first). */
void proof_vcpu_read_regs_new(void)
{
	enum cv_status status;

	begin();
	assume(spec_read_regs(vm->handle, 0) == CV_OK && vcpu_a0.power == VCPU_ON_PENDING);
	status = vcpu_read_regs(vm->handle, 0);

	reach(run_a0.regs.x[0] == 5 && run_a0.regs.pc == 4, "where it starts");
	claim(status == CV_OK && held == NULL, "nothing is in its way");
	claim_shown(&vcpu_a0.ctx, &run_a0.regs);
	claim(run_a0.regs.pc == vcpu_a0.entry_pc && run_a0.regs.x[0] == vcpu_a0.entry_x0 &&
		      run_a0.regs.x[30] == 0 && run_a0.regs.pstate == 0x3c5,
	      "where it starts");
	claim_rest_stays();
}

static void refused_at(u64 index)
{
	const u64 handle = any_handle();
	enum cv_status expected = spec_read_regs(handle, index);
	enum cv_status status;

	assume(expected != CV_OK);
	status = vcpu_read_regs(handle, index);

	reach(status == CV_E_NOENT && handle != vm->handle, "NOENT: no such VM");
	reach(status == CV_E_PERM, "PERM");
	reach(status == CV_E_BUSY, "BUSY");
	claim(status == expected && held == NULL, "the status is the specified one");
	for (u32 i = 0; i < 31; i++) {
		claim(run_a0.regs.x[i] == run_was.regs.x[i], "nothing is written");
	}
	for (u32 i = 0; i < 32; i++) {
		claim(run_a0.regs.v[i][0] == run_was.regs.v[i][0], "no vector register");
	}
	claim(run_a0.regs.pc == run_was.regs.pc && run_a0.regs.esr_el1 == run_was.regs.esr_el1 &&
		      run_a0.regs.far_el1 == run_was.regs.far_el1,
	      "nor another");
	claim_rest_stays();
}

/* A protected VM's, one that runs; any other number than a vCPU's. */
void proof_vcpu_read_no_regs(void)
{
	begin();
	refused_at(0);
}

void proof_vcpu_read_no_vcpu(void)
{
	begin();
	claim(vcpu_read_regs(vm->handle, 1 + any_below(~0ull)) == CV_E_NOENT, "there is none");
	reach(vm->is_protected, "nor does it matter whose");
	claim_rest_stays();
}

/* ---- two guests of a protected VM that differ in what is private: the host sees the same ---- */

/* What decides is a constant, for the solver's sake. That there is nothing to be seen where there
 * is no VM or vCPU: the two above. */
void proof_disclose_vcpu_read_regs(void)
{
	const u64 handle = 1ull << 8 | 3;
	struct rv_run run_one;
	struct vm vm_one;
	enum cv_status one;
	enum cv_status two;

	begin();
	any_private(MINE);
	vm_a.handle = handle;
	vm_a.is_protected = true;
	one = vcpu_read_regs(handle, 0);
	run_one = run_a0;
	vm_one = vm_a;

	run_a0 = run_was;
	any_private(MINE);
	two = vcpu_read_regs(handle, 0);

	copy_key(&vm_one, &vm_a);
	reach(two == CV_E_PERM && vcpu_a0.power == VCPU_ON_PENDING, "refused");
	claim(one == two && one != CV_OK, "the same status");
	claim(__CPROVER_equal(run_a0, run_one), "the same run page, to the last byte");
	claim(__CPROVER_equal(vm_a, vm_one), "the same of the VM's record");
}
