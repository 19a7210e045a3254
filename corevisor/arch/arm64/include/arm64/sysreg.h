/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * System registers by their encodings (so that any assembler takes them), and the fields that the corevisor sets.
 * Values for the host and for VMs: docs/el2-registers.md. Arm ARM D19 and D24 (DDI 0487).
 */
#ifndef ARM64_SYSREG_H
#define ARM64_SYSREG_H

#define SYSREG_STRING_(x) #x
#define SYSREG_STRING(x) SYSREG_STRING_(x)

/* ---- EL2 registers that exist only with a feature ---- */
#define SYS_HCRX_EL2 S3_4_C1_C2_2
#define SYS_HFGRTR_EL2 S3_4_C1_C1_4
#define SYS_HFGWTR_EL2 S3_4_C1_C1_5
#define SYS_HFGITR_EL2 S3_4_C1_C1_6
#define SYS_HDFGRTR_EL2 S3_4_C3_C1_4
#define SYS_HDFGWTR_EL2 S3_4_C3_C1_5
#define SYS_HAFGRTR_EL2 S3_4_C3_C1_6
#define SYS_HDFGRTR2_EL2 S3_4_C3_C1_0
#define SYS_HDFGWTR2_EL2 S3_4_C3_C1_1
#define SYS_HFGRTR2_EL2 S3_4_C3_C1_2
#define SYS_HFGWTR2_EL2 S3_4_C3_C1_3
#define SYS_HFGITR2_EL2 S3_4_C3_C1_7
#define SYS_ZCR_EL2 S3_4_C1_C2_0
#define SYS_SMCR_EL2 S3_4_C1_C2_6
#define SYS_SMPRIMAP_EL2 S3_4_C1_C2_5
#define SYS_TRFCR_EL2 S3_4_C1_C2_1
#define SYS_PMSCR_EL2 S3_4_C9_C9_0
#define SYS_PMBIDR_EL1 S3_0_C9_C10_7
#define SYS_TRBIDR_EL1 S3_0_C9_C11_7
#define SYS_BRBCR_EL2 S2_4_C9_C0_0
#define SYS_MPAM2_EL2 S3_4_C10_C5_0
#define SYS_MPAMHCR_EL2 S3_4_C10_C4_0
#define SYS_MPAMIDR_EL1 S3_0_C10_C4_4
#define SYS_MPAMVPMV_EL2 S3_4_C10_C4_1
#define SYS_VSESR_EL2 S3_4_C5_C2_3
#define SYS_VDISR_EL2 S3_4_C12_C1_1
#define SYS_SCXTNUM_EL2 S3_4_C13_C0_7
#define SYS_CNTPOFF_EL2 S3_4_C14_C0_6
#define SYS_SCTLR2_EL2 S3_4_C1_C0_3
#define SYS_TCR2_EL2 S3_4_C2_C0_3
#define SYS_GCSCR_EL2 S3_4_C2_C5_0
#define SYS_TFSR_EL2 S3_4_C5_C6_0
#define SYS_ICC_SRE_EL2 S3_4_C12_C9_5
#define SYS_ICH_HCR_EL2 S3_4_C12_C11_0
#define SYS_SVCR S3_3_C4_C2_2
#define SYS_FPCR S3_3_C4_C4_0
#define SYS_FPSR S3_3_C4_C4_1

/* ---- ID registers ---- */
#define SYS_ID_AA64PFR0_EL1 S3_0_C0_C4_0
#define SYS_ID_AA64PFR1_EL1 S3_0_C0_C4_1
#define SYS_ID_AA64PFR2_EL1 S3_0_C0_C4_2
#define SYS_ID_AA64SMFR0_EL1 S3_0_C0_C4_5
#define SYS_ID_AA64DFR0_EL1 S3_0_C0_C5_0
#define SYS_ID_AA64ISAR0_EL1 S3_0_C0_C6_0
#define SYS_ID_AA64ISAR1_EL1 S3_0_C0_C6_1
#define SYS_ID_AA64ISAR2_EL1 S3_0_C0_C6_2
#define SYS_ID_AA64MMFR0_EL1 S3_0_C0_C7_0
#define SYS_ID_AA64MMFR1_EL1 S3_0_C0_C7_1
#define SYS_ID_AA64MMFR2_EL1 S3_0_C0_C7_2
#define SYS_ID_AA64MMFR3_EL1 S3_0_C0_C7_3
#define ID_FIELD(value, shift) (((value) >> (shift)) & 0xf)

/* ---- HCR_EL2 ---- */
#define HCR_VM (1ull << 0)
#define HCR_SWIO (1ull << 1)
#define HCR_PTW (1ull << 2)
#define HCR_FMO (1ull << 3)
#define HCR_IMO (1ull << 4)
#define HCR_AMO (1ull << 5)
#define HCR_FB (1ull << 9)
#define HCR_BSU_IS (1ull << 10)
#define HCR_TWI (1ull << 13)
#define HCR_TID3 (1ull << 18)
#define HCR_TSC (1ull << 19)
#define HCR_TIDCP (1ull << 20)
#define HCR_TACR (1ull << 21)
#define HCR_RW (1ull << 31)
#define HCR_E2H (1ull << 34)
#define HCR_TLOR (1ull << 35)
#define HCR_TERR (1ull << 36)
#define HCR_APK (1ull << 40)
#define HCR_API (1ull << 41)
#define HCR_ENSCXT (1ull << 53)
#define HCR_ATA (1ull << 56)
#define HCR_TID5 (1ull << 58)

/* What the host's and the VMs' HCR_EL2 have in common. VM and PTW never change between worlds (platform-notes 2.8). */
#define HCR_COMMON (HCR_VM | HCR_SWIO | HCR_PTW | HCR_TSC | HCR_TIDCP | HCR_TACR | HCR_RW)

/* ---- HCRX_EL2: what EL1 may use without a trap ---- */
#define HCRX_ENAS0 (1ull << 0)
#define HCRX_ENALS (1ull << 1)
#define HCRX_ENASR (1ull << 2)
#define HCRX_MSCEN (1ull << 11)
#define HCRX_TCR2EN (1ull << 14)
#define HCRX_SCTLR2EN (1ull << 15)
#define HCRX_D128EN (1ull << 17)
#define HCRX_GCSEN (1ull << 22)
#define HCRX_ENFPM (1ull << 23)

/* ---- CPTR_EL2, layout with HCR_EL2.E2H = 0 ---- */
#define CPTR_RES1_BASE 0x22ffull /* bits 13, 9, 7:0 */
#define CPTR_TZ (1ull << 8)	 /* RES1 without SVE */
#define CPTR_TFP (1ull << 10)
#define CPTR_TSM (1ull << 12) /* RES1 without SME */
#define CPTR_TTA (1ull << 20)
#define CPTR_TAM (1ull << 30)

/* ---- MDCR_EL2 ---- */
#define MDCR_TPMCR (1ull << 5)
#define MDCR_TPM (1ull << 6)
#define MDCR_TDA (1ull << 9)
#define MDCR_TDOSA (1ull << 10)
#define MDCR_TDRA (1ull << 11)
#define MDCR_E2PB_EL1 (3ull << 12) /* 3: the buffer is EL1's and EL1 owns the registers; 0: EL2's, trapped */
#define MDCR_TPMS (1ull << 14)
#define MDCR_HPMD (1ull << 17)
#define MDCR_TTRF (1ull << 19)
#define MDCR_HCCD (1ull << 23)
#define MDCR_E2TB_EL1 (3ull << 24)
#define MDCR_TDCC (1ull << 27)

/* ---- VTCR_EL2 ---- */
#define VTCR_T0SZ_40 24ull
#define VTCR_SL0_1 (1ull << 6)
#define VTCR_WB_INNER_SHAREABLE ((1ull << 8) | (1ull << 10) | (3ull << 12))
#define VTCR_PS_40 (2ull << 16)
#define VTCR_RES1 (1ull << 31)
#define VTCR_VALUE (VTCR_T0SZ_40 | VTCR_SL0_1 | VTCR_WB_INNER_SHAREABLE | VTCR_PS_40 | VTCR_RES1)
#define VTTBR_VMID_SHIFT 48

/* ---- TCR_EL1: no new walks, while another stage 2 is loaded (Cortex-A57 1319537, Neoverse N1 1165522) ---- */
#define TCR_EPD0 (1ull << 7)
#define TCR_EPD1 (1ull << 23)

/* ---- stage 1 of EL2 ---- */
/* MAIR_EL2 is HYP_MAIR of cv/pte.h. */
/* T0SZ 16, write-back inner shareable, 4 KiB, RES1 bits 23 and 31; PS (18:16) is set at run time */
#define TCR_EL2_BASE (16ull | (1ull << 8) | (1ull << 10) | (3ull << 12) | (1ull << 23) | (1ull << 31))
#define TCR_EL2_PS_SHIFT 16

#define SCTLR_EL2_M (1ull << 0)
#define SCTLR_EL2_C (1ull << 2)
#define SCTLR_EL2_SA (1ull << 3)
#define SCTLR_EL2_I (1ull << 12)
#define SCTLR_EL2_WXN (1ull << 19)
#define SCTLR_EL2_RES1 0x30c50830ull /* bits 29, 28, 23, 22, 18, 16, 11, 5, 4 */
#define SCTLR_EL2_MMU_OFF SCTLR_EL2_RES1
#define SCTLR_EL2_BOOT (SCTLR_EL2_RES1 | SCTLR_EL2_M | SCTLR_EL2_C | SCTLR_EL2_I | SCTLR_EL2_SA)
#define SCTLR_EL2_SEALED (SCTLR_EL2_BOOT | SCTLR_EL2_WXN)

#define SCTLR_EL1_M (1ull << 0)
#define SCTLR_EL1_RESET 0x30d00980ull

/* ---- PSTATE with which the host starts: EL1h, D A I F masked ---- */
#define SPSR_HOST_START 0x3c5ull

#ifndef __ASSEMBLER__

#include <cv/types.h>

#define sysreg_read(name)                                                                                              \
	({                                                                                                             \
		u64 sysreg_value;                                                                                      \
		__asm__ volatile("mrs %0, " SYSREG_STRING(name) : "=r"(sysreg_value));                                 \
		sysreg_value;                                                                                          \
	})

#define sysreg_write(name, value)                                                                                      \
	do {                                                                                                           \
		u64 sysreg_new = (value);                                                                              \
		__asm__ volatile("msr " SYSREG_STRING(name) ", %0" : : "r"(sysreg_new) : "memory");                    \
	} while (0)

static inline void isb(void)
{
	__asm__ volatile("isb" : : : "memory");
}

#define dsb(domain) __asm__ volatile("dsb " #domain : : : "memory")

#endif
#endif
