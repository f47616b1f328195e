// SPDX-License-Identifier: GPL-2.0-or-later
/* Errors: one line on stderr, the same as JSON, and the exit code. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fail.h"
#include "output.h"

struct failure {
	enum exit_code code;
	unsigned int result;	/* CIM */
	int err;		/* errno, or 0 */
	const char *attribute;
	const char *message;
};

static enum exit_code exit_of_errno(int err)
{
	switch (err) {
	case EPERM:
	case EACCES:
		return EXIT_PERMISSION;
	case ENOMEM:
	case ETIMEDOUT:
		return EXIT_MEMORY;
	case ENODEV:
	case ENXIO:
	case ENOTBLK:
	case EIO:
	case EROFS:
	case ENOSPC:
	case EUCLEAN:
	case ENOMEDIUM:
	case EMEDIUMTYPE:
	case EILSEQ:
	case ESTALE:
		return EXIT_DEVICE;
	case EEXIST:
	case EBUSY:
		return EXIT_EXISTS;
	default:
		return EXIT_WRONG;
	}
}

static enum exit_code exit_of_result(unsigned int result, int err)
{
	if (result == COHORT_RESULT_TIMEOUT)
		return EXIT_MEMORY;
	if (result == COHORT_RESULT_IN_USE)
		return EXIT_EXISTS;
	return exit_of_errno(err);
}

static unsigned int result_of_errno(int err)
{
	switch (err) {
	case ETIMEDOUT:
		return COHORT_RESULT_TIMEOUT;
	case EBUSY:
		return COHORT_RESULT_IN_USE;
	case EINVAL:
	case ENOENT:
	case ENODEV:
	case ENOTBLK:
	case EEXIST:
		return COHORT_RESULT_INVALID_PARAMETER;
	default:
		return COHORT_RESULT_FAILED;
	}
}

/* Errors that a program meets by name. */
static json_t *errno_json(int err)
{
	const char *name = err ? strerrorname_np(err) : NULL;

	return name ? json_string(name) : json_null();
}

static void say_json(struct app *app, const struct failure *f)
{
	json_t *error = json_pack("{sisiss}", "code", f->code,
				  "ReturnValue", f->result,
				  "message", f->message);

	json_object_set_new(error, "errno", errno_json(f->err));
	json_object_set_new(error, "attribute", f->attribute && *f->attribute ?
			    json_string(f->attribute) : json_null());
	output_json(app, json_pack("{so}", "error", error));
}

/* One line, and UTF-8 as JSON wants it, whatever is in the arguments quoted. */
static void make_plain(char *message)
{
	json_t *string;

	for (char *c = message; *c; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			*c = '?';
	string = json_string(message);
	for (char *c = message; !string && *c; c++)
		if ((unsigned char)*c >= 0x80)
			*c = '?';
	json_decref(string);
}

static int say(struct app *app, const struct failure *f)
{
	const struct verb *verb = app->verb;
	/* The words name the thing; of a list they may not know which one. */
	const bool indexed = f->attribute && strchr(f->attribute, '[');

	fflush(stdout);
	if (app->opts.json)
		say_json(app, f);
	fprintf(stderr, "cohortctl%s%s%s%s: %s%s%s\n", verb ? " " : "",
		verb && verb->noun ? verb->noun : "",
		verb && verb->noun ? " " : "", verb ? verb->name : "",
		indexed ? f->attribute : "", indexed ? ": " : "", f->message);
	return f->code;
}

static int say_va(struct app *app, struct failure *f, const char *fmt,
		  va_list ap)
{
	char *message = NULL;
	int code;

	if (vasprintf(&message, fmt, ap) < 0)
		message = NULL;
	if (message)
		make_plain(message);
	f->message = message ? message : fmt;
	code = say(app, f);
	free(message);
	return code;
}

int fail_usage(struct app *app, const char *fmt, ...)
{
	struct failure f = {
		.code = EXIT_WRONG,
		.result = COHORT_RESULT_INVALID_PARAMETER,
		.err = EINVAL,
	};
	va_list ap;
	int code;

	va_start(ap, fmt);
	code = say_va(app, &f, fmt, ap);
	va_end(ap);
	return code;
}

int fail_errno(struct app *app, int err, const char *fmt, ...)
{
	struct failure f = {
		.code = exit_of_errno(err),
		.result = result_of_errno(err),
		.err = err,
	};
	va_list ap;
	int code;

	va_start(ap, fmt);
	code = say_va(app, &f, fmt, ap);
	va_end(ap);
	return code;
}

int fail_memory(struct app *app)
{
	return fail_errno(app, ENOMEM, "out of memory");
}

int fail_library(struct app *app)
{
	struct cohort_error error;
	struct failure f;

	cohort_get_error(app->ctx, &error);
	f.code = exit_of_result((unsigned int)error.code, error.err);
	if (f.code == EXIT_WRONG && (!strcmp(error.attribute, "Device") ||
				     !strncmp(error.attribute, "TargetElements[", 15)))
		f.code = EXIT_DEVICE;
	f.result = (unsigned int)error.code;
	f.err = error.err;
	f.attribute = error.attribute;
	make_plain(error.message);
	f.message = error.message;
	return say(app, &f);
}
