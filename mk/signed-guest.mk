# SPDX-License-Identifier: BSD-3-Clause
# The protected guest that the test machine starts by default, signed here: build/guest/protected.launch is what the
# machine's host needs beside the parts, which it packs itself (tools/initramfs/guest).

SIGNED_OUT := $(BUILD)/guest
SIGNED_KERNEL := $(CACHE)/kernels/7.2/Image
SIGNED_CMDLINE := console=ttyAMA0 console=hvc0 quiet

ALL += $(SIGNED_OUT)/protected.launch

$(SIGNED_OUT)/initrd: tools/initramfs/build tools/initramfs/cpio.py $(addprefix tools/initramfs/,guest-init guest-agent) \
		$(CACHE)/stamps/arm64-root $(CACHE)/stamps/kernel-7.2 mk/signed-guest.mk
	@tools/initramfs/build guest-initrd $@

$(SIGNED_OUT)/cmdline: mk/signed-guest.mk
	@mkdir -p $(@D)
	echo '$(SIGNED_CMDLINE)' > $@

# The packed image itself is not kept: 100 MiB that the host makes again from the same parts.
$(SIGNED_OUT)/protected.launch: $(BUILD)/sealboot/sealboot.bin $(CACHE)/stamps/kernel-7.2 $(SIGNED_OUT)/initrd \
		$(SIGNED_OUT)/cmdline $(BUILD)/keys/owner.pem $(BUILD)/tools/ravelin
	$(BUILD)/tools/ravelin pack --guest --sealboot $(BUILD)/sealboot/sealboot.bin --kernel $(SIGNED_KERNEL) \
		--initrd $(SIGNED_OUT)/initrd --cmdline "$$(cat $(SIGNED_OUT)/cmdline)" \
		--sign $(BUILD)/keys/owner.pem --snapshots --launch-out $@ -o /dev/null
