/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-3-Clause) */
/*
 * The calls between the host (EL1, untrusted) and the corevisor (EL2).
 *
 * Every call is an SMCCC 1.2 fast HVC64 in the vendor-specific hypervisor range: x0 = id, x1.. =
 * arguments; on return x0 = a status (enum rv_status, 0 or negative), x1.. = results, valid only on
 * RV_OK. Units: a pfn is a host physical address / 4096, a gfn is a guest physical address (IPA) /
 * 4096. A refused call changes nothing. When several errors apply, the one listed first at the call
 * wins.
 *
 * This header compiles in the kernel, in user space and in assembly-free freestanding C.
 */
#ifndef RAVELIN_ABI_H
#define RAVELIN_ABI_H

#ifdef __KERNEL__
#include <linux/types.h>
#else
#include <stdint.h>
typedef uint64_t __u64;
typedef uint32_t __u32;
typedef uint16_t __u16;
typedef uint8_t __u8;
#endif

/* The module refuses to work with another major number; a larger minor number only adds calls. */
#define RV_ABI_MAJOR 1
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
	RV_E_PERM = -8,		 /* protected VMs do not allow this */
	RV_E_NOENTROPY = -9,	 /* no entropy source: no protected VMs on this machine */
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
 * of a VM record in pages. */
#define RV_VERSION RV_HVC(0x100)
enum rv_features {
	RV_FEAT_DMA_CONTAINED = 1 << 0, /* devices cannot reach protected pages: the SMMU is ours */
	RV_FEAT_ENTROPY = 1 << 1,
};

/* (pfn): the corevisor takes one host page for its own tables (host stage 2, its own map). It keeps
 * it. The first page of a 2 MiB region may itself cost up to 5 tables, its neighbours none: give
 * runs of neighbours, before the last tables are gone. Errors: RANGE, STATE, NOMEM (not even this
 * page's own tables are left: try one of another region). */
#define RV_POOL_TOPUP RV_HVC(0x101)

/* ---- VMs ---- */
/* (record pfn, root pfn, flags): takes the VM record pages (x7 of RV_VERSION, consecutive, any
 * alignment) and 2 root table pages (consecutive, 8 KiB aligned) from the host. -> x1 = VM handle
 * (never 0, never used twice in a boot). Errors: INVALID, NOENTROPY (protected only), RANGE, STATE,
 * BUSY (no free VM slot), NOMEM. */
#define RV_VM_CREATE RV_HVC(0x110)
enum rv_vm_flags {
	RV_VM_PROTECTED = 1 << 0, /* else an open VM */
};
/* (vm, pfn): gives the VM a page for its tables. Errors: NOENT, RANGE, STATE (also: the VM is
 * dying), NOMEM (RV_POOL_TOPUP). */
#define RV_VM_TOPUP RV_HVC(0x111)
/* (vm, first gfn, pages): declares a range of guest RAM; fixed at the VM's first run; ranges may
 * not overlap; at most RV_RAM_RANGES. Errors: INVALID, NOENT, RANGE (beyond the IPA space), STATE
 * (has run), BUSY (overlaps / too many). */
#define RV_VM_ADD_RAM RV_HVC(0x112)
#define RV_RAM_RANGES 8
/* (vm): the VM will never run again; running vCPUs leave at their next exit. Idempotent. Errors:
 * NOENT. */
#define RV_VM_KILL RV_HVC(0x113)
/* (vm): gives back every page that was donated for records and tables, scrubbed, at most
 * RV_BATCH_PAGES at a time.
 * -> x1 = pages still held: call until 0; with 0 the handle is dead.
 * Errors: NOENT, STATE (not killed), BUSY (a vCPU is running or guest pages are not reclaimed). */
#define RV_VM_DESTROY RV_HVC(0x114)

/* ---- Guest memory ---- */
/* (vm, gfn, pfn, pages, flags): host RAM becomes the guest's. -> x1 = pages taken (>= 1 on RV_OK,
 * may be fewer than asked: go on with the rest). Protected VM: the page leaves the host ("donate"),
 * unless the guest has declared the gfn shared. Open VM: the page stays the host's and is shared
 * with the VM ("share"); it is pinned until reclaimed. A page keeps its content only with
 * RV_MEM_CONTENT, allowed until the VM's first run; else it arrives zeroed (protected VMs; open VMs
 * always keep content). An open VM may share a page that other VMs share already. A gfn the guest
 * has declared destroyed gets STATE. Errors, for the first page: INVALID, NOENT, RANGE (gfn outside
 * the VM's RAM, pfn not RAM), STATE (RV_MEM_CONTENT after the first run, the VM is dying, or the
 * page is not the host's alone), BUSY (gfn already backed), NOMEM. */
#define RV_MEM_MAP RV_HVC(0x120)
enum rv_mem_flags {
	RV_MEM_CONTENT = 1 << 0,
};
/* (vm, first gfn, pages): takes back what backs these gfns: unmapped from the VM, scrubbed
 * (protected), returned to the host. pages may be any number; at most RV_BATCH_PAGES gfns are
 * *returned* a call; unbacked gfns are skipped quickly.
 * -> x1 = first gfn not yet dealt with (== first + pages when done).
 * Errors: INVALID, NOENT, STATE (protected VM that is not killed), BUSY (protected: a vCPU is
 * running). */
#define RV_MEM_RECLAIM RV_HVC(0x121)

/* ---- vCPUs ---- */
/* (vm, index, record pfn, run pfn): takes the record pages (x6 of RV_VERSION, consecutive); the run
 * page (struct rv_run) stays the host's and is pinned until the VM is destroyed. index < x5 of
 * RV_VERSION; the vCPU's MPIDR_EL1 is Aff0 = index & 15, Aff1 = index >> 4. Index 0 is the boot
 * vCPU, the others are powered off until the guest's CPU_ON. Errors: INVALID, NOENT, RANGE, STATE
 * (VM has run or is dying, page not the host's alone), BUSY (exists), NOMEM (RV_POOL_TOPUP). */
#define RV_VCPU_CREATE RV_HVC(0x130)
/* (vm, index, pc, x0): where the boot vCPU starts (EL1h, MMU off, DAIF masked, x1-x3 = 0).
 * Errors: NOENT, STATE (VM has run), INVALID (not the boot vCPU, pc unaligned). */
#define RV_VCPU_BOOT RV_HVC(0x131)
/* (vm, index): runs the vCPU on this CPU until something is for the host; struct rv_run tells what.
 * Interrupts of the host end the run (RV_EXIT_IRQ). -> x1 = enum rv_exit. Errors: NOENT, STATE (VM
 * dying or off, vCPU powered off, no boot state, host in streaming SVE mode), BUSY (runs
 * elsewhere), INVALID (struct rv_run's input is malformed). */
#define RV_VCPU_RUN RV_HVC(0x132)
/* (vm, index): writes the registers of an open VM's vCPU to rv_run.regs. Errors: NOENT, PERM
 * (protected), BUSY. */
#define RV_VCPU_READ_REGS RV_HVC(0x133)

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
	RV_EXIT_SYSTEM_OFF = 7,	  /* PSCI: the guest shut down; the VM is dying */
	RV_EXIT_SYSTEM_RESET = 8, /* PSCI: the guest wants a reset; the VM is dying */
	RV_EXIT_TABLES = 9,	  /* a table page is needed: RV_VM_TOPUP, then run again */
	RV_EXIT_SERROR = 10,	  /* an SError arrived while the guest ran; it belongs to the host's
				     machine check handling */
	RV_EXIT_DYING = 11,	  /* the VM was killed */
	RV_EXIT_CRASH =
		12, /* the guest did what it may not: `data` = enum rv_crash; the VM is dying */
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
