/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The image of a protected guest, offsets from its start, which a VMM puts at a 2 MiB boundary:
 *   0          sealboot.bin, which starts with an arm64 Image header and, at 64, struct seal_slots
 *   2 MiB      the kernel Image, unmodified (+ its text_offset, which is 0 since Linux 5.8)
 *   then       its BSS; in the file if anything follows
 *   then       initrd and command line, each from a page's start
 *   then       4 MiB for sealboot, from 2 MiB on: its device tree, its copy of the VMM's; zeroes,
 *              in the file only if it is signed
 *   then       the launch page: the owner's signature over all of the above
 * All of that is within image_size, so a VMM keeps the device tree away from it. sealboot's memory
 * is signed because images are RAM: of what is none, the VMM would answer each load, also the
 * second one of a word that was checked after the first.
 */
#include "image.h"
#include "launch.h"
#include "pack.h"
#include "sealboot.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define SEAL_MAGIC 0x32544f4f424c5653ull /* "SVLBOOT2" in sealboot/head.S */
/* Where a member of sealboot's slots lies in its image. */
#define SEAL_AT(member) (SEAL_AT_SLOTS + offsetof(struct seal_slots, member))
#define SEAL_DTB_BYTES ((uint64_t)SEAL_DTB_BYTES_MAX)
#define CMDLINE_BYTES_MAX 2048 /* Linux's COMMAND_LINE_SIZE */

/*
 * Where QEMU's virt puts a kernel, its stub that enters it, and the device tree: behind the first
 * 128 MiB of RAM (of 256 MiB or more) and behind the image, on 2 MiB; hw/arm/boot.c.
 */
#define VIRT_RAM 0x40000000ull
#define VIRT_IMAGE (VIRT_RAM + IMAGE_ALIGN)
#define VIRT_DTB (VIRT_RAM + (128ull << 20))

struct layout {
	uint64_t kernel;
	uint64_t initrd;
	uint64_t cmdline;
	uint64_t end; /* what the file holds, the launch page apart */
	uint64_t dtb;
	uint64_t total;
};

struct parts {
	struct blob sealboot, kernel, initrd, cmdline;
};

static uint64_t align_to(uint64_t value, uint64_t to)
{
	return (value + to - 1) & ~(to - 1);
}

static bool check_sealboot(const struct blob *sealboot, const char *path)
{
	struct image image;

	if (!image_parse(sealboot, path, &image)) {
		return false;
	}
	if (sealboot->bytes < SEAL_AT_SLOTS + sizeof(struct seal_slots) ||
	    get_le64(sealboot->data + SEAL_AT(magic)) != SEAL_MAGIC) {
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

/* Pages, so that the guest can be signed; not if the file ends with the kernel and nobody signs it.
 * Where things lie does not depend on who signs.
 */
static struct layout lay_out(const struct parts *parts, const struct image *image, bool is_launched)
{
	const struct blob *kernel = &parts->kernel;
	struct layout layout;
	/*
	 * A signature may follow the kernel: the file can be longer than what its header asks for.
	 */
	uint64_t bytes = kernel->bytes > image->size ? kernel->bytes : image->size;

	layout.kernel = IMAGE_ALIGN + image->text_offset;
	layout.initrd = align_to(layout.kernel + bytes, RV_PAGE_SIZE);
	layout.cmdline = align_to(layout.initrd + parts->initrd.bytes, RV_PAGE_SIZE);
	layout.end = align_to(layout.cmdline + parts->cmdline.bytes, RV_PAGE_SIZE);
	layout.dtb = align_to(layout.end, IMAGE_ALIGN);
	layout.total = layout.dtb + 2 * SEAL_DTB_BYTES + RV_PAGE_SIZE;
	if (is_launched) {
		layout.end = layout.total - RV_PAGE_SIZE;
	} else if (parts->initrd.bytes == 0 && parts->cmdline.bytes == 0) {
		layout.end = layout.kernel + kernel->bytes;
	}
	return layout;
}

/* The image up to the launch page, with room for that. */
static bool fill(const struct parts *parts, const struct layout *layout, struct blob *out)
{
	out->bytes = layout->end;
	out->data = calloc(1, out->bytes + RV_PAGE_SIZE);
	if (!out->data) {
		return fail("not enough memory");
	}
	memcpy(out->data, parts->sealboot.data, parts->sealboot.bytes);
	memcpy(out->data + layout->kernel, parts->kernel.data, parts->kernel.bytes);
	put_le64(out->data + IMAGE_AT_TEXT_OFFSET, 0);
	put_le64(out->data + IMAGE_AT_SIZE, layout->total);
	put_le64(out->data + IMAGE_AT_FLAGS,
		 get_le64(parts->kernel.data + IMAGE_AT_FLAGS) | IMAGE_FLAG_ANYWHERE);
	put_le64(out->data + SEAL_AT(kernel), layout->kernel);
	put_le64(out->data + SEAL_AT(dtb), layout->dtb);
	if (parts->initrd.bytes > 0) {
		memcpy(out->data + layout->initrd, parts->initrd.data, parts->initrd.bytes);
		put_le64(out->data + SEAL_AT(initrd), layout->initrd);
		put_le64(out->data + SEAL_AT(initrd_bytes), parts->initrd.bytes);
	}
	if (parts->cmdline.bytes > 0) {
		memcpy(out->data + layout->cmdline, parts->cmdline.data, parts->cmdline.bytes);
		put_le64(out->data + SEAL_AT(cmdline), layout->cmdline);
		put_le64(out->data + SEAL_AT(cmdline_bytes), parts->cmdline.bytes);
	}
	return true;
}

/* ---- the launch page ---- */

/* What is signed: all of the image, as QEMU's virt places it. */
static struct plan plan_of(const struct pack_request *request, const struct layout *layout,
			   const struct blob *image)
{
	uint64_t dtb = align_to(VIRT_IMAGE + layout->total, IMAGE_ALIGN);
	struct plan plan = request->plan;

	plan.image[0] = (struct plan_image){ request->output, VIRT_IMAGE, *image };
	plan.image_count = 1;
	if (plan.parameter_count == 0) {
		plan.parameter[0] = (struct plan_range){ VIRT_RAM, RV_PAGE_SIZE };
		plan.parameter[1] =
			(struct plan_range){ dtb > VIRT_DTB ? dtb : VIRT_DTB, SEAL_DTB_BYTES };
		plan.parameter_count = 2;
	}
	return plan;
}

static bool sign(const struct pack_request *request, const struct plan *plan,
		 struct rv_launch *launch)
{
	struct key key;
	bool ok;

	if (!key_read_private(request->sign, &key)) {
		return false;
	}
	ok = launch_make(plan, &key, launch);
	key_forget(&key);
	return ok;
}

static bool take_launch(const struct pack_request *request, const struct plan *plan,
			struct rv_launch *launch)
{
	struct launch_file file;

	if (!launch_open(request->launch, &file)) {
		return false;
	}
	*launch = launch_page(&file);
	blob_free(&file.blob);
	return launch_check(launch, request->launch, NULL) && launch_check_images(launch, plan);
}

/* Puts the launch page behind the image, which has room for it. */
static bool add_launch(const struct pack_request *request, const struct layout *layout,
		       struct blob *image)
{
	struct plan plan = plan_of(request, layout, image);
	struct rv_launch launch;

	if (!(request->sign ? sign(request, &plan, &launch)
			    : take_launch(request, &plan, &launch))) {
		return false;
	}
	memcpy(image->data + image->bytes, &launch, sizeof(launch));
	image->bytes += sizeof(launch);
	return !request->launch_out || file_write(request->launch_out, &launch, sizeof(launch));
}

/* ---- all together ---- */

static bool read_parts(const struct pack_request *request, struct parts *parts, struct image *image)
{
	if (!file_read(request->sealboot, "guest loader", &parts->sealboot) ||
	    !check_sealboot(&parts->sealboot, request->sealboot) ||
	    !file_read(request->kernel, "kernel", &parts->kernel) ||
	    !image_parse(&parts->kernel, request->kernel, image) ||
	    (request->initrd && !file_read(request->initrd, "initrd", &parts->initrd))) {
		return false;
	}
	if (!(image->flags & IMAGE_FLAG_ANYWHERE)) {
		return fail("%s: this kernel must lie at the start of RAM (older than 4.6?)",
			    request->kernel);
	}
	if (request->cmdline && *request->cmdline) {
		parts->cmdline.data = (uint8_t *)request->cmdline; /* not ours to free */
		parts->cmdline.bytes = strlen(request->cmdline) + 1;
	}
	return parts->cmdline.bytes <= CMDLINE_BYTES_MAX ||
	       fail("the command line is longer than the kernel takes (%d)", CMDLINE_BYTES_MAX);
}

bool pack_guest(const struct pack_request *request)
{
	bool is_launched = request->sign || request->launch, ok = false;
	struct parts parts = { 0 };
	struct blob out = { 0 };
	struct layout layout;
	struct image image;

	if (read_parts(request, &parts, &image)) {
		layout = lay_out(&parts, &image, is_launched);
		ok = fill(&parts, &layout, &out) &&
		     (!is_launched || add_launch(request, &layout, &out)) &&
		     file_write(request->output, out.data, out.bytes);
	}
	blob_free(&out);
	blob_free(&parts.initrd);
	blob_free(&parts.kernel);
	blob_free(&parts.sealboot);
	return ok;
}
