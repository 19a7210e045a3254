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

u64 spec_pfn(const struct spec_state *state, u32 index)
{
	const struct ledger_region *region = state->region;

	while (index >= region->pages) {
		index -= (u32)region->pages;
		region++;
	}
	return (region->base.v >> PAGE_SHIFT) + index;
}

static u64 block_number(const struct spec_state *state, u64 pfn)
{
	return pfn / PAGES_PER_BLOCK - (state->region[0].base.v >> PAGE_SHIFT) / PAGES_PER_BLOCK;
}

static u64 gib_number(const struct spec_state *state, u64 pfn)
{
	return pfn / PAGES_PER_GIB - (state->region[0].base.v >> PAGE_SHIFT) / PAGES_PER_GIB;
}

/* A VM has these 2 MiB as one leaf: its page is there, and no table of the VM's below. */
static bool is_vm_block(struct spec_state *state, u64 pfn)
{
	const struct spec_page *page = spec_page(state, align_down(pfn, PAGES_PER_BLOCK));

	for (u32 i = 0; i < SPEC_VMS && page != NULL && page->owner >= OWNER_VM_FIRST; i++) {
		if (vm_handle_owner(state->vm[i].handle) == page->owner) {
			return !state->vm[i].has_level3[page->gfn / PAGES_PER_BLOCK];
		}
	}
	return false;
}

bool spec_is_split(struct spec_state *state, u64 pfn)
{
	u64 first = align_down(pfn, PAGES_PER_BLOCK);

	if (is_vm_block(state, pfn)) {
		return false;
	}
	for (u64 at = first; at < first + PAGES_PER_BLOCK; at++) {
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
		bool *level2 = &state->host_level2[gib_number(state, pfn)];

		state->core_free -= *level2 ? 1 : 2;
		*level2 = true; /* for good: whole GiBs are not rebuilt */
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
	u64 gib = gib_number(state, pfn);
	u32 count = 0;

	if (is_taken) {
		count += (state->host_level2[gib] ? 0 : 1) + (spec_is_split(state, pfn) ? 0 : 1);
	}
	if (is_el2) {
		count += (state->hyp_level2[gib] ? 0 : 1) +
			 (state->hyp_leaf[block_number(state, pfn)] ? 0 : 1);
	}
	return count;
}

/* A call that needs no table does not need the pool. */
static bool core_has(const struct spec_state *state, u32 tables, u32 floor)
{
	return tables == 0 || state->core_free >= tables + floor;
}

static void map_el2(struct spec_state *state, u64 pfn)
{
	state->core_free -= tables_for(state, pfn, false, true);
	state->hyp_level2[gib_number(state, pfn)] = true;
	state->hyp_leaf[block_number(state, pfn)] = true;
}

static enum cv_status donate(struct spec_state *state, u64 pfn, u32 floor)
{
	enum cv_status status = spec_page_check(state, pfn);

	if (status != CV_OK) {
		return status;
	}
	if (!core_has(state, tables_for(state, pfn, true, true), floor)) {
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
	if (!core_has(state, tables_for(state, pfn, false, true), CORE_POOL_FLOOR)) {
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

u64 spec_leaf_pages(const struct spec_vm *vm, u64 gfn)
{
	u64 gib = gfn / PAGES_PER_GIB;
	u64 block = gfn / PAGES_PER_BLOCK;

	if (gib >= SPEC_GFN_GIBS || !vm->has_level2[gib]) {
		return PAGES_PER_GIB;
	}
	return block < SPEC_GFN_BLOCKS && vm->has_level3[block] ? 1 : PAGES_PER_BLOCK;
}

u32 spec_vm_tables_for(const struct spec_vm *vm, u64 gfn, u64 pages)
{
	if (pages == PAGES_PER_GIB) {
		return 0;
	}
	return (vm->has_level2[gfn / PAGES_PER_GIB] ? 0u : 1u) +
	       (pages == 1 && !vm->has_level3[gfn / PAGES_PER_BLOCK] ? 1u : 0u);
}

void spec_vm_tables_make(struct spec_vm *vm, u64 gfn, u64 pages)
{
	vm->tables_free -= spec_vm_tables_for(vm, gfn, pages);
	if (pages < PAGES_PER_GIB) {
		vm->has_level2[gfn / PAGES_PER_GIB] = true;
	}
	if (pages == 1) {
		vm->has_level3[gfn / PAGES_PER_BLOCK] = true;
	}
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

u64 spec_ram_next(const struct spec_vm *vm, u64 gfn)
{
	u64 next = GFN_LIMIT;

	for (u32 i = 0; i < vm->ram_count; i++) {
		if (vm->ram[i].first.v > gfn && vm->ram[i].first.v < next) {
			next = vm->ram[i].first.v;
		}
	}
	return next;
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
	    !core_has(state, tables_for(state, pfn, true, false), CORE_POOL_FLOOR)) {
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
			.owner = vm_handle_owner(vm->handle),
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
	spec_vm_tables_make(vm, gfn, 1);
	spec_page_set(state, pfn, page);
	vm->gfn[gfn].pfn = pfn;
	vm->guest_pages++;
}

static bool fits_block(struct spec_state *state, const struct spec_vm *vm, u64 gfn, u64 pfn)
{
	if (vm->state == VM_POWEROFF || spec_ram_end(vm, gfn) < gfn + PAGES_PER_BLOCK ||
	    vm->has_level3[gfn / PAGES_PER_BLOCK] || vm->gfn[gfn].pfn != 0 ||
	    vm->gfn[gfn].wish != S2_WISH_PRIVATE ||
	    vm->tables_free < spec_vm_tables_for(vm, gfn, PAGES_PER_BLOCK)) {
		return false;
	}
	for (u64 i = 0; i < PAGES_PER_BLOCK; i++) {
		if (spec_page_check(state, pfn + i) != CV_OK) {
			return false;
		}
	}
	/* The host's map may be of a whole GiB there. */
	return core_has(state, state->host_level2[gib_number(state, pfn)] ? 0 : 1, CORE_POOL_FLOOR);
}

/* The host's map loses one entry, and gets no table below it. */
static void map_block(struct spec_state *state, struct spec_vm *vm, u64 gfn, u64 pfn)
{
	bool *level2 = &state->host_level2[gib_number(state, pfn)];

	state->core_free -= *level2 ? 0 : 1;
	*level2 = true;
	spec_vm_tables_make(vm, gfn, PAGES_PER_BLOCK);
	for (u64 i = 0; i < PAGES_PER_BLOCK; i++) {
		*spec_page(state, pfn + i) = (struct spec_page){
			.owner = vm_handle_owner(vm->handle),
			.gfn = gfn + i,
		};
		vm->gfn[gfn + i].pfn = pfn + i;
	}
	vm->guest_pages += PAGES_PER_BLOCK;
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
	if (vm->seal.mode != SEAL_NONE) {
		return vm->seal.mode == SEAL_SAVING ? CV_E_BUSY : CV_E_STATE;
	}
	for (i = 0; i < min_u64(pages, RV_BATCH_PAGES); i++) {
		/* A block goes at once, and a batch ends where one may begin. */
		if (vm->is_protected && pages - i >= PAGES_PER_BLOCK &&
		    (gfn + i) % PAGES_PER_BLOCK == 0 && (pfn + i) % PAGES_PER_BLOCK == 0) {
			if (i > 0) {
				break;
			}
			if (spec_ram_end(vm, gfn) != 0 && fits_block(state, vm, gfn, pfn)) {
				map_block(state, vm, gfn, pfn);
				i = PAGES_PER_BLOCK;
				break;
			}
		}
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

/* What the leaf of `gfn` holds, a page or a block. */
static void reclaim_leaf(struct spec_state *state, struct spec_vm *vm, u64 gfn)
{
	u64 first = align_down(gfn, PAGES_PER_BLOCK);

	if (vm->has_level3[gfn / PAGES_PER_BLOCK]) {
		spec_reclaim_page(state, vm, gfn);
		return;
	}
	for (u64 i = 0; i < PAGES_PER_BLOCK; i++) {
		*spec_page(state, vm->gfn[first + i].pfn) = spec_host_page(0);
		vm->gfn[first + i].pfn = 0;
	}
	vm->guest_pages -= PAGES_PER_BLOCK;
}

enum cv_status spec_reclaim(struct spec_state *state, u64 handle, u64 gfn, u64 pages, u64 *next)
{
	struct spec_vm *vm = spec_vm(state, handle);
	u64 end = gfn + pages;
	u64 returned = 0;

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
		u64 covers = spec_leaf_pages(vm, gfn);

		if (gfn < SPEC_GFNS && vm->gfn[gfn].pfn != 0) {
			if (returned + covers > RV_BATCH_PAGES) {
				break;
			}
			if (!spec_reclaim_io(state, vm, gfn)) {
				reclaim_leaf(state, vm, gfn);
			}
			returned += covers;
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

/* A VM's block becomes pages, for the host as well. */
static enum cv_status split_block(struct spec_state *state, struct spec_vm *vm, u64 gfn)
{
	if (vm->tables_free < 1 || !core_has(state, 1, CORE_POOL_FLOOR)) {
		return CV_E_NOMEM;
	}
	spec_vm_tables_make(vm, gfn, 1);
	state->core_free--;
	return CV_OK;
}

/* What is backed: a block that changes as a whole, or a page. */
static enum cv_status set_wish_backed(struct spec_state *state, struct spec_vm *vm, u64 *gfn,
				      u64 end, enum s2_wish wish, u64 *budget)
{
	u64 pages = spec_leaf_pages(vm, *gfn);

	if (wish == S2_WISH_DESTROYED) {
		return CV_E_STATE;
	}
	if (*gfn % pages != 0 || end - *gfn < pages) {
		if (split_block(state, vm, *gfn) != CV_OK) {
			return CV_E_NOMEM;
		}
		pages = 1;
	}
	if (pages > *budget) {
		*budget = 0;
		return CV_OK;
	}
	for (u64 i = 0; i < pages; i++) {
		convert(state, vm, *gfn + i, wish);
	}
	*gfn += pages;
	*budget -= pages;
	return CV_OK;
}

/* One entry: a backed leaf, or an unbacked run as large as fits and as one entry can say. */
static enum cv_status set_wish_step(struct spec_state *state, struct spec_vm *vm, u64 *gfn, u64 end,
				    enum s2_wish wish, bool destroyed, u64 *budget)
{
	u64 ram_end = spec_ram_end(vm, *gfn);
	u64 pages;

	if (ram_end == 0) {
		return CV_E_RANGE;
	}
	end = min_u64(end, ram_end);
	pages = spec_leaf_pages(vm, *gfn);
	if (vm->gfn[*gfn].wish == wish) {
		*budget -= 1;
		*gfn = min_u64(align_down(*gfn, pages) + pages, end);
		return CV_OK;
	}
	if (vm->gfn[*gfn].wish == S2_WISH_DESTROYED && !destroyed) {
		return CV_E_STATE;
	}
	if (vm->gfn[*gfn].pfn != 0) {
		return set_wish_backed(state, vm, gfn, end, wish, budget);
	}
	while (*gfn % pages != 0 || end - *gfn < pages) {
		pages /= TABLE_ENTRIES;
	}
	if (vm->tables_free < spec_vm_tables_for(vm, *gfn, pages)) {
		return CV_E_NOMEM;
	}
	spec_vm_tables_make(vm, *gfn, pages);
	for (u64 i = 0; i < pages && *gfn + i < SPEC_GFNS; i++) {
		vm->gfn[*gfn + i].wish = wish;
	}
	*gfn += pages;
	*budget -= 1;
	return CV_OK;
}

enum cv_status spec_set_wish(struct spec_state *state, u64 handle, u64 *gfn, u64 end,
			     enum s2_wish wish, bool destroyed)
{
	struct spec_vm *vm = spec_vm(state, handle);
	enum cv_status status = CV_OK;
	u64 budget = RV_BATCH_PAGES;
	u64 at = *gfn;

	if (at >= end) {
		return CV_E_INVALID;
	}
	if (!vm->is_protected) {
		*gfn = end;
		return CV_OK;
	}
	while (at < end && budget > 0 && status == CV_OK) {
		status = set_wish_step(state, vm, &at, end, wish, destroyed, &budget);
	}
	if (at == *gfn) {
		return status;
	}
	*gfn = at;
	return CV_OK;
}

/* What is not RAM is the host's to emulate: shared. */
static enum s2_wish wish_of(const struct spec_vm *vm, u64 gfn)
{
	return spec_ram_end(vm, gfn) == 0 ? S2_WISH_SHARED : vm->gfn[gfn].wish;
}

enum s2_wish spec_get_wish(struct spec_state *state, u64 handle, u64 gfn, u64 end, u64 *until)
{
	const struct spec_vm *vm = spec_vm(state, handle);

	*until = gfn + 1;
	while (*until < end && wish_of(vm, *until) == wish_of(vm, gfn)) {
		(*until)++;
	}
	return wish_of(vm, gfn);
}

enum cv_status spec_vm_write(struct spec_state *state, u64 handle, u64 ipa, u64 bytes)
{
	const struct spec_vm *vm = spec_vm(state, handle);
	u64 gfn = ipa >> PAGE_SHIFT;

	if (spec_ram_end(vm, gfn) == 0 || ipa % PAGE_SIZE + bytes > PAGE_SIZE) {
		return CV_E_RANGE;
	}
	if (vm->gfn[gfn].pfn == 0) {
		return CV_E_NOENT;
	}
	return vm->gfn[gfn].wish == S2_WISH_PRIVATE ? CV_OK : CV_E_STATE;
}
