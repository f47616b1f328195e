// SPDX-License-Identifier: LGPL-2.1-or-later
/* diff.c - the extents of a source that differ between two cuts, or a cut and now */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "private.h"

struct cohort_diff {
	struct cohort *ctx;		/* referenced */
	char *relationship;
	char *other;			/* NULL: now */
	char *source;
	struct diff_page page;
	size_t at;			/* in the page */
	bool begun;			/* a page was read, the epochs are those of the cuts */
};

static int take_u64(const struct nlattr *attr, uint64_t *value)
{
	if (nla_len(attr) != sizeof(*value))
		return -EBADMSG;
	*value = nla_get_u64(attr);
	return 0;
}

static int take_range(struct diff_page *page, const struct nlattr *nest)
{
	const struct nlattr *attr = nla_data(nest);
	struct diff_extent extent = { 0 };
	int len = nla_len(nest), err = 0;

	for (; !err && nla_ok(attr, len); attr = nla_next(attr, &len))
		if (nla_type(attr) == COHORT_A_RANGE_OFFSET)
			err = take_u64(attr, &extent.offset);
		else if (nla_type(attr) == COHORT_A_RANGE_LENGTH)
			err = take_u64(attr, &extent.length);
	if (err || !extent.length)
		return -EBADMSG;
	if (page->count == page->room) {
		const size_t room = page->room ? 2 * page->room : 64;
		struct diff_extent *grown = realloc(page->extents, room * sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		page->extents = grown;
		page->room = room;
	}
	page->extents[page->count++] = extent;
	return 0;
}

int diff_page_parse(const struct nlattr *attrs, int len, struct diff_page *page)
{
	const struct nlattr *attr = attrs;
	int err = 0;

	for (; !err && nla_ok(attr, len); attr = nla_next(attr, &len))
		switch (nla_type(attr)) {
		case COHORT_A_EXTENT_RANGE:
			err = take_range(page, attr);
			break;
		case COHORT_A_EXTENT_NEXT:
			err = take_u64(attr, &page->next);
			break;
		case COHORT_A_EXTENT_SIZE:
			err = take_u64(attr, &page->size);
			break;
		case COHORT_A_EXTENT_EPOCH:
			err = take_u64(attr, &page->epoch);
			break;
		case COHORT_A_EXTENT_OTHER_EPOCH:
			err = take_u64(attr, &page->other_epoch);
			break;
		}
	return err;
}

static int take_page(int cmd, const struct nlattr *attrs, int len, void *data)
{
	(void)cmd;
	return diff_page_parse(attrs, len, data);
}

static int ask(struct cohort_diff *diff, uint64_t offset)
{
	struct request r;

	request_new(&r, COHORT_CMD_EXTENT_GET, 0);
	request_str(&r, COHORT_A_EXTENT_RELATIONSHIP, diff->relationship);
	request_str(&r, COHORT_A_EXTENT_OTHER, diff->other);
	request_str(&r, COHORT_A_EXTENT_SOURCE, diff->source);
	request_u64(&r, COHORT_A_EXTENT_OFFSET, offset);
	return exchange(diff->ctx, &r, false, take_page, &diff->page);
}

/* The page behind the one that is used up. Of the same cuts, and further on, or an error. */
static int next_page(struct cohort_diff *diff)
{
	struct diff_page *page = &diff->page;
	const uint64_t from = page->next, epoch = page->epoch, other_epoch = page->other_epoch;
	int ret;

	page->count = 0;
	diff->at = 0;
	ret = ask(diff, from);
	if (ret)
		return ret;
	if (diff->begun && (page->epoch != epoch || page->other_epoch != other_epoch))
		return fail_errno(diff->ctx, ESTALE, "Synchronization",
				  "relationship \"%s\" or what it is compared with was made anew meanwhile",
				  diff->relationship);
	if (page->next <= from && page->next < page->size)
		return fail_errno(diff->ctx, EBADMSG, NULL, "the module's answer makes no sense");
	diff->begun = true;
	return 0;
}

static bool page_ended(const struct cohort_diff *diff)
{
	return diff->at == diff->page.count;
}

static bool all_read(const struct cohort_diff *diff)
{
	return page_ended(diff) && diff->begun && diff->page.next >= diff->page.size;
}

/* Reads on until there is an extent, or no more. */
static int look_on(struct cohort_diff *diff)
{
	int ret = 0;

	while (!ret && page_ended(diff) && !all_read(diff))
		ret = next_page(diff);
	return ret;
}

static int check_names(struct cohort *ctx, const char *relationship, const char *other,
		       const char *source)
{
	int ret = check_name(ctx, "Synchronization", relationship);

	if (!ret && other)
		ret = check_name(ctx, "Other", other);
	return ret ? ret : check_name(ctx, "Source", source);
}

static struct cohort_diff *diff_new(struct cohort *ctx, const char *relationship,
				    const char *other, const char *source)
{
	struct cohort_diff *diff = calloc(1, sizeof(*diff));

	if (!diff)
		return NULL;
	diff->ctx = cohort_ref(ctx);
	diff->relationship = strdup(relationship);
	diff->other = other ? strdup(other) : NULL;
	diff->source = strdup(source);
	if (diff->relationship && diff->source && (diff->other || !other))
		return diff;
	cohort_diff_free(diff);
	return NULL;
}

EXPORT int cohort_diff_new(struct cohort *ctx, const char *relationship, const char *other,
			   const char *source, struct cohort_diff **ret)
{
	int result = check_names(ctx, relationship, other, source);
	struct cohort_diff *diff;

	if (result)
		return result;
	diff = diff_new(ctx, relationship, other, source);
	if (!diff)
		return fail_memory(ctx);
	result = look_on(diff);
	if (result)
		cohort_diff_free(diff);
	else
		*ret = diff;
	return result;
}

EXPORT int cohort_diff_next(struct cohort_diff *diff, uint64_t *offset, uint64_t *length)
{
	struct diff_extent extent = { 0 };
	int ret = look_on(diff);

	/* what goes on where it ended was cut in two by the end of an answer */
	while (!ret && !page_ended(diff)) {
		const struct diff_extent *e = &diff->page.extents[diff->at];

		if (extent.length && e->offset != extent.offset + extent.length)
			break;
		if (!extent.length)
			extent.offset = e->offset;
		extent.length += e->length;
		diff->at++;
		ret = look_on(diff);
	}
	if (ret)
		return ret;
	*offset = extent.offset;
	*length = extent.length;
	return 0;
}

EXPORT void cohort_diff_free(struct cohort_diff *diff)
{
	if (!diff)
		return;
	cohort_unref(diff->ctx);
	free(diff->relationship);
	free(diff->other);
	free(diff->source);
	free(diff->page.extents);
	free(diff);
}
