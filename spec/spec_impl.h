/* SPDX-License-Identifier: BSD-3-Clause */
/* Shared by the files of spec/. */
#ifndef SPEC_IMPL_H
#define SPEC_IMPL_H

#include "spec.h"

void spec_page_set(struct spec_state *state, u64 pfn, struct spec_page to);
struct spec_page spec_host_page(u64 token);
enum cv_status spec_page_check(struct spec_state *state, u64 pfn);
u64 spec_ram_end(const struct spec_vm *vm, u64 gfn);

#endif
