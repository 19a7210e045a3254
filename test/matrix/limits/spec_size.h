/* SPDX-License-Identifier: BSD-3-Clause */
/* The specification's state for matrix_limits.c: a VM with more table entries than one call looks
 * at, and one that has a page more often than the ledger can count. */
#ifndef SPEC_SIZE_H
#define SPEC_SIZE_H

#define SPEC_PAGES 2560
#define SPEC_BLOCKS 16
#define SPEC_GFNS 4608 /* nine leaf tables */
#define SPEC_VMS 2
#define SPEC_VCPUS 1
#define SPEC_DONATED 64
#define SPEC_CONTEXTS 1
#define SPEC_IO 1

#endif
