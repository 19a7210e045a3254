/* SPDX-License-Identifier: BSD-3-Clause */
/* The corevisor's info region: where it is and how to read it. */
#ifndef RAVELIN_TOOL_REGION_H
#define RAVELIN_TOOL_REGION_H

#include "ravelin.h"

#include <ravelin/abi.h>

struct region {
	const volatile uint64_t *words; /* a device mapping: aligned 64-bit loads only */
	size_t bytes; /* as the device tree says; everything in the region is checked against it */
};

/* Where to look; both have a default, and another place for a saved dump. */
struct region_place {
	const char *device_tree; /* directory of the unflattened device tree */
	const char *memory;	 /* device or file of physical memory */
};
#define REGION_PLACE_DEFAULT                    \
	{                                       \
		"/proc/device-tree", "/dev/mem" \
	}

/*
 * Finds and maps the region, checks magic and major ABI version. It stays mapped until the program
 * ends.
 */
bool region_open(const struct region_place *place, struct region *region);

/* Copies what the corevisor publishes; it changes meanwhile, number by number. */
struct rv_info region_info(const struct region *region);

/*
 * Copies log bytes [from, to) (positions counted since boot) to `text`. Pre: from >= to -
 * log_bytes.
 */
void region_log(const struct region *region, const struct rv_info *info, uint64_t from, uint64_t to,
		char *text);

#endif
