// SPDX-License-Identifier: GPL-2.0-or-later
/* faulty.c - breaks and heals a device by exchanging its table under the I/O that goes on */
#include <inttypes.h>
#include <libdevmapper.h>
#include <stdio.h>
#include <string.h>

#include "faulty.h"

/* Of dm-dust: large, so that few bad ones are met often. */
#define DUST_SECTORS 128
#define DUST_SHARE 4
#define PARAMS_LEN 128

const struct fault faults[] = {
	{ "everything fails", true, true, "error", NULL },
	{ "reads, writes and flushes fail", true, true, "flakey", " 0 3600" },
	{ "writes and flushes fail", false, true, "flakey", " 0 3600 1 error_writes" },
	{ "reads fail", true, false, "flakey", " 0 3600 1 error_reads" },
	{ "some blocks can not be read", true, false, "dust", " 65536" },
};

const unsigned int nr_faults = ARRAY_SIZE(faults);

static struct dm_task *new_task(int type, const char *name)
{
	struct dm_task *task = dm_task_create(type);

	if (!task || !dm_task_set_name(task, name))
		die("%s: no memory", name);
	return task;
}

/* Destroys it. */
static void run(struct dm_task *task, const char *name, const char *what)
{
	if (!dm_task_run(task))
		die("%s: cannot %s", name, what);
	dm_task_destroy(task);
}

void faulty_open(struct faulty *device, const char *name)
{
	struct dm_task *task = new_task(DM_DEVICE_TABLE, name);
	char *type = NULL, *params = NULL;
	uint64_t start, length;

	if (!dm_task_run(task))
		die("%s: has no table", name);
	dm_get_next_target(task, NULL, &start, &length, &type, &params);
	if (!type || strcmp(type, "linear"))
		die("%s: is not linear", name);
	device->name = name;
	device->sectors = length;
	snprintf(device->below, sizeof(device->below), "%s", params);
	dm_task_destroy(task);
}

static struct dm_task *table_task(const struct faulty *device, const char *type,
				  const char *params)
{
	struct dm_task *task = new_task(DM_DEVICE_RELOAD, device->name);

	if (!dm_task_add_target(task, 0, device->sectors, type, params))
		die("%s: no memory", device->name);
	return task;
}

static void exchange_table(const struct faulty *device, const char *type, const char *params)
{
	struct dm_task *task;

	run(table_task(device, type, params), device->name, "load a table");
	task = new_task(DM_DEVICE_RESUME, device->name);
	dm_task_no_flush(task);
	dm_task_skip_lockfs(task);
	run(task, device->name, "exchange the table");
}

static void make_params(char *params, size_t size, const struct faulty *device,
			const struct fault *fault)
{
	*params = '\0';
	if (fault->params)
		snprintf(params, size, "%s%s", device->below, fault->params);
}

bool faulty_can(const struct faulty *device, const struct fault *fault)
{
	char params[PARAMS_LEN];
	struct dm_task *task;
	bool can;

	make_params(params, sizeof(params), device, fault);
	task = table_task(device, fault->target, params);
	can = dm_task_run(task);
	dm_task_destroy(task);
	run(new_task(DM_DEVICE_CLEAR, device->name), device->name, "drop a table");
	return can;
}

static void send_message(const struct faulty *device, const char *words)
{
	struct dm_task *task = new_task(DM_DEVICE_TARGET_MSG, device->name);

	if (!dm_task_set_sector(task, 0) || !dm_task_set_message(task, words))
		die("%s: no memory", device->name);
	run(task, device->name, words);
}

/* dm-dust: a bad block is good again when it is written, as on a real disk. */
static void add_dust(const struct faulty *device, struct rng *rng)
{
	const __u64 blocks = device->sectors / DUST_SECTORS;
	char words[40];

	for (__u64 i = 0; i < blocks; i++) {
		if (rng_below(rng, DUST_SHARE))
			continue;
		snprintf(words, sizeof(words), "addbadblock %llu", i);
		send_message(device, words);
	}
	send_message(device, "enable");
}

void faulty_break(const struct faulty *device, const struct fault *fault, struct rng *rng)
{
	char params[PARAMS_LEN];

	make_params(params, sizeof(params), device, fault);
	exchange_table(device, fault->target, params);
	if (!strcmp(fault->target, "dust"))
		add_dust(device, rng);
}

void faulty_heal(const struct faulty *device)
{
	exchange_table(device, "linear", device->below);
}

void faulty_drop(const struct faulty *device)
{
	static const struct fault drop = { "", false, false, "flakey", " 0 3600 1 drop_writes" };
	char params[PARAMS_LEN];

	make_params(params, sizeof(params), device, &drop);
	exchange_table(device, drop.target, params);
}

void faulty_slow(const struct faulty *device, unsigned int ms)
{
	char params[2 * PARAMS_LEN];

	snprintf(params, sizeof(params), "%s 0 %s %u", device->below, device->below, ms);
	exchange_table(device, "delay", params);
}
