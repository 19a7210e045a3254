// SPDX-License-Identifier: GPL-2.0-only
/*
 * KVM_RUN. One turn is: wait until there is something to run, enter with interrupts off (a host
 * interrupt ends the run and is taken right after), answer the exit. A step returns 1 to go on, 0
 * to go to user space, or a negative errno.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include "hostvisor.h"
#include "compat.h"

#include <linux/delay.h>
#include <linux/sched/signal.h>
#include <linux/wait.h>

#define CONTINUE 1
#define TO_USER 0
/* A vCPU that finds its VM dying waits this long for the one that knows why. */
#define DYING_TIMEOUT HZ

/* ---- exits to user space ---- */

static int hv_exit_internal_error(struct hv_vcpu *vcpu, u64 data)
{
	struct kvm_run *run = vcpu->kvm_run;

	run->exit_reason = KVM_EXIT_INTERNAL_ERROR;
	run->internal.suberror = KVM_INTERNAL_ERROR_UNEXPECTED_EXIT_REASON;
	run->internal.ndata = 1;
	run->internal.data[0] = data;
	return TO_USER;
}

static int hv_exit_fail_entry(struct hv_vcpu *vcpu, int status)
{
	struct kvm_run *run = vcpu->kvm_run;

	run->exit_reason = KVM_EXIT_FAIL_ENTRY;
	run->fail_entry.hardware_entry_failure_reason = (u64)(s64)status;
	run->fail_entry.cpu = raw_smp_processor_id();
	return TO_USER;
}

static int hv_stop_vm(struct hv_vm *vm, bool has_crashed)
{
	int ret;

	mutex_lock(&vm->lock);
	ret = hv_vm_stop(vm);
	vm->has_crashed |= has_crashed;
	mutex_unlock(&vm->lock);
	return ret;
}

/*
 * The memory is the host's again before user space hears of it: a VMM's reset writes its images
 * anew.
 */
static int hv_exit_system_event(struct hv_vcpu *vcpu, u32 type)
{
	int ret = hv_stop_vm(vcpu->vm, false);

	if (ret)
		return ret;
	vcpu->kvm_run->exit_reason = KVM_EXIT_SYSTEM_EVENT;
	vcpu->kvm_run->system_event.type = type;
	vcpu->kvm_run->system_event.ndata = 0;
	return TO_USER;
}

static int hv_exit_crash(struct hv_vcpu *vcpu)
{
	u64 why = vcpu->run->data;
	int ret = hv_stop_vm(vcpu->vm, true);

	return ret ? ret : hv_exit_internal_error(vcpu, why);
}

/* ---- waiting ---- */

static bool hv_is_runnable(const struct hv_vcpu *vcpu)
{
	const struct hv_vm *vm = vcpu->vm;

	switch (READ_ONCE(vm->state)) {
	case HV_SETUP:
		return !vcpu->index && vcpu->mp_state == KVM_MP_STATE_RUNNABLE;
	case HV_LIVE:
		return atomic_read(&vcpu->power) > 0;
	default:
		return vm->has_crashed;
	}
}

static int hv_launch(struct hv_vm *vm)
{
	int ret = 0;

	if (mutex_lock_killable(&vm->lock))
		return -EINTR;
	if (vm->state == HV_SETUP)
		ret = hv_vm_launch(vm);
	mutex_unlock(&vm->lock);
	return ret;
}

/* Post on 0: the VM was live and the vCPU powered on, a moment ago. */
static int hv_get_ready(struct hv_vcpu *vcpu)
{
	struct hv_vm *vm = vcpu->vm;
	int ret;

	if (!hv_is_runnable(vcpu)) {
		ret = rcuwait_wait_event(&vcpu->wait, hv_is_runnable(vcpu), TASK_INTERRUPTIBLE);
		return ret ? ret : CONTINUE;
	}
	switch (smp_load_acquire(&vm->state)) {
	case HV_SETUP:
		ret = hv_launch(vm);
		return ret ? ret : CONTINUE;
	case HV_LIVE:
		return 0;
	default:
		return CONTINUE;
	}
}

static bool hv_wfi_is_over(struct hv_vcpu *vcpu)
{
	if (READ_ONCE(vcpu->vm->state) != HV_LIVE)
		return true;
	hv_timer_update(vcpu, false);
	return vgic_has_pending(vcpu);
}

/* Armed before the look: what fires between the two is seen by one of them. */
static bool hv_arm_and_look(struct hv_vcpu *vcpu)
{
	hv_timer_arm_for_wait(vcpu);
	return hv_wfi_is_over(vcpu);
}

static int hv_wfi(struct hv_vcpu *vcpu)
{
	int ret;

	if (hv_wfi_is_over(vcpu))
		return CONTINUE;
	ret = rcuwait_wait_event(&vcpu->wait, hv_arm_and_look(vcpu), TASK_INTERRUPTIBLE);
	hv_timer_cancel(vcpu);
	return ret ? ret : CONTINUE;
}

/* The VM ended under us. Another vCPU is about to say so; if none does, this is an error. */
static int hv_wait_for_end(struct hv_vcpu *vcpu, int status)
{
	struct hv_vm *vm = vcpu->vm;
	long left = wait_event_interruptible_timeout(vm->state_wq, READ_ONCE(vm->state) != HV_LIVE,
						     DYING_TIMEOUT);

	if (left < 0)
		return -EINTR;
	return left ? CONTINUE : hv_exit_fail_entry(vcpu, status);
}

/* ---- MMIO ---- */

static int hv_mmio(struct hv_vcpu *vcpu)
{
	struct kvm_run *to_user = vcpu->kvm_run;
	struct rv_run *run = vcpu->run;
	u64 gpa = run->ipa, value = run->data;
	bool is_write = run->is_write;
	u32 bytes = run->bytes;

	if (bytes != 1 && bytes != 2 && bytes != 4 && bytes != 8)
		return hv_exit_internal_error(vcpu, RV_EXIT_MMIO);
	if (vgic_mmio(vcpu, gpa, bytes, is_write, &value)) {
		if (!is_write) {
			run->in_data = value;
			run->in_flags = RV_IN_RESULT;
		}
		return CONTINUE;
	}
	if (is_write && hv_ioeventfd_write(vcpu->vm, gpa, bytes, value))
		return CONTINUE;
	to_user->exit_reason = KVM_EXIT_MMIO;
	to_user->mmio.phys_addr = gpa;
	to_user->mmio.len = bytes;
	to_user->mmio.is_write = is_write;
	value = is_write ? value : 0;
	memcpy(to_user->mmio.data, &value, sizeof(value));
	vcpu->wants_mmio_data = !is_write;
	vcpu->mmio_bytes = bytes;
	return TO_USER;
}

static void hv_take_mmio_answer(struct hv_vcpu *vcpu)
{
	u64 value = 0;

	if (!vcpu->wants_mmio_data)
		return;
	memcpy(&value, vcpu->kvm_run->mmio.data, vcpu->mmio_bytes);
	vcpu->run->in_data = value;
	vcpu->run->in_flags = RV_IN_RESULT;
	vcpu->wants_mmio_data = false;
}

/* ---- one turn ---- */

static void hv_cpu_on(struct hv_vm *vm, u64 index)
{
	struct hv_vcpu *vcpu = index < HV_MAX_VCPUS ? vm->vcpus[index] : NULL;

	if (!vcpu)
		return;
	atomic_inc(&vcpu->power);
	hv_vcpu_kick(vcpu);
}

static int hv_handle_exit(struct hv_vcpu *vcpu, u64 exit)
{
	struct rv_run *run = vcpu->run;
	int ret;

	switch (exit) {
	case RV_EXIT_SERROR:
		/* The kernel takes it, or took it, with interrupts on; this says whose run it ended. */
		pr_warn_ratelimited("an SError ended a run of vCPU %u\n", vcpu->index);
		return CONTINUE;
	case RV_EXIT_IRQ:
		return CONTINUE;
	case RV_EXIT_RAM:
		ret = hv_mem_fault(vcpu->vm, run->ipa >> PAGE_SHIFT);
		return ret ? ret : CONTINUE;
	case RV_EXIT_MMIO:
		return hv_mmio(vcpu);
	case RV_EXIT_WFI:
		return hv_wfi(vcpu);
	case RV_EXIT_SGI:
		vgic_send_sgi(vcpu, run->data);
		return CONTINUE;
	case RV_EXIT_CPU_ON:
		hv_cpu_on(vcpu->vm, run->data);
		return CONTINUE;
	case RV_EXIT_CPU_OFF:
		atomic_dec(&vcpu->power);
		return CONTINUE;
	case RV_EXIT_SYSTEM_OFF:
		return hv_exit_system_event(vcpu, KVM_SYSTEM_EVENT_SHUTDOWN);
	case RV_EXIT_SYSTEM_RESET:
		return hv_exit_system_event(vcpu, KVM_SYSTEM_EVENT_RESET);
	case RV_EXIT_TABLES:
		ret = hv_mem_tables(vcpu->vm, run->data != 0);
		return ret ? ret : CONTINUE;
	case RV_EXIT_DYING:
		return hv_wait_for_end(vcpu, RV_E_STATE);
	case RV_EXIT_CRASH:
		return hv_exit_crash(vcpu);
	default:
		return hv_exit_internal_error(vcpu, exit);
	}
}

/* Interrupts off. Returns an enum rv_status, or 1 when there was no entry. */
static int hv_vcpu_enter(struct hv_vcpu *vcpu, u64 *exit)
{
	struct rv_run *run = vcpu->run;
	int status;

	WRITE_ONCE(vcpu->in_run, true);
	smp_mb(); /* in_run before what others change before they kick */
	if (READ_ONCE(vcpu->vm->state) != HV_LIVE || signal_pending(current) || need_resched()) {
		smp_store_release(&vcpu->in_run, false);
		return 1;
	}
	hv_timer_update(vcpu, false);
	hv_timer_arm_for_run(vcpu);
	vgic_load(vcpu);
	status = hv_vcpu_run(vcpu->vm->handle, vcpu->index, exit);
	smp_store_release(&vcpu->in_run, false);
	if (status == RV_OK)
		run->in_flags = 0;
	else
		memcpy(run->lr, run->in_lr, sizeof(run->lr)); /* as they were */
	vgic_save(vcpu);
	hv_timer_update(vcpu, status == RV_OK);
	return status;
}

static int hv_turn(struct hv_vcpu *vcpu)
{
	u64 exit = 0;
	int status;

	local_irq_disable();
	status = hv_vcpu_enter(vcpu, &exit);
	local_irq_enable();
	cond_resched();
	if (status == RV_OK)
		return hv_handle_exit(vcpu, exit);
	if (status > 0)
		return signal_pending(current) ? -EINTR : CONTINUE;
	if (status == RV_E_STATE || status == RV_E_NOENT)
		return hv_wait_for_end(vcpu, status);
	return hv_exit_fail_entry(vcpu, status);
}

static void hv_set_task(struct hv_vcpu *vcpu, struct task_struct *task)
{
	raw_spin_lock_irq(&vcpu->task_lock);
	vcpu->task = task;
	raw_spin_unlock_irq(&vcpu->task_lock);
}

int hv_vcpu_ioctl_run(struct hv_vcpu *vcpu)
{
	int ret;

	if (!vcpu->is_initialised)
		return -ENOEXEC;
	hv_take_mmio_answer(vcpu);
	if (hv_wants_immediate_exit(vcpu->kvm_run))
		return -EINTR;
	hv_set_task(vcpu, current);
	do {
		if (READ_ONCE(vcpu->vm->has_crashed)) {
			ret = hv_exit_internal_error(vcpu, RV_EXIT_CRASH);
			break;
		}
		ret = hv_get_ready(vcpu);
		if (!ret)
			ret = hv_turn(vcpu);
	} while (ret > 0);
	hv_set_task(vcpu, NULL);
	if (ret == -EINTR)
		vcpu->kvm_run->exit_reason = KVM_EXIT_INTR;
	return ret;
}
