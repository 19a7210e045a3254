/* SPDX-License-Identifier: BSD-3-Clause */
/* Shared by the files of spec/. */
#ifndef SPEC_IMPL_H
#define SPEC_IMPL_H

#include "spec.h"

void spec_page_set(struct spec_state *state, u64 pfn, struct spec_page to);
struct spec_page spec_host_page(u64 token);
enum cv_status spec_page_check(struct spec_state *state, u64 pfn);
/* All pages' first error; all or none. */
enum cv_status spec_pages_check(struct spec_state *state, const u64 *pfns, u32 count);
enum cv_status spec_donate_all(struct spec_state *state, const u64 *pfns, u32 count);
/* A VM's tables, as far as they can be missing. */
u32 spec_vm_tables_for(const struct spec_vm *vm, u64 gfn, u64 pages);
void spec_vm_tables_make(struct spec_vm *vm, u64 gfn, u64 pages);
bool spec_reclaim_io(struct spec_state *state, struct spec_vm *vm, u64 gfn);
bool spec_io_overlaps(const struct spec_state *state, const struct spec_vm *vm, u64 gfn, u64 pages);
u64 spec_ram_end(const struct spec_vm *vm, u64 gfn);
/* Where the next range after `gfn` begins, or GFN_LIMIT. */
u64 spec_ram_next(const struct spec_vm *vm, u64 gfn);
/* Pages that the leaf of an unbacked gfn covers. */
u64 spec_leaf_pages(const struct spec_vm *vm, u64 gfn);
/* Tables that an entry of so many pages needs, and takes. */
u32 spec_vm_tables_for(const struct spec_vm *vm, u64 gfn, u64 pages);
void spec_vm_tables_make(struct spec_vm *vm, u64 gfn, u64 pages);
/* One page of host RAM for the VM, content kept or not; one page back. */
enum cv_status spec_map_page(struct spec_state *state, struct spec_vm *vm, u64 gfn, u64 pfn,
			     bool is_content_kept);
void spec_reclaim_page(struct spec_state *state, struct spec_vm *vm, u64 gfn);
/* The core takes a page, looks, and gives it back as it was. */
enum cv_status spec_core_borrow(struct spec_state *state, u64 pfn);

#endif
