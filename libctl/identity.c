// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * identity.c - by which names a disk is known, and the disk that has them
 *
 * Read from the kernel and from the disk, not from udev's database: the same
 * disk must have the same names with and without udev running.
 */
#include <blkid/blkid.h>
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <libudev.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "private.h"

/* Trimmed, as drivers pad with blanks; empty when there is nothing. */
static void copy_trimmed(char *to, size_t size, const char *from)
{
	size_t len;

	while (from && isspace((unsigned char)*from))
		from++;
	snprintf(to, size, "%s", from ? from : "");
	len = strlen(to);
	while (len && isspace((unsigned char)to[len - 1]))
		to[--len] = '\0';
}

static void read_wwn(struct udev_device *disk, const char *suffix, char *wwn, size_t size)
{
	/* of a namespace, a SCSI device, a virtio disk, a card */
	static const char *const attrs[] = {
		"wwid", "device/wwid", "serial", "device/serial", "device/cid",
	};
	char value[96] = "";

	for (size_t i = 0; i < ARRAY_SIZE(attrs) && !value[0]; i++)
		copy_trimmed(value, sizeof(value), udev_device_get_sysattr_value(disk, attrs[i]));
	if (value[0])
		snprintf(wwn, size, "%s%s", value, suffix);
}

static void read_partuuid(const char *disk_node, dev_t dev, char *partuuid, size_t size)
{
	blkid_probe pr = disk_node ? blkid_new_probe_from_filename(disk_node) : NULL;
	blkid_partlist list = pr ? blkid_probe_get_partitions(pr) : NULL;
	blkid_partition part = list ? blkid_partlist_devno_to_partition(list, dev) : NULL;

	if (part)
		copy_trimmed(partuuid, size, blkid_partition_get_uuid(part));
	blkid_free_probe(pr);
}

static void read_device(struct udev_device *dev, dev_t number, struct identity *id)
{
	const char *partition = udev_device_get_sysattr_value(dev, "partition");
	struct udev_device *disk = dev;
	char suffix[32] = "";

	copy_trimmed(id->dm_uuid, sizeof(id->dm_uuid),
		     udev_device_get_sysattr_value(dev, "dm/uuid"));
	if (partition) {
		disk = udev_device_get_parent_with_subsystem_devtype(dev, "block", "disk");
		snprintf(suffix, sizeof(suffix), "-part%.20s", partition);
		if (disk)
			read_partuuid(udev_device_get_devnode(disk), number, id->partuuid,
				      sizeof(id->partuuid));
	}
	if (disk)
		read_wwn(disk, suffix, id->wwn, sizeof(id->wwn));
}

void identity_read(const struct device *d, struct identity *id)
{
	struct udev *udev = udev_new();
	struct udev_device *dev = udev ? udev_device_new_from_devnum(udev, 'b', d->dev) : NULL;

	memset(id, 0, sizeof(*id));
	if (dev)
		read_device(dev, d->dev, id);
	udev_device_unref(dev);
	udev_unref(udev);
}

static bool same(const char *recorded, const char *found)
{
	return recorded && recorded[0] && !strcmp(recorded, found);
}

static bool has_names(const struct recorded *r)
{
	return (r->dm_uuid && r->dm_uuid[0]) || (r->wwn && r->wwn[0]) ||
	       (r->partuuid && r->partuuid[0]);
}

static bool names_match(const struct recorded *r, const struct identity *id)
{
	return same(r->dm_uuid, id->dm_uuid) || same(r->wwn, id->wwn) ||
	       same(r->partuuid, id->partuuid);
}

static bool fingerprint_matches(const struct recorded *r, const struct device *d)
{
	uint8_t fingerprint[COHORT_FINGERPRINT_LEN];

	return r->fingerprint && !fingerprint_compute(d->fd, d->size, fingerprint) &&
	       !memcmp(fingerprint, r->fingerprint, sizeof(fingerprint));
}

/* A disk that has names is known by them, one without by what is on it. */
static bool is_disk_of(const struct recorded *r, const struct device *d)
{
	struct identity id;

	if (d->size != r->size)
		return false;
	identity_read(d, &id);
	/* an image of the source looks like it in everything */
	if (!strncmp(id.dm_uuid, UUID_OURS, strlen(UUID_OURS)))
		return false;
	return has_names(r) ? names_match(r, &id) : fingerprint_matches(r, d);
}

bool identity_is_known(struct cohort *ctx, const struct recorded *r, const char *number,
		       char *path, size_t size)
{
	struct identity id;
	struct device d;

	if (device_open_number(ctx, number, &d))
		return false;
	identity_read(&d, &id);
	device_close(&d);
	snprintf(path, size, "%s", d.path);
	return d.size == r->size && (!has_names(r) || names_match(r, &id));
}

/* The size by sysfs: opening every device of the machine would wake them all. */
static bool size_fits(struct udev_device *dev, uint64_t size)
{
	const char *sectors = udev_device_get_sysattr_value(dev, "size");

	return sectors && strtoull(sectors, NULL, 10) == size / SECTOR;
}

struct candidates {
	unsigned int count;
	char first[256];
	char second[256];
};

static void consider(struct cohort *ctx, const struct recorded *r, struct udev_device *dev,
		     struct candidates *c)
{
	const char *node = udev_device_get_devnode(dev);
	struct device d;

	/* what is in use can not be taken anyway */
	if (!node || !size_fits(dev, r->size) || device_open(ctx, node, DEVICE_READ, true, &d))
		return;
	if (is_disk_of(r, &d)) {
		if (c->count++)
			snprintf(c->second, sizeof(c->second), "%s", node);
		else
			snprintf(c->first, sizeof(c->first), "%s", node);
	}
	device_close(&d);
}

static void scan(struct cohort *ctx, struct udev *udev, const struct recorded *r,
		 struct candidates *c)
{
	struct udev_enumerate *e = udev_enumerate_new(udev);
	struct udev_list_entry *entry;

	if (!e)
		return;
	udev_enumerate_add_match_subsystem(e, "block");
	udev_enumerate_scan_devices(e);
	udev_list_entry_foreach(entry, udev_enumerate_get_list_entry(e)) {
		struct udev_device *dev = udev_device_new_from_syspath(udev,
						udev_list_entry_get_name(entry));

		if (dev)
			consider(ctx, r, dev, c);
		udev_device_unref(dev);
	}
	udev_enumerate_unref(e);
}

int identity_find(struct cohort *ctx, const struct recorded *r, char *path, size_t size)
{
	struct candidates c = { 0 };
	struct udev *udev = udev_new();

	if (!udev)
		return fail_memory(ctx);
	scan(ctx, udev, r, &c);
	udev_unref(udev);
	if (c.count > 1)
		return fail_errno(ctx, EINVAL, r->attribute,
				  "several disks could be that of %s, %s and %s among them%s",
				  r->name, c.first, c.second, r->hint);
	if (!c.count)
		return fail_errno(ctx, ENODEV, r->attribute,
				  "no unused disk is the one recorded for %s%s", r->name, r->hint);
	snprintf(path, size, "%s", c.first);
	return 0;
}
