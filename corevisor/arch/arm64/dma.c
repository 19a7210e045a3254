/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * DMA contexts and the SMMU. No SMMU is driven yet: it is hidden from the host, and lets everything
 * through, as it does after reset (RV_FEAT_DMA_CONTAINED is 0). Nothing walks a context's table, so
 * there is no root to set and no TLB that could hold anything of it. The core keeps the contract of
 * cv/arch.h all the same, and arch-fake's devices hold it to it; the SMMU's registers and commands
 * go here.
 */
#include <cv/arch.h>

void arch_dma_set_root(u32 context, pa_t root)
{
	(void)context;
	(void)root;
}

void arch_dma_invalidate(u32 context, ipa_t iova, u64 bytes)
{
	(void)context;
	(void)iova;
	(void)bytes;
}
