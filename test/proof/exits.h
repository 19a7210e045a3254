/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the proofs about exits of guests have in common: the world around a run, chosen once, so
 * that two runs see the same; and what the host may be told.
 */
#ifndef EXITS_H
#define EXITS_H

#include "vm_locks.h"

#include <cv/exception.h>
#include <cv/guest_smccc.h>
#include <cv/info.h>
#include <cv/psci.h>

#include "spec/spec_exit.h"

static struct {
	enum arch_event event;
	struct vcpu_exit exit;
	bool is_stopping;
	bool irq;
	u64 counter;
	struct s2_leaf leaf;
	struct el1_entry el1;
	u64 id_register;
	u64 firmware;
	u32 lr_count;
	enum guest_call rsi;
	enum rv_exit rsi_asks;
	bool has_32; /* AArch32 at EL0 */
} world;

/* What the guest left in its registers: private. */
static struct context left;
static u32 entered;
static u32 injected;
static u32 counted;

static void any_world(void)
{
	world.event = (enum arch_event)any_below(3);
	world.exit.esr = nondet_u64();
	world.exit.far = nondet_u64();
	world.exit.hpfar = nondet_u64();
	world.is_stopping = nondet_bool();
	world.irq = nondet_bool();
	world.counter = nondet_u64();
	world.leaf.is_mapped = nondet_bool();
	world.leaf.wish = (enum s2_wish)any_below(3);
	world.el1.sctlr = nondet_u64();
	world.el1.vbar = nondet_u64();
	world.el1.pstate_mask = nondet_u64();
	world.id_register = nondet_u64();
	world.firmware = nondet_u64();
	world.lr_count = 1 + (u32)any_below(RV_MAX_LRS);
	world.rsi = (enum guest_call)any_below(3);
	world.has_32 = nondet_bool();
	world.rsi_asks = nondet_bool() ? RV_EXIT_RAM : RV_EXIT_TABLES;
}

enum arch_event arch_vcpu_enter(struct vcpu *vcpu)
{
	entered++;
	vcpu->ctx = left;
	vcpu->exit = world.exit;
	return world.event;
}

static u32 loads;

void arch_vcpu_load(struct vcpu *vcpu)
{
	(void)vcpu;
	loads++;
}

void arch_vcpu_put(struct vcpu *vcpu)
{
	(void)vcpu;
	claim(loads == 1, "what is put was loaded");
	loads--;
}

bool arch_vcpu_may_run(void)
{
	return true;
}

bool arch_irq_is_pending(void)
{
	return world.irq;
}

bool host_psci_is_stopping(void)
{
	return world.is_stopping;
}

u64 arch_counter(void)
{
	return world.counter;
}

u32 arch_lr_count(void)
{
	return world.lr_count;
}

u64 arch_id_register(u32 crm, u32 op2)
{
	(void)crm;
	(void)op2;
	return world.id_register;
}

u64 arch_firmware_call(u64 fn, u64 a1, u64 a2, u64 a3)
{
	claim(fn == SMCCC_ARCH_FEATURES || (a1 | a2 | a3) == 0,
	      "no register of the guest gets out");
	return world.firmware;
}

struct el1_entry arch_host_el1(void)
{
	return world.el1;
}

void arch_host_set_exception(u64 esr, u64 far, u64 elr, u64 spsr)
{
	(void)esr;
	(void)far;
	(void)elr;
	(void)spsr;
	injected++;
}

void info_count(enum rv_exit_class class)
{
	counted = counted * RV_CLASS_COUNT + class + 1;
}

struct s2_leaf s2_walk(const struct s2 *s2, gfn_t gfn)
{
	(void)s2;
	(void)gfn;
	return world.leaf;
}

/* What the specification is told of this exit. */
static struct spec_exit facts(void)
{
	const u64 ipa = (world.exit.hpfar & 0xffffffffff0ull) << 8;

	return (struct spec_exit){
		.is_over = vm_a.state == VM_POWEROFF || world.is_stopping,
		.has_32 = world.has_32,
		.entry_state = vcpu_a0.ctx.pstate,
		.event = world.event == ARCH_EVENT_SYNC	 ? SPEC_EXCEPTION
			 : world.event == ARCH_EVENT_IRQ ? SPEC_IRQ
							 : SPEC_SERROR,
		.esr = world.exit.esr,
		.far = world.exit.far,
		.hpfar = world.exit.hpfar,
		.pstate = left.pstate,
		.x = left.x,
		.irq = world.irq,
		.is_protected = vm_a.is_protected,
		.is_ram = vm_is_ram(&vm_a, gfn_make(ipa >> PAGE_SHIFT)),
		.is_absent = !world.leaf.is_mapped && world.leaf.wish != S2_WISH_DESTROYED,
	};
}

/* A vCPU that this CPU runs, entered once; then the guest has `left`, arbitrary. */
static void any_run(void)
{
	any_vm(MINE);
	any_world();
	/* The boot vCPU runs; what CPU_ON and AFFINITY_INFO do to the other one: proof_vcpu.c. */
	assume(vm_a.vcpus[0] != NULL && vcpu_a0.run_state == VCPU_ACTIVE &&
	       vcpu_a0.power == VCPU_ON && vm_a.state != VM_READY);
	assume(!vcpu_a0.pending.is_mmio);
	entered = 0;
	injected = 0;
	counted = 0;
}

struct context nondet_context(void);

static void claim_told(bool goes_on, const struct run_exit *out, const struct spec_told *told)
{
	claim(goes_on == told->goes_on, "an exit for the host exactly if specified");
	claim(out->reason == (told->goes_on ? 0 : told->reason), "the reason");
	claim(out->bytes == told->bytes && out->is_write == told->is_write, "the access");
	claim(out->ipa == told->ipa, "the address");
	claim(out->data == told->data, "the one value that this class discloses");
}

/* A handler's exit: the vCPU after the guest has left `left` and `world.exit`. */
static void leave(struct vcpu *vcpu)
{
	vcpu->ctx = left;
	vcpu->exit = world.exit;
	injected = 0;
}

#endif
