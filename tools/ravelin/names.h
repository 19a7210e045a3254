/* SPDX-License-Identifier: BSD-3-Clause */
/* The ABI's numbers in words. */
#ifndef RAVELIN_TOOL_NAMES_H
#define RAVELIN_TOOL_NAMES_H

#include <ravelin/abi.h>

extern const char *const page_state_names[RV_PAGES_STATES];
extern const char *const exit_class_names[RV_CLASS_COUNT];

/* The call's name, NULL for an id that is no call of ours. */
const char *call_name(__u64 id);
/* The status' name and meaning; "?" for a number that is none. */
const char *status_name(long long status);
const char *status_meaning(long long status);

#endif
