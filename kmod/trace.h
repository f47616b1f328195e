/* SPDX-License-Identifier: GPL-2.0-only */
/* trace.h - tracepoints: the cut, eras, held writes, log batches, image reads, states. */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM cohort

#if !defined(COHORT_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define COHORT_TRACE_H

#include <linux/tracepoint.h>
#include <uapi/linux/cohort.h>

#ifndef COHORT_TRACE_WHERE
#define COHORT_TRACE_WHERE
/* Where an image read is answered from. */
enum cohort_trace_where {
	COHORT_TRACE_POOL,
	COHORT_TRACE_SOURCE,
	COHORT_TRACE_RETRY,	/* the source's chunk changed meanwhile: once more */
};
#endif

TRACE_DEFINE_ENUM(COHORT_TRACE_POOL);
TRACE_DEFINE_ENUM(COHORT_TRACE_SOURCE);
TRACE_DEFINE_ENUM(COHORT_TRACE_RETRY);

/* The epoch was raised to @epoch for a group of @members. */
TRACE_EVENT(cohort_cut_flip,
	TP_PROTO(u64 epoch, u32 members),
	TP_ARGS(epoch, members),
	TP_STRUCT__entry(
		__field(u64, epoch)
		__field(u32, members)
	),
	TP_fast_assign(
		__entry->epoch = epoch;
		__entry->members = members;
	),
	TP_printk("epoch=%llu members=%u", __entry->epoch, __entry->members)
);

/* The last write of the era that began with @era on source @source has ended. */
TRACE_EVENT(cohort_era_sealed,
	TP_PROTO(u32 source, u64 era),
	TP_ARGS(source, era),
	TP_STRUCT__entry(
		__field(u32, source)
		__field(u64, era)
	),
	TP_fast_assign(
		__entry->source = source;
		__entry->era = era;
	),
	TP_printk("source=%u era=%llu", __entry->source, __entry->era)
);

/* A write waits until old content is preserved, or goes on. Sector and length in sectors. */
DECLARE_EVENT_CLASS(cohort_bio,
	TP_PROTO(u32 source, u64 sector, u32 len, u64 era),
	TP_ARGS(source, sector, len, era),
	TP_STRUCT__entry(
		__field(u32, source)
		__field(u32, len)
		__field(u64, sector)
		__field(u64, era)
	),
	TP_fast_assign(
		__entry->source = source;
		__entry->len = len;
		__entry->sector = sector;
		__entry->era = era;
	),
	TP_printk("source=%u sector=%llu len=%u era=%llu",
		  __entry->source, __entry->sector, __entry->len, __entry->era)
);

DEFINE_EVENT(cohort_bio, cohort_bio_held,
	TP_PROTO(u32 source, u64 sector, u32 len, u64 era),
	TP_ARGS(source, sector, len, era)
);

DEFINE_EVENT(cohort_bio, cohort_bio_released,
	TP_PROTO(u32 source, u64 sector, u32 len, u64 era),
	TP_ARGS(source, sector, len, era)
);

/* A batch of the log goes to the pool device; @bytes with its header. */
TRACE_EVENT(cohort_batch_submitted,
	TP_PROTO(u64 seq, u32 entries, u32 bytes),
	TP_ARGS(seq, entries, bytes),
	TP_STRUCT__entry(
		__field(u64, seq)
		__field(u32, entries)
		__field(u32, bytes)
	),
	TP_fast_assign(
		__entry->seq = seq;
		__entry->entries = entries;
		__entry->bytes = bytes;
	),
	TP_printk("seq=%llu entries=%u bytes=%u",
		  __entry->seq, __entry->entries, __entry->bytes)
);

/* It is durable, or @err says why not. */
TRACE_EVENT(cohort_batch_completed,
	TP_PROTO(u64 seq, u32 entries, u32 bytes, int err),
	TP_ARGS(seq, entries, bytes, err),
	TP_STRUCT__entry(
		__field(u64, seq)
		__field(u32, entries)
		__field(u32, bytes)
		__field(int, err)
	),
	TP_fast_assign(
		__entry->seq = seq;
		__entry->entries = entries;
		__entry->bytes = bytes;
		__entry->err = err;
	),
	TP_printk("seq=%llu entries=%u bytes=%u err=%d",
		  __entry->seq, __entry->entries, __entry->bytes, __entry->err)
);

/* Where a chunk of an image at @epoch is read from. */
TRACE_EVENT(cohort_image_read,
	TP_PROTO(u32 source, u64 epoch, u64 chunk, int where),
	TP_ARGS(source, epoch, chunk, where),
	TP_STRUCT__entry(
		__field(u32, source)
		__field(int, where)
		__field(u64, epoch)
		__field(u64, chunk)
	),
	TP_fast_assign(
		__entry->source = source;
		__entry->where = where;
		__entry->epoch = epoch;
		__entry->chunk = chunk;
	),
	TP_printk("source=%u epoch=%llu chunk=%llu from=%s",
		  __entry->source, __entry->epoch, __entry->chunk,
		  __print_symbolic(__entry->where,
				   { COHORT_TRACE_POOL, "pool" },
				   { COHORT_TRACE_SOURCE, "source" },
				   { COHORT_TRACE_RETRY, "retry" }))
);

/* A relationship goes from one enum cohort_copy_state to another. */
TRACE_EVENT(cohort_rel_state,
	TP_PROTO(const char *name, u32 from, u32 to),
	TP_ARGS(name, from, to),
	TP_STRUCT__entry(
		__array(char, name, COHORT_NAME_MAX + 1)
		__field(u32, from)
		__field(u32, to)
	),
	TP_fast_assign(
		strscpy(__entry->name, name, COHORT_NAME_MAX + 1);
		__entry->from = from;
		__entry->to = to;
	),
	TP_printk("relationship=%s from=%u to=%u", __entry->name, __entry->from, __entry->to)
);

#endif

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
