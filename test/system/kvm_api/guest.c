/* SPDX-License-Identifier: BSD-3-Clause */
/* Guests that do something, and what the interface says of it. */
#include "vm.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/timex.h>
#include <unistd.h>

#define RAM_TEST_PAGES 3000 /* of the 64 MiB; more than one batch, over several 2 MiB blocks */

static bool mmio(const char *device)
{
	struct vm *vm = vm_make(device, 1, PAYLOAD_MMIO, 0);
	bool ok = vm_expect_write(vm, 0, 0, 4, 0x1234) &&
		  vm_expect_read(vm, 0, 0x10, 8, 0x1122334455667788) &&
		  vm_expect_write(vm, 0, 0x18, 8, 0x1122334455667789) &&
		  vm_expect_read(vm, 0, 0x20, 1, 0x80) && vm_expect_write(vm, 0, 0x28, 8, 0x80) &&
		  vm_expect_read(vm, 0, 0x30, 2, 0x8001) &&
		  vm_expect_write(vm, 0, 0x38, 8, 0x8001) && vm_expect_read(vm, 0, 0x40, 1, 0xa5) &&
		  vm_expect_write(vm, 0, 0x48, 1, 0xa5) && vm_expect_write(vm, 0, 0x50, 8, 0) &&
		  vm_expect_write(vm, 0, 0x58, 8, ~0ull) &&
		  vm_expect_event(vm, 0, KVM_SYSTEM_EVENT_SHUTDOWN);

	vm_free(vm);
	return ok;
}

static bool ioeventfd(const char *device)
{
	struct vm *vm = vm_make(device, 1, PAYLOAD_MMIO, 0);
	struct kvm_ioeventfd args = { .addr = DEVICE_BASE,
				      .len = 4,
				      .datamatch = 0x1234,
				      .flags = KVM_IOEVENTFD_FLAG_DATAMATCH,
				      .fd = eventfd(0, 0) };
	struct kvm_ioeventfd any = { .addr = DEVICE_BASE + 0x18, .fd = eventfd(0, 0) };
	uint64_t hits = 0, any_hits = 0;
	bool ok =
		ioctl(vm->fd, KVM_IOEVENTFD, &args) == 0 && ioctl(vm->fd, KVM_IOEVENTFD, &any) == 0;

	ok = ok && ioctl(vm->fd, KVM_IOEVENTFD, &args) < 0 && errno == EEXIST;
	/* Neither write is seen by user space. */
	ok = ok && vm_expect_read(vm, 0, 0x10, 8, 1) && vm_expect_read(vm, 0, 0x20, 1, 0);
	ok = ok && read(args.fd, &hits, 8) == 8 && read(any.fd, &any_hits, 8) == 8 && hits == 1 &&
	     any_hits == 1;
	args.flags |= KVM_IOEVENTFD_FLAG_DEASSIGN;
	ok = ok && ioctl(vm->fd, KVM_IOEVENTFD, &args) == 0;
	ok = ok && ioctl(vm->fd, KVM_IOEVENTFD, &args) < 0 && errno == ENOENT;
	close(args.fd);
	close(any.fd);
	vm_free(vm);
	return ok;
}

/* Twice in one VM: a reset gives back everything, and the VMM starts anew. */
static bool ram_and_reset(const char *device)
{
	struct vm *vm = vm_make(device, 1, PAYLOAD_RAM, RAM_TEST_PAGES);
	bool ok = true;

	for (int round = 0; ok && round < 2; round++) {
		ok = vm_expect_write(vm, 0, 0, 8, RAM_TEST_PAGES) &&
		     vm_expect_event(vm, 0, KVM_SYSTEM_EVENT_RESET);
		vm_load(vm, PAYLOAD_RAM, RAM_TEST_PAGES);
	}
	vm_free(vm);
	return ok;
}

static bool interrupts(const char *device)
{
	struct vm *vm = vm_make(device, 1, PAYLOAD_IRQ, 0);
	bool ok = vm_expect_write(vm, 0, 0x60, 4, 27) && vm_expect_write(vm, 0, 0x60, 4, 30) &&
		  vm_expect_write(vm, 0, 0x60, 4, 1) && vm_expect_write(vm, 0, 0x70, 4, 0);

	ok = ok && vm_irq_line(vm, 40, true) == 0 && vm_expect_write(vm, 0, 0x60, 4, 40);
	ok = ok && vm_irq_line(vm, 40, false) == 0 && vm_expect_write(vm, 0, 0x78, 8, 4);
	ok = ok && vm_expect_event(vm, 0, KVM_SYSTEM_EVENT_SHUTDOWN);
	vm_free(vm);
	return ok;
}

static bool quiet_timer(const char *device)
{
	struct vm *vm = vm_make(device, 1, PAYLOAD_QUIET, 0);
	bool ok = vm_expect_write(vm, 0, 0, 4, 1) &&
		  vm_expect_event(vm, 0, KVM_SYSTEM_EVENT_SHUTDOWN);

	vm_free(vm);
	return ok;
}

/* As NTP slews a clock, only more: 10 % fast. */
#define TICK 10000
#define FAST_TICK (TICK + TICK / 10)

static bool clock_set_tick(long microseconds)
{
	struct timex args = { .modes = ADJ_TICK, .tick = microseconds };

	return adjtimex(&args) >= 0 && usleep(100000) == 0; /* in effect from the next ticks on */
}

/* The host's timers go by its clock, the guest's by the counter. */
static bool fast_clock(const char *device)
{
	bool ok = clock_set_tick(FAST_TICK) && interrupts(device);

	return clock_set_tick(TICK) && ok;
}

static void on_signal(int number)
{
	(void)number;
}

static void allow_signal(void)
{
	struct sigaction action = { .sa_handler = on_signal };

	sigaction(SIGUSR1, &action, NULL);
	sigaction(SIGALRM, &action, NULL);
}

/* A signal that comes before KVM_RUN ends nothing: send it again. False: it never ends. */
static bool interrupt(pthread_t thread)
{
	for (int i = 0; i < 200; i++) {
		usleep(50000);
		pthread_kill(thread, SIGUSR1);
		usleep(1000);
		if (pthread_tryjoin_np(thread, NULL) == 0) {
			return true;
		}
	}
	note("KVM_RUN does not end by a signal");
	return false;
}

struct runner {
	struct vm *vm;
	unsigned int index;
	uint64_t mpidr;
	int result;
	bool ok;
};

static void *run_second(void *argument)
{
	struct runner *r = argument;

	/* Contexts 0x42, then 0x41 */
	r->ok = vm_expect_write(r->vm, r->index, 0, 8, 0x42) &&
		vm_expect_write(r->vm, r->index, 8, 8, r->mpidr) &&
		vm_expect_write(r->vm, r->index, 0, 8, 0x41) &&
		vm_expect_write(r->vm, r->index, 8, 8, r->mpidr);
	r->result = vm_run(r->vm, r->index); /* off: waits until the signal */
	return NULL;
}

/* The host's MPIDR of the vCPU, the guest's, and whom CPU_ON and AFFINITY_INFO mean by it. */
static bool power_of(const char *device, unsigned int vcpus, unsigned int index, uint64_t affinity)
{
	struct vm *vm = vm_make(device, vcpus, PAYLOAD_CPUS, affinity);
	struct runner second = { .vm = vm, .index = index, .mpidr = 0x80000000 | affinity };
	pthread_t thread;
	bool ok;

	if (vm_get_reg(vm, index, REG_MPIDR) != second.mpidr) {
		note("MPIDR of vCPU %u: %#lx", index, vm_get_reg(vm, index, REG_MPIDR));
		vm_free(vm);
		return false;
	}
	pthread_create(&thread, NULL, run_second, &second);
	ok = vm_expect_write(vm, 0, 0x10, 8, 0) && vm_expect_write(vm, 0, 0x10, 8, 0) &&
	     vm_expect_write(vm, 0, 0x18, 8, (uint64_t)-2) &&
	     vm_expect_event(vm, 0, KVM_SYSTEM_EVENT_SHUTDOWN);
	ok = interrupt(thread) && ok;
	if (!ok) {
		return false; /* the thread may still be there */
	}
	if (!second.ok || second.result != -EINTR) {
		note("the second vCPU: %d, %d", second.ok, second.result);
	}
	vm_free(vm);
	return ok && second.ok && second.result == -EINTR;
}

static bool power(const char *device)
{
	return power_of(device, 2, 1, 1);
}

static bool power_of_many(const char *device)
{
	return power_of(device, OWNER_VCPUS, 17, 0x101);
}

static void *run_once(void *argument)
{
	struct runner *r = argument;

	r->result = vm_run(r->vm, 0);
	return NULL;
}

/* A signal ends KVM_RUN, whether the guest computes or waits. */
static bool signals(const char *device, enum payload payload)
{
	struct vm *vm = vm_make(device, 1, payload, 0);
	struct runner r = { .vm = vm };
	bool ok = true;

	for (int round = 0; ok && round < 3; round++) {
		pthread_t thread;

		pthread_create(&thread, NULL, run_once, &r);
		ok = interrupt(thread) && r.result == -EINTR &&
		     vm->run[0]->exit_reason == KVM_EXIT_INTR;
	}
	if (!ok) {
		return false; /* the thread may still be there */
	}
	vm->run[0]->immediate_exit = 1;
	ok = vm_run(vm, 0) == -EINTR;
	vm_free(vm);
	return ok;
}

static bool spin_signals(const char *device)
{
	return signals(device, PAYLOAD_SPIN);
}

static bool wait_signals(const char *device)
{
	return signals(device, PAYLOAD_WAIT);
}

/* The last reference may be any of the files. */
static bool close_order(const char *device)
{
	struct vm *vm = vm_make(device, 1, PAYLOAD_LOOP, 0x77);
	bool ok = vm_expect_write(vm, 0, 0, 4, 0x77);

	close(vm->fd);
	close(vm->sys);
	close(vm->gic);
	ok = ok && vm_expect_write(vm, 0, 0, 4, 0x77);
	vm->gic = vm->fd = vm->sys = -1;
	vm_free(vm);
	return ok;
}

static void test(const char *kind, const char *name, bool (*function)(const char *),
		 const char *device)
{
	static char text[100];

	snprintf(text, sizeof(text), "%s: %s", kind, name);
	test_begin(text);
	test_end(function(device));
}

void test_guests(const char *device, const char *kind)
{
	allow_signal();
	test(kind, "MMIO of every width crosses and comes back", mmio, device);
	test(kind, "ioeventfds take their writes", ioeventfd, device);
	test(kind, "RAM keeps what is written; a reset starts anew", ram_and_reset, device);
	test(kind, "timers, SGI and a level SPI arrive once each", interrupts, device);
	test(kind, "timers do not get lost when the host's clock runs fast", fast_clock, device);
	test(kind, "a timer whose interrupt is off lets the guest go on", quiet_timer, device);
	test(kind, "a second vCPU goes on and off", power, device);
	test(kind, "so does the eighteenth of twenty", power_of_many, device);
	test(kind, "a signal ends the run of a busy guest", spin_signals, device);
	test(kind, "a signal ends the run of a waiting guest", wait_signals, device);
	test(kind, "files close in any order", close_order, device);
}

/* ---- what only a protected VM must show ---- */

static sigjmp_buf bus_return;

static void on_bus(int number)
{
	(void)number;
	siglongjmp(bus_return, 1);
}

/* Reads or writes a byte of the VM's RAM. False: SIGBUS. */
static bool touch(struct vm *vm, bool is_write)
{
	volatile uint8_t *byte = vm->ram;

	if (sigsetjmp(bus_return, 1) != 0) {
		return false;
	}
	if (is_write) {
		*byte = 1;
	} else {
		(void)*byte;
	}
	return true;
}

static bool is_hidden(struct vm *vm)
{
	struct sigaction action = { .sa_handler = on_bus };
	char name[64];
	uint8_t byte;
	int fd;
	bool ok;

	sigaction(SIGBUS, &action, NULL);
	ok = !touch(vm, false) && !touch(vm, true);
	/* The kernel on behalf of a system call, and through another way to the page. */
	fd = open("/dev/zero", O_RDONLY);
	ok = ok && read(fd, vm->ram, 16) < 0 && errno == EFAULT;
	close(fd);
	snprintf(name, sizeof(name), "/proc/%d/mem", getpid());
	fd = open(name, O_RDONLY);
	ok = ok && pread(fd, &byte, 1, (off_t)(uintptr_t)vm->ram) < 0;
	close(fd);
	return ok;
}

static bool privacy(const char *device)
{
	struct vm *vm = vm_make(device, 1, PAYLOAD_LOOP, 0x77);
	struct kvm_userspace_memory_region gone = { .guest_phys_addr = RAM_BASE };
	bool ok = vm_expect_write(vm, 0, 0, 4, 0x77);

	ok = ok && is_hidden(vm);
	ok = ok && vm_get_reg(vm, 0, REG_X0) == 0 && vm_get_reg(vm, 0, REG_PC) == 0;
	ok = ok && vm_set_reg(vm, 0, REG_X0, 0x55) == 0 && vm_set_reg(vm, 0, REG_PC, 0) == 0;
	ok = ok && ioctl(vm->fd, KVM_SET_USER_MEMORY_REGION, &gone) < 0;
	ok = ok && vm_expect_write(vm, 0, 0, 4, 0x77);
	vm_free(vm);
	return ok;
}

static bool scrubbed(const char *device)
{
	struct vm *vm = vm_make(device, 1, PAYLOAD_RAM, 16);
	bool ok =
		vm_expect_write(vm, 0, 0, 8, 16) && vm_expect_event(vm, 0, KVM_SYSTEM_EVENT_RESET);

	/* The host's again, and nothing in it: the image's pages, and those that the guest wrote.
	 */
	for (uint8_t *byte = vm->ram; ok && byte < (uint8_t *)vm->launch; byte++) {
		ok = *byte == 0 && byte[0x200000] == 0 && byte[0x210000] == 0;
	}
	vm_free(vm);
	return ok;
}

static bool open_registers(const char *device)
{
	struct vm *vm = vm_make(device, 1, PAYLOAD_LOOP, 0x77);
	const uint64_t start = RAM_BASE + (uint64_t)(payload_loop - payloads);
	bool ok = vm_get_reg(vm, 0, REG_PC) == RAM_BASE && vm_expect_write(vm, 0, 0, 4, 0x77);

	ok = ok && vm_get_reg(vm, 0, REG_X0) == 0x77 && vm_get_reg(vm, 0, REG_PC) - start < 16;
	ok = ok && vm_get_reg(vm, 0, REG_CORE(2 * 19)) == DEVICE_BASE; /* x19 */
	vm_free(vm);
	return ok;
}

void test_protected(void)
{
	test("protected", "memory and registers of a running guest are out of reach", privacy,
	     device_protected);
	test("protected", "what comes back is zero", scrubbed, device_protected);
	test("open", "registers of a running guest can be read", open_registers, device_open);
}
