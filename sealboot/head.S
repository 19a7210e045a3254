/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * sealboot: the first code of a protected guest. Image header, the slots that `ravelin pack --guest` fills in, and the way
 * from the VMM's entry to the kernel's. EL1, MMU off: every access is to device memory, so aligned, and no exclusives.
 */
	.section .text.head, "ax"
	.global	sealboot_start
sealboot_start:
	b	start
	nop
	.quad	0			/* text offset */
	.quad	sealboot_end		/* size; pack replaces it by that of the whole image */
	.quad	0xa			/* little endian, 4 KiB pages, anywhere */
	.quad	0, 0, 0
	.ascii	"ARM\x64"
	.long	0
	.ascii	"SVLBOOT2"		/* struct seal_slots of sealboot.h */
slot_kernel:
	.quad	0
slot_dtb:
	.quad	0
	.quad	0, 0, 0, 0		/* initrd, command line: the C half reads them */

/* x0 = the DTB by the arm64 boot protocol; 0: the VMM entered us without, look into its stub. */
start:
	msr	daifset, #0xf
	adr	x19, sealboot_start
	adrp	x1, stack_top
	add	x1, x1, :lo12:stack_top
	mov	sp, x1
	cbnz	x0, 1f
	mov	x0, x19
	bl	seal_find_dtb
	cbz	x0, refuse
1:	mov	x1, x19
	bl	seal_hand_over		/* 32 bits: the upper half of x0 is nobody's word (AAPCS64) */
	mov	w0, w0
	cbz	x0, refuse
	ldr	x20, slot_dtb
	add	x20, x20, x19
	/*
	 * The tree was written with caches off. The kernel reads it with caches on: drop lines that an earlier owner of the
	 * page may have left.
	 */
	add	x0, x0, x20
	mrs	x3, ctr_el0
	ubfx	x3, x3, #16, #4		/* DminLine: log2 of words */
	mov	x2, #4
	lsl	x2, x2, x3
	mov	x1, x20
2:	dc	ivac, x1
	add	x1, x1, x2
	cmp	x1, x0
	b.lo	2b
	dsb	sy
	ic	iallu
	dsb	sy
	isb
	ldr	x4, slot_kernel
	add	x4, x4, x19
	mov	x0, x20
	mov	x1, xzr
	mov	x2, xzr
	mov	x3, xzr
	br	x4

/* The DTB is not one that we hand on: switch the VM off, by PSCI 0.2's SYSTEM_OFF. */
refuse:
	movz	w0, #0x8400, lsl #16
	movk	w0, #0x0008
	hvc	#0
3:	wfi
	b	3b

	.bss
	.balign	16
	.skip	4096
stack_top:
