/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A VMM with four busy vCPUs dies by SIGKILL at seeded moments, protected and open VMs in turn.
 * Each time the corevisor's books must say again what they said before; the pages its own pool got
 * meanwhile count as the host's.
 */
#include "vm.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define MOMENTS 50
#define LONGEST_US 300000
#define CPUS 4
#define SEED 20261120

const char *device_open = "/dev/kvm", *device_protected = "/dev/kvm-protected";

struct books {
	long host, shared, vm, vm_shared, pool;
};

static long number_after(const char *line, const char *name)
{
	const char *at = strstr(line, name);

	return at == NULL ? -1 : strtol(at + strlen(name), NULL, 10);
}

static void read_status(struct books *books)
{
	FILE *pipe = popen("ravelin status", "r");
	char line[200];

	while (pipe != NULL && fgets(line, sizeof(line), pipe) != NULL) {
		if (strstr(line, "host, its own")) {
			books->host = number_after(line, "host, its own");
		} else if (strstr(line, "host, mapped")) {
			books->shared = number_after(line, "run page");
		} else if (strstr(line, "VM, private")) {
			books->vm = number_after(line, "VM, private");
		} else if (strstr(line, "VM, shared")) {
			books->vm_shared = number_after(line, "with the host");
		}
	}
	if (pipe != NULL) {
		pclose(pipe);
	}
}

static struct books read_books(void)
{
	struct books books = { -1, -1, -1, -1, -1 };
	FILE *pool = fopen("/sys/module/hostvisor/parameters/pool_pages", "r");

	read_status(&books);
	if (pool == NULL || fscanf(pool, "%ld", &books.pool) != 1) {
		printf("Bail out! no pool_pages\n");
		exit(1);
	}
	fclose(pool);
	return books;
}

static bool is_balanced(const struct books *before, const struct books *after)
{
	return after->host > 0 && before->host + before->pool == after->host + after->pool &&
	       after->shared == before->shared && after->vm == 0 && after->vm_shared == 0;
}

struct runner {
	struct vm *vm;
	unsigned int index;
};

static void *run_forever(void *argument)
{
	struct runner *r = argument;

	while (vm_run(r->vm, r->index) == 0) {
		;
	}
	return NULL;
}

static void vmm(const char *device)
{
	struct vm *vm = vm_make(device, CPUS, PAYLOAD_CHURN, CPUS);
	struct runner runner[CPUS];
	pthread_t thread;

	for (unsigned int i = 0; i < CPUS; i++) {
		runner[i] = (struct runner){ vm, i };
		pthread_create(&thread, NULL, run_forever, &runner[i]);
	}
	pause();
	_exit(0);
}

/* How many pages the VM had when it was killed: a moment that hits an idle VM shows nothing. */
static long kill_one(const char *device, unsigned int microseconds)
{
	pid_t child = fork();
	struct books books;

	if (child == 0) {
		vmm(device);
	}
	usleep(microseconds);
	kill(child, SIGSTOP);
	books = read_books();
	kill(child, SIGCONT);
	usleep(microseconds % 5000);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	return books.vm + books.shared;
}

int main(void)
{
	struct books before = read_books(), after;
	unsigned int busy = 0;

	srandom(SEED);
	printf("1..%d\n# seed %d\n", MOMENTS + 1, SEED);
	for (int i = 0; i < MOMENTS; i++) {
		const char *device = i % 2 ? device_open : device_protected;
		unsigned int moment = (unsigned int)random() % LONGEST_US;
		long pages = kill_one(device, moment);

		busy += pages > CPUS;
		after = read_books();
		if (!is_balanced(&before, &after)) {
			note("before: host %ld + pool %ld", before.host, before.pool);
			note("after: host %ld + pool %ld; %ld shared, %ld private, %ld shared by VMs",
			     after.host, after.pool, after.shared, after.vm, after.vm_shared);
		}
		printf("%sok %d - %s after %u us, %ld pages in use\n",
		       is_balanced(&before, &after) ? "" : "not ", i + 1, device, moment, pages);
		fflush(stdout);
	}
	printf("%sok %d - %u of %d moments hit a VM with pages\n",
	       busy >= MOMENTS / 2 ? "" : "not ", MOMENTS + 1, busy, MOMENTS);
	return 0;
}
