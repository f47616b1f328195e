// SPDX-License-Identifier: GPL-2.0-or-later
/* cohortctl activate, reset, delete, and of clones: operations on a relationship. */
#include "relationship.h"
#include "reply.h"
#include "words.h"

static int operate(struct app *app, int32_t operation, const char *what)
{
	struct cohort_modify_request request;
	struct cohort_reply *reply = NULL;
	int rc, code;

	cohort_modify_request_init(&request);
	request.operation = operation;
	request.synchronization = app->argv[0];
	request.force = app->opts.force;
	request.timeout_ms = reply_timeout(app);
	code = words_copy_state(app, &request.wait_for_copy_state);
	if (code)
		return code;
	rc = cohort_modify_replica_synchronization(app->ctx, &request, &reply);
	return reply_finish(app, rc, reply, "%s: %s", app->argv[0], what);
}

static int activate(struct app *app)
{
	return operate(app, COHORT_OPERATION_ACTIVATE,
		       "activated, the cut is taken");
}

static int reset(struct app *app)
{
	return operate(app, COHORT_OPERATION_RESET_REPLICA,
		       "reset, its images show the cut again");
}

static int resync(struct app *app)
{
	return operate(app, COHORT_OPERATION_RESYNC_REPLICA, "it has another cut, of now");
}

static int suspend(struct app *app)
{
	return operate(app, COHORT_OPERATION_SUSPEND,
		       "copying rests, its clones can be used");
}

static int resume(struct app *app)
{
	return operate(app, COHORT_OPERATION_RESUME, "copying goes on");
}

static int abort_copy(struct app *app)
{
	return operate(app, COHORT_OPERATION_ABORT,
		       "copying is given up, its targets are not whole");
}

static int dissolve(struct app *app)
{
	return operate(app, COHORT_OPERATION_DISSOLVE,
		       "dissolved, its targets are disks of their own");
}

int relationship_detach(struct app *app)
{
	return operate(app, COHORT_OPERATION_DETACH,
		       app->opts.force ? "detached by force, its targets may not be whole" :
		       "detached, its targets are disks of their own");
}

static int delete(struct app *app)
{
	return operate(app, COHORT_OPERATION_RETURN_TO_POOL,
		       "deleted, its space is back in the pool");
}

const struct verb verb_activate = {
	.id = VERB_ACTIVATE,
	.name = "activate",
	.args = "REL",
	.summary = "Take the cut of a prepared relationship",
	.notes = "For one that 'replicate --wait Inactive' or '--wait Initialized' made.",
	.complete = "@relationship",
	.min_args = 1,
	.max_args = 1,
	.run = activate,
};

const struct verb verb_reset = {
	.id = VERB_RESET,
	.name = "reset",
	.args = "REL",
	.summary = "Drop what was written to the images of a relationship",
	.notes = "They show the cut again. Refused while an image is open.",
	.complete = "@relationship",
	.min_args = 1,
	.max_args = 1,
	.run = reset,
};

const struct verb verb_resync = {
	.id = VERB_RESYNC,
	.name = "resync",
	.args = "REL",
	.summary = "Give a relationship another cut, of now, in place of its own",
	.notes = "Of a clone only what differs is written to its targets, all of which is read.\n"
		 "Refused while an image or a clone is open.",
	.complete = "@relationship",
	.min_args = 1,
	.max_args = 1,
	.run = resync,
};

const struct verb verb_suspend = {
	.id = VERB_SUSPEND,
	.name = "suspend",
	.args = "REL",
	.summary = "Let the copying of a clone rest",
	.notes = "Its devices can be used as before.",
	.complete = "@relationship",
	.min_args = 1,
	.max_args = 1,
	.run = suspend,
};

const struct verb verb_resume = {
	.id = VERB_RESUME,
	.name = "resume",
	.args = "REL",
	.summary = "Let the copying of a clone go on",
	.notes = "--wait Synchronized waits until all of it is on its targets.",
	.complete = "@relationship",
	.min_args = 1,
	.max_args = 1,
	.run = resume,
};

const struct verb verb_abort = {
	.id = VERB_ABORT,
	.name = "abort",
	.args = "REL",
	.summary = "Give the copying of a clone up",
	.notes = "Its devices go; what is on its targets is not whole. 'detach' ends it then.\n"
		 "Refused while a clone is open.",
	.complete = "@relationship",
	.min_args = 1,
	.max_args = 1,
	.run = abort_copy,
};

const struct verb verb_dissolve = {
	.id = VERB_DISSOLVE,
	.name = "dissolve",
	.args = "REL",
	.summary = "End a clone that is whole; its targets are disks of their own",
	.notes = "Refused while a clone is open, and before all of it is on its targets.",
	.complete = "@relationship",
	.min_args = 1,
	.max_args = 1,
	.run = dissolve,
};

const struct verb verb_delete = {
	.id = VERB_DELETE,
	.name = "delete",
	.args = "REL",
	.summary = "Delete a snapshot with its images and their space",
	.notes = "Refused while an image is open. A clone ends with 'detach'.",
	.complete = "@relationship",
	.min_args = 1,
	.max_args = 1,
	.run = delete,
};
