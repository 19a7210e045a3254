/* SPDX-License-Identifier: BSD-3-Clause */
/* ravelin pack: the command line. */
#include "pack.h"

#include <getopt.h>
#include <stdio.h>

static const char help_text[] =
	"Usage: ravelin pack --kernel IMAGE [--initrd FILE] [--cmdline TEXT] -o OUT\n"
	"  or:  ravelin pack --guest --sealboot FILE --kernel IMAGE [--initrd FILE] [--cmdline TEXT]\n"
	"                    [--sign KEY [OPTION]... | --launch FILE] -o OUT\n"
	"Without --guest: makes the bundle (a FIT) that the corevisor takes the host's kernel from; pass it where an\n"
	"initrd goes. With --guest: puts guest loader, unmodified kernel IMAGE, initrd and command line into one arm64\n"
	"Image that a VMM loads like any kernel. The guest's initrd and command line come from there alone: what the VMM\n"
	"passes is ignored. A protected guest must be signed: with --sign or --launch the launch page follows the rest.\n"
	"\n"
	"  -k, --kernel=IMAGE   uncompressed arm64 kernel Image\n"
	"  -i, --initrd=FILE    initial RAM disk\n"
	"  -c, --cmdline=TEXT   kernel command line\n"
	"  -g, --guest          make the image of a protected guest\n"
	"  -s, --sealboot=FILE  the guest loader (build/sealboot/sealboot.bin)\n"
	"  -o, --output=OUT     file to write; replaced only when everything went well\n"
	"      --help           display this help and exit\n"
	"      --version        output version information and exit\n"
	"\n"
	"Signing a guest, as QEMU's virt loads it:\n"
	"      --sign=KEY              the owner's private key\n"
	"      --parameters=GPA:BYTES  a range that the host may fill, unsigned; default: QEMU's boot stub, and its device\n"
	"                              tree in a machine of 256 MiB of RAM or more\n"
	"      --vcpus-max=N           no more vCPUs than this\n"
	"      --snapshots             the guest may be saved and restored\n"
	"      --launch-out=FILE       writes the launch page there, too\n"
	"      --launch=FILE           instead of --sign: the launch page that was made from the same bytes\n";

enum {
	OPTION_HELP = 256,
	OPTION_VERSION,
	OPTION_SIGN,
	OPTION_PARAMETERS,
	OPTION_VCPUS_MAX,
	OPTION_SNAPSHOTS,
	OPTION_LAUNCH_OUT,
	OPTION_LAUNCH,
};

static const struct option options[] = {
	{ "kernel", required_argument, NULL, 'k' },
	{ "initrd", required_argument, NULL, 'i' },
	{ "cmdline", required_argument, NULL, 'c' },
	{ "guest", no_argument, NULL, 'g' },
	{ "sealboot", required_argument, NULL, 's' },
	{ "output", required_argument, NULL, 'o' },
	{ "sign", required_argument, NULL, OPTION_SIGN },
	{ "parameters", required_argument, NULL, OPTION_PARAMETERS },
	{ "vcpus-max", required_argument, NULL, OPTION_VCPUS_MAX },
	{ "snapshots", no_argument, NULL, OPTION_SNAPSHOTS },
	{ "launch-out", required_argument, NULL, OPTION_LAUNCH_OUT },
	{ "launch", required_argument, NULL, OPTION_LAUNCH },
	{ "help", no_argument, NULL, OPTION_HELP },
	{ "version", no_argument, NULL, OPTION_VERSION },
	{ NULL, 0, NULL, 0 },
};

static bool take_option(int option, struct pack_request *request)
{
	switch (option) {
	case 'k':
		request->kernel = optarg;
		return true;
	case 'i':
		request->initrd = optarg;
		return true;
	case 'c':
		request->cmdline = optarg;
		return true;
	case 'g':
		request->is_guest = true;
		return true;
	case 's':
		request->sealboot = optarg;
		return true;
	case 'o':
		request->output = optarg;
		return true;
	case OPTION_SIGN:
		request->sign = optarg;
		return true;
	case OPTION_PARAMETERS:
		return plan_add_parameter(&request->plan, "pack", optarg);
	case OPTION_VCPUS_MAX:
		return plan_set_vcpus(&request->plan, "pack", optarg);
	case OPTION_SNAPSHOTS:
		request->plan.may_be_saved = true;
		return true;
	case OPTION_LAUNCH_OUT:
		request->launch_out = optarg;
		return true;
	case OPTION_LAUNCH:
		request->launch = optarg;
		return true;
	default:
		return false; /* getopt has said why */
	}
}

/* Returns a negative number to go on, else the exit status. */
static int parse(int argc, char **argv, struct pack_request *request)
{
	int option;

	while ((option = getopt_long(argc, argv, "k:i:c:gs:o:", options, NULL)) != -1) {
		if (option == OPTION_HELP) {
			fputs(help_text, stdout);
			return EXIT_OK;
		}
		if (option == OPTION_VERSION) {
			printf("ravelin pack %s\n", TOOL_VERSION);
			return EXIT_OK;
		}
		if (!take_option(option, request)) {
			return usage_error("pack");
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
	const struct plan *plan = &request->plan;

	if (!request->kernel) {
		return fail("pack: --kernel is missing");
	}
	if (!request->output) {
		return fail("pack: --output is missing");
	}
	if (request->is_guest && !request->sealboot) {
		return fail("pack: --guest needs --sealboot");
	}
	if (!request->is_guest && (request->sealboot || request->sign || request->launch)) {
		return fail("pack: --sealboot, --sign and --launch go only with --guest");
	}
	if (request->sign && request->launch) {
		return fail("pack: --sign and --launch do not go together");
	}
	if (!request->sign && (plan->parameter_count > 0 || plan->vcpus_max > 0 ||
			       plan->may_be_saved || request->launch_out)) {
		return fail("pack: --parameters, --vcpus-max, --snapshots and --launch-out go only "
			    "with --sign");
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
