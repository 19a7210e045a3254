/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The ledger's entries, one word each. Guarantees: an entry changes only under its block's lock; a
 * block's `foreign` and `shared` and the counts by state always agree with the entries; while one
 * word speaks for a whole block, the entries under it say that all is the host's alone.
 */
#include <cv/ledger.h>

#include <cv/check.h>

/* An entry: owner 8:0, state 9, count 23:12, gfn 63:24. */
#define ENTRY_OWNER_MASK 0x1ffull
#define ENTRY_STATE_SHIFT 9
#define ENTRY_COUNT_SHIFT 12
#define ENTRY_GFN_SHIFT 24

static struct {
	struct ledger_region regions[LEDGER_REGIONS_MAX];
	u32 region_count;
	u64 *entries;
	struct ledger_block *blocks;
	u64 pages;
} ledger;

static u64 state_counts[RV_PAGES_STATES]; /* written under different locks: atomic */

static u64 block_of(pfn_t pfn)
{
	return pfn.v / PAGES_PER_BLOCK;
}

/* A bank at address 0 begins at page 1: pfn 0 means "none" in lists. */
static struct ledger_region region_without_page0(struct ledger_region region)
{
	if (region.base.v == 0 && region.pages > 0) {
		region.base.v = PAGE_SIZE;
		region.pages--;
	}
	return region;
}

static u64 region_first_pfn(const struct ledger_region *region)
{
	return region->base.v >> PAGE_SHIFT;
}

/* How many blocks the regions touch; a block where two banks meet counts once. */
static u64 count_blocks(const struct ledger_region *regions, u32 count)
{
	u64 blocks = 0;
	u64 next = 0; /* first block not counted yet */

	for (u32 i = 0; i < count; i++) {
		u64 first = region_first_pfn(&regions[i]) / PAGES_PER_BLOCK;
		u64 last = (region_first_pfn(&regions[i]) + regions[i].pages - 1) / PAGES_PER_BLOCK;

		if (regions[i].pages == 0 || last < next) {
			continue;
		}
		if (first < next) {
			first = next;
		}
		blocks += last + 1 - first;
		next = last + 1;
	}
	return blocks;
}

u64 ledger_entries_bytes(const struct ledger_region *regions, u32 count)
{
	u64 pages = 0;

	for (u32 i = 0; i < count; i++) {
		pages += regions[i].pages;
	}
	return pages * sizeof(u64);
}

u64 ledger_blocks_bytes(const struct ledger_region *regions, u32 count)
{
	return count_blocks(regions, count) * sizeof(struct ledger_block);
}

static bool regions_are_valid(const struct ledger_region *regions, u32 count)
{
	u64 end = 0; /* in pages */

	if (count == 0 || count > LEDGER_REGIONS_MAX) {
		return false;
	}
	for (u32 i = 0; i < count; i++) {
		u64 first = region_first_pfn(&regions[i]);

		if (!is_aligned(regions[i].base.v, PAGE_SIZE) || first < end ||
		    first >= GFN_LIMIT || regions[i].pages == 0 ||
		    regions[i].pages > GFN_LIMIT - first) {
			return false;
		}
		end = first + regions[i].pages;
	}
	return true;
}

static u64 entry_make(struct page page)
{
	return page.owner | (u64)page.state << ENTRY_STATE_SHIFT |
	       (u64)page.count << ENTRY_COUNT_SHIFT | page.gfn << ENTRY_GFN_SHIFT;
}

static void region_init(u32 index, const struct ledger_region *from, u64 *next_entry,
			u64 *next_block)
{
	struct ledger_region *region = &ledger.regions[index];
	u64 first;
	u64 end;

	*region = region_without_page0(*from);
	first = region_first_pfn(region);
	end = first + region->pages;
	region->first_entry = *next_entry;
	region->first_block = *next_block;
	if (index > 0) {
		const struct ledger_region *before = region - 1;
		u64 last = (region_first_pfn(before) + before->pages - 1) / PAGES_PER_BLOCK;

		if (before->pages > 0 && last == first / PAGES_PER_BLOCK) {
			region->first_block--; /* they meet in one block */
		}
	}
	for (u64 i = 0; i < region->pages; i++) {
		ledger.entries[*next_entry + i] = entry_make((struct page){ .owner = OWNER_HOST });
	}
	*next_entry += region->pages;
	for (u64 block = first / PAGES_PER_BLOCK; block * PAGES_PER_BLOCK < end; block++) {
		struct ledger_block *slot =
			&ledger.blocks[region->first_block + block - first / PAGES_PER_BLOCK];
		u64 from_pfn = block * PAGES_PER_BLOCK > first ? block * PAGES_PER_BLOCK : first;
		u64 to_pfn = min_u64((block + 1) * PAGES_PER_BLOCK, end);

		if (slot == &ledger.blocks[*next_block]) {
			lock_init(&slot->lock, LOCK_RANK_LEDGER);
			slot->foreign = PAGES_PER_BLOCK;
			slot->shared = 0;
			slot->whole = 0;
			(*next_block)++;
		}
		slot->foreign -= (u32)(to_pfn - from_pfn);
	}
}

enum cv_status ledger_init(const struct ledger_region *regions, u32 count, u64 *entries,
			   struct ledger_block *blocks)
{
	u64 next_entry = 0;
	u64 next_block = 0;

	if (!regions_are_valid(regions, count)) {
		return CV_E_INVALID;
	}
	ledger.region_count = count;
	ledger.entries = entries;
	ledger.blocks = blocks;
	for (u32 i = 0; i < count; i++) {
		region_init(i, &regions[i], &next_entry, &next_block);
	}
	ledger.pages = next_entry;
	for (u32 i = 0; i < RV_PAGES_STATES; i++) {
		state_counts[i] = 0;
	}
	state_counts[RV_PAGES_HOST] = next_entry;
	return CV_OK;
}

/* The region that holds `pfn`, or NULL. */
static const struct ledger_region *region_of(pfn_t pfn)
{
	for (u32 i = 0; i < ledger.region_count; i++) {
		const struct ledger_region *region = &ledger.regions[i];
		u64 first = region_first_pfn(region);

		/* One comparison covers both ends: below `first` the difference wraps to a huge
		 * number. */
		if (pfn.v - first < region->pages) {
			return region;
		}
	}
	return NULL;
}

bool ledger_is_ram(pfn_t pfn)
{
	return region_of(pfn) != NULL;
}

struct place {
	u64 *entry;
	struct ledger_block *block;
};

static struct place place_of(pfn_t pfn)
{
	const struct ledger_region *region = region_of(pfn);
	u64 first;

	CV_CHECK(region != NULL);
	first = region_first_pfn(region);
	return (struct place){
		.entry = &ledger.entries[region->first_entry + pfn.v - first],
		.block = &ledger.blocks[region->first_block + block_of(pfn) -
					first / PAGES_PER_BLOCK],
	};
}

struct lock *ledger_lock(pfn_t pfn)
{
	return &place_of(pfn).block->lock;
}

static struct page entry_read(u64 entry)
{
	return (struct page){
		.owner = (u32)(entry & ENTRY_OWNER_MASK),
		.state = (enum page_state)(entry >> ENTRY_STATE_SHIFT & 1),
		.count = (u32)(entry >> ENTRY_COUNT_SHIFT & LEDGER_COUNT_MAX),
		.gfn = entry >> ENTRY_GFN_SHIFT,
	};
}

/* What the word for a whole block says of its page number `index`: the gfns ascend with the pages.
 */
static u64 whole_entry(u64 whole, u64 index)
{
	return whole + (index << ENTRY_GFN_SHIFT);
}

static u64 entry_now(struct place at, pfn_t pfn)
{
	return at.block->whole == 0 ? *at.entry
				    : whole_entry(at.block->whole, pfn.v % PAGES_PER_BLOCK);
}

struct page ledger_get(pfn_t pfn)
{
	return entry_read(entry_now(place_of(pfn), pfn));
}

static enum rv_page_state count_class(struct page page)
{
	if (page.owner == OWNER_HOST) {
		return page.state == PAGE_SHARED ? RV_PAGES_HOST_SHARED : RV_PAGES_HOST;
	}
	if (page.owner == OWNER_CORE) {
		return RV_PAGES_CORE;
	}
	return page.state == PAGE_SHARED ? RV_PAGES_VM_SHARED : RV_PAGES_VM;
}

/* So many pages of the block are now what `entry` says, and no longer what `old` says. */
static void account(struct ledger_block *block, u64 old, u64 entry, u32 pages)
{
	const enum rv_page_state from = count_class(entry_read(old));
	const enum rv_page_state to = count_class(entry_read(entry));

	block->foreign -= (old & ENTRY_OWNER_MASK) != OWNER_HOST ? pages : 0;
	block->foreign += (entry & ENTRY_OWNER_MASK) != OWNER_HOST ? pages : 0;
	block->shared -= from == RV_PAGES_HOST_SHARED ? pages : 0;
	block->shared += to == RV_PAGES_HOST_SHARED ? pages : 0;
	__atomic_fetch_sub(&state_counts[from], pages, __ATOMIC_RELAXED);
	__atomic_fetch_add(&state_counts[to], pages, __ATOMIC_RELAXED);
}

/* From one word to an entry for each page: their banks meet without a gap, so the entries do. */
static void block_spread(struct ledger_block *block, pfn_t pfn)
{
	u64 *entries = place_of(pfn_make(align_down(pfn.v, PAGES_PER_BLOCK))).entry;

	for (u64 i = 0; i < PAGES_PER_BLOCK; i++) {
		entries[i] = whole_entry(block->whole, i);
	}
	block->whole = 0;
}

void ledger_set(pfn_t pfn, struct page page)
{
	const struct place at = place_of(pfn);
	const u64 old = entry_now(at, pfn);
	const u64 entry = entry_make(page);

	CV_CHECK(page.owner > OWNER_INVALID && page.owner <= OWNER_VM_LAST);
	CV_CHECK(page.count <= LEDGER_COUNT_MAX && page.gfn < GFN_LIMIT);
	if (at.block->whole != 0 && entry != old) {
		block_spread(at.block, pfn);
	}
	if (at.block->whole == 0) {
		*at.entry = entry;
	}
	account(at.block, old, entry, 1);
}

/* Back to what the entries under a block's one word say. */
static void block_to_host(struct ledger_block *block, pfn_t first)
{
	const struct page alone = { .owner = OWNER_HOST };

	if (block->whole != 0) {
		account(block, block->whole, entry_make(alone), PAGES_PER_BLOCK);
		block->whole = 0;
	} else if (!ledger_block_is_host_alone(first)) {
		for (u64 i = 0; i < PAGES_PER_BLOCK; i++) {
			ledger_set(pfn_add(first, i), alone);
		}
	}
}

void ledger_set_block(pfn_t first, struct page page)
{
	struct ledger_block *block = place_of(first).block;
	const u64 entry = entry_make(page);

	CV_CHECK(is_aligned(first.v, PAGES_PER_BLOCK) && is_aligned(page.gfn, PAGES_PER_BLOCK));
	CV_CHECK(page.count <= LEDGER_COUNT_MAX && page.gfn < GFN_LIMIT);
	block_to_host(block, first);
	CV_CHECK(ledger_block_is_host_alone(first)); /* all of it is RAM */
	if (page.owner != OWNER_HOST) {
		CV_CHECK(page.owner >= OWNER_VM_FIRST && page.owner <= OWNER_VM_LAST);
		account(block, entry_make((struct page){ .owner = OWNER_HOST }), entry,
			PAGES_PER_BLOCK);
		block->whole = entry;
	}
}

bool ledger_is(pfn_t pfn, u32 owner, enum page_state state)
{
	struct page page = ledger_get(pfn);

	return page.owner == owner && page.state == state;
}

bool ledger_block_is_host(pfn_t pfn)
{
	return place_of(pfn).block->foreign == 0;
}

bool ledger_block_is_host_alone(pfn_t pfn)
{
	const struct ledger_block *block = place_of(pfn).block;

	return block->foreign == 0 && block->shared == 0;
}

bool ledger_block_is_whole(pfn_t pfn)
{
	return place_of(pfn).block->whole != 0;
}

u64 ledger_count(enum rv_page_state state)
{
	return __atomic_load_n(&state_counts[state], __ATOMIC_RELAXED);
}

u64 ledger_ram_pages(void)
{
	return ledger.pages;
}

const struct ledger_region *ledger_regions(u32 *count)
{
	*count = ledger.region_count;
	return ledger.regions;
}
