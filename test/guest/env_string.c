/* SPDX-License-Identifier: BSD-3-Clause */
/* The few C library functions that the images, the compiler and libfdt need. */
#include "env.h"

void *memcpy(void *to, const void *from, size_t bytes)
{
	u8 *t = to;
	const u8 *f = from;

	if ((((u64)t | (u64)f) & 7) == 0) {
		for (; bytes >= 8; bytes -= 8, t += 8, f += 8) {
			*(u64 *)t = *(const u64 *)f;
		}
	}
	while (bytes--) {
		*t++ = *f++;
	}
	return to;
}

void *memmove(void *to, const void *from, size_t bytes)
{
	u8 *t = to;
	const u8 *f = from;

	if (t <= f) {
		return memcpy(to, from, bytes);
	}
	while (bytes--) {
		t[bytes] = f[bytes];
	}
	return to;
}

void *memset(void *at, int value, size_t bytes)
{
	u8 *a = at;

	while (bytes--) {
		*a++ = (u8)value;
	}
	return at;
}

int memcmp(const void *a, const void *b, size_t bytes)
{
	const u8 *p = a, *q = b;

	for (; bytes--; p++, q++) {
		if (*p != *q) {
			return *p - *q;
		}
	}
	return 0;
}

void *memchr(const void *at, int value, size_t bytes)
{
	const u8 *a = at;

	for (; bytes--; a++) {
		if (*a == (u8)value) {
			return (void *)(uintptr_t)a;
		}
	}
	return NULL;
}

size_t strlen(const char *text)
{
	size_t n = 0;

	while (text[n]) {
		n++;
	}
	return n;
}

size_t strnlen(const char *text, size_t limit)
{
	size_t n = 0;

	while (n < limit && text[n]) {
		n++;
	}
	return n;
}

char *strrchr(const char *text, int c)
{
	const char *last = NULL;

	for (;; text++) {
		if (*text == (char)c) {
			last = text;
		}
		if (!*text) {
			return (char *)(uintptr_t)last;
		}
	}
}

/* Debian builds libfdt with the stack protector. */
u64 __stack_chk_guard = 0x00c0ffee00d15ea5ul;

_Noreturn void __stack_chk_fail(void)
{
	fail("stack overrun");
}
