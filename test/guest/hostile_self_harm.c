/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A host that gives away what it stands on: one CPU its vectors, one its translation tables, one
 * its stack. Each then faults for ever, alone: the corevisor answers the boot CPU meanwhile, and
 * SYSTEM_OFF still stops the machine.
 */
#include "tiny.h"

const char image_name[] = "self_harm";

#define CALLS 20000

static volatile u32 is_going;

/* Afterwards this CPU may not be able to execute one more instruction. */
static void give_away(u64 pa)
{
	__atomic_add_fetch(&is_going, 1, __ATOMIC_SEQ_CST);
	rv_expect("POOL_TOPUP", RV_OK, RV_POOL_TOPUP, pa / PAGE_BYTES, 0, 0, 0, 0);
}

/* The next exception finds no vectors, and neither does the one that comes of that. */
static void lose_vectors(u32 index)
{
	u64 page = tiny_pages(1, 1) * PAGE_BYTES;

	(void)index;
	write_sysreg(vbar_el1, page);
	isb();
	give_away(page);
	__asm__ volatile("brk #0");
}

/* Every translation that is not in the TLB faults in its walk. */
static void lose_tables(u32 index)
{
	u64 page = tiny_pages(1, 1) * PAGE_BYTES;

	(void)index;
	memcpy((void *)page, env_tables, PAGE_BYTES);
	dsb();
	write_sysreg(ttbr0_el1, page);
	isb();
	give_away(page);
	__asm__ volatile("dsb sy; tlbi vmalle1; dsb sy; isb" : : : "memory");
	(void)*(volatile u64 *)machine.image.base;
}

/* The vectors are there, but their first store faults. */
static void lose_stack(u32 index)
{
	u64 page = tiny_pages(1, 1) * PAGE_BYTES;

	(void)index;
	give_away(page);
	__asm__ volatile("mov sp, %0; brk #0" : : "r"(page + 2048));
	__builtin_unreachable();
}

_Noreturn void image_main(void)
{
	static void (*const harms[])(u32) = { lose_vectors, lose_tables, lose_stack };
	u32 i, started = 0;

	if (cpu_count() < 2) {
		skip("needs two CPUs");
	}
	ready();
	tiny_begin();
	for (i = 0; i < ARRAY_SIZE(harms) && i + 1 < cpu_count(); i++, started++) {
		if (cpu_start(i + 1, harms[i]) != PSCI_SUCCESS) {
			fail("CPU %u does not start", i + 1);
		}
		while (is_going == started) {
		}
		wait_us(10000);
	}
	for (i = 0; i < CALLS; i++) {
		if (hvc(RV_VERSION, 0, 0, 0) != RV_OK) {
			fail("the corevisor does not answer any more");
		}
	}
	if (*(volatile u64 *)(machine.info.base) != RV_INFO_MAGIC) {
		fail("the info page is gone");
	}
	pass();
}
