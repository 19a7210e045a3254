/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The fake CPU's way to run a guest: a script of exits. Each step first lets `guest` do what the
 * guest would have done (it changes vcpu->ctx and fake_vcpu.el1), then the CPU traps with the given
 * facts. An empty script is an interrupt.
 */
#ifndef FAKE_VCPU_H
#define FAKE_VCPU_H

#include <cv/arch.h>
#include <cv/vcpu.h>

struct fake_step {
	enum arch_event event;
	u64 esr;
	u64 far;
	u64 hpfar;
	void (*guest)(struct vcpu *vcpu);
};

#define FAKE_STEPS_MAX 64

struct fake_vcpu {
	struct fake_step step[FAKE_STEPS_MAX];
	u32 step_count;
	u32 next;
	struct vcpu *loaded;
	u64 el1[CTX_SYSREG_COUNT]; /* the EL1 registers "in the hardware" while a vCPU is loaded */
	u64 lr[RV_MAX_LRS];	   /* as they were when the vCPU was loaded */
	u32 loads, puts, enters;
	/* what the machine is like */
	u32 lr_count;
	bool is_streaming;
	bool irq_pending;
	u64 id[8][8];
	s64 firmware_result; /* of every firmware call */
	u32 firmware_calls;
	u64 firmware_last;
	u64 firmware_arguments; /* of the last one, or-ed */
	u64 exits[RV_CLASS_COUNT];
};

/* Of the CPU that the thread is. */
extern _Thread_local struct fake_vcpu fake_vcpu;

/* An empty script on a machine with 4 list registers. */
void fake_vcpu_reset(void);
void fake_vcpu_add(struct fake_step step);

#endif
