/* SPDX-License-Identifier: BSD-3-Clause */
/* From the loader to the host's first instruction. Everything read here is the loader's: checked,
 * refusals say why. */
#ifndef CV_BOOT_H
#define CV_BOOT_H

#include <cv/ledger.h>
#include <cv/types.h>

struct boot_range {
	u64 base;
	u64 bytes;
};

#define BOOT_TAKEN_MAX 64
#define BOOT_GICR_MAX 8
#define BOOT_HIDDEN_MAX 8
#define BOOT_SEED_MAX 128

/* What the device tree says of this machine. */
struct machine {
	void *fdt;
	struct ledger_region ram[LEDGER_REGIONS_MAX];
	u32 ram_count;
	/* Pieces of RAM that something lies in: image, device tree, bundle, reservations, and what
	 * boot takes itself. */
	struct boot_range taken[BOOT_TAKEN_MAX];
	u32 taken_count;
	struct boot_range bundle;
	u64 affinity[CPU_MAX];
	u32 cpu_count;
	struct boot_range gicr[BOOT_GICR_MAX];
	u32 gicr_count;
	struct boot_range hidden[BOOT_HIDDEN_MAX]; /* device frames that the host must not reach */
	u32 hidden_count;
	struct boot_range config; /* QEMU's fw_cfg, hidden too; bytes 0: none */
	const char *bootargs; /* "" if there are none */
	u8 seed[BOOT_SEED_MAX];
	u64 seed_bytes;
	bool has_kaslr_seed;
};

/* What the bundle holds: pointers into it. */
struct bundle {
	const void *kernel; /* an arm64 Image */
	u64 kernel_bytes;   /* of the file */
	u64 text_offset;
	u64 image_bytes;	  /* in memory, bss included */
	struct boot_range initrd; /* bytes 0: none */
	const char *bootargs;	  /* "" if there are none */
};

/* What the host's device tree is to say. */
struct host_fdt {
	struct boot_range image; /* the corevisor's, page aligned */
	struct boot_range core;	 /* likewise, without the info pages */
	struct boot_range info;
	struct boot_range initrd;
	const char *bootargs[2]; /* the bundle's and the loader's */
	const u8 *seed;		 /* the host's derived one; NULL: none */
	u64 seed_bytes;
	u64 kaslr_seed; /* 0: the property goes */
};

/* Ends the boot with one line. */
_Noreturn void boot_refuse(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Called by the architecture: MMU and caches on, one CPU. Does not return. */
_Noreturn void boot_main(pa_t dtb, pa_t image, u64 image_bytes);

/* boot_fdt.c */
/* Whether libfdt reads every part of the tree without leaving `bytes`. Pre: the header is sound. */
bool boot_fdt_is_whole(const void *fdt, u64 bytes);
void boot_fdt_read(void *fdt, struct machine *machine);
u64 boot_fdt_bytes(const struct machine *machine);
/* Overwrites the loader's seeds in its own tree, whose pages will be the host's. */
void boot_fdt_wipe_seeds(const struct machine *machine);
/* Remembers that [base, base + bytes) is in use. */
void boot_take(struct machine *machine, u64 base, u64 bytes);
/* The lowest free piece of RAM, and takes it; 0 if there is none. */
u64 boot_find_hole(struct machine *machine, u64 bytes, u64 align);

/* bundle.c */
void bundle_read(const struct boot_range *where, struct bundle *bundle);

/* host_fdt.c: a copy of the loader's tree with the host's view of the machine, at most `room`
 * bytes. */
void host_fdt_write(void *to, u64 room, const struct machine *machine, const struct host_fdt *host);

#endif
