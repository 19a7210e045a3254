/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The two VCPUOps (reference 11.4, 16.3 V1 and V2) as functions of facts: what one exit of a guest
 * tells the host, and what the host's answer changes at the next entry. Whoever uses them says how
 * the hardware left the guest and how other calls ended; all else of the guest's context is neither
 * told nor changed.
 *
 * Deviations from the seeds: what is told is decided by the private syndrome alone, never by what
 * the host wrote; an abort is injected or an answer taken, never both; a syndrome or a mode that no
 * guest of ours can have ends the VM instead of halting the machine.
 */
#ifndef SPEC_EXIT_H
#define SPEC_EXIT_H

#include <cv/types.h>
#include <cv/vcpu.h>
#include <ravelin/abi.h>

enum spec_event { SPEC_EXCEPTION, SPEC_IRQ, SPEC_SERROR };
enum spec_rsi { SPEC_RSI_DONE, SPEC_RSI_WANTS_RAM, SPEC_RSI_WANTS_TABLES };

struct spec_exit {
	/* before the entry */
	bool is_over;	 /* the VM is off, or the machine is about to be */
	bool has_32;	 /* this CPU has AArch32 at EL0 */
	u64 entry_state; /* PSTATE that the entry leads to */
	/* how the guest was left */
	enum spec_event event;
	u64 esr;
	u64 far;
	u64 hpfar;
	u64 pstate;
	const u64 *x; /* x0 to x30 */
	bool irq;     /* the host has an interrupt waiting */
	/* the VM, and what came of the call or abort */
	bool is_protected;
	bool is_ram;	/* the address of the abort is in the VM's RAM, */
	bool is_absent; /* where neither a page is nor one was destroyed */
	bool is_cpu_on; /* CPU_ON's PSCI status is SUCCESS, */
	u32 cpu_on;	/* for this vCPU */
	enum spec_rsi rsi;
};

/* What does not apply is 0. */
struct spec_told {
	bool goes_on; /* nothing: the guest is entered again */
	enum rv_exit reason;
	u32 bytes;
	bool is_write;
	u64 ipa;
	u64 data;
	bool is_off; /* not told: the VM becomes POWEROFF */
};

/* V1: all that the host may know of this exit. */
struct spec_told spec_save_shadow_kvm_regs(const struct spec_exit *exit);

/* Its parts: HVC and SMC, MSR and MRS, aborts; and all but what those tell. */
struct spec_told spec_exit_call(const struct spec_exit *exit);
struct spec_told spec_exit_sysreg(const struct spec_exit *exit);
struct spec_told spec_exit_fault(const struct spec_exit *exit);
struct spec_told spec_exit_other(const struct spec_exit *exit, struct spec_told handled);
bool spec_is_enterable(const struct spec_exit *exit);
bool spec_is_guest_mode(u64 pstate);
bool spec_is_rsi(u32 id);

#define SPEC_NO_REGISTER 31

struct spec_accepted {
	u32 reg; /* the one register that changes */
	u64 value;
	bool is_abort; /* an exception is injected */
	u64 skipped;   /* bytes of the instruction that is over */
};

/* V2: what an answer changes. esr: the syndrome of the exit that asked. */
struct spec_accepted spec_restore_shadow_kvm_regs(const struct vcpu_pending *asked, u64 esr,
						  bool is_abort, u64 data);

#endif
