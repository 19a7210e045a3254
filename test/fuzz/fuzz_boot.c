/* SPDX-License-Identifier: BSD-3-Clause */
#include "fuzz_boot.h"

#include <cv/arch.h>
#include <cv/arch_host.h>
#include <string.h>

jmp_buf fuzz_jump;

_Noreturn void boot_refuse(const char *format, ...)
{
	(void)format;
	longjmp(fuzz_jump, 1);
}

void arch_boot_map(pa_t base, u64 bytes)
{
	(void)base;
	(void)bytes;
}

void arch_clean_range(const void *start, u64 bytes)
{
	(void)start;
	(void)bytes;
}

u64 arch_cpu_affinity(void)
{
	return 0;
}

_Noreturn void panic_check(const char *what, const char *file, int line)
{
	fprintf(stderr, "%s:%d: the core's own check failed: %s\n", file, line, what);
	abort();
}

uint8_t *fuzz_copy(const uint8_t *data, size_t bytes)
{
	uint8_t *copy = malloc(bytes > 0 ? bytes : 1);

	FUZZ_CHECK(copy != NULL);
	memcpy(copy, data, bytes);
	return copy;
}

void fuzz_touch(const void *data, size_t bytes)
{
	const volatile uint8_t *at = data;

	while (bytes-- > 0) {
		(void)*at++;
	}
}
