/* SPDX-License-Identifier: BSD-3-Clause */
#include "image.h"

#include <string.h>

uint16_t get_le16(const uint8_t *at)
{
	return (uint16_t)(at[0] | at[1] << 8);
}

uint32_t get_le32(const uint8_t *at)
{
	return get_le16(at) | (uint32_t)get_le16(at + 2) << 16;
}

uint64_t get_le64(const uint8_t *at)
{
	return get_le32(at) | (uint64_t)get_le32(at + 4) << 32;
}

void put_le64(uint8_t *at, uint64_t value)
{
	int i;

	for (i = 0; i < 8; i++) {
		at[i] = (uint8_t)(value >> (8 * i));
	}
}

/* The usual wrong files, each with what to do about it. */
static bool explain_wrong_file(const struct blob *blob, const char *path)
{
	const uint8_t *data = blob->data;

	if (blob->bytes >= 2 && data[0] == 0x1f && data[1] == 0x8b) {
		return fail("%s: a compressed kernel: unpack it with gunzip first", path);
	}
	if (blob->bytes >= 8 && memcmp(data, "MZ", 2) == 0 && memcmp(data + 4, "zimg", 4) == 0) {
		return fail("%s: an EFI zboot kernel: unpack the Image in it first", path);
	}
	if (blob->bytes >= 4 && memcmp(data, "\177ELF", 4) == 0) {
		return fail("%s: an ELF file (vmlinux?): the flat arm64 Image is needed", path);
	}
	return fail("%s: not an arm64 Image (no \"ARM\\x64\" at offset 56)", path);
}

/*
 * A Linux Image is a PE file too, and only its section table says how long the file has to be: a
 * download that stopped half way would boot half way. PE/COFF: signature, 20 bytes of file header,
 * the optional header, 40 bytes a section with the size of its raw data at 16 and the offset at 20.
 */
static bool pe_is_whole(const struct blob *blob, const char *path)
{
	uint64_t pe = get_le32(blob->data + IMAGE_AT_PE);
	uint64_t section;
	uint32_t count, i;

	if (memcmp(blob->data, "MZ", 2) != 0) {
		return true;
	}
	if (pe + 24 > blob->bytes || memcmp(blob->data + pe, "PE\0\0", 4) != 0) {
		return fail("%s: truncated or damaged: no PE header where the Image points to",
			    path);
	}
	count = get_le16(blob->data + pe + 6);
	section = pe + 24 + get_le16(blob->data + pe + 20);
	if (section + 40ull * count > blob->bytes) {
		return fail("%s: truncated or damaged: its PE section table is cut off", path);
	}
	for (i = 0; i < count; i++, section += 40) {
		uint64_t bytes = get_le32(blob->data + section + 16);
		uint64_t offset = get_le32(blob->data + section + 20);

		if (offset + bytes > blob->bytes) {
			return fail("%s: truncated: %zu bytes, at least %llu expected", path,
				    blob->bytes, (unsigned long long)(offset + bytes));
		}
	}
	return true;
}

bool image_parse(const struct blob *blob, const char *path, struct image *image)
{
	struct image parsed;

	if (blob->bytes < IMAGE_HEADER_BYTES ||
	    get_le32(blob->data + IMAGE_AT_MAGIC) != IMAGE_MAGIC) {
		return explain_wrong_file(blob, path);
	}
	parsed.text_offset = get_le64(blob->data + IMAGE_AT_TEXT_OFFSET);
	parsed.size = get_le64(blob->data + IMAGE_AT_SIZE);
	parsed.flags = get_le64(blob->data + IMAGE_AT_FLAGS);
	if (parsed.flags & IMAGE_FLAG_BIG_ENDIAN) {
		return fail("%s: a big-endian kernel: not supported", path);
	}
	if (parsed.size == 0) {
		return fail(
			"%s: its header does not say how much memory it needs (kernel older than 3.17?)",
			path);
	}
	if (parsed.text_offset >= IMAGE_ALIGN || parsed.size > FILE_BYTES_MAX) {
		return fail("%s: damaged header: text offset %#llx, memory size %#llx", path,
			    (unsigned long long)parsed.text_offset,
			    (unsigned long long)parsed.size);
	}
	if (!pe_is_whole(blob, path)) {
		return false;
	}
	*image = parsed;
	return true;
}
