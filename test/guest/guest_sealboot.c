/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Stands in for the kernel behind the guest loader (`ravelin pack --guest`) and looks at what the
 * loader handed over. With "conduit=hvc" on the command line it uses that in the end, for a machine
 * whose firmware has not followed.
 */
#include "env.h"

#include <libfdt.h>

const char image_name[] = "sealboot";

_Noreturn void image_main(void)
{
	bool says_smc = machine.psci_is_smc;
	u64 image_end = machine.image.base + machine.image.bytes;

	machine.psci_is_smc = says_smc && !has_bootarg("conduit-hvc");
	ready();
	if (!says_smc) {
		fail("/psci's method is not smc");
	}
	if (machine.image.base % 0x200000 != 0) {
		fail("loaded at %#lx", machine.image.base);
	}
	if ((u64)machine.dtb < image_end || (u64)machine.dtb > image_end + 0x200000 ||
	    (u64)machine.dtb % 0x200000 != 0) {
		fail("the device tree is at %#lx, not in the loader's room", (u64)machine.dtb);
	}
	if (machine.ram_count == 0 || machine.cpus == 0) {
		fail("the device tree lost its nodes");
	}
	if (fdt_node_offset_by_compatible(machine.dtb, -1, "ramoops") >= 0) {
		fail("the device tree has a device that no VMM gives");
	}
	pass();
}
