# SPDX-License-Identifier: BSD-3-Clause
# hostvisor.ko for the two stock host kernels, out of tree, from the headers in the cache.

HOSTVISOR_KERNELS := 6.1 6.12
HOSTVISOR_SOURCES := $(wildcard hostvisor/*.c hostvisor/*.h) hostvisor/Kbuild
HOSTVISOR_JOBS ?= 2

hostvisor_release = $(shell cat $(CACHE)/kernels/$(1)/release 2>/dev/null)
hostvisor_ko = $(BUILD)/hostvisor/$(call hostvisor_release,$(1))/hostvisor.ko

# Kbuild writes next to the sources, so each kernel gets a directory of links to them.
# W=1 is on for our own code; pahole is not needed; KBUILD_MODPOST_WARN stays unset: a missing export is an error.
define hostvisor_rule
$(call hostvisor_ko,$(1)): $$(HOSTVISOR_SOURCES) include/ravelin/abi.h include/ravelin/hostvisor.h
	@mkdir -p $$(@D)
	@find $$(@D) -maxdepth 1 -type l -delete
	@ln -s $$(addprefix $$(CURDIR)/,$$(HOSTVISOR_SOURCES)) $$(@D)/
	$$(MAKE) -j$$(HOSTVISOR_JOBS) --no-print-directory -C $$(CACHE)/headers/$(1)/build \
		M=$$(CURDIR)/$$(@D) ARCH=arm64 CROSS_COMPILE=$$(CROSS) \
		CC=$$(CROSS)gcc CONFIG_DEBUG_INFO_BTF_MODULES= W=1 \
		HOSTVISOR_INCLUDE=$$(CURDIR)/include modules
endef

ifneq ($(call hostvisor_release,6.1),)
HOSTVISOR_MODULES := $(foreach k,$(HOSTVISOR_KERNELS),$(call hostvisor_ko,$(k)))
$(foreach k,$(HOSTVISOR_KERNELS),$(eval $(call hostvisor_rule,$(k))))
MODULES += $(HOSTVISOR_MODULES)
endif

.PHONY: hostvisor
hostvisor: $(HOSTVISOR_MODULES)
	@test -n "$(HOSTVISOR_MODULES)" || { echo "no kernel headers yet: make setup" >&2; exit 1; }

# The KVM interface's test programs: static, they run in the host. What their VMs run is one signed image.
KVM_API_OUT := $(BUILD)/test/system
KVM_API := $(addprefix $(KVM_API_OUT)/,kvm_api kvm_kill)
KVM_API_COMMON := test/system/kvm_api/vm.c $(addprefix $(KVM_API_OUT)/,payload.o launch_page.o)
ALL += $(KVM_API)
$(KVM_API_OUT)/kvm_api: $(addprefix test/system/kvm_api/,main.c guest.c launch.c refuse.c snapshot.c)
$(KVM_API_OUT)/kvm_kill: test/system/kvm_api/kill.c
$(KVM_API): $(KVM_API_COMMON) test/system/kvm_api/vm.h include/ravelin/abi.h include/ravelin/hostvisor.h mk/hostvisor.mk
	@mkdir -p $(@D)
	$(CROSS)gcc -std=gnu11 -D_GNU_SOURCE -O2 -g -Wall -Wextra -Wshadow -Wstrict-prototypes -Werror -Iinclude -static \
		-pthread -o $@ $(filter %.c %.o,$^)

$(KVM_API_OUT)/payload.o: test/system/kvm_api/payload.S mk/hostvisor.mk
	@mkdir -p $(@D)
	$(CROSS)gcc -c -o $@ $<

# The addresses, as in vm.h.
$(KVM_API_OUT)/payload.launch: $(KVM_API_OUT)/payload.o $(BUILD)/tools/ravelin $(BUILD)/keys/test.pem
	$(CROSS)objcopy -O binary -j .rodata.payload $< $(@D)/payload.bin
	@# What is signed is what is run only if the linker changes nothing.
	@! $(CROSS)readelf -rW $< | grep -q R_AARCH64
	$(BUILD)/tools/ravelin sign --key $(BUILD)/keys/test.pem --image $(@D)/payload.bin@0x40000000 \
		--parameters 0x41000000:0x10000 --vcpus-max 20 --snapshots -o $@

$(KVM_API_OUT)/launch_page.o: test/system/kvm_api/launch_page.S $(KVM_API_OUT)/payload.launch
	$(CROSS)gcc -c -Wa,-I$(@D) -o $@ $<
