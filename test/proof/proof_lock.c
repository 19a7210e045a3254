/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Proof: the twelve lock primitives of the seed (reference 16.4), six classes of one pair. lock.c
 * runs unmodified, but every access it makes to shared memory goes through the functions below:
 * just before each one the other CPUs do whatever lock.c lets them do - take tickets, and pass the
 * lock on while it is theirs. For every number of CPUs up to that of the real machine, every ticket
 * number, so also when the 32-bit counters wrap:
 *   - who returns from acquire is the only one being served, and everybody who came before has been
 *     served, nobody who came later (FIFO);
 *   - acquire ends with a load-acquire that saw its ticket; release is one store-release of the
 * next ticket, and nothing of the holder's comes after it: what the lock protects is published
 * first;
 *   - the harness does to the lock only what it lets the others do, so the same holds for them.
 * Each class's harness takes the lock the way the core does; the object that the class protects is
 * changed by others until the lock is ours, and stays as it is from then on.
 * That a waiter ends is assumed of the others: whoever is served passes the lock on some time. Any
 * number of them may pass in one round of the wait, and a round keeps nothing, so three rounds show
 * every case.
 * Proof-args: --unwind 4 --unwindset lock_acquire.0:4,ledger_init.0:3,ledger_init.1:7,region_of.0:3
 * Proof-args: --unwindset region_init.0:7,region_init.1:3,slot_alloc.0:4,vm_init.0:4
 * Proof-args: corevisor/core/ledger.c
 * Proof-entry: proof_lock_core quick
 * Proof-entry: proof_lock_s2page quick
 * Proof-entry: proof_lock_pt quick
 * Proof-entry: proof_lock_vm quick
 */
#include "proof.h"

#include <cv/arch.h>
#include <cv/host_map.h>
#include <cv/ledger.h>
#include <cv/lock.h>
#include <cv/vm.h>

#define CPUS 64u /* CPU_MAX of the real geometry */

/*
 * The lock under proof. Its two words are `base` + a small number each; the proof counts with the
 * small ones (sums of 32 bits are dear), so that `base` is free and the words wrap.
 */
static struct lock *the_lock;
static u32 base;
static u8 serving;
static u8 next;
/* What this CPU has done with it. */
/* HOLDING from the load-acquire on that saw our ticket. */
static enum { NOT_THERE, WAITING, HOLDING, PASSED } me;
static u8 my_ticket;
static u8 came_first; /* had a ticket before us and had not passed the lock on yet */
static u8 rounds;     /* of the wait */
static u32 rank_held;
/* Changes what the lock protects, as others may while they hold it. */
static void (*havoc)(void);

static void no_havoc(void)
{
}

static void show_words(void)
{
	the_lock->serving = base + serving;
	the_lock->next = base + next;
}

/* Any legal progress of the other CPUs. Tickets that are out: at most one of each CPU. */
static void others_run(void)
{
	u8 new_serving = nondet_u8();
	u8 new_next = nondet_u8();
	u8 mine = me == WAITING || me == HOLDING ? 0 : 1;

	assume(new_serving >= serving && new_next >= next && new_serving <= new_next &&
	       new_next - new_serving <= CPUS - mine);
	switch (me) {
	case WAITING:
		assume(new_serving <= my_ticket && (rounds < 3 || new_serving == my_ticket));
		break;
	case HOLDING:
		assume(new_serving == serving);
		break;
	default:
		/* More than these would only be a larger `base`. */
		assume(new_next <= CPUS + mine * CPUS);
	}
	assume(new_next <= 3 * CPUS);
	if (new_serving > serving || (me != HOLDING && new_next > next)) {
		havoc();
	}
	serving = new_serving;
	next = new_next;
	show_words();
}

static u32 shared_add(u32 *at, u32 by, int order)
{
	u32 old;

	(void)order; /* a ticket orders nothing; the load that sees it served does */
	claim(at == &the_lock->next && by == 1 && me == NOT_THERE, "one ticket, once");
	others_run();
	old = *at;
	my_ticket = next;
	came_first = my_ticket - serving;
	next++;
	show_words();
	me = WAITING;
	return old;
}

static u32 shared_load(const u32 *at, int order)
{
	claim(at == &the_lock->serving, "only the served ticket is looked at");
	others_run();
	if (order == __ATOMIC_ACQUIRE && me == WAITING && serving == my_ticket) {
		me = HOLDING;
	}
	return *at;
}

static void shared_store(u32 *at, u32 value, int order)
{
	claim(at == &the_lock->serving && me == HOLDING, "only the holder passes the lock on");
	claim(order == __ATOMIC_RELEASE, "what was written under the lock is published before");
	others_run();
	claim(value - base == my_ticket + 1u, "the next ticket is served");
	serving = my_ticket + 1;
	show_words();
	me = PASSED;
}

/* lock.c's shared memory is ours; nothing else in this file is compiled so. */
#define __atomic_fetch_add(at, by, order) shared_add(at, by, order)
#define __atomic_load_n(at, order) shared_load(at, order)
#define __atomic_store_n(at, value, order) shared_store(at, value, order)
#include "../../corevisor/core/lock.c"
#undef __atomic_fetch_add
#undef __atomic_load_n
#undef __atomic_store_n

#include "../../corevisor/core/host_map.c"
#include "../../corevisor/core/vm.c"

void arch_lock_taken(u32 rank)
{
	claim(me == NOT_THERE && rank_held == 0, "the rank is checked before the wait");
	rank_held = rank;
}

void arch_lock_dropped(u32 rank)
{
	claim(rank == rank_held && me == HOLDING, "the rank that was taken is dropped");
	rank_held = 0;
}

void panic_poll(void)
{
	claim(me == WAITING, "every round of a wait notices a panic");
}

void arch_wait_event(void)
{
	claim(me == WAITING, "who is served does not wait");
	rounds++;
	others_run();
}

void arch_send_event(void)
{
	claim(me == PASSED, "waiters are woken after the lock was passed on");
}

/* ---- what every class's harness does ---- */

static void others_have(struct lock *lock, void (*change)(void))
{
	the_lock = lock;
	havoc = change;
	base = nondet_u32();
	serving = 0;
	next = (u8)any_below(CPUS);
	me = NOT_THERE;
	rounds = 0;
	show_words();
}

static void is_mine(u32 rank)
{
	u8 other = nondet_u8();

	claim(me == HOLDING, "acquired by a load-acquire that saw our ticket");
	claim(the_lock->serving == base + serving && serving == my_ticket,
	      "FIFO: all who came before us have been served, nobody after us");
	assume(other >= serving && other < next);
	claim(other == my_ticket || other != serving, "nobody else is served");
	claim(rank_held == rank && the_lock->rank == rank, "the class's rank");
	reach(came_first == CPUS - 1, "the last of all CPUs");
	reach(came_first == 0, "at once");
	reach(rounds == 3, "after a wait of several rounds");
	reach(came_first > 0 && base + my_ticket == 0, "the counter wraps while we wait");
	reach(next - my_ticket == CPUS, "all others wait for us");
}

static void was_mine(void)
{
	claim(me == PASSED && rank_held == 0, "released once");
}

static void pair(struct lock *lock, u32 rank)
{
	others_have(lock, no_havoc);
	lock_acquire(lock);
	is_mine(rank);
	lock_release(lock);
	was_mine();
}

/* ---- core: the table of VM slots. acquire_lock_core, release_lock_core ---- */

static void others_take_slots(void)
{
	for (u32 i = 0; i < VM_SLOTS; i++) {
		slots.slot[i].is_taken = nondet_bool();
	}
}

void proof_lock_core(void)
{
	struct vm_slot *slot;

	vm_init();
	others_have(&slots.lock, others_take_slots);
	others_take_slots();
	slot = slot_alloc();
	/* What is_mine() says of the moment between is said by the stubs here: vm.c holds the lock
	 * inside one function. */
	claim(me == PASSED || slot == NULL, "released");
	was_mine();
	reach(slot == NULL, "all taken");
	reach(slot == &slots.slot[2], "the last one");

	pair(&slots.lock, LOCK_RANK_VM_SLOTS);
}

/* ---- s2page: the ledger, a lock for each block. acquire_lock_s2page, release_lock_s2page ---- */

#define FIRST 18ull

void proof_lock_s2page(void)
{
	static u64 entries[8];
	static struct ledger_block blocks[3];
	const struct ledger_region regions[2] = {
		{ .base = { FIRST << PAGE_SHIFT }, .pages = 3 },
		{ .base = { (FIRST + 4) << PAGE_SHIFT }, .pages = 5 },
	};
	pfn_t pfn = pfn_make(FIRST + any_below(9));
	pfn_t other = pfn_make(FIRST + any_below(9));
	bool is_same_block = pfn.v / PAGES_PER_BLOCK == other.v / PAGES_PER_BLOCK;
	enum cv_status status = ledger_init(regions, 2, entries, blocks);

	claim(status == CV_OK, "the proof's RAM is well-formed");
	assume(ledger_is_ram(pfn) && ledger_is_ram(other));
	claim((ledger_lock(pfn) == ledger_lock(other)) == is_same_block,
	      "pages have one lock exactly if they are of one block, be it in two regions");
	reach(is_same_block && pfn.v < FIRST + 3 && other.v > FIRST + 3, "a block of two regions");
	reach(!is_same_block, "two blocks");
	for (u32 i = 0; i < ARRAY_SIZE(blocks); i++) {
		claim((ledger_lock(pfn) == &blocks[i].lock) ==
			      (pfn.v / PAGES_PER_BLOCK == FIRST / PAGES_PER_BLOCK + i),
		      "the block's");
	}
	pair(&blocks[1].lock, LOCK_RANK_LEDGER); /* all are alike, and this way cheap */
}

/* ---- pt: page tables. acquire_lock_pt, release_lock_pt ---- */

/* The host's tables: the leaf tables are the ledger blocks' (above), what is over them is this. A
 * VM's tables are the VM's (below). */
void proof_lock_pt(void)
{
	pair(&host.upper, LOCK_RANK_HOST_UPPER);
}

/* ---- vm: acquire_lock_vm, release_lock_vm ---- */

static struct vm records[VM_SLOTS];

static void others_change_slots(void)
{
	for (u32 i = 0; i < VM_SLOTS; i++) {
		u64 generation = any_below(1ull << 56);
		bool is_there = generation != 0 && nondet_bool();

		slots.slot[i].handle = is_there ? generation << 8 | (OWNER_VM_FIRST + i) : 0;
		slots.slot[i].vm = is_there ? &records[i] : NULL;
	}
}

void proof_lock_vm(void)
{
	u64 handle = nondet_u64();
	u32 index = (u32)((handle & 0xff) - OWNER_VM_FIRST);
	struct vm *vm;

	vm_init();
	for (u32 i = 0; i < VM_SLOTS; i++) {
		records[i].lock = &slots.slot[i].lock;
	}
	others_change_slots();
	assume(index == 1 || index >= VM_SLOTS); /* all slots are alike, and this way it is cheap */
	others_have(&slots.slot[1].lock, others_change_slots);
	vm = vm_lock(handle);
	if (vm == NULL) {
		claim(rank_held == 0 && (me == NOT_THERE || me == PASSED), "no lock is left held");
		claim(index < VM_SLOTS || me == NOT_THERE, "what cannot be a VM takes no lock");
		reach(index >= VM_SLOTS, "no such slot");
		reach(index < VM_SLOTS, "no such VM any more");
	} else {
		is_mine(LOCK_RANK_VM);
		claim(vm == &records[1] && vm->lock == the_lock, "the VM of this slot");
		claim(slots.slot[1].handle == handle, "of this handle, now that it is locked");
		vm_unlock(vm);
		was_mine();
	}
}
