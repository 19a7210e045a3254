/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A flattened device tree (Devicetree Specification 0.4, chapter 5), checked and mended in place.
 * Not libfdt: Debian's is built for memory that allows unaligned access, and this needs only one
 * pass over the structure block.
 *
 * The structure block is a string of big-endian 32-bit tokens. It is read as words, by index, and
 * every index is compared with the block's end before use; strings end inside their block, or the
 * tree is refused.
 */
#include "sealboot.h"

#include <stddef.h>

#define FDT_MAGIC 0xd00dfeedu
#define FDT_VERSION 17u
#define FDT_COMPATIBLE_VERSION 16u

enum fdt_token { FDT_BEGIN_NODE = 1, FDT_END_NODE = 2, FDT_PROP = 3, FDT_NOP = 4, FDT_END = 9 };

/* Index of each field in the header, in words. */
enum fdt_header {
	HEADER_MAGIC,
	HEADER_TOTAL,
	HEADER_STRUCT,
	HEADER_STRINGS,
	HEADER_RESERVED,
	HEADER_VERSION,
	HEADER_LAST_COMPATIBLE,
	HEADER_BOOT_CPU,
	HEADER_STRINGS_BYTES,
	HEADER_STRUCT_BYTES,
	HEADER_WORDS,
};

/* Deeper trees do not exist; Linux stops at 64 too. */
#define DEPTH_MAX 64

struct tree {
	uint32_t *words; /* the copy */
	uint32_t total;	 /* bytes */
	uint32_t at;	 /* index of the next word of the structure block */
	uint32_t end;	 /* index of the word after it */
	const char *strings;
	uint32_t strings_bytes;
};

struct node {
	bool has_compatible;
	bool is_psci;
	bool has_method;
	uint32_t method; /* index of the word that holds "hvc\0" or "smc\0", 0: none */
};

static uint32_t be32(uint32_t value)
{
	return value >> 24 | (value >> 8 & 0xff00) | (value << 8 & 0xff0000) | value << 24;
}

static uint32_t word(const struct tree *tree, uint32_t index)
{
	return be32(tree->words[index]);
}

/* Compares text that ends within `limit` bytes, its 0 included. */
static bool text_is(const char *text, uint32_t limit, const char *wanted)
{
	uint32_t i;

	for (i = 0; i < limit && text[i] == wanted[i]; i++) {
		if (text[i] == 0) {
			return true;
		}
	}
	return false;
}

/* Bytes of text up to and with its 0; 0 if it does not end within `limit`. */
static uint32_t text_bytes(const char *text, uint32_t limit)
{
	uint32_t i;

	for (i = 0; i < limit; i++) {
		if (text[i] == 0) {
			return i + 1;
		}
	}
	return 0;
}

/* ASCII letters only, as Linux compares compatible strings: without regard to case. */
static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool text_is_alike(const char *text, const char *wanted)
{
	uint32_t i;

	for (i = 0; lower(text[i]) == wanted[i]; i++) {
		if (text[i] == 0) {
			return true;
		}
	}
	return false;
}

/*
 * Does a compatible property name a PSCI that Linux would use? Pre: its last byte is 0, so every
 * string in it ends.
 */
static bool is_psci_compatible(const char *list, uint32_t bytes)
{
	static const char versions[][16] = { "arm,psci", "arm,psci-0.2", "arm,psci-1.0" };
	uint32_t at, i;

	for (at = 0; at < bytes; at += text_bytes(list + at, bytes - at)) {
		for (i = 0; i < sizeof(versions) / sizeof(versions[0]); i++) {
			if (text_is_alike(list + at, versions[i])) {
				return true;
			}
		}
	}
	return false;
}

/* [offset, offset + bytes) lies behind the header and inside the blob. */
static bool is_block(uint32_t offset, uint32_t bytes, uint32_t total)
{
	return offset >= HEADER_WORDS * 4 && offset <= total && bytes <= total - offset;
}

/*
 * The reservation list: pairs of 64-bit numbers, ended by a pair of zeros. Linux walks it without a
 * limit.
 */
static bool check_reserved(const struct tree *tree, uint32_t offset)
{
	uint32_t i;

	if (offset % 8 != 0 || offset < HEADER_WORDS * 4) {
		return false;
	}
	for (i = offset / 4; i + 4 <= tree->total / 4; i += 4) {
		if ((tree->words[i] | tree->words[i + 1] | tree->words[i + 2] |
		     tree->words[i + 3]) == 0) {
			return true;
		}
	}
	return false;
}

static bool open_tree(struct tree *tree)
{
	uint32_t at = word(tree, HEADER_STRUCT), bytes = word(tree, HEADER_STRUCT_BYTES);
	uint32_t strings = word(tree, HEADER_STRINGS);

	tree->strings_bytes = word(tree, HEADER_STRINGS_BYTES);
	if (word(tree, HEADER_VERSION) < FDT_VERSION ||
	    word(tree, HEADER_LAST_COMPATIBLE) > FDT_COMPATIBLE_VERSION) {
		return false;
	}
	if (at % 4 != 0 || bytes % 4 != 0 || !is_block(at, bytes, tree->total) ||
	    !is_block(strings, tree->strings_bytes, tree->total)) {
		return false;
	}
	tree->at = at / 4;
	tree->end = (at + bytes) / 4;
	tree->strings = (const char *)tree->words + strings;
	return check_reserved(tree, word(tree, HEADER_RESERVED));
}

/* Steps over a node's name and padding. Only the root has an empty name. */
static bool skip_name(struct tree *tree, bool is_root)
{
	uint32_t bytes =
		text_bytes((const char *)&tree->words[tree->at], (tree->end - tree->at) * 4);

	if (bytes == 0 || (bytes == 1) != is_root) {
		return false;
	}
	tree->at += (bytes + 3) / 4;
	return true;
}

/*
 * Notes what a property says about PSCI. Readers differ on which of two of the same name counts,
 * and on a last string without an end: refused.
 */
static bool note_property(struct node *node, const char *name, uint32_t name_bytes,
			  const char *text, uint32_t bytes, uint32_t value)
{
	if (text_is(name, name_bytes, "compatible")) {
		if (node->has_compatible || bytes == 0 || text[bytes - 1] != 0) {
			return false;
		}
		node->has_compatible = true;
		node->is_psci = is_psci_compatible(text, bytes);
	}
	if (text_is(name, name_bytes, "method")) {
		if (node->has_method) {
			return false;
		}
		node->has_method = true;
		node->method = bytes == 4 && (text_is(text, 4, "hvc") || text_is(text, 4, "smc"))
				       ? value
				       : 0;
	}
	return true;
}

/* Steps over a property: length, name, value, padding. */
static bool take_property(struct tree *tree, struct node *node)
{
	uint32_t bytes, name, value, words;

	if (tree->end - tree->at < 2) {
		return false;
	}
	bytes = word(tree, tree->at);
	name = word(tree, tree->at + 1);
	value = tree->at + 2;
	words = bytes / 4 + (bytes % 4 != 0);
	if (words > tree->end - value || name >= tree->strings_bytes ||
	    text_bytes(tree->strings + name, tree->strings_bytes - name) <= 1) {
		return false;
	}
	tree->at = value + words;
	return note_property(node, tree->strings + name, tree->strings_bytes - name,
			     (const char *)&tree->words[value], bytes, value);
}

/*
 * What a node's properties add up to, at its first subnode or its end. Both methods have the same
 * length.
 */
static bool close_properties(struct tree *tree, struct node *node, uint32_t *psci_count)
{
	char *method;

	if (node->is_psci) {
		if (node->method == 0) {
			return false;
		}
		method = (char *)&tree->words[node->method];
		method[0] = 's';
		method[1] = 'm';
		*psci_count += 1;
	}
	*node = (struct node){ 0 };
	return true;
}

/*
 * One pass. Properties come before subnodes (libfdt and Linux rely on that), so one struct node is
 * enough: it is closed at the first subnode, and a property after that is refused.
 */
static bool mend_tree(struct tree *tree)
{
	struct node node = { 0 };
	uint32_t depth = 0, psci_count = 0;
	bool may_have_properties = false;

	while (tree->at < tree->end) {
		uint32_t token = word(tree, tree->at++);

		if (token == FDT_NOP) {
			continue;
		}
		if (token == FDT_PROP) {
			if (!may_have_properties || !take_property(tree, &node)) {
				return false;
			}
			continue;
		}
		if (!close_properties(tree, &node, &psci_count)) {
			return false;
		}
		if (token == FDT_BEGIN_NODE && depth < DEPTH_MAX && skip_name(tree, depth == 0)) {
			depth++;
			may_have_properties = true;
		} else if (token == FDT_END_NODE && depth > 0) {
			depth--;
			may_have_properties = false;
			if (depth == 0) {
				break;
			}
		} else {
			return false;
		}
	}
	while (tree->at < tree->end && word(tree, tree->at) == FDT_NOP) {
		tree->at++;
	}
	return depth == 0 && tree->at < tree->end && word(tree, tree->at) == FDT_END &&
	       psci_count > 0;
}

uint32_t seal_take_dtb(const void *source, void *room)
{
	const volatile uint32_t *from = source; /* volatile: one load each, as written */
	struct tree tree = { .words = room };
	uint32_t i;

	if ((uintptr_t)source % 8 != 0) {
		return 0;
	}
	for (i = 0; i < HEADER_WORDS; i++) {
		tree.words[i] = from[i];
	}
	tree.total = word(&tree, HEADER_TOTAL);
	if (word(&tree, HEADER_MAGIC) != FDT_MAGIC || tree.total < HEADER_WORDS * 4 ||
	    tree.total > SEAL_DTB_BYTES_MAX || (uintptr_t)source + tree.total < (uintptr_t)source) {
		return 0;
	}
	for (i = HEADER_WORDS; i < (tree.total + 3) / 4; i++) {
		tree.words[i] = from[i];
	}
	return open_tree(&tree) && mend_tree(&tree) ? tree.total : 0;
}

const void *seal_find_dtb(const void *image)
{
	static const uint32_t stub[] = { 0x580000c0, 0xaa1f03e1, 0xaa1f03e2,
					 0xaa1f03e3, 0x58000084, 0xd61f0080 };
	const volatile uint32_t *words = (const volatile uint32_t *)((uintptr_t)image - (2u << 20));
	uint64_t dtb, entry;
	uint32_t i;

	for (i = 0; i < sizeof(stub) / sizeof(stub[0]); i++) {
		if (words[i] != stub[i]) {
			return NULL;
		}
	}
	dtb = words[6] | (uint64_t)words[7] << 32;
	entry = words[8] | (uint64_t)words[9] << 32;
	return entry == (uintptr_t)image ? (const void *)(uintptr_t)dtb : NULL;
}
