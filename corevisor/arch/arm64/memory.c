/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Table stores, TLB invalidation, caches and the per-CPU window. Guarantees of arch.h: what a
 * function says is done on return, on all CPUs where it says so.
 */
#include <arm64/cpu.h>
#include <arm64/sysreg.h>
#include <cv/arch.h>
#include <cv/arch_host.h>
#include <cv/hyp_map.h>
#include <string.h>

#define CTR_DIC (1ull << 29)
#define CTR_DMINLINE_SHIFT 16
#define WORD_BYTES 4
/* More pages than this are cheaper to forget together with everything else of their VMID. */
#define PAGES_ONE_BY_ONE 8

/* ---- tables ---- */

/* Acquire: who finds a table that another CPU linked without a common lock finds it filled. */
u64 arch_pte_read(const u64 *pte)
{
	return __atomic_load_n(pte, __ATOMIC_ACQUIRE);
}

void arch_pte_write(u64 *pte, u64 value)
{
	__atomic_store_n(pte, value, __ATOMIC_RELAXED);
}

void arch_pte_publish(void)
{
	dsb(ishst);
	isb();
}

void *arch_core_va(pa_t pa)
{
	return (void *)(uintptr_t)pa.v;
}

/* ---- TLB ---- */

struct vmid_scope {
	u64 vttbr;
	u64 tcr;
	u64 sctlr;
	bool is_switched;
};

/*
 * Stage-2 invalidation works on the VMID in VTTBR_EL2. Before another one is put there, stage-1
 * walks of the loaded EL1 world are switched off, so that no speculative walk mixes its stage 1
 * with the other's VMID (Cortex-A57 1319537, Neoverse N1 1165522). EPD counts only with the stage-1
 * MMU on, and a guest may have it off. No table of the other VM is needed: VTTBR's root stays, its
 * VMID alone changes, and nothing can be walked meanwhile. What SPE or TRBE has still to write for
 * the host (drained for guests only, watchers_stop()) may meet TLB entries of that VMID: the host's
 * calls invalidate for open VMs, for dead ones and for those that never ran; a protected VM that
 * runs, only its own.
 */
static struct vmid_scope vmid_enter(vmid_t vmid)
{
	struct vmid_scope scope = { .vttbr = sysreg_read(vttbr_el2) };

	dsb(ish);
	if (scope.vttbr >> VTTBR_VMID_SHIFT == vmid.v) {
		return scope;
	}
	scope.is_switched = true;
	scope.tcr = sysreg_read(tcr_el1);
	scope.sctlr = sysreg_read(sctlr_el1);
	sysreg_write(tcr_el1, scope.tcr | TCR_EPD0 | TCR_EPD1);
	isb();
	sysreg_write(sctlr_el1, scope.sctlr | SCTLR_EL1_M);
	isb();
	sysreg_write(vttbr_el2, (scope.vttbr & ((1ull << VTTBR_VMID_SHIFT) - 1)) |
					(u64)vmid.v << VTTBR_VMID_SHIFT);
	isb();
	return scope;
}

static void vmid_leave(const struct vmid_scope *scope)
{
	if (scope->is_switched) {
		sysreg_write(vttbr_el2, scope->vttbr);
		isb();
		sysreg_write(sctlr_el1, scope->sctlr);
		isb();
		sysreg_write(tcr_el1, scope->tcr);
	}
	isb();
}

/*
 * Boot: no stage 2 has been in force anywhere, and each CPU forgets everything before it puts one
 * in force (cpu.c). From then on HCR_EL2.VM stays set. A broadcast for each page of the corevisor
 * would only take time.
 */
static bool is_before_stage2(void)
{
	return (sysreg_read(hcr_el2) & HCR_VM) == 0;
}

void arch_tlb_invalidate_ipa(vmid_t vmid, ipa_t ipa, u64 bytes)
{
	struct vmid_scope scope;

	if (is_before_stage2()) {
		return;
	}
	/* Page by page through a block would keep every CPU busy for long, with locks held. */
	if (bytes > PAGES_ONE_BY_ONE * PAGE_SIZE) {
		arch_tlb_invalidate_vmid(vmid);
		return;
	}
	scope = vmid_enter(vmid);
	for (u64 at = ipa.v; at < ipa.v + bytes; at += PAGE_SIZE) {
		__asm__ volatile("tlbi ipas2e1is, %0" : : "r"(at >> PAGE_SHIFT) : "memory");
	}
	dsb(ish);
	/* Entries that combine both stages are not found by IPA. */
	__asm__ volatile("tlbi vmalle1is" : : : "memory");
	dsb(ish);
	vmid_leave(&scope);
}

void arch_tlb_invalidate_vmid(vmid_t vmid)
{
	struct vmid_scope scope = vmid_enter(vmid);

	__asm__ volatile("tlbi vmalls12e1is" : : : "memory");
	dsb(ish);
	vmid_leave(&scope);
}

void arch_tlb_invalidate_hyp(u64 va)
{
	dsb(ish);
	__asm__ volatile("tlbi vae2is, %0" : : "r"(va >> PAGE_SHIFT) : "memory");
	dsb(ish);
	isb();
}

void arch_tlb_invalidate_window(u64 va)
{
	arch_tlb_invalidate_hyp(va);
}

/* ---- caches ---- */

static u64 dcache_line(void)
{
	return WORD_BYTES << ((sysreg_read(ctr_el0) >> CTR_DMINLINE_SHIFT) & 0xf);
}

static void clean_invalidate(const void *start, u64 bytes)
{
	u64 line = dcache_line();
	u64 end = (u64)(uintptr_t)start + bytes;

	for (u64 at = align_down((u64)(uintptr_t)start, line); at < end; at += line) {
		__asm__ volatile("dc civac, %0" : : "r"(at) : "memory");
	}
	dsb(sy);
}

void arch_clean_range(const void *start, u64 bytes)
{
	clean_invalidate(start, bytes);
}

void arch_page_clean_invalidate(pfn_t pfn)
{
	clean_invalidate(arch_window_open(pfn), PAGE_SIZE);
	arch_window_close();
}

void arch_icache_invalidate_all(void)
{
	if ((sysreg_read(ctr_el0) & CTR_DIC) == 0) {
		__asm__ volatile("ic ialluis" : : : "memory");
	}
	dsb(ish);
	isb();
}

void arch_page_scrub(pfn_t pfn)
{
	void *page = arch_window_open(pfn);

	memset(page, 0, PAGE_SIZE);
	clean_invalidate(page, PAGE_SIZE);
	arch_window_close();
}

/* ---- the window ---- */

void *arch_window_open(pfn_t pfn)
{
	void *window = hyp_window_set(cpu_this()->index, pfn);

	dsb(ishst);
	isb();
	return window;
}

void arch_window_close(void)
{
	hyp_window_clear(cpu_this()->index);
}
