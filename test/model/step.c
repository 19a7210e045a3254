/* SPDX-License-Identifier: BSD-3-Clause */
/* One step on both sides, and what must hold after it. */
#include <stdio.h>
#include <string.h>

#include <cv/seal.h>
#include <cv/vcpu.h>

#include "../../arch-fake/fake_vcpu.h"
#include "call_locks.h"
#include "model.h"

#define WATCHED_GFNS 3
#define HOST_WRITERS 2
#define VM_WRITERS SPEC_VMS
#define DEVICES 2
#define WRITERS (HOST_WRITERS + VM_WRITERS + DEVICES)

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

u64 model_seen_token(u64 pfn)
{
	return spec_page(&model.spec, pfn) != NULL ? fake_page_token(pfn) : 0;
}

/* What a writer can write to before a step. */
struct written {
	u64 pfn; /* 0: nothing */
	u32 owner;
};

/* ---- others, who act at every moment of a call ---- */

bool model_has_begun(const struct spec_vm *vm)
{
	return vm != NULL && vm->state != VM_READY && vm->seal.mode == SEAL_NONE;
}

/* The VM with this owner number, NULL: none. */
static const struct spec_vm *vm_of(u32 owner)
{
	for (u32 i = 0; i < SPEC_VMS; i++) {
		if (model.spec.vm[i].handle != 0 &&
		    vm_handle_owner(model.spec.vm[i].handle) == owner) {
			return &model.spec.vm[i];
		}
	}
	return NULL;
}

/*
 * Two pages of the host's, gfn 0 of each VM whose guest may run, and what two DMA contexts have at
 * an address that can be the host's and a VM's.
 */
static void writer_of(u32 writer, u32 *cpu, u32 *vmid, u64 *at)
{
	*cpu = writer % FAKE_CPUS;
	*vmid = OWNER_HOST;
	*at = model_machine.area[0].first + 3 + writer;
	if (writer >= HOST_WRITERS + VM_WRITERS) {
		*cpu = FAKE_SMMU;
		*vmid = S2_VMID_DMA + writer - HOST_WRITERS - VM_WRITERS;
	} else if (writer >= HOST_WRITERS) {
		*vmid = OWNER_VM_FIRST + writer - HOST_WRITERS;
		*at = 0;
	}
}

static void set_writers(void)
{
	for (u32 i = 0; i < WRITERS; i++) {
		u32 cpu;
		u32 vmid;
		u64 at;

		writer_of(i, &cpu, &vmid, &at);
		if (vmid == OWNER_HOST || vmid >= S2_VMID_DMA || model_has_begun(vm_of(vmid))) {
			fake_hostile_writer(cpu, vmid, at << PAGE_SHIFT, 0xbad0000 + i);
		}
	}
}

/* The page of RAM that a writer can write to just now; 0: none. */
static u64 writer_page(u32 writer)
{
	u32 cpu;
	u32 vmid;
	u64 at;
	u64 pfn = 0;

	writer_of(writer, &cpu, &vmid, &at);
	if (vmid == OWNER_HOST) {
		pfn = spec_page(&model.spec, at)->is_host_rw ? at : 0;
	} else if (vmid >= S2_VMID_DMA) {
		pfn = spec_dma_maps(&model.spec, vmid - S2_VMID_DMA, at);
	} else if (model_has_begun(vm_of(vmid))) {
		pfn = vm_of(vmid)->gfn[at].pfn;
	}
	return spec_page(&model.spec, pfn) != NULL ? pfn : 0;
}

/*
 * What is in a page that somebody writes to all the time, nobody knows. But a page that its writer
 * has just lost to another owner and that must be zero now, is; one that went with what was in it
 * need not be.
 */
static void forgive_writers(const struct written *before)
{
	for (u32 i = 0; i < WRITERS; i++) {
		const struct spec_page *page = spec_page(&model.spec, before[i].pfn);
		u64 after = writer_page(i);

		bool is_kept = before[i].pfn - model.kept_first < model.kept_pages;

		if (page != NULL &&
		    (page->token != 0 || is_kept || page->owner == before[i].owner)) {
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
	seal_init((const u8[CRYPTO_KEY_BYTES]){ 1 });
	model_forget_snapshots();
	for (u32 i = 0; i < SPEC_VMS; i++) {
		model.dead[i] = OWNER_VM_FIRST + i; /* generation 0: never given out */
	}
	for (u32 i = 0; i < model.spec.page_count; i++) {
		struct spec_page *page = &model.spec.page[i];

		if (page->owner == OWNER_HOST) {
			u64 pfn = spec_pfn(&model.spec, i);

			fake_poke(pfn, 8, i + 1);
			fake_poke(pfn, PAGE_SIZE - sizeof(u64), i + 1);
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
	return new->owner != old->owner ||
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
	model.kept_pages = 0;
	model.cpu = op->cpu;
	fake_cpu_set(op->cpu);
	fake_lock_log_begin();
	core = kind->core(op->arg);
	call_locks_check(kind->call, core.status);
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
