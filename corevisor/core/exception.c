/* SPDX-License-Identifier: BSD-3-Clause */
/* Exception entry to EL1, computed. Every PSTATE field of AArch64.TakeException is dealt with by
 * name. */
#include <cv/exception.h>

/* SCTLR_EL1 (Arm ARM D19.2.145) */
#define SCTLR_SPAN (1ull << 23)
#define SCTLR_DSSBS (1ull << 44)
#define SCTLR_SPINTMASK (1ull << 62)

/* Vector offsets (Arm ARM D1.3.1, table of vector offsets) */
#define VECTOR_EL1T 0x000ull
#define VECTOR_EL1H 0x200ull
#define VECTOR_EL0_64 0x400ull
#define VECTOR_EL0_32 0x600ull
/* VBAR_EL1 bits 10:0 are RES0 */
#define VBAR_MASK (~0x7ffull)

bool exception_is_guest_pstate(u64 pstate)
{
	if ((pstate & PSTATE_M32) != 0) {
		return (pstate & PSTATE_M) == 0;
	}
	return (pstate & PSTATE_M) == PSTATE_EL0T || (pstate & PSTATE_M) == PSTATE_EL1T ||
	       (pstate & PSTATE_M) == PSTATE_EL1H;
}

bool exception_is_from_el1(u64 pstate)
{
	return (pstate & PSTATE_M32) == 0 && (pstate & PSTATE_M) >= PSTATE_EL1T;
}

static u64 vector_offset(u64 pstate)
{
	if ((pstate & PSTATE_M32) != 0) {
		return VECTOR_EL0_32;
	}
	switch (pstate & PSTATE_M) {
	case PSTATE_EL1T:
		return VECTOR_EL1T;
	case PSTATE_EL1H:
		return VECTOR_EL1H;
	default:
		return VECTOR_EL0_64;
	}
}

struct exception_entry exception_enter(u64 pstate, const struct el1_entry *el1)
{
	/* N, Z, C, V and DIT pass; PAN passes or is set; D, A, I, F, TCO are set; SS, IL, UAO and
	 * BTYPE are cleared. */
	u64 new = PSTATE_EL1H | PSTATE_DAIF |
		  (pstate & (PSTATE_N_Z_C_V | PSTATE_DIT | PSTATE_PAN)) | PSTATE_TCO;

	if ((el1->sctlr & SCTLR_SPAN) == 0) {
		new |= PSTATE_PAN;
	}
	if ((el1->sctlr & SCTLR_DSSBS) != 0) {
		new |= PSTATE_SSBS;
	}
	if ((el1->sctlr & SCTLR_SPINTMASK) == 0) {
		new |= PSTATE_ALLINT;
	}
	new &= PSTATE_M | PSTATE_DAIF | PSTATE_N_Z_C_V | el1->pstate_mask;

	return (struct exception_entry){ .pc = (el1->vbar & VBAR_MASK) + vector_offset(pstate),
					 .pstate = new };
}
