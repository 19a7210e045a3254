/* SPDX-License-Identifier: BSD-3-Clause */
/* What the owner of payload.S has signed; ravelin sign made it. */
	.section .rodata
	.balign	8
	.global launch_page
launch_page:
	.incbin	"payload.launch"
	.section .note.GNU-stack, "", %progbits
