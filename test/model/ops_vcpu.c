/* SPDX-License-Identifier: BSD-3-Clause */
/* Operations on vCPUs: what a run of the host's does to one, in its steps, and PSCI by the guest.
 */
#include "ops.h"

#include <cv/vcpu.h>

#include "../../arch-fake/fake_vcpu.h"

bool is_active(const u64 *arg)
{
	const struct spec_vcpu *vcpu = model_vcpu(arg[0], arg[1]);

	return vcpu != NULL && vcpu->state == SPEC_VCPU_ACTIVE;
}

/* PSCI's answers: a negative status, or a value. */
static struct outcome psci_outcome(s64 answer, u64 value)
{
	return answer < 0 ? (struct outcome){ .status = answer }
			  : (struct outcome){ .value = value };
}

/* ---- by the host ---- */

void draw_boot(u64 *arg)
{
	arg[1] = pick_bootable_vcpu(&arg[0]);
	arg[2] = one_in(10) ? pick(64) : pick(64) * 4;
	if (model_vm(arg[0]) != NULL && model_vm(arg[0])->is_protected && !one_in(10)) {
		arg[2] = model_vm(arg[0])->entry;
	}
	if (model_vcpu(arg[0], arg[1]) != NULL) {
		draw_then("vcpu_claim", (u64[]){ arg[0], arg[1], 0 }, 3);
		draw_then("vcpu_start", arg, 2);
	}
	arg[3] = pick(100);
}

struct outcome core_boot(const u64 *arg)
{
	return (struct outcome){ .status =
					 vcpu_boot(model_handle(arg[0]), arg[1], arg[2], arg[3]) };
}

struct outcome expect_boot(const u64 *arg)
{
	return (struct outcome){ .status = spec_vcpu_boot(&model.spec, model_handle(arg[0]), arg[1],
							  arg[2], arg[3]) };
}

/* A run, unless something comes between its steps. */
void draw_claim(u64 *arg)
{
	arg[1] = pick_runnable_vcpu(&arg[0]);
	arg[2] = one_in(20);
	if (model_vcpu(arg[0], arg[1]) == NULL) {
		return;
	}
	if (one_in(40)) {
		draw_then("vm_kill", arg, 1);
	}
	if (!one_in(6)) {
		draw_then("vcpu_start", arg, 2);
	}
	if (one_in(3)) {
		draw_then("vcpu_release", arg, 2);
	}
}

struct outcome core_claim(const u64 *arg)
{
	struct vcpu *vcpu;
	struct outcome out = { 0 };

	fake_vcpu.is_streaming = arg[2] != 0;
	out.status = vcpu_claim(model_handle(arg[0]), arg[1], &vcpu);
	fake_vcpu.is_streaming = false;
	if (out.status == CV_OK && vcpu != model_core_vcpu(arg[0], arg[1])) {
		fake_fail("another vCPU was claimed");
	}
	return out;
}

struct outcome expect_claim(const u64 *arg)
{
	return (struct outcome){ .status = spec_vcpu_claim(&model.spec, model_handle(arg[0]),
							   arg[1], arg[2] == 0) };
}

void draw_start(u64 *arg)
{
	arg[1] = pick_active_vcpu(&arg[0]);
}

struct outcome core_start(const u64 *arg)
{
	return (struct outcome){ .status = vcpu_start(model_core_vcpu(arg[0], arg[1])) };
}

struct outcome expect_start(const u64 *arg)
{
	return (struct outcome){ .status = spec_vcpu_start(&model.spec, model_handle(arg[0]),
							   arg[1]) };
}

void draw_release(u64 *arg)
{
	arg[1] = pick_active_vcpu(&arg[0]);
}

struct outcome core_release(const u64 *arg)
{
	vcpu_release(model_core_vcpu(arg[0], arg[1]));
	return (struct outcome){ 0 };
}

struct outcome expect_release(const u64 *arg)
{
	spec_vcpu_release(&model.spec, model_handle(arg[0]), arg[1]);
	return (struct outcome){ 0 };
}

void draw_read_regs(u64 *arg)
{
	arg[0] = pick_slot();
	arg[1] = pick_vcpu(arg[0]);
}

struct outcome core_read_regs(const u64 *arg)
{
	return (struct outcome){ .status = vcpu_read_regs(model_handle(arg[0]), arg[1]) };
}

struct outcome expect_read_regs(const u64 *arg)
{
	struct outcome out = { 0 };

	out.status = spec_vcpu_read_regs(&model.spec, model_handle(arg[0]), arg[1]);
	if (out.status == CV_OK) {
		model_retoken(model_vcpu(arg[0], arg[1])->run_pfn);
	}
	return out;
}

/* ---- by the guest: arg[1] is the vCPU that calls ---- */

static u64 pick_mpidr(void)
{
	return one_in(10) ? pick(4) << (8 * pick(5)) : pick(SPEC_VCPUS);
}

void draw_cpu_on(u64 *arg)
{
	arg[1] = pick_active_vcpu(&arg[0]);
	arg[2] = pick_mpidr();
	arg[3] = (pick_backed_gfn(arg[0]) << PAGE_SHIFT) + (one_in(10) ? pick(8) : pick(8) * 4);
	arg[4] = pick(100);
}

struct outcome core_cpu_on(const u64 *arg)
{
	struct vm *vm = model_core_vcpu(arg[0], arg[1])->vm;
	u32 index = 0;
	s64 answer = vcpu_psci_cpu_on(vm, arg[2], arg[3], arg[4], &index);

	return psci_outcome(answer, index);
}

struct outcome expect_cpu_on(const u64 *arg)
{
	u32 index = 0;
	s64 answer =
		spec_vcpu_cpu_on(&model.spec, model_handle(arg[0]), arg[2], arg[3], arg[4], &index);

	return psci_outcome(answer, index);
}

/* The call ends the run. */
void draw_cpu_off(u64 *arg)
{
	arg[1] = pick_active_vcpu(&arg[0]);
	if (is_active(arg)) {
		draw_then("vcpu_release", arg, 2);
	}
}

struct outcome core_cpu_off(const u64 *arg)
{
	vcpu_psci_cpu_off(model_core_vcpu(arg[0], arg[1]));
	return (struct outcome){ 0 };
}

struct outcome expect_cpu_off(const u64 *arg)
{
	spec_vcpu_cpu_off(&model.spec, model_handle(arg[0]), arg[1]);
	return (struct outcome){ 0 };
}

void draw_affinity_info(u64 *arg)
{
	arg[1] = pick_active_vcpu(&arg[0]);
	arg[2] = pick_mpidr();
	arg[3] = one_in(10);
}

struct outcome core_affinity_info(const u64 *arg)
{
	s64 answer = vcpu_psci_affinity_info(model_core_vcpu(arg[0], arg[1])->vm, arg[2], arg[3]);

	return psci_outcome(answer, (u64)answer);
}

struct outcome expect_affinity_info(const u64 *arg)
{
	s64 answer = spec_vcpu_affinity_info(&model.spec, model_handle(arg[0]), arg[2], arg[3]);

	return psci_outcome(answer, (u64)answer);
}

void draw_stop_vm(u64 *arg)
{
	arg[1] = pick_active_vcpu(&arg[0]);
	if (is_active(arg)) {
		draw_then("vcpu_release", arg, 2);
	}
}

struct outcome core_stop_vm(const u64 *arg)
{
	vcpu_stop_vm(model_core_vcpu(arg[0], arg[1]));
	return (struct outcome){ 0 };
}

struct outcome expect_stop_vm(const u64 *arg)
{
	spec_vcpu_stop_vm(&model.spec, model_handle(arg[0]));
	return (struct outcome){ 0 };
}
