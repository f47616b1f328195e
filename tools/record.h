/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One row per field of an object: where it is, its name in JSON, its text. */
#ifndef COHORTCTL_RECORD_H
#define COHORTCTL_RECORD_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The C type behind the offset, and the text form; JSON follows from it. */
enum field_kind {
	FIELD_TEXT,		/* char *, NULL is left out */
	FIELD_ENUM,		/* uint32_t with a name */
	FIELD_NUMBER,		/* uint32_t */
	FIELD_NUMBER64,		/* uint64_t */
	FIELD_SIZE,		/* uint64_t bytes, in --units */
	FIELD_SIZE32,		/* uint32_t bytes, in --units */
	FIELD_TIME,		/* uint64_t ns since 1970, 0 is left out */
	FIELD_BOOL,		/* bool */
	FIELD_NAMES,		/* array of strings, by make() only */
	FIELD_OBJECTS,		/* array of objects, by make() only: no text */
};

/*
 * @key is CIM's name where CIM has one. @head is the column in lists; a field
 * without one is in JSON and in `show` only. Columns come first in a table.
 * make() replaces the offset and may return NULL: the field is left out.
 */
struct field {
	const char *key;
	const char *head;
	enum field_kind kind;
	size_t offset;
	const char *(*name)(uint32_t value);
	json_t *(*make)(const void *object);
};

json_t *record_make(const struct field *fields, const void *object);

/* The first field alone, which is the name: all that is left of an object. */
json_t *record_name(const struct field *fields, const void *object);

/* RFC 3339 in UTC with microseconds, or NULL for 0. */
json_t *record_time(uint64_t ns);

/* A link of libcohort's lists: the first member of every object there. */
json_t *record_list(const struct field *fields, const void *list);

#endif
