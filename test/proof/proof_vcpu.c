/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Proof: who may run a vCPU, and where it starts. For two VMs with two vCPUs each in any state, and
 * all arguments: the status is the specified one, a refusal changes nothing, a success exactly what
 * the specification here says; all else of both VMs and all vCPUs stays, to the last register.
 * Seed: set_vcpu_active (B2), set_vcpu_inactive (B3), search_load_info (B1: the entry), the first
 * branch of restore_shadow_kvm_regs (V2: the reset), VMPower.
 * Proof-args: --unwind 34 --no-array-field-sensitivity
 * Proof-args: corevisor/core/vcpu.c
 * Proof-entry: proof_vcpu_boot quick
 * Proof-entry: proof_set_vcpu_active quick
 * Proof-entry: proof_set_vcpu_inactive quick
 * Proof-entry: proof_vcpu_start_first quick
 * Proof-entry: proof_vcpu_start_again
 * Proof-entry: proof_psci_cpu_on quick
 * Proof-entry: proof_psci_power quick
 */
#include "vm_locks.h"

#include <cv/psci.h>

static bool may_run;

bool arch_vcpu_may_run(void)
{
	return may_run;
}

static void begin(void)
{
	any_guests();
	may_run = nondet_bool();
	want_no_change();
}

static struct vm *const vm = &vm_a;

/* Pre: index is a constant. */
static struct vcpu *vcpu_at(u64 handle, u64 index)
{
	return handle == vm->handle && index < VM_VCPUS_MAX ? vm->vcpus[index] : NULL;
}

/* ---- RV_VCPU_BOOT ---- */

static enum cv_status spec_boot(u64 handle, u64 index, u64 pc, u64 x0)
{
	if (vcpu_at(handle, index) == NULL) {
		return CV_E_NOENT;
	}
	if (vm->state != VM_VERIFIED || vcpus[MINE][index]->has_run) {
		return CV_E_STATE;
	}
	if (index != 0 || pc % 4 != 0) {
		return CV_E_INVALID;
	}
	/* Seed: search_load_info. The host's wish is compared with what the owner signed. */
	if (vm->is_protected && pc != vm->entry) {
		return CV_E_PERM;
	}
	if (vm->seal.mode != SEAL_NONE) {
		return CV_E_BUSY;
	}
	want_a0.power = VCPU_ON_PENDING;
	want_a0.entry_pc = pc;
	want_a0.entry_x0 = x0;
	return CV_OK;
}

static void boot_at(u64 index)
{
	u64 pc = nondet_u64();
	u64 x0 = nondet_u64();
	enum cv_status expected;
	enum cv_status status;
	u64 handle;

	begin();
	handle = any_handle();
	expected = spec_boot(handle, index, pc, x0);
	status = vcpu_boot(handle, index, pc, x0);

	reach(status == CV_E_NOENT && handle != vm->handle, "NOENT: no such VM");
	reach(status == CV_E_NOENT && handle == vm->handle && index == 0, "NOENT: no such vCPU");
	reach(status == CV_E_STATE && vm->state == VM_READY, "STATE: not VERIFIED");
	reach(status == CV_E_STATE && vm->state == VM_VERIFIED, "STATE: has run");
	reach(status == CV_E_INVALID && index == 0, "INVALID: unaligned");
	reach(status == CV_E_INVALID && index == 1, "INVALID: not the boot vCPU");
	reach(status == CV_E_PERM, "PERM");
	reach(status == CV_E_BUSY, "BUSY: being saved");
	reach(status == CV_OK, "OK");
	claim(status == expected, "the status is the specified one");
	claim_as_wanted();
}

void proof_vcpu_boot(void)
{
	for_any_index(boot_at);
}

/* ---- set_vcpu_active ---- */

static enum cv_status spec_claim(u64 handle, u64 index)
{
	const struct vcpu *vcpu = vcpu_at(handle, index);

	if (vcpu == NULL) {
		return CV_E_NOENT;
	}
	if (vm->state != VM_VERIFIED || vcpu->power == VCPU_OFF || !may_run) {
		return CV_E_STATE;
	}
	if (vcpu->run_state == VCPU_ACTIVE || vm->seal.mode != SEAL_NONE) {
		return CV_E_BUSY;
	}
	want_vcpu[MINE][index]->run_state = VCPU_ACTIVE;
	want_a.active_count++;
	return CV_OK;
}

static void active_at(u64 index)
{
	struct vcpu *claimed = NULL;
	enum cv_status expected;
	enum cv_status status;
	u64 handle;

	begin();
	handle = any_handle();
	expected = spec_claim(handle, index);
	status = vcpu_claim(handle, index, &claimed);

	reach(status == CV_E_NOENT && handle != vm->handle, "NOENT: no such VM");
	reach(status == CV_E_NOENT && handle == vm->handle && index == 1, "NOENT: no such vCPU");
	reach(status == CV_E_STATE && vm->state == VM_READY, "STATE: not VERIFIED");
	reach(status == CV_E_STATE && vm->state == VM_POWEROFF, "STATE: off");
	reach(status == CV_E_STATE && !may_run && vm->state == VM_VERIFIED, "STATE: streaming");
	reach(status == CV_E_STATE && may_run && vm->state == VM_VERIFIED, "STATE: not on");
	reach(status == CV_E_BUSY && vm->seal.mode == SEAL_NONE, "BUSY: it runs");
	reach(status == CV_E_BUSY && vm->seal.mode == SEAL_SAVING, "BUSY: being saved");
	reach(status == CV_OK && vm->active_count == 2, "OK, beside another one");
	claim(status == expected, "the status is the specified one");
	claim(claimed == (status == CV_OK ? vcpus[MINE][index & 1] : NULL),
	      "the vCPU that was asked for, or none");
	claim_as_wanted();
}

void proof_set_vcpu_active(void)
{
	for_any_index(active_at);
}

/* ---- set_vcpu_inactive ---- */

/* The VM may be off by now; it cannot be gone. */
static void inactive_at(u64 c)
{
	begin();
	assume(vm->vcpus[c] != NULL && vcpus[MINE][c]->run_state == VCPU_ACTIVE);
	want_vcpu[MINE][c]->run_state = VCPU_READY;
	want_a.active_count--;
	vcpu_release(vcpus[MINE][c]);

	reach(vm->state == VM_POWEROFF, "off meanwhile");
	reach(vm->active_count == 1, "another one runs on");
	claim_as_wanted();
}

void proof_set_vcpu_inactive(void)
{
	for_each_vcpu(inactive_at);
}

/* ---- the first entry: the architectural reset. Seed: T24 ---- */

/* One arbitrary element of each array: what holds for it holds for all. */
static void claim_reset(const struct vcpu *vcpu, struct vcpu *want)
{
	const struct context *ctx = &vcpu->ctx;
	u32 x = (u32)any_below(31);
	u32 reg = (u32)any_below(CTX_SYSREG_COUNT);
	u32 v = (u32)any_below(32);
	u32 lr = (u32)any_below(RV_MAX_LRS);
	u32 ap = (u32)any_below(4);

	claim(ctx->x[x] == (x == 0 ? vcpu->entry_x0 : 0) && ctx->pc == vcpu->entry_pc,
	      "x0 and pc, the rest 0");
	claim(ctx->pstate == 0x3c5, "EL1h; D, A, I and F masked");
	claim(ctx->sysreg[reg] == (reg == CTX_SCTLR_EL1 ? 0x30d00980 : 0),
	      "MMU and caches are off, the rest 0");
	claim(ctx->v[v][0] == 0 && ctx->v[v][1] == 0 && ctx->fpsr == 0 && ctx->fpcr == 0,
	      "no vector register keeps anything");
	claim(vcpu->vgic.lr[lr] == 0 && vcpu->vgic.ap0r[ap] == 0 && vcpu->vgic.ap1r[ap] == 0 &&
		      vcpu->vgic.lr_count == 0 && vcpu->vgic.vmcr == 0,
	      "no interrupt is pending");
	claim(!vcpu->pending.is_mmio && vcpu->exit.esr == 0, "nor an access to a device");
	claim(vcpu->timer.cntv_ctl == 0 && vcpu->timer.cntp_ctl == 0, "and no timer runs");
	/* So much for these. */
	want->ctx = *ctx;
	want->vgic = vcpu->vgic;
	want->exit = vcpu->exit;
	want->pending = vcpu->pending;
	want->timer = vcpu->timer;
}

static void start_begin(u64 c)
{
	begin();
	/* It was claimed: the VM was VERIFIED then, and the vCPU not off. */
	assume(vm->vcpus[c] != NULL && vcpus[MINE][c]->run_state == VCPU_ACTIVE);
	assume(vm->state != VM_READY && vcpus[MINE][c]->power != VCPU_OFF);
}

/* Two bodies: whether registers are the old ones or new ones is then no case inside of them. */
static void start_new_at(u64 c)
{
	struct vcpu *want = want_vcpu[MINE][c];
	enum cv_status status;

	start_begin(c);
	assume(vm->state != VM_POWEROFF && vcpus[MINE][c]->power == VCPU_ON_PENDING);
	status = vcpu_start(vcpus[MINE][c]);

	reach(status == CV_OK && c == 1, "it starts");
	claim(status == CV_OK, "nothing is in its way");
	want->power = VCPU_ON;
	want->has_run = true;
	claim_reset(vcpus[MINE][c], want);
	claim_as_wanted();
}

static void start_old_at(u64 c)
{
	enum cv_status status;

	start_begin(c);
	assume(vm->state == VM_POWEROFF || vcpus[MINE][c]->power == VCPU_ON);
	status = vcpu_start(vcpus[MINE][c]);

	reach(status == CV_E_STATE, "STATE: killed since");
	reach(status == CV_OK && c == 1, "it goes on");
	claim(status == (vm->state == VM_POWEROFF ? CV_E_STATE : CV_OK), "the status");
	claim_as_wanted();
}

void proof_vcpu_start_first(void)
{
	start_new_at(1);
}

void proof_vcpu_start_again(void)
{
	for_each_vcpu(start_old_at);
}

/* ---- PSCI: decided by the guest ---- */

static struct vcpu *vcpu_with(u64 mpidr)
{
	for (u32 c = 0; c < VM_VCPUS_MAX; c++) {
		if (vm->vcpus[c] != NULL && mpidr == c) {
			return vcpus[MINE][c];
		}
	}
	return NULL;
}

static s64 spec_cpu_on(u64 mpidr, u64 pc)
{
	const struct vcpu *target = vcpu_with(mpidr);

	if (target == NULL) {
		return PSCI_INVALID_PARAMETERS;
	}
	if (pc % 4 != 0 || !vm_is_ram(vm, gfn_make(pc >> PAGE_SHIFT))) {
		return PSCI_INVALID_ADDRESS;
	}
	switch (target->power) {
	case VCPU_ON:
		return PSCI_ALREADY_ON;
	case VCPU_ON_PENDING:
		return PSCI_ON_PENDING;
	default:
		return PSCI_SUCCESS;
	}
}

static void cpu_on_at(u64 mpidr)
{
	u64 pc = nondet_u64();
	u64 context = nondet_u64();
	u32 index = 77;
	s64 expected;
	s64 status;

	begin();
	expected = spec_cpu_on(mpidr, pc);
	if (expected == PSCI_SUCCESS) {
		struct vcpu *want = want_vcpu[MINE][mpidr & 1];

		want->power = VCPU_ON_PENDING;
		want->entry_pc = pc;
		want->entry_x0 = context;
	}
	status = vcpu_psci_cpu_on(vm, mpidr, pc, context, &index);

	reach(status == PSCI_INVALID_PARAMETERS && mpidr < VM_VCPUS_MAX, "no such vCPU");
	reach(status == PSCI_INVALID_PARAMETERS && mpidr > 0xffffffff, "no such affinity");
	reach(status == PSCI_INVALID_ADDRESS && pc % 4 == 0, "not RAM");
	reach(status == PSCI_ALREADY_ON, "already on");
	reach(status == PSCI_ON_PENDING, "on its way");
	reach(status == PSCI_SUCCESS && mpidr == 0, "the boot vCPU again");
	reach(status == PSCI_SUCCESS && vcpus[MINE][1]->run_state == VCPU_ACTIVE,
	      "one that is still leaving its last run");
	claim(status == expected, "the status is the specified one");
	claim(index == (status == PSCI_SUCCESS ? mpidr : 77), "the vCPU that is on, or no result");
	claim_as_wanted();
}

void proof_psci_cpu_on(void)
{
	for_any_index(cpu_on_at);
}

static void affinity_info(void)
{
	u64 mpidr = nondet_u64();
	u64 level = nondet_u64();
	const struct vcpu *asked = vcpu_with(mpidr);
	s64 status = vcpu_psci_affinity_info(vm, mpidr, level);

	reach(status == 0 && level == 0, "ON");
	reach(status == 1, "OFF");
	reach(status == 2, "ON_PENDING");
	reach(status == PSCI_INVALID_PARAMETERS && level == 0, "no such vCPU");
	reach(status == PSCI_INVALID_PARAMETERS && asked != NULL, "no such level");
	if (level != 0 || asked == NULL) {
		claim(status == PSCI_INVALID_PARAMETERS, "refused");
	} else {
		claim((status == 0) == (asked->power == VCPU_ON) &&
			      (status == 2) == (asked->power == VCPU_ON_PENDING) && status >= 0 &&
			      status <= 2,
		      "as DEN0022 5.7 says");
	}
}

static void power_at(u64 c)
{
	begin();
	assume(vm->vcpus[c] != NULL);
	switch (any_below(3)) {
	case 0:
		affinity_info();
		break;
	case 1:
		reach(vcpus[MINE][c]->power == VCPU_ON, "CPU_OFF");
		want_vcpu[MINE][c]->power = VCPU_OFF;
		vcpu_psci_cpu_off(vcpus[MINE][c]);
		break;
	default:
		/* SYSTEM_OFF, SYSTEM_RESET, a crash. Seed: T20. */
		reach(vm->state == VM_VERIFIED, "the VM stops");
		want_a.state = VM_POWEROFF;
		vcpu_stop_vm(vcpus[MINE][c]);
	}
	claim_as_wanted();
}

void proof_psci_power(void)
{
	for_each_vcpu(power_at);
}
