/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * vCPU records: who may run one, and where it starts. Every change of run_state, power and entry
 * happens under the VM's lock, but for the return to READY; the saved registers belong to whoever
 * made the vCPU ACTIVE.
 */
#include <cv/vcpu.h>

#include <cv/arch.h>
#include <cv/check.h>
#include <cv/psci.h>

/* PSTATE of a vCPU's first instruction: EL1h, D A I F masked (Arm ARM C5.2.19, SPSR_EL2) */
#define PSTATE_START 0x3c5ull

/* AFFINITY_INFO's answers (DEN0022 5.7) */
#define PSCI_AFFINITY_ON 0
#define PSCI_AFFINITY_OFF 1
#define PSCI_AFFINITY_ON_PENDING 2

/* MPIDR_EL1 Aff3, Aff2, Aff1, Aff0 */
#define MPIDR_AFFINITY 0xff00ffffffull

static const u64 sysreg_reset[CTX_SYSREG_COUNT] = {
#define X(name, reg, reset) [CTX_##name] = (reset),
	CONTEXT_SYSREGS(X)
#undef X
};

static struct vcpu *vcpu_of(const struct vm *vm, u64 index)
{
	return index < VM_VCPUS_MAX ? vm->vcpus[index] : NULL;
}

void vcpu_reset(struct vcpu *vcpu, u64 pc, u64 x0)
{
	vcpu->ctx = (struct context){ .pc = pc, .pstate = PSTATE_START };
	for (u32 i = 0; i < CTX_SYSREG_COUNT; i++) {
		vcpu->ctx.sysreg[i] = sysreg_reset[i];
	}
	vcpu->ctx.x[0] = x0;
	vcpu->exit = (struct vcpu_exit){ 0 };
	vcpu->pending = (struct vcpu_pending){ 0 };
	vcpu->vgic = (struct vgic_state){ 0 };
	vcpu->timer = (struct vtimer_state){ 0 };
}

/* Pre: the VM's lock is held. Atomic, because is_started() looks without it. */
static void set_power(struct vcpu *vcpu, enum vcpu_power power)
{
	__atomic_store_n(&vcpu->power, power, __ATOMIC_RELAXED);
}

static enum cv_status boot_check(const struct vm *vm, const struct vcpu *vcpu, u64 pc)
{
	if (vcpu == NULL) {
		return CV_E_NOENT;
	}
	if (vm->state != VM_VERIFIED || vcpu->has_run) {
		return CV_E_STATE;
	}
	/* Only the boot vCPU starts where the host says; the others start where the guest's CPU_ON
	 * says. */
	if (vcpu->index != 0 || !is_aligned(pc, 4)) {
		return CV_E_INVALID;
	}
	if (vm->is_protected && pc != vm->entry) {
		return CV_E_PERM;
	}
	return vm->seal.mode != SEAL_NONE ? CV_E_BUSY : CV_OK;
}

enum cv_status vcpu_boot(u64 handle, u64 index, u64 pc, u64 x0)
{
	struct vm *vm = vm_lock(handle);
	struct vcpu *vcpu;
	enum cv_status status;

	if (vm == NULL) {
		return CV_E_NOENT;
	}
	vm_assume_locked(vm);
	vcpu = vcpu_of(vm, index);
	status = boot_check(vm, vcpu, pc);
	if (status == CV_OK) {
		set_power(vcpu, VCPU_ON_PENDING);
		vcpu->entry_pc = pc;
		vcpu->entry_x0 = x0;
	}
	vm_unlock(vm);
	return status;
}

static u32 run_state(const struct vcpu *vcpu)
{
	return __atomic_load_n(&vcpu->run_state, __ATOMIC_ACQUIRE);
}

static enum cv_status claim_check(const struct vm *vm, const struct vcpu *vcpu)
{
	if (vcpu == NULL) {
		return CV_E_NOENT;
	}
	if (vm->state != VM_VERIFIED || vcpu->power == VCPU_OFF || !arch_vcpu_may_run()) {
		return CV_E_STATE;
	}
	if (run_state(vcpu) == VCPU_ACTIVE || vm->seal.mode != SEAL_NONE) {
		return CV_E_BUSY;
	}
	return CV_OK;
}

enum cv_status vcpu_claim(u64 handle, u64 index, struct vcpu **vcpu)
{
	struct vm *vm = vm_lock(handle);
	struct vcpu *found;
	enum cv_status status;

	if (vm == NULL) {
		return CV_E_NOENT;
	}
	vm_assume_locked(vm);
	found = vcpu_of(vm, index);
	status = claim_check(vm, found);
	if (status == CV_OK) {
		(void)__atomic_fetch_add(&vm->active_count, 1, __ATOMIC_RELAXED);
		__atomic_store_n(&found->run_state, VCPU_ACTIVE, __ATOMIC_RELAXED);
		*vcpu = found;
	}
	vm_unlock(vm);
	return status;
}

/*
 * A claimed vCPU that is on has been started before, so its VM has run: nothing is left to do, and
 * no lock is needed to see it. The VM may be killed meanwhile; run_once() looks.
 */
static bool is_started(const struct vcpu *vcpu)
{
	return __atomic_load_n(&vcpu->power, __ATOMIC_RELAXED) == VCPU_ON &&
	       __atomic_load_n(&vcpu->vm->state, __ATOMIC_ACQUIRE) == VM_VERIFIED;
}

enum cv_status vcpu_start(struct vcpu *vcpu)
{
	struct vm *vm = vcpu->vm;
	enum cv_status status = CV_OK;

	if (is_started(vcpu)) {
		return CV_OK;
	}
	lock_acquire(vm->lock);
	if (vm->state == VM_POWEROFF) {
		status = CV_E_STATE;
		goto unlock;
	}
	if (vcpu->power == VCPU_ON_PENDING) {
		vcpu_reset(vcpu, vcpu->entry_pc, vcpu->entry_x0);
		set_power(vcpu, VCPU_ON);
		vcpu->has_run = true;
	}
unlock:
	lock_release(vm->lock);
	return status;
}

/*
 * Without the lock: vCPUs of one VM must not queue up at the end of each run. The order is the
 * whole point: everything is saved, then the vCPU is READY, then the VM counts one less, and
 * nothing of either is touched after that; who finds the count at 0 (vm_active) may take both
 * apart.
 */
void vcpu_release(struct vcpu *vcpu)
{
	struct vm *vm = vcpu->vm;
	u32 before;

	__atomic_store_n(&vcpu->run_state, VCPU_READY, __ATOMIC_RELEASE);
	before = __atomic_fetch_sub(&vm->active_count, 1, __ATOMIC_RELEASE);
	CV_CHECK(before > 0);
}

/* ---- RV_VCPU_READ_REGS ---- */

static void copy_regs(const struct context *ctx, volatile struct rv_regs *regs)
{
	for (u32 i = 0; i < 31; i++) {
		regs->x[i] = ctx->x[i];
	}
	for (u32 i = 0; i < 32; i++) {
		regs->v[i][0] = ctx->v[i][0];
		regs->v[i][1] = ctx->v[i][1];
	}
	regs->sp_el0 = ctx->sysreg[CTX_SP_EL0];
	regs->sp_el1 = ctx->sysreg[CTX_SP_EL1];
	regs->pc = ctx->pc;
	regs->pstate = ctx->pstate;
	regs->elr_el1 = ctx->sysreg[CTX_ELR_EL1];
	regs->spsr_el1 = ctx->sysreg[CTX_SPSR_EL1];
	regs->fpsr = (u32)ctx->fpsr;
	regs->fpcr = (u32)ctx->fpcr;
	regs->sctlr_el1 = ctx->sysreg[CTX_SCTLR_EL1];
	regs->vbar_el1 = ctx->sysreg[CTX_VBAR_EL1];
	regs->ttbr0_el1 = ctx->sysreg[CTX_TTBR0_EL1];
	regs->ttbr1_el1 = ctx->sysreg[CTX_TTBR1_EL1];
	regs->tcr_el1 = ctx->sysreg[CTX_TCR_EL1];
	regs->esr_el1 = ctx->sysreg[CTX_ESR_EL1];
	regs->far_el1 = ctx->sysreg[CTX_FAR_EL1];
}

static enum cv_status read_regs_check(const struct vm *vm, const struct vcpu *vcpu)
{
	if (vcpu == NULL) {
		return CV_E_NOENT;
	}
	if (vm->is_protected) {
		return CV_E_PERM;
	}
	if (run_state(vcpu) == VCPU_ACTIVE) {
		return CV_E_BUSY;
	}
	return CV_OK;
}

enum cv_status vcpu_read_regs(u64 handle, u64 index)
{
	struct vm *vm = vm_lock(handle);
	struct vcpu *vcpu;
	enum cv_status status;

	if (vm == NULL) {
		return CV_E_NOENT;
	}
	vm_assume_locked(vm);
	vcpu = vcpu_of(vm, index);
	status = read_regs_check(vm, vcpu);
	if (status == CV_OK) {
		/* A vCPU that is on but has not started yet shows where it will start. */
		if (vcpu->power == VCPU_ON_PENDING) {
			vcpu_reset(vcpu, vcpu->entry_pc, vcpu->entry_x0);
		}
		copy_regs(&vcpu->ctx, &vcpu->run->regs);
	}
	vm_unlock(vm);
	return status;
}

/* ---- the guest's power states ---- */

static struct vcpu *vcpu_by_mpidr(const struct vm *vm, u64 mpidr)
{
	for (u32 i = 0; i < VM_VCPUS_MAX; i++) {
		if (vm->vcpus[i] != NULL && (vm->vcpus[i]->mpidr & MPIDR_AFFINITY) == mpidr) {
			return vm->vcpus[i];
		}
	}
	return NULL;
}

static s64 cpu_on_check(const struct vm *vm, const struct vcpu *target, u64 pc)
{
	if (target == NULL) {
		return PSCI_INVALID_PARAMETERS;
	}
	if (!is_aligned(pc, 4) || !vm_is_ram(vm, ipa_gfn(ipa_make(pc)))) {
		return PSCI_INVALID_ADDRESS;
	}
	if (target->power == VCPU_ON) {
		return PSCI_ALREADY_ON;
	}
	if (target->power == VCPU_ON_PENDING) {
		return PSCI_ON_PENDING;
	}
	return PSCI_SUCCESS;
}

s64 vcpu_psci_cpu_on(struct vm *vm, u64 mpidr, u64 pc, u64 context_id, u32 *index)
{
	struct vcpu *target;
	s64 status;

	lock_acquire(vm->lock);
	target = vcpu_by_mpidr(vm, mpidr);
	status = cpu_on_check(vm, target, pc);
	if (status == PSCI_SUCCESS) {
		/* The target may still be leaving its last run: only these three change, its
		 * registers at its next start. */
		target->entry_pc = pc;
		target->entry_x0 = context_id;
		set_power(target, VCPU_ON_PENDING);
		*index = target->index;
	}
	lock_release(vm->lock);
	return status;
}

void vcpu_psci_cpu_off(struct vcpu *vcpu)
{
	lock_acquire(vcpu->vm->lock);
	set_power(vcpu, VCPU_OFF);
	lock_release(vcpu->vm->lock);
}

s64 vcpu_psci_affinity_info(struct vm *vm, u64 mpidr, u64 level)
{
	static const s64 answers[] = {
		[VCPU_OFF] = PSCI_AFFINITY_OFF,
		[VCPU_ON_PENDING] = PSCI_AFFINITY_ON_PENDING,
		[VCPU_ON] = PSCI_AFFINITY_ON,
	};
	const struct vcpu *target;
	s64 status = PSCI_INVALID_PARAMETERS;

	/* PSCI 1.0 and later need not support other levels. */
	if (level != 0) {
		return PSCI_INVALID_PARAMETERS;
	}
	lock_acquire(vm->lock);
	target = vcpu_by_mpidr(vm, mpidr);
	if (target != NULL) {
		status = answers[target->power];
	}
	lock_release(vm->lock);
	return status;
}

void vcpu_stop_vm(struct vcpu *vcpu)
{
	lock_acquire(vcpu->vm->lock);
	vm_set_state(vcpu->vm, VM_POWEROFF);
	lock_release(vcpu->vm->lock);
}
