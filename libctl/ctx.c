// SPDX-License-Identifier: LGPL-2.1-or-later
/* ctx.c - the context: its life, and the words of the last error */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "private.h"

#ifndef LIBCOHORT_VERSION
#define LIBCOHORT_VERSION "0.1"
#endif

/*
 * A thread that failed sees its own words, whatever other threads do with the
 * context; @owner is the serial number of the context they belong to.
 */
static __thread struct cohort_error own_error;
static __thread unsigned long owner;
static atomic_ulong last_serial;

EXPORT const char *cohort_version(void)
{
	return LIBCOHORT_VERSION;
}

EXPORT struct cohort *cohort_new(void)
{
	struct cohort *ctx = calloc(1, sizeof(*ctx));

	if (!ctx)
		return NULL;
	atomic_init(&ctx->refs, 1);
	ctx->serial = atomic_fetch_add(&last_serial, 1) + 1;
	pthread_mutex_init(&ctx->lock, NULL);
	pthread_mutex_init(&ctx->error_lock, NULL);
	return ctx;
}

EXPORT struct cohort *cohort_ref(struct cohort *ctx)
{
	atomic_fetch_add(&ctx->refs, 1);
	return ctx;
}

EXPORT struct cohort *cohort_unref(struct cohort *ctx)
{
	if (!ctx || atomic_fetch_sub(&ctx->refs, 1) != 1)
		return NULL;
	nl_socket_free(ctx->sock);
	pthread_mutex_destroy(&ctx->lock);
	pthread_mutex_destroy(&ctx->error_lock);
	free(ctx);
	return NULL;
}

EXPORT void cohort_get_error(struct cohort *ctx, struct cohort_error *error)
{
	if (owner == ctx->serial) {
		*error = own_error;
		return;
	}
	pthread_mutex_lock(&ctx->error_lock);
	*error = ctx->error;
	pthread_mutex_unlock(&ctx->error_lock);
}

int failed(struct cohort *ctx)
{
	struct cohort_error e;

	cohort_get_error(ctx, &e);
	return e.code;
}

int result_of(int err)
{
	switch (err) {
	case 0:
		return COHORT_RESULT_COMPLETED;
	case EOPNOTSUPP:
		return COHORT_RESULT_NOT_SUPPORTED;
	case ETIMEDOUT:
		return COHORT_RESULT_TIMEOUT;
	case EINVAL:
	case ENODEV:
	case ENOENT:
	case EEXIST:
	case ERANGE:
	case ESTALE:	/* a disk that is not the recorded one */
		return COHORT_RESULT_INVALID_PARAMETER;
	case EBUSY:
	case ENOTEMPTY:	/* a group with members */
		return COHORT_RESULT_IN_USE;
	}
	return COHORT_RESULT_FAILED;
}

/* One line: words from elsewhere may hold a newline at the end or inside. */
static void one_line(char *text)
{
	size_t len = strlen(text);

	while (len && (text[len - 1] == '\n' || text[len - 1] == ' '))
		text[--len] = '\0';
	for (; *text; text++)
		if (*text == '\n')
			*text = ' ';
}

int fail_again(struct cohort *ctx, const struct cohort_error *error)
{
	pthread_mutex_lock(&ctx->error_lock);
	ctx->error = *error;
	pthread_mutex_unlock(&ctx->error_lock);
	own_error = *error;
	owner = ctx->serial;
	return error->code;
}

static int PRINTF(5, 0)
keep(struct cohort *ctx, int code, int err, const char *attribute, const char *fmt, va_list ap)
{
	struct cohort_error e = { .code = code, .err = err };

	vsnprintf(e.message, sizeof(e.message), fmt, ap);
	one_line(e.message);
	snprintf(e.attribute, sizeof(e.attribute), "%s", attribute ? attribute : "");
	return fail_again(ctx, &e);
}

int fail(struct cohort *ctx, int code, int err, const char *attribute, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	keep(ctx, code, err, attribute, fmt, ap);
	va_end(ap);
	return code;
}

int fail_errno(struct cohort *ctx, int err, const char *attribute, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	keep(ctx, result_of(err), err, attribute, fmt, ap);
	va_end(ap);
	return result_of(err);
}

int fail_memory(struct cohort *ctx)
{
	return fail_errno(ctx, ENOMEM, NULL, "out of memory");
}
