/* SPDX-License-Identifier: BSD-3-Clause */
/* Draws. They look at the specification's state, so that operations meet: most name what exists,
 * few are absurd. */
#include <stdio.h>
#include <string.h>

#include "../../spec/spec_impl.h"
#include "../common/random.h"
#include "model.h"

#define QUEUE_MAX 64

static u64 state;
static struct op queue[QUEUE_MAX];
static u32 queue_head;
static u32 queue_count;

void draw_seed(u64 seed)
{
	state = random_from(seed);
	queue_head = queue_count = 0;
}

u64 pick(u64 below)
{
	return random_below(&state, below);
}

bool one_in(u64 n)
{
	return pick(n) == 0;
}

u64 pick_slot_where(bool (*is_wanted)(const struct spec_vm *vm))
{
	u64 slot = pick(SPEC_VMS);

	for (u32 i = 0; i < SPEC_VMS && !one_in(20); i++) {
		if (model_vm(slot) != NULL && is_wanted(model_vm(slot))) {
			return slot;
		}
		slot = (slot + 1) % SPEC_VMS;
	}
	return pick_slot();
}

bool is_off(const struct spec_vm *vm)
{
	return vm->state == VM_POWEROFF;
}

static bool is_any(const struct spec_vm *vm)
{
	(void)vm;
	return true;
}

u64 pick_slot(void)
{
	return one_in(30) ? SPEC_VMS : one_in(20) ? pick(SPEC_VMS) : pick_slot_where(is_any);
}

/* Page numbers at the edges of what a number can mean. */
static u64 pick_absurd(void)
{
	static const u64 edges[] = { 0, 1, GFN_LIMIT - 1, GFN_LIMIT, ~0ull >> PAGE_SHIFT, ~0ull };

	return edges[pick(ARRAY_SIZE(edges))];
}

u64 pick_pfn(void)
{
	u32 sum = 0;
	u64 at;

	if (one_in(40)) {
		return pick_absurd();
	}
	for (u32 i = 0; i < ARRAY_SIZE(model_machine.area); i++) {
		sum += model_machine.area[i].weight;
	}
	at = pick(sum);
	for (u32 i = 0;; i++) {
		if (at < model_machine.area[i].weight) {
			return model_machine.area[i].first + pick(model_machine.area[i].pages);
		}
		at -= model_machine.area[i].weight;
	}
}

bool is_free_pfn(u64 pfn)
{
	return spec_page_check(&model.spec, pfn) == CV_OK;
}

u64 pick_free_pfn(void)
{
	u64 pfn = pick_pfn();

	for (u32 tries = one_in(8) ? 0 : 8; tries > 0 && !is_free_pfn(pfn); tries--) {
		pfn = pick_pfn();
	}
	return pfn;
}

u64 pick_root(void)
{
	u64 root = pick_free_pfn();

	for (u32 tries = one_in(20) ? 0 : 12; tries > 0; tries--) {
		root = align_down(pick_pfn(), 2);
		if (is_free_pfn(root) && is_free_pfn(root + 1)) {
			break;
		}
	}
	return root;
}

u64 pick_gfn(void)
{
	switch (pick(12)) {
	case 0:
		return SPEC_GFNS - 3 + pick(6);
	case 1:
		return one_in(8) ? pick_absurd() : (pick(4) * PAGES_PER_BLOCK) % SPEC_GFNS;
	case 2:
	case 3:
		return PAGES_PER_BLOCK + pick(8);
	case 4:
		return PAGES_PER_GIB % SPEC_GFNS + pick(8);
	default:
		return pick(24);
	}
}

u64 pick_unbacked_gfn(u64 slot)
{
	const struct spec_vm *vm = model_vm(slot);
	u64 gfn = pick_gfn();

	for (u32 tries = vm == NULL || one_in(8) ? 0 : 8; tries > 0; tries--) {
		if (spec_ram_end(vm, gfn) != 0 && vm->gfn[gfn].pfn == 0) {
			break;
		}
		gfn = pick_gfn();
	}
	return gfn;
}

u64 pick_backed_gfn(u64 slot)
{
	const struct spec_vm *vm = model_vm(slot);
	u64 gfn = pick_gfn();

	if (vm != NULL && vm->guest_pages > 0 && !one_in(4)) {
		gfn = pick(SPEC_GFNS);
		while (vm->gfn[gfn].pfn == 0) {
			gfn = (gfn + 1) % SPEC_GFNS;
		}
	}
	return gfn;
}

u64 pick_vcpu(u64 slot)
{
	u64 index = pick(SPEC_VCPUS);

	if (one_in(60)) {
		return one_in(2) ? VM_VCPUS_MAX : ~0ull;
	}
	for (u32 i = 0; i < SPEC_VCPUS && model_vcpu(slot, index) == NULL && !one_in(4); i++) {
		index = (index + 1) % SPEC_VCPUS;
	}
	return index;
}

/* A vCPU of any VM, mostly one that is wanted. */
static u64 pick_vcpu_where(u64 *slot, bool (*is_wanted)(const struct spec_vm *vm,
							const struct spec_vcpu *vcpu))
{
	u64 first = pick(SPEC_VMS * SPEC_VCPUS);

	for (u64 i = first; !one_in(40) && i < first + SPEC_VMS * SPEC_VCPUS; i++) {
		u64 index = i % SPEC_VCPUS;

		*slot = i / SPEC_VCPUS % SPEC_VMS;
		if (model_vcpu(*slot, index) != NULL &&
		    is_wanted(model_vm(*slot), model_vcpu(*slot, index))) {
			return index;
		}
	}
	*slot = pick_slot();
	return pick_vcpu(*slot);
}

static bool is_runnable(const struct spec_vm *vm, const struct spec_vcpu *vcpu)
{
	return vm->state == VM_VERIFIED && vcpu->state == SPEC_VCPU_READY &&
	       vcpu->power != VCPU_OFF;
}

u64 pick_runnable_vcpu(u64 *slot)
{
	return pick_vcpu_where(slot, is_runnable);
}

static bool is_on_a_cpu(const struct spec_vm *vm, const struct spec_vcpu *vcpu)
{
	(void)vm;
	return vcpu->state == SPEC_VCPU_ACTIVE;
}

u64 pick_active_vcpu(u64 *slot)
{
	return pick_vcpu_where(slot, is_on_a_cpu);
}

static bool is_bootable(const struct spec_vm *vm, const struct spec_vcpu *vcpu)
{
	return vm->state == VM_VERIFIED && vcpu == &vm->vcpu[0] && !vcpu->has_run;
}

u64 pick_bootable_vcpu(u64 *slot)
{
	return pick_vcpu_where(slot, is_bootable);
}

static u32 kind_of(const char *name)
{
	for (u32 i = 0; i < model_op_count; i++) {
		if (strcmp(model_ops[i].name, name) == 0) {
			return i;
		}
	}
	fake_fail("no operation '%s'", name);
}

void draw_then(const char *name, const u64 *arg, u32 count)
{
	struct op *op = &queue[(queue_head + queue_count) % QUEUE_MAX];

	if (queue_count < QUEUE_MAX) {
		*op = (struct op){ .kind = kind_of(name) };
		memcpy(op->arg, arg, count * sizeof(*arg));
		queue_count++;
	}
}

static u32 pick_kind(void)
{
	static u32 sum;
	u64 at;

	if (sum == 0) {
		for (u32 i = 0; i < model_op_count; i++) {
			sum += model_ops[i].weight;
		}
	}
	at = pick(sum);
	for (u32 i = 0;; i++) {
		if (at < model_ops[i].weight) {
			return i;
		}
		at -= model_ops[i].weight;
	}
}

static void draw_applicable(struct op *op)
{
	for (u32 tries = 8; tries > 0; tries--) {
		const struct op_kind *kind;

		*op = (struct op){ .kind = pick_kind() };
		kind = &model_ops[op->kind];
		kind->draw(op->arg);
		if (kind->applies == NULL || kind->applies(op->arg)) {
			break;
		}
	}
}

void draw_op(struct op *op)
{
	/* What was queued is soon done, but others come between. */
	if (queue_count > 0 && !one_in(5)) {
		*op = queue[queue_head];
		queue_head = (queue_head + 1) % QUEUE_MAX;
		queue_count--;
	} else {
		draw_applicable(op);
	}
	op->cpu = (u32)pick(FAKE_CPUS);
}
