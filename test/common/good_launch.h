/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * For tests in which VMs must start again and again: nobody guesses signatures, so here
 * crypto_verify() is a double (-Wl,--wrap=crypto_verify) that takes the one signature "good". The
 * rest of the check is the real one.
 */
#ifndef TEST_GOOD_LAUNCH_H
#define TEST_GOOD_LAUNCH_H

#include <cv/image.h>
#include <cv/types.h>

/* The owner of such VMs, as RV_VM_CREATE wants it: the hash of a key of zeros. */
void good_owner(u64 words[4]);
/* What an owner of exactly these images would sign: it starts with the first one. Bit i of
 * `parameters`: image i is the host's affair. */
void good_launch_make(struct rv_launch *launch, const struct images *images, u64 parameters,
		      bool may_be_saved);

#endif
