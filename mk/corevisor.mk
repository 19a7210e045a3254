# SPDX-License-Identifier: BSD-3-Clause
# The corevisor: build/corevisor/corevisor.{elf,img}

CV_OUT := $(BUILD)/corevisor
CV_SYSROOT := $(CACHE)/sysroot/usr
CV_SRC := $(wildcard corevisor/core/*.c corevisor/arch/arm64/*.c corevisor/plat/qemu_virt/*.c)
CV_ASM := $(wildcard corevisor/arch/arm64/*.S)
CV_OBJ := $(CV_SRC:corevisor/%.c=$(CV_OUT)/%.o) $(CV_ASM:corevisor/%.S=$(CV_OUT)/%.o)
CV_INCLUDE := -Icorevisor/include -Icorevisor/arch/arm64/include -Icorevisor/plat/qemu_virt/include -Iinclude \
	-isystem $(CV_SYSROOT)/include
# general-regs-only: the vector registers belong to whoever runs below us. strict-align: the MMU is off at first.
CV_CFLAGS := -std=gnu11 -O2 -g -ffreestanding -fpie -fvisibility=hidden -mgeneral-regs-only -mstrict-align \
	-mcmodel=small -march=armv8-a -mno-outline-atomics -fno-stack-protector -fno-common -fno-strict-aliasing \
	-fno-omit-frame-pointer -fno-asynchronous-unwind-tables -fno-tree-loop-distribute-patterns \
	-ffunction-sections -fdata-sections -fstack-usage -Wframe-larger-than=1024 \
	-Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla -Werror
CV_LDFLAGS := -nostdlib -static -Wl,-pie,--no-dynamic-linker,-Bsymbolic,-z,text,-z,norelro,-z,noexecstack,--gc-sections \
	-Wl,--build-id=none,--no-undefined,--no-warn-rwx-segments,-T,corevisor/arch/arm64/corevisor.lds,-Map=$(CV_OUT)/corevisor.map

ALL += $(CV_OUT)/corevisor.img

.PHONY: corevisor
corevisor: $(CV_OUT)/corevisor.img

$(CV_OUT)/%.o: corevisor/%.c mk/corevisor.mk
	@mkdir -p $(@D)
	$(CROSS)gcc $(CV_CFLAGS) $(CV_INCLUDE) -MMD -MP -c -o $@ $<

$(CV_OUT)/%.o: corevisor/%.S mk/corevisor.mk
	@mkdir -p $(@D)
	$(CROSS)gcc -D__ASSEMBLER__ -g -march=armv8-a $(CV_INCLUDE) -MMD -MP -c -o $@ $<

$(CV_OUT)/corevisor.elf: $(CV_OBJ) corevisor/arch/arm64/corevisor.lds
	$(CROSS)gcc $(CV_LDFLAGS) -o $@ $(CV_OBJ) \
		$(CV_SYSROOT)/lib/aarch64-linux-gnu/libfdt.a $(CV_SYSROOT)/lib/aarch64-linux-gnu/libbearssl.a -lgcc
	@# head.S knows one kind of relocation.
	@! $(CROSS)readelf -rW $@ | grep -E '^[0-9a-f]{8}' | grep -v R_AARCH64_RELATIVE

$(CV_OUT)/corevisor.img: $(CV_OUT)/corevisor.elf
	$(CROSS)objcopy -O binary $< $@

-include $(CV_OBJ:.o=.d)
