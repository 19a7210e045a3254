/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The corevisor's random numbers: HMAC-DRBG with SHA-256 (BearSSL; NIST SP 800-90A 10.1.2), seeded
 * at boot from RNDR, else from the device tree's rng-seed, and from both where both are there.
 */
#ifndef CV_RNG_H
#define CV_RNG_H

#include <cv/types.h>

/* A device-tree seed shorter than this is no entropy source. */
#define RNG_SEED_BYTES_MIN 32

/* Boot: `seed` may be empty. */
void rng_init(const u8 *seed, u64 seed_bytes);
/* True once the generator has been seeded from an entropy source: without one there are no
 * protected VMs. */
bool rng_is_ready(void);
/* The machine ends: the generator's state goes. */
void rng_forget(void);
/* Fills `out`; false, and zeroes, if there is no source. At most 256 bytes. */
bool rng_bytes(void *out, u64 bytes);

#endif
