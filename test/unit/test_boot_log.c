/* SPDX-License-Identifier: BSD-3-Clause */
/* The log's lines and ring, and exception entry to EL1. */
#include "boot_fixture.h"

#include <cv/exception.h>
#include <cv/log.h>
#include <string.h>

#define RING_BYTES 2048 /* more than what waits for it */

static char ring[RING_BYTES + 16];
static u64 head;

static void test_lines(void **state)
{
	(void)state;
	fix_console_bytes = 0;
	log_line("a %s %c %d %u %x %ld %lu %lx %%", "text", 'c', -5, 4000000000u, 0xbeefu, -6l,
		 ~0ul, 0x123456789abcul);
	assert_string_equal(
		fix_console,
		"corevisor: a text c -5 4000000000 beef -6 18446744073709551615 123456789abc %\n");
	fix_console_bytes = 0;
	log_line("%s%s%s%s", "0123456789012345678901234567890123456789",
		 "0123456789012345678901234567890123456789",
		 "0123456789012345678901234567890123456789",
		 "0123456789012345678901234567890123456789");
	assert_int_equal(fix_console_bytes, LOG_LINE_BYTES);
	assert_int_equal(fix_console[LOG_LINE_BYTES - 1], '\n');
}

/* The host reads with its caches off: data is clean before the head says that it is there. */
static u64 cleaned, cleaned_heads, clean_until;

static void on_clean(const void *start, u64 bytes)
{
	const char *at = start;

	if (start == &head) {
		assert_int_equal(head, clean_until);
		cleaned_heads++;
	} else {
		assert_true(at >= ring + 8 && at + bytes <= ring + 8 + RING_BYTES);
		assert_true(head < clean_until + bytes || bytes == 0);
		cleaned += bytes;
		clean_until += bytes;
	}
}

static void test_ring_is_cleaned(void **state)
{
	u64 start = head;

	(void)state;
	cleaned = cleaned_heads = 0;
	clean_until = head;
	fix_on_clean = on_clean;
	for (u32 i = 0; i < 100; i++) {
		log_line("line %u", i);
	}
	fix_on_clean = NULL;
	assert_int_equal(cleaned, head - start);
	assert_int_equal(cleaned_heads, 100);
}

/* What came before the ring is there, as far as there was room; later lines wrap; nothing is
 * written outside; the console is left alone. */
static void test_ring(void **state)
{
	(void)state;
	for (u32 i = 0; i < 100; i++) {
		log_line("early line %u", i);
		fix_console_bytes = 0;
	}
	memset(ring, 'x', sizeof(ring));
	log_attach(ring + 8, RING_BYTES, &head);
	assert_int_equal(head, 1024);
	log_leave_console();
	fix_console_bytes = 0;
	for (u32 i = 0; i < 1000; i++) {
		log_line("line %u", i);
	}
	assert_int_equal(fix_console_bytes, 0);
	for (u32 i = 0; i < 8; i++) {
		assert_int_equal(ring[i], 'x');
		assert_int_equal(ring[8 + RING_BYTES + i], 'x');
	}
	{
		static const char last[] = "corevisor: line 999\n";
		u64 start = head - (sizeof(last) - 1);

		for (u32 i = 0; i < sizeof(last) - 1; i++) {
			assert_int_equal(ring[8 + (start + i) % RING_BYTES], last[i]);
		}
	}
	log_panic_line("end");
	assert_string_equal(fix_console, "corevisor: end\n");
}

#define ALL_BITS                                                                          \
	(PSTATE_PAN | PSTATE_UAO | PSTATE_DIT | PSTATE_BTYPE | PSTATE_SSBS | PSTATE_TCO | \
	 PSTATE_ALLINT)
#define SPAN (1ull << 23)
#define DSSBS (1ull << 44)
#define SPINTMASK (1ull << 62)

static u64 pstate_after(u64 pstate, u64 sctlr, u64 mask)
{
	const struct el1_entry el1 = { .sctlr = sctlr,
				       .vbar = 0xffff800008010000,
				       .pstate_mask = mask };

	return exception_enter(pstate, &el1).pstate;
}

static u64 pc_after(u64 pstate, u64 vbar)
{
	const struct el1_entry el1 = { .vbar = vbar };

	return exception_enter(pstate, &el1).pc;
}

static void test_exception_vector(void **state)
{
	(void)state;
	assert_int_equal(pc_after(PSTATE_EL1T, 0x10000), 0x10000);
	assert_int_equal(pc_after(PSTATE_EL1H, 0x10000), 0x10200);
	assert_int_equal(pc_after(PSTATE_EL0T, 0x10000), 0x10400);
	assert_int_equal(pc_after(PSTATE_M32, 0x10000), 0x10600);
	assert_int_equal(pc_after(PSTATE_M32 | 3, 0x10000), 0x10600);
	/* RES0 bits of VBAR_EL1 do not move the vector. */
	assert_int_equal(pc_after(PSTATE_EL1H, 0x107ff), 0x10200);
}

static void test_exception_pstate(void **state)
{
	const u64 base = PSTATE_EL1H | PSTATE_DAIF;

	(void)state;
	/* A CPU of Armv8.0 */
	assert_int_equal(pstate_after(PSTATE_EL0T, 0, 0), base);
	assert_int_equal(pstate_after(PSTATE_EL0T | PSTATE_N_Z_C_V | PSTATE_SS | PSTATE_IL, 0, 0),
			 base | PSTATE_N_Z_C_V);
	/* One with everything */
	assert_int_equal(pstate_after(PSTATE_EL0T, SPAN | SPINTMASK, ALL_BITS), base | PSTATE_TCO);
	assert_int_equal(pstate_after(PSTATE_EL0T, SPINTMASK, ALL_BITS),
			 base | PSTATE_TCO | PSTATE_PAN);
	assert_int_equal(pstate_after(PSTATE_EL1H | PSTATE_PAN, SPAN | SPINTMASK, ALL_BITS),
			 base | PSTATE_TCO | PSTATE_PAN);
	assert_int_equal(
		pstate_after(PSTATE_EL1H | PSTATE_UAO | PSTATE_BTYPE, SPAN | SPINTMASK, ALL_BITS),
		base | PSTATE_TCO);
	assert_int_equal(pstate_after(PSTATE_EL1H | PSTATE_DIT, SPAN | SPINTMASK, ALL_BITS),
			 base | PSTATE_TCO | PSTATE_DIT);
	assert_int_equal(pstate_after(PSTATE_EL1H, SPAN | DSSBS | SPINTMASK, ALL_BITS),
			 base | PSTATE_TCO | PSTATE_SSBS);
	assert_int_equal(pstate_after(PSTATE_EL1H | PSTATE_SSBS, SPAN, ALL_BITS),
			 base | PSTATE_TCO | PSTATE_ALLINT);
}

static void test_exception_origin(void **state)
{
	(void)state;
	assert_true(exception_is_from_el1(PSTATE_EL1H));
	assert_true(exception_is_from_el1(PSTATE_EL1T));
	assert_false(exception_is_from_el1(PSTATE_EL0T));
	assert_false(exception_is_from_el1(PSTATE_M32));
	assert_false(exception_is_from_el1(PSTATE_M32 | 7));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_ring),
		cmocka_unit_test(test_ring_is_cleaned),
		cmocka_unit_test(test_exception_vector),
		cmocka_unit_test(test_exception_pstate),
		cmocka_unit_test(test_exception_origin),
	};

	return cmocka_run_group_tests_name("log and exception", tests, NULL, NULL);
}
