// SPDX-License-Identifier: GPL-2.0-only
/*
 * KVM_GET/SET_ONE_REG. Before the first run they fill and read a shadow, of which the corevisor is
 * told pc and x0 only. A running open VM can be read; a running protected VM reads as zero. What is
 * set then is ignored, without an error: VMMs write back what they read.
 */
#include "hostvisor.h"

#include <linux/uaccess.h>
#include <asm/cpufeature.h>
#include <asm/sysreg.h>

#define REG_U64(kind) (KVM_REG_ARM64 | KVM_REG_SIZE_U64 | (kind))
#define CORE_GP_END 0x52 /* in units of 4 bytes: x0 .. spsr[4] */
#define CORE_V 0x54
#define CORE_FPSR 0xd4
#define CORE_FPCR 0xd5
#define REG_MPIDR ARM64_SYS_REG(3, 0, 0, 0, 5)

/* ---- ID registers ---- */

#define ID_REGS(X) \
	X(1, 0) X(1, 1) X(1, 2) X(1, 4) X(1, 5) X(1, 6) X(1, 7) \
	X(2, 0) X(2, 1) X(2, 2) X(2, 3) X(2, 4) X(2, 5) X(2, 6) X(2, 7) \
	X(3, 0) X(3, 1) X(3, 2) X(3, 4) X(3, 5) X(3, 6) \
	X(4, 0) X(4, 1) X(4, 5) \
	X(5, 0) X(5, 1) \
	X(6, 0) X(6, 1) X(6, 2) \
	X(7, 0) X(7, 1) X(7, 2) X(7, 3)

#define FIELD(shift) (0xfULL << (shift))

/*
 * What guests do not get; the authority is the corevisor, which shows them their ID registers
 * itself.
 */
static const struct {
	u8 crm, op2;
	u64 hidden;
	u64 shown; /* instead of it */
} id_hidden[] = {
	/*
	 * PFR0: EL3, EL2, RAS, SVE, secure EL2, MPAM, AMU, RME; EL1: AArch64 only, whatever the CPU
	 * can do
	 */
	{ 4, 0,
	  FIELD(4) | FIELD(8) | FIELD(12) | FIELD(28) | FIELD(32) | FIELD(36) | FIELD(40) |
		  FIELD(44) | FIELD(52),
	  1 << 4 },
	{ 4, 1, ~0xfULL }, /* PFR1: all but BTI */
	{ 4, 5, ~0ULL }, /* SMFR0 */
	/* DFR0: TraceVer, PMUVer, PMSVer, TraceFilt, TraceBuffer, MTPMU, BRBE */
	{ 5, 0, FIELD(4) | FIELD(8) | FIELD(32) | FIELD(40) | FIELD(44) | FIELD(48) | FIELD(52) },
	{ 6, 1, FIELD(4) | FIELD(8) | FIELD(24) | FIELD(28) }, /* ISAR1: PAuth */
	{ 6, 2, FIELD(8) | FIELD(12) | FIELD(16) }, /* ISAR2: PAuth, MOPS */
};

static struct {
	u8 crm, op2;
	u64 value;
} id_regs[] = {
#define X(m, o) { .crm = m, .op2 = o },
	ID_REGS(X)
#undef X
};

void hv_onereg_init(void)
{
	unsigned int i = 0, j;

#define X(m, o) id_regs[i++].value = read_sysreg_s(sys_reg(3, 0, 0, m, o));
	ID_REGS(X)
#undef X
	for (i = 0; i < ARRAY_SIZE(id_regs); i++) {
		for (j = 0; j < ARRAY_SIZE(id_hidden); j++) {
			if (id_hidden[j].crm != id_regs[i].crm ||
			    id_hidden[j].op2 != id_regs[i].op2)
				continue;
			id_regs[i].value &= ~id_hidden[j].hidden;
			id_regs[i].value |= id_hidden[j].shown;
		}
	}
}

static const u64 *hv_find_id(u64 id)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(id_regs); i++)
		if (id == ARM64_SYS_REG(3, 0, 0, id_regs[i].crm, id_regs[i].op2))
			return &id_regs[i].value;
	return NULL;
}

/* ---- core registers ---- */

static bool hv_is_core(u64 id)
{
	return (id & ~(KVM_REG_SIZE_MASK | 0xffffULL)) == (KVM_REG_ARM64 | KVM_REG_ARM_CORE);
}

/* Bytes of the core register at this offset (in units of 4 bytes), 0: none. */
static unsigned int hv_core_bytes(u64 offset)
{
	if (offset < CORE_GP_END)
		return offset & 1 ? 0 : 8;
	if (offset >= CORE_V && offset < CORE_FPSR)
		return offset & 3 ? 0 : 16;
	return offset == CORE_FPSR || offset == CORE_FPCR ? 4 : 0;
}

static void *hv_core_reg(struct kvm_regs *regs, u64 id, unsigned int *bytes)
{
	u64 offset = id & 0xffff;

	*bytes = hv_core_bytes(offset);
	if (!*bytes || KVM_REG_SIZE(id) != *bytes)
		return NULL;
	return (u32 *)regs + offset;
}

static void hv_regs_from_run(struct kvm_regs *to, const struct rv_regs *from)
{
	memset(to, 0, sizeof(*to));
	memcpy(to->regs.regs, from->x, sizeof(to->regs.regs));
	to->regs.sp = from->sp_el0;
	to->regs.pc = from->pc;
	to->regs.pstate = from->pstate;
	to->sp_el1 = from->sp_el1;
	to->elr_el1 = from->elr_el1;
	to->spsr[0] = from->spsr_el1;
	BUILD_BUG_ON(sizeof(to->fp_regs.vregs) != sizeof(from->v));
	memcpy(to->fp_regs.vregs, from->v, sizeof(from->v));
	to->fp_regs.fpsr = from->fpsr;
	to->fp_regs.fpcr = from->fpcr;
}

/* Pre: the vCPU's mutex held, so that it does not run. */
static int hv_current_regs(struct hv_vcpu *vcpu, struct kvm_regs *regs)
{
	struct hv_vm *vm = vcpu->vm;
	int status = RV_OK;

	mutex_lock(&vm->mem_lock); /* the VM cannot end meanwhile */
	if (!hv_vm_is_fixed(vm)) {
		*regs = vcpu->shadow;
	} else if (vm->is_protected) {
		memset(regs, 0, sizeof(*regs));
	} else {
		status = hv_vcpu_read_regs(vm->handle, vcpu->index);
		hv_regs_from_run(regs, &vcpu->run->regs);
	}
	mutex_unlock(&vm->mem_lock);
	return hv_errno(status);
}

static int hv_core_get(struct hv_vcpu *vcpu, u64 id, void __user *to)
{
	struct kvm_regs regs;
	unsigned int bytes;
	void *from = hv_core_reg(&regs, id, &bytes);
	int ret;

	if (!from)
		return -EINVAL;
	ret = hv_current_regs(vcpu, &regs);
	if (ret)
		return ret;
	return copy_to_user(to, from, bytes) ? -EFAULT : 0;
}

static int hv_core_set(struct hv_vcpu *vcpu, u64 id, void __user *from)
{
	unsigned int bytes;
	void *to = hv_core_reg(&vcpu->shadow, id, &bytes);
	u8 value[16];

	if (!to)
		return -EINVAL;
	if (copy_from_user(value, from, bytes))
		return -EFAULT;
	if (!hv_vm_is_fixed(vcpu->vm))
		memcpy(to, value, bytes);
	return 0;
}

/* ---- the ioctls ---- */

static int hv_get_u64(struct hv_vcpu *vcpu, u64 id, u64 *value)
{
	const u64 *id_value = hv_find_id(id);

	if (id_value)
		*value = *id_value;
	else if (id == REG_MPIDR)
		*value = hv_vcpu_mpidr(vcpu->index);
	else if (id == KVM_REG_ARM_TIMER_CNT)
		*value = hv_counter() - vcpu->run->cntvoff;
	else if (id == KVM_REG_ARM_PSCI_VERSION)
		*value = vcpu->psci_version;
	else
		return -ENOENT;
	return 0;
}

int hv_onereg_get(struct hv_vcpu *vcpu, const struct kvm_one_reg *reg)
{
	void __user *to = (void __user *)(unsigned long)reg->addr;
	u64 value;
	int ret;

	if (hv_is_core(reg->id))
		return hv_core_get(vcpu, reg->id, to);
	ret = hv_get_u64(vcpu, reg->id, &value);
	if (ret)
		return ret;
	return copy_to_user(to, &value, sizeof(value)) ? -EFAULT : 0;
}

/*
 * The guest's clock, its identity and its features are not user space's to change; a value read may
 * be written back.
 */
int hv_onereg_set(struct hv_vcpu *vcpu, const struct kvm_one_reg *reg)
{
	void __user *from = (void __user *)(unsigned long)reg->addr;
	u64 value, old;
	int ret;

	if (hv_is_core(reg->id))
		return hv_core_set(vcpu, reg->id, from);
	ret = hv_get_u64(vcpu, reg->id, &old);
	if (ret)
		return ret;
	if (copy_from_user(&value, from, sizeof(value)))
		return -EFAULT;
	if (reg->id == KVM_REG_ARM_TIMER_CNT || value == old)
		return 0;
	return -EINVAL;
}

static int hv_put_reg(u64 __user **to, u64 id)
{
	return put_user(id, (*to)++) ? -EFAULT : 0;
}

static int hv_list_core(u64 __user **to, u64 *count)
{
	static const u64 sizes[] = { [4] = KVM_REG_SIZE_U32, [8] = KVM_REG_SIZE_U64,
				     [16] = KVM_REG_SIZE_U128 };
	u64 offset, n = 0;
	unsigned int bytes;
	int ret = 0;

	for (offset = 0; offset <= CORE_FPCR && !ret; offset++) {
		bytes = hv_core_bytes(offset);
		if (!bytes)
			continue;
		n++;
		if (to)
			ret = hv_put_reg(to, KVM_REG_ARM64 | KVM_REG_ARM_CORE | sizes[bytes] |
					     offset);
	}
	*count = n;
	return ret;
}

/*
 * Core registers and the counter: QEMU wants one that is not a core register, and writes all of
 * them back.
 */
int hv_onereg_list(struct kvm_reg_list __user *list)
{
	u64 __user *to = list->reg;
	u64 n, count;
	int ret;

	if (get_user(n, &list->n))
		return -EFAULT;
	hv_list_core(NULL, &count);
	if (put_user(count + 1, &list->n))
		return -EFAULT;
	if (n < count + 1)
		return -E2BIG;
	ret = hv_list_core(&to, &count);
	return ret ? ret : hv_put_reg(&to, KVM_REG_ARM_TIMER_CNT);
}
