// SPDX-License-Identifier: GPL-2.0-or-later
/* The kinds of objects, as far as one code serves them all. */
#include "fail.h"
#include "kinds.h"
#include "objects.h"
#include "output.h"

#define DEFINE_LIST(kind)						\
static json_t *list_##kind(struct cohort *ctx)				\
{									\
	struct cohort_##kind *list;					\
	json_t *records;						\
									\
	if (cohort_##kind##_list(ctx, &list))				\
		return NULL;						\
	records = record_list(kind##_fields, list);			\
	cohort_##kind##_free(list);					\
	return records;							\
}

#define DEFINE_GET(kind)						\
static json_t *get_##kind(struct cohort *ctx, const char *name)	\
{									\
	struct cohort_##kind *object;					\
	json_t *record;							\
									\
	if (cohort_##kind##_get(ctx, name, &object))			\
		return NULL;						\
	record = record_make(kind##_fields, object);			\
	cohort_##kind##_free(object);					\
	return record;							\
}

DEFINE_LIST(pool)
DEFINE_LIST(source)
DEFINE_LIST(group)
DEFINE_LIST(relationship)
DEFINE_LIST(job)
DEFINE_GET(pool)
DEFINE_GET(source)
DEFINE_GET(group)
DEFINE_GET(relationship)

const struct kind kinds[KIND_COUNT] = {
	[KIND_POOL] = { "pool", "pools", pool_fields, NULL,
			list_pool, get_pool },
	[KIND_SOURCE] = { "source", "sources", source_fields, NULL,
			  list_source, get_source },
	[KIND_GROUP] = { "group", "groups", group_fields, NULL,
			 list_group, get_group },
	[KIND_RELATIONSHIP] = { "relationship", "relationships",
				relationship_fields, image_fields,
				list_relationship, get_relationship },
	[KIND_JOB] = { "job", "jobs", job_fields, job_member_fields,
		       list_job, NULL },
};

int kind_list_as(struct app *app, enum kind_id id, const struct field *fields)
{
	json_t *records = kinds[id].list(app->ctx);

	if (!records)
		return fail_library(app);
	return output_list(app, kinds[id].plural, fields, records);
}

int kind_list(struct app *app, enum kind_id id)
{
	return kind_list_as(app, id, kinds[id].fields);
}
