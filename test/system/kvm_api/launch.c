/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a protected VM may start with. After each refusal the host has its memory back, and the same
 * VM starts once its memory holds the signed image again.
 */
#include "vm.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define WORD 0x1122334455667788ull

static const char *device;

static void set_word(struct vm *vm, uint64_t gpa, uint64_t word)
{
	memcpy(vm->ram + (gpa - RAM_BASE), &word, sizeof(word));
}

static uint64_t get_word(struct vm *vm, uint64_t gpa)
{
	uint64_t word;

	memcpy(&word, vm->ram + (gpa - RAM_BASE), sizeof(word));
	return word;
}

/* What a guest reads there, when user space had put WORD there before it started. */
static uint64_t seen_at(const char *where, uint64_t gpa)
{
	struct vm *vm = vm_make(where, 1, PAYLOAD_PEEK, gpa);
	uint64_t seen = ~0ull;

	set_word(vm, gpa, WORD);
	if (vm_next_mmio(vm, 0)) {
		memcpy(&seen, vm->run[0]->mmio.data, sizeof(seen));
	}
	vm_free(vm);
	return seen;
}

static bool contents(void)
{
	const uint64_t elsewhere = RAM_BASE + 0x3000000;
	const uint64_t last = PARAMETER_GPA + PARAMETER_BYTES - RV_PAGE_SIZE;

	return seen_at(device_open, elsewhere) == WORD && seen_at(device, elsewhere) == 0 &&
	       seen_at(device, PARAMETER_GPA) == WORD && seen_at(device, last) == WORD &&
	       seen_at(device, last + RV_PAGE_SIZE) == 0;
}

/* ---- refusals ---- */

static void no_magic(struct vm *vm)
{
	vm->launch->magic ^= 1;
}

static void other_version(struct vm *vm)
{
	vm->launch->version++;
}

static void image_changed(struct vm *vm)
{
	vm->ram[(uint8_t *)vm->launch - vm->ram - RV_PAGE_SIZE] ^= 1;
}

static void manifest_changed(struct vm *vm)
{
	vm->launch->manifest[vm->launch->manifest_bytes - 1] ^= 1;
}

static void signature_changed(struct vm *vm)
{
	vm->launch->signature[0] ^= 1;
}

static void other_owner(struct vm *vm)
{
	vm->launch->owner[31] ^= 1;
}

static void other_entry(struct vm *vm)
{
	vm->launch->entry += 4;
}

static void no_manifest(struct vm *vm)
{
	vm->launch->manifest_bytes = 0;
}

static void manifest_too_long(struct vm *vm)
{
	vm->launch->manifest_bytes = ~0u;
}

static void no_images(struct vm *vm)
{
	vm->launch->image_count = 0;
}

static void too_many_images(struct vm *vm)
{
	vm->launch->image_count = RV_IMAGES_MAX + 1;
}

/* Sets the second of the hints, which the signer filled with the parameters. */
static void hint(struct vm *vm, uint64_t gpa, uint64_t bytes, bool is_parameter)
{
	vm->launch->image_count = 2;
	vm->launch->image[1] = (struct rv_launch_image){ gpa, bytes, is_parameter };
}

static void hint_unaligned(struct vm *vm)
{
	hint(vm, PARAMETER_GPA + 8, RV_PAGE_SIZE, false);
}

static void hint_empty(struct vm *vm)
{
	hint(vm, PARAMETER_GPA, 0, false);
}

static void hint_wraps(struct vm *vm)
{
	hint(vm, PARAMETER_GPA, ~0ull, true);
}

static void hint_beyond_ram(struct vm *vm)
{
	hint(vm, RAM_BASE + RAM_BYTES - RV_PAGE_SIZE, 2 * RV_PAGE_SIZE, false);
}

static void hint_no_ram(struct vm *vm)
{
	hint(vm, DEVICE_BASE, RV_PAGE_SIZE, false);
}

static void hint_twice(struct vm *vm)
{
	hint(vm, RAM_BASE, RV_PAGE_SIZE, false);
}

static void hint_covers_all(struct vm *vm)
{
	hint(vm, RAM_BASE, RAM_BYTES, true);
}

static void image_not_signed(struct vm *vm)
{
	hint(vm, PARAMETER_GPA + PARAMETER_BYTES, RV_PAGE_SIZE, false);
}

static void parameter_not_allowed(struct vm *vm)
{
	set_word(vm, PARAMETER_GPA + PARAMETER_BYTES, WORD);
	hint(vm, PARAMETER_GPA, PARAMETER_BYTES + RV_PAGE_SIZE, true);
}

static void image_missing(struct vm *vm)
{
	set_word(vm, PARAMETER_GPA, WORD);
	vm->launch->image_count = 1;
	vm->launch->image[0] = vm->launch->image[1];
}

static const struct refusal {
	const char *what;
	void (*damage)(struct vm *vm);
	int error;
	uint64_t scrubbed; /* the corevisor had this page and gave it back */
} refusals[] = {
	{ "without a launch page", no_magic, ENOKEY, 0 },
	{ "with a launch page of another version", other_version, ENOKEY, 0 },
	{ "with one byte of its image changed", image_changed, EKEYREJECTED, RAM_BASE },
	{ "with its manifest changed", manifest_changed, EKEYREJECTED, RAM_BASE },
	{ "with its signature changed", signature_changed, EKEYREJECTED, RAM_BASE },
	{ "with another owner", other_owner, EKEYREJECTED, RAM_BASE },
	{ "with another entry", other_entry, EPERM, 0 },
	{ "with an empty manifest", no_manifest, EINVAL, 0 },
	{ "with a manifest beyond the page", manifest_too_long, EINVAL, 0 },
	{ "with no image", no_images, ENOKEY, 0 },
	{ "with too many images", too_many_images, ENOKEY, 0 },
	{ "with an unaligned image", hint_unaligned, EINVAL, 0 },
	{ "with an empty image", hint_empty, EINVAL, 0 },
	{ "with a range that wraps", hint_wraps, EINVAL, 0 },
	{ "with an image that ends behind RAM", hint_beyond_ram, EFAULT, 0 },
	{ "with an image where no RAM is", hint_no_ram, EFAULT, 0 },
	{ "with overlapping images", hint_twice, EBUSY, 0 },
	{ "with parameters all over its RAM", hint_covers_all, EKEYREJECTED, RAM_BASE },
	{ "with an image that is not signed", image_not_signed, EKEYREJECTED, RAM_BASE },
	{ "with parameters where none may be", parameter_not_allowed, EKEYREJECTED, RAM_BASE },
	{ "with its image missing", image_missing, EKEYREJECTED, PARAMETER_GPA },
};

static bool is_refused(const struct refusal *refusal)
{
	struct vm *vm = vm_make(device, 1, PAYLOAD_LOOP, 0x77);
	int status;
	bool ok;

	refusal->damage(vm);
	status = vm_run(vm, 0);
	ok = status == -refusal->error;
	if (!ok) {
		note("KVM_RUN: %d, not %d", status, -refusal->error);
	}
	ok = ok && (refusal->scrubbed == 0 || get_word(vm, refusal->scrubbed) == 0);
	vm_load(vm, PAYLOAD_LOOP, 0x77);
	ok = ok && vm_expect_write(vm, 0, 0, 4, 0x77);
	vm_free(vm);
	return ok;
}

static bool vcpus_are_limited(void)
{
	struct vm *vm = vm_make(device, OWNER_VCPUS + 1, PAYLOAD_LOOP, 0x77);
	bool ok = vm_run(vm, 0) == -EPERM;

	vm_free(vm);
	vm = vm_make(device, OWNER_VCPUS, PAYLOAD_LOOP, 0x77);
	ok = ok && vm_expect_write(vm, 0, 0, 4, 0x77);
	vm_free(vm);
	return ok;
}

/* A page that only begins like one does not stand in the way. */
static bool decoy(void)
{
	struct vm *vm = vm_make(device, 1, PAYLOAD_LOOP, 0x77);
	struct rv_launch *second = vm->launch + 1;
	bool ok;

	*second = *vm->launch;
	vm->launch->version = 99;
	ok = vm_expect_write(vm, 0, 0, 4, 0x77);
	vm_free(vm);
	return ok;
}

void test_launch(void)
{
	static char text[100];

	device = device_protected;
	test_begin("protected: user space puts in the signed image and parameters, nothing else");
	test_end(contents());
	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
		snprintf(text, sizeof(text), "protected: refused %s, then started",
			 refusals[i].what);
		test_begin(text);
		test_end(is_refused(&refusals[i]));
	}
	test_begin("protected: no more vCPUs than the owner allows");
	test_end(vcpus_are_limited());
	test_begin("protected: a page that only looks like a launch page is passed over");
	test_end(decoy());
}
