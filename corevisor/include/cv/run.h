/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * RV_VCPU_RUN: one run of a vCPU on this CPU, from the host's call to the exit record. The host's
 * run page is read once at the start and written once at the end; everything between works on
 * private copies. Seed: host_vcpu_run_handler, vm_exit_handler, save/restore_shadow_kvm_regs
 * (reference 9, 10, 11.4, 16.3).
 */
#ifndef CV_RUN_H
#define CV_RUN_H

#include <cv/status.h>
#include <cv/types.h>

/* Arguments unchecked; *exit = enum rv_exit. Errors, in order: NOENT, STATE, BUSY, INVALID. */
CV_MUST_USE enum cv_status run_vcpu(u64 handle, u64 index, u64 *exit);

#endif
