/* SPDX-License-Identifier: BSD-3-Clause */
/* Sanitising list registers (Arm IHI 0069, 12.4.7 ICH_LR<n>_EL2). */
#include <cv/vgic.h>

#include <cv/check.h>

#define LR_STATE (3ull << 62) /* 0 invalid, 1 pending, 2 active, 3 both */
#define LR_PENDING (1ull << 62)
#define LR_ACTIVE (2ull << 62)
#define LR_HW (1ull << 61)
#define LR_GROUP1 (1ull << 60)
#define LR_PRIORITY (0xffull << 48)
#define LR_PINTID_SHIFT 32
#define LR_PINTID (0x1fffull << LR_PINTID_SHIFT) /* with HW = 0: bit 41 is EOI, the rest RES0 */
#define LR_EOI (1ull << 41)
#define LR_VINTID 0xffffffffull
/* 1020-1023 are special; 1024 and above are LPIs and reserved numbers, which guests do not have */
#define INTID_LIMIT 1020

static bool is_taken(const struct vgic_state *vgic, u32 used, u64 vintid)
{
	for (u32 i = 0; i < used; i++) {
		if ((vgic->lr[i] & LR_STATE) != 0 && (vgic->lr[i] & LR_VINTID) == vintid) {
			return true;
		}
	}
	return false;
}

static u64 sanitise(u64 lr)
{
	u64 clean = lr & (LR_STATE | LR_PRIORITY | LR_VINTID);

	if ((lr & LR_VINTID) == VGIC_VTIMER_INTID) {
		/* Ours: the guest's EOI must deactivate the real PPI, or its level line could not
		 * fire again. */
		clean |= LR_HW | ((u64)VGIC_VTIMER_INTID << LR_PINTID_SHIFT);
		/* "Both" does not exist with HW: the pending half is the line's own, and comes back
		 * by itself. */
		clean &= (clean & LR_ACTIVE) != 0 ? ~LR_PENDING : ~0ull;
	} else {
		clean |= lr & LR_EOI;
	}
	return clean | LR_GROUP1;
}

void vgic_take_lrs(struct vgic_state *vgic, const u64 *proposed, u32 count, u32 limit)
{
	CV_CHECK(count <= limit && limit <= RV_MAX_LRS);
	for (u32 i = 0; i < RV_MAX_LRS; i++) {
		const u64 lr = i < count ? proposed[i] : 0;
		const u64 vintid = lr & LR_VINTID;

		/* One interrupt in two list registers is UNPREDICTABLE: the first one counts. */
		if ((lr & LR_STATE) == 0 || vintid >= INTID_LIMIT || is_taken(vgic, i, vintid)) {
			vgic->lr[i] = 0;
		} else {
			vgic->lr[i] = sanitise(lr);
		}
	}
	vgic->lr_count = limit;
}

u64 vgic_show_lr(u64 lr)
{
	return (lr & LR_HW) != 0 ? lr & ~(LR_HW | LR_PINTID) : lr;
}

bool vgic_holds_vtimer(const struct vgic_state *vgic)
{
	return is_taken(vgic, vgic->lr_count, VGIC_VTIMER_INTID);
}
