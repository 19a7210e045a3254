/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the proofs about vCPUs have in common: two VMs with two vCPUs each in any state that the
 * invariants allow, the host's run pages, and the architecture. vm_lock() stands here by its
 * contract (proof_lock_vm). Changes are looked for by comparing everything that a record has, and
 * each register by a constant index: what did not change is then the same symbol, and costs
 * nothing.
 */
#ifndef GUESTS_H
#define GUESTS_H

#include "proof.h"

#include <cv/arch.h>
#include <cv/arch_host.h>
#include <cv/run.h>
#include <cv/vcpu.h>
#include <cv/vm.h>

#define VMS 2

/* An object of its own for each record: CBMC reads one of an array of records far slower. */
static struct vm vm_a, vm_b;
static struct vcpu vcpu_a0, vcpu_a1, vcpu_b0, vcpu_b1;
static struct rv_run run_a0, run_a1, run_b0, run_b1;
static struct lock lock_a, lock_b;
static struct vm *const vms[VMS] = { &vm_a, &vm_b };
static struct vcpu *const vcpus[VMS][VM_VCPUS_MAX] = { { &vcpu_a0, &vcpu_a1 },
						       { &vcpu_b0, &vcpu_b1 } };
static struct rv_run *const runs[VMS][VM_VCPUS_MAX] = { { &run_a0, &run_a1 },
							{ &run_b0, &run_b1 } };
static struct lock *const vm_locks[VMS] = { &lock_a, &lock_b };

/* ---- locks, by contract ---- */

static struct lock *held; /* no code under proof here holds two */

/* two_runs.h has its own. */
#ifndef LOCKS_ARE_STUBBED
void lock_acquire(struct lock *lock)
{
	claim(held == NULL, "no second lock");
	held = lock;
}

void lock_release(struct lock *lock)
{
	claim(held == lock && lock != NULL, "what is released is held");
	held = NULL;
}
#endif

/* ---- any state ---- */

struct vcpu nondet_vcpu(void);
struct rv_run nondet_run(void);
struct lock nondet_lock(void);

static void any_vcpu(u32 v, u32 c)
{
	struct vcpu *vcpu = vcpus[v][c];

	*vcpu = nondet_vcpu();
	vcpu->vm = vms[v];
	vcpu->index = c;
	vcpu->mpidr = vcpu_mpidr(c);
	vcpu->run = runs[v][c];
	vcpu->run_pfn = pfn_make(2 * v + c);
	assume(vcpu->run_state == VCPU_READY || vcpu->run_state == VCPU_ACTIVE);
	assume(vcpu->power == VCPU_OFF || vcpu->power == VCPU_ON_PENDING || vcpu->power == VCPU_ON);
	/* Booleans are 0 or 1, whatever their bytes could be. */
	vcpu->has_run = nondet_bool();
	vcpu->pending = (struct vcpu_pending){
		.is_mmio = nondet_bool(),
		.is_write = nondet_bool(),
		.reg = (u8)any_below(32),
		.bytes = (u8)(1u << any_below(4)),
		.is_signed = nondet_bool(),
		.is_64 = nondet_bool(),
	};
	assume(vcpu->vgic.lr_count <= RV_MAX_LRS);
}

static void any_vm(u32 v)
{
	struct vm *vm = vms[v];
	bool has_vcpu[VM_VCPUS_MAX];
	u64 generation = nondet_u64();

	*vm_locks[v] = nondet_lock();
	assume(generation > 0 && generation < 1ull << 56);
	*vm = (struct vm){
		.lock = vm_locks[v],
		.handle = generation << 8 | (3 + v),
		.owner = 3 + v,
		.is_protected = nondet_bool(),
		.state = (enum vm_state)any_below(VM_POWEROFF + 1),
		.guest_pages = nondet_u64(),
		.ram_count = 1,
		.entry = nondet_u64(),
		.may_be_saved = nondet_bool(),
		.active_count = nondet_u32(),
		.cntvoff = nondet_u64(),
	};
	vm->seal.mode = (enum seal_mode)any_below(SEAL_LOADING + 1);
	vm->ram[0] = (struct vm_ram){ .first = { any_below(GFN_LIMIT) }, .pages = nondet_u64() };
	assume(vm->ram[0].pages <= GFN_LIMIT - vm->ram[0].first.v);
	for (u32 c = 0; c < VM_VCPUS_MAX; c++) {
		has_vcpu[c] = nondet_bool();
		any_vcpu(v, c);
		vm->vcpus[c] = has_vcpu[c] ? vcpus[v][c] : NULL;
		vm->vcpu_count += has_vcpu[c];
		/* Who runs is counted; a vCPU that runs belongs to a VM that may. */
		assume(!has_vcpu[c] || vcpus[v][c]->run_state == VCPU_READY ||
		       vm->active_count > 0);
		assume(vm->state != VM_READY || vcpus[v][c]->run_state == VCPU_READY);
	}
	assume(vm->active_count <= VM_VCPUS_MAX);
}

static void any_guests(void)
{
	for (u32 v = 0; v < VMS; v++) {
		any_vm(v);
		for (u32 c = 0; c < VM_VCPUS_MAX; c++) {
			*runs[v][c] = nondet_run();
		}
	}
}

/* ---- what is private, and what is not ---- */

struct vm nondet_vm(void);

/* What the host may know of a vCPU record. All else of it is private: registers, where and with
 * what the guest starts it, facts of the last exit, interrupts, timers. */
static void copy_public(struct vcpu *to, const struct vcpu *from)
{
	to->vm = from->vm;
	to->index = from->index;
	to->mpidr = from->mpidr;
	to->run = from->run;
	to->run_pfn = from->run_pfn;
	to->run_state = from->run_state;
	to->power = from->power;
	to->has_run = from->has_run;
}

/* Of a VM's record, the key of its snapshot is private. */
static void copy_key(struct vm *to, const struct vm *from)
{
	for (u32 i = 0; i < CRYPTO_KEY_BYTES; i++) {
		to->seal.key[i] = from->seal.key[i];
	}
}

static void any_private(u32 v)
{
	const struct vm other = nondet_vm();

	copy_key(vms[v], &other);
	for (u32 c = 0; c < VM_VCPUS_MAX; c++) {
		const struct vcpu was = *vcpus[v][c];

		*vcpus[v][c] = nondet_vcpu();
		copy_public(vcpus[v][c], &was);
	}
}

/* ---- what is wanted ---- */

/*
 * The state as it must be after the call: it begins as a copy of the state before it, and the
 * specification changes in it what the call may change. Whatever else differs is a mistake.
 */
static struct vm want_a, want_b;
static struct vcpu want_a0, want_a1, want_b0, want_b1;
static struct vm *const want_vm[VMS] = { &want_a, &want_b };
static struct vcpu *const want_vcpu[VMS][VM_VCPUS_MAX] = { { &want_a0, &want_a1 },
							   { &want_b0, &want_b1 } };

static void want_no_change(void)
{
	for (u32 v = 0; v < VMS; v++) {
		*want_vm[v] = *vms[v];
		for (u32 c = 0; c < VM_VCPUS_MAX; c++) {
			*want_vcpu[v][c] = *vcpus[v][c];
		}
	}
}

static void claim_as_wanted(void)
{
	for (u32 v = 0; v < VMS; v++) {
		claim(__CPROVER_equal(*vms[v], *want_vm[v]), "the VM is as specified");
		for (u32 c = 0; c < VM_VCPUS_MAX; c++) {
			claim(__CPROVER_equal(*vcpus[v][c], *want_vcpu[v][c]),
			      "the vCPU is as specified");
		}
	}
	claim(held == NULL, "no lock is left held");
}

/*
 * The VMs are alike, so the one that takes part is the first: MINE. Indices are constants wherever
 * something is read or written: a symbolic index into records costs a thousandfold. So each harness
 * has a body for one index, and this runs it for the two vCPUs there are and for all others.
 */
#define MINE 0u
/* Macros: CBMC would take a pointer for any function of its type. */
#define for_each_vcpu(body)          \
	do {                         \
		if (nondet_bool()) { \
			body(0);     \
		} else {             \
			body(1);     \
		}                    \
	} while (0)
#define for_any_index(body)                                                   \
	do {                                                                  \
		if (nondet_bool()) {                                          \
			for_each_vcpu(body);                                  \
		} else {                                                      \
			body(VM_VCPUS_MAX + any_below(~0ull - VM_VCPUS_MAX)); \
		}                                                             \
	} while (0)

/* MINE's handle, or none at all. */
static u64 any_handle(void)
{
	u64 handle = nondet_u64();

	assume(handle != vms[1]->handle);
	return handle;
}

#endif
