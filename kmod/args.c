// SPDX-License-Identifier: GPL-2.0-only
/* args.c - reads the arguments of a table, and says what is wrong with a name. */
#include "args.h"

/* What libdevmapper would have to mangle is not taken. */
static bool name_char_ok(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       (c && strchr("#+-.:=@_", c));
}

enum cohort_name_fault cohort_name_fault(const char *name)
{
	const char *p;

	if (!*name)
		return COHORT_NAME_EMPTY;
	if (strlen(name) > COHORT_NAME_ROOM)
		return COHORT_NAME_LONG;
	for (p = name; *p; p++)
		if (!name_char_ok(*p))
			return COHORT_NAME_CHARACTERS;
	if (*name == '-' || !strcmp(name, ".") || !strcmp(name, ".."))
		return COHORT_NAME_TAKEN;
	return COHORT_NAME_GOOD;
}

/* Digits and nothing else; 0 is none. */
static bool parse_number(const char *text, u32 *number)
{
	u64 value = 0;

	for (; *text >= '0' && *text <= '9' && value <= U32_MAX; text++)
		value = value * 10 + (*text - '0');
	*number = value;
	return !*text && value && value <= U32_MAX;
}

static const struct {
	unsigned int count;
	const char *words;
} shapes[] = {
	[COHORT_TARGET_POOL] = { 1, "one argument: the device of the pool" },
	[COHORT_TARGET_SOURCE] = { 3, "three arguments: pool device, source name, disk" },
	[COHORT_TARGET_REPLICA] = { 4,
		"four arguments: pool device, relationship name, member index, disk" },
	[COHORT_TARGET_CLONE] = { 5,
		"five arguments: pool device, relationship name, member index, image or -, disk" },
};

int cohort_args_parse(enum cohort_target target, unsigned int argc, char **argv,
		      struct cohort_args *args, const char **why)
{
	memset(args, 0, sizeof(*args));
	*why = shapes[target].words;
	if (argc != shapes[target].count)
		return -EINVAL;
	args->disk = argv[argc - 1];
	if (target == COHORT_TARGET_POOL)
		return 0;
	args->pool_dev = argv[0];
	args->name = argv[1];
	*why = "the name is none that a source or relationship can have";
	if (cohort_name_fault(args->name))
		return -EINVAL;
	*why = "the member index is not a number from 1";
	if (target != COHORT_TARGET_SOURCE && !parse_number(argv[2], &args->member))
		return -EINVAL;
	if (target == COHORT_TARGET_CLONE && strcmp(argv[3], "-"))
		args->image = argv[3];
	return 0;
}
