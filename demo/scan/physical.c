// SPDX-License-Identifier: BSD-3-Clause
/* What root sees of physical memory: all of it through the hostile module, the corevisor's public
 * pages by /dev/mem. */
#include <dirent.h>
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../hostile_module/allmem.h"
#include "physical.h"
#include "scan.h"

#define TREE "/proc/device-tree"
#define RUN_PAGES "/sys/kernel/debug/hostvisor/run_pages"
#define CHUNK_PAGES 4096ull
#define RANGES_MAX 32

struct range {
	uint64_t base;
	uint64_t bytes;
};

/* Reads a property; returns its length, 0 if there is none. */
static size_t read_property(const char *node, const char *name, void *to, size_t max)
{
	char path[600];
	size_t got;
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", node, name);
	f = fopen(path, "r");
	if (!f) {
		return 0;
	}
	got = fread(to, 1, max, f);
	fclose(f);
	return got;
}

/* The root node has two address and two size cells on every machine we run on. */
static unsigned int read_reg(const char *node, struct range *ranges, unsigned int max)
{
	uint64_t cells[2 * RANGES_MAX];
	size_t bytes = read_property(node, "reg", cells, sizeof(cells));
	unsigned int count = 0;

	for (size_t i = 0; i + 1 < bytes / 8 && count < max; i += 2) {
		ranges[count++] = (struct range){ be64toh(cells[i]), be64toh(cells[i + 1]) };
	}
	return count;
}

/* Calls `visit` for the nodes right under the root and under /reserved-memory until it returns
 * true. */
static bool each_node(const char *dir, bool (*visit)(const char *node, void *context),
		      void *context)
{
	struct dirent *entry;
	bool done = false;
	char node[512];
	DIR *d = opendir(dir);

	while (d && !done && (entry = readdir(d))) {
		if (entry->d_name[0] != '.' && entry->d_type == DT_DIR) {
			snprintf(node, sizeof(node), "%s/%s", dir, entry->d_name);
			done = visit(node, context);
		}
	}
	if (d) {
		closedir(d);
	}
	return done;
}

struct ranges {
	struct range at[RANGES_MAX];
	unsigned int count;
};

static bool visit_memory(const char *node, void *context)
{
	struct ranges *ranges = context;
	char type[16] = "";

	read_property(node, "device_type", type, sizeof(type) - 1);
	if (strcmp(type, "memory") == 0) {
		ranges->count +=
			read_reg(node, ranges->at + ranges->count, RANGES_MAX - ranges->count);
	}
	return false;
}

static void ram_ranges(struct ranges *ranges)
{
	ranges->count = 0;
	each_node(TREE, visit_memory, ranges);
	if (ranges->count == 0) {
		die("the device tree tells of no memory");
	}
}

uint64_t physical_ram_pages(void)
{
	struct ranges ranges;
	uint64_t pages = 0;

	ram_ranges(&ranges);
	for (unsigned int i = 0; i < ranges.count; i++) {
		pages += ranges.at[i].bytes / RV_PAGE_SIZE;
	}
	return pages;
}

static bool visit_corevisor(const char *node, void *context)
{
	char compatible[64] = "";

	read_property(node, "compatible", compatible, sizeof(compatible) - 1);
	return strcmp(compatible, "ravelin,corevisor") == 0 && read_reg(node, context, 1) == 1;
}

const volatile struct rv_info *physical_info(void)
{
	static const volatile struct rv_info *info;
	struct range range;
	void *at;
	int fd;

	if (info || !(each_node(TREE, visit_corevisor, &range) ||
		      each_node(TREE "/reserved-memory", visit_corevisor, &range))) {
		return info;
	}
	fd = open("/dev/mem", O_RDONLY);
	if (fd < 0) {
		die("/dev/mem: %s", strerror(errno));
	}
	at = mmap(NULL, range.bytes, PROT_READ, MAP_SHARED, fd, (off_t)range.base);
	if (at == MAP_FAILED) {
		die("/dev/mem at 0x%lx: %s", range.base, strerror(errno));
	}
	close(fd);
	info = at;
	if (info->magic != RV_INFO_MAGIC) {
		die("the corevisor's page of facts has no magic number");
	}
	return info;
}

void physical_read_info(struct rv_info *to)
{
	const volatile uint64_t *from = (const volatile uint64_t *)physical_info();

	for (size_t i = 0; i < sizeof(*to) / 8; i++) {
		((uint64_t *)to)[i] = from[i];
	}
}

static int allmem_open(const struct search *table)
{
	int fd = open("/dev/allmem", O_RDWR);

	if (fd < 0 || ioctl(fd, ALLMEM_SET_TABLE, table) != 0) {
		die("/dev/allmem: %s", strerror(errno));
	}
	return fd;
}

static void allmem_read(int fd, uint64_t first_pfn, uint64_t pages, struct found *sum)
{
	struct allmem_pages request = { .first_pfn = first_pfn, .pages = pages };

	if (ioctl(fd, ALLMEM_READ, &request) != 0) {
		die("/dev/allmem, page 0x%lx: %s", first_pfn, strerror(errno));
	}
	sum->read += request.read;
	sum->refused += request.refused;
	sum->hits += request.hits;
}

struct found physical_scan_ram(const struct search *table)
{
	struct found sum = { 0, 0, 0 };
	int fd = allmem_open(table);
	struct ranges ranges;

	ram_ranges(&ranges);
	for (unsigned int i = 0; i < ranges.count; i++) {
		uint64_t pfn = ranges.at[i].base / RV_PAGE_SIZE;
		uint64_t end = pfn + ranges.at[i].bytes / RV_PAGE_SIZE;

		for (; pfn < end; pfn += CHUNK_PAGES) {
			allmem_read(fd, pfn, end - pfn < CHUNK_PAGES ? end - pfn : CHUNK_PAGES,
				    &sum);
		}
	}
	close(fd);
	return sum;
}

struct found physical_scan_shared(const struct search *table)
{
	struct found sum = { 0, 0, 0 };
	const volatile uint64_t *info = (const volatile uint64_t *)physical_info();
	FILE *list = fopen(RUN_PAGES, "r");
	int fd = allmem_open(table);
	uint64_t pfn;

	for (uint64_t i = 0; info && i < ((const volatile struct rv_info *)info)->info_bytes / 8;
	     i++) {
		sum.hits += (uint64_t)search_hits(table, info[i]);
	}
	if (info) {
		sum.read += ((const volatile struct rv_info *)info)->info_bytes / RV_PAGE_SIZE;
	}
	while (list && fscanf(list, "%lx", &pfn) == 1) {
		allmem_read(fd, pfn, 1, &sum);
	}
	if (list) {
		fclose(list);
	}
	close(fd);
	return sum;
}
