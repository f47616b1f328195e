// SPDX-License-Identifier: GPL-2.0-or-later
/* The state table, and the capability queries that answer from it. */
#include <errno.h>

#include "../../kmod/state.h"
#include "../../libctl/private.h"
#include "unit.h"

#define SNAP COHORT_SYNC_TYPE_SNAPSHOT

static struct cohort *ctx;

#define CLONE COHORT_SYNC_TYPE_CLONE

/* Rows stated once more, independently of the table. */
struct row {
	unsigned int state;
	unsigned int operation;
	unsigned int to;
	bool force;
};

static const struct row snapshot_rows[] = {
	{ 2, 4, 4, false }, { 8, 4, 4, false },
	{ 2, 19, 0, false }, { 4, 19, 0, false }, { 5, 19, 0, false }, { 8, 19, 0, false },
	{ 13, 19, 0, false }, { 14, 19, 0, false },
	{ 4, 27, 4, false }, { 13, 27, 4, false },
	{ 4, 14, 4, false }, { 13, 14, 4, false }, { 5, 14, 4, false }, { 14, 14, 4, false },
};

/* The first of two ends that one move may have. */
static const struct row clone_rows[] = {
	{ 2, 4, 3, false }, { 8, 4, 3, false },
	{ 3, 22, 9, false }, { 9, 16, 3, false },
	{ 3, 2, 12, false }, { 9, 2, 12, false },
	{ 2, 8, 0, false }, { 8, 8, 0, false }, { 4, 8, 0, false }, { 12, 8, 0, false },
	{ 3, 8, 0, true }, { 9, 8, 0, true }, { 5, 8, 0, true }, { 14, 8, 0, true },
	{ 2, 9, 0, false }, { 8, 9, 0, false }, { 4, 9, 0, false },
	{ 4, 14, 3, false }, { 12, 14, 3, false }, { 5, 14, 3, false }, { 14, 14, 3, false },
};

struct type {
	unsigned int sync_type;
	const struct row *rows;
	size_t count;
	unsigned int in_flight;
};

static const struct type types[] = {
	{ SNAP, snapshot_rows, ARRAY_SIZE(snapshot_rows), COHORT_COPY_STATE_UNSYNCHRONIZED },
	{ CLONE, clone_rows, ARRAY_SIZE(clone_rows), 0 },
};

static int expected(const struct type *type, unsigned int state, unsigned int operation, bool force,
		    unsigned int *to)
{
	bool known = false;

	for (size_t i = 0; i < type->count; i++) {
		const struct row *row = &type->rows[i];

		known |= row->operation == operation;
		if (row->state == state && row->operation == operation) {
			*to = row->to;
			return row->force && !force ? -EINVAL : 0;
		}
	}
	if (!known)
		return operation >= 2 && operation <= 27 ? -EOPNOTSUPP : -EINVAL;
	return type->in_flight && state == type->in_flight ? -EBUSY : -EINVAL;
}

static void check_operation(const struct type *type, unsigned int state, unsigned int op,
			    bool force)
{
	const struct cohort_state_move *move;
	const char *why;
	unsigned int to = 0;
	const int want = expected(type, state, op, force, &to);
	const int got = cohort_state_operation_legal(type->sync_type, state, op, force, &move,
						     &why);

	CHECK(got == want, "type %u state %u operation %u: %d, not %d", type->sync_type, state, op,
	      got, want);
	CHECK(!got == !why && !got == !!move, "words or move, not both");
	if (!got)
		CHECK_INT(move->to, to, "end state");
}

static void every_operation_in_every_state(void)
{
	for (size_t t = 0; t < ARRAY_SIZE(types); t++)
		for (unsigned int state = 0; state < 24; state++)
			for (unsigned int op = 0; op < 40; op++) {
				check_operation(&types[t], state, op, false);
				check_operation(&types[t], state, op, true);
			}
}

static void vendor_and_unbuilt(void)
{
	CHECK_INT(cohort_state_operation_legal(SNAP, 4, 0x8000, true, NULL, NULL), -EOPNOTSUPP,
		  "vendor operation");
	CHECK_INT(cohort_state_operation_legal(SNAP, 4, 0x18000, true, NULL, NULL), -EINVAL,
		  "no uint16");
	CHECK_INT(cohort_state_operation_legal(COHORT_SYNC_TYPE_MIRROR, 4, 12, true, NULL, NULL),
		  -EOPNOTSUPP, "mirror");
	CHECK_INT(cohort_state_wait_legal(COHORT_SYNC_TYPE_MIRROR, COHORT_STATE_CREATE,
					  COHORT_STATE_NONE, 4), -EOPNOTSUPP, "mirror");
}

/* Where there are two ends, both can be waited for. */
static void wait_states_of_a_clone(void)
{
	for (unsigned int s = 0; s < 300; s++) {
		const bool copied = s == 3 || s == 4;

		CHECK_INT(cohort_state_wait_legal(CLONE, COHORT_STATE_CREATE, COHORT_STATE_NONE, s),
			  copied || s == 2 || s == 8 ? 0 : -EINVAL, "create");
		CHECK_INT(cohort_state_wait_legal(CLONE, 4, 8, s), copied ? 0 : -EINVAL,
			  "activate");
		CHECK_INT(cohort_state_wait_legal(CLONE, 16, 9, s), copied ? 0 : -EINVAL, "resume");
		CHECK_INT(cohort_state_wait_legal(CLONE, 22, 3, s), s == 9 ? 0 : -EINVAL,
			  "suspend");
		CHECK_INT(cohort_state_wait_legal(CLONE, 2, 3, s), s == 12 ? 0 : -EINVAL, "abort");
		CHECK_INT(cohort_state_wait_legal(CLONE, 8, 4, s), -EINVAL, "detach");
	}
}

static void wait_states(void)
{
	for (unsigned int s = 0; s < 300; s++) {
		const bool create = s == 2 || s == 4 || s == 8;

		CHECK_INT(cohort_state_wait_legal(SNAP, COHORT_STATE_CREATE, COHORT_STATE_NONE, s),
			  create ? 0 : -EINVAL, "create");
		CHECK_INT(cohort_state_wait_legal(SNAP, 4, 8, s), s == 4 ? 0 : -EINVAL, "activate");
		CHECK_INT(cohort_state_wait_legal(SNAP, 19, 4, s), -EINVAL, "return");
	}
}

/* Every move must start in a state of the type and end in one, or outside. */
static void table_is_closed(void)
{
	const struct cohort_state_move *m;
	const struct cohort_state_info *info;

	for (size_t i = 0; (m = cohort_state_move_at(i)); i++) {
		bool from = m->from == COHORT_STATE_NONE, to = m->to == COHORT_STATE_NONE;

		for (size_t j = 0; (info = cohort_state_info_at(j)); j++) {
			from |= info->sync_type == m->sync_type && info->state == m->from;
			to |= info->sync_type == m->sync_type && info->state == m->to;
		}
		CHECK(from && to, "move %zu", i);
		CHECK(cohort_state_progress_name(m->progress), "move %zu", i);
		CHECK((m->from == COHORT_STATE_NONE) == (m->operation == COHORT_STATE_CREATE),
		      "move %zu", i);
	}
}

static void supported_operations(void)
{
	struct cohort_supported_operation ops[8];
	size_t n = ARRAY_SIZE(ops);

	CHECK_INT(cohort_get_supported_operations(ctx, 6, COHORT_UNSET, ops, &n), 0, "all");
	CHECK_INT((long long)n, 4, "activate, reset, resync and return");
	n = ARRAY_SIZE(ops);
	CHECK_INT(cohort_get_supported_operations(ctx, 7, COHORT_COPY_STATE_BROKEN, ops, &n), 0,
		  "broken");
	CHECK_INT((long long)n, 2, "broken");
	CHECK_INT(ops[0].operation, COHORT_OPERATION_RESYNC_REPLICA, "broken");
	CHECK_INT(ops[1].operation, COHORT_OPERATION_RETURN_TO_POOL, "broken");
	n = 0;
	CHECK_INT(cohort_get_supported_operations(ctx, 6, COHORT_UNSET, NULL, &n), 0, "no room");
	CHECK_INT((long long)n, 4, "count is told");
	CHECK_INT(cohort_get_supported_operations(ctx, 6, 1, ops, &n), 5, "reserved state");
}

static void supported_of_clones(void)
{
	struct cohort_supported_copy_state copy_states[16];
	struct cohort_supported_operation ops[16];
	int32_t states[8];
	size_t n = ARRAY_SIZE(ops);

	CHECK_INT(cohort_get_supported_operations(ctx, 10, COHORT_UNSET, ops, &n), 0, "all");
	CHECK_INT((long long)n, 7, "activate, suspend, resume, abort, detach, dissolve, resync");
	n = ARRAY_SIZE(ops);
	CHECK_INT(cohort_get_supported_operations(ctx, 11, COHORT_COPY_STATE_BROKEN, ops, &n), 0,
		  "broken");
	CHECK_INT((long long)n, 2, "broken");
	CHECK_INT(ops[0].operation, COHORT_OPERATION_RESYNC_REPLICA, "broken");
	CHECK_INT(ops[1].operation, COHORT_OPERATION_DETACH, "broken");
	CHECK(ops[1].requires_force, "broken");
	n = ARRAY_SIZE(copy_states);
	CHECK_INT(cohort_get_supported_copy_states(ctx, 10, COHORT_UNSET, copy_states, &n), 0,
		  "all");
	CHECK_INT((long long)n, 8, "all");
	n = ARRAY_SIZE(states);
	CHECK_INT(cohort_get_supported_wait_for_copy_states(ctx, 10, COHORT_UNSET, states, &n), 0,
		  "create");
	CHECK_INT((long long)n, 4, "create");
	CHECK(states[0] == 2 && states[1] == 3 && states[2] == 4 && states[3] == 8, "2, 3, 4, 8");
}

static void supported_states(void)
{
	struct cohort_supported_copy_state states[8];
	size_t n = ARRAY_SIZE(states);

	CHECK_INT(cohort_get_supported_copy_states(ctx, 6, COHORT_UNSET, states, &n), 0, "all");
	CHECK_INT((long long)n, 7, "all");
	for (size_t i = 0; i < n; i++)
		CHECK(states[i].host_accessible == (states[i].copy_state == 4 ||
						    states[i].copy_state == 13 ||
						    states[i].copy_state == 14),
		      "state %d", states[i].copy_state);
	n = ARRAY_SIZE(states);
	CHECK_INT(cohort_get_supported_copy_states(ctx, 6, 4, states, &n), 0, "activate");
	CHECK_INT((long long)n, 2, "Initialized and Inactive");
	CHECK_INT(cohort_get_supported_copy_states(ctx, 6, 28, states, &n), 5, "reserved");
}

static void supported_waits(void)
{
	int32_t states[8];
	size_t n = ARRAY_SIZE(states);

	CHECK_INT(cohort_get_supported_wait_for_copy_states(ctx, 6, COHORT_UNSET, states, &n), 0,
		  "create");
	CHECK_INT((long long)n, 3, "create");
	CHECK(states[0] == 2 && states[1] == 4 && states[2] == 8, "2, 4, 8");
	n = ARRAY_SIZE(states);
	CHECK_INT(cohort_get_supported_wait_for_copy_states(ctx, 6, 19, states, &n), 0, "return");
	CHECK_INT((long long)n, 0, "return");
}

static void replication_types(void)
{
	struct cohort_supported_operation ops[8];

	for (int type = -2; type < 0x10002; type++) {
		size_t n = ARRAY_SIZE(ops);
		int want = 5;

		if (type == 6 || type == 7 || type == 10 || type == 11)
			want = 0;
		else if ((type >= 2 && type <= 27) || (type >= 0x8000 && type <= 0xffff))
			want = 1;
		CHECK_INT(cohort_get_supported_operations(ctx, type, COHORT_UNSET, ops, &n), want,
			  "type");
	}
}

static const struct unit_case cases[] = {
	{ "every_operation_in_every_state", every_operation_in_every_state },
	{ "vendor_and_unbuilt", vendor_and_unbuilt },
	{ "wait_states", wait_states },
	{ "wait_states_of_a_clone", wait_states_of_a_clone },
	{ "table_is_closed", table_is_closed },
	{ "supported_operations", supported_operations },
	{ "supported_of_clones", supported_of_clones },
	{ "supported_states", supported_states },
	{ "supported_waits", supported_waits },
	{ "replication_types", replication_types },
};

int main(void)
{
	int status;

	ctx = cohort_new();
	status = unit_main(cases, ARRAY_SIZE(cases));
	cohort_unref(ctx);
	return status;
}
