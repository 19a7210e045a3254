/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Everything that EL1 can write, by encoding: op0 2 and 3, op1 0 to 3, any CRn, CRm, op2 (16 384 of
 * them), and the vector registers. For tests that one world's values neither reach nor survive in
 * another.
 */
#ifndef TEST_GUEST_WORLDS_H
#define TEST_GUEST_WORLDS_H

#include "env.h"

#define WORLD_REGS (2 * 4 * 2048)
#define WORLD_UNDEFINED 0xdead0000dead0000ul /* what is stored for a register that cannot be read \
					      */
#define WORLD_VECTORS (32 * 2)
#define WORLD_SYNDROMES 6

struct world {
	u64 reg[WORLD_REGS];
	u64 vector[WORLD_VECTORS];
	u64 syndrome[WORLD_SYNDROMES]; /* ESR, FAR, ELR, SPSR, AFSR0, AFSR1: taken before the
					  reading causes exceptions */
};

/* Gives every register that can stand it a value made of its encoding and `seed`; returns how many
 * writes were let. */
u32 world_write(u64 seed);
void world_read(struct world *world);
/* Registers that count by themselves are left out. Prints the first few differences; returns how
 * many there are. */
u32 world_compare(const char *what, const struct world *a, const struct world *b);

/* vectors.S: V0-V31; Z0-Z31, P0-P15 and FFR one behind the other, at the length in force */
void vectors_load_v(const void *from);
void vectors_store_v(void *to);
void vectors_load_sve(const void *from, u64 with_ffr);
void vectors_store_sve(void *to, u64 with_ffr);
u64 vectors_bytes(void);

#endif
