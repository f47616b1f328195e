/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a verb is, what it is given, and the list of all verbs. */
#ifndef COHORTCTL_VERB_H
#define COHORTCTL_VERB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cohort/cohort.h>

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

/* Process exit codes, the table of cryptsetup(8). */
enum exit_code {
	EXIT_OK = 0,
	EXIT_WRONG = 1,		/* wrong parameters */
	EXIT_PERMISSION = 2,	/* no permission */
	EXIT_MEMORY = 3,	/* out of memory, or --timeout has passed */
	EXIT_DEVICE = 4,	/* wrong device */
	EXIT_EXISTS = 5,	/* exists or busy */
};

/* Order of `cohortctl --help`; also the bit of a verb in an option's mask. */
enum verb_id {
	VERB_POOL_CREATE,
	VERB_POOL_OPEN,
	VERB_POOL_CLOSE,
	VERB_POOL_EXTEND,
	VERB_POOL_SCRUB,
	VERB_POOL_LIST,
	VERB_POOL_CHECK,
	VERB_POOL_DUMP,
	VERB_POOL_REMOVE,
	VERB_ATTACH,
	VERB_DETACH,
	VERB_GROUP_CREATE,
	VERB_GROUP_ADD,
	VERB_GROUP_REMOVE,
	VERB_GROUP_DELETE,
	VERB_GROUP_LIST,
	VERB_REPLICATE,
	VERB_ACTIVATE,
	VERB_RESET,
	VERB_RESYNC,
	VERB_SUSPEND,
	VERB_RESUME,
	VERB_ABORT,
	VERB_DISSOLVE,
	VERB_DELETE,
	VERB_DIFF,
	VERB_BARRIER,
	VERB_LIST,
	VERB_SHOW,
	VERB_STATS,
	VERB_JOB_LIST,
	VERB_JOB_SHOW,
	VERB_JOB_WAIT,
	VERB_JOB_PAUSE,
	VERB_JOB_RESUME,
	VERB_JOB_CANCEL,
	VERB_EVENTS,
	VERB_VERSION,
	VERB_UDEV_PROBE,
	VERB_COUNT
};

/* A repeatable option's values, in the order given. */
struct strings {
	const char **v;
	size_t n;
};

/* All options of all verbs; a row in options.c says which verb takes which. */
struct opts {
	bool json;
	bool no_wait;
	bool force;
	bool forget;
	bool repair;
	bool target;
	bool help;
	const char *timeout;
	const char *units;
	const char *chunk;
	const char *pool;
	const char *type;
	const char *name;
	const char *group;
	const char *target_group;
	const char *target_pool;
	const char *consistency;
	const char *mode;
	const char *wait;
	const char *count;
	struct strings set;
	struct strings target_setting;
	struct strings targets;
	const char *on_full;
	bool writable;
	const char *source;
	const char *lease;
};

struct verb;

struct app {
	const struct verb *verb;
	struct cohort *ctx;
	struct opts opts;
	char unit;		/* of sizes in text, see parse_unit() */
	int timeout_ms;		/* -1: as long as it takes */
	int argc;		/* what is left behind verb and options */
	char **argv;
};

/* needs no context: nothing is asked of the kernel */
#define VERB_ALONE	1u
/* not shown in help and completion: called by programs */
#define VERB_HIDDEN	2u

struct verb {
	enum verb_id id;
	const char *noun;	/* NULL: the verb stands alone */
	const char *name;
	const char *args;	/* as --help shows them */
	const char *summary;
	const char *notes;	/* more lines of --help, or NULL */
	const char *complete;	/* what its arguments name, see complete.c */
	int min_args;
	int max_args;		/* -1: any number */
	unsigned int flags;
	int (*run)(struct app *app);	/* returns an enum exit_code */
};

/* Indexed by enum verb_id, no holes. */
extern const struct verb *const verbs[VERB_COUNT];

/* NULL when no verb has these words; @used tells how many were its own. */
const struct verb *verb_find(int argc, char **argv, int *used);
bool verb_is_noun(const char *word);

extern const struct verb verb_pool_create, verb_pool_open, verb_pool_close, verb_pool_extend;
extern const struct verb verb_pool_scrub, verb_pool_list, verb_pool_check, verb_pool_dump;
extern const struct verb verb_pool_remove;
extern const struct verb verb_attach, verb_detach;
extern const struct verb verb_group_create, verb_group_add, verb_group_remove;
extern const struct verb verb_group_delete, verb_group_list;
extern const struct verb verb_replicate, verb_activate, verb_reset, verb_resync;
extern const struct verb verb_delete, verb_diff;
extern const struct verb verb_suspend, verb_resume, verb_abort, verb_dissolve;
extern const struct verb verb_barrier;
extern const struct verb verb_list, verb_show, verb_stats;
extern const struct verb verb_job_list, verb_job_show, verb_job_wait;
extern const struct verb verb_job_pause, verb_job_resume, verb_job_cancel;
extern const struct verb verb_events, verb_version, verb_udev_probe;

#endif
