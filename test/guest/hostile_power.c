/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The power calls that end a CPU's or the machine's life. The command line chooses one of "off",
 * "reset", "reset2": they end the machine while one CPU builds and destroys VMs, one runs a VM that
 * shares memory, one calls without a pause, and a protected VM holds a secret, whose pages the
 * driver looks at afterwards ("SECRET first-pfn count"). Without: CPU_OFF of the boot CPU and
 * CPU_SUSPEND.
 */
#include "tiny.h"

const char image_name[] = "power";

TINY_PAYLOAD(payload, "guest_share");

static struct tiny_vm secret_vm, busy_vm;

/* ---- the machine's end: what the other CPUs do meanwhile ---- */

static volatile u32 is_calling, is_building;

static void caller(u32 index)
{
	(void)index;
	for (;;) {
		hvc(RV_VERSION, 0, 0, 0);
		is_calling = 1;
	}
}

#define BUILD_PAGES 64
static u64 build_pages, build_record, build_root, build_tables;

/*
 * The statuses do not matter: the end of the machine may come between any two calls, and inside of
 * them.
 */
static void builder(u32 index)
{
	u64 gfn = TINY_RAM_BASE / PAGE_BYTES, i;
	struct smccc out;

	(void)index;
	for (;;) {
		rv_call(&out, RV_VM_CREATE, build_record, build_root, RV_VM_PROTECTED, 0, 0);
		for (i = 0; i < 8; i++) {
			rv_call(NULL, RV_VM_TOPUP, out.x[1], build_tables + i, 0, 0, 0);
		}
		rv_call(NULL, RV_VM_ADD_RAM, out.x[1], gfn, BUILD_PAGES, 0, 0);
		rv_call(NULL, RV_IMAGE_ADD, out.x[1], gfn * PAGE_BYTES, BUILD_PAGES * PAGE_BYTES, 0,
			0);
		rv_call(NULL, RV_IMAGE_MAP, out.x[1], 0, build_pages, BUILD_PAGES, 0);
		rv_call(NULL, RV_VM_KILL, out.x[1], 0, 0, 0, 0);
		rv_call(NULL, RV_MEM_RECLAIM, out.x[1], gfn, BUILD_PAGES, 0, 0);
		rv_call(NULL, RV_VM_DESTROY, out.x[1], 0, 0, 0, 0);
		is_building++;
	}
}

static void host_of_busy_vm(u32 index)
{
	(void)index;
	busy_vm.may_die = true; /* the machine may end between two runs */
	for (;;) {
		tiny_run(&busy_vm, 0);
	}
}

static void start_others(void)
{
	static void (*const jobs[])(u32) = { caller, builder, host_of_busy_vm };
	u32 i;

	build_pages = tiny_pages(BUILD_PAGES, 1);
	build_record = tiny_pages(tiny_facts.vm_pages, 1);
	build_root = tiny_pages(2, 2);
	build_tables = tiny_pages(8, 1);
	tiny_build(&busy_vm, "busy", true, &payload, 1, "loop");
	for (i = 0; i < ARRAY_SIZE(jobs) && i + 1 < cpu_count(); i++) {
		if (cpu_start(i + 1, jobs[i]) != PSCI_SUCCESS) {
			fail("CPU %u does not start", i + 1);
		}
	}
	while ((cpu_count() > 1 && !is_calling) || (cpu_count() > 2 && is_building < 2) ||
	       (cpu_count() > 3 && *(volatile u64 *)&busy_vm.exits[RV_EXIT_MMIO] < 62)) {
	}
	wait_us(random_u64() % 20000);
}

#define SECRET_PAGES 64
#define SECRET 0x5ec7e75ec7e75ec7ul

static void make_secret(void)
{
	u64 pfn = tiny_pages(SECRET_PAGES, 1), i;

	tiny_create(&secret_vm, "secret", &tiny_nobody);
	for (i = 0; i < SECRET_PAGES * 512; i++) {
		((u64 *)(pfn * PAGE_BYTES))[i] = SECRET;
	}
	tiny_load_pages(&secret_vm, TINY_RAM_BASE, pfn, SECRET_PAGES * PAGE_BYTES);
	print("SECRET %#lx %d\n", pfn, SECRET_PAGES);
}

static _Noreturn void end_machine(u64 call)
{
	ready();
	tiny_begin();
	make_secret();
	start_others();
	print("\nPASS %s\n", image_name); /* what remains is seen from outside */
	psci(call, 0, 0, 0);
	fail("call %#lx came back", call);
}

/* ---- CPU_SUSPEND ---- */

static void must_refuse_suspend(u64 call, u64 state, u64 entry)
{
	s64 status = (s64)psci(call, state, entry, 0);

	if (status >= 0) {
		fail("suspend call %#lx (state %#lx, entry %#lx): %ld", call, state, entry, status);
	}
}

static void check_suspend(void)
{
	u64 core = machine.core_count ? machine.core[0].base : 0;
	static const u64 states[] = { 1 << 16, 1 << 30, 1 << 16 | 1 << 30, 0x3010000 };
	u32 i;

	gic_begin();
	for (i = 0; i < ARRAY_SIZE(states); i++) {
		timer_arm_us(1000); /* whoever sleeps wakes up */
		must_refuse_suspend(PSCI_CPU_SUSPEND, states[i], core);
		must_refuse_suspend(PSCI_CPU_SUSPEND, states[i], cpu_entry_address());
		must_refuse_suspend(PSCI_CPU_SUSPEND & ~(1ul << 30), states[i], core);
	}
	must_refuse_suspend(PSCI_SYSTEM_SUSPEND, core, core);
	must_refuse_suspend(PSCI_SYSTEM_SUSPEND & ~(1ul << 30), core, core);
	timer_stop();
	if (arrived_at_el2) {
		fail("a CPU arrived at EL2");
	}
}

/* ---- CPU_OFF ---- */

static volatile u32 boot_cpu_is_back;

static void boot_cpu_again(u32 index)
{
	(void)index;
	boot_cpu_is_back = 1;
}

static void second_cpu(u32 index)
{
	(void)index;
	if (!cpu_wait_off(0)) {
		fail("the boot CPU does not go off");
	}
	if (cpu_start(0, boot_cpu_again) != PSCI_SUCCESS || !cpu_wait_off(0) || !boot_cpu_is_back) {
		fail("the boot CPU does not come back");
	}
	if (hvc(RV_VERSION, 0, 0, 0) != RV_OK) {
		fail("the corevisor does not answer any more");
	}
	pass();
}

_Noreturn void image_main(void)
{
	if (has_bootarg("off")) {
		end_machine(PSCI_SYSTEM_OFF);
	}
	if (has_bootarg("reset")) {
		end_machine(PSCI_SYSTEM_RESET);
	}
	if (has_bootarg("reset2")) {
		end_machine(PSCI_SYSTEM_RESET2);
	}
	ready();
	check_suspend();
	if (cpu_count() < 2) {
		pass();
	}
	if (cpu_start(1, second_cpu) != PSCI_SUCCESS) {
		fail("CPU 1 does not start");
	}
	psci(PSCI_CPU_OFF, 0, 0, 0);
	fail("CPU_OFF came back");
}
