/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A flattened device tree (Devicetree Specification 0.4, chapter 5), checked and written anew while
 * it is read. Not libfdt: Debian's is built for memory that allows unaligned access, and this needs
 * only one pass over the structure block.
 *
 * The structure block is a string of big-endian 32-bit tokens. It is read as words, by index, and
 * every index is compared with the block's end before use; strings end inside their block, or the
 * tree is refused. What is written is compared with the room in one place, put().
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

/* The tree that the kernel gets: the words up to `at` are written. */
struct output {
	uint32_t *words;
	uint32_t at;
	bool is_full;
	const struct seal_chosen *chosen;
	uint32_t names; /* where `names` begin in the strings block */
};

struct node {
	uint32_t start; /* index of its first word of the output */
	bool is_chosen;
	bool is_foreign;
	bool has_compatible;
	bool is_psci;
	bool has_method;
	uint32_t
		method; /* index of the word of the output that holds "hvc\0" or "smc\0", 0: none */
};

/* Added to the strings block. */
static const char names[] = "bootargs\0linux,initrd-start\0linux,initrd-end";
enum { NAME_BOOTARGS = 0, NAME_INITRD_START = 9, NAME_INITRD_END = 28 };

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
	return wanted[i] == '*';
}

/* PSCI as a node names it. The old one leaves the numbers of its calls to the tree. */
enum psci { PSCI_NONE, PSCI_OLD, PSCI_NOW };

/*
 * Which PSCI Linux would use by this compatible property: the first in the list. Pre: its last byte
 * is 0, so every string in it ends.
 */
static enum psci psci_of(const char *list, uint32_t bytes)
{
	uint32_t at;

	for (at = 0; at < bytes; at += text_bytes(list + at, bytes - at)) {
		if (text_is_alike(list + at, "arm,psci")) {
			return PSCI_OLD;
		}
		if (text_is_alike(list + at, "arm,psci-0.2") ||
		    text_is_alike(list + at, "arm,psci-1.0")) {
			return PSCI_NOW;
		}
	}
	return PSCI_NONE;
}

/*
 * What a node can be: the devices of QEMU's and kvmtool's machines for guests; '*': whatever begins
 * so. A driver for anything else may take for a device what the tree says is one: ramoops writes
 * to any RAM. One string, because pointers would have to be relocated.
 */
static const char known[] =
	"linux,dummy-virt\0"
	"arm,cortex-a*\0arm,neoverse-*\0arm,a64fx\0arm,armv8\0arm,arm-v8\0"
	"qemu,unknown\0numa-distance-map-v1\0"
	"arm,psci\0arm,psci-0.2\0arm,psci-1.0\0"
	"arm,armv7-timer\0arm,armv8-timer\0arm,armv8-pmuv3\0"
	"arm,gic-v3\0arm,gic-v3-its\0arm,gic-v2m-frame\0"
	"fixed-clock\0gpio-keys\0gpio-poweroff\0gpio-restart\0"
	"arm,primecell\0arm,pl011\0arm,pl031\0arm,pl061\0"
	"ns16550a\0motorola,mc146818\0cfi-flash\0"
	"pci-host-ecam-generic\0virtio,mmio\0virtio,pci-iommu\0pci1af4,1057\0arm,smmu-v3\0"
	"qemu,fw-cfg-mmio\0qemu,platform\0simple-bus\0tcg,tpm-tis-mmio\0";

bool seal_knows_device(const char *compatible)
{
	uint32_t at, bytes;

	for (at = 0; (bytes = text_bytes(known + at, sizeof(known) - at)) > 1; at += bytes) {
		if (text_is_alike(compatible, known + at)) {
			return true;
		}
	}
	return false;
}

/* Whether all in a compatible property are known: Linux takes a driver for any. Pre: as above. */
static bool are_known(const char *list, uint32_t bytes)
{
	uint32_t at;

	for (at = 0; at < bytes; at += text_bytes(list + at, bytes - at)) {
		if (!seal_knows_device(list + at)) {
			return false;
		}
	}
	return true;
}

/* [offset, offset + bytes) lies behind the header and inside the blob. */
static bool is_block(uint32_t offset, uint32_t bytes, uint32_t total)
{
	return offset >= HEADER_WORDS * 4 && offset <= total && bytes <= total - offset;
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
	return true;
}

/* ---- writing ---- */

/* Pre: value is as the blob has it, big endian. A full room is noticed in the end. */
static void put(struct output *out, uint32_t value)
{
	if (out->at == SEAL_DTB_BYTES_MAX / 4) {
		out->is_full = true;
		return;
	}
	out->words[out->at++] = value;
}

static void put_words(struct output *out, const uint32_t *words, uint32_t count)
{
	uint32_t i;

	for (i = 0; i < count; i++) {
		put(out, words[i]);
	}
}

/* Byte `i` of a run of bytes that is filled up to whole words with 0. */
static void put_byte(struct output *out, uint32_t i, char byte)
{
	if (i % 4 == 0) {
		put(out, 0);
	}
	if (!out->is_full) {
		((char *)&out->words[out->at - 1])[i % 4] = byte;
	}
}

static void put_bytes(struct output *out, const char *bytes, uint32_t count)
{
	uint32_t i;

	for (i = 0; i < count; i++) {
		put_byte(out, i, bytes[i]);
	}
}

/* The strings block: the old one, then ours. */
static void put_strings(struct output *out, const struct tree *tree)
{
	uint32_t i;

	for (i = 0; i < tree->strings_bytes; i++) {
		put_byte(out, i, tree->strings[i]);
	}
	for (i = 0; i < sizeof(names); i++) {
		put_byte(out, tree->strings_bytes + i, names[i]);
	}
}

static void put_property(struct output *out, uint32_t name, uint32_t bytes)
{
	put(out, be32(FDT_PROP));
	put(out, be32(bytes));
	put(out, be32(out->names + name));
}

static void put_address(struct output *out, uint32_t name, uint64_t value)
{
	put_property(out, name, 8);
	put(out, be32((uint32_t)(value >> 32)));
	put(out, be32((uint32_t)value));
}

/* What comes with the image, and from nowhere else. */
static void put_chosen(struct output *out)
{
	const struct seal_chosen *chosen = out->chosen;

	if (chosen->cmdline_bytes > 0) {
		put_property(out, NAME_BOOTARGS, chosen->cmdline_bytes);
		put_bytes(out, chosen->cmdline, chosen->cmdline_bytes);
	}
	if (chosen->initrd_end > chosen->initrd_start) {
		put_address(out, NAME_INITRD_START, chosen->initrd_start);
		put_address(out, NAME_INITRD_END, chosen->initrd_end);
	}
}

/* ---- reading, and writing what was read ---- */

/*
 * The reservation list: pairs of 64-bit numbers, ended by a pair of zeros. Linux walks it without a
 * limit.
 */
static bool take_reserved(const struct tree *tree, struct output *out)
{
	uint32_t offset = word(tree, HEADER_RESERVED);
	uint32_t i;

	if (offset % 8 != 0 || offset < HEADER_WORDS * 4) {
		return false;
	}
	for (i = offset / 4; i + 4 <= tree->total / 4; i += 4) {
		put_words(out, &tree->words[i], 4);
		if ((tree->words[i] | tree->words[i + 1] | tree->words[i + 2] |
		     tree->words[i + 3]) == 0) {
			return true;
		}
	}
	return false;
}

static bool begins_with(const char *text, const char *wanted)
{
	uint32_t i;

	for (i = 0; wanted[i] != 0; i++) {
		if (text[i] != wanted[i]) {
			return false;
		}
	}
	return true;
}

/*
 * Nodes of the root that no VMM makes for a guest like ours. Readers differ on whether "chosen@0"
 * is /chosen. By /reserved-memory Linux gives memory to its allocator that the image may lie in,
 * and under /hypervisor it looks for Xen's tables of EFI.
 */
static bool is_refused_node(const char *name)
{
	return begins_with(name, "chosen@") || begins_with(name, "reserved-memory") ||
	       begins_with(name, "hypervisor");
}

/*
 * The beginning of a node, depth counted from the root's 0: name and padding. Only the root has an
 * empty name.
 */
static bool take_name(struct tree *tree, struct output *out, uint32_t depth, struct node *node)
{
	const char *name = (const char *)&tree->words[tree->at];
	uint32_t bytes = text_bytes(name, (tree->end - tree->at) * 4);

	if (bytes == 0 || (bytes == 1) != (depth == 0) || (depth == 1 && is_refused_node(name))) {
		return false;
	}
	node->start = out->at;
	put(out, be32(FDT_BEGIN_NODE));
	put_bytes(out, name, bytes);
	tree->at += (bytes + 3) / 4;
	if (depth == 1 && text_is(name, bytes, "chosen")) {
		node->is_chosen = true;
		put_chosen(out);
	}
	return true;
}

/* What /chosen may say that the image does not: which console; a seed for where the kernel lies. */
static bool is_kept_in_chosen(const char *name, uint32_t limit)
{
	return text_is(name, limit, "stdout-path") || text_is(name, limit, "linux,stdout-path") ||
	       text_is(name, limit, "kaslr-seed");
}

/*
 * Notes what a property says about PSCI. Readers differ on which of two of the same name counts,
 * and on a last string without an end: refused. So is what would let the tree call by SMC what it
 * likes (the realm services are there), or have a CPU released by a write to where it likes.
 */
static bool note_property(struct node *node, const char *name, uint32_t name_bytes,
			  const char *text, uint32_t bytes, uint32_t value)
{
	if (text_is(name, name_bytes, "compatible")) {
		if (node->has_compatible || bytes == 0 || text[bytes - 1] != 0 ||
		    psci_of(text, bytes) == PSCI_OLD) {
			return false;
		}
		node->has_compatible = true;
		node->is_psci = psci_of(text, bytes) == PSCI_NOW;
		node->is_foreign = !are_known(text, bytes);
	}
	if (text_is(name, name_bytes, "arm,smc-id") ||
	    (text_is(name, name_bytes, "enable-method") && !text_is(text, bytes, "psci"))) {
		return false;
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

/* A property: length, name, value, padding. */
static bool take_property(struct tree *tree, struct output *out, struct node *node)
{
	const char *name;
	uint32_t bytes, at, value, words, limit;

	if (tree->end - tree->at < 2) {
		return false;
	}
	bytes = word(tree, tree->at);
	at = word(tree, tree->at + 1);
	value = tree->at + 2;
	words = bytes / 4 + (bytes % 4 != 0);
	if (words > tree->end - value || at >= tree->strings_bytes) {
		return false;
	}
	name = tree->strings + at;
	limit = tree->strings_bytes - at;
	if (text_bytes(name, limit) <= 1) {
		return false;
	}
	tree->at = value + words;
	if (node->is_chosen && !is_kept_in_chosen(name, limit)) {
		return true;
	}
	put(out, be32(FDT_PROP));
	put_words(out, &tree->words[value - 2], 2 + words);
	return note_property(node, name, limit, (const char *)&tree->words[value], bytes,
			     out->at - words);
}

struct counts {
	uint32_t psci, chosen;
};

/*
 * What a node's properties add up to, at its first subnode or its end. Both methods have the same
 * length.
 */
static bool close_properties(struct output *out, struct node *node, struct counts *counts)
{
	char *method;

	if (node->is_psci) {
		if (node->method == 0 || out->is_full) {
			return false;
		}
		method = (char *)&out->words[node->method];
		method[0] = 's';
		method[1] = 'm';
		counts->psci++;
	}
	counts->chosen += node->is_chosen;
	*node = (struct node){ 0 };
	return true;
}

/* A node that is left out, with all below it. What is read of them is checked like any other. */
struct hole {
	uint32_t depth; /* 0: there is none */
	uint32_t start; /* where the output goes on behind it */
};

/*
 * One pass. Properties come before subnodes (libfdt and Linux rely on that), so one struct node is
 * enough: it is closed at the first subnode, and a property after that is refused.
 */
static bool take_structure(struct tree *tree, struct output *out)
{
	struct node node = { 0 };
	struct hole hole = { 0 };
	struct counts counts = { 0 }, unseen = { 0 };
	uint32_t depth = 0;
	bool may_have_properties = false;

	while (tree->at < tree->end) {
		uint32_t token = word(tree, tree->at++);

		if (hole.depth == 0 && node.is_foreign && token != FDT_PROP && token != FDT_NOP) {
			hole = (struct hole){ depth, node.start };
		}
		if (hole.depth > 0) {
			out->at = hole.start;
		}
		if (token == FDT_NOP) {
			continue;
		}
		if (token == FDT_PROP) {
			if (!may_have_properties || !take_property(tree, out, &node)) {
				return false;
			}
			continue;
		}
		if (!close_properties(out, &node, hole.depth > 0 ? &unseen : &counts)) {
			return false;
		}
		if (token == FDT_BEGIN_NODE && depth < DEPTH_MAX &&
		    take_name(tree, out, depth, &node)) {
			depth++;
			may_have_properties = true;
		} else if (token == FDT_END_NODE && depth > 0) {
			if (hole.depth == 0) {
				put(out, be32(FDT_END_NODE));
			}
			hole.depth = hole.depth == depth ? 0 : hole.depth;
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
	put(out, be32(FDT_END));
	return depth == 0 && tree->at < tree->end && word(tree, tree->at) == FDT_END &&
	       counts.psci > 0 && counts.chosen == 1;
}

/* The blocks one after the other, as every writer lays them out. Returns the bytes of all. */
static uint32_t write_tree(struct tree *tree, struct output *out)
{
	uint32_t structure, strings, total;

	out->at = HEADER_WORDS;
	out->names = tree->strings_bytes;
	if (!take_reserved(tree, out)) {
		return 0;
	}
	structure = out->at;
	if (!take_structure(tree, out)) {
		return 0;
	}
	strings = out->at;
	put_strings(out, tree);
	if (out->is_full) {
		return 0;
	}
	total = strings * 4 + tree->strings_bytes + (uint32_t)sizeof(names);
	out->words[HEADER_MAGIC] = be32(FDT_MAGIC);
	out->words[HEADER_TOTAL] = be32(total);
	out->words[HEADER_STRUCT] = be32(structure * 4);
	out->words[HEADER_STRINGS] = be32(strings * 4);
	out->words[HEADER_RESERVED] = be32(HEADER_WORDS * 4);
	out->words[HEADER_VERSION] = be32(FDT_VERSION);
	out->words[HEADER_LAST_COMPATIBLE] = be32(FDT_COMPATIBLE_VERSION);
	out->words[HEADER_BOOT_CPU] = tree->words[HEADER_BOOT_CPU];
	out->words[HEADER_STRINGS_BYTES] = be32(tree->strings_bytes + (uint32_t)sizeof(names));
	out->words[HEADER_STRUCT_BYTES] = be32((strings - structure) * 4);
	return total;
}

uint32_t seal_take_dtb(const void *source, void *copy, void *room, const struct seal_chosen *chosen)
{
	const volatile uint32_t *from = source; /* volatile: one load each, as written */
	struct tree tree = { .words = copy };
	struct output out = { .words = room, .chosen = chosen };
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
	return open_tree(&tree) ? write_tree(&tree, &out) : 0;
}

uint32_t seal_hand_over(const void *source, uint8_t *image)
{
	const struct seal_slots *slots = (const struct seal_slots *)(image + SEAL_AT_SLOTS);
	struct seal_chosen chosen = {
		.cmdline = (const char *)image + slots->cmdline,
		.cmdline_bytes = (uint32_t)slots->cmdline_bytes,
		.initrd_start = (uintptr_t)image + slots->initrd,
		.initrd_end = (uintptr_t)image + slots->initrd + slots->initrd_bytes,
	};
	uint8_t *room = image + slots->dtb;

	return slots->dtb == 0 ? 0
			       : seal_take_dtb(source, room + SEAL_DTB_BYTES_MAX, room, &chosen);
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
