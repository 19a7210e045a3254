/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the VMs of kvm_api run, all of it one signed image with one entry: the top byte of x0 says which
 * of them, in the order of enum payload, the rest is its x0. Position independent, MMU off. Each tells
 * the test what it sees by stores to a device page at 0x0a000000.
 */
#define DEVICE 0x0a00
#define ICC_PMR_EL1 S3_0_C4_C6_0
#define ICC_IAR1_EL1 S3_0_C12_C12_0
#define ICC_EOIR1_EL1 S3_0_C12_C12_1
#define ICC_SGI1R_EL1 S3_0_C12_C11_5
#define ICC_IGRPEN1_EL1 S3_0_C12_C12_7
#define ICC_SRE_EL1 S3_0_C12_C12_5

	.section .rodata.payload, "a"

.macro begin name
	.balign 4096
payload_\name:
.endm
.macro psci id
	mov	w0, #(\id & 0xffff)
	movk	w0, #(\id >> 16), lsl #16
	hvc	#0
.endm
/* Until x28 is `count`; an interrupt that comes before the WFI is pending at it. */
.macro await count
101:	msr	daifset, #2
	cmp	x28, #\count
	b.hs	102f
	wfi
	msr	daifclr, #2
	isb
	b	101b
102:	msr	daifclr, #2
.endm
.macro device reg
	movz	\reg, #DEVICE, lsl #16
.endm

	.balign 4096
	/* Global only what the tests need: the assembler must resolve the rest, for it is signed so. */
	.global payloads, payloads_end, payload_loop
payloads:
	ubfx	x9, x0, #56, #8
	ubfx	x0, x0, #0, #56
	adr	x10, 1f
	ldr	w9, [x10, x9, lsl #2]
	add	x10, x10, x9
	br	x10
1:	.irp	name, mmio, loop, quiet, spin, wait, ram, cpus, churn, irq, peek
	.word	payload_\name - 1b
	.endr

/*
 * Widths, answers, an unknown hypercall, power off. No sign extension: QEMU's TCG does not report
 * it (SSE is never set in the syndrome), so no hypervisor in QEMU can do it.
 */
begin mmio
	device	x19
	mov	w0, #0x1234
	str	w0, [x19]
	ldr	x1, [x19, #0x10]
	add	x1, x1, #1
	str	x1, [x19, #0x18]
	ldrb	w2, [x19, #0x20]
	str	x2, [x19, #0x28]
	ldrh	w3, [x19, #0x30]
	str	x3, [x19, #0x38]
	ldrb	w4, [x19, #0x40]
	strb	w4, [x19, #0x48]
	str	xzr, [x19, #0x50]
	movz	w0, #0x4b00, lsl #16
	hvc	#0
	str	x0, [x19, #0x58]
	psci	0x84000008
1:	b	1b

/* Writes x0 to the device for ever. */
begin loop
	device	x19
1:	str	w0, [x19]
	b	1b

/* Its virtual timer fires while the interrupt is off in the GIC: the guest must go on all the same. */
begin quiet
	device	x19
	msr	cntv_tval_el0, xzr
	mov	x1, #1
	msr	cntv_ctl_el0, x1
	isb
	mov	x2, #0x100000
1:	subs	x2, x2, #1
	b.ne	1b
	str	w1, [x19]
	psci	0x84000008
2:	b	2b

/* Never leaves by itself. */
begin spin
1:	b	1b

/* Never leaves by itself, and waits. */
begin wait
1:	wfi
	b	1b

/*
 * Touches x0 pages of RAM from x1 on, checks that they keep what is written, says how many did,
 * resets.
 */
begin ram
	device	x19
	mov	x2, x0
	adr	x1, payload_ram
	add	x1, x1, #0x200, lsl #12
	mov	x3, x1
	mov	x4, x2
1:	str	x3, [x3]
	add	x3, x3, #0x1000
	subs	x4, x4, #1
	b.ne	1b
	mov	x3, x1
	mov	x4, x2
	mov	x5, #0
2:	ldr	x6, [x3]
	cmp	x6, x3
	cinc	x5, x5, eq
	add	x3, x3, #0x1000
	subs	x4, x4, #1
	b.ne	2b
	str	x5, [x19]
	psci	0x84000009
3:	b	3b

/*
 * CPU 0 turns another CPU (x0 = its affinity) on twice; that one says its context and its MPIDR, and
 * goes off, each time.
 */
begin cpus
	device	x19
	mov	x21, x0
	mov	w20, #2
1:	mov	x1, x21
	adr	x2, 10f
	add	x3, x20, #0x40
	psci	0xc4000003
	str	x0, [x19, #0x10]
2:	mov	x1, x21
	mov	x2, #0
	psci	0xc4000004
	cmp	x0, #1
	b.ne	2b
	subs	w20, w20, #1
	b.ne	1b
	add	x1, x21, #4 /* there is none */
	adr	x2, 10f
	psci	0xc4000003
	str	x0, [x19, #0x18]
	psci	0x84000008
3:	b	3b
10:	device	x19
	str	x0, [x19]
	mrs	x0, mpidr_el1
	str	x0, [x19, #8]
	psci	0x84000002
4:	b	4b

/*
 * Four CPUs (x0 = how many) that never rest: each writes to its own 8 MiB of RAM, page by page, and
 * tells the device every 16 pages.
 */
begin churn
	mov	x20, x0
1:	subs	x20, x20, #1
	b.eq	10f
	mov	x1, x20
	adr	x2, 10f
	mov	x3, x20
	psci	0xc4000003
	mov	x0, #0
	b	1b
10:	device	x19
	mrs	x5, mpidr_el1
	and	x5, x5, #0xf
	adr	x1, payload_churn
	add	x1, x1, #0x200, lsl #12
	add	x1, x1, x5, lsl #23
2:	mov	x3, x1
	mov	x4, #2048
3:	str	x3, [x3]
	add	x3, x3, #0x1000
	tst	x4, #15
	b.ne	4f
	str	w4, [x19]
4:	subs	x4, x4, #1
	b.ne	3b
	b	2b

/*
 * Interrupts: virtual timer, physical timer, an SGI to itself, then SPI 40, whose line the test
 * raises when it sees the store to 0x70 and lowers when it sees 40 at 0x60. Each is waited for with
 * WFI. While one timer is waited for, the other one has fired with its interrupt off.
 */
begin irq
	adr	x0, 20f
	msr	vbar_el1, x0
	device	x19
	movz	x21, #0x0800, lsl #16		/* distributor */
	movz	x22, #0x080a, lsl #16		/* redistributor 0 */
	movz	x23, #0x080b, lsl #16		/* its SGI frame */
	mrs	x0, ICC_SRE_EL1
	orr	x0, x0, #1
	msr	ICC_SRE_EL1, x0
	isb
	mov	x0, #0xf0
	msr	ICC_PMR_EL1, x0
	mov	x0, #1
	msr	ICC_IGRPEN1_EL1, x0
	isb
	mov	w0, #0x12
	str	w0, [x21]			/* GICD_CTLR: ARE, group 1 */
	mov	w0, #-1
	str	w0, [x23, #0x80]		/* IGROUPR0 */
	str	w0, [x21, #0x84]
	movz	w0, #0x0800, lsl #16		/* 27 */
	orr	w0, w0, #2			/* and SGI 1 */
	str	w0, [x23, #0x100]
	mov	w0, #0x100			/* SPI 40 */
	str	w0, [x21, #0x104]
	movz	x24, #0x6140
	str	xzr, [x21, x24]			/* its route: CPU 0 */
	msr	daifclr, #2
	mov	x28, #0

	mrs	x0, cntfrq_el0
	lsr	x0, x0, #6
	mov	x1, #1
	msr	cntp_tval_el0, xzr
	msr	cntp_ctl_el0, x1
	msr	cntv_tval_el0, x0
	msr	cntv_ctl_el0, x1
	isb
	await	1

	movz	w2, #0x0800, lsl #16
	str	w2, [x23, #0x180]
	movz	w2, #0x4000, lsl #16		/* 30 */
	msr	cntv_tval_el0, xzr
	msr	cntv_ctl_el0, x1
	msr	cntp_tval_el0, x0
	str	w2, [x23, #0x100]
	isb
	await	2
	msr	cntv_ctl_el0, xzr

	movz	x0, #0x0100, lsl #16		/* SGI 1 */
	orr	x0, x0, #1			/* to CPU 0 */
	msr	ICC_SGI1R_EL1, x0
	isb
3:	cmp	x28, #3
	b.ne	3b

	str	wzr, [x19, #0x70]
	await	4

	str	x28, [x19, #0x78]
	psci	0x84000008
5:	b	5b

	.balign 2048
20:	.rept 5
	b	30f
	.balign 128
	.endr
	/* IRQ, EL1h */
	mrs	x10, ICC_IAR1_EL1
	cmp	w10, #27
	b.ne	6f
	msr	cntv_ctl_el0, xzr
6:	cmp	w10, #30
	b.ne	7f
	msr	cntp_ctl_el0, xzr
7:	isb
	str	w10, [x19, #0x60]
	msr	ICC_EOIR1_EL1, x10
	isb
	add	x28, x28, #1
	eret
	.balign 128
	.rept 10
	b	30f
	.balign 128
	.endr
30:	mrs	x10, esr_el1
	str	x10, [x19, #0x68]		/* an exception nobody wants */
	psci	0x84000008
8:	b	8b

/* Says what the word at x0 is, for ever. */
begin peek
	device	x19
	ldr	x1, [x0]
1:	str	x1, [x19]
	b	1b

payloads_end:
