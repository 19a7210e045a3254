/* SPDX-License-Identifier: BSD-3-Clause */
/* lock.c, with the other CPUs between any two of its accesses to shared memory (proof_lock.c). */
#ifndef LOCK_MODEL_H
#define LOCK_MODEL_H

#include "proof.h"

#include <cv/arch.h>
#include <cv/lock.h>

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

#endif
