// SPDX-License-Identifier: GPL-2.0-or-later
/* cohortctl show: all that is known of what has a name. */
#include <errno.h>
#include <string.h>

#include "fail.h"
#include "kinds.h"
#include "objects.h"
#include "output.h"
#include "parse.h"

static bool is_absent(struct cohort *ctx)
{
	struct cohort_error error;

	cohort_get_error(ctx, &error);
	return error.err == ENOENT &&
	       error.code == COHORT_RESULT_INVALID_PARAMETER;
}

/* An image is known as a member of its relationship only. */
static json_t *image_get(struct cohort *ctx, const char *name)
{
	const struct cohort_relationship *rel;
	const struct cohort_member *member;
	struct cohort_relationship *list;
	json_t *record = NULL;

	if (cohort_relationship_list(ctx, &list))
		return NULL;
	cohort_foreach(rel, list)
		cohort_foreach(member, rel->members)
			if (!record && member->name &&
			    !strcmp(member->name, name))
				record = record_make(image_fields, member);
	cohort_relationship_free(list);
	return record;
}

/* A name may be that of a group and of a device: all are shown. */
static int find(struct app *app, const char *name, json_t *found)
{
	json_t *image;

	for (int i = 0; i < KIND_COUNT; i++) {
		json_t *record = kinds[i].get ?
			kinds[i].get(app->ctx, name) : NULL;

		if (record)
			json_object_set_new(found, kinds[i].name, record);
		else if (kinds[i].get && !is_absent(app->ctx))
			return fail_library(app);
	}
	image = image_get(app->ctx, name);
	if (image)
		json_object_set_new(found, "image", image);
	return json_object_size(found) ? EXIT_OK :
		fail_errno(app, ENOENT, "nothing is called '%s'", name);
}

static bool is_clone(const json_t *record)
{
	const char *type = json_string_value(json_object_get(record, "SyncType"));

	return type && !strcmp(type, cohort_sync_type_name(COHORT_SYNC_TYPE_CLONE));
}

/* The members of a clone have columns of their own. */
static int print_kind(struct app *app, const struct kind *kind, const json_t *record)
{
	struct kind shown = *kind;

	if (is_clone(record))
		shown.member_fields = clone_fields;
	return output_fields(app, &shown, record);
}

static int print(struct app *app, const json_t *found)
{
	const json_t *image = json_object_get(found, "image");
	int code = EXIT_OK;

	for (int i = 0; !code && i < KIND_COUNT; i++) {
		const json_t *record = json_object_get(found, kinds[i].name);

		if (record)
			code = print_kind(app, &kinds[i], record);
	}
	if (!code && image)
		code = output_fields(app, &(struct kind){
			.name = "image", .fields = image_fields }, image);
	return code;
}

static int show(struct app *app)
{
	json_t *found = json_object();
	int code = find(app, parse_name(app->argv[0]), found);

	if (!code && app->opts.json)
		return output_json(app, found);
	if (!code)
		code = print(app, found);
	json_decref(found);
	return code;
}

const struct verb verb_show = {
	.id = VERB_SHOW,
	.name = "show",
	.args = "NAME",
	.summary = "Show all of a pool, source, group, relationship or image",
	.complete = "@any",
	.min_args = 1,
	.max_args = 1,
	.run = show,
};
