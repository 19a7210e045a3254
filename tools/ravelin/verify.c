/* SPDX-License-Identifier: BSD-3-Clause */
/* ravelin verify and inspect: what an owner signed, without a corevisor. */
#include "launch.h"
#include "text.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

enum { OPTION_HELP = 256, OPTION_VERSION };

/* ---- verify ---- */

static const char verify_help[] =
	"Usage: ravelin verify --launch FILE [--image FILE@GPA]... [--owner HASH | --public FILE]\n"
	"Checks what the corevisor will check before a protected guest runs, and prints the owner's hash if all is good.\n"
	"\n"
	"  -l, --launch=FILE     the launch page, or an image with the launch page behind it\n"
	"  -i, --image=FILE@GPA  what will be loaded there; default: the image in front of the launch page\n"
	"      --owner=HASH      the owner it must be: SHA-256, 64 hexadecimal digits\n"
	"      --public=FILE     the same by the owner's public key\n"
	"      --help            display this help and exit\n"
	"      --version         output version information and exit\n"
	"\n"
	"Exit status: 0 if good, 1 if not, 2 if it was called wrongly.\n";

enum { OPTION_OWNER = OPTION_VERSION + 1, OPTION_PUBLIC };

static const struct option verify_options[] = {
	{ "launch", required_argument, NULL, 'l' },
	{ "image", required_argument, NULL, 'i' },
	{ "owner", required_argument, NULL, OPTION_OWNER },
	{ "public", required_argument, NULL, OPTION_PUBLIC },
	{ "help", no_argument, NULL, OPTION_HELP },
	{ "version", no_argument, NULL, OPTION_VERSION },
	{ NULL, 0, NULL, 0 },
};

struct request {
	struct plan plan;
	const char *launch, *public;
	uint8_t owner[KEY_HASH_BYTES];
	bool has_owner;
};

static bool take_option(int option, struct request *request)
{
	switch (option) {
	case 'l':
		request->launch = optarg;
		return true;
	case 'i':
		return plan_add_image(&request->plan, "verify", optarg);
	case OPTION_PUBLIC:
		request->public = optarg;
		return true;
	case OPTION_OWNER:
		request->has_owner = text_hash(optarg, request->owner);
		return request->has_owner ||
		       fail("verify: '%s' is not a hash of 64 hexadecimal digits", optarg);
	default:
		return false;
	}
}

/* Returns a negative number to go on, else the exit status. */
static int parse_verify(int argc, char **argv, struct request *request)
{
	int option;

	while ((option = getopt_long(argc, argv, "l:i:", verify_options, NULL)) != -1) {
		if (option == OPTION_HELP) {
			fputs(verify_help, stdout);
			return EXIT_OK;
		}
		if (option == OPTION_VERSION) {
			printf("ravelin verify %s\n", TOOL_VERSION);
			return EXIT_OK;
		}
		if (!take_option(option, request)) {
			return usage_error("verify");
		}
	}
	if (optind < argc) {
		fail("verify: unexpected argument '%s'", argv[optind]);
		return usage_error("verify");
	}
	if (!request->launch) {
		fail("verify: --launch is missing");
		return usage_error("verify");
	}
	if (request->has_owner && request->public) {
		fail("verify: --owner and --public do not go together");
		return usage_error("verify");
	}
	return -1;
}

static bool read_owner(struct request *request)
{
	struct key key;

	if (request->public) {
		if (!key_read_public(request->public, &key)) {
			return false;
		}
		key_hash(&key, request->owner);
		request->has_owner = true;
	}
	return true;
}

static bool find_images(struct request *request, const struct launch_file *file)
{
	if (request->plan.image_count > 0) {
		return plan_read_images(&request->plan);
	}
	if (file->at == 0) {
		return fail("%s: a launch page alone: name the images with --image", file->path);
	}
	return launch_take_image(file, &request->plan);
}

static bool verify(struct request *request)
{
	struct launch_file file;
	struct rv_launch launch;
	bool ok;

	if (!read_owner(request) || !launch_open(request->launch, &file)) {
		return false;
	}
	launch = launch_page(&file);
	ok = launch_check(&launch, file.path, request->has_owner ? request->owner : NULL) &&
	     find_images(request, &file) && launch_check_images(&launch, &request->plan);
	if (ok) {
		printf("good: signed by ");
		print_hash(launch.owner);
	}
	blob_free(&file.blob);
	return ok;
}

int command_verify(int argc, char **argv)
{
	struct request request = { 0 };
	int status = parse_verify(argc, argv, &request);

	if (status < 0) {
		status = verify(&request) ? EXIT_OK : EXIT_FAIL;
	}
	plan_free(&request.plan);
	return status;
}

/* ---- inspect ---- */

static const char inspect_help[] =
	"Usage: ravelin inspect FILE\n"
	"Shows what FILE's launch page says: owner, entry, policy, images. FILE is a launch page or an image with the\n"
	"launch page behind it. Its signature must be good; whether the images are is for ravelin verify to say.\n"
	"\n"
	"      --help     display this help and exit\n"
	"      --version  output version information and exit\n";

static const struct option inspect_options[] = {
	{ "help", no_argument, NULL, OPTION_HELP },
	{ "version", no_argument, NULL, OPTION_VERSION },
	{ NULL, 0, NULL, 0 },
};

static bool inspect(const char *path)
{
	struct launch_file file;
	struct rv_launch launch;
	bool ok;

	if (!launch_open(path, &file)) {
		return false;
	}
	launch = launch_page(&file);
	ok = launch_check(&launch, path, NULL);
	if (ok) {
		launch_print(&launch);
	}
	blob_free(&file.blob);
	return ok;
}

int command_inspect(int argc, char **argv)
{
	int option;

	while ((option = getopt_long(argc, argv, "", inspect_options, NULL)) != -1) {
		switch (option) {
		case OPTION_HELP:
			fputs(inspect_help, stdout);
			return EXIT_OK;
		case OPTION_VERSION:
			printf("ravelin inspect %s\n", TOOL_VERSION);
			return EXIT_OK;
		default:
			return usage_error("inspect");
		}
	}
	if (optind == argc) {
		fail("inspect: a file is missing");
		return usage_error("inspect");
	}
	if (optind + 1 < argc) {
		fail("inspect: unexpected argument '%s'", argv[optind + 1]);
		return usage_error("inspect");
	}
	return inspect(argv[optind]) ? EXIT_OK : EXIT_FAIL;
}
