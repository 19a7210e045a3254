/* SPDX-License-Identifier: BSD-3-Clause */
#include "good_launch.h"

#include <cv/crypto.h>
#include <libfdt.h>
#include <string.h>

static const u8 good_signature[] = "good";

bool __wrap_crypto_verify(u32 curve, const u8 *key, const u8 *signature, const void *message,
			  u64 bytes);
bool __wrap_crypto_verify(u32 curve, const u8 *key, const u8 *signature, const void *message,
			  u64 bytes)
{
	(void)curve, (void)key, (void)message, (void)bytes;
	return memcmp(signature, good_signature, sizeof(good_signature)) == 0;
}

void good_owner(u64 words[4])
{
	crypto_key_hash(RV_CURVE_P256, (const u8[64]){ 0 }, (u8 *)words);
}

static void put_range(void *fdt, u64 gpa, u64 bytes)
{
	fdt64_t reg[2] = { cpu_to_fdt64(gpa), cpu_to_fdt64(bytes) };

	fdt_property(fdt, "reg", reg, sizeof(reg));
}

/* Those images whose bit is set; the others are the host's affair. */
static void put_images(void *fdt, const char *name, const struct images *images, u64 mask)
{
	u8 hash[CRYPTO_HASH_BYTES];
	char node[8] = "image@";

	fdt_begin_node(fdt, name);
	for (u32 i = 0; i < images->count; i++) {
		if ((mask >> i & 1) != 0) {
			node[6] = (char)('0' + i);
			fdt_begin_node(fdt, node);
			put_range(fdt, gfn_ipa(images->image[i].first).v, images->image[i].bytes);
			crypto_hash_end(&images->image[i].hash, hash);
			fdt_property(fdt, "sha256", hash, sizeof(hash));
			fdt_end_node(fdt);
		}
	}
	fdt_end_node(fdt);
}

void good_launch_make(struct rv_launch *launch, const struct images *images, u64 parameters,
		      bool may_be_saved)
{
	void *fdt = launch->manifest;

	memset(launch, 0, sizeof(*launch));
	launch->magic = RV_LAUNCH_MAGIC;
	launch->version = RV_LAUNCH_VERSION;
	launch->curve = RV_CURVE_P256;
	memcpy(launch->signature, good_signature, sizeof(good_signature));
	fdt_create(fdt, sizeof(launch->manifest));
	fdt_finish_reservemap(fdt);
	fdt_begin_node(fdt, "");
	fdt_property_string(fdt, "compatible", "ravelin,manifest-1");
	fdt_property_u64(fdt, "entry", gfn_ipa(images->image[0].first).v);
	if (may_be_saved) {
		fdt_property(fdt, "snapshots", NULL, 0);
	}
	put_images(fdt, "images", images, ~parameters);
	put_images(fdt, "parameters", images, parameters);
	fdt_end_node(fdt);
	fdt_finish(fdt);
	launch->manifest_bytes = fdt_totalsize(fdt);
}
