/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What saving and loading a page ask of a VM's tables and of the memory core, by contract.
 */
#ifndef SEAL_PAGES_H
#define SEAL_PAGES_H

#include "seal_state.h"

/* What the tables say at each look, chosen before the call, so that two runs see the same. */
static struct {
	bool is_ram;
	u64 next; /* if it is not: where the next range begins */
	struct s2_leaf leaf;
	u64 gfn; /* where the first run looked */
} seen[MEM_LOOKS_MAX];
static bool is_second;

static u64 look; /* where the next look must be */
static u32 looks;
static bool is_ram_here;
static bool is_found;
static bool is_load;
static struct s2_leaf leaf;

static void any_tables(void)
{
	for (u32 i = 0; i < MEM_LOOKS_MAX; i++) {
		seen[i].is_ram = nondet_bool();
		seen[i].next = any_bits(8);
		seen[i].leaf = (struct s2_leaf){
			.is_mapped = nondet_bool(),
			.level = 1 + (u32)any_below(3),
			.pa = { any_bits(20) << PAGE_SHIFT },
			.wish = (enum s2_wish)any_below(S2_WISH_DESTROYED + 1),
		};
		/* What is backed is a page or a block; nobody has a destroyed page. */
		assume(!seen[i].leaf.is_mapped ||
		       (seen[i].leaf.level >= 2 && seen[i].leaf.wish != S2_WISH_DESTROYED));
	}
}

bool vm_is_ram(const struct vm *of, gfn_t gfn)
{
	claim(of == &vm && is_locked && gfn.v == look && gfn.v < GFN_LIMIT && !is_found,
	      "no gfn is passed over");
	if (is_second) {
		claim(gfn.v == seen[looks].gfn, "the second run looks where the first did");
		assume(gfn.v == seen[looks].gfn); /* the solver need not see it again */
	}
	seen[looks].gfn = gfn.v;
	is_ram_here = seen[looks].is_ram;
	looks++;
	return is_ram_here;
}

u64 vm_ram_next(const struct vm *of, gfn_t gfn)
{
	claim(of == &vm && gfn.v == look && !is_ram_here, "from what is no RAM");
	look = seen[looks - 1].next;
	assume(look > gfn.v && look <= GFN_LIMIT);
	return look;
}

struct s2_leaf s2_walk(const struct s2 *s2, gfn_t gfn)
{
	claim(s2 == &vm.s2 && is_locked, "the VM's, under its lock");
	if (is_load) {
		claim(gfn.v == place.at && loaded == 1, "the page of the record");
		return leaf;
	}
	claim(gfn.v == look && is_ram_here, "RAM");
	leaf = seen[looks - 1].leaf;
	is_found = leaf.is_mapped || leaf.wish != S2_WISH_PRIVATE;
	if (is_found) {
		place.at = look;
		place.what = (leaf.is_mapped ? RV_SEAL_BACKED : 0) |
			     (leaf.wish == S2_WISH_SHARED      ? RV_SEAL_SHARED
			      : leaf.wish == S2_WISH_DESTROYED ? RV_SEAL_DESTROYED
							       : 0) |
			     (leaf.is_mapped || leaf.level == 3 ? 1ull : TABLE_ENTRIES)
				     << RV_SEAL_PAGES_SHIFT;
		place_bytes = leaf.is_mapped ? PAGE_SIZE : 0;
		window_pfn = (leaf.pa.v >> PAGE_SHIFT) +
			     (leaf.level == 2 ? look & (TABLE_ENTRIES - 1) : 0);
	} else {
		look = (look | (s2_leaf_pages(leaf.level) - 1)) + 1;
	}
	return leaf;
}

/* ---- loading ---- */

static enum cv_status load_status;
static u32 needed;
static bool is_clean, is_shared, is_reclaimed, is_wished;
static u64 ram_end;

u64 vm_ram_end(const struct vm *of, gfn_t gfn)
{
	claim(of == &vm && gfn.v == place.at, "of the record's gfn");
	return ram_end;
}

enum cv_status mem_load_page(struct vm *of, u64 gfn, u64 pfn)
{
	claim(of == &vm && is_locked && vm.is_protected && vm.state == VM_READY, "its Pre");
	claim(gfn == place.at && gfn < ram_end && pfn == the_pfn && loaded == 0, "once");
	if (load_status == CV_OK) {
		loaded = 1;
		vm.guest_pages++;
	}
	return load_status;
}

void mem_page_reclaim(struct vm *of, gfn_t gfn, const struct s2_leaf *from)
{
	claim(of == &vm && gfn.v == place.at && loaded == 1 && from->pa.v == leaf.pa.v, "the page");
	claim(!is_open && is_opened && !is_good, "because it did not open");
	vm.guest_pages--;
	loaded = 0;
	is_reclaimed = true;
}

void arch_page_clean_invalidate(pfn_t pfn)
{
	claim(pfn.v == the_pfn && is_opened && !is_open, "after it was decrypted");
	is_clean = true;
}

void mem_page_restore_shared(struct vm *of, gfn_t gfn)
{
	claim(of == &vm && gfn.v == place.at && is_opened && is_good && is_clean, "a good page");
	is_shared = true;
}

u32 s2_tables_needed(const struct s2 *s2, gfn_t gfn, u32 level)
{
	claim(s2 == &vm.s2 && gfn.v == place.at, "of the record's gfn");
	claim(level == (place.what >> RV_SEAL_PAGES_SHIFT == 1 ? 3 : 2), "of its size");
	return needed;
}

enum cv_status mem_vm_set_wish(struct vm *of, gfn_t *gfn, gfn_t end, enum s2_wish wish,
			       bool change_destroyed)
{
	claim(of == &vm && is_opened && is_good, "what the snapshot says");
	claim(gfn->v == place.at && end.v == place.at + (place.what >> RV_SEAL_PAGES_SHIFT) &&
		      !change_destroyed,
	      "its gfns");
	claim(wish == ((place.what & RV_SEAL_SHARED) != 0 ? S2_WISH_SHARED : S2_WISH_DESTROYED),
	      "its wish");
	claim(vm.tables.free_count >= needed, "tables are there");
	vm.tables.free_count -= needed;
	*gfn = end;
	is_wished = true;
	return CV_OK;
}

/* RV_SEAL_LOAD_PAGE with any arguments. */
static void any_load_page(void)
{
	is_load = true;
	place.at = nondet_bool() ? any_bits(8) : nondet_u64();
	place.what = nondet_u64();
	place_bytes = (place.what & RV_SEAL_BACKED) != 0 ? PAGE_SIZE : 0;
	window_pfn = the_pfn;
	needed = (u32)any_below(S2_NEW_TABLES_MAX + 1);
	ram_end = any_below(GFN_LIMIT + 1);
	assume(ram_end == 0 || ram_end > place.at);
	load_status = nondet_bool() ? CV_OK : nondet_bool() ? CV_E_STATE : CV_E_NOMEM;
	leaf.is_mapped = true;
	leaf.level = 3;
	leaf.pa.v = the_pfn << PAGE_SHIFT;
}

#endif
