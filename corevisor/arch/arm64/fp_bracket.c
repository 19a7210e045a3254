/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * arch_fp_begin/end: the only place where EL2 code may use vector registers. Whoever runs below
 * finds all of V, Z, P, FFR, FPSR, FPCR and its streaming mode as before; nothing of what happened
 * between stays in a register.
 */
#include <arm64/cpu.h>
#include <arm64/fp.h>
#include <arm64/sysreg.h>
#include <cv/arch_host.h>
#include <cv/check.h>
#include <string.h>

#define SVCR_SM (1ull << 0)

struct fp_head {
	u64 cptr;
	u64 svcr;
	u64 zcr;
	u64 smcr;
	u64 fpsr;
	u64 fpcr;
	u64 vector_bytes; /* 0: V registers only */
	bool is_busy;
};

#define HEAD_BYTES 64
_Static_assert(sizeof(struct fp_head) <= HEAD_BYTES,
	       "vectors are aligned to 16 bytes behind the head");

static u64 area_bytes(u64 vector)
{
	return HEAD_BYTES +
	       (vector == 0 ? FP_V_BYTES
			    : SVE_Z_COUNT * vector + (SVE_P_COUNT + 1) * SVE_P_BYTES(vector));
}

static u64 streaming_bytes(void)
{
	u64 svcr = sysreg_read(SYS_SVCR);
	u64 bytes;

	sysreg_write(SYS_SVCR, svcr | SVCR_SM);
	isb();
	bytes = sve_vector_bytes();
	sysreg_write(SYS_SVCR, svcr);
	isb();
	return bytes;
}

u64 cpu_fp_bytes(void)
{
	const struct cpu *cpu = cpu_this();
	u64 vector = 0;

	if (cpu->has_sve) {
		vector = sve_vector_bytes();
	}
	if (cpu->has_sme) {
		u64 streaming = streaming_bytes();

		vector = streaming > vector ? streaming : vector;
	}
	return area_bytes(vector);
}

/* The greatest lengths, so that nothing of the state below stays out of view. */
static void traps_off(const struct cpu *cpu, struct fp_head *head)
{
	head->cptr = sysreg_read(cptr_el2);
	sysreg_write(cptr_el2, cpu->cptr_host);
	isb();
	if (cpu->has_sve) {
		head->zcr = sysreg_read(SYS_ZCR_EL2);
		sysreg_write(SYS_ZCR_EL2, 0x1ff);
	}
	if (cpu->has_sme) {
		head->smcr = sysreg_read(SYS_SMCR_EL2);
		sysreg_write(SYS_SMCR_EL2, head->smcr | 0xf);
		head->svcr = sysreg_read(SYS_SVCR);
	}
	isb();
}

static bool has_ffr(const struct cpu *cpu, const struct fp_head *head)
{
	return cpu->has_sve && (head->svcr & SVCR_SM) == 0;
}

void arch_fp_begin(void)
{
	struct cpu *cpu = cpu_this();
	struct fp_head *head = (struct fp_head *)cpu->fp_area;
	u8 *vectors = cpu->fp_area + HEAD_BYTES;

	CV_CHECK(!head->is_busy);
	*head = (struct fp_head){ .is_busy = true };
	traps_off(cpu, head);
	head->fpsr = sysreg_read(SYS_FPSR);
	head->fpcr = sysreg_read(SYS_FPCR);
	if (cpu->has_sve || (head->svcr & SVCR_SM) != 0) {
		u64 vector = sve_vector_bytes();
		u8 *predicates = vectors + SVE_Z_COUNT * vector;

		head->vector_bytes = vector;
		CV_CHECK(area_bytes(vector) <= cpu->fp_area_bytes);
		sve_save(vectors, predicates);
		if (has_ffr(cpu, head)) {
			sve_save_ffr(predicates + SVE_P_COUNT * SVE_P_BYTES(vector));
		}
	} else {
		fp_save_v(vectors);
	}
	if ((head->svcr & SVCR_SM) != 0) {
		sysreg_write(SYS_SVCR, head->svcr & ~SVCR_SM);
		isb();
	}
	sysreg_write(SYS_FPCR, 0);
}

void arch_fp_end(void)
{
	struct cpu *cpu = cpu_this();
	struct fp_head *head = (struct fp_head *)cpu->fp_area;
	const u8 *vectors = cpu->fp_area + HEAD_BYTES;

	fp_wipe();
	if ((head->svcr & SVCR_SM) != 0) {
		sysreg_write(SYS_SVCR, head->svcr);
		isb();
	}
	if (head->vector_bytes != 0) {
		const u8 *predicates = vectors + SVE_Z_COUNT * head->vector_bytes;

		if (has_ffr(cpu, head)) {
			sve_restore_ffr(predicates + SVE_P_COUNT * SVE_P_BYTES(head->vector_bytes));
		}
		sve_restore(vectors, predicates);
	} else {
		fp_restore_v(vectors);
	}
	sysreg_write(SYS_FPSR, head->fpsr);
	sysreg_write(SYS_FPCR, head->fpcr);
	if (cpu->has_sme) {
		sysreg_write(SYS_SMCR_EL2, head->smcr);
	}
	if (cpu->has_sve) {
		sysreg_write(SYS_ZCR_EL2, head->zcr);
	}
	sysreg_write(cptr_el2, head->cptr);
	isb();
	/* A guest's registers do not outlive the call here. */
	memset(cpu->fp_area + HEAD_BYTES, 0, cpu->fp_area_bytes - HEAD_BYTES);
	head->is_busy = false;
}
