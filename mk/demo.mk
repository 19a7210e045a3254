# SPDX-License-Identifier: BSD-3-Clause
# The demo's programs (static arm64) and its hostile module, one for each host kernel. build/demo/files/ is what the
# host gets under /files/.

DEMO_OUT := $(BUILD)/demo
DEMO_FILES := $(DEMO_OUT)/files
DEMO_KERNELS := 6.1 6.12
DEMO_SYSROOT := $(CACHE)/sysroot
DEMO_COMMON := demo/common/pattern.c demo/common/pattern.h demo/common/search.h
DEMO_CC := $(CROSS)gcc -std=c11 -O2 -g -D_GNU_SOURCE -Wall -Wextra -Wshadow -Wstrict-prototypes -Werror -Iinclude \
	-idirafter $(DEMO_SYSROOT)/usr/include -static
DEMO_LIBS := $(DEMO_SYSROOT)/usr/lib/aarch64-linux-gnu/libbearssl.a

ALL += $(DEMO_FILES)/scan $(DEMO_FILES)/secret.cpio $(DEMO_FILES)/tenant.img $(DEMO_FILES)/scenario $(DEMO_KERNELS:%=$(DEMO_FILES)/allmem-%.ko)

$(DEMO_OUT)/secret: $(wildcard demo/secret/*.[cS]) $(DEMO_COMMON) mk/demo.mk
	@mkdir -p $(@D)
	$(DEMO_CC) -o $@ $(filter %.c %.S,$^) $(DEMO_LIBS)

# A second archive behind the guest's usual initramfs: Linux unpacks both.
$(DEMO_FILES)/secret.cpio: $(DEMO_OUT)/secret $(DEMO_FILES)/scan
	@mkdir -p $(@D)
	cp $(DEMO_FILES)/scan $(DEMO_OUT)/scan
	cd $(DEMO_OUT) && printf 'secret\nscan\n' | cpio --quiet -o -H newc -R 0:0 > files/secret.cpio

# The tenant's side: the guest with the secret in one image, signed on this PC with a key that the host never sees.
$(DEMO_OUT)/tenant-initrd: $(BUILD)/guest/initrd $(DEMO_FILES)/secret.cpio
	cat $^ > $@

$(DEMO_FILES)/tenant.img: $(DEMO_OUT)/tenant-initrd $(BUILD)/guest/cmdline $(BUILD)/sealboot/sealboot.bin \
		$(CACHE)/stamps/kernel-7.2 $(BUILD)/keys/tenant.pem $(BUILD)/tools/ravelin
	$(BUILD)/tools/ravelin pack --guest --sealboot $(BUILD)/sealboot/sealboot.bin \
		--kernel $(CACHE)/kernels/7.2/Image --initrd $< --cmdline "$$(cat $(BUILD)/guest/cmdline)" \
		--sign $(BUILD)/keys/tenant.pem -o $@

$(DEMO_FILES)/scan: $(wildcard demo/scan/*.[ch]) $(DEMO_COMMON) demo/hostile_module/allmem.h include/ravelin/abi.h mk/demo.mk
	@mkdir -p $(@D)
	$(DEMO_CC) -o $@ $(filter %.c,$^) $(DEMO_LIBS)

$(DEMO_FILES)/scenario: demo/scenario
	@mkdir -p $(@D)
	@cp $< $@

# Kbuild writes beside the sources, so it gets a copy of them.
$(DEMO_FILES)/allmem-%.ko: $(wildcard demo/hostile_module/*) demo/common/search.h mk/demo.mk
	@mkdir -p $(DEMO_FILES) $(DEMO_OUT)/$*/common
	@cp -r demo/hostile_module $(DEMO_OUT)/$*/
	@cp demo/common/search.h $(DEMO_OUT)/$*/common/
	$(MAKE) -s -C $(CACHE)/headers/$*/build M=$(CURDIR)/$(DEMO_OUT)/$*/hostile_module ARCH=arm64 \
		CROSS_COMPILE=$(CROSS) CC=$(CROSS)gcc CONFIG_DEBUG_INFO_BTF_MODULES= modules
	@cp $(DEMO_OUT)/$*/hostile_module/allmem.ko $@

DEMO_TEST := $(BUILD)/test/demo/test_demo

TESTS += $(DEMO_TEST)

$(DEMO_TEST): test/unit/test_demo.c demo/scan/table.c demo/scan/scan.h $(DEMO_COMMON) mk/demo.mk
	@mkdir -p $(@D)
	gcc -std=c11 -O1 -g -D_GNU_SOURCE -Wall -Wextra -Wshadow -Werror -fsanitize=address,undefined \
		-fno-sanitize-recover=all -o $@ test/unit/test_demo.c demo/scan/table.c demo/common/pattern.c -lcmocka -lbearssl
