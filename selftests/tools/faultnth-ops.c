// SPDX-License-Identifier: GPL-2.0-or-later
/* faultnth-ops.c - the operations of faultnth: everything that a user can ask of the module */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "faultnth.h"
#include "util.h"

#define POOL "p"
#define OTHER_POOL "faultq"
#define GROWABLE "faultd"
#define SMALL_SECTORS "65536"
#define LARGE_SECTORS "131072"
#define LARGE_BYTES (131072u << 9)
#define SOURCE "faultx"
#define GROUP "faultg"
#define REL "faultr"
#define SETTLE_TRIES 300
#define SETTLE_NS 20000000

static const char *const both[] = { "m1", "m2" };

/* The devices that pool and source of the operations are made of. */
const char *fault_disk(const char *variable)
{
	const char *path = getenv(variable);

	if (!path)
		die("%s is not set", variable);
	return path;
}

static bool device_there(const char *name)
{
	char path[128];

	snprintf(path, sizeof(path), "/dev/mapper/%s", name);
	return !access(path, F_OK);
}

static enum effect opposite(enum effect effect)
{
	return effect == PARTLY ? PARTLY : effect == PRESENT ? ABSENT : PRESENT;
}

static enum effect partly(const char *what)
{
	say("%s", what);
	return PARTLY;
}

void fault_settle(struct cohort *ctx)
{
	for (int i = 0; i < SETTLE_TRIES; i++) {
		struct cohort_job *jobs = NULL, *job;
		bool running = false;

		if (cohort_job_list(ctx, &jobs))
			die("cannot list the jobs");
		for (job = jobs; job; job = job->next)
			running |= job->state < COHORT_JOB_STATE_COMPLETED &&
				job->method != COHORT_METHOD_RELATIONSHIP_COPY;
		cohort_job_free(jobs);
		if (!running)
			return;
		sleep_ns(SETTLE_NS);
	}
	die("a job does not end");
}

/* ---- pools ---- */

static int pool_create(struct cohort *ctx)
{
	return cohort_pool_create(ctx, OTHER_POOL, fault_disk("FAULT_POOL"), 0, COHORT_FORCE, NULL);
}

static int pool_remove(struct cohort *ctx)
{
	return cohort_pool_remove(ctx, OTHER_POOL);
}

static int pool_open(struct cohort *ctx)
{
	return cohort_pool_open(ctx, fault_disk("FAULT_POOL"), NULL);
}

static int pool_close(struct cohort *ctx)
{
	return cohort_pool_close(ctx, OTHER_POOL);
}

static enum effect pool_is_open(struct cohort *ctx)
{
	struct cohort_pool *pool = NULL;
	const bool known = !cohort_pool_get(ctx, OTHER_POOL, &pool);
	const bool device = device_there(OTHER_POOL);

	cohort_pool_free(pool);
	if (known != device)
		return partly(known ? "a pool without its device" : "a device without its pool");
	return known ? PRESENT : ABSENT;
}

static enum effect pool_is_closed(struct cohort *ctx)
{
	return opposite(pool_is_open(ctx));
}

static int closed_pool(struct cohort *ctx)
{
	return pool_create(ctx) ?: pool_close(ctx);
}

static int open_and_remove_pool(struct cohort *ctx)
{
	return pool_open(ctx) ?: pool_remove(ctx);
}

static int pool_scrub(struct cohort *ctx)
{
	return cohort_pool_scrub(ctx, POOL, COHORT_WAIT_FOREVER, NULL);
}

/* Of a pool as small as this one it may have ended before it is asked. */
static int scrub_and_cancel(struct cohort *ctx)
{
	struct cohort_reply *reply = NULL;
	int ret = cohort_pool_scrub(ctx, POOL, 0, &reply);

	if (ret != COHORT_RESULT_JOB_STARTED)
		return ret;
	ret = cohort_job_request_state_change(ctx, reply->job, COHORT_JOB_REQUEST_TERMINATE);
	if (ret == COHORT_RESULT_INVALID_PARAMETER)
		ret = 0;
	cohort_job_wait(ctx, reply->job, COHORT_WAIT_FOREVER, NULL);
	cohort_reply_free(reply);
	return ret;
}

/* ---- a pool on a device that grows: a dm-linear one on the disk of the pool ---- */

static int resize(const char *verb, const char *size)
{
	char command[256];

	snprintf(command, sizeof(command), "dmsetup %s " GROWABLE
		 " --table \"0 %s linear $FAULT_POOL 0\" && dmsetup resume " GROWABLE,
		 verb, size);
	return system(command) ? -EIO : 0;
}

static int growable_pool(struct cohort *ctx, const char *verb)
{
	return resize(verb, SMALL_SECTORS) ?:
	       cohort_pool_create(ctx, OTHER_POOL, "/dev/mapper/" GROWABLE, 0, COHORT_FORCE,
				  NULL) ?:
	       resize("load", LARGE_SECTORS);
}

static int pool_below_grown(struct cohort *ctx)
{
	return growable_pool(ctx, "create");
}

static int pool_extend(struct cohort *ctx)
{
	return cohort_pool_extend(ctx, OTHER_POOL, NULL);
}

static int pool_shrink(struct cohort *ctx)
{
	return pool_remove(ctx) ?: growable_pool(ctx, "load");
}

static int pool_and_disk_remove(struct cohort *ctx)
{
	return pool_remove(ctx) ?: system("dmsetup remove --retry " GROWABLE) ? -EIO : 0;
}

static enum effect pool_is_large(struct cohort *ctx)
{
	struct cohort_pool *pool = NULL;
	uint64_t size;

	fault_settle(ctx);
	if (cohort_pool_get(ctx, OTHER_POOL, &pool))
		return partly("an extended pool has gone");
	size = pool->size;
	cohort_pool_free(pool);
	return size > LARGE_BYTES / 2 ? PRESENT : ABSENT;
}

/* ---- sources ---- */

static int attach(struct cohort *ctx)
{
	return cohort_attach(ctx, POOL, SOURCE, fault_disk("FAULT_DISK"), 0, COHORT_WAIT_FOREVER,
			     NULL);
}

static int detach(struct cohort *ctx)
{
	return cohort_detach(ctx, SOURCE, COHORT_WAIT_FOREVER, NULL);
}

static int source_remove(struct cohort *ctx)
{
	return cohort_source_remove(ctx, SOURCE, COHORT_WAIT_FOREVER, NULL);
}

static int forget(struct cohort *ctx)
{
	return detach(ctx) ?: source_remove(ctx);
}

static int know(struct cohort *ctx)
{
	return attach(ctx) ?: detach(ctx);
}

/* 0 when it is not known. */
static uint32_t source_state(struct cohort *ctx)
{
	struct cohort_source *source = NULL;
	uint32_t state = 0;

	fault_settle(ctx);
	if (!cohort_source_get(ctx, SOURCE, &source))
		state = source->state;
	cohort_source_free(source);
	return state;
}

static enum effect source_is_attached(struct cohort *ctx)
{
	const uint32_t state = source_state(ctx);
	const bool device = device_there(SOURCE);

	if (state == COHORT_SOURCE_STATE_ATTACHED && device)
		return PRESENT;
	if (state && state != COHORT_SOURCE_STATE_DETACHED)
		return partly("a source that is attached in part");
	return device ? partly("a device without its source") : ABSENT;
}

static enum effect source_is_new(struct cohort *ctx)
{
	const enum effect effect = source_is_attached(ctx);

	if (effect == ABSENT && source_state(ctx))
		return partly("a source that was never attached is known");
	return effect;
}

static enum effect source_is_detached(struct cohort *ctx)
{
	return opposite(source_is_attached(ctx));
}

static enum effect source_is_unknown(struct cohort *ctx)
{
	return source_state(ctx) ? ABSENT : PRESENT;
}

/* ---- groups ---- */

static int group_of(struct cohort *ctx, size_t count)
{
	struct cohort_group_request request;

	cohort_group_request_init(&request);
	request.group_name = GROUP;
	request.members = both;
	request.members_count = count;
	return cohort_create_group(ctx, &request, NULL);
}

static int group_create(struct cohort *ctx)
{
	return group_of(ctx, 2);
}

static int group_of_one(struct cohort *ctx)
{
	return group_of(ctx, 1);
}

static int group_delete(struct cohort *ctx)
{
	return cohort_delete_group(ctx, GROUP, true, COHORT_WAIT_FOREVER, NULL);
}

static int group_add(struct cohort *ctx)
{
	return cohort_add_members(ctx, GROUP, &both[1], 1, COHORT_WAIT_FOREVER, NULL);
}

static int group_take_out(struct cohort *ctx)
{
	return cohort_remove_members(ctx, GROUP, &both[1], 1, COHORT_WAIT_FOREVER, NULL);
}

/* -1 when it is not there. */
static int members_of_group(struct cohort *ctx)
{
	const struct cohort_member *member;
	struct cohort_group *group = NULL;
	int n = 0;

	fault_settle(ctx);
	if (cohort_group_get(ctx, GROUP, &group))
		return -1;
	for (member = group->members; member; member = member->next)
		n++;
	cohort_group_free(group);
	return n;
}

static enum effect group_is_there(struct cohort *ctx)
{
	const int n = members_of_group(ctx);

	return n < 0 ? ABSENT : n == 2 ? PRESENT : partly("a group without all its members");
}

static enum effect group_is_gone(struct cohort *ctx)
{
	return opposite(group_is_there(ctx));
}

static enum effect group_has_two(struct cohort *ctx)
{
	const int n = members_of_group(ctx);

	return n == 2 ? PRESENT : n == 1 ? ABSENT : partly("a group with odd members");
}

static enum effect group_has_one(struct cohort *ctx)
{
	return opposite(group_has_two(ctx));
}

/* ---- relationships ---- */

static void describe(struct cohort_request *request)
{
	cohort_request_init(request);
	request->sync_type = COHORT_SYNC_TYPE_SNAPSHOT;
	request->relationship_name = REL;
}

static int replicate(struct cohort *ctx)
{
	struct cohort_request request;

	describe(&request);
	request.source_elements = both;
	request.source_elements_count = 2;
	return cohort_create_group_replica_from_elements(ctx, &request, NULL);
}

static int replicate_group(struct cohort *ctx)
{
	struct cohort_request request;

	describe(&request);
	request.source_group_name = GROUP;
	return cohort_create_group_replica(ctx, &request, NULL);
}

static int prepare(struct cohort *ctx)
{
	struct cohort_request request;

	describe(&request);
	request.source_elements = both;
	request.source_elements_count = 2;
	request.wait_for_copy_state = COHORT_COPY_STATE_INACTIVE;
	return cohort_create_group_replica_from_elements(ctx, &request, NULL);
}

static int modify(struct cohort *ctx, int operation)
{
	struct cohort_modify_request request;

	cohort_modify_request_init(&request);
	request.synchronization = REL;
	request.operation = operation;
	return cohort_modify_replica_synchronization(ctx, &request, NULL);
}

static int activate(struct cohort *ctx)
{
	return modify(ctx, COHORT_OPERATION_ACTIVATE);
}

static int give_back(struct cohort *ctx)
{
	return modify(ctx, COHORT_OPERATION_RETURN_TO_POOL);
}

static int prepare_anew(struct cohort *ctx)
{
	return give_back(ctx) ?: prepare(ctx);
}

static int write_image(struct cohort *ctx)
{
	static char data[512] __attribute__((aligned(512)));
	int fd = open("/dev/mapper/" REL "_1", O_WRONLY | O_DIRECT);
	ssize_t n = fd < 0 ? -1 : pwrite(fd, data, sizeof(data), 0);

	(void)ctx;
	if (fd >= 0)
		close(fd);
	return n == sizeof(data) ? 0 : 4;
}

static int replicate_writable(struct cohort *ctx)
{
	struct cohort_target_setting_goal goal;
	struct cohort_request request;

	describe(&request);
	cohort_target_setting_goal_init(&goal);
	goal.read_only = 0;
	request.target_setting_goal = &goal;
	request.source_elements = both;
	request.source_elements_count = 2;
	return cohort_create_group_replica_from_elements(ctx, &request, NULL) ?: write_image(ctx);
}

static int reset(struct cohort *ctx)
{
	return modify(ctx, COHORT_OPERATION_RESET_REPLICA);
}

/* Its state, which all members share; 0: it is not there, -1: they differ. */
static int rel_state(struct cohort *ctx)
{
	const struct cohort_member *member;
	struct cohort_relationship *rel = NULL;
	int state, n = 0;

	fault_settle(ctx);
	if (cohort_relationship_get(ctx, REL, &rel))
		return 0;
	state = rel->copy_state;
	for (member = rel->members; member; member = member->next, n++)
		if (member->copy_state != rel->copy_state)
			state = -1;
	cohort_relationship_free(rel);
	return n == 2 ? state : -1;
}

/* Images may all be missing, when a caller was not told that it has them. */
static enum effect rel_in_state(struct cohort *ctx, int wanted, int before)
{
	const int state = rel_state(ctx);

	if (state == wanted && device_there(REL "_1") == device_there(REL "_2"))
		return PRESENT;
	if (state == before && !device_there(REL "_1") && !device_there(REL "_2"))
		return ABSENT;
	return partly("a relationship whose members differ");
}

static enum effect rel_is_taken(struct cohort *ctx)
{
	return rel_in_state(ctx, COHORT_COPY_STATE_SYNCHRONIZED, 0);
}

static enum effect rel_is_prepared(struct cohort *ctx)
{
	return rel_in_state(ctx, COHORT_COPY_STATE_INACTIVE, 0);
}

static enum effect rel_is_activated(struct cohort *ctx)
{
	return rel_in_state(ctx, COHORT_COPY_STATE_SYNCHRONIZED, COHORT_COPY_STATE_INACTIVE);
}

/* One of the two is Skewed, and so is the relationship. */
static enum effect rel_is_reset(struct cohort *ctx)
{
	struct cohort_relationship *rel = NULL;
	__u32 state;

	fault_settle(ctx);
	if (cohort_relationship_get(ctx, REL, &rel))
		return partly("no relationship");
	state = rel->copy_state;
	cohort_relationship_free(rel);
	if (state == COHORT_COPY_STATE_SYNCHRONIZED)
		return PRESENT;
	return state == COHORT_COPY_STATE_SKEWED ? ABSENT : partly("neither reset nor not");
}

static enum effect rel_is_gone(struct cohort *ctx)
{
	return opposite(rel_is_taken(ctx));
}

/* ---- looking ---- */

static int list_all(struct cohort *ctx)
{
	struct cohort_relationship *rels = NULL;
	struct cohort_source *sources = NULL;
	struct cohort_module *module = NULL;
	struct cohort_group *groups = NULL;
	struct cohort_pool *pools = NULL;
	struct cohort_job *jobs = NULL;
	int ret = cohort_module_get(ctx, &module) ?: cohort_pool_list(ctx, &pools) ?:
		  cohort_source_list(ctx, &sources) ?: cohort_group_list(ctx, &groups) ?:
		  cohort_relationship_list(ctx, &rels) ?: cohort_job_list(ctx, &jobs);

	cohort_job_free(jobs);
	cohort_relationship_free(rels);
	cohort_group_free(groups);
	cohort_source_free(sources);
	cohort_pool_free(pools);
	cohort_module_free(module);
	return ret;
}

static int get_each(struct cohort *ctx)
{
	struct cohort_relationship *rel = NULL;
	struct cohort_source *source = NULL;
	struct cohort_group *group = NULL;
	struct cohort_pool *pool = NULL;
	int ret = cohort_pool_get(ctx, POOL, &pool) ?: cohort_source_get(ctx, "m1", &source) ?:
		  cohort_group_get(ctx, GROUP, &group) ?: cohort_relationship_get(ctx, REL, &rel);

	cohort_relationship_free(rel);
	cohort_group_free(group);
	cohort_source_free(source);
	cohort_pool_free(pool);
	return ret;
}

static int compare(struct cohort *ctx)
{
	uint64_t offset, length = 1;
	struct cohort_diff *diff = NULL;
	int ret = cohort_diff_new(ctx, REL, NULL, "m1", &diff);

	while (!ret && length)
		ret = cohort_diff_next(diff, &offset, &length);
	cohort_diff_free(diff);
	return ret;
}

static int hold_and_let_go(struct cohort *ctx)
{
	uint32_t gate;
	int ret = cohort_gate_close(ctx, GROUP, COHORT_LEASE_MAX, &gate);

	if (ret)
		return ret;
	ret = cohort_gate_open(ctx, gate, NULL);
	/* it holds on where the request has not come through, to be asked once more */
	if (ret)
		cohort_gate_open(ctx, gate, NULL);
	return ret;
}

static int group_and_rel(struct cohort *ctx)
{
	return group_create(ctx) ?: replicate_group(ctx);
}

static int no_group_and_rel(struct cohort *ctx)
{
	return give_back(ctx) ?: group_delete(ctx);
}

const struct operation operations[] = {
	{ "pool-create", pool_create, pool_is_open, pool_remove, NULL, NULL },
	{ "pool-open", pool_open, pool_is_open, pool_close, closed_pool, open_and_remove_pool },
	{ "pool-close", pool_close, pool_is_closed, pool_open, pool_create, pool_remove },
	{ "pool-extend", pool_extend, pool_is_large, pool_shrink, pool_below_grown,
	  pool_and_disk_remove },
	{ "attach", attach, source_is_new, forget, NULL, NULL },
	{ "attach-known", attach, source_is_attached, detach, know, source_remove },
	{ "detach", detach, source_is_detached, attach, attach, forget },
	{ "source-remove", source_remove, source_is_unknown, know, know, source_remove },
	{ "group-create", group_create, group_is_there, group_delete, NULL, NULL },
	{ "group-delete", group_delete, group_is_gone, group_create, group_create, group_delete },
	{ "group-add", group_add, group_has_two, group_take_out, group_of_one, group_delete },
	{ "group-remove", group_take_out, group_has_one, group_add, group_create, group_delete },
	{ "replicate", replicate, rel_is_taken, give_back, NULL, NULL },
	{ "replicate-group", replicate_group, rel_is_taken, give_back, group_create, group_delete },
	{ "prepare", prepare, rel_is_prepared, give_back, NULL, NULL },
	{ "activate", activate, rel_is_activated, prepare_anew, prepare, give_back },
	{ "give-back", give_back, rel_is_gone, replicate, replicate, give_back },
	{ "reset", reset, rel_is_reset, write_image, replicate_writable, give_back },
	{ "list", list_all, NULL, NULL, group_and_rel, no_group_and_rel },
	{ "get", get_each, NULL, NULL, group_and_rel, no_group_and_rel },
	{ "diff", compare, NULL, NULL, replicate, give_back },
	{ "scrub", pool_scrub, NULL, NULL, replicate, give_back },
	{ "cancel", scrub_and_cancel, NULL, NULL, replicate, give_back },
	{ "gate", hold_and_let_go, NULL, NULL, group_create, group_delete },
};

const unsigned int nr_operations = ARRAY_SIZE(operations);
