/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Reads the manifest with libfdt, all of it checked first. Guarantees: whatever the blob holds,
 * what is returned keeps the promises of manifest.h.
 */
#include <cv/manifest.h>

#include <libfdt.h>
#include <string.h>

#include <cv/arch_host.h>

#define COMPATIBLE "ravelin,manifest-1"
/* Of Debian's libfdt, older versions of the format lead to a null pointer (boot_fdt.c). */
#define FDT_VERSION_MIN 16

/* An integer of `cells` 32-bit cells; false if the property is not exactly that. */
static bool number(const void *fdt, int node, const char *name, u32 cells, u64 *value)
{
	int bytes;
	const u8 *at = fdt_getprop(fdt, node, name, &bytes);

	if (at == NULL || bytes != (int)(cells * sizeof(u32))) {
		return false;
	}
	*value = 0;
	for (int i = 0; i < bytes; i++) {
		*value = *value << 8 | at[i];
	}
	return true;
}

/* reg = <address size>, two cells each. */
static bool range_read(const void *fdt, int node, struct manifest_range *range)
{
	int bytes;
	const u8 *reg = fdt_getprop(fdt, node, "reg", &bytes);
	const u64 limit = GFN_LIMIT << PAGE_SHIFT;

	if (reg == NULL || bytes != 16) {
		return false;
	}
	*range = (struct manifest_range){ 0 };
	for (u32 i = 0; i < 8; i++) {
		range->gpa = range->gpa << 8 | reg[i];
		range->bytes = range->bytes << 8 | reg[8 + i];
	}
	return is_aligned(range->gpa, PAGE_SIZE) && range->bytes > 0 && range->gpa < limit &&
	       range->bytes <= limit - range->gpa;
}

static bool image_read(const void *fdt, int node, struct manifest *manifest)
{
	struct manifest_image *image = &manifest->image[manifest->image_count];
	int bytes;
	const void *hash = fdt_getprop(fdt, node, "sha256", &bytes);

	if (manifest->image_count == RV_IMAGES_MAX || hash == NULL || bytes != CRYPTO_HASH_BYTES ||
	    !range_read(fdt, node, &image->range)) {
		return false;
	}
	memcpy(image->hash, hash, CRYPTO_HASH_BYTES);
	manifest->image_count++;
	return true;
}

static bool parameter_read(const void *fdt, int node, struct manifest *manifest)
{
	if (manifest->parameter_count == MANIFEST_PARAMETERS_MAX ||
	    !range_read(fdt, node, &manifest->parameter[manifest->parameter_count])) {
		return false;
	}
	manifest->parameter_count++;
	return true;
}

static bool children_read(const void *fdt, const char *path, struct manifest *manifest,
			  bool (*read)(const void *fdt, int node, struct manifest *manifest))
{
	int parent = fdt_path_offset(fdt, path);
	int node;

	if (parent < 0) {
		return parent == -FDT_ERR_NOTFOUND;
	}
	fdt_for_each_subnode(node, fdt, parent) {
		if (!read(fdt, node, manifest)) {
			return false;
		}
	}
	return node == -FDT_ERR_NOTFOUND;
}

static bool policy_read(const void *fdt, struct manifest *manifest)
{
	u64 vcpus = VM_VCPUS_MAX;

	if (fdt_getprop(fdt, 0, "vcpus-max", NULL) != NULL &&
	    (!number(fdt, 0, "vcpus-max", 1, &vcpus) || vcpus == 0 || vcpus > VM_VCPUS_MAX)) {
		return false;
	}
	manifest->vcpus_max = (u32)vcpus;
	manifest->may_be_saved = fdt_getprop(fdt, 0, "snapshots", NULL) != NULL;
	return number(fdt, 0, "entry", 2, &manifest->entry);
}

/* Whole pages: what a page's tail is, the guest need not guess. */
static bool overlaps(const struct manifest_range *a, const struct manifest_range *b)
{
	return a->gpa < align_up(b->gpa + b->bytes, PAGE_SIZE) &&
	       b->gpa < align_up(a->gpa + a->bytes, PAGE_SIZE);
}

static bool is_apart(const struct manifest *manifest, u32 image)
{
	const struct manifest_range *range = &manifest->image[image].range;

	for (u32 i = 0; i < image; i++) {
		if (overlaps(range, &manifest->image[i].range)) {
			return false;
		}
	}
	for (u32 i = 0; i < manifest->parameter_count; i++) {
		if (overlaps(range, &manifest->parameter[i])) {
			return false;
		}
	}
	return true;
}

static bool is_sound(const struct manifest *manifest)
{
	bool is_entered = false;

	for (u32 i = 0; i < manifest->image_count; i++) {
		const struct manifest_range *range = &manifest->image[i].range;

		if (!is_apart(manifest, i)) {
			return false;
		}
		is_entered = is_entered || (manifest->entry >= range->gpa &&
					    manifest->entry - range->gpa < range->bytes);
	}
	return is_entered && is_aligned(manifest->entry, 4);
}

static bool blob_read(const void *fdt, u64 bytes, struct manifest *manifest)
{
	if (bytes < sizeof(struct fdt_header) || fdt_check_header(fdt) != 0 ||
	    fdt_totalsize(fdt) != bytes || fdt_version(fdt) < FDT_VERSION_MIN ||
	    fdt_check_full(fdt, bytes) != 0 || fdt_node_check_compatible(fdt, 0, COMPATIBLE) != 0) {
		return false;
	}
	return policy_read(fdt, manifest) && children_read(fdt, "/images", manifest, image_read) &&
	       children_read(fdt, "/parameters", manifest, parameter_read) && is_sound(manifest);
}

bool manifest_read(const void *blob, u64 bytes, struct manifest *manifest)
{
	bool is_good;

	*manifest = (struct manifest){ 0 };
	arch_fp_begin(); /* libfdt as packaged may use vector registers */
	is_good = blob_read(blob, bytes, manifest);
	arch_fp_end();
	return is_good;
}
