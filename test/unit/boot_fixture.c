/* SPDX-License-Identifier: BSD-3-Clause */
#include "boot_fixture.h"

#include <cv/boot.h>
#include <cv/check.h>
#include <cv/info.h>
#include <cv/ledger.h>
#include <cv/mem.h>
#include <cv/seal.h>
#include <cv/vm.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

char fix_refusal[256];
jmp_buf fix_jump;
struct fix_call fix_calls[FIX_CALLS_MAX];
u32 fix_call_count;
s64 (*fix_firmware)(u64 fn, u64 a1);
u32 fix_cpu;
enum arch_place fix_place[CPU_MAX];
u32 fix_forgets, fix_revokes, fix_scrubs, fix_inside_at_revoke, fix_events;
u32 fix_inside_at_scrub;
void (*fix_on_event)(void);
void (*fix_on_clean)(const void *start, u64 bytes);
char fix_console[8192];
u32 fix_console_bytes;
static u64 fix_counter;

u64 fix_random(void)
{
	static u64 state = 0x9e3779b97f4a7c15ull;

	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

_Noreturn void boot_refuse(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(fix_refusal, sizeof(fix_refusal), format, args);
	va_end(args);
	longjmp(fix_jump, FIX_REFUSED);
}

_Noreturn void arch_park(void)
{
	longjmp(fix_jump, FIX_PARKED);
}

_Noreturn void panic_check(const char *what, const char *file, int line)
{
	printf("panic: %s, %s:%d\n", what, file, line);
	abort();
}

void panic_poll(void)
{
}
void arch_boot_map(pa_t base, u64 bytes)
{
	(void)base, (void)bytes;
}
void arch_clean_range(const void *start, u64 bytes)
{
	if (fix_on_clean != NULL) {
		fix_on_clean(start, bytes);
	}
}
u64 arch_cpu_affinity(void)
{
	return 0;
}
u32 arch_cpu_index(void)
{
	return fix_cpu;
}
void arch_wait_event(void)
{
}
void arch_cpu_relax(void)
{
}
void arch_lock_taken(const struct lock *lock)
{
	(void)lock;
}
void arch_lock_dropped(const struct lock *lock)
{
	(void)lock;
}
enum arch_place arch_cpu_place(u32 cpu)
{
	return fix_place[cpu];
}
void arch_forget_cpus(void)
{
	fix_forgets++;
}
void rng_forget(void)
{
	fix_forgets++;
}
void seal_forget(void)
{
	fix_forgets++;
}
u64 arch_counter(void)
{
	return fix_counter += 1000;
}
void info_cpu_online(s64 change)
{
	(void)change;
}
void info_count(enum rv_exit_class class)
{
	(void)class;
}
void vm_scrub_all(void)
{
	fix_scrubs++;
	for (u32 i = 0; i < CPU_MAX; i++) {
		fix_inside_at_scrub += fix_place[i] == ARCH_AT_EL2;
	}
}

void arch_send_event(void)
{
	fix_events++;
	if (fix_on_event != NULL) {
		fix_on_event();
	}
}

/* Guests fault, and are put away at EL2. */
void mem_revoke_everything(void)
{
	fix_revokes++;
	for (u32 i = 0; i < CPU_MAX; i++) {
		fix_inside_at_revoke += fix_place[i] == ARCH_AT_EL2;
		fix_place[i] = fix_place[i] == ARCH_AT_GUEST ? ARCH_AT_EL2 : fix_place[i];
	}
}

void plat_console_write(const char *text, size_t bytes)
{
	assert_true(fix_console_bytes + bytes < sizeof(fix_console));
	memcpy(&fix_console[fix_console_bytes], text, bytes);
	fix_console_bytes += (u32)bytes;
	fix_console[fix_console_bytes] = '\0';
}

u64 arch_firmware_call(u64 fn, u64 a1, u64 a2, u64 a3)
{
	assert_true(fix_call_count < FIX_CALLS_MAX);
	fix_calls[fix_call_count++] = (struct fix_call){ fn, a1, a2, a3 };
	/* The upper half of x0 is noise in a 32-bit result. */
	return ((u64)fix_firmware(fn, a1) & 0xffffffffull) | 0xdead00000000ull;
}

void arch_cpu_entry(u32 cpu, u64 *entry, u64 *context)
{
	*entry = FIX_ENTRY;
	*context = FIX_CONTEXT + cpu;
}

bool ledger_is_ram(pfn_t pfn)
{
	return pfn.v >= FIX_RAM >> PAGE_SHIFT && pfn.v < FIX_RAM_END >> PAGE_SHIFT;
}

struct lock *ledger_lock(pfn_t pfn)
{
	static struct lock lock;

	(void)pfn;
	return &lock;
}

struct page ledger_get(pfn_t pfn)
{
	return (struct page){ .owner = pfn.v < FIX_CORE_END >> PAGE_SHIFT ? OWNER_CORE
									  : OWNER_HOST };
}
