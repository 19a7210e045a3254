/* SPDX-License-Identifier: BSD-3-Clause */
/* CPUs (a thread is one at a time), the order of locks, and the core's last resort. */
#include "fake_impl.h"

#include <cv/arch.h>
#include <cv/arch_host.h>
#include <cv/check.h>
#include <cv/lock.h>
#include <cv/rng.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool fake_entropy = true;
const u64 fake_no_owner[4];

static _Thread_local u32 this_cpu;
static u32 held[FAKE_CPUS];
static bool is_in_library[FAKE_CPUS];
static struct {
	u32 count;
	const struct lock *lock[FAKE_LOCK_LOG];
	u32 ranks;
} lock_log[FAKE_CPUS];
static u64 counter;
static struct lock rng_lock = LOCK_INIT(LOCK_RANK_RNG);

void fake_fail(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	fprintf(stderr, "fake machine: ");
	vfprintf(stderr, format, arguments);
	fprintf(stderr, "\n");
	va_end(arguments);
	abort();
}

void fake_cpu_reset(void)
{
	this_cpu = 0;
	memset(held, 0, sizeof(held));
	memset(is_in_library, 0, sizeof(is_in_library));
	counter = 0;
	fake_entropy = true;
}

void fake_cpu_set(u32 cpu)
{
	if (cpu >= FAKE_CPUS) {
		fake_fail("no CPU %u", cpu);
	}
	this_cpu = cpu;
}

u32 arch_cpu_index(void)
{
	return this_cpu;
}

u32 fake_locks_held(void)
{
	return held[this_cpu];
}

void fake_lock_log_begin(void)
{
	lock_log[this_cpu].count = 0;
	lock_log[this_cpu].ranks = 0;
}

u32 fake_lock_log(const struct lock *locks[FAKE_LOCK_LOG])
{
	memcpy(locks, lock_log[this_cpu].lock, sizeof(lock_log[this_cpu].lock));
	return lock_log[this_cpu].count;
}

u32 fake_ranks_taken(void)
{
	return lock_log[this_cpu].ranks;
}

/* More different ones than the log holds are forgotten, so it must be begun anew where it is read.
 */
static void log_lock(const struct lock *lock)
{
	u32 *count = &lock_log[this_cpu].count;

	lock_log[this_cpu].ranks |= 1u << lock->rank;
	for (u32 i = 0; i < *count; i++) {
		if (lock_log[this_cpu].lock[i] == lock) {
			return;
		}
	}
	if (*count < FAKE_LOCK_LOG) {
		lock_log[this_cpu].lock[*count] = lock;
		*count += 1;
	}
}

void arch_lock_taken(const struct lock *lock)
{
	const u32 rank = lock->rank;

	if (rank == 0 || rank >= LOCK_RANK_COUNT) {
		fake_fail("a lock of rank %u", rank);
	}
	if (held[this_cpu] >> rank != 0) {
		fake_fail("CPU %u takes a lock of rank %u while it holds ranks %#x", this_cpu, rank,
			  held[this_cpu]);
	}
	held[this_cpu] |= 1u << rank;
	log_lock(lock);
}

void arch_lock_dropped(const struct lock *lock)
{
	const u32 rank = lock->rank;

	if ((held[this_cpu] & 1u << rank) == 0) {
		fake_fail("CPU %u drops a lock of rank %u that it does not hold", this_cpu, rank);
	}
	held[this_cpu] &= ~(1u << rank);
	if (held[this_cpu] == 0) {
		fake_tlb_call_ended(this_cpu);
	}
}

void arch_wait_event(void)
{
	sched_yield();
}

void arch_send_event(void)
{
}

void arch_park(void)
{
	fake_fail("CPU %u parks", this_cpu);
}

void panic_poll(void)
{
}

void panic_check(const char *what, const char *file, int line)
{
	fake_fail("CV_CHECK(%s) at %s:%d", what, file, line);
}

void fake_counter_set(u64 value)
{
	counter = value;
}

u64 arch_counter(void)
{
	return counter;
}

bool arch_random(u64 *out)
{
	static u64 state = 88172645463325252ull;

	fake_lock();
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	*out = state;
	fake_unlock();
	return fake_entropy;
}

bool rng_is_ready(void)
{
	return fake_entropy;
}

/* Under a lock of its rank, as rng.c. */
bool rng_bytes(void *out, u64 bytes)
{
	u8 *at = out;

	lock_acquire(&rng_lock);
	for (u64 i = 0; i < bytes; i++) {
		u64 word;

		arch_random(&word);
		at[i] = (u8)word;
	}
	lock_release(&rng_lock);
	return fake_entropy;
}

void arch_fp_begin(void)
{
	if (is_in_library[this_cpu]) {
		fake_fail("CPU %u saves its vector registers twice", this_cpu);
	}
	is_in_library[this_cpu] = true;
}

void arch_fp_end(void)
{
	if (!is_in_library[this_cpu]) {
		fake_fail("CPU %u restores vector registers that it did not save", this_cpu);
	}
	is_in_library[this_cpu] = false;
}

void arch_clean_range(const void *start, u64 bytes)
{
	(void)start;
	(void)bytes;
}

void plat_console_write(const char *text, size_t bytes)
{
	(void)text;
	(void)bytes;
}
