// SPDX-License-Identifier: GPL-2.0-or-later
/* cohortctl udev-probe: what udev rules need to know of a device, as KEY=VALUE. */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "fail.h"
#include "output.h"

#define POOL_UUID	"COHORT-POOL-"
#define SOURCE_UUID	"COHORT-SRC-"
#define CLONE_UUID	"COHORT-CLONE-"
#define IMAGE_UUID	"COHORT-IMG-"

/* First line of a file of sysfs, "" when there is none. */
static void read_line(const char *path, char *line, int size)
{
	FILE *file = fopen(path, "re");

	*line = '\0';
	if (!file)
		return;
	if (!fgets(line, size, file))
		*line = '\0';
	line[strcspn(line, "\n")] = '\0';
	fclose(file);
}

static bool begins(const char *text, const char *prefix)
{
	return !strncmp(text, prefix, strlen(prefix));
}

/* As libblkid encodes: what is not plain becomes \xNN. */
static char *encode(const char *text)
{
	char *out = malloc(4 * strlen(text) + 1);
	char *at = out;

	for (; out && *text; text++) {
		if (isalnum((unsigned char)*text) || strchr("#+-.:=@_", *text))
			*at++ = *text;
		else
			at += sprintf(at, "\\x%02x", (unsigned char)*text);
	}
	if (out)
		*at = '\0';
	return out;
}

static void put(json_t *keys, const char *key, const char *text)
{
	char *value = encode(text);

	if (value)
		json_object_set_new(keys, key, json_string(value));
	free(value);
}

/*
 * Looks through the holders of a device for a source or clone, or through the disks
 * of one of them for that which is its own. @found is what is put then.
 */
typedef void found_fn(json_t *keys, const char *node, const char *uuid,
		      const char *name);

static void walk(const char *dir, json_t *keys, found_fn *found)
{
	DIR *nodes = opendir(dir);
	char path[512], uuid[160], name[160];
	const struct dirent *entry;

	if (!nodes)
		return;
	while ((entry = readdir(nodes))) {
		if (*entry->d_name == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s/dm/uuid", dir,
			 entry->d_name);
		read_line(path, uuid, sizeof(uuid));
		snprintf(path, sizeof(path), "%s/%s/dm/name", dir,
			 entry->d_name);
		read_line(path, name, sizeof(name));
		found(keys, entry->d_name, uuid, name);
	}
	closedir(nodes);
}

static void found_holder(json_t *keys, const char *node, const char *uuid,
			 const char *name)
{
	(void)node;
	if (begins(uuid, SOURCE_UUID) || begins(uuid, CLONE_UUID))
		put(keys, "COHORT_SOURCE", name);
}

static void found_disk(json_t *keys, const char *node, const char *uuid,
		       const char *name)
{
	(void)name;
	if (!begins(uuid, POOL_UUID) && !begins(uuid, IMAGE_UUID))
		put(keys, "COHORT_DISK", node);
}

static void probe_sysfs(const struct stat *st, json_t *keys)
{
	char base[64], path[128], uuid[160];

	snprintf(base, sizeof(base), "/sys/dev/block/%u:%u",
		 major(st->st_rdev), minor(st->st_rdev));
	snprintf(path, sizeof(path), "%s/holders", base);
	walk(path, keys, found_holder);
	snprintf(path, sizeof(path), "%s/dm/uuid", base);
	read_line(path, uuid, sizeof(uuid));
	if (!begins(uuid, SOURCE_UUID) && !begins(uuid, CLONE_UUID))
		return;
	snprintf(path, sizeof(path), "%s/slaves", base);
	walk(path, keys, found_disk);
}

/* No pool is no error here: most devices are none. */
static void probe_pool(struct cohort *ctx, const char *device, json_t *keys)
{
	struct cohort_pool *pool;

	if (cohort_pool_probe(ctx, device, &pool))
		return;
	put(keys, "ID_FS_TYPE", "cohort_pool");
	put(keys, "ID_FS_USAGE", "raid");
	put(keys, "ID_FS_UUID", pool->uuid);
	put(keys, "ID_FS_UUID_ENC", pool->uuid);
	put(keys, "ID_FS_LABEL", pool->name);
	put(keys, "ID_FS_LABEL_ENC", pool->name);
	cohort_pool_free(pool);
}

static int udev_probe(struct app *app)
{
	const char *device = app->argv[0], *key;
	json_t *keys, *value;
	struct stat st;

	if (stat(device, &st))
		return fail_errno(app, errno, "%s: %s", device,
				  strerror(errno));
	if (!S_ISBLK(st.st_mode))
		return fail_errno(app, ENOTBLK, "%s: not a block device",
				  device);
	keys = json_object();
	probe_sysfs(&st, keys);
	probe_pool(app->ctx, device, keys);
	if (app->opts.json)
		return output_json(app, keys);
	json_object_foreach(keys, key, value)
		printf("%s=%s\n", key, json_string_value(value));
	json_decref(keys);
	return EXIT_OK;
}

const struct verb verb_udev_probe = {
	.id = VERB_UDEV_PROBE,
	.name = "udev-probe",
	.args = "DEVICE",
	.summary = "Tell udev rules of a pool's disk, of a source and its disk",
	.notes = "Asks sysfs and the device, not the module.",
	.flags = VERB_HIDDEN,
	.min_args = 1,
	.max_args = 1,
	.run = udev_probe,
};
