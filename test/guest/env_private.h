/* SPDX-License-Identifier: BSD-3-Clause */
/* Between the files of the environment only. */
#ifndef TEST_GUEST_ENV_PRIVATE_H
#define TEST_GUEST_ENV_PRIVATE_H

#include "env.h"

struct cpu { /* 128 bytes: head.S finds it by shifting */
	struct fault fault;
	bool is_expecting;
	void (*fn)(u32 index);
	u64 reserved[10];
};
_Static_assert(sizeof(struct cpu) == 128, "head.S");
extern struct cpu env_cpus[ENV_CPUS];

struct frame { /* head.S */
	u64 x[31];
	u64 elr;
	u64 spsr;
	u64 pad;
};

_Noreturn void env_start(const void *dtb);
_Noreturn void env_secondary(u32 index);
_Noreturn void smccc_clobbered(const struct smccc *regs);
void env_exception(struct frame *frame, u64 kind);
void mmu_on(void);

void machine_read(const void *dtb);
void print_list(const char *format, __builtin_va_list args);
u8 console_read_byte(void);

#endif
