/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Proof: the twelve lock primitives of the seed (reference 16.4), six classes of one pair. lock.c
 * runs unmodified, but every access it makes to shared memory goes through the functions below:
 * just before each one the other CPUs do whatever lock.c lets them do - take tickets, and pass the
 * lock on while it is theirs. For every number of CPUs up to that of the real machine, every ticket
 * number, so also when the 32-bit counters wrap:
 *   - who returns from acquire is the only one being served, and everybody who came before has been
 *     served, nobody who came later (FIFO);
 *   - acquire ends with a load-acquire that saw its ticket; release is one store-release of the
 * next ticket, and nothing of the holder's comes after it: what the lock protects is published
 * first;
 *   - the harness does to the lock only what it lets the others do, so the same holds for them.
 * Each class's harness takes the lock the way the core does; the object that the class protects is
 * changed by others until the lock is ours, and stays as it is from then on.
 * That a waiter ends is assumed of the others: whoever is served passes the lock on some time. Any
 * number of them may pass in one round of the wait, and a round keeps nothing, so three rounds show
 * every case.
 * Proof-args: --unwind 4 --unwindset lock_acquire.0:4,ledger_init.0:3,ledger_init.1:7,region_of.0:3
 * Proof-args: --unwindset region_init.0:7,region_init.1:3,slot_alloc.0:4,vm_init.0:4
 * Proof-args: corevisor/core/ledger.c
 * Proof-entry: proof_lock_core quick
 * Proof-entry: proof_lock_s2page quick
 * Proof-entry: proof_lock_pt quick
 * Proof-entry: proof_lock_vm
 */
#include "lock_model.h"

#include "corevisor/core/host_map.c"
#include "corevisor/core/vm.c"

/* ---- core: the table of VM slots. acquire_lock_core, release_lock_core ---- */

static void others_take_slots(void)
{
	for (u32 i = 0; i < VM_SLOTS; i++) {
		slots.slot[i].is_taken = nondet_bool();
	}
}

void proof_lock_core(void)
{
	struct vm_slot *slot;

	vm_init();
	others_have(&slots.lock, others_take_slots);
	others_take_slots();
	slot = slot_alloc();
	/* What is_mine() says of the moment between is said by the stubs here: vm.c holds the lock
	 * inside one function. */
	claim(me == PASSED || slot == NULL, "released");
	was_mine();
	reach(slot == NULL, "all taken");
	reach(slot == &slots.slot[2], "the last one");

	pair(&slots.lock, LOCK_RANK_VM_SLOTS);
}

/* ---- s2page: the ledger, a lock for each block. acquire_lock_s2page, release_lock_s2page ---- */

#define FIRST 18ull

void proof_lock_s2page(void)
{
	static u64 entries[8];
	static struct ledger_block blocks[3];
	const struct ledger_region regions[2] = {
		{ .base = { FIRST << PAGE_SHIFT }, .pages = 3 },
		{ .base = { (FIRST + 4) << PAGE_SHIFT }, .pages = 5 },
	};
	pfn_t pfn = pfn_make(FIRST + any_below(9));
	pfn_t other = pfn_make(FIRST + any_below(9));
	bool is_same_block = pfn.v / PAGES_PER_BLOCK == other.v / PAGES_PER_BLOCK;
	enum cv_status status = ledger_init(regions, 2, entries, blocks);

	claim(status == CV_OK, "the proof's RAM is well-formed");
	assume(ledger_is_ram(pfn) && ledger_is_ram(other));
	claim((ledger_lock(pfn) == ledger_lock(other)) == is_same_block,
	      "pages have one lock exactly if they are of one block, be it in two regions");
	reach(is_same_block && pfn.v < FIRST + 3 && other.v > FIRST + 3, "a block of two regions");
	reach(!is_same_block, "two blocks");
	for (u32 i = 0; i < ARRAY_SIZE(blocks); i++) {
		claim((ledger_lock(pfn) == &blocks[i].lock) ==
			      (pfn.v / PAGES_PER_BLOCK == FIRST / PAGES_PER_BLOCK + i),
		      "the block's");
	}
	pair(&blocks[1].lock, LOCK_RANK_LEDGER); /* all are alike, and this way cheap */
}

/* ---- pt: page tables. acquire_lock_pt, release_lock_pt ---- */

/* The host's tables: the leaf tables are the ledger blocks' (above), what is over them is this. A
 * VM's tables are the VM's (below). */
void proof_lock_pt(void)
{
	pair(&host.upper, LOCK_RANK_HOST_UPPER);
}

/* ---- vm: acquire_lock_vm, release_lock_vm ---- */

static struct vm records[VM_SLOTS];

static void others_change_slots(void)
{
	for (u32 i = 0; i < VM_SLOTS; i++) {
		u64 generation = any_below(1ull << 56);
		bool is_there = generation != 0 && nondet_bool();

		slots.slot[i].handle = is_there ? generation << VM_HANDLE_OWNER_BITS | (OWNER_VM_FIRST + i) : 0;
		slots.slot[i].vm = is_there ? &records[i] : NULL;
	}
}

void proof_lock_vm(void)
{
	u64 handle = nondet_u64();
	u32 index = vm_handle_owner(handle) - OWNER_VM_FIRST;
	struct vm *vm;

	vm_init();
	for (u32 i = 0; i < VM_SLOTS; i++) {
		records[i].lock = &slots.slot[i].lock;
	}
	others_change_slots();
	assume(index == 1 || index >= VM_SLOTS); /* all slots are alike, and this way it is cheap */
	others_have(&slots.slot[1].lock, others_change_slots);
	vm = vm_lock(handle);
	if (vm == NULL) {
		claim(rank_held == 0 && (me == NOT_THERE || me == PASSED), "no lock is left held");
		claim(index < VM_SLOTS || me == NOT_THERE, "what cannot be a VM takes no lock");
		reach(index >= VM_SLOTS, "no such slot");
		reach(index < VM_SLOTS, "no such VM any more");
	} else {
		is_mine(LOCK_RANK_VM);
		claim(vm == &records[1] && vm->lock == the_lock, "the VM of this slot");
		claim(slots.slot[1].handle == handle, "of this handle, now that it is locked");
		vm_unlock(vm);
		was_mine();
	}
}
