/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Proof: device pages of VMs (mem_io.c). For any VM, page and gfn: the status is the one that the
 * ABI's order of errors names (spec_map_io(), from abi.h); a refusal changes nothing; a device page
 * has left the host before the VM gets it, and has left the VM before the host gets it back; only
 * what the platform lists ever leaves the host; no RAM range is declared over one. Another CPU may
 * take the page between the check and the commit. By their contracts: s2.h, host_map.h, pool.h.
 * Seed: map_io (B13).
 * Proof-args: -Itest/proof/few --unwind 10 corevisor/core/mem_io.c
 * Proof-entry: proof_mem_map_io quick
 * Proof-entry: proof_mem_io_reclaim quick
 * Proof-entry: proof_mem_io_overlaps quick
 */
#include "one_vm.h"

#include <cv/arch.h>
#include <cv/host_map.h>
#include <cv/mem.h>

static struct pool core_pool;
static u32 reserved; /* tables out of reach of others just now */
static u64 the_gfn, the_pfn;
static bool is_listed;			    /* by the platform */
static bool host_has;			    /* the host's map has it */
static bool is_raced;			    /* another CPU takes it after the check */
static bool vm_has;			    /* the VM's map has something at the gfn */
static u32 vm_needs, host_needs, host_uses; /* tables */
static bool is_given_back;

bool vm_is_ram(const struct vm *of, gfn_t gfn)
{
	claim(of == &vm && is_locked, "under the lock");
	return gfn.v - vm.ram[0].first.v < vm.ram[0].pages;
}

bool plat_is_assignable(pfn_t pfn)
{
	claim(pfn.v == the_pfn && pfn.v < GFN_LIMIT, "asked for pages that exist");
	return is_listed;
}

struct pool *mem_core_pool(void)
{
	return &core_pool;
}

u32 pool_count(struct pool *pool)
{
	claim(pool == &vm.tables, "the VM's");
	return pool->free_count;
}

bool pool_reserve(struct pool *pool, struct pool *into, u32 count, u32 floor)
{
	claim(pool == &core_pool && floor == CORE_POOL_FLOOR && reserved == 0, "the core's, once");
	into->free_count = 0;
	if (count > 0 && pool->free_count < count + floor) {
		return false;
	}
	pool->free_count -= count;
	into->free_count = count;
	reserved = count;
	return true;
}

void pool_return(struct pool *pool, struct pool *from)
{
	claim(pool == &core_pool && from->free_count <= reserved, "what is left");
	pool->free_count += from->free_count;
	from->free_count = 0;
	reserved = 0;
}

u32 host_map_tables_needed(pfn_t pfn, u32 level)
{
	claim(pfn.v == the_pfn && level == 3, "the page's");
	return host_needs;
}

struct s2_leaf host_map_walk(ipa_t ipa)
{
	claim(ipa.v == the_pfn << PAGE_SHIFT, "the page");
	return (struct s2_leaf){ .is_mapped = host_has };
}

bool host_map_take_device(pfn_t pfn, struct pool *from)
{
	claim(pfn.v == the_pfn && is_listed && !ledger_is_ram(pfn), "a listed device page");
	claim(from->free_count >= host_needs, "tables are there");
	if (is_raced) {
		return false;
	}
	claim(host_has, "it was the host's");
	host_has = false;
	from->free_count -= host_uses;
	return true;
}

void host_map_give_device(pfn_t pfn)
{
	claim(pfn.v == the_pfn && !vm_has && !host_has, "it has left the VM");
	is_given_back = true;
	host_has = true;
}

u32 s2_tables_needed(const struct s2 *s2, gfn_t gfn, u32 level)
{
	claim(s2 == &vm.s2 && gfn.v == the_gfn && level == 3, "for the page");
	return vm_needs;
}

void s2_map(struct s2 *s2, gfn_t gfn, pa_t pa, u32 level, enum s2_attr attr, enum s2_wish wish)
{
	claim(s2 == &vm.s2 && gfn.v == the_gfn && pa.v == the_pfn << PAGE_SHIFT && level == 3,
	      "the page at its gfn");
	claim(attr == S2_DEVICE && wish == S2_WISH_PRIVATE, "as a device");
	claim(!vm_has && !host_has, "it has left the host, and nothing is in its place");
	claim(vm.tables.free_count >= vm_needs, "tables are there");
	vm.tables.free_count -= vm_needs;
	vm_has = true;
}

static enum s2_wish leaf_wish;

void s2_unmap(struct s2 *s2, gfn_t gfn, u32 level, enum s2_wish wish)
{
	claim(s2 == &vm.s2 && gfn.v == the_gfn && level == 3 && wish == leaf_wish, "the page");
	claim(vm_has, "it is there");
	vm_has = false;
}

static bool is_walk_of_many;
static bool is_mapped_at[8];
static bool is_whole[2]; /* a block without a table */

struct s2_leaf s2_walk(const struct s2 *s2, gfn_t gfn)
{
	struct s2_leaf leaf = { .level = 3 };

	claim(s2 == &vm.s2 && is_locked, "under the lock");
	if (!is_walk_of_many) {
		claim(gfn.v == the_gfn && gfn.v < GFN_LIMIT, "the gfn");
		leaf.is_mapped = vm_has;
		return leaf;
	}
	leaf.is_mapped = is_mapped_at[gfn.v & 7];
	leaf.level = is_whole[gfn.v >> 2 & 1] ? 2 : 3;
	return leaf;
}

static void any_state(void)
{
	any_record();
	vm.ram_count = 1;
	vm.tables.free_count = (u32)any_below(8);
	core_pool.free_count = (u32)any_below(8);
	is_listed = nondet_bool();
	host_has = nondet_bool();
	is_raced = nondet_bool();
	vm_has = nondet_bool();
	vm_needs = (u32)any_below(S2_NEW_TABLES_MAX + 1);
	host_needs = (u32)any_below(S2_NEW_TABLES_MAX + 1);
	host_uses = (u32)any_below(S2_NEW_TABLES_MAX + 1);
	assume(host_uses <= host_needs);
	want = vm;
}

static void claim_as_wanted(void)
{
	claim(__CPROVER_equal(vm, want), "the VM is as specified");
	claim(__CPROVER_equal(other, other_before), "the other VM stays");
	claim(reserved == 0, "no table is lost");
}

static enum cv_status spec_map_io(u64 handle)
{
	if (handle != vm.handle) {
		return CV_E_NOENT;
	}
	if (the_gfn >= GFN_LIMIT || the_gfn - vm.ram[0].first.v < vm.ram[0].pages) {
		return CV_E_RANGE;
	}
	if (the_pfn >= GFN_LIMIT || ledger_is_ram(pfn_make(the_pfn)) || !is_listed) {
		return CV_E_PERM;
	}
	if (vm.state != VM_READY || vm.seal.mode != SEAL_NONE || !host_has) {
		return CV_E_STATE;
	}
	if (vm_has) {
		return CV_E_BUSY;
	}
	if (vm.tables.free_count < vm_needs ||
	    (host_needs > 0 && core_pool.free_count < host_needs + CORE_POOL_FLOOR)) {
		return CV_E_NOMEM;
	}
	if (is_raced) {
		return CV_E_STATE;
	}
	want.device_pages++;
	want.tables.free_count -= vm_needs;
	return CV_OK;
}

void proof_mem_map_io(void)
{
	u64 handle = nondet_u64();
	u32 free_before;
	bool host_had;
	bool vm_had;
	enum cv_status expected;
	enum cv_status status;

	any_state();
	the_gfn = nondet_u64();
	the_pfn = nondet_u64();
	free_before = core_pool.free_count;
	host_had = host_has;
	vm_had = vm_has;
	expected = spec_map_io(handle);

	status = mem_map_io(handle, the_gfn, the_pfn);

	reach(status == CV_OK, "OK");
	reach(status == CV_E_NOENT, "NOENT");
	reach(status == CV_E_RANGE && the_gfn < GFN_LIMIT, "RANGE: RAM");
	reach(status == CV_E_PERM && the_pfn < GFN_LIMIT && is_listed, "PERM: RAM");
	reach(status == CV_E_PERM && !is_listed && !ledger_is_ram(pfn_make(the_pfn)), "PERM: list");
	reach(status == CV_E_STATE && vm.state == VM_VERIFIED && host_has, "STATE: the VM");
	reach(status == CV_E_STATE && vm.state == VM_READY && !host_has, "STATE: the page");
	reach(status == CV_E_STATE && is_raced && vm.state == VM_READY && host_has,
	      "STATE: another CPU was faster");
	reach(status == CV_E_BUSY, "BUSY");
	reach(status == CV_E_NOMEM && vm.tables.free_count == 7, "NOMEM: the core's");
	reach(status == CV_E_NOMEM && core_pool.free_count == 7, "NOMEM: the VM's");
	claim(status == expected, "the status is the specified one");
	claim(core_pool.free_count == free_before - (status == CV_OK ? host_uses : 0),
	      "only the tables that were used are gone");
	claim(status == CV_OK ? vm_has && !host_has : vm_has == vm_had && host_has == host_had,
	      "the page is in one map, or where it was");
	claim(!is_locked, "no lock is left held");
	claim_as_wanted();
}

void proof_mem_io_reclaim(void)
{
	struct s2_leaf leaf = { .is_mapped = true, .level = 3, .attr = S2_DEVICE };

	any_state();
	the_gfn = any_below(GFN_LIMIT);
	the_pfn = any_below(GFN_LIMIT);
	assume(vm_has && !host_has && vm.device_pages > 0);
	leaf_wish = nondet_bool() ? S2_WISH_SHARED : S2_WISH_PRIVATE;
	leaf.wish = leaf_wish;
	leaf.pa = pfn_pa(pfn_make(the_pfn));
	want.device_pages--;

	mem_io_reclaim(&vm, gfn_make(the_gfn), &leaf);

	reach(vm.device_pages == 0, "the last one");
	claim(is_given_back && host_has && !vm_has, "it is the host's again");
	claim_as_wanted();
}

void proof_mem_io_overlaps(void)
{
	u64 gfn = any_below(8);
	u64 pages = 1 + any_below(8);
	u64 at = any_below(8); /* any of the range */
	bool is_there;

	any_state();
	assume(gfn + pages <= 8);
	is_walk_of_many = true;
	is_locked = true;
	for (u32 i = 0; i < 8; i++) {
		is_mapped_at[i] = nondet_bool();
		/* The count is exact: without device pages none is mapped. */
		assume(!is_mapped_at[i] || vm.device_pages > 0);
	}
	for (u32 i = 0; i < 2; i++) {
		is_whole[i] = nondet_bool();
		assume(!is_whole[i] || !(is_mapped_at[4 * i] || is_mapped_at[4 * i + 1] ||
					 is_mapped_at[4 * i + 2] || is_mapped_at[4 * i + 3]));
	}

	is_there = mem_io_overlaps(&vm, gfn, pages);

	reach(is_there, "one is there");
	reach(!is_there && vm.device_pages > 0 && pages == 8 && is_whole[1],
	      "none, though there are");
	claim(is_there || at < gfn || at >= gfn + pages || !is_mapped_at[at], "none is overlooked");
	claim(!is_there || is_mapped_at[0] || is_mapped_at[1] || is_mapped_at[2] ||
		      is_mapped_at[3] || is_mapped_at[4] || is_mapped_at[5] || is_mapped_at[6] ||
		      is_mapped_at[7],
	      "none is made up");
	claim_as_wanted();
}
