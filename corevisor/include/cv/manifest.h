/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The manifest: a device-tree blob (Devicetree Specification 0.4, chapter 5) that says what a VM
 * may start with; docs/launch.md has its properties. It comes from the VM's owner, so it is read
 * only after its signature was checked, and still with care: an owner may be hostile to the
 * corevisor.
 */
#ifndef CV_MANIFEST_H
#define CV_MANIFEST_H

#include <cv/crypto.h>
#include <cv/status.h>
#include <cv/types.h>
#include <ravelin/abi.h>

#define MANIFEST_PARAMETERS_MAX 4

struct manifest_range {
	u64 gpa;
	u64 bytes;
};

struct manifest_image {
	struct manifest_range range;
	u8 hash[CRYPTO_HASH_BYTES];
};

struct manifest {
	u64 entry;
	u32 vcpus_max;
	bool may_be_saved;
	u32 image_count; /* at least 1 */
	struct manifest_image image[RV_IMAGES_MAX];
	u32 parameter_count; /* ranges that the host may fill */
	struct manifest_range parameter[MANIFEST_PARAMETERS_MAX];
};

/* Reads `bytes` of a manifest; false if it is not one. Post: ranges do not wrap, images are not
 * empty, page aligned and do not overlap each other or parameters; the entry, 4-byte aligned, lies
 * in an image. */
CV_MUST_USE bool manifest_read(const void *blob, u64 bytes, struct manifest *manifest);

#endif
