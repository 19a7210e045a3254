/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * void secret_hold(uint64_t words[72], const uint64_t sum[3])
 *
 * x19-x28 and v0-v30 take the words (x19 first; each vector its low half first), the array is wiped, then the loop spins.
 * Once in 2^20 turns it XORs all registers together and compares with `sum`: returns if one has changed. What the caller
 * had in callee-saved registers is on the stack, so it comes back wiped of the secret.
 */
	.text
	.global	secret_hold
	.type	secret_hold, %function
secret_hold:
	stp	x29, x30, [sp, #-160]!
	stp	x19, x20, [sp, #16]
	stp	x21, x22, [sp, #32]
	stp	x23, x24, [sp, #48]
	stp	x25, x26, [sp, #64]
	stp	x27, x28, [sp, #80]
	stp	d8, d9, [sp, #96]
	stp	d10, d11, [sp, #112]
	stp	d12, d13, [sp, #128]
	stp	d14, d15, [sp, #144]
	ldp	x9, x10, [x1]
	ldr	x11, [x1, #16]

	mov	x2, x0
	ldp	x19, x20, [x2], #16
	ldp	x21, x22, [x2], #16
	ldp	x23, x24, [x2], #16
	ldp	x25, x26, [x2], #16
	ldp	x27, x28, [x2], #16
	ldp	q0, q1, [x2], #32
	ldp	q2, q3, [x2], #32
	ldp	q4, q5, [x2], #32
	ldp	q6, q7, [x2], #32
	ldp	q8, q9, [x2], #32
	ldp	q10, q11, [x2], #32
	ldp	q12, q13, [x2], #32
	ldp	q14, q15, [x2], #32
	ldp	q16, q17, [x2], #32
	ldp	q18, q19, [x2], #32
	ldp	q20, q21, [x2], #32
	ldp	q22, q23, [x2], #32
	ldp	q24, q25, [x2], #32
	ldp	q26, q27, [x2], #32
	ldp	q28, q29, [x2], #32
	ldr	q30, [x2]

	mov	x2, #72
1:	str	xzr, [x0], #8
	subs	x2, x2, #1
	b.ne	1b

2:	mov	x3, #0x100000
3:	subs	x3, x3, #1
	b.ne	3b
	eor	x4, x19, x20
	.irp	n, 21, 22, 23, 24, 25, 26, 27, 28
	eor	x4, x4, x\n
	.endr
	movi	v31.2d, #0
	.irp	n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30
	eor	v31.16b, v31.16b, v\n\().16b
	.endr
	umov	x5, v31.d[0]
	umov	x6, v31.d[1]
	cmp	x4, x9
	ccmp	x5, x10, #0, eq
	ccmp	x6, x11, #0, eq
	b.eq	2b

	.irp	n, 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
	movi	v\n\().2d, #0
	.endr
	ldp	d14, d15, [sp, #144]
	ldp	d12, d13, [sp, #128]
	ldp	d10, d11, [sp, #112]
	ldp	d8, d9, [sp, #96]
	ldp	x27, x28, [sp, #80]
	ldp	x25, x26, [sp, #64]
	ldp	x23, x24, [sp, #48]
	ldp	x21, x22, [sp, #32]
	ldp	x19, x20, [sp, #16]
	ldp	x29, x30, [sp], #160
	ret
	.size	secret_hold, . - secret_hold
	.section .note.GNU-stack, "", %progbits
