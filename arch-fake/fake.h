/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A machine on the PC for the portable core: sparse RAM with a cached and a DRAM copy of each page
 * and a stale I-cache, TLBs that keep every translation until they are told, CPUs to switch
 * between, and hostile CPUs that act at the worst moment. What the architecture leaves open goes
 * against the core. Whatever is wrong stops the test, loudly.
 */
#ifndef FAKE_H
#define FAKE_H

#include <cv/ledger.h>
#include <cv/mem.h>
#include <cv/s2.h>
#include <cv/types.h>
#include <cv/vm.h>

#define FAKE_CPUS (CPU_MAX < 4 ? CPU_MAX : 4)
/* Who walks DMA contexts, and keeps what it saw in a TLB of its own: not a CPU, but where a CPU's
 * number is asked for, this is the SMMU's; its VMIDs are S2_VMID_DMA + context. */
#define FAKE_SMMU FAKE_CPUS
#define FAKE_WALKERS (FAKE_CPUS + 1)

/* Says what is wrong and aborts. */
_Noreturn void fake_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* ---- the machine ---- */
struct fake_machine {
	struct ledger_region regions[LEDGER_REGIONS_MAX];
	u32 region_count;
	u64 core_base;	 /* the corevisor's own pages: roots, info page, boot reserve of tables;
			    inside RAM */
	u32 core_tables; /* pages of the boot reserve */
	u64 hidden_base; /* a device of one page that the host must not reach */
	u64 io_base;	 /* device pages that the platform lets VMs have */
};
/* Two banks, the second one not aligned to 2 MiB at either end. */
extern const struct fake_machine fake_small_machine;
#define FAKE_CORE_ROOTS_PAGES 4ull /* host root (2), EL2 root, info page */
/* A new machine; boots the memory part of the core on it. */
void fake_boot(const struct fake_machine *machine);
void fake_halt(void);		       /* frees it */
#define FAKE_HIDDEN_BASE 0x08080000ull /* where fake_small_machine's hidden device is */
u64 fake_info_pfn(void);	       /* the page that the host may only read */

/* ---- CPUs ---- */
void fake_cpu_set(u32 cpu); /* this thread is CPU `cpu` from now on */
u32 fake_locks_held(void);  /* mask of ranks held by this CPU */
/* The locks that this CPU has taken since fake_lock_log_begin(), each once; returns how many. */
#define FAKE_LOCK_LOG 16
void fake_lock_log_begin(void);
u32 fake_lock_log(const struct lock *locks[FAKE_LOCK_LOG]);
u32 fake_ranks_taken(void); /* mask of the ranks of all of them, the forgotten ones, too */
void fake_counter_set(u64 value);
/* What an open VM's creator says, and tests that sign nothing. */
extern const u64 fake_no_owner[4];
extern bool fake_entropy; /* what rng_is_ready() and arch_random() say */

/* ---- what software at EL1 does, through TLB and caches ---- */
enum fake_cacheable { FAKE_UNCACHED, FAKE_CACHED };
/* The stage 2 that a VMID stands for; the host's is attached at boot. root 0 detaches. */
void fake_attach(u32 vmid, pa_t root);
bool fake_read(u32 cpu, u32 vmid, u64 ipa, u64 *value, enum fake_cacheable cacheable);
bool fake_write(u32 cpu, u32 vmid, u64 ipa, u64 value, enum fake_cacheable cacheable);
/* Fetches the word at `ipa` as an instruction: what the I-cache holds, if it holds the page. */
bool fake_fetch(u32 cpu, u32 vmid, u64 ipa, u64 *value);
/* The same with what the host's fault handler does at EL2: false means that the host gets a fault
 * injected. */
bool fake_host_read(u32 cpu, u64 ipa, u64 *value);
bool fake_host_write(u32 cpu, u64 ipa, u64 value);
bool fake_host_fetch(u32 cpu, u64 ipa, u64 *value);

/* ---- what devices do ---- */
/* Through the context's table and the SMMU's TLB, coherent. False: the access is aborted. */
bool fake_dma_read(u32 context, u64 iova, u64 *value);
bool fake_dma_write(u32 context, u64 iova, u64 value);
pa_t fake_dma_root(u32 context); /* where they walk from; 0: nowhere */
/* Device pages that the platform lets VMs have, in fake_small_machine; the one behind them it does
 * not. */
#define FAKE_IO_BASE 0x10000000ull
#define FAKE_IO_PAGES 8
#define FAKE_IO_HIGH 0x8000000000ull /* one more, alone in its GiB */

/* ---- hostility ---- */
/* From now on every CPU (DMA contexts: the SMMU) may walk for this address, speculatively, at any
 * moment. */
void fake_watch(u32 vmid, u64 ipa);
/* From now on CPU `cpu` writes `value` there, cacheable and not, whenever its TLB or tables let it.
 */
void fake_hostile_writer(u32 cpu, u32 vmid, u64 ipa, u64 value);
void fake_calm(void); /* forgets watches and writers */

/* ---- what must hold between calls ---- */
/* No TLB (stage 2, walk caches, EL2's own) holds what the tables do not say. Then warms them for
 * all watches. */
void fake_check_tlbs(void);
/* Cached and DRAM copy agree, and no stale instruction of the page is left. */
bool fake_page_is_clean(u64 pfn);
bool fake_page_is_zero(u64 pfn); /* in both copies */
/* A digest of what a cacheable access would see; 0: all zero. */
u64 fake_page_token(u64 pfn);
/* Looks at a page's word around all protection (the test's own eye). */
u64 fake_peek(u64 pfn, u64 offset);
void fake_poke(u64 pfn, u64 offset, u64 value); /* cached copy, as EL2 or a CPU would */
/* EL2's own map has this page. */
bool fake_el2_maps(u64 pfn);

/* ---- counts since fake_boot ---- */
struct fake_counts {
	u64 tlb_ipa, tlb_vmid, tlb_hyp, tlb_dma, cleans, scrubs, icache, pte_writes;
};
extern struct fake_counts fake_counts;

#endif
