/* SPDX-License-Identifier: BSD-3-Clause */
/* A VM is saved, and what is loaded is the same VM: registers, memory, wishes, time. */
#include "seal_fixture.h"

#include <cv/exception.h>

#define WAIT_GFN 0x9000ull /* a device of the VMM's */

static void a_restored_vm_is_the_same(void **state)
{
	u64 value, results[4];

	(void)state;
	must_load();
	assert_int_equal(vm_at(TARGET)->state, VM_VERIFIED);
	for (u32 i = 0; i < 3; i++) {
		struct vcpu *old = vcpu_at(SOURCE, i), *new = vcpu_at(TARGET, i);

		assert_memory_equal(&old->ctx, &new->ctx, sizeof(old->ctx));
		assert_memory_equal(&old->timer, &new->timer, sizeof(old->timer));
		assert_memory_equal(old->vgic.ap0r, new->vgic.ap0r, sizeof(old->vgic.ap0r));
		assert_memory_equal(old->vgic.ap1r, new->vgic.ap1r, sizeof(old->vgic.ap1r));
		assert_int_equal(old->vgic.vmcr, new->vgic.vmcr);
		assert_int_equal(old->power, new->power);
		assert_int_equal(old->entry_pc, new->entry_pc);
		assert_int_equal(old->entry_x0, new->entry_x0);
		assert_true(new->has_run);
	}
	assert_memory_equal(vm_at(SOURCE)->instance, vm_at(TARGET)->instance, 32);
	/* The guest's time goes on where it stopped: 2000000 ticks after its start. */
	assert_int_equal(arch_counter() - vm_at(TARGET)->cntvoff, 2000000);
	for (u64 at = 0; at < PAGE_SIZE; at += 8) {
		static const u64 gfns[] = { R + 5, R + 600, S + S_PAGES - 1 };

		for (u32 i = 0; i < 3; i++) {
			u64 ipa = (gfns[i] << PAGE_SHIFT) + at;

			assert_true(fake_read(0, target & 0xff, ipa, &value, FAKE_UNCACHED));
			assert_int_equal(value, word_of(gfns[i], at));
		}
	}
	assert_int_equal(CALL_FOR(results, RV_VM_MEASURE, target, RV_MEASURE_MANIFEST), RV_OK);
	assert_memory_equal(results, vm_at(SOURCE)->manifest, 32);
	assert_int_equal(vm_at(TARGET)->guest_pages, 4);
	/* The host does not say where it goes on. */
	expect(RV_E_STATE, RV_VCPU_BOOT, target, 0, R << PAGE_SHIFT, 0);
	assert_int_equal(run(target, 0), RV_OK);
	assert_int_equal(fake_vcpu.el1[CTX_TPIDR_EL1],
			 vcpu_at(SOURCE, 0)->ctx.sysreg[CTX_TPIDR_EL1]);
	assert_int_equal(run(target, 2), RV_OK);
	assert_int_equal(vcpu_at(TARGET, 1)->ctx.pc, (R + 5) << PAGE_SHIFT);
	assert_int_equal(vcpu_at(TARGET, 1)->ctx.x[0], 99);
	assert_int_equal(run(target, 5), RV_E_STATE);
	end_vm(target);
}

static void wishes_of_a_guest(void **state)
{
	static const struct {
		u64 gfn, what;
	} expected[] = {
		{ R, RV_SEAL_BACKED | 1 << 12 },
		{ R + 5, RV_SEAL_BACKED | 1 << 12 },
		{ R + 600, RV_SEAL_BACKED | RV_SEAL_SHARED | 1 << 12 },
		{ R + 700, RV_SEAL_SHARED | 1 << 12 },
		{ R + 1024, RV_SEAL_SHARED | 512 << 12 },
		{ R + 1539, RV_SEAL_DESTROYED | 1 << 12 },
		{ S + S_PAGES - 1, RV_SEAL_BACKED | 1 << 12 },
	};
	u64 value;

	(void)state;
	assert_int_equal(snap.count, 3 + ARRAY_SIZE(expected) + 1);
	for (u32 i = 0; i < ARRAY_SIZE(expected); i++) {
		assert_int_equal(snap.record[3 + i].kind, SNAPSHOT_PAGE);
		assert_int_equal(snap.record[3 + i].at, expected[i].gfn);
		assert_int_equal(snap.record[3 + i].what, expected[i].what);
	}
	must_load();
	for (u64 gfn = R; gfn < R + R_PAGES; gfn++) {
		struct s2_leaf old = s2_walk(&vm_at(SOURCE)->s2, gfn_make(gfn));
		struct s2_leaf new = s2_walk(&vm_at(TARGET)->s2, gfn_make(gfn));

		assert_int_equal(old.is_mapped, new.is_mapped);
		assert_int_equal(old.wish, new.wish);
	}
	/* Of the pages, the host reaches the shared one. */
	for (u32 i = 3; i < snap.count - 1; i++) {
		bool is_shared = (snap.record[i].what & RV_SEAL_SHARED) != 0;

		if ((snap.record[i].what & RV_SEAL_BACKED) != 0) {
			assert_int_equal(fake_host_read(1, PAGE(LOADED + i) << PAGE_SHIFT, &value),
					 is_shared);
			assert_true(fake_page_is_clean(PAGE(LOADED + i)));
		}
	}
	/* What comes to a declared gfn later is shared from the start. */
	expect(RV_OK, RV_MEM_MAP, target, R + 1030, PAGE(LOADED_2), 1);
	assert_true(fake_host_write(0, PAGE(LOADED_2) << PAGE_SHIFT, 5));
	expect(RV_E_STATE, RV_MEM_MAP, target, R + 1539, PAGE(LOADED_2 + 1), 1);
}

static void a_vcpu_that_waits_for_a_device_goes_on_waiting(void **state)
{
	const u64 esr =
		EC_DABT_LOWER << ESR_EC_SHIFT | ESR_IL | ESR_ISV | 2u << 22 | 3u << 16 | 0x07;
	struct rv_run *page = arch_core_va(pfn_pa(pfn_make(vcpu_page(TARGET, 0) + 1)));
	u64 pc = vcpu_at(SOURCE, 0)->ctx.pc, results[4];

	(void)state;
	fake_vcpu_add((struct fake_step){ ARCH_EVENT_SYNC, esr, 0, WAIT_GFN << 4, NULL });
	assert_int_equal(CALL_FOR(results, RV_VCPU_RUN, source, 0), RV_OK);
	assert_int_equal(results[0], RV_EXIT_MMIO);
	assert_int_equal(snapshot_save(&snap, source, PAGE(IO)), RV_OK);
	must_load();
	page->in_flags = RV_IN_RESULT;
	page->in_data = 0x12345678;
	assert_int_equal(run(target, 0), RV_OK);
	assert_int_equal(vcpu_at(TARGET, 0)->ctx.x[3], 0x12345678);
	assert_int_equal(vcpu_at(TARGET, 0)->ctx.pc, pc + 4);
}

static void a_restored_vm_can_be_saved_again(void **state)
{
	static struct snapshot second;
	u64 again;

	(void)state;
	must_load();
	assert_int_equal(snapshot_save(&second, target, PAGE(IO)), RV_OK);
	assert_int_equal(second.count, snap.count);
	assert_memory_equal(second.header.instance, snap.header.instance, 32);
	assert_memory_not_equal(second.header.epoch, snap.header.epoch, 32);
	for (u32 i = 0; i < snap.count; i++) {
		assert_memory_not_equal(second.record[i].tag, snap.record[i].tag, 16);
	}
	snap = second;
	again = build(OTHER);
	assert_int_equal(snapshot_load_begin(&snap, again, PAGE(IO)), RV_OK);
	assert_int_equal(
		snapshot_load_records(&snap, 0, snap.count, again, PAGE(IO), PAGE(LOADED_2)),
		RV_OK);
	assert_int_equal(run(again, 0), RV_OK);
}

/* Ten leaf tables with little in them: more than one call looks at. */
static void a_long_look_stops_and_goes_on(void **state)
{
	u64 results[4], last = 0;
	u32 looks = 0;

	(void)state;
	for (u64 i = 0; i < 8; i++) {
		expect(RV_OK, RV_VM_TOPUP, source, PAGE(POOL) + i);
		wish(source, R + i * 512 + 10, 1, S2_WISH_SHARED);
		wish(source, R + i * 512 + 10, 1, S2_WISH_PRIVATE);
	}
	for (u64 i = 0; i < 2; i++) {
		wish(source, S + i * 512, 1, S2_WISH_SHARED);
		wish(source, S + i * 512, 1, S2_WISH_PRIVATE);
	}
	wish(source, R + 1024, 512, S2_WISH_PRIVATE);
	wish(source, R + 1539, 1, S2_WISH_PRIVATE);
	expect(RV_OK, RV_SEAL_SAVE_BEGIN, source, PAGE(IO));
	save_vcpus();
	do {
		assert_int_equal(CALL_FOR(results, RV_SEAL_SAVE_PAGE, source, PAGE(IO)), RV_OK);
		assert_true(results[0] > last || last == 0);
		last = results[0];
		looks += results[1] == 0;
	} while (results[0] != RV_SEAL_NO_GFN);
	assert_int_equal(looks, 1 + 1); /* once in between, once at the end */
	assert_int_equal(vm_at(SOURCE)->seal.records, 3 + 5);
	expect(RV_OK, RV_SEAL_SAVE_END, source, PAGE(IO));
}

/* A wrong page record has left a leaf table where the snapshot has one entry for 512 gfns. */
static void a_run_is_loaded_over_a_leaf_table(void **state)
{
	u32 i = first_of(SNAPSHOT_PAGE, R + 1024);

	(void)state;
	steps(i);
	expect(RV_E_AUTH, RV_SEAL_LOAD_PAGE, target, R + 1100, ONE_PAGE, PAGE(LOADED_2), 1, 2);
	assert_int_equal(s2_walk(&vm_at(TARGET)->s2, gfn_make(R + 1100)).level, 3);
	/* It has no content: the page is not looked at. */
	expect(RV_OK, RV_SEAL_LOAD_PAGE, target, R + 1024, snap.record[i].what, NO_RAM,
	       snap.record[i].tag[0], snap.record[i].tag[1]);
	for (u64 gfn = R + 1023; gfn <= R + 1536; gfn++) {
		assert_int_equal(s2_walk(&vm_at(TARGET)->s2, gfn_make(gfn)).wish,
				 gfn >= R + 1024 && gfn < R + 1536 ? S2_WISH_SHARED
								   : S2_WISH_PRIVATE);
	}
	goes_on_with(i + 1);
}

static void a_load_without_tables_goes_on_after_a_topup(void **state)
{
	struct pool *core = mem_core_pool();
	struct pool taken, core_taken;
	u32 page = first_of(SNAPSHOT_PAGE, R + 600), unbacked = first_of(SNAPSHOT_PAGE, R + 1539);
	u64 word;

	(void)state;
	steps(page);
	assert_true(pool_reserve(&vm_at(TARGET)->tables, &taken, pool_count(&vm_at(TARGET)->tables),
				 0));
	assert_int_equal(step(page), RV_E_NOMEM);
	assert_true(ledger_is(pfn_make(PAGE(LOADED + page)), OWNER_HOST, PAGE_EXCLUSIVE));
	/* What the host keeps was not opened. */
	assert_true(fake_host_read(0, PAGE(LOADED + page) << PAGE_SHIFT, &word));
	assert_memory_equal(&word, snap.record[page].page, sizeof(word));
	expect(RV_OK, RV_VM_TOPUP, target, PAGE(POOL));
	assert_true(pool_reserve(core, &core_taken, pool_count(core) - CORE_POOL_FLOOR, 0));
	/* A page of a block that is whole: the host's map needs a table. */
	assert_int_equal(
		snapshot_load_record(&snap.record[page], target, (0x40800000ull >> PAGE_SHIFT) + 5),
		RV_E_NOMEM);
	pool_return(core, &core_taken);
	for (u32 i = page; i < unbacked; i++) {
		assert_int_equal(step(i), RV_OK);
	}
	/* NOMEM before AUTH: nothing is known of the tag yet. */
	snap.record[unbacked].tag[0] ^= 1;
	assert_int_equal(step(unbacked), RV_E_NOMEM);
	expect(RV_OK, RV_VM_TOPUP, target, PAGE(POOL + 1));
	assert_int_equal(step(unbacked), RV_E_AUTH);
	snap.record[unbacked].tag[0] ^= 1;
	assert_int_equal(step(unbacked), RV_OK);
	pool_return(&vm_at(TARGET)->tables, &taken);
	goes_on_with(unbacked + 1);
}

/* ---- all the vCPUs that there may be ---- */

#define ALL 64ull	  /* not VM_VCPUS_MAX: the number is the test's */
#define LARGE_SOURCE 1000 /* pages for two more VMs, */
#define LARGE_TARGET 1100
#define LARGE_VCPUS 1200 /* for their vCPUs, */
#define LARGE_IMAGE 1500 /* and for what they are given */
#define LARGE_LOADED 1510

static u64 large_vcpu_page(u64 base, u64 i)
{
	return PAGE(LARGE_VCPUS + (base == LARGE_TARGET ? 2 * ALL : 0) + 2 * i);
}

static struct vcpu *large_vcpu(u64 base, u64 i)
{
	return arch_core_va(pfn_pa(pfn_make(large_vcpu_page(base, i))));
}

static u64 build_large(u64 base)
{
	u64 vm = build_with(base, &owner, R_PAGES, 0);

	for (u64 i = 0; i < ALL; i++) {
		u64 page = large_vcpu_page(base, i);

		expect(RV_OK, RV_VCPU_CREATE, vm, i, page, page + 1);
	}
	return vm;
}

/* Off, pending and on in turn; each with registers of its own. */
static void live_large(u64 vm)
{
	verify(vm, LARGE_IMAGE);
	expect(RV_OK, RV_VCPU_BOOT, vm, 0, R << PAGE_SHIFT, 0);
	assert_int_equal(run(vm, 0), RV_OK);
	for (u64 i = 1; i < ALL; i++) {
		struct vcpu *vcpu = large_vcpu(LARGE_SOURCE, i);

		vcpu->power = (enum vcpu_power)(i % 3);
		vcpu->entry_pc = (R + i) << PAGE_SHIFT;
		vcpu->entry_x0 = 1000 + i;
		vcpu->ctx.pc = (R + 2 * i) << PAGE_SHIFT;
		vcpu->ctx.pstate = PSTATE_EL1H;
		vcpu->ctx.x[30] = word_of(i, 30);
		vcpu->ctx.sysreg[CTX_TPIDR_EL1] = word_of(i, 1);
		vcpu->timer.cntv_cval = 7000 + i;
		vcpu->vgic.vmcr = i;
	}
}

static void expect_same_large(u64 i)
{
	const struct vcpu *old = large_vcpu(LARGE_SOURCE, i), *new = large_vcpu(LARGE_TARGET, i);

	assert_memory_equal(&old->ctx, &new->ctx, sizeof(old->ctx));
	assert_memory_equal(&old->timer, &new->timer, sizeof(old->timer));
	assert_int_equal(old->vgic.vmcr, new->vgic.vmcr);
	assert_int_equal(old->power, new->power);
	assert_int_equal(old->entry_pc, new->entry_pc);
	assert_int_equal(old->entry_x0, new->entry_x0);
	assert_int_equal(old->mpidr, new->mpidr);
	assert_int_equal(new->index, i);
}

static void a_vm_of_all_vcpus_is_restored(void **state)
{
	static struct snapshot_record swapped;
	u64 from, to;

	(void)state;
	from = build_large(LARGE_SOURCE);
	live_large(from);
	assert_int_equal(snapshot_save(&snap, from, PAGE(IO)), RV_OK);
	assert_int_equal(snap.header.vcpu_count, ALL);
	assert_int_equal(snap.header.vcpus, ~0ull);
	assert_int_equal(snap.count, ALL + 2); /* the image's page, the end */
	to = build_large(LARGE_TARGET);
	assert_int_equal(snapshot_load_begin(&snap, to, PAGE(IO)), RV_OK);
	for (u64 i = 0; i < ALL; i++) {
		const struct snapshot_record *record = &snap.record[i];

		assert_int_equal(record->kind, SNAPSHOT_VCPU);
		assert_int_equal(record->at, i);
		/* Neither the next one, nor that one in the place of this. */
		swapped = snap.record[(i + 16) % ALL];
		assert_int_equal(snapshot_load_record(&swapped, to, PAGE(IO)), RV_E_STATE);
		swapped.at = i;
		assert_int_equal(snapshot_load_record(&swapped, to, PAGE(IO)), RV_E_AUTH);
		/* No page's turn yet */
		assert_int_equal(snapshot_load_record(&snap.record[ALL], to, PAGE(LARGE_LOADED)),
				 RV_E_STATE);
		assert_int_equal(snapshot_load_record(record, to, PAGE(IO)), RV_OK);
	}
	expect(RV_E_NOENT, RV_SEAL_LOAD_VCPU, to, ALL, PAGE(IO), 0, 0);
	assert_int_equal(snapshot_load_records(&snap, (u32)ALL, snap.count, to, PAGE(IO),
					       PAGE(LARGE_LOADED)),
			 RV_OK);
	for (u64 i = 0; i < ALL; i++) {
		expect_same_large(i);
	}
	for (u64 i = 0; i < ALL; i++) {
		assert_int_equal(run(to, i), i > 0 && i % 3 == VCPU_OFF ? RV_E_STATE : RV_OK);
	}
	assert_int_equal(large_vcpu(LARGE_TARGET, 61)->ctx.pc, (R + 61) << PAGE_SHIFT);
	assert_int_equal(large_vcpu(LARGE_TARGET, 62)->ctx.pc, (R + 124) << PAGE_SHIFT);
	end_vm(to);
	end_vm(from);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_restored_vm_is_the_same),
		TEST(wishes_of_a_guest),
		TEST(a_vcpu_that_waits_for_a_device_goes_on_waiting),
		TEST(a_restored_vm_can_be_saved_again),
		TEST(a_long_look_stops_and_goes_on),
		TEST(a_run_is_loaded_over_a_leaf_table),
		TEST(a_load_without_tables_goes_on_after_a_topup),
		TEST(a_vm_of_all_vcpus_is_restored),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
