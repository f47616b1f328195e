#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A whole ./check fails for each figure that it does not reach, and for none that it does.
#
# Runs in user space, reads no test's output but its own.

cd "$(dirname "$0")/../.." || exit 1
exec python3 -B - <<'END'
import sys

sys.path.insert(0, "selftests/harness")
import figures  # noqa: E402


def said(**numbers):
    sums = figures.Figures()
    for name, least in figures.LEAST.items():
        sums.read("# figure: %s %s\n" % (name, numbers.get(name.replace("-", "_"), least)))
    return list(sums.short())


def all_are_reached():
    assert said() == [], said()


def each_can_be_missed():
    for name, least in figures.LEAST.items():
        short = said(**{name.replace("-", "_"): least - 1})
        assert short == ["%s %d, not %d" % (name, least - 1, least)], short


def one_that_nobody_counted_is_missed():
    assert len(list(figures.Figures().short())) == len(figures.NAMES)


def one_planted_defect_in_many_is_missed():
    assert said(mutants="17 of 18") == ["mutants 17, not 18"], said(mutants="17 of 18")


CASES = (all_are_reached, each_can_be_missed, one_that_nobody_counted_is_missed,
         one_planted_defect_in_many_is_missed)
print("TAP version 13")
print("1..%d" % len(CASES))
failed = 0
for number, case in enumerate(CASES, 1):
    try:
        case()
        print("ok %d harness-figures: %s" % (number, case.__name__))
    except AssertionError as error:
        failed = 1
        print("# %s\nnot ok %d harness-figures: %s" % (error, number, case.__name__))
sys.exit(failed)
END
