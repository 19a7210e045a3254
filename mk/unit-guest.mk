# SPDX-License-Identifier: BSD-3-Clause
# Unit tests of the guest path (run.c and what it calls), on the PC, over doubles: build/test/unit/test_guest_*

UG_OUT := $(BUILD)/test/unit-guest
UG_TESTS := $(patsubst test/unit/%.c,$(UG_OUT)/%,$(wildcard test/unit/test_guest_*.c))
UG_CORE := $(addprefix corevisor/core/,vcpu.c run.c guest_fault.c guest_inject.c guest_sysreg.c guest_psci.c \
	guest_smccc.c rsi.c vgic.c vtimer.c exception.c trng.c)
UG_SUPPORT := test/unit/guest_fixture.c arch-fake/fake_vcpu.c
UG_CFLAGS := -std=gnu11 -O1 -g -Wall -Wextra -Werror -Icorevisor/include -Iinclude -fsanitize=address,undefined \
	-fno-sanitize-recover=all -fno-omit-frame-pointer

TESTS += $(UG_TESTS)

$(UG_OUT)/%: test/unit/%.c $(UG_CORE) $(UG_SUPPORT) $(wildcard corevisor/include/cv/*.h test/unit/*.h arch-fake/*.h) \
		include/ravelin/abi.h mk/unit-guest.mk
	@mkdir -p $(@D)
	gcc $(UG_CFLAGS) -o $@ $< $(UG_CORE) $(UG_SUPPORT) -lcmocka
