// SPDX-License-Identifier: GPL-2.0-or-later
/* The table of options, and the walk over the command line that obeys it. */
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "fail.h"
#include "options.h"
#include "parse.h"

#define ON(v)		(1ULL << VERB_##v)
#define ON_ALL		(~0ULL)
#define ON_JOBS		(ON(POOL_SCRUB) | ON(ATTACH) | ON(DETACH) | ON(GROUP_CREATE) | \
			 ON(GROUP_ADD) | ON(GROUP_REMOVE) | ON(GROUP_DELETE) | \
			 ON(REPLICATE) | ON(ACTIVATE) | ON(DELETE) | ON_COPIES)
#define ON_COPIES	(ON(RESYNC) | ON(SUSPEND) | ON(RESUME) | ON(ABORT) | ON(DISSOLVE))

#define FIELD(f)	offsetof(struct opts, f)

const struct option_row option_rows[] = {
	{ "chunk", "SIZE", "unit of preservation: 4K to 64K, a power of two",
	  "4K 8K 16K 32K 64K", OPTION_VALUE, FIELD(chunk), ON(POOL_CREATE) },
	{ "pool", "POOL", "the pool that keeps what writes displace",
	  "@pool", OPTION_VALUE, FIELD(pool), ON(ATTACH) | ON(GROUP_CREATE) },
	{ "force", NULL, "go on where this is refused for safety", NULL,
	  OPTION_FLAG, FIELD(force),
	  ON(POOL_CREATE) | ON(ATTACH) | ON(DETACH) | ON(REPLICATE) },
	{ "forget", NULL, "take the source out of the catalog too", NULL,
	  OPTION_FLAG, FIELD(forget), ON(DETACH) },
	{ "repair", NULL, "write what repairs the pool", NULL,
	  OPTION_FLAG, FIELD(repair), ON(POOL_CHECK) },
	{ "target", NULL, "make a group for replicas, empty at first", NULL,
	  OPTION_FLAG, FIELD(target), ON(GROUP_CREATE) },
	{ "target", "DEV", "of a clone: a disk to copy to, one for each member", NULL,
	  OPTION_VALUES, FIELD(targets), ON(REPLICATE) },
	{ "target-pool", "vg:NAME", "of a clone: a volume group to make the disks in",
	  "vg:", OPTION_VALUE, FIELD(target_pool), ON(REPLICATE) },
	{ "type", "TYPE", "snapshot, clone or mirror",
	  "snapshot clone mirror", OPTION_VALUE, FIELD(type), ON(REPLICATE) | ON(DETACH) },
	{ "name", "REL", "name of the relationship; images are REL_1 ...",
	  NULL, OPTION_VALUE, FIELD(name), ON(REPLICATE) },
	{ "group", "NAME", "the source group: made when SOURCEs are given",
	  "@group", OPTION_VALUE, FIELD(group), ON(REPLICATE) },
	{ "target-group", "NAME", "put the replicas into this group",
	  "@group", OPTION_VALUE, FIELD(target_group), ON(REPLICATE) },
	{ "consistency", "HOW", "sequential: one cut; none: one by one",
	  "sequential none", OPTION_VALUE, FIELD(consistency),
	  ON(REPLICATE) | ON(GROUP_CREATE) },
	{ "mode", "MODE", "sync or async", "sync async",
	  OPTION_VALUE, FIELD(mode), ON(REPLICATE) },
	{ "wait", "STATE", "copy state to wait for: Synchronized, ...",
	  "Initialized Inactive Unsynchronized Synchronized",
	  OPTION_VALUE, FIELD(wait), ON(REPLICATE) | ON(ACTIVATE) | ON(RESUME) |
		ON(RESYNC) },
	{ "set", "Property=VALUE", "of CIM_ReplicationSettingData",
	  "ConsistentPointInTime= OnGroupOrListError= DesiredCopyMethodology= ReadOnly= TimeBeforeRemoval= FailedCopyStopsHostIO=",
	  OPTION_VALUES, FIELD(set), ON(REPLICATE) },
	{ "on-full", "HOW", "break, or hold:SECONDS: writes wait for space",
	  "break hold hold:", OPTION_VALUE, FIELD(on_full), ON(REPLICATE) },
	{ "target-setting", "K=V", "ReadOnly, SpaceLimit, HoldTime or UdevVisible",
	  "ReadOnly= SpaceLimit= HoldTime= UdevVisible=",
	  OPTION_VALUES, FIELD(target_setting), ON(REPLICATE) },
	{ "writable", NULL, "images that can be written, ReadOnly=no", NULL,
	  OPTION_FLAG, FIELD(writable), ON(REPLICATE) },
	{ "source", "SOURCE", "compare this member alone",
	  "@source", OPTION_VALUE, FIELD(source), ON(DIFF) },
	{ "lease", "MS", "let the writes go then: 50, at most 2000",
	  NULL, OPTION_VALUE, FIELD(lease), ON(BARRIER) },
	{ "count", "N", "stop after N events", NULL,
	  OPTION_VALUE, FIELD(count), ON(EVENTS) },
	{ "no-wait", NULL, "return once the job is accepted", NULL,
	  OPTION_FLAG, FIELD(no_wait), ON_JOBS },
	{ "timeout", "SECONDS", "give up waiting: exit code 3", NULL,
	  OPTION_VALUE, FIELD(timeout), ON_JOBS | ON(JOB_WAIT) | ON(EVENTS) },
	{ "json", NULL, "JSON on standard output, errors too", NULL,
	  OPTION_FLAG, FIELD(json), ON_ALL },
	{ "units", "U", "sizes in b, k, m, g, t, or h for people",
	  "h b k m g t", OPTION_VALUE, FIELD(units), ON_ALL },
	{ "help", NULL, "show this", NULL,
	  OPTION_FLAG, FIELD(help), ON_ALL },
};

const size_t option_count = ARRAY_SIZE(option_rows);

bool option_is_for(const struct option_row *row, const struct verb *verb)
{
	return row->verbs >> verb->id & 1;
}

bool option_is_global(const struct option_row *row)
{
	return row->verbs == ON_ALL;
}

static int option_store(struct app *app, const struct option_row *row,
			const char *value)
{
	char *at = (char *)&app->opts + row->offset;
	struct strings *list = (struct strings *)at;
	const char **grown;

	if (row->kind == OPTION_FLAG) {
		*(bool *)at = true;
		return 0;
	}
	if (row->kind == OPTION_VALUE) {
		*(const char **)at = value;
		return 0;
	}
	grown = realloc(list->v, (list->n + 1) * sizeof(*grown));
	if (!grown)
		return fail_memory(app);
	list->v = grown;
	list->v[list->n++] = value;
	return 0;
}

const struct option_row *option_find(const char *name, const struct verb *verb)
{
	const struct option_row *first = NULL;

	for (size_t i = 0; i < option_count; i++) {
		const struct option_row *row = &option_rows[i];

		if (strcmp(row->name, name))
			continue;
		if (verb && option_is_for(row, verb))
			return row;
		first = first ? first : row;
	}
	return first;
}

/* getopt's table: one entry per name, and val is the row's number plus one. */
static void getopt_table(struct option *table, const struct verb *verb)
{
	for (size_t i = 0; i < option_count; i++) {
		const struct option_row *row = &option_rows[i];

		if (option_find(row->name, verb) != row)
			continue;
		*table++ = (struct option){
			.name = row->name,
			.has_arg = row->kind != OPTION_FLAG,
			.val = (int)i + 1,
		};
	}
	*table = (struct option){ 0 };
}

/* For a short option getopt may still stand in front of its word. */
static int bad_option(struct app *app, const char *word)
{
	if (optopt > 0 && optopt <= (int)option_count)
		return fail_usage(app, "option --%s takes no value",
				  option_rows[optopt - 1].name);
	if (optopt)
		return fail_usage(app, "unknown option -%c", optopt);
	return fail_usage(app, "unknown option %s", word);
}

/*
 * One pass of getopt. @seen collects the rows met. @shorts begins with '+'
 * for the pass in front of the verb, which must not look behind it.
 */
static int parse_pass(struct app *app, int argc, char **argv,
		      const char *shorts, const struct option *table,
		      uint64_t *seen)
{
	int c, err;

	while ((c = getopt_long(argc, argv, shorts, table, NULL)) != -1) {
		if (c == 'h')
			c = (int)option_count;	/* --help is the last row */
		if (c == '?')
			return bad_option(app, argv[optind - 1]);
		if (c == ':')
			return fail_usage(app, "option %s needs a value",
					  argv[optind - 1]);
		*seen |= 1ULL << (c - 1);
		err = option_store(app, &option_rows[c - 1], optarg);
		if (err)
			return err;
	}
	return 0;
}

static int check_seen(struct app *app, uint64_t seen)
{
	for (size_t i = 0; i < option_count; i++) {
		const struct option_row *row = &option_rows[i];

		if (!(seen >> i & 1) || option_is_for(row, app->verb))
			continue;
		return fail_usage(app, "option --%s is not for this verb",
				  row->name);
	}
	return 0;
}

static int check_args(struct app *app)
{
	if (app->argc < app->verb->min_args)
		return fail_usage(app, "arguments are missing: %s",
				  app->verb->args);
	if (app->verb->max_args >= 0 && app->argc > app->verb->max_args)
		return fail_usage(app, "too many arguments, at '%s'",
				  app->argv[app->verb->max_args]);
	return 0;
}

/* The values that more than one verb reads, checked in one place. */
static int check_common(struct app *app)
{
	double seconds;

	app->timeout_ms = -1;
	if (app->opts.timeout) {
		if (parse_seconds(app->opts.timeout, &seconds))
			return fail_usage(app, "--timeout '%s' is not a number of seconds",
					  app->opts.timeout);
		/* 0 is the library's word for not waiting at all */
		app->timeout_ms = (int)(seconds * 1000) ?: 1;
	}
	app->unit = 'h';
	if (app->opts.units && parse_unit(app->opts.units, &app->unit))
		return fail_usage(app, "--units '%s' is none of h, b, k, m, g, t",
				  app->opts.units);
	return 0;
}

static int unknown_verb(struct app *app, int argc, char **argv)
{
	if (!argc)
		return fail_usage(app, "a verb is missing");
	if (verb_is_noun(argv[0]))
		return fail_usage(app, argc > 1 ? "unknown verb '%s %s'" :
				  "'%s' needs a verb", argv[0], argv[1]);
	return fail_usage(app, "unknown verb '%s'", argv[0]);
}

static int parse_words(struct app *app, int argc, char **argv,
		       struct option *table)
{
	uint64_t seen = 0;
	int used = 0, err;

	opterr = 0;
	getopt_table(table, NULL);
	err = parse_pass(app, argc, argv, "+:h", table, &seen);
	if (err)
		return err;
	app->verb = verb_find(argc - optind, argv + optind, &used);
	if (!app->verb)
		return app->opts.help ? 0 :
			unknown_verb(app, argc - optind, argv + optind);

	/* getopt starts over at the verb's last word, which it takes for argv[0] */
	argc -= optind + used - 1;
	argv += optind + used - 1;
	optind = 0;
	getopt_table(table, app->verb);
	err = parse_pass(app, argc, argv, ":h", table, &seen);
	if (err || app->opts.help)
		return err;
	app->argc = argc - optind;
	app->argv = argv + optind;
	err = check_seen(app, seen);
	return err ? err : check_args(app);
}

int options_parse(struct app *app, int argc, char **argv)
{
	struct option *table = calloc(option_count + 1, sizeof(*table));
	int err;

	if (!table)
		return fail_memory(app);
	err = parse_words(app, argc, argv, table);
	free(table);
	return err ? err : check_common(app);
}
