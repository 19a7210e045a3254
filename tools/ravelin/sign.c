/* SPDX-License-Identifier: BSD-3-Clause */
/* ravelin sign: an owner's signature over what a guest starts with. */
#include "launch.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

static const char help_text[] =
	"Usage: ravelin sign --key KEY --image FILE@GPA... [OPTION]... -o LAUNCH\n"
	"Signs the images of a protected guest, where they lie, where it is entered, and what its owner allows; writes\n"
	"the launch page that the corevisor checks. The same input gives the same bytes.\n"
	"\n"
	"  -k, --key=KEY              the owner's private key, as ravelin keygen or openssl makes it\n"
	"  -i, --image=FILE@GPA       bytes of FILE, loaded at this guest physical address\n"
	"  -e, --entry=GPA            where the guest starts (default: at the first image)\n"
	"  -p, --parameters=GPA:BYTES a range that the host may fill, unsigned: the device tree\n"
	"      --vcpus-max=N          no more vCPUs than this\n"
	"      --snapshots            the guest may be saved and restored\n"
	"  -o, --output=LAUNCH        the launch page, 4096 bytes\n"
	"      --help                 display this help and exit\n"
	"      --version              output version information and exit\n"
	"\n"
	"Numbers may be hexadecimal (0x) and end in K, M or G. At most 5 images and parameters.\n";

enum { OPTION_HELP = 256, OPTION_VERSION, OPTION_VCPUS_MAX, OPTION_SNAPSHOTS };

static const struct option options[] = {
	{ "key", required_argument, NULL, 'k' },
	{ "image", required_argument, NULL, 'i' },
	{ "entry", required_argument, NULL, 'e' },
	{ "parameters", required_argument, NULL, 'p' },
	{ "vcpus-max", required_argument, NULL, OPTION_VCPUS_MAX },
	{ "snapshots", no_argument, NULL, OPTION_SNAPSHOTS },
	{ "output", required_argument, NULL, 'o' },
	{ "help", no_argument, NULL, OPTION_HELP },
	{ "version", no_argument, NULL, OPTION_VERSION },
	{ NULL, 0, NULL, 0 },
};

struct request {
	struct plan plan;
	const char *key, *output;
};

static bool take_option(int option, struct request *request)
{
	struct plan *plan = &request->plan;

	switch (option) {
	case 'k':
		request->key = optarg;
		return true;
	case 'o':
		request->output = optarg;
		return true;
	case 'i':
		return plan_add_image(plan, "sign", optarg);
	case 'e':
		return plan_set_entry(plan, "sign", optarg);
	case 'p':
		return plan_add_parameter(plan, "sign", optarg);
	case OPTION_VCPUS_MAX:
		return plan_set_vcpus(plan, "sign", optarg);
	case OPTION_SNAPSHOTS:
		plan->may_be_saved = true;
		return true;
	default:
		return false; /* getopt has said why */
	}
}

static bool is_sensible(const struct request *request)
{
	if (!request->key) {
		return fail("sign: --key is missing");
	}
	if (request->plan.image_count == 0) {
		return fail("sign: --image is missing");
	}
	return request->output || fail("sign: --output is missing");
}

/* Returns a negative number to go on, else the exit status. */
static int parse(int argc, char **argv, struct request *request)
{
	int option;

	while ((option = getopt_long(argc, argv, "k:i:e:p:o:", options, NULL)) != -1) {
		if (option == OPTION_HELP) {
			fputs(help_text, stdout);
			return EXIT_OK;
		}
		if (option == OPTION_VERSION) {
			printf("ravelin sign %s\n", TOOL_VERSION);
			return EXIT_OK;
		}
		if (!take_option(option, request)) {
			return usage_error("sign");
		}
	}
	if (optind < argc) {
		fail("sign: unexpected argument '%s'", argv[optind]);
		return usage_error("sign");
	}
	return is_sensible(request) ? -1 : usage_error("sign");
}

static bool sign(struct request *request)
{
	struct rv_launch launch;
	struct key key;
	bool ok;

	if (!plan_read_images(&request->plan) || !key_read_private(request->key, &key)) {
		return false;
	}
	ok = launch_make(&request->plan, &key, &launch) &&
	     file_write(request->output, &launch, sizeof(launch));
	key_forget(&key);
	return ok;
}

int command_sign(int argc, char **argv)
{
	struct request request = { 0 };
	int status = parse(argc, argv, &request);

	if (status < 0) {
		status = sign(&request) ? EXIT_OK : EXIT_FAIL;
	}
	plan_free(&request.plan);
	return status;
}
