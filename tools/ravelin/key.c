/* SPDX-License-Identifier: BSD-3-Clause */
#include "key.h"

#include "file.h"

#include <bearssl.h>
#include <cv/crypto.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#define PEM_BYTES_MAX 2048 /* a key of P-384 needs 500; room for comments around it */
#define DER_BYTES_MAX 256
#define SEED_BYTES 48

/*
 * SubjectPublicKeyInfo (RFC 5480) of a curve up to the point: nothing in it varies. BearSSL has no
 * encoder for it.
 */
static const uint8_t spki_p256[] = { 0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48,
				     0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48,
				     0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00, 0x04 };
static const uint8_t spki_p384[] = { 0x30, 0x76, 0x30, 0x10, 0x06, 0x07, 0x2a, 0x86,
				     0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x05, 0x2b,
				     0x81, 0x04, 0x00, 0x22, 0x03, 0x62, 0x00, 0x04 };

static const struct curve {
	enum rv_curve curve;
	int bearssl;
	const char *name, *option;
	const uint8_t *spki;
	size_t spki_bytes;
} curves[] = {
	{ RV_CURVE_P256, BR_EC_secp256r1, "P-256", "p256", spki_p256, sizeof(spki_p256) },
	{ RV_CURVE_P384, BR_EC_secp384r1, "P-384", "p384", spki_p384, sizeof(spki_p384) },
};
#define CURVES (sizeof(curves) / sizeof(curves[0]))

static const struct curve *curve_of(uint32_t curve)
{
	size_t i;

	for (i = 0; i < CURVES; i++) {
		if (curves[i].curve == curve) {
			return &curves[i];
		}
	}
	return NULL;
}

bool key_parse_curve(const char *text, enum rv_curve *curve)
{
	size_t i;

	for (i = 0; i < CURVES; i++) {
		if (strcmp(text, curves[i].name) == 0 || strcmp(text, curves[i].option) == 0) {
			*curve = curves[i].curve;
			return true;
		}
	}
	return fail("'%s' is not a curve: p256 or p384", text);
}

const char *key_curve_name(uint32_t curve)
{
	const struct curve *found = curve_of(curve);

	return found ? found->name : "unknown curve";
}

static size_t number_bytes(const struct key *key)
{
	return (size_t)key->curve / 8;
}

static br_ec_private_key private_of(const struct key *key)
{
	return (br_ec_private_key){ .curve = curve_of(key->curve)->bearssl,
				    .x = (uint8_t *)key->private,
				    .xlen = number_bytes(key) };
}

/* Pre: key->private. False if no public key belongs to it. */
static bool compute_public(struct key *key)
{
	br_ec_private_key secret = private_of(key);
	uint8_t point[BR_EC_KBUF_PUB_MAX_SIZE];
	uint8_t signature[2 * KEY_NUMBER_MAX];

	if (br_ec_compute_pub(&br_ec_prime_i31, NULL, point, &secret) !=
	    1 + 2 * number_bytes(key)) {
		return false;
	}
	memcpy(key->public, point + 1, 2 * number_bytes(key));
	/* A private number out of range is not noticed otherwise. */
	return key_sign(key, "", 0, signature) &&
	       crypto_verify(key->curve, key->public, signature, "", 0);
}

bool key_generate(enum rv_curve curve, struct key *key)
{
	br_hmac_drbg_context random;
	uint8_t seed[SEED_BYTES];
	bool is_good;

	*key = (struct key){ .curve = curve };
	if (getrandom(seed, sizeof(seed), 0) != sizeof(seed)) {
		return fail("the system has no random numbers: %s", strerror(errno));
	}
	br_hmac_drbg_init(&random, &br_sha384_vtable, seed, sizeof(seed));
	is_good = br_ec_keygen(&random.vtable, &br_ec_prime_i31, NULL, key->private,
			       curve_of(curve)->bearssl) == number_bytes(key) &&
		  compute_public(key);
	explicit_bzero(seed, sizeof(seed));
	explicit_bzero(&random, sizeof(random));
	return is_good || fail("cannot generate a key");
}

void key_forget(struct key *key)
{
	explicit_bzero(key, sizeof(*key));
}

void key_hash(const struct key *key, uint8_t hash[KEY_HASH_BYTES])
{
	crypto_key_hash(key->curve, key->public, hash);
}

bool key_sign(const struct key *key, const void *message, size_t bytes,
	      uint8_t signature[2 * KEY_NUMBER_MAX])
{
	const br_hash_class *hash =
		key->curve == RV_CURVE_P256 ? &br_sha256_vtable : &br_sha384_vtable;
	br_ec_private_key secret = private_of(key);
	br_hash_compat_context context;
	uint8_t digest[64];

	hash->init(&context.vtable);
	hash->update(&context.vtable, message, bytes);
	hash->out(&context.vtable, digest);
	return br_ecdsa_i31_sign_raw(&br_ec_prime_i31, hash, digest, &secret, signature) ==
	       2 * number_bytes(key);
}

/* ---- files ---- */

bool key_write_private(const char *path, const struct key *key, bool may_replace)
{
	br_ec_private_key secret = private_of(key);
	uint8_t point[1 + 2 * KEY_NUMBER_MAX] = { 0x04 };
	br_ec_public_key public = { .curve = secret.curve,
				    .q = point,
				    .qlen = 1 + 2 * number_bytes(key) };
	uint8_t der[DER_BYTES_MAX];
	char pem[PEM_BYTES_MAX];
	size_t bytes;
	bool ok;

	memcpy(point + 1, key->public, 2 * number_bytes(key));
	bytes = br_encode_ec_pkcs8_der(der, &secret, &public);
	bytes = br_pem_encode(pem, der, bytes, BR_ENCODE_PEM_PKCS8, BR_PEM_LINE64);
	ok = file_write_secret(path, pem, bytes, may_replace);
	explicit_bzero(der, sizeof(der));
	explicit_bzero(pem, sizeof(pem));
	return ok;
}

bool key_write_public(const char *path, const struct key *key)
{
	const struct curve *curve = curve_of(key->curve);
	uint8_t der[DER_BYTES_MAX];
	char pem[PEM_BYTES_MAX];
	size_t bytes;

	memcpy(der, curve->spki, curve->spki_bytes);
	memcpy(der + curve->spki_bytes, key->public, 2 * number_bytes(key));
	bytes = br_pem_encode(pem, der, curve->spki_bytes + 2 * number_bytes(key), "PUBLIC KEY",
			      BR_PEM_LINE64);
	return file_write(path, pem, bytes);
}

struct der {
	uint8_t data[DER_BYTES_MAX];
	size_t bytes;
	bool is_too_long; /* no key that we know: nothing of it is kept */
};

static void der_add(void *context, const void *data, size_t bytes)
{
	struct der *der = context;

	der->is_too_long = der->is_too_long || bytes > sizeof(der->data) - der->bytes;
	if (der->is_too_long) {
		der->bytes = 0;
		return;
	}
	memcpy(der->data + der->bytes, data, bytes);
	der->bytes += bytes;
}

/* The first object of the file with one of two names; false, without a word, if there is none. */
static bool pem_find(const struct blob *file, const char *name, const char *other, struct der *der)
{
	br_pem_decoder_context pem;
	bool is_wanted = false;
	size_t at = 0;

	br_pem_decoder_init(&pem);
	while (at < file->bytes) {
		at += br_pem_decoder_push(&pem, file->data + at, file->bytes - at);
		switch (br_pem_decoder_event(&pem)) {
		case BR_PEM_BEGIN_OBJ:
			is_wanted = strcmp(br_pem_decoder_name(&pem), name) == 0 ||
				    strcmp(br_pem_decoder_name(&pem), other) == 0;
			der->bytes = 0;
			der->is_too_long = false;
			br_pem_decoder_setdest(&pem, is_wanted ? der_add : NULL, der);
			break;
		case BR_PEM_END_OBJ:
			if (is_wanted) {
				explicit_bzero(&pem, sizeof(pem));
				return true;
			}
			break;
		case BR_PEM_ERROR:
			return false;
		}
	}
	return false;
}

static bool private_decode(const struct der *der, struct key *key)
{
	br_skey_decoder_context decoder;
	const br_ec_private_key *found;
	const uint8_t *x;
	size_t i, length;
	bool is_good = false;

	br_skey_decoder_init(&decoder);
	br_skey_decoder_push(&decoder, der->data, der->bytes);
	found = br_skey_decoder_get_ec(&decoder);
	for (i = 0; found && i < CURVES; i++) {
		if (curves[i].bearssl != found->curve) {
			continue;
		}
		*key = (struct key){ .curve = curves[i].curve };
		x = found->x;
		length = found->xlen;
		for (; length > number_bytes(key) && *x == 0; x++) {
			length--;
		}
		if (length <= number_bytes(key)) {
			memcpy(key->private + number_bytes(key) - length, x, length);
			is_good = compute_public(key);
		}
	}
	explicit_bzero(&decoder, sizeof(decoder));
	return is_good;
}

bool key_read_private(const char *path, struct key *key)
{
	struct blob file;
	struct der der = { 0 };
	bool ok = false;

	if (!file_read(path, "private key", &file)) {
		return false;
	}
	if (!pem_find(&file, BR_ENCODE_PEM_PKCS8, BR_ENCODE_PEM_EC_RAW, &der)) {
		fail("%s: no unencrypted private key (PEM, \"BEGIN PRIVATE KEY\") in it", path);
	} else if (!private_decode(&der, key)) {
		fail("%s: not a private key of P-256 or P-384", path);
	} else {
		ok = true;
	}
	explicit_bzero(&der, sizeof(der));
	explicit_bzero(file.data, file.bytes);
	blob_free(&file);
	return ok;
}

bool key_read_public(const char *path, struct key *key)
{
	struct blob file;
	struct der der = { 0 };
	bool is_found;
	size_t i;

	if (!file_read(path, "public key", &file)) {
		return false;
	}
	is_found = pem_find(&file, "PUBLIC KEY", "PUBLIC KEY", &der);
	blob_free(&file);
	if (!is_found) {
		return fail("%s: no public key (PEM, \"BEGIN PUBLIC KEY\") in it", path);
	}
	for (i = 0; i < CURVES; i++) {
		size_t head = curves[i].spki_bytes;

		*key = (struct key){ .curve = curves[i].curve };
		if (der.bytes == head + 2 * number_bytes(key) &&
		    memcmp(der.data, curves[i].spki, head) == 0) {
			memcpy(key->public, der.data + head, der.bytes - head);
			return true;
		}
	}
	return fail("%s: not a public key of P-256 or P-384 with an uncompressed point", path);
}
