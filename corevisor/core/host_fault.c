/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Faults of the host. Guarantees: each call returns to EL1 after a bounded time, whatever state EL1
 * is in; if even EL1's vectors are not the host's any more, the next fetch faults again, and harms
 * only the host.
 */
#include <cv/host_fault.h>

#include <cv/exception.h>
#include <cv/info.h>
#include <cv/mem.h>

/* ESR_ELx.DFSC/IFSC: fault kinds by their upper bits, the level in the lower two */
#define FSC_KIND(esr) ((esr)&0x3c)
#define FSC_TRANSLATION 0x04
/* HPFAR_EL2.FIPA: bits 51:12 of the IPA in bits 43:4; a CPU with 48-bit addresses has the upper
 * four 0 */
#define HPFAR_FIPA(hpfar) ((((hpfar) >> 4) & 0xffffffffffull) << PAGE_SHIFT)

static void inject(struct host_regs *regs, u64 esr, u64 far)
{
	struct el1_entry el1 = arch_host_el1();
	struct exception_entry entry = exception_enter(regs->pstate, &el1);

	arch_host_set_exception(esr, far, regs->pc, regs->pstate);
	regs->pc = entry.pc;
	regs->pstate = entry.pstate;
}

/* A table walk and cache maintenance read, whatever WnR says of the access that caused them. */
static enum mem_access access_kind(u64 esr)
{
	if ((esr & ESR_S1PTW) != 0) {
		return MEM_READ;
	}
	if (ESR_EC(esr) == EC_IABT_LOWER) {
		return MEM_EXEC;
	}
	return (esr & (ESR_WNR | ESR_CM)) == ESR_WNR ? MEM_WRITE : MEM_READ;
}

/*
 * Only a translation fault can be undone by the time we look (another CPU split or joined a block),
 * and only for it does HPFAR_EL2 always hold the IPA. Permission faults come from writing the info
 * pages and from executing device memory: never the host's right.
 */
static bool is_spurious(u64 esr, u64 hpfar)
{
	return FSC_KIND(esr) == FSC_TRANSLATION &&
	       mem_host_fault_is_spurious(ipa_make(HPFAR_FIPA(hpfar)), access_kind(esr));
}

/*
 * An alignment fault: user space gets SIGBUS, and the kernel's own accesses to user memory end in
 * -EFAULT, while an external abort would kill the kernel and a translation fault would be retried
 * for ever (kvm-api 2.5). Fetches get the same status code; Linux treats it alike.
 */
void host_fault(struct host_regs *regs, u64 esr, u64 far, u64 hpfar)
{
	bool is_fetch = ESR_EC(esr) == EC_IABT_LOWER;
	bool is_el1 = exception_is_from_el1(regs->pstate);
	u64 class;
	u64 el1_esr;

	info_count(RV_CLASS_HOST_FAULT);
	if (is_spurious(esr, hpfar)) {
		return;
	}
	if (is_fetch) {
		class = is_el1 ? EC_IABT_SAME : EC_IABT_LOWER;
	} else {
		class = is_el1 ? EC_DABT_SAME : EC_DABT_LOWER;
	}
	el1_esr = class << ESR_EC_SHIFT | (esr & ESR_IL) | FSC_ALIGNMENT;
	if (!is_fetch) {
		el1_esr |= esr & (ESR_WNR | ESR_CM);
	}
	inject(regs, el1_esr, far);
	info_fault_injected();
}

void host_undefined(struct host_regs *regs)
{
	inject(regs, EC_UNKNOWN << ESR_EC_SHIFT | ESR_IL, 0);
}
