// SPDX-License-Identifier: GPL-2.0-only
/* gate.c - holds the writes of a group for as long as a lease lasts. */
#include <linux/hrtimer.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include "gate.h"
#include "group.h"
#include "plant.h"
#include "registry.h"
#include "source.h"
#include "volume.h"

struct cohort_gate {
	struct list_head list;
	u32 id;
	u32 owner;			/* netlink port */
	bool opened;			/* by its owner: what comes later is no loss */
	int lost;			/* 0: it holds, or held; else why, a negative errno */
	struct cohort_words why;
	struct hrtimer lease;
	u32 lease_ms;
	ktime_t closed;
	u32 count;
	struct cohort_volume *vol[];	/* referenced */
};

/* Protects the list, every volume's gate, and who has lost which; irq-safe. */
static DEFINE_SPINLOCK(gates_lock);
static LIST_HEAD(gates);
static u32 last_id;
static u64 nr_closed;
static u64 nr_lost;
static atomic64_t overrun_ns = ATOMIC64_INIT(0);

static void open_all(struct cohort_gate *gate)
{
	u32 i;

	lockdep_assert_held(&gates_lock);
	for (i = 0; i < gate->count; i++) {
		/* lost since, and closed by another */
		if (gate->vol[i]->gate != gate->id)
			continue;
		WRITE_ONCE(gate->vol[i]->gate, 0);
		cohort_volume_kick(gate->vol[i]);
	}
}

/* Decided before anything opens: what is held from here on proves nothing. */
static void lose(struct cohort_gate *gate, const struct cohort_words *why, int err)
{
	lockdep_assert_held(&gates_lock);
	if (gate->lost || gate->opened)
		return;
	gate->lost = PLANTED("silent-loss") ? 0 : err;
	gate->why = *why;
	nr_lost++;
	open_all(gate);
}

static enum hrtimer_restart lease_over(struct hrtimer *timer)
{
	struct cohort_gate *gate = container_of(timer, struct cohort_gate, lease);
	struct cohort_words why;
	unsigned long flags;
	int err = cohort_refuse(&why, -ETIMEDOUT, "the lease of %u ms was over", gate->lease_ms);

	spin_lock_irqsave(&gates_lock, flags);
	lose(gate, &why, err);
	spin_unlock_irqrestore(&gates_lock, flags);
	return HRTIMER_NORESTART;
}

/* One that is in no list any more. */
static void gate_free(struct cohort_gate *gate)
{
	u32 i;

	hrtimer_cancel(&gate->lease);
	for (i = 0; i < gate->count; i++)
		cohort_volume_put(gate->vol[i]);
	kvfree(gate);
}

static struct cohort_gate *gate_new(const struct cohort_group *group, struct cohort_words *words)
{
	struct cohort_gate *gate = kvzalloc(struct_size(gate, vol, group->count), GFP_NOIO);
	struct cohort_source *source;

	if (!gate)
		return ERR_PTR(cohort_refuse(words, -ENOMEM, "no memory for the gate"));
	hrtimer_init(&gate->lease, CLOCK_MONOTONIC, HRTIMER_MODE_REL);
	gate->lease.function = lease_over;
	for (; gate->count < group->count; gate->count++) {
		source = group->member[gate->count];
		if (source->state != COHORT_SOURCE_STATE_ATTACHED || !source->vol) {
			gate_free(gate);
			return ERR_PTR(cohort_refuse(words, -ENODEV, "source %s is not attached",
						     source->name));
		}
		cohort_volume_get(source->vol);
		gate->vol[gate->count] = source->vol;
	}
	return gate;
}

static int check_can_close(const struct cohort_gate *gate, struct cohort_words *words)
{
	const struct cohort_volume *vol;
	u32 i;

	lockdep_assert_held(&gates_lock);
	for (i = 0; i < gate->count; i++) {
		vol = gate->vol[i];
		if (vol->gate || vol->suspended)
			return cohort_refuse(words, -EBUSY, "source %s is %s", vol->source->name,
					     vol->gate ? "gated already" : "suspended");
	}
	return 0;
}

static u32 next_id(void)
{
	lockdep_assert_held(&gates_lock);
	return ++last_id ?: ++last_id;
}

static void close_all(struct cohort_gate *gate)
{
	ktime_t lease = ms_to_ktime(gate->lease_ms);
	u32 i;

	lockdep_assert_held(&gates_lock);
	gate->id = next_id();
	gate->closed = ktime_get();
	list_add(&gate->list, &gates);
	nr_closed++;
	/* before the first is closed: none is held for longer */
	hrtimer_start(&gate->lease, lease, HRTIMER_MODE_REL);
	for (i = 0; i < gate->count; i++) {
		if (PLANTED("half-gated") && i)
			break;
		WRITE_ONCE(gate->vol[i]->gate_until, ktime_to_ns(ktime_add(gate->closed, lease)));
		WRITE_ONCE(gate->vol[i]->gate, gate->id);
	}
}

int cohort_gate_close(const char *name, u32 lease_ms, u32 owner, u32 *id,
		      struct cohort_words *words)
{
	struct cohort_group *group = cohort_find_group(name);
	struct cohort_gate *gate;
	int err;

	lockdep_assert_held(&cohort_lock);
	if (!group || group->pending)
		return cohort_refuse(words, -ENOENT, "no group \"%s\"", name);
	if (!group->count)
		return cohort_refuse(words, -EINVAL, "group %s has no members", name);
	gate = gate_new(group, words);
	if (IS_ERR(gate))
		return PTR_ERR(gate);
	gate->owner = owner;
	gate->lease_ms = lease_ms;
	spin_lock_irq(&gates_lock);
	err = check_can_close(gate, words);
	if (!err) {
		close_all(gate);
		*id = gate->id;
	}
	spin_unlock_irq(&gates_lock);
	if (err)
		gate_free(gate);
	else
		/* who saw a gate open has counted its write: that one is under way */
		synchronize_rcu_expedited();
	return err;
}

static struct cohort_gate *find(u32 id, u32 owner)
{
	struct cohort_gate *gate;

	lockdep_assert_held(&gates_lock);
	list_for_each_entry(gate, &gates, list)
		if (gate->owner == owner && (gate->id == id || !id))
			return gate;
	return NULL;
}

/* Out of the list and open, with whether it was lost decided; NULL if there is none. */
static struct cohort_gate *take(u32 id, u32 owner)
{
	struct cohort_gate *gate;

	spin_lock_irq(&gates_lock);
	gate = find(id, owner);
	if (gate) {
		list_del(&gate->list);
		gate->opened = true;
		open_all(gate);
	}
	spin_unlock_irq(&gates_lock);
	return gate;
}

int cohort_gate_open(u32 id, u32 owner, u64 *held_ns, struct cohort_words *words)
{
	struct cohort_gate *gate = id ? take(id, owner) : NULL;
	int err;

	if (!gate)
		return cohort_refuse(words, -ENOENT, "no gate %u of this caller", id);
	*held_ns = ktime_to_ns(ktime_sub(ktime_get(), gate->closed));
	err = gate->lost;
	if (err)
		*words = gate->why;
	gate_free(gate);
	return err;
}

void cohort_gate_owner_gone(u32 owner)
{
	struct cohort_gate *gate;

	while ((gate = take(0, owner)))
		gate_free(gate);
}

void cohort_gate_exit(void)
{
	while (!list_empty(&gates))
		cohort_gate_owner_gone(list_first_entry(&gates, struct cohort_gate, list)->owner);
}

void cohort_gate_suspend(struct cohort_volume *vol)
{
	struct cohort_gate *gate;
	struct cohort_words why;
	unsigned long flags;
	int err = cohort_refuse(&why, -ECANCELED, "source %s was suspended", vol->source->name);

	spin_lock_irqsave(&gates_lock, flags);
	vol->suspended = true;
	list_for_each_entry(gate, &gates, list)
		if (gate->id == vol->gate)
			lose(gate, &why, err);
	spin_unlock_irqrestore(&gates_lock, flags);
}

void cohort_gate_resume(struct cohort_volume *vol)
{
	unsigned long flags;

	spin_lock_irqsave(&gates_lock, flags);
	vol->suspended = false;
	spin_unlock_irqrestore(&gates_lock, flags);
}

void cohort_gate_passed(u64 until)
{
	u64 now = ktime_get_ns();
	s64 over = now > until ? now - until : 0, longest = atomic64_read(&overrun_ns);

	while (over > longest && !atomic64_try_cmpxchg(&overrun_ns, &longest, over))
		;
}

void cohort_gate_count(struct cohort_gate_counts *counts)
{
	unsigned long flags;

	spin_lock_irqsave(&gates_lock, flags);
	counts->closed = nr_closed;
	counts->lost = nr_lost;
	spin_unlock_irqrestore(&gates_lock, flags);
	counts->overrun_ns = atomic64_read(&overrun_ns);
}
