/* SPDX-License-Identifier: BSD-3-Clause */
/* Every register of EL1 by encoding: worlds.h. One patched instruction does all the accesses. */
#include "worlds.h"

#define REG(op0, op1, crn, crm, op2) \
	(((op0) - 2) << 13 | (op1) << 11 | (crn) << 7 | (crm) << 3 | (op2))
#define CRN(reg) ((reg) >> 7 & 15)
#define CRM(reg) ((reg) >> 3 & 15)

static u32 code[2] __attribute__((aligned(64))) = { 0, 0xd65f03c0 /* ret */ };

/* MRS or MSR with x0 */
static bool access(bool is_read, u32 reg, u64 *value)
{
	const u32 instruction = 0xd5000000 | (u32)is_read << 21 | ((reg >> 13) + 2) << 19 |
				(reg >> 11 & 3) << 16 | CRN(reg) << 12 | CRM(reg) << 8 |
				(reg & 7) << 5;

	code[0] = instruction;
	__asm__ volatile("dc cvau, %0; dsb ish; ic ivau, %0; dsb ish; isb"
			 :
			 : "r"(code)
			 : "memory");
	faults_expect();
	*value = ((u64 (*)(u64))code)(*value);
	isb();
	return faults_taken().count == 0;
}

/* What decides how this code itself runs, or acts instead of storing: only the bits in `may` get a
 * pattern. */
static const struct {
	u32 reg;
	u64 may;
} delicate[] = {
	/* SCTLR_EL1: UCI, nTWE, nTWI, UCT */
	{ REG(3, 0, 1, 0, 0), 1ul << 26 | 1ul << 18 | 1ul << 16 | 1ul << 15 },
	{ REG(3, 0, 1, 0, 2), 0x3ul << 16 | 1ul << 28 },   /* CPACR_EL1: ZEN, TTA */
	{ REG(3, 0, 1, 0, 3), 0 },			   /* SCTLR2_EL1 */
	{ REG(3, 0, 2, 0, 0), 0xfful << 48 },		   /* TTBR0_EL1: ASID */
	{ REG(3, 0, 2, 0, 2), 1ul << 37 | 1ul << 38 },	   /* TCR_EL1: TBI0, TBI1 */
	{ REG(3, 0, 2, 0, 3), 0 },			   /* TCR2_EL1 */
	{ REG(3, 0, 2, 5, 0), 0 },			   /* GCSCR_EL1 */
	{ REG(3, 0, 10, 2, 0), ~0xfffffful },		   /* MAIR_EL1: attributes 3 to 7 */
	{ REG(3, 0, 12, 0, 0), 0 },			   /* VBAR_EL1 */
	{ REG(3, 0, 13, 0, 4), 0 },			   /* TPIDR_EL1 */
	{ REG(2, 0, 0, 2, 2), ~(1ul | 1ul << 13 | 1ul << 15) }, /* MDSCR_EL1: not SS, KDE, MDE */
	{ REG(2, 0, 1, 0, 4), 0 },				/* OSLAR_EL1 */
	{ REG(2, 0, 1, 3, 4), 0 },				/* OSDLR_EL1 */
	{ REG(3, 3, 9, 12, 0), ~7ul },				/* PMCR_EL0: not E, P, C */
	{ REG(3, 3, 14, 2, 0), 0 },				/* CNTP_TVAL_EL0 */
	{ REG(3, 3, 14, 2, 1), 2 },				/* CNTP_CTL_EL0: IMASK */
	{ REG(3, 3, 14, 3, 0), 0 },				/* CNTV_TVAL_EL0 */
	{ REG(3, 3, 14, 3, 1), 2 },				/* CNTV_CTL_EL0: IMASK */
	/* PAR_EL1: F only, so that no RES1 bit differs */
	{ REG(3, 0, 7, 4, 0), 1 },
};

static u64 writable_bits(u32 reg)
{
	const u32 op0 = (reg >> 13) + 2, op1 = reg >> 11 & 3;
	u32 i;

	for (i = 0; i < ARRAY_SIZE(delicate); i++) {
		if (delicate[i].reg == reg) {
			return delicate[i].may;
		}
	}
	/* PSTATE by name */
	if (op0 == 3 && CRN(reg) == 4 && (CRM(reg) == 2 || CRM(reg) == 3)) {
		return 0;
	}
	/* breakpoints and watchpoints: not enabled */
	if (op0 == 2 && op1 == 0 && CRN(reg) == 0 && ((reg & 7) == 5 || (reg & 7) == 7)) {
		return ~1ul;
	}
	/* the GIC's registers that do something: EOIR, DIR, SGIR */
	if (op0 == 3 && op1 == 0 && CRN(reg) == 12 &&
	    (CRM(reg) == 8 || CRM(reg) == 11 || CRM(reg) == 12)) {
		return (CRM(reg) == 8 || CRM(reg) == 12) && (reg & 7) >= 3 ? ~0ul : 0;
	}
	/* profiling and trace buffers would write to memory */
	if (op0 == 3 && op1 == 0 && CRN(reg) == 9 &&
	    (CRM(reg) == 9 || CRM(reg) == 10 || CRM(reg) == 11)) {
		return 0;
	}
	return ~0ul;
}

/* Reading acknowledges an interrupt. */
static bool must_not_read(u32 reg)
{
	return reg == REG(3, 0, 12, 8, 0) || reg == REG(3, 0, 12, 12, 0);
}

/* Counts by itself, or is random. */
static bool is_volatile(u32 reg)
{
	static const u32 regs[] = {
		REG(3, 3, 14, 0, 1), REG(3, 3, 14, 0, 2), REG(3, 3, 14, 0, 5), REG(3, 3, 14, 0, 6),
		REG(3, 3, 14, 2, 0), REG(3, 3, 14, 3, 0), REG(3, 3, 2, 4, 0),  REG(3, 3, 2, 4, 1),
	};
	u32 i;

	for (i = 0; i < ARRAY_SIZE(regs); i++) {
		if (regs[i] == reg) {
			return true;
		}
	}
	return false;
}

static u64 pattern(u32 reg, u64 seed)
{
	u64 x = (reg + 1) * 0x9e3779b97f4a7c15ul;

	x ^= x >> 29;
	x *= 0xbf58476d1ce4e5b9ul;
	return seed & 1 ? ~(x ^ x >> 32) : x ^ x >> 32;
}

u32 world_write(u64 seed)
{
	u64 vector[WORLD_VECTORS];
	u32 reg, count = 0;

	for (reg = 0; reg < WORLD_REGS; reg++) {
		const u64 may = writable_bits(reg);
		u64 value = 0;

		if (may == 0 || must_not_read(reg)) {
			continue;
		}
		/* Registers that can only be written get the pattern alone. */
		if (!access(true, reg, &value)) {
			value = 0;
		}
		value = (value & ~may) | (pattern(reg, seed) & may);
		count += access(false, reg, &value);
	}
	for (reg = 0; reg < WORLD_VECTORS; reg++) {
		vector[reg] = pattern(reg + WORLD_REGS, seed);
	}
	/* CPACR_EL1.FPEN is not in `may`: access stays allowed. */
	vectors_load_v(vector);
	return count;
}

void world_read(struct world *world)
{
	u32 reg;

	world->syndrome[0] = read_sysreg(esr_el1);
	world->syndrome[1] = read_sysreg(far_el1);
	world->syndrome[2] = read_sysreg(elr_el1);
	world->syndrome[3] = read_sysreg(spsr_el1);
	world->syndrome[4] = read_sysreg(afsr0_el1);
	world->syndrome[5] = read_sysreg(afsr1_el1);
	vectors_store_v(world->vector);
	for (reg = 0; reg < WORLD_REGS; reg++) {
		u64 value = WORLD_UNDEFINED;

		if (is_volatile(reg) || must_not_read(reg) || !access(true, reg, &value)) {
			value = WORLD_UNDEFINED;
		}
		world->reg[reg] = value;
	}
}

#define SHOWN 8

static u32 compare(const char *what, const char *part, const u64 *a, const u64 *b, u32 count,
		   u32 shown)
{
	u32 i, differences = 0;

	for (i = 0; i < count; i++) {
		if (a[i] == b[i]) {
			continue;
		}
		if (differences++ + shown < SHOWN) {
			print("%s: %s %u (S%u_%u_C%u_C%u_%u): %#lx, %#lx\n", what, part, i,
			      (i >> 13) + 2, i >> 11 & 3, CRN(i), CRM(i), i & 7, a[i], b[i]);
		}
	}
	return differences;
}

u32 world_compare(const char *what, const struct world *a, const struct world *b)
{
	u32 n = compare(what, "register", a->reg, b->reg, WORLD_REGS, 0);

	n += compare(what, "vector", a->vector, b->vector, WORLD_VECTORS, n);
	return n + compare(what, "syndrome", a->syndrome, b->syndrome, WORLD_SYNDROMES, n);
}
