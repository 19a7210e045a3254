/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-3-Clause) */
/*
 * What hostvisor offers beside the KVM interface: a protected VM's snapshot as a stream of records.
 * Documented in docs/sealing.md.
 */
#ifndef RAVELIN_HOSTVISOR_H
#define RAVELIN_HOSTVISOR_H

#include <linux/ioctl.h>
#include <ravelin/abi.h>

/*
 * On a VM's file, for CAP_SYS_ADMIN in any process (a VMM's file comes by pidfd_getfd). Each gives
 * a file descriptor. From SAVE's, each read() brings the next record, and needs room for the
 * largest one; 0: that was all. To LOAD's, each write() takes one whole record. The VM runs when
 * the last record was read or taken. When the descriptor is closed before: after SAVE it runs, too;
 * after LOAD it is off, as after a write() that failed.
 *
 * No vCPU may be in KVM_RUN, or have a read of a device unanswered: EBUSY. SAVE: EACCES (the owner
 * does not allow it, or an open VM), ENXIO (does not run). LOAD: EBUSY (runs); write(): EACCES
 * (another owner's), EINVAL (malformed; other RAM, vCPUs or interrupts), EKEYREJECTED (not what the
 * corevisor saved), ECANCELED (the VMM has reset the VM).
 */
#define RAVELIN_SEAL_SAVE _IO('R', 0x60)
#define RAVELIN_SEAL_LOAD _IO('R', 0x61)

/* In this order. */
enum ravelin_seal_kind {
	RAVELIN_SEAL_HEADER = 1, /* struct rv_seal_header */
	RAVELIN_SEAL_HOST = 2,	 /* what the module itself keeps of the VM: its own, unprotected */
	RAVELIN_SEAL_VCPU = 3,	 /* at: index; RAVELIN_SEAL_PAGE_BYTES of ciphertext */
	RAVELIN_SEAL_PAGE = 4,	 /* at: gfn; the same if what has RV_SEAL_BACKED, else nothing */
	RAVELIN_SEAL_END = 5,	 /* as the vCPUs' */
};

/* In front of each content; what a kind does not use is 0. */
struct ravelin_seal_record {
	__u32 kind;
	__u32 bytes; /* of content behind this */
	__u64 at;
	__u64 what;
	__u64 tag[2];
};

#define RAVELIN_SEAL_PAGE_BYTES 4096
#define RAVELIN_SEAL_CONTENT_MAX 32768
#define RAVELIN_SEAL_RECORD_MAX (sizeof(struct ravelin_seal_record) + RAVELIN_SEAL_CONTENT_MAX)

#endif
