// SPDX-License-Identifier: GPL-2.0-or-later
/* The parsers of cohortctl, table by table; built and run by tool-parse.sh. */
#include <stdio.h>
#include <string.h>

#include "../../tools/parse.h"

#define SAME		0xfeedULL	/* a refused text must leave the value alone */
#define COUNT(a)	(sizeof(a) / sizeof((a)[0]))

static int number, failed;

static void result(int good, const char *what, const char *text)
{
	number++;
	failed += !good;
	printf("%sok %d %s '%s'\n", good ? "" : "not ", number, what, text);
}

static const struct {
	const char *text;
	uint64_t value;		/* SAME: refused */
} sizes[] = {
	{ "0", 0 }, { "1", 1 }, { "512", 512 }, { "4K", 4096 }, { "4k", 4096 },
	{ "4KiB", 4096 }, { "64B", 64 }, { "1M", 1 << 20 }, { "3GiB", 3ULL << 30 },
	{ "2T", 2ULL << 40 }, { "15E", 15ULL << 60 },
	{ "18446744073709551615", UINT64_MAX },
	{ "16E", SAME }, { "18446744073709551616", SAME }, { "", SAME },
	{ "K", SAME }, { "-1", SAME }, { "+1", SAME }, { " 1", SAME }, { "1 ", SAME },
	{ "4KB", SAME }, { "4Ki", SAME }, { "4X", SAME }, { "1.5K", SAME }, { "0x10", SAME },
}, numbers[] = {
	{ "0", 0 }, { "17", 17 }, { "18446744073709551615", UINT64_MAX },
	{ "18446744073709551616", SAME }, { "", SAME }, { "-1", SAME }, { "1K", SAME },
	{ " 7", SAME },
};

static void test_integers(void)
{
	for (size_t i = 0; i < COUNT(sizes); i++) {
		uint64_t value = SAME;
		int err = parse_size(sizes[i].text, &value);

		result(value == sizes[i].value && !err == (value != SAME), "size",
		       sizes[i].text);
	}
	for (size_t i = 0; i < COUNT(numbers); i++) {
		uint64_t value = SAME;
		int err = parse_number(numbers[i].text, &value);

		result(value == numbers[i].value && !err == (value != SAME), "number",
		       numbers[i].text);
	}
}

static const struct {
	const char *text;
	double value;		/* negative: refused */
} seconds[] = {
	{ "0", 0 }, { "1", 1 }, { "0.25", 0.25 }, { ".5", 0.5 }, { "2000000", 2000000 },
	{ "2000001", -1 }, { "-1", -1 }, { "", -1 }, { "1s", -1 }, { "nan", -1 }, { "inf", -1 },
	{ ".", -1 }, { "1e99", -1 },
};

static void test_seconds(void)
{
	for (size_t i = 0; i < COUNT(seconds); i++) {
		double value = -1;
		int err = parse_seconds(seconds[i].text, &value);

		result(value == seconds[i].value && !err == (value >= 0), "seconds",
		       seconds[i].text);
	}
}

static const struct {
	const char *text;
	char value;		/* '!': refused */
} units[] = {
	{ "b", 'b' }, { "K", 'k' }, { "h", 'h' }, { "T", 't' },
	{ "", '!' }, { "p", '!' }, { "kk", '!' }, { "1", '!' },
};

static const struct {
	const char *text, *name;
} names[] = {
	{ "app", "app" }, { "/dev/mapper/app", "app" }, { "/dev/mapper/", "" },
	{ "/dev/sda", "/dev/sda" }, { "dev/mapper/app", "dev/mapper/app" },
};

static void test_words(void)
{
	for (size_t i = 0; i < COUNT(units); i++) {
		char value = '!';
		int err = parse_unit(units[i].text, &value);

		result(value == units[i].value && !err == (value != '!'), "unit", units[i].text);
	}
	for (size_t i = 0; i < COUNT(names); i++)
		result(!strcmp(parse_name(names[i].text), names[i].name), "name", names[i].text);
}

int main(void)
{
	puts("TAP version 13");
	test_integers();
	test_seconds();
	test_words();
	printf("1..%d\n", number);
	return failed != 0;
}
