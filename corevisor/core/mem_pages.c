/* SPDX-License-Identifier: BSD-3-Clause */
/* Several pages of the host at once, for what is built of more than one: VMs, vCPUs, DMA contexts.
 * Guarantee: all or none. */
#include <cv/mem.h>

enum cv_status mem_host_pages_check(const u64 *pfns, u32 count)
{
	enum cv_status result = CV_OK;

	for (u32 i = 0; i < count; i++) {
		enum cv_status status = mem_host_page_check(pfns[i]);

		if (status == CV_E_RANGE) {
			return status;
		}
		for (u32 j = 0; j < i; j++) {
			if (pfns[j] == pfns[i]) {
				status = CV_E_STATE;
			}
		}
		if (status != CV_OK) {
			result = status;
		}
	}
	return result;
}

enum cv_status mem_host_take_pages(const u64 *pfns, u32 count)
{
	for (u32 i = 0; i < count; i++) {
		enum cv_status status = mem_host_take_core(pfns[i]);

		if (status != CV_OK) {
			while (i > 0) {
				i--;
				mem_host_untake_core(pfn_make(pfns[i]));
			}
			return status;
		}
	}
	return CV_OK;
}

void mem_core_clear_pages(const u64 *pfns, u32 count)
{
	for (u32 i = 0; i < count; i++) {
		mem_core_clear(pfn_make(pfns[i]));
	}
}
