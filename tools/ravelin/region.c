/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The region lies in memory that Linux does not map (no-map), so /dev/mem gives it as device
 * memory: only aligned loads of at most 64 bits are allowed there, and memcpy or a struct
 * assignment may compile to something else. Hence the loops.
 */
#include "region.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define COMPATIBLE "ravelin,corevisor"
#define DEPTH_MAX 16

/*
 * Reads a property file; returns its bytes, -1 if there is none (or it is longer than `capacity`).
 */
static ssize_t read_property(const char *node, const char *name, uint8_t *value, size_t capacity)
{
	char path[PATH_MAX];
	ssize_t bytes;
	int fd;

	if (snprintf(path, sizeof(path), "%s/%s", node, name) >= (int)sizeof(path)) {
		return -1;
	}
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		return -1;
	}
	bytes = read(fd, value, capacity);
	close(fd);
	return bytes;
}

static bool node_is_compatible(const char *node)
{
	uint8_t list[512];
	ssize_t bytes = read_property(node, "compatible", list, sizeof(list));
	ssize_t at;

	for (at = 0; at < bytes;
	     at += (ssize_t)strnlen((char *)list + at, (size_t)(bytes - at)) + 1) {
		if ((size_t)(bytes - at) >= sizeof(COMPATIBLE) &&
		    memcmp(list + at, COMPATIBLE, sizeof(COMPATIBLE)) == 0) {
			return true;
		}
	}
	return false;
}

/*
 * Depth first; a device tree is shallow, and DEPTH_MAX ends what is none. `path` holds the node
 * found.
 */
static bool find_node(char *path, int depth)
{
	size_t length = strlen(path);
	struct dirent *entry;
	bool found = false;
	DIR *directory;

	if (node_is_compatible(path)) {
		return true;
	}
	directory = depth < DEPTH_MAX ? opendir(path) : NULL;
	if (!directory) {
		return false;
	}
	while (!found && (entry = readdir(directory))) {
		if (entry->d_type != DT_DIR || entry->d_name[0] == '.' ||
		    length + strlen(entry->d_name) + 2 > PATH_MAX) {
			continue;
		}
		sprintf(path + length, "/%s", entry->d_name);
		found = find_node(path, depth + 1);
		if (!found) {
			path[length] = 0;
		}
	}
	closedir(directory);
	return found;
}

static uint64_t be_number(const uint8_t *at, size_t bytes)
{
	uint64_t value = 0;

	while (bytes--) {
		value = value << 8 | *at++;
	}
	return value;
}

/* The parent's #address-cells or #size-cells: 1 or 2; the specification's default is 2 and 1. */
static size_t parent_cells(const char *node, const char *name, size_t otherwise)
{
	char parent[PATH_MAX];
	uint8_t value[4];
	uint64_t cells;
	char *slash;

	snprintf(parent, sizeof(parent), "%s", node);
	slash = strrchr(parent, '/');
	if (!slash) {
		return otherwise;
	}
	*slash = 0;
	if (read_property(parent, name, value, sizeof(value)) != sizeof(value)) {
		return otherwise;
	}
	cells = be_number(value, sizeof(value));
	return cells == 1 || cells == 2 ? (size_t)cells : otherwise;
}

static bool find_region(const char *device_tree, uint64_t *base, uint64_t *bytes)
{
	char node[PATH_MAX];
	uint8_t reg[256];
	size_t a, s;
	ssize_t length;

	if (access(device_tree, R_OK | X_OK) != 0) {
		return fail("%s: %s", device_tree, strerror(errno));
	}
	snprintf(node, sizeof(node), "%s", device_tree);
	if (!find_node(node, 0)) {
		return fail(
			"no corevisor: this system was not started by Ravelin (no \"%s\" in %s)",
			COMPATIBLE, device_tree);
	}
	a = 4 * parent_cells(node, "#address-cells", 2);
	s = 4 * parent_cells(node, "#size-cells", 1);
	length = read_property(node, "reg", reg, sizeof(reg));
	if (length < (ssize_t)(a + s)) {
		return fail("%s/reg: malformed", node);
	}
	*base = be_number(reg, a);
	*bytes = be_number(reg + a, s);
	if (*base % RV_PAGE_SIZE != 0 || *bytes < sizeof(struct rv_info) || *bytes > (64u << 20)) {
		return fail("%s/reg: not a region that a corevisor makes", node);
	}
	return true;
}

static bool map_region(const char *memory, uint64_t base, uint64_t bytes, struct region *region)
{
	int fd = open(memory, O_RDONLY | O_SYNC | O_CLOEXEC);
	void *at;

	if (fd < 0 && (errno == EACCES || errno == EPERM)) {
		return fail("%s: %s; run this as root", memory, strerror(errno));
	}
	if (fd < 0) {
		return fail("%s: %s", memory, strerror(errno));
	}
	at = mmap(NULL, (size_t)bytes, PROT_READ, MAP_SHARED, fd, (off_t)base);
	close(fd);
	if (at == MAP_FAILED) {
		return fail("%s: cannot map %#llx: %s", memory, (unsigned long long)base,
			    strerror(errno));
	}
	region->words = at;
	region->bytes = (size_t)bytes;
	return true;
}

struct rv_info region_info(const struct region *region)
{
	union {
		struct rv_info info;
		uint64_t words[sizeof(struct rv_info) / 8];
	} copy;
	size_t i;

	_Static_assert(sizeof(struct rv_info) % 8 == 0, "rv_info is whole words");
	for (i = 0; i < sizeof(copy.words) / 8; i++) {
		copy.words[i] = region->words[i];
	}
	return copy.info;
}

void region_log(const struct region *region, const struct rv_info *info, uint64_t from, uint64_t to,
		char *text)
{
	for (; from < to; from++) {
		uint64_t at = info->log_offset + from % info->log_bytes;

		*text++ = (char)(region->words[at / 8] >> (at % 8 * 8));
	}
}

static bool check_info(const struct region *region)
{
	struct rv_info info = region_info(region);

	if (info.magic != RV_INFO_MAGIC) {
		return fail(
			"the corevisor's region does not begin with its magic number: another version?");
	}
	if (info.abi >> 16 != RV_ABI_MAJOR) {
		return fail("the corevisor speaks ABI %llu.%llu, this program %d.%d",
			    (unsigned long long)(info.abi >> 16),
			    (unsigned long long)(info.abi & 0xffff), RV_ABI_MAJOR, RV_ABI_MINOR);
	}
	if (info.log_bytes == 0 || info.log_bytes > region->bytes ||
	    info.log_offset > region->bytes - info.log_bytes) {
		return fail("the corevisor's region names a log outside of itself");
	}
	return true;
}

bool region_open(const struct region_place *place, struct region *region)
{
	uint64_t base, bytes;

	return find_region(place->device_tree, &base, &bytes) &&
	       map_region(place->memory, base, bytes, region) && check_info(region);
}
