/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The image of a protected guest, offsets from its start, which a VMM puts at a 2 MiB boundary:
 *   0          sealboot.bin, which starts with an arm64 Image header and, at 64, struct seal_slots
 *   2 MiB      the kernel Image, unmodified (+ its text_offset, which is 0 since Linux 5.8)
 *   then       its BSS (not in the file), then up to 2 MiB where sealboot puts its copy of the DTB
 * (not in the file) All of that is within image_size, so a VMM keeps initrd and DTB away from it.
 */
#include "image.h"
#include "pack.h"

#include <stdlib.h>
#include <string.h>

/* Filled in here, read by sealboot/head.S: the two must agree. */
#define SEAL_MAGIC 0x31544f4f424c5653ull /* "SVLBOOT1" */
enum seal_offset {
	SEAL_AT_MAGIC = 64,
	SEAL_AT_KERNEL = 72, /* offset of the kernel */
	SEAL_AT_DTB = 80,    /* offset of the room for the DTB copy */
	SEAL_AT_END = 88,
};
#define SEAL_DTB_BYTES ((uint64_t)2 << 20) /* what the arm64 boot protocol allows a DTB */

struct layout {
	uint64_t kernel;
	uint64_t dtb;
	uint64_t total;
};

static uint64_t align_up(uint64_t value)
{
	return (value + IMAGE_ALIGN - 1) & ~(IMAGE_ALIGN - 1);
}

static bool check_sealboot(const struct blob *sealboot, const char *path)
{
	struct image image;

	if (!image_parse(sealboot, path, &image)) {
		return false;
	}
	if (sealboot->bytes < SEAL_AT_END ||
	    get_le64(sealboot->data + SEAL_AT_MAGIC) != SEAL_MAGIC) {
		return fail("%s: an arm64 Image, but not the guest loader", path);
	}
	/*
	 * Its own header says how much memory it uses, stack included: all of it before the kernel.
	 */
	if (sealboot->bytes > image.size || image.size > IMAGE_ALIGN) {
		return fail("%s: the guest loader does not fit in %llu bytes", path,
			    (unsigned long long)IMAGE_ALIGN);
	}
	return true;
}

static struct layout lay_out(const struct blob *kernel, const struct image *image)
{
	struct layout layout;
	/*
	 * A signature may follow the kernel: the file can be longer than what its header asks for.
	 */
	uint64_t bytes = kernel->bytes > image->size ? kernel->bytes : image->size;

	layout.kernel = IMAGE_ALIGN + image->text_offset;
	layout.dtb = align_up(layout.kernel + bytes);
	layout.total = layout.dtb + SEAL_DTB_BYTES;
	return layout;
}

static bool write_image(const struct blob *sealboot, const struct blob *kernel,
			const struct layout *layout, const char *output)
{
	size_t bytes = layout->kernel + kernel->bytes;
	uint8_t *out = calloc(1, bytes);
	bool ok;

	if (!out) {
		return fail("%s: not enough memory", output);
	}
	memcpy(out, sealboot->data, sealboot->bytes);
	memcpy(out + layout->kernel, kernel->data, kernel->bytes);
	put_le64(out + IMAGE_AT_TEXT_OFFSET, 0);
	put_le64(out + IMAGE_AT_SIZE, layout->total);
	put_le64(out + IMAGE_AT_FLAGS,
		 get_le64(kernel->data + IMAGE_AT_FLAGS) | IMAGE_FLAG_ANYWHERE);
	put_le64(out + SEAL_AT_KERNEL, layout->kernel);
	put_le64(out + SEAL_AT_DTB, layout->dtb);
	ok = file_write(output, out, bytes);
	free(out);
	return ok;
}

bool pack_guest(const struct pack_request *request)
{
	struct blob kernel = { 0 }, sealboot = { 0 };
	struct image image;
	struct layout layout;
	bool ok = false;

	if (file_read(request->sealboot, "guest loader", &sealboot) &&
	    check_sealboot(&sealboot, request->sealboot) &&
	    file_read(request->kernel, "kernel", &kernel) &&
	    image_parse(&kernel, request->kernel, &image)) {
		if (image.flags & IMAGE_FLAG_ANYWHERE) {
			layout = lay_out(&kernel, &image);
			ok = write_image(&sealboot, &kernel, &layout, request->output);
		} else {
			fail("%s: this kernel must lie at the start of RAM (older than 4.6?)",
			     request->kernel);
		}
	}
	blob_free(&kernel);
	blob_free(&sealboot);
	return ok;
}
