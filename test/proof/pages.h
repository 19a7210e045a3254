/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The memory core by its contracts, for proofs of the calls that are built on it: a ledger of 8
 * pages in 2 regions, any state, and what each transition of one page does to it. That mem.c keeps
 * these contracts, with real tables: proof_mem_*.c.
 */
#ifndef PAGES_H
#define PAGES_H

#include "guests.h"

#include <cv/ledger.h>
#include <cv/mem.h>

#define REGION_A 18ull
#define REGION_A_PAGES 3ull
#define REGION_B 24ull
#define REGION_B_PAGES 5ull
#define PAGES (REGION_A_PAGES + REGION_B_PAGES)

static struct page pages[PAGES];
static bool is_scrubbed[PAGES]; /* content is gone since the call began */
static bool is_at_el2[PAGES];	/* EL2's map holds it */
static struct page want_page[PAGES];
static bool want_scrubbed[PAGES];
static bool want_at_el2[PAGES];

static bool is_ram(u64 pfn)
{
	return pfn - REGION_A < REGION_A_PAGES || pfn - REGION_B < REGION_B_PAGES;
}

/* Pre: is_ram(pfn). */
static u32 page_at(u64 pfn)
{
	return (u32)(pfn < REGION_B ? pfn - REGION_A : pfn - REGION_B + REGION_A_PAGES) &
	       (PAGES - 1);
}

static void any_pages(void)
{
	for (u32 i = 0; i < PAGES; i++) {
		struct page page = { .owner = OWNER_HOST + (u32)any_below(4) };

		page.state = nondet_bool() ? PAGE_SHARED : PAGE_EXCLUSIVE;
		if (page.owner == OWNER_CORE) {
			page.state = PAGE_EXCLUSIVE;
			page.gfn = any_below(REGION_B + REGION_B_PAGES);
		} else if (page.owner == OWNER_HOST) {
			page.count = page.state == PAGE_SHARED ? 1 + (u32)any_below(4000) : 0;
		} else {
			page.gfn = any_below(GFN_LIMIT);
		}
		pages[i] = page;
		is_scrubbed[i] = false;
		is_at_el2[i] = page.owner == OWNER_CORE;
	}
}

static void want_same_pages(void)
{
	for (u32 i = 0; i < PAGES; i++) {
		want_page[i] = pages[i];
		want_scrubbed[i] = is_scrubbed[i];
		want_at_el2[i] = is_at_el2[i];
	}
}

static void want_core_page(u64 pfn, u64 next)
{
	want_page[page_at(pfn)] = (struct page){ .owner = OWNER_CORE, .gfn = next };
	want_scrubbed[page_at(pfn)] = true;
	want_at_el2[page_at(pfn)] = true;
}

static void want_host_page(u64 pfn)
{
	want_page[page_at(pfn)] = (struct page){ .owner = OWNER_HOST };
	want_scrubbed[page_at(pfn)] = true;
	want_at_el2[page_at(pfn)] = false;
}

static void claim_pages_as_wanted(void)
{
	for (u32 i = 0; i < PAGES; i++) {
		claim(pages[i].owner == want_page[i].owner &&
			      pages[i].state == want_page[i].state &&
			      pages[i].count == want_page[i].count &&
			      pages[i].gfn == want_page[i].gfn,
		      "the page is whose it is specified to be");
		claim(is_scrubbed[i] == want_scrubbed[i], "its content is gone as specified");
		claim(is_at_el2[i] == want_at_el2[i], "EL2 has it mapped as specified");
	}
}

/* ---- mem.h ---- */

static bool is_hosts_alone(u64 pfn)
{
	return is_ram(pfn) && pages[page_at(pfn)].owner == OWNER_HOST &&
	       pages[page_at(pfn)].state == PAGE_EXCLUSIVE;
}

enum cv_status mem_host_page_check(u64 pfn)
{
	if (!is_ram(pfn)) {
		return CV_E_RANGE;
	}
	return is_hosts_alone(pfn) ? CV_OK : CV_E_STATE;
}

/* Tables run out at any page, or not at all. */
static u32 takes_left;

enum cv_status mem_host_take_core(u64 pfn)
{
	enum cv_status status = mem_host_page_check(pfn);

	if (status != CV_OK) {
		return status;
	}
	if (takes_left == 0) {
		return CV_E_NOMEM;
	}
	takes_left--;
	pages[page_at(pfn)] = (struct page){ .owner = OWNER_CORE };
	is_at_el2[page_at(pfn)] = true;
	return CV_OK;
}

void mem_host_untake_core(pfn_t pfn)
{
	claim(is_ram(pfn.v) && pages[page_at(pfn.v)].owner == OWNER_CORE, "it was taken");
	claim(!is_scrubbed[page_at(pfn.v)], "its content is still there");
	pages[page_at(pfn.v)] = (struct page){ .owner = OWNER_HOST };
	is_at_el2[page_at(pfn.v)] = false;
}

static void page_was_cleared(u64 pfn);

void mem_core_clear(pfn_t pfn)
{
	claim(is_ram(pfn.v) && pages[page_at(pfn.v)].owner == OWNER_CORE, "a page of the core");
	is_scrubbed[page_at(pfn.v)] = true;
	page_was_cleared(pfn.v);
}

enum cv_status mem_host_donate_core(u64 pfn)
{
	enum cv_status status = mem_host_take_core(pfn);

	if (status == CV_OK) {
		mem_core_clear(pfn_make(pfn));
	}
	return status;
}

void mem_core_return_host(pfn_t pfn)
{
	claim(is_ram(pfn.v) && pages[page_at(pfn.v)].owner == OWNER_CORE, "a page of the core");
	pages[page_at(pfn.v)] = (struct page){ .owner = OWNER_HOST };
	is_scrubbed[page_at(pfn.v)] = true;
	is_at_el2[page_at(pfn.v)] = false;
}

void mem_core_set_next(pfn_t pfn, pfn_t next)
{
	claim(is_ram(pfn.v) && pages[page_at(pfn.v)].owner == OWNER_CORE, "a page of the core");
	pages[page_at(pfn.v)].gfn = next.v;
}

pfn_t mem_core_next(pfn_t pfn)
{
	claim(is_ram(pfn.v) && pages[page_at(pfn.v)].owner == OWNER_CORE, "a page of the core");
	return pfn_make(pages[page_at(pfn.v)].gfn);
}

enum cv_status mem_host_share_core(u64 pfn)
{
	enum cv_status status = mem_host_page_check(pfn);

	if (status == CV_OK && takes_left == 0) {
		status = CV_E_NOMEM;
	}
	if (status == CV_OK) {
		takes_left--;
		pages[page_at(pfn)].state = PAGE_SHARED;
		pages[page_at(pfn)].count = 1;
		is_at_el2[page_at(pfn)] = true;
	}
	return status;
}

void mem_host_unshare_core(pfn_t pfn)
{
	struct page *page = &pages[page_at(pfn.v)];

	claim(is_ram(pfn.v) && page->owner == OWNER_HOST && page->count > 0 &&
		      is_at_el2[page_at(pfn.v)],
	      "a run page");
	page->count--;
	page->state = page->count > 0 ? PAGE_SHARED : PAGE_EXCLUSIVE;
	is_at_el2[page_at(pfn.v)] = false;
}

#endif
