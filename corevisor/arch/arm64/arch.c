/* SPDX-License-Identifier: BSD-3-Clause */
/* Small services of arch.h and arch_host.h. */
#include <arm64/cpu.h>
#include <arm64/sysreg.h>
#include <cv/arch.h>
#include <cv/arch_host.h>
#include <cv/host_psci.h>

/* RNDR: by encoding. Sets Z if there is no random number just now. */
#define SYS_RNDR s3_3_c2_c4_0
#define ISAR0_RNDR_SHIFT 60
/* Affinity fields of MPIDR_EL1: 39:32 and 23:0 */
#define MPIDR_AFFINITY 0xff00ffffffull

/* ---- this CPU ---- */

u32 arch_cpu_index(void)
{
	return cpu_this()->index;
}

u64 arch_cpu_affinity(void)
{
	return sysreg_read(mpidr_el1) & MPIDR_AFFINITY;
}

void arch_wait_event(void)
{
	__asm__ volatile("wfe" : : : "memory");
}

void arch_send_event(void)
{
	dsb(ishst);
	__asm__ volatile("sev" : : : "memory");
}

/* The order of ranks is checked in the hosted builds, which run the same code. */
void arch_lock_taken(const struct lock *lock)
{
	(void)lock;
}

void arch_lock_dropped(const struct lock *lock)
{
	(void)lock;
}

void arch_cpu_relax(void)
{
	__asm__ volatile("yield" : : : "memory");
}

_Noreturn void arch_park(void)
{
	struct cpu *cpu = cpu_this();

	__atomic_store_n(&cpu->in_el2, 0, __ATOMIC_RELEASE);
	for (;;) {
		arch_wait_event();
	}
}

enum arch_place arch_cpu_place(u32 cpu)
{
	if (__atomic_load_n(&cpus[cpu].in_el2, __ATOMIC_ACQUIRE) == 0) {
		return ARCH_AT_HOST;
	}
	return __atomic_load_n(&cpus[cpu].running, __ATOMIC_ACQUIRE) != NULL ? ARCH_AT_GUEST
									     : ARCH_AT_EL2;
}

/* ---- facts ---- */

u64 arch_counter(void)
{
	isb();
	return sysreg_read(cntpct_el0);
}

bool arch_random(u64 *out)
{
	u64 value;
	u64 ok;

	if (ID_FIELD(sysreg_read(SYS_ID_AA64ISAR0_EL1), ISAR0_RNDR_SHIFT) == 0) {
		return false;
	}
	__asm__ volatile("mrs %0, " SYSREG_STRING(SYS_RNDR) "\n\tcset %1, ne"
			 : "=r"(value), "=r"(ok)
			 :
			 : "cc");
	*out = ok != 0 ? value : 0;
	return ok != 0;
}

/* A register's number is part of the instruction, so there is one for each. */
#define ID_CASE(crm, op2)     \
	case 8 * (crm) + (op2): \
		return sysreg_read(s3_0_c0_c##crm##_##op2)
#define ID_ROW(crm)      \
	ID_CASE(crm, 0); \
	ID_CASE(crm, 1); \
	ID_CASE(crm, 2); \
	ID_CASE(crm, 3); \
	ID_CASE(crm, 4); \
	ID_CASE(crm, 5); \
	ID_CASE(crm, 6); \
	ID_CASE(crm, 7)

u64 arch_id_register(u32 crm, u32 op2)
{
	switch (8 * crm + op2) {
		ID_ROW(1);
		ID_ROW(2);
		ID_ROW(3);
		ID_ROW(4);
		ID_ROW(5);
		ID_ROW(6);
		ID_ROW(7);
	default:
		return 0;
	}
}

/* ---- the host's EL1 ---- */

struct el1_entry arch_host_el1(void)
{
	return (struct el1_entry){
		.sctlr = sysreg_read(sctlr_el1),
		.vbar = sysreg_read(vbar_el1),
		.pstate_mask = cpu_this()->pstate_mask,
	};
}

void arch_host_set_exception(u64 esr, u64 far, u64 elr, u64 spsr)
{
	sysreg_write(esr_el1, esr);
	sysreg_write(far_el1, far);
	sysreg_write(elr_el1, elr);
	sysreg_write(spsr_el1, spsr);
}

/* ---- firmware ---- */

u64 arch_firmware_call(u64 fn, u64 a1, u64 a2, u64 a3)
{
	register u64 x0 __asm__("x0") = fn;
	register u64 x1 __asm__("x1") = a1;
	register u64 x2 __asm__("x2") = a2;
	register u64 x3 __asm__("x3") = a3;

	/* SMCCC 1.0 lets firmware change x0 to x17. */
	__asm__ volatile("smc #0"
			 : "+r"(x0), "+r"(x1), "+r"(x2), "+r"(x3)
			 :
			 : "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11", "x12", "x13", "x14",
			   "x15", "x16", "x17", "memory");
	return x0;
}

void arch_cpu_entry(u32 cpu, u64 *entry, u64 *context)
{
	*entry = (u64)(uintptr_t)secondary_entry;
	*context = (u64)(uintptr_t)cpus[cpu].boot;
}
