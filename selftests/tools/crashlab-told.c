// SPDX-License-Identifier: GPL-2.0-or-later
/* crashlab-told.c - what had been told of: by the marks, and by what the chains wrote next */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crashlab.h"
#include "crashlab-clone.h"

static struct cut *cut_of(const char *name)
{
	for (__u32 i = 0; i < lab.nr_cuts; i++)
		if (!strcmp(lab.cut[i].name, name))
			return &lab.cut[i];
	if (lab.nr_cuts == LAB_CUTS)
		die("too many cuts");
	snprintf(lab.cut[lab.nr_cuts].name, LAB_NAME, "%s", name);
	return &lab.cut[lab.nr_cuts++];
}

/* Cuts follow the writers: a cut of a new run says where its writes go. */
static void learn_run(const char *name)
{
	struct stamp_bounds bounds;
	char path[512];

	snprintf(path, sizeof(path), "%s/%s.before", lab.dir, name);
	stamp_bounds_read(&bounds, path);
	lab.geo = bounds.geo;
}

static void told_of_image(const char *word, __u64 number)
{
	if (!strcmp(word, "wrote"))
		lab.written = number;
	if (!strcmp(word, "resetting"))
		lab.resetting = true;
	if (!strcmp(word, "reset")) {
		lab.resetting = false;
		lab.reset = number;
	}
}

void told_by_mark(const __u8 *data, __u64 len)
{
	static const struct {
		const char *word;
		enum told told;
	} words[] = { { "taken", TAKEN }, { "dropping", DROPPING }, { "dropped", DROPPED } };
	char text[256], word[16], name[LAB_NAME];

	snprintf(text, sizeof(text), "%.*s", (int)len, (const char *)data);
	if (sscanf(text, "%15[^:]:%63[^\n]", word, name) != 2)
		return;
	if (!strcmp(word, "durable"))
		lab.durable_chains = atoi(name);
	told_of_image(word, strtoull(name, NULL, 10));
	if (lab.nr_targets)
		told_of_clone(word, name);
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (!strcmp(word, words[i].word))
			cut_of(name)->told = words[i].told;
	if (!strcmp(word, "taken"))
		learn_run(name);
}

void told_by_write(const __u8 *data, __u64 len)
{
	for (__u64 at = 0; at + SECTOR <= len; at += SECTOR) {
		const struct stamp_sector *s = (const void *)(data + at);

		if (s->magic != STAMP_MAGIC || s->chain >= STAMP_MAX_CHAINS || !stamp_crc_good(s))
			continue;
		if (memcmp(lab.run, s->run, sizeof(lab.run))) {
			memcpy(lab.run, s->run, sizeof(lab.run));
			memset(lab.issued, 0, sizeof(lab.issued));
		}
		if (s->seq > lab.issued[s->chain])
			lab.issued[s->chain] = s->seq;
	}
}

/*
 * The newest write of a chain that reached a disk was issued, so the one before
 * it had been acknowledged. Beyond it there is at most the one that is met now.
 */
__u32 told_bounds(struct stamp_bounds *before, struct stamp_bounds *after)
{
	const __u32 chains = lab.lossy ? lab.durable_chains : lab.geo.chains;
	bool any = false;

	if (memcmp(lab.geo.run, lab.run, sizeof(lab.run)))
		return 0;
	memset(before, 0, sizeof(*before));
	before->geo = lab.geo;
	*after = *before;
	before->kind = STAMP_ACKED;
	after->kind = STAMP_ISSUED;
	for (__u32 c = 0; c < lab.geo.chains; c++) {
		before->seq[c] = lab.issued[c] ? lab.issued[c] - 1 : 0;
		after->seq[c] = lab.issued[c] + 1;
		any |= c < chains && before->seq[c];
	}
	return any ? chains : 0;
}

bool told_anything(void)
{
	if (clone_now.there)
		return true;
	for (__u32 i = 0; i < lab.nr_cuts; i++)
		if (lab.cut[i].told == TAKEN)
			return true;
	return false;
}
