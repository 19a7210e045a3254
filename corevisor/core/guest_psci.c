/* SPDX-License-Identifier: BSD-3-Clause */
/* PSCI for guests. The host is told what it must act on: a vCPU to schedule or not, and the end of
 * the VM. */
#include <cv/guest_psci.h>

#include <cv/psci.h>

/* The range of function ids that PSCI has in the standard service (DEN0022 5.1.1) */
#define PSCI_FIRST 0x84000000u
#define PSCI_LAST 0x8400001fu
#define PSCI_VERSION_1_1 0x10001
/* SYSTEM_RESET2: bit 31 says vendor-specific; the one architectural type is 0, a warm reset */
#define PSCI_RESET_VENDOR (1u << 31)

bool guest_psci_is_call(u32 id)
{
	const u32 base = id & ~SMCCC_64;

	return base >= PSCI_FIRST && base <= PSCI_LAST;
}

static s64 features(u32 id)
{
	switch (id) {
	case PSCI_VERSION:
	case PSCI_CPU_SUSPEND_32:
	case PSCI_CPU_SUSPEND_64:
	case PSCI_CPU_OFF:
	case PSCI_CPU_ON_32:
	case PSCI_CPU_ON_64:
	case PSCI_AFFINITY_INFO_32:
	case PSCI_AFFINITY_INFO_64:
	case PSCI_MIGRATE_INFO_TYPE:
	case PSCI_SYSTEM_OFF:
	case PSCI_SYSTEM_RESET:
	case PSCI_FEATURES:
	case PSCI_SYSTEM_RESET2_32:
	case PSCI_SYSTEM_RESET2_64:
	case SMCCC_VERSION:
		return PSCI_SUCCESS;
	default:
		return SMCCC_NOT_SUPPORTED;
	}
}

static u64 argument(const struct vcpu *vcpu, u32 id, u32 n)
{
	return (id & SMCCC_64) != 0 ? vcpu->ctx.x[n] : (u32)vcpu->ctx.x[n];
}

static enum guest_call cpu_on(struct vcpu *vcpu, u32 id, struct run_exit *out)
{
	u32 index = 0;
	s64 status = vcpu_psci_cpu_on(vcpu->vm, argument(vcpu, id, 1), argument(vcpu, id, 2),
				      argument(vcpu, id, 3), &index);

	guest_call_return(vcpu, status);
	if (status != PSCI_SUCCESS) {
		return GUEST_CALL_DONE;
	}
	out->reason = RV_EXIT_CPU_ON;
	out->data = index;
	return GUEST_CALL_EXIT;
}

static enum guest_call cpu_off(struct vcpu *vcpu, struct run_exit *out)
{
	vcpu_psci_cpu_off(vcpu);
	out->reason = RV_EXIT_CPU_OFF;
	return GUEST_CALL_EXIT;
}

/* Every state is a standby state here: nothing is lost, and an interrupt wakes the vCPU
 * (DEN0022 5.4.1 allows it). */
static enum guest_call cpu_suspend(struct vcpu *vcpu, struct run_exit *out)
{
	guest_call_return(vcpu, PSCI_SUCCESS);
	out->reason = RV_EXIT_WFI;
	return GUEST_CALL_EXIT;
}

/* The call does not return; the status is for the case that the host would run the vCPU again,
 * which it cannot. */
static enum guest_call stop(struct vcpu *vcpu, enum rv_exit reason, struct run_exit *out)
{
	guest_call_return(vcpu, PSCI_DENIED);
	vcpu_stop_vm(vcpu);
	out->reason = reason;
	return GUEST_CALL_EXIT;
}

static enum guest_call reset2(struct vcpu *vcpu, u32 id, struct run_exit *out)
{
	const u32 type = (u32)argument(vcpu, id, 1);

	if ((type & PSCI_RESET_VENDOR) == 0 && type != 0) {
		guest_call_return(vcpu, PSCI_INVALID_PARAMETERS);
		return GUEST_CALL_DONE;
	}
	return stop(vcpu, RV_EXIT_SYSTEM_RESET, out);
}

/* The calls that need nobody but the corevisor. */
static s64 local_call(const struct vcpu *vcpu, u32 id)
{
	switch (id) {
	case PSCI_VERSION:
		return PSCI_VERSION_1_1;
	case PSCI_FEATURES:
		return features((u32)vcpu->ctx.x[1]);
	case PSCI_MIGRATE_INFO_TYPE:
		return PSCI_MIGRATE_TYPE_NONE;
	case PSCI_AFFINITY_INFO_32:
	case PSCI_AFFINITY_INFO_64:
		return vcpu_psci_affinity_info(vcpu->vm, argument(vcpu, id, 1),
					       argument(vcpu, id, 2));
	default:
		return SMCCC_NOT_SUPPORTED;
	}
}

enum guest_call guest_psci_call(struct vcpu *vcpu, u32 id, struct run_exit *out)
{
	switch (id) {
	case PSCI_CPU_ON_32:
	case PSCI_CPU_ON_64:
		return cpu_on(vcpu, id, out);
	case PSCI_CPU_OFF:
		return cpu_off(vcpu, out);
	case PSCI_CPU_SUSPEND_32:
	case PSCI_CPU_SUSPEND_64:
		return cpu_suspend(vcpu, out);
	case PSCI_SYSTEM_OFF:
		return stop(vcpu, RV_EXIT_SYSTEM_OFF, out);
	case PSCI_SYSTEM_RESET:
		return stop(vcpu, RV_EXIT_SYSTEM_RESET, out);
	case PSCI_SYSTEM_RESET2_32:
	case PSCI_SYSTEM_RESET2_64:
		return reset2(vcpu, id, out);
	default:
		guest_call_return(vcpu, local_call(vcpu, id));
		return GUEST_CALL_DONE;
	}
}
