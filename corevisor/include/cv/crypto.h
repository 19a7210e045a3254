/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The cryptography of images and snapshots, by BearSSL. Every call is bracketed: the library as
 * packaged uses vector registers, which belong to whoever runs below us. All of it is constant-time
 * in secrets.
 */
#ifndef CV_CRYPTO_H
#define CV_CRYPTO_H

#include <cv/types.h>

#define CRYPTO_HASH_BYTES 32 /* SHA-256 */
#define CRYPTO_KEY_BYTES 32
#define CRYPTO_NONCE_BYTES 12
#define CRYPTO_TAG_BYTES 16

/* A SHA-256 under way; BearSSL's own state, whose size the core need not know exactly. */
struct crypto_hash {
	_Alignas(8) u8 state[120];
};

void crypto_hash_begin(struct crypto_hash *hash);
void crypto_hash_add(struct crypto_hash *hash, const void *data, u64 bytes);
void crypto_hash_end(const struct crypto_hash *hash, u8 out[CRYPTO_HASH_BYTES]);

/*
 * ECDSA over `message`. curve: enum rv_curve, which names the hash as well; key: x, y and
 * signature: r, s, each number curve / 8 bytes, big endian (FIPS 186-4 6.4; RFC 6979's encodings).
 * False also for an unknown curve or a point that is not on it.
 */
bool crypto_verify(u32 curve, const u8 *key, const u8 *signature, const void *message, u64 bytes);
/* SHA-256 of the SEC1 uncompressed point 0x04, x, y. Pre: curve is one of enum rv_curve. */
void crypto_key_hash(u32 curve, const u8 *key, u8 out[CRYPTO_HASH_BYTES]);

/* HKDF-SHA-256 (RFC 5869). */
void crypto_derive(const u8 secret[CRYPTO_KEY_BYTES], const u8 salt[CRYPTO_HASH_BYTES],
		   const void *info, u64 info_bytes, u8 key[CRYPTO_KEY_BYTES]);

/* What one record of a snapshot is sealed with: ChaCha20-Poly1305 (RFC 8439). A nonce is used once
 * with a key. */
struct crypto_record {
	const u8 *key;	   /* CRYPTO_KEY_BYTES */
	const u8 *nonce;   /* CRYPTO_NONCE_BYTES */
	const void *bound; /* authenticated, not encrypted */
	u64 bound_bytes;
};
/* Encrypts in place. */
void crypto_seal(const struct crypto_record *record, void *data, u64 bytes,
		 u8 tag[CRYPTO_TAG_BYTES]);
/* Decrypts in place; false, and the data zeroed, if anything is not as it was sealed. */
bool crypto_open(const struct crypto_record *record, void *data, u64 bytes,
		 const u8 tag[CRYPTO_TAG_BYTES]);

bool crypto_equal(const u8 *a, const u8 *b, u64 bytes);

#endif
