/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the compiler, libfdt and BearSSL expect of a C library: nothing that allocates. Words where
 * both sides are aligned, because kernels are copied and pages zeroed with this. Correct with the
 * MMU off, too: no unaligned access.
 */
#include <string.h>

#include <cv/check.h>
#include <cv/types.h>

/* May alias anything, as the bytes that it stands for may. */
typedef u64 __attribute__((may_alias)) word;
#define WORD sizeof(word)

typedef u32 __attribute__((may_alias)) half;
#define HALF sizeof(half)

static bool both_aligned(const void *a, const void *b, size_t to)
{
	return (((uintptr_t)a | (uintptr_t)b) & (to - 1)) == 0;
}

void *memcpy(void *restrict to, const void *restrict from, size_t bytes)
{
	u8 *t = to;
	const u8 *f = from;

	if (both_aligned(t, f, WORD)) {
		for (; bytes >= 4 * WORD; bytes -= 4 * WORD, t += 4 * WORD, f += 4 * WORD) {
			word a = ((const word *)f)[0], b = ((const word *)f)[1];
			word c = ((const word *)f)[2], d = ((const word *)f)[3];

			((word *)t)[0] = a;
			((word *)t)[1] = b;
			((word *)t)[2] = c;
			((word *)t)[3] = d;
		}
		for (; bytes >= WORD; bytes -= WORD, t += WORD, f += WORD) {
			*(word *)t = *(const word *)f;
		}
	} else if (both_aligned(t, f, HALF)) {
		/* the contents of a flattened device tree, and so the kernel in the bundle, are
		 * aligned to four bytes */
		for (; bytes >= HALF; bytes -= HALF, t += HALF, f += HALF) {
			*(half *)t = *(const half *)f;
		}
	}
	for (; bytes > 0; bytes--) {
		*t++ = *f++;
	}
	return to;
}

void *memmove(void *to, const void *from, size_t bytes)
{
	u8 *t = to;
	const u8 *f = from;

	if (t <= f || t >= f + bytes) {
		while (bytes-- > 0) {
			*t++ = *f++;
		}
	} else {
		while (bytes-- > 0) {
			t[bytes] = f[bytes];
		}
	}
	return to;
}

void *memset(void *to, int value, size_t bytes)
{
	u8 *t = to;
	word pattern = 0x0101010101010101ull * (u8)value;

	for (; bytes > 0 && ((uintptr_t)t & (WORD - 1)) != 0; bytes--) {
		*t++ = (u8)value;
	}
	for (; bytes >= 4 * WORD; bytes -= 4 * WORD, t += 4 * WORD) {
		((word *)t)[0] = pattern;
		((word *)t)[1] = pattern;
		((word *)t)[2] = pattern;
		((word *)t)[3] = pattern;
	}
	for (; bytes > 0; bytes--) {
		*t++ = (u8)value;
	}
	return to;
}

int memcmp(const void *a, const void *b, size_t bytes)
{
	const u8 *x = a;
	const u8 *y = b;

	for (; bytes > 0; bytes--, x++, y++) {
		if (*x != *y) {
			return *x < *y ? -1 : 1;
		}
	}
	return 0;
}

void *memchr(const void *in, int value, size_t bytes)
{
	const u8 *p = in;

	for (; bytes > 0; bytes--, p++) {
		if (*p == (u8)value) {
			return (void *)(uintptr_t)p;
		}
	}
	return NULL;
}

size_t strlen(const char *s)
{
	size_t n = 0;

	while (s[n] != '\0') {
		n++;
	}
	return n;
}

size_t strnlen(const char *s, size_t limit)
{
	size_t n = 0;

	while (n < limit && s[n] != '\0') {
		n++;
	}
	return n;
}

int strcmp(const char *a, const char *b)
{
	while (*a != '\0' && *a == *b) {
		a++;
		b++;
	}
	return (u8)*a - (u8)*b;
}

char *strrchr(const char *s, int c)
{
	const char *found = NULL;

	do {
		if (*s == (char)c) {
			found = s;
		}
	} while (*s++ != '\0');
	return (char *)(uintptr_t)found;
}

/* ---- what Debian's hardened library builds call instead ---- */

void *__memcpy_chk(void *to, const void *from, size_t bytes, size_t room);
void *__memmove_chk(void *to, const void *from, size_t bytes, size_t room);
void *__memset_chk(void *to, int value, size_t bytes, size_t room);
_Noreturn void __stack_chk_fail(void);

void *__memcpy_chk(void *to, const void *from, size_t bytes, size_t room)
{
	CV_CHECK(bytes <= room);
	return memcpy(to, from, bytes);
}

void *__memmove_chk(void *to, const void *from, size_t bytes, size_t room)
{
	CV_CHECK(bytes <= room);
	return memmove(to, from, bytes);
}

void *__memset_chk(void *to, int value, size_t bytes, size_t room)
{
	CV_CHECK(bytes <= room);
	return memset(to, value, bytes);
}

/* The libraries' guard value. They run at boot, on trusted input but for the bundle, and in rng.c,
 * on our own. */
extern const u64 __stack_chk_guard;
const u64 __stack_chk_guard = 0x00ff0a0d5a17c0deull;

_Noreturn void __stack_chk_fail(void)
{
	panic_check("stack guard", __FILE__, __LINE__);
}
