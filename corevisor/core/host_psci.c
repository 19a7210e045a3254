/* SPDX-License-Identifier: BSD-3-Clause */
/* PSCI for the host. What is not in the table below does not reach firmware. */
#include <cv/host_psci.h>

#include <cv/arch.h>
#include <cv/exception.h>
#include <cv/info.h>
#include <cv/ledger.h>
#include <cv/lock.h>
#include <cv/log.h>
#include <cv/mem.h>
#include <cv/panic.h>
#include <cv/psci.h>
#include <cv/rng.h>
#include <cv/seal.h>

enum power { POWER_OFF, POWER_PENDING, POWER_ON, POWER_STANDBY /* asleep in firmware */ };

struct host_cpu {
	u64 affinity;
	enum power power;
	u64 entry;
	u64 context;
};

static struct {
	struct lock lock; /* host_cpu.power, .entry, .context */
	struct host_cpu cpu[CPU_MAX];
	u32 count;
	u32 stopping; /* index + 1 of the CPU that ends the machine, 0: it goes on */
} psci = { .lock = LOCK_INIT(LOCK_RANK_POWER) };

void host_psci_init(const u64 *affinity, u32 count, u32 self)
{
	CV_CHECK(count <= CPU_MAX && self < count);
	psci.count = count;
	for (u32 i = 0; i < count; i++) {
		psci.cpu[i] = (struct host_cpu){ .affinity = affinity[i],
						 .power = i == self ? POWER_ON : POWER_OFF };
	}
}

bool host_psci_is_stopping(void)
{
	return __atomic_load_n(&psci.stopping, __ATOMIC_ACQUIRE) != 0;
}

bool host_psci_is_stopped_here(void)
{
	u32 by = __atomic_load_n(&psci.stopping, __ATOMIC_ACQUIRE);

	return by != 0 && by != arch_cpu_index() + 1;
}

static struct host_cpu *cpu_find(u64 affinity, u32 *index)
{
	for (u32 i = 0; i < psci.count; i++) {
		if (psci.cpu[i].affinity == affinity) {
			*index = i;
			return &psci.cpu[i];
		}
	}
	return NULL;
}

/* An instruction address of the host's own: not the corevisor's, not a VM's. */
static bool entry_is_host(u64 entry)
{
	pfn_t pfn = pa_pfn(pa_make(entry));
	bool is_host;

	if (!is_aligned(entry, 4) || !ledger_is_ram(pfn)) {
		return false;
	}
	lock_acquire(ledger_lock(pfn));
	is_host = ledger_get(pfn).owner == OWNER_HOST;
	lock_release(ledger_lock(pfn));
	return is_host;
}

static s64 cpu_start(struct host_cpu *cpu, u32 index, u64 entry, u64 context)
{
	u64 corevisor_entry;
	u64 corevisor_context;
	s64 result;

	if (cpu->power != POWER_OFF) {
		return cpu->power == POWER_PENDING ? PSCI_ON_PENDING : PSCI_ALREADY_ON;
	}
	cpu->entry = entry;
	cpu->context = context;
	cpu->power = POWER_PENDING;
	arch_cpu_entry(index, &corevisor_entry, &corevisor_context);
	result = (int32_t)arch_firmware_call(PSCI_CPU_ON_64, cpu->affinity, corevisor_entry,
					     corevisor_context);
	if (result != PSCI_SUCCESS) {
		/* It may not be quite off yet: the host tries again. */
		cpu->power = POWER_OFF;
	}
	return result;
}

static s64 call_cpu_on(const u64 *x)
{
	u32 index;
	struct host_cpu *cpu = cpu_find(x[1], &index);
	s64 result;

	if (cpu == NULL) {
		return PSCI_INVALID_PARAMETERS;
	}
	if (!entry_is_host(x[2])) {
		return PSCI_INVALID_ADDRESS;
	}
	lock_acquire(&psci.lock);
	result = cpu_start(cpu, index, x[2], x[3]);
	lock_release(&psci.lock);
	return result;
}

static void set_power(u32 index, enum power power)
{
	lock_acquire(&psci.lock);
	psci.cpu[index].power = power;
	lock_release(&psci.lock);
}

static s64 call_cpu_off(const u64 *x)
{
	u32 self = arch_cpu_index();
	s64 result;

	(void)x;
	info_cpu_online(-1);
	set_power(self, POWER_OFF);
	result = (int32_t)arch_firmware_call(PSCI_CPU_OFF, 0, 0, 0);
	/* Still here: firmware refused. */
	set_power(self, POWER_ON);
	info_cpu_online(1);
	return result;
}

void host_psci_arrive(u32 index, struct host_regs *regs, const char *unfit)
{
	struct host_cpu *cpu = &psci.cpu[index];
	bool is_expected;

	if (host_psci_is_stopping()) {
		arch_park();
	}
	lock_acquire(&psci.lock);
	is_expected = cpu->power == POWER_PENDING;
	if (is_expected && unfit == NULL) {
		*regs = (struct host_regs){ .x = { cpu->context },
					    .pc = cpu->entry,
					    .pstate = PSTATE_EL1H | PSTATE_DAIF };
		cpu->power = POWER_ON;
	}
	lock_release(&psci.lock);
	if (!is_expected || unfit != NULL) {
		log_line("CPU %u parked: %s", index,
			 unfit != NULL ? unfit : "nobody switched it on");
		arch_park();
	}
	info_cpu_online(1);
}

static s64 call_affinity_info(const u64 *x)
{
	u32 index;
	struct host_cpu *cpu = cpu_find(x[1], &index);
	bool is_pending;

	if (x[2] != 0 || cpu == NULL) {
		return PSCI_INVALID_PARAMETERS;
	}
	/* Firmware may say "off" until the CPU arrives, and then CPU_ON would contradict. */
	lock_acquire(&psci.lock);
	is_pending = cpu->power == POWER_PENDING;
	lock_release(&psci.lock);
	if (is_pending) {
		return PSCI_AFFINITY_ON_PENDING;
	}
	return (int32_t)arch_firmware_call(PSCI_AFFINITY_INFO_64, x[1], 0, 0);
}

/* Bit 1 of PSCI_FEATURES(CPU_SUSPEND) tells the format of the power state (DEN0022 5.4.2). */
static bool is_power_down(u64 state)
{
	s64 features = (int32_t)arch_firmware_call(PSCI_FEATURES, PSCI_CPU_SUSPEND_64, 0, 0);
	bool is_extended = features >= 0 && (features & 2) != 0;

	return (state & (is_extended ? 1ull << 30 : 1ull << 16)) != 0;
}

/* Standby keeps all state, so its entry point is never used. Power-down would need one, and is
 * refused for now. */
static s64 call_cpu_suspend(const u64 *x)
{
	u32 self = arch_cpu_index();
	s64 result;

	if (is_power_down(x[1])) {
		return PSCI_DENIED;
	}
	set_power(self, POWER_STANDBY);
	result = (int32_t)arch_firmware_call(PSCI_CPU_SUSPEND_64, (u32)x[1], 0, 0);
	set_power(self, POWER_ON);
	if (host_psci_is_stopping()) {
		arch_park();
	}
	return result;
}

/* ---- the machine's end ---- */

/* Looks in a row at which all must be out: longer than a store takes to be seen by this CPU. */
#define STOP_LOOKS 100

/* A CPU that is off went off inside the corevisor; one that sleeps in firmware, or comes from it,
 * parks when it is back. No lock: nobody may hold up the machine's end. */
static bool others_are_out(u32 self, enum arch_place farthest)
{
	for (u32 i = 0; i < psci.count; i++) {
		bool is_on = __atomic_load_n(&psci.cpu[i].power, __ATOMIC_RELAXED) == POWER_ON;

		if (i != self && is_on && arch_cpu_place(i) > farthest) {
			return false;
		}
	}
	return true;
}

/* However long it takes: whoever is late would write a guest's registers to memory that was
 * scrubbed. It ends, for every call does, and every guest comes out at its next access. */
static void wait_for_others(enum arch_place farthest)
{
	u32 looks = 0;

	while (looks < STOP_LOOKS) {
		looks = others_are_out(arch_cpu_index(), farthest) ? looks + 1 : 0;
		panic_poll();
		/* Guests that sleep in WFE, too. */
		arch_send_event();
		arch_cpu_relax();
	}
}

/*
 * All other CPUs stop for good. First calls under way are let finish, as tables and records must
 * not vanish under them: who comes to EL2 from now on parks, and vCPUs go no further. Then memory
 * is taken from all, so that hosts and guests that run on come here at their next access; and those
 * that still hold a vCPU put it away.
 */
static void stop_others(void)
{
	u32 nobody = 0;

	if (!__atomic_compare_exchange_n(&psci.stopping, &nobody, arch_cpu_index() + 1, false,
					 __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) {
		arch_park();
	}
	wait_for_others(ARCH_AT_GUEST);
	mem_revoke_everything();
	wait_for_others(ARCH_AT_HOST);
}

static s64 system_end(const char *what, u64 fn, u64 a1, u64 a2)
{
	stop_others();
	vm_scrub_all();
	rng_forget();
	seal_forget();
	arch_forget_cpus();
	log_line("%s by the host; every VM's memory is scrubbed", what);
	arch_firmware_call(fn, a1, a2, 0);
	/* There is nothing to return to: the host's memory is out of its reach. */
	log_panic_line("firmware refused %s; the machine is stopped", what);
	arch_park();
}

static s64 call_system_off(const u64 *x)
{
	(void)x;
	return system_end("SYSTEM_OFF", PSCI_SYSTEM_OFF, 0, 0);
}

static s64 call_system_reset(const u64 *x)
{
	(void)x;
	return system_end("SYSTEM_RESET", PSCI_SYSTEM_RESET, 0, 0);
}

/* Refused while the host can still go on, if firmware does not know the call at all. */
static s64 call_system_reset2(const u64 *x)
{
	if ((int32_t)arch_firmware_call(PSCI_FEATURES, PSCI_SYSTEM_RESET2_64, 0, 0) < 0) {
		return PSCI_NOT_SUPPORTED;
	}
	return system_end("SYSTEM_RESET2", PSCI_SYSTEM_RESET2_64, (u32)x[1], x[2]);
}

static s64 call_version(const u64 *x)
{
	(void)x;
	return (s64)(u32)arch_firmware_call(PSCI_VERSION, 0, 0, 0);
}

static s64 call_migrate_info_type(const u64 *x)
{
	(void)x;
	/* No trusted OS that would have to migrate. */
	return PSCI_MIGRATE_TYPE_NONE;
}

static s64 call_features(const u64 *x);

/* ---- the allow-list ---- */

static const struct {
	u32 fn;
	s64 (*serve)(const u64 *x);
} calls[] = {
	{ PSCI_VERSION, call_version },
	{ PSCI_FEATURES, call_features },
	{ PSCI_CPU_ON_32, call_cpu_on },
	{ PSCI_CPU_ON_64, call_cpu_on },
	{ PSCI_CPU_OFF, call_cpu_off },
	{ PSCI_AFFINITY_INFO_32, call_affinity_info },
	{ PSCI_AFFINITY_INFO_64, call_affinity_info },
	{ PSCI_CPU_SUSPEND_32, call_cpu_suspend },
	{ PSCI_CPU_SUSPEND_64, call_cpu_suspend },
	{ PSCI_MIGRATE_INFO_TYPE, call_migrate_info_type },
	{ PSCI_SYSTEM_OFF, call_system_off },
	{ PSCI_SYSTEM_RESET, call_system_reset },
	{ PSCI_SYSTEM_RESET2_32, call_system_reset2 },
	{ PSCI_SYSTEM_RESET2_64, call_system_reset2 },
};

static s64 call_features(const u64 *x)
{
	u32 fn = (u32)x[1];

	if (fn == SMCCC_VERSION) {
		return PSCI_SUCCESS;
	}
	if (fn == PSCI_CPU_SUSPEND_32 || fn == PSCI_CPU_SUSPEND_64 || fn == PSCI_SYSTEM_RESET2_32 ||
	    fn == PSCI_SYSTEM_RESET2_64) {
		return (int32_t)arch_firmware_call(PSCI_FEATURES, fn, 0, 0);
	}
	for (u32 i = 0; i < ARRAY_SIZE(calls); i++) {
		if (calls[i].fn == fn) {
			return PSCI_SUCCESS;
		}
	}
	return PSCI_NOT_SUPPORTED;
}

bool host_psci_call(struct host_regs *regs)
{
	u32 fn = (u32)regs->x[0];
	/* A 32-bit call passes the low halves of registers (SMCCC 2.6). */
	u64 mask = (fn & SMCCC_64) != 0 ? ~0ull : 0xffffffffull;
	u64 x[4] = { fn, regs->x[1] & mask, regs->x[2] & mask, regs->x[3] & mask };

	for (u32 i = 0; i < ARRAY_SIZE(calls); i++) {
		if (calls[i].fn == fn) {
			regs->x[0] = (u64)calls[i].serve(x);
			return true;
		}
	}
	return false;
}
