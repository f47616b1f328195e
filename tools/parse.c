// SPDX-License-Identifier: GPL-2.0-or-later
/* Words of the command line into values. Pure: no output, no kernel. */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "parse.h"

#define MAPPER		"/dev/mapper/"
#define SECONDS_MAX	2000000.0	/* in milliseconds it must fit an int */

int parse_number(const char *text, uint64_t *value)
{
	char *end;
	unsigned long long n;

	if (!isdigit((unsigned char)*text))
		return -EINVAL;
	errno = 0;
	n = strtoull(text, &end, 10);
	if (errno || *end)
		return -EINVAL;
	*value = n;
	return 0;
}

/* "", "K", "KiB" and "B" are suffixes; decimal "KB" is refused as unclear. */
static int suffix_shift(const char *suffix)
{
	static const char letters[] = "KMGTPE";
	const char *at;

	if (!*suffix || !strcasecmp(suffix, "B"))
		return 0;
	at = strchr(letters, toupper((unsigned char)*suffix));
	if (!at || (suffix[1] && strcasecmp(suffix + 1, "iB")))
		return -1;
	return 10 * (int)(at - letters + 1);
}

int parse_size(const char *text, uint64_t *value)
{
	unsigned long long n;
	char *end;
	int shift;

	if (!isdigit((unsigned char)*text))
		return -EINVAL;
	errno = 0;
	n = strtoull(text, &end, 10);
	if (errno)
		return -EINVAL;
	shift = suffix_shift(end);
	if (shift < 0 || n > UINT64_MAX >> shift)
		return -EINVAL;
	*value = (uint64_t)n << shift;
	return 0;
}

int parse_seconds(const char *text, double *value)
{
	char *end;
	double n;

	if (!isdigit((unsigned char)*text) && *text != '.')
		return -EINVAL;
	n = strtod(text, &end);
	if (*end || end == text || !(n >= 0 && n <= SECONDS_MAX))
		return -EINVAL;
	*value = n;
	return 0;
}

int parse_unit(const char *text, char *value)
{
	char c = (char)tolower((unsigned char)*text);

	if (!c || text[1] || !strchr("hbkmgt", c))
		return -EINVAL;
	*value = c;
	return 0;
}

const char *parse_name(const char *text)
{
	size_t prefix = sizeof(MAPPER) - 1;

	return strncmp(text, MAPPER, prefix) ? text : text + prefix;
}
