/* SPDX-License-Identifier: BSD-3-Clause */
#include "invariants.h"

#include <string.h>

typedef bool (*page_invariant)(struct spec_state *state, u64 pfn, const struct spec_page *page);

static const struct spec_vm *vm_of_owner(const struct spec_state *state, u32 owner)
{
	for (u32 i = 0; i < SPEC_VMS; i++) {
		if (state->vm[i].handle != 0 && vm_handle_owner(state->vm[i].handle) == owner) {
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

/* How many DMA contexts map the page. INV-DMA leaves each but one place where it can be; an open
 * VM's have many. */
static u32 dma_uses(struct spec_state *state, u64 pfn, const struct spec_page *page)
{
	u32 uses = 0;

	for (u32 i = 0; i < SPEC_CONTEXTS; i++) {
		const struct spec_context *context = &state->context[i];

		if (context->pages == 0) {
			continue;
		}
		if (page->owner != OWNER_HOST || context->vm == 0) {
			u64 slot = context->vm == 0 ? (u64)(page - state->page) : page->gfn;

			uses += context->pfn[slot] == pfn;
			continue;
		}
		for (u32 p = 0; p < SPEC_GFNS; p++) {
			uses += context->pfn[p] == pfn;
		}
	}
	return uses;
}

/* INV-COUNT: a host page is pinned as often as open VMs and DMA contexts map it, and once if EL2
 * does (a run page); a VM's page is counted as often as DMA contexts map it; others not at all. */
static bool count(struct spec_state *state, u64 pfn, const struct spec_page *page)
{
	u32 uses = dma_uses(state, pfn, page) + (page->is_el2 ? 1 : 0);

	if (page->owner == OWNER_CORE) {
		return page->count == 0; /* INV-DMA: no context maps it */
	}
	if (page->owner != OWNER_HOST || !page->is_shared) {
		return page->count == uses && (page->owner != OWNER_HOST || uses == 0);
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
		if (page == NULL && spec_io(state, vm->gfn[gfn].pfn) != NULL) {
			backed--; /* INV-IO looks at those */
			continue;
		}
		if (page == NULL) {
			return false;
		}
		if (vm->is_protected
			    ? page->owner != vm_handle_owner(vm->handle) || page->gfn != gfn
			    : page->owner != OWNER_HOST || !page->is_shared) {
			return false;
		}
	}
	return backed == vm->guest_pages;
}

/* INV-BLOCK: a leaf of 2 MiB in a VM's table maps 2 MiB that begin where 2 MiB can, alike
 * throughout, or nothing. */
static bool block(const struct spec_vm *vm)
{
	for (u64 gfn = 0; gfn < SPEC_GFNS; gfn++) {
		const struct spec_gfn *first = &vm->gfn[align_down(gfn, PAGES_PER_BLOCK)];

		if (vm->has_level3[gfn / PAGES_PER_BLOCK]) {
			continue;
		}
		if (vm->gfn[gfn].wish != first->wish || first->pfn % PAGES_PER_BLOCK != 0 ||
		    vm->gfn[gfn].pfn !=
			    (first->pfn == 0 ? 0 : first->pfn + gfn % PAGES_PER_BLOCK)) {
			return false;
		}
	}
	return true;
}

/* INV-DONATED: records and tables are the core's, run pages are pinned. */
static bool donated(struct spec_state *state, const struct spec_vm *vm)
{
	for (u32 i = 0; i < SPEC_VCPUS; i++) {
		const struct spec_page *page = spec_page(state, vm->vcpu[i].run_pfn);

		if (vm->vcpu[i].state != SPEC_VCPU_UNUSED &&
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

/* INV-DMA: what a context maps is its owner's, at its address: the host's at its own, a VM's at its
 * gfn; an open VM's pages are the host's, and pinned by the context even if the VM has them no
 * more. No page of an image. */
static bool dma_maps_own(struct spec_state *state, const struct spec_context *context)
{
	const struct spec_vm *vm = spec_vm(state, context->vm);
	u64 pages = 0;

	for (u64 slot = 0; slot < SPEC_SLOTS; slot++) {
		const struct spec_page *page = spec_page(state, context->pfn[slot]);

		if (context->pfn[slot] == 0) {
			continue;
		}
		pages++;
		if (page == NULL || (context->vm == 0 && page != &state->page[slot]) ||
		    (vm != NULL && vm->is_protected
			     ? page->owner != vm_handle_owner(vm->handle) || page->gfn != slot
			     : page->owner != OWNER_HOST || !page->is_shared)) {
			return false;
		}
		for (u32 i = 0; vm != NULL && i < vm->image_count; i++) {
			if (slot - vm->image[i].first < vm->image[i].mapped) {
				return false;
			}
		}
	}
	return pages == context->pages;
}

/* INV-DMA, the sums: a VM knows how many contexts it has and how much they map; tables are the
 * core's; nothing is left of what has no owner. */
static bool dma_sums(struct spec_state *state)
{
	for (u32 i = 0; i < SPEC_VMS; i++) {
		const struct spec_vm *vm = &state->vm[i];
		u64 pages = 0;
		u32 contexts = 0;

		for (u32 c = 0; c < SPEC_CONTEXTS; c++) {
			bool is_its = state->context[c].is_owned && vm->handle != 0 &&
				      state->context[c].vm == vm->handle;

			contexts += is_its;
			pages += is_its ? state->context[c].pages : 0;
		}
		if (vm->dma_contexts != contexts || vm->dma_pages != pages) {
			return false;
		}
	}
	for (u32 c = 0; c < SPEC_CONTEXTS; c++) {
		const struct spec_context *context = &state->context[c];

		if ((!context->is_owned && (context->donated_count > 0 || context->pages > 0)) ||
		    (context->vm != 0 && spec_vm(state, context->vm) == NULL)) {
			return false;
		}
		for (u32 i = 0; i < context->donated_count; i++) {
			const struct spec_page *page = spec_page(state, context->donated[i]);

			if (page == NULL || page->owner != OWNER_CORE) {
				return false;
			}
		}
	}
	return true;
}

/* INV-IO: a device page is in the host's map or in one VM's, at one gfn outside its RAM. */
static bool io_exclusive(struct spec_state *state)
{
	u64 total = 0;

	for (u32 i = 0; i < SPEC_IO; i++) {
		u64 pfn = state->io_base / PAGE_SIZE + i;
		u32 uses = 0;

		for (u32 v = 0; v < SPEC_VMS; v++) {
			for (u64 gfn = 0; gfn < SPEC_GFNS; gfn++) {
				uses += state->vm[v].gfn[gfn].pfn == pfn;
			}
		}
		if (state->io[i].vm != 0) {
			const struct spec_vm *vm = spec_vm(state, state->io[i].vm);

			if (vm == NULL || vm->gfn[state->io[i].gfn].pfn != pfn) {
				return false;
			}
			for (u32 r = 0; r < vm->ram_count; r++) {
				if (state->io[i].gfn - vm->ram[r].first.v < vm->ram[r].pages) {
					return false;
				}
			}
		}
		total += uses;
		if (uses != (state->io[i].vm != 0)) {
			return false;
		}
	}
	for (u32 v = 0; v < SPEC_VMS; v++) {
		total -= state->vm[v].device_pages;
	}
	return total == 0;
}

/* INV-RUN: who is on a CPU is counted, and was switched on by the guest or the boot call. */
static bool run(const struct spec_vm *vm)
{
	u32 active = 0;

	for (u32 i = 0; i < SPEC_VCPUS; i++) {
		const struct spec_vcpu *vcpu = &vm->vcpu[i];

		active += vcpu->state == SPEC_VCPU_ACTIVE;
		if (vcpu->state == SPEC_VCPU_UNUSED && vcpu->power != VCPU_OFF) {
			return false;
		}
	}
	return active <= vm->active;
}

const char *inv_broken(struct spec_state *state, u64 *where)
{
	for (u32 i = 0; i < SPEC_VMS; i++) {
		struct spec_vm *vm = &state->vm[i];

		*where = vm_handle_owner(vm->handle);
		if (vm->handle != 0 && !vm_iso(state, vm)) {
			return "INV-VM-ISO";
		}
		if (vm->handle != 0 && !block(vm)) {
			return "INV-BLOCK";
		}
		if (vm->handle != 0 && !donated(state, vm)) {
			return "INV-DONATED";
		}
		if (!run(vm)) {
			return "INV-RUN";
		}
	}
	for (u32 i = 0; i < SPEC_CONTEXTS; i++) {
		*where = i;
		if (!dma_maps_own(state, &state->context[i])) {
			return "INV-DMA";
		}
	}
	*where = 0;
	if (!dma_sums(state)) {
		return "INV-DMA (sums)";
	}
	if (!io_exclusive(state)) {
		return "INV-IO";
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

static bool seal_differs(const struct spec_seal *a, const struct spec_seal *b)
{
	return a->mode != b->mode || a->next_vcpu != b->next_vcpu || a->next_gfn != b->next_gfn ||
	       a->is_complete != b->is_complete || a->records != b->records || a->pages != b->pages;
}

static const char *vcpu_differs(const struct spec_vcpu *a, const struct spec_vcpu *b)
{
	return a->state != b->state	    ? "vcpu.state"
	       : a->power != b->power	    ? "vcpu.power"
	       : a->has_run != b->has_run   ? "vcpu.has_run"
	       : a->run_pfn != b->run_pfn   ? "vcpu.run_pfn"
	       : a->entry_pc != b->entry_pc ? "vcpu.entry_pc"
	       : a->entry_x0 != b->entry_x0 ? "vcpu.entry_x0"
	       : a->pc != b->pc		    ? "vcpu.pc"
	       : a->x0 != b->x0		    ? "vcpu.x0"
					    : NULL;
}

static const char *vm_differs(const struct spec_vm *a, const struct spec_vm *b)
{
	for (u32 i = 0; i < SPEC_GFNS; i++) {
		if (a->gfn[i].pfn != b->gfn[i].pfn || a->gfn[i].wish != b->gfn[i].wish) {
			return a->gfn[i].pfn != b->gfn[i].pfn ? "vm.gfn.pfn" : "vm.gfn.wish";
		}
	}
	for (u32 i = 0; i < SPEC_VCPUS; i++) {
		const char *field = vcpu_differs(&a->vcpu[i], &b->vcpu[i]);

		if (field != NULL) {
			return field;
		}
	}
	return a->handle != b->handle		    ? "vm.handle"
	       : a->is_protected != b->is_protected ? "vm.is_protected"
	       : a->state != b->state		    ? "vm.state"
	       : a->active != b->active		    ? "vm.active"
	       : a->ram_count != b->ram_count	    ? "vm.ram_count"
	       : a->guest_pages != b->guest_pages   ? "vm.guest_pages"
	       : a->tables_free != b->tables_free   ? "vm.tables_free"
	       : memcmp(a->has_level2, b->has_level2, sizeof(a->has_level2)) != 0 ? "vm.has_level2"
	       : memcmp(a->ram, b->ram, sizeof(a->ram)) != 0			  ? "vm.ram"
	       : memcmp(a->has_level3, b->has_level3, sizeof(a->has_level3)) != 0 ? "vm.has_level3"
	       : a->donated_count != b->donated_count			 ? "vm.donated_count"
	       : memcmp(a->donated, b->donated, sizeof(a->donated)) != 0 ? "vm.donated"
	       : a->image_count != b->image_count			 ? "vm.image_count"
	       : memcmp(a->image, b->image, sizeof(a->image)) != 0	 ? "vm.image"
	       : a->entry != b->entry					 ? "vm.entry"
	       : a->is_undone != b->is_undone				 ? "vm.is_undone"
	       : a->dma_pages != b->dma_pages				 ? "vm.dma_pages"
	       : a->dma_contexts != b->dma_contexts			 ? "vm.dma_contexts"
	       : a->device_pages != b->device_pages			 ? "vm.device_pages"
	       : a->may_be_saved != b->may_be_saved			 ? "vm.may_be_saved"
	       : seal_differs(&a->seal, &b->seal)			 ? "vm.seal"
									 : NULL;
}

static const char *context_differs(const struct spec_context *a, const struct spec_context *b)
{
	return a->is_owned != b->is_owned		     ? "context.is_owned"
	       : a->vm != b->vm				     ? "context.vm"
	       : memcmp(a->pfn, b->pfn, sizeof(a->pfn)) != 0 ? "context.pfn"
	       : a->pages != b->pages			     ? "context.pages"
	       : a->tables_free != b->tables_free	     ? "context.tables_free"
	       : memcmp(a->has_level2, b->has_level2, sizeof(a->has_level2)) != 0
		       ? "context.has_level2"
	       : memcmp(a->has_level3, b->has_level3, sizeof(a->has_level3)) != 0
		       ? "context.has_level3"
	       : a->donated_count != b->donated_count			 ? "context.donated_count"
	       : memcmp(a->donated, b->donated, sizeof(a->donated)) != 0 ? "context.donated"
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
	for (u32 i = 0; i < SPEC_CONTEXTS; i++) {
		*where = i;
		field = context_differs(&a->context[i], &b->context[i]);
		if (field != NULL) {
			return field;
		}
	}
	for (u32 i = 0; i < SPEC_IO; i++) {
		*where = i;
		if (a->io[i].vm != b->io[i].vm || a->io[i].gfn != b->io[i].gfn) {
			return "io";
		}
	}
	*where = 0;
	return a->is_io_split != b->is_io_split					     ? "is_io_split"
	       : a->core_free != b->core_free					     ? "core_free"
	       : a->vm_count != b->vm_count					     ? "vm_count"
	       : memcmp(a->hyp_leaf, b->hyp_leaf, sizeof(a->hyp_leaf)) != 0	     ? "hyp_leaf"
	       : memcmp(a->hyp_level2, b->hyp_level2, sizeof(a->hyp_level2)) != 0    ? "hyp_level2"
	       : memcmp(a->host_level2, b->host_level2, sizeof(a->host_level2)) != 0 ? "host_level2"
										     : NULL;
}
