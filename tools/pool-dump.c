// SPDX-License-Identifier: GPL-2.0-or-later
/* cohortctl pool dump: what is on a pool's device, a line each. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <uuid/uuid.h>

#include "../kmod/state.h"
#include "audit.h"
#include "fail.h"
#include "output.h"
#include "poolfile.h"

struct dump {
	struct app *app;
	int code;		/* of the first line that could not be printed */
};

/* Takes over @record. */
static void line(struct dump *dump, json_t *record, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static void line(struct dump *dump, json_t *record, const char *fmt, ...)
{
	char *words = NULL;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&words, fmt, ap) < 0)
		words = NULL;
	va_end(ap);
	if (!dump->code)
		dump->code = output_line(dump->app, record, words ? words : "");
	else
		json_decref(record);
	free(words);
}

static json_int_t num(u64 n)
{
	return (json_int_t)n;
}

static void dump_super(struct dump *dump, struct store *store, char letter, u64 address)
{
	char name[2] = { letter, '\0' }, uuid[37], start[64] = "";
	struct cohort_super sb;
	u8 block[COHORT_BLOCK];
	const char *why = "it can not be read";
	int err = store_read(store, address, block, COHORT_BLOCK);

	if (!err)
		err = cohort_super_decode(&sb, block, address, store->size, &why);
	if (err) {
		line(dump, json_pack("{s{ssss}}", "superblock", "copy", name, "error", why),
		     "superblock %s: %s", name, why);
		return;
	}
	audit_plain(sb.name);
	uuid_unparse_lower(sb.uuid, uuid);
	if (sb.log_start)
		snprintf(start, sizeof(start), ", log from segment of use %" PRIu64 " on",
			 sb.log_start);
	line(dump, json_pack("{s{sssssssIsIsisisIsIsIsIsIsIsIsbsbsbsbsi}}", "superblock",
			     "copy", name, "name", sb.name, "uuid", uuid,
			     "generation", num(sb.generation),
			     "size", num(sb.size), "chunk_size", (int)sb.chunk_size,
			     "segment_size", (int)sb.segment_size,
			     "segments_start", num(sb.segments_start),
			     "nr_segments", num(sb.nr_segments),
			     "epoch_high", num(sb.epoch_high), "nonce", num(sb.nonce),
			     "next_seq", num(sb.next_seq), "catalog_seq", num(sb.catalog_seq),
			     "log_start", num(sb.log_start), "overlays", sb.overlays,
			     "moves", sb.moves, "sides", sb.sides, "clones", sb.clones,
			     "flags", (int)sb.flags),
	     "superblock %s: pool %s, uuid %s, generation %" PRIu64 ", %" PRIu64
	     " bytes, chunks of %u, %" PRIu64 " segments of %u from %" PRIu64
	     " on, epochs below %" PRIu64 ", nonce %" PRIu64 ", batches from %" PRIu64
	     " on, catalog from %" PRIu64 " on%s%s%s%s%s%s%s", name, sb.name, uuid, sb.generation,
	     sb.size, sb.chunk_size, sb.nr_segments, sb.segment_size, sb.segments_start,
	     sb.epoch_high, sb.nonce, sb.next_seq, sb.catalog_seq, start,
	     sb.overlays ? ", may have overlays" : "",
	     sb.moves ? ", may have moved chunks" : "",
	     sb.sides ? ", may have side logs" : "",
	     sb.clones ? ", may have clones" : "",
	     sb.flags & COHORT_SB_CLEAN ? ", closed cleanly" : "",
	     sb.flags & COHORT_SB_BREAK_ALL ? ", its snapshots are not to be trusted" : "");
}

static void dump_source(struct dump *dump, const struct store_record *record)
{
	const struct cohort_disk_source *d = record->data;

	line(dump, json_pack("{s{sisssIsb}}", "source", "id", (int)record->id, "name", d->name,
			     "size", num(le64_to_cpu(d->size)), "detached",
			     !!(le32_to_cpu(d->flags) & COHORT_SRC_CLEAN)),
	     "source %u: %s, %" PRIu64 " bytes%s", record->id, (const char *)d->name,
	     le64_to_cpu(d->size),
	     le32_to_cpu(d->flags) & COHORT_SRC_CLEAN ? ", detached" : "");
}

static void dump_group(struct dump *dump, const struct store_record *record)
{
	const struct cohort_disk_group *d = record->data;
	const u32 count = le32_to_cpu(d->count);
	json_t *members = json_array();
	u32 i;

	for (i = 0; i < count; i++)
		json_array_append_new(members, json_integer(le32_to_cpu(d->member[i])));
	line(dump, json_pack("{s{sisssisiso}}", "group", "id", (int)record->id, "name", d->name,
			     "kind", (int)le32_to_cpu(d->kind),
			     "flags", (int)le32_to_cpu(d->flags), "members", members),
	     "group %u: %s, kind %u, %u members", record->id, (const char *)d->name,
	     le32_to_cpu(d->kind), count);
}

static const char *state_name(__le32 state)
{
	return cohort_state_copy_name(le32_to_cpu(state)) ?: "?";
}

static void dump_rel(struct dump *dump, const struct store_record *record)
{
	const struct cohort_disk_rel *d = record->data;
	const u32 count = le32_to_cpu(d->count);
	u32 i;

	line(dump, json_pack("{s{sisssssisisi}}", "relationship", "id", (int)record->id,
			     "name", d->name, "state", state_name(d->state),
			     "source_group", (int)le32_to_cpu(d->source_group),
			     "target_group", (int)le32_to_cpu(d->target_group),
			     "members", (int)count),
	     "relationship %u: %s, %s, groups %u and %u, %u members", record->id,
	     (const char *)d->name, state_name(d->state), le32_to_cpu(d->source_group),
	     le32_to_cpu(d->target_group), count);
	for (i = 0; i < count; i++) {
		const struct cohort_disk_rel_member *m = &d->member[i];

		line(dump, json_pack("{s{sisisisIss}}", "member", "relationship", (int)record->id,
				     "index", (int)i, "source", (int)le32_to_cpu(m->source),
				     "epoch", num(le64_to_cpu(m->epoch)),
				     "state", state_name(m->state)),
		     "\tmember %u: source %u, cut %" PRIu64 ", %s", i, le32_to_cpu(m->source),
		     le64_to_cpu(m->epoch), state_name(m->state));
	}
}

/* Its id without the bit that says that it is one. */
static u32 overlay_number(u32 id)
{
	return id & ~COHORT_OVERLAY_ID;
}

static void dump_overlay(struct dump *dump, const struct store *store,
			 const struct store_record *record)
{
	const struct cohort_disk_overlay *d = record->data;
	const bool live = store_overlay_live(store, d);

	line(dump, json_pack("{s{sIsisIsIsb}}", "overlay", "id", num(record->id),
			     "relationship", (int)le32_to_cpu(d->rel),
			     "member", num(le32_to_cpu(d->member)),
			     "floor", num(le64_to_cpu(d->floor)), "live", live),
	     "overlay %u: member %u of relationship %u, batches above %" PRIu64 "%s%s",
	     overlay_number(record->id), le32_to_cpu(d->member), le32_to_cpu(d->rel),
	     le64_to_cpu(d->floor), cohort_is_overlay(record->id) ? "" : ", its id is a source's",
	     live ? "" : ", does not count");
}

static void dump_map_block(struct dump *dump, const struct store_record *record, u64 block,
			   const struct store_map_block *b)
{
	const struct cohort_disk_clone *d = record->data;

	line(dump, json_pack("{s{sisIsIs[II]sI}}", "map_block", "relationship", (int)record->id,
			     "member", num(le32_to_cpu(d->member)), "block", num(block),
			     "seq", num(b->seq[0]), num(b->seq[1]), "copied", num(b->copied)),
	     "\tblock %" PRIu64 ": writes %" PRIu64 " and %" PRIu64 ", %" PRIu64 " chunks copied%s",
	     block, b->seq[0], b->seq[1], b->copied,
	     b->which < 0 ? ", neither copy is good" :
	     !b->seq[0] || !b->seq[1] ? ", one good copy alone" : "");
}

static void dump_map(struct dump *dump, struct store *store, const struct store_record *record)
{
	struct cohort_map *map = store_map(store, record->data);
	struct store_map_block b;
	u64 block;

	for (block = 0; map && block < cohort_map_blocks(map->chunks); block++) {
		store_map_read(store, map, block, &b);
		dump_map_block(dump, record, block, &b);
	}
	free(map);
}

/* As it was recorded, if that is text at all. */
static const char *identity(char *text, const u8 *disk, size_t size)
{
	if (cohort_name_decode(text, disk, size))
		snprintf(text, size, "?");
	audit_plain(text);
	return text;
}

static void dump_clone(struct dump *dump, struct store *store, const struct store_record *record)
{
	const struct cohort_disk_clone *d = record->data;
	const u32 count = le32_to_cpu(d->count);
	char dm_uuid[COHORT_DISK_ID], wwn[COHORT_DISK_ID], partuuid[COHORT_DISK_PARTUUID];
	char uuid[37], words[32 + sizeof(uuid)] = "no map";
	json_t *segments = json_array();
	u32 i;

	uuid_unparse_lower(d->map, uuid);
	for (i = 0; i < count; i++)
		json_array_append_new(segments, json_integer(le32_to_cpu(d->segment[i])));
	if (count)
		snprintf(words, sizeof(words), "map %s in %u segments", uuid, count);
	identity(dm_uuid, d->dm_uuid, sizeof(dm_uuid));
	identity(wwn, d->wwn, sizeof(wwn));
	identity(partuuid, d->partuuid, sizeof(partuuid));
	line(dump, json_pack("{s{sisIsIsssosssssssI}}", "clone", "relationship", (int)record->id,
			     "member", num(le32_to_cpu(d->member)),
			     "size", num(le64_to_cpu(d->size)), "map", uuid, "segments", segments,
			     "dm_uuid", dm_uuid, "wwn", wwn, "partuuid", partuuid,
			     "chunks", num(store_clone_chunks(store, d))),
	     "clone: member %u of relationship %u, target of %" PRIu64
	     " bytes, dm %s, wwn %s, partuuid %s, %s", le32_to_cpu(d->member), record->id,
	     le64_to_cpu(d->size), dm_uuid[0] ? dm_uuid : "-", wwn[0] ? wwn : "-",
	     partuuid[0] ? partuuid : "-", words);
	dump_map(dump, store, record);
}

static void dump_record(struct dump *dump, struct store *store, const struct store_record *record)
{
	if (record->type == COHORT_REC_RUN)
		return;
	if (record->type == COHORT_REC_OVERLAY) {
		dump_overlay(dump, store, record);
		return;
	}
	if (record->type == COHORT_REC_CLONE) {
		dump_clone(dump, store, record);
		return;
	}
	audit_plain((char *)(uintptr_t)store_name(record));
	if (record->type == COHORT_REC_SOURCE)
		dump_source(dump, record);
	else if (record->type == COHORT_REC_GROUP)
		dump_group(dump, record);
	else
		dump_rel(dump, record);
}

static void dump_catalog(struct dump *dump, struct store *store)
{
	u32 i;

	for (i = 0; i < store->nr_records; i++)
		dump_record(dump, store, &store->record[i]);
}

static int on_batch(struct store *store, const struct cohort_batch *b, u32 segment)
{
	static const char *const kind[] = { "", "preserve", "record", "move", "side" };
	static const char *const what[] = {
		"", "chunks", "bytes of records", "moved chunks", "chunks by a side log",
	};

	line(store->user, json_pack("{s{sIsisIsssisI}}", "batch", "seq", num(b->seq),
				    "segment", (int)segment, "address", num(b->address),
				    "kind", kind[b->kind],
				    cohort_batch_has_chunks(b->kind) ? "chunks" : "bytes",
				    (int)b->count,
				    "completed", num(b->completed)),
	     "\tbatch %" PRIu64 ": segment %u, byte %" PRIu64 ", %u %s, all up to %" PRIu64
	     " were complete", b->seq, segment, b->address, b->count,
	     what[b->kind], b->completed);
	return 0;
}

static void dump_written(struct dump *dump, const struct cohort_preserve *p, u64 addr)
{
	const u64 seq = cohort_overlay_seq(p->epoch);

	line(dump, json_pack("{s{sIsIsIsI}}", "written", "overlay", num(p->source),
			     "chunk", num(p->chunk), "batch", num(seq), "address", num(addr)),
	     "\t\toverlay %u, chunk %" PRIu64 ", batch %" PRIu64 ": byte %" PRIu64 "%s",
	     overlay_number(p->source), p->chunk, seq, addr,
	     p->unreadable ? ", partly unreadable" : "");
}

static int on_chunk(struct store *store, const struct cohort_preserve *p, u64 addr)
{
	if (cohort_is_overlay(p->source)) {
		dump_written(store->user, p, addr);
		return 0;
	}
	line(store->user, json_pack("{s{sisIsIsI}}", "chunk", "source", (int)p->source,
				    "chunk", num(p->chunk), "epoch", num(p->epoch),
				    "address", num(addr)),
	     "\t\tsource %u, chunk %" PRIu64 ", epoch %" PRIu64 ": byte %" PRIu64 "%s",
	     p->source, p->chunk, p->epoch, addr, p->unreadable ? ", partly unreadable" : "");
	return 0;
}

static int on_run(struct store *store, const struct cohort_run *run)
{
	line(store->user, json_pack("{s{sisIsIsIsIsisi}}", "run", "id", (int)run->id,
				    "from", num(run->from), "to", num(run->to),
				    "entries", num(run->entries), "max_epoch", num(run->max_epoch),
				    "blocks", (int)run->blocks, "segments", (int)run->count),
	     "run %u: %" PRIu64 " chunks of the log in segments of use %" PRIu64 " up to %" PRIu64
	     ", epochs up to %" PRIu64 ", %u blocks from block %u of segment %u on, in %u segments",
	     run->id, run->entries, run->from, run->to - 1, run->max_epoch, run->blocks,
	     run->start, run->segment[0], run->count);
	return 0;
}

static int on_damage(struct store *store, const struct cohort_damage *d)
{
	line(store->user, json_pack("{s{sisi}}", "damage", "segment", (int)d->segment,
				    "offset", (int)d->offset),
	     "damage: segment %u, byte %u", d->segment, d->offset);
	return 0;
}

static void dump_segment(struct dump *dump, u64 number, const struct cohort_segment_entry *e)
{
	static const char *const kinds[] = {
		[COHORT_SEGMENT_LOG] = "log", [COHORT_SEGMENT_INDEX] = "index",
		[COHORT_SEGMENT_SIDE] = "side", [COHORT_SEGMENT_MAP] = "map",
	};
	char what[64] = "blocks of index runs";

	if (e->kind == COHORT_SEGMENT_MAP)
		snprintf(what, sizeof(what), "blocks of copy maps");
	if (cohort_segment_has_batches(e->kind))
		snprintf(what, sizeof(what), "%sbatches from %" PRIu64 " on",
			 e->kind == COHORT_SEGMENT_SIDE ? "side log, " : "", e->min_seq);
	line(dump, json_pack("{s{sIsssIsIsisI}}", "segment", "number", num(number),
			     "kind", kinds[e->kind],
			     "seq", num(e->seq), "nonce", num(e->nonce),
			     "length", (int)e->length, "min_seq", num(e->min_seq)),
	     "segment %" PRIu64 ": use %" PRIu64 ", nonce %" PRIu64 ", %u bytes, %s", number,
	     e->seq, e->nonce, e->length, what);
}

static void dump_segments(struct dump *dump, const struct store *store)
{
	u64 i;

	for (i = 0; i < store->sb.nr_segments; i++)
		if (store->table[i].seq)
			dump_segment(dump, i, &store->table[i]);
}

static int dump_all(struct app *app, const char *path, struct store *store)
{
	struct dump dump = { .app = app };
	int err;

	dump_super(&dump, store, 'A', COHORT_SUPER_A);
	dump_super(&dump, store, 'B', COHORT_SUPER_B);
	store->user = &dump;
	store->batch = on_batch;
	store->chunk = on_chunk;
	store->run = on_run;
	store->damage = on_damage;
	err = store_load(store);
	if (err)
		return fail_errno(app, err == -ENOENT ? ENODEV : -err, "%s: %s", path,
				  store->why[0] ? store->why : strerror(-err));
	dump_segments(&dump, store);
	dump_catalog(&dump, store);
	return dump.code;
}

static int pool_dump(struct app *app)
{
	struct poolfile file;
	struct store store;
	int code = poolfile_open(app, &file, app->argv[0], false, &store);

	if (code)
		return code;
	code = dump_all(app, app->argv[0], &store);
	poolfile_close(&file, &store);
	return code;
}

const struct verb verb_pool_dump = {
	.id = VERB_POOL_DUMP,
	.noun = "pool",
	.name = "dump",
	.args = "DEVICE",
	.summary = "Show what is on the device of a closed pool, a line each",
	.notes = "The superblocks, the log with its chunks, the segments, the catalog. DEVICE\n"
		 "may be a file with a copy of it.",
	.flags = VERB_ALONE,
	.min_args = 1,
	.max_args = 1,
	.run = pool_dump,
};
