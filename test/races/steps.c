/* SPDX-License-Identifier: BSD-3-Clause */
/* What a CPU does: a call, or several that follow from each other. */
#include "races.h"

#include <cv/arch.h>
#include <cv/pool.h>
#include <cv/psci.h>
#include <string.h>

#include "../../arch-fake/fake_vcpu.h"
#include "../common/good_launch.h"
#include "../common/snapshot.h"

#define POOL_LOW 10 /* pages for its own tables: fewer, and the core gets more, for good */

/* as rsi.c has them */
#define RSI_REALM_CONFIG 0xc4000196u
#define RSI_IPA_STATE_SET 0xc4000197u
#define RSI_IPA_STATE_GET 0xc4000198u

static _Thread_local struct snapshot kept; /* the last one that this CPU took; count 0: none */

/* ---- a VM's life ---- */

static s64 create(u64 flags, u64 *handle)
{
	u64 owner[4] = { 0 }, results[4];
	s64 status;

	if (flags == RV_VM_PROTECTED) {
		good_owner(owner);
	}
	status = CALL_FOR(results, RV_VM_CREATE, draw_pfn(), draw_root(), flags, owner[0], owner[1],
			  owner[2], owner[3]);
	*handle = results[0];
	return status;
}

static void furnish(u64 handle, u64 tables, u64 vcpus)
{
	CALL(RV_VM_ADD_RAM, handle, 0, RAM_PAGES);
	while (tables-- > 0) {
		CALL(RV_VM_TOPUP, handle, draw_pfn());
	}
	for (u64 i = 0; i < SPEC_VCPUS; i++) {
		if ((vcpus >> i & 1) != 0) {
			CALL(RV_VCPU_CREATE, handle, i, draw_pfn(), draw_pfn());
		}
	}
}

/* An owner signs the images as they are; then it starts. Others may have changed them since. */
static void launch(u64 handle) CV_NO_LOCK_ANALYSIS
{
	struct rv_launch page;
	struct vm *vm = vm_lock(handle);
	u64 entry, results[4];

	if (vm == NULL) {
		return;
	}
	good_launch_make(&page, &vm->images, 0, !chance(4));
	entry = gfn_ipa(vm->images.image[0].first).v;
	vm_unlock(vm);
	page.signature[0] ^= chance(8);
	snapshot_put(launch_page(arch_cpu_index()), &page, sizeof(page));
	while (CALL_FOR(results, RV_VM_VERIFY, handle, launch_page(arch_cpu_index())) == RV_OK &&
	       results[0] > 0) {
	}
	CALL(RV_VCPU_BOOT, handle, 0, entry, 0);
}

static void save(u64 handle)
{
	static _Thread_local struct snapshot taken;
	u64 pfn = own_page(chance(3) ? (u32)draw(RACES_CPUS) : arch_cpu_index());

	if (snapshot_save(&taken, handle, pfn) == RV_OK) {
		kept = taken;
	}
}

static void build(void)
{
	u64 flags = chance(3) ? 0 : RV_VM_PROTECTED, handle, results[4];

	if (create(flags, &handle) != RV_OK) {
		return;
	}
	furnish(handle, 3 + draw(3), 1 | draw(8));
	if (flags == RV_VM_PROTECTED &&
	    CALL_FOR(results, RV_IMAGE_ADD, handle, 0, 1 + draw(2 * PAGE_SIZE)) == RV_OK) {
		CALL(RV_IMAGE_MAP, handle, results[0], draw_pfn(), 1);
		CALL(RV_IMAGE_MAP, handle, results[0], draw_pfn(), 1);
	}
	if (!chance(3)) {
		launch(handle);
		if (chance(2)) {
			save(handle);
		}
	}
}

static void launch_one(void)
{
	launch(draw_handle());
}

void race_end_vm(u64 handle)
{
	u64 next = 0, results[4];

	CALL(RV_VM_KILL, handle);
	while (next < GFN_LIMIT &&
	       CALL_FOR(results, RV_MEM_RECLAIM, handle, next, GFN_LIMIT - next) == RV_OK) {
		next = results[0];
	}
	while (CALL_FOR(results, RV_VM_DESTROY, handle) == RV_OK && results[0] > 0) {
	}
}

static void end(void)
{
	race_end_vm(draw_handle());
}

static void map(void)
{
	u64 gfn = draw_gfn(), pfn = draw_pfn(), pages = draw_block(&gfn, &pfn);

	CALL(RV_MEM_MAP, draw_handle(), gfn, pfn, pages);
}

/* ---- a guest ---- */

/* Its script is one of its CPU's; what it does, it does while it is on that CPU. */
static void guest_acts(struct vcpu *vcpu)
{
	static const u64 ids[] = { PSCI_CPU_ON_64,    PSCI_CPU_OFF,	 PSCI_AFFINITY_INFO_64,
				   PSCI_SYSTEM_OFF,   RSI_REALM_CONFIG,	 RSI_IPA_STATE_SET,
				   RSI_IPA_STATE_SET, RSI_IPA_STATE_SET, RSI_IPA_STATE_GET };
	u32 vmid = owner_vmid(vcpu->vm->owner).v;
	u64 *x = vcpu->ctx.x, value;

	fake_attach(vmid, vcpu->vm->s2.root);
	fake_read(arch_cpu_index(), vmid, draw(24) << PAGE_SHIFT, &value, FAKE_CACHED);
	fake_write(arch_cpu_index(), vmid, draw(24) << PAGE_SHIFT, draw(1000), FAKE_CACHED);
	fake_fetch(arch_cpu_index(), vmid, draw(24) << PAGE_SHIFT, &value);
	x[0] = ids[draw(ARRAY_SIZE(ids))];
	if (x[0] == PSCI_SYSTEM_OFF && !chance(3)) {
		x[0] = PSCI_CPU_ON_64;
	}
	x[1] = x[0] == PSCI_CPU_ON_64 ? draw(SPEC_VCPUS) : draw(24) << PAGE_SHIFT;
	x[2] = x[1] + ((1 + draw(2 * PAGES_PER_BLOCK)) << PAGE_SHIFT);
	x[3] = draw(2);
	x[4] = draw(2);
}

static void run(void)
{
	u64 handle = draw_handle(), index = draw_vcpu();

	for (u64 exits = draw(6); exits > 0; exits--) {
		bool is_call = !chance(4); /* else it touches what may not be there */

		fake_vcpu_add((struct fake_step){ .event = ARCH_EVENT_SYNC,
						  .esr = (is_call ? 0x16ull : 0x24ull) << 26 |
							 1ull << 25 | (is_call ? 0 : 7),
						  .hpfar = draw(24) << 4,
						  .guest = guest_acts });
	}
	CALL(RV_VCPU_RUN, handle, index);
	fake_vcpu.step_count = fake_vcpu.next = 0;
}

/* ---- snapshots ---- */

static void save_one(void)
{
	save(draw_handle());
}

/* The page that becomes the VM's is any page; others may be faster. */
static s64 load_record(u64 handle, const struct snapshot_record *record)
{
	u64 pfn = draw_pfn();

	if (record->kind != SNAPSHOT_PAGE || (record->what & RV_SEAL_BACKED) == 0) {
		return snapshot_load_record(record, handle, own_page(arch_cpu_index()));
	}
	for (u64 at = 0; at < PAGE_SIZE; at += sizeof(u64)) {
		u64 word;

		memcpy(&word, record->page + at, sizeof(word));
		if (!fake_host_write(arch_cpu_index(), (pfn << PAGE_SHIFT) + at, word)) {
			break;
		}
	}
	return CALL(RV_SEAL_LOAD_PAGE, handle, record->at, record->what, pfn, record->tag[0],
		    record->tag[1]);
}

static void restore(void)
{
	s64 status = RV_E_NOENT;
	u64 handle;

	if (kept.count == 0 || create(RV_VM_PROTECTED, &handle) != RV_OK) {
		return;
	}
	furnish(handle, 5, kept.header.vcpus);
	status = snapshot_load_begin(&kept, handle, own_page(arch_cpu_index()));
	for (u32 i = 0; status == RV_OK && i < kept.count; i++) {
		status = load_record(handle, &kept.record[i]);
	}
}

/* ---- devices ---- */

static void dma_begin(void)
{
	u64 context = draw(SPEC_CONTEXTS);

	if (CALL(RV_DMA_ALLOC, context, chance(2) ? 0 : draw_handle(), draw_root()) == RV_OK) {
		CALL(RV_DMA_TOPUP, context, draw_pfn());
		CALL(RV_DMA_TOPUP, context, draw_pfn());
	}
}

void race_end_context(u64 context)
{
	u64 results[4];

	CALL(RV_DMA_UNMAP, context, 0, GFN_LIMIT);
	while (CALL_FOR(results, RV_DMA_FREE, context) == RV_OK && results[0] > 0) {
	}
}

static void dma_end(void)
{
	race_end_context(draw(SPEC_CONTEXTS));
}

static void dma_map_some(void)
{
	u64 context = draw(SPEC_CONTEXTS), iova = draw(24), pfn = draw_pfn(), pages, value;
	u64 vm = __atomic_load_n(&races.context_vm[context], __ATOMIC_RELAXED);

	if (vm == 0) {
		iova = pfn;
		pages = draw_block(&iova, &pfn);
	} else {
		pages = draw_block(&iova, &pfn);
		pfn = __atomic_load_n(&races.pfn[race_slot(vm)][iova], __ATOMIC_RELAXED);
	}
	CALL(RV_DMA_MAP, context, iova, pfn, pages);
	fake_dma_write((u32)context, iova << PAGE_SHIFT, draw(1000));
	fake_dma_read((u32)context, iova << PAGE_SHIFT, &value);
	if (chance(3)) {
		CALL(RV_DMA_UNMAP, context, iova, pages);
	}
}

/* ---- steps ---- */

static void feed_pool(void)
{
	if (pool_count(mem_core_pool()) < POOL_LOW) {
		CALL(RV_POOL_TOPUP, draw_pfn());
	}
}

static void host_touches(void)
{
	u64 ipa = any_pfn() << PAGE_SHIFT, value;

	fake_host_read(arch_cpu_index(), ipa, &value);
	fake_host_write(arch_cpu_index(), ipa + 8, draw(1000));
	fake_host_fetch(arch_cpu_index(), ipa, &value);
}

void race_begin(u32 cpu, u64 seed)
{
	fake_cpu_set(cpu);
	fake_vcpu_reset();
	draw_begin(cpu, seed);
	kept.count = 0;
}

void race_step(void)
{
	static const struct {
		u32 weight;
		void (*act)(void);
	} steps[] = {
		{ 40, race_call_alone }, { 12, run },	 { 10, map },	    { 8, dma_map_some },
		{ 6, host_touches },	 { 6, build },	 { 5, launch_one }, { 3, dma_begin },
		{ 4, save_one },	 { 6, restore }, { 2, dma_end },    { 1, end },
		{ 3, feed_pool },
	};
	u64 at = draw(106);

	for (u32 i = 0;; i++) {
		if (at < steps[i].weight) {
			steps[i].act();
			return;
		}
		at -= steps[i].weight;
	}
}
