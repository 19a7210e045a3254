/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the corevisor's own manifest.c and crypto.c, which are part of this program, ask of their
 * surroundings: a process has its vector registers for itself.
 */
#include <cv/arch_host.h>
#include <cv/check.h>

#include <stdio.h>
#include <stdlib.h>

void arch_fp_begin(void)
{
}

void arch_fp_end(void)
{
}

_Noreturn void panic_check(const char *what, const char *file, int line)
{
	fprintf(stderr, "ravelin: %s:%d: not true: %s\n", file, line, what);
	abort();
}
