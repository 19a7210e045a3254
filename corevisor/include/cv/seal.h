/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Sealed snapshots: a protected VM's vCPUs and pages as records that only a corevisor with the same
 * root secret can open. Guarantees: the VM is frozen from the first record to the last; the core
 * itself decides what the next record is, the host is a scribe; a record opens only at its place in
 * its own snapshot; nothing runs before the last record said that all were there; no nonce is used
 * twice. Seed: save/load_encrypted_vcpu, save_encrypt_buf, load_decrypt_buf, is_inc_exe (reference
 * 16.2), with a key per snapshot and gpa, place and identity bound (19.9). docs/sealing.md.
 */
#ifndef CV_SEAL_H
#define CV_SEAL_H

#include <cv/crypto.h>
#include <cv/status.h>
#include <cv/types.h>
#include <ravelin/abi.h>

enum seal_mode { SEAL_NONE, SEAL_SAVING, SEAL_LOADING };

/* A VM's snapshot under way, in its record; zero: none. */
struct seal {
	enum seal_mode mode;
	u8 key[CRYPTO_KEY_BYTES];
	struct rv_seal_header header;
	pfn_t scratch;		/* a page of the VM's tables; records are made and opened in it */
	u64 records;		/* so far: the next nonce */
	u32 next_vcpu;		/* the smallest index not yet dealt with */
	gfn_t next_gfn;		/* likewise */
	bool is_complete;	/* saving: the last gfn was seen */
	u64 pages;		/* with content, so far */
	struct crypto_hash set; /* of all records' places and tags */
};

/* Boot. NULL: the platform has no root secret; a random one lives until the next boot. */
void seal_init(const u8 secret[CRYPTO_KEY_BYTES]);
/* The machine ends: no secret stays. */
void seal_forget(void);

/* The calls of abi.h, arguments unchecked. tag: two words as in registers. */
CV_MUST_USE enum cv_status seal_save_begin(u64 handle, u64 pfn);
CV_MUST_USE enum cv_status seal_save_vcpu(u64 handle, u64 index, u64 pfn, u64 tag[2]);
CV_MUST_USE enum cv_status seal_save_page(u64 handle, u64 pfn, u64 *gfn, u64 *what, u64 tag[2]);
CV_MUST_USE enum cv_status seal_save_end(u64 handle, u64 pfn, u64 tag[2]);
CV_MUST_USE enum cv_status seal_abort(u64 handle);
CV_MUST_USE enum cv_status seal_load_begin(u64 handle, u64 pfn);
CV_MUST_USE enum cv_status seal_load_vcpu(u64 handle, u64 index, u64 pfn, const u64 tag[2]);
CV_MUST_USE enum cv_status seal_load_page(u64 handle, u64 gfn, u64 what, u64 pfn, const u64 tag[2]);
CV_MUST_USE enum cv_status seal_load_end(u64 handle, u64 pfn, const u64 tag[2]);

#endif
