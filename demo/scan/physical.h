/* SPDX-License-Identifier: BSD-3-Clause */
/* The corevisor's page of facts. Apart from scan.h because abi.h and the kernel's user headers both
 * define __u64. */
#ifndef DEMO_PHYSICAL_H
#define DEMO_PHYSICAL_H

#include <ravelin/abi.h>

/* NULL when there is none (the host runs on the bare machine). */
const volatile struct rv_info *physical_info(void);
/* A copy made by 64-bit loads. Pre: physical_info() is not NULL. */
void physical_read_info(struct rv_info *to);

#endif
