/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Proof: after a call of the host its registers, and rv_info, follow from what was in them and from
 * the answer: its status and, on RV_OK, its results. hcall.c, any call, any answer. Whoever serves
 * a call may leave anything where results go, something else in each run; on a refusal nothing of
 * it gets out. What the answers depend on: the other proof_disclose_*.
 *
 * Proof-args: --unwind 34
 * Proof-entry: proof_disclose_hcall
 * Proof-entry: proof_disclose_version quick
 */
#include "proof.h"

#include "corevisor/core/hcall.c"

/* ---- who serves calls ---- */

struct served {
	u32 what; /* its line below; 0: nobody */
	u64 arg[7];
};

static struct served served;
static enum cv_status answer;
static u64 told[4];

static enum cv_status serve(struct served now, u64 *results, u32 count)
{
	claim(served.what == 0, "one answer a call");
	served = now;
	for (u32 i = 0; i < count; i++) {
		results[i] = answer == CV_OK ? told[i] : nondet_u64();
	}
	return answer;
}

#define SERVE(results, count, ...) \
	serve((struct served){ .what = __LINE__, .arg = { __VA_ARGS__ } }, results, count)

/* By the numbers of arguments and results. */
#define CALL_1_0(name)                    \
	enum cv_status name(u64 a)        \
	{                                 \
		return SERVE(NULL, 0, a); \
	}
#define CALL_2_0(name)                       \
	enum cv_status name(u64 a, u64 b)    \
	{                                    \
		return SERVE(NULL, 0, a, b); \
	}
#define CALL_3_0(name)                           \
	enum cv_status name(u64 a, u64 b, u64 c) \
	{                                        \
		return SERVE(NULL, 0, a, b, c);  \
	}
#define CALL_4_0(name)                                  \
	enum cv_status name(u64 a, u64 b, u64 c, u64 d) \
	{                                               \
		return SERVE(NULL, 0, a, b, c, d);      \
	}
#define CALL_1_1(name)                     \
	enum cv_status name(u64 a, u64 *r) \
	{                                  \
		return SERVE(r, 1, a);     \
	}
#define CALL_2(name, count)                       \
	enum cv_status name(u64 a, u64 b, u64 *r) \
	{                                         \
		return SERVE(r, count, a, b);     \
	}
#define CALL_3(name, count)                              \
	enum cv_status name(u64 a, u64 b, u64 c, u64 *r) \
	{                                                \
		return SERVE(r, count, a, b, c);         \
	}
#define CALL_4_1(name)                                          \
	enum cv_status name(u64 a, u64 b, u64 c, u64 d, u64 *r) \
	{                                                       \
		return SERVE(r, 1, a, b, c, d);                 \
	}

CALL_1_0(mem_pool_topup)
CALL_1_0(vm_kill)
CALL_1_0(seal_abort)
CALL_2_0(vm_topup)
CALL_2_0(vcpu_read_regs)
CALL_2_0(dma_topup)
CALL_2_0(seal_save_begin)
CALL_2_0(seal_load_begin)
CALL_3_0(vm_add_ram)
CALL_3_0(mem_map_io)
CALL_3_0(dma_alloc)
CALL_4_0(vm_create_vcpu)
CALL_4_0(vcpu_boot)
CALL_1_1(vm_destroy)
CALL_1_1(dma_free)
CALL_2(image_verify, 1)
CALL_2(image_measure, 4)
CALL_2(run_vcpu, 1)
CALL_2(seal_save_end, 2)
CALL_3(image_add, 1)
CALL_3(mem_reclaim, 1)
CALL_3(dma_unmap, 1)
CALL_3(seal_save_vcpu, 2)
CALL_4_1(image_map)
CALL_4_1(mem_map)
CALL_4_1(dma_map)

enum cv_status vm_create(u64 a, u64 b, u64 c, const u64 d[4], u64 *r)
{
	return SERVE(r, 1, a, b, c, d[0], d[1], d[2], d[3]);
}

enum cv_status seal_save_page(u64 a, u64 b, u64 *gfn, u64 *what, u64 tag[2])
{
	u64 results[4];
	enum cv_status status = SERVE(results, 4, a, b);

	*gfn = results[0];
	*what = results[1];
	tag[0] = results[2];
	tag[1] = results[3];
	return status;
}

enum cv_status seal_load_vcpu(u64 a, u64 b, u64 c, const u64 tag[2])
{
	return SERVE(NULL, 0, a, b, c, tag[0], tag[1]);
}

enum cv_status seal_load_page(u64 a, u64 b, u64 c, u64 d, const u64 tag[2])
{
	return SERVE(NULL, 0, a, b, c, d, tag[0], tag[1]);
}

enum cv_status seal_load_end(u64 a, u64 b, const u64 tag[2])
{
	return SERVE(NULL, 0, a, b, tag[0], tag[1]);
}

/* ---- rv_info, and facts of the machine ---- */

struct info {
	u32 counted, published, refused;
	u64 call, status, argument;
};

static struct info info;
static bool has_entropy;
static u32 lr_count;

void info_count(enum rv_exit_class class)
{
	info.counted += 1 + class;
}

void info_refusal(u64 call, s64 status, u64 first_argument)
{
	info.refused++;
	info.call = call;
	info.status = (u64)status;
	info.argument = first_argument;
}

void info_publish(void)
{
	info.published++;
}

bool rng_is_ready(void)
{
	return has_entropy;
}

u32 arch_lr_count(void)
{
	return lr_count;
}

/* ---- two runs ---- */

struct host_regs nondet_regs(void);

static struct host_regs before, regs;

static void run_twice(void)
{
	struct served served_one;
	struct info info_one;
	struct host_regs one;

	answer = (enum cv_status)(-(s64)any_below(11));
	has_entropy = nondet_bool();
	lr_count = nondet_u32();
	for (u32 i = 0; i < 4; i++) {
		told[i] = nondet_u64();
	}
	regs = before;
	hcall(&regs);
	one = regs;
	served_one = served;
	info_one = info;

	regs = before;
	served = (struct served){ .what = 0 };
	info = (struct info){ .counted = 0 };
	hcall(&regs);
	claim(__CPROVER_equal(regs, one), "the same registers");
	claim(__CPROVER_equal(served, served_one), "the same call, with the same arguments");
	claim(__CPROVER_equal(info, info_one), "the same in rv_info");
}

void proof_disclose_hcall(void)
{
	before = nondet_regs();
	run_twice();
	reach(served.what == 0 && regs.x[0] == (u64)(s64)CV_E_NOT_SUPPORTED, "no such call");
	reach(served.what != 0 && regs.x[0] == (u64)(s64)CV_E_AUTH, "refused");
	reach(served.what != 0 && regs.x[0] == 0 && regs.x[4] == told[3] && told[3] != before.x[4],
	      "four results");
	claim(served.what == 0 || regs.x[0] == (u64)(s64)answer, "the status");
	for (u32 i = 1; i < 31; i++) {
		claim(served.what == 0 || regs.x[i] == before.x[i] ||
			      (answer == CV_OK && i <= 4 && regs.x[i] == told[i - 1]),
		      "a result, or what was there");
	}
}

/* Nobody serves it: what it says is of the machine, not of any VM. */
void proof_disclose_version(void)
{
	before = nondet_regs();
	before.x[0] = RV_VERSION;
	run_twice();
	reach(regs.x[0] == 0 && regs.x[2] == RV_FEAT_ENTROPY, "with entropy");
	claim(served.what == 0 && regs.x[0] == 0, "no VM is asked");
	claim(regs.x[3] == lr_count, "list registers");
}
