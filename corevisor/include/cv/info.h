/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * struct rv_info: what anybody on the host may know. The host reads it without caches, so it is
 * published: rare events at once; the counters of frequent ones lag behind by at most INFO_LAG
 * exits of a CPU.
 */
#ifndef CV_INFO_H
#define CV_INFO_H

#include <cv/types.h>
#include <ravelin/abi.h>

#define INFO_PAGES 8 /* struct rv_info and the log */
#define INFO_LAG 64

struct info_sizes {
	u32 cpus;
	u64 image_bytes;
	u64 ledger_bytes;
};

/* Boot: `base` is INFO_PAGES zeroed pages. The log goes there, too, from now on. */
void info_init(pa_t base, u64 features, const struct info_sizes *sizes);
/* One more exit of this class on this CPU. */
void info_count(enum rv_exit_class class);
/* A call of the host got an error. */
void info_refusal(u64 call, s64 status, u64 first_argument);
void info_fault_injected(void);
void info_cpu_online(s64 change);
/* Brings everything up to date. */
void info_publish(void);

#endif
