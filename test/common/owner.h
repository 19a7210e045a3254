/* SPDX-License-Identifier: BSD-3-Clause */
/* A VM's owner, for tests on the PC: a key pair, and what `ravelin sign` does with it. */
#ifndef TEST_OWNER_H
#define TEST_OWNER_H

#include <ravelin/abi.h>
#include <stdbool.h>
#include <stdint.h>

struct owner {
	uint32_t curve; /* enum rv_curve */
	uint8_t secret[48];
	uint8_t public_key[96]; /* x, y */
	uint64_t words[4];	/* its hash, as RV_VM_CREATE wants it */
};

struct owner_image {
	uint64_t gpa;
	uint64_t bytes;
	const void *data; /* NULL: a parameter range */
};

struct owner_policy {
	uint64_t entry;
	uint32_t vcpus_max; /* 0: not said */
	bool may_be_saved;
};

/* The same number makes the same owner. */
void owner_make(struct owner *owner, uint32_t curve, uint8_t number);
/* Fills the launch page. Aborts if the manifest does not fit. */
void owner_sign(const struct owner *owner, const struct owner_policy *policy,
		const struct owner_image *images, uint32_t count, struct rv_launch *launch);
/* Signs whatever stands in launch->manifest. */
void owner_sign_blob(const struct owner *owner, struct rv_launch *launch);

#endif
