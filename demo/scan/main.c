// SPDX-License-Identifier: BSD-3-Clause
/*
 * The scanner's commands:
 *
 *	scan all SEED PID	the VMM's memory, kvm_run, ONE_REG, what is shared with the corevisor,
 *				all RAM
 *	scan host SEED		what is left when the VMM is gone: shared pages, all RAM
 *	scan process SEED PID	the memory of one process: run inside the guest, it shows that the
 *				secret is there
 *	scan hold PID		keeps the VM's descriptors open after its VMM's death (which keeps the
 *				VM), until killed
 *	scan vms		prints how many VMs the corevisor has (0 without a corevisor)
 *	scan facts		prints what the corevisor says of its memory, for bench/run
 *
 * Standard output, for demo/run: "found WHERE UNIT READ REFUSED HITS", "ledger RAM VM CORE INFO
 * DEVICE-TREE-RAM" (pages) and "dma contained|open".
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "physical.h"
#include "scan.h"

/* A guest that asks for its last pages while all RAM is read moves the ledger; then the reading is
 * made again. */
#define RAM_ATTEMPTS 4

_Noreturn void die(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	fputs("scan: ", stderr);
	vfprintf(stderr, format, arguments);
	fputc('\n', stderr);
	va_end(arguments);
	exit(1);
}

void report(const char *where, const char *unit, struct found found)
{
	printf("found %s %s %lu %lu %lu\n", where, unit, found.read, found.refused, found.hits);
	fflush(stdout);
}

static bool same_pages(const struct rv_info *a, const struct rv_info *b)
{
	return memcmp(a->pages, b->pages, sizeof(a->pages)) == 0;
}

static void scan_ram(const struct search *table)
{
	struct rv_info before = { 0 };
	struct rv_info after = { 0 };
	struct found found = { 0, 0, 0 };
	bool has_corevisor = physical_info() != NULL;

	for (int i = 0; i < RAM_ATTEMPTS; i++) {
		if (has_corevisor) {
			physical_read_info(&before);
		}
		found = physical_scan_ram(table);
		if (has_corevisor) {
			physical_read_info(&after);
		}
		if (same_pages(&before, &after)) {
			break;
		}
		if (i == RAM_ATTEMPTS - 1) {
			die("the ledger never stood still for one reading of all RAM");
		}
	}
	report("all-RAM", "pages", found);
	printf("ledger %lu %lu %lu %lu %lu\n", after.ram_pages, after.pages[RV_PAGES_VM],
	       after.pages[RV_PAGES_CORE], after.info_bytes / RV_PAGE_SIZE, physical_ram_pages());
	printf("dma %s\n", after.features & RV_FEAT_DMA_CONTAINED ? "contained" : "open");
	fflush(stdout);
}

static void scan_process(pid_t pid, const struct search *table)
{
	report("VMM-memory", "pages", process_scan_memory(pid, table));
	report("kvm_run", "pages", process_scan_kvm_run(pid, table));
	report("ONE_REG", "registers", onereg_scan(pid, table));
}

static void hold(pid_t pid)
{
	int fds[VCPUS_MAX];
	unsigned int count = process_fds(pid, "anon_inode:kvm", fds, VCPUS_MAX);

	for (unsigned int i = 0; i < count; i++) {
		process_take_fd(pid, fds[i]);
	}
	printf("holding %u descriptors\n", count);
	fflush(stdout);
	for (;;) {
		pause();
	}
}

static void print_facts(void)
{
	struct rv_info info;

	if (!physical_info()) {
		die("this host does not run above the corevisor");
	}
	physical_read_info(&info);
	printf("ram_pages %lu\ncore_pages %lu\n", info.ram_pages, info.pages[RV_PAGES_CORE]);
	printf("core_image_bytes %lu\ncore_table_bytes %lu\ncore_ledger_bytes %lu\n",
	       info.core_image_bytes, info.core_table_bytes, info.core_ledger_bytes);
}

int main(int argc, char **argv)
{
	if (argc == 3 && strcmp(argv[1], "hold") == 0) {
		hold(atoi(argv[2]));
	}
	if ((argc == 4 && strcmp(argv[1], "all") == 0) ||
	    (argc == 3 && strcmp(argv[1], "host") == 0)) {
		const struct search *table = table_from_seed(argv[2]);

		if (argc == 4) {
			scan_process(atoi(argv[3]), table);
		}
		report("shared-with-corevisor", "pages", physical_scan_shared(table));
		scan_ram(table);
		return 0;
	}
	if (argc == 4 && strcmp(argv[1], "process") == 0) {
		report("inside-the-guest", "pages",
		       process_scan_memory(atoi(argv[3]), table_from_seed(argv[2])));
		return 0;
	}
	if (argc == 2 && strcmp(argv[1], "vms") == 0) {
		printf("%lu\n", physical_info() ? (uint64_t)physical_info()->vm_count : 0);
		return 0;
	}
	if (argc == 2 && strcmp(argv[1], "facts") == 0) {
		print_facts();
		return 0;
	}
	fputs("usage: scan all SEED PID | scan host SEED | scan process SEED PID | "
	      "scan hold PID | scan vms | scan facts\n",
	      stderr);
	return 2;
}
