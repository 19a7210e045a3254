/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Proof: loading a VM (seal_load.c, seal_record.c). For a VM with two vCPUs in any state, at any
 * point of saving or loading, and for whatever the host passes or has in its page:
 *   - the status is the one that the ABI's order of errors names (spec_*(), from abi.h); a refusal
 *     changes nothing, AUTH included; a success exactly what is specified; the other VM and the
 *     other vCPU stay;
 *   - nothing is written to a host page;
 *   - each record is opened as the next number under the key of its snapshot, once, with its kind,
 *     place and epoch bound;
 *   - what is opened is private: a copy, or a page that has left the host; a page that does not
 *     open is the host's again, by the way that scrubs it;
 *   - nothing becomes VERIFIED but by the last record, with what the header said.
 * By their contracts: cryptography (any answers), mem.h, mem_page.h, s2.h, pool.h, the clock.
 * Seed: load_encrypted_vcpu, load_decrypt_buf (B16, B18).
 * Proof-args: -Itest/proof/few --unwind 6 --unwindset memcpy.0:34,is_32.0:33,any_hashes.0:33
 * Proof-args: corevisor/core/seal_load.c
 * Proof-entry: proof_seal_load_begin
 * Proof-entry: proof_seal_load_vcpu
 * Proof-entry: proof_seal_load_page
 * Proof-entry: proof_seal_load_end
 */
#include "seal_pages.h"

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
	any_load_page();
	pages = place.what >> RV_SEAL_PAGES_SHIFT;
	is_backed = (place.what & RV_SEAL_BACKED) != 0;
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
