/* SPDX-License-Identifier: BSD-3-Clause */
/* The host's power calls: what reaches firmware, and with which arguments; what does not. */
#include "boot_fixture.h"

#include <cv/host_psci.h>
#include <cv/psci.h>
#include <string.h>

static const u64 affinity[] = { 0x0, 0x1, 0x100, 0x101, 0x102 };
static struct host_regs regs;

static s64 firmware_good(u64 fn, u64 a1)
{
	switch (fn) {
	case PSCI_VERSION:
		return 0x10001;
	case PSCI_FEATURES:
		return a1 == SMCCC_VERSION ? PSCI_NOT_SUPPORTED : 0;
	case PSCI_AFFINITY_INFO_64:
		return 1;
	default:
		return PSCI_SUCCESS;
	}
}

static s64 firmware_busy(u64 fn, u64 a1)
{
	return fn == PSCI_CPU_ON_64 ? PSCI_ALREADY_ON
	       : fn == PSCI_CPU_OFF ? PSCI_DENIED
				    : firmware_good(fn, a1);
}

static int setup(void **state)
{
	(void)state;
	host_psci_init(affinity, ARRAY_SIZE(affinity), 0);
	fix_cpu = 0;
	fix_call_count = fix_revokes = fix_scrubs = 0;
	fix_firmware = firmware_good;
	memset(fix_place, 0, sizeof(fix_place));
	fix_on_event = NULL;
	fix_inside_at_revoke = fix_inside_at_scrub = fix_events = 0;
	return 0;
}

static s64 call(u64 fn, u64 a1, u64 a2, u64 a3)
{
	regs = (struct host_regs){ .x = { fn, a1, a2, a3 } };
	assert_true(host_psci_call(&regs));
	return (s64)regs.x[0];
}

#define ENTRY (FIX_CORE_END + 0x1000)

static void test_cpu_on_is_rewritten(void **state)
{
	struct host_regs start;

	(void)state;
	assert_int_equal(call(PSCI_CPU_ON_64, 0x101, ENTRY, 0x1234), PSCI_SUCCESS);
	assert_int_equal(fix_call_count, 1);
	assert_int_equal(fix_calls[0].fn, PSCI_CPU_ON_64);
	assert_int_equal(fix_calls[0].a1, 0x101);
	assert_int_equal(fix_calls[0].a2, FIX_ENTRY);
	assert_int_equal(fix_calls[0].a3, FIX_CONTEXT + 3);
	assert_int_equal(call(PSCI_CPU_ON_64, 0x101, ENTRY, 0), PSCI_ON_PENDING);
	assert_int_equal(call(PSCI_AFFINITY_INFO_64, 0x101, 0, 0), PSCI_AFFINITY_ON_PENDING);
	assert_int_equal(FIX_RUN(host_psci_arrive(3, &start, NULL)), FIX_DONE);
	assert_int_equal(start.pc, ENTRY);
	assert_int_equal(start.x[0], 0x1234);
	assert_int_equal(start.pstate, 0x3c5);
	assert_int_equal(call(PSCI_CPU_ON_64, 0x101, ENTRY, 0), PSCI_ALREADY_ON);
	assert_int_equal(fix_call_count, 1);
}

static void test_cpu_on_refuses(void **state)
{
	static const u64 entries[] = { FIX_RAM, FIX_CORE_END - 4, FIX_RAM_END, 0,
				       ~3ull,	ENTRY + 1,	  ENTRY + 2,   1ull << 40 };
	static const u64 targets[] = { 2, 0x80000000, 0x10100000000, ~0ull };

	(void)state;
	for (u32 i = 0; i < ARRAY_SIZE(entries); i++) {
		assert_int_equal(call(PSCI_CPU_ON_64, 1, entries[i], 0), PSCI_INVALID_ADDRESS);
	}
	for (u32 i = 0; i < ARRAY_SIZE(targets); i++) {
		assert_int_equal(call(PSCI_CPU_ON_64, targets[i], ENTRY, 0),
				 PSCI_INVALID_PARAMETERS);
	}
	assert_int_equal(call(PSCI_CPU_ON_64, 0, ENTRY, 0), PSCI_ALREADY_ON);
	assert_int_equal(fix_call_count, 0);
}

static void test_cpu_on_32(void **state)
{
	(void)state;
	/* The upper halves are not part of the call. */
	assert_int_equal(call(PSCI_CPU_ON_32, 1 | 1ull << 40, ENTRY | 7ull << 32, 5 | 1ull << 33),
			 PSCI_SUCCESS);
	assert_int_equal(FIX_RUN(host_psci_arrive(1, &regs, NULL)), FIX_DONE);
	assert_int_equal(regs.pc, ENTRY);
	assert_int_equal(regs.x[0], 5);
}

static void test_refused_by_firmware(void **state)
{
	(void)state;
	fix_firmware = firmware_busy;
	assert_int_equal(call(PSCI_CPU_ON_64, 1, ENTRY, 0), PSCI_ALREADY_ON);
	assert_int_equal(call(PSCI_CPU_OFF, 0, 0, 0), PSCI_DENIED);
	fix_firmware = firmware_good;
	assert_int_equal(call(PSCI_CPU_ON_64, 1, ENTRY, 0), PSCI_SUCCESS);
	/* Still on. */
	assert_int_equal(call(PSCI_CPU_ON_64, 0, ENTRY, 0), PSCI_ALREADY_ON);
}

static s64 firmware_goes_off(u64 fn, u64 a1)
{
	if (fn == PSCI_CPU_OFF) {
		longjmp(fix_jump, FIX_PARKED);
	}
	return firmware_good(fn, a1);
}

static void test_cpu_off(void **state)
{
	(void)state;
	fix_firmware = firmware_goes_off;
	assert_int_equal(FIX_RUN(call(PSCI_CPU_OFF, 0, 0, 0)), FIX_PARKED);
	assert_int_equal(call(PSCI_CPU_ON_64, 0, ENTRY, 0), PSCI_SUCCESS);
}

static void test_arrival_needs_a_call(void **state)
{
	(void)state;
	assert_int_equal(FIX_RUN(host_psci_arrive(1, &regs, NULL)), FIX_PARKED);
	assert_int_equal(call(PSCI_CPU_ON_64, 1, ENTRY, 0), PSCI_SUCCESS);
	assert_int_equal(FIX_RUN(host_psci_arrive(1, &regs, "differs")), FIX_PARKED);
	/* It never came. */
	assert_int_equal(call(PSCI_AFFINITY_INFO_64, 1, 0, 0), PSCI_AFFINITY_ON_PENDING);
}

static s64 firmware_extended(u64 fn, u64 a1)
{
	return fn == PSCI_FEATURES && a1 == PSCI_CPU_SUSPEND_64 ? 2 : firmware_good(fn, a1);
}

static void test_affinity_info(void **state)
{
	(void)state;
	assert_int_equal(call(PSCI_AFFINITY_INFO_64, 0x100, 0, 0), 1);
	assert_int_equal(fix_calls[0].a1, 0x100);
	assert_int_equal(call(PSCI_AFFINITY_INFO_64, 0x100, 1, 0), PSCI_INVALID_PARAMETERS);
	assert_int_equal(call(PSCI_AFFINITY_INFO_64, 2, 0, 0), PSCI_INVALID_PARAMETERS);
	assert_int_equal(fix_call_count, 1);
}

static s64 firmware_old(u64 fn, u64 a1)
{
	return fn == PSCI_FEATURES && a1 == PSCI_SYSTEM_RESET2_64 ? PSCI_NOT_SUPPORTED
								  : firmware_good(fn, a1);
}

/* The host goes on, and nothing was taken from it. */
static void test_reset2_is_refused_in_time(void **state)
{
	(void)state;
	fix_firmware = firmware_old;
	assert_int_equal(FIX_RUN(call(PSCI_SYSTEM_RESET2_64, 0, 0, 0)), FIX_DONE);
	assert_int_equal(regs.x[0], PSCI_NOT_SUPPORTED);
	assert_int_equal(fix_revokes + fix_scrubs, 0);
	assert_false(host_psci_is_stopping());
	assert_false(host_psci_is_stopped_here());
}

static void test_suspend(void **state)
{
	(void)state;
	assert_int_equal(call(PSCI_CPU_SUSPEND_64, 1 << 16, ENTRY, 0), PSCI_DENIED);
	assert_int_equal(call(PSCI_CPU_SUSPEND_64, 0, ENTRY, 7), PSCI_SUCCESS);
	assert_int_equal(fix_calls[fix_call_count - 1].fn, PSCI_CPU_SUSPEND_64);
	assert_int_equal(fix_calls[fix_call_count - 1].a2, 0);
	assert_int_equal(fix_calls[fix_call_count - 1].a3, 0);
	fix_firmware = firmware_extended;
	assert_int_equal(call(PSCI_CPU_SUSPEND_64, 1 << 30, ENTRY, 0), PSCI_DENIED);
	assert_int_equal(call(PSCI_CPU_SUSPEND_64, 1 << 16, ENTRY, 0), PSCI_SUCCESS);
}

static void test_features(void **state)
{
	(void)state;
	assert_int_equal(call(PSCI_FEATURES, PSCI_CPU_ON_64, 0, 0), 0);
	assert_int_equal(call(PSCI_FEATURES, SMCCC_VERSION, 0, 0), 0);
	assert_int_equal(call(PSCI_FEATURES, 0xc400000e, 0, 0),
			 PSCI_NOT_SUPPORTED); /* SYSTEM_SUSPEND */
	assert_int_equal(call(PSCI_FEATURES, 0x84000013, 0, 0),
			 PSCI_NOT_SUPPORTED); /* MEM_PROTECT */
}

/* All of the standard range that is not in the list stays here. */
static void test_unknown_calls(void **state)
{
	static const u32 others[] = { 0x84000005, 0x84000007, 0x8400000b, 0x8400000c, 0xc400000c,
				      0xc400000d, 0xc400000e, 0x84000010, 0xc4000011, 0x84000013,
				      0xc4000014, 0x84000015, 0xc4000016, 0x04000003 };

	(void)state;
	for (u32 i = 0; i < ARRAY_SIZE(others); i++) {
		regs = (struct host_regs){ .x = { others[i], 1, ENTRY, 0 } };
		assert_false(host_psci_call(&regs));
	}
	assert_int_equal(fix_call_count, 0);
}

static s64 firmware_order(u64 fn, u64 a1)
{
	(void)a1;
	if (fn == PSCI_SYSTEM_OFF) {
		assert_true(fix_revokes >= 1);
		assert_int_equal(fix_scrubs, 1);
		assert_int_equal(fix_forgets, 3);
	}
	return 0;
}

static void finish_call(void)
{
	if (fix_events == 10000) {
		fix_place[2] = ARCH_AT_HOST;
	}
	if (fix_events == 20000) {
		fix_place[3] = ARCH_AT_HOST;
	}
}

static void end_machine(void)
{
	fix_cpu = 0;
	fix_firmware = firmware_order;
	for (u32 i = 2; i < 4; i++) {
		assert_int_equal(call(PSCI_CPU_ON_64, affinity[i], ENTRY, 0), PSCI_SUCCESS);
		host_psci_arrive(i, &regs, NULL);
	}
	assert_int_equal(call(PSCI_CPU_ON_64, affinity[4], ENTRY, 0), PSCI_SUCCESS);
	fix_call_count = 0;
	/* This CPU itself, one that went off inside the corevisor and is to come again, and one
	 * that firmware lets sleep are not waited for. */
	fix_place[0] = ARCH_AT_EL2;
	fix_place[1] = ARCH_AT_EL2;
	fix_place[4] = ARCH_AT_EL2;
	fix_place[2] = ARCH_AT_EL2; /* in a call, done after a while */
	fix_place[3] = ARCH_AT_GUEST;
	fix_on_event = finish_call;
	assert_int_equal(FIX_RUN(call(PSCI_SYSTEM_OFF, 0, 0, 0)), FIX_PARKED);
	assert_int_equal(fix_calls[0].fn, PSCI_SYSTEM_OFF);
	assert_int_equal(fix_scrubs, 1);
	/* The call was let finish before its tables went, the guest was put away before its memory
	 * did, however long they took; nobody was waited for longer than that. */
	assert_int_equal(fix_inside_at_revoke, 3);
	assert_int_equal(fix_inside_at_scrub, 3);
	assert_in_range(fix_events, 20090, 20110);
	assert_true(host_psci_is_stopping());
	/* What fails on another CPU now is no panic; on this one it is. */
	assert_false(host_psci_is_stopped_here());
	fix_cpu = 1;
	assert_true(host_psci_is_stopped_here());
	assert_int_equal(FIX_RUN(host_psci_arrive(4, &regs, NULL)), FIX_PARKED);
	assert_int_equal(FIX_RUN(call(PSCI_SYSTEM_RESET, 0, 0, 0)), FIX_PARKED);
	assert_int_equal(fix_scrubs, 1);
}

static s64 firmware_sleeps(u64 fn, u64 a1)
{
	jmp_buf sleeper;

	if (fn == PSCI_CPU_SUSPEND_64) {
		memcpy(sleeper, fix_jump, sizeof(sleeper));
		end_machine();
		memcpy(fix_jump, sleeper, sizeof(sleeper));
		fix_cpu = 1;
	}
	return firmware_good(fn, a1);
}

/* Last, as there is no way back: memory is taken from all, VMs are scrubbed, then firmware is
 * asked. A CPU that firmware let sleep meanwhile goes no further. */
static void test_system_off(void **state)
{
	(void)state;
	assert_int_equal(call(PSCI_CPU_ON_64, affinity[1], ENTRY, 0), PSCI_SUCCESS);
	assert_int_equal(FIX_RUN(host_psci_arrive(1, &regs, NULL)), FIX_DONE);
	fix_firmware = firmware_sleeps;
	fix_cpu = 1;
	assert_int_equal(FIX_RUN(call(PSCI_CPU_SUSPEND_64, 0, ENTRY, 0)), FIX_PARKED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_cpu_on_is_rewritten, setup),
		cmocka_unit_test_setup(test_cpu_on_refuses, setup),
		cmocka_unit_test_setup(test_cpu_on_32, setup),
		cmocka_unit_test_setup(test_refused_by_firmware, setup),
		cmocka_unit_test_setup(test_cpu_off, setup),
		cmocka_unit_test_setup(test_arrival_needs_a_call, setup),
		cmocka_unit_test_setup(test_affinity_info, setup),
		cmocka_unit_test_setup(test_reset2_is_refused_in_time, setup),
		cmocka_unit_test_setup(test_suspend, setup),
		cmocka_unit_test_setup(test_features, setup),
		cmocka_unit_test_setup(test_unknown_calls, setup),
		cmocka_unit_test_setup(test_system_off, setup),
	};

	return cmocka_run_group_tests_name("host_psci", tests, NULL, NULL);
}
