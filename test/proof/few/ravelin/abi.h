/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * abi.h for proofs whose loops count pages or images: the same calls, fewer of each, so that every
 * bound of the ABI is reached by a short loop. struct rv_launch and struct rv_seal_header keep
 * their layout: they are declared before.
 */
#ifndef FEW_ABI_H
#define FEW_ABI_H

#include "../../../../include/ravelin/abi.h"

#undef RV_BATCH_PAGES
#undef RV_RAM_RANGES
#undef RV_IMAGES_MAX
#undef RV_DMA_CONTEXTS
#ifndef FEW_BATCH_PAGES
#define FEW_BATCH_PAGES 3
#endif
#define RV_BATCH_PAGES FEW_BATCH_PAGES
#define RV_RAM_RANGES 2
#define RV_IMAGES_MAX 3
#define RV_DMA_CONTEXTS 3

#endif
