/* SPDX-License-Identifier: BSD-3-Clause */
/* Exceptions of the host, from vectors.S: which of the core's handlers gets them. Never panics: EL1
 * causes all of them. */
#include <arm64/cpu.h>
#include <arm64/sysreg.h>
#include <cv/arch.h>
#include <cv/exception.h>
#include <cv/hcall.h>
#include <cv/host_fault.h>
#include <cv/host_psci.h>
#include <cv/host_smc.h>
#include <cv/info.h>
#include <cv/panic.h>
#include <cv/psci.h>

#define FSC_TLB_CONFLICT 0x30
#define INSTRUCTION_BYTES 4
#define ESR_IMMEDIATE 0xffffull

void host_exit(struct cpu *cpu);

static void abort_exit(struct cpu *cpu, u64 esr)
{
	if (ESR_FSC(esr) == FSC_TLB_CONFLICT) {
		/* Two translations of one address: forget all, walk again. */
		__asm__ volatile("tlbi alle1" : : : "memory");
		dsb(nsh);
		isb();
		return;
	}
	host_fault(&cpu->host, esr, sysreg_read(far_el2), sysreg_read(hpfar_el2));
}

static void call_exit(struct cpu *cpu, u64 esr)
{
	bool is_smc = ESR_EC(esr) == EC_SMC64;

	/* A trapped SMC has not been executed yet. */
	cpu->host.pc += is_smc ? INSTRUCTION_BYTES : 0;
	if ((esr & ESR_IMMEDIATE) != 0) {
		/* SMCCC calls have immediate 0 (DEN0028 2.9). */
		cpu->host.x[0] = (u64)(s64)SMCCC_NOT_SUPPORTED;
	} else if (is_smc) {
		host_smc(&cpu->host);
	} else {
		hcall(&cpu->host);
	}
}

/* The machine is going down: whoever comes here, or is about to leave, stays. */
static void stop_poll(void)
{
	panic_poll();
	if (host_psci_is_stopping()) {
		arch_park();
	}
}

void host_exit(struct cpu *cpu)
{
	u64 esr = sysreg_read(esr_el2);

	stop_poll();
	switch (ESR_EC(esr)) {
	case EC_HVC64:
	case EC_SMC64:
		call_exit(cpu, esr);
		break;
	case EC_IABT_LOWER:
	case EC_DABT_LOWER:
		abort_exit(cpu, esr);
		break;
	default:
		info_count(ESR_EC(esr) == EC_SYSREG ? RV_CLASS_HOST_SYSREG : RV_CLASS_HOST_OTHER);
		host_undefined(&cpu->host);
		break;
	}
	stop_poll();
}
