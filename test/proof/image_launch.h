/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A call of RV_VM_VERIFY: a launch page with anything in it, the manifest by the promises of
 * manifest.h, and what is asked of the memory core.
 */
#ifndef IMAGE_LAUNCH_H
#define IMAGE_LAUNCH_H

#include "image_state.h"

static enum cv_status page_status; /* what the ledger says of the launch page */
static enum cv_status take_status;
static bool is_manifest;
static struct rv_launch launch_taken;
static struct manifest the_manifest;
static u64 the_cntvoff;
static u64 reclaimed;

/* The host writes what it wants to its page. */
static void host_writes_launch(void)
{
	launch.magic = nondet_bool() ? RV_LAUNCH_MAGIC : nondet_u64();
	launch.version = nondet_u32();
	launch.curve = nondet_u32();
	launch.manifest_bytes = nondet_u32();
	launch.entry = nondet_u64();
}

enum cv_status mem_host_page_check(u64 pfn)
{
	claim(pfn == launch_pfn && !is_taken, "the launch page");
	return page_status;
}

enum cv_status mem_host_take_core(u64 pfn)
{
	claim(pfn == launch_pfn && !is_taken && page_status == CV_OK && is_locked, "once");
	is_taken = take_status == CV_OK;
	launch_taken = launch;
	return take_status;
}

void mem_host_untake_core(pfn_t pfn)
{
	claim(is_taken && pfn.v == launch_pfn, "what was taken");
	claim(__CPROVER_equal(launch, launch_taken), "nothing is written to the host's page");
	is_taken = false;
	host_writes_launch();
}

void *arch_core_va(pa_t pa)
{
	claim(is_taken && pa.v == launch_pfn << PAGE_SHIFT, "the corevisor's own page");
	return &launch;
}

bool manifest_read(const void *blob, u64 bytes, struct manifest *manifest)
{
	claim(is_taken && is_signed && blob == launch.manifest && bytes == launch.manifest_bytes,
	      "only what is signed is read");
	*manifest = the_manifest;
	return is_manifest;
}

void vm_set_verified(struct vm *of, u64 guest_time)
{
	claim(of == &vm && is_locked && vm.state == VM_READY && guest_time == 0, "its Pre");
	vm.cntvoff = the_cntvoff;
	vm.state = VM_VERIFIED;
}

/* All is given back if it is not more than a batch. */
u64 mem_reclaim_run(struct vm *of, u64 gfn, u64 end)
{
	bool is_images = false;

	claim(of == &vm && is_locked && vm.state == VM_READY, "its Pre: nobody runs");
	claim(!is_taken, "the launch page is the host's again");
	reclaimed += end - gfn;
	claim(gfn < end && reclaimed <= RV_BATCH_PAGES, "no more than a batch a call");
	for (u32 i = 0; i < RV_IMAGES_MAX; i++) {
		const struct image *image = &vm.images.image[i];

		is_images = is_images || (i + 1 == vm.images.count && gfn >= image->first.v &&
					  end == image->first.v + image->pages_mapped);
	}
	claim(is_images, "the last pages of the last image, which are the VM's");
	vm.guest_pages -= end - gfn;
	return end;
}

static bool ranges_are_apart(const struct manifest_range *a, const struct manifest_range *b)
{
	return align_up(a->gpa + a->bytes, PAGE_SIZE) <= b->gpa ||
	       align_up(b->gpa + b->bytes, PAGE_SIZE) <= a->gpa;
}

static struct manifest_range any_range(void)
{
	struct manifest_range range = {
		.gpa = any_bits(IPA_BITS - PAGE_SHIFT) << PAGE_SHIFT,
		.bytes = any_bits(IPA_BITS),
	};

	assume(range.bytes > 0 && range.gpa + range.bytes <= GFN_LIMIT << PAGE_SHIFT);
	return range;
}

/* Any that manifest.h promises, with up to two images and one range of parameters. */
#define SIGNED_MAX 2u

static bool holds_entry(const struct manifest_range *range)
{
	return the_manifest.entry >= range->gpa && the_manifest.entry - range->gpa < range->bytes;
}

static void any_manifest(void)
{
	const struct manifest_image *image = the_manifest.image;

	the_manifest.entry = nondet_u64();
	the_manifest.vcpus_max = 1 + (u32)any_below(VM_VCPUS_MAX);
	the_manifest.may_be_saved = nondet_bool();
	the_manifest.image_count = 1 + (u32)any_below(SIGNED_MAX);
	the_manifest.parameter_count = (u32)any_below(2);
	the_manifest.parameter[0] = any_range();
	for (u32 i = 0; i < SIGNED_MAX; i++) {
		the_manifest.image[i].range = any_range();
		for (u32 j = 0; j < CRYPTO_HASH_BYTES; j++) {
			the_manifest.image[i].hash[j] = nondet_u8();
		}
		assume(the_manifest.parameter_count == 0 ||
		       ranges_are_apart(&image[i].range, &the_manifest.parameter[0]));
	}
	assume(ranges_are_apart(&image[0].range, &image[1].range));
	assume(holds_entry(&image[0].range) ||
	       (the_manifest.image_count == 2 && holds_entry(&image[1].range)));
}

static void any_launch(void)
{
	launch_pfn = any_bits(20);
	page_status = nondet_bool() ? CV_OK : nondet_bool() ? CV_E_RANGE : CV_E_STATE;
	take_status = nondet_bool() ? CV_OK : nondet_bool() ? CV_E_NOMEM : CV_E_STATE;
	is_signed = nondet_bool();
	is_manifest = nondet_bool();
	the_cntvoff = nondet_u64();
	host_writes_launch();
	any_manifest();
	for (u32 i = 0; i < CRYPTO_HASH_BYTES; i++) {
		key_hash[i] = nondet_u8();
		manifest_digest[i] = nondet_u8();
		for (u32 j = 0; j < RV_IMAGES_MAX; j++) {
			image_digest[j][i] = nondet_u8();
		}
	}
}

#endif
