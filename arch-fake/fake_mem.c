/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * RAM: a page has a DRAM copy, a cached copy that may differ, and an I-cache copy that nothing
 * updates. The core's pointers are pointers to the cached copy; the address sanitiser's poison lies
 * on it while EL2 does not map the page.
 */
#include "fake_impl.h"

#include <cv/arch.h>
#include <cv/hyp_map.h>
#include <cv/pte.h>
#include <sanitizer/asan_interface.h>
#include <stdlib.h>
#include <string.h>

pthread_mutex_t fake_mutex = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;
struct fake_counts fake_counts;

static struct fake_page *buckets[FAKE_BUCKETS];
static u64 el2_root;
static u64 window_pfn[FAKE_CPUS];     /* open window, + 1 */
static u64 window_tlb_pfn[FAKE_CPUS]; /* what the CPU's TLB holds for its window, + 1 */

struct fake_page *fake_pages(u32 bucket)
{
	return buckets[bucket];
}

static struct fake_page *page_find(u64 pfn)
{
	struct fake_page *page = buckets[pfn % FAKE_BUCKETS];

	while (page != NULL && page->pfn != pfn) {
		page = page->next;
	}
	return page;
}

struct fake_page *fake_page_of(u64 pfn)
{
	struct fake_page **slot = &buckets[pfn % FAKE_BUCKETS];
	struct fake_page *page;

	pthread_mutex_lock(&fake_mutex);
	page = page_find(pfn);
	if (page == NULL) {
		page = aligned_alloc(4096, align_up(sizeof(*page), 4096));
		memset(page, 0, sizeof(*page));
		page->pfn = pfn;
		page->next = *slot;
		*slot = page;
		ASAN_POISON_MEMORY_REGION(page->cache, sizeof(page->cache));
	}
	pthread_mutex_unlock(&fake_mutex);
	return page;
}

void fake_mem_reset(void)
{
	for (u32 i = 0; i < FAKE_BUCKETS; i++) {
		while (buckets[i] != NULL) {
			struct fake_page *page = buckets[i];

			buckets[i] = page->next;
			ASAN_UNPOISON_MEMORY_REGION(page->cache, sizeof(page->cache));
			free(page);
		}
	}
	memset(window_pfn, 0, sizeof(window_pfn));
	memset(window_tlb_pfn, 0, sizeof(window_tlb_pfn));
	memset(&fake_counts, 0, sizeof(fake_counts));
	el2_root = 0;
}

void fake_page_open(struct fake_page *page)
{
	ASAN_UNPOISON_MEMORY_REGION(page->cache, sizeof(page->cache));
}

void fake_page_close(struct fake_page *page)
{
	if (!page->is_el2 && page->windows == 0) {
		ASAN_POISON_MEMORY_REGION(page->cache, sizeof(page->cache));
	}
}

/* The cache takes the page in, as any cacheable access makes it. */
static void allocate(struct fake_page *page)
{
	if (!page->is_cached) {
		memcpy(page->cache, page->dram, sizeof(page->cache));
		page->is_cached = true;
		page->is_dirty = false;
	}
}

/* ---- EL2's own map ---- */

void fake_el2_root_set(u64 root_pa)
{
	el2_root = root_pa;
}

u64 fake_table_read(u64 pa)
{
	struct fake_page *page = fake_page_of(pa >> PAGE_SHIFT);
	u64 value;

	fake_page_open(page);
	memcpy(&value, (page->is_cached ? page->cache : page->dram) + pa % PAGE_SIZE,
	       sizeof(value));
	fake_page_close(page);
	return value;
}

bool fake_el2_walk(u64 va, u64 *pa)
{
	u64 table = el2_root;

	for (u32 level = 0; level <= 3; level++) {
		u64 index = va >> (PAGE_SHIFT + TABLE_BITS * (3 - level)) & (TABLE_ENTRIES - 1);
		u64 pte = fake_table_read(table + index * 8);

		if ((pte & PTE_VALID) == 0) {
			return false;
		}
		if ((pte & PTE_TABLE) == 0) {
			fake_fail("EL2's map has a block at level %u for %#lx", level, va);
		}
		table = pte & PTE_ADDR;
		if (level == 3) {
			bool is_writable = (pte & S1_RO) == 0;

			if (is_writable && (pte & S1_XN) == 0) {
				fake_fail("EL2 may write and execute %#lx", va);
			}
			*pa = table;
		}
	}
	return true;
}

bool fake_el2_maps(u64 pfn)
{
	u64 pa;

	return fake_el2_walk(pfn << PAGE_SHIFT, &pa) && pa == pfn << PAGE_SHIFT;
}

void *arch_core_va(pa_t pa)
{
	struct fake_page *page = fake_page_of(pa.v >> PAGE_SHIFT);

	pthread_mutex_lock(&fake_mutex);
	/* In EL2's TLB already: whether it should be is fake_check_tlbs()'s question. */
	if (el2_root != 0 && !page->is_el2 && !fake_el2_maps(page->pfn)) {
		fake_fail("EL2 uses %#lx, which its map does not have", pa.v);
	}
	page->is_el2 = true;
	fake_page_open(page);
	allocate(page);
	page->is_dirty = true; /* what EL2 does with the pointer is not seen */
	pthread_mutex_unlock(&fake_mutex);
	return page->cache + pa.v % PAGE_SIZE;
}

void fake_el2_forget(u64 va)
{
	struct fake_page *page = fake_page_of(va >> PAGE_SHIFT);

	page->is_el2 = false;
	fake_page_close(page);
}

void fake_el2_check_and_warm(void)
{
	for (u32 i = 0; i < FAKE_BUCKETS; i++) {
		for (struct fake_page *page = buckets[i]; page != NULL; page = page->next) {
			bool is_mapped = fake_el2_maps(page->pfn);

			if (page->is_el2 && !is_mapped) {
				fake_fail("EL2's TLB still has page %#lx", page->pfn);
			}
			if (is_mapped) {
				page->is_el2 = true;
				fake_page_open(page);
			}
		}
	}
}

/* ---- windows ---- */

void *arch_window_open(pfn_t pfn)
{
	u32 cpu = arch_cpu_index();
	struct fake_page *page = fake_page_of(pfn.v);
	u64 va = (u64)(uintptr_t)hyp_window_set(cpu, pfn);
	u64 pa;

	pthread_mutex_lock(&fake_mutex);
	if (window_pfn[cpu] != 0) {
		fake_fail("CPU %u opens its window twice", cpu);
	}
	if (!fake_el2_walk(va, &pa) || pa != pfn.v << PAGE_SHIFT) {
		fake_fail("the window of CPU %u does not show page %#lx", cpu, pfn.v);
	}
	if (window_tlb_pfn[cpu] != 0) {
		fake_fail("CPU %u still has the window on page %#lx in its TLB", cpu,
			  window_tlb_pfn[cpu] - 1);
	}
	window_pfn[cpu] = pfn.v + 1;
	window_tlb_pfn[cpu] = pfn.v + 1;
	page->windows++;
	fake_page_open(page);
	allocate(page);
	page->is_dirty = true;
	pthread_mutex_unlock(&fake_mutex);
	return page->cache;
}

void arch_window_close(void)
{
	u32 cpu = arch_cpu_index();
	struct fake_page *page;

	if (window_pfn[cpu] == 0) {
		fake_fail("CPU %u closes a window that is not open", cpu);
	}
	hyp_window_clear(cpu);
	pthread_mutex_lock(&fake_mutex);
	page = fake_page_of(window_pfn[cpu] - 1);
	window_pfn[cpu] = 0;
	page->windows--;
	fake_page_close(page);
	pthread_mutex_unlock(&fake_mutex);
}

void arch_tlb_invalidate_window(u64 va)
{
	if (va == HYP_WINDOW_BASE + (2ull * arch_cpu_index() + 1) * PAGE_SIZE) {
		window_tlb_pfn[arch_cpu_index()] = 0;
	}
}

void arch_tlb_invalidate_hyp(u64 va)
{
	pthread_mutex_lock(&fake_mutex);
	fake_counts.tlb_hyp++;
	fake_el2_forget(va);
	pthread_mutex_unlock(&fake_mutex);
}

/* ---- caches ---- */

static void clean_invalidate(struct fake_page *page)
{
	fake_page_open(page);
	if (page->is_cached && page->is_dirty) {
		memcpy(page->dram, page->cache, sizeof(page->dram));
	}
	page->is_cached = false;
	page->is_dirty = false;
	if (page->is_el2) {
		/* A pointer that EL2 keeps must go on working: the line is back at once. */
		allocate(page);
		page->is_dirty = true;
	}
	fake_page_close(page);
}

void arch_page_clean_invalidate(pfn_t pfn)
{
	fake_others();
	pthread_mutex_lock(&fake_mutex);
	fake_counts.cleans++;
	clean_invalidate(fake_page_of(pfn.v));
	pthread_mutex_unlock(&fake_mutex);
	fake_others();
}

void arch_page_scrub(pfn_t pfn)
{
	void *page;

	fake_others();
	page = arch_window_open(pfn);
	memset(page, 0, PAGE_SIZE);
	arch_window_close();
	pthread_mutex_lock(&fake_mutex);
	fake_counts.scrubs++;
	clean_invalidate(fake_page_of(pfn.v));
	pthread_mutex_unlock(&fake_mutex);
	fake_others();
}

void arch_icache_invalidate_all(void)
{
	pthread_mutex_lock(&fake_mutex);
	fake_counts.icache++;
	for (u32 i = 0; i < FAKE_BUCKETS; i++) {
		for (struct fake_page *page = buckets[i]; page != NULL; page = page->next) {
			page->is_icached = false;
		}
	}
	pthread_mutex_unlock(&fake_mutex);
}

/* ---- the test's own eye ---- */

static bool copies_equal(struct fake_page *page)
{
	bool equal;

	fake_page_open(page);
	equal = !page->is_cached || memcmp(page->cache, page->dram, sizeof(page->dram)) == 0;
	fake_page_close(page);
	return equal;
}

bool fake_page_is_clean(u64 pfn)
{
	struct fake_page *page = fake_page_of(pfn);

	return copies_equal(page) &&
	       (!page->is_icached || memcmp(page->icache, page->dram, sizeof(page->dram)) == 0);
}

static bool is_zero(const u8 *bytes)
{
	static const u8 zero[PAGE_SIZE];

	return memcmp(bytes, zero, sizeof(zero)) == 0;
}

bool fake_page_is_zero(u64 pfn)
{
	struct fake_page *page = fake_page_of(pfn);
	bool zero;

	fake_page_open(page);
	zero = is_zero(page->dram) && (!page->is_cached || is_zero(page->cache));
	fake_page_close(page);
	return zero;
}

static u64 digest_of(u64 digest, const u8 *bytes)
{
	for (u32 i = 0; i < PAGE_SIZE; i += sizeof(u64)) {
		u64 word;

		memcpy(&word, bytes + i, sizeof(word));
		digest = (digest ^ word) * 0x100000001b3ull;
		digest ^= digest >> 29;
	}
	return digest;
}

u64 fake_page_token(u64 pfn)
{
	struct fake_page *page = page_find(pfn);
	const u8 *bytes;
	u64 token;

	if (page == NULL) {
		return 0; /* never touched */
	}
	fake_page_open(page);
	bytes = page->is_cached ? page->cache : page->dram;
	token = is_zero(bytes) ? 0 : digest_of(0xcbf29ce484222325ull, bytes);
	fake_page_close(page);
	return token;
}

u64 fake_peek(u64 pfn, u64 offset)
{
	return fake_table_read(pfn << PAGE_SHIFT | offset);
}

void fake_poke(u64 pfn, u64 offset, u64 value)
{
	struct fake_page *page = fake_page_of(pfn);

	fake_page_open(page);
	allocate(page);
	memcpy(page->cache + offset, &value, sizeof(value));
	page->is_dirty = true;
	fake_page_close(page);
}
