/* SPDX-License-Identifier: BSD-3-Clause */
/* The guest's part of host_moves.c. Two vCPUs, one address that means something else on each. */
#include "env.h"
#include "moves.h"

const char image_name[] = "guest moves";

#define WINDOW_INDEX 400ul /* of env_tables: 1 GiB an entry */
#define WINDOW (WINDOW_INDEX << 30)
/* Stage-1 descriptors: table; page, normal write-back (attribute 1), inner shareable, accessed, not
 * global */
#define TABLE 3ul
#define PAGE_NG (3ul | 1ul << 2 | 3ul << 8 | 1ul << 10 | 1ul << 11 | 1ul << 53 | 1ul << 54)
#define VTIMER 27u
#define NO_INTERRUPT 1020u

static u64 pages[3][512] __attribute__((aligned(4096)));
static u64 level2[2][512] __attribute__((aligned(4096)));
static u64 level3[2][512] __attribute__((aligned(4096)));
static u64 other_root[512] __attribute__((aligned(4096)));

static void step(enum moves_step done)
{
	*(volatile u32 *)MOVES_DOOR = done;
}

static u64 window(void)
{
	return *(volatile u64 *)WINDOW;
}

static void expect_window(const char *who, u64 value)
{
	if (window() != value) {
		fail("%s finds %#lx in the window, not %#lx", who, window(), value);
	}
}

/* The window of one set of tables shows `page`. */
static void map_window(u64 *root, u32 set, u32 page)
{
	root[WINDOW_INDEX] = (u64)level2[set] | TABLE;
	level2[set][0] = (u64)level3[set] | TABLE;
	level3[set][0] = (u64)pages[page] | PAGE_NG;
	__asm__ volatile("dsb ishst; isb" : : : "memory");
}

static void second(u32 index)
{
	(void)index;
	memcpy(other_root, env_tables, sizeof(other_root));
	map_window(other_root, 1, 2);
	/* Same ASID as vCPU 0. This CPU has nothing of its own in the TLB yet. */
	write_sysreg(ttbr0_el1, (u64)other_root);
	isb();
	expect_window("vCPU 1", 0xc);
	step(MOVES_OTHER_READ);
	expect_window("vCPU 1", 0xc);
	pass();
}

static void timer_set(u64 compare)
{
	write_sysreg(cntv_cval_el0, compare);
	write_sysreg(cntv_ctl_el0, 1);
	isb();
}

static u32 acknowledge(void)
{
	u32 intid;

	/* No WFI: it would be another end of a run. */
	do {
		intid = (u32)read_sysreg(s3_0_c12_c12_0); /* ICC_IAR1_EL1 */
	} while (intid >= NO_INTERRUPT);
	return intid;
}

static void timer(void)
{
	write_sysreg(s3_0_c4_c6_0, 0xff); /* ICC_PMR_EL1 */
	write_sysreg(s3_0_c12_c12_7, 1);  /* ICC_IGRPEN1_EL1 */
	isb();
	timer_set(read_sysreg(cntvct_el0));
	if (acknowledge() != VTIMER) {
		fail("another interrupt than the timer's");
	}
	step(MOVES_TIMER_ACTIVE);
	step(MOVES_STILL_ACTIVE);
	write_sysreg(s3_0_c12_c12_1, VTIMER); /* ICC_EOIR1_EL1 */
	isb();
	if (acknowledge() != VTIMER) {
		fail("another interrupt than the timer's, the second time");
	}
	write_sysreg(cntv_ctl_el0, 0);
	write_sysreg(s3_0_c12_c12_1, VTIMER);
	isb();
	step(MOVES_FIRED_AGAIN);
}

_Noreturn void image_main(void)
{
	u32 i;

	for (i = 0; i < 3; i++) {
		pages[i][0] = 0xa + i;
	}
	map_window(env_tables, 0, 0);
	expect_window("vCPU 0", 0xa);
	step(MOVES_MAPPED);
	level3[0][0] = (u64)pages[1] | PAGE_NG;
	/* Local: what other CPUs hold of this vCPU must go as well (HCR_EL2.FB). */
	__asm__ volatile("dsb ishst; tlbi vmalle1; dsb nsh; isb" : : : "memory");
	expect_window("vCPU 0", 0xb);
	step(MOVES_REMAPPED);
	expect_window("vCPU 0, back where it was", 0xb);
	if (cpu_start(1, second) != PSCI_SUCCESS) {
		fail("vCPU 1 does not start");
	}
	expect_window("vCPU 0", 0xb);
	step(MOVES_READ_AGAIN);
	expect_window("vCPU 0, after vCPU 1 on its CPU", 0xb);
	step(MOVES_READ_THIRD);
	timer();
	pass();
}
