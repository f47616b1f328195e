// SPDX-License-Identifier: GPL-2.0-or-later
/* Objects of the library into JSON, by the rows of their fields. */
#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include "record.h"

#define NS_PER_S	UINT64_C(1000000000)
#define NS_PER_US	UINT64_C(1000)

struct link {
	const struct link *next;
};

json_t *record_time(uint64_t ns)
{
	time_t s = (time_t)(ns / NS_PER_S);
	char day[32];
	struct tm tm;

	if (!ns || !gmtime_r(&s, &tm) ||
	    !strftime(day, sizeof(day), "%Y-%m-%dT%H:%M:%S", &tm))
		return NULL;
	return json_sprintf("%s.%06" PRIu64 "Z", day,
			    ns % NS_PER_S / NS_PER_US);
}

static json_t *field_json(const struct field *field, const void *object)
{
	const void *at = (const char *)object + field->offset;

	if (field->make)
		return field->make(object);
	switch (field->kind) {
	case FIELD_TEXT:
		return json_string(*(char *const *)at);
	case FIELD_ENUM:
		return json_string(field->name(*(const uint32_t *)at));
	case FIELD_NUMBER:
	case FIELD_SIZE32:
		return json_integer(*(const uint32_t *)at);
	case FIELD_NUMBER64:
	case FIELD_SIZE:
		return json_integer((json_int_t)*(const uint64_t *)at);
	case FIELD_TIME:
		return record_time(*(const uint64_t *)at);
	case FIELD_BOOL:
		return json_boolean(*(const bool *)at);
	case FIELD_NAMES:
	case FIELD_OBJECTS:
		break;
	}
	return NULL;
}

json_t *record_make(const struct field *fields, const void *object)
{
	json_t *record = json_object();

	for (; fields->key; fields++) {
		json_t *value = field_json(fields, object);

		if (value)
			json_object_set_new(record, fields->key, value);
	}
	return record;
}

json_t *record_name(const struct field *fields, const void *object)
{
	json_t *record = json_object();

	json_object_set_new(record, fields->key, field_json(fields, object));
	return record;
}

json_t *record_list(const struct field *fields, const void *list)
{
	const struct link *link;
	json_t *records = json_array();

	for (link = list; link; link = link->next)
		json_array_append_new(records, record_make(fields, link));
	return records;
}
