/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * vCPUs that move between CPUs, and two vCPUs on one CPU: what a TLB holds of one must not serve
 * the other, and the active state of the virtual timer's interrupt is in the redistributor of the
 * CPU where the vCPU is, and nowhere else.
 */
#include "moves.h"
#include "tiny.h"

const char image_name[] = "moves";

TINY_PAYLOAD(payload, "guest_moves");

#define GICR_ISACTIVER0(cpu) \
	(*(volatile u32 *)(0x080a0000ul + 0x20000ul * (cpu) + 0x10000ul + 0x300))
#define PPI_VTIMER (1u << 27)
#define LR_STATE (3ul << 62)
#define LR_PENDING (1ul << 62)
#define LR_VTIMER (1ul << 60 | 0x80ul << 48 | 27)

static struct tiny_vm vm;

/* What the runner on another CPU is to do, and what came of it. */
static struct {
	u32 vcpu;
	u64 step;
	u32 interrupts; /* runs that ended by an interrupt on the way */
} job;

/* The timer's interrupt as a vGIC would keep it: what is in the list register stays, a firing timer
 * makes it pending. */
static void propose_timer(struct rv_run *run)
{
	u64 lr = run->lr[0] & LR_STATE;

	if (run->vtimer_pending && lr == 0) {
		lr = LR_PENDING;
	}
	run->in_lr_count = 1;
	run->in_lr[0] = lr != 0 ? lr | LR_VTIMER : 0;
}

/* Runs a vCPU until its next step. */
static void run_to_step(u32 index)
{
	struct rv_run *run = vm.run[job.vcpu];
	u64 exit;

	(void)index;
	gic_begin();
	job.interrupts = 0;
	for (;;) {
		propose_timer(run);
		exit = tiny_run(&vm, job.vcpu);
		if (exit == RV_EXIT_MMIO && run->ipa == MOVES_DOOR) {
			job.step = run->data;
			return;
		}
		if (exit == RV_EXIT_SYSTEM_OFF) {
			job.step = 0;
			return;
		}
		if (exit != RV_EXIT_IRQ && exit != RV_EXIT_CPU_ON && exit != RV_EXIT_WFI) {
			fail("vCPU %u left with exit %lu, ipa %#lx, after \"%s\"", job.vcpu, exit,
			     run->ipa, vm.last_line);
		}
		job.interrupts += exit == RV_EXIT_IRQ;
	}
}

static void expect_step(u32 cpu, u32 vcpu, u64 step)
{
	job.vcpu = vcpu;
	job.step = ~0ul;
	if (cpu == 0) {
		run_to_step(0);
	} else if (cpu_start(cpu, run_to_step) != PSCI_SUCCESS || !cpu_wait_off(cpu)) {
		fail("CPU %u does not run the vCPU", cpu);
	}
	if (job.step != step) {
		fail("vCPU %u on CPU %u did step %lu, not %lu, after \"%s\"", vcpu, cpu, job.step,
		     step, vm.last_line);
	}
}

static void expect_active(const char *when)
{
	u32 cpu;

	for (cpu = 0; cpu < 2; cpu++) {
		if (GICR_ISACTIVER0(cpu) & PPI_VTIMER) {
			fail("PPI 27 of CPU %u is active %s", cpu, when);
		}
	}
}

static void live(bool is_protected)
{
	tiny_build(&vm, is_protected ? "protected" : "open", is_protected, &payload, 2, "");

	expect_step(0, 0, MOVES_MAPPED);
	expect_step(1, 0, MOVES_REMAPPED);
	expect_step(0, 0, MOVES_READ_AGAIN);
	expect_step(0, 1, MOVES_OTHER_READ);
	expect_step(0, 0, MOVES_READ_THIRD);

	expect_step(0, 0, MOVES_TIMER_ACTIVE);
	expect_active("after its vCPU has left");
	expect_step(1, 0, MOVES_STILL_ACTIVE);
	if (job.interrupts != 0) {
		fail("an active timer interrupt ended %u runs", job.interrupts);
	}
	expect_active("after its vCPU has left CPU 1");
	expect_step(0, 0, MOVES_FIRED_AGAIN);
	if (job.interrupts == 0) {
		fail("the timer's second interrupt came without the first one's end");
	}
	expect_step(1, 0, 0);
	expect_active("after the end");
	tiny_destroy(&vm);
}

_Noreturn void image_main(void)
{
	ready();
	if (cpu_count() < 2) {
		skip("needs two CPUs");
	}
	tiny_begin();
	live(false);
	if (!(tiny_facts.features & RV_FEAT_ENTROPY)) {
		skip("no entropy source: no protected VMs here");
	}
	live(true);
	pass();
}
