/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Runs the model test and prints TAP. Options are environment variables: MODEL_SEED repeats a run,
 * MODEL_STEPS makes it longer, MODEL_MACHINE begins at a later machine of it; a failure is shrunk
 * for MODEL_SHRINK seconds. `model --replay FILE` does the operations in FILE and says what each
 * came to.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cv/psci.h>

#include "model.h"

#define STEPS 100000
#define RESTART_MAX 10000
/* A run this long must have seen all that can come. */
#define LONG_RUN 500000
#define HANG_SECONDS 60 /* for one machine */
#define PROGRESS_SECONDS 5
#define SHRINK_SECONDS 120
#define OPS_MAX 64
#define STATUSES 32

/* Shared with the child that makes the steps, and that may not live to tell. */
struct report {
	u64 machine;
	u32 count; /* operations on this machine, the last one under way */
	struct op ops[RESTART_MAX];
	u64 steps;
	u64 seen[OPS_MAX][STATUSES];
	u64 skipped;
};

static struct report *report;
static u64 seed;
static const char *program;

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

/* ---- a run ---- */

static void run_machine(u32 steps)
{
	draw_seed(seed + report->machine * 0x10001);
	report->count = 0;
	alarm(HANG_SECONDS);
	model_boot();
	for (u32 i = 0; i < steps; i++) {
		struct op *op = &report->ops[i];
		struct outcome out;
		char what[80];
		bool skipped;

		draw_op(op);
		report->count = i + 1;
		snprintf(what, sizeof(what), "MODEL_SEED=%#lx MODEL_MACHINE=%lu step %u", seed,
			 report->machine, i);
		out = model_step(op, what, &skipped);
		if (skipped) {
			report->skipped++;
		} else {
			report->seen[op->kind][-out.status]++;
			report->steps++;
		}
	}
}

static _Noreturn void run(u64 steps)
{
	double start = now();
	double said = start;

	while (report->steps < steps) {
		u64 left = steps - report->steps;
		double at;

		run_machine((u32)min_u64(left, model_machine.restart));
		report->machine++;
		at = now();
		if (at - said >= PROGRESS_SECONDS) {
			fprintf(stderr, "# %lu of %lu steps, %.0f a second\n", report->steps, steps,
				(double)report->steps / (at - start));
			said = at;
		}
	}
	_exit(0);
}

/* ---- what it came to ---- */

static u32 tests;
static u32 failures;

static void result(bool ok, const char *name)
{
	tests++;
	failures += !ok;
	printf("%s %u - %s\n", ok ? "ok" : "not ok", tests, name);
}

static bool is_psci(const struct op_kind *kind)
{
	return strncmp(kind->name, "psci_", 5) == 0;
}

static const char *status_name(const struct op_kind *kind, u32 status)
{
	static const char *const core[] = { "OK",    "NOT_SUPPORTED", "INVALID", "RANGE",
					    "NOENT", "STATE",	      "BUSY",	 "NOMEM",
					    "PERM",  "NOENTROPY",     "AUTH" };
	static const char *const psci[] = {
		[0] = "OK",
		[-PSCI_INVALID_PARAMETERS] = "INVALID_PARAMETERS",
		[-PSCI_ALREADY_ON] = "ALREADY_ON",
		[-PSCI_ON_PENDING] = "ON_PENDING",
		[-PSCI_INVALID_ADDRESS] = "INVALID_ADDRESS",
	};
	const char *name = is_psci(kind) ? (status < ARRAY_SIZE(psci) ? psci[status] : NULL)
			   : status < ARRAY_SIZE(core) ? core[status]
						       : NULL;

	return name != NULL ? name : "?";
}

static void print_counts(void)
{
	u64 sum[2][STATUSES] = { 0 };
	u64 accepted = 0;

	for (u32 i = 0; i < model_op_count; i++) {
		printf("# %-18s", model_ops[i].name);
		for (u32 s = 0; s < STATUSES; s++) {
			if (report->seen[i][s] > 0) {
				printf(" %s %lu", status_name(&model_ops[i], s),
				       report->seen[i][s]);
			}
			sum[is_psci(&model_ops[i])][s] += report->seen[i][s];
		}
		printf("\n");
		accepted += report->seen[i][0];
	}
	printf("# accepted %lu, not applicable %lu; refused:", accepted, report->skipped);
	for (u32 s = 1; s < STATUSES; s++) {
		if (sum[0][s] > 0) {
			printf(" %s %lu", status_name(&model_ops[0], s), sum[0][s]);
		}
	}
	printf("\n");
}

/* Every status that an operation documents has come. */
static bool all_seen(void)
{
	bool all = true;

	for (u32 i = 0; i < model_op_count; i++) {
		for (u32 s = 0; s < STATUSES; s++) {
			if ((model_ops[i].statuses & 1u << s) != 0 && report->seen[i][s] == 0) {
				printf("# %s never gave %s\n", model_ops[i].name,
				       status_name(&model_ops[i], s));
				all = false;
			}
		}
	}
	return all;
}

static u64 number_from(const char *name, u64 otherwise)
{
	const char *given = getenv(name);

	return given != NULL && given[0] != '\0' ? strtoull(given, NULL, 0) : otherwise;
}

static void print_minimal(void)
{
	const char *path = getenv("MODEL_OUT");
	u32 count = report->count;
	char why[400];
	FILE *file;
	double start = now();

	printf("# failed on machine %lu after %u operations on it, %lu in all\n", report->machine,
	       count, report->steps);
	if (!ops_fail(report->ops, count, why, sizeof(why))) {
		printf("# the same operations alone do not fail; MODEL_SEED=%#lx repeats the run\n",
		       seed);
		return;
	}
	printf("# %s\n", why);
	count = ops_shrink(report->ops, count, (double)number_from("MODEL_SHRINK", SHRINK_SECONDS));
	ops_fail(report->ops, count, why, sizeof(why));
	printf("# shrunk to %u operations in %.0f s: %s\n", count, now() - start, why);
	for (u32 i = 0; i < count; i++) {
		printf("#   ");
		op_print(stdout, &report->ops[i]);
	}
	path = path != NULL ? path : "build/test/model/minimal.ops";
	file = fopen(path, "w");
	if (file != NULL) {
		fprintf(file, "# MODEL_SEED=%#lx: %s\n", seed, why);
		for (u32 i = 0; i < count; i++) {
			op_print(file, &report->ops[i]);
		}
		fclose(file);
		printf("# %s --replay %s\n", program, path);
	}
}

static int test(void)
{
	u64 steps = number_from("MODEL_STEPS", STEPS);
	double start = now();
	double seconds;
	int status;

	seed = number_from("MODEL_SEED", (u64)time(NULL) * 2654435761u);
	report = mmap(NULL, sizeof(*report), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		      0);
	if (report == MAP_FAILED) {
		return 2;
	}
	report->machine = number_from("MODEL_MACHINE", 0);
	printf("# MODEL_SEED=%#lx MODEL_STEPS=%lu\n", seed, steps);
	fflush(stdout);
	if (fork() == 0) {
		run(steps);
	}
	wait(&status);
	seconds = now() - start;
	if (status != 0) {
		print_minimal();
	}
	result(status == 0, "core and specification agree");
	print_counts();
	if (status == 0 && steps >= LONG_RUN) {
		result(all_seen(), "every status of every operation was seen");
	}
	printf("# MODEL_SEED=%#lx: %lu steps on %lu machines in %.0f s, %.0f a second\n", seed,
	       report->steps, report->machine, seconds, (double)report->steps / seconds);
	printf("1..%u\n", tests);
	return failures == 0 ? 0 : 1;
}

static int replay(const char *path)
{
	static struct op ops[RESTART_MAX];
	FILE *file = fopen(path, "r");
	u32 count;

	if (file == NULL) {
		perror(path);
		return 2;
	}
	count = ops_read(file, ops, RESTART_MAX);
	fclose(file);
	model_boot();
	for (u32 i = 0; i < count; i++) {
		struct outcome out;
		char what[40];
		bool skipped;

		op_print(stdout, &ops[i]);
		fflush(stdout);
		snprintf(what, sizeof(what), "line %u", i + 1);
		out = model_step(&ops[i], what, &skipped);
		printf("  %s %#lx\n",
		       skipped ? "does not apply"
			       : status_name(&model_ops[ops[i].kind], (u32)-out.status),
		       out.value);
	}
	return 0;
}

int main(int argc, char **argv)
{
	const struct rlimit no_cores = { 0, 0 };

	program = argv[0];
	setrlimit(RLIMIT_CORE, &no_cores);
	if (argc == 3 && strcmp(argv[1], "--replay") == 0) {
		return replay(argv[2]);
	}
	if (argc != 1) {
		fprintf(stderr, "usage: %s [--replay FILE]\n", argv[0]);
		return 2;
	}
	return test();
}
