/* SPDX-License-Identifier: BSD-3-Clause */
/* Exceptions taken from EL2 itself, put into words (Arm ARM D19.2.40, ESR_EL2). */
#include <cv/panic.h>

#include <arm64/sysreg.h>
#include <cv/exception.h>

#define ESR_DABT_CURRENT 0x25
#define ESR_IABT_CURRENT 0x21

_Noreturn void panic_exception(u64 which);
extern const char image_start[];

static const char *fault_name(u64 fsc)
{
	switch (fsc & 0x3c) {
	case 0x00:
		return "address size fault";
	case 0x04:
		return "translation fault";
	case 0x08:
		return "access flag fault";
	case 0x0c:
		return "permission fault";
	case 0x10:
		return "external abort";
	case 0x14:
		return "external abort on a table walk";
	default:
		return fsc == FSC_ALIGNMENT ? "alignment fault" : "other fault";
	}
}

static const char *syndrome_name(u64 esr)
{
	switch (ESR_EC(esr)) {
	case EC_UNKNOWN:
		return "undefined instruction";
	case EC_FP:
		return "trapped FP or SIMD instruction";
	case 0x0d:
		return "branch target exception";
	case 0x0e:
		return "illegal execution state";
	case ESR_IABT_CURRENT:
	case ESR_DABT_CURRENT:
		return fault_name(ESR_FSC(esr));
	case 0x22:
		return "misaligned PC";
	case 0x26:
		return "misaligned SP";
	case 0x2f:
		return "SError";
	case 0x3c:
		return "BRK instruction";
	default:
		return "unexpected exception class";
	}
}

_Noreturn void panic_exception(u64 which)
{
	static const char *const kinds[] = { "synchronous exception", "IRQ", "FIQ", "SError" };
	struct panic_exception e = {
		.kind = kinds[which & 3],
		.esr = sysreg_read(esr_el2),
		.far = sysreg_read(far_el2),
		.elr = sysreg_read(elr_el2),
		.image = (u64)(uintptr_t)image_start,
	};

	e.what = syndrome_name(e.esr);
	panic_report(&e);
}
