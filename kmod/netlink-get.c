// SPDX-License-Identifier: GPL-2.0-only
/* netlink-get.c - answers questions: one object, or all of a kind. */
#include "compat.h"
#include "cut.h"
#include "epoch.h"
#include "group.h"
#include "gate.h"
#include "job.h"
#include "netlink.h"
#include "pool.h"
#include "registry.h"
#include "replica.h"
#include "source.h"

/* How the objects of a kind are found, for the question after one and for a dump. */
struct lookup {
	const struct cohort_nl_kind *kind;
	const char *what;
	/* Caller holds cohort_lock; NULL when there is none that is to be seen. */
	const void *(*find)(const struct nlattr *name);
	/*
	 * Visits what @cursor has not passed yet, moving it; stops at the first
	 * visit that does not return 0, and returns that.
	 */
	int (*walk)(u64 *cursor, int (*visit)(const void *object, void *arg), void *arg);
};

/* --- finding --- */

static const void *find_pool(const struct nlattr *name)
{
	return cohort_find_pool(nla_data(name));
}

static const void *find_source(const struct nlattr *name)
{
	const struct cohort_source *source = cohort_find_source(nla_data(name));

	return source && !source->pending ? source : NULL;
}

static const void *find_group(const struct nlattr *name)
{
	const struct cohort_group *group = cohort_find_group(nla_data(name));

	return group && !group->pending ? group : NULL;
}

static const void *find_rel(const struct nlattr *name)
{
	const struct cohort_rel *rel = cohort_find_rel(nla_data(name));

	return rel && !rel->pending ? rel : NULL;
}

static const void *find_job(const struct nlattr *id)
{
	return cohort_job_find(nla_get_u64(id));
}

/* --- walking: lists by position, which a change of generation makes void --- */

struct walk {
	u64 *cursor;
	int (*visit)(const void *object, void *arg);
	void *arg;
	u64 position;
};

/* The next object of the list is @object. */
static int step(struct walk *w, const void *object, bool hidden)
{
	int ret;

	if (w->position++ < *w->cursor)
		return 0;
	ret = hidden ? 0 : w->visit(object, w->arg);
	if (!ret)
		*w->cursor = w->position;
	return ret;
}

static int walk_pools(u64 *cursor, int (*visit)(const void *object, void *arg), void *arg)
{
	struct walk w = { cursor, visit, arg };
	const struct cohort_pool *pool;
	int ret = 0;

	list_for_each_entry(pool, &cohort_pools, list) {
		ret = step(&w, pool, false);
		if (ret)
			break;
	}
	return ret;
}

static int walk_sources(u64 *cursor, int (*visit)(const void *object, void *arg), void *arg)
{
	struct walk w = { cursor, visit, arg };
	const struct cohort_source *source;
	const struct cohort_pool *pool;
	int ret;

	list_for_each_entry(pool, &cohort_pools, list)
		list_for_each_entry(source, &pool->sources, list) {
			ret = step(&w, source, source->pending);
			if (ret)
				return ret;
		}
	return 0;
}

static int walk_groups(u64 *cursor, int (*visit)(const void *object, void *arg), void *arg)
{
	struct walk w = { cursor, visit, arg };
	const struct cohort_group *group;
	const struct cohort_pool *pool;
	int ret;

	list_for_each_entry(pool, &cohort_pools, list)
		list_for_each_entry(group, &pool->groups, list) {
			ret = step(&w, group, group->pending);
			if (ret)
				return ret;
		}
	return 0;
}

static int walk_rels(u64 *cursor, int (*visit)(const void *object, void *arg), void *arg)
{
	struct walk w = { cursor, visit, arg };
	const struct cohort_pool *pool;
	const struct cohort_rel *rel;
	int ret;

	list_for_each_entry(pool, &cohort_pools, list)
		list_for_each_entry(rel, &pool->rels, list) {
			ret = step(&w, rel, rel->pending);
			if (ret)
				return ret;
		}
	return 0;
}

/* By number: jobs come and go all the time. */
static int walk_jobs(u64 *cursor, int (*visit)(const void *object, void *arg), void *arg)
{
	const struct cohort_job *job;
	int ret;

	while ((job = cohort_job_next(*cursor))) {
		ret = visit(job, arg);
		if (ret)
			return ret;
		*cursor = job->id;
	}
	return 0;
}

static const struct lookup pools = { &cohort_nl_pool, "pool", find_pool, walk_pools };
static const struct lookup sources = { &cohort_nl_source, "source", find_source, walk_sources };
static const struct lookup groups = { &cohort_nl_group, "group", find_group, walk_groups };
static const struct lookup rels = { &cohort_nl_rel, "relationship", find_rel, walk_rels };
static const struct lookup jobs = { &cohort_nl_job, "job", find_job, walk_jobs };

/* --- one object --- */

static struct sk_buff *make_answer(const struct lookup *in, const void *object,
				   struct genl_info *info)
{
	/* cohort_lock is held: reclaim must not wait for a device of ours */
	struct sk_buff *skb = genlmsg_new(in->kind->size(object), GFP_NOIO);
	void *hdr;

	if (!skb)
		return ERR_PTR(-ENOMEM);
	hdr = genlmsg_put_reply(skb, info, &cohort_nl_family, 0, in->kind->get);
	if (!hdr || in->kind->put(skb, object, true)) {
		nlmsg_free(skb);
		return ERR_PTR(-EMSGSIZE);
	}
	genlmsg_end(skb, hdr);
	return skb;
}

static int refuse_unknown(const struct lookup *in, struct genl_info *info, struct nlattr *name)
{
	struct cohort_words words;

	if (in == &jobs)
		cohort_refuse(&words, -ENOENT, "there is no job %llu", nla_get_u64(name));
	else
		cohort_refuse(&words, -ENOENT, "there is no %s \"%s\"", in->what,
			      (char *)nla_data(name));
	return cohort_nl_refuse(info->extack, -ENOENT, name, words.text);
}

static int get_one(const struct lookup *in, struct genl_info *info)
{
	struct nlattr *name = info->attrs[in->kind->name];
	struct sk_buff *skb = NULL;
	const void *object;
	int err = cohort_nl_require(info, in->kind->name, in == &jobs ? "the id" : "the name");

	if (err)
		return err;
	mutex_lock(&cohort_lock);
	object = in->find(name);
	if (object)
		skb = make_answer(in, object, info);
	mutex_unlock(&cohort_lock);
	if (!object)
		return refuse_unknown(in, info, name);
	if (IS_ERR(skb))
		return cohort_nl_refuse(info->extack, PTR_ERR(skb), NULL, "no room for the answer");
	return genlmsg_reply(skb, info);
}

int cohort_nl_pool_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	return get_one(&pools, info);
}

int cohort_nl_source_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	return get_one(&sources, info);
}

int cohort_nl_group_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	return get_one(&groups, info);
}

int cohort_nl_relationship_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	return get_one(&rels, info);
}

int cohort_nl_job_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	return get_one(&jobs, info);
}

/* --- all of a kind --- */

struct dump {
	const struct lookup *in;
	struct sk_buff *skb;
	struct netlink_callback *cb;
};

/* What a dump keeps from one round to the next, in netlink_callback.ctx. */
struct progress {
	u64 cursor;
	bool permitted;
};

static int dump_one(const void *object, void *arg)
{
	const struct dump *d = arg;
	const struct cohort_nl_kind *kind = d->in->kind;
	void *hdr = genlmsg_put(d->skb, NETLINK_CB(d->cb->skb).portid, d->cb->nlh->nlmsg_seq,
				&cohort_nl_family, NLM_F_MULTI, kind->get);

	if (!hdr)
		return -EMSGSIZE;
	genl_dump_check_consistent(d->cb, hdr);
	if (kind->put(d->skb, object, true)) {
		genlmsg_cancel(d->skb, hdr);
		/* the next buffer has room for it */
		d->cb->min_dump_alloc = max_t(u32, d->cb->min_dump_alloc, kind->size(object));
		return -EMSGSIZE;
	}
	genlmsg_end(d->skb, hdr);
	return 0;
}

static int check_dump(struct netlink_callback *cb)
{
	struct nlattr *const *attrs = cohort_dump_attrs(cb);
	int err = cohort_nl_check_caller(cb->skb, cb->extack);
	u32 i;

	if (err)
		return err;
	for (i = 1; attrs && i <= genl_dumpit_info(cb)->op.maxattr; i++)
		if (attrs[i])
			return cohort_nl_refuse(cb->extack, -EINVAL, attrs[i],
						"a dump lists all, it takes no attributes");
	((struct progress *)cb->ctx)->permitted = true;
	return 0;
}

/*
 * One message per object, as many as fit. The buffer has room for the largest
 * one: cohort_nl_dump_start() saw to it, or dump_one() in the round before.
 */
static int dump_all(const struct lookup *in, struct sk_buff *skb, struct netlink_callback *cb)
{
	struct progress *progress = (struct progress *)cb->ctx;
	struct dump d = { in, skb, cb };
	int ret = progress->permitted ? 0 : check_dump(cb);

	BUILD_BUG_ON(sizeof(*progress) > sizeof(cb->ctx));
	if (ret)
		return ret;
	mutex_lock(&cohort_lock);
	cb->seq = cohort_generation;
	ret = in->walk(&progress->cursor, dump_one, &d);
	mutex_unlock(&cohort_lock);
	return ret && !skb->len ? ret : skb->len;
}

int cohort_nl_pool_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	return dump_all(&pools, skb, cb);
}

int cohort_nl_source_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	return dump_all(&sources, skb, cb);
}

int cohort_nl_group_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	return dump_all(&groups, skb, cb);
}

int cohort_nl_relationship_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	return dump_all(&rels, skb, cb);
}

int cohort_nl_job_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	return dump_all(&jobs, skb, cb);
}

static const struct lookup *lookup_of(u8 cmd)
{
	static const struct lookup *const all[] = { &pools, &sources, &groups, &rels, &jobs };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(all); i++)
		if (all[i]->kind->get == cmd)
			return all[i];
	return NULL;
}

struct largest {
	const struct cohort_nl_kind *kind;
	size_t size;
};

static int measure(const void *object, void *arg)
{
	struct largest *l = arg;

	l->size = max(l->size, l->kind->size(object));
	return 0;
}

static u32 largest_message(const struct lookup *in)
{
	struct largest l = { in->kind };
	u64 cursor = 0;

	mutex_lock(&cohort_lock);
	in->walk(&cursor, measure, &l);
	mutex_unlock(&cohort_lock);
	return l.size;
}

int cohort_nl_dump_start(struct netlink_callback *cb)
{
	/* where there is no place for words yet, as in 6.1, the first round refuses */
	int err = cb->extack ? check_dump(cb) : 0;

	if (!err)
		cb->min_dump_alloc = largest_message(lookup_of(genl_dumpit_info(cb)->op.cmd));
	return err;
}

/* --- the module --- */

static int put_module(struct sk_buff *skb)
{
	struct cohort_gate_counts gates;
	u32 nr_jobs;

	cohort_gate_count(&gates);
	mutex_lock(&cohort_lock);
	nr_jobs = cohort_job_count();
	mutex_unlock(&cohort_lock);
	return nla_put_string(skb, COHORT_A_MODULE_VERSION, COHORT_VERSION) ||
	       nla_put_u32(skb, COHORT_A_MODULE_ABI, COHORT_ABI_VERSION) ||
	       cohort_nl_put_u64(skb, COHORT_A_MODULE_EPOCH, READ_ONCE(cohort_epoch)) ||
	       cohort_nl_put_u64(skb, COHORT_A_MODULE_CUTS, cohort_cuts()) ||
	       cohort_nl_put_u64(skb, COHORT_A_MODULE_CUTS_MIXED, cohort_cuts_mixed()) ||
	       nla_put_u32(skb, COHORT_A_MODULE_JOBS, nr_jobs) ||
	       cohort_nl_put_u64(skb, COHORT_A_MODULE_GATES, gates.closed) ||
	       cohort_nl_put_u64(skb, COHORT_A_MODULE_GATES_LOST, gates.lost) ||
	       cohort_nl_put_u64(skb, COHORT_A_MODULE_GATE_OVERRUN, gates.overrun_ns);
}

int cohort_nl_module_get_doit(struct sk_buff *request, struct genl_info *info)
{
	struct sk_buff *skb = genlmsg_new(GENLMSG_DEFAULT_SIZE, GFP_KERNEL);
	void *hdr;

	if (!skb)
		return cohort_nl_refuse(info->extack, -ENOMEM, NULL, "out of memory");
	hdr = genlmsg_put_reply(skb, info, &cohort_nl_family, 0, COHORT_CMD_MODULE_GET);
	if (!hdr || put_module(skb)) {
		nlmsg_free(skb);
		return cohort_nl_refuse(info->extack, -EMSGSIZE, NULL, "no room for the answer");
	}
	genlmsg_end(skb, hdr);
	return genlmsg_reply(skb, info);
}
