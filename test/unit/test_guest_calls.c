/* SPDX-License-Identifier: BSD-3-Clause */
/* Calls of guests: PSCI and its state machine, SMCCC, TRNG, RSI. */
#include "guest_fixture.h"

#include <cv/psci.h>
#include <cv/rsi.h>
#include <string.h>

#define RSI_VERSION 0xc4000190u
#define RSI_REALM_CONFIG 0xc4000196u
#define RSI_MEASUREMENT 0xc4000192u
#define RSI_SET 0xc4000197u
#define RSI_GET 0xc4000198u
#define NOT_SUPPORTED (~0ull)

static u64 call_args[5];

static void put_args(struct vcpu *vcpu)
{
	memcpy(vcpu->ctx.x, call_args, sizeof(call_args));
}

/* One call of vCPU `index` by HVC or SMC; returns the exit. */
static u64 call_of(u32 index, u64 esr, u64 x0, u64 x1, u64 x2, u64 x3, u64 x4)
{
	u64 exit = ~0ull;

	memcpy(call_args, (u64[]){ x0, x1, x2, x3, x4 }, sizeof(call_args));
	fake_vcpu.next = fake_vcpu.step_count = 0;
	fake_vcpu_add((struct fake_step){ ARCH_EVENT_SYNC, esr, 0, 0, put_args });
	assert_int_equal(run_vcpu(FIX_HANDLE, index, &exit), CV_OK);
	fix_assert_quiet();
	return exit;
}

static u64 smc(u64 x0, u64 x1, u64 x2, u64 x3, u64 x4)
{
	return call_of(0, FIX_SMC, x0, x1, x2, x3, x4);
}

static u64 x(u32 n)
{
	return fix.vcpu[0].ctx.x[n];
}

/* A call that the corevisor serves alone; returns x0. */
static u64 hvc(u64 x0, u64 x1, u64 x2, u64 x3)
{
	assert_int_equal(call_of(0, FIX_HVC, x0, x1, x2, x3, 0), RV_EXIT_IRQ);
	fix_assert_record(fix.run[0], RV_EXIT_IRQ, 0, 0, 0, 0);
	return x(0);
}

/* ---- SMCCC ---- */

static void a_trapped_smc_is_skipped_an_hvc_is_not(void **state)
{
	(void)state;
	hvc(PSCI_VERSION, 0, 0, 0);
	assert_int_equal(fix.vcpu[0].ctx.pc, FIX_ENTRY);
	smc(PSCI_VERSION, 0, 0, 0, 0);
	assert_int_equal(fix.vcpu[0].ctx.pc, FIX_ENTRY + 4);
	assert_int_equal(x(0), 0x10001);
	fix.vm.is_protected = true;
	smc(PSCI_VERSION, 0, 0, 0, 0);
	assert_int_equal(x(0), 0x10001);
}

static void unknown_calls_get_minus_one(void **state)
{
	static const u32 ids[] = { 0,	       1337,	   0x4b000000,	0x8400000b, 0x8400001f,
				   0xc4000002, 0xc400000a, 0x84000020,	0x86000000, 0xc6000002,
				   0xc6000003, 0xc6000132, RSI_VERSION, RSI_SET,    0xc40001af,
				   0x80000002, ~0u,	   0xffff,	0x8000ffff, 0xc4000000 };

	(void)state;
	for (u32 i = 0; i < ARRAY_SIZE(ids); i++) {
		assert_int_equal(hvc(ids[i], 1, 2, 3), NOT_SUPPORTED);
		assert_int_equal(x(1), 1);
		assert_int_equal(x(2), 2);
		assert_int_equal(x(3), 3);
	}
	/* A reserved immediate makes any call unknown. */
	call_of(0, FIX_HVC | 1, PSCI_VERSION, 0, 0, 0, 0);
	assert_int_equal(x(0), NOT_SUPPORTED);
}

/* Nothing that firmware could take for its own reaches it. */
static void only_workarounds_reach_firmware(void **state)
{
	static const u32 ids[] = { SMCCC_ARCH_WORKAROUND_1, SMCCC_ARCH_WORKAROUND_3 };

	(void)state;
	for (u64 id = 0x84000000; id < 0x84000100; id++) {
		if (id != PSCI_SYSTEM_OFF && id != PSCI_SYSTEM_RESET &&
		    id != PSCI_SYSTEM_RESET2_32 && id != PSCI_CPU_OFF &&
		    id != PSCI_CPU_SUSPEND_32) {
			hvc(id, 0, 0, 0);
		}
	}
	assert_int_equal(hvc(SMCCC_VERSION, 0, 0, 0), SMCCC_VERSION_1_2);
	assert_int_equal(hvc(SMCCC_ARCH_FEATURES, SMCCC_VERSION, 0, 0), 0);
	assert_int_equal(hvc(SMCCC_ARCH_FEATURES, 0x80000055, 0, 0), NOT_SUPPORTED);
	/* It would switch the mitigation of the CPU off for everybody. */
	fake_vcpu.firmware_result = 0;
	assert_int_equal(hvc(SMCCC_ARCH_FEATURES, SMCCC_ARCH_WORKAROUND_2, 0, 0), NOT_SUPPORTED);
	assert_int_equal(hvc(SMCCC_ARCH_WORKAROUND_2, 0, 0, 0), NOT_SUPPORTED);
	assert_int_equal(fake_vcpu.firmware_calls, 0);
	for (u32 i = 0; i < ARRAY_SIZE(ids); i++) {
		fake_vcpu.firmware_result = -1;
		assert_int_equal(hvc(SMCCC_ARCH_FEATURES, ids[i], 0, 0), NOT_SUPPORTED);
		assert_int_equal(hvc(ids[i], 0, 0, 0), NOT_SUPPORTED);
		assert_int_equal(fake_vcpu.firmware_last, SMCCC_ARCH_FEATURES);
		fake_vcpu.firmware_result = 1;
		assert_int_equal(hvc(SMCCC_ARCH_FEATURES, ids[i], 0, 0), 1);
		fake_vcpu.firmware_result = 0;
		assert_int_equal(hvc(ids[i], 7, 7, 7), 0);
		assert_int_equal(fake_vcpu.firmware_last, ids[i]);
		assert_int_equal(fake_vcpu.firmware_arguments, 0);
	}
}

static void vendor_uid_is_ours(void **state)
{
	(void)state;
	assert_int_equal(hvc(RV_HVC_UID, 0, 0, 0), RV_UID_0);
	assert_int_equal(x(1), RV_UID_1);
	assert_int_equal(x(2), RV_UID_2);
	assert_int_equal(x(3), RV_UID_3);
}

static void random_numbers(void **state)
{
	(void)state;
	assert_int_equal(hvc(TRNG_VERSION, 0, 0, 0), TRNG_VERSION_1_0);
	assert_int_equal(hvc(TRNG_RND_64, 192, 0, 0), 0);
	assert_int_equal(x(1), 0x5a5a5a5a5a5a5a5aull);
	assert_int_equal(x(3), 0x5a5a5a5a5a5a5a5aull);
	assert_int_equal(hvc(TRNG_RND_64, 0, 0, 0), (u64)TRNG_INVALID_PARAMETERS);
	assert_int_equal(hvc(TRNG_RND_64, 193, 0, 0), (u64)TRNG_INVALID_PARAMETERS);
	fix.has_entropy = false;
	assert_int_equal(hvc(TRNG_VERSION, 0, 0, 0), NOT_SUPPORTED);
	assert_int_equal(hvc(TRNG_RND_64, 64, 0, 0), NOT_SUPPORTED);
}

/* ---- PSCI ---- */

static u64 cpu_on(u64 mpidr, u64 pc, u64 context)
{
	call_of(0, FIX_HVC, PSCI_CPU_ON_64, mpidr, pc, context, 0);
	return x(0);
}

static void expect_second(struct vcpu *vcpu)
{
	assert_int_equal(vcpu->index, 1);
	assert_int_equal(vcpu->ctx.pc, FIX_RAM_GPA + 0x100);
	assert_int_equal(vcpu->ctx.x[0], 0xc0ffee);
	assert_int_equal(vcpu->ctx.pstate, 0x3c5);
	assert_int_equal(fake_vcpu.el1[CTX_SCTLR_EL1], 0x30d00980);
}

static u64 run_second(void)
{
	u64 exit = ~0ull;

	fake_vcpu.next = fake_vcpu.step_count = 0;
	fake_vcpu_add((struct fake_step){ ARCH_EVENT_IRQ, 0, 0, 0, expect_second });
	assert_int_equal(run_vcpu(FIX_HANDLE, 1, &exit), CV_OK);
	return exit;
}

static void cpu_on_off_on(void **state)
{
	u64 exit;

	(void)state;
	for (u32 round = 0; round < 2; round++) {
		assert_int_equal(hvc(PSCI_AFFINITY_INFO_64, 1, 0, 0), 1);
		assert_int_equal(run_vcpu(FIX_HANDLE, 1, &exit), CV_E_STATE);
		assert_int_equal(cpu_on(1, FIX_RAM_GPA + 0x100, 0xc0ffee), PSCI_SUCCESS);
		fix_assert_record(fix.run[0], RV_EXIT_CPU_ON, 0, 0, 0, 1);
		assert_int_equal(hvc(PSCI_AFFINITY_INFO_64, 1, 0, 0), 2);
		assert_int_equal(cpu_on(1, FIX_RAM_GPA, 0), (u64)PSCI_ON_PENDING);
		assert_int_equal(run_second(), RV_EXIT_IRQ);
		assert_int_equal(hvc(PSCI_AFFINITY_INFO_64, 1, 0, 0), 0);
		assert_int_equal(cpu_on(1, FIX_RAM_GPA, 0), (u64)PSCI_ALREADY_ON);
		assert_int_equal(call_of(1, FIX_HVC, PSCI_CPU_OFF, 0, 0, 0, 0), RV_EXIT_CPU_OFF);
		fix_assert_record(fix.run[1], RV_EXIT_CPU_OFF, 0, 0, 0, 0);
	}
}

static void cpu_on_refusals_change_nothing(void **state)
{
	(void)state;
	assert_int_equal(cpu_on(2, FIX_RAM_GPA, 0), (u64)PSCI_INVALID_PARAMETERS);
	assert_int_equal(cpu_on(1ull << 31 | 1, FIX_RAM_GPA, 0), (u64)PSCI_INVALID_PARAMETERS);
	assert_int_equal(cpu_on(1ull << 40 | 1, FIX_RAM_GPA, 0), (u64)PSCI_INVALID_PARAMETERS);
	assert_int_equal(cpu_on(1, FIX_RAM_GPA - 4, 0), (u64)PSCI_INVALID_ADDRESS);
	assert_int_equal(cpu_on(1, FIX_RAM_GPA + (FIX_RAM_PAGES << PAGE_SHIFT), 0),
			 (u64)PSCI_INVALID_ADDRESS);
	assert_int_equal(cpu_on(1, FIX_RAM_GPA + 2, 0), (u64)PSCI_INVALID_ADDRESS);
	assert_int_equal(cpu_on(1, FIX_RAM_GPA | 1ull << 52, 0), (u64)PSCI_INVALID_ADDRESS);
	assert_int_equal(cpu_on(0, FIX_RAM_GPA, 0), (u64)PSCI_ALREADY_ON);
	assert_int_equal(fix.vcpu[1].power, VCPU_OFF);
	fix_assert_record(fix.run[0], RV_EXIT_IRQ, 0, 0, 0, 0);
	/* 32-bit arguments are cut to 32 bits. */
	call_of(0, FIX_HVC, PSCI_CPU_ON_32, 1ull << 32 | 1, 1ull << 32 | FIX_RAM_GPA,
		1ull << 32 | 5, 0);
	assert_int_equal(x(0), PSCI_SUCCESS);
	assert_int_equal(fix.vcpu[1].entry_pc, FIX_RAM_GPA);
	assert_int_equal(fix.vcpu[1].entry_x0, 5);
}

/* CPU_ON may come while its target is still leaving the run in which it switched itself off. */
static void cpu_on_of_a_leaving_target(void **state)
{
	u64 exit;

	(void)state;
	cpu_on(1, FIX_RAM_GPA + 0x100, 0xc0ffee);
	run_second();
	call_of(1, FIX_HVC, PSCI_CPU_OFF, 0, 0, 0, 0);
	fix.vcpu[1].run_state = VCPU_ACTIVE;
	fix.vcpu[1].ctx.pc = 0x77;
	{
		memcpy(call_args, (u64[]){ PSCI_CPU_ON_64, 1, FIX_RAM_GPA + 0x100, 0xc0ffee, 0 },
		       sizeof(call_args));
		fake_vcpu.next = fake_vcpu.step_count = 0;
		fake_vcpu_add((struct fake_step){ ARCH_EVENT_SYNC, FIX_HVC, 0, 0, put_args });
		assert_int_equal(run_vcpu(FIX_HANDLE, 0, &exit), CV_OK);
		assert_int_equal(exit, RV_EXIT_CPU_ON);
	}
	assert_int_equal(fix.vcpu[1].ctx.pc, 0x77);
	assert_int_equal(run_vcpu(FIX_HANDLE, 1, &exit), CV_E_BUSY);
	fix.vcpu[1].run_state = VCPU_READY;
	assert_int_equal(run_second(), RV_EXIT_IRQ);
}

static void the_end_of_a_vm(void **state)
{
	static const struct {
		u64 id, type, exit;
	} ends[] = {
		{ PSCI_SYSTEM_OFF, 0, RV_EXIT_SYSTEM_OFF },
		{ PSCI_SYSTEM_RESET, 0, RV_EXIT_SYSTEM_RESET },
		{ PSCI_SYSTEM_RESET2_32, 0, RV_EXIT_SYSTEM_RESET },
		{ PSCI_SYSTEM_RESET2_64, 0x80000001, RV_EXIT_SYSTEM_RESET },
	};
	u64 exit;

	for (u32 i = 0; i < ARRAY_SIZE(ends); i++) {
		fix_setup(state);
		assert_int_equal(call_of(0, FIX_HVC, ends[i].id, ends[i].type, 0, 0, 0),
				 ends[i].exit);
		fix_assert_record(fix.run[0], (u32)ends[i].exit, 0, 0, 0, 0);
		assert_int_equal(fix.vm.state, VM_POWEROFF);
		assert_int_equal(run_vcpu(FIX_HANDLE, 0, &exit), CV_E_STATE);
	}
	fix_setup(state);
	assert_int_equal(hvc(PSCI_SYSTEM_RESET2_64, 1, 0, 0), (u64)PSCI_INVALID_PARAMETERS);
	assert_int_equal(fix.vm.state, VM_VERIFIED);
}

static void suspend_waits_for_an_interrupt(void **state)
{
	(void)state;
	assert_int_equal(call_of(0, FIX_HVC, PSCI_CPU_SUSPEND_64, 1u << 16, FIX_RAM_GPA, 0, 0),
			 RV_EXIT_WFI);
	assert_int_equal(x(0), PSCI_SUCCESS);
	assert_int_equal(fix.vcpu[0].ctx.pc, FIX_ENTRY);
}

static void features_match_what_is_served(void **state)
{
	(void)state;
	for (u32 n = 0; n < 0x20; n++) {
		for (u32 wide = 0; wide < 2; wide++) {
			const u32 id = 0x84000000u + n + (wide ? SMCCC_64 : 0);
			bool is_told, is_served;

			fix_setup(state);
			is_told = hvc(PSCI_FEATURES, id, 0, 0) == 0;
			fix_setup(state);
			call_of(0, FIX_HVC, id, 5, 0, 0, 0);
			is_served = id == PSCI_CPU_OFF || x(0) != NOT_SUPPORTED;
			/* FEATURES of an unknown function is itself "not supported". */
			if (id != PSCI_FEATURES) {
				assert_int_equal(is_told, is_served);
			}
		}
	}
	assert_int_equal(hvc(PSCI_FEATURES, SMCCC_VERSION, 0, 0), 0);
	assert_int_equal(hvc(PSCI_FEATURES, PSCI_FEATURES, 0, 0), 0);
	assert_int_equal(hvc(PSCI_MIGRATE_INFO_TYPE, 0, 0, 0), PSCI_MIGRATE_TYPE_NONE);
	assert_int_equal(hvc(PSCI_AFFINITY_INFO_64, 0, 1, 0), (u64)PSCI_INVALID_PARAMETERS);
}

/* ---- RSI ---- */

static void open_vms_and_hvc_see_no_realm(void **state)
{
	(void)state;
	for (u64 id = 0xc4000190; id <= 0xc40001af; id++) {
		fix.vm.is_protected = false;
		smc(id, 0x10000, 0, 0, 0);
		assert_int_equal(x(0), NOT_SUPPORTED);
		fix.vm.is_protected = true;
		assert_int_equal(hvc(id, 0x10000, 0, 0), NOT_SUPPORTED);
	}
	assert_int_equal(fix.wish_calls, 0);
	assert_int_equal(fix.writes, 0);
}

static void version(void **state)
{
	(void)state;
	smc(RSI_VERSION, 0x10000, 0, 0, 0);
	assert_int_equal(x(0), 0);
	assert_int_equal(x(1), 0x10000);
	assert_int_equal(x(2), 0x10000);
	smc(RSI_VERSION, 0x20000, 0, 0, 0);
	assert_int_equal(x(0), 1);
	assert_int_equal(x(1), 0x10000);
}

static void config_is_written_or_asked_for_or_refused(void **state)
{
	const u64 page = FIX_RAM_GPA + 0x5000;
	u64 ipa_bits;

	(void)state;
	memset(fix.vm.owner_key, 0x5a, sizeof(fix.vm.owner_key));
	assert_int_equal(smc(RSI_REALM_CONFIG, page, 0, 0, 0), RV_EXIT_IRQ);
	assert_int_equal(x(0), 0);
	assert_int_equal(fix.written_ipa.v, page);
	memcpy(&ipa_bits, fix.written, sizeof(ipa_bits));
	assert_int_equal(ipa_bits, 1);
	/* The realm's personalisation value is its owner's key. */
	assert_memory_equal(fix.written + 0x200, fix.vm.owner_key, sizeof(fix.vm.owner_key));
	/* No page behind it: the host is asked for it, the guest calls again. */
	fix.write_status = CV_E_NOENT;
	assert_int_equal(smc(RSI_REALM_CONFIG, page, 0, 0, 0), RV_EXIT_RAM);
	fix_assert_record(fix.run[0], RV_EXIT_RAM, page, 0, 0, 0);
	assert_int_equal(fix.vcpu[0].ctx.pc, FIX_ENTRY + 4);
	assert_int_equal(x(0), RSI_REALM_CONFIG);
	fix.write_status = CV_E_STATE;
	smc(RSI_REALM_CONFIG, page, 0, 0, 0);
	assert_int_equal(x(0), 1);
	fix.writes = 0;
	smc(RSI_REALM_CONFIG, page + 8, 0, 0, 0);
	assert_int_equal(x(0), 1);
	smc(RSI_REALM_CONFIG, FIX_RAM_GPA - PAGE_SIZE, 0, 0, 0);
	assert_int_equal(x(0), 1);
	assert_int_equal(fix.writes, 0);
}

static void state_set_goes_on_where_it_stopped(void **state)
{
	const u64 top = FIX_RAM_GPA + (1300ull << PAGE_SHIFT);
	u64 base = FIX_RAM_GPA;
	u32 calls = 0;

	(void)state;
	fix.wish_progress = RV_BATCH_PAGES;
	while (base < top) {
		assert_int_equal(smc(RSI_SET, base, top, 0, 1), RV_EXIT_IRQ);
		assert_int_equal(x(0), 0);
		assert_int_equal(x(2), 0);
		assert_in_range(x(1), base + 1, top);
		base = x(1);
		calls++;
	}
	assert_int_equal(base, top);
	assert_int_equal(calls, 3);
	assert_int_equal(fix.wish_asked, S2_WISH_SHARED);
	assert_true(fix.wish_change_destroyed);
	smc(RSI_SET, FIX_RAM_GPA, top, 1, 0);
	assert_int_equal(fix.wish_asked, S2_WISH_PRIVATE);
	assert_false(fix.wish_change_destroyed);
}

static void state_set_asks_for_tables_and_repeats(void **state)
{
	const u64 top = FIX_RAM_GPA + 0x10000;

	(void)state;
	smc(PSCI_VERSION, 0, 0, 0, 0);
	fix.wish_status = CV_E_NOMEM;
	assert_int_equal(smc(RSI_SET, FIX_RAM_GPA, top, 0, 0), RV_EXIT_TABLES);
	fix_assert_record(fix.run[0], RV_EXIT_TABLES, 0, 0, 0, 0);
	assert_int_equal(fix.vcpu[0].ctx.pc, FIX_ENTRY + 4);
	assert_int_equal(x(0), RSI_SET);
	assert_int_equal(x(1), FIX_RAM_GPA);
	/* The VM has enough: it is the corevisor that lacks one. */
	fix.has_tables = true;
	assert_int_equal(smc(x(0), x(1), x(2), x(3), x(4)), RV_EXIT_TABLES);
	fix_assert_record(fix.run[0], RV_EXIT_TABLES, 0, 0, 0, 1);
	assert_int_equal(fix.vcpu[0].ctx.pc, FIX_ENTRY + 4);
	fix.wish_status = CV_OK;
	smc(x(0), x(1), x(2), x(3), x(4));
	assert_int_equal(fix.vcpu[0].ctx.pc, FIX_ENTRY + 8);
	assert_int_equal(x(1), top);
	fix.wish_status = CV_E_STATE;
	smc(RSI_SET, FIX_RAM_GPA, top, 1, 0);
	assert_int_equal(x(0), 0);
	assert_int_equal(x(1), FIX_RAM_GPA);
	assert_int_equal(x(2), 1);
}

static void state_set_refuses(void **state)
{
	const u64 base = FIX_RAM_GPA, top = FIX_RAM_GPA + 0x10000,
		  end = FIX_RAM_GPA + (FIX_RAM_PAGES << PAGE_SHIFT);
	const u64 bad[][4] = {
		{ base, base, 0, 0 },
		{ top, base, 0, 0 },
		{ base + 1, top, 0, 0 },
		{ base, top + 0x800, 0, 0 },
		{ base, top, 2, 0 },
		{ base, top, 3, 0 },
		{ base, top, ~0ull, 0 },
		{ base, top, 1ull << 32, 0 },
		{ base, top, 0, 2 },
		{ base - 0x1000, top, 0, 0 },
		{ base, end + 0x1000, 0, 0 },
		{ 0, 0x1000, 0, 0 },
		{ base, ~0xfffull, 0, 0 },
		{ base, 1ull << 40, 0, 0 },
		{ 1ull << 40, (1ull << 40) + 0x1000, 0, 0 },
		{ base | 1ull << 52, top | 1ull << 52, 0, 0 },
	};

	(void)state;
	for (u32 i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_int_equal(smc(RSI_SET, bad[i][0], bad[i][1], bad[i][2], bad[i][3]),
				 RV_EXIT_IRQ);
		assert_int_equal(x(0), 1);
	}
	assert_int_equal(fix.wish_calls, 0);
	/* The whole RAM is fine, so is RAM declared in two ranges that touch. */
	smc(RSI_SET, base, end, 0, 0);
	assert_int_equal(x(0), 0);
	fix.vm.ram[1] = (struct vm_ram){ gfn_make(end >> PAGE_SHIFT), 1 };
	fix.vm.ram_count = 2;
	smc(RSI_SET, base, end + 0x1000, 0, 0);
	assert_int_equal(x(0), 0);
}

static void state_get_tells_runs(void **state)
{
	const u64 end = FIX_RAM_GPA + (FIX_RAM_PAGES << PAGE_SHIFT);

	(void)state;
	/* a device below RAM: empty up to RAM */
	smc(RSI_GET, 0x09000000, end, 0, 0);
	assert_int_equal(x(0), 0);
	assert_int_equal(x(1), FIX_RAM_GPA);
	assert_int_equal(x(2), 0);
	/* RAM: at most to its end */
	smc(RSI_GET, FIX_RAM_GPA, end + 0x5000, 0, 0);
	assert_int_equal(x(1), end);
	assert_int_equal(x(2), 1);
	fix.wish_found = S2_WISH_SHARED;
	fix.wish_found_pages = 3;
	smc(RSI_GET, FIX_RAM_GPA, end, 0, 0);
	assert_int_equal(x(1), FIX_RAM_GPA + 0x3000);
	assert_int_equal(x(2), 0);
	fix.wish_found = S2_WISH_DESTROYED;
	smc(RSI_GET, FIX_RAM_GPA, end, 0, 0);
	assert_int_equal(x(2), 2);
	/* beyond RAM: to the end asked for */
	smc(RSI_GET, end, 1ull << 40, 0, 0);
	assert_int_equal(x(1), 1ull << 40);
	smc(RSI_GET, end, (1ull << 40) + 0x1000, 0, 0);
	assert_int_equal(x(0), 1);
	smc(RSI_GET, end, end, 0, 0);
	assert_int_equal(x(0), 1);
}

static void the_manifest_is_measured(void **state)
{
	(void)state;
	memset(fix.vm.manifest, 0xa7, sizeof(fix.vm.manifest));
	assert_int_equal(smc(RSI_MEASUREMENT, 0, ~0ull, ~0ull, ~0ull), RV_EXIT_IRQ);
	assert_int_equal(x(0), 0);
	assert_memory_equal(&fix.vcpu[0].ctx.x[1], fix.vm.manifest, sizeof(fix.vm.manifest));
	for (u32 i = 5; i <= 8; i++) {
		assert_int_equal(x(i), 0);
	}
	/* The extensible ones are as they began. */
	smc(RSI_MEASUREMENT, 4, ~0ull, 0, 0);
	assert_int_equal(x(0), 0);
	assert_int_equal(x(1), 0);
	smc(RSI_MEASUREMENT, 5, 0, 0, 0);
	assert_int_equal(x(0), 1);
	assert_int_equal(x(1), 5);
}

/* Nothing is attested; the host is never called. */
static void the_rest_is_refused(void **state)
{
	(void)state;
	for (u64 id = 0xc4000190; id <= 0xc40001af; id++) {
		const bool is_served = id == RSI_VERSION || id == 0xc4000191 ||
				       id == RSI_REALM_CONFIG || id == RSI_SET || id == RSI_GET ||
				       id == RSI_MEASUREMENT;

		if (!is_served) {
			assert_int_equal(smc(id, FIX_RAM_GPA, 0, 0, 0), RV_EXIT_IRQ);
			assert_int_not_equal(x(0), 0);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_trapped_smc_is_skipped_an_hvc_is_not, fix_setup),
		cmocka_unit_test_setup(unknown_calls_get_minus_one, fix_setup),
		cmocka_unit_test_setup(only_workarounds_reach_firmware, fix_setup),
		cmocka_unit_test_setup(vendor_uid_is_ours, fix_setup),
		cmocka_unit_test_setup(random_numbers, fix_setup),
		cmocka_unit_test_setup(cpu_on_off_on, fix_setup_protected),
		cmocka_unit_test_setup(cpu_on_refusals_change_nothing, fix_setup_protected),
		cmocka_unit_test_setup(cpu_on_of_a_leaving_target, fix_setup_protected),
		cmocka_unit_test_setup(the_end_of_a_vm, fix_setup_protected),
		cmocka_unit_test_setup(suspend_waits_for_an_interrupt, fix_setup_protected),
		cmocka_unit_test_setup(features_match_what_is_served, fix_setup_protected),
		cmocka_unit_test_setup(open_vms_and_hvc_see_no_realm, fix_setup),
		cmocka_unit_test_setup(version, fix_setup_protected),
		cmocka_unit_test_setup(the_manifest_is_measured, fix_setup_protected),
		cmocka_unit_test_setup(config_is_written_or_asked_for_or_refused,
				       fix_setup_protected),
		cmocka_unit_test_setup(state_set_goes_on_where_it_stopped, fix_setup_protected),
		cmocka_unit_test_setup(state_set_asks_for_tables_and_repeats, fix_setup_protected),
		cmocka_unit_test_setup(state_set_refuses, fix_setup_protected),
		cmocka_unit_test_setup(state_get_tells_runs, fix_setup_protected),
		cmocka_unit_test_setup(the_rest_is_refused, fix_setup_protected),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
