/* SPDX-License-Identifier: BSD-3-Clause */
/* What the host gets for touching what is not its own, and for what EL2 does not let it do.
 * docs/fault-table.md. */
#ifndef CV_HOST_FAULT_H
#define CV_HOST_FAULT_H

#include <cv/arch_host.h>

/* A stage-2 abort of the host, from the syndrome registers of EL2. Either the access is repeated or
 * EL1 gets a fault. */
void host_fault(struct host_regs *regs, u64 esr, u64 far, u64 hpfar);
/* An instruction that EL2 traps and does not serve: undefined, for EL1. */
void host_undefined(struct host_regs *regs);

#endif
