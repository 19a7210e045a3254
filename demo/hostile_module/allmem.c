// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a hostile root would load: reads all of physical memory through the kernel's own map and
 * looks for words of the secret. Memory that the kernel keeps out of its linear map ("no-map") is
 * mapped for the purpose. Each word is loaded into a register and compared there, so the search
 * leaves no copy of what it reads; a fault makes it go on with the next page.
 */
#include <linux/fs.h>
#include <linux/io.h>
#include <linux/memblock.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>

#include "allmem.h"

static DEFINE_MUTEX(allmem_lock);
static struct search *table; /* under allmem_lock */

/* Reads one page; false: refused. */
static bool read_page(const u64 *page, struct allmem_pages *sum)
{
	u64 hits = 0;
	u64 word;
	unsigned int i;

	for (i = 0; i < PAGE_SIZE / sizeof(word); i++) {
		__get_kernel_nofault(&word, page + i, u64, fault);
		hits += search_hits(table, word);
	}
	sum->hits += hits;
	sum->hit_pages += hits != 0;
	return true;
fault:
	sum->torn += i != 0;
	return false;
}

/* Where the kernel sees this page; *mapping is to be unmapped afterwards, NULL if nothing is. */
static const u64 *page_address_of(u64 pfn, void **mapping)
{
	*mapping = NULL;
	if (pfn_is_map_memory(pfn))
		return phys_to_virt(PFN_PHYS(pfn));
	*mapping = memremap(PFN_PHYS(pfn), PAGE_SIZE, MEMREMAP_WB);
	return *mapping;
}

static int read_pages(struct allmem_pages *request)
{
	u64 pfn;

	for (pfn = request->first_pfn; pfn < request->first_pfn + request->pages; pfn++) {
		void *mapping;
		const u64 *page = page_address_of(pfn, &mapping);

		if (!page)
			return -ENXIO;
		if (read_page(page, request))
			request->read++;
		else
			request->refused++;
		if (mapping)
			memunmap(mapping);
		if (signal_pending(current))
			return -EINTR;
		cond_resched();
	}
	return 0;
}

static int set_table(const void __user *from)
{
	struct search *fresh = vmalloc(sizeof(*fresh));
	int err = -EFAULT;

	if (!fresh)
		return -ENOMEM;
	if (copy_from_user(fresh, from, sizeof(*fresh)))
		goto out;
	err = -EINVAL;
	if (fresh->count > SEARCH_WORDS_MAX)
		goto out;
	swap(table, fresh);
	err = 0;
out:
	vfree(fresh);
	return err;
}

static int answer(struct allmem_pages __user *at)
{
	struct allmem_pages request;
	int err;

	if (copy_from_user(&request, at, sizeof(request)))
		return -EFAULT;
	if (!table || request.first_pfn + request.pages < request.first_pfn)
		return -EINVAL;
	request.read = 0;
	request.refused = 0;
	request.torn = 0;
	request.hits = 0;
	request.hit_pages = 0;
	err = read_pages(&request);
	if (!err && copy_to_user(at, &request, sizeof(request)))
		err = -EFAULT;
	return err;
}

static long allmem_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	long err = -ENOTTY;

	mutex_lock(&allmem_lock);
	if (cmd == ALLMEM_SET_TABLE)
		err = set_table((const void __user *)arg);
	else if (cmd == ALLMEM_READ)
		err = answer((struct allmem_pages __user *)arg);
	mutex_unlock(&allmem_lock);
	return err;
}

static const struct file_operations allmem_fops = {
	.owner = THIS_MODULE,
	.unlocked_ioctl = allmem_ioctl,
};

static struct miscdevice allmem_device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "allmem",
	.mode = 0600,
	.fops = &allmem_fops,
};

static int __init allmem_init(void)
{
	return misc_register(&allmem_device);
}

static void __exit allmem_exit(void)
{
	misc_deregister(&allmem_device);
	vfree(table);
}

module_init(allmem_init);
module_exit(allmem_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Demo: a hostile module that searches all physical memory");
