/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Vector registers to memory and back, for fp_bracket.c and vcpu.c: V registers, and with SVE the Z, P and FFR registers
 * at the length that is in force. FFR does not exist in streaming mode (without FEAT_SME_FA64), so it has calls of its
 * own.
 */
	.arch	armv8.2-a+sve

	.macro	for_predicates instruction
	.irp	n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15
	\instruction	p\n, [x1, #\n, mul vl]
	.endr
	.endm

	.macro	for_vectors instruction
	.irp	n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
	\instruction	z\n, [x0, #\n, mul vl]
	.endr
	.endm

	.macro	for_v instruction
	.irp	n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
	\instruction	q\n, [x0, #16 * \n]
	.endr
	.endm

	/* void fp_save_v(void *area): 512 bytes */
	.global fp_save_v
fp_save_v:
	for_v	str
	ret

	/* void fp_restore_v(const void *area) */
	.global fp_restore_v
fp_restore_v:
	for_v	ldr
	ret

	/* u64 sve_vector_bytes(void) */
	.global sve_vector_bytes
sve_vector_bytes:
	rdvl	x0, #1
	ret

	/* void sve_save(void *z, void *p): 32 vectors, 16 predicates */
	.global sve_save
sve_save:
	for_vectors	str
	for_predicates	str
	ret

	/* void sve_restore(const void *z, const void *p) */
	.global sve_restore
sve_restore:
	for_vectors	ldr
	for_predicates	ldr
	ret

	/* void sve_save_ffr(void *to): one predicate; leaves p0 changed */
	.global sve_save_ffr
sve_save_ffr:
	rdffr	p0.b
	str	p0, [x0]
	ret

	/* void sve_restore_ffr(const void *from): before sve_restore, as it leaves p0 changed */
	.global sve_restore_ffr
sve_restore_ffr:
	ldr	p0, [x0]
	wrffr	p0.b
	ret

	/* void fp_wipe(void): V registers, and what SVE has above them */
	.global fp_wipe
fp_wipe:
	.irp	n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
	movi	v\n\().2d, #0
	.endr
	ret
