/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * DMA contexts and device pages. Deliberate deviations from the seeds: counts are exact (a mapped
 * iova is refused, not counted twice; a full count is refused, not mapped uncounted; VM pages are
 * counted, too); a host page's iova is its own address; a context can be freed by the host while
 * its VM is not VERIFIED, and only when it maps nothing; an image's page is never mapped; 2 MiB can
 * be one entry; device pages are exclusive, and those of a list.
 */
#include "spec_impl.h"

#include <string.h>

struct spec_context *spec_context(struct spec_state *state, u64 index)
{
	return index < SPEC_CONTEXTS ? &state->context[index] : NULL;
}

static struct spec_vm *owner_of(struct spec_state *state, const struct spec_context *context)
{
	return context->vm == 0 ? NULL : spec_vm(state, context->vm);
}

static bool may_grow(const struct spec_vm *vm)
{
	return vm == NULL || (vm->state == VM_READY && vm->seal.mode == SEAL_NONE);
}

static bool may_shrink(const struct spec_vm *vm)
{
	return vm == NULL || vm->state != VM_VERIFIED;
}

/* INVALID for what is no context, NOENT for one without an owner. */
static enum cv_status find(struct spec_state *state, u64 index, struct spec_context **context)
{
	if (index >= RV_DMA_CONTEXTS) {
		return CV_E_INVALID;
	}
	*context = spec_context(state, index);
	return *context != NULL && (*context)->is_owned ? CV_OK : CV_E_NOENT;
}

/* ---- tables, as far as they can be missing ---- */

/* Numbers of the "GiB" and of the "2 MiB" of an iova, from the first that the owner can use. */
static u64 gib_of(const struct spec_state *state, const struct spec_context *context, u64 iova)
{
	u64 first = context->vm == 0 ? state->region[0].base.v >> PAGE_SHIFT : 0;

	return iova / PAGES_PER_GIB - first / PAGES_PER_GIB;
}

static u64 block_of(const struct spec_state *state, const struct spec_context *context, u64 iova)
{
	u64 first = context->vm == 0 ? state->region[0].base.v >> PAGE_SHIFT : 0;

	return iova / PAGES_PER_BLOCK - first / PAGES_PER_BLOCK;
}

static u64 leaf_pages(const struct spec_state *state, const struct spec_context *context, u64 iova)
{
	u64 gib = gib_of(state, context, iova);
	u64 block = block_of(state, context, iova);

	if (gib >= SPEC_CONTEXT_GIBS || !context->has_level2[gib]) {
		return PAGES_PER_GIB;
	}
	return block < SPEC_CONTEXT_BLOCKS && context->has_level3[block] ? 1 : PAGES_PER_BLOCK;
}

static u32 tables_for(const struct spec_state *state, const struct spec_context *context, u64 iova)
{
	u64 pages = leaf_pages(state, context, iova);

	return pages == 1 ? 0 : pages == PAGES_PER_BLOCK ? 1 : 2;
}

static void make_tables(const struct spec_state *state, struct spec_context *context, u64 iova)
{
	context->tables_free -= tables_for(state, context, iova);
	context->has_level2[gib_of(state, context, iova)] = true;
	context->has_level3[block_of(state, context, iova)] = true;
}

/* ---- what is mapped ---- */

/* The place that says what this iova maps, NULL if it can map nothing. */
static u64 *slot_of(struct spec_state *state, struct spec_context *context, u64 iova)
{
	struct spec_page *page;

	if (context->vm != 0) {
		return iova < SPEC_GFNS ? &context->pfn[iova] : NULL;
	}
	page = spec_page(state, iova);
	return page != NULL ? &context->pfn[page - state->page] : NULL;
}

u64 spec_dma_maps(struct spec_state *state, u64 index, u64 iova)
{
	u64 *slot = slot_of(state, &state->context[index], iova);

	return state->context[index].is_owned && slot != NULL ? *slot : 0;
}

static bool is_of_image(const struct spec_vm *vm, u64 gfn)
{
	for (u32 i = 0; i < vm->image_count; i++) {
		if (gfn >= vm->image[i].first &&
		    gfn * PAGE_SIZE < vm->image[i].first * PAGE_SIZE + vm->image[i].bytes) {
			return true;
		}
	}
	return false;
}

static bool is_owners(struct spec_state *state, const struct spec_vm *vm, u64 iova, u64 pfn)
{
	struct spec_page *page = spec_page(state, pfn);

	if (vm == NULL) {
		return page->owner == OWNER_HOST && iova == pfn;
	}
	return iova < SPEC_GFNS && vm->gfn[iova].pfn == pfn && !is_of_image(vm, iova);
}

static enum cv_status map_check(struct spec_state *state, struct spec_context *context, u64 iova,
				u64 pfn)
{
	struct spec_vm *vm = owner_of(state, context);
	struct spec_page *page = spec_page(state, pfn);

	if (iova >= GFN_LIMIT || page == NULL) {
		return CV_E_RANGE;
	}
	if (!may_grow(vm) || !is_owners(state, vm, iova, pfn)) {
		return CV_E_STATE;
	}
	return *slot_of(state, context, iova) != 0 || page->count == LEDGER_COUNT_MAX ? CV_E_BUSY
										      : CV_OK;
}

static void map_commit(struct spec_state *state, struct spec_context *context, u64 iova, u64 pfn)
{
	struct spec_vm *vm = owner_of(state, context);
	struct spec_page *page = spec_page(state, pfn);

	*slot_of(state, context, iova) = pfn;
	context->pages++;
	page->count++;
	page->is_shared = page->is_shared || page->owner == OWNER_HOST;
	if (vm != NULL) {
		vm->dma_pages++;
	}
}

static enum cv_status map_one(struct spec_state *state, struct spec_context *context, u64 iova,
			      u64 pfn)
{
	enum cv_status status = map_check(state, context, iova, pfn);

	if (status == CV_OK && context->tables_free < tables_for(state, context, iova)) {
		status = CV_E_NOMEM;
	}
	if (status == CV_OK) {
		make_tables(state, context, iova);
		map_commit(state, context, iova, pfn);
	}
	return status;
}

/* 512 pages at once, one table fewer, if every one of them could go and no table is there. */
static bool map_block(struct spec_state *state, struct spec_context *context, u64 iova, u64 pfn)
{
	u64 covers = leaf_pages(state, context, iova);

	if (covers == 1 || (covers == PAGES_PER_GIB && context->tables_free == 0)) {
		return false;
	}
	for (u64 i = 0; i < PAGES_PER_BLOCK; i++) {
		if (map_check(state, context, iova + i, pfn + i) != CV_OK) {
			return false;
		}
	}
	context->tables_free -= covers == PAGES_PER_GIB ? 1 : 0;
	context->has_level2[gib_of(state, context, iova)] = true;
	for (u64 i = 0; i < PAGES_PER_BLOCK; i++) {
		map_commit(state, context, iova + i, pfn + i);
	}
	return true;
}

static void unmap_one(struct spec_state *state, struct spec_context *context, u64 *slot)
{
	struct spec_vm *vm = owner_of(state, context);
	struct spec_page *page = spec_page(state, *slot);

	*slot = 0;
	context->pages--;
	page->count--;
	if (page->owner == OWNER_HOST) {
		page->is_shared = page->count > 0;
	}
	if (vm != NULL) {
		vm->dma_pages--;
	}
}

/* ---- the calls ---- */

enum cv_status spec_dma_alloc(struct spec_state *state, u64 index, u64 handle, u64 root)
{
	const u64 roots[2] = { root, root + 1 };
	struct spec_vm *vm = spec_vm(state, handle);
	struct spec_context *context = spec_context(state, index);
	enum cv_status status;

	if (index >= RV_DMA_CONTEXTS || root % 2 != 0) {
		return CV_E_INVALID;
	}
	if (handle != 0 && vm == NULL) {
		return CV_E_NOENT;
	}
	status = spec_pages_check(state, roots, 2);
	if (status == CV_OK && !may_grow(vm)) {
		status = CV_E_STATE;
	}
	if (status == CV_OK && context->is_owned) {
		status = CV_E_BUSY;
	}
	if (status == CV_OK) {
		status = spec_donate_all(state, roots, 2);
	}
	if (status != CV_OK) {
		return status;
	}
	*context = (struct spec_context){ .is_owned = true, .vm = handle, .donated_count = 2 };
	context->donated[0] = root;
	context->donated[1] = root + 1;
	if (vm != NULL) {
		vm->dma_contexts++;
	}
	return CV_OK;
}

enum cv_status spec_dma_topup(struct spec_state *state, u64 index, u64 pfn)
{
	struct spec_context *context;
	enum cv_status status = find(state, index, &context);

	if (status == CV_OK) {
		status = spec_page_check(state, pfn);
	}
	if (status == CV_OK && !may_grow(owner_of(state, context))) {
		status = CV_E_STATE;
	}
	if (status == CV_OK) {
		status = spec_host_donate_core(state, pfn);
	}
	if (status == CV_OK) {
		context->donated[context->donated_count++] = pfn;
		context->tables_free++;
	}
	return status;
}

enum cv_status spec_dma_map(struct spec_state *state, u64 index, u64 iova, u64 pfn, u64 pages,
			    u64 *done)
{
	struct spec_context *context;
	enum cv_status status = pages == 0 ? CV_E_INVALID : find(state, index, &context);
	u64 i = 0;

	while (status == CV_OK && i < pages && i < RV_BATCH_PAGES) {
		/* As in spec_map(): a block goes at once, and a batch ends where one may begin. */
		bool may_be_block = pages - i >= PAGES_PER_BLOCK &&
				    (iova + i) % PAGES_PER_BLOCK == 0 &&
				    (pfn + i) % PAGES_PER_BLOCK == 0;

		if (may_be_block && i > 0) {
			break;
		}
		if (may_be_block && map_block(state, context, iova, pfn)) {
			i = PAGES_PER_BLOCK;
			break;
		}
		status = map_one(state, context, iova + i, pfn + i);
		i += status == CV_OK;
	}
	if (i == 0) {
		return status;
	}
	*done = i;
	return CV_OK;
}

enum cv_status spec_dma_unmap(struct spec_state *state, u64 index, u64 iova, u64 pages, u64 *next)
{
	struct spec_context *context;
	enum cv_status status = CV_E_INVALID;
	u64 end = iova + pages;
	u64 at = iova;
	u64 unmapped = 0;

	if (pages != 0 && iova < GFN_LIMIT && pages <= GFN_LIMIT - iova) {
		status = find(state, index, &context);
	}
	if (status != CV_OK) {
		return status;
	}
	if (!may_shrink(owner_of(state, context))) {
		return CV_E_STATE;
	}
	for (u32 looks = 0; at < end && unmapped < RV_BATCH_PAGES && looks < 8 * RV_BATCH_PAGES;
	     looks++) {
		u64 *slot = slot_of(state, context, at);
		bool is_mapped = slot != NULL && *slot != 0;
		u64 covers = leaf_pages(state, context, at);

		/* A part of a block: it becomes pages first. */
		if (is_mapped && (at % covers != 0 || end - at < covers)) {
			if (context->tables_free == 0) {
				status = CV_E_NOMEM;
				break;
			}
			make_tables(state, context, at);
			covers = 1;
		}
		if (is_mapped && unmapped + covers > RV_BATCH_PAGES) {
			break;
		}
		for (u64 i = 0; is_mapped && i < covers; i++) {
			unmap_one(state, context, slot_of(state, context, at + i));
			unmapped++;
		}
		at = min_u64(align_down(at, covers) + covers, end);
	}
	if (at == iova) {
		return status;
	}
	*next = at;
	return CV_OK;
}

enum cv_status spec_dma_free(struct spec_state *state, u64 index, u64 *left)
{
	struct spec_context *context;
	enum cv_status status = find(state, index, &context);
	struct spec_vm *vm;

	if (status != CV_OK) {
		return status;
	}
	vm = owner_of(state, context);
	if (!may_shrink(vm)) {
		return CV_E_STATE;
	}
	if (context->pages > 0) {
		return CV_E_BUSY;
	}
	context->tables_free = 0;
	memset(context->has_level2, 0, sizeof(context->has_level2));
	memset(context->has_level3, 0, sizeof(context->has_level3));
	for (u32 i = 2; i < RV_BATCH_PAGES && context->donated_count > 2; i++) {
		context->donated_count--;
		spec_core_return_host(state, context->donated[context->donated_count]);
		context->donated[context->donated_count] = 0;
	}
	*left = context->donated_count > 2 ? context->donated_count : 0;
	if (*left == 0) {
		spec_core_return_host(state, context->donated[1]);
		spec_core_return_host(state, context->donated[0]);
		memset(context, 0, sizeof(*context));
		if (vm != NULL) {
			vm->dma_contexts--;
		}
	}
	return CV_OK;
}

/* ---- device pages ---- */

struct spec_io *spec_io(struct spec_state *state, u64 pfn)
{
	u64 first = state->io_base / PAGE_SIZE;

	return pfn >= first && pfn < first + SPEC_IO ? &state->io[pfn - first] : NULL;
}

enum cv_status spec_map_io(struct spec_state *state, u64 handle, u64 gfn, u64 pfn)
{
	struct spec_vm *vm = spec_vm(state, handle);
	struct spec_io *io = spec_io(state, pfn);
	u32 host_tables = state->is_io_split ? 0 : 1;

	if (vm == NULL) {
		return CV_E_NOENT;
	}
	if (gfn >= GFN_LIMIT || spec_ram_end(vm, gfn) != 0) {
		return CV_E_RANGE;
	}
	if (io == NULL) {
		return CV_E_PERM;
	}
	if (vm->state != VM_READY || vm->seal.mode != SEAL_NONE || io->vm != 0) {
		return CV_E_STATE;
	}
	if (vm->gfn[gfn].pfn != 0) {
		return CV_E_BUSY;
	}
	if (vm->tables_free < spec_vm_tables_for(vm, gfn, 1) ||
	    (host_tables > 0 && state->core_free < CORE_POOL_FLOOR + host_tables)) {
		return CV_E_NOMEM;
	}
	state->core_free -= host_tables;
	state->is_io_split = true;
	spec_vm_tables_make(vm, gfn, 1);
	vm->gfn[gfn].pfn = pfn;
	vm->device_pages++;
	*io = (struct spec_io){ .vm = handle, .gfn = gfn };
	return CV_OK;
}

/* True: `gfn` had a device page, which is the host's again. */
bool spec_reclaim_io(struct spec_state *state, struct spec_vm *vm, u64 gfn)
{
	struct spec_io *io = spec_io(state, vm->gfn[gfn].pfn);

	if (io == NULL) {
		return false;
	}
	*io = (struct spec_io){ 0 };
	vm->gfn[gfn].pfn = 0;
	vm->device_pages--;
	return true;
}

bool spec_io_overlaps(const struct spec_state *state, const struct spec_vm *vm, u64 gfn, u64 pages)
{
	for (u32 i = 0; i < SPEC_IO; i++) {
		if (state->io[i].vm == vm->handle && state->io[i].gfn >= gfn &&
		    state->io[i].gfn - gfn < pages) {
			return true;
		}
	}
	return false;
}
