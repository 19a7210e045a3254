/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The matrix: one page (the subject) in every state it can have, VMs in every state they can have,
 * and every call made with it, legal or not. Each cell: the status and results are the
 * specification's; the state afterwards is the specification's, bit for bit (so a refusal changed
 * nothing); invariants, TLBs and caches are as they must be. Then once more with hostile CPUs that
 * write to the page whenever they can.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <cv/seal.h>

#include "observe.h"
#include "owner.h"

/* Pages the scenes use: in the second block of the first bank, the last block of it, and the
 * unaligned bank. */
#define BLOCK1 (0x40200000ull >> PAGE_SHIFT)
#define SUBJECT (BLOCK1 + 7)
#define BLOCK2 (0x40400000ull >> PAGE_SHIFT)
#define SPARE (0x409f5000ull >> PAGE_SHIFT) /* first page of the second bank */
#define JUNK 0x6a756e6b6a756e6bull

/* Guest pages */
#define GFN_SUBJECT 3ull /* backed by the subject where a VM has it */
#define GFN_FREE 5ull	 /* unbacked, private */
#define GFN_SHARED 6ull	 /* unbacked, shared */
#define GFN_DESTROYED 7ull
#define GFN_BACKED 8ull	 /* backed by another page, in both VMs */
#define GFN_FAR 600ull	 /* another leaf table */
#define GFN_BLOCK 512ull /* 2 MiB of the VM's that nothing backs, with no leaf table */
#define GFN_IMAGE 16ull	 /* an image of two pages, of which one is there */
#define RAM_PAGES 1024ull

static struct spec_state spec;
static u64 vm_a; /* protected */
static u64 vm_b; /* open */
static u64 vm_dead;
static struct owner owner; /* vm_a's */

/* ---- scenes: the world before the call ---- */

enum page_scene {
	PAGE_IS_HOST,
	PAGE_IS_HOST_LONELY /* its block has another foreign page */,
	PAGE_IS_OPEN,
	PAGE_IS_OPEN_TWICE,
	PAGE_IS_RUN,
	PAGE_IS_PRIVATE,
	PAGE_IS_SHARED,
	PAGE_IS_VM_TABLE,
	PAGE_IS_POOL,
	PAGE_IS_CORE_PAGE,
	PAGE_IS_BOOT,
	PAGE_IS_INFO,
	PAGE_IS_HOLE,
	PAGE_SCENES
};
static const char *const page_names[PAGE_SCENES] = {
	"host",
	"host, block split",
	"open VM's",
	"open VM's twice",
	"run page",
	"private",
	"shared by guest",
	"VM table",
	"pool",
	"core",
	"boot core",
	"info",
	"not RAM",
};

enum vm_scene {
	VMS_READY,
	VMS_VERIFIED,
	VMS_BUSY /* a vCPU is on a CPU */,
	VMS_SAVING /* vm_a is frozen for its snapshot */,
	VMS_POWEROFF,
	VMS_POWEROFF_BUSY,
	VM_SCENES
};
static const char *const vm_names[VM_SCENES] = { "ready",  "verified", "busy",
						 "saving", "off",      "off and busy" };

enum pool_scene {
	POOL_FULL,
	POOL_LOW /* the core's tables are down to the floor */,
	POOL_DRY /* none */,
	POOL_SCENES
};

static u64 must(enum cv_status status)
{
	if (status != CV_OK) {
		fake_fail("the scene cannot be set: %d", status);
	}
	return 0;
}

/* Makes a call on core and specification while the scene is set. */
#define BOTH(call_core, call_spec) (must(call_core), must(call_spec))

static u64 next_spare;

static u64 spare(void)
{
	return next_spare++;
}

static u64 make_vm(u64 flags)
{
	const u64 *words = (flags & RV_VM_PROTECTED) != 0 ? owner.words : fake_no_owner;
	u64 record = spare();
	u64 root = align_up(spare(), 2);
	u64 handle;
	u64 expected;

	next_spare = root + 2;
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

static void set_wish(u64 handle, u64 first, u64 end, enum s2_wish wish) CV_NO_LOCK_ANALYSIS
{
	struct vm *vm = vm_lock(handle);
	gfn_t gfn = gfn_make(first);

	must(mem_vm_set_wish(vm, &gfn, gfn_make(end), wish, true));
	vm_unlock(vm);
	must(spec_set_wish(&spec, handle, &first, end, wish, true));
}

static void set_running(u64 handle, enum vm_state state, u32 active) CV_NO_LOCK_ANALYSIS
{
	struct vm *vm = vm_lock(handle);

	vm->state = state;
	vm->active_count = active;
	vm_unlock(vm);
	spec_vm(&spec, handle)->state = state;
	spec_vm(&spec, handle)->active = active;
}

static void map(u64 handle, u64 gfn, u64 pfn)
{
	u64 done;

	BOTH(mem_map(handle, gfn, pfn, 1, &done), spec_map(&spec, handle, gfn, pfn, 1, &done));
}

/* An image of vm_a of `pages` pages, the first of which is `pfn`. */
static void load(u64 gfn, u64 pages, u64 pfn)
{
	u64 index;
	u64 done;

	BOTH(image_add(vm_a, gfn << PAGE_SHIFT, pages << PAGE_SHIFT, &index),
	     spec_image_add(&spec, vm_a, gfn << PAGE_SHIFT, pages << PAGE_SHIFT, &index));
	BOTH(image_map(vm_a, index, pfn, 1, &done),
	     spec_image_map(&spec, vm_a, index, pfn, 1, &done));
}

static void put_page(u64 pfn, const void *data)
{
	const u64 *words = data;

	for (u64 i = 0; i < PAGE_SIZE / sizeof(u64); i++) {
		fake_poke(pfn, i * sizeof(u64), words[i]);
	}
	spec_page(&spec, pfn)->token = fake_page_token(pfn);
}

/* Launch pages for images of zeros: one of the owner, one of somebody else. */
static void make_launches(u64 good, u64 foreign)
{
	static const u8 zeros[2 * PAGE_SIZE];
	static struct rv_launch launch[2];
	const struct owner_policy policy = { .entry = GFN_IMAGE << PAGE_SHIFT };
	const struct owner_image image = { GFN_IMAGE << PAGE_SHIFT, sizeof(zeros), zeros };
	struct owner other;

	if (launch[0].magic == 0) {
		owner_make(&other, RV_CURVE_P256, 2);
		owner_sign(&owner, &policy, &image, 1, &launch[0]);
		owner_sign(&other, &policy, &image, 1, &launch[1]);
	}
	put_page(good, &launch[0]);
	put_page(foreign, &launch[1]);
}

static void make_vms(void)
{
	next_spare = SPARE;
	vm_dead = make_vm(0);
	u64 left = 1;

	BOTH(vm_kill(vm_dead), spec_vm_kill(&spec, vm_dead));
	BOTH(vm_destroy(vm_dead, &left), spec_vm_destroy(&spec, vm_dead, &left));
	assert_int_equal(left, 0);
	next_spare = SPARE;
	vm_a = make_vm(RV_VM_PROTECTED);
	vm_b = make_vm(0);
	fake_attach(vm_a & 0xff, pa_make(spec_vm(&spec, vm_a)->donated[1] << PAGE_SHIFT));
	fake_attach(vm_b & 0xff, pa_make(spec_vm(&spec, vm_b)->donated[1] << PAGE_SHIFT));
	set_wish(vm_a, GFN_SHARED, GFN_SHARED + 1, S2_WISH_SHARED);
	set_wish(vm_a, GFN_DESTROYED, GFN_DESTROYED + 1, S2_WISH_DESTROYED);
	map(vm_a, GFN_BACKED, spare());
	map(vm_b, GFN_BACKED, spare());
	load(GFN_IMAGE, 2, spare());
}

static u64 scene_page(enum page_scene scene)
{
	u64 subject = SUBJECT;
	u64 other = BLOCK1 + 100;

	switch (scene) {
	case PAGE_IS_HOST_LONELY:
		BOTH(mem_host_donate_core(other), spec_host_donate_core(&spec, other));
		break;
	case PAGE_IS_OPEN_TWICE:
		map(vm_b, GFN_FAR + 1, subject);
		/* fall through */
	case PAGE_IS_OPEN:
		map(vm_b, GFN_SUBJECT, subject);
		break;
	case PAGE_IS_RUN:
		other = spare();
		BOTH(vm_create_vcpu(vm_a, 1, other, subject),
		     spec_vm_create_vcpu(&spec, vm_a, 1, other, subject));
		break;
	case PAGE_IS_SHARED:
		set_wish(vm_a, GFN_SUBJECT, GFN_SUBJECT + 1, S2_WISH_SHARED);
		/* fall through */
	case PAGE_IS_PRIVATE:
		map(vm_a, GFN_SUBJECT, subject);
		break;
	case PAGE_IS_VM_TABLE:
		BOTH(vm_topup(vm_a, subject), spec_vm_topup(&spec, vm_a, subject));
		break;
	case PAGE_IS_POOL:
		BOTH(mem_pool_topup(subject), spec_pool_topup(&spec, subject));
		break;
	case PAGE_IS_CORE_PAGE:
		BOTH(mem_host_donate_core(subject), spec_host_donate_core(&spec, subject));
		break;
	case PAGE_IS_BOOT:
		return (0x40000000ull >> PAGE_SHIFT) + 10;
	case PAGE_IS_INFO:
		return fake_info_pfn();
	case PAGE_IS_HOLE:
		return SPARE - 1;
	default:
		break;
	}
	return subject;
}

/* As the owner's manifest would have said. */
static void set_may_be_saved(void) CV_NO_LOCK_ANALYSIS
{
	struct vm *vm = vm_lock(vm_a);

	vm->may_be_saved = true;
	vm_unlock(vm);
	spec_vm(&spec, vm_a)->may_be_saved = true;
}

static void scene_vms(enum vm_scene scene)
{
	static const struct {
		enum vm_state state;
		u32 active;
	} of[VM_SCENES] = {
		[VMS_READY] = { VM_READY, 0 },	     [VMS_VERIFIED] = { VM_VERIFIED, 0 },
		[VMS_BUSY] = { VM_VERIFIED, 1 },     [VMS_SAVING] = { VM_VERIFIED, 0 },
		[VMS_POWEROFF] = { VM_POWEROFF, 0 }, [VMS_POWEROFF_BUSY] = { VM_POWEROFF, 1 },
	};

	set_running(vm_a, of[scene].state, of[scene].active);
	set_running(vm_b, of[scene].state, of[scene].active);
	if (of[scene].state == VM_VERIFIED) {
		set_may_be_saved();
	}
	if (scene == VMS_SAVING) {
		u64 pfn = spare();

		BOTH(seal_save_begin(vm_a, pfn), spec_seal_save_begin(&spec, vm_a, pfn, 0));
		spec_page(&spec, pfn)->token = fake_page_token(pfn);
	}
}

/* Takes tables out of the core's pool until `left` are left. */
static struct pool drained;

static void scene_pool(enum pool_scene scene)
{
	u32 left = scene == POOL_LOW ? CORE_POOL_FLOOR : 0;

	if (scene != POOL_FULL) {
		assert_true(pool_reserve(mem_core_pool(), &drained, spec.core_free - left, 0));
		spec.core_free = left;
	}
}

/* ---- calls ---- */

struct outcome {
	enum cv_status status;
	u64 value; /* 0 unless the status is CV_OK */
};

struct call {
	const char *name;
	struct outcome (*core)(u64 subject);
	struct outcome (*spec)(u64 subject);
};

static struct outcome outcome(enum cv_status status, u64 value)
{
	return (struct outcome){ status, status == CV_OK ? value : 0 };
}

#define CALL(name, core_expression, spec_expression) \
	static struct outcome do_core_##name(u64 p)  \
	{                                            \
		u64 v = 0;                           \
		enum cv_status s = core_expression;  \
		(void)p;                             \
		return outcome(s, v);                \
	}                                            \
	static struct outcome do_spec_##name(u64 p)  \
	{                                            \
		u64 v = 0;                           \
		enum cv_status s = spec_expression;  \
		(void)p;                             \
		return outcome(s, v);                \
	}

#define FREE_ROOT (BLOCK2 + 16)
#define FREE_PAGE (BLOCK2 + 20)
#define LAUNCH_GOOD (BLOCK2 + 40)
#define LAUNCH_FOREIGN (BLOCK2 + 41)
CALL(donate_core, mem_host_donate_core(p), spec_host_donate_core(&spec, p))
CALL(share_core, mem_host_share_core(p), spec_host_share_core(&spec, p))
CALL(pool_topup, mem_pool_topup(p), spec_pool_topup(&spec, p))
CALL(create_record, vm_create(p, FREE_ROOT, RV_VM_PROTECTED, fake_no_owner, &v),
     spec_vm_create(&spec, p, FREE_ROOT, RV_VM_PROTECTED, fake_no_owner, &v))
CALL(create_root, vm_create(FREE_PAGE, p & ~1ull, 0, fake_no_owner, &v),
     spec_vm_create(&spec, FREE_PAGE, p & ~1ull, 0, fake_no_owner, &v))
CALL(create_odd_root, vm_create(FREE_PAGE, p | 1, 0, fake_no_owner, &v),
     spec_vm_create(&spec, FREE_PAGE, p | 1, 0, fake_no_owner, &v))
CALL(create_same, vm_create(p, p & ~1ull, 0, fake_no_owner, &v),
     spec_vm_create(&spec, p, p & ~1ull, 0, fake_no_owner, &v))
CALL(create_flags, vm_create(p, FREE_ROOT, 2, fake_no_owner, &v),
     spec_vm_create(&spec, p, FREE_ROOT, 2, fake_no_owner, &v))
CALL(create_owned, vm_create(p, FREE_ROOT, 0, owner.words, &v),
     spec_vm_create(&spec, p, FREE_ROOT, 0, owner.words, &v))
CALL(create_huge, vm_create(p, ~1ull, 0, fake_no_owner, &v),
     spec_vm_create(&spec, p, ~1ull, 0, fake_no_owner, &v))
CALL(topup_a, vm_topup(vm_a, p), spec_vm_topup(&spec, vm_a, p))
CALL(topup_b, vm_topup(vm_b, p), spec_vm_topup(&spec, vm_b, p))
CALL(topup_dead, vm_topup(vm_dead, p), spec_vm_topup(&spec, vm_dead, p))
CALL(vcpu_record, vm_create_vcpu(vm_a, 0, p, FREE_PAGE),
     spec_vm_create_vcpu(&spec, vm_a, 0, p, FREE_PAGE))
CALL(vcpu_run, vm_create_vcpu(vm_b, 0, FREE_PAGE, p),
     spec_vm_create_vcpu(&spec, vm_b, 0, FREE_PAGE, p))
CALL(vcpu_same, vm_create_vcpu(vm_b, 0, p, p), spec_vm_create_vcpu(&spec, vm_b, 0, p, p))
CALL(vcpu_exists, vm_create_vcpu(vm_a, 1, p, FREE_PAGE),
     spec_vm_create_vcpu(&spec, vm_a, 1, p, FREE_PAGE))
CALL(vcpu_index, vm_create_vcpu(vm_a, 64, p, FREE_PAGE),
     spec_vm_create_vcpu(&spec, vm_a, 64, p, FREE_PAGE))
CALL(vcpu_dead, vm_create_vcpu(vm_dead, 0, p, FREE_PAGE),
     spec_vm_create_vcpu(&spec, vm_dead, 0, p, FREE_PAGE))
#define MAP(name, vm, gfn, pages) \
	CALL(name, mem_map(vm, gfn, p, pages, &v), spec_map(&spec, vm, gfn, p, pages, &v))
MAP(map_a, vm_a, GFN_FREE, 1)
MAP(map_a_shared, vm_a, GFN_SHARED, 1)
MAP(map_a_destroyed, vm_a, GFN_DESTROYED, 1)
MAP(map_a_backed, vm_a, GFN_BACKED, 1)
MAP(map_a_again, vm_a, GFN_SUBJECT, 1)
MAP(map_a_far, vm_a, GFN_FAR, 1)
MAP(map_a_outside, vm_a, RAM_PAGES, 1)
MAP(map_a_beyond, vm_a, ~0ull, 1)
MAP(map_a_many, vm_a, GFN_FREE, 3)
MAP(map_a_none, vm_a, GFN_FREE, 0)
MAP(map_b, vm_b, GFN_FREE, 1)
MAP(map_b_backed, vm_b, GFN_BACKED, 1)
MAP(map_b_again, vm_b, GFN_SUBJECT, 1)
MAP(map_b_far, vm_b, GFN_FAR, 2)
MAP(map_dead, vm_dead, GFN_FREE, 1)
MAP(map_no_vm, 0, GFN_FREE, 1)
#define IMAGE_ADD(name, vm, gpa, bytes) \
	CALL(name, image_add(vm, gpa, bytes, &v), spec_image_add(&spec, vm, gpa, bytes, &v))
IMAGE_ADD(image_add, vm_a, GFN_FREE << PAGE_SHIFT, 100)
IMAGE_ADD(image_add_open, vm_b, GFN_FREE << PAGE_SHIFT, 100)
IMAGE_ADD(image_add_dead, vm_dead, GFN_FREE << PAGE_SHIFT, 100)
IMAGE_ADD(image_add_over, vm_a, (GFN_IMAGE - 1) << PAGE_SHIFT, PAGE_SIZE + 1)
IMAGE_ADD(image_add_beyond, vm_a, (RAM_PAGES - 1) << PAGE_SHIFT, PAGE_SIZE + 1)
IMAGE_ADD(image_add_wrap, vm_a, GFN_FREE << PAGE_SHIFT, ~0ull)
IMAGE_ADD(image_add_odd, vm_a, (GFN_FREE << PAGE_SHIFT) + 8, 100)
IMAGE_ADD(image_add_none, vm_a, GFN_FREE << PAGE_SHIFT, 0)

/* Until there is no room. */
static enum cv_status add_many_core(u64 *value)
{
	enum cv_status status = CV_OK;

	for (u64 i = 0; status == CV_OK; i++) {
		status = image_add(vm_a, (32 + i) << PAGE_SHIFT, 1, value);
	}
	return status;
}

static enum cv_status add_many_spec(u64 *value)
{
	enum cv_status status = CV_OK;

	for (u64 i = 0; status == CV_OK; i++) {
		status = spec_image_add(&spec, vm_a, (32 + i) << PAGE_SHIFT, 1, value);
	}
	return status;
}

CALL(image_add_many, add_many_core(&v), add_many_spec(&v))
#define IMAGE_MAP(name, vm, index, pages)              \
	CALL(name, image_map(vm, index, p, pages, &v), \
	     spec_image_map(&spec, vm, index, p, pages, &v))
IMAGE_MAP(image_map, vm_a, 0, 1)
IMAGE_MAP(image_map_more, vm_a, 0, 3)
IMAGE_MAP(image_map_none, vm_a, 0, 0)
IMAGE_MAP(image_map_index, vm_a, 1, 1)
IMAGE_MAP(image_map_dead, vm_dead, 0, 1)

/* An image over a page that is there already. */
static enum cv_status map_backed_core(u64 pfn, u64 *value)
{
	enum cv_status status = image_add(vm_a, GFN_BACKED << PAGE_SHIFT, 1, value);

	return status == CV_OK ? image_map(vm_a, *value, pfn, 1, value) : status;
}

static enum cv_status map_backed_spec(u64 pfn, u64 *value)
{
	enum cv_status status = spec_image_add(&spec, vm_a, GFN_BACKED << PAGE_SHIFT, 1, value);

	return status == CV_OK ? spec_image_map(&spec, vm_a, *value, pfn, 1, value) : status;
}

CALL(image_map_backed, map_backed_core(p, &v), map_backed_spec(p, &v))

/* The image's last page, then the check. */
static enum cv_status verify_core(u64 page, u64 launch, u64 *value)
{
	enum cv_status status = image_map(vm_a, 0, page, 1, value);

	return status == CV_OK ? image_verify(vm_a, launch, value) : status;
}

static enum cv_status verify_spec(u64 page, u64 launch, enum spec_verdict verdict, u64 *value)
{
	enum cv_status status = spec_image_map(&spec, vm_a, 0, page, 1, value);

	return status == CV_OK ? spec_vm_verify(&spec, vm_a, launch, verdict,
						GFN_IMAGE << PAGE_SHIFT, false, value)
			       : status;
}

#define VERIFY(name, page, launch, verdict) \
	CALL(name, verify_core(page, launch, &v), verify_spec(page, launch, verdict, &v))
VERIFY(verify_junk, FREE_PAGE, p, SPEC_MALFORMED)
VERIFY(verify_foreign, p, LAUNCH_FOREIGN, SPEC_NOT_SIGNED)
VERIFY(verify_signed, FREE_PAGE, LAUNCH_GOOD, SPEC_SIGNED)
CALL(verify_early, image_verify(vm_a, p, &v),
     spec_vm_verify(&spec, vm_a, p, SPEC_MALFORMED, 0, false, &v))
CALL(verify_open, image_verify(vm_b, p, &v),
     spec_vm_verify(&spec, vm_b, p, SPEC_MALFORMED, 0, false, &v))
CALL(verify_dead, image_verify(vm_dead, p, &v),
     spec_vm_verify(&spec, vm_dead, p, SPEC_MALFORMED, 0, false, &v))
#define RECLAIM(name, vm, gfn, pages) \
	CALL(name, mem_reclaim(vm, gfn, pages, &v), spec_reclaim(&spec, vm, gfn, pages, &v))
RECLAIM(reclaim_a, vm_a, GFN_SUBJECT, 1)
RECLAIM(reclaim_a_all, vm_a, 0, RAM_PAGES)
RECLAIM(reclaim_a_space, vm_a, 0, GFN_LIMIT)
RECLAIM(reclaim_b, vm_b, GFN_SUBJECT, 1)
RECLAIM(reclaim_b_all, vm_b, 0, RAM_PAGES)
RECLAIM(reclaim_none, vm_b, 0, 0)
RECLAIM(reclaim_wrap, vm_b, 1, ~0ull)
RECLAIM(reclaim_dead, vm_dead, 0, 1)
CALL(kill_a, vm_kill(vm_a), spec_vm_kill(&spec, vm_a))
CALL(kill_dead, vm_kill(vm_dead), spec_vm_kill(&spec, vm_dead))
CALL(destroy_a, vm_destroy(vm_a, &v), spec_vm_destroy(&spec, vm_a, &v))
CALL(destroy_b, vm_destroy(vm_b, &v), spec_vm_destroy(&spec, vm_b, &v))
/* The whole end of a VM in one cell; the first status that is not CV_OK. */
static enum cv_status end_core(u64 vm, u64 *value)
{
	enum cv_status status = vm_kill(vm);

	status = status == CV_OK ? mem_reclaim(vm, 0, RAM_PAGES, value) : status;
	return status == CV_OK ? vm_destroy(vm, value) : status;
}

static enum cv_status end_spec(u64 vm, u64 *value)
{
	enum cv_status status = spec_vm_kill(&spec, vm);

	status = status == CV_OK ? spec_reclaim(&spec, vm, 0, RAM_PAGES, value) : status;
	return status == CV_OK ? spec_vm_destroy(&spec, vm, value) : status;
}

CALL(end_a, end_core(vm_a, &v), end_spec(vm_a, &v))
CALL(end_b, end_core(vm_b, &v), end_spec(vm_b, &v))
CALL(destroy_dead, vm_destroy(vm_dead, &v), spec_vm_destroy(&spec, vm_dead, &v))
CALL(add_ram, vm_add_ram(vm_a, RAM_PAGES, 64), spec_vm_add_ram(&spec, vm_a, RAM_PAGES, 64))
CALL(add_ram_over, vm_add_ram(vm_a, RAM_PAGES - 1, 64),
     spec_vm_add_ram(&spec, vm_a, RAM_PAGES - 1, 64))
CALL(add_ram_beyond, vm_add_ram(vm_a, GFN_LIMIT - 1, 2),
     spec_vm_add_ram(&spec, vm_a, GFN_LIMIT - 1, 2))
CALL(add_ram_wrap, vm_add_ram(vm_a, 4096, ~0ull), spec_vm_add_ram(&spec, vm_a, 4096, ~0ull))
CALL(add_ram_none, vm_add_ram(vm_a, RAM_PAGES, 0), spec_vm_add_ram(&spec, vm_a, RAM_PAGES, 0))

static struct outcome core_wish(u64 handle, u64 first, u64 end, enum s2_wish wish,
				bool destroyed) CV_NO_LOCK_ANALYSIS
{
	struct vm *vm = vm_lock(handle);
	gfn_t gfn = gfn_make(first);
	enum cv_status status = mem_vm_set_wish(vm, &gfn, gfn_make(end), wish, destroyed);

	if (status != CV_OK && gfn.v != first) {
		fake_fail("a refusal moved the gfn");
	}
	vm_unlock(vm);
	return outcome(status, gfn.v);
}

static struct outcome wish_spec(u64 handle, u64 first, u64 end, enum s2_wish wish, bool destroyed)
{
	enum cv_status status = spec_set_wish(&spec, handle, &first, end, wish, destroyed);

	return outcome(status, first);
}

#define WISH(name, ...)                             \
	static struct outcome do_core_##name(u64 p) \
	{                                           \
		(void)p;                            \
		return core_wish(__VA_ARGS__);      \
	}                                           \
	static struct outcome do_spec_##name(u64 p) \
	{                                           \
		(void)p;                            \
		return wish_spec(__VA_ARGS__);      \
	}
WISH(wish_shared, vm_a, GFN_SUBJECT, GFN_SUBJECT + 1, S2_WISH_SHARED, false)
WISH(wish_private, vm_a, GFN_SUBJECT, GFN_SUBJECT + 1, S2_WISH_PRIVATE, false)
WISH(wish_destroyed, vm_a, GFN_SUBJECT, GFN_SUBJECT + 1, S2_WISH_DESTROYED, false)
WISH(wish_undestroy, vm_a, GFN_DESTROYED, GFN_DESTROYED + 1, S2_WISH_PRIVATE, true)
WISH(wish_keep_destroyed, vm_a, 0, 16, S2_WISH_SHARED, false)
WISH(wish_all, vm_a, 0, RAM_PAGES, S2_WISH_SHARED, true)
WISH(wish_block, vm_a, 512, RAM_PAGES, S2_WISH_SHARED, true)
WISH(wish_far, vm_a, GFN_FAR, GFN_FAR + 2, S2_WISH_SHARED, true)
WISH(wish_outside, vm_a, RAM_PAGES, RAM_PAGES + 1, S2_WISH_SHARED, true)
WISH(wish_past_end, vm_a, RAM_PAGES - 1, RAM_PAGES + 1, S2_WISH_SHARED, true)
WISH(wish_empty, vm_a, 5, 5, S2_WISH_SHARED, true)
WISH(wish_open, vm_b, 0, RAM_PAGES, S2_WISH_SHARED, true)

/* ---- blocks: the 2 MiB around the subject ---- */

#define BLOCK_OF(p) align_down(p, 512)
#define MAP_AT(name, vm, gfn, pfn, pages) \
	CALL(name, mem_map(vm, gfn, pfn, pages, &v), spec_map(&spec, vm, gfn, pfn, pages, &v))
MAP_AT(block, vm_a, GFN_BLOCK, BLOCK_OF(p), 512)
MAP_AT(block_open, vm_b, GFN_BLOCK, BLOCK_OF(p), 512)
MAP_AT(block_short, vm_a, GFN_BLOCK, BLOCK_OF(p), 511)
MAP_AT(block_odd_pfn, vm_a, GFN_BLOCK, BLOCK_OF(p) + 1, 512)
MAP_AT(block_odd_gfn, vm_a, GFN_BLOCK - 1, BLOCK_OF(p), 513)
MAP_AT(block_behind_pages, vm_a, GFN_BLOCK - 4, BLOCK_OF(p) - 4, 516)
MAP_AT(block_with_table, vm_a, 0, BLOCK_OF(p), 512) /* there are wishes of single pages */
MAP_AT(block_outside, vm_a, RAM_PAGES, BLOCK_OF(p), 512)
MAP_AT(block_top, vm_a, ~511ull, BLOCK_OF(p), 512)

static enum cv_status block_core(u64 p)
{
	u64 done = 0;
	enum cv_status status = mem_map(vm_a, GFN_BLOCK, BLOCK_OF(p), 512, &done);

	return status == CV_OK && done < 512 ? CV_E_STATE : status;
}

static enum cv_status block_spec(u64 p)
{
	u64 done = 0;
	enum cv_status status = spec_map(&spec, vm_a, GFN_BLOCK, BLOCK_OF(p), 512, &done);

	return status == CV_OK && done < 512 ? CV_E_STATE : status;
}

/* First the VM has the block, as one if it can be, then the call. */
#define BLOCK_THEN(name, core_call, spec_call)                        \
	CALL(name, (s = block_core(p), s == CV_OK ? (core_call) : s), \
	     (s = block_spec(p), s == CV_OK ? (spec_call) : s))

static enum cv_status status_of(struct outcome out, u64 *value)
{
	*value = out.value;
	return out.status;
}

#define BLOCK_WISH(name, first, end, wish)                                       \
	BLOCK_THEN(name, status_of(core_wish(vm_a, first, end, wish, true), &v), \
		   status_of(wish_spec(vm_a, first, end, wish, true), &v))
BLOCK_WISH(block_wish_page, GFN_BLOCK + 7, GFN_BLOCK + 8, S2_WISH_SHARED)
BLOCK_WISH(block_wish_rest, GFN_BLOCK + 8, RAM_PAGES, S2_WISH_SHARED)
BLOCK_WISH(block_wish_whole, GFN_BLOCK, RAM_PAGES, S2_WISH_SHARED)
BLOCK_WISH(block_wish_after_page, GFN_BLOCK - 1, RAM_PAGES, S2_WISH_SHARED)
BLOCK_WISH(block_wish_same, GFN_BLOCK + 7, GFN_BLOCK + 8, S2_WISH_PRIVATE)
BLOCK_WISH(block_wish_destroyed, GFN_BLOCK, RAM_PAGES, S2_WISH_DESTROYED)
BLOCK_THEN(block_twice, mem_map(vm_a, GFN_BLOCK + 7, FREE_PAGE, 1, &v),
	   spec_map(&spec, vm_a, GFN_BLOCK + 7, FREE_PAGE, 1, &v))

/* A whole block is shared; then a part of it is private again, or all. */
static enum cv_status shared_core(u64 p, u64 first, u64 *value)
{
	enum cv_status status = block_core(p);

	if (status == CV_OK) {
		status = status_of(core_wish(vm_a, GFN_BLOCK, RAM_PAGES, S2_WISH_SHARED, true),
				   value);
	}
	return status == CV_OK
		       ? status_of(core_wish(vm_a, first, RAM_PAGES, S2_WISH_PRIVATE, true), value)
		       : status;
}

static enum cv_status shared_spec(u64 p, u64 first, u64 *value)
{
	enum cv_status status = block_spec(p);

	if (status == CV_OK) {
		status = status_of(wish_spec(vm_a, GFN_BLOCK, RAM_PAGES, S2_WISH_SHARED, true),
				   value);
	}
	return status == CV_OK
		       ? status_of(wish_spec(vm_a, first, RAM_PAGES, S2_WISH_PRIVATE, true), value)
		       : status;
}

CALL(block_unshare, shared_core(p, GFN_BLOCK, &v), shared_spec(p, GFN_BLOCK, &v))
CALL(block_unshare_part, shared_core(p, GFN_BLOCK + 3, &v), shared_spec(p, GFN_BLOCK + 3, &v))

/* The VM's end with a block in it, from `first` on; then what is left. */
static enum cv_status block_end_core(u64 p, u64 first, u64 shared, u64 *value)
{
	enum cv_status status = block_core(p);

	if (status == CV_OK && shared != 0) {
		status = core_wish(vm_a, shared, shared + 1, S2_WISH_SHARED, true).status;
	}
	status = status == CV_OK ? vm_kill(vm_a) : status;
	status = status == CV_OK ? mem_reclaim(vm_a, first, RAM_PAGES - first, value) : status;
	return status == CV_OK ? mem_reclaim(vm_a, *value, 1, value) : status;
}

static enum cv_status block_end_spec(u64 p, u64 first, u64 shared, u64 *value)
{
	enum cv_status status = block_spec(p);

	if (status == CV_OK && shared != 0) {
		status = wish_spec(vm_a, shared, shared + 1, S2_WISH_SHARED, true).status;
	}
	status = status == CV_OK ? spec_vm_kill(&spec, vm_a) : status;
	status = status == CV_OK ? spec_reclaim(&spec, vm_a, first, RAM_PAGES - first, value)
				 : status;
	return status == CV_OK ? spec_reclaim(&spec, vm_a, *value, 1, value) : status;
}

#define BLOCK_END(name, first, shared) \
	CALL(name, block_end_core(p, first, shared, &v), block_end_spec(p, first, shared, &v))
BLOCK_END(block_end, GFN_BLOCK, 0)
BLOCK_END(block_end_after_pages, 0, 0)
BLOCK_END(block_end_within, GFN_BLOCK + 9, 0)
BLOCK_END(block_end_split, GFN_BLOCK, GFN_BLOCK + 7)

/* ---- sealing ---- */

/* What the specification leaves to be seen where ciphertext is due. */
#define CIPHERTEXT 0xc1f4e7ull

static enum cv_status seen(enum cv_status status, u64 pfn)
{
	struct spec_page *page = spec_page(&spec, pfn);

	if (page != NULL && page->token == CIPHERTEXT) {
		page->token = fake_page_token(pfn);
	}
	return status;
}

static bool vm_a_has_vcpu(void)
{
	return spec_vm(&spec, vm_a) != NULL &&
	       spec_vm(&spec, vm_a)->vcpu[1].state != SPEC_VCPU_UNUSED;
}

static enum cv_status core_save_page(u64 vm, u64 pfn, u64 *value)
{
	u64 gfn = 0, what = 0, tag[2];
	enum cv_status status = seal_save_page(vm, pfn, &gfn, &what, tag);

	*value = gfn ^ what << 32;
	return seen(status, pfn);
}

static enum cv_status page_spec(u64 vm, u64 pfn, u64 *value)
{
	u64 gfn = 0, what = 0;
	enum cv_status status = spec_seal_save_page(&spec, vm, pfn, CIPHERTEXT, &gfn, &what);

	*value = gfn ^ what << 32;
	return status;
}

/* A whole snapshot of vm_a through one page; the value mixes all that was said. */
static enum cv_status core_save_all(u64 pfn, u64 *value)
{
	u64 tag[2], said = 0, last = 0;
	enum cv_status status = seal_save_begin(vm_a, pfn);

	if (vm_a_has_vcpu() && status == CV_OK) {
		status = seal_save_vcpu(vm_a, 1, pfn, tag);
	}
	while (status == CV_OK && last != RV_SEAL_NO_GFN) {
		u64 what = 0;

		status = seal_save_page(vm_a, pfn, &last, &what, tag);
		said = said * 31 + last + what;
	}
	*value = said;
	return seen(status == CV_OK ? seal_save_end(vm_a, pfn, tag) : status, pfn);
}

static enum cv_status spec_save_all(u64 pfn, u64 *value)
{
	u64 said = 0, last = 0;
	enum cv_status status = spec_seal_save_begin(&spec, vm_a, pfn, CIPHERTEXT);

	if (vm_a_has_vcpu() && status == CV_OK) {
		status = spec_seal_save_vcpu(&spec, vm_a, 1, pfn, CIPHERTEXT);
	}
	while (status == CV_OK && last != RV_SEAL_NO_GFN) {
		u64 what = 0;

		status = spec_seal_save_page(&spec, vm_a, pfn, CIPHERTEXT, &last, &what);
		said = said * 31 + last + what;
	}
	*value = said;
	return status == CV_OK ? spec_seal_save_end(&spec, vm_a, pfn, CIPHERTEXT) : status;
}

/* A new VM, empty, and the header that fits it: one row each for the first record of a page. */
#define HEADER_PAGE (BLOCK2 + 50)
#define WHAT_PAGE (RV_SEAL_BACKED | 1ull << RV_SEAL_PAGES_SHIFT)

static enum cv_status core_load(u64 pfn, bool fits, u64 *value) CV_NO_LOCK_ANALYSIS
{
	static const u64 tag[2];
	struct rv_seal_header header = { .magic = RV_SEAL_MAGIC, .version = RV_SEAL_VERSION };
	enum cv_status status =
		vm_create(FREE_PAGE, FREE_ROOT, RV_VM_PROTECTED, owner.words, value);
	u64 vm = *value;

	if (status != CV_OK) {
		return status;
	}
	memcpy(header.owner, owner.words, sizeof(header.owner));
	header.ram_count = fits;
	header.ram[0].pages = RAM_PAGES;
	for (u64 i = 0; i < sizeof(header); i += sizeof(u64)) {
		fake_poke(HEADER_PAGE, i, ((const u64 *)&header)[i / sizeof(u64)]);
	}
	spec_page(&spec, HEADER_PAGE)->token = fake_page_token(HEADER_PAGE);
	status = vm_add_ram(vm, 0, RAM_PAGES);
	for (u64 i = 0; i < 3 && status == CV_OK; i++) {
		status = vm_topup(vm, FREE_PAGE + 1 + i);
	}
	status = status == CV_OK ? seal_load_begin(vm, HEADER_PAGE) : status;
	return status == CV_OK ? seal_load_page(vm, GFN_FREE, WHAT_PAGE, pfn, tag) : status;
}

static enum cv_status load_spec(u64 pfn, enum spec_header header, u64 *value)
{
	enum cv_status status =
		spec_vm_create(&spec, FREE_PAGE, FREE_ROOT, RV_VM_PROTECTED, owner.words, value);
	u64 vm = *value;

	if (status != CV_OK) {
		return status;
	}
	status = spec_vm_add_ram(&spec, vm, 0, RAM_PAGES);
	for (u64 i = 0; i < 3 && status == CV_OK; i++) {
		status = spec_vm_topup(&spec, vm, FREE_PAGE + 1 + i);
	}
	status = status == CV_OK ? spec_seal_load_begin(&spec, vm, HEADER_PAGE, header) : status;
	return status == CV_OK ? spec_seal_load_page(&spec, vm, GFN_FREE, WHAT_PAGE, pfn, false, 0)
			       : status;
}

static u64 no_tag[2];
CALL(save_begin, seen(seal_save_begin(vm_a, p), p),
     spec_seal_save_begin(&spec, vm_a, p, CIPHERTEXT))
CALL(save_begin_open, seal_save_begin(vm_b, p), spec_seal_save_begin(&spec, vm_b, p, 0))
CALL(save_begin_dead, seal_save_begin(vm_dead, p), spec_seal_save_begin(&spec, vm_dead, p, 0))
CALL(save_vcpu, seen(seal_save_vcpu(vm_a, 1, p, no_tag), p),
     spec_seal_save_vcpu(&spec, vm_a, 1, p, CIPHERTEXT))
CALL(save_vcpu_none, seal_save_vcpu(vm_a, 2, p, no_tag), spec_seal_save_vcpu(&spec, vm_a, 2, p, 0))
CALL(save_page, core_save_page(vm_a, p, &v), page_spec(vm_a, p, &v))
CALL(save_page_dead, core_save_page(vm_dead, p, &v), page_spec(vm_dead, p, &v))
CALL(save_end_early, seal_save_end(vm_a, p, no_tag), spec_seal_save_end(&spec, vm_a, p, 0))
CALL(save_all, core_save_all(p, &v), spec_save_all(p, &v))
CALL(seal_abort, seal_abort(vm_a), spec_seal_abort(&spec, vm_a))
CALL(seal_abort_dead, seal_abort(vm_dead), spec_seal_abort(&spec, vm_dead))
CALL(load_begin_a, seal_load_begin(vm_a, p), spec_seal_load_begin(&spec, vm_a, p, SPEC_HEADER_FITS))
CALL(load_vcpu_a, seal_load_vcpu(vm_a, 1, p, no_tag), spec_seal_load_vcpu(&spec, vm_a, 1, p, NULL))
CALL(load_page_a, seal_load_page(vm_a, GFN_FREE, WHAT_PAGE, p, no_tag),
     spec_seal_load_page(&spec, vm_a, GFN_FREE, WHAT_PAGE, p, false, 0))
CALL(load_page_odd, seal_load_page(vm_a, GFN_FREE, RV_SEAL_BACKED, p, no_tag),
     spec_seal_load_page(&spec, vm_a, GFN_FREE, RV_SEAL_BACKED, p, false, 0))
CALL(load_end_a, seal_load_end(vm_a, p, no_tag), spec_seal_load_end(&spec, vm_a, p, false))
CALL(load_false, core_load(p, true, &v), load_spec(p, SPEC_HEADER_FITS, &v))
CALL(load_differs, core_load(p, false, &v), load_spec(p, SPEC_HEADER_DIFFERS, &v))

#define ENTRY(name)                                   \
	{                                             \
#name, do_core_##name, do_spec_##name \
	}
static const struct call calls[] = {
	ENTRY(donate_core),	ENTRY(share_core),
	ENTRY(pool_topup),	ENTRY(create_record),
	ENTRY(create_root),	ENTRY(create_odd_root),
	ENTRY(create_same),	ENTRY(create_flags),
	ENTRY(create_huge),	ENTRY(topup_a),
	ENTRY(topup_b),		ENTRY(topup_dead),
	ENTRY(vcpu_record),	ENTRY(vcpu_run),
	ENTRY(vcpu_same),	ENTRY(vcpu_exists),
	ENTRY(vcpu_index),	ENTRY(vcpu_dead),
	ENTRY(map_a),		ENTRY(image_add),
	ENTRY(map_a_shared),	ENTRY(map_a_destroyed),
	ENTRY(map_a_backed),	ENTRY(map_a_again),
	ENTRY(map_b_again),	ENTRY(map_a_far),
	ENTRY(map_a_outside),	ENTRY(map_a_beyond),
	ENTRY(map_a_many),	ENTRY(image_add_over),
	ENTRY(map_a_none),	ENTRY(map_b),
	ENTRY(image_add_open),	ENTRY(map_b_backed),
	ENTRY(map_b_far),	ENTRY(map_dead),
	ENTRY(map_no_vm),	ENTRY(reclaim_a),
	ENTRY(reclaim_a_all),	ENTRY(reclaim_a_space),
	ENTRY(reclaim_b),	ENTRY(reclaim_b_all),
	ENTRY(reclaim_none),	ENTRY(reclaim_wrap),
	ENTRY(reclaim_dead),	ENTRY(kill_a),
	ENTRY(kill_dead),	ENTRY(destroy_a),
	ENTRY(destroy_b),	ENTRY(end_a),
	ENTRY(end_b),		ENTRY(destroy_dead),
	ENTRY(add_ram),		ENTRY(add_ram_over),
	ENTRY(add_ram_beyond),	ENTRY(add_ram_wrap),
	ENTRY(add_ram_none),	ENTRY(wish_shared),
	ENTRY(wish_private),	ENTRY(wish_destroyed),
	ENTRY(wish_undestroy),	ENTRY(wish_keep_destroyed),
	ENTRY(wish_all),	ENTRY(wish_block),
	ENTRY(wish_far),	ENTRY(wish_outside),
	ENTRY(wish_past_end),	ENTRY(wish_empty),
	ENTRY(wish_open),	ENTRY(create_owned),
	ENTRY(image_add_dead),	ENTRY(image_add_beyond),
	ENTRY(image_add_wrap),	ENTRY(image_add_odd),
	ENTRY(image_add_none),	ENTRY(image_add_many),
	ENTRY(image_map),	ENTRY(image_map_more),
	ENTRY(image_map_none),	ENTRY(image_map_index),
	ENTRY(image_map_dead),	ENTRY(image_map_backed),
	ENTRY(verify_early),	ENTRY(verify_junk),
	ENTRY(verify_foreign),	ENTRY(verify_signed),
	ENTRY(verify_open),	ENTRY(verify_dead),
	ENTRY(save_begin),	ENTRY(save_begin_open),
	ENTRY(save_begin_dead), ENTRY(save_vcpu),
	ENTRY(save_vcpu_none),	ENTRY(save_page),
	ENTRY(save_page_dead),	ENTRY(save_end_early),
	ENTRY(save_all),	ENTRY(seal_abort),
	ENTRY(seal_abort_dead), ENTRY(load_begin_a),
	ENTRY(load_vcpu_a),	ENTRY(load_page_a),
	ENTRY(load_page_odd),	ENTRY(load_end_a),
	ENTRY(load_false),	ENTRY(load_differs),
};

/* Apart, because each moves 512 pages. */
static const struct call block_calls[] = {
	ENTRY(block),
	ENTRY(block_open),
	ENTRY(block_short),
	ENTRY(block_odd_pfn),
	ENTRY(block_odd_gfn),
	ENTRY(block_behind_pages),
	ENTRY(block_with_table),
	ENTRY(block_outside),
	ENTRY(block_top),
	ENTRY(block_wish_page),
	ENTRY(block_wish_rest),
	ENTRY(block_wish_whole),
	ENTRY(block_wish_after_page),
	ENTRY(block_wish_same),
	ENTRY(block_wish_destroyed),
	ENTRY(block_twice),
	ENTRY(block_unshare),
	ENTRY(block_unshare_part),
	ENTRY(block_end),
	ENTRY(block_end_after_pages),
	ENTRY(block_end_within),
	ENTRY(block_end_split),
};

/* ---- one cell ---- */

/* Everybody may have the subject and its neighbours in TLBs and caches, as data and as
 * instructions. */
static void warm(u64 subject)
{
	u64 value;

	fake_watch(OWNER_HOST, subject << PAGE_SHIFT);
	fake_watch(OWNER_HOST, (subject + 1) << PAGE_SHIFT);
	fake_watch(OWNER_HOST, (align_down(subject, 512) + 300) << PAGE_SHIFT);
	fake_watch(OWNER_HOST, FREE_PAGE << PAGE_SHIFT);
	fake_watch(OWNER_HOST, FREE_ROOT << PAGE_SHIFT);
	fake_watch(vm_a & 0xff, GFN_SUBJECT << PAGE_SHIFT);
	fake_watch(vm_a & 0xff, GFN_FREE << PAGE_SHIFT);
	fake_watch(vm_b & 0xff, GFN_SUBJECT << PAGE_SHIFT);
	fake_watch(vm_b & 0xff, GFN_FAR << PAGE_SHIFT);
	fake_check_tlbs();
	fake_fetch(1, OWNER_HOST, subject << PAGE_SHIFT, &value);
	fake_fetch(1, vm_a & 0xff, GFN_SUBJECT << PAGE_SHIFT, &value);
	fake_write(1, OWNER_HOST, (subject << PAGE_SHIFT) + 64, JUNK, FAKE_CACHED);
	fake_write(1, vm_a & 0xff, (GFN_SUBJECT << PAGE_SHIFT) + 64, JUNK, FAKE_CACHED);
}

static u64 set_scene(enum page_scene page, enum vm_scene vms, enum pool_scene pool)
{
	u64 subject;

	observe_boot(&spec, &observe_machine);
	fake_poke(SUBJECT, 0, 0x1234);
	spec_page(&spec, SUBJECT)->token = fake_page_token(SUBJECT);
	make_vms();
	make_launches(LAUNCH_GOOD, LAUNCH_FOREIGN);
	subject = scene_page(page);
	scene_vms(vms);
	warm(subject);
	if (spec_page(&spec, subject) != NULL && spec_page(&spec, subject)->owner != OWNER_CORE) {
		spec_page(&spec, subject)->token = fake_page_token(subject);
	}
	scene_pool(pool);
	return subject;
}

/* Who got the subject finds no trace of another in caches. */
static void check_clean(u64 subject, const struct spec_page *before, const char *what)
{
	const struct spec_page *after = spec_page(&spec, subject);

	if (after == NULL ||
	    (before->owner == OWNER_HOST && after->owner == OWNER_HOST && !after->is_shared)) {
		return; /* an open VM's page was the host's all the time */
	}
	if ((after->owner != before->owner || after->is_shared != before->is_shared) &&
	    after->owner != OWNER_CORE && !after->is_el2 && !fake_page_is_clean(subject) &&
	    !before->is_el2) {
		fake_fail("%s: the page's copies differ, or a stale instruction is left", what);
	}
}

static void cell(const struct call *call, enum page_scene page, enum vm_scene vms,
		 enum pool_scene pool, bool is_hostile)
{
	u64 subject = set_scene(page, vms, pool);
	struct spec_page before = { 0 };
	struct outcome expected;
	struct outcome got;
	bool is_vm_writing;
	char what[200];

	snprintf(what, sizeof(what), "page %s, VMs %s, pool %d, %s: %s", page_names[page],
		 vm_names[vms], pool, is_hostile ? "hostile" : "calm", call->name);
	if (spec_page(&spec, subject) != NULL) {
		before = *spec_page(&spec, subject);
	}
	is_vm_writing = before.owner == (vm_a & 0xff);
	if (is_hostile) {
		/* The one who has the page now writes on, whatever happens. */
		if (is_vm_writing) {
			fake_hostile_writer(2, vm_a & 0xff, GFN_SUBJECT << PAGE_SHIFT, JUNK);
		} else {
			fake_hostile_writer(2, OWNER_HOST, subject << PAGE_SHIFT, JUNK);
		}
	}
	expected = call->spec(subject);
	got = call->core(subject);
	if (got.status != expected.status || got.value != expected.value) {
		fake_fail("%s: status %d, value %#lx; specified: %d, %#lx", what, got.status,
			  got.value, expected.status, expected.value);
	}
	/* Destroyed VMs have no tables any more. */
	fake_attach(vm_a & 0xff, pa_make(spec_vm(&spec, vm_a) == NULL
						 ? 0
						 : spec_vm(&spec, vm_a)->donated[1] << PAGE_SHIFT));
	fake_attach(vm_b & 0xff, pa_make(spec_vm(&spec, vm_b) == NULL
						 ? 0
						 : spec_vm(&spec, vm_b)->donated[1] << PAGE_SHIFT));
	if (is_hostile) {
		const struct spec_page *after = spec_page(&spec, subject);

		fake_calm();
		observe_check(&spec, false, what);
		if (after != NULL && after->token == 0 && after->owner != before.owner &&
		    after->owner != OWNER_CORE && !fake_page_is_zero(subject) &&
		    (is_vm_writing || !after->is_host)) {
			fake_fail("%s: the page changed hands with its former owner's content",
				  what);
		}
	} else {
		check_clean(subject, &before, what);
		observe_check(&spec, true, what);
	}
}

/* These calls in the scenes of `vms` (a mask). */
static void run_calls(const struct call *these, u32 count, enum pool_scene pool, u32 vms_mask,
		      bool is_hostile)
{
	u32 cells = 0;

	for (u32 page = 0; page < PAGE_SCENES; page++) {
		for (u32 vms = 0; vms < VM_SCENES; vms++) {
			if ((vms_mask & 1u << vms) == 0) {
				continue;
			}
			set_scene(page, vms, pool);
			observe_check(&spec, true, "the scene");
			for (u32 i = 0; i < count; i++) {
				cell(&these[i], page, vms, pool, is_hostile);
				cells++;
			}
		}
	}
	fake_halt();
	print_message("# %u cells\n", cells);
}

static void run_cells(enum pool_scene pool, u32 vms_mask, bool is_hostile)
{
	run_calls(calls, ARRAY_SIZE(calls), pool, vms_mask, is_hostile);
}

static void test_blocks(void **state)
{
	(void)state;
	run_calls(block_calls, ARRAY_SIZE(block_calls), POOL_FULL,
		  1u << VMS_READY | 1u << VMS_VERIFIED | 1u << VMS_POWEROFF, false);
	run_calls(block_calls, ARRAY_SIZE(block_calls), POOL_LOW, 1u << VMS_VERIFIED, false);
	run_calls(block_calls, ARRAY_SIZE(block_calls), POOL_DRY, 1u << VMS_VERIFIED, false);
	run_calls(block_calls, ARRAY_SIZE(block_calls), POOL_FULL, 1u << VMS_VERIFIED, true);
}

static void test_matrix(void **state)
{
	(void)state;
	run_cells(POOL_FULL, ~0u, false);
}

static void test_matrix_pool_low(void **state)
{
	(void)state;
	run_cells(POOL_LOW, 1u << VMS_READY, false);
}

static void test_matrix_pool_dry(void **state)
{
	(void)state;
	run_cells(POOL_DRY, 1u << VMS_READY, false);
}

static void test_matrix_hostile(void **state)
{
	(void)state;
	run_cells(POOL_FULL, 1u << VMS_READY | 1u << VMS_POWEROFF, true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_matrix),		cmocka_unit_test(test_matrix_pool_low),
		cmocka_unit_test(test_matrix_pool_dry), cmocka_unit_test(test_matrix_hostile),
		cmocka_unit_test(test_blocks),
	};

	owner_make(&owner, RV_CURVE_P256, 1);
	cmocka_set_test_filter(getenv("MATRIX")); /* one of the tests, by name */
	seal_init((const u8[CRYPTO_KEY_BYTES]){ 1 });
	return cmocka_run_group_tests_name("matrix", tests, NULL, NULL);
}
