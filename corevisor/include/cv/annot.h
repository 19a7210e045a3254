/* SPDX-License-Identifier: BSD-3-Clause */
/* clang's thread-safety attributes, empty for other compilers. The hosted build checks them (-Wthread-safety -Werror). */
#ifndef CV_ANNOT_H
#define CV_ANNOT_H

#if defined(__clang__)
#define CV_ATTR(x) __attribute__((x))
#else
#define CV_ATTR(x)
#endif

#define CV_CAPABILITY CV_ATTR(capability("lock"))
#define CV_REQUIRES(...) CV_ATTR(requires_capability(__VA_ARGS__))
#define CV_ACQUIRE(...) CV_ATTR(acquire_capability(__VA_ARGS__))
#define CV_RELEASE(...) CV_ATTR(release_capability(__VA_ARGS__))
#define CV_EXCLUDES(...) CV_ATTR(locks_excluded(__VA_ARGS__))
#define CV_NO_LOCK_ANALYSIS CV_ATTR(no_thread_safety_analysis)

#endif
