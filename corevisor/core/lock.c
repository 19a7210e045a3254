/* SPDX-License-Identifier: BSD-3-Clause */
/* Ticket locks: first come, first served; acquire on entry, release on exit. */
#include <cv/lock.h>

#include <cv/arch.h>
#include <cv/check.h>

void lock_init(struct lock *lock, enum lock_rank rank)
{
	lock->next = 0;
	lock->serving = 0;
	lock->rank = rank;
}

void lock_acquire(struct lock *lock) CV_NO_LOCK_ANALYSIS
{
	u32 ticket;

	arch_lock_taken(lock);
	ticket = __atomic_fetch_add(&lock->next, 1, __ATOMIC_RELAXED);
	while (__atomic_load_n(&lock->serving, __ATOMIC_ACQUIRE) != ticket) {
		panic_poll();
		arch_wait_event();
	}
}

void lock_release(struct lock *lock) CV_NO_LOCK_ANALYSIS
{
	/* Only the holder writes `serving`, so the read needs no order. */
	u32 ticket = __atomic_load_n(&lock->serving, __ATOMIC_RELAXED);

	arch_lock_dropped(lock);
	__atomic_store_n(&lock->serving, ticket + 1, __ATOMIC_RELEASE);
	/* Always: to find out whether anybody waits would need a barrier as dear as the event. */
	arch_send_event();
}
