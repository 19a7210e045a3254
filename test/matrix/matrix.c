/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The matrix: one page (the subject) in every state it can have, VMs in every state they can have,
 * and every call made with it, legal or not. Each cell: the status and results are the
 * specification's; the state afterwards is the specification's, bit for bit (so a refusal changed
 * nothing); invariants, TLBs and caches are as they must be. Then once more with hostile CPUs that
 * write to the page whenever they can.
 */
#include "call.h"

#include <cv/seal.h>
#include <stdio.h>
#include <stdlib.h>

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

/* Launch pages for images of zeros: one of the owner, one of somebody else. */
static void make_launches(void)
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
	put(LAUNCH_GOOD, &launch[0], sizeof(launch[0]));
	put(LAUNCH_FOREIGN, &launch[1], sizeof(launch[1]));
}

static void make_vms(void)
{
	u64 left = 1;

	vm_dead = make_vm(0);
	BOTH(vm_kill(vm_dead), spec_vm_kill(&spec, vm_dead));
	BOTH(vm_destroy(vm_dead, &left), spec_vm_destroy(&spec, vm_dead, &left));
	assert_int_equal(left, 0);
	spares_are_back();
	vm_a = make_vm(RV_VM_PROTECTED);
	vm_b = make_vm(0);
	attach_vms();
	set_wish(vm_a, GFN_SHARED, S2_WISH_SHARED);
	set_wish(vm_a, GFN_DESTROYED, S2_WISH_DESTROYED);
	map(vm_a, GFN_BACKED, spare());
	map(vm_b, GFN_BACKED, spare());
	make_image(2);
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
		set_wish(vm_a, GFN_SUBJECT, S2_WISH_SHARED);
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

	set_state(vm_a, of[scene].state, of[scene].active);
	set_state(vm_b, of[scene].state, of[scene].active);
	if (of[scene].state == VM_VERIFIED) {
		set_may_be_saved();
	}
	if (scene == VMS_SAVING) {
		u64 pfn = spare();

		BOTH(seal_save_begin(vm_a, pfn), spec_seal_save_begin(&spec, vm_a, pfn, 0));
		know(pfn);
	}
}

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

	scene_begin();
	make_vms();
	make_launches();
	subject = scene_page(page);
	scene_vms(vms);
	warm(subject);
	know(subject);
	drain_pool(pool);
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
	bool is_vm_writing;
	char what[200];

	snprintf(what, sizeof(what), "page %s, VMs %s, pool %d, %s: %s", page_names[page],
		 vm_names[vms], pool, is_hostile ? "hostile" : "calm", call->name);
	if (spec_page(&spec, subject) != NULL) {
		before = *spec_page(&spec, subject);
	}
	is_vm_writing = before.owner == vm_handle_owner(vm_a);
	if (is_hostile) {
		/* The one who has the page now writes on, whatever happens. */
		if (is_vm_writing) {
			fake_hostile_writer(2, vm_a & 0xff, GFN_SUBJECT << PAGE_SHIFT, JUNK);
		} else {
			fake_hostile_writer(2, OWNER_HOST, subject << PAGE_SHIFT, JUNK);
		}
	}
	call_both(call, subject, what);
	if (is_hostile) {
		fake_calm();
		observe_check(&spec, false, what);
		if (is_left_dirty(subject, &before) &&
		    (is_vm_writing || !spec_page(&spec, subject)->is_host)) {
			fake_fail("%s: the page changed hands with its former owner's content",
				  what);
		}
	} else {
		check_clean(subject, &before, what);
		observe_check(&spec, true, what);
	}
}

/* These tables in the scenes of `vms_mask`. */
static void run_cells(const struct call *const *tables, enum pool_scene pool, u32 vms_mask,
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
			for (u32 i = 0; tables[i] != NULL; i++) {
				for (const struct call *c = tables[i]; c->name != NULL; c++) {
					cell(c, page, vms, pool, is_hostile);
					cells++;
				}
			}
		}
	}
	fake_halt();
	print_message("# %u cells\n", cells);
}

static const struct call *const of_pages[] = { vm_calls, memory_calls, image_calls, seal_calls,
					       NULL };
static const struct call *const of_blocks[] = { block_calls, NULL };

static void test_blocks(void **state)
{
	(void)state;
	run_cells(of_blocks, POOL_FULL, 1u << VMS_READY | 1u << VMS_VERIFIED | 1u << VMS_POWEROFF,
		  false);
	run_cells(of_blocks, POOL_LOW, 1u << VMS_VERIFIED, false);
	run_cells(of_blocks, POOL_DRY, 1u << VMS_VERIFIED, false);
	run_cells(of_blocks, POOL_FULL, 1u << VMS_VERIFIED, true);
}

static void test_matrix(void **state)
{
	(void)state;
	run_cells(of_pages, POOL_FULL, ~0u, false);
}

static void test_matrix_pool_low(void **state)
{
	(void)state;
	run_cells(of_pages, POOL_LOW, 1u << VMS_READY, false);
}

static void test_matrix_pool_dry(void **state)
{
	(void)state;
	run_cells(of_pages, POOL_DRY, 1u << VMS_READY, false);
}

static void test_matrix_hostile(void **state)
{
	(void)state;
	run_cells(of_pages, POOL_FULL, 1u << VMS_READY | 1u << VMS_POWEROFF, true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_matrix),		cmocka_unit_test(test_matrix_pool_low),
		cmocka_unit_test(test_matrix_pool_dry), cmocka_unit_test(test_matrix_hostile),
		cmocka_unit_test(test_blocks),
	};

	cmocka_set_test_filter(getenv("MATRIX")); /* one of the tests, by name */
	seal_init((const u8[CRYPTO_KEY_BYTES]){ 1 });
	return cmocka_run_group_tests_name("matrix", tests, NULL, NULL);
}
