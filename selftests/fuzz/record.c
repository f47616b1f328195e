// SPDX-License-Identifier: GPL-2.0-or-later
/* Fuzz target: catalog records of any content, read as the catalog reads them. */
#include "../../kmod/codec.h"
#include "fuzz.h"

static u64 sum;

static void read_name(const u8 *disk)
{
	char name[COHORT_DISK_NAME];

	if (!cohort_name_decode(name, disk, sizeof(name)))
		PROMISED(memchr(name, 0, sizeof(name)));
}

/* Touches all that a record says it has. */
static void read_record(const struct cohort_disk_record *r)
{
	const struct cohort_disk_source *source = (const void *)r;
	const struct cohort_disk_group *group = (const void *)r;
	const struct cohort_disk_rel *rel = (const void *)r;
	const struct cohort_disk_overlay *overlay = (const void *)r;
	const struct cohort_disk_clone *clone = (const void *)r;
	u32 i;

	switch (le16_to_cpu(r->type)) {
	case COHORT_REC_SOURCE:
		read_name(source->name);
		sum += source->partuuid[COHORT_DISK_PARTUUID - 1];
		break;
	case COHORT_REC_GROUP:
		read_name(group->name);
		for (i = 0; i < le32_to_cpu(group->count); i++)
			sum += le32_to_cpu(group->member[i]);
		break;
	case COHORT_REC_REL:
		read_name(rel->name);
		for (i = 0; i < le32_to_cpu(rel->count); i++)
			sum += le64_to_cpu(rel->member[i].epoch);
		break;
	case COHORT_REC_OVERLAY:
		sum += le64_to_cpu(overlay->floor);
		break;
	case COHORT_REC_CLONE:
		sum += clone->partuuid[COHORT_DISK_PARTUUID - 1];
		for (i = 0; i < le32_to_cpu(clone->count); i++)
			sum += le32_to_cpu(clone->segment[i]);
		break;
	}
}

/* On a heap of its own, so that a byte behind it is one too many. */
static u8 *copy_of(const void *data, size_t size)
{
	return memcpy(malloc(size + !size), data, size);
}

/* A header that fits, before content that need not. */
static void write_header(u8 *buf, size_t size, u16 type)
{
	struct cohort_disk_record *r = (void *)buf;

	if (size < sizeof(*r))
		return;
	r->type = cpu_to_le16(type);
	r->reserved = 0;
	r->len = cpu_to_le32(size & ~7u);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	u8 *buf = copy_of(data, size), *one;
	size_t at = 0;
	int len;

	if (size && buf[size - 1] & 8)
		write_header(buf, size, buf[size - 1] % 13);
	while (at < size) {
		len = cohort_record_check(buf + at, size - at);
		if (len < 0)
			break;
		PROMISED(len > 0 && (size_t)len <= size - at);
		one = copy_of(buf + at, len);
		read_record((void *)one);
		free(one);
		at += len;
	}
	free(buf);
	return 0;
}
