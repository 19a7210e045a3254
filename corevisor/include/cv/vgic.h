/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * List registers. The host proposes them; what reaches the hardware can only be interrupts of group
 * 1 for this vCPU, with no physical interrupt behind them except the virtual timer's own
 * (design.md 4.7).
 */
#ifndef CV_VGIC_H
#define CV_VGIC_H

#include <cv/types.h>
#include <cv/vcpu.h>

#define VGIC_VTIMER_INTID 27

/* Takes `count` proposed list registers (<= limit) into the vCPU; the others of the `limit` there
 * are become empty. */
void vgic_take_lrs(struct vgic_state *vgic, const u64 *proposed, u32 count, u32 limit);
/* A list register as the host may see it. */
u64 vgic_show_lr(u64 lr);
/* True if the virtual timer's interrupt is in a list register, so PPI 27 must be active in the
 * redistributor. */
bool vgic_holds_vtimer(const struct vgic_state *vgic);

#endif
