/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Trapped system registers of guests: one table of encodings for what is emulated, one of limits
 * for the ID registers. Everything else that traps is a feature the guest was not shown: undefined.
 */
#include <cv/guest_sysreg.h>

#include <cv/arch.h>
#include <cv/guest_inject.h>
#include <cv/vtimer.h>

/* ISS of a trapped MSR, MRS or system instruction (Arm ARM D19.2.40) */
#define ISS_IS_READ(iss) (((iss) & 1) != 0)
#define ISS_RT(iss) (((iss) >> 5) & 0x1f)
#define ISS_OP0(iss) (((iss) >> 20) & 3)
#define ISS_OP2(iss) (((iss) >> 17) & 7)
#define ISS_OP1(iss) (((iss) >> 14) & 7)
#define ISS_CRN(iss) (((iss) >> 10) & 0xf)
#define ISS_CRM(iss) (((iss) >> 1) & 0xf)

#define REG(op0, op1, crn, crm, op2) ((op0) << 14 | (op1) << 11 | (crn) << 7 | (crm) << 3 | (op2))
#define REG_OF(iss) REG(ISS_OP0(iss), ISS_OP1(iss), ISS_CRN(iss), ISS_CRM(iss), ISS_OP2(iss))
#define ANY_CRM (0xfu << 3)
#define ANY_OP2 7u

enum action {
	READ_CONSTANT, /* reads give `value`, writes are ignored */
	READ_ID,
	TIMER_COUNT,
	TIMER_ACCESS, /* value: enum vtimer_reg */
	SGI,	      /* value: the fields that the host is shown */
};

struct rule {
	u32 reg;
	u32 any; /* fields of `reg` that do not matter */
	enum action action;
	u64 value;
};

/* OSLSR_EL1: an OS lock is implemented (OSLM, bit 3) and not locked */
#define OSLSR_UNLOCKED 8
/* ICC_SRE_EL1: system registers only, no bypass */
#define ICC_SRE_FIXED 7

/* ICC_SGI1R_EL1: Aff3, RS, IRM, Aff2, INTID, Aff1, target list; the rest is the guest's own */
#define SGI1R_FIELDS 0x00fff1ff0fffffffull

static const struct rule rules[] = {
	{ REG(3, 0, 0, 0, 0), ANY_CRM | ANY_OP2, READ_ID, 0 },
	/* auxiliary control: nothing to control */
	{ REG(3, 0, 1, 0, 1), 0, READ_CONSTANT, 0 },
	/* physical counter (CNTPCT_EL0, CNTPCTSS_EL0) and timer */
	{ REG(3, 3, 14, 0, 1), 0, TIMER_COUNT, 0 },
	{ REG(3, 3, 14, 0, 5), 0, TIMER_COUNT, 0 },
	{ REG(3, 3, 14, 2, 0), 0, TIMER_ACCESS, VTIMER_TVAL },
	{ REG(3, 3, 14, 2, 1), 0, TIMER_ACCESS, VTIMER_CTL },
	{ REG(3, 3, 14, 2, 2), 0, TIMER_ACCESS, VTIMER_CVAL },
	/* ICC_SGI1R_EL1; ICC_ASGI1R_EL1 and ICC_SGI0R_EL1 ask for groups that guests do not have */
	{ REG(3, 0, 12, 11, 5), 0, SGI, SGI1R_FIELDS },
	{ REG(3, 0, 12, 11, 6), 0, READ_CONSTANT, 0 },
	{ REG(3, 0, 12, 11, 7), 0, READ_CONSTANT, 0 },
	{ REG(3, 0, 12, 12, 5), 0, READ_CONSTANT, ICC_SRE_FIXED },
	/* debug: breakpoints and watchpoints, MDSCR_EL1, DCC, locks, claim tags:
	 * they are there, and do nothing. */
	{ REG(2, 0, 0, 0, 4), ANY_CRM, READ_CONSTANT, 0 },
	{ REG(2, 0, 0, 0, 5), ANY_CRM, READ_CONSTANT, 0 },
	{ REG(2, 0, 0, 0, 6), ANY_CRM, READ_CONSTANT, 0 },
	{ REG(2, 0, 0, 0, 7), ANY_CRM, READ_CONSTANT, 0 },
	{ REG(2, 0, 0, 2, 0), 0, READ_CONSTANT, 0 }, /* MDCCINT_EL1 */
	{ REG(2, 0, 0, 2, 2), 0, READ_CONSTANT, 0 }, /* MDSCR_EL1 */
	{ REG(2, 0, 0, 0, 2), 0, READ_CONSTANT, 0 }, /* OSDTRRX_EL1 */
	{ REG(2, 0, 0, 3, 2), 0, READ_CONSTANT, 0 }, /* OSDTRTX_EL1 */
	{ REG(2, 0, 0, 6, 2), 0, READ_CONSTANT, 0 }, /* OSECCR_EL1 */
	{ REG(2, 0, 1, 0, 0), 0, READ_CONSTANT, 0 }, /* MDRAR_EL1 */
	{ REG(2, 0, 1, 0, 4), 0, READ_CONSTANT, 0 }, /* OSLAR_EL1 */
	{ REG(2, 0, 1, 1, 4), 0, READ_CONSTANT, OSLSR_UNLOCKED },
	{ REG(2, 0, 1, 3, 4), 0, READ_CONSTANT, 0 },  /* OSDLR_EL1 */
	{ REG(2, 0, 1, 4, 4), 0, READ_CONSTANT, 0 },  /* DBGPRCR_EL1 */
	{ REG(2, 0, 7, 8, 6), 0, READ_CONSTANT, 0 },  /* DBGCLAIMSET_EL1 */
	{ REG(2, 0, 7, 9, 6), 0, READ_CONSTANT, 0 },  /* DBGCLAIMCLR_EL1 */
	{ REG(2, 0, 7, 14, 6), 0, READ_CONSTANT, 0 }, /* DBGAUTHSTATUS_EL1 */
	{ REG(2, 3, 0, 1, 0), 0, READ_CONSTANT, 0 },  /* MDCCSR_EL0 */
	{ REG(2, 3, 0, 4, 0), 0, READ_CONSTANT, 0 },  /* DBGDTR_EL0 */
	{ REG(2, 3, 0, 5, 0), 0, READ_CONSTANT, 0 },  /* DBGDTRRX_EL0, DBGDTRTX_EL0 */
};

/* ---- ID registers ---- */

/*
 * A guest sees min(hardware, limit) of each 4-bit field, so 0xf passes a field through and 0 hides
 * it; registers that are not listed read as 0. In fields of `is_signed`, 0xf means "absent" and
 * stays. `set` is added: fields in which absence is not 0.
 */
struct id_rule {
	u8 crm, op2;
	u64 limit;
	u64 is_signed;
	u64 set;
};

static const struct id_rule id_rules[] = {
	/* AArch32 at EL0, only where the hardware has it. PFR0, PFR1: no RAS, AMU, EL2, EL3; DFR0:
	   no PMU, no trace. */
	{ 1, 0, 0x0f0fffff, 0, 0 },
	{ 1, 1, 0x100f0f0f, 0, 0 },
	{ 1, 2, 0x00000006, 0, 0 },
	{ 1, 4, 0xffffffff, 0, 0 },
	{ 1, 5, 0xffffffff, 0, 0 },
	{ 1, 6, 0xffffffff, 0, 0 },
	{ 1, 7, 0xffffffff, 0, 0 },
	{ 2, 0, 0xffffffff, 0, 0 },
	{ 2, 1, 0xffffffff, 0, 0 },
	{ 2, 2, 0xffffffff, 0, 0 },
	{ 2, 3, 0xffffffff, 0, 0 },
	{ 2, 4, 0xffffffff, 0, 0 },
	{ 2, 5, 0xffffffff, 0, 0 },
	{ 2, 6, 0x0ffff00f, 0, 0 },
	{ 2, 7, 0xffffffff, 0, 0 },
	{ 3, 0, 0xffffffff, 0, 0 },
	{ 3, 1, 0xffffffff, 0, 0 },
	{ 3, 2, 0xffffffff, 0, 0 },
	{ 3, 4, 0x000000ff, 0, 0 },
	{ 3, 6, 0x000000ff, 0, 0 },
	/* PFR0: CSV3, CSV2 (1: no SCXTNUM), DIT, GIC (1: no v4.1), AdvSIMD, FP, EL1 in AArch64
	 * only, EL0 as it is. Hidden: RME, AMU, MPAM, secure EL2, SVE, RAS, EL3, EL2. */
	{ 4, 0, 0xf10f000001ff0012, 0, 0 },
	/* PFR1: SSBS, BTI. Hidden: MTE, SME, NMI, GCS, RNDR_trap, CSV2_frac, THE, MPAM_frac,
	   RAS_frac. */
	{ 4, 1, 0x00000000000000ff, 0, 0 },
	/* DFR0: Armv8.0 debug with two breakpoints and watchpoints, the least there can be; no
	 * double lock (0xf). Hidden: PMU, trace, SPE, TRBE, BRBE. */
	{ 5, 0, 0x0000000000101006, 0, 0xfull << 36 },
	/* ISAR0: all but TME */
	{ 6, 0, 0xfffffffff0fffff0, 0, 0 },
	/* ISAR1: all but LS64, XS, pointer authentication; SPECRES at most 1 */
	{ 6, 1, 0x00fff1ff00fff00f, 0, 0 },
	/* ISAR2: CSSC, RPRFM, CLRBHB, BC, RPRES. Hidden: MOPS, WFxT, pointer authentication,
	   128-bit registers. */
	{ 6, 2, 0x00ff0000f0f000f0, 0, 0 },
	/* MMFR0: ExS, granules without 52-bit descriptors, big endian, ASID bits, 40-bit addresses
	 * (IPA_BITS). Hidden: ECV, FGT, stage-2 granules, SNSMem. */
	{ 7, 0, 0x0000f0000f1f0ff2, 0xff000000, 0 },
	/* MMFR1: ECBHB, nTLBPA, AFP, ETS, SpecSEI, PAN, HPDS, hardware access and dirty flags.
	 * Hidden: CMOW, TIDCP1, HCX, TWED, XNX, LOR, VH, VMID bits. */
	{ 7, 1, 0xf00ff0f00ff0f002, 0, 0 },
	/* MMFR2: E0PD, BBM, TTL, IDS, AT, ST, CCIDX, VARange at most 52 with 64 KiB, LSM, UAO, CnP.
	 * Hidden: EVT, FWB, NV, IESB. MMFR3 and MMFR4 (S1PIE, TCR2, SCTLR2, ...) are hidden whole.
	 */
	{ 7, 2, 0xf0ff001ff0f10fff, 0, 0 },
};

/* ID_AA64PFR0_EL1.EL0: 2 if EL0 can be AArch32 */
#define PFR0_EL0(pfr0) ((pfr0) & 0xf)
#define PFR0_EL0_HAS_32 2
#define ID_CRM_AA32_LAST 3
#define FIELD_BITS 4
#define FIELD_MASK 0xfull

static u64 limited_field(u64 hardware, u64 limit, bool is_signed)
{
	if (is_signed && hardware == FIELD_MASK) {
		return FIELD_MASK;
	}
	return min_u64(hardware, limit);
}

static u64 limited(const struct id_rule *rule, u64 hardware)
{
	u64 value = 0;

	for (u32 shift = 0; shift < 64; shift += FIELD_BITS) {
		const bool is_signed = ((rule->is_signed >> shift) & FIELD_MASK) != 0;

		value |= limited_field((hardware >> shift) & FIELD_MASK,
				       (rule->limit >> shift) & FIELD_MASK, is_signed)
			 << shift;
	}
	return value | rule->set;
}

u64 guest_sysreg_id(u32 crm, u32 op2, u64 hardware, u64 pfr0)
{
	if (crm <= ID_CRM_AA32_LAST && PFR0_EL0(pfr0) != PFR0_EL0_HAS_32) {
		return 0;
	}
	for (u32 i = 0; i < ARRAY_SIZE(id_rules); i++) {
		if (id_rules[i].crm == crm && id_rules[i].op2 == op2) {
			return limited(&id_rules[i], hardware);
		}
	}
	return 0;
}

#define ID_CRM_FIRST 1
#define ID_CRM_LAST 7
#define PFR0_CRM 4
#define PFR0_OP2 0

bool guest_sysreg_is_32_possible(void)
{
	return PFR0_EL0(arch_id_register(PFR0_CRM, PFR0_OP2)) == PFR0_EL0_HAS_32;
}

static u64 read_id(u64 iss)
{
	const u32 crm = (u32)ISS_CRM(iss);
	const u32 op2 = (u32)ISS_OP2(iss);

	return guest_sysreg_id(crm, op2, arch_id_register(crm, op2),
			       arch_id_register(PFR0_CRM, PFR0_OP2));
}

/* ---- dispatch ---- */

static const struct rule *rule_of(u64 iss)
{
	const u32 reg = (u32)REG_OF(iss);

	for (u32 i = 0; i < ARRAY_SIZE(rules); i++) {
		if ((reg & ~rules[i].any) == rules[i].reg) {
			return &rules[i];
		}
	}
	return NULL;
}

/* What the architecture lets nobody read or write stays undefined here too; the table holds no
 * other exceptions. */
static bool is_allowed(const struct rule *rule, u64 iss)
{
	switch (rule->action) {
	case READ_ID:
		return ISS_IS_READ(iss) && ISS_CRM(iss) >= ID_CRM_FIRST &&
		       ISS_CRM(iss) <= ID_CRM_LAST;
	case TIMER_COUNT:
		return ISS_IS_READ(iss);
	case SGI:
		return !ISS_IS_READ(iss);
	default:
		return true;
	}
}

static u64 read_value(const struct vcpu *vcpu, const struct rule *rule, u64 iss)
{
	switch (rule->action) {
	case READ_ID:
		return read_id(iss);
	case TIMER_COUNT:
		return vtimer_now(vcpu->vm);
	case TIMER_ACCESS:
		return vtimer_read_phys(vcpu, (enum vtimer_reg)rule->value);
	default:
		return rule->value;
	}
}

/* True: the guest goes on. */
static bool write_value(struct vcpu *vcpu, const struct rule *rule, u64 value, struct run_exit *out)
{
	switch (rule->action) {
	case TIMER_ACCESS:
		/* The host learns the new deadline in the record, so that it can wake or interrupt
		 * the vCPU in time. */
		vtimer_write_phys(vcpu, (enum vtimer_reg)rule->value, value);
		out->reason = RV_EXIT_IRQ;
		return false;
	case SGI:
		out->reason = RV_EXIT_SGI;
		out->data = value & rule->value;
		return false;
	default:
		return true;
	}
}

bool guest_sysreg_handle(struct vcpu *vcpu, struct run_exit *out)
{
	const u64 iss = vcpu->exit.esr & 0x1ffffff;
	const u32 rt = (u32)ISS_RT(iss);
	const struct rule *rule = rule_of(iss);
	bool goes_on = true;

	if (rule == NULL || !is_allowed(rule, iss)) {
		guest_inject_undef(vcpu);
		return true;
	}
	if (!ISS_IS_READ(iss)) {
		goes_on = write_value(vcpu, rule, vcpu_get_x(vcpu, rt), out);
	} else if (rt < 31) {
		vcpu->ctx.x[rt] = read_value(vcpu, rule, iss);
	}
	guest_skip(vcpu);
	return goes_on;
}
