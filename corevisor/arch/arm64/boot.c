/* SPDX-License-Identifier: BSD-3-Clause */
/* The architecture's part of booting: CPUs, their memory, EL2's map and the way into the host. */
#include <cv/boot.h>

#include <arm64/cpu.h>
#include <arm64/mmu.h>
#include <arm64/sysreg.h>
#include <cv/arch_host.h>
#include <cv/check.h>
#include <cv/exception.h>
#include <cv/hyp_map.h>
#include <cv/pte.h>
#include <plat/plat.h>
#include <string.h>

#define STACK_BYTES (3 * PAGE_SIZE)
#define GUARD_BYTES PAGE_SIZE
#define RED_ZONE_BYTES 512ull

/* GICv3 redistributor (IHI 0069, 12.11): RD frame, then the SGI frame; GICv4 adds two more */
#define GICR_FRAME_BYTES 0x10000ull
#define GICR_TYPER 0x08
#define GICR_TYPER_VLPIS (1u << 1)
#define GICR_TYPER_LAST (1u << 4)

_Noreturn void arch_boot(u64 dtb);
extern const char image_start[], text_end[], data_start[], boot_stack_guard[], image_end[],
	el2_vectors[];

static u32 cpu_count;
static struct boot_range cpu_memory;

_Noreturn void arch_boot(u64 dtb)
{
	cpus[0].in_el2 = 1;
	boot_main(pa_make(dtb), pa_make((u64)(uintptr_t)image_start),
		  (u64)(image_end - image_start));
}

const char *arch_boot_unfit(void)
{
	return cpu_unfit();
}

static u64 cpu_bytes(void)
{
	return GUARD_BYTES + STACK_BYTES + 2 * align_up(cpu_fp_bytes(), PAGE_SIZE);
}

u64 arch_boot_cpus_bytes(u32 count)
{
	cpu_init_fp(cpu_this());
	return count * cpu_bytes();
}

static u64 gicr_affinity(const volatile u32 *frame)
{
	u32 affinity = frame[GICR_TYPER / 4 + 1];

	return (affinity & 0xffffff) | (u64)(affinity >> 24) << 32;
}

/* The SGI frame of the CPU with this affinity within one region of redistributors; NULL if it is
 * not there. */
static volatile u32 *gicr_find(const struct boot_range *region, u64 affinity)
{
	u64 at = region->base;
	u32 typer;

	do {
		const volatile u32 *frame = (const volatile u32 *)(uintptr_t)at;

		typer = frame[GICR_TYPER / 4];
		if (gicr_affinity(frame) == affinity) {
			return (volatile u32 *)(uintptr_t)(at + GICR_FRAME_BYTES);
		}
		at += ((typer & GICR_TYPER_VLPIS) != 0 ? 4 : 2) * GICR_FRAME_BYTES;
	} while ((typer & GICR_TYPER_LAST) == 0 &&
		 at + 2 * GICR_FRAME_BYTES <= region->base + region->bytes);
	return NULL;
}

static void cpu_prepare(u32 index, u64 affinity, u64 memory)
{
	struct cpu *cpu = &cpus[index];

	cpu->index = index;
	cpu->mpidr = affinity;
	cpu->stack_top = memory + GUARD_BYTES + STACK_BYTES;
	cpu->fp_area = (u8 *)(uintptr_t)cpu->stack_top;
	cpu->fp_area_bytes = (cpu_bytes() - GUARD_BYTES - STACK_BYTES) / 2;
	cpu->fp_host = cpu->fp_area + cpu->fp_area_bytes;
}

void arch_boot_cpus(pa_t base, const u64 *affinity, u32 count, const struct boot_range *gicr,
		    u32 gicr_count)
{
	struct cpu first = *cpu_this();

	cpu_count = count;
	cpu_memory = (struct boot_range){ base.v, count * cpu_bytes() };
	for (u32 r = 0; r < gicr_count; r++) {
		arch_boot_map_device(pa_make(gicr[r].base), gicr[r].bytes);
	}
	memset(cpus, 0, sizeof(cpus));
	for (u32 i = 0; i < count; i++) {
		if (affinity[i] == arch_cpu_affinity()) {
			/* The rest of boot is this CPU. */
			cpus[i] = first;
			sysreg_write(tpidr_el2, (u64)(uintptr_t)&cpus[i]);
		}
	}
	for (u32 i = 0; i < count; i++) {
		cpu_prepare(i, affinity[i], base.v + i * cpu_bytes());
		for (u32 r = 0; r < gicr_count && cpus[i].gicr_sgi == NULL; r++) {
			cpus[i].gicr_sgi = gicr_find(&gicr[r], affinity[i]);
		}
		if (cpus[i].gicr_sgi == NULL) {
			boot_refuse("device tree: CPU %u has no GICv3 redistributor", i);
		}
	}
}

static void map_part(const char *from, const char *to, enum hyp_prot prot)
{
	hyp_map_boot(pa_make((u64)(uintptr_t)from), (u64)(to - from), prot);
}

void arch_boot_map_self(void)
{
	u64 each = cpu_memory.bytes / cpu_count;

	map_part(image_start, text_end, HYP_TEXT);
	map_part(text_end, data_start, HYP_RODATA);
	map_part(data_start, boot_stack_guard, HYP_DATA);
	map_part(boot_stack_guard + GUARD_BYTES, image_end, HYP_DATA);
	for (u32 i = 0; i < cpu_count; i++) {
		hyp_map_boot(pa_make(cpu_memory.base + i * each + GUARD_BYTES), each - GUARD_BYTES,
			     HYP_DATA);
		hyp_map_boot(pa_make((u64)(uintptr_t)cpus[i].gicr_sgi), PAGE_SIZE, HYP_DEVICE);
	}
	/* For a panic, and for the lines until the host owns it. */
	hyp_map_boot(pa_make(PLAT_UART_BASE), PLAT_UART_BYTES, HYP_DEVICE);
}

void arch_boot_seal(pa_t root)
{
	for (u32 i = 0; i < cpu_count; i++) {
		struct cpu *cpu = &cpus[i];

		cpu->boot[BOOT_TTBR0 / 8] = root.v;
		cpu->boot[BOOT_TCR / 8] = mmu_tcr();
		cpu->boot[BOOT_MAIR / 8] = mmu_mair();
		cpu->boot[BOOT_SCTLR / 8] = SCTLR_EL2_SEALED;
		cpu->boot[BOOT_VBAR / 8] = (u64)(uintptr_t)el2_vectors;
		cpu->boot[BOOT_CPU / 8] = (u64)(uintptr_t)cpu;
		/* read with the MMU off */
		arch_clean_range(cpu->boot, sizeof(cpu->boot));
	}
	/* So are the first instructions of a CPU that arrives, which relocation has not touched but
	 * clean costs little. */
	arch_clean_range(image_start, (u64)(data_start - image_start));
	mmu_switch(root.v, SCTLR_EL2_SEALED);
}

void arch_forget_cpus(void)
{
	u64 each = cpu_memory.bytes / cpu_count;
	/* Of this CPU's stack, what lies below our own frame and a callee's. */
	u64 here = (u64)(uintptr_t)__builtin_frame_address(0) - RED_ZONE_BYTES;

	for (u32 i = 0; i < cpu_count; i++) {
		u8 *stack = (u8 *)(uintptr_t)(cpu_memory.base + i * each + GUARD_BYTES);
		bool is_own = &cpus[i] == cpu_this();
		u64 bytes = is_own ? here - (u64)(uintptr_t)stack : STACK_BYTES;

		memset(stack, 0, bytes);
		arch_clean_range(stack, bytes);
		memset(cpus[i].fp_area, 0, 2 * cpus[i].fp_area_bytes);
		arch_clean_range(cpus[i].fp_area, 2 * cpus[i].fp_area_bytes);
	}
}

_Noreturn void arch_boot_enter_host(u64 pc, u64 x0)
{
	struct cpu *cpu = cpu_this();

	cpu_init_el2(cpu);
	cpu->host = (struct host_regs){ .x = { x0 }, .pc = pc, .pstate = SPSR_HOST_START };
	/* libfdt, as packaged, used vector registers at boot. */
	arch_fp_begin();
	memset(cpu->fp_area + 64, 0, cpu->fp_area_bytes - 64);
	arch_fp_end();
	host_start();
}
