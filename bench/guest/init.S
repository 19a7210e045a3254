/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the host runs in place of init for the boot figure: its first instruction tells the counting plugin (mark 15) that
 * user space was reached; then it switches the machine off. reboot(2): syscall 142.
 */
	.global	_start
_start:
	hint	#0x7f
	movz	x0, #0xdead
	movk	x0, #0xfee1, lsl #16	/* LINUX_REBOOT_MAGIC1 */
	movz	x1, #0x1969
	movk	x1, #0x2812, lsl #16	/* LINUX_REBOOT_MAGIC2 */
	movz	x2, #0xfedc
	movk	x2, #0x4321, lsl #16	/* LINUX_REBOOT_CMD_POWER_OFF */
	mov	x8, #142
	svc	#0
	b	.
