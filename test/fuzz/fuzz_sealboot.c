/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The guest loader's check of the VMM's device tree: what it makes of it is whole for libfdt too,
 * with every PSCI node on smc, /chosen as the image says, and nothing else changed.
 */
#include "sealboot.h"
#include "sealboot_compare.h"

#include <libfdt.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

static void require(bool condition, const char *what)
{
	if (!condition) {
		fprintf(stderr, "not true: %s\n", what);
		abort();
	}
}

static void check_methods(const void *dtb)
{
	static const char *const versions[] = { "arm,psci", "arm,psci-0.2", "arm,psci-1.0" };
	int node, bytes;
	size_t i;

	for (i = 0; i < 3; i++) {
		for (node = fdt_node_offset_by_compatible(dtb, -1, versions[i]); node >= 0;
		     node = fdt_node_offset_by_compatible(dtb, node, versions[i])) {
			const char *method = fdt_getprop(dtb, node, "method", &bytes);

			require(method && bytes == 4 && memcmp(method, "smc", 4) == 0,
				"the method is smc");
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	static const struct seal_chosen chosens[] = {
		{ "ours=1", sizeof("ours=1"), 0x42000000, 0x42345678 },
		{ 0 },
	};
	const struct seal_chosen *chosen = &chosens[bytes % 2];
	uint32_t total, copy_bytes, taken;
	static _Alignas(8) uint8_t room[SEAL_DTB_BYTES_MAX];
	uint8_t *source, *copy;

	if (bytes < 40) {
		return 0;
	}
	total = fdt32_ld((const fdt32_t *)(data + 4));
	/*
	 * The loader reads as much as the header says, at most 2 MiB; what follows the input is as
	 * hostile as the rest.
	 */
	copy_bytes = total <= SEAL_DTB_BYTES_MAX ? (total + 3) & ~3u : 40;
	copy_bytes = copy_bytes < 40 ? 40 : copy_bytes;
	source = calloc(1, copy_bytes > bytes ? copy_bytes : bytes);
	copy = malloc(copy_bytes);
	require(source && copy, "there is memory");
	memcpy(source, data, bytes);
	taken = seal_take_dtb(source, copy, room, chosen);
	if (taken != 0) {
		require(taken == fdt_totalsize(room), "the size is the header's");
		require(fdt_check_full(room, taken) == 0, "libfdt finds the tree whole");
		check_methods(room);
		if (fdt_check_full(source, total) == 0) {
			const char *differs = trees_differ(source, room, chosen);

			require(!differs, differs);
		}
	}
	free(source);
	free(copy);
	return 0;
}
