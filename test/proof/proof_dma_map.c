/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Proof: what DMA contexts map (dma.c). As proof_dma.c, and
 *   - a page is mapped only while it is the owner's, at its own address, and none of an image; it
 *     is counted before a device can reach it, and until no device remembers it; a block is one
 *     leaf only if that holds for all its pages, and goes as one or is split;
 *   - context->pages, vm->dma_pages, vm->dma_contexts and the ledger's counts are exact.
 * A page takes part at one address of the context. A batch is a block, as it is with 512 pages.
 * Seed: map_smmu, clear_smmu (B11, B12).
 * Proof-args: -Itest/proof/few -DFEW_BATCH_PAGES=4 --unwind 6
 * Proof-entry: proof_dma_map
 * Proof-entry: proof_dma_unmap
 */
#include "dma_state.h"

/* ---- the ledger and the tables, by contract ----
 * A step deals with one page or leaf; what it finds was drawn before. */

#define STEPS 5u /* of which RV_BATCH_PAGES may map or unmap */
#define BLOCK ((u32)PAGES_PER_BLOCK)

static bool is_iova_mapped[STEPS];
static u32 iova_level[STEPS]; /* how much the entry covers */
static bool is_vm_mapped[STEPS];
static u64 vm_maps[STEPS]; /* the open VM's own map: a pfn */
static u32 needed[STEPS];
static u32 block_needed; /* for a block of the first pages */
static struct page page[STEPS], page_before[STEPS];
static u64 step_pfn[STEPS]; /* the page; unmap: what is mapped */
static u64 step_iova[STEPS];
static bool is_counted[STEPS], is_uncounted[STEPS];
static bool is_done[STEPS]; /* mapped, or unmapped and forgotten by devices */
static bool is_unmap;
static bool is_block; /* what was mapped was a block */

/* The page of the call that `number` belongs to, where page 0 has `first`. */
static u32 page_of(u64 number, u64 first)
{
	claim(number - first == step || (is_block_tried && number - first < BLOCK),
	      "the page of the step, or of the block");
	return (u32)(number - first);
}

bool ledger_is_ram(pfn_t pfn)
{
	return pfn.v - RAM_FIRST < RAM_PAGES;
}

struct lock *ledger_lock(pfn_t pfn)
{
	claim(ledger_is_ram(pfn), "RAM has a lock");
	claim(step < STEPS && pfn.v == step_pfn[step], "the page of the step");
	return &block_lock;
}

struct page ledger_get(pfn_t pfn)
{
	claim(has_block, "under its lock");
	return page[page_of(pfn.v, first_pfn)];
}

void mem_leaf_update(pfn_t first, u32 level, s64 uses, const enum page_state *state)
{
	claim(has_block && first.v == step_pfn[step] && state == NULL, "under its lock");
	if (is_unmap) {
		claim(is_done[step] && !is_uncounted[step] && level == iova_level[step] &&
			      uses == -1,
		      "no device remembers it before its count falls");
		is_uncounted[step] = true;
		return;
	}
	claim(uses == 1 && level == (is_block_tried ? 2 : 3), "one more");
	for (u32 i = 0; i < (is_block_tried ? BLOCK : 1); i++) {
		claim(!is_counted[step + i] && page[step + i].count < LEDGER_COUNT_MAX,
		      "that the ledger can hold");
		is_counted[step + i] = true;
	}
}

struct s2_leaf s2_walk(const struct s2 *s2, gfn_t gfn)
{
	struct s2_leaf leaf = { .level = 3 };
	u32 i;

	claim(s2 == &mine->s2 ? has_mine : s2 == &vm.s2 && has_vm, "under its lock");
	claim(step < STEPS, "not too many steps");
	if (s2 == &vm.s2) {
		i = page_of(gfn.v, step_iova[0]);
		leaf.is_mapped = is_vm_mapped[i];
		leaf.pa = pfn_pa(pfn_make(vm_maps[i]));
		return leaf;
	}
	if (is_unmap) {
		/* The next look. */
		step_iova[step] = gfn.v;
		if (!is_iova_mapped[step]) {
			leaf.level = iova_level[step];
			step++;
			return leaf;
		}
	}
	claim(gfn.v == step_iova[step], "the address of the step");
	leaf.is_mapped = is_iova_mapped[step];
	leaf.level = iova_level[step];
	leaf.pa = pfn_pa(pfn_make(step_pfn[step]));
	return leaf;
}

u32 s2_tables_needed(const struct s2 *s2, gfn_t gfn, u32 level)
{
	claim(s2 == &mine->s2 && gfn.v == step_iova[step] && level == (is_block_tried ? 2 : 3),
	      "for the step's leaf");
	return is_block_tried ? block_needed : needed[step];
}

void s2_split(struct s2 *s2, gfn_t gfn, u32 level)
{
	claim(s2 == &mine->s2 && gfn.v == step_iova[step] && level == 3 && has_mine, "the leaf");
	claim(is_unmap && is_iova_mapped[step] && iova_level[step] == 2, "a block");
	claim(mine->tables.free_count >= needed[step], "tables are there");
	mine->tables.free_count -= needed[step];
	step_pfn[step] += gfn.v & (BLOCK - 1);
	iova_level[step] = 3;
}

void s2_map(struct s2 *s2, gfn_t gfn, pa_t pa, u32 level, enum s2_attr attr, enum s2_wish wish)
{
	const u32 tables = is_block_tried ? block_needed : needed[step];

	claim(s2 == &mine->s2 && has_block && gfn.v == step_iova[step] &&
		      level == (is_block_tried ? 2 : 3),
	      "one leaf");
	claim(pa.v == step_pfn[step] << PAGE_SHIFT && attr == S2_NORMAL_RWX &&
		      wish == S2_WISH_PRIVATE,
	      "the page of the step");
	claim(!is_iova_mapped[step] && (!is_block_tried || iova_level[step] < 3),
	      "nothing is there");
	claim(mine->tables.free_count >= tables, "tables are there");
	mine->tables.free_count -= tables;
	is_block = is_block_tried;
	for (u32 i = 0; i < (is_block_tried ? BLOCK : 1); i++) {
		claim(is_counted[step + i], "it is counted before a device reaches it");
		is_done[step + i] = true;
	}
}

void s2_unmap(struct s2 *s2, gfn_t gfn, u32 level, enum s2_wish wish)
{
	claim(s2 == &mine->s2 && has_block && gfn.v == step_iova[step] && wish == S2_WISH_PRIVATE,
	      "one leaf");
	claim(is_iova_mapped[step] && level == iova_level[step] && !is_done[step], "all of it");
	is_done[step] = true;
}

static struct page any_page(void)
{
	struct page any = {
		.owner = (u32)any_below(OWNER_VM_FIRST + 2),
		.state = nondet_bool() ? PAGE_SHARED : PAGE_EXCLUSIVE,
		.count = (u32)any_bits(12),
		.gfn = any_bits(7),
	};

	assume(any.owner > OWNER_INVALID);
	assume(any.owner != OWNER_HOST || (any.state == PAGE_SHARED) == (any.count > 0));
	return any;
}

static void any_steps(void)
{
	for (u32 i = 0; i < STEPS; i++) {
		is_iova_mapped[i] = nondet_bool();
		iova_level[i] =
			(is_iova_mapped[i] ? 2 : 1) + (u32)any_below(is_iova_mapped[i] ? 2 : 3);
		is_vm_mapped[i] = nondet_bool();
		vm_maps[i] = any_bits(8);
		needed[i] = (u32)any_below(S2_NEW_TABLES_MAX + 1);
		page[i] = any_page();
		page_before[i] = page[i];
	}
	block_needed = (u32)any_below(2);
}

/* ---- RV_DMA_MAP ---- */

static bool spec_is_image(u64 gfn)
{
	bool is_image = false;

	for (u32 i = 0; i < RV_IMAGES_MAX; i++) {
		const struct image *image = &vm.images.image[i];
		const u64 first = image->first.v << PAGE_SHIFT;

		is_image = is_image ||
			   (i < vm.images.count && image->bytes > 0 && gfn << PAGE_SHIFT >= first &&
			    gfn << PAGE_SHIFT < first + image->bytes);
	}
	return is_image;
}

static bool spec_is_owners(u32 i)
{
	if (mine->vm == NULL) {
		return page[i].owner == OWNER_HOST && step_pfn[i] == step_iova[i];
	}
	if (vm.is_protected) {
		return page[i].owner == vm.owner && page[i].gfn == step_iova[i] &&
		       !spec_is_image(step_iova[i]);
	}
	return is_vm_mapped[i] && vm_maps[i] == step_pfn[i];
}

static enum cv_status spec_map_page(u32 i)
{
	if (step_iova[i] >= GFN_LIMIT || !ledger_is_ram(pfn_make(step_pfn[i]))) {
		return CV_E_RANGE;
	}
	if (!spec_may_grow(mine->vm) || !spec_is_owners(i)) {
		return CV_E_STATE;
	}
	if (is_iova_mapped[i] || page[i].count == LEDGER_COUNT_MAX) {
		return CV_E_BUSY;
	}
	return want.tables.free_count < needed[i] ? CV_E_NOMEM : CV_OK;
}

/* A block may begin at page `i` of the call. */
static bool spec_fits_block(u32 i, u64 pages)
{
	return pages - i >= BLOCK && ((step_iova[i] | step_pfn[i]) & (BLOCK - 1)) == 0;
}

static bool spec_map_block(void)
{
	bool may_go = step_iova[0] < GFN_LIMIT && spec_may_grow(mine->vm) && !is_iova_mapped[0] &&
		      iova_level[0] < 3 && want.tables.free_count >= block_needed;

	for (u32 i = 0; i < BLOCK; i++) {
		may_go = may_go && ledger_is_ram(pfn_make(step_pfn[i])) && spec_is_owners(i) &&
			 page[i].count < LEDGER_COUNT_MAX;
	}
	return may_go;
}

static enum cv_status spec_map(u64 pages, u64 *done)
{
	enum cv_status expected = pages == 0 ? CV_E_INVALID : spec_enter();

	*done = 0;
	if (expected != CV_OK) {
		return expected;
	}
	if (spec_fits_block(0, pages) && spec_map_block()) {
		want.tables.free_count -= block_needed;
		want.pages += BLOCK;
		want_vm.dma_pages += mine->vm != NULL ? BLOCK : 0;
		*done = BLOCK;
		return CV_OK;
	}
	for (u32 i = 0; i < RV_BATCH_PAGES && i < pages; i++) {
		if (i > 0 && spec_fits_block(i, pages)) {
			return CV_OK;
		}
		expected = spec_map_page(i);
		if (expected != CV_OK) {
			return i == 0 ? expected : CV_OK;
		}
		want.tables.free_count -= needed[i];
		want.pages++;
		want_vm.dma_pages += mine->vm != NULL;
		(*done)++;
	}
	return CV_OK;
}

void proof_dma_map(void)
{
	u64 iova = nondet_bool() ? any_bits(8) : ~any_bits(8);
	u64 pages = nondet_u64();
	const u64 nothing = nondet_u64();
	u64 done = nothing;
	u64 expected_done;
	enum cv_status expected;

	any_state();
	any_steps();
	first_pfn = nondet_u64();
	for (u32 i = 0; i < STEPS; i++) {
		step_iova[i] = iova + i;
		step_pfn[i] = first_pfn + i;
	}
	expected = spec_map(pages, &expected_done);
	/* The core asks for this one only where there is RAM. */
	is_block_tried =
		spec_fits_block(0, pages) && iova < GFN_LIMIT && ledger_is_ram(pfn_make(first_pfn));

	status = dma_map(MINE, iova, first_pfn, pages, &done);

	reach(status == CV_OK && mine->vm == NULL && done == 2, "the host's pages");
	reach(status == CV_OK && mine->vm != NULL && vm.is_protected, "a protected VM's");
	reach(status == CV_OK && mine->vm != NULL && !vm.is_protected, "an open VM's");
	reach(status == CV_OK && done == RV_BATCH_PAGES && pages > done && !is_block, "a batch");
	reach(is_block && mine->vm == NULL, "a block of the host's");
	reach(is_block && mine->vm != NULL && vm.is_protected, "a block of a protected VM's");
	reach(is_block && mine->vm != NULL && !vm.is_protected, "a block of an open VM's");
	reach(status == CV_OK && done == 3 && spec_fits_block(0, pages),
	      "a block but for one page");
	reach(status == CV_OK && done == 2 && spec_fits_block(2, pages), "a block comes next");
	reach(status == CV_E_INVALID && pages == 0, "INVALID: pages");
	reach(status == CV_E_NOENT, "NOENT");
	reach(status == CV_E_RANGE && iova < GFN_LIMIT, "RANGE: not RAM");
	reach(status == CV_E_STATE && spec_may_grow(mine->vm), "STATE: not the owner's");
	reach(status == CV_E_STATE && vm.is_protected && page[0].owner == vm.owner &&
		      page[0].gfn == iova && spec_may_grow(mine->vm),
	      "STATE: an image's");
	reach(status == CV_E_BUSY && is_iova_mapped[0], "BUSY: iova");
	reach(status == CV_E_BUSY && !is_iova_mapped[0], "BUSY: count");
	reach(status == CV_E_NOMEM, "NOMEM");
	claim(status == expected, "the status is the specified one");
	claim(done == (status == CV_OK ? expected_done : nothing), "so many pages, or nothing");
	for (u32 i = 0; i < RV_BATCH_PAGES; i++) {
		claim(is_done[i] == (i < expected_done) && is_counted[i] == is_done[i],
		      "each page that was taken is mapped and counted, no other");
	}
	claim_as_wanted();
}

/* ---- RV_DMA_UNMAP ---- */

void proof_dma_unmap(void)
{
	u64 iova = nondet_bool() ? any_bits(8) : nondet_u64();
	/* With more, MEM_LOOKS_MAX is the bound, which works as RV_BATCH_PAGES does. */
	u64 pages = nondet_bool() ? any_below(STEPS + 1) : nondet_u64();
	const u64 nothing = nondet_u64();
	u64 next = nothing;
	u64 at = iova;
	u64 unmapped = 0;
	u32 expected_steps = 0;
	bool is_split = false;
	enum cv_status expected = CV_OK;

	any_state();
	any_steps();
	assume(pages <= STEPS || pages > GFN_LIMIT);
	is_unmap = true;
	for (u32 i = 0; i < STEPS; i++) {
		step_pfn[i] = is_iova_mapped[i] && iova_level[i] == 2
				      ? align_up(RAM_FIRST, BLOCK)
				      : RAM_FIRST + any_below(RAM_PAGES);
		assume(!is_iova_mapped[i] || page[i].count > 0);
		/* What is mapped is the owner's. */
		assume(mine->vm != NULL || page[i].owner == OWNER_HOST);
	}
	assume((!mine->is_owned || mine->pages >= STEPS * BLOCK) &&
	       (mine->vm == NULL || vm.dma_pages >= mine->pages));
	want = *mine;
	want_vm = vm;
	before[MINE] = *mine;
	if (pages == 0 || iova >= GFN_LIMIT || pages > GFN_LIMIT - iova) {
		expected = CV_E_INVALID;
	} else {
		expected = spec_enter();
	}
	if (expected == CV_OK && mine->vm != NULL && vm.state == VM_VERIFIED) {
		expected = CV_E_STATE;
	}
	for (u32 i = 0; i < STEPS; i++) {
		u64 covers = s2_leaf_pages(iova_level[i]);

		if (expected != CV_OK || at >= iova + pages || unmapped >= RV_BATCH_PAGES) {
			break;
		}
		if (is_iova_mapped[i] && ((at & (covers - 1)) != 0 || iova + pages - at < covers)) {
			if (want.tables.free_count < needed[i]) {
				expected = at == iova ? CV_E_NOMEM : CV_OK;
				break;
			}
			want.tables.free_count -= needed[i];
			is_split = true;
			covers = 1;
		}
		if (is_iova_mapped[i] && unmapped + covers > RV_BATCH_PAGES) {
			break;
		}
		unmapped += is_iova_mapped[i] ? covers : 0;
		at += covers - (at & (covers - 1));
		expected_steps++;
	}
	at = at < iova + pages ? at : iova + pages;
	want.pages -= unmapped;
	want_vm.dma_pages -= mine->vm != NULL ? unmapped : 0;

	status = dma_unmap(MINE, iova, pages, &next);

	reach(status == CV_OK && mine->vm == NULL && page[0].count > 0, "still in other use");
	reach(status == CV_OK && mine->vm != NULL && vm.state == VM_POWEROFF, "a dead VM's");
	reach(status == CV_OK && next < iova + pages, "a whole batch");
	reach(status == CV_OK && unmapped == 0, "nothing there");
	reach(status == CV_OK && step == 1 && unmapped == BLOCK, "a block");
	reach(status == CV_OK && is_split && next == iova + 1, "a page of a block");
	reach(status == CV_OK && unmapped == 1 && next < iova + pages && !is_split,
	      "block next time");
	reach(status == CV_E_NOMEM, "NOMEM");
	reach(status == CV_E_INVALID && pages == 0, "INVALID: pages");
	reach(status == CV_E_INVALID && iova < GFN_LIMIT && pages > GFN_LIMIT, "INVALID: too far");
	reach(status == CV_E_NOENT, "NOENT");
	reach(status == CV_E_STATE, "STATE");
	claim(status == expected, "the status is the specified one");
	claim(next == (status == CV_OK ? at : nothing), "the first not dealt with, or nothing");
	claim(step == expected_steps, "as far as specified");
	for (u32 i = 0; i < STEPS; i++) {
		claim(is_done[i] == (i < step && is_iova_mapped[i]), "what is mapped there goes");
		claim(is_uncounted[i] == is_done[i], "and is counted no more");
	}
	claim_as_wanted();
}
