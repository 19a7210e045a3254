/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Device pages in VMs. Guarantees: a device page is in at most one map, the host's or one VM's, and
 * only what the platform lists ever leaves the host; a VM's device pages lie outside its RAM. They
 * have no ledger entry: the host's map itself says what is still the host's. What the device
 * remembers when its page changes hands is between its drivers: the corevisor knows no device.
 */
#include <cv/mem.h>

#include <cv/arch.h>
#include <cv/host_map.h>
#include <cv/ledger.h>

/* Entries that mem_io_overlaps() looks at; a table has 512. */
#define LOOKS_MAX 4096

static enum cv_status io_check(struct vm *vm, gfn_t gfn, pfn_t pfn) CV_REQUIRES(vm->lock)
{
	if (gfn.v >= GFN_LIMIT || vm_is_ram(vm, gfn)) {
		return CV_E_RANGE;
	}
	if (pfn.v >= GFN_LIMIT || ledger_is_ram(pfn) || !plat_is_assignable(pfn)) {
		return CV_E_PERM;
	}
	if (!vm_is_being_built(vm) || !host_map_walk(gfn_ipa(pfn_host_gfn(pfn))).is_mapped) {
		return CV_E_STATE;
	}
	if (s2_walk(&vm->s2, gfn).is_mapped) {
		return CV_E_BUSY;
	}
	return pool_count(&vm->tables) < s2_tables_needed(&vm->s2, gfn, 3) ? CV_E_NOMEM : CV_OK;
}

static enum cv_status io_map(struct vm *vm, gfn_t gfn, pfn_t pfn) CV_REQUIRES(vm->lock)
{
	struct pool reserved;
	enum cv_status status = io_check(vm, gfn, pfn);

	if (status != CV_OK) {
		return status;
	}
	if (!pool_reserve(mem_core_pool(), &reserved, host_map_tables_needed(pfn, 3),
			  CORE_POOL_FLOOR)) {
		return CV_E_NOMEM;
	}
	if (host_map_take_device(pfn, &reserved)) {
		s2_map(&vm->s2, gfn, pfn_pa(pfn), 3, S2_DEVICE, S2_WISH_PRIVATE);
		vm->device_pages++;
	} else {
		status = CV_E_STATE; /* another VM got it since the check */
	}
	pool_return(mem_core_pool(), &reserved);
	return status;
}

enum cv_status mem_map_io(u64 handle, u64 gfn, u64 pfn)
{
	struct vm *vm = vm_lock(handle);
	enum cv_status status;

	if (vm == NULL) {
		return CV_E_NOENT;
	}
	vm_assume_locked(vm);
	status = io_map(vm, gfn_make(gfn), pfn_make(pfn));
	vm_unlock(vm);
	return status;
}

void mem_io_reclaim(struct vm *vm, gfn_t gfn, const struct s2_leaf *leaf)
{
	s2_unmap(&vm->s2, gfn, 3, leaf->wish);
	host_map_give_device(pa_pfn(leaf->pa));
	vm->device_pages--;
}

bool mem_io_overlaps(const struct vm *vm, u64 gfn, u64 pages)
{
	u64 end = gfn + pages;

	if (vm->device_pages == 0) {
		return false;
	}
	for (u32 looks = 0; gfn < end; looks++) {
		struct s2_leaf leaf = s2_walk(&vm->s2, gfn_make(gfn));

		if (leaf.is_mapped || looks == LOOKS_MAX) {
			return true;
		}
		gfn = s2_leaf_end(&leaf, gfn);
	}
	return false;
}
