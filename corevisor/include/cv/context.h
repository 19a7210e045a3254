/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The register state of one EL1 world, as saved by the corevisor. Offsets are used by arch/arm64
 * assembly, which asserts them. Which registers and why: docs/el1-state.md, the table of all state
 * reachable from EL0 and EL1.
 */
#ifndef CV_CONTEXT_H
#define CV_CONTEXT_H

/* Offsets for switch.S */
#define CONTEXT_X 0
#define CONTEXT_PC (31 * 8)
#define CONTEXT_PSTATE (32 * 8)

#ifndef __ASSEMBLER__

#include <cv/types.h>

/*
 * Every EL1 system register that is switched; X(enum suffix, assembler name, value at reset of a
 * vCPU). ACTLR_EL1 is not among them: neither host nor guests can write it (HCR_EL2.TACR), so it
 * keeps the firmware's value.
 */
/* What turns the stage-1 MMU on: written last, because speculative walks must not mix two worlds
 * (design.md 3.3). */
#define CONTEXT_SYSREGS_MMU(X)              \
	X(SCTLR_EL1, sctlr_el1, 0x30d00980) \
	X(TCR_EL1, tcr_el1, 0)

#define CONTEXT_SYSREGS_PLAIN(X)             \
	X(CPACR_EL1, cpacr_el1, 0)           \
	X(TTBR0_EL1, ttbr0_el1, 0)           \
	X(TTBR1_EL1, ttbr1_el1, 0)           \
	X(MAIR_EL1, mair_el1, 0)             \
	X(AMAIR_EL1, amair_el1, 0)           \
	X(VBAR_EL1, vbar_el1, 0)             \
	X(ESR_EL1, esr_el1, 0)               \
	X(FAR_EL1, far_el1, 0)               \
	X(AFSR0_EL1, afsr0_el1, 0)           \
	X(AFSR1_EL1, afsr1_el1, 0)           \
	X(PAR_EL1, par_el1, 0)               \
	X(CONTEXTIDR_EL1, contextidr_el1, 0) \
	X(TPIDR_EL0, tpidr_el0, 0)           \
	X(TPIDRRO_EL0, tpidrro_el0, 0)       \
	X(TPIDR_EL1, tpidr_el1, 0)           \
	X(CSSELR_EL1, csselr_el1, 0)         \
	X(CNTKCTL_EL1, cntkctl_el1, 0)       \
	X(MDSCR_EL1, mdscr_el1, 0)           \
	X(ELR_EL1, elr_el1, 0)               \
	X(SPSR_EL1, spsr_el1, 0)             \
	X(SP_EL0, sp_el0, 0)                 \
	X(SP_EL1, sp_el1, 0)

#define CONTEXT_SYSREGS(X) CONTEXT_SYSREGS_MMU(X) CONTEXT_SYSREGS_PLAIN(X)

enum context_sysreg {
#define X(name, reg, reset) CTX_##name,
	CONTEXT_SYSREGS(X)
#undef X
		CTX_SYSREG_COUNT
};

struct context {
	u64 x[31];
	u64 pc;
	u64 pstate;
	u64 sysreg[CTX_SYSREG_COUNT];
	u64 fpsr;
	u64 fpcr;
	_Alignas(16) u64 v[32][2];
};

_Static_assert(offsetof(struct context, x) == CONTEXT_X, "switch.S");
_Static_assert(offsetof(struct context, pc) == CONTEXT_PC, "switch.S");
_Static_assert(offsetof(struct context, pstate) == CONTEXT_PSTATE, "switch.S");

#endif
#endif
