/* SPDX-License-Identifier: BSD-3-Clause */
/* access.S */
#ifndef TEST_GUEST_ACCESS_H
#define TEST_GUEST_ACCESS_H

#include "env.h"

#define ACCESSES(X)                                                                                \
	X(load_byte)                                                                               \
	X(load) X(load_pair) X(load_vector) X(load_acquire) X(load_exclusive) X(load_unprivileged) \
		X(store_byte) X(store) X(store_pair) X(store_vector) X(store_release)              \
			X(store_unprivileged) X(store_exclusive) X(lse_add) X(lse_swap)            \
				X(lse_compare) X(zero_block) X(clean_invalidate) X(clean)          \
					X(clean_pou) X(invalidate) X(invalidate_code) X(prefetch)  \
						X(fetch) X(at_read) X(at_write) X(at_user_read)
#define DECLARE_ACCESS(name) u64 access_##name(u64 address, u64 value);
ACCESSES(DECLARE_ACCESS)

#endif
