/* SPDX-License-Identifier: BSD-3-Clause */
/* Stage 1 of EL2 while booting, and the switch to the map that stays. */
#ifndef ARM64_MMU_H
#define ARM64_MMU_H

#include <cv/types.h>

/* MMU still off: a map of the image and 2 MiB from the device tree's start on. Returns the root.
 * Called from head.S. */
u64 mmu_boot_tables(u64 image, u64 end, u64 dtb);
u64 mmu_tcr(void);
u64 mmu_mair(void);
/* head.S: changes the map and SCTLR_EL2 with the MMU off in between. */
void mmu_switch(u64 ttbr0, u64 sctlr);

#endif
