/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * RSI. What a call needs from the host (a table page, the page that REALM_CONFIG is written to) is
 * asked for before anything visible happens, and the guest makes the same call again.
 */
#include <cv/rsi.h>

#include <string.h>

#include <cv/mem.h>
#include <cv/psci.h>

/* Function ids (Arm DEN0137, RSI interface) */
#define RSI_FIRST 0xc4000190u
#define RSI_LAST 0xc40001afu
#define RSI_VERSION 0xc4000190u
#define RSI_FEATURES 0xc4000191u
#define RSI_MEASUREMENT_READ 0xc4000192u
#define RSI_MEASUREMENT_EXTEND 0xc4000193u
#define RSI_ATTESTATION_TOKEN_INIT 0xc4000194u
#define RSI_ATTESTATION_TOKEN_CONTINUE 0xc4000195u
#define RSI_REALM_CONFIG 0xc4000196u
#define RSI_IPA_STATE_SET 0xc4000197u
#define RSI_IPA_STATE_GET 0xc4000198u
#define RSI_HOST_CALL 0xc4000199u

#define RSI_VERSION_1_0 0x10000

#define MEASUREMENTS_EXTENSIBLE 4
#define MEASUREMENT_BYTES 64

#define RSI_SUCCESS 0
#define RSI_ERROR_INPUT 1
#define RSI_ERROR_STATE 2

/* RsiRipas, RsiResponse, RsiRipasChangeFlags */
#define RIPAS_EMPTY 0
#define RIPAS_RAM 1
#define RIPAS_DESTROYED 2
#define RSI_ACCEPT 0
#define RSI_REJECT 1
#define RSI_CHANGE_DESTROYED 1ull

/* RsiRealmConfig; in place: no address bit means "shared" (kvm-api 3.2). All else is zero: SHA-256,
 * no planes; but for the RPV, the realm's personalisation, which is the owner's key. */
#define REALM_CONFIG_RPV 0x200
static const struct {
	u64 ipa_bits;
	u8 rest[PAGE_SIZE - sizeof(u64)];
} realm_config = { .ipa_bits = 1 };

bool rsi_is_call(u32 id)
{
	return id >= RSI_FIRST && id <= RSI_LAST;
}

static enum guest_call done(struct vcpu *vcpu, s64 status)
{
	guest_call_return(vcpu, status);
	return GUEST_CALL_DONE;
}

static enum guest_call version(struct vcpu *vcpu)
{
	const bool is_ours = vcpu->ctx.x[1] == RSI_VERSION_1_0;

	vcpu->ctx.x[1] = RSI_VERSION_1_0;
	vcpu->ctx.x[2] = RSI_VERSION_1_0;
	return done(vcpu, is_ours ? RSI_SUCCESS : RSI_ERROR_INPUT);
}

static enum guest_call features(struct vcpu *vcpu)
{
	vcpu->ctx.x[1] = 0;
	return done(vcpu, RSI_SUCCESS);
}

static enum guest_call config(struct vcpu *vcpu, struct run_exit *out)
{
	struct vm *vm = vcpu->vm;
	const ipa_t ipa = ipa_make(vcpu->ctx.x[1]);
	enum cv_status status;

	if (!is_aligned(ipa.v, PAGE_SIZE) || !vm_is_ram(vm, ipa_gfn(ipa))) {
		return done(vcpu, RSI_ERROR_INPUT);
	}
	lock_acquire(vm->lock);
	status = mem_vm_write(vm, ipa, &realm_config, sizeof(realm_config));
	if (status == CV_OK) {
		status = mem_vm_write(vm, ipa_make(ipa.v + REALM_CONFIG_RPV), vm->owner_key,
				      sizeof(vm->owner_key));
	}
	lock_release(vm->lock);
	if (status == CV_E_NOENT) {
		out->reason = RV_EXIT_RAM;
		out->ipa = ipa.v;
		return GUEST_CALL_RETRY;
	}
	return done(vcpu, status == CV_OK ? RSI_SUCCESS : RSI_ERROR_INPUT);
}

/* True if [base, top) is a page-aligned, not empty range of addresses that a VM can have. */
static bool is_ipa_range(u64 base, u64 top)
{
	return is_aligned(base, PAGE_SIZE) && is_aligned(top, PAGE_SIZE) && base < top &&
	       top <= GFN_LIMIT << PAGE_SHIFT;
}

/* End of what is alike from `gfn` on, RAM or not, at most `end`. */
static gfn_t alike_until(const struct vm *vm, gfn_t gfn, gfn_t end)
{
	const u64 ram_end = vm_ram_end(vm, gfn);

	return gfn_make(min_u64(end.v, ram_end != 0 ? ram_end : vm_ram_next(vm, gfn)));
}

/* Ranges that touch may be declared separately, so this hops from one to the next; there are at
 * most RV_RAM_RANGES. */
static bool is_all_ram(const struct vm *vm, gfn_t gfn, gfn_t end)
{
	while (gfn.v < end.v) {
		if (!vm_is_ram(vm, gfn)) {
			return false;
		}
		gfn = alike_until(vm, gfn, end);
	}
	return true;
}

static enum guest_call state_set_done(struct vcpu *vcpu, gfn_t reached, u64 response)
{
	vcpu->ctx.x[1] = gfn_ipa(reached).v;
	vcpu->ctx.x[2] = response;
	return done(vcpu, RSI_SUCCESS);
}

static enum guest_call state_set_commit(struct vcpu *vcpu, gfn_t first, gfn_t end,
					struct run_exit *out)
{
	struct vm *vm = vcpu->vm;
	const enum s2_wish wish = vcpu->ctx.x[3] == RIPAS_RAM ? S2_WISH_PRIVATE : S2_WISH_SHARED;
	const bool change_destroyed = (vcpu->ctx.x[4] & RSI_CHANGE_DESTROYED) != 0;
	gfn_t reached = first;
	bool vm_has_tables;
	enum cv_status status;

	lock_acquire(vm->lock);
	status = mem_vm_set_wish(vm, &reached, end, wish, change_destroyed);
	vm_has_tables = status == CV_E_NOMEM && mem_vm_has_tables(vm, reached, 3);
	lock_release(vm->lock);
	switch (status) {
	case CV_OK:
		return state_set_done(vcpu, reached, RSI_ACCEPT);
	case CV_E_NOMEM:
		/* If the VM has enough, it was a block that takes one of the corevisor's, too. */
		out->data = vm_has_tables ? 1 : 0;
		out->reason = RV_EXIT_TABLES;
		return GUEST_CALL_RETRY;
	case CV_E_STATE:
		return state_set_done(vcpu, first, RSI_REJECT);
	default:
		return done(vcpu, RSI_ERROR_INPUT);
	}
}

static enum guest_call state_set(struct vcpu *vcpu, struct run_exit *out)
{
	const u64 *x = vcpu->ctx.x;
	const gfn_t first = gfn_make(x[1] >> PAGE_SHIFT);
	const gfn_t end = gfn_make(x[2] >> PAGE_SHIFT);

	/* A guest may ask for EMPTY and RAM only. */
	if (!is_ipa_range(x[1], x[2]) || (x[3] != RIPAS_EMPTY && x[3] != RIPAS_RAM) ||
	    (x[4] & ~RSI_CHANGE_DESTROYED) != 0 || !is_all_ram(vcpu->vm, first, end)) {
		return done(vcpu, RSI_ERROR_INPUT);
	}
	return state_set_commit(vcpu, first, end, out);
}

static enum guest_call state_get(struct vcpu *vcpu)
{
	static const u64 ripas_of[] = {
		[S2_WISH_PRIVATE] = RIPAS_RAM,
		[S2_WISH_SHARED] = RIPAS_EMPTY,
		[S2_WISH_DESTROYED] = RIPAS_DESTROYED,
	};
	struct vm *vm = vcpu->vm;
	const u64 base = vcpu->ctx.x[1];
	const u64 top = vcpu->ctx.x[2];
	const gfn_t first = ipa_gfn(ipa_make(base));
	u64 ripas = RIPAS_EMPTY;
	gfn_t until;

	if (!is_ipa_range(base, top)) {
		return done(vcpu, RSI_ERROR_INPUT);
	}
	until = alike_until(vm, first, ipa_gfn(ipa_make(top)));
	if (vm_is_ram(vm, first)) {
		lock_acquire(vm->lock);
		ripas = ripas_of[mem_vm_get_wish(vm, first, until, &until)];
		lock_release(vm->lock);
	}
	vcpu->ctx.x[1] = gfn_ipa(until).v;
	vcpu->ctx.x[2] = ripas;
	return done(vcpu, RSI_SUCCESS);
}

/* Index 0 is the initial measurement: the manifest that the owner signed. The extensible ones, 1 to
 * 4, stand at 0, where they begin. 64 bytes in x1 to x8. */
static enum guest_call measurement(struct vcpu *vcpu)
{
	u64 *x = vcpu->ctx.x;
	const u64 index = x[1];

	if (index > MEASUREMENTS_EXTENSIBLE) {
		return done(vcpu, RSI_ERROR_INPUT);
	}
	memset(&x[1], 0, MEASUREMENT_BYTES);
	if (index == 0) {
		memcpy(&x[1], vcpu->vm->manifest, sizeof(vcpu->vm->manifest));
	}
	return done(vcpu, RSI_SUCCESS);
}

enum guest_call rsi_call(struct vcpu *vcpu, u32 id, struct run_exit *out)
{
	switch (id) {
	case RSI_VERSION:
		return version(vcpu);
	case RSI_FEATURES:
		return features(vcpu);
	case RSI_REALM_CONFIG:
		return config(vcpu, out);
	case RSI_IPA_STATE_SET:
		return state_set(vcpu, out);
	case RSI_IPA_STATE_GET:
		return state_get(vcpu);
	case RSI_MEASUREMENT_READ:
		return measurement(vcpu);
	case RSI_MEASUREMENT_EXTEND:
	case RSI_ATTESTATION_TOKEN_INIT:
	case RSI_ATTESTATION_TOKEN_CONTINUE:
		/* Nobody here signs a token, and an invented value would be a lie. */
		return done(vcpu, RSI_ERROR_STATE);
	case RSI_HOST_CALL:
		return done(vcpu, RSI_ERROR_INPUT);
	default:
		return done(vcpu, SMCCC_NOT_SUPPORTED);
	}
}
