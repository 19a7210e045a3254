/* SPDX-License-Identifier: BSD-3-Clause */
/* Faults of the host: which syndrome EL1 gets for what (docs/fault-table.md); and the TRNG
 * interface. */
#include "boot_fixture.h"

#include <cv/exception.h>
#include <cv/host_fault.h>
#include <cv/mem.h>
#include <cv/psci.h>
#include <cv/rng.h>
#include <cv/trng.h>
#include <string.h>

#define VBAR 0xffff800008010000ull
#define FAR 0xffff0000deadbee0ull
#define PC 0xffff800008123450ull

static struct host_regs regs;
static struct {
	u64 esr, far, elr, spsr;
	u32 count;
} injected;
static bool is_spurious;
static u64 asked_ipa;
static enum mem_access asked_access;
static u32 asked_count;
static u32 faults;

struct el1_entry arch_host_el1(void)
{
	return (struct el1_entry){ .vbar = VBAR };
}

void arch_host_set_exception(u64 esr, u64 far, u64 elr, u64 spsr)
{
	injected.esr = esr;
	injected.far = far;
	injected.elr = elr;
	injected.spsr = spsr;
	injected.count++;
}

bool mem_host_fault_is_spurious(ipa_t ipa, enum mem_access access)
{
	asked_ipa = ipa.v;
	asked_access = access;
	asked_count++;
	return is_spurious;
}

void info_fault_injected(void)
{
	faults++;
}

static u64 esr_of(u64 class, u64 iss)
{
	return class << ESR_EC_SHIFT | ESR_IL | iss;
}

static void fault(u64 pstate, u64 esr, u64 ipa)
{
	memset(&injected, 0, sizeof(injected));
	asked_count = faults = 0;
	regs = (struct host_regs){ .x = { 1, 2, 3 }, .pc = PC, .pstate = pstate };
	/* HPFAR_EL2 has the page's bits from 12 at bit 4; NS (63) is noise here. */
	host_fault(&regs, esr, FAR, ipa >> 12 << 4 | 1ull << 63);
}

#define TRANSLATION 0x07ull
#define PERMISSION 0x0full
#define S1PTW (1ull << 7)

static void expect(u64 esr, u64 vector)
{
	assert_int_equal(injected.count, 1);
	assert_int_equal(faults, 1);
	assert_int_equal(injected.esr, esr);
	assert_int_equal(injected.far, FAR);
	assert_int_equal(injected.elr, PC);
	assert_int_equal(regs.pc, VBAR + vector);
	assert_int_equal(regs.pstate, PSTATE_EL1H | PSTATE_DAIF);
	assert_int_equal(regs.x[0], 1);
	assert_int_equal(regs.x[2], 3);
}

static void test_syndromes(void **state)
{
	(void)state;
	is_spurious = false;
	fault(PSTATE_EL0T, esr_of(EC_DABT_LOWER, TRANSLATION), 0x40200000);
	expect(esr_of(EC_DABT_LOWER, FSC_ALIGNMENT), 0x400);
	assert_int_equal(injected.spsr, PSTATE_EL0T);
	fault(PSTATE_EL1H, esr_of(EC_DABT_LOWER, TRANSLATION | ESR_WNR), 0x40200000);
	expect(esr_of(EC_DABT_SAME, FSC_ALIGNMENT | ESR_WNR), 0x200);
	fault(PSTATE_EL1T, esr_of(EC_DABT_LOWER, TRANSLATION), 0x40200000);
	expect(esr_of(EC_DABT_SAME, FSC_ALIGNMENT), 0x000);
	fault(PSTATE_M32, esr_of(EC_DABT_LOWER, TRANSLATION), 0x40200000);
	expect(esr_of(EC_DABT_LOWER, FSC_ALIGNMENT), 0x600);
	fault(PSTATE_EL0T, esr_of(EC_IABT_LOWER, TRANSLATION), 0x40200000);
	expect(esr_of(EC_IABT_LOWER, FSC_ALIGNMENT), 0x400);
	fault(PSTATE_EL1H, esr_of(EC_IABT_LOWER, PERMISSION), 0x40200000);
	expect(esr_of(EC_IABT_SAME, FSC_ALIGNMENT), 0x200);
	/* Cache maintenance; a valid syndrome's register fields do not reach EL1. */
	fault(PSTATE_EL0T, esr_of(EC_DABT_LOWER, TRANSLATION | ESR_CM | ESR_WNR), 0x40200000);
	expect(esr_of(EC_DABT_LOWER, FSC_ALIGNMENT | ESR_CM | ESR_WNR), 0x400);
	fault(PSTATE_EL0T, esr_of(EC_DABT_LOWER, TRANSLATION | ESR_ISV | 0x1ff0000 | 1 << 15),
	      0x40200000);
	expect(esr_of(EC_DABT_LOWER, FSC_ALIGNMENT), 0x400);
	/* A 16-bit instruction of AArch32 */
	fault(PSTATE_M32, EC_DABT_LOWER << ESR_EC_SHIFT | TRANSLATION, 0x40200000);
	expect(EC_DABT_LOWER << ESR_EC_SHIFT | FSC_ALIGNMENT, 0x600);
}

static void expect_asked(u64 esr, enum mem_access access)
{
	is_spurious = true;
	fault(PSTATE_EL0T, esr, 0xfedcba987000);
	assert_int_equal(asked_count, 1);
	assert_int_equal(asked_ipa, 0xfedcba987000);
	assert_int_equal(asked_access, access);
	/* Repeated: nothing changes. */
	assert_int_equal(injected.count + faults, 0);
	assert_int_equal(regs.pc, PC);
	assert_int_equal(regs.pstate, PSTATE_EL0T);
}

static void test_the_ledger_is_asked(void **state)
{
	(void)state;
	expect_asked(esr_of(EC_DABT_LOWER, TRANSLATION), MEM_READ);
	expect_asked(esr_of(EC_DABT_LOWER, TRANSLATION | ESR_WNR), MEM_WRITE);
	expect_asked(esr_of(EC_DABT_LOWER, TRANSLATION | ESR_WNR | ESR_CM), MEM_READ);
	expect_asked(esr_of(EC_DABT_LOWER, TRANSLATION | ESR_WNR | S1PTW), MEM_READ);
	expect_asked(esr_of(EC_IABT_LOWER, TRANSLATION), MEM_EXEC);
	expect_asked(esr_of(EC_IABT_LOWER, TRANSLATION | S1PTW), MEM_READ);
	expect_asked(esr_of(EC_DABT_LOWER, 0x04), MEM_READ);
}

/* HPFAR_EL2 does not hold an address for these, so nobody may be asked with it. */
static void test_other_faults_are_final(void **state)
{
	static const u64 codes[] = { 0x00, 0x03, 0x08, 0x0b, 0x0c, 0x0f,
				     0x10, 0x17, 0x18, 0x21, 0x35 };

	(void)state;
	is_spurious = true;
	for (u32 i = 0; i < ARRAY_SIZE(codes); i++) {
		fault(PSTATE_EL0T, esr_of(EC_DABT_LOWER, codes[i]), 0x40200000);
		assert_int_equal(asked_count, 0);
		expect(esr_of(EC_DABT_LOWER, FSC_ALIGNMENT), 0x400);
	}
}

static void test_undefined(void **state)
{
	(void)state;
	regs = (struct host_regs){ .pc = PC, .pstate = PSTATE_EL1H };
	host_undefined(&regs);
	assert_int_equal(injected.esr, ESR_IL);
	assert_int_equal(injected.elr, PC);
	assert_int_equal(regs.pc, VBAR + 0x200);
}

/* ---- TRNG ---- */

static bool has_entropy;

bool rng_is_ready(void)
{
	return has_entropy;
}

bool rng_bytes(void *out, u64 bytes)
{
	memset(out, 0xff, bytes);
	return has_entropy;
}

static s64 trng(u64 fn, u64 argument, u64 *x)
{
	memcpy(x, (u64[]){ fn, argument, 7, 7 }, 4 * sizeof(u64));
	assert_true(trng_call(x));
	return (s64)x[0];
}

static void check_bits(u64 fn, u64 bits, u64 x1, u64 x2, u64 x3)
{
	u64 x[4];

	assert_int_equal(trng(fn, bits, x), TRNG_SUCCESS);
	assert_int_equal(x[1], x1);
	assert_int_equal(x[2], x2);
	assert_int_equal(x[3], x3);
}

static void test_trng_bits(void **state)
{
	u64 x[4];

	(void)state;
	has_entropy = true;
	check_bits(TRNG_RND_64, 1, 0, 0, 1);
	check_bits(TRNG_RND_64, 64, 0, 0, ~0ull);
	check_bits(TRNG_RND_64, 65, 0, 1, ~0ull);
	check_bits(TRNG_RND_64, 191, ~0ull >> 1, ~0ull, ~0ull);
	check_bits(TRNG_RND_64, 192, ~0ull, ~0ull, ~0ull);
	check_bits(TRNG_RND_32, 33, 0, 1, 0xffffffff);
	check_bits(TRNG_RND_32, 96, 0xffffffff, 0xffffffff, 0xffffffff);
	/* Upper halves do not count in a 32-bit call. */
	check_bits(TRNG_RND_32, 1 | 1ull << 32, 0, 0, 1);
	assert_int_equal(trng(TRNG_RND_64, 0, x), TRNG_INVALID_PARAMETERS);
	assert_int_equal(trng(TRNG_RND_64, 193, x), TRNG_INVALID_PARAMETERS);
	assert_int_equal(trng(TRNG_RND_64, 1ull << 32, x), TRNG_INVALID_PARAMETERS);
	assert_int_equal(trng(TRNG_RND_32, 97, x), TRNG_INVALID_PARAMETERS);
}

static void test_trng_calls(void **state)
{
	u64 x[4] = { 0x84000054 };

	(void)state;
	assert_false(trng_call(x));
	has_entropy = true;
	assert_int_equal(trng(TRNG_VERSION, 0, x), TRNG_VERSION_1_0);
	assert_int_equal(trng(TRNG_FEATURES, TRNG_RND_64, x), TRNG_SUCCESS);
	assert_int_equal(trng(TRNG_FEATURES, 0x84000054, x), TRNG_NOT_SUPPORTED);
	has_entropy = false;
	assert_int_equal(trng(TRNG_VERSION, 0, x), TRNG_NOT_SUPPORTED);
	assert_int_equal(trng(TRNG_RND_64, 64, x), TRNG_NOT_SUPPORTED);
	assert_int_equal(x[3], 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_syndromes),
		cmocka_unit_test(test_the_ledger_is_asked),
		cmocka_unit_test(test_other_faults_are_final),
		cmocka_unit_test(test_undefined),
		cmocka_unit_test(test_trng_bits),
		cmocka_unit_test(test_trng_calls),
	};

	return cmocka_run_group_tests_name("host_fault and trng", tests, NULL, NULL);
}
