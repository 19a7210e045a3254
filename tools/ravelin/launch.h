/* SPDX-License-Identifier: BSD-3-Clause */
/* The launch page (struct rv_launch of abi.h; docs/launch.md): making, finding and checking it. */
#ifndef RAVELIN_TOOL_LAUNCH_H
#define RAVELIN_TOOL_LAUNCH_H

#include "key.h"
#include "plan.h"

/* Signs what the plan says. Pre: its images are read and hold at least one. */
bool launch_make(const struct plan *plan, const struct key *key, struct rv_launch *launch);

/* A file that holds a launch page: by itself, or behind an image. */
struct launch_file {
	const char *path;
	struct blob blob;
	size_t at; /* the page's offset: bytes of the image before it */
};
bool launch_open(const char *path, struct launch_file *file);
/* A copy: the page in the file may be at any address. */
struct rv_launch launch_page(const struct launch_file *file);

/*
 * What the corevisor checks of the page alone: form, key hash, signature, manifest; says what is
 * wrong. `owner`: the expected hash, NULL: any.
 */
bool launch_check(const struct rv_launch *launch, const char *path, const uint8_t *owner);
/* What it checks of the images. Pre: launch_check, and the images are read. */
bool launch_check_images(const struct rv_launch *launch, const struct plan *plan);
/*
 * Adds the image in front of the page to the plan, at the place that the manifest names. Pre:
 * launch_check.
 */
bool launch_take_image(const struct launch_file *file, struct plan *plan);

/* Everything about it, on standard output. Pre: launch_check. */
void launch_print(const struct rv_launch *launch);

#endif
