/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The manifest's reader alone: what is right is read, and each thing that is wrong is refused for
 * itself, in a manifest that is otherwise right. (In test_mem_image.c a wrong manifest may be
 * refused for more than one reason.)
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

#include <cv/manifest.h>
#include <libfdt.h>

#define ROOM 4096
#define GPA(page) (0x40000000ull + (page)*PAGE_SIZE)
#define LIMIT (GFN_LIMIT << PAGE_SHIFT)

/* How many bytes of its 8 or 4 a property has; images and parameters, each with its own range. */
struct recipe {
	const char *compatible;
	int entry_bytes, vcpus_bytes, hash_bytes, reg_bytes;
	u32 vcpus;
	u32 image_count, parameter_count;
	u64 entry;
	u64 image[8][2];
	u64 parameter[8][2];
};

static const struct recipe good = {
	.compatible = "ravelin,manifest-1",
	.entry_bytes = 8,
	.vcpus_bytes = 4,
	.hash_bytes = 32,
	.reg_bytes = 16,
	.vcpus = 3,
	.image_count = 2,
	.parameter_count = 1,
	.entry = GPA(0) + 64,
	.image = { { GPA(0), 5000 },
		   { GPA(4), 1 },
		   { GPA(8), 1 },
		   { GPA(9), 1 },
		   { GPA(10), 1 },
		   { GPA(11), 1 } },
	.parameter = { { GPA(20), 100 },
		       { GPA(21), 1 },
		       { GPA(22), 1 },
		       { GPA(23), 1 },
		       { GPA(24), 1 },
		       { GPA(25), 1 },
		       { GPA(26), 1 },
		       { GPA(27), 1 } },
};

static _Alignas(8) u8 blob[ROOM];
static struct manifest manifest;

static void put_number(const char *name, u64 value, int bytes)
{
	u8 cells[16] = { 0 };

	for (int i = 0; i < bytes && i < 8; i++) {
		cells[bytes - 1 - i] = (u8)(value >> 8 * i);
	}
	assert_int_equal(fdt_property(blob, name, cells, bytes), 0);
}

static void put_range(const u64 range[2], int bytes)
{
	const fdt64_t cells[3] = { cpu_to_fdt64(range[0]), cpu_to_fdt64(range[1]) };

	assert_int_equal(fdt_property(blob, "reg", cells, bytes), 0);
}

static u64 make(const struct recipe *r)
{
	u8 hash[64];
	char name[] = "n0";

	memset(hash, 0x77, sizeof(hash));
	memset(blob, 0, sizeof(blob));
	fdt_create(blob, ROOM);
	fdt_finish_reservemap(blob);
	fdt_begin_node(blob, "");
	fdt_property_string(blob, "compatible", r->compatible);
	put_number("entry", r->entry, r->entry_bytes);
	put_number("vcpus-max", r->vcpus, r->vcpus_bytes);
	fdt_begin_node(blob, "images");
	for (u32 i = 0; i < r->image_count; i++) {
		name[1] = (char)('0' + i);
		fdt_begin_node(blob, name);
		put_range(r->image[i], 16);
		assert_int_equal(fdt_property(blob, "sha256", hash, r->hash_bytes), 0);
		fdt_end_node(blob);
	}
	fdt_end_node(blob);
	fdt_begin_node(blob, "parameters");
	for (u32 i = 0; i < r->parameter_count; i++) {
		name[1] = (char)('0' + i);
		fdt_begin_node(blob, name);
		put_range(r->parameter[i], r->reg_bytes);
		fdt_end_node(blob);
	}
	fdt_end_node(blob);
	fdt_end_node(blob);
	assert_int_equal(fdt_finish(blob), 0);
	return fdt_totalsize(blob);
}

static bool reads(const struct recipe *r)
{
	u64 bytes = make(r);

	return manifest_read(blob, bytes, &manifest);
}

static void test_reads(void **state)
{
	struct recipe r = good;

	(void)state;
	assert_true(reads(&r));
	assert_int_equal(manifest.entry, GPA(0) + 64);
	assert_int_equal(manifest.vcpus_max, 3);
	assert_int_equal(manifest.image_count, 2);
	assert_int_equal(manifest.image[1].range.gpa, GPA(4));
	assert_int_equal(manifest.image[1].hash[31], 0x77);
	assert_int_equal(manifest.parameter_count, 1);
	assert_int_equal(manifest.parameter[0].bytes, 100);
	assert_false(manifest.may_be_saved);
	/* As many as there may be */
	r.image_count = RV_IMAGES_MAX;
	r.parameter_count = MANIFEST_PARAMETERS_MAX;
	assert_true(reads(&r));
	/* The last byte that a VM can have */
	r = good, r.parameter[0][0] = LIMIT - PAGE_SIZE, r.parameter[0][1] = PAGE_SIZE;
	assert_true(reads(&r));
}

#define REFUSED(change)                  \
	do {                             \
		struct recipe r = good;  \
		change;                  \
		assert_false(reads(&r)); \
	} while (0)

static void test_refusals(void **state)
{
	(void)state;
	REFUSED(r.compatible = "ravelin,manifest-2");
	REFUSED(r.entry_bytes = 4);
	REFUSED(r.entry_bytes = 12);
	REFUSED(r.vcpus = 0);
	REFUSED(r.vcpus = VM_VCPUS_MAX + 1);
	/* Also where an entry that was not read would do */
	REFUSED(r.image[0][0] = 0; r.entry = 0; r.vcpus = 0);
	REFUSED(r.vcpus_bytes = 8);
	REFUSED(r.vcpus_bytes = 0);
	REFUSED(r.hash_bytes = 31);
	REFUSED(r.hash_bytes = 33);
	REFUSED(r.reg_bytes = 8);
	REFUSED(r.reg_bytes = 24);
	REFUSED(r.image_count = 0);
	REFUSED(r.image_count = RV_IMAGES_MAX + 1);
	REFUSED(r.parameter_count = MANIFEST_PARAMETERS_MAX + 1);
}

static void test_ranges(void **state)
{
	(void)state;
	REFUSED(r.image[1][0]++);
	REFUSED(r.parameter[0][0]++);
	REFUSED(r.parameter[0][1] = 0);
	REFUSED(r.parameter[0][0] = LIMIT);
	REFUSED(r.parameter[0][0] = 2 * LIMIT);
	REFUSED(r.parameter[0][0] = LIMIT - PAGE_SIZE; r.parameter[0][1] = PAGE_SIZE + 1);
	REFUSED(r.parameter[0][1] = ~0ull);
	/* Images overlap, by bytes or in a page that both have; a parameter on an image */
	REFUSED(r.image[1][0] = GPA(0));
	REFUSED(r.image[1][0] = GPA(1));
	REFUSED(r.parameter[0][0] = GPA(1));
	REFUSED(r.parameter[0][0] = GPA(3); r.parameter[0][1] = PAGE_SIZE + 1);
	/* The entry */
	REFUSED(r.entry++);
	REFUSED(r.entry = GPA(0) + 5000);
	REFUSED(r.entry = GPA(0) - 4);
	REFUSED(r.entry = GPA(20));
}

static void test_frame(void **state)
{
	u64 bytes = make(&good);
	u8 *pages = mmap(NULL, 2 * PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			 -1, 0);

	(void)state;
	assert_true(manifest_read(blob, bytes, &manifest));
	assert_false(manifest_read(blob, bytes + 8, &manifest));
	assert_false(manifest_read(blob, bytes - 8, &manifest));
	blob[0] ^= 1;
	assert_false(manifest_read(blob, bytes, &manifest));
	/* A node after the root's end */
	make(&good);
	memset(&blob[fdt_off_dt_struct(blob) + fdt_size_dt_struct(blob) - 4], 0, 4);
	assert_false(manifest_read(blob, bytes, &manifest));
	make(&good);
	fdt_set_version(blob, 7);
	fdt_set_last_comp_version(blob, 0);
	assert_false(manifest_read(blob, bytes, &manifest));
	/* Less than a header: nothing behind it is read, for there is nothing. */
	assert_ptr_not_equal(pages, MAP_FAILED);
	assert_int_equal(mprotect(pages + PAGE_SIZE, PAGE_SIZE, PROT_NONE), 0);
	make(&good);
	memcpy(pages + PAGE_SIZE - 16, blob, 16);
	assert_false(manifest_read(pages + PAGE_SIZE - 16, 16, &manifest));
	munmap(pages, 2 * PAGE_SIZE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reads),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_ranges),
		cmocka_unit_test(test_frame),
	};

	return cmocka_run_group_tests_name("manifest", tests, NULL, NULL);
}
