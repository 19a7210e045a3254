/* SPDX-License-Identifier: GPL-2.0-only */
/* What differs between the kernels we build for. The only file that looks at kernel versions. */
#ifndef HOSTVISOR_COMPAT_H
#define HOSTVISOR_COMPAT_H

#include <linux/eventfd.h>
#include <linux/hrtimer.h>
#include <linux/kvm.h>
#include <linux/mm.h>
#include <linux/version.h>

/*
 * Pre: mmap_lock of `mm` held, which need not be ours. Returns the number of pages pinned (>= 1) or
 * a negative errno.
 */
static inline long hv_pin_user_pages(struct mm_struct *mm, unsigned long start, unsigned long count,
				     unsigned int flags, struct page **pages)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 5, 0)
	return pin_user_pages_remote(mm, start, count, flags, pages, NULL);
#else
	return pin_user_pages_remote(mm, start, count, flags, pages, NULL, NULL);
#endif
}

/* Pre: mmap_lock held for writing. */
static inline void hv_vma_change_flags(struct vm_area_struct *vma, unsigned long set,
				       unsigned long clear)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 3, 0)
	vm_flags_mod(vma, set, clear);
#else
	vma->vm_flags = (vma->vm_flags & ~clear) | set;
#endif
}

static inline void hv_eventfd_signal(struct eventfd_ctx *ctx)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 8, 0)
	eventfd_signal(ctx);
#else
	eventfd_signal(ctx, 1);
#endif
}

static inline void hv_hrtimer_setup(struct hrtimer *timer,
				    enum hrtimer_restart (*function)(struct hrtimer *))
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 15, 0)
	hrtimer_setup(timer, function, CLOCK_MONOTONIC, HRTIMER_MODE_ABS_HARD);
#else
	hrtimer_init(timer, CLOCK_MONOTONIC, HRTIMER_MODE_ABS_HARD);
	timer->function = function;
#endif
}

/* User space may write it at any time: read once. */
static inline bool hv_wants_immediate_exit(const struct kvm_run *run)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 11, 0)
	return READ_ONCE(run->immediate_exit__unsafe);
#else
	return READ_ONCE(run->immediate_exit);
#endif
}

#endif
