/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What boot and the host-facing part of the core ask of the architecture, beside cv/arch.h.
 * Implemented by arch/arm64.
 */
#ifndef CV_ARCH_HOST_H
#define CV_ARCH_HOST_H

#include <cv/types.h>

/* The host's registers at its exception to EL2; what the core changes here is what the host returns
 * with. */
struct host_regs {
	u64 x[31];
	u64 pc;
	u64 pstate;
};

/* ---- what an exception entry of the host's EL1 depends on, and makes ---- */
struct el1_entry {
	u64 sctlr;
	u64 vbar;
	u64 pstate_mask; /* the optional PSTATE bits that this CPU has */
};
struct el1_entry arch_host_el1(void);
void arch_host_set_exception(u64 esr, u64 far, u64 elr, u64 spsr);

/* ---- firmware ---- */
/* SMC with w0/x0.. = fn, a1..a3; returns x0. Whatever the firmware does to x1..x17 is dropped. */
u64 arch_firmware_call(u64 fn, u64 a1, u64 a2, u64 a3);
/* Where firmware lets CPU `cpu` enter the corevisor, and the context it must pass. */
void arch_cpu_entry(u32 cpu, u64 *entry, u64 *context);
/* This CPU's affinity as PSCI writes it. */
u64 arch_cpu_affinity(void);

/* ---- stopping ---- */
/* Where CPU `cpu` is just now: below EL2 on the host's behalf (or parked), in a guest during
 * RV_VCPU_RUN, or at EL2. */
enum arch_place { ARCH_AT_HOST, ARCH_AT_GUEST, ARCH_AT_EL2 };
enum arch_place arch_cpu_place(u32 cpu);
/* The machine ends: stacks and vector areas of all CPUs may hold what belonged to guests. Pre: the
 * other CPUs are out of EL2 for good. */
void arch_forget_cpus(void);
void arch_cpu_relax(void); /* a moment; no event needed */

/* ---- vector registers, for the one library that uses them ---- */
/* Saves all of this CPU's FP, SVE and SME register state and switches traps off; end wipes and
 * restores. No nesting. */
void arch_fp_begin(void);
void arch_fp_end(void);

/* ---- boot ---- */
struct boot_range;
/* NULL, or why this machine cannot run the corevisor. */
const char *arch_boot_unfit(void);
/* Makes [base, base + bytes) readable and writable through the boot map. */
void arch_boot_map(pa_t base, u64 bytes);
void arch_boot_map_device(pa_t base, u64 bytes);
/* Stacks and vector areas of `count` CPUs: how much memory, whole pages. */
u64 arch_boot_cpus_bytes(u32 count);
/* Builds the per-CPU structures, stacks at `base`; index i has affinity[i], its redistributor is
 * looked for in `gicr`. */
void arch_boot_cpus(pa_t base, const u64 *affinity, u32 count, const struct boot_range *gicr,
		    u32 gicr_count);
/* Puts image, stacks (without their guard pages) and device frames into EL2's map. */
void arch_boot_map_self(void);
/* From the boot map to the map at `root`: W^X from here on. Other CPUs will arrive in it, too. */
void arch_boot_seal(pa_t root);
/* Builds the EL2 environment of this CPU and enters the host at `pc` with x0; does not return. */
_Noreturn void arch_boot_enter_host(u64 pc, u64 x0);
void arch_clean_range(const void *start,
		      u64 bytes); /* data cache: clean and invalidate, to the point of coherency */

#endif
