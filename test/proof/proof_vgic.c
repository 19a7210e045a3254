/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Proof: list registers. Whatever the host proposes, what reaches the hardware are pending or
 * active virtual interrupts of group 1, below 1020, none twice, at most as many as there are, with
 * no physical interrupt behind them but the virtual timer's own; and what was proposed and sane is
 * not lost. The host is shown what it could have proposed. Six list registers: more are alike, and
 * cost the solver a hundredfold.
 *
 * Proof-args: --unwind 7
 * Proof-entry: proof_vgic_take_lrs quick
 */
#include "proof.h"

#include <cv/vgic.h>

#undef RV_MAX_LRS
#define RV_MAX_LRS 6
#include "corevisor/core/vgic.c"

/* What may be in ICH_LR<n>_EL2 (IHI 0069 12.4.7). */
static bool is_sane_lr(u64 lr)
{
	const u64 intid = lr & 0xffffffff;
	const bool is_hw = (lr >> 61 & 1) != 0;

	if (lr == 0) {
		return true;
	}
	return lr >> 62 != 0 && (lr >> 60 & 1) == 1 && intid < 1020 && is_hw == (intid == 27) &&
	       (!is_hw || ((lr >> 32 & 0x1fff) == 27 && lr >> 62 != 3)) &&
	       (is_hw || (lr >> 32 & 0x1fff & ~(1ull << 9)) == 0);
}

/* It names an interrupt that a guest may have. */
static bool is_interrupt(u64 lr)
{
	return lr >> 62 != 0 && (lr & 0xffffffff) < 1020;
}

/* The state, the priority and the number that `lr` asks for; the virtual timer's cannot be pending
 * and active at once. */
static bool is_as_proposed(u64 lr, u64 proposed)
{
	const bool is_both = proposed >> 62 == 3 && (u32)proposed == 27;

	return (u32)lr == (u32)proposed && (lr >> 48 & 0xff) == (proposed >> 48 & 0xff) &&
	       lr >> 62 == (is_both ? 2 : proposed >> 62);
}

void proof_vgic_take_lrs(void)
{
	static u64 proposed[RV_MAX_LRS];
	static struct vgic_state vgic;
	u32 limit = (u32)any_below(RV_MAX_LRS + 1);
	u32 count = (u32)any_below(limit + 1);

	for (u32 i = 0; i < RV_MAX_LRS; i++) {
		proposed[i] = nondet_u64();
		vgic.lr[i] = nondet_u64();
	}
	vgic_take_lrs(&vgic, proposed, count, limit);

	reach(vgic.lr[1] != 0 && (u32)vgic.lr[1] == 27, "the virtual timer's interrupt");
	reach(vgic.lr[RV_MAX_LRS - 1] != 0 && vgic.lr[0] != 0, "every list register is used");
	reach(vgic.lr[1] == 0 && is_interrupt(proposed[1]) && count > 1, "one that was there");
	claim(vgic.lr_count == limit, "as many as there are");
	for (u32 i = 0; i < RV_MAX_LRS; i++) {
		bool is_free = true;

		claim(is_sane_lr(vgic.lr[i]), "only sane interrupts reach the hardware");
		claim(i < count || vgic.lr[i] == 0, "only what was proposed");
		claim((vgic_show_lr(vgic.lr[i]) >> 61 & 1) == 0 &&
			      (vgic_show_lr(vgic.lr[i]) >> 32 & 0x1fff & ~(1ull << 9)) == 0,
		      "the host is shown no physical interrupt");
		for (u32 j = 0; j < i; j++) {
			claim(vgic.lr[i] == 0 || vgic.lr[j] == 0 ||
				      (u32)vgic.lr[i] != (u32)vgic.lr[j],
			      "none is there twice");
			is_free =
				is_free && (vgic.lr[j] == 0 || (u32)vgic.lr[j] != (u32)proposed[i]);
		}
		claim((vgic.lr[i] != 0) == (i < count && is_interrupt(proposed[i]) && is_free),
		      "taken exactly if sane, and its number is not");
		claim(vgic.lr[i] == 0 || is_as_proposed(vgic.lr[i], proposed[i]),
		      "what was proposed is not changed");
	}
}
