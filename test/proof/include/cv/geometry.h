/* SPDX-License-Identifier: BSD-3-Clause */
/* The machine that the proofs run on: tables of 4 entries, so a "2 MiB" block has 4 pages and a "GiB" 16. */
#ifndef CV_GEOMETRY_H
#define CV_GEOMETRY_H

#define PAGE_SHIFT 12 /* as it is: the descriptors' attribute bits lie below it */
#define TABLE_BITS 2
#define IPA_BITS 19
#define S2_ROOT_PAGES 2ull

#define CPU_MAX 1
#define VM_SLOTS 3 /* two VMs, and one free */
#define VM_VCPUS_MAX 2
#define LEDGER_REGIONS_MAX 2
#define CORE_POOL_FLOOR 1

#endif
