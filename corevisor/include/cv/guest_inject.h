/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Changes of a guest's control flow that the corevisor makes. Pre for all: the vCPU is loaded on
 * this CPU (between arch_vcpu_load and arch_vcpu_put), because its EL1 registers are in the
 * hardware.
 */
#ifndef CV_GUEST_INJECT_H
#define CV_GUEST_INJECT_H

#include <cv/types.h>
#include <cv/vcpu.h>

/* The instruction at PC, which the last exit (vcpu->exit) is about, has been done by the corevisor.
 */
void guest_skip(struct vcpu *vcpu);
/* "Undefined instruction" at PC. */
void guest_inject_undef(struct vcpu *vcpu);
/* Synchronous external abort for the access of the last exit (vcpu->exit: an abort from a lower
 * level). */
void guest_inject_abort(struct vcpu *vcpu);

#endif
