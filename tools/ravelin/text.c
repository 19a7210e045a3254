/* SPDX-License-Identifier: BSD-3-Clause */
#include "text.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool text_number(const char *text, uint64_t *value)
{
	static const char suffixes[] = "KMG";
	const char *suffix;
	unsigned shift = 0;
	char *end;

	if (!isdigit((unsigned char)*text)) { /* strtoull would take a sign */
		return false;
	}
	errno = 0;
	*value = strtoull(text, &end, strncmp(text, "0x", 2) == 0 ? 16 : 10);
	if (errno != 0 || end == text) {
		return false;
	}
	if (*end && (suffix = strchr(suffixes, *end))) {
		shift = 10 * (unsigned)(suffix - suffixes + 1);
		end++;
	}
	if (*end || *value > UINT64_MAX >> shift) {
		return false;
	}
	*value <<= shift;
	return true;
}

static int digit(char c)
{
	if (c >= '0' && c <= '9') {
		return c - '0';
	}
	c = (char)tolower((unsigned char)c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool text_hash(const char *text, uint8_t hash[32])
{
	size_t i;

	if (strlen(text) != 64) {
		return false;
	}
	for (i = 0; i < 32; i++) {
		int high = digit(text[2 * i]), low = digit(text[2 * i + 1]);

		if (high < 0 || low < 0) {
			return false;
		}
		hash[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}

void print_hash(const uint8_t hash[32])
{
	size_t i;

	for (i = 0; i < 32; i++) {
		printf("%02x", hash[i]);
	}
	putchar('\n');
}
