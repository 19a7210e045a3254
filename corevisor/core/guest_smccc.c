/* SPDX-License-Identifier: BSD-3-Clause */
/* The table of what guests may call, and the calls that are neither PSCI nor RSI (kvm-api 3.2b). */
#include <cv/guest_smccc.h>

#include <cv/arch_host.h>
#include <cv/exception.h>
#include <cv/guest_inject.h>
#include <cv/guest_psci.h>
#include <cv/rng.h>
#include <cv/rsi.h>

/* Arm Architecture Calls (Arm DEN0028 7) */
#define SMCCC_VERSION 0x80000000u
#define SMCCC_ARCH_FEATURES 0x80000001u
#define SMCCC_ARCH_WORKAROUND_1 0x80008000u
#define SMCCC_ARCH_WORKAROUND_2 0x80007fffu
#define SMCCC_ARCH_WORKAROUND_3 0x80003fffu
#define SMCCC_VERSION_1_2 0x10002

/* Arm DEN0098, TRNG firmware interface */
#define TRNG_VERSION 0x84000050u
#define TRNG_FEATURES 0x84000051u
#define TRNG_GET_UUID 0x84000052u
#define TRNG_RND32 0x84000053u
#define TRNG_RND64 0xc4000053u
#define TRNG_VERSION_1_0 0x10000
#define TRNG_INVALID_PARAMETERS (-2)
#define TRNG_NO_ENTROPY (-3)
#define TRNG_MAX_WORDS 3

/* ESR_EL2.ISS of HVC and SMC: the immediate */
#define ISS_IMM16(esr) ((esr) & 0xffff)

static s64 arch_features(u32 id)
{
	switch (id) {
	case SMCCC_VERSION:
	case SMCCC_ARCH_FEATURES:
		return 0;
	case SMCCC_ARCH_WORKAROUND_1:
	case SMCCC_ARCH_WORKAROUND_2:
	case SMCCC_ARCH_WORKAROUND_3:
		/* What this machine's firmware says is the truth for guests as well: they run on its CPUs. */
		return (int32_t)arch_firmware_call(SMCCC_ARCH_FEATURES, id, 0, 0);
	default:
		return SMCCC_NOT_SUPPORTED;
	}
}

/* Passed through to firmware, if it has the call; the guest's x1.. are not its business. */
static s64 workaround(const struct vcpu *vcpu, u32 id)
{
	const u64 enable = id == SMCCC_ARCH_WORKAROUND_2 ? vcpu->ctx.x[1] & 1 : 0;

	if (arch_features(id) < 0) {
		return SMCCC_NOT_SUPPORTED;
	}
	(void)arch_firmware_call(id, enable, 0, 0);
	return 0;
}

/* ---- random numbers ---- */

static s64 trng_features(u32 id)
{
	switch (id) {
	case TRNG_VERSION:
	case TRNG_FEATURES:
	case TRNG_GET_UUID:
	case TRNG_RND32:
	case TRNG_RND64:
		return 0;
	default:
		return SMCCC_NOT_SUPPORTED;
	}
}

/* x1 = bits wanted; they come in x3 (lowest), x2, x1. */
static s64 trng_random(struct vcpu *vcpu, u32 word_bits)
{
	const u64 bits = word_bits == 64 ? vcpu->ctx.x[1] : (u32)vcpu->ctx.x[1];
	u64 words[TRNG_MAX_WORDS];

	if (bits == 0 || bits > TRNG_MAX_WORDS * word_bits) {
		return TRNG_INVALID_PARAMETERS;
	}
	if (!rng_bytes(words, sizeof(words))) {
		return TRNG_NO_ENTROPY;
	}
	for (u32 i = 0; i < TRNG_MAX_WORDS; i++) {
		const u64 below = (u64)i * word_bits;
		const u64 wanted = bits > below ? min_u64(bits - below, word_bits) : 0;

		vcpu->ctx.x[3 - i] = wanted == 64 ? words[i] : words[i] & ((1ull << wanted) - 1);
	}
	return 0;
}

static bool is_trng(u32 id)
{
	return trng_features(id) == 0;
}

static s64 trng_call(struct vcpu *vcpu, u32 id)
{
	if (!rng_is_ready()) {
		return SMCCC_NOT_SUPPORTED;
	}
	switch (id) {
	case TRNG_VERSION:
		return TRNG_VERSION_1_0;
	case TRNG_FEATURES:
		return trng_features((u32)vcpu->ctx.x[1]);
	case TRNG_GET_UUID:
		/* The generator's identity: ours. */
		vcpu->ctx.x[1] = RV_UID_1;
		vcpu->ctx.x[2] = RV_UID_2;
		vcpu->ctx.x[3] = RV_UID_3;
		return RV_UID_0;
	case TRNG_RND32:
		return trng_random(vcpu, 32);
	default:
		return trng_random(vcpu, 64);
	}
}

/* ---- the rest ---- */

static s64 simple_call(struct vcpu *vcpu, u32 id)
{
	switch (id) {
	case SMCCC_VERSION:
		return SMCCC_VERSION_1_2;
	case SMCCC_ARCH_FEATURES:
		return arch_features((u32)vcpu->ctx.x[1]);
	case SMCCC_ARCH_WORKAROUND_1:
	case SMCCC_ARCH_WORKAROUND_2:
	case SMCCC_ARCH_WORKAROUND_3:
		return workaround(vcpu, id);
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
	guest_call_return(vcpu, is_trng(id) ? trng_call(vcpu, id) : simple_call(vcpu, id));
	return GUEST_CALL_DONE;
}

bool guest_smccc_handle(struct vcpu *vcpu, struct run_exit *out)
{
	const bool is_smc = ESR_EC(vcpu->exit.esr) == EC_SMC64;
	const enum guest_call end = dispatch(vcpu, is_smc, out);

	/* A trapped SMC is reported at its own address, an HVC after it. Only calls by SMC can ask for a retry. */
	if (is_smc && end != GUEST_CALL_RETRY) {
		guest_skip(vcpu);
	}
	return end == GUEST_CALL_DONE;
}
