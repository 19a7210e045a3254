# SPDX-License-Identifier: BSD-3-Clause
# test/guest: images for EL1, each one file with the environment. hostile_*.c and host_*.c boot in the place of Linux,
# guest_*.c in a VM.

GUEST_OUT := $(BUILD)/test/guest
GUEST_SYSROOT := $(CACHE)/sysroot
GUEST_IMAGES := $(patsubst test/guest/%.c,$(GUEST_OUT)/%.img,\
	$(wildcard test/guest/hostile_*.c test/guest/host_*.c test/guest/guest_*.c))
GUEST_ENV := $(addprefix $(GUEST_OUT)/,head.o access.o encodings.o vectors.o tiny.o worlds.o $(patsubst test/guest/%.c,%.o,$(wildcard test/guest/env*.c)))
GUEST_DEP := $(wildcard test/guest/*.h) include/ravelin/abi.h mk/guest.mk
GUEST_CFLAGS := -std=gnu11 -O2 -g -ffreestanding -fpie -fvisibility=hidden -mstrict-align -mgeneral-regs-only \
	-mno-outline-atomics -fno-stack-protector -fno-tree-loop-distribute-patterns -fno-asynchronous-unwind-tables \
	-Wall -Wextra -Wshadow -Wstrict-prototypes -Werror -Iinclude -Itest/guest -Wa,-I$(GUEST_OUT) \
	-idirafter $(GUEST_SYSROOT)/usr/include

ALL += $(GUEST_IMAGES)
.PRECIOUS: $(GUEST_OUT)/%.o $(GUEST_OUT)/%.elf

$(GUEST_OUT)/%.o: test/guest/%.c $(GUEST_DEP)
	@mkdir -p $(@D)
	$(CROSS)gcc $(GUEST_CFLAGS) -c -o $@ $<

$(GUEST_OUT)/%.o: test/guest/%.S $(GUEST_DEP)
	@mkdir -p $(@D)
	$(CROSS)gcc -Iinclude -Itest/guest -I$(GUEST_OUT) -c -o $@ $<

# Guests that a host image carries in itself.
guest_of = $(addprefix $(GUEST_OUT)/guest_,$(addprefix $(1),.img .launch))
$(GUEST_OUT)/host_worlds.o: $(call guest_of,worlds)
$(GUEST_OUT)/host_moves.o: $(call guest_of,moves)
$(GUEST_OUT)/host_guests.o: $(call guest_of,attack)
$(GUEST_OUT)/host_share.o $(GUEST_OUT)/hostile_power.o: $(call guest_of,share)
$(addprefix $(GUEST_OUT)/,host_vm.o host_boot.o host_weak.o host_seal.o hostile_random.o): $(call guest_of,hello)

$(GUEST_OUT)/%.elf: $(GUEST_OUT)/%.o $(GUEST_ENV) test/guest/env.lds
	$(CROSS)ld -pie --no-dynamic-linker -z norelro -z noexecstack --no-warn-rwx-segments -T test/guest/env.lds -o $@ \
		$(filter %.o,$^) $(GUEST_SYSROOT)/usr/lib/aarch64-linux-gnu/libfdt.a

$(GUEST_OUT)/%.img: $(GUEST_OUT)/%.elf
	$(CROSS)objcopy -O binary $< $@

# What makes an image bootable in a protected VM: signed for where tiny.c puts it (TINY_IMAGE_GPA, TINY_DTB_GPA).
.PRECIOUS: $(GUEST_OUT)/%.launch $(GUEST_OUT)/%_p384.launch
$(GUEST_OUT)/%.launch: $(GUEST_OUT)/%.img $(BUILD)/keys/test.pem
	$(call sign_guest,test)
$(GUEST_OUT)/%_p384.launch: $(GUEST_OUT)/%.img $(BUILD)/keys/test_p384.pem
	$(call sign_guest,test_p384)
sign_guest = $(BUILD)/tools/ravelin sign --key $(BUILD)/keys/$(1).pem --image $<@0x40200000 \
	--parameters 0x41000000:4K --snapshots -o $@
