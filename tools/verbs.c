// SPDX-License-Identifier: GPL-2.0-or-later
/* The table of verbs and how words find one. */
#include <string.h>

#include "verb.h"

const struct verb *const verbs[VERB_COUNT] = {
	[VERB_POOL_CREATE] = &verb_pool_create,
	[VERB_POOL_OPEN] = &verb_pool_open,
	[VERB_POOL_CLOSE] = &verb_pool_close,
	[VERB_POOL_EXTEND] = &verb_pool_extend,
	[VERB_POOL_SCRUB] = &verb_pool_scrub,
	[VERB_POOL_LIST] = &verb_pool_list,
	[VERB_POOL_CHECK] = &verb_pool_check,
	[VERB_POOL_DUMP] = &verb_pool_dump,
	[VERB_POOL_REMOVE] = &verb_pool_remove,
	[VERB_ATTACH] = &verb_attach,
	[VERB_DETACH] = &verb_detach,
	[VERB_GROUP_CREATE] = &verb_group_create,
	[VERB_GROUP_ADD] = &verb_group_add,
	[VERB_GROUP_REMOVE] = &verb_group_remove,
	[VERB_GROUP_DELETE] = &verb_group_delete,
	[VERB_GROUP_LIST] = &verb_group_list,
	[VERB_REPLICATE] = &verb_replicate,
	[VERB_ACTIVATE] = &verb_activate,
	[VERB_RESET] = &verb_reset,
	[VERB_RESYNC] = &verb_resync,
	[VERB_SUSPEND] = &verb_suspend,
	[VERB_RESUME] = &verb_resume,
	[VERB_ABORT] = &verb_abort,
	[VERB_DISSOLVE] = &verb_dissolve,
	[VERB_DELETE] = &verb_delete,
	[VERB_DIFF] = &verb_diff,
	[VERB_BARRIER] = &verb_barrier,
	[VERB_LIST] = &verb_list,
	[VERB_SHOW] = &verb_show,
	[VERB_STATS] = &verb_stats,
	[VERB_JOB_LIST] = &verb_job_list,
	[VERB_JOB_SHOW] = &verb_job_show,
	[VERB_JOB_WAIT] = &verb_job_wait,
	[VERB_JOB_PAUSE] = &verb_job_pause,
	[VERB_JOB_RESUME] = &verb_job_resume,
	[VERB_JOB_CANCEL] = &verb_job_cancel,
	[VERB_EVENTS] = &verb_events,
	[VERB_VERSION] = &verb_version,
	[VERB_UDEV_PROBE] = &verb_udev_probe,
};

static bool verb_matches(const struct verb *verb, int argc, char **argv)
{
	if (!verb->noun)
		return !strcmp(verb->name, argv[0]);
	return argc > 1 && !strcmp(verb->noun, argv[0]) &&
	       !strcmp(verb->name, argv[1]);
}

const struct verb *verb_find(int argc, char **argv, int *used)
{
	for (int i = 0; argc > 0 && i < VERB_COUNT; i++) {
		if (!verb_matches(verbs[i], argc, argv))
			continue;
		*used = verbs[i]->noun ? 2 : 1;
		return verbs[i];
	}
	return NULL;
}

bool verb_is_noun(const char *word)
{
	for (int i = 0; i < VERB_COUNT; i++)
		if (verbs[i]->noun && !strcmp(verbs[i]->noun, word))
			return true;
	return false;
}
