/* SPDX-License-Identifier: BSD-3-Clause */
/* HVCs of the host: the table of include/ravelin/abi.h. Anything else, Linux's stub calls included,
 * is NOT_SUPPORTED. */
#ifndef CV_HCALL_H
#define CV_HCALL_H

#include <cv/arch_host.h>

void hcall(struct host_regs *regs);

#endif
