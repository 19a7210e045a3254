/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The loader's device tree: reading the machine from it, finding room, and writing the host's tree.
 * Either the boot is refused, or the room is free RAM and the host's tree is whole and holds
 * nothing that must be hidden.
 */
#include "fuzz_boot.h"

#include <libfdt.h>
#include <string.h>

#define FDT_BYTES_MAX (2u << 20) /* the boot protocol's limit; boot_fdt.c refuses more */

static struct machine machine;
static void *host_tree; /* of the last input: a refusal may jump out at any time */

static bool is_ram(u64 base, u64 bytes)
{
	u32 i;

	for (i = 0; i < machine.ram_count; i++) {
		u64 start = machine.ram[i].base.v, size = machine.ram[i].pages * PAGE_SIZE;

		if (base >= start && base - start < size && bytes <= size - (base - start)) {
			return true;
		}
	}
	return false;
}

/*
 * Free of everything that was taken before number `known`. Ends beyond 64 bits count as the end of
 * memory.
 */
static bool is_free(u64 base, u64 bytes, u32 known)
{
	u32 i;

	for (i = 0; i < known; i++) {
		const struct boot_range *t = &machine.taken[i];
		u64 end = t->base + t->bytes < t->base ? ~0ull : t->base + t->bytes;

		if (t->base < base + bytes && base < end) {
			return false;
		}
	}
	return true;
}

static struct boot_range find_room(u64 bytes, u64 align)
{
	u32 known = machine.taken_count;
	u64 at = boot_find_hole(&machine, bytes, align);

	if (at != 0) {
		FUZZ_CHECK(at % align == 0);
		FUZZ_CHECK(is_ram(at, bytes));
		FUZZ_CHECK(is_free(at, bytes, known));
	}
	return (struct boot_range){ at, bytes };
}

static void check_host_tree(const void *fdt, u64 room)
{
	FUZZ_CHECK(fdt_check_full(fdt, room) == 0);
	FUZZ_CHECK(fdt_node_offset_by_compatible(fdt, -1, "qemu,fw-cfg-mmio") < 0);
	FUZZ_CHECK(fdt_node_offset_by_compatible(fdt, -1, "arm,smmu-v3") < 0);
	FUZZ_CHECK(fdt_node_offset_by_compatible(fdt, -1, "ravelin,corevisor") >= 0);
}

static void write_host_tree(void)
{
	static const u8 seed[64];
	u64 room = boot_fdt_bytes(&machine) + 4096 + strlen(machine.bootargs);
	struct host_fdt host = {
		.image = find_room(0x40000, PAGE_SIZE),
		.core = find_room(0x100000, 2 * PAGE_SIZE),
		.info = find_room(0x8000, PAGE_SIZE),
		.initrd = machine.bundle,
		.bootargs = { "", machine.bootargs },
		.seed = seed,
		.seed_bytes = sizeof(seed),
		.kaslr_seed = 1,
	};

	free(host_tree);
	host_tree = malloc(room);
	FUZZ_CHECK(host_tree != NULL);
	host_fdt_write(host_tree, room, &machine, &host);
	check_host_tree(host_tree, room);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	uint8_t *copy;

	/* The loader says where its tree is, not how long: boot reads the header first. */
	if (bytes < FDT_V17_SIZE || fdt32_ld((const fdt32_t *)(data + 4)) > bytes ||
	    bytes > FDT_BYTES_MAX) {
		return 0;
	}
	copy = fuzz_copy(data, bytes);
	memset(&machine, 0, sizeof(machine));
	if (setjmp(fuzz_jump) == 0) {
		boot_fdt_read(copy, &machine);
		boot_fdt_wipe_seeds(&machine);
		write_host_tree();
	}
	free(copy);
	return 0;
}
