/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The realm services interface of Arm CCA (DEN0137) for protected VMs, in place: ipa_bits = 1 makes
 * Linux use no alias bit (kvm-api 3.2), so that sharing is an attribute of the page at its own
 * address.
 */
#ifndef CV_RSI_H
#define CV_RSI_H

#include <cv/guest_smccc.h>

/* True for every id of the RSI range; for other VMs than protected ones, or by HVC, such calls do
 * not exist. */
bool rsi_is_call(u32 id);
/* Pre: loaded; protected VM, SMC, rsi_is_call(id). */
enum guest_call rsi_call(struct vcpu *vcpu, u32 id, struct run_exit *out);

#endif
