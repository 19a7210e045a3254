/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Guest memory, many pages a call. Guarantees: no call does more than a fixed number of steps,
 * whatever was asked; a call that stops early says where.
 */
#include <cv/mem.h>

#include <string.h>

#include <cv/arch.h>
#include <cv/mem_page.h>

/* A VM that is being saved or loaded changes by its records alone. */
static enum cv_status seal_check(const struct vm *vm) CV_REQUIRES(vm->lock)
{
	switch (vm->seal.mode) {
	case SEAL_SAVING:
		return CV_E_BUSY;
	case SEAL_LOADING:
		return CV_E_STATE;
	default:
		return CV_OK;
	}
}

enum cv_status mem_map(u64 handle, u64 gfn, u64 pfn, u64 pages, u64 *done)
{
	enum cv_status status = CV_OK;
	struct vm *vm;
	u64 i = 0;

	if (pages == 0) {
		return CV_E_INVALID;
	}
	vm = vm_lock(handle);
	if (vm == NULL) {
		return CV_E_NOENT;
	}
	vm_assume_locked(vm);
	status = seal_check(vm);
	while (status == CV_OK && i < min_u64(pages, RV_BATCH_PAGES)) {
		bool may_be_block =
			vm->is_protected && s2_leaf_fits(2, (gfn + i) | (pfn + i), pages - i);

		if (may_be_block && i > 0) {
			break; /* the rest of this batch would keep it from being one */
		}
		if (may_be_block && mem_block_map(vm, gfn_make(gfn), pfn_make(pfn))) {
			i = PAGES_PER_BLOCK;
			break;
		}
		status = mem_map_page(vm, gfn + i, pfn + i);
		i += status == CV_OK;
	}
	vm_unlock(vm);
	if (i == 0) {
		return status;
	}
	*done = i;
	return CV_OK;
}

static enum cv_status reclaim_check(const struct vm *vm) CV_REQUIRES(vm->lock)
{
	if (!vm->is_protected) {
		return CV_OK;
	}
	if (vm->state != VM_POWEROFF) {
		return CV_E_STATE;
	}
	return vm_active(vm) > 0 || vm->dma_pages > 0 ? CV_E_BUSY : CV_OK;
}

u64 mem_reclaim_run(struct vm *vm, u64 gfn, u64 end)
{
	u64 returned = 0;

	for (u32 looks = 0; gfn < end && returned < RV_BATCH_PAGES && looks < MEM_LOOKS_MAX;
	     looks++) {
		struct s2_leaf leaf = s2_walk(&vm->s2, gfn_make(gfn));

		if (leaf.is_mapped && returned + s2_leaf_pages(leaf.level) > RV_BATCH_PAGES) {
			break;
		}
		if (leaf.is_mapped) {
			if (leaf.attr == S2_DEVICE) {
				mem_io_reclaim(vm, gfn_make(gfn), &leaf);
			} else {
				mem_page_reclaim(vm, gfn_make(gfn), &leaf);
			}
			returned += s2_leaf_pages(leaf.level);
		}
		gfn = s2_leaf_end(&leaf, gfn);
	}
	return min_u64(gfn, end);
}

enum cv_status mem_reclaim(u64 handle, u64 gfn, u64 pages, u64 *next_gfn)
{
	struct vm *vm;
	enum cv_status status;

	if (pages == 0 || gfn >= GFN_LIMIT || pages > GFN_LIMIT - gfn) {
		return CV_E_INVALID;
	}
	vm = vm_lock(handle);
	if (vm == NULL) {
		return CV_E_NOENT;
	}
	vm_assume_locked(vm);
	status = reclaim_check(vm);
	if (status == CV_OK) {
		*next_gfn = mem_reclaim_run(vm, gfn, gfn + pages);
	}
	vm_unlock(vm);
	return status;
}

/* The largest level whose leaf at `gfn` fits into [gfn, end) and is not larger than the one that is
 * there. */
static u32 level_that_fits(u64 gfn, u64 end, u32 largest)
{
	u32 level = largest;

	while (level < 3 && !s2_leaf_fits(level, gfn, end - gfn)) {
		level++;
	}
	return level;
}

/* The same for a leaf that is backed: as a whole if the range covers it, else its first page. */
static enum cv_status set_wish_backed(struct vm *vm, u64 *gfn, u64 end, struct s2_leaf leaf,
				      enum s2_wish wish, u64 *budget) CV_REQUIRES(vm->lock)
{
	gfn_t at = gfn_make(*gfn);
	u64 pages;

	if (wish == S2_WISH_DESTROYED) {
		return CV_E_STATE;
	}
	if (level_that_fits(*gfn, end, leaf.level) != leaf.level) {
		enum cv_status status = mem_block_split(vm, at, &leaf);

		if (status != CV_OK) {
			return status;
		}
		leaf = s2_walk(&vm->s2, at);
	}
	pages = s2_leaf_pages(leaf.level);
	if (pages > *budget) {
		*budget = 0; /* the next call begins with it */
		return CV_OK;
	}
	mem_page_set_wish(vm, at, &leaf, wish);
	*gfn += pages;
	*budget -= pages;
	return CV_OK;
}

/* One step of mem_vm_set_wish: deals with the leaf at *gfn, or with as much of it as one entry can
 * say, and takes what it cost off the budget. */
static enum cv_status set_wish_step(struct vm *vm, u64 *gfn, u64 end, enum s2_wish wish,
				    bool change_destroyed, u64 *budget) CV_REQUIRES(vm->lock)
{
	gfn_t at = gfn_make(*gfn);
	u64 ram_end = vm_ram_end(vm, at);
	struct s2_leaf leaf;
	u32 level;

	if (ram_end == 0) {
		return CV_E_RANGE;
	}
	end = min_u64(end, ram_end);
	leaf = s2_walk(&vm->s2, at);
	if (leaf.wish == wish) {
		*budget -= 1;
		*gfn = min_u64(s2_leaf_end(&leaf, *gfn), end);
		return CV_OK;
	}
	if (leaf.wish == S2_WISH_DESTROYED && !change_destroyed) {
		return CV_E_STATE;
	}
	if (leaf.is_mapped) {
		return set_wish_backed(vm, gfn, end, leaf, wish, budget);
	}
	level = level_that_fits(*gfn, end, leaf.level);
	if (!mem_vm_has_tables(vm, at, level)) {
		return CV_E_NOMEM;
	}
	s2_unmap(&vm->s2, at, level, wish);
	*budget -= 1;
	*gfn += s2_leaf_pages(level);
	return CV_OK;
}

enum cv_status mem_vm_set_wish(struct vm *vm, gfn_t *gfn, gfn_t end, enum s2_wish wish,
			       bool change_destroyed)
{
	enum cv_status status = CV_OK;
	u64 budget = RV_BATCH_PAGES;
	u64 at = gfn->v;

	if (at >= end.v) {
		return CV_E_INVALID;
	}
	if (!vm->is_protected) {
		*gfn = end;
		return CV_OK;
	}
	while (status == CV_OK && at < end.v && budget > 0) {
		status = set_wish_step(vm, &at, end.v, wish, change_destroyed, &budget);
	}
	if (at == gfn->v) {
		return status;
	}
	gfn->v = at;
	return CV_OK;
}

/* The wish at `gfn` and where what one entry says ends. */
static enum s2_wish wish_look(struct vm *vm, u64 gfn, u64 end, u64 *until) CV_REQUIRES(vm->lock)
{
	u64 ram_end = vm_ram_end(vm, gfn_make(gfn));
	struct s2_leaf leaf;

	if (ram_end == 0) {
		*until = min_u64(end, vm_ram_next(vm, gfn_make(gfn)));
		return S2_WISH_SHARED;
	}
	leaf = s2_walk(&vm->s2, gfn_make(gfn));
	*until = min_u64(min_u64(end, ram_end), s2_leaf_end(&leaf, gfn));
	return leaf.wish;
}

enum s2_wish mem_vm_get_wish(struct vm *vm, gfn_t gfn, gfn_t end, gfn_t *same_until)
{
	u64 until;
	enum s2_wish wish = wish_look(vm, gfn.v, end.v, &until);

	for (u32 looks = 1; until < end.v && looks < MEM_LOOKS_MAX; looks++) {
		u64 next;

		if (wish_look(vm, until, end.v, &next) != wish) {
			break;
		}
		until = next;
	}
	*same_until = gfn_make(until);
	return wish;
}

enum cv_status mem_vm_write(struct vm *vm, ipa_t ipa, const void *data, u64 bytes)
{
	gfn_t gfn = ipa_gfn(ipa);
	u64 offset = ipa.v % PAGE_SIZE;
	struct s2_leaf leaf;
	pfn_t pfn;
	u8 *page;

	if (!vm_is_ram(vm, gfn) || bytes > PAGE_SIZE - offset) {
		return CV_E_RANGE;
	}
	leaf = s2_walk(&vm->s2, gfn);
	if (!leaf.is_mapped) {
		return CV_E_NOENT;
	}
	if (leaf.wish != S2_WISH_PRIVATE) {
		return CV_E_STATE;
	}
	pfn = s2_leaf_pfn(&leaf, gfn);
	page = arch_window_open(pfn);
	memcpy(page + offset, data, bytes);
	arch_window_close();
	arch_page_clean_invalidate(pfn);
	return CV_OK;
}
