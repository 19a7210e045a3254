/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Every system register and system instruction of EL2 and EL3, by encoding: op0 1-3, op1 4-6, any
 * CRn, CRm, op2, read and written. All must be undefined at EL1, whatever they are and whatever the
 * CPU has.
 */
#include "encodings.h"

#include <ravelin/abi.h>

const char image_name[] = "sysreg";

static void check(struct encoding e)
{
	struct fault fault;

	encoding_try(e, ~0ul, &fault);
	if (fault.count != 1 || ESR_EC(fault.esr) != EC_UNKNOWN) {
		fail("%s S%u_%u_C%u_C%u_%u: %lu exceptions, esr %#lx",
		     e.is_read ? "read of" : "write to", e.op0, e.op1, e.crn, e.crm, e.op2,
		     fault.count, fault.esr);
	}
}

_Noreturn void image_main(void)
{
	u32 op0, op1, rest, count = 0;

	ready();
	for (op0 = 1; op0 <= 3; op0++) {
		for (op1 = 4; op1 <= 6; op1++) {
			for (rest = 0; rest < ENCODINGS_PER_OP1; rest++, count += 2) {
				check(encoding_make(true, op0, op1, rest));
				check(encoding_make(false, op0, op1, rest));
			}
		}
	}
	if (hvc(RV_VERSION, 0, 0, 0) != RV_OK) {
		fail("the corevisor does not answer any more");
	}
	print("%u accesses\n", count);
	pass();
}
