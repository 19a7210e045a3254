/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the guest loader may change in a device tree, said with libfdt: the method of PSCI nodes,
 * /chosen, and that nodes of unknown devices are gone with all below them. For its unit tests and
 * its fuzzer.
 */
#ifndef TEST_SEALBOOT_COMPARE_H
#define TEST_SEALBOOT_COMPARE_H

#include "sealboot.h"

#include <libfdt.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

struct property {
	const char *name;
	const void *value;
	int bytes;
};

static inline bool property_at(const void *dtb, int offset, struct property *property)
{
	if (offset < 0) {
		return false;
	}
	property->value = fdt_getprop_by_offset(dtb, offset, &property->name, &property->bytes);
	return property->value != NULL;
}

/* As Linux compares: without regard to case. */
static inline bool node_is_psci(const void *dtb, int node)
{
	int count = fdt_stringlist_count(dtb, node, "compatible"), i;

	for (i = 0; i < count; i++) {
		const char *name = fdt_stringlist_get(dtb, node, "compatible", i, NULL);

		if (strcasecmp(name, "arm,psci") == 0 || strcasecmp(name, "arm,psci-0.2") == 0 ||
		    strcasecmp(name, "arm,psci-1.0") == 0) {
			return true;
		}
	}
	return false;
}

static inline bool property_is(const void *dtb, int *offset, const char *name, const void *value,
			       int bytes)
{
	struct property property;

	if (!property_at(dtb, *offset, &property) || strcmp(property.name, name) != 0 ||
	    property.bytes != bytes || memcmp(property.value, value, (size_t)bytes) != 0) {
		return false;
	}
	*offset = fdt_next_property_offset(dtb, *offset);
	return true;
}

static inline bool chosen_has(const void *dtb, int *offset, const struct seal_chosen *chosen)
{
	fdt64_t start = cpu_to_fdt64(chosen->initrd_start), end = cpu_to_fdt64(chosen->initrd_end);

	if (chosen->cmdline_bytes > 0 &&
	    !property_is(dtb, offset, "bootargs", chosen->cmdline, (int)chosen->cmdline_bytes)) {
		return false;
	}
	return chosen->initrd_start == chosen->initrd_end ||
	       (property_is(dtb, offset, "linux,initrd-start", &start, 8) &&
		property_is(dtb, offset, "linux,initrd-end", &end, 8));
}

static inline bool is_kept(const char *name)
{
	return strcmp(name, "stdout-path") == 0 || strcmp(name, "linux,stdout-path") == 0 ||
	       strcmp(name, "kaslr-seed") == 0;
}

static inline const char *properties_differ(const void *before, int old, const void *after, int new,
					    const struct seal_chosen *chosen)
{
	bool is_psci = node_is_psci(before, old);
	bool is_chosen = old == fdt_path_offset(before, "/chosen");
	int from = fdt_first_property_offset(before, old);
	int to = fdt_first_property_offset(after, new);
	struct property property;

	if (is_chosen) {
		if (!chosen_has(after, &to, chosen)) {
			return "/chosen does not begin with what is ours";
		}
		is_psci = false;
	}
	for (; property_at(before, from, &property);
	     from = fdt_next_property_offset(before, from)) {
		if (is_chosen && !is_kept(property.name)) {
			continue;
		}
		if (is_psci && strcmp(property.name, "method") == 0) {
			property.value = "smc";
		}
		if (!property_is(after, &to, property.name, property.value, property.bytes)) {
			return "a property was lost or changed";
		}
	}
	return to >= 0 ? "a property was added" : NULL;
}

static inline const char *reservations_differ(const void *before, const void *after)
{
	int count = fdt_num_mem_rsv(before), i;
	uint64_t a[2], b[2];

	if (fdt_num_mem_rsv(after) != count) {
		return "a reservation was lost or added";
	}
	for (i = 0; i < count; i++) {
		fdt_get_mem_rsv(before, i, &a[0], &a[1]);
		fdt_get_mem_rsv(after, i, &b[0], &b[1]);
		if (a[0] != b[0] || a[1] != b[1]) {
			return "a reservation was changed";
		}
	}
	return NULL;
}

static inline bool is_left_out(const void *dtb, int node)
{
	int count = fdt_stringlist_count(dtb, node, "compatible"), i;

	if (node == fdt_path_offset(dtb, "/chosen")) {
		return false; /* whose compatible property goes */
	}
	for (i = 0; i < count; i++) {
		if (!seal_knows_device(fdt_stringlist_get(dtb, node, "compatible", i, NULL))) {
			return true;
		}
	}
	return false;
}

/* From `node` on, the first that stays. */
static inline int next_kept(const void *dtb, int node, int *depth)
{
	while (node >= 0 && *depth >= 0 && is_left_out(dtb, node)) {
		int hole = *depth;

		do {
			node = fdt_next_node(dtb, node, depth);
		} while (node >= 0 && *depth > hole);
	}
	return node;
}

/* NULL, or how `after` is not what the loader promises to make of `before`. Both are whole. */
static inline const char *trees_differ(const void *before, const void *after,
				       const struct seal_chosen *chosen)
{
	const char *differs = reservations_differ(before, after);
	int old_depth = 0, new_depth = 0;
	int old = fdt_next_node(before, -1, NULL), new = fdt_next_node(after, -1, NULL);

	/* Behind the last node, libfdt returns an error, or a depth below the root's. */
	while (!differs && old >= 0 && old_depth >= 0) {
		const char *name = fdt_get_name(before, old, NULL);

		if (new < 0 || old_depth != new_depth ||
		    strcmp(name, fdt_get_name(after, new, NULL)) != 0) {
			return "a node was lost, added or moved";
		}
		differs = properties_differ(before, old, after, new, chosen);
		old = next_kept(before, fdt_next_node(before, old, &old_depth), &old_depth);
		new = fdt_next_node(after, new, &new_depth);
	}
	return !differs && new >= 0 && new_depth >= 0 ? "a node was added" : differs;
}

#endif
