/* SPDX-License-Identifier: BSD-3-Clause */
/* One run of a vCPU: read the host's page once, run, write the page once. */
#include <cv/run.h>

#include <cv/arch.h>
#include <cv/exception.h>
#include <cv/guest_fault.h>
#include <cv/guest_inject.h>
#include <cv/guest_smccc.h>
#include <cv/guest_sysreg.h>
#include <cv/host_psci.h>
#include <cv/info.h>
#include <cv/vcpu.h>
#include <cv/vgic.h>
#include <cv/vtimer.h>

#define RUN_IN_FLAGS (RV_IN_RESULT | RV_IN_ABORT)
/* ESR_EL2.ISS of a trapped WFx: TI, bit 0 set for WFE and WFET */
#define ISS_WFX_IS_WFE 1ull

/* Exception classes of features that a VM of ours is not shown (Arm ARM D19.2.40): undefined for it
 */
#define EC_CP15_32 0x03
#define EC_CP15_64 0x04
#define EC_CP14_32 0x05
#define EC_CP14_LS 0x06
#define EC_CP10_ID 0x08
#define EC_PAUTH 0x09
#define EC_LS64 0x0a
#define EC_CP14_64 0x0c
#define EC_SYSREG128 0x14
#define EC_SME 0x1d

/* The host's wishes, as they were at one moment. */
struct run_input {
	u32 flags;
	u32 lr_count;
	u64 data;
	u64 lr[RV_MAX_LRS];
	u64 reserved[ARRAY_SIZE(((struct rv_run *)0)->in_reserved)];
};

/* The only reads of the run page: each word once, whatever the host does to the page meanwhile. */
static void read_input(const volatile struct rv_run *run, struct run_input *in)
{
	in->flags = run->in_flags;
	in->lr_count = run->in_lr_count;
	in->data = run->in_data;
	for (u32 i = 0; i < RV_MAX_LRS; i++) {
		in->lr[i] = run->in_lr[i];
	}
	for (u32 i = 0; i < ARRAY_SIZE(in->reserved); i++) {
		in->reserved[i] = run->in_reserved[i];
	}
}

static enum cv_status check_input(const struct run_input *in)
{
	u64 reserved = 0;

	for (u32 i = 0; i < ARRAY_SIZE(in->reserved); i++) {
		reserved |= in->reserved[i];
	}
	if ((in->flags & ~RUN_IN_FLAGS) != 0 || (in->flags & RUN_IN_FLAGS) == RUN_IN_FLAGS ||
	    in->lr_count > arch_lr_count() || reserved != 0) {
		return CV_E_INVALID;
	}
	return CV_OK;
}

/* The only writes. What an exit does not use is 0, so that no old value stays readable or is taken
 * for a new one. */
static void write_record(const struct vcpu *vcpu, const struct run_exit *out)
{
	volatile struct rv_run *run = vcpu->run;
	const struct vtimer_state *timer = &vcpu->timer;
	const u64 cntvoff = vcpu->vm->cntvoff;
	const u64 now = vtimer_now(vcpu->vm);

	run->exit = out->reason;
	run->bytes = out->bytes;
	run->is_write = out->is_write;
	run->reserved0 = 0;
	run->ipa = out->ipa;
	run->data = out->data;
	for (u32 i = 0; i < RV_MAX_LRS; i++) {
		run->lr[i] = i < vcpu->vgic.lr_count ? vgic_show_lr(vcpu->vgic.lr[i]) : 0;
	}
	run->misr = vcpu->vgic.misr;
	run->vtimer_pending = vtimer_fires(timer->cntv_ctl, timer->cntv_cval, now);
	run->ptimer_pending = vtimer_fires(timer->cntp_ctl, timer->cntp_cval, now);
	run->reserved1 = 0;
	run->vtimer_deadline = vtimer_deadline(timer->cntv_ctl, timer->cntv_cval, cntvoff);
	run->ptimer_deadline = vtimer_deadline(timer->cntp_ctl, timer->cntp_cval, cntvoff);
	run->cntvoff = cntvoff;
	for (u32 i = 0; i < ARRAY_SIZE(run->reserved2); i++) {
		run->reserved2[i] = 0;
	}
}

/* ---- one exit of the guest ---- */

/* The VM has done what none of ours can: it stops, alone. */
static bool crash(struct vcpu *vcpu, enum rv_crash why, struct run_exit *out)
{
	vcpu_stop_vm(vcpu);
	out->reason = RV_EXIT_CRASH;
	out->data = why;
	return false;
}

static bool wfx(struct vcpu *vcpu, struct run_exit *out)
{
	const bool is_wfe = (vcpu->exit.esr & ISS_WFX_IS_WFE) != 0;

	guest_skip(vcpu);
	if (!is_wfe) {
		out->reason = RV_EXIT_WFI;
	}
	return is_wfe;
}

static bool dispatch_fault(struct vcpu *vcpu, struct run_exit *out)
{
	const bool goes_on = guest_fault_handle(vcpu, out);

	info_count(out->reason == RV_EXIT_MMIO ? RV_CLASS_VM_MMIO : RV_CLASS_VM_RAM);
	return goes_on;
}

/* Features that the guest's ID registers do not show are undefined instructions. */
static bool undefined(struct vcpu *vcpu)
{
	info_count(RV_CLASS_VM_OTHER);
	guest_inject_undef(vcpu);
	return true;
}

/* True: the guest goes on. Decided by the private syndrome alone. Seed: vm_exit_dispatcher. */
static bool dispatch(struct vcpu *vcpu, struct run_exit *out)
{
	switch (ESR_EC(vcpu->exit.esr)) {
	case EC_WFX:
		info_count(RV_CLASS_VM_WFX);
		return wfx(vcpu, out);
	case EC_HVC64:
	case EC_SMC64:
		info_count(RV_CLASS_VM_HVC);
		return guest_smccc_handle(vcpu, out);
	case EC_SYSREG:
		info_count(RV_CLASS_VM_SYSREG);
		return guest_sysreg_handle(vcpu, out);
	case EC_IABT_LOWER:
	case EC_DABT_LOWER:
		return dispatch_fault(vcpu, out);
	case EC_UNKNOWN:
	case EC_CP15_32:
	case EC_CP15_64:
	case EC_CP14_32:
	case EC_CP14_LS:
	case EC_CP10_ID:
	case EC_CP14_64:
	case EC_PAUTH:
	case EC_LS64:
	case EC_SYSREG128:
	case EC_SVE:
	case EC_SME:
	case EC_FP:
		return undefined(vcpu);
	default:
		info_count(RV_CLASS_VM_OTHER);
		return crash(vcpu, RV_CRASH_SYNDROME, out);
	}
}

/* Killed; or the host switches the machine off and waits for this CPU, to scrub all VMs' memory. */
static bool must_end(const struct vm *vm)
{
	return __atomic_load_n(&vm->state, __ATOMIC_RELAXED) == VM_POWEROFF ||
	       host_psci_is_stopping();
}

/* Enters the guest once. True: and again. */
static bool run_once(struct vcpu *vcpu, struct run_exit *out)
{
	enum arch_event event;

	if (must_end(vcpu->vm)) {
		out->reason = RV_EXIT_DYING;
		return false;
	}
	event = arch_vcpu_enter(vcpu);
	if (!exception_is_guest_pstate(vcpu->ctx.pstate)) {
		return crash(vcpu, RV_CRASH_EXCEPTION_LEVEL, out);
	}
	if (event == ARCH_EVENT_IRQ) {
		info_count(RV_CLASS_VM_IRQ);
		out->reason = RV_EXIT_IRQ;
		return false;
	}
	if (event == ARCH_EVENT_SERROR) {
		info_count(RV_CLASS_VM_OTHER);
		out->reason = RV_EXIT_SERROR;
		return false;
	}
	if (!dispatch(vcpu, out)) {
		return false;
	}
	/* A guest that traps all the time must not keep the host's interrupts waiting. */
	if (arch_irq_is_pending()) {
		out->reason = RV_EXIT_IRQ;
		return false;
	}
	return true;
}

static void run_guest(struct vcpu *vcpu, const struct run_input *in, struct run_exit *out)
{
	const struct mmio_answer answer = {
		.is_abort = (in->flags & RV_IN_ABORT) != 0,
		.data = (in->flags & RV_IN_RESULT) != 0 ? in->data : 0,
	};

	vgic_take_lrs(&vcpu->vgic, in->lr, in->lr_count, arch_lr_count());
	arch_vcpu_load(vcpu);
	guest_fault_answer(vcpu, &answer);
	while (run_once(vcpu, out)) {
		*out = (struct run_exit){ 0 };
	}
	arch_vcpu_put(vcpu);
}

enum cv_status run_vcpu(u64 handle, u64 index, u64 *exit)
{
	struct run_exit out = { 0 };
	struct run_input in;
	struct vcpu *vcpu;
	enum cv_status status = vcpu_claim(handle, index, &vcpu);

	if (status != CV_OK) {
		return status;
	}
	read_input(vcpu->run, &in);
	status = check_input(&in);
	if (status == CV_OK) {
		status = vcpu_start(vcpu);
	}
	if (status == CV_OK) {
		run_guest(vcpu, &in, &out);
		write_record(vcpu, &out);
		*exit = out.reason;
	}
	vcpu_release(vcpu);
	return status;
}
