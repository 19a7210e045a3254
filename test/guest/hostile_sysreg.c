/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Every system register and system instruction of EL2 and EL3, by encoding: op0 1-3, op1 4-6, any CRn, CRm, op2, read and
 * written. All must be undefined at EL1, whatever they are and whatever the CPU has.
 */
#include "env.h"

#include <ravelin/abi.h>

const char image_name[] = "sysreg";

static u32 code[2] __attribute__((aligned(64))) = { 0, 0xd65f03c0 /* ret */ };

static void write_code(u32 instruction)
{
	code[0] = instruction;
	__asm__ volatile("dc cvau, %0; dsb ish; ic ivau, %0; dsb ish; isb" : : "r"(code) : "memory");
}

/* MSR, MRS, SYS or SYSL with x0 (C5.1.2: 1101010100 L op0 op1 CRn CRm op2 Rt) */
static u32 encode(u32 is_read, u32 op0, u32 op1, u32 crn, u32 crm, u32 op2)
{
	return 0xd5000000 | is_read << 21 | op0 << 19 | op1 << 16 | crn << 12 | crm << 8 | op2 << 5;
}

static void check(u32 is_read, u32 op0, u32 op1, u32 rest)
{
	u32 instruction = encode(is_read, op0, op1, rest >> 7, rest >> 3 & 15, rest & 7);
	struct fault fault;

	write_code(instruction);
	faults_expect();
	((u64 (*)(u64))code)(~0ul);
	fault = faults_taken();
	if (fault.count != 1 || ESR_EC(fault.esr) != EC_UNKNOWN) {
		fail("%s S%u_%u_C%u_C%u_%u: %lu exceptions, esr %#lx", is_read ? "read of" : "write to", op0, op1, rest >> 7,
		     rest >> 3 & 15, rest & 7, fault.count, fault.esr);
	}
}

_Noreturn void image_main(void)
{
	u32 op0, op1, rest, count = 0;

	ready();
	for (op0 = 1; op0 <= 3; op0++) {
		for (op1 = 4; op1 <= 6; op1++) {
			for (rest = 0; rest < 16 * 16 * 8; rest++, count += 2) {
				check(1, op0, op1, rest);
				check(0, op0, op1, rest);
			}
		}
	}
	if (hvc(RV_VERSION, 0, 0, 0) != RV_OK) {
		fail("the corevisor does not answer any more");
	}
	print("%u accesses\n", count);
	pass();
}
