/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * notify.h - carries news to user space: netlink events and uevents.
 *
 * Every event goes at once to the multicast group "events" of the family. An
 * object that went is only named in it. Every event but those of jobs that
 * have not ended is also a change uevent of its pool's device, so that udev
 * rules can act on it:
 *
 *	COHORT_EVENT=		relationship-synchronized, job-completed, …
 *	COHORT_POOL=, COHORT_SOURCE=, COHORT_GROUP=, COHORT_RELATIONSHIP=,
 *	COHORT_JOB=		what it is about, as far as it applies
 *	COHORT_SUPPRESSED=	that many uevents before this one were dropped
 *
 * A pool sends at most 20 uevents a second; up to 64 wait for their turn.
 */
#ifndef COHORT_NOTIFY_H
#define COHORT_NOTIFY_H

/* Between these two cohort_notify() is heard; the netlink family is registered. */
int cohort_notify_init(void);
void cohort_notify_exit(void);

#endif
