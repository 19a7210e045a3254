/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Proof: DMA contexts (dma.c). For three contexts in any state that the invariants allow, one of
 * them the call's, owned by the host or by an open or protected VM, or by nobody, and for whatever
 * the host passes:
 *   - the status is the one that the ABI's order of errors names (spec_*() below, from abi.h); a
 *     refusal changes nothing, a success exactly what is specified; the other contexts stay, and
 *     every other field of the VM;
 *   - a page is mapped only while it is the owner's, at its own address, and none of an image; it
 *     is counted before a device can reach it, and until no device remembers it; a block is one
 *     leaf only if that holds for all its pages, and goes as one or is split;
 *   - context->pages, vm->dma_pages, vm->dma_contexts and the ledger's counts are exact;
 *   - tables are returned when no device walks them, each once, at most RV_BATCH_PAGES a call.
 * By their contracts: s2.h, ledger.h, pool.h, mem.h (proved elsewhere). A page takes part at one
 * address of the context. A batch is a block, as it is with 512 pages. Seed: alloc_smmu, map_smmu,
 * clear_smmu (B9, B11, B12), el2_free_smmu_pgd.
 * Proof-args: -Itest/proof/few -DFEW_BATCH_PAGES=4 --unwind 6
 * Proof-entry: proof_dma_alloc quick
 * Proof-entry: proof_dma_topup quick
 * Proof-entry: proof_dma_map
 * Proof-entry: proof_dma_unmap
 * Proof-entry: proof_dma_free quick
 * Proof-entry: proof_dma_index quick
 */
#include "proof.h"

#include <cv/arch.h>
#include <cv/ledger.h>
#include <cv/mem.h>

#include "../../corevisor/core/dma.c" /* its static state is quantified over */

#define RAM_FIRST 18ull
#define RAM_PAGES 6ull
#define MINE 1u

static struct vm vm, want_vm;
static struct lock vm_lock_of;
static struct lock block_lock;
static struct dma_context before[RV_DMA_CONTEXTS];
static struct dma_context want; /* contexts[MINE], afterwards */
static struct dma_context *const mine = &contexts[MINE];

struct vm nondet_vm(void);
struct dma_context nondet_context(void);

static u64 any_bits(u32 bits)
{
	return nondet_u64() & ((1ull << bits) - 1);
}

/* ---- locks ---- */

static bool has_mine, has_vm, has_block;
/* Map and unmap: which page of the call it is about, or which leaf; one hold of the block's lock,
 * but that a block that will not be one is tried first. */
static u32 step;
static bool is_block_tried;

void lock_acquire(struct lock *lock)
{
	if (lock == &mine->lock) {
		claim(!has_mine && !has_vm && !has_block, "the context's lock comes first");
		has_mine = true;
	} else if (lock == &vm_lock_of) {
		claim(has_mine && !has_vm && !has_block, "then the VM's");
		has_vm = true;
	} else {
		claim(lock == &block_lock && has_mine && !has_block, "then the block's");
		has_block = true;
	}
}

void lock_release(struct lock *lock)
{
	if (lock == &mine->lock) {
		claim(has_mine && !has_vm && !has_block, "the context's lock goes last");
		has_mine = false;
	} else {
		claim(lock == &block_lock && has_block, "the block's is held");
		has_block = false;
		step += !is_block_tried;
		is_block_tried = false;
	}
}

void lock_init(struct lock *lock, enum lock_rank rank)
{
	*lock = (struct lock){ .rank = rank };
}

struct vm *vm_lock(u64 handle)
{
	if (handle != vm.handle) {
		return NULL;
	}
	lock_acquire(&vm_lock_of);
	return &vm;
}

void vm_unlock(struct vm *of)
{
	claim(of == &vm && has_vm && !has_block, "the VM's is held");
	has_vm = false;
}

/* ---- any state ---- */

static bool is_context_sound(const struct dma_context *context)
{
	if (!context->is_owned) {
		return context->vm == NULL && context->s2.root.v == 0 && context->donated.v == 0 &&
		       context->donated_count == 0 && context->pages == 0;
	}
	return context->s2.root.v != 0 && context->donated_count >= S2_ROOT_PAGES &&
	       context->donated_count <= 1ull << 40 && context->pages <= 1ull << 40 &&
	       (context->vm == NULL || (vm.dma_pages >= context->pages && vm.dma_contexts > 0));
}

static void any_state(void)
{
	vm = nondet_vm();
	vm.lock = &vm_lock_of;
	vm.handle = nondet_u64();
	assume(vm.handle != 0);
	vm.owner = OWNER_VM_FIRST;
	vm.dma_pages = any_bits(24);
	vm.is_protected = nondet_bool();
	vm.may_be_saved = nondet_bool();
	vm.images.is_undone = nondet_bool();
	vm.seal.is_complete = nondet_bool();
	vm.state = (enum vm_state)any_below(VM_POWEROFF + 1);
	vm.seal.mode = (enum seal_mode)any_below(SEAL_LOADING + 1);
	vm.images.count = (u32)any_below(RV_IMAGES_MAX + 1);
	for (u32 i = 0; i < RV_IMAGES_MAX; i++) {
		vm.images.image[i].first.v = any_bits(7);
		vm.images.image[i].bytes = any_bits(IPA_BITS);
	}
	for (u32 i = 0; i < RV_DMA_CONTEXTS; i++) {
		contexts[i] = nondet_context();
		contexts[i].is_owned = nondet_bool();
		contexts[i].vm = nondet_bool() ? &vm : NULL;
		contexts[i].s2.vmid.v = S2_VMID_DMA + i;
		contexts[i].s2.pool = &contexts[i].tables;
		if (!contexts[i].is_owned) {
			contexts[i].s2 = (struct s2){ .root = { 0 } };
			contexts[i].vm = NULL;
		}
		contexts[i].tables.free_count = (u32)any_bits(8);
		contexts[i].donated_count = any_bits(20);
		contexts[i].pages = any_bits(20);
		contexts[i].donated.v = any_bits(20);
		assume(is_context_sound(&contexts[i]));
		before[i] = contexts[i];
	}
	assume(vm.dma_contexts < RV_DMA_CONTEXTS); /* the call's is not the VM's yet */
	want = *mine;
	want_vm = vm;
}

static enum cv_status status; /* the call's */

static void claim_as_wanted(void)
{
	claim(__CPROVER_equal(*mine, want), "the context is as specified");
	claim(__CPROVER_equal(vm, want_vm), "the VM is as specified");
	claim(__CPROVER_equal(contexts[0], before[0]) && __CPROVER_equal(contexts[2], before[2]),
	      "the other contexts stay");
	claim(!has_mine && !has_vm && !has_block, "no lock is left held");
	claim(is_context_sound(mine), "the context is sound");
}

/* The VM that owns the context is being built, and not by a snapshot. */
static bool spec_may_grow(const struct vm *owner)
{
	return owner == NULL || (vm.state == VM_READY && vm.seal.mode == SEAL_NONE);
}

/* Constant indices: a symbolic one into records costs a thousandfold. proof_dma_index() has all
 * others. */
static enum cv_status spec_enter(void)
{
	return mine->is_owned ? CV_OK : CV_E_NOENT;
}

/* ---- memory, by contract ---- */

static enum cv_status check_status;
static enum cv_status take_status;
static u64 first_pfn; /* of the call */
static bool is_taken, is_cleared;
static u32 pushed;
static u64 list[6]; /* what the context was built of, last in first; then 0 */
static u32 popped, returned;
static bool is_root_clear; /* and no device remembers what hung there */
static bool is_root_gone;
static u64 root_told;

enum cv_status mem_host_page_check(u64 pfn)
{
	claim(pfn == first_pfn && has_mine, "the page of the call");
	return check_status;
}

enum cv_status mem_host_pages_check(const u64 *pfns, u32 count)
{
	claim(count == S2_ROOT_PAGES && pfns[0] == first_pfn && pfns[1] == first_pfn + 1, "roots");
	return check_status;
}

enum cv_status mem_host_take_pages(const u64 *pfns, u32 count)
{
	claim(count == S2_ROOT_PAGES && pfns[0] == first_pfn && pfns[1] == first_pfn + 1, "roots");
	claim(check_status == CV_OK && !is_taken, "checked, and once");
	is_taken = take_status == CV_OK;
	return take_status;
}

void mem_core_clear_pages(const u64 *pfns, u32 count)
{
	claim(is_taken && count == S2_ROOT_PAGES && pfns[0] == first_pfn, "what was taken");
	is_cleared = true;
}

enum cv_status mem_host_donate_core(u64 pfn)
{
	claim(pfn == first_pfn && check_status == CV_OK && !is_taken, "checked, and once");
	is_taken = take_status == CV_OK;
	is_cleared = is_taken;
	return take_status;
}

void mem_core_set_next(pfn_t pfn, pfn_t next)
{
	claim(is_taken && is_cleared && pfn.v == first_pfn + pushed, "a page of the call");
	claim(next.v == mine->donated.v, "before what was there");
	pushed++;
}

void pool_put(struct pool *pool, pfn_t pfn)
{
	claim(pool == &mine->tables && pfn.v == first_pfn && is_cleared, "a table page");
	pool->free = pfn;
	pool->free_count++;
}

void pool_init(struct pool *pool)
{
	*pool = (struct pool){ .lock = { .rank = LOCK_RANK_POOL } };
}

u32 pool_count(struct pool *pool)
{
	claim(pool == &mine->tables, "the context's tables");
	return pool->free_count;
}

void arch_dma_set_root(u32 context, pa_t root)
{
	claim(context == MINE && has_mine, "the context of the call");
	claim(root.v == 0 || (is_cleared && pushed == S2_ROOT_PAGES), "an empty table");
	claim(root.v != 0 || is_root_clear, "first it reaches nothing");
	is_root_gone = root.v == 0;
	root_told = root.v;
}

void s2_clear_root(const struct s2 *s2)
{
	claim(s2 == &mine->s2 && s2->root.v != 0 && mine->pages == 0, "an empty context's");
	is_root_clear = true;
}

pfn_t mem_core_next(pfn_t pfn)
{
	claim(popped < 5 && pfn.v == list[popped] && pfn.v != 0, "the first of the list");
	popped++;
	return pfn_make(list[popped]);
}

void mem_core_return_host(pfn_t pfn)
{
	claim(returned < popped && pfn.v == list[returned], "each once, and off the list");
	claim(is_root_clear && mine->tables.free_count == 0, "nothing walks to it");
	claim(list[returned + S2_ROOT_PAGES] != 0 || is_root_gone, "a root is walked no more");
	returned++;
	claim(returned <= RV_BATCH_PAGES, "no more than a batch");
}

/* ---- RV_DMA_ALLOC ---- */

static enum cv_status any_page_status(void)
{
	return nondet_bool() ? CV_OK : nondet_bool() ? CV_E_RANGE : CV_E_STATE;
}

static enum cv_status spec_alloc(u64 handle)
{
	struct vm *owner = handle == 0 ? NULL : &vm;

	if ((first_pfn & 1) != 0) {
		return CV_E_INVALID;
	}
	if (handle != 0 && handle != vm.handle) {
		return CV_E_NOENT;
	}
	if (check_status != CV_OK) {
		return check_status;
	}
	if (!spec_may_grow(owner)) {
		return CV_E_STATE;
	}
	if (mine->is_owned) {
		return CV_E_BUSY;
	}
	if (take_status != CV_OK) {
		return take_status;
	}
	want.is_owned = true;
	want.vm = owner;
	want.s2 = (struct s2){ .root = { first_pfn << PAGE_SHIFT },
			       .vmid = { S2_VMID_DMA + MINE },
			       .pool = &mine->tables };
	want.tables = (struct pool){ .lock = { .rank = LOCK_RANK_POOL } };
	want.donated.v = first_pfn + 1;
	want.donated_count = 2;
	want_vm.dma_contexts += owner != NULL;
	return CV_OK;
}

void proof_dma_alloc(void)
{
	u64 handle = nondet_u64();
	enum cv_status expected;

	any_state();
	first_pfn = any_bits(IPA_BITS + 1);
	assume(first_pfn > 0);
	check_status = any_page_status();
	take_status = nondet_bool() ? CV_OK : nondet_bool() ? CV_E_NOMEM : CV_E_STATE;
	expected = spec_alloc(handle);

	status = dma_alloc(MINE, handle, first_pfn);

	reach(status == CV_OK && handle == 0, "the host's");
	reach(status == CV_OK && vm.is_protected && handle != 0, "a VM's");
	reach(status == CV_E_INVALID, "INVALID: root");
	reach(status == CV_E_NOENT, "NOENT");
	reach(status == CV_E_RANGE, "RANGE");
	reach(status == CV_E_STATE && check_status == CV_OK && vm.state == VM_VERIFIED, "STATE");
	reach(status == CV_E_BUSY, "BUSY");
	reach(status == CV_E_NOMEM, "NOMEM");
	claim(status == expected, "the status is the specified one");
	claim(is_taken == (status == CV_OK), "a refusal takes nothing");
	claim(root_told == (status == CV_OK ? first_pfn << PAGE_SHIFT : 0), "the SMMU's root");
	claim_as_wanted();
}

/* ---- RV_DMA_TOPUP ---- */

void proof_dma_topup(void)
{
	enum cv_status expected;

	any_state();
	first_pfn = nondet_u64();
	check_status = any_page_status();
	take_status = nondet_bool() ? CV_OK : nondet_bool() ? CV_E_NOMEM : CV_E_STATE;
	expected = spec_enter();
	if (expected == CV_OK && check_status != CV_OK) {
		expected = check_status;
	} else if (expected == CV_OK && !spec_may_grow(mine->vm)) {
		expected = CV_E_STATE;
	} else if (expected == CV_OK) {
		expected = take_status;
	}
	if (expected == CV_OK) {
		want.tables.free.v = first_pfn;
		want.tables.free_count++;
		want.donated.v = first_pfn;
		want.donated_count++;
	}

	status = dma_topup(MINE, first_pfn);

	reach(status == CV_OK && mine->vm == NULL, "the host's");
	reach(status == CV_OK && mine->vm != NULL, "a VM's");
	reach(status == CV_E_NOENT, "NOENT");
	reach(status == CV_E_RANGE, "RANGE");
	reach(status == CV_E_STATE && check_status == CV_OK && take_status == CV_OK, "STATE");
	reach(status == CV_E_NOMEM, "NOMEM");
	claim(status == expected, "the status is the specified one");
	claim(is_taken == (status == CV_OK), "a refusal takes nothing");
	claim_as_wanted();
}

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

/* ---- RV_DMA_FREE ---- */

#define DONATED_MAX 5u

void proof_dma_free(void)
{
	const u64 nothing = nondet_u64();
	u64 left = nothing;
	enum cv_status expected;

	any_state();
	/* The list: as many pages as were donated, all different, the roots last. */
	assume(mine->donated_count <= DONATED_MAX);
	for (u32 i = 0; i < DONATED_MAX; i++) {
		list[i] = i < mine->donated_count ? 1 + any_bits(20) : 0;
	}
	assume(mine->donated.v == list[0]);
	want = *mine;
	expected = spec_enter();
	if (expected == CV_OK && mine->vm != NULL && vm.state == VM_VERIFIED) {
		expected = CV_E_STATE;
	} else if (expected == CV_OK && mine->pages > 0) {
		expected = CV_E_BUSY;
	}
	if (expected == CV_OK) {
		/* A batch is two pages and the two roots. */
		u64 tables = mine->donated_count - S2_ROOT_PAGES;

		want.tables = (struct pool){ .lock = { .rank = LOCK_RANK_POOL } };
		if (tables > 2) {
			want.donated_count -= 2;
			want.donated.v = list[2];
		} else {
			want.s2 = (struct s2){ .root = { 0 } };
			want.is_owned = false;
			want.donated_count = 0;
			want.donated.v = 0;
			want.vm = NULL;
			want_vm.dma_contexts -= mine->vm != NULL;
		}
	}

	status = dma_free(MINE, &left);

	reach(status == CV_OK && left == 0 && returned == 2, "only the roots");
	reach(status == CV_OK && left == 0 && returned == 3, "the last table and the roots");
	reach(status == CV_OK && left == 0 && returned == 4, "a whole batch");
	reach(status == CV_OK && left == 3, "two of many");
	reach(status == CV_OK && want_vm.dma_contexts == 1 && vm.state == VM_POWEROFF, "a VM's");
	reach(status == CV_E_NOENT, "NOENT");
	reach(status == CV_E_STATE, "STATE");
	reach(status == CV_E_BUSY, "BUSY");
	claim(status == expected, "the status is the specified one");
	claim(left == (status == CV_OK ? want.donated_count : nothing), "so many are left");
	claim(returned == popped && popped == before[MINE].donated_count - mine->donated_count,
	      "all that left the list are the host's");
	claim_as_wanted();
}

/* ---- no context at all ---- */

/* Pre: index is a constant. */
static void call_all(u64 index)
{
	u64 out = 0;

	claim(dma_alloc(index, nondet_u64(), first_pfn) == CV_E_INVALID, "INVALID");
	claim(dma_topup(index, first_pfn) == CV_E_INVALID, "INVALID");
	claim(dma_map(index, nondet_u64(), first_pfn, nondet_u64(), &out) == CV_E_INVALID,
	      "INVALID");
	claim(dma_unmap(index, nondet_u64(), nondet_u64(), &out) == CV_E_INVALID, "INVALID");
	claim(dma_free(index, &out) == CV_E_INVALID, "INVALID");
	claim(out == 0 && !is_taken, "a refusal takes nothing");
}

void proof_dma_index(void)
{
	any_state();
	first_pfn = nondet_u64();
	call_all(RV_DMA_CONTEXTS);
	call_all(1ull << 32 | MINE);
	call_all(~0ull);
	reach(mine->is_owned, "beside a context that is there");
	claim_as_wanted();
}
