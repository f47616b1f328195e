// SPDX-License-Identifier: LGPL-2.1-or-later
/* lvm.c - logical volumes as targets of a clone, made and taken back by LVM's own programs */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <uuid/uuid.h>

#include "private.h"

#define VG_PREFIX "vg:"
#define VG_NAME_MAX 127
/* Each byte of a relationship's name takes three at most. */
#define STEM_MAX (COHORT_NAME_MAX * 3 + 1)

/* ---- names */

const char *lvm_vg(const char *target_pool)
{
	if (!target_pool || strncmp(target_pool, VG_PREFIX, strlen(VG_PREFIX)))
		return NULL;
	return target_pool + strlen(VG_PREFIX);
}

static bool is_lvm_char(char c)
{
	return c && isascii(c) && (isalnum(c) || strchr("_.-+", c));
}

bool lvm_vg_valid(const char *vg)
{
	size_t len = 0;

	while (is_lvm_char(vg[len]))
		len++;
	return len && len <= VG_NAME_MAX && !vg[len] && vg[0] != '-' && strcmp(vg, ".") &&
	       strcmp(vg, "..");
}

/* LVM keeps names that begin or go on so for volumes of its own. */
static bool is_reserved_at(const char *name, size_t at)
{
	static const char *const begins[] = { "pvmove", "snapshot" };
	static const char *const within[] = {
		"_cdata", "_cmeta", "_corig", "_cpool", "_cvol", "_imeta", "_iorig", "_mimage",
		"_mlog", "_pmspare", "_rimage", "_rmeta", "_tdata", "_tmeta", "_vdata",
		"_vorigin", "_wcorig",
	};
	bool reserved = false;

	for (size_t i = 0; !at && i < ARRAY_SIZE(begins); i++)
		reserved |= !strncmp(name, begins[i], strlen(begins[i]));
	for (size_t i = 0; i < ARRAY_SIZE(within); i++)
		reserved |= !strncmp(name + at, within[i], strlen(within[i]));
	return reserved;
}

/* What LVM does not take, and '+' itself, is +XX: two relationships never meet in one name. */
static void stem_of(const char *name, char *stem)
{
	for (size_t i = 0; name[i]; i++) {
		const bool plain = is_lvm_char(name[i]) && name[i] != '+' &&
				   !is_reserved_at(name, i);

		stem += sprintf(stem, plain ? "%c" : "+%02X", name[i]);
	}
	*stem = '\0';
}

/* The relationship's name is assigned later where there is none. */
static void stem_assigned(char *stem)
{
	char text[UUID_STR_LEN];
	uuid_t uuid;

	uuid_generate(uuid);
	uuid_unparse_lower(uuid, text);
	snprintf(stem, STEM_MAX, "clone-%.8s", text);
}

/* ---- programs */

/* As execvp() finds it, but for relative directories, and where administrators' programs are. */
static char *find_in(const char *dirs, const char *program)
{
	char *copy = dirs ? strdup(dirs) : NULL, *save = NULL, *path = NULL;
	char *dir = copy ? strtok_r(copy, ":", &save) : NULL;

	for (; dir && !path; dir = strtok_r(NULL, ":", &save)) {
		if (dir[0] != '/' || asprintf(&path, "%s/%s", dir, program) < 0)
			path = NULL;
		if (path && access(path, X_OK)) {
			free(path);
			path = NULL;
		}
	}
	free(copy);
	return path;
}

static char *find_program(const char *program)
{
	char *path = find_in(getenv("PATH"), program);

	return path ? path : find_in("/sbin:/usr/sbin", program);
}

static bool is_language(const char *variable)
{
	return !strncmp(variable, "LANG", 4) || !strncmp(variable, "LC_", 3);
}

/* The caller's environment in a language that is known; the array is to be freed. */
static char **environment(void)
{
	static const char *const own[] = {
		"LANG=C", "LC_ALL=C",
		/* the caller may have files open that are none of LVM's business */
		"LVM_SUPPRESS_FD_WARNINGS=1",
	};
	size_t n = 0;
	char **env;

	while (environ && environ[n])
		n++;
	env = calloc(n + ARRAY_SIZE(own) + 1, sizeof(*env));
	if (!env)
		return NULL;
	n = 0;
	for (char **e = environ; e && *e; e++)
		if (!is_language(*e))
			env[n++] = *e;
	for (size_t i = 0; i < ARRAY_SIZE(own); i++)
		env[n++] = (char *)own[i];
	return env;
}

/* How a program ended, and the end of what it said. */
struct outcome {
	int status;		/* as of waitpid() */
	char words[4096];
};

/* Standard error alone is read: nothing is asked, and nothing else is of interest. */
static int spawn(const char *path, char *const *argv, char *const *env, int words, pid_t *pid)
{
	posix_spawn_file_actions_t actions;
	int err = posix_spawn_file_actions_init(&actions);

	if (err)
		return err;
	err = posix_spawn_file_actions_adddup2(&actions, words, STDERR_FILENO);
	if (!err)
		err = posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null",
						       O_RDONLY, 0);
	if (!err)
		err = posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null",
						       O_WRONLY, 0);
	if (!err)
		err = posix_spawn(pid, path, &actions, NULL, argv, env);
	posix_spawn_file_actions_destroy(&actions);
	return err;
}

/* All of it is read, so that nobody waits; its end is kept. */
static void read_words(int fd, char *words, size_t size)
{
	size_t len = 0;
	ssize_t n;

	for (;;) {
		if (len == size - 1) {
			memmove(words, words + len / 2, len - len / 2);
			len -= len / 2;
		}
		n = read(fd, words + len, size - 1 - len);
		if (n > 0)
			len += (size_t)n;
		else if (!n || errno != EINTR)
			break;
	}
	words[len] = '\0';
}

/* 0 when it has run and ended, whatever came of it; an errno. */
static int run_with(const char *path, char *const *argv, char *const *env, struct outcome *o)
{
	int fds[2], err;
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC))
		return errno;
	err = spawn(path, argv, env, fds[1], &pid);
	close(fds[1]);
	if (!err)
		read_words(fds[0], o->words, sizeof(o->words));
	close(fds[0]);
	while (!err && waitpid(pid, &o->status, 0) < 0)
		err = errno == EINTR ? 0 : errno;
	return err;
}

/* @argv[0] is the program's name. */
static int run(struct cohort *ctx, char *const *argv, struct outcome *o)
{
	char *path = find_program(argv[0]);
	char **env = environment();
	int err = path && env ? run_with(path, argv, env, o) : 0;

	free(env);
	if (!path)
		return fail_errno(ctx, ENOPKG, "TargetPool",
				  "there is no program %s, LVM (lvm2) is not installed", argv[0]);
	free(path);
	if (!env)
		return fail_memory(ctx);
	return err ? fail_errno(ctx, err, "TargetPool", "cannot run %s: %s", argv[0],
				strerror(err)) : 0;
}

/* ---- what LVM says */

/* In this order: what says more comes first. Where none is found it is the last line. */
static const struct reason {
	const char *words;
	int err;
} reasons[] = {
	{ "insufficient", ENOSPC },
	{ "already exists", EEXIST },
	/* of a volume group; what its last line says is that it can not be processed */
	{ "\" not found", ENOENT },
	{ "is reserved", EINVAL },
	{ "is too long", EINVAL },
	{ "permission denied", EACCES },
	{ "not permitted", EPERM },
};

/* A line without the blanks and the newline around it. */
static const char *line_at(const char *words, const char *at, int *len)
{
	const char *end = strchrnul(at, '\n');

	while (at > words && at[-1] != '\n')
		at--;
	while (at < end && isspace((unsigned char)*at))
		at++;
	while (end > at && isspace((unsigned char)end[-1]))
		end--;
	*len = (int)(end - at);
	return at;
}

static const char *last_line(const char *words, int *len)
{
	size_t end = strlen(words);

	while (end && isspace((unsigned char)words[end - 1]))
		end--;
	return line_at(words, words + (end ? end - 1 : 0), len);
}

/* LVM tells no reason by its status but that of a wrong command line, 3. */
static int reason_of(const struct outcome *o, const char **line, int *len)
{
	for (size_t i = 0; i < ARRAY_SIZE(reasons); i++) {
		const char *at = strcasestr(o->words, reasons[i].words);

		if (!at)
			continue;
		*line = line_at(o->words, at, len);
		return reasons[i].err;
	}
	*line = last_line(o->words, len);
	return WIFEXITED(o->status) && WEXITSTATUS(o->status) == 3 ? EINVAL : EIO;
}

static int judge(struct cohort *ctx, const struct outcome *o, const char *what, const char *path)
{
	const char *line;
	int len, err;

	if (WIFEXITED(o->status) && !WEXITSTATUS(o->status))
		return 0;
	err = reason_of(o, &line, &len);
	if (len)
		return fail_errno(ctx, err, "TargetPool", "cannot %s volume %s: %.*s", what, path,
				  len < 250 ? len : 250, line);
	if (WIFSIGNALED(o->status))
		return fail_errno(ctx, err, "TargetPool",
				  "cannot %s volume %s: signal %d ended LVM", what, path,
				  WTERMSIG(o->status));
	return fail_errno(ctx, err, "TargetPool", "cannot %s volume %s: LVM ended with %d", what,
			  path, WEXITSTATUS(o->status));
}

/* ---- volumes */

static const char *name_in(const char *path)
{
	return strrchr(path, '/') + 1;
}

static int make_one(struct cohort *ctx, const char *vg, const char *path, uint64_t size)
{
	struct outcome o = { 0 };
	char bytes[32];
	int ret;

	snprintf(bytes, sizeof(bytes), "%" PRIu64 "b", size);
	ret = run(ctx, (char *const []){
			(char *)"lvcreate", (char *)"--yes", (char *)"--wipesignatures",
			(char *)"y", (char *)"--size", bytes, (char *)"--name",
			(char *)name_in(path), (char *)vg, NULL }, &o);
	return ret ? ret : judge(ctx, &o, "make", path);
}

static int remove_one(struct cohort *ctx, const char *path)
{
	struct outcome o = { 0 };
	int ret = run(ctx, (char *const []){
			(char *)"lvremove", (char *)"--yes", (char *)path + strlen("/dev/"), NULL },
			&o);

	return ret ? ret : judge(ctx, &o, "remove", path);
}

void lvm_free(struct volumes *v)
{
	for (size_t i = 0; i < v->count; i++)
		free((char *)v->paths[i]);
	free(v->paths);
	memset(v, 0, sizeof(*v));
}

void lvm_take_back(struct cohort *ctx, struct volumes *v)
{
	struct cohort_error e, own;
	size_t len;

	cohort_get_error(ctx, &e);
	for (size_t i = v->count; i--; ) {
		if (!remove_one(ctx, v->paths[i]))
			continue;
		cohort_get_error(ctx, &own);
		len = strlen(e.message);
		snprintf(e.message + len, sizeof(e.message) - len, "; %s", own.message);
	}
	lvm_free(v);
	fail_again(ctx, &e);
}

void lvm_say_left(struct cohort *ctx, const struct volumes *v)
{
	struct cohort_error e;
	size_t len;

	cohort_get_error(ctx, &e);
	len = strlen(e.message);
	if (v->count)
		snprintf(e.message + len, sizeof(e.message) - len,
			 "; %zu volumes stay, the first is %s", v->count, v->paths[0]);
	fail_again(ctx, &e);
}

/* One more, which counts when it is there. */
static int add(struct cohort *ctx, struct volumes *v, const char *stem, uint64_t size)
{
	char *path;
	int ret;

	if (asprintf(&path, "/dev/%s/%s_t%zu", v->vg, stem, v->count + 1) < 0)
		return fail_memory(ctx);
	ret = make_one(ctx, v->vg, path, size);
	if (ret)
		free(path);
	else
		v->paths[v->count++] = path;
	return ret;
}

int lvm_make(struct cohort *ctx, const char *vg, const char *relationship,
	     const uint64_t *sizes, size_t count, struct volumes *v)
{
	char stem[STEM_MAX];
	int ret = 0;

	*v = (struct volumes){ .vg = vg, .paths = calloc(count + 1, sizeof(*v->paths)) };
	if (!v->paths)
		return fail_memory(ctx);
	if (relationship)
		stem_of(relationship, stem);
	else
		stem_assigned(stem);
	for (size_t i = 0; !ret && i < count; i++)
		ret = add(ctx, v, stem, sizes[i]);
	if (ret)
		lvm_take_back(ctx, v);
	return ret;
}
