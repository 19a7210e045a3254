# SPDX-License-Identifier: BSD-3-Clause
# What `make bench` needs: the counting plugin for QEMU, the program that stands in for the host's init, the images
# that measure (on the environment of test/guest, whose rules are in mk/guest.mk).

BENCH_OUT := $(BUILD)/bench

ALL += $(BENCH_OUT)/count.so $(BENCH_OUT)/init $(BENCH_OUT)/bench.img $(BENCH_OUT)/donate.img

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
