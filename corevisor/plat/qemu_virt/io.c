/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Which device pages a VM may have. A list of what may go, never of what may not: on QEMU's virt
 * the two windows through which PCIe functions are reached, and nothing else. GIC (distributor,
 * redistributors, ITS) and SMMU would give a guest, or a host with a guest as its accomplice, what
 * the corevisor holds back from both; UART, RTC, flash, fw_cfg, GPIO, virtio-mmio and ECAM are the
 * machine's, shared by all it runs. What answers in a window is as the BARs are set, and the host
 * sets them: a guest that must trust its device needs the ECAM out of the host's hands, too
 * (CAVEATS.md). QEMU hw/arm/virt.c: VIRT_PCIE_MMIO, VIRT_HIGH_PCIE_MMIO.
 */
#include <cv/arch.h>

static const struct {
	u64 base;
	u64 end;
} windows[] = {
	{ 0x10000000, 0x3eff0000 },	 /* 32-bit BARs; the port window follows */
	{ 0x8000000000, 0x10000000000 }, /* 64-bit BARs, to the end of 40 bits */
};

bool plat_is_assignable(pfn_t pfn)
{
	for (u32 i = 0; i < ARRAY_SIZE(windows); i++) {
		if (pfn.v >= windows[i].base >> PAGE_SHIFT &&
		    pfn.v < windows[i].end >> PAGE_SHIFT) {
			return true;
		}
	}
	return false;
}
