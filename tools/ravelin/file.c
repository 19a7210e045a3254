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

/* A pipe or a device cannot be replaced by renaming: write to it. */
static bool write_in_place(const char *path, const void *data, size_t bytes)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool ok;

	if (fd < 0) {
		return fail("%s: cannot write: %s", path, strerror(errno));
	}
	ok = write_all(fd, data, bytes);
	if (close(fd) != 0 || !ok) {
		return fail("%s: cannot write: %s", path, strerror(errno));
	}
	return true;
}

struct output {
	const char *path;
	mode_t mode;
	bool may_replace;
};

static bool write_and_rename(const struct output *output, char *temporary, const void *data,
			     size_t bytes)
{
	int fd = mkstemp(temporary);
	bool ok;

	if (fd < 0) {
		return fail("%s: cannot write: %s", output->path, strerror(errno));
	}
	ok = write_all(fd, data, bytes) && fchmod(fd, output->mode) == 0;
	if (close(fd) != 0) {
		ok = false;
	}
	if (!ok || renameat2(AT_FDCWD, temporary, AT_FDCWD, output->path,
			     output->may_replace ? 0 : RENAME_NOREPLACE) != 0) {
		fail("%s: cannot write: %s", output->path, strerror(errno));
		unlink(temporary);
		return false;
	}
	return true;
}

static bool write_file(const struct output *output, const void *data, size_t bytes)
{
	static const char suffix[] = ".XXXXXX";
	const char *path = output->path;
	char *temporary;
	bool ok;

	temporary = malloc(strlen(path) + sizeof(suffix));
	if (!temporary) {
		return fail("%s: not enough memory", path);
	}
	strcpy(temporary, path);
	strcat(temporary, suffix);
	ok = write_and_rename(output, temporary, data, bytes);
	free(temporary);
	return ok;
}

bool file_write(const char *path, const void *data, size_t bytes)
{
	mode_t mask = umask(0);
	struct output output = { path, 0666 & ~mask, true };
	struct stat st;

	umask(mask);
	if (stat(path, &st) == 0 && !S_ISREG(st.st_mode)) {
		return write_in_place(path, data, bytes);
	}
	return write_file(&output, data, bytes);
}

bool file_write_secret(const char *path, const void *data, size_t bytes, bool may_replace)
{
	struct output output = { path, 0600, may_replace };

	return write_file(&output, data, bytes);
}
