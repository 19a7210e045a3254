/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The guest loader's device-tree half, against libfdt: what it hands on must be a tree that libfdt
 * finds whole, with every PSCI node on "smc", /chosen as the image says and nothing else changed.
 * The copy is allocated to the byte, so that the address sanitiser sees every step outside of the
 * tree.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <libfdt.h>

#include "sealboot.h"
#include "sealboot_compare.h"

#define SAMPLE_BYTES 2048
#define MUTATIONS 100000

static _Alignas(8) uint8_t sample[SAMPLE_BYTES];
static _Alignas(8) uint8_t source[SEAL_DTB_BYTES_MAX];

static void put_psci(const char *name, const char *compatible, size_t bytes, const char *method)
{
	assert_int_equal(fdt_begin_node(sample, name), 0);
	if (method) {
		assert_int_equal(fdt_property_string(sample, "method", method), 0);
	}
	assert_int_equal(fdt_property(sample, "compatible", compatible, (int)bytes), 0);
	assert_int_equal(fdt_property_u32(sample, "cpu_on", 0xc4000003), 0);
	assert_int_equal(fdt_end_node(sample), 0);
}

/* What a VMM says there, and what a hostile one would. */
static void put_chosen(void)
{
	assert_int_equal(fdt_property_u64(sample, "linux,initrd-start", 0x48000000), 0);
	assert_int_equal(fdt_property_string(sample, "bootargs", "console=hvc0 method=hvc"), 0);
	assert_int_equal(fdt_property_string(sample, "stdout-path", "/pl011@9000000"), 0);
	assert_int_equal(fdt_property_u64(sample, "kaslr-seed", 0x1234567890abcdef), 0);
	assert_int_equal(fdt_property_u64(sample, "rng-seed", 0x1234567890abcdef), 0);
	assert_int_equal(fdt_property_u64(sample, "linux,uefi-system-table", 0x48000000), 0);
	assert_int_equal(fdt_property_u64(sample, "linux,initrd-end", 0x49000000), 0);
}

/* A string or a list of them, and its bytes. */
#define BYTES(string) string, sizeof(string)
#define PSCI_LIST BYTES("arm,psci-1.0\0arm,psci-0.2\0arm,psci")

/* A small tree in `sample`: begin, put what it is to have, end. */
static void begin_tree(void)
{
	assert_int_equal(fdt_create(sample, SAMPLE_BYTES), 0);
	assert_int_equal(fdt_finish_reservemap(sample), 0);
	assert_int_equal(fdt_begin_node(sample, ""), 0);
}

static uint32_t end_tree(void)
{
	assert_int_equal(fdt_end_node(sample), 0);
	assert_int_equal(fdt_finish(sample), 0);
	return fdt_totalsize(sample);
}

static void put_good_psci(void)
{
	put_psci("psci", PSCI_LIST, "hvc");
}

static void put_empty_chosen(void)
{
	assert_int_equal(fdt_begin_node(sample, "chosen"), 0);
	assert_int_equal(fdt_end_node(sample), 0);
}

/* A tree as a VMM makes it; psci_nodes of them speak of PSCI. Returns its size. */
static uint32_t make_tree(int psci_nodes, const char *method)
{
	assert_int_equal(fdt_create(sample, SAMPLE_BYTES), 0);
	assert_int_equal(fdt_add_reservemap_entry(sample, 0x48000000, 0x1000), 0);
	assert_int_equal(fdt_finish_reservemap(sample), 0);
	assert_int_equal(fdt_begin_node(sample, ""), 0);
	assert_int_equal(fdt_property_u32(sample, "#address-cells", 2), 0);
	assert_int_equal(fdt_property_string(sample, "compatible", "linux,dummy-virt"), 0);
	if (psci_nodes > 0) {
		put_psci("psci", PSCI_LIST, method);
	}
	assert_int_equal(fdt_begin_node(sample, "chosen"), 0);
	put_chosen();
	if (psci_nodes > 1) {
		put_psci("hidden", BYTES("arm,psci-0.2"), method);
	}
	assert_int_equal(fdt_end_node(sample), 0);
	assert_int_equal(fdt_begin_node(sample, "other"), 0);
	assert_int_equal(fdt_property_string(sample, "method", "hvc"), 0);
	assert_int_equal(fdt_begin_node(sample, "chosen"), 0); /* but not /chosen: stays */
	assert_int_equal(fdt_property_string(sample, "bootargs", "a node's own"), 0);
	assert_int_equal(fdt_end_node(sample), 0);
	assert_int_equal(fdt_end_node(sample), 0);
	return end_tree();
}

static const struct seal_chosen ours = { BYTES("ours=1"), 0x42000000, 0x42345678 };
static const struct seal_chosen nothing;

/*
 * Gives `bytes` of `dtb` to the loader. Returns what it made of it (malloc'ed), NULL when it
 * refused.
 */
static void *take_with(const void *dtb, uint32_t bytes, const struct seal_chosen *chosen)
{
	uint32_t total = fdt32_ld((const fdt32_t *)((const uint8_t *)dtb + 4));
	uint32_t copy_bytes = total <= SEAL_DTB_BYTES_MAX ? (total + 3) & ~3u : 40;
	uint8_t *copy = malloc(copy_bytes < 40 ? 40 : copy_bytes);
	static _Alignas(8) uint8_t room[SEAL_DTB_BYTES_MAX];
	uint32_t taken;

	memset(source, 0xa5, total <= sizeof(source) ? total : sizeof(source));
	memcpy(source, dtb, bytes);
	taken = seal_take_dtb(source, copy, room, chosen);
	free(copy);
	if (taken == 0) {
		return NULL;
	}
	assert_int_equal(taken, fdt_totalsize(room));
	assert_int_equal(fdt_check_full(room, taken), 0);
	if (fdt_check_full(source, total) == 0) {
		const char *differs = trees_differ(source, room, chosen);

		if (differs) {
			fail_msg("%s", differs);
		}
	}
	return memcpy(malloc(taken), room, taken);
}

static void *take(const void *dtb, uint32_t bytes)
{
	return take_with(dtb, bytes, &ours);
}

static void must_refuse(const void *dtb, uint32_t bytes)
{
	void *taken = take(dtb, bytes);

	assert_null(taken);
}

/* Every node that Linux would take for PSCI says smc. */
static int count_smc_nodes(const void *dtb)
{
	static const char *const versions[] = { "arm,psci", "arm,psci-0.2", "arm,psci-1.0" };
	int node, count = 0;
	size_t i;

	for (node = fdt_next_node(dtb, -1, NULL); node >= 0;
	     node = fdt_next_node(dtb, node, NULL)) {
		bool is_psci = false;

		for (i = 0; i < 3; i++) {
			is_psci = is_psci || fdt_node_check_compatible(dtb, node, versions[i]) == 0;
		}
		if (is_psci) {
			int bytes;
			const char *method = fdt_getprop(dtb, node, "method", &bytes);

			assert_non_null(method);
			assert_int_equal(bytes, 4);
			assert_memory_equal(method, "smc", 4);
			count++;
		}
	}
	return count;
}

/* It is taken, with so many nodes of PSCI. Returns what the loader made of it; to free. */
static void *must_take(uint32_t bytes, int psci_nodes)
{
	void *taken = take(sample, bytes);

	assert_non_null(taken);
	assert_int_equal(count_smc_nodes(taken), psci_nodes);
	return taken;
}

static void test_method_becomes_smc(void **state)
{
	void *taken = must_take(make_tree(1, "hvc"), 1);

	(void)state;
	assert_string_equal(fdt_getprop(taken, fdt_path_offset(taken, "/other"), "method", NULL),
			    "hvc");
	free(taken);
}

static void test_every_psci_node_is_mended(void **state)
{
	(void)state;
	free(must_take(make_tree(2, "hvc"), 2));
}

static void take_other_compatible(const char *compatible, size_t bytes, bool is_taken)
{
	void *taken;

	begin_tree();
	put_psci("psci", compatible, bytes, "hvc");
	put_empty_chosen();
	taken = take(sample, end_tree());
	if (is_taken) {
		assert_non_null(taken);
		assert_memory_equal(
			fdt_getprop(taken, fdt_path_offset(taken, "/psci"), "method", NULL), "smc",
			4);
	} else {
		assert_null(taken);
	}
	free(taken);
}

/* Linux compares without regard to case, and to where the property ends. */
static void test_compatible_is_read_as_linux_does(void **state)
{
	(void)state;
	take_other_compatible(BYTES("ARM,PSCI-0.2"), true);
	take_other_compatible(BYTES("qemu,platform\0Arm,psci-1.0"), true);
	take_other_compatible("arm,psci-1.0", sizeof("arm,psci-1.0") - 1, false);
	take_other_compatible(BYTES("arm,psci-1.00"), false);
	take_other_compatible(BYTES("arm,psci-"), false);
	take_other_compatible("", 0, false);
}

/* Of the old PSCI the tree would choose the numbers of the calls, and so call what it likes by SMC:
 * the realm services. */
static void test_psci_of_the_tree_s_numbers_is_refused(void **state)
{
	(void)state;
	take_other_compatible(BYTES("arm,psci"), false);
	take_other_compatible(BYTES("x\0Arm,PSCI"), false);
	take_other_compatible(BYTES("arm,psci\0arm,psci-1.0"), false);
	take_other_compatible(PSCI_LIST, true);
}

/* A tree with a node of its own, which has a property, and perhaps another of the same name. */
static bool is_property_taken(const char *name, const char *value, size_t bytes, const char *again)
{
	void *taken;

	begin_tree();
	put_good_psci();
	put_empty_chosen();
	assert_int_equal(fdt_begin_node(sample, "cpu@0"), 0);
	assert_int_equal(fdt_property(sample, name, value, (int)bytes), 0);
	if (again) {
		assert_int_equal(fdt_property_string(sample, name, again), 0);
	}
	assert_int_equal(fdt_end_node(sample), 0);
	taken = take(sample, end_tree());
	free(taken);
	return taken != NULL;
}

/* With a spin table the kernel would write where the tree says. */
static void test_cpus_start_by_psci_only(void **state)
{
	static const char name[] = "enable-method";

	(void)state;
	assert_true(is_property_taken(name, BYTES("psci"), NULL));
	assert_false(is_property_taken(name, BYTES("spin-table"), NULL));
	assert_false(is_property_taken(name, "psci", sizeof("psci") - 1, NULL));
	assert_false(is_property_taken(name, "", 0, NULL));
	assert_false(is_property_taken(name, BYTES("psci"), "spin-table"));
}

/* SCMI and the watchdog call what the tree says, by SMC. */
static void test_a_call_s_number_is_not_the_tree_s(void **state)
{
	(void)state;
	assert_true(is_property_taken("arm,smc-ids", "\xc4\0\x01\x96", 4, NULL));
	assert_false(is_property_taken("arm,smc-id", "\xc4\0\x01\x96", 4, NULL));
	assert_false(is_property_taken("arm,smc-id", "", 0, NULL));
}

static void test_smc_stays(void **state)
{
	(void)state;
	free(must_take(make_tree(1, "smc"), 1));
}

static void test_deleted_nodes_are_fine(void **state)
{
	uint32_t bytes = make_tree(1, "hvc");

	(void)state;
	assert_int_equal(fdt_nop_node(sample, fdt_path_offset(sample, "/other")), 0);
	assert_int_equal(fdt_nop_property(sample, fdt_path_offset(sample, "/chosen"), "bootargs"),
			 0);
	free(must_take(bytes, 1));
}

static const char *chosen_string(const void *dtb, const char *name)
{
	return fdt_getprop(dtb, fdt_path_offset(dtb, "/chosen"), name, NULL);
}

static void test_chosen_is_the_image_s(void **state)
{
	void *taken = must_take(make_tree(2, "hvc"), 2);

	(void)state;
	assert_string_equal(chosen_string(taken, "bootargs"), "ours=1");
	assert_int_equal(fdt64_ld(fdt_getprop(taken, fdt_path_offset(taken, "/chosen"),
					      "linux,initrd-start", NULL)),
			 0x42000000);
	assert_int_equal(fdt64_ld(fdt_getprop(taken, fdt_path_offset(taken, "/chosen"),
					      "linux,initrd-end", NULL)),
			 0x42345678);
	assert_string_equal(chosen_string(taken, "stdout-path"), "/pl011@9000000");
	assert_non_null(chosen_string(taken, "kaslr-seed"));
	assert_null(chosen_string(taken, "rng-seed"));
	assert_null(chosen_string(taken, "linux,uefi-system-table"));
	free(taken);
}

/* An image without initrd and command line has none, whatever the VMM says. */
static void test_chosen_takes_nothing_from_the_vmm(void **state)
{
	void *taken = take_with(sample, make_tree(1, "hvc"), &nothing);

	(void)state;
	assert_non_null(taken);
	assert_null(chosen_string(taken, "bootargs"));
	assert_null(chosen_string(taken, "linux,initrd-start"));
	assert_null(chosen_string(taken, "linux,initrd-end"));
	free(taken);
}

/* Trees whose root has these subnodes, beside a good /psci. */
static bool is_taken_with(const char *first, const char *second)
{
	const char *const names[] = { first, second };
	void *taken;
	int i;

	begin_tree();
	put_good_psci();
	for (i = 0; i < 2; i++) {
		assert_int_equal(fdt_begin_node(sample, names[i]), 0);
		put_chosen();
		assert_int_equal(fdt_end_node(sample), 0);
	}
	taken = take(sample, end_tree());
	free(taken);
	return taken != NULL;
}

static void test_one_chosen_only(void **state)
{
	(void)state;
	assert_true(is_taken_with("chosen", "other"));
	assert_true(is_taken_with("chose", "chosen"));
	assert_true(is_taken_with("chosen", "chosen2"));
	assert_false(is_taken_with("chosen", "chosen"));
	assert_false(is_taken_with("chosen", "chosen@0"));
	assert_false(is_taken_with("chosen@0", "other"));
	assert_false(is_taken_with("chose", "other"));
}

/* Nodes by which Linux lets a tree hand out memory, the kernel's own too (/reserved-memory), or
 * takes tables of EFI from elsewhere than /chosen (/hypervisor/uefi, for Xen). */
static void test_nodes_over_the_kernel_s_memory_are_refused(void **state)
{
	(void)state;
	assert_true(is_taken_with("chosen", "memory@40000000"));
	assert_false(is_taken_with("chosen", "reserved-memory"));
	assert_false(is_taken_with("reserved-memory@0", "chosen"));
	assert_false(is_taken_with("chosen", "hypervisor"));
	assert_false(is_taken_with("hypervisor@0", "chosen"));
}

/* A tree with a device that is compatible with this, and has a subnode. Returns what the loader
 * made of it; to free. */
static void *take_device(const char *compatible, size_t bytes)
{
	begin_tree();
	assert_int_equal(fdt_begin_node(sample, "device"), 0);
	assert_int_equal(fdt_property_u64(sample, "reg", 0x41000000), 0);
	assert_int_equal(fdt_property(sample, "compatible", compatible, (int)bytes), 0);
	assert_int_equal(fdt_property_u64(sample, "ecc-size", 16), 0);
	put_good_psci();
	assert_int_equal(fdt_end_node(sample), 0);
	put_good_psci();
	put_empty_chosen();
	return take(sample, end_tree());
}

static bool is_device_left(const char *compatible, size_t bytes)
{
	void *taken = take_device(compatible, bytes);
	int device, left;

	assert_non_null(taken);
	device = fdt_path_offset(taken, "/device");
	left = count_smc_nodes(taken);
	assert_int_equal(left, device >= 0 ? 2 : 1);
	assert_true(fdt_path_offset(taken, "/chosen") > 0);
	free(taken);
	return device >= 0;
}

/* A driver of the guest's that takes RAM for its device, because the tree says so, must not be
 * found: what is not known goes, and what is below it. */
static void test_unknown_devices_are_left_out(void **state)
{
	(void)state;
	assert_true(is_device_left(BYTES("virtio,mmio")));
	assert_true(is_device_left(BYTES("arm,pl011\0arm,primecell")));
	assert_true(is_device_left(BYTES("arm,cortex-a57")));
	assert_false(is_device_left(BYTES("ramoops")));
	assert_false(is_device_left(BYTES("arm,pl011\0ramoops")));
	assert_false(is_device_left(BYTES("ramoops\0virtio,mmio")));
	assert_false(is_device_left(BYTES("virtio,mmio\0")));
	assert_false(is_device_left(BYTES("arm,cortex")));
	assert_false(is_device_left(BYTES("simple-framebuffer")));
}

/* The only node of PSCI lies in one that is left out, or the whole tree does. */
static void test_what_is_left_out_does_not_count(void **state)
{
	(void)state;
	for (int is_root = 0; is_root < 2; is_root++) {
		begin_tree();
		if (is_root) {
			assert_int_equal(fdt_property_string(sample, "compatible", "ramoops"), 0);
		}
		assert_int_equal(fdt_begin_node(sample, "device"), 0);
		if (!is_root) {
			assert_int_equal(fdt_property_string(sample, "compatible", "ramoops"), 0);
		}
		put_good_psci();
		assert_int_equal(fdt_end_node(sample), 0);
		put_empty_chosen();
		must_refuse(sample, end_tree());
	}
}

/* A tree that fills the room already leaves none for what is ours. */
static void test_room_is_not_left(void **state)
{
	static _Alignas(8) uint8_t large[SEAL_DTB_BYTES_MAX];
	static uint8_t filler[SEAL_DTB_BYTES_MAX];
	static const char cmdline[200] = "longer than what it replaces";
	static const struct seal_chosen chosen = { cmdline, sizeof(cmdline), 0, 0 };
	uint32_t taken = 0, refused = 0, bytes, spare;

	(void)state;
	bytes = make_tree(1, "hvc");
	for (spare = 0; spare < 256; spare += 4) {
		uint32_t fill = SEAL_DTB_BYTES_MAX - bytes - 32 - spare;
		void *made;

		assert_int_equal(fdt_open_into(sample, large, SEAL_DTB_BYTES_MAX), 0);
		assert_int_equal(fdt_setprop(large, fdt_path_offset(large, "/other"), "filler",
					     filler, (int)fill),
				 0);
		made = take_with(large, SEAL_DTB_BYTES_MAX, &chosen);
		taken += made != NULL;
		refused += made == NULL;
		free(made);
	}
	assert_true(taken > 0 && refused > 0);
}

static void test_no_psci_is_refused(void **state)
{
	(void)state;
	must_refuse(sample, make_tree(0, "hvc"));
}

static void test_unknown_method_is_refused(void **state)
{
	(void)state;
	must_refuse(sample, make_tree(1, "spin-table"));
	must_refuse(sample, make_tree(1, "hv"));
	must_refuse(sample, make_tree(1, ""));
	must_refuse(sample, make_tree(1, NULL));
}

static void test_unaligned_source_is_refused(void **state)
{
	uint32_t copy[10], room[10];

	(void)state;
	make_tree(1, "hvc");
	memcpy(source, sample, SAMPLE_BYTES);
	assert_int_equal(seal_take_dtb(source + 4, copy, room, &ours), 0);
}

static void set_header(uint32_t index, uint32_t value)
{
	fdt32_st(sample + 4 * index, value);
}

static void test_each_header_field_is_checked(void **state)
{
	static const uint32_t bad[] = {
		0, 1, 39, 41, 0x7fffffff, 0x80000000, 0xfffffffc, 0xffffffff
	};
	/* magic, total, struct, strings, reserved, last compatible, strings bytes, struct bytes */
	static const uint32_t fields[] = { 0, 1, 2, 3, 4, 6, 8, 9 };
	uint32_t bytes, f, i;

	(void)state;
	for (f = 0; f < sizeof(fields) / sizeof(fields[0]); f++) {
		for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
			bytes = make_tree(1, "hvc");
			if (fields[f] == 6 && bad[i] <= 17) {
				continue; /* old readers are fine */
			}
			set_header(fields[f], bad[i]);
			must_refuse(sample, bytes);
		}
	}
}

static void test_too_large_is_refused(void **state)
{
	uint32_t bytes = make_tree(1, "hvc");

	(void)state;
	set_header(1, SEAL_DTB_BYTES_MAX + 1);
	must_refuse(sample, bytes);
}

static void test_every_truncation_is_refused(void **state)
{
	uint32_t bytes = make_tree(1, "hvc"), cut;

	(void)state;
	for (cut = 0; cut < bytes; cut++) {
		set_header(1, cut);
		must_refuse(sample, bytes);
	}
}

static uint64_t random_u64(void)
{
	static uint64_t state = 20261120;
	uint64_t z = state += 0x9e3779b97f4a7c15ull;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ z >> 27) * 0x94d049bb133111ebull;
	return z ^ z >> 31;
}

/*
 * What any damage leaves is refused or whole: libfdt and the loader never disagree on an accepted
 * tree.
 */
static void test_damaged_trees(void **state)
{
	uint32_t accepted = 0, i, n;

	(void)state;
	for (i = 0; i < MUTATIONS; i++) {
		uint32_t bytes = make_tree(1 + (int)(i & 1), "hvc");
		void *taken;

		for (n = 1 + (uint32_t)(random_u64() % 3); n > 0; n--) {
			uint64_t r = random_u64();
			uint32_t at = (uint32_t)(r >> 8) % bytes;

			if (r & 1) {
				sample[at] = (uint8_t)(r >> 40);
			} else {
				fdt32_st(sample + (at & ~3u), (uint32_t)(r >> 40) % 12);
			}
		}
		taken = take(sample, bytes);
		if (taken) {
			assert_true(count_smc_nodes(taken) > 0);
			free(taken);
			accepted++;
		}
	}
	assert_true(accepted > MUTATIONS / 100);
	assert_true(accepted < MUTATIONS);
}

static void test_slots_lead_to_the_parts(void **state)
{
	uint8_t *image = aligned_alloc(8, 4096 + 2 * SEAL_DTB_BYTES_MAX);
	struct seal_slots *slots = (struct seal_slots *)(image + SEAL_AT_SLOTS);
	const void *chosen, *dtb = image + 4096;
	uint32_t taken;

	(void)state;
	make_tree(1, "hvc");
	memcpy(source, sample, SAMPLE_BYTES);
	memcpy(image + 1024, "from=slot", 10);
	*slots = (struct seal_slots){ .dtb = 4096,
				      .initrd = 2048,
				      .initrd_bytes = 77,
				      .cmdline = 1024,
				      .cmdline_bytes = 10 };
	taken = seal_hand_over(source, image);
	assert_int_equal(taken, fdt_totalsize(dtb));
	assert_string_equal(chosen_string(dtb, "bootargs"), "from=slot");
	chosen = chosen_string(dtb, "linux,initrd-start");
	assert_int_equal(fdt64_ld(chosen), (uintptr_t)image + 2048);
	chosen = chosen_string(dtb, "linux,initrd-end");
	assert_int_equal(fdt64_ld(chosen), (uintptr_t)image + 2048 + 77);
	slots->dtb = 0;
	assert_int_equal(seal_hand_over(source, image), 0);
	free(image);
}

static void put_stub(uint8_t *at, uint64_t dtb, uint64_t entry)
{
	static const uint32_t words[] = { 0x580000c0, 0xaa1f03e1, 0xaa1f03e2,
					  0xaa1f03e3, 0x58000084, 0xd61f0080 };

	memcpy(at, words, sizeof(words));
	memcpy(at + 24, &dtb, 8);
	memcpy(at + 32, &entry, 8);
}

static void test_dtb_is_found_in_the_stub(void **state)
{
	uint8_t *ram = aligned_alloc(8, (2u << 20) + 64);
	uint8_t *image = ram + (2u << 20);

	(void)state;
	put_stub(ram, 0x48000000, (uintptr_t)image);
	assert_ptr_equal(seal_find_dtb(image), (void *)0x48000000);
	put_stub(ram, 0x48000000, (uintptr_t)image + 4);
	assert_null(seal_find_dtb(image));
	put_stub(ram, 0x48000000, (uintptr_t)image);
	ram[20] ^= 1;
	assert_null(seal_find_dtb(image));
	free(ram);
}

/* How many nodes a whole board's tree loses (test/system/sealboot.py has some from QEMU); -1: all.
 */
static int lost_of_board(const char *path)
{
	static _Alignas(8) uint8_t board[SEAL_DTB_BYTES_MAX];
	FILE *file = fopen(path, "rb");
	size_t bytes = file ? fread(board, 1, sizeof(board), file) : 0;
	void *taken = bytes > 0 ? take(board, fdt_totalsize(board)) : NULL;
	int node, depth = 0, lost = taken ? 0 : -1;

	if (file) {
		fclose(file);
	}
	for (node = 0; taken && node >= 0; node = fdt_next_node(board, node, &depth)) {
		if (is_left_out(board, node)) {
			printf("left out: %s\n", fdt_get_name(board, node, NULL));
			lost++;
		}
	}
	free(taken);
	return lost;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_method_becomes_smc),
		cmocka_unit_test(test_every_psci_node_is_mended),
		cmocka_unit_test(test_compatible_is_read_as_linux_does),
		cmocka_unit_test(test_psci_of_the_tree_s_numbers_is_refused),
		cmocka_unit_test(test_cpus_start_by_psci_only),
		cmocka_unit_test(test_a_call_s_number_is_not_the_tree_s),
		cmocka_unit_test(test_smc_stays),
		cmocka_unit_test(test_deleted_nodes_are_fine),
		cmocka_unit_test(test_chosen_is_the_image_s),
		cmocka_unit_test(test_chosen_takes_nothing_from_the_vmm),
		cmocka_unit_test(test_one_chosen_only),
		cmocka_unit_test(test_nodes_over_the_kernel_s_memory_are_refused),
		cmocka_unit_test(test_unknown_devices_are_left_out),
		cmocka_unit_test(test_what_is_left_out_does_not_count),
		cmocka_unit_test(test_room_is_not_left),
		cmocka_unit_test(test_slots_lead_to_the_parts),
		cmocka_unit_test(test_no_psci_is_refused),
		cmocka_unit_test(test_unknown_method_is_refused),
		cmocka_unit_test(test_unaligned_source_is_refused),
		cmocka_unit_test(test_each_header_field_is_checked),
		cmocka_unit_test(test_too_large_is_refused),
		cmocka_unit_test(test_every_truncation_is_refused),
		cmocka_unit_test(test_damaged_trees),
		cmocka_unit_test(test_dtb_is_found_in_the_stub),
	};

	if (argc > 1) {
		return lost_of_board(argv[1]) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
