/* SPDX-License-Identifier: BSD-3-Clause */
/* For the tests of the memory core: a VM made of neighbouring pages, and ended to the last page;
 * what must hold at a test's end. */
#ifndef MEM_FIXTURE_H
#define MEM_FIXTURE_H

#include "../../arch-fake/fake.h"

/* The first pages of a 2 MiB block of the host's. */
#define PAGE(n) ((0x40200000ull >> PAGE_SHIFT) + (n))

/* Record at `first`, roots behind it, then `tables` table pages; RAM is gfn 0 to 4095. */
static u64 make_vm(u64 flags, u64 first, u32 tables)
{
	u64 handle = 0;

	assert_int_equal(vm_create(first, align_up(first + 1, 2), flags, fake_no_owner, &handle),
			 CV_OK);
	for (u32 i = 0; i < tables; i++) {
		assert_int_equal(vm_topup(handle, first + 4 + i), CV_OK);
	}
	assert_int_equal(vm_add_ram(handle, 0, 4096), CV_OK);
	fake_attach(handle & 0xff, pfn_pa(pfn_make(align_up(first + 1, 2))));
	return handle;
}

static void end_vm(u64 handle)
{
	u64 next = 0;
	u64 left = 1;

	assert_int_equal(vm_kill(handle), CV_OK);
	while (next < 4096) {
		assert_int_equal(mem_reclaim(handle, next, 4096 - next, &next), CV_OK);
	}
	while (left > 0) {
		assert_int_equal(vm_destroy(handle, &left), CV_OK);
	}
	fake_attach(handle & 0xff, pa_make(0));
}

static inline int tear_down(void **state)
{
	(void)state;
	assert_int_equal(fake_locks_held(), 0);
	fake_check_tlbs();
	fake_halt();
	return 0;
}

#endif
