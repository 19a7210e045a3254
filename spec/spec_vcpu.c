/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * vCPUs: who may run one, and the power states that the guest decides (docs/states.md; reference
 * 16.2 B2-B4). Of the registers only what a start sets is specified: the PC and x0.
 *
 * Deviations from the seeds: a refusal is a status, not a HALT; a vCPU runs only while its guest
 * has it on; claiming is one step and starting another, since the host may kill the VM between
 * them.
 */
#include "spec_impl.h"

#include <cv/psci.h>

/* NULL: no such vCPU. */
static struct spec_vcpu *vcpu_of(struct spec_vm *vm, u64 index)
{
	if (index >= SPEC_VCPUS || vm->vcpu[index].state == SPEC_VCPU_UNUSED) {
		return NULL;
	}
	return &vm->vcpu[index];
}

struct spec_vcpu *spec_vcpu(struct spec_state *state, u64 handle, u64 index)
{
	struct spec_vm *vm = spec_vm(state, handle);

	return vm == NULL ? NULL : vcpu_of(vm, index);
}

enum cv_status spec_vcpu_boot(struct spec_state *state, u64 handle, u64 index, u64 pc, u64 x0)
{
	struct spec_vcpu *vcpu = spec_vcpu(state, handle, index);
	const struct spec_vm *vm = spec_vm(state, handle);

	if (vcpu == NULL) {
		return CV_E_NOENT;
	}
	if (vm->state != VM_VERIFIED || vcpu->has_run) {
		return CV_E_STATE;
	}
	if (index != 0 || pc % 4 != 0) {
		return CV_E_INVALID;
	}
	if (vm->is_protected && pc != vm->entry) {
		return CV_E_PERM;
	}
	if (vm->seal.mode != SEAL_NONE) {
		return CV_E_BUSY;
	}
	vcpu->power = VCPU_ON_PENDING;
	vcpu->entry_pc = pc;
	vcpu->entry_x0 = x0;
	return CV_OK;
}

enum cv_status spec_vcpu_claim(struct spec_state *state, u64 handle, u64 index, bool cpu_may_run)
{
	struct spec_vcpu *vcpu = spec_vcpu(state, handle, index);
	struct spec_vm *vm = spec_vm(state, handle);

	if (vcpu == NULL) {
		return CV_E_NOENT;
	}
	if (vm->state != VM_VERIFIED || vcpu->power == VCPU_OFF || !cpu_may_run) {
		return CV_E_STATE;
	}
	if (vcpu->state == SPEC_VCPU_ACTIVE || vm->seal.mode != SEAL_NONE) {
		return CV_E_BUSY;
	}
	vcpu->state = SPEC_VCPU_ACTIVE;
	vm->active++;
	return CV_OK;
}

void spec_vcpu_release(struct spec_state *state, u64 handle, u64 index)
{
	spec_vcpu(state, handle, index)->state = SPEC_VCPU_READY;
	spec_vm(state, handle)->active--;
}

static void reset(struct spec_vcpu *vcpu)
{
	vcpu->pc = vcpu->entry_pc;
	vcpu->x0 = vcpu->entry_x0;
}

enum cv_status spec_vcpu_start(struct spec_state *state, u64 handle, u64 index)
{
	struct spec_vcpu *vcpu = spec_vcpu(state, handle, index);

	if (spec_vm(state, handle)->state == VM_POWEROFF) {
		return CV_E_STATE;
	}
	if (vcpu->power == VCPU_ON_PENDING) {
		reset(vcpu);
		vcpu->power = VCPU_ON;
		vcpu->has_run = true;
	}
	return CV_OK;
}

enum cv_status spec_vcpu_read_regs(struct spec_state *state, u64 handle, u64 index)
{
	struct spec_vcpu *vcpu = spec_vcpu(state, handle, index);

	if (vcpu == NULL) {
		return CV_E_NOENT;
	}
	if (spec_vm(state, handle)->is_protected) {
		return CV_E_PERM;
	}
	if (vcpu->state == SPEC_VCPU_ACTIVE) {
		return CV_E_BUSY;
	}
	if (vcpu->power == VCPU_ON_PENDING) {
		reset(vcpu); /* what will be, is shown */
	}
	return CV_OK;
}

/* ---- from the guest ---- */

/* Affinity levels 3, 2 are 0; 16 vCPUs have one level 1. */
static struct spec_vcpu *vcpu_by_mpidr(struct spec_vm *vm, u64 mpidr, u32 *index)
{
	for (*index = 0; *index < SPEC_VCPUS; (*index)++) {
		if (mpidr == (*index / 16 * 256 | *index % 16)) {
			return vcpu_of(vm, *index);
		}
	}
	return NULL;
}

s64 spec_vcpu_cpu_on(struct spec_state *state, u64 handle, u64 mpidr, u64 pc, u64 x0, u32 *index)
{
	struct spec_vm *vm = spec_vm(state, handle);
	u32 target_index;
	struct spec_vcpu *target = vcpu_by_mpidr(vm, mpidr, &target_index);

	if (target == NULL) {
		return PSCI_INVALID_PARAMETERS;
	}
	if (pc % 4 != 0 || spec_ram_end(vm, pc >> PAGE_SHIFT) == 0) {
		return PSCI_INVALID_ADDRESS;
	}
	if (target->power != VCPU_OFF) {
		return target->power == VCPU_ON ? PSCI_ALREADY_ON : PSCI_ON_PENDING;
	}
	target->power = VCPU_ON_PENDING;
	target->entry_pc = pc;
	target->entry_x0 = x0;
	*index = target_index;
	return PSCI_SUCCESS;
}

void spec_vcpu_cpu_off(struct spec_state *state, u64 handle, u64 index)
{
	spec_vcpu(state, handle, index)->power = VCPU_OFF;
}

s64 spec_vcpu_affinity_info(struct spec_state *state, u64 handle, u64 mpidr, u64 level)
{
	u32 index;
	struct spec_vcpu *target = vcpu_by_mpidr(spec_vm(state, handle), mpidr, &index);

	if (level != 0 || target == NULL) {
		return PSCI_INVALID_PARAMETERS;
	}
	/* DEN0022 5.7: 0 on, 1 off, 2 on pending */
	return target->power == VCPU_ON ? 0 : target->power == VCPU_OFF ? 1 : 2;
}

void spec_vcpu_stop_vm(struct spec_state *state, u64 handle)
{
	spec_vm(state, handle)->state = VM_POWEROFF;
}
