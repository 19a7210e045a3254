// SPDX-License-Identifier: BSD-3-Clause
/* What root sees of the VMM as a process. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../common/pattern.h"
#include "scan.h"

#define PAGE 4096ull
#define CHUNK_PAGES 256ull

unsigned int process_fds(pid_t pid, const char *name, int *fds, unsigned int max)
{
	char dir[32];
	char link[300];
	char target[256];
	unsigned int count = 0;
	struct dirent *entry;
	DIR *d;

	snprintf(dir, sizeof(dir), "/proc/%d/fd", pid);
	d = opendir(dir);
	if (!d) {
		die("%s: %s", dir, strerror(errno));
	}
	while ((entry = readdir(d)) && count < max) {
		ssize_t length;

		snprintf(link, sizeof(link), "%s/%s", dir, entry->d_name);
		length = readlink(link, target, sizeof(target) - 1);
		if (length > 0) {
			target[length] = '\0';
			if (strstr(target, name)) {
				fds[count++] = atoi(entry->d_name);
			}
		}
	}
	closedir(d);
	return count;
}

int process_take_fd(pid_t pid, int fd)
{
	int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	int own = pidfd < 0 ? -1 : (int)syscall(SYS_pidfd_getfd, pidfd, fd, 0);

	if (own < 0) {
		die("descriptor %d of process %d: %s", fd, pid, strerror(errno));
	}
	close(pidfd);
	return own;
}

int process_open_memory(pid_t pid)
{
	char path[32];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/mem", pid);
	fd = open(path, O_RDWR);
	if (fd < 0) {
		die("%s: %s", path, strerror(errno));
	}
	return fd;
}

/* The kernel gives whole pages up to the first that it cannot read; that one is refused and
 * skipped. */
static void scan_range(int memory, uint64_t at, uint64_t end, const struct search *table,
		       struct found *sum)
{
	static uint64_t buffer[CHUNK_PAGES * PAGE / 8];

	while (at < end) {
		uint64_t wanted = end - at < sizeof(buffer) ? end - at : sizeof(buffer);
		ssize_t got = pread64(memory, buffer, wanted, (off64_t)at);
		uint64_t pages = got > 0 ? (uint64_t)got / PAGE : 0;

		sum->read += pages;
		sum->hits += search_count(table, buffer, pages * PAGE / 8);
		at += pages * PAGE;
		if (pages * PAGE < wanted) {
			sum->refused++;
			at += PAGE;
		}
	}
	pattern_wipe(buffer, sizeof(buffer));
}

struct found process_scan_memory(pid_t pid, const struct search *table)
{
	struct found sum = { 0, 0, 0 };
	int memory = process_open_memory(pid);
	char line[512];
	char path[32];
	FILE *maps;

	snprintf(path, sizeof(path), "/proc/%d/maps", pid);
	maps = fopen(path, "r");
	if (!maps) {
		die("%s: %s", path, strerror(errno));
	}
	while (fgets(line, sizeof(line), maps)) {
		uint64_t start;
		uint64_t end;

		if (sscanf(line, "%lx-%lx", &start, &end) == 2) {
			scan_range(memory, start, end, table, &sum);
		}
	}
	fclose(maps);
	close(memory);
	return sum;
}

/* /proc/PID/mem may refuse these as device memory; so they are mapped here as the VMM maps them. */
struct found process_scan_kvm_run(pid_t pid, const struct search *table)
{
	struct found sum = { 0, 0, 0 };
	int fds[VCPUS_MAX];
	unsigned int count = process_fds(pid, "kvm-vcpu:", fds, VCPUS_MAX);

	if (count == 0) {
		die("process %d has no vCPU", pid);
	}
	for (unsigned int i = 0; i < count; i++) {
		int fd = process_take_fd(pid, fds[i]);
		uint64_t *run = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0);

		if (run == MAP_FAILED) {
			sum.refused++;
		} else {
			sum.read++;
			sum.hits += search_count(table, run, PAGE / 8);
			munmap(run, PAGE);
		}
		close(fd);
	}
	return sum;
}
