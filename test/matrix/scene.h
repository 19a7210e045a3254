/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The world before a call, on the core and in the specification: what the scenes of both matrices
 * are built of. The subject is the page that a cell is about; VM a is protected, VM b is open.
 */
#ifndef SCENE_H
#define SCENE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "observe.h"
#include "owner.h"

/* Pages: two blocks of the first bank, and the second bank, which is aligned to nothing. */
#define BLOCK1 (0x40200000ull >> PAGE_SHIFT)
#define SUBJECT (BLOCK1 + 7)
#define BLOCK2 (0x40400000ull >> PAGE_SHIFT)
#define FREE_ROOT (BLOCK2 + 16)
#define FREE_PAGE (BLOCK2 + 20)
#define LAUNCH_GOOD (BLOCK2 + 40)
#define LAUNCH_FOREIGN (BLOCK2 + 41)
#define HEADER_PAGE (BLOCK2 + 50)
#define SPARE (0x409f5000ull >> PAGE_SHIFT) /* the second bank's first */
#define IO (FAKE_IO_BASE >> PAGE_SHIFT)
#define JUNK 0x6a756e6b6a756e6bull

/* Guest pages */
#define GFN_SUBJECT 3ull /* backed by the subject where a VM has it */
#define GFN_FREE 5ull	 /* unbacked, private */
#define GFN_SHARED 6ull	 /* unbacked, shared */
#define GFN_DESTROYED 7ull
#define GFN_BACKED 8ull	 /* backed by another page, in both VMs */
#define GFN_IMAGE 16ull	 /* VM a's image, whose first page is there */
#define GFN_BLOCK 512ull /* 2 MiB of the VM's that nothing backs, with no leaf table */
#define GFN_FAR 600ull	 /* another leaf table */
#define RAM_PAGES 1024ull
#define GFN_IO (RAM_PAGES + 16) /* a device page */

/* DMA contexts: the host's, VM a's, VM b's, and one that calls only name */
enum { OF_HOST, OF_A, OF_B, OF_NOBODY };

extern struct spec_state spec;
extern u64 vm_a;
extern u64 vm_b;
extern u64 vm_dead;	   /* a handle of a VM that was destroyed */
extern struct owner owner; /* VM a's */
extern u64 image_pfn;	   /* the first page of VM a's image */

u64 must(enum cv_status status); /* CV_OK, or the scene cannot be set */
/* A call that succeeds, on core and specification. */
#define BOTH(call_core, call_spec) (must(call_core), must(call_spec))

/* A machine that has booted; the subject has content. */
void scene_begin(void);
/* Pages of the second bank, one after the other; a root is two. */
u64 spare(void);
u64 spare_root(void);
void spares_are_back(void); /* all the host's again: begin with the first one */

/* A VM with RAM_PAGES of RAM and tables for a few leaves. */
u64 make_vm(u64 flags);
void map(u64 handle, u64 gfn, u64 pfn);
/* VM a gets an image of so many pages at GFN_IMAGE; the first one is mapped. */
void make_image(u64 pages);
void set_state(u64 handle, enum vm_state state, u32 active);
/* The stage 2 of VMs a and b is what the fake machine's CPUs walk; none, once they are gone. */
void attach_vms(void);

/* What the guests' calls come to. *next: the first gfn that was not reached. */
enum cv_status wish_core(u64 handle, u64 first, u64 end, enum s2_wish wish, bool destroyed,
			 u64 *next);
enum cv_status wish_spec(u64 handle, u64 first, u64 end, enum s2_wish wish, bool destroyed,
			 u64 *next);
void set_wish(u64 handle, u64 gfn, enum s2_wish wish);

/* The specification learns what a page holds, unless it is the core's. */
void know(u64 pfn);
/* Writes to the head of a page of the host's. */
void put(u64 pfn, const void *data, u64 bytes);

/* The core's tables: as at boot, down to the floor, or none. */
enum pool_scene { POOL_FULL, POOL_LOW, POOL_DRY };
void drain_pool(enum pool_scene scene);

#endif
