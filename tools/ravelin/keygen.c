/* SPDX-License-Identifier: BSD-3-Clause */
/* ravelin keygen: a guest owner's key. */
#include "key.h"
#include "text.h"

#include <getopt.h>
#include <stdio.h>

static const char help_text[] =
	"Usage: ravelin keygen [--curve p256|p384] [--public FILE] -o KEY\n"
	"Makes a guest owner's signing key and prints its owner hash, by which the corevisor knows it.\n"
	"\n"
	"  -c, --curve=CURVE  p256 (default) or p384\n"
	"  -o, --output=KEY   the private key: PEM of PKCS#8, mode 0600; keep it\n"
	"  -p, --public=FILE  the public key: PEM of SPKI\n"
	"  -f, --force        replace KEY if it exists\n"
	"      --help         display this help and exit\n"
	"      --version      output version information and exit\n";

enum { OPTION_HELP = 256, OPTION_VERSION };

static const struct option options[] = {
	{ "curve", required_argument, NULL, 'c' },
	{ "output", required_argument, NULL, 'o' },
	{ "public", required_argument, NULL, 'p' },
	{ "force", no_argument, NULL, 'f' },
	{ "help", no_argument, NULL, OPTION_HELP },
	{ "version", no_argument, NULL, OPTION_VERSION },
	{ NULL, 0, NULL, 0 },
};

struct request {
	enum rv_curve curve;
	const char *output, *public;
	bool may_replace;
};

/* Returns a negative number to go on, else the exit status. */
static int parse(int argc, char **argv, struct request *request)
{
	int option;

	while ((option = getopt_long(argc, argv, "c:o:p:f", options, NULL)) != -1) {
		switch (option) {
		case 'c':
			if (!key_parse_curve(optarg, &request->curve)) {
				return usage_error("keygen");
			}
			break;
		case 'o':
			request->output = optarg;
			break;
		case 'p':
			request->public = optarg;
			break;
		case 'f':
			request->may_replace = true;
			break;
		case OPTION_HELP:
			fputs(help_text, stdout);
			return EXIT_OK;
		case OPTION_VERSION:
			printf("ravelin keygen %s\n", TOOL_VERSION);
			return EXIT_OK;
		default:
			return usage_error("keygen");
		}
	}
	if (optind < argc) {
		fail("keygen: unexpected argument '%s'", argv[optind]);
		return usage_error("keygen");
	}
	if (!request->output) {
		fail("keygen: --output is missing");
		return usage_error("keygen");
	}
	return -1;
}

int command_keygen(int argc, char **argv)
{
	struct request request = { .curve = RV_CURVE_P256 };
	int status = parse(argc, argv, &request);
	uint8_t hash[KEY_HASH_BYTES];
	struct key key;
	bool ok;

	if (status >= 0) {
		return status;
	}
	ok = key_generate(request.curve, &key) &&
	     key_write_private(request.output, &key, request.may_replace) &&
	     (!request.public || key_write_public(request.public, &key));
	if (ok) {
		key_hash(&key, hash);
		print_hash(hash);
	}
	key_forget(&key);
	return ok ? EXIT_OK : EXIT_FAIL;
}
