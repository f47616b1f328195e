/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * plant.h - defects for the tests to find, in a build that is made for that alone.
 *
 * Built with PLANT=y, the code leaves out one of the rules it rests on, the
 * one named when it is loaded ("plant=" of the module, cohort_plant elsewhere).
 * Where such a defect needs a race to be seen, the race is given time. In every
 * other build PLANTED() is false when it is compiled, and nothing is left of it.
 * selftests/planted/list says what must catch each.
 */
#ifndef COHORT_PLANT_H
#define COHORT_PLANT_H

#ifdef COHORT_PLANT
extern char *cohort_plant;
void cohort_plant_spin(unsigned int ms);
#define PLANTED(defect)	(!strcmp(cohort_plant, defect))
#else
#define cohort_plant_spin(ms)	do { } while (0)
#define PLANTED(defect)	false
#endif

/* Sleeps. */
#define PLANT_SLEEP(defect, ms)		\
	do {				\
		if (PLANTED(defect))	\
			msleep(ms);	\
	} while (0)

/* Does not: one caller at a time stays where it is for so long. */
#define PLANT_SPIN(defect, ms)			\
	do {					\
		if (PLANTED(defect))		\
			cohort_plant_spin(ms);	\
	} while (0)

#endif
