/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Proof: saving a VM (seal.c, seal_record.c). For a VM with two vCPUs in any state, at any point of
 * saving or loading, and for whatever the host passes or has in its page:
 *   - the status is the one that the ABI's order of errors names (spec_*(), from abi.h); a refusal
 *     changes nothing; a success exactly what is specified; the other VM and the other vCPU stay;
 *   - what is written to a host page is the header or has just been sealed, never plaintext;
 *   - each record goes by the next number under the key of its snapshot, once, with its kind, place
 *     and epoch bound; the cursor over gfns only rises, and passes over nothing that is backed or
 *     declared.
 * By their contracts: cryptography (any answers), mem.h, mem_page.h, s2.h, pool.h, the clock.
 * Seed: save_encrypted_vcpu, save_encrypt_buf (B15, B17).
 * Proof-args: -Itest/proof/few --unwind 6 --unwindset memcpy.0:34,is_32.0:33
 * Proof-args: --unwindset find_next.0:25,any_tables.0:25,any_hashes.0:33
 * Proof-args: corevisor/core/seal.c
 * Proof-entry: proof_seal_save_begin
 * Proof-entry: proof_seal_save_vcpu quick
 * Proof-entry: proof_seal_save_page
 * Proof-entry: proof_seal_save_end quick
 * Proof-entry: proof_seal_abort quick
 */
#include "seal_pages.h"

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

void proof_seal_save_page(void)
{
	u64 gfn = 0;
	u64 what = 0;
	u64 tag[2] = { 1, 1 };
	u64 first;
	enum cv_status expected;

	any_state(SEAL_PAGE);
	any_tables();
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
