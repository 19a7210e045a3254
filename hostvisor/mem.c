// SPDX-License-Identifier: GPL-2.0-only
/*
 * Guest memory. Every page that the corevisor may touch is pinned in vm->pages from before
 * RV_MEM_MAP until the VM is dead for the corevisor; records and tables are pages of ours in
 * vm->donated, likewise.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include "hostvisor.h"
#include "compat.h"

#include <linux/hugetlb.h>
#include <linux/ksm.h>
#include <linux/mman.h>
#include <linux/module.h>
#include <linux/pagemap.h>
#include <linux/pgtable.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>

#define BLOCK_PAGES 512 /* of 2 MiB */
/*
 * A page that leaves the host costs a broadcast invalidation, and the corevisor keeps interrupts
 * and the VM's lock for the whole call: smaller steps for protected VMs, but for a whole block,
 * which costs as much as a page.
 */
#define PROTECTED_CALL_PAGES 32
#define PROTECTED_AROUND_PAGES 64
#define TOPUP_ATTEMPTS 8
#define TABLES_PER_EXIT 4
#define POOL_ORDER 4
/* Pages around a fault that are looked at, though absent, before we give up. */
#define FAULT_AROUND_MISSES 4
#define NO_IMAGE (-1)

#define PIN_FLAGS (FOLL_WRITE | FOLL_LONGTERM | FOLL_HWPOISON)
/*
 * A private page of a protected VM must not be read through the kernel's own mapping, where nobody
 * expects a fault: VM_IO keeps get_user_pages (ptrace, /proc/PID/mem, O_DIRECT) away from anonymous
 * RAM, the others fork and core dumps.
 */
#define PRIVATE_VM_FLAGS (VM_DONTCOPY | VM_DONTDUMP)

static unsigned long pool_pages;
module_param(pool_pages, ulong, 0444);
MODULE_PARM_DESC(pool_pages, "pages given to the corevisor's own pool, which keeps them");

/* ---- pages for records and tables ---- */

struct page *hv_mem_take(struct hv_vm *vm, unsigned int count)
{
	unsigned int order = get_order((unsigned long)count << PAGE_SHIFT);
	struct page *page = alloc_pages(GFP_KERNEL_ACCOUNT, order);

	if (page) {
		set_page_private(page, order);
		list_add(&page->lru, &vm->donated);
	}
	return page;
}

/* Pre: the corevisor does not hold it (any more). */
void hv_mem_give_back(struct page *page)
{
	unsigned int order = page_private(page);

	list_del(&page->lru);
	set_page_private(page, 0);
	__free_pages(page, order);
}

/*
 * The corevisor needs table pages for each 2 MiB of host memory that it takes its first page from:
 * neighbours are given together, so that they cost it once.
 */
static int hv_topup_pool(void)
{
	unsigned int order = POOL_ORDER, i;
	struct page *page = alloc_pages(GFP_KERNEL | __GFP_NORETRY | __GFP_NOWARN, order);
	unsigned int taken;
	int status = RV_OK;

	if (!page) {
		order = 0;
		page = alloc_page(GFP_KERNEL);
	}
	if (!page)
		return -ENOMEM;
	split_page(page, order);
	for (taken = 0; taken < 1U << order; taken++) {
		status = hv_pool_topup(page_to_pfn(page + taken));
		if (status != RV_OK)
			break;
	}
	pool_pages += taken; /* a figure for people: a lost update is no harm */
	for (i = taken; i < 1U << order; i++)
		__free_page(page + i);
	return taken ? 0 : hv_errno(status);
}

static int hv_topup_vm(struct hv_vm *vm)
{
	struct page *page = hv_mem_take(vm, 1);
	int status;

	if (!page)
		return -ENOMEM;
	status = hv_vm_topup(vm->handle, page_to_pfn(page));
	if (status != RV_OK)
		hv_mem_give_back(page);
	return hv_errno(status);
}

/*
 * NOMEM does not say whose tables: first the VM's, which we get back, then the corevisor's, which
 * it keeps.
 */
int hv_mem_topup(struct hv_vm *vm, unsigned int attempt)
{
	if (attempt >= TOPUP_ATTEMPTS)
		return -ENOMEM;
	if (vm->handle && !(attempt & 1) && hv_topup_vm(vm) != -ENOMEM)
		return 0;
	return hv_topup_pool();
}

int hv_mem_tables(struct hv_vm *vm, bool is_pool)
{
	unsigned int i;
	int ret = 0;

	mutex_lock(&vm->mem_lock);
	if (is_pool && vm->state == HV_LIVE)
		ret = hv_topup_pool();
	for (i = 0; i < TABLES_PER_EXIT && !ret && !is_pool && vm->state == HV_LIVE; i++) {
		ret = hv_topup_vm(vm);
		if (ret == -ENOMEM)
			ret = hv_topup_pool();
	}
	mutex_unlock(&vm->mem_lock);
	return ret;
}

/* ---- pinning ---- */

static bool hv_page_is_allowed(struct page *page)
{
	/* Anonymous, shmem or hugetlb: nothing that a file system would write back or read. */
	return folio_test_swapbacked(page_folio(page)) || PageHuge(page);
}

/* Pre: mmap_lock held for writing. */
static void hv_vma_make_private(struct vm_area_struct *vma)
{
	unsigned long flags = vma->vm_flags;

	if (ksm_madvise(vma, vma->vm_start, vma->vm_end, MADV_UNMERGEABLE, &flags))
		flags = vma->vm_flags;
	hv_vma_change_flags(vma, PRIVATE_VM_FLAGS | (vma_is_anonymous(vma) ? VM_IO : 0),
			    vma->vm_flags & ~flags);
}

/*
 * Pins within one VMA. The VM_IO that is taken away for a moment can only be ours: what drivers map
 * without vm_ops has VM_PFNMAP or VM_MIXEDMAP.
 */
static long hv_pin_locked(struct hv_vm *vm, unsigned long hva, unsigned long count,
			  unsigned int flags, struct page **pages)
{
	struct vm_area_struct *vma = find_vma(vm->mm, hva);
	long got;

	if (!vma || vma->vm_start > hva)
		return -EFAULT;
	count = min(count, (vma->vm_end - hva) >> PAGE_SHIFT);
	if (!vm->is_protected)
		return hv_pin_user_pages(hva, count, flags, pages);
	if (vma_is_anonymous(vma) && !(vma->vm_flags & (VM_PFNMAP | VM_MIXEDMAP)))
		hv_vma_change_flags(vma, 0, VM_IO);
	got = hv_pin_user_pages(hva, count, flags, pages);
	if (got > 0)
		hv_vma_make_private(vma);
	return got;
}

/*
 * Pins up to `count` pages from `hva` on, accounted. Returns how many (>= 1) or a negative errno.
 */
static long hv_pin(struct hv_vm *vm, unsigned long hva, unsigned long count, unsigned int flags,
		   struct page **pages)
{
	long got, i;
	int ret;

	ret = account_locked_vm(vm->mm, count, true);
	if (ret)
		return ret;
	mmap_write_lock(vm->mm);
	got = hv_pin_locked(vm, hva, count, flags, pages);
	mmap_write_unlock(vm->mm);
	for (i = 0; i < got && hv_page_is_allowed(pages[i]); i++)
		;
	if (i < got) {
		unpin_user_pages(&pages[i], got - i);
		got = i ? i : -EFAULT;
	}
	if (!got)
		got = -EFAULT;
	account_locked_vm(vm->mm, count - max(got, 0L), false);
	return got;
}

static void hv_unpin(struct hv_vm *vm, struct page **pages, unsigned long count, bool is_dirty)
{
	if (!count)
		return;
	if (is_dirty)
		unpin_user_pages_dirty_lock(pages, count, true);
	else
		unpin_user_pages(pages, count);
	account_locked_vm(vm->mm, count, false);
}

/* ---- giving pages to the guest ---- */

/*
 * One RV_MEM_MAP, or RV_IMAGE_MAP if there is an image, with table pages as needed. Returns the
 * pages taken (>= 1) or a negative errno.
 */
static long hv_map_run(struct hv_vm *vm, int image, u64 gfn, u64 pfn, u64 count)
{
	unsigned int attempt = 0;
	u64 taken = 0;
	int status, ret;

	for (;;) {
		if (image == NO_IMAGE)
			status = hv_mem_map(vm->handle, gfn, pfn, count, &taken);
		else
			status = hv_image_map(vm->handle, image, pfn, count, &taken);
		if (status == RV_OK)
			return taken && taken <= count ? (long)taken : -EIO;
		if (status != RV_E_NOMEM)
			return hv_errno(status);
		ret = hv_mem_topup(vm, attempt++);
		if (ret)
			return ret;
	}
}

/* How many of `pages` lie one behind the other. */
static unsigned long hv_contiguous(struct page **pages, unsigned long count)
{
	unsigned long pfn = page_to_pfn(pages[0]), n = 1;

	while (n < count && page_to_pfn(pages[n]) == pfn + n)
		n++;
	return n;
}

/* With how many pages may one call deal? */
static unsigned long hv_call_limit(struct hv_vm *vm, int image, u64 gfn, struct page **pages,
				   unsigned long count)
{
	if (!vm->is_protected)
		return RV_BATCH_PAGES;
	if (image == NO_IMAGE && count == BLOCK_PAGES && IS_ALIGNED(gfn, BLOCK_PAGES) &&
	    IS_ALIGNED(page_to_pfn(pages[0]), BLOCK_PAGES) &&
	    hv_contiguous(pages, count) == BLOCK_PAGES)
		return BLOCK_PAGES;
	return PROTECTED_CALL_PAGES;
}

static long hv_map_pages(struct hv_vm *vm, int image, u64 gfn, struct page **pages,
			 unsigned long count)
{
	unsigned long limit = hv_call_limit(vm, image, gfn, pages, count);
	unsigned long done = 0;
	long got = 0;

	while (done < count) {
		got = hv_map_run(vm, image, gfn + done, page_to_pfn(pages[done]),
				 hv_contiguous(&pages[done], min(count - done, limit)));
		cond_resched();
		if (got < 0)
			break;
		done += got;
	}
	return done ? (long)done : got;
}

/* Remembers pinned pages before the corevisor learns of them. Returns how many could be. */
static unsigned long hv_note_pages(struct hv_vm *vm, u64 gfn, struct page **pages,
				   unsigned long count)
{
	unsigned long i;

	for (i = 0; i < count; i++)
		if (xa_insert(&vm->pages, gfn + i, pages[i], GFP_KERNEL_ACCOUNT))
			break;
	return i;
}

/*
 * Pins [gfn, gfn + count) of `slot` and gives it to the guest, as the next pages of `image` unless
 * NO_IMAGE. Pre: mem_lock held, none of it is backed, count is at most RV_BATCH_PAGES. Returns the
 * pages given (>= 1) or a negative errno.
 */
static long hv_populate(struct hv_vm *vm, const struct hv_slot *slot, u64 gfn, unsigned long count,
			unsigned int pin_flags, int image)
{
	unsigned long hva = hv_slot_hva(slot, gfn);
	long pinned, noted, mapped, i;

	pinned = hv_pin(vm, hva, count, pin_flags, vm->batch);
	if (pinned <= 0)
		return pinned;
	noted = hv_note_pages(vm, gfn, vm->batch, pinned);
	mapped = noted ? hv_map_pages(vm, image, gfn, vm->batch, noted) : -ENOMEM;
	for (i = max(mapped, 0L); i < noted; i++)
		xa_erase(&vm->pages, gfn + i);
	i = max(mapped, 0L);
	hv_unpin(vm, &vm->batch[i], pinned - i, false);
	return mapped;
}

/* ---- faults ---- */

const struct hv_slot *hv_mem_find_slot(const struct hv_vm *vm, u64 gfn)
{
	unsigned int i;

	for (i = 0; i < HV_MAX_SLOTS; i++)
		if (gfn >= vm->slots[i].gfn && gfn - vm->slots[i].gfn < vm->slots[i].pages)
			return &vm->slots[i];
	return NULL;
}

/*
 * The pages of `slot` in the same `block` pages of user address space (512: what a huge page could
 * hold).
 */
static void hv_around(const struct hv_slot *slot, u64 gfn, u64 block, u64 *first, u64 *end)
{
	u64 offset = (slot->hva >> PAGE_SHIFT) + (gfn - slot->gfn);
	u64 before = min(offset & (block - 1), gfn - slot->gfn);
	u64 after = block - (offset & (block - 1));

	*first = gfn - before;
	*end = gfn + min(after, slot->gfn + slot->pages - gfn);
}

/*
 * Gives the pages from `gfn` on that user space has already and the guest has not. An error only
 * ends it.
 */
static void hv_populate_around(struct hv_vm *vm, const struct hv_slot *slot, u64 gfn, u64 end)
{
	unsigned int misses = 0;
	unsigned long next;
	long got;

	while (gfn < end && misses < FAULT_AROUND_MISSES) {
		if (xa_load(&vm->pages, gfn)) {
			gfn++;
			continue;
		}
		next = gfn;
		if (!xa_find(&vm->pages, &next, end - 1, XA_PRESENT))
			next = end;
		got = hv_populate(vm, slot, gfn, next - gfn, PIN_FLAGS | FOLL_NOFAULT, NO_IMAGE);
		if (got <= 0)
			misses++;
		gfn += max(got, 1L);
	}
}

/* Is the 2 MiB of the guest that `gfn` lies in backed by one huge page, lying alike? */
static bool hv_is_block(struct hv_vm *vm, const struct hv_slot *slot, u64 gfn)
{
	u64 first = ALIGN_DOWN(gfn, BLOCK_PAGES);
	struct page *page;
	bool is_block;

	if (first < slot->gfn || first + BLOCK_PAGES > slot->gfn + slot->pages ||
	    hv_pin(vm, hv_slot_hva(slot, gfn), 1, PIN_FLAGS, &page) != 1)
		return false;
	is_block = folio_nr_pages(page_folio(page)) >= BLOCK_PAGES &&
		   IS_ALIGNED(page_to_pfn(page) - (gfn - first), BLOCK_PAGES);
	hv_unpin(vm, &page, 1, false);
	return is_block;
}

/* Gives a protected VM 2 MiB at once if it can. False: it has not given `gfn`. */
static bool hv_populate_block(struct hv_vm *vm, const struct hv_slot *slot, u64 gfn)
{
	u64 first = ALIGN_DOWN(gfn, BLOCK_PAGES);
	unsigned long given = first;

	if (!vm->is_protected ||
	    xa_find(&vm->pages, &given, first + BLOCK_PAGES - 1, XA_PRESENT) ||
	    !hv_is_block(vm, slot, gfn))
		return false;
	hv_populate(vm, slot, first, BLOCK_PAGES, PIN_FLAGS | FOLL_NOFAULT, NO_IMAGE);
	return xa_load(&vm->pages, gfn);
}

int hv_mem_fault(struct hv_vm *vm, u64 gfn)
{
	const struct hv_slot *slot;
	u64 first, end;
	long ret = 0;

	mutex_lock(&vm->mem_lock);
	if (vm->state != HV_LIVE || xa_load(&vm->pages, gfn))
		goto unlock; /* stopped, or another vCPU was faster */
	slot = hv_mem_find_slot(vm, gfn);
	if (slot && hv_populate_block(vm, slot, gfn))
		goto unlock;
	ret = slot ? hv_populate(vm, slot, gfn, 1, PIN_FLAGS, NO_IMAGE) : -EFAULT;
	if (ret > 0) {
		ret = 0;
		hv_around(slot, gfn, vm->is_protected ? PROTECTED_AROUND_PAGES : BLOCK_PAGES,
			  &first, &end);
		hv_populate_around(vm, slot, first, end);
	}
unlock:
	mutex_unlock(&vm->mem_lock);
	return ret;
}

/* ---- the first run of a protected VM ---- */

/*
 * Has user space ever touched these 2 MiB? Swapped-out pages count. A hint, read without the
 * page-table lock: user space that unmaps at the same time loses its content and nothing else.
 */
static bool hv_block_is_touched(struct mm_struct *mm, unsigned long hva)
{
	bool touched = false;
	pgd_t *pgd;
	p4d_t *p4d;
	pud_t *pud;

	mmap_read_lock(mm);
	pgd = pgd_offset(mm, hva);
	if (pgd_none(READ_ONCE(*pgd)))
		goto unlock;
	p4d = p4d_offset(pgd, hva);
	if (p4d_none(READ_ONCE(*p4d)))
		goto unlock;
	pud = pud_offset(p4d, hva);
	if (pud_none(READ_ONCE(*pud)))
		goto unlock;
	touched = pud_sect(READ_ONCE(*pud)) || !pmd_none(READ_ONCE(*pmd_offset(pud, hva)));
unlock:
	mmap_read_unlock(mm);
	return touched;
}

u64 hv_mem_skip_untouched(struct hv_vm *vm, const struct hv_slot *slot, u64 gfn, u64 end)
{
	u64 first, next;

	while (gfn < end && !hv_block_is_touched(vm->mm, hv_slot_hva(slot, gfn))) {
		hv_around(slot, gfn, BLOCK_PAGES, &first, &next);
		gfn = next;
	}
	return min(gfn, end);
}

int hv_mem_give_image(struct hv_vm *vm, u64 index, u64 gfn, u64 pages)
{
	const struct hv_slot *slot = hv_mem_find_slot(vm, gfn);
	u64 end = gfn + pages;
	long got;

	if (!slot || end > slot->gfn + slot->pages)
		return -EFAULT;
	while (gfn < end) {
		got = hv_populate(vm, slot, gfn, min_t(u64, end - gfn, RV_BATCH_PAGES), PIN_FLAGS,
				  index);
		if (got < 0)
			return got;
		gfn += got;
		cond_resched();
		if (fatal_signal_pending(current))
			return -EINTR;
	}
	return 0;
}

int hv_mem_declare(struct hv_vm *vm)
{
	unsigned int i;
	int ret = 0;

	for (i = 0; i < HV_MAX_SLOTS && !ret; i++) {
		if (!vm->slots[i].pages)
			continue;
		ret = hv_errno(hv_vm_add_ram(vm->handle, vm->slots[i].gfn, vm->slots[i].pages));
	}
	memcpy(vm->ram, vm->slots, sizeof(vm->ram));
	return ret;
}

/* ---- giving back ---- */

/*
 * Unpins what vm->pages holds of [first, last]. Pre: the corevisor has let go of it; mem_lock held.
 */
static void hv_unpin_range(struct hv_vm *vm, unsigned long first, unsigned long last)
{
	unsigned long gfn, n = 0;
	struct page *page;

	xa_for_each_range(&vm->pages, gfn, page, first, last) {
		xa_erase(&vm->pages, gfn);
		vm->batch[n++] = page;
		if (n == RV_BATCH_PAGES) {
			hv_unpin(vm, vm->batch, n, true);
			n = 0;
			cond_resched();
		}
	}
	hv_unpin(vm, vm->batch, n, true);
}

void hv_mem_release(struct hv_vm *vm)
{
	struct page *page, *next;

	hv_unpin_range(vm, 0, ULONG_MAX);
	xa_destroy(&vm->pages);
	list_for_each_entry_safe(page, next, &vm->donated, lru)
		hv_mem_give_back(page);
}

/* ---- slots ---- */

static bool hv_overlaps(const struct hv_slot *a, u64 gfn, u64 pages)
{
	return a->pages && gfn < a->gfn + a->pages && a->gfn < gfn + pages;
}

static bool hv_is_declared(const struct hv_vm *vm, u64 gfn, u64 pages)
{
	unsigned int i;

	for (i = 0; i < HV_MAX_SLOTS; i++)
		if (gfn >= vm->ram[i].gfn && gfn + pages <= vm->ram[i].gfn + vm->ram[i].pages)
			return true;
	return false;
}

/* Live, open VMs only. */
static int hv_slot_reclaim(struct hv_vm *vm, const struct hv_slot *slot)
{
	u64 gfn = slot->gfn, end = gfn + slot->pages, next = gfn;
	int status;

	while (gfn < end) {
		status = hv_mem_reclaim(vm->handle, gfn, end - gfn, &next);
		if (status != RV_OK)
			return hv_errno(status);
		if (next <= gfn || next > end)
			return -EIO;
		gfn = next;
		cond_resched();
	}
	hv_unpin_range(vm, slot->gfn, end - 1);
	return 0;
}

static int hv_slot_delete(struct hv_vm *vm, struct hv_slot *slot)
{
	int ret = 0;

	if (!slot->pages)
		return -EINVAL;
	if (vm->state == HV_LIVE)
		ret = vm->is_protected ? -EPERM : hv_slot_reclaim(vm, slot);
	if (!ret)
		memset(slot, 0, sizeof(*slot));
	return ret;
}

static int hv_slot_create(struct hv_vm *vm, struct hv_slot *slot, const struct hv_slot *wanted)
{
	unsigned int i;

	if (slot->pages) /* the same again is fine, a move is not */
		return memcmp(slot, wanted, sizeof(*slot)) ? -EINVAL : 0;
	for (i = 0; i < HV_MAX_SLOTS; i++)
		if (hv_overlaps(&vm->slots[i], wanted->gfn, wanted->pages))
			return -EEXIST;
	if (vm->state == HV_LIVE &&
	    (vm->is_protected || !hv_is_declared(vm, wanted->gfn, wanted->pages)))
		return -EPERM;
	*slot = *wanted;
	return 0;
}

int hv_mem_set_region(struct hv_vm *vm, const struct kvm_userspace_memory_region *region)
{
	u64 limit = 1ULL << hv_core.ipa_bits;
	struct hv_slot wanted = {
		.gfn = region->guest_phys_addr >> PAGE_SHIFT,
		.pages = region->memory_size >> PAGE_SHIFT,
		.hva = region->userspace_addr,
	};
	int ret;

	if (region->slot >= HV_MAX_SLOTS || region->flags ||
	    !PAGE_ALIGNED(region->guest_phys_addr | region->memory_size | region->userspace_addr) ||
	    region->guest_phys_addr >= limit ||
	    region->memory_size > limit - region->guest_phys_addr ||
	    region->userspace_addr != untagged_addr(region->userspace_addr) ||
	    !access_ok((void __user *)(unsigned long)region->userspace_addr, region->memory_size))
		return -EINVAL;
	mutex_lock(&vm->lock);
	mutex_lock(&vm->mem_lock);
	if (wanted.pages)
		ret = hv_slot_create(vm, &vm->slots[region->slot], &wanted);
	else
		ret = hv_slot_delete(vm, &vm->slots[region->slot]);
	mutex_unlock(&vm->mem_lock);
	mutex_unlock(&vm->lock);
	return ret;
}
