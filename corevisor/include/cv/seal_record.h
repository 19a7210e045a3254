/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What saving and loading share: the root secret, one snapshot's key, and how a record is bound to
 * its place. Format: docs/sealing.md; what a record holds is the corevisor's own affair, and goes
 * with RV_SEAL_VERSION.
 */
#ifndef CV_SEAL_RECORD_H
#define CV_SEAL_RECORD_H

#include <cv/seal.h>
#include <cv/vcpu.h>
#include <cv/vm.h>

enum seal_kind { SEAL_HEADER = 0, SEAL_VCPU = 1, SEAL_PAGE = 2, SEAL_END = 3 };

/* Which record this is. */
struct seal_place {
	enum seal_kind kind;
	u64 at;	  /* vCPU index or gfn */
	u64 what; /* as SAVE_PAGE tells it; else 0 */
};

/* What a vCPU resumes from; the facts of its last exit, too, which the answer to an access goes by.
 * Not here: what the host says at each run (list registers), what follows from its index. Times are
 * the guest's. */
struct seal_vcpu {
	struct context ctx;
	u64 power; /* enum vcpu_power */
	u64 entry_pc;
	u64 entry_x0;
	struct vcpu_exit exit;
	struct vcpu_pending pending;
	u64 vmcr;
	u64 ap0r[4];
	u64 ap1r[4];
	struct vtimer_state timer;
};
_Static_assert(sizeof(struct seal_vcpu) <= PAGE_SIZE, "a record is one page");

struct seal_end {
	u64 pages;
	u64 records;
	u64 vcpus;
	u8 manifest[CRYPTO_HASH_BYTES];
	u8 set[CRYPTO_HASH_BYTES]; /* of all records before */
};

/* The header of a snapshot of this VM, without time and epoch. */
void seal_header_make(const struct vm *vm, struct rv_seal_header *header) CV_REQUIRES(vm->lock);
/* Whether seal_begin() can be called. Errors: NOENTROPY, NOMEM. */
CV_MUST_USE enum cv_status seal_begin_check(struct vm *vm) CV_REQUIRES(vm->lock);
/* A snapshot begins: key, and the page for records. */
void seal_begin(struct vm *vm, enum seal_mode mode, const struct rv_seal_header *header)
	CV_REQUIRES(vm->lock);
/* It ends: the key is gone. */
void seal_finish(struct vm *vm) CV_REQUIRES(vm->lock);
/* The page for records, private; all of it may be written. */
void *seal_scratch(const struct vm *vm) CV_REQUIRES(vm->lock);
/* Whether this kind of record, and this vCPU's, comes next. */
bool seal_is_turn(const struct vm *vm, enum seal_mode mode, const struct seal_place *place)
	CV_REQUIRES(vm->lock);
/* What the last record says; the same for who saves and who loads. */
void seal_end_make(const struct vm *vm, struct seal_end *end) CV_REQUIRES(vm->lock);

/*
 * How calls that read or write a page of the host begin. Errors: NOENT (VM, vCPU), RANGE, STATE
 * (not its turn; page not the host's alone). Post: OK: the VM is locked, the page pinned, until
 * seal_leave().
 */
CV_MUST_USE enum cv_status seal_enter(u64 handle, enum seal_mode mode,
				      const struct seal_place *place, u64 pfn,
				      struct vm **vm) CV_NO_LOCK_ANALYSIS;
void seal_leave(struct vm *vm, u64 pfn) CV_RELEASE(vm->lock);

/* Makes the next record of what is in the private page: encrypted in the pinned page of the host,
 * counted. A gfn that is not backed has no content. */
void seal_write(struct vm *vm, const struct seal_place *place, u64 pfn, u64 tag[2])
	CV_REQUIRES(vm->lock);
/* Decrypts `page` in place; false, and the page zeroed, if it is not the next record of this
 * snapshot. Counts nothing yet. */
CV_MUST_USE bool seal_open(const struct seal *seal, const struct seal_place *place, void *page,
			   const u64 tag[2]);
void seal_count(struct seal *seal, const struct seal_place *place, const u64 tag[2]);

#endif
