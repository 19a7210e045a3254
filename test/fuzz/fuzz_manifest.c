/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The manifest's reader: whatever the bytes, it refuses, or what it returns keeps the promises of
 * manifest.h. The owner who signed them may be hostile to the corevisor.
 */
#include "fuzz_boot.h"

#include <cv/arch_host.h>
#include <cv/manifest.h>

void arch_fp_begin(void)
{
}

void arch_fp_end(void)
{
}

/* In pages, past its last one. Post: it did not wrap. */
static u64 end_of(const struct manifest_range *range)
{
	const u64 limit = GFN_LIMIT << PAGE_SHIFT;

	FUZZ_CHECK(range->gpa % PAGE_SIZE == 0 && range->bytes > 0);
	FUZZ_CHECK(range->gpa < limit && range->bytes <= limit - range->gpa);
	return (range->gpa + range->bytes - 1) / PAGE_SIZE + 1;
}

static void check_apart(const struct manifest_range *a, const struct manifest_range *b)
{
	FUZZ_CHECK(end_of(a) <= b->gpa / PAGE_SIZE || end_of(b) <= a->gpa / PAGE_SIZE);
}

static void check(const struct manifest *m)
{
	u32 entered = 0;

	FUZZ_CHECK(m->image_count >= 1 && m->image_count <= RV_IMAGES_MAX);
	FUZZ_CHECK(m->parameter_count <= MANIFEST_PARAMETERS_MAX);
	FUZZ_CHECK(m->vcpus_max >= 1 && m->vcpus_max <= VM_VCPUS_MAX && m->entry % 4 == 0);
	for (u32 i = 0; i < m->image_count; i++) {
		const struct manifest_range *range = &m->image[i].range;

		entered += m->entry >= range->gpa && m->entry < range->gpa + range->bytes;
		for (u32 j = 0; j < i; j++) {
			check_apart(range, &m->image[j].range);
		}
		for (u32 j = 0; j < m->parameter_count; j++) {
			check_apart(range, &m->parameter[j]);
		}
	}
	for (u32 i = 0; i < m->parameter_count; i++) {
		end_of(&m->parameter[i]);
	}
	FUZZ_CHECK(entered == 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	uint8_t *copy = fuzz_copy(data, bytes);
	struct manifest manifest;

	if (manifest_read(copy, bytes, &manifest)) {
		check(&manifest);
	}
	free(copy);
	return 0;
}
