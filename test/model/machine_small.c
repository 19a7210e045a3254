/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The machine of the model test (include/cv/geometry.h): RAM begins in the middle of a "2 MiB"
 * block and has one whole "GiB"; a second bank of 12 pages has a block's edge in it. The
 * corevisor's own pages fill most of the first blocks.
 */
#include "model.h"

#define RAM 20ull
#define GIB 64ull
#define BANK2 131ull

const struct model_machine model_machine = {
	.fake = {
		.regions = {
			{ .base = { RAM << PAGE_SHIFT }, .pages = 2 * GIB - RAM },
			{ .base = { BANK2 << PAGE_SHIFT }, .pages = 12 },
		},
		.region_count = 2,
		.core_base = RAM << PAGE_SHIFT,
		.core_tables = 33,
		.hidden_base = 777ull << PAGE_SHIFT,
		.io_base = 784ull << PAGE_SHIFT, /* of the same "GiB" */
	},
	.area = {
		{ GIB, 24, 20 },
		{ GIB + 24, 40, 12 },
		{ BANK2 - 1, 14, 5 },
		{ RAM - 2, 39, 2 },
		{ RAM + 37, 7, 3 },
		{ 775, 16, 1 },
	},
	.restart = 1000,
};

_Static_assert(SPEC_PAGES >= 2 * GIB - RAM + 12, "all RAM pages");
