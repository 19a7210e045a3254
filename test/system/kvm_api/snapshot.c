/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Snapshots, record by record: a guest goes on in another VM, wherever it was; what a host or a
 * file may get wrong is refused, and the VM is as good as before.
 */
#include "vm.h"

#include <errno.h>
#include <ravelin/hostvisor.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define RECORDS_MAX 200
#define BENT_STREAMS 400

struct record {
	struct ravelin_seal_record head;
	uint8_t content[RAVELIN_SEAL_CONTENT_MAX];
};

struct snapshot {
	struct record *record[RECORDS_MAX];
	unsigned int count;
};

static bool expect(const char *what, long result, long expected)
{
	if (result != expected) {
		note("%s: %ld, not %ld", what, result, expected);
	}
	return result == expected;
}

static int seal_open(struct vm *vm, unsigned long direction)
{
	int fd = ioctl(vm->fd, direction);

	return fd < 0 ? -errno : fd;
}

/* ---- saving and loading ---- */

/* The next record; 0: that was all; or -errno. */
static long next(int from, struct snapshot *to)
{
	struct record *record = calloc(1, sizeof(*record));
	long n = read(from, record, sizeof(*record));

	if (n <= 0 || to->count == RECORDS_MAX) {
		free(record);
		return n < 0 ? -errno : n;
	}
	to->record[to->count++] = record;
	return n;
}

static bool save(struct vm *vm, struct snapshot *to)
{
	int from = seal_open(vm, RAVELIN_SEAL_SAVE);
	long n = from;

	to->count = 0;
	while (n > 0) {
		n = next(from, to);
	}
	close(from);
	return expect("saving", n, 0) && to->count > 5;
}

static void forget(struct snapshot *snapshot)
{
	while (snapshot->count > 0) {
		free(snapshot->record[--snapshot->count]);
	}
}

static long put(int to, const struct record *record)
{
	size_t bytes = sizeof(record->head) + record->head.bytes;

	/* More than can be is refused by its size, before it is read. */
	return write(to, record, bytes) < 0 ? -errno : 0;
}

/* 0, or what the first refused record's error is. */
static long load(struct vm *vm, const struct snapshot *from)
{
	int to = seal_open(vm, RAVELIN_SEAL_LOAD);
	long result = to < 0 ? to : 0;

	for (unsigned int i = 0; i < from->count && result == 0; i++) {
		result = put(to, from->record[i]);
	}
	close(to);
	return result;
}

/* From here on the guest is in another VM; the one it came from is gone. */
static bool move(struct vm **vm)
{
	struct vm *other = vm_make(device_protected, (*vm)->vcpu_count, PAYLOAD_SPIN, 0);
	struct snapshot snapshot = { .count = 0 };
	bool ok = save(*vm, &snapshot) && expect("loading", load(other, &snapshot), 0);

	vm_free(*vm);
	*vm = other;
	forget(&snapshot);
	return ok;
}

static bool settle(struct vm *vm)
{
	vm->run[0]->immediate_exit = 1;
	if (!expect("a run that ends at once", vm_run(vm, 0), -EINTR)) {
		return false;
	}
	vm->run[0]->immediate_exit = 0;
	return true;
}

/* ---- what must work ---- */

static bool device_access(void)
{
	struct vm *vm = vm_make(device_protected, 1, PAYLOAD_MMIO, 0);
	bool ok = vm_expect_write(vm, 0, 0, 4, 0x1234) && move(&vm) &&
		  vm_expect_read(vm, 0, 0x10, 8, 0x1122334455667788);

	/* The guest waits for an answer that only this VMM has. */
	ok = ok && expect("unanswered", seal_open(vm, RAVELIN_SEAL_SAVE), -EBUSY);
	ok = ok && settle(vm) && move(&vm) && vm_expect_write(vm, 0, 0x18, 8, 0x1122334455667789) &&
	     vm_expect_read(vm, 0, 0x20, 1, 0x80) && vm_expect_write(vm, 0, 0x28, 8, 0x80);
	vm_free(vm);
	return ok;
}

/* In each handler, where the interrupt is active, and once between them. */
static bool interrupts(void)
{
	struct vm *vm = vm_make(device_protected, 1, PAYLOAD_IRQ, 0);
	bool ok = vm_expect_write(vm, 0, 0x60, 4, 27) && move(&vm) &&
		  vm_expect_write(vm, 0, 0x60, 4, 30) && move(&vm) &&
		  vm_expect_write(vm, 0, 0x60, 4, 1) && move(&vm) &&
		  vm_expect_write(vm, 0, 0x70, 4, 0) && move(&vm);

	ok = ok && vm_irq_line(vm, 40, true) == 0 && vm_expect_write(vm, 0, 0x60, 4, 40);
	ok = ok && vm_irq_line(vm, 40, false) == 0 && move(&vm) &&
	     vm_expect_write(vm, 0, 0x78, 8, 4) &&
	     vm_expect_event(vm, 0, KVM_SYSTEM_EVENT_SHUTDOWN);
	vm_free(vm);
	return ok;
}

static bool goes_on(struct vm *vm)
{
	return vm_expect_write(vm, 0, 0, 4, 0x77);
}

static struct vm *make_loop(void)
{
	return vm_make(device_protected, 1, PAYLOAD_LOOP, 0x77);
}

/* ---- when it may not be ---- */

static bool states(void)
{
	struct kvm_userspace_memory_region gone = { .guest_phys_addr = RAM_BASE };
	struct vm *vm = vm_make(device_open, 1, PAYLOAD_LOOP, 0x77);
	uint8_t small[RAVELIN_SEAL_RECORD_MAX - 1];
	int fd;
	bool ok = expect("load, open", seal_open(vm, RAVELIN_SEAL_LOAD), -EACCES) && goes_on(vm) &&
		  expect("save, open", seal_open(vm, RAVELIN_SEAL_SAVE), -EACCES) && goes_on(vm);

	vm_free(vm);
	vm = make_loop();
	ok = ok && expect("save before", seal_open(vm, RAVELIN_SEAL_SAVE), -ENXIO) && goes_on(vm) &&
	     expect("load while it runs", seal_open(vm, RAVELIN_SEAL_LOAD), -EBUSY);
	fd = seal_open(vm, RAVELIN_SEAL_SAVE);
	ok = ok && expect("save twice", seal_open(vm, RAVELIN_SEAL_SAVE), -EBUSY) &&
	     expect("load while it is saved", seal_open(vm, RAVELIN_SEAL_LOAD), -EBUSY) &&
	     expect("a small read", read(fd, small, sizeof(small)), -1) && errno == EINVAL &&
	     expect("a write", write(fd, small, sizeof(small)), -1) && errno == EBADF &&
	     expect("memory", ioctl(vm->fd, KVM_SET_USER_MEMORY_REGION, &gone), -1);
	/* Given up, it goes on. */
	close(fd);
	ok = ok && goes_on(vm);
	/* A reset ends the VM, and what was being done with it. */
	fd = seal_open(vm, RAVELIN_SEAL_SAVE);
	vm_load(vm, PAYLOAD_LOOP, 0x77);
	ok = ok &&
	     expect("after a reset", next(fd, &(struct snapshot){ .count = 0 }), -ECANCELED) &&
	     goes_on(vm);
	close(fd);
	ok = ok && goes_on(vm);
	vm_free(vm);
	return ok;
}

static bool half_loaded(void)
{
	struct kvm_userspace_memory_region gone = { .guest_phys_addr = RAM_BASE };
	struct vm *vm = make_loop(), *other = make_loop();
	struct snapshot snapshot = { .count = 0 };
	bool ok = goes_on(vm) && save(vm, &snapshot);
	int fd = seal_open(other, RAVELIN_SEAL_LOAD);

	for (unsigned int i = 0; ok && i < snapshot.count / 2; i++) {
		ok = expect("a record", put(fd, snapshot.record[i]), 0);
	}
	ok = ok && expect("load twice", seal_open(other, RAVELIN_SEAL_LOAD), -EBUSY) &&
	     expect("save half", seal_open(other, RAVELIN_SEAL_SAVE), -ENXIO) &&
	     expect("memory", ioctl(other->fd, KVM_SET_USER_MEMORY_REGION, &gone), -1);
	vm_load(other, PAYLOAD_LOOP, 0x77);
	ok = ok &&
	     expect("after a reset", put(fd, snapshot.record[snapshot.count / 2]), -ECANCELED);
	close(fd);
	ok = ok && goes_on(other);
	vm_free(other);
	/* Another VM than the saved one. */
	other = vm_make(device_protected, 2, PAYLOAD_SPIN, 0);
	ok = ok && expect("other vCPUs", load(other, &snapshot), -EINVAL);
	vm_free(other);
	/* Given up, it is off; then as often as one likes. */
	other = vm_make(device_protected, 1, PAYLOAD_SPIN, 0);
	close(seal_open(other, RAVELIN_SEAL_LOAD));
	ok = ok && expect("off", seal_open(other, RAVELIN_SEAL_SAVE), -ENXIO) &&
	     expect("again", load(other, &snapshot), 0) && goes_on(other) && goes_on(vm);
	forget(&snapshot);
	vm_free(other);
	vm_free(vm);
	return ok;
}

/* ---- bent streams ---- */

/* Changes one thing of one record, in one of many ways. Returns false if that may be harmless. */
static bool bend(struct record *record)
{
	uint64_t *words = (uint64_t *)&record->head;
	uint32_t bytes = record->head.bytes;

	switch (random() % 4) {
	case 0: /* The head, kind and size for once together, then a bit alone. */
		words[(size_t)random() % 5] = (uint64_t)random() << (random() % 34);
		break;
	case 1:
		words[(size_t)random() % 5] ^= 1ull << (random() % 64);
		break;
	case 2:
		record->head.bytes = (uint32_t)(random() % (RAVELIN_SEAL_CONTENT_MAX + 64));
		break;
	default:
		if (bytes == 0) {
			record->head.what ^= 1;
		} else {
			record->content[(size_t)random() % bytes] ^= (uint8_t)(1 + random() % 255);
		}
	}
	if (record->head.bytes > RAVELIN_SEAL_CONTENT_MAX) {
		record->head.bytes = RAVELIN_SEAL_CONTENT_MAX + 1;
	}
	return record->head.kind != RAVELIN_SEAL_HOST;
}

static bool is_same(const struct record *a, const struct record *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

/* The host's own record may say much that is different and still in order. */
static bool one_bent(struct vm *vm, struct snapshot *good)
{
	unsigned int at = (unsigned int)random() % good->count;
	struct record *was = good->record[at], *bent = calloc(1, sizeof(*bent));
	bool must_fail;
	long result;

	*bent = *was;
	must_fail = bend(bent) && was->head.kind != RAVELIN_SEAL_HOST && !is_same(bent, was);
	good->record[at] = bent;
	result = load(vm, good);
	good->record[at] = was;
	if (must_fail && result == 0) {
		note("record %u: kind %u at %llx what %llx, bent, is taken", at, bent->head.kind,
		     (unsigned long long)bent->head.at, (unsigned long long)bent->head.what);
	}
	free(bent);
	/* Its memory is its own again. */
	vm_load(vm, PAYLOAD_LOOP, 0x77);
	return !must_fail || result != 0;
}

/* Left out, twice, or two of them exchanged. */
static bool one_disordered(struct vm *vm, const struct snapshot *good)
{
	struct snapshot other = *good;
	unsigned int at = (unsigned int)random() % (good->count - 1);
	long result;

	switch (random() % 3) {
	case 0:
		memmove(&other.record[at], &other.record[at + 1],
			(other.count - at - 1) * sizeof(other.record[0]));
		other.count--;
		break;
	case 1:
		other.record[at + 1] = other.record[at];
		break;
	default:
		other.record[at] = good->record[at + 1];
		other.record[at + 1] = good->record[at];
	}
	result = load(vm, &other);
	vm_load(vm, PAYLOAD_LOOP, 0x77);
	return result != 0 || expect("a disordered stream", result, -EKEYREJECTED);
}

static bool bent_streams(void)
{
	struct vm *vm = make_loop(), *other = vm_make(device_protected, 1, PAYLOAD_SPIN, 0);
	struct snapshot snapshot = { .count = 0 };
	bool ok = goes_on(vm) && save(vm, &snapshot);

	srandom(20261126);
	for (int i = 0; ok && i < BENT_STREAMS; i++) {
		ok = i % 4 ? one_bent(other, &snapshot) : one_disordered(other, &snapshot);
	}
	ok = ok && goes_on(other);
	vm_load(other, PAYLOAD_SPIN, 0);
	ok = ok && expect("the good one", load(other, &snapshot), 0) && goes_on(other);
	forget(&snapshot);
	vm_free(other);
	vm_free(vm);
	return ok;
}

static void test(const char *name, bool (*function)(void))
{
	test_begin(name);
	test_end(function());
}

void test_snapshots(void)
{
	test("snapshots: a guest goes on in another VM, also from a device read", device_access);
	test("snapshots: from within interrupt handlers", interrupts);
	test("snapshots: only of what stands still, and until it is reset", states);
	test("snapshots: half of one does not run; a whole one opens twice", half_loaded);
	test("snapshots: 400 bent streams are refused and leave nothing behind", bent_streams);
}
