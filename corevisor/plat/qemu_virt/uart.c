/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Console: the PL011 that firmware or QEMU left running. Written only while the host does not own
 * it, and by a panic. Arm DDI 0183 (PL011 TRM) 3.3.
 */
#include <cv/arch.h>
#include <plat/plat.h>

#define UART_DR 0x00
#define UART_FR 0x18
#define UART_FR_TXFF (1u << 5)
/* A console that does not drain (or that the host has left in an odd state) must not hold us up. */
#define UART_PATIENCE 100000

static void uart_put(char c)
{
	volatile u32 *dr = (volatile u32 *)(uintptr_t)(PLAT_UART_BASE + UART_DR);
	const volatile u32 *fr = (const volatile u32 *)(uintptr_t)(PLAT_UART_BASE + UART_FR);

	for (u32 i = 0; i < UART_PATIENCE && (*fr & UART_FR_TXFF) != 0; i++) {
	}
	*dr = (u8)c;
}

void plat_console_write(const char *text, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++) {
		if (text[i] == '\n') {
			uart_put('\r');
		}
		uart_put(text[i]);
	}
}
