// SPDX-License-Identifier: GPL-2.0-only
/* main.c - the order in which the module comes up, bottom first, and goes. */
#include <linux/module.h>
#include "job.h"
#include "netlink.h"
#include "notify.h"
#include "target.h"
#include "unmarked.h"

static const struct layer {
	const char *name;
	int (*init)(void);
	void (*exit)(void);
} layers[] = {
	{ "jobs", cohort_job_init, cohort_job_exit },
	{ "netlink", cohort_netlink_init, cohort_netlink_exit },
	{ "events", cohort_notify_init, cohort_notify_exit },
	/* last, because with a pool everything else can be asked for */
	{ "source target", cohort_target_source_init, cohort_target_source_exit },
	{ "replica target", cohort_target_replica_init, cohort_target_replica_exit },
	{ "clone target", cohort_target_clone_init, cohort_target_clone_exit },
	{ "pool target", cohort_target_pool_init, cohort_target_pool_exit },
};

static void take_down(unsigned int count)
{
	while (count--)
		layers[count].exit();
}

static int __init cohort_init(void)
{
	unsigned int i;
	int err;

	for (i = 0; i < ARRAY_SIZE(layers); i++) {
		err = layers[i].init();
		if (err) {
			pr_err("cohort: no %s: %d\n", layers[i].name, err);
			take_down(i);
			return err;
		}
	}
	return 0;
}

static void __exit cohort_exit(void)
{
	take_down(ARRAY_SIZE(layers));
	cohort_unmarked_exit();
}

module_init(cohort_init);
module_exit(cohort_exit);

MODULE_DESCRIPTION("Device-mapper targets for group snapshots taken at one instant");
MODULE_AUTHOR("The cohort authors");
MODULE_LICENSE("GPL");
MODULE_VERSION(COHORT_VERSION);
MODULE_ALIAS("dm-cohort-pool");
MODULE_ALIAS("dm-cohort-source");
MODULE_ALIAS("dm-cohort-replica");
MODULE_ALIAS("dm-cohort-clone");
MODULE_ALIAS_GENL_FAMILY(COHORT_FAMILY_NAME);
