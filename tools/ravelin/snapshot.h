/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A snapshot's file: the records of include/ravelin/hostvisor.h, one after the other. Here only
 * what a person needs to be told is checked; the rest is the corevisor's.
 */
#ifndef RAVELIN_TOOL_SNAPSHOT_H
#define RAVELIN_TOOL_SNAPSHOT_H

#include "ravelin.h"

#include <ravelin/hostvisor.h>

#include <stdio.h>

struct snapshot_record {
	struct ravelin_seal_record head;
	uint8_t content[RAVELIN_SEAL_CONTENT_MAX];
};

/* What has been seen of a snapshot. */
struct snapshot {
	const char *path;
	uint32_t last; /* kind; 0: nothing yet */
	uint64_t pages;
	struct rv_seal_header header;
};

/* Takes note of the next record. False, said why: it cannot be that. */
bool snapshot_add(struct snapshot *snapshot, const struct snapshot_record *record);
/* Reads the next record and takes note of it. False: said why, or was_last. */
bool snapshot_read(FILE *file, struct snapshot *snapshot, struct snapshot_record *record,
		   bool *was_last);
/* "NAME: 2 vCPUs, ..." on standard output. */
void snapshot_print(const struct snapshot *snapshot);

#endif
