/* SPDX-License-Identifier: BSD-3-Clause */
#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool read_all(int fd, uint8_t *data, size_t bytes, const char *path)
{
	size_t done = 0;

	while (done < bytes) {
		ssize_t n = read(fd, data + done, bytes - done);

		if (n < 0 && errno == EINTR) {
			continue;
		}
		if (n < 0) {
			return fail("%s: %s", path, strerror(errno));
		}
		if (n == 0) {
			return fail("%s: became shorter while it was read", path);
		}
		done += (size_t)n;
	}
	return true;
}

static bool read_fd(int fd, const char *path, const char *what, struct blob *blob)
{
	struct stat st;

	if (fstat(fd, &st) != 0) {
		return fail("%s: %s", path, strerror(errno));
	}
	if (!S_ISREG(st.st_mode)) {
		return fail("%s: the %s must be a regular file", path, what);
	}
	if (st.st_size == 0) {
		return fail("%s: the %s is empty", path, what);
	}
	if ((uintmax_t)st.st_size > FILE_BYTES_MAX) {
		return fail("%s: the %s is larger than %zu MiB", path, what, FILE_BYTES_MAX >> 20);
	}
	blob->bytes = (size_t)st.st_size;
	blob->data = malloc(blob->bytes);
	if (!blob->data) {
		return fail("%s: not enough memory", path);
	}
	return read_all(fd, blob->data, blob->bytes, path);
}

bool file_read(const char *path, const char *what, struct blob *blob)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	bool ok;

	blob->data = NULL;
	blob->bytes = 0;
	if (fd < 0) {
		return fail("%s: cannot read the %s: %s", path, what, strerror(errno));
	}
	ok = read_fd(fd, path, what, blob);
	close(fd);
	if (!ok) {
		blob_free(blob);
	}
	return ok;
}

void blob_free(struct blob *blob)
{
	free(blob->data);
	blob->data = NULL;
	blob->bytes = 0;
}

static bool write_all(int fd, const uint8_t *data, size_t bytes)
{
	size_t done = 0;

	while (done < bytes) {
		ssize_t n = write(fd, data + done, bytes - done);

		if (n < 0 && errno == EINTR) {
			continue;
		}
		if (n <= 0) {
			return false;
		}
		done += (size_t)n;
	}
	return true;
}

/* A pipe or a device cannot be replaced by renaming: it is written to. */
static bool is_replaceable(const char *path)
{
	struct stat st;

	return stat(path, &st) != 0 || S_ISREG(st.st_mode);
}

static bool out_fail(const struct file_out *out)
{
	return fail("%s: cannot write: %s", out->path, strerror(errno));
}

static bool out_open_temporary(struct file_out *out)
{
	static const char suffix[] = ".XXXXXX";

	out->temporary = malloc(strlen(out->path) + sizeof(suffix));
	if (!out->temporary) {
		return fail("%s: not enough memory", out->path);
	}
	strcpy(out->temporary, out->path);
	strcat(out->temporary, suffix);
	out->fd = mkostemp(out->temporary, O_CLOEXEC);
	if (out->fd < 0) {
		out_fail(out);
		free(out->temporary);
		return false;
	}
	return true;
}

static bool out_open(struct file_out *out, bool is_renamed)
{
	if (is_renamed) {
		return out_open_temporary(out);
	}
	out->temporary = NULL;
	out->fd = open(out->path, O_WRONLY | O_CLOEXEC);
	return out->fd >= 0 || out_fail(out);
}

bool file_out_open(struct file_out *out, const char *path)
{
	mode_t mask = umask(0);

	umask(mask);
	*out = (struct file_out){ .path = path, .mode = 0666 & ~mask, .may_replace = true };
	return out_open(out, is_replaceable(path));
}

bool file_out_write(struct file_out *out, const void *data, size_t bytes)
{
	return write_all(out->fd, data, bytes) || out_fail(out);
}

static bool out_rename(const struct file_out *out)
{
	return renameat2(AT_FDCWD, out->temporary, AT_FDCWD, out->path,
			 out->may_replace ? 0 : RENAME_NOREPLACE) == 0;
}

bool file_out_close(struct file_out *out, bool is_complete)
{
	bool ok = is_complete;

	if (ok && out->temporary && fchmod(out->fd, out->mode) != 0) {
		ok = out_fail(out);
	}
	if (close(out->fd) != 0 && ok) {
		ok = out_fail(out);
	}
	if (ok && out->temporary && !out_rename(out)) {
		ok = out_fail(out);
	}
	if (!ok && out->temporary) {
		unlink(out->temporary);
	}
	free(out->temporary);
	return ok;
}

static bool out_write_whole(struct file_out *out, const void *data, size_t bytes)
{
	return file_out_close(out, file_out_write(out, data, bytes));
}

bool file_write(const char *path, const void *data, size_t bytes)
{
	struct file_out out;

	return file_out_open(&out, path) && out_write_whole(&out, data, bytes);
}

bool file_write_secret(const char *path, const void *data, size_t bytes, bool may_replace)
{
	struct file_out out = { .path = path, .mode = 0600, .may_replace = may_replace };

	return out_open(&out, true) && out_write_whole(&out, data, bytes);
}
