/* SPDX-License-Identifier: BSD-3-Clause */
/* Images, and owners that sign them: properly, or in one of the ways that must not do. */
#include "ops.h"

#include <bearssl.h>
#include <string.h>

#include "../common/owner.h"

#define OWNERS 2
/* How the launch page of a vm_verify is. */
enum {
	LAUNCH_PROPER,
	LAUNCH_MALFORMED,
	LAUNCH_SIGNATURE, /* one bit flipped */
	LAUNCH_OWNER,	  /* somebody else's */
	LAUNCH_CONTENT,	  /* of an image that is not this one */
	LAUNCH_POLICY,	  /* allows one vCPU */
	LAUNCH_FEWER,	  /* lacks the last image */
	LAUNCH_MORE,	  /* and one that the VM does not have */
	LAUNCH_KINDS
};

static struct owner owners[OWNERS];
/* Beside the specification's state: what it does not compute. */
static u64 owner_of[SPEC_VMS];	  /* number of the VM's owner, from 1; 0: nobody */
static u64 manifest_of[SPEC_VMS]; /* first word of the hash of what was signed */
static u64 manifest_under_way;
static u64 launch_token;

static const struct owner *owner(u64 number)
{
	struct owner *found = &owners[(number - 1) % OWNERS];

	if (found->curve == 0) {
		owner_make(found, number % 2 != 0 ? RV_CURVE_P256 : RV_CURVE_P384, (u8)number);
	}
	return found;
}

const u64 *owner_words(u64 number)
{
	return number == 0 ? fake_no_owner : owner(number)->words;
}

void owner_set(u64 slot, u64 number)
{
	owner_of[slot] = number;
}

u64 owner_number(u64 slot)
{
	return owner_of[slot];
}

u64 manifest_first_word(u64 slot)
{
	return manifest_of[slot];
}

void manifest_set(u64 slot, u64 first_word)
{
	manifest_of[slot] = first_word;
}

static u64 image_pages_of(const struct spec_image *image)
{
	return align_up(image->bytes, PAGE_SIZE) / PAGE_SIZE;
}

/* ---- add, map ---- */

void draw_image_add(u64 *arg)
{
	arg[0] = pick_slot();
	arg[1] = pick(24) << PAGE_SHIFT;
	arg[2] = one_in(2) ? (1 + pick(3)) * PAGE_SIZE : 1 + pick(3 * PAGE_SIZE);
	switch (pick(30)) {
	case 0:
		arg[1]++;
		break;
	case 1:
		arg[1] = (GFN_LIMIT - 1) << PAGE_SHIFT;
		break;
	case 2:
		arg[2] = pick(2) - 1;
		break;
	default:
		break;
	}
}

struct outcome core_image_add(const u64 *arg)
{
	struct outcome out = { 0 };

	out.status = image_add(model_handle(arg[0]), arg[1], arg[2], &out.value);
	return out;
}

struct outcome expect_image_add(const u64 *arg)
{
	struct outcome out = { 0 };

	out.status = spec_image_add(&model.spec, model_handle(arg[0]), arg[1], arg[2], &out.value);
	return out;
}

/* The first image that is not complete; image_count: none. */
static u32 incomplete_image(const struct spec_vm *vm)
{
	u32 i = 0;

	while (i < vm->image_count && vm->image[i].mapped == image_pages_of(&vm->image[i])) {
		i++;
	}
	return i;
}

static bool lacks_pages(const struct spec_vm *vm)
{
	return vm->state == VM_READY && incomplete_image(vm) < vm->image_count;
}

static bool has_images(const struct spec_vm *vm)
{
	return vm->state == VM_READY && vm->image_count > 0 &&
	       incomplete_image(vm) == vm->image_count;
}

void draw_image_map(u64 *arg)
{
	const struct spec_vm *vm;

	arg[0] = pick_slot_where(lacks_pages);
	vm = model_vm(arg[0]);
	arg[1] = vm != NULL && !one_in(10) ? incomplete_image(vm) : pick(RV_IMAGES_MAX + 1);
	arg[2] = pick_free_pfn();
	arg[3] = one_in(20) ? 0 : 1 + pick(4);
}

struct outcome core_image_map(const u64 *arg)
{
	struct outcome out = { 0 };

	out.status = image_map(model_handle(arg[0]), arg[1], arg[2], arg[3], &out.value);
	return out;
}

/* The page that an image ends in is zeroed behind it. */
static void check_tail(u64 pfn, u64 end)
{
	for (u64 at = align_up(end, sizeof(u64)); at < PAGE_SIZE; at += sizeof(u64)) {
		if (fake_peek(pfn, at) != 0) {
			fake_fail("page %#lx is not zero behind the image's end", pfn);
		}
	}
	model_retoken(pfn);
}

struct outcome expect_image_map(const u64 *arg)
{
	struct outcome out = { 0 };

	out.status = spec_image_map(&model.spec, model_handle(arg[0]), arg[1], arg[2], arg[3],
				    &out.value);
	if (out.status == CV_OK) {
		const struct spec_image *image = &model_vm(arg[0])->image[arg[1]];

		model.kept_first = arg[2];
		model.kept_pages = out.value;

		if (image->mapped == image_pages_of(image) && image->bytes % PAGE_SIZE != 0) {
			check_tail(arg[2] + out.value - 1, image->bytes % PAGE_SIZE);
		}
	}
	return out;
}

/* ---- verify ---- */

void draw_vm_verify(u64 *arg)
{
	const struct spec_vm *vm;

	arg[0] = one_in(6) ? pick_slot() : pick_slot_where(has_images);
	arg[1] = pick_free_pfn();
	arg[2] = one_in(2) ? LAUNCH_PROPER : pick(LAUNCH_KINDS);
	arg[3] = pick(4) << PAGE_SHIFT;
	arg[4] = one_in(4) ? pick(RV_IMAGES_MAX) : RV_IMAGES_MAX;
	arg[5] = !one_in(5);
	vm = model_vm(arg[0]);
	if (vm != NULL && vm->image_count > 0) {
		const struct spec_image *image = &vm->image[pick(vm->image_count)];

		arg[3] = (image->first << PAGE_SHIFT) + pick(4) * 4 + one_in(30);
	}
}

void draw_verify(u64 slot, u64 entry)
{
	draw_then("vm_verify",
		  (u64[]){ slot, pick_free_pfn(), LAUNCH_PROPER, entry, RV_IMAGES_MAX, true }, 6);
}

/* Whether the launch page is one that the host can prepare. */
static bool is_host_page(u64 pfn)
{
	return is_free_pfn(pfn);
}

/* Whether an image is one that the manifest has a hash of. */
static bool is_signed_image(const u64 *arg, u64 index)
{
	return index != arg[4];
}

/* Reads all images where they lie. */
static u32 images_read(const struct spec_vm *vm, const u64 *arg, struct owner_image *images)
{
	static u64 data[RV_IMAGES_MAX * 4 * PAGE_SIZE / sizeof(u64)];
	u64 used = 0;

	for (u32 i = 0; i < vm->image_count; i++) {
		const struct spec_image *image = &vm->image[i];

		images[i].gpa = image->first << PAGE_SHIFT;
		images[i].bytes = image->bytes;
		images[i].data = is_signed_image(arg, i) ? &data[used] : NULL;
		for (u64 at = 0; at < image_pages_of(image) * PAGE_SIZE; at += sizeof(u64)) {
			u64 pfn = vm->gfn[image->first + (at >> PAGE_SHIFT)].pfn;

			if (used < ARRAY_SIZE(data)) {
				data[used++] = pfn == 0 ? 0 : fake_peek(pfn, at % PAGE_SIZE);
			}
		}
	}
	if (arg[2] == LAUNCH_CONTENT) {
		data[0] ^= 1;
	}
	return vm->image_count;
}

static void launch_make(const u64 *arg, struct rv_launch *launch)
{
	const struct spec_vm *vm = model_vm(arg[0]);
	struct owner_policy policy = { .entry = arg[3],
				       .vcpus_max = arg[2] == LAUNCH_POLICY ? 1 : 0,
				       .may_be_saved = arg[5] != 0 };
	struct owner_image images[RV_IMAGES_MAX + 1];
	u64 number = owner_of[arg[0]] + (arg[2] == LAUNCH_OWNER);
	u32 count = images_read(vm, arg, images);

	if (arg[2] == LAUNCH_MORE) {
		images[count++] =
			(struct owner_image){ (GFN_LIMIT - 1) << PAGE_SHIFT, 8, "another" };
	}
	count -= arg[2] == LAUNCH_FEWER;
	owner_sign(owner(number == 0 ? 1 : number), &policy, images, count, launch);
	if (arg[2] == LAUNCH_SIGNATURE) {
		launch->signature[20] ^= 1;
	}
}

static u64 manifest_word(const struct rv_launch *launch)
{
	br_sha256_context hash;
	u64 words[4];

	br_sha256_init(&hash);
	br_sha256_update(&hash, launch->manifest, launch->manifest_bytes);
	br_sha256_out(&hash, words);
	return words[0];
}

/* Whether a launch page is worth being signed: nothing else can be wrong. */
static bool is_signed(const u64 *arg)
{
	const struct spec_vm *vm = model_vm(arg[0]);

	if (vm == NULL || !vm->is_protected || vm->state != VM_READY || vm->is_undone ||
	    vm->image_count == 0 || arg[2] == LAUNCH_MALFORMED || model_is_written(arg[1])) {
		return false;
	}
	return incomplete_image(vm) == vm->image_count;
}

static void launch_put(const u64 *arg)
{
	static struct rv_launch launch;
	u64 word;

	fake_poke(arg[1], 0, 0);
	if (is_signed(arg)) {
		launch_make(arg, &launch);
		manifest_under_way = manifest_word(&launch);
		for (u64 i = 0; i < sizeof(launch); i += sizeof(word)) {
			memcpy(&word, (const u8 *)&launch + i, sizeof(word));
			fake_poke(arg[1], i, word);
		}
	}
	launch_token = fake_page_token(arg[1]);
}

struct outcome core_vm_verify(const u64 *arg)
{
	struct outcome out = { 0 };

	if (is_host_page(arg[1])) {
		launch_put(arg);
	}
	out.status = image_verify(model_handle(arg[0]), arg[1], &out.value);
	return out;
}

static bool is_entry(const u64 *arg)
{
	const struct spec_vm *vm = model_vm(arg[0]);

	for (u32 i = 0; i < vm->image_count; i++) {
		if (is_signed_image(arg, i) &&
		    arg[3] - (vm->image[i].first << PAGE_SHIFT) < vm->image[i].bytes) {
			return arg[3] % 4 == 0;
		}
	}
	return false;
}

/* An image whose content was changed is noticed only if it is one that is signed; so is a missing
 * one, and one that is missing is no place for the entry. */
static enum spec_verdict verdict_of(const u64 *arg)
{
	const struct spec_vm *vm = model_vm(arg[0]);
	u32 vcpus = 0;

	if (!is_signed(arg)) {
		return SPEC_MALFORMED;
	}
	for (u32 i = 0; i < SPEC_VCPUS; i++) {
		vcpus += vm->vcpu[i].state != SPEC_VCPU_UNUSED;
	}
	if ((arg[2] != LAUNCH_PROPER && arg[2] != LAUNCH_POLICY &&
	     (arg[2] != LAUNCH_CONTENT || is_signed_image(arg, 0))) ||
	    owner_of[arg[0]] == 0 || !is_entry(arg)) {
		return SPEC_NOT_SIGNED;
	}
	return arg[2] == LAUNCH_POLICY && vcpus > 1 ? SPEC_AGAINST_POLICY : SPEC_SIGNED;
}

struct outcome expect_vm_verify(const u64 *arg)
{
	bool is_protected = model_vm(arg[0]) != NULL && model_vm(arg[0])->is_protected;
	struct outcome out = { 0 };

	if (is_host_page(arg[1])) {
		spec_page(&model.spec, arg[1])->token = launch_token;
	}
	out.status = spec_vm_verify(&model.spec, model_handle(arg[0]), arg[1], verdict_of(arg),
				    arg[3], arg[5] != 0, &out.value);
	if (is_protected && out.status == CV_OK) {
		manifest_of[arg[0]] = manifest_under_way;
	}
	return out;
}

/* ---- measure ---- */

void draw_vm_measure(u64 *arg)
{
	arg[0] = pick_slot();
	arg[1] = one_in(20) ? ~0ull : one_in(20) ? 2 : pick(2);
}

struct outcome core_vm_measure(const u64 *arg)
{
	struct outcome out = { 0 };
	u64 words[4];

	out.status = image_measure(model_handle(arg[0]), arg[1], words);
	if (out.status == CV_OK) {
		out.value = words[0];
	}
	return out;
}

struct outcome expect_vm_measure(const u64 *arg)
{
	struct outcome out = { 0 };

	out.status = spec_vm_measure(&model.spec, model_handle(arg[0]), arg[1]);
	if (out.status == CV_OK) {
		out.value = arg[1] == RV_MEASURE_OWNER ? owner_words(owner_of[arg[0]])[0]
						       : manifest_of[arg[0]];
	}
	return out;
}
