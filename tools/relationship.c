// SPDX-License-Identifier: GPL-2.0-or-later
/* cohortctl activate, reset, delete: operations on a relationship. */
#include "reply.h"

static int operate(struct app *app, int32_t operation, const char *what)
{
	struct cohort_modify_request request;
	struct cohort_reply *reply = NULL;
	int rc;

	cohort_modify_request_init(&request);
	request.operation = operation;
	request.synchronization = app->argv[0];
	request.timeout_ms = reply_timeout(app);
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

const struct verb verb_delete = {
	.id = VERB_DELETE,
	.name = "delete",
	.args = "REL",
	.summary = "Delete a relationship with its images and their space",
	.notes = "Refused while an image is open.",
	.complete = "@relationship",
	.min_args = 1,
	.max_args = 1,
	.run = delete,
};
