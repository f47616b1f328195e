/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Option words into CIM values: --type, --mode, --consistency, --wait. */
#ifndef COHORTCTL_WORDS_H
#define COHORTCTL_WORDS_H

#include "verb.h"

/*
 * Each leaves *@value as it is when the option was not given. 0, or an exit
 * code after the words have been said. A number is passed on as it is: what it
 * means is the library's to say.
 */
int words_sync_type(struct app *app, int32_t *value);
int words_mode(struct app *app, int32_t *value);
int words_consistency(struct app *app, int32_t *value);
int words_copy_state(struct app *app, int32_t *value);

#endif
