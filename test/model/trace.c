/* SPDX-License-Identifier: BSD-3-Clause */
/* Operations as text: "name cpu=1 vm=0 gfn=0x3 ...". */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model.h"

void op_print(FILE *to, const struct op *op)
{
	const struct op_kind *kind = &model_ops[op->kind];

	fprintf(to, "%s cpu=%u", kind->name, op->cpu);
	for (u32 i = 0; kind->arg[i] != NULL; i++) {
		fprintf(to, op->arg[i] < 10 ? " %s=%lu" : " %s=%#lx", kind->arg[i], op->arg[i]);
	}
	fprintf(to, "\n");
}

static u64 value_of(const char *name, const char *word, const char *line)
{
	size_t length = strlen(name);

	if (word == NULL || strncmp(word, name, length) != 0 || word[length] != '=') {
		fprintf(stderr, "'%s' expected in: %s\n", name, line);
		exit(2);
	}
	return strtoull(word + length + 1, NULL, 0);
}

static bool op_read(struct op *op, char *line)
{
	const char *word = strtok(line, " #\n");

	for (op->kind = 0; word != NULL && op->kind < model_op_count; op->kind++) {
		const struct op_kind *kind = &model_ops[op->kind];

		if (strcmp(kind->name, word) != 0) {
			continue;
		}
		op->cpu = (u32)value_of("cpu", strtok(NULL, " \n"), kind->name) % FAKE_CPUS;
		for (u32 i = 0; kind->arg[i] != NULL; i++) {
			op->arg[i] = value_of(kind->arg[i], strtok(NULL, " \n"), kind->name);
		}
		return true;
	}
	return false; /* a remark */
}

u32 ops_read(FILE *from, struct op *ops, u32 max)
{
	char line[400];
	u32 count = 0;

	while (count < max && fgets(line, sizeof(line), from) != NULL) {
		count += op_read(&ops[count], line);
	}
	return count;
}
