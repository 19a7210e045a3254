/* SPDX-License-Identifier: BSD-3-Clause */
/* Executes system instructions by encoding, in code that is written for it. */
#ifndef TEST_GUEST_ENCODINGS_H
#define TEST_GUEST_ENCODINGS_H

#include "env.h"

#define ENCODINGS_PER_OP1 (16 * 16 * 8) /* CRn, CRm, op2 */

struct encoding {
	bool is_read; /* MRS or SYSL, else MSR or SYS */
	u32 op0, op1, crn, crm, op2;
};

/* `rest` counts through CRn, CRm, op2. */
struct encoding encoding_make(bool is_read, u32 op0, u32 op1, u32 rest);
/* Executes it with x0 = `value`; *fault gets the exceptions it took; returns x0. */
u64 encoding_try(struct encoding encoding, u64 value, struct fault *fault);

#endif
