// SPDX-License-Identifier: BSD-3-Clause
/*
 * Runs in the place of Linux: gives memory to VMs and takes it back, starts and saves them by the
 * calls of abi.h, and lets the counting plugin see each kind between `hint #0x70` and `hint #0x71`.
 * Prints "donate NAME CALLS" for each, and "tables KIND BLOCKS PAGES": how many table pages of the
 * VM so many blocks of 2 MiB took; "host-tables" the same of the host's stage 2, whose tables are
 * from the corevisor's pool. What is needed once only (tables, the split of a host block) happens
 * before.
 */
#include "tiny.h"

TINY_PAYLOAD(payload, "guest_hello");
TINY_SIGNED(longer, "guest_hello", "guest_hello_p384");

const char image_name[] = "donate";

#define BLOCK_PAGES 512ul
#define PAGES 64ul
#define BLOCKS 4ul
#define RAM_BLOCKS 16ul
#define IMAGE_BLOCKS 8ul /* 16 MiB */
#define SEALED_PAGES 8ul

static u64 vm_create(u64 flags, u64 tables)
{
	struct smccc out;
	u64 roots = tiny_pages(2, 2);
	u64 i;

	if (rv_call(&out, RV_VM_CREATE, tiny_pages(tiny_facts.vm_pages, 1), roots, flags, 0, 0) !=
	    RV_OK) {
		fail("VM_CREATE with flags %#lx", flags);
	}
	for (i = 0; i < tables; i++) {
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

/* ---- images and snapshots ---- */

static void image_map(u64 vm, u64 pfn)
{
	struct smccc out;

	if (rv_call(&out, RV_IMAGE_MAP, vm, 0, pfn, BLOCK_PAGES, 0) != RV_OK ||
	    out.x[1] != BLOCK_PAGES) {
		fail("IMAGE_MAP");
	}
}

/* A VM that lacks nothing but RV_VM_VERIFY; returns the pfn of its launch page. */
static u64 load(struct tiny_vm *vm, const struct tiny_payload *of)
{
	u64 launch = tiny_pages(1, 1);

	tiny_create(vm, "loaded", of->launch);
	tiny_load(vm, TINY_IMAGE_GPA, of->image, (u64)(of->image_end - of->image));
	tiny_add_vcpu(vm, 0);
	memcpy((void *)(launch * 4096), of->launch, 4096);
	return launch;
}

static struct tiny_vm sealed, signed_longer;

static void seal_page(void)
{
	static u64 pfn;
	struct smccc out;

	pfn = pfn ? pfn : tiny_pages(1, 1);
	if (rv_call(&out, RV_SEAL_SAVE_PAGE, sealed.handle, pfn, 0, 0, 0) != RV_OK ||
	    (out.x[2] & RV_SEAL_BACKED) == 0) {
		fail("SAVE_PAGE");
	}
}

/* ---- tables ---- */

/* Table pages that a VM takes for `BLOCKS` blocks; `pages` of each are given. */
static u64 tables_for(u64 pages)
{
	u64 vm = vm_create(RV_VM_PROTECTED, 0), tables = 0, pfn = tiny_pages(BLOCKS * 512, 512), i;

	for (i = 0; i < BLOCKS; i++) {
		while (rv_call(NULL, RV_MEM_MAP, vm, i * BLOCK_PAGES, pfn + i * BLOCK_PAGES, pages,
			       0) == RV_E_NOMEM) {
			rv_expect("VM_TOPUP", RV_OK, RV_VM_TOPUP, vm, tiny_pages(1, 1), 0, 0, 0);
			tables++;
		}
	}
	return tables;
}

/* A VM that lacks no tables, and pages for the corevisor's pool that cost no table themselves: one
 * of their block is given before. */
static u64 tables_vm, pool_pages;

/* Each page from another block of the host's: it takes a leaf table of the host's and none of the
 * VM's. */
static void empty_pool(void)
{
	u64 gfn = 0;

	tables_vm = vm_create(RV_VM_PROTECTED, 16);
	pool_pages = tiny_pages(BLOCK_PAGES, BLOCK_PAGES);
	rv_expect("POOL_TOPUP", RV_OK, RV_POOL_TOPUP, pool_pages++, 0, 0, 0, 0);
	while (rv_call(NULL, RV_MEM_MAP, tables_vm, gfn, tiny_pages(1, BLOCK_PAGES), 1, 0) ==
	       RV_OK) {
		if (++gfn == BLOCK_PAGES) {
			fail("the pool has no end");
		}
	}
}

/* Pages of the pool that `BLOCKS` blocks of the host's take for its tables; `pages` of each are
 * given. */
static u64 host_tables_for(u64 gfn, u64 pages)
{
	u64 tables = 0, pfn = tiny_pages(BLOCKS * BLOCK_PAGES, BLOCK_PAGES), i;

	for (i = 0; i < BLOCKS; i++) {
		while (rv_call(NULL, RV_MEM_MAP, tables_vm, gfn + i * BLOCK_PAGES,
			       pfn + i * BLOCK_PAGES, pages, 0) == RV_E_NOMEM) {
			rv_expect("POOL_TOPUP", RV_OK, RV_POOL_TOPUP, pool_pages++, 0, 0, 0, 0);
			if (++tables == BLOCK_PAGES / 2) {
				fail("no table is enough");
			}
		}
	}
	return tables;
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
	u64 open, protected, pages, blocks, loose, image, content;

	tiny_begin();
	protected = vm_create(RV_VM_PROTECTED, 16);
	open = vm_create(0, 16);
	image = vm_create(RV_VM_PROTECTED, 16);
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

	content = tiny_pages(IMAGE_BLOCKS * BLOCK_PAGES, BLOCK_PAGES);
	rv_expect("IMAGE_ADD", RV_OK, RV_IMAGE_ADD, image, 0, IMAGE_BLOCKS * BLOCK_PAGES * 4096, 0,
		  0);
	MEASURE("image", IMAGE_BLOCKS, image_map(image, content + i * BLOCK_PAGES));
	content = load(&signed_longer, &longer);
	MEASURE("verify-p384", 1,
		rv_expect("VM_VERIFY", RV_OK, RV_VM_VERIFY, signed_longer.handle, content, 0, 0,
			  0));
	content = load(&sealed, &payload);
	MEASURE("verify", 1,
		rv_expect("VM_VERIFY", RV_OK, RV_VM_VERIFY, sealed.handle, content, 0, 0, 0));
	rv_expect("SAVE_BEGIN", RV_OK, RV_SEAL_SAVE_BEGIN, sealed.handle, content, 0, 0, 0);
	rv_expect("SAVE_VCPU", RV_OK, RV_SEAL_SAVE_VCPU, sealed.handle, 0, content, 0, 0);
	seal_page();
	MEASURE("seal", SEALED_PAGES, seal_page());

	print("tables blocks %lu %lu\n", BLOCKS, tables_for(BLOCK_PAGES));
	print("tables pages %lu %lu\n", BLOCKS, tables_for(1));
	empty_pool();
	print("host-tables blocks %lu %lu\n", BLOCKS, host_tables_for(BLOCK_PAGES, BLOCK_PAGES));
	print("host-tables pages %lu %lu\n", BLOCKS, host_tables_for(6 * BLOCK_PAGES, 1));
	print("records %u %u\n", tiny_facts.vm_pages + 2, tiny_facts.vcpu_pages);
	pass();
}
