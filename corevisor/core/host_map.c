/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The host's stage 2. Guarantees: where there is RAM, a level-2 entry and the leaf table below it
 * change only under the ledger block's lock; a GiB's entry changes once after boot, under `upper`,
 * from a leaf to a table that stays. So who holds a block's lock and sees a level-2 table walks on
 * without `upper`. What is not RAM has no ledger block: its entries change under `upper`, and leaf
 * tables with such a leaf are never freed.
 */
#include <cv/host_map.h>

#include <cv/check.h>
#include <cv/ledger.h>
#include <cv/lock.h>

#define GIB_LEVEL 1
#define BLOCK_LEVEL 2
#define PAGE_LEVEL 3

static struct {
	struct lock upper;
	struct s2 s2;
} host = { .upper = LOCK_INIT(LOCK_RANK_HOST_UPPER) };

/* How many pages of [first, first + pages) are RAM. */
static u64 ram_pages_in(u64 first, u64 pages)
{
	u32 count;
	const struct ledger_region *regions = ledger_regions(&count);
	u64 found = 0;

	for (u32 i = 0; i < count; i++) {
		u64 bank = regions[i].base.v >> PAGE_SHIFT;
		u64 from = first > bank ? first : bank;
		u64 to = min_u64(first + pages, bank + regions[i].pages);

		found += to > from ? to - from : 0;
	}
	return found;
}

/* Maps the leaf of `level` at `first` if it is all RAM or all device; false if it must be built of
 * smaller ones. */
static bool boot_fill(u64 first, u32 level)
{
	u64 pages = s2_leaf_pages(level);
	u64 ram = ram_pages_in(first, pages);

	if (ram != 0 && ram != pages) {
		return false;
	}
	s2_map(&host.s2, gfn_make(first), pfn_pa(pfn_make(first)), level,
	       ram == 0 ? S2_DEVICE : S2_NORMAL_RWX, S2_WISH_PRIVATE);
	return true;
}

/* Fills [first, first + pages) with leaves of `level`; the first one that will not do is where it
 * stops. */
static u64 boot_fill_run(u64 first, u64 end, u32 level)
{
	while (first < end && boot_fill(first, level)) {
		first += s2_leaf_pages(level);
	}
	return first;
}

void host_map_init(pa_t root, struct pool *pool)
{
	u64 at = 0;

	lock_init(&host.upper, LOCK_RANK_HOST_UPPER);
	host.s2 = (struct s2){ .root = root, .vmid = owner_vmid(OWNER_HOST), .pool = pool };
	while (at < GFN_LIMIT) {
		u64 gib_end;

		at = boot_fill_run(at, GFN_LIMIT, GIB_LEVEL);
		gib_end = min_u64(at + s2_leaf_pages(GIB_LEVEL), GFN_LIMIT);
		while (at < gib_end) {
			at = boot_fill_run(at, gib_end, BLOCK_LEVEL);
			/* One block with a bank's edge in it, page by page. */
			at = boot_fill_run(at, min_u64(at + PAGES_PER_BLOCK, gib_end), PAGE_LEVEL);
		}
	}
}

void host_map_boot_set(pa_t base, u64 bytes, const enum s2_attr *attr)
{
	u64 at = base.v >> PAGE_SHIFT;
	u64 end = (base.v + bytes) >> PAGE_SHIFT;

	CV_CHECK(is_aligned(base.v, PAGE_SIZE) && is_aligned(bytes, PAGE_SIZE) && end <= GFN_LIMIT);
	while (at < end) {
		gfn_t gfn = gfn_make(at);
		bool is_block = is_aligned(at, PAGES_PER_BLOCK) && end - at >= PAGES_PER_BLOCK &&
				s2_walk(&host.s2, gfn).level <= BLOCK_LEVEL;
		u32 level = is_block ? BLOCK_LEVEL : PAGE_LEVEL;

		s2_unmap(&host.s2, gfn, level, S2_WISH_PRIVATE);
		if (attr != NULL) {
			s2_map(&host.s2, gfn, pfn_pa(pfn_make(at)), level, *attr, S2_WISH_PRIVATE);
		}
		at += s2_leaf_pages(level);
	}
}

const struct s2 *host_map_s2(void)
{
	return &host.s2;
}

/* The level at which the walk for a page of RAM ends. Another CPU may be turning the GiB's leaf
 * into a table just now, and nothing is there for a moment: only then it matters who holds `upper`.
 */
static u32 level_now(pfn_t pfn)
{
	u32 level = s2_walk(&host.s2, pfn_host_gfn(pfn)).level;

	if (level == GIB_LEVEL) {
		lock_acquire(&host.upper);
		level = s2_walk(&host.s2, pfn_host_gfn(pfn)).level;
		lock_release(&host.upper);
	}
	return level;
}

u32 host_map_tables_needed(pfn_t pfn, u32 level)
{
	u32 now = level_now(pfn);

	return now < level ? level - now : 0;
}

void host_map_split(pfn_t pfn, u32 level, struct pool *reserved)
{
	struct s2 s2 = host.s2;

	s2.pool = reserved;
	if (level_now(pfn) == GIB_LEVEL) {
		lock_acquire(&host.upper);
		s2_split(&s2, pfn_host_gfn(pfn), BLOCK_LEVEL);
		lock_release(&host.upper);
	}
	s2_split(&s2, pfn_host_gfn(pfn), level);
}

void host_map_remove(pfn_t pfn, u32 level)
{
	gfn_t gfn = pfn_host_gfn(pfn);

	if (s2_walk(&host.s2, gfn).is_mapped) {
		s2_unmap(&host.s2, gfn, level, S2_WISH_PRIVATE);
	}
}

void host_map_add(pfn_t pfn, u32 level)
{
	s2_map(&host.s2, pfn_host_gfn(pfn), pfn_pa(pfn), level, S2_NORMAL_RWX, S2_WISH_PRIVATE);
}

void host_map_join(pfn_t pfn)
{
	gfn_t first = gfn_make(align_down(pfn.v, PAGES_PER_BLOCK));

	if (ledger_block_is_host(pfn)) {
		s2_join(&host.s2, first, pfn_pa(pfn_make(first.v)), S2_NORMAL_RWX);
	}
}

bool host_map_take_device(pfn_t pfn, struct pool *reserved)
{
	struct s2 s2 = host.s2;
	struct s2_leaf leaf;

	s2.pool = reserved;
	lock_acquire(&host.upper);
	leaf = s2_walk(&s2, pfn_host_gfn(pfn));
	if (leaf.is_mapped) {
		s2_unmap(&s2, pfn_host_gfn(pfn), PAGE_LEVEL, S2_WISH_PRIVATE);
	}
	lock_release(&host.upper);
	return leaf.is_mapped;
}

/* The leaf table stays: to find out whether all 512 pages are back would cost more than it is
 * worth, and device blocks are few. */
void host_map_give_device(pfn_t pfn)
{
	lock_acquire(&host.upper);
	s2_map(&host.s2, pfn_host_gfn(pfn), pfn_pa(pfn), PAGE_LEVEL, S2_DEVICE, S2_WISH_PRIVATE);
	lock_release(&host.upper);
}

struct s2_leaf host_map_walk(ipa_t ipa)
{
	struct s2_leaf leaf;

	lock_acquire(&host.upper);
	leaf = s2_walk(&host.s2, ipa_gfn(ipa));
	lock_release(&host.upper);
	return leaf;
}
