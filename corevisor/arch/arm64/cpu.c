/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The EL2 environment of one CPU. Every register at EL2 that influences a lower level is written
 * here, by what the ID registers say; nothing is left to reset values. Value by value, with the
 * reasons: docs/el2-registers.md.
 */
#include <arm64/cpu.h>

#include <arm64/sysreg.h>
#include <cv/exception.h>
#include <cv/host_psci.h>
#include <cv/mem.h>

_Static_assert(offsetof(struct cpu, running) == CPU_RUNNING, "vectors.S");
_Static_assert(offsetof(struct cpu, in_el2) == CPU_IN_EL2, "vectors.S");
_Static_assert(offsetof(struct cpu, stack_top) == CPU_STACK_TOP, "head.S");
_Static_assert(offsetof(struct cpu, host) == CPU_HOST_X, "vectors.S");
_Static_assert(offsetof(struct cpu, host.pc) == CPU_HOST_PC, "vectors.S");
_Static_assert(offsetof(struct cpu, host.pstate) == CPU_HOST_PSTATE, "vectors.S");

struct cpu cpus[CPU_MAX];

/* Fine-grained traps: bits whose 1 means "no trap" (their names begin with n). Unimplemented ones
 * are RES0. */
#define HFGRTR_N_BITS ((0x1full << 50 | 0x7full << 57 | 3ull << 55) & ~(1ull << 51))
#define HFGITR_N_BITS (0x1full << 55)
#define HDFGRTR_N_BITS (0xfull << 59)
#define HDFGWTR_N_BITS (7ull << 60)
#define HFGRTR2_N_BITS 0x7fffull
#define HDFGRTR2_N_BITS 0xffffffull
#define HFGITR2_N_BITS 1ull

#define PMCR_N(pmcr) (((pmcr) >> 11) & 0x1f)
#define PMBIDR_P (1ull << 4) /* the buffer is not EL2's to give */
#define TRBIDR_P (1ull << 4)
#define MPAMIDR_HAS_HCR (1ull << 17)
#define SMIDR_SMPS (1ull << 15)
#define SMFR0_FA64 (1ull << 63)
#define PMU_IMPDEF 0xf
#define ZCR_LEN_MAX 0x1ffull
#define SMCR_FA64 (1ull << 31)
#define SMCR_EZT0 (1ull << 30)
/* SRE, DFB, DIB, Enable */
#define ICC_SRE_ALL 0xfull
/* EL1PCTEN, EL1PCEN: the host reads the physical counter and owns the physical timer */
#define CNTHCTL_HOST 3ull

static bool has(u64 id_register, u32 shift)
{
	return ID_FIELD(id_register, shift) != 0;
}

static bool has_pmu(u64 dfr0)
{
	return has(dfr0, 8) && ID_FIELD(dfr0, 8) != PMU_IMPDEF;
}

const char *cpu_unfit(void)
{
	u64 mmfr0 = sysreg_read(SYS_ID_AA64MMFR0_EL1);

	if ((sysreg_read(hcr_el2) & HCR_E2H) != 0) {
		return "this CPU has EL2 only with VHE (HCR_EL2.E2H fixed to 1), which is not supported";
	}
	if (ID_FIELD(mmfr0, 0) < 2) {
		return "this CPU has fewer than 40 bits of physical address";
	}
	if (ID_FIELD(mmfr0, 28) == 0xf) {
		return "this CPU has no 4 KiB pages";
	}
	if (!has(sysreg_read(SYS_ID_AA64PFR0_EL1), 24)) {
		return "no GICv3 system registers (QEMU: -M virt,gic-version=3)";
	}
	return NULL;
}

/* PSTATE bits that exist (exception entry), Arm ARM C5.2 */
static u64 pstate_bits(void)
{
	u64 pfr1 = sysreg_read(SYS_ID_AA64PFR1_EL1);
	u64 bits = 0;

	bits |= has(sysreg_read(SYS_ID_AA64MMFR1_EL1), 20) ? PSTATE_PAN : 0;
	bits |= has(sysreg_read(SYS_ID_AA64MMFR2_EL1), 4) ? PSTATE_UAO : 0;
	bits |= has(sysreg_read(SYS_ID_AA64PFR0_EL1), 48) ? PSTATE_DIT : 0;
	bits |= has(pfr1, 0) ? PSTATE_BTYPE : 0;
	bits |= has(pfr1, 4) ? PSTATE_SSBS : 0;
	bits |= has(pfr1, 8) ? PSTATE_TCO : 0;
	bits |= has(pfr1, 36) ? PSTATE_ALLINT : 0;
	return bits;
}

static u64 host_hcr(void)
{
	u64 isar1 = sysreg_read(SYS_ID_AA64ISAR1_EL1);
	u64 isar2 = sysreg_read(SYS_ID_AA64ISAR2_EL1);
	u64 pfr0 = sysreg_read(SYS_ID_AA64PFR0_EL1);
	u64 pfr1 = sysreg_read(SYS_ID_AA64PFR1_EL1);
	u64 hcr = HCR_COMMON;

	if (has(isar1, 4) || has(isar1, 8) || has(isar1, 24) || has(isar1, 28) || has(isar2, 8) ||
	    has(isar2, 12)) {
		hcr |= HCR_API | HCR_APK;
	}
	if (ID_FIELD(pfr1, 8) >= 2) {
		hcr |= HCR_ATA;
	}
	if (ID_FIELD(pfr0, 56) >= 2 || ID_FIELD(pfr1, 32) >= 2) {
		hcr |= HCR_ENSCXT;
	}
	return hcr;
}

static u64 host_hcrx(void)
{
	u64 mmfr3 = sysreg_read(SYS_ID_AA64MMFR3_EL1);
	u64 ls64 = ID_FIELD(sysreg_read(SYS_ID_AA64ISAR1_EL1), 60);
	u64 hcrx = 0;

	hcrx |= has(sysreg_read(SYS_ID_AA64ISAR2_EL1), 16) ? HCRX_MSCEN : 0;
	hcrx |= has(mmfr3, 0) ? HCRX_TCR2EN : 0;
	hcrx |= has(mmfr3, 4) ? HCRX_SCTLR2EN : 0;
	hcrx |= has(mmfr3, 32) ? HCRX_D128EN : 0;
	hcrx |= has(sysreg_read(SYS_ID_AA64PFR1_EL1), 44) ? HCRX_GCSEN : 0;
	hcrx |= has(sysreg_read(SYS_ID_AA64PFR2_EL1), 32) ? HCRX_ENFPM : 0;
	hcrx |= ls64 >= 1 ? HCRX_ENALS : 0;
	hcrx |= ls64 >= 2 ? HCRX_ENASR : 0;
	hcrx |= ls64 >= 3 ? HCRX_ENAS0 : 0;
	return hcrx;
}

/* Without FEAT_TRF, trace of EL2 cannot be forbidden, so the host gets no trace unit at all. */
static u64 host_cptr(const struct cpu *cpu)
{
	u64 dfr0 = sysreg_read(SYS_ID_AA64DFR0_EL1);
	u64 cptr = CPTR_RES1_BASE;

	cptr |= cpu->has_sve ? 0 : CPTR_TZ;
	cptr |= cpu->has_sme ? 0 : CPTR_TSM;
	cptr |= has(dfr0, 4) && !has(dfr0, 40) ? CPTR_TTA : 0;
	return cptr;
}

/* All counters are the host's, but none counts at EL2; profiling and trace buffers are written
 * through its stage 2. */
static u64 host_mdcr(void)
{
	u64 dfr0 = sysreg_read(SYS_ID_AA64DFR0_EL1);
	u64 mdcr = 0;

	if (has_pmu(dfr0)) {
		mdcr |= PMCR_N(sysreg_read(pmcr_el0));
		mdcr |= ID_FIELD(dfr0, 8) >= 4 ? MDCR_HPMD : 0;
		mdcr |= ID_FIELD(dfr0, 8) >= 6 ? MDCR_HCCD : 0;
	}
	if (has(dfr0, 32) && (sysreg_read(SYS_PMBIDR_EL1) & PMBIDR_P) == 0) {
		mdcr |= MDCR_E2PB_EL1;
	}
	if (has(dfr0, 44) && (sysreg_read(SYS_TRBIDR_EL1) & TRBIDR_P) == 0) {
		mdcr |= MDCR_E2TB_EL1;
	}
	return mdcr;
}

void cpu_init_fp(struct cpu *cpu)
{
	cpu->has_sve = has(sysreg_read(SYS_ID_AA64PFR0_EL1), 32);
	cpu->has_sme = has(sysreg_read(SYS_ID_AA64PFR1_EL1), 24);
	cpu->cptr_host = host_cptr(cpu);
	sysreg_write(cptr_el2, cpu->cptr_host);
	isb();
	if (cpu->has_sve) {
		sysreg_write(SYS_ZCR_EL2, ZCR_LEN_MAX);
	}
	if (cpu->has_sme) {
		u64 smfr0 = sysreg_read(SYS_ID_AA64SMFR0_EL1);
		u64 smcr = ZCR_LEN_MAX;

		smcr |= (smfr0 & SMFR0_FA64) != 0 ? SMCR_FA64 : 0;
		smcr |= ID_FIELD(sysreg_read(SYS_ID_AA64PFR1_EL1), 24) >= 2 ? SMCR_EZT0 : 0;
		sysreg_write(SYS_SMCR_EL2, smcr);
		if ((sysreg_read(s3_1_c0_c0_6) & SMIDR_SMPS) != 0) {
			sysreg_write(SYS_SMPRIMAP_EL2, 0);
		}
	}
	isb();
}

static void init_fine_grained_traps(void)
{
	u64 fgt = ID_FIELD(sysreg_read(SYS_ID_AA64MMFR0_EL1), 56);

	if (fgt >= 1) {
		sysreg_write(SYS_HFGRTR_EL2, HFGRTR_N_BITS);
		sysreg_write(SYS_HFGWTR_EL2, HFGRTR_N_BITS);
		sysreg_write(SYS_HFGITR_EL2, HFGITR_N_BITS);
		sysreg_write(SYS_HDFGRTR_EL2, HDFGRTR_N_BITS);
		sysreg_write(SYS_HDFGWTR_EL2, HDFGWTR_N_BITS);
		if (has(sysreg_read(SYS_ID_AA64PFR0_EL1), 44)) {
			sysreg_write(SYS_HAFGRTR_EL2, 0);
		}
	}
	if (fgt >= 2) {
		sysreg_write(SYS_HFGRTR2_EL2, HFGRTR2_N_BITS);
		sysreg_write(SYS_HFGWTR2_EL2, HFGRTR2_N_BITS);
		sysreg_write(SYS_HFGITR2_EL2, HFGITR2_N_BITS);
		sysreg_write(SYS_HDFGRTR2_EL2, HDFGRTR2_N_BITS);
		sysreg_write(SYS_HDFGWTR2_EL2, HDFGRTR2_N_BITS);
	}
}

static void init_traps(struct cpu *cpu)
{
	cpu->hcr_host = host_hcr();
	cpu->mdcr_host = host_mdcr();
	sysreg_write(hcr_el2, cpu->hcr_host);
	sysreg_write(mdcr_el2, cpu->mdcr_host);
	sysreg_write(hstr_el2, 0);
	sysreg_write(hacr_el2, 0);
	/* Implementation-defined; on Arm's cores: EL1 does not reach CPU control registers. */
	sysreg_write(actlr_el2, 0);
	if (has(sysreg_read(SYS_ID_AA64MMFR1_EL1), 40)) {
		sysreg_write(SYS_HCRX_EL2, host_hcrx());
	}
	init_fine_grained_traps();
}

static void init_identity(void)
{
	sysreg_write(vpidr_el2, sysreg_read(midr_el1));
	sysreg_write(vmpidr_el2, sysreg_read(mpidr_el1));
}

static void init_time(void)
{
	sysreg_write(cnthctl_el2, CNTHCTL_HOST);
	sysreg_write(cntvoff_el2, 0);
	sysreg_write(cnthp_ctl_el2, 0);
	if (has(sysreg_read(SYS_ID_AA64MMFR1_EL1), 8)) {
		sysreg_write(s3_4_c14_c3_1, 0); /* CNTHV_CTL_EL2 */
	}
	if (ID_FIELD(sysreg_read(SYS_ID_AA64MMFR0_EL1), 60) >= 2) {
		sysreg_write(SYS_CNTPOFF_EL2, 0);
	}
}

static void init_gic(void)
{
	sysreg_write(SYS_ICC_SRE_EL2, ICC_SRE_ALL);
	isb();
	sysreg_write(SYS_ICH_HCR_EL2, 0);
}

static void init_debug(void)
{
	u64 dfr0 = sysreg_read(SYS_ID_AA64DFR0_EL1);

	if (has(dfr0, 40)) {
		sysreg_write(SYS_TRFCR_EL2, 0);
	}
	if (has(dfr0, 32)) {
		sysreg_write(SYS_PMSCR_EL2, 0);
	}
	if (has(dfr0, 52)) {
		sysreg_write(SYS_BRBCR_EL2, 0);
	}
}

/* What later extensions added to EL2: off for EL2, nothing imposed on EL1. */
static void init_extensions(void)
{
	u64 pfr0 = sysreg_read(SYS_ID_AA64PFR0_EL1);
	u64 pfr1 = sysreg_read(SYS_ID_AA64PFR1_EL1);
	u64 mmfr3 = sysreg_read(SYS_ID_AA64MMFR3_EL1);

	if (has(pfr0, 28)) {
		sysreg_write(SYS_VSESR_EL2, 0);
		sysreg_write(SYS_VDISR_EL2, 0);
	}
	if (has(pfr0, 40) || has(pfr1, 16)) {
		sysreg_write(SYS_MPAM2_EL2, 0);
		if ((sysreg_read(SYS_MPAMIDR_EL1) & MPAMIDR_HAS_HCR) != 0) {
			sysreg_write(SYS_MPAMHCR_EL2, 0);
			sysreg_write(SYS_MPAMVPMV_EL2, 0);
		}
	}
	if (ID_FIELD(pfr0, 56) >= 2 || ID_FIELD(pfr1, 32) >= 2) {
		sysreg_write(SYS_SCXTNUM_EL2, 0);
	}
	if (ID_FIELD(pfr1, 8) >= 2) {
		sysreg_write(SYS_TFSR_EL2, 0);
	}
	if (has(pfr1, 44)) {
		sysreg_write(SYS_GCSCR_EL2, 0);
	}
	if (has(mmfr3, 0)) {
		sysreg_write(SYS_TCR2_EL2, 0);
	}
	if (has(mmfr3, 4)) {
		sysreg_write(SYS_SCTLR2_EL2, 0);
	}
}

static void init_stage2(struct cpu *cpu)
{
	const struct s2 *s2 = mem_host_s2();

	cpu->vttbr_host = s2->root.v | (u64)s2->vmid.v << VTTBR_VMID_SHIFT;
	sysreg_write(vtcr_el2, VTCR_VALUE);
	sysreg_write(vttbr_el2, cpu->vttbr_host);
	isb();
}

/* This CPU may have lived under other tables, or under none. Pre: HCR_EL2.VM is set, so nothing
 * without stage 2 follows. */
static void forget_translations(void)
{
	isb();
	__asm__ volatile("tlbi alle1" : : : "memory");
	dsb(nsh);
	isb();
}

/* EL1 as a CPU comes out of reset, as far as it matters before the host has set it up. */
static void init_el1(void)
{
	sysreg_write(sctlr_el1, SCTLR_EL1_RESET);
	sysreg_write(cpacr_el1, 0);
	sysreg_write(cntkctl_el1, 0);
	sysreg_write(cntv_ctl_el0, 0);
	sysreg_write(cntp_ctl_el0, 0);
	sysreg_write(mdscr_el1, 0);
	sysreg_write(tpidr_el1, 0);
	sysreg_write(tcr_el1, 0);
}

void cpu_init_el2(struct cpu *cpu)
{
	cpu->running = NULL;
	cpu->pstate_mask = pstate_bits();
	init_identity();
	init_stage2(cpu);
	init_traps(cpu);
	forget_translations();
	cpu_init_fp(cpu);
	init_time();
	init_gic();
	init_debug();
	init_extensions();
	init_el1();
	isb();
}

void cpu_arrived(struct cpu *cpu)
{
	cpu->in_el2 = 1;
	cpu_init_el2(cpu);
	host_psci_arrive(cpu->index, &cpu->host,
			 cpu_fp_bytes() <= cpu->fp_area_bytes ? cpu_unfit()
							      : "vector registers differ");
}
