// SPDX-License-Identifier: GPL-2.0-or-later
/* Fuzz target: the index, against a table that is looked through. */
#include "../../kmod/index.h"
#include "fuzz.h"

#define SOURCES 3
#define CHUNKS 6
#define EPOCHS 16

static struct {
	struct cohort_index *idx;
	u64 addr[SOURCES][CHUNKS][EPOCHS];	/* 0: no entry; epoch 0 is none */
	u64 damaged[SOURCES][CHUNKS];	/* a bit per epoch */
	u64 count;
	u64 next;
	u32 live;			/* epochs that somebody needs */
	u64 dropped;
} model;

static u64 newest_below(const u64 *entries, u64 epoch)
{
	while (epoch-- > 1)
		if (entries[epoch])
			return epoch;
	return 0;
}

static void insert(struct input *in)
{
	struct cohort_index_node *node = cohort_index_node_new(take(in, 1) & 1);
	u64 *entries, newest = ~0ull;
	int err;

	if (!node)
		abort();
	node->source = take(in, 1) % SOURCES;
	node->chunk = take(in, 1) % CHUNKS;
	node->epoch = 1 + take(in, 1) % (EPOCHS - 1);
	node->addr = ++model.next * COHORT_BLOCK;
	entries = model.addr[node->source][node->chunk];
	err = cohort_index_insert(model.idx, node, &newest);
	if (entries[node->epoch]) {
		PROMISED(err == -EEXIST);
		cohort_index_node_free(node);
		return;
	}
	PROMISED(!err && newest == newest_below(entries, EPOCHS));
	entries[node->epoch] = node->addr;
	model.count++;
}

static void lookup(struct input *in)
{
	const u32 source = take(in, 1) % SOURCES, chunk = take(in, 1) % CHUNKS;
	const u64 *entries = model.addr[source][chunk];
	u64 epoch = take(in, 1) % EPOCHS, at = epoch;
	struct cohort_mapping map;

	while (at < EPOCHS && !entries[at])
		at++;
	if (!cohort_index_lookup(model.idx, source, chunk, epoch, &map))
		PROMISED(at == EPOCHS);
	else
		PROMISED(at < EPOCHS && map.epoch == at && map.addr == entries[at] &&
			 map.damaged == (model.damaged[source][chunk] >> at & 1));
}

/* From where the entry is, from anywhere, or from where it may not be. */
static void move(struct input *in)
{
	const u32 source = take(in, 1) % SOURCES, chunk = take(in, 1) % CHUNKS;
	const u64 epoch = 1 + take(in, 1) % (EPOCHS - 1), to = ++model.next * COHORT_BLOCK;
	u64 *addr = &model.addr[source][chunk][epoch];
	const u64 asked = take(in, 1) & 1 ? take(in, 1) * COHORT_BLOCK : *addr;
	u64 from = asked;
	const bool moved = cohort_index_move(model.idx, source, chunk, epoch, &from, to);

	PROMISED(moved == (*addr && !(model.damaged[source][chunk] >> epoch & 1) &&
			   (!asked || asked == *addr)));
	PROMISED(from == (moved ? *addr : asked));
	if (moved)
		*addr = to;
}

static void newest(struct input *in)
{
	const u32 source = take(in, 1) % SOURCES, chunk = take(in, 1) % CHUNKS;

	PROMISED(cohort_index_newest(model.idx, source, chunk) ==
		 newest_below(model.addr[source][chunk], EPOCHS));
}

/* Of the entry itself or of one that was there before. */
static void damage(struct input *in)
{
	const u32 source = take(in, 1) % SOURCES, chunk = take(in, 1) % CHUNKS;
	const u64 epoch = 1 + take(in, 1) % (EPOCHS - 1), addr = take(in, 1) * COHORT_BLOCK;
	u64 *bits = &model.damaged[source][chunk];
	const int err = cohort_index_damaged(model.idx, source, chunk, epoch, addr);

	if (!addr || model.addr[source][chunk][epoch] != addr)
		PROMISED(err == -ENOENT);
	else
		PROMISED(err == (*bits >> epoch & 1 ? -EALREADY : 0));
	if (!err)
		*bits |= 1ull << epoch;
}

static bool needed(void *ctx, u32 source, u64 prev, u64 epoch)
{
	(void)ctx;
	PROMISED(source < SOURCES && prev < epoch && epoch < EPOCHS);
	return model.live & ((2u << epoch) - (2u << prev));
}

static void dropped(void *ctx, const struct cohort_index_node *node, bool newest, u64 prev)
{
	u64 *entries = model.addr[node->source][node->chunk];

	(void)ctx;
	PROMISED(entries[node->epoch] == (node->addr & ~1ull));
	PROMISED(newest == (newest_below(entries, EPOCHS) == node->epoch));
	PROMISED(!newest || prev == newest_below(entries, node->epoch));
	entries[node->epoch] = 0;
	model.damaged[node->source][node->chunk] &= ~(1ull << node->epoch);
	model.dropped++;
}

/* What is left is just what somebody needs. */
static void check_needed(void)
{
	for (u32 s = 0; s < SOURCES; s++)
		for (u32 c = 0; c < CHUNKS; c++)
			for (u64 e = 1; e < EPOCHS; e++) {
				const u64 prev = newest_below(model.addr[s][c], e);

				PROMISED(!model.addr[s][c][e] || needed(NULL, s, prev, e));
			}
}

static void prune(struct input *in)
{
	const struct cohort_index_filter filter = { .needed = needed, .dropped = dropped };
	u64 pruned;

	model.live = take(in, 2);
	model.dropped = 0;
	pruned = cohort_index_prune(model.idx, &filter);
	PROMISED(pruned == model.dropped);
	model.count -= pruned;
	check_needed();
}

static int is_there(void *ctx, u32 source, u64 epoch, bool newest)
{
	u64 *left = ctx;

	PROMISED(source < SOURCES && epoch && epoch < EPOCHS);
	left[0] -= newest;
	left[1]--;
	return 0;
}

static void each(void)
{
	u64 left[2] = { 0, model.count };

	for (u32 s = 0; s < SOURCES; s++)
		for (u32 c = 0; c < CHUNKS; c++)
			left[0] += !!newest_below(model.addr[s][c], EPOCHS);
	PROMISED(!cohort_index_each(model.idx, is_there, left) && !left[0] && !left[1]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };

	memset(&model, 0, sizeof(model));
	model.idx = cohort_index_new(take(&in, 1));
	if (!model.idx)
		abort();
	while (in.left) {
		switch (take(&in, 1) % 10) {
		case 0:
			prune(&in);
			break;
		case 1:
			each();
			break;
		case 2:
			damage(&in);
			break;
		case 3:
			lookup(&in);
			break;
		case 4:
			move(&in);
			break;
		case 5:
			newest(&in);
			break;
		default:
			insert(&in);
		}
		PROMISED(cohort_index_count(model.idx) == model.count);
	}
	cohort_index_free(model.idx);
	return 0;
}
