/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * From the loader to the host's first instruction: read the machine, find room, load the host,
 * build the tables, seal. Guarantees: before the host's first instruction everything of the
 * corevisor is out of the host's reach.
 */
#include <cv/boot.h>

#include <cv/arch.h>
#include <cv/arch_host.h>
#include <cv/check.h>
#include <cv/dma.h>
#include <cv/host_psci.h>
#include <cv/hyp_map.h>
#include <cv/info.h>
#include <cv/log.h>
#include <cv/mem.h>
#include <cv/panic.h>
#include <cv/rng.h>
#include <cv/seal.h>
#include <cv/vm.h>
#include <stdarg.h>
#include <string.h>

/* Table pages that are left for the host's first donations, beside what boot itself uses. */
#define SPARE_TABLES 64
/* EL2's map: levels 0 to 2, windows, devices; the host's: levels 2 and 3 around our memory and what
 * is hidden. */
#define BOOT_TABLES 40
#define HOST_SEED_BYTES 64
/* What the edits add to the device tree, command line apart */
#define FDT_GROWTH 4096
#define KERNEL_ALIGN (2ull << 20)
#define MIB(bytes) ((bytes) >> 20)
#define KIB(bytes) ((bytes) >> 10)

/* The corevisor's memory beside its image: one piece, from low to high. The locks of the ledger
 * count as tables. */
struct layout {
	struct boot_range image;
	struct boot_range core; /* all that follows but the info pages */
	u64 cpus;
	u64 hyp_root;
	u64 host_root;
	u64 reserve;
	u64 reserve_pages;
	u64 blocks;
	u64 ledger;
	u64 ledger_bytes;
	struct boot_range info;
};

static struct machine machine;
static struct bundle bundle;
static struct layout layout;

_Noreturn void boot_refuse(const char *format, ...)
{
	/* The format's own text says enough; its numbers are few. */
	va_list args;

	va_start(args, format);
	log_line_va(format, args);
	va_end(args);
	log_line("stopped before the host was entered");
	arch_park();
}

static void layout_take(struct boot_range image)
{
	u64 cpus = arch_boot_cpus_bytes(machine.cpu_count);
	u64 ledger = align_up(ledger_entries_bytes(machine.ram, machine.ram_count), PAGE_SIZE);
	u64 blocks = align_up(ledger_blocks_bytes(machine.ram, machine.ram_count), PAGE_SIZE);
	/* EL2 maps the ledger with 4 KiB leaves. */
	u64 reserve =
		SPARE_TABLES + BOOT_TABLES + 6 * machine.ram_count + (ledger + blocks) / BLOCK_SIZE;
	u64 roots = (1 + S2_ROOT_PAGES) * PAGE_SIZE;
	u64 core = roots + cpus + reserve * PAGE_SIZE + blocks + ledger;
	u64 at = boot_find_hole(&machine, core + INFO_PAGES * PAGE_SIZE, S2_ROOT_PAGES * PAGE_SIZE);

	if (at == 0) {
		boot_refuse("no room for %lu KiB of tables and ledger", KIB(core));
	}
	layout = (struct layout){ .image = image, .core = { at, core }, .reserve_pages = reserve };
	layout.host_root = at;
	layout.hyp_root = at + S2_ROOT_PAGES * PAGE_SIZE;
	layout.cpus = at + roots;
	layout.reserve = layout.cpus + cpus;
	layout.blocks = layout.reserve + reserve * PAGE_SIZE;
	layout.ledger = layout.blocks + blocks;
	layout.ledger_bytes = ledger;
	layout.info = (struct boot_range){ at + core, INFO_PAGES * PAGE_SIZE };
	arch_boot_map(pa_make(at), core + layout.info.bytes);
	memset((void *)(uintptr_t)at, 0, core + layout.info.bytes);
}

/* The kernel where its header wants it; returns its entry. */
static u64 kernel_load(void)
{
	u64 base = boot_find_hole(&machine, bundle.text_offset + bundle.image_bytes, KERNEL_ALIGN);
	u64 entry = base + bundle.text_offset;

	if (base == 0) {
		boot_refuse("no room for the kernel (%lu MiB)", MIB(bundle.image_bytes));
	}
	arch_boot_map(pa_make(entry), bundle.image_bytes);
	memcpy((void *)(uintptr_t)entry, bundle.kernel, bundle.kernel_bytes);
	/* It starts with its MMU off. */
	arch_clean_range((const void *)(uintptr_t)entry, bundle.kernel_bytes);
	arch_icache_invalidate_all();
	return entry;
}

static u64 fdt_write(void)
{
	u8 seed[HOST_SEED_BYTES];
	u64 kaslr = 0;
	u64 room = align_up(boot_fdt_bytes(&machine) + FDT_GROWTH + strlen(bundle.bootargs) +
				    strlen(machine.bootargs),
			    PAGE_SIZE);
	u64 at = boot_find_hole(&machine, room, KERNEL_ALIGN);
	struct host_fdt host = {
		.image = layout.image,
		.core = layout.core,
		.info = layout.info,
		.initrd = bundle.initrd,
		.bootargs = { bundle.bootargs, machine.bootargs },
		.seed_bytes = sizeof(seed),
	};

	if (at == 0) {
		boot_refuse("no room for the device tree (%lu KiB)", KIB(room));
	}
	arch_boot_map(pa_make(at), room);
	host.seed = rng_bytes(seed, sizeof(seed)) ? seed : NULL;
	rng_bytes(&kaslr, sizeof(kaslr));
	host.kaslr_seed = kaslr;
	host_fdt_write((void *)(uintptr_t)at, room, &machine, &host);
	arch_clean_range((const void *)(uintptr_t)at, room);
	memset(seed, 0, sizeof(seed));
	return at;
}

/* Ledger, pool and EL2's own map; on return EL2 runs in it. */
static void tables_build(void)
{
	struct pool *pool = mem_core_pool();

	if (ledger_init(machine.ram, machine.ram_count, (u64 *)(uintptr_t)layout.ledger,
			(struct ledger_block *)(uintptr_t)layout.blocks) != CV_OK) {
		boot_refuse("device tree: banks of RAM overlap");
	}
	pool_init(pool);
	for (u64 i = 0; i < layout.reserve_pages; i++) {
		pool_put(pool, pa_pfn(pa_make(layout.reserve + i * PAGE_SIZE)));
	}
	hyp_map_init(pa_make(layout.hyp_root), pool);
	arch_boot_map_self();
	hyp_map_boot(pa_make(layout.hyp_root), PAGE_SIZE, HYP_DATA);
	hyp_map_boot(pa_make(layout.host_root), S2_ROOT_PAGES * PAGE_SIZE, HYP_DATA);
	hyp_map_boot(pa_make(layout.reserve), layout.info.base + layout.info.bytes - layout.reserve,
		     HYP_DATA);
	hyp_map_windows(machine.cpu_count);
	hyp_map_seal();
	arch_boot_seal(pa_make(layout.hyp_root));
}

/* The host's view: all of RAM but ours, all devices but the hidden ones. */
static void host_contain(void)
{
	mem_boot_host_map(pa_make(layout.host_root));
	mem_boot_take_core(pa_make(layout.image.base), layout.image.bytes);
	mem_boot_take_core(pa_make(layout.core.base), layout.core.bytes);
	mem_boot_take_core(pa_make(layout.info.base), layout.info.bytes);
	mem_boot_host_read_only(pa_make(layout.info.base), layout.info.bytes);
	for (u32 i = 0; i < machine.hidden_count; i++) {
		mem_boot_hide_device(pa_make(machine.hidden[i].base), machine.hidden[i].bytes);
	}
	vm_init();
	dma_init();
	panic_arm();
}

static void entropy_init(void)
{
	rng_init(machine.seed, machine.seed_bytes);
	memset(machine.seed, 0, sizeof(machine.seed));
	/* The loader's copy in the tree is wiped, too: its page goes to the host. */
	boot_fdt_wipe_seeds(&machine);
	if (!rng_is_ready()) {
		log_line("entropy: none (no RNDR, no rng-seed): no TRNG, no protected VMs");
	}
}

static void sealing_init(void)
{
	u8 secret[CRYPTO_KEY_BYTES];
	bool is_given = false;

	if (machine.config.bytes > 0) {
		arch_boot_map_device(pa_make(machine.config.base), machine.config.bytes);
		is_given = plat_root_secret(pa_make(machine.config.base), secret);
	}
	seal_init(is_given ? secret : NULL);
	memset(secret, 0, sizeof(secret));
	log_line("sealing: %s", is_given ? "root secret from the platform"
					 : "no root secret from the platform: snapshots open "
					   "until the next boot only");
}

static void machine_read(pa_t dtb, struct boot_range image)
{
	const char *unfit = arch_boot_unfit();
	u64 pages = 0;

	if (unfit != NULL) {
		boot_refuse("%s", unfit);
	}
	boot_take(&machine, image.base, image.bytes);
	boot_fdt_read((void *)(uintptr_t)dtb.v, &machine);
	for (u32 i = 0; i < machine.ram_count; i++) {
		pages += machine.ram[i].pages;
	}
	log_line("machine: %u CPUs, %lu MiB of RAM in %u bank(s)", machine.cpu_count,
		 MIB(pages << PAGE_SHIFT), machine.ram_count);
	bundle_read(&machine.bundle, &bundle);
	log_line("bundle: kernel %lu KiB, initrd %lu KiB", KIB(bundle.kernel_bytes),
		 KIB(bundle.initrd.bytes));
}

static u32 self_index(void)
{
	u32 i = 0;

	while (machine.affinity[i] != arch_cpu_affinity()) {
		i++;
	}
	return i;
}

_Noreturn void boot_main(pa_t dtb, pa_t image_base, u64 image_bytes)
{
	struct boot_range image = { image_base.v, image_bytes };
	u64 kernel;
	u64 fdt;

	log_line("Ravelin, ABI %d.%d, at 0x%lx, EL2", RV_ABI_MAJOR, RV_ABI_MINOR, image.base);
	machine_read(dtb, image);
	layout_take(image);
	arch_boot_cpus(pa_make(layout.cpus), machine.affinity, machine.cpu_count, machine.gicr,
		       machine.gicr_count);
	host_psci_init(machine.affinity, machine.cpu_count, self_index());
	entropy_init();
	sealing_init();
	kernel = kernel_load();
	fdt = fdt_write();
	tables_build();
	host_contain();
	info_init(
		pa_make(layout.info.base), rng_is_ready() ? RV_FEAT_ENTROPY : 0,
		&(struct info_sizes){ machine.cpu_count, layout.image.bytes, layout.ledger_bytes });
	info_cpu_online(1);
	log_line(
		"memory: image %lu KiB, tables and stacks %lu KiB, ledger %lu KiB, %u table pages free",
		KIB(layout.image.bytes),
		KIB(layout.core.bytes - layout.ledger_bytes + layout.info.bytes),
		KIB(layout.ledger_bytes), pool_count(mem_core_pool()));
	log_line("host: kernel at 0x%lx, device tree at 0x%lx; entering EL1", kernel, fdt);
	log_leave_console();
	arch_boot_enter_host(kernel, fdt);
}
