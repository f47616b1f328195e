// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * call - one call of the library from a command line, its outcome in one line
 *
 *	call replicate|group-replica|modify|wait|storm [PARAMETER=VALUE]...
 *
 * Prints "code=N errno=N attribute=... job=N name=... group=... target=...
 * state=... message=..." and exits with 0 whatever the code is.
 */
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cohort/cohort.h>

#define ELEMENTS_MAX 1024
#define THREADS_MAX 64
#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

static struct cohort *ctx;
static struct cohort_request request;
static struct cohort_modify_request change;
static struct cohort_replication_setting_data settings;
static struct cohort_target_setting_goal goal;
static const char *elements[ELEMENTS_MAX], *targets[ELEMENTS_MAX];
static uint64_t job;
static int threads = 4, rounds = 5;

static void die(const char *what, const char *with)
{
	fprintf(stderr, "call: %s %s\n", what, with);
	exit(99);
}

static void set_elements(char *list)
{
	for (char *one = strtok(list, ","); one; one = strtok(NULL, ",")) {
		if (request.source_elements_count == ELEMENTS_MAX)
			die("too many elements", one);
		elements[request.source_elements_count++] = one;
	}
	request.source_elements = elements;
}

static void set_targets(char *list)
{
	for (char *one = strtok(list, ","); one; one = strtok(NULL, ",")) {
		if (request.target_elements_count == ELEMENTS_MAX)
			die("too many targets", one);
		targets[request.target_elements_count++] = one;
	}
	request.target_elements = targets;
}

static void set_force(char *value)
{
	request.force = !strcmp(value, "1");
	change.force = request.force;
}

/* PROPERTY:VALUE */
static void set_setting(char *text)
{
	char *value = strchr(text, ':');

	if (!value)
		die("no value in", text);
	*value++ = '\0';
	if (cohort_replication_setting_data_set(ctx, &settings, text, value))
		die("no setting", text);
	request.replication_setting_data = &settings;
}

static void set_goal(char *text)
{
	char *value = strchr(text, ':');

	if (!value)
		die("no value in", text);
	*value++ = '\0';
	if (cohort_target_setting_goal_set(ctx, &goal, text, value))
		die("no goal", text);
	request.target_setting_goal = &goal;
}

static const struct {
	const char *name;
	const char **text;
	int32_t *number;
	void (*set)(char *value);
} parameters[] = {
	{ "RelationshipName", &request.relationship_name, NULL, NULL },
	{ "SyncType", NULL, &request.sync_type, NULL },
	{ "Mode", NULL, &request.mode, NULL },
	{ "SourceElements", NULL, NULL, set_elements },
	{ "SourceGroupName", &request.source_group_name, NULL, NULL },
	{ "TargetElements", NULL, NULL, set_targets },
	{ "Force", NULL, NULL, set_force },
	{ "SourceAccessPoint", &request.source_access_point, NULL, NULL },
	{ "TargetGroup", &request.target_group, NULL, NULL },
	{ "TargetAccessPoint", &request.target_access_point, NULL, NULL },
	{ "Consistency", NULL, &request.consistency, NULL },
	{ "ReplicationSettingData", NULL, NULL, set_setting },
	{ "TargetSettingGoal", NULL, NULL, set_goal },
	{ "TargetPool", &request.target_pool, NULL, NULL },
	{ "WaitForCopyState", NULL, &request.wait_for_copy_state, NULL },
	{ "timeout", NULL, &request.timeout_ms, NULL },
	{ "Operation", NULL, &change.operation, NULL },
	{ "Synchronization", &change.synchronization, NULL, NULL },
	{ "threads", NULL, &threads, NULL },
	{ "rounds", NULL, &rounds, NULL },
};

static void set_parameter(char *text)
{
	char *value = strchr(text, '=');

	if (!value)
		die("no value in", text);
	*value++ = '\0';
	if (!strcmp(text, "Job")) {
		job = strtoull(value, NULL, 10);
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(parameters); i++) {
		if (strcmp(text, parameters[i].name))
			continue;
		if (parameters[i].text)
			*parameters[i].text = value;
		else if (parameters[i].number)
			*parameters[i].number = (int32_t)strtol(value, NULL, 0);
		else
			parameters[i].set(value);
		return;
	}
	die("no parameter", text);
}

static void show(int code, const struct cohort_reply *reply)
{
	const struct cohort_relationship *rel = reply ? reply->synchronization : NULL;
	struct cohort_error e = { 0 };

	if (code && code != COHORT_RESULT_JOB_STARTED)
		cohort_get_error(ctx, &e);
	printf("code=%d errno=%d attribute=%s ", code, e.err, e.attribute);
	printf("job=%" PRIu64 " name=%s group=%s target=%s state=%s message=%s\n",
	       reply ? reply->job : 0, reply && reply->name ? reply->name : "",
	       reply && reply->source_group_name ? reply->source_group_name : "",
	       reply && reply->target_group ? reply->target_group : "",
	       rel ? cohort_copy_state_name(rel->copy_state) : "", e.message);
}

static int modify(const char *name, int32_t operation)
{
	struct cohort_modify_request r;

	cohort_modify_request_init(&r);
	r.synchronization = name;
	r.operation = operation;
	return cohort_modify_replica_synchronization(ctx, &r, NULL);
}

/* One of several users of one context: makes, lists and deletes its own. */
static void *storm_thread(void *data)
{
	struct cohort_request r = request;
	long *failures = data;

	for (int i = 0; i < rounds; i++) {
		struct cohort_relationship *list = NULL;
		struct cohort_reply *reply = NULL;
		struct cohort_error e;

		if (cohort_create_group_replica_from_elements(ctx, &r, &reply) ||
		    cohort_relationship_list(ctx, &list) || !list ||
		    modify(reply->name, COHORT_OPERATION_RETURN_TO_POOL)) {
			cohort_get_error(ctx, &e);
			fprintf(stderr, "call: %s\n", e.message);
			(*failures)++;
		}
		/* words of an own error, not of another thread's */
		modify(reply && reply->name ? reply->name : "none", 5);
		cohort_get_error(ctx, &e);
		*failures += e.code != 1;
		cohort_relationship_free(list);
		cohort_reply_free(reply);
	}
	return NULL;
}

static int storm(void)
{
	pthread_t thread[THREADS_MAX];
	long failures[THREADS_MAX] = { 0 }, all = 0;

	if (threads > THREADS_MAX)
		die("too many threads", "");
	for (int i = 0; i < threads; i++)
		if (pthread_create(&thread[i], NULL, storm_thread, &failures[i]))
			die("no thread", "");
	for (int i = 0; i < threads; i++) {
		pthread_join(thread[i], NULL);
		all += failures[i];
	}
	printf("failures=%ld\n", all);
	return 0;
}

static int run(const char *method)
{
	struct cohort_reply *reply = NULL;
	int code;

	if (!strcmp(method, "storm"))
		return storm();
	if (!strcmp(method, "replicate"))
		code = cohort_create_group_replica_from_elements(ctx, &request, &reply);
	else if (!strcmp(method, "group-replica"))
		code = cohort_create_group_replica(ctx, &request, &reply);
	else if (!strcmp(method, "modify"))
		code = cohort_modify_replica_synchronization(ctx, &change, &reply);
	else if (!strcmp(method, "wait"))
		code = cohort_job_wait(ctx, job, request.timeout_ms, NULL);
	else
		die("no method", method);
	show(code, reply);
	cohort_reply_free(reply);
	return 0;
}

int main(int argc, char **argv)
{
	int ret;

	if (argc < 2)
		die("no method", "");
	ctx = cohort_new();
	cohort_request_init(&request);
	cohort_modify_request_init(&change);
	cohort_replication_setting_data_init(&settings);
	cohort_target_setting_goal_init(&goal);
	request.sync_type = COHORT_SYNC_TYPE_SNAPSHOT;
	for (int i = 2; i < argc; i++)
		set_parameter(argv[i]);
	change.timeout_ms = request.timeout_ms;
	change.wait_for_copy_state = request.wait_for_copy_state;
	ret = run(argv[1]);
	cohort_unref(ctx);
	return ret;
}
