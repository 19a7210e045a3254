// SPDX-License-Identifier: GPL-2.0-only
/*
 * Snapshots of protected VMs as a stream of records (include/ravelin/hostvisor.h). The corevisor
 * says what comes next and whether it is good; here pages are found for it, and the VM is kept
 * still. The stream is user space's, so it is hostile. A snapshot is the work of one file; whatever
 * becomes of that file, the VM is left either running or off.
 */
#include "hostvisor.h"

#include <linux/anon_inodes.h>
#include <linux/capability.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <ravelin/hostvisor.h>

/* Everything under vm->lock. While vm->seal is this one, the VM is ours. */
struct hv_seal {
	struct hv_vm *vm;
	bool is_complete;
	enum ravelin_seal_kind next; /* saving: exactly this; loading: at least */
	unsigned int vcpu;	     /* saving: the next one */
	struct ravelin_seal_record record;
	void *content; /* RAVELIN_SEAL_CONTENT_MAX; the corevisor deals with the first page */
};

static u64 hv_content_pfn(const struct hv_seal *seal)
{
	return page_to_pfn(virt_to_page(seal->content));
}

static int hv_seal_errno(int status)
{
	return status == RV_E_PERM ? -EACCES : hv_errno(status);
}

/* ---- keeping still ---- */

/*
 * Once the state is neither SETUP nor LIVE, a vCPU that comes waits in KVM_RUN and changes nothing;
 * none may be under way. The mutexes come before vm->lock, which is held: they are only tried.
 */
static bool hv_is_at_rest(struct hv_vm *vm)
{
	bool is_at_rest = true;
	unsigned int i;

	for (i = 0; i < HV_MAX_VCPUS && is_at_rest; i++) {
		if (!vm->vcpus[i])
			continue;
		is_at_rest = mutex_trylock(&vm->vcpus[i]->mutex);
		if (is_at_rest) {
			is_at_rest = !vm->vcpus[i]->wants_mmio_data;
			mutex_unlock(&vm->vcpus[i]->mutex);
		}
	}
	return is_at_rest;
}

/* ---- saving ---- */

static int hv_save_begin_call(struct hv_seal *seal)
{
	struct hv_vm *vm = seal->vm;
	unsigned int attempt = 0;
	int status, ret = 0;

	mutex_lock(&vm->mem_lock);
	do {
		status = hv_seal_save_begin(vm->handle, hv_content_pfn(seal));
		if (status == RV_E_NOMEM)
			ret = hv_mem_topup(vm, attempt++);
		else
			ret = hv_seal_errno(status);
	} while (!ret && status == RV_E_NOMEM);
	mutex_unlock(&vm->mem_lock);
	return ret;
}

static int hv_save_begin(struct hv_seal *seal)
{
	struct hv_vm *vm = seal->vm;
	int ret;

	if (vm->state == HV_SAVING)
		return -EBUSY;
	if (vm->state != HV_LIVE)
		return -ENXIO;
	WRITE_ONCE(vm->state, HV_SAVING);
	ret = hv_is_at_rest(vm) ? hv_save_begin_call(seal) : -EBUSY;
	if (ret)
		hv_vm_set_live(vm);
	else
		vm->seal = seal;
	return ret;
}

static unsigned int hv_next_vcpu(const struct hv_vm *vm, unsigned int index)
{
	while (index < HV_MAX_VCPUS && !vm->vcpus[index])
		index++;
	return index;
}

static int hv_save_vcpu(struct hv_seal *seal)
{
	struct ravelin_seal_record *record = &seal->record;
	unsigned int index = hv_next_vcpu(seal->vm, seal->vcpu);

	record->at = index;
	record->bytes = PAGE_SIZE;
	seal->vcpu = hv_next_vcpu(seal->vm, index + 1);
	if (seal->vcpu == HV_MAX_VCPUS)
		seal->next = RAVELIN_SEAL_PAGE;
	return hv_seal_errno(
		hv_seal_save_vcpu(seal->vm->handle, index, hv_content_pfn(seal), record->tag));
}

static int hv_save_end(struct hv_seal *seal)
{
	int status = hv_seal_save_end(seal->vm->handle, hv_content_pfn(seal), seal->record.tag);

	seal->record.kind = RAVELIN_SEAL_END;
	seal->record.bytes = PAGE_SIZE;
	if (status == RV_OK) {
		seal->is_complete = true;
		hv_vm_set_live(seal->vm);
	}
	return hv_seal_errno(status);
}

static int hv_save_page(struct hv_seal *seal)
{
	struct ravelin_seal_record *record = &seal->record;
	u64 gfn, what, tag[2];
	int status;

	do {
		status =
			hv_seal_save_page(seal->vm->handle, hv_content_pfn(seal), &gfn, &what, tag);
		if (status != RV_OK)
			return hv_seal_errno(status);
		if (gfn == RV_SEAL_NO_GFN)
			return hv_save_end(seal);
		cond_resched();
		if (fatal_signal_pending(current))
			return -EINTR;
	} while (!what);
	record->at = gfn;
	record->what = what;
	record->tag[0] = tag[0];
	record->tag[1] = tag[1];
	record->bytes = what & RV_SEAL_BACKED ? PAGE_SIZE : 0;
	return 0;
}

static int hv_save_next(struct hv_seal *seal)
{
	memset(&seal->record, 0, sizeof(seal->record));
	seal->record.kind = seal->next;
	switch (seal->next) {
	case RAVELIN_SEAL_HEADER: /* SAVE_BEGIN wrote it */
		seal->record.bytes = sizeof(struct rv_seal_header);
		seal->next = RAVELIN_SEAL_HOST;
		return 0;
	case RAVELIN_SEAL_HOST:
		seal->record.bytes = hv_seal_state_get(seal->vm, seal->content);
		seal->next = RAVELIN_SEAL_VCPU;
		return 0;
	case RAVELIN_SEAL_VCPU:
		return hv_save_vcpu(seal);
	default:
		return hv_save_page(seal);
	}
}

static ssize_t hv_save_read_locked(struct hv_seal *seal, char __user *to)
{
	int ret;

	if (seal->is_complete)
		return 0;
	if (seal->vm->seal != seal)
		return -ECANCELED;
	ret = hv_save_next(seal);
	if (ret)
		return ret;
	/* A record that is lost here is missing: this snapshot cannot be opened. */
	if (copy_to_user(to, &seal->record, sizeof(seal->record)) ||
	    copy_to_user(to + sizeof(seal->record), seal->content, seal->record.bytes))
		return -EFAULT;
	return sizeof(seal->record) + seal->record.bytes;
}

static ssize_t hv_save_read(struct file *file, char __user *to, size_t bytes, loff_t *at)
{
	struct hv_seal *seal = file->private_data;
	ssize_t ret;

	if (bytes < RAVELIN_SEAL_RECORD_MAX)
		return -EINVAL;
	if (mutex_lock_killable(&seal->vm->lock))
		return -EINTR;
	ret = hv_save_read_locked(seal, to);
	mutex_unlock(&seal->vm->lock);
	return ret;
}

static void hv_save_end_early(struct hv_seal *seal)
{
	struct hv_vm *vm = seal->vm;

	if (hv_seal_abort(vm->handle) == RV_OK)
		hv_vm_set_live(vm);
	else
		hv_vm_stop(vm);
}

/* ---- loading ---- */

static int hv_load_start(struct hv_seal *seal)
{
	struct hv_vm *vm = seal->vm;
	enum hv_state before = vm->state;

	if (READ_ONCE(hv_is_going_down))
		return -ESHUTDOWN;
	if (hv_vm_is_fixed(vm))
		return -EBUSY;
	if (!vm->is_protected)
		return -EACCES;
	WRITE_ONCE(vm->state, HV_LOADING);
	if (!vm->vcpu_count || vm->handle || !hv_is_at_rest(vm)) {
		WRITE_ONCE(vm->state, before);
		return -EBUSY;
	}
	vm->seal = seal;
	return 0;
}

/* A record out of turn, or of what the VM does not have, is as wrong as one with a wrong tag. */
static int hv_load_errno(int status)
{
	switch (status) {
	case RV_E_STATE:
	case RV_E_RANGE:
	case RV_E_NOENT:
		return -EKEYREJECTED;
	default:
		return hv_seal_errno(status);
	}
}

static int hv_load_call_once(struct hv_seal *seal, u64 pfn)
{
	const struct ravelin_seal_record *record = &seal->record;
	u64 handle = seal->vm->handle;

	switch (record->kind) {
	case RAVELIN_SEAL_HEADER:
		return hv_seal_load_begin(handle, pfn);
	case RAVELIN_SEAL_VCPU:
		return hv_seal_load_vcpu(handle, record->at, pfn, record->tag);
	case RAVELIN_SEAL_PAGE:
		return hv_seal_load_page(handle, record->at, record->what, pfn, record->tag);
	default:
		return hv_seal_load_end(handle, pfn, record->tag);
	}
}

/* With table pages as needed. Pre: vm->mem_lock held. */
static int hv_load_call(struct hv_seal *seal, u64 pfn)
{
	unsigned int attempt = 0;
	int status, ret;

	do {
		status = hv_load_call_once(seal, pfn);
		if (status == RV_E_NOMEM)
			ret = hv_mem_topup(seal->vm, attempt++);
		else
			ret = hv_load_errno(status);
	} while (!ret && status == RV_E_NOMEM);
	return ret;
}

static int hv_load_header(struct hv_seal *seal)
{
	const struct rv_seal_header *header = seal->content;
	struct hv_vm *vm = seal->vm;
	int ret;

	vgic_reset(vm);
	ret = hv_vm_build(vm, header->owner);
	return ret ? ret : hv_load_call(seal, hv_content_pfn(seal));
}

/* The page that will be the guest's is one of the VMM's; the corevisor decrypts it in place. */
static int hv_load_content(struct hv_seal *seal)
{
	struct page *page = hv_mem_hold(seal->vm, seal->record.at);
	int ret;

	if (IS_ERR(page))
		return PTR_ERR(page);
	memcpy(page_address(page), seal->content, PAGE_SIZE);
	ret = hv_load_call(seal, page_to_pfn(page));
	if (ret)
		hv_mem_drop(seal->vm, seal->record.at);
	return ret;
}

static int hv_load_end(struct hv_seal *seal)
{
	int ret = hv_load_call(seal, hv_content_pfn(seal));

	if (!ret) {
		seal->is_complete = true;
		hv_vm_set_live(seal->vm);
	}
	return ret;
}

/* Pre: vm->mem_lock held. */
static int hv_load_record(struct hv_seal *seal)
{
	switch (seal->record.kind) {
	case RAVELIN_SEAL_HEADER:
		return hv_load_header(seal);
	case RAVELIN_SEAL_HOST:
		return hv_seal_state_set(seal->vm, seal->content, seal->record.bytes);
	case RAVELIN_SEAL_PAGE:
		return seal->record.bytes ? hv_load_content(seal) : hv_load_call(seal, 0);
	case RAVELIN_SEAL_END:
		return hv_load_end(seal);
	default:
		return hv_load_call(seal, hv_content_pfn(seal));
	}
}

/* What a kind does not use is 0. */
static bool hv_is_head(const struct ravelin_seal_record *record)
{
	bool is_page = record->kind == RAVELIN_SEAL_PAGE;
	bool has_place = is_page || record->kind == RAVELIN_SEAL_VCPU;
	bool has_tag = record->kind >= RAVELIN_SEAL_VCPU;

	return (is_page || !record->what) && (has_place || !record->at) &&
	       (has_tag || !(record->tag[0] | record->tag[1]));
}

/* Is this a record, and one that may come now? Of what is in it the corevisor knows more. */
static bool hv_is_record(const struct hv_seal *seal, size_t bytes)
{
	const struct ravelin_seal_record *record = &seal->record;

	if (record->kind < seal->next || record->kind > RAVELIN_SEAL_END ||
	    (seal->next <= RAVELIN_SEAL_HOST && record->kind != seal->next) ||
	    record->bytes != bytes - sizeof(*record) || !hv_is_head(record))
		return false;
	switch (record->kind) {
	case RAVELIN_SEAL_HEADER:
		return record->bytes == sizeof(struct rv_seal_header);
	case RAVELIN_SEAL_HOST:
		return record->bytes <= HV_SEAL_STATE_MAX;
	case RAVELIN_SEAL_PAGE:
		return record->bytes == (record->what & RV_SEAL_BACKED ? PAGE_SIZE : 0);
	default:
		return record->bytes == PAGE_SIZE;
	}
}

static int hv_load_take(struct hv_seal *seal, const char __user *from, size_t bytes)
{
	struct ravelin_seal_record *record = &seal->record;
	int ret;

	if (copy_from_user(record, from, sizeof(*record)))
		return -EFAULT;
	if (!hv_is_record(seal, bytes))
		return -EINVAL;
	if (copy_from_user(seal->content, from + sizeof(*record), record->bytes))
		return -EFAULT;
	mutex_lock(&seal->vm->mem_lock);
	ret = hv_load_record(seal);
	mutex_unlock(&seal->vm->mem_lock);
	seal->next = record->kind + (record->kind <= RAVELIN_SEAL_HOST);
	return ret;
}

/*
 * What has failed stays so: everything is given back, or what the corevisor still holds when the VM
 * is reset or closed.
 */
static ssize_t hv_load_write_locked(struct hv_seal *seal, const char __user *from, size_t bytes)
{
	struct hv_vm *vm = seal->vm;
	int ret;

	if (vm->seal != seal)
		return -ECANCELED;
	/* The VMM's memory, which may be going. */
	if (mmget_not_zero(vm->mm)) {
		ret = hv_load_take(seal, from, bytes);
		mmput(vm->mm);
	} else {
		ret = -ESRCH;
	}
	if (ret)
		hv_vm_stop(vm);
	return ret ? ret : bytes;
}

static ssize_t hv_load_write(struct file *file, const char __user *from, size_t bytes, loff_t *at)
{
	struct hv_seal *seal = file->private_data;
	ssize_t ret;

	if (bytes < sizeof(seal->record) || bytes > RAVELIN_SEAL_RECORD_MAX)
		return -EINVAL;
	if (mutex_lock_killable(&seal->vm->lock))
		return -EINTR;
	ret = hv_load_write_locked(seal, from, bytes);
	mutex_unlock(&seal->vm->lock);
	return ret;
}

/* ---- files ---- */

static void hv_seal_free(struct hv_seal *seal)
{
	free_pages((unsigned long)seal->content, get_order(RAVELIN_SEAL_CONTENT_MAX));
	kfree(seal);
}

/* Ends it, wherever it is. */
static void hv_seal_close(struct hv_seal *seal)
{
	struct hv_vm *vm = seal->vm;

	mutex_lock(&vm->lock);
	if (vm->seal == seal && vm->state == HV_SAVING)
		hv_save_end_early(seal);
	else if (vm->seal == seal)
		hv_vm_stop(vm);
	mutex_unlock(&vm->lock);
	hv_seal_free(seal);
	hv_vm_put(vm);
}

static int hv_seal_release(struct inode *inode, struct file *file)
{
	hv_seal_close(file->private_data);
	return 0;
}

static const struct file_operations hv_save_fops = {
	.owner = THIS_MODULE,
	.release = hv_seal_release,
	.read = hv_save_read,
	.llseek = noop_llseek,
};

static const struct file_operations hv_load_fops = {
	.owner = THIS_MODULE,
	.release = hv_seal_release,
	.write = hv_load_write,
	.llseek = noop_llseek,
};

static struct hv_seal *hv_seal_alloc(struct hv_vm *vm)
{
	struct hv_seal *seal = kzalloc(sizeof(*seal), GFP_KERNEL_ACCOUNT);

	BUILD_BUG_ON(HV_SEAL_STATE_MAX > RAVELIN_SEAL_CONTENT_MAX);
	BUILD_BUG_ON(RAVELIN_SEAL_PAGE_BYTES != PAGE_SIZE);
	if (!seal)
		return NULL;
	seal->vm = vm;
	seal->next = RAVELIN_SEAL_HEADER;
	seal->content = (void *)__get_free_pages(GFP_KERNEL_ACCOUNT | __GFP_ZERO,
						 get_order(RAVELIN_SEAL_CONTENT_MAX));
	if (seal->content)
		return seal;
	kfree(seal);
	return NULL;
}

int hv_seal_open(struct hv_vm *vm, bool is_loading)
{
	struct hv_seal *seal;
	int ret;

	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	seal = hv_seal_alloc(vm);
	if (!seal)
		return -ENOMEM;
	mutex_lock(&vm->lock);
	ret = is_loading ? hv_load_start(seal) : hv_save_begin(seal);
	mutex_unlock(&vm->lock);
	if (ret) {
		hv_seal_free(seal);
		return ret;
	}
	hv_vm_get(vm);
	ret = anon_inode_getfd(is_loading ? "ravelin-load" : "ravelin-save",
			       is_loading ? &hv_load_fops : &hv_save_fops, seal,
			       (is_loading ? O_WRONLY : O_RDONLY) | O_CLOEXEC);
	if (ret < 0)
		hv_seal_close(seal);
	return ret;
}
