/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Form, signature and manifest are judged by the corevisor's own code (crypto.c, manifest.c), which
 * is part of this program: what is good here is good there.
 */
#include "launch.h"

#include "text.h"

#include <cv/crypto.h>
#include <cv/manifest.h>
#include <libfdt.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

_Static_assert(sizeof(struct rv_launch) == RV_PAGE_SIZE, "one page");
_Static_assert(sizeof(((struct rv_launch *)0)->public_key) == 2 * KEY_NUMBER_MAX,
	       "as in struct key");
_Static_assert(KEY_HASH_BYTES == CRYPTO_HASH_BYTES, "both SHA-256");

static unsigned long long number(uint64_t value)
{
	return value;
}

static void hash_of(const void *data, size_t bytes, uint8_t out[CRYPTO_HASH_BYTES])
{
	struct crypto_hash hash;

	crypto_hash_begin(&hash);
	crypto_hash_add(&hash, data, bytes);
	crypto_hash_end(&hash, out);
}

/* ---- making ---- */

static int put_range(void *fdt, const char *name, uint64_t gpa, uint64_t bytes)
{
	fdt64_t reg[2] = { cpu_to_fdt64(gpa), cpu_to_fdt64(bytes) };
	char node[64];
	int err;

	snprintf(node, sizeof(node), "%s@%llx", name, number(gpa));
	err = fdt_begin_node(fdt, node);
	return err ? err : fdt_property(fdt, "reg", reg, sizeof(reg));
}

static int put_image(void *fdt, const struct plan_image *image)
{
	uint8_t hash[CRYPTO_HASH_BYTES];
	int err = put_range(fdt, "image", image->gpa, image->blob.bytes);

	hash_of(image->blob.data, image->blob.bytes, hash);
	err = err ? err : fdt_property(fdt, "sha256", hash, sizeof(hash));
	return err ? err : fdt_end_node(fdt);
}

static int put_parameter(void *fdt, const struct plan_range *range)
{
	int err = put_range(fdt, "parameter", range->gpa, range->bytes);

	return err ? err : fdt_end_node(fdt);
}

/* What `reg` of the children is made of. */
static int put_list(void *fdt, const char *name)
{
	int err = fdt_begin_node(fdt, name);

	err = err ? err : fdt_property_u32(fdt, "#address-cells", 2);
	return err ? err : fdt_property_u32(fdt, "#size-cells", 2);
}

static int put_policy(void *fdt, const struct plan *plan)
{
	int err = fdt_property_string(fdt, "compatible", "ravelin,manifest-1");

	err = err ? err : fdt_property_u64(fdt, "entry", plan_entry(plan));
	if (!err && plan->vcpus_max) {
		err = fdt_property_u32(fdt, "vcpus-max", (uint32_t)plan->vcpus_max);
	}
	if (!err && plan->may_be_saved) {
		err = fdt_property(fdt, "snapshots", NULL, 0);
	}
	return err;
}

static int put_manifest(void *fdt, int capacity, const struct plan *plan)
{
	int err = fdt_create(fdt, capacity);
	size_t i;

	err = err ? err : fdt_finish_reservemap(fdt);
	err = err ? err : fdt_begin_node(fdt, "");
	err = err ? err : put_policy(fdt, plan);
	err = err ? err : put_list(fdt, "images");
	for (i = 0; !err && i < plan->image_count; i++) {
		err = put_image(fdt, &plan->image[i]);
	}
	err = err ? err : fdt_end_node(fdt);
	if (!err && plan->parameter_count > 0) {
		err = put_list(fdt, "parameters");
		for (i = 0; !err && i < plan->parameter_count; i++) {
			err = put_parameter(fdt, &plan->parameter[i]);
		}
		err = err ? err : fdt_end_node(fdt);
	}
	err = err ? err : fdt_end_node(fdt);
	return err ? err : fdt_finish(fdt);
}

/* For whoever feeds the images to the corevisor. */
static void put_hints(struct rv_launch *launch, const struct plan *plan)
{
	size_t i;

	for (i = 0; i < plan->image_count; i++) {
		launch->image[launch->image_count++] =
			(struct rv_launch_image){ plan->image[i].gpa, plan->image[i].blob.bytes,
						  0 };
	}
	for (i = 0; i < plan->parameter_count; i++) {
		launch->image[launch->image_count++] =
			(struct rv_launch_image){ plan->parameter[i].gpa, plan->parameter[i].bytes,
						  1 };
	}
	launch->entry = plan_entry(plan);
}

bool launch_make(const struct plan *plan, const struct key *key, struct rv_launch *launch)
{
	int err;

	if (!plan_check(plan)) {
		return false;
	}
	*launch = (struct rv_launch){ .magic = RV_LAUNCH_MAGIC,
				      .version = RV_LAUNCH_VERSION,
				      .curve = key->curve };
	err = put_manifest(launch->manifest, RV_LAUNCH_MANIFEST_MAX, plan);
	if (err) {
		return fail("cannot build the manifest: %s", fdt_strerror(err));
	}
	launch->manifest_bytes = fdt_totalsize(launch->manifest);
	put_hints(launch, plan);
	memcpy(launch->public_key, key->public, sizeof(launch->public_key));
	key_hash(key, launch->owner);
	if (!key_sign(key, launch->manifest, launch->manifest_bytes, launch->signature)) {
		return fail("cannot sign the manifest");
	}
	return launch_check(launch, "what was signed", launch->owner) &&
	       launch_check_images(launch, plan);
}

/* ---- finding ---- */

bool launch_open(const char *path, struct launch_file *file)
{
	static const uint8_t magic[] = "RVLAUNCH";
	size_t at;

	*file = (struct launch_file){ .path = path };
	if (!file_read(path, "launch page", &file->blob)) {
		return false;
	}
	/* From the end: an image may have anything in it. */
	for (at = file->blob.bytes / RV_PAGE_SIZE; at-- > 0;) {
		if (memcmp(file->blob.data + at * RV_PAGE_SIZE, magic, 8) == 0) {
			file->at = at * RV_PAGE_SIZE;
			return true;
		}
	}
	blob_free(&file->blob);
	return fail("%s: no launch page in it", path);
}

struct rv_launch launch_page(const struct launch_file *file)
{
	struct rv_launch launch;

	memcpy(&launch, file->blob.data + file->at, sizeof(launch));
	return launch;
}

bool launch_take_image(const struct launch_file *file, struct plan *plan)
{
	struct rv_launch launch = launch_page(file);
	struct plan_image *image = &plan->image[0];
	struct manifest manifest;

	if (!manifest_read(launch.manifest, launch.manifest_bytes, &manifest)) {
		return fail("%s: damaged manifest", file->path);
	}
	image->path = strdup(file->path);
	image->gpa = manifest.image[0].range.gpa;
	image->blob = (struct blob){ malloc(file->at), file->at };
	if (!image->path || !image->blob.data) {
		return fail("%s: not enough memory", file->path);
	}
	memcpy(image->blob.data, file->blob.data, file->at);
	plan->image_count = 1;
	return true;
}

/* ---- checking ---- */

/* image.c's is_well_formed, with words. */
static bool check_form(const struct rv_launch *launch, const char *path)
{
	if (launch->magic != RV_LAUNCH_MAGIC) {
		return fail("%s: not a launch page", path);
	}
	if (launch->version != RV_LAUNCH_VERSION) {
		return fail("%s: a launch page of version %u, this program knows %d", path,
			    launch->version, RV_LAUNCH_VERSION);
	}
	if (launch->curve != RV_CURVE_P256 && launch->curve != RV_CURVE_P384) {
		return fail("%s: damaged launch page: unknown curve %u", path, launch->curve);
	}
	if (launch->manifest_bytes == 0 || launch->manifest_bytes > RV_LAUNCH_MANIFEST_MAX) {
		return fail("%s: damaged launch page: a manifest of %u bytes", path,
			    launch->manifest_bytes);
	}
	return true;
}

/* The corevisor does not read the hints; the host's module does, and would fail later. */
static bool check_hints(const struct rv_launch *launch, const struct manifest *manifest,
			const char *path)
{
	uint32_t images = 0, i;

	if (launch->entry != manifest->entry) {
		return fail("%s: the page's entry is not the manifest's", path);
	}
	for (i = 0; i < launch->image_count && i < RV_IMAGES_MAX; i++) {
		const struct rv_launch_image *hint = &launch->image[i];
		const struct manifest_range *range = NULL;

		if (!hint->is_parameter && images < manifest->image_count) {
			range = &manifest->image[images++].range;
		} else if (hint->is_parameter && i - images < manifest->parameter_count) {
			range = &manifest->parameter[i - images];
		}
		if (!range || range->gpa != hint->gpa || range->bytes != hint->bytes ||
		    hint->is_parameter > 1) {
			break;
		}
	}
	if (i != launch->image_count || i != manifest->image_count + manifest->parameter_count) {
		return fail("%s: the page's list of images is not the manifest's", path);
	}
	return true;
}

bool launch_check(const struct rv_launch *launch, const char *path, const uint8_t *owner)
{
	uint8_t hash[CRYPTO_HASH_BYTES];
	struct manifest manifest;

	if (!check_form(launch, path)) {
		return false;
	}
	crypto_key_hash(launch->curve, launch->public_key, hash);
	if (memcmp(hash, launch->owner, sizeof(hash)) != 0) {
		return fail("%s: the page's owner hash is not that of its key", path);
	}
	if (owner && memcmp(hash, owner, sizeof(hash)) != 0) {
		return fail("%s: signed by another owner", path);
	}
	if (!crypto_verify(launch->curve, launch->public_key, launch->signature, launch->manifest,
			   launch->manifest_bytes)) {
		return fail("%s: the signature is not the owner's", path);
	}
	if (!manifest_read(launch->manifest, launch->manifest_bytes, &manifest)) {
		return fail("%s: signed, but not a manifest that the corevisor takes", path);
	}
	return check_hints(launch, &manifest, path);
}

static bool check_image(const struct plan_image *image, const struct manifest_image *wanted)
{
	uint8_t hash[CRYPTO_HASH_BYTES];

	if (image->blob.bytes != wanted->range.bytes) {
		return fail("%s: %zu bytes, the owner signed %llu", image->path, image->blob.bytes,
			    number(wanted->range.bytes));
	}
	hash_of(image->blob.data, image->blob.bytes, hash);
	return memcmp(hash, wanted->hash, sizeof(hash)) == 0 ||
	       fail("%s: not the bytes that the owner signed", image->path);
}

static bool is_parameter(const struct plan_image *image, const struct manifest *manifest)
{
	uint32_t i;

	for (i = 0; i < manifest->parameter_count; i++) {
		const struct manifest_range *range = &manifest->parameter[i];

		if (image->gpa >= range->gpa && image->gpa - range->gpa < range->bytes &&
		    image->blob.bytes <= range->bytes - (image->gpa - range->gpa)) {
			return true;
		}
	}
	return false;
}

static const struct plan_image *find_image(const struct plan *plan, uint64_t gpa)
{
	size_t i;

	for (i = 0; i < plan->image_count; i++) {
		if (plan->image[i].gpa == gpa) {
			return &plan->image[i];
		}
	}
	return NULL;
}

bool launch_check_images(const struct rv_launch *launch, const struct plan *plan)
{
	struct manifest manifest;
	size_t i, found = 0;

	if (!manifest_read(launch->manifest, launch->manifest_bytes, &manifest)) {
		return fail("not a manifest");
	}
	for (i = 0; i < manifest.image_count; i++) {
		const struct plan_image *image = find_image(plan, manifest.image[i].range.gpa);

		if (!image) {
			return fail("the image at %#llx is missing",
				    number(manifest.image[i].range.gpa));
		}
		if (!check_image(image, &manifest.image[i])) {
			return false;
		}
		found++;
	}
	for (i = 0; i < plan->image_count; i++) {
		const struct plan_image *image = &plan->image[i];

		if (find_image(plan, image->gpa) != image) {
			return fail("%s: a second image at %#llx", image->path, number(image->gpa));
		}
		found += is_parameter(image, &manifest);
	}
	return found == plan->image_count ||
	       fail("more images than the owner signed, outside of the parameters");
}

/* ---- showing ---- */

void launch_print(const struct rv_launch *launch)
{
	uint8_t hash[CRYPTO_HASH_BYTES];
	struct manifest manifest;
	uint32_t i;

	if (!manifest_read(launch->manifest, launch->manifest_bytes, &manifest)) {
		return;
	}
	printf("owner:      ");
	print_hash(launch->owner);
	printf("curve:      %s\n", key_curve_name(launch->curve));
	hash_of(launch->manifest, launch->manifest_bytes, hash);
	printf("manifest:   ");
	print_hash(hash);
	printf("entry:      %#llx\n", number(manifest.entry));
	printf("vcpus-max:  %u\n", manifest.vcpus_max);
	printf("snapshots:  %s\n", manifest.may_be_saved ? "allowed" : "forbidden");
	for (i = 0; i < manifest.image_count; i++) {
		const struct manifest_image *image = &manifest.image[i];

		printf("image:      %#llx, %llu bytes, ", number(image->range.gpa),
		       number(image->range.bytes));
		print_hash(image->hash);
	}
	for (i = 0; i < manifest.parameter_count; i++) {
		printf("parameters: %#llx, %llu bytes, unsigned\n",
		       number(manifest.parameter[i].gpa), number(manifest.parameter[i].bytes));
	}
}
