/* SPDX-License-Identifier: BSD-3-Clause */
/* Vector registers to memory and back (fp_regs.S). Pre for all: CPTR_EL2 traps none of what is
 * touched. */
#ifndef ARM64_FP_H
#define ARM64_FP_H

#include <cv/types.h>

#define FP_V_BYTES 512
#define SVE_Z_COUNT 32
#define SVE_P_COUNT 16
/* A predicate has one bit for each byte of a vector. */
#define SVE_P_BYTES(vector_bytes) ((vector_bytes) / 8)

/* V0-V31; loading them clears what SVE has above bit 127. */
void fp_save_v(void *area);
void fp_restore_v(const void *area);
/* At the vector length in force. FFR goes through P0: save it last, restore it first. */
u64 sve_vector_bytes(void);
void sve_save(void *z, void *p);
void sve_restore(const void *z, const void *p);
void sve_save_ffr(void *to);
void sve_restore_ffr(const void *from);
/* V registers, and what SVE has above them */
void fp_wipe(void);

#endif
