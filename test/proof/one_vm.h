/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the proofs about one VM's record have in common, where memory and tables stand by their
 * contracts: the VM of the call, another one, how the first must be afterwards, its lock
 * (proof_lock_vm), and a machine with a few pages of RAM.
 */
#ifndef ONE_VM_H
#define ONE_VM_H

#include "proof.h"

#include <cv/ledger.h>
#include <cv/vm.h>

#define RAM_FIRST 18ull
#define RAM_PAGES 6ull

static struct vm vm, other, want, other_before;
static struct lock vm_lock_of;
static bool is_locked;

struct vm nondet_vm(void);

/* A small number, and its upper bits are constants: the solver never looks at them. */
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
	claim(is_locked && of == &vm, "what is unlocked is locked");
	is_locked = false;
}

bool ledger_is_ram(pfn_t pfn)
{
	return pfn.v - RAM_FIRST < RAM_PAGES;
}

/* Any record, of which the proof has chosen nothing yet. */
static void any_record(void)
{
	vm = nondet_vm();
	other = nondet_vm();
	other_before = other;
	vm.lock = &vm_lock_of;
	assume(vm.handle != 0);
	/* Booleans are 0 or 1, whatever their bytes could be. */
	vm.is_protected = nondet_bool();
	vm.may_be_saved = nondet_bool();
	vm.images.is_undone = nondet_bool();
	vm.seal.is_complete = nondet_bool();
	vm.state = (enum vm_state)any_below(VM_POWEROFF + 1);
	vm.seal.mode = (enum seal_mode)any_below(SEAL_LOADING + 1);
}

#endif
