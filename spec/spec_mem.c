/* SPDX-License-Identifier: BSD-3-Clause */
/* Pages between host, core and VMs. */
#include "spec_impl.h"

struct spec_page *spec_page(struct spec_state *state, u64 pfn)
{
	u32 before = 0;

	for (u32 i = 0; i < state->region_count; i++) {
		u64 first = state->region[i].base.v >> PAGE_SHIFT;

		if (pfn >= first && pfn < first + state->region[i].pages) {
			return &state->page[before + (pfn - first)];
		}
		before += (u32)state->region[i].pages;
	}
	return NULL;
}

static u64 block_number(const struct spec_state *state, u64 pfn)
{
	return pfn / 512 - (state->region[0].base.v >> PAGE_SHIFT) / 512;
}

bool spec_is_split(struct spec_state *state, u64 pfn)
{
	for (u64 at = align_down(pfn, 512); at < align_down(pfn, 512) + 512; at++) {
		struct spec_page *page = spec_page(state, at);

		if (page == NULL || page->owner != OWNER_HOST) {
			return true;
		}
	}
	return false;
}

/* Every change of a page's owner: the tables that the host's map needs follow. */
void spec_page_set(struct spec_state *state, u64 pfn, struct spec_page to)
{
	bool was_split = spec_is_split(state, pfn);

	*spec_page(state, pfn) = to;
	if (spec_is_split(state, pfn) && !was_split) {
		state->core_free--;
	}
	if (!spec_is_split(state, pfn) && was_split) {
		state->core_free++;
	}
}

struct spec_page spec_host_page(u64 token)
{
	return (struct spec_page){
		.owner = OWNER_HOST, .is_host = true, .is_host_rw = true, .token = token
	};
}

/* RANGE, then STATE: is it RAM, and the host's alone? */
enum cv_status spec_page_check(struct spec_state *state, u64 pfn)
{
	struct spec_page *page = spec_page(state, pfn);

	if (page == NULL) {
		return CV_E_RANGE;
	}
	return page->owner == OWNER_HOST && !page->is_shared ? CV_OK : CV_E_STATE;
}

static u32 tables_for(struct spec_state *state, u64 pfn, bool is_taken, bool is_el2)
{
	u32 host = is_taken && !spec_is_split(state, pfn) ? 1 : 0;
	u32 hyp = is_el2 && !state->hyp_leaf[block_number(state, pfn)] ? 1 : 0;

	return host + hyp;
}

static void map_el2(struct spec_state *state, u64 pfn)
{
	bool *leaf = &state->hyp_leaf[block_number(state, pfn)];

	state->core_free -= *leaf ? 0 : 1;
	*leaf = true;
}

static enum cv_status donate(struct spec_state *state, u64 pfn, u32 floor)
{
	enum cv_status status = spec_page_check(state, pfn);

	if (status != CV_OK) {
		return status;
	}
	if (state->core_free < floor + tables_for(state, pfn, true, true)) {
		return CV_E_NOMEM;
	}
	map_el2(state, pfn);
	spec_page_set(state, pfn, (struct spec_page){ .owner = OWNER_CORE, .is_el2 = true });
	return CV_OK;
}

enum cv_status spec_host_donate_core(struct spec_state *state, u64 pfn)
{
	return donate(state, pfn, CORE_POOL_FLOOR);
}

void spec_core_return_host(struct spec_state *state, u64 pfn)
{
	spec_page_set(state, pfn, spec_host_page(0));
}

enum cv_status spec_core_borrow(struct spec_state *state, u64 pfn)
{
	struct spec_page before;
	enum cv_status status = spec_page_check(state, pfn);

	if (status != CV_OK) {
		return status;
	}
	before = *spec_page(state, pfn);
	status = spec_host_donate_core(state, pfn);
	if (status == CV_OK) {
		spec_page_set(state, pfn, before);
	}
	return status;
}

enum cv_status spec_host_share_core(struct spec_state *state, u64 pfn)
{
	enum cv_status status = spec_page_check(state, pfn);
	struct spec_page page;

	if (status != CV_OK) {
		return status;
	}
	if (state->core_free < CORE_POOL_FLOOR + tables_for(state, pfn, false, true)) {
		return CV_E_NOMEM;
	}
	map_el2(state, pfn);
	page = *spec_page(state, pfn);
	page.is_shared = true;
	page.count = 1;
	page.is_el2 = true;
	spec_page_set(state, pfn, page);
	return CV_OK;
}

static void unpin(struct spec_page *page)
{
	page->count--;
	page->is_shared = page->count > 0;
}

void spec_host_unshare_core(struct spec_state *state, u64 pfn)
{
	struct spec_page *page = spec_page(state, pfn);

	page->is_el2 = false;
	unpin(page);
}

enum cv_status spec_pool_topup(struct spec_state *state, u64 pfn)
{
	enum cv_status status = donate(state, pfn, 0);

	if (status == CV_OK) {
		state->core_free++;
	}
	return status;
}

/* ---- a VM's tables, as far as they can be missing ---- */

/* Pages that the leaf of an unbacked gfn covers. */
static u64 leaf_pages(const struct spec_vm *vm, u64 gfn)
{
	if (!vm->has_level2) {
		return 512 * 512;
	}
	return vm->has_level3[gfn / 512] ? 1 : 512;
}

u32 spec_vm_tables_for(const struct spec_vm *vm, u64 gfn, u64 pages)
{
	if (pages == 512 * 512) {
		return 0;
	}
	return (vm->has_level2 ? 0u : 1u) + (pages == 1 && !vm->has_level3[gfn / 512] ? 1u : 0u);
}

void spec_vm_tables_make(struct spec_vm *vm, u64 gfn, u64 pages)
{
	vm->tables_free -= spec_vm_tables_for(vm, gfn, pages);
	vm->has_level2 = vm->has_level2 || pages < 512 * 512;
	vm->has_level3[gfn / 512] = vm->has_level3[gfn / 512] || pages == 1;
}

u64 spec_ram_end(const struct spec_vm *vm, u64 gfn)
{
	for (u32 i = 0; i < vm->ram_count; i++) {
		if (gfn >= vm->ram[i].first.v && gfn < vm->ram[i].first.v + vm->ram[i].pages) {
			return vm->ram[i].first.v + vm->ram[i].pages;
		}
	}
	return 0;
}

/* ---- guest memory ---- */

static enum cv_status map_check(struct spec_state *state, struct spec_vm *vm, u64 gfn, u64 pfn)
{
	struct spec_page *page = spec_page(state, pfn);

	if (spec_ram_end(vm, gfn) == 0 || page == NULL) {
		return CV_E_RANGE;
	}
	if (vm->state == VM_POWEROFF) {
		return CV_E_STATE;
	}
	if (page->owner != OWNER_HOST || (vm->is_protected && page->is_shared) ||
	    page->count == LEDGER_COUNT_MAX) {
		return CV_E_STATE;
	}
	if (vm->gfn[gfn].wish == S2_WISH_DESTROYED) {
		return CV_E_STATE;
	}
	if (vm->gfn[gfn].pfn != 0) {
		return CV_E_BUSY;
	}
	if (vm->tables_free < spec_vm_tables_for(vm, gfn, 1)) {
		return CV_E_NOMEM;
	}
	if (vm->is_protected &&
	    state->core_free < CORE_POOL_FLOOR + tables_for(state, pfn, true, false)) {
		return CV_E_NOMEM;
	}
	return CV_OK;
}

static void map_one(struct spec_state *state, struct spec_vm *vm, u64 gfn, u64 pfn,
		    bool is_content_kept)
{
	struct spec_page page = *spec_page(state, pfn);

	if (vm->is_protected) {
		bool is_shared = vm->gfn[gfn].wish == S2_WISH_SHARED;

		page = (struct spec_page){
			.owner = (u32)(vm->handle & 0xff),
			.is_shared = is_shared,
			.is_host = is_shared,
			.is_host_rw = is_shared,
			.gfn = gfn,
			.token = is_content_kept ? page.token : 0,
		};
	} else {
		page.is_shared = true;
		page.count++;
	}
	spec_page_set(state, pfn, page);
	spec_vm_tables_make(vm, gfn, 1);
	vm->gfn[gfn].pfn = pfn;
	vm->guest_pages++;
}

enum cv_status spec_map_page(struct spec_state *state, struct spec_vm *vm, u64 gfn, u64 pfn,
			     bool is_content_kept)
{
	enum cv_status status = map_check(state, vm, gfn, pfn);

	if (status == CV_OK) {
		map_one(state, vm, gfn, pfn, is_content_kept);
	}
	return status;
}

enum cv_status spec_map(struct spec_state *state, u64 handle, u64 gfn, u64 pfn, u64 pages,
			u64 *done)
{
	struct spec_vm *vm = spec_vm(state, handle);
	enum cv_status status = CV_OK;
	u64 i;

	if (pages == 0) {
		return CV_E_INVALID;
	}
	if (vm == NULL) {
		return CV_E_NOENT;
	}
	for (i = 0; i < min_u64(pages, RV_BATCH_PAGES); i++) {
		status = spec_map_page(state, vm, gfn + i, pfn + i, false);
		if (status != CV_OK) {
			break;
		}
	}
	if (i == 0) {
		return status;
	}
	*done = i;
	return CV_OK;
}

void spec_reclaim_page(struct spec_state *state, struct spec_vm *vm, u64 gfn)
{
	u64 pfn = vm->gfn[gfn].pfn;

	vm->gfn[gfn].pfn = 0;
	vm->guest_pages--;
	if (vm->is_protected) {
		spec_page_set(state, pfn, spec_host_page(0));
	} else {
		unpin(spec_page(state, pfn));
	}
}

enum cv_status spec_reclaim(struct spec_state *state, u64 handle, u64 gfn, u64 pages, u64 *next)
{
	struct spec_vm *vm = spec_vm(state, handle);
	u64 end = gfn + pages;
	u32 returned = 0;

	if (pages == 0 || gfn >= GFN_LIMIT || pages > GFN_LIMIT - gfn) {
		return CV_E_INVALID;
	}
	if (vm == NULL) {
		return CV_E_NOENT;
	}
	if (vm->is_protected && vm->state != VM_POWEROFF) {
		return CV_E_STATE;
	}
	if (vm->is_protected && (vm->active > 0 || vm->dma_pages > 0)) {
		return CV_E_BUSY;
	}
	/* 512 pages, or 4096 looks at what is not backed, of whatever size. */
	for (u32 looks = 0; gfn < end && returned < RV_BATCH_PAGES && looks < 8 * RV_BATCH_PAGES;
	     looks++) {
		u64 covers = gfn < SPEC_GFNS			 ? leaf_pages(vm, gfn)
			     : gfn < 512 * 512 && vm->has_level2 ? 512
								 : 512 * 512;

		if (gfn < SPEC_GFNS && vm->gfn[gfn].pfn != 0) {
			if (!spec_reclaim_io(state, vm, gfn)) {
				spec_reclaim_page(state, vm, gfn);
			}
			returned++;
		}
		gfn = align_down(gfn, covers) + covers;
	}
	*next = min_u64(gfn, end);
	return CV_OK;
}

static void convert(struct spec_state *state, struct spec_vm *vm, u64 gfn, enum s2_wish wish)
{
	struct spec_page *page = spec_page(state, vm->gfn[gfn].pfn);

	page->is_shared = wish == S2_WISH_SHARED;
	page->is_host = page->is_shared;
	page->is_host_rw = page->is_shared;
	page->token = 0;
	vm->gfn[gfn].wish = wish;
}

/* One entry: a backed page, or an unbacked run as large as fits and as one entry can say. */
static enum cv_status set_wish_step(struct spec_state *state, struct spec_vm *vm, u64 *gfn, u64 end,
				    enum s2_wish wish, bool destroyed)
{
	u64 ram_end = spec_ram_end(vm, *gfn);
	u64 pages;

	if (ram_end == 0) {
		return CV_E_RANGE;
	}
	end = min_u64(end, ram_end);
	pages = leaf_pages(vm, *gfn);
	if (vm->gfn[*gfn].wish == wish) {
		*gfn = min_u64(align_down(*gfn, pages) + pages, end);
		return CV_OK;
	}
	if (vm->gfn[*gfn].wish == S2_WISH_DESTROYED && !destroyed) {
		return CV_E_STATE;
	}
	if (vm->gfn[*gfn].pfn != 0) {
		if (wish == S2_WISH_DESTROYED) {
			return CV_E_STATE;
		}
		convert(state, vm, *gfn, wish);
		*gfn += 1;
		return CV_OK;
	}
	while (*gfn % pages != 0 || end - *gfn < pages) {
		pages /= 512;
	}
	if (vm->tables_free < spec_vm_tables_for(vm, *gfn, pages)) {
		return CV_E_NOMEM;
	}
	spec_vm_tables_make(vm, *gfn, pages);
	for (u64 i = 0; i < pages && *gfn + i < SPEC_GFNS; i++) {
		vm->gfn[*gfn + i].wish = wish;
	}
	*gfn += pages;
	return CV_OK;
}

enum cv_status spec_set_wish(struct spec_state *state, u64 handle, u64 *gfn, u64 end,
			     enum s2_wish wish, bool destroyed)
{
	struct spec_vm *vm = spec_vm(state, handle);
	enum cv_status status = CV_OK;
	u64 at = *gfn;

	if (at >= end) {
		return CV_E_INVALID;
	}
	if (!vm->is_protected) {
		*gfn = end;
		return CV_OK;
	}
	for (u32 steps = 0; at < end && steps < RV_BATCH_PAGES && status == CV_OK; steps++) {
		status = set_wish_step(state, vm, &at, end, wish, destroyed);
	}
	if (at == *gfn) {
		return status;
	}
	*gfn = at;
	return CV_OK;
}
