/* SPDX-License-Identifier: BSD-3-Clause */
/* What a guest's owner signs, as the command line gives it: images, parameters, policy. */
#ifndef RAVELIN_TOOL_PLAN_H
#define RAVELIN_TOOL_PLAN_H

#include "file.h"

#include <ravelin/abi.h>

struct plan_image {
	const char *path; /* names it in messages */
	uint64_t gpa;
	struct blob blob;
};

struct plan_range {
	uint64_t gpa;
	uint64_t bytes;
};

/* Images and parameters together are at most RV_IMAGES_MAX: so many can be loaded. */
struct plan {
	struct plan_image image[RV_IMAGES_MAX];
	size_t image_count;
	struct plan_range parameter[RV_IMAGES_MAX];
	size_t parameter_count;
	uint64_t entry;
	bool has_entry;	    /* else the first image's gpa */
	uint64_t vcpus_max; /* 0: as many as there can be */
	bool may_be_saved;
};

/* Options' values; messages begin with `command`. */
bool plan_add_image(struct plan *plan, const char *command, const char *text);	   /* FILE@GPA */
bool plan_add_parameter(struct plan *plan, const char *command, const char *text); /* GPA:BYTES */
bool plan_set_entry(struct plan *plan, const char *command, const char *text);
bool plan_set_vcpus(struct plan *plan, const char *command, const char *text);

/* Reads the images' files. */
bool plan_read_images(struct plan *plan);
/* Is it what the corevisor will take? Says why not. */
bool plan_check(const struct plan *plan);
uint64_t plan_entry(const struct plan *plan);
void plan_free(struct plan *plan);

#endif
