/* SPDX-License-Identifier: BSD-3-Clause */
/* The info pages: the host may read them and nothing else. */
#include "access.h"

#include <ravelin/abi.h>

const char image_name[] = "info";

static const struct {
	const char *name;
	u64 (*access)(u64 address, u64 value);
} writes[] = {
	{ "store byte", access_store_byte },	   { "store", access_store },
	{ "store pair", access_store_pair },	   { "store vector", access_store_vector },
	{ "store release", access_store_release }, { "DC ZVA", access_zero_block },
};

static void check_word(u64 address)
{
	u64 before = *(volatile u64 *)address;
	struct fault fault;
	u32 i;

	for (i = 0; i < ARRAY_SIZE(writes); i++) {
		faults_expect();
		writes[i].access(address, ~before);
		fault = faults_taken();
		if (fault.count != 1 || ESR_EC(fault.esr) != EC_DABT_EL1 ||
		    ESR_FSC(fault.esr) != FSC_ALIGNMENT) {
			fail("%s to %#lx: %lu faults, esr %#lx", writes[i].name, address,
			     fault.count, fault.esr);
		}
	}
}

_Noreturn void image_main(void)
{
	const struct rv_info *info = (const struct rv_info *)machine.info.base;
	u64 offset;

	if (machine.info.bytes == 0) {
		fail("the device tree has no ravelin,corevisor node");
	}
	ready();
	if (info->magic != RV_INFO_MAGIC || info->info_bytes > machine.info.bytes) {
		fail("no rv_info at %#lx (magic %#lx)", machine.info.base, info->magic);
	}
	for (offset = 0; offset < machine.info.bytes; offset += PAGE_BYTES) {
		check_word(machine.info.base + offset);
		check_word(machine.info.base + offset + PAGE_BYTES - 64);
	}
	if (info->magic != RV_INFO_MAGIC || info->faults_injected == 0) {
		fail("rv_info does not count the injected faults");
	}
	pass();
}
