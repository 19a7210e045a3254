// SPDX-License-Identifier: GPL-2.0-only
/*
 * How a protected VM gets its first content: the page that tells what the VM's owner signed lies
 * somewhere in what user space has put into the guest's RAM; the images it names are handed over,
 * and the corevisor says whether they are what was signed. That page is user space's, so it is
 * hostile: copied once, and believed in nothing but where to look.
 */
#include "hostvisor.h"

#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/sched/signal.h>
#include <linux/string.h>
#include <linux/uaccess.h>

static void __user *hv_user(const struct hv_slot *slot, u64 gfn)
{
	return (void __user *)hv_slot_hva(slot, gfn);
}

/* ---- the launch page ---- */

static bool hv_has_magic(const struct hv_slot *slot, u64 gfn)
{
	u64 magic;

	return !copy_from_user(&magic, hv_user(slot, gfn), sizeof(magic)) &&
	       magic == RV_LAUNCH_MAGIC;
}

static bool hv_is_launch(const struct rv_launch *launch)
{
	return launch->magic == RV_LAUNCH_MAGIC && launch->version == RV_LAUNCH_VERSION &&
	       launch->image_count && launch->image_count <= RV_IMAGES_MAX;
}

/* 1: copied. 0: not in this slot. Negative: errno. */
static int hv_find_in_slot(struct hv_vm *vm, const struct hv_slot *slot, struct rv_launch *copy)
{
	u64 gfn = slot->gfn, end = gfn + slot->pages;

	while ((gfn = hv_mem_skip_untouched(vm, slot, gfn, end)) < end) {
		if (hv_has_magic(slot, gfn) &&
		    !copy_from_user(copy, hv_user(slot, gfn), sizeof(*copy)) && hv_is_launch(copy))
			return 1;
		gfn++;
		cond_resched();
		if (fatal_signal_pending(current))
			return -EINTR;
	}
	return 0;
}

struct rv_launch *hv_launch_find(struct hv_vm *vm)
{
	struct rv_launch *copy = (void *)get_zeroed_page(GFP_KERNEL_ACCOUNT);
	unsigned int i;
	int ret = 0;

	if (!copy)
		return ERR_PTR(-ENOMEM);
	for (i = 0; i < HV_MAX_SLOTS && !ret; i++)
		if (vm->slots[i].pages)
			ret = hv_find_in_slot(vm, &vm->slots[i], copy);
	if (ret > 0)
		return copy;
	free_page((unsigned long)copy);
	return ERR_PTR(ret ? ret : -ENOKEY);
}

/* ---- the images ---- */

static int hv_give_image(struct hv_vm *vm, u64 gpa, u64 bytes)
{
	int status;
	u64 index;

	status = hv_image_add(vm->handle, gpa, bytes, &index);
	if (status != RV_OK)
		return hv_errno(status);
	return hv_mem_give_image(vm, index, gpa >> PAGE_SHIFT, DIV_ROUND_UP(bytes, PAGE_SIZE));
}

/* A page that cannot be read has nothing in it, either. */
static bool hv_is_blank(const struct hv_slot *slot, u64 gfn, void *scratch)
{
	return copy_from_user(scratch, hv_user(slot, gfn), PAGE_SIZE) ||
	       !memchr_inv(scratch, 0, PAGE_SIZE);
}

/*
 * A parameter is unsigned data of the VMM, of which the owner knows only where it may lie: what is
 * given is the least run of pages that holds all of it. The rest of the range is zero in any case,
 * since all other pages of the guest arrive zeroed.
 */
static int hv_give_parameter(struct hv_vm *vm, const struct rv_launch_image *range)
{
	const struct hv_slot *slot = hv_mem_find_slot(vm, range->gpa >> PAGE_SHIFT);
	void *scratch = (void *)__get_free_page(GFP_KERNEL_ACCOUNT);
	u64 gfn = range->gpa >> PAGE_SHIFT, first = 0, after = 0, end;
	int ret = 0;

	if (!scratch)
		return -ENOMEM;
	end = slot ? min(gfn + DIV_ROUND_UP(range->bytes, PAGE_SIZE), slot->gfn + slot->pages) : 0;
	while (!ret && (gfn = hv_mem_skip_untouched(vm, slot, gfn, end)) < end) {
		if (!hv_is_blank(slot, gfn, scratch)) {
			first = after ? first : gfn;
			after = gfn + 1;
		}
		gfn++;
		cond_resched();
		if (fatal_signal_pending(current))
			ret = -EINTR;
	}
	free_page((unsigned long)scratch);
	if (!ret && after)
		ret = hv_give_image(vm, first << PAGE_SHIFT,
				    min(after << PAGE_SHIFT, range->gpa + range->bytes) -
					    (first << PAGE_SHIFT));
	return ret;
}

static bool hv_is_range(const struct rv_launch_image *range)
{
	u64 limit = 1ULL << hv_core.ipa_bits;

	return PAGE_ALIGNED(range->gpa) && range->bytes && range->gpa < limit &&
	       range->bytes <= limit - range->gpa;
}

int hv_launch_images(struct hv_vm *vm, const struct rv_launch *launch)
{
	unsigned int i;
	int ret = 0;

	for (i = 0; i < launch->image_count && !ret; i++) {
		const struct rv_launch_image *image = &launch->image[i];

		if (!hv_is_range(image))
			ret = -EINVAL;
		else if (image->is_parameter)
			ret = hv_give_parameter(vm, image);
		else
			ret = hv_give_image(vm, image->gpa, image->bytes);
	}
	return ret;
}

/* A refusal takes several calls: the corevisor gives the images' pages back, a batch with each. */
int hv_launch_verify(struct hv_vm *vm, const struct rv_launch *launch)
{
	u64 pfn = launch ? page_to_pfn(virt_to_page(launch)) : 0, left = 0;
	unsigned int attempt = 0;
	int status, ret = 0;

	do {
		status = hv_vm_verify(vm->handle, pfn, &left);
		if (status == RV_E_NOMEM)
			ret = hv_mem_topup(vm, attempt++);
		else
			ret = hv_errno(status);
		cond_resched();
	} while (!ret && (status == RV_E_NOMEM || left));
	return ret;
}
