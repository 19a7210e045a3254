/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Stage-2 aborts of guests. Inside the VM's RAM ranges only RAM can be the answer; registers are
 * disclosed or accepted only for accesses outside them whose syndrome is complete (reference 11.4,
 * design.md 4.4).
 */
#ifndef CV_GUEST_FAULT_H
#define CV_GUEST_FAULT_H

#include <cv/vcpu.h>

/* Pre: loaded; the last exit is an abort. True: the guest goes on; false: *out says what the host
 * is asked. */
bool guest_fault_handle(struct vcpu *vcpu, struct run_exit *out);

/* What the host said about the access that ended the last run; read from its page once. */
struct mmio_answer {
	bool is_abort;
	u64 data; /* 0 if there was none */
};
/* Pre: loaded. Does nothing unless vcpu->pending; afterwards nothing is pending. */
void guest_fault_answer(struct vcpu *vcpu, const struct mmio_answer *answer);

#endif
