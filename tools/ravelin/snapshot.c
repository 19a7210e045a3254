/* SPDX-License-Identifier: BSD-3-Clause */
#include "snapshot.h"
#include "text.h"

#include <errno.h>
#include <string.h>

static bool add_header(struct snapshot *snapshot, const struct snapshot_record *record)
{
	struct rv_seal_header *header = &snapshot->header;

	if (record->head.kind != RAVELIN_SEAL_HEADER || record->head.bytes != sizeof(*header)) {
		return fail("%s: no snapshot of a VM", snapshot->path);
	}
	memcpy(header, record->content, sizeof(*header));
	if (header->magic != RV_SEAL_MAGIC) {
		return fail("%s: no snapshot of a VM", snapshot->path);
	}
	if (header->version != RV_SEAL_VERSION) {
		return fail("%s: a snapshot of version %u; this program knows %u", snapshot->path,
			    (unsigned int)header->version, RV_SEAL_VERSION);
	}
	if (header->ram_count > RV_RAM_RANGES) {
		return fail("%s: damaged: too many ranges of RAM", snapshot->path);
	}
	return true;
}

static bool is_content_size(const struct ravelin_seal_record *head)
{
	switch (head->kind) {
	case RAVELIN_SEAL_HOST:
		return head->bytes <= RAVELIN_SEAL_CONTENT_MAX;
	case RAVELIN_SEAL_PAGE:
		return head->bytes == (head->what & RV_SEAL_BACKED ? RAVELIN_SEAL_PAGE_BYTES : 0);
	default:
		return head->bytes == RAVELIN_SEAL_PAGE_BYTES;
	}
}

/* Does `kind` go behind `last`? */
static bool is_in_order(uint32_t last, uint32_t kind)
{
	if (last < RAVELIN_SEAL_VCPU) {
		return kind == last + 1;
	}
	return kind >= last && kind <= RAVELIN_SEAL_END && last != RAVELIN_SEAL_END;
}

bool snapshot_add(struct snapshot *snapshot, const struct snapshot_record *record)
{
	if (snapshot->last == 0) {
		if (!add_header(snapshot, record)) {
			return false;
		}
	} else if (!is_in_order(snapshot->last, record->head.kind) ||
		   !is_content_size(&record->head)) {
		return fail("%s: damaged: a record that cannot be there", snapshot->path);
	}
	snapshot->last = record->head.kind;
	snapshot->pages += record->head.kind == RAVELIN_SEAL_PAGE && record->head.bytes > 0;
	return true;
}

static bool read_failed(FILE *file, const struct snapshot *snapshot)
{
	if (ferror(file)) {
		return fail("%s: cannot read: %s", snapshot->path, strerror(errno));
	}
	if (snapshot->last == 0) {
		return fail("%s: no snapshot of a VM", snapshot->path);
	}
	return fail("%s: incomplete: its end is missing", snapshot->path);
}

bool snapshot_read(FILE *file, struct snapshot *snapshot, struct snapshot_record *record,
		   bool *was_last)
{
	size_t n = fread(&record->head, 1, sizeof(record->head), file);

	*was_last = n == 0 && feof(file) && snapshot->last == RAVELIN_SEAL_END;
	if (*was_last) {
		return false;
	}
	if (n != sizeof(record->head)) {
		return read_failed(file, snapshot);
	}
	if (record->head.bytes > sizeof(record->content)) {
		return snapshot->last == 0
			       ? fail("%s: no snapshot of a VM", snapshot->path)
			       : fail("%s: damaged: a record that cannot be there", snapshot->path);
	}
	if (fread(record->content, 1, record->head.bytes, file) != record->head.bytes) {
		return read_failed(file, snapshot);
	}
	return snapshot_add(snapshot, record);
}

void snapshot_print(const struct snapshot *snapshot)
{
	const struct rv_seal_header *header = &snapshot->header;
	unsigned long long ram = 0;
	size_t i;

	for (i = 0; i < header->ram_count; i++) {
		ram += header->ram[i].pages;
	}
	printf("%s: %u vCPUs, %llu MiB of RAM, %llu pages in use; owner ", snapshot->path,
	       (unsigned int)header->vcpu_count, ram * RV_PAGE_SIZE >> 20,
	       (unsigned long long)snapshot->pages);
	print_hash(header->owner);
}
