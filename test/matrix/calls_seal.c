/* SPDX-License-Identifier: BSD-3-Clause */
/* Snapshots: the subject is the page that the records go through. */
#include "call.h"

#include <cv/seal.h>
#include <string.h>

/* What the specification leaves to be seen where ciphertext is due. */
#define CIPHERTEXT 0xc1f4e7ull

static enum cv_status seen(enum cv_status status, u64 pfn)
{
	const struct spec_page *page = spec_page(&spec, pfn);

	if (page != NULL && page->token == CIPHERTEXT) {
		know(pfn);
	}
	return status;
}

/* ---- saving ---- */

static u64 tag[2]; /* of the last record */

static bool vm_a_has_vcpu(void)
{
	return spec_vm(&spec, vm_a) != NULL &&
	       spec_vm(&spec, vm_a)->vcpu[1].state != SPEC_VCPU_UNUSED;
}

static enum cv_status page_core(u64 vm, u64 pfn, u64 *value)
{
	u64 gfn = 0, what = 0;
	enum cv_status status = seal_save_page(vm, pfn, &gfn, &what, tag);

	*value = gfn ^ what << 32;
	return seen(status, pfn);
}

static enum cv_status page_spec(u64 vm, u64 pfn, u64 *value)
{
	u64 gfn = 0, what = 0;
	enum cv_status status = spec_seal_save_page(&spec, vm, pfn, CIPHERTEXT, &gfn, &what);

	*value = gfn ^ what << 32;
	return status;
}

/* A whole snapshot of VM a through one page; the value mixes all that was said. */
static enum cv_status save_core(u64 pfn, u64 *value)
{
	u64 said = 0, last = 0;
	enum cv_status status = seal_save_begin(vm_a, pfn);

	if (vm_a_has_vcpu() && status == CV_OK) {
		status = seal_save_vcpu(vm_a, 1, pfn, tag);
	}
	while (status == CV_OK && last != RV_SEAL_NO_GFN) {
		u64 what = 0;

		status = seal_save_page(vm_a, pfn, &last, &what, tag);
		said = said * 31 + last + what;
	}
	*value = said;
	return seen(status ?: seal_save_end(vm_a, pfn, tag), pfn);
}

static enum cv_status save_spec(u64 pfn, u64 *value)
{
	u64 said = 0, last = 0;
	enum cv_status status = spec_seal_save_begin(&spec, vm_a, pfn, CIPHERTEXT);

	if (vm_a_has_vcpu() && status == CV_OK) {
		status = spec_seal_save_vcpu(&spec, vm_a, 1, pfn, CIPHERTEXT);
	}
	while (status == CV_OK && last != RV_SEAL_NO_GFN) {
		u64 what = 0;

		status = spec_seal_save_page(&spec, vm_a, pfn, CIPHERTEXT, &last, &what);
		said = said * 31 + last + what;
	}
	*value = said;
	return status ?: spec_seal_save_end(&spec, vm_a, pfn, CIPHERTEXT);
}

CALL(save_begin, seen(seal_save_begin(vm_a, p), p),
     spec_seal_save_begin(&spec, vm_a, p, CIPHERTEXT))
CALL(save_begin_open, seal_save_begin(vm_b, p), spec_seal_save_begin(&spec, vm_b, p, 0))
CALL(save_begin_dead, seal_save_begin(vm_dead, p), spec_seal_save_begin(&spec, vm_dead, p, 0))
CALL(save_vcpu, seen(seal_save_vcpu(vm_a, 1, p, tag), p),
     spec_seal_save_vcpu(&spec, vm_a, 1, p, CIPHERTEXT))
CALL(save_vcpu_none, seal_save_vcpu(vm_a, 2, p, tag), spec_seal_save_vcpu(&spec, vm_a, 2, p, 0))
CALL(save_page, page_core(vm_a, p, &v), page_spec(vm_a, p, &v))
CALL(save_page_dead, page_core(vm_dead, p, &v), page_spec(vm_dead, p, &v))
CALL(save_end_early, seal_save_end(vm_a, p, tag), spec_seal_save_end(&spec, vm_a, p, 0))
CALL(save_all, save_core(p, &v), save_spec(p, &v))
SAME(seal_abort, seal_abort, spec_seal_abort, vm_a)
SAME(seal_abort_dead, seal_abort, spec_seal_abort, vm_dead)

/* ---- loading ---- */

static const u64 no_tag[2]; /* fits no record */

#define WHAT_PAGE (RV_SEAL_BACKED | 1ull << RV_SEAL_PAGES_SHIFT)

static enum cv_status put_header(bool fits)
{
	struct rv_seal_header header = { .magic = RV_SEAL_MAGIC, .version = RV_SEAL_VERSION };

	memcpy(header.owner, owner.words, sizeof(header.owner));
	header.ram_count = fits;
	header.ram[0].pages = RAM_PAGES;
	put(HEADER_PAGE, &header, sizeof(header));
	return CV_OK;
}

/* A new VM, empty, a header that fits it or does not, and a page record that is nobody's. */
static enum cv_status load_core(u64 pfn, bool fits, u64 *vm)
{
	return vm_create(FREE_PAGE, FREE_ROOT, RV_VM_PROTECTED, owner.words, vm)
		       ?: put_header(fits)
		       ?: vm_add_ram(*vm, 0, RAM_PAGES)
		       ?: vm_topup(*vm, FREE_PAGE + 1)
		       ?: vm_topup(*vm, FREE_PAGE + 2)
		       ?: vm_topup(*vm, FREE_PAGE + 3)
		       ?: seal_load_begin(*vm, HEADER_PAGE)
		       ?: seal_load_page(*vm, GFN_FREE, WHAT_PAGE, pfn, no_tag);
}

static enum cv_status load_spec(u64 pfn, enum spec_header header, u64 *vm)
{
	return spec_vm_create(&spec, FREE_PAGE, FREE_ROOT, RV_VM_PROTECTED, owner.words, vm)
		       ?: spec_vm_add_ram(&spec, *vm, 0, RAM_PAGES)
		       ?: spec_vm_topup(&spec, *vm, FREE_PAGE + 1)
		       ?: spec_vm_topup(&spec, *vm, FREE_PAGE + 2)
		       ?: spec_vm_topup(&spec, *vm, FREE_PAGE + 3)
		       ?: spec_seal_load_begin(&spec, *vm, HEADER_PAGE, header)
		       ?: spec_seal_load_page(&spec, *vm, GFN_FREE, WHAT_PAGE, pfn, false, 0);
}

CALL(load_begin_a, seal_load_begin(vm_a, p), spec_seal_load_begin(&spec, vm_a, p, SPEC_HEADER_FITS))
CALL(load_vcpu_a, seal_load_vcpu(vm_a, 1, p, no_tag), spec_seal_load_vcpu(&spec, vm_a, 1, p, NULL))
CALL(load_page_a, seal_load_page(vm_a, GFN_FREE, WHAT_PAGE, p, no_tag),
     spec_seal_load_page(&spec, vm_a, GFN_FREE, WHAT_PAGE, p, false, 0))
CALL(load_page_odd, seal_load_page(vm_a, GFN_FREE, RV_SEAL_BACKED, p, no_tag),
     spec_seal_load_page(&spec, vm_a, GFN_FREE, RV_SEAL_BACKED, p, false, 0))
CALL(load_end_a, seal_load_end(vm_a, p, no_tag), spec_seal_load_end(&spec, vm_a, p, false))
CALL(load_false, load_core(p, true, &v), load_spec(p, SPEC_HEADER_FITS, &v))
CALL(load_differs, load_core(p, false, &v), load_spec(p, SPEC_HEADER_DIFFERS, &v))

const struct call seal_calls[] = {
	ENTRY(save_begin),
	ENTRY(save_begin_open),
	ENTRY(save_begin_dead),
	ENTRY(save_vcpu),
	ENTRY(save_vcpu_none),
	ENTRY(save_page),
	ENTRY(save_page_dead),
	ENTRY(save_end_early),
	ENTRY(save_all),
	ENTRY(seal_abort),
	ENTRY(seal_abort_dead),
	ENTRY(load_begin_a),
	ENTRY(load_vcpu_a),
	ENTRY(load_page_a),
	ENTRY(load_page_odd),
	ENTRY(load_end_a),
	ENTRY(load_false),
	ENTRY(load_differs),
	{ 0 },
};
