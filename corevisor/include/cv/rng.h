/* SPDX-License-Identifier: BSD-3-Clause */
/* The corevisor's random numbers. */
#ifndef CV_RNG_H
#define CV_RNG_H

#include <cv/types.h>

/* True once the generator has been seeded from an entropy source: without one there are no protected VMs. */
bool rng_is_ready(void);

#endif
