/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A protected VM that shares memory by RSI, in place, and takes it back: both directions lose the
 * content. With "loop" on its command line it does nothing else, for ever.
 */
#include "env.h"
#include "share_steps.h"

const char image_name[] = "share";

#define RSI_VERSION 0xc4000190ul
#define RSI_REALM_CONFIG 0xc4000196ul
#define RSI_IPA_STATE_SET 0xc4000197ul
#define RSI_IPA_STATE_GET 0xc4000198ul
enum { RIPAS_EMPTY, RIPAS_RAM };

static u64 page_room[2 * 512];
static u64 config_room[2 * 512];

static void tell(enum share_step step, u64 address)
{
	dsb();
	*(volatile u64 *)SHARE_DEVICE = address | step;
	dsb();
}

static struct smccc rsi(u64 id, u64 a, u64 b, u64 c)
{
	struct smccc regs = { { id, a, b, c } };

	smccc_smc(&regs);
	return regs;
}

/* As Linux does it: until the whole range is done. Returns the number of calls. */
static u32 set_state(u64 base, u64 bytes, u64 state)
{
	u64 top = base + bytes;
	u32 calls = 0;

	while (base < top) {
		struct smccc got = rsi(RSI_IPA_STATE_SET, base, top, state);

		if (got.x[0] != 0 || got.x[2] != 0 || got.x[1] <= base || got.x[1] > top) {
			fail("IPA_STATE_SET(%#lx, %#lx, %lu): %#lx, %#lx, %#lx", base, top, state,
			     got.x[0], got.x[1], got.x[2]);
		}
		base = got.x[1];
		calls++;
	}
	return calls;
}

static void expect_state(u64 base, u64 bytes, u64 state)
{
	struct smccc got = rsi(RSI_IPA_STATE_GET, base, base + bytes, 0);

	if (got.x[0] != 0 || got.x[1] != base + bytes || got.x[2] != state) {
		fail("IPA_STATE_GET(%#lx, %#lx): %#lx, %#lx, %lu", base, bytes, got.x[0], got.x[1],
		     got.x[2]);
	}
}

static void expect_zero(const volatile u64 *page, const char *when)
{
	u32 i;

	for (i = 0; i < 512; i++) {
		if (page[i]) {
			fail("%s, word %u is %#lx", when, i, page[i]);
		}
	}
}

static void fill(volatile u64 *page)
{
	u32 i;

	for (i = 0; i < 512; i++) {
		page[i] = GUEST_SECRET;
	}
}

static void check_version_and_config(void)
{
	u64 *config = (u64 *)(((u64)config_room + PAGE_BYTES - 1) & ~(PAGE_BYTES - 1));
	struct smccc got = rsi(RSI_VERSION, 0x10000, 0, 0);

	if (got.x[0] != 0 || got.x[1] != 0x10000) {
		fail("RSI_VERSION: %#lx, %#lx", got.x[0], got.x[1]);
	}
	fill(config);
	got = rsi(RSI_REALM_CONFIG, (u64)config, 0, 0);
	if (got.x[0] != 0 || config[0] != 1) {
		fail("REALM_CONFIG: %#lx, ipa_bits %lu", got.x[0], config[0]);
	}
	if (rsi(RSI_REALM_CONFIG, (u64)config + 8, 0, 0).x[0] == 0 ||
	    rsi(RSI_REALM_CONFIG, SHARE_DEVICE & ~0xffful, 0, 0).x[0] == 0) {
		fail("REALM_CONFIG to a wrong address was done");
	}
}

static void share_one_page(volatile u64 *page)
{
	fill(page);
	expect_state((u64)page, PAGE_BYTES, RIPAS_RAM);
	tell(STEP_PRIVATE, (u64)page);
	set_state((u64)page, PAGE_BYTES, RIPAS_EMPTY);
	expect_state((u64)page, PAGE_BYTES, RIPAS_EMPTY);
	expect_zero(page, "after sharing");
	page[0] = GUEST_WORD;
	tell(STEP_SHARED, (u64)page);
	if (page[1] != HOST_WORD) {
		fail("the host's word is %#lx", page[1]);
	}
	set_state((u64)page, PAGE_BYTES, RIPAS_RAM);
	expect_state((u64)page, PAGE_BYTES, RIPAS_RAM);
	expect_zero(page, "after taking it back");
	fill(page);
	tell(STEP_PRIVATE_AGAIN, (u64)page);
}

/* Far RAM that nothing has touched. */
static u64 far_page(u64 n)
{
	return ((machine.image.base + machine.image.bytes + 0x3fffff) & ~0x1ffffful) +
	       n * PAGE_BYTES;
}

static void share_unbacked(void)
{
	volatile u64 *page = (volatile u64 *)far_page(0);

	set_state((u64)page, PAGE_BYTES, RIPAS_EMPTY);
	expect_zero(page, "a page that arrived shared");
	page[0] = GUEST_WORD;
	tell(STEP_UNBACKED, (u64)page);
	if (page[1] != HOST_WORD) {
		fail("the host's word is %#lx", page[1]);
	}
}

/* More than one call may do, backed and unbacked pages in turn. */
static void share_range(void)
{
	u64 base = far_page(512), i;
	u32 calls;

	for (i = 0; i < RANGE_PAGES; i += 16) {
		fill((volatile u64 *)(base + i * PAGE_BYTES));
	}
	calls = set_state(base, RANGE_PAGES * PAGE_BYTES, RIPAS_EMPTY);
	if (calls < RANGE_PAGES / 512) {
		fail("%lu pages were changed in %u calls", RANGE_PAGES, calls);
	}
	expect_state(base, RANGE_PAGES * PAGE_BYTES, RIPAS_EMPTY);
	for (i = 0; i < RANGE_PAGES; i += 16) {
		expect_zero((volatile u64 *)(base + i * PAGE_BYTES), "in a shared range");
	}
	tell(STEP_RANGE, base);
	set_state(base, RANGE_PAGES * PAGE_BYTES, RIPAS_RAM);
	for (i = 0; i < RANGE_PAGES; i += 16) {
		expect_zero((volatile u64 *)(base + i * PAGE_BYTES),
			    "in a range that was taken back");
	}
}

static void check_bad_ranges(void)
{
	static const u64 bad[][3] = {
		{ 0x40000800, 0x40001000, 0 },
		{ 0x40001000, 0x40001800, 0 },
		{ 0x40002000, 0x40001000, 0 },
		{ 0x40001000, 0x40001000, 0 },
		{ 0x40001000, 0x40002000, 2 },
		{ 0x40001000, 0x40002000, 3 },
		{ 0x09000000, 0x09001000, 0 },
		{ 0x3ffff000, 0x40001000, 0 },
		{ 0, ~0xffful, 0 },
		{ ~0xffful, 0, 0 },
		{ 0x40001000, 1ul << 52, 0 },
	};
	u32 i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		struct smccc got = rsi(RSI_IPA_STATE_SET, bad[i][0], bad[i][1], bad[i][2]);

		if (got.x[0] == 0 && got.x[1] != bad[i][0]) {
			fail("IPA_STATE_SET(%#lx, %#lx, %lu) was done up to %#lx", bad[i][0],
			     bad[i][1], bad[i][2], got.x[1]);
		}
	}
}

_Noreturn void image_main(void)
{
	ready();
	check_version_and_config();
	check_bad_ranges();
	while (has_bootarg("loop")) {
		share_range();
	}
	share_one_page((volatile u64 *)(((u64)page_room + PAGE_BYTES - 1) & ~(PAGE_BYTES - 1)));
	share_unbacked();
	share_range();
	pass();
}
