/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The bundle of a host is a FIT as U-Boot defines it (doc/usage/fit/source_file_format.rst), so
 * that other tools can read it: `dtc -I dtb`, `mkimage -l`. The corevisor reads exactly the nodes
 * and properties written here. The same input gives the same bytes: no time stamp.
 */
#include "image.h"
#include "pack.h"

#include <libfdt.h>
#include <stdlib.h>
#include <string.h>

/* Everything but the three payloads: header, names, structure. */
#define FIT_OVERHEAD_BYTES 4096

struct payload {
	struct blob kernel;
	struct blob initrd;  /* bytes == 0: none */
	const char *cmdline; /* NULL: none */
};

static int put_image(void *fit, const char *node, const char *description, const char *type,
		     const struct blob *blob)
{
	int err = fdt_begin_node(fit, node);

	err = err ? err : fdt_property_string(fit, "description", description);
	err = err ? err : fdt_property_string(fit, "type", type);
	err = err ? err : fdt_property_string(fit, "arch", "arm64");
	err = err ? err : fdt_property_string(fit, "os", "linux");
	err = err ? err : fdt_property_string(fit, "compression", "none");
	err = err ? err : fdt_property(fit, "data", blob->data, (int)blob->bytes);
	return err ? err : fdt_end_node(fit);
}

static int put_images(void *fit, const struct payload *payload)
{
	int err = fdt_begin_node(fit, "images");

	err = err ? err : put_image(fit, "kernel-1", "host kernel", "kernel", &payload->kernel);
	if (!err && payload->initrd.bytes > 0) {
		err = put_image(fit, "ramdisk-1", "host initial RAM disk", "ramdisk",
				&payload->initrd);
	}
	return err ? err : fdt_end_node(fit);
}

static int put_configurations(void *fit, const struct payload *payload)
{
	int err = fdt_begin_node(fit, "configurations");

	err = err ? err : fdt_property_string(fit, "default", "conf-1");
	err = err ? err : fdt_begin_node(fit, "conf-1");
	err = err ? err : fdt_property_string(fit, "kernel", "kernel-1");
	if (!err && payload->initrd.bytes > 0) {
		err = fdt_property_string(fit, "ramdisk", "ramdisk-1");
	}
	if (!err && payload->cmdline) {
		err = fdt_property_string(fit, "bootargs", payload->cmdline);
	}
	err = err ? err : fdt_end_node(fit);
	return err ? err : fdt_end_node(fit);
}

static int put_fit(void *fit, int capacity, const struct payload *payload)
{
	int err = fdt_create(fit, capacity);

	err = err ? err : fdt_finish_reservemap(fit);
	err = err ? err : fdt_begin_node(fit, "");
	err = err ? err : fdt_property_string(fit, "description", "Ravelin host bundle");
	err = err ? err : fdt_property_u32(fit, "#address-cells", 1);
	err = err ? err : put_images(fit, payload);
	err = err ? err : put_configurations(fit, payload);
	err = err ? err : fdt_end_node(fit);
	return err ? err : fdt_finish(fit);
}

static bool write_fit(const struct payload *payload, const char *output)
{
	size_t capacity = payload->kernel.bytes + payload->initrd.bytes + FIT_OVERHEAD_BYTES +
			  (payload->cmdline ? strlen(payload->cmdline) : 0);
	void *fit = malloc(capacity); /* FILE_BYTES_MAX twice and a command line: below 2 GiB */
	bool ok;
	int err;

	if (!fit) {
		return fail("%s: not enough memory", output);
	}
	err = put_fit(fit, (int)capacity, payload);
	ok = err ? fail("%s: cannot build the bundle: %s", output, fdt_strerror(err))
		 : file_write(output, fit, fdt_totalsize(fit));
	free(fit);
	return ok;
}

bool pack_host(const struct pack_request *request)
{
	struct payload payload = { .cmdline = request->cmdline };
	struct image image;
	bool ok = file_read(request->kernel, "kernel", &payload.kernel) &&
		  image_parse(&payload.kernel, request->kernel, &image) &&
		  (!request->initrd || file_read(request->initrd, "initrd", &payload.initrd)) &&
		  write_fit(&payload, request->output);

	blob_free(&payload.kernel);
	blob_free(&payload.initrd);
	return ok;
}
