/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The sizes that everything else is computed from. Proofs put a smaller machine in front of this
 * file (style.md 3.11); nothing else may.
 */
#ifndef CV_GEOMETRY_H
#define CV_GEOMETRY_H

#define PAGE_SHIFT 12
#define TABLE_BITS 9 /* a table of the 4 KiB granule: 512 entries */
/* 40 bits reach the high PCIe windows of QEMU's virt; 39 do not (platform-notes 2). Host and VMs
 * alike. */
#define IPA_BITS 40
#define S2_ROOT_PAGES 2ull /* concatenated, aligned to their own size */

#define CPU_MAX 64   /* physical CPUs */
#define VM_SLOTS 255 /* owner numbers OWNER_VM_FIRST .. OWNER_VM_LAST */
#define VM_VCPUS_MAX 64
#define LEDGER_REGIONS_MAX 32
/* Pages of the core pool that only RV_POOL_TOPUP may use: without tables it could not take the page
 * that brings more. */
#define CORE_POOL_FLOOR 8

#endif
