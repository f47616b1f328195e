// SPDX-License-Identifier: GPL-2.0-or-later
/* Fuzz target: the arguments of a table, as device-mapper splits them. */
#include "../../kmod/args.h"
#include "fuzz.h"

#define ARGS_MAX 6

/* Words of the input, each in memory of its own: what is read behind one is seen. */
static unsigned int split(struct input *in, char **argv)
{
	unsigned int argc = take(in, 1) % ARGS_MAX, i;

	for (i = 0; i < argc; i++) {
		u32 len = take(in, 1);

		argv[i] = calloc(1, len + 1);
		if (!argv[i])
			abort();
		take_bytes(in, argv[i], len);
	}
	return argc;
}

static void check(enum cohort_target target, unsigned int argc, char **argv,
		  const struct cohort_args *args)
{
	static const unsigned int counts[] = { 1, 3, 4 };

	PROMISED(argc == counts[target] && args->disk == argv[argc - 1]);
	if (target == COHORT_TARGET_POOL)
		return;
	PROMISED(args->name == argv[1] && strlen(args->name) <= COHORT_NAME_ROOM);
	PROMISED(args->name[0] && !strpbrk(args->name, " /\t\n\"'\\%"));
	if (target == COHORT_TARGET_REPLICA)
		PROMISED(args->member && args->member == strtoull(argv[2], NULL, 10));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };
	enum cohort_target target = take(&in, 1) % 3;
	char *argv[ARGS_MAX] = { 0 };
	unsigned int argc = split(&in, argv), i;
	struct cohort_args args;
	const char *why = NULL;

	if (cohort_args_parse(target, argc, argv, &args, &why))
		PROMISED(why && why[0]);
	else
		check(target, argc, argv, &args);
	for (i = 0; i < argc; i++)
		free(argv[i]);
	return 0;
}
