/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Verified boot at EL2, with a real signature: what is not what the owner signed does not start,
 * gives every page back scrubbed, and spoils nothing for the next try. The host plays foul on the
 * way: it reads, keeps, swaps and rewrites what it has handed over.
 */
#include "guest_hello.h"
#include "tiny.h"

const char image_name[] = "boot";

TINY_PAYLOAD(payload, "guest_hello");

static struct tiny_vm vm;
static struct rv_launch launch;

static u64 payload_bytes(void)
{
	return (u64)(payload.image_end - payload.image);
}

static u64 payload_pages(void)
{
	return (payload_bytes() + PAGE_BYTES - 1) / PAGE_BYTES;
}

static void create(void)
{
	tiny_create(&vm, "protected", payload.launch);
	tiny_add_vcpu(&vm, 0);
	launch = *payload.launch;
}

/* The payload's pages on the host's side, before they are handed over. */
static u64 copy_payload(void)
{
	u64 pfn = tiny_pages(payload_pages(), 1);

	memcpy((void *)(pfn * PAGE_BYTES), payload.image, payload_bytes());
	return pfn;
}

static u64 load(void)
{
	u64 pfn = copy_payload();

	tiny_load_pages(&vm, TINY_IMAGE_GPA, pfn, payload_bytes());
	tiny_load_dtb(&vm, 1, "protected");
	return pfn;
}

/* All that the failed check had taken is the host's again, and zero. */
static void check_returned(const char *what)
{
	u64 i;

	for (i = 0; i < TINY_RAM_PAGES; i++) {
		if (vm.backing[i] && !tiny_is_readable(vm.backing[i])) {
			fail("%s: page %lu did not come back", what, i);
		}
		if (vm.backing[i] && !tiny_is_zero(vm.backing[i])) {
			fail("%s: page %lu came back with content", what, i);
		}
		vm.backing[i] = 0;
	}
	rv_expect("VCPU_BOOT of what was refused", RV_E_STATE, RV_VCPU_BOOT, vm.handle, 0,
		  TINY_IMAGE_GPA, 0, 0);
	rv_expect("VCPU_RUN of what was refused", RV_E_STATE, RV_VCPU_RUN, vm.handle, 0, 0, 0, 0);
}

static void must_be_refused(const char *what)
{
	s64 status = tiny_verify(&vm, &launch);

	if (status != RV_E_AUTH) {
		fail("%s: VM_VERIFY gives %ld", what, status);
	}
	check_returned(what);
	launch = *payload.launch;
	print("%s: refused\n", what);
}

static void flipped_bits(void)
{
	u64 pfn = copy_payload();

	((char *)(pfn * PAGE_BYTES))[payload_bytes() / 2] ^= 1;
	tiny_load_pages(&vm, TINY_IMAGE_GPA, pfn, payload_bytes());
	must_be_refused("a bit of the image");
	load();
	launch.signature[5] ^= 0x20;
	must_be_refused("a bit of the signature");
	load();
	launch.manifest[launch.manifest_bytes / 2] ^= 4;
	must_be_refused("a bit of the manifest");
	load();
	launch.public_key[40] ^= 1;
	must_be_refused("a bit of the key");
}

static void other_images(void)
{
	tiny_load(&vm, TINY_DTB_GPA, "no tree", 8);
	must_be_refused("host data alone");
	load();
	tiny_load(&vm, TINY_RAM_BASE, "surprise", 9);
	must_be_refused("an image that nobody signed");
	tiny_load_pages(&vm, TINY_IMAGE_GPA + PAGE_BYTES, copy_payload(), payload_bytes());
	must_be_refused("the image elsewhere");
	tiny_load_pages(&vm, TINY_IMAGE_GPA, copy_payload(), payload_bytes() - 1);
	must_be_refused("the image cut short");
}

/* Swaps two pages of the image while it hands them over (W3). */
static void swapped_pages(void)
{
	u64 pfn = copy_payload(), i, pages = payload_pages();
	struct smccc out;

	rv_call(&out, RV_IMAGE_ADD, vm.handle, TINY_IMAGE_GPA, payload_bytes(), 0, 0);
	for (i = 0; i < pages; i++) {
		u64 from = i == 0 ? 1 : i == 1 ? 0 : i;

		rv_expect("IMAGE_MAP", RV_OK, RV_IMAGE_MAP, vm.handle, out.x[1], pfn + from, 1, 0);
		vm.backing[(TINY_IMAGE_GPA - TINY_RAM_BASE) / PAGE_BYTES + i] = (u32)(pfn + from);
	}
	must_be_refused("two pages swapped");
}

static void refused_calls(void)
{
	u64 taken = load(), fresh = tiny_pages(1, 1);

	if (tiny_is_readable(taken)) {
		fail("a page of an image is readable before it is verified");
	}
	rv_expect("IMAGE_MAP of a complete image", RV_E_STATE, RV_IMAGE_MAP, vm.handle, 0, fresh, 1,
		  0);
	rv_expect("IMAGE_ADD over an image", RV_E_BUSY, RV_IMAGE_ADD, vm.handle, TINY_IMAGE_GPA, 1,
		  0, 0);
	rv_expect("IMAGE_ADD of nothing", RV_E_INVALID, RV_IMAGE_ADD, vm.handle, TINY_RAM_BASE, 0,
		  0, 0);
	rv_expect("IMAGE_ADD that wraps", RV_E_RANGE, RV_IMAGE_ADD, vm.handle, TINY_RAM_BASE,
		  ~0ul - TINY_RAM_BASE + 2, 0, 0);
	rv_expect("IMAGE_ADD outside the RAM", RV_E_RANGE, RV_IMAGE_ADD, vm.handle, 0, 1, 0, 0);
	rv_expect("MEM_MAP over an image", RV_E_BUSY, RV_MEM_MAP, vm.handle,
		  TINY_IMAGE_GPA / PAGE_BYTES, fresh, 1, 0);
	rv_expect("MEM_RECLAIM of an image", RV_E_STATE, RV_MEM_RECLAIM, vm.handle,
		  TINY_IMAGE_GPA / PAGE_BYTES, 1, 0, 0);
	rv_expect("VM_VERIFY with a page of the VM", RV_E_STATE, RV_VM_VERIFY, vm.handle, taken, 0,
		  0, 0);
	rv_expect("VM_VERIFY with a page of the corevisor", RV_E_STATE, RV_VM_VERIFY, vm.handle,
		  machine.core[0].base / PAGE_BYTES, 0, 0, 0);
	rv_expect("VM_VERIFY with a device", RV_E_RANGE, RV_VM_VERIFY, vm.handle,
		  TINY_UART / PAGE_BYTES, 0, 0, 0);
	rv_expect("VM_VERIFY with an empty page", RV_E_INVALID, RV_VM_VERIFY, vm.handle, fresh, 0,
		  0, 0);
	rv_expect("VCPU_BOOT before the check", RV_E_STATE, RV_VCPU_BOOT, vm.handle, 0,
		  TINY_IMAGE_GPA, 0, 0);
}

static void check_measures(void)
{
	struct smccc out;
	s64 status = rv_call(&out, RV_VM_MEASURE, vm.handle, RV_MEASURE_OWNER, 0, 0, 0);

	if (status != RV_OK || memcmp(&out.x[1], payload.launch->owner, 32) != 0) {
		fail("VM_MEASURE of the owner: status %ld, %#lx", status, out.x[1]);
	}
	status = rv_call(&out, RV_VM_MEASURE, vm.handle, RV_MEASURE_MANIFEST, 0, 0, 0);
	if (status != RV_OK || (out.x[1] | out.x[2] | out.x[3] | out.x[4]) == 0) {
		fail("VM_MEASURE of the manifest: status %ld", status);
	}
}

/* After all that, the same VM starts. */
static void start(void)
{
	u64 exit;
	s64 status = tiny_verify(&vm, &launch);

	if (status != RV_OK) {
		fail("the signed image is refused: %ld", status);
	}
	check_measures();
	rv_expect("VCPU_BOOT elsewhere", RV_E_PERM, RV_VCPU_BOOT, vm.handle, 0, TINY_IMAGE_GPA + 64,
		  0, 0);
	rv_expect("VCPU_BOOT in the host's data", RV_E_PERM, RV_VCPU_BOOT, vm.handle, 0,
		  TINY_DTB_GPA, 0, 0);
	rv_expect("VCPU_BOOT of another vCPU", RV_E_NOENT, RV_VCPU_BOOT, vm.handle, 1,
		  TINY_IMAGE_GPA, 0, 0);
	rv_expect("VCPU_BOOT", RV_OK, RV_VCPU_BOOT, vm.handle, 0, TINY_IMAGE_GPA, TINY_DTB_GPA, 0);
	do {
		exit = tiny_run(&vm, 0);
	} while (exit == RV_EXIT_MMIO && vm.run[0]->ipa != 0);
	if (exit != RV_EXIT_SYSTEM_OFF || !tiny_ends_with(&vm, "PASS hello")) {
		fail("the VM ended with exit %lu after \"%s\"", exit, vm.last_line);
	}
	rv_expect("VCPU_BOOT again", RV_E_STATE, RV_VCPU_BOOT, vm.handle, 0, TINY_IMAGE_GPA, 0, 0);
}

_Noreturn void image_main(void)
{
	ready();
	tiny_begin();
	if (!(tiny_facts.features & RV_FEAT_ENTROPY)) {
		skip("no entropy: no protected VMs here");
	}
	create();
	rv_expect("VM_VERIFY without an image", RV_E_STATE, RV_VM_VERIFY, vm.handle,
		  tiny_pages(1, 1), 0, 0, 0);
	flipped_bits();
	other_images();
	swapped_pages();
	refused_calls();
	start();
	tiny_destroy(&vm);
	/* An owner who is not the one the VM was made for. */
	create();
	load();
	launch.owner[0] ^= 1; /* a hint, nobody's business */
	if (tiny_verify(&vm, &launch) != RV_OK) {
		fail("the owner's hint matters");
	}
	tiny_destroy(&vm);
	tiny_create(&vm, "of nobody", &tiny_nobody);
	tiny_add_vcpu(&vm, 0);
	load();
	must_be_refused("another owner's image");
	tiny_destroy(&vm);
	pass();
}
