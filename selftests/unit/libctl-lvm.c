// SPDX-License-Identifier: GPL-2.0-or-later
/* Volumes as targets: which programs are run, with an LVM that only writes it down. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../libctl/private.h"
#include "unit.h"

/* The n-th lvcreate does what the file "then" says, any lvremove what "removal" says. */
#define FAKE_LVCREATE \
	"#!/bin/sh\n" \
	"echo \"$LANG/$LC_ALL lvcreate $*\" >>\"$FAKE/log\"\n" \
	"echo 'Rounding up size'\n" \
	"[ -e \"$FAKE/then$(($(wc -l <\"$FAKE/log\")))\" ] || exit 0\n" \
	". \"$FAKE/then$(($(wc -l <\"$FAKE/log\")))\"\n"
#define FAKE_LVREMOVE \
	"#!/bin/sh\n" \
	"echo \"$LANG/$LC_ALL lvremove $*\" >>\"$FAKE/log\"\n" \
	"[ ! -e \"$FAKE/removal\" ] || . \"$FAKE/removal\"\n"

static struct cohort *ctx;
static char dir[64];

/* The LVM of this machine must never be found. */
int access(const char *path, int mode)
{
	if (strncmp(path, dir, strlen(dir))) {
		errno = ENOENT;
		return -1;
	}
	return faccessat(AT_FDCWD, path, mode, 0);
}

static const char *in_dir(const char *name)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

static void put_file(const char *name, const char *text)
{
	FILE *f = fopen(in_dir(name), "w");

	CHECK(f && fputs(text, f) >= 0, "%s", name);
	if (f)
		fclose(f);
	chmod(in_dir(name), 0755);
}

static void drop_file(const char *name)
{
	unlink(in_dir(name));
}

/* What was run, without the language, which is always the same. */
static const char *log_text(void)
{
	static const char language[] = "C/C ";
	static char text[8192];
	FILE *f = fopen(in_dir("log"), "r");
	char line[1024];
	size_t len = 0;

	text[0] = '\0';
	while (f && fgets(line, sizeof(line), f)) {
		CHECK(!strncmp(line, language, strlen(language)), "language of %s", line);
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s",
					line + strlen(language));
	}
	if (f)
		fclose(f);
	return text;
}

static void start(void)
{
	put_file("lvcreate", FAKE_LVCREATE);
	put_file("lvremove", FAKE_LVREMOVE);
	drop_file("log");
	drop_file("then1");
	drop_file("then2");
	drop_file("then3");
	drop_file("removal");
}

static struct cohort_error error_of(void)
{
	struct cohort_error e;

	cohort_get_error(ctx, &e);
	CHECK(!strchr(e.message, '\n'), "one line: '%s'", e.message);
	return e;
}

static const uint64_t sizes[] = { 16 << 20, 512, 1ull << 40 };

#define CREATE "lvcreate --yes --wipesignatures y --size "
#define CANNOT "cannot make volume /dev/vg/"

static void a_volume_per_member(void)
{
	struct volumes v;

	start();
	CHECK_INT(lvm_make(ctx, "data-1", "rel", sizes, 3, &v), 0, "made");
	CHECK_STRING(log_text(), CREATE "16777216b --name rel_t1 data-1\n"
		     CREATE "512b --name rel_t2 data-1\n"
		     CREATE "1099511627776b --name rel_t3 data-1\n");
	CHECK_INT(v.count, 3, "paths");
	CHECK_STRING(v.paths[0], "/dev/data-1/rel_t1");
	CHECK_STRING(v.paths[2], "/dev/data-1/rel_t3");
	lvm_free(&v);
	CHECK(!v.count && !v.paths, "nothing is left of it");
}

static void they_are_taken_back_last_to_first(void)
{
	struct volumes v;

	start();
	CHECK_INT(lvm_make(ctx, "vg", "rel", sizes, 2, &v), 0, "made");
	drop_file("log");
	fail_errno(ctx, EINVAL, "SyncType", "why");
	lvm_take_back(ctx, &v);
	CHECK_STRING(log_text(), "lvremove --yes vg/rel_t2\nlvremove --yes vg/rel_t1\n");
	CHECK_STRING(error_of().message, "why");
	CHECK_STRING(error_of().attribute, "SyncType");
	lvm_take_back(ctx, &v);
	CHECK_INT(v.count, 0, "once");
}

/* Those that were made, and not the one whose name another volume may have. */
static void the_second_one_fails(void)
{
	struct volumes v;

	start();
	put_file("then2", "echo '  Volume group \"vg\" has insufficient free space (1).' >&2\n"
		 "exit 5\n");
	CHECK_INT(lvm_make(ctx, "vg", "rel", sizes, 3, &v), 4, "no space");
	CHECK_INT(error_of().err, ENOSPC, "errno");
	CHECK_STRING(error_of().attribute, "TargetPool");
	CHECK_STRING(error_of().message,
		     CANNOT "rel_t2: Volume group \"vg\" has insufficient free space (1).");
	CHECK_STRING(log_text(), CREATE "16777216b --name rel_t1 vg\n"
		     CREATE "512b --name rel_t2 vg\n"
		     "lvremove --yes vg/rel_t1\n");
	CHECK(!v.count && !v.paths, "none");
}

static void one_that_can_not_be_removed_is_named(void)
{
	struct volumes v;

	start();
	put_file("then3", "echo '  no luck' >&2; exit 5\n");
	put_file("removal", "echo '  Logical volume vg/rel_t2 in use.' >&2\n"
		 "rm \"$FAKE/removal\"; exit 5\n");
	CHECK_INT(lvm_make(ctx, "vg", "rel", sizes, 3, &v), 4, "failed");
	CHECK_STRING(error_of().message, CANNOT "rel_t3: no luck; "
		     "cannot remove volume /dev/vg/rel_t2: Logical volume vg/rel_t2 in use.");
	CHECK(strstr(log_text(), "lvremove --yes vg/rel_t1\n"), "the other one is tried: %s",
	      log_text());
}

static void reasons(void)
{
	static const struct {
		const char *then;
		int code;
		int err;
		const char *words;
	} rows[] = {
		{ "echo '  Volume group \"vg\" not found' >&2\n"
		  "echo '  Cannot process volume group vg' >&2\nexit 5\n",
		  5, ENOENT, ": Volume group \"vg\" not found" },
		{ "echo '  Logical Volume \"r_t1\" already exists in volume group \"vg\"' >&2\n"
		  "exit 5\n", 5, EEXIST,
		  ": Logical Volume \"r_t1\" already exists in volume group \"vg\"" },
		{ "echo '  Insufficient suitable allocatable extents found' >&2; exit 5\n",
		  4, ENOSPC, ": Insufficient suitable allocatable extents found" },
		{ "echo '  WARNING: Running as a non-root user.' >&2\n"
		  "echo '  /run/lock/lvm/P_global:aux: open failed: Permission denied' >&2\n"
		  "exit 5\n", 4, EACCES,
		  ": /run/lock/lvm/P_global:aux: open failed: Permission denied" },
		{ "echo 'first' >&2; printf '  the  last one \\n\\n' >&2; exit 5\n",
		  4, EIO, ": the  last one" },
		{ "echo '  Invalid argument for --size' >&2; exit 3\n",
		  5, EINVAL, ": Invalid argument for --size" },
		{ "exit 7\n", 4, EIO, ": LVM ended with 7" },
		{ "kill -9 $$\n", 4, EIO, ": signal 9 ended LVM" },
		/* more than a pipe holds, and than is kept */
		{ "i=0; while [ $i -lt 3000 ]; do echo 'one of many that nobody reads' >&2;\n"
		  "i=$((i + 1)); done; echo '  the end' >&2; exit 5\n",
		  4, EIO, ": the end" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct volumes v;
		char words[256];

		start();
		put_file("then1", rows[i].then);
		CHECK_INT(lvm_make(ctx, "vg", "r", sizes, 1, &v), rows[i].code, rows[i].words);
		CHECK_INT(error_of().err, rows[i].err, rows[i].words);
		snprintf(words, sizeof(words), "cannot make volume /dev/vg/r_t1%s", rows[i].words);
		CHECK_STRING(error_of().message, words);
		CHECK(!strstr(log_text(), "lvremove"), "nothing was made: %s", log_text());
	}
}

static void no_lvm(void)
{
	struct volumes v;

	start();
	drop_file("lvcreate");
	CHECK_INT(lvm_make(ctx, "vg", "r", sizes, 1, &v), 4, "no program");
	CHECK_INT(error_of().err, ENOPKG, "errno");
	CHECK_STRING(error_of().message,
		     "there is no program lvcreate, LVM (lvm2) is not installed");
	put_file("lvcreate", "#!/no/such/shell\n");
	CHECK_INT(lvm_make(ctx, "vg", "r", sizes, 1, &v), 5, "can not be run");
	CHECK_STRING(error_of().message, "cannot run lvcreate: No such file or directory");
}

static void names_are_such_as_lvm_takes(void)
{
	static const struct {
		const char *relationship;
		const char *volume;
	} rows[] = {
		{ "Plain_0.9-x", "Plain_0.9-x_t1" },
		{ "a:b@c#d=e", "a+3Ab+40c+23d+3De_t1" },
		{ "a+3Ab", "a+2B3Ab_t1" },
		{ "snapshot1", "+73napshot1_t1" },
		{ "pvmove", "+70vmove_t1" },
		{ "my_snapshot", "my_snapshot_t1" },
		{ "x_tdata_mlog", "x+5Ftdata+5Fmlog_t1" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct volumes v;
		char path[256];

		start();
		CHECK_INT(lvm_make(ctx, "vg", rows[i].relationship, sizes, 1, &v), 0, "made");
		snprintf(path, sizeof(path), "/dev/vg/%s", rows[i].volume);
		CHECK_STRING(v.paths[0], path);
		lvm_free(&v);
	}
}

/* The longest name, of which each byte becomes three. */
static void longest_name(void)
{
	char name[COHORT_NAME_MAX + 1];
	struct volumes v;

	start();
	memset(name, ':', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	CHECK_INT(lvm_make(ctx, "vg", name, sizes, 1, &v), 0, "made");
	CHECK_INT(strlen(v.paths[0]), strlen("/dev/vg/_t1") + 3 * COHORT_NAME_MAX, "length");
	lvm_free(&v);
}

static void without_a_name_two_differ(void)
{
	struct volumes a, b;

	start();
	CHECK_INT(lvm_make(ctx, "vg", NULL, sizes, 1, &a), 0, "made");
	CHECK_INT(lvm_make(ctx, "vg", NULL, sizes, 1, &b), 0, "made");
	CHECK(!strncmp(a.paths[0], "/dev/vg/clone-", 14), "%s", a.paths[0]);
	CHECK_INT(strlen(a.paths[0]), strlen("/dev/vg/clone-01234567_t1"), "length");
	CHECK(strcmp(a.paths[0], b.paths[0]), "%s", a.paths[0]);
	lvm_free(&a);
	lvm_free(&b);
}

static void volume_groups(void)
{
	static const char *const bad[] = {
		"", "-a", ".", "..", "a/b", "a b", "a:b", "\xc3\xa9", "a\n",
	};
	static const char *const good[] = { "vg", "a-b", ".a", "_", "+", "VG.0" };
	char name[130];

	CHECK(!lvm_vg(NULL) && !lvm_vg("pool") && !lvm_vg("VG:a") && !lvm_vg("vg"), "pools");
	CHECK_STRING(lvm_vg("vg:a"), "a");
	CHECK_STRING(lvm_vg("vg:"), "");
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		CHECK(!lvm_vg_valid(bad[i]), "'%s'", bad[i]);
	for (size_t i = 0; i < ARRAY_SIZE(good); i++)
		CHECK(lvm_vg_valid(good[i]), "'%s'", good[i]);
	memset(name, 'a', sizeof(name));
	name[128] = '\0';
	CHECK(!lvm_vg_valid(name), "too long");
	name[127] = '\0';
	CHECK(lvm_vg_valid(name), "the longest");
}

static void those_that_stay_are_told(void)
{
	struct volumes v;

	start();
	CHECK_INT(lvm_make(ctx, "vg", "r", sizes, 2, &v), 0, "made");
	fail_errno(ctx, EIO, NULL, "why");
	lvm_say_left(ctx, &v);
	CHECK_STRING(error_of().message, "why; 2 volumes stay, the first is /dev/vg/r_t1");
	CHECK(!strstr(log_text(), "lvremove"), "they stay");
	lvm_free(&v);
}

static const struct unit_case cases[] = {
	{ "a_volume_per_member", a_volume_per_member },
	{ "they_are_taken_back_last_to_first", they_are_taken_back_last_to_first },
	{ "the_second_one_fails", the_second_one_fails },
	{ "one_that_can_not_be_removed_is_named", one_that_can_not_be_removed_is_named },
	{ "reasons", reasons },
	{ "no_lvm", no_lvm },
	{ "names_are_such_as_lvm_takes", names_are_such_as_lvm_takes },
	{ "longest_name", longest_name },
	{ "without_a_name_two_differ", without_a_name_two_differ },
	{ "volume_groups", volume_groups },
	{ "those_that_stay_are_told", those_that_stay_are_told },
};

/* The programs need some of the machine, behind what is found first. */
static void make_world(void)
{
	char path[256];

	snprintf(dir, sizeof(dir), "/tmp/libctl-lvm-XXXXXX");
	if (!mkdtemp(dir))
		abort();
	snprintf(path, sizeof(path), "relative:%s:/usr/bin:/bin", dir);
	setenv("PATH", path, 1);
	setenv("FAKE", dir, 1);
	setenv("LANG", "de_DE.UTF-8", 1);
	setenv("LC_ALL", "de_DE.UTF-8", 1);
}

int main(void)
{
	int status;

	make_world();
	ctx = cohort_new();
	status = unit_main(cases, ARRAY_SIZE(cases));
	cohort_unref(ctx);
	start();
	drop_file("lvcreate");
	drop_file("lvremove");
	rmdir(dir);
	return status;
}
