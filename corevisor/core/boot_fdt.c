/* SPDX-License-Identifier: BSD-3-Clause */
/* What the loader's device tree says of the machine (Devicetree Specification 0.4). Sizes and
 * counts are checked. */
#include <cv/boot.h>

#include <cv/arch.h>
#include <cv/arch_host.h>
#include <libfdt.h>
#include <string.h>

/* The boot protocol's limit */
#define FDT_BYTES_MAX (2ull << 20)
#define CELL 4
/* Before version 16 nodes were named by their path, and fdt_check_full() follows the null pointer
 * that fdt_get_name() returns for a name without one. */
#define FDT_VERSION_MIN 16

/* ---- properties ---- */

static u64 cells_read(const fdt32_t *cells, u32 count)
{
	u64 value = 0;

	while (count-- > 0) {
		value = value << 32 | fdt32_to_cpu(*cells++);
	}
	return value;
}

/* Entry `index` of the node's reg, in its parent's cell sizes; false if there is no such entry. */
static bool reg_read(const void *fdt, int node, u32 index, struct boot_range *range)
{
	int parent = fdt_parent_offset(fdt, node);
	int address_cells = fdt_address_cells(fdt, parent);
	int size_cells = fdt_size_cells(fdt, parent);
	int bytes;
	const fdt32_t *reg = fdt_getprop(fdt, node, "reg", &bytes);
	u32 entry_cells;

	if (reg == NULL || address_cells < 1 || address_cells > 2 || size_cells < 0 ||
	    size_cells > 2) {
		return false;
	}
	entry_cells = (u32)(address_cells + size_cells);
	if ((u64)bytes < ((u64)index + 1) * entry_cells * CELL) {
		return false;
	}
	reg += index * entry_cells;
	range->base = cells_read(reg, (u32)address_cells);
	range->bytes = cells_read(reg + address_cells, (u32)size_cells);
	return range->base + range->bytes >= range->base;
}

/* A property of one or two cells. */
static bool number_read(const void *fdt, int node, const char *name, u64 *value)
{
	int bytes;
	const fdt32_t *cells = fdt_getprop(fdt, node, name, &bytes);

	if (cells == NULL || (bytes != CELL && bytes != 2 * CELL)) {
		return false;
	}
	*value = cells_read(cells, (u32)bytes / CELL);
	return true;
}

static bool is_string(const void *fdt, int node, const char *name, const char *wanted)
{
	int bytes;
	const char *value = fdt_getprop(fdt, node, name, &bytes);

	return value != NULL && (size_t)bytes == strlen(wanted) + 1 &&
	       memcmp(value, wanted, (size_t)bytes) == 0;
}

static bool is_disabled(const void *fdt, int node)
{
	return fdt_getprop(fdt, node, "status", NULL) != NULL &&
	       !is_string(fdt, node, "status", "okay") && !is_string(fdt, node, "status", "ok");
}

/* ---- RAM ---- */

static void ram_add(struct machine *m, const struct boot_range *range)
{
	u64 base = align_up(range->base, PAGE_SIZE);
	u64 end = align_down(range->base + range->bytes, PAGE_SIZE);
	u32 at = m->ram_count;

	/* The host would use what its stage 2 cannot map. */
	if (range->base >= 1ull << IPA_BITS || range->bytes > (1ull << IPA_BITS) - range->base) {
		boot_refuse("device tree: RAM at 0x%lx reaches beyond %d bits", range->base,
			    IPA_BITS);
	}
	if (end <= base) {
		return;
	}
	if (m->ram_count == LEDGER_REGIONS_MAX) {
		boot_refuse("device tree: more than %d banks of RAM", LEDGER_REGIONS_MAX);
	}
	while (at > 0 && m->ram[at - 1].base.v > base) {
		m->ram[at] = m->ram[at - 1];
		at--;
	}
	m->ram[at] =
		(struct ledger_region){ .base = pa_make(base), .pages = (end - base) / PAGE_SIZE };
	m->ram_count++;
}

static void ram_read(struct machine *m)
{
	const void *fdt = m->fdt;
	int node = -1;

	while ((node = fdt_node_offset_by_prop_value(fdt, node, "device_type", "memory",
						     sizeof("memory"))) >= 0) {
		struct boot_range range;

		for (u32 i = 0; !is_disabled(fdt, node) && reg_read(fdt, node, i, &range); i++) {
			ram_add(m, &range);
		}
	}
	if (m->ram_count == 0) {
		boot_refuse("device tree: no memory node");
	}
}

/* ---- what is in use ---- */

void boot_take(struct machine *m, u64 base, u64 bytes)
{
	if (bytes == 0) {
		return;
	}
	if (m->taken_count == BOOT_TAKEN_MAX) {
		boot_refuse("device tree: more than %d reservations", BOOT_TAKEN_MAX);
	}
	/* A reservation may claim more than there is: it ends with the address space, not before
	 * its start. */
	bytes = min_u64(bytes, ~0ull - base);
	m->taken[m->taken_count++] = (struct boot_range){ base, bytes };
}

static void reservations_read(struct machine *m)
{
	const void *fdt = m->fdt;
	int parent = fdt_path_offset(fdt, "/reserved-memory");
	int node;

	for (int i = 0; i < fdt_num_mem_rsv(fdt); i++) {
		u64 base;
		u64 bytes;

		if (fdt_get_mem_rsv(fdt, i, &base, &bytes) == 0) {
			boot_take(m, base, bytes);
		}
	}
	if (parent < 0) {
		return;
	}
	fdt_for_each_subnode(node, fdt, parent) {
		struct boot_range range;

		for (u32 i = 0; reg_read(fdt, node, i, &range); i++) {
			boot_take(m, range.base, range.bytes);
		}
	}
}

/* The end of something in use that overlaps [base, end), or 0. */
static u64 overlap_end(const struct machine *m, u64 base, u64 end)
{
	for (u32 i = 0; i < m->taken_count; i++) {
		const struct boot_range *t = &m->taken[i];

		if (t->base < end && base < t->base + t->bytes) {
			return t->base + t->bytes;
		}
	}
	return 0;
}

u64 boot_find_hole(struct machine *m, u64 bytes, u64 align)
{
	for (u32 i = 0; i < m->ram_count; i++) {
		u64 end = m->ram[i].base.v + m->ram[i].pages * PAGE_SIZE;
		u64 at = align_up(m->ram[i].base.v, align);

		while (at < end && bytes <= end - at) {
			u64 next = overlap_end(m, at, at + bytes);

			if (next == 0) {
				boot_take(m, at, bytes);
				return at;
			}
			if (next >= end) {
				break;
			}
			at = align_up(next, align);
		}
	}
	return 0;
}

/* ---- devices ---- */

static void cpus_read(struct machine *m)
{
	const void *fdt = m->fdt;
	int parent = fdt_path_offset(fdt, "/cpus");
	int node;

	fdt_for_each_subnode(node, fdt, parent) {
		struct boot_range reg;

		if (!is_string(fdt, node, "device_type", "cpu") || !reg_read(fdt, node, 0, &reg)) {
			continue;
		}
		if (m->cpu_count == CPU_MAX) {
			boot_refuse("device tree: more than %d CPUs", CPU_MAX);
		}
		m->affinity[m->cpu_count++] = reg.base;
	}
	for (u32 i = 0; i < m->cpu_count; i++) {
		if (m->affinity[i] == arch_cpu_affinity()) {
			return;
		}
	}
	boot_refuse("device tree: the CPU that boots is not under /cpus");
}

static void gic_read(struct machine *m)
{
	int node = fdt_node_offset_by_compatible(m->fdt, -1, "arm,gic-v3");
	u64 regions = 1;

	if (node < 0) {
		boot_refuse("device tree: no GICv3 (QEMU: -M virt,gic-version=3)");
	}
	number_read(m->fdt, node, "#redistributor-regions", &regions);
	/* reg: distributor, then the redistributors */
	while (m->gicr_count < regions && m->gicr_count < BOOT_GICR_MAX &&
	       reg_read(m->fdt, node, 1 + m->gicr_count, &m->gicr[m->gicr_count])) {
		m->gicr_count++;
	}
}

static void hide(struct machine *m, const char *compatible)
{
	int node = -1;

	while ((node = fdt_node_offset_by_compatible(m->fdt, node, compatible)) >= 0) {
		struct boot_range range;

		for (u32 i = 0; reg_read(m->fdt, node, i, &range); i++) {
			u64 base = align_down(range.base, PAGE_SIZE);

			if (m->hidden_count == BOOT_HIDDEN_MAX) {
				boot_refuse("device tree: more than %d frames to hide",
					    BOOT_HIDDEN_MAX);
			}
			m->hidden[m->hidden_count++] = (struct boot_range){
				base, align_up(range.base + range.bytes, PAGE_SIZE) - base
			};
		}
	}
}

static void config_read(struct machine *m)
{
	int node = fdt_node_offset_by_compatible(m->fdt, -1, "qemu,fw-cfg-mmio");

	if (node < 0 || !reg_read(m->fdt, node, 0, &m->config)) {
		m->config = (struct boot_range){ .bytes = 0 };
	}
}

static void firmware_check(const struct machine *m)
{
	int node = fdt_path_offset(m->fdt, "/psci");

	if (node < 0 || !is_string(m->fdt, node, "method", "smc")) {
		boot_refuse("device tree: no /psci with method \"smc\"");
	}
}

static bool is_in_ram(const struct machine *m, const struct boot_range *range)
{
	for (u32 i = 0; i < m->ram_count; i++) {
		u64 base = m->ram[i].base.v;
		u64 bytes = m->ram[i].pages * PAGE_SIZE;

		if (range->base >= base && range->base - base < bytes &&
		    range->bytes <= bytes - (range->base - base)) {
			return true;
		}
	}
	return false;
}

static void chosen_read(struct machine *m)
{
	int node = fdt_path_offset(m->fdt, "/chosen");
	const u8 *seed;
	const char *bootargs;
	int bytes;
	u64 start;
	u64 end;

	if (node < 0 || !number_read(m->fdt, node, "linux,initrd-start", &start) ||
	    !number_read(m->fdt, node, "linux,initrd-end", &end) || end <= start) {
		boot_refuse(
			"no bundle: pass what `ravelin pack` wrote where an initrd goes (QEMU: -initrd)");
	}
	m->bundle = (struct boot_range){ start, end - start };
	if (!is_in_ram(m, &m->bundle)) {
		boot_refuse("device tree: the bundle at 0x%lx is not in RAM", start);
	}
	bootargs = fdt_getprop(m->fdt, node, "bootargs", &bytes);
	/* fdt_check_full does not look into values: a string must end. */
	m->bootargs = bootargs != NULL && bytes > 0 && bootargs[bytes - 1] == '\0' ? bootargs : "";
	m->has_kaslr_seed = fdt_getprop(m->fdt, node, "kaslr-seed", NULL) != NULL;
	seed = fdt_getprop(m->fdt, node, "rng-seed", &bytes);
	if (seed != NULL && bytes > 0) {
		m->seed_bytes = min_u64((u64)bytes, BOOT_SEED_MAX);
		memcpy(m->seed, seed, m->seed_bytes);
	}
}

bool boot_fdt_is_whole(const void *fdt, u64 bytes)
{
	return fdt_version(fdt) >= FDT_VERSION_MIN && fdt_check_full(fdt, bytes) == 0;
}

void boot_fdt_read(void *fdt, struct machine *m)
{
	u64 bytes;

	if (fdt_check_header(fdt) != 0) {
		boot_refuse("x0 does not point to a device tree");
	}
	bytes = fdt_totalsize(fdt);
	if (bytes > FDT_BYTES_MAX) {
		boot_refuse("device tree: %lu bytes are more than the boot protocol allows", bytes);
	}
	arch_boot_map(pa_make((u64)(uintptr_t)fdt), bytes);
	if (!boot_fdt_is_whole(fdt, bytes)) {
		boot_refuse("device tree: damaged");
	}
	m->fdt = fdt;
	boot_take(m, (u64)(uintptr_t)fdt, bytes);
	ram_read(m);
	reservations_read(m);
	cpus_read(m);
	gic_read(m);
	firmware_check(m);
	config_read(m);
	hide(m, "qemu,fw-cfg-mmio");
	hide(m, "arm,smmu-v3");
	chosen_read(m);
	boot_take(m, m->bundle.base, m->bundle.bytes);
}

u64 boot_fdt_bytes(const struct machine *m)
{
	return fdt_totalsize(m->fdt);
}

void boot_fdt_wipe_seeds(const struct machine *m)
{
	static const char *const seeds[] = { "rng-seed", "kaslr-seed" };
	int node = fdt_path_offset(m->fdt, "/chosen");

	for (u32 i = 0; i < ARRAY_SIZE(seeds); i++) {
		int bytes;
		void *value = fdt_getprop_w(m->fdt, node, seeds[i], &bytes);

		if (value != NULL) {
			memset(value, 0, (size_t)bytes);
			arch_clean_range(value, (u64)bytes);
		}
	}
}
