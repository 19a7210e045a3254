/* SPDX-License-Identifier: BSD-3-Clause */
#include "seal_fixture.h"

#include <cv/exception.h>
#include <cv/host_psci.h>
#include <cv/info.h>

#define USES_MAX 4096

const u32 indices[VCPUS] = { 0, 2, 5 };
u8 root_secret[32];
struct owner owner, stranger;
u64 source, target;
struct snapshot snap;
void (*before_open)(void);

/* ---- what the core asks of files that are not here ---- */

bool host_psci_is_stopping(void)
{
	return false;
}

void info_publish(void)
{
}

void info_refusal(u64 id, s64 status, u64 first)
{
	(void)id, (void)status, (void)first;
}

/* ---- every encryption and decryption ---- */

static struct {
	u8 key[CRYPTO_KEY_BYTES];
	u8 nonce[CRYPTO_NONCE_BYTES];
} uses[USES_MAX];
static u32 use_count;
static u64 watched; /* the host's page that the ciphertext goes to; 0: not watched */

void __wrap_crypto_seal(const struct crypto_record *record, void *data, u64 bytes, u8 *tag);
bool __wrap_crypto_open(const struct crypto_record *record, void *data, u64 bytes, const u8 *tag);

static void check_nonce(const struct crypto_record *record)
{
	for (u32 i = 0; i < use_count; i++) {
		if (memcmp(uses[i].key, record->key, CRYPTO_KEY_BYTES) == 0 &&
		    memcmp(uses[i].nonce, record->nonce, CRYPTO_NONCE_BYTES) == 0) {
			fake_fail("a nonce is used twice with one key");
		}
	}
	assert_true(use_count < USES_MAX);
	memcpy(uses[use_count].key, record->key, CRYPTO_KEY_BYTES);
	memcpy(uses[use_count++].nonce, record->nonce, CRYPTO_NONCE_BYTES);
}

void __wrap_crypto_seal(const struct crypto_record *record, void *data, u64 bytes, u8 *tag)
{
	static u8 plain[PAGE_SIZE];
	u64 token = watched != 0 ? fake_page_token(watched) : 0;

	assert_true(bytes <= PAGE_SIZE);
	check_nonce(record);
	memcpy(plain, data, bytes);
	__real_crypto_seal(record, data, bytes, tag);
	for (u64 i = 0; i < bytes; i += 16) {
		assert_memory_not_equal(plain + i, (u8 *)data + i, 16);
	}
	/* Nothing reached the host's page yet: neither plaintext nor a half-done record. */
	assert_true(watched == 0 || fake_page_token(watched) == token);
}

bool __wrap_crypto_open(const struct crypto_record *record, void *data, u64 bytes, const u8 *tag)
{
	if (before_open != NULL) {
		before_open();
	}
	return __real_crypto_open(record, data, bytes, tag);
}

/* ---- VMs ---- */

u64 vcpu_page(u64 base, u32 i)
{
	return PAGE(base + 40 + 2 * i);
}

struct vcpu *vcpu_at(u64 base, u32 i)
{
	return arch_core_va(pfn_pa(pfn_make(vcpu_page(base, i))));
}

struct vm *vm_at(u64 base)
{
	return arch_core_va(pfn_pa(pfn_make(PAGE(base))));
}

u64 build_with(u64 base, const struct owner *of, u64 ram_pages, u32 vcpus)
{
	const u64 *key = of->words;
	u64 results[4], vm;

	assert_int_equal(CALL_FOR(results, RV_VM_CREATE, PAGE(base), PAGE(base + 2),
				  RV_VM_PROTECTED, key[0], key[1], key[2], key[3]),
			 RV_OK);
	vm = results[0];
	for (u32 i = 0; i < TABLES; i++) {
		expect(RV_OK, RV_VM_TOPUP, vm, PAGE(base + 4) + i);
	}
	expect(RV_OK, RV_VM_ADD_RAM, vm, S, S_PAGES);
	expect(RV_OK, RV_VM_ADD_RAM, vm, R, ram_pages);
	for (u32 i = 0; i < vcpus; i++) {
		u64 page = vcpu_page(base, i);

		expect(RV_OK, RV_VCPU_CREATE, vm, indices[i], page, page + 1);
	}
	fake_attach(vm & 0xff, pfn_pa(pfn_make(PAGE(base + 2))));
	return vm;
}

u64 build(u64 base)
{
	return build_with(base, &owner, R_PAGES, ARRAY_SIZE(indices));
}

void verify(u64 vm, u64 page)
{
	static u8 image[PAGE_SIZE] = { 'i', 'm', 'a', 'g', 'e' };
	static struct rv_launch launch;
	u64 gpa = R << PAGE_SHIFT;

	owner_sign(&owner, &(struct owner_policy){ .entry = gpa, .may_be_saved = true },
		   &(struct owner_image){ gpa, PAGE_SIZE, image }, 1, &launch);
	snapshot_put(PAGE(LAUNCH), &launch, sizeof(launch));
	snapshot_put(PAGE(page), image, sizeof(image));
	expect(RV_OK, RV_IMAGE_ADD, vm, gpa, PAGE_SIZE);
	expect(RV_OK, RV_IMAGE_MAP, vm, 0, PAGE(page), 1);
	expect(RV_OK, RV_VM_VERIFY, vm, PAGE(LAUNCH));
}

s64 run(u64 vm, u64 index)
{
	return CALL(RV_VCPU_RUN, vm, index);
}

void wish(u64 vm, u64 gfn, u64 pages, enum s2_wish to) CV_NO_LOCK_ANALYSIS
{
	struct vm *record = vm_lock(vm);
	gfn_t at = gfn_make(gfn);

	assert_int_equal(mem_vm_set_wish(record, &at, gfn_make(gfn + pages), to, true), CV_OK);
	assert_int_equal(at.v, gfn + pages);
	vm_unlock(record);
}

u64 word_of(u64 gfn, u64 offset)
{
	return (gfn * 0x9e3779b97f4a7c15ull) ^ offset;
}

/* The guest fills a page of its own. */
static void back(u64 vm, u64 gfn, u64 page)
{
	expect(RV_OK, RV_MEM_MAP, vm, gfn, PAGE(page), 1);
	for (u64 at = 0; at < PAGE_SIZE; at += 8) {
		assert_true(fake_write(0, vm & 0xff, (gfn << PAGE_SHIFT) + at, word_of(gfn, at),
				       FAKE_CACHED));
	}
}

static void scramble(struct context *ctx, u64 seed)
{
	u64 *words = (u64 *)ctx;

	for (u64 i = 0; i < sizeof(*ctx) / 8; i++) {
		words[i] = word_of(seed, i);
	}
	ctx->pc &= ~3ull;
	ctx->pstate = PSTATE_EL1H;
}

/* What each kind of record is made of: see wishes_of_a_guest(). */
static void live(u64 vm)
{
	verify(vm, IMAGE);
	expect(RV_OK, RV_VCPU_BOOT, vm, 0, R << PAGE_SHIFT, 0);
	assert_int_equal(run(vm, 0), RV_OK);
	back(vm, R + 5, SPARE);
	wish(vm, R + 600, 1, S2_WISH_SHARED);
	back(vm, R + 600, SPARE + 1);
	wish(vm, R + 700, 1, S2_WISH_SHARED);
	wish(vm, R + 1024, 512, S2_WISH_SHARED);
	wish(vm, R + 1539, 1, S2_WISH_DESTROYED);
	back(vm, S + S_PAGES - 1, SPARE + 2);
	for (u32 i = 0; i < 3; i++) {
		struct vcpu *vcpu = vcpu_at(SOURCE, i);

		scramble(&vcpu->ctx, i + 1);
		vcpu->timer = (struct vtimer_state){ 1, 5000 + i, 1, 6000 + i };
		vcpu->vgic.vmcr = ODD + i;
		vcpu->vgic.ap0r[3] = ODD - i;
		vcpu->vgic.ap1r[0] = 7 + i;
	}
	vcpu_at(SOURCE, 1)->power = VCPU_ON_PENDING;
	vcpu_at(SOURCE, 1)->entry_pc = (R + 5) << PAGE_SHIFT;
	vcpu_at(SOURCE, 1)->entry_x0 = 99;
}

static void boot(void)
{
	fake_boot(&fake_small_machine);
	fake_vcpu_reset();
	fake_counter_set(1000000);
	for (u32 i = 0; i < sizeof(root_secret); i++) {
		root_secret[i] = (u8)(i * 5 + 1);
	}
	seal_init(root_secret);
	watched = 0;
	before_open = NULL;
}

/* A VM that has lived, its snapshot, and a VM to load it into. */
int set_up(void **state)
{
	(void)state;
	boot();
	owner_make(&owner, RV_CURVE_P256, 1);
	owner_make(&stranger, RV_CURVE_P256, 2);
	source = build(SOURCE);
	live(source);
	fake_counter_set(3000000);
	watched = PAGE(IO);
	assert_int_equal(snapshot_save(&snap, source, PAGE(IO)), RV_OK);
	fake_counter_set(9000000);
	target = build(TARGET);
	fake_check_tlbs();
	return 0;
}

int tear_down(void **state)
{
	(void)state;
	fake_check_tlbs();
	fake_halt();
	return 0;
}

void end_vm(u64 vm)
{
	u64 results[4] = { 0 };

	CALL(RV_VM_KILL, vm);
	for (u64 gfn = R; gfn < S + S_PAGES; gfn = results[0]) {
		assert_int_equal(CALL_FOR(results, RV_MEM_RECLAIM, vm, gfn, S + S_PAGES - gfn),
				 RV_OK);
	}
	do {
		assert_int_equal(CALL_FOR(results, RV_VM_DESTROY, vm), RV_OK);
	} while (results[0] > 0);
	fake_attach(vm & 0xff, pa_make(0));
}

void new_target(void)
{
	end_vm(target);
	target = build(TARGET);
}

/* ---- snapshots ---- */

void save_vcpus(void)
{
	for (u32 i = 0; i < VCPUS; i++) {
		expect(RV_OK, RV_SEAL_SAVE_VCPU, source, indices[i], PAGE(IO));
	}
}

s64 load_all(void)
{
	s64 status = snapshot_load_begin(&snap, target, PAGE(IO));

	return status != RV_OK ? status
			       : snapshot_load_records(&snap, 0, snap.count, target, PAGE(IO),
						       PAGE(LOADED));
}

void must_load(void)
{
	assert_int_equal(load_all(), RV_OK);
}

s64 begin_with(const struct rv_seal_header *header)
{
	snapshot_put(PAGE(IO), header, sizeof(*header));
	return CALL(RV_SEAL_LOAD_BEGIN, target, PAGE(IO));
}

u32 first_of(u64 kind, u64 at)
{
	u32 i = 0;

	while (snap.record[i].kind != kind || snap.record[i].at != at) {
		assert_true(++i < snap.count);
	}
	return i;
}

s64 step(u32 i)
{
	return snapshot_load_records(&snap, i, i + 1, target, PAGE(IO), PAGE(LOADED));
}

void steps(u32 count)
{
	assert_int_equal(snapshot_load_begin(&snap, target, PAGE(IO)), RV_OK);
	assert_int_equal(snapshot_load_records(&snap, 0, count, target, PAGE(IO), PAGE(LOADED)),
			 RV_OK);
}

void goes_on_with(u32 i)
{
	assert_int_equal(run(target, 0), RV_E_STATE);
	assert_int_equal(vm_at(TARGET)->state, VM_READY);
	assert_int_equal(vm_at(TARGET)->seal.records, i);
	assert_int_equal(
		snapshot_load_records(&snap, i, snap.count, target, PAGE(IO), PAGE(LOADED)), RV_OK);
	assert_int_equal(run(target, 0), RV_OK);
	new_target();
}

void refused(const struct snapshot_record *record, u32 i, s64 status)
{
	bool is_page = record->kind == SNAPSHOT_PAGE && (record->what & RV_SEAL_BACKED) != 0;

	steps(i);
	assert_int_equal(snapshot_load_record(record, target, PAGE(LOADED_2)), status);
	assert_true(ledger_is(pfn_make(PAGE(LOADED_2)), OWNER_HOST, PAGE_EXCLUSIVE));
	if (is_page && status == RV_E_AUTH) {
		assert_true(fake_page_is_zero(PAGE(LOADED_2)));
	}
	goes_on_with(i);
}
