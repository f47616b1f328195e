/* SPDX-License-Identifier: GPL-2.0-or-later */
/* unit.h - what the C unit tests share: cases, checks, KTAP lines */
#ifndef SELFTESTS_UNIT_H
#define SELFTESTS_UNIT_H

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

struct unit_case {
	const char *name;
	void (*run)(void);
};

static bool unit_broken;	/* the case that runs has failed */

/* A check that fails says where and goes on: the next one may tell more. */
#define CHECK(condition, ...) \
	do { \
		if (!(condition)) { \
			unit_broken = true; \
			printf("# %s:%d: %s", __FILE__, __LINE__, #condition); \
			printf(" -- " __VA_ARGS__); \
			printf("\n"); \
		} \
	} while (0)

#define CHECK_INT(got, want, what) \
	do { \
		const long long got_ = (got), want_ = (want); \
		CHECK(got_ == want_, "%s: %lld, not %lld", what, got_, want_); \
	} while (0)

#define CHECK_STRING(got, want) \
	do { \
		const char *got_ = (got), *want_ = (want); \
		CHECK(got_ && !strcmp(got_, want_), "'%s', not '%s'", \
		      got_ ? got_ : "(null)", want_); \
	} while (0)

static inline int unit_main(const struct unit_case *cases, size_t count)
{
	bool failed = false;

	/* what was said must not be lost when a case ends the program */
	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("TAP version 13\n1..%zu\n", count);
	for (size_t i = 0; i < count; i++) {
		unit_broken = false;
		cases[i].run();
		failed |= unit_broken;
		printf("%sok %zu %s\n", unit_broken ? "not " : "", i + 1, cases[i].name);
		fflush(stdout);
	}
	return failed;
}

#endif
