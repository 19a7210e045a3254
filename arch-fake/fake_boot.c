/* SPDX-License-Identifier: BSD-3-Clause */
/* Boots the memory part of the core as core/boot.c does, in the same order. */
#include "fake_impl.h"

#include <cv/arch.h>
#include <cv/dma.h>
#include <cv/hyp_map.h>
#include <stdlib.h>
#include <string.h>

const struct fake_machine fake_small_machine = {
	.regions = {
		{ .base = { 0x40000000 }, .pages = 16 * PAGES_PER_BLOCK },
		{ .base = { 0x43005000 }, .pages = 2 * PAGES_PER_BLOCK + 3 },
	},
	.region_count = 2,
	.core_base = 0x40000000,
	.core_tables = 60,
	.hidden_base = FAKE_HIDDEN_BASE,
	.io_base = FAKE_IO_BASE,
};

static struct fake_machine machine;
static u64 *entries;
static struct ledger_block *blocks;

static u64 core_pages(void)
{
	return FAKE_CORE_ROOTS_PAGES + machine.core_tables;
}

u64 fake_info_pfn(void)
{
	return (machine.core_base >> PAGE_SHIFT) + 3;
}

static void boot_tables(void)
{
	u64 first = (machine.core_base >> PAGE_SHIFT) + FAKE_CORE_ROOTS_PAGES;

	pool_init(mem_core_pool());
	for (u32 i = 0; i < machine.core_tables; i++) {
		pool_put(mem_core_pool(), pfn_make(first + i));
	}
}

static void boot_hyp(void)
{
	u64 root = machine.core_base + 2 * PAGE_SIZE;

	hyp_map_init(pa_make(root), mem_core_pool());
	hyp_map_boot(pa_make(machine.core_base), core_pages() * PAGE_SIZE, HYP_DATA);
	hyp_map_windows(FAKE_CPUS);
	hyp_map_seal();
	fake_el2_root_set(root);
}

void fake_boot(const struct fake_machine *from)
{
	fake_halt();
	machine = *from;
	fake_cpu_reset();
	entries = malloc(ledger_entries_bytes(machine.regions, machine.region_count));
	blocks = malloc(ledger_blocks_bytes(machine.regions, machine.region_count));
	if (ledger_init(machine.regions, machine.region_count, entries, blocks) != CV_OK) {
		fake_fail("the ledger refuses the machine");
	}
	boot_tables();
	boot_hyp();
	mem_boot_host_map(pa_make(machine.core_base));
	fake_attach(OWNER_HOST, pa_make(machine.core_base));
	mem_boot_take_core(pa_make(machine.core_base), core_pages() * PAGE_SIZE);
	mem_boot_host_read_only(pfn_pa(pfn_make(fake_info_pfn())), PAGE_SIZE);
	mem_boot_hide_device(pa_make(machine.hidden_base), PAGE_SIZE);
	vm_init();
	dma_init();
	fake_check_tlbs();
}

void fake_halt(void)
{
	free(entries);
	free(blocks);
	entries = NULL;
	blocks = NULL;
	fake_tlb_reset();
	fake_mem_reset();
}

bool plat_is_assignable(pfn_t pfn)
{
	return pfn.v - (machine.io_base >> PAGE_SHIFT) < FAKE_IO_PAGES ||
	       pfn.v == FAKE_IO_HIGH >> PAGE_SHIFT;
}
