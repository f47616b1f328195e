// SPDX-License-Identifier: GPL-2.0-or-later
/* stamp verify: are these images one instant of the run between the two bounds? */
#include <getopt.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "stamp.h"

enum verdict {
	CONSISTENT,
	VIOLATION,
	CANNOT_JUDGE,
};

static const char * const verdict_names[] = { "consistent", "violation", "cannot judge" };

/* One write, as the report names it. */
struct point {
	__u32 chain;
	__u32 member;
	__u64 seq;
	__u64 lba;
};

struct judge {
	struct stamp_bounds before;
	struct stamp_bounds after;
	const struct stamp_geometry *geo;
	struct stamp_scan *scans;
	__u64 newest[STAMP_MAX_CHAINS];
	__u32 chains;			/* so many are judged, the first ones */
	bool allow_torn;
	bool json;

	enum verdict verdict;
	const char *kind;
	char text[512];
	bool is_pair;
	struct point dependent;		/* is in */
	struct point missing;		/* had been acknowledged before it was issued */
};

/* Keeps the first finding; always returns false, so that checks can chain. */
__printf(4, 5) static bool refuse(struct judge *j, enum verdict v, const char *kind,
				  const char *fmt, ...)
{
	va_list ap;

	j->verdict = v;
	j->kind = kind;
	va_start(ap, fmt);
	vsnprintf(j->text, sizeof(j->text), fmt, ap);
	va_end(ap);
	return false;
}

static bool readable(struct judge *j)
{
	for (__u32 m = 0; m < j->geo->members; m++) {
		const struct stamp_scan *s = &j->scans[m];

		if (s->error)
			return refuse(j, CANNOT_JUDGE, "unreadable", "%s: near sector %llu: %s",
				      s->dev.path, s->error_lba, strerror(-s->error));
	}
	return true;
}

static bool sectors_whole(struct judge *j)
{
	for (__u32 m = 0; m < j->geo->members; m++) {
		const struct stamp_scan *s = &j->scans[m];

		if (s->found[FOUND_TORN])
			return refuse(j, VIOLATION, "torn sector",
				      "%s: sector %llu has a wrong checksum (%llu such)",
				      s->dev.path, s->odd_lba[FOUND_TORN], s->found[FOUND_TORN]);
	}
	return true;
}

static bool members_in_place(struct judge *j)
{
	for (__u32 m = 0; m < j->geo->members; m++) {
		const struct stamp_scan *s = &j->scans[m];

		if (s->found[FOUND_SWAPPED])
			return refuse(j, VIOLATION, "swapped member",
				      "%s: given as member %u, sector %llu is of member %u",
				      s->dev.path, m, s->odd_lba[FOUND_SWAPPED], s->swapped_with);
		if (s->found[FOUND_MISPLACED])
			return refuse(j, VIOLATION, "misplaced sector",
				      "%s: sector %llu carries a write that does not belong there",
				      s->dev.path, s->odd_lba[FOUND_MISPLACED]);
	}
	return true;
}

static bool writes_expected(const struct judge *j, __u32 member)
{
	struct stamp_place place;

	for (__u32 c = 0; c < j->chains; c++)
		for (__u64 seq = j->before.seq[c]; seq; seq--) {
			stamp_plan(j->geo, c, seq, &place);
			if (place.member == member)
				return true;
		}
	return false;
}

static bool images_of_run(struct judge *j)
{
	for (__u32 m = 0; m < j->geo->members; m++) {
		const struct stamp_scan *s = &j->scans[m];

		if (s->found[FOUND_OURS] || !writes_expected(j, m))
			continue;
		if (s->found[FOUND_STRANGER])
			return refuse(j, CANNOT_JUDGE, "wrong run",
				      "%s: holds stamps of another run only", s->dev.path);
		return refuse(j, CANNOT_JUDGE, "empty image",
			      "%s: holds no stamp at all", s->dev.path);
	}
	return true;
}

static void find_newest(struct judge *j)
{
	for (__u32 m = 0; m < j->geo->members; m++)
		for (__u32 c = 0; c < j->chains; c++)
			if (j->scans[m].newest[c] > j->newest[c])
				j->newest[c] = j->scans[m].newest[c];
}

static bool anything_written(struct judge *j)
{
	for (__u32 c = 0; c < j->chains; c++)
		if (j->before.seq[c])
			return true;
	return refuse(j, CANNOT_JUDGE, "no writes", "nothing was acknowledged before the call");
}

static bool nothing_later(struct judge *j)
{
	for (__u32 c = 0; c < j->chains; c++)
		if (j->newest[c] > j->after.seq[c])
			return refuse(j, VIOLATION, "newer than the cut",
				      "chain %u: write %llu is in, issued after the return (newest then: %llu)",
				      c, j->newest[c], j->after.seq[c]);
	return true;
}

static bool nothing_lost(struct judge *j)
{
	for (__u32 c = 0; c < j->chains; c++)
		if (j->newest[c] < j->before.seq[c])
			return refuse(j, VIOLATION, "older than the cut",
				      "chain %u: %llu is the newest write in, but %llu was acknowledged before the call",
				      c, j->newest[c], j->before.seq[c]);
	return true;
}

static struct point point_of(const struct judge *j, __u32 chain, __u64 seq)
{
	struct stamp_place place;

	stamp_plan(j->geo, chain, seq, &place);
	return (struct point){ chain, place.member, seq, place.lba };
}

static const __u64 *sectors_of(const struct judge *j, const struct stamp_place *place)
{
	return &j->scans[place->member].seq[place->lba - j->geo->base];
}

static bool is_seen(const struct judge *j, __u32 chain, __u64 seq)
{
	struct stamp_place place;
	const __u64 *found;

	stamp_plan(j->geo, chain, seq, &place);
	found = sectors_of(j, &place);
	for (__u32 i = 0; i < place.count; i++)
		if (found[i] == seq)
			return true;
	return false;
}

static const char *name_point(struct point p, char *buf, size_t size)
{
	snprintf(buf, size, "chain %u write %llu (member %u, sector %llu)", p.chain, p.seq,
		 p.member, p.lba);
	return buf;
}

static bool refuse_pair(struct judge *j, struct point dependent, struct point missing,
			const char *how)
{
	char a[96], b[96];

	j->is_pair = true;
	j->dependent = dependent;
	j->missing = missing;
	return refuse(j, VIOLATION, "order",
		      "%s is in, but %s, acknowledged before it was issued, %s",
		      name_point(dependent, a, sizeof(a)), name_point(missing, b, sizeof(b)), how);
}

static bool refuse_missing(struct judge *j, __u32 chain, __u64 seq)
{
	__u64 next = seq + 1;
	char name[96];

	if (seq == j->newest[chain])
		return refuse(j, VIOLATION, "torn write", "%s is in only in part",
			      name_point(point_of(j, chain, seq), name, sizeof(name)));
	while (!is_seen(j, chain, next))
		next++;
	return refuse_pair(j, point_of(j, chain, next), point_of(j, chain, seq),
			   is_seen(j, chain, seq) ? "is there only in part" : "is missing");
}

/*
 * Walks one chain's plan backwards. The first write met that covers a sector is
 * the one that must be on it; @decided remembers those. Ends when every sector
 * of the chain is decided, so it costs the size of the arena, not of the run.
 */
static bool chain_closed(struct judge *j, __u32 chain, __u8 *decided)
{
	__u64 arena = stamp_arena(j->geo);
	__u64 left = arena / j->geo->chains * j->geo->members;
	__u64 newest = j->newest[chain];
	struct stamp_place place;

	for (__u64 seq = newest; seq && left; seq--) {
		const __u64 *found;
		__u8 *done;

		stamp_plan(j->geo, chain, seq, &place);
		found = sectors_of(j, &place);
		done = &decided[place.member * arena + place.lba - j->geo->base];
		for (__u32 i = 0; i < place.count; i++) {
			if (done[i])
				continue;
			if (found[i] != seq && j->allow_torn && seq == newest)
				continue;
			if (found[i] != seq)
				return refuse_missing(j, chain, seq);
			done[i] = 1;
			left--;
		}
	}
	return true;
}

static bool chains_closed(struct judge *j)
{
	__u8 *decided = alloc_array(stamp_arena(j->geo), j->geo->members);
	bool good = true;

	for (__u32 c = 0; good && c < j->chains; c++)
		good = chain_closed(j, c, decided);
	free(decided);
	return good;
}

/* With every chain closed, "all that was seen is in" is one comparison per chain. */
static bool seen_included(struct judge *j)
{
	for (__u32 m = 0; m < j->geo->members; m++)
		for (__u32 c = 0; c < j->chains; c++) {
			const struct stamp_witness *w = &j->scans[m].witness[c];
			struct point in = { w->chain, w->member, w->seq, w->lba };

			if (w->seen > j->newest[c])
				return refuse_pair(j, in, point_of(j, c, w->seen), "is missing");
		}
	return true;
}

static void judge_images(struct judge *j)
{
	if (!readable(j) || !sectors_whole(j) || !members_in_place(j) || !anything_written(j) ||
	    !images_of_run(j))
		return;
	find_newest(j);
	if (nothing_later(j) && nothing_lost(j) && chains_closed(j) && seen_included(j))
		j->verdict = CONSISTENT;
}

static void print_point(const char *name, const struct point *p)
{
	printf(",\"%s\":{\"chain\":%u,\"seq\":%llu,\"member\":%u,\"sector\":%llu}", name,
	       p->chain, p->seq, p->member, p->lba);
}

static void print_escaped(const char *s)
{
	for (; *s; s++) {
		if ((unsigned char)*s < 0x20)
			printf("\\u%04x", *s);
		else if (*s == '"' || *s == '\\')
			printf("\\%c", *s);
		else
			putchar(*s);
	}
}

static void count_writes(const struct judge *j, __u64 *in, __u64 *in_flight)
{
	*in = 0;
	*in_flight = 0;
	for (__u32 c = 0; c < j->chains; c++) {
		*in += j->newest[c];
		*in_flight += j->newest[c] - j->before.seq[c];
	}
}

static void report_json(const struct judge *j)
{
	__u64 in, in_flight;

	printf("{\"verdict\":\"%s\",\"chains\":%u,\"images\":%u", verdict_names[j->verdict],
	       j->geo->chains, j->geo->members);
	if (j->verdict == CONSISTENT) {
		count_writes(j, &in, &in_flight);
		printf(",\"writes\":%llu,\"unacknowledged\":%llu", in, in_flight);
	} else {
		printf(",\"kind\":\"%s\",\"text\":\"", j->kind);
		print_escaped(j->text);
		putchar('"');
	}
	if (j->is_pair) {
		print_point("dependent", &j->dependent);
		print_point("missing", &j->missing);
	}
	puts("}");
}

static void report(const struct judge *j)
{
	__u64 in, in_flight;

	if (j->json) {
		report_json(j);
	} else if (j->verdict == CONSISTENT) {
		count_writes(j, &in, &in_flight);
		printf("stamp: consistent: %u chains over %u images, ", j->geo->chains,
		       j->geo->members);
		printf("%llu writes, %llu of them not acknowledged at the call\n", in, in_flight);
	} else {
		printf("stamp: %s (%s): %s\n", verdict_names[j->verdict], j->kind, j->text);
	}
}

static void check_bounds(const struct judge *j, int images)
{
	if (j->before.kind != STAMP_ACKED || j->after.kind != STAMP_ISSUED)
		die("--before wants a mark --acked, --after a mark --issued");
	if (memcmp(&j->before.geo, &j->after.geo, sizeof(j->before.geo)))
		die("the two bounds are of different runs");
	for (__u32 c = 0; c < j->before.geo.chains; c++)
		if (j->before.seq[c] > j->after.seq[c])
			die("the bounds are the wrong way round");
	if ((__u32)images != j->before.geo.members)
		die("%u images wanted, in member order, not %d", j->before.geo.members, images);
}

static void parse(struct judge *j, int argc, char **argv)
{
	static const struct option options[] = {
		{ "before", required_argument, NULL, 'b' },
		{ "after", required_argument, NULL, 'a' },
		{ "allow-torn", no_argument, NULL, 't' },
		{ "chains", required_argument, NULL, 'c' },
		{ "json", no_argument, NULL, 'j' },
		{ }
	};
	const char *before = NULL, *after = NULL;
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == 'b')
			before = optarg;
		else if (c == 'a')
			after = optarg;
		else if (c == 't')
			j->allow_torn = true;
		else if (c == 'c')
			j->chains = parse_number("--chains", optarg);
		else if (c == 'j')
			j->json = true;
		else
			exit(EXIT_CANNOT);
	}
	if (!before || !after)
		die("verify: --before FILE and --after FILE are both needed");
	stamp_bounds_read(&j->before, before);
	stamp_bounds_read(&j->after, after);
	if (j->chains > j->before.geo.chains)
		die("--chains: the run has %u", j->before.geo.chains);
	if (!j->chains)
		j->chains = j->before.geo.chains;
}

int stamp_verify_main(int argc, char **argv)
{
	struct judge *j = alloc_array(1, sizeof(*j));

	parse(j, argc, argv);
	check_bounds(j, argc - optind);
	j->geo = &j->before.geo;
	j->scans = alloc_array(j->geo->members, sizeof(*j->scans));
	stamp_scan_all(j->scans, j->geo, j->chains, argv + optind);
	judge_images(j);
	report(j);
	return j->verdict;
}

static noreturn void verify_child(int argc, char **argv, int out)
{
	if (out >= 0 && dup2(out, STDOUT_FILENO) < 0)
		die("no output");
	/* whoever forked may have parsed options of its own */
	optind = 0;
	exit(stamp_verify_main(argc, argv));
}

static void read_words(int fd, char *words, size_t size)
{
	size_t len = 0;
	ssize_t n;

	while (len < size - 1 && (n = read(fd, words + len, size - 1 - len)) > 0)
		len += n;
	words[len] = '\0';
	close(fd);
}

int stamp_verify_forked(int argc, char **argv, char *words, size_t size)
{
	int out[2] = { -1, -1 }, status;
	pid_t pid;

	fflush(stdout);
	if (words && pipe(out))
		die("no pipe");
	pid = fork();
	if (pid < 0)
		die("cannot fork");
	if (!pid)
		verify_child(argc, argv, out[1]);
	if (words) {
		close(out[1]);
		read_words(out[0], words, size);
	}
	if (waitpid(pid, &status, 0) < 0 || !WIFEXITED(status))
		die("the judge died");
	return WEXITSTATUS(status);
}
