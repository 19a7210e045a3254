/* SPDX-License-Identifier: BSD-3-Clause */
/* The log. Lines before the ring exists wait in a small buffer, so that `ravelin log` begins at the
 * beginning. */
#include <cv/log.h>

#include <cv/arch.h>
#include <cv/arch_host.h>
#include <cv/lock.h>
#include <stdarg.h>
#include <string.h>

#define EARLY_BYTES 1024
#define PREFIX "corevisor: "

static struct {
	struct lock lock;
	bool is_console_left;
	char early[EARLY_BYTES];
	char *ring;
	u64 ring_bytes;
	u64 *head;
	u64 early_head;
} state = { .lock = LOCK_INIT(LOCK_RANK_LOG) };

struct line {
	char text[LOG_LINE_BYTES];
	u32 used;
};

static void put_char(struct line *line, char c)
{
	/* The last byte is kept for the newline. */
	if (line->used < LOG_LINE_BYTES - 1) {
		line->text[line->used++] = c;
	}
}

static void put_string(struct line *line, const char *s)
{
	while (*s != '\0') {
		put_char(line, *s++);
	}
}

static void put_number(struct line *line, u64 value, u32 base)
{
	char digits[20];
	u32 n = 0;

	do {
		digits[n++] = "0123456789abcdef"[value % base];
		value /= base;
	} while (value != 0);
	while (n > 0) {
		put_char(line, digits[--n]);
	}
}

static void put_signed(struct line *line, s64 value)
{
	if (value < 0) {
		put_char(line, '-');
		value = -value;
	}
	put_number(line, (u64)value, 10);
}

static const char *put_conversion(struct line *line, const char *f, va_list *args)
{
	bool is_long = *f == 'l';

	f += is_long ? 1 : 0;
	switch (*f) {
	case 's':
		put_string(line, va_arg(*args, const char *));
		break;
	case 'c':
		put_char(line, (char)va_arg(*args, int));
		break;
	case 'd':
		put_signed(line, is_long ? va_arg(*args, long) : va_arg(*args, int));
		break;
	case 'u':
	case 'x':
		put_number(line,
			   is_long ? va_arg(*args, unsigned long) : va_arg(*args, unsigned int),
			   *f == 'x' ? 16 : 10);
		break;
	default:
		put_char(line, *f);
		break;
	}
	return f + 1;
}

static void line_format(struct line *line, const char *format, va_list *args)
{
	line->used = 0;
	put_string(line, PREFIX);
	while (*format != '\0') {
		if (*format == '%' && format[1] != '\0') {
			format = put_conversion(line, format + 1, args);
		} else {
			put_char(line, *format++);
		}
	}
	line->text[line->used++] = '\n';
}

static void ring_write(const char *text, u32 bytes)
{
	u64 head = *state.head;
	u64 at = head % state.ring_bytes;
	u64 before_wrap = min_u64(bytes, state.ring_bytes - at);

	memcpy(&state.ring[at], text, before_wrap);
	memcpy(state.ring, text + before_wrap, bytes - before_wrap);
	/* The host may read with caches off. */
	arch_clean_range(&state.ring[at], before_wrap);
	arch_clean_range(state.ring, bytes - before_wrap);
	__atomic_store_n(state.head, head + bytes, __ATOMIC_RELEASE);
	arch_clean_range(state.head, sizeof(*state.head));
}

static void early_write(const char *text, u32 bytes)
{
	for (u32 i = 0; i < bytes && state.early_head < EARLY_BYTES; i++) {
		state.early[state.early_head++] = text[i];
	}
}

static void line_write(const struct line *line, bool to_console)
{
	if (state.ring != NULL) {
		ring_write(line->text, line->used);
	} else {
		early_write(line->text, line->used);
	}
	if (to_console) {
		plat_console_write(line->text, line->used);
	}
}

void log_line_va(const char *format, va_list args)
{
	struct line line;
	va_list mine;

	va_copy(mine, args);
	line_format(&line, format, &mine);
	va_end(mine);
	lock_acquire(&state.lock);
	line_write(&line, !state.is_console_left);
	lock_release(&state.lock);
}

void log_line(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	log_line_va(format, args);
	va_end(args);
}

void log_panic_line(const char *format, ...)
{
	struct line line;
	va_list args;

	va_start(args, format);
	line_format(&line, format, &args);
	va_end(args);
	line_write(&line, true);
}

void log_attach(char *ring, u64 ring_bytes, u64 *head)
{
	lock_acquire(&state.lock);
	state.ring_bytes = ring_bytes;
	state.head = head;
	*head = 0;
	state.ring = ring;
	ring_write(state.early, (u32)state.early_head);
	lock_release(&state.lock);
}

void log_leave_console(void)
{
	lock_acquire(&state.lock);
	state.is_console_left = true;
	lock_release(&state.lock);
}
