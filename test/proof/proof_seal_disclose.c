/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Proof: sealing a VM tells the host nothing of it. Each call is run for two guests, in any state
 * that differs only in what is private: the registers in their vCPU records, the content of their
 * pages, what a record holds when it is open, the corevisor's page for records, the root secret and
 * the keys made of it. The status is the same then, as are results, tags, every byte that a page of
 * the host gets, which pages move, and the VM's record but for its key, so that later calls agree
 * as well; vCPU records stay, or (LOAD_VCPU) agree in what the host may know of them.
 *
 * By contract a ciphertext and its tag are the same for every plaintext and key, and a key is
 * anything. What else the two have in common is what the host knows or does: its registers and
 * pages, the RAM, what is backed and what is shared, counters, time, the random epoch. Of a record
 * that is loaded it learns whether it opens and is what a corevisor can have sealed.
 * Proof-args: -Itest/proof/few --unwind 6 --unwindset memcpy.0:34,is_32.0:33,any_hashes.0:33
 * Proof-args: --unwindset find_next.0:25,any_tables.0:25,any_key.0:33
 * Proof-args: corevisor/core/seal.c corevisor/core/seal_load.c
 * Proof-entry: proof_disclose_save_begin
 * Proof-entry: proof_disclose_save_vcpu
 * Proof-entry: proof_disclose_save_page
 * Proof-entry: proof_disclose_save_end
 * Proof-entry: proof_disclose_seal_abort
 * Proof-entry: proof_disclose_load_begin
 * Proof-entry: proof_disclose_load_vcpu
 * Proof-entry: proof_disclose_load_page
 * Proof-entry: proof_disclose_load_end
 */
#include "seal_pages.h"

/* What the host has of a vCPU after a call: what it passed, and what it was told when it ran. */
struct public_vcpu {
	const struct vm *vm;
	const struct rv_run *run;
	u64 run_pfn;
	u64 mpidr;
	u32 index;
	u32 run_state;
	enum vcpu_power power;
	bool has_run;
};

/* What the host sees of a call, and what is left behind. */
struct view {
	enum cv_status status;
	u64 gfn;
	u64 what;
	u64 tag[2];
	struct vm vm; /* without the key */
	struct public_vcpu vcpu[VM_VCPUS_MAX];
	struct rv_seal_header header;
	bool is_header_written, is_record_written;
	struct seal_vcpu record_vcpu;
	struct seal_end record_end;
	u8 record_byte;
	u64 loaded;
	bool is_reclaimed, is_clean, is_shared, is_wished;
};

static struct view one, two;
static bool is_other; /* the second guest differs from the first, in each respect */
static struct vcpu before_0, before_1;
static const u8 no_key[CRYPTO_KEY_BYTES];

static void any_key(u8 *key)
{
	for (u32 i = 0; i < CRYPTO_KEY_BYTES; i++) {
		key[i] = nondet_u8();
	}
}

static void first_guest(enum seal_kind kind)
{
	is_two_runs = true;
	any_state(kind);
	any_key(root.secret);
	keep();
	before_0 = vcpu_0;
	before_1 = vcpu_1;
	__CPROVER_havoc_object(scratch_page);
	__CPROVER_havoc_object(window);
	scratch_vcpu = nondet_seal_vcpu();
	scratch_end = nondet_seal_end();
	cipher_vcpu = nondet_seal_vcpu();
	cipher_end = nondet_seal_end();
	cipher_byte = nondet_u8();
	any_place = any_below(PAGE_SIZE);
}

/* The world as it was before the first run; the guest is another one. */
static void second_guest(void)
{
	const u8 first_byte = window[any_place];

	is_second = true;
	is_sealed = is_opened = is_counted = is_derived = false;
	is_header_written = is_record_written = is_read = false;
	scratch_is = S_ANY;
	looks = 0;
	is_ram_here = is_found = false;
	loaded = 0;
	is_reclaimed = is_clean = is_shared = is_wished = false;

	vm = want;
	if (vm.seal.mode != SEAL_NONE) {
		any_key(vm.seal.key);
	}
	other = nondet_vm();
	other_before = other;
	vcpu_0 = nondet_vcpu();
	vcpu_1 = nondet_vcpu();
	vcpu_1.pending = (struct vcpu_pending){ .is_mmio = nondet_bool() };
	before_0 = vcpu_0;
	before_1 = vcpu_1;
	any_key(root.secret);
	any_key(the_key);
	__CPROVER_havoc_object(scratch_page);
	__CPROVER_havoc_object(window);
	scratch_vcpu = nondet_seal_vcpu();
	scratch_end = nondet_seal_end();
	is_other = vcpu_1.ctx.x[0] != want_1.ctx.x[0] && window[any_place] != first_byte &&
		   (vm.seal.mode == SEAL_NONE || vm.seal.key[0] != want.seal.key[0]);
}

static struct public_vcpu public_of(const struct vcpu *vcpu)
{
	return (struct public_vcpu){
		.vm = vcpu->vm,
		.run = vcpu->run,
		.run_pfn = vcpu->run_pfn.v,
		.mpidr = vcpu->mpidr,
		.index = vcpu->index,
		.run_state = vcpu->run_state,
		.power = vcpu->power,
		.has_run = vcpu->has_run,
	};
}

/* The call is over. */
static void see(struct view *view, enum cv_status answer)
{
	view->status = answer;
	view->vm = vm;
	if (vm.seal.mode != SEAL_NONE) {
		memcpy(view->vm.seal.key, no_key, CRYPTO_KEY_BYTES);
	}
	view->vcpu[0] = public_of(&vcpu_0);
	view->vcpu[1] = public_of(&vcpu_1);
	view->header = written;
	view->is_header_written = is_header_written;
	view->is_record_written = is_record_written;
	view->record_vcpu = told_vcpu;
	view->record_end = told_end;
	view->record_byte = told_byte;
	view->loaded = loaded;
	view->is_reclaimed = is_reclaimed;
	view->is_clean = is_clean;
	view->is_shared = is_shared;
	view->is_wished = is_wished;
	claim(!is_locked && !is_pinned && !is_open, "nothing is left held");
	claim(__CPROVER_equal(other, other_before), "the other VM stays");
}

static void claim_same(void)
{
	claim(one.status == two.status, "the same status");
	claim(one.gfn == two.gfn && one.what == two.what, "the same results");
	claim(one.tag[0] == two.tag[0] && one.tag[1] == two.tag[1], "the same tag");
	claim(one.is_header_written == two.is_header_written &&
		      __CPROVER_equal(one.header, two.header),
	      "the same header, or none");
	claim(one.is_record_written == two.is_record_written &&
		      __CPROVER_equal(one.record_vcpu, two.record_vcpu) &&
		      __CPROVER_equal(one.record_end, two.record_end) &&
		      one.record_byte == two.record_byte,
	      "the same record, or none");
	claim(one.loaded == two.loaded && one.is_reclaimed == two.is_reclaimed &&
		      one.is_clean == two.is_clean && one.is_shared == two.is_shared &&
		      one.is_wished == two.is_wished,
	      "the same pages move, and the same is declared");
	claim(__CPROVER_equal(one.vm, two.vm), "the same VM for all later calls");
}

/* All that the two have in common was so before. */
static void claim_vcpus_stay(void)
{
	claim(__CPROVER_equal(vcpu_0, before_0) && __CPROVER_equal(vcpu_1, before_1),
	      "the vCPUs stay");
}

/* ---- saving ---- */

void proof_disclose_save_begin(void)
{
	first_guest(SEAL_HEADER);
	see(&one, seal_save_begin(handle, the_pfn));
	claim_vcpus_stay();
	second_guest();
	see(&two, seal_save_begin(handle, the_pfn));
	claim_vcpus_stay();

	reach(one.status == CV_OK && is_other, "OK");
	reach(one.status == CV_E_PERM && is_other, "PERM");
	reach(one.status == CV_E_BUSY && is_other, "BUSY");
	reach(one.status == CV_E_NOMEM && is_other, "NOMEM");
	claim_same();
}

void proof_disclose_save_vcpu(void)
{
	first_guest(SEAL_VCPU);
	place.at = MINE;
	see(&one, seal_save_vcpu(handle, MINE, the_pfn, one.tag));
	claim_vcpus_stay();
	second_guest();
	see(&two, seal_save_vcpu(handle, MINE, the_pfn, two.tag));
	claim_vcpus_stay();

	reach(one.status == CV_OK && is_other && vcpu_1.power == VCPU_ON, "OK");
	reach(one.status == CV_E_STATE && is_other, "STATE");
	claim_same();
}

void proof_disclose_save_page(void)
{
	first_guest(SEAL_PAGE);
	any_tables();
	look = want.seal.next_gfn.v;
	see(&one, seal_save_page(handle, the_pfn, &one.gfn, &one.what, one.tag));
	claim_vcpus_stay();
	second_guest();
	look = want.seal.next_gfn.v;
	see(&two, seal_save_page(handle, the_pfn, &two.gfn, &two.what, two.tag));
	claim_vcpus_stay();

	reach(one.is_record_written && is_other, "OK, a page");
	reach(one.status == CV_OK && one.what != 0 && !one.is_record_written && is_other,
	      "OK, declared");
	reach(one.status == CV_OK && one.what == 0 && one.gfn != RV_SEAL_NO_GFN && is_other,
	      "OK, looked far enough");
	reach(one.status == CV_OK && one.gfn == RV_SEAL_NO_GFN && is_other, "OK, the end");
	reach(one.status == CV_E_STATE && is_other, "STATE");
	claim_same();
}

void proof_disclose_save_end(void)
{
	first_guest(SEAL_END);
	see(&one, seal_save_end(handle, the_pfn, one.tag));
	claim_vcpus_stay();
	second_guest();
	see(&two, seal_save_end(handle, the_pfn, two.tag));
	claim_vcpus_stay();

	reach(one.status == CV_OK && is_other, "OK");
	reach(one.status == CV_E_STATE && is_other, "STATE");
	claim_same();
}

void proof_disclose_seal_abort(void)
{
	first_guest(SEAL_HEADER);
	see(&one, seal_abort(handle));
	claim_vcpus_stay();
	second_guest();
	see(&two, seal_abort(handle));
	claim_vcpus_stay();

	reach(one.status == CV_OK && is_other && vm.state == VM_POWEROFF, "OK, of loading");
	reach(one.status == CV_OK && is_other && vm.state == VM_VERIFIED, "OK, of saving");
	reach(one.status == CV_E_STATE && is_other, "STATE");
	claim_same();
}

/* ---- loading ---- */

void proof_disclose_load_begin(void)
{
	first_guest(SEAL_HEADER);
	host_header = nondet_header();
	see(&one, seal_load_begin(handle, the_pfn));
	claim_vcpus_stay();
	second_guest();
	see(&two, seal_load_begin(handle, the_pfn));
	claim_vcpus_stay();

	reach(one.status == CV_OK && is_other, "OK");
	reach(one.status == CV_E_INVALID && is_other, "INVALID");
	reach(one.status == CV_E_PERM && is_other, "PERM");
	reach(one.status == CV_E_NOMEM && is_other, "NOMEM");
	claim_same();
}

/* Any record; what a corevisor cannot have sealed is refused. */
static bool any_opened_vcpu(void)
{
	opened_vcpu = nondet_seal_vcpu();
	opened_vcpu.pending.is_mmio = nondet_bool();
	opened_vcpu.pending.is_write = nondet_bool();
	opened_vcpu.pending.is_signed = nondet_bool();
	opened_vcpu.pending.is_64 = nondet_bool();
	return opened_vcpu.power <= VCPU_ON && is_pstate && spec_has_width();
}

void proof_disclose_load_vcpu(void)
{
	bool is_sane;
	u64 power;

	first_guest(SEAL_VCPU);
	place.at = MINE;
	is_sane = any_opened_vcpu();
	power = opened_vcpu.power;
	see(&one, seal_load_vcpu(handle, MINE, the_pfn, given_tag));
	claim(__CPROVER_equal(vcpu_0, before_0), "the other vCPU stays");
	second_guest();
	/* Whether a vCPU is on, the host was told when it ran. */
	assume(any_opened_vcpu() == is_sane && opened_vcpu.power == power);
	vcpu_1.vm = want_1.vm;
	vcpu_1.run = want_1.run;
	vcpu_1.run_pfn = want_1.run_pfn;
	vcpu_1.mpidr = want_1.mpidr;
	vcpu_1.index = want_1.index;
	vcpu_1.run_state = want_1.run_state;
	vcpu_1.power = want_1.power;
	vcpu_1.has_run = want_1.has_run;
	see(&two, seal_load_vcpu(handle, MINE, the_pfn, given_tag));
	claim(__CPROVER_equal(vcpu_0, before_0), "the other vCPU stays");

	reach(one.status == CV_OK && is_other && power == VCPU_ON, "OK");
	reach(one.status == CV_E_AUTH && is_good && is_other, "AUTH: not sane");
	reach(one.status == CV_E_AUTH && !is_good && is_other, "AUTH: the tag");
	reach(one.status == CV_E_STATE && is_other, "STATE");
	claim(__CPROVER_equal(one.vcpu[MINE], two.vcpu[MINE]), "what the host knows of the vCPU");
	claim_same();
}

void proof_disclose_load_page(void)
{
	first_guest(SEAL_PAGE);
	any_load_page();
	see(&one, seal_load_page(handle, place.at, place.what, the_pfn, given_tag));
	claim_vcpus_stay();
	second_guest();
	see(&two, seal_load_page(handle, place.at, place.what, the_pfn, given_tag));
	claim_vcpus_stay();

	reach(one.loaded == 1 && !one.is_shared && is_other, "OK, private");
	reach(one.status == CV_OK && one.is_wished && is_other, "OK, declared");
	reach(one.status == CV_E_AUTH && one.is_reclaimed && is_other, "AUTH: a page");
	reach(one.status == CV_E_AUTH && !one.is_reclaimed && is_other, "AUTH: a wish");
	reach(one.status == CV_E_NOMEM && is_other, "NOMEM");
	reach(one.status == CV_E_STATE && is_other, "STATE");
	claim_same();
}

void proof_disclose_load_end(void)
{
	bool is_end;

	first_guest(SEAL_END);
	vm.seal.header.guest_time = the_time;
	keep();
	opened_end = nondet_seal_end();
	is_end = spec_is_end(&opened_end);
	see(&one, seal_load_end(handle, the_pfn, given_tag));
	claim_vcpus_stay();
	second_guest();
	opened_end = nondet_seal_end();
	assume(spec_is_end(&opened_end) == is_end);
	see(&two, seal_load_end(handle, the_pfn, given_tag));
	claim_vcpus_stay();

	reach(one.status == CV_OK && is_other, "OK");
	reach(one.status == CV_E_AUTH && is_good && is_other, "AUTH: something is missing");
	reach(one.status == CV_E_AUTH && !is_good && is_other, "AUTH: the tag");
	reach(one.status == CV_E_STATE && is_other, "STATE");
	claim_same();
}
