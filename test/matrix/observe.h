/* SPDX-License-Identifier: BSD-3-Clause */
/* From the real core's state to the specification's, and the two side by side. */
#ifndef OBSERVE_H
#define OBSERVE_H

#include "../../arch-fake/fake.h"
#include "../../spec/invariants.h"
#include "../../spec/spec.h"

/* The machine of the matrix and the walk: one bank of blocks, one that is aligned to nothing. */
extern const struct fake_machine observe_machine;
/* Boots a machine and makes `state` what it is. */
void observe_boot(struct spec_state *state, const struct fake_machine *machine);
/* Reads the core's state. `like` tells what cannot be seen: handles to look for, entropy,
 * generation. */
void observe(struct spec_state *state, const struct spec_state *like);
/* The invariants of the state as it is, and TLBs: for whoever does not know what to expect. */
void observe_alone(const struct spec_state *like, const char *what);
/* Fails the test if core and specification differ, an invariant is broken, a TLB is stale or a lock
 * is held. */
void observe_check(const struct spec_state *expected, bool with_content, const char *what);

#endif
