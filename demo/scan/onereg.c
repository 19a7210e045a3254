// SPDX-License-Identifier: BSD-3-Clause
/*
 * KVM_GET_ONE_REG on a running VMM. KVM answers only to the process that made the VM, so its own
 * thread asks: all threads are stopped (which makes every vCPU leave the guest), the first is made
 * to execute ioctl after ioctl, and is then put back to where it was.
 */
#include <dirent.h>
#include <elf.h>
#include <errno.h>
#include <linux/kvm.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../common/pattern.h"
#include "scan.h"

#define THREADS_MAX 256
#define REGISTERS_MAX 4000
#define SVC_0 0xd4000001u
#define VALUE_BYTES_MAX 256

struct tracee {
	pid_t tid;
	int signal; /* arrived meanwhile; delivered at the end */
};

/* What the VMM's thread uses of its stack, below what is in use. */
struct scratch {
	uint64_t value[VALUE_BYTES_MAX / 8];
	struct kvm_one_reg one;
	uint64_t list[1 + REGISTERS_MAX];
};

struct session {
	pid_t pid;
	int memory;
	struct tracee threads[THREADS_MAX];
	unsigned int thread_count;
	struct user_regs_struct before;
	uint64_t svc;
	uint64_t scratch;
};

static void wait_stop(struct tracee *t, bool event)
{
	int status;

	for (;;) {
		if (waitpid(t->tid, &status, __WALL) != t->tid || !WIFSTOPPED(status)) {
			die("thread %d of the VMM is gone", t->tid);
		}
		if (event ? status >> 16 == PTRACE_EVENT_STOP
			  : WSTOPSIG(status) == (SIGTRAP | 0x80)) {
			return;
		}
		if (status >> 16 == 0) {
			t->signal = WSTOPSIG(status);
		}
		ptrace(event ? PTRACE_CONT : PTRACE_SYSCALL, t->tid, 0, 0);
	}
}

static bool is_known(const struct session *s, pid_t tid)
{
	for (unsigned int i = 0; i < s->thread_count; i++) {
		if (s->threads[i].tid == tid) {
			return true;
		}
	}
	return false;
}

/* Stops the threads that are not stopped yet; returns how many these were. */
static unsigned int stop_new_threads(struct session *s)
{
	unsigned int found = 0;
	char path[32];
	struct dirent *entry;
	DIR *d;

	snprintf(path, sizeof(path), "/proc/%d/task", s->pid);
	d = opendir(path);
	if (!d) {
		die("%s: %s", path, strerror(errno));
	}
	while ((entry = readdir(d))) {
		struct tracee *t = &s->threads[s->thread_count];
		pid_t tid = atoi(entry->d_name);

		if (tid == 0 || is_known(s, tid) || s->thread_count == THREADS_MAX) {
			continue;
		}
		if (ptrace(PTRACE_SEIZE, tid, 0, PTRACE_O_TRACESYSGOOD) != 0) {
			continue; /* it has just ended */
		}
		*t = (struct tracee){ .tid = tid };
		s->thread_count++;
		found++;
		ptrace(PTRACE_INTERRUPT, tid, 0, 0);
		wait_stop(t, true);
	}
	closedir(d);
	return found;
}

/* Any instruction `svc #0` in the VMM's code. */
static uint64_t find_svc(const struct session *s)
{
	static uint32_t code[1 << 20];
	char line[512];
	char path[32];
	uint64_t at = 0;
	FILE *maps;

	snprintf(path, sizeof(path), "/proc/%d/maps", s->pid);
	maps = fopen(path, "r");
	while (maps && !at && fgets(line, sizeof(line), maps)) {
		uint64_t start;
		uint64_t end;
		char mode[5];
		ssize_t got;

		if (sscanf(line, "%lx-%lx %4s", &start, &end, mode) != 3 || mode[2] != 'x') {
			continue;
		}
		got = pread64(s->memory, code,
			      end - start < sizeof(code) ? end - start : sizeof(code),
			      (off64_t)start);
		for (ssize_t i = 0; i < got / 4 && !at; i++) {
			at = code[i] == SVC_0 ? start + 4 * (uint64_t)i : 0;
		}
	}
	if (maps) {
		fclose(maps);
	}
	if (!at) {
		die("no system call instruction in the VMM");
	}
	return at;
}

static void registers(struct session *s, int request, struct user_regs_struct *regs)
{
	struct iovec io = { regs, sizeof(*regs) };

	if (ptrace((enum __ptrace_request)request, s->pid, (void *)NT_PRSTATUS, &io) != 0) {
		die("registers of the VMM: %s", strerror(errno));
	}
}

static int64_t call_ioctl(struct session *s, int fd, uint64_t request, uint64_t argument)
{
	struct user_regs_struct regs = s->before;

	regs.pc = s->svc;
	regs.regs[8] = SYS_ioctl;
	regs.regs[0] = (uint64_t)fd;
	regs.regs[1] = request;
	regs.regs[2] = argument;
	registers(s, PTRACE_SETREGSET, &regs);
	for (int i = 0; i < 2; i++) { /* to the call's entry, to its end */
		ptrace(PTRACE_SYSCALL, s->pid, 0, 0);
		wait_stop(&s->threads[0], false);
	}
	registers(s, PTRACE_GETREGSET, &regs);
	return (int64_t)regs.regs[0];
}

static void session_open(struct session *s, pid_t pid)
{
	memset(s, 0, sizeof(*s));
	s->pid = pid;
	s->memory = process_open_memory(pid);
	/* The thread that will do the work comes first. */
	s->threads[0].tid = pid;
	if (ptrace(PTRACE_SEIZE, pid, 0, PTRACE_O_TRACESYSGOOD) != 0) {
		die("process %d cannot be traced: %s", pid, strerror(errno));
	}
	s->thread_count = 1;
	ptrace(PTRACE_INTERRUPT, pid, 0, 0);
	wait_stop(&s->threads[0], true);
	while (stop_new_threads(s) > 0) {
	}
	registers(s, PTRACE_GETREGSET, &s->before);
	s->svc = find_svc(s);
	s->scratch = (s->before.sp - 4096 - sizeof(struct scratch)) & ~63ull;
}

static void session_close(struct session *s)
{
	static const struct scratch nothing;

	pwrite64(s->memory, &nothing, sizeof(nothing), (off64_t)s->scratch);
	registers(s, PTRACE_SETREGSET, &s->before);
	for (unsigned int i = s->thread_count; i-- > 0;) {
		ptrace(PTRACE_DETACH, s->threads[i].tid, 0, s->threads[i].signal);
	}
	close(s->memory);
}

static void scan_register(struct session *s, int fd, uint64_t id, const struct search *table,
			  struct found *sum)
{
	const uint64_t value_at = s->scratch + offsetof(struct scratch, value);
	struct kvm_one_reg one = { .id = id, .addr = value_at };
	uint64_t bytes = 1ull << ((id & KVM_REG_SIZE_MASK) >> KVM_REG_SIZE_SHIFT);
	uint64_t value[VALUE_BYTES_MAX / 8];

	pwrite64(s->memory, &one, sizeof(one),
		 (off64_t)(s->scratch + offsetof(struct scratch, one)));
	if (bytes > VALUE_BYTES_MAX ||
	    call_ioctl(s, fd, KVM_GET_ONE_REG, s->scratch + offsetof(struct scratch, one)) != 0 ||
	    pread64(s->memory, value, bytes, (off64_t)value_at) != (ssize_t)bytes) {
		sum->refused++;
		return;
	}
	sum->read++;
	sum->hits += search_count(table, value, bytes / 8);
	pattern_wipe(value, sizeof(value));
}

static void scan_vcpu(struct session *s, int fd, const struct search *table, struct found *sum)
{
	static uint64_t list[1 + REGISTERS_MAX];
	const uint64_t list_at = s->scratch + offsetof(struct scratch, list);
	int64_t result;

	list[0] = REGISTERS_MAX;
	pwrite64(s->memory, list, sizeof(list), (off64_t)list_at);
	result = call_ioctl(s, fd, KVM_GET_REG_LIST, list_at);
	if (result != 0 ||
	    pread64(s->memory, list, sizeof(list), (off64_t)list_at) != sizeof(list) ||
	    list[0] > REGISTERS_MAX) {
		die("KVM_GET_REG_LIST: %s", strerror((int)-result));
	}
	for (uint64_t i = 0; i < list[0]; i++) {
		scan_register(s, fd, list[1 + i], table, sum);
	}
}

struct found onereg_scan(pid_t pid, const struct search *table)
{
	static struct session s;
	struct found sum = { 0, 0, 0 };
	int fds[VCPUS_MAX];
	unsigned int count = process_fds(pid, "kvm-vcpu:", fds, VCPUS_MAX);

	session_open(&s, pid);
	for (unsigned int i = 0; i < count; i++) {
		scan_vcpu(&s, fds[i], table, &sum);
	}
	session_close(&s);
	return sum;
}
