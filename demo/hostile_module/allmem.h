/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-3-Clause) */
/* What the scanner and the hostile module say to each other through /dev/allmem. */
#ifndef DEMO_ALLMEM_H
#define DEMO_ALLMEM_H

#ifdef __KERNEL__
#include <linux/ioctl.h>
#include <linux/types.h>
#else
#include <sys/ioctl.h>
#endif

#include "../common/search.h"

/* One request: read each 64-bit word of these pages of physical memory. */
struct allmem_pages {
	u64 first_pfn;
	u64 pages;
	/* The answer: read + refused == pages. */
	u64 read;
	u64 refused;
	u64 torn; /* among the refused: refused only after some words had been read */
	u64 hits; /* words found */
	u64 hit_pages;
};

#define ALLMEM_SET_TABLE _IOW('R', 1, struct search *) /* argument: a struct search */
#define ALLMEM_READ _IOWR('R', 2, struct allmem_pages)

#endif
