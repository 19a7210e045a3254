/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Panic: for the corevisor's own broken invariants, never for what host, guest, device or timing
 * can cause. It never returns: one line says what, who and where; then nobody can touch memory any
 * more and every CPU parks (design.md 2).
 */
#ifndef CV_PANIC_H
#define CV_PANIC_H

#include <cv/check.h>
#include <cv/types.h>

/* An exception taken from EL2 itself. */
struct panic_exception {
	const char *kind; /* "synchronous exception", ... */
	const char *what; /* the syndrome in words */
	u64 esr;
	u64 far;
	u64 elr;
	u64 image; /* where the image starts, so that elr can be looked up in corevisor.elf */
};
_Noreturn void panic_report(const struct panic_exception *exception);
/* From now on a panic can and must take memory away from all. */
void panic_arm(void);
bool panic_has_begun(void);

#endif
