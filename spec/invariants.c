/* SPDX-License-Identifier: BSD-3-Clause */
#include "invariants.h"

#include <string.h>

typedef bool (*page_invariant)(struct spec_state *state, u64 pfn, const struct spec_page *page);

static const struct spec_vm *vm_of_owner(const struct spec_state *state, u32 owner)
{
	for (u32 i = 0; i < SPEC_VMS; i++) {
		if (state->vm[i].handle != 0 && (state->vm[i].handle & 0xff) == owner) {
			return &state->vm[i];
		}
	}
	return NULL;
}

/* INV-HOST-ISO: what the host can reach is its own or shared with it by a VM; of the core's, only
 * to read. */
static bool host_iso(struct spec_state *state, u64 pfn, const struct spec_page *page)
{
	bool may_write =
		page->owner == OWNER_HOST || (page->owner >= OWNER_VM_FIRST && page->is_shared);

	(void)state;
	(void)pfn;
	return (!page->is_host_rw || may_write) &&
	       (!page->is_host || may_write || page->owner == OWNER_CORE);
}

/* INV-HOST-MAP: and all of that it can reach. */
static bool host_map(struct spec_state *state, u64 pfn, const struct spec_page *page)
{
	(void)state;
	(void)pfn;
	return page->is_host_rw ==
	       (page->owner == OWNER_HOST || (page->owner >= OWNER_VM_FIRST && page->is_shared));
}

/* INV-ONE-GFN: a VM's page backs the gfn of its ledger entry; no other gfn of any VM (see vm_iso).
 */
static bool one_gfn(struct spec_state *state, u64 pfn, const struct spec_page *page)
{
	const struct spec_vm *vm = vm_of_owner(state, page->owner);

	if (page->owner < OWNER_VM_FIRST) {
		return true;
	}
	return vm != NULL && vm->is_protected && page->gfn < SPEC_GFNS &&
	       vm->gfn[page->gfn].pfn == pfn &&
	       page->is_shared == (vm->gfn[page->gfn].wish == S2_WISH_SHARED);
}

/* INV-CORE: EL2's map has the core's pages and pinned pages of the host, nothing else. */
static bool core(struct spec_state *state, u64 pfn, const struct spec_page *page)
{
	(void)state;
	(void)pfn;
	return page->is_el2
		       ? page->owner == OWNER_CORE || (page->owner == OWNER_HOST && page->is_shared)
		       : page->owner != OWNER_CORE;
}

/* INV-COUNT: a host page is pinned as often as open VMs map it, and once if EL2 does (a run page).
 */
static bool count(struct spec_state *state, u64 pfn, const struct spec_page *page)
{
	u32 uses = page->is_el2 ? 1 : 0;

	if (page->owner != OWNER_HOST || !page->is_shared) {
		return page->count == 0;
	}
	for (u32 i = 0; i < SPEC_VMS; i++) {
		for (u32 g = 0; g < SPEC_GFNS; g++) {
			uses += state->vm[i].gfn[g].pfn == pfn;
		}
	}
	return page->count == uses && uses > 0;
}

/* INV-PAGE0: page 0 ends lists; it is nobody's. */
static bool page0(struct spec_state *state, u64 pfn, const struct spec_page *page)
{
	(void)state;
	(void)page;
	return pfn != 0;
}

static const struct {
	const char *name;
	page_invariant holds;
} page_invariants[] = {
	{ "INV-HOST-ISO", host_iso }, { "INV-HOST-MAP", host_map }, { "INV-ONE-GFN", one_gfn },
	{ "INV-CORE", core },	      { "INV-COUNT", count },	    { "INV-PAGE0", page0 },
};

/* INV-VM-ISO: what a VM maps is its own at that gfn (protected), or the host's and pinned (open).
 */
static bool vm_iso(struct spec_state *state, const struct spec_vm *vm)
{
	u64 backed = 0;

	for (u64 gfn = 0; gfn < SPEC_GFNS; gfn++) {
		const struct spec_page *page;

		if (vm->gfn[gfn].pfn == 0) {
			continue;
		}
		backed++;
		page = spec_page(state, vm->gfn[gfn].pfn);
		if (page == NULL) {
			return false;
		}
		if (vm->is_protected ? page->owner != (vm->handle & 0xff) || page->gfn != gfn
				     : page->owner != OWNER_HOST || !page->is_shared) {
			return false;
		}
	}
	return backed == vm->guest_pages;
}

/* INV-DONATED: records and tables are the core's, run pages are pinned. */
static bool donated(struct spec_state *state, const struct spec_vm *vm)
{
	for (u32 i = 0; i < SPEC_VCPUS; i++) {
		const struct spec_page *page = spec_page(state, vm->run_pfn[i]);

		if (vm->run_pfn[i] != 0 &&
		    (page == NULL || page->owner != OWNER_HOST || !page->is_el2)) {
			return false;
		}
	}
	for (u32 i = 0; i < vm->donated_count; i++) {
		const struct spec_page *page = spec_page(state, vm->donated[i]);

		if (page == NULL || page->owner != OWNER_CORE) {
			return false;
		}
	}
	return true;
}

const char *inv_broken(struct spec_state *state, u64 *where)
{
	for (u32 i = 0; i < SPEC_VMS; i++) {
		struct spec_vm *vm = &state->vm[i];

		*where = vm->handle & 0xff;
		if (vm->handle != 0 && !vm_iso(state, vm)) {
			return "INV-VM-ISO";
		}
		if (vm->handle != 0 && !donated(state, vm)) {
			return "INV-DONATED";
		}
	}
	for (u32 r = 0; r < state->region_count; r++) {
		u64 first = state->region[r].base.v >> PAGE_SHIFT;

		for (u64 pfn = first; pfn < first + state->region[r].pages; pfn++) {
			*where = pfn;
			for (u32 i = 0; i < ARRAY_SIZE(page_invariants); i++) {
				if (!page_invariants[i].holds(state, pfn, spec_page(state, pfn))) {
					return page_invariants[i].name;
				}
			}
		}
	}
	return NULL;
}

static const char *page_differs(const struct spec_page *a, const struct spec_page *b)
{
	return a->owner != b->owner		? "owner"
	       : a->is_shared != b->is_shared	? "is_shared"
	       : a->is_el2 != b->is_el2		? "is_el2"
	       : a->is_host != b->is_host	? "is_host"
	       : a->is_host_rw != b->is_host_rw ? "is_host_rw"
	       : a->count != b->count		? "count"
	       : a->gfn != b->gfn		? "gfn"
	       : a->token != b->token		? "content"
						: NULL;
}

static const char *vm_differs(const struct spec_vm *a, const struct spec_vm *b)
{
	for (u32 i = 0; i < SPEC_GFNS; i++) {
		if (a->gfn[i].pfn != b->gfn[i].pfn || a->gfn[i].wish != b->gfn[i].wish) {
			return a->gfn[i].pfn != b->gfn[i].pfn ? "vm.gfn.pfn" : "vm.gfn.wish";
		}
	}
	return a->handle != b->handle			     ? "vm.handle"
	       : a->is_protected != b->is_protected	     ? "vm.is_protected"
	       : a->state != b->state			     ? "vm.state"
	       : a->active != b->active			     ? "vm.active"
	       : a->ram_count != b->ram_count		     ? "vm.ram_count"
	       : a->guest_pages != b->guest_pages	     ? "vm.guest_pages"
	       : a->tables_free != b->tables_free	     ? "vm.tables_free"
	       : a->has_level2 != b->has_level2		     ? "vm.has_level2"
	       : memcmp(a->ram, b->ram, sizeof(a->ram)) != 0 ? "vm.ram"
	       : memcmp(a->has_level3, b->has_level3, sizeof(a->has_level3)) != 0 ? "vm.has_level3"
	       : a->donated_count != b->donated_count			 ? "vm.donated_count"
	       : memcmp(a->donated, b->donated, sizeof(a->donated)) != 0 ? "vm.donated"
	       : memcmp(a->run_pfn, b->run_pfn, sizeof(a->run_pfn)) != 0 ? "vm.run_pfn"
	       : a->image_count != b->image_count			 ? "vm.image_count"
	       : memcmp(a->image, b->image, sizeof(a->image)) != 0	 ? "vm.image"
	       : a->is_undone != b->is_undone				 ? "vm.is_undone"
									 : NULL;
}

const char *spec_differs(const struct spec_state *a, const struct spec_state *b, u64 *where)
{
	const char *field;

	for (u32 i = 0; i < a->page_count; i++) {
		*where = i;
		field = page_differs(&a->page[i], &b->page[i]);
		if (field != NULL) {
			return field;
		}
	}
	for (u32 i = 0; i < SPEC_VMS; i++) {
		*where = i;
		field = vm_differs(&a->vm[i], &b->vm[i]);
		if (field != NULL) {
			return field;
		}
	}
	*where = 0;
	return a->core_free != b->core_free				    ? "core_free"
	       : a->vm_count != b->vm_count				    ? "vm_count"
	       : memcmp(a->hyp_leaf, b->hyp_leaf, sizeof(a->hyp_leaf)) != 0 ? "hyp_leaf"
									    : NULL;
}
