/* SPDX-License-Identifier: BSD-3-Clause */
/* Owners' keys: ECDSA on P-256 or P-384, in the files that everybody uses (PEM of PKCS#8 and SPKI).
 */
#ifndef RAVELIN_TOOL_KEY_H
#define RAVELIN_TOOL_KEY_H

#include "ravelin.h"

#include <ravelin/abi.h>

#define KEY_NUMBER_MAX 48 /* bytes of a number of P-384 */
#define KEY_HASH_BYTES 32

struct key {
	enum rv_curve curve;
	uint8_t private[KEY_NUMBER_MAX];    /* curve / 8 bytes, big endian */
	uint8_t public[2 * KEY_NUMBER_MAX]; /* x, y: likewise; then 0 */
};

/* "p256" or "P-256" and so on. */
bool key_parse_curve(const char *text, enum rv_curve *curve);
const char *key_curve_name(uint32_t curve);

/* A new one, from the system's random numbers. */
bool key_generate(enum rv_curve curve, struct key *key);
/* What a caller must do with a private key when it is done. */
void key_forget(struct key *key);

/* Mode 0600; replaces an old file only if told to. */
bool key_write_private(const char *path, const struct key *key, bool may_replace);
bool key_write_public(const char *path, const struct key *key);
/* PKCS#8 ("PRIVATE KEY") or RFC 5915 ("EC PRIVATE KEY"), unencrypted. */
bool key_read_private(const char *path, struct key *key);
/* SPKI ("PUBLIC KEY"); the private half stays 0. */
bool key_read_public(const char *path, struct key *key);

/* SHA-256 of the public key's SEC1 uncompressed point: by it a VM knows its owner. */
void key_hash(const struct key *key, uint8_t hash[KEY_HASH_BYTES]);
/*
 * r, s: curve / 8 bytes each; the same message gets the same signature (RFC 6979). False, without a
 * word, if the key is not one.
 */
bool key_sign(const struct key *key, const void *message, size_t bytes,
	      uint8_t signature[2 * KEY_NUMBER_MAX]);

#endif
