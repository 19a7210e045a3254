/* SPDX-License-Identifier: BSD-3-Clause */
/* The host's calls: drawn, and what every one of them leaves behind. */
#include "races.h"

#include <cv/hcall.h>
#include <cv/host_psci.h>
#include <cv/info.h>
#include <sched.h>
#include <string.h>

#include "../common/snapshot.h"

#define CALL_ROW(id, weight, arguments)    \
	{                                  \
#id, id, weight, arguments \
	}

/* clang-format off */
const struct race_call race_calls[] = {
	CALL_ROW(RV_VM_CREATE, 0, ""),
	CALL_ROW(RV_VM_TOPUP, 6, "hp"),
	CALL_ROW(RV_VM_ADD_RAM, 1, "hgm"),
	CALL_ROW(RV_VM_KILL, 1, "h"),
	CALL_ROW(RV_VM_DESTROY, 3, "h"),
	CALL_ROW(RV_VM_VERIFY, 1, "hp"),
	CALL_ROW(RV_VM_MEASURE, 3, "hm"),
	CALL_ROW(RV_VM_MAP_IO, 3, "hod"),
	CALL_ROW(RV_POOL_TOPUP, 0, ""),
	CALL_ROW(RV_IMAGE_ADD, 1, "hxm"),
	CALL_ROW(RV_IMAGE_MAP, 3, "hmpn"),
	CALL_ROW(RV_MEM_MAP, 20, "hgpn"),
	CALL_ROW(RV_MEM_RECLAIM, 10, "hgn"),
	CALL_ROW(RV_VCPU_CREATE, 3, "hipp"),
	CALL_ROW(RV_VCPU_BOOT, 8, "hiex"),
	CALL_ROW(RV_VCPU_READ_REGS, 3, "hi"),
	CALL_ROW(RV_VCPU_RUN, 3, "hi"),
	CALL_ROW(RV_DMA_ALLOC, 1, "chr"),
	CALL_ROW(RV_DMA_TOPUP, 3, "cp"),
	CALL_ROW(RV_DMA_MAP, 2, "cgpn"),
	CALL_ROW(RV_DMA_UNMAP, 3, "cgn"),
	CALL_ROW(RV_DMA_FREE, 2, "c"),
	CALL_ROW(RV_SEAL_SAVE_BEGIN, 2, "hs"),
	CALL_ROW(RV_SEAL_SAVE_VCPU, 2, "his"),
	CALL_ROW(RV_SEAL_SAVE_PAGE, 4, "hs"),
	CALL_ROW(RV_SEAL_SAVE_END, 1, "hs"),
	CALL_ROW(RV_SEAL_ABORT, 3, "h"),
	CALL_ROW(RV_SEAL_LOAD_BEGIN, 2, "hs"),
	CALL_ROW(RV_SEAL_LOAD_VCPU, 2, "hisxx"),
	CALL_ROW(RV_SEAL_LOAD_PAGE, 1, "hgwpxx"),
	CALL_ROW(RV_SEAL_LOAD_END, 1, "hsxx"),
};
/* clang-format on */
const u32 race_call_count = ARRAY_SIZE(race_calls);

struct races races;

u64 race_slot(u64 handle)
{
	return (vm_handle_owner(handle) - OWNER_VM_FIRST) % VM_SLOTS;
}

static void note_success(u64 id, const u64 *arg, u64 result)
{
	switch (id) {
	case RV_VM_CREATE:
		__atomic_store_n(&races.handle[race_slot(result)], result, __ATOMIC_RELAXED);
		break;
	case RV_MEM_MAP:
		for (u64 i = 0; i < result && arg[1] + i < SPEC_GFNS; i++) {
			__atomic_store_n(&races.pfn[race_slot(arg[0])][arg[1] + i], arg[2] + i,
					 __ATOMIC_RELAXED);
		}
		break;
	case RV_DMA_ALLOC:
		__atomic_store_n(&races.context_vm[arg[0]], arg[1], __ATOMIC_RELAXED);
		break;
	case RV_POOL_TOPUP:
		__atomic_fetch_add(&races.pool_pages, 1, __ATOMIC_RELAXED);
		break;
	default:
		break;
	}
}

static void count_answer(u64 id, s64 status)
{
	u32 i = 0;

	while (i < race_call_count && race_calls[i].id != id) {
		i++;
	}
	if (i == race_call_count || status > RV_OK || status < RV_E_AUTH) {
		fake_fail("call %#lx answers %ld", id, status);
	}
	__atomic_fetch_add(&races.answers[i][-status], 1, __ATOMIC_RELAXED);
}

/* Where a lock was dropped, others may be faster. */
void __real_lock_release(struct lock *lock);
void __wrap_lock_release(struct lock *lock);
void __wrap_lock_release(struct lock *lock)
{
	__real_lock_release(lock);
	if (chance(16)) {
		sched_yield();
	}
}

void __real_hcall(struct host_regs *regs);
void __wrap_hcall(struct host_regs *regs);
void __wrap_hcall(struct host_regs *regs)
{
	u64 id = regs->x[0];
	u64 arg[7];

	memcpy(arg, &regs->x[1], sizeof(arg));
	__real_hcall(regs);
	count_answer(id, (s64)regs->x[0]);
	if (regs->x[0] == RV_OK) {
		note_success(id, arg, regs->x[1]);
	}
}

/* What the core asks of files that are not here. */
bool host_psci_is_stopping(void)
{
	return false;
}

void info_refusal(u64 id, s64 status, u64 first_argument)
{
	(void)id, (void)status, (void)first_argument;
}

void info_publish(void)
{
}

static u64 draw_argument(char kind)
{
	switch (kind) {
	case 'h':
		return draw_handle();
	case 'g':
		return draw_gfn();
	case 'o':
		return RAM_PAGES + draw(24);
	case 'p':
		return draw_pfn();
	case 'r':
		return draw_root();
	case 'd':
		return (race_machine.io_base >> PAGE_SHIFT) + draw(4);
	case 'n':
		return draw_count();
	case 'c':
		return draw(SPEC_CONTEXTS);
	case 'i':
		return draw_vcpu();
	case 'm':
		return draw(3);
	case 'e':
		return chance(8) ? odd() : 0;
	case 's':
		return chance(4) ? draw_pfn() : own_page((u32)draw(RACES_CPUS));
	case 'w':
		return draw(8) | 1ull << RV_SEAL_PAGES_SHIFT;
	default:
		return odd();
	}
}

void race_call_alone(void)
{
	const struct race_call *call = race_calls;
	u64 sum = 0, at, arg[7];
	u32 count = 0;

	for (u32 i = 0; i < race_call_count; i++) {
		sum += race_calls[i].weight;
	}
	for (at = draw(sum); at >= call->weight; call++) {
		at -= call->weight;
	}
	for (; call->arguments[count] != '\0'; count++) {
		arg[count] = draw_argument(call->arguments[count]);
	}
	snapshot_call(call->id, arg, count, NULL);
}
