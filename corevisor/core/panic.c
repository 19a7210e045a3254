/* SPDX-License-Identifier: BSD-3-Clause */
/* Panic. The first CPU speaks; the others find the flag when they trap or wait, and park. */
#include <cv/panic.h>

#include <cv/arch.h>
#include <cv/host_psci.h>
#include <cv/log.h>
#include <cv/mem.h>
#include <cv/rng.h>
#include <cv/seal.h>

static u32 begun;
static bool is_armed;

void panic_arm(void)
{
	is_armed = true;
}

bool panic_has_begun(void)
{
	return __atomic_load_n(&begun, __ATOMIC_ACQUIRE) != 0;
}

void panic_poll(void)
{
	if (panic_has_begun()) {
		arch_park();
	}
}

/* Only one CPU passes, and only once: a panic within a panic parks. */
static void panic_enter(void)
{
	/* The end of the machine empties tables and records under whoever is late to leave EL2:
	 * what fails then is no bug. */
	if (host_psci_is_stopped_here()) {
		arch_park();
	}
	if (__atomic_exchange_n(&begun, 1, __ATOMIC_ACQ_REL) != 0) {
		arch_park();
	}
	if (is_armed) {
		mem_revoke_everything();
	}
	arch_send_event();
}

/* Again, when the others have had time to finish at EL2: one may have been about to link a table
 * into a root. Memory is not scrubbed, on tables that may be wrong: but nobody who finds it after
 * the next boot opens a snapshot with it. */
static _Noreturn void panic_leave(void)
{
	if (is_armed) {
		mem_revoke_everything();
	}
	rng_forget();
	seal_forget();
	arch_park();
}

_Noreturn void panic_check(const char *what, const char *file, int line)
{
	panic_enter();
	log_panic_line("panic: CPU %u: check failed: %s, %s:%d", arch_cpu_index(), what, file,
		       line);
	panic_leave();
}

_Noreturn void panic_report(const struct panic_exception *e)
{
	panic_enter();
	log_panic_line("panic: CPU %u: %s at EL2: %s, ESR 0x%lx, at image+0x%lx, FAR 0x%lx",
		       arch_cpu_index(), e->kind, e->what, e->esr, e->elr - e->image, e->far);
	panic_leave();
}
