/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The interface's surface: what is there, what is refused and how, and what random calls do
 * (nothing).
 */
#include "vm.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#define RANDOM_CALLS 30000

static char text[100];

static bool call(int fd, unsigned long number, void *argument, int expected)
{
	int result = ioctl(fd, number, argument) < 0 ? -errno : 0;

	if (result != expected) {
		note("ioctl %lx: %d, not %d", number, result, expected);
	}
	return result == expected;
}

static bool capabilities(int fd)
{
	static const int yes[] = {
		KVM_CAP_IRQCHIP,
		KVM_CAP_USER_MEMORY,
		KVM_CAP_NR_VCPUS,
		KVM_CAP_NR_MEMSLOTS,
		KVM_CAP_MP_STATE,
		KVM_CAP_DESTROY_MEMORY_REGION_WORKS,
		KVM_CAP_JOIN_MEMORY_REGIONS_WORKS,
		KVM_CAP_IRQFD,
		KVM_CAP_IOEVENTFD,
		KVM_CAP_INTERNAL_ERROR_DATA,
		KVM_CAP_MAX_VCPUS,
		KVM_CAP_ONE_REG,
		KVM_CAP_ARM_PSCI,
		KVM_CAP_DEVICE_CTRL,
		KVM_CAP_ARM_PSCI_0_2,
		KVM_CAP_CHECK_EXTENSION_VM,
		KVM_CAP_IOEVENTFD_ANY_LENGTH,
		KVM_CAP_IMMEDIATE_EXIT,
		KVM_CAP_ARM_VM_IPA_SIZE,
	};
	bool is_yes[400] = { false }, ok = true;

	for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++) {
		is_yes[yes[i]] = true;
	}
	for (int cap = 0; cap < 400; cap++) {
		int answer = ioctl(fd, KVM_CHECK_EXTENSION, cap);

		if ((answer > 0) != is_yes[cap] || answer < 0) {
			note("capability %d: %d", cap, answer);
			ok = false;
		}
	}
	return ok && ioctl(fd, KVM_CHECK_EXTENSION, KVM_CAP_ARM_VM_IPA_SIZE) == 40;
}

static bool system_calls(struct vm *vm)
{
	return ioctl(vm->sys, KVM_GET_API_VERSION, 0) == 12 &&
	       ioctl(vm->sys, KVM_GET_VCPU_MMAP_SIZE, 0) == 4096 &&
	       call(vm->sys, KVM_CREATE_VM, (void *)48, -EINVAL) &&
	       call(vm->sys, KVM_CREATE_VM, (void *)8, -EINVAL) &&
	       call(vm->sys, KVM_CREATE_VM, (void *)(1ul << 31), -EINVAL) &&
	       call(vm->sys, KVM_RUN, NULL, -ENOTTY);
}

static bool slots(struct vm *vm)
{
	const struct kvm_userspace_memory_region good = { .slot = 1,
							  .guest_phys_addr = 0x80000000,
							  .memory_size = 0x10000,
							  .userspace_addr = (uintptr_t)vm->ram };
	struct kvm_userspace_memory_region r = good;
	bool ok;

	r.flags = KVM_MEM_READONLY;
	ok = call(vm->fd, KVM_SET_USER_MEMORY_REGION, &r, -EINVAL);
	r = good;
	r.slot = 1000;
	ok = call(vm->fd, KVM_SET_USER_MEMORY_REGION, &r, -EINVAL) && ok;
	r = good;
	r.memory_size = 0x1001;
	ok = call(vm->fd, KVM_SET_USER_MEMORY_REGION, &r, -EINVAL) && ok;
	r = good;
	r.guest_phys_addr = (1ull << 40) - 0x8000;
	ok = call(vm->fd, KVM_SET_USER_MEMORY_REGION, &r, -EINVAL) && ok;
	r = good;
	r.guest_phys_addr = RAM_BASE + 0x10000;
	ok = call(vm->fd, KVM_SET_USER_MEMORY_REGION, &r, -EEXIST) && ok;
	r = good;
	r.userspace_addr = 0xffff000000000000;
	ok = call(vm->fd, KVM_SET_USER_MEMORY_REGION, &r, -EINVAL) && ok;
	r = good;
	r.memory_size = 0;
	ok = call(vm->fd, KVM_SET_USER_MEMORY_REGION, &r, -EINVAL) && ok;
	r = good;
	ok = call(vm->fd, KVM_SET_USER_MEMORY_REGION, &r, 0) && ok;
	r.memory_size = 0;
	return call(vm->fd, KVM_SET_USER_MEMORY_REGION, &r, 0) && ok;
}

static bool devices(struct vm *vm)
{
	struct kvm_create_device v2 = { .type = KVM_DEV_TYPE_ARM_VGIC_V2,
					.flags = KVM_CREATE_DEVICE_TEST };
	struct kvm_create_device v3 = { .type = KVM_DEV_TYPE_ARM_VGIC_V3,
					.flags = KVM_CREATE_DEVICE_TEST };
	struct kvm_create_device its = { .type = KVM_DEV_TYPE_ARM_VGIC_ITS };
	uint64_t address = 0x08080000;
	struct kvm_device_attr regs = { .group = KVM_DEV_ARM_VGIC_GRP_DIST_REGS };
	struct kvm_device_attr place = { .group = KVM_DEV_ARM_VGIC_GRP_ADDR,
					 .attr = KVM_VGIC_ITS_ADDR_TYPE,
					 .addr = (uintptr_t)&address };
	struct kvm_device_attr again = { .group = KVM_DEV_ARM_VGIC_GRP_ADDR,
					 .attr = KVM_VGIC_V3_ADDR_TYPE_DIST,
					 .addr = (uintptr_t)&address };
	bool ok = call(vm->fd, KVM_CREATE_DEVICE, &v3, 0) &&
		  call(vm->fd, KVM_CREATE_DEVICE, &v2, -ENODEV) &&
		  call(vm->fd, KVM_CREATE_DEVICE, &its, 0);

	ok = ok && call((int)its.fd, KVM_SET_DEVICE_ATTR, &place, 0) &&
	     call((int)its.fd, KVM_SET_DEVICE_ATTR, &place, -EEXIST);
	close((int)its.fd);
	v3.flags = 0;
	return ok && call(vm->fd, KVM_CREATE_DEVICE, &v3, -EEXIST) &&
	       call(vm->gic, KVM_HAS_DEVICE_ATTR, &regs, -ENXIO) &&
	       call(vm->gic, KVM_SET_DEVICE_ATTR, &again, -EEXIST) &&
	       call(vm->gic, KVM_RUN, NULL, -ENOTTY);
}

static bool irq_lines(struct vm *vm)
{
	return vm_irq_line(vm, 31, 1) == -EINVAL && vm_irq_line(vm, 288, 1) == -EINVAL &&
	       vm_irq_line(vm, 0xffff, 1) == -EINVAL && vm_irq_line(vm, 287, 1) == 0 &&
	       vm_irq_line(vm, 287, 0) == 0;
}

static bool registers(struct vm *vm)
{
	uint64_t small[1] = { 0 }, pfr0;
	struct kvm_reg_list *list = calloc(1, sizeof(*list) + 2000 * sizeof(uint64_t));
	bool ok = call(vm->vcpu[0], KVM_GET_REG_LIST, small, -E2BIG) && small[0] > 70 &&
		  small[0] < 2000;

	list->n = small[0];
	ok = ok && call(vm->vcpu[0], KVM_GET_REG_LIST, list, 0);
	for (uint64_t i = 0; ok && i < list->n; i++) {
		uint8_t value[256];
		struct kvm_one_reg reg = { .id = list->reg[i], .addr = (uintptr_t)value };

		ok = call(vm->vcpu[0], KVM_GET_ONE_REG, &reg, 0) &&
		     call(vm->vcpu[0], KVM_SET_ONE_REG, &reg, 0);
	}
	free(list);
	/* ID_AA64PFR0: AArch64 at EL1, no EL2, no EL3; GICv3 CPU interface. MPIDR of vCPU 0. */
	pfr0 = vm_get_reg(vm, 0, ARM64_SYS_REG(3, 0, 0, 4, 0));
	if ((pfr0 & 0xf00fff0) != 0x1000010) {
		note("ID_AA64PFR0 is %llx", (unsigned long long)pfr0);
		ok = false;
	}
	ok = ok && vm_get_reg(vm, 0, ARM64_SYS_REG(3, 0, 0, 0, 5)) == 0x80000000;
	ok = ok && vm_set_reg(vm, 0, REG_CORE(1), 0) < 0 &&
	     vm_set_reg(vm, 0, REG_CORE(0x52), 0) < 0;
	return ok && vm_set_reg(vm, 0, REG_CORE(0xfffe), 0) < 0 && vm_set_reg(vm, 0, 0, 0) < 0;
}

static bool vcpus(struct vm *vm)
{
	struct kvm_vcpu_init init = { .target = KVM_ARM_TARGET_GENERIC_V8,
				      .features = { 1u << KVM_ARM_VCPU_SVE } };
	struct kvm_mp_state state = { .mp_state = KVM_MP_STATE_HALTED };
	bool ok = call(vm->fd, KVM_CREATE_VCPU, (void *)0, -EEXIST) &&
		  call(vm->fd, KVM_CREATE_VCPU, (void *)100000, -EINVAL);

	ok = ok && call(vm->vcpu[0], KVM_ARM_VCPU_INIT, &init, -EINVAL) &&
	     call(vm->vcpu[0], KVM_SET_MP_STATE, &state, -EINVAL);
	return ok && mmap(NULL, 1 << 20, PROT_READ, MAP_SHARED, vm->vcpu[0], 0) == MAP_FAILED;
}

/*
 * Numbers of the interface and near it, arguments that may point somewhere: whatever comes back,
 * the host lives.
 */
static bool random_calls(struct vm *vm)
{
	static uint64_t page[512];
	const int fds[] = { vm->sys, vm->fd, vm->vcpu[0], vm->vcpu[1], vm->gic };
	static const unsigned long known[] = {
		KVM_CHECK_EXTENSION,
		KVM_CREATE_VCPU,
		KVM_SET_USER_MEMORY_REGION,
		KVM_IRQ_LINE,
		KVM_IOEVENTFD,
		KVM_CREATE_DEVICE,
		KVM_ARM_PREFERRED_TARGET,
		KVM_SET_DEVICE_ATTR,
		KVM_GET_DEVICE_ATTR,
		KVM_HAS_DEVICE_ATTR,
		KVM_SET_ONE_REG,
		KVM_GET_ONE_REG,
		KVM_GET_REG_LIST,
		KVM_SET_MP_STATE,
		KVM_GET_MP_STATE,
		KVM_ARM_VCPU_INIT,
	};

	srandom(20261120);
	for (int i = 0; i < RANDOM_CALLS; i++) {
		unsigned long number = random() % 4 ? known[(size_t)random() % 16]
						    : 0xae00u + (unsigned long)(random() & 0xff);
		void *argument = random() % 8 ? (void *)page : (void *)(uintptr_t)random();
		int fd;

		for (int j = 0; j < 8; j++) {
			page[j] = (uint64_t)random() << (random() % 34) >> (random() % 32);
		}
		if (number == KVM_RUN || number == KVM_CREATE_VM) {
			continue;
		}
		fd = ioctl(fds[(size_t)random() % 5], number, argument);
		if (fd > vm->gic && number != KVM_CHECK_EXTENSION) {
			close(fd);
		}
		if (number == KVM_CREATE_DEVICE && fd == 0) {
			struct kvm_create_device made;

			memcpy(&made, page, sizeof(made));
			close((int)made.fd > vm->gic ? (int)made.fd : -1);
		}
	}
	return true;
}

static void test(const char *kind, const char *name, bool is_ok)
{
	snprintf(text, sizeof(text), "%s: %s", kind, name);
	test_begin(text);
	test_end(is_ok);
}

void test_refusals(const char *device, const char *kind)
{
	struct vm *vm = vm_make(device, 2, PAYLOAD_MMIO, 0);

	test(kind, "capabilities of the device file", capabilities(vm->sys));
	test(kind, "capabilities of the VM", capabilities(vm->fd));
	test(kind, "calls on the device file", system_calls(vm));
	test(kind, "memory regions", slots(vm));
	test(kind, "devices", devices(vm));
	test(kind, "interrupt lines", irq_lines(vm));
	test(kind, "registers", registers(vm));
	test(kind, "vCPUs", vcpus(vm));
	test(kind, "30 000 random calls", random_calls(vm));
	vm_free(vm);
}
