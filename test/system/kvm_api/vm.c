/* SPDX-License-Identifier: BSD-3-Clause */
#include "vm.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

static void need(bool ok, const char *what)
{
	if (!ok) {
		printf("Bail out! %s: %s\n", what, strerror(errno));
		exit(1);
	}
}

static void set_attr(int device, uint32_t group, uint64_t attr, void *value)
{
	struct kvm_device_attr args = { .group = group, .attr = attr, .addr = (uintptr_t)value };

	need(ioctl(device, KVM_SET_DEVICE_ATTR, &args) == 0, "KVM_SET_DEVICE_ATTR");
}

/* In QEMU's order: the addresses come after the initialisation. */
static void make_gic(struct vm *vm)
{
	struct kvm_create_device args = { .type = KVM_DEV_TYPE_ARM_VGIC_V3 };
	uint64_t dist = GICD_BASE, redist = GICR_BASE;
	uint32_t irqs = 288;

	need(ioctl(vm->fd, KVM_CREATE_DEVICE, &args) == 0, "KVM_CREATE_DEVICE");
	vm->gic = (int)args.fd;
	set_attr(vm->gic, KVM_DEV_ARM_VGIC_GRP_NR_IRQS, 0, &irqs);
	set_attr(vm->gic, KVM_DEV_ARM_VGIC_GRP_CTRL, KVM_DEV_ARM_VGIC_CTRL_INIT, NULL);
	set_attr(vm->gic, KVM_DEV_ARM_VGIC_GRP_ADDR, KVM_VGIC_V3_ADDR_TYPE_DIST, &dist);
	set_attr(vm->gic, KVM_DEV_ARM_VGIC_GRP_ADDR, KVM_VGIC_V3_ADDR_TYPE_REDIST, &redist);
}

static void make_vcpu(struct vm *vm, unsigned int index)
{
	long bytes = ioctl(vm->sys, KVM_GET_VCPU_MMAP_SIZE, 0);

	vm->vcpu[index] = ioctl(vm->fd, KVM_CREATE_VCPU, index);
	need(vm->vcpu[index] >= 0, "KVM_CREATE_VCPU");
	vm->run[index] =
		mmap(NULL, (size_t)bytes, PROT_READ | PROT_WRITE, MAP_SHARED, vm->vcpu[index], 0);
	need(vm->run[index] != MAP_FAILED, "mmap of kvm_run");
}

extern const char launch_page[];

static void load_image(struct vm *vm)
{
	size_t bytes = (size_t)(payloads_end - payloads);

	vm->launch = (void *)(vm->ram + (bytes + RV_PAGE_SIZE - 1) / RV_PAGE_SIZE * RV_PAGE_SIZE);
	memcpy(vm->ram, payloads, bytes);
	memcpy(vm->launch, launch_page, RV_PAGE_SIZE);
}

void vm_load(struct vm *vm, enum payload payload, uint64_t x0)
{
	struct kvm_vcpu_init init;

	need(ioctl(vm->fd, KVM_ARM_PREFERRED_TARGET, &init) == 0, "KVM_ARM_PREFERRED_TARGET");
	init.features[0] = 1u << KVM_ARM_VCPU_PSCI_0_2;
	for (unsigned int i = 0; i < vm->vcpu_count; i++) {
		if (i == 1) {
			init.features[0] |= 1u << KVM_ARM_VCPU_POWER_OFF;
		}
		need(ioctl(vm->vcpu[i], KVM_ARM_VCPU_INIT, &init) == 0, "KVM_ARM_VCPU_INIT");
	}
	load_image(vm);
	x0 |= (uint64_t)payload << 56;
	need(vm_set_reg(vm, 0, REG_PC, RAM_BASE) == 0 && vm_set_reg(vm, 0, REG_X0, x0) == 0,
	     "KVM_SET_ONE_REG");
}

struct vm *vm_make(const char *device, unsigned int vcpus, enum payload payload, uint64_t x0)
{
	struct kvm_userspace_memory_region ram = { .guest_phys_addr = RAM_BASE,
						   .memory_size = RAM_BYTES };
	struct vm *vm = calloc(1, sizeof(*vm));

	need(vm != NULL, "calloc");
	vm->sys = open(device, O_RDWR | O_CLOEXEC);
	need(vm->sys >= 0, device);
	vm->fd = ioctl(vm->sys, KVM_CREATE_VM, 40);
	need(vm->fd >= 0, "KVM_CREATE_VM");
	vm->ram = mmap(NULL, RAM_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	need(vm->ram != MAP_FAILED, "mmap of RAM");
	ram.userspace_addr = (uintptr_t)vm->ram;
	need(ioctl(vm->fd, KVM_SET_USER_MEMORY_REGION, &ram) == 0, "KVM_SET_USER_MEMORY_REGION");
	vm->vcpu_count = vcpus;
	for (unsigned int i = 0; i < vcpus; i++) {
		make_vcpu(vm, i);
	}
	make_gic(vm);
	vm_load(vm, payload, x0);
	return vm;
}

void vm_free(struct vm *vm)
{
	for (unsigned int i = 0; i < vm->vcpu_count; i++) {
		munmap(vm->run[i], 4096);
		close(vm->vcpu[i]);
	}
	close(vm->gic);
	close(vm->fd);
	close(vm->sys);
	munmap(vm->ram, RAM_BYTES);
	free(vm);
}

int vm_run(struct vm *vm, unsigned int index)
{
	return ioctl(vm->vcpu[index], KVM_RUN, 0) < 0 ? -errno : 0;
}

uint64_t vm_get_reg(struct vm *vm, unsigned int index, uint64_t id)
{
	uint64_t value = 0;
	struct kvm_one_reg reg = { .id = id, .addr = (uintptr_t)&value };

	return ioctl(vm->vcpu[index], KVM_GET_ONE_REG, &reg) < 0 ? ~0ull : value;
}

int vm_set_reg(struct vm *vm, unsigned int index, uint64_t id, uint64_t value)
{
	struct kvm_one_reg reg = { .id = id, .addr = (uintptr_t)&value };

	return ioctl(vm->vcpu[index], KVM_SET_ONE_REG, &reg) < 0 ? -errno : 0;
}

int vm_irq_line(struct vm *vm, uint32_t intid, bool level)
{
	struct kvm_irq_level args = { .irq = KVM_ARM_IRQ_TYPE_SPI << KVM_ARM_IRQ_TYPE_SHIFT | intid,
				      .level = level };

	return ioctl(vm->fd, KVM_IRQ_LINE, &args) < 0 ? -errno : 0;
}

bool vm_next_mmio(struct vm *vm, unsigned int index)
{
	int status = vm_run(vm, index);

	if (status != 0 || vm->run[index]->exit_reason != KVM_EXIT_MMIO) {
		note("KVM_RUN: %d, exit reason %u, not MMIO", status, vm->run[index]->exit_reason);
		return false;
	}
	return true;
}

static bool is_access(struct vm *vm, unsigned int index, uint32_t offset, uint32_t bytes,
		      bool is_write)
{
	const struct kvm_run *run = vm->run[index];

	if (!vm_next_mmio(vm, index)) {
		return false;
	}
	if (run->mmio.phys_addr == DEVICE_BASE + offset && run->mmio.len == bytes &&
	    run->mmio.is_write == is_write) {
		return true;
	}
	note("%s of %u bytes at %llx, not %s of %u at offset %x (data %02x %02x %02x %02x)",
	     run->mmio.is_write ? "write" : "read", run->mmio.len, run->mmio.phys_addr,
	     is_write ? "write" : "read", bytes, offset, run->mmio.data[0], run->mmio.data[1],
	     run->mmio.data[2], run->mmio.data[3]);
	return false;
}

bool vm_expect_write(struct vm *vm, unsigned int index, uint32_t offset, uint32_t bytes,
		     uint64_t value)
{
	uint64_t seen = 0;

	if (!is_access(vm, index, offset, bytes, true)) {
		return false;
	}
	memcpy(&seen, vm->run[index]->mmio.data, bytes);
	if (seen != value) {
		note("write of %llx at offset %x, not %llx", (unsigned long long)seen, offset,
		     (unsigned long long)value);
	}
	return seen == value;
}

bool vm_expect_read(struct vm *vm, unsigned int index, uint32_t offset, uint32_t bytes,
		    uint64_t answer)
{
	if (!is_access(vm, index, offset, bytes, false)) {
		return false;
	}
	memcpy(vm->run[index]->mmio.data, &answer, bytes);
	return true;
}

bool vm_expect_event(struct vm *vm, unsigned int index, uint32_t type)
{
	int status = vm_run(vm, index);
	const struct kvm_run *run = vm->run[index];

	if (status == 0 && run->exit_reason == KVM_EXIT_SYSTEM_EVENT &&
	    run->system_event.type == type) {
		return true;
	}
	note("KVM_RUN: %d, exit reason %u, not system event %u", status, run->exit_reason, type);
	return false;
}

/* ---- TAP ---- */

#define TEST_SECONDS 20

static unsigned int tests;
static const char *test_name;

void test_begin(const char *name)
{
	alarm(TEST_SECONDS); /* ends a KVM_RUN that lasts */
	test_name = name;
}

void test_end(bool is_ok)
{
	printf("%sok %u - %s\n", is_ok ? "" : "not ", ++tests, test_name);
	fflush(stdout);
}

void note(const char *format, ...)
{
	va_list list;

	va_start(list, format);
	printf("# ");
	vprintf(format, list);
	printf("\n");
	va_end(list);
}
