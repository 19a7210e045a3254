/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the proofs of the memory core have in common, included by each: a small machine (its sizes
 * are in include/cv/geometry.h), any state of it that the invariants allow, and an architecture
 * that knows who may still reach the page under proof. Pages are modelled by the words that a table
 * has; table pages lie outside the ledger's RAM. One page and one gfn, `the_pfn` and `the_gfn`,
 * take part; where a block does, they are any one of its pages.
 */
#ifndef SMALL_MACHINE_H
#define SMALL_MACHINE_H

#include <cv/arch.h>
#include <cv/host_map.h>
#include <cv/ledger.h>
#include <cv/mem.h>
#include <cv/pte.h>
#include <cv/vcpu.h>

#include "proof.h"

#include "corevisor/core/host_map.c" /* its static state is quantified over, too */

/* RAM: two regions, 8 pages: half a block, a whole one; and two pages of a third. */
#define RAM_A 18ull
#define RAM_A_PAGES 6ull
#ifndef RAM_B
#define RAM_B 25ull
#endif
#define RAM_B_PAGES 2ull
#define RAM_PAGES (RAM_A_PAGES + RAM_B_PAGES)
#define SPLIT_BLOCK 16ull /* first page of the block that RAM begins in */
#define WHOLE_BLOCK 20ull
#define LAST_BLOCK 24ull /* only its two middle pages are RAM */

static bool is_ram(u64 pfn)
{
	return pfn - RAM_A < RAM_A_PAGES || pfn - RAM_B < RAM_B_PAGES;
}

static u64 pfn_of_entry(u32 entry)
{
	return entry < RAM_A_PAGES ? RAM_A + entry : RAM_B + entry - RAM_A_PAGES;
}

/* Table memory, page numbers beyond the IPA space of the small machine. */
enum {
	T_HOST_ROOT0,
	T_HOST_ROOT1,
	T_HOST_L2,
	T_HOST_SPLIT_L3,
	T_HOST_WHOLE_L3,
	T_HOST_LAST_L3,
	T_CORE_POOL,
	T_VM_ROOT0 = T_CORE_POOL + 3,
	T_VM_ROOT1,
	T_VM_L2,
	T_VM_L3,
	T_VM_POOL,
	T_COUNT = T_VM_POOL + 3
};
#define T_BASE 0x100ull
/* One flat array, so that arch_pte_read() and arch_pte_write() can use a typed index: an access
 * through a pointer with an unknown offset costs the solver hundreds of times as much. */
static u64 words[T_COUNT * TABLE_ENTRIES];

static u64 *table(u32 index)
{
	return &words[index * TABLE_ENTRIES];
}

static u64 word_of(const u64 *pte)
{
	u64 index = __CPROVER_POINTER_OFFSET(pte) >> 3;

	claim(__CPROVER_same_object(pte, words) && index < T_COUNT * TABLE_ENTRIES,
	      "only tables are walked");
	return index & (T_COUNT * TABLE_ENTRIES - 1);
}
_Static_assert((T_COUNT & (T_COUNT - 1)) == 0, "for the mask above");

static u64 table_pa(u32 index)
{
	return (T_BASE + index) << PAGE_SHIFT;
}

/* ---- the architecture: memory, and ghost bits for TLBs and caches ---- */

static u64 the_pfn;
static u64 the_gfn;
#ifndef FIRST_UNDER_PROOF /* what is scrubbed: a page, or a block */
#define FIRST_UNDER_PROOF the_pfn
#define PAGES_UNDER_PROOF 1
#endif
static struct vm vm;
static struct vm other_vm;
static struct vm other_vm_before;
static bool is_host_stale; /* a valid host entry went and the TLB has not been told */
static bool is_vm_stale;   /* the same for the VM */
static bool host_keeps;	   /* the host may reach the page while it is zeroed: a guest shares it */
static bool leaves_vm;	   /* the page has a VM's content in it until it is zeroed */
static bool host_never;	   /* it is private all the time: no entry of the host's for it */
static bool is_scrubbed;
static bool is_cleaned;
static bool is_icache_stale = true;
static bool is_unpublished; /* a table word was written and no barrier followed */

static bool host_maps(u64 pfn)
{
	return s2_walk(host_map_s2(), gfn_make(pfn)).is_mapped;
}

void *arch_core_va(pa_t pa)
{
	u64 index = (pa.v >> PAGE_SHIFT) - T_BASE;

	claim(index < T_COUNT, "only table pages are touched");
	return &words[(index & (T_COUNT - 1)) * TABLE_ENTRIES];
}

u64 arch_pte_read(const u64 *pte)
{
	return words[word_of(pte)];
}

/* Whether this entry, of whichever level, lets somebody reach the page under proof. */
static bool is_leaf_of_page(u64 pte)
{
	u64 pages = (pte & PTE_TABLE) != 0 ? 1 : TABLE_ENTRIES;

	return (pte & PTE_VALID) != 0 && (pte & S2_READ) != 0 &&
	       the_pfn - ((pte & PTE_ADDR) >> PAGE_SHIFT) < pages;
}

void arch_pte_write(u64 *pte, u64 value)
{
	u64 index = word_of(pte);
	u64 old = words[index];

	claim((old & PTE_VALID) == 0 || (value & PTE_VALID) == 0 || old == value,
	      "break before make");
	claim((value & PTE_VALID) == 0 || !(is_host_stale || is_vm_stale),
	      "no new mapping before the TLBs know of the old one's end");
	claim(!is_leaf_of_page(value) || is_scrubbed || !leaves_vm,
	      "a VM's content is gone before anybody gets the page");
	claim(!host_never || index / TABLE_ENTRIES >= T_VM_ROOT0 || !is_leaf_of_page(value),
	      "the host gets nothing that is private");
	/* A descriptor without attributes links a table. */
	claim((value & ~PTE_ADDR) != (PTE_TABLE | PTE_VALID) || !is_unpublished,
	      "a table's words are published before it is linked");
	if ((old & PTE_VALID) != 0 && old != value) {
		u64 in = index / TABLE_ENTRIES;
		bool is_host = in < T_VM_ROOT0;

		is_host_stale = is_host_stale || is_host;
		is_vm_stale = is_vm_stale || !is_host;
	}
	is_unpublished = true;
	words[index] = value;
}

void arch_pte_publish(void)
{
	is_unpublished = false;
}

void arch_tlb_invalidate_ipa(vmid_t vmid, ipa_t ipa, u64 bytes)
{
	u64 at = (vmid.v == OWNER_HOST ? the_pfn : the_gfn) << PAGE_SHIFT;

	claim(vmid.v == OWNER_HOST || vmid.v == vm.owner, "nobody else's TLB is touched");
	claim(ipa.v <= at && at - ipa.v < bytes, "the page is in the range");
	if (vmid.v == OWNER_HOST) {
		is_host_stale = false;
	} else {
		is_vm_stale = false;
	}
}

void arch_tlb_invalidate_vmid(vmid_t vmid)
{
	(void)vmid;
	claim(false, "not in this call");
}

static bool vm_maps(u64 gfn)
{
	return s2_walk(&vm.s2, gfn_make(gfn)).is_mapped;
}

void arch_page_clean_invalidate(pfn_t pfn)
{
	claim(pfn.v == the_pfn && !is_host_stale && !is_vm_stale, "revoked before cleaned");
	is_cleaned = true;
}

void arch_page_scrub(pfn_t pfn)
{
	claim(pfn.v - FIRST_UNDER_PROOF < PAGES_UNDER_PROOF && !is_host_stale && !is_vm_stale,
	      "revoked before zeroed");
	claim(host_keeps || !host_maps(pfn.v), "the host cannot reach what is zeroed");
	claim(!vm_maps(the_gfn), "nor can the VM");
	is_scrubbed = is_scrubbed || pfn.v == the_pfn;
}

void arch_icache_invalidate_all(void)
{
	is_icache_stale = false;
}

/* ---- pools and locks, by their contracts; test_mem_ledger.c, test_mem_lock.c test them ---- */

/* A pool's pages have consecutive numbers, `free` is the last of them; all are zero. */
void pool_init(struct pool *pool)
{
	pool->free_count = 0;
}

pfn_t pool_take(struct pool *pool)
{
	pfn_t pfn = pool->free;

	claim(pool->free_count > 0, "a page was reserved");
	pool->free.v--;
	pool->free_count--;
	return pfn;
}

/* A table that comes back: counted, never taken again within one call. */
void pool_put(struct pool *pool, pfn_t pfn)
{
	(void)pfn;
	pool->free_count++;
}

bool pool_reserve(struct pool *pool, struct pool *into, u32 count, u32 floor)
{
	into->free = pool->free;
	into->free_count = 0;
	if (count == 0) {
		return true;
	}
	if (pool->free_count < count + floor) {
		return false;
	}
	into->free_count = count;
	pool->free.v -= count;
	pool->free_count -= count;
	return true;
}

void pool_return(struct pool *pool, struct pool *from)
{
	pool->free.v += from->free_count;
	pool->free_count += from->free_count;
	from->free_count = 0;
}

u32 pool_count(struct pool *pool)
{
	return pool->free_count;
}

static u32 locks_held;

void lock_init(struct lock *lock, enum lock_rank rank)
{
	(void)lock;
	(void)rank;
}

void lock_acquire(struct lock *lock)
{
	(void)lock;
	locks_held++;
}

void lock_release(struct lock *lock)
{
	(void)lock;
	claim(locks_held > 0, "a lock is held");
	locks_held--;
}

/* EL2's map is not part of most calls; a harness of one that it is part of defines this. */
#ifndef EL2_MAP_IS_STUBBED
u32 hyp_tables_needed(pfn_t pfn)
{
	(void)pfn;
	claim(false, "not in this call");
	return 0;
}

void hyp_map_page(pfn_t pfn, struct pool *reserved)
{
	(void)pfn;
	(void)reserved;
	claim(false, "not in this call");
}

void hyp_unmap_page(pfn_t pfn)
{
	(void)pfn;
	claim(false, "not in this call");
}
#endif

void vm_revoke_all(void)
{
}

static struct lock vm_lock_of;

bool vm_is_ram(const struct vm *of, gfn_t gfn)
{
	return gfn.v - of->ram[0].first.v < of->ram[0].pages;
}

u64 vm_ram_end(const struct vm *of, gfn_t gfn)
{
	return vm_is_ram(of, gfn) ? of->ram[0].first.v + of->ram[0].pages : 0;
}

/* ---- any state that the invariants allow ---- */

static u64 entries[RAM_PAGES];
static struct ledger_block blocks[3];

static struct page any_page(void)
{
	struct page page = { .owner = nondet_u32(),
			     .state = nondet_bool() ? PAGE_SHARED : PAGE_EXCLUSIVE };

	assume(page.owner > OWNER_INVALID && page.owner <= OWNER_VM_FIRST + 1);
	if (page.owner == OWNER_CORE) {
		page.state = PAGE_EXCLUSIVE;
	}
	if (page.owner == OWNER_HOST && page.state == PAGE_SHARED) {
		page.count = nondet_u32();
		assume(page.count >= 1 && page.count <= LEDGER_COUNT_MAX);
	}
	if (page.owner != OWNER_HOST) {
		page.gfn = nondet_u64();
		assume(page.gfn < GFN_LIMIT);
	}
	if (page.owner >= OWNER_VM_FIRST) {
		page.count = nondet_u32(); /* the VM's DMA contexts */
		assume(page.count <= LEDGER_COUNT_MAX);
	}
	return page;
}

static bool is_block_left_out; /* a harness of blocks says itself whose WHOLE_BLOCK is */

static void any_ledger(void)
{
	const struct ledger_region regions[2] = {
		{ .base = { RAM_A << PAGE_SHIFT }, .pages = RAM_A_PAGES },
		{ .base = { RAM_B << PAGE_SHIFT }, .pages = RAM_B_PAGES },
	};
	enum cv_status status = ledger_init(regions, 2, entries, blocks);

	claim(status == CV_OK, "the proof's RAM is well-formed");
	for (u64 i = 0; i < RAM_PAGES; i++) {
		u64 pfn = pfn_of_entry((u32)i);

		if (!is_block_left_out || pfn - WHOLE_BLOCK >= TABLE_ENTRIES) {
			ledger_set(pfn_make(pfn), any_page());
		}
	}
}

/* INV-HOST-MAP: what the host's leaf for this page must be. */
static u64 host_leaf(u64 pfn)
{
	struct page page;

	if (!is_ram(pfn)) {
		return pfn << PAGE_SHIFT | S2_BITS_DEVICE | PTE_TABLE | PTE_VALID;
	}
	page = ledger_get(pfn_make(pfn));
	if (page.owner == OWNER_HOST ||
	    (page.owner >= OWNER_VM_FIRST && page.state == PAGE_SHARED)) {
		return pfn << PAGE_SHIFT | S2_BITS_NORMAL_RWX | PTE_TABLE | PTE_VALID;
	}
	return 0;
}

static void host_tables(void)
{
	for (u32 i = 0; i < 2 * TABLE_ENTRIES; i++) {
		table(T_HOST_ROOT0 + i / TABLE_ENTRIES)[i % TABLE_ENTRIES] =
			(u64)i * 16 << PAGE_SHIFT | S2_BITS_DEVICE | PTE_VALID;
	}
	table(T_HOST_ROOT0)[1] = table_pa(T_HOST_L2) | PTE_TABLE | PTE_VALID;
	for (u32 i = 0; i < TABLE_ENTRIES; i++) {
		table(T_HOST_L2)[i] = (16ull + i * 4) << PAGE_SHIFT | S2_BITS_DEVICE | PTE_VALID;
		table(T_HOST_SPLIT_L3)[i] = host_leaf(SPLIT_BLOCK + i);
		table(T_HOST_WHOLE_L3)[i] = host_leaf(WHOLE_BLOCK + i);
		table(T_HOST_LAST_L3)[i] = host_leaf(LAST_BLOCK + i);
	}
	table(T_HOST_L2)[0] = table_pa(T_HOST_SPLIT_L3) | PTE_TABLE | PTE_VALID;
	table(T_HOST_L2)[2] = table_pa(T_HOST_LAST_L3) | PTE_TABLE | PTE_VALID;
	table(T_HOST_L2)[1] = ledger_block_is_host(pfn_make(WHOLE_BLOCK))
				      ? WHOLE_BLOCK << PAGE_SHIFT | S2_BITS_NORMAL_RWX | PTE_VALID
				      : table_pa(T_HOST_WHOLE_L3) | PTE_TABLE | PTE_VALID;
}

static u64 any_invalid(void)
{
	u64 wish = nondet_u64();

	assume(wish <= S2_WISH_DESTROYED);
	return wish << S2_WISH_SHIFT;
}

/* A leaf of a protected VM: invalid with any wish, or a page of the VM's at this gfn. Of an open
 * VM: any page of the host that is shared. */
static u64 any_leaf_of(const struct vm *of, u64 gfn)
{
	u64 pfn = nondet_u64();
	struct page page;

	if (nondet_bool()) {
		return of->is_protected ? any_invalid() : 0;
	}
	assume(is_ram(pfn));
	page = ledger_get(pfn_make(pfn));
	if (!of->is_protected) {
		assume(page.owner == OWNER_HOST && page.state == PAGE_SHARED);
		return pfn << PAGE_SHIFT | S2_BITS_NORMAL_RWX | PTE_TABLE | PTE_VALID;
	}
	assume(page.owner == of->owner && page.gfn == gfn);
	return pfn << PAGE_SHIFT | S2_BITS_NORMAL_RWX | (u64)page.state << S2_WISH_SHIFT |
	       PTE_TABLE | PTE_VALID;
}

/* Two real levels below the roots, each perhaps there. */
static void any_tables_of(const struct vm *of, u32 root, u32 level2, u32 level3)
{
	for (u32 i = 0; i < TABLE_ENTRIES; i++) {
		table(root)[i] = of->is_protected ? any_invalid() : 0;
		table(root + 1)[i] = of->is_protected ? any_invalid() : 0;
		table(level2)[i] = of->is_protected ? any_invalid() : 0;
		table(level3)[i] = any_leaf_of(of, i);
	}
	if (nondet_bool()) {
		table(root)[0] = table_pa(level2) | PTE_TABLE | PTE_VALID;
	}
	if (nondet_bool()) {
		table(level2)[0] = table_pa(level3) | PTE_TABLE | PTE_VALID;
	}
}

static void any_pool(struct pool *pool, u32 first, u32 most)
{
	pool->free_count = nondet_u32();
	assume(pool->free_count <= most);
	pool->free = pfn_make(T_BASE + first + pool->free_count - 1);
}

/* Chosen by the harness: protected or open. */
static void any_vm(bool is_protected)
{
	lock_init(&vm_lock_of, LOCK_RANK_VM);
	vm.lock = &vm_lock_of;
	vm.owner = OWNER_VM_FIRST;
	vm.is_protected = is_protected;
	vm.state = (enum vm_state)nondet_u32();
	assume(vm.state <= VM_POWEROFF);
	vm.ram_count = 1;
	vm.ram[0] = (struct vm_ram){ .first = { nondet_u64() }, .pages = nondet_u64() };
	assume(vm.ram[0].first.v < GFN_LIMIT && vm.ram[0].pages <= GFN_LIMIT - vm.ram[0].first.v);
	vm.s2 = (struct s2){ .root = { table_pa(T_VM_ROOT0) },
			     .vmid = { OWNER_VM_FIRST },
			     .pool = &vm.tables };
	any_pool(&vm.tables, T_VM_POOL, 3);
}

/* The other VM's tables lie where arch_core_va() lets nobody look: they stay bit by bit. */
static void any_other_vm(void)
{
	other_vm.owner = OWNER_VM_FIRST + 1;
	other_vm.is_protected = nondet_bool();
	other_vm.guest_pages = nondet_u64();
	other_vm.s2 = (struct s2){ .root = { table_pa(T_COUNT) },
				   .vmid = { OWNER_VM_FIRST + 1 },
				   .pool = &other_vm.tables };
	other_vm_before = other_vm;
}

/* The count that host_map_join() relies on agrees with the entries. */
static bool foreign_count_is_right(void)
{
	u32 foreign = 0;

	for (u64 pfn = WHOLE_BLOCK; pfn < WHOLE_BLOCK + TABLE_ENTRIES; pfn++) {
		foreign += ledger_get(pfn_make(pfn)).owner != OWNER_HOST;
	}
	return ledger_block_is_host(pfn_make(WHOLE_BLOCK)) == (foreign == 0);
}

/* Any state of the whole machine. */
static void any_state_of(bool is_protected)
{
	any_ledger();
	host.s2 = (struct s2){
		.root = { table_pa(T_HOST_ROOT0) },
		.vmid = { OWNER_HOST },
		.pool = mem_core_pool(),
	};
	host_tables();
	any_vm(is_protected);
	any_tables_of(&vm, T_VM_ROOT0, T_VM_L2, T_VM_L3);
	any_other_vm();
	any_pool(mem_core_pool(), T_CORE_POOL, 3);
}

/* The host's walk for `pfn` ends at the same page with the same rights as `before`, be it through a
 * block or a page. */
static bool same_host_translation(u64 pfn, const struct s2_leaf *before)
{
	struct s2_leaf now = s2_walk(host_map_s2(), gfn_make(pfn));
	u64 inside = pfn & (s2_leaf_pages(now.level) - 1);

	return now.is_mapped == before->is_mapped &&
	       (!now.is_mapped || (now.attr == before->attr &&
				   now.pa.v + (inside << PAGE_SHIFT) == pfn << PAGE_SHIFT));
}

/* The same for the VM, with the guest's wish. */
static bool same_vm_translation(u64 gfn, const struct s2_leaf *before)
{
	struct s2_leaf now = s2_walk(&vm.s2, gfn_make(gfn));

	return now.is_mapped == before->is_mapped && now.wish == before->wish &&
	       now.pa.v == before->pa.v;
}

static void any_state(void)
{
	any_state_of(true);
}

/* The other VM's tables are watched by arch_core_va(), its pages by their ledger entries. */
static void claim_other_vm_stays(void)
{
	claim(other_vm.owner == other_vm_before.owner &&
		      other_vm.guest_pages == other_vm_before.guest_pages &&
		      other_vm.s2.root.v == other_vm_before.s2.root.v &&
		      other_vm.tables.free_count == other_vm_before.tables.free_count,
	      "the other VM's record stays");
}

#endif
