/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The ravelin command line: what its files share. Every function that can fail says why on standard
 * error itself and returns false (or an exit status); nothing here aborts.
 */
#ifndef RAVELIN_TOOL_H
#define RAVELIN_TOOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TOOL_VERSION "0.1"

/* Exit statuses, as the GNU tools use them. */
#define EXIT_OK 0
#define EXIT_FAIL 1
#define EXIT_USAGE 2

/*
 * main.c: prints "ravelin: ..." on standard error; returns false so that a failing function can end
 * with it.
 */
bool fail(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* "Try 'ravelin X --help'": the end of every usage error; returns EXIT_USAGE. */
int usage_error(const char *command);

/* The subcommands; argv[0] is the subcommand's name. Each returns the exit status. */
int command_pack(int argc, char **argv);
int command_keygen(int argc, char **argv);
int command_sign(int argc, char **argv);
int command_verify(int argc, char **argv);
int command_inspect(int argc, char **argv);
int command_version(int argc, char **argv);
int command_status(int argc, char **argv);
int command_log(int argc, char **argv);
int command_save(int argc, char **argv);
int command_restore(int argc, char **argv);

#endif
