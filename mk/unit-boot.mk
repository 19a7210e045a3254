# SPDX-License-Identifier: BSD-3-Clause
# Unit tests of boot, firmware calls, log and exception entry on the PC, over doubles: build/test/unit-boot/test_boot_*

UB_OUT := $(BUILD)/test/unit-boot
UB_TESTS := $(patsubst test/unit/%.c,$(UB_OUT)/%,$(wildcard test/unit/test_boot_*.c))
UB_CORE := $(addprefix corevisor/core/,bundle.c boot_fdt.c host_fdt.c exception.c host_psci.c log.c lock.c)
UB_CFLAGS := -std=gnu11 -O1 -g -Wall -Wextra -Werror -Icorevisor/include -Iinclude -fsanitize=address,undefined \
	-fno-sanitize-recover=all -fno-omit-frame-pointer

TESTS += $(UB_TESTS)

$(UB_OUT)/%: test/unit/%.c test/unit/boot_fixture.c $(UB_CORE) $(wildcard corevisor/include/cv/*.h test/unit/*.h) \
		include/ravelin/abi.h mk/unit-boot.mk
	@mkdir -p $(@D)
	gcc $(UB_CFLAGS) -o $@ $< test/unit/boot_fixture.c $(UB_CORE) $(UB_MORE) -lcmocka -lfdt

$(UB_OUT)/test_boot_fault: UB_MORE := corevisor/core/host_fault.c corevisor/core/trng.c
$(UB_OUT)/test_boot_fault: corevisor/core/host_fault.c corevisor/core/trng.c
