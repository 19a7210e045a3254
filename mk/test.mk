# SPDX-License-Identifier: BSD-3-Clause
# The memory core on the PC, over arch-fake: unit tests, the matrix and the walk against the specification; the lock
# analysis of clang and the warnings of gcc over the same files; proofs (make prove).

MT_OUT := $(BUILD)/test/unit
MT_CORE := $(addprefix corevisor/core/,lock.c ledger.c pool.c s2.c hyp_map.c host_map.c mem.c mem_range.c mem_block.c mem_pages.c mem_io.c vm.c dma.c image.c manifest.c \
	crypto.c seal.c seal_load.c seal_record.c vtimer.c exception.c)
MT_FAKE := $(addprefix arch-fake/,fake_mem.c fake_tlb.c fake_cpu.c fake_boot.c)
MT_SPEC := spec/spec_mem.c spec/spec_vm.c spec/spec_vcpu.c spec/spec_image.c spec/spec_dma.c spec/spec_seal.c spec/invariants.c \
	test/common/owner.c test/matrix/observe.c
MT_HEADERS := $(wildcard corevisor/include/cv/*.h arch-fake/*.h spec/*.h test/matrix/*.h \
	test/unit/mem_*.h test/common/*.h) include/ravelin/abi.h mk/test.mk
MT_CFLAGS := -std=gnu11 -D_GNU_SOURCE -O2 -g -Wall -Wextra -Werror -Icorevisor/include -Iinclude -Iarch-fake -Ispec -Itest/common \
	-fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
MT_UNIT := $(patsubst test/unit/%.c,$(MT_OUT)/%,$(wildcard test/unit/test_mem_*.c test/unit/test_dma*.c))
MT_TESTS := $(MT_UNIT) $(MT_OUT)/matrix $(MT_OUT)/matrix_dma $(MT_OUT)/matrix_seal $(MT_OUT)/matrix_limits

TESTS += $(MT_TESTS) $(MT_OUT)/races $(MT_OUT)/lock-analysis

$(MT_OUT)/core/%.o: %.c $(MT_HEADERS)
	@mkdir -p $(@D)
	gcc $(MT_CFLAGS) -c -o $@ $<

MT_OBJECTS := $(patsubst %.c,$(MT_OUT)/core/%.o,$(MT_CORE) $(MT_FAKE))
MT_SPEC_OBJECTS := $(patsubst %.c,$(MT_OUT)/core/%.o,$(MT_SPEC))

$(MT_OUT)/test_mem_image: $(MT_OUT)/core/corevisor/core/vcpu.o $(MT_OUT)/core/arch-fake/fake_vcpu.o \
	$(MT_OUT)/core/test/common/owner.o
$(MT_UNIT): $(MT_OUT)/%: $(MT_OUT)/core/test/unit/%.o $(MT_OBJECTS)
	gcc $(MT_CFLAGS) -o $@ $^ -lcmocka -lbearssl -lfdt -lpthread

# What both matrices share comes first: test/mutants knows a program's kind by its first file. Then cells and calls.
MT_SHARED := $(MT_OUT)/core/test/matrix/call.o $(MT_OUT)/core/test/matrix/scene.o
$(MT_OUT)/matrix: $(addprefix $(MT_OUT)/core/test/matrix/,matrix.o calls_vm.o calls_memory.o calls_image.o calls_seal.o calls_block.o)
$(MT_OUT)/matrix_dma: $(addprefix $(MT_OUT)/core/test/matrix/,matrix_dma.o calls_dma.o)
$(MT_OUT)/matrix $(MT_OUT)/matrix_dma: $(MT_SHARED) $(MT_OBJECTS) $(MT_SPEC_OBJECTS)
	gcc $(MT_CFLAGS) -o $@ $^ -lcmocka -lbearssl -lfdt -lpthread

$(MT_OUT)/matrix_seal: $(MT_OUT)/core/test/matrix/matrix_seal.o $(MT_OBJECTS) $(MT_SPEC_OBJECTS)
	gcc $(MT_CFLAGS) -o $@ $^ -lcmocka -lbearssl -lfdt -lpthread

# With a size of the specification's state of its own
MT_LIMITS_CFLAGS := -Itest/matrix/limits $(MT_CFLAGS)

$(MT_OUT)/limits/%.o: %.c $(MT_HEADERS) test/matrix/limits/spec_size.h
	@mkdir -p $(@D)
	gcc $(MT_LIMITS_CFLAGS) -c -o $@ $<

$(MT_OUT)/matrix_limits: $(patsubst %.c,$(MT_OUT)/limits/%.o,test/matrix/matrix_limits.c $(MT_SPEC)) $(MT_OBJECTS)
	gcc $(MT_LIMITS_CFLAGS) -o $@ $^ -lcmocka -lbearssl -lfdt -lpthread

# The same calls, with threads as CPUs, under the thread sanitiser.
$(MT_OUT)/races: test/unit/test_mem_cpus.c $(MT_CORE) $(MT_FAKE) $(MT_HEADERS)
	@mkdir -p $(@D)
	gcc $(filter-out -fsanitize=address%,$(MT_CFLAGS)) -fsanitize=thread -o $@ $(filter %.c,$^) -lcmocka -lbearssl -lfdt -lpthread

# Compiling is the test: a lock that is not held where it must be is an error.
$(MT_OUT)/lock-analysis: $(MT_CORE) $(MT_HEADERS)
	@mkdir -p $(@D)
	for file in $(MT_CORE); do clang -std=c11 -fsyntax-only -Wall -Wextra -Werror -Wthread-safety \
		-Icorevisor/include -Iinclude $$file; done
	touch $@

.PHONY: prove
prove: setup ## CBMC on the shipped C, two harnesses at a time; a table at the end
	@test/proof/run

.PHONY: mutants
mutants: ## break the core in hundreds of ways, one at a time: the tests must notice; under an hour
	@test/mutants/run
