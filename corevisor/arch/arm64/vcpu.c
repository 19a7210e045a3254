/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * World switch: everything that EL1 and EL0 can reach is the host's or the guest's, never both;
 * docs/el1-state.md has the table. Stage-1 walks are off (TCR_EL1.EPD0, EPD1, with SCTLR_EL1.M set
 * so that they count) from the first register of the other world to the last: Cortex-A57 1319537
 * and Neoverse N1 1165522 walk speculatively with whatever is there.
 */
#include <arm64/cpu.h>
#include <arm64/fp.h>
#include <arm64/switch.h>
#include <arm64/sysreg.h>
#include <cv/arch.h>
#include <cv/exception.h>
#include <cv/info.h>
#include <cv/vcpu.h>

/* HCR_EL2 for VMs. No API, APK, ATA, EnSCXT, FIEN: what the ID registers hide is trapped. */
#define HCR_GUEST                                                                              \
	(HCR_COMMON | HCR_IMO | HCR_FMO | HCR_AMO | HCR_FB | HCR_BSU_IS | HCR_TWI | HCR_TID3 | \
	 HCR_TLOR | HCR_TERR | HCR_TID5)
/* Bits that older CPUs do not have are RES0 there. */
#define MDCR_GUEST_TRAPS (MDCR_TDA | MDCR_TDOSA | MDCR_TDRA)
#define CPTR_GUEST (CPTR_RES1_BASE | CPTR_TZ | CPTR_TSM | CPTR_TTA | CPTR_TAM)
/* MPAM2_EL2.TRAPMPAM0EL1, TRAPMPAM1EL1 */
#define MPAM2_GUEST (3ull << 48)

#define SYS_TRFCR_EL1 S3_0_C1_C2_1
#define SYS_PMSCR_EL1 S3_0_C9_C9_0
#define SYS_BRBCR_EL1 S2_1_C9_C0_0
#define PMCR_E 1ull
#define PAR_F 1ull
/* MIDR_EL1: implementer, part number */
#define MIDR_PART_MASK 0xff00fff0ull
#define MIDR_CORTEX_A57 0x4100d070ull
#define SVCR_SM 1ull
#define ISR_I (1ull << 7)
#define ISR_F (1ull << 6)

/* EL2 registers that say what traps and exist with an extension only. For a guest all are 0: FGT's
 * n bits trap then. */
#define FGT1_REGISTERS(X) \
	X(SYS_HFGRTR_EL2) X(SYS_HFGWTR_EL2) X(SYS_HFGITR_EL2) X(SYS_HDFGRTR_EL2) X(SYS_HDFGWTR_EL2)
#define FGT2_REGISTERS(X)  \
	X(SYS_HFGRTR2_EL2) \
	X(SYS_HFGWTR2_EL2) X(SYS_HFGITR2_EL2) X(SYS_HDFGRTR2_EL2) X(SYS_HDFGWTR2_EL2)

/* What this CPU has, as far as switching depends on it. */
struct traits {
	bool is_known;
	bool pmu, spe, trf, brbe, hcx, fgt1, fgt2, mpam, ras;
};

/* The host's EL1 world while a guest has this CPU. */
struct host_world {
	struct traits has;
	bool fp_is_guest; /* the vector registers are the guest's, the host's wait in `simd` or
			     cpu->fp_host */
	u64 sysreg[CTX_SYSREG_COUNT];
	struct timer_host timer;
	u64 pmcr, pmscr, trfcr, brbcr;
	u64 hcrx, mpam2;
	u64 fgt[10];
	u64 fpsr, fpcr;
	_Alignas(16) u8 simd[FP_V_BYTES];
};

static struct host_world host_worlds[CPU_MAX];

static bool has_field(u64 id_register, u32 shift)
{
	return ID_FIELD(id_register, shift) != 0;
}

static void find_traits(struct traits *has)
{
	const u64 dfr0 = sysreg_read(SYS_ID_AA64DFR0_EL1);
	const u64 pfr0 = sysreg_read(SYS_ID_AA64PFR0_EL1);
	const u64 fgt = ID_FIELD(sysreg_read(SYS_ID_AA64MMFR0_EL1), 56);

	has->pmu = has_field(dfr0, 8) && ID_FIELD(dfr0, 8) != 0xf;
	has->spe = has_field(dfr0, 32);
	has->trf = has_field(dfr0, 40);
	has->brbe = has_field(dfr0, 52);
	has->hcx = has_field(sysreg_read(SYS_ID_AA64MMFR1_EL1), 40);
	has->fgt1 = fgt >= 1;
	has->fgt2 = fgt >= 2;
	has->mpam = has_field(pfr0, 40) || has_field(sysreg_read(SYS_ID_AA64PFR1_EL1), 16);
	has->ras = has_field(pfr0, 28);
	has->is_known = true;
}

/* ---- EL1's registers ---- */

static void sysregs_save(u64 *sysreg)
{
#define X(name, reg, reset) sysreg[CTX_##name] = sysreg_read(reg);
	CONTEXT_SYSREGS(X)
#undef X
}

static void sysregs_load_plain(const u64 *sysreg)
{
#define X(name, reg, reset) sysreg_write(reg, sysreg[CTX_##name]);
	CONTEXT_SYSREGS_PLAIN(X)
#undef X
}

/* No stage-1 walks of EL1&0 from here on. Pre: TCR_EL1, SCTLR_EL1 are saved. */
static void walks_off(void)
{
	sysreg_write(tcr_el1, sysreg_read(tcr_el1) | TCR_EPD0 | TCR_EPD1);
	isb();
	sysreg_write(sctlr_el1, sysreg_read(sctlr_el1) | SCTLR_EL1_M);
	isb();
}

/* Pre: all else of the world is loaded. */
static void walks_on(const u64 *sysreg)
{
	isb();
	sysreg_write(sctlr_el1, sysreg[CTX_SCTLR_EL1]);
	isb();
	sysreg_write(tcr_el1, sysreg[CTX_TCR_EL1]);
	isb();
}

/* ---- what watches: counters, profiling, trace of the host must not see a guest ---- */

/* Not if EL3 keeps it for itself: touching it would trap there. */
static bool cpu_owns_spe(void)
{
	return (cpu_this()->mdcr_host & MDCR_E2PB_EL1) != 0;
}

static void watchers_stop(struct host_world *host)
{
	if (host->has.pmu) {
		host->pmcr = sysreg_read(pmcr_el0);
		sysreg_write(pmcr_el0, host->pmcr & ~PMCR_E);
	}
	if (cpu_owns_spe()) {
		host->pmscr = sysreg_read(SYS_PMSCR_EL1);
		sysreg_write(SYS_PMSCR_EL1, 0);
		isb();
		__asm__ volatile("hint #17"
				 :
				 :
				 : "memory"); /* PSB CSYNC: what was sampled is written */
		dsb(nsh);
	}
	if (host->has.trf) {
		host->trfcr = sysreg_read(SYS_TRFCR_EL1);
		sysreg_write(SYS_TRFCR_EL1, 0);
		isb();
		__asm__ volatile("hint #18"
				 :
				 :
				 : "memory"); /* TSB CSYNC: what was traced is written */
		dsb(nsh);
	}
	if (host->has.brbe) {
		host->brbcr = sysreg_read(SYS_BRBCR_EL1);
		sysreg_write(SYS_BRBCR_EL1, 0);
	}
}

static void watchers_resume(const struct host_world *host)
{
	if (host->has.pmu) {
		sysreg_write(pmcr_el0, host->pmcr);
	}
	if (cpu_owns_spe()) {
		sysreg_write(SYS_PMSCR_EL1, host->pmscr);
	}
	if (host->has.trf) {
		sysreg_write(SYS_TRFCR_EL1, host->trfcr);
	}
	if (host->has.brbe) {
		sysreg_write(SYS_BRBCR_EL1, host->brbcr);
	}
}

/* ---- traps ---- */

static u64 guest_mdcr(const struct cpu *cpu, const struct traits *has)
{
	u64 mdcr = (cpu->mdcr_host & ~(MDCR_E2PB_EL1 | MDCR_E2TB_EL1)) | MDCR_GUEST_TRAPS;

	mdcr |= has->pmu ? MDCR_TPM | MDCR_TPMCR : 0;
	mdcr |= has->spe ? MDCR_TPMS : 0;
	mdcr |= has->trf ? MDCR_TTRF : 0;
	mdcr |= has->fgt1 ? MDCR_TDCC : 0;
	return mdcr;
}

static void extension_traps_load(struct host_world *host)
{
	u32 n = 0;

	if (host->has.hcx) {
		host->hcrx = sysreg_read(SYS_HCRX_EL2);
		sysreg_write(SYS_HCRX_EL2, 0);
	}
#define X(reg)                             \
	host->fgt[n++] = sysreg_read(reg); \
	sysreg_write(reg, 0);
	if (host->has.fgt1) {
		FGT1_REGISTERS(X)
	}
	if (host->has.fgt2) {
		FGT2_REGISTERS(X)
	}
#undef X
	if (host->has.mpam) {
		host->mpam2 = sysreg_read(SYS_MPAM2_EL2);
		sysreg_write(SYS_MPAM2_EL2, host->mpam2 | MPAM2_GUEST);
	}
}

static void extension_traps_put(const struct host_world *host)
{
	u32 n = 0;

	if (host->has.hcx) {
		sysreg_write(SYS_HCRX_EL2, host->hcrx);
	}
#define X(reg) sysreg_write(reg, host->fgt[n++]);
	if (host->has.fgt1) {
		FGT1_REGISTERS(X)
	}
	if (host->has.fgt2) {
		FGT2_REGISTERS(X)
	}
#undef X
	if (host->has.mpam) {
		sysreg_write(SYS_MPAM2_EL2, host->mpam2);
	}
}

/* DISR_EL1 is VDISR_EL2 for a guest (HCR_EL2.AMO): one register for all of them, so it starts
 * empty. */
static void clear_deferred_error(const struct traits *has)
{
	if (has->ras) {
		sysreg_write(SYS_VDISR_EL2, 0);
	}
}

static void traps_load(const struct cpu *cpu, struct host_world *host)
{
	sysreg_write(hcr_el2, HCR_GUEST);
	sysreg_write(mdcr_el2, guest_mdcr(cpu, &host->has));
	sysreg_write(cptr_el2, CPTR_GUEST | CPTR_TFP);
	extension_traps_load(host);
	clear_deferred_error(&host->has);
}

static void traps_put(const struct cpu *cpu, struct host_world *host)
{
	sysreg_write(hcr_el2, cpu->hcr_host);
	sysreg_write(mdcr_el2, cpu->mdcr_host);
	sysreg_write(cptr_el2, cpu->cptr_host);
	extension_traps_put(host);
	clear_deferred_error(&host->has);
}

/* ---- vector registers, at the guest's first use in a run ---- */

/* Pre for these two: CPTR_EL2 and ZCR_EL2 are the host's, so all that the CPU has is accessible, at
 * its greatest length. The host is not in streaming mode (arch_vcpu_may_run). */
static void fp_save_host(const struct cpu *cpu, struct host_world *host)
{
	host->fpsr = sysreg_read(SYS_FPSR);
	host->fpcr = sysreg_read(SYS_FPCR);
	if (cpu->has_sve) {
		const u64 vector = sve_vector_bytes();
		u8 *p = cpu->fp_host + SVE_Z_COUNT * vector;

		sve_save(cpu->fp_host, p);
		sve_save_ffr(p + SVE_P_COUNT * SVE_P_BYTES(vector));
	} else {
		fp_save_v(host->simd);
	}
}

static void fp_load_host(const struct cpu *cpu, const struct host_world *host)
{
	if (cpu->has_sve) {
		const u64 vector = sve_vector_bytes();
		const u8 *p = cpu->fp_host + SVE_Z_COUNT * vector;

		sve_restore_ffr(p + SVE_P_COUNT * SVE_P_BYTES(vector));
		sve_restore(cpu->fp_host, p);
	} else {
		fp_restore_v(host->simd);
	}
	sysreg_write(SYS_FPSR, host->fpsr);
	sysreg_write(SYS_FPCR, host->fpcr);
}

/* The guest's V registers replace all of the host's Z: loading V clears the rest. P and FFR a guest
 * cannot reach. */
static void fp_take(const struct cpu *cpu, struct host_world *host, struct vcpu *vcpu)
{
	sysreg_write(cptr_el2, cpu->cptr_host);
	isb();
	fp_save_host(cpu, host);
	fp_restore_v(vcpu->ctx.v);
	sysreg_write(SYS_FPSR, vcpu->ctx.fpsr);
	sysreg_write(SYS_FPCR, vcpu->ctx.fpcr);
	sysreg_write(cptr_el2, CPTR_GUEST);
	isb();
	host->fp_is_guest = true;
}

/* Pre: CPTR_EL2 is the host's again. */
static void fp_give_back(const struct cpu *cpu, struct host_world *host, struct vcpu *vcpu)
{
	if (!host->fp_is_guest) {
		return;
	}
	fp_save_v(vcpu->ctx.v);
	vcpu->ctx.fpsr = sysreg_read(SYS_FPSR);
	vcpu->ctx.fpcr = sysreg_read(SYS_FPCR);
	fp_load_host(cpu, host);
	host->fp_is_guest = false;
}

/* ---- the switch ---- */

static void stage2_load(const struct cpu *cpu, struct vcpu *vcpu)
{
	struct vm *vm = vcpu->vm;
	const u8 self = (u8)(vcpu->index + 1);

	sysreg_write(vttbr_el2, vm->s2.root.v | (u64)vm->s2.vmid.v << VTTBR_VMID_SHIFT);
	sysreg_write(vmpidr_el2, vcpu->mpidr);
	isb();
	/* Two vCPUs share the VMID, but their ASIDs mean different things until a guest says
	 * otherwise. */
	if (vm->last_vcpu[cpu->index] != self) {
		__asm__ volatile("tlbi vmalle1" : : : "memory");
		dsb(nsh);
		isb();
		vm->last_vcpu[cpu->index] = self;
	}
}

void arch_vcpu_load(struct vcpu *vcpu)
{
	struct cpu *cpu = cpu_this();
	struct host_world *host = &host_worlds[cpu->index];

	if (!host->has.is_known) {
		find_traits(&host->has);
	}
	watchers_stop(host);
	sysregs_save(host->sysreg);
	walks_off();
	traps_load(cpu, host);
	stage2_load(cpu, vcpu);
	sysregs_load_plain(vcpu->ctx.sysreg);
	walks_on(vcpu->ctx.sysreg);
	gicv3_load(cpu, vcpu);
	timer_load(&host->timer, vcpu);
	isb();
}

void arch_vcpu_put(struct vcpu *vcpu)
{
	struct cpu *cpu = cpu_this();
	struct host_world *host = &host_worlds[cpu->index];

	timer_put(&host->timer, vcpu);
	gicv3_put(cpu, &vcpu->vgic);
	sysregs_save(vcpu->ctx.sysreg);
	walks_off();
	traps_put(cpu, host);
	sysreg_write(vttbr_el2, cpu->vttbr_host);
	sysreg_write(vmpidr_el2, sysreg_read(mpidr_el1));
	isb();
	fp_give_back(cpu, host, vcpu);
	sysregs_load_plain(host->sysreg);
	walks_on(host->sysreg);
	watchers_resume(host);
	isb();
}

/*
 * Cortex-A57 834220: with a stage-1 fault pending as well, the CPU may report a stage-2 fault with
 * a wrong IPA. What stage 1 says of the address decides: if it faults there, the access is repeated
 * and takes that fault.
 */
static bool is_bogus_stage2_fault(const struct vcpu_exit *exit)
{
	const u64 ec = ESR_EC(exit->esr);
	u64 saved;
	u64 result;

	if ((ec != EC_DABT_LOWER && ec != EC_IABT_LOWER) || (exit->esr & ESR_S1PTW) != 0 ||
	    (sysreg_read(midr_el1) & MIDR_PART_MASK) != MIDR_CORTEX_A57) {
		return false;
	}
	saved = sysreg_read(par_el1);
	__asm__ volatile("at s1e1r, %0" : : "r"(exit->far) : "memory");
	isb();
	result = sysreg_read(par_el1);
	sysreg_write(par_el1, saved);
	return (result & PAR_F) != 0;
}

enum arch_event arch_vcpu_enter(struct vcpu *vcpu)
{
	struct cpu *cpu = cpu_this();
	struct host_world *host = &host_worlds[cpu->index];

	for (;;) {
		const u64 event = switch_enter(vcpu, &vcpu->ctx, cpu);

		if (event == SWITCH_IRQ) {
			return ARCH_EVENT_IRQ;
		}
		if (event == SWITCH_SERROR) {
			return ARCH_EVENT_SERROR;
		}
		vcpu->exit.esr = sysreg_read(esr_el2);
		vcpu->exit.far = sysreg_read(far_el2);
		vcpu->exit.hpfar = sysreg_read(hpfar_el2);
		if (is_bogus_stage2_fault(&vcpu->exit)) {
			continue;
		}
		/* At most once a run: afterwards CPTR_EL2.TFP is clear. */
		if (ESR_EC(vcpu->exit.esr) != EC_FP || host->fp_is_guest) {
			return ARCH_EVENT_SYNC;
		}
		info_count(RV_CLASS_VM_FP);
		fp_take(cpu, host, vcpu);
	}
}

/* ---- facts ---- */

bool arch_vcpu_may_run(void)
{
	return !cpu_this()->has_sme || (sysreg_read(SYS_SVCR) & SVCR_SM) == 0;
}

bool arch_irq_is_pending(void)
{
	return (sysreg_read(isr_el1) & (ISR_I | ISR_F)) != 0;
}
