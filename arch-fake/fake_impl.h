/* SPDX-License-Identifier: BSD-3-Clause */
/* Shared by the files of arch-fake. */
#ifndef FAKE_IMPL_H
#define FAKE_IMPL_H

#include "fake.h"

#include <pthread.h>
#include <sys/single_threaded.h>

struct fake_page {
	u64 pfn;
	struct fake_page *next;	    /* in its bucket */
	struct fake_page *next_all; /* of all pages */
	bool is_cached; /* the cache holds the page: `cache` is what a cacheable access sees */
	bool is_dirty;
	bool is_icached;
	bool is_el2;	     /* EL2's TLB holds a translation, or EL2 holds a pointer */
	bool is_token_valid; /* nobody has written since `token` was computed, of `seen` */
	u32 windows;	     /* open windows on it */
	u64 token;
	u8 *cache; /* PAGE_SIZE bytes each, in one struct fake_bytes */
	u8 *dram;
	u8 *icache;
	u8 *seen;
};

struct fake_bytes {
	_Alignas(4096) u8 cache[4096];
	u8 dram[4096];
	u8 icache[4096];
	u8 seen[4096];
	struct fake_page *page;
};

extern pthread_mutex_t fake_mutex; /* recursive: the machine's state */

/* A test without threads, like the model test, makes millions of accesses. */
static inline void fake_lock(void)
{
	if (!__libc_single_threaded) {
		pthread_mutex_lock(&fake_mutex);
	}
}

static inline void fake_unlock(void)
{
	if (!__libc_single_threaded) {
		pthread_mutex_unlock(&fake_mutex);
	}
}

struct fake_page *fake_page_of(u64 pfn); /* made at first touch */
void fake_mem_reset(void);
void fake_tlb_reset(void);
void fake_cpu_reset(void);
/* The CPU holds no lock any more: what it broke is not about to be made again. */
void fake_tlb_call_ended(u32 cpu);
/* Reads a word of the page as a table walker does (cacheable). */
u64 fake_table_read(u64 pa);
/* Around any access of the machine itself to a page's cached copy: lifts EL2's poison. */
void fake_page_open(struct fake_page *page);
void fake_page_close(struct fake_page *page);
/* One moment of everybody else's time. */
void fake_others(void);
/* What EL2's own tables say, whatever its TLB holds. */
bool fake_el2_walk(u64 va, u64 *pa);
void fake_el2_root_set(u64 root_pa);
/* After a change of EL2's map has been announced (invalidate) or seen (warm). */
void fake_el2_forget(u64 va);
void fake_el2_check_and_warm(void);

#endif
