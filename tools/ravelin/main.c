/* SPDX-License-Identifier: BSD-3-Clause */
/* ravelin: finds the subcommand and runs it. */
#include "ravelin.h"

#include <ravelin/abi.h>

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char help_text[] =
	"Usage: ravelin COMMAND [OPTION]...\n"
	"Packs and signs what the Ravelin corevisor boots, and shows what a running one does.\n"
	"\n"
	"  pack      make the bundle of a host, or the bootable image of a protected guest\n"
	"  keygen    make a guest owner's key\n"
	"  sign      sign what a protected guest starts with\n"
	"  verify    check a signed guest as the corevisor does\n"
	"  inspect   show what an owner has signed\n"
	"  save      write a stopped protected VM into a file, sealed\n"
	"  restore   continue such a VM in a VMM that was started paused\n"
	"  version   versions of this program and of the running corevisor\n"
	"  status    VMs, pages by state, exits by class, the last refusal\n"
	"  log       the corevisor's log\n"
	"\n"
	"      --help     display this help, or with a command that command's, and exit\n"
	"      --version  output version information and exit\n"
	"\n"
	"Exit status: 0 if OK, 1 if the command failed, 2 if it was called wrongly.\n";

static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
} commands[] = {
	{ "pack", command_pack },	{ "keygen", command_keygen },
	{ "sign", command_sign },	{ "verify", command_verify },
	{ "inspect", command_inspect }, { "version", command_version },
	{ "status", command_status },	{ "log", command_log },
	{ "save", command_save },	{ "restore", command_restore },
};

bool fail(const char *format, ...)
{
	va_list args;

	fputs("ravelin: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	return false;
}

int usage_error(const char *command)
{
	fprintf(stderr, "Try 'ravelin %s%s--help' for more information.\n", command,
		*command ? " " : "");
	return EXIT_USAGE;
}

/*
 * What was printed may sit in a buffer until now: a full disk or a closed pipe must not look like
 * success.
 */
static int close_output(int status)
{
	if (fflush(stdout) != 0 || ferror(stdout)) {
		fail("standard output: write error");
		return EXIT_FAIL;
	}
	return status;
}

int main(int argc, char **argv)
{
	size_t i;

	if (argc < 2) {
		fail("a command is missing");
		return usage_error("");
	}
	if (strcmp(argv[1], "--help") == 0) {
		fputs(help_text, stdout);
		return close_output(EXIT_OK);
	}
	if (strcmp(argv[1], "--version") == 0) {
		printf("ravelin %s (ABI %d.%d)\n", TOOL_VERSION, RV_ABI_MAJOR, RV_ABI_MINOR);
		return close_output(EXIT_OK);
	}
	for (i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (strcmp(argv[1], commands[i].name) == 0) {
			return close_output(commands[i].run(argc - 1, argv + 1));
		}
	}
	fail("unknown command '%s'", argv[1]);
	return usage_error("");
}
