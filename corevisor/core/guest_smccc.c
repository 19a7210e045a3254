/* SPDX-License-Identifier: BSD-3-Clause */
/* The table of what guests may call, and the calls that are neither PSCI nor RSI (kvm-api 3.2b). */
#include <cv/guest_smccc.h>

#include <cv/arch_host.h>
#include <cv/exception.h>
#include <cv/guest_inject.h>
#include <cv/guest_psci.h>
#include <cv/psci.h>
#include <cv/rsi.h>
#include <cv/trng.h>

/* ESR_EL2.ISS of HVC and SMC: the immediate */
#define ISS_IMM16(esr) ((esr) & 0xffff)

static s64 arch_features(u32 id)
{
	switch (id) {
	case SMCCC_VERSION:
	case SMCCC_ARCH_FEATURES:
		return 0;
	case SMCCC_ARCH_WORKAROUND_1:
	case SMCCC_ARCH_WORKAROUND_3:
		/*
		 * What this machine's firmware says is the truth for guests as well: they run on
		 * its CPUs. Not so WORKAROUND_2: it sets a state of the CPU that would stay for the
		 * host and for other guests.
		 */
		return (int32_t)arch_firmware_call(SMCCC_ARCH_FEATURES, id, 0, 0);
	default:
		return SMCCC_NOT_SUPPORTED;
	}
}

/* Passed on to firmware, if it has the call; without the guest's x1.., which are not its business.
 */
static s64 workaround(u32 id)
{
	if (arch_features(id) < 0) {
		return SMCCC_NOT_SUPPORTED;
	}
	(void)arch_firmware_call(id, 0, 0, 0);
	return 0;
}

static s64 simple_call(struct vcpu *vcpu, u32 id)
{
	switch (id) {
	case SMCCC_VERSION:
		return SMCCC_VERSION_1_2;
	case SMCCC_ARCH_FEATURES:
		return arch_features((u32)vcpu->ctx.x[1]);
	case SMCCC_ARCH_WORKAROUND_1:
	case SMCCC_ARCH_WORKAROUND_3:
		return workaround(id);
	case RV_HVC_UID:
		vcpu->ctx.x[1] = RV_UID_1;
		vcpu->ctx.x[2] = RV_UID_2;
		vcpu->ctx.x[3] = RV_UID_3;
		return RV_UID_0;
	default:
		return SMCCC_NOT_SUPPORTED;
	}
}

static enum guest_call dispatch(struct vcpu *vcpu, bool is_smc, struct run_exit *out)
{
	const u32 id = guest_call_id(vcpu);

	if (ISS_IMM16(vcpu->exit.esr) != 0) {
		guest_call_return(vcpu, SMCCC_NOT_SUPPORTED);
		return GUEST_CALL_DONE;
	}
	if (is_smc && vcpu->vm->is_protected && rsi_is_call(id)) {
		return rsi_call(vcpu, id, out);
	}
	if (guest_psci_is_call(id)) {
		return guest_psci_call(vcpu, id, out);
	}
	if (!trng_call(vcpu->ctx.x)) {
		guest_call_return(vcpu, simple_call(vcpu, id));
	}
	return GUEST_CALL_DONE;
}

bool guest_smccc_handle(struct vcpu *vcpu, struct run_exit *out)
{
	const bool is_smc = ESR_EC(vcpu->exit.esr) == EC_SMC64;
	const enum guest_call end = dispatch(vcpu, is_smc, out);

	/* A trapped SMC is reported at its own address, an HVC after it. Only calls by SMC can ask
	 * for a retry. */
	if (is_smc && end != GUEST_CALL_RETRY) {
		guest_skip(vcpu);
	}
	return end == GUEST_CALL_DONE;
}
