/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Image header, first instructions of every CPU, vectors. Entered by the arm64 boot protocol at EL1: MMU off, x0 = DTB.
 */
#define STACK_BYTES 0x4000
#define CPUS 16

	.section .text.head, "ax"
	.global image_start
image_start:
	b	primary
	nop
	.quad	0			/* text offset */
	.quad	image_end		/* size, BSS included */
	.quad	0xa			/* little endian, 4 KiB pages, anywhere */
	.quad	0, 0, 0
	.ascii	"ARM\x64"
	.long	0

primary:
	mov	x19, x0
	msr	daifset, #0xf
	mrs	x0, CurrentEL
	cmp	x0, #(1 << 2)
1:	b.ne	1b			/* EL2: nothing here makes sense */
	/* The boot protocol leaves SCTLR_EL1 UNKNOWN but for the MMU: give it its reset value. */
	ldr	x0, =0x30d00800
	msr	sctlr_el1, x0
	isb
	adrp	x1, bss_start
	add	x1, x1, :lo12:bss_start
	adrp	x2, bss_end
	add	x2, x2, :lo12:bss_end
2:	cmp	x1, x2
	b.hs	3f
	stp	xzr, xzr, [x1], #16
	b	2b
3:	/* Relocate: every entry is R_AARCH64_RELATIVE (offset, info, addend). */
	adr	x3, image_start
	adrp	x1, rela_start
	add	x1, x1, :lo12:rela_start
	adrp	x2, rela_end
	add	x2, x2, :lo12:rela_end
4:	cmp	x1, x2
	b.hs	5f
	ldp	x4, x5, [x1], #16
	ldr	x6, [x1], #8
	add	x6, x6, x3
	str	x6, [x4, x3]
	b	4b
5:	dsb	sy
	mov	x0, #0
	bl	cpu_setup
	mov	x0, x19
	bl	env_start		/* does not return */
	b	.

/* CPU_ON arrives here with x0 = index. */
	.global secondary_entry
secondary_entry:
	msr	daifset, #0xf
	mov	x19, x0
	mrs	x1, CurrentEL
	cmp	x1, #(1 << 2)
	b.eq	1f
	/* EL2 is ours: say so to who looks, and go no further. */
	adrp	x2, arrived_at_el2
	str	x1, [x2, :lo12:arrived_at_el2]
	dsb	sy
0:	wfi
	b	0b
1:
	ldr	x1, =0x30d00800
	msr	sctlr_el1, x1
	isb
	bl	cpu_setup
	bl	mmu_on
	mov	x0, x19
	bl	env_secondary		/* does not return */
	b	.

/* x0 = index: stack, vectors, FP, this CPU's record. Clobbers x1, x2. */
cpu_setup:
	adrp	x1, stacks
	add	x1, x1, :lo12:stacks
	mov	x2, #STACK_BYTES
	madd	x1, x2, x0, x1
	add	x1, x1, x2
	msr	spsel, #1
	mov	sp, x1
	adrp	x1, env_cpus
	add	x1, x1, :lo12:env_cpus
	add	x1, x1, x0, lsl #7
	msr	tpidr_el1, x1
	adrp	x1, vectors
	add	x1, x1, :lo12:vectors
	msr	vbar_el1, x1
	mov	x1, #(3 << 20)
	msr	cpacr_el1, x1
	isb
	ret

/* Turns the MMU on with env_tables. Clobbers x1, x2. */
	.global mmu_on
mmu_on:
	ldr	x1, =0x00ff04		/* attribute 0: device nGnRE, 1: normal write-back, 2: normal non-cacheable (0x44) */
	movk	x1, #0x0044, lsl #16
	msr	mair_el1, x1
	/* T0SZ 25 (39 bits), write-back inner shareable walks, TTBR1 off, IPS 40 bits */
	ldr	x1, =(25 | 1 << 8 | 1 << 10 | 3 << 12 | 1 << 23 | 2 << 32)
	msr	tcr_el1, x1
	adrp	x1, env_tables
	add	x1, x1, :lo12:env_tables
	msr	ttbr0_el1, x1
	dsb	sy
	tlbi	vmalle1
	ic	iallu
	dsb	sy
	isb
	ldr	x1, =0x34d5d81d		/* M, C, I, SA, SA0, nTWI, nTWE, DZE, UCT, UCI; unaligned access allowed */
	msr	sctlr_el1, x1
	isb
	ret

/* u64 user_call(fn, a, b) */
	.global user_call
user_call:
	sub	sp, sp, #112
	stp	x19, x20, [sp]
	stp	x21, x22, [sp, #16]
	stp	x23, x24, [sp, #32]
	stp	x25, x26, [sp, #48]
	stp	x27, x28, [sp, #64]
	stp	x29, x30, [sp, #80]
	mov	x9, #(256 << 30)
	add	x10, x0, x9
	adr	x30, user_exit
	add	x30, x30, x9
	mov	x0, x1
	mov	x1, x2
	msr	elr_el1, x10
	mov	x10, #0x3c0		/* EL0t, DAIF masked */
	msr	spsr_el1, x10
	eret
	.global user_exit
user_exit:
	svc	#0
	.global user_return
user_return:
	ldp	x19, x20, [sp]
	ldp	x21, x22, [sp, #16]
	ldp	x23, x24, [sp, #32]
	ldp	x25, x26, [sp, #48]
	ldp	x27, x28, [sp, #64]
	ldp	x29, x30, [sp, #80]
	add	sp, sp, #112
	ret

/*
 * void smccc_X(struct smccc *): x0-x17 from the record, the call, x0-x17 back to it. SMCCC preserves x18-x30: they hold
 * known values meanwhile, and smccc_clobbered() hears of what comes back changed.
 */
.macro conduit name
	.global smccc_\name
smccc_\name:
	stp	x29, x30, [sp, #-112]!
	stp	x0, x18, [sp, #16]
	stp	x19, x20, [sp, #32]
	stp	x21, x22, [sp, #48]
	stp	x23, x24, [sp, #64]
	stp	x25, x26, [sp, #80]
	stp	x27, x28, [sp, #96]
	mov	x29, x0
	.irp	n, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 30
	mov	x\n, #(\n * 100)
	.endr
	ldp	x2, x3, [x29, #16]
	ldp	x4, x5, [x29, #32]
	ldp	x6, x7, [x29, #48]
	ldp	x8, x9, [x29, #64]
	ldp	x10, x11, [x29, #80]
	ldp	x12, x13, [x29, #96]
	ldp	x14, x15, [x29, #112]
	ldp	x16, x17, [x29, #128]
	ldp	x0, x1, [x29]
	mov	x29, #2900
	\name	#0
	sub	x29, x29, #2900
	.irp	n, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 30
	sub	x\n, x\n, #(\n * 100)
	orr	x29, x29, x\n
	.endr
	mov	x18, x29
	ldr	x29, [sp, #16]
	stp	x0, x1, [x29]
	stp	x2, x3, [x29, #16]
	stp	x4, x5, [x29, #32]
	stp	x6, x7, [x29, #48]
	stp	x8, x9, [x29, #64]
	stp	x10, x11, [x29, #80]
	stp	x12, x13, [x29, #96]
	stp	x14, x15, [x29, #112]
	stp	x16, x17, [x29, #128]
	cbz	x18, 1f
	mov	x0, x29
	bl	smccc_clobbered
1:	ldr	x18, [sp, #24]
	ldp	x19, x20, [sp, #32]
	ldp	x21, x22, [sp, #48]
	ldp	x23, x24, [sp, #64]
	ldp	x25, x26, [sp, #80]
	ldp	x27, x28, [sp, #96]
	ldp	x29, x30, [sp], #112
	ret
.endm
	conduit	hvc
	conduit	smc

/* ---- vectors: a frame of x0-x30, elr, spsr on the stack, then C ---- */
.macro vector kind
	.balign	0x80
	sub	sp, sp, #272
	stp	x0, x1, [sp]
	mov	x1, #\kind
	b	vector_common
.endm

	.balign	0x800
vectors:
	.irp	kind, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
	vector	\kind
	.endr

vector_common:
	stp	x2, x3, [sp, #16]
	stp	x4, x5, [sp, #32]
	stp	x6, x7, [sp, #48]
	stp	x8, x9, [sp, #64]
	stp	x10, x11, [sp, #80]
	stp	x12, x13, [sp, #96]
	stp	x14, x15, [sp, #112]
	stp	x16, x17, [sp, #128]
	stp	x18, x19, [sp, #144]
	stp	x20, x21, [sp, #160]
	stp	x22, x23, [sp, #176]
	stp	x24, x25, [sp, #192]
	stp	x26, x27, [sp, #208]
	stp	x28, x29, [sp, #224]
	mrs	x2, elr_el1
	stp	x30, x2, [sp, #240]
	mrs	x2, spsr_el1
	str	x2, [sp, #256]
	mov	x0, sp
	bl	env_exception
	ldr	x2, [sp, #256]
	msr	spsr_el1, x2
	ldp	x30, x2, [sp, #240]
	msr	elr_el1, x2
	ldp	x28, x29, [sp, #224]
	ldp	x26, x27, [sp, #208]
	ldp	x24, x25, [sp, #192]
	ldp	x22, x23, [sp, #176]
	ldp	x20, x21, [sp, #160]
	ldp	x18, x19, [sp, #144]
	ldp	x16, x17, [sp, #128]
	ldp	x14, x15, [sp, #112]
	ldp	x12, x13, [sp, #96]
	ldp	x10, x11, [sp, #80]
	ldp	x8, x9, [sp, #64]
	ldp	x6, x7, [sp, #48]
	ldp	x4, x5, [sp, #32]
	ldp	x2, x3, [sp, #16]
	ldp	x0, x1, [sp]
	add	sp, sp, #272
	eret

	.ltorg

	.bss
	.balign	4096
stacks:	.skip	STACK_BYTES * CPUS
