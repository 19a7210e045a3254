/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What EL2 keeps for each physical CPU; TPIDR_EL2 points at it. Offsets are used by head.S, vectors.S and switch.S and
 * asserted in cpu.c.
 */
#ifndef ARM64_CPU_H
#define ARM64_CPU_H

#define CPU_RUNNING 0	 /* struct vcpu * */
#define CPU_IN_EL2 8	 /* u64 */
#define CPU_STACK_TOP 16 /* u64 */
#define CPU_HOST_X 32	 /* struct host_regs: x0-x30, pc, pstate */
#define CPU_HOST_PC (CPU_HOST_X + 31 * 8)
#define CPU_HOST_PSTATE (CPU_HOST_PC + 8)

/* What a CPU needs before its MMU is on; cleaned to the point of coherency. Its address is the context id of CPU_ON. */
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

/* What the ID registers of this CPU say, as far as EL2's registers depend on it. */
struct cpu_features {
	bool pan, uao, ssbs, dit, mte, mte2, bti, nmi; /* PSTATE bits */
	bool pauth, ras, ras_fine, amu_v1p1, csv2_2, sve, sme, fa64, fgt, fgt2, hcx, ecv, ecv_poff, mops;
	bool spe, spe_owned, trbe, trace, trf, mpam, pmu, debug_v8p1_pmu, brbe, tcr2, s1pie, s1poe, gcs, ls64, ls64_v;
	bool ls64_accdata, ebep, the, d128, sctlr2, aie, mec, evt, vhe, nv2, fpmr, lse, tidcp1, xs, cmow, nv;
	u32 pmu_version, debug_version, pa_range, hpmn;
};

struct cpu {
	struct vcpu *running; /* the vCPU whose registers are in this CPU while it executes at EL1 or EL0; NULL: the host */
	u64 in_el2;	      /* 0: this CPU executes the host and holds nothing of ours */
	u64 stack_top;
	u64 mpidr; /* affinity fields only */
	struct host_regs host;
	u32 index;
	bool fp_is_clobbered;
	struct cpu_features has;
	u64 hcr_host;  /* HCR_EL2 while the host runs */
	u64 cptr_host; /* CPTR_EL2 likewise */
	u64 mdcr_host; /* MDCR_EL2 likewise */
	u64 vttbr_host;
	volatile u32 *gicr_sgi; /* this CPU's redistributor, SGI frame, mapped at EL2; NULL: not found */
	void *fp_area;		/* where BearSSL's caller's vector state waits; fp_area_bytes */
	u64 fp_area_bytes;
	u64 boot[6]; /* BOOT_* */
};

static inline struct cpu *cpu_this(void)
{
	struct cpu *cpu;

	__asm__("mrs %0, tpidr_el2" : "=r"(cpu));
	return cpu;
}

/* Boot CPU: memory for `count` structures and stacks is ready; fills in what CPUs need to arrive. */
void cpu_boot_block(struct cpu *cpu);
/* Every EL2 register that influences a lower level, from zero. Runs on each arrival, before the host's first instruction. */
void cpu_init_el2(struct cpu *cpu);

#endif
#endif
