// SPDX-License-Identifier: GPL-2.0-or-later
/* --help, derived from the tables of verbs and options. */
#include <stdio.h>
#include <string.h>

#include "help.h"
#include "options.h"

#define WORDS_WIDTH	28	/* of the longest "--option ARG", and some */

static void print_option(const struct option_row *row)
{
	char words[64];

	snprintf(words, sizeof(words), "--%s%s%s", row->name,
		 row->arg ? " " : "", row->arg ? row->arg : "");
	printf("  %-*s%s\n", WORDS_WIDTH, words, row->help);
}

static void print_verb(const struct verb *verb)
{
	char words[64];

	snprintf(words, sizeof(words), "%s%s%s", verb->noun ? verb->noun : "",
		 verb->noun ? " " : "", verb->name);
	printf("  %-*s%s\n", WORDS_WIDTH - 12, words, verb->summary);
}

void help_all(void)
{
	puts("Usage: cohortctl VERB [OPTION]... [ARGUMENT]...\n");
	for (int i = 0; i < VERB_COUNT; i++)
		if (!(verbs[i]->flags & VERB_HIDDEN))
			print_verb(verbs[i]);
	putchar('\n');
	for (size_t i = 0; i < option_count; i++)
		if (option_is_global(&option_rows[i]))
			print_option(&option_rows[i]);
	puts("\n'cohortctl VERB --help' tells more of one, cohortctl(8) of all.");
}

void help_verb(const struct verb *verb)
{
	printf("Usage: cohortctl %s%s%s%s%s\n%s.\n", verb->noun ? verb->noun : "",
	       verb->noun ? " " : "", verb->name, *verb->args ? " " : "",
	       verb->args, verb->summary);
	if (verb->notes)
		printf("%s\n", verb->notes);
	putchar('\n');
	for (size_t i = 0; i < option_count; i++)
		if (option_is_for(&option_rows[i], verb))
			print_option(&option_rows[i]);
}
