// SPDX-License-Identifier: GPL-2.0-only
/* plant.c - which defect is planted; plant.h says what for. */
#include <linux/delay.h>
#include <linux/module.h>
#include "plant.h"

char *cohort_plant = "";
module_param_named(plant, cohort_plant, charp, 0444);
MODULE_PARM_DESC(plant, "Rule to leave out, for tests of the tests");

void cohort_plant_spin(unsigned int ms)
{
	static atomic_t busy;

	if (atomic_xchg(&busy, 1))
		return;
	mdelay(ms);
	atomic_set(&busy, 0);
}
