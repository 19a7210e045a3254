/* SPDX-License-Identifier: BSD-3-Clause */
#include "guest_fixture.h"

#include <cv/check.h>
#include <cv/host_psci.h>
#include <cv/rng.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

struct fix fix;

/* ---- doubles ---- */

_Noreturn void panic_check(const char *what, const char *file, int line)
{
	fprintf(stderr, "CV_CHECK(%s) failed at %s:%d\n", what, file, line);
	abort();
}

void lock_acquire(struct lock *lock)
{
	assert_ptr_equal(lock, &fix.lock);
	assert_false(fix.is_locked);
	fix.is_locked = true;
}

void lock_release(struct lock *lock)
{
	assert_ptr_equal(lock, &fix.lock);
	assert_true(fix.is_locked);
	fix.is_locked = false;
}

struct vm *vm_lock(u64 handle)
{
	if (handle != FIX_HANDLE) {
		return NULL;
	}
	lock_acquire(fix.vm.lock);
	return &fix.vm;
}

void vm_unlock(struct vm *vm)
{
	lock_release(vm->lock);
}

u64 vm_ram_end(const struct vm *vm, gfn_t gfn)
{
	for (u32 i = 0; i < vm->ram_count; i++) {
		if (gfn.v - vm->ram[i].first.v < vm->ram[i].pages) {
			return vm->ram[i].first.v + vm->ram[i].pages;
		}
	}
	return 0;
}

u64 vm_ram_next(const struct vm *vm, gfn_t gfn)
{
	u64 next = GFN_LIMIT;

	for (u32 i = 0; i < vm->ram_count; i++) {
		if (vm->ram[i].first.v > gfn.v) {
			next = min_u64(next, vm->ram[i].first.v);
		}
	}
	return next;
}

bool vm_is_ram(const struct vm *vm, gfn_t gfn)
{
	return vm_ram_end(vm, gfn) != 0;
}

struct s2_leaf s2_walk(const struct s2 *s2, gfn_t gfn)
{
	(void)s2;
	assert_true(fix.is_locked);
	assert_true(vm_is_ram(&fix.vm, gfn));
	return fix.leaf;
}

enum cv_status mem_vm_set_wish(struct vm *vm, gfn_t *gfn, gfn_t end, enum s2_wish wish,
			       bool change_destroyed)
{
	assert_true(fix.is_locked);
	assert_ptr_equal(vm, &fix.vm);
	assert_true(gfn->v < end.v);
	fix.wish_calls++;
	fix.wish_asked = wish;
	fix.wish_change_destroyed = change_destroyed;
	if (fix.wish_status == CV_OK) {
		*gfn = gfn_make(min_u64(end.v, gfn->v + fix.wish_progress));
	}
	return fix.wish_status;
}

bool mem_vm_has_tables(struct vm *vm, gfn_t gfn, u32 level)
{
	assert_true(fix.is_locked);
	assert_true(vm_is_ram(vm, gfn));
	assert_int_equal(level, 3);
	return fix.has_tables;
}

enum s2_wish mem_vm_get_wish(struct vm *vm, gfn_t gfn, gfn_t end, gfn_t *same_until)
{
	assert_true(fix.is_locked);
	assert_true(vm_is_ram(vm, gfn));
	*same_until = gfn_make(min_u64(end.v, gfn.v + fix.wish_found_pages));
	return fix.wish_found;
}

enum cv_status mem_vm_write(struct vm *vm, ipa_t ipa, const void *data, u64 bytes)
{
	(void)vm;
	assert_true(fix.is_locked);
	assert_in_range(bytes, 1, PAGE_SIZE);
	fix.writes++;
	if (fix.write_status == CV_OK) {
		/* One page of the guest's, wherever the core writes into it. */
		fix.written_ipa = ipa_make(align_down(ipa.v, PAGE_SIZE));
		memcpy(fix.written + ipa.v % PAGE_SIZE, data, bytes);
	}
	return fix.write_status;
}

u64 arch_counter(void)
{
	return fix.counter;
}

bool host_psci_is_stopping(void)
{
	return fix.is_stopping;
}

bool rng_is_ready(void)
{
	return fix.has_entropy;
}

bool rng_bytes(void *out, u64 bytes)
{
	memset(out, 0x5a, bytes);
	return fix.has_entropy;
}

/* ---- the VM ---- */

static struct rv_run *run_page(u32 index)
{
	static void *pages[FIX_VCPUS];

	if (pages[index] == NULL) {
		pages[index] = mmap(NULL, PAGE_SIZE, PROT_READ | PROT_WRITE,
				    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		assert_ptr_not_equal(pages[index], MAP_FAILED);
	}
	memset(pages[index], 0, PAGE_SIZE);
	return pages[index];
}

int fix_setup(void **state)
{
	(void)state;
	fake_vcpu_reset();
	memset(&fix, 0, sizeof(fix));
	fix.counter = 1000000;
	fix.wish_progress = ~0ull >> 1;
	fix.wish_found_pages = ~0ull >> 1;
	fix.leaf = (struct s2_leaf){ .level = 3 };
	fix.has_entropy = true;
	fix.vm.lock = &fix.lock;
	fix.vm.handle = FIX_HANDLE;
	fix.vm.ram_count = 1;
	fix.vm.ram[0] = (struct vm_ram){ gfn_make(FIX_RAM_GPA >> PAGE_SHIFT), FIX_RAM_PAGES };
	for (u32 i = 0; i < FIX_VCPUS; i++) {
		struct vcpu *vcpu = &fix.vcpu[i];

		fix.run[i] = run_page(i);
		*vcpu = (struct vcpu){
			.vm = &fix.vm, .index = i, .mpidr = vcpu_mpidr(i), .run = fix.run[i]
		};
		fix.vm.vcpus[i] = vcpu;
	}
	fix.vm.vcpu_count = FIX_VCPUS;
	fix.vm.state = VM_VERIFIED;
	fix.vm.cntvoff = fix.counter;
	fix.vm.entry = FIX_ENTRY;
	assert_int_equal(vcpu_boot(FIX_HANDLE, 0, FIX_ENTRY, 0x1234), CV_OK);
	return 0;
}

int fix_setup_protected(void **state)
{
	int result = fix_setup(state);

	fix.vm.is_protected = true;
	return result;
}

u64 fix_run(void)
{
	u64 exit = ~0ull;

	assert_int_equal(run_vcpu(FIX_HANDLE, 0, &exit), CV_OK);
	assert_int_equal(exit, fix.run[0]->exit);
	fix_assert_quiet();
	return exit;
}

u64 fix_run_one(u64 esr, u64 far, u64 hpfar)
{
	fake_vcpu_add((struct fake_step){ ARCH_EVENT_SYNC, esr, far, hpfar, NULL });
	return fix_run();
}

u64 fix_dabt(struct fix_access access)
{
	u64 sas = access.bytes == 8 ? 3 : access.bytes == 4 ? 2 : access.bytes == 2 ? 1 : 0;

	return (EC_DABT_LOWER << ESR_EC_SHIFT) | ESR_IL | ESR_ISV | sas << 22 |
	       (u64)access.is_signed << 21 | (u64)access.reg << 16 | (u64)access.is_64 << 15 |
	       (access.is_write ? ESR_WNR : 0) | 0x07;
}

u64 fix_hpfar(u64 ipa)
{
	return ipa >> PAGE_SHIFT << 4;
}

void fix_assert_record(const struct rv_run *run, u32 exit, u64 ipa, u32 bytes, u32 is_write,
		       u64 data)
{
	static const struct rv_regs no_regs;

	assert_int_equal(run->exit, exit);
	assert_int_equal(run->ipa, ipa);
	assert_int_equal(run->bytes, bytes);
	assert_int_equal(run->is_write, is_write);
	assert_int_equal(run->data, data);
	assert_int_equal(run->reserved0, 0);
	assert_int_equal(run->reserved1, 0);
	for (u32 i = 0; i < ARRAY_SIZE(run->reserved2); i++) {
		assert_int_equal(run->reserved2[i], 0);
	}
	assert_int_equal(run->cntvoff, fix.vm.cntvoff);
	assert_memory_equal(&run->regs, &no_regs, sizeof(no_regs));
}

void fix_assert_quiet(void)
{
	assert_false(fix.is_locked);
	assert_null(fake_vcpu.loaded);
	assert_int_equal(fake_vcpu.loads, fake_vcpu.puts);
	assert_int_equal(fix.vm.active_count, 0);
	for (u32 i = 0; i < FIX_VCPUS; i++) {
		assert_int_equal(fix.vcpu[i].run_state, VCPU_READY);
	}
}

void fix_assert_injected(u64 esr, u64 elr)
{
	const struct context *ctx = &fix.vcpu[0].ctx;

	assert_int_equal(ctx->sysreg[CTX_ESR_EL1], esr);
	assert_int_equal(ctx->sysreg[CTX_ELR_EL1], elr);
	assert_int_equal(ctx->pc, (ctx->sysreg[CTX_VBAR_EL1] & ~0x7ffull) + 0x200);
	assert_int_equal(ctx->pstate & 0x3df, 0x3c5);
}
