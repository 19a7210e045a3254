/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The boot map: identity, 2 MiB blocks, only what boot touches, writable and executable. It lives
 * until hyp_map's sealed one replaces it, before the host's first instruction. Arm ARM D8.3.
 */
#include <arm64/mmu.h>

#include <arm64/cpu.h>
#include <arm64/sysreg.h>
#include <cv/arch_host.h>
#include <cv/check.h>
#include <cv/geometry.h>
#include <cv/pte.h>
#include <plat/plat.h>

#define BOOT_TABLES 16
#define BITS_RAM (S1_ATTR_NORMAL | S1_AP1 | PTE_SH_INNER | PTE_AF | PTE_VALID)

static _Alignas(PAGE_SIZE) u64 boot_tables[BOOT_TABLES][TABLE_ENTRIES];
static u32 boot_table_count;

static u64 *boot_table_new(void)
{
	CV_CHECK(boot_table_count < BOOT_TABLES);
	return boot_tables[boot_table_count++];
}

static u64 *boot_descend(u64 *table, u64 index)
{
	u64 *next;

	if ((table[index] & PTE_VALID) != 0) {
		return (u64 *)(uintptr_t)(table[index] & PTE_ADDR);
	}
	next = boot_table_new();
	*(volatile u64 *)&table[index] = (u64)(uintptr_t)next | PTE_TABLE | PTE_VALID;
	return next;
}

static void boot_map(u64 base, u64 bytes, u64 bits)
{
	for (u64 at = align_down(base, BLOCK_SIZE); at < base + bytes; at += BLOCK_SIZE) {
		u64 *level1 = boot_descend(boot_tables[0], (at >> 39) & (TABLE_ENTRIES - 1));
		u64 *level2 = boot_descend(level1, (at >> 30) & (TABLE_ENTRIES - 1));

		/* Only ever from invalid to valid, so there is nothing to invalidate. */
		*(volatile u64 *)&level2[(at >> BLOCK_SHIFT) & (TABLE_ENTRIES - 1)] = at | bits;
	}
}

u64 mmu_boot_tables(u64 image, u64 end, u64 dtb)
{
	boot_table_count = 1;
	boot_map(image, end - image, BITS_RAM);
	/* The boot protocol: the device tree is at most 2 MiB, anywhere on 8 bytes. */
	boot_map(dtb, BLOCK_SIZE, BITS_RAM);
	boot_map(PLAT_UART_BASE, PLAT_UART_BYTES, S1_BITS_DEVICE | PTE_VALID);
	return (u64)(uintptr_t)boot_tables[0];
}

void arch_boot_map(pa_t base, u64 bytes)
{
	boot_map(base.v, bytes, BITS_RAM);
	dsb(ishst);
	isb();
}

void arch_boot_map_device(pa_t base, u64 bytes)
{
	boot_map(base.v, bytes, S1_BITS_DEVICE | PTE_VALID);
	dsb(ishst);
	isb();
}

u64 mmu_mair(void)
{
	return HYP_MAIR;
}

u64 mmu_tcr(void)
{
	u64 pa_range = ID_FIELD(sysreg_read(SYS_ID_AA64MMFR0_EL1), 0);

	/* 48 bits is what descriptors without LPA2 hold. */
	return TCR_EL2_BASE | min_u64(pa_range, 5) << TCR_EL2_PS_SHIFT;
}
