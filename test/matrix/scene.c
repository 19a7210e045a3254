/* SPDX-License-Identifier: BSD-3-Clause */
#include "scene.h"

struct spec_state spec;
u64 vm_a;
u64 vm_b;
u64 vm_dead;
struct owner owner;
u64 image_pfn;

static u64 next_spare;

u64 must(enum cv_status status)
{
	if (status != CV_OK) {
		fake_fail("the scene cannot be set: %d", status);
	}
	return 0;
}

void scene_begin(void)
{
	if (owner.curve == 0) {
		owner_make(&owner, RV_CURVE_P256, 1);
	}
	observe_boot(&spec, &observe_machine);
	fake_poke(SUBJECT, 0, 0x1234);
	know(SUBJECT);
	spares_are_back();
}

u64 spare(void)
{
	return next_spare++;
}

u64 spare_root(void)
{
	u64 root = align_up(next_spare, 2);

	next_spare = root + 2;
	return root;
}

void spares_are_back(void)
{
	next_spare = SPARE;
}

u64 make_vm(u64 flags)
{
	const u64 *words = (flags & RV_VM_PROTECTED) != 0 ? owner.words : fake_no_owner;
	u64 record = spare();
	u64 root = spare_root();
	u64 handle;
	u64 expected;

	BOTH(vm_create(record, root, flags, words, &handle),
	     spec_vm_create(&spec, record, root, flags, words, &expected));
	assert_int_equal(handle, expected);
	BOTH(vm_add_ram(handle, 0, RAM_PAGES), spec_vm_add_ram(&spec, handle, 0, RAM_PAGES));
	for (u32 i = 0; i < 4; i++) {
		u64 pfn = spare();

		BOTH(vm_topup(handle, pfn), spec_vm_topup(&spec, handle, pfn));
	}
	return handle;
}

void map(u64 handle, u64 gfn, u64 pfn)
{
	u64 done;

	BOTH(mem_map(handle, gfn, pfn, 1, &done), spec_map(&spec, handle, gfn, pfn, 1, &done));
}

void make_image(u64 pages)
{
	const u64 gpa = GFN_IMAGE << PAGE_SHIFT;
	const u64 bytes = pages << PAGE_SHIFT;
	u64 index;
	u64 done;

	image_pfn = spare();
	BOTH(image_add(vm_a, gpa, bytes, &index), spec_image_add(&spec, vm_a, gpa, bytes, &index));
	BOTH(image_map(vm_a, index, image_pfn, 1, &done),
	     spec_image_map(&spec, vm_a, index, image_pfn, 1, &done));
}

void set_state(u64 handle, enum vm_state state, u32 active) CV_NO_LOCK_ANALYSIS
{
	struct vm *vm = vm_lock(handle);

	vm->state = state;
	vm->active_count = active;
	vm_unlock(vm);
	spec_vm(&spec, handle)->state = state;
	spec_vm(&spec, handle)->active = active;
}

static void attach(u64 handle)
{
	const struct spec_vm *vm = spec_vm(&spec, handle);

	fake_attach(handle & 0xff, pa_make(vm == NULL ? 0 : vm->donated[1] << PAGE_SHIFT));
}

void attach_vms(void)
{
	attach(vm_a);
	attach(vm_b);
}

enum cv_status wish_core(u64 handle, u64 first, u64 end, enum s2_wish wish, bool destroyed,
			 u64 *next) CV_NO_LOCK_ANALYSIS
{
	struct vm *vm = vm_lock(handle);
	gfn_t gfn = gfn_make(first);
	enum cv_status status = mem_vm_set_wish(vm, &gfn, gfn_make(end), wish, destroyed);

	if (status != CV_OK && gfn.v != first) {
		fake_fail("a refusal moved the gfn");
	}
	vm_unlock(vm);
	*next = gfn.v;
	return status;
}

enum cv_status wish_spec(u64 handle, u64 first, u64 end, enum s2_wish wish, bool destroyed,
			 u64 *next)
{
	*next = first;
	return spec_set_wish(&spec, handle, next, end, wish, destroyed);
}

void set_wish(u64 handle, u64 gfn, enum s2_wish wish)
{
	u64 next;

	BOTH(wish_core(handle, gfn, gfn + 1, wish, true, &next),
	     wish_spec(handle, gfn, gfn + 1, wish, true, &next));
}

void know(u64 pfn)
{
	struct spec_page *page = spec_page(&spec, pfn);

	if (page != NULL && page->owner != OWNER_CORE) {
		page->token = fake_page_token(pfn);
	}
}

void put(u64 pfn, const void *data, u64 bytes)
{
	const u64 *words = data;

	for (u64 i = 0; i < bytes / sizeof(u64); i++) {
		fake_poke(pfn, i * sizeof(u64), words[i]);
	}
	know(pfn);
}

void drain_pool(enum pool_scene scene)
{
	static struct pool drained;
	u32 left = scene == POOL_LOW ? CORE_POOL_FLOOR : 0;

	if (scene != POOL_FULL) {
		assert_true(pool_reserve(mem_core_pool(), &drained, spec.core_free - left, 0));
		spec.core_free = left;
	}
}
