/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The executable specification of who owns what. The state is what the seeds' RData says of memory
 * and VMs (reference 2, 6, 11.2): ledger, EL2's view, each VM's guest memory by gfn, contents as
 * tokens, and how many table pages are left. What exits and entries of a guest do to its registers
 * is in spec_exit.h, apart, for it needs none of this. A call spec_x() returns the status x() must
 * return and changes the state as x() must; on any status but CV_OK it changes nothing. It knows no
 * locks, no TLBs, no caches and no table formats.
 *
 * Deliberate deviations from the seeds: where they HALT we refuse with a status; pages leave a VM
 * scrubbed and the VM's own entry goes too; the core can be given pages and gives them back;
 * sharing is the gfn's wish, not a count; VMs can be killed and destroyed, ids are used again.
 *
 * Scope: RAM within SPEC_BLOCKS of the first bank's block and one top-level entry of EL2's map; VMs
 * whose RAM lies below SPEC_GFNS. "2 MiB" and "GiB" are what one entry of level 2 and 1 covers.
 */
#ifndef SPEC_H
#define SPEC_H

#include <cv/ledger.h>
#include <cv/s2.h>
#include <cv/status.h>
#include <cv/vcpu.h>
#include <cv/vm.h>

#include <spec_size.h>

#define PAGES_PER_GIB (PAGES_PER_BLOCK * TABLE_ENTRIES)
#define SPEC_GIBS (SPEC_BLOCKS / TABLE_ENTRIES + 2) /* from the first bank's on */
#define SPEC_GFN_BLOCKS (SPEC_GFNS / PAGES_PER_BLOCK)
#define SPEC_GFN_GIBS ((SPEC_GFNS + PAGES_PER_GIB - 1) / PAGES_PER_GIB)
#define SPEC_CONTEXT_BLOCKS (SPEC_BLOCKS > SPEC_GFN_BLOCKS ? SPEC_BLOCKS : SPEC_GFN_BLOCKS)
#define SPEC_CONTEXT_GIBS (SPEC_GIBS > SPEC_GFN_GIBS ? SPEC_GIBS : SPEC_GFN_GIBS)
#define SPEC_SLOTS (SPEC_GFNS > SPEC_PAGES ? SPEC_GFNS : SPEC_PAGES)

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

/* A snapshot under way. */
struct spec_seal {
	enum seal_mode mode;
	u64 next_vcpu;
	u64 next_gfn;
	bool is_complete;
	u64 records;
	u64 pages;
};

/* What a header says of the VM that it is to be loaded into. */
enum spec_header { SPEC_HEADER_FITS, SPEC_HEADER_DIFFERS, SPEC_HEADER_OF_ANOTHER };

enum spec_vcpu_state { SPEC_VCPU_UNUSED, SPEC_VCPU_READY, SPEC_VCPU_ACTIVE };

struct spec_vcpu {
	enum spec_vcpu_state state;
	enum vcpu_power power;
	bool has_run;
	u64 run_pfn;
	u64 entry_pc; /* where it begins once it was switched on */
	u64 entry_x0;
	u64 pc; /* registers; the guest's own changes are not modelled */
	u64 x0;
};

struct spec_vm {
	u64 handle; /* 0: none */
	bool is_protected;
	enum vm_state state;
	u32 active; /* vCPUs that are ACTIVE */
	struct spec_vcpu vcpu[SPEC_VCPUS];
	u32 ram_count;
	struct vm_ram ram[RV_RAM_RANGES];
	struct spec_gfn gfn[SPEC_GFNS];
	u64 guest_pages;
	u32 donated_count;
	u64 donated[SPEC_DONATED]; /* a stack */
	u32 image_count;
	struct spec_image image[RV_IMAGES_MAX];
	bool is_undone; /* a failed check's pages are being given back */
	u64 entry;	/* VERIFIED and protected: where its owner says that it starts */
	u64 dma_pages;
	u32 dma_contexts;
	u64 device_pages;
	bool may_be_saved;
	struct spec_seal seal;
	/* tables */
	u32 tables_free;
	bool has_level2[SPEC_GFN_GIBS];
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
	/* tables; the host's are counted as those of EL2's map, a VM's from gfn 0 */
	u32 tables_free;
	bool has_level2[SPEC_CONTEXT_GIBS];
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
	bool hyp_level2[SPEC_GIBS]; /* and one of level 2 there */
	bool host_level2[SPEC_GIBS];
	u64 last_generation;
};

/* NULL: not RAM. */
struct spec_page *spec_page(struct spec_state *state, u64 pfn);
u64 spec_pfn(const struct spec_state *state, u32 index); /* the inverse: of page[index] */
struct spec_vm *spec_vm(struct spec_state *state, u64 handle);
/* Whether the host's map of the 2 MiB around this page has a leaf table: it has none if all of it
 * is RAM and the host's, or is one leaf of a VM's. */
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
			      enum spec_verdict verdict, u64 entry, bool may_be_saved, u64 *left);
enum cv_status spec_vm_measure(struct spec_state *state, u64 handle, u64 what);

/* NULL: no such VM or vCPU. */
struct spec_vcpu *spec_vcpu(struct spec_state *state, u64 handle, u64 index);
enum cv_status spec_vcpu_boot(struct spec_state *state, u64 handle, u64 index, u64 pc, u64 x0);
enum cv_status spec_vcpu_claim(struct spec_state *state, u64 handle, u64 index, bool cpu_may_run);
enum cv_status spec_vcpu_read_regs(struct spec_state *state, u64 handle, u64 index);
/* Pre for the rest: this vCPU, or another one of the VM (cpu_on, affinity_info), is ACTIVE. */
enum cv_status spec_vcpu_start(struct spec_state *state, u64 handle, u64 index);
void spec_vcpu_release(struct spec_state *state, u64 handle, u64 index);
/* The statuses of PSCI. */
s64 spec_vcpu_cpu_on(struct spec_state *state, u64 handle, u64 mpidr, u64 pc, u64 x0, u32 *index);
s64 spec_vcpu_affinity_info(struct spec_state *state, u64 handle, u64 mpidr, u64 level);
void spec_vcpu_cpu_off(struct spec_state *state, u64 handle, u64 index);
void spec_vcpu_stop_vm(struct spec_state *state, u64 handle);

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
enum cv_status spec_seal_save_begin(struct spec_state *state, u64 handle, u64 pfn, u64 token);
enum cv_status spec_seal_save_vcpu(struct spec_state *state, u64 handle, u64 index, u64 pfn,
				   u64 token);
enum cv_status spec_seal_save_page(struct spec_state *state, u64 handle, u64 pfn, u64 token,
				   u64 *gfn, u64 *what);
enum cv_status spec_seal_save_end(struct spec_state *state, u64 handle, u64 pfn, u64 token);
enum cv_status spec_seal_abort(struct spec_state *state, u64 handle);
enum cv_status spec_seal_load_begin(struct spec_state *state, u64 handle, u64 pfn,
				    enum spec_header header);
/* saved: the vCPU as it was when it was saved; NULL: the record does not open here. */
enum cv_status spec_seal_load_vcpu(struct spec_state *state, u64 handle, u64 index, u64 pfn,
				   const struct spec_vcpu *saved);
enum cv_status spec_seal_load_page(struct spec_state *state, u64 handle, u64 gfn, u64 what, u64 pfn,
				   bool is_next, u64 token);
enum cv_status spec_seal_load_end(struct spec_state *state, u64 handle, u64 pfn, bool is_next);

enum cv_status spec_map(struct spec_state *state, u64 handle, u64 gfn, u64 pfn, u64 pages,
			u64 *done);
enum cv_status spec_reclaim(struct spec_state *state, u64 handle, u64 gfn, u64 pages, u64 *next);
enum s2_wish spec_get_wish(struct spec_state *state, u64 handle, u64 gfn, u64 end, u64 *until);
/* The core writes some bytes for a guest; the page's new token is the caller's to set. */
enum cv_status spec_vm_write(struct spec_state *state, u64 handle, u64 ipa, u64 bytes);
enum cv_status spec_set_wish(struct spec_state *state, u64 handle, u64 *gfn, u64 end,
			     enum s2_wish wish, bool destroyed);

#endif
