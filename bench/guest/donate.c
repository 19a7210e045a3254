// SPDX-License-Identifier: BSD-3-Clause
/*
 * Runs in the place of Linux: gives memory to VMs and takes it back by the calls of abi.h, and lets
 * the counting plugin see each kind between `hint #0x70` and `hint #0x71`. Prints "donate NAME
 * CALLS" for each. What is needed once only (tables, the split of a host block) happens before.
 */
#include "tiny.h"

const char image_name[] = "donate";

#define BLOCK_PAGES 512ul
#define PAGES 64ul
#define BLOCKS 4ul
#define RAM_BLOCKS 16ul

static u64 vm_create(u64 flags)
{
	struct smccc out;
	u64 roots = tiny_pages(2, 2);
	u64 i;

	if (rv_call(&out, RV_VM_CREATE, tiny_pages(tiny_facts.vm_pages, 1), roots, flags, 0, 0) !=
	    RV_OK) {
		fail("VM_CREATE with flags %#lx", flags);
	}
	for (i = 0; i < 16; i++) {
		rv_expect("VM_TOPUP", RV_OK, RV_VM_TOPUP, out.x[1], tiny_pages(1, 1), 0, 0, 0);
	}
	rv_expect("VM_ADD_RAM", RV_OK, RV_VM_ADD_RAM, out.x[1], 0, RAM_BLOCKS * BLOCK_PAGES, 0, 0);
	return out.x[1];
}

static void map(u64 vm, u64 gfn, u64 pfn, u64 pages)
{
	struct smccc out;

	if (rv_call(&out, RV_MEM_MAP, vm, gfn, pfn, pages, 0) != RV_OK || out.x[1] != pages) {
		fail("MEM_MAP of %lu pages at gfn %#lx", pages, gfn);
	}
}

static void reclaim(u64 vm, u64 gfn, u64 pages)
{
	struct smccc out;

	if (rv_call(&out, RV_MEM_RECLAIM, vm, gfn, pages, 0, 0) != RV_OK ||
	    out.x[1] != gfn + pages) {
		fail("MEM_RECLAIM of %lu pages at gfn %#lx", pages, gfn);
	}
}

#define MEASURE(name, count, call)                             \
	do {                                                   \
		__asm__ volatile("hint #0x70" : : : "memory"); \
		for (u64 i = 0; i < (count); i++) {            \
			call;                                  \
		}                                              \
		__asm__ volatile("hint #0x71" : : : "memory"); \
		print("donate %s %lu\n", name, (u64)(count));  \
	} while (0)

_Noreturn void image_main(void)
{
	u64 open, protected, pages, blocks, loose;

	tiny_begin();
	protected = vm_create(RV_VM_PROTECTED);
	open = vm_create(0);
	pages = tiny_pages(BLOCK_PAGES, BLOCK_PAGES);
	loose = tiny_pages(2 * BLOCK_PAGES, BLOCK_PAGES);
	blocks = tiny_pages(BLOCKS * BLOCK_PAGES, BLOCK_PAGES);

	MEASURE("call", PAGES, rv_expect("VERSION", RV_OK, RV_VERSION, 0, 0, 0, 0, 0));
	map(protected, 0, pages, 1);
	MEASURE("page", PAGES, map(protected, 1 + i, pages + 1 + i, 1));
	MEASURE("block", BLOCKS,
		map(protected, (1 + i) * BLOCK_PAGES, blocks + i * BLOCK_PAGES, BLOCK_PAGES));
	/* Not aligned alike, so page by page; a page in each of the tables comes first. */
	map(protected, 8 * BLOCK_PAGES, loose + BLOCK_PAGES - 1, 1);
	map(protected, 9 * BLOCK_PAGES - 1, loose + 2 * BLOCK_PAGES - 2, 1);
	MEASURE("pages-of-block", 1,
		map(protected, 8 * BLOCK_PAGES + 1, loose + BLOCK_PAGES, BLOCK_PAGES - 2));
	map(open, 0, pages + 200, 1);
	MEASURE("share-unshare", PAGES,
		(map(open, 1 + i, pages + 300 + i, 1), reclaim(open, 1 + i, 1)));
	rv_expect("VM_KILL", RV_OK, RV_VM_KILL, protected, 0, 0, 0, 0);
	MEASURE("block-back", BLOCKS, reclaim(protected, (1 + i) * BLOCK_PAGES, BLOCK_PAGES));
	MEASURE("page-back", PAGES, reclaim(protected, 1 + i, 1));
	pass();
}
