/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Everything a host can do to the core: calls with hostile arguments, run pages full of noise,
 * guests that exit with any syndrome, accesses to any page, over the fake architecture. The input
 * is a program for it. After each step no lock is held and no TLB is stale; in the end the host
 * reaches exactly the pages that the ledger says are for it.
 *
 * A protected VM runs only what its owner signed: the launch step prepares the launch page that an
 * owner of the VM's images as they are would sign (good_launch.h).
 */
#include "../../arch-fake/fake.h"
#include "../../arch-fake/fake_vcpu.h"

#include "../common/good_launch.h"
#include "../common/snapshot.h"

#include <cv/crypto.h>
#include <cv/dma.h>
#include <cv/host_psci.h>
#include <cv/info.h>
#include <cv/ledger.h>
#include <cv/lock.h>
#include <cv/seal.h>
#include <cv/vm.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

#define STEPS_MAX 200
#define VMS 4
#define CONTEXTS 4
#define FIRST_PFN (0x40200000ull >> PAGE_SHIFT)
#define FIRST_GFN 0x40000ull

/* ---- the input ---- */

static const uint8_t *input, *input_end;

static u64 take(u32 bytes)
{
	u64 value = 0;

	while (bytes-- > 0) {
		value = value << 8 | (input < input_end ? *input++ : 0);
	}
	return value;
}

static u64 odd_number(void)
{
	static const u64 numbers[] = { 0,	    1,		2,	    511,
				       512,	    513,	1ull << 27, 1ull << 28,
				       1ull << 40,  1ull << 52, 1ull << 63, ~0ull,
				       ~0ull - 511, 0x80000000, 0xffffffff, FIRST_GFN - 1 };
	u64 which = take(1);

	return which < ARRAY_SIZE(numbers) ? numbers[which] : take(8);
}

static u64 take_pfn(void)
{
	u64 which = take(1);

	if (which < 208) {
		return FIRST_PFN + which;
	}
	if (which < 240) {
		return (0x40000000ull >> PAGE_SHIFT) + 4 * (which - 208);
	}
	return which < 250 ? (0x43005000ull >> PAGE_SHIFT) - 2 + (which - 240) : odd_number();
}

static u64 take_gfn(void)
{
	u64 which = take(1);

	return which < 240 ? FIRST_GFN + which : odd_number();
}

static u64 take_small(u64 usual)
{
	u64 which = take(1);

	return which < 240 ? which % usual : odd_number();
}

/* ---- the host ---- */

static u64 handles[VMS];
static u64 run_pfns[VMS];
/* All protected VMs' owner. */
static u64 owner_words[4];

static u64 take_handle(void)
{
	u64 which = take(1);

	return which < 240 ? handles[which % VMS] : odd_number();
}

static void do_create(void)
{
	u64 slot = take(1) % VMS, record = take_pfn(), root = take_pfn(), flags = take_small(3);
	const u64 *owner = flags != RV_VM_PROTECTED || take(1) >= 250 ? fake_no_owner : owner_words;
	u64 results[4];

	root = take(1) & 3 ? align_down(root, 2) : root;
	if (snapshot_call(RV_VM_CREATE,
			  (u64[]){ record, root, flags, owner[0], owner[1], owner[2], owner[3] }, 7,
			  results) == RV_OK) {
		handles[slot] = results[0];
		fake_attach(results[0] & 0xff, pfn_pa(pfn_make(root)));
	}
}

static void do_topup(void)
{
	u64 handle = take_handle(), pfn = take_pfn(), count = take(1) % 16;

	while (count-- > 0) {
		CALL(RV_VM_TOPUP, handle, pfn++);
	}
}

static void do_destroy(void)
{
	u64 handle = take_handle(), results[4];

	if (snapshot_call(RV_VM_DESTROY, &handle, 1, results) == RV_OK && results[0] == 0) {
		fake_attach(handle & 0xff, pa_make(0));
	}
}

static void do_create_vcpu(void)
{
	u64 handle = take_handle(), index = take_small(3), record = take_pfn(), run = take_pfn();

	if (CALL(RV_VCPU_CREATE, handle, index, record, run) == RV_OK) {
		run_pfns[handle % VMS] = run;
	}
}

/* ---- images and their owner ---- */

static void do_image(void)
{
	u64 handle = take_handle(), gpa = take_gfn() << PAGE_SHIFT, pages = take_small(20),
	    results[4];

	if (snapshot_call(RV_IMAGE_ADD, (u64[]){ handle, gpa, pages * PAGE_SIZE - take(1) }, 3,
			  results) == RV_OK) {
		CALL(RV_IMAGE_MAP, handle, results[0], take_pfn(), pages);
	}
}

/* The check, honest but for what the input spoils, until it has an answer. */
static void do_launch(void) CV_NO_LOCK_ANALYSIS
{
	static struct rv_launch launch;
	u64 handle = take_handle(), pfn = take_pfn(), how = take(1), results[4], at;
	struct vm *vm = vm_lock(handle);

	if (vm != NULL) {
		good_launch_make(&launch, &vm->images, how & 1 ? 2 : 0, (how & 2) == 0);
		vm_unlock(vm);
		while (how >= 240 && how++ < 256) {
			at = take(2) % sizeof(launch);
			((u8 *)&launch)[at] ^= (u8)take(1);
		}
		for (at = 0; at < sizeof(launch); at += sizeof(u64)) {
			if (!fake_host_write(0, (pfn << PAGE_SHIFT) + at,
					     *(u64 *)((u8 *)&launch + at))) {
				break;
			}
		}
	}
	while (snapshot_call(RV_VM_VERIFY, (u64[]){ handle, pfn }, 2, results) == RV_OK &&
	       results[0] > 0) {
	}
}

/* The host may write its run pages at any time. */
static void do_scribble(void)
{
	u64 pfn = run_pfns[take(1) % VMS], offset = take(2) % PAGE_SIZE & ~7ull,
	    value = take_small(4);

	if (pfn != 0) {
		fake_host_write(1, (pfn << PAGE_SHIFT) + offset, value);
	}
}

/* ---- a guest ---- */

static void guest_acts(struct vcpu *vcpu)
{
	static const u64 ids[] = { 0x84000000, 0xc4000003, 0x84000002, 0xc4000004, 0x84000008,
				   0x84000009, 0x8400000a, 0xc4000001, 0xc4000190, 0xc4000196,
				   0xc4000197, 0xc4000198, 0xc4000199, 0x80000000, 0x80000001,
				   0x84000050, 0xc4000053, 0x8600ff01, 0xc6000100 };
	u64 which = take(1);
	u32 i;

	vcpu->ctx.x[0] = which < 200 ? ids[which % ARRAY_SIZE(ids)] : odd_number();
	for (i = 1; i < 5; i++) {
		which = take(1);
		vcpu->ctx.x[i] = which < 128   ? take_gfn() << PAGE_SHIFT
				 : which < 192 ? which % 4
					       : odd_number();
	}
	vcpu->ctx.pc = take(4) << 2;
	if (take(1) == 255) {
		vcpu->ctx.pstate = take(8);
	}
}

static void add_exit(void)
{
	static const u8 classes[] = { 0x00, 0x01, 0x07, 0x16, 0x17, 0x18,
				      0x19, 0x20, 0x24, 0x24, 0x24, 0x24 };
	u64 event = take(1), class = take(1);
	struct fake_step step = { .event = event < 200	 ? ARCH_EVENT_SYNC
					   : event < 240 ? ARCH_EVENT_IRQ
							 : ARCH_EVENT_SERROR,
				  .guest = guest_acts };
	u64 iss = take(4);

	class = class < 240 ? classes[class % ARRAY_SIZE(classes)] : class & 0x3f;
	if (class >= 0x20 && class <= 0x25 && take(1) < 220) {
		iss = (iss & ~0x3full) | 4 | (iss & 3); /* a translation fault */
	} else if (class == 0x16 || class == 0x17) {
		iss = take(1) < 240 ? 0 : iss;
	}
	step.esr = class << 26 | 1ull << 25 | (iss & 0x1ffffff);
	step.far = take_gfn() << PAGE_SHIFT | take(2) % PAGE_SIZE;
	step.hpfar = take_gfn() << 4;
	fake_vcpu_add(step);
}

static void forget_exits(void)
{
	fake_vcpu.step_count = 0;
	fake_vcpu.next = 0;
}

static void do_run(void)
{
	u64 handle = take_handle(), index = take_small(3), exits = take(1) % 8;

	forget_exits();
	fake_vcpu.irq_pending = take(1) > 240;
	while (exits-- > 0) {
		add_exit();
	}
	CALL(RV_VCPU_RUN, handle, index);
}

/* ---- steps ---- */

static void do_access(void)
{
	u64 ipa = (take_pfn() << PAGE_SHIFT) + (take(1) & ~7ull), value;

	switch (take(1) % 3) {
	case 0:
		fake_host_read(0, ipa, &value);
		break;
	case 1:
		fake_host_write(1, ipa, take(2));
		break;
	default:
		fake_host_fetch(2, ipa, &value);
		break;
	}
}

/*
 * The calls of abi.h and what their arguments are: h VM, g gfn, a gpa, p pfn, r root pfn, d device
 * page, n count, i small number, w what of a gfn, x anything.
 */
static const struct {
	u64 id;
	char arguments[8];
} calls[] = {
	{ RV_VM_ADD_RAM, "hgn" },
	{ RV_MEM_RECLAIM, "hgn" },
	{ RV_VCPU_BOOT, "hiax" },
	{ RV_VM_KILL, "h" },
	{ RV_VCPU_READ_REGS, "hi" },
	{ RV_POOL_TOPUP, "p" },
	{ RV_VM_VERIFY, "hp" },
	{ RV_VM_MEASURE, "hi" },
	{ RV_VM_MAP_IO, "hgd" },
	{ RV_IMAGE_ADD, "han" },
	{ RV_IMAGE_MAP, "hipn" },
	{ RV_SEAL_SAVE_BEGIN, "hp" },
	{ RV_SEAL_SAVE_VCPU, "hip" },
	{ RV_SEAL_SAVE_PAGE, "hp" },
	{ RV_SEAL_SAVE_END, "hp" },
	{ RV_SEAL_ABORT, "h" },
	{ RV_SEAL_LOAD_BEGIN, "hp" },
	{ RV_SEAL_LOAD_VCPU, "hipxx" },
	{ RV_SEAL_LOAD_PAGE, "hgwpxx" },
	{ RV_SEAL_LOAD_END, "hpxx" },
	{ RV_VERSION, "" },
	{ RV_VM_CREATE, "prixxxx" },
	{ RV_VM_TOPUP, "hp" },
	{ RV_VM_DESTROY, "h" },
	{ RV_VCPU_CREATE, "hipp" },
	{ RV_VCPU_RUN, "hi" },
	{ RV_MEM_MAP, "hgpn" },
	{ RV_DMA_ALLOC, "ihr" },
	{ RV_DMA_TOPUP, "ip" },
	{ RV_DMA_MAP, "ippn" },
	{ RV_DMA_UNMAP, "ipn" },
	{ RV_DMA_FREE, "i" },
};

static u64 take_argument(char kind)
{
	switch (kind) {
	case 'h':
		return take_handle();
	case 'g':
		return take_gfn();
	case 'a':
		return take_gfn() << PAGE_SHIFT;
	case 'p':
		return take_pfn();
	case 'r':
		return align_down(take_pfn(), 2);
	case 'd':
		return (FAKE_IO_BASE >> PAGE_SHIFT) + take(1) % (FAKE_IO_PAGES + 1);
	case 'n':
		return take_small(240);
	case 'i':
		return take_small(3);
	case 'w':
		return take(1) | (take(1) & 1 ? 512 : 1) << RV_SEAL_PAGES_SHIFT;
	default:
		return odd_number();
	}
}

/* The VM's root is walked from as soon as it has one; a VM that is no more is not run. */
static void call_was_done(u64 id, const u64 *arguments, const u64 *results)
{
	if (id == RV_VM_CREATE) {
		fake_attach(results[0] & 0xff, pfn_pa(pfn_make(arguments[1])));
	} else if (id == RV_VM_DESTROY && results[0] == 0) {
		fake_attach(arguments[0] & 0xff, pa_make(0));
	}
}

static void do_call(void)
{
	u64 which = take(1), id, arguments[7], results[4];
	const char *kinds = "xxxxxxx";
	u32 count = 0;

	if (which < 240) {
		id = calls[which % ARRAY_SIZE(calls)].id;
		kinds = calls[which % ARRAY_SIZE(calls)].arguments;
	} else {
		id = 0xc6000000 | take(2);
	}
	for (; kinds[count] != '\0'; count++) {
		arguments[count] = take_argument(kinds[count]);
	}
	forget_exits();
	if (snapshot_call(id, arguments, count, results) == RV_OK) {
		call_was_done(id, arguments, results);
	}
}

static void do_map(void)
{
	u64 handle = take_handle(), gfn = take_gfn(), pfn = take_pfn(), pages = take_small(20);

	CALL(RV_MEM_MAP, handle, gfn, pfn, pages);
}

static void do_dma(void)
{
	u64 which = take(1), context = take_small(CONTEXTS), page = take_pfn(),
	    pages = take_small(20), gfn;

	if ((which & 0x40) != 0) { /* what a block can be, or nearly */
		page = align_down(page, PAGES_PER_BLOCK) + PAGES_PER_BLOCK;
		pages += PAGES_PER_BLOCK - 2;
	}
	switch (which % 8) {
	case 0:
		page = take(1) & 7 ? align_down(page, 2) : page;
		CALL(RV_DMA_ALLOC, context, take(1) & 1 ? take_handle() : 0, page);
		break;
	case 1:
		CALL(RV_DMA_TOPUP, context, page);
		break;
	case 2:
	case 3:
		CALL(RV_DMA_MAP, context, page, page, pages);
		break;
	case 4:
		CALL(RV_DMA_MAP, context, take_gfn(), page, pages);
		break;
	case 5:
		gfn = take(1) & 1 ? page : take_gfn();
		CALL(RV_DMA_UNMAP, context, gfn, pages);
		break;
	case 6:
		CALL(RV_DMA_FREE, context);
		break;
	default:
		page = (FAKE_IO_BASE >> PAGE_SHIFT) + take(1) % (FAKE_IO_PAGES + 1);
		CALL(RV_VM_MAP_IO, take_handle(), take_gfn() + 4096, page);
		break;
	}
}

/* A device writes wherever it can. */
static void do_device(void)
{
	u64 context = take(1) % CONTEXTS, iova = take(1) & 1 ? take_pfn() : take_gfn();

	fake_dma_write((u32)context, iova << PAGE_SHIFT, take(2));
}

static void step(void)
{
	static void (*const steps[])(
		void) = { do_create, do_topup, do_topup,  do_destroy, do_create_vcpu, do_scribble,
			  do_run,    do_run,   do_access, do_map,     do_map,	      do_dma,
			  do_dma,    do_dma,   do_device, do_image,   do_launch };
	u64 which = take(1) % (ARRAY_SIZE(steps) + 7);

	if (which < ARRAY_SIZE(steps)) {
		steps[which]();
	} else {
		do_call();
	}
	fake_check_tlbs();
}

/* ---- what must be true in the end ---- */

static void check_reach(u64 pfn)
{
	struct lock *lock = ledger_lock(pfn_make(pfn));
	struct page page;
	bool may_read;
	u64 value;

	lock_acquire(lock);
	page = ledger_get(pfn_make(pfn));
	lock_release(lock);
	may_read = page.owner == OWNER_HOST ||
		   (page.owner >= OWNER_VM_FIRST && page.owner <= OWNER_VM_LAST &&
		    page.state == PAGE_SHARED) ||
		   pfn == fake_info_pfn();
	if (fake_host_read(0, pfn << PAGE_SHIFT, &value) != may_read) {
		fake_fail("page %#lx of owner %u, state %u: the host can%s read it",
			  (unsigned long)pfn, page.owner, page.state, may_read ? "not" : "");
	}
}

/* What a context lets devices reach is counted, and not the corevisor's. */
static void check_devices(u64 pfn)
{
	struct lock *lock = ledger_lock(pfn_make(pfn));
	struct page page;
	u64 value;

	lock_acquire(lock);
	page = ledger_get(pfn_make(pfn));
	lock_release(lock);
	for (u32 i = 0; i < CONTEXTS; i++) {
		bool is_host = dma_context(i)->is_owned && dma_context(i)->vm == NULL;

		if (is_host && fake_dma_read(i, pfn << PAGE_SHIFT, &value) &&
		    (page.owner != OWNER_HOST || page.count == 0)) {
			fake_fail("page %#lx of owner %u: a device of the host reaches it",
				  (unsigned long)pfn, page.owner);
		}
	}
}

static void check_all_reach(void)
{
	u64 i;

	for (i = 0; i < 208 + 16; i++) {
		check_reach(FIRST_PFN + i);
		check_devices(FIRST_PFN + i);
	}
	for (i = 0; i < 128; i++) {
		check_reach((0x40000000ull >> PAGE_SHIFT) + i);
	}
}

/* ---- what the core asks of files that are not here ---- */

bool host_psci_is_stopping(void)
{
	return false;
}

void info_refusal(u64 id, s64 status, u64 first_argument)
{
	(void)id;
	(void)first_argument;
	if (status >= RV_OK || status < RV_E_AUTH) {
		fake_fail("a refusal with status %ld", (long)status);
	}
}

void info_publish(void)
{
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	u32 i;

	input = data;
	input_end = data + bytes;
	memset(handles, 0, sizeof(handles));
	memset(run_pfns, 0, sizeof(run_pfns));
	good_owner(owner_words);
	fake_boot(&fake_small_machine);
	seal_init((const u8[CRYPTO_KEY_BYTES]){ 1 });
	fake_vcpu_reset();
	fake_cpu_set(0);
	fake_entropy = take(1) < 250;
	for (i = 0; i < STEPS_MAX && input < input_end; i++) {
		step();
	}
	check_all_reach();
	fake_halt();
	return 0;
}
