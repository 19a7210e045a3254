/* SPDX-License-Identifier: BSD-3-Clause */
/* Numbers are the architecture's (Arm ARM D19.2.40, DEN0022, DEN0137), not the core's names. */
#include "spec_exit.h"

static u32 class_of(const struct spec_exit *exit)
{
	return (u32)(exit->esr >> 26) & 0x3f;
}

static u64 register_of(const struct spec_exit *exit, u32 reg)
{
	return reg < 31 ? exit->x[reg] : 0;
}

static struct spec_told goes_on(void)
{
	return (struct spec_told){ .goes_on = true };
}

static struct spec_told tells(enum rv_exit reason)
{
	return (struct spec_told){ .reason = reason };
}

static struct spec_told crash(enum rv_crash why)
{
	return (struct spec_told){ .reason = RV_EXIT_CRASH, .data = why, .is_off = true };
}

bool spec_is_rsi(u32 id)
{
	return id >= 0xc4000190 && id <= 0xc40001af;
}

static struct spec_told power(enum rv_exit reason)
{
	return (struct spec_told){ .reason = reason, .is_off = true };
}

static struct spec_told cpu_on(const struct spec_exit *exit)
{
	return exit->is_cpu_on
		       ? (struct spec_told){ .reason = RV_EXIT_CPU_ON, .data = exit->cpu_on }
		       : goes_on();
}

/* Architectural types but the first, a warm reset, are refused. */
static struct spec_told reset2(const struct spec_exit *exit)
{
	const u32 type = (u32)exit->x[1];

	return (type & 1u << 31) != 0 || type == 0 ? power(RV_EXIT_SYSTEM_RESET) : goes_on();
}

static struct spec_told psci(const struct spec_exit *exit)
{
	switch ((u32)exit->x[0]) {
	case 0x84000001: /* CPU_SUSPEND */
	case 0xc4000001:
		return tells(RV_EXIT_WFI);
	case 0x84000002: /* CPU_OFF */
		return tells(RV_EXIT_CPU_OFF);
	case 0x84000003: /* CPU_ON */
	case 0xc4000003:
		return cpu_on(exit);
	case 0x84000008: /* SYSTEM_OFF (T20) */
		return power(RV_EXIT_SYSTEM_OFF);
	case 0x84000009: /* SYSTEM_RESET */
		return power(RV_EXIT_SYSTEM_RESET);
	case 0x84000012: /* SYSTEM_RESET2 */
	case 0xc4000012:
		return reset2(exit);
	default:
		return goes_on();
	}
}

struct spec_told spec_exit_call(const struct spec_exit *exit)
{
	struct spec_told told = goes_on();

	if ((exit->esr & 0xffff) != 0) {
		return told; /* HVC #n, SMC #n: nobody's */
	}
	if (class_of(exit) == 0x17 && exit->is_protected && spec_is_rsi((u32)exit->x[0])) {
		switch (exit->rsi) {
		case SPEC_RSI_WANTS_RAM:
			told = tells(RV_EXIT_RAM);
			told.ipa = exit->x[1];
			return told;
		case SPEC_RSI_WANTS_TABLES:
			return tells(RV_EXIT_TABLES);
		case SPEC_RSI_DONE:
		default:
			return told;
		}
	}
	return psci(exit);
}

/* op0 21:20, op2 19:17, op1 16:14, CRn 13:10, CRm 4:1 of a trapped access's syndrome */
#define SYSREG(op0, op1, crn, crm, op2) \
	((op0) << 20 | (op2) << 17 | (op1) << 14 | (crn) << 10 | (crm) << 1)

struct spec_told spec_exit_sysreg(const struct spec_exit *exit)
{
	const u64 iss = exit->esr & 0x3fffff;
	struct spec_told told = goes_on();

	if ((iss & 1) != 0) {
		return told; /* a read */
	}
	switch (iss & ~0x3e1ull) {
	case SYSREG(3, 0, 12, 11, 5): /* ICC_SGI1R_EL1: the fields that name targets */
		told = tells(RV_EXIT_SGI);
		told.data = register_of(exit, (u32)(iss >> 5) & 31) & 0xfff1ff0fffffffull;
		return told;
	case SYSREG(3, 3, 14, 2, 0): /* CNTP_TVAL, CTL, CVAL_EL0: the host sets its timer anew */
	case SYSREG(3, 3, 14, 2, 1):
	case SYSREG(3, 3, 14, 2, 2):
		return tells(RV_EXIT_IRQ);
	default:
		return told;
	}
}

/* An access whose syndrome says all, by one register, where a device may be. */
static bool is_mmio(const struct spec_exit *exit, u64 ipa, u32 bytes)
{
	const bool is_data = class_of(exit) == 0x24;
	const bool is_valid = (exit->esr >> 24 & 1) != 0;
	const bool is_walk_or_cache = (exit->esr >> 7 & 3) != 0; /* S1PTW, CM */
	const bool is_aarch32 = (exit->pstate & 0x10) != 0;

	return is_data && is_valid && !is_walk_or_cache && !is_aarch32 && ipa % bytes == 0 &&
	       ipa >> IPA_BITS == 0;
}

struct spec_told spec_exit_fault(const struct spec_exit *exit)
{
	const u64 ipa = (exit->hpfar & 0xffffffffff0ull) << 8 | (exit->far & 0xfff);
	const u32 bytes = 1u << ((exit->esr >> 22) & 3);
	const u64 value = register_of(exit, (u32)(exit->esr >> 16) & 31);
	struct spec_told told = goes_on();

	if ((exit->esr & 0x3c) != 0x04) {
		return told; /* not a translation fault: the guest's own abort */
	}
	if (exit->is_ram) {
		if (exit->is_absent) {
			told = tells(RV_EXIT_RAM);
			told.ipa = ipa & ~0xfffull; /* no more than the page */
		}
		return told;
	}
	if (!is_mmio(exit, ipa, bytes)) {
		return told;
	}
	told = tells(RV_EXIT_MMIO);
	told.bytes = bytes;
	told.ipa = ipa;
	told.is_write = (exit->esr >> 6 & 1) != 0;
	if (told.is_write) {
		told.data = bytes == 8 ? value : value & ((1ull << (8 * bytes)) - 1);
	}
	return told;
}

bool spec_is_guest_mode(u64 pstate)
{
	switch (pstate & 0x1f) {
	case 0x00: /* EL0t */
	case 0x04: /* EL1t */
	case 0x05: /* EL1h */
	case 0x10: /* AArch32 User */
		return true;
	default:
		return false;
	}
}

bool spec_is_enterable(const struct spec_exit *exit)
{
	return (exit->entry_state & 0x10) == 0 || exit->has_32;
}

static struct spec_told exception(const struct spec_exit *exit, struct spec_told handled)
{
	switch (class_of(exit)) {
	case 0x01: /* WFI; WFE goes on */
		return (exit->esr & 1) != 0 ? goes_on() : tells(RV_EXIT_WFI);
	case 0x16: /* HVC, SMC, MSR and MRS, instruction and data aborts */
	case 0x17:
	case 0x18:
	case 0x20:
	case 0x24:
		return handled;
	case 0x00: /* undefined instructions, and those of features that guests are not shown */
	case 0x03:
	case 0x04:
	case 0x05:
	case 0x06:
	case 0x07:
	case 0x08:
	case 0x09:
	case 0x0a:
	case 0x0c:
	case 0x14:
	case 0x19:
	case 0x1d:
		return goes_on();
	default:
		return crash(RV_CRASH_SYNDROME);
	}
}

struct spec_told spec_exit_other(const struct spec_exit *exit, struct spec_told handled)
{
	struct spec_told told;

	if (exit->is_over) {
		return tells(RV_EXIT_DYING);
	}
	if (!spec_is_enterable(exit) || !spec_is_guest_mode(exit->pstate)) {
		return crash(RV_CRASH_EXCEPTION_LEVEL);
	}
	if (exit->event != SPEC_EXCEPTION) {
		return tells(exit->event == SPEC_IRQ ? RV_EXIT_IRQ : RV_EXIT_SERROR);
	}
	told = exception(exit, handled);
	return told.goes_on && exit->irq ? tells(RV_EXIT_IRQ) : told;
}

struct spec_told spec_save_shadow_kvm_regs(const struct spec_exit *exit)
{
	struct spec_told handled = goes_on();

	switch (class_of(exit)) {
	case 0x16:
	case 0x17:
		handled = spec_exit_call(exit);
		break;
	case 0x18:
		handled = spec_exit_sysreg(exit);
		break;
	case 0x20:
	case 0x24:
		handled = spec_exit_fault(exit);
		break;
	default:
		break;
	}
	return spec_exit_other(exit, handled);
}

/* ---- the next entry ---- */

static u64 extended(const struct vcpu_pending *asked, u64 data)
{
	u64 value = data;

	switch (asked->bytes) {
	case 1:
		value = asked->is_signed ? (u64)(s64)(int8_t)data : (u8)data;
		break;
	case 2:
		value = asked->is_signed ? (u64)(s64)(int16_t)data : (u16)data;
		break;
	case 4:
		value = asked->is_signed ? (u64)(s64)(int32_t)data : (u32)data;
		break;
	default:
		break;
	}
	return asked->is_64 ? value : (u32)value;
}

struct spec_accepted spec_restore_shadow_kvm_regs(const struct vcpu_pending *asked, u64 esr,
						  bool is_abort, u64 data)
{
	struct spec_accepted accepted = { .reg = SPEC_NO_REGISTER };

	if (!asked->is_mmio) {
		return accepted; /* nothing was asked: whatever the host says */
	}
	if (is_abort) {
		accepted.is_abort = true;
		return accepted;
	}
	if (!asked->is_write) {
		accepted.reg = asked->reg;
		accepted.value = extended(asked, data);
	}
	accepted.skipped = (esr >> 25 & 1) != 0 ? 4 : 2;
	return accepted;
}
