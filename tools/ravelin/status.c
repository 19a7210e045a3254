/* SPDX-License-Identifier: BSD-3-Clause */
/* ravelin version, status and log: shows what the corevisor publishes. */
#include "names.h"
#include "region.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define PLACE_HELP                                                                               \
	"      --device-tree=DIR  look there instead of in /proc/device-tree\n"                  \
	"      --memory=FILE      read physical memory from FILE (a dump) instead of /dev/mem\n" \
	"      --help             display this help and exit\n"                                  \
	"      --version          output version information and exit\n"

enum { OPTION_HELP = 256, OPTION_VERSION, OPTION_DEVICE_TREE, OPTION_MEMORY };

static const struct option options[] = {
	{ "follow", no_argument, NULL, 'f' },
	{ "device-tree", required_argument, NULL, OPTION_DEVICE_TREE },
	{ "memory", required_argument, NULL, OPTION_MEMORY },
	{ "help", no_argument, NULL, OPTION_HELP },
	{ "version", no_argument, NULL, OPTION_VERSION },
	{ NULL, 0, NULL, 0 },
};

struct request {
	struct region_place place;
	bool follow;
};

/*
 * Parses what the three commands share. Returns a negative number to go on, else the exit status.
 */
static int parse(int argc, char **argv, const char *letters, const char *help,
		 struct request *request)
{
	int option;

	while ((option = getopt_long(argc, argv, letters, options, NULL)) != -1) {
		switch (option) {
		case 'f':
			if (!*letters) {
				fail("%s: --follow goes only with log", argv[0]);
				return usage_error(argv[0]);
			}
			request->follow = true;
			break;
		case OPTION_DEVICE_TREE: request->place.device_tree = optarg; break;
		case OPTION_MEMORY: request->place.memory = optarg; break;
		case OPTION_HELP: fputs(help, stdout); return EXIT_OK;
		case OPTION_VERSION:
			printf("ravelin %s %s\n", argv[0], TOOL_VERSION);
			return EXIT_OK;
		default: return usage_error(argv[0]);
		}
	}
	if (optind < argc) {
		fail("%s: unexpected argument '%s'", argv[0], argv[optind]);
		return usage_error(argv[0]);
	}
	return -1;
}

static unsigned long long number(uint64_t value)
{
	return value;
}

/* ---- version ---- */

static const char version_help[] =
	"Usage: ravelin version\n"
	"Prints the versions of this program and of the running corevisor.\n\n" PLACE_HELP;

int command_version(int argc, char **argv)
{
	struct request request = { REGION_PLACE_DEFAULT, false };
	int status = parse(argc, argv, "", version_help, &request);
	struct region region;
	struct rv_info info;

	if (status >= 0) {
		return status;
	}
	printf("ravelin %s (ABI %d.%d)\n", TOOL_VERSION, RV_ABI_MAJOR, RV_ABI_MINOR);
	fflush(stdout);
	if (!region_open(&request.place, &region)) {
		return EXIT_FAIL;
	}
	info = region_info(&region);
	printf("corevisor ABI %llu.%llu\n", number(info.abi >> 16), number(info.abi & 0xffff));
	return EXIT_OK;
}

/* ---- status ---- */

static const char status_help[] =
	"Usage: ravelin status\n"
	"Shows what the running corevisor counts: VMs and vCPUs, pages by state, exits by class, faults it gave the\n"
	"host, the last call it refused and why, and whether devices are kept out of protected memory. Needs root.\n\n" PLACE_HELP;

static void print_pages(const char *name, uint64_t pages)
{
	printf("  %-40s %10llu  %8.1f MiB\n", name, number(pages),
	       (double)pages * RV_PAGE_SIZE / (1 << 20));
}

static void print_refusal(const struct rv_info *info)
{
	long long status = (long long)info->last_refusal_status;
	const char *name = call_name(info->last_refusal_call);

	if (status == RV_OK) {
		printf("last refusal:    none\n");
		return;
	}
	printf("last refusal:    ");
	if (name) {
		printf("%s", name);
	} else {
		printf("call %#llx", number(info->last_refusal_call));
	}
	printf("(%#llx): %s, %s\n", number(info->last_refusal_arg), status_name(status),
	       status_meaning(status));
}

static void print_status(const struct rv_info *info)
{
	int i;

	printf("corevisor ABI:   %llu.%llu on %llu CPUs\n", number(info->abi >> 16),
	       number(info->abi & 0xffff), number(info->cpus_online));
	printf("VMs:             %llu, with %llu vCPUs\n", number(info->vm_count),
	       number(info->vcpu_count));
	printf("DMA:             %s\n",
	       info->features & RV_FEAT_DMA_CONTAINED
		       ? "contained: devices cannot reach protected memory"
		       : "NOT contained: a bus master can reach protected memory");
	printf("entropy:         %s\n",
	       info->features & RV_FEAT_ENTROPY ? "yes" : "none: no protected VMs");
	printf("corevisor size:  %llu KiB image, %llu KiB tables, %llu KiB ledger\n",
	       number(info->core_image_bytes >> 10), number(info->core_table_bytes >> 10),
	       number(info->core_ledger_bytes >> 10));
	print_refusal(info);
	printf("faults injected: %llu\n", number(info->faults_injected));
	printf("pages:\n");
	for (i = 0; i < RV_PAGES_STATES; i++) {
		print_pages(page_state_names[i], info->pages[i]);
	}
	print_pages("all RAM", info->ram_pages);
	printf("exits to the corevisor:\n");
	for (i = 0; i < RV_CLASS_COUNT; i++) {
		printf("  %-40s %10llu\n", exit_class_names[i], number(info->exits[i]));
	}
}

int command_status(int argc, char **argv)
{
	struct request request = { REGION_PLACE_DEFAULT, false };
	int status = parse(argc, argv, "", status_help, &request);
	struct region region;
	struct rv_info info;

	if (status >= 0) {
		return status;
	}
	if (!region_open(&request.place, &region)) {
		return EXIT_FAIL;
	}
	info = region_info(&region);
	print_status(&info);
	return EXIT_OK;
}

/* ---- log ---- */

static const char log_help[] =
	"Usage: ravelin log [--follow]\n"
	"Prints the corevisor's log, as far back as its ring goes. It never holds a guest's data. Needs root.\n\n"
	"  -f, --follow           go on printing what is added, until interrupted\n" PLACE_HELP;

/* Terminals obey control characters; the log has no use for any but the newline. */
static void print_log_text(const char *text, size_t bytes)
{
	size_t i;

	for (i = 0; i < bytes; i++) {
		putchar(text[i] == '\n' || (text[i] >= ' ' && text[i] <= '~') ? text[i] : '?');
	}
}

/*
 * Prints what was logged since `from` and returns where to go on. The corevisor may overwrite the
 * oldest part while it is copied: what the head has passed by after the copy is not printed.
 */
static uint64_t print_log(const struct region *region, const struct rv_info *first, uint64_t from,
			  char *text)
{
	uint64_t bytes = first->log_bytes, to = region_info(region).log_head, start, after, oldest;

	start = to > bytes && from < to - bytes ? to - bytes : from;
	if (to <= start) {
		return to;
	}
	region_log(region, first, start, to, text);
	after = region_info(region).log_head;
	oldest = after > bytes ? after - bytes : 0;
	if (oldest > to) {
		oldest = to;
	}
	if (oldest > start) {
		print_log_text(text + (oldest - start), to - oldest);
	} else {
		print_log_text(text, to - start);
	}
	return to;
}

int command_log(int argc, char **argv)
{
	static const struct timespec pause = { 0, 200 * 1000 * 1000 };
	struct request request = { REGION_PLACE_DEFAULT, false };
	int status = parse(argc, argv, "f", log_help, &request);
	struct region region;
	struct rv_info info;
	uint64_t at = 0;
	char *text;

	if (status >= 0) {
		return status;
	}
	if (!region_open(&request.place, &region)) {
		return EXIT_FAIL;
	}
	info = region_info(&region); /* offset and size of the ring, as checked */
	text = malloc(info.log_bytes);
	if (!text) {
		fail("not enough memory");
		return EXIT_FAIL;
	}
	do {
		at = print_log(&region, &info, at, text);
		if (fflush(stdout) != 0) {
			break; /* main() says so */
		}
	} while (request.follow && nanosleep(&pause, NULL) == 0);
	free(text);
	return EXIT_OK;
}
