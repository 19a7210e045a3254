/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What every proof uses. A claim must hold in every case that the assumptions leave; a goal must be
 * reached by one of them, or test/proof/run fails the harness: it shows that the assumptions are
 * not too strong.
 */
#ifndef PROOF_H
#define PROOF_H

#include <cv/check.h>
#include <cv/types.h>

u64 nondet_u64(void);
u32 nondet_u32(void);
u8 nondet_u8(void);
bool nondet_bool(void);

#define assume(x) __CPROVER_assume(x)
#define claim(x, what) __CPROVER_assert(x, what)
#define reach(x, what) __CPROVER_assert(!(x), "reach: " what)

/* A number below `limit`. */
static inline u64 any_below(u64 limit)
{
	u64 value = nondet_u64();

	assume(value < limit);
	return value;
}

/* What must hold for a CV_CHECK to fail: nothing makes it, but where other proofs say so. */
#ifndef CHECK_MAY_FAIL
#define CHECK_MAY_FAIL false
#endif

_Noreturn void panic_check(const char *what, const char *file, int line)
{
	(void)what;
	(void)file;
	(void)line;
	claim(CHECK_MAY_FAIL, "CV_CHECK");
	assume(false);
	while (true) {
	}
}

#endif
