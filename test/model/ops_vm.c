/* SPDX-License-Identifier: BSD-3-Clause */
/* Operations on VMs and what they are built of. */
#include "ops.h"

/* ---- create ---- */

/* It gets pages, runs, and is saved. */
static void live(u64 slot, u64 entry, u64 vcpus)
{
	for (u64 i = pick(3); i > 0; i--) {
		draw_then("mem_map", (u64[]){ slot, pick(16), pick_free_pfn(), 1 + pick(3) }, 4);
	}
	if (vcpus > 0 && one_in(2)) {
		draw_then("vcpu_boot", (u64[]){ slot, 0, entry, pick(100) }, 4);
		draw_then("vcpu_claim", (u64[]){ slot, 0, 0 }, 3);
		draw_then("vcpu_start", (u64[]){ slot, 0 }, 2);
		draw_then("vcpu_release", (u64[]){ slot, 0 }, 2);
	}
	draw_then("seal_save_begin", (u64[]){ slot, pick_free_pfn(), pick(SNAPSHOTS), true }, 4);
	draw_save(slot, (1u << vcpus) - 1, 2 + pick(10));
}

/* RAM, tables and vCPUs for the new VM, so that most VMs get somewhere. */
static void furnish(u64 slot, bool is_protected)
{
	u64 vcpus = pick(SPEC_VCPUS + 1);
	bool is_to_live = is_protected && !one_in(3);

	if (!one_in(8)) {
		u64 pages = one_in(3) ? SPEC_GFNS : 1 + pick(SPEC_GFNS);

		draw_then("vm_add_ram", (u64[]){ slot, 0, pages }, 3);
	}
	for (u64 i = is_to_live ? 3 + pick(4) : pick(6); i > 0; i--) {
		draw_then("vm_topup", (u64[]){ slot, pick_free_pfn() }, 2);
	}
	for (u64 i = 0; i < vcpus; i++) {
		draw_then("vm_create_vcpu", (u64[]){ slot, i, pick_free_pfn(), pick_free_pfn() },
			  4);
	}
	if (is_protected) {
		u64 bytes = one_in(2) ? PAGE_SIZE : 1 + pick(2 * PAGE_SIZE);
		u64 gpa = pick(8) << PAGE_SHIFT;

		draw_then("image_add", (u64[]){ slot, gpa, bytes }, 3);
		draw_then("image_map", (u64[]){ slot, 0, pick_free_pfn(), 1 }, 4);
		if (is_to_live) {
			draw_verify(slot, gpa);
			live(slot, gpa, vcpus);
		}
	}
}

static u64 free_slot(void)
{
	u64 slot = 0;

	while (slot < SPEC_VMS && model_vm(slot) != NULL) {
		slot++;
	}
	return slot;
}

void draw_vm_create(u64 *arg)
{
	u64 owner;
	u64 snapshot = snapshot_to_restore(&owner);

	arg[0] = pick_free_pfn();
	arg[1] = pick_root();
	arg[2] = one_in(20) ? pick(8) : !one_in(3);
	arg[3] = one_in(20) ? pick(3) : arg[2] == 0 ? 0 : 1 + (u64)one_in(4);
	arg[4] = !one_in(40);
	if (free_slot() < SPEC_VMS && is_free_pfn(arg[0]) && is_free_pfn(arg[1]) &&
	    arg[0] - arg[1] > 1) {
		if (arg[2] == RV_VM_PROTECTED && snapshot < SNAPSHOTS && !one_in(6)) {
			arg[3] = one_in(8) ? 1 + pick(2) : owner;
			draw_restore(free_slot(), snapshot);
		} else {
			furnish(free_slot(), arg[2] != 0);
		}
	}
}

/* Where the core has more slots than the specification, it is not asked for more VMs. */
bool has_room(const u64 *arg)
{
	(void)arg;
	return SPEC_VMS == VM_SLOTS || model.spec.vm_count < SPEC_VMS;
}

struct outcome core_vm_create(const u64 *arg)
{
	struct outcome out = { 0 };

	fake_entropy = arg[4];
	out.status = vm_create(arg[0], arg[1], arg[2], owner_words(arg[3]), &out.value);
	fake_entropy = true;
	if (out.status == CV_OK) {
		fake_attach(out.value & 0xff, pfn_pa(pfn_make(arg[1])));
	}
	return out;
}

struct outcome expect_vm_create(const u64 *arg)
{
	struct outcome out = { 0 };

	model.spec.has_entropy = arg[4];
	out.status = spec_vm_create(&model.spec, arg[0], arg[1], arg[2], owner_words(arg[3]),
				    &out.value);
	model.spec.has_entropy = true;
	for (u64 slot = 0; out.status == CV_OK && slot < SPEC_VMS; slot++) {
		if (model.spec.vm[slot].handle == out.value) {
			owner_set(slot, arg[3]);
		}
	}
	return out;
}

/* ---- what it is built of ---- */

void draw_vm_topup(u64 *arg)
{
	arg[0] = pick_slot();
	arg[1] = pick_free_pfn();
}

struct outcome core_vm_topup(const u64 *arg)
{
	return (struct outcome){ .status = vm_topup(model_handle(arg[0]), arg[1]) };
}

struct outcome expect_vm_topup(const u64 *arg)
{
	return (struct outcome){ .status =
					 spec_vm_topup(&model.spec, model_handle(arg[0]), arg[1]) };
}

/* What the pool gets it keeps: not too much, or nothing is left for VMs. But sometimes a page of
 * each of many blocks, which costs more tables than it brings. */
void draw_pool_topup(u64 *arg)
{
	arg[0] = model.spec.core_free < 3 * CORE_POOL_FLOOR || one_in(8) ? pick_free_pfn()
									 : pick_pfn();
	if (one_in(40)) {
		for (u64 i = 1; i < 10; i++) {
			u64 pfn = arg[0] + i * PAGES_PER_BLOCK;

			draw_then("pool_topup", &pfn, 1);
		}
	}
}

struct outcome core_pool_topup(const u64 *arg)
{
	return (struct outcome){ .status = mem_pool_topup(arg[0]) };
}

struct outcome expect_pool_topup(const u64 *arg)
{
	return (struct outcome){ .status = spec_pool_topup(&model.spec, arg[0]) };
}

void draw_vm_add_ram(u64 *arg)
{
	arg[0] = pick_slot();
	arg[1] = pick(SPEC_GFNS);
	arg[2] = one_in(12) ? 0 : 1 + pick(SPEC_GFNS - arg[1]);
	if (one_in(12)) {
		arg[1] = GFN_LIMIT - 2 + pick(4);
		arg[2] = one_in(2) ? ~0ull : 3 + pick(4); /* always beyond the end */
	}
}

struct outcome core_vm_add_ram(const u64 *arg)
{
	return (struct outcome){ .status = vm_add_ram(model_handle(arg[0]), arg[1], arg[2]) };
}

struct outcome expect_vm_add_ram(const u64 *arg)
{
	return (struct outcome){ .status = spec_vm_add_ram(&model.spec, model_handle(arg[0]),
							   arg[1], arg[2]) };
}

void draw_vm_create_vcpu(u64 *arg)
{
	arg[0] = pick_slot();
	arg[1] = one_in(3) ? pick_vcpu(arg[0]) : pick(SPEC_VCPUS);
	arg[2] = pick_free_pfn();
	arg[3] = one_in(20) ? arg[2] : pick_free_pfn();
}

struct outcome core_vm_create_vcpu(const u64 *arg)
{
	return (struct outcome){ .status = vm_create_vcpu(model_handle(arg[0]), arg[1], arg[2],
							  arg[3]) };
}

struct outcome expect_vm_create_vcpu(const u64 *arg)
{
	return (struct outcome){ .status = spec_vm_create_vcpu(&model.spec, model_handle(arg[0]),
							       arg[1], arg[2], arg[3]) };
}

/* ---- its end ---- */

/* Often all the way. */
static void wind_up(u64 slot)
{
	if (one_in(2)) {
		return;
	}
	draw_then("mem_reclaim", (u64[]){ slot, 0, SPEC_GFNS }, 3);
	draw_then("vm_destroy", (u64[]){ slot }, 1);
}

void draw_vm_kill(u64 *arg)
{
	arg[0] = pick_slot();
	wind_up(arg[0]);
}

struct outcome core_vm_kill(const u64 *arg)
{
	return (struct outcome){ .status = vm_kill(model_handle(arg[0])) };
}

struct outcome expect_vm_kill(const u64 *arg)
{
	return (struct outcome){ .status = spec_vm_kill(&model.spec, model_handle(arg[0])) };
}

void draw_vm_destroy(u64 *arg)
{
	arg[0] = one_in(3) ? pick_slot() : pick_slot_where(is_off);
}

struct outcome core_vm_destroy(const u64 *arg)
{
	const struct spec_vm *vm = model_vm(arg[0]);
	u64 handle = model_handle(arg[0]);
	struct outcome out = { 0 };

	/* No CPU has the VM's root in its VTTBR_EL2 when no vCPU is on one. */
	if (vm != NULL && vm->active == 0) {
		fake_attach(vm->handle & 0xff, pa_make(0));
	}
	out.status = vm_destroy(handle, &out.value);
	if (vm != NULL && (out.status != CV_OK || out.value != 0)) {
		fake_attach(vm->handle & 0xff, pfn_pa(pfn_make(vm->donated[1])));
	}
	return out;
}

struct outcome expect_vm_destroy(const u64 *arg)
{
	u64 handle = model_handle(arg[0]);
	struct outcome out = { 0 };

	out.status = spec_vm_destroy(&model.spec, handle, &out.value);
	if (out.status == CV_OK && out.value == 0) {
		model.dead[arg[0]] = handle;
	}
	return out;
}
