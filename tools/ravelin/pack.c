/* SPDX-License-Identifier: BSD-3-Clause */
/* ravelin pack: the command line. */
#include "pack.h"

#include <getopt.h>
#include <stdio.h>

static const char help_text[] =
	"Usage: ravelin pack --kernel IMAGE [--initrd FILE] [--cmdline TEXT] -o OUT\n"
	"  or:  ravelin pack --guest --sealboot FILE --kernel IMAGE -o OUT\n"
	"Without --guest: makes the bundle (a FIT) that the corevisor takes the host's kernel from; pass it where an\n"
	"initrd goes. With --guest: puts the guest loader in front of the unmodified kernel IMAGE; the result is an\n"
	"arm64 Image that a VMM loads like any kernel.\n"
	"\n"
	"  -k, --kernel=IMAGE   uncompressed arm64 kernel Image\n"
	"  -i, --initrd=FILE    initial RAM disk of the host\n"
	"  -c, --cmdline=TEXT   kernel command line of the host\n"
	"  -g, --guest          make the image of a protected guest\n"
	"  -s, --sealboot=FILE  the guest loader (build/sealboot/sealboot.bin)\n"
	"  -o, --output=OUT     file to write; replaced only when everything went well\n"
	"      --help           display this help and exit\n"
	"      --version        output version information and exit\n";

enum { OPTION_HELP = 256, OPTION_VERSION };

static const struct option options[] = {
	{ "kernel", required_argument, NULL, 'k' },
	{ "initrd", required_argument, NULL, 'i' },
	{ "cmdline", required_argument, NULL, 'c' },
	{ "guest", no_argument, NULL, 'g' },
	{ "sealboot", required_argument, NULL, 's' },
	{ "output", required_argument, NULL, 'o' },
	{ "help", no_argument, NULL, OPTION_HELP },
	{ "version", no_argument, NULL, OPTION_VERSION },
	{ NULL, 0, NULL, 0 },
};

/* Returns a negative number to go on, else the exit status. */
static int parse(int argc, char **argv, struct pack_request *request)
{
	int option;

	while ((option = getopt_long(argc, argv, "k:i:c:gs:o:", options, NULL)) != -1) {
		switch (option) {
		case 'k': request->kernel = optarg; break;
		case 'i': request->initrd = optarg; break;
		case 'c': request->cmdline = optarg; break;
		case 'g': request->is_guest = true; break;
		case 's': request->sealboot = optarg; break;
		case 'o': request->output = optarg; break;
		case OPTION_HELP: fputs(help_text, stdout); return EXIT_OK;
		case OPTION_VERSION: printf("ravelin pack %s\n", TOOL_VERSION); return EXIT_OK;
		default: return usage_error("pack");
		}
	}
	if (optind < argc) {
		fail("pack: unexpected argument '%s'", argv[optind]);
		return usage_error("pack");
	}
	return -1;
}

static bool is_sensible(const struct pack_request *request)
{
	if (!request->kernel) {
		return fail("pack: --kernel is missing");
	}
	if (!request->output) {
		return fail("pack: --output is missing");
	}
	if (request->is_guest && !request->sealboot) {
		return fail("pack: --guest needs --sealboot");
	}
	if (request->is_guest && (request->initrd || request->cmdline)) {
		return fail(
			"pack: --initrd and --cmdline do not go with --guest: the VMM passes them");
	}
	if (!request->is_guest && request->sealboot) {
		return fail("pack: --sealboot goes only with --guest");
	}
	return true;
}

int command_pack(int argc, char **argv)
{
	struct pack_request request = { 0 };
	int status = parse(argc, argv, &request);

	if (status >= 0) {
		return status;
	}
	if (!is_sensible(&request)) {
		return usage_error("pack");
	}
	if (request.is_guest) {
		return pack_guest(&request) ? EXIT_OK : EXIT_FAIL;
	}
	return pack_host(&request) ? EXIT_OK : EXIT_FAIL;
}
