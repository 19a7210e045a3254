/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Proof: what becomes of a VM's record discloses nothing of its guest (two_runs.h): vm.c, over the
 * memory core. A record is made in a page that has any content, another one in each run.
 * Proof-args: -Itest/proof/few --unwind 8 --unwindset copy_key.0:33
 * Proof-entry: proof_disclose_vm_create
 * Proof-entry: proof_disclose_vm_topup
 * Proof-entry: proof_disclose_vm_add_ram
 * Proof-entry: proof_disclose_vm_kill quick
 * Proof-entry: proof_disclose_vm_destroy
 * Proof-entry: proof_disclose_vcpu_create
 */
#include "two_runs.h"

/* A call that returns so few pages stops in the middle, as the real one does after 512. */
#undef RV_BATCH_PAGES
#define RV_BATCH_PAGES 5
#include "corevisor/core/vm.c"

static __typeof__(slots) slots_before, slots_one;
static u64 arg[7];
static u64 record_pfn, run_pfn;
static struct vm new_vm, new_vm_one;
static struct vcpu *new_vcpu; /* NULL: a VM's record is made */
static struct rv_run new_run, new_run_before, new_run_one;

void *arch_core_va(pa_t pa)
{
	(void)ask(pa.v, 0, 0);
	if (pa.v == record_pfn << PAGE_SHIFT) {
		return new_vcpu != NULL ? (void *)new_vcpu : (void *)&new_vm;
	}
	claim(pa.v == run_pfn << PAGE_SHIFT, "records and run pages only");
	return &new_run;
}

static void cleared(u64 pfn)
{
	if (pfn == record_pfn && new_vcpu != NULL) {
		*new_vcpu = (struct vcpu){ 0 };
	} else if (pfn == record_pfn) {
		new_vm = (struct vm){ 0 };
	}
}

void mem_core_clear_pages(const u64 *pfns, u32 count)
{
	(void)ask(pfns[0], count, 0);
	cleared(pfns[0]);
}

/* Handles are constants, for the solver's sake; any handle: proof_lock_vm. */
static void own_first(void)
{
	slots.generation = nondet_u64();
	slots.vm_count = nondet_u32();
	slots.vcpu_count = nondet_u32();
	for (u32 i = 0; i < VM_SLOTS; i++) {
		slots.slot[i] = (struct vm_slot){ .is_taken = i < VMS ? true : nondet_bool() };
	}
	for (u32 i = 0; i < VMS; i++) {
		vms[i]->handle = (i + 1ull) << VM_HANDLE_OWNER_BITS | (OWNER_VM_FIRST + i);
		vms[i]->lock = &slots.slot[i].lock;
		slots.slot[i].vm = vms[i];
		slots.slot[i].handle = vms[i]->handle;
		slots.slot[i].s2 = vms[i]->s2;
	}
	the_handle = vms[MINE]->handle;
	new_vm = nondet_vm();
	new_run = nondet_run();
	new_run_before = new_run;
	for (u32 i = 0; i < 7; i++) {
		arg[i] = nondet_u64();
	}
	slots_before = slots;
}

static void own_second(void)
{
	slots_one = slots;
	slots = slots_before;
	new_vm_one = new_vm;
	new_vm = nondet_vm();
	new_run_one = new_run;
	new_run = new_run_before;
}

static void claim_own_same(void)
{
	claim(__CPROVER_equal(slots, slots_one), "the same slots");
	claim(__CPROVER_equal(new_run, new_run_one), "the same page of the host");
}

void proof_disclose_vm_create(void)
{
	record_pfn = nondet_u64();
	twice(vm_create(record_pfn, arg[1], arg[2], &arg[3], &result));
	reach(status == CV_OK && new_vm.is_protected, "a protected VM");
	reach(status == CV_OK && !new_vm.is_protected, "an open VM");
	reach(status == CV_E_NOENTROPY && steps > 0, "refused");
	reach(status == CV_E_NOMEM && slots.slot[2].handle == 0, "refused late");
	claim(status != CV_OK || __CPROVER_equal(new_vm, new_vm_one), "the same record");
}

void proof_disclose_vm_topup(void)
{
	twice(vm_topup(the_handle, arg[0]));
	reach(status == CV_OK, "given");
	reach(status == CV_E_STATE && vm_a.state == VM_POWEROFF, "refused");
}

void proof_disclose_vm_add_ram(void)
{
	twice(vm_add_ram(the_handle, arg[0], arg[1]));
	reach(status == CV_OK && vm_a.ram_count == RV_RAM_RANGES, "declared");
	reach(status == CV_E_BUSY && vm_a.ram_count == RV_RAM_RANGES, "refused");
}

void proof_disclose_vm_kill(void)
{
	twice(vm_kill(the_handle));
	reach(status == CV_OK && want_a0.run_state == VCPU_ACTIVE, "while it runs");
}

void proof_disclose_vm_destroy(void)
{
	twice(vm_destroy(the_handle, &result));
	reach(status == CV_OK && result == 0 && steps > 4, "gone");
	reach(status == CV_OK && result > 0, "in part");
	reach(status == CV_E_BUSY, "refused");
}

static void vcpu_create_at(u64 index)
{
	record_pfn = nondet_u64();
	run_pfn = nondet_u64();
	new_vcpu = index < VM_VCPUS_MAX ? vcpus[MINE][index] : NULL;
	twice(vm_create_vcpu(the_handle, index, record_pfn, run_pfn));
	reach(status == CV_OK && index == 1, "made");
	reach(status == CV_E_BUSY, "refused");
	reach(status == CV_E_NOMEM && steps == 4, "refused late");
}

void proof_disclose_vcpu_create(void)
{
	for_any_index(vcpu_create_at);
}
