/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Images and the check of them. Guarantees: what was hashed is what the guest will find, because
 * the page was the guest's when it was hashed and nobody runs before the VM is VERIFIED; a VM is
 * VERIFIED only with what its owner signed; a failed check gives every page back, scrubbed.
 */
#include <cv/image.h>

#include <string.h>

#include <cv/arch.h>
#include <cv/check.h>
#include <cv/ledger.h>
#include <cv/manifest.h>
#include <cv/mem.h>
#include <cv/vm.h>

_Static_assert(sizeof(struct rv_launch) == PAGE_SIZE, "one page");

static bool is_open_for_images(const struct vm *vm) CV_REQUIRES(vm->lock)
{
	return vm_is_being_built(vm) && !vm->images.is_undone;
}

/* ---- RV_IMAGE_ADD ---- */

static bool overlaps(const struct image *image, u64 first, u64 pages)
{
	return first < image->first.v + image_pages(image) && image->first.v < first + pages;
}

static enum cv_status add_check(const struct vm *vm, u64 gpa, u64 bytes) CV_REQUIRES(vm->lock)
{
	const u64 limit = GFN_LIMIT << PAGE_SHIFT;
	const u64 first = gpa >> PAGE_SHIFT;
	u64 pages;

	if (!vm->is_protected) {
		return CV_E_PERM;
	}
	if (gpa >= limit || bytes > limit - gpa) {
		return CV_E_RANGE;
	}
	pages = align_up(bytes, PAGE_SIZE) >> PAGE_SHIFT;
	if (first + pages > vm_ram_end(vm, gfn_make(first))) {
		return CV_E_RANGE;
	}
	if (!is_open_for_images(vm)) {
		return CV_E_STATE;
	}
	for (u32 i = 0; i < vm->images.count; i++) {
		if (overlaps(&vm->images.image[i], first, pages)) {
			return CV_E_BUSY;
		}
	}
	return vm->images.count == RV_IMAGES_MAX ? CV_E_BUSY : CV_OK;
}

static u64 add_commit(struct vm *vm, u64 gpa, u64 bytes) CV_REQUIRES(vm->lock)
{
	struct image *image = &vm->images.image[vm->images.count];

	*image = (struct image){ .first = ipa_gfn(ipa_make(gpa)), .bytes = bytes };
	crypto_hash_begin(&image->hash);
	return vm->images.count++;
}

enum cv_status image_add(u64 handle, u64 gpa, u64 bytes, u64 *index)
{
	struct vm *vm;
	enum cv_status status;

	if (bytes == 0 || !is_aligned(gpa, PAGE_SIZE)) {
		return CV_E_INVALID;
	}
	vm = vm_lock(handle);
	if (vm == NULL) {
		return CV_E_NOENT;
	}
	vm_assume_locked(vm);
	status = add_check(vm, gpa, bytes);
	if (status == CV_OK) {
		*index = add_commit(vm, gpa, bytes);
	}
	vm_unlock(vm);
	return status;
}

/* ---- RV_IMAGE_MAP ---- */

/* Adds the page's part of the image to its hash; what lies behind the image's end goes. Pre: the
 * page is the VM's. */
static void page_measure(struct image *image, pfn_t pfn)
{
	u64 bytes = min_u64(image->bytes - image->pages_mapped * PAGE_SIZE, PAGE_SIZE);
	u8 *page = arch_window_open(pfn);

	crypto_hash_add(&image->hash, page, bytes);
	memset(page + bytes, 0, PAGE_SIZE - bytes);
	arch_window_close();
	if (bytes < PAGE_SIZE) {
		arch_page_clean_invalidate(pfn);
		arch_icache_invalidate_all();
	}
}

static enum cv_status map_one(struct vm *vm, struct image *image, u64 pfn) CV_REQUIRES(vm->lock)
{
	enum cv_status status;

	if (!ledger_is_ram(pfn_make(pfn))) {
		return CV_E_RANGE;
	}
	if (!is_open_for_images(vm) || image->pages_mapped == image_pages(image)) {
		return CV_E_STATE;
	}
	status = mem_load_page(vm, image->first.v + image->pages_mapped, pfn);
	if (status == CV_OK) {
		page_measure(image, pfn_make(pfn));
		image->pages_mapped++;
	}
	return status;
}

enum cv_status image_map(u64 handle, u64 index, u64 pfn, u64 pages, u64 *done)
{
	enum cv_status status = CV_OK;
	struct vm *vm;
	u64 i = 0;

	if (pages == 0) {
		return CV_E_INVALID;
	}
	vm = vm_lock(handle);
	if (vm == NULL) {
		return CV_E_NOENT;
	}
	vm_assume_locked(vm);
	if (index >= vm->images.count) {
		status = CV_E_NOENT;
	}
	while (status == CV_OK && i < min_u64(pages, RV_BATCH_PAGES)) {
		status = map_one(vm, &vm->images.image[index], pfn + i);
		i += status == CV_OK;
	}
	vm_unlock(vm);
	if (i == 0) {
		return status;
	}
	*done = i;
	return CV_OK;
}

/* ---- RV_VM_VERIFY ---- */

static bool is_signed_image(const struct image *image, const struct manifest *manifest)
{
	u8 hash[CRYPTO_HASH_BYTES];

	for (u32 i = 0; i < manifest->image_count; i++) {
		const struct manifest_image *wanted = &manifest->image[i];

		if (wanted->range.gpa == gfn_ipa(image->first).v &&
		    wanted->range.bytes == image->bytes) {
			crypto_hash_end(&image->hash, hash);
			return crypto_equal(hash, wanted->hash, sizeof(hash));
		}
	}
	return false;
}

/* Unsigned data of the host, where the owner allows it. */
static bool is_parameter(const struct image *image, const struct manifest *manifest)
{
	const u64 gpa = gfn_ipa(image->first).v;

	for (u32 i = 0; i < manifest->parameter_count; i++) {
		const struct manifest_range *range = &manifest->parameter[i];

		if (gpa >= range->gpa && gpa - range->gpa < range->bytes &&
		    image->bytes <= range->bytes - (gpa - range->gpa)) {
			return true;
		}
	}
	return false;
}

/* Images do not overlap, so as many as the manifest has, each one of its, are all of them. */
static bool images_are_signed(const struct images *images, const struct manifest *manifest)
{
	u32 found = 0;

	for (u32 i = 0; i < images->count; i++) {
		if (is_signed_image(&images->image[i], manifest)) {
			found++;
		} else if (!is_parameter(&images->image[i], manifest)) {
			return false;
		}
	}
	return found == manifest->image_count;
}

static bool is_well_formed(const struct rv_launch *launch)
{
	return launch->magic == RV_LAUNCH_MAGIC && launch->version == RV_LAUNCH_VERSION &&
	       (launch->curve == RV_CURVE_P256 || launch->curve == RV_CURVE_P384) &&
	       launch->manifest_bytes > 0 && launch->manifest_bytes <= RV_LAUNCH_MANIFEST_MAX;
}

/* Pre: the page is the corevisor's; what it says does not change. */
static enum cv_status launch_check(const struct vm *vm, const struct rv_launch *launch,
				   struct manifest *manifest) CV_REQUIRES(vm->lock)
{
	u8 owner[CRYPTO_HASH_BYTES];

	if (!is_well_formed(launch)) {
		return CV_E_INVALID;
	}
	crypto_key_hash(launch->curve, launch->public_key, owner);
	if (!crypto_equal(owner, vm->owner_key, sizeof(owner)) ||
	    !crypto_verify(launch->curve, launch->public_key, launch->signature, launch->manifest,
			   launch->manifest_bytes) ||
	    !manifest_read(launch->manifest, launch->manifest_bytes, manifest) ||
	    !images_are_signed(&vm->images, manifest)) {
		return CV_E_AUTH;
	}
	return vm->vcpu_count > manifest->vcpus_max ? CV_E_PERM : CV_OK;
}

static void verify_commit(struct vm *vm, const struct rv_launch *launch,
			  const struct manifest *manifest) CV_REQUIRES(vm->lock)
{
	struct crypto_hash hash;

	crypto_hash_begin(&hash);
	crypto_hash_add(&hash, launch->manifest, launch->manifest_bytes);
	crypto_hash_end(&hash, vm->manifest);
	vm->entry = manifest->entry;
	vm->may_be_saved = manifest->may_be_saved;
	vm_set_verified(vm, 0);
}

static enum cv_status launch_verify(struct vm *vm, u64 launch_pfn) CV_REQUIRES(vm->lock)
{
	struct manifest manifest;
	const struct rv_launch *launch;
	enum cv_status status = mem_host_take_core(launch_pfn);

	if (status != CV_OK) {
		return status;
	}
	launch = arch_core_va(pfn_pa(pfn_make(launch_pfn)));
	status = launch_check(vm, launch, &manifest);
	if (status == CV_OK) {
		verify_commit(vm, launch, &manifest);
	}
	mem_host_untake_core(pfn_make(launch_pfn));
	return status;
}

/* What can be said before the launch page is read. */
static enum cv_status verify_check(const struct vm *vm, u64 launch_pfn) CV_REQUIRES(vm->lock)
{
	enum cv_status status = mem_host_page_check(launch_pfn);

	if (status == CV_E_RANGE) {
		return status;
	}
	if (!is_open_for_images(vm) || vm->images.count == 0 || status != CV_OK) {
		return CV_E_STATE;
	}
	for (u32 i = 0; i < vm->images.count; i++) {
		if (vm->images.image[i].pages_mapped < image_pages(&vm->images.image[i])) {
			return CV_E_BUSY;
		}
	}
	return CV_OK;
}

/* Gives back the last pages of the last image, at most a batch. */
static void undo_step(struct vm *vm) CV_REQUIRES(vm->lock)
{
	struct images *images = &vm->images;
	u64 budget = RV_BATCH_PAGES;

	while (images->count > 0) {
		struct image *image = &images->image[images->count - 1];
		u64 pages = min_u64(image->pages_mapped, budget);
		u64 end = image->first.v + image->pages_mapped;

		CV_CHECK(pages == 0 || mem_reclaim_run(vm, end - pages, end) == end);
		image->pages_mapped -= pages;
		budget -= pages;
		if (image->pages_mapped > 0) {
			return;
		}
		images->count--;
	}
	images->is_undone = false;
}

static u64 undo_left(const struct images *images)
{
	u64 left = 0;

	for (u32 i = 0; i < images->count; i++) {
		left += images->image[i].pages_mapped;
	}
	return left;
}

/* A failed check: begins to give the pages back, or goes on with it. */
static enum cv_status undo(struct vm *vm, u64 *left) CV_REQUIRES(vm->lock)
{
	vm->images.is_undone = true;
	undo_step(vm);
	if (!vm->images.is_undone) {
		return CV_E_AUTH;
	}
	*left = undo_left(&vm->images);
	return CV_OK;
}

static enum cv_status verify_locked(struct vm *vm, u64 launch_pfn, u64 *left) CV_REQUIRES(vm->lock)
{
	enum cv_status status;

	if (!vm->is_protected) {
		if (vm->state != VM_READY) {
			return CV_E_STATE;
		}
		vm_set_verified(vm, 0);
		*left = 0;
		return CV_OK;
	}
	if (vm->state == VM_READY && vm->images.is_undone) {
		return undo(vm, left);
	}
	status = verify_check(vm, launch_pfn);
	if (status == CV_OK) {
		status = launch_verify(vm, launch_pfn);
	}
	if (status == CV_E_AUTH) {
		return undo(vm, left);
	}
	*left = 0;
	return status;
}

enum cv_status image_verify(u64 handle, u64 launch_pfn, u64 *left)
{
	struct vm *vm = vm_lock(handle);
	enum cv_status status;

	if (vm == NULL) {
		return CV_E_NOENT;
	}
	vm_assume_locked(vm);
	status = verify_locked(vm, launch_pfn, left);
	vm_unlock(vm);
	return status;
}

/* ---- RV_VM_MEASURE ---- */

static enum cv_status measure_check(const struct vm *vm, u64 what) CV_REQUIRES(vm->lock)
{
	if (what == RV_MEASURE_MANIFEST && vm->is_protected && vm->state != VM_VERIFIED) {
		return CV_E_STATE;
	}
	return vm->is_protected ? CV_OK : CV_E_PERM;
}

enum cv_status image_measure(u64 handle, u64 what, u64 out[4])
{
	struct vm *vm;
	enum cv_status status;

	if (what > RV_MEASURE_MANIFEST) {
		return CV_E_INVALID;
	}
	vm = vm_lock(handle);
	if (vm == NULL) {
		return CV_E_NOENT;
	}
	vm_assume_locked(vm);
	status = measure_check(vm, what);
	if (status == CV_OK) {
		memcpy(out, what == RV_MEASURE_OWNER ? vm->owner_key : vm->manifest,
		       CRYPTO_HASH_BYTES);
	}
	vm_unlock(vm);
	return status;
}
