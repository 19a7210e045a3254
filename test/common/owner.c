/* SPDX-License-Identifier: BSD-3-Clause */
#include "owner.h"

#include <bearssl.h>
#include <libfdt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const br_hash_class *hash_of(const struct owner *owner)
{
	return owner->curve == RV_CURVE_P384 ? &br_sha384_vtable : &br_sha256_vtable;
}

static int curve_of(const struct owner *owner)
{
	return owner->curve == RV_CURVE_P384 ? BR_EC_secp384r1 : BR_EC_secp256r1;
}

static br_ec_private_key key_of(const struct owner *owner)
{
	return (br_ec_private_key){ .curve = curve_of(owner),
				    .x = (unsigned char *)owner->secret,
				    .xlen = owner->curve / 8 };
}

static void sha256(const void *data, size_t bytes, void *out)
{
	br_sha256_context hash;

	br_sha256_init(&hash);
	br_sha256_update(&hash, data, bytes);
	br_sha256_out(&hash, out);
}

void owner_make(struct owner *owner, uint32_t curve, uint8_t number)
{
	uint8_t point[BR_EC_KBUF_PUB_MAX_SIZE];
	br_ec_private_key key;
	size_t bytes;

	memset(owner, 0, sizeof(*owner));
	owner->curve = curve;
	memset(owner->secret, 0x40 + number, curve / 8); /* below both orders */
	key = key_of(owner);
	bytes = br_ec_compute_pub(&br_ec_prime_i31, NULL, point, &key);
	if (bytes != 2 * curve / 8 + 1) {
		abort();
	}
	memcpy(owner->public_key, point + 1, bytes - 1);
	sha256(point, bytes, owner->words);
}

void owner_sign_blob(const struct owner *owner, struct rv_launch *launch)
{
	br_ec_private_key key = key_of(owner);
	br_hash_compat_context hash;
	uint8_t digest[48];

	hash_of(owner)->init(&hash.vtable);
	hash_of(owner)->update(&hash.vtable, launch->manifest, launch->manifest_bytes);
	hash_of(owner)->out(&hash.vtable, digest);
	launch->magic = RV_LAUNCH_MAGIC;
	launch->version = RV_LAUNCH_VERSION;
	launch->curve = owner->curve;
	memcpy(launch->owner, owner->words, sizeof(launch->owner));
	memcpy(launch->public_key, owner->public_key, sizeof(launch->public_key));
	memset(launch->signature, 0, sizeof(launch->signature));
	if (br_ecdsa_i31_sign_raw(&br_ec_prime_i31, hash_of(owner), digest, &key,
				  launch->signature) != 2 * owner->curve / 8) {
		abort();
	}
}

static void put_range(void *fdt, uint64_t gpa, uint64_t bytes)
{
	fdt64_t reg[2] = { cpu_to_fdt64(gpa), cpu_to_fdt64(bytes) };

	fdt_property(fdt, "reg", reg, sizeof(reg));
}

static void put_children(void *fdt, const char *name, const struct owner_image *images,
			 uint32_t count, bool is_signed)
{
	uint8_t hash[32];
	char node[32];

	fdt_begin_node(fdt, name);
	for (uint32_t i = 0; i < count; i++) {
		if ((images[i].data != NULL) != is_signed) {
			continue;
		}
		snprintf(node, sizeof(node), "range@%lx", images[i].gpa);
		fdt_begin_node(fdt, node);
		put_range(fdt, images[i].gpa, images[i].bytes);
		if (is_signed) {
			sha256(images[i].data, images[i].bytes, hash);
			fdt_property(fdt, "sha256", hash, sizeof(hash));
		}
		fdt_end_node(fdt);
	}
	fdt_end_node(fdt);
}

void owner_sign(const struct owner *owner, const struct owner_policy *policy,
		const struct owner_image *images, uint32_t count, struct rv_launch *launch)
{
	void *fdt = launch->manifest;

	memset(launch, 0, sizeof(*launch));
	fdt_create(fdt, sizeof(launch->manifest));
	fdt_finish_reservemap(fdt);
	fdt_begin_node(fdt, "");
	fdt_property_string(fdt, "compatible", "ravelin,manifest-1");
	fdt_property_u64(fdt, "entry", policy->entry);
	if (policy->vcpus_max != 0) {
		fdt_property_u32(fdt, "vcpus-max", policy->vcpus_max);
	}
	if (policy->may_be_saved) {
		fdt_property(fdt, "snapshots", NULL, 0);
	}
	put_children(fdt, "images", images, count, true);
	put_children(fdt, "parameters", images, count, false);
	fdt_end_node(fdt);
	if (fdt_finish(fdt) != 0) {
		abort();
	}
	launch->manifest_bytes = fdt_totalsize(fdt);
	launch->entry = policy->entry;
	owner_sign_blob(owner, launch);
}
