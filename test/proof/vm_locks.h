/* SPDX-License-Identifier: BSD-3-Clause */
/* vm_lock() and its like by their contracts (proof_lock_vm), where vm.c is not under proof. */
#ifndef VM_LOCKS_H
#define VM_LOCKS_H

#include "guests.h"

struct vm *vm_lock(u64 handle)
{
	for (u32 i = 0; i < VMS; i++) {
		if (vms[i]->handle == handle) {
			lock_acquire(vm_locks[i]);
			return vms[i];
		}
	}
	return NULL;
}

void vm_unlock(struct vm *vm)
{
	lock_release(vm->lock);
}

bool vm_is_ram(const struct vm *vm, gfn_t gfn)
{
	return gfn.v - vm->ram[0].first.v < vm->ram[0].pages;
}

#endif
