/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What EL2 keeps for each physical CPU; TPIDR_EL2 points at it. Offsets are used by head.S,
 * vectors.S and switch.S and asserted in cpu.c.
 */
#ifndef ARM64_CPU_H
#define ARM64_CPU_H

#define CPU_RUNNING 0	 /* struct vcpu * */
#define CPU_IN_EL2 8	 /* u64 */
#define CPU_STACK_TOP 16 /* u64 */
#define CPU_HOST_X 32	 /* struct host_regs: x0-x30, pc, pstate */
#define CPU_HOST_PC (CPU_HOST_X + 31 * 8)
#define CPU_HOST_PSTATE (CPU_HOST_PC + 8)

/* What a CPU needs before its MMU is on; cleaned to the point of coherency. Its address is the
 * context id of CPU_ON. */
#define BOOT_TTBR0 0
#define BOOT_TCR 8
#define BOOT_MAIR 16
#define BOOT_SCTLR 24
#define BOOT_VBAR 32
#define BOOT_CPU 40

#ifndef __ASSEMBLER__

#include <cv/arch_host.h>
#include <cv/context.h>
#include <cv/types.h>

struct vcpu;

struct cpu {
	struct vcpu *running; /* the vCPU whose registers are in this CPU while it executes at EL1
				 or EL0; NULL: the host */
	u64 in_el2;	      /* 0: this CPU executes the host and holds nothing of ours */
	u64 stack_top;
	u64 mpidr; /* affinity fields only */
	struct host_regs host;
	u32 index;
	bool has_sve;
	bool has_sme;
	u64 pstate_mask; /* the optional PSTATE bits that this CPU has */
	u64 hcr_host;	 /* HCR_EL2 while the host runs */
	u64 cptr_host;	 /* CPTR_EL2 likewise */
	u64 mdcr_host;	 /* MDCR_EL2 likewise */
	u64 vttbr_host;
	volatile u32
		*gicr_sgi; /* this CPU's redistributor, SGI frame, mapped at EL2; NULL: not found */
	u8 *fp_area;	   /* where vector state waits while BearSSL works: arch_fp_begin() */
	u64 fp_area_bytes;
	u8 *fp_host; /* the host's vector state while a guest's is loaded (vcpu.c); as large as
			fp_area */
	u64 boot[6]; /* BOOT_* */
};

static inline struct cpu *cpu_this(void)
{
	struct cpu *cpu;

	__asm__("mrs %0, tpidr_el2" : "=r"(cpu));
	return cpu;
}

extern struct cpu cpus[CPU_MAX];

/* NULL, or why this CPU cannot run the corevisor. */
const char *cpu_unfit(void);
/* Bytes of vector state of this CPU, and what tells which; Pre: CPTR_EL2, ZCR_EL2 and SMCR_EL2 are
 * as cpu_init_el2 sets. */
u64 cpu_fp_bytes(void);
/* Vector registers usable at EL2, at their greatest length: first part of cpu_init_el2(). */
void cpu_init_fp(struct cpu *cpu);
/* Every EL2 register that influences a lower level, from zero. Runs on each arrival, before the
 * host's first instruction. */
void cpu_init_el2(struct cpu *cpu);
/* head.S: a CPU started by firmware is at EL2, in C and on its stack. */
void cpu_arrived(struct cpu *cpu);
/* head.S */
extern const char secondary_entry[];
_Noreturn void host_start(void);

#endif
#endif
