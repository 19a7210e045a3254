# SPDX-License-Identifier: BSD-3-Clause
# Sealing on the PC: the whole core behind its calls, over the fake machine, with real cryptography.

US_OUT := $(BUILD)/test/unit-seal
US_CORE := $(UG_CORE) $(addprefix corevisor/core/,hcall.c seal.c seal_load.c seal_record.c)
US_COMMON := test/common/owner.c test/common/snapshot.c
US_HEADERS := $(wildcard corevisor/include/cv/*.h arch-fake/*.h test/common/*.h) include/ravelin/abi.h mk/unit-seal.mk
# Each encryption and decryption goes through the test's hands.
US_WRAP := -Wl,--wrap=crypto_seal,--wrap=crypto_open

TESTS += $(US_OUT)/test_seal $(US_OUT)/lock-analysis

$(US_OUT)/test_seal: test/unit/test_seal.c $(US_COMMON) $(US_CORE) $(UG_MEMORY) $(US_HEADERS)
	@mkdir -p $(@D)
	gcc $(UG_CFLAGS) -D_GNU_SOURCE -Iarch-fake -Itest/common -o $@ $(filter %.c,$^) $(US_WRAP) -lcmocka -lbearssl -lfdt \
		-lpthread

$(US_OUT)/lock-analysis: $(US_CORE) $(wildcard corevisor/include/cv/*.h)
	@mkdir -p $(@D)
	for file in $(filter corevisor/core/seal%,$(US_CORE)); do clang -std=c11 -fsyntax-only -Wall -Wextra -Werror \
		-Wthread-safety -Icorevisor/include -Iinclude $$file; done
	touch $@
