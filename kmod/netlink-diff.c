// SPDX-License-Identifier: GPL-2.0-only
/* netlink-diff.c - answers what differs of a source between two cuts, piece by piece. */
#include <linux/math64.h>
#include "compat.h"
#include "diff.h"
#include "netlink.h"
#include "pool.h"
#include "source.h"

/* An answer: small enough for any reader's buffer. */
#define ANSWER_SIZE	8192
/* What is left of it for the attributes behind the ranges. */
#define BEHIND_SIZE	64
#define RANGE_SIZE	(nla_total_size(0) + 2 * nla_total_size(sizeof(u64)))
/* Chunks looked at for one answer, whatever they are: a request ends soon. */
#define LOOK_MOST	(1u << 20)

/* Chunks [@chunk, @end): the last one may end early. */
static int put_range(struct sk_buff *skb, const struct cohort_diff *d, u64 chunk, u64 end)
{
	u64 size = d->pool->sb.chunk_size, from = chunk * size;
	u64 to = min(end * size, d->source->size);
	struct nlattr *nest = nla_nest_start(skb, COHORT_A_EXTENT_RANGE);

	if (!nest || cohort_nl_put_u64(skb, COHORT_A_RANGE_OFFSET, from) ||
	    cohort_nl_put_u64(skb, COHORT_A_RANGE_LENGTH, to - from))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

/* Ranges from chunk *@next on, as many as fit; *@next is behind what was looked at then. */
static int put_ranges(struct sk_buff *skb, const struct cohort_diff *d, u64 *next)
{
	u64 stop = min_t(u64, d->nr_chunks, *next + LOOK_MOST);

	while (*next < stop && skb_tailroom(skb) >= RANGE_SIZE + BEHIND_SIZE) {
		int err = cohort_diff_next(d, next, stop, true);
		u64 chunk = *next;

		if (!err)
			err = cohort_diff_next(d, next, stop, false);
		if (err)
			return err;
		if (*next > chunk && put_range(skb, d, chunk, *next))
			return -EMSGSIZE;
	}
	return 0;
}

static int put_answer(struct sk_buff *skb, const struct cohort_diff *d, u64 offset)
{
	u32 size = d->pool->sb.chunk_size;
	u64 next = min(div_u64(offset, size), d->nr_chunks);

	int err = put_ranges(skb, d, &next);

	if (err)
		return err;
	if (cohort_nl_put_u64(skb, COHORT_A_EXTENT_NEXT, min(next * size, d->source->size)) ||
	    cohort_nl_put_u64(skb, COHORT_A_EXTENT_SIZE, d->source->size) ||
	    cohort_nl_put_u64(skb, COHORT_A_EXTENT_EPOCH, d->epoch) ||
	    cohort_nl_put_u64(skb, COHORT_A_EXTENT_OTHER_EPOCH, d->other_epoch))
		return -EMSGSIZE;
	return 0;
}

static int refuse(struct genl_info *info, int err)
{
	switch (err) {
	case -EMSGSIZE:
		return cohort_nl_refuse(info->extack, err, NULL, "no room for the answer");
	case -EAGAIN:
		return cohort_nl_refuse(info->extack, err, NULL, "the pool is suspended");
	default:
		return cohort_nl_refuse(info->extack, err, NULL,
					"the index of the pool can not be read");
	}
}

static struct sk_buff *make_answer(const struct cohort_diff *d, u64 offset,
				   struct genl_info *info)
{
	struct sk_buff *skb = genlmsg_new(ANSWER_SIZE, GFP_KERNEL);
	int err = -EMSGSIZE;
	void *hdr;

	if (!skb)
		return ERR_PTR(cohort_nl_refuse(info->extack, -ENOMEM, NULL, "out of memory"));
	hdr = genlmsg_put_reply(skb, info, &cohort_nl_family, 0, COHORT_CMD_EXTENT_GET);
	if (hdr)
		err = put_answer(skb, d, offset);
	if (err) {
		nlmsg_free(skb);
		return ERR_PTR(refuse(info, err));
	}
	genlmsg_end(skb, hdr);
	if (cohort_diff_holds(d))
		return skb;
	nlmsg_free(skb);
	return ERR_PTR(cohort_nl_refuse(info->extack, -EIO, NULL,
					"a cut went while it was compared"));
}

static const char *text_of(const struct nlattr *attr)
{
	return attr ? nla_data(attr) : NULL;
}

static int begin(struct cohort_diff *d, struct genl_info *info)
{
	struct nlattr **attrs = info->attrs;
	struct cohort_words words;
	int err = cohort_nl_require(info, COHORT_A_EXTENT_RELATIONSHIP, "the relationship");

	if (!err)
		err = cohort_nl_require(info, COHORT_A_EXTENT_SOURCE, "the source");
	if (err)
		return err;
	err = cohort_diff_begin(d, nla_data(attrs[COHORT_A_EXTENT_RELATIONSHIP]),
				text_of(attrs[COHORT_A_EXTENT_OTHER]),
				nla_data(attrs[COHORT_A_EXTENT_SOURCE]), &words);
	return err ? cohort_nl_refuse(info->extack, err, attrs[words.attr], words.text) : 0;
}

int cohort_nl_extent_get_doit(struct sk_buff *request, struct genl_info *info)
{
	const struct nlattr *offset = info->attrs[COHORT_A_EXTENT_OFFSET];
	struct cohort_diff d;
	struct sk_buff *skb;
	int err = begin(&d, info);

	if (err)
		return err;
	skb = make_answer(&d, offset ? nla_get_u64(offset) : 0, info);
	cohort_diff_end(&d);
	return IS_ERR(skb) ? PTR_ERR(skb) : genlmsg_reply(skb, info);
}
