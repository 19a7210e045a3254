/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Proof: no transition of a page or block between host, VM and corevisor discloses anything of a
 * guest (two_runs.h): mem.c, mem_block.c, mem_io.c, over the ledger and the tables. RV_POOL_TOPUP,
 * RV_VM_MAP_IO, and what RV_MEM_MAP, RV_MEM_RECLAIM and the calls of vm.c and dma.c are made of.
 * Proof-args: -Itest/proof/few --unwind 8 --unwindset copy_key.0:33
 * Proof-args: corevisor/core/mem.c corevisor/core/mem_block.c corevisor/core/mem_io.c
 * Proof-args: corevisor/core/mem_pages.c
 * Proof-entry: proof_disclose_pool_topup
 * Proof-entry: proof_disclose_vm_map_io
 * Proof-entry: proof_disclose_map_page
 * Proof-entry: proof_disclose_map_block
 * Proof-entry: proof_disclose_reclaim_leaf
 * Proof-entry: proof_disclose_host_page
 */
#define STEPS 32u
#define MEM_IS_UNDER_PROOF
#include "two_runs.h"
#include "vm_locks.h"

#include <cv/mem.h>

struct pool nondet_pool(void);

static struct pool core_before, core_one;
static u64 arg[3];

u64 vm_ram_end(const struct vm *vm, gfn_t gfn)
{
	return vm_is_ram(vm, gfn) ? vm->ram[0].first.v + vm->ram[0].pages : 0;
}

static void own_first(void)
{
	*mem_core_pool() = nondet_pool();
	core_before = *mem_core_pool();
	for (u32 i = 0; i < 3; i++) {
		arg[i] = nondet_u64();
	}
}

static void own_second(void)
{
	core_one = *mem_core_pool();
	*mem_core_pool() = core_before;
}

static void claim_own_same(void)
{
	claim(__CPROVER_equal(*mem_core_pool(), core_one), "the same pool of the core");
}

void proof_disclose_pool_topup(void)
{
	twice(mem_pool_topup(arg[0]));
	reach(status == CV_OK, "given");
	reach(status == CV_E_NOMEM, "refused");
}

void proof_disclose_vm_map_io(void)
{
	twice(mem_map_io(the_handle, arg[0], arg[1]));
	reach(status == CV_OK && vm_a.is_protected, "given");
	reach(status == CV_E_STATE && vm_a.state == VM_READY, "refused");
}

void proof_disclose_map_page(void)
{
	twice(mem_map_page(&vm_a, arg[0], arg[1]));
	reach(status == CV_OK && vm_a.is_protected, "donated");
	reach(status == CV_OK && !vm_a.is_protected, "shared");
	reach(status == CV_E_STATE && vm_a.state == VM_VERIFIED, "refused");
}

static enum cv_status map_block(void)
{
	result = mem_block_map(&vm_a, gfn_make(arg[0]), pfn_make(arg[1]));
	return CV_OK;
}

void proof_disclose_map_block(void)
{
	twice(map_block());
	reach(result == 1, "given");
	reach(result == 0 && steps > 4, "refused late");
}

/* A page or a block, or a device page. */
static enum cv_status reclaim_leaf(void)
{
	const struct s2_leaf leaf = any_leaf(arg[1]);

	assume(leaf.is_mapped);
	if (leaf.attr == S2_DEVICE) {
		mem_io_reclaim(&vm_a, gfn_make(arg[0]), &leaf);
	} else {
		mem_page_reclaim(&vm_a, gfn_make(arg[0]), &leaf);
	}
	return CV_OK;
}

void proof_disclose_reclaim_leaf(void)
{
	twice(reclaim_leaf());
	reach(vm_a.is_protected && steps == 12, "a block");
	reach(vm_a.is_protected && steps == 10, "a page");
	reach(!vm_a.is_protected && steps > 2, "a page of the host's");
	reach(steps == 2, "a device page");
}

/* What vm.c and dma.c ask for. */
static enum cv_status any_host_page(void)
{
	const u64 pfns[2] = { arg[0], arg[1] };
	pfn_t pfn = pfn_make(arg[0]);

	switch (arg[2]) {
	case 0:
		return mem_host_pages_check(pfns, 2);
	case 1:
		return mem_host_take_pages(pfns, 2);
	case 2:
		return mem_host_donate_core(arg[0]);
	case 3:
		return mem_host_share_core(arg[0]);
	case 4:
		mem_host_unshare_core(pfn);
		break;
	case 5:
		mem_core_set_next(pfn, pfn_make(arg[1]));
		break;
	case 6:
		result = mem_core_next(pfn).v;
		break;
	default:
		mem_core_return_host(pfn);
	}
	return CV_OK;
}

void proof_disclose_host_page(void)
{
	twice(any_host_page());
	reach(status == CV_E_RANGE && arg[2] == 0, "not RAM");
	reach(status == CV_E_NOMEM && arg[2] == 1 && steps > 20, "all or none");
	reach(status == CV_OK && arg[2] == 2, "given");
	reach(status == CV_OK && arg[2] == 7, "given back");
}
