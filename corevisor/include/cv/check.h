/* SPDX-License-Identifier: BSD-3-Clause */
/* CV_CHECK: the corevisor's own invariants, always compiled in. Never for what host, guest, device
 * or timing can cause. */
#ifndef CV_CHECK_H
#define CV_CHECK_H

_Noreturn void panic_check(const char *what, const char *file, int line);
/* Parks this CPU for good once a panic has begun anywhere, else does nothing. For every loop that
 * waits for another CPU. */
void panic_poll(void);

#define CV_CHECK(cond)                                          \
	do {                                                    \
		if (__builtin_expect(!(cond), 0)) {             \
			panic_check(#cond, __FILE__, __LINE__); \
		}                                               \
	} while (0)

#endif
