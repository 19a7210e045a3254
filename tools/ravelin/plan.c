/* SPDX-License-Identifier: BSD-3-Clause */
#include "plan.h"

#include "text.h"

#include <cv/manifest.h>

#include <stdlib.h>
#include <string.h>

static bool has_room(const struct plan *plan, const char *command)
{
	return plan->image_count + plan->parameter_count < RV_IMAGES_MAX ||
	       fail("%s: more than %d images and parameters", command, RV_IMAGES_MAX);
}

bool plan_add_image(struct plan *plan, const char *command, const char *text)
{
	const char *at = strrchr(text, '@');
	struct plan_image *image = &plan->image[plan->image_count];
	char *path;

	if (!has_room(plan, command)) {
		return false;
	}
	if (!at || at == text || !text_number(at + 1, &image->gpa)) {
		return fail("%s: '%s' is not FILE@GPA", command, text);
	}
	path = strndup(text, (size_t)(at - text));
	if (!path) {
		return fail("not enough memory");
	}
	image->path = path;
	plan->image_count++;
	return true;
}

bool plan_add_parameter(struct plan *plan, const char *command, const char *text)
{
	struct plan_range *range = &plan->parameter[plan->parameter_count];
	const char *colon = strchr(text, ':');
	char gpa[32];

	if (!has_room(plan, command)) {
		return false;
	}
	if (plan->parameter_count == MANIFEST_PARAMETERS_MAX) {
		return fail("%s: more than %d parameters", command, MANIFEST_PARAMETERS_MAX);
	}
	if (colon && (size_t)(colon - text) < sizeof(gpa)) {
		memcpy(gpa, text, (size_t)(colon - text));
		gpa[colon - text] = 0;
		if (text_number(gpa, &range->gpa) && text_number(colon + 1, &range->bytes)) {
			plan->parameter_count++;
			return true;
		}
	}
	return fail("%s: '%s' is not GPA:BYTES", command, text);
}

bool plan_set_entry(struct plan *plan, const char *command, const char *text)
{
	plan->has_entry = text_number(text, &plan->entry);
	return plan->has_entry || fail("%s: '%s' is not an address", command, text);
}

bool plan_set_vcpus(struct plan *plan, const char *command, const char *text)
{
	if (!text_number(text, &plan->vcpus_max) || plan->vcpus_max == 0 ||
	    plan->vcpus_max > VM_VCPUS_MAX) {
		return fail("%s: '%s' is not a number of vCPUs, 1 to %d", command, text,
			    VM_VCPUS_MAX);
	}
	return true;
}

bool plan_read_images(struct plan *plan)
{
	size_t i;

	for (i = 0; i < plan->image_count; i++) {
		if (!file_read(plan->image[i].path, "image", &plan->image[i].blob)) {
			return false;
		}
	}
	return true;
}

void plan_free(struct plan *plan)
{
	size_t i;

	for (i = 0; i < plan->image_count; i++) {
		blob_free(&plan->image[i].blob);
		free((char *)plan->image[i].path);
	}
	plan->image_count = 0;
}

uint64_t plan_entry(const struct plan *plan)
{
	return plan->has_entry ? plan->entry : plan->image[0].gpa;
}

static unsigned long long number(uint64_t value)
{
	return value;
}

static bool check_range(const char *what, uint64_t gpa, uint64_t bytes)
{
	const uint64_t limit = (uint64_t)1 << IPA_BITS;

	if (gpa % RV_PAGE_SIZE != 0) {
		return fail("%s: %#llx is not page aligned", what, number(gpa));
	}
	if (bytes == 0) {
		return fail("%s: the range at %#llx is empty", what, number(gpa));
	}
	if (gpa >= limit || bytes > limit - gpa) {
		return fail("%s: %#llx and %#llx bytes reach beyond guest memory (%d bits)", what,
			    number(gpa), number(bytes), IPA_BITS);
	}
	return true;
}

/* Whole pages count. */
static bool overlaps(uint64_t gpa, uint64_t bytes, uint64_t other_gpa, uint64_t other_bytes)
{
	return gpa < align_up(other_gpa + other_bytes, RV_PAGE_SIZE) &&
	       other_gpa < align_up(gpa + bytes, RV_PAGE_SIZE);
}

static bool check_apart(const struct plan *plan, size_t index)
{
	const struct plan_image *image = &plan->image[index];
	size_t i;

	for (i = 0; i < index; i++) {
		const struct plan_image *other = &plan->image[i];

		if (overlaps(image->gpa, image->blob.bytes, other->gpa, other->blob.bytes)) {
			return fail("%s: overlaps %s", image->path, other->path);
		}
	}
	for (i = 0; i < plan->parameter_count; i++) {
		const struct plan_range *range = &plan->parameter[i];

		if (overlaps(image->gpa, image->blob.bytes, range->gpa, range->bytes)) {
			return fail("%s: overlaps the parameters at %#llx", image->path,
				    number(range->gpa));
		}
	}
	return true;
}

static bool check_entry(const struct plan *plan)
{
	uint64_t entry = plan_entry(plan);
	size_t i;

	if (entry % 4 != 0) {
		return fail("the entry %#llx is not 4-byte aligned", number(entry));
	}
	for (i = 0; i < plan->image_count; i++) {
		const struct plan_image *image = &plan->image[i];

		if (entry >= image->gpa && entry - image->gpa < image->blob.bytes) {
			return true;
		}
	}
	return fail("the entry %#llx lies in no image", number(entry));
}

bool plan_check(const struct plan *plan)
{
	size_t i;

	for (i = 0; i < plan->parameter_count; i++) {
		if (!check_range("parameters", plan->parameter[i].gpa, plan->parameter[i].bytes)) {
			return false;
		}
	}
	for (i = 0; i < plan->image_count; i++) {
		const struct plan_image *image = &plan->image[i];

		if (!check_range(image->path, image->gpa, image->blob.bytes) ||
		    !check_apart(plan, i)) {
			return false;
		}
	}
	return check_entry(plan);
}
