/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Exception entry to AArch64 EL1 as the hardware does it (Arm ARM D1.3.6, AArch64.TakeException),
 * computed: for faults injected into the host and into guests.
 */
#ifndef CV_EXCEPTION_H
#define CV_EXCEPTION_H

#include <cv/arch_host.h>
#include <cv/types.h>

/* PSTATE as SPSR_ELx holds it (Arm ARM C5.2.19) */
#define PSTATE_N_Z_C_V (0xfull << 28)
#define PSTATE_TCO (1ull << 25)
#define PSTATE_DIT (1ull << 24)
#define PSTATE_UAO (1ull << 23)
#define PSTATE_PAN (1ull << 22)
#define PSTATE_SS (1ull << 21)
#define PSTATE_IL (1ull << 20)
#define PSTATE_ALLINT (1ull << 13)
#define PSTATE_SSBS (1ull << 12)
#define PSTATE_BTYPE (3ull << 10)
#define PSTATE_DAIF (0xfull << 6)
#define PSTATE_M32 (1ull << 4)
#define PSTATE_M 0xfull
#define PSTATE_EL0T 0x0ull
#define PSTATE_EL1T 0x4ull
#define PSTATE_EL1H 0x5ull

/* Exception classes (ESR_ELx.EC) and the fields that the core uses */
#define ESR_EC_SHIFT 26
#define ESR_EC(esr) (((esr) >> ESR_EC_SHIFT) & 0x3f)
#define ESR_IL (1ull << 25)
#define ESR_ISV (1ull << 24)
#define ESR_S1PTW (1ull << 7)
#define ESR_CM (1ull << 8)
#define ESR_WNR (1ull << 6)
#define ESR_FSC(esr) ((esr)&0x3f)
#define EC_UNKNOWN 0x00ull
#define EC_WFX 0x01ull
#define EC_FP 0x07ull
#define EC_HVC64 0x16ull
#define EC_SMC64 0x17ull
#define EC_SYSREG 0x18ull
#define EC_SVE 0x19ull
#define EC_IABT_LOWER 0x20ull
#define EC_IABT_SAME 0x21ull
#define EC_DABT_LOWER 0x24ull
#define EC_DABT_SAME 0x25ull
#define FSC_ALIGNMENT 0x21ull
#define FSC_EXTERNAL 0x10ull

struct exception_entry {
	u64 pc;
	u64 pstate;
};

/* Where and with which PSTATE a synchronous exception from `pstate` begins at EL1. */
struct exception_entry exception_enter(u64 pstate, const struct el1_entry *el1);
/* AArch64 EL0, EL1t, EL1h, or AArch32 User: anything else could not have been reached through our
 * entry. */
bool exception_is_guest_pstate(u64 pstate);
/* True if `pstate` is EL1 (either stack pointer), false for EL0 of either width. */
bool exception_is_from_el1(u64 pstate);

#endif
