/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the proofs about sealed snapshots have in common: a VM with two vCPUs in any state, at any
 * point of saving or loading; cryptography, the host's page, pools and the clock by their
 * contracts; and what a call must answer, from abi.h.
 */
#ifndef SEAL_STATE_H
#define SEAL_STATE_H

#include "one_vm.h"

#include "../../corevisor/core/seal_record.c" /* its root secret is quantified over */

#include <cv/exception.h>
#include <cv/mem_page.h>
#include <cv/vtimer.h>

static struct vcpu vcpu_0, vcpu_1, want_0, want_1;
static u64 the_pfn; /* the host's page */
static bool is_pinned;
static enum cv_status pin_status;
/* The page for records, as what a record of each kind is seen: no union, which CBMC 6.6 reads
 * byte by byte as something else than was written. */
static struct seal_vcpu scratch_vcpu;
static struct seal_end scratch_end;
static u8 scratch_page[PAGE_SIZE];
static struct seal_place place; /* of the call's record */
static u64 scratch_pfn;
static enum { S_ANY, S_ZEROED, S_COPIED, S_SEALED } scratch_is;

/*
 * Two runs (proof_seal_disclose.c): what a record is as ciphertext, by the contract of
 * crypto_seal() the same whatever was sealed, and what the host's page gets of it; of a page, one
 * byte at any place. Plaintext is then content of its own wherever it is read, copied or decrypted.
 */
static bool is_two_runs;
static struct seal_vcpu cipher_vcpu, told_vcpu;
static struct seal_end cipher_end, told_end;
static u64 any_place;
static u8 cipher_byte, told_byte;

struct vcpu nondet_vcpu(void);
struct crypto_hash nondet_hash(void);
struct rv_seal_header nondet_header(void);
struct seal_vcpu nondet_seal_vcpu(void);
struct seal_end nondet_seal_end(void);

static void *scratch(void)
{
	return place.kind == SEAL_VCPU	? (void *)&scratch_vcpu
	       : place.kind == SEAL_END ? (void *)&scratch_end
					: scratch_page;
}

/* ---- pools, memory ---- */

enum cv_status mem_host_pin(u64 pfn)
{
	claim(is_locked && !is_pinned && pfn == the_pfn && ledger_is_ram(pfn_make(pfn)), "once");
	is_pinned = pin_status == CV_OK;
	return pin_status;
}

void mem_host_unpin(pfn_t pfn)
{
	claim(is_locked && is_pinned && pfn.v == the_pfn, "what is pinned");
	is_pinned = false;
}

u32 pool_count(struct pool *pool)
{
	claim(pool == &vm.tables, "the VM's");
	return pool->free_count;
}

pfn_t pool_take(struct pool *pool)
{
	claim(pool == &vm.tables && pool->free_count > 0, "one is there");
	pool->free_count--;
	return pfn_make(scratch_pfn);
}

void pool_put(struct pool *pool, pfn_t pfn)
{
	claim(pool == &vm.tables && pfn.v == scratch_pfn, "the page for records, zeroed by it");
	pool->free_count++;
}

void *arch_core_va(pa_t pa)
{
	claim(is_locked && pa.v == scratch_pfn << PAGE_SHIFT, "the page for records");
	return scratch();
}

static u8 window[PAGE_SIZE];
static bool is_open;
static u64 window_pfn;

void *arch_window_open(pfn_t pfn)
{
	claim(!is_open && pfn.v == window_pfn, "the page of the record");
	is_open = true;
	return window;
}

void arch_window_close(void)
{
	claim(is_open, "it is open");
	is_open = false;
}

/* Whole pages are zeroed and copied in the page for records alone. */
void *memset(void *at, int value, size_t bytes)
{
	claim(at == scratch() && value == 0 && bytes == PAGE_SIZE, "the page for records");
	scratch_is = S_ZEROED;
	return at;
}

void *memcpy(void *to, const void *from, size_t bytes)
{
	if (bytes == PAGE_SIZE) {
		claim(to == scratch() && from == window && is_open, "a page of the VM's is read");
		scratch_is = S_COPIED;
		if (is_two_runs) {
			__CPROVER_havoc_object(scratch_page);
		}
		return to;
	}
	for (u32 i = 0; i < bytes; i++) {
		((u8 *)to)[i] = ((const u8 *)from)[i];
	}
	return to;
}

_Static_assert(sizeof(struct seal_end) == 3 * sizeof(u64) + 2 * CRYPTO_HASH_BYTES, "no padding");

/* What is compared are two headers or two ends, neither with padding: field by field. */
int memcmp(const void *a, const void *b, size_t bytes)
{
	if (bytes == sizeof(struct seal_end)) {
		const struct seal_end *end_a = a;
		const struct seal_end *end_b = b;

		return !__CPROVER_equal(*end_a, *end_b);
	}
	claim(bytes == sizeof(struct rv_seal_header), "two headers, or two ends");
	return !__CPROVER_equal(*(const struct rv_seal_header *)a,
				*(const struct rv_seal_header *)b);
}

/* ---- what the host's page gets and gives ---- */

static struct rv_seal_header written, host_header;
static bool is_header_written, is_record_written, is_read;

static void record_encrypt(void)
{
	if (place.kind == SEAL_VCPU) {
		scratch_vcpu = cipher_vcpu;
	} else if (place.kind == SEAL_END) {
		scratch_end = cipher_end;
	} else {
		scratch_page[any_place] = cipher_byte;
	}
}

static void record_tell(void)
{
	if (place.kind == SEAL_VCPU) {
		told_vcpu = scratch_vcpu;
	} else if (place.kind == SEAL_END) {
		told_end = scratch_end;
	} else {
		told_byte = scratch_page[any_place];
	}
}

void mem_pinned_write(pfn_t pfn, const void *from, u64 bytes)
{
	claim(is_pinned && pfn.v == the_pfn, "pinned");
	if (from == scratch()) {
		claim(scratch_is == S_SEALED && bytes == PAGE_SIZE, "never plaintext");
		is_record_written = true;
		if (is_two_runs) {
			record_tell();
		}
	} else {
		claim(bytes == sizeof(written), "or the header");
		written = *(const struct rv_seal_header *)from;
		is_header_written = true;
	}
}

void mem_pinned_read(pfn_t pfn, void *to, u64 bytes)
{
	claim(is_pinned && pfn.v == the_pfn && !is_read, "pinned, once");
	is_read = true;
	if (to == scratch()) {
		claim(bytes == PAGE_SIZE, "a record");
		scratch_is = S_COPIED;
	} else {
		claim(bytes == sizeof(host_header), "or the header");
		*(struct rv_seal_header *)to = host_header;
	}
}

/* ---- cryptography ---- */

static u8 the_key[CRYPTO_KEY_BYTES], the_epoch[32], the_digest[CRYPTO_HASH_BYTES];
static struct crypto_hash first_set, next_set;
static u64 new_tag[2], given_tag[2];
static u64 place_bytes;
static u64 records_before;
static bool is_good, is_sealed, is_opened, is_counted, is_derived;
static struct seal_vcpu opened_vcpu;
static struct seal_end opened_end;
static u64 loaded; /* LOAD_PAGE: pages that are the VM's since the call began */

bool rng_bytes(void *out, u64 bytes)
{
	claim(bytes == 32, "an epoch");
	memcpy(out, the_epoch, 32);
	return true;
}

void crypto_derive(const u8 secret[CRYPTO_KEY_BYTES], const u8 salt[CRYPTO_HASH_BYTES],
		   const void *info, u64 info_bytes, u8 key[CRYPTO_KEY_BYTES])
{
	const struct rv_seal_header *header = info;

	claim(secret == root.secret && root.is_ready && key == vm.seal.key, "from the root secret");
	claim(info_bytes == sizeof(*header) && salt == header->epoch, "with all of the header");
	claim(__CPROVER_equal(*header, vm.seal.header), "of this snapshot");
	memcpy(key, the_key, 32);
	is_derived = true;
}

void crypto_hash_begin(struct crypto_hash *hash)
{
	claim(hash == &vm.seal.set, "the set of records");
	*hash = first_set;
}

void crypto_hash_add(struct crypto_hash *hash, const void *data, u64 bytes)
{
	const u64 *entry = data;
	const u64 *tag = is_sealed ? new_tag : given_tag;

	claim(hash == &vm.seal.set && bytes == 5 * sizeof(u64) && !is_counted, "once");
	claim(entry[0] == place.kind && entry[1] == place.at && entry[2] == place.what &&
		      entry[3] == tag[0] && entry[4] == tag[1],
	      "the record's place and tag");
	*hash = next_set;
	is_counted = true;
}

void crypto_hash_end(const struct crypto_hash *hash, u8 out[CRYPTO_HASH_BYTES])
{
	claim(hash == &vm.seal.set, "the set of records");
	memcpy(out, the_digest, 32);
}

bool crypto_equal(const u8 *a, const u8 *b, u64 bytes)
{
	claim(bytes == 32, "whole hashes");
	return is_32(a, b);
}

static void claim_record(const struct crypto_record *record, u64 bytes)
{
	const struct bound *bound = record->bound;
	u64 number;
	u32 kind;

	memcpy(&kind, record->nonce, 4);
	memcpy(&number, record->nonce + 4, 8);
	claim(record->key == vm.seal.key, "the snapshot's key");
	claim(kind == place.kind && number == records_before && vm.seal.records == records_before,
	      "the nonce is the number of the record, and not counted yet");
	claim(record->bound_bytes == sizeof(*bound) && bound->kind == place.kind &&
		      bound->at == place.at && bound->what == place.what &&
		      bound->number == records_before && bound->bytes == bytes &&
		      is_32(bound->epoch, vm.seal.header.epoch),
	      "bound to its place in its snapshot");
	claim(bytes == place_bytes, "a page, or nothing");
}

void crypto_seal(const struct crypto_record *record, void *data, u64 bytes,
		 u8 tag[CRYPTO_TAG_BYTES])
{
	claim(!is_sealed && data == scratch(), "one record a call, in the private page");
	claim(bytes == 0 || scratch_is == S_ZEROED || scratch_is == S_COPIED, "of its own content");
	claim_record(record, bytes);
	scratch_is = bytes > 0 ? S_SEALED : S_ANY;
	is_sealed = true;
	if (is_two_runs && bytes > 0) {
		record_encrypt();
	}
	((u64 *)tag)[0] = new_tag[0];
	((u64 *)tag)[1] = new_tag[1];
}

bool crypto_open(const struct crypto_record *record, void *data, u64 bytes,
		 const u8 tag[CRYPTO_TAG_BYTES])
{
	claim(!is_opened && tag == (const u8 *)given_tag, "one record a call");
	claim(data == scratch() ? bytes == 0 || scratch_is == S_COPIED
				: data == window && is_open && loaded == 1,
	      "a private copy, or a page that has left the host");
	claim_record(record, bytes);
	is_opened = true;
	if (place.kind == SEAL_VCPU) {
		scratch_vcpu = opened_vcpu;
	} else if (place.kind == SEAL_END) {
		scratch_end = opened_end;
	} else if (is_two_runs) {
		__CPROVER_havoc_object(window);
	}
	return is_good;
}

/* ---- the clock, the generator, exceptions ---- */

static u64 the_time, the_cntvoff;
static bool has_entropy;
static bool is_pstate;

bool rng_is_ready(void)
{
	return has_entropy;
}

u64 vtimer_now(const struct vm *of)
{
	claim(of == &vm, "the VM's");
	return the_time;
}

bool exception_is_guest_pstate(u64 pstate)
{
	claim(pstate == opened_vcpu.ctx.pstate, "the record's");
	return is_pstate;
}

void vm_set_verified(struct vm *of, u64 guest_time)
{
	claim(of == &vm && is_locked && vm.state == VM_READY, "its Pre");
	claim(is_opened && is_good && place.kind == SEAL_END, "by the last record only");
	claim(guest_time == the_time, "its time goes on");
	vm.cntvoff = the_cntvoff;
	vm.state = VM_VERIFIED;
}

/* ---- any state ---- */

static enum cv_status status; /* the call's */
static u64 handle;

static void any_hashes(void)
{
	for (u32 i = 0; i < 32; i++) {
		the_key[i] = nondet_u8();
		the_epoch[i] = nondet_u8();
		the_digest[i] = nondet_u8();
	}
	first_set = nondet_hash();
	next_set = nondet_hash();
	for (u32 i = 0; i < 2; i++) {
		new_tag[i] = nondet_u64();
		given_tag[i] = nondet_u64();
	}
}

static void keep(void)
{
	want = vm;
	want_0 = vcpu_0;
	want_1 = vcpu_1;
	records_before = vm.seal.records;
}

static void any_state(enum seal_kind kind)
{
	any_record();
	vcpu_0 = nondet_vcpu();
	vcpu_1 = nondet_vcpu();
	vcpu_0.has_run = nondet_bool();
	vcpu_1.has_run = nondet_bool();
	/* Who is saved runs on afterwards, who is loaded is being built; both are protected. */
	assume(vm.seal.mode != SEAL_SAVING || (vm.state == VM_VERIFIED && vm.is_protected));
	assume(vm.seal.mode != SEAL_LOADING || (vm.state == VM_READY && vm.is_protected));
	vm.ram_count = (u32)any_below(RV_RAM_RANGES + 1);
	vm.vcpus[0] = nondet_bool() ? &vcpu_0 : NULL;
	vm.vcpus[1] = nondet_bool() ? &vcpu_1 : NULL;
	vm.vcpu_count = (vm.vcpus[0] != NULL) + (vm.vcpus[1] != NULL);
	vm.seal.next_vcpu = (u32)any_below(VM_VCPUS_MAX + 1);
	vm.seal.next_gfn.v = any_below(GFN_LIMIT + 1);
	vm.tables.free_count = (u32)any_bits(8);
	scratch_pfn = 1 + any_bits(20);
	if (vm.seal.mode != SEAL_NONE) {
		vm.seal.scratch.v = scratch_pfn;
	}
	root.is_ready = nondet_bool();
	has_entropy = nondet_bool();
	is_pstate = nondet_bool();
	is_good = nondet_bool();
	pin_status = nondet_bool() ? CV_OK : CV_E_STATE;
	the_pfn = nondet_u64();
	the_time = nondet_u64();
	the_cntvoff = nondet_u64();
	handle = nondet_u64();
	place.kind = kind;
	place_bytes = PAGE_SIZE;
	any_hashes();
	keep();
}

static void claim_as_wanted(enum cv_status expected)
{
	claim(status == expected, "the status is the specified one");
	claim(__CPROVER_equal(vm, want), "the VM is as specified");
	claim(__CPROVER_equal(vcpu_0, want_0) && __CPROVER_equal(vcpu_1, want_1),
	      "the vCPUs are as specified");
	claim(__CPROVER_equal(other, other_before), "the other VM stays");
	claim(!is_locked && !is_pinned && !is_open, "nothing is left held");
	claim(is_counted == (status == CV_OK && (is_sealed || is_opened)), "a record is counted");
}

/* What every call that takes a page of the host says first. */
static enum cv_status spec_enter(bool is_turn)
{
	if (handle != vm.handle) {
		return CV_E_NOENT;
	}
	if (!ledger_is_ram(pfn_make(the_pfn))) {
		return CV_E_RANGE;
	}
	return is_turn ? pin_status : CV_E_STATE;
}

static bool spec_has_all_vcpus(void)
{
	return (vm.vcpus[0] == NULL || vm.seal.next_vcpu > 0) &&
	       (vm.vcpus[1] == NULL || vm.seal.next_vcpu > 1);
}

static void reach_common(void)
{
	reach(status == CV_E_NOENT && handle != vm.handle, "NOENT");
	reach(status == CV_E_RANGE, "RANGE");
	reach(status == CV_E_STATE && pin_status == CV_E_STATE, "STATE: not the host's alone");
	reach(status == CV_E_STATE && pin_status == CV_OK, "STATE: not its turn");
}

/* ---- beginning ---- */

static enum cv_status spec_resources(void)
{
	if (!root.is_ready || !has_entropy) {
		return CV_E_NOENTROPY;
	}
	return vm.tables.free_count == 0 ? CV_E_NOMEM : CV_OK;
}

static void want_begun(enum seal_mode mode, const struct rv_seal_header *header)
{
	want.seal = (struct seal){ .mode = mode, .header = *header, .scratch = { scratch_pfn } };
	memcpy(want.seal.key, the_key, 32);
	want.seal.set = first_set;
	want.tables.free_count--;
}

/* What a header says of the VM itself. */
static void spec_header(struct rv_seal_header *header)
{
	*header = (struct rv_seal_header){
		.magic = RV_SEAL_MAGIC,
		.version = RV_SEAL_VERSION,
		.vcpu_count = vm.vcpu_count,
		.vcpus = (vm.vcpus[0] != NULL ? 1 : 0) + (vm.vcpus[1] != NULL ? 2 : 0),
		.ram_count = vm.ram_count,
	};
	for (u32 i = 0; i < vm.ram_count; i++) {
		header->ram[i].first_gfn = vm.ram[i].first.v;
		header->ram[i].pages = vm.ram[i].pages;
	}
}

/* ---- vCPUs; the call's is vCPU 1 ---- */

#define MINE 1u

static enum cv_status spec_vcpu(enum seal_mode mode)
{
	if (handle == vm.handle && vm.vcpus[MINE] == NULL) {
		return CV_E_NOENT;
	}
	return spec_enter(vm.seal.mode == mode && vm.seal.next_vcpu <= MINE &&
			  (vm.vcpus[0] == NULL || vm.seal.next_vcpu == 1));
}

static void want_counted(u64 pages)
{
	want.seal.records++;
	want.seal.set = next_set;
	want.seal.pages += pages;
}

/* An access that waits for the host's answer is of 1, 2, 4 or 8 bytes. */
static bool spec_has_width(void)
{
	return !opened_vcpu.pending.is_mmio || opened_vcpu.pending.bytes == 1 ||
	       opened_vcpu.pending.bytes == 2 || opened_vcpu.pending.bytes == 4 ||
	       opened_vcpu.pending.bytes == 8;
}

/* ---- the end ---- */

static void want_finished(void)
{
	want.seal = (struct seal){ .mode = SEAL_NONE };
	want.tables.free_count++;
}

static bool spec_is_end(const struct seal_end *end)
{
	return end->pages == want.seal.pages && end->records == records_before &&
	       end->vcpus == vm.vcpu_count && is_32(end->manifest, want.seal.header.manifest) &&
	       is_32(end->set, the_digest);
}

#endif
