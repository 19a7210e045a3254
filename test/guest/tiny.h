/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The smallest host there can be: creates VMs with the calls of abi.h, runs them and emulates a
 * PL011 for them. For images that take the place of Linux. A call that fails without being asked to
 * ends the image.
 */
#ifndef TEST_GUEST_TINY_H
#define TEST_GUEST_TINY_H

#include "env.h"

#include <ravelin/abi.h>

#define TINY_VCPUS 4
#define TINY_RAM_BASE 0x40000000ul
#define TINY_RAM_PAGES 8192ul /* 32 MiB */
#define TINY_IMAGE_GPA (TINY_RAM_BASE + 0x200000)
#define TINY_DTB_GPA (TINY_RAM_BASE + 0x1000000)
#define TINY_UART 0x09000000ul
#define TINY_LINE 128
#define BLOCK_BYTES 0x200000ul

struct tiny_facts { /* RV_VERSION */
	u32 features;
	u32 lrs;
	u32 vcpus_max;
	u32 vcpu_pages;
	u32 vm_pages;
};
extern struct tiny_facts tiny_facts;
/* An owner of protected VMs that need not run. */
extern const struct rv_launch tiny_nobody;

struct tiny_vm {
	const char *name;
	u64 handle;
	bool is_protected;
	bool gives_blocks; /* RAM comes in 2 MiB where nothing is yet */
	bool may_die;	   /* killed from elsewhere: a run may come too late */
	u64 record_pa, root_pa;
	struct rv_run *run[TINY_VCPUS];
	u32 backing[TINY_RAM_PAGES]; /* pfn of each page of guest RAM, 0: none */
	u32 line_length;
	char line[TINY_LINE];
	char last_line[TINY_LINE];
	u64 exits[16]; /* by enum rv_exit */
};

/* An image of the build directory and, for a protected VM, what its owner signed. */
struct tiny_payload {
	const char *image, *image_end;
	const struct rv_launch *launch;
};

/* One call; *out (may be NULL) gets all result registers. */
s64 rv_call(struct smccc *out, u64 id, u64 a, u64 b, u64 c, u64 d, u64 e);
/* The same, and ends the image when the status is another. */
void rv_expect(const char *what, s64 wanted, u64 id, u64 a, u64 b, u64 c, u64 d, u64 e);

/* Reads RV_VERSION, gives the corevisor a first batch of pages. Must come first. */
void tiny_begin(void);

/*
 * Pages of host RAM that nobody else uses, zeroed, neighbours, aligned to `align_pages`; returns
 * the pfn.
 */
u64 tiny_pages(u64 count, u64 align_pages);
/* All pages handed out since the last tiny_rewind() are free again. Pre: nobody has one. The first
 * call only remembers where it begins. */
void tiny_rewind(void);

/* `launch`: a protected VM of this owner; NULL: an open one. */
void tiny_create(struct tiny_vm *vm, const char *name, const struct rv_launch *launch);
/* Gives the VM pages with content; gpa page aligned. Protected: an image, signed or not. */
void tiny_load(struct tiny_vm *vm, u64 gpa, const void *data, u64 bytes);
/* The same with the pages from `pfn` on, as they are. */
void tiny_load_pages(struct tiny_vm *vm, u64 gpa, u64 pfn, u64 bytes);
/* RV_VM_VERIFY until it is done; returns its last status. */
s64 tiny_verify(struct tiny_vm *vm, const struct rv_launch *launch);
/* All of it: a VM with `vcpus` vCPUs that will start at the payload, x0 = its device tree with this
 * command line. */
void tiny_build(struct tiny_vm *vm, const char *name, bool is_protected,
		const struct tiny_payload *payload, u32 vcpus, const char *bootargs);
/* Writes a device tree for `vcpus` CPUs, with this command line, to TINY_DTB_GPA. */
void tiny_load_dtb(struct tiny_vm *vm, u32 vcpus, const char *bootargs);
void tiny_add_vcpu(struct tiny_vm *vm, u32 index);
/* One RV_VCPU_RUN; returns the status, *exit on RV_OK. */
s64 tiny_run_once(struct tiny_vm *vm, u32 index, u64 *exit);
/* Answers RAM, TABLES, WFI and the UART; returns any other exit. */
u64 tiny_run(struct tiny_vm *vm, u32 index);
/*
 * Gives the VM a page of RAM at `gpa`, topping up tables as asked. Returns the status of
 * RV_MEM_MAP.
 */
s64 tiny_map(struct tiny_vm *vm, u64 gpa, u64 pfn);

/*
 * Kill, reclaim everything, destroy; checks that all pages are the host's again and, protected,
 * zero.
 */
void tiny_destroy(struct tiny_vm *vm);
/* Is the page readable, and all zero? */
bool tiny_is_readable(u64 pfn);
bool tiny_is_zero(u64 pfn);
bool tiny_ends_with(const struct tiny_vm *vm, const char *line);

/* Of this image: no detour over a GOT, which knows no labels of inline assembly. */
#define TINY_LOCAL __attribute__((visibility("hidden")))
/* static const struct tiny_payload name = test/guest/<guest>.c, built, and signed in <launch> */
#define TINY_SIGNED(name, guest, launch)                                                      \
	__asm__(".pushsection .rodata; .balign 8; " #name "_image: .incbin \"" guest          \
		".img\"; " #name "_image_end: .balign 8; " #name "_launch: .incbin \"" launch \
		".launch\"; .popsection");                                                    \
	extern const char name##_image[] TINY_LOCAL, name##_image_end[] TINY_LOCAL;           \
	extern const struct rv_launch name##_launch TINY_LOCAL;                               \
	static const struct tiny_payload name = { name##_image, name##_image_end, &name##_launch }
#define TINY_PAYLOAD(name, guest) TINY_SIGNED(name, guest, guest)

#endif
