/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The walk's machine: the model test at the full geometry, that of the matrix. Far fewer steps, but
 * real block sizes, and calls that are longer than a batch.
 */
#include "model.h"

#define BANK1 (0x40000000ull >> PAGE_SHIFT)
#define BLOCK1 (BANK1 + PAGES_PER_BLOCK)
#define BANK2 (0x409f5000ull >> PAGE_SHIFT)

const struct model_machine model_machine = {
	.fake = {
		.regions = {
			{ .base = { BANK1 << PAGE_SHIFT }, .pages = 4 * PAGES_PER_BLOCK },
			{ .base = { BANK2 << PAGE_SHIFT }, .pages = 64 },
		},
		.region_count = 2,
		.core_base = BANK1 << PAGE_SHIFT,
		.core_tables = 24,
		.hidden_base = FAKE_HIDDEN_BASE,
		.io_base = FAKE_IO_BASE,
	},
	.area = {
		{ BLOCK1, 64, 20 },
		{ BLOCK1 + PAGES_PER_BLOCK, 24, 6 },
		{ BANK2 - 1, 66, 3 },
		{ BANK1, 40, 2 },
		{ BANK1 + 3 * PAGES_PER_BLOCK, PAGES_PER_BLOCK, 2 },
		{ (FAKE_HIDDEN_BASE >> PAGE_SHIFT) - 1, 3, 1 },
	},
	.restart = 1000,
};
