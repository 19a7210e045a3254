/* SPDX-License-Identifier: BSD-3-Clause */
/* BearSSL behind the bracket that keeps its vector registers from the world below. */
#include <cv/crypto.h>

#include <bearssl.h>
#include <string.h>

#include <cv/arch_host.h>
#include <cv/check.h>
#include <ravelin/abi.h>

#define POINT_BYTES_MAX 97 /* 0x04, x, y of P-384 */
#define DIGEST_BYTES_MAX 48

_Static_assert(sizeof(br_sha256_context) <= sizeof(struct crypto_hash), "it holds BearSSL's state");
_Static_assert(_Alignof(br_sha256_context) <= _Alignof(struct crypto_hash), "likewise");

void crypto_hash_begin(struct crypto_hash *hash)
{
	arch_fp_begin();
	br_sha256_init((br_sha256_context *)hash->state);
	arch_fp_end();
}

void crypto_hash_add(struct crypto_hash *hash, const void *data, u64 bytes)
{
	arch_fp_begin();
	br_sha256_update((br_sha256_context *)hash->state, data, bytes);
	arch_fp_end();
}

void crypto_hash_end(const struct crypto_hash *hash, u8 out[CRYPTO_HASH_BYTES])
{
	arch_fp_begin();
	br_sha256_out((const br_sha256_context *)hash->state, out);
	arch_fp_end();
}

static u64 number_bytes(u32 curve)
{
	CV_CHECK(curve == RV_CURVE_P256 || curve == RV_CURVE_P384);
	return curve / 8;
}

/* SEC1's uncompressed point. Returns its length. */
static u64 point_make(u32 curve, const u8 *key, u8 point[POINT_BYTES_MAX])
{
	u64 bytes = 2 * number_bytes(curve);

	point[0] = 0x04;
	memcpy(point + 1, key, bytes);
	return bytes + 1;
}

static u64 digest(u32 curve, const void *message, u64 bytes, u8 out[DIGEST_BYTES_MAX])
{
	br_sha256_context sha256;
	br_sha384_context sha384;

	if (curve == RV_CURVE_P256) {
		br_sha256_init(&sha256);
		br_sha256_update(&sha256, message, bytes);
		br_sha256_out(&sha256, out);
		return br_sha256_SIZE;
	}
	br_sha384_init(&sha384);
	br_sha384_update(&sha384, message, bytes);
	br_sha384_out(&sha384, out);
	return br_sha384_SIZE;
}

bool crypto_verify(u32 curve, const u8 *key, const u8 *signature, const void *message, u64 bytes)
{
	u8 point[POINT_BYTES_MAX];
	u8 hash[DIGEST_BYTES_MAX];
	br_ec_public_key public_key = { .q = point };
	u64 hash_bytes;
	bool is_good;

	if (curve != RV_CURVE_P256 && curve != RV_CURVE_P384) {
		return false;
	}
	public_key.curve = curve == RV_CURVE_P256 ? BR_EC_secp256r1 : BR_EC_secp384r1;
	public_key.qlen = point_make(curve, key, point);
	arch_fp_begin();
	hash_bytes = digest(curve, message, bytes, hash);
	is_good = br_ecdsa_i31_vrfy_raw(&br_ec_prime_i31, hash, hash_bytes, &public_key, signature,
					2 * number_bytes(curve)) == 1;
	arch_fp_end();
	return is_good;
}

void crypto_key_hash(u32 curve, const u8 *key, u8 out[CRYPTO_HASH_BYTES])
{
	u8 point[POINT_BYTES_MAX];
	u64 bytes = point_make(curve, key, point);
	struct crypto_hash hash;

	crypto_hash_begin(&hash);
	crypto_hash_add(&hash, point, bytes);
	crypto_hash_end(&hash, out);
}

void crypto_derive(const u8 secret[CRYPTO_KEY_BYTES], const u8 salt[CRYPTO_HASH_BYTES],
		   const void *info, u64 info_bytes, u8 key[CRYPTO_KEY_BYTES])
{
	br_hkdf_context hkdf;

	arch_fp_begin();
	br_hkdf_init(&hkdf, &br_sha256_vtable, salt, CRYPTO_HASH_BYTES);
	br_hkdf_inject(&hkdf, secret, CRYPTO_KEY_BYTES);
	br_hkdf_flip(&hkdf);
	br_hkdf_produce(&hkdf, info, info_bytes, key, CRYPTO_KEY_BYTES);
	arch_fp_end();
	memset(&hkdf, 0, sizeof(hkdf));
}

static void record_run(const struct crypto_record *record, void *data, u64 bytes, u8 *tag,
		       bool is_sealing)
{
	arch_fp_begin();
	br_poly1305_ctmul_run(record->key, record->nonce, data, bytes, record->bound,
			      record->bound_bytes, tag, br_chacha20_ct_run, is_sealing);
	arch_fp_end();
}

void crypto_seal(const struct crypto_record *record, void *data, u64 bytes,
		 u8 tag[CRYPTO_TAG_BYTES])
{
	record_run(record, data, bytes, tag, true);
}

bool crypto_open(const struct crypto_record *record, void *data, u64 bytes,
		 const u8 tag[CRYPTO_TAG_BYTES])
{
	u8 expected[CRYPTO_TAG_BYTES];

	record_run(record, data, bytes, expected, false);
	if (!crypto_equal(expected, tag, sizeof(expected))) {
		memset(data, 0, bytes);
		return false;
	}
	return true;
}

bool crypto_equal(const u8 *a, const u8 *b, u64 bytes)
{
	u8 differs = 0;

	for (u64 i = 0; i < bytes; i++) {
		differs |= a[i] ^ b[i];
	}
	return differs == 0;
}
