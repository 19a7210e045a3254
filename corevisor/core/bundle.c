/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The bundle: a FIT (flattened image tree) as `ravelin pack` writes it. Guarantees: every pointer
 * and length handed out lies inside the bundle, every number of the kernel's header has been
 * checked.
 */
#include <cv/boot.h>

#include <cv/arch_host.h>
#include <libfdt.h>
#include <string.h>

/* arm64 Image header (Linux, Documentation/arch/arm64/booting.rst) */
struct image_header {
	u32 code[2];
	u64 text_offset;
	u64 image_bytes;
	u64 flags;
	u64 reserved[3];
	u32 magic;
	u32 reserved_end;
};
#define IMAGE_MAGIC 0x644d5241u /* "ARM\x64" */
#define IMAGE_BIG_ENDIAN (1ull << 0)
/* A kernel with page sizes of its own choice still fits; more than this is a broken header. */
#define IMAGE_BYTES_MAX (1ull << 30)
#define TEXT_OFFSET_MAX (2ull << 20)

static int node_find(const void *fit, int parent, const char *name, const char *what)
{
	int node = name != NULL ? fdt_subnode_offset(fit, parent, name) : -1;

	if (node < 0) {
		boot_refuse("bundle: no %s", what);
	}
	return node;
}

/* A string property, or NULL: absent or without an end. */
static const char *string_read(const void *fit, int node, const char *name)
{
	int bytes;
	const char *value = fdt_getprop(fit, node, name, &bytes);

	return value != NULL && bytes > 0 && value[bytes - 1] == '\0' ? value : NULL;
}

static const void *data_read(const void *fit, int image, const char *what, u64 *bytes)
{
	const char *compression = string_read(fit, image, "compression");
	int length;
	const void *data = fdt_getprop(fit, image, "data", &length);

	if (data == NULL || length <= 0) {
		boot_refuse("bundle: %s has no data", what);
	}
	if (compression != NULL && strcmp(compression, "none") != 0) {
		boot_refuse("bundle: %s is compressed", what);
	}
	*bytes = (u64)length;
	return data;
}

static void kernel_check(struct bundle *b)
{
	struct image_header header;

	if (b->kernel_bytes < sizeof(header)) {
		boot_refuse("bundle: the kernel is too short for an arm64 Image");
	}
	memcpy(&header, b->kernel, sizeof(header));
	if (header.magic != IMAGE_MAGIC) {
		boot_refuse("bundle: the kernel is not an arm64 Image");
	}
	if ((header.flags & IMAGE_BIG_ENDIAN) != 0) {
		boot_refuse("bundle: the kernel is big endian");
	}
	if (header.image_bytes < b->kernel_bytes || header.image_bytes > IMAGE_BYTES_MAX) {
		boot_refuse("bundle: the kernel's image size %lu is absurd", header.image_bytes);
	}
	if (header.text_offset >= TEXT_OFFSET_MAX || !is_aligned(header.text_offset, PAGE_SIZE)) {
		boot_refuse("bundle: the kernel's text offset %lu is absurd", header.text_offset);
	}
	b->text_offset = header.text_offset;
	b->image_bytes = header.image_bytes;
}

static void fit_check(const void *fit, u64 bytes)
{
	if (bytes < sizeof(struct fdt_header) || !is_aligned((u64)(uintptr_t)fit, 8) ||
	    fdt_check_header(fit) != 0 || fdt_totalsize(fit) > bytes) {
		boot_refuse("bundle: not a bundle of `ravelin pack`");
	}
	if (!boot_fdt_is_whole(fit, bytes)) {
		boot_refuse("bundle: damaged");
	}
}

void bundle_read(const struct boot_range *where, struct bundle *b)
{
	const void *fit = (const void *)(uintptr_t)where->base;
	const char *ramdisk;
	const char *bootargs;
	int images;
	int configurations;
	int configuration;

	arch_boot_map(pa_make(where->base), where->bytes);
	fit_check(fit, where->bytes);
	images = node_find(fit, 0, "images", "/images");
	configurations = node_find(fit, 0, "configurations", "/configurations");
	configuration = node_find(fit, configurations, string_read(fit, configurations, "default"),
				  "default configuration");
	b->kernel = data_read(
		fit, node_find(fit, images, string_read(fit, configuration, "kernel"), "kernel"),
		"the kernel", &b->kernel_bytes);
	kernel_check(b);
	ramdisk = string_read(fit, configuration, "ramdisk");
	if (ramdisk != NULL) {
		const void *data = data_read(fit, node_find(fit, images, ramdisk, "initrd"),
					     "the initrd", &b->initrd.bytes);

		b->initrd.base = (u64)(uintptr_t)data;
	}
	bootargs = string_read(fit, configuration, "bootargs");
	b->bootargs = bootargs != NULL ? bootargs : "";
}
