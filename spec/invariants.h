/* SPDX-License-Identifier: BSD-3-Clause */
/* What holds between any two calls, by name. Seed: shared_inv (reference 12.1), 19.11. */
#ifndef SPEC_INVARIANTS_H
#define SPEC_INVARIANTS_H

#include "spec.h"

/* NULL if all hold, else the name of one that does not, and the page number (or VM owner) it fails
 * for. */
const char *inv_broken(struct spec_state *state, u64 *where);
/* NULL if the states are equal, else the name of a field that differs, and where. */
const char *spec_differs(const struct spec_state *a, const struct spec_state *b, u64 *where);

#endif
