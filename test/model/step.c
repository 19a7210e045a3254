/* SPDX-License-Identifier: BSD-3-Clause */
/* One step on both sides, and what must hold after it. */
#include <stdio.h>
#include <string.h>

#include <cv/vcpu.h>

#include "../../arch-fake/fake_vcpu.h"
#include "model.h"

#define WATCHED_GFNS 3
#define HOST_WRITERS 2
#define WRITERS (HOST_WRITERS + SPEC_VMS)

struct model model;

u64 model_handle(u64 slot)
{
	if (slot >= SPEC_VMS) {
		return 0xffffffffffffff00ull | OWNER_VM_FIRST;
	}
	return model.spec.vm[slot].handle != 0 ? model.spec.vm[slot].handle : model.dead[slot];
}

struct spec_vm *model_vm(u64 slot)
{
	return slot < SPEC_VMS && model.spec.vm[slot].handle != 0 ? &model.spec.vm[slot] : NULL;
}

struct spec_vcpu *model_vcpu(u64 slot, u64 index)
{
	return spec_vcpu(&model.spec, model_handle(slot), index);
}

struct vcpu *model_core_vcpu(u64 slot, u64 index) CV_NO_LOCK_ANALYSIS
{
	struct vm *vm = vm_lock(model_handle(slot));
	struct vcpu *vcpu = vm->vcpus[index];

	vm_unlock(vm);
	return vcpu;
}

void model_retoken(u64 pfn)
{
	spec_page(&model.spec, pfn)->token = fake_page_token(pfn);
}

/* What a writer can write to before a step. */
struct written {
	u64 pfn; /* 0: nothing */
	u32 owner;
};

/* ---- others, who act at every moment of a call ---- */

/* Two pages of the host's, and gfn 0 of each VM. */
static u64 writer_target(u32 writer)
{
	return writer < HOST_WRITERS ? model_machine.area[writer].first + 3 : 0;
}

/* Whether a vCPU of the VM may have run, and may be running still. */
static bool has_begun(u32 vmid)
{
	for (u32 i = 0; i < SPEC_VMS; i++) {
		if ((model.spec.vm[i].handle & 0xff) == vmid) {
			return model.spec.vm[i].state != VM_READY;
		}
	}
	return false;
}

static void set_writers(void)
{
	for (u32 i = 0; i < WRITERS; i++) {
		u32 vmid = i < HOST_WRITERS ? (u32)OWNER_HOST : OWNER_VM_FIRST + i - HOST_WRITERS;

		if (i < HOST_WRITERS || has_begun(vmid)) {
			fake_hostile_writer(i % FAKE_CPUS, vmid, writer_target(i) << PAGE_SHIFT,
					    0xbad0000 + i);
		}
	}
}

/* The page that a writer can write to just now; 0: none. */
static u64 writer_page(u32 writer)
{
	u64 target = writer_target(writer);
	u32 vmid = OWNER_VM_FIRST + writer - HOST_WRITERS;

	if (writer < HOST_WRITERS) {
		return spec_page(&model.spec, target)->is_host_rw ? target : 0;
	}
	for (u32 i = 0; i < SPEC_VMS && has_begun(vmid); i++) {
		if ((model.spec.vm[i].handle & 0xff) == vmid) {
			return model.spec.vm[i].gfn[target].pfn;
		}
	}
	return 0;
}

/*
 * What is in a page that somebody writes to all the time, nobody knows. But a page that its writer
 * has just lost to another owner and that must be zero now, is.
 */
static void forgive_writers(const struct written *before)
{
	for (u32 i = 0; i < WRITERS; i++) {
		const struct spec_page *page = spec_page(&model.spec, before[i].pfn);
		u64 after = writer_page(i);

		if (page != NULL && (page->token != 0 || page->owner == before[i].owner)) {
			model_retoken(before[i].pfn);
		}
		if (after != 0) {
			model_retoken(after);
		}
	}
}

bool model_is_written(u64 pfn)
{
	for (u32 i = 0; i < WRITERS; i++) {
		if (writer_page(i) == pfn) {
			return true;
		}
	}
	return false;
}

/* Addresses that every CPU walks for all the time. */
static void set_watches(void)
{
	for (u32 i = 0; i < ARRAY_SIZE(model_machine.area); i++) {
		u64 pages = model_machine.area[i].pages;

		if (model_machine.area[i].weight > 0) {
			fake_watch(OWNER_HOST, model_machine.area[i].first << PAGE_SHIFT);
			fake_watch(OWNER_HOST, (model_machine.area[i].first + pages / 2)
						       << PAGE_SHIFT);
		}
	}
	for (u32 i = 0; i < SPEC_VMS * WATCHED_GFNS; i++) {
		u64 gfn = i % WATCHED_GFNS * (PAGES_PER_BLOCK / 2);

		fake_watch(OWNER_VM_FIRST + i / WATCHED_GFNS, gfn << PAGE_SHIFT);
	}
}

void model_boot(void)
{
	memset(&model, 0, sizeof(model));
	observe_boot(&model.spec, &model_machine.fake);
	fake_vcpu_reset();
	for (u32 i = 0; i < SPEC_VMS; i++) {
		model.dead[i] = OWNER_VM_FIRST + i; /* generation 0: never given out */
	}
	for (u32 i = 0; i < model.spec.page_count; i++) {
		struct spec_page *page = &model.spec.page[i];

		if (page->owner == OWNER_HOST) {
			u64 pfn = spec_pfn(&model.spec, i);

			fake_poke(pfn, 8, i + 1);
			page->token = fake_page_token(pfn);
		}
	}
}

/* Whether somebody new can reach the page, who must find it clean in data and instruction caches.
 */
static bool has_new_user(const struct spec_page *old, const struct spec_page *new)
{
	if (new->owner == OWNER_CORE || new->is_el2) {
		return false; /* EL2's own accesses are cached */
	}
	return new->owner != old->owner || new->count > old->count ||
	       (new->owner >= OWNER_VM_FIRST &&new->is_shared != old->is_shared);
}

static void check_new_users(const struct spec_page *before, const char *what)
{
	for (u32 i = 0; i < model.spec.page_count; i++) {
		u64 pfn = spec_pfn(&model.spec, i);

		if (has_new_user(&before[i], &model.spec.page[i]) && !fake_page_is_clean(pfn) &&
		    !model_is_written(pfn)) {
			fake_fail("%s: page %#lx has a new user and is dirty in a cache", what,
				  pfn);
		}
	}
}

struct outcome model_step(const struct op *op, const char *what, bool *skipped)
{
	static struct spec_page before[SPEC_PAGES];
	const struct op_kind *kind = &model_ops[op->kind];
	struct written written[WRITERS];
	struct outcome core;
	struct outcome spec;

	*skipped = kind->applies != NULL && !kind->applies(op->arg);
	if (*skipped) {
		return (struct outcome){ 0 };
	}
	memcpy(before, model.spec.page, model.spec.page_count * sizeof(before[0]));
	for (u32 i = 0; i < WRITERS; i++) {
		written[i].pfn = writer_page(i);
		written[i].owner =
			written[i].pfn != 0 ? spec_page(&model.spec, written[i].pfn)->owner : 0;
	}
	fake_calm();
	set_watches();
	set_writers();
	model.cpu = op->cpu;
	fake_cpu_set(op->cpu);
	core = kind->core(op->arg);
	spec = kind->spec(op->arg);
	if (core.status != spec.status || (core.status == 0 && core.value != spec.value)) {
		fake_fail("%s: %s gives status %ld value %#lx, specified %ld %#lx", what,
			  kind->name, core.status, core.value, spec.status, spec.value);
	}
	if (core.status > 0 || core.status < -31 || (kind->statuses & STATUS(core.status)) == 0) {
		fake_fail("%s: %s must not give status %ld", what, kind->name, core.status);
	}
	forgive_writers(written);
	observe_check(&model.spec, true, what);
	check_new_users(before, what);
	return core;
}
