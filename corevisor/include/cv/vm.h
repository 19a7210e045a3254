/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * VM records: lifecycle, RAM ranges, tables. A record lives in pages donated for it; vm_slots[]
 * only points at it. Lifecycle: free -> READY -> VERIFIED -> POWEROFF -> free (docs/states.md).
 * Seed: BootOps register_kvm, VMPower (reference 7).
 */
#ifndef CV_VM_H
#define CV_VM_H

#include <cv/image.h>
#include <cv/lock.h>
#include <cv/pool.h>
#include <cv/s2.h>
#include <cv/seal.h>
#include <cv/status.h>
#include <cv/types.h>

#define VM_RECORD_PAGES 1

struct vcpu;

enum vm_state {
	VM_READY,    /* being built: RAM ranges, vCPUs, images */
	VM_VERIFIED, /* may run; what arrives is zeroed */
	VM_POWEROFF, /* killed, shut down or crashed: never runs again; pages may be reclaimed */
};

struct vm_ram {
	gfn_t first;
	u64 pages;
};

/* A handle is a generation, which no other VM of this boot had, above the VM's owner number. */
#define VM_HANDLE_OWNER_BITS 9

static inline u32 vm_handle_owner(u64 handle)
{
	return handle & ((1u << VM_HANDLE_OWNER_BITS) - 1);
}

struct vm {
	/* Rank VM: everything below, but for what says otherwise. It lives in the slot table, so it
	 * outlives the record. */
	struct lock *lock;
	u64 handle; /* what the host calls the VM */
	u32 owner;
	bool is_protected;
	enum vm_state state;
	struct s2 s2;
	struct pool tables; /* free table pages */
	u64 guest_pages; /* pages mapped for the guest: donated ones and, open VMs, shared ones */
	/* List of record and table pages, linked through the ledger's gfn field; 0 ends it. The
	 * last ones are the roots and then the record: first in, last out. */
	pfn_t donated;
	u64 donated_count;
	u32 ram_count;
	struct vm_ram ram[RV_RAM_RANGES];
	struct vcpu *vcpus[VM_VCPUS_MAX];
	u32 vcpu_count; /* created */
	/* Protected VMs. What the owner signed is known once the VM is VERIFIED. */
	u8 owner_key[CRYPTO_HASH_BYTES]; /* hash of the key that signs */
	u8 manifest[CRYPTO_HASH_BYTES];	 /* hash of what it signed */
	u64 entry;
	bool may_be_saved;
	u8 instance[CRYPTO_HASH_BYTES]; /* the VM's identity for snapshots */
	struct images images;
	struct seal seal;
	u64 dma_pages;	  /* pages that DMA contexts map, each as often as it is mapped */
	u32 dma_contexts; /* that the VM owns */
	u64 device_pages; /* RV_VM_MAP_IO; all outside the RAM ranges */
	/* vCPUs that are on a CPU just now: up under the lock, down without it; vm_active() */
	u32 active_count;
	u64 cntvoff; /* fixed when the VM becomes VERIFIED: its time begins, or goes on */
	/* The vCPU that ran last on each CPU (index + 1): another one's TLB entries go first. Used
	 * only by that CPU. */
	u8 last_vcpu[CPU_MAX];
};

/* Boot only. */
void vm_init(void);

/*
 * The VM with this handle, its lock held; NULL if there is none (nothing held then). A VM that is
 * found stays until vm_unlock. Seed: acquire_lock_vm.
 */
struct vm *vm_lock(u64 handle) CV_NO_LOCK_ANALYSIS;
void vm_unlock(struct vm *vm) CV_RELEASE(vm->lock);
/* Tells the compiler's lock analysis what a successful vm_lock() means. */
static inline void vm_assume_locked(struct vm *vm) CV_ATTR(assert_capability(vm->lock))
{
	(void)vm;
}

/* Pre: the lock is held. Atomic, because a running vCPU looks at the state without it. */
static inline void vm_set_state(struct vm *vm, enum vm_state state)
{
	__atomic_store_n(&vm->state, state, __ATOMIC_RELEASE);
}

/* Pre: the lock is held. What it is made of may still be added to; while it is loaded, only by its
 * snapshot. */
static inline bool vm_is_being_built(const struct vm *vm)
{
	return vm->state == VM_READY && vm->seal.mode == SEAL_NONE;
}

/* Under the lock: 0 stays 0, and all that those vCPUs did has happened. */
static inline u32 vm_active(const struct vm *vm)
{
	return __atomic_load_n(&vm->active_count, __ATOMIC_ACQUIRE);
}

bool vm_is_ram(const struct vm *vm, gfn_t gfn);
/* End of the RAM range that holds `gfn`, 0 if none does; and where the next range after `gfn`
 * begins, or GFN_LIMIT. */
u64 vm_ram_end(const struct vm *vm, gfn_t gfn);
u64 vm_ram_next(const struct vm *vm, gfn_t gfn);

/* The calls of abi.h, arguments as there, still unchecked. Errors and their order: abi.h. */
CV_MUST_USE enum cv_status vm_create(u64 record_pfn, u64 root_pfn, u64 flags, const u64 owner[4],
				     u64 *handle);
CV_MUST_USE enum cv_status vm_topup(u64 handle, u64 pfn);
CV_MUST_USE enum cv_status vm_add_ram(u64 handle, u64 gfn, u64 pages);
CV_MUST_USE enum cv_status vm_kill(u64 handle);
CV_MUST_USE enum cv_status vm_destroy(u64 handle, u64 *left);
CV_MUST_USE enum cv_status vm_create_vcpu(u64 handle, u64 index, u64 record_pfn, u64 run_pfn);

/* READY -> VERIFIED: its counter starts at `guest_time`. Pre: the lock is held. */
void vm_set_verified(struct vm *vm, u64 guest_time) CV_REQUIRES(vm->lock);

/* Panic: clears the roots of all VMs' stage 2. Takes no lock. */
void vm_revoke_all(void);
/* SYSTEM_OFF / RESET of the host: marks every VM dying and scrubs every page of every VM. Pre: no
 * other CPU runs. */
void vm_scrub_all(void);
u32 vm_count(void);
u32 vm_vcpu_count(void);

#endif
