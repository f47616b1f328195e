/* SPDX-License-Identifier: GPL-2.0-only OR LGPL-2.1-or-later */
/*
 * format.h - what a pool device holds, byte by byte.
 *
 *	0		zero
 *	4 KiB		superblock A (odd generations)
 *	8 KiB		zero up to 1 MiB, so that no other format is mistaken for ours
 *	1 MiB		superblock B (even generations)
 *	1 MiB + 4 KiB	segment table: one entry per segment, 15 entries per 512-byte sector
 *	segments_start	segments of segment_size bytes
 *
 * A log segment holds batches one behind the other. A batch is a header block
 * of 4 KiB and its data. The log is the database: PRESERVE batches carry old
 * chunks, RECORD batches carry the catalog, a group's cut being one record. What
 * the older part of the log says of chunks is said again by runs, sorted, so
 * that a restart need not read it; index segments hold the blocks of runs. An
 * image that is written has an overlay: chunks of its own, appended like old ones.
 * Beside the main log there may be side logs, each a chain of its own with its own
 * nonce: they hold nothing but old chunks of sources, in SIDE batches.
 *
 * Everything is little-endian. Every metadata block carries a CRC32C seeded
 * with the pool's UUID and its own address, so that a block of another pool,
 * or one written to the wrong place, is not taken for good.
 */
#ifndef COHORT_FORMAT_H
#define COHORT_FORMAT_H

#include "portable.h"

#define COHORT_SECTOR		512u
#define COHORT_BLOCK		4096u

#define COHORT_SUPER_A		4096ull
#define COHORT_SUPER_B		(1ull << 20)
#define COHORT_TABLE_START	((1ull << 20) + COHORT_BLOCK)

#define COHORT_SUPER_MAGIC	"\xc0\x40\x27 cohort pool\x0d\x0a"
#define COHORT_FORMAT_VERSION	1

/* Feature words: unknown bits in ro_compat forbid writing, in incompat opening. */
#define COHORT_COMPAT_KNOWN	0ull
#define COHORT_RO_COMPAT_KNOWN	0ull
#define COHORT_INCOMPAT_RUNS	(1ull << 0)	/* log_start counts, and runs of the index */
#define COHORT_INCOMPAT_OVERLAYS (1ull << 1)	/* records and entries of overlays */
#define COHORT_INCOMPAT_MOVES	(1ull << 2)	/* batches of chunks that were moved */
#define COHORT_INCOMPAT_SIDES	(1ull << 3)	/* segments and batches of side heads */
#define COHORT_INCOMPAT_CLONES	(1ull << 4)	/* records of clones, and segments of copy maps */
#define COHORT_INCOMPAT_KNOWN	(COHORT_INCOMPAT_RUNS | COHORT_INCOMPAT_OVERLAYS | \
				 COHORT_INCOMPAT_MOVES | COHORT_INCOMPAT_SIDES | \
				 COHORT_INCOMPAT_CLONES)

#define COHORT_SB_CLEAN		(1u << 0)	/* closed cleanly */
#define COHORT_SB_BREAK_ALL	(1u << 1)	/* the log failed: no snapshot may be trusted */

/* No pool lives long enough to get there; what is above it is not honest. */
#define COHORT_EPOCH_MAX	(1ull << 62)

#define COHORT_CHUNK_MIN	4096u
#define COHORT_CHUNK_MAX	65536u
#define COHORT_SEGMENT_MIN	(256u << 10)
#define COHORT_SEGMENT_MAX	(4u << 20)
/* Segments only control records may take: making space must not need space. */
#define COHORT_RESERVED_SEGMENTS	2
/* More that old chunks may not take, but what moves may: each that it takes frees another one. */
#define COHORT_CLEAN_SEGMENTS		1
#define COHORT_MIN_SEGMENTS	8
/* Logs that an activation may have, side logs with the nonces behind the main one's. */
#define COHORT_LOG_HEADS		8u

#define COHORT_DISK_NAME	128
#define COHORT_DISK_ID		136
#define COHORT_DISK_PARTUUID	40
#define COHORT_DISK_FINGERPRINT	32

struct cohort_disk_super {
	u8	magic[16];
	__le32	crc;			/* of the block, this field zero */
	__le32	version;
	u8	uuid[16];
	__le64	generation;
	__le64	address;		/* own byte offset */
	__le64	compat;
	__le64	ro_compat;
	__le64	incompat;
	__le64	size;			/* bytes in use of the device */
	__le32	chunk_size;
	__le32	segment_size;
	__le64	table_size;		/* bytes reserved for the segment table */
	__le64	segments_start;
	__le64	nr_segments;
	__le64	epoch_high;		/* no epoch at or above it was ever used */
	__le64	nonce;			/* of the newest activation, its main log */
	__le64	next_seq;		/* floor for batch sequence numbers; CLEAN: the next one */
	__le64	next_segment;		/* floor for segment sequence numbers */
	__le64	catalog_seq;		/* records of older batches are void */
	__le32	flags;
	__le32	pad;
	u8	name[COHORT_DISK_NAME];
	__le64	log_start;		/* segments of a lower seq are in runs: not replayed */
	u8	reserved[COHORT_BLOCK - 304];
} __packed;

static_assert(offsetof(struct cohort_disk_super, crc) == 16, "super.crc");
static_assert(offsetof(struct cohort_disk_super, generation) == 40, "super.generation");
static_assert(offsetof(struct cohort_disk_super, size) == 80, "super.size");
static_assert(offsetof(struct cohort_disk_super, nr_segments) == 112, "super.nr_segments");
static_assert(offsetof(struct cohort_disk_super, catalog_seq) == 152, "super.catalog_seq");
static_assert(offsetof(struct cohort_disk_super, name) == 168, "super.name");
static_assert(offsetof(struct cohort_disk_super, log_start) == 296, "super.log_start");
static_assert(sizeof(struct cohort_disk_super) == COHORT_BLOCK, "super");

/* One entry of the segment table. */
struct cohort_disk_segment {
	__le64	seq;			/* order of use, 0 = free */
	__le64	nonce;			/* of the log that fills it */
	__le32	length;			/* bytes of complete batches, 0 = still open */
	__le32	kind;
	__le64	min_seq;		/* batches below it are of a former life */
} __packed;

#define COHORT_SEGMENT_LOG	1u
#define COHORT_SEGMENT_INDEX	2u	/* blocks of runs, see below */
#define COHORT_SEGMENT_SIDE	3u	/* of the side log with this nonce */
#define COHORT_SEGMENT_MAP	4u	/* blocks of copy maps, see below */
#define COHORT_TABLE_PER_SECTOR	15u
#define COHORT_TABLE_MAGIC	0x54534843u	/* "CHST" */

/* A table sector stands for itself: a torn write of several leaves each old or new. */
struct cohort_disk_table {
	__le32	magic;
	__le32	crc;			/* of the sector, this field zero */
	__le64	address;
	__le64	reserved[2];
	struct cohort_disk_segment seg[COHORT_TABLE_PER_SECTOR];
} __packed;

static_assert(sizeof(struct cohort_disk_segment) == 32, "segment");
static_assert(sizeof(struct cohort_disk_table) == COHORT_SECTOR, "table");

#define COHORT_BATCH_MAGIC	0x42434843u	/* "CHCB" */
#define COHORT_BATCH_PRESERVE	1u
#define COHORT_BATCH_RECORD	2u
#define COHORT_BATCH_MOVE	3u	/* as PRESERVE, of entries that an earlier batch had */
#define COHORT_BATCH_SIDE	4u	/* as PRESERVE, of sources alone; all that side logs have */
#define COHORT_BATCH_PAYLOAD	(COHORT_BLOCK - 80u)

/* Header block of a batch. Data follows at once, data_len bytes of it. */
struct cohort_disk_batch {
	__le32	magic;
	__le32	crc;			/* of the block, this field zero */
	__le64	address;
	__le64	nonce;
	__le64	seq;			/* one more than the batch before in this log */
	__le64	completed;		/* every batch up to this one was durable */
	__le32	prev_crc;		/* crc of the batch before, chains them */
	__le32	kind;
	__le32	count;			/* entries, or bytes of records */
	__le32	data_len;		/* a multiple of COHORT_BLOCK */
	__le32	data_crc;		/* RECORD: of the records wherever they lie */
	__le32	reserved[5];
	u8	payload[COHORT_BATCH_PAYLOAD];
} __packed;

static_assert(offsetof(struct cohort_disk_batch, payload) == 80, "batch.payload");
static_assert(sizeof(struct cohort_disk_batch) == COHORT_BLOCK, "batch");

/* Ids with this bit are of overlays. */
#define COHORT_OVERLAY_ID	(1u << 31)

/*
 * One preserved chunk; its data is the n-th chunk of the batch's data. Of an
 * overlay: a chunk of the image as it was written, and @epoch is COHORT_EPOCH_MAX
 * less the seq of the batch. So the smallest is the newest, and no other is needed.
 */
struct cohort_disk_preserve {
	__le32	source;
	__le32	crc;			/* CRC32C of the chunk */
	__le64	chunk;
	__le64	epoch;			/* newest cut it belongs to */
	__le64	unreadable;		/* a bit per 1/64 of the chunk that could not be read */
} __packed;

#define COHORT_BATCH_ENTRIES (COHORT_BATCH_PAYLOAD / sizeof(struct cohort_disk_preserve))

static_assert(sizeof(struct cohort_disk_preserve) == 32, "preserve");

/* Records: the catalog as a list of changes; the newest one of an id counts. */
enum cohort_record_type {
	COHORT_REC_SOURCE	= 1,
	COHORT_REC_SOURCE_DEL	= 2,
	COHORT_REC_GROUP	= 3,
	COHORT_REC_GROUP_DEL	= 4,
	COHORT_REC_REL		= 5,
	COHORT_REC_REL_DEL	= 6,
	COHORT_REC_RUN		= 7,
	COHORT_REC_RUN_DEL	= 8,
	COHORT_REC_OVERLAY	= 9,
	COHORT_REC_OVERLAY_DEL	= 10,
	COHORT_REC_CLONE	= 11,
};

struct cohort_disk_record {
	__le16	type;
	__le16	reserved;
	__le32	len;			/* with this header, a multiple of 8 */
	__le32	id;
	__le32	pad;
} __packed;

#define COHORT_SRC_CLEAN	(1u << 0)

struct cohort_disk_source {
	struct cohort_disk_record hdr;
	u8	uuid[16];
	__le64	size;			/* bytes */
	__le32	flags;
	__le32	pad;
	u8	fingerprint[COHORT_DISK_FINGERPRINT];
	u8	name[COHORT_DISK_NAME];
	u8	dm_uuid[COHORT_DISK_ID];
	u8	wwn[COHORT_DISK_ID];
	u8	partuuid[COHORT_DISK_PARTUUID];
} __packed;

struct cohort_disk_group {
	struct cohort_disk_record hdr;
	__le32	kind;
	__le32	flags;
	__le32	count;
	__le32	pad;
	u8	name[COHORT_DISK_NAME];
	__le32	member[];		/* source ids, padded to 8 bytes */
} __packed;

struct cohort_disk_rel_member {
	__le32	source;
	__le32	state;
	__le64	epoch;
	__le64	when;			/* realtime, nanoseconds */
} __packed;

struct cohort_disk_rel {
	struct cohort_disk_record hdr;
	u8	uuid[16];
	__le32	sync_type;
	__le32	mode;
	__le32	consistency;
	__le32	state;
	__le32	flags;
	__le32	source_group;
	__le32	target_group;
	__le32	count;
	__le64	when;
	__le64	space_limit;
	__le64	remove_after;
	__le32	hold_time;		/* seconds */
	__le32	pad;
	u8	name[COHORT_DISK_NAME];
	struct cohort_disk_rel_member member[];
} __packed;

/*
 * What was written to the image of a member of a relationship: entries of the
 * record's id, but those in batches up to @floor are of a former life of the id. It
 * goes with its relationship, and does not count where the member is not
 * Synchronized. Skewed is no state of a record: it says that there is an overlay.
 */
struct cohort_disk_overlay {
	struct cohort_disk_record hdr;
	__le32	rel;			/* id of the relationship */
	__le32	member;			/* from 0 */
	__le64	floor;
} __packed;

/* The target may hold the same already: it is read first, and written where it differs. */
#define COHORT_CLONE_COMPARE	1u
#define COHORT_CLONE_KNOWN	COHORT_CLONE_COMPARE

/*
 * A member of a relationship is copied to a disk of its own, the target. Which chunks
 * are there already says a copy map, in segments that belong to it alone: all first copies
 * of its blocks, then all second ones. Without a map, count 0, copying has not begun
 * or has come to its end; the member's state tells which. A later record of the same member
 * takes the place of an earlier one; all go with their relationship.
 */
struct cohort_disk_clone {
	struct cohort_disk_record hdr;	/* id of the relationship */
	__le32	member;			/* from 0 */
	__le32	count;			/* segments */
	u8	map[16];		/* UUID of the map */
	__le64	size;			/* of the target, bytes */
	__le32	flags;			/* COHORT_CLONE_… */
	__le32	pad;
	u8	dm_uuid[COHORT_DISK_ID];	/* of the target, as of a source */
	u8	wwn[COHORT_DISK_ID];
	u8	partuuid[COHORT_DISK_PARTUUID];
	__le32	segment[];		/* numbers, padded to 8 bytes */
} __packed;

#define COHORT_MAP_MAGIC	0x4d434843u	/* "CHCM" */
#define COHORT_MAP_BYTES	(COHORT_BLOCK - 64u)
#define COHORT_MAP_BITS		(COHORT_MAP_BYTES * 8u)

/* A bit for each chunk that is on the target, the lowest first; none ever goes back. */
struct cohort_disk_map_block {
	__le32	magic;
	__le32	crc;			/* of the block, this field zero */
	__le64	address;
	u8	map[16];
	__le64	seq;			/* the larger one of two copies counts */
	__le32	block;			/* of the map */
	u8	reserved[20];
	u8	bits[COHORT_MAP_BYTES];
} __packed;

static_assert(sizeof(struct cohort_disk_map_block) == COHORT_BLOCK, "map block");
static_assert(offsetof(struct cohort_disk_map_block, bits) == 64, "map block.bits");

/*
 * A run: what the log segments with from <= seq < to say of chunks, sorted. Its
 * blocks lie one behind the other from block @start of the first segment on, and
 * go on at the begin of the next one. One whose @to is above the superblock's
 * log_start does not count: the log still says all of it.
 */
struct cohort_disk_run {
	struct cohort_disk_record hdr;
	__le64	from;
	__le64	to;
	__le64	entries;
	__le64	max_epoch;
	__le32	start;
	__le32	blocks;
	__le32	root;			/* block of the run */
	__le32	levels;			/* 1: the root is a leaf */
	__le32	count;			/* segments */
	__le32	pad;
	__le32	segment[];		/* numbers, padded to 8 bytes */
} __packed;

#define COHORT_RUN_MAGIC	0x49434843u	/* "CHCI" */
#define COHORT_RUN_LEVELS	5

/*
 * A block of a run: a leaf, level 0, with entries, or one with the first keys of
 * blocks of the level below. It stands behind all blocks that it leads to.
 */
struct cohort_disk_run_block {
	__le32	magic;
	__le32	crc;			/* of the block, this field zero */
	__le64	address;
	__le32	run;			/* id of its record */
	__le16	level;
	__le16	count;
	u8	reserved[8];
	u8	payload[COHORT_BLOCK - 32];
} __packed;

/* In order of source, chunk, epoch. */
struct cohort_disk_run_entry {
	__le32	source;
	__le32	crc;			/* as in the log */
	__le64	chunk;
	__le64	epoch;
	__le64	addr;			/* byte offset in the pool */
	__le64	unreadable;
} __packed;

struct cohort_disk_run_key {
	__le32	source;
	__le32	block;			/* of the run */
	__le64	chunk;
	__le64	epoch;
} __packed;

#define COHORT_RUN_ENTRIES \
	((COHORT_BLOCK - 32u) / sizeof(struct cohort_disk_run_entry))
#define COHORT_RUN_KEYS ((COHORT_BLOCK - 32u) / sizeof(struct cohort_disk_run_key))

static_assert(sizeof(struct cohort_disk_record) == 16, "record");
static_assert(sizeof(struct cohort_disk_run) == 72, "run");
static_assert(sizeof(struct cohort_disk_run_block) == COHORT_BLOCK, "run block");
static_assert(sizeof(struct cohort_disk_run_entry) == 40, "run entry");
static_assert(sizeof(struct cohort_disk_run_key) == 24, "run key");
static_assert(sizeof(struct cohort_disk_source) == 520, "source");
static_assert(sizeof(struct cohort_disk_group) == 160, "group");
static_assert(sizeof(struct cohort_disk_rel_member) == 24, "member");
static_assert(sizeof(struct cohort_disk_rel) == 224, "relationship");
static_assert(sizeof(struct cohort_disk_overlay) == 32, "overlay");
static_assert(offsetof(struct cohort_disk_clone, segment) == 56 + 2 * COHORT_DISK_ID +
	      COHORT_DISK_PARTUUID, "clone");

#endif
