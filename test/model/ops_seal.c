/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Sealed snapshots. The host is a scribe, and this is its shelf: what the latest operations made,
 * complete or not, with real ciphertext. Loading draws from it, mostly the record whose turn it is.
 * Whether a record must open follows from what was drawn: the next one of the snapshot that the
 * VM's header was of, as it was written.
 */
#include "ops.h"

#include <cv/seal.h>
#include <stddef.h>
#include <string.h>

#define RECORDS 128 /* a longer snapshot is kept in part */
#define WORDS (PAGE_SIZE / sizeof(u64))
#define HEADER_WORDS (sizeof(struct rv_seal_header) / sizeof(u64))

enum { RECORD_VCPU, RECORD_PAGE, RECORD_END };

/* How a header or a record comes out of the shelf. */
enum { AS_WRITTEN, CHANGED_CONTENT, CHANGED_TAG, CHANGED_KINDS };
enum { HEADER_AS_WRITTEN, HEADER_MAGIC, HEADER_OWNER, HEADER_EPOCH, HEADER_KINDS };

struct record {
	u64 kind;
	u64 at; /* vCPU index or gfn */
	u64 what;
	u64 tag[2];
	u64 page[WORDS];
	/* What the specification knows of it when it is saved. */
	struct spec_vcpu vcpu;
	u64 token;
	bool is_spoilt; /* in the host's own page, before it could be kept */
	bool is_vague;	/* somebody writes to the page all the time: its content is seen, not known
			 */
};

struct snapshot {
	u64 number; /* 0: none */
	u64 vm;	    /* that is being saved; 0: the snapshot is over */
	u64 header[HEADER_WORDS];
	u64 owner;
	u64 manifest;
	u32 ram_count;
	struct vm_ram ram[RV_RAM_RANGES];
	u32 vcpus; /* bit i: vCPU i */
	u64 next;  /* number of the next record, kept or not */
	u32 count;
	bool is_complete;
	struct record record[RECORDS];
};

static struct snapshot shelf[SNAPSHOTS];
static u64 last_number;
static u64 loading[SPEC_VMS]; /* number of the snapshot that a slot's VM takes records of */
static u64 put_token;	      /* of the host's page before a call */

void model_forget_snapshots(void)
{
	for (u32 i = 0; i < SNAPSHOTS; i++) {
		memset(&shelf[i], 0, offsetof(struct snapshot, record));
	}
}

static struct snapshot *snapshot(u64 place)
{
	return &shelf[place % SNAPSHOTS];
}

/* NULL: not kept. */
static struct snapshot *snapshot_of(u64 vm)
{
	for (u32 i = 0; i < SNAPSHOTS; i++) {
		if (shelf[i].number != 0 && shelf[i].vm == vm) {
			return &shelf[i];
		}
	}
	return NULL;
}

/* NULL: not kept. */
static const struct record *record(u64 place, u64 index)
{
	const struct snapshot *from = snapshot(place);

	return from->number != 0 && index < from->count ? &from->record[index] : NULL;
}

static u32 vcpus_of(const struct spec_vm *vm)
{
	u32 mask = 0;

	for (u32 i = 0; i < SPEC_VCPUS; i++) {
		mask |= (u32)(vm->vcpu[i].state != SPEC_VCPU_UNUSED) << i;
	}
	return mask;
}

/* Gfns that a snapshot has records of, at most. */
static u64 records_of(const struct spec_vm *vm)
{
	u64 records = 0;

	for (u64 gfn = 0; gfn < SPEC_GFNS; gfn++) {
		records += vm->gfn[gfn].pfn != 0 || vm->gfn[gfn].wish != S2_WISH_PRIVATE;
	}
	return records;
}

/* ---- which VM ---- */

static bool is_saveable(const struct spec_vm *vm)
{
	return vm->state == VM_VERIFIED && vm->is_protected && vm->may_be_saved &&
	       vm->active == 0 && vm->seal.mode == SEAL_NONE;
}

static bool is_next_vcpu(const struct spec_vm *vm)
{
	return vcpus_of(vm) >> vm->seal.next_vcpu != 0;
}

static bool saves_vcpus(const struct spec_vm *vm)
{
	return vm->seal.mode == SEAL_SAVING && is_next_vcpu(vm);
}

static bool saves_pages(const struct spec_vm *vm)
{
	return vm->seal.mode == SEAL_SAVING && !is_next_vcpu(vm) && !vm->seal.is_complete;
}

static bool is_saved(const struct spec_vm *vm)
{
	return vm->seal.mode == SEAL_SAVING && vm->seal.is_complete;
}

static bool is_sealing(const struct spec_vm *vm)
{
	return vm->seal.mode != SEAL_NONE;
}

static bool is_empty(const struct spec_vm *vm)
{
	return vm->state == VM_READY && vm->is_protected && vm->seal.mode == SEAL_NONE &&
	       vm->image_count == 0 && vm->guest_pages == 0;
}

static bool loads_vcpus(const struct spec_vm *vm)
{
	return vm->seal.mode == SEAL_LOADING && is_next_vcpu(vm);
}

static bool loads_pages(const struct spec_vm *vm)
{
	return vm->seal.mode == SEAL_LOADING && !is_next_vcpu(vm);
}

/* The first vCPU from next_vcpu on. */
static u64 due_vcpu(const struct spec_vm *vm)
{
	u64 index = vm->seal.next_vcpu;

	while (index < SPEC_VCPUS && vm->vcpu[index].state == SPEC_VCPU_UNUSED) {
		index++;
	}
	return index;
}

/* ---- saving ---- */

void draw_save(u64 slot, u32 vcpus, u64 records)
{
	u64 pfn = pick_free_pfn();

	for (u64 i = 0; i < SPEC_VCPUS; i++) {
		if ((vcpus >> i & 1) != 0) {
			draw_then("seal_save_vcpu", (u64[]){ slot, i, pfn }, 3);
		}
	}
	for (u64 i = records + 1; i > 0; i--) {
		draw_then("seal_save_page", (u64[]){ slot, pfn }, 2);
	}
	draw_then("seal_save_end", (u64[]){ slot, pfn }, 2);
}

void draw_seal_save_begin(u64 *arg)
{
	arg[0] = one_in(6) ? pick_slot() : pick_slot_where(is_saveable);
	arg[1] = pick_free_pfn();
	arg[2] = pick(SNAPSHOTS);
	arg[3] = !one_in(20);
	if (model_vm(arg[0]) != NULL && is_saveable(model_vm(arg[0])) && !one_in(4)) {
		draw_save(arg[0], vcpus_of(model_vm(arg[0])), records_of(model_vm(arg[0])));
	}
}

struct outcome core_seal_save_begin(const u64 *arg)
{
	struct outcome out = { 0 };

	fake_entropy = arg[3];
	out.status = seal_save_begin(model_handle(arg[0]), arg[1]);
	fake_entropy = true;
	return out;
}

static void shelve(u64 slot, u64 place, u64 pfn)
{
	const struct spec_vm *vm = model_vm(slot);
	struct snapshot *to = snapshot_of(vm->handle);

	if (to != NULL) {
		to->vm = 0; /* it was aborted */
	}
	to = snapshot(place);
	memset(to, 0, offsetof(struct snapshot, record));
	if (model_is_written(pfn)) {
		return; /* who knows which header that is */
	}
	to->number = ++last_number;
	to->vm = vm->handle;
	to->owner = owner_number(slot);
	to->manifest = manifest_first_word(slot);
	to->ram_count = vm->ram_count;
	memcpy(to->ram, vm->ram, sizeof(to->ram));
	to->vcpus = vcpus_of(vm);
	for (u64 i = 0; i < HEADER_WORDS; i++) {
		to->header[i] = fake_peek(pfn, i * sizeof(u64));
	}
}

struct outcome expect_seal_save_begin(const u64 *arg)
{
	struct outcome out = { 0 };

	model.spec.has_entropy = arg[3];
	out.status = spec_seal_save_begin(&model.spec, model_handle(arg[0]), arg[1],
					  model_seen_token(arg[1]));
	model.spec.has_entropy = true;
	if (out.status == CV_OK) {
		shelve(arg[0], arg[2], arg[1]);
	}
	return out;
}

static u64 written_tag[2];

/* The record that an operation has just made; its fields that are not ciphertext are the caller's.
 * NULL: not kept. */
static struct record *keep(u64 vm, u64 pfn)
{
	struct snapshot *to = snapshot_of(vm);
	struct record *kept;

	if (to == NULL || to->next++ != to->count || to->count == RECORDS) {
		return NULL;
	}
	kept = &to->record[to->count++];
	memcpy(kept->tag, written_tag, sizeof(kept->tag));
	for (u64 i = 0; i < WORDS; i++) {
		kept->page[i] =
			spec_page(&model.spec, pfn) != NULL ? fake_peek(pfn, i * sizeof(u64)) : 0;
	}
	kept->is_spoilt = model_is_written(pfn);
	return kept;
}

void draw_seal_save_vcpu(u64 *arg)
{
	const struct spec_vm *vm;

	arg[0] = pick_slot_where(saves_vcpus);
	vm = model_vm(arg[0]);
	arg[1] = vm != NULL && saves_vcpus(vm) && !one_in(4) ? due_vcpu(vm) : pick_vcpu(arg[0]);
	arg[2] = pick_free_pfn();
}

struct outcome core_seal_save_vcpu(const u64 *arg)
{
	return (struct outcome){ .status = seal_save_vcpu(model_handle(arg[0]), arg[1], arg[2],
							  written_tag) };
}

struct outcome expect_seal_save_vcpu(const u64 *arg)
{
	u64 handle = model_handle(arg[0]);
	struct outcome out = { 0 };
	struct record *kept;

	out.status =
		spec_seal_save_vcpu(&model.spec, handle, arg[1], arg[2], model_seen_token(arg[2]));
	kept = out.status == CV_OK ? keep(handle, arg[2]) : NULL;
	if (kept != NULL) {
		kept->kind = RECORD_VCPU;
		kept->at = arg[1];
		kept->what = 0;
		kept->vcpu = *model_vcpu(arg[0], arg[1]);
	}
	return out;
}

void draw_seal_save_page(u64 *arg)
{
	arg[0] = one_in(6) ? pick_slot() : pick_slot_where(saves_pages);
	arg[1] = pick_free_pfn();
}

/* Both answers in one value. */
static u64 page_answer(u64 gfn, u64 what)
{
	return gfn ^ what << 32;
}

struct outcome core_seal_save_page(const u64 *arg)
{
	struct outcome out = { 0 };
	u64 gfn = 0;
	u64 what = 0;

	out.status = seal_save_page(model_handle(arg[0]), arg[1], &gfn, &what, written_tag);
	out.value = page_answer(gfn, what);
	return out;
}

struct outcome expect_seal_save_page(const u64 *arg)
{
	u64 handle = model_handle(arg[0]);
	struct outcome out = { 0 };
	struct record *kept;
	u64 gfn = 0;
	u64 what = 0;

	out.status = spec_seal_save_page(&model.spec, handle, arg[1], model_seen_token(arg[1]),
					 &gfn, &what);
	out.value = page_answer(gfn, what);
	kept = out.status == CV_OK && what != 0 ? keep(handle, arg[1]) : NULL;
	if (kept != NULL) {
		u64 pfn = model_vm(arg[0])->gfn[gfn].pfn;

		kept->kind = RECORD_PAGE;
		kept->at = gfn;
		kept->what = what;
		kept->token = pfn == 0 ? 0 : spec_page(&model.spec, pfn)->token;
		kept->is_vague = pfn != 0 && model_is_written(pfn);
	}
	return out;
}

void draw_seal_save_end(u64 *arg)
{
	arg[0] = one_in(4) ? pick_slot() : pick_slot_where(is_saved);
	arg[1] = pick_free_pfn();
}

struct outcome core_seal_save_end(const u64 *arg)
{
	return (struct outcome){ .status =
					 seal_save_end(model_handle(arg[0]), arg[1], written_tag) };
}

struct outcome expect_seal_save_end(const u64 *arg)
{
	u64 handle = model_handle(arg[0]);
	struct outcome out = { 0 };
	struct record *kept;

	out.status = spec_seal_save_end(&model.spec, handle, arg[1], model_seen_token(arg[1]));
	kept = out.status == CV_OK ? keep(handle, arg[1]) : NULL;
	if (kept != NULL) {
		kept->kind = RECORD_END;
		kept->at = kept->what = 0;
		snapshot_of(handle)->is_complete = true;
		snapshot_of(handle)->vm = 0;
	}
	return out;
}

void draw_seal_abort(u64 *arg)
{
	arg[0] = one_in(3) ? pick_slot() : pick_slot_where(is_sealing);
}

struct outcome core_seal_abort(const u64 *arg)
{
	return (struct outcome){ .status = seal_abort(model_handle(arg[0])) };
}

struct outcome expect_seal_abort(const u64 *arg)
{
	return (struct outcome){ .status = spec_seal_abort(&model.spec, model_handle(arg[0])) };
}

/* ---- loading ---- */

/* A page that the host prepares. One that others write to at the same time it spoils first: then it
 * is certain that nothing good is in it. */
static void put(u64 pfn, const u64 *words, u64 count)
{
	if (is_free_pfn(pfn)) {
		if (model_is_written(pfn)) {
			fake_poke(pfn, 0, 0);
			fake_poke(pfn, PAGE_SIZE / 2, 0);
		} else {
			for (u64 i = 0; i < count; i++) {
				fake_poke(pfn, i * sizeof(u64), words[i]);
			}
		}
		put_token = fake_page_token(pfn);
	}
}

/* After the core's call, as before the specification's. */
static void put_expected(u64 pfn)
{
	if (is_free_pfn(pfn)) {
		spec_page(&model.spec, pfn)->token = put_token;
	}
}

/* Index of a page's record in a snapshot, `how`, or tag, that comes at the end of arg. */
static void put_record(u64 place, u64 index, u64 how, u64 pfn, u64 tag[2])
{
	static u64 page[WORDS];
	const struct record *from = record(place, index);

	memset(page, 0, sizeof(page));
	tag[0] = tag[1] = 0;
	if (from != NULL) {
		memcpy(page, from->page, sizeof(page));
		memcpy(tag, from->tag, sizeof(from->tag));
	}
	page[index % WORDS] ^= how == CHANGED_CONTENT ? 1ull << index % 64 : 0;
	tag[index % 2] ^=
		how == CHANGED_TAG || (from != NULL && from->is_spoilt) ? 1ull << index % 64 : 0;
	put(pfn, page, WORDS);
}

/* Pre: the VM in the slot is being loaded, and it is the turn of this kind of record. */
static bool is_next(u64 slot, u64 place, u64 index, u64 how, u64 kind)
{
	const struct spec_vm *vm = model_vm(slot);
	const struct record *from = record(place, index);
	bool has_content =
		from != NULL && (kind != RECORD_PAGE || (from->what & RV_SEAL_BACKED) != 0);

	return vm != NULL && from != NULL && loading[slot] == snapshot(place)->number &&
	       index == vm->seal.records && from->kind == kind && !from->is_spoilt &&
	       how != CHANGED_TAG && (how != CHANGED_CONTENT || !has_content);
}

/* The next record of what the VM is loading, mostly. */
static void draw_record(u64 slot, u64 *place, u64 *index, u64 *how)
{
	const struct spec_vm *vm = model_vm(slot);

	*place = pick(SNAPSHOTS);
	*how = one_in(15) ? 1 + pick(CHANGED_KINDS - 1) : AS_WRITTEN;
	for (u64 i = 0; vm != NULL && i < SNAPSHOTS && snapshot(*place)->number != loading[slot];
	     i++) {
		*place = (*place + 1) % SNAPSHOTS;
	}
	*index = vm != NULL && !one_in(15) ? vm->seal.records : pick(8);
}

/* A VM for what is on the shelf: a snapshot's place, mostly one that is complete. */
static u64 pick_snapshot(void)
{
	u64 place = pick(SNAPSHOTS);

	for (u64 i = 0; i < SNAPSHOTS && !snapshot(place)->is_complete; i++) {
		place = (place + 1) % SNAPSHOTS;
	}
	return place;
}

u64 snapshot_to_restore(u64 *owner)
{
	u64 place = pick_snapshot();

	*owner = snapshot(place)->owner;
	return snapshot(place)->is_complete ? place : SNAPSHOTS;
}

void draw_restore(u64 slot, u64 place)
{
	const struct snapshot *from = snapshot(place);

	for (u32 i = 0; i < from->ram_count; i++) {
		draw_then("vm_add_ram", (u64[]){ slot, from->ram[i].first.v, from->ram[i].pages },
			  3);
	}
	for (u64 i = one_in(8) ? 0 : 4 + pick(4); i > 0; i--) {
		draw_then("vm_topup", (u64[]){ slot, pick_free_pfn() }, 2);
	}
	for (u64 i = 0; i < SPEC_VCPUS; i++) {
		if ((from->vcpus >> i & 1) != 0) {
			draw_then("vm_create_vcpu",
				  (u64[]){ slot, i, pick_free_pfn(), pick_free_pfn() }, 4);
		}
	}
	draw_then("seal_load_begin",
		  (u64[]){ slot, pick_free_pfn(), place, AS_WRITTEN, !one_in(8) }, 5);
	for (u64 i = 0; i < from->count; i++) {
		const struct record *next = &from->record[i];

		if (next->kind == RECORD_VCPU) {
			if (one_in(4)) { /* refused, it changes nothing: the right one may follow */
				draw_then("seal_load_vcpu",
					  (u64[]){ slot, next->at, pick_free_pfn(), place, i,
						   CHANGED_CONTENT },
					  6);
			}
			draw_then("seal_load_vcpu",
				  (u64[]){ slot, next->at, pick_free_pfn(), place, i, AS_WRITTEN },
				  6);
		} else if (next->kind == RECORD_PAGE) {
			draw_then("seal_load_page",
				  (u64[]){ slot, next->at, next->what, pick_free_pfn(), place, i,
					   AS_WRITTEN },
				  7);
		} else {
			draw_then("seal_load_end",
				  (u64[]){ slot, pick_free_pfn(), place, i, AS_WRITTEN }, 5);
		}
	}
}

void draw_seal_load_begin(u64 *arg)
{
	arg[0] = one_in(6) ? pick_slot() : pick_slot_where(is_empty);
	arg[1] = pick_free_pfn();
	arg[2] = pick_snapshot();
	arg[3] = one_in(3) ? pick(HEADER_KINDS) : HEADER_AS_WRITTEN;
	arg[4] = !one_in(10);
}

struct outcome core_seal_load_begin(const u64 *arg)
{
	struct rv_seal_header header;
	struct outcome out = { 0 };

	memcpy(&header, snapshot(arg[2])->header, sizeof(header));
	header.magic ^= arg[3] == HEADER_MAGIC;
	header.owner[7] ^= arg[3] == HEADER_OWNER;
	header.epoch[31] ^= arg[3] == HEADER_EPOCH;
	put(arg[1], (const u64 *)&header, HEADER_WORDS);
	fake_entropy = arg[4];
	out.status = seal_load_begin(model_handle(arg[0]), arg[1]);
	fake_entropy = true;
	return out;
}

static enum spec_header header_of(const u64 *arg)
{
	const struct snapshot *from = snapshot(arg[2]);
	const struct spec_vm *vm = model_vm(arg[0]);

	if (vm == NULL || from->number == 0 || arg[3] == HEADER_MAGIC || model_is_written(arg[1]) ||
	    from->vcpus != vcpus_of(vm) || from->ram_count != vm->ram_count ||
	    memcmp(from->ram, vm->ram, sizeof(from->ram)) != 0) {
		return SPEC_HEADER_DIFFERS;
	}
	return arg[3] == HEADER_OWNER || from->owner != owner_number(arg[0])
		       ? SPEC_HEADER_OF_ANOTHER
		       : SPEC_HEADER_FITS;
}

struct outcome expect_seal_load_begin(const u64 *arg)
{
	struct outcome out = { 0 };

	put_expected(arg[1]);
	model.spec.has_entropy = arg[4];
	out.status =
		spec_seal_load_begin(&model.spec, model_handle(arg[0]), arg[1], header_of(arg));
	model.spec.has_entropy = true;
	if (out.status == CV_OK) {
		/* A header with another epoch is one of a snapshot that nobody has. */
		loading[arg[0]] = arg[3] == HEADER_EPOCH ? ~0ull : snapshot(arg[2])->number;
	}
	return out;
}

void draw_seal_load_vcpu(u64 *arg)
{
	const struct spec_vm *vm;

	arg[0] = pick_slot_where(loads_vcpus);
	vm = model_vm(arg[0]);
	arg[1] = vm != NULL && loads_vcpus(vm) && !one_in(6) ? due_vcpu(vm) : pick_vcpu(arg[0]);
	arg[2] = pick_free_pfn();
	draw_record(arg[0], &arg[3], &arg[4], &arg[5]);
}

struct outcome core_seal_load_vcpu(const u64 *arg)
{
	u64 tag[2];

	put_record(arg[3], arg[4], arg[5], arg[2], tag);
	return (struct outcome){ .status = seal_load_vcpu(model_handle(arg[0]), arg[1], arg[2],
							  tag) };
}

struct outcome expect_seal_load_vcpu(const u64 *arg)
{
	const struct record *from = record(arg[3], arg[4]);
	bool is_good = !model_is_written(arg[2]) &&
		       is_next(arg[0], arg[3], arg[4], arg[5], RECORD_VCPU) && from->at == arg[1];

	put_expected(arg[2]);
	return (struct outcome){ .status = spec_seal_load_vcpu(&model.spec, model_handle(arg[0]),
							       arg[1], arg[2],
							       is_good ? &from->vcpu : NULL) };
}

void draw_seal_load_page(u64 *arg)
{
	const struct record *from;

	arg[0] = one_in(6) ? pick_slot() : pick_slot_where(loads_pages);
	draw_record(arg[0], &arg[4], &arg[5], &arg[6]);
	from = record(arg[4], arg[5]);
	arg[1] = from != NULL && !one_in(15) ? from->at : pick_gfn();
	arg[2] = from != NULL && !one_in(15)
			 ? from->what
			 : pick(8) | (one_in(3) ? pick(10) : 1) << RV_SEAL_PAGES_SHIFT;
	arg[3] = pick_free_pfn();
}

struct outcome core_seal_load_page(const u64 *arg)
{
	u64 tag[2];

	put_record(arg[4], arg[5], arg[6], arg[3], tag);
	return (struct outcome){ .status = seal_load_page(model_handle(arg[0]), arg[1], arg[2],
							  arg[3], tag) };
}

struct outcome expect_seal_load_page(const u64 *arg)
{
	const struct record *from = record(arg[4], arg[5]);
	bool is_backed = (arg[2] & RV_SEAL_BACKED) != 0;
	bool is_good = (!is_backed || !model_is_written(arg[3])) &&
		       is_next(arg[0], arg[4], arg[5], arg[6], RECORD_PAGE) && from->at == arg[1] &&
		       from->what == arg[2];
	struct outcome out = { 0 };

	put_expected(arg[3]);
	out.status = spec_seal_load_page(&model.spec, model_handle(arg[0]), arg[1], arg[2], arg[3],
					 is_good, is_good ? from->token : 0);
	if (out.status == CV_OK && is_backed && from->is_vague) {
		model_retoken(arg[3]);
	}
	return out;
}

void draw_seal_load_end(u64 *arg)
{
	arg[0] = one_in(6) ? pick_slot() : pick_slot_where(loads_pages);
	arg[1] = pick_free_pfn();
	draw_record(arg[0], &arg[2], &arg[3], &arg[4]);
}

struct outcome core_seal_load_end(const u64 *arg)
{
	u64 tag[2];

	put_record(arg[2], arg[3], arg[4], arg[1], tag);
	return (struct outcome){ .status = seal_load_end(model_handle(arg[0]), arg[1], tag) };
}

struct outcome expect_seal_load_end(const u64 *arg)
{
	bool is_good =
		!model_is_written(arg[1]) && is_next(arg[0], arg[2], arg[3], arg[4], RECORD_END);
	struct outcome out = { 0 };

	put_expected(arg[1]);
	out.status = spec_seal_load_end(&model.spec, model_handle(arg[0]), arg[1], is_good);
	if (out.status == CV_OK) {
		manifest_set(arg[0], snapshot(arg[2])->manifest);
	}
	return out;
}
