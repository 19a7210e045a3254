/* SPDX-License-Identifier: BSD-3-Clause */
/* The TRNG firmware interface (Arm DEN0098), for the host and for guests. */
#ifndef CV_TRNG_H
#define CV_TRNG_H

#include <cv/types.h>

/* If x[0] is a TRNG call: true, and x[0]..x[3] are the result. */
bool trng_call(u64 *x);

#endif
