/* SPDX-License-Identifier: BSD-3-Clause */
/* The loader's device tree: what is read of it, and what the host's becomes. */
#include "boot_fixture.h"

#include <cv/boot.h>
#include <libfdt.h>
#include <stdlib.h>
#include <string.h>

#define ROOM 16384
#define GICR_BYTES 0xf60000ull

static _Alignas(8) u8 tree[ROOM];
static _Alignas(8) u8 out[2 * ROOM];
static struct machine m;

static void cells(const char *name, u32 count, const u32 *values)
{
	fdt32_t be[24];

	for (u32 i = 0; i < count; i++) {
		be[i] = cpu_to_fdt32(values[i]);
	}
	assert_int_equal(fdt_property(tree, name, be, (int)(count * 4)), 0);
}
#define CELLS(name, ...) \
	cells(name, sizeof((u32[]){ __VA_ARGS__ }) / sizeof(u32), (const u32[]){ __VA_ARGS__ })

/* The memory nodes' status; NULL: none */
static const char *memory_status;

static void memory_node(const char *name, u32 base_high, u32 base, u32 bytes)
{
	fdt_begin_node(tree, name);
	fdt_property_string(tree, "device_type", "memory");
	if (memory_status != NULL) {
		fdt_property_string(tree, "status", memory_status);
	}
	CELLS("reg", base_high, base, 0, bytes);
	fdt_end_node(tree);
}

/* One node, two ranges */
static void reserved_nodes(void)
{
	fdt_begin_node(tree, "reserved-memory");
	CELLS("#address-cells", 2);
	CELLS("#size-cells", 2);
	fdt_property(tree, "ranges", NULL, 0);
	fdt_begin_node(tree, "firmware@4a000000");
	CELLS("reg", 0, 0x4a000000, 0, 0x3000, 0, 0x4b000000, 0, 0x1000);
	fdt_end_node(tree);
	fdt_end_node(tree);
}

/* Of /cpus; with any but 1 and 0, reg is long enough for everything. */
static u32 address_cells = 1;
static u32 size_cells = 0;

static void cpu_node(const char *name, u32 affinity)
{
	fdt_begin_node(tree, name);
	fdt_property_string(tree, "device_type", "cpu");
	if (address_cells == 1 && size_cells == 0) {
		CELLS("reg", affinity);
	} else {
		CELLS("reg", 0, 0, 0, 0, 0, 0);
	}
	fdt_end_node(tree);
}

static void device_node(const char *name, const char *compatible, u32 base, u32 bytes)
{
	fdt_begin_node(tree, name);
	fdt_property_string(tree, "compatible", compatible);
	CELLS("reg", 0, base, 0, bytes);
	fdt_end_node(tree);
}

/* How many nodes of a kind there are beside the usual ones */
static struct {
	u32 memories, cpus, devices, reservations;
} more;

static void more_nodes(u32 count, void (*make)(const char *name, u32 i))
{
	for (u32 i = 0; i < count; i++) {
		char name[] = "n@00";

		name[2] = (char)('0' + i / 10);
		name[3] = (char)('0' + i % 10);
		make(name, i);
	}
}

static void more_memory(const char *name, u32 i)
{
	memory_node(name, 1, i * 0x2000000, 0x1000000);
}

static void more_cpu(const char *name, u32 i)
{
	cpu_node(name, 0x200 + i);
}

static void more_device(const char *name, u32 i)
{
	device_node(name, "arm,smmu-v3", 0xa000000 + i * 0x20000, 0x20000);
}

static void special_nodes(const char *method)
{
	fdt_begin_node(tree, "intc@8000000");
	fdt_property_string(tree, "compatible", "arm,gic-v3");
	CELLS("reg", 0, 0x8000000, 0, 0x10000, 0, 0x80a0000, 0, GICR_BYTES);
	fdt_end_node(tree);
	fdt_begin_node(tree, "timer");
	fdt_property_string(tree, "compatible", "arm,armv8-timer");
	CELLS("interrupts", 1, 13, 4, 1, 14, 4, 1, 11, 4, 1, 10, 4);
	fdt_end_node(tree);
	fdt_begin_node(tree, "psci");
	fdt_property_string(tree, "method", method);
	fdt_end_node(tree);
	fdt_begin_node(tree, "pcie@10000000");
	CELLS("iommu-map", 0, 1, 0, 0x10000);
	fdt_end_node(tree);
	device_node("fw-cfg@9020000", "qemu,fw-cfg-mmio", 0x9020000, 0x18);
	device_node("smmuv3@9050000", "arm,smmu-v3", 0x9050000, 0x20000);
}

/* A third bank of 1 GiB, if not 0 */
static u64 high_ram;

static u32 seed_bytes = 40;

static void tree_make(const char *method)
{
	static const u8 seed[BOOT_SEED_MAX + 1] = { 1, 2, 3 };

	memset(tree, 0, sizeof(tree));
	fdt_create(tree, ROOM);
	fdt_add_reservemap_entry(tree, 0x48000000, 0x1000);
	for (u32 i = 0; i < more.reservations; i++) {
		fdt_add_reservemap_entry(tree, 0x49000000 + i * 0x2000, 0x1000);
	}
	fdt_finish_reservemap(tree);
	fdt_begin_node(tree, "");
	CELLS("#address-cells", 2);
	CELLS("#size-cells", 2);
	memory_node("memory@80000000", 0, 0x80000000, 0x40000000);
	memory_node("memory@40000000", 0, 0x40000000, 0x20000000);
	if (high_ram > 0) {
		memory_node("memory@10000000000", high_ram >> 32, (u32)high_ram, 0x40000000);
	}
	more_nodes(more.memories, more_memory);
	fdt_begin_node(tree, "cpus");
	CELLS("#address-cells", address_cells);
	CELLS("#size-cells", size_cells);
	cpu_node("cpu@0", 0);
	cpu_node("cpu@100", 0x100);
	more_nodes(more.cpus, more_cpu);
	fdt_end_node(tree);
	special_nodes(method);
	reserved_nodes();
	more_nodes(more.devices, more_device);
	fdt_begin_node(tree, "chosen");
	CELLS("linux,initrd-start", 0x50000000);
	CELLS("linux,initrd-end", 0x51000000);
	fdt_property(tree, "rng-seed", seed, (int)seed_bytes);
	fdt_property_u64(tree, "kaslr-seed", 77);
	fdt_property_string(tree, "bootargs", "from-the-loader");
	fdt_end_node(tree);
	fdt_end_node(tree);
	assert_int_equal(fdt_finish(tree), 0);
}

static void read_tree(void)
{
	memset(&m, 0, sizeof(m));
	boot_fdt_read(tree, &m);
}

static void assert_taken(u64 base, u64 bytes)
{
	for (u32 i = 0; i < m.taken_count; i++) {
		if (m.taken[i].base == base && m.taken[i].bytes == bytes) {
			return;
		}
	}
	fail_msg("0x%lx is not taken", (unsigned long)base);
}

static void test_reads(void **state)
{
	(void)state;
	tree_make("smc");
	assert_int_equal(FIX_RUN(read_tree()), FIX_DONE);
	/* Sorted. */
	assert_int_equal(m.ram_count, 2);
	assert_int_equal(m.ram[0].base.v, 0x40000000);
	assert_int_equal(m.ram[1].base.v, 0x80000000);
	assert_int_equal(m.ram[0].pages, 0x20000000 / PAGE_SIZE);
	assert_int_equal(m.cpu_count, 2);
	assert_int_equal(m.affinity[1], 0x100);
	assert_int_equal(m.gicr_count, 1);
	assert_int_equal(m.gicr[0].base, 0x80a0000);
	assert_int_equal(m.hidden_count, 2);
	assert_int_equal(m.hidden[0].bytes, PAGE_SIZE);
	assert_int_equal(m.hidden[1].bytes, 0x20000);
	assert_int_equal(align_down(m.config.base, PAGE_SIZE), m.hidden[0].base);
	assert_int_not_equal(m.config.bytes, 0);
	assert_int_equal(m.bundle.bytes, 0x1000000);
	assert_int_equal(m.seed_bytes, 40);
	assert_true(m.has_kaslr_seed);
	assert_string_equal(m.bootargs, "from-the-loader");
	assert_taken(0x48000000, 0x1000);
	assert_taken(0x4a000000, 0x3000);
	assert_taken(0x4b000000, 0x1000);
	assert_taken((u64)(uintptr_t)tree, fdt_totalsize(tree));
	assert_taken(0x50000000, 0x1000000);
}

/* The ledger counts whole pages; a range that wraps is none. */
static void test_odd_ram(void **state)
{
	(void)state;
	high_ram = 0x100000800;
	tree_make("smc");
	assert_int_equal(FIX_RUN(read_tree()), FIX_DONE);
	assert_int_equal(m.ram[2].base.v, 0x100001000);
	assert_int_equal(m.ram[2].pages, 0x40000000 / PAGE_SIZE - 1);
	high_ram = ~0ull - 0xfff;
	tree_make("smc");
	assert_int_equal(FIX_RUN(read_tree()), FIX_DONE);
	assert_int_equal(m.ram_count, 2);
	high_ram = 0;
}

static void test_long_seed(void **state)
{
	(void)state;
	seed_bytes = BOOT_SEED_MAX + 1;
	tree_make("smc");
	seed_bytes = 40;
	assert_int_equal(FIX_RUN(read_tree()), FIX_DONE);
	assert_int_equal(m.seed_bytes, BOOT_SEED_MAX);
}

static void test_holes(void **state)
{
	(void)state;
	memset(&m, 0, sizeof(m));
	m.ram[0] = (struct ledger_region){ .base = pa_make(0x40000000), .pages = 0x10 };
	m.ram[1] = (struct ledger_region){ .base = pa_make(0x80000000), .pages = 0x100 };
	m.ram_count = 2;
	boot_take(&m, 0x40000000, 0x1000);
	boot_take(&m, 0x40004800, 0x100);
	assert_int_equal(boot_find_hole(&m, 0x3000, 0x1000), 0x40001000);
	assert_int_equal(boot_find_hole(&m, 0x1000, 0x1000), 0x40005000);
	assert_int_equal(boot_find_hole(&m, 0x2000, 0x8000), 0x40008000);
	assert_int_equal(boot_find_hole(&m, 0x10000, 0x1000), 0x80000000);
	assert_int_equal(boot_find_hole(&m, 0x100000, 0x1000), 0);
	assert_int_equal(boot_find_hole(&m, ~0ull, 0x1000), 0);
	assert_int_equal(boot_find_hole(&m, 0xf0000, 0x1000), 0x80010000);
}

static void wreck(const char *path, const char *property)
{
	tree_make("smc");
	assert_int_equal(fdt_nop_property(tree, fdt_path_offset(tree, path), property), 0);
}

static void test_refusals(void **state)
{
	(void)state;
	tree_make("hvc");
	assert_refused(read_tree(), "/psci");
	/* RAM that stage 2 cannot map: wholly, or only its end. */
	high_ram = 1ull << 40;
	tree_make("smc");
	assert_refused(read_tree(), "beyond 40 bits");
	high_ram = (1ull << 40) - 0x3ffff000;
	tree_make("smc");
	assert_refused(read_tree(), "beyond 40 bits");
	high_ram = 1ull << 41;
	tree_make("smc");
	assert_refused(read_tree(), "beyond 40 bits");
	high_ram = 0;
	/* A string that does not end is not that string. */
	tree_make("smc");
	assert_int_equal(fdt_setprop(tree, fdt_path_offset(tree, "/psci"), "method", "smc", 3), 0);
	assert_refused(read_tree(), "/psci");
	wreck("/chosen", "linux,initrd-end");
	assert_refused(read_tree(), "no bundle");
	tree_make("smc");
	fdt_setprop_inplace_u32(tree, fdt_path_offset(tree, "/chosen"), "linux,initrd-end",
				0x60000001);
	assert_refused(read_tree(), "not in RAM");
	wreck("/intc@8000000", "compatible");
	assert_refused(read_tree(), "no GICv3");
	wreck("/cpus/cpu@0", "reg");
	assert_refused(read_tree(), "the CPU that boots");
	tree_make("smc");
	tree[0] = 0;
	assert_refused(read_tree(), "does not point");
	tree_make("smc");
	fdt_set_totalsize(tree, (2 << 20) + 1);
	assert_refused(read_tree(), "bytes are more");
	/* A node after the root's end */
	tree_make("smc");
	memset(&tree[fdt_off_dt_struct(tree) + fdt_size_dt_struct(tree) - 4], 0, 4);
	assert_refused(read_tree(), "damaged");
}

/* The bundle's range, if the loader says so. */
static void read_with_bundle(u32 start, u32 end)
{
	int chosen;

	tree_make("smc");
	chosen = fdt_path_offset(tree, "/chosen");
	fdt_setprop_inplace_u32(tree, chosen, "linux,initrd-start", start);
	fdt_setprop_inplace_u32(tree, chosen, "linux,initrd-end", end);
	read_tree();
}

static void test_bundle_range(void **state)
{
	(void)state;
	assert_int_equal(FIX_RUN(read_with_bundle(0x5ffff000, 0x60000000)), FIX_DONE);
	assert_int_equal(FIX_RUN(read_with_bundle(0x80000000, 0xc0000000)), FIX_DONE);
	assert_refused(read_with_bundle(0x50000000, 0x50000000), "no bundle");
	assert_refused(read_with_bundle(0x50001000, 0x50000000), "no bundle");
	/* In no bank, before one, across the end of one */
	assert_refused(read_with_bundle(0x70000000, 0x71000000), "not in RAM");
	assert_refused(read_with_bundle(0x3ffff000, 0x40001000), "not in RAM");
	assert_refused(read_with_bundle(0x60000000, 0x60000001), "not in RAM");
	wreck("/chosen", "linux,initrd-start");
	assert_refused(read_tree(), "no bundle");
	/* Nor with what the last one said. */
	assert_int_equal(FIX_RUN(read_with_bundle(0x50000000, 0x51000000)), FIX_DONE);
	wreck("/chosen", "linux,initrd-end");
	assert_refused(read_tree(), "no bundle");
}

/* Each table of the machine takes what fits, and no more. */
static void test_table_sizes(void **state)
{
	(void)state;
	more.memories = LEDGER_REGIONS_MAX - 2;
	more.cpus = CPU_MAX - 2;
	more.devices = BOOT_HIDDEN_MAX - 2;
	more.reservations = BOOT_TAKEN_MAX - 5; /* beside three, the tree and the bundle */
	tree_make("smc");
	assert_int_equal(FIX_RUN(read_tree()), FIX_DONE);
	assert_int_equal(m.ram_count, LEDGER_REGIONS_MAX);
	assert_int_equal(m.cpu_count, CPU_MAX);
	assert_int_equal(m.hidden_count, BOOT_HIDDEN_MAX);
	assert_int_equal(m.taken_count, BOOT_TAKEN_MAX);
	more.memories++;
	tree_make("smc");
	assert_refused(read_tree(), "banks of RAM");
	more.memories = 0;
	more.cpus++;
	tree_make("smc");
	assert_refused(read_tree(), "CPUs");
	more.cpus = 0;
	more.devices++;
	tree_make("smc");
	assert_refused(read_tree(), "frames to hide");
	more.devices = 0;
	more.reservations++;
	tree_make("smc");
	assert_refused(read_tree(), "reservations");
	memset(&more, 0, sizeof(more));
}

static void read_with_status(const char *status)
{
	memory_status = status;
	tree_make("smc");
	memory_status = NULL;
	read_tree();
}

static void read_with_cells(u32 address, u32 size)
{
	address_cells = address;
	size_cells = size;
	tree_make("smc");
	address_cells = 1;
	size_cells = 0;
	read_tree();
}

static void test_cells(void **state)
{
	(void)state;
	assert_int_equal(FIX_RUN(read_with_cells(2, 2)), FIX_DONE);
	assert_refused(read_with_cells(0, 1), "the CPU that boots");
	assert_refused(read_with_cells(3, 0), "the CPU that boots");
	assert_refused(read_with_cells(1, 3), "the CPU that boots");
}

/* A number has one cell or two. */
static void read_with_start(const void *start, int bytes)
{
	tree_make("smc");
	assert_int_equal(fdt_open_into(tree, tree, ROOM), 0);
	assert_int_equal(fdt_setprop(tree, fdt_path_offset(tree, "/chosen"), "linux,initrd-start",
				     start, bytes),
			 0);
	read_tree();
}

static void test_numbers(void **state)
{
	static const u8 start[12] = { 0, 0, 0, 0, 0x50, 0, 0x10, 0 };
	static const u8 three[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0x50, 0, 0x10, 0 };

	(void)state;
	assert_int_equal(FIX_RUN(read_with_start(start, 8)), FIX_DONE);
	assert_int_equal(m.bundle.base, 0x50001000);
	assert_refused(read_with_start(three, 12), "no bundle");
	assert_refused(read_with_start(start, 7), "no bundle");
}

static void test_memory_status(void **state)
{
	(void)state;
	assert_int_equal(FIX_RUN(read_with_status("okay")), FIX_DONE);
	assert_int_equal(m.ram_count, 2);
	assert_int_equal(FIX_RUN(read_with_status("ok")), FIX_DONE);
	assert_int_equal(m.ram_count, 2);
	assert_refused(read_with_status("disabled"), "no memory node");
}

static struct host_fdt host_request(const u8 *seed)
{
	return (struct host_fdt){
		.image = { 0x40200000, 0x48000 },
		.core = { 0x40248000, 0x4a0000 },
		.info = { 0x406e8000, 0x8000 },
		.initrd = { 0x50000100, 0x1234 },
		.bootargs = { "from-the-bundle", "from-the-loader" },
		.seed = seed,
		.seed_bytes = 4,
		.kaslr_seed = 99,
	};
}

static const void *property(const char *path, const char *name, int bytes)
{
	int got;
	const void *value = fdt_getprop(out, fdt_path_offset(out, path), name, &got);

	assert_non_null(value);
	assert_int_equal(got, bytes);
	return value;
}

static void test_host_tree(void **state)
{
	static const u32 timer[] = { 1, 13, 4, 1, 14, 4, 1, 10, 4 };
	struct host_fdt host = host_request((const u8 *)"seed");
	const fdt32_t *got;
	int reserved;

	(void)state;
	tree_make("smc");
	assert_int_equal(FIX_RUN(read_tree()), FIX_DONE);
	assert_int_equal(FIX_RUN(host_fdt_write(out, sizeof(out), &m, &host)), FIX_DONE);
	assert_int_equal(fdt_check_full(out, sizeof(out)), 0);
	assert_true(fdt_node_offset_by_compatible(out, -1, "qemu,fw-cfg-mmio") < 0);
	assert_true(fdt_node_offset_by_compatible(out, -1, "arm,smmu-v3") < 0);
	assert_null(fdt_getprop(out, fdt_path_offset(out, "/pcie@10000000"), "iommu-map", NULL));
	got = property("/timer", "interrupts", sizeof(timer));
	for (u32 i = 0; i < ARRAY_SIZE(timer); i++) {
		assert_int_equal(fdt32_to_cpu(got[i]), timer[i]);
	}
	assert_memory_equal(property("/timer", "interrupt-names", 23), "sec-phys\0phys\0hyp-phys",
			    23);
	assert_string_equal(property("/chosen", "bootargs", 32), "from-the-bundle from-the-loader");
	assert_memory_equal(property("/chosen", "rng-seed", 4), "seed", 4);
	assert_int_equal(fdt64_ld(property("/chosen", "kaslr-seed", 8)), 99);
	assert_int_equal(fdt64_ld(property("/chosen", "linux,initrd-start", 8)), 0x50000100);
	assert_int_equal(fdt64_ld(property("/chosen", "linux,initrd-end", 8)), 0x50001334);
	reserved = fdt_path_offset(out, "/reserved-memory/corevisor@40248000");
	assert_non_null(fdt_getprop(out, reserved, "no-map", NULL));
	assert_int_equal(fdt64_ld(property("/reserved-memory/corevisor@40200000", "reg", 16)),
			 0x40200000);
	property("/reserved-memory/corevisor@406e8000", "no-map", 0);
	assert_int_equal(fdt64_ld(property("/ravelin@406e8000", "reg", 16)), 0x406e8000);
	assert_string_equal(property("/ravelin@406e8000", "compatible", 18), "ravelin,corevisor");
}

/* A timer node that cannot be edited safely: the host must not get the virtual timer. */
static void test_odd_timers(void **state)
{
	struct host_fdt host = host_request(NULL);
	static const u32 three[] = { 0x1000000, 0xd000000, 0x4000000, 0x1000000, 0xe000000,
				     0x4000000, 0x1000000, 0xb000000, 0x4000000 };

	(void)state;
	tree_make("smc");
	assert_int_equal(FIX_RUN(read_tree()), FIX_DONE);
	assert_int_equal(fdt_setprop(tree, fdt_path_offset(tree, "/timer"), "interrupts", three,
				     sizeof(three)),
			 0);
	assert_refused(host_fdt_write(out, sizeof(out), &m, &host), "too few interrupts");
	tree_make("smc");
	assert_int_equal(fdt_open_into(tree, tree, ROOM), 0);
	assert_int_equal(fdt_setprop_string(tree, fdt_path_offset(tree, "/timer"),
					    "interrupt-names", "phys"),
			 0);
	assert_refused(host_fdt_write(out, sizeof(out), &m, &host), "no timer node");
	wreck("/timer", "compatible");
	assert_refused(host_fdt_write(out, sizeof(out), &m, &host), "no timer node");
}

static void test_host_tree_without(void **state)
{
	struct host_fdt host = host_request(NULL);

	(void)state;
	host.initrd.bytes = 0;
	host.bootargs[1] = "";
	tree_make("smc");
	assert_int_equal(FIX_RUN(read_tree()), FIX_DONE);
	assert_int_equal(FIX_RUN(host_fdt_write(out, sizeof(out), &m, &host)), FIX_DONE);
	assert_null(fdt_getprop(out, fdt_path_offset(out, "/chosen"), "rng-seed", NULL));
	assert_null(fdt_getprop(out, fdt_path_offset(out, "/chosen"), "linux,initrd-start", NULL));
	assert_string_equal(property("/chosen", "bootargs", 16), "from-the-bundle");
	/* No room: refused, nothing written behind it. */
	assert_refused(host_fdt_write(out, fdt_totalsize(tree) + 8, &m, &host), "cannot write");
}

static void test_seeds_are_wiped(void **state)
{
	int bytes;
	const u8 *seed;

	(void)state;
	tree_make("smc");
	assert_int_equal(FIX_RUN(read_tree()), FIX_DONE);
	boot_fdt_wipe_seeds(&m);
	seed = fdt_getprop(tree, fdt_path_offset(tree, "/chosen"), "rng-seed", &bytes);
	for (int i = 0; i < bytes; i++) {
		assert_int_equal(seed[i], 0);
	}
	assert_int_equal(
		fdt64_ld(fdt_getprop(tree, fdt_path_offset(tree, "/chosen"), "kaslr-seed", NULL)),
		0);
}

/* Reads a tree with a few bytes of noise, in a copy of just its size; true if it was accepted. */
static bool noise_passes(void)
{
	u8 *exact;
	u64 bytes;
	volatile bool accepted = false;

	tree_make("smc");
	bytes = fdt_totalsize(tree);
	for (u64 n = fix_random() % 3 + 1; n > 0; n--) {
		tree[fix_random() % bytes] = (u8)fix_random();
	}
	exact = aligned_alloc(8, align_up(bytes, 8));
	memcpy(exact, tree, bytes);
	fdt_set_totalsize(exact, (u32)bytes);
	memset(&m, 0, sizeof(m));
	if (FIX_RUN(boot_fdt_read(exact, &m)) == FIX_DONE) {
		struct host_fdt host = host_request((const u8 *)"seed");

		accepted = true;
		host.bootargs[1] = m.bootargs;
		FIX_RUN(host_fdt_write(out, sizeof(out), &m, &host));
	}
	free(exact);
	return accepted;
}

/* The loader is trusted; a damaged tree must still not lead outside (the address sanitizer
 * watches). */
static void test_noise(void **state)
{
	u32 accepted = 0;

	(void)state;
	for (u32 i = 0; i < 5000; i++) {
		accepted += noise_passes();
	}
	assert_true(accepted > 500);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reads),
		cmocka_unit_test(test_odd_ram),
		cmocka_unit_test(test_long_seed),
		cmocka_unit_test(test_holes),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_bundle_range),
		cmocka_unit_test(test_table_sizes),
		cmocka_unit_test(test_cells),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_memory_status),
		cmocka_unit_test(test_odd_timers),
		cmocka_unit_test(test_host_tree),
		cmocka_unit_test(test_host_tree_without),
		cmocka_unit_test(test_seeds_are_wiped),
		cmocka_unit_test(test_noise),
	};

	return cmocka_run_group_tests_name("boot_fdt", tests, NULL, NULL);
}
