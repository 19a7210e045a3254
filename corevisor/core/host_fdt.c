/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The host's device tree: the loader's, with the corevisor carved out of memory, the virtual timer
 * and what could reach around the corevisor gone, and a node for the module (kvm-api 2.4).
 */
#include <cv/boot.h>

#include <libfdt.h>
#include <string.h>

#define CELL 4
/* Interrupts of the timer node, in the binding's order */
enum { TIMER_SEC_PHYS, TIMER_PHYS, TIMER_VIRT, TIMER_HYP_PHYS, TIMER_COUNT };
#define TIMER_CELLS_MAX 4
/* PPI 11 (INTID 27, virtual timer) and PPI 9 (INTID 25, vGIC maintenance), level, high */
static const u32 vm_interrupts[] = { 1, 11, 4, 1, 9, 4 };

/* Errors of libfdt here mean that `room` was too small or the tree is odd: the boot ends. */
static int must(int result, const char *what)
{
	if (result < 0) {
		boot_refuse("device tree: cannot write %s: %s", what, fdt_strerror(result));
	}
	return result;
}

static int node_make(void *fdt, int parent, const char *name)
{
	int node = fdt_subnode_offset(fdt, parent, name);

	return node >= 0 ? node : must(fdt_add_subnode(fdt, parent, name), name);
}

/* "<stem>@<address>" */
static void unit_name(char *to, const char *stem, u64 address)
{
	u32 digits = 1;

	while (address >> (4 * digits) != 0 && digits < 16) {
		digits++;
	}
	while (*stem != '\0') {
		*to++ = *stem++;
	}
	*to++ = '@';
	while (digits > 0) {
		*to++ = "0123456789abcdef"[(address >> (4 * --digits)) & 0xf];
	}
	*to = '\0';
}

static void reg_write(void *fdt, int node, int parent, const struct boot_range *range)
{
	fdt32_t cells[4];
	u32 count = 0;
	int address_cells = fdt_address_cells(fdt, parent);
	int size_cells = fdt_size_cells(fdt, parent);

	if (address_cells == 2) {
		cells[count++] = cpu_to_fdt32((u32)(range->base >> 32));
	}
	cells[count++] = cpu_to_fdt32((u32)range->base);
	if (size_cells == 2) {
		cells[count++] = cpu_to_fdt32((u32)(range->bytes >> 32));
	}
	cells[count++] = cpu_to_fdt32((u32)range->bytes);
	must(fdt_setprop(fdt, node, "reg", cells, (int)(count * CELL)), "reg");
}

static void reserve(void *fdt, const struct boot_range *range)
{
	int parent = fdt_path_offset(fdt, "/reserved-memory");
	char name[48];
	int node;

	if (parent < 0) {
		parent = must(fdt_add_subnode(fdt, 0, "reserved-memory"), "/reserved-memory");
		must(fdt_setprop_u32(fdt, parent, "#address-cells", 2), "#address-cells");
		must(fdt_setprop_u32(fdt, parent, "#size-cells", 2), "#size-cells");
		must(fdt_setprop_empty(fdt, parent, "ranges"), "ranges");
	}
	unit_name(name, "corevisor", range->base);
	node = must(fdt_add_subnode(fdt, parent, name), name);
	must(fdt_setprop_empty(fdt, node, "no-map"), "no-map");
	reg_write(fdt, node, parent, range);
}

/* Without "virt" a kernel at EL1 uses the physical timer; the virtual one is the guests'. */
static void timer_edit(void *fdt)
{
	static const char names[] = "sec-phys\0phys\0hyp-phys";
	static const u32 kept[] = { TIMER_SEC_PHYS, TIMER_PHYS, TIMER_HYP_PHYS };
	int node = fdt_node_offset_by_compatible(fdt, -1, "arm,armv8-timer");
	fdt32_t out[ARRAY_SIZE(kept) * TIMER_CELLS_MAX];
	const fdt32_t *in;
	u32 cells;
	int bytes;

	in = node < 0 ? NULL : fdt_getprop(fdt, node, "interrupts", &bytes);
	if (in == NULL || fdt_getprop(fdt, node, "interrupt-names", NULL) != NULL) {
		boot_refuse("device tree: no timer node of the usual form");
	}
	/* three or four cells each; with VHE a fifth interrupt follows */
	cells = (u32)bytes / CELL % 3 == 0 ? 3 : 4;
	if ((u32)bytes / CELL < TIMER_COUNT * cells) {
		boot_refuse("device tree: the timer node has too few interrupts");
	}
	for (u32 i = 0; i < ARRAY_SIZE(kept); i++) {
		memcpy(&out[i * cells], &in[kept[i] * cells], cells * CELL);
	}
	must(fdt_setprop(fdt, node, "interrupts", out, (int)(ARRAY_SIZE(kept) * cells * CELL)),
	     "the timer's interrupts");
	must(fdt_setprop(fdt, node, "interrupt-names", names, sizeof(names)), "interrupt-names");
}

static void remove_nodes(void *fdt, const char *compatible)
{
	int node;

	while ((node = fdt_node_offset_by_compatible(fdt, -1, compatible)) >= 0) {
		must(fdt_nop_node(fdt, node), compatible);
	}
}

/* References to the SMMU would defer every driver behind it for ever. */
static void remove_iommu_references(void *fdt)
{
	for (int node = 0; node >= 0; node = fdt_next_node(fdt, node, NULL)) {
		fdt_nop_property(fdt, node, "iommu-map");
		fdt_nop_property(fdt, node, "iommu-map-mask");
		fdt_nop_property(fdt, node, "iommus");
	}
}

static void module_node(void *fdt, const struct boot_range *info)
{
	fdt32_t interrupts[ARRAY_SIZE(vm_interrupts)];
	char name[48];
	int node;

	unit_name(name, "ravelin", info->base);
	node = must(fdt_add_subnode(fdt, 0, name), name);
	must(fdt_setprop_string(fdt, node, "compatible", "ravelin,corevisor"), "compatible");
	reg_write(fdt, node, 0, info);
	for (u32 i = 0; i < ARRAY_SIZE(vm_interrupts); i++) {
		interrupts[i] = cpu_to_fdt32(vm_interrupts[i]);
	}
	must(fdt_setprop(fdt, node, "interrupts", interrupts, sizeof(interrupts)), "interrupts");
}

static void bootargs_write(void *fdt, int chosen, const struct host_fdt *host)
{
	size_t first = strlen(host->bootargs[0]);
	size_t second = strlen(host->bootargs[1]);
	size_t space = first > 0 && second > 0 ? 1 : 0;
	void *value;
	char *to;

	/* Pointers into `fdt` do not survive setprop; the texts lie in the loader's tree and in the
	 * bundle. */
	must(fdt_setprop_placeholder(fdt, chosen, "bootargs", (int)(first + space + second + 1),
				     &value),
	     "bootargs");
	to = value;
	memcpy(to, host->bootargs[0], first);
	memset(to + first, ' ', space);
	memcpy(to + first + space, host->bootargs[1], second);
	to[first + space + second] = '\0';
}

static void chosen_write(void *fdt, const struct machine *machine, const struct host_fdt *host)
{
	int chosen = node_make(fdt, 0, "chosen");

	bootargs_write(fdt, chosen, host);
	if (host->initrd.bytes > 0) {
		must(fdt_setprop_u64(fdt, chosen, "linux,initrd-start", host->initrd.base),
		     "the initrd");
		must(fdt_setprop_u64(fdt, chosen, "linux,initrd-end",
				     host->initrd.base + host->initrd.bytes),
		     "the initrd");
	} else {
		must(fdt_delprop(fdt, chosen, "linux,initrd-start"), "the initrd");
		must(fdt_delprop(fdt, chosen, "linux,initrd-end"), "the initrd");
	}
	/* The loader's seeds are the corevisor's secret now. */
	if (host->seed != NULL) {
		must(fdt_setprop(fdt, chosen, "rng-seed", host->seed, (int)host->seed_bytes),
		     "rng-seed");
	} else {
		fdt_delprop(fdt, chosen, "rng-seed");
	}
	if (machine->has_kaslr_seed) {
		must(fdt_setprop_u64(fdt, chosen, "kaslr-seed", host->kaslr_seed), "kaslr-seed");
	}
}

void host_fdt_write(void *to, u64 room, const struct machine *machine, const struct host_fdt *host)
{
	must(fdt_open_into(machine->fdt, to, (int)room), "a copy");
	remove_nodes(to, "qemu,fw-cfg-mmio");
	remove_nodes(to, "arm,smmu-v3");
	remove_iommu_references(to);
	timer_edit(to);
	chosen_write(to, machine, host);
	reserve(to, &host->image);
	reserve(to, &host->core);
	reserve(to, &host->info);
	module_node(to, &host->info);
}
