// SPDX-License-Identifier: BSD-3-Clause
/*
 * The bench guest: makes one kind of exit after the other, a fixed number of times each, and prints
 * how long that took by its own counter: "bench NAME ITERATIONS TICKS". `hint #0x70` and `hint
 * #0x71` enclose what is measured, for the counting plugin. "empty" is the same loop without an
 * exit. Interrupts stay masked: an IPI is taken by WFI and read from the GIC.
 */
#include "env.h"

const char image_name[] = "bench";

/* QEMU's virt machine. */
#define GICD 0x08000000ul
#define GICD_CTLR 0x0000
#define GICD_IIDR 0x0008
#define GICR 0x080a0000ul
#define GICR_FRAME 0x20000ul
#define GICR_WAKER 0x0014
#define GICR_IGROUPR0 0x10080
#define GICR_ISENABLER0 0x10100
#define UART_FR 0x09000018ul

#define SGI 1ul
#define ICC_IAR1_EL1 s3_0_c12_c12_0
#define ICC_EOIR1_EL1 s3_0_c12_c12_1
#define ICC_SGI1R_EL1 s3_0_c12_c11_5
#define ICC_SRE_EL1 s3_0_c12_c12_5
#define ICC_PMR_EL1 s3_0_c4_c6_0
#define ICC_IGRPEN1_EL1 s3_0_c12_c12_7
#define read_register(name) read_sysreg_(name)
#define read_sysreg_(name) read_sysreg(name)
#define write_register(name, value) write_sysreg_(name, value)
#define write_sysreg_(name, value) write_sysreg(name, value)

#define WARM_UP 100
#define ITERATIONS 2000
#define IPI_ITERATIONS 500

static u32 mmio_read(u64 address)
{
	u32 value;

	/* One plain load: what any hypervisor can decode. */
	__asm__ volatile("ldr %w0, [%1]" : "=r"(value) : "r"(address) : "memory");
	return value;
}

static void mmio_write(u64 address, u32 value)
{
	__asm__ volatile("str %w0, [%1]" : : "r"(value), "r"(address) : "memory");
}

static void gic_setup(u32 cpu)
{
	const u64 frame = GICR + cpu * GICR_FRAME;

	mmio_write(frame + GICR_WAKER, 0);
	mmio_write(frame + GICR_IGROUPR0, ~0u);
	mmio_write(frame + GICR_ISENABLER0, 1u << SGI);
	write_register(ICC_SRE_EL1, 7);
	isb();
	write_register(ICC_PMR_EL1, 0xff);
	write_register(ICC_IGRPEN1_EL1, 1);
	isb();
}

static void ipi_send(u32 cpu)
{
	/* INTID in bits 27:24, target list in 15:0; both CPUs have affinity 0.0.0.x. */
	write_register(ICC_SGI1R_EL1, SGI << 24 | 1ul << cpu);
	isb();
}

static void ipi_wait(void)
{
	u64 intid;

	do {
		__asm__ volatile("wfi" : : : "memory");
		intid = read_register(ICC_IAR1_EL1) & 0xffffff;
		dsb();
	} while (intid != SGI);
	write_register(ICC_EOIR1_EL1, intid);
	isb();
}

/* CPU 1 answers every IPI. */
static void echo(u32 index)
{
	gic_setup(index);
	for (;;) {
		ipi_wait();
		ipi_send(0);
	}
}

static void do_nothing(void)
{
	__asm__ volatile("" : : : "memory");
}

static void do_hypercall(void)
{
	/* No such call: the shortest way there and back. */
	hvc(0x4b000000, 0, 0, 0);
}

static void do_mmio_vgic(void)
{
	mmio_read(GICD + GICD_IIDR);
}

static void do_mmio_user(void)
{
	mmio_read(UART_FR);
}

static void do_ipi(void)
{
	ipi_send(1);
	ipi_wait();
}

static void measure(const char *name, void (*operation)(void), u64 iterations)
{
	u64 begin;
	u64 end;

	for (u64 i = 0; i < WARM_UP; i++) {
		operation();
	}
	isb();
	begin = counter();
	__asm__ volatile("hint #0x70" : : : "memory");
	for (u64 i = 0; i < iterations; i++) {
		operation();
	}
	__asm__ volatile("hint #0x71" : : : "memory");
	isb();
	end = counter();
	print("bench %s %lu %lu\n", name, iterations, end - begin);
}

_Noreturn void image_main(void)
{
	measure("empty", do_nothing, ITERATIONS);
	measure("hypercall", do_hypercall, ITERATIONS);
	measure("mmio-vgic", do_mmio_vgic, ITERATIONS);
	measure("mmio-user", do_mmio_user, ITERATIONS);
	gic_setup(0);
	mmio_write(GICD + GICD_CTLR, 1u << 4 | 1u << 1); /* ARE, group 1 */
	if (cpu_start(1, echo) != PSCI_SUCCESS) {
		fail("the second CPU does not start");
	}
	measure("ipi", do_ipi, IPI_ITERATIONS);
	print("bench done\n");
	pass();
}
