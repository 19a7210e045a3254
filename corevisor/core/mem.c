/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Ownership of single pages: host <-> core, host <-> VM, and what the boot takes. Guarantees: the
 * ledger entry and the tables change together under the block's lock; every taker loses the page in
 * all TLBs and caches before the next gets it; a refusal changed nothing. What begins and ends
 * blocks of a VM is in mem_block.c, calls over many pages are in mem_range.c.
 */
#include <cv/mem.h>

#include <string.h>

#include <cv/arch.h>
#include <cv/check.h>
#include <cv/dma.h>
#include <cv/host_map.h>
#include <cv/hyp_map.h>
#include <cv/ledger.h>
#include <cv/mem_page.h>

static struct pool core_pool = { .lock = LOCK_INIT(LOCK_RANK_POOL) };

struct pool *mem_core_pool(void)
{
	return &core_pool;
}

const struct s2 *mem_host_s2(void)
{
	return host_map_s2();
}

/* ---- boot: one CPU, no host yet ---- */

void mem_boot_host_map(pa_t root)
{
	host_map_init(root, &core_pool);
}

void mem_boot_take_core(pa_t base, u64 bytes)
{
	host_map_boot_set(base, bytes, NULL);
	for (u64 at = base.v; at < base.v + bytes; at += PAGE_SIZE) {
		pfn_t pfn = pa_pfn(pa_make(at));

		if (ledger_is_ram(pfn)) {
			struct lock *lock = ledger_lock(pfn);

			lock_acquire(lock);
			CV_CHECK(ledger_is(pfn, OWNER_HOST, PAGE_EXCLUSIVE));
			ledger_set(pfn, (struct page){ .owner = OWNER_CORE });
			lock_release(lock);
		}
	}
}

void mem_boot_host_read_only(pa_t base, u64 bytes)
{
	static const enum s2_attr read_only = S2_NORMAL_RO;

	host_map_boot_set(base, bytes, &read_only);
}

void mem_boot_hide_device(pa_t base, u64 bytes)
{
	host_map_boot_set(base, bytes, NULL);
}

/* ---- host -> core and back ---- */

/* What `step` makes of one page, under its block's lock. RANGE: not RAM. */
static enum cv_status page_step(u64 pfn_raw, enum cv_status (*step)(pfn_t pfn))
{
	pfn_t pfn = pfn_make(pfn_raw);
	struct lock *lock;
	enum cv_status status;

	if (!ledger_is_ram(pfn)) {
		return CV_E_RANGE;
	}
	lock = ledger_lock(pfn);
	lock_acquire(lock);
	status = step(pfn);
	lock_release(lock);
	return status;
}

static enum cv_status host_alone_check(pfn_t pfn)
{
	return ledger_is(pfn, OWNER_HOST, PAGE_EXCLUSIVE) ? CV_OK : CV_E_STATE;
}

enum cv_status mem_host_page_check(u64 pfn)
{
	return page_step(pfn, host_alone_check);
}

/* The tables for giving `pfn` away, and for mapping it at EL2 if `is_hyp`. */
static bool reserve_tables(pfn_t pfn, bool is_split, bool is_hyp, u32 floor, struct pool *reserved)
{
	u32 count = (is_split ? host_map_tables_needed(pfn, 3) : 0) +
		    (is_hyp ? hyp_tables_needed(pfn) : 0);

	return pool_reserve(&core_pool, reserved, count, floor);
}

static enum cv_status take_core_locked(pfn_t pfn, u32 floor)
{
	struct pool reserved;
	enum cv_status status = host_alone_check(pfn);

	if (status != CV_OK) {
		return status;
	}
	if (!reserve_tables(pfn, true, true, floor, &reserved)) {
		return CV_E_NOMEM;
	}
	host_map_split(pfn, 3, &reserved);
	host_map_remove(pfn, 3);
	arch_page_clean_invalidate(pfn);
	ledger_set(pfn, (struct page){ .owner = OWNER_CORE });
	hyp_map_page(pfn, &reserved);
	pool_return(&core_pool, &reserved);
	return CV_OK;
}

static enum cv_status take_core(u64 pfn_raw, u32 floor)
{
	pfn_t pfn = pfn_make(pfn_raw);
	struct lock *lock;
	enum cv_status status;

	if (!ledger_is_ram(pfn)) {
		return CV_E_RANGE;
	}
	lock = ledger_lock(pfn);
	lock_acquire(lock);
	status = take_core_locked(pfn, floor);
	lock_release(lock);
	return status;
}

enum cv_status mem_host_take_core(u64 pfn)
{
	return take_core(pfn, CORE_POOL_FLOOR);
}

void mem_core_clear(pfn_t pfn)
{
	arch_page_scrub(pfn);
}

/* The host gets back a page (level 3) or block (2) that nobody else can reach. Pre: the block's
 * lock is held. */
static void give_to_host(pfn_t pfn, u32 level)
{
	const struct page page = { .owner = OWNER_HOST };

	/* A stale instruction of the last owner must not run, nor be timed, as the host's. */
	arch_icache_invalidate_all();
	if (level < 3) {
		ledger_set_block(pfn, page);
		host_map_add(pfn, level);
		return;
	}
	ledger_set(pfn, page);
	host_map_add(pfn, level);
	host_map_join(pfn);
}

void mem_host_untake_core(pfn_t pfn)
{
	struct lock *lock = ledger_lock(pfn);

	lock_acquire(lock);
	CV_CHECK(ledger_is(pfn, OWNER_CORE, PAGE_EXCLUSIVE));
	hyp_unmap_page(pfn);
	give_to_host(pfn, 3);
	lock_release(lock);
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
	struct lock *lock = ledger_lock(pfn);

	lock_acquire(lock);
	CV_CHECK(ledger_is(pfn, OWNER_CORE, PAGE_EXCLUSIVE));
	hyp_unmap_page(pfn);
	arch_page_scrub(pfn);
	give_to_host(pfn, 3);
	lock_release(lock);
}

void mem_core_set_next(pfn_t pfn, pfn_t next)
{
	struct lock *lock = ledger_lock(pfn);

	lock_acquire(lock);
	CV_CHECK(ledger_is(pfn, OWNER_CORE, PAGE_EXCLUSIVE));
	ledger_set(pfn, (struct page){ .owner = OWNER_CORE, .gfn = next.v });
	lock_release(lock);
}

pfn_t mem_core_next(pfn_t pfn)
{
	struct lock *lock = ledger_lock(pfn);
	struct page page;

	lock_acquire(lock);
	page = ledger_get(pfn);
	lock_release(lock);
	CV_CHECK(page.owner == OWNER_CORE);
	return pfn_make(page.gfn);
}

static enum cv_status share_core_locked(pfn_t pfn)
{
	struct pool reserved;
	enum cv_status status = host_alone_check(pfn);

	if (status != CV_OK) {
		return status;
	}
	if (!reserve_tables(pfn, false, true, CORE_POOL_FLOOR, &reserved)) {
		return CV_E_NOMEM;
	}
	ledger_set(pfn, (struct page){ .owner = OWNER_HOST, .state = PAGE_SHARED, .count = 1 });
	hyp_map_page(pfn, &reserved);
	pool_return(&core_pool, &reserved);
	return CV_OK;
}

enum cv_status mem_host_share_core(u64 pfn)
{
	return page_step(pfn, share_core_locked);
}

void mem_leaf_update(pfn_t first, u32 level, s64 uses, const enum page_state *state)
{
	const bool is_whole = level < 3 && ledger_block_is_whole(first);

	for (u64 i = 0; i < (is_whole ? 1 : s2_leaf_pages(level)); i++) {
		struct page page = ledger_get(pfn_add(first, i));

		page.count += (u32)uses; /* the ledger checks the sum */
		if (state != NULL) {
			page.state = *state;
		} else if (page.owner == OWNER_HOST) {
			page.state = page.count > 0 ? PAGE_SHARED : PAGE_EXCLUSIVE;
		}
		if (is_whole) {
			ledger_set_block(first, page);
		} else {
			ledger_set(pfn_add(first, i), page);
		}
	}
}

/* One use fewer of a page that the host lent. Pre: the block's lock is held. */
static void unpin(pfn_t pfn)
{
	CV_CHECK(ledger_is(pfn, OWNER_HOST, PAGE_SHARED));
	mem_leaf_update(pfn, 3, -1, NULL);
}

void mem_host_unshare_core(pfn_t pfn)
{
	struct lock *lock = ledger_lock(pfn);

	lock_acquire(lock);
	hyp_unmap_page(pfn);
	unpin(pfn);
	lock_release(lock);
}

static enum cv_status pin_locked(pfn_t pfn)
{
	enum cv_status status = host_alone_check(pfn);

	if (status == CV_OK) {
		ledger_set(pfn,
			   (struct page){ .owner = OWNER_HOST, .state = PAGE_SHARED, .count = 1 });
	}
	return status;
}

enum cv_status mem_host_pin(u64 pfn)
{
	return page_step(pfn, pin_locked);
}

void mem_host_unpin(pfn_t pfn)
{
	struct lock *lock = ledger_lock(pfn);

	lock_acquire(lock);
	unpin(pfn);
	lock_release(lock);
}

void mem_pinned_read(pfn_t pfn, void *to, u64 bytes)
{
	memcpy(to, arch_window_open(pfn), bytes);
	arch_window_close();
}

void mem_pinned_write(pfn_t pfn, const void *from, u64 bytes)
{
	u8 *page = arch_window_open(pfn);

	memcpy(page, from, bytes);
	memset(page + bytes, 0, PAGE_SIZE - bytes);
	arch_window_close();
	arch_page_clean_invalidate(pfn);
}

enum cv_status mem_pool_topup(u64 pfn)
{
	enum cv_status status = take_core(pfn, 0);

	if (status == CV_OK) {
		mem_core_clear(pfn_make(pfn));
		pool_put(&core_pool, pfn_make(pfn));
	}
	return status;
}

/* ---- host -> VM and back; Pre: vm->lock and the block's lock are held ---- */

bool mem_vm_has_tables(struct vm *vm, gfn_t gfn, u32 level)
{
	u32 needed = s2_tables_needed(&vm->s2, gfn, level);

	return needed == 0 || pool_count(&vm->tables) >= needed;
}

static void donate_commit(struct vm *vm, gfn_t gfn, pfn_t pfn, bool is_content_kept,
			  struct pool *reserved)
{
	enum s2_wish wish = s2_walk(&vm->s2, gfn).wish;

	/* Shared pages are split as well, so that taking them back from the host later needs no
	 * table. */
	host_map_split(pfn, 3, reserved);
	if (wish == S2_WISH_PRIVATE) {
		host_map_remove(pfn, 3);
	}
	arch_page_clean_invalidate(pfn);
	if (!is_content_kept) {
		arch_page_scrub(pfn);
	}
	arch_icache_invalidate_all();
	ledger_set(pfn, (struct page){
				.owner = vm->owner,
				.state = wish == S2_WISH_SHARED ? PAGE_SHARED : PAGE_EXCLUSIVE,
				.gfn = gfn.v,
			});
	s2_map(&vm->s2, gfn, pfn_pa(pfn), 3, S2_NORMAL_RWX, wish);
}

static enum cv_status donate_locked(struct vm *vm, gfn_t gfn, pfn_t pfn, bool is_content_kept)
	CV_REQUIRES(vm->lock)
{
	struct s2_leaf leaf = s2_walk(&vm->s2, gfn);
	struct pool reserved;
	enum cv_status status = host_alone_check(pfn);

	if (status != CV_OK) {
		return status;
	}
	if (leaf.wish == S2_WISH_DESTROYED) {
		return CV_E_STATE;
	}
	if (leaf.is_mapped) {
		return CV_E_BUSY;
	}
	if (!mem_vm_has_tables(vm, gfn, 3) ||
	    !reserve_tables(pfn, true, false, CORE_POOL_FLOOR, &reserved)) {
		return CV_E_NOMEM;
	}
	donate_commit(vm, gfn, pfn, is_content_kept, &reserved);
	pool_return(&core_pool, &reserved);
	return CV_OK;
}

static enum cv_status share_locked(struct vm *vm, gfn_t gfn, pfn_t pfn) CV_REQUIRES(vm->lock)
{
	struct page page = ledger_get(pfn);

	if (page.owner != OWNER_HOST || page.count == LEDGER_COUNT_MAX) {
		return CV_E_STATE;
	}
	if (s2_walk(&vm->s2, gfn).is_mapped) {
		return CV_E_BUSY;
	}
	if (!mem_vm_has_tables(vm, gfn, 3)) {
		return CV_E_NOMEM;
	}
	/* The guest starts with its caches off, and fetches what the host wrote as data. */
	arch_page_clean_invalidate(pfn);
	arch_icache_invalidate_all();
	page.state = PAGE_SHARED;
	page.count++;
	ledger_set(pfn, page);
	s2_map(&vm->s2, gfn, pfn_pa(pfn), 3, S2_NORMAL_RWX, S2_WISH_PRIVATE);
	return CV_OK;
}

static enum cv_status map_page(struct vm *vm, gfn_t gfn, pfn_t pfn, bool is_content_kept)
	CV_REQUIRES(vm->lock)
{
	struct lock *lock;
	enum cv_status status;

	if (!vm_is_ram(vm, gfn) || !ledger_is_ram(pfn)) {
		return CV_E_RANGE;
	}
	if (vm->state == VM_POWEROFF) {
		return CV_E_STATE;
	}
	lock = ledger_lock(pfn);
	lock_acquire(lock);
	status = vm->is_protected ? donate_locked(vm, gfn, pfn, is_content_kept)
				  : share_locked(vm, gfn, pfn);
	if (status == CV_OK) {
		vm->guest_pages++;
	}
	lock_release(lock);
	return status;
}

enum cv_status mem_map_page(struct vm *vm, u64 gfn, u64 pfn)
{
	return map_page(vm, gfn_make(gfn), pfn_make(pfn), false);
}

enum cv_status mem_load_page(struct vm *vm, u64 gfn, u64 pfn)
{
	CV_CHECK(vm->is_protected && vm->state == VM_READY);
	return map_page(vm, gfn_make(gfn), pfn_make(pfn), true);
}

/* ---- VM -> host, and private <-> shared: a leaf of the VM, page or block ---- */

void mem_scrub_pages(pfn_t first, u64 pages)
{
	for (u64 i = 0; i < pages; i++) {
		arch_page_scrub(pfn_add(first, i));
	}
}

void mem_page_reclaim(struct vm *vm, gfn_t gfn, const struct s2_leaf *leaf)
{
	const u64 pages = s2_leaf_pages(leaf->level);
	pfn_t first = pa_pfn(leaf->pa);
	struct lock *lock = ledger_lock(first);

	gfn = gfn_make(align_down(gfn.v, pages));
	lock_acquire(lock);
	s2_unmap(&vm->s2, gfn, leaf->level, leaf->wish);
	if (!vm->is_protected) {
		unpin(first);
	} else {
		CV_CHECK(ledger_get(first).owner == vm->owner && ledger_get(first).gfn == gfn.v &&
			 ledger_get(first).count == 0);
		/* A shared page goes through the same steps; the host loses it for a moment. */
		host_map_remove(first, leaf->level);
		mem_scrub_pages(first, pages);
		give_to_host(first, leaf->level);
	}
	vm->guest_pages -= pages;
	lock_release(lock);
}

static void set_wish(struct vm *vm, gfn_t gfn, const struct s2_leaf *leaf, enum s2_wish wish,
		     bool is_content_kept) CV_REQUIRES(vm->lock)
{
	const enum page_state state = wish == S2_WISH_SHARED ? PAGE_SHARED : PAGE_EXCLUSIVE;
	pfn_t first = pa_pfn(leaf->pa);
	struct lock *lock = ledger_lock(first);

	lock_acquire(lock);
	CV_CHECK(ledger_get(first).owner == vm->owner && ledger_get(first).gfn == gfn.v);
	s2_unmap(&vm->s2, gfn, leaf->level, wish);
	host_map_remove(first, leaf->level);
	if (!is_content_kept) {
		mem_scrub_pages(first, s2_leaf_pages(leaf->level));
	}
	arch_icache_invalidate_all();
	mem_leaf_update(first, leaf->level, 0, &state);
	if (wish == S2_WISH_SHARED) {
		host_map_add(first, leaf->level);
	}
	s2_map(&vm->s2, gfn, leaf->pa, leaf->level, S2_NORMAL_RWX, wish);
	lock_release(lock);
}

void mem_page_set_wish(struct vm *vm, gfn_t gfn, const struct s2_leaf *leaf, enum s2_wish wish)
{
	set_wish(vm, gfn, leaf, wish, false);
}

void mem_page_restore_shared(struct vm *vm, gfn_t gfn)
{
	struct s2_leaf leaf = s2_walk(&vm->s2, gfn);

	CV_CHECK(leaf.is_mapped && leaf.wish == S2_WISH_PRIVATE);
	set_wish(vm, gfn, &leaf, S2_WISH_SHARED, true);
}

/* ---- faults and the end ---- */

/* What the ledger lets the host do with a page of RAM. Pre: the block's lock is held. */
static bool ledger_lets_host(pfn_t pfn)
{
	struct page page = ledger_get(pfn);

	return page.owner == OWNER_HOST ||
	       (page.owner >= OWNER_VM_FIRST && page.state == PAGE_SHARED);
}

/* Whether what the table holds lets the host do this. */
static bool leaf_lets_host(const struct s2_leaf *leaf, enum mem_access access)
{
	if (!leaf->is_mapped) {
		return false;
	}
	switch (leaf->attr) {
	case S2_NORMAL_RWX:
		return true;
	case S2_NORMAL_RO:
		return access == MEM_READ;
	default:
		return access != MEM_EXEC;
	}
}

bool mem_host_fault_is_spurious(ipa_t ipa, enum mem_access access)
{
	pfn_t pfn = pfn_make(ipa.v >> PAGE_SHIFT); /* the host's map is the identity */
	struct s2_leaf leaf;
	struct lock *lock;

	if (pfn.v >= GFN_LIMIT) {
		return false;
	}
	if (!ledger_is_ram(pfn)) {
		leaf = host_map_walk(ipa);
		return leaf_lets_host(&leaf, access);
	}
	lock = ledger_lock(pfn);
	lock_acquire(lock);
	leaf = host_map_walk(ipa);
	if (!leaf.is_mapped && leaf.level == 3 && ledger_lets_host(pfn)) {
		host_map_add(pfn, 3);
		leaf = host_map_walk(ipa);
	}
	lock_release(lock);
	return leaf_lets_host(&leaf, access);
}

void mem_revoke_everything(void)
{
	s2_clear_root(host_map_s2());
	vm_revoke_all();
	dma_revoke_all();
}
