# SPDX-License-Identifier: BSD-3-Clause
# The guest loader: build/sealboot/sealboot.bin; `ravelin pack --guest` puts it in front of a kernel Image.

SEALBOOT_OUT := $(BUILD)/sealboot
SEALBOOT_CFLAGS := -std=c11 -Os -g -ffreestanding -fpie -fvisibility=hidden -mstrict-align -mgeneral-regs-only \
	-mno-outline-atomics -fno-stack-protector -fno-tree-loop-distribute-patterns -fno-asynchronous-unwind-tables \
	-fno-jump-tables -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes -Werror

ALL += $(SEALBOOT_OUT)/sealboot.bin

$(SEALBOOT_OUT)/sealboot.elf: sealboot/head.S sealboot/fdt.c sealboot/sealboot.h sealboot/sealboot.lds mk/sealboot.mk
	@mkdir -p $(@D)
	$(CROSS)gcc $(SEALBOOT_CFLAGS) -nostdlib -static -Wl,--build-id=none,-z,noexecstack,--no-warn-rwx-segments \
		-Wl,-T,sealboot/sealboot.lds -o $@ sealboot/head.S sealboot/fdt.c

$(SEALBOOT_OUT)/sealboot.bin: $(SEALBOOT_OUT)/sealboot.elf
	$(CROSS)objcopy -O binary $< $@

SEALBOOT_TEST := $(BUILD)/test/sealboot/test_sealboot

TESTS += $(SEALBOOT_TEST)

$(SEALBOOT_TEST): test/unit/test_sealboot.c test/unit/sealboot_compare.h sealboot/fdt.c sealboot/sealboot.h mk/sealboot.mk
	@mkdir -p $(@D)
	gcc -std=gnu11 -O1 -g -Wall -Wextra -Wshadow -Werror -fsanitize=address,undefined -fno-sanitize-recover=all -Isealboot \
		-o $@ test/unit/test_sealboot.c sealboot/fdt.c -lcmocka -lfdt
