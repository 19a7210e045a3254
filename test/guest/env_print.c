/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The PL011 and a printf of a few conversions. Lines of different CPUs may mix; images print from
 * one.
 */
#include "env.h"
#include "env_private.h"

#define UART 0x09000000ul /* QEMU virt */
#define UART_DR 0x00
#define UART_FR 0x18
#define UART_FR_RXFE (1u << 4)
#define UART_FR_TXFF (1u << 5)

static volatile u32 *uart(u64 offset)
{
	return (volatile u32 *)(UART + offset);
}

static void put(char c)
{
	while (*uart(UART_FR) & UART_FR_TXFF) {
	}
	*uart(UART_DR) = (u8)c;
}

u8 console_read_byte(void)
{
	while (*uart(UART_FR) & UART_FR_RXFE) {
	}
	return (u8)*uart(UART_DR);
}

static void put_text(const char *text)
{
	for (; *text; text++) {
		if (*text == '\n') {
			put('\r');
		}
		put(*text);
	}
}

static void put_number(u64 value, u32 base, bool is_signed)
{
	char digits[24];
	u32 n = sizeof(digits);

	if (is_signed && (s64)value < 0) {
		put('-');
		value = -value;
	}
	digits[--n] = 0;
	do {
		digits[--n] = "0123456789abcdef"[value % base];
		value /= base;
	} while (value);
	put_text(&digits[n]);
}

/* One conversion, after its %; returns the last character used. */
static const char *put_conversion(const char *f, __builtin_va_list *args)
{
	bool is_long = false;
	u64 value;

	if (*f == '#') {
		put_text("0x");
		f++;
	}
	if (*f == 'l') {
		is_long = true;
		f++;
	}
	switch (*f) {
	case 's': put_text(__builtin_va_arg(*args, const char *)); return f;
	case 'c': put((char)__builtin_va_arg(*args, int)); return f;
	case 'd':
		value = is_long ? __builtin_va_arg(*args, u64)
				: (u64)(s64) __builtin_va_arg(*args, int);
		put_number(value, 10, true);
		return f;
	default:
		value = is_long ? __builtin_va_arg(*args, u64) : __builtin_va_arg(*args, u32);
		put_number(value, *f == 'x' ? 16 : 10, false);
		return f;
	}
}

void print_list(const char *format, __builtin_va_list args)
{
	const char *f;
	__builtin_va_list copy;

	__builtin_va_copy(copy, args);
	for (f = format; *f; f++) {
		if (*f == '%') {
			f = put_conversion(f + 1, &copy);
		} else {
			if (*f == '\n') {
				put('\r');
			}
			put(*f);
		}
	}
	__builtin_va_end(copy);
}

void print(const char *format, ...)
{
	__builtin_va_list args;

	__builtin_va_start(args, format);
	print_list(format, args);
	__builtin_va_end(args);
}
