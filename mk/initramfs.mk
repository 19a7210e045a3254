# SPDX-License-Identifier: BSD-3-Clause
# The parts of the test machine's initramfs; ./machine concatenates what a run needs.

INITRAMFS_OUT := $(BUILD)/initramfs
INITRAMFS_DEP := tools/initramfs/build tools/initramfs/cpio.py mk/initramfs.mk
# A variable of its own: a static pattern rule would put its stem in the place of this %.
INITRAMFS_HOSTVISOR = $(filter $(BUILD)/hostvisor/%,$(ALL) $(MODULES))
INITRAMFS_MODULES := $(foreach series,6.1 6.12 7.2,$(INITRAMFS_OUT)/modules-$(series).cpio)

ALL += $(INITRAMFS_OUT)/base.cpio $(INITRAMFS_OUT)/guests.cpio $(INITRAMFS_MODULES)

# Second expansion: ALL and MODULES are complete only when every mk/*.mk has been read.
.SECONDEXPANSION:

$(INITRAMFS_OUT)/base.cpio: $(INITRAMFS_DEP) $(addprefix tools/initramfs/,host-init shell-profile guest) \
		$(CACHE)/stamps/arm64-root $$(filter $(BUILD)/tools/arm64/%,$$(ALL))
	@tools/initramfs/build base $@

$(INITRAMFS_OUT)/guests.cpio: $(INITRAMFS_DEP) $(CACHE)/stamps/arm64-root $(CACHE)/stamps/kernel-7.2 \
		$(BUILD)/sealboot/sealboot.bin $(addprefix $(BUILD)/guest/,initrd cmdline protected.launch)
	@tools/initramfs/build guests $@

$(INITRAMFS_MODULES): $(INITRAMFS_OUT)/modules-%.cpio: $(INITRAMFS_DEP) $(CACHE)/stamps/kernel-% \
		$$(INITRAMFS_HOSTVISOR)
	@tools/initramfs/build modules $* $@

$(CACHE)/stamps/%:
	@echo "$(CACHE) lacks $*: run 'make setup'" >&2; exit 1
