/* SPDX-License-Identifier: BSD-3-Clause */
/* What the CPUs draw, each for itself. */
#include "races.h"

#include "../common/random.h"

static _Thread_local u64 random_state;

void draw_begin(u32 cpu, u64 seed)
{
	random_state = random_from(seed + ((u64)cpu << 56));
}

u64 draw(u64 below)
{
	return random_below(&random_state, below);
}

bool chance(u64 one_in)
{
	return draw(one_in) == 0;
}

u64 odd(void)
{
	static const u64 numbers[] = { 0, 1, GFN_LIMIT - 1, GFN_LIMIT, ~0ull >> PAGE_SHIFT, ~0ull };

	return numbers[draw(ARRAY_SIZE(numbers))];
}

u64 own_page(u32 cpu)
{
	return (race_machine.core_base >> PAGE_SHIFT) + FAKE_CORE_ROOTS_PAGES +
	       race_machine.core_tables + cpu;
}

u64 launch_page(u32 cpu)
{
	return own_page(RACES_CPUS + cpu);
}

static bool is_free(u64 pfn)
{
	struct lock *lock;
	bool is_host;

	if (!ledger_is_ram(pfn_make(pfn))) {
		return false;
	}
	lock = ledger_lock(pfn_make(pfn));
	lock_acquire(lock);
	is_host = ledger_is(pfn_make(pfn), OWNER_HOST, PAGE_EXCLUSIVE);
	lock_release(lock);
	return is_host;
}

u64 any_pfn(void)
{
	/* Of race_machine, but for the CPUs' own ones. */
	static const struct {
		u64 first;
		u64 pages;
		u64 weight;
	} areas[] = {
		{ 82, 46, 20 }, { 128, 64, 12 }, { 192, 64, 4 }, { 258, 14, 5 }, { 18, 54, 1 }
	};
	u64 at = draw(42), i = 0;

	for (; at >= areas[i].weight; i++) {
		at -= areas[i].weight;
	}
	return areas[i].first + draw(areas[i].pages);
}

u64 draw_pfn(void)
{
	u64 pfn = chance(60) ? odd() : any_pfn();

	for (u32 tries = chance(8) ? 0 : 6; tries > 0 && !is_free(pfn); tries--) {
		pfn = any_pfn();
	}
	return pfn;
}

u64 draw_root(void)
{
	u64 root = align_down(any_pfn(), 2);

	for (u32 tries = 12; tries > 0 && !(is_free(root) && is_free(root + 1)); tries--) {
		root = align_down(any_pfn(), 2);
	}
	return root;
}

u64 draw_gfn(void)
{
	return chance(60) ? odd() : draw(chance(4) ? SPEC_GFNS : 24);
}

static u64 handle_at(u64 slot)
{
	return __atomic_load_n(&races.handle[slot], __ATOMIC_RELAXED);
}

u64 draw_handle(void)
{
	return chance(60) ? odd() : handle_at(draw(VM_SLOTS));
}

u64 draw_count(void)
{
	return chance(40) ? odd() : chance(4) ? PAGES_PER_BLOCK + draw(2) : 1 + draw(3);
}

u64 draw_vcpu(void)
{
	return chance(3) ? draw(SPEC_VCPUS) : 0;
}

u64 draw_block(u64 *gfn, u64 *pfn)
{
	if (chance(2)) {
		*gfn = align_down(*gfn, PAGES_PER_BLOCK);
		*pfn = align_down(*pfn, PAGES_PER_BLOCK);
		return PAGES_PER_BLOCK;
	}
	return 1 + draw(3);
}
