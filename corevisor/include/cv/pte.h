/* SPDX-License-Identifier: BSD-3-Clause */
/* Every descriptor bit of the two translation regimes that the core builds (Arm ARM D8.3,
 * VMSAv8-64, 4 KiB granule). */
#ifndef CV_PTE_H
#define CV_PTE_H

#include <cv/types.h>

#define PTE_VALID (1ull << 0)
#define PTE_TABLE                                                                                  \
	(1ull << 1) /* levels 0-2: a table follows, else a block; level 3: always set in a valid   \
		       entry */
#define PTE_ADDR 0x0000fffffffff000ull
#define PTE_SH_INNER (3ull << 8)
#define PTE_AF (1ull << 10)

/* ---- stage 2 (D8.3.2, D8.6.5 for MemAttr without FWB) ---- */
#define S2_MEMATTR_NORMAL (0xfull << 2) /* inner and outer write-back cacheable */
#define S2_MEMATTR_DEVICE (0x1ull << 2) /* Device-nGnRE */
#define S2_READ (1ull << 6)
#define S2_WRITE (1ull << 7)
#define S2_XN                                                                                      \
	(2ull << 53) /* XN[1:0] = 0b10: neither EL1 nor EL0 executes, with and without FEAT_XNX */
/* Bits 58:55 are software's in a valid leaf, 63:1 in an invalid one: the guest's wish has one place
 * in both. */
#define S2_WISH_SHIFT 55
#define S2_WISH_MASK (3ull << S2_WISH_SHIFT)

#define S2_BITS_NORMAL_RWX (S2_MEMATTR_NORMAL | S2_READ | S2_WRITE | PTE_SH_INNER | PTE_AF)
#define S2_BITS_NORMAL_RO (S2_MEMATTR_NORMAL | S2_READ | PTE_SH_INNER | PTE_AF | S2_XN)
#define S2_BITS_DEVICE (S2_MEMATTR_DEVICE | S2_READ | S2_WRITE | PTE_AF | S2_XN)
#define S2_BITS_MASK (S2_MEMATTR_NORMAL | S2_READ | S2_WRITE | PTE_SH_INNER | PTE_AF | S2_XN)

/* ---- stage 1 of EL2, one VA range (D8.3.1) ---- */
/* MAIR_EL2 that the indices below assume: 0 = Device-nGnRE, 1 = normal write-back. */
#define HYP_MAIR 0xff04ull
#define S1_ATTR_DEVICE (0ull << 2)
#define S1_ATTR_NORMAL (1ull << 2)
#define S1_AP1 (1ull << 6) /* RES1 in a regime without EL0 */
#define S1_RO (1ull << 7)
#define S1_XN (1ull << 54)

#define S1_BITS_TEXT (S1_ATTR_NORMAL | S1_AP1 | S1_RO | PTE_SH_INNER | PTE_AF)
#define S1_BITS_RODATA (S1_BITS_TEXT | S1_XN)
#define S1_BITS_DATA (S1_ATTR_NORMAL | S1_AP1 | PTE_SH_INNER | PTE_AF | S1_XN)
#define S1_BITS_DEVICE (S1_ATTR_DEVICE | S1_AP1 | PTE_AF | S1_XN)

#endif
