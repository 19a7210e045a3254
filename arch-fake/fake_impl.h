/* SPDX-License-Identifier: BSD-3-Clause */
/* Shared by the files of arch-fake. */
#ifndef FAKE_IMPL_H
#define FAKE_IMPL_H

#include "fake.h"

#include <pthread.h>

struct fake_page {
	u64 pfn;
	struct fake_page *next;
	bool is_cached; /* the cache holds the page: `cache` is what a cacheable access sees */
	bool is_dirty;
	bool is_icached;
	bool is_el2; /* EL2's TLB holds a translation, or EL2 holds a pointer */
	u32 windows; /* open windows on it */
	_Alignas(4096) u8 cache[4096];
	u8 dram[4096];
	u8 icache[4096];
};

extern pthread_mutex_t fake_mutex; /* recursive: the machine's state */

struct fake_page *fake_page_of(u64 pfn); /* made at first touch */
struct fake_page *fake_pages(u32 bucket);
#define FAKE_BUCKETS 4096
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
