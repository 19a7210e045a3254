/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A snapshot, played back by a scribe that the input directs: records in any order, with any bits
 * changed, headers, aborts, and calls with any arguments in between. Accepted is exactly the next
 * record as it was sealed; a page that was not is scrubbed; the VM is VERIFIED exactly when all
 * records were accepted.
 */
#include "../../arch-fake/fake.h"
#include "../../arch-fake/fake_vcpu.h"
#include "../common/snapshot.h"

#include <cv/arch.h>
#include <cv/host_psci.h>
#include <cv/info.h>
#include <cv/seal.h>
#include <cv/vcpu.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

#define STEPS_MAX 64
#define PAGE(n) ((0x40200000ull >> PAGE_SHIFT) + (n))
#define R 0x40000ull
#define R_PAGES 2048ull
#define TABLES 12

enum { BASE = 0, IO = 100, GUEST = 110, LOADED = 200 };

static const u8 root[32] = { 'r', 'o', 'o', 't' };
static struct snapshot snap;
static u64 vm;
static u64 next_page;

/* The scribe's position. */
static bool is_begun; /* with the right header */
static bool is_bad;   /* with another one, that was accepted: it opens nothing */
static u32 next_record;

bool host_psci_is_stopping(void)
{
	return false;
}
void info_publish(void)
{
}
void info_refusal(u64 id, s64 status, u64 first)
{
	(void)id, (void)status, (void)first;
}

/* ---- the input ---- */

static const uint8_t *input, *input_end;

static u64 take(u32 bytes)
{
	u64 value = 0;

	while (bytes-- > 0) {
		value = value << 8 | (input < input_end ? *input++ : 0);
	}
	return value;
}

/* ---- VMs ---- */

static void must(s64 status)
{
	if (status != RV_OK) {
		fake_fail("the scene cannot be set: %ld", (long)status);
	}
}

static struct vm *record(void)
{
	return arch_core_va(pfn_pa(pfn_make(PAGE(BASE))));
}

static void build(void)
{
	u64 results[4];

	must(snapshot_call(RV_VM_CREATE,
			   (u64[]){ PAGE(BASE), PAGE(BASE + 2), RV_VM_PROTECTED, 1, 2, 3, 4 }, 7,
			   results));
	vm = results[0];
	for (u32 i = 0; i < TABLES; i++) {
		must(CALL(RV_VM_TOPUP, vm, PAGE(BASE + 4) + i));
	}
	must(CALL(RV_VM_ADD_RAM, vm, R, R_PAGES));
	must(CALL(RV_VCPU_CREATE, vm, 0, PAGE(BASE + 40), PAGE(BASE + 41)));
	must(CALL(RV_VCPU_CREATE, vm, 3, PAGE(BASE + 42), PAGE(BASE + 43)));
	fake_attach(vm & 0xff, pfn_pa(pfn_make(PAGE(BASE + 2))));
	is_begun = false;
	is_bad = false;
	next_record = 0;
}

static void wish(u64 gfn, u64 pages, enum s2_wish to) CV_NO_LOCK_ANALYSIS
{
	struct vm *locked = vm_lock(vm);
	gfn_t at = gfn_make(gfn);

	must(mem_vm_set_wish(locked, &at, gfn_make(gfn + pages), to, true));
	vm_unlock(locked);
}

static void boot(void)
{
	fake_boot(&fake_small_machine);
	fake_vcpu_reset();
	seal_init(root);
	build();
	next_page = LOADED;
}

/* Once: what all inputs play with. */
static void make_snapshot(void)
{
	boot();
	record()->state = VM_VERIFIED;
	record()->may_be_saved = true;
	must(CALL(RV_VCPU_BOOT, vm, 0, 0, 0)); /* not run yet: that is for the restored ones */
	must(CALL(RV_MEM_MAP, vm, R + 3, PAGE(GUEST), 1));
	must(CALL(RV_MEM_MAP, vm, R + 4, PAGE(GUEST + 1), 1));
	wish(R + 4, 1, S2_WISH_SHARED);
	wish(R + 5, 1, S2_WISH_SHARED);
	wish(R + 512, 512, S2_WISH_DESTROYED);
	fake_poke(PAGE(GUEST), 0, 0x5ec2e7);
	must(snapshot_save(&snap, vm, PAGE(IO)));
	fake_halt();
}

/* ---- steps ---- */

static void check_scrubbed(s64 status, u64 pfn)
{
	if (status == RV_E_AUTH && !fake_page_is_zero(pfn)) {
		fake_fail("a page that was refused came back with content");
	}
}

static void load(const struct snapshot_record *what)
{
	const bool is_next = is_begun && next_record < snap.count &&
			     memcmp(what, &snap.record[next_record], sizeof(*what)) == 0;
	const bool is_page = what->kind == SNAPSHOT_PAGE && (what->what & RV_SEAL_BACKED) != 0;
	u64 pfn = is_page ? PAGE(next_page++) : PAGE(IO);
	s64 status = snapshot_load_record(what, vm, pfn);

	if ((status == RV_OK) != is_next) {
		fake_fail("record %u: status %ld", next_record, (long)status);
	}
	if (status == RV_OK) {
		next_record++;
	}
	if (is_page) {
		check_scrubbed(status, pfn);
	}
}

static void load_changed(void)
{
	static struct snapshot_record changed;
	u64 times;

	changed = snap.record[take(1) % snap.count];
	times = take(1) % 4;
	for (u64 i = 0; i < times; i++) {
		u64 field = take(1) % 8, offset = take(2), with = take(1);

		switch (field) {
		case 0:
			changed.at ^= with << offset % 57;
			break;
		case 1:
			changed.what ^= with << offset % 57;
			break;
		case 2:
			changed.tag[offset % 2] ^= with << offset % 57;
			break;
		case 3:
			changed.kind = 1 + with % 3;
			break;
		default:
			changed.page[offset % PAGE_SIZE] ^= (u8)with;
			break;
		}
	}
	/* What does not reach the call is not sealed. */
	if (changed.kind != SNAPSHOT_PAGE) {
		changed.what = 0;
	}
	if (changed.kind == SNAPSHOT_END) {
		changed.at = 0;
	}
	if (changed.kind == SNAPSHOT_PAGE && (changed.what & RV_SEAL_BACKED) == 0) {
		memset(changed.page, 0, sizeof(changed.page));
	}
	load(&changed);
}

static void begin(void)
{
	static struct snapshot changed;
	bool is_fresh = record()->state == VM_READY && !is_begun && !is_bad;
	u64 times = take(1) % 4;
	bool is_same;
	s64 status;

	changed.header = snap.header;
	for (u64 i = 0; i < times; i++) {
		u64 offset = take(2) % sizeof(changed.header);

		((u8 *)&changed.header)[offset] ^= (u8)take(1);
	}
	is_same = memcmp(&changed.header, &snap.header, sizeof(snap.header)) == 0;
	status = snapshot_load_begin(&changed, vm, PAGE(IO));
	if ((status == RV_OK && !is_fresh) || (status != RV_OK && is_fresh && is_same)) {
		fake_fail("LOAD_BEGIN: status %ld", (long)status);
	}
	is_begun = is_begun || (status == RV_OK && is_same);
	is_bad = is_bad || (status == RV_OK && !is_same);
}

static void end_vm(void)
{
	u64 results[4] = { R };

	must(CALL(RV_VM_KILL, vm));
	while (results[0] < R + R_PAGES) {
		must(snapshot_call(RV_MEM_RECLAIM,
				   (u64[]){ vm, results[0], R + R_PAGES - results[0] }, 3,
				   results));
	}
	do {
		must(snapshot_call(RV_VM_DESTROY, &vm, 1, results));
	} while (results[0] > 0);
	build();
}

/* Any sealing call with any arguments: none of them can get through. */
static void any_call(void)
{
	static const u64 ids[] = { RV_SEAL_SAVE_BEGIN, RV_SEAL_SAVE_VCPU, RV_SEAL_SAVE_PAGE,
				   RV_SEAL_SAVE_END,   RV_SEAL_LOAD_VCPU, RV_SEAL_LOAD_PAGE,
				   RV_SEAL_LOAD_END,   RV_VM_ADD_RAM,	  RV_MEM_MAP,
				   RV_VCPU_BOOT };
	u64 id = ids[take(1) % ARRAY_SIZE(ids)];
	u64 small[] = { R + take(1), take(1) % 5, take(8), PAGE(BASE) + take(1) % 64 };
	u64 a[4];

	for (u32 i = 0; i < 4; i++) {
		a[i] = small[take(1) % 4];
	}
	if (record()->state == VM_VERIFIED ||
	    (id >= RV_VM_ADD_RAM && id < RV_SEAL_SAVE_BEGIN && !is_begun && !is_bad)) {
		return; /* there the calls may do something */
	}
	if (CALL(id, vm, a[0], a[1], a[2], a[3], 1) == RV_OK) {
		fake_fail("call %#lx was accepted", (unsigned long)id);
	}
}

static void step(void)
{
	switch (take(1) % 8) {
	case 0:
	case 1:
		if (next_record < snap.count) {
			load(&snap.record[next_record]);
		}
		break;
	case 2:
		load(&snap.record[take(1) % snap.count]);
		break;
	case 3:
		load_changed();
		break;
	case 4:
		begin();
		break;
	case 5:
		any_call();
		break;
	case 6:
		CALL(RV_SEAL_ABORT, vm);
		end_vm();
		break;
	default:
		CALL(RV_VCPU_RUN, vm, take(1) % 4);
		break;
	}
	fake_check_tlbs();
	if ((record()->state == VM_VERIFIED) != (next_record == snap.count)) {
		fake_fail("after %u of %u records the VM is in state %u", next_record, snap.count,
			  record()->state);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	if (snap.count == 0) {
		make_snapshot();
	}
	input = data;
	input_end = data + bytes;
	boot();
	for (u32 i = 0; i < STEPS_MAX && input < input_end; i++) {
		step();
	}
	fake_halt();
	return 0;
}
