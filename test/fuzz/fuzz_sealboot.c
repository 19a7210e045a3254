/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The guest loader's check of the VMM's device tree: what it accepts is whole for libfdt too, every
 * PSCI node on smc.
 */
#include "sealboot.h"

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
	uint32_t total, room_bytes, taken;
	uint8_t *source, *room;

	if (bytes < 40) {
		return 0;
	}
	total = fdt32_ld((const fdt32_t *)(data + 4));
	/*
	 * The loader reads as much as the header says, at most 2 MiB; what follows the input is as
	 * hostile as the rest.
	 */
	room_bytes = total <= SEAL_DTB_BYTES_MAX ? (total + 3) & ~3u : 40;
	room_bytes = room_bytes < 40 ? 40 : room_bytes;
	source = calloc(1, room_bytes > bytes ? room_bytes : bytes);
	room = malloc(room_bytes);
	require(source && room, "there is memory");
	memcpy(source, data, bytes);
	taken = seal_take_dtb(source, room);
	if (taken != 0) {
		require(taken == total, "the size is the header's");
		require(fdt_check_full(room, taken) == 0, "libfdt finds the tree whole");
		check_methods(room);
	}
	free(source);
	free(room);
	return 0;
}
