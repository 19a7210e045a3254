/* SPDX-License-Identifier: BSD-3-Clause */
/* A small VMM: enough of one to look at every answer of the KVM interface. */
#ifndef KVM_API_VM_H
#define KVM_API_VM_H

#include <linux/kvm.h>
#include <stdbool.h>
#include <ravelin/abi.h>
#include <stdint.h>

#define RAM_BASE 0x40000000ull
#define RAM_BYTES (64ull << 20)
#define GICD_BASE 0x08000000ull
#define GICR_BASE 0x080a0000ull
#define DEVICE_BASE 0x0a000000ull
#define OWNER_VCPUS 20 /* the image's owner allows them: more than one level of affinity */
#define VCPUS_MAX (OWNER_VCPUS + 1)
#define PARAMETER_GPA 0x41000000ull /* mk/hostvisor.mk signs these */
#define PARAMETER_BYTES 0x10000ull
#define REG_CORE(offset) (KVM_REG_ARM64 | KVM_REG_SIZE_U64 | KVM_REG_ARM_CORE | (offset))
#define REG_X0 REG_CORE(0)
#define REG_PC REG_CORE(0x40)
#define REG_MPIDR ARM64_SYS_REG(3, 0, 0, 0, 5)

struct vm {
	int sys, fd, gic;
	unsigned int vcpu_count;
	int vcpu[VCPUS_MAX];
	struct kvm_run *run[VCPUS_MAX];
	uint8_t *ram;
	struct rv_launch *launch; /* behind the image, in ram */
};

/* In the order of payload.S. */
enum payload {
	PAYLOAD_MMIO,
	PAYLOAD_LOOP,
	PAYLOAD_QUIET,
	PAYLOAD_SPIN,
	PAYLOAD_WAIT,
	PAYLOAD_RAM,
	PAYLOAD_CPUS,
	PAYLOAD_CHURN,
	PAYLOAD_IRQ,
	PAYLOAD_PEEK,
};

extern const char payloads[], payloads_end[], payload_loop[];

extern const char *device_open, *device_protected;

/*
 * A VM with RAM, a GIC and vCPUs, ready to run `payload` with this x0; exits the program when that
 * fails.
 */
struct vm *vm_make(const char *device, unsigned int vcpus, enum payload payload, uint64_t x0);
/* Resets the vCPUs and puts image and launch page into RAM anew. */
void vm_load(struct vm *vm, enum payload payload, uint64_t x0);
void vm_free(struct vm *vm);
/* KVM_RUN; 0 or -errno. */
int vm_run(struct vm *vm, unsigned int index);
uint64_t vm_get_reg(struct vm *vm, unsigned int index, uint64_t id);
int vm_set_reg(struct vm *vm, unsigned int index, uint64_t id, uint64_t value);
int vm_irq_line(struct vm *vm, uint32_t intid, bool level);

/* Runs until the next MMIO exit. False, with a note: another exit came. */
bool vm_next_mmio(struct vm *vm, unsigned int index);
/* The exit is a write of `bytes` to DEVICE_BASE + offset of this value. */
bool vm_expect_write(struct vm *vm, unsigned int index, uint32_t offset, uint32_t bytes,
		     uint64_t value);
/* The exit is a read there; the next run brings `answer`. */
bool vm_expect_read(struct vm *vm, unsigned int index, uint32_t offset, uint32_t bytes,
		    uint64_t answer);
bool vm_expect_event(struct vm *vm, unsigned int index, uint32_t type);

void test_begin(const char *name);
void test_end(bool is_ok);
void note(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* guest.c, launch.c, refuse.c, snapshot.c */
void test_guests(const char *device, const char *kind);
void test_protected(void);
void test_launch(void);
void test_snapshots(void);
void test_refusals(const char *device, const char *kind);

#endif
