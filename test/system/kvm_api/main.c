/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The KVM interface, looked at from below a VMM. `kvm_api stock` does what any KVM must do, on
 * /dev/kvm alone; `kvm_api hold` keeps a protected VM running.
 */
#include "vm.h"

#include <stdio.h>
#include <string.h>

const char *device_open = "/dev/kvm", *device_protected = "/dev/kvm-protected";

/* A VM that computes until somebody ends the program. */
static void hold(void)
{
	struct vm *vm = vm_make(device_protected, 1, PAYLOAD_SPIN, 0);

	while (vm_run(vm, 0) == 0) {
		;
	}
}

int main(int argc, char **argv)
{
	if (argc > 1 && strcmp(argv[1], "hold") == 0) {
		hold();
		return 0;
	}
	test_guests(device_open, "open");
	if (argc > 1 && strcmp(argv[1], "stock") == 0) {
		return 0;
	}
	test_guests(device_protected, "protected");
	test_protected();
	test_launch();
	test_refusals(device_open, "open");
	test_refusals(device_protected, "protected");
	return 0;
}
