/* SPDX-License-Identifier: BSD-3-Clause */
/* The abstraction function. It reads tables, ledger and records, never the code under test's own
 * conclusions. */
#include "observe.h"

#include <cv/dma.h>
#include <cv/host_map.h>
#include <cv/hyp_map.h>
#include <cv/pool.h>
#include <cv/vcpu.h>
#include <stdio.h>
#include <string.h>

const struct fake_machine observe_machine = {
	.regions = {
		{ .base = { 0x40000000 }, .pages = 4 * PAGES_PER_BLOCK },
		{ .base = { 0x409f5000 }, .pages = 64 }, /* over a block's edge */
	},
	.region_count = 2,
	.core_base = 0x40000000,
	.core_tables = 32,
	.hidden_base = FAKE_HIDDEN_BASE,
	.io_base = FAKE_IO_BASE,
};

static const struct fake_machine *observed;

static void observe_page(struct spec_page *out, u64 pfn, bool has_el2_table)
{
	struct page page = ledger_get(pfn_make(pfn));
	struct s2_leaf host = s2_walk(mem_host_s2(), gfn_make(pfn));
	u64 inside = pfn % s2_leaf_pages(host.level);

	*out = (struct spec_page){
		.owner = page.owner,
		.is_shared = page.state == PAGE_SHARED,
		.is_el2 = has_el2_table && fake_el2_maps(pfn),
		.is_host = host.is_mapped,
		.is_host_rw = host.is_mapped && host.attr == S2_NORMAL_RWX,
		.count = page.count,
		.gfn = page.owner >= OWNER_VM_FIRST ? page.gfn : 0,
		.token = page.owner == OWNER_CORE ? 0 : fake_page_token(pfn),
	};
	if (host.is_mapped && (host.pa.v >> PAGE_SHIFT) + inside != pfn) {
		fake_fail("the host's map is not the identity at page %#lx", pfn);
	}
}

static void observe_vcpu(struct spec_vcpu *out, const struct vm *vm, u32 index)
{
	const struct vcpu *vcpu = vm->vcpus[index];

	if (vcpu->vm != vm || vcpu->index != index || vcpu->mpidr != vcpu_mpidr(index)) {
		fake_fail("vCPU %u of VM %#lx is not what its record says", index, vm->handle);
	}
	*out = (struct spec_vcpu){
		.state = vcpu->run_state == VCPU_ACTIVE ? SPEC_VCPU_ACTIVE : SPEC_VCPU_READY,
		.power = vcpu->power,
		.has_run = vcpu->has_run,
		.run_pfn = vcpu->run_pfn.v,
		.entry_pc = vcpu->entry_pc,
		.entry_x0 = vcpu->entry_x0,
		.pc = vcpu->ctx.pc,
		.x0 = vcpu->ctx.x[0],
	};
}

static void observe_vm(struct spec_vm *out, u64 handle) CV_NO_LOCK_ANALYSIS
{
	struct vm *vm = vm_lock(handle);
	pfn_t at;

	if (vm == NULL) {
		return;
	}
	out->handle = vm->handle;
	out->is_protected = vm->is_protected;
	out->state = vm->state;
	out->active = vm->active_count;
	out->entry = vm->entry;
	out->ram_count = vm->ram_count;
	memcpy(out->ram, vm->ram, sizeof(out->ram));
	out->guest_pages = vm->guest_pages;
	out->tables_free = pool_count(&vm->tables);
	for (u64 i = 0; i < SPEC_GFN_GIBS; i++) {
		out->has_level2[i] = s2_tables_needed(&vm->s2, gfn_make(i * PAGES_PER_GIB), 2) == 0;
	}
	for (u64 i = 0; i < SPEC_GFN_BLOCKS; i++) {
		out->has_level3[i] =
			s2_tables_needed(&vm->s2, gfn_make(i * PAGES_PER_BLOCK), 3) == 0;
	}
	for (u64 gfn = 0; gfn < SPEC_GFNS; gfn++) {
		struct s2_leaf leaf = s2_walk(&vm->s2, gfn_make(gfn));

		out->gfn[gfn].pfn = leaf.is_mapped ? s2_leaf_pfn(&leaf, gfn_make(gfn)).v : 0;
		out->gfn[gfn].wish = leaf.wish;
	}
	for (u32 i = 0; i < SPEC_VCPUS; i++) {
		if (vm->vcpus[i] != NULL) {
			observe_vcpu(&out->vcpu[i], vm, i);
		}
	}
	out->image_count = vm->images.count;
	for (u32 i = 0; i < vm->images.count; i++) {
		const struct image *image = &vm->images.image[i];

		out->image[i] =
			(struct spec_image){ image->first.v, image->bytes, image->pages_mapped };
	}
	out->is_undone = vm->images.is_undone;
	out->dma_pages = vm->dma_pages;
	out->dma_contexts = vm->dma_contexts;
	out->device_pages = vm->device_pages;
	out->may_be_saved = vm->may_be_saved;
	out->seal = (struct spec_seal){
		.mode = vm->seal.mode,
		.next_vcpu = vm->seal.next_vcpu,
		.next_gfn = vm->seal.next_gfn.v,
		.is_complete = vm->seal.is_complete,
		.records = vm->seal.records,
		.pages = vm->seal.pages,
	};
	out->donated_count = (u32)vm->donated_count;
	at = vm->donated;
	for (u32 i = out->donated_count; i > 0; i--) {
		out->donated[i - 1] = at.v;
		at = mem_core_next(at);
	}
	if (at.v != 0) {
		fake_fail("the list of donated pages is longer than its count");
	}
	vm_unlock(vm);
}

/* What the context's table has at `iova`; the host's map is by page. */
static void observe_slot(struct spec_context *out, const struct dma_context *context, u64 iova,
			 u64 slot)
{
	struct s2_leaf leaf = s2_walk(&context->s2, gfn_make(iova));

	if (leaf.is_mapped && (leaf.level < 2 || leaf.attr != S2_NORMAL_RWX)) {
		fake_fail("a DMA context has an odd leaf at %#lx", iova);
	}
	out->pfn[slot] = leaf.is_mapped ? s2_leaf_pfn(&leaf, gfn_make(iova)).v : 0;
}

static void observe_context(struct spec_state *state, u32 index)
{
	const struct dma_context *context = dma_context(index);
	struct spec_context *out = &state->context[index];
	u64 first = 0;
	u64 slot = 0;
	pfn_t at;

	if (fake_dma_root(index).v != context->s2.root.v) {
		fake_fail("devices of DMA context %u walk from %#lx, not from %#lx", index,
			  fake_dma_root(index).v, context->s2.root.v);
	}
	if (!context->is_owned) {
		if (context->s2.root.v != 0 || context->vm != NULL || context->pages != 0 ||
		    context->donated_count != 0) {
			fake_fail("something is left of DMA context %u", index);
		}
		return;
	}
	out->is_owned = true;
	out->vm = context->vm != NULL ? context->vm->handle : 0;
	out->pages = context->pages;
	for (u64 gfn = 0; out->vm != 0 && gfn < SPEC_GFNS; gfn++) {
		observe_slot(out, context, gfn, gfn);
	}
	for (u32 r = 0; out->vm == 0 && r < state->region_count; r++) {
		u64 bank = state->region[r].base.v >> PAGE_SHIFT;

		for (u64 i = 0; i < state->region[r].pages; i++) {
			observe_slot(out, context, bank + i, slot++);
		}
		first = state->region[0].base.v >> PAGE_SHIFT;
	}
	out->tables_free = pool_count((struct pool *)&context->tables);
	for (u64 i = 0; i < SPEC_CONTEXT_GIBS; i++) {
		gfn_t at = gfn_make(align_down(first, PAGES_PER_GIB) + i * PAGES_PER_GIB);

		out->has_level2[i] = s2_tables_needed(&context->s2, at, 2) == 0;
	}
	for (u64 i = 0; i < SPEC_CONTEXT_BLOCKS; i++) {
		gfn_t at = gfn_make(align_down(first, PAGES_PER_BLOCK) + i * PAGES_PER_BLOCK);

		out->has_level3[i] = s2_tables_needed(&context->s2, at, 3) == 0;
	}
	out->donated_count = (u32)context->donated_count;
	at = context->donated;
	for (u32 i = out->donated_count; i > 0; i--) {
		out->donated[i - 1] = at.v;
		at = mem_core_next(at);
	}
	if (at.v != 0) {
		fake_fail("the list of a context's pages is longer than its count");
	}
}

/* Whose a device page is: the host's map and the VMs' must agree. */
static void observe_io(struct spec_state *state, u32 index)
{
	u64 pfn = (observed->io_base >> PAGE_SHIFT) + index;
	struct s2_leaf host = s2_walk(mem_host_s2(), gfn_make(pfn));

	for (u32 v = 0; v < SPEC_VMS; v++) {
		for (u64 gfn = 0; gfn < SPEC_GFNS; gfn++) {
			if (state->vm[v].gfn[gfn].pfn == pfn) {
				state->io[index] = (struct spec_io){ state->vm[v].handle, gfn };
			}
		}
	}
	if (host.is_mapped && host.attr != S2_DEVICE) {
		fake_fail("device page %#lx: the host has it as RAM", pfn);
	}
	if (host.is_mapped == (state->io[index].vm != 0)) {
		fake_fail("device page %#lx: in the host's map and in a VM's, or in none", pfn);
	}
	state->is_io_split = host.level == 3;
}

static void observe_counts(const struct spec_state *state)
{
	u64 counts[RV_PAGES_STATES] = { 0 };
	u32 vcpus = 0;

	for (u32 i = 0; i < SPEC_VMS * SPEC_VCPUS; i++) {
		vcpus += state->vm[i / SPEC_VCPUS].vcpu[i % SPEC_VCPUS].state != SPEC_VCPU_UNUSED;
	}
	if (vm_vcpu_count() != vcpus) {
		fake_fail("the core counts %u vCPUs, there are %u", vm_vcpu_count(), vcpus);
	}

	for (u32 i = 0; i < state->page_count; i++) {
		const struct spec_page *page = &state->page[i];

		counts[page->owner == OWNER_HOST
			       ? (page->is_shared ? RV_PAGES_HOST_SHARED : RV_PAGES_HOST)
		       : page->owner == OWNER_CORE ? RV_PAGES_CORE
		       : page->is_shared	   ? RV_PAGES_VM_SHARED
						   : RV_PAGES_VM]++;
	}
	for (u32 i = 0; i < RV_PAGES_STATES; i++) {
		if (ledger_count((enum rv_page_state)i) != counts[i]) {
			fake_fail("the ledger counts %lu pages of class %u, there are %lu",
				  ledger_count((enum rv_page_state)i), i, counts[i]);
		}
	}
}

/* Which tables EL2's map and the host's have. */
static void observe_core_tables(struct spec_state *state)
{
	u64 first = state->region[0].base.v >> PAGE_SHIFT;
	u64 block = align_down(first, PAGES_PER_BLOCK);
	u64 gib = align_down(first, PAGES_PER_GIB);

	for (u32 i = 0; i < SPEC_BLOCKS; i++) {
		pfn_t at = pfn_make(block + i * PAGES_PER_BLOCK);

		state->hyp_leaf[i] = hyp_tables_needed(at) == 0;
	}
	for (u32 i = 0; i < SPEC_GIBS; i++) {
		u64 at = gib + i * PAGES_PER_GIB;

		state->hyp_level2[i] = hyp_tables_needed(pfn_make(at)) <= 1;
		state->host_level2[i] = s2_tables_needed(mem_host_s2(), gfn_make(at), 2) == 0;
	}
}

void observe(struct spec_state *state, const struct spec_state *like)
{
	u64 first_block;
	u32 count = 0;

	memset(state, 0, sizeof(*state));
	state->region_count = observed->region_count;
	memcpy(state->region, observed->regions, sizeof(state->region));
	observe_core_tables(state);
	first_block = (state->region[0].base.v >> PAGE_SHIFT) / PAGES_PER_BLOCK;
	for (u32 r = 0; r < state->region_count; r++) {
		for (u64 i = 0; i < state->region[r].pages; i++) {
			u64 pfn = (state->region[r].base.v >> PAGE_SHIFT) + i;

			observe_page(&state->page[count++], pfn,
				     state->hyp_leaf[pfn / PAGES_PER_BLOCK - first_block]);
		}
	}
	state->page_count = count;
	for (u32 i = 0; i < SPEC_VMS; i++) {
		observe_vm(&state->vm[i], like->vm[i].handle);
	}
	for (u32 i = 0; i < SPEC_CONTEXTS; i++) {
		observe_context(state, i);
	}
	state->io_base = observed->io_base;
	for (u32 i = 0; i < SPEC_IO; i++) {
		observe_io(state, i);
	}
	state->vm_count = vm_count();
	state->core_free = pool_count(mem_core_pool());
	state->has_entropy = like->has_entropy;
	state->last_generation = like->last_generation;
	observe_counts(state);
}

void observe_boot(struct spec_state *state, const struct fake_machine *machine)
{
	static struct spec_state nothing;

	observed = machine;
	fake_boot(machine);
	nothing.has_entropy = true;
	observe(state, &nothing);
}

static void check_leaf_tables(struct spec_state *state)
{
	for (u32 i = 0; i < state->region_count; i++) {
		u64 first = state->region[i].base.v >> PAGE_SHIFT;

		for (u64 pfn = first; pfn < first + state->region[i].pages; pfn++) {
			struct s2_leaf leaf = s2_walk(mem_host_s2(), gfn_make(pfn));
			bool has_table = leaf.level == 3;
			/* A block that the corevisor took whole at boot has no use for a table. */
			bool is_gone = leaf.level == 2 && !leaf.is_mapped &&
				       spec_page(state, pfn)->owner == OWNER_CORE;

			if (has_table != spec_is_split(state, pfn) && !is_gone) {
				fake_fail("page %#lx: %s", pfn,
					  has_table ? "the block was not joined" : "no leaf table");
			}
			pfn |= PAGES_PER_BLOCK - 1;
		}
	}
}

/* What the state must be by itself; `seen` is what it is. */
static void check_seen(struct spec_state *seen, const char *what)
{
	u64 where;
	const char *name = inv_broken(seen, &where);

	if (name != NULL) {
		fake_fail("%s: %s does not hold for %#lx", what, name, where);
	}
	check_leaf_tables(seen);
	fake_check_tlbs();
}

void observe_alone(const struct spec_state *like, const char *what)
{
	static struct spec_state seen;

	observe(&seen, like);
	check_seen(&seen, what);
}

void observe_check(const struct spec_state *expected, bool with_content, const char *what)
{
	static struct spec_state seen;
	const char *name;
	u64 where;

	if (fake_locks_held() != 0) {
		fake_fail("%s: locks of ranks %#x are still held", what, fake_locks_held());
	}
	observe(&seen, expected);
	if (!with_content) {
		for (u32 i = 0; i < seen.page_count; i++) {
			seen.page[i].token = expected->page[i].token;
		}
	}
	name = spec_differs(expected, &seen, &where);
	if (name != NULL) {
		fake_fail("%s: core and specification differ in %s (%#lx)", what, name, where);
	}
	check_seen(&seen, what);
}
