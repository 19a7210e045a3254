/* SPDX-License-Identifier: BSD-3-Clause */
/* ravelin save and restore: between a VM in a monitor that stands still and a file. */
#include "file.h"
#include "snapshot.h"
#include "text.h"
#include "vmm.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define DEVICES_HELP                                                                                      \
	"Only the VM itself is in a snapshot, none of the monitor's devices: the guest must do without\n" \
	"virtio; a serial port that is written to is fine. Needs root.\n\n"

static const char save_help[] =
	"Usage: ravelin save --pid PID -o FILE\n"
	"Writes the protected VM of the monitor (QEMU) with this process id into FILE, sealed by the corevisor. Stop the\n"
	"guest before (in QEMU's monitor: stop); it can go on afterwards. Its owner must have signed it with --snapshots.\n" DEVICES_HELP
	"  -p, --pid=PID      process id of the monitor\n"
	"  -o, --output=FILE  file to write\n"
	"      --help         display this help and exit\n";

static const char restore_help[] =
	"Usage: ravelin restore --pid PID FILE\n"
	"Makes the VM that was saved in FILE the VM of the monitor (QEMU) with this process id. Start that with the same\n"
	"machine, RAM and CPUs as the saved one's, and -S, so that nothing runs; let the guest go on afterwards (in QEMU's\n"
	"monitor: cont). A machine opens only what was saved with the same root secret. If it fails, the VM is off: restore\n"
	"again, or end the monitor. A snapshot can be restored any number of times.\n" DEVICES_HELP
	"  -p, --pid=PID      process id of the monitor\n"
	"      --help         display this help and exit\n";

enum { OPTION_HELP = 256 };

static const struct option options[] = {
	{ "pid", required_argument, NULL, 'p' },
	{ "output", required_argument, NULL, 'o' },
	{ "help", no_argument, NULL, OPTION_HELP },
	{ NULL, 0, NULL, 0 },
};

struct request {
	pid_t pid;
	const char *path;
};

static bool parse_pid(const char *text, pid_t *pid)
{
	uint64_t value;

	if (!text_number(text, &value) || value == 0 || value > INT32_MAX) {
		return fail("'%s' is no process id", text);
	}
	*pid = (pid_t)value;
	return true;
}

/* Returns a negative number to go on, else the exit status. */
static int parse(int argc, char **argv, bool is_save, struct request *request)
{
	int option;

	while ((option = getopt_long(argc, argv, is_save ? "p:o:" : "p:", options, NULL)) != -1) {
		switch (option) {
		case 'p':
			if (!parse_pid(optarg, &request->pid)) {
				return usage_error(argv[0]);
			}
			break;
		case 'o':
			if (!is_save) {
				fail("restore: --output goes only with save");
				return usage_error(argv[0]);
			}
			request->path = optarg;
			break;
		case OPTION_HELP:
			fputs(is_save ? save_help : restore_help, stdout);
			return EXIT_OK;
		default:
			return usage_error(argv[0]);
		}
	}
	if (!is_save && optind < argc) {
		request->path = argv[optind++];
	}
	if (optind < argc) {
		fail("%s: unexpected argument '%s'", argv[0], argv[optind]);
		return usage_error(argv[0]);
	}
	if (request->pid == 0 || !request->path) {
		fail("%s: %s is missing", argv[0],
		     request->pid == 0 ? "--pid"
		     : is_save	       ? "--output"
				       : "the file");
		return usage_error(argv[0]);
	}
	return -1;
}

/* ---- save ---- */

static bool save_failed(pid_t pid)
{
	switch (errno) {
	case EBUSY:
		return fail("the guest of process %d runs: stop it first (in QEMU's monitor: stop)",
			    pid);
	case EACCES:
		return fail(
			"the VM of process %d must not be saved: it is an open one, or its owner did not allow it "
			"(ravelin sign --snapshots)",
			pid);
	case ENXIO:
		return fail("the VM of process %d has not started, or has ended", pid);
	case ECANCELED:
		return fail("the VM of process %d has ended or was reset", pid);
	case ENOTTY:
	case EIO:
		return fail("the VM of process %d is none of hostvisor's", pid);
	default:
		return fail("cannot save the VM of process %d: %s", pid, strerror(errno));
	}
}

/* From the module to the file. */
static bool save_records(int from, struct file_out *out, struct snapshot *snapshot, pid_t pid)
{
	static struct snapshot_record record;
	ssize_t n;

	while ((n = read(from, &record, sizeof(record))) > 0) {
		if ((size_t)n != sizeof(record.head) + record.head.bytes) {
			return fail("the module speaks another language than this program");
		}
		if (!snapshot_add(snapshot, &record) || !file_out_write(out, &record, (size_t)n)) {
			return false;
		}
	}
	return n == 0 || save_failed(pid);
}

static bool save_to(int from, const struct request *request)
{
	struct snapshot snapshot = { .path = request->path };
	struct file_out out;

	if (!file_out_open(&out, request->path) ||
	    !file_out_close(&out, save_records(from, &out, &snapshot, request->pid))) {
		return false;
	}
	snapshot_print(&snapshot);
	return true;
}

int command_save(int argc, char **argv)
{
	struct request request = { 0, NULL };
	int status = parse(argc, argv, true, &request);
	int vm, from;
	bool ok;

	if (status >= 0) {
		return status;
	}
	vm = vmm_open(request.pid);
	if (vm < 0) {
		return EXIT_FAIL;
	}
	from = ioctl(vm, RAVELIN_SEAL_SAVE);
	ok = from >= 0 ? save_to(from, &request) : save_failed(request.pid);
	if (from >= 0) {
		close(from);
	}
	close(vm);
	return ok ? EXIT_OK : EXIT_FAIL;
}

/* ---- restore ---- */

static bool restore_failed(const struct request *request, const struct snapshot *snapshot)
{
	switch (errno) {
	case EBUSY:
		return fail("process %d runs a guest already: start QEMU with -S", request->pid);
	case EACCES:
		return fail("the VM of process %d is an open one, which takes no snapshot",
			    request->pid);
	case EINVAL:
		return fail(
			"%s: does not fit the VM of process %d: it must have the same machine, RAM and CPUs as the "
			"saved one, %u vCPUs here",
			request->path, request->pid, (unsigned int)snapshot->header.vcpu_count);
	case EKEYREJECTED:
		return fail(
			"%s: refused: changed since it was saved, or saved by a machine with another root secret",
			request->path);
	case ECANCELED:
		return fail("the VM of process %d has ended or was reset", request->pid);
	case ENOTTY:
	case EIO:
		return fail("the VM of process %d is none of hostvisor's", request->pid);
	default:
		return fail("cannot restore the VM of process %d: %s", request->pid,
			    strerror(errno));
	}
}

static void again(FILE *file, struct snapshot *snapshot, const char *path)
{
	rewind(file);
	*snapshot = (struct snapshot){ .path = path };
}

/* A file that is none is found out before the VM is touched. */
static bool check(FILE *file, struct snapshot *snapshot)
{
	static struct snapshot_record record;
	bool was_last = false;

	while (snapshot_read(file, snapshot, &record, &was_last)) {
	}
	return was_last;
}

/* From the file to the module. */
static bool restore_records(FILE *file, int to, const struct request *request)
{
	static struct snapshot_record record;
	struct snapshot snapshot;
	bool was_last = false;

	again(file, &snapshot, request->path);
	while (snapshot_read(file, &snapshot, &record, &was_last)) {
		if (write(to, &record, sizeof(record.head) + record.head.bytes) < 0) {
			return restore_failed(request, &snapshot);
		}
	}
	if (was_last) {
		snapshot_print(&snapshot);
	}
	return was_last;
}

static bool restore_into(FILE *file, int vm, const struct request *request,
			 const struct snapshot *snapshot)
{
	int to = ioctl(vm, RAVELIN_SEAL_LOAD);
	bool ok;

	if (to < 0) {
		return restore_failed(request, snapshot);
	}
	ok = restore_records(file, to, request);
	close(to);
	return ok;
}

static bool restore(FILE *file, const struct request *request)
{
	struct snapshot snapshot;
	bool ok;
	int vm;

	again(file, &snapshot, request->path);
	if (!check(file, &snapshot)) {
		return false;
	}
	vm = vmm_open(request->pid);
	if (vm < 0) {
		return false;
	}
	ok = restore_into(file, vm, request, &snapshot);
	close(vm);
	return ok;
}

int command_restore(int argc, char **argv)
{
	struct request request = { 0, NULL };
	int status = parse(argc, argv, false, &request);
	FILE *file;
	bool ok;

	if (status >= 0) {
		return status;
	}
	file = fopen(request.path, "rbe");
	if (!file) {
		fail("%s: cannot read: %s", request.path, strerror(errno));
		return EXIT_FAIL;
	}
	ok = restore(file, &request);
	fclose(file);
	return ok ? EXIT_OK : EXIT_FAIL;
}
