/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Noninterference: a call of the host is run twice, from two states that agree but for what is
 * private of the VMs, and the host must not be able to tell (docs/proving.md). The states are any,
 * two VMs with two vCPUs each. All that lies below the code under proof is here by the weakest
 * contract there is: whatever is asked gets any answer, the same one at the same step of both
 * runs, and the steps of both runs must be the same, argument for argument. What lies there has no
 * other way to a VM's record or to a vCPU's, so it does the same, too: to ledger, tables, pools,
 * TLBs and caches. No content of a page is within reach: arch_core_va() gives new records only,
 * the window none at all.
 */
#ifndef TWO_RUNS_H
#define TWO_RUNS_H

#include <cv/types.h>

static bool is_second;
/* That none fails is proved elsewhere, from states that are sound. Here answers may be anything; a
 * check that fails in the first run has no second. */
#define CHECK_MAY_FAIL !is_second
#define LOCKS_ARE_STUBBED
#include "guests.h"

#include <cv/arch.h>
#include <cv/host_map.h>
#include <cv/hyp_map.h>
#include <cv/ledger.h>
#include <cv/mem_page.h>
#include <cv/rng.h>

/* ---- what is asked of the code below, and answered ---- */

#ifndef STEPS
#define STEPS 16u
#endif

struct asked {
	u32 what;
	u64 a, b, c;
};
struct answers {
	u64 at[STEPS];
};

struct answers nondet_answers(void);

static struct asked asked[STEPS];
static struct answers answers;
static u32 steps, steps_one;
static u32 locks_held;

/* A step is claimed to be the same if all before it were; assuming so afterwards is for the
 * solver's sake. */
static u64 ask_of(u32 what, u64 a, u64 b, u64 c)
{
	claim(steps < STEPS, "there is room for all steps");
	if (is_second) {
		const bool is_same = asked[steps].what == what && asked[steps].a == a &&
				     asked[steps].b == b && asked[steps].c == c;

		claim(is_same, "the same steps in the same order");
		assume(is_same);
	} else {
		asked[steps] = (struct asked){ .what = what, .a = a, .b = b, .c = c };
	}
	return answers.at[steps++];
}

/* Each question is the line it stands in. */
#define ask(a, b, c) ask_of(__LINE__, a, b, c)

static enum cv_status any_status(u64 answer)
{
	return (answer & 1) != 0   ? CV_OK
	       : (answer & 2) != 0 ? CV_E_RANGE
	       : (answer & 4) != 0 ? CV_E_STATE
	       : (answer & 8) != 0 ? CV_E_BUSY
				   : CV_E_NOMEM;
}

void lock_acquire(struct lock *lock)
{
	(void)lock;
	locks_held++;
}

void lock_release(struct lock *lock)
{
	(void)lock;
	claim(locks_held > 0, "a lock is held");
	locks_held--;
}

void lock_init(struct lock *lock, enum lock_rank rank)
{
	*lock = (struct lock){ .rank = rank };
}

static u64 pool_number(const struct pool *pool)
{
	return __CPROVER_POINTER_OBJECT(pool);
}

void pool_init(struct pool *pool)
{
	pool->free = pfn_make(0);
	pool->free_count = 0;
}

void pool_put(struct pool *pool, pfn_t pfn)
{
	(void)ask(pool_number(pool), pfn.v, 0);
	pool->free = pfn;
	pool->free_count++;
}

u32 pool_count(struct pool *pool)
{
	return (u32)ask(pool_number(pool), pool->free_count, 0);
}

bool pool_reserve(struct pool *pool, struct pool *into, u32 count, u32 floor)
{
	into->free_count = count;
	return (ask(pool_number(pool), count, floor) & 1) != 0;
}

void pool_return(struct pool *pool, struct pool *from)
{
	(void)ask(pool_number(pool), from->free_count, 0);
}

static struct s2_leaf any_leaf(u64 answer)
{
	struct s2_leaf leaf = {
		.is_mapped = (answer & 1) != 0,
		.level = 2 + (u32)(answer >> 1 & 1),
		.attr = (answer & 4) != 0 ? S2_NORMAL_RWX : S2_DEVICE,
		.wish = (enum s2_wish)((answer >> 3 & 1) + (answer >> 4 & 1)),
		.pa = { answer >> PAGE_SHIFT << PAGE_SHIFT },
	};

	/* A GiB is never mapped as a whole. */
	leaf.level -= !leaf.is_mapped && (answer & 32) != 0;
	return leaf;
}

struct s2_leaf s2_walk(const struct s2 *s2, gfn_t gfn)
{
	return any_leaf(ask(s2->vmid.v, s2->root.v, gfn.v));
}

u32 s2_tables_needed(const struct s2 *s2, gfn_t gfn, u32 level)
{
	return (u32)ask(s2->vmid.v, level, gfn.v) & 3;
}

static u64 leaf_number(u32 level, enum s2_attr attr, enum s2_wish wish)
{
	return level | (u64)attr << 8 | (u64)wish << 16;
}

void s2_map(struct s2 *s2, gfn_t gfn, pa_t pa, u32 level, enum s2_attr attr, enum s2_wish wish)
{
	(void)ask((u64)s2->vmid.v << 32 | leaf_number(level, attr, wish), gfn.v, pa.v);
}

void s2_unmap(struct s2 *s2, gfn_t gfn, u32 level, enum s2_wish wish)
{
	(void)ask(s2->vmid.v, gfn.v, leaf_number(level, S2_NORMAL_RWX, wish));
}

void s2_split(struct s2 *s2, gfn_t gfn, u32 level)
{
	(void)ask(s2->vmid.v, gfn.v, level);
}

void s2_clear_root(const struct s2 *s2)
{
	(void)ask(s2->vmid.v, s2->root.v, 0);
}

static struct lock block_lock;

struct lock *ledger_lock(pfn_t pfn)
{
	(void)pfn;
	return &block_lock;
}

bool ledger_is_ram(pfn_t pfn)
{
	return (ask(pfn.v, 0, 0) & 1) != 0;
}

struct page ledger_get(pfn_t pfn)
{
	const u64 answer = ask(pfn.v, 0, 0);

	return (struct page){ .owner = (u32)(answer & 0xff),
			      .state = (answer >> 8 & 1) != 0 ? PAGE_SHARED : PAGE_EXCLUSIVE,
			      .count = (u32)(answer >> 9 & LEDGER_COUNT_MAX),
			      .gfn = answer >> 24 };
}

void ledger_set(pfn_t pfn, struct page page)
{
	(void)ask(pfn.v, page.owner | (u64)page.count << 8 | (u64)page.state << 40, page.gfn);
}

void ledger_set_block(pfn_t first, struct page page)
{
	(void)ask(first.v, page.owner | (u64)page.count << 8 | (u64)page.state << 40, page.gfn);
}

bool ledger_is(pfn_t pfn, u32 owner, enum page_state state)
{
	return (ask(pfn.v, owner, state) & 1) != 0;
}

bool ledger_block_is_host_alone(pfn_t pfn)
{
	return (ask(pfn.v, 0, 0) & 1) != 0;
}

bool ledger_block_is_whole(pfn_t pfn)
{
	return (ask(pfn.v, 0, 0) & 1) != 0;
}

u32 host_map_tables_needed(pfn_t pfn, u32 level)
{
	return (u32)ask(pfn.v, level, 0) & 3;
}

void host_map_split(pfn_t pfn, u32 level, struct pool *reserved)
{
	(void)ask(pfn.v, level, reserved->free_count);
}

void host_map_remove(pfn_t pfn, u32 level)
{
	(void)ask(pfn.v, level, 0);
}

void host_map_add(pfn_t pfn, u32 level)
{
	(void)ask(pfn.v, level, 0);
}

void host_map_join(pfn_t pfn)
{
	(void)ask(pfn.v, 0, 0);
}

bool host_map_take_device(pfn_t pfn, struct pool *reserved)
{
	return (ask(pfn.v, reserved->free_count, 0) & 1) != 0;
}

void host_map_give_device(pfn_t pfn)
{
	(void)ask(pfn.v, 0, 0);
}

struct s2_leaf host_map_walk(ipa_t ipa)
{
	return any_leaf(ask(ipa.v, 0, 0));
}

u32 hyp_tables_needed(pfn_t pfn)
{
	return (u32)ask(pfn.v, 0, 0) & 3;
}

void hyp_map_page(pfn_t pfn, struct pool *reserved)
{
	(void)ask(pfn.v, reserved->free_count, 0);
}

void hyp_unmap_page(pfn_t pfn)
{
	(void)ask(pfn.v, 0, 0);
}

bool plat_is_assignable(pfn_t pfn)
{
	return (ask(pfn.v, 0, 0) & 1) != 0;
}

void *arch_window_open(pfn_t pfn)
{
	(void)pfn;
	claim(false, "no page is looked into");
	return NULL;
}

void arch_page_clean_invalidate(pfn_t pfn)
{
	(void)ask(pfn.v, 0, 0);
}

void arch_page_scrub(pfn_t pfn)
{
	(void)ask(pfn.v, 0, 0);
}

void arch_icache_invalidate_all(void)
{
	(void)ask(0, 0, 0);
}

void arch_dma_set_root(u32 context, pa_t root)
{
	(void)ask(context, root.v, 0);
}

u64 arch_counter(void)
{
	return ask(0, 0, 0);
}

bool rng_is_ready(void)
{
	return (ask(0, 0, 0) & 1) != 0;
}

/* One byte stands for all. */
bool rng_bytes(void *out, u64 bytes)
{
	u64 answer = ask(bytes, 0, 0);

	((u8 *)out)[bytes - 1] = (u8)(answer >> 1);
	return (answer & 1) != 0;
}

/* ---- mem.h, for what is built on it ---- */

#ifndef MEM_IS_UNDER_PROOF
enum cv_status mem_host_page_check(u64 pfn)
{
	return any_status(ask(pfn, 0, 0));
}

enum cv_status mem_host_pages_check(const u64 *pfns, u32 count)
{
	return any_status(ask(pfns[0], pfns[1], count));
}

enum cv_status mem_host_take_pages(const u64 *pfns, u32 count)
{
	return any_status(ask(pfns[0], count > 1 ? pfns[1] : 0, count));
}

enum cv_status mem_host_donate_core(u64 pfn)
{
	return any_status(ask(pfn, 0, 0));
}

enum cv_status mem_host_share_core(u64 pfn)
{
	return any_status(ask(pfn, 0, 0));
}

void mem_host_unshare_core(pfn_t pfn)
{
	(void)ask(pfn.v, 0, 0);
}

void mem_host_untake_core(pfn_t pfn)
{
	(void)ask(pfn.v, 0, 0);
}

void mem_core_return_host(pfn_t pfn)
{
	(void)ask(pfn.v, 0, 0);
}

void mem_core_set_next(pfn_t pfn, pfn_t next)
{
	(void)ask(pfn.v, next.v, 0);
}

pfn_t mem_core_next(pfn_t pfn)
{
	return pfn_make(ask(pfn.v, 0, 0));
}

bool mem_io_overlaps(const struct vm *vm, u64 gfn, u64 pages)
{
	return (ask(vm->owner, gfn, pages) & 1) != 0;
}

void mem_leaf_update(pfn_t first, u32 level, s64 uses, const enum page_state *state)
{
	(void)ask(first.v, level | (u64)(state == NULL ? 2 : *state) << 8, (u64)uses);
}

enum cv_status mem_map_page(struct vm *vm, u64 gfn, u64 pfn)
{
	enum cv_status status = any_status(ask(vm->owner, gfn, pfn));

	vm->guest_pages += status == CV_OK;
	return status;
}

bool mem_block_map(struct vm *vm, gfn_t gfn, pfn_t pfn)
{
	bool is_possible = (ask(vm->owner, gfn.v, pfn.v) & 1) != 0;

	vm->guest_pages += is_possible ? PAGES_PER_BLOCK : 0;
	return is_possible;
}

void mem_page_reclaim(struct vm *vm, gfn_t gfn, const struct s2_leaf *leaf)
{
	(void)ask((u64)vm->owner << 32 | leaf_number(leaf->level, leaf->attr, leaf->wish), gfn.v,
		  leaf->pa.v);
	vm->guest_pages -= s2_leaf_pages(leaf->level);
}

void mem_io_reclaim(struct vm *vm, gfn_t gfn, const struct s2_leaf *leaf)
{
	(void)ask((u64)vm->owner << 32 | leaf_number(leaf->level, leaf->attr, leaf->wish), gfn.v,
		  leaf->pa.v);
	vm->device_pages--;
}
#endif

/* ---- the two states ---- */

/* What a harness has beside the guests: draws and keeps it; keeps what came of it and puts back
 * what was; claims that the same came of it again. */
static void own_first(void);
static void own_second(void);
static void claim_own_same(void);

static enum cv_status status, status_one;
static u64 result, result_one;
static u64 the_handle; /* of the first VM, or of none */
static struct rv_run run_before[VMS][VM_VCPUS_MAX], run_one[VMS][VM_VCPUS_MAX];

/* Any record: guests.h draws only what its proofs need. Its bool are 0 or 1, counts so small that
 * they can still grow. */
static void any_record(u32 v)
{
	const struct vm drawn = *vms[v];
	struct vm *vm = vms[v];

	*vm = nondet_vm();
	vm->lock = drawn.lock;
	vm->handle = drawn.handle;
	vm->owner = drawn.owner;
	vm->is_protected = drawn.is_protected;
	vm->state = drawn.state;
	vm->seal.mode = drawn.seal.mode;
	vm->ram_count = (u32)any_below(RV_RAM_RANGES + 1);
	vm->vcpu_count = drawn.vcpu_count;
	vm->active_count = drawn.active_count;
	vm->may_be_saved = nondet_bool();
	vm->images.is_undone = nondet_bool();
	vm->images.count = (u32)any_below(RV_IMAGES_MAX + 1);
	vm->seal.is_complete = nondet_bool();
	vm->s2.vmid.v = (u16)drawn.owner;
	vm->s2.pool = &vm->tables;
	for (u32 c = 0; c < VM_VCPUS_MAX; c++) {
		vm->vcpus[c] = drawn.vcpus[c];
	}
}

static void first_state(void)
{
	any_guests();
	for (u32 v = 0; v < VMS; v++) {
		any_record(v);
		for (u32 c = 0; c < VM_VCPUS_MAX; c++) {
			run_before[v][c] = *runs[v][c];
		}
	}
	answers = nondet_answers();
	the_handle = any_handle();
	own_first();
	want_no_change();
	result = 77;
}

/* The guests' want_* are what came of the first run from now on. */
static void second_state(void)
{
	status_one = status;
	result_one = result;
	steps_one = steps;
	for (u32 v = 0; v < VMS; v++) {
		const struct vm vm_one = *vms[v];

		*vms[v] = *want_vm[v];
		*want_vm[v] = vm_one;
		for (u32 c = 0; c < VM_VCPUS_MAX; c++) {
			const struct vcpu vcpu_one = *vcpus[v][c];

			*vcpus[v][c] = *want_vcpu[v][c];
			*want_vcpu[v][c] = vcpu_one;
			run_one[v][c] = *runs[v][c];
			*runs[v][c] = run_before[v][c];
		}
		any_private(v);
	}
	own_second();
	is_second = true;
	steps = 0;
	result = 77;
}

static void claim_same(void)
{
	claim(status == status_one, "the same status");
	claim(result == result_one, "the same result");
	claim(steps == steps_one, "as many steps");
	claim(locks_held == 0, "no lock is left held");
	for (u32 v = 0; v < VMS; v++) {
		copy_key(want_vm[v], vms[v]);
		claim(__CPROVER_equal(*vms[v], *want_vm[v]), "the same of the VM's record");
		for (u32 c = 0; c < VM_VCPUS_MAX; c++) {
			struct vcpu vcpu = *vcpus[v][c];

			copy_public(&vcpu, want_vcpu[v][c]);
			claim(__CPROVER_equal(*vcpus[v][c], vcpu),
			      "the same of the vCPU's that the host may know");
			claim(__CPROVER_equal(*runs[v][c], run_one[v][c]),
			      "the same run page, to the last byte");
		}
	}
	claim_own_same();
}

/* A call, from the first state and from the second. A macro: it stands for code. */
#define twice(call)              \
	do {                     \
		first_state();   \
		status = (call); \
		second_state();  \
		status = (call); \
		claim_same();    \
	} while (0)

#endif
