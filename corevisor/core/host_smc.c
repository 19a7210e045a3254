/* SPDX-License-Identifier: BSD-3-Clause */
/* What the host gets for an SMC. Guarantees: firmware sees only calls made here, with arguments
 * checked here. */
#include <cv/host_smc.h>

#include <cv/host_psci.h>
#include <cv/info.h>
#include <cv/psci.h>
#include <cv/trng.h>

/* Mitigations that only firmware can do; without an argument, so there is nothing to check. */
static bool is_workaround(u32 fn)
{
	return fn == SMCCC_ARCH_WORKAROUND_1 || fn == SMCCC_ARCH_WORKAROUND_2 ||
	       fn == SMCCC_ARCH_WORKAROUND_3;
}

/* What firmware says of a workaround; before SMCCC 1.1 it cannot be asked. */
static s64 workaround_features(u32 fn)
{
	s64 version;

	if ((int32_t)arch_firmware_call(PSCI_FEATURES, SMCCC_VERSION, 0, 0) != PSCI_SUCCESS) {
		return SMCCC_NOT_SUPPORTED;
	}
	version = (int32_t)arch_firmware_call(SMCCC_VERSION, 0, 0, 0);
	if (version < SMCCC_VERSION_1_1) {
		return SMCCC_NOT_SUPPORTED;
	}
	return (int32_t)arch_firmware_call(SMCCC_ARCH_FEATURES, fn, 0, 0);
}

static s64 arch_features(u32 fn)
{
	if (fn == SMCCC_VERSION || fn == SMCCC_ARCH_FEATURES) {
		return 0;
	}
	return is_workaround(fn) ? workaround_features(fn) : SMCCC_NOT_SUPPORTED;
}

static s64 workaround(u32 fn, u64 argument)
{
	if (workaround_features(fn) < 0) {
		return SMCCC_NOT_SUPPORTED;
	}
	return (int32_t)arch_firmware_call(fn, (u32)argument, 0, 0);
}

void host_smc(struct host_regs *regs)
{
	u32 fn = (u32)regs->x[0];

	info_count(RV_CLASS_HOST_SMC);
	if (host_psci_call(regs) || trng_call(regs->x)) {
		return;
	}
	if (fn == SMCCC_VERSION) {
		regs->x[0] = SMCCC_VERSION_1_2;
	} else if (fn == SMCCC_ARCH_FEATURES) {
		regs->x[0] = (u64)arch_features((u32)regs->x[1]);
	} else if (is_workaround(fn)) {
		regs->x[0] = (u64)workaround(fn, regs->x[1]);
	} else {
		regs->x[0] = (u64)(s64)SMCCC_NOT_SUPPORTED;
	}
}
