/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The arm64 Image header (Linux, Documentation/arch/arm64/booting.rst, section 4), little endian,
 * 64 bytes.
 */
#ifndef RAVELIN_TOOL_IMAGE_H
#define RAVELIN_TOOL_IMAGE_H

#include "file.h"

#define IMAGE_HEADER_BYTES 64
#define IMAGE_MAGIC 0x644d5241u /* "ARM\x64" */
#define IMAGE_ALIGN ((uint64_t)2 << 20)
#define IMAGE_FLAG_BIG_ENDIAN (1u << 0)
#define IMAGE_FLAG_ANYWHERE \
	(1u << 3) /* may lie at any 2 MiB boundary of RAM, not only near its start */

enum image_offset {
	IMAGE_AT_TEXT_OFFSET = 8,
	IMAGE_AT_SIZE = 16,
	IMAGE_AT_FLAGS = 24,
	IMAGE_AT_MAGIC = 56,
	IMAGE_AT_PE = 60,
};

struct image {
	uint64_t text_offset;
	uint64_t size; /* memory it needs from its first byte, BSS included */
	uint64_t flags;
};

uint16_t get_le16(const uint8_t *at);
uint32_t get_le32(const uint8_t *at);
uint64_t get_le64(const uint8_t *at);
void put_le64(uint8_t *at, uint64_t value);

/*
 * Checks that `blob` is a whole, uncompressed, little-endian arm64 Image; `path` names it in error
 * messages.
 */
bool image_parse(const struct blob *blob, const char *path, struct image *image);

#endif
