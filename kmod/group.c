// SPDX-License-Identifier: GPL-2.0-only
/* group.c - ordered sets of sources: in memory, as records, and by name. */
#include <linux/slab.h>
#include "group.h"
#include "pool.h"
#include "registry.h"
#include "source.h"

/* --- memory --- */

static struct cohort_source **copy_members(struct cohort_source **member, u32 count)
{
	/* cohort_lock is held: reclaim must not wait for a device of ours */
	struct cohort_source **copy = kvmalloc_array(count, sizeof(*copy), GFP_NOIO);

	if (copy)
		memcpy(copy, member, count * sizeof(*copy));
	return copy;
}

void cohort_members_count(struct cohort_source **member, u32 count, int by)
{
	u32 i;

	for (i = 0; i < count; i++)
		member[i]->groups += by;
}

bool cohort_members_have(struct cohort_source *const *member, u32 count,
			 const struct cohort_source *source)
{
	u32 i;

	for (i = 0; i < count; i++)
		if (member[i] == source)
			return true;
	return false;
}

struct cohort_group *cohort_group_alloc(struct cohort_pool *pool, const char *name, u32 kind,
					u32 flags, struct cohort_source **member, u32 count)
{
	struct cohort_group *group = kzalloc(sizeof(*group), GFP_NOIO);

	lockdep_assert_held(&cohort_lock);
	if (!group)
		return ERR_PTR(-ENOMEM);
	group->member = copy_members(member, count);
	if (!group->member) {
		kfree(group);
		return ERR_PTR(-ENOMEM);
	}
	INIT_LIST_HEAD(&group->list);
	group->pool = pool;
	group->id = pool->next_id++;
	group->kind = kind;
	group->flags = flags;
	group->count = count;
	strscpy(group->name, name, sizeof(group->name));
	return group;
}

void cohort_group_free(struct cohort_group *group)
{
	kvfree(group->member);
	kfree(group);
}

void cohort_group_link(struct cohort_group *group)
{
	lockdep_assert_held(&cohort_lock);
	list_add_tail(&group->list, &group->pool->groups);
	cohort_members_count(group->member, group->count, 1);
}

void cohort_group_unlink(struct cohort_group *group)
{
	lockdep_assert_held(&cohort_lock);
	list_del_init(&group->list);
	cohort_members_count(group->member, group->count, -1);
}

struct cohort_group *cohort_group_by_id(struct cohort_pool *pool, u32 id)
{
	struct cohort_group *group;

	lockdep_assert_held(&cohort_lock);
	list_for_each_entry(group, &pool->groups, list)
		if (group->id == id)
			return group;
	return NULL;
}

/* --- records --- */

size_t cohort_group_len_with(u32 count)
{
	return round_up(struct_size((struct cohort_disk_group *)NULL, member, count), 8);
}

size_t cohort_group_encode_with(const struct cohort_group *group,
				struct cohort_source *const *member, u32 count, void *buf)
{
	struct cohort_disk_group *d = buf;
	size_t len = cohort_group_len_with(count);
	u32 i;

	memset(d, 0, len);
	cohort_record_header(d, COHORT_REC_GROUP, group->id, len);
	d->kind = cpu_to_le32(group->kind);
	d->flags = cpu_to_le32(group->flags);
	d->count = cpu_to_le32(count);
	strscpy((char *)d->name, group->name, sizeof(d->name));
	for (i = 0; i < count; i++)
		d->member[i] = cpu_to_le32(member[i]->id);
	return len;
}

size_t cohort_group_record_len(const struct cohort_group *group)
{
	return cohort_group_len_with(group->count);
}

size_t cohort_group_encode(const struct cohort_group *group, void *buf)
{
	return cohort_group_encode_with(group, group->member, group->count, buf);
}

static int decode_members(struct cohort_pool *pool, const struct cohort_disk_group *d,
			  struct cohort_source **member, u32 count)
{
	u32 i;

	for (i = 0; i < count; i++) {
		member[i] = cohort_source_by_id(pool, le32_to_cpu(d->member[i]));
		if (!member[i] || cohort_members_have(member, i, member[i]))
			return -EUCLEAN;
	}
	return 0;
}

/* In place: relationships point to the group. */
void cohort_group_set_members(struct cohort_group *group, struct cohort_source **member, u32 count)
{
	lockdep_assert_held(&cohort_lock);
	cohort_members_count(member, count, 1);
	cohort_members_count(group->member, group->count, -1);
	kvfree(group->member);
	group->member = member;
	group->count = count;
}

/* Gives the list to the group of that id, which is made when there is none. */
static int decode_apply(struct cohort_pool *pool, const struct cohort_disk_group *d,
			struct cohort_source **member, u32 count)
{
	u32 id = le32_to_cpu(d->hdr.id);
	struct cohort_group *group = cohort_group_by_id(pool, id);
	char name[COHORT_DISK_NAME];

	if (!id || id == U32_MAX || cohort_name_decode(name, d->name, sizeof(name)) || !name[0])
		return -EUCLEAN;
	if (!group) {
		if (cohort_find_group(name))
			return -EEXIST;
		group = cohort_group_alloc(pool, name, 0, 0, NULL, 0);
		if (IS_ERR(group))
			return PTR_ERR(group);
		group->id = id;
		cohort_group_link(group);
	}
	pool->next_id = max(pool->next_id, id + 1);
	group->kind = le32_to_cpu(d->kind);
	group->flags = le32_to_cpu(d->flags);
	strscpy(group->name, name, sizeof(group->name));
	cohort_group_set_members(group, member, count);
	return 0;
}

int cohort_group_decode(struct cohort_pool *pool, const void *record)
{
	const struct cohort_disk_group *d = record;
	u32 count = le32_to_cpu(d->count);
	u32 kind = le32_to_cpu(d->kind);
	struct cohort_source **member;
	int err;

	if (count > COHORT_MEMBERS_MAX)
		return -EUCLEAN;
	if (kind != COHORT_GROUP_KIND_SOURCE && (kind != COHORT_GROUP_KIND_TARGET || count))
		return -EUCLEAN;
	member = kvmalloc_array(count, sizeof(*member), GFP_NOIO);
	if (!member)
		return -ENOMEM;
	err = decode_members(pool, d, member, count);
	if (!err)
		err = decode_apply(pool, d, member, count);
	if (err)
		kvfree(member);
	return err;
}

/* --- checks --- */

static int check_source(struct cohort_pool *pool, struct cohort_source *source, const char *name,
			u32 index, struct cohort_words *words)
{
	if (!source || source->pool != pool)
		return source ? cohort_refuse_member(words, -EINVAL, index,
						     "source \"%s\" is in pool \"%s\", not in \"%s\"",
						     name, source->pool->name, pool->name) :
				cohort_refuse_member(words, -ENOENT, index,
						     "there is no source \"%s\"", name);
	if (source->pending || source->busy)
		return cohort_refuse_member(words, -EBUSY, index,
					    "source \"%s\" is being changed", name);
	return 0;
}

static int resolve(struct cohort_pool *pool, const char *const *names, u32 *count, bool twice,
		   struct cohort_source **member, struct cohort_words *words)
{
	u32 i, n = 0;
	int err;

	for (i = 0; i < *count; i++) {
		struct cohort_source *source = cohort_find_source(names[i]);

		if (!pool && source)
			pool = source->pool;
		err = check_source(pool, source, names[i], i, words);
		if (err)
			return err;
		if (!cohort_members_have(member, n, source))
			member[n++] = source;
		else if (!twice)
			return cohort_refuse_member(words, -EINVAL, i,
						    "source \"%s\" is named twice", names[i]);
	}
	*count = n;
	return 0;
}

struct cohort_source **cohort_members_resolve(struct cohort_pool *pool, const char *const *names,
					      u32 *count, bool twice, struct cohort_words *words)
{
	struct cohort_source **member;
	int err;

	lockdep_assert_held(&cohort_lock);
	if (*count > COHORT_MEMBERS_MAX)
		return ERR_PTR(cohort_refuse(words, -EINVAL, "a group has at most %u members",
					     COHORT_MEMBERS_MAX));
	member = kvmalloc_array(*count, sizeof(*member), GFP_NOIO);
	if (!member)
		return ERR_PTR(cohort_refuse(words, -ENOMEM, "out of memory"));
	err = resolve(pool, names, count, twice, member, words);
	if (!err)
		return member;
	kvfree(member);
	return ERR_PTR(err);
}

struct cohort_source **cohort_group_resolve(struct cohort_pool *pool, const char *const *names,
					    u32 count, struct cohort_words *words)
{
	return cohort_members_resolve(pool, names, &count, false, words);
}
