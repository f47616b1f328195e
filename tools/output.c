// SPDX-License-Identifier: GPL-2.0-or-later
/* Records as text or JSON: one row per field serves both. */
#include <errno.h>
#include <inttypes.h>
#include <libsmartcols/libsmartcols.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fail.h"
#include "output.h"

#define SCHEMA		1

char *output_size(const struct app *app, uint64_t bytes)
{
	static const char units[] = "bkmgtpe";
	const char *at = strchr(units, app->unit);
	double n = (double)bytes;
	char *text;
	int i = 0, r;

	if (app->unit == 'b') {
		r = asprintf(&text, "%" PRIu64, bytes);
	} else if (at) {
		r = asprintf(&text, "%.2f%c",
			     n / (double)(1ULL << 10 * (at - units)),
			     app->unit - 'a' + 'A');
	} else {
		for (; n >= 1024 && units[i + 1]; i++)
			n /= 1024;
		r = asprintf(&text, n < 10 && i ? "%.1f%c" : "%.0f%c", n,
			     units[i] - 'a' + 'A');
	}
	return r < 0 ? NULL : text;
}

static char *names_text(const json_t *names)
{
	size_t i, room = 1;
	json_t *name;
	char *text;

	json_array_foreach(names, i, name)
		room += strlen(json_string_value(name)) + 1;
	text = calloc(1, room);
	json_array_foreach(names, i, name) {
		if (text && i)
			strcat(text, " ");
		if (text)
			strcat(text, json_string_value(name));
	}
	return text;
}

/* NULL when the record lacks the field: the caller shows nothing or a dash. */
static char *field_text(const struct app *app, const struct field *field,
			const json_t *record)
{
	const json_t *value = json_object_get(record, field->key);
	char *text = NULL;

	if (!value || json_is_null(value))
		return NULL;
	switch (field->kind) {
	case FIELD_SIZE:
	case FIELD_SIZE32:
		return output_size(app, (uint64_t)json_integer_value(value));
	case FIELD_NUMBER:
	case FIELD_NUMBER64:
		if (asprintf(&text, "%" JSON_INTEGER_FORMAT,
			     json_integer_value(value)) < 0)
			return NULL;
		return text;
	case FIELD_BOOL:
		return strdup(json_is_true(value) ? "yes" : "no");
	case FIELD_NAMES:
		return names_text(value);
	case FIELD_OBJECTS:
		return NULL;
	case FIELD_TIME:
	case FIELD_TEXT:
	case FIELD_ENUM:
		break;
	}
	return strdup(json_string_value(value));
}

json_t *output_envelope(json_t *record)
{
	json_t *out = json_object();

	json_object_set_new(out, "schema", json_integer(SCHEMA));
	json_object_update(out, record);
	json_decref(record);
	return out;
}

int output_json(struct app *app, json_t *record)
{
	json_t *out = record ? output_envelope(record) : NULL;
	int err = json_dumpf(out, stdout, JSON_INDENT(2));

	json_decref(out);
	return err || putchar('\n') == EOF ? fail_memory(app) : EXIT_OK;
}

static bool is_right(const struct field *field)
{
	switch (field->kind) {
	case FIELD_NUMBER:
	case FIELD_NUMBER64:
	case FIELD_SIZE:
	case FIELD_SIZE32:
		return true;
	default:
		return false;
	}
}

static struct libscols_table *new_table(const struct field *fields, bool tree)
{
	struct libscols_table *table = scols_new_table();

	for (; table && fields->key; fields++) {
		int flags = is_right(fields) ? SCOLS_FL_RIGHT : 0;

		if (!fields->head)
			continue;
		if (tree)
			flags |= SCOLS_FL_TREE;
		tree = false;
		if (scols_table_new_column(table, fields->head, 0, flags))
			continue;
		scols_unref_table(table);
		return NULL;
	}
	return table;
}

static int add_line(struct app *app, struct libscols_table *table,
		    struct libscols_line *parent, const struct field *fields,
		    const json_t *record)
{
	struct libscols_line *line = scols_table_new_line(table, parent);
	json_t *child;
	size_t i = 0;
	int err = line ? 0 : -1;

	for (; !err && fields[i].key && fields[i].head; i++) {
		char *text = field_text(app, &fields[i], record);

		err = text ? scols_line_refer_data(line, i, text) :
			scols_line_set_data(line, i, "-");
	}
	json_array_foreach(json_object_get(record, "children"), i, child)
		err = err ? err : add_line(app, table, line, fields, child);
	return err;
}

static int print_table(struct app *app, const struct field *fields,
		       const json_t *rows, bool tree)
{
	struct libscols_table *table = new_table(fields, tree);
	int err = table ? 0 : -1;
	json_t *row;
	size_t i;

	json_array_foreach(rows, i, row)
		err = err ? err : add_line(app, table, NULL, fields, row);
	if (!err)
		err = scols_print_table(table);
	scols_unref_table(table);
	return err ? fail_memory(app) : EXIT_OK;
}

int output_list(struct app *app, const char *plural,
		const struct field *fields, json_t *records)
{
	int code;

	if (app->opts.json)
		return output_json(app, json_pack("{so}", plural, records));
	code = print_table(app, fields, records, false);
	json_decref(records);
	return code;
}

int output_tree(struct app *app, const struct field *fields, json_t *rows)
{
	int code = print_table(app, fields, rows, true);

	json_decref(rows);
	return code;
}

static int show_width(const struct field *fields)
{
	int width = 0;

	for (; fields->key; fields++)
		if ((int)strlen(fields->key) > width)
			width = (int)strlen(fields->key);
	return width;
}

int output_fields(struct app *app, const struct kind *kind,
		  const json_t *record)
{
	const json_t *members = json_object_get(record, "Members");
	const struct field *fields = kind->fields;
	int width = show_width(fields);

	printf("%s\n", kind->name);
	for (; fields->key; fields++) {
		char *text = field_text(app, fields, record);

		if (text)
			printf("  %-*s  %s\n", width, fields->key, text);
		free(text);
	}
	if (!kind->member_fields || !json_array_size(members))
		return EXIT_OK;
	return print_table(app, kind->member_fields, members, false);
}

int output_done(struct app *app, json_t *record, const char *fmt, ...)
{
	va_list ap;

	if (app->opts.json)
		return output_json(app, record);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
	json_decref(record);
	return EXIT_OK;
}

int output_line(struct app *app, json_t *record, const char *words)
{
	json_t *out = output_envelope(record);
	int err = 0;

	if (app->opts.json)
		err = json_dumpf(out, stdout, JSON_COMPACT);
	else
		fputs(words, stdout);
	json_decref(out);
	/* A reader at the other end of a pipe waits for each line. */
	if (err || putchar('\n') == EOF || fflush(stdout))
		return fail_errno(app, EPIPE, "standard output is closed");
	return EXIT_OK;
}
