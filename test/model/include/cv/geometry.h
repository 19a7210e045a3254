/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The machine of the model test: tables of 8 entries, so a "2 MiB" block has 8 pages and a "GiB" 64.
 * Everything runs out soon, and all of it can be looked at after every step. Three CPUs are what one
 * table of 8 has windows for.
 */
#ifndef CV_GEOMETRY_H
#define CV_GEOMETRY_H

#define PAGE_SHIFT 12 /* as it is: the descriptors' attribute bits lie below it */
#define TABLE_BITS 3
#define IPA_BITS 22
#define S2_ROOT_PAGES 2ull

#define CPU_MAX 3
#define VM_SLOTS 4
#define VM_VCPUS_MAX 3
#define LEDGER_REGIONS_MAX 2
/* What the first page of a "2 MiB" region costs at most: two tables of the host's, two of EL2's. */
#define CORE_POOL_FLOOR 4

#endif
