/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The life of a VM, protected and open, by the calls of abi.h: content before the first run, RAM on
 * demand, its end, its pages back and clean; and that the host is refused what it may not have
 * meanwhile.
 */
#include "guest_hello.h"
#include "tiny.h"

const char image_name[] = "vm";

TINY_PAYLOAD(payload, "guest_hello");

static struct tiny_vm vm;

static void build(bool is_protected, const char *bootargs)
{
	tiny_build(&vm, is_protected ? "protected" : "open", is_protected, &payload, 1, bootargs);
}

static void run_to_its_end(void)
{
	u64 exit = tiny_run(&vm, 0);

	if (exit != RV_EXIT_SYSTEM_OFF || !tiny_ends_with(&vm, "PASS hello")) {
		fail("the %s VM ended with exit %lu after \"%s\" (data %#lx, ipa %#lx)", vm.name,
		     exit, vm.last_line, vm.run[0]->data, vm.run[0]->ipa);
	}
	rv_expect("VCPU_RUN of a VM that is off", RV_E_STATE, RV_VCPU_RUN, vm.handle, 0, 0, 0, 0);
}

/* Every page that is the VM's or the corevisor's now, seen from the host. */
static void check_hidden(void)
{
	u64 i;

	if (tiny_is_readable(vm.record_pa / PAGE_BYTES) ||
	    tiny_is_readable(vm.root_pa / PAGE_BYTES)) {
		fail("the %s VM's record or root is readable", vm.name);
	}
	for (i = 0; i < TINY_RAM_PAGES; i++) {
		if (vm.backing[i] && tiny_is_readable(vm.backing[i]) == vm.is_protected) {
			fail("page %lu of the %s VM is%s readable", i, vm.name,
			     vm.is_protected ? "" : " not");
		}
	}
}

static void check_refusals_before_the_run(void)
{
	u64 gfn = TINY_RAM_BASE / PAGE_BYTES, free_pfn = tiny_pages(1, 1), taken = vm.backing[512];

	rv_expect("MEM_MAP outside the VM's RAM", RV_E_RANGE, RV_MEM_MAP, vm.handle, gfn - 1,
		  free_pfn, 1, 0);
	rv_expect("MEM_MAP of no page", RV_E_INVALID, RV_MEM_MAP, vm.handle, gfn, free_pfn, 0, 0);
	rv_expect("MEM_MAP of a device", RV_E_RANGE, RV_MEM_MAP, vm.handle, gfn,
		  TINY_UART / PAGE_BYTES, 1, 0);
	rv_expect("MEM_MAP of the corevisor", RV_E_STATE, RV_MEM_MAP, vm.handle, gfn,
		  machine.core[0].base / PAGE_BYTES, 1, 0);
	rv_expect("MEM_MAP of the VM's record", RV_E_STATE, RV_MEM_MAP, vm.handle, gfn,
		  vm.record_pa / PAGE_BYTES, 1, 0);
	rv_expect("MEM_MAP at a taken gfn", RV_E_BUSY, RV_MEM_MAP, vm.handle, gfn + 512, free_pfn,
		  1, 0);
	rv_expect("MEM_MAP for no VM", RV_E_NOENT, RV_MEM_MAP, ~vm.handle, gfn, free_pfn, 1, 0);
	if (vm.is_protected) {
		rv_expect("MEM_MAP of a taken page", RV_E_STATE, RV_MEM_MAP, vm.handle, gfn, taken,
			  1, 0);
		rv_expect("POOL_TOPUP with a VM's page", RV_E_STATE, RV_POOL_TOPUP, taken, 0, 0, 0,
			  0);
	}
	rv_expect("VCPU_CREATE of a verified VM", RV_E_STATE, RV_VCPU_CREATE, vm.handle, 0,
		  tiny_pages(tiny_facts.vcpu_pages, 1), tiny_pages(1, 1), 0);
	rv_expect("VM_DESTROY of a living VM", RV_E_STATE, RV_VM_DESTROY, vm.handle, 0, 0, 0, 0);
}

/*
 * While the VM lives: nothing that the host wrote gets in any more, and nothing of it can be taken.
 */
static void check_refusals_after_the_run(void)
{
	u64 gfn = TINY_RAM_BASE / PAGE_BYTES + 4096;

	rv_expect("IMAGE_ADD of a running VM", vm.is_protected ? RV_E_STATE : RV_E_PERM,
		  RV_IMAGE_ADD, vm.handle, gfn * PAGE_BYTES, 1, 0, 0);
	if (vm.is_protected) {
		rv_expect("IMAGE_MAP of a running VM", RV_E_STATE, RV_IMAGE_MAP, vm.handle, 0,
			  tiny_pages(1, 1), 1, 0);
	}
	rv_expect("VM_VERIFY of a running VM", RV_E_STATE, RV_VM_VERIFY, vm.handle,
		  tiny_pages(1, 1), 0, 0, 0);
	rv_expect("VM_ADD_RAM after the first run", RV_E_STATE, RV_VM_ADD_RAM, vm.handle, gfn * 2,
		  16, 0, 0);
	rv_expect("VCPU_BOOT after the first run", RV_E_STATE, RV_VCPU_BOOT, vm.handle, 0,
		  TINY_IMAGE_GPA, 0, 0);
	rv_expect("VCPU_CREATE after the first run", RV_E_STATE, RV_VCPU_CREATE, vm.handle, 1,
		  tiny_pages(tiny_facts.vcpu_pages, 1), tiny_pages(1, 1), 0);
	rv_expect("VM_DESTROY of a living VM", RV_E_STATE, RV_VM_DESTROY, vm.handle, 0, 0, 0, 0);
	if (vm.is_protected) {
		rv_expect("MEM_RECLAIM of a living VM", RV_E_STATE, RV_MEM_RECLAIM, vm.handle,
			  TINY_RAM_BASE / PAGE_BYTES, TINY_RAM_PAGES, 0, 0);
		rv_expect("VCPU_READ_REGS", RV_E_PERM, RV_VCPU_READ_REGS, vm.handle, 0, 0, 0, 0);
	}
	check_hidden();
}

/* guest_hello.c's device: the record of each access, and both kinds of answer. */
static void play_device(void)
{
	struct rv_run *run = vm.run[0];
	u64 exit = tiny_run(&vm, 0);

	if (exit != RV_EXIT_MMIO || run->ipa != DEVICE_WORD || run->bytes != 4 || run->is_write ||
	    run->data != 0) {
		fail("the read of the device: exit %lu, ipa %#lx, %u bytes, data %#lx", exit,
		     run->ipa, run->bytes, run->data);
	}
	check_refusals_after_the_run();
	run->in_flags = RV_IN_RESULT;
	run->in_data = 0xffffffff00000000 | DEVICE_ANSWER; /* only the width of the access counts */
	exit = tiny_run(&vm, 0);
	if (exit != RV_EXIT_MMIO || run->ipa != DEVICE_WORD || run->bytes != 1 || !run->is_write ||
	    run->data != 0x7e) {
		fail("the write to the device: exit %lu, ipa %#lx, %u bytes, data %#lx", exit,
		     run->ipa, run->bytes, run->data);
	}
	exit = tiny_run(&vm, 0);
	if (exit != RV_EXIT_MMIO || run->ipa != DEVICE_DEAD || run->bytes != 8 || run->is_write) {
		fail("the read of the dead device: exit %lu, ipa %#lx, %u bytes", exit, run->ipa,
		     run->bytes);
	}
	run->in_flags = RV_IN_ABORT;
}

static void live(bool is_protected)
{
	build(is_protected, is_protected ? "checkpoint protected" : "checkpoint");
	check_refusals_before_the_run();
	check_hidden();
	play_device();
	run_to_its_end();
	check_hidden();
	if (vm.exits[RV_EXIT_RAM] < 64) {
		fail("the %s VM asked for RAM only %lu times", vm.name, vm.exits[RV_EXIT_RAM]);
	}
	tiny_destroy(&vm);
	print("%s VM: done\n", vm.name);
}

/*
 * A VM that never gives up the CPU by itself: killed from another CPU, its runner comes back with
 * the next interrupt.
 */
static bool is_looping(void)
{
	return *(volatile char *)&vm.last_line[0] == 'L';
}

static void killer(u32 index)
{
	(void)index;
	while (!is_looping()) {
	}
	rv_expect("VM_KILL of a running VM", RV_OK, RV_VM_KILL, vm.handle, 0, 0, 0, 0);
	rv_expect("VM_DESTROY of a VM with pages", RV_E_BUSY, RV_VM_DESTROY, vm.handle, 0, 0, 0, 0);
}

static void kill_while_running(void)
{
	u64 exit;

	build(true, "protected loop");
	vm.may_die = true;
	gic_begin();
	if (cpu_start(1, killer) != PSCI_SUCCESS) {
		fail("CPU 1 does not start");
	}
	do {
		timer_arm_us(50000);
		exit = tiny_run(&vm, 0);
		while (irq_take() < 1020) {
		}
	} while (exit == RV_EXIT_IRQ);
	if (exit != RV_EXIT_DYING) {
		fail("the run of a killed VM ended with exit %lu", exit);
	}
	if (!cpu_wait_off(1)) {
		fail("CPU 1 does not come back");
	}
	tiny_destroy(&vm);
	print("killed VM: done\n");
}

_Noreturn void image_main(void)
{
	ready();
	tiny_begin();
	live(false);
	if (!(tiny_facts.features & RV_FEAT_ENTROPY)) {
		skip("no entropy: no protected VMs here");
	}
	live(true);
	live(true);
	if (cpu_count() > 1) {
		kill_while_running();
	}
	pass();
}
