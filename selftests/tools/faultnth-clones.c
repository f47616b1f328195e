// SPDX-License-Identifier: GPL-2.0-or-later
/* faultnth-clones.c - the operations of faultnth on clones, which are copied meanwhile */
#include "faultnth.h"
#include "util.h"

#define REL "faultc"

static int clone_detach(struct cohort *ctx);

static int modify(struct cohort *ctx, int operation, bool force)
{
	struct cohort_modify_request request;

	cohort_modify_request_init(&request);
	request.synchronization = REL;
	request.operation = operation;
	request.force = force;
	return cohort_modify_replica_synchronization(ctx, &request, NULL);
}

static int clone_make(struct cohort *ctx)
{
	const char *const sources[] = { "m1", "m2" };
	const char *const targets[] = { fault_disk("FAULT_T1"), fault_disk("FAULT_T2") };
	struct cohort_request request;

	cohort_request_init(&request);
	request.sync_type = COHORT_SYNC_TYPE_CLONE;
	request.relationship_name = REL;
	request.source_elements = sources;
	request.source_elements_count = ARRAY_SIZE(sources);
	request.target_elements = targets;
	request.target_elements_count = ARRAY_SIZE(targets);
	request.force = true;
	request.wait_for_copy_state = COHORT_COPY_STATE_UNSYNCHRONIZED;
	return cohort_create_group_replica_from_elements(ctx, &request, NULL);
}

static int clone_suspend(struct cohort *ctx)
{
	return modify(ctx, COHORT_OPERATION_SUSPEND, false);
}

static int clone_resume(struct cohort *ctx)
{
	return modify(ctx, COHORT_OPERATION_RESUME, false);
}

static int clone_abort(struct cohort *ctx)
{
	return modify(ctx, COHORT_OPERATION_ABORT, false);
}

static int clone_detach(struct cohort *ctx)
{
	return modify(ctx, COHORT_OPERATION_DETACH, true);
}

static int clone_anew(struct cohort *ctx)
{
	return clone_detach(ctx) ?: clone_make(ctx);
}

static int clone_at_rest(struct cohort *ctx)
{
	return clone_make(ctx) ?: clone_suspend(ctx);
}

/* Each time it goes on some of it is copied at once: so it would be whole soon. */
static int rest_anew(struct cohort *ctx)
{
	return clone_detach(ctx) ?: clone_at_rest(ctx);
}

/* Its state; 0: it is not there. */
static uint32_t state_of(struct cohort *ctx)
{
	struct cohort_relationship *rel = NULL;
	uint32_t state;

	fault_settle(ctx);
	if (cohort_relationship_get(ctx, REL, &rel))
		return 0;
	state = rel->copy_state;
	cohort_relationship_free(rel);
	return state;
}

/* While it is copied it may have become whole. */
static bool is_copied(uint32_t state)
{
	return state == COHORT_COPY_STATE_UNSYNCHRONIZED || state == COHORT_COPY_STATE_SYNCHRONIZED;
}

static enum effect partly(uint32_t state)
{
	say("the clone is %s", state ? cohort_copy_state_name(state) : "not there");
	return PARTLY;
}

static enum effect clone_is_made(struct cohort *ctx)
{
	const uint32_t state = state_of(ctx);

	return is_copied(state) ? PRESENT : !state ? ABSENT : partly(state);
}

static enum effect clone_is_gone(struct cohort *ctx)
{
	const uint32_t state = state_of(ctx);

	return is_copied(state) ? ABSENT : !state ? PRESENT : partly(state);
}

static enum effect clone_rests(struct cohort *ctx)
{
	const uint32_t state = state_of(ctx);

	return state == COHORT_COPY_STATE_SUSPENDED ? PRESENT :
		is_copied(state) ? ABSENT : partly(state);
}

static enum effect clone_goes_on(struct cohort *ctx)
{
	const uint32_t state = state_of(ctx);

	return is_copied(state) ? PRESENT :
		state == COHORT_COPY_STATE_SUSPENDED ? ABSENT : partly(state);
}

static enum effect clone_is_given_up(struct cohort *ctx)
{
	const uint32_t state = state_of(ctx);

	return state == COHORT_COPY_STATE_ABORTED ? PRESENT :
		is_copied(state) ? ABSENT : partly(state);
}

const struct operation clone_operations[] = {
	{ "clone", clone_make, clone_is_made, clone_detach, NULL, NULL },
	{ "suspend", clone_suspend, clone_rests, clone_anew, clone_make, clone_detach },
	{ "resume", clone_resume, clone_goes_on, rest_anew, clone_at_rest, clone_detach },
	{ "abort", clone_abort, clone_is_given_up, clone_anew, clone_make, clone_detach },
	{ "detach-clone", clone_detach, clone_is_gone, clone_make, clone_make, clone_detach },
};

const unsigned int nr_clone_operations = ARRAY_SIZE(clone_operations);
