/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The ledger: one 64-bit entry for each 4 KiB page of RAM; the only authority on who owns a page.
 * Page tables are derived from it. A region lock covers the entries of one 2 MiB region of RAM and
 * the host's level-2 entry and leaf table of that region. Where a VM has all of a region as one
 * block, one word stands for its 512 entries. Seed: MemRegion, PageIndex, PageManager (reference 6,
 * layers 13-15).
 */
#ifndef CV_LEDGER_H
#define CV_LEDGER_H

#include <cv/lock.h>
#include <cv/status.h>
#include <cv/types.h>

/* Owner numbers. A VM's owner number is its slot + OWNER_VM_FIRST. */
enum {
	OWNER_INVALID = 0, /* not RAM */
	OWNER_CORE = 1,
	OWNER_HOST = 2,
	OWNER_VM_FIRST = 3,
	OWNER_VM_LAST = 257,
};

/* The number's low 8 bits, which is what every CPU has. 0 and 1 own no stage 2: the VMIDs of the
 * last two VMs. */
static inline vmid_t owner_vmid(u32 owner)
{
	return (vmid_t){ (u16)(owner & 0xff) };
}

/* What a page is, beside whose it is. */
enum page_state {
	PAGE_EXCLUSIVE = 0, /* its owner's alone */
	PAGE_SHARED = 1,    /* OWNER_HOST: in use by others, `count` times; OWNER_VM: the host may
			       access it too */
};

struct page {
	u32 owner;
	enum page_state state;
	/* A PAGE_SHARED page of the host: its uses as open VMs' memory, as a run page and in DMA
	 * contexts. A VM's page: how many of the VM's DMA contexts map it. Else 0. */
	u32 count;
	u64 gfn; /* VM pages: the one gfn; CORE pages of a VM: next pfn in the VM's list; else 0 */
};

#define LEDGER_COUNT_MAX 0xfff

/* Where RAM is; from the device tree, sorted, page aligned, not overlapping. The caller fills base
 * and pages. */
struct ledger_region {
	pa_t base;
	u64 pages;
	u64 first_entry;
	u64 first_block;
};

/* What the ledger keeps for each 2 MiB of RAM, whole or in part; RAM banks that meet inside one
 * share it. */
struct ledger_block {
	struct lock lock;
	u32 foreign; /* its pages that are not the host's: another's, or not RAM at all */
	u32 shared;  /* its pages that are the host's and PAGE_SHARED */
	u64 whole;   /* the entry of its first page, for all of them; 0: each has its own */
};

/*
 * Boot only. `entries` and `blocks` are memory of the corevisor,
 * ledger_entries_bytes()/ledger_blocks_bytes() long. Post: every page of RAM is OWNER_HOST,
 * PAGE_EXCLUSIVE. Errors: INVALID (none, unsorted, unaligned, too many, beyond the IPA space); page
 * 0 is never RAM (its number ends lists), so a bank at 0 begins at page 1 for the ledger.
 */
CV_MUST_USE enum cv_status ledger_init(const struct ledger_region *regions, u32 count, u64 *entries,
				       struct ledger_block *blocks);
u64 ledger_entries_bytes(const struct ledger_region *regions, u32 count);
u64 ledger_blocks_bytes(const struct ledger_region *regions, u32 count);

bool ledger_is_ram(pfn_t pfn);
/* The lock of the 2 MiB region that holds `pfn`. Pre: ledger_is_ram(pfn). */
struct lock *ledger_lock(pfn_t pfn);

/* Pre for the rest: ledger_is_ram(pfn) and the region's lock held. */
struct page ledger_get(pfn_t pfn);
void ledger_set(pfn_t pfn, struct page page);
/* All 512 pages at once, whatever they were: the host's alone, or a VM's with gfns that ascend from
 * page.gfn. Takes no more steps than for one page, but where the pages differed before. Pre:
 * `first` and page.gfn are block aligned; the host's page.count is 0. */
void ledger_set_block(pfn_t first, struct page page);
bool ledger_is(pfn_t pfn, u32 owner, enum page_state state);
/* True if all pages of the 2 MiB around `pfn` are RAM and the host's: one block can map them. */
bool ledger_block_is_host(pfn_t pfn);
/* ... and nobody else uses any of them: the block may be given away. */
bool ledger_block_is_host_alone(pfn_t pfn);
/* One word stands for all of them: a VM's, no page different from the others. */
bool ledger_block_is_whole(pfn_t pfn);

/* Counts of pages by enum rv_page_state, always exact; for rv_info. */
u64 ledger_count(enum rv_page_state state);
u64 ledger_ram_pages(void);
const struct ledger_region *ledger_regions(u32 *count);

#endif
