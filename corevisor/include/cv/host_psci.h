/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The host's power calls (PSCI, Arm DEN0022): an allow-list. No call of the host carries an entry
 * point to firmware: CPUs start in the corevisor, which checks where they go on. Races are
 * serialised by one lock.
 */
#ifndef CV_HOST_PSCI_H
#define CV_HOST_PSCI_H

#include <cv/arch_host.h>
#include <cv/types.h>

/* Boot: the CPUs by index, affinities as PSCI writes them; all are off but `self`. */
void host_psci_init(const u64 *affinity, u32 count, u32 self);
/* If regs->x[0] is a call of PSCI or of its neighbours that is served here, serves it, result in
 * x[0]. */
bool host_psci_call(struct host_regs *regs);
/* A CPU came from firmware, EL2 is ready: fills `regs` with the host's start values, or parks if
 * nobody asked for it or it is `unfit` (a reason, or NULL). */
void host_psci_arrive(u32 index, struct host_regs *regs, const char *unfit);
/* True once the machine is going down: whoever comes to EL2 parks. */
bool host_psci_is_stopping(void);
/* True if it is going down, and another CPU does it: tables and records may vanish under this one
 * at any moment. */
bool host_psci_is_stopped_here(void);

#endif
