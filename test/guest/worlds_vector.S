/* SPDX-License-Identifier: BSD-3-Clause */
/* Vector registers from and to memory: V0-V31; and, with SVE, Z0-Z31, P0-P15 and FFR at the length in force. */
	.arch	armv8.2-a+sve
	.text

.macro each_vector instruction
	.irp	n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
	\instruction	q\n, [x0, #16 * \n]
	.endr
	.irp	n, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
	\instruction	q\n, [x0, #16 * \n]
	.endr
.endm

.macro each_sve instruction
	.irp	n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
	\instruction	z\n, [x0, #\n, mul vl]
	\instruction	p\n, [x1, #\n, mul vl]
	.endr
	.irp	n, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
	\instruction	z\n, [x0, #\n, mul vl]
	.endr
.endm

	.global vectors_load
vectors_load:
	each_vector ldr
	ret

	.global vectors_store
vectors_store:
	each_vector str
	ret

	/* (z, p): FFR is taken from, and stored as, the 17th predicate */
	.global sve_load
sve_load:
	ldr	p0, [x1, #16, mul vl]
	wrffr	p0.b
	each_sve ldr
	ret

	.global sve_store
sve_store:
	each_sve str
	rdffr	p0.b
	str	p0, [x1, #16, mul vl]
	ret

	.global sve_length
sve_length:
	rdvl	x0, #1
	ret
