// SPDX-License-Identifier: GPL-2.0-or-later
/* cohortctl pool check: says whether a pool is whole, and repairs it. */
#include <errno.h>
#include <stdio.h>

#include "audit.h"
#include "fail.h"
#include "output.h"
#include "poolfile.h"

static const char *const kind_words[] = {
	[FINDING_NOTE] = "note",
	[FINDING_MENDED] = "repairable",
	[FINDING_LEFT] = "damage",
};

static json_t *findings_json(const struct audit *audit)
{
	json_t *list = json_array();
	const struct finding *f;

	for (f = audit->first; f; f = f->next)
		json_array_append_new(list, json_pack("{ssss}", "kind", kind_words[f->kind],
						      "message", f->words));
	return list;
}

static void print_findings(const struct audit *audit)
{
	const struct finding *f;

	for (f = audit->first; f; f = f->next)
		printf("%s: %s\n", kind_words[f->kind], f->words);
}

/* The whole in one word. */
static const char *verdict(const struct audit *audit, bool repaired)
{
	if (audit->left)
		return audit->mended && repaired ? "partly repaired" : "damaged";
	if (audit->mended)
		return repaired ? "repaired" : "repairable";
	return "whole";
}

static int report(struct app *app, const char *path, const struct audit *audit, bool repaired)
{
	const struct store *store = audit->store;
	const char *word = verdict(audit, repaired);
	const bool good = !audit->left && (!audit->mended || repaired);
	char copied[80] = "";
	int code;

	if (!app->opts.json)
		print_findings(audit);
	if (audit->clones)
		snprintf(copied, sizeof(copied), ", %u clones with %llu of %llu chunks copied",
			 audit->clones, (unsigned long long)audit->copied,
			 (unsigned long long)audit->to_copy);
	code = output_done(app, json_pack("{sssssosIsIsIsIsIsIsI}",
					  "pool", store->sb.name, "verdict", word,
					  "findings", findings_json(audit),
					  "Batches", (json_int_t)store->batches,
					  "PreservedChunks", (json_int_t)audit->chunks,
					  "NeededChunks", (json_int_t)audit->needed,
					  "UsedSegments", (json_int_t)audit->segments_used,
					  "Clones", (json_int_t)audit->clones,
					  "ChunksToCopy", (json_int_t)audit->to_copy,
					  "CopiedChunks", (json_int_t)audit->copied),
			   "%s: pool %s is %s: %llu batches, %llu chunks preserved, %llu of them needed%s",
			   path, store->sb.name, word, (unsigned long long)store->batches,
			   (unsigned long long)audit->chunks,
			   (unsigned long long)audit->needed, copied);
	if (code)
		return code;
	return good ? EXIT_OK : EXIT_DEVICE;
}

/* The last finding says why there is nothing to look at. */
static int no_pool(struct app *app, const char *path, const struct audit *audit, int err)
{
	return fail_errno(app, err == -ENOENT ? ENODEV : EUCLEAN, "%s: %s", path,
			  audit->last ? audit->last->words : strerror(-err));
}

/* What can not be taken as a whole is not written at all. */
static bool may_write(const struct app *app, const struct audit *audit)
{
	return app->opts.repair && audit->mended && !audit->refused;
}

static int pool_check(struct app *app)
{
	const char *path = app->argv[0];
	struct poolfile file;
	struct audit audit;
	struct store store;
	int code = poolfile_open(app, &file, path, app->opts.repair, &store), err;

	if (code)
		return code;
	err = audit_run(&audit, &store);
	if (err) {
		code = no_pool(app, path, &audit, err);
	} else {
		err = may_write(app, &audit) ? poolfile_write(&file, &store, audit.lost) : 0;
		code = err ? fail_errno(app, -err, "cannot write to %s: %s", path,
					strerror(-err)) :
			report(app, path, &audit, may_write(app, &audit));
	}
	audit_free(&audit);
	poolfile_close(&file, &store);
	return code;
}

const struct verb verb_pool_check = {
	.id = VERB_POOL_CHECK,
	.noun = "pool",
	.name = "check",
	.args = "[--repair] DEVICE",
	.summary = "Say whether the pool on DEVICE is whole, and repair it",
	.notes = "The pool must be closed. Nothing is written without --repair. DEVICE may be\n"
		 "a file with a copy of it.",
	.flags = VERB_ALONE,
	.min_args = 1,
	.max_args = 1,
	.run = pool_check,
};
