/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the proofs about images have in common: any VM with up to three images; memory (mem.h), the
 * window and cryptography (crypto.h: any answers, but the same digest for the same state) by their
 * contracts.
 */
#ifndef IMAGE_STATE_H
#define IMAGE_STATE_H

#include "one_vm.h"

#include <string.h>

#include <cv/arch.h>
#include <cv/image.h>
#include <cv/manifest.h>
#include <cv/mem.h>

static enum cv_status status; /* the call's */

struct crypto_hash nondet_hash(void);

u64 vm_ram_end(const struct vm *of, gfn_t gfn)
{
	claim(is_locked && of == &vm, "RAM ranges are read under the lock");
	for (u32 i = 0; i < vm.ram_count; i++) {
		if (gfn.v - vm.ram[i].first.v < vm.ram[i].pages) {
			return vm.ram[i].first.v + vm.ram[i].pages;
		}
	}
	return 0;
}

/* ---- any VM ---- */

static bool is_image_in_ram(const struct image *image)
{
	u64 first = image->first.v;

	for (u32 i = 0; i < vm.ram_count; i++) {
		if (first >= vm.ram[i].first.v &&
		    first + image_pages(image) <= vm.ram[i].first.v + vm.ram[i].pages) {
			return true;
		}
	}
	return false;
}

static bool are_apart(const struct image *a, const struct image *b)
{
	return a->first.v + image_pages(a) <= b->first.v ||
	       b->first.v + image_pages(b) <= a->first.v;
}

/* The invariant of images: RV_IMAGE_ADD keeps it, what the others change cannot break it. */
static bool images_are_sound(void)
{
	bool is_sound = vm.images.count <= RV_IMAGES_MAX &&
			(vm.images.count == 0 || vm.is_protected) &&
			(!vm.images.is_undone ||
			 (vm.images.count > 0 && vm.is_protected && vm.state != VM_VERIFIED));

	for (u32 i = 0; i < RV_IMAGES_MAX; i++) {
		const struct image *image = &vm.images.image[i];

		if (i < vm.images.count) {
			is_sound = is_sound && image->bytes > 0 &&
				   image->bytes <= GFN_LIMIT << PAGE_SHIFT &&
				   image->first.v < GFN_LIMIT && is_image_in_ram(image) &&
				   image->pages_mapped <= image_pages(image);
			for (u32 j = 0; j < i; j++) {
				is_sound = is_sound && are_apart(image, &vm.images.image[j]);
			}
		}
	}
	return is_sound;
}

/* Pre: count is a constant. */
static void any_vm(u32 count)
{
	any_record();
	vm.ram_count = (u32)any_below(RV_RAM_RANGES + 1);
	for (u32 i = 0; i < RV_RAM_RANGES; i++) {
		vm.ram[i].first.v = any_bits(8);
		vm.ram[i].pages = any_bits(8);
		assume(vm.ram[i].first.v < GFN_LIMIT && vm.ram[i].pages > 0 &&
		       vm.ram[i].pages <= GFN_LIMIT - vm.ram[i].first.v);
	}
	assume(vm.ram[0].first.v + vm.ram[0].pages <= vm.ram[1].first.v ||
	       vm.ram[1].first.v + vm.ram[1].pages <= vm.ram[0].first.v);
	for (u32 i = 0; i < RV_IMAGES_MAX; i++) {
		vm.images.image[i].first.v = any_bits(8);
		vm.images.image[i].bytes = any_bits(IPA_BITS + 1);
		vm.images.image[i].pages_mapped = any_bits(8);
	}
	vm.images.count = count;
	/* A snapshot under way is of a running VM, or of one that is being loaded. */
	assume(vm.seal.mode != SEAL_LOADING || vm.state == VM_READY);
	want = vm;
}

static void claim_as_wanted(void)
{
	claim(__CPROVER_equal(vm, want), "the VM is as specified");
	claim(__CPROVER_equal(other, other_before), "the other VM stays");
	claim(!is_locked, "no lock is left held");
}

/* ---- the architecture, memory and cryptography; what they are asked for is checked ---- */

static u8 window[PAGE_SIZE];
static struct image *the_image; /* image_map()'s */
static u64 pages_before;
static u64 first_pfn; /* of the call */
static enum cv_status load_status[RV_BATCH_PAGES];
static u64 loaded; /* pages that are the VM's since the call began */
static u64 hashed; /* of them */
static bool is_open;
static bool is_tail_zero;
static bool is_tail_cleaned;
static u64 icache_for; /* pages for which instructions were forgotten */
static struct crypto_hash hash_of_page[RV_BATCH_PAGES];

/* How many bytes of the image's page `index` are the image's. */
static u64 spec_bytes(u64 index)
{
	u64 left = the_image->bytes - index * PAGE_SIZE;

	return left < PAGE_SIZE ? left : PAGE_SIZE;
}

/* Any refusal but RANGE, whose conditions are claimed away. */
enum cv_status mem_load_page(struct vm *of, u64 gfn, u64 pfn)
{
	claim(is_locked && of == &vm && vm.is_protected && vm.state == VM_READY, "its Pre");
	claim(pfn == first_pfn + loaded && ledger_is_ram(pfn_make(pfn)), "the next page of RAM");
	claim(gfn == the_image->first.v + pages_before + loaded, "in order, at its place");
	claim(gfn < the_image->first.v + image_pages(the_image), "in the image, so in RAM");
	claim(loaded < RV_BATCH_PAGES && hashed == loaded, "the page before is hashed");
	if (load_status[loaded] != CV_OK) {
		return load_status[loaded];
	}
	vm.guest_pages++;
	loaded++;
	is_tail_zero = false;
	is_tail_cleaned = false;
	return CV_OK;
}

void *arch_window_open(pfn_t pfn)
{
	claim(loaded == hashed + 1 && pfn.v == first_pfn + hashed,
	      "only a page that has left the host is looked at");
	claim(!is_open, "one window");
	is_open = true;
	return window;
}

void arch_window_close(void)
{
	claim(is_open, "it is open");
	claim(is_tail_zero || spec_bytes(pages_before + loaded - 1) == PAGE_SIZE,
	      "what is not the image's is zeroed");
	is_open = false;
}

/* image.c zeroes nothing but tails. */
void *memset(void *at, int value, size_t bytes)
{
	u64 image_bytes = spec_bytes(pages_before + loaded - 1);

	claim(is_open && value == 0 && hashed == loaded, "in the window, after the hash");
	claim(at == window + image_bytes && bytes == PAGE_SIZE - image_bytes, "all of the tail");
	is_tail_zero = true;
	return at;
}

void arch_page_clean_invalidate(pfn_t pfn)
{
	claim(pfn.v == first_pfn + loaded - 1 && is_tail_zero && !is_open, "after it was zeroed");
	is_tail_cleaned = true;
}

void arch_icache_invalidate_all(void)
{
	claim(is_tail_cleaned, "after the data is out");
	icache_for = loaded;
}

/* ---- cryptography ---- */

static struct rv_launch launch;
static bool is_taken; /* the launch page is the corevisor's */
static u64 launch_pfn;
static u8 key_hash[CRYPTO_HASH_BYTES];
static bool is_signed;
static u8 image_digest[RV_IMAGES_MAX][CRYPTO_HASH_BYTES];
static u8 manifest_digest[CRYPTO_HASH_BYTES];
static const struct crypto_hash *manifest_hash; /* the one that is made of the manifest */
static bool is_manifest_hashed;
static bool is_begun;
static struct crypto_hash first_state;

void crypto_hash_begin(struct crypto_hash *hash)
{
	is_begun = true;
	if (is_taken) {
		manifest_hash = hash;
	}
	*hash = first_state;
}

void crypto_hash_add(struct crypto_hash *hash, const void *data, u64 bytes)
{
	if (is_taken) {
		claim(hash == manifest_hash && !is_manifest_hashed && data == launch.manifest &&
			      bytes == launch.manifest_bytes,
		      "the manifest's exact bytes");
		is_manifest_hashed = true;
		return;
	}
	claim(hash == &the_image->hash && data == window && is_open,
	      "the page goes into its image");
	claim(loaded == hashed + 1 && bytes == spec_bytes(pages_before + hashed),
	      "once, all of it");
	*hash = hash_of_page[hashed];
	hashed++;
}

void crypto_hash_end(const struct crypto_hash *hash, u8 out[CRYPTO_HASH_BYTES])
{
	if (hash == manifest_hash) {
		claim(is_manifest_hashed, "not of nothing");
		memcpy(out, manifest_digest, CRYPTO_HASH_BYTES);
		return;
	}
	for (u32 i = 0; i < RV_IMAGES_MAX; i++) {
		if (hash == &vm.images.image[i].hash) {
			claim(i < vm.images.count, "an image that is there");
			memcpy(out, image_digest[i], CRYPTO_HASH_BYTES);
			return;
		}
	}
	claim(false, "no other hash");
}

bool crypto_equal(const u8 *a, const u8 *b, u64 bytes)
{
	claim(bytes == CRYPTO_HASH_BYTES, "whole hashes");
	return is_32(a, b);
}

void crypto_key_hash(u32 curve, const u8 *key, u8 out[CRYPTO_HASH_BYTES])
{
	claim(curve == RV_CURVE_P256 || curve == RV_CURVE_P384, "its Pre");
	claim(is_taken && key == launch.public_key, "the launch page's key");
	memcpy(out, key_hash, CRYPTO_HASH_BYTES);
}

bool crypto_verify(u32 curve, const u8 *key, const u8 *signature, const void *message, u64 bytes)
{
	claim(is_taken && curve == launch.curve && key == launch.public_key &&
		      signature == launch.signature && message == launch.manifest &&
		      bytes == launch.manifest_bytes && bytes <= RV_LAUNCH_MANIFEST_MAX,
	      "the signature over the whole manifest, with the key that was looked at");
	claim(is_32(key_hash, vm.owner_key), "with the owner's key only");
	return is_signed;
}

/* ---- a call of RV_IMAGE_MAP ---- */

static enum cv_status any_load_status(void)
{
	switch (any_below(4)) {
	case 0:
		return CV_E_STATE;
	case 1:
		return CV_E_BUSY;
	case 2:
		return CV_E_NOMEM;
	default:
		return CV_OK;
	}
}

#define MINE 1u /* the image of the call; image 0 stays */

/* RV_IMAGE_MAP of any pages, to any VM. */
static void any_map(void)
{
	any_vm(RV_IMAGES_MAX);
	vm.images.count = (u32)any_below(RV_IMAGES_MAX + 1);
	want = vm;
	the_image = &vm.images.image[MINE];
	/* Of the invariant, what matters here. */
	assume((vm.is_protected || vm.images.count == 0) && the_image->bytes > 0 &&
	       the_image->pages_mapped <= image_pages(the_image));
	pages_before = the_image->pages_mapped;
	first_pfn = nondet_bool() ? any_bits(8) : ~any_bits(2);
	for (u32 i = 0; i < RV_BATCH_PAGES; i++) {
		load_status[i] = any_load_status();
		hash_of_page[i] = nondet_hash();
	}
}

#endif
