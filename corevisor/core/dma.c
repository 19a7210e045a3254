/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * DMA contexts. Guarantees: a page is in a context's table only while it is the owner's at that
 * address, and counted in the ledger once for each context that maps it, so that it changes no
 * owner meanwhile; what is unmapped or freed, no device remembers; tables go back scrubbed, and
 * when nothing walks them any more.
 */
#include <cv/dma.h>

#include <cv/arch.h>
#include <cv/check.h>
#include <cv/ledger.h>
#include <cv/mem.h>
#include <cv/mem_page.h>
#include <cv/vm.h>

static struct dma_context contexts[RV_DMA_CONTEXTS];

void dma_init(void)
{
	for (u32 i = 0; i < RV_DMA_CONTEXTS; i++) {
		contexts[i] = (struct dma_context){ .is_owned = false };
		lock_init(&contexts[i].lock, LOCK_RANK_DMA);
	}
}

const struct dma_context *dma_context(u32 index)
{
	return &contexts[index];
}

static u32 index_of(const struct dma_context *context)
{
	return (u32)(context - contexts);
}

/* The context, its lock held, and its VM's, if it has an owner. Errors: INVALID, NOENT. */
static enum cv_status enter(u64 index, struct dma_context **context) CV_NO_LOCK_ANALYSIS
{
	if (index >= RV_DMA_CONTEXTS) {
		return CV_E_INVALID;
	}
	*context = &contexts[index];
	lock_acquire(&(*context)->lock);
	if (!(*context)->is_owned) {
		lock_release(&(*context)->lock);
		return CV_E_NOENT;
	}
	if ((*context)->vm != NULL) {
		lock_acquire((*context)->vm->lock);
	}
	return CV_OK;
}

/* `vm`: the owner, also if it has just ceased to be that. */
static void leave(struct dma_context *context, struct vm *vm) CV_NO_LOCK_ANALYSIS
{
	if (vm != NULL) {
		vm_unlock(vm);
	}
	lock_release(&context->lock);
}

/* A VM's contexts grow while it is built, and shrink unless its guest may rely on them. */
static bool may_grow(const struct vm *vm)
{
	return vm == NULL || vm_is_being_built(vm);
}

static bool may_shrink(const struct vm *vm)
{
	return vm == NULL || vm->state != VM_VERIFIED;
}

static void donated_push(struct dma_context *context, pfn_t pfn)
{
	mem_core_set_next(pfn, context->donated);
	context->donated = pfn;
	context->donated_count++;
}

static pfn_t donated_pop(struct dma_context *context)
{
	pfn_t pfn = context->donated;

	context->donated = mem_core_next(pfn);
	context->donated_count--;
	return pfn;
}

/* ---- RV_DMA_ALLOC, RV_DMA_TOPUP ---- */

/* `vm`: the owner to be, its lock held; NULL: the host. */
static enum cv_status alloc_locked(struct dma_context *context, struct vm *vm, const u64 *roots)
{
	enum cv_status status = mem_host_pages_check(roots, S2_ROOT_PAGES);

	if (status != CV_OK) {
		return status;
	}
	if (!may_grow(vm)) {
		return CV_E_STATE;
	}
	if (context->is_owned) {
		return CV_E_BUSY;
	}
	status = mem_host_take_pages(roots, S2_ROOT_PAGES);
	if (status != CV_OK) {
		return status;
	}
	mem_core_clear_pages(roots, S2_ROOT_PAGES);
	for (u32 i = 0; i < S2_ROOT_PAGES; i++) {
		donated_push(context, pfn_make(roots[i]));
	}
	pool_init(&context->tables);
	context->s2 = (struct s2){
		.root = pfn_pa(pfn_make(roots[0])),
		.vmid = { (u16)(S2_VMID_DMA + index_of(context)) },
		.pool = &context->tables,
	};
	context->vm = vm;
	context->is_owned = true;
	if (vm != NULL) {
		vm->dma_contexts++;
	}
	arch_dma_set_root(index_of(context), context->s2.root);
	return CV_OK;
}

enum cv_status dma_alloc(u64 index, u64 handle, u64 root_pfn) CV_NO_LOCK_ANALYSIS
{
	const u64 roots[S2_ROOT_PAGES] = { root_pfn, root_pfn + 1 };
	struct vm *vm = NULL;
	enum cv_status status = CV_E_NOENT;

	if (index >= RV_DMA_CONTEXTS || !is_aligned(root_pfn, S2_ROOT_PAGES)) {
		return CV_E_INVALID;
	}
	lock_acquire(&contexts[index].lock);
	if (handle != 0) {
		vm = vm_lock(handle);
	}
	if (handle == 0 || vm != NULL) {
		status = alloc_locked(&contexts[index], vm, roots);
	}
	leave(&contexts[index], vm);
	return status;
}

static enum cv_status topup_locked(struct dma_context *context, u64 pfn)
{
	enum cv_status status = mem_host_page_check(pfn);

	if (status != CV_OK) {
		return status;
	}
	if (!may_grow(context->vm)) {
		return CV_E_STATE;
	}
	status = mem_host_donate_core(pfn);
	if (status == CV_OK) {
		donated_push(context, pfn_make(pfn));
		pool_put(&context->tables, pfn_make(pfn));
	}
	return status;
}

enum cv_status dma_topup(u64 index, u64 pfn)
{
	struct dma_context *context;
	enum cv_status status = enter(index, &context);

	if (status == CV_OK) {
		status = topup_locked(context, pfn);
		leave(context, context->vm);
	}
	return status;
}

/* ---- RV_DMA_MAP, RV_DMA_UNMAP; the block's lock is held in what deals with pages ---- */

/*
 * Whether the page is the owner's at this address. An open VM's pages are the host's: what counts
 * is what it maps. No page of an image: what was hashed must be what the guest finds, and until the
 * guest runs it is the host who drives the device.
 */
static bool is_owners(const struct vm *vm, gfn_t iova, pfn_t pfn)
{
	struct page page = ledger_get(pfn);
	struct s2_leaf leaf;

	if (vm == NULL) {
		return page.owner == OWNER_HOST && pfn_host_gfn(pfn).v == iova.v;
	}
	if (vm->is_protected) {
		return page.owner == vm->owner && page.gfn == iova.v &&
		       !images_hold(&vm->images, iova);
	}
	leaf = s2_walk(&vm->s2, iova);
	return leaf.is_mapped && s2_leaf_pfn(&leaf, iova).v == pfn.v;
}

static bool has_tables(struct dma_context *context, gfn_t iova, u32 level)
{
	return pool_count(&context->tables) >= s2_tables_needed(&context->s2, iova, level);
}

static enum cv_status page_check(const struct vm *vm, gfn_t iova, pfn_t pfn)
{
	if (!ledger_is_ram(pfn)) {
		return CV_E_RANGE;
	}
	if (!may_grow(vm) || !is_owners(vm, iova, pfn)) {
		return CV_E_STATE;
	}
	return ledger_get(pfn).count == LEDGER_COUNT_MAX ? CV_E_BUSY : CV_OK;
}

/* Whether each page of a leaf of `level` may go, and the leaf be made. */
static enum cv_status map_check(struct dma_context *context, gfn_t iova, pfn_t pfn, u32 level)
{
	const struct s2_leaf leaf = s2_walk(&context->s2, iova);
	/* In a block's place there may be a table. */
	enum cv_status status = leaf.level > level ? CV_E_BUSY : CV_OK;

	for (u64 i = 0; status == CV_OK && i < s2_leaf_pages(level); i++) {
		status = page_check(context->vm, gfn_make(iova.v + i), pfn_add(pfn, i));
	}
	if (status != CV_OK) {
		return status;
	}
	if (leaf.is_mapped) {
		return CV_E_BUSY;
	}
	return has_tables(context, iova, level) ? CV_OK : CV_E_NOMEM;
}

/* One use more of each page of a leaf, or one fewer. */
static void count_uses(struct dma_context *context, pfn_t first, u32 level, bool is_added)
{
	const u64 pages = is_added ? s2_leaf_pages(level) : -s2_leaf_pages(level);

	mem_leaf_update(first, level, is_added ? 1 : -1, NULL);
	context->pages += pages;
	if (context->vm != NULL) {
		context->vm->dma_pages += pages;
	}
}

static enum cv_status map_leaf(struct dma_context *context, gfn_t iova, pfn_t pfn, u32 level)
{
	struct lock *lock;
	enum cv_status status;

	if (iova.v >= GFN_LIMIT || !ledger_is_ram(pfn)) {
		return CV_E_RANGE;
	}
	lock = ledger_lock(pfn);
	lock_acquire(lock);
	status = map_check(context, iova, pfn, level);
	if (status == CV_OK) {
		count_uses(context, pfn, level, true);
		s2_map(&context->s2, iova, pfn_pa(pfn), level, S2_NORMAL_RWX, S2_WISH_PRIVATE);
	}
	lock_release(lock);
	return status;
}

enum cv_status dma_map(u64 index, u64 iova, u64 pfn, u64 pages, u64 *done)
{
	struct dma_context *context;
	enum cv_status status = pages == 0 ? CV_E_INVALID : enter(index, &context);
	u64 i = 0;

	if (status != CV_OK) {
		return status;
	}
	while (status == CV_OK && i < min_u64(pages, RV_BATCH_PAGES)) {
		bool may_be_block = s2_leaf_fits(2, (iova + i) | (pfn + i), pages - i);

		if (may_be_block && i > 0) {
			break; /* the rest of this batch would keep it from being one */
		}
		if (may_be_block && map_leaf(context, gfn_make(iova), pfn_make(pfn), 2) == CV_OK) {
			i = PAGES_PER_BLOCK;
			break;
		}
		/* Page by page it goes, or the reason shows. */
		status = map_leaf(context, gfn_make(iova + i), pfn_make(pfn + i), 3);
		i += status == CV_OK;
	}
	leave(context, context->vm);
	if (i == 0) {
		return status;
	}
	*done = i;
	return CV_OK;
}

static void unmap_leaf(struct dma_context *context, gfn_t iova, const struct s2_leaf *leaf)
{
	pfn_t first = pa_pfn(leaf->pa);
	struct lock *lock = ledger_lock(first);

	lock_acquire(lock);
	s2_unmap(&context->s2, iova, leaf->level, S2_WISH_PRIVATE);
	count_uses(context, first, leaf->level, false);
	lock_release(lock);
}

/* Post: *iova is the first that was not dealt with. Errors: NOMEM (a block must be split, and there
 * is no table), what came before is unmapped. */
static enum cv_status unmap_run(struct dma_context *context, u64 *iova, u64 end)
{
	u64 unmapped = 0;

	for (u32 looks = 0; *iova < end && unmapped < RV_BATCH_PAGES && looks < MEM_LOOKS_MAX;
	     looks++) {
		gfn_t at = gfn_make(*iova);
		struct s2_leaf leaf = s2_walk(&context->s2, at);

		if (leaf.is_mapped && !s2_leaf_fits(leaf.level, at.v, end - at.v)) {
			if (!has_tables(context, at, 3)) {
				return CV_E_NOMEM;
			}
			s2_split(&context->s2, at, 3);
			leaf = s2_walk(&context->s2, at);
		}
		if (leaf.is_mapped) {
			if (unmapped + s2_leaf_pages(leaf.level) > RV_BATCH_PAGES) {
				break; /* the next call begins with it */
			}
			unmap_leaf(context, at, &leaf);
			unmapped += s2_leaf_pages(leaf.level);
		}
		*iova = min_u64(s2_leaf_end(&leaf, at.v), end);
	}
	return CV_OK;
}

enum cv_status dma_unmap(u64 index, u64 iova, u64 pages, u64 *next)
{
	struct dma_context *context;
	enum cv_status status = CV_E_INVALID;
	u64 at = iova;

	if (pages > 0 && iova < GFN_LIMIT && pages <= GFN_LIMIT - iova) {
		status = enter(index, &context);
	}
	if (status != CV_OK) {
		return status;
	}
	status = may_shrink(context->vm) ? unmap_run(context, &at, iova + pages) : CV_E_STATE;
	leave(context, context->vm);
	if (at == iova) {
		return status;
	}
	*next = at;
	return CV_OK;
}

/* ---- RV_DMA_FREE ---- */

/* The roots go, and the context has no owner. Pre: nothing but the roots is left. */
static void disown(struct dma_context *context)
{
	pfn_t roots[S2_ROOT_PAGES];

	arch_dma_set_root(index_of(context), pa_make(0));
	for (u32 i = 0; i < S2_ROOT_PAGES; i++) {
		roots[i] = donated_pop(context);
	}
	if (context->vm != NULL) {
		context->vm->dma_contexts--;
	}
	context->s2 = (struct s2){ .root = { 0 } };
	context->vm = NULL;
	context->is_owned = false;
	for (u32 i = 0; i < S2_ROOT_PAGES; i++) {
		mem_core_return_host(roots[i]);
	}
}

/* Returns the pages that are left. While there are, the context is a whole one, without tables. */
static u64 free_step(struct dma_context *context)
{
	u32 returned = 0;

	s2_clear_root(&context->s2);
	pool_init(&context->tables);
	while (context->donated_count > S2_ROOT_PAGES &&
	       returned < RV_BATCH_PAGES - S2_ROOT_PAGES) {
		mem_core_return_host(donated_pop(context));
		returned++;
	}
	if (context->donated_count == S2_ROOT_PAGES) {
		disown(context);
	}
	return context->donated_count;
}

enum cv_status dma_free(u64 index, u64 *left)
{
	struct dma_context *context;
	struct vm *vm;
	enum cv_status status = enter(index, &context);

	if (status != CV_OK) {
		return status;
	}
	vm = context->vm;
	if (!may_shrink(vm)) {
		status = CV_E_STATE;
	} else if (context->pages > 0) {
		status = CV_E_BUSY;
	} else {
		*left = free_step(context);
	}
	leave(context, vm);
	return status;
}

void dma_revoke_all(void)
{
	for (u32 i = 0; i < RV_DMA_CONTEXTS; i++) {
		if (contexts[i].s2.root.v != 0) {
			s2_clear_root(&contexts[i].s2);
		}
	}
}
