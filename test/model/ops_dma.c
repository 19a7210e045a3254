/* SPDX-License-Identifier: BSD-3-Clause */
/* Operations on DMA contexts and device pages, and what devices do. */
#include "ops.h"

#include <cv/dma.h>

/* As a slot: the context is for the host itself. */
#define SLOT_HOST (SPEC_VMS + 1)

static u64 handle_of(u64 slot)
{
	return slot == SLOT_HOST ? 0 : model_handle(slot);
}

/* A context, mostly one that has an owner. */
static u64 pick_context(void)
{
	u64 context = pick(SPEC_CONTEXTS);

	if (one_in(40)) {
		return one_in(2) ? RV_DMA_CONTEXTS : ~0ull;
	}
	for (u32 i = 0; i < SPEC_CONTEXTS && !spec_context(&model.spec, context)->is_owned; i++) {
		context = (context + 1) % SPEC_CONTEXTS;
	}
	return context;
}

/* The slot of the context's VM; SPEC_VMS: the host's, or nobody's. */
static u64 slot_of_context(u64 context)
{
	const struct spec_context *found = spec_context(&model.spec, context);

	for (u64 slot = 0; found != NULL && found->vm != 0 && slot < SPEC_VMS; slot++) {
		if (model.spec.vm[slot].handle == found->vm) {
			return slot;
		}
	}
	return SPEC_VMS;
}

/* An iova, and the page that the context's owner has there, mostly. */
static u64 pick_iova(u64 context, u64 *pfn)
{
	u64 slot = slot_of_context(context);
	u64 gfn;

	*pfn = pick_free_pfn();
	if (slot == SPEC_VMS) {
		return one_in(12) ? pick_gfn() : *pfn;
	}
	gfn = pick_backed_gfn(slot);
	if (gfn < SPEC_GFNS && model_vm(slot)->gfn[gfn].pfn != 0 && !one_in(10)) {
		*pfn = model_vm(slot)->gfn[gfn].pfn;
	}
	return gfn;
}

/* An iova that the context maps, mostly, if it maps any. */
static u64 pick_mapped_iova(u64 context)
{
	const struct spec_context *found = spec_context(&model.spec, context);
	u64 slot = pick(SPEC_SLOTS);
	u64 pfn;

	if (found == NULL || found->pages == 0 || one_in(6)) {
		return pick_iova(context, &pfn);
	}
	while (found->pfn[slot] == 0) {
		slot = (slot + 1) % SPEC_SLOTS;
	}
	return found->vm == 0 ? found->pfn[slot] : slot;
}

static bool is_ready(const struct spec_vm *vm)
{
	return vm->state == VM_READY;
}

/* ---- contexts ---- */

void draw_dma_alloc(u64 *arg)
{
	arg[0] = one_in(40) ? RV_DMA_CONTEXTS : pick(SPEC_CONTEXTS);
	arg[1] = one_in(3) ? SLOT_HOST : pick_slot_where(is_ready);
	arg[2] = pick_root();
	if (arg[0] < SPEC_CONTEXTS && !spec_context(&model.spec, arg[0])->is_owned) {
		for (u64 i = pick(5); i > 0; i--) {
			draw_then("dma_topup", (u64[]){ arg[0], pick_free_pfn() }, 2);
		}
		for (u64 i = pick(3); i > 0; i--) {
			u64 pfn;
			u64 iova = pick_iova(arg[0], &pfn);

			draw_then("dma_map", (u64[]){ arg[0], iova, pfn, 1 }, 4);
		}
	}
}

struct outcome core_dma_alloc(const u64 *arg)
{
	return (struct outcome){ .status = dma_alloc(arg[0], handle_of(arg[1]), arg[2]) };
}

struct outcome expect_dma_alloc(const u64 *arg)
{
	return (struct outcome){ .status = spec_dma_alloc(&model.spec, arg[0], handle_of(arg[1]),
							  arg[2]) };
}

void draw_dma_topup(u64 *arg)
{
	arg[0] = pick_context();
	arg[1] = pick_free_pfn();
}

struct outcome core_dma_topup(const u64 *arg)
{
	return (struct outcome){ .status = dma_topup(arg[0], arg[1]) };
}

struct outcome expect_dma_topup(const u64 *arg)
{
	return (struct outcome){ .status = spec_dma_topup(&model.spec, arg[0], arg[1]) };
}

void draw_dma_map(u64 *arg)
{
	arg[0] = pick_context();
	arg[1] = pick_iova(arg[0], &arg[2]);
	arg[3] = one_in(20) ? 0 : 1 + pick(4);
	if (one_in(4)) { /* what a block can be, or nearly */
		arg[1] = align_down(arg[1], PAGES_PER_BLOCK);
		arg[2] = align_down(arg[2], PAGES_PER_BLOCK);
		arg[3] = PAGES_PER_BLOCK - 1 + pick(4);
	}
}

struct outcome core_dma_map(const u64 *arg)
{
	struct outcome out = { 0 };

	out.status = dma_map(arg[0], arg[1], arg[2], arg[3], &out.value);
	return out;
}

struct outcome expect_dma_map(const u64 *arg)
{
	struct outcome out = { 0 };

	out.status = spec_dma_map(&model.spec, arg[0], arg[1], arg[2], arg[3], &out.value);
	return out;
}

void draw_dma_unmap(u64 *arg)
{
	arg[0] = pick_context();
	arg[1] = pick_mapped_iova(arg[0]);
	arg[2] = one_in(20) ? pick(2) - 1 : 1 + pick(4);
	if (one_in(12)) {
		arg[1] = 0;
		arg[2] = GFN_LIMIT;
	}
	if (one_in(6)) {
		arg[1] = align_down(arg[1], PAGES_PER_BLOCK);
		arg[2] = PAGES_PER_BLOCK - 1 + pick(4);
	}
}

struct outcome core_dma_unmap(const u64 *arg)
{
	struct outcome out = { 0 };

	out.status = dma_unmap(arg[0], arg[1], arg[2], &out.value);
	return out;
}

struct outcome expect_dma_unmap(const u64 *arg)
{
	struct outcome out = { 0 };

	out.status = spec_dma_unmap(&model.spec, arg[0], arg[1], arg[2], &out.value);
	return out;
}

void draw_dma_free(u64 *arg)
{
	arg[0] = pick_context();
}

struct outcome core_dma_free(const u64 *arg)
{
	struct outcome out = { 0 };

	out.status = dma_free(arg[0], &out.value);
	return out;
}

struct outcome expect_dma_free(const u64 *arg)
{
	struct outcome out = { 0 };

	out.status = spec_dma_free(&model.spec, arg[0], &out.value);
	return out;
}

/* ---- devices ---- */

void draw_dma_access(u64 *arg)
{
	arg[0] = pick_context() % SPEC_CONTEXTS;
	arg[1] = pick_mapped_iova(arg[0]) % GFN_LIMIT;
	arg[2] = pick(2);
	arg[3] = pick(1000);
}

struct outcome core_dma_access(const u64 *arg)
{
	u64 value;
	bool ok = arg[2] == MEM_READ ? fake_dma_read((u32)arg[0], arg[1] << PAGE_SHIFT, &value)
				     : fake_dma_write((u32)arg[0], arg[1] << PAGE_SHIFT, arg[3]);

	return model_fault_unless(ok);
}

struct outcome expect_dma_access(const u64 *arg)
{
	u64 pfn = spec_dma_maps(&model.spec, arg[0], arg[1]);

	if (pfn != 0 && arg[2] == MEM_WRITE) {
		model_retoken(pfn);
	}
	return model_fault_unless(pfn != 0);
}

void draw_map_io(u64 *arg)
{
	u64 first = model_machine.fake.io_base >> PAGE_SHIFT;

	arg[0] = pick_slot_where(is_ready);
	arg[1] = one_in(40) ? GFN_LIMIT : one_in(3) ? pick(24) : SPEC_GFNS - 1 - pick(24);
	arg[2] = one_in(12) ? (one_in(2) ? first + FAKE_IO_PAGES : pick_pfn())
			    : first + pick(SPEC_IO);
}

struct outcome core_map_io(const u64 *arg)
{
	return (struct outcome){ .status = mem_map_io(model_handle(arg[0]), arg[1], arg[2]) };
}

struct outcome expect_map_io(const u64 *arg)
{
	return (struct outcome){ .status = spec_map_io(&model.spec, model_handle(arg[0]), arg[1],
						       arg[2]) };
}
