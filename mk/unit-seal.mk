# SPDX-License-Identifier: BSD-3-Clause
# Sealing on the PC: the whole core behind its calls, over the fake machine, with real cryptography.

US_OUT := $(BUILD)/test/unit-seal
US_CORE := $(UG_CORE) $(addprefix corevisor/core/,hcall.c seal.c seal_load.c seal_record.c)
US_SUPPORT := test/unit/seal_fixture.c test/common/owner.c test/common/snapshot.c test/common/call_locks.c
US_HEADERS := $(wildcard corevisor/include/cv/*.h arch-fake/*.h test/common/*.h) test/unit/seal_fixture.h \
	include/ravelin/abi.h mk/unit-seal.mk
US_CFLAGS := $(UG_CFLAGS) -D_GNU_SOURCE -Iarch-fake -Itest/common
# Each encryption and decryption goes through the test's hands.
US_WRAP := -Wl,--wrap=crypto_seal,--wrap=crypto_open
US_TESTS := $(patsubst test/unit/%.c,$(US_OUT)/%,$(wildcard test/unit/test_seal_*.c))

US_RACES := $(US_OUT)/races_seal

TESTS += $(US_TESTS) $(US_RACES) $(US_OUT)/lock-analysis

$(US_OUT)/core/%.o: %.c $(US_HEADERS)
	@mkdir -p $(@D)
	gcc $(US_CFLAGS) -c -o $@ $<

$(US_TESTS): $(US_OUT)/%: $(US_OUT)/core/test/unit/%.o \
		$(patsubst %.c,$(US_OUT)/core/%.o,$(US_SUPPORT) $(US_CORE) $(UG_MEMORY))
	gcc $(US_CFLAGS) -o $@ $^ $(US_WRAP) -lcmocka -lbearssl -lfdt -lpthread

# Threads as CPUs, under the thread sanitiser, too.
$(US_RACES): test/unit/test_seal_host.c $(US_SUPPORT) $(US_CORE) $(UG_MEMORY) $(US_HEADERS)
	@mkdir -p $(@D)
	gcc $(filter-out -fsanitize%,$(US_CFLAGS)) -fsanitize=thread -o $@ $(filter %.c,$^) $(US_WRAP) -lcmocka -lbearssl -lfdt -lpthread

$(US_OUT)/lock-analysis: $(US_CORE) $(wildcard corevisor/include/cv/*.h)
	@mkdir -p $(@D)
	for file in $(filter corevisor/core/seal%,$(US_CORE)); do clang -std=c11 -fsyntax-only -Wall -Wextra -Werror \
		-Wthread-safety -Icorevisor/include -Iinclude $$file; done
	touch $@
