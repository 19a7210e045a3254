/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * EL2's exception vectors: all sixteen.
 *
 * From a lower EL: TPIDR_EL2 -> struct cpu; cpu->running says whose EL1 it was.
 *   host (NULL): SP_EL2 is the top of this CPU's stack; x0-x30, ELR and SPSR go to cpu->host, C handles it
 *     (host_exit.c), they come back from cpu->host.
 *   guest: the contract with switch.S. arch_vcpu_enter() stores its callee-saved registers on the EL2 stack, sets
 *     cpu->running as the last thing before it loads guest registers, and ERETs. The vector then jumps to
 *     vcpu_exit_sync, vcpu_exit_irq (IRQ and FIQ) or vcpu_exit_serror with
 *       [sp], [sp, #8] = the guest's x0, x1 (16 bytes pushed; the code there pops them), x0 = struct cpu *,
 *       x1 = cpu->running, every other register the guest's, PSTATE.DAIF masked.
 *     That code must clear cpu->running before anything else can trap, save, and return from arch_vcpu_enter().
 *
 * From EL2 itself: our own bug, panic. IRQ and FIQ are masked at EL2 always; SError too, and it stays the host's.
 * AArch32 at EL0 comes in through vectors of its own and is handled as AArch64 is: HCR_EL2.RW makes EL1 AArch64, and
 * SPSR_EL2 tells the difference to whoever injects.
 */
#include <arm64/cpu.h>

	.macro vector label
	.balign 0x80
\label:
	.endm

	/* From EL2 itself: x0 = which of the eight. The stack may be what broke, so a panic gets one of its own. */
	.macro own which
	.balign 0x80
	msr	daifset, #0xf
	mov	x0, #\which
	b	own_exception
	.endm

	.macro lower guest, host
	.balign 0x80
	stp	x0, x1, [sp, #-16]!
	mrs	x0, tpidr_el2
	ldr	x1, [x0, #CPU_RUNNING]
	cbnz	x1, \guest
	b	\host
	.endm

	.section .text.vectors, "ax"
	.balign 0x800
	.global el2_vectors
el2_vectors:
	/* current EL with SP_EL0: never selected at EL2 */
	own	0
	own	1
	own	2
	own	3
	/* current EL with SP_EL2 */
	own	4
	own	5
	own	6
	own	7
	/* lower EL, AArch64: synchronous, IRQ, FIQ, SError */
	lower	vcpu_exit_sync, host_sync
	lower	vcpu_exit_irq, host_stray
	lower	vcpu_exit_irq, host_stray
	lower	vcpu_exit_serror, host_stray
	/* lower EL, AArch32 */
	lower	vcpu_exit_sync, host_sync
	lower	vcpu_exit_irq, host_stray
	lower	vcpu_exit_irq, host_stray
	lower	vcpu_exit_serror, host_stray
	.balign 0x80

/* HCR_EL2 routes no interrupt and no SError of the host's here. Should one come all the same, it is not for us. */
host_stray:
	ldp	x0, x1, [sp], #16
	eret
	dsb	nsh
	isb

/* x0 = cpu, the host's x0 and x1 on the stack */
host_sync:
	stp	x2, x3, [x0, #CPU_HOST_X + 8 * 2]
	ldp	x2, x3, [sp], #16
	stp	x2, x3, [x0, #CPU_HOST_X]
	mov	x1, #1
	str	x1, [x0, #CPU_IN_EL2]
	stp	x4, x5, [x0, #CPU_HOST_X + 8 * 4]
	stp	x6, x7, [x0, #CPU_HOST_X + 8 * 6]
	stp	x8, x9, [x0, #CPU_HOST_X + 8 * 8]
	stp	x10, x11, [x0, #CPU_HOST_X + 8 * 10]
	stp	x12, x13, [x0, #CPU_HOST_X + 8 * 12]
	stp	x14, x15, [x0, #CPU_HOST_X + 8 * 14]
	stp	x16, x17, [x0, #CPU_HOST_X + 8 * 16]
	stp	x18, x19, [x0, #CPU_HOST_X + 8 * 18]
	stp	x20, x21, [x0, #CPU_HOST_X + 8 * 20]
	stp	x22, x23, [x0, #CPU_HOST_X + 8 * 22]
	stp	x24, x25, [x0, #CPU_HOST_X + 8 * 24]
	stp	x26, x27, [x0, #CPU_HOST_X + 8 * 26]
	stp	x28, x29, [x0, #CPU_HOST_X + 8 * 28]
	mrs	x1, elr_el2
	mrs	x2, spsr_el2
	stp	x30, x1, [x0, #CPU_HOST_X + 8 * 30]
	str	x2, [x0, #CPU_HOST_PSTATE]
	mov	x29, xzr
	mov	x30, xzr
	bl	host_exit
	/* falls through: TPIDR_EL2 again, so that nothing depends on what C kept in registers */
	.global host_return
host_return:
	mrs	x0, tpidr_el2
	ldr	x2, [x0, #CPU_HOST_PSTATE]
	ldp	x30, x1, [x0, #CPU_HOST_X + 8 * 30]
	msr	elr_el2, x1
	msr	spsr_el2, x2
	ldp	x28, x29, [x0, #CPU_HOST_X + 8 * 28]
	ldp	x26, x27, [x0, #CPU_HOST_X + 8 * 26]
	ldp	x24, x25, [x0, #CPU_HOST_X + 8 * 24]
	ldp	x22, x23, [x0, #CPU_HOST_X + 8 * 22]
	ldp	x20, x21, [x0, #CPU_HOST_X + 8 * 20]
	ldp	x18, x19, [x0, #CPU_HOST_X + 8 * 18]
	ldp	x16, x17, [x0, #CPU_HOST_X + 8 * 16]
	ldp	x14, x15, [x0, #CPU_HOST_X + 8 * 14]
	ldp	x12, x13, [x0, #CPU_HOST_X + 8 * 12]
	ldp	x10, x11, [x0, #CPU_HOST_X + 8 * 10]
	ldp	x8, x9, [x0, #CPU_HOST_X + 8 * 8]
	ldp	x6, x7, [x0, #CPU_HOST_X + 8 * 6]
	ldp	x4, x5, [x0, #CPU_HOST_X + 8 * 4]
	ldp	x2, x3, [x0, #CPU_HOST_X + 8 * 2]
	/* a release: whoever sees 0 sees all that this CPU did at EL2 */
	add	x1, x0, #CPU_IN_EL2
	stlr	xzr, [x1]
	ldp	x0, x1, [x0, #CPU_HOST_X]
	eret
	/* no speculation past the ERET */
	dsb	nsh
	isb

own_exception:
	/* one shared stack: the first CPU to panic wins, later ones park in panic_enter() */
	adrp	x1, panic_lock
	add	x1, x1, :lo12:panic_lock
	mov	w3, #1
1:	ldaxr	w2, [x1]
	cbnz	w2, 2f
	stxr	w4, w3, [x1]
	cbnz	w4, 1b
	adrp	x1, panic_stack_top
	add	x1, x1, :lo12:panic_stack_top
	mov	sp, x1
	mov	x29, xzr
	mov	x30, xzr
	bl	panic_exception
2:	wfe
	b	2b

	.section .bss.panic_lock, "aw", %nobits
	.balign 8
panic_lock:
	.space 8
