# SPDX-License-Identifier: BSD-3-Clause
# libFuzzer targets over the code that reads what others wrote: build/fuzz/fuzz_*; test/fuzz/run runs them.

FZ_OUT := $(BUILD)/fuzz
FZ_CFLAGS := -std=gnu11 -D_GNU_SOURCE -O1 -g -Wall -Wextra -Werror -Icorevisor/include -Iinclude -Isealboot -Iarch-fake \
	-fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
FZ_HEADERS := $(wildcard corevisor/include/cv/*.h arch-fake/*.h test/fuzz/*.h) include/ravelin/abi.h mk/fuzz.mk
FZ_BOOT := test/fuzz/fuzz_boot.c
FZ_TARGETS := $(addprefix $(FZ_OUT)/,fuzz_bundle fuzz_machine_fdt fuzz_sealboot fuzz_calls fuzz_seal fuzz_manifest)

TESTS += $(FZ_TARGETS)

$(FZ_OUT)/fuzz_bundle: test/fuzz/fuzz_bundle.c $(FZ_BOOT) corevisor/core/bundle.c corevisor/core/boot_fdt.c \
		$(FZ_HEADERS)
	@mkdir -p $(@D)
	clang $(FZ_CFLAGS) -o $@ $(filter %.c,$^) -lfdt

$(FZ_OUT)/fuzz_machine_fdt: test/fuzz/fuzz_machine_fdt.c $(FZ_BOOT) corevisor/core/boot_fdt.c corevisor/core/host_fdt.c \
		$(FZ_HEADERS)
	@mkdir -p $(@D)
	clang $(FZ_CFLAGS) -o $@ $(filter %.c,$^) -lfdt

$(FZ_OUT)/fuzz_manifest: test/fuzz/fuzz_manifest.c $(FZ_BOOT) corevisor/core/manifest.c $(FZ_HEADERS)
	@mkdir -p $(@D)
	clang $(FZ_CFLAGS) -o $@ $(filter %.c,$^) -lfdt

$(FZ_OUT)/fuzz_sealboot: test/fuzz/fuzz_sealboot.c sealboot/fdt.c sealboot/sealboot.h test/unit/sealboot_compare.h mk/fuzz.mk
	@mkdir -p $(@D)
	clang $(FZ_CFLAGS) -Itest/unit -o $@ $(filter %.c,$^) -lfdt

FZ_CORE := $(addprefix corevisor/core/,lock.c ledger.c pool.c s2.c hyp_map.c host_map.c mem.c mem_range.c mem_block.c mem_pages.c mem_io.c vm.c dma.c image.c manifest.c crypto.c \
	hcall.c seal.c seal_load.c seal_record.c \
	vcpu.c run.c guest_fault.c guest_inject.c guest_sysreg.c guest_psci.c guest_smccc.c rsi.c vgic.c vtimer.c exception.c \
	trng.c)
FZ_FAKE := $(addprefix arch-fake/,fake_mem.c fake_tlb.c fake_cpu.c fake_boot.c fake_vcpu.c)

FZ_SNAPSHOT := $(addprefix test/common/,snapshot.c snapshot.h call_locks.c call_locks.h)

$(FZ_OUT)/fuzz_calls: test/fuzz/fuzz_calls.c $(addprefix test/common/,good_launch.c good_launch.h) $(FZ_SNAPSHOT) $(FZ_CORE) $(FZ_FAKE) $(FZ_HEADERS)
	@mkdir -p $(@D)
	clang $(FZ_CFLAGS) -Wno-unused-function -Wl,--wrap=crypto_verify -o $@ $(filter %.c,$^) -lbearssl -lfdt -lpthread

$(FZ_OUT)/fuzz_seal: test/fuzz/fuzz_seal.c $(FZ_SNAPSHOT) $(FZ_CORE) $(FZ_FAKE) $(FZ_HEADERS)
	@mkdir -p $(@D)
	clang $(FZ_CFLAGS) -o $@ $(filter %.c,$^) -lbearssl -lfdt -lpthread
