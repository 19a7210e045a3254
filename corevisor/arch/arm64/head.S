/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Entry by the arm64 boot protocol (Linux, Documentation/arch/arm64/booting.rst): EL2, MMU off, x0 = device tree.
 * Relocates itself, builds the boot map, switches caches on and goes on in C. Also where the other CPUs enter.
 */
#include <arm64/cpu.h>
#include <arm64/sysreg.h>
#include <plat/plat.h>

#define R_AARCH64_RELATIVE 1027
#define CURRENT_EL2 8

	/* Data cache: clean and invalidate [\start, \end) to the point of coherency. Clobbers x9-x11. */
	.macro dcache_civac start, end
	mrs	x9, ctr_el0
	ubfx	x9, x9, #16, #4
	mov	x10, #4
	lsl	x10, x10, x9
	sub	x11, x10, #1
	bic	x9, \start, x11
1:	dc	civac, x9
	add	x9, x9, x10
	cmp	x9, \end
	b.lo	1b
	dsb	sy
	.endm

	/* Any constant, without a literal pool. */
	.macro mov_q reg, value
	movz	\reg, :abs_g3:\value
	movk	\reg, :abs_g2_nc:\value
	movk	\reg, :abs_g1_nc:\value
	movk	\reg, :abs_g0_nc:\value
	.endm

	.macro load_address reg, symbol
	adrp	\reg, \symbol
	add	\reg, \reg, :lo12:\symbol
	.endm

	.section .text.head, "ax"
	.global image_start
image_start:
	b	primary
	.long	0
	.quad	0		/* text_offset */
	.quad	image_end - image_start	/* bss and stack included */
	.quad	0xa		/* little endian, 4 KiB pages, anywhere in memory */
	.quad	0
	.quad	0
	.quad	0
	.ascii	"ARM\x64"
	.long	0

primary:
	msr	daifset, #0xf
	mrs	x1, CurrentEL
	cmp	x1, #CURRENT_EL2
	b.ne	refuse

	mov	x19, x0
	mov_q	x1, SCTLR_EL2_MMU_OFF
	msr	sctlr_el2, x1
	mov_q	x1, HCR_RW
	msr	hcr_el2, x1
	isb

	/*
	 * Until the MMU is on, data goes past the caches. First nothing dirty may be left in them that could later fall on
	 * what is written here; afterwards nothing stale that could hide it.
	 */
	load_address x20, image_start
	load_address x21, image_end
	dcache_civac x20, x21

	load_address x1, bss_start
2:	stp	xzr, xzr, [x1], #16
	cmp	x1, x21
	b.lo	2b

	load_address x1, rela_start
	load_address x2, rela_end
3:	cmp	x1, x2
	b.hs	4f
	ldp	x3, x4, [x1], #16	/* r_offset, r_info */
	ldr	x5, [x1], #8		/* r_addend */
	cmp	w4, #R_AARCH64_RELATIVE
	b.ne	3b
	add	x5, x5, x20
	str	x5, [x3, x20]
	b	3b
4:
	load_address x1, boot_stack_top
	mov	sp, x1
	mov	x29, xzr
	mov	x30, xzr
	mov	x0, x20
	mov	x1, x21
	mov	x2, x19
	bl	mmu_boot_tables		/* -> x0 = table root */
	mov	x22, x0
	dcache_civac x20, x21

	bl	mmu_tcr			/* -> x0 = TCR_EL2 */
	msr	tcr_el2, x0
	msr	ttbr0_el2, x22
	bl	mmu_mair		/* -> x0 = MAIR_EL2 */
	msr	mair_el2, x0
	load_address x1, el2_vectors
	msr	vbar_el2, x1
	load_address x1, cpus
	msr	tpidr_el2, x1
	tlbi	alle2
	ic	iallu
	dsb	nsh
	isb
	mov_q	x1, SCTLR_EL2_BOOT
	msr	sctlr_el2, x1
	isb

	mov	x0, x19
	bl	arch_boot
	b	.

/*
 * void mmu_switch(u64 ttbr0, u64 sctlr): from one identity map to another. The MMU is off in between, so that the TLB
 * never holds entries of two sizes for one address. Touches no memory meanwhile.
 */
	.global mmu_switch
mmu_switch:
	dsb	sy
	mov_q	x2, SCTLR_EL2_MMU_OFF
	msr	sctlr_el2, x2
	isb
	msr	ttbr0_el2, x0
	tlbi	alle2
	dsb	nsh
	isb
	msr	sctlr_el2, x1
	isb
	ret

/* Another CPU arrives from firmware: EL2, MMU off, x0 = cpu->boot. Nothing is left of an earlier life. */
	.global secondary_entry
secondary_entry:
	msr	daifset, #0xf
	mrs	x1, CurrentEL
	cmp	x1, #CURRENT_EL2
	b.ne	5f
	mov_q	x1, SCTLR_EL2_MMU_OFF
	msr	sctlr_el2, x1
	mov_q	x1, HCR_RW
	msr	hcr_el2, x1
	isb
	ldp	x1, x2, [x0, #BOOT_TTBR0]
	ldp	x3, x4, [x0, #BOOT_MAIR]
	ldp	x5, x6, [x0, #BOOT_VBAR]
	msr	ttbr0_el2, x1
	msr	tcr_el2, x2
	msr	mair_el2, x3
	msr	vbar_el2, x5
	msr	tpidr_el2, x6
	ic	iallu
	tlbi	alle2
	tlbi	alle1
	dsb	nsh
	isb
	msr	sctlr_el2, x4
	isb
	ldr	x1, [x6, #CPU_STACK_TOP]
	mov	sp, x1
	mov	x29, xzr
	mov	x30, xzr
	mov	x0, x6
	bl	cpu_arrived
	b	host_start
5:	wfe
	b	5b

/* void host_start(void): leaves this stack for the CPU's own and enters the host with cpu->host. */
	.global host_start
host_start:
	mrs	x0, tpidr_el2
	ldr	x1, [x0, #CPU_STACK_TOP]
	mov	sp, x1
	b	host_return

/* Not EL2: say so on the platform's console, if there is one at its usual place, and stop. */
refuse:
	adr	x1, refusal
	mov_q	x2, PLAT_UART_BASE
6:	ldrb	w3, [x1], #1
	cbz	w3, 7f
	strb	w3, [x2]
	b	6b
7:	wfe
	b	7b
refusal:
	.asciz	"corevisor: not entered at EL2. Start the machine with EL2 (QEMU: -M virt,virtualization=on).\r\n"

	/* The boot stack; later a panic's. Its guard page below stays out of EL2's map. */
	.section .stack, "aw", %nobits
	.global boot_stack_guard, boot_stack_top, panic_stack_top
	.balign 4096
boot_stack_guard:
	.space 4096
	.space 8192
boot_stack_top:
panic_stack_top:
