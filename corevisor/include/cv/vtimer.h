/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The guest's two timers: the virtual one is the hardware's, switched with the vCPU; the physical
 * one is emulated, with the same offset, so that both counters of a guest read alike. All values
 * are 64-bit counter ticks that wrap as the architecture says (Arm ARM D12.2.4, "operation of the
 * CompareValue view of the timers").
 */
#ifndef CV_VTIMER_H
#define CV_VTIMER_H

#include <cv/types.h>
#include <cv/vcpu.h>

#define CNT_CTL_ENABLE 1ull
#define CNT_CTL_IMASK 2ull
#define CNT_CTL_ISTATUS 4ull

#define VTIMER_NEVER (~0ull)

enum vtimer_reg { VTIMER_CTL, VTIMER_CVAL, VTIMER_TVAL };

/* The guest's counter now. */
u64 vtimer_now(const struct vm *vm);
/* True if the timer asserts its interrupt at guest time `now`. */
bool vtimer_fires(u64 ctl, u64 cval, u64 now);
/* When the timer asserts its interrupt, in CNTPCT ticks; VTIMER_NEVER if disabled, masked or beyond
 * the counter. */
u64 vtimer_deadline(u64 ctl, u64 cval, u64 cntvoff);

/* The emulated physical timer, accessed by the guest. */
u64 vtimer_read_phys(const struct vcpu *vcpu, enum vtimer_reg reg);
void vtimer_write_phys(struct vcpu *vcpu, enum vtimer_reg reg, u64 value);

#endif
