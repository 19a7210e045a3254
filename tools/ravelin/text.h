/* SPDX-License-Identifier: BSD-3-Clause */
/* Numbers and hashes as people write them. */
#ifndef RAVELIN_TOOL_TEXT_H
#define RAVELIN_TOOL_TEXT_H

#include "ravelin.h"

/* Decimal, or hexadecimal with 0x; K, M and G may follow. All of `text`, or false. */
bool text_number(const char *text, uint64_t *value);
/* 32 bytes as 64 hexadecimal digits. */
bool text_hash(const char *text, uint8_t hash[32]);
/* The same on standard output, as a line. */
void print_hash(const uint8_t hash[32]);

#endif
