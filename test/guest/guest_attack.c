/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A VM that tries what a VM could: every system register encoding, accesses to devices that no
 * syndrome describes, random calls, illegal exception returns, PSCI with nonsense. It must get
 * exceptions and refusals, and live to say so.
 */
#include "access.h"
#include "encodings.h"

const char image_name[] = "attack";

#define NO_RAM 0x80000000ul /* mapped as normal memory here, but no RAM of this VM's */
#define DEVICE 0x0a000000ul
#define CALLS 5000
#define FSC_EXTERNAL 0x10
#define FSC_WALK_MASK 0x3c
#define FSC_WALK_EXTERNAL 0x14

/* ---- system registers ---- */

static void check_el2_encodings(void)
{
	struct fault fault;
	u32 op0, op1, rest;

	for (op0 = 1; op0 <= 3; op0++) {
		for (op1 = 4; op1 <= 6; op1++) {
			for (rest = 0; rest < 2 * ENCODINGS_PER_OP1; rest++) {
				struct encoding e = encoding_make(rest & 1, op0, op1, rest >> 1);

				encoding_try(e, ~0ul, &fault);
				if (fault.count != 1 || ESR_EC(fault.esr) != EC_UNKNOWN) {
					fail("S%u_%u_C%u_C%u_%u: %lu exceptions, esr %#lx", e.op0,
					     e.op1, e.crn, e.crm, e.op2, fault.count, fault.esr);
				}
			}
		}
	}
}

/* With FEAT_IDST what is undefined among the ID registers is reported as a trapped one. */
static bool is_undefined(const struct encoding *e, u64 esr)
{
	return ESR_EC(esr) == EC_UNKNOWN || (ESR_EC(esr) == EC_SYSREG && e->crn == 0);
}

/* All that EL1 and EL0 may read: a value or an undefined instruction, nothing else. */
static void check_reads(void)
{
	static const u32 op1s[] = { 0, 1, 2, 3, 7 };
	struct fault fault;
	u32 op0, i, rest, values = 0;

	/* FP, SVE and SME: what traps now does not do so on our own wish. */
	write_sysreg(cpacr_el1, 3 << 16 | 3 << 20 | 3 << 24);
	isb();
	for (op0 = 2; op0 <= 3; op0++) {
		for (i = 0; i < ARRAY_SIZE(op1s); i++) {
			for (rest = 0; rest < ENCODINGS_PER_OP1; rest++) {
				struct encoding e = encoding_make(true, op0, op1s[i], rest);

				encoding_try(e, 0, &fault);
				if (fault.count > 1 ||
				    (fault.count == 1 && !is_undefined(&e, fault.esr))) {
					fail("read of S%u_%u_C%u_C%u_%u: %lu exceptions, esr %#lx",
					     e.op0, e.op1, e.crn, e.crm, e.op2, fault.count,
					     fault.esr);
				}
				values += fault.count == 0;
			}
		}
	}
	if (values < 50) {
		fail("only %u system registers can be read", values);
	}
}

/*
 * Features that a VM is not shown, by ID register field; each must read 0 (or 0xf: absent, for the
 * PMU).
 */
static void check_id_registers(void)
{
	u64 pfr0 = read_sysreg(id_aa64pfr0_el1), pfr1 = read_sysreg(id_aa64pfr1_el1);
	u64 dfr0 = read_sysreg(id_aa64dfr0_el1);

	if (pfr0 >> 32 & 0xf || pfr0 >> 8 & 0xf || pfr0 >> 40 & 0xf || pfr0 >> 44 & 0xf) {
		fail("ID_AA64PFR0_EL1 shows SVE, EL2, MPAM or AMU: %#lx", pfr0);
	}
	if (pfr1 >> 8 & 0xf || pfr1 >> 24 & 0xf) {
		fail("ID_AA64PFR1_EL1 shows MTE or SME: %#lx", pfr1);
	}
	if (dfr0 >> 8 & 0xf || dfr0 >> 4 & 0xf || dfr0 >> 32 & 0xf || dfr0 >> 44 & 0xf ||
	    dfr0 >> 52 & 0xf) {
		fail("ID_AA64DFR0_EL1 shows a PMU, trace, SPE, TRBE or BRBE: %#lx", dfr0);
	}
}

/* ---- accesses ---- */

static void must_abort(const char *what, u64 (*access)(u64, u64), u64 address, u64 ec)
{
	struct fault fault;

	faults_expect();
	access(address, 0);
	fault = faults_taken();
	if (fault.count == 0 || ESR_EC(fault.esr) != ec) {
		fail("%s at %#lx: %lu faults, esr %#lx", what, address, fault.count, fault.esr);
	}
	if (ESR_FSC(fault.esr) != FSC_EXTERNAL &&
	    (ESR_FSC(fault.esr) & FSC_WALK_MASK) != FSC_WALK_EXTERNAL) {
		fail("%s at %#lx: esr %#lx, not an external abort", what, address, fault.esr);
	}
}

static void check_device_accesses(void)
{
	must_abort("load pair", access_load_pair, NO_RAM, EC_DABT_EL1);
	must_abort("store pair", access_store_pair, NO_RAM, EC_DABT_EL1);
	must_abort("load vector", access_load_vector, NO_RAM, EC_DABT_EL1);
	must_abort("store vector", access_store_vector, NO_RAM, EC_DABT_EL1);
	must_abort("DC ZVA", access_zero_block, NO_RAM, EC_DABT_EL1);
	must_abort("unaligned load", access_load, NO_RAM + 1, EC_DABT_EL1);
	must_abort("unaligned store", access_store, NO_RAM + 0xffc, EC_DABT_EL1);
	must_abort("load pair from the device", access_load_pair, DEVICE, EC_DABT_EL1);
	must_abort("instruction fetch", access_fetch, NO_RAM, EC_IABT_EL1);
	must_abort("load far out", access_load_pair, 0x3fc0000000ul, EC_DABT_EL1);
}

/* A translation table where no RAM is. */
static void check_walk(void)
{
	env_tables[511] = NO_RAM | 3;
	tlb_flush();
	must_abort("load through a table", access_load, 511ul << 30, EC_DABT_EL1);
	must_abort("fetch through a table", access_fetch, 511ul << 30, EC_IABT_EL1);
	env_tables[511] = 0;
	tlb_flush();
}

/*
 * To EL2, EL3, or a mode that is none: the CPU stays at EL1 and takes an illegal state exception
 * (EC 0x0e).
 */
static void check_illegal_returns(void)
{
	static const u64 pstates[] = { 0x3c9, 0x3c8, 0x3cd, 0x3cc, 0x3c1, 0x3c2, 0x3da };
	struct fault fault;
	u32 i;

	for (i = 0; i < ARRAY_SIZE(pstates); i++) {
		faults_expect();
		__asm__ volatile("adr x9, 1f; msr elr_el1, x9; msr spsr_el1, %0; eret; 1: nop"
				 :
				 : "r"(pstates[i])
				 : "x9", "memory");
		fault = faults_taken();
		if (fault.count != 1 || ESR_EC(fault.esr) != 0x0e ||
		    (read_sysreg(CurrentEL) >> 2) != 1) {
			fail("return to %#lx: %lu exceptions, esr %#lx", pstates[i], fault.count,
			     fault.esr);
		}
	}
}

/* ---- calls ---- */

static bool is_power_call(u64 id)
{
	u32 function = (u32)id & ~(1u << 30);

	return function >= 0x84000000 && function <= 0x8400001f && function != 0x84000000 &&
	       function != 0x8400000a;
}

#define RSI_IPA_STATE_SET 0xc4000197ul
#define RSI_REALM_CONFIG 0xc4000196ul

/* Addresses for RSI calls: the end of RAM, which nothing uses, its edges, and nonsense. */
static u64 pick_address(void)
{
	u64 end = machine.ram[0].base + machine.ram[0].bytes;
	u64 choices[] = { end - 0x200000,
			  end - 0x100000,
			  end - 0x1000,
			  end,
			  end + 0x1000,
			  0,
			  0x1000,
			  0x800,
			  NO_RAM,
			  1ul << 40,
			  (1ul << 40) - 0x1000,
			  ~0ul,
			  ~0xffful,
			  1ul << 63,
			  end - 0x100001 };

	return choices[random_u64() % ARRAY_SIZE(choices)];
}

static void one_call(void)
{
	struct smccc regs = { { 0 } };
	u64 id = random_u64();
	struct fault fault;
	u32 i;

	switch (id % 4) {
	case 0:
		regs.x[0] = 0xc4000190 + (id >> 8) % 16; /* RSI */
		break;
	case 1:
		regs.x[0] = 0xc6000100 + (id >> 8) % 0x40; /* the host's calls are not a guest's */
		break;
	default: regs.x[0] = (id >> 8 & 0xc700ffff) | 0x80000000; break;
	}
	if (is_power_call(regs.x[0])) {
		return;
	}
	for (i = 1; i < 18; i++) {
		regs.x[i] = random_u64() & 1 ? pick_address() : random_u64() % 4;
	}
	if (regs.x[0] == RSI_IPA_STATE_SET &&
	    regs.x[1] < machine.ram[0].base + machine.ram[0].bytes - 0x200000) {
		regs.x[1] = pick_address() | 1; /* never our own image */
	}
	faults_expect();
	if (id >> 40 & 1) {
		smccc_smc(&regs);
	} else {
		smccc_hvc(&regs);
	}
	fault = faults_taken();
	if (fault.count) {
		fail("a call took an exception, esr %#lx", fault.esr);
	}
}

static void check_host_calls_are_unknown(void)
{
	u64 id;

	for (id = 0xc6000100; id < 0xc6000140; id++) {
		if ((int32_t)hvc(id, 0x40000, 0x40000, 0) != -1) {
			fail("the host's call %#lx is answered", id);
		}
	}
}

static void check_psci(void)
{
	static const u64 targets[] = { 0x80, 0xff, 0xff00, 1ul << 31, 1ul << 40, ~0ul };
	u32 i;

	for (i = 0; i < ARRAY_SIZE(targets); i++) {
		if ((s64)psci(PSCI_CPU_ON, targets[i], machine.image.base, 0) !=
		    PSCI_INVALID_PARAMETERS) {
			fail("CPU_ON of %#lx was not refused", targets[i]);
		}
	}
	if ((s64)psci(PSCI_CPU_ON, cpu_mpidr(0), machine.image.base, 0) != PSCI_ALREADY_ON) {
		fail("CPU_ON of this CPU was not refused");
	}
	if ((s64)psci(PSCI_SYSTEM_SUSPEND, machine.image.base, 0, 0) >= 0) {
		fail("SYSTEM_SUSPEND was done");
	}
}

/*
 * The vectors are no RAM: every exception faults in its first fetch, for ever. The host must get
 * its CPU back.
 */
static _Noreturn void spin_in_vectors(void)
{
	print("SPINNING\n");
	write_sysreg(vbar_el1, NO_RAM);
	isb();
	__asm__ volatile("brk #0");
	__builtin_unreachable();
}

_Noreturn void image_main(void)
{
	u32 i;

	ready();
	if (has_bootarg("spin")) {
		spin_in_vectors();
	}
	check_host_calls_are_unknown();
	check_psci();
	check_id_registers();
	check_device_accesses();
	check_walk();
	check_illegal_returns();
	check_reads();
	check_el2_encodings();
	for (i = 0; i < CALLS; i++) {
		one_call();
	}
	pass();
}
