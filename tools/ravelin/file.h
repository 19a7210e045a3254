/* SPDX-License-Identifier: BSD-3-Clause */
/* Whole files in, whole files out: an output either is complete or does not exist. */
#ifndef RAVELIN_TOOL_FILE_H
#define RAVELIN_TOOL_FILE_H

#include "ravelin.h"

#include <sys/types.h>

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

/* The same piece by piece. */
struct file_out {
	const char *path;
	mode_t mode;
	bool may_replace;
	char *temporary; /* NULL: written in place, a pipe or a device */
	int fd;
};

bool file_out_open(struct file_out *out, const char *path);
bool file_out_write(struct file_out *out, const void *data, size_t bytes);
/* Unless is_complete the file stays as it was. Returns whether it is there now. */
bool file_out_close(struct file_out *out, bool is_complete);

/* The same as file_write() for a secret: for its owner's eyes only, and an old file is refused
 * unless it may be replaced. */
bool file_write_secret(const char *path, const void *data, size_t bytes, bool may_replace);

#endif
