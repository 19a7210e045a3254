/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The executable specification of who owns what. The state is what the seeds' RData says of memory
 * and VMs (reference 2, 6, 11.2): ledger, EL2's view, each VM's guest memory by gfn, contents as
 * tokens, and how many table pages are left. A call spec_x() returns the status x() must return and
 * changes the state as x() must; on any status but CV_OK it changes nothing. It knows no locks, no
 * TLBs, no caches and no table formats.
 *
 * Deliberate deviations from the seeds: where they HALT we refuse with a status; pages leave a VM
 * scrubbed and the VM's own entry goes too; the core can be given pages and gives them back;
 * sharing is the gfn's wish, not a count; VMs can be killed and destroyed, ids are used again.
 *
 * Scope: machines whose RAM lies in one GiB, VMs whose RAM lies below SPEC_GFNS.
 */
#ifndef SPEC_H
#define SPEC_H

#include <cv/ledger.h>
#include <cv/s2.h>
#include <cv/status.h>
#include <cv/vm.h>

#define SPEC_PAGES 2048 /* RAM pages, by their number in the ledger's order */
#define SPEC_BLOCKS 16	/* 2 MiB regions from the first bank's on */
#define SPEC_GFNS 2048
#define SPEC_GFN_BLOCKS (SPEC_GFNS / 512)
#define SPEC_VMS 4
#define SPEC_DONATED 640
#define SPEC_VCPUS 4
#define SPEC_CONTEXTS 4 /* DMA contexts that calls use; the others never get an owner */
#define SPEC_CONTEXT_BLOCKS (SPEC_BLOCKS > SPEC_GFN_BLOCKS ? SPEC_BLOCKS : SPEC_GFN_BLOCKS)
#define SPEC_SLOTS (SPEC_GFNS > SPEC_PAGES ? SPEC_GFNS : SPEC_PAGES)
#define SPEC_IO 4 /* device pages of the platform's list, from io_base on */

struct spec_page {
	u32 owner;
	bool is_shared;
	bool is_el2;  /* EL2's own map has it */
	bool is_host; /* the host may read it */
	bool is_host_rw;
	u32 count;
	u64 gfn;
	u64 token; /* content; 0: zero. Pages of the core: always 0, their content is not specified
		    */
};

struct spec_gfn {
	u64 pfn; /* 0: not backed */
	enum s2_wish wish;
};

struct spec_image {
	u64 first; /* gfn */
	u64 bytes;
	u64 mapped; /* pages, from the first on */
};

/* What an honest verifier finds in the launch page and the images. */
enum spec_verdict { SPEC_SIGNED, SPEC_MALFORMED, SPEC_NOT_SIGNED, SPEC_AGAINST_POLICY };

struct spec_vm {
	u64 handle; /* 0: none */
	bool is_protected;
	enum vm_state state;
	u32 active;
	u32 ram_count;
	struct vm_ram ram[RV_RAM_RANGES];
	struct spec_gfn gfn[SPEC_GFNS];
	u64 guest_pages;
	u32 donated_count;
	u64 donated[SPEC_DONATED]; /* a stack */
	u64 run_pfn[SPEC_VCPUS];   /* 0: no such vCPU */
	u32 image_count;
	struct spec_image image[RV_IMAGES_MAX];
	bool is_undone; /* a failed check's pages are being given back */
	u64 dma_pages;
	u32 dma_contexts;
	u64 device_pages;
	/* tables */
	u32 tables_free;
	bool has_level2;
	bool has_level3[SPEC_GFN_BLOCKS];
};

struct spec_context {
	bool is_owned;
	u64 vm; /* 0: the host */
	/* Mapped page, 0: none; by gfn, or, the host's, by the page's place in spec_state.page */
	u64 pfn[SPEC_SLOTS];
	u64 pages;
	u32 donated_count;
	u64 donated[SPEC_DONATED];
	u32 tables_free;
	bool has_level2;
	bool has_level3[SPEC_CONTEXT_BLOCKS];
};

/* A device page that a VM may have. */
struct spec_io {
	u64 vm; /* 0: the host's */
	u64 gfn;
};

struct spec_state {
	u32 region_count;
	struct ledger_region region[LEDGER_REGIONS_MAX];
	u32 page_count;
	struct spec_page page[SPEC_PAGES];
	u32 vm_count;
	struct spec_vm vm[SPEC_VMS];
	struct spec_context context[SPEC_CONTEXTS];
	u64 io_base; /* in a block of its own */
	struct spec_io io[SPEC_IO];
	bool has_entropy;
	/* the core's tables */
	bool is_io_split; /* the host's leaf table around io_base; once there, it stays */
	u32 core_free;
	bool hyp_leaf[SPEC_BLOCKS]; /* EL2's map has a leaf table there */
	u64 last_generation;
};

/* NULL: not RAM. */
struct spec_page *spec_page(struct spec_state *state, u64 pfn);
struct spec_vm *spec_vm(struct spec_state *state, u64 handle);
/* Whether the host's map of the 2 MiB around this page needs a leaf table: not all of it is RAM and
 * the host's. */
bool spec_is_split(struct spec_state *state, u64 pfn);

enum cv_status spec_host_donate_core(struct spec_state *state, u64 pfn);
void spec_core_return_host(struct spec_state *state, u64 pfn);
enum cv_status spec_host_share_core(struct spec_state *state, u64 pfn);
void spec_host_unshare_core(struct spec_state *state, u64 pfn);
enum cv_status spec_pool_topup(struct spec_state *state, u64 pfn);

enum cv_status spec_vm_create(struct spec_state *state, u64 record, u64 root, u64 flags,
			      const u64 owner_key[4], u64 *handle);
enum cv_status spec_vm_topup(struct spec_state *state, u64 handle, u64 pfn);
enum cv_status spec_vm_add_ram(struct spec_state *state, u64 handle, u64 gfn, u64 pages);
enum cv_status spec_vm_kill(struct spec_state *state, u64 handle);
enum cv_status spec_vm_destroy(struct spec_state *state, u64 handle, u64 *left);
enum cv_status spec_vm_create_vcpu(struct spec_state *state, u64 handle, u64 index, u64 record,
				   u64 run);

enum cv_status spec_image_add(struct spec_state *state, u64 handle, u64 gpa, u64 bytes, u64 *index);
enum cv_status spec_image_map(struct spec_state *state, u64 handle, u64 index, u64 pfn, u64 pages,
			      u64 *done);
enum cv_status spec_vm_verify(struct spec_state *state, u64 handle, u64 launch,
			      enum spec_verdict verdict, u64 *left);

struct spec_context *spec_context(struct spec_state *state, u64 index);
/* The page that context `index` maps at this iova, 0: none. */
u64 spec_dma_maps(struct spec_state *state, u64 index, u64 iova);
enum cv_status spec_dma_alloc(struct spec_state *state, u64 index, u64 handle, u64 root);
enum cv_status spec_dma_topup(struct spec_state *state, u64 index, u64 pfn);
enum cv_status spec_dma_map(struct spec_state *state, u64 index, u64 iova, u64 pfn, u64 pages,
			    u64 *done);
enum cv_status spec_dma_unmap(struct spec_state *state, u64 index, u64 iova, u64 pages, u64 *next);
enum cv_status spec_dma_free(struct spec_state *state, u64 index, u64 *left);
/* NULL: not of the list. */
struct spec_io *spec_io(struct spec_state *state, u64 pfn);
enum cv_status spec_map_io(struct spec_state *state, u64 handle, u64 gfn, u64 pfn);

enum cv_status spec_map(struct spec_state *state, u64 handle, u64 gfn, u64 pfn, u64 pages,
			u64 *done);
enum cv_status spec_reclaim(struct spec_state *state, u64 handle, u64 gfn, u64 pages, u64 *next);
enum cv_status spec_set_wish(struct spec_state *state, u64 handle, u64 *gfn, u64 end,
			     enum s2_wish wish, bool destroyed);

#endif
