# SPDX-License-Identifier: BSD-3-Clause
# Unit tests of the guest path (run.c and what it calls), on the PC, over doubles: build/test/unit/test_guest_*

UG_OUT := $(BUILD)/test/unit-guest
UG_TESTS := $(patsubst test/unit/%.c,$(UG_OUT)/%,$(wildcard test/unit/test_guest_*.c))
UG_CORE := $(addprefix corevisor/core/,vcpu.c run.c guest_fault.c guest_inject.c guest_sysreg.c guest_psci.c \
	guest_smccc.c rsi.c vgic.c vtimer.c exception.c trng.c)
UG_SUPPORT := test/unit/guest_fixture.c arch-fake/fake_vcpu.c spec/spec_exit.c
UG_CFLAGS := -std=gnu11 -O1 -g -Wall -Wextra -Werror -Icorevisor/include -Iinclude -fsanitize=address,undefined \
	-fno-sanitize-recover=all -fno-omit-frame-pointer

TESTS += $(UG_TESTS)

$(UG_OUT)/%: test/unit/%.c $(UG_CORE) $(UG_SUPPORT) $(wildcard corevisor/include/cv/*.h test/unit/*.h arch-fake/*.h) spec/spec_exit.h test/common/random.h \
		include/ravelin/abi.h mk/unit-guest.mk
	@mkdir -p $(@D)
	gcc $(UG_CFLAGS) -o $@ $< $(UG_CORE) $(UG_SUPPORT) -lcmocka

# The same path over the real memory core and the fake machine of arch-fake.
UG_WHOLE := $(addprefix $(UG_OUT)/,test_whole_guest test_seed_examples test_vcpus)
UG_MEMORY := $(addprefix corevisor/core/,lock.c ledger.c pool.c s2.c hyp_map.c host_map.c mem.c mem_range.c mem_block.c mem_pages.c \
	mem_io.c vm.c dma.c \
	image.c manifest.c crypto.c) \
	$(addprefix arch-fake/,fake_mem.c fake_tlb.c fake_cpu.c fake_boot.c fake_vcpu.c)

# Threads as CPUs, under the thread sanitiser, too.
UG_RACES := $(UG_OUT)/races_guest

TESTS += $(UG_WHOLE) $(UG_RACES) $(UG_OUT)/lock-analysis

UG_WHOLE_CFLAGS := $(UG_CFLAGS) -D_GNU_SOURCE -Iarch-fake -Itest/common
UG_WHOLE_SUPPORT := test/common/owner.c $(UG_CORE) $(UG_MEMORY) $(wildcard test/common/*.h corevisor/include/cv/*.h arch-fake/*.h) \
	include/ravelin/abi.h mk/unit-guest.mk

$(UG_WHOLE): $(UG_OUT)/%: test/unit/%.c $(UG_WHOLE_SUPPORT)
	@mkdir -p $(@D)
	gcc $(UG_WHOLE_CFLAGS) -o $@ $(filter %.c,$^) -lcmocka -lbearssl -lfdt -lpthread

$(UG_RACES): test/unit/test_whole_guest.c $(UG_WHOLE_SUPPORT)
	@mkdir -p $(@D)
	gcc $(filter-out -fsanitize%,$(UG_WHOLE_CFLAGS)) -fsanitize=thread -o $@ $(filter %.c,$^) -lcmocka -lbearssl -lfdt -lpthread

# The host's calls over all of it; the sources are those of the fuzz target (mk/fuzz.mk).
TESTS += $(UG_OUT)/test_hcall $(UG_OUT)/test_call_locks

$(UG_OUT)/test_hcall: test/unit/test_hcall.c test/common/owner.c $(FZ_CORE) $(FZ_FAKE) $(FZ_HEADERS) mk/unit-guest.mk
	@mkdir -p $(@D)
	gcc $(UG_CFLAGS) -D_GNU_SOURCE -Iarch-fake -Itest/common -o $@ $(filter %.c,$^) -lcmocka -lbearssl -lfdt -lpthread

$(UG_OUT)/test_call_locks: test/unit/test_call_locks.c test/common/owner.c $(FZ_SNAPSHOT) $(FZ_CORE) $(FZ_FAKE) $(FZ_HEADERS) \
		test/common/owner.h mk/unit-guest.mk
	@mkdir -p $(@D)
	gcc $(UG_CFLAGS) -D_GNU_SOURCE -Iarch-fake -Itest/common -o $@ $(filter %.c,$^) -lcmocka -lbearssl -lfdt -lpthread

# Compiling is the test: a lock that is not held where it must be is an error.
$(UG_OUT)/lock-analysis: $(UG_CORE) $(wildcard corevisor/include/cv/*.h)
	@mkdir -p $(@D)
	for file in $(UG_CORE); do clang -std=c11 -fsyntax-only -Wall -Wextra -Werror -Wthread-safety \
		-Icorevisor/include -Iinclude $$file; done
	touch $@
