/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Records. Guarantees: a key belongs to one snapshot, because its random epoch and all of its
 * header went into it; under one key each nonce is the number of one record; who opens a record has
 * said where it belongs, in which snapshot.
 */
#include <cv/seal_record.h>

#include <string.h>

#include <cv/arch.h>
#include <cv/arch_host.h>
#include <cv/check.h>
#include <cv/ledger.h>
#include <cv/mem.h>
#include <cv/rng.h>

static struct {
	u8 secret[CRYPTO_KEY_BYTES];
	bool is_ready;
} root;

/* Authenticated with each record, beside its content. */
struct bound {
	u64 kind;
	u64 at;
	u64 what;
	u64 number;
	u64 bytes;
	u8 epoch[32];
};

_Static_assert(sizeof(struct bound) == 5 * sizeof(u64) + 32, "no padding is authenticated");
_Static_assert(sizeof(struct rv_seal_header) == 37 * sizeof(u64), "nor goes into the key");

/* ---- the root ---- */

void seal_init(const u8 secret[CRYPTO_KEY_BYTES])
{
	if (secret != NULL) {
		memcpy(root.secret, secret, sizeof(root.secret));
		root.is_ready = true;
	} else {
		root.is_ready = rng_bytes(root.secret, sizeof(root.secret));
	}
}

void seal_forget(void)
{
	memset(&root, 0, sizeof(root));
	arch_clean_range(&root, sizeof(root));
}

/* ---- a snapshot ---- */

void seal_header_make(const struct vm *vm, struct rv_seal_header *header)
{
	*header = (struct rv_seal_header){
		.magic = RV_SEAL_MAGIC,
		.version = RV_SEAL_VERSION,
		.vcpu_count = vm->vcpu_count,
		.ram_count = vm->ram_count,
	};
	memcpy(header->owner, vm->owner_key, sizeof(header->owner));
	memcpy(header->manifest, vm->manifest, sizeof(header->manifest));
	memcpy(header->instance, vm->instance, sizeof(header->instance));
	for (u32 i = 0; i < VM_VCPUS_MAX; i++) {
		header->vcpus |= (u64)(vm->vcpus[i] != NULL) << i;
	}
	for (u32 i = 0; i < vm->ram_count; i++) {
		header->ram[i] = (struct rv_seal_ram){ vm->ram[i].first.v, vm->ram[i].pages };
	}
}

enum cv_status seal_begin_check(struct vm *vm)
{
	if (!root.is_ready || !rng_is_ready()) {
		return CV_E_NOENTROPY;
	}
	return pool_count(&vm->tables) == 0 ? CV_E_NOMEM : CV_OK;
}

void seal_begin(struct vm *vm, enum seal_mode mode, const struct rv_seal_header *header)
{
	vm->seal =
		(struct seal){ .mode = mode, .header = *header, .scratch = pool_take(&vm->tables) };
	crypto_derive(root.secret, header->epoch, header, sizeof(*header), vm->seal.key);
	crypto_hash_begin(&vm->seal.set);
}

void seal_finish(struct vm *vm)
{
	pool_put(&vm->tables, vm->seal.scratch);
	vm->seal = (struct seal){ .mode = SEAL_NONE };
}

void *seal_scratch(const struct vm *vm)
{
	return arch_core_va(pfn_pa(vm->seal.scratch));
}

/* ---- whose turn it is ---- */

static bool is_empty(const struct vm *vm) CV_REQUIRES(vm->lock)
{
	return vm_is_being_built(vm) && vm->images.count == 0 && vm->guest_pages == 0 &&
	       vm->device_pages == 0 && vm->dma_contexts == 0;
}

static u32 next_vcpu(const struct vm *vm) CV_REQUIRES(vm->lock)
{
	u32 next = vm->seal.next_vcpu;

	while (next < VM_VCPUS_MAX && vm->vcpus[next] == NULL) {
		next++;
	}
	return next;
}

bool seal_is_turn(const struct vm *vm, enum seal_mode mode, const struct seal_place *place)
{
	if (place->kind == SEAL_HEADER) {
		return mode == SEAL_SAVING ? vm->state == VM_VERIFIED : is_empty(vm);
	}
	if (vm->seal.mode != mode) {
		return false;
	}
	if (place->kind == SEAL_VCPU) {
		return place->at == next_vcpu(vm);
	}
	if (place->kind == SEAL_END && mode == SEAL_SAVING) {
		return vm->seal.is_complete;
	}
	return next_vcpu(vm) == VM_VCPUS_MAX;
}

static bool has_place(const struct vm *vm, const struct seal_place *place) CV_REQUIRES(vm->lock)
{
	return place->kind != SEAL_VCPU ||
	       (place->at < VM_VCPUS_MAX && vm->vcpus[place->at] != NULL);
}

static enum cv_status enter_locked(const struct vm *vm, enum seal_mode mode,
				   const struct seal_place *place, u64 pfn) CV_REQUIRES(vm->lock)
{
	if (!has_place(vm, place)) {
		return CV_E_NOENT;
	}
	if (!ledger_is_ram(pfn_make(pfn))) {
		return CV_E_RANGE;
	}
	return seal_is_turn(vm, mode, place) ? mem_host_pin(pfn) : CV_E_STATE;
}

enum cv_status seal_enter(u64 handle, enum seal_mode mode, const struct seal_place *place, u64 pfn,
			  struct vm **vm)
{
	enum cv_status status;

	*vm = vm_lock(handle);
	if (*vm == NULL) {
		return CV_E_NOENT;
	}
	status = enter_locked(*vm, mode, place, pfn);
	if (status != CV_OK) {
		vm_unlock(*vm);
	}
	return status;
}

void seal_leave(struct vm *vm, u64 pfn)
{
	mem_host_unpin(pfn_make(pfn));
	vm_unlock(vm);
}

/* ---- a record ---- */

struct envelope {
	struct bound bound;
	u8 nonce[CRYPTO_NONCE_BYTES];
};

static bool has_content(const struct seal_place *place)
{
	return place->kind != SEAL_PAGE || (place->what & RV_SEAL_BACKED) != 0;
}

static struct crypto_record address(const struct seal *seal, const struct seal_place *place,
				    struct envelope *envelope)
{
	const u32 kind = place->kind;

	envelope->bound = (struct bound){
		.kind = kind,
		.at = place->at,
		.what = place->what,
		.number = seal->records,
		.bytes = has_content(place) ? PAGE_SIZE : 0,
	};
	memcpy(envelope->bound.epoch, seal->header.epoch, sizeof(envelope->bound.epoch));
	memcpy(envelope->nonce, &kind, sizeof(kind));
	memcpy(envelope->nonce + sizeof(kind), &seal->records, sizeof(seal->records));
	return (struct crypto_record){
		.key = seal->key,
		.nonce = envelope->nonce,
		.bound = &envelope->bound,
		.bound_bytes = sizeof(envelope->bound),
	};
}

void seal_count(struct seal *seal, const struct seal_place *place, const u64 tag[2])
{
	const u64 entry[] = { place->kind, place->at, place->what, tag[0], tag[1] };

	crypto_hash_add(&seal->set, entry, sizeof(entry));
	seal->pages += place->kind == SEAL_PAGE && has_content(place);
	seal->records++;
}

void seal_write(struct vm *vm, const struct seal_place *place, u64 pfn, u64 tag[2])
{
	struct envelope envelope;
	const struct crypto_record record = address(&vm->seal, place, &envelope);
	void *page = seal_scratch(vm);

	crypto_seal(&record, page, envelope.bound.bytes, (u8 *)tag);
	seal_count(&vm->seal, place, tag);
	if (has_content(place)) {
		mem_pinned_write(pfn_make(pfn), page, PAGE_SIZE);
	}
}

bool seal_open(const struct seal *seal, const struct seal_place *place, void *page,
	       const u64 tag[2])
{
	struct envelope envelope;
	const struct crypto_record record = address(seal, place, &envelope);

	return crypto_open(&record, page, envelope.bound.bytes, (const u8 *)tag);
}

void seal_end_make(const struct vm *vm, struct seal_end *end)
{
	*end = (struct seal_end){
		.pages = vm->seal.pages,
		.records = vm->seal.records,
		.vcpus = vm->vcpu_count,
	};
	memcpy(end->manifest, vm->seal.header.manifest, sizeof(end->manifest));
	crypto_hash_end(&vm->seal.set, end->set);
}
