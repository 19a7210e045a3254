/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * VM records and their slots. Guarantees: a record is reached only through its slot, under the
 * slot's lock, by a handle that no other VM of this boot ever had; a slot's VMID is in no TLB when
 * the slot is given out again; what a VM was built of goes back scrubbed.
 */
#include <cv/vm.h>

#include <string.h>

#include <cv/arch.h>
#include <cv/check.h>
#include <cv/ledger.h>
#include <cv/mem.h>
#include <cv/rng.h>
#include <cv/vcpu.h>

/* What is returned last, and together: the record and the roots. */
#define CORE_OF_VM_PAGES (VM_RECORD_PAGES + S2_ROOT_PAGES)

_Static_assert(sizeof(struct vm) <= VM_RECORD_PAGES * PAGE_SIZE, "a VM record is one page");
_Static_assert(VM_SLOTS <= OWNER_VM_LAST - OWNER_VM_FIRST + 1, "a slot is an owner number");

struct vm_slot {
	struct lock lock; /* this is vm->lock; guards the fields below but `is_taken` */
	u64 handle;	  /* 0: nobody can find a VM here */
	struct vm *vm;
	struct s2 s2;  /* for the panic: reached without the record */
	bool is_taken; /* slots.lock */
};

static struct {
	struct lock lock;
	u64 generation;
	struct vm_slot slot[VM_SLOTS];
	u32 vm_count; /* atomic, these two */
	u32 vcpu_count;
} slots = { .lock = LOCK_INIT(LOCK_RANK_VM_SLOTS) };

void vm_init(void)
{
	lock_init(&slots.lock, LOCK_RANK_VM_SLOTS);
	slots.generation = 0;
	slots.vm_count = 0;
	slots.vcpu_count = 0;
	for (u32 i = 0; i < VM_SLOTS; i++) {
		slots.slot[i] = (struct vm_slot){ .handle = 0 };
		lock_init(&slots.slot[i].lock, LOCK_RANK_VM);
	}
}

static u32 slot_owner(const struct vm_slot *slot)
{
	return (u32)(slot - slots.slot) + OWNER_VM_FIRST;
}

/* NULL: all taken. */
static struct vm_slot *slot_alloc(void)
{
	struct vm_slot *found = NULL;

	lock_acquire(&slots.lock);
	for (u32 i = 0; i < VM_SLOTS; i++) {
		if (!slots.slot[i].is_taken) {
			found = &slots.slot[i];
			found->is_taken = true;
			break;
		}
	}
	lock_release(&slots.lock);
	return found;
}

static void slot_free(struct vm_slot *slot)
{
	lock_acquire(&slots.lock);
	slot->is_taken = false;
	lock_release(&slots.lock);
}

struct vm *vm_lock(u64 handle)
{
	u64 index = (u64)vm_handle_owner(handle) - OWNER_VM_FIRST;
	struct vm_slot *slot;

	if (index >= VM_SLOTS) {
		return NULL;
	}
	slot = &slots.slot[index];
	lock_acquire(&slot->lock);
	if (slot->handle != handle) {
		lock_release(&slot->lock);
		return NULL;
	}
	return slot->vm;
}

void vm_unlock(struct vm *vm)
{
	lock_release(vm->lock);
}

/* ---- RAM ranges ---- */

u64 vm_ram_end(const struct vm *vm, gfn_t gfn)
{
	for (u32 i = 0; i < vm->ram_count; i++) {
		if (gfn.v - vm->ram[i].first.v < vm->ram[i].pages) {
			return vm->ram[i].first.v + vm->ram[i].pages;
		}
	}
	return 0;
}

u64 vm_ram_next(const struct vm *vm, gfn_t gfn)
{
	u64 next = GFN_LIMIT;

	for (u32 i = 0; i < vm->ram_count; i++) {
		if (vm->ram[i].first.v > gfn.v) {
			next = min_u64(next, vm->ram[i].first.v);
		}
	}
	return next;
}

bool vm_is_ram(const struct vm *vm, gfn_t gfn)
{
	return vm_ram_end(vm, gfn) != 0;
}

/* ---- pages that a VM is built of ---- */

static void donated_push(struct vm *vm, pfn_t pfn) CV_REQUIRES(vm->lock)
{
	mem_core_set_next(pfn, vm->donated);
	vm->donated = pfn;
	vm->donated_count++;
}

static pfn_t donated_pop(struct vm *vm) CV_REQUIRES(vm->lock)
{
	pfn_t pfn = vm->donated;

	vm->donated = mem_core_next(pfn);
	vm->donated_count--;
	return pfn;
}

/* ---- create ---- */

static enum cv_status create_check(const u64 *pfns, u32 count, u64 flags, const u64 owner[4])
{
	const bool is_protected = (flags & RV_VM_PROTECTED) != 0;

	if ((flags & ~(u64)RV_VM_PROTECTED) != 0 ||
	    !is_aligned(pfns[VM_RECORD_PAGES], S2_ROOT_PAGES) ||
	    (!is_protected && (owner[0] | owner[1] | owner[2] | owner[3]) != 0)) {
		return CV_E_INVALID;
	}
	if (is_protected && !rng_is_ready()) {
		return CV_E_NOENTROPY;
	}
	return mem_host_pages_check(pfns, count);
}

/* Fills the record and lets it be found. Pre: the pages are the corevisor's and zero; the slot is
 * ours. */
static u64 create_commit(struct vm_slot *slot, const u64 *pfns, u32 count, u64 flags,
			 const u64 owner[4]) CV_NO_LOCK_ANALYSIS
{
	struct vm *vm = arch_core_va(pfn_pa(pfn_make(pfns[0])));
	u64 generation = __atomic_add_fetch(&slots.generation, 1, __ATOMIC_RELAXED);

	lock_acquire(&slot->lock);
	vm->lock = &slot->lock;
	vm->owner = slot_owner(slot);
	vm->handle = generation << VM_HANDLE_OWNER_BITS | vm->owner;
	vm->is_protected = (flags & RV_VM_PROTECTED) != 0;
	vm->state = VM_READY;
	memcpy(vm->owner_key, owner, sizeof(vm->owner_key));
	if (vm->is_protected) {
		CV_CHECK(rng_bytes(vm->instance, sizeof(vm->instance)));
	}
	vm->s2 = (struct s2){
		.root = pfn_pa(pfn_make(pfns[VM_RECORD_PAGES])),
		.vmid = owner_vmid(vm->owner),
		.pool = &vm->tables,
	};
	pool_init(&vm->tables);
	for (u32 i = 0; i < count; i++) {
		donated_push(vm, pfn_make(pfns[i]));
	}
	slot->vm = vm;
	slot->s2 = vm->s2;
	slot->handle = vm->handle;
	lock_release(&slot->lock);
	__atomic_fetch_add(&slots.vm_count, 1, __ATOMIC_RELAXED);
	return generation << VM_HANDLE_OWNER_BITS | slot_owner(slot);
}

enum cv_status vm_create(u64 record_pfn, u64 root_pfn, u64 flags, const u64 owner[4], u64 *handle)
{
	const u64 pfns[CORE_OF_VM_PAGES] = { record_pfn, root_pfn, root_pfn + 1 };
	enum cv_status status = create_check(pfns, CORE_OF_VM_PAGES, flags, owner);
	struct vm_slot *slot;

	if (status != CV_OK) {
		return status;
	}
	slot = slot_alloc();
	if (slot == NULL) {
		return CV_E_BUSY;
	}
	status = mem_host_take_pages(pfns, CORE_OF_VM_PAGES);
	if (status != CV_OK) {
		slot_free(slot);
		return status;
	}
	mem_core_clear_pages(pfns, CORE_OF_VM_PAGES);
	*handle = create_commit(slot, pfns, CORE_OF_VM_PAGES, flags, owner);
	return CV_OK;
}

/* ---- set-up calls ---- */

static enum cv_status topup_locked(struct vm *vm, u64 pfn) CV_REQUIRES(vm->lock)
{
	enum cv_status status = mem_host_page_check(pfn);

	if (status != CV_OK) {
		return status;
	}
	if (vm->state == VM_POWEROFF) {
		return CV_E_STATE;
	}
	status = mem_host_donate_core(pfn);
	if (status == CV_OK) {
		donated_push(vm, pfn_make(pfn));
		pool_put(&vm->tables, pfn_make(pfn));
	}
	return status;
}

enum cv_status vm_topup(u64 handle, u64 pfn)
{
	struct vm *vm = vm_lock(handle);
	enum cv_status status;

	if (vm == NULL) {
		return CV_E_NOENT;
	}
	vm_assume_locked(vm);
	status = topup_locked(vm, pfn);
	vm_unlock(vm);
	return status;
}

static enum cv_status add_ram_locked(struct vm *vm, u64 gfn, u64 pages) CV_REQUIRES(vm->lock)
{
	if (gfn >= GFN_LIMIT || pages > GFN_LIMIT - gfn) {
		return CV_E_RANGE;
	}
	if (!vm_is_being_built(vm)) {
		return CV_E_STATE;
	}
	for (u32 i = 0; i < vm->ram_count; i++) {
		const struct vm_ram *ram = &vm->ram[i];

		if (gfn < ram->first.v + ram->pages && ram->first.v < gfn + pages) {
			return CV_E_BUSY;
		}
	}
	if (vm->ram_count == RV_RAM_RANGES || mem_io_overlaps(vm, gfn, pages)) {
		return CV_E_BUSY;
	}
	vm->ram[vm->ram_count] = (struct vm_ram){ .first = gfn_make(gfn), .pages = pages };
	vm->ram_count++;
	return CV_OK;
}

enum cv_status vm_add_ram(u64 handle, u64 gfn, u64 pages)
{
	struct vm *vm;
	enum cv_status status;

	if (pages == 0) {
		return CV_E_INVALID;
	}
	vm = vm_lock(handle);
	if (vm == NULL) {
		return CV_E_NOENT;
	}
	vm_assume_locked(vm);
	status = add_ram_locked(vm, gfn, pages);
	vm_unlock(vm);
	return status;
}

static enum cv_status create_vcpu_check(const struct vm *vm, u64 index, const u64 *pfns)
	CV_REQUIRES(vm->lock)
{
	enum cv_status status = mem_host_pages_check(pfns, VCPU_RECORD_PAGES + 1);

	if (status != CV_OK) {
		return status;
	}
	if (!vm_is_being_built(vm)) {
		return CV_E_STATE;
	}
	return vm->vcpus[index] != NULL ? CV_E_BUSY : CV_OK;
}

static void create_vcpu_commit(struct vm *vm, u32 index, pfn_t record, pfn_t run)
	CV_REQUIRES(vm->lock)
{
	struct vcpu *vcpu = arch_core_va(pfn_pa(record));

	donated_push(vm, record);
	vcpu->vm = vm;
	vcpu->index = index;
	vcpu->mpidr = vcpu_mpidr(index);
	vcpu->run = arch_core_va(pfn_pa(run));
	vcpu->run_pfn = run;
	vcpu->run_state = VCPU_READY;
	vcpu->power = VCPU_OFF;
	vm->vcpus[index] = vcpu;
	vm->vcpu_count++;
	__atomic_fetch_add(&slots.vcpu_count, 1, __ATOMIC_RELAXED);
}

static enum cv_status create_vcpu_locked(struct vm *vm, u32 index, const u64 *pfns)
	CV_REQUIRES(vm->lock)
{
	const u64 run_pfn = pfns[VCPU_RECORD_PAGES];
	enum cv_status status = create_vcpu_check(vm, index, pfns);

	if (status != CV_OK) {
		return status;
	}
	status = mem_host_take_pages(pfns, VCPU_RECORD_PAGES);
	if (status != CV_OK) {
		return status;
	}
	status = mem_host_share_core(run_pfn);
	if (status != CV_OK) {
		mem_host_untake_core(pfn_make(pfns[0]));
		return status;
	}
	mem_core_clear_pages(pfns, VCPU_RECORD_PAGES);
	create_vcpu_commit(vm, index, pfn_make(pfns[0]), pfn_make(run_pfn));
	return CV_OK;
}

enum cv_status vm_create_vcpu(u64 handle, u64 index, u64 record_pfn, u64 run_pfn)
{
	const u64 pfns[VCPU_RECORD_PAGES + 1] = { record_pfn, run_pfn };
	struct vm *vm;
	enum cv_status status;

	_Static_assert(VCPU_RECORD_PAGES == 1 && VM_RECORD_PAGES == 1,
		       "the page lists above name one record page");
	if (index >= VM_VCPUS_MAX) {
		return CV_E_INVALID;
	}
	vm = vm_lock(handle);
	if (vm == NULL) {
		return CV_E_NOENT;
	}
	vm_assume_locked(vm);
	status = create_vcpu_locked(vm, (u32)index, pfns);
	vm_unlock(vm);
	return status;
}

void vm_set_verified(struct vm *vm, u64 guest_time)
{
	CV_CHECK(vm->state == VM_READY);
	vm->cntvoff = arch_counter() - guest_time;
	vm_set_state(vm, VM_VERIFIED);
}

/* ---- the end of a VM ---- */

enum cv_status vm_kill(u64 handle)
{
	struct vm *vm = vm_lock(handle);

	if (vm == NULL) {
		return CV_E_NOENT;
	}
	vm_assume_locked(vm);
	vm_set_state(vm, VM_POWEROFF);
	vm->seal = (struct seal){ 0 }; /* a snapshot under way ends here, key and all */
	vm_unlock(vm);
	return CV_OK;
}

static enum cv_status destroy_check(const struct vm *vm) CV_REQUIRES(vm->lock)
{
	if (vm->state != VM_POWEROFF) {
		return CV_E_STATE;
	}
	return vm_active(vm) > 0 || vm->guest_pages > 0 || vm->device_pages > 0 ||
			       vm->dma_contexts > 0
		       ? CV_E_BUSY
		       : CV_OK;
}

/* Cuts off what hangs on the VM: from here on its free list, its tables below the roots and its
 * vCPUs are just pages. */
static void destroy_detach(struct vm *vm) CV_REQUIRES(vm->lock)
{
	s2_clear_root(&vm->s2);
	pool_init(&vm->tables);
	for (u32 i = 0; i < VM_VCPUS_MAX; i++) {
		if (vm->vcpus[i] != NULL) {
			mem_host_unshare_core(vm->vcpus[i]->run_pfn);
			vm->vcpus[i] = NULL;
		}
	}
	__atomic_fetch_sub(&slots.vcpu_count, vm->vcpu_count, __ATOMIC_RELAXED);
	vm->vcpu_count = 0;
}

/* The record itself goes. Nobody finds it any more; who waits for the lock finds another handle
 * behind it. */
static void destroy_record(struct vm *vm) CV_REQUIRES(vm->lock)
{
	struct vm_slot *slot = &slots.slot[vm->owner - OWNER_VM_FIRST];
	pfn_t pfns[CORE_OF_VM_PAGES];

	slot->handle = 0;
	slot->vm = NULL;
	slot->s2 = (struct s2){ .root = { 0 } };
	for (u32 i = 0; i < CORE_OF_VM_PAGES; i++) {
		pfns[i] = donated_pop(vm);
	}
	for (u32 i = 0; i < CORE_OF_VM_PAGES; i++) {
		mem_core_return_host(pfns[i]);
	}
	__atomic_fetch_sub(&slots.vm_count, 1, __ATOMIC_RELAXED);
}

enum cv_status vm_destroy(u64 handle, u64 *left) CV_NO_LOCK_ANALYSIS
{
	struct vm *vm = vm_lock(handle);
	struct lock *lock;
	enum cv_status status;

	if (vm == NULL) {
		return CV_E_NOENT;
	}
	lock = vm->lock; /* the record may be gone below */
	status = destroy_check(vm);
	if (status == CV_OK) {
		u32 returned = 0;

		destroy_detach(vm);
		while (vm->donated_count > CORE_OF_VM_PAGES &&
		       returned < RV_BATCH_PAGES - CORE_OF_VM_PAGES) {
			mem_core_return_host(donated_pop(vm));
			returned++;
		}
		*left = vm->donated_count > CORE_OF_VM_PAGES ? vm->donated_count : 0;
		if (*left == 0) {
			u32 owner = vm->owner;

			destroy_record(vm);
			lock_release(lock);
			slot_free(&slots.slot[owner - OWNER_VM_FIRST]);
			return CV_OK;
		}
	}
	lock_release(lock);
	return status;
}

/* ---- all VMs ---- */

void vm_revoke_all(void)
{
	for (u32 i = 0; i < VM_SLOTS; i++) {
		if (slots.slot[i].s2.root.v != 0) {
			s2_clear_root(&slots.slot[i].s2);
		}
	}
}

/* No lock: no other CPU runs, and one that was stopped may hold any. */
static void scrub_pages_of_vms(void)
{
	u32 count;
	const struct ledger_region *regions = ledger_regions(&count);

	for (u32 i = 0; i < count; i++) {
		pfn_t first = pa_pfn(regions[i].base);

		for (u64 page = 0; page < regions[i].pages; page++) {
			if (ledger_get(pfn_add(first, page)).owner >= OWNER_VM_FIRST) {
				arch_page_scrub(pfn_add(first, page));
			}
		}
	}
}

static void scrub_record(struct vm_slot *slot)
{
	pfn_t pfn = slot->vm->donated;

	slot->handle = 0;
	slot->vm = NULL;
	while (pfn.v != 0) {
		pfn_t next = pfn_make(ledger_get(pfn).gfn);

		arch_page_scrub(pfn);
		pfn = next;
	}
}

void vm_scrub_all(void)
{
	vm_revoke_all();
	scrub_pages_of_vms();
	for (u32 i = 0; i < VM_SLOTS; i++) {
		if (slots.slot[i].vm != NULL) {
			scrub_record(&slots.slot[i]);
		}
		slots.slot[i].s2 = (struct s2){ .root = { 0 } };
	}
}

u32 vm_count(void)
{
	return __atomic_load_n(&slots.vm_count, __ATOMIC_RELAXED);
}

u32 vm_vcpu_count(void)
{
	return __atomic_load_n(&slots.vcpu_count, __ATOMIC_RELAXED);
}
