/* SPDX-License-Identifier: BSD-3-Clause */
#include "vmm.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* What the kernel calls the file of a VM. */
#define VM_LINK "anon_inode:kvm-vm"

static bool is_vm(int directory, const char *name)
{
	char link[sizeof(VM_LINK) + 1];
	ssize_t n = readlinkat(directory, name, link, sizeof(link));

	return n == (ssize_t)strlen(VM_LINK) && memcmp(link, VM_LINK, (size_t)n) == 0;
}

/* The number of the VM's descriptor in the process; -1. */
static int find(DIR *fds, pid_t pid)
{
	struct dirent *entry;
	int found = -1;

	while ((entry = readdir(fds)) != NULL) {
		if (!is_vm(dirfd(fds), entry->d_name)) {
			continue;
		}
		if (found >= 0) {
			fail("process %d has more than one VM", pid);
			return -1;
		}
		found = atoi(entry->d_name);
	}
	if (found < 0) {
		fail("process %d has no VM; name the process of its monitor (QEMU)", pid);
	}
	return found;
}

static int find_in(pid_t pid)
{
	char path[32];
	DIR *fds;
	int found;

	snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	fds = opendir(path);
	if (!fds) {
		fail("process %d: %s", pid, errno == ENOENT ? "there is none" : strerror(errno));
		return -1;
	}
	found = find(fds, pid);
	closedir(fds);
	return found;
}

int vmm_open(pid_t pid)
{
	int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	int theirs, vm = -1;

	if (pidfd < 0) {
		fail("process %d: %s", pid, errno == ESRCH ? "there is none" : strerror(errno));
		return -1;
	}
	theirs = find_in(pid);
	if (theirs >= 0) {
		vm = (int)syscall(SYS_pidfd_getfd, pidfd, theirs, 0);
		if (vm < 0) {
			fail("process %d: cannot get at its VM: %s", pid, strerror(errno));
		}
	}
	close(pidfd);
	return vm;
}
