/* SPDX-License-Identifier: BSD-3-Clause */
/* DMA contexts for the tests, and the device behind each. */
#ifndef MEM_DMA_H
#define MEM_DMA_H

#include <cv/dma.h>

#include "mem_fixture.h"

enum { CONTEXTS = 40 }; /* where their pages lie, eight for each */

/* Context `n` with `tables` table pages, from pages of its own. */
static void make_context(u32 n, u64 owner, u32 tables)
{
	u64 first = PAGE(CONTEXTS + 8 * n);

	assert_int_equal(dma_alloc(n, owner, first), CV_OK);
	for (u32 i = 0; i < tables; i++) {
		assert_int_equal(dma_topup(n, first + 2 + i), CV_OK);
	}
}

static void free_context(u32 context)
{
	u64 left = 77;

	assert_int_equal(dma_free(context, &left), CV_OK);
	assert_int_equal(left, 0);
}

static bool device_reaches(u32 context, u64 iova)
{
	u64 value;

	return fake_dma_read(context, iova << PAGE_SHIFT, &value);
}

#endif
