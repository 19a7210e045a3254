# SPDX-License-Identifier: BSD-3-Clause
# The model test: the shipped core against the specification by random steps. Twice: on a machine so small that all of
# it is looked at after each step (test/model/include/cv/geometry.h), without sanitisers, for speed; and as the walk, at
# the full geometry under sanitisers.

MO_OUT := $(BUILD)/test/model
MO_TEST := $(filter-out %/machine_full.c %/machine_small.c,$(wildcard test/model/*.c))
MO_SHARED := $(MT_SPEC) $(MT_CORE) corevisor/core/vcpu.c $(MT_FAKE) arch-fake/fake_vcpu.c test/common/call_locks.c
MO_HEADERS := $(MT_HEADERS) $(wildcard test/model/*.h test/model/include/*.h test/model/include/cv/*.h) mk/unit-model.mk
MO_CFLAGS := -Itest/model/include $(filter-out -fsanitize% -fno-%,$(MT_CFLAGS))

TESTS += $(MO_OUT)/model $(MO_OUT)/walk

$(MO_OUT)/small/%.o: %.c $(MO_HEADERS)
	@mkdir -p $(@D)
	gcc $(MO_CFLAGS) -c -o $@ $<

$(MO_OUT)/full/%.o: %.c $(MO_HEADERS)
	@mkdir -p $(@D)
	gcc $(MT_CFLAGS) -c -o $@ $<

$(MO_OUT)/model: $(patsubst %.c,$(MO_OUT)/small/%.o,test/model/machine_small.c $(MO_TEST) $(MO_SHARED))
	gcc $(MO_CFLAGS) -o $@ $^ -lbearssl -lfdt -lpthread

$(MO_OUT)/walk: $(patsubst %.c,$(MO_OUT)/full/%.o,test/model/machine_full.c $(MO_TEST)) \
		$(patsubst %.c,$(MT_OUT)/core/%.o,$(MO_SHARED))
	gcc $(MT_CFLAGS) -o $@ $^ -lbearssl -lfdt -lpthread

STEPS ?= 1000000
.PHONY: model
model: $(MO_OUT)/model ## core against specification by random steps: STEPS=10000000, MODEL_SEED=n
	@MODEL_STEPS=$(STEPS) $<
