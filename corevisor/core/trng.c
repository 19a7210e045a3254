/* SPDX-License-Identifier: BSD-3-Clause */
/* TRNG calls out of the corevisor's generator. Without an entropy source they are NOT_SUPPORTED. */
#include <cv/trng.h>

#include <cv/psci.h>
#include <cv/rng.h>
#include <string.h>

/* Most bits of one call: three registers. */
#define RND_64_BITS_MAX 192
#define RND_32_BITS_MAX 96
/* Names this implementation: f3a5c9e2-6d0b-4a57-9c41-5261766c6e01 as four little-endian words. */
static const u32 uuid[4] = { 0xe2c9a5f3u, 0x574a0b6du, 0x6152419cu, 0x016e6c76u };

static bool is_call(u32 fn)
{
	return (fn >= TRNG_VERSION && fn <= TRNG_RND_32) || fn == TRNG_RND_64;
}

static void get_uuid(u64 *x)
{
	for (u32 i = 0; i < ARRAY_SIZE(uuid); i++) {
		x[i] = uuid[i];
	}
}

/* x1 = how many bits; they come right-aligned, the lowest in x3 (DEN0098 2.5). */
static s64 get_random(u64 *x, u32 register_bits, u64 bits_max)
{
	u64 bits = register_bits == 64 ? x[1] : (u32)x[1];
	u64 random[3];

	if (bits == 0 || bits > bits_max) {
		return TRNG_INVALID_PARAMETERS;
	}
	if (!rng_bytes(random, sizeof(random))) {
		return TRNG_NO_ENTROPY;
	}
	for (u32 i = 0; i < 3; i++) {
		u64 first = (u64)i * register_bits; /* number of the lowest bit of this register */
		u64 wanted = bits > first ? min_u64(bits - first, register_bits) : 0;

		x[3 - i] = wanted == 0 ? 0 : random[i] >> (64 - wanted);
	}
	memset(random, 0, sizeof(random));
	return TRNG_SUCCESS;
}

bool trng_call(u64 *x)
{
	u32 fn = (u32)x[0];
	u32 asked = (u32)x[1];

	if (!is_call(fn)) {
		return false;
	}
	if (!rng_is_ready()) {
		x[0] = (u64)(s64)TRNG_NOT_SUPPORTED;
	} else if (fn == TRNG_VERSION) {
		x[0] = TRNG_VERSION_1_0;
	} else if (fn == TRNG_FEATURES) {
		x[0] = is_call(asked) ? TRNG_SUCCESS : (u64)(s64)TRNG_NOT_SUPPORTED;
	} else if (fn == TRNG_GET_UUID) {
		get_uuid(x);
	} else if (fn == TRNG_RND_64) {
		x[0] = (u64)get_random(x, 64, RND_64_BITS_MAX);
	} else {
		x[0] = (u64)get_random(x, 32, RND_32_BITS_MAX);
	}
	return true;
}
