/* SPDX-License-Identifier: BSD-3-Clause */
/* VMs and vCPUs, from RV_VM_CREATE to RV_VM_DESTROY; the subject is a page that they are made of.
 */
#include "call.h"

#define CREATE(name, ...) SAME(name, vm_create, spec_vm_create, __VA_ARGS__, &v)
CREATE(create_record, p, FREE_ROOT, RV_VM_PROTECTED, fake_no_owner)
CREATE(create_root, FREE_PAGE, p & ~1ull, 0, fake_no_owner)
CREATE(create_odd_root, FREE_PAGE, p | 1, 0, fake_no_owner)
CREATE(create_same, p, p & ~1ull, 0, fake_no_owner)
CREATE(create_flags, p, FREE_ROOT, 2, fake_no_owner)
CREATE(create_owned, p, FREE_ROOT, 0, owner.words)
CREATE(create_huge, p, ~1ull, 0, fake_no_owner)

SAME(topup_a, vm_topup, spec_vm_topup, vm_a, p)
SAME(topup_b, vm_topup, spec_vm_topup, vm_b, p)
SAME(topup_dead, vm_topup, spec_vm_topup, vm_dead, p)

#define ADD_RAM(name, gfn, pages) SAME(name, vm_add_ram, spec_vm_add_ram, vm_a, gfn, pages)
ADD_RAM(add_ram, RAM_PAGES, 64)
ADD_RAM(add_ram_over, RAM_PAGES - 1, 64)
ADD_RAM(add_ram_beyond, GFN_LIMIT - 1, 2)
ADD_RAM(add_ram_wrap, 4096, ~0ull)
ADD_RAM(add_ram_none, RAM_PAGES, 0)

#define VCPU(name, ...) SAME(name, vm_create_vcpu, spec_vm_create_vcpu, __VA_ARGS__)
VCPU(vcpu_record, vm_a, 0, p, FREE_PAGE)
VCPU(vcpu_run, vm_b, 0, FREE_PAGE, p)
VCPU(vcpu_same, vm_b, 0, p, p)
VCPU(vcpu_exists, vm_a, 1, p, FREE_PAGE)
VCPU(vcpu_index, vm_a, 64, p, FREE_PAGE)
VCPU(vcpu_dead, vm_dead, 0, p, FREE_PAGE)

SAME(kill_a, vm_kill, spec_vm_kill, vm_a)
SAME(kill_dead, vm_kill, spec_vm_kill, vm_dead)
SAME(destroy_a, vm_destroy, spec_vm_destroy, vm_a, &v)
SAME(destroy_b, vm_destroy, spec_vm_destroy, vm_b, &v)
SAME(destroy_dead, vm_destroy, spec_vm_destroy, vm_dead, &v)
/* The whole end of a VM */
#define END(name, vm) \
	CALL(name,                                                               \
	     vm_kill(vm) ?: mem_reclaim(vm, 0, RAM_PAGES, &v)                    \
			 ?: vm_destroy(vm, &v),                                  \
	     spec_vm_kill(&spec, vm) ?: spec_reclaim(&spec, vm, 0, RAM_PAGES, &v) \
				     ?: spec_vm_destroy(&spec, vm, &v))
END(end_a, vm_a)
END(end_b, vm_b)

const struct call vm_calls[] = {
	ENTRY(create_record),
	ENTRY(create_root),
	ENTRY(create_odd_root),
	ENTRY(create_same),
	ENTRY(create_flags),
	ENTRY(create_owned),
	ENTRY(create_huge),
	ENTRY(topup_a),
	ENTRY(topup_b),
	ENTRY(topup_dead),
	ENTRY(add_ram),
	ENTRY(add_ram_over),
	ENTRY(add_ram_beyond),
	ENTRY(add_ram_wrap),
	ENTRY(add_ram_none),
	ENTRY(vcpu_record),
	ENTRY(vcpu_run),
	ENTRY(vcpu_same),
	ENTRY(vcpu_exists),
	ENTRY(vcpu_index),
	ENTRY(vcpu_dead),
	ENTRY(kill_a),
	ENTRY(kill_dead),
	ENTRY(destroy_a),
	ENTRY(destroy_b),
	ENTRY(destroy_dead),
	ENTRY(end_a),
	ENTRY(end_b),
	{ 0 },
};
