/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The scanner: the host's root looks for the guest's secret everywhere it can. It holds what it
 * looks for only in masked form (../common/search.h), so it never finds itself, and wipes what it
 * reads.
 */
#ifndef DEMO_SCAN_H
#define DEMO_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "../common/search.h"

/* What one place gave: read + refused is all there is of it. */
struct found {
	uint64_t read;
	uint64_t refused;
	uint64_t hits;
};

_Noreturn void die(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* One line on standard output for demo/run. */
void report(const char *where, const char *unit, struct found found);

/* table.c: derives the secret from its seed (hexadecimal) and keeps it masked. */
struct search *table_from_seed(const char *seed);

/* process.c */
#define VCPUS_MAX 64
/* The VMM's file descriptors whose name contains `name`, at most `max`; returns how many. */
unsigned int process_fds(pid_t pid, const char *name, int *fds, unsigned int max);
/* Our own duplicate of a descriptor of the VMM. */
int process_take_fd(pid_t pid, int fd);
/* Every mapping of the VMM, in pages, through /proc/PID/mem. */
struct found process_scan_memory(pid_t pid, const struct search *table);
/* The pages that KVM shares with the VMM for each vCPU (struct kvm_run and what follows). */
struct found process_scan_kvm_run(pid_t pid, const struct search *table);
int process_open_memory(pid_t pid);

/* onereg.c: every register that KVM gives for every vCPU, in registers. Stops the VMM meanwhile. */
struct found onereg_scan(pid_t pid, const struct search *table);

/* physical.c; the corevisor's own figures are in physical.h. */
/* What corevisor and host share, in pages: facts and log, and the run pages of all vCPUs. */
struct found physical_scan_shared(const struct search *table);
/* All RAM by way of the hostile module, in pages. */
struct found physical_scan_ram(const struct search *table);
/* Pages of RAM that the device tree of the host tells of. */
uint64_t physical_ram_pages(void);

#endif
