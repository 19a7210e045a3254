/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the portable core asks of the architecture. Implemented by arch/arm64 (EL2) and by arch-fake
 * (the PC), which models caches, stale TLB entries and several CPUs. Nothing here can fail.
 */
#ifndef CV_ARCH_H
#define CV_ARCH_H

#include <cv/types.h>

struct lock;
struct vcpu;

/* ---- this CPU ---- */
u32 arch_cpu_index(void);   /* 0 .. CPU_MAX-1, dense, in the device tree's order */
void arch_wait_event(void); /* WFE */
void arch_send_event(void); /* SEV, after a dsb */
/* This CPU is about to wait for, or to release, this lock. Hosted builds check the order of ranks;
 * EL2 nothing. */
void arch_lock_taken(const struct lock *lock);
void arch_lock_dropped(const struct lock *lock);
_Noreturn void arch_park(void); /* this CPU stops for good */

/* ---- memory ---- */
/* EL2's view of a page that is mapped in EL2's own map (image, boot reserve, donated pages). */
void *arch_core_va(pa_t pa);
/* This CPU's one-page window on any page of RAM. One at a time, never across a return to a lower
 * level. */
void *arch_window_open(pfn_t pfn);
void arch_window_close(void);

/* Data cache: clean and invalidate the page to the point of coherency (design.md 3.2). */
void arch_page_clean_invalidate(pfn_t pfn);
/* Instruction cache: what was written to the page may now be executed anywhere (no-op when
 * CTR_EL0.DIC). */
void arch_icache_invalidate_all(void);
/* Zeroes a page through the window, then cleans and invalidates it to the point of coherency. */
void arch_page_scrub(pfn_t pfn);

/* ---- stage 1 of EL2 and stage 2: one store each; the caller owns order and TLB ---- */
u64 arch_pte_read(const u64 *pte);
void arch_pte_write(u64 *pte, u64 value);
/* Makes earlier table writes visible to all walkers (dsb ishst). */
void arch_pte_publish(void);
/*
 * All CPUs forget stage-2 translations of [ipa, ipa + bytes), of every level (IPAS2E1IS, not the
 * last-level form: tables come and go), and the combined ones of the VMID; dsb before and after.
 */
void arch_tlb_invalidate_ipa(vmid_t vmid, ipa_t ipa, u64 bytes);
void arch_tlb_invalidate_vmid(vmid_t vmid);
/*
 * All CPUs forget EL2's own translation of one page. A window's too, though one CPU alone uses it:
 * others may have walked it by speculation, and must not come to hold two values of one entry.
 */
void arch_tlb_invalidate_hyp(u64 va);
void arch_tlb_invalidate_window(u64 va);

/* ---- DMA contexts: walked by an SMMU, remembered in its TLB, known to no CPU ---- */
/* From now on the context's devices walk from `root`, 0: reach nothing. On return no walk from the
 * former root is under way; what devices remember of it is for arch_dma_invalidate(). */
void arch_dma_set_root(u32 context, pa_t root);
/* The context's devices forget [iova, iova + bytes), of every level; done on return. */
void arch_dma_invalidate(u32 context, ipa_t iova, u64 bytes);

/* ---- running vCPUs: see cv/vcpu.h ---- */
/*
 * arch_vcpu_load: this CPU leaves the host's EL1 world and holds the vCPU's (system registers,
 * traps, stage 2, timers, list registers); arch_vcpu_put is the inverse. Between them
 * arch_vcpu_enter runs the guest until its next exception and leaves the facts in vcpu->exit, which
 * only the corevisor can write. FP/SIMD is switched lazily inside.
 */
enum arch_event { ARCH_EVENT_SYNC, ARCH_EVENT_IRQ, ARCH_EVENT_SERROR };
void arch_vcpu_load(struct vcpu *vcpu);
enum arch_event arch_vcpu_enter(struct vcpu *vcpu);
void arch_vcpu_put(struct vcpu *vcpu);
/* False while this CPU's host is in a mode that a guest must not run in (streaming SVE). */
bool arch_vcpu_may_run(void);
/* A physical interrupt waits for this CPU's host. */
bool arch_irq_is_pending(void);

/* ---- facts ---- */
u64 arch_counter(void);	    /* CNTPCT_EL0 */
bool arch_random(u64 *out); /* RNDR; false: none, or none just now */
u32 arch_lr_count(void);    /* list registers of the vGIC, 1..16 */
/* The hardware's value of the ID register op0=3 op1=0 CRn=0 CRm=1..7 op2 (index CRm*8+op2),
 * unsanitised. */
u64 arch_id_register(u32 crm, u32 op2);

/* ---- the world outside ---- */
/* Whether a device page may be handed to a VM: not what the host or the corevisor works with. */
bool plat_is_assignable(pfn_t pfn);
/* Boot. The secret that snapshots are sealed with, the same at each boot of this machine; false:
 * there is none. config: the platform's configuration device,
 * mapped. */
bool plat_root_secret(pa_t config, u8 secret[32]);
void plat_console_write(const char *text, size_t bytes);

#endif
