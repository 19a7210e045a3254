/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A snapshot at EL2: a guest stops in the middle of a device read, is saved, and goes on as another
 * VM from where it was. On the way the host tries what a scribe must not: it looks for plaintext,
 * leaves records out, repeats, swaps, bends them, and runs what is not whole.
 */
#include "guest_hello.h"
#include "tiny.h"

const char image_name[] = "seal";

TINY_PAYLOAD(payload, "guest_hello");

#define RECORDS_MAX 1024

struct record {
	u64 gfn, what; /* pages */
	u64 tag[2];
	u64 pfn;
};

static struct tiny_vm vm, restored;
static u64 header_pfn, vcpu_pfn, end_pfn;
static u64 vcpu_tag[2], end_tag[2];
static struct record page[RECORDS_MAX];
static u32 pages;

static s64 call7(struct smccc *out, u64 id, u64 a, u64 b, u64 c, u64 d, u64 e, u64 f)
{
	*out = (struct smccc){ { id, a, b, c, d, e, f } };
	smccc_hvc(out);
	return (s64)out->x[0];
}

/* ---- saving ---- */

static void build(void)
{
	u64 exit;

	tiny_build(&vm, "first", true, &payload, 1, "protected checkpoint");
	exit = tiny_run(&vm, 0);
	if (exit != RV_EXIT_MMIO || vm.run[0]->ipa != DEVICE_WORD) {
		fail("the guest does not come to its device: exit %lu", exit);
	}
}

static void is_frozen(void)
{
	rv_expect("VCPU_RUN of a frozen VM", RV_E_BUSY, RV_VCPU_RUN, vm.handle, 0, 0, 0, 0);
	rv_expect("MEM_MAP for a frozen VM", RV_E_BUSY, RV_MEM_MAP, vm.handle,
		  TINY_RAM_BASE / PAGE_BYTES + 7000, tiny_pages(1, 1), 1, 0);
	rv_expect("SAVE_BEGIN again", RV_E_BUSY, RV_SEAL_SAVE_BEGIN, vm.handle, header_pfn, 0, 0,
		  0);
	rv_expect("SAVE_PAGE before the vCPUs", RV_E_STATE, RV_SEAL_SAVE_PAGE, vm.handle, end_pfn,
		  0, 0, 0);
	rv_expect("SAVE_END before all", RV_E_STATE, RV_SEAL_SAVE_END, vm.handle, end_pfn, 0, 0, 0);
	rv_expect("SAVE_VCPU into the VM", RV_E_STATE, RV_SEAL_SAVE_VCPU, vm.handle, 0,
		  vm.backing[(TINY_IMAGE_GPA - TINY_RAM_BASE) / PAGE_BYTES], 0, 0);
	rv_expect("SAVE_VCPU into the corevisor", RV_E_STATE, RV_SEAL_SAVE_VCPU, vm.handle, 0,
		  machine.core[0].base / PAGE_BYTES, 0, 0);
	rv_expect("SAVE_VCPU of none", RV_E_NOENT, RV_SEAL_SAVE_VCPU, vm.handle, 1, vcpu_pfn, 0, 0);
}

/* The guest's code is known to the host; its ciphertext must not show it. */
static bool is_code(u64 pfn)
{
	return memcmp((void *)(pfn * PAGE_BYTES), payload.image, 64) == 0;
}

static void save_pages(void)
{
	struct smccc out;
	s64 status;

	for (;;) {
		struct record *to = &page[pages];

		if (pages == RECORDS_MAX) {
			fail("more than %u records", pages);
		}
		to->pfn = tiny_pages(1, 1);
		status = rv_call(&out, RV_SEAL_SAVE_PAGE, vm.handle, to->pfn, 0, 0, 0);
		if (status != RV_OK) {
			fail("SAVE_PAGE: status %ld", status);
		}
		if (out.x[1] == RV_SEAL_NO_GFN) {
			return;
		}
		if (out.x[2] == 0) {
			continue;
		}
		to->gfn = out.x[1];
		to->what = out.x[2];
		to->tag[0] = out.x[3];
		to->tag[1] = out.x[4];
		if (is_code(to->pfn)) {
			fail("gfn %#lx is saved in clear", to->gfn);
		}
		pages++;
	}
}

static void save(void)
{
	struct smccc out;

	header_pfn = tiny_pages(1, 1);
	vcpu_pfn = tiny_pages(1, 1);
	end_pfn = tiny_pages(1, 1);
	rv_expect("SAVE_VCPU without a beginning", RV_E_STATE, RV_SEAL_SAVE_VCPU, vm.handle, 0,
		  vcpu_pfn, 0, 0);
	rv_expect("SAVE_BEGIN", RV_OK, RV_SEAL_SAVE_BEGIN, vm.handle, header_pfn, 0, 0, 0);
	is_frozen();
	if (rv_call(&out, RV_SEAL_SAVE_VCPU, vm.handle, 0, vcpu_pfn, 0, 0) != RV_OK) {
		fail("SAVE_VCPU: status %ld", (s64)out.x[0]);
	}
	vcpu_tag[0] = out.x[1];
	vcpu_tag[1] = out.x[2];
	save_pages();
	if (rv_call(&out, RV_SEAL_SAVE_END, vm.handle, end_pfn, 0, 0, 0) != RV_OK) {
		fail("SAVE_END: status %ld", (s64)out.x[0]);
	}
	end_tag[0] = out.x[1];
	end_tag[1] = out.x[2];
	if (pages < 64) {
		fail("only %u pages were saved", pages);
	}
	print("saved: %u pages\n", pages);
}

/* ---- loading ---- */

/* A fresh copy, since the page goes to the VM. */
static u64 copy_of(u64 pfn)
{
	u64 copy = tiny_pages(1, 1);

	memcpy((void *)(copy * PAGE_BYTES), (void *)(pfn * PAGE_BYTES), PAGE_BYTES);
	return copy;
}

static s64 load_page_at(const struct record *record, u64 gfn, u64 pfn)
{
	struct smccc out;

	return call7(&out, RV_SEAL_LOAD_PAGE, restored.handle, gfn, record->what, pfn,
		     record->tag[0], record->tag[1]);
}

static void must_fail(const char *what, s64 status)
{
	if (status != RV_E_AUTH) {
		fail("%s: status %ld", what, status);
	}
}

/* What comes next is record `i`; nothing else is taken for it. */
static void forged_records(u32 i)
{
	const struct record *right = &page[i], *wrong = &page[i + 1];
	u64 pfn = copy_of(right->pfn);

	must_fail("a record left out", load_page_at(wrong, wrong->gfn, copy_of(wrong->pfn)));
	must_fail("another gfn", load_page_at(right, right->gfn + 5000, copy_of(right->pfn)));
	must_fail("another record's content", load_page_at(right, right->gfn, copy_of(wrong->pfn)));
	((char *)(pfn * PAGE_BYTES))[4095] ^= 1;
	must_fail("a bit", load_page_at(right, right->gfn, pfn));
	if (!tiny_is_readable(pfn) || !tiny_is_zero(pfn)) {
		fail("a page that was refused does not come back scrubbed");
	}
	if (i > 0 &&
	    load_page_at(&page[i - 1], page[i - 1].gfn, copy_of(page[i - 1].pfn)) != RV_E_STATE) {
		fail("a record is taken twice");
	}
}

static void load_pages(void)
{
	u32 i;

	for (i = 0; i < pages; i++) {
		u64 pfn = copy_of(page[i].pfn);
		s64 status;

		if (i == 0 || i == pages / 2) {
			forged_records(i);
		}
		status = load_page_at(&page[i], page[i].gfn, pfn);
		if (status == RV_E_NOMEM) {
			rv_expect("VM_TOPUP", RV_OK, RV_VM_TOPUP, restored.handle, tiny_pages(1, 1),
				  0, 0, 0);
			status = load_page_at(&page[i], page[i].gfn, pfn);
		}
		if (status != RV_OK) {
			fail("LOAD_PAGE %u: status %ld", i, status);
		}
		restored.backing[page[i].gfn - TINY_RAM_BASE / PAGE_BYTES] = (u32)pfn;
		if (tiny_is_readable(pfn)) {
			fail("a page that was loaded is readable");
		}
	}
}

static void create_restored(void)
{
	tiny_create(&restored, "restored", payload.launch);
	tiny_add_vcpu(&restored, 0);
}

/* Half a snapshot does not run, nor can it be made a whole with other means. */
static void is_not_whole(void)
{
	rv_expect("VCPU_RUN of half a VM", RV_E_STATE, RV_VCPU_RUN, restored.handle, 0, 0, 0, 0);
	rv_expect("VM_VERIFY of half a VM", RV_E_STATE, RV_VM_VERIFY, restored.handle,
		  tiny_pages(1, 1), 0, 0, 0);
	rv_expect("IMAGE_ADD to half a VM", RV_E_STATE, RV_IMAGE_ADD, restored.handle,
		  TINY_RAM_BASE, 1, 0, 0);
	rv_expect("MEM_MAP for half a VM", RV_E_STATE, RV_MEM_MAP, restored.handle,
		  TINY_RAM_BASE / PAGE_BYTES + 7000, tiny_pages(1, 1), 1, 0);
}

static s64 load_vcpu(void)
{
	return rv_call(NULL, RV_SEAL_LOAD_VCPU, restored.handle, 0, vcpu_pfn, vcpu_tag[0],
		       vcpu_tag[1]);
}

static s64 load_end(void)
{
	return rv_call(NULL, RV_SEAL_LOAD_END, restored.handle, end_pfn, end_tag[0], end_tag[1], 0);
}

/* A header that was bent opens nothing. */
static void bent_header(void)
{
	u64 bent = copy_of(header_pfn);
	struct rv_seal_header *header = (struct rv_seal_header *)(bent * PAGE_BYTES);

	create_restored();
	header->ram_count = 0;
	rv_expect("LOAD_BEGIN with other RAM", RV_E_INVALID, RV_SEAL_LOAD_BEGIN, restored.handle,
		  bent, 0, 0, 0);
	header->ram_count = 1;
	header->epoch[0] ^= 1;
	rv_expect("LOAD_BEGIN with another epoch", RV_OK, RV_SEAL_LOAD_BEGIN, restored.handle, bent,
		  0, 0, 0);
	must_fail("another epoch", load_vcpu());
	rv_expect("ABORT", RV_OK, RV_SEAL_ABORT, restored.handle, 0, 0, 0, 0);
	tiny_destroy(&restored);
	tiny_create(&restored, "of nobody", &tiny_nobody);
	tiny_add_vcpu(&restored, 0);
	rv_expect("LOAD_BEGIN by another owner", RV_E_PERM, RV_SEAL_LOAD_BEGIN, restored.handle,
		  header_pfn, 0, 0, 0);
	tiny_destroy(&restored);
}

static void load(void)
{
	create_restored();
	rv_expect("LOAD_BEGIN", RV_OK, RV_SEAL_LOAD_BEGIN, restored.handle, header_pfn, 0, 0, 0);
	is_not_whole();
	if (load_end() == RV_OK) {
		fail("LOAD_END of nothing");
	}
	if (load_page_at(&page[0], page[0].gfn, copy_of(page[0].pfn)) != RV_E_STATE) {
		fail("a page is taken before the vCPU");
	}
	if (load_vcpu() != RV_OK) {
		fail("LOAD_VCPU does not open");
	}
	must_fail("an end without pages", load_end());
	load_pages();
	is_not_whole();
	if (load_end() != RV_OK) {
		fail("LOAD_END does not open");
	}
	rv_expect("VCPU_BOOT of a restored VM", RV_E_STATE, RV_VCPU_BOOT, restored.handle, 0,
		  TINY_IMAGE_GPA, 0, 0);
}

/* From the device read that it waits for to its end. */
static void go_on(struct tiny_vm *of)
{
	struct rv_run *run = of->run[0];
	u64 exit;

	run->in_flags = RV_IN_RESULT;
	run->in_data = DEVICE_ANSWER;
	exit = tiny_run(of, 0);
	if (exit != RV_EXIT_MMIO || run->ipa != DEVICE_WORD || !run->is_write) {
		fail("%s: goes on with exit %lu, ipa %#lx", of->name, exit, run->ipa);
	}
	exit = tiny_run(of, 0);
	if (exit != RV_EXIT_MMIO || run->ipa != DEVICE_DEAD) {
		fail("%s: goes on with exit %lu, ipa %#lx", of->name, exit, run->ipa);
	}
	run->in_flags = RV_IN_ABORT;
	exit = tiny_run(of, 0);
	if (exit != RV_EXIT_SYSTEM_OFF || !tiny_ends_with(of, "PASS hello")) {
		fail("%s ended with exit %lu after \"%s\"", of->name, exit, of->last_line);
	}
}

_Noreturn void image_main(void)
{
	ready();
	tiny_begin();
	if (!(tiny_facts.features & RV_FEAT_ENTROPY)) {
		skip("no entropy: no protected VMs here");
	}
	build();
	save();
	bent_header();
	load();
	go_on(&restored);
	tiny_destroy(&restored);
	/* The one that was saved goes on as well. */
	go_on(&vm);
	tiny_destroy(&vm);
	pass();
}
