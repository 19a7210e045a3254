/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a cell calls: on the core and on the specification, which must say the same. calls_*.c hold
 * the calls by subject, each file one table.
 */
#ifndef CALL_H
#define CALL_H

#include "scene.h"

struct outcome {
	enum cv_status status;
	u64 value; /* 0 unless the status is CV_OK */
};

struct call {
	const char *name;
	struct outcome (*core)(u64 subject);
	struct outcome (*spec)(u64 subject);
};

/* The tables; each ends with a call without a name. */
extern const struct call vm_calls[];
extern const struct call memory_calls[];
extern const struct call image_calls[];
extern const struct call seal_calls[];
extern const struct call block_calls[];
extern const struct call dma_calls[];

/* Defines a call by two expressions, of the subject `p` and for the value `v`. Several calls in a
 * row are `a ?: b ?: c`: they go on until one is refused. */
#define CALL(name, core_expression, spec_expression) \
	ONE_SIDE(core, name, core_expression)        \
	ONE_SIDE(spec, name, spec_expression)
#define ONE_SIDE(side, name, expression)                                    \
	static struct outcome do_##side##_##name(u64 p)                     \
	{                                                                   \
		u64 v = 0;                                                  \
		enum cv_status status = expression;                         \
		(void)p;                                                    \
		return (struct outcome){ status, status == CV_OK ? v : 0 }; \
	}
_Static_assert(CV_OK == 0, "?: stops at the first refusal");
/* The same arguments on both sides */
#define SAME(name, core_call, spec_call, ...) \
	CALL(name, core_call(__VA_ARGS__), spec_call(&spec, __VA_ARGS__))
#define ENTRY(name)                                   \
	{                                             \
#name, do_core_##name, do_spec_##name \
	}

/* Makes the call on both sides; the outcomes must be equal. */
void call_both(const struct call *call, u64 subject, const char *what);
/* The subject came to somebody else, who must find zeros and does not. `before`: as it was. */
bool is_left_dirty(u64 subject, const struct spec_page *before);

#endif
