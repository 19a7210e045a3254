/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the device tree says. It comes from the corevisor, which is not the enemy of these images:
 * no paranoia here.
 */
#include "env.h"
#include "env_private.h"

#include <libfdt.h>

struct machine machine;

static u64 cells(const fdt32_t *at, int count)
{
	u64 value = 0;

	while (count--) {
		value = value << 32 | fdt32_to_cpu(*at++);
	}
	return value;
}

/*
 * reg[index] of a node; its parent has 2 address and 2 size cells on every machine we run on, but
 * read them.
 */
static bool node_reg(int node, int index, struct range *range)
{
	const void *dtb = machine.dtb;
	int parent = fdt_parent_offset(dtb, node);
	int a = fdt_address_cells(dtb, parent), s = fdt_size_cells(dtb, parent), length;
	const fdt32_t *reg = fdt_getprop(dtb, node, "reg", &length);

	if (!reg || length < (int)sizeof(fdt32_t) * (a + s) * (index + 1)) {
		return false;
	}
	reg += (a + s) * index;
	range->base = cells(reg, a);
	range->bytes = cells(reg + a, s);
	return true;
}

static void add_range(struct range *list, u32 *count, struct range range)
{
	if (range.bytes == 0) {
		return;
	}
	if (*count == ENV_RANGES) {
		fail("more than %d ranges in the device tree", ENV_RANGES);
	}
	list[(*count)++] = range;
}

static void read_ram(void)
{
	const void *dtb = machine.dtb;
	struct range range;
	int node, i;

	for (node = fdt_node_offset_by_prop_value(dtb, -1, "device_type", "memory", 7); node >= 0;
	     node = fdt_node_offset_by_prop_value(dtb, node, "device_type", "memory", 7)) {
		for (i = 0; node_reg(node, i, &range); i++) {
			add_range(machine.ram, &machine.ram_count, range);
		}
	}
}

/* A reserved range without the info pages, which the host may read: zero, one or two pieces. */
static void add_core(struct range range)
{
	const struct range *info = &machine.info;
	u64 end = range.base + range.bytes, info_end = info->base + info->bytes;

	if (info->bytes == 0 || info_end <= range.base || info->base >= end) {
		add_range(machine.core, &machine.core_count, range);
		return;
	}
	if (info->base > range.base) {
		add_range(machine.core, &machine.core_count,
			  (struct range){ range.base, info->base - range.base });
	}
	if (info_end < end) {
		add_range(machine.core, &machine.core_count,
			  (struct range){ info_end, end - info_end });
	}
}

static void read_core(void)
{
	const void *dtb = machine.dtb;
	int node = fdt_node_offset_by_compatible(dtb, -1, "ravelin,corevisor");
	struct range range;
	int i;

	if (node < 0) {
		return; /* booted without a corevisor */
	}
	node_reg(node, 0, &machine.info);
	fdt_for_each_subnode(node, dtb, fdt_path_offset(dtb, "/reserved-memory"))
	{
		if (!fdt_getprop(dtb, node, "no-map", NULL)) {
			continue;
		}
		for (i = 0; node_reg(node, i, &range); i++) {
			add_core(range);
		}
	}
}

static void read_cpus(void)
{
	const void *dtb = machine.dtb;
	u64 self = read_sysreg(mpidr_el1) & 0xff00fffffful;
	int cpus = fdt_path_offset(dtb, "/cpus"), node;

	machine.mpidr[0] = self;
	machine.cpus = 1;
	fdt_for_each_subnode(node, dtb, cpus)
	{
		const char *type = fdt_getprop(dtb, node, "device_type", NULL);
		const fdt32_t *reg = fdt_getprop(dtb, node, "reg", NULL);
		u64 mpidr;

		if (!type || memcmp(type, "cpu", 4) != 0 || !reg) {
			continue;
		}
		mpidr = cells(reg, fdt_address_cells(dtb, cpus));
		if (mpidr != self && machine.cpus < ENV_CPUS) {
			machine.mpidr[machine.cpus++] = mpidr;
		}
	}
}

void machine_read(const void *dtb)
{
	const char *text;

	if (fdt_check_header(dtb) != 0) {
		fail("no device tree at %#lx", (u64)dtb);
	}
	machine.dtb = dtb;
	machine.dtb_bytes = fdt_totalsize(dtb);
	text = fdt_getprop(dtb, fdt_path_offset(dtb, "/psci"), "method", NULL);
	machine.psci_is_smc = text && memcmp(text, "smc", 4) == 0;
	text = fdt_getprop(dtb, fdt_path_offset(dtb, "/chosen"), "bootargs", NULL);
	machine.bootargs = text ? text : "";
	read_ram();
	read_core();
	read_cpus();
}

bool range_has(const struct range *range, u64 address)
{
	return address >= range->base && address - range->base < range->bytes;
}

bool is_ram(u64 address)
{
	u32 i;

	for (i = 0; i < machine.ram_count; i++) {
		if (range_has(&machine.ram[i], address)) {
			return true;
		}
	}
	return false;
}

/*
 * The text after "name" in the command line where it starts a word and is followed by `next`; NULL:
 * not there.
 */
static const char *find_bootarg(const char *name, char next)
{
	const char *at;
	size_t n = strlen(name);

	for (at = machine.bootargs; *at; at++) {
		bool starts = at == machine.bootargs || at[-1] == ' ';

		if (starts && strlen(at) >= n && memcmp(at, name, n) == 0 &&
		    (at[n] == next || (next == ' ' && at[n] == 0))) {
			return at + n;
		}
	}
	return NULL;
}

bool has_bootarg(const char *name)
{
	return find_bootarg(name, ' ') != NULL;
}

u64 bootarg(const char *name, u64 otherwise)
{
	const char *at = find_bootarg(name, '=');
	u64 value = 0;

	if (!at) {
		return otherwise;
	}
	for (at++; *at >= '0' && *at <= '9'; at++) {
		value = value * 10 + (u64)(*at - '0');
	}
	return value;
}
