/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Proof: guest memory, many pages a call: RV_MEM_MAP, RV_MEM_RECLAIM, and what a guest asks to be
 * shared or private. What a step does to one leaf is drawn (proof_mem_map_page.c, _page_leave.c,
 * _block.c say what it can be); here: which steps are taken, in which order, how many, where the
 * call says that it stopped, and which error wins. A batch is a block, as it is; 3 looks.
 *
 * Gfns and ends have 8 bits where a loop counts with them, twice as many as there are; the VM's RAM
 * is chosen.
 *
 * Proof-args: --unwind 8 --unwindset level_that_fits.0:3
 * Proof-entry: proof_mem_map quick
 * Proof-entry: proof_mem_reclaim quick
 * Proof-entry: proof_mem_set_wish
 * Proof-entry: proof_mem_get_wish quick
 */
#include "proof.h"

#include <cv/mem.h>

#undef RV_BATCH_PAGES
#define RV_BATCH_PAGES 4
#undef MEM_LOOKS_MAX
#define MEM_LOOKS_MAX 3

/* s2.h's sizes of leaves, without shifting by what the solver does not know; claimed to be the
 * same. */
static u64 pages_of(u32 level)
{
	return level == 3 ? 1 : level == 2 ? 4 : 16;
}

static u64 end_of(const struct s2_leaf *leaf, u64 gfn)
{
	const u64 pages = pages_of(leaf->level);

	return (gfn & ~(pages - 1)) + pages;
}

static void claim_sizes(void)
{
	for (u32 level = 1; level <= 3; level++) {
		const struct s2_leaf leaf = { .level = level };

		claim(pages_of(level) == s2_leaf_pages(level) &&
			      end_of(&leaf, 37) == s2_leaf_end(&leaf, 37),
		      "sizes of leaves");
	}
}

#define s2_leaf_pages pages_of
#define s2_leaf_end end_of
#include "corevisor/core/mem_range.c"

_Static_assert(RV_BATCH_PAGES == PAGES_PER_BLOCK, "as on the real machine");

/* ---- a VM ---- */

static struct lock lock;
static struct vm vm;
static bool is_locked;

/* Upper bits that are constants are cheap. */
static u64 any_gfn(void)
{
	return nondet_u64() & (2 * GFN_LIMIT - 1);
}

static enum s2_wish any_wish(void)
{
	const u32 wish = nondet_u32() & 3;

	assume(wish <= S2_WISH_DESTROYED);
	return (enum s2_wish)wish;
}

static void any_vm(void)
{
	claim_sizes();
	vm.lock = &lock;
	vm.handle = nondet_u64();
	vm.is_protected = nondet_bool();
	vm.state = (enum vm_state)any_below(VM_POWEROFF + 1);
	vm.seal.mode = (enum seal_mode)any_below(SEAL_LOADING + 1);
	vm.active_count = nondet_u32();
	vm.dma_pages = nondet_u64();
	vm.ram_count = 2;
	/* With and without leaves that reach beyond their ends; constants. */
	vm.ram[0] = (struct vm_ram){ .first = { 6 }, .pages = 21 };
	vm.ram[1] = (struct vm_ram){ .first = { 32 }, .pages = GFN_LIMIT - 32 };
}

struct vm *vm_lock(u64 handle)
{
	if (handle != vm.handle) {
		return NULL;
	}
	is_locked = true;
	return &vm;
}

void vm_unlock(struct vm *of)
{
	claim(of == &vm && is_locked, "what is unlocked was locked");
	is_locked = false;
}

u64 vm_ram_end(const struct vm *of, gfn_t gfn)
{
	for (u32 i = 0; i < 2; i++) {
		if (gfn.v - of->ram[i].first.v < of->ram[i].pages) {
			return of->ram[i].first.v + of->ram[i].pages;
		}
	}
	return 0;
}

u64 vm_ram_next(const struct vm *of, gfn_t gfn)
{
	return gfn.v < of->ram[0].first.v   ? of->ram[0].first.v
	       : gfn.v < of->ram[1].first.v ? of->ram[1].first.v
					    : GFN_LIMIT;
}

bool vm_is_ram(const struct vm *of, gfn_t gfn)
{
	return vm_ram_end(of, gfn) != 0;
}

/* ---- its table: each look finds any leaf, but what is watched is as it was left ---- */

static u64 watched; /* a gfn, any */
static enum s2_wish watched_wish;

static u64 look_at;	    /* the gfn of the last look */
static struct s2_leaf look; /* and what was there */
static bool is_done;	    /* that leaf has been dealt with */
static bool is_split;	    /* a block was split since, so the next look finds a page of it */
static u32 looks;
static struct s2_leaf first_look;

static bool covers(u64 gfn, u32 level)
{
	return ((gfn ^ watched) & ~(pages_of(level) - 1)) == 0;
}

static struct s2_leaf any_leaf(u64 gfn)
{
	struct s2_leaf leaf = {
		.is_mapped = nondet_bool(),
		.level = nondet_u32() & 3,
		.wish = any_wish(),
	};

	assume(leaf.level > 0);
	if (leaf.is_mapped) {
		/* No GiB is a VM's, and what is destroyed is not backed. */
		assume(leaf.level > 1 && leaf.wish != S2_WISH_DESTROYED);
		leaf.attr = leaf.level == 3 && nondet_bool() ? S2_DEVICE : S2_NORMAL_RWX;
	}
	if (is_split) {
		claim(gfn == look_at, "a look at what was split");
		leaf = look;
		leaf.level = 3;
	}
	assume(!covers(gfn, leaf.level) || leaf.wish == watched_wish);
	return leaf;
}

struct s2_leaf s2_walk(const struct s2 *s2, gfn_t gfn)
{
	claim(s2 == &vm.s2 && gfn.v < GFN_LIMIT, "the VM's table, where there is one");
	claim(is_locked, "under the lock");
	look = any_leaf(gfn.v);
	if (looks == 0) {
		first_look = look;
	}
	looks += !is_split;
	look_at = gfn.v;
	is_split = false;
	is_done = false;
	return look;
}

static bool is_last_look(const struct s2_leaf *leaf)
{
	return leaf->is_mapped == look.is_mapped && leaf->level == look.level &&
	       leaf->wish == look.wish && leaf->attr == look.attr;
}

/* ---- RV_MEM_MAP ---- */

static u64 map_gfn, map_pfn;
static enum cv_status step_status[RV_BATCH_PAGES];
static u32 steps;
static bool is_block_possible;
static u32 block_tries;

bool mem_block_map(struct vm *of, gfn_t gfn, pfn_t pfn)
{
	claim(of == &vm && is_locked && gfn.v == map_gfn && pfn.v == map_pfn && steps == 0,
	      "the whole block, before any page");
	block_tries++;
	return is_block_possible;
}

enum cv_status mem_map_page(struct vm *of, u64 gfn, u64 pfn)
{
	claim(of == &vm && is_locked && gfn == map_gfn + steps && pfn == map_pfn + steps,
	      "one page after the other");
	claim(steps < RV_BATCH_PAGES, "not more than a batch");
	return step_status[steps++];
}

/* How many pages one call would give, if each can be given: not into the next whole block. */
static u64 spec_batch(u64 gfn, u64 pfn, u64 pages)
{
	const u64 to_block = -gfn & 3;
	u64 batch = pages < 4 ? pages : 4;

	if (vm.is_protected && (gfn & 3) == (pfn & 3) && to_block > 0 && pages >= to_block + 4) {
		batch = to_block;
	}
	return batch;
}

static enum cv_status any_step_status(void)
{
	switch (any_below(5)) {
	case 0:
		return CV_E_RANGE;
	case 1:
		return CV_E_STATE;
	case 2:
		return CV_E_BUSY;
	case 3:
		return CV_E_NOMEM;
	default:
		return CV_OK;
	}
}

void proof_mem_map(void)
{
	const u64 handle = nondet_u64();
	const u64 pages = nondet_u64();
	bool is_block;
	u64 batch;
	u64 given = 0;
	u64 done = 77;
	enum cv_status expected = CV_OK;
	enum cv_status status;

	any_vm();
	map_gfn = nondet_u64();
	map_pfn = nondet_u64();
	is_block_possible = nondet_bool();
	for (u32 i = 0; i < RV_BATCH_PAGES; i++) {
		step_status[i] = any_step_status();
	}
	is_block = vm.is_protected && pages >= 4 && (map_gfn & 3) == 0 && (map_pfn & 3) == 0;
	batch = spec_batch(map_gfn, map_pfn, pages);
	if (pages == 0) {
		expected = CV_E_INVALID;
	} else if (handle != vm.handle) {
		expected = CV_E_NOENT;
	} else if (vm.seal.mode != SEAL_NONE) {
		expected = vm.seal.mode == SEAL_SAVING ? CV_E_BUSY : CV_E_STATE;
	} else if (is_block && is_block_possible) {
		given = 4;
	} else {
		while (given < batch && step_status[given] == CV_OK) {
			given++;
		}
		expected = given > 0 ? CV_OK : step_status[0];
	}
	status = mem_map(handle, map_gfn, map_pfn, pages, &done);

	reach(status == CV_E_INVALID, "INVALID");
	reach(status == CV_E_NOENT, "NOENT");
	reach(status == CV_E_BUSY && steps == 0, "BUSY: saved");
	reach(status == CV_E_STATE && steps == 0, "STATE: loaded");
	reach(status == CV_E_NOMEM && is_block, "the first page's error, a block or not");
	reach(status == CV_OK && steps == 0, "a block");
	reach(status == CV_OK && steps == 4 && is_block, "page by page");
	reach(status == CV_OK && given == 3 && steps == 3, "up to a block");
	reach(status == CV_OK && given == 1 && steps == 2, "up to an error");
	claim(status == expected, "the status is the specified one");
	claim(done == (status == CV_OK ? given : 77), "how many were given");
	claim(block_tries == (steps + given > 0 && is_block), "a block is tried if it may be one");
	claim(!is_locked, "no lock is left held");
}

/* ---- RV_MEM_RECLAIM ---- */

static u64 returned;
static u64 passed; /* the first gfn that is not dealt with */

static void was_reclaimed(const struct vm *of, gfn_t gfn, const struct s2_leaf *leaf)
{
	claim(of == &vm && is_locked && gfn.v == look_at && is_last_look(leaf) && leaf->is_mapped &&
		      !is_done,
	      "a leaf that was found, once");
	is_done = true;
	returned += s2_leaf_pages(leaf->level);
}

void mem_page_reclaim(struct vm *of, gfn_t gfn, const struct s2_leaf *leaf)
{
	claim(leaf->attr == S2_NORMAL_RWX, "memory");
	was_reclaimed(of, gfn, leaf);
}

void mem_io_reclaim(struct vm *of, gfn_t gfn, const struct s2_leaf *leaf)
{
	claim(leaf->attr == S2_DEVICE, "a device page");
	was_reclaimed(of, gfn, leaf);
}

/* Where the last look leaves the call. */
static u64 after_look(void)
{
	return look.is_mapped && !is_done ? look_at : s2_leaf_end(&look, look_at);
}

void proof_mem_reclaim(void)
{
	const u64 handle = nondet_u64();
	const u64 gfn = nondet_u64();
	const u64 pages = nondet_u64();
	u64 next = 77;
	enum cv_status expected = CV_OK;
	enum cv_status status;

	any_vm();
	watched = GFN_LIMIT; /* none */
	if (pages == 0 || gfn >= GFN_LIMIT || pages > GFN_LIMIT - gfn) {
		expected = CV_E_INVALID;
	} else if (handle != vm.handle) {
		expected = CV_E_NOENT;
	} else if (vm.is_protected && vm.state != VM_POWEROFF) {
		expected = CV_E_STATE;
	} else if (vm.is_protected && (vm.active_count > 0 || vm.dma_pages > 0)) {
		expected = CV_E_BUSY;
	}
	status = mem_reclaim(handle, gfn, pages, &next);

	reach(status == CV_E_INVALID, "INVALID");
	reach(status == CV_E_NOENT, "NOENT");
	reach(status == CV_E_STATE, "STATE");
	reach(status == CV_E_BUSY, "BUSY");
	reach(status == CV_OK && next == gfn + pages && returned == 3, "to the end");
	reach(status == CV_OK && returned == 4 && looks > 1 && next < gfn + pages, "a batch");
	reach(status == CV_OK && returned == 0 && looks == 3 && next < gfn + pages, "all looks");
	reach(status == CV_OK && returned == 1 && look.is_mapped && !is_done, "a block next time");
	claim(status == expected, "the status is the specified one");
	claim(!is_locked, "no lock is left held");
	if (status != CV_OK) {
		claim(next == 77 && looks == 0 && returned == 0, "a refusal changes nothing");
	} else {
		claim(next == min_u64(after_look(), gfn + pages), "where it stopped");
		claim(next > gfn, "each call gets on");
		claim(returned <= 4 && looks <= 3, "no more than a batch, no more looks");
		claim(next == gfn + pages || returned == 4 || looks == 3 ||
			      (look.is_mapped && !is_done &&
			       returned + s2_leaf_pages(look.level) > 4),
		      "it stops for a reason");
	}
}

/* ---- a guest's wish ---- */

static u64 wish_gfn, wish_end;
static enum s2_wish wanted;
static bool may_change_destroyed;
static bool has_tables; /* the last answer */
static gfn_t has_tables_at;
static u32 has_tables_level;
static bool is_split_refused;
static u64 work;

static void was_changed(u64 gfn, u32 level)
{
	const u64 end = gfn + s2_leaf_pages(level);

	claim(is_locked && gfn == look_at && !is_done && is_aligned(gfn, s2_leaf_pages(level)) &&
		      gfn >= wish_gfn && end <= wish_end && end <= vm_ram_end(&vm, gfn_make(gfn)),
	      "a leaf that was found, within the range and the RAM");
	claim(look.wish != wanted, "which is to change");
	claim(look.wish != S2_WISH_DESTROYED || may_change_destroyed,
	      "what is destroyed stays so, unless said otherwise");
	is_done = true;
	if (covers(gfn, level)) {
		watched_wish = wanted;
	}
}

bool mem_vm_has_tables(struct vm *of, gfn_t gfn, u32 level)
{
	claim(of == &vm && is_locked, "under the lock");
	has_tables = nondet_bool();
	has_tables_at = gfn;
	has_tables_level = level;
	return has_tables;
}

enum cv_status mem_block_split(struct vm *of, gfn_t gfn, const struct s2_leaf *leaf)
{
	claim(of == &vm && is_locked && gfn.v == look_at && is_last_look(leaf) && leaf->is_mapped &&
		      leaf->level == 2,
	      "a block that was found");
	is_split_refused = nondet_bool();
	is_split = !is_split_refused;
	return is_split ? CV_OK : CV_E_NOMEM;
}

void s2_unmap(struct s2 *s2, gfn_t gfn, u32 level, enum s2_wish wish)
{
	claim(s2 == &vm.s2 && wish == wanted && !look.is_mapped && level >= look.level,
	      "an entry that is not backed, or a part of it");
	claim(has_tables && has_tables_at.v == gfn.v && has_tables_level == level,
	      "there are tables for it");
	work++;
	was_changed(gfn.v, level);
}

void mem_page_set_wish(struct vm *of, gfn_t gfn, const struct s2_leaf *leaf, enum s2_wish wish)
{
	claim(of == &vm && wish == wanted && is_last_look(leaf) && leaf->is_mapped &&
		      wish != S2_WISH_DESTROYED,
	      "a leaf that is backed, and stays so");
	work += s2_leaf_pages(leaf->level);
	was_changed(gfn.v, leaf->level);
}

/* What the first step says; it alone decides the status. */
static enum cv_status spec_wish_status(void)
{
	if (wish_gfn >= wish_end) {
		return CV_E_INVALID;
	}
	if (!vm.is_protected) {
		return CV_OK;
	}
	if (vm_ram_end(&vm, gfn_make(wish_gfn)) == 0) {
		return CV_E_RANGE;
	}
	if (first_look.wish == wanted) {
		return CV_OK;
	}
	if ((first_look.wish == S2_WISH_DESTROYED && !may_change_destroyed) ||
	    (first_look.is_mapped && wanted == S2_WISH_DESTROYED)) {
		return CV_E_STATE;
	}
	if (looks == 1 && !is_done) { /* tables were asked for, or a split was tried */
		return CV_E_NOMEM;
	}
	return CV_OK;
}

void proof_mem_set_wish(void)
{
	enum s2_wish wish_before;
	gfn_t gfn;
	enum cv_status status;

	any_vm();
	is_locked = true;
	wish_gfn = any_gfn();
	wish_end = any_gfn();
	watched = any_gfn();
	watched_wish = any_wish();
	wanted = any_wish();
	may_change_destroyed = nondet_bool();
	wish_before = watched_wish;
	gfn.v = wish_gfn;
	status = mem_vm_set_wish(&vm, &gfn, gfn_make(wish_end), wanted, may_change_destroyed);

	reach(status == CV_E_INVALID, "INVALID");
	reach(status == CV_E_RANGE, "RANGE");
	reach(status == CV_E_STATE && first_look.is_mapped, "STATE: backed");
	reach(status == CV_E_STATE && !first_look.is_mapped, "STATE: destroyed");
	reach(status == CV_E_NOMEM && first_look.is_mapped, "NOMEM for a part of a block");
	reach(status == CV_E_NOMEM && !first_look.is_mapped, "NOMEM");
	reach(status == CV_OK && work == 4 && looks == 1 && gfn.v < wish_end, "a block");
	reach(status == CV_OK && work == 4 && looks == 4, "page by page");
	reach(status == CV_OK && work == 0 && gfn.v == wish_end && vm.is_protected, "as it was");
	reach(status == CV_OK && gfn.v < wish_end && work == 1 && look.is_mapped && !is_done,
	      "a block next time");
	reach(status == CV_OK && gfn.v < wish_end && work == 1 && is_split_refused,
	      "an error after progress");
	claim(status == spec_wish_status(), "the status is the specified one");
	if (status == CV_OK && vm.is_protected) {
		const bool is_in = watched >= wish_gfn && watched < gfn.v;

		claim(gfn.v > wish_gfn && gfn.v <= wish_end, "each call gets on");
		claim(gfn.v <= vm_ram_end(&vm, gfn_make(wish_gfn)) || gfn.v > vm.ram[1].first.v,
		      "within the RAM");
		claim(watched_wish == (is_in ? wanted : wish_before),
		      "up to there all has the wish, and nothing beyond it changed");
		claim(work <= 4 && looks <= 4, "no more than a batch");
	} else {
		claim(gfn.v == (status == CV_OK ? wish_end : wish_gfn) && work == 0 && !is_split,
		      "a refusal changes nothing, nor an open VM");
	}
}

void proof_mem_get_wish(void)
{
	const u64 gfn = any_gfn();
	const u64 end = any_gfn();
	gfn_t until = { 0 };
	enum s2_wish wish;

	any_vm();
	is_locked = true;
	assume(gfn < end && end <= GFN_LIMIT);
	watched = any_gfn();
	watched_wish = any_wish();
	wish = mem_vm_get_wish(&vm, gfn_make(gfn), gfn_make(end), &until);

	reach(until.v == end && looks == 2, "to the end");
	reach(until.v < end && wish == S2_WISH_SHARED && looks == 1, "another wish");
	reach(until.v < end && looks == 3, "all looks");
	claim(until.v > gfn && until.v <= end, "each call gets on");
	claim(watched < gfn || watched >= until.v ||
		      wish == (vm_is_ram(&vm, gfn_make(watched)) ? watched_wish : S2_WISH_SHARED),
	      "all up to there has this wish");
	claim(looks <= 3, "no more looks");
}
