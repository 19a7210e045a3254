/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Calls of guests by HVC and SMC (SMCCC 1.2): served by the corevisor alone, by either conduit
 * alike, but for RSI (SMC only, as Linux expects). The host learns only the exits that abi.h lists.
 * Unknown calls get -1.
 */
#ifndef CV_GUEST_SMCCC_H
#define CV_GUEST_SMCCC_H

#include <cv/vcpu.h>

/* How a call ends: DONE, the guest goes on; EXIT, it is done and the host is told; RETRY, the host
 * is told and the guest executes the same call again (nothing of it that the guest could see has
 * happened). */
enum guest_call { GUEST_CALL_DONE, GUEST_CALL_EXIT, GUEST_CALL_RETRY };

/* Pre: loaded; the last exit is an HVC or SMC. True: the guest goes on. */
bool guest_smccc_handle(struct vcpu *vcpu, struct run_exit *out);

/* The function id is w0; an id with the "SVE hint" or reserved bits set is unknown to us. */
static inline u32 guest_call_id(const struct vcpu *vcpu)
{
	return (u32)vcpu->ctx.x[0];
}
static inline void guest_call_return(struct vcpu *vcpu, s64 status)
{
	vcpu->ctx.x[0] = (u64)status;
}

#endif
