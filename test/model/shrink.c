/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * From a long list of operations that fails to a short one: leave out as much as still fails, in
 * ever smaller pieces (after Zeller's delta debugging). A failure ends its process, so each try is
 * a child.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "model.h"

#define TRY_SECONDS 20 /* a lock that is never released is a failure, too */

static _Noreturn void try_in_child(const struct op *ops, u32 count, int output)
{
	bool skipped;

	dup2(output, STDERR_FILENO);
	alarm(TRY_SECONDS);
	model_boot();
	for (u32 i = 0; i < count; i++) {
		char what[40];

		snprintf(what, sizeof(what), "line %u", i + 1);
		model_step(&ops[i], what, &skipped);
	}
	_exit(0);
}

bool ops_fail(const struct op *ops, u32 count, char *why, size_t why_bytes)
{
	int ends[2];
	int status;
	pid_t child;
	size_t length = 0;

	if (pipe(ends) != 0) {
		abort();
	}
	fflush(stdout);
	child = fork();
	if (child == 0) {
		close(ends[0]);
		try_in_child(ops, count, ends[1]);
	}
	close(ends[1]);
	for (;;) {
		char buffer[512];
		ssize_t got = read(ends[0], buffer, sizeof(buffer));

		if (got <= 0) {
			break;
		}
		for (ssize_t i = 0; i < got && length + 1 < why_bytes; i++) {
			why[length++] = buffer[i] == '\n' ? ' ' : buffer[i];
		}
	}
	close(ends[0]);
	if (waitpid(child, &status, 0) != child) {
		abort();
	}
	if (why_bytes > 0) {
		why[length] = '\0';
		if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM) {
			snprintf(why, why_bytes, "hangs");
		} else if (WIFSIGNALED(status) && length == 0) {
			snprintf(why, why_bytes, "%s", strsignal(WTERMSIG(status)));
		}
	}
	return status != 0;
}

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

static void without(struct op *to, const struct op *ops, u32 count, u32 first, u32 pieces)
{
	memcpy(to, ops, first * sizeof(*ops));
	memcpy(to + first, ops + first + pieces, (count - first - pieces) * sizeof(*ops));
}

u32 ops_shrink(struct op *ops, u32 count, double seconds)
{
	const double end_time = now() + seconds;
	struct op *fewer = malloc((count + 1) * sizeof(*ops));
	bool is_smaller = true;

	for (u32 piece = (count + 1) / 2; piece > 0;
	     piece = piece > 1 || !is_smaller ? piece / 2 : 1) {
		is_smaller = false;
		/* From the end: what comes late depends on what was early. */
		for (u32 end = count; end > 0 && now() < end_time;) {
			u32 size = end < piece ? end : piece;

			without(fewer, ops, count, end - size, size);
			if (ops_fail(fewer, count - size, NULL, 0)) {
				count -= size;
				memcpy(ops, fewer, count * sizeof(*ops));
				is_smaller = true;
			}
			end -= size;
		}
	}
	free(fewer);
	return count;
}
