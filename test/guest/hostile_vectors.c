/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The corevisor's random numbers come from a library that computes in vector registers. A call for
 * them must leave every bit of ours: V, and with SVE all of Z, P and FFR, and with SME those of
 * streaming mode, ZA and SVCR.
 */
#include "env.h"

const char image_name[] = "vectors";

#define TRNG_VERSION 0x84000050ul
#define TRNG_RND_64 0xc4000053ul
#define ROUNDS 8
#define ZA_BYTES_MAX (256 * 256)
#define STATE_BYTES (32 * 256 + 17 * 32 + 16)
#define SVCR_SM 1ul
#define SVCR_ZA 2ul
#define CPACR_FPEN (3ul << 20)
#define CPACR_ZEN (3ul << 16)
#define CPACR_SMEN (3ul << 24)
#define ZCR_EL1 S3_0_C1_C2_0
#define SMCR_EL1 S3_0_C1_C2_6
#define SVCR S3_3_C4_C2_2
#define FPSR S3_3_C4_C4_1
#define FPCR S3_3_C4_C4_0

/* vectors.S: to and from a buffer, at the length in force */
void vectors_load_v(const void *from);
void vectors_store_v(void *to);
void vectors_load_sve(const void *from, u64 with_ffr);
void vectors_store_sve(void *to, u64 with_ffr);
void vectors_load_za(const void *from);
void vectors_store_za(void *to);
u64 vectors_bytes(void);

static _Alignas(16) u8 before[STATE_BYTES], after[STATE_BYTES];
static _Alignas(16) u8 za_before[ZA_BYTES_MAX], za_after[ZA_BYTES_MAX];

static void fill(u8 *at, size_t bytes)
{
	size_t i;

	for (i = 0; i < bytes; i++) {
		at[i] = (u8)random_u64();
	}
}

static void call(void)
{
	struct smccc regs = { { TRNG_RND_64, 192 } };

	smccc_smc(&regs);
	if (regs.x[0] != 0) {
		fail("TRNG_RND64: %ld", (s64)regs.x[0]);
	}
	if (regs.x[1] == 0 && regs.x[2] == 0 && regs.x[3] == 0) {
		fail("192 random bits are all zero");
	}
}

static void compare(const char *what, const u8 *a, const u8 *b, size_t bytes)
{
	size_t i;

	for (i = 0; i < bytes; i++) {
		if (a[i] != b[i]) {
			fail("%s: byte %lu was %#x and is %#x", what, (unsigned long)i, a[i], b[i]);
		}
	}
}

static void check_v(void)
{
	fill(before, 512);
	vectors_load_v(before);
	write_sysreg(FPSR, 0x0800001f);
	write_sysreg(FPCR, 0x03c00000);
	call();
	vectors_store_v(after);
	compare("V registers", before, after, 512);
	if (read_sysreg(FPSR) != 0x0800001f || read_sysreg(FPCR) != 0x03c00000) {
		fail("FPSR %#lx, FPCR %#lx", read_sysreg(FPSR), read_sysreg(FPCR));
	}
}

/* At this vector length. */
static void check_sve(u64 zcr, bool with_ffr, const char *what)
{
	u64 bytes, predicates;

	write_sysreg(ZCR_EL1, zcr);
	isb();
	bytes = vectors_bytes();
	predicates = bytes / 8;
	fill(before, 32 * bytes + 17 * predicates);
	/* FFR may only hold a run of ones from bit 0 on. */
	memset(before + 32 * bytes + 16 * predicates, 0, predicates);
	before[32 * bytes + 16 * predicates] = 0x1f;
	vectors_load_sve(before, with_ffr);
	call();
	vectors_store_sve(after, with_ffr);
	compare(what, before, after, 32 * bytes + (with_ffr ? 17 : 16) * predicates);
}

static void check_streaming(void)
{
	u64 za_bytes;

	write_sysreg(SMCR_EL1, 0xf);
	isb();
	write_sysreg(SVCR, SVCR_SM | SVCR_ZA);
	isb();
	za_bytes = vectors_bytes() * vectors_bytes();
	fill(za_before, za_bytes);
	vectors_load_za(za_before);
	check_sve(0xf, false, "streaming Z and P registers");
	if (read_sysreg(SVCR) != (SVCR_SM | SVCR_ZA)) {
		fail("SVCR %#lx", read_sysreg(SVCR));
	}
	vectors_store_za(za_after);
	compare("ZA", za_before, za_after, za_bytes);
	write_sysreg(SVCR, 0);
	isb();
}

_Noreturn void image_main(void)
{
	bool has_sve = (read_sysreg(S3_0_C0_C4_0) >> 32 & 0xf) != 0;
	bool has_sme = (read_sysreg(S3_0_C0_C4_1) >> 24 & 0xf) != 0;
	struct smccc version = { { TRNG_VERSION } };
	u32 i;

	write_sysreg(cpacr_el1,
		     CPACR_FPEN | (has_sve ? CPACR_ZEN : 0) | (has_sme ? CPACR_SMEN : 0));
	isb();
	ready();
	smccc_smc(&version);
	if ((s64)version.x[0] < 0) {
		skip("the corevisor has no entropy source");
	}
	for (i = 0; i < ROUNDS; i++) {
		check_v();
		if (has_sve) {
			check_sve(0xf, true, "Z, P and FFR registers");
			check_sve(0, true, "Z, P and FFR registers, shortest");
		}
		if (has_sme) {
			check_streaming();
		}
	}
	print("vectors: SVE %s, SME %s\n", has_sve ? "yes" : "no", has_sme ? "yes" : "no");
	pass();
}
