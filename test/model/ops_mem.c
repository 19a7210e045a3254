/* SPDX-License-Identifier: BSD-3-Clause */
/* Operations on guest memory, and accesses of software at EL1. */
#include "ops.h"

bool is_live_vm(const u64 *arg)
{
	return model_vm(arg[0]) != NULL;
}

bool is_begun_vm(const u64 *arg)
{
	return model_vm(arg[0]) != NULL && model_has_begun(model_vm(arg[0]));
}

/* Most calls are about a few pages, some about more than there are. */
static u64 pick_pages(void)
{
	if (one_in(20)) {
		return one_in(2) ? pick(700) : 0;
	}
	return 1 + (one_in(4) ? pick(2 * PAGES_PER_BLOCK + 2) : pick(4));
}

/* ---- what the host gives and takes ---- */

void draw_map(u64 *arg)
{
	arg[0] = pick_slot();
	arg[1] = pick_unbacked_gfn(arg[0]);
	arg[2] = pick_free_pfn();
	arg[3] = pick_pages();
	if (one_in(5)) { /* what a block can be, or nearly */
		arg[1] = align_down(arg[1], PAGES_PER_BLOCK);
		arg[2] = align_down(arg[2], PAGES_PER_BLOCK);
		arg[3] = PAGES_PER_BLOCK - 1 + pick(4);
	}
}

struct outcome core_map(const u64 *arg)
{
	struct outcome out = { 0 };

	out.status = mem_map(model_handle(arg[0]), arg[1], arg[2], arg[3], &out.value);
	return out;
}

struct outcome expect_map(const u64 *arg)
{
	struct outcome out = { 0 };

	out.status =
		spec_map(&model.spec, model_handle(arg[0]), arg[1], arg[2], arg[3], &out.value);
	return out;
}

void draw_reclaim(u64 *arg)
{
	arg[0] = one_in(2) ? pick_slot() : pick_slot_where(is_off);
	arg[1] = pick_backed_gfn(arg[0]);
	arg[2] = one_in(20) ? ~0ull - pick(2) : pick_pages();
	if (model_vm(arg[0]) != NULL && is_off(model_vm(arg[0])) && one_in(2)) {
		arg[1] = 0;
		arg[2] = SPEC_GFNS;
	}
}

struct outcome core_reclaim(const u64 *arg)
{
	struct outcome out = { 0 };

	out.status = mem_reclaim(model_handle(arg[0]), arg[1], arg[2], &out.value);
	return out;
}

struct outcome expect_reclaim(const u64 *arg)
{
	struct outcome out = { 0 };

	out.status = spec_reclaim(&model.spec, model_handle(arg[0]), arg[1], arg[2], &out.value);
	return out;
}

/* ---- what the guest declares ---- */

void draw_set_wish(u64 *arg)
{
	arg[0] = pick_slot();
	arg[1] = one_in(3) ? pick_gfn() : pick_backed_gfn(arg[0]);
	arg[2] = arg[1] + pick_pages();
	arg[3] = one_in(20) ? S2_WISH_DESTROYED : pick(2);
	arg[4] = pick(2);
}

struct outcome core_set_wish(const u64 *arg) CV_NO_LOCK_ANALYSIS
{
	struct vm *vm = vm_lock(model_handle(arg[0]));
	gfn_t gfn = gfn_make(arg[1]);
	struct outcome out = { 0 };

	out.status = mem_vm_set_wish(vm, &gfn, gfn_make(arg[2]), (enum s2_wish)arg[3], arg[4] != 0);
	vm_unlock(vm);
	out.value = gfn.v;
	return out;
}

struct outcome expect_set_wish(const u64 *arg)
{
	struct outcome out = { .value = arg[1] };

	out.status = spec_set_wish(&model.spec, model_handle(arg[0]), &out.value, arg[2],
				   (enum s2_wish)arg[3], arg[4] != 0);
	return out;
}

void draw_get_wish(u64 *arg)
{
	arg[0] = pick_slot();
	arg[1] = pick(SPEC_GFNS + 4);
	arg[2] = arg[1] + 1 + pick(SPEC_GFNS + 8);
}

/* Both answers in one value. */
static struct outcome wish_answer(enum s2_wish wish, u64 until)
{
	return (struct outcome){ .value = until << 2 | wish };
}

struct outcome core_get_wish(const u64 *arg) CV_NO_LOCK_ANALYSIS
{
	struct vm *vm = vm_lock(model_handle(arg[0]));
	gfn_t until;
	enum s2_wish wish = mem_vm_get_wish(vm, gfn_make(arg[1]), gfn_make(arg[2]), &until);

	vm_unlock(vm);
	return wish_answer(wish, until.v);
}

struct outcome expect_get_wish(const u64 *arg)
{
	u64 until;
	enum s2_wish wish =
		spec_get_wish(&model.spec, model_handle(arg[0]), arg[1], arg[2], &until);

	return wish_answer(wish, until);
}

void draw_vm_write(u64 *arg)
{
	arg[0] = pick_slot();
	arg[1] = (pick_backed_gfn(arg[0]) << PAGE_SHIFT) + pick(PAGE_SIZE);
	arg[2] = 1 + pick(8);
	arg[3] = pick(1000);
}

struct outcome core_vm_write(const u64 *arg) CV_NO_LOCK_ANALYSIS
{
	struct vm *vm = vm_lock(model_handle(arg[0]));
	struct outcome out = { 0 };

	out.status = mem_vm_write(vm, ipa_make(arg[1]), &arg[3], arg[2]);
	vm_unlock(vm);
	return out;
}

struct outcome expect_vm_write(const u64 *arg)
{
	struct outcome out = { 0 };

	out.status = spec_vm_write(&model.spec, model_handle(arg[0]), arg[1], arg[2]);
	if (out.status == CV_OK) {
		model_retoken(model_vm(arg[0])->gfn[arg[1] >> PAGE_SHIFT].pfn);
	}
	return out;
}

/* ---- software at EL1 ---- */

void draw_host_access(u64 *arg)
{
	arg[0] = pick_pfn();
	arg[1] = pick(3);
	arg[2] = pick(1000);
}

struct outcome model_fault_unless(bool ok)
{
	return (struct outcome){ .status = ok ? CV_OK : CV_E_PERM };
}

struct outcome core_host_access(const u64 *arg)
{
	u64 ipa = arg[0] << PAGE_SHIFT | arg[2] % (PAGE_SIZE / sizeof(u64)) * sizeof(u64);
	u64 value;

	if (arg[0] >= GFN_LIMIT) {
		return model_fault_unless(false); /* no such address: the MMU would not even look */
	}
	switch (arg[1]) {
	case MEM_READ:
		return model_fault_unless(fake_host_read(model.cpu, ipa, &value));
	case MEM_WRITE:
		return model_fault_unless(fake_host_write(model.cpu, ipa, arg[2]));
	default:
		return model_fault_unless(fake_host_fetch(model.cpu, ipa, &value));
	}
}

struct outcome expect_host_access(const u64 *arg)
{
	const struct spec_page *page = spec_page(&model.spec, arg[0]);
	const struct spec_io *io = spec_io(&model.spec, arg[0]);
	bool is_device = arg[0] < GFN_LIMIT && (io == NULL || io->vm == 0) &&
			 arg[0] != model_machine.fake.hidden_base >> PAGE_SHIFT;
	bool ok;

	if (page == NULL) {
		return model_fault_unless(is_device && arg[1] != MEM_EXEC);
	}
	ok = arg[1] == MEM_READ ? page->is_host : page->is_host_rw;
	if (ok && arg[1] == MEM_WRITE) {
		model_retoken(arg[0]);
	}
	return model_fault_unless(ok);
}

void draw_guest_access(u64 *arg)
{
	arg[0] = pick_slot();
	arg[1] = pick_backed_gfn(arg[0]) % GFN_LIMIT;
	arg[2] = pick(3);
	arg[3] = pick(1000);
}

struct outcome core_guest_access(const u64 *arg)
{
	u32 vmid = owner_vmid(vm_handle_owner(model_handle(arg[0]))).v;
	u64 ipa = arg[1] << PAGE_SHIFT;
	u64 value;

	switch (arg[2]) {
	case MEM_READ:
		return model_fault_unless(fake_read(model.cpu, vmid, ipa, &value, FAKE_CACHED));
	case MEM_WRITE:
		return model_fault_unless(fake_write(model.cpu, vmid, ipa, arg[3], FAKE_CACHED));
	default:
		return model_fault_unless(fake_fetch(model.cpu, vmid, ipa, &value));
	}
}

struct outcome expect_guest_access(const u64 *arg)
{
	u64 pfn = arg[1] < SPEC_GFNS ? model_vm(arg[0])->gfn[arg[1]].pfn : 0;

	if (spec_io(&model.spec, pfn) != NULL) {
		return model_fault_unless(arg[2] != MEM_EXEC);
	}
	if (pfn != 0 && arg[2] == MEM_WRITE) {
		model_retoken(pfn);
	}
	return model_fault_unless(pfn != 0);
}
