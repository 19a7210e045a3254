/* SPDX-License-Identifier: BSD-3-Clause */
/* The host's part in sealing, for tests on the PC: a scribe that keeps records and plays them back,
 * through the calls of abi.h. */
#ifndef TEST_SNAPSHOT_H
#define TEST_SNAPSHOT_H

#include <cv/types.h>
#include <ravelin/abi.h>

#define SNAPSHOT_RECORDS 80 /* all the vCPUs of a VM, and some pages */

enum { SNAPSHOT_VCPU = 1, SNAPSHOT_PAGE, SNAPSHOT_END };

struct snapshot_record {
	u64 kind;
	u64 at; /* vCPU index, gfn */
	u64 what;
	u64 tag[2];
	u8 page[PAGE_SIZE];
};

struct snapshot {
	struct rv_seal_header header;
	u32 count;
	struct snapshot_record record[SNAPSHOT_RECORDS];
};

/* One call of the host. results: x1..x4 as they are afterwards; NULL: of no interest. */
s64 snapshot_call(u64 id, const u64 *arguments, u32 count, u64 *results);
#define CALL_FOR(results, id, ...)                                                                \
	snapshot_call(id, (const u64[]){ __VA_ARGS__ }, sizeof((const u64[]){ __VA_ARGS__ }) / 8, \
		      results)
#define CALL(id, ...) CALL_FOR(NULL, id, __VA_ARGS__)

/* A page as the host sees and writes it. */
void snapshot_put(u64 pfn, const void *from, u64 bytes);
void snapshot_get(u64 pfn, void *to, u64 bytes);

/* Each returns the first status that is not RV_OK. `pfn` is the page that the records go through;
 * pages with content are loaded into `pfn`, too. */
s64 snapshot_save(struct snapshot *to, u64 vm, u64 pfn);
s64 snapshot_save_rest(struct snapshot *to, u64 vm, u64 pfn); /* after BEGIN */
s64 snapshot_load_begin(const struct snapshot *from, u64 vm, u64 pfn);
s64 snapshot_load_record(const struct snapshot_record *record, u64 vm, u64 pfn);
/* Records [first, last) and those of them that are pages into neighbours of `pages`. */
s64 snapshot_load_records(const struct snapshot *from, u32 first, u32 last, u64 vm, u64 pfn,
			  u64 pages);

#endif
