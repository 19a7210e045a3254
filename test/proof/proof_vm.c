/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Proof: the life of a VM: made, given vCPUs, tables and RAM, killed, destroyed. For two VMs and a
 * third slot in any state, 8 pages in 2 regions, and all arguments: the status is the specified
 * one; a refusal, also one in the middle for want of tables, changes nothing, not even a page's
 * content; a success changes exactly what the specification here says, and the other VM, its vCPUs
 * and all other pages stay.
 * Seed: register_kvm (B5, T1), register_vcpu (B4), set_vm_poweroff, and what the seed lacks.
 *
 * Proof-args: --unwind 9 --max-field-sensitivity-array-size 8
 * Proof-args: corevisor/core/mem_pages.c
 * Proof-entry: proof_register_kvm
 * Proof-entry: proof_register_vcpu
 * Proof-entry: proof_register_vcpu_first
 * Proof-entry: proof_register_vcpu_twice
 * Proof-entry: proof_register_vcpu_none
 * Proof-entry: proof_vm_kill quick
 * Proof-entry: proof_vm_topup
 * Proof-entry: proof_vm_add_ram
 * Proof-entry: proof_vm_destroy
 * Proof-entry: proof_vm_destroy_part
 * Proof-entry: proof_vm_destroy_none
 */
#include "pages.h"

#include <cv/rng.h>
#include <cv/vm.h>

/* A call that returns so few pages stops in the middle, as the real one does after 512. */
#undef RV_BATCH_PAGES
#define RV_BATCH_PAGES 5
#include "corevisor/core/vm.c"

/* ---- what vm.c needs beside the pages ---- */

struct vm nondet_vm(void);

static bool has_entropy;
static bool meets_device;
static u64 record_pfn, run_pfn; /* the pages that a record is made in */
static struct vm new_vm;
static struct vcpu *new_vcpu;
static struct rv_run *new_run;
static u32 roots_cleared;

bool rng_is_ready(void)
{
	return has_entropy;
}

bool rng_bytes(void *out, u64 bytes)
{
	u8 *at = out;

	at[any_below(bytes)] = nondet_u8();
	return has_entropy;
}

void *arch_core_va(pa_t pa)
{
	u64 pfn = pa.v >> PAGE_SHIFT;

	claim(is_ram(pfn) && is_at_el2[page_at(pfn)], "EL2 touches what it has mapped");
	if (pfn == record_pfn) {
		claim(is_scrubbed[page_at(pfn)], "a record begins as zeroes");
		return new_vcpu != NULL ? (void *)new_vcpu : (void *)&new_vm;
	}
	claim(pfn == run_pfn, "only these two are touched");
	return new_run;
}

static void page_was_cleared(u64 pfn)
{
	if (pfn == record_pfn) {
		new_vm = (struct vm){ 0 };
		if (new_vcpu != NULL) {
			*new_vcpu = (struct vcpu){ 0 };
		}
	}
}

u64 arch_counter(void)
{
	return nondet_u64();
}

bool mem_io_overlaps(const struct vm *vm, u64 gfn, u64 count)
{
	(void)vm;
	(void)gfn;
	(void)count;
	return meets_device;
}

void pool_init(struct pool *pool)
{
	pool->free = pfn_make(0);
	pool->free_count = 0;
}

void pool_put(struct pool *pool, pfn_t pfn)
{
	pool->free = pfn;
	pool->free_count++;
}

void s2_clear_root(const struct s2 *s2)
{
	claim(s2->vmid.v == vm_a.owner, "this VM's own table");
	roots_cleared++;
}

void lock_init(struct lock *lock, enum lock_rank rank)
{
	(void)lock;
	(void)rank;
}

/* ---- any state ---- */

/* Handles are constants here, for the solver's sake; any handle: proof_lock_vm. */
#define HANDLE_A (1ull << VM_HANDLE_OWNER_BITS | OWNER_VM_FIRST)
#define HANDLE_B (2ull << VM_HANDLE_OWNER_BITS | (OWNER_VM_FIRST + 1))
#define HANDLE_OLD (1ull << VM_HANDLE_OWNER_BITS | (OWNER_VM_FIRST + 1))
#define for_any_handle(body)              \
	do {                              \
		if (nondet_bool()) {      \
			body(HANDLE_A);   \
		} else {                  \
			body(HANDLE_OLD); \
		}                         \
	} while (0)

static struct vm_slot want_slot[VM_SLOTS];
static u32 want_vm_count, want_vcpu_count;
static u64 want_generation;

static void any_slots(void)
{
	slots.generation = nondet_u64();
	/* 2 so far; not 2^56 in a boot. */
	assume(slots.generation >= 2 && slots.generation < (1ull << 56) - 1);
	slots.vm_count = 1 + (u32)any_below(VM_SLOTS);
	slots.vcpu_count = VM_VCPUS_MAX + (u32)any_below(100);
	for (u32 i = 0; i < VM_SLOTS; i++) {
		slots.slot[i].is_taken = i < VMS ? true : nondet_bool();
		slots.slot[i].handle = 0;
		slots.slot[i].vm = NULL;
	}
	for (u32 i = 0; i < VMS; i++) {
		vms[i]->lock = &slots.slot[i].lock;
		vms[i]->s2 = (struct s2){ .root = { nondet_u64() },
					  .vmid = { (u16)(3 + i) },
					  .pool = &vms[i]->tables };
		vms[i]->tables.free_count = (u32)any_below(100);
		vms[i]->donated = pfn_make(nondet_u64());
		vms[i]->donated_count = CORE_OF_VM_PAGES + any_below(100);
		vms[i]->dma_contexts = (u32)any_below(3);
		vms[i]->device_pages = any_below(3);
		vms[i]->handle = i == 0 ? HANDLE_A : HANDLE_B;
		slots.slot[i].vm = vms[i];
		slots.slot[i].handle = vms[i]->handle;
		slots.slot[i].s2 = vms[i]->s2;
	}
}

static void begin(void)
{
	any_guests();
	any_slots();
	any_pages();
	has_entropy = nondet_bool();
	meets_device = nondet_bool();
	takes_left = (u32)any_below(6);
	new_vm = nondet_vm();
	roots_cleared = 0;
	want_no_change();
	want_same_pages();
	for (u32 i = 0; i < VM_SLOTS; i++) {
		want_slot[i] = slots.slot[i];
	}
	want_vm_count = slots.vm_count;
	want_vcpu_count = slots.vcpu_count;
	want_generation = slots.generation;
}

static void claim_all_as_wanted(void)
{
	claim_as_wanted();
	claim_pages_as_wanted();
	for (u32 i = 0; i < VM_SLOTS; i++) {
		claim(slots.slot[i].handle == want_slot[i].handle &&
			      slots.slot[i].vm == want_slot[i].vm &&
			      slots.slot[i].is_taken == want_slot[i].is_taken &&
			      slots.slot[i].s2.root.v == want_slot[i].s2.root.v,
		      "the slot is as specified");
	}
	claim(slots.vm_count == want_vm_count && slots.vcpu_count == want_vcpu_count &&
		      slots.generation == want_generation,
	      "so are the counts");
}

/* ---- register_kvm ---- */

static enum cv_status spec_create(u64 record, u64 root, u64 flags, const u64 *owner)
{
	const bool is_protected = (flags & RV_VM_PROTECTED) != 0;

	if (flags > RV_VM_PROTECTED || root % 2 != 0 ||
	    (!is_protected && (owner[0] | owner[1] | owner[2] | owner[3]) != 0)) {
		return CV_E_INVALID;
	}
	if (is_protected && !has_entropy) {
		return CV_E_NOENTROPY;
	}
	if (!is_ram(record) || !is_ram(root) || !is_ram(root + 1)) {
		return CV_E_RANGE;
	}
	if (!is_hosts_alone(record) || !is_hosts_alone(root) || !is_hosts_alone(root + 1) ||
	    record == root || record == root + 1) {
		return CV_E_STATE;
	}
	if (slots.slot[2].is_taken) {
		return CV_E_BUSY;
	}
	return takes_left < CORE_OF_VM_PAGES ? CV_E_NOMEM : CV_OK;
}

void proof_register_kvm(void)
{
	u64 root = nondet_u64();
	u64 flags = nondet_u64();
	u64 owner[4] = { nondet_u64(), nondet_u64(), nondet_u64(), nondet_u64() };
	u32 byte = (u32)any_below(32);
	u64 handle = 0;
	u32 takes;
	enum cv_status expected;
	enum cv_status status;

	begin();
	record_pfn = nondet_u64();
	run_pfn = 0;
	new_vcpu = NULL;
	takes = takes_left;
	expected = spec_create(record_pfn, root, flags, owner);
	if (expected == CV_OK) {
		want_core_page(record_pfn, 0);
		want_core_page(root, record_pfn);
		want_core_page(root + 1, root);
		want_generation++;
		want_vm_count++;
		want_slot[2].handle =
			want_generation << VM_HANDLE_OWNER_BITS | (OWNER_VM_FIRST + 2);
		want_slot[2].vm = &new_vm;
		want_slot[2].is_taken = true;
		want_slot[2].s2.root = pfn_pa(pfn_make(root));
	}
	status = vm_create(record_pfn, root, flags, owner, &handle);

	reach(status == CV_E_INVALID && root % 2 == 0 && flags == 0, "INVALID: an open VM's owner");
	reach(status == CV_E_INVALID && flags == 4, "INVALID: unknown flag");
	reach(status == CV_E_INVALID && root % 2 == 1 && flags == 1, "INVALID: unaligned");
	reach(status == CV_E_NOENTROPY, "NOENTROPY");
	reach(status == CV_E_RANGE && is_ram(root), "RANGE");
	reach(status == CV_E_STATE && record_pfn == root, "STATE: a page named twice");
	reach(status == CV_E_STATE && record_pfn != root, "STATE");
	reach(status == CV_E_BUSY, "BUSY");
	reach(status == CV_E_NOMEM && takes == 2, "NOMEM: at the last page");
	reach(status == CV_OK && flags == 1, "OK, protected");
	reach(status == CV_OK && flags == 0 && root == REGION_B && record_pfn == REGION_A,
	      "OK, open");
	claim(status == expected, "the status is the specified one");
	claim_all_as_wanted();
	if (status != CV_OK) {
		claim(handle == 0, "no result");
		return;
	}
	claim(handle == want_slot[2].handle && handle != HANDLE_A && handle != HANDLE_B &&
		      handle != 0,
	      "T1: a handle that no VM of this boot ever had");
	claim(new_vm.handle == handle && new_vm.owner == OWNER_VM_FIRST + 2 &&
		      new_vm.lock == &slots.slot[2].lock && new_vm.state == VM_READY &&
		      new_vm.is_protected == (flags == 1),
	      "READY");
	claim(new_vm.owner_key[byte] == (u8)(owner[byte / 8] >> (byte % 8 * 8)), "its owner's key");
	claim(new_vm.s2.root.v == root << PAGE_SHIFT && new_vm.s2.vmid.v == OWNER_VM_FIRST + 2 &&
		      new_vm.s2.pool == &new_vm.tables && new_vm.tables.free_count == 0,
	      "its empty table");
	claim(new_vm.donated.v == root + 1 && new_vm.donated_count == CORE_OF_VM_PAGES,
	      "the list of its pages");
	claim(new_vm.ram_count == 0 && new_vm.vcpu_count == 0 && new_vm.vcpus[0] == NULL &&
		      new_vm.vcpus[1] == NULL && new_vm.guest_pages == 0 &&
		      new_vm.active_count == 0 && new_vm.images.count == 0 &&
		      new_vm.seal.mode == SEAL_NONE && new_vm.dma_contexts == 0 &&
		      !new_vm.may_be_saved && new_vm.entry == 0,
	      "and nothing else");
}

/* ---- register_vcpu ---- */

static enum cv_status spec_vcpu(u64 handle, u64 index)
{
	if (index >= VM_VCPUS_MAX) {
		return CV_E_INVALID;
	}
	if (handle != HANDLE_A) {
		return CV_E_NOENT;
	}
	if (!is_ram(record_pfn) || !is_ram(run_pfn)) {
		return CV_E_RANGE;
	}
	if (!is_hosts_alone(record_pfn) || !is_hosts_alone(run_pfn) || record_pfn == run_pfn ||
	    vm_a.state != VM_READY || vm_a.seal.mode != SEAL_NONE) {
		return CV_E_STATE;
	}
	if (vm_a.vcpus[index] != NULL) {
		return CV_E_BUSY;
	}
	return takes_left < 2 ? CV_E_NOMEM : CV_OK;
}

static enum cv_status register_vcpu_with(u64 handle, u64 index, u64 record, u64 run)
{
	u32 slot = index < VM_VCPUS_MAX ? (u32)index : 0;
	struct vcpu *want = want_vcpu[MINE][slot];
	enum cv_status expected;
	enum cv_status status;

	begin();
	record_pfn = record;
	run_pfn = run;
	new_vcpu = vcpus[MINE][slot];
	new_run = runs[MINE][slot];
	expected = spec_vcpu(handle, index);
	if (expected == CV_OK) {
		want_core_page(record_pfn, vm_a.donated.v);
		want_page[page_at(run_pfn)].state = PAGE_SHARED;
		want_page[page_at(run_pfn)].count = 1;
		want_at_el2[page_at(run_pfn)] = true;
		want_a.donated = pfn_make(record_pfn);
		want_a.donated_count++;
		want_a.vcpus[slot] = new_vcpu;
		want_a.vcpu_count++;
		want_vcpu_count++;
	}
	status = vm_create_vcpu(handle, index, record_pfn, run_pfn);

	claim(status == expected, "the status is the specified one");
	if (status == CV_OK) {
		/* A record that begins as zeroes, and with these. */
		claim(new_vcpu->vm == &vm_a && new_vcpu->index == slot &&
			      new_vcpu->mpidr == (0x80000000 | slot) && new_vcpu->run == new_run &&
			      new_vcpu->run_pfn.v == run_pfn && new_vcpu->run_state == VCPU_READY &&
			      new_vcpu->power == VCPU_OFF && !new_vcpu->has_run &&
			      !new_vcpu->pending.is_mmio,
		      "READY, and off");
		*want = *new_vcpu;
	}
	claim_all_as_wanted();
	return status;
}

/* Pages, index and handle are constants, for the solver's sake. */
void proof_register_vcpu(void)
{
	enum cv_status status = register_vcpu_with(HANDLE_A, 1, REGION_A, REGION_B + 1);

	reach(status == CV_OK && vm_a.vcpu_count == 2, "OK, the second one");
	reach(status == CV_E_STATE && vm_a.state == VM_VERIFIED, "STATE: not READY");
	reach(status == CV_E_BUSY, "BUSY");
	reach(status == CV_E_NOMEM, "NOMEM");
}

void proof_register_vcpu_first(void)
{
	enum cv_status status = register_vcpu_with(HANDLE_A, 0, REGION_B, REGION_B + 4);

	reach(status == CV_OK && vm_a.vcpu_count == 1, "OK, the first one");
}

void proof_register_vcpu_twice(void)
{
	enum cv_status status = register_vcpu_with(HANDLE_A, 0, REGION_B, REGION_B);

	reach(status == CV_E_STATE && vm_a.state == VM_READY, "STATE: a page named twice");
}

void proof_register_vcpu_none(void)
{
	if (nondet_bool()) {
		reach(register_vcpu_with(HANDLE_OLD, 0, REGION_A, REGION_B) == CV_E_NOENT, "NOENT");
	} else if (nondet_bool()) {
		reach(register_vcpu_with(HANDLE_A, VM_VCPUS_MAX, REGION_A, REGION_B) ==
			      CV_E_INVALID,
		      "INVALID");
	} else {
		reach(register_vcpu_with(HANDLE_A, 0, REGION_A, REGION_A + REGION_A_PAGES) ==
			      CV_E_RANGE,
		      "RANGE");
	}
}

/* ---- kill, topup, RAM ---- */

static void kill_with(u64 handle)
{
	enum cv_status status;

	begin();
	reach(vm_a.state == VM_POWEROFF, "idempotent");
	reach(vm_a.active_count > 0, "while it runs");
	if (handle == HANDLE_A) {
		want_a.state = VM_POWEROFF;
		want_a.seal = (struct seal){ 0 };
	}
	status = vm_kill(handle);

	reach(status == CV_E_NOENT, "NOENT");
	reach(status == CV_OK, "OK");
	claim(status == (handle == HANDLE_A ? CV_OK : CV_E_NOENT), "the status");
	claim(vm_a.seal.mode == want_a.seal.mode && vm_a.seal.key[3] == want_a.seal.key[3],
	      "no key of a snapshot stays");
	want_a.seal = vm_a.seal;
	claim_all_as_wanted();
}

static void topup_with(u64 handle)
{
	u64 pfn = nondet_u64();
	enum cv_status expected = CV_OK;
	enum cv_status status;

	begin();
	record_pfn = 0;
	if (handle != HANDLE_A) {
		expected = CV_E_NOENT;
	} else if (!is_ram(pfn)) {
		expected = CV_E_RANGE;
	} else if (!is_hosts_alone(pfn) || vm_a.state == VM_POWEROFF) {
		expected = CV_E_STATE;
	} else if (takes_left == 0) {
		expected = CV_E_NOMEM;
	} else {
		want_core_page(pfn, vm_a.donated.v);
		want_a.donated = pfn_make(pfn);
		want_a.donated_count++;
		want_a.tables.free = pfn_make(pfn);
		want_a.tables.free_count++;
	}
	status = vm_topup(handle, pfn);

	reach(status == CV_E_NOENT, "NOENT");
	reach(status == CV_E_RANGE, "RANGE");
	reach(status == CV_E_STATE && vm_a.state == VM_POWEROFF, "STATE: off");
	reach(status == CV_E_STATE && vm_a.state != VM_POWEROFF, "STATE: not the host's alone");
	reach(status == CV_E_NOMEM, "NOMEM");
	reach(status == CV_OK && vm_a.state == VM_VERIFIED, "OK");
	claim(status == expected, "the status is the specified one");
	claim_all_as_wanted();
}

static bool is_all_full(void)
{
	return vm_a.ram_count == RV_RAM_RANGES;
}

static void add_ram_with(u64 handle)
{
	u64 gfn = nondet_u64();
	u64 count = nondet_u64();
	bool overlaps = false;
	enum cv_status expected = CV_OK;
	enum cv_status status;

	begin();
	vm_a.ram_count = nondet_bool() ? 1 : nondet_bool() ? 2 : RV_RAM_RANGES;
	for (u32 i = 0; i < RV_RAM_RANGES; i++) {
		vm_a.ram[i].first = gfn_make(any_below(GFN_LIMIT));
		vm_a.ram[i].pages = 1 + any_below(GFN_LIMIT - 1);
		assume(vm_a.ram[i].pages <= GFN_LIMIT - vm_a.ram[i].first.v);
		/* Their smallest common page is the larger first one, if they have any. */
		overlaps |= i < vm_a.ram_count && count > 0 &&
			    ((gfn >= vm_a.ram[i].first.v &&
			      gfn - vm_a.ram[i].first.v < vm_a.ram[i].pages) ||
			     (vm_a.ram[i].first.v >= gfn && vm_a.ram[i].first.v - gfn < count));
	}
	want_a = vm_a;
	if (count == 0) {
		expected = CV_E_INVALID;
	} else if (handle != HANDLE_A) {
		expected = CV_E_NOENT;
	} else if (gfn >= GFN_LIMIT || count > GFN_LIMIT - gfn) {
		expected = CV_E_RANGE;
	} else if (vm_a.state != VM_READY || vm_a.seal.mode != SEAL_NONE) {
		expected = CV_E_STATE;
	} else if (overlaps || is_all_full() || meets_device) {
		expected = CV_E_BUSY;
	}
	status = vm_add_ram(handle, gfn, count);

	reach(status == CV_E_INVALID, "INVALID");
	reach(status == CV_E_NOENT, "NOENT");
	reach(status == CV_E_RANGE && gfn < GFN_LIMIT, "RANGE");
	reach(status == CV_E_STATE, "STATE");
	reach(status == CV_E_BUSY && is_all_full() && !overlaps, "BUSY: too many");
	reach(status == CV_E_BUSY && !is_all_full() && !overlaps, "BUSY: a device page");
	reach(status == CV_E_BUSY && !is_all_full() && overlaps, "BUSY: overlaps");
	reach(status == CV_OK, "OK");
	claim(status == expected, "the status is the specified one");
	if (status == CV_OK) {
		claim(vm_a.ram_count == want_a.ram_count + 1 &&
			      vm_a.ram[want_a.ram_count].first.v == gfn &&
			      vm_a.ram[want_a.ram_count].pages == count,
		      "one more range");
		claim(vm_a.ram[0].first.v == want_a.ram[0].first.v &&
			      vm_a.ram[0].pages == want_a.ram[0].pages,
		      "the others stay");
		want_a.ram_count = vm_a.ram_count;
		for (u32 i = 0; i < RV_RAM_RANGES; i++) {
			want_a.ram[i] = vm_a.ram[i];
		}
	}
	claim_all_as_wanted();
}

/* ---- destroy ---- */

/* The VM's list: `extra` pages (the last one first), then the roots, then the record; each page is
 * the core's, and another one. */
static u64 list[6];
static u32 list_count;

static void any_list(u32 count)
{
	static const u64 chosen[6] = { REGION_B + 4, REGION_A,	   REGION_B + 1,
				       REGION_A + 2, REGION_B + 2, REGION_B };

	list_count = count;
	for (u32 i = 0; i < 6; i++) {
		list[i] = chosen[i];
		if (i < list_count) {
			pages[page_at(list[i])] = (struct page){ .owner = OWNER_CORE };
			is_at_el2[page_at(list[i])] = true;
		}
	}
	for (u32 i = 0; i + 1 < 6; i++) {
		if (i + 1 < list_count) {
			pages[page_at(list[i])].gfn = list[i + 1];
		}
	}
	vm_a.donated = pfn_make(list[0]);
	vm_a.donated_count = list_count;
}

/* Run pages: the host's, in use once at EL2; a page is one vCPU's. */
static void any_run_pages(void)
{
	for (u32 c = 0; c < VM_VCPUS_MAX; c++) {
		u32 at = page_at(c == 0 ? REGION_A + 1 : REGION_B + 3);

		if (vm_a.vcpus[c] != NULL) {
			assume(pages[at].owner == OWNER_HOST && !is_at_el2[at]);
			pages[at].state = PAGE_SHARED;
			pages[at].count = 1 + (u32)any_below(2);
			is_at_el2[at] = true;
			vcpus[MINE][c]->run_pfn =
				pfn_make(at < REGION_A_PAGES ? REGION_A + at
							     : REGION_B + at - REGION_A_PAGES);
		}
	}
}

static void destroy_with(u64 handle, u32 count)
{
	u64 left = 77;
	u32 given;
	enum cv_status expected = CV_OK;
	enum cv_status status;

	begin();
	any_list(count);
	any_run_pages();
	want_no_change();
	want_same_pages();
	if (handle != HANDLE_A) {
		expected = CV_E_NOENT;
	} else if (vm_a.state != VM_POWEROFF) {
		expected = CV_E_STATE;
	} else if (vm_a.active_count > 0 || vm_a.guest_pages > 0 || vm_a.device_pages > 0 ||
		   vm_a.dma_contexts > 0) {
		expected = CV_E_BUSY;
	}
	/* At most 2 pages of the list a call; with the last of them the rest. */
	given = list_count - CORE_OF_VM_PAGES;
	given = given > 2 ? 2 : given;
	if (expected == CV_OK) {
		for (u32 i = 0; i < 6; i++) {
			if (i < given || (i < list_count && list_count - given == 3)) {
				want_host_page(list[i]);
			}
		}
		for (u32 c = 0; c < VM_VCPUS_MAX; c++) {
			if (vm_a.vcpus[c] != NULL) {
				u32 at = page_at(vcpus[MINE][c]->run_pfn.v);

				want_page[at].count--;
				want_page[at].state =
					want_page[at].count > 0 ? PAGE_SHARED : PAGE_EXCLUSIVE;
				want_at_el2[at] = false;
				want_a.vcpus[c] = NULL;
			}
		}
		want_vcpu_count -= vm_a.vcpu_count;
		if (list_count - given == CORE_OF_VM_PAGES) {
			want_vm_count--;
			want_slot[0].handle = 0;
			want_slot[0].vm = NULL;
			want_slot[0].s2.root.v = 0;
			want_slot[0].is_taken = false;
		}
	}
	status = vm_destroy(handle, &left);

	reach(handle != HANDLE_A || status == CV_E_STATE, "STATE");
	reach(handle != HANDLE_A || (status == CV_E_BUSY && vm_a.active_count == 0), "BUSY");
	reach(handle == HANDLE_A || status == CV_E_NOENT, "NOENT");
	reach(handle != HANDLE_A || status == CV_OK, "OK");
	claim(status == expected, "the status is the specified one");
	claim(status == CV_OK || left == 77, "no result of a refused call");
	claim(roots_cleared == (status == CV_OK), "nothing hangs on the table before pages go");
	if (status == CV_OK) {
		claim(left == (list_count - given == CORE_OF_VM_PAGES ? 0 : list_count - given),
		      "how many are left");
		/* What the record says now is nobody's matter if it is gone. */
		claim(left == 0 || (vm_a.vcpus[0] == NULL && vm_a.vcpus[1] == NULL &&
				    vm_a.vcpu_count == 0 && vm_a.tables.free_count == 0 &&
				    vm_a.donated_count == left && vm_a.donated.v == list[given]),
		      "a VM without vCPUs and tables, with the rest of its pages");
		claim(slots.slot[0].is_taken == (left != 0), "the slot is free at the end");
		want_a = vm_a;
	}
	claim_all_as_wanted();
}

void proof_vm_kill(void)
{
	for_any_handle(kill_with);
}

void proof_vm_topup(void)
{
	for_any_handle(topup_with);
}

void proof_vm_add_ram(void)
{
	for_any_handle(add_ram_with);
}

/* The list's pages are constants, for the solver's sake: 3 to 6 of them. */
void proof_vm_destroy(void)
{
	destroy_with(HANDLE_A, CORE_OF_VM_PAGES + 1);
}

void proof_vm_destroy_part(void)
{
	destroy_with(HANDLE_A, CORE_OF_VM_PAGES + 3);
}

void proof_vm_destroy_none(void)
{
	destroy_with(HANDLE_OLD, CORE_OF_VM_PAGES);
}
