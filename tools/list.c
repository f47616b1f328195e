// SPDX-License-Identifier: GPL-2.0-or-later
/* cohortctl list: one tree of pools, sources, groups, relationships, images. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fail.h"
#include "objects.h"
#include "output.h"

/* Everything the kernel knows, each list consistent in itself. */
struct all {
	struct cohort_pool *pools;
	struct cohort_source *sources;
	struct cohort_group *groups;
	struct cohort_relationship *relationships;
};

static const struct field tree_fields[] = {
	{ "name", "NAME", FIELD_TEXT, 0, NULL, NULL },
	{ "kind", "KIND", FIELD_TEXT, 0, NULL, NULL },
	{ "state", "STATE", FIELD_TEXT, 0, NULL, NULL },
	{ "size", "SIZE", FIELD_SIZE, 0, NULL, NULL },
	{ "used", "USED", FIELD_SIZE, 0, NULL, NULL },
	{ "cut", "CUT (UTC)", FIELD_TEXT, 0, NULL, NULL },
	{ NULL, NULL, FIELD_TEXT, 0, NULL, NULL }
};

static int all_get(struct app *app, struct all *all)
{
	if (cohort_pool_list(app->ctx, &all->pools) ||
	    cohort_source_list(app->ctx, &all->sources) ||
	    cohort_group_list(app->ctx, &all->groups) ||
	    cohort_relationship_list(app->ctx, &all->relationships))
		return fail_library(app);
	return EXIT_OK;
}

static void all_free(struct all *all)
{
	cohort_pool_free(all->pools);
	cohort_source_free(all->sources);
	cohort_group_free(all->groups);
	cohort_relationship_free(all->relationships);
}

static json_t *row_new(const char *name, const char *kind, const char *state)
{
	return json_pack("{ss?sssss[]}", "name", name, "kind", kind,
			 "state", state, "children");
}

static void row_set(json_t *row, const char *key, json_t *value)
{
	if (value)
		json_object_set_new(row, key, value);
}

static void row_add(json_t *row, json_t *child)
{
	json_array_append_new(json_object_get(row, "children"), child);
}

static json_t *source_row(const struct cohort_source *source)
{
	json_t *row = row_new(source->name, "source",
			      cohort_source_state_name(source->state));

	row_set(row, "size", json_integer((json_int_t)source->size));
	return row;
}

/* The members as rows: the tree shows which sources a group holds. */
static json_t *group_row(const struct cohort_group *group)
{
	const struct cohort_member *member;
	json_t *row = row_new(group->name,
			      group->kind == COHORT_GROUP_KIND_TARGET ?
			      "target group" : "group", "-");

	cohort_foreach(member, group->members)
		row_add(row, row_new(member->name, "member", "-"));
	return row;
}

static json_t *image_row(const struct cohort_member *member)
{
	const char *state = member->copy_state ?
		cohort_copy_state_name(member->copy_state) : "-";
	json_t *row = row_new(member->name, "image", state);

	row_set(row, "kind", json_sprintf("%s of %s", member->target ? "clone" : "image",
					  member->source ?: "?"));
	row_set(row, "size", json_integer((json_int_t)member->size));
	row_set(row, "cut", record_time(member->time));
	return row;
}

/* Of a clone that is not whole: how much of it is on its targets. */
static void copied_words(const struct cohort_relationship *rel, char *words, size_t size)
{
	const bool told = rel->sync_type == COHORT_SYNC_TYPE_CLONE &&
			  (rel->copy_state == COHORT_COPY_STATE_UNSYNCHRONIZED ||
			   rel->copy_state == COHORT_COPY_STATE_SUSPENDED);

	words[0] = '\0';
	if (told)
		snprintf(words, size, ", %u %%", rel->percent_synced);
}

static json_t *relationship_row(const struct cohort_relationship *rel)
{
	const char *state = cohort_copy_state_name(rel->copy_state);
	const struct cohort_member *member;
	json_t *row = row_new(rel->name, "-", state);
	char copied[32];

	row_set(row, "kind",
		json_sprintf("%s of %s", cohort_sync_type_name(rel->sync_type),
			     rel->source_group ?: "?"));
	copied_words(rel, copied, sizeof(copied));
	row_set(row, "state", json_sprintf("%s%s%s", state, copied,
					   relationship_is_consistent(rel) ? "" :
					   ", not consistent"));
	row_set(row, "used", json_integer((json_int_t)rel->space_consumed));
	row_set(row, "cut", record_time(rel->when_synced));
	cohort_foreach(member, rel->members)
		row_add(row, image_row(member));
	return row;
}

static bool in_pool(const char *pool, const char *name)
{
	return pool && !strcmp(pool, name);
}

/* The members of a target group in use are the images of a relationship. */
static bool is_told_below(const struct cohort_group *group)
{
	return group->kind == COHORT_GROUP_KIND_TARGET && group->relationships;
}

static json_t *pool_row(const struct cohort_pool *pool, const struct all *all)
{
	const struct cohort_relationship *rel;
	const struct cohort_source *source;
	const struct cohort_group *group;
	json_t *row = row_new(pool->name, "pool",
			      cohort_pool_state_name(pool->state));

	row_set(row, "size", json_integer((json_int_t)pool->size));
	row_set(row, "used", json_integer((json_int_t)pool->used));
	cohort_foreach(source, all->sources)
		if (in_pool(source->pool, pool->name))
			row_add(row, source_row(source));
	cohort_foreach(group, all->groups)
		if (in_pool(group->pool, pool->name) && !is_told_below(group))
			row_add(row, group_row(group));
	cohort_foreach(rel, all->relationships)
		if (in_pool(rel->pool, pool->name))
			row_add(row, relationship_row(rel));
	return row;
}

static json_t *all_rows(const struct all *all)
{
	const struct cohort_pool *pool;
	json_t *rows = json_array();

	cohort_foreach(pool, all->pools)
		json_array_append_new(rows, pool_row(pool, all));
	return rows;
}

static json_t *all_record(const struct all *all)
{
	return json_pack("{sosososo}",
			 "pools", record_list(pool_fields, all->pools),
			 "sources", record_list(source_fields, all->sources),
			 "groups", record_list(group_fields, all->groups),
			 "relationships", record_list(relationship_fields,
						      all->relationships));
}

static int list(struct app *app)
{
	struct all all = { 0 };
	int code = all_get(app, &all);

	if (!code && app->opts.json)
		code = output_json(app, all_record(&all));
	else if (!code)
		code = output_tree(app, tree_fields, all_rows(&all));
	all_free(&all);
	return code;
}

const struct verb verb_list = {
	.id = VERB_LIST,
	.name = "list",
	.args = "",
	.summary = "Show pools, sources, groups, relationships and images as a tree",
	.notes = "Times are UTC. In JSON the four kinds are four arrays, images are Members.",
	.run = list,
};
