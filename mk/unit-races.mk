# SPDX-License-Identifier: BSD-3-Clause
# Threads as CPUs that make random calls of the whole surface, at the model test's small geometry; under the thread
# sanitiser, and the same under the address sanitiser.

RA_OUT := $(BUILD)/test/races
RA_FILES := $(wildcard test/races/*.c) $(addprefix test/common/,snapshot.c call_locks.c good_launch.c) \
	$(sort $(MT_SPEC) $(FZ_CORE) $(FZ_FAKE))
RA_HEADERS := $(MO_HEADERS) $(wildcard test/races/*.h test/races/include/*.h) mk/unit-races.mk
RA_CFLAGS := -Itest/races/include -Itest/model/include $(filter-out -fsanitize%,$(MT_CFLAGS))
RA_TSAN := -fsanitize=thread
RA_ASAN := -fsanitize=address,undefined
RA_LINK := -Wl,--wrap=hcall,--wrap=lock_release,--wrap=crypto_verify -lbearssl -lfdt -lpthread

TESTS += $(RA_OUT)/races_thread $(RA_OUT)/races_address

$(RA_OUT)/tsan/%.o: %.c $(RA_HEADERS)
	@mkdir -p $(@D)
	gcc $(RA_CFLAGS) $(RA_TSAN) -c -o $@ $<

$(RA_OUT)/asan/%.o: %.c $(RA_HEADERS)
	@mkdir -p $(@D)
	gcc $(RA_CFLAGS) $(RA_ASAN) -c -o $@ $<

$(RA_OUT)/races_thread: $(patsubst %.c,$(RA_OUT)/tsan/%.o,$(RA_FILES))
	gcc $(RA_CFLAGS) $(RA_TSAN) -o $@ $^ $(RA_LINK)

$(RA_OUT)/races_address: $(patsubst %.c,$(RA_OUT)/asan/%.o,$(RA_FILES))
	gcc $(RA_CFLAGS) $(RA_ASAN) -o $@ $^ $(RA_LINK)
