/* SPDX-License-Identifier: BSD-3-Clause */
/* What a host can do to a snapshot: records that are missing, early, repeated, changed, moved or of
 * another snapshot, and headers that are not the VM's. Each is refused at once. */
#include "seal_fixture.h"

static void a_missing_record_is_noticed(void **state)
{
	(void)state;
	for (u32 i = 0; i + 1 < snap.count; i++) {
		/* At once, whatever comes instead. */
		bool is_turn = snap.record[i].kind != SNAPSHOT_VCPU;

		refused(&snap.record[i + 1], i, is_turn ? RV_E_AUTH : RV_E_STATE);
	}
}

static void an_early_end_is_noticed(void **state)
{
	(void)state;
	for (u32 i = 0; i + 1 < snap.count; i++) {
		refused(&snap.record[snap.count - 1], i, i < 3 ? RV_E_STATE : RV_E_AUTH);
	}
}

static void a_repeated_record_is_noticed(void **state)
{
	(void)state;
	for (u32 i = 1; i + 1 < snap.count; i++) {
		struct snapshot_record again = snap.record[i - 1];

		refused(&again, i, RV_E_STATE);
		if (again.kind == SNAPSHOT_PAGE && (again.what & RV_SEAL_BACKED) != 0) {
			/* At the next place, as a second page. */
			again.at++;
			refused(&again, i, RV_E_AUTH);
		}
	}
}

static void a_flipped_bit_is_noticed(void **state)
{
	(void)state;
	for (u32 i = 0; i < snap.count; i++) {
		struct snapshot_record bad = snap.record[i];
		bool has_content = bad.kind != SNAPSHOT_PAGE || (bad.what & RV_SEAL_BACKED) != 0;

		bad.tag[i % 2] ^= 1ull << (i * 7 % 64);
		refused(&bad, i, RV_E_AUTH);
		if (has_content) {
			bad = snap.record[i];
			bad.page[i * 401 % PAGE_SIZE] ^= 1;
			refused(&bad, i, RV_E_AUTH);
			bad = snap.record[i];
			bad.page[PAGE_SIZE - 1] ^= 0x80;
			refused(&bad, i, RV_E_AUTH);
		}
	}
}

static void a_record_says_where_it_belongs(void **state)
{
	u32 private = first_of(SNAPSHOT_PAGE, R + 5), shared = first_of(SNAPSHOT_PAGE, R + 600);
	u32 unbacked = first_of(SNAPSHOT_PAGE, R + 700),
	    destroyed = first_of(SNAPSHOT_PAGE, R + 1539);
	struct snapshot_record bad;

	(void)state;
	bad = snap.record[private]; /* at another gfn */
	bad.at++;
	refused(&bad, private, RV_E_AUTH);
	bad = snap.record[private]; /* the host would like to see it */
	bad.what |= RV_SEAL_SHARED;
	refused(&bad, private, RV_E_AUTH);
	bad = snap.record[private]; /* as if it were not backed */
	bad.what = RV_SEAL_SHARED | 1 << RV_SEAL_PAGES_SHIFT;
	refused(&bad, private, RV_E_AUTH);
	bad = snap.record[shared];
	bad.what &= ~RV_SEAL_SHARED;
	refused(&bad, shared, RV_E_AUTH);
	bad = snap.record[unbacked];
	bad.what ^= RV_SEAL_SHARED | RV_SEAL_DESTROYED;
	refused(&bad, unbacked, RV_E_AUTH);
	bad = snap.record[unbacked + 1]; /* fewer of them */
	bad.what = RV_SEAL_SHARED | 1 << RV_SEAL_PAGES_SHIFT;
	refused(&bad, unbacked + 1, RV_E_AUTH);
	bad = snap.record[destroyed];
	bad.what |= RV_SEAL_BACKED;
	refused(&bad, destroyed, RV_E_INVALID);
}

static void swapped_vcpus_are_noticed(void **state)
{
	struct snapshot_record bad = snap.record[0];

	(void)state;
	bad.at = snap.record[1].at;
	refused(&bad, 0, RV_E_STATE);
	bad = snap.record[1];
	bad.at = snap.record[0].at;
	refused(&bad, 0, RV_E_AUTH);
	bad.kind = SNAPSHOT_PAGE;
	bad.what = ONE_PAGE;
	bad.at = R;
	refused(&bad, 3, RV_E_AUTH);
}

/* Records of another snapshot of the same VM, and of another VM with the same owner. */
static void foreign_records_are_noticed(void **state)
{
	static struct snapshot others;
	u64 other = build(OTHER);

	(void)state;
	assert_int_equal(snapshot_save(&others, source, PAGE(IO)), RV_OK);
	for (u32 i = 0; i < others.count; i++) {
		refused(&others.record[i], i, RV_E_AUTH);
	}
	verify(other, IMAGE + 1);
	assert_int_equal(snapshot_save(&others, other, PAGE(IO)), RV_OK);
	for (u32 i = 0; i < 4; i++) {
		refused(&others.record[i], i, RV_E_AUTH);
	}
}

static void every_bit_of_the_header_counts(void **state)
{
	struct rv_seal_header header;

	(void)state;
	for (u64 bit = 0; bit < sizeof(header) * 8; bit += 3) {
		u64 byte = bit / 8;
		s64 expected = RV_E_INVALID, status;

		header = snap.header;
		((u8 *)&header)[byte] ^= (u8)(1u << bit % 8);
		if (byte >= offsetof(struct rv_seal_header, owner) &&
		    byte < offsetof(struct rv_seal_header, manifest)) {
			expected = RV_E_PERM;
		} else if (byte >= offsetof(struct rv_seal_header, manifest) &&
			   byte < offsetof(struct rv_seal_header, ram_count)) {
			expected = RV_OK; /* what it was is not known: the key is another one */
		}
		status = begin_with(&header);
		assert_int_equal(status, expected);
		if (status == RV_OK) {
			assert_int_equal(step(0), RV_E_AUTH);
			new_target();
		}
	}
	must_load();
}

static void another_owner_or_shape_is_refused(void **state)
{
	(void)state;
	end_vm(target);
	target = build_with(TARGET, &stranger, R_PAGES, ARRAY_SIZE(indices));
	assert_int_equal(begin_with(&snap.header), RV_E_PERM);
	end_vm(target);
	target = build_with(TARGET, &owner, R_PAGES - 1, ARRAY_SIZE(indices));
	assert_int_equal(begin_with(&snap.header), RV_E_INVALID);
	end_vm(target);
	target = build_with(TARGET, &owner, R_PAGES, 2);
	assert_int_equal(begin_with(&snap.header), RV_E_INVALID);
}

static void another_root_secret_opens_nothing(void **state)
{
	(void)state;
	root_secret[31] ^= 1;
	seal_init(root_secret);
	assert_int_equal(load_all(), RV_E_AUTH);
	new_target();
	seal_forget();
	seal_init(NULL); /* random */
	assert_int_equal(load_all(), RV_E_AUTH);
	new_target();
	root_secret[31] ^= 1;
	seal_init(root_secret);
	must_load();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_missing_record_is_noticed),	 TEST(an_early_end_is_noticed),
		TEST(a_repeated_record_is_noticed),	 TEST(a_flipped_bit_is_noticed),
		TEST(a_record_says_where_it_belongs),	 TEST(swapped_vcpus_are_noticed),
		TEST(foreign_records_are_noticed),	 TEST(every_bit_of_the_header_counts),
		TEST(another_owner_or_shape_is_refused), TEST(another_root_secret_opens_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
