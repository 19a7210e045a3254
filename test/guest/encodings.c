/* SPDX-License-Identifier: BSD-3-Clause */
#include "encodings.h"

static u32 code[16] __attribute__((aligned(64)));

#define RET 0xd65f03c0

struct encoding encoding_make(bool is_read, u32 op0, u32 op1, u32 rest)
{
	return (struct encoding){ is_read, op0, op1, rest >> 7, rest >> 3 & 15, rest & 7 };
}

/* MSR, MRS, SYS or SYSL with x0 (Arm ARM C5.1.2: 1101010100 L op0 op1 CRn CRm op2 Rt) */
static u32 instruction_of(struct encoding e)
{
	return 0xd5000000 | (u32)e.is_read << 21 | e.op0 << 19 | e.op1 << 16 | e.crn << 12 |
	       e.crm << 8 | e.op2 << 5;
}

u64 encoding_try(struct encoding encoding, u64 value, struct fault *fault)
{
	code[0] = instruction_of(encoding);
	code[1] = RET;
	__asm__ volatile("dc cvau, %0; dsb ish; ic ivau, %0; dsb ish; isb"
			 :
			 : "r"(code)
			 : "memory");
	faults_expect();
	value = ((u64(*)(u64))code)(value);
	*fault = faults_taken();
	return value;
}
