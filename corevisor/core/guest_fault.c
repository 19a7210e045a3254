/* SPDX-License-Identifier: BSD-3-Clause */
/* Stage-2 aborts of guests: RAM, device or neither. Decided by the private syndrome alone. */
#include <cv/guest_fault.h>

#include <cv/exception.h>
#include <cv/guest_inject.h>
#include <cv/mem.h>
#include <cv/s2.h>

/* ISS of a data abort (Arm ARM D19.2.40, "ISS encoding for an exception from a Data Abort") */
#define ISS_SAS(esr) (((esr) >> 22) & 3) /* log2 of the bytes */
#define ISS_SSE (1ull << 21)
#define ISS_SRT(esr) (((esr) >> 16) & 0x1f)
#define ISS_SF (1ull << 15)
/* Fault status: translation fault, levels 0 to 3 */
#define FSC_TRANSLATION 0x04ull
#define FSC_LEVEL_MASK 0x03ull
/* HPFAR_EL2.FIPA: IPA bits 47:12 (Arm ARM D19.2.65) */
#define HPFAR_FIPA 0x00000ffffffffff0ull
#define HPFAR_TO_IPA_SHIFT 8
#define PAGE_OFFSET (PAGE_SIZE - 1)

static ipa_t fault_ipa(const struct vcpu *vcpu)
{
	const struct vcpu_exit *exit = &vcpu->exit;

	return ipa_make(((exit->hpfar & HPFAR_FIPA) << HPFAR_TO_IPA_SHIFT) |
			(exit->far & PAGE_OFFSET));
}

/*
 * A gfn of RAM has nothing behind it. Asking the host again is right even if the page came
 * meanwhile (another vCPU), so the answer needs no more than one look under the lock.
 */
static bool ram_fault(struct vcpu *vcpu, ipa_t ipa, struct run_exit *out)
{
	struct vm *vm = vcpu->vm;
	struct s2_leaf leaf;

	lock_acquire(vm->lock);
	leaf = s2_walk(&vm->s2, ipa_gfn(ipa));
	lock_release(vm->lock);
	if (leaf.is_mapped) {
		return true;
	}
	if (leaf.wish == S2_WISH_DESTROYED) {
		guest_inject_abort(vcpu);
		return true;
	}
	out->reason = RV_EXIT_RAM;
	out->ipa = ipa.v & ~PAGE_OFFSET;
	return false;
}

/*
 * Only accesses whose syndrome says everything: one general register, naturally aligned.
 * Instruction fetches, stage-1 walks, atomics, pairs, vectors, write-back forms and cache
 * maintenance have ISV = 0. Acquire and release (AR) are allowed: Linux reads devices with LDAR on
 * Cortex-A57 (erratum 832075), and an exit orders more than they ask for.
 */
static bool is_device_access(const struct vcpu *vcpu, ipa_t ipa)
{
	const u64 esr = vcpu->exit.esr;

	return ESR_EC(esr) == EC_DABT_LOWER && (esr & ESR_ISV) != 0 &&
	       (esr & (ESR_S1PTW | ESR_CM)) == 0 && (vcpu->ctx.pstate & PSTATE_M32) == 0 &&
	       is_aligned(ipa.v, 1ull << ISS_SAS(esr)) && ipa_gfn(ipa).v < GFN_LIMIT;
}

static u64 low_bytes(u64 value, u32 bytes)
{
	return bytes == 8 ? value : value & ((1ull << (bytes * 8)) - 1);
}

static bool device_fault(struct vcpu *vcpu, ipa_t ipa, struct run_exit *out)
{
	const u64 esr = vcpu->exit.esr;
	struct vcpu_pending *pending = &vcpu->pending;

	if (!is_device_access(vcpu, ipa)) {
		guest_inject_abort(vcpu);
		return true;
	}
	pending->is_mmio = true;
	pending->is_write = (esr & ESR_WNR) != 0;
	pending->reg = (u8)ISS_SRT(esr);
	pending->bytes = (u8)(1u << ISS_SAS(esr));
	pending->is_signed = (esr & ISS_SSE) != 0;
	pending->is_64 = (esr & ISS_SF) != 0;

	out->reason = RV_EXIT_MMIO;
	out->ipa = ipa.v;
	out->bytes = pending->bytes;
	out->is_write = pending->is_write;
	out->data =
		pending->is_write ? low_bytes(vcpu_get_x(vcpu, pending->reg), pending->bytes) : 0;
	return false;
}

bool guest_fault_handle(struct vcpu *vcpu, struct run_exit *out)
{
	const ipa_t ipa = fault_ipa(vcpu);

	/* HPFAR_EL2 holds an address for translation faults; nothing else can be the host's to
	 * answer. */
	if ((ESR_FSC(vcpu->exit.esr) & ~FSC_LEVEL_MASK) != FSC_TRANSLATION) {
		guest_inject_abort(vcpu);
		return true;
	}
	if (vm_is_ram(vcpu->vm, ipa_gfn(ipa))) {
		return ram_fault(vcpu, ipa, out);
	}
	return device_fault(vcpu, ipa, out);
}

static u64 load_result(const struct vcpu_pending *pending, u64 data)
{
	const u32 unused = 64u - 8u * pending->bytes;
	u64 value = low_bytes(data, pending->bytes);

	if (pending->is_signed) {
		value = (u64)((s64)(value << unused) >> unused);
	}
	return pending->is_64 ? value : (u32)value;
}

void guest_fault_answer(struct vcpu *vcpu, const struct mmio_answer *answer)
{
	const struct vcpu_pending pending = vcpu->pending;

	if (!pending.is_mmio) {
		return;
	}
	vcpu->pending = (struct vcpu_pending){ 0 };
	if (answer->is_abort) {
		guest_inject_abort(vcpu);
		return;
	}
	if (!pending.is_write && pending.reg < 31) {
		vcpu->ctx.x[pending.reg] = load_result(&pending, answer->data);
	}
	guest_skip(vcpu);
}
