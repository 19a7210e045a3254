// SPDX-License-Identifier: BSD-3-Clause
/*
 * A TCG plugin that counts executed instructions per exception level, and the entries into EL2.
 *
 * Arguments: out=FILE. Counting starts with the first instruction at EL1. The program under test
 * reports by unallocated hints, which every CPU executes as NOP: `hint #0x70 + k` (k = 0..15)
 * writes one line to FILE with all counts so far. One more line, "exit", is written when QEMU ends.
 * Counts are exact: one callback an instruction (inline counters crash QEMU 10.0.2 together with
 * -icount, and counting whole translation blocks would count what an exception cuts off).
 *
 * QEMU translates a block for one exception level, so the level is read from PSTATE when the block
 * is translated.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "qemu_plugin_api.h"

#define EXPORT __attribute__((visibility("default")))
#define LEVELS 4

EXPORT int qemu_plugin_version = QEMU_PLUGIN_VERSION;
EXPORT int qemu_plugin_install(qemu_plugin_id_t id, const qemu_info_t *info, int argc, char **argv);

enum kind { KIND_OTHER, KIND_SYSREG, KIND_ISB, KIND_ERET, KIND_TLBI, KIND_COUNT };

/* The machine has one CPU (checked), so only one thread ever counts. */
static struct {
	uint64_t insns[LEVELS];
	uint64_t kinds[LEVELS][KIND_COUNT];
	uint64_t el2_entries;
	unsigned int level; /* of the last instruction */
} counts;

/* What the callback of an instruction is told; one for each level and kind, immutable. */
struct site {
	unsigned int level;
	enum kind kind;
};

static struct site sites[LEVELS][KIND_COUNT];
static bool started;
static FILE *out;
static struct qemu_plugin_register *pstate;
static GByteArray *value;

static void report(const char *what, unsigned int number)
{
	const uint64_t *el2 = counts.kinds[2];

	fprintf(out, "%s=%u el0=%" PRIu64 " el1=%" PRIu64 " el2=%" PRIu64 " entries=%" PRIu64, what,
		number, counts.insns[0], counts.insns[1], counts.insns[2], counts.el2_entries);
	fprintf(out, " sysreg=%" PRIu64 " isb=%" PRIu64 " eret=%" PRIu64 " tlbi=%" PRIu64 "\n",
		el2[KIND_SYSREG], el2[KIND_ISB], el2[KIND_ERET], el2[KIND_TLBI]);
	fflush(out);
}

static void on_insn(unsigned int vcpu, void *data)
{
	const struct site *site = data;

	(void)vcpu;
	if (!started) {
		if (site->level != 1) {
			return;
		}
		started = true;
		counts.level = 1;
	}
	counts.insns[site->level]++;
	counts.kinds[site->level][site->kind]++;
	if (site->level == 2 && counts.level != 2) {
		counts.el2_entries++;
	}
	counts.level = site->level;
}

static void on_mark(unsigned int vcpu, void *data)
{
	(void)vcpu;
	report("mark", (unsigned int)(uintptr_t)data);
}

static void on_exit_of_qemu(qemu_plugin_id_t id, void *data)
{
	(void)id;
	(void)data;
	report("exit", 0);
	fclose(out);
}

static void find_pstate(void)
{
	GArray *all = qemu_plugin_get_registers();

	for (unsigned int i = 0; i < all->len; i++) {
		const qemu_plugin_reg_descriptor *r =
			(const qemu_plugin_reg_descriptor *)(void *)all->data + i;

		if (strcmp(r->name, "cpsr") == 0) {
			pstate = r->handle;
		}
	}
	if (!pstate) {
		fprintf(stderr, "count: this QEMU does not show PSTATE to plugins\n");
		exit(1);
	}
	value = g_byte_array_new();
}

/* The exception level of the CPU that is about to execute the block being translated. */
static unsigned int level_now(void)
{
	uint32_t bits;

	if (!pstate) {
		find_pstate();
	}
	g_byte_array_set_size(value, 0);
	if (qemu_plugin_read_register(pstate, value) < (int)sizeof(bits)) {
		fprintf(stderr, "count: PSTATE is not readable while a block is translated\n");
		exit(1);
	}
	memcpy(&bits, value->data, sizeof(bits));
	return (bits >> 2) & 3;
}

/* Arm ARM C4.1, "Branches, Exception Generating and System instructions". */
static enum kind kind_of(uint32_t word)
{
	if ((word & 0xffd00000) == 0xd5100000) {
		return KIND_SYSREG; /* MRS, MSR (register) */
	}
	if ((word & 0xfffff0ff) == 0xd50330df) {
		return KIND_ISB;
	}
	if ((word & 0xfffff3ff) == 0xd69f03e0) {
		return KIND_ERET;
	}
	if ((word & 0xfff8f000) == 0xd5088000) {
		return KIND_TLBI;
	}
	return KIND_OTHER;
}

static void on_translate(qemu_plugin_id_t id, struct qemu_plugin_tb *tb)
{
	unsigned int level = level_now();

	(void)id;
	for (size_t i = 0; i < qemu_plugin_tb_n_insns(tb); i++) {
		struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
		uint32_t word = 0;

		qemu_plugin_insn_data(insn, &word, sizeof(word));
		qemu_plugin_register_vcpu_insn_exec_cb(insn, on_insn, QEMU_PLUGIN_CB_NO_REGS,
						       &sites[level][kind_of(word)]);
		/* HINT #imm is 0xd503201f | imm << 5. */
		if ((word & 0xfffffe1f) == (0xd503201f | 0x70 << 5)) {
			qemu_plugin_register_vcpu_insn_exec_cb(insn, on_mark,
							       QEMU_PLUGIN_CB_NO_REGS,
							       (void *)(uintptr_t)(word >> 5 & 15));
		}
	}
}

int qemu_plugin_install(qemu_plugin_id_t id, const qemu_info_t *info, int argc, char **argv)
{
	if (strcmp(info->target_name, "aarch64") != 0 || info->system.max_vcpus != 1) {
		fprintf(stderr, "count: only for an aarch64 machine with one CPU\n");
		return -1;
	}
	for (int i = 0; i < argc; i++) {
		if (strncmp(argv[i], "out=", 4) == 0) {
			out = fopen(argv[i] + 4, "w");
		}
	}
	if (!out) {
		fprintf(stderr, "count: say out=FILE (a file that can be written)\n");
		return -1;
	}
	for (unsigned int l = 0; l < LEVELS; l++) {
		for (unsigned int k = 0; k < KIND_COUNT; k++) {
			sites[l][k] = (struct site){ .level = l, .kind = (enum kind)k };
		}
	}
	qemu_plugin_register_vcpu_tb_trans_cb(id, on_translate);
	qemu_plugin_register_atexit_cb(id, on_exit_of_qemu, NULL);
	return 0;
}
