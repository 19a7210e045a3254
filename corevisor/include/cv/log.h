/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One line of log at a time: into the ring that the host can read and, until the host owns it, to
 * the console. The log never holds guest registers, guest memory or addresses that a guest chose.
 */
#ifndef CV_LOG_H
#define CV_LOG_H

#include <cv/types.h>
#include <stdarg.h>

#define LOG_LINE_BYTES 160

/* Format: %s %c %d %u %x with an optional l (64 bits), %% - no widths. Longer lines are cut. Adds
 * "corevisor: " and \n. */
void log_line(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_line_va(const char *format, va_list args) __attribute__((format(printf, 1, 0)));
/* From now on `ring` gets the lines, too, beginning with all so far; *head counts bytes ever
 * written. */
void log_attach(char *ring, u64 ring_bytes, u64 *head);
/* The host is about to own the console. */
void log_leave_console(void);
/* For a panic: console and ring, no lock. */
void log_panic_line(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
