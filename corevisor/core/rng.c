/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Random numbers. BearSSL as packaged computes SHA-256 in vector registers, so every call is
 * bracketed: arch_fp_begin() saves what the world below has in them, arch_fp_end() wipes and
 * restores. Nothing else at EL2 touches them.
 */
#include <cv/rng.h>

#include <bearssl.h>
#include <cv/arch.h>
#include <cv/arch_host.h>
#include <cv/check.h>
#include <cv/lock.h>
#include <string.h>

#define HARDWARE_WORDS 6 /* 384 bits at boot */
#define BYTES_MAX 256

static struct {
	struct lock lock;
	bool is_ready;
	br_hmac_drbg_context drbg;
} rng = { .lock = LOCK_INIT(LOCK_RANK_RNG) };

/* RNDR may fail now and then; a source that keeps failing is none. */
static bool hardware_word(u64 *word)
{
	for (u32 tries = 0; tries < 10; tries++) {
		if (arch_random(word)) {
			return true;
		}
	}
	return false;
}

static u32 hardware_words(u64 *words, u32 count)
{
	u32 got = 0;

	while (got < count && hardware_word(&words[got])) {
		got++;
	}
	return got;
}

void rng_init(const u8 *seed, u64 seed_bytes)
{
	u64 words[HARDWARE_WORDS];
	u32 got = hardware_words(words, HARDWARE_WORDS);

	arch_fp_begin();
	br_hmac_drbg_init(&rng.drbg, &br_sha256_vtable, words, got * sizeof(u64));
	br_hmac_drbg_update(&rng.drbg, seed, seed_bytes);
	arch_fp_end();
	rng.is_ready = got == HARDWARE_WORDS || seed_bytes >= RNG_SEED_BYTES_MIN;
	memset(words, 0, sizeof(words));
}

bool rng_is_ready(void)
{
	return rng.is_ready;
}

void rng_forget(void)
{
	rng.is_ready = false;
	memset(&rng.drbg, 0, sizeof(rng.drbg));
	arch_clean_range(&rng, sizeof(rng));
}

bool rng_bytes(void *out, u64 bytes)
{
	u64 fresh[HARDWARE_WORDS];
	u32 got;

	CV_CHECK(bytes <= BYTES_MAX);
	if (!rng.is_ready) {
		memset(out, 0, bytes);
		return false;
	}
	got = hardware_words(fresh, HARDWARE_WORDS);
	lock_acquire(&rng.lock);
	arch_fp_begin();
	if (got > 0) {
		br_hmac_drbg_update(&rng.drbg, fresh, got * sizeof(u64));
	}
	br_hmac_drbg_generate(&rng.drbg, out, bytes);
	arch_fp_end();
	lock_release(&rng.lock);
	memset(fresh, 0, sizeof(fresh));
	return true;
}
