/* SPDX-License-Identifier: BSD-3-Clause */
/* What a world switch is made of, inside arch/arm64. */
#ifndef ARM64_SWITCH_H
#define ARM64_SWITCH_H

/* switch_enter()'s results */
#define SWITCH_SYNC 0
#define SWITCH_IRQ 1
#define SWITCH_SERROR 2

#ifndef __ASSEMBLER__

#include <cv/context.h>
#include <cv/types.h>

struct cpu;
struct vcpu;
struct vgic_state;

/* switch.S: runs the guest until it traps. Pre: everything but the general registers is loaded. */
u64 switch_enter(struct vcpu *vcpu, struct context *ctx, struct cpu *cpu);

/* gicv3.c: this CPU's virtual interface and, for the virtual timer's interrupt, its redistributor.
 */
void gicv3_load(struct cpu *cpu, const struct vcpu *vcpu);
void gicv3_put(struct cpu *cpu, struct vgic_state *vgic);

/* timer.c: the virtual timer; the host's is kept per CPU, although Linux uses the physical one. */
struct timer_host {
	u64 cnthctl;
	u64 cntv_ctl;
	u64 cntv_cval;
};
void timer_load(struct timer_host *host, const struct vcpu *vcpu);
void timer_put(const struct timer_host *host, struct vcpu *vcpu);

#endif
#endif
