/* SPDX-License-Identifier: BSD-3-Clause */
/* Scripted guests. Misuse of the interface by the core (enter without load, load twice) stops the
 * test. */
#include "fake_vcpu.h"

#include <assert.h>
#include <cv/arch_host.h>
#include <cv/exception.h>
#include <cv/info.h>
#include <string.h>

_Thread_local struct fake_vcpu fake_vcpu;

void fake_vcpu_reset(void)
{
	memset(&fake_vcpu, 0, sizeof(fake_vcpu));
	fake_vcpu.lr_count = 4;
	fake_vcpu.firmware_result = -1;
}

void fake_vcpu_add(struct fake_step step)
{
	assert(fake_vcpu.step_count < FAKE_STEPS_MAX);
	fake_vcpu.step[fake_vcpu.step_count++] = step;
}

void arch_vcpu_load(struct vcpu *vcpu)
{
	assert(fake_vcpu.loaded == NULL);
	fake_vcpu.loaded = vcpu;
	fake_vcpu.loads++;
	memcpy(fake_vcpu.el1, vcpu->ctx.sysreg, sizeof(fake_vcpu.el1));
	memcpy(fake_vcpu.lr, vcpu->vgic.lr, sizeof(fake_vcpu.lr));
	/* Only what is loaded counts from now on. */
	memset(vcpu->ctx.sysreg, 0xa5, sizeof(vcpu->ctx.sysreg));
}

enum arch_event arch_vcpu_enter(struct vcpu *vcpu)
{
	const struct fake_step *step;

	assert(fake_vcpu.loaded == vcpu);
	fake_vcpu.enters++;
	if (fake_vcpu.next == fake_vcpu.step_count) {
		return ARCH_EVENT_IRQ;
	}
	step = &fake_vcpu.step[fake_vcpu.next++];
	if (step->guest != NULL) {
		step->guest(vcpu);
	}
	if (step->event == ARCH_EVENT_SYNC) {
		vcpu->exit = (struct vcpu_exit){ .esr = step->esr,
						 .far = step->far,
						 .hpfar = step->hpfar };
	}
	return step->event;
}

void arch_vcpu_put(struct vcpu *vcpu)
{
	assert(fake_vcpu.loaded == vcpu);
	fake_vcpu.loaded = NULL;
	fake_vcpu.puts++;
	memcpy(vcpu->ctx.sysreg, fake_vcpu.el1, sizeof(fake_vcpu.el1));
}

bool arch_vcpu_may_run(void)
{
	return !fake_vcpu.is_streaming;
}

bool arch_irq_is_pending(void)
{
	return fake_vcpu.irq_pending;
}

u32 arch_lr_count(void)
{
	return fake_vcpu.lr_count;
}

u64 arch_id_register(u32 crm, u32 op2)
{
	assert(crm >= 1 && crm < 8 && op2 < 8);
	return fake_vcpu.id[crm][op2];
}

/* ---- the loaded EL1, for injected exceptions ---- */

struct el1_entry arch_host_el1(void)
{
	assert(fake_vcpu.loaded != NULL);
	return (struct el1_entry){
		.sctlr = fake_vcpu.el1[CTX_SCTLR_EL1],
		.vbar = fake_vcpu.el1[CTX_VBAR_EL1],
		.pstate_mask = PSTATE_PAN | PSTATE_UAO | PSTATE_BTYPE,
	};
}

void arch_host_set_exception(u64 esr, u64 far, u64 elr, u64 spsr)
{
	assert(fake_vcpu.loaded != NULL);
	fake_vcpu.el1[CTX_ESR_EL1] = esr;
	fake_vcpu.el1[CTX_FAR_EL1] = far;
	fake_vcpu.el1[CTX_ELR_EL1] = elr;
	fake_vcpu.el1[CTX_SPSR_EL1] = spsr;
}

u64 arch_firmware_call(u64 fn, u64 a1, u64 a2, u64 a3)
{
	fake_vcpu.firmware_arguments = a1 | a2 | a3;
	fake_vcpu.firmware_calls++;
	fake_vcpu.firmware_last = fn;
	return (u64)fake_vcpu.firmware_result;
}

void info_count(enum rv_exit_class class)
{
	fake_vcpu.exits[class]++;
}
