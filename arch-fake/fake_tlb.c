/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Stage-2 walks with TLBs and walk caches that never forget by themselves. A walk of the hardware
 * sees the tables as they are at any moment between two writes of the core; a translation once seen
 * is used until it is invalidated.
 */
#include "fake_impl.h"

#include <cv/arch.h>
#include <cv/pte.h>
#include <stdlib.h>
#include <string.h>

#define WATCH_MAX 64
#define WRITERS_MAX 32
#define SOFTWARE_BITS S2_WISH_MASK

struct tlb_entry {
	u32 vmid;
	u32 level;
	bool is_table;
	u64 first; /* IPA range */
	u64 bytes;
	u64 slot; /* PA of the entry it was read from */
	u64 pte;
};

/* What one CPU keeps for one VMID. */
struct tlb {
	u32 count;
	u32 room;
	struct tlb_entry *entry;
};

#define VMIDS (S2_VMID_DMA + RV_DMA_CONTEXTS)

static struct tlb tlbs[FAKE_WALKERS][VMIDS];
static u64 roots[VMIDS];
/* All VMIDs that ever had a root. */
static u32 used[VMIDS];
static u32 used_count;
static struct {
	u32 vmid;
	u64 ipa;
} watches[WATCH_MAX];
static u32 watch_count;
static struct {
	u32 cpu;
	u32 vmid;
	u64 ipa;
	u64 value;
} writers[WRITERS_MAX];
static u32 writer_count;
static u32 next_cpu;
static bool is_busy; /* others do not act while others act */
/* Table writes of a CPU that no barrier of its own has ordered yet, and the last block that it
 * broke while it held its locks: what a new table must repeat. */
static struct {
	u32 count;
	u64 slot[2 * TABLE_ENTRIES + 8];
} unpublished[FAKE_CPUS];
static struct {
	u64 slot;
	u64 pte;
} broken[FAKE_CPUS];

void fake_tlb_call_ended(u32 cpu)
{
	broken[cpu].pte = 0;
}

void fake_tlb_reset(void)
{
	for (u32 cpu = 0; cpu < FAKE_WALKERS; cpu++) {
		for (u32 vmid = 0; vmid < VMIDS; vmid++) {
			free(tlbs[cpu][vmid].entry);
			tlbs[cpu][vmid] = (struct tlb){ 0 };
		}
	}
	used_count = 0;
	memset(roots, 0, sizeof(roots));
	memset(broken, 0, sizeof(broken));
	memset(unpublished, 0, sizeof(unpublished));
	next_cpu = 0;
	fake_calm();
}

void fake_calm(void)
{
	watch_count = 0;
	writer_count = 0;
}

static void set_root(u32 vmid, u64 root)
{
	u32 i = 0;

	while (i < used_count && used[i] != vmid) {
		i++;
	}
	if (i == used_count) {
		used[used_count++] = vmid;
	}
	roots[vmid] = root;
}

void fake_attach(u32 vmid, pa_t root)
{
	if (vmid >= S2_VMID_DMA) {
		fake_fail("the core itself attaches DMA contexts");
	}
	fake_lock();
	set_root(vmid, root.v);
	fake_unlock();
}

void fake_watch(u32 vmid, u64 ipa)
{
	if (watch_count == WATCH_MAX) {
		fake_fail("too many watches");
	}
	watches[watch_count].vmid = vmid;
	watches[watch_count].ipa = ipa;
	watch_count++;
}

void fake_hostile_writer(u32 cpu, u32 vmid, u64 ipa, u64 value)
{
	if (writer_count == WRITERS_MAX) {
		fake_fail("too many writers");
	}
	writers[writer_count].cpu = cpu;
	writers[writer_count].vmid = vmid;
	writers[writer_count].ipa = ipa;
	writers[writer_count].value = value;
	writer_count++;
}

static u64 leaf_bytes(u32 level)
{
	return PAGE_SIZE << (TABLE_BITS * (3 - level));
}

static u64 root_slot(u64 root, u64 ipa)
{
	u64 index = ipa / leaf_bytes(1);

	return root + index / TABLE_ENTRIES * PAGE_SIZE + index % TABLE_ENTRIES * 8;
}

static struct tlb_entry entry_read(u32 vmid, u64 ipa, u64 slot, u32 level)
{
	u64 pte = fake_table_read(slot);
	u64 first = align_down(ipa, leaf_bytes(level));

	return (struct tlb_entry){
		.vmid = vmid,
		.level = level,
		.is_table = level < 3 && (pte & 3) == 3,
		.first = first,
		.bytes = leaf_bytes(level),
		.slot = slot,
		.pte = pte,
	};
}

/* One step down: the entry in the table that `at` points to. */
static struct tlb_entry entry_below(const struct tlb_entry *at, u64 ipa)
{
	u32 level = at->level + 1;
	u64 slot = (at->pte & PTE_ADDR) + ipa / leaf_bytes(level) % TABLE_ENTRIES * 8;

	return entry_read(at->vmid, ipa, slot, level);
}

static const struct tlb_entry *tlb_find(const struct tlb *tlb, u64 ipa, bool is_table)
{
	const struct tlb_entry *best = NULL;

	for (u32 i = 0; i < tlb->count; i++) {
		const struct tlb_entry *entry = &tlb->entry[i];

		if (entry->is_table == is_table && ipa - entry->first < entry->bytes &&
		    (best == NULL || entry->level > best->level)) {
			best = entry;
		}
	}
	return best;
}

static void tlb_add(struct tlb *tlb, const struct tlb_entry *entry)
{
	if (tlb->count == tlb->room) {
		tlb->room = 2 * tlb->room + 16;
		tlb->entry = realloc(tlb->entry, tlb->room * sizeof(*entry));
	}
	tlb->entry[tlb->count++] = *entry;
}

/* The leaf for `ipa`: from the TLB if it has one, else from the walk cache on. False: a fault
 * (which is not kept). */
static bool translate(u32 cpu, u32 vmid, u64 ipa, struct tlb_entry *leaf)
{
	struct tlb *tlb = &tlbs[cpu][vmid];
	const struct tlb_entry *hit = tlb_find(tlb, ipa, false);
	const struct tlb_entry *table;

	if (hit != NULL) {
		*leaf = *hit;
		return true;
	}
	if (roots[vmid] == 0 || ipa >> IPA_BITS != 0) {
		return false;
	}
	table = tlb_find(tlb, ipa, true);
	*leaf = table != NULL ? entry_below(table, ipa)
			      : entry_read(vmid, ipa, root_slot(roots[vmid], ipa), 1);
	while (leaf->is_table) {
		tlb_add(tlb, leaf);
		*leaf = entry_below(leaf, ipa);
	}
	if ((leaf->pte & PTE_VALID) == 0) {
		return false;
	}
	if (leaf->level == 3 && (leaf->pte & PTE_TABLE) == 0) {
		fake_fail("VMID %u has a reserved entry at level 3 for %#lx", vmid, ipa);
	}
	tlb_add(tlb, leaf);
	return true;
}

/* ---- accesses ---- */

static bool access_check(u32 cpu, u32 vmid, u64 ipa, enum mem_access access, u64 *pa)
{
	struct tlb_entry leaf;

	if (!translate(cpu, vmid, ipa, &leaf)) {
		return false;
	}
	if (access == MEM_EXEC ? (leaf.pte & S2_XN) != 0
			       : (leaf.pte & (access == MEM_WRITE ? S2_WRITE : S2_READ)) == 0) {
		return false;
	}
	*pa = (leaf.pte & PTE_ADDR) + (ipa - leaf.first);
	return true;
}

static void cache_in(struct fake_page *page)
{
	if (!page->is_cached) {
		memcpy(page->cache, page->dram, PAGE_SIZE);
		page->is_cached = true;
		page->is_dirty = false;
	}
}

/* Others do this whenever they like, also to a page that EL2 reads or writes just now: no lock of
 * the core orders the two. A thread sanitiser is told the name to overlook it. */
__attribute__((noinline)) static void touch(struct fake_page *page, u64 offset, u64 *value,
					    enum mem_access access, enum fake_cacheable cacheable)
{
	u8 *bytes = cacheable == FAKE_CACHED ? page->cache : page->dram;

	if (access == MEM_WRITE) {
		memcpy(bytes + offset, value, sizeof(*value));
		page->is_dirty = page->is_dirty || cacheable == FAKE_CACHED;
		page->is_token_valid = false;
	} else if (access == MEM_READ) {
		memcpy(value, bytes + offset, sizeof(*value));
	} else {
		if (!page->is_icached) {
			memcpy(page->icache, page->is_cached ? page->cache : page->dram, PAGE_SIZE);
			page->is_icached = true;
		}
		memcpy(value, page->icache + offset, sizeof(*value));
	}
}

static bool access_word(u32 cpu, u32 vmid, u64 ipa, u64 *value, enum mem_access access,
			enum fake_cacheable cacheable)
{
	struct fake_page *page;
	u64 pa;
	bool ok;

	fake_lock();
	ok = access_check(cpu, vmid, ipa, access, &pa);
	if (ok) {
		page = fake_page_of(pa >> PAGE_SHIFT);
		fake_page_open(page);
		if (cacheable == FAKE_CACHED) {
			cache_in(page);
		}
		touch(page, pa % PAGE_SIZE, value, access, cacheable);
		fake_page_close(page);
	}
	fake_unlock();
	return ok;
}

bool fake_read(u32 cpu, u32 vmid, u64 ipa, u64 *value, enum fake_cacheable cacheable)
{
	return access_word(cpu, vmid, ipa, value, MEM_READ, cacheable);
}

bool fake_write(u32 cpu, u32 vmid, u64 ipa, u64 value, enum fake_cacheable cacheable)
{
	return access_word(cpu, vmid, ipa, &value, MEM_WRITE, cacheable);
}

bool fake_fetch(u32 cpu, u32 vmid, u64 ipa, u64 *value)
{
	return access_word(cpu, vmid, ipa, value, MEM_EXEC, FAKE_CACHED);
}

bool fake_dma_read(u32 context, u64 iova, u64 *value)
{
	return fake_read(FAKE_SMMU, S2_VMID_DMA + context, iova, value, FAKE_CACHED);
}

bool fake_dma_write(u32 context, u64 iova, u64 value)
{
	return fake_write(FAKE_SMMU, S2_VMID_DMA + context, iova, value, FAKE_CACHED);
}

pa_t fake_dma_root(u32 context)
{
	return pa_make(roots[S2_VMID_DMA + context]);
}

static bool host_access(u32 cpu, u64 ipa, u64 *value, enum mem_access access)
{
	for (u32 tries = 0; tries < 8; tries++) {
		if (access_word(cpu, OWNER_HOST, ipa, value, access, FAKE_CACHED)) {
			return true;
		}
		if (!mem_host_fault_is_spurious(ipa_make(ipa), access)) {
			return false;
		}
	}
	fake_fail("the host would fault for ever at %#lx", ipa);
}

bool fake_host_read(u32 cpu, u64 ipa, u64 *value)
{
	return host_access(cpu, ipa, value, MEM_READ);
}

bool fake_host_write(u32 cpu, u64 ipa, u64 value)
{
	return host_access(cpu, ipa, &value, MEM_WRITE);
}

bool fake_host_fetch(u32 cpu, u64 ipa, u64 *value)
{
	return host_access(cpu, ipa, value, MEM_EXEC);
}

/* ---- everybody else's moment ---- */

static void speculate(u32 cpu)
{
	struct tlb_entry leaf;

	for (u32 i = 0; i < watch_count; i++) {
		if ((watches[i].vmid >= S2_VMID_DMA) == (cpu == FAKE_SMMU)) {
			translate(cpu, watches[i].vmid, watches[i].ipa, &leaf);
		}
	}
}

void fake_others(void)
{
	fake_lock();
	if (!is_busy) {
		is_busy = true;
		next_cpu = (next_cpu + 1) % FAKE_WALKERS;
		speculate(next_cpu);
		for (u32 i = 0; i < writer_count; i++) {
			fake_write(writers[i].cpu, writers[i].vmid, writers[i].ipa,
				   writers[i].value, FAKE_CACHED);
			fake_write(writers[i].cpu, writers[i].vmid, writers[i].ipa + 8,
				   writers[i].value, FAKE_UNCACHED);
		}
		is_busy = false;
	}
	fake_unlock();
}

/* ---- the core's side ---- */

/* The core's pointers point into fake pages, whose cached copies are page aligned. */
static u64 pa_of_pte(const u64 *pte)
{
	uintptr_t offset = (uintptr_t)pte % 4096;
	const struct fake_bytes *bytes = (const void *)((uintptr_t)pte - offset);
	const struct fake_page *page = bytes->page;

	if (fake_page_of(page->pfn) != page) {
		fake_fail("a table entry outside RAM");
	}
	return (page->pfn << PAGE_SHIFT) + offset;
}

u64 arch_pte_read(const u64 *pte)
{
	return __atomic_load_n(pte, __ATOMIC_ACQUIRE);
}

static void check_make(const struct tlb *tlb, u64 slot, u64 value)
{
	for (u32 i = 0; i < tlb->count; i++) {
		const struct tlb_entry *entry = &tlb->entry[i];

		if (entry->slot == slot && ((entry->pte ^ value) & ~SOFTWARE_BITS) != 0) {
			fake_fail("make before break: entry at %#lx was %#lx, becomes %#lx", slot,
				  entry->pte, value);
		}
	}
}

/* No TLB may hold another valid value of an entry that becomes valid. */
static void check_break_before_make(u64 slot, u64 value)
{
	for (u32 cpu = 0; cpu < FAKE_WALKERS; cpu++) {
		for (u32 i = 0; i < used_count; i++) {
			check_make(&tlbs[cpu][used[i]], slot, value);
		}
	}
}

/* A table that is linked must be whole: after a block, all valid; and no write to it may still be
 * on its way. */
static void check_link(u32 cpu, u64 slot, u64 value)
{
	u64 table = value & PTE_ADDR;

	if ((value & ~PTE_ADDR) != (PTE_VALID | PTE_TABLE)) {
		return; /* a leaf: those have attributes */
	}
	for (u32 i = 0; i < unpublished[cpu].count; i++) {
		if (align_down(unpublished[cpu].slot[i], PAGE_SIZE) == table) {
			fake_fail("the table at %#lx is linked before its entries are published",
				  table);
		}
	}
	if (broken[cpu].slot == slot && broken[cpu].pte != 0) {
		for (u32 i = 0; i < TABLE_ENTRIES; i++) {
			if ((fake_table_read(table + i * 8) & PTE_VALID) == 0) {
				fake_fail("the table at %#lx replaces a block but has holes",
					  table);
			}
		}
	}
}

void arch_pte_write(u64 *pte, u64 value)
{
	u32 cpu = arch_cpu_index();
	u64 old;
	u64 slot;

	fake_lock();
	fake_counts.pte_writes++;
	old = *pte;
	slot = pa_of_pte(pte);
	if ((old & PTE_VALID) != 0) {
		for (u32 i = 0; i < FAKE_WALKERS; i++) {
			speculate(i);
		}
		broken[cpu].slot = slot;
		broken[cpu].pte = (old & PTE_TABLE) == 0 ? old : 0;
	}
	if ((value & PTE_VALID) != 0) {
		check_break_before_make(slot, value);
		if ((old & PTE_VALID) != 0 && ((old ^ value) & ~SOFTWARE_BITS) != 0) {
			fake_fail("entry at %#lx goes from %#lx to %#lx", slot, old, value);
		}
		check_link(cpu, slot, value);
	}
	__atomic_store_n(pte, value, __ATOMIC_RELEASE);
	if (unpublished[cpu].count == ARRAY_SIZE(unpublished[cpu].slot)) {
		fake_fail("table writes are never published");
	}
	unpublished[cpu].slot[unpublished[cpu].count++] = slot;
	fake_unlock();
	if ((old | value) & PTE_VALID) {
		fake_others();
	}
}

void arch_pte_publish(void)
{
	unpublished[arch_cpu_index()].count = 0;
}

static void forget(struct tlb *tlb, u64 first, u64 bytes)
{
	u32 kept = 0;

	for (u32 i = 0; i < tlb->count; i++) {
		const struct tlb_entry *entry = &tlb->entry[i];
		bool is_hit = entry->first < first + bytes && first < entry->first + entry->bytes;

		if (!is_hit) {
			tlb->entry[kept++] = *entry;
		}
	}
	tlb->count = kept;
}

static void forget_everywhere(u32 vmid, u64 first, u64 bytes, u64 *count)
{
	if (vmid >= S2_VMID_DMA) {
		fake_fail("a CPU has no VMID %u", vmid);
	}
	fake_others();
	fake_lock();
	(*count)++;
	for (u32 cpu = 0; cpu < FAKE_CPUS; cpu++) {
		forget(&tlbs[cpu][vmid], first, bytes);
	}
	fake_unlock();
	fake_others();
}

void arch_tlb_invalidate_ipa(vmid_t vmid, ipa_t ipa, u64 bytes)
{
	forget_everywhere(vmid.v, ipa.v, bytes, &fake_counts.tlb_ipa);
}

void arch_tlb_invalidate_vmid(vmid_t vmid)
{
	forget_everywhere(vmid.v, 0, 1ull << IPA_BITS, &fake_counts.tlb_vmid);
}

void arch_dma_set_root(u32 context, pa_t root)
{
	fake_lock();
	set_root(S2_VMID_DMA + context, root.v);
	fake_unlock();
	fake_others();
}

void arch_dma_invalidate(u32 context, ipa_t iova, u64 bytes)
{
	fake_others();
	fake_lock();
	fake_counts.tlb_dma++;
	forget(&tlbs[FAKE_SMMU][S2_VMID_DMA + context], iova.v, bytes);
	fake_unlock();
	fake_others();
}

/* ---- checks ---- */

static void check_entry(u32 cpu, const struct tlb_entry *entry)
{
	struct tlb_entry now;

	if (roots[entry->vmid] == 0) {
		fake_fail("the TLB of CPU %u still has VMID %u", cpu, entry->vmid);
	}
	now = entry_read(entry->vmid, entry->first, root_slot(roots[entry->vmid], entry->first), 1);
	while (now.level < entry->level && now.is_table) {
		now = entry_below(&now, entry->first);
	}
	if (now.slot != entry->slot || ((now.pte ^ entry->pte) & ~SOFTWARE_BITS) != 0) {
		fake_fail("CPU %u's TLB has %#lx for IPA %#lx of VMID %u, level %u; tables: %#lx",
			  cpu, entry->pte, entry->first, entry->vmid, entry->level, now.pte);
	}
}

void fake_check_tlbs(void)
{
	fake_lock();
	for (u32 cpu = 0; cpu < FAKE_WALKERS; cpu++) {
		for (u32 i = 0; i < used_count; i++) {
			const struct tlb *tlb = &tlbs[cpu][used[i]];

			for (u32 j = 0; j < tlb->count; j++) {
				check_entry(cpu, &tlb->entry[j]);
			}
		}
		speculate(cpu);
	}
	fake_el2_check_and_warm();
	fake_unlock();
}
