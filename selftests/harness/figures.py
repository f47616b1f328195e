# SPDX-License-Identifier: GPL-2.0-or-later
"""What a whole ./check has counted, and what each of its parts took: two tables at its end."""

import re

# In the order in which they are printed.
NAMES = ("crash-points", "power-cuts", "alloc-faults", "io-faults", "bad-messages", "fuzz-execs",
         "cuts", "model-states", "mutants", "coverage")
PERCENT = ("coverage",)
# What a whole run has to reach; of mutants, all.
LEAST = {"crash-points": 2000, "power-cuts": 10, "alloc-faults": 500, "io-faults": 200,
         "bad-messages": 20000, "fuzz-execs": 5000000, "cuts": 1000, "model-states": 5000000,
         "mutants": 16, "coverage": 85}
LINE = re.compile(r"^#* *figure: ([a-z-]+) (\d+)(?: of (\d+))?$", re.MULTILINE)


class Figures:
    """Sums of the lines "figure: NAME N [of M]" that tests print."""

    def __init__(self):
        self.sums = {}

    def read(self, text):
        for name, number, of in LINE.findall(text):
            if name not in NAMES:
                raise ValueError("figure %s is not known" % name)
            sums = self.sums.setdefault(name, [0, 0])
            sums[0] += int(number)
            sums[1] += int(of or 0)

    def short(self):
        """Words for each figure that a whole run has not reached."""
        for name in NAMES:
            number, of = self.sums.get(name, (0, 0))
            least = max(LEAST[name], of)
            if number < least:
                yield "%s %d, not %d" % (name, number, least)

    def line(self, violations):
        """None when nothing has been counted."""
        if not self.sums:
            return None
        words = []
        for name in NAMES:
            if name in self.sums:
                number, of = self.sums[name]
                unit = "%" if name in PERCENT else ""
                words.append("%s %d%s%s" % (name, number, unit, " of %d" % of if of else ""))
        return "figures: %s, violations %d" % (", ".join(words), violations)


class Budget:
    """Seconds of the parts, against those of selftests/steps on a quiet machine with two CPUs."""

    def __init__(self):
        self.parts = {}

    def spend(self, part, budget, seconds):
        self.parts.setdefault(part, [0.0, budget])[0] += seconds

    def table(self):
        yield "%-14s %7s %7s" % ("part", "seconds", "budget")
        for part, (spent, budget) in self.parts.items():
            yield "%-14s %7.0f %7d%s" % (part, spent, budget, "  over" if spent > budget else "")
