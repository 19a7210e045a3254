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

#define BUCKETS 4096

static struct fake_page *buckets[BUCKETS];
static struct fake_page *all_pages;
static u64 el2_root;
static u64 window_pfn[FAKE_CPUS];     /* open window, + 1 */
static u64 window_tlb_pfn[FAKE_CPUS]; /* what the CPU's TLB holds for its window, + 1 */

static struct fake_page *page_find(u64 pfn)
{
	struct fake_page *page = buckets[pfn % BUCKETS];

	while (page != NULL && page->pfn != pfn) {
		page = page->next;
	}
	return page;
}

static struct fake_page *page_make(u64 pfn)
{
	struct fake_bytes *bytes = aligned_alloc(4096, align_up(sizeof(*bytes), 4096));
	struct fake_page *page = calloc(1, sizeof(*page));

	memset(bytes, 0, sizeof(*bytes));
	bytes->page = page;
	page->pfn = pfn;
	page->cache = bytes->cache;
	page->dram = bytes->dram;
	page->icache = bytes->icache;
	page->seen = bytes->seen;
	return page;
}

struct fake_page *fake_page_of(u64 pfn)
{
	struct fake_page **slot = &buckets[pfn % BUCKETS];
	struct fake_page *page;

	fake_lock();
	page = page_find(pfn);
	if (page == NULL) {
		page = page_make(pfn);
		page->next = *slot;
		*slot = page;
		page->next_all = all_pages;
		all_pages = page;
		ASAN_POISON_MEMORY_REGION(page->cache, PAGE_SIZE);
	}
	fake_unlock();
	return page;
}

void fake_mem_reset(void)
{
	while (all_pages != NULL) {
		struct fake_page *page = all_pages;

		all_pages = page->next_all;
		ASAN_UNPOISON_MEMORY_REGION(page->cache, PAGE_SIZE);
		free(page->cache); /* the struct fake_bytes */
		free(page);
	}
	memset(buckets, 0, sizeof(buckets));
	memset(window_pfn, 0, sizeof(window_pfn));
	memset(window_tlb_pfn, 0, sizeof(window_tlb_pfn));
	memset(&fake_counts, 0, sizeof(fake_counts));
	el2_root = 0;
}

void fake_page_open(struct fake_page *page)
{
	ASAN_UNPOISON_MEMORY_REGION(page->cache, PAGE_SIZE);
}

void fake_page_close(struct fake_page *page)
{
	if (!page->is_el2 && page->windows == 0) {
		ASAN_POISON_MEMORY_REGION(page->cache, PAGE_SIZE);
	}
}

/* The cache takes the page in, as any cacheable access makes it. */
static void allocate(struct fake_page *page)
{
	if (!page->is_cached) {
		memcpy(page->cache, page->dram, PAGE_SIZE);
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

	fake_lock();
	/* In EL2's TLB already: whether it should be is fake_check_tlbs()'s question. */
	if (el2_root != 0 && !page->is_el2 && !fake_el2_maps(page->pfn)) {
		fake_fail("EL2 uses %#lx, which its map does not have", pa.v);
	}
	page->is_el2 = true;
	page->is_token_valid = false;
	fake_page_open(page);
	allocate(page);
	page->is_dirty = true; /* what EL2 does with the pointer is not seen */
	fake_unlock();
	return page->cache + pa.v % PAGE_SIZE;
}

void fake_el2_forget(u64 va)
{
	struct fake_page *page = fake_page_of(va >> PAGE_SHIFT);

	page->is_el2 = false;
	page->is_token_valid = false;
	fake_page_close(page);
}

void fake_el2_check_and_warm(void)
{
	for (struct fake_page *page = all_pages; page != NULL; page = page->next_all) {
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

/* ---- windows ---- */

void *arch_window_open(pfn_t pfn)
{
	u32 cpu = arch_cpu_index();
	struct fake_page *page = fake_page_of(pfn.v);
	u64 va = (u64)(uintptr_t)hyp_window_set(cpu, pfn);
	u64 pa;

	fake_lock();
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
	fake_unlock();
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
	fake_lock();
	page = fake_page_of(window_pfn[cpu] - 1);
	window_pfn[cpu] = 0;
	page->windows--;
	page->is_token_valid = false;
	fake_page_close(page);
	fake_unlock();
}

void arch_tlb_invalidate_window(u64 va)
{
	if (va == HYP_WINDOW_BASE + (2ull * arch_cpu_index() + 1) * PAGE_SIZE) {
		window_tlb_pfn[arch_cpu_index()] = 0;
	}
}

void arch_tlb_invalidate_hyp(u64 va)
{
	fake_lock();
	fake_counts.tlb_hyp++;
	fake_el2_forget(va);
	fake_unlock();
}

/* ---- caches ---- */

static void clean_invalidate(struct fake_page *page)
{
	fake_page_open(page);
	if (page->is_cached && page->is_dirty) {
		memcpy(page->dram, page->cache, PAGE_SIZE);
	}
	page->is_cached = false;
	page->is_dirty = false;
	page->is_token_valid = false; /* a clean line may have hidden what lay below */
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
	fake_lock();
	fake_counts.cleans++;
	clean_invalidate(fake_page_of(pfn.v));
	fake_unlock();
	fake_others();
}

void arch_page_scrub(pfn_t pfn)
{
	void *page;

	fake_others();
	page = arch_window_open(pfn);
	memset(page, 0, PAGE_SIZE);
	arch_window_close();
	fake_lock();
	fake_counts.scrubs++;
	clean_invalidate(fake_page_of(pfn.v));
	fake_unlock();
	fake_others();
}

void arch_icache_invalidate_all(void)
{
	fake_lock();
	fake_counts.icache++;
	for (struct fake_page *page = all_pages; page != NULL; page = page->next_all) {
		page->is_icached = false;
	}
	fake_unlock();
}

/* ---- the test's own eye ---- */

static bool copies_equal(struct fake_page *page)
{
	bool equal;

	fake_page_open(page);
	equal = !page->is_cached || memcmp(page->cache, page->dram, PAGE_SIZE) == 0;
	fake_page_close(page);
	return equal;
}

bool fake_page_is_clean(u64 pfn)
{
	struct fake_page *page = fake_page_of(pfn);

	return copies_equal(page) &&
	       (!page->is_icached || memcmp(page->icache, page->dram, PAGE_SIZE) == 0);
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

	if (page == NULL) {
		return 0; /* never touched */
	}
	/* Writes through a pointer that EL2 has are not seen: such a page is looked at. */
	if (page->is_token_valid && !page->is_el2 && page->windows == 0) {
		return page->token;
	}
	fake_page_open(page);
	bytes = page->is_cached ? page->cache : page->dram;
	if (memcmp(bytes, page->seen, PAGE_SIZE) != 0) {
		memcpy(page->seen, bytes, PAGE_SIZE);
		page->token = is_zero(bytes) ? 0 : digest_of(0xcbf29ce484222325ull, bytes);
	}
	page->is_token_valid = true;
	fake_page_close(page);
	return page->token;
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
	page->is_token_valid = false;
	fake_page_close(page);
}
