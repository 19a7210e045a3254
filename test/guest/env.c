/* SPDX-License-Identifier: BSD-3-Clause */
/* The environment of env.h: start, exceptions, CPUs, ends. */
#include "env.h"
#include "env_private.h"

struct cpu env_cpus[ENV_CPUS];
volatile u64 arrived_at_el2;
u64 env_tables[512] __attribute__((aligned(4096)));

extern char image_start[], image_end[], user_return[], secondary_entry[];

/* Level-1 entries: block, access flag; normal memory is inner shareable. */
#define BLOCK_DEVICE (1ul | 0ul << 2 | 1ul << 10 | 3ul << 53)
#define BLOCK_KERNEL (1ul | 1ul << 2 | 3ul << 8 | 1ul << 10 | 1ul << 54)
#define BLOCK_USER (1ul | 1ul << 2 | 1ul << 6 | 3ul << 8 | 1ul << 10 | 1ul << 53)

static void build_tables(void)
{
	u64 i;

	for (i = 0; i < 256; i++) {
		env_tables[i] = i << 30 | (i == 0 ? BLOCK_DEVICE : BLOCK_KERNEL);
		env_tables[256 + i] = i << 30 | BLOCK_USER;
	}
	env_tables[256] = 0;
}

void tlb_flush(void)
{
	__asm__ volatile("dsb ishst; tlbi vmalle1is; dsb ish; isb" : : : "memory");
}

_Noreturn void env_start(const void *dtb)
{
	build_tables();
	mmu_on();
	machine.image.base = (u64)image_start;
	machine.image.bytes = (u64)image_end - (u64)image_start;
	machine_read(dtb);
	random_seed(bootarg("seed", 1));
	image_main();
}

/* ---- exceptions ---- */

static struct cpu *this_cpu(void)
{
	return (struct cpu *)read_sysreg(tpidr_el1);
}

void faults_expect(void)
{
	struct cpu *cpu = this_cpu();

	cpu->fault = (struct fault){ 0 };
	cpu->is_expecting = true;
	__asm__ volatile("" : : : "memory");
}

struct fault faults_taken(void)
{
	__asm__ volatile("" : : : "memory");
	this_cpu()->is_expecting = false;
	return this_cpu()->fault;
}

void env_exception(struct frame *frame, u64 kind)
{
	struct cpu *cpu = this_cpu();
	u64 esr = read_sysreg(esr_el1), far = read_sysreg(far_el1);

	if (kind == 8 && ESR_EC(esr) == EC_SVC) { /* user_call is done */
		frame->elr = (u64)user_return;
		frame->spsr = 0x3c5;
		return;
	}
	if (!cpu->is_expecting || (kind != 4 && kind != 8)) {
		fail("unexpected exception: vector %lu esr %#lx far %#lx elr +%#lx x30 +%#lx", kind,
		     esr, far, frame->elr - (u64)image_start, frame->x[30] - (u64)image_start);
	}
	cpu->fault = (struct fault){ cpu->fault.count + 1, esr, far, frame->elr };
	if (ESR_EC(esr) == EC_IABT_EL1 || ESR_EC(esr) == EC_IABT_EL0) {
		frame->elr = frame->x[30]; /* a jump to nowhere: back to after the call */
	} else {
		frame->elr += 4;
		frame->spsr &= ~(1ul << 20); /* PSTATE.IL: an illegal return would fault for ever */
	}
}

/* ---- CPUs ---- */

u32 cpu_count(void)
{
	return machine.cpus;
}

u64 cpu_mpidr(u32 index)
{
	return machine.mpidr[index];
}

u32 cpu_self(void)
{
	return (u32)(this_cpu() - env_cpus);
}

u64 cpu_entry_address(void)
{
	return (u64)secondary_entry;
}

void cpu_prepare(u32 index, void (*fn)(u32 index))
{
	env_cpus[index].fn = fn;
	/* The CPU arrives with its MMU off: what it reads before has to be in memory. */
	__asm__ volatile("dc civac, %0; dsb sy" : : "r"(&env_cpus[index]) : "memory");
}

s64 cpu_start(u32 index, void (*fn)(u32 index))
{
	cpu_prepare(index, fn);
	return (s64)psci(PSCI_CPU_ON, cpu_mpidr(index), cpu_entry_address(), index);
}

bool cpu_wait_off(u32 index)
{
	u64 end = counter() + counter_hz();

	while (counter() < end) {
		if (psci(PSCI_AFFINITY_INFO, cpu_mpidr(index), 0, 0) == 1) {
			return true;
		}
	}
	return false;
}

_Noreturn void env_secondary(u32 index)
{
	env_cpus[index].fn(index);
	psci(PSCI_CPU_OFF, 0, 0, 0);
	fail("CPU %u: CPU_OFF came back", index);
}

/* ---- calls ---- */

/* head.S: a call that came back with x18-x30 changed. */
_Noreturn void smccc_clobbered(const struct smccc *regs)
{
	fail("a call clobbered x18-x30; x0 = %#lx, x1 = %#lx", regs->x[0], regs->x[1]);
}

u64 hvc(u64 id, u64 a, u64 b, u64 c)
{
	struct smccc regs = { { id, a, b, c } };

	smccc_hvc(&regs);
	return regs.x[0];
}

u64 psci(u64 id, u64 a, u64 b, u64 c)
{
	struct smccc regs = { { id, a, b, c } };

	if (machine.psci_is_smc) {
		smccc_smc(&regs);
	} else {
		smccc_hvc(&regs);
	}
	return (u64)(s64)(int32_t)regs.x[0];
}

/* ---- ends ---- */

/* Switching off may fail too, and fail() switches off. */
static _Noreturn void power_off(void)
{
	static bool is_second;

	if (!is_second) {
		is_second = true;
		psci(PSCI_SYSTEM_OFF, 0, 0, 0);
	}
	for (;;) {
		__asm__ volatile("wfi");
	}
}

_Noreturn void pass(void)
{
	print("PASS %s\n", image_name);
	power_off();
}

_Noreturn void skip(const char *why)
{
	print("SKIP %s: %s\n", image_name, why);
	power_off();
}

_Noreturn void fail(const char *format, ...)
{
	__builtin_va_list args;

	print("FAIL %s: ", image_name);
	__builtin_va_start(args, format);
	print_list(format, args);
	__builtin_va_end(args);
	print("\n");
	power_off();
}

void ready(void)
{
	u32 i;

	for (i = 0; i < machine.core_count; i++) {
		print("CORE %#lx %#lx\n", machine.core[i].base, machine.core[i].bytes);
	}
	print("INFO %#lx %#lx\n", machine.info.base, machine.info.bytes);
	print("READY %s\n", image_name);
	if (has_bootarg("wait")) {
		console_read_byte();
	}
}

/* ---- time and chance ---- */

u64 counter(void)
{
	isb();
	return read_sysreg(cntpct_el0);
}

u64 counter_hz(void)
{
	return read_sysreg(cntfrq_el0);
}

void wait_us(u64 us)
{
	u64 end = counter() + us * counter_hz() / 1000000;

	while (counter() < end) {
	}
}

static u64 random_state = 1;

void random_seed(u64 seed)
{
	random_state = seed * 0x9e3779b97f4a7c15ul + 1;
}

u64 random_u64(void) /* splitmix64 */
{
	u64 z = random_state += 0x9e3779b97f4a7c15ul;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ul;
	z = (z ^ z >> 27) * 0x94d049bb133111ebul;
	return z ^ z >> 31;
}
