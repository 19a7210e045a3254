/* SPDX-License-Identifier: BSD-3-Clause */
/* What `ravelin pack` makes; docs/ravelin.1 describes both formats. */
#ifndef RAVELIN_TOOL_PACK_H
#define RAVELIN_TOOL_PACK_H

#include "file.h"

struct pack_request {
	const char *kernel;
	const char *initrd;   /* NULL: none */
	const char *cmdline;  /* NULL: none */
	const char *sealboot; /* guest images only */
	const char *output;
	bool is_guest;
};

/* A FIT (flattened image tree) with kernel, initrd and command line of a host. */
bool pack_host(const struct pack_request *request);
/* An arm64 Image: the guest loader, then the unmodified kernel Image. */
bool pack_guest(const struct pack_request *request);

#endif
