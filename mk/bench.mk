# SPDX-License-Identifier: BSD-3-Clause
# What `make bench` needs: the counting plugin for QEMU and the program that stands in for the host's init.

BENCH_OUT := $(BUILD)/bench

ALL += $(BENCH_OUT)/count.so $(BENCH_OUT)/init

$(BENCH_OUT)/count.so: bench/plugin/count.c bench/plugin/qemu_plugin_api.h mk/bench.mk
	@mkdir -p $(@D)
	gcc -std=c11 -O2 -Wall -Wextra -Wshadow -Werror -fPIC -fvisibility=hidden -shared -o $@ $<

$(BENCH_OUT)/init: bench/guest/init.S mk/bench.mk
	@mkdir -p $(@D)
	$(CROSS)gcc -nostdlib -static -o $@ $<
