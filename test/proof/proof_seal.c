/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Proof: sealed snapshots (seal.c, seal_load.c, seal_record.c). For a VM with two vCPUs in any
 * state, at any point of saving or loading, and for whatever the host passes or has in its page:
 *   - the status is the one that the ABI's order of errors names (spec_*() below, from abi.h); a
 *     refusal changes nothing, AUTH included; a success exactly what is specified; the other VM and
 *     the other vCPU stay;
 *   - what is written to a host page is the header or has just been sealed, never plaintext;
 *   - each record goes by the next number under the key of its snapshot, once, with its kind, place
 *     and epoch bound; the cursor over gfns only rises, and passes over nothing that is backed or
 *     declared;
 *   - what is opened is private: a copy, or a page that has left the host; a page that does not
 *     open is the host's again, by the way that scrubs it;
 *   - nothing becomes VERIFIED but by the last record, with what the header said.
 * By their contracts: cryptography (any answers), mem.h, mem_page.h, s2.h, pool.h, the clock.
 * Seed: save_encrypted_vcpu, load_encrypted_vcpu, save_encrypt_buf, load_decrypt_buf (B15-B18).
 * Proof-args: -Itest/proof/few --unwind 6 --unwindset memcpy.0:34,is_32.0:33
 * Proof-args: --unwindset find_next.0:25,any_hashes.0:33
 * Proof-args: corevisor/core/seal.c corevisor/core/seal_load.c
 * Proof-entry: proof_seal_save_begin
 * Proof-entry: proof_seal_save_vcpu quick
 * Proof-entry: proof_seal_save_page
 * Proof-entry: proof_seal_save_end quick
 * Proof-entry: proof_seal_abort quick
 * Proof-entry: proof_seal_load_begin
 * Proof-entry: proof_seal_load_vcpu
 * Proof-entry: proof_seal_load_page
 * Proof-entry: proof_seal_load_end
 * Proof-entry: proof_disclose_save_vcpu
 */
#include "proof.h"

#include "../../corevisor/core/seal_record.c" /* its root secret is quantified over */

#include <cv/exception.h>
#include <cv/mem_page.h>
#include <cv/vtimer.h>

#define RAM_FIRST 18ull
#define RAM_PAGES 6ull

static struct vm vm, other, want, other_before;
static struct vcpu vcpu_0, vcpu_1, want_0, want_1;
static struct lock vm_lock_of;
static bool is_locked;
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

struct vm nondet_vm(void);
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

static u64 any_bits(u32 bits)
{
	return nondet_u64() & ((1ull << bits) - 1);
}

static bool is_32(const u8 *a, const u8 *b)
{
	bool is_equal = true;

	for (u32 i = 0; i < 32; i++) {
		is_equal = is_equal && a[i] == b[i];
	}
	return is_equal;
}

/* ---- locks, pools, memory ---- */

struct vm *vm_lock(u64 handle)
{
	claim(!is_locked, "locked once");
	if (handle != vm.handle) {
		return NULL;
	}
	is_locked = true;
	return &vm;
}

void vm_unlock(struct vm *of)
{
	claim(is_locked && of == &vm && !is_pinned, "the page is unpinned first");
	is_locked = false;
}

bool ledger_is_ram(pfn_t pfn)
{
	return pfn.v - RAM_FIRST < RAM_PAGES;
}

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

void mem_pinned_write(pfn_t pfn, const void *from, u64 bytes)
{
	claim(is_pinned && pfn.v == the_pfn, "pinned");
	if (from == scratch()) {
		claim(scratch_is == S_SEALED && bytes == PAGE_SIZE, "never plaintext");
		is_record_written = true;
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
	other_before = other;
	records_before = vm.seal.records;
}

static void any_state(enum seal_kind kind)
{
	vm = nondet_vm();
	other = nondet_vm();
	vcpu_0 = nondet_vcpu();
	vcpu_1 = nondet_vcpu();
	vcpu_0.has_run = nondet_bool();
	vcpu_1.has_run = nondet_bool();
	vm.lock = &vm_lock_of;
	assume(vm.handle != 0);
	vm.is_protected = nondet_bool();
	vm.may_be_saved = nondet_bool();
	vm.images.is_undone = nondet_bool();
	vm.seal.is_complete = nondet_bool();
	vm.state = (enum vm_state)any_below(VM_POWEROFF + 1);
	vm.seal.mode = (enum seal_mode)any_below(SEAL_LOADING + 1);
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

void proof_seal_save_begin(void)
{
	struct rv_seal_header header;
	enum cv_status expected;

	any_state(SEAL_HEADER);
	expected = spec_enter(vm.state == VM_VERIFIED);
	if (expected == CV_OK && (!vm.is_protected || !vm.may_be_saved || vm.device_pages > 0)) {
		expected = CV_E_PERM;
	} else if (expected == CV_OK &&
		   (vm.active_count > 0 || vm.seal.mode != SEAL_NONE || vm.dma_contexts > 0)) {
		expected = CV_E_BUSY;
	} else if (expected == CV_OK) {
		expected = spec_resources();
	}
	spec_header(&header);
	memcpy(header.owner, vm.owner_key, 32);
	memcpy(header.manifest, vm.manifest, 32);
	memcpy(header.instance, vm.instance, 32);
	memcpy(header.epoch, the_epoch, 32);
	header.guest_time = the_time;
	if (expected == CV_OK) {
		want_begun(SEAL_SAVING, &header);
	}

	status = seal_save_begin(handle, the_pfn);

	reach_common();
	reach(status == CV_OK && vm.ram_count == 2, "OK");
	reach(status == CV_E_PERM && vm.is_protected, "PERM");
	reach(status == CV_E_BUSY && vm.seal.mode == SEAL_NONE, "BUSY");
	reach(status == CV_E_NOENTROPY, "NOENTROPY");
	reach(status == CV_E_NOMEM, "NOMEM");
	claim(is_header_written == (status == CV_OK) && !is_record_written,
	      "the header, or nothing");
	claim(!is_header_written || __CPROVER_equal(written, header), "the snapshot's header");
	claim(is_derived == (status == CV_OK), "a key for each snapshot");
	claim_as_wanted(expected);
}

void proof_seal_load_begin(void)
{
	struct rv_seal_header header;
	enum cv_status expected;

	any_state(SEAL_HEADER);
	host_header = nondet_header();
	spec_header(&header);
	memcpy(header.owner, host_header.owner, 32);
	memcpy(header.manifest, host_header.manifest, 32);
	memcpy(header.instance, host_header.instance, 32);
	memcpy(header.epoch, host_header.epoch, 32);
	header.guest_time = host_header.guest_time;
	expected = spec_enter(vm.state == VM_READY && vm.seal.mode == SEAL_NONE &&
			      vm.images.count == 0 && vm.guest_pages == 0 && vm.device_pages == 0 &&
			      vm.dma_contexts == 0);
	if (expected == CV_OK && !__CPROVER_equal(header, host_header)) {
		expected = CV_E_INVALID;
	} else if (expected == CV_OK &&
		   (!vm.is_protected || !is_32(host_header.owner, vm.owner_key))) {
		expected = CV_E_PERM;
	} else if (expected == CV_OK) {
		expected = spec_resources();
	}
	if (expected == CV_OK) {
		want_begun(SEAL_LOADING, &host_header);
	}

	status = seal_load_begin(handle, the_pfn);

	reach_common();
	reach(status == CV_OK && vm.vcpu_count == 2, "OK");
	reach(status == CV_E_INVALID && host_header.magic == RV_SEAL_MAGIC, "INVALID");
	reach(status == CV_E_PERM && vm.is_protected, "PERM: another owner's");
	reach(status == CV_E_PERM && !vm.is_protected, "PERM: open");
	reach(status == CV_E_NOENTROPY, "NOENTROPY");
	reach(status == CV_E_NOMEM, "NOMEM");
	claim(!is_header_written && !is_record_written, "nothing is written");
	claim_as_wanted(expected);
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

void proof_seal_save_vcpu(void)
{
	u64 tag[2] = { 0, 0 };
	enum cv_status expected;

	any_state(SEAL_VCPU);
	place.at = MINE;
	expected = spec_vcpu(SEAL_SAVING);
	if (expected == CV_OK) {
		want_counted(0);
		want.seal.next_vcpu = MINE + 1;
	}

	status = seal_save_vcpu(handle, MINE, the_pfn, tag);

	reach_common();
	reach(status == CV_E_NOENT && handle == vm.handle, "NOENT: no such vCPU");
	reach(status == CV_OK && vm.vcpus[0] == NULL, "OK, the first");
	reach(status == CV_OK && vm.vcpus[0] != NULL, "OK, the second");
	claim(is_record_written == (status == CV_OK) && is_sealed == (status == CV_OK),
	      "one record, or nothing");
	claim(status != CV_OK || (tag[0] == new_tag[0] && tag[1] == new_tag[1]), "its tag");
	claim(status != CV_OK || (__CPROVER_equal(scratch_vcpu.ctx, vcpu_1.ctx) &&
				  __CPROVER_equal(scratch_vcpu.timer, vcpu_1.timer) &&
				  scratch_vcpu.power == vcpu_1.power),
	      "of the vCPU's registers");
	claim_as_wanted(expected);
}

/* An access that waits for the host's answer is of 1, 2, 4 or 8 bytes. */
static bool spec_has_width(void)
{
	return !opened_vcpu.pending.is_mmio || opened_vcpu.pending.bytes == 1 ||
	       opened_vcpu.pending.bytes == 2 || opened_vcpu.pending.bytes == 4 ||
	       opened_vcpu.pending.bytes == 8;
}

void proof_seal_load_vcpu(void)
{
	enum cv_status expected;

	any_state(SEAL_VCPU);
	place.at = MINE;
	opened_vcpu = nondet_seal_vcpu();
	opened_vcpu.pending.is_mmio = nondet_bool();
	opened_vcpu.pending.is_write = nondet_bool();
	opened_vcpu.pending.is_signed = nondet_bool();
	opened_vcpu.pending.is_64 = nondet_bool();
	expected = spec_vcpu(SEAL_LOADING);
	if (expected == CV_OK &&
	    (!is_good || opened_vcpu.power > VCPU_ON || !is_pstate || !spec_has_width())) {
		expected = CV_E_AUTH;
	}
	if (expected == CV_OK) {
		want_counted(0);
		want.seal.next_vcpu = MINE + 1;
		want_1.ctx = opened_vcpu.ctx;
		want_1.power = (enum vcpu_power)opened_vcpu.power;
		want_1.entry_pc = opened_vcpu.entry_pc;
		want_1.entry_x0 = opened_vcpu.entry_x0;
		want_1.exit = opened_vcpu.exit;
		want_1.pending = opened_vcpu.pending;
		want_1.vgic.vmcr = opened_vcpu.vmcr;
		for (u32 i = 0; i < 4; i++) {
			want_1.vgic.ap0r[i] = opened_vcpu.ap0r[i];
			want_1.vgic.ap1r[i] = opened_vcpu.ap1r[i];
		}
		want_1.timer = opened_vcpu.timer;
		want_1.has_run = true;
	}

	status = seal_load_vcpu(handle, MINE, the_pfn, given_tag);

	reach_common();
	reach(status == CV_E_NOENT && handle == vm.handle, "NOENT: no such vCPU");
	reach(status == CV_E_AUTH && !is_good, "AUTH: the tag");
	reach(status == CV_E_AUTH && is_good && is_pstate && spec_has_width(),
	      "AUTH: no power state");
	reach(status == CV_E_AUTH && is_good && is_pstate && opened_vcpu.power == VCPU_ON,
	      "AUTH: no width");
	reach(status == CV_OK && vm.vcpus[0] != NULL, "OK, the second");
	claim(!is_record_written, "nothing is written");
	claim_as_wanted(expected);
}

/* ---- pages ---- */

static u64 look; /* where the next look must be */
static u32 looks;
static bool is_ram_here;
static bool is_found;
static struct s2_leaf leaf;

bool vm_is_ram(const struct vm *of, gfn_t gfn)
{
	claim(of == &vm && is_locked && gfn.v == look && gfn.v < GFN_LIMIT && !is_found,
	      "no gfn is passed over");
	looks++;
	is_ram_here = nondet_bool();
	return is_ram_here;
}

u64 vm_ram_next(const struct vm *of, gfn_t gfn)
{
	claim(of == &vm && gfn.v == look && !is_ram_here, "from what is no RAM");
	look = any_bits(8);
	assume(look > gfn.v && look <= GFN_LIMIT);
	return look;
}

static bool is_load;

struct s2_leaf s2_walk(const struct s2 *s2, gfn_t gfn)
{
	claim(s2 == &vm.s2 && is_locked, "the VM's, under its lock");
	if (is_load) {
		claim(gfn.v == place.at && loaded == 1, "the page of the record");
		return leaf;
	}
	claim(gfn.v == look && is_ram_here, "RAM");
	leaf = (struct s2_leaf){
		.is_mapped = nondet_bool(),
		.level = 1 + (u32)any_below(3),
		.pa = { any_bits(20) << PAGE_SHIFT },
		.wish = (enum s2_wish)any_below(S2_WISH_DESTROYED + 1),
	};
	/* What is backed is a page or a block; nobody has a destroyed page. */
	assume(!leaf.is_mapped || (leaf.level >= 2 && leaf.wish != S2_WISH_DESTROYED));
	is_found = leaf.is_mapped || leaf.wish != S2_WISH_PRIVATE;
	if (is_found) {
		place.at = look;
		place.what = (leaf.is_mapped ? RV_SEAL_BACKED : 0) |
			     (leaf.wish == S2_WISH_SHARED      ? RV_SEAL_SHARED
			      : leaf.wish == S2_WISH_DESTROYED ? RV_SEAL_DESTROYED
							       : 0) |
			     (leaf.is_mapped || leaf.level == 3 ? 1ull : TABLE_ENTRIES)
				     << RV_SEAL_PAGES_SHIFT;
		place_bytes = leaf.is_mapped ? PAGE_SIZE : 0;
		window_pfn = (leaf.pa.v >> PAGE_SHIFT) +
			     (leaf.level == 2 ? look & (TABLE_ENTRIES - 1) : 0);
	} else {
		look = (look | (s2_leaf_pages(leaf.level) - 1)) + 1;
	}
	return leaf;
}

void proof_seal_save_page(void)
{
	u64 gfn = 0;
	u64 what = 0;
	u64 tag[2] = { 1, 1 };
	u64 first;
	enum cv_status expected;

	any_state(SEAL_PAGE);
	first = vm.seal.next_gfn.v;
	look = first;
	expected = spec_enter(vm.seal.mode == SEAL_SAVING && spec_has_all_vcpus());

	status = seal_save_page(handle, the_pfn, &gfn, &what, tag);

	if (status == CV_OK && is_found) {
		want_counted(leaf.is_mapped);
		want.seal.next_gfn.v = look + (place.what >> RV_SEAL_PAGES_SHIFT);
		claim(gfn == look && what == place.what && what != 0, "what it is");
		claim(vm.seal.next_gfn.v > gfn && gfn >= first, "the cursor rises");
		claim(tag[0] == new_tag[0] && tag[1] == new_tag[1], "its tag");
	} else if (status == CV_OK) {
		want.seal.next_gfn.v = look;
		want.seal.is_complete = look == GFN_LIMIT;
		claim(gfn == (look == GFN_LIMIT ? RV_SEAL_NO_GFN : look) && what == 0, "no record");
		claim(look == GFN_LIMIT || looks == 8 * RV_BATCH_PAGES, "all seen, or enough");
	}
	reach_common();
	reach(status == CV_OK && is_found && leaf.is_mapped && leaf.level == 2, "of a block");
	reach(status == CV_OK && is_found && leaf.is_mapped && leaf.wish == S2_WISH_SHARED,
	      "shared");
	reach(status == CV_OK && is_found && !leaf.is_mapped && leaf.level == 2, "declared");
	reach(status == CV_OK && gfn == RV_SEAL_NO_GFN, "the end");
	reach(status == CV_OK && looks == 8 * RV_BATCH_PAGES && !is_found && look < GFN_LIMIT,
	      "looked far enough");
	claim(is_sealed == (status == CV_OK && is_found), "one record, or nothing");
	claim(is_record_written == (is_sealed && leaf.is_mapped), "a page with content");
	claim_as_wanted(expected);
}

/* ---- two guests that differ in what is private: the host sees the same ---- */

static enum cv_status status_one;
static struct vm vm_one;
static bool is_written_one, is_sealed_one;

/* The first run is over. The second guest's registers, page contents and the page for records are
 * others; all else is as it was. */
static void second_guest(void)
{
	status_one = status;
	vm_one = vm;
	is_written_one = is_record_written;
	is_sealed_one = is_sealed;
	vm = want;
	is_sealed = false;
	is_counted = false;
	is_record_written = false;
	scratch_is = S_ANY;
	vcpu_0 = nondet_vcpu();
	vcpu_1 = nondet_vcpu();
	vcpu_1.pending = (struct vcpu_pending){ .is_mmio = nondet_bool() };
	scratch_vcpu = nondet_seal_vcpu();
	__CPROVER_havoc_object(scratch_page);
	__CPROVER_havoc_object(window);
}

/* The record itself, as the host sees it, is ciphertext: by the contract of crypto_seal() the same
 * for any plaintext. That no other bytes get out is claimed at mem_pinned_write(). */
static void claim_same_told(const u64 *tag_one, const u64 *tag_two)
{
	claim(status == status_one, "the same status");
	claim(is_record_written == is_written_one && is_sealed == is_sealed_one,
	      "a record exactly if there was one");
	claim(tag_one[0] == tag_two[0] && tag_one[1] == tag_two[1], "the same tag");
	claim(__CPROVER_equal(vm, vm_one), "and the same for all later calls");
}

void proof_disclose_save_vcpu(void)
{
	u64 tag_one[2] = { 0, 0 };
	u64 tag_two[2] = { 0, 0 };

	any_state(SEAL_VCPU);
	place.at = MINE;
	status = seal_save_vcpu(handle, MINE, the_pfn, tag_one);
	second_guest();
	status = seal_save_vcpu(handle, MINE, the_pfn, tag_two);

	reach(status == CV_OK && vcpu_1.power == VCPU_ON, "saved");
	reach(status == CV_E_STATE, "not saved");
	claim_same_told(tag_one, tag_two);
}

static enum cv_status load_status;
static u32 needed;
static bool is_clean, is_shared, is_reclaimed, is_wished;
static u64 ram_end;

u64 vm_ram_end(const struct vm *of, gfn_t gfn)
{
	claim(of == &vm && gfn.v == place.at, "of the record's gfn");
	return ram_end;
}

enum cv_status mem_load_page(struct vm *of, u64 gfn, u64 pfn)
{
	claim(of == &vm && is_locked && vm.is_protected && vm.state == VM_READY, "its Pre");
	claim(gfn == place.at && gfn < ram_end && pfn == the_pfn && loaded == 0, "once");
	if (load_status == CV_OK) {
		loaded = 1;
		vm.guest_pages++;
	}
	return load_status;
}

void mem_page_reclaim(struct vm *of, gfn_t gfn, const struct s2_leaf *from)
{
	claim(of == &vm && gfn.v == place.at && loaded == 1 && from->pa.v == leaf.pa.v, "the page");
	claim(!is_open && is_opened && !is_good, "because it did not open");
	vm.guest_pages--;
	loaded = 0;
	is_reclaimed = true;
}

void arch_page_clean_invalidate(pfn_t pfn)
{
	claim(pfn.v == the_pfn && is_opened && !is_open, "after it was decrypted");
	is_clean = true;
}

void mem_page_restore_shared(struct vm *of, gfn_t gfn)
{
	claim(of == &vm && gfn.v == place.at && is_opened && is_good && is_clean, "a good page");
	is_shared = true;
}

u32 s2_tables_needed(const struct s2 *s2, gfn_t gfn, u32 level)
{
	claim(s2 == &vm.s2 && gfn.v == place.at, "of the record's gfn");
	claim(level == (place.what >> RV_SEAL_PAGES_SHIFT == 1 ? 3 : 2), "of its size");
	return needed;
}

enum cv_status mem_vm_set_wish(struct vm *of, gfn_t *gfn, gfn_t end, enum s2_wish wish,
			       bool change_destroyed)
{
	claim(of == &vm && is_opened && is_good, "what the snapshot says");
	claim(gfn->v == place.at && end.v == place.at + (place.what >> RV_SEAL_PAGES_SHIFT) &&
		      !change_destroyed,
	      "its gfns");
	claim(wish == ((place.what & RV_SEAL_SHARED) != 0 ? S2_WISH_SHARED : S2_WISH_DESTROYED),
	      "its wish");
	claim(vm.tables.free_count >= needed, "tables are there");
	vm.tables.free_count -= needed;
	*gfn = end;
	is_wished = true;
	return CV_OK;
}

static bool spec_is_what(u64 pages, u64 kind)
{
	if (kind == RV_SEAL_BACKED || kind == (RV_SEAL_BACKED | RV_SEAL_SHARED)) {
		return pages == 1;
	}
	return (kind == RV_SEAL_SHARED || kind == RV_SEAL_DESTROYED) &&
	       (pages == 1 || (pages == TABLE_ENTRIES && (place.at & (TABLE_ENTRIES - 1)) == 0));
}

static enum cv_status spec_load_page(u64 pages, bool is_backed)
{
	if (!spec_is_what(pages, place.what & ((1 << RV_SEAL_PAGES_SHIFT) - 1))) {
		return CV_E_INVALID;
	}
	if (handle != vm.handle) {
		return CV_E_NOENT;
	}
	if (place.at >= GFN_LIMIT || place.at + pages > ram_end ||
	    (is_backed && !ledger_is_ram(pfn_make(the_pfn)))) {
		return CV_E_RANGE;
	}
	if (vm.seal.mode != SEAL_LOADING || !spec_has_all_vcpus() ||
	    place.at < vm.seal.next_gfn.v) {
		return CV_E_STATE;
	}
	if (is_backed && load_status != CV_OK) {
		return load_status;
	}
	if (!is_backed && vm.tables.free_count < needed) {
		return CV_E_NOMEM;
	}
	if (!is_good) {
		return CV_E_AUTH;
	}
	want_counted(is_backed);
	want.seal.next_gfn.v = place.at + pages;
	want.guest_pages += is_backed;
	want.tables.free_count -= is_backed ? 0 : needed;
	return CV_OK;
}

void proof_seal_load_page(void)
{
	u64 pages;
	bool is_backed;
	enum cv_status expected;

	any_state(SEAL_PAGE);
	is_load = true;
	place.at = nondet_bool() ? any_bits(8) : nondet_u64();
	place.what = nondet_u64();
	pages = place.what >> RV_SEAL_PAGES_SHIFT;
	is_backed = (place.what & RV_SEAL_BACKED) != 0;
	place_bytes = is_backed ? PAGE_SIZE : 0;
	window_pfn = the_pfn;
	needed = (u32)any_below(S2_NEW_TABLES_MAX + 1);
	ram_end = any_below(GFN_LIMIT + 1);
	assume(ram_end == 0 || ram_end > place.at);
	load_status = nondet_bool() ? CV_OK : nondet_bool() ? CV_E_STATE : CV_E_NOMEM;
	leaf.is_mapped = true;
	leaf.level = 3;
	leaf.pa.v = the_pfn << PAGE_SHIFT;
	expected = spec_load_page(pages, is_backed);

	status = seal_load_page(handle, place.at, place.what, the_pfn, given_tag);

	reach(status == CV_E_INVALID, "INVALID");
	reach(status == CV_E_NOENT, "NOENT");
	reach(status == CV_E_RANGE && ram_end > 0 && place.at < GFN_LIMIT, "RANGE");
	reach(status == CV_E_STATE && vm.seal.mode == SEAL_LOADING && spec_has_all_vcpus() &&
		      load_status == CV_OK,
	      "STATE: not ascending");
	reach(status == CV_E_NOMEM && is_backed, "NOMEM: a page");
	reach(status == CV_E_NOMEM && !is_backed, "NOMEM: a wish");
	reach(status == CV_E_AUTH && is_reclaimed, "AUTH: a page");
	reach(status == CV_E_AUTH && !is_backed, "AUTH: a wish");
	reach(status == CV_OK && is_shared, "OK, shared");
	reach(status == CV_OK && is_backed && !is_shared, "OK, private");
	reach(status == CV_OK && is_wished && pages == TABLE_ENTRIES, "OK, a block declared");
	claim(loaded == (status == CV_OK && is_backed), "the page is the VM's, or the host's");
	claim(is_reclaimed == (status == CV_E_AUTH && is_backed), "scrubbed if it did not open");
	claim(is_clean == loaded, "what was decrypted is in memory");
	claim(is_shared == (loaded == 1 && (place.what & RV_SEAL_SHARED) != 0), "shared if it was");
	claim(is_wished == (status == CV_OK && !is_backed), "declared if it was");
	claim(!is_record_written && !is_read, "the host's page is not touched");
	claim_as_wanted(expected);
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

void proof_seal_save_end(void)
{
	u64 tag[2] = { 0, 0 };
	struct vm before;
	enum cv_status expected;

	any_state(SEAL_END);
	before = vm;
	expected = spec_enter(vm.seal.mode == SEAL_SAVING && vm.seal.is_complete);
	if (expected == CV_OK) {
		want_finished();
	}

	status = seal_save_end(handle, the_pfn, tag);

	reach_common();
	reach(status == CV_OK, "OK");
	claim(is_record_written == (status == CV_OK), "one record, or nothing");
	claim(status != CV_OK || (tag[0] == new_tag[0] && tag[1] == new_tag[1]), "its tag");
	claim(status != CV_OK ||
		      (scratch_end.pages == before.seal.pages &&
		       scratch_end.records == records_before &&
		       scratch_end.vcpus == vm.vcpu_count && is_32(scratch_end.set, the_digest)),
	      "it says how many there are");
	claim_as_wanted(expected);
}

void proof_seal_load_end(void)
{
	enum cv_status expected;

	any_state(SEAL_END);
	opened_end = nondet_seal_end();
	vm.seal.header.guest_time = the_time;
	keep();
	expected = spec_enter(vm.seal.mode == SEAL_LOADING && spec_has_all_vcpus());
	if (expected == CV_OK && (!is_good || !spec_is_end(&opened_end))) {
		expected = CV_E_AUTH;
	}
	if (expected == CV_OK) {
		memcpy(want.manifest, vm.seal.header.manifest, 32);
		memcpy(want.instance, vm.seal.header.instance, 32);
		want.may_be_saved = true;
		want.cntvoff = the_cntvoff;
		want.state = VM_VERIFIED;
		want_finished();
	}

	status = seal_load_end(handle, the_pfn, given_tag);

	reach_common();
	reach(status == CV_OK, "OK");
	reach(status == CV_E_AUTH && is_good, "AUTH: something is missing");
	reach(status == CV_E_AUTH && !is_good, "AUTH: the tag");
	claim(!is_record_written, "nothing is written");
	claim(status == CV_OK || vm.state != VM_VERIFIED || want.state == VM_VERIFIED,
	      "nothing is VERIFIED before its last record matched");
	is_opened = false; /* this record is the end of the count */
	claim_as_wanted(expected);
}

void proof_seal_abort(void)
{
	enum cv_status expected = CV_OK;

	any_state(SEAL_HEADER);
	if (handle != vm.handle) {
		expected = CV_E_NOENT;
	} else if (vm.seal.mode == SEAL_NONE) {
		expected = CV_E_STATE;
	} else {
		want.state = vm.seal.mode == SEAL_LOADING ? VM_POWEROFF : vm.state;
		want_finished();
	}

	status = seal_abort(handle);

	reach(status == CV_OK && vm.state == VM_POWEROFF, "of loading");
	reach(status == CV_OK && vm.state == VM_VERIFIED, "of saving");
	reach(status == CV_E_NOENT, "NOENT");
	reach(status == CV_E_STATE, "STATE");
	claim(!is_record_written && !is_header_written, "nothing is written");
	claim_as_wanted(expected);
}
