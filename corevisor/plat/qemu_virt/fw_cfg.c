/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The root secret, from QEMU's fw_cfg: a file of 32 bytes. Only the data and selector registers are
 * used, never DMA. QEMU docs/specs/fw_cfg.rst: the selector is big endian, bytes of an item are
 * read one by one, numbers in the directory are big endian. Who controls QEMU's command line is the
 * platform.
 */
#include <cv/arch.h>
#include <string.h>

#define ROOT_FILE "opt/ravelin/root-secret"
#define ROOT_BYTES 32

#define FW_CFG_DATA 0
#define FW_CFG_SELECTOR 8
#define KEY_SIGNATURE 0x0000 /* "QEMU" */
#define KEY_DIRECTORY 0x0019
#define FILES_MAX 256 /* a directory with more is not believed */

struct file {
	u8 bytes[4];
	u8 key[2];
	u8 reserved[2];
	char name[56];
};

static void item_select(pa_t config, u16 key)
{
	*(volatile u16 *)(uintptr_t)(config.v + FW_CFG_SELECTOR) = __builtin_bswap16(key);
}

static void item_read(pa_t config, void *to, u32 bytes)
{
	const volatile u8 *data = (const volatile u8 *)(uintptr_t)(config.v + FW_CFG_DATA);
	u8 *at = to;

	while (bytes-- > 0) {
		*at++ = *data;
	}
}

static u32 big_endian(const u8 *bytes, u32 count)
{
	u32 value = 0;

	while (count-- > 0) {
		value = value << 8 | *bytes++;
	}
	return value;
}

static bool is_fw_cfg(pa_t config)
{
	u8 signature[4];

	item_select(config, KEY_SIGNATURE);
	item_read(config, signature, sizeof(signature));
	return memcmp(signature, "QEMU", sizeof(signature)) == 0;
}

/* The item of the file; 0 (never a file's): none of that name and size. */
static u16 file_find(pa_t config)
{
	u8 count[4];

	item_select(config, KEY_DIRECTORY);
	item_read(config, count, sizeof(count));
	for (u32 i = 0; i < min_u64(big_endian(count, sizeof(count)), FILES_MAX); i++) {
		struct file file;

		item_read(config, &file, sizeof(file));
		if (memcmp(file.name, ROOT_FILE, sizeof(ROOT_FILE)) == 0 &&
		    big_endian(file.bytes, sizeof(file.bytes)) == ROOT_BYTES) {
			return (u16)big_endian(file.key, sizeof(file.key));
		}
	}
	return 0;
}

bool plat_root_secret(pa_t config, u8 secret[32])
{
	u16 key = is_fw_cfg(config) ? file_find(config) : 0;

	if (key != 0) {
		item_select(config, key);
		item_read(config, secret, ROOT_BYTES);
	}
	return key != 0;
}
