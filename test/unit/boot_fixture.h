/* SPDX-License-Identifier: BSD-3-Clause */
/* What the tests of boot and of the host's calls share: cmocka, and doubles of what the core asks of the machine. */
#ifndef BOOT_FIXTURE_H
#define BOOT_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <cv/arch.h>
#include <cv/arch_host.h>
#include <cv/types.h>

/* The text of the last boot_refuse(). */
extern char fix_refusal[256];
extern jmp_buf fix_jump; /* where boot_refuse() and arch_park() go */

enum { FIX_DONE, FIX_REFUSED, FIX_PARKED };
/* Runs `code`; what ended it. */
#define FIX_RUN(code)                                                                                                  \
	({                                                                                                             \
		volatile int fix_result = setjmp(fix_jump);                                                            \
		if (fix_result == FIX_DONE) {                                                                          \
			code;                                                                                          \
		}                                                                                                      \
		fix_result;                                                                                            \
	})
#define assert_refused(code, text)                                                                                     \
	do {                                                                                                           \
		assert_int_equal(FIX_RUN(code), FIX_REFUSED);                                                          \
		if (strstr(fix_refusal, text) == NULL) {                                                               \
			fail_msg("refused with \"%s\", not \"%s\"", fix_refusal, text);                                \
		}                                                                                                      \
	} while (0)

/* Repeatable noise. */
u64 fix_random(void);

/* ---- firmware ---- */
#define FIX_CALLS_MAX 32
struct fix_call {
	u64 fn, a1, a2, a3;
};
extern struct fix_call fix_calls[FIX_CALLS_MAX];
extern u32 fix_call_count;
extern s64 (*fix_firmware)(u64 fn, u64 a1);
extern u32 fix_cpu; /* arch_cpu_index() */
extern enum arch_place fix_place[CPU_MAX];
extern u32 fix_forgets, fix_revokes, fix_scrubs, fix_inside_at_revoke, fix_events;
extern u32 fix_inside_at_scrub;
extern void (*fix_on_event)(void); /* others get on */
extern void (*fix_on_clean)(const void *start, u64 bytes);

/* ---- console ---- */
extern char fix_console[8192];
extern u32 fix_console_bytes;

#define FIX_ENTRY 0x1000ull /* what arch_cpu_entry() says */
#define FIX_CONTEXT 0x2000ull
/* RAM of the doubles' ledger: [1 GiB, 2 GiB), the first 16 MiB of it the corevisor's */
#define FIX_RAM 0x40000000ull
#define FIX_CORE_END 0x41000000ull
#define FIX_RAM_END 0x80000000ull

#endif
