// SPDX-License-Identifier: GPL-2.0-only
/* plant.c - which defect is planted; plant.h says what for. */
#include <linux/module.h>
#include "plant.h"

char *cohort_plant = "";
module_param_named(plant, cohort_plant, charp, 0444);
MODULE_PARM_DESC(plant, "Rule to leave out, for tests of the tests");
