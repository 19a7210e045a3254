/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A VM with two vCPUs for tests of the guest path (run.c and what it calls). Below the path
 * everything is a double that checks its caller: locks are held where they must be, and what memory
 * answers is what the test says.
 */
#ifndef GUEST_FIXTURE_H
#define GUEST_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "../../arch-fake/fake_vcpu.h"

#include <cv/exception.h>
#include <cv/mem.h>
#include <cv/run.h>
#include <cv/vcpu.h>
#include <cv/vm.h>

#define FIX_HANDLE 0x103ull
#define FIX_RAM_GPA 0x40000000ull
#define FIX_RAM_PAGES 0x1000ull
#define FIX_VCPUS 2
#define FIX_ENTRY (FIX_RAM_GPA + 0x80000)

struct fix {
	struct vm vm;
	struct lock lock;
	bool is_locked;
	struct vcpu vcpu[FIX_VCPUS];
	struct rv_run *run[FIX_VCPUS];
	u64 counter;
	/* what memory answers */
	struct s2_leaf leaf;
	enum cv_status write_status;
	u8 written[PAGE_SIZE];
	ipa_t written_ipa;
	u64 writes;
	enum cv_status wish_status;
	bool has_tables; /* what mem_vm_has_tables() says after NOMEM */
	u64 wish_progress; /* pages one mem_vm_set_wish() does at most */
	enum s2_wish wish_asked;
	bool wish_change_destroyed;
	u64 wish_calls;
	enum s2_wish wish_found;
	u64 wish_found_pages;
	bool has_entropy;
	bool is_stopping; /* the host switches the machine off */
};

extern struct fix fix;

/* cmocka set-up: an open VM, set up, the boot vCPU's entry given. */
int fix_setup(void **state);
int fix_setup_protected(void **state);

/* Runs vCPU 0 and demands success; returns the exit. */
u64 fix_run(void);
/* The same through a script of one exit. */
u64 fix_run_one(u64 esr, u64 far, u64 hpfar);

/* ESR_EL2 of a data abort from a lower level, translation fault at level 3. */
struct fix_access {
	u32 bytes;
	u32 reg;
	bool is_write, is_signed, is_64;
};
u64 fix_dabt(struct fix_access access);
u64 fix_hpfar(u64 ipa);
/* HVC or SMC */
#define FIX_HVC ((EC_HVC64 << ESR_EC_SHIFT) | ESR_IL)
#define FIX_SMC ((EC_SMC64 << ESR_EC_SHIFT) | ESR_IL)

/* Everything of the record that an exit does not disclose is 0; `data` and `ipa` are what is
 * allowed. */
void fix_assert_record(const struct rv_run *run, u32 exit, u64 ipa, u32 bytes, u32 is_write,
		       u64 data);
/* The vCPU is READY, nobody is counted active, no lock is held, nothing is loaded. */
void fix_assert_quiet(void);
/* The vCPU stands at its EL1 vector for a synchronous exception from EL1h, with this ESR_EL1. */
void fix_assert_injected(u64 esr, u64 elr);

#endif
