/* SPDX-License-Identifier: BSD-3-Clause */
#include "call.h"

void call_both(const struct call *call, u64 subject, const char *what)
{
	struct outcome expected = call->spec(subject);
	struct outcome got = call->core(subject);

	if (got.status != expected.status || got.value != expected.value) {
		fake_fail("%s: status %d, value %#lx; specified: %d, %#lx", what, got.status,
			  got.value, expected.status, expected.value);
	}
	attach_vms();
}

bool is_left_dirty(u64 subject, const struct spec_page *before)
{
	const struct spec_page *after = spec_page(&spec, subject);

	return after != NULL && after->owner != before->owner && after->owner != OWNER_CORE &&
	       after->token == 0 && !fake_page_is_zero(subject);
}
