/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-3-Clause) */
/*
 * The calls between the host (EL1, untrusted) and the corevisor (EL2).
 *
 * Every call is an SMCCC 1.2 fast HVC64 in the vendor-specific hypervisor range: x0 = id, x1.. =
 * arguments; on return x0 = a status (enum rv_status, 0 or negative), x1.. = results, valid only on
 * RV_OK. Units: a pfn is a host physical address / 4096, a gfn is a guest physical address (IPA) /
 * 4096. A refused call changes nothing.
 *
 * At each call: its arguments; "->" its results; "Errors:", of which the first that applies is the
 * answer; "Locks:" that a success takes, [those] only sometimes, by the names and in the order of
 * docs/locking.md (a refusal takes none but these, and may take fewer); "Seed:" the primitives of
 * KCore that it stands for (docs/seed-map.md).
 *
 * This header compiles in the kernel, in user space and in assembly-free freestanding C.
 */
#ifndef RAVELIN_ABI_H
#define RAVELIN_ABI_H

#ifdef __KERNEL__
#include <linux/types.h>
#elif !defined(_LINUX_TYPES_H) /* Linux' own, of another type, in user space */
#include <stdint.h>
typedef uint64_t __u64;
typedef uint32_t __u32;
typedef uint16_t __u16;
typedef uint8_t __u8;
#endif

/* The module refuses to work with another major number; a larger minor number only adds calls. */
#define RV_ABI_MAJOR 2
#define RV_ABI_MINOR 0

#define RV_PAGE_SHIFT 12
#define RV_PAGE_SIZE 4096
/* No call works on more pages than this; the caller goes on where the call stopped. */
#define RV_BATCH_PAGES 512

enum rv_status {
	RV_OK = 0,
	RV_E_NOT_SUPPORTED = -1, /* unknown call (the SMCCC value) */
	RV_E_INVALID = -2,	 /* malformed: unknown flag, misaligned, count 0 or too large */
	RV_E_RANGE = -3,	 /* an address is not RAM, or outside the VM's RAM ranges */
	RV_E_NOENT = -4,	 /* no such VM, vCPU or mapping */
	RV_E_STATE = -5,	 /* the state or owner of the page, VM or vCPU forbids this */
	RV_E_BUSY = -6,		 /* in use just now (vCPU running, gfn taken): may succeed later */
	RV_E_NOMEM = -7,	 /* table page needed: RV_VM_TOPUP or RV_POOL_TOPUP, try again */
	RV_E_PERM = -8,		 /* this kind of VM, or its owner's policy, does not allow this */
	RV_E_NOENTROPY = -9,	 /* no entropy source: no protected VMs on this machine */
	RV_E_AUTH = -10,	 /* not what the owner signed, or not what the corevisor sealed */
};

/* ---- Identification (vendor-specific hypervisor service, SMCCC section 6) ---- */
#define RV_HVC_UID 0x8600ff01u /* -> w0..w3: the UUID below, as SMCCC lays it out */
#define RV_UID_0 0x5c3ba21au
#define RV_UID_1 0x4f9e7d46u
#define RV_UID_2 0x8b6ad19cu
#define RV_UID_3 0x7265766cu

#define RV_HVC(n) (0xc6000000u | (n))

/* -> x1 = major << 16 | minor, x2 = enum rv_features, x3 = list registers of the vGIC, x4 = IPA
 * bits of VMs, x5 = largest number of vCPUs of a VM, x6 = size of a vCPU record in pages, x7 = size
 * of a VM record in pages. Errors: none.
 * Locks: none. Seed: none. */
#define RV_VERSION RV_HVC(0x100)
enum rv_features {
	RV_FEAT_DMA_CONTAINED = 1 << 0, /* devices cannot reach protected pages: the SMMU is ours */
	RV_FEAT_ENTROPY = 1 << 1,
};

/* (pfn): the corevisor takes one host page for its own tables (host stage 2, its own map). It keeps
 * it. The first page of a 2 MiB region may itself cost up to 5 tables, its neighbours none: give
 * runs of neighbours, before the last tables are gone. Errors: RANGE, STATE, NOMEM (not even this
 * page's own tables are left: try one of another region).
 * Locks: LEDGER, [HOST_UPPER], HYP_MAP, POOL. Seed: none. */
#define RV_POOL_TOPUP RV_HVC(0x101)

/* ---- VMs ---- */
/* A VM is READY (being built), VERIFIED (may run), POWEROFF (never runs again) and then gone. */

/* (record pfn, root pfn, flags, owner0, owner1, owner2, owner3): takes the VM record pages (x7 of
 * RV_VERSION, consecutive, any alignment) and 2 root table pages (consecutive, 8 KiB aligned) from
 * the host; the VM is READY. owner0..3: for a protected VM the SHA-256 of its owner's public key
 * (SEC1 uncompressed point), bytes 0-7 in owner0, little endian; fixed for the VM's life. Open VMs:
 * 0. -> x1 = VM handle (never 0, never used twice in a boot). Errors: INVALID, NOENTROPY (protected
 * only), RANGE, STATE, BUSY (no free VM slot), NOMEM.
 * Locks: VM_SLOTS, VM, LEDGER, [HOST_UPPER], HYP_MAP, [POOL], [RNG]. Seed: register_kvm. */
#define RV_VM_CREATE RV_HVC(0x110)
enum rv_vm_flags {
	RV_VM_PROTECTED = 1 << 0, /* else an open VM */
};
/* (vm, pfn): gives the VM a page for its tables. Errors: NOENT, RANGE, STATE (also: the VM is
 * off), NOMEM (RV_POOL_TOPUP).
 * Locks: VM, LEDGER, [HOST_UPPER], HYP_MAP, POOL. Seed: none. */
#define RV_VM_TOPUP RV_HVC(0x111)
/* (vm, first gfn, pages): declares a range of guest RAM; ranges may not overlap; at most
 * RV_RAM_RANGES. Errors: INVALID, NOENT, RANGE (beyond the IPA space), STATE (not READY), BUSY
 * (overlaps a range or a device page / too many; with device pages, also: a range with more than
 * 4096 entries of the VM's tables in it).
 * Locks: VM. Seed: none. */
#define RV_VM_ADD_RAM RV_HVC(0x112)
#define RV_RAM_RANGES 8
/* (vm): the VM is off; running vCPUs leave at their next exit. Idempotent. Errors: NOENT.
 * Locks: VM. Seed: set_vm_poweroff. */
#define RV_VM_KILL RV_HVC(0x113)
/* (vm): gives back every page that was donated for records and tables, scrubbed, at most
 * RV_BATCH_PAGES at a time.
 * -> x1 = pages still held: call until 0; with 0 the handle is dead.
 * Errors: NOENT, STATE (not off), BUSY (a vCPU is running, guest pages are not reclaimed, or the VM
 * has DMA contexts).
 * Locks: [VM_SLOTS], VM, LEDGER, HYP_MAP, [POOL]. Seed: none. */
#define RV_VM_DESTROY RV_HVC(0x114)
/* (vm, launch pfn): READY -> VERIFIED. Open VM: launch pfn is ignored. Protected VM: the page holds
 * struct rv_launch; the host loses it while it is read. The owner's key, the signature over the
 * manifest, and every image are checked.
 * -> x1 = 0: the VM is VERIFIED. x1 > 0: the check failed and so many image pages are still to
 * be given back, at most RV_BATCH_PAGES were; call again until RV_E_AUTH, with which every image
 * page is the host's again, scrubbed, the VM has no images and is READY as before.
 * Errors: NOENT, RANGE, STATE (not READY, being loaded, no image; page not the host's alone), BUSY
 * (an image is not complete), NOMEM, INVALID (struct rv_launch is malformed), AUTH, PERM (more
 * vCPUs than the owner allows). Errors but AUTH change nothing.
 * Locks: VM, [LEDGER], [HOST_UPPER], [HYP_MAP], [POOL]. Seed: verify_and_load_images. */
#define RV_VM_VERIFY RV_HVC(0x115)
/* (vm, gfn, pfn): a device page becomes the VM's at gfn, outside its RAM, and leaves the host until
 * RV_MEM_RECLAIM. Which device pages may go is the platform's list. Errors: NOENT, RANGE (gfn is
 * RAM or beyond the IPA space), PERM (pfn is RAM, or not on the list), STATE (VM not READY, or
 * being loaded; page not the host's), BUSY (gfn taken), NOMEM (RV_VM_TOPUP or RV_POOL_TOPUP).
 * Locks: VM, HOST_UPPER, POOL. Seed: map_io. */
#define RV_VM_MAP_IO RV_HVC(0x116)
/* (vm, what): -> x1..x4 = 32 bytes, as owner0..3 above. Errors: INVALID, NOENT, PERM (open VM),
 * STATE (manifest: not VERIFIED).
 * Locks: VM. Seed: none. */
#define RV_VM_MEASURE RV_HVC(0x117)
enum rv_measure {
	RV_MEASURE_OWNER = 0,	 /* SHA-256 of the owner's public key */
	RV_MEASURE_MANIFEST = 1, /* SHA-256 of the signed manifest */
};

/* ---- Images: what a protected VM starts with ---- */
#define RV_IMAGES_MAX 5
/* (vm, gpa, bytes): names an image; gpa page aligned. -> x1 = index. Errors: INVALID (bytes 0, gpa
 * unaligned), NOENT, PERM (open VM), RANGE (not inside one range of the VM's RAM), STATE (not
 * READY, being loaded, or a failed check is being undone), BUSY (overlaps another image / too
 * many).
 * Locks: VM. Seed: set_boot_info. */
#define RV_IMAGE_ADD RV_HVC(0x118)
/* (vm, index, pfn, pages): the next pages of an image, in order: each leaves the host, then is
 * hashed; bytes behind the image's end become 0. -> x1 = pages taken (>= 1 on RV_OK). Errors, for
 * the first page: INVALID (pages 0), NOENT (VM or image), RANGE (pfn not RAM), STATE (not READY,
 * being loaded or undone, image complete, page not the host's alone), BUSY (gfn already backed),
 * NOMEM.
 * Locks: VM, LEDGER, [HOST_UPPER], [POOL]. Seed: remap_vm_image. */
#define RV_IMAGE_MAP RV_HVC(0x119)

/*
 * One page: what a VM's owner signed, and how to launch it. `ravelin sign` makes it; it travels
 * behind the guest's image, so any VMM delivers it. Only `manifest` is signed, over its exact
 * bytes; owner, key and signature are checked against it, and the hints (entry, image) are for
 * whoever feeds the images: the corevisor does not read them.
 */
#define RV_LAUNCH_MAGIC 0x48434e55414c5652ull /* "RVLAUNCH" */
#define RV_LAUNCH_VERSION 1
#define RV_LAUNCH_MANIFEST_MAX 3712
enum rv_curve {
	RV_CURVE_P256 = 256, /* ECDSA on P-256, SHA-256 */
	RV_CURVE_P384 = 384, /* ECDSA on P-384, SHA-384 */
};
struct rv_launch_image {
	__u64 gpa;
	__u64 bytes;
	__u64 is_parameter; /* unsigned data of the host */
};
struct rv_launch {
	__u64 magic;
	__u32 version;
	__u32 curve;	      /* enum rv_curve */
	__u32 manifest_bytes; /* 1 .. RV_LAUNCH_MANIFEST_MAX */
	__u32 image_count;
	__u64 entry;
	__u8 owner[32];	     /* SHA-256 of 0x04, x, y: what RV_VM_CREATE wants */
	__u8 public_key[96]; /* x, y: curve / 8 bytes each, big endian; then 0 */
	__u8 signature[96];  /* r, s: likewise */
	struct rv_launch_image image[RV_IMAGES_MAX];
	__u64 reserved;
	__u8 manifest[RV_LAUNCH_MANIFEST_MAX]; /* a DTB: docs/launch.md */
};

/* ---- Guest memory ---- */
/* (vm, gfn, pfn, pages): host RAM becomes the guest's. -> x1 = pages taken (>= 1 on RV_OK, may be
 * fewer than asked: go on with the rest). Protected VM: the page leaves the host ("donate"), unless
 * the guest has declared the gfn shared, and arrives zeroed. 512 pages, both ends aligned to 2 MiB,
 * all the host's alone and none of the gfns backed or declared, go as one block; a call ends before
 * 512 pages that may be one, so that the next begins with them. Open VM: the page
 * stays the host's, content and all, and is shared with the VM ("share"); it is pinned until
 * reclaimed; other VMs may share it, too. A gfn the guest has declared destroyed gets STATE.
 * Errors: INVALID, NOENT, STATE (the VM is being loaded), BUSY (it is being saved); for the first
 * page: RANGE (gfn outside the VM's RAM, pfn not RAM), STATE (the VM is off, or the page is not the
 * host's alone), BUSY (gfn already backed), NOMEM.
 * Locks: VM, LEDGER, [HOST_UPPER], [POOL]. Seed: assign_pfn_to_vm, assign_smmu. */
#define RV_MEM_MAP RV_HVC(0x120)
/* (vm, first gfn, pages): takes back what backs these gfns: unmapped from the VM, scrubbed
 * (protected), returned to the host; device pages too. pages may be any number; at most
 * RV_BATCH_PAGES pages are *returned* a call; unbacked gfns are skipped quickly. What the VM has as
 * a block goes back as a whole, even if only a part of it is named.
 * -> x1 = first gfn not yet dealt with (== first + pages when done).
 * Errors: INVALID, NOENT, STATE (protected VM that is not off), BUSY (protected: a vCPU is running,
 * or the VM's pages are mapped for DMA).
 * Locks: VM, [LEDGER], [HOST_UPPER], [POOL]. Seed: clear_vm_stage2_range. */
#define RV_MEM_RECLAIM RV_HVC(0x121)

/* ---- vCPUs ---- */
/* (vm, index, record pfn, run pfn): takes the record pages (x6 of RV_VERSION, consecutive); the run
 * page (struct rv_run) stays the host's and is pinned until the VM is destroyed. index < x5 of
 * RV_VERSION; the vCPU's MPIDR_EL1 is Aff0 = index & 15, Aff1 = index >> 4. Index 0 is the boot
 * vCPU, the others are powered off until the guest's CPU_ON. Errors: INVALID, NOENT, RANGE, STATE
 * (VM not READY, page not the host's alone), BUSY (exists), NOMEM (RV_POOL_TOPUP).
 * Locks: VM, LEDGER, [HOST_UPPER], HYP_MAP, [POOL]. Seed: register_vcpu. */
#define RV_VCPU_CREATE RV_HVC(0x130)
/* (vm, index, pc, x0): where the boot vCPU starts (EL1h, MMU off, DAIF masked, x1-x3 = 0).
 * Errors: NOENT, STATE (VM not VERIFIED, or the vCPU has run or was restored), INVALID (not the
 * boot vCPU, pc unaligned), PERM (protected: pc is not the entry that the owner signed), BUSY (the
 * VM is being saved).
 * Locks: VM. Seed: search_load_info. */
#define RV_VCPU_BOOT RV_HVC(0x131)
/* (vm, index): runs the vCPU on this CPU until something is for the host; struct rv_run tells what.
 * Interrupts of the host end the run (RV_EXIT_IRQ). -> x1 = enum rv_exit. Errors: NOENT, STATE (VM
 * not VERIFIED, vCPU powered off, no boot state, host in streaming SVE mode), BUSY (runs elsewhere,
 * or the VM is being saved), INVALID (struct rv_run's input is malformed).
 * Locks: VM, [LEDGER], [POOL], [RNG].
 * Seed: set_vcpu_active, set_vcpu_inactive; for each exit that tells the host something:
 * save_shadow_kvm_regs, restore_shadow_kvm_regs. */
#define RV_VCPU_RUN RV_HVC(0x132)
/* (vm, index): writes the registers of an open VM's vCPU to rv_run.regs. Errors: NOENT, PERM
 * (protected), BUSY.
 * Locks: VM. Seed: none. */
#define RV_VCPU_READ_REGS RV_HVC(0x133)

/* ---- DMA: tables that an SMMU walks; docs/states.md ---- */
/* A DMA context is a table of its own (seed: a bank of an SMMU). The host's contexts map host pages
 * at their own address, and pin them; a VM's map that VM's pages at their gfn, and keep them from
 * being reclaimed (an open VM's pages are the host's: pinned, too). 0 stands for the host where a
 * VM is named. A VM's contexts grow only while it is READY, and neither shrink nor go while it is
 * VERIFIED. */
#define RV_DMA_CONTEXTS 64
/* (context, vm, root pfn): takes 2 root table pages (consecutive, 8 KiB aligned); the context is
 * empty. Errors: INVALID (context, root unaligned), NOENT, RANGE, STATE (page not the host's alone;
 * VM not READY, or being loaded), BUSY (the context has an owner), NOMEM (RV_POOL_TOPUP).
 * Locks: DMA, [VM], LEDGER, [HOST_UPPER], HYP_MAP, [POOL]. Seed: alloc_smmu. */
#define RV_DMA_ALLOC RV_HVC(0x140)
/* (context, pfn): a page for its tables. Errors: INVALID, NOENT (no owner), RANGE, STATE (page not
 * the host's alone; VM not READY, or being loaded), NOMEM (RV_POOL_TOPUP).
 * Locks: DMA, [VM], LEDGER, [HOST_UPPER], HYP_MAP, POOL. Seed: none. */
#define RV_DMA_TOPUP RV_HVC(0x141)
/* (context, iova / 4096, pfn, pages): -> x1 = pages mapped, as RV_MEM_MAP. 512 pages, both numbers
 * aligned to 2 MiB, go as one block if all of them may and the context has no table for single
 * pages there; a call ends before 512 pages that may be one. Errors, for the first page: INVALID
 * (context, pages 0), NOENT, RANGE (pfn not RAM, iova beyond the IPA space), STATE (VM not READY,
 * or being loaded; not the owner's page, not at its own address, or an image's), BUSY (iova is
 * mapped; the page's count is full), NOMEM (RV_DMA_TOPUP).
 * Locks: DMA, [VM], LEDGER, POOL. Seed: map_smmu (assign_smmu is RV_MEM_MAP). */
#define RV_DMA_MAP RV_HVC(0x142)
/* (context, iova / 4096, pages): at most RV_BATCH_PAGES are unmapped a call, what is not mapped is
 * skipped quickly. A part of a block can be unmapped once the block has become pages: that takes a
 * table, and for a moment no device reaches any of it. -> x1 = first iova / 4096 not yet dealt
 * with. Errors, for what comes first: INVALID (context, pages 0, beyond the IPA space), NOENT,
 * STATE (VM VERIFIED), NOMEM (part of a block: RV_DMA_TOPUP, or name all of it).
 * Locks: DMA, [VM], [LEDGER], [POOL]. Seed: clear_smmu. */
#define RV_DMA_UNMAP RV_HVC(0x143)
/* (context): gives its tables back, scrubbed, at most RV_BATCH_PAGES a call. -> x1 = pages still
 * held; with 0 the context has no owner. Errors: INVALID, NOENT, STATE (VM VERIFIED), BUSY (it maps
 * pages).
 * Locks: DMA, [VM], LEDGER, HYP_MAP, [POOL]. Seed: el2_free_smmu_pgd. */
#define RV_DMA_FREE RV_HVC(0x144)

/* ---- Sealed snapshots of protected VMs: docs/sealing.md ---- */
/*
 * Saving: BEGIN freezes the VM; SAVE_VCPU for every vCPU, ascending; SAVE_PAGE until x1 is
 * RV_SEAL_NO_GFN; END thaws it. A record with content is a whole page of ciphertext, and its tag is
 * in registers. Loading goes the same way into a READY VM of the same owner, RAM and vCPUs; with
 * END it is VERIFIED. Until then no other call adds to it: they answer STATE. Records are numbered:
 * none can be left out, repeated, swapped or come from elsewhere. Pages that a call writes or reads
 * must be the host's alone; it keeps them, pinned for the moment.
 */
struct rv_seal_ram {
	__u64 first_gfn;
	__u64 pages;
};
/* What the host must know to build the VM again; bound into the key. Unused parts are 0. */
struct rv_seal_header {
	__u64 magic; /* RV_SEAL_MAGIC */
	__u32 version;
	__u32 vcpu_count;
	__u64 vcpus;	   /* bit i: vCPU i exists */
	__u8 owner[32];	   /* RV_MEASURE_OWNER */
	__u8 manifest[32]; /* RV_MEASURE_MANIFEST */
	__u8 instance[32]; /* the VM's identity, random at its creation, inherited by restored ones
			    */
	__u8 epoch[32];	   /* this snapshot's identity, random */
	__u64 guest_time;  /* the guest's counter when it was frozen */
	__u64 ram_count;
	struct rv_seal_ram ram[RV_RAM_RANGES]; /* in the order in which they were added */
};
#define RV_SEAL_MAGIC 0x44454c4145535652ull /* "RVSEALED" */
#define RV_SEAL_VERSION 1
#define RV_SEAL_NO_GFN (~0ull)
/* What SAVE_PAGE says of a gfn beside its content (x2), LOAD_PAGE takes back. */
#define RV_SEAL_BACKED (1ull << 0) /* one page with content; else 1 or 512 gfns without, */
#define RV_SEAL_SHARED (1ull << 1) /* that the guest has declared shared, */
#define RV_SEAL_DESTROYED (1ull << 2)
#define RV_SEAL_PAGES_SHIFT 12 /* bits 63:12: how many gfns; the first is aligned to as many */

/* (vm, pfn): writes struct rv_seal_header to the host's page, 0 behind it. The VM can neither run
 * nor change until END or ABORT. Uses one page of the VM's tables until then. Errors: NOENT, RANGE,
 * STATE (not VERIFIED; page not the host's alone), PERM (open VM; its owner's policy forbids
 * snapshots; it has device pages), BUSY (a vCPU is running; being saved; DMA contexts), NOENTROPY,
 * NOMEM (RV_VM_TOPUP).
 * Locks: VM, LEDGER, POOL, RNG. Seed: none. */
#define RV_SEAL_SAVE_BEGIN RV_HVC(0x150)
/* (vm, index, pfn): -> x1, x2 = tag. Errors: NOENT (VM, vCPU), RANGE, STATE (not being saved; not
 * the next vCPU; page not the host's alone).
 * Locks: VM, LEDGER. Seed: save_encrypted_vcpu. */
#define RV_SEAL_SAVE_VCPU RV_HVC(0x151)
/* (vm, pfn): the next gfn that is backed or declared. -> x1 = gfn, x2 = what it is, x3, x4 = tag;
 * the page is written only if it is RV_SEAL_BACKED. x1 = RV_SEAL_NO_GFN: all are saved; x2 = 0 with
 * another x1: looked far enough, call again; neither is a record. Errors: NOENT, RANGE, STATE (not
 * being saved; vCPUs are missing; page not the host's alone).
 * Locks: VM, LEDGER. Seed: save_encrypt_buf. */
#define RV_SEAL_SAVE_PAGE RV_HVC(0x152)
/* (vm, pfn): the record that tells how many there are. -> x1, x2 = tag. The VM may run again.
 * Errors: NOENT, RANGE, STATE (not being saved; not all is saved; page not the host's alone).
 * Locks: VM, LEDGER, POOL. Seed: none. */
#define RV_SEAL_SAVE_END RV_HVC(0x153)
/* (vm): ends saving, the VM goes on; or loading, and the VM is off: half a snapshot must not become
 * part of another VM. Errors: NOENT, STATE (neither).
 * Locks: VM, POOL. Seed: none. */
#define RV_SEAL_ABORT RV_HVC(0x154)
/* (vm, pfn): the header is read once. Uses one page of the VM's tables until END. Errors: NOENT,
 * RANGE, STATE (not READY; has images, pages or DMA contexts, or is being loaded; page not the
 * host's alone), INVALID (malformed; RAM or vCPUs differ), PERM (open VM; another owner's),
 * NOENTROPY, NOMEM (RV_VM_TOPUP).
 * Locks: VM, LEDGER, POOL. Seed: none. */
#define RV_SEAL_LOAD_BEGIN RV_HVC(0x155)
/* (vm, index, pfn, tag0, tag1): Errors: NOENT (VM, vCPU), RANGE, STATE (not being loaded; not the
 * next vCPU; page not the host's alone), AUTH.
 * Locks: VM, LEDGER. Seed: load_encrypted_vcpu, is_inc_exe. */
#define RV_SEAL_LOAD_VCPU RV_HVC(0x156)
/* (vm, gfn, what, pfn, tag0, tag1): the page becomes the VM's, then is decrypted in place; without
 * RV_SEAL_BACKED pfn is ignored. With AUTH the page is the host's again, scrubbed. Errors: INVALID
 * (what), NOENT, RANGE (gfn, pfn), STATE (not being loaded; vCPUs are missing; not ascending; page
 * not the host's alone), NOMEM (RV_VM_TOPUP, RV_POOL_TOPUP), AUTH.
 * Locks: VM, [LEDGER], [HOST_UPPER], [POOL]. Seed: load_decrypt_buf. */
#define RV_SEAL_LOAD_PAGE RV_HVC(0x157)
/* (vm, pfn, tag0, tag1): the VM is VERIFIED, and its time goes on where it was frozen. Errors:
 * NOENT, RANGE, STATE (not being loaded; vCPUs are missing; page not the host's alone), AUTH.
 * Locks: VM, LEDGER, POOL. Seed: none. */
#define RV_SEAL_LOAD_END RV_HVC(0x158)

/* ---- struct rv_run: the only thing host and corevisor tell each other about a running vCPU ----
 */
enum rv_exit {
	RV_EXIT_IRQ = 0,  /* a physical interrupt is pending for the host */
	RV_EXIT_RAM = 1,  /* the guest needs RAM at rv_run.ipa (page aligned): RV_MEM_MAP, then run
			     again */
	RV_EXIT_MMIO = 2, /* access to a device: ipa, bytes, is_write, data */
	RV_EXIT_WFI = 3,  /* the guest waits for an interrupt */
	RV_EXIT_SGI = 4,  /* the guest wrote ICC_SGI1R_EL1: data */
	RV_EXIT_CPU_ON = 5, /* PSCI: vCPU `data` is now on; schedule it */
	RV_EXIT_CPU_OFF =
		6, /* PSCI: this vCPU is off; do not run it until RV_EXIT_CPU_ON names it */
	RV_EXIT_SYSTEM_OFF = 7,	  /* PSCI: the guest shut down; the VM is off */
	RV_EXIT_SYSTEM_RESET = 8, /* PSCI: the guest wants a reset; the VM is off */
	RV_EXIT_TABLES = 9,  /* a table page is needed: `data` 0: RV_VM_TOPUP, 1: RV_POOL_TOPUP;
				then run again */
	RV_EXIT_SERROR = 10, /* an SError arrived while the guest ran; it belongs to the host's
				machine check handling */
	RV_EXIT_DYING = 11,  /* the VM was killed */
	RV_EXIT_CRASH =
		12, /* the guest did what it may not: `data` = enum rv_crash; the VM is off */
};

enum rv_crash {
	RV_CRASH_EXCEPTION_LEVEL = 1, /* in a mode that our entry cannot lead to */
	RV_CRASH_SYNDROME = 2,	      /* an exception class that a VM of ours cannot cause */
};

/* rv_run.in_flags */
#define RV_IN_RESULT \
	(1u          \
	 << 0) /* in_data answers the MMIO read that ended the last run (else the read gives 0) */
#define RV_IN_ABORT                                                                               \
	(1u << 1) /* the MMIO access that ended the last run failed: external abort for the guest \
		   */

#define RV_MAX_LRS 16

struct rv_regs {
	__u64 x[31];
	__u64 sp_el0;
	__u64 sp_el1;
	__u64 pc;
	__u64 pstate;
	__u64 elr_el1;
	__u64 spsr_el1;
	__u64 v[32][2]; /* 128-bit, low half first */
	__u32 fpsr;
	__u32 fpcr;
	__u64 sctlr_el1;
	__u64 vbar_el1;
	__u64 ttbr0_el1;
	__u64 ttbr1_el1;
	__u64 tcr_el1;
	__u64 esr_el1;
	__u64 far_el1;
};

/*
 * One page. The host writes the `in_` fields before RV_VCPU_RUN; the corevisor reads each of them
 * once. Everything else is written by the corevisor when the run ends; fields that the exit does
 * not use are 0.
 */
struct rv_run {
	/* host -> corevisor */
	__u32 in_flags;
	__u32 in_lr_count; /* list registers proposed in in_lr; <= x3 of RV_VERSION */
	__u64 in_data;
	/* ICH_LR<n>_EL2 format. Kept by the corevisor: state, group 1, priority, virtual INTID <
	 * 1020, EOI bit. HW and physical INTID are removed, and set by the corevisor itself for the
	 * virtual timer's INTID 27. */
	__u64 in_lr[RV_MAX_LRS];
	__u64 in_reserved[4];

	/* corevisor -> host */
	__u32 exit;	/* enum rv_exit */
	__u32 bytes;	/* MMIO: 1, 2, 4 or 8 */
	__u32 is_write; /* MMIO */
	__u32 reserved0;
	__u64 ipa;	      /* RAM: page aligned; MMIO: exact */
	__u64 data;	      /* see enum rv_exit; MMIO write: the value, zero extended */
	__u64 lr[RV_MAX_LRS]; /* the list registers as the guest left them (HW bit removed again) */
	__u32 misr;	      /* ICH_MISR_EL2 */
	__u32 vtimer_pending; /* the virtual timer fires now (level): INTID 27 */
	__u32 ptimer_pending; /* the same for the emulated physical timer, INTID 30 */
	__u32 reserved1;
	/* When (in CNTPCT ticks) each enabled and unmasked timer fires; ~0: never. Lets the host
	 * wake a waiting vCPU. */
	__u64 vtimer_deadline;
	__u64 ptimer_deadline;
	__u64 cntvoff; /* guest CNTVCT = CNTPCT - cntvoff */
	__u64 reserved2[7];

	struct rv_regs regs; /* RV_VCPU_READ_REGS only */
};

/*
 * What anybody on the host may know, in pages the host can read but not write: reg[0] of the
 * device-tree node compatible = "ravelin,corevisor". `ravelin version|status|log` reads it through
 * /dev/mem: aligned 64-bit loads only. struct rv_info is followed, at log_offset, by the log ring:
 * log_bytes bytes, log_head = bytes ever written.
 */
#define RV_INFO_MAGIC 0x4e494c4556415252ull /* "RRAVELIN" */

/* rv_info.exits[] */
enum rv_exit_class {
	RV_CLASS_HOST_HVC,
	RV_CLASS_HOST_SMC,
	RV_CLASS_HOST_FAULT,
	RV_CLASS_HOST_SYSREG,
	RV_CLASS_HOST_OTHER,
	RV_CLASS_VM_IRQ,
	RV_CLASS_VM_RAM,
	RV_CLASS_VM_MMIO,
	RV_CLASS_VM_WFX,
	RV_CLASS_VM_HVC,
	RV_CLASS_VM_SYSREG,
	RV_CLASS_VM_FP,
	RV_CLASS_VM_OTHER,
	RV_CLASS_COUNT
};

/* rv_info.pages[] */
enum rv_page_state {
	RV_PAGES_HOST,	      /* the host's alone */
	RV_PAGES_HOST_SHARED, /* the host's, mapped in an open VM or a run page */
	RV_PAGES_VM,	      /* a protected VM's, private */
	RV_PAGES_VM_SHARED,   /* a protected VM's, shared by it with the host */
	RV_PAGES_CORE,	      /* the corevisor's: image, ledger, tables, records */
	RV_PAGES_STATES
};

struct rv_info {
	__u64 magic;
	__u64 abi;	  /* major << 16 | minor */
	__u64 info_bytes; /* of the whole region, log included */
	__u64 log_offset, log_bytes, log_head;
	__u64 features;	 /* enum rv_features */
	__u64 ram_pages; /* pages with a ledger entry; always the sum of pages[] */
	__u64 core_image_bytes, core_table_bytes, core_ledger_bytes;
	__u64 vm_count, vcpu_count;
	__u64 pages[RV_PAGES_STATES];
	__u64 exits[RV_CLASS_COUNT];
	__u64 last_refusal_call;   /* id of the last call that got an error, */
	__u64 last_refusal_status; /* its status (as a signed number), */
	__u64 last_refusal_arg;	   /* and its first argument */
	__u64 faults_injected;	   /* accesses of the host to what is not its own */
	__u64 cpus_online;
};

#endif
