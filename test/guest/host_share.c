/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Sharing, seen from the host: a shared page is readable and holds only what was written since, a
 * private one never is. Once with RAM that comes page by page, once with RAM that comes in blocks,
 * of which the guest shares all or a part.
 */
#include "share_steps.h"
#include "tiny.h"

const char image_name[] = "share_host";

TINY_PAYLOAD(payload, "guest_share");

static struct tiny_vm vm;

static u64 backing(u64 gpa)
{
	u64 pfn = vm.backing[(gpa - TINY_RAM_BASE) / PAGE_BYTES];

	if (!pfn) {
		fail("nothing backs %#lx", gpa);
	}
	return pfn;
}

static void must_be_private(u64 gpa, const char *when)
{
	if (tiny_is_readable(backing(gpa))) {
		fail("%s: the page at %#lx is readable", when, gpa);
	}
}

static volatile u64 *must_be_shared(u64 gpa, const char *when)
{
	if (!tiny_is_readable(backing(gpa))) {
		fail("%s: the page at %#lx is not readable", when, gpa);
	}
	return (volatile u64 *)(backing(gpa) * PAGE_BYTES);
}

/* Nothing but the word that the guest wrote after sharing; then the host's answer. */
static void exchange(u64 gpa, const char *when)
{
	volatile u64 *page = must_be_shared(gpa, when);
	u32 i;

	for (i = 0; i < 512; i++) {
		if (page[i] != (i == 0 ? GUEST_WORD : 0)) {
			fail("%s: word %u is %#lx", when, i, page[i]);
		}
	}
	page[1] = HOST_WORD;
}

static void check_range(u64 base)
{
	u64 i;

	for (i = 0; i < RANGE_PAGES; i += 16) {
		must_be_shared(base + i * PAGE_BYTES, "in a shared range");
		if (!tiny_is_zero(backing(base + i * PAGE_BYTES))) {
			fail("a shared page still holds the guest's secret");
		}
	}
}

static void step(enum share_step number, u64 gpa)
{
	switch (number) {
	case STEP_PRIVATE:
		must_be_private(gpa, "before sharing");
		break;
	case STEP_SHARED:
		exchange(gpa, "shared");
		rv_expect("POOL_TOPUP with a VM's shared page", RV_E_STATE, RV_POOL_TOPUP,
			  backing(gpa), 0, 0, 0, 0);
		break;
	case STEP_PRIVATE_AGAIN:
		must_be_private(gpa, "after it was taken back");
		break;
	case STEP_UNBACKED:
		exchange(gpa, "arrived shared");
		break;
	case STEP_RANGE:
		check_range(gpa);
		break;
	}
}

static void live(const char *name, bool gives_blocks)
{
	u64 exit;
	u32 steps = 0;

	tiny_build(&vm, name, true, &payload, 1, "");
	vm.gives_blocks = gives_blocks;
	while ((exit = tiny_run(&vm, 0)) == RV_EXIT_MMIO && vm.run[0]->ipa == SHARE_DEVICE) {
		step(vm.run[0]->data & 0xfff, vm.run[0]->data & ~0xffful);
		steps++;
	}
	if (exit != RV_EXIT_SYSTEM_OFF || !tiny_ends_with(&vm, "PASS share") ||
	    steps != STEP_RANGE) {
		fail("the VM ended with exit %lu after %u steps and \"%s\"", exit, steps,
		     vm.last_line);
	}
	tiny_destroy(&vm);
}

_Noreturn void image_main(void)
{
	ready();
	tiny_begin();
	if (!(tiny_facts.features & RV_FEAT_ENTROPY)) {
		skip("no entropy: no protected VMs here");
	}
	live("pages", false);
	live("blocks", true);
	pass();
}
