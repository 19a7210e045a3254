/* SPDX-License-Identifier: BSD-3-Clause */
/* System registers of guests that trap. What no table entry allows is undefined for the guest. */
#ifndef CV_GUEST_SYSREG_H
#define CV_GUEST_SYSREG_H

#include <cv/vcpu.h>

/* Pre: loaded; the last exit is a trapped MSR, MRS or system instruction. True: the guest goes on.
 */
bool guest_sysreg_handle(struct vcpu *vcpu, struct run_exit *out);

/* What a guest reads from ID register op0=3 op1=0 CRn=0 CRm=crm op2, given the hardware's value and
 * the hardware's ID_AA64PFR0_EL1 (whether AArch32 exists at EL0). Never shows a feature that the
 * hardware lacks. */
u64 guest_sysreg_id(u32 crm, u32 op2, u64 hardware, u64 pfr0);

/* Whether EL0 can be AArch32 on this CPU. */
bool guest_sysreg_is_32_possible(void);

#endif
