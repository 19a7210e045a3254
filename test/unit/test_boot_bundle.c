/* SPDX-License-Identifier: BSD-3-Clause */
/* The bundle: what is right is read, what is wrong is refused with its cause, noise never leads
 * outside. */
#define _GNU_SOURCE /* MAP_ANONYMOUS */
#include "boot_fixture.h"

#include <cv/boot.h>
#include <libfdt.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define ROOM 16384
#define KERNEL_BYTES 4096
#define INITRD_BYTES 777

/* What one bundle is made of; NULL or 0 leaves a part out. */
struct recipe {
	const char *kernel_name, *ramdisk_name, *default_name, *compression, *bootargs;
	u32 kernel_bytes;
	bool is_initrd_empty;
	u32 magic;
	u64 flags, image_bytes, text_offset;
};

static const struct recipe good = {
	.kernel_name = "kernel-1",
	.ramdisk_name = "ramdisk-1",
	.default_name = "conf-1",
	.compression = "none",
	.bootargs = "console=ttyAMA0",
	.kernel_bytes = KERNEL_BYTES,
	.magic = 0x644d5241,
	.flags = 0xa,
	.image_bytes = 65536,
	.text_offset = 0,
};

static _Alignas(8) u8 fit[ROOM];
static struct bundle bundle;

static void put_image(const char *name, const void *data, u32 bytes, const char *compression)
{
	assert_int_equal(fdt_begin_node(fit, name), 0);
	fdt_property_string(fit, "type", "kernel");
	if (compression != NULL) {
		fdt_property_string(fit, "compression", compression);
	}
	if (data != NULL) {
		assert_int_equal(fdt_property(fit, "data", data, (int)bytes), 0);
	}
	fdt_end_node(fit);
}

static u64 bundle_make(const struct recipe *r)
{
	u64 kernel[KERNEL_BYTES / 8] = { 0 };
	u8 initrd[INITRD_BYTES];

	memset(initrd, 0x5a, sizeof(initrd));
	kernel[1] = r->text_offset;
	kernel[2] = r->image_bytes;
	kernel[3] = r->flags;
	kernel[7] = r->magic;
	memset(fit, 0, sizeof(fit));
	fdt_create(fit, ROOM);
	fdt_finish_reservemap(fit);
	fdt_begin_node(fit, "");
	fdt_begin_node(fit, "images");
	put_image("kernel-1", r->kernel_bytes > 0 ? kernel : NULL, r->kernel_bytes, r->compression);
	put_image("ramdisk-1", initrd, r->is_initrd_empty ? 0 : sizeof(initrd), "none");
	fdt_end_node(fit);
	fdt_begin_node(fit, "configurations");
	if (r->default_name != NULL) {
		fdt_property_string(fit, "default", r->default_name);
	}
	fdt_begin_node(fit, "conf-1");
	if (r->kernel_name != NULL) {
		fdt_property_string(fit, "kernel", r->kernel_name);
	}
	if (r->ramdisk_name != NULL) {
		fdt_property_string(fit, "ramdisk", r->ramdisk_name);
	}
	if (r->bootargs != NULL) {
		fdt_property_string(fit, "bootargs", r->bootargs);
	}
	fdt_end_node(fit);
	fdt_end_node(fit);
	fdt_end_node(fit);
	assert_int_equal(fdt_finish(fit), 0);
	return fdt_totalsize(fit);
}

static void read_at(u64 offset, u64 bytes)
{
	const struct boot_range where = { (u64)(uintptr_t)fit + offset, bytes };

	memset(&bundle, 0, sizeof(bundle));
	bundle_read(&where, &bundle);
}

static void read_bytes(u64 bytes)
{
	read_at(0, bytes);
}

static void expect(struct recipe recipe, const char *text)
{
	u64 bytes = bundle_make(&recipe);

	assert_refused(read_bytes(bytes), text);
}

static void test_reads(void **state)
{
	u64 bytes = bundle_make(&good);

	(void)state;
	assert_int_equal(FIX_RUN(read_bytes(bytes)), FIX_DONE);
	assert_int_equal(bundle.kernel_bytes, KERNEL_BYTES);
	assert_int_equal(bundle.image_bytes, 65536);
	assert_int_equal(bundle.initrd.bytes, INITRD_BYTES);
	assert_int_equal(*(u8 *)(uintptr_t)bundle.initrd.base, 0x5a);
	assert_string_equal(bundle.bootargs, "console=ttyAMA0");
}

static void test_optional_parts(void **state)
{
	struct recipe recipe = good;
	u64 bytes;

	(void)state;
	recipe.ramdisk_name = NULL;
	recipe.bootargs = NULL;
	recipe.compression = NULL;
	bytes = bundle_make(&recipe);
	/* An initrd's room may be larger than the bundle. */
	assert_int_equal(FIX_RUN(read_bytes(bytes + 100)), FIX_DONE);
	assert_int_equal(bundle.initrd.bytes, 0);
	assert_string_equal(bundle.bootargs, "");
}

static void test_refusals(void **state)
{
	struct recipe r;

	(void)state;
	r = good, r.default_name = NULL, expect(r, "no default configuration");
	r = good, r.default_name = "conf-2", expect(r, "no default configuration");
	r = good, r.kernel_name = NULL, expect(r, "no kernel");
	r = good, r.kernel_name = "kernel-2", expect(r, "no kernel");
	r = good, r.ramdisk_name = "ramdisk-2", expect(r, "no initrd");
	r = good, r.compression = "gzip", expect(r, "compressed");
	r = good, r.kernel_bytes = 0, expect(r, "has no data");
	r = good, r.is_initrd_empty = true, expect(r, "the initrd has no data");
	r = good, r.kernel_bytes = 63, expect(r, "too short");
	r = good, r.magic++, expect(r, "not an arm64 Image");
	r = good, r.flags = 0xb, expect(r, "big endian");
	r = good, r.image_bytes = KERNEL_BYTES - 1, expect(r, "image size");
	r = good, r.image_bytes = (1ull << 30) + 1, expect(r, "image size");
	r = good, r.image_bytes = ~0ull, expect(r, "image size");
	r = good, r.text_offset = 2 << 20, expect(r, "text offset");
	r = good, r.text_offset = 2048, expect(r, "text offset");
	r = good, r.text_offset = ~0ull, expect(r, "text offset");
}

/* Not even a header: nothing behind it is read, for there is nothing. (libfdt comes compiled, so
 * the address sanitizer does not watch it.) */
static void read_short(void)
{
	static u8 *pages;
	u8 *last;

	if (pages == NULL) {
		pages = mmap(NULL, 2 * PAGE_SIZE, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		assert_ptr_not_equal(pages, MAP_FAILED);
		assert_int_equal(mprotect(pages + PAGE_SIZE, PAGE_SIZE, PROT_NONE), 0);
	}
	last = pages + PAGE_SIZE - 16;
	memcpy(last, fit, 16);
	bundle_read(&(struct boot_range){ (u64)(uintptr_t)last, 16 }, &bundle);
}

/* A name without an end goes on in what follows. */
static void test_string_without_end(void **state)
{
	int node;
	u64 bytes = bundle_make(&good);

	(void)state;
	node = fdt_path_offset(fit, "/configurations/conf-1");
	assert_int_equal(fdt_setprop(fit, node, "kernel", "kernel-1", 8), 0);
	assert_refused(read_bytes(bytes), "no kernel");
}

static void test_outer_frame(void **state)
{
	u64 bytes = bundle_make(&good);

	(void)state;
	assert_refused(read_bytes(bytes - 1), "not a bundle");
	assert_refused(read_bytes(10), "not a bundle");
	assert_refused(read_short(), "not a bundle");
	fit[0] ^= 1;
	assert_refused(read_bytes(bytes), "not a bundle");
	fit[0] ^= 1;
	assert_refused(read_at(4, bytes), "not a bundle");
	/* Trees of versions before 16 name nodes by their path; libfdt follows a null pointer. */
	bytes = bundle_make(&good);
	fdt_set_version(fit, 7);
	fdt_set_last_comp_version(fit, 0);
	assert_refused(read_bytes(bytes), "damaged");
}

/* Every byte of the frame may be wrong (the address sanitizer watches a copy of just the right
 * size). */
static void test_noise(void **state)
{
	u64 bytes = bundle_make(&good);
	u8 *exact = NULL;
	u32 accepted = 0;

	(void)state;
	for (u32 i = 0; i < 20000; i++) {
		struct boot_range where;

		bundle_make(&good);
		for (u64 n = fix_random() % 3 + 1; n > 0; n--) {
			fit[fix_random() % bytes] = (u8)fix_random();
		}
		free(exact);
		exact = aligned_alloc(8, align_up(bytes, 8));
		memcpy(exact, fit, bytes);
		where = (struct boot_range){ (u64)(uintptr_t)exact, bytes };
		memset(&bundle, 0, sizeof(bundle));
		if (FIX_RUN(bundle_read(&where, &bundle)) == FIX_DONE) {
			accepted++;
			assert_true((const u8 *)bundle.kernel >= exact);
			assert_true((const u8 *)bundle.kernel + bundle.kernel_bytes <=
				    exact + bytes);
			assert_true(bundle.initrd.base + bundle.initrd.bytes <= where.base + bytes);
		}
	}
	free(exact);
	/* Most noise falls into the payload. */
	assert_true(accepted > 1000 && accepted < 20000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reads),	 cmocka_unit_test(test_optional_parts),
		cmocka_unit_test(test_refusals), cmocka_unit_test(test_outer_frame),
		cmocka_unit_test(test_noise),	 cmocka_unit_test(test_string_without_end),
	};

	return cmocka_run_group_tests_name("bundle", tests, NULL, NULL);
}
