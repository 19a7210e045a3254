// SPDX-License-Identifier: GPL-2.0-only
/* KVM_IOEVENTFD: guest writes that user space wants to hear of without an exit to it. */
#include "hostvisor.h"
#include "compat.h"

#include <linux/slab.h>

#define IOEVENTFDS_MAX 1000
#define KNOWN_FLAGS (KVM_IOEVENTFD_FLAG_DATAMATCH | KVM_IOEVENTFD_FLAG_DEASSIGN)

struct hv_ioeventfd {
	struct list_head list; /* vm->ioeventfds, under io_lock */
	struct eventfd_ctx *ctx;
	u64 gpa;
	u32 bytes; /* 0: any */
	bool has_match;
	u64 match;
};

static bool hv_is_same(const struct hv_ioeventfd *a, const struct hv_ioeventfd *b)
{
	return a->gpa == b->gpa && a->bytes == b->bytes && a->has_match == b->has_match &&
	       (!a->has_match || a->match == b->match);
}

/* Would a write that matches one match the other too? */
static bool hv_collides(const struct hv_ioeventfd *a, const struct hv_ioeventfd *b)
{
	return a->gpa == b->gpa && (!a->bytes || !b->bytes || a->bytes == b->bytes) &&
	       (!a->has_match || !b->has_match || a->match == b->match);
}

static int hv_check_args(const struct kvm_ioeventfd *args)
{
	if (args->flags & ~KNOWN_FLAGS)
		return -EINVAL;
	if (args->len && args->len != 1 && args->len != 2 && args->len != 4 && args->len != 8)
		return -EINVAL;
	if (!args->len && args->flags & KVM_IOEVENTFD_FLAG_DATAMATCH)
		return -EINVAL;
	if (args->addr + args->len < args->addr)
		return -EINVAL;
	return 0;
}

static int hv_ioeventfd_assign(struct hv_vm *vm, struct hv_ioeventfd *new)
{
	struct hv_ioeventfd *p;
	int ret = 0;

	spin_lock(&vm->io_lock);
	if (vm->ioeventfd_count >= IOEVENTFDS_MAX)
		ret = -ENOSPC;
	list_for_each_entry(p, &vm->ioeventfds, list)
		if (hv_collides(p, new))
			ret = -EEXIST;
	if (!ret) {
		list_add_tail(&new->list, &vm->ioeventfds);
		vm->ioeventfd_count++;
	}
	spin_unlock(&vm->io_lock);
	return ret;
}

static int hv_ioeventfd_deassign(struct hv_vm *vm, const struct hv_ioeventfd *old)
{
	struct hv_ioeventfd *p, *found = NULL;

	spin_lock(&vm->io_lock);
	list_for_each_entry(p, &vm->ioeventfds, list) {
		if (p->ctx == old->ctx && hv_is_same(p, old)) {
			found = p;
			list_del(&p->list);
			vm->ioeventfd_count--;
			break;
		}
	}
	spin_unlock(&vm->io_lock);
	if (!found)
		return -ENOENT;
	eventfd_ctx_put(found->ctx);
	kfree(found);
	return 0;
}

int hv_ioeventfd(struct hv_vm *vm, const struct kvm_ioeventfd *args)
{
	struct hv_ioeventfd *new;
	int ret = hv_check_args(args);

	if (ret)
		return ret;
	new = kzalloc(sizeof(*new), GFP_KERNEL_ACCOUNT);
	if (!new)
		return -ENOMEM;
	new->gpa = args->addr;
	new->bytes = args->len;
	new->has_match = args->flags & KVM_IOEVENTFD_FLAG_DATAMATCH;
	new->match = args->datamatch;
	new->ctx = eventfd_ctx_fdget(args->fd);
	if (IS_ERR(new->ctx)) {
		ret = PTR_ERR(new->ctx);
		kfree(new);
		return ret;
	}
	if (!(args->flags & KVM_IOEVENTFD_FLAG_DEASSIGN)) {
		ret = hv_ioeventfd_assign(vm, new);
		if (!ret)
			return 0; /* the list has it */
	} else {
		ret = hv_ioeventfd_deassign(vm, new);
	}
	eventfd_ctx_put(new->ctx);
	kfree(new);
	return ret;
}

/* A guest's write: true when somebody was told, and nothing else is to be done. */
bool hv_ioeventfd_write(struct hv_vm *vm, u64 gpa, u32 bytes, u64 value)
{
	struct hv_ioeventfd *p;
	bool found = false;

	if (list_empty_careful(&vm->ioeventfds))
		return false;
	spin_lock(&vm->io_lock);
	list_for_each_entry(p, &vm->ioeventfds, list) {
		if (p->gpa == gpa && (!p->bytes || p->bytes == bytes) &&
		    (!p->has_match || p->match == value)) {
			hv_eventfd_signal(p->ctx);
			found = true;
			break;
		}
	}
	spin_unlock(&vm->io_lock);
	return found;
}

void hv_ioeventfd_release(struct hv_vm *vm)
{
	struct hv_ioeventfd *p, *next;

	list_for_each_entry_safe(p, next, &vm->ioeventfds, list) {
		list_del(&p->list);
		eventfd_ctx_put(p->ctx);
		kfree(p);
	}
}
