/* SPDX-License-Identifier: BSD-3-Clause */
/* Images and their check: the subject is an image's page, or the launch page. */
#include "call.h"

#define IMAGE_ADD(name, ...) SAME(name, image_add, spec_image_add, __VA_ARGS__, &v)
IMAGE_ADD(image_add, vm_a, GFN_FREE << PAGE_SHIFT, 100)
IMAGE_ADD(image_add_open, vm_b, GFN_FREE << PAGE_SHIFT, 100)
IMAGE_ADD(image_add_dead, vm_dead, GFN_FREE << PAGE_SHIFT, 100)
IMAGE_ADD(image_add_over, vm_a, (GFN_IMAGE - 1) << PAGE_SHIFT, PAGE_SIZE + 1)
IMAGE_ADD(image_add_beyond, vm_a, (RAM_PAGES - 1) << PAGE_SHIFT, PAGE_SIZE + 1)
IMAGE_ADD(image_add_wrap, vm_a, GFN_FREE << PAGE_SHIFT, ~0ull)
IMAGE_ADD(image_add_odd, vm_a, (GFN_FREE << PAGE_SHIFT) + 8, 100)
IMAGE_ADD(image_add_none, vm_a, GFN_FREE << PAGE_SHIFT, 0)

/* Until there is no room. */
static enum cv_status add_many_core(u64 *index)
{
	enum cv_status status = CV_OK;

	for (u64 gfn = 32; status == CV_OK; gfn++) {
		status = image_add(vm_a, gfn << PAGE_SHIFT, 1, index);
	}
	return status;
}

static enum cv_status add_many_spec(u64 *index)
{
	enum cv_status status = CV_OK;

	for (u64 gfn = 32; status == CV_OK; gfn++) {
		status = spec_image_add(&spec, vm_a, gfn << PAGE_SHIFT, 1, index);
	}
	return status;
}

CALL(image_add_many, add_many_core(&v), add_many_spec(&v))

#define IMAGE_MAP(name, vm, index, pages) \
	SAME(name, image_map, spec_image_map, vm, index, p, pages, &v)
IMAGE_MAP(image_map, vm_a, 0, 1)
IMAGE_MAP(image_map_more, vm_a, 0, 3)
IMAGE_MAP(image_map_none, vm_a, 0, 0)
IMAGE_MAP(image_map_index, vm_a, 1, 1)
IMAGE_MAP(image_map_dead, vm_dead, 0, 1)
/* An image over a page that is there already */
CALL(image_map_backed,
     image_add(vm_a, GFN_BACKED << PAGE_SHIFT, 1, &v) ?: image_map(vm_a, v, p, 1, &v),
     spec_image_add(&spec, vm_a, GFN_BACKED << PAGE_SHIFT, 1, &v)
	     ?: spec_image_map(&spec, vm_a, v, p, 1, &v))

/* The image's last page, then the check */
#define VERIFY(name, page, launch, verdict)                                                   \
	CALL(name, image_map(vm_a, 0, page, 1, &v) ?: image_verify(vm_a, launch, &v),         \
	     spec_image_map(&spec, vm_a, 0, page, 1, &v)                                      \
		     ?: spec_vm_verify(&spec, vm_a, launch, verdict, GFN_IMAGE << PAGE_SHIFT, \
				       false, &v))
VERIFY(verify_junk, FREE_PAGE, p, SPEC_MALFORMED)
VERIFY(verify_foreign, p, LAUNCH_FOREIGN, SPEC_NOT_SIGNED)
VERIFY(verify_signed, FREE_PAGE, LAUNCH_GOOD, SPEC_SIGNED)
#define VERIFY_EARLY(name, vm)              \
	CALL(name, image_verify(vm, p, &v), \
	     spec_vm_verify(&spec, vm, p, SPEC_MALFORMED, 0, false, &v))
VERIFY_EARLY(verify_early, vm_a)
VERIFY_EARLY(verify_open, vm_b)
VERIFY_EARLY(verify_dead, vm_dead)

const struct call image_calls[] = {
	ENTRY(image_add),	 ENTRY(image_add_open),
	ENTRY(image_add_dead),	 ENTRY(image_add_over),
	ENTRY(image_add_beyond), ENTRY(image_add_wrap),
	ENTRY(image_add_odd),	 ENTRY(image_add_none),
	ENTRY(image_add_many),	 ENTRY(image_map),
	ENTRY(image_map_more),	 ENTRY(image_map_none),
	ENTRY(image_map_index),	 ENTRY(image_map_dead),
	ENTRY(image_map_backed), ENTRY(verify_junk),
	ENTRY(verify_foreign),	 ENTRY(verify_signed),
	ENTRY(verify_early),	 ENTRY(verify_open),
	ENTRY(verify_dead),	 { 0 },
};
