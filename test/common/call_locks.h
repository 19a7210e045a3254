/* SPDX-License-Identifier: BSD-3-Clause */
/* What locks the calls of abi.h take: for tests that make calls over arch-fake. */
#ifndef CALL_LOCKS_H
#define CALL_LOCKS_H

#include <cv/types.h>

/* The call that has just ended: all that it took since fake_lock_log_begin() is documented, and a
 * success took all that each success takes. Else the test stops. Others than calls of abi.h pass.
 */
void call_locks_check(u64 call, s64 status);

/* Whether this thread has seen every call succeed and be refused, and take each of its locks; says
 * what is missing. */
bool call_locks_all_seen(void);

#endif
