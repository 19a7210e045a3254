/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the proofs of DMA contexts have in common, included by each: three contexts in any state
 * that the invariants allow, one of them the call's; locks and the memory core by contract.
 */
#ifndef DMA_STATE_H
#define DMA_STATE_H

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

#endif
