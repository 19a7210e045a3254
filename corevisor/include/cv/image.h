/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a protected VM starts with. The host names up to five images and hands over their pages, in
 * order; each page leaves the host before it is hashed, and stays where the guest will find it.
 * image_verify() then holds them against the manifest that the VM's owner signed. Seed: BootOps
 * set_boot_info, remap_vm_image, verify_and_load_images, search_load_info (reference 16.2).
 */
#ifndef CV_IMAGE_H
#define CV_IMAGE_H

#include <cv/crypto.h>
#include <cv/status.h>
#include <cv/types.h>
#include <ravelin/abi.h>

struct vm;

struct image {
	gfn_t first;
	u64 bytes;
	u64 pages_mapped;	 /* they are the VM's, in order from `first` */
	struct crypto_hash hash; /* of their bytes */
};

/* A VM's images, in its record; zero when the VM is created. */
struct images {
	u32 count;
	bool is_undone; /* a check failed: pages are on their way back to the host */
	struct image image[RV_IMAGES_MAX];
};

static inline u64 image_pages(const struct image *image)
{
	return align_up(image->bytes, PAGE_SIZE) >> PAGE_SHIFT;
}

/* Whether `gfn` is of an image, mapped yet or not. */
static inline bool images_hold(const struct images *images, gfn_t gfn)
{
	for (u32 i = 0; i < images->count; i++) {
		if (gfn.v - images->image[i].first.v < image_pages(&images->image[i])) {
			return true;
		}
	}
	return false;
}

/* RV_IMAGE_ADD, RV_IMAGE_MAP, RV_VM_VERIFY, RV_VM_MEASURE; arguments unchecked; errors in abi.h. */
CV_MUST_USE enum cv_status image_add(u64 handle, u64 gpa, u64 bytes, u64 *index);
CV_MUST_USE enum cv_status image_map(u64 handle, u64 index, u64 pfn, u64 pages, u64 *done);
CV_MUST_USE enum cv_status image_verify(u64 handle, u64 launch_pfn, u64 *left);
CV_MUST_USE enum cv_status image_measure(u64 handle, u64 what, u64 out[4]);

#endif
