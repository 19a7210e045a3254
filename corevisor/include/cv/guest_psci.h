/* SPDX-License-Identifier: BSD-3-Clause */
/* PSCI 1.1 for guests (Arm DEN0022). Which vCPU is on, and where it starts, is decided by the guest
 * alone. */
#ifndef CV_GUEST_PSCI_H
#define CV_GUEST_PSCI_H

#include <cv/guest_smccc.h>

/* True for ids of the PSCI range, known or not. */
bool guest_psci_is_call(u32 id);
/* Pre: loaded; the vCPU made call `id`, guest_psci_is_call(id). x0 is the result. Unknown:
 * SMCCC_NOT_SUPPORTED. */
enum guest_call guest_psci_call(struct vcpu *vcpu, u32 id, struct run_exit *out);

#endif
