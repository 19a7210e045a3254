# SPDX-License-Identifier: BSD-3-Clause
# What `make bench` needs: the counting plugin for QEMU, the program that stands in for the host's init, the images
# that measure (on the environment of test/guest, whose rules are in mk/guest.mk).

BENCH_OUT := $(BUILD)/bench

ALL += $(addprefix $(BENCH_OUT)/,count.so init bench.img bench-signed.img donate.img)

$(BENCH_OUT)/count.so: bench/plugin/count.c bench/plugin/qemu_plugin_api.h mk/bench.mk
	@mkdir -p $(@D)
	gcc -std=c11 -O2 -Wall -Wextra -Wshadow -Werror -fPIC -fvisibility=hidden -shared -o $@ $<

$(BENCH_OUT)/init: bench/guest/init.S mk/bench.mk
	@mkdir -p $(@D)
	$(CROSS)gcc -nostdlib -static -o $@ $<

# The environment's variables are known when the recipe runs, whichever fragment comes first.
.SECONDEXPANSION:
$(BENCH_OUT)/%.img: bench/guest/%.c $$(GUEST_ENV) $$(GUEST_DEP) test/guest/env.lds mk/bench.mk
	@mkdir -p $(@D)
	$(CROSS)gcc $(GUEST_CFLAGS) -c -o $(BENCH_OUT)/$*.o $<
	$(CROSS)ld -pie --no-dynamic-linker -z norelro -z noexecstack --no-warn-rwx-segments -T test/guest/env.lds \
		-o $(BENCH_OUT)/$*.elf $(BENCH_OUT)/$*.o $(GUEST_ENV) \
		$(GUEST_SYSROOT)/usr/lib/aarch64-linux-gnu/libfdt.a
	$(CROSS)objcopy -O binary $(BENCH_OUT)/$*.elf $@

$(BENCH_OUT)/donate.img: $$(call guest_of,hello) $$(GUEST_OUT)/guest_hello_p384.launch

# For the protected VM: the loader in front, signed; bench/exits has the size of RAM, half of which is where QEMU puts the
# device tree.
$(BENCH_OUT)/bench-signed.img: $(BENCH_OUT)/bench.img $(BUILD)/sealboot/sealboot.bin $(BUILD)/keys/test.pem \
		$(BUILD)/tools/ravelin
	$(BUILD)/tools/ravelin pack --guest --sealboot $(BUILD)/sealboot/sealboot.bin --kernel $< \
		--parameters 0x40000000:4K --parameters 0x42000000:2M --sign $(BUILD)/keys/test.pem -o $@
