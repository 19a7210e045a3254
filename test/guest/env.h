/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A small freestanding world at EL1: what a test image that boots in the place of Linux can use.
 *
 * The MMU is on: VA = PA for the first 256 GiB (the first GiB as device memory, the rest as normal
 * write-back memory), and the same again, for EL0, at USER_ALIAS. Interrupts stay masked. Every
 * image defines image_name and image_main(); it ends with pass() or fail(), which print one line
 * and switch the machine off.
 *
 * Command line (/chosen/bootargs): "wait" makes an image wait for a byte on the UART before its
 * attack, "seed=N" seeds random().
 */
#ifndef TEST_GUEST_ENV_H
#define TEST_GUEST_ENV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint64_t u64;
typedef uint32_t u32;
typedef uint8_t u8;
typedef int64_t s64;

#define PAGE_BYTES 4096ul
#define USER_ALIAS (256ul << 30)
#define ENV_CPUS 16
#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* ---- what an image brings ---- */
extern const char image_name[];
_Noreturn void image_main(void);

/* ---- ends ---- */
_Noreturn void pass(void);
_Noreturn void fail(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* The image cannot test anything here (a CPU without the feature, one CPU only). */
_Noreturn void skip(const char *why);
/*
 * Prints where the corevisor is ("CORE base bytes", "INFO ...") and "READY name"; with "wait" on
 * the command line, waits for a byte: the driver looks at memory meanwhile.
 */
void ready(void);

/* ---- printing: %s %c %d %u %x, all numbers 64 bits with the l prefix, 32 without; %p ---- */
void print(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* ---- exceptions ---- */
struct fault {
	u64 count;
	u64 esr;
	u64 far;
	u64 elr;
};
/* From now on exceptions of this CPU are counted and skipped instead of ending the image. */
void faults_expect(void);
/* What has been counted since; exceptions end the image again. */
struct fault faults_taken(void);

#define ESR_EC(esr) ((esr) >> 26 & 0x3f)
#define ESR_FSC(esr) ((esr) & 0x3f)
enum {
	EC_UNKNOWN = 0x00,
	EC_SVC = 0x15,
	EC_SYSREG = 0x18,
	EC_IABT_EL0 = 0x20,
	EC_IABT_EL1 = 0x21,
	EC_DABT_EL0 = 0x24,
	EC_DABT_EL1 = 0x25,
	FSC_ALIGNMENT = 0x21,
};

/*
 * Runs fn(a, b) at EL0, from the user alias; returns x0. fn must be position-independent leaf
 * assembly.
 */
u64 user_call(u64 (*fn)(u64 a, u64 b), u64 a, u64 b);

/* ---- firmware and corevisor calls ---- */
struct smccc {
	u64 x[18];
};
void smccc_hvc(struct smccc *regs);
void smccc_smc(struct smccc *regs);
u64 hvc(u64 id, u64 a, u64 b, u64 c);
u64 psci(u64 id, u64 a, u64 b, u64 c); /* by the conduit the device tree names */

#define PSCI_VERSION 0x84000000ul
#define PSCI_CPU_SUSPEND 0xc4000001ul
#define PSCI_CPU_OFF 0x84000002ul
#define PSCI_CPU_ON 0xc4000003ul
#define PSCI_AFFINITY_INFO 0xc4000004ul
#define PSCI_SYSTEM_OFF 0x84000008ul
#define PSCI_SYSTEM_RESET 0x84000009ul
#define PSCI_FEATURES 0x8400000aul
#define PSCI_SYSTEM_SUSPEND 0xc400000eul
#define PSCI_SYSTEM_RESET2 0xc4000012ul
enum {
	PSCI_SUCCESS = 0,
	PSCI_NOT_SUPPORTED = -1,
	PSCI_INVALID_PARAMETERS = -2,
	PSCI_DENIED = -3,
	PSCI_ALREADY_ON = -4,
	PSCI_ON_PENDING = -5,
	PSCI_INTERNAL_FAILURE = -6,
	PSCI_INVALID_ADDRESS = -9,
};

/* ---- CPUs ---- */
u32 cpu_count(void);	  /* CPUs in the device tree */
u64 cpu_mpidr(u32 index); /* affinity of CPU `index`; 0 is the boot CPU */
u32 cpu_self(void);
/*
 * Starts CPU `index` in fn(index) on its own stack; when fn returns the CPU switches itself off.
 * PSCI's result.
 */
s64 cpu_start(u32 index, void (*fn)(u32 index));
/* Waits up to a second until AFFINITY_INFO says that it is off. */
bool cpu_wait_off(u32 index);
/* Where cpu_start makes a CPU arrive, for tests that call CPU_ON themselves. */
u64 cpu_entry_address(void);
void cpu_prepare(u32 index, void (*fn)(u32 index));

/* Not 0: a CPU that was switched on arrived at EL2. It waits there. */
extern volatile u64 arrived_at_el2;

/* ---- machine, from the device tree ---- */
struct range {
	u64 base;
	u64 bytes;
};
#define ENV_RANGES 8
struct machine {
	const void *dtb;
	u32 dtb_bytes;
	struct range ram[ENV_RANGES];
	u32 ram_count;
	struct range core[ENV_RANGES]; /* the corevisor's, without the info pages */
	u32 core_count;
	struct range info;  /* reg[0] of the ravelin node; bytes 0: none */
	struct range image; /* this image, BSS included */
	const char *bootargs;
	bool psci_is_smc;
	u32 cpus;
	u64 mpidr[ENV_CPUS];
};
extern struct machine machine;
bool range_has(const struct range *range, u64 address);
bool is_ram(u64 address);
/* "name=123" of the command line, else `otherwise`. */
u64 bootarg(const char *name, u64 otherwise);
bool has_bootarg(const char *name);

/* ---- interrupts of this CPU (QEMU virt's GICv3); they stay masked ---- */
void gic_begin(void);	   /* on each CPU, before the others */
void timer_arm_us(u64 us); /* the physical timer: INTID 30 */
void timer_stop(void);
u32 irq_take(void); /* acknowledges and ends what is pending; its INTID, 1023: nothing */
void sgi_send(u32 intid, u64 mpidr);

/* ---- the rest ---- */
extern u64 env_tables[512]; /* the level-1 table: 1 GiB an entry */
void tlb_flush(void);
void random_seed(u64 seed);
u64 random_u64(void);
u64 counter(void);
u64 counter_hz(void);
void wait_us(u64 us);
void *memcpy(void *to, const void *from, size_t bytes);
void *memset(void *at, int value, size_t bytes);
int memcmp(const void *a, const void *b, size_t bytes);
size_t strlen(const char *text);

#define TEXT_OF(name) #name
#define read_sysreg(name)                                              \
	({                                                             \
		u64 v_;                                                \
		__asm__ volatile("mrs %0, " TEXT_OF(name) : "=r"(v_)); \
		v_;                                                    \
	})
#define write_sysreg(name, value) \
	__asm__ volatile("msr " TEXT_OF(name) ", %0" : : "r"((u64)(value)))
#define isb() __asm__ volatile("isb" : : : "memory")
#define dsb() __asm__ volatile("dsb sy" : : : "memory")

#endif
