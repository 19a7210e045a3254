/* SPDX-License-Identifier: BSD-3-Clause */
#include "snapshot.h"

#include <cv/hcall.h>
#include <stdlib.h>
#include <string.h>

#include "../../arch-fake/fake.h"
#include "call_locks.h"

s64 snapshot_call(u64 id, const u64 *arguments, u32 count, u64 *results)
{
	struct host_regs regs = { .x = { id } };

	memcpy(&regs.x[1], arguments, count * sizeof(u64));
	fake_lock_log_begin();
	hcall(&regs);
	call_locks_check(id, (s64)regs.x[0]);
	if (fake_locks_held() != 0) {
		fake_fail("locks %#x are still held", fake_locks_held());
	}
	if (results != NULL) {
		memcpy(results, &regs.x[1], 4 * sizeof(u64));
	}
	return (s64)regs.x[0];
}

void snapshot_put(u64 pfn, const void *from, u64 bytes)
{
	for (u64 i = 0; i < bytes; i += sizeof(u64)) {
		u64 word = 0;

		memcpy(&word, (const u8 *)from + i, min_u64(sizeof(word), bytes - i));
		if (!fake_host_write(0, (pfn << PAGE_SHIFT) + i, word)) {
			fake_fail("the host cannot write page %#lx", pfn);
		}
	}
}

/* Past the caches, as a device would. */
void snapshot_get(u64 pfn, void *to, u64 bytes)
{
	for (u64 i = 0; i < bytes; i += sizeof(u64)) {
		u64 word, cached;

		if (!fake_host_read(0, (pfn << PAGE_SHIFT) + i, &cached) ||
		    !fake_read(0, OWNER_HOST, (pfn << PAGE_SHIFT) + i, &word, FAKE_UNCACHED)) {
			fake_fail("the host cannot read page %#lx", pfn);
		}
		memcpy((u8 *)to + i, &word, min_u64(sizeof(word), bytes - i));
	}
}

static struct snapshot_record *next(struct snapshot *to, u64 kind)
{
	struct snapshot_record *record = &to->record[to->count];

	if (to->count == SNAPSHOT_RECORDS) {
		fake_fail("more than %u records", to->count);
	}
	memset(record, 0, sizeof(*record));
	record->kind = kind;
	return record;
}

static s64 save_vcpu(struct snapshot *to, u64 vm, u64 index, u64 pfn)
{
	struct snapshot_record *record = next(to, SNAPSHOT_VCPU);
	u64 results[4];
	s64 status = snapshot_call(RV_SEAL_SAVE_VCPU, (u64[]){ vm, index, pfn }, 3, results);

	if (status == RV_OK) {
		record->at = index;
		memcpy(record->tag, results, sizeof(record->tag));
		snapshot_get(pfn, record->page, PAGE_SIZE);
		to->count++;
	}
	return status;
}

static s64 save_page(struct snapshot *to, u64 vm, u64 pfn, bool *is_last)
{
	struct snapshot_record *record = next(to, SNAPSHOT_PAGE);
	u64 results[4];
	s64 status = snapshot_call(RV_SEAL_SAVE_PAGE, (u64[]){ vm, pfn }, 2, results);

	*is_last = status != RV_OK || results[0] == RV_SEAL_NO_GFN;
	if (status != RV_OK || results[1] == 0) {
		return status;
	}
	record->at = results[0];
	record->what = results[1];
	memcpy(record->tag, &results[2], sizeof(record->tag));
	if ((record->what & RV_SEAL_BACKED) != 0) {
		snapshot_get(pfn, record->page, PAGE_SIZE);
	}
	to->count++;
	return RV_OK;
}

s64 snapshot_save_rest(struct snapshot *to, u64 vm, u64 pfn)
{
	struct snapshot_record *record;
	u64 results[4];
	bool is_last = false;
	s64 status = RV_OK;

	to->count = 0;
	for (u64 i = 0; i < 64 && status == RV_OK; i++) {
		if ((to->header.vcpus >> i & 1) != 0) {
			status = save_vcpu(to, vm, i, pfn);
		}
	}
	while (status == RV_OK && !is_last) {
		status = save_page(to, vm, pfn, &is_last);
	}
	if (status != RV_OK) {
		return status;
	}
	record = next(to, SNAPSHOT_END);
	status = snapshot_call(RV_SEAL_SAVE_END, (u64[]){ vm, pfn }, 2, results);
	if (status == RV_OK) {
		memcpy(record->tag, results, sizeof(record->tag));
		snapshot_get(pfn, record->page, PAGE_SIZE);
		to->count++;
	}
	return status;
}

s64 snapshot_save(struct snapshot *to, u64 vm, u64 pfn)
{
	s64 status = CALL(RV_SEAL_SAVE_BEGIN, vm, pfn);

	if (status != RV_OK) {
		return status;
	}
	snapshot_get(pfn, &to->header, sizeof(to->header));
	return snapshot_save_rest(to, vm, pfn);
}

s64 snapshot_load_begin(const struct snapshot *from, u64 vm, u64 pfn)
{
	snapshot_put(pfn, &from->header, sizeof(from->header));
	return CALL(RV_SEAL_LOAD_BEGIN, vm, pfn);
}

s64 snapshot_load_record(const struct snapshot_record *record, u64 vm, u64 pfn)
{
	const u64 *tag = record->tag;

	snapshot_put(pfn, record->page, PAGE_SIZE);
	switch (record->kind) {
	case SNAPSHOT_VCPU:
		return CALL(RV_SEAL_LOAD_VCPU, vm, record->at, pfn, tag[0], tag[1]);
	case SNAPSHOT_PAGE:
		return CALL(RV_SEAL_LOAD_PAGE, vm, record->at, record->what, pfn, tag[0], tag[1]);
	default:
		return CALL(RV_SEAL_LOAD_END, vm, pfn, tag[0], tag[1]);
	}
}

s64 snapshot_load_records(const struct snapshot *from, u32 first, u32 last, u64 vm, u64 pfn,
			  u64 pages)
{
	s64 status = RV_OK;

	for (u32 i = first; i < last && status == RV_OK; i++) {
		const struct snapshot_record *record = &from->record[i];
		bool is_page =
			record->kind == SNAPSHOT_PAGE && (record->what & RV_SEAL_BACKED) != 0;

		status = snapshot_load_record(record, vm, is_page ? pages + i : pfn);
	}
	return status;
}
