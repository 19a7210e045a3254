/* SPDX-License-Identifier: BSD-3-Clause */
/* With the root secret: the records are those of docs/sealing.md, and what no host can forge,
 * forged, still goes no further than the VM. */
#include "seal_fixture.h"

#include <cv/seal_record.h>

struct bound {
	u64 kind, at, what, number, bytes;
	u8 epoch[32];
};

/* docs/sealing.md, written once more. */
static void address(const struct snapshot_record *record, u64 number, u8 key[32], u8 nonce[12],
		    struct bound *bound)
{
	bool has_content = record->kind != SNAPSHOT_PAGE || (record->what & RV_SEAL_BACKED) != 0;
	u32 kind = (u32)record->kind;

	*bound = (struct bound){
		record->kind, record->at, record->what, number, has_content ? PAGE_SIZE : 0, { 0 }
	};
	memcpy(bound->epoch, snap.header.epoch, 32);
	crypto_derive(root_secret, snap.header.epoch, &snap.header, sizeof(snap.header), key);
	memcpy(nonce, &kind, 4);
	memcpy(nonce + 4, &number, 8);
}

static bool open_record(struct snapshot_record *record, u64 number)
{
	struct bound bound;
	u8 key[32], nonce[12];

	address(record, number, key, nonce, &bound);
	return __real_crypto_open(&(struct crypto_record){ key, nonce, &bound, sizeof(bound) },
				  record->page, bound.bytes, (u8 *)record->tag);
}

static void seal_record(struct snapshot_record *record, u64 number)
{
	struct bound bound;
	u8 key[32], nonce[12];

	address(record, number, key, nonce, &bound);
	__real_crypto_seal(&(struct crypto_record){ key, nonce, &bound, sizeof(bound) },
			   record->page, bound.bytes, (u8 *)record->tag);
}

static void the_format_is_as_documented(void **state)
{
	struct crypto_hash set;
	u64 last[3];
	u8 digest[32];

	(void)state;
	crypto_hash_begin(&set);
	for (u32 i = 0; i + 1 < snap.count; i++) {
		const struct snapshot_record *record = &snap.record[i];
		const u64 entry[] = { record->kind, record->at, record->what, record->tag[0],
				      record->tag[1] };

		crypto_hash_add(&set, entry, sizeof(entry));
		assert_true(open_record(&snap.record[i], i));
	}
	crypto_hash_end(&set, digest);
	assert_true(open_record(&snap.record[snap.count - 1], snap.count - 1));
	memcpy(last, snap.record[snap.count - 1].page, sizeof(last));
	assert_int_equal(last[0], 4); /* pages */
	assert_int_equal(last[1], snap.count - 1);
	assert_int_equal(last[2], 3);
	assert_memory_equal(snap.record[snap.count - 1].page + 24, snap.header.manifest, 32);
	assert_memory_equal(snap.record[snap.count - 1].page + 56, digest, 32);
	/* A page's content is the page; a vCPU's begins with its registers. */
	for (u64 at = 0; at < PAGE_SIZE; at += 8) {
		u64 word;

		memcpy(&word, snap.record[first_of(SNAPSHOT_PAGE, R + 5)].page + at, 8);
		assert_int_equal(word, word_of(R + 5, at));
	}
	assert_memory_equal(snap.record[1].page, &vcpu_at(SOURCE, 1)->ctx, sizeof(struct context));
	for (u64 at = 2048; at < PAGE_SIZE; at++) {
		assert_int_equal(snap.record[1].page[at] | snap.record[snap.count - 1].page[at], 0);
	}
}

/* 2 MiB that the VM has as one block. */
static void a_block_is_saved_page_by_page(void **state)
{
	const u64 pfn = 0x40800000ull >> PAGE_SHIFT, gfn = R + 2048;
	u64 results[4], number = 3 + 6;

	(void)state;
	expect(RV_OK, RV_MEM_MAP, source, gfn, pfn, 512);
	assert_int_equal(s2_walk(&vm_at(SOURCE)->s2, gfn_make(gfn)).level, 2);
	for (u64 i = 0; i < 512; i++) {
		fake_poke(pfn + i, 8, word_of(gfn + i, 8));
	}
	expect(RV_OK, RV_SEAL_SAVE_BEGIN, source, PAGE(IO));
	snapshot_get(PAGE(IO), &snap.header, sizeof(snap.header));
	save_vcpus();
	for (u32 i = 0; i < 6; i++) {
		expect(RV_OK, RV_SEAL_SAVE_PAGE, source, PAGE(IO));
	}
	for (u64 i = 0; i < 512; i++) {
		struct snapshot_record record = {
			.kind = SNAPSHOT_PAGE,
			.at = gfn + i,
			.what = ONE_PAGE,
		};
		u64 word;

		assert_int_equal(CALL_FOR(results, RV_SEAL_SAVE_PAGE, source, PAGE(IO)), RV_OK);
		assert_int_equal(results[0], record.at);
		assert_int_equal(results[1], record.what);
		memcpy(record.tag, &results[2], sizeof(record.tag));
		snapshot_get(PAGE(IO), record.page, PAGE_SIZE);
		assert_true(open_record(&record, number + i));
		memcpy(&word, record.page + 8, sizeof(word));
		assert_int_equal(word, word_of(record.at, 8));
	}
}

/* ---- forged ---- */

static struct snapshot_record opened(u32 i)
{
	struct snapshot_record record = snap.record[i];

	assert_true(open_record(&record, i));
	return record;
}

static void refused_though_sealed(struct snapshot_record *forged, u32 i)
{
	seal_record(forged, i);
	refused(forged, i, RV_E_AUTH);
}

static void the_end_record_must_fit_what_was_loaded(void **state)
{
	const u32 i = snap.count - 1;

	(void)state;
	for (u32 byte = 0; byte < 88; byte += 8) {
		struct snapshot_record forged = opened(i);

		forged.page[byte] ^= 1;
		refused_though_sealed(&forged, i);
	}
}

static void a_forged_vcpu_gets_no_further_than_el1(void **state)
{
	static const u8 widths[] = { 0, 3, 16 };
	static const u64 bad[] = { 0x9 /* EL2h */, 0x8, 0xd, 0x13 /* AArch32 SVC */ };
	struct snapshot_record forged;

	(void)state;
	for (u32 i = 0; i < ARRAY_SIZE(bad); i++) {
		forged = opened(0);
		memcpy(forged.page + CONTEXT_PSTATE, &bad[i], 8);
		refused_though_sealed(&forged, 0);
		assert_int_not_equal(vcpu_at(TARGET, 0)->ctx.pstate, bad[i]);
	}
	forged = opened(0);
	forged.page[sizeof(struct context)] = VCPU_ON + 1;
	refused_though_sealed(&forged, 0);
	/* an access of no width, or of one that no instruction has */
	for (u32 i = 0; i < ARRAY_SIZE(widths); i++) {
		struct vcpu_pending pending = { .is_mmio = true, .bytes = widths[i] };

		forged = opened(0);
		memcpy(forged.page + offsetof(struct seal_vcpu, pending), &pending,
		       sizeof(pending));
		refused_though_sealed(&forged, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_format_is_as_documented),
		TEST(a_block_is_saved_page_by_page),
		TEST(the_end_record_must_fit_what_was_loaded),
		TEST(a_forged_vcpu_gets_no_further_than_el1),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
