/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * vCPU records and power states. A vCPU is READY <-> ACTIVE (on a CPU) for the host's scheduling
 * and, decided by the guest alone, powered ON or OFF. It becomes READY by its last store-release,
 * after everything is saved. Seed: VCPUOps, VMPower (reference 9, 16.3).
 */
#ifndef CV_VCPU_H
#define CV_VCPU_H

#include <cv/context.h>
#include <cv/status.h>
#include <cv/types.h>
#include <cv/vm.h>

enum vcpu_run_state { VCPU_READY, VCPU_ACTIVE };
enum vcpu_power { VCPU_OFF, VCPU_ON_PENDING /* CPU_ON accepted, not yet entered */, VCPU_ON };

/* The facts of the last exit, read from the hardware, in memory only the corevisor writes. */
struct vcpu_exit {
	u64 esr;
	u64 far;
	u64 hpfar;
};

struct vgic_state {
	u64 lr[RV_MAX_LRS];
	u32 lr_count;
	u64 vmcr;
	u64 ap0r[4];
	u64 ap1r[4];
	u32 misr; /* at the last exit */
};

struct vtimer_state {
	u64 cntv_ctl;
	u64 cntv_cval;
	u64 cntp_ctl; /* emulated; the ISTATUS bit is computed when read */
	u64 cntp_cval;
};

/* What the guest waits for: the MMIO read of its last exit. Decides what the next entry accepts
 * (reference 11.4). */
struct vcpu_pending {
	bool is_mmio;
	bool is_write;
	u8 reg; /* 31: xzr */
	u8 bytes;
	bool is_signed;
	bool is_64;
};

struct vcpu {
	struct vm *vm;
	u32 index;
	u64 mpidr;
	u32 run_state; /* enum vcpu_run_state; ACTIVE: under vm->lock, READY: store-release */
	enum vcpu_power power; /* changes under vm->lock */
	u64 entry_pc;	       /* CPU_ON or RV_VCPU_BOOT, valid when ON_PENDING */
	u64 entry_x0;
	struct rv_run *run; /* EL2's mapping of the host's page: hostile */
	pfn_t run_pfn;
	struct context ctx;
	struct vcpu_exit exit;
	struct vcpu_pending pending;
	struct vgic_state vgic;
	struct vtimer_state timer;
	bool has_run; /* since it was created, or restored: the host does not say any more where it
			 starts */
};

#define VCPU_RECORD_PAGES 1
_Static_assert(sizeof(struct vcpu) <= VCPU_RECORD_PAGES * PAGE_SIZE, "a vCPU record is one page");

/* What ends a run, collected privately and written to struct rv_run in one place. Fields that do
 * not apply stay 0. */
struct run_exit {
	enum rv_exit reason;
	u32 bytes;
	bool is_write;
	u64 ipa;
	u64 data;
};

/* Architectural reset: EL1h, DAIF masked, system registers from the table in context.h, GP and FP
 * registers zero. */
void vcpu_reset(struct vcpu *vcpu, u64 pc, u64 x0);
/* RV_VCPU_BOOT, RV_VCPU_READ_REGS; arguments unchecked. */
CV_MUST_USE enum cv_status vcpu_boot(u64 handle, u64 index, u64 pc, u64 x0);
CV_MUST_USE enum cv_status vcpu_read_regs(u64 handle, u64 index);
/* Takes the vCPU for this CPU. Errors: NOENT, STATE, BUSY (RV_VCPU_RUN's). Seed: set_vcpu_active.
 */
CV_MUST_USE enum cv_status vcpu_claim(u64 handle, u64 index, struct vcpu **vcpu);
/* Pre: claimed. A vCPU that was switched on begins at its entry. Errors: STATE (killed since). */
CV_MUST_USE enum cv_status vcpu_start(struct vcpu *vcpu);
/* Seed: set_vcpu_inactive. */
void vcpu_release(struct vcpu *vcpu);

/* ---- from the guest, while its vCPU is claimed by this CPU ---- */
/* PSCI CPU_ON; returns the PSCI status. *index is written on success. Errors in the order of
 * DEN0022 5.6. */
s64 vcpu_psci_cpu_on(struct vm *vm, u64 mpidr, u64 pc, u64 context_id, u32 *index);
void vcpu_psci_cpu_off(struct vcpu *vcpu);
/* PSCI AFFINITY_INFO of level 0; returns the PSCI status. */
s64 vcpu_psci_affinity_info(struct vm *vm, u64 mpidr, u64 level);
/* The VM stops: it never runs again. */
void vcpu_stop_vm(struct vcpu *vcpu);

static inline u64 vcpu_mpidr(u32 index)
{
	return (1ull << 31) | (index & 15) | (u64)(index >> 4) << 8;
}
static inline u64 vcpu_get_x(const struct vcpu *vcpu, u32 reg)
{
	return reg < 31 ? vcpu->ctx.x[reg] : 0;
}

#endif
