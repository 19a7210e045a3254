/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The calls of Linux' hypervisor stub (arch/arm64/include/asm/virt.h: set vectors, soft restart,
 * reset vectors, finalise EL2 ...), by which a kernel that booted at EL2 takes EL2 over. All must
 * be refused, with hostile addresses too.
 */
#include "env.h"

#include <ravelin/abi.h>

const char image_name[] = "stub_hvc";

static void must_not_run(void)
{
	for (;;) {
	}
}

static void check_call(u64 id, u64 a, u64 b, u64 c)
{
	struct smccc regs = { { id, a, b, c } };
	struct fault fault;

	faults_expect();
	smccc_hvc(&regs);
	fault = faults_taken();
	if (fault.count != 0) {
		fail("HVC %lu: an exception, esr %#lx", id, fault.esr);
	}
	if ((int32_t)regs.x[0] != RV_E_NOT_SUPPORTED) {
		fail("HVC %lu (%#lx): not refused, x0 = %#lx", id, a, regs.x[0]);
	}
}

static void check_alive(const char *after)
{
	struct smccc regs = { { RV_VERSION } };

	smccc_hvc(&regs);
	if (regs.x[0] != RV_OK || regs.x[1] >> 16 != RV_ABI_MAJOR) {
		fail("no corevisor answers after %s: x0 = %#lx", after, regs.x[0]);
	}
}

_Noreturn void image_main(void)
{
	u64 targets[] = { 0, machine.image.base, (u64)must_not_run,
			  machine.core_count ? machine.core[0].base : 0, ~0ul };
	u64 id;
	u32 i;

	ready();
	check_alive("nothing");
	for (id = 0; id <= 5; id++) {
		for (i = 0; i < ARRAY_SIZE(targets); i++) {
			check_call(id, targets[i], targets[i], targets[i]);
		}
		check_alive("a stub call");
	}
	pass();
}
