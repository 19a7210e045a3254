/* SPDX-License-Identifier: BSD-3-Clause */
/* Whole files in, whole files out: an output either is complete or does not exist. */
#ifndef RAVELIN_TOOL_FILE_H
#define RAVELIN_TOOL_FILE_H

#include "ravelin.h"

/*
 * No input may be larger: sums of a few of them fit in 31 bits, which is what a flattened device
 * tree can describe.
 */
#define FILE_BYTES_MAX ((size_t)512 << 20)

struct blob {
	uint8_t *data; /* malloc'ed */
	size_t bytes;
};

/* Reads a file of 1 .. FILE_BYTES_MAX bytes. `what` names it in error messages. */
bool file_read(const char *path, const char *what, struct blob *blob);
void blob_free(struct blob *blob);

/*
 * Writes and replaces `path` in one step. When anything fails the old file stays, and no new one
 * appears.
 */
bool file_write(const char *path, const void *data, size_t bytes);

/* The same for a secret: for its owner's eyes only, and an old file is refused unless it may be
 * replaced. */
bool file_write_secret(const char *path, const void *data, size_t bytes, bool may_replace);

#endif
