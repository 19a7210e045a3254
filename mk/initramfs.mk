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

# The tenant's side, on this PC: what the usual protected guest starts with is signed here, and goes into the host as a
# launch page. The host puts the image together; `guest` says how, with the same command line.
PROTECTED_OUT := $(BUILD)/guest
PROTECTED_PACK = $(BUILD)/tools/ravelin pack --guest --sealboot $(BUILD)/sealboot/sealboot.bin \
	--kernel $(CACHE)/kernels/7.2/Image --cmdline "$(shell sed -n "s/^CMDLINE='\(.*\)'/\1/p" tools/initramfs/guest)"
PROTECTED_DEP := $(CACHE)/stamps/kernel-7.2 $(BUILD)/sealboot/sealboot.bin $(BUILD)/tools/ravelin \
	$(BUILD)/keys/owner.pem tools/initramfs/guest

$(PROTECTED_OUT)/initrd: $(INITRAMFS_DEP) $(addprefix tools/initramfs/,guest-init guest-agent) \
		$(CACHE)/stamps/arm64-root $(CACHE)/stamps/kernel-7.2
	@tools/initramfs/build guest-initrd $@

$(PROTECTED_OUT)/protected.launch: $(PROTECTED_OUT)/initrd $(PROTECTED_DEP)
	$(PROTECTED_PACK) --initrd $< --sign $(BUILD)/keys/owner.pem --launch-out $@ -o $(PROTECTED_OUT)/protected.img

$(INITRAMFS_OUT)/guests.cpio: $(INITRAMFS_DEP) $(addprefix $(PROTECTED_OUT)/,initrd protected.launch) \
		$(CACHE)/stamps/arm64-root $(CACHE)/stamps/kernel-7.2 $(BUILD)/sealboot/sealboot.bin
	@tools/initramfs/build guests $@

$(INITRAMFS_MODULES): $(INITRAMFS_OUT)/modules-%.cpio: $(INITRAMFS_DEP) $(CACHE)/stamps/kernel-% \
		$$(INITRAMFS_HOSTVISOR)
	@tools/initramfs/build modules $* $@

$(CACHE)/stamps/%:
	@echo "$(CACHE) lacks $*: run 'make setup'" >&2; exit 1
