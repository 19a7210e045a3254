/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One access each: u64 access_X(u64 address, u64 value) runs at EL1 or, through user_call, at EL0. The accessing
 * instruction may fault and be skipped. Returns what was read, or 0.
 */
	.arch	armv8.2-a+lse+simd
	.text

.macro access name, code:vararg
	.global access_\name
access_\name:
	mov	x2, x0
	mov	x0, #0
	\code
	ret
.endm

	access	load_byte, ldrb w0, [x2]
	access	load, ldr x0, [x2]
	access	load_pair, ldp x0, x3, [x2]
	access	load_vector, ld1 {v0.16b}, [x2]
	access	load_acquire, ldar x0, [x2]
	access	load_exclusive, ldxr x0, [x2]
	access	load_unprivileged, ldtr x0, [x2]
	access	store_byte, strb w1, [x2]
	access	store, str x1, [x2]
	access	store_pair, stp x1, x1, [x2]
	access	store_vector, st1 {v0.16b}, [x2]
	access	store_release, stlr x1, [x2]
	access	store_unprivileged, sttr x1, [x2]
	access	lse_add, ldadd x1, x0, [x2]
	access	lse_swap, swp x1, x0, [x2]
	access	lse_compare, casal x0, x1, [x2]
	access	zero_block, dc zva, x2
	access	clean_invalidate, dc civac, x2
	access	clean, dc cvac, x2
	access	clean_pou, dc cvau, x2
	access	invalidate, dc ivac, x2
	access	invalidate_code, ic ivau, x2
	access	prefetch, prfm pldl1keep, [x2]

	.global access_store_exclusive
access_store_exclusive:
	mov	x2, x0
	mov	x0, #0
	ldxr	x0, [x2]
	stxr	w3, x1, [x2]
	ret

	.global access_fetch
access_fetch:
	mov	x9, x30
	mov	x2, x0
	mov	x0, #0
	blr	x2
	mov	x30, x9
	ret

.macro translate name, op
	.global access_\name
access_\name:
	at	\op, x0
	isb
	mrs	x0, par_el1
	ret
.endm
	translate at_read, s1e1r
	translate at_write, s1e1w
	translate at_user_read, s1e0r
