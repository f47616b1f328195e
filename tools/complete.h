/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The candidates of shell completion, from the same tables as help. */
#ifndef COHORTCTL_COMPLETE_H
#define COHORTCTL_COMPLETE_H

#define COMPLETE_OPTION	"--completion-words"

/*
 * @words are what stands between the program's name and the word to be
 * completed. Prints one candidate a line; says nothing about errors, because
 * the shell is in the middle of the user's line. Returns an exit code.
 */
int complete(int count, char **words);

#endif
