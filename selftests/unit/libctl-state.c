// SPDX-License-Identifier: GPL-2.0-or-later
/* The state table, and the capability queries that answer from it. */
#include <errno.h>

#include "../../kmod/state.h"
#include "../../libctl/private.h"
#include "unit.h"

#define SNAP COHORT_SYNC_TYPE_SNAPSHOT

static struct cohort *ctx;

/* Rows stated once more, independently of the table: state, operation, end state. */
static const unsigned int legal[][3] = {
	{ 2, 4, 4 }, { 8, 4, 4 },
	{ 2, 19, 0 }, { 4, 19, 0 }, { 5, 19, 0 }, { 8, 19, 0 }, { 13, 19, 0 }, { 14, 19, 0 },
	{ 4, 27, 4 }, { 13, 27, 4 },
};

static int expected(unsigned int state, unsigned int operation, unsigned int *to)
{
	bool known = false;

	for (size_t i = 0; i < ARRAY_SIZE(legal); i++) {
		known |= legal[i][1] == operation;
		if (legal[i][0] == state && legal[i][1] == operation) {
			*to = legal[i][2];
			return 0;
		}
	}
	if (!known)
		return operation >= 2 && operation <= 27 ? -EOPNOTSUPP : -EINVAL;
	return state == COHORT_COPY_STATE_UNSYNCHRONIZED ? -EBUSY : -EINVAL;
}

static void every_operation_in_every_state(void)
{
	for (unsigned int state = 0; state < 24; state++) {
		for (unsigned int op = 0; op < 40; op++) {
			const struct cohort_state_move *move;
			const char *why;
			unsigned int to = 0;
			const int want = expected(state, op, &to);
			const int got = cohort_state_operation_legal(SNAP, state, op, false, &move,
								     &why);

			CHECK(got == want, "state %u operation %u: %d, not %d", state, op, got,
			      want);
			CHECK(!got == !why && !got == !!move, "words or move, not both");
			if (!got)
				CHECK_INT(move->to, to, "end state");
		}
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
	CHECK_INT(cohort_state_wait_legal(COHORT_SYNC_TYPE_CLONE, COHORT_STATE_CREATE,
					  COHORT_STATE_NONE, 4), -EOPNOTSUPP, "clone");
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
	CHECK_INT((long long)n, 3, "activate, reset and return");
	n = ARRAY_SIZE(ops);
	CHECK_INT(cohort_get_supported_operations(ctx, 7, COHORT_COPY_STATE_BROKEN, ops, &n), 0,
		  "broken");
	CHECK_INT((long long)n, 1, "broken");
	CHECK_INT(ops[0].operation, COHORT_OPERATION_RETURN_TO_POOL, "broken");
	n = 0;
	CHECK_INT(cohort_get_supported_operations(ctx, 6, COHORT_UNSET, NULL, &n), 0, "no room");
	CHECK_INT((long long)n, 3, "count is told");
	CHECK_INT(cohort_get_supported_operations(ctx, 6, 1, ops, &n), 5, "reserved state");
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

		if (type == 6 || type == 7)
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
	{ "table_is_closed", table_is_closed },
	{ "supported_operations", supported_operations },
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
