/* SPDX-License-Identifier: BSD-3-Clause */
/* What `ravelin pack` makes; docs/ravelin.1 describes both formats. */
#ifndef RAVELIN_TOOL_PACK_H
#define RAVELIN_TOOL_PACK_H

#include "plan.h"

struct pack_request {
	const char *kernel;
	const char *initrd;   /* NULL: none */
	const char *cmdline;  /* NULL: none */
	const char *sealboot; /* guest images only */
	const char *output;
	bool is_guest;
	const char *sign;	/* the owner's private key, NULL: not signed here */
	const char *launch;	/* NULL, or a launch page made elsewhere from the same bytes */
	const char *launch_out; /* NULL, or where the launch page goes, too */
	struct plan plan;	/* what is signed beside the image: parameters, policy */
};

/* A FIT (flattened image tree) with kernel, initrd and command line of a host. */
bool pack_host(const struct pack_request *request);
/* An arm64 Image: guest loader, unmodified kernel Image, initrd, command line, launch page. */
bool pack_guest(const struct pack_request *request);

#endif
