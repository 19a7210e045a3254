/* SPDX-License-Identifier: BSD-3-Clause */
/* The VM inside a running virtual machine monitor. */
#ifndef RAVELIN_TOOL_VMM_H
#define RAVELIN_TOOL_VMM_H

#include "ravelin.h"

#include <sys/types.h>

/* A descriptor of the VM of process `pid`; -1: it says why not. */
int vmm_open(pid_t pid);

#endif
