/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Into a guest and back. switch_enter() looks to its C caller like a function that returns when the
 * guest traps; the vectors' part of the contract is at the top of vectors.S.
 */
#include <arm64/cpu.h>
#include <arm64/switch.h>
#include <cv/context.h>

/* Frame on the EL2 stack: x19-x30, then the context's address (and 8 bytes to keep SP aligned) */
#define FRAME_CONTEXT 96
#define FRAME_BYTES 112
/* The vector pushed the guest's x0 and x1 above the frame. */
#define PUSHED 16

	.text

	/* x0 = struct vcpu *, x1 = struct context *, x2 = struct cpu *; returns SWITCH_* */
	.global switch_enter
switch_enter:
	sub	sp, sp, #FRAME_BYTES
	stp	x19, x20, [sp, #0]
	stp	x21, x22, [sp, #16]
	stp	x23, x24, [sp, #32]
	stp	x25, x26, [sp, #48]
	stp	x27, x28, [sp, #64]
	stp	x29, x30, [sp, #80]
	str	x1, [sp, #FRAME_CONTEXT]
	ldp	x3, x4, [x1, #CONTEXT_PC]
	msr	elr_el2, x3
	msr	spsr_el2, x4
	str	x0, [x2, #CPU_RUNNING]
	ldp	x2, x3, [x1, #CONTEXT_X + 8 * 2]
	ldp	x4, x5, [x1, #CONTEXT_X + 8 * 4]
	ldp	x6, x7, [x1, #CONTEXT_X + 8 * 6]
	ldp	x8, x9, [x1, #CONTEXT_X + 8 * 8]
	ldp	x10, x11, [x1, #CONTEXT_X + 8 * 10]
	ldp	x12, x13, [x1, #CONTEXT_X + 8 * 12]
	ldp	x14, x15, [x1, #CONTEXT_X + 8 * 14]
	ldp	x16, x17, [x1, #CONTEXT_X + 8 * 16]
	ldp	x18, x19, [x1, #CONTEXT_X + 8 * 18]
	ldp	x20, x21, [x1, #CONTEXT_X + 8 * 20]
	ldp	x22, x23, [x1, #CONTEXT_X + 8 * 22]
	ldp	x24, x25, [x1, #CONTEXT_X + 8 * 24]
	ldp	x26, x27, [x1, #CONTEXT_X + 8 * 26]
	ldp	x28, x29, [x1, #CONTEXT_X + 8 * 28]
	ldr	x30, [x1, #CONTEXT_X + 8 * 30]
	ldp	x0, x1, [x1, #CONTEXT_X]
	eret
	/* no speculation past the ERET */
	dsb	nsh
	isb

	/* x0 = struct cpu *, x1 = struct vcpu *; the guest's own x0 and x1 on the stack, the others
	 * in their registers */
	.global vcpu_exit_sync
vcpu_exit_sync:
	str	xzr, [x0, #CPU_RUNNING]
	mov	x0, #SWITCH_SYNC
	b	switch_exit

	.global vcpu_exit_irq
vcpu_exit_irq:
	str	xzr, [x0, #CPU_RUNNING]
	mov	x0, #SWITCH_IRQ
	b	switch_exit

	.global vcpu_exit_serror
vcpu_exit_serror:
	str	xzr, [x0, #CPU_RUNNING]
	mov	x0, #SWITCH_SERROR

switch_exit:
	ldr	x1, [sp, #PUSHED + FRAME_CONTEXT]
	stp	x2, x3, [x1, #CONTEXT_X + 8 * 2]
	stp	x4, x5, [x1, #CONTEXT_X + 8 * 4]
	stp	x6, x7, [x1, #CONTEXT_X + 8 * 6]
	stp	x8, x9, [x1, #CONTEXT_X + 8 * 8]
	stp	x10, x11, [x1, #CONTEXT_X + 8 * 10]
	stp	x12, x13, [x1, #CONTEXT_X + 8 * 12]
	stp	x14, x15, [x1, #CONTEXT_X + 8 * 14]
	stp	x16, x17, [x1, #CONTEXT_X + 8 * 16]
	stp	x18, x19, [x1, #CONTEXT_X + 8 * 18]
	stp	x20, x21, [x1, #CONTEXT_X + 8 * 20]
	stp	x22, x23, [x1, #CONTEXT_X + 8 * 22]
	stp	x24, x25, [x1, #CONTEXT_X + 8 * 24]
	stp	x26, x27, [x1, #CONTEXT_X + 8 * 26]
	stp	x28, x29, [x1, #CONTEXT_X + 8 * 28]
	str	x30, [x1, #CONTEXT_X + 8 * 30]
	ldp	x2, x3, [sp], #PUSHED
	stp	x2, x3, [x1, #CONTEXT_X]
	mrs	x2, elr_el2
	mrs	x3, spsr_el2
	stp	x2, x3, [x1, #CONTEXT_PC]
	ldp	x19, x20, [sp, #0]
	ldp	x21, x22, [sp, #16]
	ldp	x23, x24, [sp, #32]
	ldp	x25, x26, [sp, #48]
	ldp	x27, x28, [sp, #64]
	ldp	x29, x30, [sp, #80]
	add	sp, sp, #FRAME_BYTES
	ret
