/* SPDX-License-Identifier: BSD-3-Clause */
/* SMCs of the host: an allow-list of PSCI, SMCCC and TRNG calls. All else is NOT_SUPPORTED and
 * never reaches firmware. */
#ifndef CV_HOST_SMC_H
#define CV_HOST_SMC_H

#include <cv/arch_host.h>

/* Pre: regs->pc is past the SMC. */
void host_smc(struct host_regs *regs);

#endif
