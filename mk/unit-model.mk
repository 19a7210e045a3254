# SPDX-License-Identifier: BSD-3-Clause
# The model test: the shipped core against the specification by random steps, on a machine so small that all of it is
# looked at after each (test/model/include/cv/geometry.h). Without sanitisers, for speed: the walk has them.

MO_OUT := $(BUILD)/test/model
MO_SOURCES := $(wildcard test/model/*.c) $(MT_SPEC) $(MT_CORE) corevisor/core/vcpu.c $(MT_FAKE) arch-fake/fake_vcpu.c
MO_HEADERS := $(MT_HEADERS) $(wildcard test/model/*.h test/model/include/*.h test/model/include/cv/*.h) mk/unit-model.mk
MO_CFLAGS := -std=gnu11 -D_GNU_SOURCE -O2 -g -Wall -Wextra -Werror -Itest/model/include -Icorevisor/include -Iinclude \
	-Iarch-fake -Ispec -Itest/common
MO_OBJECTS := $(patsubst %.c,$(MO_OUT)/%.o,$(MO_SOURCES))

TESTS += $(MO_OUT)/model

$(MO_OUT)/%.o: %.c $(MO_HEADERS)
	@mkdir -p $(@D)
	gcc $(MO_CFLAGS) -c -o $@ $<

$(MO_OUT)/model: $(MO_OBJECTS)
	gcc $(MO_CFLAGS) -o $@ $^ -lbearssl -lfdt -lpthread

STEPS ?= 1000000
.PHONY: model
model: $(MO_OUT)/model ## core against specification by random steps: STEPS=10000000, MODEL_SEED=n
	@MODEL_STEPS=$(STEPS) $<
