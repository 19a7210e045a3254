/* SPDX-License-Identifier: BSD-3-Clause */
/* QEMU's `virt` machine: the little that is not in its device tree. */
#ifndef PLAT_PLAT_H
#define PLAT_PLAT_H

/* PL011 of virt; used before the device tree is read and when the corevisor is entered at the wrong EL. */
#define PLAT_UART_BASE 0x09000000
#define PLAT_UART_BYTES 0x1000

#endif
