/* SPDX-License-Identifier: BSD-3-Clause */
/* How large the specification's state is: enough for the machines that the tests make. A test with
 * another geometry puts its own file of this name in front, beside its cv/geometry.h. */
#ifndef SPEC_SIZE_H
#define SPEC_SIZE_H

#define SPEC_PAGES 2560 /* RAM pages, by their number in the ledger's order */
#define SPEC_BLOCKS 16	/* 2 MiB regions from the first bank's on */
#define SPEC_GFNS 2048	/* guest RAM lies below */
#define SPEC_VMS 4	/* VMs at once: VM_SLOTS, or fewer than a test makes */
#define SPEC_VCPUS 4	/* the same for the vCPUs of a VM, by index */
#define SPEC_DONATED 640
#define SPEC_CONTEXTS 4 /* DMA contexts that calls use; the others never get an owner */
#define SPEC_IO 4	/* device pages of the platform's list, from io_base on */

#endif
