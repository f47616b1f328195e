// SPDX-License-Identifier: GPL-2.0-or-later
/* The candidates of shell completion, from the same tables as help. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "complete.h"
#include "kinds.h"
#include "options.h"

/*
 * "@pool", "@source", "@group", "@relationship", "@job" and "@any" stand for names
 * that the kernel knows now; any other words are offered as they are.
 */
static void print_kind(struct cohort *ctx, const struct kind *kind)
{
	json_t *records = kind->list(ctx);
	json_t *record;
	size_t i;

	json_array_foreach(records, i, record)
		puts(json_string_value(json_object_get(record,
						       kind->fields[0].key)));
	json_decref(records);
}

static void print_names(const char *word)
{
	struct cohort *ctx = cohort_new();
	bool any = !strcmp(word, "any");

	for (int i = 0; ctx && i < KIND_COUNT; i++)
		if (any ? i != KIND_JOB : !strcmp(word, kinds[i].name))
			print_kind(ctx, &kinds[i]);
	cohort_unref(ctx);
}

static void print_words(const char *words)
{
	char *copy = words ? strdup(words) : NULL;
	char *save = NULL;
	char *word = copy ? strtok_r(copy, " ", &save) : NULL;

	for (; word; word = strtok_r(NULL, " ", &save)) {
		if (*word == '@')
			print_names(word + 1);
		else
			puts(word);
	}
	free(copy);
}

static void print_options(const struct verb *verb)
{
	for (size_t i = 0; i < option_count; i++) {
		const struct option_row *row = &option_rows[i];

		if (verb ? option_is_for(row, verb) : option_is_global(row))
			printf("--%s\n", row->name);
	}
}

/* The next word of a verb: nouns and lone verbs, or the verbs of @noun. */
static void print_verbs(const char *noun)
{
	for (int i = 0; i < VERB_COUNT; i++) {
		const struct verb *verb = verbs[i];
		const struct verb *before = i ? verbs[i - 1] : NULL;

		if (verb->flags & VERB_HIDDEN)
			continue;
		if (noun && verb->noun && !strcmp(noun, verb->noun))
			puts(verb->name);
		if (noun || (verb->noun && before && before->noun &&
			     !strcmp(before->noun, verb->noun)))
			continue;
		puts(verb->noun ? verb->noun : verb->name);
	}
}

static const struct option_row *option_of(const char *word, const struct verb *verb)
{
	return strncmp(word, "--", 2) ? NULL : option_find(word + 2, verb);
}

/* Drops options and their values; what remains is verb and arguments. */
static int only_arguments(int count, char **words, char **left, const struct verb **verb)
{
	int n = 0, used;

	*verb = NULL;
	for (int i = 0; i < count; i++) {
		const struct option_row *row = option_of(words[i], *verb);

		if (row && row->arg)
			i++;
		else if (!row)
			left[n++] = words[i];
		if (!*verb)
			*verb = verb_find(n, left, &used);
	}
	return n;
}

int complete(int count, char **words)
{
	char **left = calloc((size_t)count + 1, sizeof(*left));
	const struct option_row *row;
	const struct verb *verb;
	int n;

	if (!left)
		return EXIT_MEMORY;
	n = only_arguments(count, words, left, &verb);
	row = count ? option_of(words[count - 1], verb) : NULL;
	if (row && row->arg) {
		print_words(row->words);
	} else {
		if (verb)
			print_words(verb->complete);
		else if (n < 2)
			print_verbs(n ? left[0] : NULL);
		print_options(verb);
	}
	free(left);
	return EXIT_OK;
}
